//! Local time of a zone, as far as a stretch of time needs it: cut into quarters of an hour, hours, days, weeks
//! and months by instants, never by clocks that jump.
//!
//! The zone database is not known here: whoever asks gives the offsets of the zone.

use crate::time::Timestamp;

const SECOND_MS: i64 = 1_000;
const DAY_SECONDS: i64 = 86_400;

/// The offsets of a zone over some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offsets {
    /// Seconds east of UTC before the first change.
    first: i32,
    /// From when on which offset holds, rising.
    changes: Vec<(Timestamp, i32)>,
}

impl Offsets {
    /// `changes` rise.
    pub const fn new(first: i32, changes: Vec<(Timestamp, i32)>) -> Self {
        Self { first, changes }
    }

    /// Seconds east of UTC.
    fn at(&self, at: Timestamp) -> i32 {
        let known = self.changes.partition_point(|(from, _)| *from <= at);
        known.checked_sub(1).map_or(self.first, |index| self.changes[index].1)
    }

    /// The first change after an instant.
    fn change_after(&self, at: Timestamp) -> Option<Timestamp> {
        let known = self.changes.partition_point(|(from, _)| *from <= at);
        self.changes.get(known).map(|(from, _)| *from)
    }

    /// Seconds of local time since 1970.
    fn local(&self, at: Timestamp) -> i64 {
        at.as_millis().div_euclid(SECOND_MS) + i64::from(self.at(at))
    }

    /// The first instant from `after` on at which clocks show so many local seconds since 1970, or more.
    fn first_at(&self, local: i64, after: Timestamp) -> Timestamp {
        let mut from = after;
        loop {
            let wanted = Timestamp::from_millis((local - i64::from(self.at(from))) * SECOND_MS).max(from);
            match self.change_after(from) {
                Some(change) if change <= wanted => from = change,
                _ => return wanted,
            }
        }
    }
}

/// Into what a time is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Interval {
    /// 15 minutes.
    Quarter,
    /// 30 minutes.
    HalfHour,
    /// An hour.
    Hour,
    /// From midnight to midnight.
    Day,
    /// From Monday to Sunday.
    Week,
    /// A month of the calendar.
    Month,
}

impl Interval {
    /// All of them, the shortest first.
    pub const ALL: [Self; 6] =
        [Self::Quarter, Self::HalfHour, Self::Hour, Self::Day, Self::Week, Self::Month];

    /// The word in addresses and in the API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Quarter => "15min",
            Self::HalfHour => "30min",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// What a person reads.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Quarter => "15 minutes",
            Self::HalfHour => "30 minutes",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// Reads [`Interval::word`].
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.word() == word)
    }

    /// About how many seconds it has, at most.
    const fn seconds(self) -> i64 {
        match self {
            Self::Quarter => 900,
            Self::HalfHour => 1_800,
            Self::Hour => 3_600,
            Self::Day => DAY_SECONDS,
            Self::Week => 7 * DAY_SECONDS,
            Self::Month => 31 * DAY_SECONDS,
        }
    }

    /// An interval begins at that instant.
    pub fn begins_at(self, offsets: &Offsets, at: Timestamp) -> bool {
        self.end(offsets, Timestamp::from_millis(at.as_millis() - 1)) == at
    }

    /// The first instant after `at` that belongs to another interval.
    fn end(self, offsets: &Offsets, at: Timestamp) -> Timestamp {
        let local = offsets.local(at);
        let today = local.div_euclid(DAY_SECONDS);
        let next_day = match self {
            Self::Quarter | Self::HalfHour | Self::Hour => {
                let next = (local.div_euclid(self.seconds()) + 1) * self.seconds();
                let end = Timestamp::from_millis((next - i64::from(offsets.at(at))) * SECOND_MS);
                // Where clocks jump, an hour ends, whatever they show.
                return offsets.change_after(at).map_or(end, |change| change.min(end));
            }
            Self::Day => today + 1,
            // 1970-01-01 was a Thursday.
            Self::Week => today - (today + 3).rem_euclid(7) + 7,
            Self::Month => first_of_next_month(today),
        };
        offsets.first_at(next_day * DAY_SECONDS, at)
    }
}

/// A part of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stretch {
    /// Its first instant.
    pub from: Timestamp,
    /// The first instant after it.
    pub to: Timestamp,
}

impl Stretch {
    /// Cuts it at every beginning of an interval by local time; its ends may lie within one. `None` where that
    /// would be more than `most` parts.
    pub fn cut(self, offsets: &Offsets, interval: Interval, most: usize) -> Option<Vec<Self>> {
        let mut parts = Vec::new();
        let mut from = self.from;
        while from < self.to {
            if parts.len() == most {
                return None;
            }
            let to = interval.end(offsets, from).min(self.to);
            parts.push(Self { from, to });
            from = to;
        }
        Some(parts)
    }
}

/// The first day of the month after the one in which a day lies, both as days since 1970.
///
/// Counts years from March, so that the leap day is the last of its year; a day in March of whatever year and the
/// months from there on have fixed places.
fn first_of_next_month(day: i64) -> i64 {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let first_of_year = 365 * year_of_era + year_of_era / 4 - year_of_era / 100;
    let month = (5 * (day_of_era - first_of_year) + 2) / 153;
    let next = if month == 11 {
        let year_of_era = year_of_era + 1;
        365 * year_of_era + year_of_era / 4 - year_of_era / 100 + year_of_era / 400
    } else {
        first_of_year + (153 * (month + 1) + 2) / 5
    };
    era * 146_097 + next - 719_468
}
