//! May the board be believed? Puts together what the feed says of itself and the gaps on record.
//!
//! Owns no state of its own: everything is read from the feed's status and the store.

use std::time::Duration;

use chrono_tz::Tz;
use domain::{
    time::Timestamp,
    trust::{FeedLink, Gap, Trust},
};
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{clock, store::Store, telemetry, zoom::socket::FeedStatus};

/// How often the gaps on record are read: a gap ends in the record a commit after it ended.
const LOOK: Duration = Duration::from_secs(1);

/// Watches the feed on behalf of the board.
#[derive(Debug)]
pub(crate) struct Lookout {
    pub(crate) store: Store,
    pub(crate) feed: watch::Receiver<FeedStatus>,
    pub(crate) home: Tz,
    pub(crate) demo: bool,
}

impl Lookout {
    /// Starts the task; it ends by `stop` or with the feed.
    pub(crate) async fn spawn(
        mut self,
        tracker: &TaskTracker,
        stop: CancellationToken,
    ) -> watch::Receiver<Trust> {
        let first = self.look().await;
        let (trust, seen) = watch::channel(first);
        tracker.spawn(async move {
            let mut look = interval(LOOK);
            look.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    () = stop.cancelled() => break,
                    _ = look.tick() => {}
                    changed = self.feed.changed() => if changed.is_err() { break },
                }
                let now_seen = self.look().await;
                trust.send_if_modified(|before| {
                    let is_new = *before != now_seen;
                    *before = now_seen;
                    is_new
                });
            }
        });
        seen
    }

    async fn look(&mut self) -> Trust {
        let feed = self.feed.borrow_and_update().clone();
        let today = clock::day_start(self.home, clock::now());
        let gaps = self.store.gaps_since(today).await.unwrap_or_else(|error| {
            tracing::warn!(error = telemetry::chain(&error), "failed to read the gaps on record");
            Vec::new()
        });
        // What was missed and has been read since is missing no more.
        let open = gaps.into_iter().filter(|stored| stored.repaired_at.is_none());
        let on_record = open.map(|stored| stored.gap).max_by_key(|gap| gap.from);
        let installed_at = self.store.installation().created_at;
        Trust {
            gap: newest_gap(&feed, on_record),
            feed: feed.link,
            feed_since: feed.since,
            feed_heard_at: feed.heard_at,
            feed_problem: feed.problem,
            newest_fact_at: None,
            // The demo's day is told when it starts.
            counting_since: (installed_at > today && !self.demo).then_some(installed_at),
            demo: self.demo,
        }
    }
}

/// A gap that lasts is shown before it is on record, and not longer than it lasts.
fn newest_gap(feed: &FeedStatus, on_record: Option<Gap>) -> Option<Gap> {
    let since: Option<Timestamp> = match feed.link {
        FeedLink::Down | FeedLink::Contested => feed.heard_at,
        FeedLink::WebhookOnly | FeedLink::Connecting | FeedLink::Live => None,
    };
    match (since, on_record) {
        (Some(from), Some(known)) if known.to.is_none() => Some(Gap { from: from.min(known.from), to: None }),
        (Some(from), _) => Some(Gap { from, to: None }),
        (None, Some(known)) if known.to.is_none() && feed.link == FeedLink::Live => {
            Some(Gap { from: known.from, to: feed.connected_since })
        }
        (None, known) => known,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_790_000_000_000 + seconds * 1000)
    }

    fn status(link: FeedLink, heard: i64) -> FeedStatus {
        let mut status = FeedStatus::new(link, at(0));
        status.heard_at = Some(at(heard));
        status
    }

    #[test]
    fn a_gap_is_shown_from_the_last_proof_of_life_before_it_is_on_record() {
        let gap = newest_gap(&status(FeedLink::Down, 30), None);
        assert_eq!(gap, Some(Gap { from: at(30), to: None }));
    }

    #[test]
    fn a_gap_ends_on_the_board_when_the_link_is_live_again() {
        let mut live = status(FeedLink::Live, 95);
        live.connected_since = Some(at(90));
        let gap = newest_gap(&live, Some(Gap { from: at(30), to: None }));
        assert_eq!(gap, Some(Gap { from: at(30), to: Some(at(90)) }));
    }

    #[test]
    fn a_feed_that_never_was_has_no_gap() {
        assert_eq!(newest_gap(&FeedStatus::new(FeedLink::Connecting, at(0)), None), None);
    }
}
