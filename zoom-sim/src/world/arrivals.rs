//! Who starts calls: outside callers, people inside, sudden crowds; and people taking breaks.

use chrono::TimeDelta;

use super::call::{Call, CallKey, Caller, Dial, Dialled, Stage};
use super::{Step, World};
use crate::directory::numbers;
use crate::event::leg::LegEvent;
use crate::moment::seconds;

impl World {
    pub(super) fn schedule_arrivals(&mut self) {
        for queue in 0..self.directory.queues.len() {
            self.next_queue_arrival(queue);
        }
        self.next_arrival(self.config.direct_calls_per_hour, Step::DirectArrival);
        self.next_arrival(self.config.internal_calls_per_hour, Step::InternalArrival);
        self.next_arrival(self.config.outgoing_calls_per_hour, Step::OutgoingArrival);
        self.next_arrival(self.config.surges_per_hour, Step::Surge);
        self.next_arrival(self.config.breaks_per_hour, Step::Break);
        self.next_absence();
    }

    /// Independent arrivals: exponential gaps.
    fn next_arrival(&mut self, per_hour: f64, step: Step) {
        let rate = per_hour * self.config.load * self.config.demand.ceiling();
        if rate > 0.0 {
            let gap = self.dice.exponential(3600.0 / rate);
            self.later(gap, step);
        }
    }

    /// Whether an arrival drawn at the ceiling's rate happens at this hour.
    fn demand_allows(&mut self, queue: Option<usize>) -> bool {
        let demand = self.config.demand;
        if demand.ceiling() <= 0.0 {
            return false;
        }
        let zone = queue.map_or(self.directory.sites[0].zone, |queue| self.directory.queues[queue].zone);
        let phase = queue.map_or(0.0, |queue| self.lines[queue].phase);
        self.dice.chance(demand.factor(self.now, zone, phase) / demand.ceiling())
    }

    fn next_queue_arrival(&mut self, queue: usize) {
        let per_hour = self.directory.queues[queue].calls_per_hour;
        self.next_arrival(per_hour, Step::QueueArrival(queue));
    }

    pub(super) fn queue_arrival(&mut self, queue: usize) {
        self.next_queue_arrival(queue);
        if !self.demand_allows(Some(queue)) {
            return;
        }
        if self.dice.chance(self.config.habits.internal_into_queue) {
            if let Some(seat) = self.somebody_free() {
                self.inside_call(seat, Dialled::Queue(queue));
            }
        } else {
            self.outside_call_to_queue(queue);
        }
    }

    pub(super) fn outside_call_to_queue(&mut self, queue: usize) {
        let caller = self.outside_caller();
        let through = !self.directory.receptionists.is_empty()
            && self.dice.chance(self.config.habits.through_receptionist);
        let receptionist = through.then(|| queue % self.directory.receptionists.len());
        let key = self.start_call(caller, Dialled::Queue(queue));
        // In the menu nothing is known of the call.
        let menu = if through { self.dice.between(4.0, 18.0) } else { 0.5 };
        let as_caller = through && self.dice.chance(self.config.habits.receptionist_as_caller);
        if let Some(call) = self.calls.get_mut(&key) {
            call.receptionist = receptionist;
            call.receptionist_as_caller = as_caller;
        }
        self.later(menu, Step::Enter { call: key, queue });
    }

    pub(super) fn direct_arrival(&mut self) {
        self.next_arrival(self.config.direct_calls_per_hour, Step::DirectArrival);
        if !self.demand_allows(None) {
            return;
        }
        let Some(seat) = self.somebody() else { return };
        let caller = self.outside_caller();
        let key = self.start_call(caller, Dialled::Seat(seat));
        self.ring_at_seat(key, seat);
    }

    pub(super) fn internal_arrival(&mut self) {
        self.next_arrival(self.config.internal_calls_per_hour, Step::InternalArrival);
        if !self.demand_allows(None) {
            return;
        }
        if let (Some(from), Some(to)) = (self.somebody_free(), self.somebody())
            && from != to
        {
            self.inside_call(from, Dialled::Seat(to));
        }
    }

    pub(super) fn outgoing_arrival(&mut self) {
        self.next_arrival(self.config.outgoing_calls_per_hour, Step::OutgoingArrival);
        if !self.demand_allows(None) {
            return;
        }
        if let Some(from) = self.somebody_free() {
            let (number, _) = numbers::outside(&mut self.dice);
            self.inside_call(from, Dialled::Outside { number });
        }
    }

    /// A burst of callers within half a minute, as after a mailing.
    pub(super) fn surge(&mut self) {
        self.next_arrival(self.config.surges_per_hour, Step::Surge);
        let weights: Vec<f64> = self.directory.queues.iter().map(|queue| queue.calls_per_hour).collect();
        if self.config.demand.ceiling() <= 0.0 {
            return;
        }
        let queue = self.dice.weighted(&weights);
        for _ in 0..3 + self.dice.below(4) {
            let delay = self.dice.between(0.0, 30.0);
            self.later(delay, Step::SurgeCall(queue));
        }
    }

    /// Some callers for the bigger queues within the next 40 seconds.
    pub(super) fn opening_rush(&mut self) {
        for queue in 0..self.directory.queues.len().min(4) {
            for _ in 0..self.directory.queues[queue].members.len() / 2 + 1 {
                let delay = self.dice.between(0.0, 40.0);
                self.later(delay, Step::SurgeCall(queue));
            }
        }
    }

