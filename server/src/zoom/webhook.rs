//! Webhooks.

use std::sync::Arc;

use axum::Router;

use super::wire::Reader;
use crate::{config::WebhookConfig, journal::Journal};

/// What the handler needs. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Webhooks {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: WebhookConfig,
    reader: Reader,
    journal: Journal,
}

/// What was counted since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WebhookStats {
    /// Requests with a valid signature.
    pub accepted: u64,
    /// Requests without one.
    pub refused: u64,
    /// Requests with a valid signature that were too old or too early.
    pub stale: u64,
    /// Requests that were answered 503.
    pub unavailable: u64,
}

impl Webhooks {
    /// A receiver that writes to `journal`.
    pub fn new(config: WebhookConfig, reader: Reader, journal: Journal) -> Self {
        Self { shared: Arc::new(Shared { config, reader, journal }) }
    }

    /// Answers `POST /webhooks/zoom`.
    pub fn router(&self) -> Router {
        let _ = &self.shared;
        Router::new()
    }

    /// What was counted since the start.
    pub fn stats(&self) -> WebhookStats {
        WebhookStats::default()
    }
}
