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
use futures_util::future::join_all;
use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use zoom_sim::{World, WorldConfig};

use super::{
    End, Past, PastError, Players, Playing, Proofs,
    archive::{Archive, Progress},
    reel::Reel,
};
use crate::{
    Purpose,
    journal::{Incoming, Journal, Journalled, Shelf, Source, segment},
    publish::{BoardKey, Publisher, Stream as _},
    situation::{Circumstances, Situation},
    store::{
        ArchiveOrder, LooseEvent, NoteRow, RecordBatch, SegmentBody, SnapshotRow, Store, StoredNote,
        vandal::Vandal,
    },
    zoom::{sample, wire::Reader},
};

const HOME: chrono_tz::Tz = chrono_tz::Europe::Berlin;
/// Notes of a server that had little time. Any pace will do.
const NOTED_EVERY: TimeDelta = TimeDelta::minutes(3);

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
}

#[tokio::test]
async fn the_past_is_the_same_from_events_from_snapshots_and_from_segments() {
    let folder = tempfile::tempdir().unwrap();
    let mut days = Days::begin(folder.path()).await;
    let start = timestamp(days.now);
    let past = patient(&days.store);
    assert!(matches!(past.board(start, &BoardKey::All).await, Err(PastError::NotKept)));

    // Nothing but events and notes; six hours, so that calls are settled and a day begins.
    days.go_on(TimeDelta::hours(6)).await;
    assert!(days.compare(start).await >= 8);
    let calls = |frame: &Bytes| !String::from_utf8_lossy(frame).contains(r#""offered_today":0,"#);
    assert!(days.shown.iter().any(|(_, frame)| calls(frame)), "calls are told of");
    assert!(days.event_id > 500, "{} events", days.event_id);

    // With snapshots, and then with most of it in segments.
    days.archive(Duration::from_secs(86_400 * 30)).await;
    let size = days.store.archive_size().await.unwrap();
    assert!(size.snapshots >= 6, "{size:?}");
    assert_eq!((size.packed_events, size.since), (0, Some(start + NOTED_EVERY.to_std().unwrap())));
    assert!(days.compare(start).await >= 8);

    days.go_on(TimeDelta::hours(21)).await;
    days.archive(Duration::from_secs(86_400 * 30)).await;
    let size = days.store.archive_size().await.unwrap();
    assert!(size.packed_events > 100 && size.packed_events < days.event_id, "{size:?}");
    assert!(days.compare(start).await > 40);
    assert_eq!(days.store.last_event_id().await.unwrap(), days.event_id);

    // What is older than is kept is gone; the rest is as it was.
    let keep = Duration::from_secs(24 * 3600);
    days.archive(keep).await;
    let horizon = timestamp(days.now) - keep;
    assert!(days.compare(horizon).await > 35);
    assert!(days.store.archive_size().await.unwrap().snapshots < size.snapshots, "the oldest are gone");
}

#[tokio::test]
async fn a_damaged_snapshot_is_gone_without() {
    let folder = tempfile::tempdir().unwrap();
    let mut days = Days::begin(folder.path()).await;
    days.go_on(TimeDelta::hours(2)).await;
    days.archive(Duration::from_secs(86_400)).await;
    let mut snapshot = days.store.snapshot_before(i64::MAX, super::reel::VERSION).await.unwrap().unwrap();
    snapshot.body.truncate(snapshot.body.len() / 2);
    let order = ArchiveOrder::Snapshot(snapshot);
    assert!(days.journal.archive(order).await.unwrap());
    assert!(days.compare(timestamp(start())).await > 1);
}

/// What a segment of an office's events takes, with a dictionary of the hour before.
#[test]
fn an_event_takes_at_most_120_bytes() {
    let morning: DateTime<Utc> = "2026-11-18T08:00:00Z".parse().unwrap();
    let mut world = World::new(WorldConfig::office(morning).without_latency(), 7);
    let mut events = Vec::new();
    let mut now = morning;
    while events.len() < 6_000 {
        now += TimeDelta::minutes(3);
        for (event_id, event) in (events.len() as i64..).zip(world.step_until(now)) {
            let received_at = timestamp(event.at);
            events.push(LooseEvent { event_id, received_at, source: Source::Socket, raw: event.json });
        }
    }
    let dictionary = segment::train(&events[..2_000]).unwrap();
    let row = segment::pack(events[4_000..6_000].to_vec(), &[], (0, 0), (1, &dictionary)).unwrap();
    let (bytes, text) = (row.body.len() / 2_000, row.text_bytes / 2_000);
    assert!(bytes <= 120, "{bytes} bytes an event of {text}");
    let body = SegmentBody {
        last_event_id: 1,
        last_note_id: 0,
        after_event_id: Some(0),
        form: row.form,
        body: row.body,
        dictionary: Some(dictionary),
    };
    assert_eq!(segment::unpack(&body).unwrap().events.len(), 2_000);
}

#[tokio::test]
async fn a_record_that_was_packed_is_not_written_twice() {
    let folder = tempfile::tempdir().unwrap();
    let mut days = Days::begin_with(folder.path(), quiet()).await;
    days.go_on(TimeDelta::minutes(30)).await;
    let record = r#"{"event":"rest.presence_status","event_ts":1,"payload":{"account_id":"a"}}"#;
    let at = timestamp(days.now);
    let read = || Incoming::read(&Reader::default(), Source::Rest, at, &record);
    days.journal.append(read()).await.unwrap();
    days.journal.flush().await.unwrap();
    let last = days.store.last_event_id().await.unwrap();
    days.event_id = last;
    days.noted_every = TimeDelta::minutes(10);
    days.go_on(TimeDelta::minutes(25 * 60 + 30)).await;
    days.archive(Duration::from_secs(86_400 * 30)).await;
    assert!(days.store.packed_until().await.unwrap().0 >= last);

    let last = days.store.last_event_id().await.unwrap();
    // As after a restart: the keys of the last hours are all that is kept in memory.
    days.journal.append(read()).await.unwrap();
    days.journal.flush().await.unwrap();
    assert_eq!(days.store.last_event_id().await.unwrap(), last);
}

/// An account with little to tell.
fn quiet() -> WorldConfig {
    WorldConfig { load: 0.1, breaks_per_hour: 0.1, ..WorldConfig::small(start()) }
}

/// Three segments of some hours each, and what was shown while they were written.
async fn packed(folder: &Path) -> Days {
    let mut days = Days::begin_with(folder, quiet()).await;
    days.noted_every = TimeDelta::minutes(15);
    days.go_on(TimeDelta::hours(26)).await;
    for _ in 0..3 {
        days.go_on(TimeDelta::hours(2)).await;
        days.archive(MONTH).await;
    }
    days
}

const MONTH: Duration = Duration::from_secs(86_400 * 30);

#[tokio::test]
async fn a_part_of_the_journal_that_is_gone_makes_no_quiet_board() {
    let folder = tempfile::tempdir().unwrap();
    let days = packed(folder.path()).await;
    let mut vandal = Vandal::at(folder.path()).await;
    let segments = vandal.segments().await;
    assert_eq!(segments.len(), 3, "{segments:?}");
    let lost = segments[1];
    vandal.lose_segment(lost.0).await;
    // Snapshots of that time and after it still lead past it; without them nothing does for a day.
    assert!(days.compare(timestamp(start()) + Duration::from_secs(8 * 3600)).await > 3);
    vandal.lose_snapshots().await;
    days.archive(MONTH).await;
    let (mut shown, mut torn, mut unrecorded) = (0, 0, 0);
    for (at, frame) in &days.shown {
        match days.board_of(*at).await {
            Ok(board) if board == *frame => shown += 1,
            Ok(board) => {
                // Of a time without notes the last one before is shown, and how old it is.
                let older = days.shown.iter().any(|(before, frame)| before < at && *frame == board);
                assert!(older || !String::from_utf8_lossy(&board).contains(&at.as_millis().to_string()));
                unrecorded += 1;
            }
            Err(PastError::Torn) => torn += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(shown > 0 && torn > 3 && unrecorded <= 1, "{shown} {torn} {unrecorded}");
}

#[tokio::test]
async fn a_segment_that_cannot_be_read_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let days = packed(folder.path()).await;
    let mut vandal = Vandal::at(folder.path()).await;
    let segments = vandal.segments().await;
    vandal.damage_segment(segments[0].0).await;
    vandal.lose_snapshots().await;
    days.archive(MONTH).await;
    let last = days.shown.last().unwrap();
    assert!(matches!(days.board_of(last.0).await, Err(PastError::NotKept | PastError::Torn)));
    let inside = timestamp(start()) + Duration::from_secs(3600);
    assert!(matches!(days.board_of(inside).await, Err(PastError::Torn)), "it is on record, but not readable");
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

impl Days {
    /// Packs a segment after those that end at `packed`. Where it ends.
    async fn pack(&self, packed: (i64, i64), events: Vec<LooseEvent>, notes: &[StoredNote]) -> (i64, i64) {
        let row = segment::pack(events, notes, packed, (0, &[])).unwrap();
        let packed = (row.last_event_id, row.last_note_id);
        assert!(self.journal.archive(ArchiveOrder::Pack(row)).await.unwrap());
        packed
    }
}

#[tokio::test]
async fn the_segment_of_an_instant_is_found_by_its_notes() {
    let folder = tempfile::tempdir().unwrap();
    let days = Days::begin(folder.path()).await;
    let at = |minutes: u64| timestamp(start()) + Duration::from_secs(60 * minutes);
    // Notes of three hours, and events that came before all but the first of them.
    let mut packed = (0, 0);
    for (hour, first_event) in [(0_u64, None), (1, Some(20)), (2, Some(25))] {
        let notes = (0..4).map(|quarter| {
            let note_id = packed.1 + 1 + quarter as i64;
            note_of(note_id, at(60 * hour + 15 * quarter), 0)
        });
        let notes: Vec<StoredNote> = notes.collect();
        let event = first_event.map(|minutes| loose(packed.0 + 1, at(minutes)));
        packed = days.pack(packed, event.into_iter().collect(), &notes).await;
    }
    let shelf = Shelf::new(&days.store);
    for (asked, found) in [(0, 0), (35, 30), (59, 45), (100, 90), (179, 165)] {
        let note = shelf.note_at(at(asked)).await.unwrap().unwrap();
        assert_eq!(note.note.at, at(found), "of minute {asked}");
    }
}

#[tokio::test]
async fn a_segment_is_kept_while_events_of_it_follow_the_oldest_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let days = Days::begin(folder.path()).await;
    let at = |hours: u64| timestamp(start()) + Duration::from_secs(3_600 * hours);
    let packed = days.pack((0, 0), vec![loose(1, at(0))], &[note_of(1, at(0), 1)]).await;
    let packed = days.pack(packed, vec![loose(2, at(1)), loose(3, at(2))], &[note_of(2, at(1), 2)]).await;
    days.pack(packed, Vec::new(), &[note_of(3, at(2), 3)]).await;
    let snapshot = SnapshotRow { note_id: 2, at: at(1), event_id: 2, version: 1, body: Vec::new() };
    let forget = ArchiveOrder::Forget { horizon: at(9), keys_before: at(0), version: 1 };
    for order in [ArchiveOrder::Snapshot(snapshot), forget] {
        assert!(days.journal.archive(order).await.unwrap());
    }
    let left: Vec<i64> = Vandal::at(folder.path()).await.segments().await.iter().map(|row| row.0).collect();
    assert_eq!(left, [2, 3]);
}

#[tokio::test]
async fn a_segment_says_itself_what_came_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let days = Days::begin(folder.path()).await;
    let at = timestamp(start());
    let packed = days.pack((0, 0), vec![loose(1, at)], &[]).await;
    // A repetition was refused its place in between.
    days.pack(packed, vec![loose(3, at)], &[]).await;
    Vandal::at(folder.path()).await.lose_segment(1).await;
    let shelf = Shelf::new(&days.store);
    assert_eq!(shelf.events_after(1, 10).await.unwrap().torn_until, None);
    assert_eq!(shelf.events_after(0, 10).await.unwrap().torn_until, Some(2));
}

#[tokio::test]
async fn the_last_events_or_notes_of_all_may_be_gone() {
    let at = timestamp(start());
    let (event, note) = (|| vec![loose(1, at)], || vec![note_of(1, at, 1)]);
    // Of one kind none are left, and those of the other tell that there were some.
    let events_first = [(event(), Vec::new()), (Vec::new(), note())];
    let notes_first = [(Vec::new(), note()), (event(), Vec::new())];
    for segments in [events_first, notes_first] {
        let folder = tempfile::tempdir().unwrap();
        let days = Days::begin(folder.path()).await;
        let mut packed = (0, 0);
        let are_events_lost = segments[0].1.is_empty();
        for (events, notes) in segments {
            packed = days.pack(packed, events, &notes).await;
        }
        Vandal::at(folder.path()).await.lose_segment(1).await;
        let shelf = Shelf::new(&days.store);
        let events = shelf.events_after(0, 10).await.unwrap();
        let notes = shelf.notes_after(0, 10).await.unwrap();
        assert_eq!((events.until, notes.until), (1, 1));
        assert_eq!(
            (events.torn_until.is_some(), events.rows.len()),
            (are_events_lost, usize::from(!are_events_lost))
        );
        assert_eq!(
            (notes.torn_until.is_some(), notes.rows.len()),
            (!are_events_lost, usize::from(are_events_lost))
        );
        assert!(shelf.events_after(1, 10).await.unwrap().is_end());
        assert!(shelf.notes_after(1, 10).await.unwrap().is_end());
    }
}

#[tokio::test]
async fn events_that_lag_behind_their_notes_are_missed_at_every_note() {
    let folder = tempfile::tempdir().unwrap();
    let days = Days::begin(folder.path()).await;
    let at = |hours: u64| timestamp(start()) + Duration::from_secs(3_600 * hours);
    // An hour of notes with the events of days, and then the notes of those days.
    let events = vec![loose(1, at(0)), loose(2, at(39)), loose(3, at(79))];
    let packed = days.pack((0, 0), events, &[note_of(1, at(0), 1)]).await;
    let later = [note_of(2, at(40), 2), note_of(3, at(80), 3), note_of(4, at(120), 3)];
    days.pack(packed, Vec::new(), &later).await;
    Vandal::at(folder.path()).await.damage_segment(1).await;
    let is_torn = torn_at_notes(&days.store, 4).await;
    assert_eq!(is_torn, [true, true, false], "of notes that can be read; nothing came before the last");
}

#[tokio::test]
async fn an_event_that_the_board_had_and_the_journal_has_not_is_missed() {
    let folder = tempfile::tempdir().unwrap();
    let days = Days::begin(folder.path()).await;
    let at = timestamp(start());
    let packed = days.pack((0, 0), vec![loose(1, at)], &[note_of(1, at, 1)]).await;
    days.pack(packed, Vec::new(), &[note_of(2, at + Duration::from_secs(1), 2)]).await;
    assert_eq!(torn_at_notes(&days.store, 2).await, [false, true]);
}

/// Whether anything is missing at every note that can be read.
async fn torn_at_notes(store: &Store, last: i64) -> Vec<bool> {
    let mut reel = Reel::before(store, Shelf::new(store), Reader::default(), last).await.unwrap();
    let mut is_torn = Vec::new();
    while reel.note_id() < last {
        reel.step().await.unwrap();
        is_torn.push(reel.is_torn());
    }
    is_torn
}

#[tokio::test]
async fn a_note_that_cannot_be_read_makes_no_wrong_board() {
    let folder = tempfile::tempdir().unwrap();
    let mut days = Days::begin(folder.path()).await;
    days.go_on(TimeDelta::hours(1)).await;
    let trust = Some(Trust { demo: true, ..trust(timestamp(days.now)) });
    let told = Circumstances { trust, ..Circumstances::default() };
    let before = days.shown.last().unwrap().clone();
    days.note(timestamp(days.now + TimeDelta::minutes(1)), Some(told)).await;
    let after = timestamp(days.now + TimeDelta::minutes(2));
    days.note(after, None).await;
    assert!(days.board_of(after).await.is_ok());
    Vandal::at(folder.path()).await.reword_note(1, r#"{"trust":{"feed":"telepathy"}}"#).await;
    assert!(matches!(days.board_of(after).await, Err(PastError::Torn)));
    assert_eq!(days.board_of(before.0).await.unwrap(), before.1, "nothing was missing yet");

    // A board that runs there says why it goes no further.
    let players = players(patient(&days.store));
    let playing = players.play(timestamp(days.now), 60, &BoardKey::All).await.unwrap().unwrap();
    assert_eq!(playing.end.await, Ok(End::Torn));
}

#[tokio::test]
async fn the_way_past_a_missing_part_is_gone_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut days = Days::begin(folder.path()).await;
    days.go_on(TimeDelta::minutes(30)).await;
    days.note(timestamp(days.now + TimeDelta::minutes(1)), Some(Circumstances::default())).await;
    days.go_on(TimeDelta::hours(1)).await;
    let mut vandal = Vandal::at(folder.path()).await;
    vandal.reword_note(1, "nothing that could be read").await;
    let mut progress = Progress::default();
    days.archive_on(MONTH, &mut progress).await;
    let first = days.store.newest_snapshot(super::reel::VERSION).await.unwrap().unwrap();
    assert_eq!(first.note_id, 1, "what follows is torn");

    // A day later all is told again. Whoever went all the way again would miss these.
    vandal.lose_notes(days.revision.cast_signed()).await;
    days.now += TimeDelta::hours(30);
    days.note(timestamp(days.now), None).await;
    days.archive_on(MONTH, &mut progress).await;
    let newest = days.store.newest_snapshot(super::reel::VERSION).await.unwrap().unwrap();
    assert_eq!(newest.at, timestamp(days.now));
}

#[tokio::test]
async fn who_rang_right_before_a_snapshot_is_known_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let days = Days::begin(folder.path()).await;
    let at = |minutes: u64| timestamp(start()) + Duration::from_secs(60 * minutes);
    // Hours of events lie before it in another segment.
    let packed = days.pack((0, 0), vec![loose(1, at(0))], &[]).await;
    let ring = LooseEvent { raw: sample::ringing(73, at(70)), ..loose(2, at(70)) };
    days.pack(packed, vec![ring], &[note_of(1, at(71), 2)]).await;
    let reel = async || {
        let (store, shelf) = (&days.store, Shelf::new(&days.store));
        Reel::before(store, shelf, Reader::default(), 1).await.unwrap()
    };
    let mut before = reel().await;
    before.step().await.unwrap();
    let snapshot = ArchiveOrder::Snapshot(before.snapshot().unwrap());
    assert!(days.journal.archive(snapshot).await.unwrap());
    let after = reel().await;
    assert_eq!(after.note_id(), 1, "from the snapshot");
    let message = sample::message_left(at(70) + Duration::from_secs(30));
    let left = after.reader.fact(&message, at(71)).unwrap();
    assert_eq!(left.call_id.as_str(), "73");
}

