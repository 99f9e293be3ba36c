//! The JSON API. Field names and meanings are a contract with outsiders; see `ARCHITECTURE.md`.

use std::collections::BTreeMap;

use axum::{Json, extract::State, http::Uri};
use domain::{
    call::{Leg, LegState},
    quality::Quality,
    service_level::{Definition, ServiceLevel},
    time::Timestamp,
    trust::{FeedLink, Freshness, server_freshness},
    view::{QueueQuality, QueueView},
};
use serde::Serialize;

use super::{
    error::ApiError,
    past::{Asked, UNRECORDED},
    router::AppState,
};
use crate::{
    clock::{self, format_rfc3339},
    publish::BoardKey,
    zoom::directory::phone_book::PhoneBookHandle,
};

/// Live values of one queue. Counts are numbers, whatever their quality; how many members are free is null while
/// nobody knows: a program that reads no qualities would take a zero for a fact.
#[derive(Debug, Serialize)]
pub(super) struct QueueJson {
    id: String,
    name: String,
    extension_number: Option<String>,
    waiting: u32,
    /// More may wait than are seen: boards show `2+`.
    waiting_at_least: bool,
    oldest_waiting_since: Option<String>,
    ringing: u32,
    talking: u32,
    on_hold: u32,
    members: Option<u32>,
    members_available: Option<u32>,
    /// Of these, those whose phone rings.
    members_ringing: Option<u32>,
    offered_today: u32,
    /// Of these, held against Zoom's record.
    measured_today: u32,
    answered_today: u32,
    abandoned_today: u32,
    short_abandoned_today: u32,
    service_level_today: Option<f64>,
    /// What that is measured by.
    service_level_policy: PolicyJson,
    /// The same by every definition in use, by its word.
    service_levels_today: BTreeMap<&'static str, Option<f64>>,
    /// Of the waiting, talking and held, those of whom nothing was heard since a gap.
    unconfirmed: u32,
    quality: QualityJson,
    as_of: String,
}

/// What a queue promises.
#[derive(Debug, Serialize)]
struct PolicyJson {
    threshold_seconds: u32,
    short_abandon_seconds: u32,
    target: f64,
    definition: &'static str,
}

/// How sure each number is, by the name of its field.
#[derive(Debug, Serialize)]
struct QualityJson {
    waiting: Quality,
    oldest_waiting_since: Quality,
    ringing: Quality,
    talking: Quality,
    on_hold: Quality,
    members: Quality,
    members_available: Quality,
    offered_today: Quality,
    answered_today: Quality,
    abandoned_today: Quality,
    short_abandoned_today: Quality,
    service_level_today: Quality,
}

impl From<QueueQuality> for QualityJson {
    fn from(quality: QueueQuality) -> Self {
        Self {
            waiting: quality.waiting,
            oldest_waiting_since: quality.waiting,
            ringing: quality.calls,
            talking: quality.calls,
            on_hold: quality.calls,
            members: quality.members,
            members_available: quality.available,
            offered_today: quality.today,
            answered_today: quality.today,
            abandoned_today: quality.today,
            short_abandoned_today: quality.today,
            service_level_today: quality.today,
        }
    }
}

/// Of a time of which nothing was recorded.
const UNKNOWN: QueueQuality = QueueQuality {
    waiting: Quality::Unknown,
    calls: Quality::Unknown,
    members: Quality::Unknown,
    available: Quality::Unknown,
    today: Quality::Unknown,
};

/// `GET /api/v1/queues?at`
pub(super) async fn queues(
    State(state): State<AppState>,
    uri: Uri,
) -> Result<Json<Vec<QueueJson>>, ApiError> {
    let asked = Asked::alone(&uri, &state)?;
    let board = match asked {
        None => state.keeper.board(BoardKey::All).await?,
        Some(asked) => state.past.board(asked.at, &BoardKey::All).await?,
    };
    let Some(board) = board else { return Ok(Json(Vec::new())) };
    // Nothing was recorded at that time: what was before is not what was then.
    let is_recorded = asked.is_none_or(|asked| asked.at.since(board.as_of) < UNRECORDED);
    let rows = board.rows.iter().map(|row| {
        let quality = if is_recorded { row.view.quality } else { UNKNOWN };
        queue_json(&row.view, quality, board.as_of)
    });
    Ok(Json(rows.collect()))
}

