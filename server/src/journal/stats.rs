//! What the journal counts, and whether it works.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use domain::time::Timestamp;

use super::Span;

/// Whether writing works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JournalStatus {
    /// It does.
    Working,
    /// Nothing is acknowledged until it does again.
    Failing {
        /// Since when it does not.
        since: Timestamp,
        /// One sentence with the next step.
        problem: String,
    },
}

/// What was counted since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JournalStats {
    /// New events on disk.
    pub journalled: u64,
    /// Of these, events that say something about a call.
    pub facts: u64,
    /// Of these, events that name another account than the configured one.
    pub foreign_account: u64,
    /// Events that had been written before.
    pub duplicates: u64,
    /// Of these, what was read of Zoom's record and had been read before.
    pub read_again: u64,
    /// Messages that could not be understood.
    pub quarantined: u64,
    /// Messages of the socket that could not be written.
    pub lost: u64,
    /// When the newest new event arrived.
    pub newest_at: Option<Timestamp>,
    /// How long that event was on its way, by its own account; `None` when it does not say.
    pub newest_delay: Option<Duration>,
    /// By how much at least each of the newest events was sent after it arrived: this machine's clock is behind.
    /// `None` unless that holds for several in a row.
    pub clock_behind: Option<Duration>,
    /// Orders in the last commit.
    pub last_batch: u64,
    /// How long the last commit took.
    pub last_commit: Duration,
    /// Commits so far.
    pub commits: u64,
    /// Orders that wait now.
    pub queued: usize,
}

/// Events of one name since the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindStats {
    /// The event's name.
    pub name: Arc<str>,
    /// How many were new.
    pub count: u64,
    /// When the last one arrived.
    pub last_at: Timestamp,
}

/// Clocks that are kept differ by less.
const CLOCKS_DIFFER: Duration = Duration::from_secs(2);
/// One event of another date may be somebody else's slip.
const IN_A_ROW: u64 = 5;
/// A clock may be set while no event comes.
const CLOCK_SEEN_LATELY: Duration = Duration::from_secs(5 * 60);

/// Names that are counted one by one; Zoom has about 200.
const MOST_KINDS: usize = 500;

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) journalled: AtomicU64,
    pub(super) facts: AtomicU64,
    pub(super) foreign_account: AtomicU64,
    pub(super) duplicates: AtomicU64,
    pub(super) read_again: AtomicU64,
    pub(super) quarantined: AtomicU64,
    pub(super) lost: AtomicU64,
    newest_at_ms: AtomicI64,
    /// Negative when unknown.
    newest_delay_ms: AtomicI64,
    /// Events in a row that were sent after they arrived, by how much each of them at least, and when the last did.
    sent_later: AtomicU64,
    sent_later_by_ms: AtomicU64,
    sent_later_at_ms: AtomicI64,
    last_batch: AtomicU64,
    last_commit_us: AtomicU64,
    commits: AtomicU64,
    /// Written by the journal's task once a commit, read by whoever looks at the feed.
    kinds: Mutex<BTreeMap<Arc<str>, (u64, Timestamp)>>,
    /// Arrival of events for which there was no room; told to the journal's task.
    turned_away: Mutex<Option<Span>>,
}

impl Counters {
    /// Notes that an event found no room.
    pub(super) fn turn_away(&self, at: Timestamp) {
        let mut turned_away = self.turned_away.lock().unwrap_or_else(PoisonError::into_inner);
        *turned_away = Span::around(*turned_away, Some(Span { from: at, to: at }));
    }