#[tokio::test]
async fn a_recording_of_little_in_a_long_time_takes_few_snapshots() {
    let folder = tempfile::tempdir().unwrap();
    let mut days = Days::begin_with(folder.path(), quiet()).await;
    days.noted_every = TimeDelta::minutes(20);
    days.go_on(TimeDelta::hours(20)).await;
    days.ends_at = Some(timestamp(days.now));
    days.archive(MONTH).await;
    assert_eq!(days.store.archive_size().await.unwrap().snapshots, 1);
    assert!(days.compare(timestamp(start())).await > 3, "of any instant");
    days.ends_at = None;
    days.archive(MONTH).await;
    assert!(days.store.archive_size().await.unwrap().snapshots >= 15, "a server's, by the hour");
}

#[tokio::test]
async fn a_snapshot_of_another_version_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let mut days = Days::begin(folder.path()).await;
    days.go_on(TimeDelta::hours(3)).await;
    days.archive(MONTH).await;
    let place = days.store.newest_snapshot(super::reel::VERSION).await.unwrap().unwrap();
    Vandal::at(folder.path()).await.age_snapshots().await;
    assert_eq!(days.store.newest_snapshot(super::reel::VERSION).await.unwrap(), None);
    assert!(days.compare(timestamp(start())).await > 1, "without them");
    days.archive(MONTH).await;
    assert_eq!(days.store.newest_snapshot(super::reel::VERSION).await.unwrap(), Some(place));
    assert!(days.compare(timestamp(start())).await > 1);
}

