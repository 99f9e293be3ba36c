use axum::http::Request as HttpRequest;
use bytes::Bytes as Chunk;
use domain::time::Timestamp;
use futures_util::{
    StreamExt as _,
    future::{Either, select},
    stream::{self, FuturesUnordered},
};
use secrecy::SecretString;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use super::{signature::Key, *};
use crate::{journal::Journalled, store::Store};

const SECRET: &str = "s3cr3t-token";
const OLD_SECRET: &str = "canary-of-before";
/// The test vector: UTF-8, escapes and spaces that must not be re-encoded.
const BODY: &str = r#"{"event":"phone.callee_ringing","event_ts":1785000000000,"payload":{"account_id":"AbCdEf","object":{"call_id":"7000000000000000001","note":"café / <ok>"}}}"#;

struct Fixture {
    webhooks: Webhooks,
    store: Store,
    facts: mpsc::Receiver<Vec<Journalled>>,
    stop: CancellationToken,
    tracker: TaskTracker,
    _folder: TempDir,
}

fn config(secret: Option<&str>) -> WebhookConfig {
    WebhookConfig {
        secret: secret.map(SecretString::from),
        previous_secret: secret.map(|_| SecretString::from(OLD_SECRET)),
        tolerance: Duration::from_secs(300),
    }
}

async fn fixture_with(secret: Option<&str>) -> Fixture {
    let folder = TempDir::new().unwrap();
    let (store, writer) = Store::open(folder.path(), crate::Purpose::Work, clock::now()).await.unwrap();
    let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
    let (send, facts) = mpsc::channel(64);
    let reader = Reader::default();
    let journal =
        Journal::start(writer, reader.clone(), send, clock::now(), &tracker, stop.clone()).await.unwrap();
    let webhooks = Webhooks::new(&config(secret), reader, journal);
    Fixture { webhooks, store, facts, stop, tracker, _folder: folder }
}

async fn fixture() -> Fixture {
    fixture_with(Some(SECRET)).await
}

fn key(secret: &str) -> Key {
    Key::new(&SecretString::from(secret))
}

fn seconds_ago(seconds: i64) -> String {
    (clock::now().as_millis() / 1000 - seconds).to_string()
}

fn signed_at(secret: &str, sent: &str, body: &[u8]) -> HttpRequest<Body> {
    let signature = key(secret).sign(&[b"v0:", sent.as_bytes(), b":", body]);
    HttpRequest::post("/webhooks/zoom")
        .header("x-zm-request-timestamp", sent)
        .header("x-zm-signature", format!("v0={signature}"))
        .body(Body::from(body.to_vec()))
        .unwrap()
}

fn signed(body: &[u8]) -> HttpRequest<Body> {
    signed_at(SECRET, &seconds_ago(0), body)
}

