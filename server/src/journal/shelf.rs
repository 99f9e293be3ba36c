//! The whole journal for reading, whether its rows stand loose or in segments.
//!
//! Rows move into segments while they are read: who finds none of one kind looks for the other again. What is
//! gone or cannot be read is passed over, and said.

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

/// Reads the journal.
#[derive(Debug, Clone)]
pub struct Shelf {
    store: Store,
}

/// The next rows of one kind.
#[derive(Debug)]
pub struct Page<T> {
    /// The rows, oldest first: of loose ones at most as many as asked for, of a segment all.
    pub rows: Vec<T>,
    /// Where they end.
    pub until: i64,
    /// Rows before or among these are not there, or cannot be read.
    pub is_torn: bool,
}

impl<T> Page<T> {
    /// What is next may be behind a part that cannot be read.
    pub fn is_end(&self) -> bool {
        self.rows.is_empty() && !self.is_torn
    }

    fn loose(rows: Vec<T>, after: i64, id: impl Fn(&T) -> i64) -> Self {
        Self { until: rows.last().map_or(after, id), rows, is_torn: false }
    }

    fn unreadable(until: i64, error: &SegmentError) -> Self {
        tracing::warn!(error = telemetry::chain(error), until, "a part of the journal is passed over");
        Self { rows: Vec::new(), until, is_torn: true }
    }
}

impl Shelf {
    /// The journal in that database.
    pub fn new(store: &Store) -> Self {
        Self { store: store.clone() }
    }

    /// The next events after a place.
    pub async fn events_after(&self, event_id: i64, limit: u32) -> Result<Page<StoredEvent>, ShelfError> {
        loop {
            if let Some(body) = self.store.segment_with_event_after(event_id).await? {
                let (until, begins_after) = (body.last_event_id, body.after_event_id);
                let mut events = match read(body).await? {
                    Ok(segment) => segment.events,
                    Err(error) => return Ok(Page::unreadable(until, &error)),
                };
                // Events in between were in a segment that is gone.
                let is_apart = events.first().is_some_and(|first| first.event_id > event_id + 1);
                let is_torn = is_apart && begins_after.is_none_or(|begins_after| begins_after > event_id);
                events.retain(|event| event.event_id > event_id);
                return Ok(Page { rows: events, until, is_torn });
            }
            let events = self.store.events_after(event_id, limit).await?;
            if self.store.packed_until().await?.0 <= event_id {
                return Ok(Page::loose(events, event_id, |event| event.event_id));
            }
        }
    }

    /// The next notes after a place. Their places follow each other: whoever reads them sees which are gone.
    pub async fn notes_after(&self, note_id: i64, limit: u32) -> Result<Page<StoredNote>, ShelfError> {
        loop {
            if let Some(body) = self.store.segment_with_note_after(note_id).await? {
                let until = body.last_note_id;
                let mut notes = match read(body).await? {
                    Ok(segment) => segment.notes,
                    Err(error) => return Ok(Page::unreadable(until, &error)),
                };
                notes.retain(|note| note.note_id > note_id);
                return Ok(Page { rows: notes, until, is_torn: false });
            }
            let notes = self.store.loose_notes_after(note_id, limit).await?;
            if self.store.packed_until().await?.1 <= note_id {
                return Ok(Page::loose(notes, note_id, |note| note.note_id));
            }
        }
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
        for body in self.store.segments_with_note_at(at).await? {
            let notes = read(body).await??.notes;
            let found = notes.into_iter().filter(|note| note.note.at <= at).max_by_key(|note| {
                // A clock that was set back tells a time twice.
                (note.note.at, note.note_id)
            });
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

/// Milliseconds of work, which must not hold up whoever shares the thread.
async fn read(body: SegmentBody) -> Result<Result<Segment, SegmentError>, ShelfError> {
    tokio::task::spawn_blocking(move || unpack(&body)).await.map_err(|_| ShelfError::GivenUp)
}
