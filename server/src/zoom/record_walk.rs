//! Walks through Zoom's record by the time at which calls ended: intraday, every few minutes, through what ended
//! since; nightly through the last two days.
//!
//! Events tell only from the first ring on how long a caller waited, so that numbers of today are too good
//! until the record was read: that does not wait for the night. Records are revised, and written down late:
//! what was right yesterday may be otherwise today. The paths are journalled like those of a gap, so that
//! reading one again changes nothing. How far the walk has come stands in the database after every call, so
//! that a kill costs no work.
//!
//! What cannot be read is left behind, told, and asked for again a few times. Until it was read, the record
//! does not count as read from there on: the next nightly walk begins there.

use std::{
    collections::{BTreeMap, HashSet},
    iter,
    time::Duration,
};

use chrono_tz::Tz;
use domain::time::Timestamp;
use tokio::{sync::watch, task::JoinHandle, time::sleep};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    backfill::{CALLS, CallRow, MISSHAPEN, PathReader, RepairError},
    patience::BackOff,
    record,
    rest::RestError,
    setback::{RecordStatus, Setbacks, Shortfall, is_due_again, pause_after},
};
use crate::{
    clock,
    config::FeedTimings,
    journal::{Incoming, Journal, JournalStopped, Source},
    store::{RecordWalk, Store, WalkOrder},
    telemetry,
};

/// How often it is looked whether a walk is due.
const LOOK: Duration = Duration::from_secs(5);
/// A nightly walk goes this far back.
const BACK: Duration = Duration::from_secs(48 * 3600);
/// Further back, to where the last walk ended, it goes only this far: Zoom keeps six months, but nobody
/// wants to wait for them.
const FURTHEST: Duration = Duration::from_secs(14 * 86_400);
/// The calls of this long are listed at once.
const SLICE: Duration = Duration::from_secs(15 * 60);
/// A nightly walk begins this long after local midnight.
const HOUR: Duration = Duration::from_secs(2 * 3600 + 30 * 60);

/// Walks through the record for as long as the server runs.
#[derive(Debug)]
pub(crate) struct RecordWalker {
    pub(crate) paths: PathReader,
    pub(crate) store: Store,
    pub(crate) journal: Journal,
    pub(crate) home: Tz,
    pub(crate) timings: FeedTimings,
    /// Says what could not be read.
    pub(crate) status: watch::Sender<RecordStatus>,
}

/// What a walk left behind, oldest first.
#[derive(Debug, Default)]
struct LeftBehind {
    slices: Vec<Slice>,
    /// Records that were read, and that say nothing that is understood: asking again does not help.
    misshapen: HashSet<String>,
    /// Rows of the last walk's lists that do not say which call they are of, by where the list begins: one
    /// may be asked for again.
    nameless: BTreeMap<Timestamp, usize>,
}

/// Calls of one stretch of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Slice {
    from: Timestamp,
    to: Timestamp,
    /// Those that are to be read; `None` when they are not all known.
    calls: Option<Vec<String>>,
    /// How often something was left of it, when last, and why.
    passes: u32,
    last: Timestamp,
    problem: Option<String>,
}

/// Two kinds of walks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    /// Every few minutes, through what ended since the last one.
    Intraday,
    /// Once a night, through the last days.
    Nightly,
}

impl LeftBehind {
    fn unread(&self) -> usize {
        let of = |slice: &Slice| slice.calls.as_ref().map_or(1, Vec::len);
        // What was left before a restart is told when it was asked for again.
        let slices = self.slices.iter().filter(|slice| slice.passes > 0);
        slices.map(of).sum::<usize>() + self.misshapen.len() + self.nameless.values().sum::<usize>()
    }

    /// Why something was left.
    fn problem(&self) -> Option<String> {
        self.slices.iter().find_map(|slice| slice.problem.clone())
    }

    /// What may be asked for again.
    fn due_again(&self, now: Timestamp, timings: &FeedTimings) -> Vec<Slice> {
        let is_due = |slice: &&Slice| is_due_again(slice.passes, slice.last, now, timings);
        self.slices.iter().filter(is_due).cloned().collect()
    }

    /// What is left of a slice takes its place; of a new one, the last place.
    fn replace(&mut self, slice: &Slice, rest: Option<Slice>) {
        let place = self.slices.iter().position(|known| known == slice);
        let place = place.map_or(self.slices.len()..self.slices.len(), |place| place..place + 1);
        self.slices.splice(place, rest);
    }

    /// True when this call will be asked for again, or has been often enough.
    fn holds(&self, id: &String) -> bool {
        self.slices.iter().filter_map(|slice| slice.calls.as_ref()).any(|calls| calls.contains(id))
    }

