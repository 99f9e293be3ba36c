//! The demo as a newcomer meets it.

use std::time::{Duration, Instant};

use serde_json::Value;
use server::{Purpose, demo::Demo, run};
use tokio::{net::TcpListener, runtime::Handle};
use tokio_util::sync::CancellationToken;

use crate::support::client;

#[tokio::test]
async fn the_earlier_hours_of_a_demo_are_checked_against_the_record_from_the_first_page_on() {
    let (demo, config) = Demo::start(7).await.unwrap();
    let written_before = config.written_before.len() as u64;
    assert!(written_before > 500, "three hours of calls, not {written_before}");
    let data = tempfile::tempdir().unwrap();
    let config = server::config::Config { data_dir: data.path().to_owned(), ..config };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, runtime) = (CancellationToken::new(), Handle::current());
    let stopped = stop.clone();
    let serve = move || runtime.block_on(run(config, Purpose::Demo, listener, stopped));
    let running = tokio::task::spawn_blocking(serve);
    let http = client();
    let json = async |path: &str| -> Value {
        http.get(format!("http://{address}{path}")).send().await.unwrap().json().await.unwrap()
    };
    let rows = json("/api/v1/queues").await;
    let sum =
        |name: &str| -> u64 { rows.as_array().unwrap().iter().filter_map(|row| row[name].as_u64()).sum() };
    // Those that go on, and those of the last minute, are not written down yet: few of three hours' calls,
    // however young the day is.
    let unmeasured = sum("offered_today") - sum("measured_today");
    assert!(unmeasured * 10 <= written_before, "{unmeasured} of {rows}");
    // Whoever looks back in the first minutes comes to the beginning of the record, with the morning on the board.
    let deadline = Instant::now() + Duration::from_secs(60);
    let then = loop {
        let back = http.get(format!("http://{address}/queues?at=-2h")).send().await.unwrap();
        let leads_to = back.headers()["location"].to_str().unwrap();
        let then = http.get(format!("http://{address}/api/v1{leads_to}")).send().await.unwrap();
        if then.status() == 200 {
            break then.json::<Value>().await.unwrap();
        }
        assert!(then.status() == 404 && Instant::now() < deadline, "nothing is on record yet: {then:?}");
    };
    let rows_then = then.as_array().unwrap();
    let sum_then: u64 = rows_then.iter().filter_map(|row| row["offered_today"].as_u64()).sum();
    assert!(sum_then >= sum("offered_today"), "{sum_then} of {rows}");
    assert!(rows_then.iter().all(|row| row["members"].is_u64()), "{then}");
    let feed = json("/api/v1/feed").await;
    assert!(feed["journalled"].as_u64() >= Some(written_before), "{feed}");
    stop.cancel();
    running.await.unwrap().unwrap();
    demo.stop().await;
}
