//! Keeps the journal small and the way to any instant short.
//!
//! Takes snapshots of the board behind the live one, by telling it again: what is shown of the past is
//! proved by use, and the keeper is never held up. Packs what is older than a day, and forgets what is
//! older than the operator keeps. Everything is ordered from the journal's writer; a kill costs the step
//! that was under way.

use std::{pin::pin, time::Duration};

use domain::time::Timestamp;
use tokio::{
    runtime::Handle,
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Past, PastError, in_background,
    reel::{Reel, VERSION},
};
use crate::{
    clock,
    journal::{Journal, JournalStopped, Shelf, segment},
    store::{ArchiveOrder, LooseEvent, SnapshotRow, Store, StoreError, StoredNote},
    telemetry,
    zoom::wire::Reader,
};

/// How often it looks for work.
const LOOK: Duration = Duration::from_secs(10);
/// Events from one snapshot to the next, at least: a tenth of a second to tell again.
const SNAPSHOT_EVENTS: u64 = 5_000;
/// The same, at most. A snapshot of many calls takes as long to restore as so many events to tell, and is taken
/// as much more seldom.
const SNAPSHOT_EVENTS_OF_MANY_CALLS: u64 = 20_000;
/// Time from one snapshot to the next, however little happened: an hour of notes takes as long to tell.
const SNAPSHOT_AFTER: Duration = Duration::from_secs(3600);
/// Notes from one to the next in a recording, which has few in a quiet hour: as many as a server takes in one.
const SNAPSHOT_NOTES: i64 = 3_600;
/// Rows older than this move into segments.
const LOOSE_FOR: Duration = Duration::from_secs(24 * 3600);
/// Events in a segment: enough to have much in common, few enough to be unpacked in some milliseconds.
const SEGMENT_EVENTS: u32 = 2_000;
/// Events of which a dictionary is made.
const TRAINED_ON: usize = 1_000;
/// Notes in a segment: an hour.
const SEGMENT_NOTES: u32 = 3_600;
/// A segment that is not full waits this long for more.
const SEGMENT_WAITS: Duration = Duration::from_secs(3600);
/// Records are read again for two days, and after failures for as long as two weeks.
const KEYS_FOR: Duration = Duration::from_secs(17 * 24 * 3600);
/// How often what is too old is forgotten, and an instant proved.
const FORGET_EVERY: Duration = Duration::from_secs(3600);

/// Keeps the journal small.
#[derive(Debug)]
pub(crate) struct Archive {
    pub(crate) store: Store,
    pub(crate) journal: Journal,
    pub(crate) reader: Reader,
    /// Proved now and then.
    pub(crate) past: Past,
    /// How long instants can be shown.
    pub(crate) keep: Duration,
}

/// How far the archive has come.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// When it forgot last.
    forgot_at: Option<Instant>,
    /// On its way to the next snapshot.
    winding: Option<Winding>,
}

/// A board that has come to the journal's end before it can be the next snapshot: a part before it is missing.
#[derive(Debug)]
struct Winding {
    /// The note of the snapshot it began with.
    before: Option<i64>,
    /// When that was.
    began_at: Option<Timestamp>,
    pace: Pace,
    reel: Reel,
}

/// How far apart snapshots are, besides by events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// By time: a server notes something every second.
    ByHour,
    /// By notes: of a file, years may tell next to nothing.
    ByNotes,
}

impl Pace {
    /// True when so much lies behind the snapshot before.
    fn is_over(self, lasted: Duration, notes: i64) -> bool {
        match self {
            Self::ByHour => lasted >= SNAPSHOT_AFTER,
            Self::ByNotes => notes >= SNAPSHOT_NOTES,
        }
    }
}

