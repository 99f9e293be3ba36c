//! Ends and beginnings: what is acknowledged survives a kill, and the board stands where it stood.

use std::collections::BTreeSet;

use serde_json::Value;
use zoom_sim::{Sim, SimConfig};

use crate::support::{Process, Ring, client, environment, eventually, now, post_webhook};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_missing_after_a_kill_and_the_board_is_right() {
    let sim = Sim::start(SimConfig::quiet()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let http = client();
    let secret = sim.credentials().webhook_secret.clone();
    let mut acknowledged = BTreeSet::new();
    for round in 0..3 {
        let process = Process::start(&sim, &data).await;
        let url = process.url("/webhooks/zoom");
        let (told, mut heard) = tokio::sync::mpsc::channel(1000);
        let posts: Vec<_> = (0..4)
            .map(|lane| {
                let (http, url, secret, told) = (http.clone(), url.clone(), secret.clone(), told.clone());
                let since = now();
                let rings: Vec<(String, String)> = (0..400)
                    .map(|number| {
                        let call_id = format!("73{round}{lane}0000000000{number:05}");
                        let ring = Ring::new(&sim, &call_id, 0, 0, since);
                        (call_id, ring.ringing().to_string())
                    })
                    .collect();
                tokio::task::spawn(async move {
                    for (call_id, body) in rings {
                        let timestamp = (server::clock::now().as_millis() / 1000).to_string();
                        let sent = http
                            .post(&url)
                            .header("x-zm-request-timestamp", &timestamp)
                            .header("x-zm-signature", zoom_sim::sign(&secret, &timestamp, &body))
                            .body(body)
                            .send()
                            .await;
                        match sent {
                            Ok(response) if response.status().is_success() => {
                                told.send(call_id).await.unwrap();
                            }
                            // Killed: this one and those after it were never acknowledged.
                            _ => return,
                        }
                    }
                })
            })
            .collect();
        drop(told);
        // Kills in the middle of the load, at a place that differs from round to round.
        let mut process = Some(process);
        let kill_after = acknowledged.len() + 150 + 97 * round;
        while let Some(call_id) = heard.recv().await {
            acknowledged.insert(call_id);
            if acknowledged.len() >= kill_after
                && let Some(process) = process.take()
            {
                process.kill();
            }
        }
        for post in posts {
            post.await.unwrap();
        }
    }

    let process = Process::start(&sim, &data).await;
    let calls = eventually(
        &http,
        "every acknowledged call is on the board again",
        |calls: &Value| calls.as_array().is_some_and(|calls| calls.len() >= acknowledged.len()),
        &process.url("/api/v1/calls/live"),
    )
    .await;
    let shown: BTreeSet<String> =
        calls.as_array().unwrap().iter().map(|call| call["call_id"].as_str().unwrap().to_owned()).collect();
    let missing: Vec<_> = acknowledged.difference(&shown).collect();
    assert!(missing.is_empty(), "acknowledged and lost: {missing:?}");
    let all_wait = |queues: &Value| {
        let waiting = queues.as_array().into_iter().flatten().filter_map(|row| row["waiting"].as_u64());
        waiting.sum::<u64>() == shown.len() as u64
    };
    eventually(&http, "the sums agree", all_wait, &process.url("/api/v1/queues")).await;
    sim.stop().await;
}

#[tokio::test]
async fn the_time_between_two_runs_is_a_gap_and_a_second_server_is_refused() {
    let sim = Sim::start(SimConfig::quiet()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let first = Process::start(&sim, &data).await;
    let http = client();
    let body = Ring::new(&sim, "7400000000000000001", 0, 0, now()).ringing().to_string();
    let secret = &sim.credentials().webhook_secret;
    assert!(post_webhook(&http, &first.url("/webhooks/zoom"), secret, &body).await.status().is_success());

    let second = std::process::Command::new(env!("CARGO_BIN_EXE_callboard"))
        .arg("serve")
        .envs(environment(&sim, &data))
        .env("CALLBOARD_LISTEN", "127.0.0.1:0")
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(1));
    let told = String::from_utf8_lossy(&second.stderr);
    assert!(told.contains("another callboard server uses it"), "{told}");
    assert!(second.stdout.is_empty(), "it does not say where it is, for it is not");

    first.kill();
    let again = Process::start(&sim, &data).await;
    let is_gap = |feed: &Value| feed["gaps"][0]["to"].is_string();
    eventually(&http, "the time in between is on record", is_gap, &again.url("/api/v1/feed")).await;
    sim.stop().await;
}

#[tokio::test]
async fn the_time_between_two_runs_is_a_gap_for_webhooks_too() {
    let sim = Sim::start(SimConfig::quiet()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let variables = || {
        let mut variables = environment(&sim, &data);
        variables.retain(|(name, _)| *name != "ZOOM_WS_SUBSCRIPTION_ID");
        variables
    };
    let http = client();
    let first = Process::start_with(variables(), &data, "webhook_only").await;
    let feed = eventually(&http, "it serves", Value::is_object, &first.url("/api/v1/feed")).await;
    assert_eq!(feed["gaps"], serde_json::json!([]), "nothing was missed before the first start");
    // The first pulse is on disk when a webhook that came after it is acknowledged.
    let body = Ring::new(&sim, "7400000000000000002", 0, 0, now()).ringing().to_string();
    let secret = &sim.credentials().webhook_secret;
    assert!(post_webhook(&http, &first.url("/webhooks/zoom"), secret, &body).await.status().is_success());

    first.kill();
    let again = Process::start_with(variables(), &data, "webhook_only").await;
    let is_gap =
        |feed: &Value| feed["gaps"][0]["to"].is_string() && feed["gaps"][0]["cause"] == "server not running";
    eventually(&http, "the time in between is on record", is_gap, &again.url("/api/v1/feed")).await;
    sim.stop().await;
}

#[tokio::test]
async fn no_secret_token_or_number_reaches_the_log() {
    let sim = Sim::start(SimConfig::quiet()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    // Whoever asks first: queues, names of phones, presence.
    sim.faults().fail_rest(4, 500);
    let process = Process::start(&sim, &data).await;
    let http = client();
    sim.send_event(Ring::new(&sim, "7500000000000000001", 0, 0, now()).ringing()).await;
    let has_call = |calls: &Value| calls[0]["call_id"] == "7500000000000000001";
    eventually(&http, "the call is seen", has_call, &process.url("/api/v1/calls/live")).await;
    sim.faults().refuse_sockets(2, 401, "Token is invalid");
    sim.cut_sockets();
    let is_well_again =
        |feed: &Value| feed["reconnects"].as_u64() > Some(0) && feed["directory"]["read_at"].is_string();
    eventually(&http, "it was refused and is well again", is_well_again, &process.url("/api/v1/feed")).await;
    let log = std::fs::read_to_string(&process.log).unwrap();
    for told in ["Zoom refused the WebSocket (HTTP 401)", "the queues could not be read"] {
        assert!(log.contains(told), "{told} is logged: {log}");
    }
    let credentials = sim.credentials();
    // The pretend Zoom's tokens begin with this.
    let token = "sim.";
    for secret in [&credentials.client_secret, &credentials.webhook_secret, token, "+4930123456"] {
        assert!(!log.contains(secret), "the log says {secret}: {log}");
    }
    sim.stop().await;
}

#[test]
fn a_wrong_configuration_is_told_at_once_before_a_port_opens() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_callboard"))
        .arg("serve")
        .env_clear()
        .env("ZOOM_CLIENT_ID", "only-this")
        .env("ZOOM_WS_URL", "ftp://nonsense")
        .env("CALLBOARD_LISTEN", "0.0.0.0:8080")
        .env("CALLBOARD_TIME_ZONE", "Mars/Olympus")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(64));
    let told = String::from_utf8_lossy(&output.stderr);
    for name in ["ZOOM_CLIENT_SECRET", "ZOOM_WS_URL", "CALLBOARD_LISTEN", "CALLBOARD_TIME_ZONE"] {
        assert!(told.contains(name), "{name} is missing in: {told}");
    }
    assert!(output.stdout.is_empty(), "nothing was served");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clean_end_leaves_one_whole_file() {
    let sim = Sim::start(SimConfig::quiet()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let process = Process::start(&sim, &data).await;
    let body = Ring::new(&sim, "7600000000000000001", 0, 0, now()).ringing().to_string();
    let secret = &sim.credentials().webhook_secret;
    let url = process.url("/webhooks/zoom");
    assert!(post_webhook(&client(), &url, secret, &body).await.status().is_success());
    process.stop();
    let log = std::fs::metadata(data.join("callboard.sqlite-wal")).map_or(0, |file| file.len());
    assert_eq!(log, 0, "the log is folded into the file, which a backup can then copy");
    sim.stop().await;
}
