use std::{collections::HashMap, sync::Mutex as StdMutex};

use axum::{
    Router,
    extract::{Request as HttpRequest, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

use super::*;
use crate::{
    config::{AppCredentials, Grant},
    zoom::{auth::Tokens, http_client},
};

const DEADLINE: Duration = Duration::from_secs(20);

/// Answers by path; a path without an answer is 500, and one that is `null` never answers.
#[derive(Clone, Default)]
struct Api {
    statuses: Arc<StdMutex<HashMap<String, StatusCode>>>,
    answers: Arc<StdMutex<HashMap<String, Value>>>,
    asked: Arc<StdMutex<Vec<String>>>,
}

async fn answer(State(api): State<Api>, request: HttpRequest) -> Response {
    let path = request.uri().path().to_owned();
    if path == "/token" {
        return json!({ "access_token": "token" }).to_string().into_response();
    }
    api.asked.lock().unwrap().push(path.clone());
    let answer = api.answers.lock().unwrap().get(path.trim_start_matches("/v2/phone/call_queues")).cloned();
    let status = api.statuses.lock().unwrap().get(path.trim_start_matches("/v2/phone/call_queues")).copied();
    if let Some(status) = status {
        return (status, json!({ "code": 13000, "message": "Call queue does not exist." }).to_string())
            .into_response();
    }
    match answer {
        Some(Value::Null) => std::future::pending().await,
        Some(answer) => answer.to_string().into_response(),
        None => (StatusCode::INTERNAL_SERVER_ERROR, "<html>").into_response(),
    }
}

impl Api {
    fn set(&self, path: &str, answer: Value) {
        self.answers.lock().unwrap().insert(path.to_owned(), answer);
    }

    fn set_status(&self, path: &str, status: StatusCode) {
        self.statuses.lock().unwrap().insert(path.to_owned(), status);
    }

    async fn client(&self) -> RestClient {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(answer).with_state(self.clone());
        #[expect(clippy::disallowed_methods, reason = "a test's server ends with the test")]
        tokio::spawn(async move { axum::serve(listener, app).await });
        let credentials = AppCredentials {
            grant: Grant::ClientCredentials,
            account_id: None,
            client_id: "cli".to_owned(),
            client_secret: SecretString::from("canary-secret"),
        };
        let url = |path: &str| Url::parse(&format!("{base}{path}")).unwrap();
        let http = http_client().unwrap();
        let tokens = Tokens::new(http.clone(), url("/token"), credentials, FeedTimings::default());
        RestClient::new(http, url("/v2"), tokens)
    }
}

async fn until<T: Clone>(receiver: &mut watch::Receiver<T>, is_it: impl FnMut(&T) -> bool) -> T {
    let waiting = tokio::time::timeout(DEADLINE, receiver.wait_for(is_it));
    waiting.await.expect("in time").expect("the task lives").clone()
}

fn queue<'a>(directory: &'a Directory, id: &str) -> &'a DirectoryQueue {
    directory.queues.iter().find(|queue| queue.id.as_str() == id).expect("the queue")
}

fn member(id: &str, name: &str, receives_calls: bool) -> Member {
    Member { id: UserId::from(id), extension_id: None, name: name.to_owned(), receives_calls }
}

fn start(rest: RestClient, tracker: &TaskTracker, stop: CancellationToken) -> DirectoryFeed {
    spawn(rest, (Arc::default(), None), SharedCache::default(), tracker, stop)
}