async fn post(fixture: &Fixture, request: HttpRequest<Body>) -> (StatusCode, String) {
    let response = fixture.webhooks.router().oneshot(request).await.unwrap();
    let status = response.status();
    if !status.is_success() {
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    }
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[test]
fn the_published_rule_gives_the_published_numbers() {
    let sent = "1785000001";
    assert_eq!(
        key(SECRET).sign(&[b"v0:", sent.as_bytes(), b":", BODY.as_bytes()]),
        "0eb9995f952c72ace19a5e0a67f45046de83ab85d3cb9725ea0c452ea0b5efa9"
    );
    assert_eq!(
        key(SECRET).sign(&[b"qgg8vlvZRS6UYooatFL8Aw"]),
        "fe1ad5873187038544360bc832ce7c83b690a082b5bc2d394aa3182504e1c473"
    );
}

#[tokio::test]
async fn an_event_is_answered_when_it_is_on_disk_and_its_repetition_too() {
    let mut fixture = fixture().await;
    assert_eq!(post(&fixture, signed(BODY.as_bytes())).await.0, StatusCode::OK);
    assert_eq!(fixture.store.events_after(0, 10).await.unwrap()[0].raw, BODY);
    assert_eq!(fixture.facts.recv().await.unwrap().len(), 1);
    assert_eq!(post(&fixture, signed(BODY.as_bytes())).await.0, StatusCode::OK);
    assert_eq!(fixture.store.last_event_id().await.unwrap(), 1);
    assert_eq!(fixture.webhooks.stats().accepted, 2);
}

#[tokio::test]
async fn both_secrets_are_accepted_while_one_replaces_the_other() {
    let fixture = fixture().await;
    for secret in [SECRET, OLD_SECRET] {
        let request = signed_at(secret, &seconds_ago(0), BODY.as_bytes());
        assert_eq!(post(&fixture, request).await.0, StatusCode::OK);
    }
}

#[tokio::test]
async fn what_is_not_signed_by_zoom_is_refused_unread() {
    let fixture = fixture().await;
    let now = seconds_ago(0);
    let hex = key(SECRET).sign(&[b"v0:", now.as_bytes(), b":", BODY.as_bytes()]);
    let request = |signature: Option<String>, sent: Option<&str>, body: &str| {
        let mut request = HttpRequest::post("/webhooks/zoom");
        if let Some(signature) = signature {
            request = request.header("x-zm-signature", signature);
        }
        if let Some(sent) = sent {
            request = request.header("x-zm-request-timestamp", sent);
        }
        request.body(Body::from(body.to_owned())).unwrap()
    };
    let respaced = BODY.replace(":{", ": {");
    for (signature, sent, body, expected) in [
        (None, Some(now.as_str()), BODY, "x-zm-signature is missing"),
        (Some(format!("v0={hex}")), None, BODY, "x-zm-request-timestamp is missing"),
        (Some(format!("v0={hex}")), Some("now"), BODY, "no number of seconds"),
        (Some(format!("v0={hex}")), Some("+1"), BODY, "no number of seconds"),
        (Some(format!("v1={hex}")), Some(now.as_str()), BODY, "not of version v0"),
        (Some(hex.clone()), Some(now.as_str()), BODY, "not of version v0"),
        (Some(format!("v0={}", hex.to_uppercase())), Some(now.as_str()), BODY, "does not match"),
        (Some(format!("v0= {hex}")), Some(now.as_str()), BODY, "does not match"),
        (Some(format!("v0={}", &hex[..63])), Some(now.as_str()), BODY, "does not match"),
        (Some("v0=".to_owned()), Some(now.as_str()), BODY, "does not match"),
        (Some(format!("v0={hex}")), Some(now.as_str()), &respaced, "does not match"),
        (Some(format!("v0={hex}")), Some("1785000001"), BODY, "does not match"),
        (Some("v0=zz".to_owned()), Some(now.as_str()), "{ not JSON", "does not match"),
    ] {
        let (status, problem) = post(&fixture, request(signature, sent, body)).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{expected}");
        assert!(problem.contains(expected), "{problem} instead of {expected}");
        assert!(!problem.contains("café") && !problem.contains("JSON\""), "no echo: {problem}");
    }
    assert_eq!(fixture.store.last_event_id().await.unwrap(), 0);
    assert_eq!(fixture.webhooks.stats().refused, 13);
}

#[tokio::test]
async fn a_valid_request_of_another_time_is_refused_and_counted_apart() {
    let fixture = fixture().await;
    for seconds in [310, 3_600, -310] {
        let (status, problem) =
            post(&fixture, signed_at(SECRET, &seconds_ago(seconds), BODY.as_bytes())).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert!(problem.contains("another time"), "{problem}");
    }
    for seconds in [290, -290] {
        let request = signed_at(SECRET, &seconds_ago(seconds), BODY.as_bytes());
        assert_eq!(post(&fixture, request).await.0, StatusCode::OK);
    }
    assert_eq!(fixture.webhooks.stats(), WebhookStats { accepted: 2, stale: 3, ..WebhookStats::default() });
}

#[tokio::test]
async fn url_validation_needs_a_signature_but_no_store() {
    let fixture = fixture().await;
    fixture.stop.cancel();
    fixture.tracker.close();
    fixture.tracker.wait().await;
    let body = r#"{"event":"endpoint.url_validation","event_ts":1,"payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"}}"#;
    let (status, answer) = post(&fixture, signed(body.as_bytes())).await;
    assert_eq!(status, StatusCode::OK);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["plainToken"], "qgg8vlvZRS6UYooatFL8Aw");
    assert_eq!(answer["encryptedToken"], "fe1ad5873187038544360bc832ce7c83b690a082b5bc2d394aa3182504e1c473");
    let forged = signed_at("guess", &seconds_ago(0), body.as_bytes());
    assert_eq!(post(&fixture, forged).await.0, StatusCode::UNAUTHORIZED);
    // The store is gone: an event would be lost, so Zoom shall repeat it.
    let (status, problem) = post(&fixture, signed(BODY.as_bytes())).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{problem}");
    assert_eq!(fixture.webhooks.stats().unavailable, 1);
}

#[tokio::test]
async fn what_cannot_be_understood_is_kept_and_accepted() {
    let fixture = fixture().await;
    for body in [&b"{ not JSON"[..], b"\xff\xfe", b"", b"[]", br#"{"event":"phone.callee_mute"}"#] {
        assert_eq!(post(&fixture, signed(body)).await.0, StatusCode::OK);
    }
    assert_eq!(fixture.store.quarantined().await.unwrap(), 5);
    assert_eq!(fixture.store.last_event_id().await.unwrap(), 0);
}

