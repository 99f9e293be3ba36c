//! Lets the past run: a board that is published second by second, at its own pace or faster.

use std::{sync::Arc, time::Duration};

use domain::time::Timestamp;
use tokio::{
    sync::{Semaphore, oneshot, watch},
    time::{MissedTickBehavior, interval},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Past, PastError};
use crate::{
    publish::{BoardKey, Published},
    telemetry,
};

/// How often something new is shown, at any speed.
const STEP: Duration = Duration::from_secs(1);
/// A longer time of which nothing is on record is passed over.
const IDLE: Duration = Duration::from_secs(60);
/// Boards that run at the same time: each is a board of its own.
const MOST: usize = 16;

/// A board of the past that runs.
#[derive(Debug)]
pub(crate) struct Playing {
    /// What it publishes, until nobody follows it or it ends.
    pub(crate) board: watch::Receiver<Arc<Published>>,
    /// Answered when it ends by itself.
    pub(crate) end: oneshot::Receiver<End>,
}

/// Why a board of the past runs no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It has caught up with now.
    CaughtUp,
    /// The recording is over.
    Over,
    /// A part of the record is missing, and will be.
    Torn,
}

/// Starts boards of the past that run.
#[derive(Debug, Clone)]
pub(crate) struct Players {
    permits: Arc<Semaphore>,
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Players {
    /// Nothing runs yet, and nothing more after `stop`.
    pub(crate) fn new(tracker: TaskTracker, stop: CancellationToken) -> Self {
        Self { permits: Arc::new(Semaphore::new(MOST)), tracker, stop }
    }

    /// Lets a board run from `at`, `speed` seconds a second, until nobody follows it or
    /// it has caught up with now, or a recording has ended. `None` for a queue nobody knew then.
    pub(crate) async fn play(
        &self,
        past: &Past,
        at: Timestamp,
        speed: u32,
        key: &BoardKey,
    ) -> Result<Option<Playing>, PastError> {
        let permit = Arc::clone(&self.permits).try_acquire_owned().map_err(|_| PastError::Busy)?;
        let mut reel = past.reel(at).await?;
        let mut until = reel.noted_at().ok_or(PastError::NotKept)?;
        // It begins with what was published then, byte for byte.
        let mut publisher = reel.publisher().ok_or(PastError::NotKept)?;
        reel.publish(&mut publisher);
        let Some(board) = publisher.subscribe(reel.board(), key) else { return Ok(None) };
        let (ended, end) = oneshot::channel();
        let playing = Playing { board, end };
        let (stop, ends_at, past) = (self.stop.clone(), past.ends_at(), past.clone());
        // A recording lies in the journal of a server that goes on.
        let is_over = move |at: Timestamp| ends_at.is_some_and(|end| at >= end);
        self.tracker.spawn(async move {
            let _permit = permit;
            let mut step = interval(STEP);
            step.set_missed_tick_behavior(MissedTickBehavior::Delay);
            // The first tick is at once.
            step.tick().await;
            let end = loop {
                tokio::select! {
                    () = stop.cancelled() => return,
                    _ = step.tick() => {}
                }
                if publisher.readers() == 0 {
                    return;
                }
                until = until + STEP * speed;
                until = ends_at.map_or(until, |end| until.min(end));
                let wound = past.in_turn(async move {
                    reel.wind_until(until).await?;
                    Ok(reel)
                });
                reel = match wound.await {
                    Ok(reel) => reel,
                    // Whoever comes again may be luckier.
                    Err(error) => {
                        tracing::warn!(error = telemetry::chain(&error), "the past cannot be played on");
                        return;
                    }
                };
                if !reel.is_whole() {
                    tracing::warn!("the past cannot be played on: a part of the record is missing");
                    break End::Torn;
                }
                reel.publish(&mut publisher);
                until = match reel.next_at() {
                    _ if is_over(until) => break End::Over,
                    None if ends_at.is_some() => break End::Over,
                    None => break End::CaughtUp,
                    Some(next) if is_over(next) => break End::Over,
                    // Nobody wants to watch a server that did not run.
                    Some(next) if next.since(until) > IDLE => next - STEP,
                    Some(_) => until,
                };
            };
            // Nobody listens who is gone.
            let _ = ended.send(end);
        });
        Ok(Some(playing))
    }

    /// Ends when the server stops.
    pub(crate) fn stopped(&self) -> impl Future<Output = ()> + Send + use<> {
        self.stop.clone().cancelled_owned()
    }
}
