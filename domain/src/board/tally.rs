//! Running sums of one queue: what its visits add up to, now and since midnight.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    outcome::Outcome,
    queue::{Visit, VisitPhase},
    service_level::{ServiceLevel, ServiceLevels},
    time::Timestamp,
    view::Figures,
};

/// Running sums of one queue.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) waiting: BTreeMap<Timestamp, u32>,
    /// Those of the waiting of whom something was heard since the newest gap.
    pub(super) heard_waiting: BTreeMap<Timestamp, u32>,
    pub(super) beyond_threshold: u32,
    pub(super) ringing: u32,
    pub(super) talking: u32,
    pub(super) on_hold: u32,
    /// Of the waiting, talking and held, those of whom nothing was heard since a gap.
    pub(super) unconfirmed: u32,
    pub(super) today: Today,
}

/// What a visit adds to the counts since midnight.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Today {
    pub(super) offered: u32,
    pub(super) answered: u32,
    pub(super) abandoned: u32,
    pub(super) short_abandoned: u32,
    /// Of the offered, those that the record tells of.
    pub(super) measured: u32,
    /// By the definition that was promised, and by all.
    pub(super) service_level: ServiceLevel,
    pub(super) service_levels: ServiceLevels,
    /// By outcome, in the order of [`Outcome::ALL`].
    pub(super) outcomes: [u32; Outcome::ALL.len()],
}

impl Today {
    pub(super) fn of(visit: &Visit) -> Self {
        Self {
            offered: 1,
            answered: u32::from(visit.outcome == Outcome::Answered),
            abandoned: u32::from(visit.outcome == Outcome::Abandoned),
            short_abandoned: u32::from(visit.outcome == Outcome::ShortAbandoned),
            measured: u32::from(visit.measured),
            service_level: visit.service_level(),
            service_levels: visit.service_levels,
            outcomes: Outcome::ALL.map(|outcome| u32::from(outcome == visit.outcome)),
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.offered += other.offered;
        self.answered += other.answered;
        self.abandoned += other.abandoned;
        self.short_abandoned += other.short_abandoned;
        self.measured += other.measured;
        self.service_level = self.service_level.plus(other.service_level);
        self.service_levels.add(&other.service_levels);
        for (count, more) in self.outcomes.iter_mut().zip(other.outcomes) {
            *count += more;
        }
    }

    /// Takes out what [`Today::add`] put in.
    pub(super) fn take_out(&mut self, other: &Self) {
        self.offered -= other.offered;
        self.answered -= other.answered;
        self.abandoned -= other.abandoned;
        self.short_abandoned -= other.short_abandoned;
        self.measured -= other.measured;
        self.service_level.met -= other.service_level.met;
        self.service_level.decided -= other.service_level.decided;
        self.service_levels.take_out(&other.service_levels);
        for (count, less) in self.outcomes.iter_mut().zip(other.outcomes) {
            *count -= less;
        }
    }
}

impl Tally {
    pub(super) fn put_in(&mut self, visit: &Visit, midnight: Timestamp) {
        match visit.phase {
            VisitPhase::Ringing | VisitPhase::BetweenRings => {
                put(&mut self.waiting, visit.entered_at);
                if !visit.unconfirmed {
                    put(&mut self.heard_waiting, visit.entered_at);
                }
                self.ringing += u32::from(visit.phase == VisitPhase::Ringing);
                self.beyond_threshold += u32::from(visit.beyond_threshold);
            }
            VisitPhase::Talking => self.talking += 1,
            VisitPhase::OnHold => self.on_hold += 1,
            VisitPhase::Over => {}
        }
        self.unconfirmed += u32::from(visit.unconfirmed && visit.phase != VisitPhase::Over);
        if visit.entered_at >= midnight {
            self.today.add(&Today::of(visit));
        }
    }

    pub(super) fn take_out(&mut self, visit: &Visit, midnight: Timestamp) {
        match visit.phase {
            VisitPhase::Ringing | VisitPhase::BetweenRings => {
                take(&mut self.waiting, visit.entered_at);
                if !visit.unconfirmed {
                    take(&mut self.heard_waiting, visit.entered_at);
                }
                self.ringing -= u32::from(visit.phase == VisitPhase::Ringing);
                self.beyond_threshold -= u32::from(visit.beyond_threshold);
            }
            VisitPhase::Talking => self.talking -= 1,
            VisitPhase::OnHold => self.on_hold -= 1,
            VisitPhase::Over => {}
        }
        self.unconfirmed -= u32::from(visit.unconfirmed && visit.phase != VisitPhase::Over);
        if visit.entered_at >= midnight {
            self.today.take_out(&Today::of(visit));
        }
    }

    pub(super) fn figures(&self) -> Figures {
        let heard_waiting_since = self.heard_waiting.keys().next().copied();
        Figures {
            waiting: self.waiting.values().sum(),
            oldest_waiting_since: self.waiting.keys().next().copied(),
            heard_waiting_since: heard_waiting_since.filter(|_| self.unconfirmed > 0),
            ringing: self.ringing,
            talking: self.talking,
            on_hold: self.on_hold,
            unconfirmed: self.unconfirmed,
            offered_today: self.today.offered,
            measured_today: self.today.measured,
            answered_today: self.today.answered,
            abandoned_today: self.today.abandoned,
            short_abandoned_today: self.today.short_abandoned,
            service_level_today: self.today.service_level,
        }
    }
}

fn put(waiting: &mut BTreeMap<Timestamp, u32>, entered_at: Timestamp) {
    *waiting.entry(entered_at).or_default() += 1;
}

/// Takes out what [`put`] put in.
fn take(waiting: &mut BTreeMap<Timestamp, u32>, entered_at: Timestamp) {
    let Some(count) = waiting.get_mut(&entered_at) else { return };
    *count -= 1;
    if *count == 0 {
        waiting.remove(&entered_at);
    }
}

impl Figures {
    /// Both together: counts add up, the oldest wait is the earlier one.
    pub fn plus(self, other: Self) -> Self {
        let oldest = [self.oldest_waiting_since, other.oldest_waiting_since];
        let heard = [self.surely_waiting_since(), other.surely_waiting_since()];
        let unconfirmed = self.unconfirmed + other.unconfirmed;
        Self {
            waiting: self.waiting + other.waiting,
            oldest_waiting_since: oldest.into_iter().flatten().min(),
            heard_waiting_since: heard.into_iter().flatten().min().filter(|_| unconfirmed > 0),
            ringing: self.ringing + other.ringing,
            talking: self.talking + other.talking,
            on_hold: self.on_hold + other.on_hold,
            unconfirmed,
            offered_today: self.offered_today + other.offered_today,
            measured_today: self.measured_today + other.measured_today,
            answered_today: self.answered_today + other.answered_today,
            abandoned_today: self.abandoned_today + other.abandoned_today,
            short_abandoned_today: self.short_abandoned_today + other.short_abandoned_today,
            service_level_today: self.service_level_today.plus(other.service_level_today),
        }
    }
}
