//! Segments: events and notes older than a day, some thousand together as one compressed body. And
//! snapshots of the board, from which few of them lead to any instant.
//!
//! What is in a body is its writer's matter (`journal::segment`).

use domain::time::Timestamp;
use sqlx::SqliteConnection;

use super::{Source, Store, StoreError};

/// What takes the place of rows of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentRow {
    /// The last event of the segment before.
    pub after_event_id: i64,
    /// It holds the events after the segment before, up to this one.
    pub last_event_id: i64,
    /// It holds the notes after the segment before, up to this one.
    pub last_note_id: i64,
    /// When the first of it came.
    pub began_at: Timestamp,
    /// When the last of it came.
    pub ended_at: Timestamp,
    /// When the first of its notes was taken: its events may be from another time.
    pub first_note_at: Option<Timestamp>,
    /// Of the form of the body.
    pub form: i64,
    /// How many events.
    pub event_count: i64,
    /// How many notes.
    pub note_count: i64,
    /// Bytes of the events' texts.
    pub text_bytes: i64,
    /// Which dictionary the body needs; 0 for none.
    pub dictionary_id: i64,
    /// A dictionary that is written with it.
    pub new_dictionary: Option<Vec<u8>>,
    /// The body.
    pub body: Vec<u8>,
}

/// A compressed body and what reads it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct SegmentBody {
    /// Where it ends.
    pub last_event_id: i64,
    /// Where it ends.
    pub last_note_id: i64,
    /// After which event it begins; `None` when that is not known.
    pub after_event_id: Option<i64>,
    /// Of the form of the body.
    pub form: i64,
    /// The body.
    pub body: Vec<u8>,
    /// Its dictionary.
    pub dictionary: Option<Vec<u8>>,
}

/// An event on its way into a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LooseEvent {
    /// Its place.
    pub event_id: i64,
    /// When it arrived.
    pub received_at: Timestamp,
    /// By which way.
    pub source: Source,
    /// Its own text.
    pub raw: String,
}

/// A snapshot to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRow {
    /// It is of the board after this note.
    pub note_id: i64,
    /// When that was.
    pub at: Timestamp,
    /// It has the events up to this one.
    pub event_id: i64,
    /// Of the form of the body.
    pub version: i64,
    /// The body.
    pub body: Vec<u8>,
}

/// Where a snapshot stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotPlace {
    /// It is of the board after this note.
    pub note_id: i64,
    /// When that was.
    pub at: Timestamp,
    /// It has the events up to this one.
    pub event_id: i64,
}

/// What to write of the archive.
#[derive(Debug)]
pub enum ArchiveOrder {
    /// A segment takes the place of its rows.
    Pack(SegmentRow),
    /// A snapshot was taken.
    Snapshot(SnapshotRow),
    /// What only tells of times before this is forgotten.
    Forget {
        /// No instant before is shown any more.
        horizon: Timestamp,
        /// Keys of events that arrived before are forgotten.
        keys_before: Timestamp,
        /// Snapshots of other versions are forgotten.
        version: i64,
    },
}

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ArchiveSize {
    /// Events in segments.
    pub packed_events: i64,
    /// Bytes of their texts.
    pub text_bytes: i64,
    /// Bytes of the segments.
    pub packed_bytes: i64,
    /// Snapshots.
    pub snapshots: i64,
    /// Bytes of them.
    pub snapshot_bytes: i64,
    /// The earliest instant that can be shown.
    pub since: Option<Timestamp>,
    /// Bytes of the whole database.
    pub database_bytes: i64,
}

pub(super) const LOOSE_EVENTS: &str = "
    select event_id, received_at, source, raw from event where event_id > ?1 order by event_id limit ?2";

pub(super) const PACKED_UNTIL: &str = "
    select last_event_id, last_note_id from segment order by segment_id desc limit 1";

