use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use axum::{Router, extract::State, http::StatusCode, response::IntoResponse, routing::post};
use futures_util::{SinkExt, StreamExt};
use secrecy::SecretString;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{ErrorResponse, Request, Response},
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};

use super::*;
use crate::{
    config::{AppCredentials, Grant},
    journal::Journalled,
    store::Store,
};

/// Long enough for a busy machine, short enough to notice a hang.
const DEADLINE: Duration = Duration::from_secs(20);

/// Zoom's side of the connection.
type Peer = WebSocketStream<TcpStream>;

/// How the next upgrade is answered: the default is to accept it.
type Refusals = Arc<Mutex<VecDeque<(u16, Option<&'static str>)>>>;

struct Fixture {
    store: Store,
    facts: mpsc::Receiver<Vec<Journalled>>,
    journal: Journal,
    status: watch::Receiver<FeedStatus>,
    /// Accepted connections with the token each came with.
    accepted: mpsc::Receiver<(String, Peer)>,
    tokens_asked: Arc<AtomicUsize>,
    tracker: TaskTracker,
    feed_stop: CancellationToken,
    journal_stop: CancellationToken,
    _folder: TempDir,
}

struct Setup {
    timings: FeedTimings,
    refusals: Vec<(u16, Option<&'static str>)>,
    token_status: StatusCode,
    token_life: u64,
    last_pulse: Option<Timestamp>,
}

impl Default for Setup {
    fn default() -> Self {
        let timings = FeedTimings {
            heartbeat: Duration::from_millis(50),
            silence: Duration::from_secs(10),
            back_off_first: Duration::from_millis(5),
            back_off_longest: Duration::from_millis(20),
            settled_after: Duration::from_millis(800),
            contested_pause: Duration::from_millis(20),
            pulse: Duration::ZERO,
            linger: Duration::from_millis(500),
            ..FeedTimings::default()
        };
        let token_status = StatusCode::OK;
        Self { timings, refusals: Vec::new(), token_status, token_life: 3600, last_pulse: None }
    }
}

#[derive(Clone)]
struct TokenEndpoint {
    asked: Arc<AtomicUsize>,
    status: StatusCode,
    life: u64,
}

async fn give_token(State(endpoint): State<TokenEndpoint>) -> impl IntoResponse {
    let number = endpoint.asked.fetch_add(1, SeqCst);
    let body = json!({ "access_token": format!("canary-{number}"), "expires_in": endpoint.life });
    (endpoint.status, body.to_string())
}

#[expect(clippy::disallowed_methods, reason = "a test's server ends with the test")]
async fn start_peers(setup: &Setup) -> (Url, Url, mpsc::Receiver<(String, Peer)>, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let endpoint =
        TokenEndpoint { asked: Arc::clone(&asked), status: setup.token_status, life: setup.token_life };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let oauth_url = format!("http://{}/token", listener.local_addr().unwrap());
    let app = Router::new().route("/token", post(give_token)).with_state(endpoint);
    tokio::spawn(async move { axum::serve(listener, app).await });

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ws_url = format!("ws://{}/ws", listener.local_addr().unwrap());
    let refusals: Refusals = Arc::new(Mutex::new(setup.refusals.iter().copied().collect()));
    let (send, accepted) = mpsc::channel(16);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut token = String::new();
            #[expect(clippy::result_large_err, reason = "the library's signature")]
            let answer = |request: &Request, response: Response| {
                let query = request.uri().query().unwrap_or_default();
                assert!(query.starts_with("subscriptionId=sub-1&access_token="), "{query}");
                token = query.rsplit('=').next().unwrap_or_default().to_owned();
                let Some((status, wait)) = refusals.lock().unwrap().pop_front() else { return Ok(response) };
                let mut refusal = ErrorResponse::new(None);
                *refusal.status_mut() = status.try_into().unwrap();
                if let Some(wait) = wait {
                    refusal.headers_mut().insert("retry-after", wait.parse().unwrap());
                }
                Err(refusal)
            };
            if let Ok(peer) = accept_hdr_async(stream, answer).await {
                let _ = send.send((token, peer)).await;
            }
        }
    });
    (Url::parse(&oauth_url).unwrap(), Url::parse(&ws_url).unwrap(), accepted, asked)
}

