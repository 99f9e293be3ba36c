//! A situation told out of the journal, note by note.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use chrono_tz::Tz;
use domain::{
    board::{Board, QueueDetail},
    id::QueueId,
    time::Timestamp,
};
use tokio::time::Instant;

use super::{PastError, archive::events_between};
use crate::{
    clock,
    journal::{Journalled, Shelf, ShelfError},
    publish::{BoardKey, Published, Publisher},
    situation::{Circumstances, Situation, SituationSnapshot},
    store::{SnapshotRow, Store, StoredEvent, StoredNote},
    telemetry,
    zoom::wire::{Memory, Reader},
};

/// Of the form of snapshots. Rises whenever what they hold or how it is read changes.
pub(super) const VERSION: i64 = 4;
/// Notes ahead of a reel that are told faster than another one is set up: ten minutes.
const NEAR: i64 = 600;
/// Loose rows read at once.
const PAGE: u32 = 2_000;
/// How long before the first note of all events are told: calls of that day.
const BEFORE_THE_FIRST: Duration = Duration::from_secs(29 * 3600);
/// Of so long before a snapshot it says who rang whom: a message comes within some minutes of the ring after
/// which it was left.
const RINGS_FOR: Duration = Duration::from_secs(15 * 60);
/// Events and notes from one snapshot to the next are fewer. Of an instant that lies further from all of them
/// nothing is worked out: snapshots are being taken, and nobody waits minutes for a board.
pub(super) const MOST_EVENTS: i64 = 40_000;
const MOST_NOTES: i64 = 8 * 3_600;
/// Of 22: half a second of a fast disk is worth a tenth of the size.
const LEVEL: i32 = 9;

/// Where a board stands in the journal, and the board.
#[derive(Debug)]
pub(super) struct Reel {
    shelf: Shelf,
    pub(super) reader: Reader,
    situation: Situation,
    /// The last note that was told; `None` before the first.
    note: Option<StoredNote>,
    /// To when time went on after it.
    passed: Option<Timestamp>,
    /// The places of the last note that was told, or right before the first, and of the newest event then.
    told_note_id: i64,
    told_event_id: i64,
    /// The places up to which notes and events were fetched.
    fetched_note_id: i64,
    fetched_event_id: i64,
    /// The note it was last wound to, or on its way to.
    goal: i64,
    /// The last event that is known to be gone, or cannot be read.
    torn_event_id: i64,
    notes: VecDeque<StoredNote>,
    events: VecDeque<StoredEvent>,
    told_events: u64,
    /// Everything the board goes by was told once, so that it shows what was shown.
    is_whole: bool,
    /// Something before is gone or cannot be read, which makes no difference any more from then on.
    torn_until: Option<Timestamp>,
}

impl Reel {
    /// A reel that stands before a note, or at it.
    pub(super) async fn before(
        store: &Store,
        shelf: Shelf,
        reader: Reader,
        note_id: i64,
    ) -> Result<Self, PastError> {
        let (mut before, mut damaged) = (note_id, false);
        while let Some(row) = store.snapshot_before(before, VERSION).await.map_err(ShelfError::from)? {
            if let Some(Restored { situation, note, memory }) = Restored::of(&row) {
                let place = (row.note_id, row.event_id);
                return Ok(Self::at(shelf, reader.remembering(memory), situation, Some(note), place));
            }
            tracing::warn!(row.note_id, "a snapshot of the board is damaged; going without it");
            (before, damaged) = (row.note_id - 1, true);
        }
        let first = shelf.first_note().await?.ok_or(PastError::NotKept)?;
        // Once something was forgotten, what is left before the first snapshot lacks what came before it.
        let has_all = first.note_id == 1;
        let has_snapshot = || store.newest_snapshot(VERSION);
        if !has_all && has_snapshot().await.map_err(ShelfError::from)?.is_some() {
            return Err(if damaged { PastError::Failed } else { PastError::NotKept });
        }
        let place = store.place_before(first.note.at - BEFORE_THE_FIRST).await.map_err(ShelfError::from)?;
        let situation = Situation::new(Board::new(), Tz::UTC);
        let reader = reader.remembering(Memory::default());
        Ok(Self::at(shelf, reader, situation, None, (first.note_id - 1, place)))
    }

    fn at(
        shelf: Shelf,
        reader: Reader,
        situation: Situation,
        note: Option<StoredNote>,
        (fetched_note_id, fetched_event_id): (i64, i64),
    ) -> Self {
        Self {
            shelf,
            reader,
            situation,
            is_whole: note.is_some(),
            note,
            passed: None,
            told_note_id: fetched_note_id,
            told_event_id: fetched_event_id,
            fetched_note_id,
            fetched_event_id,
            goal: 0,
            torn_event_id: 0,
            notes: VecDeque::new(),
            events: VecDeque::new(),
            told_events: 0,
            torn_until: None,
        }
    }

