//! What a set of visits amounts to: volumes, service level by every definition in use, and waits.
//!
//! Pure sums. Ratios are kept as their two counts, so that queues and intervals can be added up;
//! percentages and percentiles are never averaged.

use std::{collections::BTreeMap, sync::LazyLock, time::Duration};

use crate::{
    outcome::{Outcome, OverflowReason},
    queue::Visit,
    service_level::{Definition, ServiceLevel, ServiceLevelPolicy},
    time::Timestamp,
};

/// How a visit ended, or that it has not, and how long the caller waited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// The outcome.
    pub outcome: Outcome,
    /// From entering the queue to the outcome, ringing included; so far, while it lasts.
    pub length: Duration,
}

impl Wait {
    /// The wait of a visit as it is at `now`.
    pub fn of(visit: &Visit, now: Timestamp) -> Self {
        Self { outcome: visit.outcome, length: visit.left_at.unwrap_or(now).since(visit.entered_at) }
    }
}

/// Counts of visits. In formulas: `O` finished, `A` answered, `B` abandoned, `F` flowed out, `W`
/// waiting; `T` is the policy's threshold, `s` its short time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Volume {
    /// `A`: answered.
    pub answered: u32,
    /// `A_T`: answered after at most `T`.
    pub answered_in_time: u32,
    /// `B`: the caller left, the short ones included.
    pub abandoned: u32,
    /// `B_s`: left within `s`.
    pub short_abandoned: u32,
    /// `B_T`: left within `T`, the short ones included.
    pub abandoned_in_time: u32,
    /// `F`: went elsewhere before an answer, to a mailbox included.
    pub flowed_out: u32,
    /// `W`: waiting now.
    pub waiting: u32,
    /// `W_<T`: of these, waiting for less than `T` so far.
    pub waiting_in_time: u32,
}

impl Volume {
    /// Counts waits by a policy.
    pub fn of(waits: impl IntoIterator<Item = Wait>, policy: &ServiceLevelPolicy) -> Self {
        let mut volume = Self::default();
        for Wait { outcome, length } in waits {
            let in_time = u32::from(length <= policy.threshold());
            match outcome {
                Outcome::Answered => {
                    volume.answered += 1;
                    volume.answered_in_time += in_time;
                }
                Outcome::Abandoned | Outcome::ShortAbandoned => {
                    volume.abandoned += 1;
                    volume.abandoned_in_time += in_time;
                    volume.short_abandoned += u32::from(length <= policy.short_abandon());
                }
                Outcome::Overflowed | Outcome::Voicemail | Outcome::TransferredOut => volume.flowed_out += 1,
                Outcome::Waiting => {
                    volume.waiting += 1;
                    volume.waiting_in_time += u32::from(length < policy.threshold());
                }
            }
        }
        volume
    }

    /// Both together.
    pub const fn plus(self, other: Self) -> Self {
        Self {
            answered: self.answered + other.answered,
            answered_in_time: self.answered_in_time + other.answered_in_time,
            abandoned: self.abandoned + other.abandoned,
            short_abandoned: self.short_abandoned + other.short_abandoned,
            abandoned_in_time: self.abandoned_in_time + other.abandoned_in_time,
            flowed_out: self.flowed_out + other.flowed_out,
            waiting: self.waiting + other.waiting,
            waiting_in_time: self.waiting_in_time + other.waiting_in_time,
        }
    }

    /// `O`: everything that is finished.
    pub const fn finished(&self) -> u32 {
        self.answered + self.abandoned + self.flowed_out
    }

    /// The service level of what is finished, by any definition.
    pub const fn service_level(&self, definition: Definition) -> ServiceLevel {
        let finished = self.finished();
        let (met, decided) = match definition {
            Definition::AnsweredOnly => (self.answered_in_time, self.answered),
            Definition::Negative => (self.answered_in_time, finished),
            Definition::Ignored => (self.answered_in_time, finished - self.abandoned_in_time),
            Definition::Positive => (self.answered_in_time + self.abandoned_in_time, finished),
            Definition::ShortExcluded => (self.answered_in_time, finished - self.short_abandoned),
        };
        ServiceLevel { met, decided }
    }