#[tokio::test]
async fn nobody_waits_for_a_board_that_is_far_from_all_snapshots() {
    let folder = tempfile::tempdir().unwrap();
    let mut days = Days::begin(folder.path()).await;
    days.go_on(TimeDelta::minutes(30)).await;
    // The last events are as many as there may be from the first on, and one more.
    let before = days.event_id - 2;
    days.event_id = super::reel::MOST_EVENTS;
    Vandal::at(folder.path()).await.move_events(before, days.event_id - before - 1).await;
    let (near, far) =
        (timestamp(days.now + TimeDelta::minutes(1)), timestamp(days.now + TimeDelta::minutes(2)));
    days.note(near, None).await;
    days.event_id += 1;
    days.note(far, None).await;
    assert!(days.board_of(near).await.is_ok());
    assert!(matches!(days.board_of(far).await, Err(PastError::NotReady)));
    let unproved = patient(&days.store).of_run(1);
    assert!(matches!(unproved.prove(far).await, Ok(false)));
    assert_eq!(unproved.proofs(), Proofs { unproved: 1, ..Proofs::default() });
    days.archive(MONTH).await;
    assert!(days.board_of(far).await.is_ok(), "from a snapshot");

    // Few notes lie in between, but more events than from a snapshot.
    let past = patient(&days.store);
    let note = async |at| past.shelf.note_at(at).await.unwrap().unwrap();
    past.board(timestamp(start() + TimeDelta::minutes(9)), &BoardKey::All).await.unwrap();
    assert!(past.take_ready(&note(near).await, near).is_none());
    let nearer = timestamp(start() + TimeDelta::minutes(12));
    assert!(past.take_ready(&note(nearer).await, nearer).is_some());
}

