//! REST under `/v2`: admission, errors, and the list of operations.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};

use crate::oauth::TokenFault;
use crate::rate_limit::{Category, refusal};
use crate::scope::Needed;
use crate::sim::Shared;
use crate::world::World;

mod calls;
mod listing;
mod structure;

use listing::Listing;
pub(crate) use listing::Pages;

/// The path of a finished call, for tests that need no socket.
pub(crate) fn path_of_call(world: &World, uuid: &str) -> Option<Value> {
    calls::path(world, uuid).ok()
}

/// Query parameters in order, repeated keys kept.
type Parameters = Vec<(String, String)>;

/// An error body and its status.
#[derive(Debug)]
struct ApiError {
    status: StatusCode,
    code: i64,
    message: String,
}

impl ApiError {
    fn new(status: StatusCode, code: i64, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    fn validation(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, 300, message)
    }

    fn missing(code: i64, message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "code": self.code, "message": self.message }))).into_response()
    }
}

/// An operation: what it weighs and which scopes open it.
struct Operation {
    category: Category,
    scopes: Needed,
}

/// All operations.
pub(crate) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/users", get(users))
        .route("/users/{id}/presence_status", get(presence))
        .route("/phone/users", get(phone_users))
        .route("/phone/users/{id}", get(phone_user))
        .route("/phone/call_queues", get(call_queues))
        .route("/phone/call_queues/{id}", get(call_queue))
        .route("/phone/call_queues/{id}/members", get(call_queue_members))
        .route("/phone/call_queues/{id}/call_handling/settings", get(call_queue_handling))
        .route("/phone/auto_receptionists", get(auto_receptionists))
        .route("/phone/common_areas", get(common_areas))
        .route("/phone/shared_line_groups", get(shared_line_groups))
        .route("/phone/sites", get(sites))
        .route("/phone/call_history", get(call_history))
        .route("/phone/call_history/{uuid}", get(call_path))
        .route("/phone/call_element/{id}", get(call_element))
        .fallback(unknown)
}