async fn start(setup: Setup) -> Fixture {
    let (oauth_url, url, accepted, tokens_asked) = start_peers(&setup).await;
    let folder = TempDir::new().unwrap();
    let (store, writer) = Store::open(folder.path(), crate::Purpose::Work, clock::now()).await.unwrap();
    let (tracker, feed_stop, journal_stop) =
        (TaskTracker::new(), CancellationToken::new(), CancellationToken::new());
    let (send, facts) = mpsc::channel(1_000);
    let reader = Reader::new(Some("acc"));
    let journal = Journal::start(writer, reader.clone(), send, clock::now(), &tracker, journal_stop.clone())
        .await
        .unwrap();
    let credentials = AppCredentials {
        grant: Grant::AccountCredentials,
        account_id: Some("acc".to_owned()),
        client_id: "cli".to_owned(),
        client_secret: SecretString::from("canary-secret"),
    };
    let timings = setup.timings;
    let tokens = Tokens::new(super::super::http_client().unwrap(), oauth_url, credentials, timings);
    let feed = Feed {
        url,
        subscription_id: "sub-1".to_owned(),
        tokens,
        journal: journal.clone(),
        reader,
        last_pulse: setup.last_pulse,
        timings,
    };
    let status = feed.spawn(&tracker, feed_stop.clone());
    Fixture {
        store,
        facts,
        journal,
        status,
        accepted,
        tokens_asked,
        tracker,
        feed_stop,
        journal_stop,
        _folder: folder,
    }
}

impl Fixture {
    async fn next_peer(&mut self) -> (String, Peer) {
        timeout(self.accepted.recv()).await.expect("a connection")
    }

    /// The next connection, accepted the way Zoom does it.
    async fn live_peer(&mut self) -> Peer {
        let (_, mut peer) = self.next_peer().await;
        say(&mut peer, json!({ "module": "build_connection", "success": true, "content": "hello" })).await;
        peer
    }

    async fn status(&mut self, is_it: impl FnMut(&FeedStatus) -> bool) -> FeedStatus {
        let status = timeout(self.status.wait_for(is_it)).await.expect("the feed's task lives").clone();
        let problem = status.problem.as_deref().unwrap_or_default();
        assert!(!problem.contains("canary"), "{problem}");
        status
    }

    /// Calls of the next events, in the journal's order.
    async fn next_calls(&mut self, count: usize) -> Vec<String> {
        let mut calls = Vec::new();
        while calls.len() < count {
            let events = timeout(self.facts.recv()).await.expect("the journal lives");
            calls.extend(
                events.into_iter().filter_map(|event| event.fact).map(|fact| fact.call_id.to_string()),
            );
        }
        calls
    }

    async fn causes_of_gaps(&self) -> Vec<(String, bool)> {
        self.journal.flush().await.unwrap();
        let gaps = self.store.gaps_since(Timestamp::from_millis(0)).await.unwrap();
        gaps.into_iter().map(|gap| (gap.cause, gap.gap.to.is_some())).collect()
    }
}

async fn timeout<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(DEADLINE, future).await.expect("in time")
}

async fn say(peer: &mut Peer, frame: Value) {
    peer.send(Message::text(frame.to_string())).await.unwrap();
}

async fn hear(peer: &mut Peer) -> Option<Message> {
    timeout(peer.next()).await.and_then(Result::ok)
}

fn event(call: u64) -> Value {
    json!({
        "event": "phone.callee_ringing", "event_ts": 1_790_000_000_500_i64,
        "payload": { "account_id": "acc", "object": {
            "call_id": call.to_string(), "ringing_start_time": "2026-09-21T14:13:20Z",
            "caller": {}, "callee": { "device_id": "d-1" },
        } },
    })
}

fn message(call: u64) -> Value {
    json!({ "module": "message", "content": event(call).to_string() })
}

fn is_live(status: &FeedStatus) -> bool {
    status.link == FeedLink::Live
}

