//! Instants and lengths of time as the pretend account sees them.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

/// A length of time from seconds, to the millisecond.
pub(crate) fn seconds(seconds: f64) -> TimeDelta {
    TimeDelta::milliseconds((seconds * 1000.0).round() as i64)
}

/// The text form of every object time: UTC, whole seconds, as Zoom cuts them.
pub(crate) fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Whole seconds between two instants, never negative.
pub(crate) fn whole_seconds(from: DateTime<Utc>, to: DateTime<Utc>) -> i64 {
    (to.timestamp() - from.timestamp()).max(0)
}
