//! The controls over HTTP: `/sim/…` on the same listener, for people and for other languages.
//!
//! | route | body or query |
//! |---|---|
//! | `GET status` | totals, connections, faults |
//! | `GET truth` | `?queue=ID&at=RFC3339&visits=N` |
//! | `POST event` | an event body, sent as it is |
//! | `POST call` | `{"queue": "id, name or number", "count": 1}`: outside callers now |
//! | `GET faults`, `POST faults`, `POST faults/clear` | a [`FaultPlan`] |
//! | `POST garbage` | `{"kind": "broken_json"}` and so on, see [`Garbage`] |
//! | `POST close`, `POST cut` | `{"code": 1011, "reason": ""}`; nothing |
//! | `POST outage` | `{"seconds": 5}` |
//! | `POST refuse` | `{"what": "tokens" \| "rest", "count", "status"}`, `{"what": "sockets", "count", "status", "text"}`, `{"what": "limit", "count", "kind": "per_second" \| "daily", "retry_after": "usual"}` and so on, see [`RetryAfter`] |
//! | `POST expire-tokens` | nothing |
//! | `POST blast` | a [`BlastPlan`]; answers with the report |

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use chrono::{DateTime, NaiveTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::blast::BlastPlan;
use crate::delivery::Delivery;
use crate::fault::{FaultPlan, Garbage, LimitKind, RetryAfter};
use crate::sim::Shared;
use crate::subscription::Order;

pub(crate) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/status", get(status))
        .route("/truth", get(truth))
        .route("/event", post(event))
        .route("/call", post(call))
        .route("/faults", get(faults).post(set_faults))
        .route("/faults/clear", post(clear_faults))
        .route("/garbage", post(garbage))
        .route("/close", post(close))
        .route("/cut", post(cut))
        .route("/outage", post(outage))
        .route("/refuse", post(refuse))
        .route("/expire-tokens", post(expire_tokens))
        .route("/blast", post(blast))
}

async fn status(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let (live_calls, events_at) = shared.with_world(|world| (world.live_calls(), world.now()));
    Json(json!({
        "now": shared.now(),
        "played_until": events_at,
        "connected": *shared.subscriptions.watch_connected().borrow(),
        "live_calls": live_calls,
        "totals": shared.counters.totals(),
        "faults": shared.faults.plan(),
    }))
}

#[derive(Debug, Deserialize)]
struct TruthQuery {
    /// One queue by id; all without it.
    queue: Option<String>,
    /// The instant; the world's present without it.
    at: Option<DateTime<Utc>>,
    /// How many of the latest visits to list for each queue.
    #[serde(default)]
    visits: usize,
}

async fn truth(State(shared): State<Arc<Shared>>, Query(query): Query<TruthQuery>) -> Json<Value> {
    shared.with_world(|world| {
        let at = query.at.unwrap_or_else(|| world.now());
        let wanted = |id: &str| query.queue.as_deref().is_none_or(|queue| queue == id);
        let truth = world.truth();
        let queues: Vec<Value> = world
            .directory()
            .queues
            .iter()
            .filter(|queue| wanted(&queue.id))
            .map(|queue| {
                let local = at.with_timezone(&queue.zone);
                let midnight = local.date_naive().and_time(NaiveTime::MIN).and_local_timezone(queue.zone);
                // Where midnight does not exist or exists twice, the day begins at the first instant.
                let midnight = midnight.earliest().map_or(at, |midnight| midnight.with_timezone(&Utc));
                let visits: Vec<_> = truth.visits_of(&queue.id).collect();
                json!({
                    "id": queue.id,
                    "name": queue.name,
                    "extension_number": queue.extension_number,
                    "now": truth.queue_at(&queue.id, at),
                    "today_entered": truth.cohort(&queue.id, midnight, at),
                    "today_ended": truth.counts(&queue.id, midnight, at),
                    "visits": visits.iter().rev().take(query.visits).collect::<Vec<_>>(),
                })
            })
            .collect();
        Json(json!({ "at": at, "calls": truth.calls(), "queues": queues }))
    })
}