#[tokio::test]
async fn events_in_every_form_arrive_and_bad_frames_do_no_harm() {
    let mut fixture = start(Setup::default()).await;
    assert_eq!(fixture.status.borrow().link, FeedLink::Connecting);
    let mut peer = fixture.live_peer().await;
    let status = fixture.status(is_live).await;
    assert!(status.connected_since.is_some() && status.heard_at.is_some() && status.problem.is_none());
    assert!(status.token_expires_on.is_some_and(|expires| expires > clock::now()));
    assert_eq!((status.gap, status.reconnects), (None, 0));

    say(&mut peer, message(1)).await;
    say(&mut peer, json!({ "module": "message", "content": event(2) })).await;
    for bad in ["", "{", "[]", r#"{"module":"message","content":"{ broken"}"#, r#"{"module":"message"}"#] {
        peer.send(Message::text(bad)).await.unwrap();
    }
    peer.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    peer.send(Message::Ping(vec![7].into())).await.unwrap();
    say(&mut peer, json!({ "module": "weather", "success": false })).await;
    say(&mut peer, event(3)).await;
    say(&mut peer, message(1)).await;
    say(&mut peer, message(4)).await;
    assert_eq!(fixture.next_calls(4).await, ["1", "2", "3", "4"]);

    fixture.journal.flush().await.unwrap();
    let stats = fixture.journal.stats();
    assert_eq!((stats.duplicates, stats.quarantined), (1, 5));
    assert_eq!(fixture.status.borrow().link, FeedLink::Live);
    assert_eq!(fixture.causes_of_gaps().await, []);
}

