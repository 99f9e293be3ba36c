//! Passing a caller on: blind, after a consultation, or into voicemail.

use super::call::{CallKey, Caller, Dialled, LegState, Stage};
use super::conversation::Act;
use super::telling::TransferFacts;
use super::{Step, World};
use crate::event::call_change::Change;
use crate::event::transfer::Recipient;
use crate::truth::Phase;

const FAILED: &str = "The target could not be reached.";

impl World {
    pub(super) fn blind_transfer(&mut self, key: CallKey, leg: usize) {
        let Some(call) = self.calls.get(&key) else { return };
        let (id, seat) = (call.id.clone(), call.legs[leg].seat);
        let to_queue = self.dice.chance(0.4) && self.directory.queues.len() > 1;
        let target = if to_queue {
            let here = self.calls[&key].legs[leg].queue;
            let queue =
                (0..4).map(|_| self.dice.below(self.directory.queues.len())).find(|q| Some(*q) != here);
            queue.map(Dialled::Queue)
        } else {
            self.somebody().filter(|target| *target != seat).map(Dialled::Seat)
        };
        let Some(target) = target else { return self.soon_over(key, leg) };
        let number = match &target {
            Dialled::Queue(queue) => self.directory.queues[*queue].extension_number.to_string(),
            Dialled::Seat(target) => self.directory.seats[*target].extension_number.to_string(),
            Dialled::Outside { number } => number.clone(),
        };
        let fails = self.dice.chance(self.config.habits.transfer_fails);
        let failure = if fails { FAILED } else { "" };
        let facts = TransferFacts { failure, number: Some(number), ..TransferFacts::default() };
        self.tell_transfer("phone.blind_transfer_initiated", &id, seat, facts);
        if fails {
            return self.soon_over(key, leg);
        }
        self.end_leg(key, leg);
        self.passed_on(key);
        if let Some(call) = self.calls.get_mut(&key) {
            call.arrived_by = "direct_transfer";
        }
        match target {
            Dialled::Queue(queue) => {
                // A new visit begins there; the old one is over.
                self.end_visit(key);
                self.later(0.5, Step::Enter { call: key, queue });
            }
            Dialled::Seat(target) => self.ring_at_seat(key, target),
            Dialled::Outside { .. } => {}
        }
    }

    pub(super) fn send_to_voicemail(&mut self, key: CallKey, leg: usize) {
        let Some(call) = self.calls.get(&key) else { return };
        let (id, seat, queue) = (call.id.clone(), call.legs[leg].seat, call.legs[leg].queue);
        let number = Some(self.number_of_seat(seat));
        let facts = TransferFacts { number, ..TransferFacts::default() };
        self.tell_transfer("phone.transfer_call_to_voicemail_initiated", &id, seat, facts);
        self.end_leg(key, leg);
        self.passed_on(key);
        self.offer_voicemail(key, queue, 0.9);
    }

    /// Holds the caller and calls somebody else about it.
    pub(super) fn start_consultation(&mut self, key: CallKey, leg: usize) {
        let Some(seat) = self.calls.get(&key).map(|call| call.legs[leg].seat) else { return };
        let Some(target) = self.somebody_free().filter(|target| *target != seat) else {
            return self.soon_over(key, leg);
        };
        self.hold(key, leg, Change::CalleeHold);
        let consultation = self.inside_call(seat, Dialled::Seat(target));
        let Some(other) = self.calls.get_mut(&consultation) else { return };
        other.consults_for = Some(key);
        let other_id = other.id.clone();
        let Some(call) = self.calls.get_mut(&key) else { return };
        call.consultation = Some(consultation);
        let id = call.id.clone();
        if self.directory.seats[seat].announces_warm_transfers {
            let facts = TransferFacts {
                number: Some(self.number_of_seat(target)),
                other_call: Some(&other_id),
                ..TransferFacts::default()
            };
            self.tell_transfer("phone.warm_transfer_initiated", &id, seat, facts);
        }
    }

