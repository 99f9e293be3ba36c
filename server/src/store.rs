//! The database: one SQLite file, one writer, any number of readers. All SQL is below this module.
//!
//! [`Store::open`] gives two halves: the [`Store`] reads and can be cloned; the one [`Writer`]
//! belongs to the journal's task. Both keep the folder locked for this process.

mod call;
mod checkpoint;
mod directory;
mod event;
mod gap;
mod journey;
mod note;
mod reconciliation;
mod record;
mod report;
mod request;
mod segment;
#[cfg(test)]
pub(crate) mod vandal;
mod visit;
mod walk;
mod writer;

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use domain::time::Timestamp;
use sqlx::{
    ConnectOptions as _, Connection as _, SqliteConnection, SqlitePool,
    migrate::{MigrateError, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

pub use self::{
    call::{
        CallQuestion, Credit, DEADLINE, Direction, FoundCall, FoundCalls, FoundVisit, ListPlace, RowCount,
        SeekError, Sort,
    },
    checkpoint::Checkpointer,
    directory::{DirectoryChange, DirectoryEntry},
    event::{Source, StoredEvent},
    gap::StoredGap,
    journey::{CallEvent, CallFile, FiledVisit},
    note::{NoteRow, StoredNote},
    reconciliation::{ClassCount, DayOf, DifferingStay, Queues, Unwritten},
    record::{ElementRow, RecordBatch, RecordEvent, RecordRow},
    report::{ReportQuestion, ReportSums},
    request::RequestCount,
    segment::{ArchiveOrder, ArchiveSize, LooseEvent, SegmentBody, SegmentRow, SnapshotPlace, SnapshotRow},
    visit::{HistoryBatch, HistoryPlace, WaitHistograms},
    walk::{RecordWalk, WalkOrder},
    writer::{Batch, Committed, EventRow, GapOrder, QuarantineRow, Writer},
};

use crate::Purpose;

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations");

/// Older versions can lose a commit in WAL mode.
const OLDEST_SQLITE: (u32, u32, u32) = (3, 51, 3);
/// Enough for pages and reports at once; each is a file handle and a thread.
const READERS: u32 = 4;
/// For questions of people's own making, which may take long and shall not keep pages waiting.
const SEEKERS: u32 = 2;
/// How long a statement waits for a lock. Only a foreign program can hold one.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Reads the database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    readers: SqlitePool,
    seekers: SqlitePool,
    installation: Arc<Installation>,
    _folder: Arc<FolderLock>,
}

/// Which database this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// Random, made with the database.
    pub id: String,
    /// When the database was made: nothing was heard before.
    pub created_at: Timestamp,
}

/// A database that was opened.
struct Opened {
    store: Store,
    writer: Writer,
    /// It was made just now.
    is_new: bool,
}

