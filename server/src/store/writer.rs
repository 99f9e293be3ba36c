//! The one writer: a batch is one transaction, durable when [`Writer::commit`] returns.

use std::{
    borrow::Borrow,
    collections::HashSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use domain::time::Timestamp;
use sqlx::{Connection, SqliteConnection};

use super::{
    ArchiveOrder, Checkpointer, DirectoryChange, FolderLock, HistoryBatch, Installation, NoteRow,
    RecordBatch, RequestCount, Source, StoreError, StoredEvent, WalkOrder, directory, event, note, options,
    record, request, segment, visit, walk,
};
use crate::Purpose;

/// Writes the database; there is one.
#[derive(Debug)]
pub struct Writer {
    connection: SqliteConnection,
    file: PathBuf,
    /// Which file that was at the start.
    identity: Option<FileIdentity>,
    next_event_id: i64,
    _folder: Arc<FolderLock>,
}

/// What is written together.
#[derive(Debug, Default)]
pub struct Batch {
    /// Events, keys distinct.
    pub events: Vec<EventRow>,
    /// Messages that could not be understood.
    pub quarantined: Vec<QuarantineRow>,
    /// Orders about gaps, in order.
    pub gaps: Vec<GapOrder>,
    /// A new last proof of life.
    pub pulse: Option<Timestamp>,
    /// What calls did in queues, in order.
    pub history: Vec<Arc<HistoryBatch>>,
    /// What the board went by, in order.
    pub notes: Vec<NoteRow>,
    /// What becomes of what is old, in order.
    pub archive: Vec<ArchiveOrder>,
    /// Records as rows, in order.
    pub records: Vec<Arc<RecordBatch>>,
    /// How the walk through the record goes, in order.
    pub walk: Vec<WalkOrder>,
    /// Counts of REST requests.
    pub requests: Vec<RequestCount>,
    /// What was read of the account.
    pub directory: Vec<DirectoryChange>,
}

impl Batch {
    /// True when there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
            && self.quarantined.is_empty()
            && self.gaps.is_empty()
            && self.pulse.is_none()
            && self.history.is_empty()
            && self.notes.is_empty()
            && self.archive.is_empty()
            && self.walk.is_empty()
            && self.records.is_empty()
            && self.requests.is_empty()
            && self.directory.is_empty()
    }
}

/// An event to write.
#[derive(Debug)]
pub struct EventRow {
    /// What makes it the same event.
    pub key: [u8; 16],
    /// When it arrived.
    pub received_at: Timestamp,
    /// By which way it came.
    pub source: Source,
    /// The event's name.
    pub name: Arc<str>,
    /// The call, where named.
    pub call_id: Option<Arc<str>>,
    /// The event's own text, lent to the database without another copy.
    pub raw: Arc<str>,
}

/// A message that could not be understood.
#[derive(Debug)]
pub struct QuarantineRow {
    /// When it arrived.
    pub received_at: Timestamp,
    /// By which way it came.
    pub source: Source,
    /// Why it could not be understood.
    pub reason: String,
    /// Its length.
    pub byte_count: u64,
    /// Its beginning.
    pub raw: Vec<u8>,
}

/// What to write about gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GapOrder {
    /// A gap begins; nothing happens while one is open.
    Open {
        /// Last proof of life.
        from: Timestamp,
        /// Why.
        cause: &'static str,
    },
    /// The open gap, if any, ends.
    Close {
        /// First proof of life.
        to: Timestamp,
    },
    /// The records of a gap have been read.
    Repaired {
        /// Which.
        gap_id: i64,
        /// When.
        at: Timestamp,
    },
    /// The records of a repaired gap have been read once more.
    ReadAgain {
        /// Which.
        gap_id: i64,
        /// When.
        at: Timestamp,
    },
    /// A gap that is over.
    Past {
        /// First event that was lost.
        from: Timestamp,
        /// Last event that was lost.
        to: Timestamp,
        /// Why.
        cause: &'static str,
    },
}

/// What a commit did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// Place of the batch's first event; the others follow one by one.
    pub first_event_id: i64,
    /// Places that stayed empty because the event had been written before.
    pub refused: HashSet<i64>,
}

macro_rules! row {
    () => {
        "(?, ?, ?, ?, ?, ?, ?)"
    };
}

macro_rules! times_4 {
    ($text:expr) => {
        concat!($text, ",", $text, ",", $text, ",", $text)
    };
}

macro_rules! insert_events {
    ($rows:expr) => {
        concat!(
            "insert into event (event_id, key, received_at, source, name, call_id, raw) values ",
            $rows,
            " on conflict (key) do nothing"
        )
    };
}

