//! Does Zoom still send events? A subscription can be switched off, or lack the events of calls, while its
//! connection lives; then nothing but the record tells.
//!
//! Stands between the feed and everybody who asks how it is. When no event of a call came for a while, Zoom's
//! record is asked for calls that must have been told; if it has some, the feed is taken for dead until
//! an event comes, and the time in between becomes a gap, to be repaired like any other. While nobody calls
//! it asks ever more seldom.

use std::{pin::Pin, time::Duration};

use domain::{time::Timestamp, trust::FeedLink};
use tokio::{
    select,
    sync::watch,
    time::{MissedTickBehavior, interval},
};
use tokio_util::task::TaskTracker;

use super::{
    backfill::CallRow,
    rest::{RestClient, RestError, Rows},
    socket::FeedStatus,
    translate::LiveEvent,
};
use crate::{clock, config::FeedTimings, journal::Journal};

/// How often it is looked whether an event came.
const LOOK: Duration = Duration::from_secs(5);
/// So many calls without any event are no coincidence of lost ones.
const LEAST_CALLS: usize = 3;
/// The record is asked at least once in so many times the first pause.
const SELDOM: u32 = 4;
/// Why there is a gap.
const CAUSE: &str = "no events, though there were calls";

/// Listens whether events come at all.
#[derive(Debug)]
pub(crate) struct Silence {
    pub(crate) rest: RestClient,
    pub(crate) journal: Journal,
    /// How the feed is by its own word.
    pub(crate) feed: watch::Receiver<FeedStatus>,
    /// When this server began to listen.
    pub(crate) since: Timestamp,
    pub(crate) timings: FeedTimings,
}

/// What is known of the silence.
#[derive(Debug, Default, PartialEq, Eq)]
struct Ear {
    /// Looks at the record since the last event, and when the last was.
    looks: u32,
    looked_at: Option<Timestamp>,
    /// Calls went on since then without an event.
    deaf: Option<Deafness>,
}

/// The subscription does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Deafness {
    since: Timestamp,
    calls: usize,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Nothing,
    /// Ask for the calls that ended in that time.
    Ask {
        from: Timestamp,
        to: Timestamp,
    },
    /// Events come again: what happened meanwhile was missed.
    HeardAgain {
        from: Timestamp,
        to: Timestamp,
    },
}

type Asking = Pin<Box<dyn Future<Output = (Timestamp, Result<Rows<CallRow>, RestError>)> + Send>>;

impl Silence {
    /// Starts the task; it ends with the feed.
    pub(crate) fn spawn(mut self, tracker: &TaskTracker) -> watch::Receiver<FeedStatus> {
        let (status, seen) = watch::channel(self.feed.borrow_and_update().clone());
        tracker.spawn(self.run(status));
        seen
    }