    /// The service level as it stands now, by the default definition and the event-time rule: whoever
    /// has waited beyond `T` is decided. `A_T / (entered − B_s − W_<T)`.
    pub const fn service_level_now(&self) -> ServiceLevel {
        let entered = self.finished() + self.waiting;
        ServiceLevel {
            met: self.answered_in_time,
            decided: entered - self.short_abandoned - self.waiting_in_time,
        }
    }

    /// `B / O` as its two counts.
    pub const fn abandon_rate(&self) -> (u32, u32) {
        (self.abandoned, self.finished())
    }

    /// `(B − B_s) / (O − B_s)` as its two counts.
    pub const fn abandon_rate_without_short(&self) -> (u32, u32) {
        (self.abandoned - self.short_abandoned, self.finished() - self.short_abandoned)
    }
}

/// Waits as they are, for exact figures over few of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waits {
    sorted: Vec<Duration>,
}

impl Waits {
    /// The finished waits of some outcomes.
    pub fn of(waits: impl IntoIterator<Item = Wait>, counts: impl Fn(Outcome) -> bool) -> Self {
        let is_counted = |wait: &Wait| wait.outcome != Outcome::Waiting && counts(wait.outcome);
        let mut sorted: Vec<Duration> =
            waits.into_iter().filter(is_counted).map(|wait| wait.length).collect();
        sorted.sort_unstable();
        Self { sorted }
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.sorted.len()
    }

    /// Their mean; `None` of none. Of the answered this is the average speed of answer.
    pub fn mean(&self) -> Option<Duration> {
        let count = u32::try_from(self.sorted.len()).ok().filter(|count| *count > 0)?;
        Some(self.sorted.iter().sum::<Duration>() / count)
    }

    /// The longest.
    pub fn longest(&self) -> Option<Duration> {
        self.sorted.last().copied()
    }

    /// The percentile by nearest rank: the wait in place ⌈p·n⌉. `percent` from 1 to 100.
    pub fn percentile(&self, percent: u8) -> Option<Duration> {
        let rank = (self.sorted.len() * usize::from(percent)).div_ceil(100);
        self.sorted.get(rank.checked_sub(1)?).copied()
    }
}

/// A finished visit, as far as its wait and its end are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finished {
    /// How it ended, and after how long.
    pub wait: Wait,
    /// Why it overflowed, where it did and that is known.
    pub overflow: Option<OverflowReason>,
}

/// How long the callers of some visits waited: by band, and by percentile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WaitTable {
    /// By band: [`WaitTable::BANDS`] and beyond.
    pub bands: [WaitBand; WaitTable::BANDS.len() + 1],
    /// Of those who were answered: the time to answer.
    pub answered: Waits,
    /// Of all.
    pub all: Waits,
    /// Overflow by reason, `None` where nothing tells it; reasons that never were are left out.
    pub overflow: Vec<(Option<OverflowReason>, u32)>,
}

/// Visits whose callers waited about as long.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WaitBand {
    /// Answered.
    pub answered: u32,
    /// Abandoned, short abandons included.
    pub abandoned: u32,
    /// Flowed out before an answer.
    pub flowed_out: u32,
}

impl WaitBand {
    /// All of them.
    pub const fn total(&self) -> u32 {
        self.answered + self.abandoned + self.flowed_out
    }
}

impl WaitTable {
    /// The ends of the bands in seconds. A band holds its lower end and not its upper.
    pub const BANDS: [u64; 6] = [5, 10, 20, 30, 60, 120];