// One statement per row costs a trip to SQLite's thread each; one per batch of any size would have
// to be prepared anew each time. These sizes stay prepared.
pub(super) const INSERT_256: &str = insert_events!(times_4!(times_4!(times_4!(times_4!(row!())))));
pub(super) const INSERT_64: &str = insert_events!(times_4!(times_4!(times_4!(row!()))));
pub(super) const INSERT_16: &str = insert_events!(times_4!(times_4!(row!())));
pub(super) const INSERT_4: &str = insert_events!(times_4!(row!()));
pub(super) const INSERT_1: &str = insert_events!(row!());

pub(super) const WRITTEN: &str = "select event_id from event where event_id between ?1 and ?2";

pub(super) const INSERT_QUARANTINED: &str = "
    insert into quarantine (received_at, source, reason, byte_count, raw) values (?1, ?2, ?3, ?4, ?5)";

/// The newest 10,000 stay.
pub(super) const TRIM_QUARANTINE: &str = "
    delete from quarantine where quarantine_id <= (select max(quarantine_id) from quarantine) - 10000";

pub(super) const OPEN_GAP: &str = "
    insert into feed_gap (began_at, cause) values (?1, ?2) on conflict do nothing";

/// An end before the beginning only happens when the clock was set back.
pub(super) const CLOSE_GAP: &str = "
    update feed_gap set ended_at = max(began_at, ?1) where ended_at is null";

pub(super) const INSERT_GAP: &str = "
    insert into feed_gap (began_at, ended_at, cause) values (?1, max(?1, ?2), ?3)";

pub(super) const REPAIR_GAP: &str = "
    update feed_gap set repaired_at = ?2 where feed_gap_id = ?1 and repaired_at is null";

pub(super) const READ_GAP_AGAIN: &str = "
    update feed_gap set read_again_at = ?2 where feed_gap_id = ?1 and read_again_at is null";

pub(super) const WRITE_PULSE: &str = "
    insert into feed_pulse (feed_pulse_id, heard_at) values (1, ?1)
    on conflict (feed_pulse_id) do update set heard_at = excluded.heard_at";

pub(super) const RECENT_KEYS: &str = "
    select key from event where received_at >= ?1 order by received_at desc limit ?2";

pub(super) const FOLD: &str = "pragma wal_checkpoint(truncate)";

pub(super) const INSTALLATION: &str = "select installation_id, created_at, purpose from installation";

pub(super) const INSTALL: &str =
    "insert into installation (installation_id, created_at, purpose) values (?1, ?2, ?3)";

/// Changes nothing.
pub(super) const TOUCH: &str = "update installation set purpose = purpose";

impl Writer {
    pub(super) async fn connect(file: &Path, folder: Arc<FolderLock>) -> Result<Self, StoreError> {
        let connection = connect(file, IfMissing::Create).await?;
        let (file, identity) = (file.to_path_buf(), FileIdentity::of(file));
        Ok(Self { connection, file, identity, next_event_id: 1, _folder: folder })
    }

    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    /// Who folds the log while this writes.
    pub async fn checkpointer(&self) -> Result<Checkpointer, StoreError> {
        Ok(Checkpointer::new(connect(&self.file, IfMissing::Fail).await?))
    }

