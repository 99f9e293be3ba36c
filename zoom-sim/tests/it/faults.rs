//! Faults happen as ordered, and only then.

use std::time::Duration;

use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use zoom_sim::{Delivery, FaultPlan, Garbage, Sim, SimConfig};

use crate::client::{DEADLINE, Socket, control, http, numbered, token};

async fn quiet() -> (Sim, Socket) {
    let sim = Sim::start(SimConfig::quiet()).await.unwrap();
    let socket = Socket::connect(&sim).await;
    (sim, socket)
}

fn number(event: &Value) -> u64 {
    event["event_ts"].as_u64().unwrap() - 1_785_000_000_000
}

#[tokio::test]
async fn dropped_and_doubled_events_repeat_with_the_seed() {
    let (sim, mut socket) = quiet().await;
    let mut stories = Vec::new();
    for _ in 0..2 {
        sim.faults().set(FaultPlan { seed: 5, drop: 0.3, duplicate: 0.3, ..FaultPlan::default() });
        let mut sent = 0;
        let before = sim.totals();
        for n in 0..100 {
            if matches!(sim.send_event(numbered(n)).await, Delivery::Sent(_)) {
                sent += 1;
            }
        }
        let after = sim.totals();
        let doubled = after.duplicated - before.duplicated;
        assert!((15..45).contains(&doubled) && (60..85).contains(&sent), "{doubled} {sent}");
        let mut story = Vec::new();
        for _ in 0..sent + doubled {
            story.push(number(&socket.event().await));
        }
        stories.push(story);
    }
    assert_eq!(stories[0], stories[1]);
    sim.stop().await;
}

#[tokio::test]
async fn overtaken_events_all_arrive() {
    let (sim, mut socket) = quiet().await;
    let plan = FaultPlan { reorder: 0.4, reorder_within_ms: 60, ..FaultPlan::default() };
    let (status, _) = control(&sim, "faults", json!(plan)).await;
    assert_eq!(status, 200);
    for n in 0..100 {
        sim.send_event(numbered(n)).await;
    }
    let mut order = Vec::new();
    for _ in 0..100 {
        order.push(number(&socket.event().await));
    }
    assert!(!order.is_sorted());
    order.sort_unstable();
    assert_eq!(order, (0..100).collect::<Vec<_>>());
    sim.stop().await;
}

#[tokio::test]
async fn half_open_sends_and_answers_nothing_but_stays() {
    let (sim, mut socket) = quiet().await;
    sim.faults().half_open(true);
    sim.send_event(numbered(1)).await;
    socket.send(r#"{"module":"heartbeat"}"#).await;
    assert!(socket.is_silent_for(Duration::from_millis(200)).await);
    assert_eq!(sim.connected(), 1);
    sim.faults().half_open(false);
    // The heartbeat was waiting in the socket; the event is gone.
    assert_eq!(socket.json().await["module"], "heartbeat");
    sim.send_event(numbered(2)).await;
    assert_eq!(socket.event().await, numbered(2));
    sim.stop().await;
}

#[tokio::test]
async fn silence_with_heartbeats_and_heartbeats_muted() {
    let (sim, mut socket) = quiet().await;
    sim.faults().change(|plan| plan.silent = true);
    assert_eq!(sim.send_event(numbered(1)).await, Delivery::Dropped);
    socket.heartbeat().await;
    sim.faults().clear();
    sim.faults().mute_heartbeats(true);
    socket.send(r#"{"module":"heartbeat"}"#).await;
    assert!(socket.is_silent_for(Duration::from_millis(150)).await);
    sim.stop().await;
}

#[tokio::test]
async fn all_garbage_arrives() {
    let (sim, mut socket) = quiet().await;
    for kind in Garbage::ALL {
        assert!(sim.send_garbage(kind).await);
        match (kind, socket.message().await.unwrap().unwrap()) {
            (Garbage::Binary, Message::Binary(_)) => {}
            (Garbage::Huge, Message::Text(text)) => assert!(text.len() > 1 << 20),
            (Garbage::ObjectContent, Message::Text(text)) => {
                assert!(serde_json::from_str::<Value>(&text).unwrap()["content"].is_object());
            }
            (Garbage::BrokenJson | Garbage::Empty, Message::Text(text)) => {
                assert!(serde_json::from_str::<Value>(&text).is_err());
            }
            (_, Message::Text(_)) => {}
            (kind, frame) => panic!("{kind:?} came as {frame:?}"),
        }
    }
    socket.heartbeat().await;
    sim.stop().await;
}

#[tokio::test]
async fn sockets_are_closed_with_any_code_or_cut() {
    let (sim, mut socket) = quiet().await;
    sim.close_sockets(1011, "server error");
    assert_eq!(socket.close_code().await, Some(1011));
    assert!(sim.wait_disconnected(DEADLINE).await);
    let mut socket = Socket::connect(&sim).await;
    let (status, _) = control(&sim, "close", json!({ "code": 4001 })).await;
    assert_eq!(status, 204);
    assert_eq!(socket.close_code().await, Some(4001));
    assert!(sim.wait_disconnected(DEADLINE).await);
    let mut socket = Socket::connect(&sim).await;
    sim.cut_sockets();
    assert_eq!(socket.close_code().await, None);
    sim.stop().await;
}

#[tokio::test]
async fn an_outage_turns_everybody_away_and_ends() {
    let (sim, mut socket) = quiet().await;
    sim.outage(Duration::from_millis(600));
    assert_eq!(socket.close_code().await, None);
    assert!(http().post(sim.oauth_url()).send().await.is_err());
    let deadline = tokio::time::Instant::now() + DEADLINE;
    while http().post(sim.oauth_url()).send().await.is_err() {
        assert!(tokio::time::Instant::now() < deadline);
        tokio::task::yield_now().await;
    }
    Socket::connect(&sim).await.heartbeat().await;
    sim.stop().await;
}

#[tokio::test]
async fn an_upgrade_can_be_refused_with_a_status() {
    let sim = Sim::start(SimConfig::quiet()).await.unwrap();
    sim.faults().refuse_sockets(1, 503, "busy");
    let token = token(&sim).await;
    let url =
        format!("{}?subscriptionId={}&access_token={token}", sim.ws_url(), sim.credentials().subscription_id);
    let refused = connect_async(&url).await.unwrap_err();
    assert!(refused.to_string().contains("503"), "{refused}");
    assert!(connect_async(&url).await.is_ok());
    sim.stop().await;
}