#[tokio::test]
async fn names_come_first_and_members_as_they_are_read() {
    let api = Api::default();
    api.set(
        "",
        json!({ "call_queues": [
        { "id": "q1", "extension_id": "e1", "extension_number": 805, "name": "Sales", "status": "active" },
        { "id": "q2", "extension_number": "0806" },
        { "id": "q3", "name": " ", "extension_number": null },
        { "id": "q4", "name": "Late" },
        { "name": "a row without an id" },
        "no row at all",
    ] }),
    );
    api.set(
        "/q1",
        json!({ "id": "q1", "timezone": "Europe/Berlin", "members": {
        "users": [
            { "id": "u1", "name": "Anna", "receive_call": true, "level": "manager" },
            { "id": "u2", "name": "Ben", "receive_call": false },
        ],
        "common_areas": [{ "id": "c1", "name": "Lobby" }],
    } }),
    );
    api.set(
        "/q1/call_handling/settings",
        json!({ "call_distribution_setting": { "wrap_up_time": 15, "max_wait_time": 60 } }),
    );
    // No members in the detail, but a list of them.
    api.set("/q2", json!({ "timezone": "Mars/Olympus" }));
    api.set("/q2/members", json!({ "call_queue_members": [{ "id": "u3", "receive_call": true }] }));
    api.set_status("/q2/call_handling/settings", StatusCode::FORBIDDEN);
    // Both ways fail for q3; q4 takes its time.
    api.set("/q4", json!(null));
    let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
    let mut feed = start(api.client().await, &tracker, stop.clone());

    let early = until(&mut feed.directory, |directory| !directory.queues.is_empty()).await;
    assert_eq!(early.queues.len(), 4);
    assert_eq!(queue(&early, "q1").members, None, "names do not wait for members");
    let names: Vec<_> = early.queues.iter().map(|queue| queue.name.as_str()).collect();
    assert_eq!(names, ["Sales", "0806", "q3", "Late"]);
    assert_eq!(queue(&early, "q1").extension_number.as_deref(), Some("805"));
    assert_eq!(queue(&early, "q1").extension_id, Some(ExtensionId::from("e1")));
    until(&mut feed.status, |status| status.read_at.is_some()).await;

    stop.cancel();
    tracker.close();
    tracker.wait().await;
    let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
    api.set("/q4", json!({ "members": { "users": [], "common_areas": [] } }));
    api.set("/q4/call_handling/settings", json!({ "call_distribution_setting": { "max_wait_time": 0 } }));
    let mut feed = start(api.client().await, &tracker, stop.clone());
    let full = until(&mut feed.directory, |directory| {
        !directory.queues.is_empty() && queue(directory, "q4").members.is_some()
    })
    .await;
    let expected = [member("u1", "Anna", true), member("u2", "Ben", false), member("c1", "Lobby", true)];
    assert_eq!(queue(&full, "q1").members.as_deref(), Some(&expected[..]));
    assert_eq!(queue(&full, "q1").zone.as_ref().map(|zone| zone.as_str()), Some("Europe/Berlin"));
    assert_eq!(queue(&full, "q2").members.as_deref(), Some(&[member("u3", "", true)][..]));
    assert_eq!(queue(&full, "q2").zone, None);
    assert_eq!(queue(&full, "q1").wrap_up, Some(Duration::from_secs(15)));
    assert_eq!(queue(&full, "q1").max_wait, Some(Duration::from_secs(60)));
    assert_eq!(queue(&full, "q2").wrap_up, None, "no scope for its settings");
    assert_eq!(queue(&full, "q3").members, None);
    assert_eq!(queue(&full, "q4").members.as_deref(), Some(&[][..]));
    assert_eq!(queue(&full, "q4").max_wait, None, "nobody is let wait for no time at all");
    let status = until(&mut feed.status, |status| status.problem.is_some()).await;
    assert_eq!((status.queues_without_members, status.unread), (1, 1));
    assert!(status.problem.unwrap().contains("read a call queue"));
}

#[tokio::test]
async fn d5_opting_out_raises_no_event_and_is_seen_by_the_next_reading() {
    let api = Api::default();
    let of = |receives: bool| json!({ "members": { "users": [{ "id": "u1", "receive_call": receives }] } });
    api.set("", json!({ "call_queues": [{ "id": "q1", "name": "Sales" }] }));
    api.set("/q1", of(true));
    let (directory, seen) = watch::channel(Arc::default());
    let (rest, cache, nudge) = (api.client().await, SharedCache::default(), Arc::default());
    let task = Task { rest, cache, directory, status: watch::channel(DirectoryStatus::default()).0, nudge };
    for receives in [true, false, true] {
        api.set("/q1", of(receives));
        task.read_all().await.expect("a list");
        let expected = [member("u1", "", receives)];
        assert_eq!(queue(&seen.borrow(), "q1").members.as_deref(), Some(&expected[..]));
    }
}

#[tokio::test]
async fn members_stay_known_while_they_cannot_be_read() {
    let api = Api::default();
    api.set("", json!({ "call_queues": [{ "id": "q1", "name": "Sales" }] }));
    api.set("/q1", json!({ "members": { "users": [{ "id": "u1", "name": "Anna", "receive_call": true }] } }));
    let (directory, seen) = watch::channel(Arc::default());
    let (status, status_seen) = watch::channel(DirectoryStatus::default());
    let (rest, cache, nudge) = (api.client().await, SharedCache::default(), Arc::default());
    let task = Task { rest, cache, directory, status, nudge };
    task.read_all().await.expect("a list");
    let anna = [member("u1", "Anna", true)];
    assert_eq!(queue(&seen.borrow(), "q1").members.as_deref(), Some(&anna[..]));

    api.answers.lock().unwrap().remove("/q1");
    task.read_all().await.expect("a list");
    assert_eq!(queue(&seen.borrow(), "q1").members.as_deref(), Some(&anna[..]));
    let status = status_seen.borrow().clone();
    assert_eq!(status.queues_without_members, 0);
    assert!(status.problem.is_some_and(|problem| problem.contains("read a call queue")));

    // An answer without a list is none, takes no queue away, and is no reason not to read the members.
    let read_at = task.status.borrow().read_at;
    let of = |id: &str| json!({ "members": { "users": [{ "id": id, "receive_call": true }] } });
    api.set("", json!({}));
    api.set("/q1", of("u2"));
    task.read_all().await.expect("a queue that is known");
    assert_eq!(queue(&seen.borrow(), "q1").members.as_deref(), Some(&[member("u2", "", true)][..]));
    let status = status_seen.borrow().clone();
    assert_eq!(status.read_at, read_at, "the list is as old as it is");
    // Nor is a queue gone that cannot be read by itself either.
    api.set_status("/q1", StatusCode::NOT_FOUND);
    task.read_all().await.expect("a queue that is known");
    assert_eq!(queue(&seen.borrow(), "q1").members.as_deref(), Some(&[member("u2", "", true)][..]));
    assert!(status.problem.is_some_and(|problem| problem.contains("the call queues")));
}