    /// Which database this is, made up when it is new.
    pub(super) async fn installation(
        &mut self,
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<Installation, StoreError> {
        let what = "the installation";
        let known: Option<(String, i64, String)> = sqlx::query_as(INSTALLATION)
            .fetch_optional(&mut self.connection)
            .await
            .map_err(StoreError::read(what))?;
        if let Some((id, created_at, made_for)) = known {
            if made_for != purpose.word() {
                return Err(StoreError::OtherPurpose { file: self.file.clone(), purpose });
            }
            return Ok(Installation { id, created_at: Timestamp::from_millis(created_at) });
        }
        let id = uuid::Uuid::new_v4().to_string();
        sqlx::query(INSTALL)
            .bind(&id)
            .bind(now.as_millis())
            .bind(purpose.word())
            .execute(&mut self.connection)
            .await
            .map_err(StoreError::write(what))?;
        Ok(Installation { id, created_at: now })
    }

    /// SQLite opens what it may not write for reading and says nothing until the first write.
    pub(super) async fn prove_writable(&mut self) -> Result<(), StoreError> {
        match sqlx::query(TOUCH).execute(&mut self.connection).await {
            Ok(_) => Ok(()),
            Err(source) => Err(StoreError::Open { file: self.file.clone(), source }),
        }
    }

    /// Finds the place of the next event.
    pub(super) async fn resume(&mut self) -> Result<(), StoreError> {
        let last: Option<i64> = sqlx::query_scalar(event::LAST)
            .fetch_one(&mut self.connection)
            .await
            .map_err(StoreError::read("the journal's last place"))?;
        self.next_event_id = last.unwrap_or(0) + 1;
        Ok(())
    }

    /// Writes all of `batch` or nothing of it.
    pub async fn commit(&mut self, batch: impl Borrow<Batch>) -> Result<Committed, StoreError> {
        self.prove_in_place()?;
        self.write(batch.borrow()).await.map_err(StoreError::write("a batch of the journal"))
    }

    /// An open file that was removed takes everything and keeps nothing.
    fn prove_in_place(&self) -> Result<(), StoreError> {
        if FileIdentity::of(&self.file) == self.identity {
            Ok(())
        } else {
            Err(StoreError::Gone { file: self.file.clone() })
        }
    }

    async fn write(&mut self, batch: &Batch) -> Result<Committed, sqlx::Error> {
        let first_event_id = self.next_event_id;
        let mut transaction = self.connection.begin_with("begin immediate").await?;
        let count = batch.events.len();
        let last_event_id = first_event_id + i64::try_from(count).unwrap_or(0) - 1;
        let mut inserted = insert_events(&mut transaction, first_event_id, &batch.events).await?;
        if batch.events.iter().any(|event| event.source == Source::Rest) {
            let packed = sqlx::query(segment::REFUSE_PACKED)
                .bind(first_event_id)
                .bind(last_event_id)
                .execute(&mut *transaction)
                .await?;
            inserted -= packed.rows_affected();
        }
        let mut refused = HashSet::new();
        if inserted < count as u64 {
            let written: Vec<i64> = sqlx::query_scalar(WRITTEN)
                .bind(first_event_id)
                .bind(last_event_id)
                .fetch_all(&mut *transaction)
                .await?;
            refused = (first_event_id..=last_event_id).collect();
            for event_id in &written {
                refused.remove(event_id);
            }
        }
        if !batch.quarantined.is_empty() {
            for row in &batch.quarantined {
                sqlx::query(INSERT_QUARANTINED)
                    .bind(row.received_at.as_millis())
                    .bind(row.source.word())
                    .bind(row.reason.clone())
                    .bind(i64::try_from(row.byte_count).unwrap_or(i64::MAX))
                    .bind(row.raw.clone())
                    .execute(&mut *transaction)
                    .await?;
            }
            sqlx::query(TRIM_QUARANTINE).execute(&mut *transaction).await?;
        }
        for order in &batch.gaps {
            write_gap(&mut transaction, order).await?;
        }
        if let Some(heard_at) = batch.pulse {
            sqlx::query(WRITE_PULSE).bind(heard_at.as_millis()).execute(&mut *transaction).await?;
        }
        for records in &batch.records {
            record::write_records(&mut transaction, records).await?;
        }
        for order in batch.walk.clone() {
            walk::write_walk(&mut transaction, order).await?;
        }
        for history in &batch.history {
            visit::write_history(&mut transaction, history).await?;
        }
        for row in &batch.notes {
            note::write(&mut transaction, row).await?;
        }
        for order in &batch.archive {
            segment::write(&mut transaction, order).await?;
        }
        request::write(&mut transaction, batch.requests.clone()).await?;
        for change in batch.directory.clone() {
            directory::write(&mut transaction, change).await?;
        }
        transaction.commit().await?;
        self.next_event_id = last_event_id + 1;
        Ok(Committed { first_event_id, refused })
    }

    /// Starts afresh after a failed commit, whose outcome is not known: a new connection reads the
    /// file as it is. Returns the events that were written after all.
    pub async fn reopen(&mut self) -> Result<Vec<StoredEvent>, StoreError> {
        self.prove_in_place()?;
        // A file that is gone must not come back empty.
        let connection = connect(&self.file, IfMissing::Fail).await?;
        // The old connection may be stuck in an error; its outcome no longer matters.
        drop(std::mem::replace(&mut self.connection, connection));
        let unknown: Vec<StoredEvent> = sqlx::query_as(event::PAGE)
            .bind(self.next_event_id - 1)
            .bind(i64::MAX)
            .fetch_all(&mut self.connection)
            .await
            .map_err(StoreError::read("the end of the journal"))?;
        self.resume().await?;
        Ok(unknown)
    }

    /// Keys of events received at `from` or later, at most the newest `limit`, newest first.
    pub async fn recent_keys(&mut self, from: Timestamp, limit: u32) -> Result<Vec<[u8; 16]>, StoreError> {
        let keys: Vec<Vec<u8>> = sqlx::query_scalar(RECENT_KEYS)
            .bind(from.as_millis())
            .bind(limit)
            .fetch_all(&mut self.connection)
            .await
            .map_err(StoreError::read("the recent keys of the journal"))?;
        Ok(keys.into_iter().filter_map(|key| key.try_into().ok()).collect())
    }

    /// Ends the writer after folding the log into the file. SQLite does so by itself for the last
    /// connection only, and a reader whose query was cut off ends a moment after this.
    pub async fn close(mut self) -> Result<(), StoreError> {
        sqlx::query(FOLD)
            .execute(&mut self.connection)
            .await
            .map_err(StoreError::write("the end of the log"))?;
        self.connection.close().await.map_err(StoreError::write("the end of the log"))
    }
}

/// Tells a file from another one under the same name; `None` where there is none, and on systems without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileIdentity {
    device: u64,
    number: u64,
}

