//! Did Zoom send this, and lately?

use std::{fmt, time::Duration};

use axum::http::{HeaderMap, HeaderName};
use domain::time::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::config::WebhookConfig;

const SIGNATURE: HeaderName = HeaderName::from_static("x-zm-signature");
const TIMESTAMP: HeaderName = HeaderName::from_static("x-zm-request-timestamp");
const VERSION: &str = "v0=";

/// Why a request is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("The header {SIGNATURE} is missing.")]
    NoSignature,
    #[error("The header {TIMESTAMP} is missing or no number of seconds.")]
    NoTimestamp,
    #[error("The signature is not of version v0.")]
    WrongVersion,
    #[error("The signature does not match the body: check the secret token on both sides.")]
    WrongSignature,
    #[error("The request is signed for another time: check this server's clock.")]
    Stale,
}

/// Refuses a head without a signature before anything of the body is read.
pub(super) fn check_head(headers: &HeaderMap) -> Result<(), Refusal> {
    read_head(headers).map(|_| ())
}

/// The signature, and the time of the request as a text and in seconds.
fn read_head(headers: &HeaderMap) -> Result<(&str, &str, i64), Refusal> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let signature = text(SIGNATURE).ok_or(Refusal::NoSignature)?;
    let sent = text(TIMESTAMP).ok_or(Refusal::NoTimestamp)?;
    // Digits only: `parse` would take a sign as well.
    let seconds = Some(sent)
        .filter(|sent| !sent.is_empty() && sent.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|sent| sent.parse::<i64>().ok())
        .ok_or(Refusal::NoTimestamp)?;
    if !signature.starts_with(VERSION) {
        return Err(Refusal::WrongVersion);
    }
    Ok((signature, sent, seconds))
}

/// The secret tokens that are accepted, and how far a request's time may be off.
#[derive(Debug)]
pub(super) struct Secrets {
    keys: Vec<Key>,
    tolerance: Duration,
}

impl Secrets {
    pub(super) fn new(config: &WebhookConfig) -> Option<Self> {
        let current = config.secret.as_ref()?;
        let keys = std::iter::once(current).chain(&config.previous_secret).map(Key::new).collect();
        Some(Self { keys, tolerance: config.tolerance })
    }

    /// The key that `body` was signed with.
    pub(super) fn verify(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<&Key, Refusal> {
        let (signature, sent, seconds) = read_head(headers)?;
        let key = self
            .keys
            .iter()
            .find(|key| {
                let expected = key.sign(&[b"v0:", sent.as_bytes(), b":", body]);
                let given = signature.strip_prefix(VERSION).unwrap_or_default();
                expected.as_bytes().ct_eq(given.as_bytes()).into()
            })
            .ok_or(Refusal::WrongSignature)?;
        // Only now, so that what is counted as stale is known to come from Zoom.
        let sent_at = Timestamp::from_millis(seconds.saturating_mul(1000));
        if now.since(sent_at).max(sent_at.since(now)) > self.tolerance {
            return Err(Refusal::Stale);
        }
        Ok(key)
    }
}

/// A secret token, ready to sign.
pub(super) struct Key(Hmac<Sha256>);

impl Key {
    pub(super) fn new(secret: &SecretString) -> Self {
        let mac = Hmac::new_from_slice(secret.expose_secret().as_bytes());
        Self(mac.expect("HMAC takes keys of any length"))
    }

    /// The signature over `parts` as lower-case hex.
    pub(super) fn sign(&self, parts: &[&[u8]]) -> String {
        let mut mac = self.0.clone();
        parts.iter().for_each(|part| mac.update(part));
        hex::encode(mac.finalize().into_bytes())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}