pub(super) const SEGMENT_WITH_EVENT_AFTER: &str = "
    select last_event_id, last_note_id, after_event_id, form, segment.body,
        (select body from segment_dictionary d where d.dictionary_id = segment.dictionary_id) as dictionary
    from segment where last_event_id > ?1 and event_count > 0 order by last_event_id limit 1";

pub(super) const SEGMENT_WITH_NOTE_AFTER: &str = "
    select last_event_id, last_note_id, after_event_id, form, segment.body,
        (select body from segment_dictionary d where d.dictionary_id = segment.dictionary_id) as dictionary
    from segment where last_note_id > ?1 and note_count > 0 order by last_note_id limit 1";

/// By its notes, which its events may lag behind.
pub(super) const SEGMENT_WITH_NOTE_AT: &str = "
    select last_event_id, last_note_id, after_event_id, form, segment.body,
        (select body from segment_dictionary d where d.dictionary_id = segment.dictionary_id) as dictionary
    from segment where first_note_at <= ?1 order by first_note_at desc, segment_id desc limit 1";

pub(super) const INSERT_SEGMENT: &str = "
    insert into segment (last_event_id, last_note_id, began_at, ended_at, event_count, note_count, text_bytes,
        dictionary_id, body, first_note_at, form, after_event_id)
    values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";

pub(super) const INSERT_DICTIONARY: &str = "
    insert into segment_dictionary (dictionary_id, body) values (?1, ?2) on conflict do nothing";

pub(super) const NEWEST_DICTIONARY: &str = "
    select dictionary_id, body from segment_dictionary order by dictionary_id desc limit 1";

pub(super) const KEEP_KEYS: &str = "
    insert into packed_key (key, received_at)
    select key, received_at from event where event_id <= ?1 and source = 'rest'
    on conflict do nothing";

pub(super) const DROP_EVENTS: &str = "delete from event where event_id <= ?1";

pub(super) const DROP_NOTES: &str = "delete from board_note where note_id <= ?1";

pub(super) const INSERT_SNAPSHOT: &str = "
    insert into board_snapshot (note_id, at, event_id, version, body) values (?1, ?2, ?3, ?4, ?5)
    on conflict (note_id) do update set version = excluded.version, body = excluded.body";

pub(super) const SNAPSHOT_BEFORE: &str = "
    select note_id, at, event_id, version, body from board_snapshot
    where note_id <= ?1 and version = ?2 order by note_id desc limit 1";

pub(super) const NEWEST_SNAPSHOT: &str = "
    select note_id, at, event_id from board_snapshot where version = ?1 order by note_id desc limit 1";

/// The newest that all kept instants come after stays: they are reached from it. Few at a time: events wait
/// meanwhile.
pub(super) const FORGET_SNAPSHOTS: &str = "
    delete from board_snapshot where note_id in (
        select note_id from board_snapshot where version <> ?2
        or note_id < (select note_id from board_snapshot where at <= ?1 order by at desc limit 1)
        limit 50
    )";

/// A segment's notes may lie before a snapshot and its events still be told after it.
pub(super) const FORGET_SEGMENTS: &str = "
    delete from segment where segment_id in (
        select segment_id from segment where ended_at < ?1
        and last_note_id <= (select min(note_id) from board_snapshot)
        and last_event_id <= (select min(event_id) from board_snapshot)
        limit 50
    )";

pub(super) const FORGET_KEYS: &str = "delete from packed_key where received_at < ?1";

pub(super) const SIZE: &str = "
    select count(*) as segments, coalesce(sum(event_count), 0), coalesce(sum(text_bytes), 0),
        coalesce(sum(length(body)), 0)
    from segment";

pub(super) const SNAPSHOT_SIZE: &str = "
    select count(*), coalesce(sum(length(body)), 0) from board_snapshot";

pub(super) const SNAPSHOT_SINCE: &str = "select min(at) from board_snapshot";

pub(super) const DATABASE_SIZE: &str = "
    select page_count * page_size from pragma_page_count(), pragma_page_size()";

