//! The line of a queue: entering, being offered, giving up, overflowing.

use super::call::{CallKey, LegState, Stage};
use super::{Step, World};
use crate::directory::{Overflow, RingMode};
use crate::truth::Outcome;

/// Zoom rings at most ten members at once.
const MOST_AT_ONCE: usize = 10;

impl World {
    pub(super) fn enter_queue(&mut self, key: CallKey, queue: usize) {
        let now = self.now;
        let Some(call) = self.calls.get_mut(&key) else { return };
        let settings = &self.directory.queues[queue];
        let visit = self.truth.enter(&call.id, settings, now, call.visit);
        call.visit = Some(visit);
        call.stay_since = now;
        call.pause_until = now;
        call.tried.clear();
        call.stage = Stage::Waiting { queue, greeted: false };
        if !settings.hours.open_at(settings.zone, now) {
            self.leave_queue(key, Outcome::Closed);
            return self.offer_voicemail(key, Some(queue), 0.4);
        }
        if self.lines[queue].waiting.len() >= settings.max_waiting {
            return self.overflow(key, queue, true);
        }
        let (greeting, max_wait) = (settings.greeting_seconds, settings.max_wait_seconds);
        let patience = if self.dice.chance(self.config.habits.short_abandon) {
            self.dice.between(0.8, self.config.short_abandon_seconds)
        } else {
            // Nobody who listens to the greeting leaves in the middle of the first word.
            self.config.short_abandon_seconds + self.dice.exponential(settings.patience_seconds)
        };
        self.lines[queue].waiting.push_back(key);
        self.later(greeting, Step::Greeted { call: key, visit });
        self.later(patience, Step::GiveUp { call: key, visit });
        self.later(max_wait, Step::WaitOver { call: key, visit });
    }

