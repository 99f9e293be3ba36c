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
use domain::{
    history::Told,
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
    publish::BoardKey,
    store::{ClassCount, DifferingStay, StoreError, Unwritten},
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
                "day" => match value.parse() {
                    Ok(day) => asked.day = Some(day),
                    Err(_) => problems.push("day is a date such as 2026-11-25.".to_owned()),
                },
                "queue" if !value.is_empty() => asked.queue = Some(QueueId::new(value)),
                _ => problems.push("This page knows day and queue only.".to_owned()),
            }
        }
        if problems.is_empty() { Ok(asked) } else { Err(problems) }
    }

    fn href(day: NaiveDate, queue: Option<&QueueId>) -> String {
        let queue = queue.map(|id| {
            let id = percent_encoding::utf8_percent_encode(id.as_str(), percent_encoding::NON_ALPHANUMERIC);
            format!("&queue={id}#calls")
        });
        format!("/reconciliation?day={day}{}", queue.unwrap_or_default())
    }
}

/// One local day.
#[derive(Debug, Clone, Copy)]
struct Day {
    date: NaiveDate,
    from: Timestamp,
    to: Timestamp,
    /// All that was written down of it has been read.
    is_closed: bool,
}

impl Day {
    fn of(state: &AppState, date: NaiveDate, read_until: Option<Timestamp>) -> Self {
        let (from, to) = clock::day_of(state.home, date);
        Self { date, from, to, is_closed: read_until.is_some_and(|until| until >= to + DAY_LASTS_ON) }
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
    let today = clock::date_of(state.home, now);
    let shown = Day::of(state, asked.day.unwrap_or(today), read_until);
    let names = names(state).await;
    let mut days = Vec::new();
    for date in (0..DAYS).filter_map(|days| today.checked_sub_days(chrono::Days::new(days))) {
        let day = Day::of(state, date, read_until);
        let sums = by_queue(&state.store.stay_classes(day.from, day.to).await?, day.is_closed);
        // A day without a call says nothing, unless it is the one asked for.
        if !sums.is_empty() || date == shown.date {
            days.push(DaySum {
                label: date.format("%a %-d %b").to_string(),
                href: Asked::href(date, None),
                is_shown: date == shown.date,
                sum: sums.values().fold(Reconciliation::default(), |total, sum| total.plus(*sum)),
            });
        }
    }
    let sums = by_queue(&state.store.stay_classes(shown.from, shown.to).await?, shown.is_closed);
    let name = |id: &QueueId| names.get(id).cloned().unwrap_or_else(|| id.to_string());
    let mut queues: Vec<QueueDay> = sums
        .into_iter()
        .map(|(id, sum)| QueueDay { name: name(&id), href: Asked::href(shown.date, Some(&id)), sum })
        .collect();
    queues.sort_by(|a, b| a.name.cmp(&b.name));
    // Who is still awaited is only counted: the list would be all of today's calls.
    let unwritten = if shown.is_closed { Unwritten::Listed } else { Unwritten::LeftOut };
    let only = asked.queue.as_ref();
    let mut calls =
        state.store.differing_stays(shown.from, shown.to, only, MOST_CALLS + 1, unwritten).await?;
    let has_more = calls.len() > MOST_CALLS as usize;
    calls.truncate(MOST_CALLS as usize);
    let gaps = gaps(state, shown).await?;
    let in_question = |stay: DifferingStay| CallInQuestion {
        call_id: stay.call_id.to_string(),
        queue: name(&stay.queue_id),
        in_gap: is_in_gap(&stay, &gaps),
        live: stay.live,
        record: stay.record,
        class: stay.class,
    };
    let day = DayInFull {
        title: shown.date.format("%A %-d %B %Y").to_string(),
        zone: local_zone(state.home, shown.from),
        queues,
        is_closed: shown.is_closed,
        calls: calls.into_iter().map(in_question).collect(),
        has_more,
        only: asked.queue.map(|id| OnlyQueue { name: name(&id), all_href: Asked::href(shown.date, None) }),
    };
    let zone = local_zone(state.home, now);
    Ok(ReconciliationPage { site: state.site.site(), as_of: now, zone, days, day, read_until })
}

/// The names of queues as the board has them now.
async fn names(state: &AppState) -> BTreeMap<QueueId, String> {
    let board = state.keeper.board(BoardKey::All).await.ok().flatten();
    let rows = board.iter().flat_map(|board| &board.rows);
    rows.map(|row| (row.view.id.clone(), row.view.name.clone())).collect()
}

async fn gaps(state: &AppState, day: Day) -> Result<Vec<Gap>, StoreError> {
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

#[derive(Debug, Serialize)]
struct ToldJson {
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
    let today = clock::date_of(state.home, clock::now());
    let read_until = state.store.record_walk().await?.map(|walk| walk.read_until);
    let day = Day::of(state, asked.day.unwrap_or(today), read_until);
    let names = names(state).await;
    let mut sums = by_queue(&state.store.stay_classes(day.from, day.to).await?, day.is_closed);
    sums.retain(|id, _| asked.queue.as_ref().is_none_or(|only| only == id));
    let (only, unwritten) = (asked.queue.as_ref(), Unwritten::Listed);
    let calls = state.store.differing_stays(day.from, day.to, only, MOST_CALLS_JSON, unwritten).await?;
    let gaps = gaps(state, day).await?;
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
        queue_id: id.to_string(),
        live: sum.live,
        record: sum.record,
        corrected: sum.corrected,
        corrected_times: sum.corrected_times,
        awaited: sum.awaited,
        unexplained: sum.unexplained,
    };
    Ok(DayJson {
        day: day.date.to_string(),
        from: format_rfc3339(day.from),
        to: format_rfc3339(day.to),
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
    use domain::{outcome::Outcome, reconciliation::Class};

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
    fn an_address_is_read_or_refused_with_reasons() {
        let asked = Asked::parse(vec![("day", "2026-11-25"), ("queue", "q 7")]).unwrap();
        let (day, queue) = (asked.day.unwrap(), asked.queue.unwrap());
        assert_eq!(Asked::href(day, Some(&queue)), "/reconciliation?day=2026-11-25&queue=q%207#calls");
        assert_eq!(Asked::parse(vec![("day", "25.11."), ("zone", "UTC")]).unwrap_err().len(), 2);
    }
}
