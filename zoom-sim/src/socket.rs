//! The event WebSocket: the upgrade, the first frame, heartbeats, events, and all the ways to end.

use std::sync::Arc;

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::SinkExt;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::select;
use tokio::sync::mpsc::Receiver;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tracing::debug;

use crate::sim::Shared;
use crate::subscription::{Inbox, Order};

/// Frames written before the socket is flushed.
const WRITTEN_AT_ONCE: usize = 256;
/// Answer to a heartbeat.
const LIVE: &str = r#"{"module":"heartbeat","success":true,"content":"live","header":{}}"#;

#[derive(Debug, Deserialize)]
pub(crate) struct Door {
    #[serde(rename = "subscriptionId")]
    subscription_id: Option<String>,
    access_token: Option<String>,
}

/// `GET /ws`: the upgrade succeeds even for a refused client, who learns it from the first frame.
pub(crate) async fn upgrade(
    State(shared): State<Arc<Shared>>,
    Query(door): Query<Door>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let refusal = shared.faults.next_socket_refusal();
    if let Some(refusal) = &refusal
        && refusal.status != 200
    {
        shared.counters.add(|counters| &counters.refused);
        let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        return (status, [("retry-after", "1")], refusal.text.clone()).into_response();
    }
    let admitted = match refusal {
        Some(refusal) => Err(refusal.text),
        None => admit(&shared, &door),
    };
    let alive = shared.tracker.token();
    upgrade
        .max_message_size(4 << 20)
        .write_buffer_size(256 << 10)
        .on_upgrade(move |socket| async move {
            serve(socket, &shared, admitted).await;
            drop(alive);
        })
        .into_response()
}

/// The subscription to serve and the end of the token, or the text of the refusal.
fn admit(shared: &Shared, door: &Door) -> Result<(String, Instant), String> {
    let until = door.access_token.as_deref().and_then(|token| shared.tokens.check(token).ok());
    let until = until.ok_or_else(|| shared.refusal_text.clone())?;
    match &door.subscription_id {
        Some(id) if shared.subscriptions.knows(id) => Ok((id.clone(), until)),
        _ => Err("Subscription is invalid".to_owned()),
    }
}

async fn serve(mut socket: WebSocket, shared: &Shared, admitted: Result<(String, Instant), String>) {
    let (subscription, until) = match admitted {
        Ok(admitted) => admitted,
        Err(text) => {
            shared.counters.add(|counters| &counters.refused);
            let frame = json!({ "module": "build_connection", "success": false, "content": text });
            if socket.send(Message::text(frame.to_string())).await.is_ok() {
                close(&mut socket, 1008, "refused").await;
            }
            return;
        }
    };
    let frame = json!({ "module": "build_connection", "success": true, "content": "connected" });
    if socket.send(Message::text(frame.to_string())).await.is_err() {
        return;
    }
    let mut inbox = shared.subscriptions.take_over(&subscription, shared.replaced_close_code);
    shared.counters.add(|counters| &counters.connections);
    let end = live(&mut socket, shared, &mut inbox, until).await;
    debug!(?end, "socket ends");
    shared.subscriptions.leave(&subscription, inbox.number);
    if let Some(Order::Close(code, reason)) = end {
        close(&mut socket, code, &reason).await;
    }
}

/// Serves until something ends it: tells how to take leave, if at all.
async fn live(socket: &mut WebSocket, shared: &Shared, inbox: &mut Inbox, until: Instant) -> Option<Order> {
    let mut half_open = shared.faults.watch_half_open();
    let Inbox { frames, orders, .. } = inbox;
    loop {
        let frozen = *half_open.borrow_and_update();
        select! {
            biased;
            () = shared.stop.cancelled() => return Some(Order::Close(1001, "going away".to_owned())),
            order = orders.recv() => return Some(order.unwrap_or(Order::Cut)),
            () = sleep_until(until), if shared.closes_at_expiry.is_some() => {
                let code = shared.closes_at_expiry.unwrap_or(1008);
                return Some(Order::Close(code, "token expired".to_owned()));
            }
            changed = half_open.changed() => if changed.is_err() { return None },
            () = flow(frozen, socket, shared, frames) => return None,
        }
    }
}

/// Serves the socket, or leaves it half open: then whatever is sent into it is gone.
async fn flow(frozen: bool, socket: &mut WebSocket, shared: &Shared, frames: &mut Receiver<Message>) {
    if frozen {
        while frames.recv().await.is_some() {}
    } else {
        pump(socket, shared, frames).await;
    }
}

/// Writes frames and answers heartbeats until the connection breaks.
async fn pump(socket: &mut WebSocket, shared: &Shared, frames: &mut Receiver<Message>) {
    let mut batch = Vec::with_capacity(WRITTEN_AT_ONCE);
    loop {
        select! {
            biased;
            received = socket.recv() => match received {
                Some(Ok(Message::Text(text))) if is_heartbeat(&text) => {
                    shared.counters.add(|counters| &counters.heartbeats);
                    if !shared.faults.heartbeats_muted() && socket.send(Message::text(LIVE)).await.is_err() {
                        return;
                    }
                }
                // The library has answered pings; other texts have no meaning to Zoom.
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            },
            count = frames.recv_many(&mut batch, WRITTEN_AT_ONCE) => {
                if count == 0 {
                    return;
                }
                for frame in batch.drain(..) {
                    if socket.feed(frame).await.is_err() {
                        return;
                    }
                }
                if socket.flush().await.is_err() {
                    return;
                }
            }
        }
    }
}

fn is_heartbeat(text: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok_and(|frame| frame["module"] == "heartbeat")
}

async fn close(socket: &mut WebSocket, code: u16, reason: &str) {
    let frame = CloseFrame { code, reason: reason.into() };
    let _ = socket.send(Message::Close(Some(frame))).await;
}

/// Waits until the number of connections satisfies a condition.
pub(crate) async fn wait_connected(mut connected: watch::Receiver<usize>, wanted: impl Fn(usize) -> bool) {
    // The sender lives as long as the simulator, which outlives this wait.
    let _ = connected.wait_for(|count| wanted(*count)).await;
}
