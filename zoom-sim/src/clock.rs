//! The only place that asks for the time: wall clock, and the simulated clock derived from it.

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

/// The wall clock.
#[expect(clippy::disallowed_methods, reason = "the one place of this crate that reads the wall clock")]
pub(crate) fn wall_now() -> DateTime<Utc> {
    Utc::now()
}

/// A clock that began at some instant and runs `scale` times as fast as the real one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SimClock {
    began_at: DateTime<Utc>,
    began: Instant,
    scale: f64,
}

impl SimClock {
    /// A clock that shows `began_at` now.
    pub(crate) fn starting(began_at: DateTime<Utc>, scale: f64) -> Self {
        Self { began_at, began: Instant::now(), scale }
    }

    /// The simulated instant.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        let real = self.began.elapsed().as_secs_f64();
        self.began_at + TimeDelta::microseconds((real * self.scale * 1e6) as i64)
    }
}