    /// After the consultation: pass the caller on, or take him back.
    pub(super) fn decide(&mut self, consultation: CallKey) {
        let Some(other) = self.calls.get(&consultation) else { return };
        let Some(key) = other.consults_for else { return };
        let Stage::Talking { leg: Some(target_leg) } = other.stage else { return };
        let target = other.legs[target_leg].seat;
        let other_id = other.id.clone();
        let Some(call) = self.calls.get(&key) else { return };
        let Stage::Talking { leg: Some(leg) } = call.stage else { return };
        let (id, caller, seat) = (call.id.clone(), call.caller.clone(), call.legs[leg].seat);
        let announces = self.directory.seats[seat].announces_warm_transfers;
        if !self.dice.chance(0.78) {
            self.end_leg(consultation, target_leg);
            return self.consultation_failed(consultation);
        }
        if announces {
            let facts =
                TransferFacts { number: Some(self.number_of_seat(target)), ..TransferFacts::default() };
            self.tell_transfer("phone.warm_transfer_completed", &id, seat, facts);
            let (phone_number, name) = match &caller {
                Caller::Outside { number, name, withheld, .. } => {
                    (withheld.map_or_else(|| number.clone(), str::to_owned), name.as_deref())
                }
                Caller::Seat { seat, .. } => (self.number_of_seat(*seat), None),
            };
            let recipient =
                Recipient { extension_number: None, phone_number, name, connection_type: "pstn_off_net" };
            let facts = TransferFacts { recipient: Some(recipient), ..TransferFacts::default() };
            self.tell_transfer("phone.transfer_recipient_updated", &other_id, seat, facts);
        }
        self.end_leg(key, leg);
        self.end_dial(consultation, "Call connected");
        self.passed_on(key);
        if let Some(call) = self.calls.get_mut(&key) {
            call.stage = Stage::Leaving;
            call.consultation = None;
            let visit = call.visit.take();
            if let Some(other) = self.calls.get_mut(&consultation) {
                // From here on the consulted person talks with the caller.
                other.caller = caller;
                other.consults_for = None;
                other.merged_into = Some(key);
                other.visit = visit;
            }
        }
        self.plan_ending(consultation, target_leg);
    }

    /// The consulted person did not answer or could not help: back to the caller.
    pub(super) fn consultation_failed(&mut self, consultation: CallKey) {
        self.end_dial(consultation, "Call connected");
        let key = self.calls.get_mut(&consultation).and_then(|other| other.consults_for.take());
        self.finish(consultation);
        let Some(call) = key.and_then(|key| self.calls.get_mut(&key)) else { return };
        call.consultation = None;
        let Stage::Talking { leg: Some(leg) } = call.stage else { return };
        let (id, seat) = (call.id.clone(), call.legs[leg].seat);
        let key = key.expect("looked up by it just now");
        if self.directory.seats[seat].announces_warm_transfers {
            self.tell_transfer("phone.warm_transfer_cancelled", &id, seat, TransferFacts::default());
        }
        self.unhold(key, leg, Change::CalleeUnhold);
        self.plan_ending(key, leg);
    }

    /// The caller is gone while somebody is being consulted: that becomes an ordinary call.
    pub(super) fn abandon_consultation(&mut self, key: CallKey) {
        let Some(consultation) = self.calls.get_mut(&key).and_then(|call| call.consultation.take()) else {
            return;
        };
        let Some(other) = self.calls.get_mut(&consultation) else { return };
        other.consults_for = None;
        if let Stage::Talking { leg: Some(leg) } = other.stage {
            self.plan_ending(consultation, leg);
        }
    }

    fn plan_ending(&mut self, key: CallKey, leg: usize) {
        let rest = self.dice.lognormal(45.0, 0.6).clamp(4.0, 600.0);
        self.later(rest, Step::Act { call: key, leg, act: Act::HangUp });
    }

    fn soon_over(&mut self, key: CallKey, leg: usize) {
        let rest = self.dice.between(5.0, 20.0);
        self.later(rest, Step::Act { call: key, leg, act: Act::HangUp });
    }

    /// The caller has left the leg the queue offered, but not the account.
    fn passed_on(&mut self, key: CallKey) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        call.stage = Stage::Between;
        call.segment += 1;
        if let Some(visit) = call.visit {
            self.truth.phase(visit, self.now, Phase::Elsewhere);
        }
    }

    fn end_visit(&mut self, key: CallKey) {
        let Some(call) = self.calls.get(&key) else { return };
        debug_assert!(call.legs.iter().all(|leg| leg.state != LegState::Connected), "passed on, not talking");
        if let Some(visit) = call.visit {
            self.truth.end(visit, self.now);
        }
    }
}
