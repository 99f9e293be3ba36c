//! The board held against Zoom's record: as a page, and as JSON.

use std::{collections::BTreeMap, time::Duration};

use app::pages::reconciliation::{
    CallInQuestion, DayInFull, DaySum, OnlyQueue, QueueDay, ReconciliationPage, reconciliation_page,
};
use app::{document::PageLink, pages::problem::ProblemPage};
use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use chrono::NaiveDate;
use chrono_tz::Tz;
use domain::{
    directory::{Directory, DirectoryQueue},
    history::{Difference, Told},
    id::QueueId,
    reconciliation::{Counts, Reconciliation, Standing},
    time::Timestamp,
    trust::Gap,
};
use leptos::prelude::IntoAny as _;
use serde::Serialize;

use super::{
    error::ApiError,
    pages::{local_zone, not_ready, problem_page_of, read_query},
    rendered::RenderedPage,
    router::AppState,
};
use crate::{
    clock::{self, format_rfc3339},
    publish::{BoardKey, Published},
    store::{ClassCount, DayOf, DifferingStay, Queues, Store, StoreError, Unwritten},
    telemetry,
};

/// Days on the page.
const DAYS: u64 = 7;
/// Calls that are listed at most.
const MOST_CALLS: u32 = 200;
/// Calls that a program gets at most.
const MOST_CALLS_JSON: u32 = 5_000;
/// A day is closed when the record was read for calls that ended this long after it: what began on it is
/// over by then.
const DAY_LASTS_ON: Duration = Duration::from_secs(2 * 3600);

/// What is asked for.
#[derive(Debug, Default)]
struct Asked {
    day: Option<NaiveDate>,
    queue: Option<QueueId>,
}

impl Asked {
    fn parse(pairs: Vec<(&str, &str)>) -> Result<Self, Vec<String>> {
        let (mut asked, mut problems) = (Self::default(), Vec::new());
        for (name, value) in pairs {
            match name {
                "day" => match clock::parse_day(value) {
                    Some(day) => asked.day = Some(day),
                    None => problems.push("day is a date such as 2026-11-25.".to_owned()),
                },
                "queue" if value.is_empty() => problems.push("queue is a queue’s id.".to_owned()),
                "queue" => asked.queue = Some(QueueId::new(value)),
                _ => problems.push(format!("“{name}” cannot be asked for here; day and queue can.")),
            }
        }
        if problems.is_empty() { Ok(asked) } else { Err(problems) }
    }

    /// Of today, without a day.
    fn href(day: Option<NaiveDate>, queue: Option<&QueueId>) -> String {
        let queue = queue.map(|id| {
            let id = percent_encoding::utf8_percent_encode(id.as_str(), percent_encoding::NON_ALPHANUMERIC);
            format!("queue={id}")
        });
        let pairs: Vec<String> =
            day.map(|day| format!("day={day}")).into_iter().chain(queue.clone()).collect();
        let query = if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) };
        format!("/reconciliation{query}{}", if queue.is_some() { "#calls" } else { "" })
    }
}

/// One local day, of each queue by its own zone.
#[derive(Debug, Clone)]
struct Day {
    /// As the installation's zone has it.
    date: NaiveDate,
    /// From where it begins first to where it ends last.
    from: Timestamp,
    to: Timestamp,
    /// All that was written down of it has been read.
    is_closed: bool,
    parts: Vec<Part>,
}

/// The day of the queues of one zone.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    zone: Tz,
    date: NaiveDate,
    of: DayOf,
}

/// Which day is meant in a zone.
#[derive(Debug, Clone, Copy)]
enum Which {
    /// That date.
    Date(NaiveDate),
    /// Whatever date it is there now: what boards call today.
    Today(Timestamp),
}

impl Which {
    fn date_in(self, zone: Tz) -> NaiveDate {
        match self {
            Self::Date(date) => date,
            Self::Today(now) => clock::date_of(zone, now),
        }
    }
}

impl Day {
    fn of(state: &AppState, which: Which, read_until: Option<Timestamp>) -> Self {
        Self::cut(state.home, &state.queues.borrow(), which, read_until)
    }

