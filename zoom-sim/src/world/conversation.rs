//! What happens while people talk: hold, mute, park, meetings, and the end.

use super::call::{CallKey, LegState, Stage};
use super::telling::TransferFacts;
use super::{Step, World};
use crate::event::call_change::Change;
use crate::event::leg::LegEvent;
use crate::truth::Phase;

/// A thing that somebody does during a talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    CalleeHold,
    CalleeUnhold,
    CallerHold,
    CallerUnhold,
    Mute,
    Unmute,
    CallerMute,
    CallerUnmute,
    Park,
    BlindTransfer,
    WarmTransfer,
    SendToVoicemail,
    Conference,
    Meeting,
    HangUp,
}

impl World {
    /// Decides how the talk on a leg goes, and schedules it.
    pub(super) fn plan_conversation(&mut self, key: CallKey, leg: usize) {
        let habits = self.config.habits;
        let Some(call) = self.calls.get(&key) else { return };
        let mean = call.legs[leg].queue.map_or(80.0, |queue| self.directory.queues[queue].talk_seconds);
        let (inside_caller, transfers) = (call.dial.is_some(), call.segment);
        let mut talk = self.dice.lognormal(mean, 0.7).clamp(4.0, 1800.0);
        let act = |at: f64, act: Act| (at, Step::Act { call: key, leg, act });
        let mut plan = Vec::new();
        if self.dice.chance(habits.hold) {
            let (from, length) = (talk * self.dice.between(0.2, 0.7), self.dice.lognormal(30.0, 0.6));
            let by_caller = inside_caller && self.dice.chance(0.5);
            plan.push(act(from, if by_caller { Act::CallerHold } else { Act::CalleeHold }));
            if self.dice.chance(habits.hang_up_on_hold) {
                // Held until the end: no event will close this hold.
                talk = from + length;
            } else {
                plan.push(act(from + length, if by_caller { Act::CallerUnhold } else { Act::CalleeUnhold }));
                talk += length;
            }
        }
        if self.dice.chance(habits.mute) {
            let from = talk * self.dice.between(0.1, 0.4);
            let by_caller = inside_caller && self.dice.chance(0.5);
            plan.push(act(from, if by_caller { Act::CallerMute } else { Act::Mute }));
            plan.push(act(from + talk * 0.2, if by_caller { Act::CallerUnmute } else { Act::Unmute }));
        }
        if self.dice.chance(habits.conference) {
            plan.push(act(talk * 0.5, Act::Conference));
        }
        // One way to end it; somebody passed on twice is not passed on again.
        let weights = [
            habits.park,
            habits.blind_transfer,
            habits.warm_transfer,
            habits.to_voicemail,
            habits.meeting,
            1.0 - habits.park - habits.blind_transfer - habits.warm_transfer,
        ];
        let endings = [
            Act::Park,
            Act::BlindTransfer,
            Act::WarmTransfer,
            Act::SendToVoicemail,
            Act::Meeting,
            Act::HangUp,
        ];
        let ending = if transfers < 3 { endings[self.dice.weighted(&weights)] } else { Act::HangUp };
        plan.push(act(talk, ending));
        for (at, step) in plan {
            self.later(at, step);
        }
    }

    pub(super) fn act(&mut self, key: CallKey, leg: usize, act: Act) {
        let Some(call) = self.calls.get(&key) else { return };
        if call.legs[leg].state != LegState::Connected || call.consultation.is_some() && act != Act::HangUp {
            return;
        }
        match act {
            Act::CalleeHold => self.hold(key, leg, Change::CalleeHold),
            Act::CallerHold => self.hold(key, leg, Change::CallerHold),
            Act::CalleeUnhold => self.unhold(key, leg, Change::CalleeUnhold),
            Act::CallerUnhold => self.unhold(key, leg, Change::CallerUnhold),
            Act::Mute => self.tell_change(key, leg, Change::CalleeMute),
            Act::Unmute => self.tell_change(key, leg, Change::CalleeUnmute),
            Act::CallerMute => self.tell_change(key, leg, Change::CallerMute),
            Act::CallerUnmute => self.tell_change(key, leg, Change::CallerUnmute),
            Act::Park => self.park(key, leg),
            Act::BlindTransfer => self.blind_transfer(key, leg),
            Act::WarmTransfer => self.start_consultation(key, leg),
            Act::SendToVoicemail => self.send_to_voicemail(key, leg),
            Act::Conference => self.start_conference(key, leg),
            Act::Meeting => self.move_to_meeting(key, leg),
            Act::HangUp => self.hang_up(key, leg),
        }
    }

    pub(super) fn hold(&mut self, key: CallKey, leg: usize, change: Change) {
        let now = self.now;
        let Some(call) = self.calls.get_mut(&key) else { return };
        call.legs[leg].held_since.get_or_insert(now);
        self.leg_phase(key, leg, Phase::OnHold);
        self.tell_change(key, leg, change);
    }

    pub(super) fn unhold(&mut self, key: CallKey, leg: usize, change: Change) {
        let now = self.now;
        let Some(call) = self.calls.get_mut(&key) else { return };
        let leg_state = &mut call.legs[leg];
        if let Some(since) = leg_state.held_since.take() {
            leg_state.hold_seconds += (now - since).num_seconds();
            self.leg_phase(key, leg, Phase::Talking);
            self.tell_change(key, leg, change);
        }
    }

