//! The journey of one call: as a page, and as JSON.

use std::{collections::BTreeMap, time::Duration};

use app::{
    address,
    document::PageLink,
    pages::{
        call::{
            CallPage, JourneyBlock, JourneyRow, LiveNow, RawEvent, RawEvents, RawStep, TimeAxis, VisitSides,
            call_page,
        },
        problem::ProblemPage,
    },
};
use axum::{
    Json,
    extract::{Path, Request, State, rejection::PathRejection},
    http::StatusCode,
    response::Response,
};
use chrono_tz::Tz;
use domain::{
    board::LiveCall,
    fact::StationKind,
    history::Difference,
    id::{CallId, QueueId},
    journey::{Block, BlockKind, Journey, Station, Step, Way},
    time::{Timestamp, clock_face},
};
use leptos::prelude::IntoAny as _;
use serde::Serialize;
use serde_json::Value;

use super::{
    calls::{name_of, names, spoken},
    error::ApiError,
    pages::{not_ready, problem_page_of},
    reconciliation::ToldJson,
    rendered::RenderedPage,
    router::AppState,
    span::local_time,
};
use crate::{
    clock::{self, format_rfc3339},
    store::{CallFile, ElementRow, FiledVisit, StoreError},
    telemetry,
    zoom::record,
};

/// What is longer is no call's id.
const LONGEST_ID: usize = 200;
/// Events of a call come this long after it at most.
const AFTERMATH: Duration = Duration::from_secs(30 * 60);
/// Events that are older are packed.
const UNPACKED: Duration = Duration::from_secs(24 * 3600);
/// The width of the axis.
const WIDTH: u64 = 1_000;

/// A call that is known.
struct Known {
    file: CallFile,
    journey: Option<Journey>,
    live: Option<LiveCall>,
}

/// What is known of a call; `None` when nothing is.
async fn look_up(state: &AppState, call_id: &CallId) -> Result<Option<Known>, StoreError> {
    if call_id.as_str().len() > LONGEST_ID {
        return Ok(None);
    }
    let file = state.store.call_file(call_id).await?;
    let calls = state.keeper.live_calls().await.unwrap_or_default();
    let live = calls.into_iter().find(|call| call.call_id == *call_id);
    if file.is_none() && live.is_none() {
        return Ok(None);
    }
    let file = file.unwrap_or(CallFile { records: Vec::new(), elements: Vec::new(), visits: Vec::new() });
    let names = names(state).await;
    let journey = Journey::of(&steps(&file, &names));
    Ok(Some(Known { file, journey, live }))
}

/// The steps that were written down; of a call without them, its visits as live events told them.
fn steps(file: &CallFile, names: &BTreeMap<QueueId, String>) -> Vec<Step> {
    if !file.elements.is_empty() {
        return file.elements.iter().map(record::step).collect();
    }
    let step = |visit: &FiledVisit| Step {
        to: Station {
            kind: Some(StationKind::CallQueue),
            name: Some(name_of(names, &visit.queue_id)),
            number: None,
        },
        started_at: Some(visit.counts.entered_at),
        ended_at: Some(visit.counts.left_at),
        ..Step::default()
    };
    file.visits.iter().map(step).collect()
}

/// `GET /calls/{call}`
pub(super) async fn page(
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let Ok(Path(id)) = id else { return unknown(&state, &request) };
    let call_id = CallId::new(id);
    match look_up(&state, &call_id).await {
        Ok(Some(known)) => {
            let page = prepare(&state, call_id, known).await;
            RenderedPage::of(|| call_page(page).into_any()).respond(StatusCode::OK, request.headers())
        }
        Ok(None) => unknown(&state, &request),
        Err(error) => {
            tracing::warn!(error = telemetry::chain(&error), "failed to read a call");
            not_ready(&state, &request)
        }
    }
}

fn unknown(state: &AppState, request: &Request) -> Response {
    let why = "No event, no visit and no record of a call with this id is on file here. Ids are 19 digits, as Zoom's \
               record and the list of calls have them. What the record says of a call is known some minutes after its end."
        .to_owned();
    let next = PageLink::new("All calls", "/calls");
    let title = "This call is not known";
    problem_page_of(request, ProblemPage::past(state.site.site(), 404, title, why, next))
}

