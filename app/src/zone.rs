//! The time of day where the board hangs, as text, by integer arithmetic only.
//!
//! The server knows the zone database; the browser gets the offset of today and the next change of
//! it, which is all a screen needs until its page is made anew.

use domain::time::Timestamp;
use serde::Serialize;

/// A time zone, as far as a screen needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LocalZone {
    /// IANA name, such as `Europe/Berlin`.
    pub name: String,
    /// What people call it, such as `Berlin`.
    pub label: String,
    /// Seconds east of UTC now.
    pub offset_seconds: i32,
    /// When the offset changes next, and to what.
    pub next_offset: Option<(Timestamp, i32)>,
}

impl LocalZone {
    /// Universal time.
    pub fn utc() -> Self {
        Self { name: "Etc/UTC".to_owned(), label: "UTC".to_owned(), offset_seconds: 0, next_offset: None }
    }

    /// Time of day with seconds: `14:02:11`.
    pub fn clock(&self, at: Timestamp) -> String {
        let second = self.local_seconds(at).rem_euclid(DAY);
        format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
    }

    /// Time of day without seconds: `14:02`.
    pub fn hour_and_minute(&self, at: Timestamp) -> String {
        let second = self.local_seconds(at).rem_euclid(DAY);
        format!("{:02}:{:02}", second / 3600, second / 60 % 60)
    }

    /// Day of the week and of the year: `Saturday 21 November 2026`.
    pub fn date(&self, at: Timestamp) -> String {
        let days = self.local_seconds(at).div_euclid(DAY);
        let (year, month, day) = civil(days);
        // 1970-01-01 was a Thursday.
        let weekday = WEEKDAYS[usize::try_from((days + 3).rem_euclid(7)).unwrap_or(0)];
        let month = MONTHS[usize::try_from(month - 1).unwrap_or(0)];
        format!("{weekday} {day} {month} {year}")
    }

    /// The instant as machines read it, with the offset: `2026-11-21T14:02:11+01:00`.
    pub fn machine_time(&self, at: Timestamp) -> String {
        let (year, month, day) = civil(self.local_seconds(at).div_euclid(DAY));
        let offset = self.offset_at(at);
        let sign = if offset < 0 { '-' } else { '+' };
        let minutes = offset.unsigned_abs() / 60;
        format!(
            "{year:04}-{month:02}-{day:02}T{}{sign}{:02}:{:02}",
            self.clock(at),
            minutes / 60,
            minutes % 60
        )
    }

    fn offset_at(&self, at: Timestamp) -> i32 {
        match self.next_offset {
            Some((from, offset)) if at >= from => offset,
            _ => self.offset_seconds,
        }
    }

    fn local_seconds(&self, at: Timestamp) -> i64 {
        at.as_millis().div_euclid(1000) + i64::from(self.offset_at(at))
    }
}

const DAY: i64 = 86_400;
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Year, month and day of the proleptic Gregorian calendar, from days since 1970-01-01.
///
/// Counts years from March, so that the leap day is the last of its year.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-10-25T01:00:00Z, when Berlin goes from summer time back to +01:00.
    const AUTUMN: i64 = 1_792_890_000_000;

    fn berlin() -> LocalZone {
        LocalZone {
            name: "Europe/Berlin".to_owned(),
            label: "Berlin".to_owned(),
            offset_seconds: 7200,
            next_offset: Some((Timestamp::from_millis(AUTUMN), 3600)),
        }
    }

    #[test]
    fn the_clock_goes_back_in_autumn_without_a_new_page() {
        let zone = berlin();
        let face = |millis| zone.clock(Timestamp::from_millis(millis));
        assert_eq!(face(AUTUMN - 1_000), "02:59:59");
        assert_eq!(face(AUTUMN), "02:00:00");
        assert_eq!(zone.machine_time(Timestamp::from_millis(AUTUMN - 1_000)), "2026-10-25T02:59:59+02:00");
        assert_eq!(zone.machine_time(Timestamp::from_millis(AUTUMN)), "2026-10-25T02:00:00+01:00");
        assert_eq!(zone.date(Timestamp::from_millis(AUTUMN)), "Sunday 25 October 2026");
    }

    #[test]
    fn zones_west_of_greenwich_and_odd_quarters_work() {
        let at = Timestamp::from_millis(1_795_266_131_000);
        let zone = |offset_seconds| LocalZone { offset_seconds, ..LocalZone::utc() };
        assert_eq!(zone(0).machine_time(at), "2026-11-21T13:02:11+00:00");
        assert_eq!(zone(20_700).clock(at), "18:47:11");
        assert_eq!(zone(-50_400).machine_time(at), "2026-11-20T23:02:11-14:00");
        assert_eq!(zone(-12_600).machine_time(at), "2026-11-21T09:32:11-03:30");
    }

    #[test]
    fn leap_days_and_the_time_before_1970_are_dates_too() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(-1), (1969, 12, 31));
        assert_eq!(civil(11_016), (2000, 2, 29));
        assert_eq!(civil(19_782), (2024, 2, 29));
    }
}