/// Readings of a record that moved into a segment are no news. Events that come by themselves are never
/// repeated that late.
pub(super) const REFUSE_PACKED: &str = "
    delete from event where event_id between ?1 and ?2 and source = 'rest'
    and key in (select key from packed_key)";

pub(super) async fn write(
    connection: &mut SqliteConnection,
    order: &ArchiveOrder,
) -> Result<(), sqlx::Error> {
    match order {
        ArchiveOrder::Pack(segment) => write_segment(connection, segment).await,
        ArchiveOrder::Snapshot(snapshot) => {
            sqlx::query(INSERT_SNAPSHOT)
                .bind(snapshot.note_id)
                .bind(snapshot.at.as_millis())
                .bind(snapshot.event_id)
                .bind(snapshot.version)
                .bind(snapshot.body.clone())
                .execute(connection)
                .await?;
            Ok(())
        }
        ArchiveOrder::Forget { horizon, keys_before, version } => {
            let horizon = horizon.as_millis();
            sqlx::query(FORGET_SNAPSHOTS).bind(horizon).bind(version).execute(&mut *connection).await?;
            sqlx::query(FORGET_SEGMENTS).bind(horizon).execute(&mut *connection).await?;
            sqlx::query(FORGET_KEYS).bind(keys_before.as_millis()).execute(connection).await?;
            Ok(())
        }
    }
}

async fn write_segment(connection: &mut SqliteConnection, segment: &SegmentRow) -> Result<(), sqlx::Error> {
    if let Some(dictionary) = &segment.new_dictionary {
        sqlx::query(INSERT_DICTIONARY)
            .bind(segment.dictionary_id)
            .bind(dictionary.clone())
            .execute(&mut *connection)
            .await?;
    }
    sqlx::query(INSERT_SEGMENT)
        .bind(segment.last_event_id)
        .bind(segment.last_note_id)
        .bind(segment.began_at.as_millis())
        .bind(segment.ended_at.as_millis())
        .bind(segment.event_count)
        .bind(segment.note_count)
        .bind(segment.text_bytes)
        .bind(segment.dictionary_id)
        .bind(segment.body.clone())
        .bind(segment.first_note_at.map(Timestamp::as_millis))
        .bind(segment.form)
        .bind(segment.after_event_id)
        .execute(&mut *connection)
        .await?;
    sqlx::query(KEEP_KEYS).bind(segment.last_event_id).execute(&mut *connection).await?;
    sqlx::query(DROP_EVENTS).bind(segment.last_event_id).execute(&mut *connection).await?;
    sqlx::query(DROP_NOTES).bind(segment.last_note_id).execute(connection).await?;
    Ok(())
}

impl Store {
    /// At most `limit` events after `event_id` that are in no segment.
    pub async fn loose_events_after(&self, event_id: i64, limit: u32) -> Result<Vec<LooseEvent>, StoreError> {
        let rows: Vec<(i64, i64, String, String)> = sqlx::query_as(LOOSE_EVENTS)
            .bind(event_id)
            .bind(limit)
            .fetch_all(&self.readers)
            .await
            .map_err(StoreError::read("events to pack"))?;
        let event = |(event_id, received_at, source, raw): (i64, i64, String, String)| LooseEvent {
            event_id,
            received_at: Timestamp::from_millis(received_at),
            source: Source::from_word(&source),
            raw,
        };
        Ok(rows.into_iter().map(event).collect())
    }

    /// The last event and the last note in segments, 0 where there are none.
    pub async fn packed_until(&self) -> Result<(i64, i64), StoreError> {
        let until: Option<(i64, i64)> = sqlx::query_as(PACKED_UNTIL)
            .fetch_optional(&self.readers)
            .await
            .map_err(StoreError::read("how far the journal is packed"))?;
        Ok(until.unwrap_or_default())
    }

    /// The segment with the first event after a place.
    pub async fn segment_with_event_after(&self, event_id: i64) -> Result<Option<SegmentBody>, StoreError> {
        sqlx::query_as(SEGMENT_WITH_EVENT_AFTER)
            .bind(event_id)
            .fetch_optional(&self.readers)
            .await
            .map_err(StoreError::read("a segment of the journal"))
    }

