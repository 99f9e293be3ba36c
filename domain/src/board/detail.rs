//! What stands behind the numbers of one queue: its calls, who left today, and how that is counted.

use serde::{Deserialize, Serialize};

use super::{Board, LiveCall};
use crate::{
    id::{CallId, QueueId},
    outcome::Outcome,
    queue::Visit,
    service_level::{Promise, ServiceLevels},
    time::Timestamp,
};

/// Everything about one queue that its row does not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueDetail {
    /// What it promises now.
    pub promise: Promise,
    /// Its service level of today by every definition.
    pub service_levels: ServiceLevels,
    /// Visits of today by outcome, each of [`Outcome::ALL`].
    pub outcomes: Vec<(Outcome, u32)>,
    /// Calls that are with it now, oldest first.
    pub calls: Vec<LiveCall>,
    /// Callers who left today, the last first.
    pub lost: Vec<LostVisit>,
}

/// A visit in which the caller left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostVisit {
    /// The call.
    pub call_id: CallId,
    /// Name or number of the caller; `None` when withheld or not known.
    pub caller: Option<String>,
    /// When the caller entered the queue, as far as that is known.
    pub entered_at: Timestamp,
    /// When the caller left it.
    pub left_at: Timestamp,
    /// Within the short time.
    pub short: bool,
    /// No message told; silence did.
    pub presumed: bool,
    /// The record tells of it.
    pub measured: bool,
}

impl LostVisit {
    /// The visit, when its caller left.
    pub(super) fn of(call_id: &CallId, visit: &Visit, caller: Option<&str>) -> Option<Self> {
        let short = match visit.outcome {
            Outcome::Abandoned => false,
            Outcome::ShortAbandoned => true,
            _ => return None,
        };
        Some(Self {
            call_id: call_id.clone(),
            caller: caller.map(str::to_owned),
            entered_at: visit.entered_at,
            left_at: visit.left_at?,
            short,
            presumed: visit.presumed,
            measured: visit.measured,
        })
    }
}

impl Board {
    /// What stands behind the numbers of one queue; `None` for a queue nobody knows.
    pub fn queue_detail(&self, id: &QueueId) -> Option<QueueDetail> {
        self.book.get(id)?;
        let today = self.tallies.get(id).map(|tally| tally.today).unwrap_or_default();
        let midnight = self.midnights.of(self.book.zone(id));
        let is_of_today =
            |entered_at: Timestamp, queue_id: &QueueId| queue_id == id && entered_at >= midnight;
        let settled =
            self.settled_visits.iter().filter(|visit| is_of_today(visit.entered_at, &visit.queue_id));
        let mut lost: Vec<LostVisit> = settled.filter_map(|visit| visit.lost.as_deref().cloned()).collect();
        for tracked in self.calls.iter() {
            let visits = tracked.visits.iter().filter(|visit| is_of_today(visit.entered_at, &visit.queue_id));
            lost.extend(
                visits.filter_map(|visit| LostVisit::of(&tracked.id, visit, tracked.caller().as_deref())),
            );
        }
        lost.sort_by(|a, b| b.left_at.cmp(&a.left_at).then_with(|| a.call_id.cmp(&b.call_id)));
        Some(QueueDetail {
            promise: self.book.rules(id).promises.at(self.now),
            service_levels: today.service_levels,
            outcomes: Outcome::ALL.into_iter().zip(today.outcomes).collect(),
            calls: self.live_calls().into_iter().filter(|call| call.queue_id.as_ref() == Some(id)).collect(),
            lost,
        })
    }
}
