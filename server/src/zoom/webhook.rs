//! `POST /webhooks/zoom`: Zoom's events and its URL validation.
//!
//! The signature over the raw bytes comes first; nothing of a body is looked at before. An event is
//! answered 200 when it is on disk, whatever we think of it, because Zoom never repeats what it was
//! answered 4xx for. Only what would succeed later is answered 5xx.

mod signature;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use http_body_util::BodyExt;
use serde_json::json;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};

use self::signature::{Refusal, Secrets};
use super::wire::{self, LONGEST_MESSAGE, Reader, Unreadable};
use crate::{
    clock,
    config::WebhookConfig,
    http::error::problem,
    journal::{AppendError, Incoming, Journal, Source},
};

/// How long a body may take to arrive, room for it included. Zoom gives up after 3 s as a whole.
const BODY_TIMEOUT: Duration = Duration::from_secs(3);

/// Bodies may take this much memory together while they arrive, signed or not. Room is taken for what has
/// arrived: whoever only announces much takes none.
const MOST_BODY_BYTES: usize = 64 << 20;

/// Receives webhooks. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Webhooks {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    secrets: Option<Secrets>,
    reader: Reader,
    journal: Journal,
    counters: Counters,
    /// Bytes of bodies that may still arrive.
    bodies: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct Counters {
    accepted: AtomicU64,
    refused: AtomicU64,
    stale: AtomicU64,
    unavailable: AtomicU64,
}

/// What was counted since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WebhookStats {
    /// Requests that were answered 200.
    pub accepted: u64,
    /// Requests without a valid signature, or too long.
    pub refused: u64,
    /// Requests with a valid signature that were too old or too early. If Zoom repeats a delivery
    /// with its first time stamp, it shows here: then `ZOOM_WEBHOOK_TOLERANCE_SECONDS` is too small.
    pub stale: u64,
    /// Requests that were answered 503, so that Zoom repeats them.
    pub unavailable: u64,
}

impl Webhooks {
    /// A receiver that writes to `journal`.
    pub fn new(config: &WebhookConfig, reader: Reader, journal: Journal) -> Self {
        let secrets = Secrets::new(config);
        let bodies = Arc::new(Semaphore::new(MOST_BODY_BYTES));
        Self { shared: Arc::new(Shared { secrets, reader, journal, counters: Counters::default(), bodies }) }
    }

    /// Answers `POST /webhooks/zoom`.
    pub fn router(&self) -> Router {
        Router::new().route("/webhooks/zoom", post(receive)).with_state(self.clone())
    }

    /// What was counted since the start.
    pub fn stats(&self) -> WebhookStats {
        let Counters { accepted, refused, stale, unavailable } = &self.shared.counters;
        WebhookStats {
            accepted: accepted.load(Relaxed),
            refused: refused.load(Relaxed),
            stale: stale.load(Relaxed),
            unavailable: unavailable.load(Relaxed),
        }
    }
}

async fn receive(State(webhooks): State<Webhooks>, request: Request) -> Response {
    let Shared { counters, .. } = &*webhooks.shared;
    match webhooks.answer(request).await {
        Ok(response) => {
            counters.accepted.fetch_add(1, Relaxed);
            response
        }
        Err(failure) => {
            let counter = match failure {
                Failure::Refused(Refusal::Stale) => &counters.stale,
                Failure::NoSecret | Failure::Busy | Failure::NotWritten(_) => &counters.unavailable,
                _ => &counters.refused,
            };
            counter.fetch_add(1, Relaxed);
            failure.into_response()
        }
    }
}

