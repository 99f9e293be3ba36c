//! The board held against Zoom's record: every stay is written down once, whatever happens in between.

use serde_json::{Value, json};
use zoom_sim::{Sim, SimConfig};

use crate::support::{Process, Ring, client, eventually, now, post_webhook};

/// Offered and answered by live events, over all queues.
fn counted(day: &Value) -> (u64, u64) {
    let queues = day["queues"].as_array().into_iter().flatten();
    queues.fold((0, 0), |(offered, answered), queue| {
        let of = |name: &str| queue["live"][name].as_u64().unwrap_or(0);
        (offered + of("offered"), answered + of("answered"))
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_every_kill_each_stay_stands_in_the_history_once() {
    let sim = Sim::start(SimConfig::quiet()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let http = client();
    let secret = &sim.credentials().webhook_secret;
    let since = now();
    let mut told = 0;
    for round in 0..3 {
        let process = Process::start(&sim, &data).await;
        let url = process.url("/webhooks/zoom");
        for number in 0..20 {
            let ring = Ring::new(&sim, &format!("74{round}00000000000{number:04}"), number % 2, 0, since);
            for event in [ring.ringing(), ring.answered(since)] {
                assert!(post_webhook(&http, &url, secret, &event.to_string()).await.status().is_success());
            }
            told += 1;
            if round == 1 && number == 9 {
                // Some of them are written by now.
                let is_some = |day: &Value| counted(day).0 > 20;
                let history = process.url("/api/v1/reconciliation");
                eventually(&http, "part of the round is written", is_some, &history).await;
            }
        }
        process.kill();
    }
    let process = Process::start(&sim, &data).await;
    let history = process.url("/api/v1/reconciliation");
    let day = eventually(&http, "all stays are written", |day| counted(day).0 >= told, &history).await;
    assert_eq!(counted(&day), (told, told));
    assert_eq!(day["queues"].as_array().map(Vec::len), Some(2), "no queue under another name: {day}");
    assert_eq!(day["unexplained"], json!(0));
    let awaited = day["calls"].as_array().unwrap().iter().filter(|call| call["standing"] == "awaited");
    assert_eq!(awaited.count() as u64, told, "nobody has read a record");
    sim.stop().await;
}

#[tokio::test]
async fn a_question_that_makes_no_sense_is_told_why() {
    let sim = Sim::start(SimConfig::quiet()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(&sim, &folder.path().join("data")).await;
    let http = client();
    for (query, status) in [
        ("day=2026-11-25", 200),
        ("day=today", 400),
        ("days=7", 400),
        ("queue=nobody", 200),
        ("day=%2B262142-12-31", 400),
        ("day=-262143-01-01", 400),
        ("day=9999-12-31", 200),
    ] {
        for path in ["/reconciliation", "/api/v1/reconciliation"] {
            let answer = http.get(process.url(&format!("{path}?{query}"))).send().await.unwrap();
            assert_eq!(answer.status().as_u16(), status, "{path}?{query}");
            let said = answer.text().await.unwrap();
            let is_about_days = status == 400 && query.starts_with("day=");
            assert_eq!(said.contains("day is a date such as 2026-11-25."), is_about_days, "{said}");
        }
    }
    sim.stop().await;
}