    /// The last note that was told, 0 before the first.
    pub(super) fn note_id(&self) -> i64 {
        self.note.as_ref().map_or(0, |note| note.note_id)
    }

    /// True when a note is so near that the board of it can be worked out while somebody waits.
    pub(super) fn is_near(&self, note: &StoredNote) -> bool {
        let is_few = note.note.event_id - self.told_event_id <= MOST_EVENTS;
        is_few && note.note_id - self.told_note_id <= MOST_NOTES
    }

    /// True when it stands so shortly before a note that it is there sooner than one that is set up anew, or
    /// on its way there.
    pub(super) fn is_right_before(&self, note: &StoredNote, at: Timestamp) -> bool {
        if self.passed > Some(at) {
            return false;
        }
        // As many events as lie between two snapshots.
        let few = events_between(self.board().call_count()).cast_signed();
        let is_few = note.note.event_id - self.told_event_id <= few;
        let is_near = is_few && (0..=NEAR).contains(&(note.note_id - self.note_id()));
        // Whoever steps on from an instant that was not reached profits from the way that was gone.
        let is_on_its_way = self.note_id() < self.goal
            && (self.note_id()..=self.goal.saturating_add(NEAR)).contains(&note.note_id);
        is_near || is_on_its_way
    }

    /// The instant of the board: of the last note, or to when time went on after it.
    pub(super) fn stands_at(&self) -> Option<Timestamp> {
        self.noted_at().max(self.passed)
    }

    /// Lets time go on after the last note, where it is known that nothing was told until then.
    pub(super) fn let_time_pass(&mut self, at: Timestamp) {
        let Some(StoredNote { note, .. }) = &self.note else { return };
        if at > note.at {
            self.situation.heard_at(Some(at), note.newest_fact_at);
            self.situation.let_time_pass(at);
            self.situation.edition(at);
            self.passed = Some(at);
        }
    }

    /// When that was.
    pub(super) fn noted_at(&self) -> Option<Timestamp> {
        self.note.as_ref().map(|note| note.note.at)
    }

    /// Of what a run of the server published with the last note, if that is noted.
    pub(super) fn digest_of(&self, run: u64) -> Option<i64> {
        let note = &self.note.as_ref()?.note;
        note.digest.filter(|_| note.epoch == run)
    }

    /// True when it shows what was shown.
    pub(super) fn is_whole(&self) -> bool {
        self.is_whole && !self.is_torn()
    }

    /// True when a part of what led here is gone or cannot be read.
    pub(super) fn is_torn(&self) -> bool {
        self.torn_until.is_some_and(|until| self.noted_at().is_none_or(|at| at < until))
    }

    /// A part of what leads to `at` is missing. A day later all calls of that time are settled, and everything
    /// else was told again.
    fn tear(&mut self, at: Timestamp) {
        tracing::warn!(at = clock::format_rfc3339(at), "a part of the journal before that time is missing");
        self.torn_until = self.torn_until.max(Some(at + BEFORE_THE_FIRST));
    }

    /// When the next note is, if it was fetched already.
    pub(super) fn next_at(&self) -> Option<Timestamp> {
        self.notes.front().map(|note| note.note.at)
    }

    /// Events told since it was set up.
    pub(super) fn told_events(&self) -> u64 {
        self.told_events
    }

    /// The next note, which is not told yet.
    pub(super) async fn next_note(&mut self) -> Result<Option<&StoredNote>, ShelfError> {
        while self.notes.is_empty() {
            let page = self.shelf.notes_after(self.fetched_note_id, PAGE).await?;
            if page.is_end() {
                break;
            }
            (self.fetched_note_id, self.notes) = (page.until, page.rows.into());
        }
        Ok(self.notes.front())
    }

