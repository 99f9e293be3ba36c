//! The list of finished calls and of their visits to queues: as a page, and as JSON.

mod asked;

use std::collections::BTreeMap;

use app::{
    address,
    components::{
        form_fields::{Choice, FormTime},
        times::TimeLink,
    },
    document::PageLink,
    pages::{
        calls::{ActiveFilter, CallRow, CallsForm, CallsPage, ListCount, SortLink, calls_page},
        problem::ProblemPage,
    },
};
use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use chrono_tz::Tz;
use domain::{
    history::Difference,
    id::QueueId,
    outcome::Outcome,
    time::{Timestamp, clock_face},
};
use leptos::prelude::IntoAny as _;
use serde::Serialize;

use self::asked::{Address, AskedCalls, sort_word};
use super::{
    error::ApiError,
    pages::{not_ready, problem_page_of, read_query},
    rendered::RenderedPage,
    router::AppState,
    span::{Span, form_time, local_time},
};
use crate::{
    clock::{self, format_rfc3339},
    publish::BoardKey,
    store::{CallQuestion, Credit, DEADLINE, Direction, FoundCall, FoundCalls, RowCount, SeekError, Sort},
    telemetry,
};

/// Rows of a page.
const ROWS: u32 = 50;
/// Rows that a program gets at once.
const ROWS_JSON: u32 = 200;

/// The record's words for how a call ended.
const RESULTS: [&str; 20] = [
    "answered",
    "accepted",
    "picked_up",
    "connected",
    "succeeded",
    "voicemail",
    "hang_up",
    "canceled",
    "call_failed",
    "unconnected",
    "rejected",
    "busy",
    "ring_timeout",
    "overflowed",
    "no_answer",
    "invalid_key",
    "invalid_operation",
    "abandoned",
    "system_blocked",
    "service_unavailable",
];

fn parse(state: &AppState, request: &Request) -> Result<Address, Vec<String>> {
    let key = &state.store.installation().id;
    read_query(request.uri(), |pairs| Address::parse(pairs, state.home, key))
}

/// `GET /calls`
pub(super) async fn page(State(state): State<AppState>, request: Request) -> Response {
    let address = match parse(&state, &request) {
        Ok(address) => address,
        Err(problems) => {
            let next = PageLink::new("All calls", "/calls");
            return problem_page_of(&request, ProblemPage::bad_address(state.site.site(), problems, next));
        }
    };
    let Address { asked, after, is_plain } = address;
    if !is_plain {
        let after = after.map(|after| asked.cursor(&after, &state.store.installation().id));
        return Redirect::temporary(&asked.href("/calls", after)).into_response();
    }
    let question = asked.question();
    match state.store.find_calls(&question, after.as_ref(), ROWS, DEADLINE).await {
        Ok(found) => {
            let names = names(&state).await;
            let page = prepare(&state, &asked, &question, found, after.is_some(), &names);
            RenderedPage::of(|| calls_page(page).into_any()).respond(StatusCode::OK, request.headers())
        }
        Err(SeekError::TooLong) => problem_page_of(&request, too_long(&state, &asked)),
        Err(SeekError::Busy) => problem_page_of(&request, ProblemPage::busy(state.site.site())),
        Err(SeekError::Store(error)) => {
            tracing::warn!(error = telemetry::chain(&error), "failed to read a list of calls");
            not_ready(&state, &request)
        }
    }
}

fn too_long(state: &AppState, asked: &AskedCalls) -> ProblemPage {
    let today = day_span(asked.span.zone_or(state.home), clock::now(), 0, 1);
    ProblemPage {
        site: state.site.site(),
        status: 422,
        title: "Finding these calls takes too long".to_owned(),
        explanation: vec![
            format!(
                "A list of calls has {} s to be found, so that boards never wait for it. Within that time this one was not.",
                DEADLINE.as_secs()
            ),
            "Ask for a shorter time, with from and to, or for the order of time instead of waits.".to_owned(),
        ],
        problems: Vec::new(),
        next: vec![
            PageLink::new(
                "The same of today",
                asked.of_time(Span { zone: asked.span.zone, ..today }).href("/calls", None),
            ),
            PageLink::new("All calls", "/calls"),
        ],
        is_awaited: false,
    }
}

/// The names of queues, as the directory and the board have them now.
pub(super) async fn names(state: &AppState) -> BTreeMap<QueueId, String> {
    let board = state.keeper.board(BoardKey::All).await.ok().flatten();
    let directory = state.queues.borrow();
    let known = directory.queues.iter().map(|queue| (queue.id.clone(), queue.name.clone()));
    let shown = board.iter().flat_map(|board| &board.rows);
    known.chain(shown.map(|row| (row.view.id.clone(), row.view.name.clone()))).collect()
}

