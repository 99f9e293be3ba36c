//! The limit of the machine beside ingest: the rows of a journal, inserted by SQLite and nobody else. Some of them
//! come again, as events do; the unique key refuses those.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};
use sqlx::{
    AssertSqlSafe, Connection as _, Row as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use crate::{clock, usage};

/// Rows in one transaction.
pub(crate) const BATCH: usize = 2_000;
/// Rows in one statement: each statement is a trip to SQLite's own thread.
const ROWS_AT_ONCE: usize = 250;
/// What comes again is one of the last so many rows, as with the sender of events.
const REPEATED_AMONG: usize = 64;

/// What came of it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Inserted {
    /// Different ones.
    pub(crate) rows: u64,
    /// Sent again and refused.
    pub(crate) repeated: u64,
    pub(crate) seconds: f64,
    pub(crate) cpu_seconds: f64,
}

impl Inserted {
    pub(crate) fn per_second(&self) -> f64 {
        self.rows as f64 / self.seconds
    }
}

#[derive(Clone)]
struct Event {
    /// `None` for a repetition, which gets no place.
    event_id: Option<i64>,
    key: Vec<u8>,
    received_at: i64,
    source: String,
    name: String,
    call_id: Option<String>,
    raw: String,
}

/// Reads what the journal in `database` holds after its `skipped` first events, inserts it into a new
/// database beside it with that share of repetitions among all rows, and prints what that took.
#[expect(clippy::print_stdout, reason = "the parent process reads the result")]
pub(crate) fn run(database: &Path, skipped: u64, repetitions: f64) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let inserted = runtime.block_on(insert(database, skipped, repetitions))?;
    println!("{}", serde_json::to_string(&inserted)?);
    Ok(())
}

async fn insert(database: &Path, skipped: u64, repetitions: f64) -> anyhow::Result<Inserted> {
    let mut journal = SqliteConnection::connect_with(&options(database, false)).await?;
    // The shape as the server made it, without naming it a second time.
    let shape: Vec<String> = sqlx::query_scalar(
        "select sql from sqlite_schema where tbl_name = 'event' and sql is not null order by type desc",
    )
    .fetch_all(&mut journal)
    .await?;
    let events: Vec<Event> = sqlx::query(
        "select event_id, key, received_at, source, name, call_id, raw from event order by event_id limit -1 offset ?1",
    )
    .bind(i64::try_from(skipped)?)
    .fetch_all(&mut journal)
    .await?
    .into_iter()
    .map(|row| Event {
        event_id: Some(row.get(0)),
        key: row.get(1),
        received_at: row.get(2),
        source: row.get(3),
        name: row.get(4),
        call_id: row.get(5),
        raw: row.get(6),
    })
    .collect();
    journal.close().await?;
    ensure!(!shape.is_empty() && !events.is_empty(), "the journal is empty");

    let target = database.with_file_name(format!("raw-{repetitions}.sqlite"));
    let mut connection = SqliteConnection::connect_with(&options(&target, true)).await?;
    for statement in shape {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await?;
    }
    let rows = events.len() as u64;
    let events = with_repetitions(events, repetitions);
    let repeated = events.len() as u64 - rows;
    let statement = |count: usize| {
        let rows = vec!["(?, ?, ?, ?, ?, ?, ?)"; count].join(",");
        format!(
            "insert into event (event_id, key, received_at, source, name, call_id, raw) values {rows} \
             on conflict (key) do nothing"
        )
    };
    let whole = statement(ROWS_AT_ONCE);
    let began = clock::now();
    let cpu_before = usage::cpu_of(std::process::id())?;
    let mut events = events.into_iter().peekable();
    while events.peek().is_some() {
        let mut transaction = connection.begin_with("begin immediate").await?;
        for _ in 0..BATCH / ROWS_AT_ONCE {
            let part: Vec<Event> = events.by_ref().take(ROWS_AT_ONCE).collect();
            if part.is_empty() {
                break;
            }
            let text = if part.len() == ROWS_AT_ONCE { whole.clone() } else { statement(part.len()) };
            let mut query = sqlx::query(AssertSqlSafe(text));
            for event in part {
                query = query
                    .bind(event.event_id)
                    .bind(event.key)
                    .bind(event.received_at)
                    .bind(event.source)
                    .bind(event.name)
                    .bind(event.call_id)
                    .bind(event.raw);
            }
            query.execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
    }
    let took = clock::now() - began;
    let cpu = usage::cpu_of(std::process::id())?.saturating_sub(cpu_before);
    let written: i64 = sqlx::query_scalar("select count(*) from event").fetch_one(&mut connection).await?;
    ensure!(u64::try_from(written) == Ok(rows), "{written} of {rows} rows were written");
    connection.close().await.context("the raw database was not closed")?;
    Ok(Inserted { rows, repeated, seconds: took.as_secs_f64(), cpu_seconds: Duration::as_secs_f64(&cpu) })
}

/// Rows in their order, so that the share of `repetitions` among all of them is one of the last few once more.
fn with_repetitions(events: Vec<Event>, repetitions: f64) -> Vec<Event> {
    let mut all: Vec<Event> = Vec::with_capacity((events.len() as f64 / (1.0 - repetitions)) as usize + 1);
    let mut owed = 0.0;
    for (index, event) in events.iter().enumerate() {
        all.push(event.clone());
        owed += repetitions / (1.0 - repetitions);
        if owed >= 1.0 {
            owed -= 1.0;
            // Any of them, the same ones in every run.
            let back = index.wrapping_mul(0x9e37_79b9) % REPEATED_AMONG.min(index + 1);
            all.push(Event { event_id: None, ..events[index - back].clone() });
        }
    }
    all
}

/// As the server's writer sets its connection up.
fn options(file: &Path, is_new: bool) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(is_new)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("cache_size", "-16384")
        .pragma("wal_autocheckpoint", "16000")
        .pragma("journal_size_limit", "134217728")
}
