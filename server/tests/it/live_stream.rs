//! Live streams: what a browser is told, and what a bad one cannot do.

use std::time::{Duration, Instant};

use domain::view::{BoardChange, BoardView};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use crate::support::{Rig, Ring, now};

/// Reads events of a stream, one by one.
pub(crate) struct Stream {
    response: reqwest::Response,
    rest: String,
}

impl Stream {
    pub(crate) async fn open(rig: &Rig, board: &str) -> Self {
        let mut response = rig.get(&format!("/live/{board}")).await;
        // On a machine that others keep busy an instant of the past takes its time: whoever asks is told to come again.
        let deadline = Instant::now() + Duration::from_secs(60);
        while board.contains("?at=") && response.status() == 503 && Instant::now() < deadline {
            response = rig.get(&format!("/live/{board}")).await;
        }
        assert_eq!(response.status(), 200);
        assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/event-stream"));
        Self { response, rest: String::new() }
    }

    /// The same again, after the event of that id.
    pub(crate) async fn resume(rig: &Rig, board: &str, id: &str) -> Self {
        let response = Self::come_again(rig, board, id).await;
        assert_eq!(response.status(), 200);
        Self { response, rest: String::new() }
    }

    /// What is answered to who comes again with an id.
    pub(crate) async fn come_again(rig: &Rig, board: &str, id: &str) -> reqwest::Response {
        let request = reqwest::Client::new().get(rig.url(&format!("/live/{board}")));
        request.header("last-event-id", id).send().await.unwrap()
    }

    /// The next event's name and data; `None` when the stream has ended.
    async fn next(&mut self) -> Option<(String, String)> {
        self.next_with_id().await.map(|(_, event, data)| (event, data))
    }

