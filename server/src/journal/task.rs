//! The task that owns the writer: collects what is queued, commits, answers, passes on.

use std::{error::Error, mem, sync::Arc};

use domain::{agent::presence::PresenceFact, fact::Fact, time::Timestamp};
use tokio::{
    select,
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::{
    AppendError, BATCH, Incoming, JournalStatus, Journalled, Message, Order, Receipt, Reply, Source,
    keys::{KeySet, RecentKeys},
    stats::Counters,
};
use crate::{
    clock,
    store::{Batch, Committed, EventRow, GapOrder, QuarantineRow, StoreError, Writer},
    telemetry,
    zoom::{
        key::EventKey,
        wire::{Parsed, Reader},
    },
};

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
    /// First and last arrival of events that could not be written.
    lost: Option<(Timestamp, Timestamp)>,
}

/// What is written together, and who waits for it.
#[derive(Default)]
struct Collected {
    batch: Batch,
    /// Of each event in `batch.events`, in the same order.
    told: Vec<Told>,
    in_batch: KeySet,
    waiting: Vec<(Waiting, Reply)>,
    flushes: Vec<oneshot::Sender<()>>,
    /// Who waits for the history and the records in the batch.
    histories: Vec<oneshot::Sender<bool>>,
    /// Messages nobody waits for.
    unanswered: Vec<Timestamp>,
    duplicates: usize,
    quarantined: usize,
}

enum Waiting {
    /// For the event of that index in the batch.
    New(usize),
    Duplicate,
    Quarantined,
}

struct Told {
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
        let (broken, owed) = (false, Owed::default());
        Self { writer, reader, recent, facts, counters, status, ends, broken, owed }
    }

    pub(super) async fn run(mut self, mut queue: mpsc::Receiver<Order>) {
        let mut orders = Vec::with_capacity(BATCH);
        let mut stopping = false;
        loop {
            let count = select! { biased;
                _ = self.ends.stop.cancelled(), if !stopping => {
                    stopping = true;
                    queue.close();
                    continue;
                }
                count = queue.recv_many(&mut orders, BATCH) => count,
            };
            if count == 0 {
                break;
            }
            self.write(&mut orders).await;
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

    /// Writes and empties `orders`.
    async fn write(&mut self, orders: &mut Vec<Order>) {
        let count = orders.len();
        let mut collected = self.collect(orders);
        let owed = mem::take(&mut self.owed);
        collected.batch.gaps.splice(0..0, owed.gaps);
        collected.batch.pulse = collected.batch.pulse.or(owed.pulse);
        let kept = Owed { gaps: collected.batch.gaps.clone(), pulse: collected.batch.pulse, lost: owed.lost };
        let cause = "the disk refused events";
        let lost = owed.lost.map(|(from, to)| GapOrder::Past { from, to, cause });
        collected.batch.gaps.extend(lost);
        if collected.batch.is_empty() {
            self.answer(collected, None).await;
            return;
        }
        let began = Instant::now();
        let outcome = self.commit(mem::take(&mut collected.batch)).await;
        match outcome {
            Ok(first_and_refused) => {
                self.counters.committed(count, began.elapsed());
                self.recovered();
                self.answer(collected, Some(first_and_refused)).await;
            }
            Err(error) => {
                self.owed = kept;
                self.failed(&error, collected);
            }
        }
    }

    async fn commit(&mut self, batch: Batch) -> Result<Committed, StoreError> {
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

    fn collect(&self, orders: &mut Vec<Order>) -> Collected {
        let mut collected = Collected::default();
        collected.batch.events.reserve(orders.len());
        collected.told.reserve(orders.len());
        collected.in_batch.reserve(orders.len());
        for order in orders.drain(..) {
            match order {
                Order::Event { incoming, reply, .. } => self.collect_event(&mut collected, incoming, reply),
                Order::Gap(gap) => collected.batch.gaps.push(gap),
                Order::Pulse(heard_at) => collected.batch.pulse = collected.batch.pulse.max(Some(heard_at)),
                Order::History(history, done) => {
                    collected.batch.history.push(history);
                    collected.histories.push(done);
                }
                Order::Directory(change) => collected.batch.directory.push(change),
                Order::Requests(counts) => collected.batch.requests.extend(counts),
                Order::Records(records, done) => {
                    collected.batch.records.push(records);
                    collected.histories.push(done);
                }
                Order::Walk(order) => collected.batch.walk.push(order),
                Order::Flush(done) => collected.flushes.push(done),
            }
        }
        collected
    }

    fn collect_event(&self, collected: &mut Collected, incoming: Incoming, reply: Option<Reply>) {
        let Incoming { source, received_at, message } = incoming;
        let is_news = source != Source::Rest;
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
                    collected.told.push(Told {
                        name,
                        key,
                        received_at,
                        sent_at,
                        is_news,
                        fact,
                        presence,
                        foreign,
                    });
                    Waiting::New(collected.told.len() - 1)
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
        match reply {
            Some(reply) => collected.waiting.push((waiting, reply)),
            None if !matches!(waiting, Waiting::Duplicate) => collected.unanswered.push(received_at),
            None => {}
        }
    }

    /// Counts, answers and passes on what was written.
    async fn answer(&mut self, collected: Collected, committed: Option<Committed>) {
        let Collected { told, waiting, flushes, histories, duplicates, quarantined, .. } = collected;
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
        let is_news = |(index, told): &(usize, &Told)| told.is_news && !is_refused(*index);
        let news = told.iter().enumerate().filter(is_news);
        counters.count_kinds(news.map(|(_, told)| (&told.name, told.received_at)));
        let mut events = Vec::with_capacity(told.len());
        for (index, (event_id, told)) in (first_event_id..).zip(told).enumerate() {
            self.recent.insert(told.key, told.received_at);
            if is_refused(index) {
                continue;
            }
            Counters::add(&counters.facts, usize::from(told.fact.is_some()));
            // What was asked for and is about no call is nothing that happened.
            Counters::add(&counters.journalled, usize::from(told.is_news || told.fact.is_some()));
            Counters::add(&counters.foreign_account, usize::from(told.foreign));
            if told.is_news {
                counters.heard(told.received_at, told.sent_at);
            }
            let Told { received_at, fact, presence, .. } = told;
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

    /// Nothing of the batch may be acknowledged.
    fn failed(&mut self, error: &StoreError, collected: Collected) {
        self.broken = true;
        self.owed.gaps.truncate(KEPT_GAPS);
        for (_, reply) in collected.waiting {
            let _ = reply.send(Err(AppendError::Refused));
        }
        Counters::add(&self.counters.lost, collected.unanswered.len());
        for at in collected.unanswered {
            let (from, to) = self.owed.lost.unwrap_or((at, at));
            self.owed.lost = Some((from.min(at), to.max(at)));
        }
        for done in collected.histories {
            let _ = done.send(false);
        }
        for done in collected.flushes {
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
                "The database cannot be written ({}); free space on the disk or repair it.",
                error.source().map_or_else(|| error.to_string(), ToString::to_string)
            ),
        });
    }
}
