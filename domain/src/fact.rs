//! What can happen to a call, in the past tense, free of any vendor's names.
//!
//! A [`Fact`] is immutable and self-contained. The same fact told twice is one fact; facts may be
//! told in any order. Who turns events and records into facts: `server/src/zoom`, `translate` and `record`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    id::{CallId, ChannelId, DeviceId, ExtensionId, RecordId, UserId},
    outcome::OverflowReason,
    time::Timestamp,
};

/// One thing that happened to one call.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fact {
    /// The call it happened to.
    pub call_id: CallId,
    /// When it happened, by the clock of whoever saw it (whole seconds for Zoom).
    pub at: Timestamp,
    /// What happened. In a box, because facts are moved about in batches and kept in sets.
    pub what: Box<What>,
}

impl Fact {
    /// `what` happened to a call at `at`.
    pub fn new(call_id: CallId, at: Timestamp, what: What) -> Self {
        Self { call_id, at, what: Box::new(what) }
    }

    /// The latest time it tells of.
    pub fn latest_time(&self) -> Timestamp {
        let of_leg = |leg: &LegFact| self.at.max(leg.rang_at).max(leg.answered_at.unwrap_or(self.at));
        self.what.leg().map_or(self.at, of_leg)
    }

    /// How many things it tells: a record may hold many.
    pub fn weight(&self) -> usize {
        match &*self.what {
            What::Recorded(record) => record.weight().max(1),
            _ => 1,
        }
    }
}

/// The closed list of what can happen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum What {
    /// A phone of `leg` began to ring (or, on the caller's side, to hear ringing).
    Rang(LegFact),
    /// `leg` was picked up (caller's side: got connected).
    Answered(LegFact),
    /// `leg` was declined by the person.
    Rejected(LegFact),
    /// `leg` stopped ringing without having been picked up.
    Missed(LegFact),
    /// `leg` is over; whether it was ever answered is in [`LegFact::answered_at`].
    Ended(LegFact),
    /// One side put the call on hold.
    Held(SideFact),
    /// One side took the call off hold.
    Resumed(SideFact),
    /// One side muted itself.
    Muted(SideFact),
    /// One side unmuted itself.
    Unmuted(SideFact),
    /// The called side parked the call; `code` is the slot it waits in. A failed park is not a fact.
    Parked {
        /// Who parked it.
        by: SideFact,
        /// The slot.
        code: String,
    },
    /// One side moved the conversation to a meeting; the phone legs end soon after.
    MovedToMeeting(SideFact),
    /// A transfer without consultation was started.
    BlindTransferStarted(TransferFact),
    /// A transfer with consultation was started.
    WarmTransferStarted {
        /// Who transfers, and where to.
        transfer: TransferFact,
        /// The consultation call, the only link between the two.
        consult: Option<CallId>,
    },
    /// The consulted party took the call.
    WarmTransferCompleted(TransferFact),
    /// The transferor took the call back.
    WarmTransferCancelled(TransferFact),
    /// The call is being sent to a mailbox by a person.
    SentToVoicemail(TransferFact),
    /// The far side of a transferred call changed.
    RecipientChanged(TransferFact),
    /// The call became a conference.
    ConferenceStarted(TransferFact),
    /// An emergency number was dialled.
    EmergencyDialled,
    /// The caller left a message.
    VoicemailLeft,
    /// What was written down of the call afterwards.
    Recorded(Record),
}

impl What {
    /// The leg it is about, when it is about the life of one.
    pub const fn leg(&self) -> Option<&LegFact> {
        match self {
            Self::Rang(leg)
            | Self::Answered(leg)
            | Self::Rejected(leg)
            | Self::Missed(leg)
            | Self::Ended(leg) => Some(leg),
            _ => None,
        }
    }
}

/// What was written down of a call, or of one person's part in it, when that was over.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Record {
    /// Which record; `None` for what has no name of its own. A record is revised, and what it calls a
    /// queue changes: of two readings of one record only the later counts.
    pub id: Option<RecordId>,
    /// When it was read.
    pub read_at: Timestamp,
    /// The conversations in it.
    pub talks: Vec<RecordedTalk>,
    /// The stays in queues.
    pub stays: Vec<RecordedStay>,
    /// When the call was over for everybody; `None` where only a part of it is told.
    pub ended_at: Option<Timestamp>,
}

impl Record {
    /// It is about a call as a whole, not about one person's part in it.
    pub fn is_whole(&self) -> bool {
        self.id.is_some() || !self.stays.is_empty()
    }

    /// How many conversations and stays are in it.
    pub fn weight(&self) -> usize {
        self.talks.len() + self.stays.len()
    }
}

