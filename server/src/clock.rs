//! The wall clock and the calendar: the only place that asks what time it is.
//!
//! Rules take `now` as a parameter; timers use `tokio::time`, which tests can pause.

use std::time::Duration;

use chrono::{
    DateTime, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset as _, SecondsFormat, TimeZone, Utc,
};
use chrono_tz::Tz;
use domain::{calendar::Offsets, id::ZoneName, time::Timestamp};

/// What time it is.
pub fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "this is the clock module")]
    let now = Utc::now();
    Timestamp::from_millis(now.timestamp_millis())
}

/// Reads an RFC 3339 instant; one without a zone is taken as UTC.
pub fn parse_rfc3339(text: &str) -> Option<Timestamp> {
    if let Some(instant) = parse_instant(text) {
        return Some(instant);
    }
    let local = text.parse::<NaiveDateTime>().ok()?;
    Some(Timestamp::from_millis(local.and_utc().timestamp_millis()))
}

/// Reads an RFC 3339 instant that says its zone.
pub fn parse_instant(text: &str) -> Option<Timestamp> {
    let instant = DateTime::parse_from_rfc3339(text).ok()?;
    Some(Timestamp::from_millis(instant.timestamp_millis()))
}

/// Reads a day such as `2026-11-25`, of a year that has four digits: the calendar's others are nobody's day, and
/// reach beyond what it can count in.
pub fn parse_day(text: &str) -> Option<NaiveDate> {
    let is_digit_or_dash = |(place, byte): (usize, u8)| match place {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    let is_a_day = text.len() == 10 && text.bytes().enumerate().all(is_digit_or_dash);
    text.parse().ok().filter(|_| is_a_day)
}

/// Writes an instant as RFC 3339 in UTC, with milliseconds only where there are any.
pub fn format_rfc3339(instant: Timestamp) -> String {
    let Some(utc) = DateTime::<Utc>::from_timestamp_millis(instant.as_millis()) else {
        // Beyond the calendar's 260,000 years: only a broken source gets here.
        return format!("@{}ms", instant.as_millis());
    };
    let precision = if instant.as_millis() % 1000 == 0 { SecondsFormat::Secs } else { SecondsFormat::Millis };
    utc.to_rfc3339_opts(precision, true)
}

/// When the local day that contains `now` began in `zone`.
///
/// Midnight where it exists; where a clock change skips it, the first instant after the change;
/// where it exists twice, the first.
pub fn day_start(zone: Tz, now: Timestamp) -> Timestamp {
    let Some(utc) = DateTime::<Utc>::from_timestamp_millis(now.as_millis()) else { return now };
    let midnight = utc.with_timezone(&zone).date_naive().and_time(NaiveTime::MIN);
    // No zone has ever skipped more than a day.
    (0..=24 * 60)
        .map(|minutes| midnight + chrono::Duration::minutes(minutes))
        .find_map(|local| match zone.from_local_datetime(&local) {
            LocalResult::Single(instant) => Some(instant),
            LocalResult::Ambiguous(first, second) => Some(first.min(second)),
            LocalResult::None => None,
        })
        .map_or(now, |start| Timestamp::from_millis(start.timestamp_millis()))
}

/// The UTC day that contains `now`, as days since 1970.
pub fn utc_day(now: Timestamp) -> i64 {
    now.as_millis().div_euclid(86_400_000)
}

/// When that local day began in `zone`, and when the next one did.
pub fn day_of(zone: Tz, date: NaiveDate) -> (Timestamp, Timestamp) {
    let start = |date: NaiveDate| {
        // Noon is on the same day in whatever zone, at most half a day away.
        let noon = date.and_time(NaiveTime::MIN) + chrono::Duration::hours(12);
        let noon = zone.from_local_datetime(&noon).earliest().map_or(noon.and_utc(), |noon| noon.to_utc());
        day_start(zone, Timestamp::from_millis(noon.timestamp_millis()))
    };
    (start(date), date.succ_opt().map_or(start(date), start))
}

/// The local date in `zone`.
pub fn date_of(zone: Tz, at: Timestamp) -> NaiveDate {
    DateTime::<Utc>::from_timestamp_millis(at.as_millis())
        .unwrap_or_default()
        .with_timezone(&zone)
        .date_naive()
}

/// The first instant at which clocks of `zone` show that time; where they skip it, the one at which they would have
/// shown it had they not been set.
pub fn instant_of(zone: Tz, local: NaiveDateTime) -> Option<Timestamp> {
    let instant = match zone.from_local_datetime(&local).earliest() {
        Some(instant) => instant.naive_utc(),
        None => {
            let before = local.checked_sub_signed(chrono::Duration::days(1))?;
            let offset = zone.offset_from_local_datetime(&before).earliest()?.fix();
            local.checked_sub_offset(offset)?
        }
    };
    Some(Timestamp::from_millis(instant.and_utc().timestamp_millis()))
}

/// The offsets of a zone from `from` to `to`. No zone changes twice within a day.
pub fn offsets(zone: Tz, from: Timestamp, to: Timestamp) -> Offsets {
    const DAY: i64 = 86_400;
    let offset_at = |second: i64| {
        let at = DateTime::<Utc>::from_timestamp(second, 0).unwrap_or_default();
        zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc()
    };
    // Whoever asks for the beginning of an interval asks for the instant before it.
    let start = from.as_millis().div_euclid(1000) - DAY;
    let end = to.as_millis().div_euclid(1000) + DAY;
    let (mut second, mut offset) = (start, offset_at(start));
    let (first, mut changes) = (offset, Vec::new());
    while second < end {
        let next = offset_at(second + DAY);
        if next != offset {
            let (mut before, mut after) = (second, second + DAY);
            while after - before > 1 {
                let middle = before + (after - before) / 2;
                if offset_at(middle) == offset { before = middle } else { after = middle }
            }
            changes.push((Timestamp::from_millis(after * 1000), next));
            offset = next;
        }
        second += DAY;
    }
    Offsets::new(first, changes)
}

/// When the UTC day after `now` begins.
pub fn next_utc_day(now: Timestamp) -> Timestamp {
    const DAY: Duration = Duration::from_secs(86_400);
    let into_day = now.as_millis().rem_euclid(86_400_000);
    Timestamp::from_millis(now.as_millis() - into_day) + DAY
}

/// The zone of that name, when there is one.
pub fn zone(name: &str) -> Option<(Tz, ZoneName)> {
    let zone: Tz = name.trim().parse().ok()?;
    Some((zone, ZoneName::new(zone.name())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        parse_rfc3339(text).expect("a test instant")
    }

    #[test]
    fn a_time_that_clocks_skip_is_as_much_later_as_they_are_set() {
        for (zone, local, instant) in [
            (Tz::Europe__Berlin, "2026-03-29T02:10:00", "2026-03-29T01:10:00Z"),
            (Tz::Australia__Lord_Howe, "2026-10-04T02:10:00", "2026-10-03T15:40:00Z"),
            (Tz::Antarctica__Troll, "2026-03-29T02:30:00", "2026-03-29T02:30:00Z"),
            (Tz::Pacific__Apia, "2011-12-30T12:00:00", "2011-12-30T22:00:00Z"),
            (Tz::Europe__Berlin, "2026-10-25T02:10:00", "2026-10-25T00:10:00Z"),
        ] {
            let local: NaiveDateTime = local.parse().unwrap();
            assert_eq!(
                instant_of(zone, local).map(format_rfc3339).as_deref(),
                Some(instant),
                "{zone} {local}"
            );
        }
    }

    #[test]
    fn a_day_begins_at_local_midnight_also_when_the_clock_changes_that_day() {
        let check = |zone: Tz, now: &str, start: &str| {
            assert_eq!(format_rfc3339(day_start(zone, at(now))), start, "{zone} at {now}");
        };
        check(Tz::UTC, "2026-06-01T00:00:00Z", "2026-06-01T00:00:00Z");
        check(Tz::Europe__Berlin, "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z");
        check(Tz::Europe__Berlin, "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z");
        check(Tz::Asia__Kolkata, "2026-01-01T20:00:00Z", "2026-01-01T18:30:00Z");
        // Clocks went from 00:00 to 01:00: the day began at 01:00 local time.
        check(Tz::America__Sao_Paulo, "2018-11-04T12:00:00Z", "2018-11-04T03:00:00Z");
        // Clocks went from 01:00 back to 00:00: the day began at the first midnight.
        check(Tz::America__Havana, "2026-11-01T12:00:00Z", "2026-11-01T04:00:00Z");
    }

    #[test]
    fn a_day_has_the_hours_its_clock_gives_it() {
        let check = |zone: Tz, date: &str, hours: u64| {
            let date = date.parse().unwrap();
            let (from, to) = day_of(zone, date);
            assert_eq!(to.since(from), Duration::from_secs(hours * 3600), "{zone} on {date}");
            assert_eq!((date_of(zone, from), date_of(zone, to - Duration::from_millis(1))), (date, date));
        };
        check(Tz::UTC, "2026-06-01", 24);
        check(Tz::Europe__Berlin, "2026-03-29", 23);
        check(Tz::Europe__Berlin, "2026-10-25", 25);
        check(Tz::America__Sao_Paulo, "2018-11-04", 23);
        check(Tz::America__Havana, "2026-11-01", 25);
    }

    #[test]
    fn a_day_has_a_year_of_four_digits() {
        assert_eq!(parse_day("2026-11-25"), NaiveDate::from_ymd_opt(2026, 11, 25));
        for text in [
            "+262142-12-31",
            "-262143-01-01",
            "2026-11-5",
            "2026-13-01",
            "2026-11-25T00:00",
            " 2026-1-1 ",
            "",
        ] {
            assert_eq!(parse_day(text), None, "{text}");
        }
        for text in ["0000-01-01", "9999-12-31"] {
            let (from, to) = day_of(Tz::Asia__Kolkata, parse_day(text).unwrap());
            assert_eq!(to.since(from), Duration::from_secs(86_400));
        }
    }

    #[test]
    fn instants_survive_the_round_trip() {
        for text in ["2026-08-19T21:12:28Z", "2026-08-19T21:12:28.042Z"] {
            assert_eq!(format_rfc3339(at(text)), text);
        }
        assert_eq!(at("2026-08-19T23:12:28+02:00"), at("2026-08-19T21:12:28Z"));
        assert_eq!(at("2026-08-19T21:12:28"), at("2026-08-19T21:12:28Z"));
        assert_eq!(parse_rfc3339("yesterday"), None);
        assert_eq!(format_rfc3339(Timestamp::from_millis(i64::MAX)), format!("@{}ms", i64::MAX));
    }

    #[test]
    fn the_offsets_of_a_zone_are_those_of_its_clocks() {
        let check = |zone: Tz, first: i32, changes: &[(&str, i32)]| {
            let changes = changes.iter().map(|(from, offset)| (at(from), *offset)).collect();
            let (from, to) = (at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
            assert_eq!(offsets(zone, from, to), Offsets::new(first, changes), "{zone}");
        };
        check(Tz::Asia__Kathmandu, 20_700, &[]);
        check(Tz::Europe__Berlin, 3_600, &[("2026-03-29T01:00:00Z", 7_200), ("2026-10-25T01:00:00Z", 3_600)]);
        check(
            Tz::Australia__Lord_Howe,
            39_600,
            &[("2026-04-04T15:00:00Z", 37_800), ("2026-10-03T15:30:00Z", 39_600)],
        );
        check(
            Tz::Australia__Sydney,
            39_600,
            &[("2026-04-04T16:00:00Z", 36_000), ("2026-10-03T16:00:00Z", 39_600)],
        );
    }

    #[test]
    fn the_next_utc_day_is_never_now() {
        assert_eq!(next_utc_day(at("2026-08-19T00:00:00Z")), at("2026-08-20T00:00:00Z"));
        assert_eq!(next_utc_day(at("2026-08-19T23:59:59Z")), at("2026-08-20T00:00:00Z"));
    }
}
