use std::sync::Arc;

use axum::{Json, Router, extract::State, routing::get};
use domain::trust::Gap;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    Purpose,
    journal::{Incoming, Journalled, Source},
    store::Store,
    zoom::{rest::pretend::client_of, wire::Reader},
};

const DEADLINE: Duration = Duration::from_secs(20);

const fn at(minutes: i64) -> Timestamp {
    Timestamp::from_millis(1_795_000_000_000 + minutes * 60_000)
}

#[test]
fn the_record_is_asked_after_a_quarter_of_an_hour_and_ever_more_seldom() {
    let timings = FeedTimings { record_delay: Duration::ZERO, ..FeedTimings::default() };
    let mut ear = Ear::default();
    let asked: Vec<i64> = (0..300)
        .filter(|minute| {
            matches!(ear.listen(at(*minute), Some(at(0)), None, &timings), Step::Ask { from, .. } if from == at(0))
        })
        .collect();
    assert_eq!(asked, [15, 45, 90, 150, 210, 270]);
    // An event begins it anew; while nothing can come, nothing is asked.
    assert_eq!(ear.listen(at(300), Some(at(299)), Some(at(299)), &timings), Step::Nothing);
    assert!(matches!(ear.listen(at(314), Some(at(299)), Some(at(299)), &timings), Step::Ask { .. }));
    assert_eq!(ear.listen(at(500), None, None, &timings), Step::Nothing);
}

#[test]
fn a_few_calls_whose_events_were_lost_are_no_alarm() {
    let mut ear = Ear::default();
    ear.found(at(0), 2);
    assert_eq!(ear.deaf, None);
    ear.found(at(0), 3);
    assert_eq!(ear.deaf, Some(Deafness { since: at(0), calls: 3 }));
    // What comes afterwards ends it, what came before does not.
    let timings = FeedTimings::default();
    assert_eq!(ear.listen(at(20), Some(at(0)), Some(at(0)), &timings), Step::Nothing);
    let heard = ear.listen(at(30), Some(at(29)), Some(at(29)), &timings);
    assert_eq!(heard, Step::HeardAgain { from: at(0), to: at(29) });
    assert_eq!(ear, Ear::default());
}

#[test]
fn only_calls_that_must_have_been_told_by_events_count() {
    let call = |change: &dyn Fn(&mut Value)| {
        let mut row = json!({
            "call_history_uuid": "h", "direction": "inbound", "call_result": "answered",
            "callee_ext_type": "user", "start_time": "2026-11-21T13:00:00Z"
        });
        change(&mut row);
        CallRow::from(row).answered_from()
    };
    assert_eq!(call(&|_| {}), clock::parse_rfc3339("2026-11-21T13:00:00Z"));
    assert!(call(&|row| row["callee_ext_type"] = json!("call_queue")).is_some());
    assert_eq!(
        call(&|row| row["callee_ext_type"] = json!("auto_receptionist")),
        None,
        "rings nobody's phone"
    );
    assert_eq!(call(&|row| row["call_result"] = json!("abandoned")), None, "perhaps no phone rang");
    assert_eq!(call(&|row| row["direction"] = json!("outbound")), None);
    assert_eq!(call(&|row| row["start_time"] = json!(7)), None);
}

struct Fixture {
    feed: watch::Sender<FeedStatus>,
    seen: watch::Receiver<FeedStatus>,
    journal: Journal,
    reader: Reader,
    store: Store,
    since: Timestamp,
    _facts: mpsc::Receiver<Vec<Journalled>>,
    _folder: tempfile::TempDir,
}

