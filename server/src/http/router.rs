//! All routes in one place.

use std::{any::Any, sync::Arc, time::Duration};

use app::document::{PageLink, Site};
use axum::{
    Router,
    http::StatusCode,
    middleware,
    response::{IntoResponse, Redirect, Response},
    routing::{any, get, post},
};
use chrono_tz::Tz;
use domain::directory::Directory;
use tokio::sync::{Semaphore, watch};
use tower_http::catch_panic::CatchPanicLayer;

use super::{
    agents, api, assets, calls,
    error::{self, ApiError},
    feed, guard, health, journey, live, pages, past, reconciliation,
    rendered::RenderedPages,
    reports,
};
use crate::{
    journal::Journal,
    keeper::KeeperHandle,
    past::{Past, Players},
    recording::RecordedSpan,
    store::Store,
    zoom::{
        directory::{DirectoryStatus, phone_book::PhoneBookHandle},
        presence::PresenceStatus,
        rest::Budget,
        setback::RecordStatus,
        socket::FeedStatus,
        webhook::Webhooks,
    },
};

/// Handles to everything a request may need. Holds no business state.
#[derive(Debug, Clone)]
pub struct AppState {
    /// The live state.
    pub(crate) keeper: KeeperHandle,
    /// The journal.
    pub(crate) journal: Journal,
    /// The database.
    pub(crate) store: Store,
    /// The feed's health.
    pub(crate) feed: watch::Receiver<FeedStatus>,
    /// What Zoom may be asked, where it can be asked.
    pub(crate) budget: Option<Arc<Budget>>,
    /// The directory as last read.
    pub(crate) queues: watch::Receiver<Arc<Directory>>,
    /// How reading the directory goes.
    pub(crate) directory: watch::Receiver<DirectoryStatus>,
    /// Who is behind each extension.
    pub(crate) phone_book: PhoneBookHandle,
    /// How reading presence goes.
    pub(crate) presence: watch::Receiver<PresenceStatus>,
    /// How reading Zoom's record goes.
    pub(crate) record: watch::Receiver<RecordStatus>,
    /// The webhook receiver.
    pub(crate) webhooks: Webhooks,
    /// The installation's zone.
    pub(crate) home: Tz,
    /// The board as it was.
    pub(crate) past: Past,
    /// How long instants are kept.
    pub(crate) keep: Duration,
    /// Boards of the past that run.
    pub(crate) players: Players,
    /// What pages say of this server.
    pub(crate) site: SiteFacts,
    /// Pages that were written already.
    pub(crate) pages: RenderedPages,
    /// The same of the agents, whose revisions are their own.
    pub(crate) agent_pages: RenderedPages,
    /// The pretend Zoom's controls, in a demo.
    pub(crate) demo: Option<feed::DemoControl>,
    /// Live streams that may be opened.
    pub(crate) streams: Arc<Semaphore>,
}

/// What pages say of this server.
#[derive(Debug, Clone)]
pub(crate) struct SiteFacts {
    /// Names this build.
    pub(crate) build_id: Arc<str>,
    /// The data is made up.
    pub(crate) demo: bool,
    /// Host of `CALLBOARD_PUBLIC_URL`, lower case.
    pub(crate) public_host: Option<Arc<str>>,
    /// What a replay shows, in words.
    pub(crate) recording: Option<Arc<str>>,
}

impl SiteFacts {
    pub(crate) fn new(
        demo: bool,
        public_host: Option<&str>,
        recording: Option<RecordedSpan>,
        home: Tz,
    ) -> Self {
        Self {
            recording: recording.map(|span| past::recording_words(span, home).into()),
            build_id: build_id(),
            demo,
            public_host: public_host.map(|host| host.to_ascii_lowercase().into()),
        }
    }

    /// As the pages want it.
    pub(super) fn site(&self) -> Site {
        let mut links = vec![
            PageLink::new("Queues", "/queues"),
            PageLink::new("Agents", "/agents"),
            PageLink::new("Wall", "/wall"),
            PageLink::new("Reports", "/reports"),
            PageLink::new("Calls", "/calls"),
            PageLink::new("Reconciliation", "/reconciliation"),
            PageLink::new("Feed", "/feed"),
        ];
        if self.recording.is_some() {
            links.retain(|link| link.href == "/queues" || link.href == "/wall");
        }
        Site {
            assets: assets::links(),
            build_id: self.build_id.to_string(),
            demo: self.demo,
            recording: self.recording.as_deref().map(str::to_owned),
            links,
        }
    }
}

