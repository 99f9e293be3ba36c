//! How long to wait before trying again: what Zoom asks for, or a growing pause with jitter.

use std::time::Duration;

use chrono::DateTime;
use domain::time::Timestamp;
use rand::RngExt;

use crate::{clock, config::FeedTimings};

/// Pauses that double from failure to failure, each shortened at random by up to a half so that
/// many servers do not come back at the same moment.
#[derive(Debug, Clone)]
pub(super) struct BackOff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl BackOff {
    pub(super) fn new(timings: &FeedTimings) -> Self {
        let first = timings.back_off_first;
        Self { first, longest: timings.back_off_longest.max(first), next: first }
    }

    /// The pause after another failure.
    pub(super) fn failed(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(self.longest);
        pause.mul_f64(rand::rng().random_range(0.5..=1.0))
    }

    /// It worked.
    pub(super) fn reset(&mut self) {
        self.next = self.first;
    }
}

/// However long Zoom, or whatever answers in its place, asks to wait: after this it is asked again.
pub(super) const LONGEST_ASKED: Duration = Duration::from_secs(5 * 60);
/// A daily limit ends within a day.
const A_DAY: Duration = Duration::from_secs(24 * 3600);

/// Reads a `Retry-After`: seconds, an HTTP date, or an RFC 3339 instant. Never negative,
/// never more than a day.
pub(super) fn retry_after(header: &str, now: Timestamp) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse::<u32>() {
        return Some(Duration::from_secs(u64::from(seconds)).min(A_DAY));
    }
    let instant = DateTime::parse_from_rfc2822(header)
        .ok()
        .map(|instant| Timestamp::from_millis(instant.timestamp_millis()))
        .or_else(|| clock::parse_rfc3339(header))?;
    Some(instant.since(now).min(A_DAY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_longest_and_start_afresh() {
        let timings = FeedTimings::default();
        let mut back_off = BackOff::new(&timings);
        for longest in [1, 2, 4, 8, 16, 30, 30, 30] {
            let pause = back_off.failed().as_secs_f64();
            let longest = f64::from(longest);
            assert!((longest / 2.0..=longest).contains(&pause), "{pause} s where {longest} s is the longest");
        }
        back_off.reset();
        assert!(back_off.failed() <= timings.back_off_first);
    }

    #[test]
    fn retry_after_comes_in_three_forms() {
        let now = clock::parse_rfc3339("2026-08-19T21:12:28Z").expect("a test instant");
        let seconds = |header| retry_after(header, now).map(|pause| pause.as_secs());
        assert_eq!(seconds(" 7 "), Some(7));
        assert_eq!(seconds("Wed, 19 Aug 2026 21:12:38 GMT"), Some(10));
        assert_eq!(seconds("2026-08-20T00:00:00Z"), Some(10_052));
        assert_eq!(seconds("2026-08-19T21:00:00Z"), Some(0), "the past means now");
        assert_eq!(seconds("4000000000"), Some(86_400), "nobody is asked to wait for years");
        assert_eq!(seconds("9999-12-31T00:00:00Z"), Some(86_400));
        assert_eq!(seconds("soon"), None);
        assert_eq!(seconds("-1"), None);
        assert_eq!(seconds("4294967296"), None);
    }
}
