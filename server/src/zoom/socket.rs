//! The event WebSocket.

use domain::{time::Timestamp, trust::FeedLink};
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{auth::Tokens, wire::Reader};
use crate::{config::FeedTimings, journal::Journal};

/// The feed's own health.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedStatus {
    /// State of the link.
    pub link: FeedLink,
    /// Since when `link` is what it is.
    pub since: Timestamp,
    /// When anything last came over it, to the second.
    pub heard_at: Option<Timestamp>,
    /// When the present connection was accepted.
    pub connected_since: Option<Timestamp>,
    /// Connections after the first.
    pub reconnects: u64,
    /// Why the link is not live, one sentence with the next step.
    pub problem: Option<String>,
    /// When the token of the present connection ends.
    pub token_expires_on: Option<Timestamp>,
    /// Events that came over it, duplicates included.
    pub events: u64,
    /// Frames that could not be understood.
    pub unreadable_frames: u64,
}

impl FeedStatus {
    /// A feed that is not connected yet; with `WebhookOnly` it never will be.
    pub fn new(link: FeedLink, now: Timestamp) -> Self {
        Self {
            link,
            since: now,
            heard_at: None,
            connected_since: None,
            reconnects: 0,
            problem: None,
            token_expires_on: None,
            events: 0,
            unreadable_frames: 0,
        }
    }
}

/// What the feed's task needs.
#[derive(Debug)]
pub struct Feed {
    /// `ZOOM_WS_URL`.
    pub url: url::Url,
    /// `ZOOM_WS_SUBSCRIPTION_ID`.
    pub subscription_id: String,
    /// Gives out tokens.
    pub tokens: Tokens,
    /// Takes the events.
    pub journal: Journal,
    /// Reads the events.
    pub reader: Reader,
    /// The last proof of life of the run before: a gap reaches from there to the first of this run.
    pub last_pulse: Option<Timestamp>,
    /// Time-outs and back-off.
    pub timings: FeedTimings,
}

impl Feed {
    /// Starts the task; it ends only by `stop`.
    pub fn spawn(self, tracker: &TaskTracker, stop: CancellationToken) -> watch::Receiver<FeedStatus> {
        let (status, seen) = watch::channel(FeedStatus::new(FeedLink::Connecting, crate::clock::now()));
        tracker.spawn(async move {
            stop.cancelled().await;
            drop((self, status));
        });
        seen
    }
}
