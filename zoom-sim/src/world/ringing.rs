//! Phones that ring: who picks up, who declines, who lets it ring.

use super::call::{CallKey, Dialled, Leg, LegState, Stage};
use super::parties::reachable_at;
use super::{Step, World};
use crate::event::leg::LegEvent;
use crate::truth::AgentNote;

/// What a rung seat will do.
enum Reaction {
    PickUp { after: f64 },
    Refuse { after: f64 },
    Nothing,
}

impl World {
    /// A queue rings some of its members for a caller.
    pub(super) fn ring_members(&mut self, key: CallKey, queue: usize, seats: &[usize]) {
        let round = self.new_round(key);
        for &seat in seats {
            let devices = self.directory.seats[seat].devices.len();
            let legs: Vec<usize> =
                (0..devices).map(|device| self.ring_device(key, seat, device, Some(queue))).collect();
            self.seats[seat].ringing += 1;
            let crowd = seats.len() > 1;
            self.schedule_reaction(key, round, &legs, crowd);
        }
        if let Some(visit) = self.calls.get(&key).and_then(|call| call.visit) {
            self.truth.ring(visit, self.now);
        }
        let limit = self.directory.queues[queue].ring_seconds;
        self.later(limit, Step::RingOver { call: key, round });
    }

    /// A call reaches one seat: dialled, transferred there, or back from a park slot.
    pub(super) fn ring_at_seat(&mut self, key: CallKey, seat: usize) {
        let now = self.now;
        let Some(call) = self.calls.get_mut(&key) else { return };
        call.stage = Stage::AtSeat { seat };
        call.stay_since = now;
        let round = self.new_round(key);
        if self.seats[seat].on_call > 0 || self.seats[seat].ringing > 0 {
            // Busy: the phone never rings, one event tells that it was missed.
            let leg = self.add_leg(key, seat, 0, None);
            self.tell_leg(key, leg, LegEvent::CalleeMissed, Some("Busy"));
            if let Some(call) = self.calls.get_mut(&key) {
                call.legs[leg].state = LegState::Over;
            }
            self.note_ring(key, leg, "busy", None);
            return self.seat_did_not_answer(key, seat, "busy");
        }
        self.seats[seat].ringing += 1;
        let first = self.ring_device(key, seat, 0, None);
        let mut legs = vec![first];
        let devices = self.directory.seats[seat].devices.len();
        // Some people let their devices ring one after the other.
        if devices > 1 && self.dice.chance(0.4) {
            self.later(12.0, Step::SecondDevice { call: key, round });
        } else {
            legs.extend((1..devices).map(|device| self.ring_device(key, seat, device, None)));
        }
        self.schedule_reaction(key, round, &legs, false);
        self.later(24.0, Step::RingOver { call: key, round });
        if self.dice.chance(0.08) {
            let after = self.dice.between(3.0, 20.0);
            self.later(after, Step::CancelRing { call: key, round });
        }
    }

    pub(super) fn ring_second_device(&mut self, key: CallKey, round: u32) {
        let Some(call) = self.calls.get(&key) else { return };
        let Stage::AtSeat { seat } = call.stage else { return };
        if call.round == round && call.is_ringing() {
            let leg = self.ring_device(key, seat, 1, None);
            if self.dice.chance(0.7) {
                // Whoever sits at the second device is quick: ring and answer in the same second.
                let after = self.dice.between(0.0, 0.9);
                self.later(after, Step::PickUp { call: key, round, leg });
            }
        }
    }

    fn new_round(&mut self, key: CallKey) -> u32 {
        self.calls.get_mut(&key).map_or(0, |call| {
            call.round += 1;
            call.round
        })
    }

    fn add_leg(&mut self, key: CallKey, seat: usize, device: usize, queue: Option<usize>) -> usize {
        let channel = self.dice.uuid();
        let now = self.now;
        let call = self.calls.get_mut(&key).expect("only called for calls in the map");
        call.legs.push(Leg {
            seat,
            device,
            queue,
            round: call.round,
            segment: call.segment,
            state: LegState::Ringing,
            ringing_start: now,
            answered: None,
            channel,
            held_since: None,
            hold_seconds: 0,
        });
        call.legs.len() - 1
    }

    fn ring_device(&mut self, key: CallKey, seat: usize, device: usize, queue: Option<usize>) -> usize {
        let leg = self.add_leg(key, seat, device, queue);
        self.tell_leg(key, leg, LegEvent::CalleeRinging, None);
        leg
    }