async fn prepare(state: &AppState, call_id: CallId, known: Known) -> CallPage {
    let Known { file, journey, live } = known;
    let zone = state.home;
    let names = names(state).await;
    let first = file.records.first();
    let element = file.elements.first();
    let caller_name = first
        .and_then(|record| record.caller_name.clone())
        .or_else(|| element.and_then(|element| element.caller_name.clone()));
    let caller_number = first
        .and_then(|record| record.caller_number.clone())
        .or_else(|| element.and_then(|element| element.caller_number.clone()));
    let caller = match (caller_name, &caller_number) {
        (Some(name), Some(number)) => Some(format!("{name}, {number}")),
        (Some(name), None) => Some(name),
        (None, number) => number.clone(),
    };
    let caller = caller.or_else(|| live.as_ref().and_then(|live| live.caller.clone()));
    let direction = first
        .and_then(|record| record.direction.clone())
        .or_else(|| element.and_then(|element| element.direction.clone()));
    let began = first.and_then(|record| record.started_at).map(Timestamp::from_millis);
    let ended = first.and_then(|record| record.ended_at).map(Timestamp::from_millis);
    let began = began.or_else(|| journey.as_ref().map(|journey| journey.from));
    let ended = ended.or_else(|| journey.as_ref().map(|journey| journey.to)).filter(|_| live.is_none());
    let is_outbound = direction.as_deref() == Some("outbound");
    let other_end = if is_outbound {
        file.elements.iter().find_map(|element| element.callee_number.clone())
    } else {
        caller_number
    };
    let mut facts = Vec::new();
    let mut say = |name: &'static str, value: Option<String>| facts.extend(value.map(|value| (name, value)));
    say("Caller", caller);
    say("Direction", direction);
    say("Result", first.and_then(|record| record.result.as_deref()).map(spoken));
    say("Began", began.map(|at| local_time(zone, at)));
    say("Ended", ended.map(|at| local_time(zone, at)));
    say("Lasted", began.zip(ended).map(|(from, to)| clock_face(to.since(from))));
    let mut identifiers = vec![("Call", call_id.to_string())];
    identifiers.extend(file.records.iter().map(|record| ("Record", record.record_id.clone())));
    let unique = |of: fn(&ElementRow) -> Option<&String>| {
        let mut ids: Vec<String> = file.elements.iter().filter_map(of).cloned().collect();
        ids.sort();
        ids.dedup();
        ids
    };
    identifiers.extend(unique(|row| row.recording_id.as_ref()).into_iter().map(|id| ("Recording", id)));
    identifiers.extend(unique(|row| row.voicemail_id.as_ref()).into_iter().map(|id| ("Voicemail", id)));
    CallPage {
        site: state.site.site(),
        zone: zone.name().to_owned(),
        facts,
        identifiers,
        links: other_end.as_deref().map(call_links).unwrap_or_default(),
        live: live.as_ref().map(|live| live_now(live, zone, &names)),
        axis: journey.as_ref().map(|journey| axis(journey, zone)),
        rows: journey.as_ref().map(|journey| rows(journey, zone)).unwrap_or_default(),
        is_recorded: !file.elements.is_empty(),
        visits: file.visits.iter().map(|visit| sides(visit, &names)).collect(),
        events: events(state, &call_id, began, ended, zone).await,
        steps: file.elements.iter().map(|row| raw_step(row, zone)).collect(),
    }
}

/// How to call a number back: by Zoom's client, and by whatever answers to `tel:`.
fn call_links(number: &str) -> Vec<PageLink> {
    let digits: String = number.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
    if digits.len() < 3 {
        return Vec::new();
    }
    vec![
        PageLink::new(format!("Call {number} with Zoom"), format!("zoomphonecall:{digits}")),
        PageLink::new(format!("Call {number} by phone"), format!("tel:{digits}")),
    ]
}

fn live_now(live: &LiveCall, zone: Tz, names: &BTreeMap<QueueId, String>) -> LiveNow {
    LiveNow {
        words: format!(
            "This call is going on: {} since {}.",
            live.phase.words(),
            local_time(zone, live.since)
        ),
        queue: live
            .queue_id
            .as_ref()
            .map(|id| PageLink::new(format!("The queue {}", name_of(names, id)), address::behind(id))),
    }
}

fn axis(journey: &Journey, zone: Tz) -> TimeAxis {
    let middle = journey.from + journey.to.since(journey.from) / 2;
    let clock =
        |at| local_time(zone, at).split_once(", ").map_or_else(String::new, |(_, time)| time.to_owned());
    TimeAxis { ticks: [journey.from, middle, journey.to].map(clock) }
}

