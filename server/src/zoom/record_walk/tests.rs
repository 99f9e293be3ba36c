//! The walk on the pretend Zoom, killed in the middle.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    extract::{Path as Segment, State},
    http::StatusCode,
    routing::get,
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::mpsc;
use zoom_sim::{Pace, Sim, SimConfig, WorldConfig};

use super::*;
use crate::{
    Purpose,
    zoom::{
        rate_limit::{Plan, Share},
        rest::{
            Budget, RestClient,
            pretend::{client_of, client_of_sim},
        },
        wire::Reader,
    },
};

#[test]
fn a_walk_begins_once_a_night_also_when_clocks_change() {
    let check = |zone: Tz, after: &str, due: &str| {
        let after = clock::parse_rfc3339(after).unwrap();
        assert_eq!(clock::format_rfc3339(next_night(zone, after)), due, "{zone} after {after:?}");
    };
    check(Tz::UTC, "2026-11-25T22:00:00Z", "2026-11-26T02:30:00Z");
    check(Tz::UTC, "2026-11-26T02:30:00Z", "2026-11-27T02:30:00Z");
    check(Tz::UTC, "2026-11-26T01:00:00Z", "2026-11-26T02:30:00Z");
    check(Tz::Europe__Berlin, "2026-03-28T22:00:00Z", "2026-03-29T01:30:00Z");
    check(Tz::Europe__Berlin, "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z");
}

#[test]
fn at_night_the_nightly_walk_is_due_and_not_the_intraday_one() {
    let check = |began_at: &str, now: &str, expected| {
        let at = |text| clock::parse_rfc3339(text).unwrap();
        let minutes = Duration::from_secs(300);
        assert_eq!(due(Tz::UTC, minutes, at(began_at), at(now)), expected, "{now} after {began_at}");
    };
    check("2026-11-26T02:20:00Z", "2026-11-26T02:24:59Z", None);
    check("2026-11-26T02:20:00Z", "2026-11-26T02:25:00Z", Some(Due::Intraday));
    check("2026-11-26T02:25:00Z", "2026-11-26T02:30:00Z", Some(Due::Nightly));
    check("2026-11-26T02:28:00Z", "2026-11-26T02:30:00Z", Some(Due::Nightly));
    check("2026-11-26T02:30:00Z", "2026-11-26T02:35:00Z", Some(Due::Intraday));
}

/// No nightly walk is due.
fn noon() -> Timestamp {
    clock::parse_rfc3339("2026-11-27T12:00:00Z").unwrap()
}

/// A pretend Zoom that wrote down some calls of the last twenty minutes.
async fn account() -> Sim {
    let millis = noon().as_millis() - 20 * 60_000;
    let start = DateTime::<Utc>::from_timestamp_millis(millis).unwrap();
    let traffic = WorldConfig { history_delay_seconds: 0..=0, ..WorldConfig::small(start) };
    let config = SimConfig {
        traffic: Some(traffic),
        warm_up: TimeDelta::zero(),
        start: Some(start),
        pace: Pace::ByHand,
        ..SimConfig::small()
    };
    let sim = Sim::start(config).await.unwrap();
    sim.change_world(|world| (0..8).for_each(|call| world.call_queue(call % 2)));
    sim.play(TimeDelta::seconds(60)).await;
    sim.change_world(|world| world.stop_arrivals());
    sim.play(TimeDelta::seconds(1_100)).await;
    sim
}

