//! Every night: walks through Zoom's record of the last two days, by the time at which calls ended.
//!
//! Records are revised, and written down late: what was right yesterday may be otherwise today. The paths
//! are journalled like those of a gap, so that reading one again changes nothing. How far the walk has come
//! stands in the database after every call, so that a kill costs no work.

use std::time::Duration;

use chrono_tz::Tz;
use domain::time::Timestamp;
use tokio::{task::JoinHandle, time::sleep};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    backfill::{CallRow, PathReader, RepairError},
    patience::BackOff,
};
use crate::{
    clock,
    config::FeedTimings,
    journal::Journal,
    store::{RecordWalk, Store, WalkOrder},
    telemetry,
};

/// How often it is looked whether a walk is due.
const LOOK: Duration = Duration::from_secs(5);
/// A walk goes this far back.
const BACK: Duration = Duration::from_secs(48 * 3600);
/// Further back, to where the last walk ended, it goes only this far: Zoom keeps six months, but nobody
/// wants to wait for them.
const FURTHEST: Duration = Duration::from_secs(14 * 86_400);
/// The calls of this long are listed at once.
const SLICE: Duration = Duration::from_secs(15 * 60);
/// A walk begins this long after local midnight.
const HOUR: Duration = Duration::from_secs(2 * 3600 + 30 * 60);

/// Walks through the record for as long as the server runs.
#[derive(Debug)]
pub(crate) struct Nightly {
    pub(crate) paths: PathReader,
    pub(crate) store: Store,
    pub(crate) journal: Journal,
    pub(crate) home: Tz,
    pub(crate) timings: FeedTimings,
}

impl Nightly {
    /// Starts the task; it ends only by `stop`.
    pub(crate) fn spawn(self, tracker: &TaskTracker, stop: CancellationToken) -> JoinHandle<()> {
        tracker.spawn(async move {
            // Whatever is interrupted goes on from its place at the next start.
            let _ = stop.run_until_cancelled(self.run()).await;
        })
    }

    async fn run(self) {
        let mut back_off = BackOff::new(&self.timings);
        loop {
            match self.look().await {
                Ok(()) => {
                    back_off.reset();
                    sleep(LOOK.min(self.timings.walk_every.unwrap_or(LOOK))).await;
                }
                Err(error) => {
                    let message = "the walk through Zoom's record stopped; it goes on from there";
                    tracing::warn!(error = telemetry::chain(&error), message);
                    sleep(error.pause(&mut back_off)).await;
                }
            }
        }
    }

    async fn look(&self) -> Result<(), RepairError> {
        let now = clock::now();
        let walk = self.store.record_walk().await?;
        let unfinished = walk.filter(|walk| !walk.is_done());
        let walk = match unfinished {
            Some(walk) => walk,
            None if now >= self.due(walk.map(|walk| walk.began_at)) => self.begin(walk, now).await?,
            None => return Ok(()),
        };
        self.go_on(walk).await
    }

    /// When the next walk begins after one that began then.
    fn due(&self, last: Option<Timestamp>) -> Timestamp {
        let last = last.unwrap_or(self.store.installation().created_at);
        match self.timings.walk_every {
            Some(pause) => last + pause,
            None => next_night(self.home, last),
        }
    }

    async fn begin(&self, last: Option<RecordWalk>, now: Timestamp) -> Result<RecordWalk, RepairError> {
        // Calls that ended right before now are not written down yet.
        let until = now - self.timings.record_delay;
        let heard_since = self.store.installation().created_at;
        let heard_since = self.store.first_stay().await?.map_or(heard_since, |first| first.min(heard_since));
        let read_until = last.map_or(now, |walk| walk.read_until);
        // What happened before anybody listened is no difference.
        let from = (now - BACK).min(read_until).max(now - FURTHEST).max(heard_since).min(until);
        self.journal.walk(WalkOrder::Begin { at: now, from, until }).await?;
        self.journal.flush().await?;
        let read_until = last.map_or(from, |walk| walk.read_until);
        Ok(RecordWalk { began_at: now, until, done_until: from, read_until })
    }

    /// Slice by slice to the end.
    async fn go_on(&self, walk: RecordWalk) -> Result<(), RepairError> {
        let mut place = walk.done_until;
        let mut calls = 0;
        while place < walk.until {
            let end = (place + SLICE).min(walk.until);
            let read = self.store.walked_calls().await?;
            for row in self.paths.calls_that_ended(place, end).await? {
                let CallRow::Call { id } = row else { continue };
                if read.contains(&id) {
                    continue;
                }
                self.paths.read(&id).await?;
                self.journal.walk(WalkOrder::Read { record_id: id }).await?;
                calls += 1;
            }
            self.journal.walk(WalkOrder::Reached { until: end }).await?;
            self.journal.flush().await?;
            place = end;
        }
        tracing::info!(calls, "walked through Zoom's record");
        Ok(())
    }
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
