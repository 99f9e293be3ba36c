//! The event WebSocket keeps Zoom's rules.

use std::time::Duration;

use chrono::TimeDelta;
use zoom_sim::{Delivery, Pace, Sim, SimConfig};

use crate::client::{DEADLINE, Socket, control, numbered, token};

#[tokio::test]
async fn heartbeats_and_events() {
    let sim = Sim::start(SimConfig::quiet()).await.unwrap();
    let mut socket = Socket::connect(&sim).await;
    socket.heartbeat().await;
    assert_eq!(sim.send_event(numbered(1)).await, Delivery::Sent(1));
    assert_eq!(socket.event().await, numbered(1));
    let (status, told) = control(&sim, "event", numbered(2)).await;
    assert_eq!((status, told["delivery"].as_str()), (200, Some("sent")));
    assert_eq!(socket.event().await, numbered(2));
    // Unknown and broken texts from the client are ignored.
    socket.send("not json").await;
    socket.send(r#"{"module":"other"}"#).await;
    socket.heartbeat().await;
    sim.stop().await;
}

#[tokio::test]
async fn a_refusal_is_a_frame_not_a_status() {
    let config = SimConfig { refusal_text: "Invalid Token".to_owned(), ..SimConfig::quiet() };
    let sim = Sim::start(config).await.unwrap();
    let known = sim.credentials().subscription_id.clone();
    let good = token(&sim).await;
    for (subscription, token, text) in
        [(&*known, "nonsense", "Invalid Token"), ("unknown", &*good, "Subscription is invalid")]
    {
        let (mut socket, first) = Socket::open(&sim, subscription, token).await;
        assert_eq!(first["module"], "build_connection");
        assert_eq!(first["success"], false);
        assert_eq!(first["content"], text);
        assert_eq!(socket.close_code().await, Some(1008));
    }
    sim.faults().refuse_sockets(1, 200, "Come back later");
    let (_, first) = Socket::open(&sim, &known, &good).await;
    assert_eq!(first["content"], "Come back later");
    assert_eq!(sim.connected(), 0);
    let (_, first) = Socket::open(&sim, &known, &good).await;
    assert_eq!(first["success"], true);
    sim.stop().await;
}

#[tokio::test]
async fn a_new_connection_closes_the_old_one() {
    let sim = Sim::start(SimConfig::quiet()).await.unwrap();
    let mut old = Socket::connect(&sim).await;
    let mut new = Socket::connect(&sim).await;
    assert_eq!(old.close_code().await, Some(1000));
    assert_eq!(sim.connected(), 1);
    assert_eq!(sim.send_event(numbered(1)).await, Delivery::Sent(1));
    assert_eq!(new.event().await, numbered(1));
    sim.stop().await;
}

#[tokio::test]
async fn every_subscription_gets_every_event() {
    let config = SimConfig { more_subscriptions: vec!["standby".to_owned()], ..SimConfig::quiet() };
    let sim = Sim::start(config).await.unwrap();
    let mut hot = Socket::connect(&sim).await;
    let (mut standby, _) = Socket::open(&sim, "standby", &token(&sim).await).await;
    while sim.connected() < 2 {
        standby.heartbeat().await;
    }
    assert_eq!(sim.send_event(numbered(1)).await, Delivery::Sent(2));
    assert_eq!(hot.event().await, standby.event().await);
    sim.stop().await;
}

#[tokio::test]
async fn what_happens_while_nobody_listens_is_lost() {
    let sim = Sim::start(SimConfig::quiet()).await.unwrap();
    assert_eq!(sim.send_event(numbered(1)).await, Delivery::NobodyConnected);
    let socket = Socket::connect(&sim).await;
    drop(socket);
    assert!(sim.wait_disconnected(DEADLINE).await);
    assert_eq!(sim.send_event(numbered(2)).await, Delivery::NobodyConnected);
    let mut socket = Socket::connect(&sim).await;
    sim.send_event(numbered(3)).await;
    assert_eq!(socket.event().await, numbered(3));
    assert_eq!(sim.totals().lost, 2);
    sim.stop().await;
}

#[tokio::test]
async fn traffic_flows_by_itself_and_by_hand() {
    let sim = Sim::start(SimConfig { pace: Pace::Scaled(60.0), ..SimConfig::demo() }).await.unwrap();
    let mut socket = Socket::connect(&sim).await;
    for _ in 0..10 {
        let event = socket.event().await;
        assert_eq!(event["payload"]["account_id"], sim.credentials().account_id);
    }
    sim.stop().await;

    let sim = Sim::start(SimConfig { pace: Pace::ByHand, ..SimConfig::demo() }).await.unwrap();
    let mut socket = Socket::connect(&sim).await;
    assert!(socket.is_silent_for(Duration::from_millis(100)).await);
    let told = sim.play(TimeDelta::minutes(2)).await;
    assert!(told > 20, "{told}");
    for _ in 0..told {
        socket.event().await;
    }
    sim.stop().await;
}

#[tokio::test]
async fn stopping_says_goodbye() {
    let sim = Sim::start(SimConfig::small()).await.unwrap();
    let mut socket = Socket::connect(&sim).await;
    sim.stop().await;
    assert_eq!(socket.close_code().await, Some(1001));
}

#[tokio::test]
async fn only_loopback_is_served() {
    let config = SimConfig { listen: "0.0.0.0:0".parse().unwrap(), ..SimConfig::quiet() };
    assert!(Sim::start(config).await.is_err());
}