/// Why a step of the archive failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum ArchiveError {
    #[error(transparent)]
    Past(#[from] PastError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Segment(#[from] segment::SegmentError),
    #[error("write the archive: the disk refused")]
    Refused,
    #[error(transparent)]
    Stopped(#[from] JournalStopped),
}

impl Archive {
    /// Starts the task; it ends by `stop`.
    pub(crate) fn spawn(self, tracker: &TaskTracker, stop: CancellationToken) -> JoinHandle<()> {
        tracker.spawn(async move {
            let mut look = interval(LOOK);
            look.set_missed_tick_behavior(MissedTickBehavior::Delay);
            // Not at a start: a clock that is wrong then must not cost what is kept.
            let mut progress = Progress { forgot_at: Some(Instant::now()), ..Progress::default() };
            let mut has_failed = false;
            while stop.run_until_cancelled(look.tick()).await.is_some() {
                let now = clock::now();
                let work = pin!(self.catch_up(now, &mut progress));
                match stop.run_until_cancelled(work).await {
                    None | Some(Err(ArchiveError::Stopped(_))) => break,
                    Some(Ok(())) => has_failed = false,
                    // What goes on is told once.
                    Some(Err(error)) if !std::mem::replace(&mut has_failed, true) => tracing::warn!(
                        error = telemetry::chain(&error),
                        "failed to keep the past in order; it is tried again"
                    ),
                    Some(Err(_)) => {}
                }
            }
        })
    }

    pub(super) async fn catch_up(&self, now: Timestamp, progress: &mut Progress) -> Result<(), ArchiveError> {
        // The journal stays small even where the past cannot be told again.
        let told_again = async {
            while self.take_snapshot(&mut progress.winding).await? {}
            Ok(())
        };
        let told_again: Result<(), ArchiveError> = told_again.await;
        while self.pack(now).await? {}
        let is_hour_over = progress.forgot_at.is_none_or(|at| at.elapsed() >= FORGET_EVERY);
        if is_hour_over {
            let (horizon, keys_before) = (now - self.keep, now - KEYS_FOR);
            self.write(ArchiveOrder::Forget { horizon, keys_before, version: VERSION }).await?;
            progress.forgot_at = Some(Instant::now());
        }
        told_again?;
        if is_hour_over {
            self.prove(now).await?;
        }
        Ok(())
    }

    /// What was packed last shows what was published, or on the first day what was written last.
    async fn prove(&self, now: Timestamp) -> Result<(), PastError> {
        for age in [LOOSE_FOR + SEGMENT_WAITS, SEGMENT_WAITS / 2] {
            if self.past.prove(now - age).await? {
                break;
            }
        }
        Ok(())
    }

    async fn write(&self, order: ArchiveOrder) -> Result<(), ArchiveError> {
        if self.journal.archive(order).await? { Ok(()) } else { Err(ArchiveError::Refused) }
    }

    /// Takes the next snapshot; false when it is not time for one.
    async fn take_snapshot(&self, winding: &mut Option<Winding>) -> Result<bool, ArchiveError> {
        let pace = if self.past.ends_at().is_some() { Pace::ByNotes } else { Pace::ByHour };
        let before = self.store.newest_snapshot(VERSION).await?;
        let newest = self.store.newest_note().await?;
        let is_due = match (&before, &newest) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(before), Some(newest)) => {
                newest.note.event_id - before.event_id >= SNAPSHOT_EVENTS.cast_signed()
                    || pace.is_over(apart_by(newest.note.at, before.at), newest.note_id - before.note_id)
            }
        };
        if !is_due {
            return Ok(false);
        }
        let (store, reader) = (self.store.clone(), self.reader.clone());
        let (runtime, before) = (Handle::current(), before.map(|before| before.note_id));
        let begun = winding.take().filter(|winding| winding.before == before);
        let next = async move {
            let mut winding = match begun {
                Some(winding) => winding,
                None => Winding::begin(&store, reader, before, pace).await?,
            };
            Ok((winding.next_snapshot().await?, winding))
        };
        let next = in_background(move || runtime.block_on(next)).await;
        match next.unwrap_or(Err(PastError::Failed))? {
            (Some(snapshot), _) => {
                self.write(ArchiveOrder::Snapshot(snapshot)).await?;
                Ok(true)
            }
            (None, begun) => {
                *winding = Some(begun);
                Ok(false)
            }
        }
    }

    /// Packs the oldest rows; false when there are not enough old ones.
    async fn pack(&self, now: Timestamp) -> Result<bool, ArchiveError> {
        let packed = self.store.packed_until().await?;
        let horizon = now - LOOSE_FOR;
        let mut events = self.store.loose_events_after(packed.0, SEGMENT_EVENTS).await?;
        let mut notes = self.store.loose_notes_after(packed.1, SEGMENT_NOTES).await?;
        // Whoever writes records as rows reads loose events only.
        let filed = self.store.record_place().await?;
        // A clock that was set back leaves times that do not rise: up to the last old one.
        let is_old = |event: &LooseEvent| event.received_at < horizon && event.event_id <= filed;
        events.truncate(events.iter().rposition(is_old).map_or(0, |last| last + 1));
        if events.len() == SEGMENT_EVENTS as usize {
            let last = events.last().map_or(0, |event| event.event_id);
            notes.truncate(notes.partition_point(|note| note.note.event_id <= last));
        }
        notes.truncate(notes.iter().rposition(|note| note.note.at < horizon).map_or(0, |last| last + 1));
        let began = events.first().map(|event| event.received_at);
        let began = began.into_iter().chain(notes.first().map(|note| note.note.at)).min();
        let is_full = events.len() == SEGMENT_EVENTS as usize || notes.len() == SEGMENT_NOTES as usize;
        if !is_full && began.is_none_or(|began| horizon.since(began) < SEGMENT_WAITS) {
            return Ok(false);
        }
        let dictionary = self.store.newest_dictionary().await?;
        let segment = in_background(move || compress(events, &notes, packed, dictionary));
        let segment = segment.await.ok_or(PastError::Failed)??;
        self.write(ArchiveOrder::Pack(segment)).await?;
        Ok(true)
    }
}

