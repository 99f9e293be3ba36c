//! The way of an event from the pretend Zoom to the board: losses, repetitions, delays, outages.
//!
//! Seeded: the same seed does the same to the same events. Remembers which calls it harmed.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use rand::{RngExt as _, SeedableRng, rngs::StdRng};
use zoom_sim::EmittedEvent;

/// How bad the line is. Shares are 0–1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Faults {
    /// Events that never arrive.
    pub lost: f64,
    /// Events that arrive twice.
    pub repeated: f64,
    /// Events that arrive late, so that others overtake them.
    pub delayed: f64,
    /// The longest delay.
    pub longest_delay: TimeDelta,
    /// Times a day at which the feed is down.
    pub outages_a_day: f64,
    /// The longest of these.
    pub longest_outage: TimeDelta,
}

impl Faults {
    /// A perfect line.
    pub const NONE: Self = Self {
        lost: 0.0,
        repeated: 0.0,
        delayed: 0.0,
        longest_delay: TimeDelta::zero(),
        outages_a_day: 0.0,
        longest_outage: TimeDelta::zero(),
    };

    /// Worse than any account sees: one event in two hundred is lost, two outages a day.
    pub const BAD: Self = Self {
        lost: 0.005,
        repeated: 0.03,
        delayed: 0.05,
        longest_delay: TimeDelta::seconds(40),
        outages_a_day: 2.0,
        longest_outage: TimeDelta::minutes(15),
    };
}

/// How long the board may still believe what lost news would have corrected: the longest time-out
/// of the rules (`domain::call::LOST_CALL_AFTER`), and a little.
const LASTING: TimeDelta = TimeDelta::minutes(4 * 60 + 10);
/// After an event has come at last nothing of its delay is left but what is worked out again at once.
const ARRIVED: TimeDelta = TimeDelta::seconds(2);

/// An event as it comes out of the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// When.
    pub at: DateTime<Utc>,
    /// Its text.
    pub json: String,
}

/// The line.
#[derive(Debug)]
pub struct Line {
    faults: Faults,
    dice: StdRng,
    on_the_way: BTreeMap<(DateTime<Utc>, u64), String>,
    sent: u64,
    /// When the feed is down: from, to.
    outage: Option<(DateTime<Utc>, DateTime<Utc>)>,
    next_outage: DateTime<Utc>,
    /// Calls whose events were harmed, and until when that may show.
    harmed: HashMap<String, DateTime<Utc>>,
    /// What happened to how many events.
    pub counts: Counts,
}

/// What happened to how many events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Sent by the pretend Zoom.
    pub sent: u64,
    /// Lost one by one.
    pub lost: u64,
    /// Lost in outages.
    pub lost_in_outages: u64,
    /// Sent twice.
    pub repeated: u64,
    /// Held back.
    pub delayed: u64,
    /// Outages.
    pub outages: u64,
}

impl Line {
    /// A line that begins to work at `start`.
    pub fn new(faults: Faults, seed: u64, start: DateTime<Utc>) -> Self {
        let mut line = Self {
            faults,
            dice: StdRng::seed_from_u64(seed),
            on_the_way: BTreeMap::new(),
            sent: 0,
            outage: None,
            next_outage: start,
            harmed: HashMap::new(),
            counts: Counts::default(),
        };
        line.next_outage = line.draw_outage(start);
        line
    }

    fn draw_outage(&mut self, after: DateTime<Utc>) -> DateTime<Utc> {
        if self.faults.outages_a_day <= 0.0 {
            return DateTime::<Utc>::MAX_UTC;
        }
        let mean = 86_400.0 / self.faults.outages_a_day;
        after + TimeDelta::seconds(self.dice.random_range(mean * 0.3..mean * 1.7) as i64)
    }

    /// The outage at `now`, begun or ended by the passing of time.
    pub fn outage(&mut self, now: DateTime<Utc>) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        if now >= self.next_outage {
            let longest = self.faults.longest_outage.num_seconds().max(31);
            let length = TimeDelta::seconds(self.dice.random_range(30..longest));
            self.outage = Some((self.next_outage, self.next_outage + length));
            self.counts.outages += 1;
            self.next_outage = self.draw_outage(now + length);
        }
        self.outage.filter(|(_, to)| now < *to)
    }

    /// Takes an event in.
    pub fn send(&mut self, event: &EmittedEvent) {
        self.counts.sent += 1;
        let call_id = call_id(&event.json);
        let in_outage = self.outage(event.at).is_some();
        if in_outage || self.dice.random_bool(self.faults.lost) {
            *(if in_outage { &mut self.counts.lost_in_outages } else { &mut self.counts.lost }) += 1;
            self.harm(call_id, event.at + LASTING);
            return;
        }
        let mut at = event.at;
        if self.dice.random_bool(self.faults.delayed) {
            let longest = self.faults.longest_delay.num_milliseconds().max(2);
            at += TimeDelta::milliseconds(self.dice.random_range(1..longest));
            self.counts.delayed += 1;
            self.harm(call_id, at + ARRIVED);
        } else if let Some(id) = call_id.filter(|id| self.harmed.contains_key(id)) {
            // A call that was harmed stays so until its last event can have had its effect.
            let until = self.harmed[&id];
            if until > event.at + ARRIVED {
                self.harm(Some(id), event.at + LASTING);
            }
        }
        let copies = 1 + u64::from(self.dice.random_bool(self.faults.repeated));
        self.counts.repeated += copies - 1;
        for copy in 0..copies {
            self.sent += 1;
            let later = TimeDelta::milliseconds(i64::try_from(copy).unwrap_or(0) * 700);
            self.on_the_way.insert((at + later, self.sent), event.json.clone());
        }
    }

    fn harm(&mut self, call_id: Option<String>, until: DateTime<Utc>) {
        if let Some(id) = call_id {
            let known = self.harmed.entry(id).or_insert(until);
            *known = until.max(*known);
        }
    }

    /// What comes out until `now`, in the order of arrival. What would arrive in an outage is lost.
    pub fn receive(&mut self, now: DateTime<Utc>) -> Vec<Arrival> {
        let rest = self.on_the_way.split_off(&(now + TimeDelta::milliseconds(1), 0));
        let arrived = std::mem::replace(&mut self.on_the_way, rest);
        let mut arrivals = Vec::with_capacity(arrived.len());
        for ((at, _), json) in arrived {
            if self.outage.is_some_and(|(from, to)| (from..to).contains(&at)) {
                self.counts.lost_in_outages += 1;
                self.harm(call_id(&json), at + LASTING);
            } else {
                arrivals.push(Arrival { at, json });
            }
        }
        arrivals
    }

    /// Forgets harm that is over.
    pub fn heal(&mut self, now: DateTime<Utc>) {
        self.harmed.retain(|_, until| *until > now);
    }

    /// Calls about which the board cannot know better at `now`.
    pub fn harmed(&self, now: DateTime<Utc>) -> impl Iterator<Item = &str> {
        self.harmed.iter().filter(move |(_, until)| **until > now).map(|(id, _)| id.as_str())
    }

    /// Something is on its way.
    pub fn is_busy(&self) -> bool {
        !self.on_the_way.is_empty()
    }
}

/// The call an event is about, read without our own reader.
fn call_id(json: &str) -> Option<String> {
    let event: serde_json::Value = serde_json::from_str(json).ok()?;
    let call_id = &event["payload"]["object"]["call_id"];
    call_id.as_str().map(str::to_owned).or_else(|| call_id.as_u64().map(|id| id.to_string()))
}
