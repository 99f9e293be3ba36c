//! What this server may ask Zoom: never more than its share of the account's quota, the most urgent
//! first.

use std::time::Duration;

use domain::time::Timestamp;
use tokio::{sync::Mutex, time::Instant};

use super::{
    gate::Gate,
    ledger::{BudgetLine, Ledger},
};
use crate::{
    clock,
    journal::Journal,
    store::{RequestCount, Store},
    telemetry,
    zoom::rate_limit::{Lane, Plan, Share},
};

/// Why something is read: who goes first, and who keeps off the last of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Priority {
    /// The record of a time in which events were missed: numbers are wrong until it is read.
    Repair,
    /// Somebody or something waits for the answer.
    #[default]
    LookUp,
    /// Read now and then.
    Periodic,
}

impl Priority {
    pub(super) const COUNT: usize = 3;

    /// What it may use of a day's share.
    pub(super) const fn part_of(self, share: u32) -> u32 {
        let percent = match self {
            Self::Repair => 100,
            Self::LookUp => 90,
            Self::Periodic => 70,
        };
        (share as u64 * percent / 100) as u32
    }
}

/// Why a request may not go out now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    /// The day is used up until then.
    UsedUp(Timestamp),
    /// Zoom asked for a pause of this length.
    Paused(Duration),
}

/// Lets requests out. One for all that is asked in the account's name.
#[derive(Debug)]
pub struct Budget {
    share: Share,
    gates: [Gate; Lane::COUNT],
    ledger: Mutex<Ledger>,
    /// Where the counts are written; a budget without forgets them.
    journal: Option<Journal>,
}

impl Budget {
    /// A budget that forgets its counts with the process.
    pub fn new(plan: Plan, share: Share) -> Self {
        let gates = std::array::from_fn(|index| {
            let lane = Lane::all().nth(index).expect("as many gates as lanes");
            Gate::new(share.of_rate(plan.rate(lane)))
        });
        Self { share, gates, ledger: Mutex::new(Ledger::new(plan, share)), journal: None }
    }

    /// A budget that goes on from the counts in the database and keeps them there.
    pub async fn resume(plan: Plan, share: Share, store: &Store, journal: Journal) -> Self {
        let mut budget = Self::new(plan, share);
        let now = clock::now();
        match store.requests_since(clock::utc_day(now) - 1).await {
            Ok(rows) => budget.ledger.get_mut().resume(&rows, now),
            Err(error) => tracing::warn!(
                error = telemetry::chain(&error),
                "failed to read how many requests went out today; counting from zero"
            ),
        }
        budget.journal = Some(journal);
        budget
    }

    /// Waits until a request may go out, and counts it.
    pub(super) async fn turn(&self, lane: Lane, priority: Priority) -> Result<(), Held> {
        self.ledger.lock().await.room(lane, priority, clock::now()).map_err(Held::UsedUp)?;
        self.gates[lane.index()].pass(priority).await.map_err(Held::Paused)?;
        let mut ledger = self.ledger.lock().await;
        if let Some(count) = ledger.claim(lane, priority, clock::now()).map_err(Held::UsedUp)? {
            // Held meanwhile: nobody may go out on the strength of what is not written yet.
            self.write(vec![count]).await;
        }
        Ok(())
    }

    /// Zoom refused a request: its kind rests for a while, all others go on.
    pub(super) async fn pause(&self, lane: Lane, pause: Duration) {
        self.gates[lane.index()].pause(Instant::now() + pause);
        self.ledger.lock().await.refused(lane);
    }

    /// Zoom says that the day is used up until then.
    pub(super) async fn use_up(&self, lane: Lane, until: Timestamp) {
        let mut ledger = self.ledger.lock().await;
        let counts = ledger.use_up(lane, until);
        self.write(counts).await;
    }

    /// The part of the account's quota that is used at most.
    pub fn share(&self) -> Share {
        self.share
    }

    /// Today so far, by kind.
    pub async fn today(&self) -> Vec<BudgetLine> {
        self.ledger.lock().await.lines(clock::now())
    }

    /// As if so many requests had gone out today.
    #[cfg(test)]
    pub(super) async fn count_as_sent(&self, lane: Lane, requests: u32) {
        let mut ledger = self.ledger.lock().await;
        for _ in 0..requests {
            ledger.claim(lane, Priority::Repair, clock::now()).expect("room for them");
        }
    }

    /// Writes down and waits for the disk. A disk that fails is told of elsewhere; the counts then live
    /// in memory only.
    async fn write(&self, counts: Vec<RequestCount>) {
        let Some(journal) = &self.journal else { return };
        if journal.count_requests(counts).await.is_err() || journal.flush().await.is_err() {
            tracing::debug!("the journal has ended before a request was counted");
        }
    }
}