#[tokio::test]
async fn what_is_written_otherwise_than_promised_takes_no_queue_and_no_member_away() {
    let api = Api::default();
    api.set("", json!({ "call_queues": [{ "id": "q1", "name": 801, "extension_number": {} }] }));
    let odd = json!([{ "id": "u1", "name": 101 }, { "id": "u2", "receive_call": "true" }]);
    api.set("/q1", json!({ "members": { "users": odd } }));
    let (directory, seen) = watch::channel(Arc::default());
    let (status, status_seen) = watch::channel(DirectoryStatus::default());
    let (rest, cache, nudge) = (api.client().await, SharedCache::default(), Arc::default());
    let task = Task { rest, cache, directory, status, nudge };
    task.read_all().await.expect("a list");
    let both = [member("u1", "", true), member("u2", "", true)];
    assert_eq!(queue(&seen.borrow(), "q1").members.as_deref(), Some(&both[..]));
    // Where not even an id can be read, nobody knows who they are: those known before stay.
    api.set("/q1", json!({ "members": { "users": [{ "id": 1 }, "u2"] } }));
    task.read_all().await.expect("a list");
    assert_eq!(queue(&seen.borrow(), "q1").members.as_deref(), Some(&both[..]));
    assert!(status_seen.borrow().problem.as_ref().is_some_and(|problem| problem.contains("the members")));
}

#[tokio::test]
async fn whose_members_are_not_all_readable_is_not_known_to_have_the_others_only() {
    let api = Api::default();
    api.set("", json!({ "call_queues": [{ "id": "q1" }, { "id": "q2" }, { "id": "q3" }] }));
    let (directory, seen) = watch::channel(Arc::default());
    let (status, status_seen) = watch::channel(DirectoryStatus::default());
    let (rest, cache, nudge) = (api.client().await, SharedCache::default(), Arc::default());
    let task = Task { rest, cache, directory, status, nudge };
    for id in ["q1", "q2", "q3"] {
        api.set(&format!("/{id}/call_handling/settings"), json!({}));
    }
    // A row without an id beside others, in either list; and an answer that says nothing of anybody.
    let rows = |receives: bool| json!([{ "id": "u1", "receive_call": receives }, { "name": "no id" }]);
    api.set("/q1", json!({ "members": { "users": rows(true) } }));
    api.set("/q2", json!({}));
    api.set("/q2/members", json!({ "call_queue_members": rows(true) }));
    api.set("/q3", json!({ "members": {} }));
    task.read_all().await.expect("a list");
    for id in ["q1", "q2", "q3"] {
        assert_eq!(queue(&seen.borrow(), id).members, None, "{id}");
    }
    let status = status_seen.borrow().clone();
    assert_eq!((status.queues_without_members, status.unread), (3, 3));
    assert!(status.problem.is_some_and(|problem| problem.contains("the members of a call queue")));

    let whole = json!([{ "id": "u1" }, { "id": "u2" }]);
    api.set("/q1", json!({ "members": { "users": whole } }));
    api.set("/q2/members", json!({ "call_queue_members": whole }));
    api.set("/q3/members", json!({ "call_queue_members": [] }));
    task.read_all().await.expect("a list");
    assert_eq!(queue(&seen.borrow(), "q3").members.as_deref(), Some(&[][..]), "its own list is empty");
    assert_eq!(status_seen.borrow().problem, None);

    // Whom it names is as it says, whom it does not name may be the one without an id.
    api.set("/q1", json!({ "members": { "users": rows(false) } }));
    api.set("/q2/members", json!({ "call_queue_members": rows(false) }));
    task.read_all().await.expect("a list");
    let both = [member("u1", "", false), member("u2", "", true)];
    for id in ["q1", "q2"] {
        assert_eq!(queue(&seen.borrow(), id).members.as_deref(), Some(&both[..]), "{id}");
    }
    assert!(status_seen.borrow().problem.is_some());
}