    /// Up to where nothing was left, when the walk has come so far.
    fn read_until(&self, reached: Timestamp) -> Timestamp {
        self.slices.iter().map(|slice| slice.from).fold(reached, Timestamp::min)
    }
}

impl RecordWalker {
    /// Journals the paths of calls that are at hand, of all that were written down by `until`: the walk goes on
    /// from there. Before the walker is spawned, which would begin one of its own.
    pub(crate) async fn begin_with(&self, paths: &[String], until: Timestamp) -> Result<(), JournalStopped> {
        let (now, journal, reader) = (clock::now(), &self.journal, &self.paths.reader);
        for path in paths {
            let path = record::path_event(path);
            journal.submit(Incoming::read(reader, Source::Rest, now, &path)).await?;
        }
        journal.walk(WalkOrder::Begin { at: now, from: until, until }).await?;
        journal.flush().await
    }

    /// Starts the task; it ends only by `stop`.
    pub(crate) fn spawn(self, tracker: &TaskTracker, stop: CancellationToken) -> JoinHandle<()> {
        tracker.spawn(async move {
            // Whatever is interrupted goes on from its place at the next start.
            let _ = stop.run_until_cancelled(self.run()).await;
        })
    }

    async fn run(self) {
        let mut back_off = BackOff::new(&self.timings);
        let mut left = LeftBehind::default();
        loop {
            let looked = self.look(clock::now(), &mut left).await;
            self.tell(&left, looked.as_ref().err());
            match looked {
                Ok(()) => {
                    back_off.reset();
                    let again =
                        left.slices.iter().filter_map(|slice| pause_after(slice.passes, &self.timings));
                    sleep(again.fold(LOOK, Duration::min)).await;
                }
                Err(error) => {
                    let message = "the walk through Zoom's record stopped; it goes on from there";
                    tracing::warn!(error = telemetry::chain(&error), message);
                    sleep(error.pause(&mut back_off)).await;
                }
            }
        }
    }

    /// Says what could not be read, and why nothing can be read now, if so.
    fn tell(&self, left: &LeftBehind, error: Option<&RepairError>) {
        let problem = error.and_then(RepairError::sentence).or_else(|| left.problem());
        let unread = left.unread();
        let problem = problem.or_else(|| (unread > 0).then(|| MISSHAPEN.to_owned()));
        self.status.send_if_modified(|status| {
            let shortfall = Shortfall { unread, problem };
            let changed = status.walk != shortfall || status.walking > 0;
            (status.walk, status.walking) = (shortfall, 0);
            changed
        });
    }

    async fn look(&self, now: Timestamp, left: &mut LeftBehind) -> Result<(), RepairError> {
        let walk = self.store.record_walk().await?;
        // What was left behind before a restart is known by its place only.
        if let Some(walk) = walk.filter(|walk| left.slices.is_empty() && walk.read_until < walk.done_until) {
            let from = walk.read_until.max(now - FURTHEST);
            left.slices.extend(cut(from, walk.done_until));
        }
        let began_at = walk.map_or(self.store.installation().created_at, |walk| walk.began_at);
        let walk = match (walk, due(self.home, self.timings.record_every, began_at, now)) {
            (Some(unfinished), _) if !unfinished.is_done() => unfinished,
            (walk, Some(due)) => self.begin(due, walk, now, left).await?,
            (Some(walk), None) => walk,
            (None, None) => return Ok(()),
        };
        let slices = if walk.is_done() {
            left.due_again(now, &self.timings)
        } else {
            cut(walk.done_until, walk.until).collect()
        };
        self.go_through(slices, walk, now, left).await
    }

    async fn begin(
        &self,
        due: Due,
        last: Option<RecordWalk>,
        now: Timestamp,
        left: &mut LeftBehind,
    ) -> Result<RecordWalk, RepairError> {
        // Calls that ended right before now are not written down yet.
        let until = now - self.timings.record_delay;
        let heard_since = self.store.installation().created_at;
        let heard_since = self.store.first_stay().await?.map_or(heard_since, |first| first.min(heard_since));
        let from = match (due, last) {
            // What was left behind is asked for apart. Each call is read twice: some are written down late.
            (Due::Intraday, Some(walk)) => walk.until - self.timings.record_every,
            // It begins where something was left behind.
            (_, last) => {
                *left = LeftBehind::default();
                (now - BACK).min(last.map_or(now, |walk| walk.read_until))
            }
        };
        left.nameless.clear();
        // What happened before anybody listened is no difference.
        let from = from.max(now - FURTHEST).max(heard_since).min(until);
        self.journal.walk(WalkOrder::Begin { at: now, from, until }).await?;
        self.journal.flush().await?;
        let read_until = last.map_or(from, |walk| walk.read_until);
        Ok(RecordWalk { began_at: now, until, done_until: from, read_until })
    }

