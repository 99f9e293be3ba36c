//! A call in progress: who calls, where it is, and which legs it has had.

use chrono::{DateTime, Utc};

use crate::history::Element;

/// Names a call inside the world.
pub(super) type CallKey = u64;

/// The calling side.
#[derive(Debug, Clone)]
pub(super) enum Caller {
    /// Somebody outside the account.
    Outside {
        /// E.164.
        number: String,
        name: Option<String>,
        country: &'static str,
        /// What events show instead of the number, for a caller who withholds it.
        withheld: Option<&'static str>,
    },
    /// A seat of the account, on one of its devices.
    Seat { seat: usize, device: usize },
}

/// What was dialled at first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Dialled {
    Queue(usize),
    Seat(usize),
    Outside { number: String },
}

/// Where the call is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// In the receptionist's menu, or between two places.
    Between,
    /// In the line of a queue; offered only after the greeting.
    Waiting { queue: usize, greeted: bool },
    /// Ringing at one seat that was dialled or got the call by transfer.
    AtSeat { seat: usize },
    /// Dialled to the outside, not answered yet.
    Dialling,
    /// Somebody talks with the caller on this leg; for outside targets there is no leg.
    Talking { leg: Option<usize> },
    /// In a park slot, put there from this seat.
    Parked { by: usize },
    /// Leaving a message, or kept only until a consultation that belongs to it is over.
    Leaving,
}

/// The calling side's own leg, when the caller belongs to the account.
#[derive(Debug, Clone)]
pub(super) struct Dial {
    pub(super) seat: usize,
    pub(super) device: usize,
    pub(super) ringing_start: DateTime<Utc>,
    pub(super) connected: Option<DateTime<Utc>>,
    pub(super) ended: bool,
    pub(super) channel: String,
}

/// The state of one device that was rung.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LegState {
    Ringing,
    Connected,
    Over,
}

/// One device that rings or rang for a call.
#[derive(Debug, Clone)]
pub(super) struct Leg {
    pub(super) seat: usize,
    pub(super) device: usize,
    /// The queue that offered it.
    pub(super) queue: Option<usize>,
    pub(super) round: u32,
    /// The call's segment in which it rang.
    pub(super) segment: u32,
    pub(super) state: LegState,
    pub(super) ringing_start: DateTime<Utc>,
    pub(super) answered: Option<DateTime<Utc>>,
    pub(super) channel: String,
    /// Since when the leg is held.
    pub(super) held_since: Option<DateTime<Utc>>,
    pub(super) hold_seconds: i64,
}

/// A call in progress.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) id: String,
    pub(super) uuid: String,
    pub(super) caller: Caller,
    pub(super) dialled: Dialled,
    pub(super) started: DateTime<Utc>,
    pub(super) receptionist: Option<usize>,
    /// Whether missed events name the receptionist as the caller.
    pub(super) receptionist_as_caller: bool,
    /// Whether losers of a ring are told by `callee_missed` (or else by `callee_ended`).
    pub(super) losers_miss: bool,
    pub(super) stage: Stage,
    /// The queue visit that is going on, waiting or talking.
    pub(super) visit: Option<u64>,
    /// How the call came to the current queue: `incoming`, `overflow`, `direct_transfer`.
    pub(super) arrived_by: &'static str,
    /// When the current stay in a queue or at a seat began.
    pub(super) stay_since: DateTime<Utc>,
    pub(super) dial: Option<Dial>,
    pub(super) legs: Vec<Leg>,
    /// Number of the current or last ring; a step of an older round is stale.
    pub(super) round: u32,
    /// Members who let this caller wait in the current pass through the queue.
    pub(super) tried: Vec<usize>,
    /// No new offer before this instant.
    pub(super) pause_until: DateTime<Utc>,
    pub(super) first_answer: Option<DateTime<Utc>>,
    pub(super) answered_by: Option<usize>,
    pub(super) result: &'static str,
    pub(super) segment: u32,
    pub(super) elements: Vec<Element>,
    /// The held call for whose transfer this call consults somebody.
    pub(super) consults_for: Option<CallKey>,
    /// The call whose history takes this one in.
    pub(super) merged_into: Option<CallKey>,
    /// The consultation going on for this call.
    pub(super) consultation: Option<CallKey>,
}

impl Call {
    /// Whether any device rings now.
    pub(super) fn is_ringing(&self) -> bool {
        self.legs.iter().any(|leg| leg.state == LegState::Ringing)
    }

    /// The indices of the legs that ring now.
    pub(super) fn ringing_legs(&self) -> Vec<usize> {
        (0..self.legs.len()).filter(|&leg| self.legs[leg].state == LegState::Ringing).collect()
    }

    pub(super) fn is_from_outside(&self) -> bool {
        matches!(self.caller, Caller::Outside { .. })
    }
}
