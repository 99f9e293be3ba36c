//! What visits amount to in a report: sums of any queues and intervals that can be added up, and the figures that
//! follow from them.
//!
//! One rule says where a visit counts, see [`Sums::over`]. Shares, means and percentiles are worked out of sums
//! and merged histograms, never averaged.

use std::time::Duration;

use crate::{
    calendar::Stretch,
    outcome::{Outcome, OverflowReason},
    quality::Quality,
    service_level::{Definition, Promise, ServiceLevel},
    time::Timestamp,
    volume::Histogram,
};

/// A finished visit, as far as reports count it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportedVisit {
    /// When the caller entered.
    pub entered_at: Timestamp,
    /// When the outcome came about.
    pub left_at: Timestamp,
    /// How it ended; never [`Outcome::Waiting`].
    pub outcome: Outcome,
    /// Why it overflowed, where that is known.
    pub overflow: Option<OverflowReason>,
    /// What was promised when the caller entered.
    pub promise: Promise,
    /// The record tells of it.
    pub is_measured: bool,
    /// Its end was worked out of silence, and no record tells of it.
    pub is_presumed: bool,
}

/// Sums over visits. All of them can be added up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums {
    /// Visits that entered.
    pub offered: u32,
    /// Answered by a person.
    pub answered: u32,
    /// Of these, after at most the promised time.
    pub answered_in_time: u32,
    /// The caller left, short abandons left out.
    pub abandoned: u32,
    /// The caller left within the short time.
    pub short_abandoned: u32,
    /// Who left within the promised time, short abandons included.
    pub abandoned_in_time: u32,
    /// Went on to another queue or place.
    pub overflowed: u32,
    /// Of these, why, in the order of [`OverflowReason::ALL`]; of the others nothing tells it.
    pub overflowed_for: [u32; OverflowReason::ALL.len()],
    /// Went to a mailbox.
    pub voicemail: u32,
    /// Sent elsewhere by a person or rule before an answer.
    pub transferred_out: u32,
    /// Decided: answered, gone, or past the promised time, whichever was first.
    pub decided: u32,
    /// Of the decided, those who were answered, in time or late.
    pub decided_answered: u32,
    /// The service level by each visit's own promise and definition.
    pub promised: ServiceLevel,
    /// Waits of the answered together.
    pub answered_wait: Duration,
    /// Waits of those who left, short abandons included, together.
    pub abandoned_wait: Duration,
    /// Waits of everybody together.
    pub wait: Duration,
    /// The longest of them.
    pub longest_wait: Duration,
    /// Outcomes that the record tells of.
    pub measured: u32,
    /// Outcomes that were worked out of silence.
    pub presumed: u32,
    /// Waits of the answered.
    pub answered_waits: Histogram,
    /// Waits of all others.
    pub unanswered_waits: Histogram,
    /// When they last changed after their time had been over for a while.
    pub revised_at: Option<Timestamp>,
}

/// Whose waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Callers {
    /// Those who were answered.
    Answered,
    /// Everybody.
    All,
}

