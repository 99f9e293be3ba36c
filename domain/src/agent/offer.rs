//! Ring-no-answer: how often a queue offered a call to somebody, and what came of it.
//!
//! An offer is one ringing of one person on behalf of one queue, on however many phones. A call that
//! somebody else takes while it rings is nobody's miss: with simultaneous ringing every other member
//! would miss it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    call::{CallState, Leg},
    fact::{HangUp, Side},
    time::Timestamp,
};

/// Clocks have whole seconds: phones that lose a race stop up to this long after the answer.
const RACE: Duration = Duration::from_secs(2);

/// What came of the offers to one person today.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OfferCounts {
    /// Times a queue rang them.
    pub offered: u32,
    /// Of these, answered by them.
    pub answered: u32,
    /// Of these, rung out while nobody took the call.
    pub missed: u32,
    /// Of these, declined.
    pub declined: u32,
}

impl OfferCounts {
    pub(crate) fn add(&mut self, other: Self) {
        self.offered += other.offered;
        self.answered += other.answered;
        self.missed += other.missed;
        self.declined += other.declined;
    }

    pub(crate) fn take_out(&mut self, other: Self) {
        self.offered -= other.offered;
        self.answered -= other.answered;
        self.missed -= other.missed;
        self.declined -= other.declined;
    }

    /// Of these offers.
    pub(crate) fn of<'a>(offers: impl Iterator<Item = &'a Offer>) -> Self {
        let mut counts = Self::default();
        for offer in offers {
            counts.offered += 1;
            match offer.end {
                OfferEnd::Answered => counts.answered += 1,
                OfferEnd::Missed => counts.missed += 1,
                OfferEnd::Declined => counts.declined += 1,
                OfferEnd::Open | OfferEnd::Otherwise => {}
            }
        }
        counts
    }
}

/// A queue rang one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offer {
    /// When their first phone rang.
    pub(crate) at: Timestamp,
    pub(crate) end: OfferEnd,
}

/// What came of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OfferEnd {
    /// Rings.
    Open,
    Answered,
    /// Rang out, and nobody took the call meanwhile.
    Missed,
    Declined,
    /// Somebody else took the call, the caller left, the phone was busy, or nobody told.
    Otherwise,
}

/// The offers among the phones of one person in one call, in the order they began. Phones that ring
/// together for one queue are one offer. `legs`: those called for queues.
pub(crate) fn offers(call: &CallState, legs: &[&Leg]) -> Vec<Offer> {
    let mut offers = Vec::with_capacity(usize::from(!legs.is_empty()));
    let mut rest = legs;
    while !rest.is_empty() {
        let belongs = |count: usize| goes_on(&rest[..count], rest[count]);
        let count = (1..rest.len()).find(|&count| !belongs(count)).unwrap_or(rest.len());
        let (round, later) = rest.split_at(count);
        offers.push(Offer { at: round[0].rang_at, end: end(call, round) });
        rest = later;
    }
    offers
}

/// A round goes on with another phone that rings for the same queue while one of it still does.
fn goes_on(round: &[&Leg], leg: &Leg) -> bool {
    let is_together = |other: &&Leg| {
        other.rang_at == leg.rang_at || other.ended_at.is_none_or(|ended_at| leg.rang_at < ended_at)
    };
    round.iter().any(|other| other.offered_by == leg.offered_by) && round.iter().any(is_together)
}

fn end(call: &CallState, round: &[&Leg]) -> OfferEnd {
    let hung_up = |why: &HangUp| round.iter().any(|leg| leg.hang_up.as_ref() == Some(why));
    if round.iter().any(|leg| leg.answered_at.is_some()) {
        OfferEnd::Answered
    } else if round.iter().any(|leg| leg.ended_at.is_none()) {
        OfferEnd::Open
    } else if hung_up(&HangUp::AnsweredElsewhere) || round.iter().any(|leg| was_taken_by_another(call, leg)) {
        OfferEnd::Otherwise
    } else if hung_up(&HangUp::Rejected) {
        OfferEnd::Declined
    } else if hung_up(&HangUp::CallerGaveUp) {
        OfferEnd::Otherwise
    } else if hung_up(&HangUp::NoAnswer) {
        OfferEnd::Missed
    } else {
        // Nobody is blamed for what nobody told.
        OfferEnd::Otherwise
    }
}

/// Another phone rang at the same time and was picked up.
fn was_taken_by_another(call: &CallState, leg: &Leg) -> bool {
    let Some(ended_at) = leg.ended_at else { return false };
    call.legs.iter().any(|other| {
        other.side == Side::Callee
            && (other.rang_at < ended_at || other.rang_at == leg.rang_at)
            && other.answered_at.is_some_and(|at| at >= leg.rang_at && at <= ended_at + RACE)
    })
}
