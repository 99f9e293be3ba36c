//! The time machine: any instant shows what was published then.

use std::{collections::BTreeMap, time::Duration};

use domain::view::{BoardChange, BoardView};
use serde_json::Value;
use tokio::time::Instant;
use zoom_sim::SimConfig;

use crate::{
    live_stream::Stream,
    support::{Rig, Ring, now},
};

/// What a stream told, by its ids: whole views as they would be sent to who begins then.
#[derive(Default)]
struct Follower(BTreeMap<String, (i64, String)>);

impl Follower {
    /// Follows a board for a while.
    async fn follow(&mut self, rig: &Rig, board: &str, time: Duration) {
        let mut stream = Stream::open(rig, board).await;
        let mut shown: Option<BoardView> = None;
        let until = Instant::now() + time;
        while Instant::now() < until {
            let (id, event, data) = stream.next_with_id().await.unwrap();
            match event.as_str() {
                "view" => shown = Some(serde_json::from_str(&data).unwrap()),
                "change" => merge(shown.as_mut().unwrap(), serde_json::from_str(&data).unwrap()),
                _ => continue,
            }
            let view = shown.as_ref().unwrap();
            self.0.insert(id, (view.as_of.as_millis(), serde_json::to_string(view).unwrap()));
        }
    }
}

fn merge(view: &mut BoardView, change: BoardChange) {
    let BoardChange { revision, as_of, trust, totals, queues, removed } = change;
    view.queues.retain(|row| !removed.contains(&row.id) && !queues.iter().any(|queue| queue.id == row.id));
    view.queues.extend(queues);
    view.queues.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.id.cmp(&b.id)));
    (view.revision, view.as_of, view.trust, view.totals) = (revision, as_of, trust, totals);
}

/// The first view that a stream of the past tells, with its id.
async fn view_at(rig: &Rig, board: &str, at: i64) -> (String, String) {
    let at = chrono::DateTime::from_timestamp_millis(at).unwrap().format("%Y-%m-%dT%H:%M:%S%.3fZ");
    let mut stream = Stream::open(rig, &format!("{board}?at={at}")).await;
    loop {
        let (id, event, data) = stream.next_with_id().await.unwrap();
        if event == "view" {
            return (id, data);
        }
    }
}

/// Every instant in `told` shows something that was told, byte for byte, and at most a second old.
async fn compare(rig: &Rig, board: &str, told: &Follower) -> usize {
    let (first, last) = {
        let instants = told.0.values().map(|(at, _)| *at);
        (instants.clone().min().unwrap(), instants.max().unwrap())
    };
    let mut seen = BTreeMap::new();
    let mut at = first + 1_500;
    while at < last {
        let (id, view) = view_at(rig, board, at).await;
        let (published_at, published) = told.0.get(&id).expect("what is shown was published");
        assert_eq!(&view, published, "the board of {at}");
        assert!((0..1_500).contains(&(at - published_at)), "{at} shows {published_at}");
        seen.insert(id, ());
        at += 700;
    }
    seen.len()
}

#[tokio::test]
async fn an_instant_shows_byte_for_byte_what_was_published_then() {
    // A small office half an hour into its day, told at once, and going on.
    let rig = Rig::start_with(SimConfig { tells_the_past: true, ..SimConfig::small() }, |_| {}).await;
    let has_calls = |queues: &Value| {
        queues.as_array().is_some_and(|rows| rows.iter().any(|row| row["offered_today"].as_u64() > Some(3)))
    };
    rig.eventually("the morning is told", has_calls, "/api/v1/queues").await;
    let name = rig.sim.directory().queues[0].name.clone();
    rig.queue("the directory is read", &name, |row| row["members"].as_u64() > Some(0)).await;

    let mut all = Follower::default();
    all.follow(&rig, "all", Duration::from_secs(4)).await;
    let mut one = Follower::default();
    let id = rig.sim.directory().queues[0].id.clone();
    one.follow(&rig, &id, Duration::from_secs(3)).await;
    assert!(compare(&rig, "all", &all).await >= 2, "several publications were seen again");
    compare(&rig, &id, &one).await;

    // A restart, in which calls go on, changes nothing about that; nor does what comes after it.
    let rig = rig.restart(async |_| {}, |_| {}).await;
    rig.queue("the directory is known", &name, |row| row["members"].as_u64() > Some(0)).await;
    let mut after = Follower::default();
    after.follow(&rig, "all", Duration::from_secs(4)).await;
    assert!(compare(&rig, "all", &after).await >= 2);
    assert!(compare(&rig, "all", &all).await >= 2);
    rig.stop().await;
}