/// The name of a party, and what it is.
fn who(station: &Station) -> (String, &'static str) {
    let kind = match &station.kind {
        Some(StationKind::CallQueue) => "queue",
        Some(StationKind::AutoReceptionist) => "menu",
        Some(StationKind::User) => "person",
        Some(StationKind::CommonArea) => "common phone",
        Some(StationKind::SharedLineGroup) => "shared line",
        Some(StationKind::Other(_)) | None => "phone",
    };
    let name = match (&station.name, &station.number) {
        (Some(name), Some(number)) => format!("{name} ({number})"),
        (Some(name), None) => name.clone(),
        (None, Some(number)) => number.clone(),
        (None, None) => "somebody".to_owned(),
    };
    (name, kind)
}

fn rows(journey: &Journey, zone: Tz) -> Vec<JourneyRow> {
    let length = u64::try_from(journey.to.since(journey.from).as_millis()).unwrap_or(u64::MAX).max(1);
    let place = |at: Timestamp| {
        let into = u64::try_from(at.since(journey.from).as_millis()).unwrap_or(u64::MAX).min(length);
        into.saturating_mul(WIDTH) / length
    };
    let block = |block: &Block| {
        // A step of no length is seen all the same.
        let from = place(block.from).min(WIDTH - 4);
        JourneyBlock {
            kind: block.kind.word(),
            words: block_words(block),
            from: local_time(zone, block.from),
            length: clock_face(block.to.since(block.from)),
            x: from,
            width: (place(block.to).saturating_sub(from)).max(4),
        }
    };
    let row = |row: &domain::journey::PartyRow| {
        let (name, kind) = who(&row.station);
        JourneyRow { name, kind, blocks: row.blocks.iter().map(block).collect() }
    };
    journey.parties.iter().map(row).collect()
}

fn block_words(block: &Block) -> String {
    let what = match block.kind {
        BlockKind::Menu => "in the menu",
        BlockKind::Waiting => "waiting in the queue",
        BlockKind::Ringing => "ringing",
        BlockKind::Talking => "talking",
        BlockKind::Parked => "parked",
        BlockKind::Voicemail => "voicemail",
        BlockKind::Monitoring => "listening in",
    };
    let way = match block.way {
        Some(Way::Overflow) => ", by overflow",
        Some(Way::Forward) => ", forwarded",
        Some(Way::Transfer) => ", transferred",
        Some(Way::Park | Way::Monitoring) | None => "",
    };
    let hold = if block.hold.is_zero() {
        String::new()
    } else {
        format!(", of it {} on hold", clock_face(block.hold))
    };
    format!("{what}{way}{hold}")
}

fn sides(visit: &FiledVisit, names: &BTreeMap<QueueId, String>) -> VisitSides {
    let outcome = match visit.overflow {
        Some(reason) => format!("{}: {}", visit.counts.outcome.words(), reason.words()),
        None => visit.counts.outcome.words().to_owned(),
    };
    VisitSides {
        queue: name_of(names, &visit.queue_id),
        queue_href: address::behind(&visit.queue_id),
        outcome,
        wait: clock_face(visit.counts.left_at.since(visit.counts.entered_at)),
        live: visit.live,
        record: visit.record,
        difference: match visit.difference {
            Some(Difference::Missed) => "Not seen live: no phone rang for it, or its events never came.",
            Some(Difference::NotInRecord) => "Zoom wrote the call down without this visit.",
            Some(Difference::Outcome) => "It ended otherwise than was shown live.",
            Some(Difference::Times) => "It began or ended at another time than was shown live.",
            None if visit.record.is_some() => "None.",
            None => "The record of this call was not read yet.",
        },
    }
}

async fn events(
    state: &AppState,
    call_id: &CallId,
    began: Option<Timestamp>,
    ended: Option<Timestamp>,
    zone: Tz,
) -> RawEvents {
    let now = clock::now();
    let unpacked = now - UNPACKED;
    let to = ended.map_or(now, |ended| (ended + AFTERMATH).min(now)) + Duration::from_secs(1);
    if to <= unpacked {
        return RawEvents::Packed;
    }
    let from = began.map_or(unpacked, |began| began - Duration::from_secs(60)).max(unpacked);
    match state.store.call_events(call_id, from, to).await {
        Ok(found) => RawEvents::Found(
            found
                .into_iter()
                .map(|event| RawEvent {
                    time: local_time(zone, Timestamp::from_millis(event.received_at)),
                    name: event.name,
                    text: event.raw,
                })
                .collect(),
        ),
        Err(error) => {
            tracing::debug!(error = telemetry::chain(&error), "failed to find the events of a call");
            RawEvents::NotFoundInTime
        }
    }
}

