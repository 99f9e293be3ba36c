use axum::{
    Json, Router,
    extract::{Path, State},
    routing::get,
};
use domain::trust::Gap;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::mpsc};

use super::*;
use crate::{
    Purpose,
    config::{AppCredentials, Grant},
    journal::Journalled,
    zoom::{auth::Tokens, http_client, wire::LONGEST_MESSAGE},
};

const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);

/// Calls as an API lists them, and the path of each of them.
#[derive(Debug, Clone)]
struct Api {
    list: Value,
    path: Value,
}

struct Fixture {
    backfill: Backfill,
    _facts: mpsc::Receiver<Vec<Journalled>>,
    _folder: tempfile::TempDir,
}

impl Fixture {
    /// A gap that is over, and an API that answers like this.
    async fn start(list: Value, path: Value) -> Self {
        let router = Router::new()
            .route("/token", get(token).post(token))
            .route("/v2/phone/call_history", get(|State(api): State<Api>| async move { Json(api.list) }))
            .route(
                "/v2/phone/call_history/{id}",
                get(|State(api): State<Api>, Path(_): Path<String>| async move { Json(api.path) }),
            )
            .with_state(Api { list, path });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        #[expect(clippy::disallowed_methods, reason = "a test's server ends with the test")]
        tokio::spawn(async move { axum::serve(listener, router).await });
        let url = |path: &str| url::Url::parse(&format!("{base}{path}")).unwrap();
        let credentials = AppCredentials {
            grant: Grant::ClientCredentials,
            account_id: None,
            client_id: "cli".to_owned(),
            client_secret: SecretString::from("canary-secret"),
        };
        let timings = FeedTimings { record_delay: Duration::ZERO, ..FeedTimings::default() };
        let http = http_client().unwrap();
        let tokens = Tokens::new(http.clone(), url("/token"), credentials, timings);
        let rest = RestClient::new(http, url("/v2"), tokens);

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
        let backfill = Backfill { paths, store, journal, timings };
        Self { backfill, _facts: seen, _folder: folder }
    }

    async fn gap(&self) -> StoredGap {
        self.backfill.journal.flush().await.unwrap();
        self.backfill.store.gaps_since(NOW).await.unwrap().remove(0)
    }
}

async fn token() -> Json<Value> {
    Json(json!({ "access_token": "token", "expires_in": 3600 }))
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
    fixture.backfill.look(&mut Unreadable::new()).await.unwrap();
    assert!(fixture.gap().await.repaired_at.is_some());
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
        let mut unreadable = Unreadable::new();
        fixture.backfill.look(&mut unreadable).await.unwrap();
        let StoredGap { gap_id, gap: Gap { to, .. }, repaired_at, .. } = fixture.gap().await;
        assert_eq!((repaired_at, to.is_some()), (None, true), "{told}");
        let after_one = unreadable.clone();
        assert_eq!(after_one[&gap_id].0, 1);
        fixture.backfill.look(&mut unreadable).await.unwrap();
        assert_eq!(unreadable, after_one, "not again so soon");
    }
}

#[tokio::test]
async fn an_answer_without_a_list_repairs_nothing() {
    let fixture = Fixture::start(json!({ "page_size": 300 }), path()).await;
    let error = fixture.backfill.look(&mut Unreadable::new()).await.unwrap_err();
    assert!(matches!(error, RepairError::Rest(RestError::Garbled { .. })), "{error}");
    assert_eq!(fixture.gap().await.repaired_at, None);
}

#[test]
fn both_generations_of_the_list_are_read_and_an_empty_one_hides_none() {
    let rows = |text: Value| serde_json::from_value::<CallPage>(text).unwrap().rows;
    let call = |id: &str| CallRow::Call { id: id.to_owned() };
    assert_eq!(rows(json!({ "call_history": [{ "call_history_uuid": "h" }] })), [call("h")]);
    assert_eq!(rows(json!({ "call_logs": [{ "id": "l" }] })), [call("l")]);
    assert_eq!(rows(json!({ "call_history": [], "call_logs": [{ "id": "l" }] })), [call("l")]);
    assert_eq!(rows(json!({ "call_history": [{ "call_history_uuid": "h" }], "call_logs": [] })), [call("h")]);
    let both = json!({ "call_history": [{ "call_history_uuid": "h" }], "call_logs": [{ "id": "l" }] });
    assert_eq!(rows(both), [call("h")]);
    assert_eq!(rows(json!({ "call_history": [] })), []);
    assert!(serde_json::from_value::<CallPage>(json!({ "call_history": null })).is_err());
}
