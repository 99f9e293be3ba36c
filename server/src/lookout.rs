//! May the board be believed? Puts together what the feed says of itself and the gaps on record.
//!
//! Everything is read from the feed's status and the store; kept is only what was last read of the
//! latter, because a disk that cannot be read does not undo a gap.

use std::time::Duration;

use chrono_tz::Tz;
use domain::{
    board::LONGEST_DAY,
    time::Timestamp,
    trust::{FeedLink, Gap, Outage, Trust},
};
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    clock,
    journal::JournalStatus,
    store::{Store, StoreError, StoredGap},
    telemetry,
    zoom::socket::FeedStatus,
};

/// How often the gaps on record are read: a gap ends in the record a commit after it ended.
const LOOK: Duration = Duration::from_secs(1);

/// Watches the feed on behalf of the board.
#[derive(Debug)]
pub(crate) struct Lookout {
    store: Store,
    feed: watch::Receiver<FeedStatus>,
    journal: watch::Receiver<JournalStatus>,
    home: Tz,
    demo: bool,
    /// As last read.
    gaps: Vec<StoredGap>,
    /// The last attempt to read them failed.
    is_blind: bool,
}

impl Lookout {
    /// Reads the gaps on record for the first time.
    pub(crate) async fn start(
        store: Store,
        feed: watch::Receiver<FeedStatus>,
        journal: watch::Receiver<JournalStatus>,
        home: Tz,
        demo: bool,
    ) -> Result<Self, StoreError> {
        let gaps = store.gaps_since(earliest_midnight(home, clock::now())).await?;
        Ok(Self { store, feed, journal, home, demo, gaps, is_blind: false })
    }

    /// Starts the task; it ends by `stop` or with the feed.
    pub(crate) async fn spawn(
        mut self,
        tracker: &TaskTracker,
        stop: CancellationToken,
    ) -> watch::Receiver<Trust> {
        let first = self.look(clock::now()).await;
        let (trust, seen) = watch::channel(first);
        tracker.spawn(async move {
            let mut look = interval(LOOK);
            look.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    () = stop.cancelled() => break,
                    _ = look.tick() => {}
                    changed = self.feed.changed() => if changed.is_err() { break },
                    changed = self.journal.changed() => if changed.is_err() { break },
                }
                let now_seen = self.look(clock::now()).await;
                trust.send_if_modified(|before| {
                    let is_new = *before != now_seen;
                    *before = now_seen;
                    is_new
                });
            }
        });
        seen
    }

    async fn look(&mut self, now: Timestamp) -> Trust {
        match self.store.gaps_since(earliest_midnight(self.home, now)).await {
            Ok(gaps) => {
                self.gaps = gaps;
                self.is_blind = false;
            }
            Err(error) if !self.is_blind => {
                self.is_blind = true;
                tracing::warn!(
                    error = telemetry::chain(&error),
                    "failed to read the gaps on record; what was last read of them stands"
                );
            }
            Err(_) => {}
        }
        let feed = self.feed.borrow_and_update().clone();
        let installed_at = self.store.installation().created_at;
        let is_partial = installed_at > clock::day_start(self.home, now);
        Trust {
            gap: newest_gap(&feed, unread_gap(&self.gaps)),
            // The demo's day is told when it starts.
            deaf_until: deaf_until(&feed, &self.gaps).max((!self.demo).then_some(installed_at)),
            counting_since: (is_partial && !self.demo).then_some(installed_at),
            feed: feed.link,
            feed_since: feed.since,
            feed_heard_at: feed.heard_at,
            feed_problem: feed.problem,
            journal_outage: outage(&self.journal.borrow_and_update()),
            newest_fact_at: None,
            demo: self.demo,
        }
    }
}

/// Today begins no earlier in the zone of any queue.
fn earliest_midnight(home: Tz, now: Timestamp) -> Timestamp {
    clock::day_start(home, now) - LONGEST_DAY
}

/// The newest gap of which nobody has read the record since.
fn unread_gap(gaps: &[StoredGap]) -> Option<Gap> {
    let unread = gaps.iter().filter(|stored| stored.repaired_at.is_none());
    unread.map(|stored| stored.gap).max_by_key(|gap| (gap.to.is_none(), gap.to))
}

/// When the newest gap ended, repaired or not.
fn deaf_until(feed: &FeedStatus, gaps: &[StoredGap]) -> Option<Timestamp> {
    let ending = newest_gap(feed, gaps.iter().map(|stored| stored.gap).find(|gap| gap.to.is_none()));
    gaps.iter().map(|stored| stored.gap).chain(ending).filter_map(|gap| gap.to).max()
}

fn outage(journal: &JournalStatus) -> Option<Outage> {
    match journal {
        JournalStatus::Working => None,
        JournalStatus::Failing { since, problem } => Some(Outage { since: *since, problem: problem.clone() }),
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
    use crate::store::{Batch, GapOrder};

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

    fn stored(from: i64, to: i64, repaired_at: Option<i64>) -> StoredGap {
        StoredGap {
            gap_id: from,
            gap: Gap { from: at(from), to: Some(at(to)) },
            cause: "connection lost".to_owned(),
            repaired_at: repaired_at.map(at),
            read_again_at: None,
        }
    }

    #[test]
    fn a_gap_that_was_repaired_is_no_gap_but_calls_may_have_begun_in_it() {
        let live = status(FeedLink::Live, 200);
        let gaps = [stored(10, 20, None), stored(30, 90, Some(180))];
        assert_eq!(unread_gap(&gaps), Some(Gap { from: at(10), to: Some(at(20)) }));
        assert_eq!(deaf_until(&live, &gaps), Some(at(90)));
        assert_eq!(deaf_until(&live, &[]), None);
    }

    #[tokio::test]
    async fn a_disk_that_cannot_be_read_undoes_no_gap() {
        let folder = tempfile::tempdir().unwrap();
        let (store, mut writer) = Store::open(folder.path(), crate::Purpose::Work, at(0)).await.unwrap();
        let gaps = vec![GapOrder::Past { from: at(10), to: at(20), cause: "connection lost" }];
        writer.commit(Batch { gaps, ..Batch::default() }).await.unwrap();
        let (_feed, seen) = watch::channel(status(FeedLink::Live, 200));
        let (_journal, journal) = watch::channel(JournalStatus::Working);
        let gaps = Vec::new();
        let home = chrono_tz::UTC;
        let mut lookout =
            Lookout { store: store.clone(), feed: seen, journal, home, demo: false, gaps, is_blind: false };
        let gap = Some(Gap { from: at(10), to: Some(at(20)) });
        assert_eq!(lookout.look(at(300)).await.gap, gap);
        store.close().await;
        assert_eq!(lookout.look(at(301)).await.gap, gap);
    }

    #[test]
    fn a_feed_that_never_was_has_no_gap() {
        assert_eq!(newest_gap(&FeedStatus::new(FeedLink::Connecting, at(0)), None), None);
    }
}