impl Webhooks {
    async fn answer(&self, request: Request) -> Result<Response, Failure> {
        let Shared { secrets, reader, journal, .. } = &*self.shared;
        let secrets = secrets.as_ref().ok_or(Failure::NoSecret)?;
        let (head, body) = request.into_parts();
        check_encoding(&head.headers)?;
        let most = announced_length(&head.headers)?;
        signature::check_head(&head.headers).map_err(Failure::Refused)?;
        let (body, _room) = self.read_body(body, most).await?;
        let received_at = clock::now();
        let key = secrets.verify(&head.headers, &body, received_at).map_err(Failure::Refused)?;

        let incoming = match std::str::from_utf8(&body) {
            Ok(text) => {
                if let Some(plain_token) = wire::url_validation(text) {
                    let encrypted_token = key.sign(&[plain_token.as_bytes()]);
                    let answer = json!({ "plainToken": plain_token, "encryptedToken": encrypted_token });
                    return Ok(Json(answer).into_response());
                }
                Incoming::read(reader, Source::Webhook, received_at, text)
            }
            Err(_) => Incoming::unreadable(Source::Webhook, received_at, Unreadable::NotText, &body),
        };
        journal.append(incoming).await.map_err(Failure::NotWritten)?;
        Ok(StatusCode::OK.into_response())
    }
}

/// The signature is over the bytes Zoom sent, which are never compressed; unpacking somebody's bomb
/// to find that out is out of the question.
fn check_encoding(headers: &HeaderMap) -> Result<(), Failure> {
    match headers.get(header::CONTENT_ENCODING) {
        Some(encoding) if encoding != "identity" => Err(Failure::Encoded),
        _ => Ok(()),
    }
}

/// How long the body will be at most; longer ones are refused unread.
fn announced_length(headers: &HeaderMap) -> Result<usize, Failure> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let most = announced.unwrap_or(LONGEST_MESSAGE);
    if most > LONGEST_MESSAGE { Err(Failure::TooLong) } else { Ok(most) }
}

impl Webhooks {
    /// The body, and its share of the memory that all bodies together may take.
    async fn read_body(
        &self,
        mut body: Body,
        most: usize,
    ) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Failure> {
        let deadline = Instant::now() + BODY_TIMEOUT;
        let mut read = Vec::new();
        let mut room: Option<OwnedSemaphorePermit> = None;
        while let Some(frame) = timeout_at(deadline, body.frame()).await.map_err(|_| Failure::TooSlow)? {
            let Ok(data) = frame.map_err(|_| Failure::BrokenOff)?.into_data() else { continue };
            if read.len() + data.len() > most {
                return Err(Failure::TooLong);
            }
            let share = u32::try_from(data.len()).unwrap_or(u32::MAX);
            let more = Arc::clone(&self.shared.bodies).acquire_many_owned(share);
            let more = timeout_at(deadline, more).await.ok().and_then(Result::ok).ok_or(Failure::Busy)?;
            match &mut room {
                Some(room) => room.merge(more),
                None => room = Some(more),
            }
            read.extend_from_slice(&data);
        }
        Ok((read.into(), room))
    }
}

/// Why a request was not answered 200. The texts go to whoever asked: they quote nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Failure {
    #[error("Webhooks are not set up: set ZOOM_WEBHOOK_SECRET_TOKEN to the secret token of the Zoom app.")]
    NoSecret,
    #[error("{0}")]
    Refused(Refusal),
    #[error("The body is longer than {LONGEST_MESSAGE} bytes.")]
    TooLong,
    #[error("The body took too long to arrive.")]
    TooSlow,
    #[error("The body ended early.")]
    BrokenOff,
    #[error("Too many bodies are arriving; please repeat it.")]
    Busy,
    #[error("The body must not be compressed.")]
    Encoded,
    #[error("The event could not be stored ({0}); please repeat it.")]
    NotWritten(AppendError),
}

impl Failure {
    const fn status(self) -> StatusCode {
        match self {
            Self::NoSecret | Self::Busy | Self::NotWritten(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Refused(_) => StatusCode::UNAUTHORIZED,
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::BrokenOff => StatusCode::BAD_REQUEST,
            Self::Encoded => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        problem(self.status(), &self.to_string())
    }
}

#[cfg(test)]
mod tests;