#[tokio::test]
async fn the_past_has_pages_and_says_what_it_cannot_show() {
    let rig = Rig::start().await;
    let queue = rig.sim.directory().queues[0].clone();
    rig.queue("the directory is read", &queue.name, |row| row["members"].as_u64() > Some(0)).await;
    rig.sim.send_event(Ring::new(&rig.sim, "7100000000000000001", 0, 0, now()).ringing()).await;
    rig.queue("a caller waits", &queue.name, |row| row["waiting"] == 1).await;
    let past = |path: &str, at: &str| format!("{path}?at={at}");
    // The note of it is written with the next pulse.
    let shows_waiting =
        |queues: &Value| queues.as_array().is_some_and(|rows| rows.iter().any(|row| row["waiting"] == 1));
    let deadline = Instant::now() + Duration::from_secs(30);
    let at = loop {
        let now = chrono::Utc::now().format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        let queues = rig.json(&past("/api/v1/queues", &now)).await;
        if shows_waiting(&queues) {
            break now;
        }
        assert!(Instant::now() < deadline, "the past catches up");
    };
    for path in [
        "/wall".to_owned(),
        format!("/wall/{}", queue.id),
        "/queues".to_owned(),
        format!("/queues/{}", queue.id),
    ] {
        let page = rig.get(&past(&path, &at)).await;
        assert_eq!(page.status(), 200, "{path}");
        let page = page.text().await.unwrap();
        assert!(page.contains("The past") && page.contains("Back to now"), "{path} says what it is");
        let clock = format!("data-now=\"{}\"", server::clock::parse_rfc3339(&at).unwrap().as_millis());
        let has_clock = path == "/wall" || path == "/queues";
        assert!(!has_clock || page.contains(&clock), "{path} has one clock, {clock}");
        assert!(page.contains(&queue.name));
    }
    // What is said in other words leads to the instant itself.
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let answer = http.get(rig.url("/queues?at=-0s&sort=-offered")).send().await.unwrap();
    assert_eq!(answer.status(), 303);
    let there = answer.headers()["location"].to_str().unwrap();
    assert!(there.starts_with("/queues?sort=-offered&at=20"), "{there}");
    // Who looks back further than there is sees the first board with a queue, not the first second of a server.
    let answer = http.get(rig.url("/queues?at=-10m")).send().await.unwrap();
    let there = answer.headers()["location"].to_str().unwrap();
    let page = rig.get(there).await;
    assert_eq!(page.status(), 200, "{there}");
    assert!(page.text().await.unwrap().contains(&queue.name), "{there} has queues");
    let page = rig.get(&format!("/queues/{}", queue.id)).await.text().await.unwrap();
    assert!(page.contains("at=-10m"), "a queue's page looks back");

    assert_eq!(rig.get("/wall?at=2001-01-01T00:00:00Z").await.status(), 404, "nothing was kept of it");
    assert_eq!(rig.get("/wall?at=2999-01-01T00:00:00Z").await.status(), 400);
    let wrong = rig.get("/wall?at=rubbish&zone=nonsense&speed=0&rows=99").await;
    assert_eq!(wrong.status(), 400);
    let wrong = wrong.text().await.unwrap();
    for problem in
        ["at is an instant such as", "“zone” is not a setting", "speed is how many", "rows must be"]
    {
        assert!(wrong.contains(problem), "{problem} is said with the others: {wrong}");
    }
    for path in ["/wall?at=soon", "/feed?at=-1m", "/agents?at=-1m", "/reconciliation?at=-1m"] {
        assert_eq!(rig.get(path).await.status(), 400, "{path}");
    }
    assert_eq!(rig.get(&past("/wall/nobody", &at)).await.status(), 404);
    for (path, status) in [
        ("/api/v1/queues?at=2001-01-01T00:00:00Z", 404),
        ("/api/v1/queues?at=2999-01-01T00:00:00Z", 400),
        ("/api/v1/queues?at=-1m&what=else", 400),
        ("/live/all?at=soon", 400),
        ("/live/all?at=-0s&speed=1000", 400),
        ("/live/nobody?at=-0s", 404),
    ] {
        let answer = rig.get(path).await;
        assert_eq!(answer.status(), status, "{path}");
        assert!(answer.json::<Value>().await.unwrap()["detail"].is_string(), "{path}");
    }
    rig.stop().await;
}

