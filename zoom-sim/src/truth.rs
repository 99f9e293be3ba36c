//! The ground truth: what really happened to every caller in every queue, known to nobody else.
//!
//! Events show only legs. The truth also knows callers whom no event ever mentioned. Tests compare a
//! board with it.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

/// How a queue visit ended for the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A member took the call.
    Answered,
    /// The caller left after the short-abandon limit.
    Abandoned,
    /// The caller left within the short-abandon limit.
    ShortAbandoned,
    /// Waited too long, went on elsewhere (not to voicemail).
    OverflowMaxWait,
    /// The line was full at entry.
    OverflowFull,
    /// Ended in the queue's voicemail after waiting.
    Voicemail,
    /// Arrived outside opening hours.
    Closed,
}

/// What a caller who got through is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Talking on the leg that the queue offered.
    Talking,
    /// Held on that leg, by either side.
    OnHold,
    /// In a park slot, on nobody's phone.
    Parked,
    /// Ringing at, or connected to, somebody the queue did not offer: after a transfer or from a park slot.
    Elsewhere,
}

/// A stretch of time in one phase; `to` is empty while it lasts.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct PhaseSpan {
    /// Which phase.
    pub phase: Phase,
    /// First instant.
    pub from: DateTime<Utc>,
    /// First instant after it.
    pub to: Option<DateTime<Utc>>,
}

/// Who answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgentNote {
    /// User id or common area id.
    pub id: String,
    /// Extension id.
    pub extension_id: String,
    /// Extension number.
    pub extension_number: i64,
    /// Display name.
    pub name: String,
}

/// One call's stay in one queue.
#[derive(Debug, Clone, Serialize)]
pub struct QueueVisit {
    /// Number of the visit, rising with the time of entry.
    pub number: u64,
    /// The call.
    pub call_id: String,
    /// The queue's id (not the extension's).
    pub queue_id: String,
    /// The queue's name.
    pub queue_name: String,
    /// When the caller really entered.
    pub entered: DateTime<Utc>,
    /// The first instant at which any member's phone rang; before it no event tells of this visit.
    pub first_ring: Option<DateTime<Utc>>,
    /// The spans in which at least one phone rang for this visit.
    pub ringing: Vec<(DateTime<Utc>, Option<DateTime<Utc>>)>,
    /// When the wait was over, however it ended.
    pub left: Option<DateTime<Utc>>,
    /// When a member answered.
    pub answered: Option<DateTime<Utc>>,
    /// Who answered.
    pub agent: Option<AgentNote>,
    /// How the wait ended; empty while waiting.
    pub outcome: Option<Outcome>,
    /// What happened after the answer.
    pub phases: Vec<PhaseSpan>,
    /// When the caller was gone from this queue altogether.
    pub ended: Option<DateTime<Utc>>,
    /// The visit this one continues (overflow or transfer), by number.
    pub previous: Option<u64>,
}

/// No caller of the pretend account stays with a queue and its people for longer.
const LONGEST_VISIT: TimeDelta = TimeDelta::hours(3);

impl QueueVisit {
    fn waiting_at(&self, at: DateTime<Utc>) -> bool {
        self.entered <= at && self.left.is_none_or(|left| at < left)
    }

    fn ringing_at(&self, at: DateTime<Utc>) -> bool {
        self.ringing.iter().any(|(from, to)| *from <= at && to.is_none_or(|to| at < to))
    }

    fn phase_at(&self, at: DateTime<Utc>) -> Option<Phase> {
        let within = |span: &&PhaseSpan| span.from <= at && span.to.is_none_or(|to| at < to);
        self.phases.iter().find(within).map(|span| span.phase)
    }

    /// Seconds from entry to the end of the wait.
    pub fn wait_seconds(&self) -> Option<f64> {
        self.left.map(|left| (left - self.entered).num_milliseconds() as f64 / 1000.0)
    }
}

/// A queue at one instant, as it really was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct QueueMoment {
    /// Callers in the queue and not answered, ringing or not.
    pub waiting: usize,
    /// Those of them for whom a phone has rung at least once, so that events tell of them.
    pub visible_waiting: usize,
    /// Those of them for whom a phone rings at this instant.
    pub ringing: usize,
    /// Callers talking on a leg this queue offered; without the held ones.
    pub talking: usize,
    /// Callers held on such a leg.
    pub on_hold: usize,
    /// Callers in a park slot.
    pub parked: usize,
    /// Callers of this queue who are with somebody the queue did not offer.
    pub elsewhere: usize,
    /// Entry of the longest waiting caller.
    pub oldest_entered: Option<DateTime<Utc>>,
    /// First ring of the longest visibly waiting caller.
    pub oldest_first_ring: Option<DateTime<Utc>>,
}

