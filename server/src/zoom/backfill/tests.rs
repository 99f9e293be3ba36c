use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::get,
};
use domain::trust::Gap;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::*;
use crate::{
    Purpose,
    journal::Journalled,
    zoom::{rest::pretend::client_of, wire::LONGEST_MESSAGE},
};

const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);

/// Calls as an API lists them, and the path of each of them. A status in place of a path, or of the list,
/// which has no name, fails.
#[derive(Debug, Clone)]
struct Api {
    list: Value,
    path: Value,
    failing: Arc<Mutex<HashMap<String, StatusCode>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Api {
    fn answer(&self, name: &str, answer: &Value) -> (StatusCode, Json<Value>) {
        self.asked.lock().unwrap().push(name.to_owned());
        let failing = self.failing.lock().unwrap().get(name).copied();
        (failing.unwrap_or(StatusCode::OK), Json(answer.clone()))
    }

    fn fail(&self, names: &[(&str, StatusCode)]) {
        *self.failing.lock().unwrap() =
            names.iter().map(|(name, status)| ((*name).to_owned(), *status)).collect();
    }

    /// What was asked for since the last time.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

struct Fixture {
    backfill: Backfill,
    api: Api,
    said: watch::Receiver<RecordStatus>,
    _facts: mpsc::Receiver<Vec<Journalled>>,
    _folder: tempfile::TempDir,
}

impl Fixture {
    /// A gap that is over, and an API that answers like this.
    async fn start(list: Value, path: Value) -> Self {
        let api = Api { list, path, failing: Arc::default(), asked: Arc::default() };
        let list = async |State(api): State<Api>| api.answer("", &api.list);
        let path = async |State(api): State<Api>, Path(id): Path<String>| api.answer(&id, &api.path);
        let router = Router::new()
            .route("/phone/call_history", get(list))
            .route("/phone/call_history/{id}", get(path))
            .with_state(api.clone());
        let timings = FeedTimings { record_delay: Duration::ZERO, ..FeedTimings::default() };
        let rest = client_of(router, timings).await;

        let folder = tempfile::tempdir().unwrap();
        let (store, writer) = Store::open(folder.path(), Purpose::Work, NOW).await.unwrap();
        let (facts, seen) = mpsc::channel(100);
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let reader = Reader::default();
        let journal =
            Journal::start(writer, reader.clone(), facts, clock::now(), &tracker, stop).await.unwrap();
        let now = clock::now();
        journal.open_gap(now - Duration::from_secs(60), "connection lost").await.unwrap();
        journal.close_gap(now).await.unwrap();
        journal.flush().await.unwrap();
        let paths = PathReader { rest, journal: journal.clone(), reader };
        let (status, said) = watch::channel(RecordStatus::default());
        let backfill = Backfill { paths, store, journal, timings, status };
        Self { backfill, api, said, _facts: seen, _folder: folder }
    }

    /// Like [`Fixture::start`], but that what could not be read is due again at once.
    async fn impatient(list: Value, path: Value) -> Self {
        let mut fixture = Self::start(list, path).await;
        fixture.backfill.timings.back_off_first = Duration::ZERO;
        fixture
    }

    /// Looks once more, and says what came of it.
    async fn look(&self, agenda: &mut Agenda) -> Result<(), RepairError> {
        let looked = self.backfill.look(agenda).await;
        self.backfill.tell(agenda, looked.as_ref().err());
        looked
    }

    fn said(&self) -> Option<String> {
        self.said.borrow().problem()
    }

    async fn gaps(&self) -> Vec<StoredGap> {
        self.backfill.journal.flush().await.unwrap();
        self.backfill.store.gaps_since(NOW).await.unwrap()
    }

    async fn gap(&self) -> StoredGap {
        self.gaps().await.remove(0)
    }
}

fn one_call() -> Value {
    json!({ "call_history": [{ "call_history_uuid": "h-1" }] })
}

fn path() -> Value {
    json!({ "call_history_uuid": "h-1", "call_elements": [{ "call_id": "7000000000000000041" }] })
}

#[tokio::test]
async fn a_gap_is_repaired_when_all_of_it_was_read() {
    let fixture = Fixture::start(one_call(), path()).await;
    fixture.backfill.look(&mut Agenda::default()).await.unwrap();
    assert!(fixture.gap().await.repaired_at.is_some());
}

#[tokio::test]
async fn gaps_one_after_the_other_read_each_call_once_and_once_more_later() {
    let mut fixture = Fixture::start(three_calls(), path()).await;
    let now = fixture.gap().await.gap.to.unwrap();
    for seconds in [110, 80] {
        fixture
            .backfill
            .journal
            .open_gap(now - Duration::from_secs(seconds), "connection lost")
            .await
            .unwrap();
        fixture.backfill.journal.close_gap(now - Duration::from_secs(seconds - 10)).await.unwrap();
    }
    assert_eq!(fixture.gaps().await.len(), 3);
    let mut agenda = Agenda::default();
    let calls = |asked: Vec<String>| {
        let mut calls: Vec<String> = asked.into_iter().filter(|name| !name.is_empty()).collect();
        calls.sort();
        calls
    };
    // One cannot be read at first: that holds its gaps up, and no other call is asked for again.
    fixture.api.fail(&[("h-2", StatusCode::SERVICE_UNAVAILABLE)]);
    fixture.look(&mut agenda).await.unwrap();
    let asked = calls(fixture.api.asked());
    assert_eq!(asked.iter().filter(|id| *id != "h-2").collect::<Vec<_>>(), ["h-1", "h-3"]);
    assert!(fixture.gaps().await.iter().all(|stored| stored.repaired_at.is_none()));
    fixture.api.fail(&[]);
    fixture.backfill.timings.back_off_first = Duration::ZERO;
    fixture.look(&mut agenda).await.unwrap();
    assert_eq!(calls(fixture.api.asked()), ["h-2"]);
    assert!(fixture.gaps().await.iter().all(|stored| stored.repaired_at.is_some()));
    fixture.backfill.timings.second_look = Duration::ZERO;
    fixture.look(&mut agenda).await.unwrap();
    assert_eq!(calls(fixture.api.asked()), ["h-1", "h-2", "h-3"], "the second look at all of them");
    assert!(fixture.gaps().await.iter().all(|stored| stored.read_again_at.is_some()));
}

#[test]
fn calls_are_known_to_be_read_for_as_long_as_a_gap_may_list_them() {
    let at = |minute: i64| Timestamp::from_millis(minute * 60_000);
    let gap = |from: i64, to: Option<i64>, read_again_at: Option<i64>| StoredGap {
        gap_id: 1,
        gap: Gap { from: at(from), to: to.map(at) },
        cause: String::new(),
        repaired_at: None,
        read_again_at: read_again_at.map(at),
    };
    let mut read = CallsRead::default();
    read.note("h-1".to_owned(), at(10), false);
    assert!(read.holds("h-1", false) && !read.holds("h-1", true) && !read.holds("h-2", false));
    read.note("h-1".to_owned(), at(8), true);
    assert!(read.holds("h-1", false) && read.holds("h-1", true));
    let is_kept = |gaps: &[StoredGap], now: i64| {
        let mut read = read.clone();
        read.forget(gaps, at(now));
        read.holds("h-1", false)
    };
    assert!(is_kept(&[], 14), "a gap that begins now may list it");
    assert!(!is_kept(&[], 15));
    assert!(is_kept(&[gap(14, None, None)], 99), "so may one that goes on");
    assert!(is_kept(&[gap(13, Some(15), None)], 99), "or is not done with");
    assert!(!is_kept(&[gap(13, Some(15), Some(40))], 99));
}

#[tokio::test]
async fn a_gap_of_which_something_cannot_be_read_stays_open_and_is_not_asked_for_all_the_time() {
    let nameless = json!({ "call_history": [{ "call_history_uuid": "h-1" }, { "call_history_uuid": 7 }] });
    let misshapen = json!({ "call_history_uuid": "h-1", "call_elements": 7 });
    let of_something_else = json!({ "call_history_uuid": "h-1", "call_elements": ["no element"] });
    let too_long = json!({ "call_elements": [], "padding": "x".repeat(LONGEST_MESSAGE) });
    for (list, path) in [
        (nameless, path()),
        (one_call(), json!({})),
        (one_call(), misshapen),
        (one_call(), of_something_else),
        (one_call(), too_long),
    ] {
        let told = path.to_string().chars().take(100).collect::<String>();
        let fixture = Fixture::start(list, path).await;
        let mut agenda = Agenda::default();
        fixture.look(&mut agenda).await.unwrap();
        let StoredGap { gap_id, gap: Gap { to, .. }, repaired_at, .. } = fixture.gap().await;
        assert_eq!((repaired_at, to.is_some()), (None, true), "{told}");
        let after_one = agenda.clone();
        assert_eq!(after_one.gaps[&(gap_id, false)].passes, 1);
        assert!(fixture.said().is_some_and(|said| said.contains("stays open")), "{told}");
        fixture.look(&mut agenda).await.unwrap();
        assert_eq!(agenda, after_one, "not again so soon");
    }
}

#[tokio::test]
async fn an_answer_without_a_list_repairs_nothing() {
    let fixture = Fixture::start(json!({ "page_size": 300 }), path()).await;
    fixture.look(&mut Agenda::default()).await.unwrap();
    assert_eq!(fixture.gap().await.repaired_at, None);
    assert!(fixture.said().unwrap().contains("Cannot read the calls of a time"));
}

#[tokio::test]
async fn a_list_whose_pages_lead_in_a_circle_repairs_nothing_and_what_is_in_it_is_read() {
    let list = json!({ "call_history": [{ "call_history_uuid": "h-1" }], "next_page_token": "t" });
    let fixture = Fixture::impatient(list, path()).await;
    let mut agenda = Agenda::default();
    fixture.look(&mut agenda).await.unwrap();
    assert_eq!(fixture.gap().await.repaired_at, None);
    assert!(fixture.said().unwrap().contains("lead in a circle"));
    assert_eq!(fixture.api.asked().iter().filter(|name| *name == "h-1").count(), 1);
    fixture.look(&mut agenda).await.unwrap();
    assert!(!fixture.api.asked().contains(&"h-1".to_owned()), "what was read is not asked for again");
}

fn three_calls() -> Value {
    json!({ "call_history": [
        { "call_history_uuid": "h-1" }, { "call_history_uuid": "h-2" }, { "call_history_uuid": "h-3" },
    ] })
}

#[tokio::test]
async fn a_call_that_cannot_be_read_holds_up_no_other_and_is_asked_for_again() {
    let fixture = Fixture::impatient(three_calls(), path()).await;
    let mut agenda = Agenda::default();
    for status in [StatusCode::SERVICE_UNAVAILABLE, StatusCode::BAD_REQUEST, StatusCode::FORBIDDEN] {
        fixture.api.fail(&[("h-2", status)]);
        fixture.look(&mut agenda).await.unwrap();
    }
    let mut asked = fixture.api.asked();
    asked.sort();
    // The refused one is asked for once more, with another token.
    assert_eq!(asked, ["", "h-1", "h-2", "h-2", "h-2", "h-3"]);
    assert_eq!(fixture.gap().await.repaired_at, None);
    assert!(fixture.said().unwrap().starts_with("1 record could not be read of a gap, which stays open."));
    fixture.api.fail(&[]);
    fixture.look(&mut agenda).await.unwrap();
    assert!(fixture.gap().await.repaired_at.is_some());
    assert_eq!((fixture.api.asked(), fixture.said()), (vec!["h-2".to_owned()], None));
}

#[tokio::test]
async fn a_call_that_can_never_be_read_is_not_asked_for_for_ever_and_stays_told() {
    let fixture = Fixture::impatient(three_calls(), path()).await;
    fixture.api.fail(&[("h-2", StatusCode::BAD_REQUEST)]);
    let mut agenda = Agenda::default();
    for _ in 0..20 {
        fixture.look(&mut agenda).await.unwrap();
    }
    let times = fixture.api.asked().iter().filter(|name| *name == "h-2").count();
    assert_eq!(times, crate::zoom::setback::MOST_PASSES as usize);
    assert_eq!(fixture.gap().await.repaired_at, None);
    assert!(fixture.said().is_some());
}

#[tokio::test]
async fn an_app_that_may_not_read_the_record_ends_the_pass_at_once_and_is_told_so() {
    let fixture = Fixture::impatient(three_calls(), json!({ "code": 4711, "message": "lacks scopes" })).await;
    fixture.api.fail(&[("h-1", StatusCode::BAD_REQUEST), ("h-3", StatusCode::BAD_REQUEST)]);
    let mut agenda = Agenda::default();
    fixture.look(&mut agenda).await.unwrap_err();
    assert_eq!(fixture.api.asked().len(), 2, "the list and one call");
    assert!(fixture.said().unwrap().contains("scopes"));
    assert!(agenda.gaps.values().all(|work| work.passes == 0), "no try of its own");
}

#[test]
fn both_generations_of_the_list_are_read_and_an_empty_one_hides_none() {
    let rows = |text: Value| serde_json::from_value::<CallPage>(text).unwrap().rows;
    let call = |id: &str| CallRow::Call { id: id.to_owned(), answered_from: None };
    assert_eq!(rows(json!({ "call_history": [{ "call_history_uuid": "h" }] })), [call("h")]);
    assert_eq!(rows(json!({ "call_logs": [{ "id": "l" }] })), [call("l")]);
    assert_eq!(rows(json!({ "call_history": [], "call_logs": [{ "id": "l" }] })), [call("l")]);
    assert_eq!(rows(json!({ "call_history": [{ "call_history_uuid": "h" }], "call_logs": [] })), [call("h")]);
    let both = json!({ "call_history": [{ "call_history_uuid": "h" }], "call_logs": [{ "id": "l" }] });
    assert_eq!(rows(both), [call("h")]);
    assert_eq!(rows(json!({ "call_history": [] })), []);
    assert!(serde_json::from_value::<CallPage>(json!({ "call_history": null })).is_err());
}

#[test]
fn the_busiest_account_fills_fewer_pages_than_are_read() {
    let minutes = |minutes: u64| most_pages(Duration::from_secs(60 * minutes));
    assert_eq!((minutes(0), minutes(4), minutes(15)), (1, 15, 51));
    // A month is not read to its end however long its list is.
    assert!(minutes(30 * 1_440) > 500);
}