/// A row of the record with its names; times as `of` tells them.
fn fields(row: &ElementRow, of: impl Fn(Timestamp) -> String) -> Vec<(String, Value)> {
    let Ok(Value::Object(fields)) = serde_json::to_value(row) else { return Vec::new() };
    let told = |(name, value): (String, Value)| match value {
        Value::Null => None,
        Value::Number(millis) if name.ends_with("_at") => {
            let at = Timestamp::from_millis(millis.as_i64().unwrap_or(0));
            Some((name, Value::String(of(at))))
        }
        value => Some((name, value)),
    };
    fields.into_iter().filter_map(told).collect()
}

fn raw_step(row: &ElementRow, zone: Tz) -> RawStep {
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    let fields = fields(row, |at| local_time(zone, at));
    RawStep { fields: fields.into_iter().map(|(name, value)| (name, text(value))).collect() }
}

/// A call in full.
#[derive(Debug, Serialize)]
pub(super) struct JourneyJson {
    call_id: String,
    /// It is going on.
    live: bool,
    from: Option<String>,
    to: Option<String>,
    direction: Option<String>,
    result: Option<String>,
    caller_name: Option<String>,
    caller_number: Option<String>,
    record_ids: Vec<String>,
    parties: Vec<PartyJson>,
    visits: Vec<VisitJson>,
    /// The steps as they were written down.
    elements: Vec<serde_json::Map<String, Value>>,
}

#[derive(Debug, Serialize)]
struct PartyJson {
    kind: &'static str,
    name: Option<String>,
    number: Option<String>,
    blocks: Vec<BlockJson>,
}

#[derive(Debug, Serialize)]
struct BlockJson {
    kind: &'static str,
    from: String,
    to: String,
    way: Option<&'static str>,
    hold_seconds: f64,
}

#[derive(Debug, Serialize)]
struct VisitJson {
    queue_id: String,
    queue: Option<String>,
    outcome: &'static str,
    overflow_reason: Option<&'static str>,
    threshold_seconds: u32,
    live: Option<ToldJson>,
    record: Option<ToldJson>,
    difference: Option<&'static str>,
    measured: bool,
}

/// `GET /api/v1/calls/{call}`
pub(super) async fn json(
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<JourneyJson>, ApiError> {
    let not_found = ApiError::NotFound { what: "such call" };
    let Ok(Path(id)) = id else { return Err(not_found) };
    let call_id = CallId::new(id);
    let Some(Known { file, journey, live }) = look_up(&state, &call_id).await? else {
        return Err(not_found);
    };
    let names = names(&state).await;
    let block = |block: &Block| BlockJson {
        kind: block.kind.word(),
        from: format_rfc3339(block.from),
        to: format_rfc3339(block.to),
        way: block.way.map(Way::word),
        hold_seconds: block.hold.as_secs_f64(),
    };
    let party = |row: &domain::journey::PartyRow| PartyJson {
        kind: who(&row.station).1,
        name: row.station.name.clone(),
        number: row.station.number.clone(),
        blocks: row.blocks.iter().map(block).collect(),
    };
    let visit = |visit: &FiledVisit| VisitJson {
        queue_id: visit.queue_id.to_string(),
        queue: names.get(&visit.queue_id).cloned(),
        outcome: visit.counts.outcome.word(),
        overflow_reason: visit.overflow.map(|reason| reason.word()),
        threshold_seconds: visit.threshold_seconds,
        live: visit.live.map(Into::into),
        record: visit.record.map(Into::into),
        difference: visit.difference.map(Difference::word),
        measured: visit.is_recorded,
    };
    let first = file.records.first();
    Ok(Json(JourneyJson {
        call_id: call_id.to_string(),
        live: live.is_some(),
        from: journey.as_ref().map(|journey| format_rfc3339(journey.from)),
        to: journey.as_ref().map(|journey| format_rfc3339(journey.to)),
        direction: first.and_then(|record| record.direction.clone()),
        result: first.and_then(|record| record.result.clone()),
        caller_name: first.and_then(|record| record.caller_name.clone()),
        caller_number: first.and_then(|record| record.caller_number.clone()),
        record_ids: file.records.iter().map(|record| record.record_id.clone()).collect(),
        parties: journey.iter().flat_map(|journey| &journey.parties).map(party).collect(),
        visits: file.visits.iter().map(visit).collect(),
        elements: file.elements.iter().map(|row| fields(row, format_rfc3339).into_iter().collect()).collect(),
    }))
}
