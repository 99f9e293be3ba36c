//! The whole journal for reading, whether its rows stand loose or in segments.
//!
//! Rows move into segments while they are read: who finds none of one kind looks for the other again. What is
//! gone or cannot be read is passed over, and said.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::time::Timestamp;

use super::segment::{Segment, SegmentError, unpack};
use crate::{
    store::{SegmentBody, Store, StoreError, StoredEvent, StoredNote},
    telemetry,
};

/// Why the journal cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// The database cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A segment cannot be read.
    #[error(transparent)]
    Segment(#[from] SegmentError),
    /// A bug, or the server is stopping.
    #[error("unpack a segment of the journal: it was given up")]
    GivenUp,
}

/// Segments that are kept unpacked: events and notes of one time may stand in two.
const UNPACKED: usize = 2;
/// What became packed at the first look is in a segment at the second, or gone.
const LOOKS: usize = 2;

/// Reads the journal. Clones share what they have unpacked last.
#[derive(Debug, Clone)]
pub struct Shelf {
    store: Store,
    unpacked: Arc<Mutex<VecDeque<Unpacked>>>,
}

/// A segment by its last event and note.
type Unpacked = ((i64, i64), Arc<Segment>);

/// The next rows of one kind.
#[derive(Debug)]
pub struct Page<T> {
    /// The rows, oldest first: of loose ones at most as many as asked for, of a segment all.
    pub rows: Vec<T>,
    /// Where they end.
    pub until: i64,
    /// Up to which place rows are not there, or cannot be read; `None` when all of them are.
    pub torn_until: Option<i64>,
}

impl<T> Page<T> {
    /// What is next may be behind a part that cannot be read.
    pub fn is_end(&self) -> bool {
        self.rows.is_empty() && self.torn_until.is_none()
    }

    fn loose(rows: Vec<T>, after: i64, id: impl Fn(&T) -> i64) -> Self {
        Self { until: rows.last().map_or(after, id), rows, torn_until: None }
    }

    /// Rows were packed up to a place, and the segment is not there.
    fn gone(until: i64) -> Self {
        tracing::warn!(until, "a part of the journal is missing; it is passed over");
        Self { rows: Vec::new(), until, torn_until: Some(until) }
    }

    fn unreadable(until: i64, error: &SegmentError) -> Self {
        tracing::warn!(error = telemetry::chain(error), until, "a part of the journal is passed over");
        Self { rows: Vec::new(), until, torn_until: Some(until) }
    }
}

impl Shelf {
    /// The journal in that database.
    pub fn new(store: &Store) -> Self {
        Self { store: store.clone(), unpacked: Arc::default() }
    }

    /// The next events after a place.
    pub async fn events_after(&self, event_id: i64, limit: u32) -> Result<Page<StoredEvent>, ShelfError> {
        let mut packed_until = event_id;
        for _ in 0..LOOKS {
            if let Some(body) = self.store.segment_with_event_after(event_id).await? {
                let (until, begins_after) = (body.last_event_id, body.after_event_id);
                let segment = match self.read(body).await? {
                    Ok(segment) => segment,
                    Err(error) => return Ok(Page::unreadable(until, &error)),
                };
                let events = &segment.events;
                // Events in between were in a segment that is gone.
                let before = events.first().map_or(event_id, |first| first.event_id - 1);
                let is_torn = before > event_id && begins_after.is_none_or(|after| after > event_id);
                let rows = after(events, event_id, |event| event.event_id);
                return Ok(Page { rows, until, torn_until: is_torn.then_some(before) });
            }
            let events = self.store.events_after(event_id, limit).await?;
            packed_until = self.store.packed_until().await?.0;
            if packed_until <= event_id {
                return Ok(Page::loose(events, event_id, |event| event.event_id));
            }
        }
        Ok(Page::gone(packed_until))
    }

    /// The next notes after a place. Their places follow each other: whoever reads them sees which are gone.
    pub async fn notes_after(&self, note_id: i64, limit: u32) -> Result<Page<StoredNote>, ShelfError> {
        let mut packed_until = note_id;
        for _ in 0..LOOKS {
            if let Some(body) = self.store.segment_with_note_after(note_id).await? {
                let until = body.last_note_id;
                let segment = match self.read(body).await? {
                    Ok(segment) => segment,
                    Err(error) => return Ok(Page::unreadable(until, &error)),
                };
                let rows = after(&segment.notes, note_id, |note| note.note_id);
                return Ok(Page { rows, until, torn_until: None });
            }
            let notes = self.store.loose_notes_after(note_id, limit).await?;
            packed_until = self.store.packed_until().await?.1;
            if packed_until <= note_id {
                return Ok(Page::loose(notes, note_id, |note| note.note_id));
            }
        }
        Ok(Page::gone(packed_until))
    }

    /// The first note that can be read.
    pub async fn first_note(&self) -> Result<Option<StoredNote>, ShelfError> {
        let mut place = 0;
        loop {
            let page = self.notes_after(place, 1).await?;
            if page.is_end() || !page.rows.is_empty() {
                return Ok(page.rows.into_iter().next());
            }
            place = page.until;
        }
    }

    /// The last note of `at` or before.
    pub async fn note_at(&self, at: Timestamp) -> Result<Option<StoredNote>, ShelfError> {
        if let Some(note) = self.store.loose_note_at(at).await? {
            return Ok(Some(note));
        }
        let Some(body) = self.store.segment_with_note_at(at).await? else { return Ok(None) };
        let segment = self.read(body).await??;
        let until = segment.notes.iter().filter(|note| note.note.at <= at);
        // A clock that was set back tells a time twice.
        Ok(until.max_by_key(|note| (note.note.at, note.note_id)).cloned())
    }

    async fn read(&self, body: SegmentBody) -> Result<Result<Arc<Segment>, SegmentError>, ShelfError> {
        let key = (body.last_event_id, body.last_note_id);
        let find = |unpacked: &VecDeque<Unpacked>| unpacked.iter().find(|(of, _)| *of == key).cloned();
        if let Some((_, segment)) = find(&self.unpacked()) {
            return Ok(Ok(segment));
        }
        // Milliseconds of work, which must not hold up whoever shares the thread.
        let read = tokio::task::spawn_blocking(move || unpack(&body));
        let segment = match read.await.map_err(|_| ShelfError::GivenUp)? {
            Ok(segment) => Arc::new(segment),
            Err(error) => return Ok(Err(error)),
        };
        let mut unpacked = self.unpacked();
        unpacked.truncate(UNPACKED - 1);
        unpacked.push_front((key, Arc::clone(&segment)));
        Ok(Ok(segment))
    }

    fn unpacked(&self) -> MutexGuard<'_, VecDeque<Unpacked>> {
        self.unpacked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Those after a place.
fn after<T: Clone>(rows: &[T], place: i64, id: impl Fn(&T) -> i64) -> Vec<T> {
    rows[rows.partition_point(|row| id(row) <= place)..].to_vec()
}