    pub(super) fn greeted(&mut self, key: CallKey, visit: u64) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        if let (Stage::Waiting { queue, .. }, true) = (call.stage, call.visit == Some(visit)) {
            call.stage = Stage::Waiting { queue, greeted: true };
            self.serve(queue);
        }
    }

    /// Offers waiting callers to free members, oldest caller first.
    pub(super) fn serve(&mut self, queue: usize) {
        let callers: Vec<CallKey> = self.lines[queue].waiting.iter().copied().collect();
        for key in callers {
            let Some(call) = self.calls.get(&key) else { continue };
            let ready = call.stage == (Stage::Waiting { queue, greeted: true }) && !call.is_ringing();
            if !ready || call.pause_until > self.now {
                continue;
            }
            let tried = call.tried.clone();
            let mut members = self.members_to_ring(queue, &tried, false);
            if members.is_empty() && !tried.is_empty() {
                // Everybody free was tried: the list begins anew.
                members = self.members_to_ring(queue, &[], false);
                if !members.is_empty() {
                    self.calls.entry(key).and_modify(|call| call.tried.clear());
                }
            }
            if members.is_empty() && self.directory.queues[queue].rings_busy_members {
                members = self.members_to_ring(queue, &[], true);
            }
            if members.is_empty() {
                // Those further back get nobody either.
                return;
            }
            self.ring_members(key, queue, &members);
        }
    }

    /// Whom to ring next: free members, or those who are busy and may be rung nevertheless.
    fn members_to_ring(&mut self, queue: usize, tried: &[usize], busy: bool) -> Vec<usize> {
        let settings = &self.directory.queues[queue];
        let line = &self.lines[queue];
        let count = settings.members.len();
        let one_by_one = settings.ring_mode != RingMode::Simultaneous;
        let can = |index: &usize| {
            let seat = settings.members[*index].seat;
            line.receives[*index] && self.can_ring(seat, busy) && !(one_by_one && tried.contains(&seat))
        };
        match settings.ring_mode {
            RingMode::Simultaneous => {
                (0..count).filter(can).take(MOST_AT_ONCE).map(|index| settings.members[index].seat).collect()
            }
            RingMode::Sequential => {
                (0..count).find(can).map(|index| settings.members[index].seat).into_iter().collect()
            }
            RingMode::LongestIdle => (0..count)
                .filter(can)
                .map(|index| settings.members[index].seat)
                .min_by_key(|seat| self.seats[*seat].free_since)
                .into_iter()
                .collect(),
            RingMode::Rotating => {
                let chosen = (0..count).map(|step| (line.cursor + step) % count).find(can);
                let seats = chosen.map(|index| settings.members[index].seat).into_iter().collect();
                if let Some(index) = chosen {
                    self.lines[queue].cursor = (index + 1) % count;
                }
                seats
            }
        }
    }

    fn can_ring(&self, seat: usize, busy: bool) -> bool {
        let state = &self.seats[seat];
        if busy { state.on_call == 1 && state.ringing == 0 } else { self.is_free(seat) }
    }

    /// A seat may have become free: its queues look again, about a second later as Zoom does.
    pub(super) fn offer_to(&mut self, seat: usize) {
        for position in 0..self.queues_by_seat[seat].len() {
            let queue = self.queues_by_seat[seat][position];
            if !self.lines[queue].waiting.is_empty() {
                let delay = self.dice.between(0.3, 1.2);
                self.later(delay, Step::Serve(queue));
            }
        }
    }

    /// The caller's patience is over.
    pub(super) fn give_up(&mut self, key: CallKey, visit: u64) {
        let Some(queue) = self.queue_of(key, visit) else { return };
        self.miss_ringing(key, "Call Cancel");
        let waited = self.truth.visit(visit).map_or(self.now, |visit| visit.entered);
        let waited = (self.now - waited).num_milliseconds() as f64 / 1000.0;
        let short = waited <= self.config.short_abandon_seconds;
        self.note_queue_step(key, queue, "abandoned");
        self.leave_queue(key, if short { Outcome::ShortAbandoned } else { Outcome::Abandoned });
        if let Some(call) = self.calls.get_mut(&key) {
            call.result = "abandoned";
        }
        self.end_dial(key, "Call Cancel");
        self.finish(key);
    }

    pub(super) fn wait_over(&mut self, key: CallKey, visit: u64) {
        if let Some(queue) = self.queue_of(key, visit) {
            self.miss_ringing(key, "No Answer");
            self.overflow(key, queue, false);
        }
    }

    fn overflow(&mut self, key: CallKey, queue: usize, full: bool) {
        let outcome = if full { Outcome::OverflowFull } else { Outcome::OverflowMaxWait };
        let action = self.directory.queues[queue].overflow;
        // A caller who has been through a whole chain of queues is sent to voicemail, not in a circle.
        let hops = self.calls.get(&key).map_or(0, |call| call.segment);
        self.note_queue_step(key, queue, "overflowed");
        match action {
            Overflow::Queue(next) if hops < 3 => {
                self.leave_queue(key, outcome);
                if let Some(call) = self.calls.get_mut(&key) {
                    call.arrived_by = "overflow";
                }
                self.later(0.5, Step::Enter { call: key, queue: next });
            }
            Overflow::Disconnect => {
                self.leave_queue(key, outcome);
                if let Some(call) = self.calls.get_mut(&key) {
                    call.result = "overflowed";
                }
                self.end_dial(key, "Call Cancel");
                self.finish(key);
            }
            Overflow::Voicemail | Overflow::Queue(_) => {
                self.leave_queue(key, if full { outcome } else { Outcome::Voicemail });
                self.offer_voicemail(key, Some(queue), 0.75);
            }
        }
    }

    /// The queue in whose line this visit still waits.
    pub(super) fn queue_of(&self, key: CallKey, visit: u64) -> Option<usize> {
        let call = self.calls.get(&key)?;
        match call.stage {
            Stage::Waiting { queue, .. } if call.visit == Some(visit) => Some(queue),
            _ => None,
        }
    }

    /// Ends the wait without an answer.
    fn leave_queue(&mut self, key: CallKey, outcome: Outcome) {
        let now = self.now;
        let Some(call) = self.calls.get_mut(&key) else { return };
        if let Some(visit) = call.visit {
            self.truth.leave(visit, now, outcome);
        }
        if let Stage::Waiting { queue, .. } = call.stage {
            self.lines[queue].waiting.retain(|waiting| *waiting != key);
        }
        call.stage = Stage::Between;
    }

    /// Every ringing phone of the call stops; each device misses it.
    pub(super) fn miss_ringing(&mut self, key: CallKey, result: &'static str) {
        let Some(call) = self.calls.get(&key) else { return };
        let legs = call.ringing_legs();
        for leg in &legs {
            self.tell_leg(key, *leg, crate::event::leg::LegEvent::CalleeMissed, Some(result));
        }
        let word = if result == "Call Cancel" { "canceled" } else { "no_answer" };
        self.stop_ringing(key, &legs, word, None);
    }

    /// The legs are over: seats are free again, the history gets one element per seat.
    pub(super) fn stop_ringing(
        &mut self,
        key: CallKey,
        legs: &[usize],
        result: &'static str,
        reason: Option<&'static str>,
    ) {
        let mut seats = Vec::new();
        for &leg in legs {
            let Some(call) = self.calls.get_mut(&key) else { return };
            call.legs[leg].state = LegState::Over;
            let seat = call.legs[leg].seat;
            if !seats.contains(&seat) {
                seats.push(seat);
                self.note_ring(key, leg, result, reason);
            }
        }
        for seat in seats {
            let Some(call) = self.calls.get(&key) else { return };
            let still = |leg: &super::call::Leg| leg.seat == seat && leg.state == LegState::Ringing;
            if !call.legs.iter().any(still) {
                self.seats[seat].ringing = self.seats[seat].ringing.saturating_sub(1);
                self.offer_to(seat);
            }
        }
        let Some(call) = self.calls.get(&key) else { return };
        if let (Some(visit), false) = (call.visit, call.is_ringing()) {
            self.truth.ring_over(visit, self.now);
        }
    }
}