/// Counts over an interval `[from, to)`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct QueueCounts {
    /// Waiting at the beginning of the interval.
    pub carried_in: usize,
    /// Visits that entered, closed hours included.
    pub entered: usize,
    /// Outcome counts.
    pub answered: usize,
    /// See [`Outcome::Abandoned`].
    pub abandoned: usize,
    /// See [`Outcome::ShortAbandoned`].
    pub short_abandoned: usize,
    /// See [`Outcome::OverflowMaxWait`].
    pub overflow_max_wait: usize,
    /// See [`Outcome::OverflowFull`].
    pub overflow_full: usize,
    /// See [`Outcome::Voicemail`].
    pub voicemail: usize,
    /// See [`Outcome::Closed`].
    pub closed: usize,
    /// Still waiting at the end of the interval.
    pub still_waiting: usize,
    /// Of the abandoned and short abandoned: those for whom no phone ever rang, who left no trace in events.
    pub invisible: usize,
}

impl QueueCounts {
    /// Everything that ended, by any outcome.
    pub fn ended(&self) -> usize {
        self.answered
            + self.abandoned
            + self.short_abandoned
            + self.overflow_max_wait
            + self.overflow_full
            + self.voicemail
            + self.closed
    }

    /// Whether carried in + entered = all outcomes + still waiting.
    pub fn balances(&self) -> bool {
        self.carried_in + self.entered == self.ended() + self.still_waiting
    }

    fn add(&mut self, visit: &QueueVisit, outcome: Outcome) {
        let invisible = visit.first_ring.is_none();
        match outcome {
            Outcome::Answered => self.answered += 1,
            Outcome::Abandoned => {
                self.abandoned += 1;
                self.invisible += usize::from(invisible);
            }
            Outcome::ShortAbandoned => {
                self.short_abandoned += 1;
                self.invisible += usize::from(invisible);
            }
            Outcome::OverflowMaxWait => self.overflow_max_wait += 1,
            Outcome::OverflowFull => self.overflow_full += 1,
            Outcome::Voicemail => self.voicemail += 1,
            Outcome::Closed => self.closed += 1,
        }
    }
}

/// The journal of all queue visits.
#[derive(Debug, Clone, Default)]
pub struct Truth {
    visits: VecDeque<QueueVisit>,
    /// Number of the front visit.
    first: u64,
    by_queue: BTreeMap<String, VecDeque<u64>>,
    calls_started: u64,
    calls_ended: u64,
}

impl Truth {
    /// The queue as it was at an instant.
    pub fn queue_at(&self, queue_id: &str, at: DateTime<Utc>) -> QueueMoment {
        let mut moment = QueueMoment::default();
        let recent = self.visits_of(queue_id).rev().take_while(|visit| visit.entered + LONGEST_VISIT >= at);
        for visit in recent.filter(|visit| visit.entered <= at) {
            if visit.waiting_at(at) {
                moment.waiting += 1;
                moment.oldest_entered = earliest(moment.oldest_entered, Some(visit.entered));
                let rung = visit.first_ring.filter(|ring| *ring <= at);
                moment.visible_waiting += usize::from(rung.is_some());
                moment.oldest_first_ring = earliest(moment.oldest_first_ring, rung);
                moment.ringing += usize::from(visit.ringing_at(at));
            }
            match visit.phase_at(at) {
                Some(Phase::Talking) => moment.talking += 1,
                Some(Phase::OnHold) => moment.on_hold += 1,
                Some(Phase::Parked) => moment.parked += 1,
                Some(Phase::Elsewhere) => moment.elsewhere += 1,
                None => {}
            }
        }
        moment
    }

    /// Counts over `[from, to)`, outcomes by the instant at which the wait ended. These balance.
    pub fn counts(&self, queue_id: &str, from: DateTime<Utc>, to: DateTime<Utc>) -> QueueCounts {
        let mut counts = QueueCounts::default();
        for visit in self.visits_of(queue_id).take_while(|visit| visit.entered < to) {
            let still_in_at = |at: DateTime<Utc>| visit.left.is_none_or(|left| left >= at);
            counts.carried_in += usize::from(visit.entered < from && still_in_at(from));
            counts.entered += usize::from(visit.entered >= from);
            counts.still_waiting += usize::from(still_in_at(to));
            if let (Some(left), Some(outcome)) = (visit.left, visit.outcome)
                && (from..to).contains(&left)
            {
                counts.add(visit, outcome);
            }
        }
        counts
    }

    /// Counts of the visits that entered in `[from, to)`, as known at `to`.
    pub fn cohort(&self, queue_id: &str, from: DateTime<Utc>, to: DateTime<Utc>) -> QueueCounts {
        let mut counts = QueueCounts::default();
        let entered = |visit: &&QueueVisit| (from..to).contains(&visit.entered);
        for visit in self.visits_of(queue_id).filter(entered) {
            counts.entered += 1;
            match (visit.left, visit.outcome) {
                (Some(left), Some(outcome)) if left < to => counts.add(visit, outcome),
                _ => counts.still_waiting += 1,
            }
        }
        counts
    }