#[tokio::test]
async fn heartbeats_begin_at_once_and_go_on() {
    let mut fixture = start(Setup::default()).await;
    let (_, mut peer) = fixture.next_peer().await;
    for _ in 0..3 {
        let frame = hear(&mut peer).await.expect("a heartbeat");
        assert_eq!(frame.to_text().unwrap(), r#"{"module":"heartbeat"}"#);
        // Its answer is a proof of life like any other.
        say(&mut peer, json!({ "module": "heartbeat", "success": true, "content": "live" })).await;
    }
    fixture.status(is_live).await;
}

#[tokio::test]
async fn a_refusal_by_whatever_words_leads_to_another_token() {
    let mut fixture = start(Setup::default()).await;
    for (number, words) in ["Invalid Token", "Token is invalid"].into_iter().enumerate() {
        let (token, mut peer) = fixture.next_peer().await;
        assert_eq!(token, format!("canary-{number}"));
        say(&mut peer, json!({ "module": "build_connection", "success": false, "content": words })).await;
    }
    let status = fixture.status(|status| status.link == FeedLink::Down).await;
    assert!(status.problem.unwrap().contains("ZOOM_WS_SUBSCRIPTION_ID"));
    let (token, mut peer) = fixture.next_peer().await;
    assert_eq!(token, "canary-2");
    // Closed for reasons of policy at once: the same.
    peer.close(Some(CloseFrame { code: CloseCode::Policy, reason: "".into() })).await.unwrap();
    assert_eq!(fixture.next_peer().await.0, "canary-3");
}

#[tokio::test]
async fn silence_is_death() {
    let timings = FeedTimings { silence: Duration::from_millis(300), ..Setup::default().timings };
    let mut fixture = start(Setup { timings, ..Setup::default() }).await;
    // The first connection never says anything, the second nothing more.
    let first = fixture.next_peer().await;
    let second = fixture.live_peer().await;
    fixture.status(is_live).await;
    let third = fixture.live_peer().await;
    fixture.status(|status| is_live(status) && status.gap.is_some_and(|gap| gap.to.is_some())).await;
    assert_eq!(fixture.causes_of_gaps().await[0], ("connection silent".to_owned(), true));
    drop((first, second, third));
}

#[tokio::test]
async fn what_arrived_while_the_machine_slept_is_not_thrown_away() {
    let timings = FeedTimings { silence: Duration::from_secs(2), ..Setup::default().timings };
    let mut fixture = start(Setup { timings, ..Setup::default() }).await;
    let mut peer = fixture.live_peer().await;
    let heard_at = fixture.status(is_live).await.heard_at.unwrap();
    for number in 0..3 {
        say(&mut peer, message(number)).await;
    }
    // Nothing here has run since, as when the whole machine stood still.
    std::thread::sleep(timings.silence + Duration::from_millis(200));
    assert_eq!(fixture.next_calls(3).await, ["0", "1", "2"]);
    let status = fixture.status(|status| status.gap.is_some()).await;
    assert!(status.gap.unwrap().from.since(heard_at) < timings.silence, "the sleep is in the gap");
}

#[tokio::test]
async fn every_kind_of_end_is_survived_and_leaves_a_gap() {
    let timings = FeedTimings { settled_after: Duration::ZERO, ..Setup::default().timings };
    let mut fixture = start(Setup { timings, ..Setup::default() }).await;
    let codes = [1000, 1001, 1008, 1011, 4001];
    for (number, code) in codes.into_iter().enumerate() {
        let mut peer = fixture.live_peer().await;
        say(&mut peer, message(number as u64)).await;
        assert_eq!(fixture.next_calls(1).await, [number.to_string()]);
        peer.close(Some(CloseFrame { code: code.into(), reason: "".into() })).await.unwrap();
    }
    // A reset and a half frame.
    let peer = fixture.live_peer().await;
    fixture.status(is_live).await;
    peer.get_ref().set_zero_linger().unwrap();
    drop(peer);
    let mut peer = fixture.live_peer().await;
    fixture.status(is_live).await;
    let mut half = vec![0x81, 0x7e, 0x01, 0x00];
    half.extend_from_slice(b"{\"module\":");
    peer.get_mut().write_all(&half).await.unwrap();
    drop(peer);

    let _last = fixture.live_peer().await;
    fixture.status(is_live).await;
    let gaps = fixture.causes_of_gaps().await;
    assert_eq!(gaps, vec![("connection lost".to_owned(), true); 7]);
    let status = fixture.status.borrow().clone();
    assert_eq!(status.gap.map(|gap| gap.to.is_some()), Some(true));
}

#[tokio::test]
async fn a_duel_is_recognised_explained_and_ends_when_a_connection_holds() {
    let timings = FeedTimings { settled_after: Duration::from_secs(2), ..Setup::default().timings };
    let mut fixture = start(Setup { timings, ..Setup::default() }).await;
    for number in 0..4 {
        let mut peer = fixture.live_peer().await;
        let has_settled = |status: &FeedStatus| matches!(status.link, FeedLink::Live | FeedLink::Contested);
        let status = fixture.status(|status| status.reconnects == number && has_settled(status)).await;
        assert_eq!(status.link, FeedLink::Live, "two or three closes may happen to anybody");
        peer.close(Some(CloseFrame { code: CloseCode::Normal, reason: "".into() })).await.unwrap();
    }
    let status = fixture.status(|status| status.link == FeedLink::Contested).await;
    assert!(status.problem.unwrap().contains("Another program may"));
    let mut peer = fixture.live_peer().await;
    say(&mut peer, message(1)).await;
    assert_eq!(fixture.next_calls(1).await, ["1"], "it is used while it lasts");
    fixture.status(is_live).await;
    assert!(fixture.causes_of_gaps().await.iter().all(|(_, over)| *over));
}

#[tokio::test]
async fn before_a_token_ends_the_next_connection_takes_over_without_a_gap() {
    let mut fixture = start(Setup { token_life: 2, ..Setup::default() }).await;
    let mut old = fixture.live_peer().await;
    fixture.status(is_live).await;
    say(&mut old, message(1)).await;
    let (token, mut new) = fixture.next_peer().await;
    assert_eq!(token, "canary-1", "with a token of its own");
    // As Zoom does it: the old one still speaks, then is closed, and some comes by both.
    say(&mut old, message(2)).await;
    say(&mut new, json!({ "module": "build_connection", "success": true })).await;
    say(&mut new, message(3)).await;
    let mut calls = fixture.next_calls(3).await;
    calls.sort();
    assert_eq!(calls, ["1", "2", "3"], "in any order between the two");
    say(&mut old, message(3)).await;
    say(&mut old, message(4)).await;
    assert_eq!(fixture.next_calls(1).await, ["4"]);
    old.close(Some(CloseFrame { code: CloseCode::Normal, reason: "".into() })).await.unwrap();
    say(&mut new, message(5)).await;
    assert_eq!(fixture.next_calls(1).await, ["5"]);

    let status = fixture.status(|status| status.reconnects == 1).await;
    assert_eq!((status.link, status.gap), (FeedLink::Live, None));
    assert_eq!(fixture.causes_of_gaps().await, []);
    assert_eq!(fixture.journal.stats().duplicates, 1);
}

#[tokio::test]
async fn an_old_connection_that_is_closed_first_is_replaced_all_the_same() {
    let mut fixture = start(Setup { token_life: 2, ..Setup::default() }).await;
    let mut old = fixture.live_peer().await;
    fixture.status(is_live).await;
    let (_, mut new) = fixture.next_peer().await;
    old.close(Some(CloseFrame { code: CloseCode::Normal, reason: "".into() })).await.unwrap();
    assert!(matches!(hear_close(&mut old).await, None | Some(Message::Close(_))));
    say(&mut new, json!({ "module": "build_connection", "success": true })).await;
    let status = fixture.status(|status| status.reconnects == 1).await;
    assert_eq!((status.link, status.gap), (FeedLink::Live, None));
}

/// Reads past heartbeats to the answer to a close.
async fn hear_close(peer: &mut Peer) -> Option<Message> {
    loop {
        match hear(peer).await {
            Some(Message::Text(_)) => {}
            other => return other,
        }
    }
}

#[tokio::test]
async fn a_refused_upgrade_is_explained_and_its_wish_to_wait_obeyed() {
    for (status, wait, expected) in [
        (401, None, "ZOOM_WS_SUBSCRIPTION_ID"),
        (403, None, "ZOOM_WS_SUBSCRIPTION_ID"),
        (302, None, "redirects"),
        (503, None, "not available"),
        (429, Some("1"), "not available"),
    ] {
        let mut fixture = start(Setup { refusals: vec![(status, wait)], ..Setup::default() }).await;
        let began = Instant::now();
        let down = fixture.status(|status| status.link == FeedLink::Down).await;
        assert!(down.problem.as_ref().unwrap().contains(expected), "{down:?}");
        let _peer = fixture.live_peer().await;
        fixture.status(is_live).await;
        if wait.is_some() {
            assert!(began.elapsed() >= Duration::from_secs(1));
        }
    }
}

#[tokio::test]
async fn wrong_credentials_are_not_hammered() {
    let refused_pause = Duration::from_millis(400);
    let timings = FeedTimings { refused_pause, ..Setup::default().timings };
    assert!(timings.back_off_first * 5 < refused_pause, "the usual pause is much shorter");
    let began = Instant::now();
    let token_status = StatusCode::UNAUTHORIZED;
    let mut fixture = start(Setup { token_status, timings, ..Setup::default() }).await;
    let status = fixture.status(|status| status.link == FeedLink::Down).await;
    assert!(status.problem.unwrap().contains("ZOOM_CLIENT_SECRET"));
    let asked_again = async {
        while fixture.tokens_asked.load(SeqCst) < 2 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(asked_again).await;
    assert!(began.elapsed() >= refused_pause, "{:?}", began.elapsed());
}

#[tokio::test]
async fn nobody_there_is_down_not_silent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = refused_by(address).await;
    let text = format!("{error} {error:?} {}", error.advice());
    assert!(matches!(error, OpenError::Unreachable(_)), "{text}");
    assert!(text.contains("ZOOM_WS_URL") && !text.contains("canary"), "{text}");
    assert!(text.contains("nothing listens at that address") && !text.contains("os error"), "{text}");
}

#[tokio::test]
async fn a_handshake_that_fails_is_told_by_what_failed() {
    let half = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: web";
    let other = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Accept: another\r\n\r\n";
    for (answer, told) in [
        (half, "the connection was cut during the WebSocket handshake"),
        ("SSH-2.0-OpenSSH_9.6\r\n", "what answers there is no WebSocket"),
        ("HTTP/1.1 101 Switching Protocols\r\n\r\n", "what answers there is no WebSocket"),
        (other, "the WebSocket handshake failed: Key mismatch"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answering = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                assert!(stream.read_buf(&mut request).await.unwrap() > 0);
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
        };
        let (error, ()) = tokio::join!(refused_by(address), answering);
        assert!(error.advice().contains(told), "{}", error.advice());
    }
}

/// Why no connection to that address can be opened.
async fn refused_by(address: SocketAddr) -> OpenError {
    let http = super::super::http_client().unwrap();
    let url = Url::parse(&format!("ws://{address}/ws?x=1")).unwrap();
    let (oauth_url, ..) = start_peers(&Setup::default()).await;
    let credentials = AppCredentials {
        grant: Grant::ClientCredentials,
        account_id: None,
        client_id: "cli".to_owned(),
        client_secret: SecretString::from("canary-secret"),
    };
    let timings = FeedTimings::default();
    let token = Tokens::new(http, oauth_url, credentials, timings).token().await.unwrap();
    link::open(url, "sub-1", token, &timings).await.unwrap_err()
}

#[tokio::test]
async fn a_long_message_is_set_aside_and_an_absurd_one_ends_the_connection() {
    let mut fixture = start(Setup::default()).await;
    let mut peer = fixture.live_peer().await;
    let padded = |call: u64, length: usize| {
        let mut event = event(call);
        event["payload"]["object"]["note"] = json!("");
        let room = length - event.to_string().len();
        event["payload"]["object"]["note"] = json!("x".repeat(room));
        event
    };
    say(&mut peer, padded(1, wire::LONGEST_MESSAGE)).await;
    say(&mut peer, padded(2, wire::LONGEST_MESSAGE + 1)).await;
    say(&mut peer, message(3)).await;
    assert_eq!(fixture.next_calls(2).await, ["1", "3"]);
    assert_eq!(fixture.causes_of_gaps().await, []);
    assert_eq!(fixture.journal.stats().quarantined, 1);

    // The feed may hang up while this is still on its way.
    let _ = peer.send(Message::text("x".repeat(4 * wire::LONGEST_MESSAGE + 1))).await;
    let _next = fixture.live_peer().await;
    fixture.status(|status| is_live(status) && status.gap.is_some()).await;
    fixture.journal.flush().await.unwrap();
    assert_eq!(fixture.journal.stats().quarantined, 2);
}

#[tokio::test]
async fn the_time_between_two_runs_is_a_gap_and_the_end_of_this_one_is_noted() {
    let before = Timestamp::from_millis(clock::now().as_millis() - 60_000);
    let mut fixture = start(Setup { last_pulse: Some(before), ..Setup::default() }).await;
    let mut peer = fixture.live_peer().await;
    let status = fixture.status(is_live).await;
    let gap = status.gap.expect("a gap");
    assert_eq!((gap.from, gap.to), (before, status.connected_since));
    assert_eq!(fixture.causes_of_gaps().await, [("server not running".to_owned(), true)]);

    say(&mut peer, message(1)).await;
    fixture.next_calls(1).await;
    fixture.feed_stop.cancel();
    // The feed is gone when its status is.
    timeout(async { while fixture.status.changed().await.is_ok() {} }).await;
    fixture.journal_stop.cancel();
    fixture.tracker.close();
    timeout(fixture.tracker.wait()).await;
    let pulse = fixture.store.last_pulse().await.unwrap().expect("a pulse");
    assert!(pulse > before && pulse <= clock::now());
}

#[tokio::test]
async fn a_burst_is_not_lost() {
    let mut fixture = start(Setup::default()).await;
    let mut peer = fixture.live_peer().await;
    let sending = async {
        for call in 0..6_000 {
            peer.feed(Message::text(message(call).to_string())).await.unwrap();
        }
        peer.flush().await.unwrap();
    };
    let (calls, ()) = tokio::join!(fixture.next_calls(6_000), sending);
    let expected: Vec<_> = (0..6_000).map(|call: u64| call.to_string()).collect();
    assert!(calls == expected, "in order and complete");
    let status = fixture.status(|status| status.events > 0).await;
    assert_eq!(status.link, FeedLink::Live);
}