#[tokio::test]
async fn what_is_shown_is_compared_with_what_was_published() {
    let folder = tempfile::tempdir().unwrap();
    let mut days = Days::begin(folder.path()).await;
    days.go_on(TimeDelta::hours(2)).await;
    assert_eq!(days.archive(MONTH).await, Proofs { instants: 1, ..Proofs::default() });
    Vandal::at(folder.path()).await.change_digests().await;
    assert_eq!(days.archive(MONTH).await, Proofs { instants: 1, differing: 1, unproved: 0 });
    // Another build may have had other rules.
    days.run += 1;
    assert_eq!(days.archive(MONTH).await, Proofs::default());
    // Whoever has just started may not know what was told once, long ago.
    let now = timestamp(days.now);
    days.run = now.as_millis().unsigned_abs();
    days.publisher = Publisher::after(days.run, days.revision, now, trust(now));
    days.go_on(TimeDelta::hours(1)).await;
    assert_eq!(days.archive(MONTH).await, Proofs::default());
}

#[tokio::test]
async fn a_clock_that_was_set_back_shows_the_later_of_two_boards() {
    let folder = tempfile::tempdir().unwrap();
    let mut days = Days::begin(folder.path()).await;
    days.go_on(TimeDelta::minutes(3)).await;
    let at = |minutes| timestamp(start() + TimeDelta::minutes(minutes));
    for minutes in [60, 75, 50, 65] {
        days.note(at(minutes), None).await;
    }
    let revisions = [(55, 4), (62, 2), (64, 2), (70, 5), (75, 3), (90, 3)];
    for archived in [false, true] {
        if archived {
            days.now = start() + TimeDelta::hours(30);
            days.archive(MONTH).await;
            assert_eq!(days.store.packed_until().await.unwrap().1, 5);
        }
        for (minutes, revision) in revisions {
            let past = patient(&days.store);
            let board = past.board(at(minutes), &BoardKey::All).await.unwrap().unwrap();
            assert_eq!(board.revision, revision, "minute {minutes}, archived: {archived}");
        }
    }
}

