//! The journal: what is acknowledged is on disk, and nothing is shown that is not.
//!
//! One task owns the database's writer. Whatever is queued when it is free becomes one commit;
//! after it, waiting webhooks are answered and new events go to the keeper in the journal's order.
//! [`Journal`] is the handle to that task; [`Replay`] reads the journal back.

mod keys;
mod replay;
pub(crate) mod segment;
mod shelf;
mod stats;
mod task;

use std::{sync::Arc, time::Duration};

use domain::{agent::presence::PresenceFact, board::Input, fact::Fact, time::Timestamp};
use tokio::{
    sync::{AcquireError, OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch},
    time::{Instant, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use self::{
    replay::Replay,
    segment::SegmentError,
    shelf::{Shelf, ShelfError},
    stats::{JournalStats, JournalStatus, KindStats},
};
pub use crate::store::Source;
use crate::{
    clock,
    store::{
        ArchiveOrder, DirectoryChange, GapOrder, HistoryBatch, NoteRow, RecordBatch, RequestCount,
        StoreError, StoredEvent, WalkOrder, Writer,
    },
    zoom::{
        self,
        wire::{Parsed, Reader, Unreadable},
    },
};

/// Orders that may wait for the writer: two full batches.
const QUEUE: usize = 2 * BATCH;
/// Orders that are written in one commit at most. Larger ones gain nothing more per event.
const BATCH: usize = 4_000;
/// Bytes of messages that may wait for the writer, so that a few thousand long ones do not fill the
/// memory.
const QUEUE_BYTES: usize = 64 << 20;
/// How long a webhook waits for its commit: Zoom gives up after 3 s.
const APPEND_TIMEOUT: Duration = Duration::from_secs(2);

/// From the first to the last of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    from: Timestamp,
    to: Timestamp,
}

impl Span {
    fn around(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(one), Some(other)) => {
                Some(Self { from: one.from.min(other.from), to: one.to.max(other.to) })
            }
            (one, other) => one.or(other),
        }
    }
}

/// A message on its way into the journal, read by whoever received it.
#[derive(Debug, Clone)]
pub struct Incoming {
    source: Source,
    received_at: Timestamp,
    message: Message,
}

#[derive(Debug, Clone)]
enum Message {
    Event { parsed: Box<Parsed>, text: Arc<str> },
    Unreadable { reason: Unreadable, bytes: Vec<u8>, byte_count: u64 },
}

/// The part of an unreadable message that is kept.
const KEPT_BYTES: usize = 64 << 10;

impl Incoming {
    /// Reads an event's own text.
    pub fn read(reader: &Reader, source: Source, received_at: Timestamp, text: &str) -> Self {
        match reader.read(text, received_at) {
            Ok(parsed) if source.is_news() && zoom::is_own_reading(&parsed.name) => {
                let reason = Unreadable::Ours { event: parsed.name };
                Self::unreadable(source, received_at, reason, text.as_bytes())
            }
            Ok(parsed) => {
                let message = Message::Event { parsed: Box::new(parsed), text: Arc::from(text) };
                Self { source, received_at, message }
            }
            Err(reason) => Self::unreadable(source, received_at, reason, text.as_bytes()),
        }
    }

    /// Something that could not be read even as a text, or not at all.
    pub fn unreadable(source: Source, received_at: Timestamp, reason: Unreadable, bytes: &[u8]) -> Self {
        let kept = bytes.get(..KEPT_BYTES).unwrap_or(bytes).to_vec();
        let message = Message::Unreadable { reason, bytes: kept, byte_count: bytes.len() as u64 };
        Self { source, received_at, message }
    }

    /// True when it goes into quarantine.
    pub fn is_unreadable(&self) -> bool {
        matches!(self.message, Message::Unreadable { .. })
    }

    /// The bytes it takes in the queue.
    pub fn byte_count(&self) -> usize {
        match &self.message {
            Message::Event { text, .. } => text.len(),
            Message::Unreadable { bytes, .. } => bytes.len(),
        }
    }
}

