//! The page about the feed, and what a demo's visitor may do to it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use app::{
    document::PageLink,
    pages::{
        feed::{
            CutControl, EventKind, FeedFacts, FeedPage, KnownGap, PastKept, PhonesKnown, RequestFacts,
            RequestKind, RequestTopic, RequestsLeft, feed_page,
        },
        problem::ProblemPage,
    },
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Redirect, Response},
};
use domain::{phone_book::ExtensionKind, time::Timestamp, trust::Gap};
use leptos::prelude::IntoAny as _;
use url::Url;

use super::{
    error::problem,
    health::{clock_behind_problem, clock_problem, presence_problem},
    pages::{local_zone, not_found, not_ready, problem_page_of},
    past::{Asked, NOT_OF_THE_PAST},
    rendered::RenderedPage,
    router::AppState,
};
use crate::{
    clock,
    config::FeedTimings,
    keeper::KeeperGone,
    publish::BoardKey,
    store::StoredGap,
    telemetry,
    zoom::{
        directory::phone_book::PhoneBookHandle,
        rate_limit::{Category, Product},
        rest::{Budget, BudgetLine},
    },
};

/// How far back gaps are listed.
const LISTED: Duration = Duration::from_secs(7 * 86_400);

/// Where the form of a demo's page leads.
pub(super) const CUT: &str = "/demo/cut";

/// How long a demo's feed stays cut.
const CUT_FOR: Duration = Duration::from_secs(90);

/// `GET /feed`
pub(super) async fn feed(State(state): State<AppState>, request: Request) -> Response {
    if Asked::is_in(request.uri()) {
        let (problems, next) =
            (vec![NOT_OF_THE_PAST.to_owned()], PageLink::new("The feed as it is now", "/feed"));
        return problem_page_of(&request, ProblemPage::bad_address(state.site.site(), problems, next));
    }
    let now = clock::now();
    let Ok(facts) = facts(&state, now).await else { return not_ready(&state, &request) };
    let page = FeedPage {
        site: state.site.site(),
        zone: local_zone(state.home, now),
        as_of: now,
        feed: facts,
        cut: state.demo.as_ref().map(|demo| CutControl { url: CUT.to_owned(), until: demo.cut_until() }),
    };
    RenderedPage::of(|| feed_page(page).into_any()).respond(StatusCode::OK, request.headers())
}

async fn facts(state: &AppState, now: Timestamp) -> Result<FeedFacts, KeeperGone> {
    let feed = state.feed.borrow().clone();
    let stats = state.journal.stats();
    let directory = state.directory.borrow().clone();
    let (record_problem, reading) = {
        let record = state.record.borrow();
        (record.problem(), record.reading())
    };
    let presence_problem = presence_problem(state);
    let anomalies = state.keeper.anomalies().await?;
    let board = state.keeper.board(BoardKey::All).await?;
    let unlisted = board.as_ref().map_or(0, |board| u64::from(board.totals.unlisted));
    let unmatched =
        board.as_ref().map_or(0, |board| board.rows.iter().filter(|row| row.view.id.is_unresolved()).count());
    let record_delay = FeedTimings::default().record_delay;
    let repair_due = |gap: Gap| gap.to.filter(|_| state.budget.is_some()).map(|to| to + record_delay);
    let known = |stored: StoredGap| KnownGap {
        repair_due_at: repair_due(stored.gap),
        gap: stored.gap,
        cause: stored.cause,
        repaired_at: stored.repaired_at,
    };
    // A gap that lasts is shown before it is on record.
    let open = board.and_then(|board| board.trust.gap).filter(|gap| gap.to.is_none());
    let gaps = match state.store.gaps_since(now - LISTED).await {
        Ok(gaps) => {
            let mut gaps: Vec<KnownGap> = gaps.into_iter().rev().map(known).collect();
            if let Some(gap) = open.filter(|_| gaps.iter().all(|known| known.gap.to.is_some())) {
                let cause = "Zoom is not heard".to_owned();
                gaps.insert(0, KnownGap { gap, cause, repaired_at: None, repair_due_at: None });
            }
            Some(gaps)
        }
        Err(error) => {
            tracing::warn!(error = telemetry::chain(&error), "failed to read the gaps on record");
            None
        }
    };
    let mut kinds: Vec<EventKind> = state
        .journal
        .kinds()
        .into_iter()
        .map(|kind| EventKind { name: kind.name.to_string(), count: kind.count, last_at: kind.last_at })
        .collect();
    kinds.sort_by(|a, b| b.last_at.cmp(&a.last_at).then_with(|| a.name.cmp(&b.name)));
    Ok(FeedFacts {
        link: feed.link,
        since: feed.connected_since.unwrap_or(feed.since),
        problem: feed
            .problem
            .or_else(|| clock_problem(&anomalies, now))
            .or_else(|| clock_behind_problem(&stats)),
        heard_at: feed.heard_at,
        newest_at: stats.newest_at,
        lag: stats.newest_delay,
        reconnects: feed.reconnects,
        token_expires_at: feed.token_expires_on,
        journalled: stats.journalled,
        sent_again: stats.duplicates.saturating_sub(stats.read_again),
        read_again: stats.read_again,
        quarantined: stats.quarantined,
        lost: stats.lost,
        late: anomalies.late,
        unmatched: unmatched as u64 + unlisted,
        unlisted,
        directory_read_at: directory.read_at,
        directory_problem: directory.problem,
        record_problem,
        reading,
        presence_problem,
        phones: phones(&state.phone_book),
        requests: match &state.budget {
            Some(budget) => Some(requests(budget).await),
            None => None,
        },
        past: past(state).await,
        kinds,
        gaps,
    })
}

