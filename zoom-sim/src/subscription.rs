//! Who is connected: at most one socket for each event subscription.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use axum::extract::ws::Message;
use tokio::sync::{mpsc, watch};

/// Frames that may wait for one socket's writer. A burst of some seconds fits; a client that has
/// stopped reading makes later frames wait, and then be lost.
const FRAMES_WAITING: usize = 8192;
/// How long a frame waits for a place before it is lost.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the outside wants of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Order {
    /// A close frame with this code and reason, then the end.
    Close(u16, String),
    /// The end without a close frame.
    Cut,
}

/// The two ends of the queues of a connection that its own task keeps.
#[derive(Debug)]
pub(crate) struct Inbox {
    pub(crate) number: u64,
    pub(crate) frames: mpsc::Receiver<Message>,
    pub(crate) orders: mpsc::Receiver<Order>,
}

#[derive(Debug, Clone)]
struct Connection {
    number: u64,
    frames: mpsc::Sender<Message>,
    orders: mpsc::Sender<Order>,
}

/// The subscriptions and their connections.
#[derive(Debug)]
pub(crate) struct Subscriptions {
    connections: Mutex<BTreeMap<String, Option<Connection>>>,
    /// How many are connected.
    connected: watch::Sender<usize>,
    next_number: std::sync::atomic::AtomicU64,
}

impl Subscriptions {
    pub(crate) fn new(ids: impl IntoIterator<Item = String>) -> Self {
        Self {
            connections: Mutex::new(ids.into_iter().map(|id| (id, None)).collect()),
            connected: watch::Sender::new(0),
            next_number: std::sync::atomic::AtomicU64::new(1),
        }
    }

    pub(crate) fn knows(&self, id: &str) -> bool {
        self.lock().contains_key(id)
    }

    /// Takes the subscription over; an older connection is told to close.
    pub(crate) fn take_over(&self, id: &str, close_code: u16) -> Inbox {
        let number = self.next_number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let (frames, frames_inbox) = mpsc::channel(FRAMES_WAITING);
        let (orders, orders_inbox) = mpsc::channel(4);
        let old = self.lock().insert(id.to_owned(), Some(Connection { number, frames, orders })).flatten();
        if let Some(old) = old {
            // A full order queue means that the old one is closing already.
            let _ =
                old.orders.try_send(Order::Close(close_code, "replaced by a newer connection".to_owned()));
        }
        self.count();
        Inbox { number, frames: frames_inbox, orders: orders_inbox }
    }

    /// A connection has ended; a newer one in its place is not touched.
    pub(crate) fn leave(&self, id: &str, number: u64) {
        let mut connections = self.lock();
        if let Some(place) = connections.get_mut(id)
            && place.as_ref().is_some_and(|connection| connection.number == number)
        {
            *place = None;
        }
        drop(connections);
        self.count();
    }

    /// Hands a frame to every subscription; tells how many took it and how many have nobody there.
    pub(crate) async fn send(&self, frame: Message) -> (u64, u64) {
        let connections: Vec<_> = self.lock().values().cloned().collect();
        let (mut taken, mut lost) = (0, 0);
        for connection in connections {
            let sent = match connection {
                Some(connection) => connection.frames.send_timeout(frame.clone(), PATIENCE).await.is_ok(),
                None => false,
            };
            if sent {
                taken += 1;
            } else {
                lost += 1;
            }
        }
        (taken, lost)
    }

    /// The writers' queues of the connected subscriptions, for sending without a fault in between.
    pub(crate) fn writers(&self) -> Vec<mpsc::Sender<Message>> {
        self.lock().values().flatten().map(|connection| connection.frames.clone()).collect()
    }

    /// Gives every connection an order.
    pub(crate) fn order(&self, order: &Order) {
        for connection in self.lock().values().flatten() {
            let _ = connection.orders.try_send(order.clone());
        }
    }

    pub(crate) fn watch_connected(&self) -> watch::Receiver<usize> {
        self.connected.subscribe()
    }

    fn count(&self) {
        let count = self.lock().values().flatten().count();
        self.connected.send_replace(count);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Option<Connection>>> {
        self.connections.lock().expect("map operations cannot panic")
    }
}
