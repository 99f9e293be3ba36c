//! Repairs gaps: reads what Zoom wrote down of the calls of a time in which events were missed.
//!
//! The paths of those calls are journalled like events, so that the board has them like everything
//! else and has them again after a restart. Nothing is written twice: the journal knows what it has.
//! A gap counts as repaired when all of its calls were read, and is looked at once more later. One of
//! which something cannot be read stays open. What was done stands in the database; what is interrupted
//! begins anew.

use std::{collections::HashMap, time::Duration};

use domain::time::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::{task::JoinHandle, time::sleep};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    patience::BackOff,
    rate_limit::Category,
    record,
    rest::{Page, Request, RestClient, RestError},
    wire::Reader,
};
use crate::{
    clock,
    config::FeedTimings,
    journal::{AppendError, Incoming, Journal, JournalStopped, Receipt, Source},
    store::{Store, StoreError, StoredGap},
    telemetry,
};

/// How often the record is looked at for gaps to repair.
const LOOK: Duration = Duration::from_secs(5);
/// Gaps that ended longer ago are left alone: their day is over on every board.
const OLDEST: Duration = Duration::from_secs(48 * 3600);
/// Calls that ended this long before or after a gap are read, too: clocks differ, and the last events
/// before a break are the likeliest to be lost.
const MARGIN: Duration = Duration::from_secs(2 * 60);
/// The longest window that Zoom reads at once is a month.
const LONGEST_WINDOW: Duration = Duration::from_secs(30 * 86_400);
/// How often a gap is read at most while something of it cannot be read: every reading asks for each of
/// its calls.
const MOST_READINGS: u32 = 2;

/// Repairs gaps for as long as the server runs.
#[derive(Debug)]
pub(crate) struct Backfill {
    pub(crate) paths: PathReader,
    pub(crate) store: Store,
    pub(crate) journal: Journal,
    pub(crate) timings: FeedTimings,
}

/// Reads the paths of calls and journals them.
#[derive(Debug, Clone)]
pub(crate) struct PathReader {
    pub(crate) rest: RestClient,
    pub(crate) journal: Journal,
    pub(crate) reader: Reader,
}