    /// The next event's id, name and data; `None` when the stream has ended.
    pub(crate) async fn next_with_id(&mut self) -> Option<(String, String, String)> {
        loop {
            if let Some((event, rest)) = self.rest.split_once("\n\n") {
                let field = |name: &str| {
                    let prefix = format!("{name}: ");
                    event.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap_or_default().to_owned()
                };
                let found = (field("id"), field("event"), field("data"));
                self.rest = rest.to_owned();
                return Some(found);
            }
            let chunk = tokio::time::timeout(Duration::from_secs(20), self.response.chunk());
            let chunk = chunk.await.expect("a stream pulses every second").ok()??;
            self.rest.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

#[tokio::test]
async fn a_stream_begins_with_the_full_view_and_goes_on_with_changes() {
    let rig = Rig::start().await;
    let name = rig.sim.directory().queues[0].name.clone();
    rig.queue("the directory is read", &name, |row| row["members"].as_u64() > Some(0)).await;
    let mut stream = Stream::open(&rig, "all").await;
    assert_eq!(stream.next().await.unwrap().0, "hello");
    let (event, data) = stream.next().await.unwrap();
    assert_eq!(event, "view");
    let view: BoardView = serde_json::from_str(&data).unwrap();
    assert_eq!(view.queues.len(), rig.sim.directory().queues.len());

    let ring = Ring::new(&rig.sim, "7100000000000000001", 0, 0, now());
    rig.sim.send_event(ring.ringing()).await;
    let mut revision = view.revision;
    loop {
        let (event, data) = stream.next().await.unwrap();
        assert_eq!(event, "change");
        let change: BoardChange = serde_json::from_str(&data).unwrap();
        assert_eq!(change.revision, revision + 1, "a reader that keeps up misses nothing");
        revision = change.revision;
        if change.queues.iter().any(|queue| queue.name == name && queue.figures.waiting == 1) {
            assert_eq!(change.totals.figures.waiting, 1);
            break;
        }
    }
    rig.stop().await;
}

#[tokio::test]
async fn a_queues_own_stream_tells_of_that_queue_alone() {
    let rig = Rig::start().await;
    let directory = rig.sim.directory();
    let (mine, other) = (&directory.queues[0], &directory.queues[1]);
    rig.queue("the directory is read", &mine.name, |_| true).await;
    let mut stream = Stream::open(&rig, &mine.id).await;
    stream.next().await.unwrap();
    let view: BoardView = serde_json::from_str(&stream.next().await.unwrap().1).unwrap();
    assert_eq!(view.queues.iter().map(|queue| queue.id.as_str()).collect::<Vec<_>>(), [mine.id.as_str()]);

    rig.sim.send_event(Ring::new(&rig.sim, "7100000000000000002", 1, 0, now()).ringing()).await;
    rig.queue("the other queue has a caller", &other.name, |row| row["waiting"] == 1).await;
    rig.sim.send_event(Ring::new(&rig.sim, "7100000000000000003", 0, 0, now()).ringing()).await;
    loop {
        let change: BoardChange = serde_json::from_str(&stream.next().await.unwrap().1).unwrap();
        assert!(change.queues.iter().all(|queue| queue.id.as_str() == mine.id));
        if change.totals.figures.waiting == 1 {
            break;
        }
    }
    drop(stream);
    let page = rig.get(&format!("/wall/{}", mine.id)).await.text().await.unwrap();
    let figures = page.split("Waiting now").nth(1).unwrap();
    assert!(figures[..figures.find("Longest").unwrap()].contains(">1<"), "the first look is right, too");
    assert_eq!(rig.get("/live/no-such-queue").await.status(), 404);
    assert_eq!(rig.get("/wall/no-such-queue").await.status(), 404);
    rig.stop().await;
}

#[tokio::test]
async fn forged_positions_are_ignored() {
    let rig = Rig::start().await;
    for forged in ["999-999", "-1", "x".repeat(4000).as_str(), "0-0"] {
        let request = rig.http.get(rig.url("/live/all")).header("last-event-id", forged);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        let mut stream = Stream { response, rest: String::new() };
        assert_eq!(stream.next().await.unwrap().0, "hello");
        assert_eq!(stream.next().await.unwrap().0, "view");
    }
    rig.stop().await;
}

#[tokio::test]
async fn a_client_that_never_reads_holds_up_nobody() {
    let rig = Rig::start().await;
    let mut deaf = Vec::new();
    for _ in 0..20 {
        let mut socket = TcpStream::connect(rig.address).await.unwrap();
        socket.write_all(b"GET /live/all HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        deaf.push(socket);
    }
    let name = rig.sim.directory().queues[0].name.clone();
    let mut stream = Stream::open(&rig, "all").await;
    for number in 0..200 {
        let ring = Ring::new(&rig.sim, &format!("72000000000000{number:05}"), 0, 0, now());
        rig.sim.send_event(ring.ringing()).await;
    }
    rig.queue("all calls are on the board", &name, |row| row["waiting"] == 200).await;
    loop {
        let (_, data) = stream.next().await.unwrap();
        if data.contains("\"waiting\":200") {
            break;
        }
    }
    drop(deaf);
    rig.stop().await;
}

#[tokio::test]
async fn streams_end_when_the_server_stops_and_it_stops_in_time() {
    let rig = Rig::start().await;
    let mut streams = Vec::new();
    for _ in 0..50 {
        let mut stream = Stream::open(&rig, "all").await;
        stream.next().await.unwrap();
        streams.push(stream);
    }
    rig.stop.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(20), rig.running).await;
    ended.expect("open streams do not hold the server up").unwrap().unwrap();
    for mut stream in streams {
        while stream.next().await.is_some() {}
    }
}

#[tokio::test]
async fn answers_carry_the_policy_and_foreign_names_are_refused() {
    let rig = Rig::start().await;
    let page = rig.get("/queues").await;
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(
        policy.contains("script-src 'self' 'wasm-unsafe-eval';") && policy.contains("frame-ancestors 'none'")
    );
    assert!(!policy.contains("unsafe-inline"));
    assert_eq!(page.headers()["x-content-type-options"], "nosniff");
    let body = page.text().await.unwrap();
    assert!(!body.contains(" style="), "the policy forbids style attributes");
    assert_eq!(
        body.matches("<script").count(),
        body.matches("<script type=").count(),
        "and scripts in the page"
    );
    for path in ["/queues", "/api/v1/queues", "/live/all"] {
        let rebound = rig.http.get(rig.url(path)).header("host", "rebound.example").send().await.unwrap();
        assert_eq!(rebound.status(), 421, "{path}");
    }
    assert_eq!(rig.get("/wall?rows=many").await.status(), 400);
    assert_eq!(rig.get("/no/such/page").await.status(), 404);
    let unknown = rig.get("/api/v1/nothing").await;
    assert_eq!(unknown.status(), 404);
    assert_eq!(unknown.headers()["content-type"], "application/problem+json");
    rig.stop().await;
}

#[tokio::test]
async fn addresses_that_are_no_text_are_not_there_like_any_other() {
    let rig = Rig::start().await;
    for (path, kind) in [
        ("/wall/%ff", "text/html"),
        ("/wall/nobody", "text/html"),
        ("/live/%ff", "application/problem+json"),
        ("/live/nobody", "application/problem+json"),
        ("/assets/", "application/problem+json"),
    ] {
        let answer = rig.get(path).await;
        assert_eq!(answer.status(), 404, "{path}");
        assert!(answer.headers()["content-type"].to_str().unwrap().starts_with(kind), "{path}");
        assert!(!answer.bytes().await.unwrap().is_empty(), "{path}");
    }
    rig.stop().await;
}