fn millis(id: &str) -> Option<i64> {
    let at = chrono::DateTime::parse_from_rfc3339(id.strip_prefix("at-")?).ok()?;
    Some(at.timestamp_millis())
}

/// An instant of which queues are on record.
async fn noted_instant(rig: &Rig) -> String {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let now = chrono::Utc::now().format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        let queues = rig.json(&format!("/api/v1/queues?at={now}")).await;
        if queues.as_array().is_some_and(|rows| !rows.is_empty()) {
            return now;
        }
        assert!(Instant::now() < deadline, "the past catches up");
    }
}

/// When the first view of a stream was published, and the place that is told after it.
async fn first_view(stream: &mut Stream) -> (i64, String) {
    let mut as_of = None;
    loop {
        let (id, event, data) = stream.next_with_id().await.unwrap();
        match (event.as_str(), as_of) {
            ("view", _) => as_of = Some(serde_json::from_str::<BoardView>(&data).unwrap().as_of.as_millis()),
            ("", Some(as_of)) => return (as_of, id),
            _ => {}
        }
    }
}

#[tokio::test]
async fn whoever_comes_again_goes_on_where_they_were_up_to_now() {
    let rig = Rig::start().await;
    let from = noted_instant(&rig).await;
    // Some seconds to run through.
    Follower::default().follow(&rig, "all", Duration::from_secs(6)).await;
    let board = format!("all?at={from}&speed=1");
    let mut stream = Stream::open(&rig, &board).await;
    let (began, place) = first_view(&mut stream).await;
    assert_eq!(millis(&place), Some(began), "the place is the instant that is shown");
    let (id, at) = loop {
        let (id, ..) = stream.next_with_id().await.unwrap();
        if let Some(at) = millis(&id).filter(|at| *at > began + 1_500) {
            break (id, at);
        }
    };
    drop(stream);
    let (again, _) = first_view(&mut Stream::resume(&rig, &board, &id).await).await;
    assert_eq!(again, at, "not from the beginning");
    let (other, _) = first_view(&mut Stream::resume(&rig, &board, "7-13").await).await;
    assert_eq!(other, began, "an id that is no place");
    assert_eq!(Stream::come_again(&rig, &board, "end").await.status(), 204, "there is nothing more to come");

    let mut stream = Stream::open(&rig, &format!("all?at={from}&speed=60")).await;
    while stream.next_with_id().await.unwrap().0 != "now" {}
    let mut stream = Stream::resume(&rig, &format!("all?at={from}&speed=60"), "now").await;
    let (_, event, _) = stream.next_with_id().await.unwrap();
    assert_eq!(event, "hello");
    let (_, event, data) = stream.next_with_id().await.unwrap();
    assert_eq!(event, "view");
    let view: BoardView = serde_json::from_str(&data).unwrap();
    assert!(view.as_of.as_millis() > at, "who had caught up is shown the present");
    rig.stop().await;
}

#[tokio::test]
async fn a_past_that_nobody_follows_any_more_ends() {
    let rig = Rig::start().await;
    let at = noted_instant(&rig).await;
    let board = format!("all?at={at}&speed=1");
    let mut streams = Vec::new();
    loop {
        let answer = rig.get(&format!("/live/{board}")).await;
        if answer.status() == 503 {
            break;
        }
        streams.push(answer);
        assert!(streams.len() < 100, "a past that runs is a board of its own");
    }
    assert!(streams.len() > 10);
    drop(streams);
    let deadline = Instant::now() + Duration::from_secs(30);
    while rig.get(&format!("/live/{board}")).await.status() != 200 {
        assert!(Instant::now() < deadline, "whoever left made room");
    }
    rig.stop().await;
}
