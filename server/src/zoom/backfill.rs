//! Repairs gaps: reads what Zoom wrote down of the calls of a time in which events were missed.
//!
//! The paths of those calls are journalled like events, so that the board has them like everything
//! else and has them again after a restart. Nothing is written twice: the journal knows what it has.
//! Gaps that follow each other closely have calls in common, each of which is asked for once. A gap counts as
//! repaired when all of its calls were read, and is looked at once more later. What cannot be read is noted, told,
//! and asked for again a few times; its gap stays open. What was done stands in the database; what a restart
//! interrupts begins anew.

use std::{collections::HashMap, time::Duration};

use domain::{fact::StationKind, time::Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::{sync::watch, task::JoinHandle, time::sleep};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    patience::BackOff,
    rate_limit::Category,
    record,
    rest::{Page, Request, RestClient, RestError, Rows},
    setback::{RecordStatus, Setbacks, Shortfall, is_due_again, pause_after},
    translate::station_kind,
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
/// What is said of records that were read, and that say nothing that is understood.
pub(super) const MISSHAPEN: &str =
    "They are not what Zoom's API promises: check ZOOM_API_URL, and look for a newer Callboard.";
/// What is listed.
pub(super) const CALLS: &str = "the calls of a time";
/// The longest window that Zoom reads at once is a month.
const LONGEST_WINDOW: Duration = Duration::from_secs(30 * 86_400);
/// Calls on a page of their list: as many as Zoom gives.
const PAGE_ROWS: u16 = 300;
/// Calls that end in a minute, of the busiest account there could be: sixteen in a second. A list with more has no
/// end, and asking on would use up the account's requests of a day.
const MOST_CALLS_A_MINUTE: u64 = 1_000;

/// Repairs gaps for as long as the server runs.
#[derive(Debug)]
pub(crate) struct Backfill {
    pub(crate) paths: PathReader,
    pub(crate) store: Store,
    pub(crate) journal: Journal,
    pub(crate) timings: FeedTimings,
    /// Says what could not be read.
    pub(crate) status: watch::Sender<RecordStatus>,
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

/// What is to be read of a gap, and how that goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Work {
    /// All its calls are known.
    is_listed: bool,
    /// How many calls were read for it.
    read: usize,
    /// Calls that are still to be read.
    calls: Vec<String>,
    /// Rows of the list that do not say which call they are of.
    nameless: usize,
    /// How often something was left, when last, and why.
    passes: u32,
    last: Timestamp,
    problem: Option<String>,
}

impl Work {
    fn unread(&self) -> usize {
        self.calls.len() + self.nameless + usize::from(!self.is_listed)
    }
}

/// What is to be read, and what was read of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Agenda {
    /// Gaps of which something is to be read; for the second time, where that is true.
    gaps: HashMap<(i64, bool), Work>,
    read: CallsRead,
}

/// Calls that were read: gaps that follow each other closely have many of them in common.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct CallsRead(HashMap<String, Reading>);

/// For which gap a call was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Reading {
    /// When the last such gap ended.
    until: Timestamp,
    /// One of them was looked at once more.
    is_again: bool,
}

impl CallsRead {
    /// True when the call needs no other reading.
    fn holds(&self, id: &str, is_again: bool) -> bool {
        self.0.get(id).is_some_and(|reading| reading.is_again || !is_again)
    }

    fn note(&mut self, id: String, until: Timestamp, is_again: bool) {
        let reading = self.0.entry(id).or_default();
        reading.until = reading.until.max(until);
        reading.is_again |= is_again;
    }

    /// Forgets calls that are on the list of no gap among these, nor of one that is still to come.
    fn forget(&mut self, gaps: &[StoredGap], now: Timestamp) {
        let unfinished = gaps.iter().filter(|stored| stored.read_again_at.is_none());
        let first = unfinished.map(|stored| stored.gap.from).fold(now, Timestamp::min);
        self.0.retain(|_, reading| reading.until + MARGIN * 2 >= first);
    }
}

impl RepairError {
    /// Notes a failure of one request; anything else, and what concerns all requests, is an error still.
    pub(super) fn note(self, setbacks: &mut Setbacks) -> Result<(), Self> {
        match self {
            Self::Rest(error) => Ok(setbacks.note(error)?),
            other => Err(other),
        }
    }

