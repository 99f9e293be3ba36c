//! Webhook delivery: signed requests with a time limit and few retries.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::select;
use tokio::time::sleep;

use crate::clock;
use crate::dice::Dice;
use crate::sim::Shared;

/// A delivery answered later than this counts as failed.
const LIMIT: Duration = Duration::from_secs(3);
/// Pauses before the three retries, in simulated minutes.
const RETRIES_MINUTES: [f64; 3] = [5.0, 20.0, 60.0];
/// Deliveries under way at once.
const AT_ONCE: usize = 32;
/// How many deliveries the log remembers.
const LOG: usize = 10_000;

/// Where webhooks go.
#[derive(Debug, Clone)]
pub struct WebhookTarget {
    /// The receiver, on the loopback interface.
    pub url: String,
    /// The pauses before retries are divided by this.
    pub retry_scale: f64,
}

/// One request that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WebhookAttempt {
    /// `x-zm-request-id`; a retry has a new one.
    pub request_id: String,
    /// 0 for the first request, then 1–3.
    pub retry: usize,
    /// HTTP status, or none when there was no answer in time.
    pub status: Option<u16>,
}

/// The sender of webhooks.
#[derive(Debug)]
pub(crate) struct Webhooks {
    target: WebhookTarget,
    client: reqwest::Client,
    at_once: tokio::sync::Semaphore,
    dice: std::sync::Mutex<Dice>,
    log: std::sync::Mutex<std::collections::VecDeque<WebhookAttempt>>,
}

impl Webhooks {
    pub(crate) fn new(target: WebhookTarget, seed: u64) -> anyhow::Result<Self> {
        let url: reqwest::Url = target.url.parse().context("the webhook URL is no URL")?;
        let local = url.host_str().is_some_and(|host| matches!(host, "127.0.0.1" | "localhost" | "[::1]"));
        ensure!(local, "webhooks are sent to the loopback interface only");
        // The client wants a TLS provider even if it will never speak TLS; a second installation fails
        // harmlessly.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .user_agent("Zoom Marketplace/1.0a")
            .no_proxy()
            .build()
            .context("could not make the webhook client")?;
        Ok(Self {
            target,
            client,
            at_once: tokio::sync::Semaphore::new(AT_ONCE),
            dice: std::sync::Mutex::new(Dice::new(seed, 43)),
            log: std::sync::Mutex::default(),
        })
    }

    pub(crate) fn log(&self) -> Vec<WebhookAttempt> {
        self.log.lock().expect("pushing cannot panic").iter().cloned().collect()
    }

    /// One request; the status, or none.
    async fn attempt(&self, secret: &str, body: &str, retry: usize) -> (Option<u16>, Option<String>) {
        let request_id = self.dice.lock().expect("throwing dice cannot panic").uuid();
        let timestamp = clock::wall_now().timestamp().to_string();
        let request = self
            .client
            .post(&self.target.url)
            .timeout(LIMIT)
            .header("content-type", "application/json; charset=utf-8")
            .header("x-zm-request-timestamp", &timestamp)
            .header("x-zm-signature", sign(secret, &timestamp, body))
            .header("x-zm-request-id", &request_id)
            .body(body.to_owned());
        let (status, answer) = match request.send().await {
            Ok(response) => (Some(response.status().as_u16()), response.text().await.ok()),
            Err(_) => (None, None),
        };
        let mut log = self.log.lock().expect("pushing cannot panic");
        if log.len() == LOG {
            log.pop_front();
        }
        log.push_back(WebhookAttempt { request_id, retry, status });
        (status, answer)
    }

    /// Sends the URL validation challenge and checks the answer.
    pub(crate) async fn validate(&self, secret: &str) -> anyhow::Result<()> {
        let plain = self.dice.lock().expect("throwing dice cannot panic").id();
        let body = json!({
            "event": "endpoint.url_validation",
            "event_ts": clock::wall_now().timestamp_millis(),
            "payload": { "plainToken": plain },
        });
        let (status, answer) = self.attempt(secret, &body.to_string(), 0).await;
        ensure!(status == Some(200), "the challenge was answered with {status:?}");
        let answer: Value = serde_json::from_str(answer.as_deref().unwrap_or_default())
            .context("the answer to the challenge is no JSON")?;
        ensure!(answer["plainToken"] == plain, "the plain token came back changed");
        ensure!(answer["encryptedToken"] == hmac_hex(secret, &plain), "the encrypted token is wrong");
        Ok(())
    }
}

/// Sends an event in the background, with retries, if webhooks are configured.
pub(crate) fn deliver(shared: &Arc<Shared>, json: &str) {
    if shared.webhooks.is_none() {
        return;
    }
    let (task, body) = (shared.clone(), json.to_owned());
    shared.tracker.spawn(async move {
        let Some(webhooks) = &task.webhooks else { return };
        for retry in 0..=RETRIES_MINUTES.len() {
            if retry > 0 {
                let pause = RETRIES_MINUTES[retry - 1] * 60.0 / webhooks.target.retry_scale;
                select! {
                    () = task.stop.cancelled() => return,
                    () = sleep(Duration::from_secs_f64(pause)) => {}
                }
            }
            let status = {
                let Ok(_place) = webhooks.at_once.acquire().await else { return };
                task.counters.add(|counters| &counters.webhooks);
                select! {
                    () = task.stop.cancelled() => return,
                    (status, _) = webhooks.attempt(&task.credentials.webhook_secret, &body, retry) => status,
                }
            };
            let done = match status {
                Some(200 | 204) => return,
                // Any success will do for a retry.
                Some(201..300) if retry > 0 => return,
                // A redirect or a client error ends it: that event is gone for good.
                Some(300..500) => true,
                _ => retry == RETRIES_MINUTES.len(),
            };
            if done {
                return task.counters.add(|counters| &counters.webhooks_lost);
            }
        }
    });
}

/// The value of `x-zm-signature` for a body and a timestamp in epoch seconds.
pub fn sign(secret: &str, timestamp: &str, body: &str) -> String {
    format!("v0={}", hmac_hex(secret, &format!("v0:{timestamp}:{body}")))
}

/// Lower-case hex of HMAC-SHA256, as the URL validation answer needs it.
pub fn hmac_hex(secret: &str, message: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(message.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signature_agrees_with_another_implementation() {
        let body = "{\"event\":\"phone.callee_ringing\",\"event_ts\":1785000000000,\"payload\":{\"account_id\":\"AbCdEf\",\"object\":{\"call_id\":\"7000000000000000001\",\"note\":\"café / <ok>\"}}}";
        assert_eq!(
            sign("s3cr3t-token", "1785000001", body),
            "v0=0eb9995f952c72ace19a5e0a67f45046de83ab85d3cb9725ea0c452ea0b5efa9"
        );
        assert_eq!(
            hmac_hex("s3cr3t-token", "qgg8vlvZRS6UYooatFL8Aw"),
            "fe1ad5873187038544360bc832ce7c83b690a082b5bc2d394aa3182504e1c473"
        );
    }
}