    fn schedule_reaction(&mut self, key: CallKey, round: u32, legs: &[usize], crowd: bool) {
        let leg = *self.dice.pick(legs);
        let seat = self.calls[&key].legs[leg].seat;
        match self.reaction(crowd, self.seats[seat].on_call > 0) {
            Reaction::PickUp { after } => self.later(after, Step::PickUp { call: key, round, leg }),
            Reaction::Refuse { after } => self.later(after, Step::Refuse { call: key, round, leg }),
            Reaction::Nothing => {}
        }
    }

    fn reaction(&mut self, crowd: bool, busy: bool) -> Reaction {
        let habits = self.config.habits;
        // Call waiting: hardly anybody interrupts a talk for a second caller.
        if busy {
            return match self.dice.below(20) {
                0 => Reaction::PickUp { after: self.dice.between(2.0, 8.0) },
                1..4 => Reaction::Refuse { after: self.dice.between(1.0, 6.0) },
                _ => Reaction::Nothing,
            };
        }
        // In a crowd people leave it to others more often.
        let no_answer = habits.no_answer * if crowd { 1.8 } else { 1.0 };
        if self.dice.chance(no_answer) {
            Reaction::Nothing
        } else if self.dice.chance(habits.rejects) {
            Reaction::Refuse { after: self.dice.between(1.0, 6.0) }
        } else {
            Reaction::PickUp { after: self.dice.lognormal(if crowd { 8.0 } else { 5.5 }, 0.5).max(0.7) }
        }
    }

    pub(super) fn pick_up(&mut self, key: CallKey, round: u32, leg: usize) {
        let now = self.now;
        let Some(call) = self.calls.get_mut(&key) else { return };
        if call.round != round || call.legs[leg].state != LegState::Ringing {
            return;
        }
        let winner = call.legs[leg].seat;
        call.legs[leg].state = LegState::Connected;
        call.legs[leg].answered = Some(now);
        let losers: Vec<usize> = call.ringing_legs();
        // Both orders occur: the losers' events before or after the winner's.
        let losers_first = self.dice.chance(0.5);
        if !losers_first {
            self.tell_leg(key, leg, LegEvent::CalleeAnswered, None);
        }
        self.release_losers(key, winner, &losers);
        if losers_first {
            self.tell_leg(key, leg, LegEvent::CalleeAnswered, None);
        }
        self.connected(key, leg);
    }

    fn release_losers(&mut self, key: CallKey, winner: usize, losers: &[usize]) {
        let Some(losers_miss) = self.calls.get(&key).map(|call| call.losers_miss) else { return };
        for &loser in losers {
            let same_person = self.calls[&key].legs[loser].seat == winner;
            let (event, result) = match (same_person, losers_miss) {
                (true, _) => (LegEvent::CalleeEnded, "Answered by Other Device"),
                (false, true) => (LegEvent::CalleeMissed, "Answered by Other Member"),
                (false, false) => (LegEvent::CalleeEnded, "Answered by Other Member"),
            };
            self.tell_leg(key, loser, event, Some(result));
        }
        let (own, others): (Vec<usize>, Vec<usize>) =
            losers.iter().partition(|leg| self.calls[&key].legs[**leg].seat == winner);
        if let Some(call) = self.calls.get_mut(&key) {
            own.iter().for_each(|leg| call.legs[*leg].state = LegState::Over);
        }
        self.stop_ringing(key, &others, "no_answer", Some("answered_by_other"));
        self.seats[winner].ringing = self.seats[winner].ringing.saturating_sub(1);
    }

    /// A seat has the caller on the line.
    pub(super) fn connected(&mut self, key: CallKey, leg: usize) {
        let now = self.now;
        let Some(call) = self.calls.get_mut(&key) else { return };
        let (seat, queue) = (call.legs[leg].seat, call.legs[leg].queue);
        if let Stage::Waiting { queue, .. } = call.stage {
            self.lines[queue].waiting.retain(|waiting| *waiting != key);
        }
        call.stage = Stage::Talking { leg: Some(leg) };
        call.first_answer.get_or_insert(now);
        call.answered_by = Some(seat);
        call.result = "answered";
        let visit = call.visit;
        let mut caller_connects = false;
        if let Some(dial) = &mut call.dial
            && dial.connected.is_none()
        {
            dial.connected = Some(now);
            caller_connects = true;
        }
        if let (Some(visit), Some(_)) = (visit, queue) {
            let agent = &self.directory.seats[seat];
            let note = AgentNote {
                id: agent.id.clone(),
                extension_id: agent.extension_id.clone(),
                extension_number: agent.extension_number,
                name: agent.name.clone(),
            };
            self.truth.answer(visit, now, note);
        }
        if let Some(queue) = queue {
            self.note_queue_step(key, queue, "answered");
        }
        if caller_connects {
            self.tell_dial(key, LegEvent::CallerConnected, None);
        }
        self.seat_connected(seat);
        if self.calls.get(&key).is_some_and(|call| call.consults_for.is_some()) {
            let thinking = self.dice.between(6.0, 25.0);
            self.later(thinking, Step::Decide { consultation: key });
        } else {
            self.plan_conversation(key, leg);
        }
    }

