//! Events in, by both ways: the board moves, nothing closes the connection, nothing is lost.

use chrono::TimeDelta;
use serde_json::{Value, json};
use zoom_sim::{FaultPlan, Garbage, SimConfig};

use crate::support::{Rig, Ring, now};

#[tokio::test]
async fn a_call_moves_across_the_board() {
    let rig = Rig::start().await;
    let name = rig.sim.directory().queues[0].name.clone();
    let is_read = |row: &Value| row["members"].as_u64() > Some(0) && row["quality"]["waiting"] == "inferred";
    let resolved = rig.queue("the directory is read and the feed heard", &name, is_read).await;
    assert_eq!(resolved["waiting"], 0);

    let begin = now() - TimeDelta::seconds(8);
    let ring = Ring::new(&rig.sim, "7000000000000000001", 0, 0, begin);
    rig.sim.send_event(ring.ringing()).await;
    let row = rig.queue("the caller waits", &name, |row| row["waiting"] == 1).await;
    assert_eq!((&row["ringing"], &row["offered_today"]), (&json!(1), &json!(1)));
    let since = row["oldest_waiting_since"].as_str().unwrap();
    assert!(since.starts_with(&begin.format("%Y-%m-%dT%H:%M:%S").to_string()), "{since}");

    let calls = rig.json("/api/v1/calls/live").await;
    assert_eq!(calls[0]["call_id"], "7000000000000000001");
    assert_eq!((&calls[0]["state"], &calls[0]["caller"]), (&json!("ringing"), &json!("+4930123456")));
    assert_eq!(calls[0]["legs"][0]["state"], "ringing");
    assert!(calls[0]["legs"][0]["extension_number"].is_string());

    let answered = now();
    rig.sim.send_event(ring.answered(answered)).await;
    let row = rig.queue("they talk", &name, |row| row["talking"] == 1).await;
    assert_eq!((&row["waiting"], &row["answered_today"]), (&json!(0), &json!(1)));
    assert_eq!(row["service_level_today"], 1.0);
    // Nobody listened before, so that who is free is known once their presence was read.
    let all_but_one =
        |row: &Value| row["members_available"].as_u64().map(|free| free + 1) == row["members"].as_u64();
    rig.queue("everybody else is free", &name, all_but_one).await;

    rig.sim.send_event(ring.ended(answered, now())).await;
    rig.queue("it is over", &name, |row| row["talking"] == 0).await;
    assert_eq!(rig.json("/api/v1/calls/live").await, json!([]));
    rig.stop().await;
}

#[tokio::test]
async fn the_same_event_by_socket_and_webhook_counts_once() {
    let rig = Rig::start().await;
    let name = rig.sim.directory().queues[0].name.clone();
    let ring = Ring::new(&rig.sim, "7000000000000000002", 0, 0, now());
    let event = ring.ringing();
    rig.sim.send_event(event.clone()).await;
    rig.queue("the caller waits", &name, |row| row["waiting"] == 1).await;
    for _ in 0..3 {
        assert!(rig.post_webhook(&event.to_string()).await.status().is_success());
    }
    let feed = rig.json("/api/v1/feed").await;
    assert_eq!((&feed["journalled"], &feed["duplicates"]), (&json!(1), &json!(3)));
    assert!(
        feed["lag_ms"].as_u64().is_some_and(|lag| lag < 60_000),
        "sent and received by one clock: {feed}"
    );
    let mut late = Ring::new(&rig.sim, "7000000000000000009", 0, 0, now()).ringing();
    late["event_ts"] = json!(late["event_ts"].as_i64().unwrap() - 90_000);
    assert!(rig.post_webhook(&late.to_string()).await.status().is_success());
    rig.eventually("the delay is told", |feed| feed["lag_ms"].as_u64() >= Some(90_000), "/api/v1/feed").await;
    let row = rig.queue("two callers, not five", &name, |row| row["waiting"] == 2).await;
    assert_eq!(row["offered_today"], 2);
    rig.stop().await;
}

#[tokio::test]
async fn garbage_goes_to_quarantine_and_never_closes_the_connection() {
    let rig = Rig::start().await;
    for garbage in Garbage::ALL {
        assert!(rig.sim.send_garbage(garbage).await);
    }
    let ring = Ring::new(&rig.sim, "7000000000000000003", 0, 0, now());
    rig.sim.send_event(ring.ringing()).await;
    let name = rig.sim.directory().queues[0].name.clone();
    rig.queue("an event after all of it", &name, |row| row["waiting"] == 1).await;
    let feed = rig.json("/api/v1/feed").await;
    assert!(feed["quarantined"].as_u64() >= Some(4), "{feed}");
    assert_eq!(feed["reconnects"], 0, "{feed}");
    rig.stop().await;
}