/// An event that is on disk, on its way to the keeper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journalled {
    /// Its place in the journal.
    pub event_id: i64,
    /// When it arrived.
    pub received_at: Timestamp,
    /// What it says about a call; `None` for events that are only kept.
    pub fact: Option<Fact>,
    /// What it says about a person.
    pub presence: Option<PresenceFact>,
}

impl Journalled {
    /// An event read back from the journal.
    pub(crate) fn read_back(reader: &Reader, stored: &StoredEvent) -> Self {
        let received_at = stored.received_at();
        let told = reader.read(&stored.raw, received_at).ok();
        let (fact, presence) = told.map(|told| (told.fact, told.presence)).unwrap_or_default();
        Self { event_id: stored.event_id, received_at, fact, presence }
    }
}

/// What events tell the board. They may be told apart by kind: their order makes no difference.
pub(crate) fn inputs(events: &mut [Journalled]) -> [Input; 2] {
    let presences = events.iter_mut().filter_map(|event| event.presence.take()).collect();
    let facts = events.iter_mut().filter_map(|event| event.fact.take()).collect();
    [Input::Presences(presences), Input::Facts(facts)]
}

/// What became of a message. All of them are durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    /// It is new.
    Journalled,
    /// It had been written before.
    Duplicate,
    /// It could not be understood and is in quarantine.
    Quarantined,
}

/// Why a message was not acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// It may be written yet; telling it again is harmless.
    #[error("commit within {} s", APPEND_TIMEOUT.as_secs())]
    TimedOut,
    /// The disk refused; see [`Journal::status`].
    #[error("write the journal")]
    Refused,
    /// The server is stopping.
    #[error("reach the journal, it has stopped")]
    Stopped,
}

/// The journal's task has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("reach the journal, it has stopped")]
pub struct JournalStopped;

impl From<AcquireError> for JournalStopped {
    fn from(_: AcquireError) -> Self {
        Self
    }
}

/// Handle to the journal's task. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Journal {
    orders: mpsc::Sender<Order>,
    bytes: Arc<Semaphore>,
    counters: Arc<stats::Counters>,
    status: watch::Receiver<JournalStatus>,
}

#[derive(Debug)]
enum Order {
    Event { incoming: Incoming, reply: Option<Reply>, bytes: OwnedSemaphorePermit },
    Gap(GapOrder),
    Pulse(Timestamp),
    Walk(WalkOrder),
    History(Arc<HistoryBatch>, oneshot::Sender<bool>),
    Records(Arc<RecordBatch>, oneshot::Sender<bool>),
    Note(NoteRow, oneshot::Sender<bool>),
    Archive(ArchiveOrder, oneshot::Sender<bool>),
    Requests(Vec<RequestCount>),
    Directory(DirectoryChange),
    Flush(oneshot::Sender<()>),
}

type Reply = oneshot::Sender<Result<Receipt, AppendError>>;

/// Room for one message of the socket.
#[derive(Debug)]
pub struct Slot<'a> {
    order: mpsc::Permit<'a, Order>,
    bytes: OwnedSemaphorePermit,
}

impl Slot<'_> {
    /// Queues the message; nobody waits for its commit.
    pub fn submit(self, incoming: Incoming) {
        self.order.send(Order::Event { incoming, reply: None, bytes: self.bytes });
    }
}

