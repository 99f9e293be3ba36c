//! The list of calls and the journey of one: over real sockets, with whatever people put into an address.

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use zoom_sim::{Sim, SimConfig};

use crate::support::{Process, Ring, client, eventually, now, post_webhook};

/// The visits that a program is told of.
fn count(list: &Value) -> u64 {
    list["count"].as_u64().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_is_listed_and_has_its_journey() {
    let sim = Sim::start(SimConfig::quiet()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(&sim, &folder.path().join("data")).await;
    let (http, secret) = (client(), sim.credentials().webhook_secret.clone());
    let hook = process.url("/webhooks/zoom");
    let since = now();
    for number in 0..60 {
        let ring = Ring::new(&sim, &format!("750000000000000{number:04}"), number % 2, 0, since);
        for event in [ring.ringing(), ring.answered(since), ring.ended(since, since)] {
            assert!(post_webhook(&http, &hook, &secret, &event.to_string()).await.status().is_success());
        }
    }
    let list = process.url("/api/v1/calls?outcome=answered");
    let all = eventually(&http, "all visits are listed", |list| count(list) == 60, &list).await;
    assert_eq!((all["rows"].as_str(), all["calls"].as_array().map(Vec::len)), (Some("visits"), Some(60)));

    // What a queue is said to have answered is what its link lists, over all pages.
    let queue = all["calls"][0]["queue_id"].as_str().unwrap();
    let of_queue = all["calls"].as_array().unwrap().iter().filter(|call| call["queue_id"] == queue).count();
    assert_eq!(of_queue, 30);
    let text = async |path: String| {
        let answer = http.get(process.url(&path)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let (status, page) = text(format!("/calls?queue={queue}")).await;
    assert_eq!(status, 200);
    assert!(page.contains(">30 visits</h2>"), "{page}");
    let (_, first) = text("/calls?outcome=answered".to_owned()).await;
    let next = first.split("rel=\"next\" href=\"").nth(1).and_then(|rest| rest.split('"').next());
    let next = next.expect("60 do not fit on a page").replace("&amp;", "&");
    let (_, second) = text(next.clone()).await;
    let rows = |page: &str| page.matches("<a href=\"/calls/7500").count();
    assert_eq!((rows(&first), rows(&second)), (50, 10));
    // Of another list, the same cursor is refused.
    let (status, refused) = text(next.replace("outcome=answered", "outcome=abandoned")).await;
    assert!(status == 400 && refused.contains("cursor is of another list"), "{refused}");

    let (status, journey) = text("/calls/7500000000000000007".to_owned()).await;
    assert!(
        status == 200 && journey.contains("By events alone") && journey.contains("data-block=\"waiting\""),
        "{journey}"
    );
    assert!(journey.contains("phone.callee_ringing"), "its events are beneath");
    let told: Value = http
        .get(process.url("/api/v1/calls/7500000000000000007"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(told["call_id"], json!("7500000000000000007"));
    assert_eq!(told["visits"][0]["outcome"], json!("answered"));
    sim.stop().await;
}

#[tokio::test]
async fn a_call_that_goes_on_says_so() {
    let sim = Sim::start(SimConfig::quiet()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(&sim, &folder.path().join("data")).await;
    let http = client();
    let ring = Ring::new(&sim, "7600000000000000001", 0, 0, now());
    let hook = process.url("/webhooks/zoom");
    let event = ring.ringing().to_string();
    assert!(
        post_webhook(&http, &hook, &sim.credentials().webhook_secret, &event).await.status().is_success()
    );
    let path = process.url("/api/v1/calls/7600000000000000001");
    eventually(&http, "the call is live", |call| call["live"] == json!(true), &path).await;
    let page =
        http.get(process.url("/calls/7600000000000000001")).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("This call is going on") && page.contains("href=\"/queues/"), "{page}");
    sim.stop().await;
}

#[tokio::test]
async fn whatever_an_address_asks_is_answered_or_refused_in_words() {
    let sim = Sim::start(SimConfig::quiet()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(&sim, &folder.path().join("data")).await;
    let http = client();
    let long = "9".repeat(5_000);
    for (query, status) in [
        (String::new(), 200),
        ("zone=America/New_York&from=0000-01-01T00:00:00Z&to=9999-12-31T23:59:59Z".to_owned(), 200),
        ("queue=%27%20or%201%3D1%3B--&queue=%3Cscript%3Ealert(1)%3C/script%3E".to_owned(), 200),
        ("number=%2B49%20(30)%20123".to_owned(), 307),
        ("queue=&from=&outcome=answered".to_owned(), 307),
        ("from=2026-11-26T00:00:00Z&to=2026-11-25T00:00:00Z&zone=Mars/Olympus".to_owned(), 400),
        ("number=1%27%20or%201%3D1".to_owned(), 400),
        ("result=%3Cb%3E".to_owned(), 400),
        ("cursor=AAAAAAAAAAAAAAAA".to_owned(), 400),
        ("wait_min=-1".to_owned(), 400),
        ("outcome=%ff".to_owned(), 400),
        (format!("number={long}"), 400),
    ] {
        for path in ["/calls", "/api/v1/calls"] {
            let answer = http.get(process.url(&format!("{path}?{query}"))).send().await.unwrap();
            // What a form sends leads to the plain address; programs are answered at once.
            let status = if status == 307 && path != "/calls" { 200 } else { status };
            assert_eq!(answer.status().as_u16(), status, "{path}?{query}");
            let said = answer.text().await.unwrap();
            assert!(!said.contains("<script>alert"), "{said}");
        }
    }
    let ids =
        ["nobody", "%00", "%ff", "..%2f..%2fetc", "%27%3B--", &"7".repeat(5_000), "7%3Cb%3E", "%F0%9F%98%80"];
    for id in ids {
        for path in ["/calls", "/api/v1/calls"] {
            let answer = http.get(process.url(&format!("{path}/{id}"))).send().await.unwrap();
            assert_eq!(answer.status().as_u16(), 404, "{path}/{id}");
        }
    }
    // Longer than any client sends.
    let mut line = TcpStream::connect(process.address).await.unwrap();
    let request = format!("GET /calls?number={} HTTP/1.1\r\nhost: localhost\r\n\r\n", "9".repeat(100_000));
    // The server may answer and close before it has read all of it.
    let _ = line.write_all(request.as_bytes()).await;
    let mut start = [0; 10];
    line.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 4");
    sim.stop().await;
}
