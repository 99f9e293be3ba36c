//! What an address asks of the report of queues, and addresses that ask for something else.

use chrono::{Datelike as _, Days, Months, NaiveDate, NaiveDateTime};
use chrono_tz::Tz;
use domain::{
    calendar::{Interval, Stretch},
    id::QueueId,
    interval::Quarter,
    time::Timestamp,
};

use super::super::span::{Span, is_of_the_calendar};
use crate::clock;

/// More queues than this in one question are all of them. Links to reports and calls of so many are no longer than
/// addresses may be.
pub(super) const MOST_QUEUES: usize = 100;
/// More intervals than this are nothing that anybody reads: a month by the hour fits.
pub(super) const MOST_INTERVALS: usize = 800;
/// Who wants more asks twice.
const MOST_DAYS: i64 = 10 * 366;

/// Everything that can be asked for.
const NAMES: &str = "range, day, from, to, zone, interval and queue";

/// A time that moves with the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    Today,
    Yesterday,
    LastSevenDays,
    ThisWeek,
    ThisMonth,
    LastMonth,
}

/// Which time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AskedTime {
    Range(Range),
    Day(NaiveDate),
    Between(Stretch),
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AskedReport {
    pub(super) time: AskedTime,
    /// Where it is not the installation's.
    pub(super) zone: Option<Tz>,
    /// Where it is not the one that suits the time.
    pub(super) interval: Option<Interval>,
    pub(super) queues: Vec<QueueId>,
}

/// An address that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) asked: AskedReport,
    /// The time it asks for now.
    pub(super) stretch: Stretch,
    /// Into what that is cut.
    pub(super) interval: Interval,
    /// The parts.
    pub(super) parts: Vec<Stretch>,
    /// The same time before, as far as it is over, and a week before where that is another.
    pub(super) before: Vec<(&'static str, Stretch)>,
    /// It says what it asks for in the words in which everybody does.
    pub(super) is_plain: bool,
}

impl Range {
    pub(super) const ALL: [Self; 6] =
        [Self::Today, Self::Yesterday, Self::LastSevenDays, Self::ThisWeek, Self::ThisMonth, Self::LastMonth];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Today => "today",
            Self::Yesterday => "yesterday",
            Self::LastSevenDays => "last_7_days",
            Self::ThisWeek => "this_week",
            Self::ThisMonth => "this_month",
            Self::LastMonth => "last_month",
        }
    }

    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Today => "Today",
            Self::Yesterday => "Yesterday",
            Self::LastSevenDays => "Last 7 days",
            Self::ThisWeek => "This week",
            Self::ThisMonth => "This month",
            Self::LastMonth => "Last month",
        }
    }

    /// Its days, the last not included.
    fn days(self, today: NaiveDate) -> Option<(NaiveDate, NaiveDate)> {
        let month = today.with_day(1)?;
        let tomorrow = today.succ_opt()?;
        Some(match self {
            Self::Today => (today, tomorrow),
            Self::Yesterday => (today.pred_opt()?, today),
            Self::LastSevenDays => (today.checked_sub_days(Days::new(6))?, tomorrow),
            Self::ThisWeek => {
                let into = Days::new(today.weekday().num_days_from_monday().into());
                let monday = today.checked_sub_days(into)?;
                (monday, monday.checked_add_days(Days::new(7))?)
            }
            Self::ThisMonth => (month, month.checked_add_months(Months::new(1))?),
            Self::LastMonth => (month.checked_sub_months(Months::new(1))?, month),
        })
    }
}

impl AskedTime {
    fn stretch(self, zone: Tz, now: Timestamp) -> Stretch {
        let today = clock::date_of(zone, now);
        let of_days = |from, to| Stretch {
            from: quarter(clock::day_of(zone, from).0),
            to: quarter(clock::day_of(zone, to).0),
        };
        match self {
            Self::Range(range) => {
                range.days(today).map_or(Stretch { from: now, to: now }, |(from, to)| of_days(from, to))
            }
            Self::Day(day) => of_days(day, day.succ_opt().unwrap_or(day)),
            Self::Between(stretch) => stretch,
        }
    }
}

/// Days of before there were zones begin within a quarter of an hour.
fn quarter(at: Timestamp) -> Timestamp {
    Quarter::of(at).start()
}