/// An API that answers as it is told. The list has no name.
#[derive(Debug, Clone, Default)]
struct Api {
    answers: Arc<Mutex<HashMap<String, (StatusCode, Value)>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Api {
    async fn client(&self) -> RestClient {
        let list = async |State(api): State<Self>| api.answer("");
        let path = async |State(api): State<Self>, Segment(id): Segment<String>| api.answer(&id);
        let router = Router::new()
            .route("/phone/call_history", get(list))
            .route("/phone/call_history/{id}", get(path))
            .with_state(self.clone());
        client_of(router, FeedTimings::default()).await
    }

    fn set(&self, name: &str, status: StatusCode, answer: Value) {
        self.answers.lock().unwrap().insert(name.to_owned(), (status, answer));
    }

    fn answer(&self, name: &str) -> (StatusCode, Json<Value>) {
        self.asked.lock().unwrap().push(name.to_owned());
        let (status, answer) = self.answers.lock().unwrap().get(name).unwrap().clone();
        (status, Json(answer))
    }

    /// How often this was asked for since the last time.
    fn asked(&self, name: &str) -> usize {
        let mut asked = self.asked.lock().unwrap();
        let all = asked.len();
        asked.retain(|one| one != name);
        all - asked.len()
    }
}

fn list(ids: &[&str]) -> Value {
    let rows: Vec<Value> = ids.iter().map(|id| json!({ "call_history_uuid": id })).collect();
    json!({ "call_history": rows })
}

fn path(id: &str) -> Value {
    json!({ "call_history_uuid": id, "call_elements": [{ "call_id": "7000000000000000041" }] })
}

/// A server's parts as far as the walk needs them.
struct Server {
    walker: RecordWalker,
    said: watch::Receiver<RecordStatus>,
    journal_tracker: TaskTracker,
    stop: CancellationToken,
    /// Kept open: nobody reads the facts, there is room for all of them.
    _facts: mpsc::Receiver<Vec<crate::journal::Journalled>>,
}

impl Server {
    async fn on(sim: &Sim, folder: &Path) -> Self {
        let budget = Budget::new(Plan::default(), Share::default());
        Self::of(client_of_sim(sim, budget), folder).await
    }

