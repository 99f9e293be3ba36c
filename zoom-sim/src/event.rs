//! The shape of Zoom's events on the wire: the envelope and the parties of a call.

use chrono::{DateTime, Utc};
use serde::Serialize;

pub(crate) mod call_change;
pub(crate) mod element;
pub(crate) mod leg;
pub(crate) mod transfer;
pub(crate) mod voicemail;

/// An event as it leaves the pretend Zoom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmittedEvent {
    /// When it leaves; also its `event_ts` (before any configured lag).
    pub at: DateTime<Utc>,
    /// The event's name.
    pub name: &'static str,
    /// The whole body: `event`, `event_ts`, `payload`.
    pub json: String,
}

#[derive(Serialize)]
struct Body<'a, T> {
    event: &'a str,
    payload: Payload<'a, T>,
    event_ts: i64,
}

#[derive(Serialize)]
struct Payload<'a, T> {
    account_id: &'a str,
    object: &'a T,
}

/// The JSON text of one event.
pub(crate) fn render<T: Serialize>(account_id: &str, event: &str, event_ts: i64, object: &T) -> String {
    let body = Body { event, payload: Payload { account_id, object }, event_ts };
    serde_json::to_string(&body).expect("structs of text and numbers always serialise")
}

/// One side of a call. Which fields may appear depends on the event and the side.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Party<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) extension_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) extension_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) extension_number: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) phone_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timezone: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) device_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) device_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) device_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) connection_type: Option<&'static str>,
}

/// Which parts of a party an event shows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown {
    pub(crate) name: bool,
    pub(crate) user: bool,
    pub(crate) device_id: bool,
    pub(crate) device_name: bool,
    pub(crate) device_type: bool,
}

impl Party<'_> {
    /// Takes away what this event does not show.
    pub(crate) fn showing(mut self, shown: Shown) -> Self {
        if !shown.name {
            self.name = None;
        }
        if !shown.user {
            self.user_id = None;
            self.timezone = None;
        }
        if !shown.device_id {
            self.device_id = None;
        }
        if !shown.device_name {
            self.device_name = None;
        }
        if !shown.device_type {
            self.device_type = None;
        }
        self
    }
}
