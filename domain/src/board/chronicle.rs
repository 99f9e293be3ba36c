//! What the board tells those who write history: the finished stays of calls that changed.

use std::collections::{BTreeMap, BTreeSet};

use super::{Board, TrackedCall, book::QueueBook, calls::Place};
use crate::{
    fact::{Record, StayEnd},
    history::{CallHistory, LiveStay, RecordReading, RecordStay, Told},
    id::{CallId, QueueId, RecordId},
    outcome::OverflowReason,
    queue::{QueueMention, Visit, visits},
    time::Timestamp,
};

/// News for those who write history, collected until they take it.
#[derive(Debug, Default)]
pub(super) struct Chronicle {
    /// Calls in memory whose finished stays changed.
    changed: BTreeSet<CallId>,
    /// Calls that were written down before live messages had come to an end of them, and when they next change by
    /// themselves. Telling one again that is as it was does no harm.
    unfinished: BTreeMap<CallId, Timestamp>,
    /// News of calls that are in memory no more.
    told: Vec<CallHistory>,
}

impl Board {
    /// Lets the board collect what [`Board::take_history`] gives.
    #[must_use]
    pub fn with_history(mut self) -> Self {
        self.chronicle = Some(Chronicle::default());
        self
    }

    /// Forgets what was collected: it is written already.
    pub fn forget_history(&mut self) {
        let Some(chronicle) = &mut self.chronicle else { return };
        chronicle.told.clear();
        for call_id in std::mem::take(&mut chronicle.changed) {
            let Some(tracked) = self.calls.find(&call_id) else { continue };
            let (_, ends_at) = tracked.live_stays(self.now, &self.book);
            chronicle.note_end(call_id, ends_at);
        }
    }

    /// News of at most `limit` calls, each told with all its finished stays; nothing when there is none.
    pub fn take_history(&mut self, now: Timestamp, limit: usize) -> Vec<CallHistory> {
        let Some(chronicle) = &mut self.chronicle else { return Vec::new() };
        chronicle.let_time_pass(now);
        let count = chronicle.told.len().min(limit);
        let mut news: Vec<CallHistory> = chronicle.told.drain(..count).collect();
        while news.len() < limit {
            let Some(call_id) = chronicle.changed.pop_first() else { break };
            let Some(tracked) = self.calls.find(&call_id) else { continue };
            let (live, ends_at) = tracked.live_stays(now, &self.book);
            news.push(tracked.history(live, &self.book));
            chronicle.note_end(call_id, ends_at);
        }
        news
    }

    /// A call was worked out anew; `before` are its visits until now.
    pub(super) fn note_history(&mut self, call_id: &CallId, before: &[Visit], after: &[Visit]) {
        let Some(chronicle) = &mut self.chronicle else { return };
        if !finished(before).eq(finished(after)) {
            chronicle.changed.insert(call_id.clone());
        }
    }

    /// Something was heard of a call in memory. Of one that was written down already, that changes what was said
    /// live, though the stays stay as they were written.
    pub(super) fn note_news(&mut self, place: Place) {
        let Some(chronicle) = &mut self.chronicle else { return };
        let tracked = &self.calls[place];
        if tracked.call.is_written_down() {
            chronicle.changed.insert(tracked.id.clone());
        }
    }

    /// A call leaves the memory: what was not taken yet is told now.
    pub(super) fn note_settled(&mut self, tracked: &TrackedCall, now: Timestamp) {
        let Some(chronicle) = &mut self.chronicle else { return };
        let is_unfinished = chronicle.unfinished.remove(&tracked.id).is_some();
        if chronicle.changed.remove(&tracked.id) || is_unfinished {
            let (live, _) = tracked.live_stays(now, &self.book);
            chronicle.told.push(tracked.history(live, &self.book));
        }
    }

    /// The record of a call that is in memory no more.
    pub(super) fn note_late_record(&mut self, call_id: &CallId, record: &Record) {
        let Some(chronicle) = &mut self.chronicle else { return };
        if let Some(reading) = reading(record, &self.book) {
            chronicle.told.push(CallHistory { call_id: call_id.clone(), live: None, records: vec![reading] });
        }
    }
}

impl Chronicle {
    /// When live messages come to an end of a call by themselves, if that is to be told.
    fn note_end(&mut self, call_id: CallId, ends_at: Option<Timestamp>) {
        match ends_at {
            Some(at) => drop(self.unfinished.insert(call_id, at)),
            None => drop(self.unfinished.remove(&call_id)),
        }
    }

    fn let_time_pass(&mut self, now: Timestamp) {
        let due = self.unfinished.iter().filter(|(_, ends_at)| **ends_at <= now);
        self.changed.extend(due.map(|(call_id, _)| call_id.clone()));
        self.unfinished.retain(|_, ends_at| *ends_at > now);
    }
}

impl TrackedCall {
    /// What live messages say of its finished stays, and when that changes without any news of the call while
    /// one of them is not finished.
    fn live_stays(&self, now: Timestamp, book: &QueueBook) -> (Option<Vec<LiveStay>>, Option<Timestamp>) {
        let live_stays = |visits: &[Visit]| -> Vec<LiveStay> {
            let live = |visit: &Visit| {
                Some(LiveStay {
                    queue_id: visit.queue_id.clone(),
                    promise: visit.promise,
                    told: Told::of_visit(visit)?,
                })
            };
            visits.iter().filter_map(live).collect()
        };
        match self.call.before_the_record() {
            None => (Some(live_stays(&self.visits)), None),
            Some(heard) if heard.fact_count() == 0 => (None, None),
            Some(mut heard) => {
                let state = heard.state(now);
                let (visits, changes_at) = visits(&state, now, &mut |mention| book.find(mention));
                let ends_at = state.next_change_at.into_iter().chain(changes_at).min();
                let is_unfinished = visits.iter().any(Visit::is_waiting);
                (Some(live_stays(&visits)), ends_at.filter(|_| is_unfinished))
            }
        }
    }

    fn history(&self, live: Option<Vec<LiveStay>>, book: &QueueBook) -> CallHistory {
        let records = self.call.records().into_iter().filter_map(|record| reading(record, book)).collect();
        CallHistory { call_id: self.id.clone(), live, records }
    }
}

/// What makes two states of a call differ for those who write history.
fn finished(visits: &[Visit]) -> impl Iterator<Item = (&QueueId, Told, bool)> {
    visits.iter().filter_map(|visit| Some((&visit.queue_id, Told::of_visit(visit)?, visit.measured)))
}

/// A record of a whole call, its queues found.
fn reading(record: &Record, book: &QueueBook) -> Option<RecordReading> {
    let stays = record.stays.iter().map(|stay| {
        let (queue_id, rules) = book.find(&QueueMention::of_stay(stay));
        let promise = rules.promises.at(stay.entered_at);
        let (entered_at, left_at, end) = (stay.entered_at, stay.left_at, stay.end);
        let wait = left_at.since(entered_at);
        let overflow = (end == StayEnd::Overflowed)
            .then(|| OverflowReason::after(stay.overflow, wait, rules.max_wait))
            .flatten();
        RecordStay { queue_id, promise, entered_at, left_at, end, overflow }
    });
    record.is_whole().then(|| RecordReading {
        // A record without a name is one more record of its call.
        id: record.id.clone().unwrap_or_else(|| RecordId::new("unnamed")),
        read_at: record.read_at,
        stays: stays.collect(),
    })
}