impl Winding {
    async fn begin(
        store: &Store,
        reader: Reader,
        before: Option<i64>,
        pace: Pace,
    ) -> Result<Self, PastError> {
        let reel = Reel::before(store, Shelf::new(store), reader, before.unwrap_or(0)).await?;
        Ok(Self { before, began_at: reel.noted_at(), pace, reel })
    }

    /// Winds on to the place of the next snapshot; `None` when the journal ends before it.
    async fn next_snapshot(&mut self) -> Result<Option<SnapshotRow>, PastError> {
        let reel = &mut self.reel;
        loop {
            let note_id = reel.note_id();
            reel.step().await?;
            if reel.note_id() == note_id {
                return Ok(None);
            }
            let lasted = reel.noted_at().zip(self.began_at).map(|(now, then)| apart_by(now, then));
            if !reel.is_whole() {
                continue;
            }
            // The very first is of the first note: nothing can be shown of earlier times.
            let notes = reel.note_id() - self.before.unwrap_or(0);
            let is_over = lasted.is_none_or(|lasted| self.pace.is_over(lasted, notes));
            if is_over || reel.told_events() >= events_between(reel.board().call_count()) {
                return Ok(reel.snapshot());
            }
        }
    }
}

/// Events from one snapshot of so many calls to the next.
pub(super) fn events_between(calls: usize) -> u64 {
    (calls as u64).clamp(SNAPSHOT_EVENTS, SNAPSHOT_EVENTS_OF_MANY_CALLS)
}

/// The time between two instants: a clock may have been set back.
fn apart_by(one: Timestamp, other: Timestamp) -> Duration {
    one.since(other).max(other.since(one))
}

fn compress(
    events: Vec<LooseEvent>,
    notes: &[StoredNote],
    packed: (i64, i64),
    known: Option<(i64, Vec<u8>)>,
) -> Result<crate::store::SegmentRow, segment::SegmentError> {
    let (dictionary, new) = match known {
        Some(known) => (Some(known), None),
        // Too few events would make a poor one for good.
        None if events.len() < TRAINED_ON => (None, None),
        None => {
            let trained = segment::train(&events);
            (trained.clone().map(|dictionary| (1, dictionary)), trained)
        }
    };
    let (id, dictionary) = dictionary.as_ref().map_or((0, &[][..]), |(id, dictionary)| (*id, dictionary));
    let mut row = segment::pack(events, notes, packed, (id, dictionary))?;
    row.new_dictionary = new;
    Ok(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_calls_a_snapshot_holds_the_longer_it_lasts_but_no_instant_lies_too_far_from_one() {
        let between = [0, 5_000, 12_000, 1_000_000].map(events_between);
        assert_eq!(between, [5_000, 5_000, 12_000, 20_000]);
    }
}
