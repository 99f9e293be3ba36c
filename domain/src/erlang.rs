//! How many people a load of calls needs: Erlang B, C and A.
//!
//! Guidance, never a promise: arrivals are taken to be independent, times exponential, everybody
//! able to take every call. Formulas by the usual recursions, without factorials; Erlang A after
//! Garnett, Mandelbaum and Reiman (M/M/n+M).

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

/// Erlang B: the share of calls that find all of `people` busy when nobody waits.
pub fn blocking(load: Load, people: u32) -> f64 {
    let erlangs = load.erlangs();
    (1..=people).fold(1.0, |before, nth| erlangs * before / (f64::from(nth) + erlangs * before))
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
    /// `None` when the people cannot keep up: the queue then grows for ever.
    pub fn of(load: Load, people: u32) -> Option<Self> {
        let occupancy = load.occupancy(people);
        let blocking = blocking(load, people);
        (occupancy < 1.0).then(|| Self {
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

/// The series of Erlang A is added up until its terms are this small.
const SMALLEST_TERM: f64 = 1e-12;

impl Impatient {
    /// `patience` is how long a caller waits on average before giving up. `None` without people, load or
    /// patience.
    pub fn of(load: Load, people: u32, patience: Duration) -> Option<Self> {
        let (erlangs, patience) = (load.erlangs(), patience.as_secs_f64());
        if people == 0 || erlangs <= 0.0 || patience <= 0.0 {
            return None;
        }
        let occupancy = load.occupancy(people);
        // Rates by the patience: x = nμ/θ, y = λ/θ.
        let x = f64::from(people) / load.handling_seconds * patience;
        let y = load.arrivals_per_second * patience;
        let (mut sum, mut term, mut nth) = (1.0, 1.0, 1.0);
        loop {
            term *= y / (x + nth);
            sum += term;
            nth += 1.0;
            // Terms may rise before they fall.
            if term < SMALLEST_TERM * sum && x + nth > y {
                break;
            }
        }
        let blocking = blocking(load, people);
        let waits = sum * blocking / (1.0 + (sum - 1.0) * blocking);
        let abandons_of_waiting = 1.0 / (occupancy * sum) + 1.0 - 1.0 / occupancy;
        let abandons = waits * abandons_of_waiting;
        Some(Self { waits, abandons, mean_wait: abandons * patience })
    }
}
