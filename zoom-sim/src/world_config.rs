//! What a pretend account does all day: size, demand, habits, and the ready-made mixtures of them.

use std::f64::consts::TAU;
use std::ops::RangeInclusive;

use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc, Weekday};
use chrono_tz::Tz;

use crate::directory::DirectoryPlan;

/// Everything that decides the story of a [`World`](crate::World) besides the seed.
#[derive(Debug, Clone)]
pub struct WorldConfig {
    /// The account id in every event.
    pub account_id: String,
    /// The account's structure.
    pub directory: DirectoryPlan,
    /// Where the clock of the world begins.
    pub start: DateTime<Utc>,
    /// How demand changes over time.
    pub demand: Demand,
    /// Factor on all call rates; 1.0 is as the plan says.
    pub load: f64,
    /// Calls from outside straight to people, per hour.
    pub direct_calls_per_hour: f64,
    /// Calls between people, per hour.
    pub internal_calls_per_hour: f64,
    /// Calls from people to the outside, per hour.
    pub outgoing_calls_per_hour: f64,
    /// Sudden clusters of calls into one queue, per hour.
    pub surges_per_hour: f64,
    /// Members switching their opt-in off for some minutes, per hour.
    pub breaks_per_hour: f64,
    /// People stepping away from their client for some minutes, per hour: away, not to be disturbed, signed
    /// out.
    pub absences_per_hour: f64,
    /// How people behave.
    pub habits: Habits,
    /// Time between a fact and the departure of its event, in milliseconds, drawn anew for each event:
    /// a wide range lets events overtake each other.
    pub latency_ms: RangeInclusive<u64>,
    /// Added to `event_ts`, in milliseconds; published captures show about 12,000.
    pub event_ts_lag_ms: i64,
    /// Whether people's presence events are sent.
    pub presence_events: bool,
    /// Whether life-cycle events carry the undocumented `channel_id`.
    pub channel_ids: bool,
    /// Time from a call's end to its history, in seconds.
    pub history_delay_seconds: RangeInclusive<u64>,
    /// Waits up to this many seconds count as a short abandon in the truth.
    pub short_abandon_seconds: f64,
    /// How long finished calls stay in the truth and the history, in hours.
    pub memory_hours: i64,
}

/// How demand changes over time, as a factor on the rates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Demand {
    /// Always 1.
    Steady,
    /// Up and down around 1, each queue at its own phase.
    Waves {
        /// Length of a wave in seconds.
        period_seconds: f64,
        /// Height of a wave, 0–1.
        depth: f64,
    },
    /// A business day in the queue's zone: quiet nights, peaks before and after noon, weekends at 8 %.
    BusinessDay,
    /// Nobody calls.
    Silence,
}

impl Demand {
    /// The factor for a queue at an instant.
    pub(crate) fn factor(self, at: DateTime<Utc>, zone: Tz, phase: f64) -> f64 {
        match self {
            Self::Steady => 1.0,
            Self::Silence => 0.0,
            Self::Waves { period_seconds, depth } => {
                let turn = at.timestamp_millis() as f64 / 1000.0 / period_seconds;
                1.0 + depth * ((turn + phase) * TAU).sin()
            }
            Self::BusinessDay => {
                const HOURS: [f64; 24] = [
                    0.02, 0.01, 0.01, 0.01, 0.02, 0.04, 0.12, 0.35, 0.75, 1.05, 1.15, 1.1, 0.85, 0.95, 1.1,
                    1.05, 0.9, 0.6, 0.3, 0.18, 0.12, 0.08, 0.05, 0.03,
                ];
                let local = at.with_timezone(&zone);
                let weekend = matches!(local.weekday(), Weekday::Sat | Weekday::Sun);
                HOURS[local.hour() as usize] * if weekend { 0.08 } else { 1.0 }
            }
        }
    }

    /// No factor is above this.
    pub(crate) fn ceiling(self) -> f64 {
        match self {
            Self::Steady => 1.0,
            Self::Silence => 0.0,
            Self::Waves { depth, .. } => 1.0 + depth,
            Self::BusinessDay => 1.15,
        }
    }
}

