//! The people who take calls of queues: what each of them does now, and since when.
//!
//! Nobody tells an agent's state. It is worked out from what the board knows anyway: the phones of
//! calls, what people's clients say of them ([`presence`]), whether they take calls of a queue, and
//! how long a queue leaves them alone after a call. Like a call's, it is a function of the whole set
//! of facts: their order makes no difference.
//!
//! After a time in which events may have been missed an agent is [`AgentState::Unknown`] until
//! something is heard of them again: unknown never looks like free.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    id::QueueId,
    quality::Quality,
    time::Timestamp,
    trust::{LONG_CALL, Trust},
};

pub mod presence;

pub mod offer;

pub(crate) mod part;

pub mod view;

use part::{Activity, Doing};
use presence::{Bearing, Presence, PresenceHistory, PresenceStanding};

/// The closed set of what an agent does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentState {
    /// Takes calls of a queue, and does nothing that keeps them from it.
    Available,
    /// A phone of theirs rings, and they are on no call.
    Ringing,
    /// Talks to a caller whom a queue offered.
    OnQueueCall,
    /// Talks to anybody else, dials, or is in a meeting.
    OnOtherCall,
    /// Every call of theirs is on hold, by them.
    OnHold,
    /// The queue leaves them alone for a while after its call.
    WrapUp,
    /// Takes no calls of any queue.
    OptedOut,
    /// Does not want to be disturbed; no phone of theirs rings.
    DoNotDisturb,
    /// Signed out everywhere.
    Offline,
    /// Cannot be known now.
    Unknown,
}

impl AgentState {
    /// All of them, from who can help to who cannot.
    pub const ALL: [Self; 10] = [
        Self::Available,
        Self::Ringing,
        Self::OnQueueCall,
        Self::OnOtherCall,
        Self::OnHold,
        Self::WrapUp,
        Self::OptedOut,
        Self::DoNotDisturb,
        Self::Offline,
        Self::Unknown,
    ];

    /// The word used in the API and in style sheets.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Ringing => "ringing",
            Self::OnQueueCall => "on_queue_call",
            Self::OnOtherCall => "on_other_call",
            Self::OnHold => "on_hold",
            Self::WrapUp => "wrap_up",
            Self::OptedOut => "opted_out",
            Self::DoNotDisturb => "do_not_disturb",
            Self::Offline => "offline",
            Self::Unknown => "unknown",
        }
    }

    /// The state of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// On a call of any kind, held or not.
    pub const fn is_on_call(self) -> bool {
        matches!(self, Self::OnQueueCall | Self::OnOtherCall | Self::OnHold)
    }

    /// Could take the next call: a phone that only rings does not make its owner busy.
    pub const fn is_free(self) -> bool {
        matches!(self, Self::Available | Self::Ringing)
    }
}

/// What an agent does, since when, and how sure that is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The state.
    pub state: AgentState,
    /// Since when, where that is known.
    pub since: Option<Timestamp>,
    /// When it ends by itself: the end of wrap-up.
    pub until: Option<Timestamp>,
    /// The queue of the call, or of the call before wrap-up.
    pub queue_id: Option<QueueId>,
    /// How sure the state is.
    pub quality: Quality,
}

impl Standing {
    fn of(state: AgentState, since: Option<Timestamp>, quality: Quality) -> Self {
        Self { state, since, until: None, queue_id: None, quality }
    }
}

/// What was heard of agents before this is doubted: events may have been missed since, and calls may last
/// as long. `None` when everything is believed, the end of time while nothing is.
pub fn doubted_before(now: Timestamp, trust: &Trust) -> Option<Timestamp> {
    if trust.gap.is_some_and(|gap| gap.to.is_none()) {
        return Some(Timestamp::from_millis(i64::MAX));
    }
    trust.deaf_until.filter(|until| now.since(*until) < LONG_CALL)
}

/// Everything that says what one agent does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Evidence<'a> {
    /// What they do in each of their calls.
    pub(crate) doing: &'a [Doing],
    /// When their newest ring or conversation was over.
    pub(crate) last_end: Option<Timestamp>,
    /// When their newest conversation of any kind was over.
    pub(crate) last_talk_end: Option<Timestamp>,
    /// The end of their newest conversation for a queue, the queue, and its wrap-up.
    pub(crate) last_queue_talk: Option<(Timestamp, &'a QueueId, Duration)>,
    /// What their clients say.
    pub(crate) presence: Option<&'a PresenceHistory>,
    /// At least one queue rings them.
    pub(crate) takes_calls: bool,
}

/// Times of events are whole seconds, those of gaps are not.
const SECOND: Duration = Duration::from_secs(1);