    fn cut(home: Tz, directory: &Directory, which: Which, read_until: Option<Timestamp>) -> Self {
        let mut elsewhere: BTreeMap<&str, (Tz, Vec<QueueId>)> = BTreeMap::new();
        for queue in &directory.queues {
            let zone = queue.zone.as_ref().and_then(|zone| clock::zone(zone.as_str()));
            if let Some((zone, _)) = zone.filter(|(zone, _)| *zone != home) {
                elsewhere.entry(zone.name()).or_insert((zone, vec![])).1.push(queue.id.clone());
            }
        }
        let others = elsewhere.values().flat_map(|(_, queues)| queues.iter().cloned()).collect();
        let here = (home, Queues::AllBut(others));
        let zones = elsewhere.into_values().map(|(zone, queues)| (zone, Queues::Only(queues)));
        let parts: Vec<Part> = std::iter::once(here)
            .chain(zones)
            .map(|(zone, queues)| {
                let date = which.date_in(zone);
                let (from, to) = clock::day_of(zone, date);
                Part { zone, date, of: DayOf { from, to, queues } }
            })
            .collect();
        let date = which.date_in(home);
        let (from, to) = clock::day_of(home, date);
        let from = parts.iter().map(|part| part.of.from).fold(from, Timestamp::min);
        let to = parts.iter().map(|part| part.of.to).fold(to, Timestamp::max);
        let is_closed = read_until.is_some_and(|until| until >= to + DAY_LASTS_ON);
        Self { date, from, to, is_closed, parts }
    }

    /// The zone and the date of a queue's day.
    fn part_of(&self, queue: &QueueId) -> Option<&Part> {
        let is_in = |part: &&Part| matches!(&part.of.queues, Queues::Only(queues) if queues.contains(queue));
        self.parts.iter().find(is_in).or(self.parts.first())
    }

    /// It is another date somewhere.
    fn has_several_dates(&self) -> bool {
        self.parts.iter().any(|part| part.date != self.date)
    }

    /// What each queue's day comes to.
    async fn sums(&self, store: &Store) -> Result<BTreeMap<QueueId, Reconciliation>, StoreError> {
        let mut counts = Vec::new();
        for part in &self.parts {
            counts.extend(store.stay_classes(&part.of).await?);
        }
        Ok(by_queue(&counts, self.is_closed))
    }

    /// At most `limit` calls that make the difference.
    async fn calls(
        &self,
        store: &Store,
        only: Option<&QueueId>,
        limit: u32,
        unwritten: Unwritten,
    ) -> Result<Vec<DifferingStay>, StoreError> {
        let mut calls = Vec::new();
        for part in &self.parts {
            calls.extend(store.differing_stays(&part.of, only, limit, unwritten).await?);
        }
        // In the order of each part's own.
        calls.sort_by_key(|stay| {
            let entered_at = stay.record.or(stay.live).map(|told| told.entered_at);
            (stay.read_at.is_none(), stay.class.difference != Some(Difference::NotInRecord), entered_at)
        });
        calls.truncate(limit as usize);
        Ok(calls)
    }
}

/// `GET /reconciliation`
pub(super) async fn page(State(state): State<AppState>, request: Request) -> Response {
    let asked = match read_query(request.uri(), Asked::parse) {
        Ok(asked) => asked,
        Err(problems) => {
            let next = PageLink::new("Open the last days", "/reconciliation");
            return problem_page_of(&request, ProblemPage::bad_address(state.site.site(), problems, next));
        }
    };
    match prepare(&state, asked).await {
        Ok(page) => RenderedPage::of(|| reconciliation_page(page).into_any())
            .respond(StatusCode::OK, request.headers()),
        Err(error) => {
            tracing::warn!(error = telemetry::chain(&error), "failed to read a day's stays");
            not_ready(&state, &request)
        }
    }
}