    pub(super) fn take_turned_away(&self) -> Option<Span> {
        self.turned_away.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Counts the new events of a commit by their names.
    pub(super) fn count_kinds<'a>(&self, events: impl Iterator<Item = (&'a Arc<str>, Timestamp)>) {
        let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, at) in events {
            if let Some((count, last_at)) = kinds.get_mut(name) {
                *count += 1;
                *last_at = at.max(*last_at);
            } else if kinds.len() < MOST_KINDS {
                kinds.insert(Arc::clone(name), (1, at));
            }
        }
    }

    /// Events by name.
    pub(super) fn kinds(&self) -> Vec<KindStats> {
        let kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        let told = |(name, (count, last_at)): (&Arc<str>, &(u64, Timestamp))| KindStats {
            name: Arc::clone(name),
            count: *count,
            last_at: *last_at,
        };
        kinds.iter().map(told).collect()
    }

    pub(super) fn add(counter: &AtomicU64, count: usize) {
        counter.fetch_add(count as u64, Relaxed);
    }

    pub(super) fn heard(&self, at: Timestamp, sent_at: Option<Timestamp>) {
        self.newest_at_ms.fetch_max(at.as_millis(), Relaxed);
        let delay = sent_at.map_or(-1, |sent_at| i64::try_from(at.since(sent_at).as_millis()).unwrap_or(-1));
        self.newest_delay_ms.store(delay, Relaxed);
        let Some(sent_at) = sent_at else { return };
        let later_by = sent_at.since(at);
        if later_by <= CLOCKS_DIFFER {
            self.sent_later.store(0, Relaxed);
            return;
        }
        self.sent_later_at_ms.store(at.as_millis(), Relaxed);
        let later_by_ms = u64::try_from(later_by.as_millis()).unwrap_or(u64::MAX);
        match self.sent_later.fetch_add(1, Relaxed) {
            0 => self.sent_later_by_ms.store(later_by_ms, Relaxed),
            _ => drop(self.sent_later_by_ms.fetch_min(later_by_ms, Relaxed)),
        }
    }

    pub(super) fn committed(&self, orders: usize, took: Duration) {
        self.last_batch.store(orders as u64, Relaxed);
        self.last_commit_us.store(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Relaxed);
        self.commits.fetch_add(1, Relaxed);
    }

    fn clock_behind(&self, now: Timestamp) -> Option<Duration> {
        let seen_at = Timestamp::from_millis(self.sent_later_at_ms.load(Relaxed));
        let is_so = self.sent_later.load(Relaxed) >= IN_A_ROW && now.since(seen_at) < CLOCK_SEEN_LATELY;
        is_so.then(|| Duration::from_millis(self.sent_later_by_ms.load(Relaxed)))
    }

    pub(super) fn read(&self, queued: usize, now: Timestamp) -> JournalStats {
        let newest_at_ms = self.newest_at_ms.load(Relaxed);
        JournalStats {
            journalled: self.journalled.load(Relaxed),
            facts: self.facts.load(Relaxed),
            foreign_account: self.foreign_account.load(Relaxed),
            read_again: self.read_again.load(Relaxed),
            duplicates: self.duplicates.load(Relaxed),
            quarantined: self.quarantined.load(Relaxed),
            lost: self.lost.load(Relaxed),
            newest_delay: u64::try_from(self.newest_delay_ms.load(Relaxed))
                .ok()
                .filter(|_| newest_at_ms != 0)
                .map(Duration::from_millis),
            clock_behind: self.clock_behind(now),
            newest_at: (newest_at_ms != 0).then(|| Timestamp::from_millis(newest_at_ms)),
            last_batch: self.last_batch.load(Relaxed),
            last_commit: Duration::from_micros(self.last_commit_us.load(Relaxed)),
            commits: self.commits.load(Relaxed),
            queued,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_behind_shows_by_events_in_a_row_that_arrive_before_they_are_sent() {
        let counters = Counters::default();
        let at = Timestamp::from_millis(1_790_000_000_000);
        let hear = |seconds: u64| counters.heard(at, Some(at + Duration::from_secs(seconds)));
        let behind = || counters.read(0, at).clock_behind;
        [30, 29, 31, 33].into_iter().for_each(hear);
        counters.heard(at, None);
        assert_eq!(behind(), None, "four are few");
        hear(34);
        assert_eq!(behind(), Some(Duration::from_secs(29)));
        hear(2);
        assert_eq!(behind(), None, "the clock was set");
        [40; 5].into_iter().for_each(hear);
        assert_eq!(behind(), Some(Duration::from_secs(40)), "what was before is over");
        assert_eq!(counters.read(0, at + CLOCK_SEEN_LATELY).clock_behind, None, "nobody knows by now");
    }
}
