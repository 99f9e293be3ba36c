//! The pretend account in motion: a discrete-event simulation without sockets and without a clock.
//!
//! [`World::step_until`] plays everything up to an instant and returns the events that real Zoom would
//! have sent by then, and no others. The same configuration and seed always tell the same story.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};

mod absence;
mod aftermath;
mod agenda;
mod arrivals;
mod call;
mod conversation;
mod outbox;
mod parties;
mod queueing;
mod ringing;
mod telling;
mod transfer;

use absence::Absence;
use agenda::Agenda;
use call::{Call, CallKey};
use conversation::Act;
use outbox::Outbox;

use crate::dice::Dice;
use crate::directory::Directory;
use crate::event::EmittedEvent;
use crate::history::History;
use crate::moment::seconds;
use crate::truth::Truth;
use crate::world_config::WorldConfig;

/// How long before its start a surging world is given a few extra callers.
const OPENING_RUSH: TimeDelta = TimeDelta::seconds(50);

/// The pretend account in motion.
#[derive(Debug)]
pub struct World {
    config: WorldConfig,
    directory: Directory,
    queues_by_seat: Vec<Vec<usize>>,
    now: DateTime<Utc>,
    dice: Dice,
    absence_dice: Dice,
    agenda: Agenda<Step>,
    outbox: Outbox,
    /// Ordered, so that nothing ever depends on a hash.
    calls: BTreeMap<CallKey, Call>,
    next_call: CallKey,
    seats: Vec<SeatState>,
    lines: Vec<Line>,
    truth: Truth,
    history: History,
}

/// What a seat does now.
#[derive(Debug, Clone)]
struct SeatState {
    /// Connected calls, held ones included.
    on_call: u32,
    /// Calls that ring here.
    ringing: u32,
    /// No queue call before this instant.
    wrap_until: DateTime<Utc>,
    free_since: DateTime<Utc>,
    /// Has stepped away from the client.
    absence: Option<Absence>,
}

/// The line of a queue and its members' switches.
#[derive(Debug, Clone)]
struct Line {
    waiting: VecDeque<CallKey>,
    /// The members' opt-in switches, in the order of the directory.
    receives: Vec<bool>,
    /// Where a rotating queue goes on.
    cursor: usize,
    /// Position in the waves of demand, 0–1.
    phase: f64,
}

/// Something that will happen.
#[derive(Debug, Clone)]
enum Step {
    QueueArrival(usize),
    DirectArrival,
    InternalArrival,
    OutgoingArrival,
    Surge,
    SurgeCall(usize),
    Break,
    Absence,
    ComeBack(usize),
    BackFromBreak { queue: usize, member: usize },
    Enter { call: CallKey, queue: usize },
    Greeted { call: CallKey, visit: u64 },
    Serve(usize),
    PickUp { call: CallKey, round: u32, leg: usize },
    Refuse { call: CallKey, round: u32, leg: usize },
    SecondDevice { call: CallKey, round: u32 },
    RingOver { call: CallKey, round: u32 },
    GiveUp { call: CallKey, visit: u64 },
    CancelRing { call: CallKey, round: u32 },
    WaitOver { call: CallKey, visit: u64 },
    Act { call: CallKey, leg: usize, act: Act },
    Retrieve { call: CallKey },
    ParkOver { call: CallKey },
    Decide { consultation: CallKey },
    OutsideAnswers { call: CallKey },
    DialOver { call: CallKey },
    MessageLeft { call: CallKey },
    TellVoicemail(Box<aftermath::Message>),
    Freed(usize),
    Publish(u64),
    Forget,
}

impl World {
    /// A world at the start of its configuration, quiet but with calls about to come.
    pub fn new(config: WorldConfig, seed: u64) -> Self {
        let directory = config.directory.build(seed);
        let now = config.start;
        let mut dice = Dice::new(seed, 1);
        let lines = directory
            .queues
            .iter()
            .map(|queue| Line {
                waiting: VecDeque::new(),
                receives: queue.members.iter().map(|member| member.receive_call).collect(),
                cursor: 0,
                phase: dice.unit(),
            })
            .collect();
        let seat = SeatState { on_call: 0, ringing: 0, wrap_until: now, free_since: now, absence: None };
        let mut world = Self {
            outbox: Outbox::new(&config.account_id, config.latency_ms.clone(), config.event_ts_lag_ms, seed),
            queues_by_seat: directory.queues_by_seat(),
            seats: vec![seat; directory.seats.len()],
            lines,
            directory,
            now,
            dice,
            absence_dice: Dice::new(seed, 47),
            agenda: Agenda::new(),
            calls: BTreeMap::new(),
            next_call: 1,
            truth: Truth::default(),
            history: History::default(),
            config,
        };
        world.schedule_arrivals();
        world.agenda.add(now + TimeDelta::hours(1), Step::Forget);
        world
    }

    /// A world in full swing at the start of its configuration: it has already played `lead`, unheard.
    pub fn warmed_up(config: WorldConfig, seed: u64, lead: TimeDelta) -> Self {
        let start = config.start;
        let mut world = Self::new(config.ahead_by(lead), seed);
        if lead > OPENING_RUSH && world.config.surges_per_hour > 0.0 {
            // Whoever looks for the first time should see callers waiting.
            world.skip_until(start - OPENING_RUSH);
            world.opening_rush();
        }
        world.skip_until(start);
        world
    }