/// Keeps a second server out of the folder for as long as it lives.
#[derive(Debug)]
struct FolderLock {
    _file: File,
}

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder is missing and cannot be made.
    #[error("create the data folder {}; set CALLBOARD_DATA_DIR to a folder this user may write", .folder.display())]
    CreateFolder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The folder cannot be written.
    #[error("write in the data folder {}; give this user write permission or set CALLBOARD_DATA_DIR to another", .folder.display())]
    WriteFolder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another server uses the folder.
    #[error("lock the data folder {}: another callboard server uses it; stop that one or set CALLBOARD_DATA_DIR to another folder", .folder.display())]
    Locked {
        /// The folder.
        folder: PathBuf,
    },
    /// A demo wrote the database and a real server shall use it, or the other way round.
    #[error("use the database {}: {}; set CALLBOARD_DATA_DIR to another folder", .file.display(), match .purpose {
        Purpose::Work => "a demo made it, so its calls are made up",
        Purpose::Demo => "it holds real calls, and a demo would mix made-up ones with them",
    })]
    OtherPurpose {
        /// The database.
        file: PathBuf,
        /// What it was to be used for.
        purpose: Purpose,
    },
    /// Another program made the database.
    #[error("use the database {}: another program made it, and nothing was changed in it; move it away or set CALLBOARD_DATA_DIR to another folder", .file.display())]
    Foreign {
        /// The database.
        file: PathBuf,
    },
    /// A transaction of another program is under way in the database, or was never ended: this one keeps no
    /// journal of that kind, but for a moment at its first start.
    #[error("use the database {}: the journal beside it shows that another program writes it, or that whoever did was interrupted, as Callboard may be at its first start; end that program, or open the file with it once; if nobody needs them, move both files away", .file.display())]
    Interrupted {
        /// The database.
        file: PathBuf,
    },
    /// What stands in the database's place is no file.
    #[error("use the database {}: {what} stands in its place; move it away or set CALLBOARD_DATA_DIR to another folder", .file.display())]
    NoFile {
        /// The database.
        file: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// The database was made by a newer version.
    #[error("use the database {}: a newer version of callboard (migration {migration}) has changed it; start that version or restore a backup from before", .file.display())]
    NewerSchema {
        /// The database.
        file: PathBuf,
        /// The unknown migration.
        migration: i64,
    },
    /// The SQLite in this binary is too old.
    #[error("use SQLite {found}: it can lose commits; build with {}.{}.{} or newer", OLDEST_SQLITE.0, OLDEST_SQLITE.1, OLDEST_SQLITE.2)]
    OldSqlite {
        /// Its version.
        found: String,
    },
    /// The file cannot be opened as a database.
    #[error("open the database {}; {}", .file.display(), Trouble::of(.source).next_step())]
    Open {
        /// The database.
        file: PathBuf,
        /// What SQLite said.
        #[source]
        source: sqlx::Error,
    },
    /// The file was removed or replaced while it was in use.
    #[error("find the database {}, which this server had opened", .file.display())]
    Gone {
        /// The database.
        file: PathBuf,
    },
    /// A migration failed.
    #[error("bring the database {} up to date; {}", .file.display(), migration_step(.source))]
    Migrate {
        /// The database.
        file: PathBuf,
        /// What SQLite said.
        #[source]
        source: MigrateError,
    },
    /// Reading failed.
    #[error("read {what}; {}", Trouble::of(.source).next_step())]
    Read {
        /// What was to be read.
        what: &'static str,
        /// What SQLite said.
        #[source]
        source: sqlx::Error,
    },
    /// Writing failed.
    #[error("write {what}")]
    Write {
        /// What was to be written.
        what: &'static str,
        /// What SQLite said.
        #[source]
        source: sqlx::Error,
    },
}

impl StoreError {
    fn read(what: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Read { what, source }
    }

    fn write(what: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Write { what, source }
    }

    /// True when the same may work later: the disk is full or the file locked, say. False when the database
    /// will never take what it was given.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Read { source, .. } | Self::Write { source, .. } | Self::Open { source, .. } => {
                Trouble::of(source) != Trouble::Refused
            }
            _ => true,
        }
    }

    /// What to do about it, to go on with after a semicolon.
    pub(crate) fn next_step(&self) -> &'static str {
        match self {
            Self::Read { source, .. } | Self::Write { source, .. } | Self::Open { source, .. } => {
                Trouble::of(source).next_step()
            }
            Self::Gone { .. } => "put the file back, or restore a backup and start Callboard again",
            _ => Trouble::Other.next_step(),
        }
    }
}

/// What is wrong, by SQLite's primary result codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// Another program holds the file.
    Busy,
    /// Permissions, or a read-only folder.
    Forbidden,
    /// The disk is full.
    Full,
    /// The disk reports errors, or is full and does not say so.
    Disk,
    /// The content is no sound database any more.
    Damaged,
    /// The content is no database at all.
    NoDatabase,
    /// What was to be written breaks a rule of the table.
    Refused,
    Other,
}

impl Trouble {
    fn of(error: &sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|error| error.code()?.parse::<i32>().ok());
        match code.map(|code| code & 0xff) {
            Some(5 | 6) => Self::Busy,
            Some(3 | 8 | 14 | 23) => Self::Forbidden,
            Some(13) => Self::Full,
            Some(10) => Self::Disk,
            Some(11) => Self::Damaged,
            Some(26) => Self::NoDatabase,
            Some(18..=20) => Self::Refused,
            _ => Self::Other,
        }
    }

    const fn next_step(self) -> &'static str {
        match self {
            Self::Busy => "another program keeps it locked: end that program",
            Self::Forbidden => {
                "let this user write the file and its folder, or set CALLBOARD_DATA_DIR to another folder"
            }
            Self::Full => "the disk is full: free space on it",
            Self::Disk => "the disk reports errors or is full: check it",
            Self::Damaged => "it is damaged: restore a backup",
            Self::NoDatabase => {
                "it is no SQLite database, or damaged from its first bytes on: restore a backup, move the file away, or set \
                 CALLBOARD_DATA_DIR to another folder"
            }
            Self::Refused | Self::Other => "check the disk of the data folder",
        }
    }
}