impl Journal {
    /// Starts the journal's task. New events go to `facts` after their commit; the task waits when
    /// that is full. When `stop` is cancelled it writes what is queued and ends: cancel it after
    /// everything that writes has ended.
    pub async fn start(
        mut writer: Writer,
        reader: Reader,
        facts: mpsc::Sender<Vec<Journalled>>,
        now: Timestamp,
        tracker: &TaskTracker,
        stop: CancellationToken,
    ) -> Result<Self, StoreError> {
        let recent = keys::RecentKeys::load(&mut writer, now).await?;
        let (orders, queue) = mpsc::channel(QUEUE);
        let (status, status_seen) = watch::channel(JournalStatus::Working);
        let counters = Arc::new(stats::Counters::default());
        let stop_checkpointing = stop.child_token();
        let checkpointing = tracker.spawn(writer.checkpointer().await?.run(stop_checkpointing.clone()));
        let ends = task::Ends { stop, checkpointing, stop_checkpointing };
        let counted = Arc::clone(&counters);
        let task = task::Task::new(writer, reader, recent, facts, counted, status, ends);
        tracker.spawn(task.run(queue));
        let bytes = Arc::new(Semaphore::new(QUEUE_BYTES));
        Ok(Self { orders, bytes, counters, status: status_seen })
    }

    /// Writes a message and waits until it is on disk, for at most 2 s.
    ///
    /// After [`AppendError::TimedOut`] it may be written nevertheless; when it is told again, it is
    /// a duplicate.
    pub async fn append(&self, incoming: Incoming) -> Result<Receipt, AppendError> {
        let deadline = Instant::now() + APPEND_TIMEOUT;
        let Ok(slot) = timeout_at(deadline, self.slot(incoming.byte_count())).await else {
            if incoming.source.is_news() {
                self.counters.turn_away(incoming.received_at);
            }
            return Err(AppendError::TimedOut);
        };
        let slot = slot.map_err(|_| AppendError::Stopped)?;
        let (reply, answer) = oneshot::channel();
        let is_news = incoming.source.is_news();
        slot.order.send(Order::Event { incoming, reply: Some(reply), bytes: slot.bytes });
        let receipt = match timeout_at(deadline, answer).await {
            Ok(answer) => answer.unwrap_or(Err(AppendError::Stopped)),
            Err(_) => Err(AppendError::TimedOut),
        };
        if !is_news && receipt == Ok(Receipt::Duplicate) {
            stats::Counters::add(&self.counters.read_again, 1);
        }
        receipt
    }

