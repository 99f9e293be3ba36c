//! Who is who: known at once at every start, whether or not Zoom answers, and without asking for each call.

use serde_json::{Value, json};
use zoom_sim::SimConfig;

use crate::support::{Rig, Ring, now};

fn is_read(feed: &Value) -> bool {
    feed["directory"]["read_at"].is_string() && feed["directory"]["extensions"].as_u64() > Some(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_without_zooms_answers_has_queues_members_and_names() {
    let rig = Rig::start_with(SimConfig::quiet(), |_| {}).await;
    let directory = rig.sim.directory();
    let has_members =
        |rows: &Value| rows.as_array().is_some_and(|rows| rows.iter().all(|row| row["members"].is_u64()));
    rig.eventually("members are known", has_members, "/api/v1/queues").await;
    let feed = rig.eventually("everything is read", is_read, "/api/v1/feed").await;
    let receptionists_and_groups = directory.receptionists.len() + directory.sites.len();
    let everybody = (directory.seats.len() + receptionists_and_groups) as u64;
    let all = |feed: &Value| {
        feed["directory"]["extensions"] == everybody && feed["directory"]["sites"] == directory.sites.len()
    };
    rig.eventually("all extensions are read", all, "/api/v1/feed").await;
    assert_eq!(feed["directory"]["extensions_problem"], Value::Null);

    let rig = rig.restart(async |sim| sim.faults().fail_rest(10_000, 503), |_| {}).await;
    let asked = rig.sim.totals().rest;
    let rows = rig.json("/api/v1/queues").await;
    assert!(has_members(&rows), "{rows}");
    let queue = &directory.queues[1];
    let ring = Ring::new(&rig.sim, "7000000000000000001", 1, 0, now());
    let mut event = ring.ringing();
    let callee = event["payload"]["object"]["callee"].as_object_mut().unwrap();
    let (name, number) = (callee.remove("name").unwrap(), callee["extension_number"].clone());
    rig.sim.send_event(event).await;
    let row = rig.queue("a caller waits", &queue.name, |row| row["waiting"] == 1).await;
    assert_eq!(row["id"], queue.id, "told by the extension number in forwarded_by");
    let calls = rig.json("/api/v1/calls/live").await;
    let leg = &calls[0]["legs"][0];
    assert_eq!((&leg["name"], &leg["extension_number"]), (&name, &json!(number.to_string())));
    let feed = rig.json("/api/v1/feed").await;
    assert!(feed["directory"]["extensions"] == everybody && feed["directory"]["read_at"].is_string());
    assert!(rig.sim.totals().rest - asked < 20, "an API in trouble is left alone");
    rig.stop().await;
}
