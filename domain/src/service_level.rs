//! Service level: the share of callers who were answered in time.
//!
//! The default definition is *short abandons excluded*, `A_T / (O − B_s)`, with the event-time
//! rule: a visit is decided when it is answered, when it leaves, or when the threshold passes,
//! whichever is first. So a live board drops the moment a caller passes the threshold.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a queue promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ServiceLevelPolicy {
    /// Answered within this many seconds counts as in time (`T`).
    pub threshold_seconds: u32,
    /// A caller who leaves within this many seconds is not counted (`s`).
    pub short_abandon_seconds: u32,
    /// The share of callers that shall be answered in time, in thousandths.
    pub target_permille: u16,
}

impl Default for ServiceLevelPolicy {
    /// 80 % within 20 s; who leaves within 5 s is not counted.
    fn default() -> Self {
        Self { threshold_seconds: 20, short_abandon_seconds: 5, target_permille: 800 }
    }
}

impl ServiceLevelPolicy {
    /// `T` as a duration.
    pub const fn threshold(&self) -> Duration {
        Duration::from_secs(self.threshold_seconds as u64)
    }

    /// `s` as a duration.
    pub const fn short_abandon(&self) -> Duration {
        Duration::from_secs(self.short_abandon_seconds as u64)
    }
}

/// A service level as the two counts it is made of, so that queues can be added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct ServiceLevel {
    /// Visits answered within the threshold.
    pub met: u32,
    /// Visits that are decided, short abandons left out.
    pub decided: u32,
}

impl ServiceLevel {
    /// Thousandths, rounded down so that 100 % means all; `None` when nothing was decided.
    pub fn permille(self) -> Option<u16> {
        (self.decided > 0).then(|| {
            let permille = u64::from(self.met) * 1000 / u64::from(self.decided);
            u16::try_from(permille.min(1000)).unwrap_or(1000)
        })
    }

    /// Sums numerators and denominators; percentages are never averaged.
    pub fn plus(self, other: Self) -> Self {
        Self { met: self.met.saturating_add(other.met), decided: self.decided.saturating_add(other.decided) }
    }
}