/// Two hours of a small account.
async fn two_hours(folder: &Path) -> Days {
    let mut days = Days::begin(folder).await;
    days.go_on(TimeDelta::hours(2)).await;
    days
}

#[tokio::test]
async fn who_looks_at_the_same_shares_one_answer_and_one_place() {
    const CROWD: usize = super::MOST_WAITING + 10;
    let folder = tempfile::tempdir().unwrap();
    let days = two_hours(folder.path()).await;
    let past = patient(&days.store);
    let (at, queue) = (timestamp(days.now), directory(&days.world).queues[0].id.clone());
    let turn = past.turns.acquire().await.unwrap();
    let boards = join_all((0..CROWD).map(|_| past.board(at, &BoardKey::All)));
    let details = join_all((0..CROWD).map(|_| past.queue(at, &queue)));
    let begins = join_all((0..CROWD).map(|_| past.begins_at()));
    let watching = async {
        // The database answers in turn: who asked before has been told what is kept since when.
        past.store.shown_since().await.unwrap();
        let places = past.waiting.available_permits();
        drop(turn);
        super::MOST_WAITING - places
    };
    let (boards, details, begins, places) = tokio::join!(boards, details, begins, watching);
    assert_eq!(places, 3, "one for a board, one for a queue, one for the beginning");
    let first = boards[0].as_ref().unwrap().as_ref().unwrap();
    assert!(boards.iter().all(|board| Arc::ptr_eq(first, board.as_ref().unwrap().as_ref().unwrap())));
    assert!(details.iter().all(|detail| detail.as_ref().is_ok_and(Option::is_some)));
    assert!(begins.iter().all(|begin| begin.as_ref().is_ok_and(Option::is_some)));
    assert_eq!(past.ready.lock().unwrap().len(), 1, "one was wound for all");

    let again = past.board(at, &BoardKey::All).await.unwrap().unwrap();
    assert!(!Arc::ptr_eq(first, &again), "nothing is kept");
    let instants = (0..CROWD as u64).map(|millis| at + Duration::from_millis(millis));
    let crowd = join_all(instants.map(|at| past.board(at, &BoardKey::All))).await;
    let refused = crowd.iter().filter(|look| matches!(look, Err(PastError::Busy))).count();
    assert_eq!(refused, 10, "there is an end to how many wait");
}