impl Address {
    /// Reads the pairs of a query, or tells everything that is wrong with them.
    pub(super) fn parse(pairs: Vec<(&str, &str)>, home: Tz, now: Timestamp) -> Result<Self, Vec<String>> {
        let written = pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect::<Vec<_>>();
        let mut rest = pairs;
        let mut problems = Vec::new();
        let span = Span::take(&mut rest, home).unwrap_or_else(|told| {
            problems.extend(told);
            Span::default()
        });
        let has_problems_of_time = !problems.is_empty();
        let (mut range, mut day, mut interval, mut queues) = (None, None, None, Vec::new());
        let mut seen = Vec::new();
        for (name, value) in rest {
            // Ids are whatever they are, white space and all.
            let value = if name == "queue" { value } else { value.trim() };
            // Forms send what was left empty.
            if value.is_empty() {
                continue;
            }
            if name != "queue" {
                if seen.contains(&name) {
                    problems.push(format!("{name} can be asked for once."));
                    continue;
                }
                seen.push(name);
            }
            match name {
                "range" => {
                    range = Range::ALL.into_iter().find(|known| known.word() == value);
                    if range.is_none() {
                        let words = Range::ALL.map(Range::word).join(", ");
                        problems.push(format!("range is one of {words}."));
                    }
                }
                "day" => {
                    day = clock::parse_day(value);
                    if day.is_none() {
                        problems.push("day is a date such as 2026-11-25.".to_owned());
                    }
                }
                "interval" => {
                    interval = Interval::parse(value);
                    if interval.is_none() {
                        let words = Interval::ALL.map(Interval::word).join(", ");
                        problems.push(format!("interval is one of {words}."));
                    }
                }
                "queue" => {
                    let id = QueueId::new(value);
                    if queues.len() >= MOST_QUEUES {
                        problems
                            .push(format!("Of more than {MOST_QUEUES} queues, leave queue out to see all."));
                        break;
                    }
                    if !queues.contains(&id) {
                        queues.push(id);
                    }
                }
                _ => {
                    let name: String = name.chars().take(40).collect();
                    problems.push(format!("“{name}” cannot be asked for here; {NAMES} can."));
                }
            }
        }
        let is_between = span.from.is_some() || span.to.is_some();
        if u8::from(seen.contains(&"range")) + u8::from(seen.contains(&"day")) + u8::from(is_between) > 1 {
            problems.push("Ask for one time: range, or day, or from and to.".to_owned());
        }
        let between = match (span.from, span.to) {
            (Some(from), Some(to)) => {
                problems.extend(problems_of(from, to));
                Some(Stretch { from, to })
            }
            (None, None) => None,
            (from, _) => {
                let missing = if from.is_some() { "to" } else { "from" };
                if !has_problems_of_time {
                    problems.push(format!("from and to go together: say {missing}, too."));
                }
                None
            }
        };
        if !problems.is_empty() {
            return Err(problems);
        }
        let time = match (range, day, between) {
            (_, _, Some(stretch)) => AskedTime::Between(stretch),
            (_, Some(day), _) => AskedTime::Day(day),
            (range, ..) => AskedTime::Range(range.unwrap_or(Range::Today)),
        };
        let asked = AskedReport { time, zone: span.zone, interval, queues };
        let zone = asked.zone.unwrap_or(home);
        let stretch = time.stretch(zone, now);
        if !is_of_the_calendar(stretch.from) || !is_of_the_calendar(stretch.to) {
            return Err(vec!["That day begins or ends outside the years 0 to 9999 of UTC.".to_owned()]);
        }
        let interval = interval.unwrap_or_else(|| suitable(stretch));
        let offsets = clock::offsets(zone, stretch.from, stretch.to);
        let Some(parts) = stretch.cut(&offsets, interval, MOST_INTERVALS) else {
            return Err(vec![format!(
                "That time has more than {MOST_INTERVALS} intervals of {}: ask for a longer interval, or for a shorter time.",
                interval.words()
            )]);
        };
        let plain = asked.pairs();
        let is_plain = written.iter().all(|pair| plain.contains(pair));
        let before = before(stretch, zone, now);
        Ok(Self { asked, stretch, interval, parts, before, is_plain })
    }
}

fn problems_of(from: Timestamp, to: Timestamp) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, at) in [("from", from), ("to", to)] {
        if quarter(at) != at {
            problems.push(format!(
                "{name} lies within a quarter of an hour; reports are made of whole ones, such as 14:00 or 14:15."
            ));
        }
    }
    if to.as_millis() - from.as_millis() > MOST_DAYS * 86_400_000 {
        problems.push("That is longer than ten years: ask for a part of it.".to_owned());
    }
    problems
}

