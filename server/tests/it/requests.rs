//! What is asked of Zoom is counted, shown, and remembered over a restart.

use serde_json::Value;
use zoom_sim::{LimitKind, SimConfig};

use crate::support::Rig;

/// Today's requests of one kind of Zoom Phone.
fn line(feed: &Value, category: &str) -> Value {
    let lines = feed["requests"].as_array().unwrap();
    let is_it = |line: &&Value| line["product"] == "phone" && line["category"] == category;
    lines.iter().find(is_it).unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_are_counted_shown_and_remembered() {
    let rig = Rig::start().await;
    let is_read = |feed: &Value| feed["directory"]["read_at"].is_string();
    let queues = rig.sim.directory().queues.len() as u64;
    // A list, and the details of each queue.
    let asked = |feed: &Value, category| line(feed, category)["used_today"].as_u64().unwrap();
    let all_asked =
        |feed: &Value| is_read(feed) && asked(feed, "medium") >= 1 && asked(feed, "light") >= queues;
    let feed = rig.eventually("the directory is read", all_asked, "/api/v1/feed").await;
    assert_eq!(line(&feed, "heavy")["share_of_day"], 7_500, "half of the smaller plan");
    assert_eq!(line(&feed, "medium")["left_today"], Value::Null);
    let page = rig.get("/feed").await.text().await.unwrap();
    assert!(page.contains("Requests to Zoom’s API today") && page.contains("Lists of finished calls"));

    // Written down ahead of the requests, a block at a time.
    let rig = rig.restart(async |_| {}, |config| config.zoom.api_share = server_share(10)).await;
    let feed = rig.eventually("the directory is read again", is_read, "/api/v1/feed").await;
    assert!((2..=60).contains(&asked(&feed, "medium")), "{feed}");
    assert_eq!(line(&feed, "heavy")["share_of_day"], 1_500);
    rig.stop().await;
}

fn server_share(percent: u8) -> server::zoom::rate_limit::Share {
    server::zoom::rate_limit::Share::percent(percent).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_used_up_day_is_shown_and_nothing_is_asked_before_its_end() {
    let rig = Rig::start_with(SimConfig::quiet(), |config| {
        config.zoom.timings.record_delay = std::time::Duration::ZERO;
    })
    .await;
    let is_read = |feed: &Value| feed["directory"]["read_at"].is_string();
    rig.eventually("the directory is read", is_read, "/api/v1/feed").await;
    // Enough for every kind that is asked for meanwhile: each is refused once and then no longer asks.
    rig.sim.faults().limit_rest(20, LimitKind::Daily);
    rig.sim.cut_sockets();
    let told = |feed: &Value| line(feed, "heavy")["used_up_until"].is_string();
    rig.eventually("Zoom says that the day is used up", told, "/api/v1/feed").await;
    assert!(rig.get("/feed").await.text().await.unwrap().contains("none until 00:00"));
    // The answer outlives the process.
    let rig = rig.restart(async |_| {}, |_| {}).await;
    let feed = rig.json("/api/v1/feed").await;
    assert!(line(&feed, "heavy")["used_up_until"].is_string());
    rig.stop().await;
}
