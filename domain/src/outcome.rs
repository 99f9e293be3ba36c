//! How a queue visit ends: exactly one outcome per visit, from a closed set.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{fact::StayEnd, service_level::ServiceLevelPolicy};

/// Why a queue sent a caller elsewhere. Live messages do not tell; the record does, as far as what it says
/// and what the queue lets callers wait leave one answer only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum OverflowReason {
    /// The caller had waited for as long as the queue lets anybody wait.
    MaxWait,
    /// As many callers as the queue takes were waiting already.
    Full,
    /// Nobody was there to take calls.
    NoAgent,
}

impl OverflowReason {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::MaxWait, Self::Full, Self::NoAgent];

    /// The word in the database and the API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::MaxWait => "overflow_maxwait",
            Self::Full => "overflow_full",
            Self::NoAgent => "overflow_no_agent",
        }
    }

    /// What a person reads.
    pub const fn words(self) -> &'static str {
        match self {
            Self::MaxWait => "longest wait reached",
            Self::Full => "queue full",
            Self::NoAgent => "no agent there",
        }
    }

    /// Reads [`OverflowReason::word`].
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.word() == word)
    }

    /// The reason after such a wait: what the record `told` by itself, held against the longest wait of the
    /// queue, where that is known.
    pub(crate) fn after(told: Option<Self>, wait: Duration, max_wait: Option<Duration>) -> Option<Self> {
        match (told, max_wait.map(|longest| wait + NEARLY >= longest)) {
            (_, Some(true)) => Some(Self::MaxWait),
            // Phones rang, and the queue gave up before its time: nothing says why.
            (Some(Self::MaxWait), Some(false)) => None,
            (told, _) => told,
        }
    }
}

/// Waits come in whole seconds, rounded by two clocks.
const NEARLY: Duration = Duration::from_secs(2);

/// The outcome of one queue visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Not finished.
    Waiting,
    /// Somebody took the call.
    Answered,
    /// The caller left.
    Abandoned,
    /// The caller left within the queue's short time.
    ShortAbandoned,
    /// The call went on to another queue or person before an answer; live events do not say
    /// whether because of the wait, the length of the queue, or for want of members.
    Overflowed,
    /// The call went to a mailbox.
    Voicemail,
    /// A person or rule sent the call elsewhere before an answer.
    TransferredOut,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Waiting,
        Self::Answered,
        Self::Abandoned,
        Self::ShortAbandoned,
        Self::Overflowed,
        Self::Voicemail,
        Self::TransferredOut,
    ];

    /// The word in the database and the API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Answered => "answered",
            Self::Abandoned => "abandoned",
            Self::ShortAbandoned => "short_abandoned",
            Self::Overflowed => "overflowed",
            Self::Voicemail => "voicemail",
            Self::TransferredOut => "transferred_out",
        }
    }

    /// What a person reads.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Waiting => "still waiting",
            Self::Answered => "answered",
            Self::Abandoned => "abandoned",
            Self::ShortAbandoned => "short abandon",
            Self::Overflowed => "flow-out: overflow",
            Self::Voicemail => "flow-out: voicemail",
            Self::TransferredOut => "flow-out: transferred by a person",
        }
    }

    /// Reads [`Outcome::word`].
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.word() == word)
    }

    /// The outcome by the record, of a wait of this length; `live` is what live messages said, where
    /// they did.
    pub(crate) fn of_record(
        end: StayEnd,
        wait: Duration,
        live: Option<Self>,
        policy: ServiceLevelPolicy,
    ) -> Self {
        match (end, live) {
            (StayEnd::Answered, _) => Self::Answered,
            (StayEnd::Abandoned, _) if wait <= policy.short_abandon() => Self::ShortAbandoned,
            (StayEnd::Abandoned, _) => Self::Abandoned,
            // "Overflowed" says that the call went on, live messages may know where to.
            (StayEnd::Overflowed, Some(known @ (Self::Voicemail | Self::TransferredOut))) => known,
            (StayEnd::Overflowed, _) => Self::Overflowed,
            (StayEnd::Voicemail, _) => Self::Voicemail,
        }
    }
}