/// Why the record could not be read now.
#[derive(Debug, thiserror::Error)]
pub(super) enum RepairError {
    #[error(transparent)]
    Rest(#[from] RestError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("write a record down")]
    Append(#[from] AppendError),
    #[error(transparent)]
    Journal(#[from] JournalStopped),
}

/// What a reading of a gap's calls gave.
#[derive(Debug, Default)]
struct Reading {
    calls: usize,
    /// Calls of which nothing, or nothing that is understood, could be read.
    unreadable: usize,
}

/// Gaps of which something could not be read: how often, and when last.
type Unreadable = HashMap<i64, (u32, Timestamp)>;

impl RepairError {
    /// How long to wait before the next try.
    pub(super) fn pause(&self, back_off: &mut BackOff) -> Duration {
        let asked = match self {
            Self::Rest(error) => error.asked_pause(clock::now()),
            _ => None,
        };
        let pause = back_off.failed().max(asked.unwrap_or_default());
        // A missing scope is repaired by people.
        let is_refused = matches!(self, Self::Rest(RestError::Refused { .. }));
        if is_refused { pause.max(Duration::from_secs(60)) } else { pause }
    }
}

impl Backfill {
    /// Starts the task; it ends only by `stop`.
    pub(crate) fn spawn(self, tracker: &TaskTracker, stop: CancellationToken) -> JoinHandle<()> {
        tracker.spawn(async move {
            // Whatever is interrupted is begun anew at the next start.
            let _ = stop.run_until_cancelled(self.run()).await;
        })
    }

    async fn run(self) {
        let mut back_off = BackOff::new(&self.timings);
        let mut unreadable = Unreadable::new();
        loop {
            match self.look(&mut unreadable).await {
                Ok(()) => {
                    back_off.reset();
                    sleep(LOOK).await;
                }
                Err(error) => {
                    tracing::warn!(
                        error = telemetry::chain(&error),
                        "a gap could not be repaired; trying again"
                    );
                    sleep(error.pause(&mut back_off)).await;
                }
            }
        }
    }

    async fn look(&self, unreadable: &mut Unreadable) -> Result<(), RepairError> {
        let now = clock::now();
        let mut gaps = self.store.gaps_since(now - OLDEST).await?;
        // What was never read comes before what is read for the second time.
        gaps.sort_by_key(|stored| stored.repaired_at.is_some());
        for StoredGap { gap_id, gap, repaired_at, read_again_at, .. } in gaps {
            let Some(to) = gap.to else { continue };
            match repaired_at {
                None if now.since(to) >= self.timings.record_delay => {
                    let (readings, last) = unreadable.get(&gap_id).copied().unwrap_or((0, to));
                    let is_due = now.since(last) >= self.timings.second_look;
                    if readings > 0 && !(readings < MOST_READINGS && is_due) {
                        continue;
                    }
                    let reading = self.read(gap.from, to).await?;
                    if reading.unreadable > 0 {
                        unreadable.insert(gap_id, (readings + 1, clock::now()));
                        tracing::warn!(
                            calls = reading.calls,
                            unreadable = reading.unreadable,
                            "some records of a gap cannot be read, so it stays open"
                        );
                        continue;
                    }
                    unreadable.remove(&gap_id);
                    self.journal.gap_repaired(gap_id, clock::now()).await?;
                    tracing::info!(calls = reading.calls, "read the records of a gap");
                }
                Some(repaired_at)
                    if read_again_at.is_none() && now.since(repaired_at) >= self.timings.second_look =>
                {
                    self.read(gap.from, to).await?;
                    self.journal.gap_read_again(gap_id, clock::now()).await?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Journals the path of every call that ended around `[from, to]`.
    async fn read(&self, from: Timestamp, to: Timestamp) -> Result<Reading, RepairError> {
        let from = (from - MARGIN).max(to - LONGEST_WINDOW);
        let rows = self.paths.calls_that_ended(from, to + MARGIN).await?;
        let mut reading = Reading { calls: rows.len(), unreadable: 0 };
        for row in rows {
            let is_understood = match row {
                CallRow::Call { id } => self.paths.read(&id).await?,
                _ => false,
            };
            reading.unreadable += usize::from(!is_understood);
        }
        Ok(reading)
    }
}

impl PathReader {
    /// The calls that ended within `[from, to]`.
    pub(super) async fn calls_that_ended(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<CallRow>, RepairError> {
        Ok(self.rest.calls_that_ended(from, to).await?)
    }

    /// Journals the path of a call; true when it is understood, or gone. What the journal has already is
    /// not written again.
    pub(super) async fn read(&self, id: &str) -> Result<bool, RepairError> {
        let path = match self.rest.path_of_call(id).await {
            Ok(path) => path,
            // Deleted in between: an absence is no error.
            Err(RestError::Unanswered { status: 404, .. }) => return Ok(true),
            Err(error) => return Err(error.into()),
        };
        let text = record::path_event(path.get());
        let incoming = Incoming::read(&self.reader, Source::Rest, clock::now(), &text);
        Ok(match self.journal.append(incoming).await? {
            Receipt::Journalled | Receipt::Duplicate => record::is_understood(&text),
            Receipt::Quarantined => false,
        })
    }
}

/// A row in the list of finished calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CallRow {
    Call {
        id: String,
    },
    /// A row that does not say which call it is of.
    Nameless,
}

/// The same on the wire: the older generation of the list has an `id` instead.
#[derive(Deserialize)]
struct CallRowAnswer {
    #[serde(default)]
    call_history_uuid: Option<String>,
    #[serde(default)]
    id: Option<String>,
}

impl From<serde_json::Value> for CallRow {
    fn from(row: serde_json::Value) -> Self {
        let answer = serde_json::from_value(row).ok();
        let id = answer.and_then(|CallRowAnswer { call_history_uuid, id }| call_history_uuid.or(id));
        id.map_or(Self::Nameless, |id| Self::Call { id })
    }
}

#[derive(Deserialize)]
struct CallPageAnswer {
    #[serde(default)]
    call_history: Option<Vec<serde_json::Value>>,
    /// The same rows in the older generation.
    #[serde(default)]
    call_logs: Option<Vec<serde_json::Value>>,
    #[serde(default)]
    next_page_token: Option<String>,
}

/// A page of finished calls. An answer without a list is none.
#[derive(Debug, Deserialize)]
#[serde(try_from = "CallPageAnswer")]
struct CallPage {
    rows: Vec<CallRow>,
    next: Option<String>,
}

impl TryFrom<CallPageAnswer> for CallPage {
    type Error = &'static str;

    fn try_from(answer: CallPageAnswer) -> Result<Self, Self::Error> {
        let CallPageAnswer { call_history, call_logs, next_page_token } = answer;
        // For a time both lists come, and either may be empty then.
        // The last of equals: the newer one.
        let lists = [call_logs, call_history].into_iter().flatten();
        let rows = lists.max_by_key(|rows| !rows.is_empty()).ok_or("no list of calls")?;
        Ok(Self { rows: rows.into_iter().map(CallRow::from).collect(), next: next_page_token })
    }
}

impl Page for CallPage {
    type Row = CallRow;

    fn into_parts(self) -> (Vec<CallRow>, Option<String>) {
        (self.rows, self.next)
    }

    /// All nameless rows count as one.
    fn id(row: &CallRow) -> &str {
        match row {
            CallRow::Call { id } => id,
            CallRow::Nameless => "",
        }
    }
}

impl RestClient {
    async fn calls_that_ended(&self, from: Timestamp, to: Timestamp) -> Result<Vec<CallRow>, RestError> {
        let path = ["phone", "call_history"];
        let request = Request { what: "the calls of a time", path: &path, category: Category::Heavy };
        let whole_second =
            |at: Timestamp| clock::format_rfc3339(Timestamp::from_millis(at.as_millis() / 1000 * 1000));
        let filters =
            [("from", whole_second(from)), ("to", whole_second(to)), ("time_type", "end_time".to_owned())];
        self.list_where::<CallPage>(request, Some(300), &filters).await
    }

    async fn path_of_call(&self, id: &str) -> Result<Box<RawValue>, RestError> {
        let path = ["phone", "call_history", id];
        self.read(Request { what: "the path of a call", path: &path, category: Category::Light }, &[]).await
    }
}

#[cfg(test)]
mod tests;
