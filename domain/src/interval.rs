//! Stretches of time that visits are counted in, and the law that their counts obey.
//!
//! The base is the quarter of an hour in UTC: every zone's offset is a multiple of it, so that local
//! hours and days are sums of whole quarters, also on days of 23 and 25 hours.

use std::collections::BTreeMap;

use crate::{outcome::Outcome, queue::Visit, time::Timestamp};

/// A quarter of an hour in milliseconds.
const QUARTER_MS: i64 = 15 * 60 * 1000;

/// A quarter of an hour, counted from 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quarter(i64);

impl Quarter {
    /// The quarter in which `at` lies.
    pub const fn of(at: Timestamp) -> Self {
        Self(at.as_millis().div_euclid(QUARTER_MS))
    }

    /// Its first instant.
    pub const fn start(self) -> Timestamp {
        Timestamp::from_millis(self.0 * QUARTER_MS)
    }

    /// The first instant after it.
    pub const fn end(self) -> Timestamp {
        self.next().start()
    }

    /// The one after it.
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// What became of the visits of one queue in a window `[from, to)`.
///
/// Entries count where they entered, outcomes where they came about, and whoever waited at the
/// beginning is carried in, never counted as entered again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Balance {
    /// Waiting at the beginning.
    pub carried_in: u32,
    /// Entered within the window.
    pub entered: u32,
    /// Outcomes that came about within the window; never [`Outcome::Waiting`].
    pub outcomes: BTreeMap<Outcome, u32>,
    /// Waiting at the end.
    pub waiting: u32,
}

impl Balance {
    /// Counts `visits`, as they are known now, over `[from, to)`.
    pub fn over<'a>(visits: impl IntoIterator<Item = &'a Visit>, from: Timestamp, to: Timestamp) -> Self {
        let mut balance = Self::default();
        for visit in visits {
            let waits_at =
                |at: Timestamp| visit.entered_at < at && visit.left_at.is_none_or(|left| left >= at);
            balance.carried_in += u32::from(waits_at(from));
            balance.entered += u32::from(visit.entered_at >= from && visit.entered_at < to);
            balance.waiting += u32::from(waits_at(to));
            if visit.left_at.is_some_and(|left| left >= from && left < to) {
                *balance.outcomes.entry(visit.outcome).or_default() += 1;
            }
        }
        balance
    }

    /// The balance law: carried in + entered = sum of outcomes + still waiting, and no outcome is
    /// "waiting".
    pub fn holds(&self) -> bool {
        let ended: u32 = self.outcomes.values().sum();
        self.carried_in + self.entered == ended + self.waiting
            && !self.outcomes.contains_key(&Outcome::Waiting)
    }
}
