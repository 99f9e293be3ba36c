//! The part of an address that says which time is meant and by which clock it is told, and times told by it.
//!
//! `from` and `to` are instants (RFC 3339), `to` not included; `zone` is an IANA name. Forms send local times
//! of that zone, and leave empty what is not asked: addresses like these lead to the plain one.

use chrono::{DateTime, Datelike as _, LocalResult, NaiveDateTime, TimeZone as _, Timelike as _};
use chrono_tz::Tz;
use domain::{
    calendar::{Interval, Stretch},
    time::Timestamp,
};

use crate::clock::{self, format_rfc3339};

/// A time, and the zone in which it is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Span {
    /// Not before.
    pub(super) from: Option<Timestamp>,
    /// Before.
    pub(super) to: Option<Timestamp>,
    /// Where it is not the installation's.
    pub(super) zone: Option<Tz>,
}

impl Span {
    /// Takes `from`, `to` and `zone` out of the pairs of a query. Everything that is wrong with them is told.
    pub(super) fn take(pairs: &mut Vec<(&str, &str)>, home: Tz) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        let mut take = |name: &str| {
            let mut values =
                pairs.extract_if(.., |(key, _)| *key == name).map(|(_, value)| value.trim().to_owned());
            let value = values.next();
            if values.count() > 0 {
                problems.push(format!("{name} can be asked for once."));
            }
            value.filter(|value| !value.is_empty())
        };
        let (from, to, zone) = (take("from"), take("to"), take("zone"));
        let zone = zone.and_then(|name| {
            let known = clock::zone(&name);
            if known.is_none() {
                problems.push("zone is an IANA time zone such as Europe/Berlin.".to_owned());
            }
            known.map(|(zone, _)| zone)
        });
        let mut instant = |name: &str, text: Option<String>| {
            let text = text?;
            let instant = read(&text, zone.unwrap_or(home));
            match instant {
                None => problems.push(format!(
                    "{name} is an instant such as 2026-11-25T14:00:00Z, or a local time such as 2026-11-25T14:00."
                )),
                Some(at) if !is_of_the_calendar(at) => {
                    problems.push(format!("{name} lies outside the years 0 to 9999 of UTC."));
                }
                Some(_) => {}
            }
            instant
        };
        let (from, to) = (instant("from", from), instant("to", to));
        if let (Some(from), Some(to)) = (from, to)
            && from >= to
        {
            problems.push("from has to be before to, which is not included.".to_owned());
        }
        if problems.is_empty() { Ok(Self { from, to, zone }) } else { Err(problems) }
    }

    /// As pairs of an address.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&'static str, String)> {
        let instants = [("from", self.from), ("to", self.to)];
        let instants = instants.into_iter().filter_map(|(name, at)| Some((name, format_rfc3339(at?))));
        instants.chain(self.zone.map(|zone| ("zone", zone.name().to_owned())))
    }

    /// The zone in which times are told.
    pub(super) fn zone_or(&self, home: Tz) -> Tz {
        self.zone.unwrap_or(home)
    }
}

/// Of a year that has four digits in UTC, so that an address can tell the instant.
pub(super) fn is_of_the_calendar(at: Timestamp) -> bool {
    let utc = DateTime::from_timestamp_millis(at.as_millis());
    utc.is_some_and(|utc| (0..=9999).contains(&utc.year()))
}

/// An instant, or a local time of the zone.
fn read(text: &str, zone: Tz) -> Option<Timestamp> {
    // In a query, a plus that is not encoded is a space.
    let text = match text.rsplit_once(' ') {
        Some((time, offset)) if offset.len() == 5 && time.len() >= 19 => format!("{time}+{offset}"),
        _ => text.replacen(' ', "T", 1),
    };
    if let Some(instant) = clock::parse_instant(&text) {
        return Some(instant);
    }
    clock::parse_day(text.split('T').next()?)?;
    let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
    let day = || clock::parse_day(&text)?.and_hms_opt(0, 0, 0);
    let local = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(&text, format).ok());
    let local = local.or_else(day)?;
    // An hour that is there twice is meant the first time; one that is not, an hour later.
    clock::instant_of(zone, local)
}

/// An instant as the clocks of the zone show it. Beyond what a calendar can count in, as milliseconds.
fn local(zone: Tz, at: Timestamp) -> Option<DateTime<Tz>> {
    // Offsets reach beyond the calendar at its ends.
    let utc = DateTime::from_timestamp_millis(at.as_millis()).filter(|_| is_of_the_calendar(at))?;
    Some(utc.with_timezone(&zone))
}

/// True in an hour that is there twice: told alone, it may be either.
fn is_doubled(local: &DateTime<Tz>) -> bool {
    matches!(local.timezone().from_local_datetime(&local.naive_local()), LocalResult::Ambiguous(..))
}

/// An instant as people read it: `Wed 25 Nov 2026, 14:02:11`, with the offset in an hour that is there twice.
pub(super) fn local_time(zone: Tz, at: Timestamp) -> String {
    let Some(local) = local(zone, at) else { return format_rfc3339(at) };
    let text = local.format("%a %-d %b %Y, %H:%M:%S").to_string();
    if is_doubled(&local) { format!("{text} ({})", local.format("%:z")) } else { text }
}