impl Evidence<'_> {
    /// What the evidence amounts to at `now`, when what was last heard before `doubted_before` may be
    /// so no more.
    pub(crate) fn standing(&self, now: Timestamp, doubted_before: Option<Timestamp>) -> Standing {
        let is_doubted = |at: Timestamp| doubted_before.is_some_and(|before| at + SECOND <= before);
        let told = self.presence.and_then(PresenceHistory::standing);
        let presence = told.filter(|presence| !is_doubted(presence.told_at));
        let says_on_call = presence.as_ref().is_some_and(|presence| presence.bearing.is_on_call());
        let is_vouched_for =
            |doing: &&Doing| !is_doubted(doing.heard_at) || says_on_call && doing.activity != Activity::Rings;

        let call = self.doing.iter().filter(is_vouched_for).max_by_key(|doing| doing.rank());
        // The word that a call is over comes a moment after its end.
        let talks_elsewhere = presence.as_ref().is_some_and(|presence| match presence.bearing {
            Bearing::InMeeting => true,
            Bearing::OnCall => self.last_talk_end.is_none_or(|ended_at| ended_at < presence.told_at),
            Bearing::Reachable | Bearing::DoNotDisturb | Bearing::Offline => false,
        });
        match call {
            Some(call) if call.activity != Activity::Rings || !talks_elsewhere => {
                // Of who holds or is rung it is not sure that they do nothing else: see below.
                let is_sure = !is_doubted(call.heard_at)
                    && (doubted_before.is_none() || call.activity == Activity::Talks);
                let quality = if is_sure { Quality::Live } else { Quality::Inferred };
                let standing = Standing::of(call.state(), Some(call.since), quality);
                return Standing { queue_id: call.queue_id.clone(), ..standing };
            }
            _ if talks_elsewhere => {
                let since = presence.and_then(|presence| presence.since);
                return Standing::of(AgentState::OnOtherCall, since, Quality::Inferred);
            }
            _ => {}
        }
        let is_heard_of = self.last_end.is_some_and(|at| !is_doubted(at));
        if doubted_before.is_some() && presence.is_none() && !is_heard_of {
            let since = doubted_before.filter(|before| *before <= now);
            return Standing::of(AgentState::Unknown, since, Quality::Unknown);
        }
        // A call that began while nobody listened may go on, as in the queues' numbers.
        let is_told =
            doubted_before.is_none() && presence.as_ref().is_some_and(|presence| !presence.is_vague);
        let quality = if is_told { Quality::Live } else { Quality::Inferred };
        self.at_rest(now, presence.as_ref(), quality)
    }

    /// What they do when no phone tells of a call.
    fn at_rest(&self, now: Timestamp, presence: Option<&PresenceStanding>, quality: Quality) -> Standing {
        let since = presence.and_then(|presence| presence.since);
        match presence.map(|presence| presence.bearing) {
            Some(Bearing::Offline) => return Standing::of(AgentState::Offline, since, quality),
            Some(Bearing::DoNotDisturb) => return Standing::of(AgentState::DoNotDisturb, since, quality),
            _ => {}
        }
        let mut free_since = self.last_end;
        if let Some((ended_at, queue_id, wrap_up)) = self.last_queue_talk {
            let until = ended_at + wrap_up;
            if now < until {
                let standing = Standing::of(AgentState::WrapUp, Some(ended_at), Quality::Inferred);
                return Standing { until: Some(until), queue_id: Some(queue_id.clone()), ..standing };
            }
            free_since = free_since.max(Some(until));
        }
        if !self.takes_calls {
            return Standing::of(AgentState::OptedOut, None, quality);
        }
        let is_reachable = presence.is_some_and(|presence| presence.bearing == Bearing::Reachable);
        let free_since = free_since.max(since.filter(|_| is_reachable));
        // When a call ended of which nothing was heard since events may have been missed, nobody knows.
        let free_since = free_since.filter(|since| self.doing.iter().all(|doing| doing.heard_at <= *since));
        Standing::of(AgentState::Available, free_since, quality)
    }

    /// What their client says, unless it said so before something may have been missed.
    pub(crate) fn believed_presence(&self, doubted_before: Option<Timestamp>) -> Option<Presence> {
        let told = self.presence.and_then(PresenceHistory::standing);
        told.filter(|it| doubted_before.is_none_or(|before| it.told_at + SECOND > before))
            .map(|it| it.presence)
    }

    /// When the standing next changes without news, should it be wrap-up.
    pub(crate) fn wraps_up_until(&self, now: Timestamp) -> Option<Timestamp> {
        let (ended_at, _, wrap_up) = self.last_queue_talk?;
        Some(ended_at + wrap_up).filter(|until| *until > now)
    }
}