    /// Waits for room for a message of that many bytes. Cancel-safe.
    pub async fn slot(&self, byte_count: usize) -> Result<Slot<'_>, JournalStopped> {
        let bytes = Arc::clone(&self.bytes).acquire_many_owned(permits(byte_count)).await?;
        let order = self.orders.reserve().await.map_err(|_| JournalStopped)?;
        Ok(Slot { order, bytes })
    }

    /// Room for a message of that many bytes, if there is any now.
    pub fn try_slot(&self, byte_count: usize) -> Option<Slot<'_>> {
        let bytes = Arc::clone(&self.bytes).try_acquire_many_owned(permits(byte_count)).ok()?;
        Some(Slot { order: self.orders.try_reserve().ok()?, bytes })
    }

    /// Queues a message; waits only for room, not for its commit.
    pub async fn submit(&self, incoming: Incoming) -> Result<(), JournalStopped> {
        self.slot(incoming.byte_count()).await?.submit(incoming);
        Ok(())
    }

    /// Writes down that the feed is not provably alive since `from`; nothing while a gap is open.
    pub async fn open_gap(&self, from: Timestamp, cause: &'static str) -> Result<(), JournalStopped> {
        self.order(Order::Gap(GapOrder::Open { from, cause })).await
    }

    /// Writes down that the feed is alive again at `to`, if a gap is open.
    pub async fn close_gap(&self, to: Timestamp) -> Result<(), JournalStopped> {
        self.order(Order::Gap(GapOrder::Close { to })).await
    }

    /// Writes down a gap that is over when it is found.
    pub async fn past_gap(
        &self,
        from: Timestamp,
        to: Timestamp,
        cause: &'static str,
    ) -> Result<(), JournalStopped> {
        self.order(Order::Gap(GapOrder::Past { from, to, cause })).await
    }

    /// Writes down that the records of a gap have been read.
    pub async fn gap_repaired(&self, gap_id: i64, at: Timestamp) -> Result<(), JournalStopped> {
        self.order(Order::Gap(GapOrder::Repaired { gap_id, at })).await
    }

    /// Writes down that the records of a repaired gap have been read once more.
    pub async fn gap_read_again(&self, gap_id: i64, at: Timestamp) -> Result<(), JournalStopped> {
        self.order(Order::Gap(GapOrder::ReadAgain { gap_id, at })).await
    }

    /// Writes down a proof of life of the feed.
    pub async fn pulse(&self, heard_at: Timestamp) -> Result<(), JournalStopped> {
        self.order(Order::Pulse(heard_at)).await
    }

    /// Like [`Journal::pulse`], but gives up instead of waiting for room.
    pub fn try_pulse(&self, heard_at: Timestamp) -> bool {
        self.orders.try_send(Order::Pulse(heard_at)).is_ok()
    }

    /// Queues what calls did in queues; `None` when there is no room now. The answer tells whether it was
    /// written.
    pub(crate) fn try_write_history(&self, batch: Arc<HistoryBatch>) -> Option<oneshot::Receiver<bool>> {
        let (done, wait) = oneshot::channel();
        self.orders.try_send(Order::History(batch, done)).ok().map(|()| wait)
    }

    /// Queues what the board goes by; `None` when there is no room now. The answer tells whether it was
    /// written.
    pub(crate) fn try_write_note(&self, note: NoteRow) -> Option<oneshot::Receiver<bool>> {
        let (done, wait) = oneshot::channel();
        self.orders.try_send(Order::Note(note, done)).ok().map(|()| wait)
    }

    /// Writes what becomes of what is old; tells whether it is on disk.
    pub(crate) async fn archive(&self, order: ArchiveOrder) -> Result<bool, JournalStopped> {
        let (done, wait) = oneshot::channel();
        self.order(Order::Archive(order, done)).await?;
        wait.await.map_err(|_| JournalStopped)
    }

    /// Writes down how many REST requests went out.
    pub async fn count_requests(&self, counts: Vec<RequestCount>) -> Result<(), JournalStopped> {
        self.order(Order::Requests(counts)).await
    }

    /// Writes records as rows; tells whether they are on disk.
    pub(crate) async fn write_records(&self, batch: Arc<RecordBatch>) -> Result<bool, JournalStopped> {
        let (done, wait) = oneshot::channel();
        self.order(Order::Records(batch, done)).await?;
        wait.await.map_err(|_| JournalStopped)
    }

    /// Writes down how the walk through the record goes.
    pub(crate) async fn walk(&self, order: WalkOrder) -> Result<(), JournalStopped> {
        self.order(Order::Walk(order)).await
    }

    /// Writes down what was read of things of one kind; those without a text are forgotten.
    pub async fn remember(
        &self,
        kind: &'static str,
        texts: Vec<(String, Option<String>)>,
    ) -> Result<(), JournalStopped> {
        self.order(Order::Directory(DirectoryChange { kind, texts })).await
    }

    /// Waits until everything queued before is written or refused.
    pub async fn flush(&self) -> Result<(), JournalStopped> {
        let (done, wait) = oneshot::channel();
        self.order(Order::Flush(done)).await?;
        wait.await.map_err(|_| JournalStopped)
    }

    async fn order(&self, order: Order) -> Result<(), JournalStopped> {
        self.orders.send(order).await.map_err(|_| JournalStopped)
    }

    /// What was counted since the start.
    pub fn stats(&self) -> JournalStats {
        self.counters.read(QUEUE - self.orders.capacity(), clock::now())
    }

    /// New events since the start, by their names.
    pub fn kinds(&self) -> Vec<KindStats> {
        self.counters.kinds()
    }

    /// True when the journal's task has ended.
    pub fn has_ended(&self) -> bool {
        self.orders.is_closed()
    }

    /// Whether writing works.
    pub fn status(&self) -> watch::Receiver<JournalStatus> {
        self.status.clone()
    }
}

/// The share of [`QUEUE_BYTES`] that a message takes.
fn permits(byte_count: usize) -> u32 {
    u32::try_from(byte_count.min(QUEUE_BYTES)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