/// A stay in a queue as the record has it: the only thing that tells when a caller really entered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecordedStay {
    /// The queue.
    pub queue: Party,
    /// The account of the queue, when that is not the one this board is about.
    pub account: Option<String>,
    /// When the caller entered.
    pub entered_at: Timestamp,
    /// When the wait was over.
    pub left_at: Timestamp,
    /// How it was over.
    pub end: StayEnd,
    /// Why it overflowed, if it did, as far as the record by itself tells.
    pub overflow: Option<OverflowReason>,
}

/// How a wait in a queue ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum StayEnd {
    /// Somebody took the call.
    Answered,
    /// The caller left.
    Abandoned,
    /// The call went on elsewhere.
    Overflowed,
    /// The call went to a mailbox.
    Voicemail,
}

/// A conversation as the record has it, told when it was over.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecordedTalk {
    /// The side the person was on.
    pub side: Side,
    /// Who talked.
    pub party: Arc<Party>,
    /// The queue that had offered the call to them.
    pub offered_by: Option<Arc<Station>>,
    /// When their phone began to ring.
    pub rang_at: Timestamp,
    /// When they picked up.
    pub answered_at: Timestamp,
    /// When their part was over.
    pub ended_at: Timestamp,
}

/// Which end of a call an observation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Side {
    /// The end that dialled, when it belongs to the account.
    Caller,
    /// An end that was called, when it belongs to the account.
    Callee,
}

/// An observation of one leg: one phone or client of one extension on one side of a call.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LegFact {
    /// The side the leg is on.
    pub side: Side,
    /// The extension whose phone this is. May be wholly unknown. Shared, like everything below that is
    /// told of again and again: a call's facts are kept for hours, and most name the same few.
    pub party: Arc<Party>,
    /// The party at the other end.
    pub other: Arc<Party>,
    /// The leg's own id, where told.
    pub channel_id: Option<ChannelId>,
    /// The device, where told.
    pub device_id: Option<DeviceId>,
    /// When this leg began to ring. Told with every event of the leg's life, so it can name the leg.
    pub rang_at: Timestamp,
    /// When this leg was picked up; on an end, absent means never.
    pub answered_at: Option<Timestamp>,
    /// Why the leg ended, when it did and where told.
    pub hang_up: Option<HangUp>,
    /// The queue, shared line or receptionist that offered this leg.
    pub offered_by: Option<Arc<Station>>,
    /// The auto receptionist passed before that.
    pub came_through: Option<Arc<Station>>,
    /// When the message about it was sent, in ms: tells two phones apart that nothing else does.
    pub sent_at: Timestamp,
}

/// An observation of one side of a connected call (hold, mute, park, meeting).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SideFact {
    /// The side that acted.
    pub side: Side,
    /// The extension that acted.
    pub party: Arc<Party>,
    /// The device that acted, where told.
    pub device_id: Option<DeviceId>,
}

/// An observation of a transfer or conference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct TransferFact {
    /// The person who does it.
    pub by: Option<Arc<Party>>,
    /// The number or extension it goes to.
    pub to: Option<String>,
    /// The attempt failed; nothing about the call changed.
    pub failed: bool,
}

/// One end of a call as far as it is known. Every part may be missing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Party {
    /// The account it belongs to, when that is not the one this board is about: the numbers of its
    /// extensions are not ours.
    pub account: Option<String>,
    /// The kind of extension.
    pub kind: Option<StationKind>,
    /// Id of the extension.
    pub extension_id: Option<ExtensionId>,
    /// Number of the extension, decimal text.
    pub extension_number: Option<String>,
    /// The person, when the extension is a person's.
    pub user_id: Option<UserId>,
    /// Name to show.
    pub name: Option<String>,
    /// Telephone number, E.164 or a bare extension; absent when withheld.
    pub number: Option<String>,
}

/// A stop on the way of a call that is not (only) a person: named, but without an id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Station {
    /// What it is.
    pub kind: StationKind,
    /// The account it belongs to, when that is not the one this board is about.
    pub account: Option<String>,
    /// Its name at that time.
    pub name: Option<String>,
    /// Its extension number at that time.
    pub extension_number: Option<String>,
}

/// Kinds of extension a call can reach.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum StationKind {
    /// A person.
    User,
    /// A call queue.
    CallQueue,
    /// An auto receptionist (menu).
    AutoReceptionist,
    /// A phone that belongs to a place.
    CommonArea,
    /// A group that shares a line.
    SharedLineGroup,
    /// Anything else, as it was called.
    Other(String),
}

/// Why a leg ended, as far as it is told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum HangUp {
    /// It rang out.
    NoAnswer,
    /// The phone was busy.
    Busy,
    /// The caller gave up.
    CallerGaveUp,
    /// The person declined.
    Rejected,
    /// Somebody else, or another phone of the same person, took the call.
    AnsweredElsewhere,
    /// A conversation came to its end.
    Connected,
    /// The caller reached a mailbox.
    Voicemail,
    /// Any other reason, as it was told.
    Other(String),
}