/// The interval that people most likely want to see a time by.
fn suitable(stretch: Stretch) -> Interval {
    const HOUR: i64 = 3_600_000;
    match stretch.to.as_millis() - stretch.from.as_millis() {
        length if length <= 6 * HOUR => Interval::Quarter,
        length if length <= 49 * HOUR => Interval::Hour,
        length if length <= 63 * 24 * HOUR => Interval::Day,
        length if length <= 367 * 24 * HOUR => Interval::Week,
        _ => Interval::Month,
    }
}

/// The times before with which one is compared: as long by the calendar, and only as far as it is over.
fn before(stretch: Stretch, zone: Tz, now: Timestamp) -> Vec<(&'static str, Stretch)> {
    if stretch.from > now {
        return Vec::new();
    }
    // What is under way has fewer calls than a whole quarter of an hour had then.
    let over = stretch.to.min(Quarter::of(now).start());
    let local = |at: Timestamp| {
        let utc = chrono::DateTime::from_timestamp_millis(at.as_millis())?;
        Some(utc.with_timezone(&zone).naive_local())
    };
    let (Some(from), Some(to)) = (local(stretch.from), local(stretch.to)) else { return Vec::new() };
    let is_midnight = |local: NaiveDateTime| local.time() == chrono::NaiveTime::MIN;
    let days = (to.date() - from.date()).num_days().unsigned_abs();
    let are_days = is_midnight(from) && is_midnight(to) && days > 0;
    let months = (to.year() - from.year()) * 12 + to.month().cast_signed() - from.month().cast_signed();
    let are_months = are_days && from.day() == 1 && to.day() == 1;
    let moved = |back: &dyn Fn(NaiveDateTime) -> Option<NaiveDateTime>| {
        let instant = |at| Some(quarter(clock::instant_of(zone, back(local(at)?)?)?));
        Some(Stretch { from: instant(stretch.from)?, to: instant(over)? })
    };
    let by_days = |days: u64| moved(&|local| local.checked_sub_days(Days::new(days)));
    let previous = if are_months {
        // A month may be longer than the one before it.
        let back = Months::new(months.unsigned_abs());
        moved(&|local| {
            let then = local.checked_sub_months(back)?;
            // A day that it does not have is its end.
            if then.day() == local.day() { Some(then) } else { Some(then.date().succ_opt()?.into()) }
        })
    } else if are_days {
        by_days(days)
    } else {
        let length = stretch.to.since(stretch.from);
        Some(Stretch { from: stretch.from - length, to: over - length })
    };
    let is_short = stretch.to.as_millis() - stretch.from.as_millis() <= 7 * 86_400_000 + 3_600_000;
    let week_ago = if is_short { by_days(7) } else { None };
    let named =
        [("The time before", previous), ("A week before", week_ago.filter(|ago| Some(*ago) != previous))];
    named
        .into_iter()
        .filter_map(|(name, stretch)| Some((name, stretch?)))
        .filter(|(_, s)| s.from < s.to && is_of_the_calendar(s.from))
        .collect()
}

impl AskedReport {
    /// As pairs of an address: the same question always in the same words.
    pub(super) fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        match self.time {
            AskedTime::Range(Range::Today) => {}
            AskedTime::Range(range) => pairs.push(("range", range.word().to_owned())),
            AskedTime::Day(day) => pairs.push(("day", day.to_string())),
            AskedTime::Between(Stretch { from, to }) => {
                pairs.extend(Span { from: Some(from), to: Some(to), zone: None }.pairs());
            }
        }
        pairs.extend(self.zone.map(|zone| ("zone", zone.name().to_owned())));
        pairs.extend(self.interval.map(|interval| ("interval", interval.word().to_owned())));
        pairs.extend(self.queues.iter().map(|queue| ("queue", queue.to_string())));
        pairs
    }

    /// The address of it at `path`.
    pub(super) fn href(&self, path: &str) -> String {
        address(path, self.pairs())
    }

    /// The same of another time, by the interval that suits it.
    pub(super) fn of_time(&self, time: AskedTime) -> Self {
        Self { time, interval: None, ..self.clone() }
    }

    /// The same of one queue.
    pub(super) fn of_queue(&self, queue: &QueueId) -> Self {
        Self { queues: vec![queue.clone()], ..self.clone() }
    }

    /// The calls of some of its queues in a stretch of time.
    pub(super) fn calls(&self, queues: &[QueueId], stretch: Stretch) -> String {
        let span = Span { from: Some(stretch.from), to: Some(stretch.to), zone: self.zone };
        let queues = queues.iter().map(|queue| ("queue", queue.to_string()));
        address("/calls", span.pairs().chain(queues))
    }
}