    /// As [`World::warmed_up`], with the events of the time before, in order of leaving.
    pub fn with_a_past(config: WorldConfig, seed: u64, lead: TimeDelta) -> (Self, Vec<EmittedEvent>) {
        let start = config.start;
        let mut world = Self::new(config.ahead_by(lead), seed);
        let mut past = Vec::new();
        if lead > OPENING_RUSH && world.config.surges_per_hour > 0.0 {
            past.extend(world.step_until(start - OPENING_RUSH));
            world.opening_rush();
        }
        past.extend(world.step_until(start));
        (world, past)
    }

    /// Plays up to and including `instant` with nobody listening, which is several times as fast.
    pub fn skip_until(&mut self, instant: DateTime<Utc>) {
        self.outbox.muted = true;
        self.step_until(instant);
        self.outbox.muted = false;
    }

    /// Plays up to and including `instant`; returns the events that left by then, in order of leaving.
    pub fn step_until(&mut self, instant: DateTime<Utc>) -> Vec<EmittedEvent> {
        while let Some((at, step)) = self.agenda.pop_due(instant) {
            self.now = at;
            self.perform(step);
        }
        self.now = self.now.max(instant);
        self.outbox.take_due(instant)
    }

    /// Plays this much further.
    pub fn step_for(&mut self, length: TimeDelta) -> Vec<EmittedEvent> {
        self.step_until(self.now + length)
    }

    /// The instant up to which the world was played.
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// The structure of the account.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// What really happened in the queues.
    pub fn truth(&self) -> &Truth {
        &self.truth
    }

    /// The path of a finished call as REST tells it; `None` while it is not written.
    pub fn call_path(&self, uuid: &str) -> Option<serde_json::Value> {
        crate::rest::path_of_call(self, uuid)
    }

    /// The finished calls.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The configuration.
    pub fn config(&self) -> &WorldConfig {
        &self.config
    }

    /// Calls going on now, of any kind.
    pub fn live_calls(&self) -> usize {
        self.calls.len()
    }

    /// Whether a seat (by index into the directory) is connected to anybody now.
    pub fn seat_is_on_call(&self, seat: usize) -> bool {
        self.seats[seat].on_call > 0
    }

    /// Whether a phone of this seat rings now.
    pub fn seat_is_ringing(&self, seat: usize) -> bool {
        self.seats[seat].ringing > 0
    }

    /// A member's opt-in switch now; both are indices into the directory.
    pub fn receives_calls(&self, queue: usize, member: usize) -> bool {
        self.lines[queue].receives[member]
    }

    /// Sets a member's opt-in switch. Zoom sends no event about it, so neither does the world.
    pub fn set_receives_calls(&mut self, queue: usize, member: usize, on: bool) {
        self.lines[queue].receives[member] = on;
        if on {
            self.agenda.add(self.now, Step::Serve(queue));
        }
    }

    /// Lets somebody from outside call a queue (index into the directory) now.
    pub fn call_queue(&mut self, queue: usize) {
        self.outside_call_to_queue(queue);
    }

    /// From now on nobody starts a call; those going on take their course.
    pub fn stop_arrivals(&mut self) {
        self.config.demand = crate::Demand::Silence;
    }

    fn later(&mut self, delay_seconds: f64, step: Step) {
        self.agenda.add(self.now + seconds(delay_seconds.max(0.0)), step);
    }

    fn perform(&mut self, step: Step) {
        match step {
            Step::QueueArrival(queue) => self.queue_arrival(queue),
            Step::DirectArrival => self.direct_arrival(),
            Step::InternalArrival => self.internal_arrival(),
            Step::OutgoingArrival => self.outgoing_arrival(),
            Step::Surge => self.surge(),
            Step::SurgeCall(queue) => self.outside_call_to_queue(queue),
            Step::Break => self.take_break(),
            Step::Absence => self.step_away(),
            Step::ComeBack(seat) => self.come_back(seat),
            Step::BackFromBreak { queue, member } => self.set_receives_calls(queue, member, true),
            Step::Enter { call, queue } => self.enter_queue(call, queue),
            Step::Greeted { call, visit } => self.greeted(call, visit),
            Step::Serve(queue) => self.serve(queue),
            Step::PickUp { call, round, leg } => self.pick_up(call, round, leg),
            Step::Refuse { call, round, leg } => self.refuse(call, round, leg),
            Step::SecondDevice { call, round } => self.ring_second_device(call, round),
            Step::RingOver { call, round } => self.ring_over(call, round),
            Step::GiveUp { call, visit } => self.give_up(call, visit),
            Step::CancelRing { call, round } => self.cancel_ring(call, round),
            Step::WaitOver { call, visit } => self.wait_over(call, visit),
            Step::Act { call, leg, act } => self.act(call, leg, act),
            Step::Retrieve { call } => self.retrieve(call),
            Step::ParkOver { call } => self.park_over(call),
            Step::Decide { consultation } => self.decide(consultation),
            Step::OutsideAnswers { call } => self.outside_answers(call),
            Step::DialOver { call } => self.dial_over(call),
            Step::MessageLeft { call } => self.message_left(call),
            Step::TellVoicemail(message) => self.tell_voicemail(&message),
            Step::Freed(seat) => self.offer_to(seat),
            Step::Publish(record) => self.publish(record),
            Step::Forget => self.forget(),
        }
    }

    fn forget(&mut self) {
        let age = TimeDelta::hours(self.config.memory_hours);
        self.truth.forget(self.now, age);
        self.history.forget(self.now, age);
        self.later(3600.0, Step::Forget);
    }
}
