//! Is the process alive, can it be used, and how is the feed?

use std::time::Duration;

use axum::{Json, extract::State, http::StatusCode};
use domain::{board::Anomalies, time::Timestamp, trust::FeedLink};
use serde::Serialize;

use super::{api::link_word, error::ApiError, router::AppState};
use crate::{
    clock::{self, format_rfc3339},
    journal::{JournalStats, JournalStatus},
    past::Proofs,
    publish::BoardKey,
    store::ArchiveSize,
    zoom::rest::BudgetLine,
};

/// `GET /healthz`: the process lives.
pub(super) async fn live() -> &'static str {
    "ok\n"
}

/// Whether the server can be used, and why not.
#[derive(Debug, Serialize)]
pub(super) struct Readiness {
    ready: bool,
    feed: &'static str,
    store: &'static str,
    /// Sentences with the next step; also of what is less sure meanwhile, though everything is usable.
    reasons: Vec<String>,
}

/// `GET /readyz`: 200 when feed and store are usable, else 503, with reasons.
pub(super) async fn ready(State(state): State<AppState>) -> (StatusCode, Json<Readiness>) {
    let feed = state.feed.borrow().clone();
    let mut reasons = Vec::new();
    match feed.link {
        FeedLink::Live | FeedLink::WebhookOnly => {}
        FeedLink::Connecting | FeedLink::Down | FeedLink::Contested => {
            let fallback = "the connection to Zoom is not made yet; wait a moment".to_owned();
            reasons.push(feed.problem.clone().unwrap_or(fallback));
        }
    }
    if let Ok(anomalies) = state.keeper.anomalies().await {
        reasons.extend(clock_problem(&anomalies, clock::now()));
    }
    let status = state.journal.status().borrow().clone();
    let store = match status {
        JournalStatus::Working if state.store.is_readable().await => "working",
        JournalStatus::Working => {
            reasons.push("the database cannot be read; check the disk of the data folder".to_owned());
            "failing"
        }
        JournalStatus::Failing { problem, .. } => {
            reasons.push(problem);
            "failing"
        }
    };
    let ready = reasons.is_empty();
    // Boards are of use without, and say themselves what they do not know.
    reasons.extend(presence_problem(&state));
    reasons.extend(clock_behind_problem(&state.journal.stats()));
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready, feed: link_word(feed.link), store, reasons }))
}

/// Why people's presence is not known, where Zoom can be asked: without credentials there is nothing to mend.
pub(super) fn presence_problem(state: &AppState) -> Option<String> {
    state.presence.borrow().problem.clone().filter(|_| state.budget.is_some())
}

/// Events that are dated after our clock are not believed, so a board with a wrong clock stays empty.
pub(super) fn clock_problem(anomalies: &Anomalies, now: Timestamp) -> Option<String> {
    const RECENT: Duration = Duration::from_secs(5 * 60);
    // One such event among good ones is somebody else's slip.
    const IN_A_ROW: u64 = 3;
    let is_recent = anomalies.future_at.is_some_and(|at| now.since(at) < RECENT);
    (is_recent && anomalies.future_in_a_row >= IN_A_ROW).then(|| {
        "Zoom dates its events more than 10 minutes after this server's clock, so they are not counted; set \
         this machine's clock, then start Callboard again."
            .to_owned()
    })
}

/// Waits are told by this machine's clock from instants that Zoom's tells.
pub(super) fn clock_behind_problem(stats: &JournalStats) -> Option<String> {
    let seconds = stats.clock_behind?.as_secs();
    Some(format!(
        "Zoom dates its events at least {seconds} s after this server's clock, so waits look as much shorter than they \
         are; let the time of this machine be synchronised."
    ))
}