async fn event(State(shared): State<Arc<Shared>>, Json(event): Json<Value>) -> Json<Value> {
    Json(match shared.send_event(&event).await {
        Delivery::Sent(sockets) => json!({ "delivery": "sent", "sockets": sockets }),
        Delivery::NobodyConnected => json!({ "delivery": "nobody_connected" }),
        Delivery::Dropped => json!({ "delivery": "dropped" }),
        Delivery::Delayed => json!({ "delivery": "delayed" }),
    })
}

#[derive(Debug, Deserialize)]
struct CallRequest {
    /// Id, name or extension number of the queue to call.
    queue: String,
    #[serde(default = "one")]
    count: usize,
}

fn one() -> usize {
    1
}

async fn call(State(shared): State<Arc<Shared>>, Json(request): Json<CallRequest>) -> Response {
    let found = shared.change_world(|world| {
        let named = |queue: &crate::Queue| {
            queue.id == request.queue
                || queue.name.eq_ignore_ascii_case(&request.queue)
                || queue.extension_number.to_string() == request.queue
        };
        let queue = world.directory().queues.iter().position(named)?;
        (0..request.count.min(1000)).for_each(|_| world.call_queue(queue));
        Some(queue)
    });
    match found {
        Some(_) => StatusCode::NO_CONTENT.into_response(),
        None => (StatusCode::NOT_FOUND, "no such queue").into_response(),
    }
}

async fn faults(State(shared): State<Arc<Shared>>) -> Json<FaultPlan> {
    Json(shared.faults.plan())
}

async fn set_faults(State(shared): State<Arc<Shared>>, Json(plan): Json<FaultPlan>) -> Json<FaultPlan> {
    shared.faults.set(plan);
    Json(shared.faults.plan())
}

async fn clear_faults(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.faults.clear();
    StatusCode::NO_CONTENT
}

#[derive(Debug, Deserialize)]
struct GarbageRequest {
    kind: Garbage,
}

async fn garbage(State(shared): State<Arc<Shared>>, Json(request): Json<GarbageRequest>) -> Json<Value> {
    Json(json!({ "sent": shared.send_garbage(request.kind).await }))
}

#[derive(Debug, Deserialize)]
struct CloseRequest {
    code: u16,
    #[serde(default)]
    reason: String,
}

async fn close(State(shared): State<Arc<Shared>>, Json(request): Json<CloseRequest>) -> StatusCode {
    shared.subscriptions.order(&Order::Close(request.code, request.reason));
    StatusCode::NO_CONTENT
}

async fn cut(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.subscriptions.order(&Order::Cut);
    StatusCode::NO_CONTENT
}

#[derive(Debug, Deserialize)]
struct OutageRequest {
    seconds: f64,
}

async fn outage(State(shared): State<Arc<Shared>>, Json(request): Json<OutageRequest>) -> StatusCode {
    shared.begin_outage(Duration::from_secs_f64(request.seconds.clamp(0.0, 86_400.0)));
    StatusCode::NO_CONTENT
}

/// What to refuse the next times.
#[derive(Debug, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
enum RefuseRequest {
    Tokens {
        count: usize,
        status: u16,
    },
    Sockets {
        count: usize,
        status: u16,
        text: String,
    },
    Rest {
        count: usize,
        status: u16,
    },
    Limit {
        count: usize,
        kind: LimitKind,
        #[serde(default)]
        retry_after: RetryAfter,
    },
}

async fn refuse(State(shared): State<Arc<Shared>>, Json(request): Json<RefuseRequest>) -> StatusCode {
    // More than this is a mistake, and would only fill the memory.
    const MOST: usize = 10_000;
    let faults = &shared.faults;
    match request {
        RefuseRequest::Tokens { count, status } => faults.refuse_tokens(count.min(MOST), status),
        RefuseRequest::Sockets { count, status, text } => {
            faults.refuse_sockets(count.min(MOST), status, &text)
        }
        RefuseRequest::Rest { count, status } => faults.fail_rest(count.min(MOST), status),
        RefuseRequest::Limit { count, kind, retry_after } => {
            faults.limit_rest_saying(count.min(MOST), kind, retry_after);
        }
    }
    StatusCode::NO_CONTENT
}

async fn expire_tokens(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.tokens.expire_all();
    StatusCode::NO_CONTENT
}

async fn blast(State(shared): State<Arc<Shared>>, Json(plan): Json<BlastPlan>) -> Json<Value> {
    Json(json!(shared.blast(&plan).await))
}
