//! A plain client of the pretend Zoom, with a deadline on everything.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use zoom_sim::Sim;

/// Nothing in these tests takes longer unless it hangs.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) fn http() -> reqwest::Client {
    // Several tests install it; the first one wins.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// A token request with these form fields; the status and the body.
pub(crate) async fn ask_token(sim: &Sim, client: (&str, &str), fields: &[(&str, &str)]) -> (u16, Value) {
    let request = http().post(sim.oauth_url()).basic_auth(client.0, Some(client.1)).form(fields);
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

/// A good token.
pub(crate) async fn token(sim: &Sim) -> String {
    let credentials = sim.credentials().clone();
    let fields = [("grant_type", "account_credentials"), ("account_id", &*credentials.account_id)];
    let (status, body) = ask_token(sim, (&credentials.client_id, &credentials.client_secret), &fields).await;
    assert_eq!(status, 200, "{body}");
    body["access_token"].as_str().unwrap().to_owned()
}

/// A REST read with a fresh token; the status, the headers and the body.
pub(crate) async fn get(sim: &Sim, path: &str) -> (u16, reqwest::header::HeaderMap, Value) {
    get_with(sim, &token(sim).await, path).await
}

pub(crate) async fn get_with(sim: &Sim, token: &str, path: &str) -> (u16, reqwest::header::HeaderMap, Value) {
    let response = http().get(format!("{}{path}", sim.api_url())).bearer_auth(token).send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    (status, headers, serde_json::from_str(&text).unwrap_or(Value::Null))
}

/// A control request.
pub(crate) async fn control(sim: &Sim, path: &str, body: Value) -> (u16, Value) {
    let response = http().post(format!("{}/sim/{path}", sim.base_url())).json(&body).send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.json().await.unwrap_or(Value::Null))
}

/// An event socket.
pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Connects with a fresh token and reads the first frame, which must be a success.
    pub(crate) async fn connect(sim: &Sim) -> Self {
        let (mut socket, first) =
            Self::open(sim, &sim.credentials().subscription_id, &token(sim).await).await;
        assert_eq!(first["module"], "build_connection");
        assert_eq!(first["success"], true, "{first}");
        // The frame is sent just before the subscription is taken over.
        while sim.connected() == 0 {
            socket.heartbeat().await;
        }
        socket
    }

    /// Connects with this subscription and token; the first frame may be a refusal.
    pub(crate) async fn open(sim: &Sim, subscription: &str, token: &str) -> (Self, Value) {
        let url = format!("{}?subscriptionId={subscription}&access_token={token}", sim.ws_url());
        let (stream, _) = timeout(DEADLINE, connect_async(url)).await.unwrap().unwrap();
        let mut socket = Self(stream);
        let first = socket.json().await;
        (socket, first)
    }

    pub(crate) async fn message(&mut self) -> Option<Result<Message, Error>> {
        timeout(DEADLINE, self.0.next()).await.expect("no frame within the deadline")
    }

    /// Whether nothing arrives for this long.
    pub(crate) async fn is_silent_for(&mut self, length: Duration) -> bool {
        timeout(length, self.0.next()).await.is_err()
    }

    pub(crate) async fn json(&mut self) -> Value {
        match self.message().await {
            Some(Ok(Message::Text(text))) => serde_json::from_str(&text).unwrap(),
            other => panic!("expected a text frame, got {other:?}"),
        }
    }

    /// The next event, taken out of its envelope.
    pub(crate) async fn event(&mut self) -> Value {
        let frame = self.json().await;
        assert_eq!(frame["module"], "message", "{frame}");
        serde_json::from_str(frame["content"].as_str().expect("content is text")).unwrap()
    }

    /// The close code that ends the socket; none when it just breaks off. Frames before it are skipped.
    pub(crate) async fn close_code(&mut self) -> Option<u16> {
        loop {
            match self.message().await {
                Some(Ok(Message::Close(frame))) => {
                    return frame.map(|frame| u16::from(CloseCode::from(u16::from(frame.code))));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    /// Sends a heartbeat and waits for its answer.
    pub(crate) async fn heartbeat(&mut self) {
        self.send(r#"{"module":"heartbeat"}"#).await;
        let answer = self.json().await;
        assert_eq!(answer, json!({"module": "heartbeat", "success": true, "content": "live", "header": {}}));
    }
}

/// An event that can be told from others.
pub(crate) fn numbered(number: u64) -> Value {
    json!({
        "event": "phone.callee_ringing",
        "event_ts": 1_785_000_000_000_u64 + number,
        "payload": { "account_id": "a", "object": { "call_id": format!("7{number:018}") } },
    })
}