async fn prepare(state: &AppState, asked: Asked) -> Result<ReconciliationPage, StoreError> {
    let now = clock::now();
    let read_until = state.store.record_walk().await?.map(|walk| walk.read_until);
    let today = Day::of(state, Which::Today(now), read_until);
    let which = asked.day.map_or(Which::Today(now), Which::Date);
    let shown = Day::of(state, which, read_until);
    let board = state.keeper.board(BoardKey::All).await.ok().flatten();
    let names = names(board.as_deref());
    let mut days = Vec::new();
    let mut total = Reconciliation::default();
    let sum_of = |sums: &BTreeMap<QueueId, Reconciliation>| {
        sums.values().fold(Reconciliation::default(), |total, sum| total.plus(*sum))
    };
    let sums = shown.sums(&state.store).await?;
    let is_one_date = !today.has_several_dates();
    if !is_one_date {
        days.push(DaySum {
            label: "Today, each queue’s own".to_owned(),
            href: "/reconciliation".to_owned(),
            is_shown: asked.day.is_none(),
            sum: sum_of(&today.sums(&state.store).await?),
        });
    }
    // It is the latest date where the sun rose first.
    let newest = today.parts.iter().map(|part| part.date).fold(today.date, NaiveDate::max);
    for date in (0..DAYS).filter_map(|days| newest.checked_sub_days(chrono::Days::new(days))) {
        let sums = Day::of(state, Which::Date(date), read_until).sums(&state.store).await?;
        let is_shown = asked.day.map_or(is_one_date && date == today.date, |asked| asked == date);
        total = total.plus(sum_of(&sums));
        // A day without a call says nothing, unless it is the one asked for.
        if !sums.is_empty() || is_shown {
            days.push(DaySum {
                label: date.format("%a %-d %b").to_string(),
                href: Asked::href(Some(date), None),
                is_shown,
                sum: sum_of(&sums),
            });
        }
    }
    let name = |id: &QueueId| names.get(id).cloned().unwrap_or_else(|| id.to_string());
    let mut queues: Vec<QueueDay> = sums
        .into_iter()
        .map(|(id, sum)| QueueDay {
            name: name(&id),
            day: shown.part_of(&id).filter(|part| part.zone != state.home).map(|part| {
                let zone = local_zone(part.zone, part.of.from).label;
                format!("{}, {zone}", part.date.format("%a %-d %b"))
            }),
            href: Asked::href(asked.day, Some(&id)),
            sum,
        })
        .collect();
    queues.sort_by(|a, b| a.name.cmp(&b.name));
    // Who is still awaited is only counted: the list would be all of today's calls.
    let unwritten = if shown.is_closed { Unwritten::Listed } else { Unwritten::LeftOut };
    let only = asked.queue.as_ref();
    let mut calls = shown.calls(&state.store, only, MOST_CALLS + 1, unwritten).await?;
    let has_more = calls.len() > MOST_CALLS as usize;
    calls.truncate(MOST_CALLS as usize);
    let gaps = gaps(state, &shown).await?;
    let in_question = |stay: DifferingStay| CallInQuestion {
        call_id: stay.call_id.to_string(),
        queue: name(&stay.queue_id),
        in_gap: is_in_gap(&stay, &gaps),
        live: stay.live,
        record: stay.record,
        class: stay.class,
    };
    let day = DayInFull {
        title: match asked.day {
            None => format!("Today, {}", shown.date.format("%A %-d %B %Y")),
            Some(date) => date.format("%A %-d %B %Y").to_string(),
        },
        is_today: asked.day.is_none(),
        zone: local_zone(state.home, shown.from),
        queues,
        is_closed: shown.is_closed,
        calls: calls.into_iter().map(in_question).collect(),
        has_more,
        only: asked.queue.map(|id| OnlyQueue { name: name(&id), all_href: Asked::href(asked.day, None) }),
    };
    let zone = local_zone(state.home, now);
    let reading = state.record.borrow().reading();
    Ok(ReconciliationPage {
        site: state.site.site(),
        as_of: now,
        zone,
        trust: board.map(|board| board.trust.clone()),
        total,
        days,
        day,
        read_until,
        reading,
    })
}

/// The zones of queues that have one of their own.
fn zones(state: &AppState) -> BTreeMap<QueueId, String> {
    let directory = state.queues.borrow();
    let zone = |queue: &DirectoryQueue| Some((queue.id.clone(), queue.zone.as_ref()?.as_str().to_owned()));
    directory.queues.iter().filter_map(zone).collect()
}

/// The names of queues as the board has them now.
fn names(board: Option<&Published>) -> BTreeMap<QueueId, String> {
    let rows = board.into_iter().flat_map(|board| &board.rows);
    rows.map(|row| (row.view.id.clone(), row.view.name.clone())).collect()
}

async fn gaps(state: &AppState, day: &Day) -> Result<Vec<Gap>, StoreError> {
    let gaps = state.store.gaps_since(day.from).await?;
    Ok(gaps.into_iter().map(|stored| stored.gap).filter(|gap| gap.from < day.to + DAY_LASTS_ON).collect())
}

fn is_in_gap(stay: &DifferingStay, gaps: &[Gap]) -> bool {
    let overlaps =
        |told: &Told, gap: &Gap| told.left_at >= gap.from && gap.to.is_none_or(|to| told.entered_at <= to);
    [stay.live, stay.record].iter().flatten().any(|told| gaps.iter().any(|gap| overlaps(told, gap)))
}

