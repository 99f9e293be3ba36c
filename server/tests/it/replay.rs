//! A file of events as pages: from its beginning to its end, and never as a board of now.

use std::{
    fs,
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use server::{Purpose, recording::Recording, run};
use tokio::{net::TcpListener, runtime::Handle};
use tokio_util::sync::CancellationToken;
use zoom_sim::{World, WorldConfig};

use crate::support::client;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_plays_from_its_beginning_and_stays_at_its_end() {
    let morning: DateTime<Utc> = "2020-02-29T09:00:00Z".parse().unwrap();
    let mut world = World::new(WorldConfig::small(morning).without_latency(), 7);
    let events = world.step_until(morning + TimeDelta::minutes(20));
    let lines: Vec<String> = events.iter().map(|event| event.json.clone()).collect();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.jsonl");
    fs::write(&file, lines.join("\n")).unwrap();
    let (recording, config) = Recording::read(&file).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, runtime) = (CancellationToken::new(), Handle::current());
    let stopped = stop.clone();
    let serve = move || runtime.block_on(run(config, Purpose::Work, listener, stopped));
    let running = tokio::task::spawn_blocking(serve);
    let http = client();
    let get = async |path: &str| http.get(format!("http://{address}{path}")).send().await.unwrap();
    let leads_to = async |path: &str| {
        let answer = get(path).await;
        assert_eq!(answer.status(), 303, "{path}");
        answer.headers()["location"].to_str().unwrap().to_owned()
    };

    // Who asks for no instant sees the beginning, playing.
    for path in ["/wall", "/queues"] {
        let there = leads_to(path).await;
        assert!(
            there.starts_with(&format!("{path}?at=2020-02-29T09")) && there.ends_with("speed=1"),
            "{there}"
        );
        let page = get(&there).await.text().await.unwrap();
        for words in
            ["Recording", "of Saturday 29 February 2020, 09:0", "Play from the beginning", "data-row"]
        {
            assert!(page.contains(words), "{there} says {words}");
        }
        assert!(!page.contains("Back to now"), "there is none");
    }
    // The end is the last board, not today's.
    let end = server::clock::format_rfc3339(recording.span.ends_at());
    let page = get(&format!("/queues?at={end}")).await.text().await.unwrap();
    assert!(page.contains("This is the end of the recording."));
    let queues: Value = get("/api/v1/queues").await.json().await.unwrap();
    let offered = |queues: &Value| -> u64 {
        queues.as_array().unwrap().iter().map(|row| row["offered_today"].as_u64().unwrap()).sum()
    };
    assert!(offered(&queues) > 3, "programs, too, get the last board");
    let id = queues[0]["id"].as_str().unwrap();
    assert!(leads_to(&format!("/queues/{id}")).await.contains("?at=2020-02-29T09"), "so does a queue's page");
    assert_eq!(get("/queues?at=2020-03-01T00:00:00Z").await.status(), 400, "nothing comes after it");
    let before = get("/wall?at=2001-01-01T00:00:00Z").await;
    assert_eq!(before.status(), 404, "nothing comes before it");
    let page = before.text().await.unwrap();
    assert!(page.contains("Play from the beginning") && !page.contains("as it is now"), "{page}");

    // Played to its end it goes no further, and its stream waits there.
    let almost = server::clock::format_rfc3339(recording.span.ends_at() - Duration::from_secs(30));
    let mut stream = get(&format!("/live/all?at={almost}&speed=60")).await;
    let (mut told, last) = (String::new(), recording.span.ends_at().as_millis());
    while !told.contains(&format!("\"as_of\":{last}")) {
        told.push_str(&String::from_utf8_lossy(&stream.chunk().await.unwrap().unwrap()));
    }

    // Whoever followed another server on this address is led past the end by nothing they bring along.
    for id in ["now", "at-2020-02-29T10:00:00Z"] {
        let request = http.get(format!("http://{address}/live/all?at={almost}")).header("last-event-id", id);
        let (mut stream, mut told) = (request.send().await.unwrap(), String::new());
        while !told.contains("\"as_of\":") {
            told.push_str(&String::from_utf8_lossy(&stream.chunk().await.unwrap().unwrap()));
        }
        let as_of = told.split("\"as_of\":").nth(1).and_then(|rest| rest.split(',').next()).unwrap();
        assert!(as_of.parse::<i64>().unwrap() <= last, "{id}: {as_of} is after {last}");
    }

    // Programs, too, are told what the recording has nothing for.
    for path in
        ["/api/v1/agents", "/api/v1/calls/live", "/api/v1/feed", "/api/v1/reconciliation", "/live/agents"]
    {
        let answer = get(path).await;
        assert_eq!((answer.status().as_u16(), path), (404, path));
        assert!(answer.text().await.unwrap().contains("not in the recording"), "{path}");
    }
    // What knows now only says so.
    for path in ["/agents", "/feed", "/reconciliation"] {
        let page = get(path).await;
        assert_eq!(page.status(), 404);
        assert!(page.text().await.unwrap().contains("This is not in the recording"), "{path}");
    }
    // Whose stream waits holds up nobody.
    let stopping = Instant::now();
    stop.cancel();
    running.await.unwrap().unwrap();
    assert!(stopping.elapsed() < Duration::from_secs(3), "a stop took {:?}", stopping.elapsed());
    drop(stream);
}
