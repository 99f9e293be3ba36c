//! The whole journal for reading, whether its rows stand loose or in segments.
//!
//! Rows move into segments while they are read: who finds none of one kind looks for the other again.

use domain::time::Timestamp;

use super::segment::{Segment, SegmentError, unpack};
use crate::store::{SegmentBody, Store, StoreError, StoredEvent, StoredNote};

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

impl Shelf {
    /// The journal in that database.
    pub fn new(store: &Store) -> Self {
        Self { store: store.clone() }
    }

    /// The next events after a place, oldest first: of loose ones at most `limit`, of a segment all.
    pub async fn events_after(&self, event_id: i64, limit: u32) -> Result<Vec<StoredEvent>, ShelfError> {
        loop {
            if let Some(body) = self.store.segment_with_event_after(event_id).await? {
                let mut events = read(body).await?.events;
                events.retain(|event| event.event_id > event_id);
                return Ok(events);
            }
            let events = self.store.events_after(event_id, limit).await?;
            if self.store.packed_until().await?.0 <= event_id {
                return Ok(events);
            }
        }
    }

    /// The next notes after a place, oldest first: of loose ones at most `limit`, of a segment all.
    pub async fn notes_after(&self, note_id: i64, limit: u32) -> Result<Vec<StoredNote>, ShelfError> {
        loop {
            if let Some(body) = self.store.segment_with_note_after(note_id).await? {
                let mut notes = read(body).await?.notes;
                notes.retain(|note| note.note_id > note_id);
                return Ok(notes);
            }
            let notes = self.store.loose_notes_after(note_id, limit).await?;
            if self.store.packed_until().await?.1 <= note_id {
                return Ok(notes);
            }
        }
    }

    /// The last note of `at` or before.
    pub async fn note_at(&self, at: Timestamp) -> Result<Option<StoredNote>, ShelfError> {
        if let Some(note) = self.store.loose_note_at(at).await? {
            return Ok(Some(note));
        }
        for body in self.store.segments_with_note_at(at).await? {
            let notes = read(body).await?.notes;
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
async fn read(body: SegmentBody) -> Result<Segment, ShelfError> {
    let read = tokio::task::spawn_blocking(move || unpack(&body)).await;
    Ok(read.map_err(|_| ShelfError::GivenUp)??)
}
