//! Queue visits: what one call did in one queue, inferred from the phones it rang.
//!
//! No message says that a call entered or left a queue. A visit begins with the first phone that
//! rings on behalf of the queue, lasts between rings for a grace, and ends with the one outcome
//! the facts support. Callers for whom no phone has rung yet cannot be seen.

use std::{rc::Rc, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    call::{CallState, Leg, soonest},
    fact::{HangUp, Party, RecordedStay, Side, Station, StationKind},
    id::{ExtensionId, QueueId},
    outcome::Outcome,
    service_level::{Promise, Promises, ServiceLevel, ServiceLevels},
    time::Timestamp,
};

/// How long after the last phone stopped ringing a caller is still taken to be waiting, in a queue whose
/// longest wait is not known; see [`QueueRules::between_rings`].
///
/// Members are rung anew about a second apart; longer silence means that nobody is free, or that
/// the caller left, which no message tells.
pub const BETWEEN_RINGS: Duration = Duration::from_secs(30);
/// The same, however long a queue lets its callers wait.
pub const LONGEST_BETWEEN_RINGS: Duration = Duration::from_secs(60);
/// Phones of one round stop within this time of each other.
const ROUND: Duration = Duration::from_secs(2);

/// What a queue's own settings say about its visits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QueueRules {
    /// What it promises and has promised.
    pub promises: Promises,
    /// After this long it sends a caller elsewhere; `None` when that is not known.
    pub max_wait: Option<Duration>,
}

impl QueueRules {
    /// How long after the last phone stopped ringing a caller is still taken to be waiting.
    pub fn between_rings(&self) -> Duration {
        self.max_wait.map_or(BETWEEN_RINGS, |longest| longest.min(LONGEST_BETWEEN_RINGS))
    }
}

/// A queue as a leg names it. Every part may be missing, never all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct QueueMention {
    /// The account it belongs to, when that is not the one this board is about.
    pub account: Option<String>,
    /// Its extension, when the queue itself was the called party.
    pub extension_id: Option<ExtensionId>,
    /// Its extension number at that time.
    pub extension_number: Option<String>,
    /// Its name at that time.
    pub name: Option<String>,
}

impl QueueMention {
    /// Every queue that the phones of a call name, in their order, each once.
    pub(crate) fn all(call: &CallState) -> Vec<Arc<Self>> {
        let mut mentions: Vec<Arc<Self>> = Vec::new();
        let by_legs = call.legs.iter().filter(|leg| leg.side == Side::Callee);
        let by_legs = by_legs.filter_map(|leg| leg.queue.as_ref());
        for mention in by_legs {
            if !mentions.last().is_some_and(|before| Arc::ptr_eq(before, mention)) {
                mentions.push(Arc::clone(mention));
            }
        }
        mentions.extend(call.recorded_stays.iter().map(|stay| Arc::new(Self::of_stay(stay))));
        mentions.sort_unstable();
        mentions.dedup();
        mentions
    }

    /// The queue of a recorded stay.
    pub(crate) fn of_stay(stay: &RecordedStay) -> Self {
        Self {
            account: stay.account.clone(),
            extension_id: stay.queue.extension_id.clone(),
            extension_number: stay.queue.extension_number.clone(),
            name: stay.queue.name.clone(),
        }
    }

    /// The queue on whose behalf a phone rang, if any: the one that offered the call to it, or the called
    /// party itself.
    pub fn of(offered_by: Option<&Station>, party: &Party) -> Option<Self> {
        QueueWords::of(offered_by, party).map(QueueWords::into_mention)
    }
}

/// The same in the words of a leg: most legs of a call name a queue that another one has named.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QueueWords<'a> {
    account: &'a Option<String>,
    extension_id: &'a Option<ExtensionId>,
    extension_number: &'a Option<String>,
    name: &'a Option<String>,
}

impl<'a> QueueWords<'a> {
    /// As [`QueueMention::of`].
    pub(crate) fn of(offered_by: Option<&'a Station>, party: &'a Party) -> Option<Self> {
        match offered_by {
            Some(Station { kind: StationKind::CallQueue, account, name, extension_number }) => {
                Some(Self { account, extension_id: &None, extension_number, name })
            }
            _ if party.kind == Some(StationKind::CallQueue) => Some(Self {
                account: &party.account,
                extension_id: &party.extension_id,
                extension_number: &party.extension_number,
                name: &party.name,
            }),
            _ => None,
        }
    }

    pub(crate) fn mean(self, queue: &QueueMention) -> bool {
        *self.name == queue.name
            && *self.extension_number == queue.extension_number
            && *self.extension_id == queue.extension_id
            && *self.account == queue.account
    }