/// The version and the names of the embedded files: their names carry a hash of their content.
fn build_id() -> Arc<str> {
    let links = assets::links();
    let hash_of = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let parts = [Some(links.css), links.js, links.wasm].into_iter().flatten().map(hash_of);
    let names: Vec<String> = parts.collect();
    format!("{}+{}", env!("CARGO_PKG_VERSION"), names.join("+")).into()
}

/// The number of live streams a server serves.
pub(crate) fn stream_permits() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(live::MOST_STREAMS))
}

/// All routes. In this version none asks who is there: the listener is on loopback only.
pub fn router(state: AppState) -> Router {
    let people = Router::new()
        .route("/", get(|| async { Redirect::temporary("/queues") }))
        .route("/wall", get(pages::wall))
        .route("/wall/", get(|| async { Redirect::permanent("/wall") }))
        .route("/queues/", get(|| async { Redirect::permanent("/queues") }))
        .route("/wall/{queue}", get(pages::wall_of_queue))
        .route("/queues", get(pages::queues))
        .route("/queues/{queue}", get(pages::queue))
        .merge(pages_of_now(&state))
        .route(feed::CUT, post(feed::cut))
        .route("/definitions", get(reports::definitions))
        .route("/style", get(pages::style))
        .fallback(pages::not_found);
    let of_now = Router::new()
        .route("/live/agents", get(live::stream_agents))
        .route("/api/v1/agents", get(agents::list))
        .route("/api/v1/calls", get(calls::json))
        .route("/api/v1/calls/live", get(api::live_calls))
        .route("/api/v1/calls/{call}", get(journey::json))
        .route("/api/v1/feed", get(health::feed))
        .route("/api/v1/reconciliation", get(reconciliation::json))
        .route("/api/v1/reports/queues", get(reports::json))
        .layer(middleware::from_fn_with_state(state.clone(), past::refuse_instants));
    let programs = Router::new()
        .route("/live/{board}", get(live::stream_board))
        .route("/api/v1/queues", get(api::queues))
        .merge(of_now)
        // Programs get problems they can read, not a page.
        .route("/api", any(|| async { ApiError::NotFound { what: "such interface" } }))
        .route("/api/{*rest}", any(|| async { ApiError::NotFound { what: "such interface" } }));
    let guarded = people
        .merge(programs)
        .merge(assets::router())
        .layer(middleware::from_fn_with_state(state.clone(), guard::refuse_foreign_hosts));
    // Health is asked by machines under any name; webhooks carry their own proof.
    let open = Router::new().route("/healthz", get(health::live)).route("/readyz", get(health::ready));
    guarded
        .merge(open)
        .with_state(state.clone())
        .merge(state.webhooks.router())
        .method_not_allowed_fallback(|| async {
            error::problem(StatusCode::METHOD_NOT_ALLOWED, "this address is not for that method")
        })
        .layer(middleware::from_fn(guard::set_headers))
        .layer(CatchPanicLayer::custom(say_sorry))
}

/// Pages that know now only, of which a recording has nothing.
fn pages_of_now(state: &AppState) -> Router<AppState> {
    if state.past.ends_at().is_some() {
        let paths =
            ["/agents", "/calls", "/calls/{call}", "/feed", "/reconciliation", "/reports", "/reports.csv"];
        return paths
            .into_iter()
            .fold(Router::new(), |router, path| router.route(path, get(pages::not_recorded)));
    }
    Router::new()
        .route("/agents", get(agents::page))
        .route("/agents/", get(|| async { Redirect::permanent("/agents") }))
        .route("/calls", get(calls::page))
        .route("/calls/{call}", get(journey::page))
        .route("/calls/", get(|| async { Redirect::permanent("/calls") }))
        .route("/feed", get(feed::feed))
        .route("/reconciliation", get(reconciliation::page))
        .route("/reports", get(reports::page))
        .route("/reports/", get(|| async { Redirect::permanent("/reports") }))
        .route("/reports.csv", get(reports::csv))
}

/// A bug in one answer must not take the others down.
fn say_sorry(panic: Box<dyn Any + Send>) -> Response {
    let message = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    tracing::error!(panic = message, "answering a request panicked");
    (StatusCode::INTERNAL_SERVER_ERROR, "something went wrong in the server; its log says what\n")
        .into_response()
}