/// The date of an instant: `Wed 25 Nov 2026`.
fn local_date(zone: Tz, at: Timestamp) -> String {
    local(zone, at).map_or_else(|| format_rfc3339(at), |local| local.format("%a %-d %b %Y").to_string())
}

/// The time of day of an instant, with the offset in an hour that is there twice: `14:00`, `02:00 (+01:00)`.
fn local_hour(zone: Tz, at: Timestamp) -> String {
    let Some(local) = local(zone, at) else { return format_rfc3339(at) };
    let text = local.format("%H:%M").to_string();
    if is_doubled(&local) { format!("{text} ({})", local.format("%:z")) } else { text }
}

/// A stretch of time in words: of whole days, by the first and the last of them.
pub(super) fn stretch_words(zone: Tz, stretch: Stretch) -> String {
    let Stretch { from, to } = stretch;
    let last = Timestamp::from_millis(to.as_millis() - 1);
    let days = (clock::day_start(zone, from), clock::day_of(zone, clock::date_of(zone, last)).1);
    let (first_date, last_date) = (local_date(zone, from), local_date(zone, last));
    match (days == (from, to), first_date == last_date) {
        (true, true) => first_date,
        (true, false) => format!("{first_date} to {last_date}"),
        (false, true) => format!("{first_date}, {} to {}", local_hour(zone, from), local_hour(zone, to)),
        (false, false) => {
            let to_date = local_date(zone, to);
            format!("{first_date}, {} to {to_date}, {}", local_hour(zone, from), local_hour(zone, to))
        }
    }
}

/// What an interval is called that begins at an instant; shorter ones than a day, where it is not said elsewhere,
/// with their date.
pub(super) fn interval_label(zone: Tz, interval: Interval, from: Timestamp, is_dated: bool) -> String {
    match interval {
        Interval::Quarter | Interval::HalfHour | Interval::Hour if !is_dated => local_hour(zone, from),
        Interval::Quarter | Interval::HalfHour | Interval::Hour => {
            let date = local(zone, from).map(|local| local.format("%a %-d %b, ").to_string());
            date.unwrap_or_default() + &local_hour(zone, from)
        }
        Interval::Day => local_date(zone, from),
        Interval::Week => format!("Week of {}", local_date(zone, from)),
        Interval::Month => {
            local(zone, from).map_or_else(|| format_rfc3339(from), |local| local.format("%B %Y").to_string())
        }
    }
}

