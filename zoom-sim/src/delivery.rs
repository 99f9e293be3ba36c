//! Takes events from the world, lets faults happen to them, and sends them on.

use std::sync::Arc;

use axum::extract::ws::{Message, Utf8Bytes};
use tokio::select;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use crate::fault::Fate;
use crate::sim::Shared;
use crate::webhook;

/// Events that may wait for the courier; the driver waits when it is full.
pub(crate) const PARCELS_WAITING: usize = 4096;

/// What became of an injected event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Handed to this many sockets.
    Sent(u64),
    /// No socket was connected: lost, as Zoom loses it. A webhook may have got it.
    NobodyConnected,
    /// A fault took it away.
    Dropped,
    /// A fault holds it back; it will be sent later.
    Delayed,
}

/// An event on its way.
#[derive(Debug)]
pub(crate) struct Parcel {
    pub(crate) json: String,
    pub(crate) tell: Option<oneshot::Sender<Delivery>>,
}

/// The envelope of an event: the whole body as text inside the frame.
pub(crate) fn envelope(json: &str) -> Utf8Bytes {
    let content = serde_json::to_string(json).expect("text always serialises");
    format!(r#"{{"module":"message","content":{content}}}"#).into()
}

/// Delivers until the simulator stops.
pub(crate) async fn run(shared: Arc<Shared>, mut parcels: mpsc::Receiver<Parcel>) {
    let mut late: Vec<(Instant, String)> = Vec::new();
    loop {
        let due = late.iter().map(|(at, _)| *at).min();
        select! {
            biased;
            () = shared.stop.cancelled() => return,
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                let now = Instant::now();
                let (ready, rest): (Vec<_>, Vec<_>) = late.into_iter().partition(|(at, _)| *at <= now);
                late = rest;
                for (_, json) in ready {
                    send(&shared, &json).await;
                }
            }
            parcel = parcels.recv() => {
                let Some(Parcel { json, tell }) = parcel else { return };
                shared.counters.add(|counters| &counters.events);
                let delivery = match shared.faults.fate() {
                    Fate::Drop => {
                        shared.counters.add(|counters| &counters.dropped);
                        Delivery::Dropped
                    }
                    Fate::Late(delay) => {
                        shared.counters.add(|counters| &counters.delayed);
                        late.push((Instant::now() + delay, json));
                        Delivery::Delayed
                    }
                    Fate::Twice => {
                        shared.counters.add(|counters| &counters.duplicated);
                        send(&shared, &json).await;
                        send(&shared, &json).await
                    }
                    Fate::Deliver => send(&shared, &json).await,
                };
                if let Some(tell) = tell {
                    // Whoever injected it may have stopped waiting.
                    let _ = tell.send(delivery);
                }
            }
        }
    }
}

async fn send(shared: &Arc<Shared>, json: &str) -> Delivery {
    webhook::deliver(shared, json);
    let (taken, lost) = shared.subscriptions.send(Message::Text(envelope(json))).await;
    for _ in 0..taken {
        shared.counters.add(|counters| &counters.frames);
    }
    for _ in 0..lost {
        shared.counters.add(|counters| &counters.lost);
    }
    if taken > 0 { Delivery::Sent(taken) } else { Delivery::NobodyConnected }
}
