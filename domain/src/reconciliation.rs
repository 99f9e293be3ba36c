//! A day of one queue held against Zoom's record: what the board counted live, what the record counts,
//! and whether every difference has a call that explains it.
//!
//! Pure sums over classes of stays, so that a database may count each class and a simulation may add
//! stays one by one: both get the same answer.

use serde::{Deserialize, Serialize};

use crate::{
    history::{Difference, Told, WrittenStay},
    outcome::Outcome,
    time::Timestamp,
};

/// What a day's stays amount to, on one side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Entered the queue.
    pub offered: u32,
    /// Of these, taken by somebody.
    pub answered: u32,
    /// Of these, callers who left, save for short abandons, as on boards.
    pub abandoned: u32,
    /// Of these, callers who left within the queue's short time, counted apart.
    pub short_abandoned: u32,
}

/// Stays that count alike. Each side is there when it puts the stay into this day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class {
    /// What live messages said.
    pub live: Option<Outcome>,
    /// What the record says.
    pub record: Option<Outcome>,
    /// How the two sides differ.
    pub difference: Option<Difference>,
    /// The call was written down, and that was read.
    pub is_recorded: bool,
}

/// Whether the two sides of a stay agree, and if not, whether it is known why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Both sides count the same.
    Agreed,
    /// The record corrects what was said live.
    Corrected,
    /// The record of this call was not read yet.
    Awaited,
    /// Nothing explains it.
    Unexplained,
}

/// One queue's day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reconciliation {
    /// What the board counted live.
    pub live: Counts,
    /// What Zoom's record counts.
    pub record: Counts,
    /// Stays by which the sides differ and that the record corrects.
    pub corrected: u32,
    /// Stays whose record was not read yet, as the board counted them: the other side lacks these.
    pub awaited: Counts,
    /// Stays by which the sides differ, and nobody knows why.
    pub unexplained: u32,
    /// Stays that both sides count alike, with other times.
    pub corrected_times: u32,
}

impl Counts {
    fn add(&mut self, outcome: Outcome, count: u32) {
        self.offered += count;
        match outcome {
            Outcome::Answered => self.answered += count,
            Outcome::Abandoned => self.abandoned += count,
            Outcome::ShortAbandoned => self.short_abandoned += count,
            _ => {}
        }
    }

    /// Both together.
    pub const fn plus(self, other: Self) -> Self {
        Self {
            offered: self.offered + other.offered,
            answered: self.answered + other.answered,
            abandoned: self.abandoned + other.abandoned,
            short_abandoned: self.short_abandoned + other.short_abandoned,
        }
    }
}

impl Class {
    /// The class of a stay in the day `[from, to)`; `None` when neither side puts it there. The day of a
    /// stay is the day it began.
    pub fn of(stay: &WrittenStay, is_recorded: bool, from: Timestamp, to: Timestamp) -> Option<Self> {
        let today = |told: Option<Told>| {
            told.filter(|told| told.entered_at >= from && told.entered_at < to).map(|told| told.outcome)
        };
        let live = today(stay.live);
        let record = today(stay.record.as_ref().map(|(_, told)| *told));
        (live.is_some() || record.is_some()).then(|| Self {
            live,
            record,
            difference: stay.difference(is_recorded),
            is_recorded,
        })
    }

    /// Whether its sides agree. `is_closed` when everything written down of the day was read: a call
    /// without a record is then no longer awaited.
    pub fn standing(&self, is_closed: bool) -> Standing {
        match (self.live, self.record) {
            _ if self.difference == Some(Difference::NotInRecord) => Standing::Unexplained,
            (Some(live), Some(record)) if live == record => Standing::Agreed,
            (Some(_), None) if !self.is_recorded && is_closed => Standing::Unexplained,
            (Some(_), None) if !self.is_recorded => Standing::Awaited,
            // Missed live, otherwise live, or put into another day.
            _ => Standing::Corrected,
        }
    }
}

impl Reconciliation {
    /// Adds so many stays of a class.
    pub fn add(&mut self, class: &Class, count: u32, is_closed: bool) {
        if let Some(outcome) = class.live {
            self.live.add(outcome, count);
        }
        if let Some(outcome) = class.record {
            self.record.add(outcome, count);
        }
        match class.standing(is_closed) {
            Standing::Agreed if class.difference == Some(Difference::Times) => self.corrected_times += count,
            Standing::Agreed => {}
            Standing::Corrected => self.corrected += count,
            Standing::Awaited => {
                if let Some(outcome) = class.live {
                    self.awaited.add(outcome, count);
                }
            }
            Standing::Unexplained => self.unexplained += count,
        }
    }

    /// Both together.
    pub const fn plus(self, other: Self) -> Self {
        Self {
            live: self.live.plus(other.live),
            record: self.record.plus(other.record),
            corrected: self.corrected + other.corrected,
            awaited: self.awaited.plus(other.awaited),
            unexplained: self.unexplained + other.unexplained,
            corrected_times: self.corrected_times + other.corrected_times,
        }
    }
}
