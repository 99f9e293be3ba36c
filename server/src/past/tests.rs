//! The archive and the way back through it, on days that are told at once.

use std::{path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    board::Board,
    directory::{Directory, DirectoryQueue, Member},
    service_level::ServiceLevelPolicy,
    time::Timestamp,
    trust::{FeedLink, Trust},
};
use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use zoom_sim::{World, WorldConfig};

use super::{
    Past, PastError, Players, Proofs,
    archive::{Archive, Progress},
};
use crate::{
    Purpose,
    journal::{Incoming, Journal, Journalled, Source, segment},
    publish::{BoardKey, Publisher, Stream as _},
    situation::{Circumstances, Situation},
    store::{ArchiveOrder, LooseEvent, NoteRow, RecordBatch, Store, StoredNote},
    zoom::wire::Reader,
};

mod archive;
mod looks;
mod missing;

const HOME: chrono_tz::Tz = chrono_tz::Europe::Berlin;
/// Notes of a server that had little time. Any pace will do.
const NOTED_EVERY: TimeDelta = TimeDelta::minutes(3);

const MONTH: Duration = Duration::from_secs(86_400 * 30);

/// An account's days as a server would have written them down.
struct Days {
    store: Store,
    journal: Journal,
    journalled: mpsc::Receiver<Vec<Journalled>>,
    world: World,
    now: DateTime<Utc>,
    situation: Situation,
    publisher: Publisher,
    revision: u64,
    event_id: i64,
    noted_every: TimeDelta,
    /// The run of the server.
    run: u64,
    /// Of a recording.
    ends_at: Option<Timestamp>,
    /// What was published at some instants.
    shown: Vec<(Timestamp, Bytes)>,
}

fn timestamp(at: DateTime<Utc>) -> Timestamp {
    Timestamp::from_millis(at.timestamp_millis())
}

fn start() -> DateTime<Utc> {
    "2026-11-18T22:00:00Z".parse().unwrap()
}

fn trust(now: Timestamp) -> Trust {
    Trust { feed_heard_at: Some(now), ..Trust::of(FeedLink::Live, timestamp(start())) }
}

fn directory(world: &World) -> Directory {
    let told = world.directory();
    let member = |seat: usize, receives_calls| {
        let seat = &told.seats[seat];
        let extension_id = Some(seat.extension_id.as_str().into());
        Member { id: seat.id.as_str().into(), extension_id, name: seat.name.clone(), receives_calls }
    };
    let queues = told.queues.iter().map(|queue| DirectoryQueue {
        id: queue.id.as_str().into(),
        extension_id: Some(queue.extension_id.as_str().into()),
        name: queue.name.clone(),
        extension_number: Some(queue.extension_number.to_string()),
        zone: None,
        members: Some(queue.members.iter().map(|each| member(each.seat, each.receive_call)).collect()),
        policy: ServiceLevelPolicy::default(),
        wrap_up: None,
        max_wait: None,
    });
    Directory { queues: queues.collect() }
}

/// A debug build on a busy machine takes its time.
fn patient(store: &Store) -> Past {
    let long = Duration::from_secs(600);
    Past { longest_turn: long, patience: long, ..Past::new(store, Reader::default()) }
}

fn players(past: Past) -> Players {
    Players::new(past, TaskTracker::new(), CancellationToken::new())
}

impl Days {
    async fn begin(folder: &Path) -> Self {
        Self::begin_with(folder, WorldConfig::small(start())).await
    }

    async fn begin_with(folder: &Path, config: WorldConfig) -> Self {
        let now = start();
        let (store, writer) = Store::open(folder, Purpose::Work, timestamp(now)).await.unwrap();
        let (facts, journalled) = mpsc::channel(1_000);
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let journal = Journal::start(writer, Reader::default(), facts, timestamp(now), &tracker, stop);
        let world = World::new(config.without_latency(), 7);
        Self {
            store,
            journal: journal.await.unwrap(),
            journalled,
            world,
            now,
            situation: Situation::new(Board::new(), HOME),
            publisher: Publisher::after(7, 0, timestamp(now), trust(timestamp(now))),
            revision: 0,
            event_id: 0,
            noted_every: NOTED_EVERY,
            run: 7,
            ends_at: None,
            shown: Vec::new(),
        }
    }