/// Probabilities of what people do, 0–1.
#[derive(Debug, Clone, Copy)]
pub struct Habits {
    /// An outside caller comes through an auto receptionist.
    pub through_receptionist: f64,
    /// A queue call comes from inside the account.
    pub internal_into_queue: f64,
    /// The caller withholds the number.
    pub withheld: f64,
    /// The caller hangs up within the first seconds.
    pub short_abandon: f64,
    /// A rung member lets it ring out.
    pub no_answer: f64,
    /// A rung member declines.
    pub rejects: f64,
    /// The called side puts the call on hold once.
    pub hold: f64,
    /// The caller gives up while held, given a hold.
    pub hang_up_on_hold: f64,
    /// Somebody mutes and unmutes.
    pub mute: f64,
    /// The call is parked.
    pub park: f64,
    /// A blind transfer ends the agent's part.
    pub blind_transfer: f64,
    /// A consultation before a transfer.
    pub warm_transfer: f64,
    /// The agent sends the caller to voicemail.
    pub to_voicemail: f64,
    /// The call becomes a conference.
    pub conference: f64,
    /// The call moves to a meeting.
    pub meeting: f64,
    /// A transfer or park fails, given there is one.
    pub transfer_fails: f64,
    /// A missed event of a call through a receptionist names the receptionist as the caller.
    pub receptionist_as_caller: f64,
    /// An outside call from a person is answered.
    pub outgoing_answered: f64,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            through_receptionist: 0.4,
            internal_into_queue: 0.05,
            withheld: 0.06,
            short_abandon: 0.04,
            no_answer: 0.14,
            rejects: 0.03,
            hold: 0.16,
            hang_up_on_hold: 0.06,
            mute: 0.08,
            park: 0.02,
            blind_transfer: 0.05,
            warm_transfer: 0.04,
            to_voicemail: 0.01,
            conference: 0.01,
            meeting: 0.005,
            transfer_fails: 0.06,
            receptionist_as_caller: 0.15,
            outgoing_answered: 0.7,
        }
    }
}

impl WorldConfig {
    /// A lively office that fills a wall within seconds, at any hour: about one event a second.
    pub fn demo(start: DateTime<Utc>) -> Self {
        Self {
            demand: Demand::Waves { period_seconds: 900.0, depth: 0.45 },
            surges_per_hour: 9.0,
            absences_per_hour: 16.0,
            ..Self::base(DirectoryPlan::Demo, start)
        }
    }

    /// The demo's people on an ordinary business day with quiet nights.
    pub fn office(start: DateTime<Utc>) -> Self {
        Self { demand: Demand::BusinessDay, ..Self::base(DirectoryPlan::Office, start) }
    }

    /// Two queues and five people, calm.
    pub fn small(start: DateTime<Utc>) -> Self {
        Self {
            direct_calls_per_hour: 6.0,
            internal_calls_per_hour: 6.0,
            outgoing_calls_per_hour: 10.0,
            breaks_per_hour: 1.0,
            ..Self::base(DirectoryPlan::Small, start)
        }
    }

    /// Generated to size; `events_per_second` is a rough aim, presence events included.
    pub fn bench(start: DateTime<Utc>, queues: usize, people: usize, events_per_second: f64) -> Self {
        // Measured: one queue call of this mixture makes about 16.6 events.
        let calls_per_hour = events_per_second / EVENTS_PER_BENCH_CALL * 3600.0;
        let plan = DirectoryPlan::Sized { queues, people, calls_per_hour };
        Self {
            direct_calls_per_hour: calls_per_hour * 0.1,
            internal_calls_per_hour: calls_per_hour * 0.05,
            outgoing_calls_per_hour: calls_per_hour * 0.2,
            breaks_per_hour: people as f64 / 4.0,
            ..Self::base(plan, start)
        }
    }

    fn base(directory: DirectoryPlan, start: DateTime<Utc>) -> Self {
        Self {
            account_id: "SimAcct0Ab1Cd2Ef3Gh4Ij".to_owned(),
            directory,
            start,
            demand: Demand::Steady,
            load: 1.0,
            direct_calls_per_hour: 20.0,
            internal_calls_per_hour: 10.0,
            outgoing_calls_per_hour: 40.0,
            surges_per_hour: 0.0,
            breaks_per_hour: 8.0,
            absences_per_hour: 0.0,
            habits: Habits::default(),
            latency_ms: 60..=350,
            event_ts_lag_ms: 0,
            presence_events: true,
            channel_ids: true,
            history_delay_seconds: 8..=45,
            short_abandon_seconds: 5.0,
            memory_hours: 48,
        }
    }

    /// Every event leaves at the instant of its fact, in order.
    pub fn without_latency(mut self) -> Self {
        self.latency_ms = 0..=0;
        self
    }

    /// Begins earlier by `lead`, for a world that should be in full swing at the old start.
    pub(crate) fn ahead_by(mut self, lead: TimeDelta) -> Self {
        self.start -= lead;
        self
    }
}

const EVENTS_PER_BENCH_CALL: f64 = 16.6;