    pub(crate) fn into_mention(self) -> QueueMention {
        QueueMention {
            account: self.account.clone(),
            extension_id: self.extension_id.clone(),
            extension_number: self.extension_number.clone(),
            name: self.name.clone(),
        }
    }
}

/// What one call did in one queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// The queue.
    pub queue_id: QueueId,
    /// What the first phone said of the queue, so that it can be named anew when more is known.
    pub mention: Arc<QueueMention>,
    /// When the first phone rang for it: without a record the earliest proof that the caller was in the queue.
    pub entered_at: Timestamp,
    /// When the outcome came about.
    pub left_at: Option<Timestamp>,
    /// The outcome.
    pub outcome: Outcome,
    /// The outcome is presumed from silence, not from a message.
    pub presumed: bool,
    /// The record tells of it: when the caller entered, when the wait was over, and how.
    pub measured: bool,
    /// What the caller does now.
    pub phase: VisitPhase,
    /// What the queue promised when it entered.
    pub promise: Promise,
    /// Met and decided, each 0 or 1, by every definition.
    pub service_levels: ServiceLevels,
    /// A gap in the news began after the last that was heard of the call, so that nobody knows whether
    /// what it says of now still holds.
    pub unconfirmed: bool,
    /// Waits longer than the policy's threshold.
    pub beyond_threshold: bool,
}

/// What the caller of a visit does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VisitPhase {
    /// Waits while at least one phone rings.
    Ringing,
    /// Waits while no phone rings.
    BetweenRings,
    /// Talks to someone.
    Talking,
    /// Was answered, and is held or parked.
    OnHold,
    /// Is not with this queue any more.
    Over,
}

impl Visit {
    /// A visit of which no live message told.
    fn recorded(stay: &RecordedStay, queue_id: QueueId, mention: QueueMention, rules: &QueueRules) -> Self {
        let mut visit = Self {
            queue_id,
            mention: Arc::new(mention),
            entered_at: stay.entered_at,
            left_at: None,
            outcome: Outcome::Waiting,
            presumed: false,
            measured: false,
            phase: VisitPhase::Over,
            promise: Promise::default(),
            service_levels: ServiceLevels::default(),
            unconfirmed: false,
            beyond_threshold: false,
        };
        visit.measure(stay, rules);
        visit
    }

    /// Takes over what the record says. What the caller does now is still told by live messages.
    fn measure(&mut self, stay: &RecordedStay, rules: &QueueRules) {
        self.promise = rules.promises.at(stay.entered_at);
        let policy = self.promise.policy;
        let wait = stay.left_at.since(stay.entered_at);
        self.outcome = Outcome::of_record(stay.end, wait, Some(self.outcome), policy);
        if self.outcome != Outcome::Answered || self.is_waiting() {
            // The record comes when the wait is over.
            self.phase = VisitPhase::Over;
        }
        self.entered_at = stay.entered_at;
        self.left_at = Some(stay.left_at.max(stay.entered_at));
        self.presumed = false;
        self.measured = true;
        self.beyond_threshold = false;
        self.service_levels = ServiceLevels::of(&policy, self.outcome, wait);
    }

    /// Met and decided, each 0 or 1, by the definition that was promised.
    pub const fn service_level(&self) -> ServiceLevel {
        self.service_levels.by(self.promise.definition)
    }

    /// Waiting, with or without a ringing phone.
    pub fn is_waiting(&self) -> bool {
        matches!(self.phase, VisitPhase::Ringing | VisitPhase::BetweenRings)
    }
}

/// The visits of a call at `now`, in the order they began, and the next instant at which they
/// change without news. `find` names the queue of a mention and its policy.
pub fn visits(
    call: &CallState,
    now: Timestamp,
    find: &mut dyn FnMut(&QueueMention) -> (QueueId, QueueRules),
) -> (Vec<Visit>, Option<Timestamp>) {
    let mut stays = stays(call, find);
    let mut next_change_at = None;
    let last = stays.len().saturating_sub(1);
    let mut visits: Vec<Visit> = stays
        .drain(..)
        .enumerate()
        .map(|(index, stay)| stay.visit(call, now, index == last, &mut next_change_at))
        .collect();
    if !call.recorded_stays.is_empty() {
        put_right(&mut visits, call, now, find);
    }
    (visits, next_change_at)
}

/// How far clocks and roundings set the record and live messages apart.
pub(crate) const APART: Duration = Duration::from_secs(3);

