//! Notes of the keeper: what the board went by besides events, second by second.

use domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;

use super::{Store, StoreError};

/// A note to write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteRow {
    /// When it held; of the publication it belongs to.
    pub at: Timestamp,
    /// The run of the server.
    pub epoch: u64,
    /// The publication.
    pub revision: u64,
    /// The newest event the board had.
    pub event_id: i64,
    /// When the feed was last heard.
    pub heard_at: Option<Timestamp>,
    /// When the newest event had arrived.
    pub newest_fact_at: Option<Timestamp>,
    /// What else was told since the note before, as its writer writes it.
    pub told: Option<String>,
    /// Of what was published, for a note now and then.
    pub digest: Option<i64>,
}

/// A note on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredNote {
    /// Its place.
    pub note_id: i64,
    /// The note.
    pub note: NoteRow,
}

#[derive(sqlx::FromRow)]
struct Row {
    note_id: i64,
    at: i64,
    epoch: i64,
    revision: i64,
    event_id: i64,
    heard_at: Option<i64>,
    newest_fact_at: Option<i64>,
    told: Option<String>,
    digest: Option<i64>,
}

impl From<Row> for StoredNote {
    fn from(row: Row) -> Self {
        let note = NoteRow {
            at: Timestamp::from_millis(row.at),
            epoch: row.epoch.unsigned_abs(),
            revision: row.revision.unsigned_abs(),
            event_id: row.event_id,
            heard_at: row.heard_at.map(Timestamp::from_millis),
            newest_fact_at: row.newest_fact_at.map(Timestamp::from_millis),
            told: row.told,
            digest: row.digest,
        };
        Self { note_id: row.note_id, note }
    }
}

pub(super) const INSERT_NOTE: &str = "
    insert into board_note (at, epoch, revision, event_id, heard_at, newest_fact_at, told, digest)
    values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

pub(super) const NOTE_AT: &str = "
    select note_id, at, epoch, revision, event_id, heard_at, newest_fact_at, told, digest from board_note
    where at <= ?1 order by at desc, note_id desc limit 1";

pub(super) const NOTES_AFTER: &str = "
    select note_id, at, epoch, revision, event_id, heard_at, newest_fact_at, told, digest from board_note
    where note_id > ?1 order by note_id limit ?2";

pub(super) const NEWEST_NOTE: &str = "
    select note_id, at, epoch, revision, event_id, heard_at, newest_fact_at, told, digest from board_note
    order by note_id desc limit 1";

pub(super) const FIRST_NOTE: &str = "
    select note_id, at, epoch, revision, event_id, heard_at, newest_fact_at, told, digest from board_note
    order by note_id limit 1";

pub(super) async fn write(connection: &mut SqliteConnection, note: &NoteRow) -> Result<(), sqlx::Error> {
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    sqlx::query(INSERT_NOTE)
        .bind(note.at.as_millis())
        .bind(signed(note.epoch))
        .bind(signed(note.revision))
        .bind(note.event_id)
        .bind(note.heard_at.map(Timestamp::as_millis))
        .bind(note.newest_fact_at.map(Timestamp::as_millis))
        .bind(note.told.clone())
        .bind(note.digest)
        .execute(connection)
        .await?;
    Ok(())
}

impl Store {
    /// The last note of `at` or before that is not in a segment.
    pub async fn loose_note_at(&self, at: Timestamp) -> Result<Option<StoredNote>, StoreError> {
        let row: Option<Row> = sqlx::query_as(NOTE_AT)
            .bind(at.as_millis())
            .fetch_optional(&self.readers)
            .await
            .map_err(StoreError::read("the note of an instant"))?;
        Ok(row.map(StoredNote::from))
    }

    /// At most `limit` notes after `note_id` that are in no segment, oldest first.
    pub async fn loose_notes_after(&self, note_id: i64, limit: u32) -> Result<Vec<StoredNote>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(NOTES_AFTER)
            .bind(note_id)
            .bind(limit)
            .fetch_all(&self.readers)
            .await
            .map_err(StoreError::read("a page of notes"))?;
        Ok(rows.into_iter().map(StoredNote::from).collect())
    }

    /// The newest note that is in no segment.
    pub async fn newest_note(&self) -> Result<Option<StoredNote>, StoreError> {
        self.loose_note(NEWEST_NOTE).await
    }

    /// The oldest note that is in no segment.
    pub(super) async fn first_loose_note(&self) -> Result<Option<StoredNote>, StoreError> {
        self.loose_note(FIRST_NOTE).await
    }

    async fn loose_note(&self, statement: &'static str) -> Result<Option<StoredNote>, StoreError> {
        let row: Option<Row> = sqlx::query_as(statement)
            .fetch_optional(&self.readers)
            .await
            .map_err(StoreError::read("a note"))?;
        Ok(row.map(StoredNote::from))
    }
}