    async fn of(rest: RestClient, folder: &Path) -> Self {
        let made_at = noon() - Duration::from_secs(20 * 60);
        let (store, writer) = Store::open(folder, Purpose::Work, made_at).await.unwrap();
        let (journal_tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let (send, facts) = mpsc::channel(1_000);
        let reader = Reader::new(None);
        let journal =
            Journal::start(writer, reader.clone(), send, clock::now(), &journal_tracker, stop.clone())
                .await
                .unwrap();
        let timings = FeedTimings {
            record_every: Duration::from_secs(600),
            record_delay: Duration::ZERO,
            ..FeedTimings::default()
        };
        let paths = PathReader { rest, journal: journal.clone(), reader };
        let (status, said) = watch::channel(RecordStatus::default());
        let walker = RecordWalker { paths, store, journal, home: Tz::UTC, timings, status };
        Self { walker, said, journal_tracker, stop, _facts: facts }
    }

    /// Like a kill, but that the folder can be opened again: what is not committed is not waited for.
    async fn ends(self) {
        let Self { walker, journal_tracker, stop, .. } = self;
        walker.store.close().await;
        drop(walker);
        stop.cancel();
        journal_tracker.close();
        journal_tracker.wait().await;
    }

    async fn journalled(&self) -> i64 {
        self.walker.store.last_event_id().await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_walk_that_is_killed_goes_on_from_its_place_and_reads_no_call_twice() {
    let sim = account().await;
    let calls = sim.with_world(|world| world.history().visible_at(world.now()).count());
    assert!(calls >= 8, "{calls} calls");
    let folder = TempDir::new().unwrap();

    let server = Server::on(&sim, folder.path()).await;
    let some_are_read = async {
        while server.walker.store.walked_calls().await.unwrap().len() < 3 {
            sleep(Duration::from_millis(1)).await;
        }
    };
    let mut killed = LeftBehind::default();
    tokio::select! {
        walked = server.walker.look(noon(), &mut killed) => panic!("not killed in time: {walked:?}"),
        () = some_are_read => {}
    }
    server.ends().await;

    let server = Server::on(&sim, folder.path()).await;
    let walk = server.walker.store.record_walk().await.unwrap().unwrap();
    assert!(!walk.is_done(), "{walk:?}");
    let mut left = LeftBehind::default();
    assert!(server.walker.store.walked_calls().await.unwrap().len() >= 3);
    server.walker.look(noon(), &mut left).await.unwrap();
    let walk = server.walker.store.record_walk().await.unwrap().unwrap();
    assert!(walk.is_done() && walk.read_until == walk.until, "{walk:?}");
    assert_eq!(server.journalled().await as usize, calls, "each call is in the journal once");
    // Each call's path once, and the one on its way at the kill perhaps again; each slice's list once, and
    // the one of the slice that was cut off again.
    let slices = 2;
    let asked = sim.totals().rest as usize;
    assert!(asked <= calls + 1 + slices + 1, "{asked} requests for {calls} calls");

    server.walker.look(noon(), &mut left).await.unwrap();
    assert_eq!(sim.totals().rest as usize, asked, "the next walk is not due yet");
    server.ends().await;
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_holds_up_nothing_and_the_record_counts_as_read_only_up_to_there() {
    let sim = account().await;
    let calls = sim.with_world(|world| world.history().visible_at(world.now()).count());
    let folder = TempDir::new().unwrap();
    let mut server = Server::on(&sim, folder.path()).await;
    server.walker.timings.back_off_first = Duration::ZERO;
    let mut left = LeftBehind::default();
    // The list of the first slice, and then the path of one call.
    sim.faults().fail_rest(1, 503);
    server.walker.look(noon(), &mut left).await.unwrap();
    server.walker.tell(&left, None);
    let walk = server.walker.store.record_walk().await.unwrap().unwrap();
    assert!(walk.is_done(), "{walk:?}");
    assert_eq!(left.slices.len(), 1, "{left:?}");
    assert_eq!(walk.read_until, left.slices[0].from, "what was left may hold calls of any kind");
    let said = server.said.borrow().problem().unwrap();
    assert!(
        said.starts_with("1 record could not be read of the last days") && said.contains("503"),
        "{said}"
    );

    sim.faults().fail_rest(1, 503);
    server.walker.look(noon(), &mut left).await.unwrap();
    assert_eq!((left.slices.len(), left.slices[0].passes), (1, 2), "again in vain");
    server.walker.look(noon(), &mut left).await.unwrap();
    server.walker.tell(&left, None);
    assert_eq!((left.slices.len(), server.said.borrow().problem()), (0, None));
    let walk = server.walker.store.record_walk().await.unwrap().unwrap();
    assert_eq!(walk.read_until, walk.until);
    assert_eq!(server.journalled().await as usize, calls, "each call is in the journal once");
    server.ends().await;
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ended_since_the_last_walk_is_read_without_waiting_for_the_night() {
    let sim = account().await;
    let folder = TempDir::new().unwrap();
    let mut server = Server::on(&sim, folder.path()).await;
    let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
    let mut ends: Vec<i64> = sim.with_world(|world| {
        let records = world.history().visible_at(world.now());
        records.map(|record| record.end.timestamp_millis()).collect()
    });
    ends.sort_unstable();
    // The walk begins at the end of the call in the middle.
    let middle = Timestamp::from_millis(ends[ends.len() / 2]);
    let last = middle + minutes(2);
    let orders = [
        WalkOrder::Begin { at: last, from: last - minutes(5), until: last },
        WalkOrder::Reached { until: last, read_until: last },
    ];
    for order in orders {
        server.walker.journal.walk(order).await.unwrap();
    }
    server.walker.journal.flush().await.unwrap();
    let mut left = LeftBehind::default();
    server.walker.timings.record_every = minutes(60);
    server.walker.look(noon(), &mut left).await.unwrap();
    assert_eq!(server.journalled().await, 0, "it is not time yet");

    server.walker.timings.record_every = minutes(2);
    server.walker.look(noon(), &mut left).await.unwrap();
    let since = ends.iter().filter(|end| **end >= middle.as_millis()).count();
    assert!(since < ends.len(), "{ends:?}");
    assert_eq!(
        server.journalled().await as usize,
        since,
        "what ended shortly before the last walk, once more"
    );
    let walk = server.walker.store.record_walk().await.unwrap().unwrap();
    assert!(walk.is_done() && walk.read_until == walk.until && walk.until == noon(), "{walk:?}");
    server.ends().await;
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_left_behind_by_day_is_asked_for_again_and_not_passed_over() {
    let sim = account().await;
    let folder = TempDir::new().unwrap();
    let mut server = Server::on(&sim, folder.path()).await;
    server.walker.timings.record_every = Duration::from_secs(1);
    let mut left = LeftBehind::default();
    sim.faults().fail_rest(1, 503);
    server.walker.look(noon(), &mut left).await.unwrap();
    let stuck = server.walker.store.record_walk().await.unwrap().unwrap().read_until;
    assert_eq!(left.slices.len(), 1, "{left:?}");

    // The next walk begins where the last one ended.
    server.walker.timings.record_every = Duration::ZERO;
    server.walker.look(noon(), &mut left).await.unwrap();
    assert_eq!((left.slices.len(), left.slices[0].passes), (1, 1), "{left:?}");
    let walk = server.walker.store.record_walk().await.unwrap().unwrap();
    assert!(walk.is_done() && walk.read_until == stuck, "{walk:?}");

    // So does the one after a restart, which knows of what was left by its place.
    server.ends().await;
    let mut server = Server::on(&sim, folder.path()).await;
    server.walker.timings.back_off_first = Duration::ZERO;
    let mut left = LeftBehind::default();
    server.walker.look(noon(), &mut left).await.unwrap();
    let walk = server.walker.store.record_walk().await.unwrap().unwrap();
    assert!(left.slices.is_empty() && walk.read_until == walk.until, "{left:?} {walk:?}");
    server.ends().await;
    sim.stop().await;
}

#[tokio::test]
async fn a_record_that_is_understood_at_the_second_reading_is_read() {
    let (api, folder) = (Api::default(), TempDir::new().unwrap());
    let server = Server::of(api.client().await, folder.path()).await;
    api.set("", StatusCode::OK, list(&["h-1"]));
    api.set("h-1", StatusCode::OK, json!({ "call_history_uuid": "h-1" }));
    let mut left = LeftBehind::default();
    server.walker.look(noon(), &mut left).await.unwrap();
    server.walker.tell(&left, None);
    assert!(server.said.borrow().problem().unwrap().starts_with("1 record could not be read"));
    assert_eq!(api.asked("h-1"), 2, "both lists of the walk have it");

    api.set("h-1", StatusCode::OK, path("h-1"));
    server.walker.look(noon() + server.walker.timings.record_every, &mut left).await.unwrap();
    server.walker.tell(&left, None);
    assert_eq!(*server.said.borrow(), RecordStatus::default());
    server.ends().await;
}

#[tokio::test]
async fn a_call_that_fails_in_two_walks_is_left_behind_once_and_asked_for_seven_times_at_most() {
    let (api, folder) = (Api::default(), TempDir::new().unwrap());
    let mut server = Server::of(api.client().await, folder.path()).await;
    // One list for each walk, and no longer pause than between two of them.
    server.walker.timings.record_every = Duration::from_secs(300);
    server.walker.timings.second_look = Duration::from_secs(300);
    api.set("", StatusCode::OK, list(&["h-1"]));
    api.set("h-1", StatusCode::BAD_REQUEST, json!({}));
    let mut left = LeftBehind::default();
    let mut now = noon();
    server.walker.look(now, &mut left).await.unwrap();
    assert_eq!((left.unread(), api.asked("h-1")), (1, 1), "both lists of the walk have it");
    now = now + server.walker.timings.record_every;
    server.walker.look(now, &mut left).await.unwrap();
    assert_eq!((left.unread(), api.asked("h-1")), (1, 0), "{left:?}");

    // One more call is left behind every time: that begins nothing anew for the first one.
    let mut asked = 1;
    for walk in 2..10 {
        let id = format!("h-{walk}");
        api.set("", StatusCode::OK, list(&["h-1", &id]));
        api.set(&id, StatusCode::BAD_REQUEST, json!({}));
        now = now + server.walker.timings.record_every;
        server.walker.look(now, &mut left).await.unwrap();
        server.walker.look(now + Duration::from_secs(1), &mut left).await.unwrap();
        asked += api.asked("h-1");
    }
    assert_eq!((asked, left.unread()), (7, 9));
    server.ends().await;
}

#[tokio::test]
async fn rows_without_a_name_are_counted_once_however_often_their_list_is_asked_for() {
    let (api, folder) = (Api::default(), TempDir::new().unwrap());
    let mut server = Server::of(api.client().await, folder.path()).await;
    server.walker.timings.back_off_first = Duration::ZERO;
    // The next page is this one again.
    let rows = json!({ "call_history": [{ "call_history_uuid": 7 }], "next_page_token": "t" });
    api.set("", StatusCode::OK, rows);
    let mut left = LeftBehind::default();
    let from = noon() - Duration::from_secs(600);
    server.walker.journal.walk(WalkOrder::Begin { at: noon(), from, until: noon() }).await.unwrap();
    server.walker.journal.flush().await.unwrap();
    for passes in 1..3 {
        server.walker.look(noon(), &mut left).await.unwrap();
        assert_eq!((left.slices.len(), left.slices[0].passes), (1, passes));
        assert_eq!(left.unread(), 2, "the list, and a row of it");
    }
    server.ends().await;
}

#[tokio::test]
async fn what_was_left_before_a_restart_is_listed_slice_by_slice_and_told_when_it_was_asked_for() {
    let (api, folder) = (Api::default(), TempDir::new().unwrap());
    let server = Server::of(api.client().await, folder.path()).await;
    let from = noon() - Duration::from_secs(20 * 60);
    let orders = [
        WalkOrder::Begin { at: noon(), from, until: noon() },
        WalkOrder::Reached { until: noon(), read_until: from },
    ];
    for order in orders {
        server.walker.journal.walk(order).await.unwrap();
    }
    server.walker.journal.flush().await.unwrap();
    let mut left = LeftBehind::default();
    left.slices.extend(cut(from, noon()));
    assert_eq!(left.unread(), 0);
    left.slices.clear();

    api.set("", StatusCode::BAD_GATEWAY, json!({}));
    server.walker.look(noon(), &mut left).await.unwrap();
    let spans: Vec<_> = left.slices.iter().map(|slice| (slice.from, slice.to)).collect();
    assert_eq!(spans, [(from, from + SLICE), (from + SLICE, noon())]);
    assert_eq!((api.asked(""), left.unread()), (2, 2));
    server.ends().await;
}

#[tokio::test]
async fn a_list_without_an_end_is_left_after_more_pages_than_an_account_fills_and_the_walk_goes_on() {
    let pages = Arc::new(Mutex::new(0));
    let list = async |State(pages): State<Arc<Mutex<usize>>>| {
        let mut pages = pages.lock().unwrap();
        *pages += 1;
        let rows = json!([{ "call_history_uuid": "h-1" }, { "call_history_uuid": format!("h-{pages}") }]);
        Json(json!({ "call_history": rows, "next_page_token": format!("t-{pages}") }))
    };
    let path = async |Segment(id): Segment<String>| Json(path(&id));
    let router = Router::new()
        .route("/phone/call_history", get(list))
        .route("/phone/call_history/{id}", get(path))
        .with_state(Arc::clone(&pages));
    let folder = TempDir::new().unwrap();
    let server = Server::of(client_of(router, FeedTimings::default()).await, folder.path()).await;
    let from = noon() - Duration::from_secs(60);
    server.walker.journal.walk(WalkOrder::Begin { at: noon(), from, until: noon() }).await.unwrap();
    server.walker.journal.flush().await.unwrap();
    let mut left = LeftBehind::default();
    server.walker.look(noon(), &mut left).await.unwrap();
    server.walker.tell(&left, None);
    assert_eq!(*pages.lock().unwrap(), 5, "of the calls of a minute");
    let said = server.said.borrow().problem().unwrap();
    assert!(said.contains("1 record could not be read") && said.contains("have no end"), "{said}");
    let walk = server.walker.store.record_walk().await.unwrap().unwrap();
    assert!(walk.is_done() && walk.read_until == from, "{walk:?}");
    assert_eq!(server.walker.store.walked_calls().await.unwrap().len(), 0, "of a slice that is over");
    assert_eq!(left.slices.len(), 1, "it is asked for again");
    server.ends().await;
}