    /// The segment with the first note after a place.
    pub async fn segment_with_note_after(&self, note_id: i64) -> Result<Option<SegmentBody>, StoreError> {
        sqlx::query_as(SEGMENT_WITH_NOTE_AFTER)
            .bind(note_id)
            .fetch_optional(&self.readers)
            .await
            .map_err(StoreError::read("a segment of notes"))
    }

    /// The segment with the last note of `at` or before.
    pub async fn segment_with_note_at(&self, at: Timestamp) -> Result<Option<SegmentBody>, StoreError> {
        sqlx::query_as(SEGMENT_WITH_NOTE_AT)
            .bind(at.as_millis())
            .fetch_optional(&self.readers)
            .await
            .map_err(StoreError::read("the segment of an instant"))
    }

    /// The newest dictionary and its id.
    pub async fn newest_dictionary(&self) -> Result<Option<(i64, Vec<u8>)>, StoreError> {
        sqlx::query_as(NEWEST_DICTIONARY)
            .fetch_optional(&self.readers)
            .await
            .map_err(StoreError::read("the dictionary of segments"))
    }

    /// The newest snapshot of that version after a note no later than `note_id`.
    pub async fn snapshot_before(
        &self,
        note_id: i64,
        version: i64,
    ) -> Result<Option<SnapshotRow>, StoreError> {
        let row: Option<(i64, i64, i64, i64, Vec<u8>)> = sqlx::query_as(SNAPSHOT_BEFORE)
            .bind(note_id)
            .bind(version)
            .fetch_optional(&self.readers)
            .await
            .map_err(StoreError::read("a snapshot of the board"))?;
        Ok(row.map(|(note_id, at, event_id, version, body)| SnapshotRow {
            note_id,
            at: Timestamp::from_millis(at),
            event_id,
            version,
            body,
        }))
    }

    /// Note, instant and newest event of the newest snapshot of that version.
    pub async fn newest_snapshot(&self, version: i64) -> Result<Option<SnapshotPlace>, StoreError> {
        let row: Option<(i64, i64, i64)> = sqlx::query_as(NEWEST_SNAPSHOT)
            .bind(version)
            .fetch_optional(&self.readers)
            .await
            .map_err(StoreError::read("the place of the newest snapshot"))?;
        Ok(row.map(|(note_id, at, event_id)| SnapshotPlace {
            note_id,
            at: Timestamp::from_millis(at),
            event_id,
        }))
    }

    /// The earliest instant that can be shown; `None` when there is none.
    pub async fn shown_since(&self) -> Result<Option<Timestamp>, StoreError> {
        let oldest: Option<i64> = sqlx::query_scalar(SNAPSHOT_SINCE)
            .fetch_one(&self.readers)
            .await
            .map_err(StoreError::read("the first snapshot"))?;
        let first_note = self.first_loose_note().await?.map(|note| note.note.at);
        Ok(oldest.map(Timestamp::from_millis).into_iter().chain(first_note).min())
    }

    /// How much is kept.
    pub async fn archive_size(&self) -> Result<ArchiveSize, StoreError> {
        let read = || StoreError::read("the size of the archive");
        let (_, packed_events, text_bytes, packed_bytes): (i64, i64, i64, i64) =
            sqlx::query_as(SIZE).fetch_one(&self.readers).await.map_err(read())?;
        let (snapshots, snapshot_bytes): (i64, i64) =
            sqlx::query_as(SNAPSHOT_SIZE).fetch_one(&self.readers).await.map_err(read())?;
        let database_bytes: i64 =
            sqlx::query_scalar(DATABASE_SIZE).fetch_one(&self.readers).await.map_err(read())?;
        let since = self.shown_since().await?;
        Ok(ArchiveSize {
            packed_events,
            text_bytes,
            packed_bytes,
            snapshots,
            snapshot_bytes,
            since,
            database_bytes,
        })
    }
}