/// Checks token, rate and scope, then lets `work` look at the world.
fn answer(
    shared: &Shared,
    headers: &HeaderMap,
    operation: &Operation,
    work: impl FnOnce(&World) -> Result<Value, ApiError>,
) -> Response {
    shared.counters.add(|counters| &counters.rest);
    if let Some(failure) = shared.faults.next_rest_failure() {
        let status = StatusCode::from_u16(failure.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let page = "<html><head><title>Error</title></head><body>Something went wrong.</body></html>";
        return (status, [(header::CONTENT_TYPE, "text/html")], page).into_response();
    }
    shared.pages.lead_in_a_circle(shared.faults.pages_lead_in_a_circle());
    if shared.faults.tokens_end_now() {
        shared.tokens.expire_all();
    }
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = token.and_then(|text| text.strip_prefix("Bearer "));
    let fault = token.map_or(Some(TokenFault::Unknown), |token| shared.tokens.check(token).err());
    if let Some(fault) = fault {
        let message = match fault {
            TokenFault::Unknown => "Invalid access token.",
            TokenFault::Expired => "Access token is expired.",
        };
        return ApiError::new(StatusCode::UNAUTHORIZED, 124, message).into_response();
    }
    let now = shared.now();
    let limited = match shared.faults.next_limit() {
        Some((kind, retry_after)) => Err(refusal(kind, retry_after, operation.category, 1, now)),
        None => shared.gate.pass(operation.category, now),
    };
    let rate_headers = match limited {
        Ok(rate_headers) => rate_headers,
        Err(exceeded) => {
            let body = Json(json!({ "code": 429, "message": exceeded.message }));
            return (StatusCode::TOO_MANY_REQUESTS, exceeded.headers, body).into_response();
        }
    };
    if !shared.scopes.allow(operation.scopes) {
        let message =
            format!("Invalid access token, does not contain scopes:[{}].", operation.scopes.join(", "));
        return (rate_headers, ApiError::new(StatusCode::BAD_REQUEST, 4711, message)).into_response();
    }
    let result = shared.with_world(|world| work(world));
    (rate_headers, result.map(Json)).into_response()
}

async fn unknown() -> Response {
    ApiError::new(StatusCode::NOT_FOUND, 404, "This API endpoint is not recognized.").into_response()
}

macro_rules! operation {
    ($category:ident, $($scope:literal),+) => {
        Operation { category: Category::$category, scopes: &[$($scope),+] }
    };
}

async fn users(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Query(query): Query<Parameters>,
) -> Response {
    let operation = operation!(Medium, "user:read:list_users:admin", "user:read:admin");
    answer(&shared, &headers, &operation, |world| {
        let listing = Listing::new(&shared.pages, "/users", &query, 2000, world.now())?;
        let status = listing.parameter("status").unwrap_or("active");
        listing.page("users", structure::users(world, status))
    })
}

async fn presence(State(shared): State<Arc<Shared>>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    let operation = operation!(Medium, "user:read:presence_status:admin", "user:read:admin");
    answer(&shared, &headers, &operation, |world| structure::presence(world, &id))
}

async fn phone_users(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Query(query): Query<Parameters>,
) -> Response {
    let operation = operation!(Medium, "phone:read:list_users:admin", "phone:read:admin");
    answer(&shared, &headers, &operation, |world| {
        let listing = Listing::new(&shared.pages, "/phone/users", &query, 100, world.now())?;
        let (site, keyword) = (listing.parameter("site_id"), listing.parameter("keyword"));
        listing.page("users", structure::phone_users(world, site, keyword))
    })
}

async fn phone_user(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    let operation = operation!(Light, "phone:read:user:admin", "phone:read:admin");
    answer(&shared, &headers, &operation, |world| structure::phone_user(world, &id))
}

async fn call_queues(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Query(query): Query<Parameters>,
) -> Response {
    let operation = operation!(Medium, "phone:read:list_call_queues:admin", "phone:read:admin");
    answer(&shared, &headers, &operation, |world| {
        let listing = Listing::new(&shared.pages, "/phone/call_queues", &query, 100, world.now())?;
        listing.page("call_queues", structure::queues(world, listing.parameter("site_id")))
    })
}

async fn call_queue(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    let operation = operation!(Light, "phone:read:call_queue:admin", "phone:read:admin");
    answer(&shared, &headers, &operation, |world| structure::queue(world, &id))
}

async fn call_queue_members(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Query(query): Query<Parameters>,
) -> Response {
    let operation = operation!(Medium, "phone:read:list_call_queue_members:admin", "phone:read:admin");
    answer(&shared, &headers, &operation, |world| {
        let path = format!("/phone/call_queues/{id}/members");
        let listing = Listing::new(&shared.pages, &path, &query, 300, world.now())?;
        listing.page("call_queue_members", structure::members(world, &id)?)
    })
}

async fn call_queue_handling(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    let operation =
        operation!(Light, "phone:read:call_queue_call_handling_setting:admin", "phone:read:admin");
    answer(&shared, &headers, &operation, |world| structure::queue_handling(world, &id))
}

async fn auto_receptionists(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Query(query): Query<Parameters>,
) -> Response {
    let operation = operation!(Medium, "phone:read:list_auto_receptionists:admin", "phone:read:admin");
    answer(&shared, &headers, &operation, |world| {
        let listing = Listing::new(&shared.pages, "/phone/auto_receptionists", &query, 100, world.now())?;
        listing.page("auto_receptionists", structure::receptionists(world))
    })
}

async fn common_areas(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Query(query): Query<Parameters>,
) -> Response {
    let operation = operation!(Medium, "phone:read:common_area:admin", "phone:read:admin");
    answer(&shared, &headers, &operation, |world| {
        let listing = Listing::new(&shared.pages, "/phone/common_areas", &query, 100, world.now())?;
        listing.page("common_areas", structure::common_areas(world, listing.parameter("site_id")))
    })
}

async fn shared_line_groups(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Query(query): Query<Parameters>,
) -> Response {
    let operation = operation!(Medium, "phone:read:list_shared_line_groups:admin", "phone:read:admin");
    answer(&shared, &headers, &operation, |world| {
        let listing = Listing::new(&shared.pages, "/phone/shared_line_groups", &query, 300, world.now())?;
        listing.page("shared_line_groups", structure::shared_line_groups(world))
    })
}

async fn sites(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Query(query): Query<Parameters>,
) -> Response {
    let operation = operation!(Medium, "phone:read:list_sites:admin", "phone:read:admin");
    answer(&shared, &headers, &operation, |world| {
        let listing = Listing::new(&shared.pages, "/phone/sites", &query, 300, world.now())?;
        listing.page("sites", structure::sites(world))
    })
}

async fn call_history(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Query(query): Query<Parameters>,
) -> Response {
    let operation =
        operation!(Heavy, "phone:read:list_call_logs:admin", "phone:read:admin", "phone_call_log:read:admin");
    answer(&shared, &headers, &operation, |world| {
        let listing = Listing::new(&shared.pages, "/phone/call_history", &query, 300, world.now())?;
        calls::history(world, &listing)
    })
}

async fn call_path(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Path(uuid): Path<String>,
) -> Response {
    let operation =
        operation!(Light, "phone:read:call_log:admin", "phone:read:admin", "phone_call_log:read:admin");
    answer(&shared, &headers, &operation, |world| {
        let path = calls::path(world, &uuid)?;
        shared.counters.add(|counters| &counters.call_paths);
        Ok(path)
    })
}

async fn call_element(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    let operation =
        operation!(Light, "phone:read:call_log:admin", "phone:read:admin", "phone_call_log:read:admin");
    answer(&shared, &headers, &operation, |world| calls::element(world, &id))
}