/// Local days: from the midnight so many days ago, so many days long.
fn day_span(zone: Tz, now: Timestamp, ago: u64, days: u64) -> Span {
    let today = clock::date_of(zone, now);
    let date = |ago| today.checked_sub_days(chrono::Days::new(ago)).unwrap_or(today);
    let from = clock::day_of(zone, date(ago)).0;
    let to = clock::day_of(zone, date((ago + 1).saturating_sub(days))).1;
    Span { from: Some(from), to: Some(to), zone: None }
}

fn prepare(
    state: &AppState,
    asked: &AskedCalls,
    question: &CallQuestion,
    found: FoundCalls,
    is_later_page: bool,
    names: &BTreeMap<QueueId, String>,
) -> CallsPage {
    let zone = asked.span.zone_or(state.home);
    let href = |asked: &AskedCalls| asked.href("/calls", None);
    let sorted = |sort| href(&asked.sorted(sort));
    let is_about_visits = question.is_about_visits();
    let next = found.next.as_ref().map(|next| asked.cursor(next, &state.store.installation().id));
    let time_heading = match question.credit {
        _ if !is_about_visits => "Began",
        Some(Credit::Left) => "Left",
        _ => "Entered",
    };
    CallsPage {
        site: state.site.site(),
        zone: zone.name().to_owned(),
        is_about_visits,
        count: match found.count {
            RowCount::Exactly(count) => ListCount::Exactly(count),
            RowCount::MoreThan(most) => ListCount::MoreThan(most),
            RowCount::Uncounted => ListCount::Uncounted,
        },
        filters: filters(asked, zone, names),
        times: times(asked, zone, clock::now()),
        form: form(state, asked, question, names),
        time_heading,
        by_time: match question.sort {
            Sort::Newest => SortLink { href: sorted(Sort::Oldest), descending: Some(true) },
            Sort::Oldest => SortLink { href: sorted(Sort::Newest), descending: Some(false) },
            _ => SortLink { href: sorted(Sort::Newest), descending: None },
        },
        by_wait: match question.sort {
            Sort::LongestWait => SortLink { href: sorted(Sort::ShortestWait), descending: Some(true) },
            Sort::ShortestWait => SortLink { href: sorted(Sort::LongestWait), descending: Some(false) },
            _ => SortLink { href: sorted(Sort::LongestWait), descending: None },
        },
        rows: found.rows.into_iter().map(|call| row(call, zone, names)).collect(),
        first: is_later_page.then(|| href(asked)),
        next: next.map(|next| asked.href("/calls", Some(next))),
    }
}

fn times(asked: &AskedCalls, zone: Tz, now: Timestamp) -> Vec<TimeLink> {
    let days = |ago, days| day_span(zone, now, ago, days);
    [
        ("Today", days(0, 1)),
        ("Yesterday", days(1, 1)),
        ("Last 7 days", days(6, 7)),
        ("Last 30 days", days(29, 30)),
        ("All", Span::default()),
    ]
    .into_iter()
    .map(|(label, span)| {
        let span = Span { zone: asked.span.zone, ..span };
        TimeLink { label, href: asked.of_time(span).href("/calls", None), is_shown: span == asked.span }
    })
    .collect()
}

/// What is asked for, in words.
fn filters(asked: &AskedCalls, zone: Tz, names: &BTreeMap<QueueId, String>) -> Vec<ActiveFilter> {
    let instant =
        |value: &str| clock::parse_instant(value).map_or_else(|| value.to_owned(), |at| local_time(zone, at));
    let words = |name: &str, value: &str| {
        let label = match name {
            "from" => format!("from {}", instant(value)),
            "to" => format!("before {}", instant(value)),
            "zone" => format!("times of {value}"),
            "queue" => format!("queue {}", name_of(names, &QueueId::new(value))),
            "outcome" => {
                Outcome::parse(value).map_or_else(|| value.to_owned(), |outcome| outcome.words().to_owned())
            }
            "credit" if value == "left" => "by when the outcome came about".to_owned(),
            "credit" => "by when the caller entered".to_owned(),
            "late" if value == "1" => "answered later than promised".to_owned(),
            "late" => "answered within the promised time".to_owned(),
            "direction" => format!("{value} calls"),
            "wait_min" => format!("waited {value} s or more"),
            "wait_max" => format!("waited less than {value} s"),
            "number" => format!("number with {value}"),
            "result" => format!("call ended as {}", spoken(value)),
            _ => return None,
        };
        Some(label)
    };
    let filter = |(name, value): (&'static str, String)| {
        let without = asked.without(name, &value).href("/calls", None);
        Some(ActiveFilter { label: words(name, &value)?, without })
    };
    asked.pairs().into_iter().filter_map(filter).collect()
}

