//! Everything that speaks Zoom. Zoom's names and types stop here.
//!
//! Reading order: `wire` (text in, typed fields out) → `key` (same event or another) → `translate`
//! (live events to facts) and `record` (what is written down of a call afterwards) are pure; `auth`,
//! `socket`, `webhook` and `rest` do the talking, `directory`, `presence`, `backfill`, `record_walk` and
//! `silence` ask.

pub mod wire;

pub mod key;

mod parties;

mod translate;

mod voicemail;

pub mod record;

pub mod presence;

pub(crate) mod backfill;

pub(crate) mod record_walk;

pub(crate) mod filing;

pub(crate) mod silence;

mod patience;

pub(crate) mod setback;

pub mod auth;

pub mod socket;

pub mod webhook;

pub mod rate_limit;

pub mod rest;

pub mod directory;

#[cfg(test)]
pub(crate) mod sample;

use std::time::Duration;

/// How the names begin under which our own readings are journalled. Zoom has no such events.
const OWN_READINGS: &str = "rest.";

/// True for the name of one of our own readings, which nobody else may use: it would count as read.
pub(crate) fn is_own_reading(name: &str) -> bool {
    name.starts_with(OWN_READINGS)
}

/// An HTTP client for Zoom's endpoints: TLS only by rustls, no redirects (a token must not follow
/// one to another host), no proxy surprises in time-outs.
pub fn http_client() -> Result<reqwest::Client, reqwest::Error> {
    // `main` installs the provider first thing; tests and tools may not have.
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Losing a race against another caller is fine: then there is one.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(10))
        .timeout(Duration::from_secs(30))
        .user_agent(concat!("callboard/", env!("CARGO_PKG_VERSION")))
        .build()
}
