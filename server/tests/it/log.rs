//! The log never stops the server: not when it cannot be written, not when nobody reads it.

use std::{fs::File, process::Stdio};

use zoom_sim::{Sim, SimConfig};

use crate::support::{Process, client, environment};

#[tokio::test]
async fn a_full_disk_under_the_log_is_survived() {
    let sim = Sim::start(SimConfig::quiet()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let full = || Stdio::from(File::options().write(true).open("/dev/full").unwrap());
    let process = Process::spawn(environment(&sim, folder.path()), "debug", full(), full());
    process.wait_for_link("live").await;
    process.stop();
    sim.stop().await;
}

#[tokio::test]
async fn a_log_that_nobody_reads_is_survived() {
    let sim = Sim::start(SimConfig::quiet()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let variables = environment(&sim, folder.path());
    let process = Process::spawn(variables, "trace", Stdio::null(), Stdio::piped());
    process.wait_for_link("live").await;
    // Each request makes many lines; a pipe holds 64 KiB.
    let http = client();
    for _ in 0..300 {
        let answer = http.get(process.url("/api/v1/feed")).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    process.stop();
    sim.stop().await;
}