#[tokio::test]
async fn reordered_and_repeated_events_of_a_lively_office_make_the_board_of_the_truth() {
    let sim = SimConfig {
        pace: zoom_sim::Pace::ByHand,
        start: Some(now() - TimeDelta::minutes(20)),
        ..SimConfig::small()
    };
    let rig = Rig::start_with(sim, |_| {}).await;
    rig.sim.faults().set(FaultPlan { seed: 5, duplicate: 0.3, reorder: 0.3, ..FaultPlan::default() });
    rig.sim.play(TimeDelta::minutes(15)).await;
    rig.sim.faults().clear();
    rig.sim.play(TimeDelta::minutes(5)).await;
    let truth = rig.sim.truth();
    let at = rig.sim.with_world(zoom_sim::World::now);
    for queue in rig.sim.directory().queues {
        let really = truth.queue_at(&queue.id, at);
        let is_so = |row: &Value| {
            row["ringing"] == really.ringing && row["talking"].as_u64() >= Some(really.talking as u64)
        };
        rig.queue("the board shows the truth", &queue.name, is_so).await;
    }
    assert!(rig.json("/api/v1/feed").await["duplicates"].as_u64() > Some(0));
    rig.stop().await;
}

#[tokio::test]
async fn a_queue_nobody_knows_is_shown_as_unresolved() {
    let rig = Rig::start().await;
    let mut event = Ring::new(&rig.sim, "7000000000000000004", 0, 0, now()).ringing();
    event["payload"]["object"]["forwarded_by"] =
        json!({ "name": "Pop-up <b>desk</b>", "extension_type": "callQueue", "extension_number": "8899" });
    rig.sim.send_event(event).await;
    let row = rig.queue("it has a row", "Pop-up <b>desk</b>", |row| row["waiting"] == 1).await;
    assert!(row["id"].as_str().unwrap().starts_with("unresolved:"));
    assert_eq!((&row["members"], &row["quality"]["members"]), (&Value::Null, &json!("unknown")));
    let page = rig.get("/queues").await.text().await.unwrap();
    assert!(page.contains("Pop-up &lt;b&gt;desk&lt;/b&gt;") && !page.contains("Pop-up <b>desk</b>"));
    rig.stop().await;
}

#[tokio::test]
async fn events_of_a_call_that_was_over_long_ago_are_kept_and_counted_as_late() {
    let rig = Rig::start().await;
    let long_ago = now() - TimeDelta::days(900);
    let ring = Ring::new(&rig.sim, "7000000000000000005", 0, 0, long_ago);
    let (answered, ended) = (long_ago + TimeDelta::seconds(8), long_ago + TimeDelta::seconds(60));
    for event in [ring.ringing(), ring.answered(answered), ring.ended(answered, ended)] {
        assert!(rig.post_webhook(&event.to_string()).await.status().is_success());
    }
    let feed = rig.json("/api/v1/feed").await;
    assert_eq!((&feed["journalled"], &feed["quarantined"]), (&json!(3), &json!(0)), "{feed}");
    rig.eventually("all of them came too late", |feed| feed["late"] == 3, "/api/v1/feed").await;
    let queues = rig.json("/api/v1/queues").await;
    assert!(queues.as_array().unwrap().iter().all(|row| row["offered_today"] == 0), "{queues}");
    rig.stop().await;
}

#[tokio::test]
async fn webhooks_are_refused_without_a_valid_signature_and_above_a_size() {
    let rig = Rig::start().await;
    let post = |signature: &'static str| {
        rig.http
            .post(rig.url("/webhooks/zoom"))
            .header("x-zm-request-timestamp", (server::clock::now().as_millis() / 1000).to_string())
            .header("x-zm-signature", signature)
            .body("{}")
            .send()
    };
    assert_eq!(post("v0=00").await.unwrap().status(), 401);
    assert_eq!(rig.http.post(rig.url("/webhooks/zoom")).body("{}").send().await.unwrap().status(), 401);
    let huge = "x".repeat(10 << 20);
    let sent = rig.http.post(rig.url("/webhooks/zoom")).body(huge).send().await;
    // The answer may overtake the body; the connection then ends under the sender.
    assert!(sent.is_err() || sent.is_ok_and(|response| response.status() == 413 || response.status() == 401));
    let broken = rig.post_webhook("{\"event\": ").await;
    assert!(broken.status().is_success(), "what cannot be read is kept, not lost");
    assert_eq!(rig.json("/api/v1/feed").await["quarantined"], 1);
    let challenge = r#"{"event":"endpoint.url_validation","event_ts":1,"payload":{"plainToken":"abc"}}"#;
    let answer: Value = rig.post_webhook(challenge).await.json().await.unwrap();
    assert_eq!(answer["plainToken"], "abc");
    assert_eq!(answer["encryptedToken"], zoom_sim::hmac_hex(&rig.sim.credentials().webhook_secret, "abc"));
    rig.stop().await;
}