    /// Tells everything up to a note, at least something of it; false when a deadline came before.
    pub(super) async fn wind_to(
        &mut self,
        note_id: i64,
        deadline: Option<Instant>,
    ) -> Result<bool, ShelfError> {
        self.goal = note_id;
        while self.next_note().await?.is_some_and(|note| note.note_id <= note_id) {
            self.step().await?;
            if self.note_id() < note_id && deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Tells everything noted until an instant.
    pub(super) async fn wind_until(&mut self, at: Timestamp) -> Result<(), ShelfError> {
        while self.next_note().await?.is_some_and(|note| note.note.at <= at) {
            self.step().await?;
        }
        Ok(())
    }

    /// Tells the next note, if there is one, and the events before it.
    pub(super) async fn step(&mut self) -> Result<(), ShelfError> {
        self.next_note().await?;
        let Some(stored) = self.notes.pop_front() else { return Ok(()) };
        let note = &stored.note;
        let mut events = self.events_until(note.event_id).await?;
        let has_torn_events = self.torn_event_id.min(note.event_id) > self.told_event_id;
        // A note that could not be taken has no place.
        if has_torn_events || stored.note_id != self.told_note_id + 1 {
            self.tear(note.at);
        }
        (self.told_note_id, self.told_event_id) = (stored.note_id, note.event_id);
        self.told_events += events.len() as u64;
        self.situation.hear(note.at, &mut events);
        if let Some(told) = &note.told {
            match serde_json::from_str::<Circumstances>(told) {
                Ok(told) => {
                    self.is_whole |= told.whole;
                    self.situation.tell(note.at, told);
                }
                // Damaged, or of a version that tells it otherwise: until everything is told again it is not
                // known what the board goes by.
                Err(error) => {
                    let (note_id, error) = (stored.note_id, telemetry::chain(&error));
                    tracing::warn!(note_id, error, "a note cannot be read");
                    self.tear(note.at);
                }
            }
        }
        self.situation.heard_at(note.heard_at, note.newest_fact_at);
        self.situation.let_time_pass(note.at);
        self.situation.edition(note.at);
        self.note = Some(stored);
        Ok(())
    }

    /// The next events up to one of them.
    async fn events_until(&mut self, event_id: i64) -> Result<Vec<Journalled>, ShelfError> {
        while self.fetched_event_id < event_id {
            let page = self.shelf.events_after(self.fetched_event_id, PAGE).await?;
            if page.is_end() {
                // The board had it.
                self.torn_event_id = event_id;
                break;
            }
            self.fetched_event_id = page.until;
            self.torn_event_id = page.torn_until.unwrap_or(self.torn_event_id);
            self.events.extend(page.rows);
        }
        // Reading them is most of the work: those behind the last note are left.
        let told = self.events.partition_point(|event| event.event_id <= event_id);
        let told = self.events.drain(..told).map(|event| Journalled::read_back(&self.reader, &event));
        Ok(told.collect())
    }

    /// The board as it was published with the last note; `None` for a queue nobody knew, or before the
    /// first note.
    pub(super) fn published(&mut self, key: &BoardKey) -> Option<Arc<Published>> {
        let mut publisher = self.publisher()?;
        self.publish(&mut publisher);
        let board = publisher.subscribe(&self.situation.board, key)?;
        let board = board.borrow().clone();
        Some(board)
    }

    /// Whose first publication is the one of the last note; `None` before the first.
    pub(super) fn publisher(&self) -> Option<Publisher> {
        let note = &self.note.as_ref()?.note;
        let trust = self.situation.trusted().clone();
        let at = self.stands_at()?;
        Some(Publisher::after(note.epoch, note.revision.saturating_sub(1), at, trust))
    }

    /// Publishes the board of the last note, or of the time after it.
    pub(super) fn publish(&mut self, publisher: &mut Publisher) {
        let Some(at) = self.stands_at() else { return };
        let edition = self.situation.edition(at);
        publisher.publish(&mut self.situation.board, at, &edition.trust, true);
    }

    /// The board itself, for whoever asks for a queue of it.
    pub(super) fn board(&self) -> &Board {
        &self.situation.board
    }

    /// What stood behind the numbers of a queue.
    pub(super) fn detail(&self, id: &QueueId) -> Option<QueueDetail> {
        self.situation.board.queue_detail(id)
    }

    /// What leads back here; `None` before the first note.
    pub(super) fn snapshot(&self) -> Option<SnapshotRow> {
        let stored = self.note.as_ref()?;
        let memory = self.reader.memory(stored.note.at - RINGS_FOR);
        let bytes = postcard::to_allocvec(&(self.situation.snapshot(), &stored.note, memory)).ok()?;
        Some(SnapshotRow {
            note_id: stored.note_id,
            at: stored.note.at,
            event_id: stored.note.event_id,
            version: VERSION,
            body: zstd::bulk::compress(&bytes, LEVEL).ok()?,
        })
    }
}

/// What a snapshot leads back to.
struct Restored {
    situation: Situation,
    note: StoredNote,
    memory: Memory,
}

impl Restored {
    /// `None` when it is damaged.
    fn of(row: &SnapshotRow) -> Option<Self> {
        let bytes = zstd::decode_all(&row.body[..]).ok()?;
        let (snapshot, note, memory): (SituationSnapshot, _, _) = postcard::from_bytes(&bytes).ok()?;
        let note = StoredNote { note_id: row.note_id, note };
        Some(Self { situation: Situation::restore(snapshot), note, memory })
    }
}
