//! Lets the past run: a board that is published second by second, at its own pace or faster.

use std::{sync::Arc, time::Duration};

use domain::time::Timestamp;
use tokio::{
    sync::{Semaphore, oneshot, watch},
    time::{MissedTickBehavior, interval},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Past, PastError, apart};
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
    /// Answered when it ends because it has caught up with now.
    pub(crate) caught_up: oneshot::Receiver<()>,
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
        let (caught_up, playing) = oneshot::channel();
        let playing = Playing { board, caught_up: playing };
        let (stop, end) = (self.stop.clone(), past.ends_at());
        // A recording lies in the journal of a server that goes on.
        let is_over = move |at: Timestamp| end.is_some_and(|end| at >= end);
        self.tracker.spawn(async move {
            let _permit = permit;
            let mut step = interval(STEP);
            step.set_missed_tick_behavior(MissedTickBehavior::Delay);
            // The first tick is at once.
            step.tick().await;
            while publisher.readers() > 0 {
                tokio::select! {
                    () = stop.cancelled() => break,
                    _ = step.tick() => {}
                }
                until = until + STEP * speed;
                until = end.map_or(until, |end| until.min(end));
                let wound = apart(async move {
                    reel.wind_until(until).await?;
                    Ok(reel)
                });
                reel = match wound.await {
                    Ok(reel) => reel,
                    Err(error) => {
                        tracing::warn!(error = telemetry::chain(&error), "the past cannot be played on");
                        break;
                    }
                };
                if !reel.is_whole() {
                    tracing::warn!("the past cannot be played on: a part of the record is missing");
                    break;
                }
                reel.publish(&mut publisher);
                until = match reel.next_at() {
                    _ if is_over(until) => break,
                    // Who follows goes on with the live board, and nobody does who is gone.
                    None => {
                        let _ = caught_up.send(());
                        break;
                    }
                    Some(next) if is_over(next) => break,
                    // Nobody wants to watch a server that did not run.
                    Some(next) if next.since(until) > IDLE => next - STEP,
                    Some(_) => until,
                };
            }
        });
        Ok(Some(playing))
    }
}