#[tokio::test]
async fn without_a_secret_nothing_is_believed() {
    let fixture = fixture_with(None).await;
    let (status, problem) = post(&fixture, signed(BODY.as_bytes())).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(problem.contains("ZOOM_WEBHOOK_SECRET_TOKEN"), "{problem}");
}

/// A head as Zoom would send it, for a body it did not.
fn unproven() -> axum::http::request::Builder {
    HttpRequest::post("/webhooks/zoom")
        .header("x-zm-signature", "v0=00")
        .header("x-zm-request-timestamp", "1")
}

#[tokio::test]
async fn nothing_is_read_of_a_body_without_a_signature() {
    let fixture = fixture().await;
    let body = Body::from_stream(stream::pending::<Result<Chunk, std::io::Error>>());
    let request = HttpRequest::post("/webhooks/zoom").body(body).unwrap();
    assert_eq!(post(&fixture, request).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_long_body_is_not_read_to_its_end() {
    let fixture = fixture().await;
    let announced = HttpRequest::post("/webhooks/zoom")
        .header(header::CONTENT_LENGTH, "10000000")
        .body(Body::from_stream(stream::pending::<Result<Chunk, std::io::Error>>()))
        .unwrap();
    assert_eq!(post(&fixture, announced).await.0, StatusCode::PAYLOAD_TOO_LARGE);

    // Unannounced and without end: the limit ends it.
    let chunk = Chunk::from(vec![b' '; 64 << 10]);
    let endless = stream::repeat_with(move || Ok::<_, std::io::Error>(chunk.clone()));
    let request = unproven().body(Body::from_stream(endless)).unwrap();
    assert_eq!(post(&fixture, request).await.0, StatusCode::PAYLOAD_TOO_LARGE);

    let whole = vec![b' '; LONGEST_MESSAGE];
    assert_eq!(post(&fixture, signed(&whole)).await.0, StatusCode::OK, "the limit itself fits");
}

#[tokio::test]
async fn slow_broken_and_packed_bodies_are_refused() {
    let fixture = fixture().await;
    let broken = stream::iter([Ok(Chunk::from("{")), Err(std::io::Error::other("gone"))]);
    let request = unproven().body(Body::from_stream(broken)).unwrap();
    assert_eq!(post(&fixture, request).await.0, StatusCode::BAD_REQUEST);

    let mut packed = signed(BODY.as_bytes());
    packed.headers_mut().insert(header::CONTENT_ENCODING, axum::http::HeaderValue::from_static("gzip"));
    assert_eq!(post(&fixture, packed).await.0, StatusCode::UNSUPPORTED_MEDIA_TYPE);

    // From here on the clock jumps as soon as everyone waits.
    tokio::time::pause();
    let stuck = Body::from_stream(stream::pending::<Result<Chunk, std::io::Error>>());
    let request = unproven().body(stuck).unwrap();
    assert_eq!(post(&fixture, request).await.0, StatusCode::REQUEST_TIMEOUT);
}

#[tokio::test]
async fn who_announces_much_and_sends_little_keeps_nobody_out() {
    let fixture = fixture().await;
    let idle = |_| {
        let body = stream::iter([Ok::<_, std::io::Error>(Chunk::from("{"))]).chain(stream::pending());
        let announced = unproven().header(header::CONTENT_LENGTH, LONGEST_MESSAGE.to_string());
        fixture.webhooks.router().oneshot(announced.body(Body::from_stream(body)).unwrap())
    };
    let strangers: FuturesUnordered<_> = (0..200).map(idle).collect();
    let strangers = strangers.collect::<Vec<_>>();
    let zoom = post(&fixture, signed(BODY.as_bytes()));
    // Whoever is polled first was here first.
    match select(Box::pin(strangers), Box::pin(zoom)).await {
        Either::Left(_) => panic!("Zoom waited until the strangers were turned away"),
        Either::Right(((status, problem), _)) => assert_eq!(status, StatusCode::OK, "{problem}"),
    }
}

#[tokio::test]
async fn only_posts_are_taken() {
    let fixture = fixture().await;
    let request = HttpRequest::get("/webhooks/zoom").body(Body::empty()).unwrap();
    let response = fixture.webhooks.router().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[test]
fn a_future_time_does_not_overflow() {
    let secrets = Secrets::new(&config(Some(SECRET))).unwrap();
    let sent = i64::MAX.to_string();
    let request = signed_at(SECRET, &sent, b"{}");
    let outcome = secrets.verify(request.headers(), b"{}", Timestamp::from_millis(0));
    assert!(matches!(outcome, Err(Refusal::Stale)));
}