    /// Lets the account go on for a while.
    async fn go_on(&mut self, time: TimeDelta) {
        let until = self.now + time;
        while self.now < until {
            self.now += self.noted_every;
            let now = timestamp(self.now);
            for event in self.world.step_until(self.now) {
                let at = timestamp(event.at);
                let incoming = Incoming::read(&Reader::default(), Source::Socket, at, &event.json);
                self.journal.submit(incoming).await.unwrap();
            }
            self.journal.flush().await.unwrap();
            while let Ok(mut events) = self.journalled.try_recv() {
                self.event_id = events.last().map_or(self.event_id, |event| event.event_id);
                self.situation.hear(now, &mut events);
            }
            let told = (self.revision == 0).then(|| Circumstances {
                whole: true,
                home: Some(HOME),
                queues: directory(&self.world).queues,
                trust: Some(trust(now)),
                ..Circumstances::default()
            });
            self.note(now, told).await;
        }
    }

    /// Publishes and notes, as the keeper does.
    async fn note(&mut self, now: Timestamp, told: Option<Circumstances>) {
        self.revision += 1;
        self.situation.tell(now, told.clone().unwrap_or_default());
        self.situation.heard_at(Some(now), Some(now));
        self.situation.let_time_pass(now);
        let edition = self.situation.edition(now);
        self.publisher.publish(&mut self.situation.board, now, &edition.trust, edition.whole);
        if self.revision.is_multiple_of(11) {
            let board = self.publisher.subscribe(&self.situation.board, &BoardKey::All).unwrap();
            let frame = board.borrow().full_frame();
            self.shown.push((now, frame));
        }
        let note = NoteRow {
            at: now,
            epoch: self.run,
            revision: self.revision,
            event_id: self.event_id,
            heard_at: Some(now),
            newest_fact_at: Some(now),
            told: told.map(|told| serde_json::to_string(&told).unwrap()),
            digest: self.revision.is_multiple_of(5).then(|| self.publisher.newest_digest()),
        };
        assert!(self.journal.try_write_note(note).unwrap().await.unwrap());
    }

    async fn archive(&self, keep: Duration) -> Proofs {
        self.archive_on(keep, &mut Progress::default()).await
    }

    async fn archive_on(&self, keep: Duration, progress: &mut Progress) -> Proofs {
        let place = self.event_id;
        let filed = RecordBatch { place, ..RecordBatch::default() };
        assert!(self.journal.write_records(Arc::new(filed)).await.unwrap());
        let (store, journal, reader) = (self.store.clone(), self.journal.clone(), Reader::default());
        // Nobody waits for a proof: it takes as many turns' time as it needs, though somebody else has the turn.
        let past = patient(&self.store).of_run(self.run).up_to(self.ends_at);
        let past = Past { longest_turn: Duration::ZERO, ..past };
        let _turn = past.turns.acquire().await.unwrap();
        let archive = Archive { store, journal, reader, past: past.clone(), keep };
        let done = archive.catch_up(timestamp(self.now), progress).await;
        // An instant that is missing cannot be proved, which is no failure.
        assert!(matches!(done, Ok(())), "{done:?}");
        past.proofs()
    }

    /// What becomes of the board that was shown at an instant.
    async fn board_of(&self, at: Timestamp) -> Result<Bytes, PastError> {
        let past = patient(&self.store);
        Ok(past.board(at, &BoardKey::All).await?.expect("all queues").full_frame())
    }

    /// Every instant since `since` shows what was published then. How many there were.
    async fn compare(&self, since: Timestamp) -> usize {
        let past = patient(&self.store);
        let mut compared = 0;
        for (at, frame) in self.shown.iter().rev().filter(|(at, _)| *at >= since) {
            // Between two notes the first of them is shown.
            let board = past.board(*at + Duration::from_secs(7), &BoardKey::All).await.unwrap().unwrap();
            assert_eq!(board.full_frame(), frame, "the board of {at:?}");
            compared += 1;
        }
        compared
    }

    /// Packs a segment after those that end at `packed`. Where it ends.
    async fn pack(&self, packed: (i64, i64), events: Vec<LooseEvent>, notes: &[StoredNote]) -> (i64, i64) {
        let row = segment::pack(events, notes, packed, (0, &[])).unwrap();
        let packed = (row.last_event_id, row.last_note_id);
        assert!(self.journal.archive(ArchiveOrder::Pack(row)).await.unwrap());
        packed
    }
}

/// An account with little to tell.
fn quiet() -> WorldConfig {
    WorldConfig { load: 0.1, breaks_per_hour: 0.1, ..WorldConfig::small(start()) }
}

/// An event that tells nothing.
fn loose(event_id: i64, received_at: Timestamp) -> LooseEvent {
    LooseEvent { event_id, received_at, source: Source::Socket, raw: "{}".to_owned() }
}

/// A note that tells nothing but the time, and which event the board had.
fn note_of(note_id: i64, at: Timestamp, event_id: i64) -> StoredNote {
    let note = NoteRow {
        at,
        epoch: 7,
        revision: 1,
        event_id,
        heard_at: None,
        newest_fact_at: None,
        told: None,
        digest: None,
    };
    StoredNote { note_id, note }
}
