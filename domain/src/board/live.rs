//! What the board tells of single calls that are not over: where each is, who is in it, and what it
//! has to do with others.

use std::{collections::HashMap, sync::Arc};

use super::{Board, TrackedCall};
use crate::{
    agent::AgentState,
    call::{Direction, Leg, LegState, is_same_extension},
    directory::Member,
    fact::{Party, Side, StationKind},
    id::{CallId, ExtensionId, QueueId, UserId},
    queue::VisitPhase,
    time::Timestamp,
};

/// What the board publishes about one call that is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveCall {
    /// The call.
    pub call_id: CallId,
    /// The queue it is with now, if any.
    pub queue_id: Option<QueueId>,
    /// Its phase.
    pub phase: CallPhase,
    /// Since when.
    pub since: Timestamp,
    /// Whether it comes in, goes out or stays within the account.
    pub direction: Direction,
    /// Name or number of the caller; `None` when withheld or not known.
    pub caller: Option<String>,
    /// The call about which this one asks somebody, before that is passed on.
    pub consults_for: Option<Consultation>,
    /// It is a conference since then.
    pub conference_since: Option<Timestamp>,
    /// Somebody invited the others to go on in a meeting, then.
    pub moved_to_meeting_at: Option<Timestamp>,
    /// Nothing was heard of it since a gap: it may be over.
    pub unconfirmed: bool,
    /// Legs that are not over.
    pub legs: Vec<Leg>,
}

/// Phase of a call as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallPhase {
    /// In a queue; no phone rings at the moment.
    Waiting,
    /// A phone rings, or an outgoing call is being set up.
    Ringing,
    /// With an auto receptionist, and with nobody else.
    Menu,
    /// People talk.
    Talking,
    /// Connected and held.
    OnHold,
    /// In a parking slot.
    Parked,
}

impl CallPhase {
    /// The word used in the API and on pages.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Ringing => "ringing",
            Self::Menu => "menu",
            Self::Talking => "talking",
            Self::OnHold => "on_hold",
            Self::Parked => "parked",
        }
    }

    /// What a person reads.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Waiting => "no phone rings at the moment",
            Self::Ringing => "a phone rings",
            Self::Menu => "with a menu",
            Self::Talking => "talking",
            Self::OnHold => "on hold",
            Self::Parked => "parked",
        }
    }
}

/// What ties a consultation to the call it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consultation {
    /// The call it is about.
    pub call_id: CallId,
    /// No message said so: somebody who holds that call began this one.
    pub inferred: bool,
}

impl Board {
    /// Calls that are not over, oldest first.
    pub fn live_calls(&self) -> Vec<LiveCall> {
        let mut calls: Vec<LiveCall> =
            self.calls.iter().filter_map(|tracked| tracked.live(self.is_unconfirmed(tracked))).collect();
        self.leave_out_what_people_left(&mut calls);
        calls.sort_by(|a, b| a.since.cmp(&b.since).then_with(|| a.call_id.cmp(&b.call_id)));
        self.link_consultations(&mut calls);
        self.name_legs(&mut calls);
        calls
    }

    /// Of some calls that ended in a gap nothing is ever written down under their name, as of a consultation
    /// that became part of the call it was about. Who is heard to do something else since is in them no more.
    /// Calls of a queue stay: they are among its numbers, and its record tells of them.
    fn leave_out_what_people_left(&self, calls: &mut Vec<LiveCall>) {
        let talks = |leg: &&Leg| leg.is_connected() && leg.held_since.is_none();
        let (mut by_user, mut by_extension) = (HashMap::new(), HashMap::new());
        for leg in
            calls.iter().filter(|call| !call.unconfirmed).flat_map(|call| call.legs.iter().filter(talks))
        {
            let Some(answered_at) = leg.answered_at else { continue };
            let newest = |known: &mut Timestamp| *known = answered_at.max(*known);
            if let Some(id) = &leg.party.user_id {
                by_user.entry(id.clone()).and_modify(newest).or_insert(answered_at);
            }
            if let Some(id) = &leg.party.extension_id {
                by_extension.entry(id.clone()).and_modify(newest).or_insert(answered_at);
            }
        }
        let left = |leg: &Leg| {
            let of_user = leg.party.user_id.as_ref().and_then(|id| by_user.get(id));
            let elsewhere_since =
                of_user.max(leg.party.extension_id.as_ref().and_then(|id| by_extension.get(id)));
            let state = self.people.state(leg);
            state.is_some_and(|state| state != AgentState::Unknown && !state.is_on_call())
                || talks(&leg) && elsewhere_since.copied() > leg.answered_at
        };
        calls.retain_mut(|call| {
            if !call.unconfirmed || call.queue_id.is_some() {
                return true;
            }
            let before = call.legs.len();
            call.legs.retain(|leg| !leg.is_connected() || !left(leg));
            let is_connected = |side| call.legs.iter().any(|leg| leg.side == side && leg.is_connected());
            call.legs.len() == before
                || match call.direction {
                    Direction::Internal => is_connected(Side::Caller) && is_connected(Side::Callee),
                    Direction::Outgoing => is_connected(Side::Caller),
                    Direction::Incoming => is_connected(Side::Callee),
                }
        });
    }