/// Lets the record have the last word: a visit it knows is measured, one it alone knows is added.
fn put_right(
    visits: &mut Vec<Visit>,
    call: &CallState,
    now: Timestamp,
    find: &mut dyn FnMut(&QueueMention) -> (QueueId, QueueRules),
) {
    for stay in &call.recorded_stays {
        let mention = QueueMention::of_stay(stay);
        let (queue_id, rules) = find(&mention);
        let is_it = |visit: &Visit| {
            visit.queue_id == queue_id
                && !visit.measured
                && visit.entered_at <= stay.left_at + APART
                && visit.left_at.unwrap_or(now) + APART >= stay.entered_at
        };
        match visits.iter().position(is_it) {
            Some(home) => {
                // Messages that were lost make one stay look like several: the caller does what the last says.
                let is_part = |visit: &Visit| {
                    visit.queue_id == queue_id
                        && !visit.measured
                        && visit.entered_at < stay.left_at
                        && visit.left_at.unwrap_or(now) > stay.entered_at
                };
                while let Some(part) = visits[home + 1..].iter().position(is_part) {
                    let part = visits.remove(home + 1 + part);
                    visits[home].phase = part.phase;
                    visits[home].outcome = part.outcome;
                }
                visits[home].measure(stay, &rules);
            }
            None => visits.push(Visit::recorded(stay, queue_id, mention, &rules)),
        }
    }
    visits.sort_by(|a, b| a.entered_at.cmp(&b.entered_at).then_with(|| a.queue_id.cmp(&b.queue_id)));
}

/// A queue as a leg mentions it, found.
#[derive(Debug)]
struct Found {
    queue_id: QueueId,
    mention: Arc<QueueMention>,
    rules: QueueRules,
}

/// Consecutive legs on behalf of one queue.
#[derive(Debug)]
struct Stay<'a> {
    queue: Rc<Found>,
    legs: Vec<&'a Leg>,
    /// When the call began to ring somewhere else before anybody answered.
    moved_on_at: Option<Timestamp>,
    /// Legs that came after an answer and belong to no queue: where the call was transferred to.
    transferred_to: Vec<&'a Leg>,
}

fn stays<'a>(
    call: &'a CallState,
    find: &mut dyn FnMut(&QueueMention) -> (QueueId, QueueRules),
) -> Vec<Stay<'a>> {
    let mut rings: Vec<(&Leg, Option<Rc<Found>>)> = Vec::with_capacity(call.legs.len());
    for leg in call.legs.iter().filter(|leg| leg.side == Side::Callee) {
        let queue = leg.queue.as_ref().map(|mention| {
            // Most phones of a call ring for one queue.
            let before = rings.last().and_then(|(_, queue)| queue.as_ref());
            match before.filter(|before| Arc::ptr_eq(&before.mention, mention)) {
                Some(before) => Rc::clone(before),
                None => {
                    let (queue_id, rules) = find(mention);
                    Rc::new(Found { queue_id, mention: Arc::clone(mention), rules })
                }
            }
        });
        rings.push((leg, queue));
    }
    // Clocks have whole seconds: keeps the legs of one queue together within a second.
    rings.sort_by(|a, b| {
        fn id(queue: &Option<Rc<Found>>) -> Option<&QueueId> {
            queue.as_ref().map(|queue| &queue.queue_id)
        }
        a.0.rang_at.cmp(&b.0.rang_at).then_with(|| id(&b.1).cmp(&id(&a.1)))
    });

    let mut stays: Vec<Stay<'a>> = Vec::new();
    for (leg, queue) in rings {
        let last = stays.last_mut();
        match (last, queue) {
            (None, None) => {}
            (Some(last), None) => match last.answered_at() {
                Some(answered_at) if leg.rang_at > answered_at => last.transferred_to.push(leg),
                Some(_) => {}
                // Whatever rang in the second in which the queue began to ring, rang before: the menu on the way.
                None if leg.rang_at > last.legs[0].rang_at => {
                    last.moved_on_at.get_or_insert(leg.rang_at);
                }
                None => {}
            },
            (Some(last), Some(queue)) if last.takes(&queue.queue_id, leg) => last.legs.push(leg),
            (last, Some(queue)) => {
                if let Some(last) = last
                    && last.answered_at().is_none()
                {
                    last.moved_on_at.get_or_insert(leg.rang_at);
                }
                stays.push(Stay { queue, legs: vec![leg], moved_on_at: None, transferred_to: Vec::new() });
            }
        }
    }
    stays
}