/// A word of the record as people say it.
pub(super) fn spoken(word: &str) -> String {
    word.replace('_', " ")
}

pub(super) fn name_of(names: &BTreeMap<QueueId, String>, id: &QueueId) -> String {
    names.get(id).cloned().unwrap_or_else(|| id.to_string())
}

fn form(
    state: &AppState,
    asked: &AskedCalls,
    question: &CallQuestion,
    names: &BTreeMap<QueueId, String>,
) -> CallsForm {
    let zone = asked.span.zone_or(state.home);
    let time = |at: Option<Timestamp>| {
        at.map_or_else(FormTime::default, |at| {
            let (value, is_local) = form_time(zone, at);
            FormTime { value, is_instant: !is_local }
        })
    };
    let choices = |chosen: Option<&str>, all: &[(&str, &str)]| {
        let choice = |(value, label): &(&str, &str)| Choice {
            value: (*value).to_owned(),
            label: (*label).to_owned(),
            is_chosen: chosen.unwrap_or_default() == *value,
        };
        all.iter().map(choice).collect::<Vec<_>>()
    };
    let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    let mut queues: Vec<Choice> = names
        .iter()
        .map(|(id, name)| (id, name.clone()))
        .chain(question.queues.iter().filter(|id| !names.contains_key(id)).map(|id| (id, id.to_string())))
        .map(|(id, label)| Choice { value: id.to_string(), label, is_chosen: question.queues.contains(id) })
        .collect();
    queues.sort_by(|a, b| a.label.cmp(&b.label));
    let outcomes = Outcome::ALL.into_iter().filter(|outcome| *outcome != Outcome::Waiting);
    let outcomes = outcomes.map(|outcome| Choice {
        value: outcome.word().to_owned(),
        label: outcome.words().to_owned(),
        is_chosen: question.outcomes.contains(&outcome),
    });
    let mut results = choices(question.result.as_deref(), &[("", "anything")]);
    let other = question.result.as_deref().filter(|word| !RESULTS.contains(word));
    results.extend(RESULTS.into_iter().chain(other).map(|word| Choice {
        value: word.to_owned(),
        label: spoken(word),
        is_chosen: question.result.as_deref() == Some(word),
    }));
    let late = question.late.map(|late| if late { "1" } else { "0" });
    CallsForm {
        from: time(question.from),
        to: time(question.to),
        zone: asked.span.zone.map(|zone| zone.name().to_owned()).unwrap_or_default(),
        home_zone: state.home.name().to_owned(),
        queues,
        outcomes: outcomes.collect(),
        credit: choices(
            question.credit.map(asked::credit_word),
            &[
                ("", "entered, or the call began"),
                ("entered", "entered the queue"),
                ("left", "left the queue"),
            ],
        ),
        late: choices(
            late,
            &[("", "or not"), ("0", "within the promised time"), ("1", "later than promised")],
        ),
        direction: choices(
            question.direction.map(Direction::word),
            &[("", "in and out"), ("inbound", "inbound"), ("outbound", "outbound")],
        ),
        wait_min: number(question.wait_min),
        wait_max: number(question.wait_max),
        number: question.number.clone().unwrap_or_default(),
        result: results,
        sort: (question.sort != Sort::default()).then(|| sort_word(question.sort)),
    }
}

fn row(call: FoundCall, zone: Tz, names: &BTreeMap<QueueId, String>) -> CallRow {
    let visit = call.visit.as_ref();
    let outcome = visit.map(|visit| match visit.overflow {
        Some(reason) => format!("{}: {}", visit.outcome.words(), reason.words()),
        None => visit.outcome.words().to_owned(),
    });
    let sure = match visit.map(|visit| (visit.is_recorded, visit.difference)) {
        Some((_, Some(Difference::NotInRecord))) => "live; the record lacks it",
        Some((true, Some(Difference::Missed))) => "measured; not seen live",
        Some((true, Some(_))) => "measured, corrected",
        Some((true, None)) => "measured",
        Some((false, _)) => "live",
        None if call.result.is_some() => "measured",
        None => "measured in part",
    };
    let is_known = call.result.is_some() || call.direction.is_some();
    let unnamed = if is_known { "Withheld" } else { "Not known yet" };
    let further = call.visits.saturating_sub(1);
    let words = [call.direction.clone(), call.result.as_deref().map(spoken)];
    let lasted = |from: Timestamp, to: Timestamp| clock_face(to.since(from));
    CallRow {
        href: address::journey_of(&call.call_id),
        time: local_time(zone, call.at),
        instant: format_rfc3339(call.at),
        queue: visit.map_or_else(|| "none".to_owned(), |visit| name_of(names, &visit.queue_id)),
        further: (further > 0).then(|| format!("{} visits in all", call.visits)),
        caller: call
            .caller_name
            .clone()
            .or_else(|| call.caller_number.clone())
            .unwrap_or_else(|| unnamed.to_owned()),
        number: call.caller_number.filter(|_| call.caller_name.is_some()),
        outcome,
        is_lost: visit.is_some_and(|visit| visit.outcome == Outcome::Abandoned),
        wait: visit.map(|visit| clock_face(visit.wait())),
        is_late: visit.and_then(|visit| visit.is_late()).unwrap_or(false),
        call: words.into_iter().flatten().collect::<Vec<_>>().join(", "),
        length: call.started_at.zip(call.ended_at).map(|(from, to)| lasted(from, to)),
        sure,
    }
}

