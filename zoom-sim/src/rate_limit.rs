//! REST rate limits: so many requests a second per category, and so many heavy ones a day.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use tokio::time::Instant;

use crate::fault::{LimitKind, RetryAfter};

/// The weight of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Category {
    Light,
    Medium,
    Heavy,
}

impl Category {
    fn name(self) -> &'static str {
        match self {
            Self::Light => "Light",
            Self::Medium => "Medium",
            Self::Heavy => "Heavy",
        }
    }
}

/// Requests allowed per category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimits {
    /// LIGHT operations per second.
    pub light_per_second: u32,
    /// MEDIUM operations per second.
    pub medium_per_second: u32,
    /// HEAVY operations per second.
    pub heavy_per_second: u32,
    /// HEAVY operations per day.
    pub heavy_per_day: u32,
}

impl RateLimits {
    /// Zoom Phone on the Pro plan.
    pub const PRO: Self =
        Self { light_per_second: 20, medium_per_second: 10, heavy_per_second: 5, heavy_per_day: 15_000 };
    /// Zoom Phone on Business and larger plans.
    pub const BUSINESS: Self =
        Self { light_per_second: 40, medium_per_second: 20, heavy_per_second: 10, heavy_per_day: 30_000 };

    fn per_second(&self, category: Category) -> u32 {
        match category {
            Category::Light => self.light_per_second,
            Category::Medium => self.medium_per_second,
            Category::Heavy => self.heavy_per_second,
        }
    }
}

/// Counts requests against the limits.
#[derive(Debug)]
pub(crate) struct RateGate {
    limits: Option<RateLimits>,
    windows: Mutex<Windows>,
}

#[derive(Debug, Default)]
struct Windows {
    seconds: HashMap<Category, (Option<Instant>, u32)>,
    heavy_today: u32,
    today: Option<chrono::NaiveDate>,
}

/// A refused request: the message and the headers that explain it.
#[derive(Debug)]
pub(crate) struct Exceeded {
    pub(crate) message: &'static str,
    pub(crate) headers: HeaderMap,
}

impl RateGate {
    pub(crate) fn new(limits: Option<RateLimits>) -> Self {
        Self { limits, windows: Mutex::default() }
    }

    /// Counts a request; the headers for its answer, or the refusal.
    pub(crate) fn pass(&self, category: Category, now: DateTime<Utc>) -> Result<HeaderMap, Exceeded> {
        let Some(limits) = self.limits else { return Ok(HeaderMap::new()) };
        let mut windows = self.windows.lock().expect("counting cannot panic");
        if windows.today != Some(now.date_naive()) {
            windows.today = Some(now.date_naive());
            windows.heavy_today = 0;
        }
        if category == Category::Heavy && windows.heavy_today >= limits.heavy_per_day {
            return Err(refusal(LimitKind::Daily, RetryAfter::Usual, category, limits.heavy_per_day, now));
        }
        let limit = limits.per_second(category);
        let (since, count) = windows.seconds.entry(category).or_default();
        let begun = since.is_some_and(|since| since.elapsed() < Duration::from_secs(1));
        if !begun {
            (*since, *count) = (Some(Instant::now()), 0);
        }
        if *count >= limit {
            return Err(refusal(LimitKind::PerSecond, RetryAfter::Usual, category, limit, now));
        }
        *count += 1;
        let left = limit - *count;
        if category == Category::Heavy {
            windows.heavy_today += 1;
        }
        Ok(headers(LimitKind::PerSecond, category, limit, left))
    }
}

/// The refusal of a kind, also when no limit is configured and a fault asks for it.
pub(crate) fn refusal(
    kind: LimitKind,
    retry_after: RetryAfter,
    category: Category,
    limit: u32,
    now: DateTime<Utc>,
) -> Exceeded {
    let mut headers = headers(kind, category, limit, 0);
    let (message, reset) = match kind {
        LimitKind::PerSecond => (
            "You have reached the maximum per-second rate limit for this API. Try again later.",
            now + TimeDelta::seconds(1),
        ),
        LimitKind::Daily => {
            let midnight = (now + TimeDelta::days(1)).date_naive().and_time(chrono::NaiveTime::MIN).and_utc();
            (
                "You have reached the maximum daily rate limit for this API. \
                 Refer to the response header for details on when you can make another request.",
                midnight,
            )
        }
    };
    let seconds = (reset - now).num_seconds().max(1).to_string();
    let iso = reset.to_rfc3339_opts(SecondsFormat::Secs, true);
    let asked = match retry_after {
        RetryAfter::Absent => None,
        RetryAfter::Usual if kind == LimitKind::Daily => Some(iso),
        RetryAfter::Usual | RetryAfter::Seconds => Some(seconds),
        RetryAfter::HttpDate => Some(reset.format("%a, %d %b %Y %H:%M:%S GMT").to_string()),
        RetryAfter::Iso => Some(iso),
        RetryAfter::Garbage => Some("in due course".to_owned()),
    };
    if let Some(asked) = asked {
        put(&mut headers, "x-ratelimit-reset", &reset.timestamp().to_string());
        put(&mut headers, "retry-after", &asked);
    }
    Exceeded { message, headers }
}

fn headers(kind: LimitKind, category: Category, limit: u32, left: u32) -> HeaderMap {
    let mut headers = HeaderMap::new();
    put(&mut headers, "x-ratelimit-category", category.name());
    put(&mut headers, "x-ratelimit-type", if kind == LimitKind::Daily { "Daily-limit" } else { "QPS" });
    put(&mut headers, "x-ratelimit-limit", &limit.to_string());
    put(&mut headers, "x-ratelimit-remaining", &left.to_string());
    headers
}

fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    let value = HeaderValue::from_str(value).expect("digits and letters are a header value");
    headers.insert(HeaderName::from_static(name), value);
}