    async fn run(mut self, status: watch::Sender<FeedStatus>) {
        let mut ear = Ear::default();
        let mut asking: Option<Asking> = None;
        let mut look = interval(LOOK.min(self.timings.quiet.max(Duration::from_millis(1))));
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            select! {
                changed = self.feed.changed() => if changed.is_err() { break },
                _ = look.tick() => {}
                (from, answer) = async { asking.as_mut().expect("asked for").await }, if asking.is_some() => {
                    asking = None;
                    self.note(&mut ear, from, answer);
                }
            }
            let feed = self.feed.borrow_and_update().clone();
            let (now, last_event) = (clock::now(), self.last_event());
            match ear.listen(now, self.quiet_since(&feed, last_event), last_event, &self.timings) {
                Step::Ask { from, to } if asking.is_none() => {
                    let rest = self.rest.clone();
                    asking = Some(Box::pin(async move { (from, rest.calls_that_ended(from, to).await) }));
                }
                Step::HeardAgain { from, to } => {
                    tracing::info!("events of calls come again");
                    // It is open, unless the link was lost and found meanwhile.
                    let written = async {
                        self.journal.open_gap(from, CAUSE).await?;
                        self.journal.close_gap(to).await
                    };
                    if written.await.is_err() {
                        break;
                    }
                }
                Step::Ask { .. } | Step::Nothing => {}
            }
            // On record while it lasts: a restart must not forget it. One that is open already stays as it is.
            if let Some(deaf) = ear.deaf
                && self.journal.open_gap(deaf.since, CAUSE).await.is_err()
            {
                break;
            }
            let told = ear.deaf.map_or_else(|| feed.clone(), |deaf| doubted(&feed, deaf));
            status.send_if_modified(|status| {
                let changed = *status != told;
                *status = told;
                changed
            });
        }
    }

    /// When the last event of a call came. Readings of the record and of presence are none.
    fn last_event(&self) -> Option<Timestamp> {
        let kinds = self.journal.kinds().into_iter();
        kinds.filter(|kind| LiveEvent::named(&kind.name).is_some()).map(|kind| kind.last_at).max()
    }

    /// Since when events could have come and none did; `None` while none can come.
    fn quiet_since(&self, feed: &FeedStatus, last_event: Option<Timestamp>) -> Option<Timestamp> {
        let listens_since = match feed.link {
            FeedLink::Live => feed.connected_since.unwrap_or(feed.since),
            FeedLink::WebhookOnly => feed.since,
            FeedLink::Connecting | FeedLink::Down | FeedLink::Contested => return None,
        };
        Some(listens_since.max(self.since).max(last_event.unwrap_or(self.since)))
    }

    fn note(&self, ear: &mut Ear, from: Timestamp, answer: Result<Rows<CallRow>, RestError>) {
        match answer {
            Ok(rows) => {
                let (rows, _) = rows.into_parts();
                // One that began before has had its events.
                let untold = rows.iter().filter_map(CallRow::answered_from).filter(|began| *began > from);
                ear.found(from, untold.count());
            }
            Err(error) => tracing::debug!(problem = %error, "the record could not be asked about a silence"),
        }
    }
}

impl Ear {
    fn listen(
        &mut self,
        now: Timestamp,
        quiet_since: Option<Timestamp>,
        last_event: Option<Timestamp>,
        timings: &FeedTimings,
    ) -> Step {
        if let Some(deaf) = self.deaf {
            let Some(heard_at) = last_event.filter(|at| *at > deaf.since) else { return Step::Nothing };
            *self = Self::default();
            return Step::HeardAgain { from: deaf.since, to: heard_at };
        }
        let Some(quiet_since) = quiet_since else { return Step::Nothing };
        if self.looked_at.is_some_and(|at| at < quiet_since) {
            *self = Self::default();
        }
        let pause = timings.quiet * (self.looks + 1).min(SELDOM);
        if now.since(self.looked_at.unwrap_or(quiet_since)) < pause {
            return Step::Nothing;
        }
        (self.looks, self.looked_at) = (self.looks + 1, Some(now));
        // Calls that ended right before now are not written down yet.
        let to = now - timings.record_delay;
        if to > quiet_since { Step::Ask { from: quiet_since, to } } else { Step::Nothing }
    }

    /// The record has so many calls that began after `since` and were answered.
    fn found(&mut self, since: Timestamp, calls: usize) {
        if calls >= LEAST_CALLS {
            let problem = "Zoom's record has calls, but no event of any came";
            tracing::warn!(calls, since = clock::format_rfc3339(since), problem);
            self.deaf = Some(Deafness { since, calls });
        }
    }
}

/// The feed's own word, corrected. A link that knows of its own trouble says more.
fn doubted(feed: &FeedStatus, deaf: Deafness) -> FeedStatus {
    if !matches!(feed.link, FeedLink::Live | FeedLink::WebhookOnly) {
        return feed.clone();
    }
    let problem = format!(
        "Zoom's record shows {} calls since the last event, but no event of any of them came: check in the Zoom \
         App Marketplace that the app is active, and that its event subscription is switched on and has all \
         events of Phone.",
        deaf.calls
    );
    FeedStatus {
        link: FeedLink::Down,
        since: deaf.since,
        heard_at: Some(deaf.since),
        problem: Some(problem),
        ..feed.clone()
    }
}

#[cfg(test)]
mod tests;