    /// Of finished visits.
    pub fn of(visits: &[Finished]) -> Self {
        let waits = || visits.iter().map(|visit| visit.wait);
        let mut table = Self {
            answered: Waits::of(waits(), |outcome| outcome == Outcome::Answered),
            all: Waits::of(waits(), |_| true),
            ..Self::default()
        };
        let mut overflow: BTreeMap<Option<OverflowReason>, u32> = BTreeMap::new();
        for Finished { wait, overflow: reason } in visits {
            let band = Self::BANDS.partition_point(|end| Duration::from_secs(*end) <= wait.length);
            let band = &mut table.bands[band];
            match wait.outcome {
                Outcome::Answered => band.answered += 1,
                Outcome::Abandoned | Outcome::ShortAbandoned => band.abandoned += 1,
                Outcome::Overflowed | Outcome::Voicemail | Outcome::TransferredOut => band.flowed_out += 1,
                Outcome::Waiting => {}
            }
            if wait.outcome == Outcome::Overflowed {
                *overflow.entry(*reason).or_default() += 1;
            }
        }
        table.overflow = overflow.into_iter().collect();
        // What is known comes first.
        table.overflow.sort_by_key(|(reason, _)| reason.is_none());
        table
    }
}

/// Waits in bands that can be added up, for percentiles over any number of queues and intervals.
///
/// A band is 4 % wide, so that its middle is at most 2 % from any wait in it. Waits below
/// [`Histogram::FINEST`] are not told apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Counts by band; bands beyond the last used one are left out.
    bands: Vec<u32>,
}

impl Histogram {
    /// The upper end of the first band.
    pub const FINEST: Duration = Duration::from_millis(100);
    /// Waits longer than this count as this long.
    pub const LONGEST: Duration = Duration::from_secs(86_400);

    /// Adds a wait.
    pub fn add(&mut self, wait: Duration) {
        self.add_to_band(band_of(wait), 1);
    }

    /// The counts of the bands in which there are waits, rising. What a band is never changes, so that they
    /// may be kept.
    pub fn bands(&self) -> impl Iterator<Item = (usize, u32)> {
        self.bands.iter().copied().enumerate().filter(|(_, count)| *count > 0)
    }

    /// Adds counts that were kept. A band that there is not counts as the last.
    pub fn add_to_band(&mut self, band: usize, count: u32) {
        let band = band.min(band_of(Self::LONGEST));
        if count == 0 {
            return;
        }
        if self.bands.len() <= band {
            self.bands.resize(band + 1, 0);
        }
        self.bands[band] += count;
    }

    /// Adds all waits of another.
    pub fn merge(&mut self, other: &Self) {
        if self.bands.len() < other.bands.len() {
            self.bands.resize(other.bands.len(), 0);
        }
        for (count, more) in self.bands.iter_mut().zip(&other.bands) {
            *count += more;
        }
    }

    /// How many waits.
    pub fn count(&self) -> u64 {
        self.bands.iter().map(|count| u64::from(*count)).sum()
    }

    /// The percentile by nearest rank, within 2 %. `percent` from 1 to 100.
    pub fn percentile(&self, percent: u8) -> Option<Duration> {
        let rank = (self.count() * u64::from(percent)).div_ceil(100);
        let mut before = 0;
        let band = self.bands.iter().position(|count| {
            before += u64::from(*count);
            rank > 0 && before >= rank
        })?;
        let (lower, upper) = (lower_end(band), lower_end(band + 1));
        Some((lower + upper) / 2)
    }
}

/// The band of a wait.
fn band_of(wait: Duration) -> usize {
    let wait = wait.min(Histogram::LONGEST);
    ENDS.partition_point(|end| *end <= wait).saturating_sub(1)
}

fn lower_end(band: usize) -> Duration {
    ENDS.get(band).copied().unwrap_or(Histogram::LONGEST)
}

/// Where bands begin: about 350, by integers, so that every machine has the same.
static ENDS: LazyLock<Vec<Duration>> = LazyLock::new(|| {
    let mut ends = vec![Duration::ZERO];
    let mut end = Histogram::FINEST;
    while end <= Histogram::LONGEST {
        ends.push(end);
        end = end * 104 / 100;
    }
    ends.push(end);
    ends
});
