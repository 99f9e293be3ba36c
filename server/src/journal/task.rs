//! The task that owns the writer: collects what is queued, commits, answers, passes on.

use std::{error::Error, mem, sync::Arc, time::Duration};

use domain::{agent::presence::PresenceFact, fact::Fact, time::Timestamp};
use tokio::{
    select,
    sync::{OwnedSemaphorePermit, mpsc, oneshot, watch},
    task::JoinHandle,
    time::{Instant, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    AppendError, BATCH, Incoming, JournalStatus, Journalled, Message, Order, Receipt, Reply, Source, Span,
    keys::{KeySet, RecentKeys},
    stats::Counters,
};
use crate::{
    clock,
    store::{ArchiveOrder, Batch, Committed, EventRow, GapOrder, QuarantineRow, StoreError, Writer},
    telemetry,
    zoom::{
        key::EventKey,
        wire::{Parsed, Reader},
    },
};

/// How long after a failed commit what is owed is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(1);
/// Where so many orders wait already, they come by the thousand: then a few milliseconds more of them spare a
/// commit, and what every commit costs.
const CROWD: usize = 500;
/// How long more of them are awaited.
const LINGER: Duration = Duration::from_millis(10);
/// Gap orders that are kept while the disk refuses; a feed that flaps for hours makes no more.
const KEPT_GAPS: usize = 1_000;

pub(super) struct Task {
    writer: Writer,
    reader: Reader,
    recent: RecentKeys,
    facts: mpsc::Sender<Vec<Journalled>>,
    counters: Arc<Counters>,
    status: watch::Sender<JournalStatus>,
    ends: Ends,
    /// A commit failed and the writer has not been opened anew since.
    broken: bool,
    /// Orders of failed batches that are still true.
    owed: Owed,
    /// While events are owed, nothing is tried before.
    try_again_at: Instant,
}

/// What ends the task, and what has to end before its writer does.
pub(super) struct Ends {
    /// When cancelled, nobody may be left to take events.
    pub(super) stop: CancellationToken,
    /// Folds the log.
    pub(super) checkpointing: JoinHandle<()>,
    pub(super) stop_checkpointing: CancellationToken,
}

#[derive(Debug, Default)]
struct Owed {
    gaps: Vec<GapOrder>,
    pulse: Option<Timestamp>,
    /// Arrival of events that will not be written.
    lost: Option<Span>,
    /// Events that the disk did not take, to be written when it does. Zoom repeats none that came over
    /// the socket, and a webhook only minutes later.
    events: Vec<(EventRow, Understood)>,
    quarantined: Vec<QuarantineRow>,
    /// The room that these take, so that a disk that never recovers does not fill the memory.
    room: Option<OwnedSemaphorePermit>,
}

impl Owed {
    fn has_messages(&self) -> bool {
        !self.events.is_empty() || !self.quarantined.is_empty()
    }
}

/// What is written together, and who waits for it.
#[derive(Default)]
struct Collected {
    batch: Batch,
    /// What each event in `batch.events` says, in the same order.
    understood: Vec<Understood>,
    in_batch: KeySet,
    waiting: Vec<(Waiting, Reply)>,
    flushes: Vec<oneshot::Sender<()>>,
    /// What becomes of what is old, each in a commit of its own: no event waits for it, or is lost with it.
    archive: Vec<(ArchiveOrder, oneshot::Sender<bool>)>,
    /// Who waits for the history, the notes and the records in the batch.
    histories: Vec<oneshot::Sender<bool>>,
    /// The room that all of them take.
    room: Option<OwnedSemaphorePermit>,
    duplicates: usize,
    quarantined: usize,
}

enum Waiting {
    /// For the event of that index in the batch.
    New(usize),
    Duplicate,
    Quarantined,
}

#[derive(Debug)]
struct Understood {
    name: Arc<str>,
    key: EventKey,
    received_at: Timestamp,
    sent_at: Option<Timestamp>,
    /// It came by itself; a record that was asked for says nothing about the feed.
    is_news: bool,
    fact: Option<Fact>,
    presence: Option<PresenceFact>,
    foreign: bool,
}

impl Task {
    pub(super) fn new(
        writer: Writer,
        reader: Reader,
        recent: RecentKeys,
        facts: mpsc::Sender<Vec<Journalled>>,
        counters: Arc<Counters>,
        status: watch::Sender<JournalStatus>,
        ends: Ends,
    ) -> Self {
        let (broken, owed, try_again_at) = (false, Owed::default(), Instant::now());
        Self { writer, reader, recent, facts, counters, status, ends, broken, owed, try_again_at }
    }

    pub(super) async fn run(mut self, mut queue: mpsc::Receiver<Order>) {
        let mut orders = Vec::with_capacity(BATCH);
        let mut stopping = false;
        loop {
            let owes = self.owed.has_messages();
            let may_write = stopping || !owes || Instant::now() >= self.try_again_at;
            let is_open = select! { biased;
                _ = self.ends.stop.cancelled(), if !stopping => {
                    stopping = true;
                    queue.close();
                    continue;
                }
                count = queue.recv_many(&mut orders, BATCH), if may_write => count > 0,
                () = sleep_until(self.try_again_at), if owes => {
                    // Whoever came meanwhile must not wait for another turn.
                    take_waiting(&mut queue, &mut orders);
                    true
                }
            };
            if !is_open {
                break;
            }
            if (CROWD..BATCH).contains(&orders.len()) {
                sleep(LINGER).await;
                take_waiting(&mut queue, &mut orders);
            }
            self.write(&mut orders).await;
        }
        self.end().await;
    }

    async fn end(mut self) {
        if self.owed.has_messages() {
            self.write(&mut Vec::new()).await;
        }
        let lost = self.owed.events.len();
        if lost > 0 {
            tracing::error!(lost, "the journal ends without events that the disk did not take");
        }
        self.ends.stop_checkpointing.cancel();
        // It may also have ended by itself: a runtime that shuts down ends it.
        let _ = self.ends.checkpointing.await;
        if let Err(error) = self.writer.close().await {
            tracing::warn!(
                error = telemetry::chain(&error),
                "the database was not closed cleanly; its log is read at the next start"
            );
        }
    }

    /// Writes what is owed and `orders`, which it empties.
    async fn write(&mut self, orders: &mut Vec<Order>) {
        let count = orders.len();
        let owed = mem::take(&mut self.owed);
        let mut collected = Collected::of(owed.events, owed.quarantined, owed.room);
        self.collect(&mut collected, orders);
        collected.batch.gaps.splice(0..0, owed.gaps);
        collected.batch.pulse = collected.batch.pulse.or(owed.pulse);
        let lost = Span::around(owed.lost, self.counters.take_turned_away());
        let gaps = collected.batch.gaps.clone();
        let cause = "the disk refused events";
        collected.batch.gaps.extend(lost.map(|Span { from, to }| GapOrder::Past { from, to, cause }));
        if collected.batch.is_empty() {
            let archive = mem::take(&mut collected.archive);
            self.answer(collected, None).await;
            self.archive(archive).await;
            return;
        }
        let archive = mem::take(&mut collected.archive);
        let began = Instant::now();
        match self.commit(&collected.batch).await {
            Ok(committed) => {
                self.counters.committed(count, began.elapsed());
                self.recovered();
                self.answer(collected, Some(committed)).await;
            }
            Err(error) => {
                self.owed = Owed { gaps, pulse: collected.batch.pulse, lost, ..Owed::default() };
                self.failed(&error, collected);
            }
        }
        self.archive(archive).await;
    }

    async fn archive(&mut self, orders: Vec<(ArchiveOrder, oneshot::Sender<bool>)>) {
        for (order, done) in orders {
            let batch = Batch { archive: vec![order], ..Batch::default() };
            // After a commit that failed, events come first.
            let outcome = if self.broken { None } else { Some(self.commit(&batch).await) };
            if let Some(Err(error)) = &outcome {
                self.broken = true;
                tracing::warn!(error = telemetry::chain(error), "failed to write the archive");
            }
            let _ = done.send(matches!(outcome, Some(Ok(_))));
        }
    }

    async fn commit(&mut self, batch: &Batch) -> Result<Committed, StoreError> {
        if self.broken {
            self.reopen().await?;
        }
        self.writer.commit(batch).await
    }

    /// Finds out what became of a failed commit: an error of the disk does not prove that nothing
    /// was written. Events that were must reach the keeper, because their repetition will not.
    async fn reopen(&mut self) -> Result<(), StoreError> {
        let unknown = self.writer.reopen().await?;
        self.broken = false;
        let events: Vec<_> = unknown
            .into_iter()
            .map(|event| {
                let received_at = event.received_at();
                if let Ok(Parsed { key, .. }) = self.reader.read(&event.raw, received_at) {
                    self.recent.insert(key, received_at);
                }
                Journalled::read_back(&self.reader, &event)
            })
            .collect();
        self.pass_on(events).await;
        Ok(())
    }

    fn collect(&self, collected: &mut Collected, orders: &mut Vec<Order>) {
        collected.batch.events.reserve(orders.len());
        collected.understood.reserve(orders.len());
        collected.in_batch.reserve(orders.len());
        for order in orders.drain(..) {
            match order {
                Order::Event { incoming, reply, bytes } => {
                    match &mut collected.room {
                        Some(room) => room.merge(bytes),
                        None => collected.room = Some(bytes),
                    }
                    self.collect_event(collected, incoming, reply);
                }
                Order::Gap(gap) => collected.batch.gaps.push(gap),
                Order::Pulse(heard_at) => collected.batch.pulse = collected.batch.pulse.max(Some(heard_at)),
                Order::History(history, done) => {
                    collected.batch.history.push(history);
                    collected.histories.push(done);
                }
                Order::Directory(change) => collected.batch.directory.push(change),
                Order::Note(note, done) => {
                    collected.batch.notes.push(note);
                    collected.histories.push(done);
                }
                Order::Archive(order, done) => {
                    collected.archive.push((order, done));
                }
                Order::Requests(counts) => collected.batch.requests.extend(counts),
                Order::Records(records, done) => {
                    collected.batch.records.push(records);
                    collected.histories.push(done);
                }
                Order::Walk(order) => collected.batch.walk.push(order),
                Order::Flush(done) => collected.flushes.push(done),
            }
        }
    }

    fn collect_event(&self, collected: &mut Collected, incoming: Incoming, reply: Option<Reply>) {
        let Incoming { source, received_at, message } = incoming;
        let is_news = source.is_news();
        let waiting = match message {
            Message::Event { parsed, text } => {
                if self.recent.contains(&parsed.key) {
                    // The first one is on disk already: nothing to wait for. Who is told so finds it counted.
                    Counters::add(&self.counters.duplicates, 1);
                    if let Some(reply) = reply {
                        let _ = reply.send(Ok(Receipt::Duplicate));
                    }
                    return;
                }
                if !collected.in_batch.insert(parsed.key) {
                    collected.duplicates += 1;
                    Waiting::Duplicate
                } else {
                    let Parsed { name, call_id, key, sent_at, fact, presence, foreign } = *parsed;
                    let row = EventRow {
                        key: *key.as_bytes(),
                        received_at,
                        source,
                        name: Arc::clone(&name),
                        call_id,
                        raw: text,
                    };
                    collected.batch.events.push(row);
                    collected.understood.push(Understood {
                        name,
                        key,
                        received_at,
                        sent_at,
                        is_news,
                        fact,
                        presence,
                        foreign,
                    });
                    Waiting::New(collected.understood.len() - 1)
                }
            }
            Message::Unreadable { reason, bytes, byte_count } => {
                let reason = reason.to_string();
                collected.quarantined += 1;
                collected.batch.quarantined.push(QuarantineRow {
                    received_at,
                    source,
                    reason,
                    byte_count,
                    raw: bytes,
                });
                Waiting::Quarantined
            }
        };
        collected.waiting.extend(reply.map(|reply| (waiting, reply)));
    }

    /// Counts, answers and passes on what was written.
    async fn answer(&mut self, collected: Collected, committed: Option<Committed>) {
        let Collected { understood, waiting, flushes, histories, duplicates, quarantined, .. } = collected;
        let (first_event_id, refused) =
            committed.map(|committed| (committed.first_event_id, committed.refused)).unwrap_or_default();
        let is_refused = |index: usize| {
            !refused.is_empty() && refused.contains(&(first_event_id + i64::try_from(index).unwrap_or(0)))
        };
        let counters = &self.counters;
        Counters::add(&counters.duplicates, duplicates + refused.len());
        Counters::add(&counters.quarantined, quarantined);
        for done in histories {
            let _ = done.send(true);
        }
        for (waiting, reply) in waiting {
            let receipt = match waiting {
                Waiting::New(index) if !is_refused(index) => Receipt::Journalled,
                Waiting::New(_) | Waiting::Duplicate => Receipt::Duplicate,
                Waiting::Quarantined => Receipt::Quarantined,
            };
            // Who no longer waits has been told to try again.
            let _ = reply.send(Ok(receipt));
        }
        let is_news = |(index, event): &(usize, &Understood)| event.is_news && !is_refused(*index);
        let news = understood.iter().enumerate().filter(is_news);
        counters.count_kinds(news.map(|(_, event)| (&event.name, event.received_at)));
        let mut events = Vec::with_capacity(understood.len());
        for (index, (event_id, event)) in (first_event_id..).zip(understood).enumerate() {
            self.recent.insert(event.key, event.received_at);
            if is_refused(index) {
                continue;
            }
            Counters::add(&counters.facts, usize::from(event.fact.is_some()));
            // What was asked for and is about no call is nothing that happened.
            Counters::add(&counters.journalled, usize::from(event.is_news || event.fact.is_some()));
            Counters::add(&counters.foreign_account, usize::from(event.foreign));
            if event.is_news {
                counters.heard(event.received_at, event.sent_at);
            }
            let Understood { received_at, fact, presence, .. } = event;
            events.push(Journalled { event_id, received_at, fact, presence });
        }
        self.pass_on(events).await;
        for done in flushes {
            let _ = done.send(());
        }
    }

    async fn pass_on(&self, events: Vec<Journalled>) {
        if events.is_empty() {
            return;
        }
        // The keeper ends before the journal; its state is rebuilt from here.
        select! { biased;
            _ = self.facts.send(events) => {}
            () = self.ends.stop.cancelled() => tracing::debug!("nobody listens to the journal any more"),
        }
    }

    fn recovered(&self) {
        let was_failing = self.status.send_replace(JournalStatus::Working) != JournalStatus::Working;
        if was_failing {
            tracing::info!("the journal is written again");
        }
    }

    /// Nothing of the batch may be acknowledged. What came by itself is kept for the next attempt, unless
    /// the database will never take it.
    fn failed(&mut self, error: &StoreError, collected: Collected) {
        self.broken = true;
        self.owed.gaps.truncate(KEPT_GAPS);
        let Collected { batch, understood, waiting, flushes, histories, room, .. } = collected;
        for (_, reply) in waiting {
            let _ = reply.send(Err(AppendError::Refused));
        }
        let events = batch.events.into_iter().zip(understood).filter(|(_, event)| event.is_news).collect();
        let quarantined = batch.quarantined.into_iter().filter(|row| row.source.is_news()).collect();
        if error.may_pass() {
            self.keep(events, quarantined, room);
        } else {
            self.lose(&events, &quarantined);
        }
        for done in histories {
            let _ = done.send(false);
        }
        for done in flushes {
            let _ = done.send(());
        }
        let since = match &*self.status.borrow() {
            JournalStatus::Failing { since, .. } => *since,
            JournalStatus::Working => {
                tracing::error!(
                    error = telemetry::chain(error),
                    "the journal cannot be written; webhooks are answered 503"
                );
                clock::now()
            }
        };
        self.status.send_replace(JournalStatus::Failing {
            since,
            problem: format!(
                "The database cannot be written ({}); {}.",
                error.source().map_or_else(|| format!("cannot {error}"), ToString::to_string),
                error.next_step(),
            ),
        });
    }

    fn keep(
        &mut self,
        events: Vec<(EventRow, Understood)>,
        quarantined: Vec<QuarantineRow>,
        room: Option<OwnedSemaphorePermit>,
    ) {
        let texts = events.iter().map(|(row, _)| row.raw.len());
        let taken = texts.chain(quarantined.iter().map(|row| row.raw.len())).sum();
        let room = room.and_then(|mut room| room.split(taken));
        self.owed = Owed { events, quarantined, room, ..mem::take(&mut self.owed) };
        self.try_again_at = Instant::now() + TRY_AGAIN;
    }

    fn lose(&mut self, events: &[(EventRow, Understood)], quarantined: &[QuarantineRow]) {
        let arrivals = events.iter().map(|(row, _)| (row.source, row.received_at));
        let arrivals = arrivals.chain(quarantined.iter().map(|row| (row.source, row.received_at)));
        for (source, at) in arrivals {
            Counters::add(&self.counters.lost, usize::from(source == Source::Socket));
            self.owed.lost = Span::around(self.owed.lost, Some(Span { from: at, to: at }));
        }
    }
}

/// Takes what waits by now, as far as it fits in a batch.
fn take_waiting(queue: &mut mpsc::Receiver<Order>, orders: &mut Vec<Order>) {
    while orders.len() < BATCH
        && let Ok(order) = queue.try_recv()
    {
        orders.push(order);
    }
}

impl Collected {
    /// With what is owed from before.
    fn of(
        events: Vec<(EventRow, Understood)>,
        quarantined: Vec<QuarantineRow>,
        room: Option<OwnedSemaphorePermit>,
    ) -> Self {
        let mut collected = Self { room, quarantined: quarantined.len(), ..Self::default() };
        collected.batch.quarantined = quarantined;
        for (row, event) in events {
            collected.in_batch.insert(event.key);
            collected.batch.events.push(row);
            collected.understood.push(event);
        }
        collected
    }
}