fn by_queue(counts: &[ClassCount], is_closed: bool) -> BTreeMap<QueueId, Reconciliation> {
    let mut sums: BTreeMap<QueueId, Reconciliation> = BTreeMap::new();
    for ClassCount { queue_id, class, count } in counts {
        sums.entry(queue_id.clone()).or_default().add(class, *count, is_closed);
    }
    sums
}

/// A day held against the record.
#[derive(Debug, Serialize)]
pub(super) struct DayJson {
    day: String,
    from: String,
    to: String,
    zone: &'static str,
    /// Everything written down of the day was read.
    closed: bool,
    unexplained: u32,
    queues: Vec<QueueJson>,
    /// At most 5,000.
    calls: Vec<CallJson>,
}

#[derive(Debug, Serialize)]
struct QueueJson {
    queue_id: String,
    name: Option<String>,
    /// By which its day is cut.
    zone: String,
    /// Its own date: today need not be the same date everywhere.
    day: Option<String>,
    live: Counts,
    record: Counts,
    corrected: u32,
    corrected_times: u32,
    awaited: u32,
    unexplained: u32,
}

#[derive(Debug, Serialize)]
struct CallJson {
    call_id: String,
    queue_id: String,
    live: Option<ToldJson>,
    record: Option<ToldJson>,
    difference: Option<&'static str>,
    /// Why the queue sent the caller elsewhere, where the record tells.
    overflow_reason: Option<&'static str>,
    standing: &'static str,
    in_gap: bool,
    read_at: Option<String>,
}

/// A visit as it was told, by live messages or by the record.
#[derive(Debug, Serialize)]
pub(super) struct ToldJson {
    outcome: &'static str,
    presumed: bool,
    entered_at: String,
    left_at: String,
}

impl From<Told> for ToldJson {
    fn from(told: Told) -> Self {
        Self {
            outcome: told.outcome.word(),
            presumed: told.presumed,
            entered_at: format_rfc3339(told.entered_at),
            left_at: format_rfc3339(told.left_at),
        }
    }
}

/// `GET /api/v1/reconciliation?day&queue`
pub(super) async fn json(State(state): State<AppState>, request: Request) -> Result<Json<DayJson>, ApiError> {
    let asked = read_query(request.uri(), Asked::parse)
        .map_err(|problems| ApiError::BadQuestion { problem: problems.join(" ") })?;
    day_json(&state, asked).await.map(Json).map_err(|error| {
        tracing::warn!(error = telemetry::chain(&error), "failed to read a day's stays");
        ApiError::StoreUnreadable
    })
}

async fn day_json(state: &AppState, asked: Asked) -> Result<DayJson, StoreError> {
    let read_until = state.store.record_walk().await?.map(|walk| walk.read_until);
    let which = asked.day.map_or(Which::Today(clock::now()), Which::Date);
    let day = Day::of(state, which, read_until);
    let names = names(state.keeper.board(BoardKey::All).await.ok().flatten().as_deref());
    let mut sums = day.sums(&state.store).await?;
    sums.retain(|id, _| asked.queue.as_ref().is_none_or(|only| only == id));
    let (only, unwritten) = (asked.queue.as_ref(), Unwritten::Listed);
    let calls = day.calls(&state.store, only, MOST_CALLS_JSON, unwritten).await?;
    let gaps = gaps(state, &day).await?;
    // As the installation's zone has it; queues in other zones have days of their own.
    let (from, to) = clock::day_of(state.home, day.date);
    let zones = zones(state);
    let call = |stay: DifferingStay| CallJson {
        in_gap: is_in_gap(&stay, &gaps),
        standing: word(stay.class.standing(day.is_closed)),
        call_id: stay.call_id.to_string(),
        queue_id: stay.queue_id.to_string(),
        live: stay.live.map(Into::into),
        record: stay.record.map(Into::into),
        difference: stay.class.difference.map(|difference| difference.word()),
        overflow_reason: stay.overflow.map(|reason| reason.word()),
        read_at: stay.read_at.map(format_rfc3339),
    };
    let queue = |(id, sum): (QueueId, Reconciliation)| QueueJson {
        name: names.get(&id).cloned(),
        zone: zones.get(&id).cloned().unwrap_or_else(|| state.home.name().to_owned()),
        day: day.part_of(&id).map(|part| part.date.to_string()),
        queue_id: id.to_string(),
        live: sum.live,
        record: sum.record,
        corrected: sum.corrected,
        corrected_times: sum.corrected_times,
        awaited: sum.awaited.offered,
        unexplained: sum.unexplained,
    };
    Ok(DayJson {
        day: day.date.to_string(),
        from: format_rfc3339(from),
        to: format_rfc3339(to),
        zone: state.home.name(),
        closed: day.is_closed,
        unexplained: sums.values().map(|sum| sum.unexplained).sum(),
        queues: sums.into_iter().map(queue).collect(),
        calls: calls.into_iter().map(call).collect(),
    })
}

fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Agreed => "agreed",
        Standing::Corrected => "corrected",
        Standing::Awaited => "awaited",
        Standing::Unexplained => "unexplained",
    }
}

#[cfg(test)]
mod tests {
    use domain::{id::ZoneName, outcome::Outcome, reconciliation::Class, service_level::ServiceLevelPolicy};

    use super::*;

    #[test]
    fn a_stay_is_in_a_gap_when_any_of_it_was() {
        let at = Timestamp::from_millis;
        let told =
            Told { entered_at: at(100), left_at: at(200), outcome: Outcome::Answered, presumed: false };
        let stay = DifferingStay {
            call_id: "7".into(),
            queue_id: "q".into(),
            live: None,
            record: Some(told),
            overflow: None,
            read_at: None,
            class: Class { live: None, record: Some(Outcome::Answered), difference: None, is_recorded: true },
        };
        let is_in = |from, to: Option<i64>| is_in_gap(&stay, &[Gap { from: at(from), to: to.map(at) }]);
        assert!(is_in(150, Some(160)) && is_in(0, Some(100)) && is_in(200, None) && is_in(0, None));
        assert!(!is_in(0, Some(99)) && !is_in(201, None) && !is_in(201, Some(300)));
    }

    #[test]
    fn a_day_is_cut_by_each_queues_own_zone_and_closed_when_it_is_over_everywhere() {
        let queue = |id: &str, zone: Option<&str>| DirectoryQueue {
            id: id.into(),
            extension_id: None,
            name: id.to_owned(),
            extension_number: None,
            zone: zone.map(ZoneName::new),
            members: None,
            policy: ServiceLevelPolicy::default(),
            wrap_up: None,
            max_wait: None,
        };
        let queues = vec![
            queue("here", Some("Europe/Berlin")),
            queue("west", Some("America/New_York")),
            queue("unknown", None),
            queue("odd", Some("Mars/Olympus")),
        ];
        let (date, at) = ("2026-11-25".parse().unwrap(), |text: &str| clock::parse_rfc3339(text).unwrap());
        let cut = |read_until: &str| {
            let directory = Directory { queues: queues.clone() };
            Day::cut(Tz::Europe__Berlin, &directory, Which::Date(date), Some(at(read_until)))
        };
        let day = cut("2026-11-26T06:59:59Z");
        let (berlin, new_york) = (at("2026-11-24T23:00:00Z"), at("2026-11-25T05:00:00Z"));
        let length = Duration::from_secs(86_400);
        let part = |zone, from, queues| {
            let of = DayOf { from, to: from + length, queues };
            Part { zone, date, of }
        };
        assert_eq!(
            day.parts,
            [
                part(Tz::Europe__Berlin, berlin, Queues::AllBut(vec!["west".into()])),
                part(Tz::America__New_York, new_york, Queues::Only(vec!["west".into()])),
            ]
        );
        assert_eq!((day.from, day.to, day.is_closed), (berlin, new_york + length, false));
        assert!(cut("2026-11-26T07:00:00Z").is_closed);

        // Two in the morning in Berlin is the evening before in New York.
        let directory = Directory { queues: queues.clone() };
        let now = Which::Today(at("2026-11-26T01:00:00Z"));
        let today = Day::cut(Tz::Europe__Berlin, &directory, now, None);
        let of = |queue: &str| today.part_of(&queue.into()).map(|part| part.date.to_string()).unwrap();
        assert_eq!(
            (of("here"), of("west"), of("gone")),
            ("2026-11-26".into(), "2026-11-25".into(), "2026-11-26".into())
        );
        assert!(today.has_several_dates() && !day.has_several_dates());
    }

    #[test]
    fn an_address_is_read_or_refused_with_reasons() {
        let asked = Asked::parse(vec![("day", "2026-11-25"), ("queue", "q 7")]).unwrap();
        let (day, queue) = (asked.day.unwrap(), asked.queue.unwrap());
        assert_eq!(Asked::href(Some(day), Some(&queue)), "/reconciliation?day=2026-11-25&queue=q%207#calls");
        assert_eq!(Asked::href(None, None), "/reconciliation", "today");
        assert_eq!(Asked::parse(vec![("day", "25.11."), ("zone", "UTC")]).unwrap_err().len(), 2);
    }
}