async fn past(state: &AppState) -> Option<PastKept> {
    let size = state.store.archive_size().await;
    let size = size.inspect_err(|error| {
        tracing::warn!(error = telemetry::chain(error), "failed to read what is kept of the past");
    });
    let size = size.ok()?;
    let proofs = state.past.proofs();
    Some(PastKept {
        proved: proofs.instants,
        differing: proofs.differing,
        unproved: proofs.unproved,
        since: size.since,
        days: state.keep.as_secs() / 86_400,
        database_bytes: size.database_bytes.unsigned_abs(),
        packed_events: size.packed_events.unsigned_abs(),
        packed_bytes: size.packed_bytes.unsigned_abs(),
    })
}

fn phones(phone_book: &PhoneBookHandle) -> PhonesKnown {
    let book = phone_book.read();
    let count = |kind| book.count(kind) as u64;
    PhonesKnown {
        people: count(ExtensionKind::Person),
        auto_receptionists: count(ExtensionKind::AutoReceptionist),
        common_areas: count(ExtensionKind::CommonArea),
        shared_line_groups: count(ExtensionKind::SharedLineGroup),
        sites: book.sites().len() as u64,
        problem: phone_book.problem(),
    }
}

async fn requests(budget: &Budget) -> RequestFacts {
    let lines = budget.today().await;
    let is_told = |line: &&BudgetLine| {
        let is_everyday = line.lane.product == Product::Phone && line.lane.category != Category::Intensive;
        is_everyday || line.used > 0 || line.used_up_until.is_some()
    };
    let kinds = lines.iter().filter(is_told).map(|line| RequestKind {
        topic: match (line.lane.product, line.lane.category) {
            (Product::Phone, Category::Light) => RequestTopic::Details,
            (Product::Phone, Category::Medium) => RequestTopic::Lists,
            (Product::Phone, Category::Heavy) => RequestTopic::History,
            (Product::Phone, Category::Intensive) => RequestTopic::Reports,
            (Product::Account, Category::Light) => RequestTopic::Person,
            (Product::Account, Category::Medium) => RequestTopic::People,
            (Product::Account, Category::Heavy | Category::Intensive) => RequestTopic::Other,
        },
        used: line.used.into(),
        left: match (line.used_up_until, line.left, line.share_of_day) {
            (Some(until), ..) => RequestsLeft::NoneUntil(until),
            (None, Some(left), Some(of)) => RequestsLeft::Some { left: left.into(), of: of.into() },
            _ => RequestsLeft::Unlimited,
        },
        refused: line.refused.into(),
    });
    RequestFacts { share_percent: budget.share().in_percent(), kinds: kinds.collect() }
}

/// The controls of a demo's pretend Zoom, over loopback like everything else it is asked.
#[derive(Debug, Clone)]
pub(crate) struct DemoControl {
    http: reqwest::Client,
    outage: Url,
    /// When the last cut ends, in milliseconds since 1970; 0 before the first.
    cut_until: Arc<AtomicI64>,
}

impl DemoControl {
    /// The controls beside the API at `api_url`.
    pub(crate) fn new(api_url: &Url) -> Result<Self, reqwest::Error> {
        let mut outage = api_url.clone();
        outage.set_path("/sim/outage");
        Ok(Self { http: crate::zoom::http_client()?, outage, cut_until: Arc::default() })
    }

    fn cut_until(&self) -> Option<Timestamp> {
        let until = self.cut_until.load(Ordering::Relaxed);
        (until > 0).then(|| Timestamp::from_millis(until))
    }
}

/// `POST /demo/cut`, in the demo only: the pretend Zoom goes away for a while.
pub(super) async fn cut(State(state): State<AppState>, headers: HeaderMap, request: Request) -> Response {
    let Some(demo) = &state.demo else { return not_found(State(state.clone()), request).await };
    // Somebody else's page must not do it in a visitor's name.
    if is_asked_by_another_page(&headers) {
        return problem(StatusCode::FORBIDDEN, "this is done from the page /feed only");
    }
    let body = serde_json::json!({ "seconds": CUT_FOR.as_secs() });
    match demo.http.post(demo.outage.clone()).json(&body).send().await {
        Ok(answer) if answer.status().is_success() => {
            demo.cut_until.store((clock::now() + CUT_FOR).as_millis(), Ordering::Relaxed);
            Redirect::to("/feed").into_response()
        }
        _ => problem(StatusCode::BAD_GATEWAY, "the demo's pretend Zoom did not answer; start the demo again"),
    }
}

/// Browsers that do not tell the site tell the origin of the page that asks.
fn is_asked_by_another_page(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => !matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => origin.split_once("://").map(|(_, host)| host) != text("host"),
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_page_may_cut_the_feed() {
        let asked = |pairs: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            headers.insert("host", "localhost:8080".parse().unwrap());
            for (name, value) in pairs {
                headers.insert(*name, value.parse().unwrap());
            }
            is_asked_by_another_page(&headers)
        };
        assert!(!asked(&[]), "by a tool");
        assert!(!asked(&[("sec-fetch-site", "same-origin"), ("origin", "http://localhost:8080")]));
        assert!(!asked(&[("origin", "http://localhost:8080")]));
        assert!(asked(&[("sec-fetch-site", "cross-site")]));
        for origin in ["http://evil.example", "http://localhost:9090", "null", ""] {
            assert!(asked(&[("origin", origin)]), "{origin}");
        }
    }
}
