//! Limits and signals of the system: a server with few files, small files or no terminal.

use std::net::TcpStream;

use serde_json::Value;
use zoom_sim::{Sim, SimConfig};

use crate::support::{Process, Ring, client, environment, eventually, now, post_webhook};

#[tokio::test]
async fn viewers_leave_the_feed_enough_descriptors() {
    let sim = Sim::start(SimConfig::quiet()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let process = Process::spawn_limited(environment(&sim, folder.path()), "-n 128");
    let (http, url) = (client(), process.url("/api/v1/feed"));
    let is_live = |feed: &Value| feed["link"] == "live";
    eventually(&http, "it serves", is_live, &url).await;
    // More than there are descriptors. Should `http` have to connect anew, it is behind those who fit at
    // once, and they are sent away before it gives up.
    let crowd: Vec<_> = (0..110).map(|_| TcpStream::connect(process.address).unwrap()).collect();
    sim.cut_sockets();
    let is_back = |feed: &Value| feed["link"] == "live" && feed["reconnects"].as_u64() > Some(0);
    eventually(&http, "the feed is back", is_back, &url).await;
    drop(crowd);
    process.stop();
    sim.stop().await;
}

#[tokio::test]
async fn a_file_that_may_not_grow_is_like_a_full_disk() {
    let sim = Sim::start(SimConfig::quiet()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    // 1 MiB, in the shell's blocks.
    let process = Process::spawn_limited(environment(&sim, folder.path()), "-f 2048");
    process.wait_for_link("live").await;
    let (http, secret) = (client(), sim.credentials().webhook_secret.clone());
    let mut refused = None;
    for number in 0..3_000 {
        let call_id = format!("77{number:017}");
        let body = Ring::new(&sim, &call_id, 0, 0, now()).ringing().to_string();
        let answer = post_webhook(&http, &process.url("/webhooks/zoom"), &secret, &body).await;
        if !answer.status().is_success() {
            refused = Some(answer.status().as_u16());
            break;
        }
    }
    assert_eq!(refused, Some(503));
    let is_told = |ready: &Value| ready["store"] == "failing";
    eventually(&http, "it says so", is_told, &process.url("/readyz")).await;
    process.stop();
    sim.stop().await;
}

#[tokio::test]
async fn a_closed_terminal_ends_the_server_cleanly() {
    // A process inherits what its parent ignores, and `nohup` counts.
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap().trim();
    if u64::from_str_radix(ignored, 16).unwrap() & 1 == 1 {
        println!("skipped: started with hang-ups ignored");
        return;
    }
    let sim = Sim::start(SimConfig::quiet()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(&sim, &folder.path().join("data")).await;
    process.stop_by("-HUP");
    sim.stop().await;
}
