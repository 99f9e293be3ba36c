//! What a refusal because of too many requests says: which limit it is, and how long to wait.

use std::time::Duration;

use domain::time::Timestamp;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::{clock, zoom::patience::retry_after};

/// How long to wait when Zoom asks for a pause in words that nobody understands.
const NOT_UNDERSTOOD: Duration = Duration::from_secs(60);
/// How long when it says nothing: its short limits are per second.
const UNSAID: Duration = Duration::from_secs(1);

/// Which limit was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    /// Requests in a second or a minute, or at once.
    Momentary {
        /// How long to wait.
        pause: Duration,
    },
    /// The requests of a day.
    Daily {
        /// When there are new ones.
        until: Timestamp,
    },
}

impl Limit {
    /// Reads the headers and the message of an answer with status 429. Zoom's reference names neither;
    /// these are the ones that are seen.
    pub(super) fn read(headers: &HeaderMap, message: &str, now: Timestamp) -> Self {
        let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
        let says_daily = |text: &str| text.to_ascii_lowercase().contains("daily");
        let is_daily = text("x-ratelimit-type").is_some_and(says_daily) || says_daily(message);
        let asked = text(RETRY_AFTER.as_str())
            .map(|header| retry_after(header, now).unwrap_or(NOT_UNDERSTOOD))
            .or_else(|| reset(text("x-ratelimit-reset")?, now));
        if is_daily {
            Self::Daily { until: asked.map_or_else(|| clock::next_utc_day(now), |pause| now + pause) }
        } else {
            Self::Momentary { pause: asked.unwrap_or(UNSAID) }
        }
    }
}

/// Reads an instant in seconds since 1970; nothing beyond the next day is believed.
fn reset(header: &str, now: Timestamp) -> Option<Duration> {
    let at = Timestamp::from_millis(header.trim().parse::<i64>().ok()?.checked_mul(1000)?);
    Some(at.since(now)).filter(|pause| *pause <= Duration::from_secs(86_400))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_are_told_apart_and_every_way_to_say_when_is_understood() {
        let now = clock::parse_rfc3339("2026-08-19T22:00:00Z").expect("a test instant");
        let read = |headers: &[(&'static str, &str)], message| {
            let parsed = headers.iter().map(|(name, value)| {
                (reqwest::header::HeaderName::from_static(name), value.parse().expect("a header"))
            });
            Limit::read(&parsed.collect(), message, now)
        };
        let momentary = |seconds| Limit::Momentary { pause: Duration::from_secs(seconds) };
        let daily = |until| Limit::Daily { until: clock::parse_rfc3339(until).expect("a test instant") };
        let per_second = "You have reached the maximum per-second rate limit for this API.";
        assert_eq!(read(&[], per_second), momentary(1));
        assert_eq!(read(&[("retry-after", "7")], per_second), momentary(7));
        assert_eq!(read(&[("retry-after", "Wed, 19 Aug 2026 22:00:10 GMT")], ""), momentary(10));
        assert_eq!(read(&[("retry-after", "2026-08-19T22:00:20Z")], ""), momentary(20));
        assert_eq!(read(&[("retry-after", "in a while")], ""), momentary(60));
        assert_eq!(read(&[("x-ratelimit-reset", "1787176803")], ""), momentary(3));
        assert_eq!(read(&[("x-ratelimit-reset", "99999999999")], ""), momentary(1));
        assert_eq!(read(&[], "Too many concurrent requests. The limit is 1."), momentary(1));

        let type_daily = ("x-ratelimit-type", "Daily-limit");
        assert_eq!(read(&[type_daily], ""), daily("2026-08-20T00:00:00Z"));
        assert_eq!(read(&[], "You have reached the DAILY limit"), daily("2026-08-20T00:00:00Z"));
        assert_eq!(
            read(&[type_daily, ("retry-after", "2026-08-20T03:00:00Z")], ""),
            daily("2026-08-20T03:00:00Z")
        );
        assert_eq!(read(&[type_daily, ("retry-after", "3600")], ""), daily("2026-08-19T23:00:00Z"));
        assert_eq!(read(&[type_daily, ("retry-after", "?")], ""), daily("2026-08-19T22:01:00Z"));
        assert_eq!(
            read(&[type_daily, ("x-ratelimit-reset", "1787184000")], ""),
            daily("2026-08-20T00:00:00Z")
        );
    }
}