impl Fixture {
    /// A feed that has been live for an hour, and a record that has these calls.
    async fn start(calls: usize) -> Self {
        let since = clock::now() - Duration::from_secs(3600);
        let began = clock::format_rfc3339(since + Duration::from_secs(600));
        let rows = (0..calls).map(|call| {
            json!({ "call_history_uuid": call.to_string(), "direction": "inbound", "call_result": "answered",
                "callee_ext_type": "call_queue", "start_time": began })
        });
        let list = json!({ "call_history": rows.collect::<Vec<_>>() });
        let history = async |State(list): State<Arc<Value>>| Json(Value::clone(&list));
        let api = Router::new().route("/phone/call_history", get(history)).with_state(Arc::new(list));
        let timings = FeedTimings { quiet: Duration::from_millis(20), ..FeedTimings::default() };
        let rest = client_of(api, timings).await;

        let folder = tempfile::tempdir().unwrap();
        let (store, writer) = Store::open(folder.path(), Purpose::Work, since).await.unwrap();
        let (facts, kept) = mpsc::channel(100);
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let reader = Reader::default();
        let journal =
            Journal::start(writer, reader.clone(), facts, clock::now(), &tracker, stop).await.unwrap();
        let mut live = FeedStatus::new(FeedLink::Live, since);
        live.connected_since = Some(since);
        let (feed, own_word) = watch::channel(live);
        let seen = Silence { rest, journal: journal.clone(), feed: own_word, since, timings }.spawn(&tracker);
        Self { feed, seen, journal, reader, store, since, _facts: kept, _folder: folder }
    }

    async fn until(&mut self, link: FeedLink) -> FeedStatus {
        let waiting = tokio::time::timeout(DEADLINE, self.seen.wait_for(|status| status.link == link));
        waiting.await.expect("in time").expect("the task lives").clone()
    }

    /// An event of a call comes.
    async fn ring(&self) {
        let now = clock::now();
        let text = json!({ "event": "phone.callee_ringing", "event_ts": now.as_millis(), "payload": { "object": {
            "call_id": "7000000000000000041", "ringing_start_time": clock::format_rfc3339(now),
            "callee": { "extension_number": 1007, "extension_type": "user" }, "caller": {},
        } } });
        let incoming = Incoming::read(&self.reader, Source::Webhook, now, &text.to_string());
        self.journal.append(incoming).await.unwrap();
    }
}

#[tokio::test]
async fn b7_a_subscription_that_is_silent_while_the_record_shows_calls_is_told_and_its_time_is_a_gap() {
    let mut fixture = Fixture::start(3).await;
    let deaf = fixture.until(FeedLink::Down).await;
    assert_eq!((deaf.heard_at, deaf.since), (Some(fixture.since), fixture.since));
    let problem = deaf.problem.unwrap();
    assert!(problem.contains("shows 3 calls") && problem.contains("event subscription"), "{problem}");
    // Trouble that the feed knows of itself is said in its own words, and does not end the silence.
    fixture.feed.send_modify(|feed| (feed.link, feed.problem) = (FeedLink::Contested, None));
    fixture.until(FeedLink::Contested).await;
    fixture.feed.send_modify(|feed| feed.link = FeedLink::Live);
    fixture.until(FeedLink::Down).await;

    fixture.ring().await;
    fixture.until(FeedLink::Live).await;
    fixture.journal.flush().await.unwrap();
    let gaps = fixture.store.gaps_since(fixture.since).await.unwrap();
    let [gap] = &gaps[..] else { panic!("{gaps:?}") };
    let Gap { from, to } = gap.gap;
    assert_eq!((from, gap.cause.as_str(), gap.repaired_at), (fixture.since, CAUSE, None));
    assert!(to.is_some());
}

#[tokio::test]
async fn what_the_feed_says_of_itself_is_passed_on_and_so_is_its_end() {
    let mut fixture = Fixture::start(0).await;
    fixture.feed.send_modify(|feed| feed.link = FeedLink::Down);
    fixture.until(FeedLink::Down).await;
    fixture.feed.send_modify(|feed| feed.link = FeedLink::Live);
    fixture.until(FeedLink::Live).await;
    let Fixture { feed, mut seen, .. } = fixture;
    drop(feed);
    let ended = async { while seen.changed().await.is_ok() {} };
    tokio::time::timeout(DEADLINE, ended).await.expect("in time");
}