/// The feed's own health.
#[derive(Debug, Serialize)]
pub(super) struct FeedJson {
    link: &'static str,
    since: String,
    problem: Option<String>,
    connected_since: Option<String>,
    last_heard_at: Option<String>,
    reconnects: u64,
    token_expires_at: Option<String>,
    last_event_at: Option<String>,
    /// Milliseconds from the sending of the newest event, as Zoom dates it, to its arrival; null before
    /// the first, and when it does not say. Both clocks are in it.
    lag_ms: Option<u64>,
    journalled: u64,
    facts: u64,
    duplicates: u64,
    /// Of these, records that were read a second time.
    read_again: u64,
    quarantined: u64,
    quarantine_size: u64,
    lost: u64,
    foreign_account: u64,
    late: u64,
    future: u64,
    repeated: u64,
    crowded: u64,
    queued: usize,
    last_commit_ms: f64,
    webhooks: WebhooksJson,
    directory: DirectoryJson,
    /// REST requests of this UTC day, by part of the API and weight; null where Zoom cannot be asked.
    requests: Option<Vec<RequestsJson>>,
    presence: PresenceJson,
    record: RecordJson,
    past: PastJson,
    gaps: Vec<GapJson>,
    as_of: String,
}

#[derive(Debug, Serialize)]
struct WebhooksJson {
    accepted: u64,
    refused: u64,
    stale: u64,
    unavailable: u64,
}

#[derive(Debug, Serialize)]
struct PresenceJson {
    /// People who could not be read; they are asked for again.
    unread: usize,
    problem: Option<String>,
}

#[derive(Debug, Serialize)]
struct RecordJson {
    /// Calls and lists of calls that could not be read; they are asked for again a few times.
    unread: usize,
    problem: Option<String>,
}

#[derive(Debug, Serialize)]
struct DirectoryJson {
    read_at: Option<String>,
    /// Queues that calls named, that are not in it, and that have no row in `/api/v1/queues`, being too many.
    unlisted_queues: u32,
    queues_without_members: usize,
    /// Lists, and members or settings of single queues, that could not be read the last time.
    unread: usize,
    problem: Option<String>,
    /// Extensions besides queues whose names are known.
    extensions: usize,
    sites: usize,
    extensions_problem: Option<String>,
}

#[derive(Debug, Serialize)]
struct RequestsJson {
    product: &'static str,
    category: &'static str,
    used_today: u32,
    /// What this server may use in a day; null where Zoom has no daily limit.
    share_of_day: Option<u32>,
    left_today: Option<u32>,
    refused: u32,
    /// Zoom said that the account has none left until then.
    used_up_until: Option<String>,
}

impl RequestsJson {
    fn new(line: &BudgetLine) -> Self {
        Self {
            product: line.lane.product.word(),
            category: line.lane.category.word(),
            used_today: line.used,
            share_of_day: line.share_of_day,
            left_today: line.left,
            refused: line.refused,
            used_up_until: line.used_up_until.map(format_rfc3339),
        }
    }
}

/// What can be shown of the past, and what that takes.
#[derive(Debug, Serialize)]
struct PastJson {
    /// The earliest instant for `at`.
    since: Option<String>,
    keep_days: u64,
    /// Events older than a day, bytes of their texts, and the bytes they take.
    packed_events: i64,
    text_bytes: i64,
    packed_bytes: i64,
    snapshots: i64,
    snapshot_bytes: i64,
    database_bytes: i64,
    /// Instants that were worked out again since the start and compared with what had been published; of
    /// these, those at which that was something else; and others that could not be worked out.
    proved: u64,
    differing: u64,
    unproved: u64,
}

impl PastJson {
    fn new(size: &ArchiveSize, keep: Duration, proofs: Proofs) -> Self {
        Self {
            since: size.since.map(format_rfc3339),
            keep_days: keep.as_secs() / 86_400,
            packed_events: size.packed_events,
            text_bytes: size.text_bytes,
            packed_bytes: size.packed_bytes,
            snapshots: size.snapshots,
            snapshot_bytes: size.snapshot_bytes,
            database_bytes: size.database_bytes,
            proved: proofs.instants,
            differing: proofs.differing,
            unproved: proofs.unproved,
        }
    }
}

#[derive(Debug, Serialize)]
struct GapJson {
    from: String,
    to: Option<String>,
    cause: String,
    /// When the records of its calls had been read; null while that is to be done.
    repaired_at: Option<String>,
}

