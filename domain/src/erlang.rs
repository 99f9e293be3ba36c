//! How many people a load of calls needs: Erlang B, C and A.
//!
//! Guidance, never a promise: arrivals are taken to be independent, times exponential, everybody
//! able to take every call. Erlang A after Garnett, Mandelbaum and Reiman (M/M/n+M). Both Erlang B and
//! Erlang A come down to one over a sum of products, which is added up without ever being large.

use std::time::Duration;

/// Calls as they come and last.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// Arrivals per second.
    pub arrivals_per_second: f64,
    /// Average handling time in seconds: talk, hold and wrap-up.
    pub handling_seconds: f64,
}

impl Load {
    /// `calls` within `interval`, each handled for `handling`.
    pub fn of(calls: u32, interval: Duration, handling: Duration) -> Self {
        Self {
            arrivals_per_second: f64::from(calls) / interval.as_secs_f64(),
            handling_seconds: handling.as_secs_f64(),
        }
    }

    /// The offered load `a` in erlangs.
    pub fn erlangs(self) -> f64 {
        self.arrivals_per_second * self.handling_seconds
    }

    /// `ρ = a / n`: the share of time that each of `people` is busy with it, above 1 when it is too much.
    pub fn occupancy(self, people: u32) -> f64 {
        self.erlangs() / f64::from(people)
    }
}

/// Erlang B: the share of calls that find all of `people` busy when nobody waits. `None` for a load that
/// is none: not finite, or larger than any account has.
pub fn blocking(load: Load, people: u32) -> Option<f64> {
    let erlangs = load.erlangs();
    if !erlangs.is_finite() || erlangs < 0.0 {
        return None;
    }
    // With all calls turned away at n, how many times likelier it is that k people fewer are busy.
    one_over_sum(|nth| (f64::from(people) - nth + 1.0).max(0.0) / erlangs)
}

/// A queue whose callers wait for ever: Erlang C.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Patient {
    /// Share of callers who have to wait.
    pub waits: f64,
    load: Load,
    people: u32,
}

impl Patient {
    /// `None` when the people cannot keep up: the queue then grows for ever. Also for calls that take no
    /// time, and as [`blocking`].
    pub fn of(load: Load, people: u32) -> Option<Self> {
        let occupancy = load.occupancy(people);
        let blocking = blocking(load, people)?;
        (occupancy < 1.0 && load.handling_seconds > 0.0).then(|| Self {
            waits: blocking / (1.0 - occupancy * (1.0 - blocking)),
            load,
            people,
        })
    }

    /// Share of callers who are answered within `threshold`.
    pub fn service_level(&self, threshold: Duration) -> f64 {
        let spare = f64::from(self.people) - self.load.erlangs();
        1.0 - self.waits * (-spare * threshold.as_secs_f64() / self.load.handling_seconds).exp()
    }

    /// Average speed of answer in seconds.
    pub fn speed_of_answer(&self) -> f64 {
        self.waits * self.load.handling_seconds / (f64::from(self.people) - self.load.erlangs())
    }
}

/// A queue whose callers lose patience: Erlang A. Stable under any load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Impatient {
    /// Share of callers who have to wait.
    pub waits: f64,
    /// Share of callers who give up.
    pub abandons: f64,
    /// Mean wait of everybody in seconds.
    pub mean_wait: f64,
}

impl Impatient {
    /// `patience` is how long a caller waits on average before giving up. `None` without people, load or
    /// patience, and as [`blocking`].
    pub fn of(load: Load, people: u32, patience: Duration) -> Option<Self> {
        let (erlangs, patience) = (load.erlangs(), patience.as_secs_f64());
        if people == 0 || erlangs <= 0.0 || patience <= 0.0 {
            return None;
        }
        let occupancy = load.occupancy(people);
        let blocking = blocking(load, people)?;
        // Rates by the patience: x = nμ/θ, y = λ/θ.
        let x = f64::from(people) / load.handling_seconds * patience;
        let y = load.arrivals_per_second * patience;
        let none_waits_on = one_over_sum(|nth| y / (x + nth))?;
        let waits = blocking / (none_waits_on + (1.0 - none_waits_on) * blocking);
        // Its two large parts cancel out when next to nobody waits.
        let abandons_of_waiting = (1.0 - (1.0 - none_waits_on) / occupancy).clamp(0.0, 1.0);
        let abandons = waits * abandons_of_waiting;
        Some(Self { waits, abandons, mean_wait: abandons * patience })
    }
}

/// A sum is complete when its terms are this small a share of it.
const SMALLEST_TERM: f64 = 1e-12;
/// What is smaller than this is nothing.
const NOTHING: f64 = 1e-30;
/// Terms that are added up at most. Their number grows with the root of the load: 10,000 people with
/// callers who wait for an hour take 20,000.
const MOST_TERMS: u32 = 1_000_000;

/// `1 / (1 + r₁ + r₁r₂ + r₁r₂r₃ + …)` of ratios that fall. `None` when that has no end.
///
/// The sum itself may be larger than any number. What is carried along is never above 1: the share of the
/// newest term in the sum so far, and one over that sum.
fn one_over_sum(ratio: impl Fn(f64) -> f64) -> Option<f64> {
    let (mut inverse, mut share) = (1.0, 1.0);
    for nth in 1..=MOST_TERMS {
        let ratio = ratio(f64::from(nth));
        let growth = 1.0 + ratio * share;
        inverse /= growth;
        if inverse < NOTHING {
            return Some(0.0);
        }
        share = ratio * share / growth;
        // Terms may rise before they fall.
        if ratio < 1.0 && share < SMALLEST_TERM {
            return Some(inverse);
        }
    }
    None
}