#[tokio::test]
async fn all_who_play_the_same_follow_one_board() {
    let folder = tempfile::tempdir().unwrap();
    let days = two_hours(folder.path()).await;
    let players = players(patient(&days.store));
    let at = timestamp(days.now);
    let playing = join_all((0..18).map(|_| players.play(at, 1, &BoardKey::All)));
    for playing in playing.await {
        let Playing { mut board, end } = playing.unwrap().unwrap();
        assert_eq!(end.await, Ok(End::CaughtUp));
        assert_eq!(board.borrow_and_update().as_of, at);
    }
    let unheard_of = BoardKey::Queue("nowhere".into());
    assert!(players.play(at, 1, &unheard_of).await.unwrap().is_none());
    let too_early = players.play(timestamp(start()), 1, &BoardKey::All).await;
    assert!(matches!(too_early, Err(PastError::NotKept)));
}

#[tokio::test]
async fn a_board_that_runs_stands_still_while_others_look_back() {
    let folder = tempfile::tempdir().unwrap();
    let days = two_hours(folder.path()).await;
    let past = Past { patience: Duration::ZERO, ..patient(&days.store) };
    let players = players(past.clone());
    let at = timestamp(days.now - TimeDelta::hours(1));
    let mut playing = players.play(at, 60, &BoardKey::All).await.unwrap().unwrap();
    let shown = playing.board.borrow_and_update().as_of;
    let turn = past.turns.acquire().await.unwrap();
    let steps = Duration::from_millis(2_500);
    assert!(tokio::time::timeout(steps, playing.board.changed()).await.is_err(), "it has not ended");
    drop(turn);
    while playing.board.borrow_and_update().as_of == shown {
        playing.board.changed().await.unwrap();
    }
    let step = playing.board.borrow().as_of.since(shown);
    assert!(step <= NOTED_EVERY.to_std().unwrap(), "it goes on where it stood: {step:?}");
}

#[tokio::test]
async fn a_long_way_back_is_gone_in_several_turns() {
    let folder = tempfile::tempdir().unwrap();
    let days = two_hours(folder.path()).await;
    let past = Past { longest_turn: Duration::ZERO, ..patient(&days.store) };
    let (at, frame) = days.shown.last().unwrap();
    let mut turns = 1;
    let board = loop {
        match past.board(*at, &BoardKey::All).await {
            Err(PastError::NotReady) => turns += 1,
            board => break board.unwrap().unwrap(),
        }
        assert!(turns < 100, "each goes on where the one before stopped");
    };
    assert_eq!(&board.full_frame(), frame);
    assert!(turns > 20, "a note a turn: {turns}");
}