    /// A phase of the queue visit, if the leg is the one that the queue offered.
    fn leg_phase(&mut self, key: CallKey, leg: usize, phase: Phase) {
        let Some(call) = self.calls.get(&key) else { return };
        if let (Some(visit), Some(_)) = (call.visit, call.legs[leg].queue) {
            self.truth.phase(visit, self.now, phase);
        }
    }

    /// Ends a connected leg and sets its seat free, after wrap-up if a queue offered it.
    pub(super) fn end_leg(&mut self, key: CallKey, leg: usize) {
        let now = self.now;
        let Some(call) = self.calls.get_mut(&key) else { return };
        let ended = &mut call.legs[leg];
        if ended.state != LegState::Connected {
            return;
        }
        ended.state = LegState::Over;
        if let Some(since) = ended.held_since.take() {
            ended.hold_seconds += (now - since).num_seconds();
        }
        let seat = ended.seat;
        let wrap_up = ended.queue.map_or(0.0, |queue| self.directory.queues[queue].wrap_up_seconds);
        self.tell_leg(key, leg, LegEvent::CalleeEnded, Some("Call connected"));
        self.note_ring(key, leg, "answered", None);
        self.seat_released(seat, wrap_up);
    }

    /// Ends the calling side's leg if there is one.
    pub(super) fn end_dial(&mut self, key: CallKey, result: &'static str) {
        let Some(dial) = self.calls.get_mut(&key).and_then(|call| call.dial.as_mut()) else { return };
        if dial.ended {
            return;
        }
        dial.ended = true;
        let seat = dial.seat;
        self.tell_dial(key, LegEvent::CallerEnded, Some(result));
        self.seat_released(seat, 0.0);
    }

    fn hang_up(&mut self, key: CallKey, leg: usize) {
        self.abandon_consultation(key);
        self.end_leg(key, leg);
        self.end_dial(key, "Call connected");
        self.finish(key);
    }

    fn park(&mut self, key: CallKey, leg: usize) {
        if self.dice.chance(self.config.habits.transfer_fails) {
            let reason = "No park slot is free.";
            self.tell_change_with(key, leg, Change::CalleeParked, Some((None, reason)), None);
            return self.later(8.0, Step::Act { call: key, leg, act: Act::HangUp });
        }
        let code = format!("*{}", 801 + self.dice.below(90));
        // Zoom fills the failure reason on success as well.
        let told = (Some(code), "The call was parked.");
        self.tell_change_with(key, leg, Change::CalleeParked, Some(told), None);
        let Some(by) = self.calls.get(&key).map(|call| call.legs[leg].seat) else { return };
        self.end_leg(key, leg);
        if let Some(call) = self.calls.get_mut(&key) {
            call.stage = Stage::Parked { by };
            call.segment += 1;
            if let Some(visit) = call.visit {
                self.truth.phase(visit, self.now, Phase::Parked);
            }
        }
        if self.dice.chance(0.8) {
            let after = self.dice.between(8.0, 60.0);
            self.later(after, Step::Retrieve { call: key });
        } else {
            self.later(90.0, Step::ParkOver { call: key });
        }
    }

    /// Somebody dials the park code: no event of its own, a ring and an answer in the same second.
    pub(super) fn retrieve(&mut self, key: CallKey) {
        let Some(seat) = self.somebody_free() else {
            return self.later(30.0, Step::ParkOver { call: key });
        };
        if !self.back_from_park(key) {
            return;
        }
        self.ring_at_seat(key, seat);
        let Some(call) = self.calls.get(&key) else { return };
        if let Some(&leg) = call.ringing_legs().first() {
            let round = call.round;
            self.pick_up(key, round, leg);
        }
    }

    /// Nobody fetched it: it rings again where it was parked.
    pub(super) fn park_over(&mut self, key: CallKey) {
        if let Some(Stage::Parked { by }) = self.calls.get(&key).map(|call| call.stage)
            && self.back_from_park(key)
        {
            self.ring_at_seat(key, by);
        }
    }

    fn back_from_park(&mut self, key: CallKey) -> bool {
        let Some(call) = self.calls.get(&key) else { return false };
        let parked = matches!(call.stage, Stage::Parked { .. });
        if let (true, Some(visit)) = (parked, call.visit) {
            self.truth.phase(visit, self.now, Phase::Elsewhere);
        }
        parked
    }

    fn start_conference(&mut self, key: CallKey, leg: usize) {
        let Some(call) = self.calls.get(&key) else { return };
        let (id, seat) = (call.id.clone(), call.legs[leg].seat);
        let facts = TransferFacts { conference: Some(self.dice.uuid()), ..TransferFacts::default() };
        self.tell_transfer("phone.conference_started", &id, seat, facts);
    }

    fn move_to_meeting(&mut self, key: CallKey, leg: usize) {
        let meeting = (80_000_000_000 + self.dice.number(9_999_999_999)).to_string();
        let inside_caller = self.calls.get(&key).is_some_and(|call| call.dial.is_some());
        let by_caller = inside_caller && self.dice.chance(0.5);
        let change = if by_caller { Change::CallerMeetingInviting } else { Change::CalleeMeetingInviting };
        self.tell_change_with(key, leg, change, None, Some(meeting));
        self.later(4.0, Step::Act { call: key, leg, act: Act::HangUp });
    }
}