/// An instant as a form holds it, and whether that is a plain local time: in an hour that is there twice the
/// local time says too little.
pub(super) fn form_time(zone: Tz, at: Timestamp) -> (String, bool) {
    match local(zone, at) {
        Some(local) if !is_doubled(&local) => {
            let format = match (local.second(), local.timestamp_subsec_millis()) {
                (0, 0) => "%Y-%m-%dT%H:%M",
                (_, 0) => "%Y-%m-%dT%H:%M:%S",
                _ => "%Y-%m-%dT%H:%M:%S%.3f",
            };
            (local.format(format).to_string(), true)
        }
        _ => (format_rfc3339(at), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        clock::parse_instant(text).unwrap()
    }

    fn take(pairs: &[(&str, &str)]) -> Result<Span, Vec<String>> {
        Span::take(&mut pairs.to_vec(), Tz::Europe__Berlin)
    }

    #[test]
    fn instants_and_local_times_are_read_and_told_again_as_instants() {
        let new_york = Some(Tz::America__New_York);
        for (pairs, from, zone) in [
            (vec![("from", "2026-11-25T14:00:00Z")], "2026-11-25T14:00:00Z", None),
            (vec![("from", "2026-11-25T14:00:00+01:00")], "2026-11-25T13:00:00Z", None),
            (vec![("from", "2026-11-25T14:00:00 01:00")], "2026-11-25T13:00:00Z", None),
            (vec![("from", "2026-11-25T14:00")], "2026-11-25T13:00:00Z", None),
            (vec![("from", "2026-11-25 14:00")], "2026-11-25T13:00:00Z", None),
            (vec![("from", "2026-11-25")], "2026-11-24T23:00:00Z", None),
            (vec![("from", "2026-11-25T14:00:30.5")], "2026-11-25T13:00:30.500Z", None),
            (vec![("zone", "America/New_York"), ("from", "2026-11-25")], "2026-11-25T05:00:00Z", new_york),
            (vec![("from", "2026-11-25"), ("zone", "America/New_York")], "2026-11-25T05:00:00Z", new_york),
            // Clocks go forward at two, and back at three.
            (vec![("from", "2026-03-29T02:30")], "2026-03-29T01:30:00Z", None),
            (vec![("from", "2026-10-25T02:30")], "2026-10-25T00:30:00Z", None),
        ] {
            let span = take(&pairs).unwrap();
            assert_eq!((span.from, span.zone), (Some(at(from)), zone), "{pairs:?}");
            let plain: Vec<_> = span.pairs().collect();
            let plain: Vec<_> = plain.iter().map(|(name, value)| (*name, value.as_str())).collect();
            assert_eq!(plain[0], ("from", from));
            assert_eq!(take(&plain), Ok(span));
        }
        assert_eq!(take(&[("from", ""), ("to", " "), ("zone", "")]), Ok(Span::default()));
    }

    #[test]
    fn all_that_is_wrong_is_told() {
        for (pairs, problems) in [
            (vec![("from", "yesterday"), ("to", "25.11.2026"), ("zone", "Mars/Olympus")], 3),
            (vec![("from", "2026-11-25T14:00:00Z"), ("to", "2026-11-25T14:00:00Z")], 1),
            (vec![("from", "2026-11-25T14:00:00Z"), ("to", "0000-01-01T00:00:00Z")], 1),
            (vec![("zone", "Asia/Kolkata"), ("from", "0000-01-01")], 1),
            (vec![("zone", "America/New_York"), ("to", "9999-12-31T23:00")], 1),
            (vec![("from", "+262142-12-31T00:00:00Z")], 1),
            (vec![("to", "-262143-01-01")], 1),
            (vec![("from", "2026-11-25"), ("from", "2026-11-26")], 1),
            (vec![("zone", "'; drop table queue_visit; --")], 1),
        ] {
            assert_eq!(take(&pairs).unwrap_err().len(), problems, "{pairs:?}");
        }
        assert!(take(&[("from", "0000-01-01T00:00:00Z"), ("to", "9999-12-31T23:59:59Z")]).is_ok());
    }

    #[test]
    fn stretches_are_told_by_their_days_and_hours() {
        let berlin = Tz::Europe__Berlin;
        for (from, to, words) in [
            ("2026-11-24T23:00:00Z", "2026-11-25T23:00:00Z", "Wed 25 Nov 2026"),
            ("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", "Sun 25 Oct 2026"),
            ("2026-11-22T23:00:00Z", "2026-11-29T23:00:00Z", "Mon 23 Nov 2026 to Sun 29 Nov 2026"),
            ("2026-11-25T13:00:00Z", "2026-11-25T13:15:00Z", "Wed 25 Nov 2026, 14:00 to 14:15"),
            (
                "2026-11-25T13:00:00Z",
                "2026-11-26T13:15:00Z",
                "Wed 25 Nov 2026, 14:00 to Thu 26 Nov 2026, 14:15",
            ),
            (
                "2026-10-25T00:00:00Z",
                "2026-10-25T01:00:00Z",
                "Sun 25 Oct 2026, 02:00 (+02:00) to 02:00 (+01:00)",
            ),
        ] {
            assert_eq!(stretch_words(berlin, Stretch { from: at(from), to: at(to) }), words);
        }
        let labels = |zone, interval, instants: &[&str]| -> Vec<String> {
            instants.iter().map(|instant| interval_label(zone, interval, at(instant), true)).collect()
        };
        assert_eq!(
            labels(
                berlin,
                Interval::Hour,
                &["2026-10-24T23:00:00Z", "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"]
            ),
            ["Sun 25 Oct, 01:00", "Sun 25 Oct, 02:00 (+02:00)", "Sun 25 Oct, 02:00 (+01:00)"]
        );
        let doubled = at("2026-10-25T01:00:00Z");
        assert_eq!(interval_label(berlin, Interval::Hour, doubled, false), "02:00 (+01:00)");
        let howe = Tz::Australia__Lord_Howe;
        assert_eq!(
            labels(
                howe,
                Interval::HalfHour,
                &["2026-04-04T14:00:00Z", "2026-04-04T14:30:00Z", "2026-04-04T15:00:00Z"]
            ),
            ["Sun 5 Apr, 01:00", "Sun 5 Apr, 01:30 (+11:00)", "Sun 5 Apr, 01:30 (+10:30)"]
        );
        let from = ["2026-11-30T23:00:00Z"];
        assert_eq!(labels(berlin, Interval::Month, &from), ["December 2026"]);
        assert_eq!(labels(berlin, Interval::Week, &from), ["Week of Tue 1 Dec 2026"]);
    }

    #[test]
    fn a_doubled_hour_is_told_by_its_offset() {
        let berlin = Tz::Europe__Berlin;
        for (instant, text, form) in [
            ("2026-10-25T00:30:00Z", "Sun 25 Oct 2026, 02:30:00 (+02:00)", ("2026-10-25T00:30:00Z", false)),
            ("2026-10-25T01:30:00Z", "Sun 25 Oct 2026, 02:30:00 (+01:00)", ("2026-10-25T01:30:00Z", false)),
            ("2026-10-25T02:30:00Z", "Sun 25 Oct 2026, 03:30:00", ("2026-10-25T03:30", true)),
        ] {
            assert_eq!(local_time(berlin, at(instant)), text);
            assert_eq!(form_time(berlin, at(instant)), (form.0.to_owned(), form.1));
        }
        let beyond = Timestamp::from_millis(i64::MAX);
        assert_eq!(local_time(berlin, beyond), format!("@{}ms", i64::MAX));
    }
}