impl Stay<'_> {
    fn answered_at(&self) -> Option<Timestamp> {
        self.legs.iter().filter_map(|leg| leg.answered_at).min()
    }

    /// The same stay goes on as long as the call rings for the same queue, was not elsewhere in
    /// between and nobody had answered before the phone rang.
    fn takes(&self, queue_id: &QueueId, leg: &Leg) -> bool {
        self.queue.queue_id == *queue_id
            && self.moved_on_at.is_none()
            && self.answered_at().is_none_or(|answered_at| leg.rang_at <= answered_at)
    }

    fn visit(
        self,
        call: &CallState,
        now: Timestamp,
        is_last: bool,
        next_change_at: &mut Option<Timestamp>,
    ) -> Visit {
        let entered_at = self.legs.iter().map(|leg| leg.rang_at).min().unwrap_or(now);
        let (outcome, left_at, presumed) = self.outcome(call, now, is_last, next_change_at);
        // Clocks of several machines: nobody leaves before they came.
        let left_at = left_at.map(|left_at| left_at.max(entered_at));
        let phase = match outcome {
            Outcome::Waiting if self.legs.iter().any(|leg| leg.is_ringing() && leg.is_a_phone()) => {
                VisitPhase::Ringing
            }
            Outcome::Waiting => VisitPhase::BetweenRings,
            Outcome::Answered => self.conversation(call, is_last),
            _ => VisitPhase::Over,
        };
        let wait = left_at.unwrap_or(now).since(entered_at);
        let promise = self.queue.rules.promises.at(entered_at);
        let outcome = match outcome {
            Outcome::Abandoned if wait <= promise.policy.short_abandon() => Outcome::ShortAbandoned,
            outcome => outcome,
        };
        let threshold = promise.policy.threshold();
        let beyond_threshold = outcome == Outcome::Waiting && wait >= threshold;
        if outcome == Outcome::Waiting && !beyond_threshold {
            soonest(next_change_at, entered_at + threshold);
        }
        Visit {
            queue_id: self.queue.queue_id.clone(),
            mention: Arc::clone(&self.queue.mention),
            entered_at,
            left_at,
            outcome,
            presumed,
            measured: false,
            phase,
            promise,
            service_levels: ServiceLevels::of(&promise.policy, outcome, wait),
            unconfirmed: false,
            beyond_threshold,
        }
    }

    /// The one outcome the facts support, when it came about, and whether silence decided it.
    fn outcome(
        &self,
        call: &CallState,
        now: Timestamp,
        is_last: bool,
        next_change_at: &mut Option<Timestamp>,
    ) -> (Outcome, Option<Timestamp>, bool) {
        if let Some(answered_at) = self.answered_at() {
            return (Outcome::Answered, Some(answered_at), false);
        }
        // Somebody took the call, though the message of who it was is missing or still to come.
        let taken_at = self
            .legs
            .iter()
            .filter(|leg| leg.hang_up == Some(HangUp::AnsweredElsewhere))
            .filter_map(|leg| leg.ended_at)
            .min();
        if let Some(taken_at) = taken_at {
            return (Outcome::Answered, Some(taken_at), true);
        }
        if let Some(moved_on_at) = self.moved_on_at {
            let sent_on = call.transferred_at.is_some_and(|at| at <= moved_on_at);
            let outcome = if sent_on { Outcome::TransferredOut } else { Outcome::Overflowed };
            return (outcome, Some(moved_on_at), false);
        }
        let last_end = self.legs.iter().filter_map(|leg| leg.ended_at).max();
        if is_last && let Some(voicemail_at) = call.voicemail_at {
            let left_at = last_end.map_or(voicemail_at, |end| end.min(voicemail_at));
            return (Outcome::Voicemail, Some(left_at), false);
        }
        // A caller of the account who transferred the call is gone; who was transferred waits on.
        let caller_left_at = call.caller_left_at.filter(|_| call.transferred_at.is_none());
        if let Some(left_at) = caller_left_at {
            return (Outcome::Abandoned, Some(left_at), false);
        }
        if self.legs.iter().any(|leg| leg.ended_at.is_none()) {
            return (Outcome::Waiting, None, false);
        }
        let last_end = last_end.unwrap_or(now);
        let gave_up = self.legs.iter().any(|leg| {
            leg.hang_up == Some(HangUp::CallerGaveUp)
                && leg.ended_at.is_some_and(|ended_at| ended_at + ROUND >= last_end)
        });
        let silent_at = last_end + self.queue.rules.between_rings();
        if gave_up {
            (Outcome::Abandoned, Some(last_end), false)
        } else if now < silent_at {
            soonest(next_change_at, silent_at);
            (Outcome::Waiting, None, false)
        } else {
            (Outcome::Abandoned, Some(last_end), true)
        }
    }

    /// An answered caller talks, is held or parked, or is gone.
    fn conversation(&self, call: &CallState, is_last: bool) -> VisitPhase {
        let mut connected =
            self.legs.iter().chain(&self.transferred_to).filter(|leg| leg.is_connected()).peekable();
        if connected.peek().is_some() {
            let held_by_caller =
                call.legs.iter().any(|leg| leg.side == Side::Caller && leg.held_since.is_some());
            if held_by_caller || connected.any(|leg| leg.held_since.is_some()) {
                VisitPhase::OnHold
            } else {
                VisitPhase::Talking
            }
        } else if is_last && call.parked_since.is_some() {
            VisitPhase::OnHold
        } else {
            VisitPhase::Over
        }
    }
}