    /// Why nothing can be read, with the next step. What the disk refuses is told of elsewhere.
    pub(super) fn sentence(&self) -> Option<String> {
        match self {
            Self::Rest(error) => Some(format!("Cannot {error}.")),
            Self::Store(_) | Self::Append(_) | Self::Journal(_) => None,
        }
    }

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
        let mut agenda = Agenda::default();
        loop {
            let looked = self.look(&mut agenda).await;
            self.tell(&agenda, looked.as_ref().err());
            match looked {
                Ok(()) => {
                    back_off.reset();
                    let left =
                        agenda.gaps.values().filter_map(|work| pause_after(work.passes, &self.timings));
                    sleep(left.min().unwrap_or(LOOK).min(LOOK)).await;
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

    /// Says what could not be read, and why nothing can be read now, if so.
    fn tell(&self, agenda: &Agenda, error: Option<&RepairError>) {
        let unread = agenda.gaps.values().map(Work::unread).sum();
        let noted = agenda.gaps.values().find_map(|work| work.problem.clone());
        let problem = error.and_then(RepairError::sentence).or(noted);
        let shortfall = Shortfall { unread: if problem.is_some() { unread } else { 0 }, problem };
        self.status.send_if_modified(|status| {
            let changed = status.repair != shortfall || status.repairing > 0;
            (status.repair, status.repairing) = (shortfall, 0);
            changed
        });
    }

    async fn look(&self, agenda: &mut Agenda) -> Result<(), RepairError> {
        let now = clock::now();
        let mut gaps = self.store.gaps_since(now - OLDEST).await?;
        let Agenda { gaps: works, read } = agenda;
        works.retain(|(gap_id, _), _| gaps.iter().any(|stored| stored.gap_id == *gap_id));
        read.forget(&gaps, now);
        // What was never read comes before what is read for the second time.
        gaps.sort_by_key(|stored| stored.repaired_at.is_some());
        for StoredGap { gap_id, gap, repaired_at, read_again_at, .. } in gaps {
            let Some(to) = gap.to else { continue };
            let (due_at, is_again) = match repaired_at {
                None => (to + self.timings.record_delay, false),
                Some(repaired_at) => (repaired_at + self.timings.second_look, true),
            };
            if read_again_at.is_some() || now < due_at {
                continue;
            }
            let key = (gap_id, is_again);
            let work = works.entry(key).or_default();
            if !is_due_again(work.passes, work.last, now, &self.timings) {
                continue;
            }
            self.read(work, read, (gap.from, to), is_again).await?;
            let is_last_try = pause_after(work.passes, &self.timings).is_none();
            match (work.unread(), is_again) {
                (0, false) => self.journal.gap_repaired(gap_id, clock::now()).await?,
                (0, true) => self.journal.gap_read_again(gap_id, clock::now()).await?,
                // All of it was read once.
                (_, true) if is_last_try => self.journal.gap_read_again(gap_id, clock::now()).await?,
                (unread, _) => {
                    tracing::warn!(
                        calls = work.read,
                        unread,
                        "some records of a gap cannot be read, so it stays open"
                    );
                    continue;
                }
            }
            tracing::info!(calls = work.read, again = is_again, "read the records of a gap");
            works.remove(&key);
        }
        Ok(())
    }

    /// Journals the path of every call that ended around `[from, to]`, as far as that is to be done and was
    /// not `done` for another gap. What cannot be read is left, and noted.
    async fn read(
        &self,
        work: &mut Work,
        done: &mut CallsRead,
        (from, to): (Timestamp, Timestamp),
        is_again: bool,
    ) -> Result<(), RepairError> {
        // What is read once more is missing nowhere: boards call today complete by then.
        let tell = |calls: usize| {
            if !is_again {
                self.status.send_modify(|status| status.repairing = calls);
            }
        };
        let mut setbacks = Setbacks::default();
        if !work.is_listed || work.nameless > 0 {
            let from = (from - MARGIN).max(to - LONGEST_WINDOW);
            match self.paths.calls_that_ended(from, to + MARGIN).await {
                Ok(rows) => {
                    setbacks.read_one();
                    let (rows, is_whole) = rows.into_parts();
                    work.is_listed = is_whole;
                    work.nameless = rows.iter().filter(|row| **row == CallRow::Nameless).count();
                    if !is_whole {
                        setbacks.note(RestError::Partial { what: CALLS })?;
                    }
                    work.calls = rows.into_iter().filter_map(CallRow::id).collect();
                }
                Err(error) => error.note(&mut setbacks)?,
            }
        }
        work.calls.retain(|id| !done.holds(id, is_again));
        // Whatever ends this in between finds the others still on the list.
        let mut unread = Vec::new();
        tell(work.calls.len());
        while let Some(id) = work.calls.pop() {
            match self.paths.read(&id).await {
                Ok(true) => {
                    setbacks.read_one();
                    work.read += 1;
                    done.note(id, to, is_again);
                }
                Ok(false) => unread.push(id),
                Err(error) => {
                    unread.push(id);
                    if let Err(error) = error.note(&mut setbacks) {
                        work.calls.append(&mut unread);
                        return Err(error);
                    }
                }
            }
            tell(work.calls.len());
        }
        work.calls = unread;
        if work.unread() > 0 {
            work.passes += 1;
            work.last = clock::now();
            work.problem = Some(setbacks.sentence().unwrap_or_else(|| MISSHAPEN.to_owned()));
        }
        Ok(())
    }
}

impl PathReader {
    /// The calls that ended within `[from, to]`.
    pub(super) async fn calls_that_ended(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Rows<CallRow>, RepairError> {
        Ok(self.rest.calls_that_ended(from, to).await?)
    }

    /// Journals the path of a call; true when it is understood, or gone. What the journal has already is
    /// not written again.
    pub(super) async fn read(&self, id: &str) -> Result<bool, RepairError> {
        let path = match self.rest.path_of_call(id).await {
            Ok(path) => path,
            // Deleted in between: an absence is no error.
            Err(error) if error.is_gone() => return Ok(true),
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
        /// When it began, if somebody called one of the account's people or queues and was answered.
        answered_from: Option<Timestamp>,
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
    #[serde(default)]
    direction: serde_json::Value,
    #[serde(default)]
    call_result: serde_json::Value,
    #[serde(default)]
    start_time: serde_json::Value,
    #[serde(default)]
    callee_ext_type: serde_json::Value,
}

impl CallRowAnswer {
    fn answered_from(&self) -> Option<Timestamp> {
        let is_answered = matches!(self.call_result.as_str(), Some("answered" | "connected"));
        let kind = self.callee_ext_type.as_str().map(station_kind);
        // A menu answers everybody, and rings nobody's phone.
        let is_told_live = matches!(kind, Some(StationKind::User | StationKind::CallQueue));
        let is_inbound = self.direction.as_str() == Some("inbound");
        let start = self.start_time.as_str().and_then(clock::parse_rfc3339);
        start.filter(|_| is_answered && is_told_live && is_inbound)
    }
}

impl CallRow {
    /// When it began, if it must have been told by events.
    pub(super) fn answered_from(&self) -> Option<Timestamp> {
        match self {
            Self::Call { answered_from, .. } => *answered_from,
            Self::Nameless => None,
        }
    }

    /// Which call it is of.
    pub(super) fn id(self) -> Option<String> {
        match self {
            Self::Call { id, .. } => Some(id),
            Self::Nameless => None,
        }
    }
}

impl From<serde_json::Value> for CallRow {
    fn from(row: serde_json::Value) -> Self {
        let Ok(answer) = serde_json::from_value::<CallRowAnswer>(row) else { return Self::Nameless };
        let answered_from = answer.answered_from();
        let id = answer.call_history_uuid.or(answer.id);
        id.map_or(Self::Nameless, |id| Self::Call { id, answered_from })
    }
}

/// Pages of the list of calls of so long a time, at most: one more than the busiest account could fill.
fn most_pages(span: Duration) -> usize {
    let calls = span.as_secs().div_ceil(60) * MOST_CALLS_A_MINUTE;
    usize::try_from(calls.div_ceil(PAGE_ROWS.into())).unwrap_or(usize::MAX).saturating_add(1)
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
            CallRow::Call { id, .. } => id,
            CallRow::Nameless => "",
        }
    }
}

impl RestClient {
    pub(super) async fn calls_that_ended(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Rows<CallRow>, RestError> {
        let path = ["phone", "call_history"];
        let request = Request { what: CALLS, path: &path, category: Category::Heavy };
        let whole_second =
            |at: Timestamp| clock::format_rfc3339(Timestamp::from_millis(at.as_millis() / 1000 * 1000));
        let filters =
            [("from", whole_second(from)), ("to", whole_second(to)), ("time_type", "end_time".to_owned())];
        self.list_where::<CallPage>(request, Some(PAGE_ROWS), &filters, most_pages(to.since(from))).await
    }

    async fn path_of_call(&self, id: &str) -> Result<Box<RawValue>, RestError> {
        let path = ["phone", "call_history", id];
        self.read(Request { what: "the path of a call", path: &path, category: Category::Light }, &[]).await
    }
}

#[cfg(test)]
mod tests;
