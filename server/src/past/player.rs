//! Lets the past run: a board that is published second by second, at its own pace or faster.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use domain::time::Timestamp;
use tokio::{
    sync::{Semaphore, oneshot, watch},
    time::{MissedTickBehavior, interval},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Past, PastError, reel::Reel};
use crate::{
    publish::{BoardKey, Published, Publisher},
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
    past: Past,
    permits: Arc<Semaphore>,
    starting: Arc<Mutex<Starting>>,
    tracker: TaskTracker,
    stop: CancellationToken,
}

/// Who waits for a board that is being set up to run from an instant at a speed.
type Starting = HashMap<(Timestamp, u32), Vec<Waiting>>;

#[derive(Debug)]
struct Waiting {
    key: BoardKey,
    answer: oneshot::Sender<Result<Option<Playing>, PastError>>,
}

impl Players {
    /// Nothing runs yet, and nothing more after `stop`.
    pub(crate) fn new(past: Past, tracker: TaskTracker, stop: CancellationToken) -> Self {
        Self { past, permits: Arc::new(Semaphore::new(MOST)), starting: Arc::default(), tracker, stop }
    }

    /// Lets a board run from `at`, `speed` seconds a second, until nobody follows it or
    /// it has caught up with now, or a recording has ended. `None` for a queue nobody knew then.
    ///
    /// All who ask for the same while it is being set up follow one board.
    pub(crate) async fn play(
        &self,
        at: Timestamp,
        speed: u32,
        key: &BoardKey,
    ) -> Result<Option<Playing>, PastError> {
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { key: key.clone(), answer };
        match self.starting.lock().unwrap_or_else(PoisonError::into_inner).entry((at, speed)) {
            Entry::Occupied(mut entry) => entry.get_mut().push(waiting),
            Entry::Vacant(entry) => {
                let permit = Arc::clone(&self.permits).try_acquire_owned().map_err(|_| PastError::Busy)?;
                entry.insert(vec![waiting]);
                let players = self.clone();
                self.tracker.spawn(async move {
                    players.set_up(at, speed).await;
                    drop(permit);
                });
            }
        }
        answered.await.unwrap_or(Err(PastError::Failed))
    }

    /// Sets a board up, lets it run for all who wait for it, and tells them how it ended.
    async fn set_up(self, at: Timestamp, speed: u32) {
        let begun = self.past.begin(at).await;
        let waiting = self.starting.lock().unwrap_or_else(PoisonError::into_inner).remove(&(at, speed));
        let mut ends = Vec::new();
        let (reel, mut publisher) = match begun {
            Ok(begun) => begun,
            Err(error) => {
                for Waiting { answer, .. } in waiting.unwrap_or_default() {
                    let _ = answer.send(Err(error.clone()));
                }
                return;
            }
        };
        for Waiting { key, answer } in waiting.unwrap_or_default() {
            let playing = publisher.subscribe(reel.board(), &key).map(|board| {
                let (ended, end) = oneshot::channel();
                ends.push(ended);
                Playing { board, end }
            });
            // Who is gone does not count as a reader.
            let _ = answer.send(Ok(playing));
        }
        if let Some(end) = self.run(reel, publisher, speed).await {
            for ended in ends {
                // Nobody listens who is gone.
                let _ = ended.send(end);
            }
        }
    }

    /// Publishes second by second; `None` when it ends because nobody follows it, or fails for now.
    async fn run(&self, mut reel: Reel, mut publisher: Publisher, speed: u32) -> Option<End> {
        let past = &self.past;
        let mut until = reel.stands_at()?;
        let ends_at = past.ends_at();
        // A recording lies in the journal of a server that goes on.
        let is_over = move |at: Timestamp| ends_at.is_some_and(|end| at >= end);
        let mut step = interval(STEP);
        step.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first tick is at once.
        step.tick().await;
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return None,
                _ = step.tick() => {}
            }
            if publisher.readers() == 0 {
                return None;
            }
            // While others look back it stands still.
            let Ok(turn) = past.turn().await else { continue };
            until = until + STEP * speed;
            until = ends_at.map_or(until, |end| until.min(end));
            let looking = past.clone();
            let wound = Past::in_this_turn(turn, async move {
                reel.wind_until(until).await?;
                looking.go_on(&mut reel, until);
                Ok(reel)
            });
            reel = match wound.await {
                Ok(reel) => reel,
                // Whoever comes again may be luckier.
                Err(error) => {
                    tracing::warn!(error = telemetry::chain(&error), "the past cannot be played on");
                    return None;
                }
            };
            if !reel.is_whole() {
                tracing::warn!("the past cannot be played on: a part of the record is missing");
                return Some(End::Torn);
            }
            reel.publish(&mut publisher);
            until = match reel.next_at() {
                _ if is_over(until) => return Some(End::Over),
                None if ends_at.is_some() => return Some(End::Over),
                None => return Some(End::CaughtUp),
                Some(next) if is_over(next) => return Some(End::Over),
                // Nobody wants to watch a server that did not run.
                Some(next) if next.since(until) > IDLE => next - STEP,
                Some(_) => until,
            };
        }
    }

    /// Ends when the server stops.
    pub(crate) fn stopped(&self) -> impl Future<Output = ()> + Send + use<> {
        self.stop.clone().cancelled_owned()
    }
}