#[tokio::test]
async fn a_list_that_is_cut_off_takes_no_queue_and_no_member_away() {
    let api = Api::default();
    let task = |rest| {
        let (directory, seen) = watch::channel(Arc::default());
        let (status, status_seen) = watch::channel(DirectoryStatus::default());
        let (cache, nudge) = (SharedCache::default(), Arc::default());
        (Task { rest, cache, directory, status, nudge }, seen, status_seen)
    };
    let (task, seen, status) = task(api.client().await);
    api.set("", json!({ "call_queues": [{ "id": "q1" }, { "id": "q2" }] }));
    api.set("/q1", json!({ "members": { "users": [{ "id": "u1" }, { "id": "u2" }] } }));
    api.set("/q2", json!({ "members": { "users": [] } }));
    task.read_all().await.expect("a list");
    // The pages lead in a circle, of the queues as of the members.
    api.set("", json!({ "call_queues": [{ "id": "q1" }], "next_page_token": "t" }));
    api.set("/q1", json!({}));
    api.set("/q1/members", json!({ "call_queue_members": [{ "id": "u1" }], "next_page_token": "t" }));
    task.read_all().await.expect("a list");
    assert_eq!(seen.borrow().queues.len(), 2);
    assert_eq!(queue(&seen.borrow(), "q1").members.as_ref().map(Vec::len), Some(2));
    let problem = status.borrow().problem.clone().unwrap();
    assert!(problem.contains("read all of the call queues"), "{problem}");
}

#[tokio::test]
async fn a_row_that_vanishes_from_the_list_is_gone_when_its_own_page_says_so() {
    let api = Api::default();
    let rows =
        |ids: &[&str]| json!({ "call_queues": ids.iter().map(|id| json!({ "id": id })).collect::<Vec<_>>() });
    let nobody = || json!({ "members": { "users": [] } });
    for path in ["/q1", "/q2", "/q3"] {
        api.set(path, nobody());
    }
    let (directory, seen) = watch::channel(Arc::default());
    let (rest, cache, nudge) = (api.client().await, SharedCache::default(), Arc::default());
    let task = Task { rest, cache, directory, status: watch::channel(DirectoryStatus::default()).0, nudge };
    for id in ["q1", "q2", "q3"] {
        api.set(&format!("/{id}/call_handling/settings"), json!({}));
    }
    let ids = || -> Vec<String> { seen.borrow().queues.iter().map(|queue| queue.id.to_string()).collect() };
    api.set("", rows(&["q1", "q2", "q3"]));
    task.read_all().await.expect("a list");
    // One is left out of the list, one is in the list and does not exist, one is nowhere any more.
    api.set("", rows(&["q1", "q4"]));
    api.set_status("/q3", StatusCode::NOT_FOUND);
    api.set_status("/q4", StatusCode::NOT_FOUND);
    task.read_all().await.expect("a list");
    assert_eq!(ids(), ["q1", "q2"]);
    assert_eq!(task.status.borrow().problem, None);
}

#[tokio::test]
async fn a_list_that_cannot_be_read_is_tried_again() {
    let api = Api::default();
    let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
    let mut feed = start(api.client().await, &tracker, stop.clone());
    let status = until(&mut feed.status, |status| status.problem.is_some()).await;
    assert!(status.problem.unwrap().contains("the call queues") && status.read_at.is_none());
    api.set("", json!({ "call_queues": [{ "id": "q1", "name": "Sales" }] }));
    api.set("/q1", json!({ "members": { "users": [] } }));
    api.set("/q1/call_handling/settings", json!({}));
    until(&mut feed.directory, |directory| directory.queues.len() == 1).await;
    let status = until(&mut feed.status, |status| status.problem.is_none()).await;
    assert!(status.read_at.is_some());
}

#[test]
fn what_was_known_of_members_stays_until_it_is_read_again() {
    let row = |id: &str| QueueRow {
        id: id.to_owned(),
        name: Lenient::Is("Renamed".to_owned()),
        extension_id: Lenient::default(),
        extension_number: Lenient::default(),
    };
    let known = Directory {
        queues: vec![DirectoryQueue {
            members: Some(vec![member("u1", "Anna", true)]),
            ..row("q1").queue(&Directory::default())
        }],
    };
    let queue = row("q1").queue(&known);
    assert_eq!((queue.name.as_str(), queue.members.map(|members| members.len())), ("Renamed", Some(1)));
    assert_eq!(row("q2").queue(&known).members, None);
}
