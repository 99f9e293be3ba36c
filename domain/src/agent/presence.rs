//! What people's clients say of them: a hint beside what their phones tell.
//!
//! Told by events and by readings; of all of them the newest counts, and the order in which they
//! arrive makes no difference.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{id::UserId, time::Timestamp};

/// Facts of one person that are kept; more are made by no person.
const MOST_KEPT: usize = 1_000;

/// A person's client said something of them, or was asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PresenceFact {
    /// The person.
    pub user_id: UserId,
    /// When it was so.
    pub at: Timestamp,
    /// When the message about it was sent: orders what was said in the same second.
    pub sent_at: Timestamp,
    /// What was said.
    pub presence: Presence,
    /// Whether it began then.
    pub origin: PresenceOrigin,
}

/// How a presence came to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PresenceOrigin {
    /// Read: it was so then, since whenever.
    Read,
    /// Told when it began.
    Told,
}

/// What a client says of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// There.
    Available,
    /// Has not touched the client for a while.
    Away,
    /// Signed in on a mobile client alone.
    Mobile,
    /// In a meeting.
    InMeeting,
    /// Shows a screen to others.
    Presenting,
    /// On a telephone call.
    OnCall,
    /// The calendar says so.
    InCalendarEvent,
    /// Says to be busy.
    Busy,
    /// Says to be out of office.
    OutOfOffice,
    /// Does not want to be disturbed.
    DoNotDisturb,
    /// Signed out everywhere.
    Offline,
    /// A word this version does not know.
    Other,
}

impl Presence {
    const ALL: [Self; 12] = [
        Self::Available,
        Self::Away,
        Self::Mobile,
        Self::InMeeting,
        Self::Presenting,
        Self::OnCall,
        Self::InCalendarEvent,
        Self::Busy,
        Self::OutOfOffice,
        Self::DoNotDisturb,
        Self::Offline,
        Self::Other,
    ];

    /// The word used in the API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Away => "away",
            Self::Mobile => "mobile",
            Self::InMeeting => "in_meeting",
            Self::Presenting => "presenting",
            Self::OnCall => "on_call",
            Self::InCalendarEvent => "in_calendar_event",
            Self::Busy => "busy",
            Self::OutOfOffice => "out_of_office",
            Self::DoNotDisturb => "do_not_disturb",
            Self::Offline => "offline",
            Self::Other => "other",
        }
    }

    /// The presence of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|presence| presence.word() == word)
    }

    /// What it means for the phones of a queue. They ring whoever is only away or busy.
    pub(crate) const fn bearing(self) -> Bearing {
        match self {
            Self::OnCall => Bearing::OnCall,
            Self::InMeeting | Self::Presenting => Bearing::InMeeting,
            Self::DoNotDisturb => Bearing::DoNotDisturb,
            Self::Offline => Bearing::Offline,
            Self::Available
            | Self::Away
            | Self::Mobile
            | Self::InCalendarEvent
            | Self::Busy
            | Self::OutOfOffice
            | Self::Other => Bearing::Reachable,
        }
    }
}

/// What a presence means for the calls of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bearing {
    Reachable,
    OnCall,
    InMeeting,
    DoNotDisturb,
    Offline,
}

impl Bearing {
    pub(crate) const fn is_on_call(self) -> bool {
        matches!(self, Self::OnCall)
    }
}

/// Everything that was said of one person lately.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct PresenceHistory {
    said: BTreeSet<Said>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Said {
    at: Timestamp,
    sent_at: Timestamp,
    presence: Presence,
    origin: PresenceOrigin,
}

impl Said {
    fn may_be_signed_out(&self) -> bool {
        self.presence == Presence::Away && self.origin == PresenceOrigin::Read
    }
}

/// What holds now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PresenceStanding {
    pub(crate) presence: Presence,
    pub(crate) bearing: Bearing,
    /// Since when it has had the same bearing; `None` when only a reading tells of it.
    pub(crate) since: Option<Timestamp>,
    /// When it was last said.
    pub(crate) told_at: Timestamp,
    /// Away, or signed out: a reading does not tell them apart.
    pub(crate) is_vague: bool,
}

impl PresenceHistory {
    /// False when that was known.
    pub(crate) fn learn(&mut self, fact: &PresenceFact) -> bool {
        let PresenceFact { at, sent_at, presence, origin, .. } = *fact;
        let is_new = self.said.insert(Said { at, sent_at, presence, origin });
        while self.said.len() > MOST_KEPT {
            self.said.pop_first();
        }
        is_new
    }

    /// Forgets what was said before `horizon`, but not what still holds.
    pub(crate) fn forget_before(&mut self, horizon: Timestamp) {
        while self.said.len() > 1 && self.said.first().is_some_and(|said| said.at < horizon) {
            self.said.pop_first();
        }
    }

    pub(crate) fn standing(&self) -> Option<PresenceStanding> {
        let newest = self.said.last()?;
        // A reading has no word for being signed out: it says "away", and takes nothing back.
        let mut said = self.said.iter().rev().skip_while(|said| said.may_be_signed_out()).peekable();
        let was_signed_out = said.peek().is_some_and(|said| said.presence == Presence::Offline);
        let presence = if was_signed_out { Presence::Offline } else { newest.presence };
        let bearing = presence.bearing();
        let same = self.said.iter().rev().take_while(|said| {
            said.presence.bearing() == bearing || was_signed_out && said.may_be_signed_out()
        });
        // What a reading found began before it, nobody knows when.
        let since = same.last().filter(|first| first.origin == PresenceOrigin::Told).map(|first| first.at);
        let is_vague = newest.may_be_signed_out() && !was_signed_out;
        Some(PresenceStanding { presence, bearing, since, told_at: newest.at, is_vague })
    }
}