fn migration_step(error: &MigrateError) -> &'static str {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            Trouble::of(error).next_step()
        }
        _ => "start the version of callboard that made it, or restore a backup",
    }
}

impl Store {
    /// Opens the database in `folder`, making both when missing; `now` dates a new one. Real and
    /// made-up events never share one.
    pub async fn open(folder: &Path, purpose: Purpose, now: Timestamp) -> Result<(Self, Writer), StoreError> {
        let lock = Arc::new(lock_folder(folder)?);
        let Opened { store, writer, .. } = Self::open_or_make(folder, lock, purpose, now).await?;
        Ok((store, writer))
    }

    async fn open_or_make(
        folder: &Path,
        lock: Arc<FolderLock>,
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<Opened, StoreError> {
        let file = folder.join("callboard.sqlite");
        refuse_foreign(&file).await?;
        let mut writer = Writer::connect(&file, Arc::clone(&lock)).await?;
        check_sqlite(writer.connection(), &file).await?;
        migrate(writer.connection(), &file).await?;
        let is_new = is_new(writer.connection()).await?;
        let installation = Arc::new(writer.installation(purpose, now).await?);
        writer.prove_writable().await?;
        writer.resume().await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .min_connections(1)
            .connect_with(options(&file).read_only(true).pragma("query_only", "on"))
            .await
            .map_err(|source| StoreError::Open { file: file.clone(), source })?;
        let seekers = SqlitePoolOptions::new()
            .max_connections(SEEKERS)
            .connect_lazy_with(options(&file).read_only(true).pragma("query_only", "on"));
        let store = Self { readers, seekers, installation, _folder: lock };
        Ok(Opened { store, writer, is_new })
    }

    /// The same for a demo, whose world begins anew at each start: what an earlier one left would count
    /// twice and is thrown away. True when there was something.
    pub(crate) async fn open_demo(folder: &Path, now: Timestamp) -> Result<(Self, Writer, bool), StoreError> {
        Self::open_demo_with(Arc::new(lock_folder(folder)?), folder, now).await
    }

    /// What is thrown away and what comes after it is under one lock: no other server may take it meanwhile.
    async fn open_demo_with(
        lock: Arc<FolderLock>,
        folder: &Path,
        now: Timestamp,
    ) -> Result<(Self, Writer, bool), StoreError> {
        let open = || Self::open_or_make(folder, Arc::clone(&lock), Purpose::Demo, now);
        let Opened { store, writer, is_new } = open().await?;
        if is_new {
            return Ok((store, writer, false));
        }
        store.close().await;
        writer.close().await?;
        drop(store);
        for name in ["callboard.sqlite", "callboard.sqlite-wal", "callboard.sqlite-shm"] {
            match fs::remove_file(folder.join(name)) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(StoreError::WriteFolder { folder: folder.to_path_buf(), source });
                }
                _ => {}
            }
        }
        let Opened { store, writer, .. } = open().await?;
        Ok((store, writer, true))
    }

    /// Which database this is.
    pub fn installation(&self) -> &Installation {
        &self.installation
    }

    /// Ends all readers; the folder stays locked until the writer is gone, too.
    pub async fn close(&self) {
        self.seekers.close().await;
        self.readers.close().await;
    }

    /// True when a trivial read works.
    pub async fn is_readable(&self) -> bool {
        sqlx::query("select 1").execute(&self.readers).await.is_ok()
    }
}

fn lock_folder(folder: &Path) -> Result<FolderLock, StoreError> {
    let folder_name = || folder.to_path_buf();
    fs::create_dir_all(folder)
        .map_err(|source| StoreError::CreateFolder { folder: folder_name(), source })?;
    let write_error = |source| StoreError::WriteFolder { folder: folder_name(), source };
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join("callboard.lock"))
        .map_err(write_error)?;
    match file.try_lock() {
        Ok(()) => Ok(FolderLock { _file: file }),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked { folder: folder_name() }),
        Err(TryLockError::Error(source)) => Err(write_error(source)),
    }
}

fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        // A slow disk would repeat the longest statements in the log.
        .disable_statement_logging()
}

async fn check_sqlite(connection: &mut SqliteConnection, file: &Path) -> Result<(), StoreError> {
    let found: String = sqlx::query_scalar("select sqlite_version()")
        .fetch_one(connection)
        .await
        .map_err(|source| StoreError::Open { file: file.to_path_buf(), source })?;
    let mut parts = found.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    if (next(), next(), next()) < OLDEST_SQLITE { Err(StoreError::OldSqlite { found }) } else { Ok(()) }
}

/// What there is in a database besides what SQLite keeps for itself.
const TABLES: &str = "
    select name from sqlite_schema where type in ('table', 'view') and name not like 'sqlite~_%' escape '~'";

/// Whether the first thing that was done to a database was that migration; no row when nothing was done.
const BEGAN_WITH: &str = "
    select version = ?1 and checksum = ?2 from _sqlx_migrations order by version limit 1";

/// Looks into a database that is there before anything is written into it: opening it for writing changes it.
async fn refuse_foreign(file: &Path) -> Result<(), StoreError> {
    let file_name = || file.to_path_buf();
    match fs::metadata(file) {
        Ok(found) if found.is_file() => {}
        Ok(found) => {
            let what = if found.is_dir() { "a folder" } else { "a named pipe, a socket or a device" };
            return Err(StoreError::NoFile { file: file_name(), what });
        }
        // It is made, or whoever opens it for writing says why that cannot be.
        Err(_) => return Ok(()),
    }
    if has_open_journal(file) {
        return Err(StoreError::Interrupted { file: file_name() });
    }
    let unopened = |source| StoreError::Open { file: file_name(), source };
    let options = SqliteConnectOptions::new().filename(file).read_only(true).busy_timeout(BUSY_TIMEOUT);
    let mut connection = SqliteConnection::connect_with(&options).await.map_err(unopened)?;
    let is_ours = is_ours(&mut connection).await.map_err(unopened)?;
    connection.close().await.map_err(unopened)?;
    if is_ours { Ok(()) } else { Err(StoreError::Foreign { file: file_name() }) }
}

/// A database that this program made has its first migration, word for word; an empty one is nobody's.
async fn is_ours(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    const LIST: &str = "_sqlx_migrations";
    let tables: Vec<String> = sqlx::query_scalar(TABLES).fetch_all(&mut *connection).await?;
    if !tables.iter().any(|name| name == LIST) {
        return Ok(tables.is_empty());
    }
    let first = MIGRATIONS.iter().next();
    let began_with = sqlx::query_scalar(BEGAN_WITH)
        .bind(first.map(|first| first.version))
        .bind(first.map(|first| first.checksum.as_ref()));
    match began_with.fetch_optional(connection).await {
        // As after a crash before the first migration.
        Ok(None) => Ok(tables.len() == 1),
        Ok(Some(is_first)) => Ok(is_first),
        // A list of that name with other columns.
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("1") => Ok(false),
        Err(error) => Err(error),
    }
}

/// True when SQLite has a transaction to undo before anybody may read the file: by the first byte of the journal,
/// as SQLite itself tells.
fn has_open_journal(file: &Path) -> bool {
    let mut first = [0];
    let journal = File::open(file.with_extension("sqlite-journal"));
    journal.and_then(|mut journal| journal.read_exact(&mut first)).is_ok() && first != [0]
}

/// True before the database knows which one it is.
async fn is_new(connection: &mut SqliteConnection) -> Result<bool, StoreError> {
    let known = sqlx::query(writer::INSTALLATION).fetch_optional(connection).await;
    Ok(known.map_err(StoreError::read("the installation"))?.is_none())
}

async fn migrate(connection: &mut SqliteConnection, file: &Path) -> Result<(), StoreError> {
    let file = || file.to_path_buf();
    match MIGRATIONS.run(connection).await {
        Ok(()) => Ok(()),
        Err(MigrateError::VersionMissing(migration)) => {
            Err(StoreError::NewerSchema { file: file(), migration })
        }
        Err(source) => Err(StoreError::Migrate { file: file(), source }),
    }
}

#[cfg(test)]
mod tests;