    /// Consultations are calls of their own. Few clients announce them; for the others, whoever holds one
    /// call and dials another asks about the first.
    fn link_consultations(&self, calls: &mut [LiveCall]) {
        let mut announced: HashMap<&CallId, &CallId> = HashMap::new();
        for tracked in self.calls.iter() {
            for asked in &tracked.state.consultations {
                // Should two announce the same: whichever order they are kept in.
                announced.entry(asked).and_modify(|id| *id = (*id).min(&tracked.id)).or_insert(&tracked.id);
            }
        }
        let holders: Vec<(CallId, Arc<Party>, Timestamp)> = calls
            .iter()
            .flat_map(|call| call.legs.iter().map(|leg| (&call.call_id, leg)))
            .filter_map(|(call_id, leg)| Some((call_id.clone(), leg.party.clone(), leg.held_since?)))
            .collect();
        for call in calls {
            let about = announced.get(&call.call_id).map(|about| (*about).clone());
            call.consults_for = match about {
                Some(call_id) => Some(Consultation { call_id, inferred: false }),
                None => {
                    let dialled = call.legs.iter().find(|leg| leg.side == Side::Caller);
                    let is_holder = |(call_id, holder, held_since): &&(CallId, Arc<Party>, Timestamp)| {
                        *call_id != call.call_id
                            && dialled.is_some_and(|leg| {
                                leg.rang_at >= *held_since && is_same_extension(&leg.party, holder)
                            })
                    };
                    let held = holders.iter().find(is_holder);
                    held.map(|(call_id, ..)| Consultation { call_id: call_id.clone(), inferred: true })
                }
            };
        }
    }

    /// Most messages name nobody: the directory knows the people by their ids.
    fn name_legs(&self, calls: &mut [LiveCall]) {
        let mut by_user: HashMap<&UserId, &str> = HashMap::new();
        let mut by_extension: HashMap<&ExtensionId, &str> = HashMap::new();
        let members = self.book.queues().flat_map(|queue| queue.members.iter().flatten());
        for Member { id, extension_id, name, .. } in members.filter(|member| !member.name.is_empty()) {
            by_user.insert(id, name);
            by_extension.extend(extension_id.as_ref().map(|id| (id, name.as_str())));
        }
        let nameless = |leg: &&mut Leg| leg.party.name.is_none();
        for leg in calls.iter_mut().flat_map(|call| &mut call.legs).filter(nameless) {
            let of_user = leg.party.user_id.as_ref().and_then(|id| by_user.get(id));
            let name =
                of_user.or_else(|| leg.party.extension_id.as_ref().and_then(|id| by_extension.get(id)));
            if let Some(name) = name {
                Arc::make_mut(&mut leg.party).name = Some((*name).to_owned());
            }
        }
    }
}

impl TrackedCall {
    /// What is told of the call; `None` when it is over.
    pub(super) fn live(&self, unconfirmed: bool) -> Option<LiveCall> {
        let open: Vec<&Leg> =
            self.state.legs.iter().map(|leg| &**leg).filter(|leg| leg.ended_at.is_none()).collect();
        let visit = self.visits.iter().rev().find(|visit| visit.phase != VisitPhase::Over);
        let connected = open.iter().copied().filter(|leg| leg.is_connected());
        let held = connected.clone().filter_map(|leg| leg.held_since).min();
        let answered =
            connected.clone().filter(|leg| !leg.is_a_menu()).filter_map(|leg| leg.answered_at).min();
        let (phase, since) = if let Some(held_since) = held {
            (CallPhase::OnHold, held_since)
        } else if let Some(answered_at) = answered {
            (CallPhase::Talking, answered_at)
        } else if let Some(parked_since) = self.state.parked_since {
            (CallPhase::Parked, parked_since)
        } else if let Some(visit) = visit.filter(|visit| visit.phase == VisitPhase::BetweenRings) {
            (CallPhase::Waiting, visit.entered_at)
        } else if let Some(visit) = visit.filter(|visit| visit.is_waiting()) {
            (CallPhase::Ringing, visit.entered_at)
        } else if let Some(rang_at) = open
            .iter()
            .filter(|leg| leg.state().0 == LegState::Ringing && !leg.is_a_menu())
            .map(|leg| leg.rang_at)
            .min()
        {
            (CallPhase::Ringing, rang_at)
        } else {
            (CallPhase::Menu, open.iter().map(|leg| leg.rang_at).min()?)
        };
        Some(LiveCall {
            call_id: self.id.clone(),
            queue_id: visit.map(|visit| visit.queue_id.clone()),
            phase,
            since,
            direction: self.state.direction(),
            caller: self.caller(),
            consults_for: None,
            conference_since: self.state.conference_since,
            moved_to_meeting_at: self.state.moved_to_meeting_at,
            unconfirmed,
            legs: open.into_iter().cloned().collect(),
        })
    }

    /// The person who calls: a menu that passed the call on is not the caller. Outside numbers may
    /// stand in the place of an extension's.
    pub(super) fn caller(&self) -> Option<String> {
        let own = self.state.legs.iter().find(|leg| leg.side == Side::Caller).map(|leg| &leg.party);
        let mut callers = own
            .into_iter()
            .chain(self.state.legs.iter().filter(|leg| leg.side == Side::Callee).map(|leg| &leg.other))
            .filter(|party| party.kind != Some(StationKind::AutoReceptionist));
        callers.find_map(|party| {
            let told = [&party.name, &party.number, &party.extension_number];
            told.into_iter().flatten().next().cloned()
        })
    }
}