    /// All visits in memory, oldest entry first.
    pub fn visits(&self) -> impl DoubleEndedIterator<Item = &QueueVisit> {
        self.visits.iter()
    }

    /// The visits of one queue, oldest entry first.
    pub fn visits_of(&self, queue_id: &str) -> impl DoubleEndedIterator<Item = &QueueVisit> {
        self.by_queue.get(queue_id).into_iter().flatten().filter_map(|number| self.visit(*number))
    }

    /// The visits of one call, in order.
    pub fn visits_of_call(&self, call_id: &str) -> Vec<&QueueVisit> {
        self.visits.iter().filter(|visit| visit.call_id == call_id).collect()
    }

    /// A visit by its number.
    pub fn visit(&self, number: u64) -> Option<&QueueVisit> {
        self.visits.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    /// Calls of any kind that began, and that ended, since the start of the world.
    pub fn calls(&self) -> (u64, u64) {
        (self.calls_started, self.calls_ended)
    }

    pub(crate) fn call_started(&mut self) {
        self.calls_started += 1;
    }

    pub(crate) fn call_ended(&mut self) {
        self.calls_ended += 1;
    }

    pub(crate) fn enter(
        &mut self,
        call_id: &str,
        queue: &crate::Queue,
        at: DateTime<Utc>,
        previous: Option<u64>,
    ) -> u64 {
        let number = self.first + self.visits.len() as u64;
        self.visits.push_back(QueueVisit {
            number,
            call_id: call_id.to_owned(),
            queue_id: queue.id.clone(),
            queue_name: queue.name.clone(),
            entered: at,
            first_ring: None,
            ringing: Vec::new(),
            left: None,
            answered: None,
            agent: None,
            outcome: None,
            phases: Vec::new(),
            ended: None,
            previous,
        });
        self.by_queue.entry(queue.id.clone()).or_default().push_back(number);
        number
    }

    fn visit_mut(&mut self, number: u64) -> Option<&mut QueueVisit> {
        self.visits.get_mut(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    pub(crate) fn ring(&mut self, number: u64, at: DateTime<Utc>) {
        if let Some(visit) = self.visit_mut(number) {
            visit.first_ring.get_or_insert(at);
            visit.ringing.push((at, None));
        }
    }

    pub(crate) fn ring_over(&mut self, number: u64, at: DateTime<Utc>) {
        if let Some((_, to @ None)) = self.visit_mut(number).and_then(|visit| visit.ringing.last_mut()) {
            *to = Some(at);
        }
    }

    pub(crate) fn answer(&mut self, number: u64, at: DateTime<Utc>, agent: AgentNote) {
        self.leave(number, at, Outcome::Answered);
        if let Some(visit) = self.visit_mut(number) {
            visit.answered = Some(at);
            visit.agent = Some(agent);
            visit.ended = None;
        }
        self.phase(number, at, Phase::Talking);
    }

    pub(crate) fn leave(&mut self, number: u64, at: DateTime<Utc>, outcome: Outcome) {
        self.ring_over(number, at);
        if let Some(visit) = self.visit_mut(number) {
            visit.left = Some(at);
            visit.outcome = Some(outcome);
            visit.ended = Some(at);
        }
    }

    pub(crate) fn phase(&mut self, number: u64, at: DateTime<Utc>, phase: Phase) {
        self.close_phase(number, at);
        if let Some(visit) = self.visit_mut(number) {
            visit.phases.push(PhaseSpan { phase, from: at, to: None });
        }
    }

    pub(crate) fn end(&mut self, number: u64, at: DateTime<Utc>) {
        self.close_phase(number, at);
        if let Some(visit) = self.visit_mut(number) {
            visit.ended.get_or_insert(at);
        }
    }

    fn close_phase(&mut self, number: u64, at: DateTime<Utc>) {
        if let Some(span) = self.visit_mut(number).and_then(|visit| visit.phases.last_mut()) {
            span.to.get_or_insert(at);
        }
    }

    /// Drops visits that ended longer ago than `age`.
    pub(crate) fn forget(&mut self, now: DateTime<Utc>, age: TimeDelta) {
        let old = |visit: &QueueVisit| visit.ended.is_some_and(|ended| ended + age < now);
        while self.visits.front().is_some_and(old) {
            let visit = self.visits.pop_front().expect("the front was just looked at");
            self.first += 1;
            if let Some(numbers) = self.by_queue.get_mut(&visit.queue_id) {
                numbers.pop_front();
            }
        }
    }
}

fn earliest(one: Option<DateTime<Utc>>, other: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
