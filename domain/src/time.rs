//! Instants on the wire and in the rules: whole milliseconds since 1970-01-01T00:00:00Z.
//!
//! Never asks what time it is: every rule that needs "now" takes it as a parameter.

use std::{
    ops::{Add, Sub},
    time::Duration,
};

use serde::{Deserialize, Serialize};

/// An instant in UTC, in milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Time from `earlier` to `self`, zero when `earlier` is in fact later: clocks of two sources
    /// disagree, and a wait is never negative.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, rhs: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(rhs.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, rhs: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(rhs.as_millis()).unwrap_or(i64::MAX)))
    }
}

/// A wait or a time in state as people read it: `0:07`, `3:42`, `1:02:11`.
///
/// Integer arithmetic only, so that the server and the browser print the same text.
pub fn clock_face(duration: Duration) -> String {
    let total = duration.as_secs();
    let (hours, minutes, seconds) = (total / 3600, total / 60 % 60, total % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_never_negative() {
        let earlier = Timestamp::from_millis(5_000);
        let later = Timestamp::from_millis(9_000);
        assert_eq!(later.since(earlier), Duration::from_secs(4));
        assert_eq!(earlier.since(later), Duration::ZERO);
    }

    #[test]
    fn clock_face_grows_with_the_wait() {
        let face = |seconds| clock_face(Duration::from_secs(seconds));
        assert_eq!(face(0), "0:00");
        assert_eq!(face(7), "0:07");
        assert_eq!(face(222), "3:42");
        assert_eq!(face(3_731), "1:02:11");
    }

    #[test]
    fn arithmetic_saturates_instead_of_wrapping() {
        let end = Timestamp::from_millis(i64::MAX);
        assert_eq!(end + Duration::from_secs(1), end);
        assert_eq!(end.since(Timestamp::from_millis(i64::MIN)), Duration::from_millis(i64::MAX as u64));
    }
}