impl FileIdentity {
    #[cfg(unix)]
    fn of(file: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let file = std::fs::metadata(file).ok()?;
        Some(Self { device: file.dev(), number: file.ino() })
    }

    #[cfg(not(unix))]
    fn of(_: &Path) -> Option<Self> {
        None
    }
}

/// What to do when the database file is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IfMissing {
    Create,
    Fail,
}

async fn connect(file: &Path, if_missing: IfMissing) -> Result<SqliteConnection, StoreError> {
    let options = options(file)
        .create_if_missing(if_missing == IfMissing::Create)
        // Keys begin with their time, so that few pages of their index are written to at any time. SQLite counts
        // negative numbers in KiB.
        .pragma("cache_size", "-16384")
        // The writer's own checkpoints, in pages: rare, and most is done by the checkpointer before.
        .pragma("wal_autocheckpoint", "16000")
        .pragma("journal_size_limit", "134217728");
    SqliteConnection::connect_with(&options)
        .await
        .map_err(|source| StoreError::Open { file: file.to_path_buf(), source })
}

/// Writes `events` to consecutive places and returns how many were new.
async fn insert_events(
    connection: &mut SqliteConnection,
    first_event_id: i64,
    events: &[EventRow],
) -> Result<u64, sqlx::Error> {
    // Words that are lent are copied for every row.
    let [socket, webhook, rest] =
        [Source::Socket, Source::Webhook, Source::Rest].map(|source| Arc::<str>::from(source.word()));
    let word = |source| match source {
        Source::Socket => &socket,
        Source::Webhook => &webhook,
        Source::Rest => &rest,
    };
    let mut left = events.len();
    let mut rows = (first_event_id..).zip(events);
    let mut inserted = 0;
    while left > 0 {
        let (statement, size) = match left {
            256.. => (INSERT_256, 256),
            64.. => (INSERT_64, 64),
            16.. => (INSERT_16, 16),
            4.. => (INSERT_4, 4),
            _ => (INSERT_1, 1),
        };
        let mut query = sqlx::query(statement);
        for (event_id, event) in rows.by_ref().take(size) {
            query = query
                .bind(event_id)
                .bind(event.key.to_vec())
                .bind(event.received_at.as_millis())
                .bind(Arc::clone(word(event.source)))
                .bind(Arc::clone(&event.name))
                .bind(event.call_id.clone())
                .bind(Arc::clone(&event.raw));
        }
        inserted += query.execute(&mut *connection).await?.rows_affected();
        left -= size;
    }
    Ok(inserted)
}

async fn write_gap(connection: &mut SqliteConnection, order: &GapOrder) -> Result<(), sqlx::Error> {
    let query = match *order {
        GapOrder::Open { from, cause } => sqlx::query(OPEN_GAP).bind(from.as_millis()).bind(cause),
        GapOrder::Close { to } => sqlx::query(CLOSE_GAP).bind(to.as_millis()),
        GapOrder::Repaired { gap_id, at } => sqlx::query(REPAIR_GAP).bind(gap_id).bind(at.as_millis()),
        GapOrder::ReadAgain { gap_id, at } => sqlx::query(READ_GAP_AGAIN).bind(gap_id).bind(at.as_millis()),
        GapOrder::Past { from, to, cause } => {
            sqlx::query(INSERT_GAP).bind(from.as_millis()).bind(to.as_millis()).bind(cause)
        }
    };
    query.execute(connection).await?;
    Ok(())
}