fn queue_json(queue: &QueueView, quality: QueueQuality, as_of: Timestamp) -> QueueJson {
    let figures = &queue.figures;
    let is_known = queue.members_available.is_some() && quality.available != Quality::Unknown;
    QueueJson {
        id: queue.id.to_string(),
        name: queue.name.clone(),
        extension_number: queue.extension_number.clone(),
        waiting: figures.waiting,
        waiting_at_least: queue.may_hide_callers(),
        oldest_waiting_since: figures.oldest_waiting_since.map(format_rfc3339),
        ringing: figures.ringing,
        talking: figures.talking,
        on_hold: figures.on_hold,
        members: queue.members,
        members_available: queue.members_available.filter(|_| is_known),
        members_ringing: is_known.then_some(queue.members_busy.ringing),
        offered_today: figures.offered_today,
        measured_today: figures.measured_today,
        answered_today: figures.answered_today,
        abandoned_today: figures.abandoned_today,
        short_abandoned_today: figures.short_abandoned_today,
        service_level_today: level_share(figures.service_level_today),
        service_level_policy: PolicyJson {
            threshold_seconds: queue.policy.threshold_seconds,
            short_abandon_seconds: queue.policy.short_abandon_seconds,
            target: f64::from(queue.policy.target_permille) / 1000.0,
            definition: queue.definition.word(),
        },
        service_levels_today: Definition::ALL
            .into_iter()
            .map(|definition| (definition.word(), level_share(queue.service_levels_today.by(definition))))
            .collect(),
        unconfirmed: figures.unconfirmed,
        quality: quality.into(),
        as_of: format_rfc3339(as_of),
    }
}

/// 0–1 with four decimals, `None` when there is nothing to divide by.
fn level_share(level: ServiceLevel) -> Option<f64> {
    share(level.met, level.decided)
}

/// 0–1 with four decimals, `None` when there is nothing to divide by.
fn share(part: u32, whole: u32) -> Option<f64> {
    (whole > 0).then(|| (f64::from(part) / f64::from(whole) * 10_000.0).round() / 10_000.0)
}

/// A call that is not over.
#[derive(Debug, Serialize)]
pub(super) struct LiveCallJson {
    call_id: String,
    queue_id: Option<String>,
    state: &'static str,
    since: String,
    caller: Option<String>,
    /// `incoming`, `outgoing` or `internal`.
    direction: &'static str,
    /// The call about which this one asks somebody.
    consults_for: Option<String>,
    /// Nothing was heard of it since a gap, or nothing is heard now: it may be over.
    unconfirmed: bool,
    legs: Vec<LegJson>,
}

/// A leg that is not over.
#[derive(Debug, Serialize)]
struct LegJson {
    extension_id: Option<String>,
    extension_number: Option<String>,
    name: Option<String>,
    device_id: Option<String>,
    state: &'static str,
    since: String,
}

/// `GET /api/v1/calls/live`
pub(super) async fn live_calls(State(state): State<AppState>) -> Result<Json<Vec<LiveCallJson>>, ApiError> {
    let calls = state.keeper.live_calls().await?;
    let board = state.keeper.board(BoardKey::All).await?;
    let is_heard = board.is_some_and(|board| server_freshness(clock::now(), &board.trust) == Freshness::Live);
    let calls = calls.into_iter().map(|call| LiveCallJson {
        call_id: call.call_id.to_string(),
        queue_id: call.queue_id.map(|id| id.to_string()),
        state: call.phase.word(),
        since: format_rfc3339(call.since),
        caller: call.caller,
        direction: call.direction.word(),
        consults_for: call.consults_for.map(|consultation| consultation.call_id.to_string()),
        unconfirmed: call.unconfirmed || !is_heard,
        legs: call.legs.into_iter().map(|leg| leg_json(leg, &state.phone_book)).collect(),
    });
    Ok(Json(calls.collect()))
}

/// Events often leave out names: the phone book has them.
fn leg_json(leg: Leg, phone_book: &PhoneBookHandle) -> LegJson {
    let (state, since) = leg.state();
    let state = match state {
        LegState::Ringing => "ringing",
        LegState::Connected => "connected",
        LegState::Held => "on_hold",
        LegState::Ended => "ended",
    };
    let party = &leg.party;
    // Another account's extension may have the number of one of ours.
    let number = party.extension_number.as_deref().filter(|_| party.account.is_none());
    let name = party.name.clone().or_else(|| phone_book.name_of(party.extension_id.as_ref(), number));
    LegJson {
        extension_id: leg.party.extension_id.as_ref().map(ToString::to_string),
        extension_number: leg.party.extension_number.clone(),
        name,
        device_id: leg.device_id.map(|id| id.to_string()),
        state,
        since: format_rfc3339(since),
    }
}

/// The word for the state of the link to Zoom.
pub(super) fn link_word(link: FeedLink) -> &'static str {
    match link {
        FeedLink::WebhookOnly => "webhook_only",
        FeedLink::Connecting => "connecting",
        FeedLink::Live => "live",
        FeedLink::Down => "down",
        FeedLink::Contested => "contested",
    }
}