/// `GET /api/v1/feed`
pub(super) async fn feed(State(state): State<AppState>) -> Result<Json<FeedJson>, ApiError> {
    let feed = state.feed.borrow().clone();
    let stats = state.journal.stats();
    let webhooks = state.webhooks.stats();
    let directory = state.directory.borrow().clone();
    let phone_book = state.phone_book.read();
    let (presence, record) = (state.presence.borrow().clone(), state.record.borrow().clone());
    let anomalies = state.keeper.anomalies().await?;
    let board = state.keeper.board(BoardKey::All).await?;
    let now = clock::now();
    let today = clock::day_start(state.home, now);
    let gaps = state.store.gaps_since(today).await?;
    let quarantine_size = state.store.quarantined().await?;
    let rfc3339 = |at: Option<Timestamp>| at.map(format_rfc3339);
    Ok(Json(FeedJson {
        link: link_word(feed.link),
        since: format_rfc3339(feed.since),
        problem: feed
            .problem
            .or_else(|| clock_problem(&anomalies, now))
            .or_else(|| clock_behind_problem(&stats)),
        connected_since: rfc3339(feed.connected_since),
        last_heard_at: rfc3339(feed.heard_at),
        reconnects: feed.reconnects,
        token_expires_at: rfc3339(feed.token_expires_on),
        last_event_at: rfc3339(stats.newest_at),
        lag_ms: stats.newest_delay.and_then(|delay| u64::try_from(delay.as_millis()).ok()),
        journalled: stats.journalled,
        facts: stats.facts,
        duplicates: stats.duplicates,
        read_again: stats.read_again,
        quarantined: stats.quarantined,
        quarantine_size,
        lost: stats.lost,
        foreign_account: stats.foreign_account,
        late: anomalies.late,
        future: anomalies.future,
        repeated: anomalies.repeated,
        crowded: anomalies.crowded,
        queued: stats.queued,
        last_commit_ms: stats.last_commit.as_secs_f64() * 1000.0,
        webhooks: WebhooksJson {
            accepted: webhooks.accepted,
            refused: webhooks.refused,
            stale: webhooks.stale,
            unavailable: webhooks.unavailable,
        },
        directory: DirectoryJson {
            read_at: rfc3339(directory.read_at),
            unlisted_queues: board.map_or(0, |board| board.totals.unlisted),
            queues_without_members: directory.queues_without_members,
            unread: directory.unread,
            problem: directory.problem,
            extensions: phone_book.extensions().len(),
            sites: phone_book.sites().len(),
            extensions_problem: state.phone_book.problem(),
        },
        requests: match &state.budget {
            Some(budget) => Some(budget.today().await.iter().map(RequestsJson::new).collect()),
            None => None,
        },
        presence: PresenceJson { unread: presence.unread, problem: presence.problem },
        record: RecordJson { unread: record.unread(), problem: record.problem() },
        past: PastJson::new(&state.store.archive_size().await?, state.keep, state.past.proofs()),
        gaps: gaps
            .into_iter()
            .map(|stored| GapJson {
                from: format_rfc3339(stored.gap.from),
                to: rfc3339(stored.gap.to),
                cause: stored.cause,
                repaired_at: rfc3339(stored.repaired_at),
            })
            .collect(),
        as_of: format_rfc3339(now),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_that_could_not_be_compared_are_told_beside_those_that_were() {
        let proofs = Proofs { instants: 24, differing: 2, unproved: 3 };
        let told = PastJson::new(&ArchiveSize::default(), Duration::from_secs(86_400), proofs);
        let told = serde_json::to_value(told).unwrap();
        assert_eq!([&told["proved"], &told["differing"], &told["unproved"]], [24, 2, 3]);
    }

    #[test]
    fn one_event_from_the_future_is_no_wrong_clock() {
        let now = Timestamp::from_millis(1_790_000_000_000);
        let told = |in_a_row, at| {
            let anomalies = Anomalies {
                future: 9,
                future_in_a_row: in_a_row,
                future_at: Some(at),
                ..Anomalies::default()
            };
            clock_problem(&anomalies, now).is_some()
        };
        assert!(!told(1, now) && !told(2, now));
        assert!(told(3, now));
        assert!(!told(3, now - Duration::from_secs(301)), "it is over");
    }
}