    /// A member switches off one queue for some minutes; the last one in a queue stays.
    pub(super) fn take_break(&mut self) {
        self.next_arrival(self.config.breaks_per_hour, Step::Break);
        let queue = self.dice.below(self.directory.queues.len());
        let member = self.dice.below(self.lines[queue].receives.len());
        let receives = &mut self.lines[queue].receives;
        if receives[member] && receives.iter().filter(|on| **on).count() > receives.len() / 2 {
            receives[member] = false;
            let minutes = self.dice.between(2.0, 15.0);
            self.later(minutes * 60.0, Step::BackFromBreak { queue, member });
        }
    }

    /// A call from a seat of the account: the calling side has events of its own.
    pub(super) fn inside_call(&mut self, seat: usize, dialled: Dialled) -> CallKey {
        let key = self.start_call(Caller::Seat { seat, device: 0 }, dialled.clone());
        let dial = Dial {
            seat,
            device: 0,
            ringing_start: self.now,
            connected: None,
            ended: false,
            channel: self.dice.uuid(),
        };
        if let Some(call) = self.calls.get_mut(&key) {
            call.dial = Some(dial);
            if matches!(dialled, Dialled::Outside { .. }) {
                call.stage = Stage::Dialling;
            }
        }
        self.seat_connected(seat);
        self.tell_dial(key, LegEvent::CallerRinging, None);
        match dialled {
            Dialled::Queue(queue) => self.later(0.5, Step::Enter { call: key, queue }),
            Dialled::Seat(target) => self.ring_at_seat(key, target),
            Dialled::Outside { .. } if self.dice.chance(self.config.habits.outgoing_answered) => {
                let ring = self.dice.between(3.0, 18.0);
                self.later(ring, Step::OutsideAnswers { call: key });
            }
            Dialled::Outside { .. } => {
                let ring = self.dice.between(12.0, 35.0);
                self.later(ring, Step::DialOver { call: key });
            }
        }
        key
    }

    pub(super) fn outside_answers(&mut self, key: CallKey) {
        let now = self.now;
        let Some(call) = self.calls.get_mut(&key) else { return };
        call.stage = Stage::Talking { leg: None };
        call.first_answer = Some(now);
        call.result = "connected";
        if let Some(dial) = &mut call.dial {
            dial.connected = Some(now);
        }
        self.tell_dial(key, LegEvent::CallerConnected, None);
        let talk = self.dice.lognormal(100.0, 0.7).clamp(4.0, 900.0);
        self.later(talk, Step::DialOver { call: key });
    }

    /// The end of a call to the outside, answered or not.
    pub(super) fn dial_over(&mut self, key: CallKey) {
        let connected = self
            .calls
            .get(&key)
            .and_then(|call| call.dial.as_ref())
            .is_some_and(|dial| dial.connected.is_some());
        self.end_dial(key, if connected { "Call connected" } else { "Call Cancel" });
        if let Some(call) = self.calls.get_mut(&key)
            && !connected
        {
            call.result = "canceled";
        }
        self.finish(key);
    }

    fn start_call(&mut self, caller: Caller, dialled: Dialled) -> CallKey {
        let key = self.next_call;
        self.next_call += 1;
        // 19 digits, rising with time, never the same twice.
        let id = 7_400_000_000_000_000_000 + key * 1_000_000_007 + self.dice.number(1_000_000_000);
        let call = Call {
            id: id.to_string(),
            uuid: format!("{}-{}", self.now.format("%Y%m%d"), self.dice.uuid()),
            caller,
            dialled,
            started: self.now,
            receptionist: None,
            receptionist_as_caller: false,
            losers_miss: self.dice.chance(0.6),
            stage: Stage::Between,
            visit: None,
            arrived_by: "incoming",
            stay_since: self.now,
            dial: None,
            legs: Vec::new(),
            round: 0,
            tried: Vec::new(),
            pause_until: self.now,
            first_answer: None,
            answered_by: None,
            result: "hang_up",
            segment: 0,
            elements: Vec::new(),
            consults_for: None,
            merged_into: None,
            consultation: None,
        };
        self.calls.insert(key, call);
        self.truth.call_started();
        key
    }

    fn outside_caller(&mut self) -> Caller {
        let (number, country) = numbers::outside(&mut self.dice);
        let name = numbers::caller_name(&mut self.dice);
        let hides = self.dice.chance(self.config.habits.withheld);
        let withheld = hides.then(|| *self.dice.pick(&["anonymous", ""]));
        Caller::Outside { number, name, country, withheld }
    }

    /// Any person.
    pub(super) fn somebody(&mut self) -> Option<usize> {
        let seat = self.dice.below(self.directory.seats.len());
        self.directory.seats[seat].is_person().then_some(seat)
    }

    /// A person with no call, no ring and no wrap-up who may be rung, if a few tries find one.
    pub(super) fn somebody_free(&mut self) -> Option<usize> {
        (0..6).find_map(|_| self.somebody().filter(|seat| self.is_free(*seat)))
    }

    pub(super) fn is_free(&self, seat: usize) -> bool {
        let state = &self.seats[seat];
        state.on_call == 0 && state.ringing == 0 && state.wrap_until <= self.now && !self.is_unreachable(seat)
    }

    /// The instant some seconds from now.
    pub(super) fn soon(&self, delay_seconds: f64) -> chrono::DateTime<chrono::Utc> {
        self.now + seconds(delay_seconds).max(TimeDelta::zero())
    }
}