    pub(super) fn refuse(&mut self, key: CallKey, round: u32, leg: usize) {
        let Some(call) = self.calls.get(&key) else { return };
        if call.round != round || call.legs[leg].state != LegState::Ringing {
            return;
        }
        let seat = call.legs[leg].seat;
        let own: Vec<usize> =
            call.ringing_legs().into_iter().filter(|other| call.legs[*other].seat == seat).collect();
        for &device in &own {
            let event = if device == leg { LegEvent::CalleeRejected } else { LegEvent::CalleeEnded };
            self.tell_leg(key, device, event, Some("Rejected"));
        }
        self.stop_ringing(key, &own, "rejected", None);
        if self.calls.get(&key).is_some_and(|call| !call.is_ringing()) {
            self.offer_ended(key, "rejected");
        }
    }

    pub(super) fn ring_over(&mut self, key: CallKey, round: u32) {
        let Some(call) = self.calls.get(&key) else { return };
        if call.round != round || !call.is_ringing() {
            return;
        }
        let result = if self.dice.chance(0.5) { "No Answer" } else { "Ring Timeout" };
        self.miss_ringing(key, result);
        self.offer_ended(key, "no_answer");
    }

    /// The caller hangs up while a dialled person's phone rings.
    pub(super) fn cancel_ring(&mut self, key: CallKey, round: u32) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        if call.round != round || !call.is_ringing() || call.consults_for.is_some() {
            return;
        }
        call.result = "canceled";
        self.miss_ringing(key, "Call Cancel");
        self.end_dial(key, "Call Cancel");
        self.finish(key);
    }

    /// Nobody took this offer: the queue tries again, a person's call goes to voicemail.
    fn offer_ended(&mut self, key: CallKey, result: &'static str) {
        let pause = self.soon(1.0);
        let Some(call) = self.calls.get_mut(&key) else { return };
        match call.stage {
            Stage::Waiting { queue, .. } => {
                let rung = call.legs.iter().filter(|leg| leg.round == call.round).map(|leg| leg.seat);
                call.tried.extend(rung);
                call.pause_until = pause;
                self.later(1.0, Step::Serve(queue));
            }
            Stage::AtSeat { seat } => self.seat_did_not_answer(key, seat, result),
            _ => {}
        }
    }

    fn seat_did_not_answer(&mut self, key: CallKey, seat: usize, result: &'static str) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        call.stage = Stage::Between;
        if call.first_answer.is_none() {
            call.result = result;
        }
        if call.consults_for.is_some() {
            return self.consultation_failed(key);
        }
        let is_person = self.directory.seats[seat].is_person();
        let likes_messages = if is_person { 0.45 } else { 0.0 };
        if self.calls[&key].visit.is_none() && self.calls[&key].dialled == Dialled::Seat(seat) {
            self.offer_voicemail(key, None, likes_messages);
        } else {
            // Transferred to somebody who is not there: the caller gives up.
            self.end_dial(key, "Call connected");
            self.finish(key);
        }
    }

    /// How a seat is reached by number.
    pub(super) fn number_of_seat(&self, seat: usize) -> String {
        reachable_at(&self.directory.seats[seat])
    }

    /// One more connected call at a seat.
    pub(super) fn seat_connected(&mut self, seat: usize) {
        self.seats[seat].on_call += 1;
        if self.seats[seat].on_call == 1 {
            self.tell_presence(seat, "On_Phone_Call");
        }
    }

    /// One connected call fewer at a seat; `wrap_up` seconds before it takes queue calls again.
    pub(super) fn seat_released(&mut self, seat: usize, wrap_up: f64) {
        let wrap_until = self.soon(wrap_up);
        let state = &mut self.seats[seat];
        state.on_call = state.on_call.saturating_sub(1);
        state.wrap_until = state.wrap_until.max(wrap_until);
        state.free_since = wrap_until;
        if state.on_call == 0 {
            self.tell_presence(seat, self.resting_presence(seat));
        }
        self.later(wrap_up, Step::Freed(seat));
    }
}