impl Sums {
    /// Counts visits over a stretch by the one rule of reports: offered where they entered; outcomes and waits
    /// where the outcome came about; the service level where it was decided.
    pub fn over<'a>(visits: impl IntoIterator<Item = &'a ReportedVisit>, stretch: Stretch) -> Self {
        let mut sums = Self::default();
        let is_within = |at: Timestamp| at >= stretch.from && at < stretch.to;
        for visit in visits {
            sums.offered += u32::from(is_within(visit.entered_at));
            if is_within(visit.left_at) {
                sums.end(visit);
            }
            if is_within(visit.decided_at()) {
                sums.decide(visit);
            }
        }
        sums
    }

    fn end(&mut self, visit: &ReportedVisit) {
        let wait = visit.wait();
        let in_time = u32::from(wait <= visit.promise.policy.threshold());
        match visit.outcome {
            Outcome::Waiting => return,
            Outcome::Answered => {
                self.answered += 1;
                self.answered_in_time += in_time;
            }
            Outcome::Abandoned => self.abandoned += 1,
            Outcome::ShortAbandoned => self.short_abandoned += 1,
            Outcome::Overflowed => {
                self.overflowed += 1;
                for (reason, count) in OverflowReason::ALL.into_iter().zip(&mut self.overflowed_for) {
                    *count += u32::from(visit.overflow == Some(reason));
                }
            }
            Outcome::Voicemail => self.voicemail += 1,
            Outcome::TransferredOut => self.transferred_out += 1,
        }
        self.wait += wait;
        self.longest_wait = self.longest_wait.max(wait);
        self.measured += u32::from(visit.is_measured);
        self.presumed += u32::from(visit.is_presumed);
        match visit.outcome {
            Outcome::Answered => {
                self.answered_wait += wait;
                self.answered_waits.add(wait);
            }
            outcome => {
                self.unanswered_waits.add(wait);
                if matches!(outcome, Outcome::Abandoned | Outcome::ShortAbandoned) {
                    self.abandoned_wait += wait;
                    self.abandoned_in_time += in_time;
                }
            }
        }
    }

    fn decide(&mut self, visit: &ReportedVisit) {
        self.decided += 1;
        self.decided_answered += u32::from(visit.outcome == Outcome::Answered);
        let Promise { policy, definition } = visit.promise;
        self.promised = self.promised.plus(definition.judge(&policy, visit.outcome, visit.wait()));
    }

    /// Adds the sums of another queue or of another time.
    pub fn add(&mut self, other: &Self) {
        self.offered += other.offered;
        self.answered += other.answered;
        self.answered_in_time += other.answered_in_time;
        self.abandoned += other.abandoned;
        self.short_abandoned += other.short_abandoned;
        self.abandoned_in_time += other.abandoned_in_time;
        self.overflowed += other.overflowed;
        for (count, more) in self.overflowed_for.iter_mut().zip(other.overflowed_for) {
            *count += more;
        }
        self.voicemail += other.voicemail;
        self.transferred_out += other.transferred_out;
        self.decided += other.decided;
        self.decided_answered += other.decided_answered;
        self.promised = self.promised.plus(other.promised);
        self.answered_wait += other.answered_wait;
        self.abandoned_wait += other.abandoned_wait;
        self.wait += other.wait;
        self.longest_wait = self.longest_wait.max(other.longest_wait);
        self.measured += other.measured;
        self.presumed += other.presumed;
        self.answered_waits.merge(&other.answered_waits);
        self.unanswered_waits.merge(&other.unanswered_waits);
        self.revised_at = self.revised_at.max(other.revised_at);
    }

    /// Outcomes of all kinds.
    pub const fn finished(&self) -> u32 {
        self.answered
            + self.abandoned
            + self.short_abandoned
            + self.overflowed
            + self.voicemail
            + self.transferred_out
    }

    /// Nothing entered, ended or was decided.
    pub const fn is_empty(&self) -> bool {
        self.offered == 0 && self.finished() == 0 && self.decided == 0
    }

    /// Answered after more than the promised time.
    pub const fn answered_late(&self) -> u32 {
        self.answered.saturating_sub(self.answered_in_time)
    }

    /// Overflow of which nothing tells the reason.
    pub fn overflowed_for_unknown(&self) -> u32 {
        self.overflowed.saturating_sub(self.overflowed_for.iter().sum())
    }

    /// The service level by any definition, each visit by the times that were promised to it. Sums of several
    /// queues are the share of visits that met their own queue's promise.
    pub const fn service_level(&self, definition: Definition) -> ServiceLevel {
        let met = self.answered_in_time;
        let (met, decided) = match definition {
            Definition::AnsweredOnly => (met, self.decided_answered),
            Definition::Negative => (met, self.decided),
            Definition::Ignored => (met, self.decided.saturating_sub(self.abandoned_in_time)),
            Definition::Positive => (met + self.abandoned_in_time, self.decided),
            Definition::ShortExcluded => (met, self.decided.saturating_sub(self.short_abandoned)),
        };
        ServiceLevel { met, decided }
    }

    /// Abandoned of all that ended, short abandons left out on both sides.
    pub const fn abandon_rate(&self) -> (u32, u32) {
        (self.abandoned, self.finished() - self.short_abandoned)
    }

    /// The average speed of answer.
    pub fn average_speed_of_answer(&self) -> Option<Duration> {
        mean(self.answered_wait, self.answered)
    }

    /// How long those waited who left, on average, short abandons included.
    pub fn average_time_to_abandon(&self) -> Option<Duration> {
        mean(self.abandoned_wait, self.abandoned + self.short_abandoned)
    }

    /// How long everybody waited, on average.
    pub fn average_wait(&self) -> Option<Duration> {
        mean(self.wait, self.finished())
    }

    /// The longest wait; `None` of nobody.
    pub fn longest_wait(&self) -> Option<Duration> {
        (self.finished() > 0).then_some(self.longest_wait)
    }

    /// The wait that so many of a hundred callers did not exceed, by nearest rank, within 2 %, and never more
    /// than the longest.
    pub fn percentile(&self, callers: Callers, percent: u8) -> Option<Duration> {
        let wait = match callers {
            Callers::Answered => self.answered_waits.percentile(percent),
            Callers::All => {
                let mut all = self.answered_waits.clone();
                all.merge(&self.unanswered_waits);
                all.percentile(percent)
            }
        };
        wait.map(|wait| wait.min(self.longest_wait))
    }

    /// How sure the outcomes are; `None` where there are none.
    pub const fn quality(&self) -> Option<Quality> {
        match self.finished() {
            0 => None,
            _ if self.presumed > 0 => Some(Quality::Inferred),
            finished if self.measured >= finished => Some(Quality::Measured),
            _ => Some(Quality::Live),
        }
    }
}

impl ReportedVisit {
    fn wait(&self) -> Duration {
        self.left_at.since(self.entered_at)
    }

    /// When it is known whether the promise was kept: at the outcome, or when the promised time passes.
    fn decided_at(&self) -> Timestamp {
        self.left_at.min(self.entered_at + self.promise.policy.threshold())
    }
}

fn mean(sum: Duration, count: u32) -> Option<Duration> {
    // Whole milliseconds, as everywhere.
    let millis = |sum: Duration| u64::try_from(sum.as_millis()).unwrap_or(u64::MAX);
    (count > 0).then(|| Duration::from_millis(millis(sum) / u64::from(count)))
}
