//! Agents from outside: what presence events and readings make of them, and what a missing scope does.

use std::time::Duration;

use serde_json::{Value, json};
use zoom_sim::{Scopes, SimConfig};

use crate::support::{Rig, now};

const AGENTS: &str = "/api/v1/agents";

fn rows(agents: &Value) -> &[Value] {
    agents.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn find<'a>(agents: &'a Value, id: &str) -> Option<&'a Value> {
    rows(agents).iter().find(|agent| agent["id"] == id)
}

/// Somebody who is a member of a queue.
fn somebody(rig: &Rig) -> (String, String) {
    let directory = rig.sim.directory();
    let members = directory.queues.iter().flat_map(|queue| &queue.members);
    let mut people = members.map(|member| &directory.seats[member.seat]).filter(|seat| seat.is_person());
    let person = people.next().expect("a queue has people");
    (person.id.clone(), person.name.clone())
}

async fn say(rig: &Rig, id: &str, presence: &str) {
    let event = json!({
        "event": "user.presence_status_updated",
        "event_ts": now().timestamp_millis(),
        "payload": {
            "account_id": rig.sim.credentials().account_id,
            "object": {
                "id": id,
                "email": "somebody@example.com",
                // As Zoom's own example spells it.
                "date-time": now().format("%Y-%m-%dT%H:%M:%SZ").to_string(),
                "presence_status": presence,
            },
        },
    });
    rig.sim.send_event(event).await;
}

async fn until_state(rig: &Rig, id: &str, state: &str) -> Value {
    let is_so = |agents: &Value| find(agents, id).is_some_and(|agent| agent["state"] == state);
    let agents = rig.eventually(&format!("{id} is {state}"), is_so, AGENTS).await;
    find(&agents, id).cloned().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn presence_is_read_at_the_start_told_by_events_and_read_again_after_a_gap() {
    let rig = Rig::start_installed(SimConfig::quiet(), |_| {}).await;
    let (id, name) = somebody(&rig);
    let is_read = |agents: &Value| find(agents, &id).is_some_and(|ada| ada["presence"] == "available");
    let agents = rig.eventually("presence is read", is_read, AGENTS).await;
    let ada = find(&agents, &id).unwrap();
    assert_eq!(ada["name"], name);
    assert_eq!(ada["state"], "available");
    assert_eq!(ada["quality"]["state"], "live");
    assert!(!rows(&ada["queues"]).is_empty());
    assert_eq!(ada["offered_today"], 0);

    say(&rig, &id, "Do_Not_Disturb").await;
    let ada = until_state(&rig, &id, "do_not_disturb").await;
    assert!(ada["since"].is_string(), "an event tells since when");

    let everybody = |state: &'static str| {
        move |agents: &Value| {
            let of_people = rows(agents).iter().filter(|agent| agent["presence"].is_string());
            !rows(agents).is_empty()
                && of_people.clone().all(|agent| agent["state"] == state)
                && of_people.count() > 3
        }
    };
    rig.sim.outage(Duration::from_secs(2));
    let is_unknown = |agents: &Value| rows(agents).iter().all(|agent| agent["state"] == "unknown");
    rig.eventually("nobody is known while nothing is heard", is_unknown, AGENTS).await;
    // The pretend Zoom knows nothing of the event above: read anew, everybody is available.
    let agents = rig.eventually("everybody was read again", everybody("available"), AGENTS).await;
    let queues = rig.json("/api/v1/queues").await;
    let sure = |rows: &[Value], field: &str| -> Vec<Value> {
        rows.iter().map(|row| row["quality"][field].clone()).filter(|sure| sure != "unknown").collect()
    };
    let (of_agents, of_queues) = (sure(rows(&agents), "state"), sure(rows(&queues), "members_available"));
    assert!(!of_agents.is_empty() && of_agents.iter().all(|sure| sure == "inferred"), "{agents}");
    assert!(!of_queues.is_empty() && of_queues.iter().all(|sure| sure == "inferred"), "{queues}");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_scope_agents_are_unknown_until_an_event_tells_and_the_feed_says_why() {
    let scopes = Scopes::only([
        "phone:read:call:admin",
        "phone:read:list_call_queues:admin",
        "phone:read:call_queue:admin",
    ]);
    let rig = Rig::start_with(SimConfig { scopes, ..SimConfig::quiet() }, |_| {}).await;
    let (id, _) = somebody(&rig);
    let ada = until_state(&rig, &id, "unknown").await;
    assert_eq!(ada["quality"]["state"], "unknown");
    assert_eq!(ada["presence"], Value::Null);
    let has_problem = |feed: &Value| feed["presence"]["problem"].is_string();
    let feed = rig.eventually("the problem is told", has_problem, "/api/v1/feed").await;
    let problem = feed["presence"]["problem"].as_str().unwrap_or_default();
    assert!(problem.contains("scope"), "{problem}");
    let ready = rig.json("/readyz").await;
    assert_eq!((&ready["ready"], &ready["reasons"]), (&json!(true), &json!([problem])), "usable, and told");

    say(&rig, &id, "Offline").await;
    until_state(&rig, &id, "offline").await;
    say(&rig, &id, "Available").await;
    until_state(&rig, &id, "available").await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stream_of_agents_begins_with_everybody() {
    let rig = Rig::start().await;
    let (id, _) = somebody(&rig);
    until_state(&rig, &id, "available").await;
    let mut response = rig.get("/live/agents").await;
    assert_eq!(response.headers()["content-type"], "text/event-stream; charset=utf-8");
    let mut text = String::new();
    while !text.contains("event: change") {
        let chunk = response.chunk().await.unwrap().expect("the stream goes on");
        text.push_str(&String::from_utf8_lossy(&chunk));
    }
    let (hello, view) = (text.find("event: hello").unwrap(), text.find("event: view").unwrap());
    assert!(hello < view);
    assert!(text.contains(&id));
    drop(response);
    rig.stop().await;
}
