//! Webhook delivery: signatures, the challenge, and which answers lead to a retry.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing::post};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;
use tokio_util::task::TaskTracker;
use zoom_sim::{Sim, SimConfig, WebhookTarget, hmac_hex, sign};

use crate::client::{DEADLINE, numbered};

/// A receiver that checks signatures and answers with scripted statuses.
struct Receiver {
    url: String,
    got: watch::Receiver<Vec<(String, Value)>>,
    _serving: AbortOnDropHandle<()>,
}

struct Script {
    secret: String,
    statuses: Mutex<Vec<u16>>,
    got: watch::Sender<Vec<(String, Value)>>,
}

async fn receive(State(script): State<Arc<Script>>, headers: HeaderMap, body: String) -> Response {
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("x-zm-signature"), sign(&script.secret, &header("x-zm-request-timestamp"), &body));
    let event: Value = serde_json::from_str(&body).unwrap();
    if event["event"] == "endpoint.url_validation" {
        let plain = event["payload"]["plainToken"].as_str().unwrap();
        return Json(json!({ "plainToken": plain, "encryptedToken": hmac_hex(&script.secret, plain) }))
            .into_response();
    }
    script.got.send_modify(|got| got.push((header("x-zm-request-id"), event)));
    let status = script.statuses.lock().unwrap().pop().unwrap_or(204);
    StatusCode::from_u16(status).unwrap().into_response()
}

async fn receiver(secret: &str, statuses: &[u16]) -> Receiver {
    let got = watch::Sender::new(Vec::new());
    let seen = got.subscribe();
    let statuses = Mutex::new(statuses.iter().rev().copied().collect());
    let script = Arc::new(Script { secret: secret.to_owned(), statuses, got });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let router = Router::new().route("/hook", post(receive)).with_state(script);
    let serving = TaskTracker::new().spawn(async move { axum::serve(listener, router).await.unwrap() });
    Receiver { url, got: seen, _serving: AbortOnDropHandle::new(serving) }
}

async fn start(url: &str) -> Sim {
    // 60 minutes become 60 milliseconds.
    let webhook = Some(WebhookTarget { url: url.to_owned(), retry_scale: 60_000.0 });
    Sim::start(SimConfig { webhook, ..SimConfig::quiet() }).await.unwrap()
}

async fn wait_for(receiver: &mut Receiver, count: usize) -> Vec<(String, Value)> {
    let wait = receiver.got.wait_for(|got| got.len() >= count);
    tokio::time::timeout(DEADLINE, wait).await.unwrap().unwrap().clone()
}

#[tokio::test]
async fn deliveries_are_signed_and_the_challenge_is_checked() {
    let secret = SimConfig::quiet().credentials.webhook_secret;
    let mut receiver = receiver(&secret, &[]).await;
    let sim = start(&receiver.url).await;
    sim.validate_webhook().await.unwrap();
    sim.send_event(numbered(1)).await;
    let got = wait_for(&mut receiver, 1).await;
    assert_eq!(got[0].1, numbered(1));
    sim.stop().await;
}

#[tokio::test]
async fn server_errors_are_retried_three_times_with_new_request_ids() {
    let secret = SimConfig::quiet().credentials.webhook_secret;
    let mut receiver = receiver(&secret, &[500, 503, 500, 500]).await;
    let sim = start(&receiver.url).await;
    sim.send_event(numbered(1)).await;
    let got = wait_for(&mut receiver, 4).await;
    let ids: std::collections::BTreeSet<_> = got.iter().map(|(id, _)| id).collect();
    assert_eq!(ids.len(), 4);
    let deadline = tokio::time::Instant::now() + DEADLINE;
    while sim.totals().webhooks_lost == 0 {
        assert!(tokio::time::Instant::now() < deadline);
        tokio::task::yield_now().await;
    }
    assert_eq!(sim.webhook_log().iter().map(|attempt| attempt.retry).collect::<Vec<_>>(), [0, 1, 2, 3]);
    sim.stop().await;
}

#[tokio::test]
async fn client_errors_and_redirects_are_never_retried() {
    for status in [401, 429, 302] {
        let secret = SimConfig::quiet().credentials.webhook_secret;
        let mut receiver = receiver(&secret, &[status]).await;
        let sim = start(&receiver.url).await;
        sim.send_event(numbered(1)).await;
        wait_for(&mut receiver, 1).await;
        let deadline = tokio::time::Instant::now() + DEADLINE;
        while sim.totals().webhooks_lost == 0 {
            assert!(tokio::time::Instant::now() < deadline);
            tokio::task::yield_now().await;
        }
        assert_eq!(sim.totals().webhooks, 1);
        sim.stop().await;
    }
}

#[tokio::test]
async fn webhooks_stay_on_this_machine() {
    let webhook = Some(WebhookTarget { url: "http://192.0.2.1/hook".to_owned(), retry_scale: 1.0 });
    assert!(Sim::start(SimConfig { webhook, ..SimConfig::quiet() }).await.is_err());
}