/// A part of a list.
#[derive(Debug, Serialize)]
pub(super) struct CallsJson {
    /// `visits` or `calls`.
    rows: &'static str,
    /// Of the whole list; null when there are too many to be counted in time.
    count: Option<u32>,
    /// There are more than that.
    count_exceeded: bool,
    from: Option<String>,
    to: Option<String>,
    zone: &'static str,
    calls: Vec<CallJson>,
    /// The rest of the list.
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize)]
struct CallJson {
    call_id: String,
    /// Visits of the call.
    visits: u32,
    queue_id: Option<String>,
    queue: Option<String>,
    entered_at: Option<String>,
    left_at: Option<String>,
    outcome: Option<&'static str>,
    overflow_reason: Option<&'static str>,
    wait_seconds: Option<f64>,
    threshold_seconds: Option<u32>,
    late: Option<bool>,
    /// The call's record was read.
    measured: bool,
    difference: Option<&'static str>,
    direction: Option<String>,
    caller_name: Option<String>,
    caller_number: Option<String>,
    result: Option<String>,
    started_at: Option<String>,
    ended_at: Option<String>,
}

/// `GET /api/v1/calls`
pub(super) async fn json(
    State(state): State<AppState>,
    request: Request,
) -> Result<Json<CallsJson>, ApiError> {
    let Address { asked, after, .. } =
        parse(&state, &request).map_err(|problems| ApiError::BadQuestion { problem: problems.join(" ") })?;
    let question = asked.question();
    let found = state.store.find_calls(&question, after.as_ref(), ROWS_JSON, DEADLINE).await?;
    let names = names(&state).await;
    let (count, count_exceeded) = match found.count {
        RowCount::Exactly(count) => (Some(count), false),
        RowCount::MoreThan(most) => (Some(most), true),
        RowCount::Uncounted => (None, true),
    };
    Ok(Json(CallsJson {
        rows: if question.is_about_visits() { "visits" } else { "calls" },
        count,
        count_exceeded,
        from: question.from.map(format_rfc3339),
        to: question.to.map(format_rfc3339),
        zone: asked.span.zone_or(state.home).name(),
        next_cursor: found.next.map(|next| asked.cursor(&next, &state.store.installation().id)),
        calls: found.rows.into_iter().map(|call| call_json(call, &names)).collect(),
    }))
}

fn call_json(call: FoundCall, names: &BTreeMap<QueueId, String>) -> CallJson {
    let visit = call.visit.as_ref();
    CallJson {
        call_id: call.call_id.to_string(),
        visits: call.visits,
        queue_id: visit.map(|visit| visit.queue_id.to_string()),
        queue: visit.and_then(|visit| names.get(&visit.queue_id).cloned()),
        entered_at: visit.map(|visit| format_rfc3339(visit.entered_at)),
        left_at: visit.map(|visit| format_rfc3339(visit.left_at)),
        outcome: visit.map(|visit| visit.outcome.word()),
        overflow_reason: visit.and_then(|visit| visit.overflow).map(|reason| reason.word()),
        wait_seconds: visit.map(|visit| visit.wait().as_secs_f64()),
        threshold_seconds: visit.map(|visit| visit.threshold_seconds),
        late: visit.and_then(|visit| visit.is_late()),
        measured: visit.map_or(call.result.is_some(), |visit| visit.is_recorded),
        difference: visit.and_then(|visit| visit.difference).map(Difference::word),
        direction: call.direction,
        caller_name: call.caller_name,
        caller_number: call.caller_number,
        result: call.result,
        started_at: call.started_at.map(format_rfc3339),
        ended_at: call.ended_at.map(format_rfc3339),
    }
}
