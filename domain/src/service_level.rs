//! Service level: the share of callers who were answered in time.
//!
//! The default definition is *short abandons excluded*, `A_T / (O − B_s)`, with the event-time
//! rule: a visit is decided when it is answered, when it leaves, or when the threshold passes,
//! whichever is first. So a live board drops the moment a caller passes the threshold.
//!
//! What is promised changes over the years; a visit is judged by what held when it entered.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    id::{QueueId, fold_name},
    outcome::Outcome,
    time::Timestamp,
};

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

/// The ways in which the field counts a service level. They differ in what a caller who leaves does.
///
/// In formulas: `O` finished and past the threshold, `A` answered, `B` abandoned; `T` is the threshold,
/// `s` the short time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub enum Definition {
    /// `A_T / A`: who leaves does not count at all.
    AnsweredOnly,
    /// `A_T / O`: who leaves counts against.
    Negative,
    /// `A_T / (O − B_T)`: who leaves in time does not count.
    Ignored,
    /// `(A_T + B_T) / O`: who leaves in time counts as served.
    Positive,
    /// `A_T / (O − B_s)`: only who leaves within the short time does not count. The default.
    #[default]
    ShortExcluded,
}

impl Definition {
    /// All of them, the default last.
    pub const ALL: [Self; 5] =
        [Self::AnsweredOnly, Self::Negative, Self::Ignored, Self::Positive, Self::ShortExcluded];

    /// The word in the API and in the configuration.
    pub const fn word(self) -> &'static str {
        match self {
            Self::AnsweredOnly => "answered_only",
            Self::Negative => "negative",
            Self::Ignored => "ignored",
            Self::Positive => "positive",
            Self::ShortExcluded => "short_excluded",
        }
    }

    /// Reads [`Definition::word`].
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.word() == word)
    }

    /// What a visit adds, by this definition and the event-time rule, after `wait`, or so far while it
    /// lasts. Whoever waits beyond the threshold is decided: not met.
    pub fn judge(self, policy: &ServiceLevelPolicy, outcome: Outcome, wait: Duration) -> ServiceLevel {
        let in_time = wait <= policy.threshold();
        let (met, decided) = match (outcome, self) {
            (Outcome::Answered, _) => (in_time, true),
            (_, Self::AnsweredOnly) => (false, false),
            (Outcome::Waiting, _) => (false, wait >= policy.threshold()),
            (Outcome::Abandoned | Outcome::ShortAbandoned, Self::Ignored) => (false, !in_time),
            (Outcome::Abandoned | Outcome::ShortAbandoned, Self::Positive) => (in_time, true),
            (Outcome::Abandoned | Outcome::ShortAbandoned, Self::ShortExcluded) => {
                (false, wait > policy.short_abandon())
            }
            (Outcome::Abandoned | Outcome::ShortAbandoned, Self::Negative)
            | (Outcome::Overflowed | Outcome::Voicemail | Outcome::TransferredOut, _) => (false, true),
        };
        ServiceLevel { met: u32::from(met), decided: u32::from(decided) }
    }
}

/// The service level by every definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ServiceLevels([ServiceLevel; Definition::ALL.len()]);

impl ServiceLevels {
    /// What one visit adds to each.
    pub fn of(policy: &ServiceLevelPolicy, outcome: Outcome, wait: Duration) -> Self {
        Self(Definition::ALL.map(|definition| definition.judge(policy, outcome, wait)))
    }

    /// By one definition.
    pub const fn by(&self, definition: Definition) -> ServiceLevel {
        self.0[definition as usize]
    }

    /// Sums numerators and denominators.
    pub fn add(&mut self, other: &Self) {
        for (level, more) in self.0.iter_mut().zip(&other.0) {
            *level = level.plus(*more);
        }
    }

    /// Takes out what [`ServiceLevels::add`] put in.
    pub fn take_out(&mut self, other: &Self) {
        for (level, less) in self.0.iter_mut().zip(&other.0) {
            level.met -= less.met;
            level.decided -= less.decided;
        }
    }
}

/// What a queue promises, and by which definition that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Promise {
    /// Threshold, short time and target.
    pub policy: ServiceLevelPolicy,
    /// Which visits count.
    pub definition: Definition,
}

/// What a queue promises and has promised: a visit is judged by what held when it entered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Promises {
    /// What held before the first version.
    first: Promise,
    /// By the instants from which they hold, rising. Shared: every visit of a queue asks.
    versions: Arc<[(Timestamp, Promise)]>,
}

impl Promises {
    /// What holds for a visit that entered at `entered_at`.
    pub fn at(&self, entered_at: Timestamp) -> Promise {
        let known = self.versions.partition_point(|(valid_from, _)| *valid_from <= entered_at);
        known.checked_sub(1).map_or(self.first, |index| self.versions[index].1)
    }
}

impl From<ServiceLevelPolicy> for Promises {
    fn from(policy: ServiceLevelPolicy) -> Self {
        Self { first: Promise { policy, ..Promise::default() }, versions: Arc::default() }
    }
}

/// One line of what the operator promises.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromiseEntry {
    /// Id, extension number or name of the queue; `None` for all queues that have none of their own.
    pub queue: Option<String>,
    /// From when on it holds; `None`: it always did.
    pub valid_from: Option<Timestamp>,
    /// What is promised.
    pub promise: Promise,
}

/// Everything the operator promises.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PromiseBook {
    /// In any order.
    pub entries: Vec<PromiseEntry>,
}

impl PromiseBook {
    /// What is promised for a queue, known by its id, its number or its name; `None` when nothing is said
    /// of it, nor of all queues.
    pub fn of(&self, id: &QueueId, extension_number: Option<&str>, name: &str) -> Option<Promises> {
        let is_meant = |queue: &str| {
            queue == id.as_str() || Some(queue) == extension_number || fold_name(queue) == fold_name(name)
        };
        let own = |entry: &&PromiseEntry| entry.queue.as_deref().is_some_and(is_meant);
        let has_own = self.entries.iter().any(|entry| own(&entry));
        let of_it =
            self.entries.iter().filter(|entry| if has_own { own(entry) } else { entry.queue.is_none() });
        let mut first = None;
        let mut versions = Vec::new();
        for entry in of_it {
            match entry.valid_from {
                None => first = Some(entry.promise),
                Some(valid_from) => versions.push((valid_from, entry.promise)),
            }
        }
        versions.sort_by_key(|(valid_from, _)| *valid_from);
        (first.is_some() || !versions.is_empty())
            .then(|| Promises { first: first.unwrap_or_default(), versions: versions.into() })
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