fn address(path: &str, pairs: impl IntoIterator<Item = (&'static str, String)>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs);
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

#[cfg(test)]
mod tests {
    use app::{address, metric::Metric};

    use super::{super::super::pages::LONGEST_QUERY, *};
    use crate::clock::{format_rfc3339, parse_instant};

    fn at(text: &str) -> Timestamp {
        parse_instant(text).unwrap()
    }

    /// A Wednesday afternoon.
    const NOW: &str = "2026-11-25T13:20:00Z";

    fn parse(pairs: &[(&str, &str)]) -> Result<Address, Vec<String>> {
        Address::parse(pairs.to_vec(), Tz::Europe__Berlin, at(NOW))
    }

    fn told(stretch: Stretch) -> (String, String) {
        (format_rfc3339(stretch.from), format_rfc3339(stretch.to))
    }

    #[track_caller]
    fn check(pairs: &[(&str, &str)], from: &str, to: &str, interval: Interval, parts: usize) {
        let read = parse(pairs).unwrap();
        assert_eq!(told(read.stretch), (from.to_owned(), to.to_owned()));
        assert_eq!((read.interval, read.parts.len()), (interval, parts));
        let pairs = read.asked.pairs();
        let again: Vec<_> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(parse(&again).map(|again| (again.asked, again.is_plain)), Ok((read.asked, true)));
    }

    #[test]
    fn a_time_is_told_in_several_ways() {
        use Interval::{Day, Hour, Month, Quarter, Week};
        check(&[], "2026-11-24T23:00:00Z", "2026-11-25T23:00:00Z", Hour, 24);
        check(&[("range", "yesterday")], "2026-11-23T23:00:00Z", "2026-11-24T23:00:00Z", Hour, 24);
        check(&[("range", "last_7_days")], "2026-11-18T23:00:00Z", "2026-11-25T23:00:00Z", Day, 7);
        check(&[("range", "this_week")], "2026-11-22T23:00:00Z", "2026-11-29T23:00:00Z", Day, 7);
        check(&[("range", "this_month")], "2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z", Day, 30);
        check(&[("range", "last_month")], "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z", Day, 31);
        check(&[("day", "2026-10-25")], "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", Hour, 25);
        check(
            &[("day", "2026-10-25"), ("zone", "America/New_York"), ("interval", "15min")],
            "2026-10-25T04:00:00Z",
            "2026-10-26T04:00:00Z",
            Quarter,
            96,
        );
        check(
            &[("from", "2026-11-25T14:00"), ("to", "2026-11-25T15:00"), ("queue", "q 7"), ("queue", "q-8")],
            "2026-11-25T13:00:00Z",
            "2026-11-25T14:00:00Z",
            Quarter,
            4,
        );
        let year = [("from", "2025-01-01"), ("to", "2026-01-01")];
        check(&year, "2024-12-31T23:00:00Z", "2025-12-31T23:00:00Z", Week, 53);
        let years = [("from", "2020-01-01"), ("to", "2026-01-01")];
        check(&years, "2019-12-31T23:00:00Z", "2025-12-31T23:00:00Z", Month, 72);
    }

    #[test]
    fn all_that_is_wrong_with_an_address_is_told_at_once() {
        for (pairs, problems) in [
            (vec![("range", "tomorrow"), ("interval", "year"), ("zone", "Mars/Olympus"), ("agent", "7")], 4),
            (vec![("range", "today"), ("day", "2026-11-25")], 1),
            (vec![("day", "2026-11-31"), ("from", "2026-11-25"), ("to", "2026-11-24")], 2),
            (vec![("from", "2026-11-25T14:07"), ("to", "2026-11-25T14:08")], 2),
            (vec![("from", "2026-11-25")], 1),
            (vec![("to", "2026-11-25"), ("interval", "day"), ("interval", "day")], 2),
            (vec![("from", "0001-01-01T00:00:00Z"), ("to", "9999-01-01"), ("interval", "month")], 1),
            (vec![("from", "2020-01-01"), ("to", "2026-01-01"), ("interval", "15min")], 1),
            (vec![("day", "0000-01-01"), ("zone", "Asia/Kolkata")], 1),
            (vec![("day", "9999-12-31"), ("zone", "UTC")], 1),
            (vec![("queue", "x"); MOST_QUEUES + 1], 0),
        ] {
            let told = parse(&pairs).err().unwrap_or_default();
            assert_eq!(told.len(), problems, "{pairs:?}: {told:?}");
        }
        let many: Vec<String> = (0..=MOST_QUEUES).map(|number| number.to_string()).collect();
        let many: Vec<_> = many.iter().map(|id| ("queue", id.as_str())).collect();
        assert_eq!(parse(&many).unwrap_err().len(), 1);
    }

    #[test]
    fn a_time_is_compared_with_one_as_long_by_the_calendar_as_far_as_it_is_over() {
        let before = |pairs: &[(&str, &str)]| -> Vec<(&'static str, (String, String))> {
            parse(pairs).unwrap().before.into_iter().map(|(name, stretch)| (name, told(stretch))).collect()
        };
        let times = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        let (previous, week) = ("The time before", "A week before");
        assert_eq!(
            before(&[]),
            [
                (previous, times("2026-11-23T23:00:00Z", "2026-11-24T13:15:00Z")),
                (week, times("2026-11-17T23:00:00Z", "2026-11-18T13:15:00Z")),
            ]
        );
        // A day after the clocks went back, and the days before it, by their own clocks.
        assert_eq!(
            before(&[("day", "2026-10-26")]),
            [
                (previous, times("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z")),
                (week, times("2026-10-18T22:00:00Z", "2026-10-19T22:00:00Z")),
            ]
        );
        assert_eq!(
            before(&[("range", "last_month")]),
            [(previous, times("2026-08-31T22:00:00Z", "2026-09-30T22:00:00Z"))]
        );
        assert_eq!(before(&[("day", "0000-01-02"), ("zone", "UTC")]).len(), 1, "there was no week before");
        // The week before is the time before.
        assert_eq!(before(&[("range", "last_7_days")]).len(), 1);
        assert_eq!(before(&[("day", "2026-12-24")]), [], "it did not come yet");
        // On the 29th of a month, of which the one before had 28 days.
        let march = Stretch { from: at("2026-02-28T23:00:00Z"), to: at("2026-03-31T22:00:00Z") };
        let (_, february) = super::before(march, chrono_tz::Europe::Berlin, at("2026-03-29T10:20:00Z"))[0];
        assert_eq!(told(february), times("2026-01-31T23:00:00Z", "2026-02-28T23:00:00Z"));
        assert_eq!(
            before(&[("from", "2026-11-25T09:00"), ("to", "2026-11-25T10:30")])[0],
            (previous, times("2026-11-25T06:30:00Z", "2026-11-25T08:00:00Z"))
        );
    }

    #[test]
    fn an_id_keeps_its_white_space() {
        let read =
            parse(&[("queue", " q\t"), ("queue", "q"), ("queue", ""), ("zone", " Europe/Paris ")]).unwrap();
        assert_eq!(read.asked.queues, [QueueId::new(" q\t"), QueueId::new("q")]);
        assert!(read.asked.calls(&read.asked.queues[..1], read.parts[0]).ends_with("&queue=+q%09"));
    }

    #[test]
    fn links_of_as_many_queues_as_can_be_asked_for_can_be_followed() {
        let ids: Vec<String> = (0..MOST_QUEUES).map(|number| format!("{number:0>64}")).collect();
        let queues = ids.iter().map(|id| ("queue", id.as_str()));
        let times =
            [("day", "2026-11-25"), ("zone", "America/Argentina/ComodRivadavia"), ("interval", "15min")];
        let read = parse(&times.into_iter().chain(queues).collect::<Vec<_>>()).unwrap();
        let calls = read.asked.calls(&read.asked.queues, read.parts[0]);
        let calls =
            Metric::ALL.into_iter().filter_map(|metric| Some(address::joined(&calls, metric.calls()?)));
        let between = read.asked.of_time(AskedTime::Between(read.parts[0])).href("/api/v1/reports/queues");
        for link in calls.chain([read.asked.href("/reports.csv"), between]) {
            let (_, query) = link.split_once('?').unwrap();
            assert!(query.len() <= LONGEST_QUERY, "{} of {link}", query.len());
        }
    }

    #[test]
    fn addresses_lead_to_parts_of_a_report_and_to_its_calls() {
        let read = parse(&[("day", "2026-11-25"), ("zone", "America/New_York"), ("queue", "q&7")]).unwrap();
        assert_eq!(
            read.asked.href("/reports"),
            "/reports?day=2026-11-25&zone=America%2FNew_York&queue=q%267"
        );
        assert_eq!(
            read.asked.calls(&read.asked.queues, read.parts[0]),
            "/calls?from=2026-11-25T05%3A00%3A00Z&to=2026-11-25T06%3A00%3A00Z&zone=America%2FNew_York&queue=q%267"
        );
        let today = read.asked.of_time(AskedTime::Range(Range::Today)).of_queue(&"q-8".into());
        assert_eq!(today.href("/reports"), "/reports?zone=America%2FNew_York&queue=q-8");
    }
}