    /// Reads one slice after the other: those of a walk, or what was left behind.
    async fn go_through(
        &self,
        slices: Vec<Slice>,
        mut walk: RecordWalk,
        now: Timestamp,
        left: &mut LeftBehind,
    ) -> Result<(), RepairError> {
        if slices.is_empty() {
            return Ok(());
        }
        let mut setbacks = Setbacks::default();
        let mut calls = 0;
        for slice in slices {
            let read_before = self.store.walked_calls().await?;
            let rest = self.read(slice.clone(), now, &read_before, &mut calls, left, &mut setbacks).await?;
            left.replace(&slice, rest);
            walk.done_until = walk.done_until.max(slice.to);
            walk.read_until = walk.read_until.max(left.read_until(walk.done_until));
            let (until, read_until) = (walk.done_until, walk.read_until);
            self.journal.walk(WalkOrder::Reached { until, read_until }).await?;
            self.journal.flush().await?;
        }
        let (left_behind, message) = (left.unread(), "walked through Zoom's record");
        match calls {
            0 => tracing::debug!(left_behind, message),
            _ => tracing::info!(calls, left_behind, message),
        }
        Ok(())
    }

    /// Reads the calls of a slice, save those that were `read_before`; gives back what could not be read. What
    /// another slice left behind stays there: walks overlap.
    async fn read(
        &self,
        slice: Slice,
        now: Timestamp,
        read_before: &HashSet<String>,
        calls: &mut usize,
        left: &mut LeftBehind,
        setbacks: &mut Setbacks,
    ) -> Result<Option<Slice>, RepairError> {
        let Slice { from, to, calls: known, passes, .. } = slice;
        let (ids, is_whole) = match known {
            Some(ids) => (ids, true),
            None => match self.paths.calls_that_ended(from, to).await {
                Ok(rows) => {
                    setbacks.read_one();
                    let (rows, is_whole) = rows.into_parts();
                    if !is_whole {
                        setbacks.note(RestError::Partial { what: CALLS })?;
                    }
                    let nameless = rows.iter().filter(|row| **row == CallRow::Nameless).count();
                    left.nameless.insert(from, nameless);
                    let ids = rows.into_iter().filter_map(CallRow::id).filter(|id| !left.holds(id));
                    (ids.collect(), is_whole)
                }
                Err(error) => {
                    error.note(setbacks)?;
                    (Vec::new(), false)
                }
            },
        };
        let mut unread = Vec::new();
        let ids: Vec<String> = ids.into_iter().filter(|id| !read_before.contains(id)).collect();
        let count = ids.len();
        for (index, id) in ids.into_iter().enumerate() {
            self.status.send_modify(|status| status.walking = count - index);
            match self.paths.read(&id).await {
                Ok(is_understood) => {
                    setbacks.read_one();
                    if is_understood {
                        left.misshapen.remove(&id);
                    } else {
                        left.misshapen.insert(id.clone());
                    }
                    *calls += 1;
                    self.journal.walk(WalkOrder::Read { record_id: id }).await?;
                }
                Err(error) => {
                    error.note(setbacks)?;
                    unread.push(id);
                }
            }
        }
        let calls = is_whole.then_some(unread);
        let is_read = calls.as_ref().is_some_and(Vec::is_empty);
        let problem = setbacks.take_sentence();
        Ok((!is_read).then_some(Slice { from, to, calls, passes: passes + 1, last: now, problem }))
    }
}

/// What lies between the two, as slices.
fn cut(from: Timestamp, until: Timestamp) -> impl Iterator<Item = Slice> {
    let starts = iter::successors(Some(from), |start| Some(*start + SLICE));
    let of =
        move |start: Timestamp| Slice { from: start, to: (start + SLICE).min(until), ..Slice::default() };
    starts.take_while(move |start| *start < until).map(of)
}

/// Which walk is due after the one that began then.
fn due(zone: Tz, record_every: Duration, began_at: Timestamp, now: Timestamp) -> Option<Due> {
    if now >= next_night(zone, began_at) {
        return Some(Due::Nightly);
    }
    (now >= began_at + record_every).then_some(Due::Intraday)
}

/// The first instant after `after` that is two and a half hours into a local day: half past two, save on
/// the days when clocks change.
fn next_night(zone: Tz, after: Timestamp) -> Timestamp {
    let of_day = |at: Timestamp| clock::day_start(zone, at) + HOUR;
    let today = of_day(after);
    if today > after { today } else { of_day(clock::day_of(zone, clock::date_of(zone, after)).1) }
}

#[cfg(test)]
mod tests;