#[tokio::test]
async fn a_clock_that_is_behind_zooms_is_told() {
    let rig = Rig::start_with(SimConfig::quiet(), |_| {}).await;
    let tell = async |call: usize, later: i64| {
        let ring = Ring::new(&rig.sim, &format!("700000000000000010{call}"), 0, 0, now());
        let mut event = ring.ringing();
        event["event_ts"] = (now().timestamp_millis() + 1000 * later).into();
        rig.sim.send_event(event).await;
    };
    for call in 0..5 {
        tell(call, 40).await;
    }
    let told =
        |feed: &Value| feed["problem"].as_str().is_some_and(|told| told.contains("this server's clock"));
    let feed = rig.eventually("the clock is told to be behind", told, "/api/v1/feed").await;
    let ready = rig.json("/readyz").await;
    assert_eq!((ready["ready"].as_bool(), &ready["reasons"][0]), (Some(true), &feed["problem"]));
    let page = rig.get("/feed").await.text().await.unwrap();
    assert!(page.contains("let the time of this machine be synchronised"), "{page}");
    tell(5, 0).await;
    rig.eventually("it is set right", |feed| feed["problem"].is_null(), "/api/v1/feed").await;
    rig.stop().await;
}

#[tokio::test]
async fn losing_the_feed_is_told_and_a_gap_is_kept() {
    let rig = Rig::start_with(SimConfig::quiet(), |config| {
        config.zoom.timings.back_off_first = std::time::Duration::from_millis(50);
        config.zoom.timings.back_off_longest = std::time::Duration::from_millis(200);
    })
    .await;
    let ring = Ring::new(&rig.sim, "7000000000000000003", 0, 0, now());
    rig.sim.send_event(ring.ringing()).await;
    rig.eventually("a call is heard", |calls| calls[0]["unconfirmed"] == false, "/api/v1/calls/live").await;
    rig.sim.faults().refuse_sockets(1000, 503, "outage");
    rig.sim.cut_sockets();
    rig.eventually("the feed is down", |feed| feed["link"] == "down", "/api/v1/feed").await;
    rig.eventually("nobody knows", |calls| calls[0]["unconfirmed"] == true, "/api/v1/calls/live").await;
    let row = rig.json("/api/v1/queues").await;
    let row = &row[0];
    assert_eq!(row["quality"]["waiting"], "unknown");
    // A program that reads no qualities must not take a zero for a fact.
    for unknown in ["members_available", "members_ringing"] {
        assert!(row[unknown].is_null(), "{unknown}: {row}");
    }
    for known in
        ["waiting", "talking", "on_hold", "unconfirmed", "members", "offered_today", "measured_today"]
    {
        assert!(row[known].is_u64(), "{known}: {row}");
    }
    let ready = rig.get("/readyz").await;
    assert_eq!(ready.status(), 503);
    assert_eq!(ready.headers()["retry-after"], "2");
    let page = rig.get("/wall").await.text().await.unwrap();
    assert!(page.contains("Zoom"), "the page names the broken link");

    rig.sim.faults().clear();
    rig.eventually("it is live again", |feed| feed["link"] == "live", "/api/v1/feed").await;
    let feed = rig
        .eventually("the gap is on record", |feed| feed["gaps"][0]["to"].is_string(), "/api/v1/feed")
        .await;
    assert!(feed["gaps"][0]["from"].is_string(), "{feed}");
    assert_eq!(rig.get("/readyz").await.status(), 200);
    rig.stop().await;
}

#[tokio::test]
async fn the_page_of_the_feed_names_kinds_gaps_and_what_nobody_could_read() {
    let rig = Rig::start().await;
    rig.sim.send_event(Ring::new(&rig.sim, "7000000000000000031", 0, 0, now()).ringing()).await;
    rig.sim.send_garbage(Garbage::BrokenJson).await;
    let is_read = |feed: &Value| feed["quarantined"] == 1 && feed["journalled"] == 1;
    rig.eventually("both are read", is_read, "/api/v1/feed").await;
    rig.sim.cut_sockets();
    let is_over = |feed: &Value| feed["gaps"][0]["to"].is_string();
    rig.eventually("the gap is over", is_over, "/api/v1/feed").await;
    let page = rig.get("/feed").await;
    assert_eq!(page.status(), 200);
    let html = page.text().await.unwrap();
    let gap = rig.json("/api/v1/feed").await["gaps"][0]["cause"].as_str().unwrap().to_owned();
    for expected in ["Callboard hears Zoom", "phone.callee_ringing", "Messages that could not be read", &gap]
    {
        assert!(html.contains(expected), "{expected} is missing in {html}");
    }
    let cut = reqwest::Client::new().post(rig.url("/demo/cut")).send().await.unwrap();
    assert_eq!(cut.status(), 404, "only a demo can be cut");
    rig.stop().await;
}
