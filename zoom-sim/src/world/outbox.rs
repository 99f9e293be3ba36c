//! Events on their way out: rendered at once, released when their latency is over.

use std::ops::RangeInclusive;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::agenda::Agenda;
use crate::dice::Dice;
use crate::event::{EmittedEvent, render};

/// Rendered events in order of departure.
#[derive(Debug)]
pub(super) struct Outbox {
    account_id: String,
    waiting: Agenda<EmittedEvent>,
    latency_ms: RangeInclusive<u64>,
    event_ts_lag_ms: i64,
    dice: Dice,
    /// While true nothing is rendered: the time before anybody could listen.
    pub(super) muted: bool,
}

impl Outbox {
    pub(super) fn new(
        account_id: &str,
        latency_ms: RangeInclusive<u64>,
        event_ts_lag_ms: i64,
        seed: u64,
    ) -> Self {
        Self {
            account_id: account_id.to_owned(),
            waiting: Agenda::new(),
            latency_ms,
            event_ts_lag_ms,
            dice: Dice::new(seed, 23),
            muted: false,
        }
    }

    pub(super) fn send<T: Serialize>(&mut self, now: DateTime<Utc>, name: &'static str, object: &T) {
        // The throw is made even when muted, so that a warmed-up world tells the same story.
        let (low, high) = (*self.latency_ms.start(), *self.latency_ms.end());
        let latency = if high > low { low + self.dice.number(high - low + 1) } else { low };
        if self.muted {
            return;
        }
        let at = now + TimeDelta::milliseconds(latency as i64);
        let json = render(&self.account_id, name, at.timestamp_millis() + self.event_ts_lag_ms, object);
        self.waiting.add(at, EmittedEvent { at, name, json });
    }

    pub(super) fn take_due(&mut self, limit: DateTime<Utc>) -> Vec<EmittedEvent> {
        std::iter::from_fn(|| self.waiting.pop_due(limit).map(|(_, event)| event)).collect()
    }
}
