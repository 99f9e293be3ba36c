//! Zoom's live events become facts. Beyond this and `record` nobody knows Zoom's names.
//!
//! Tolerant where a board can live with less, strict where a guess would be a lie: a wrongly typed
//! call id, party or time makes an event unreadable, a wrongly typed name is just not known.

use std::{borrow::Cow, sync::Arc};

use domain::{
    fact::{Fact, HangUp, LegFact, Party, Side, SideFact, Station, StationKind, TransferFact, What},
    id::{CallId, ChannelId, DeviceId},
    time::Timestamp,
};

use super::{
    parties::{NamedParty, NamedStation, Parties},
    wire::{End, Moment, Object, Part},
};

/// The events that say something about a call while it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum LiveEvent {
    Leg(Side, LegEvent),
    Side(Side, SideEvent),
    Transfer(TransferEvent),
    Emergency,
    /// Comes after the call and names it only sometimes.
    Voicemail,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum LegEvent {
    Ringing,
    Answered,
    Missed,
    Rejected,
    Ended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum SideEvent {
    Hold,
    Unhold,
    Mute,
    Unmute,
    Parked,
    MeetingInviting,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum TransferEvent {
    Blind,
    WarmInitiated,
    WarmCompleted,
    WarmCancelled,
    ToVoicemail,
    RecipientUpdated,
    Conference,
}

/// All of them by name.
pub(super) const LIVE_EVENTS: [(&str, LiveEvent); 28] = {
    use LiveEvent::{Emergency, Leg, Side as OfSide, Transfer, Voicemail};
    use Side::{Callee, Caller};
    [
        ("phone.callee_ringing", Leg(Callee, LegEvent::Ringing)),
        ("phone.callee_answered", Leg(Callee, LegEvent::Answered)),
        ("phone.callee_missed", Leg(Callee, LegEvent::Missed)),
        ("phone.callee_rejected", Leg(Callee, LegEvent::Rejected)),
        ("phone.callee_ended", Leg(Callee, LegEvent::Ended)),
        ("phone.caller_ringing", Leg(Caller, LegEvent::Ringing)),
        ("phone.caller_connected", Leg(Caller, LegEvent::Answered)),
        ("phone.caller_ended", Leg(Caller, LegEvent::Ended)),
        ("phone.callee_hold", OfSide(Callee, SideEvent::Hold)),
        ("phone.callee_unhold", OfSide(Callee, SideEvent::Unhold)),
        ("phone.callee_mute", OfSide(Callee, SideEvent::Mute)),
        ("phone.callee_unmute", OfSide(Callee, SideEvent::Unmute)),
        ("phone.callee_parked", OfSide(Callee, SideEvent::Parked)),
        ("phone.callee_meeting_inviting", OfSide(Callee, SideEvent::MeetingInviting)),
        ("phone.caller_hold", OfSide(Caller, SideEvent::Hold)),
        ("phone.caller_unhold", OfSide(Caller, SideEvent::Unhold)),
        ("phone.caller_mute", OfSide(Caller, SideEvent::Mute)),
        ("phone.caller_unmute", OfSide(Caller, SideEvent::Unmute)),
        ("phone.caller_meeting_inviting", OfSide(Caller, SideEvent::MeetingInviting)),
        ("phone.blind_transfer_initiated", Transfer(TransferEvent::Blind)),
        ("phone.warm_transfer_initiated", Transfer(TransferEvent::WarmInitiated)),
        ("phone.warm_transfer_completed", Transfer(TransferEvent::WarmCompleted)),
        ("phone.warm_transfer_cancelled", Transfer(TransferEvent::WarmCancelled)),
        ("phone.transfer_call_to_voicemail_initiated", Transfer(TransferEvent::ToVoicemail)),
        ("phone.transfer_recipient_updated", Transfer(TransferEvent::RecipientUpdated)),
        ("phone.conference_started", Transfer(TransferEvent::Conference)),
        ("phone.emergency_alert", Emergency),
        ("phone.voicemail_received", Voicemail),
    ]
};

impl LiveEvent {
    pub(super) fn named(name: &str) -> Option<Self> {
        LIVE_EVENTS.iter().find(|(known, _)| *known == name).map(|(_, event)| *event)
    }

    /// Without its call such an event cannot be understood.
    pub(super) fn must_name_its_call(self) -> bool {
        self != Self::Voicemail
    }

    pub(super) fn is_of_a_leg(self) -> bool {
        matches!(self, Self::Leg(..))
    }

    /// The end whose phone the event is about.
    pub(super) fn own_end<'a, 'b>(self, object: &'b Object<'a>) -> Option<&'b End<'a>> {
        match self {
            Self::Leg(Side::Callee, _) | Self::Side(Side::Callee, _) => object.callee.get(),
            Self::Leg(Side::Caller, _) | Self::Side(Side::Caller, _) => object.caller.get(),
            Self::Transfer(_) | Self::Emergency | Self::Voicemail => None,
        }
    }
}

/// The fact an event tells; `None` when it tells none (a park that failed, a voicemail of no call).
/// The error is the path of a field that must be readable and is not.
pub(super) fn fact(
    event: LiveEvent,
    object: &Object<'_>,
    call_id: Option<&Arc<str>>,
    sent_at: Option<Timestamp>,
    received_at: Timestamp,
    parties: &Parties,
) -> Result<Option<Fact>, &'static str> {
    let Some(call_id) = call_id else { return Ok(None) };
    let told_at = sent_at.unwrap_or(received_at);
    let (at, what) = match event {
        LiveEvent::Leg(side, what) => leg(side, what, object, told_at, parties)?,
        LiveEvent::Side(side, what) => {
            let at = moment(object.date_time, "payload.object.date_time")?.unwrap_or(told_at);
            match side_change(side, what, object, parties)? {
                Some(what) => (at, what),
                None => return Ok(None),
            }
        }
        LiveEvent::Transfer(what) => {
            let at = moment(object.date_time, "payload.object.date_time")?.unwrap_or(told_at);
            (at, transfer(what, object, parties))
        }
        LiveEvent::Emergency => {
            let began = moment(object.ringing_start_time, "payload.object.ringing_start_time")?;
            (began.unwrap_or(told_at), What::EmergencyDialled)
        }
        LiveEvent::Voicemail => (object.date_time.get().unwrap_or(told_at), What::VoicemailLeft),
    };
    let call_id = match without_part_suffix(call_id) {
        whole if whole.len() == call_id.len() => CallId::new(Arc::clone(call_id)),
        whole => CallId::new(whole),
    };
    Ok(Some(Fact::new(call_id, at, what)))
}

/// A transferred call's later parts may carry the id with `_1`, `_2` at its end.
pub(super) fn without_part_suffix(call_id: &str) -> &str {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match call_id.rsplit_once('_') {
        Some((id, part)) if digits(id) && digits(part) => id,
        _ => call_id,
    }
}

fn leg(
    side: Side,
    event: LegEvent,
    object: &Object<'_>,
    told_at: Timestamp,
    parties: &Parties,
) -> Result<(Timestamp, What), &'static str> {
    let rang = moment(object.ringing_start_time, "payload.object.ringing_start_time")?;
    let answered = match side {
        Side::Callee => moment(object.answer_start_time, "payload.object.answer_start_time")?,
        // The caller's side calls it by another name, except at the end.
        Side::Caller => moment(object.connected_start_time, "payload.object.connected_start_time")?
            .or(moment(object.answer_start_time, "payload.object.answer_start_time")?),
    };
    let ended = moment(object.call_end_time, "payload.object.call_end_time")?;
    let at = match event {
        LegEvent::Ringing => rang,
        LegEvent::Answered => answered,
        LegEvent::Missed | LegEvent::Rejected | LegEvent::Ended => ended,
    }
    .unwrap_or(told_at);
    let (own, other) = match side {
        Side::Callee => (end(&object.callee, "payload.object.callee")?, object.caller.get()),
        Side::Caller => (end(&object.caller, "payload.object.caller")?, object.callee.get()),
    };
    let leg = LegFact {
        side,
        party: party_or_nobody(own, parties),
        other: party_or_nobody(other, parties),
        channel_id: object.channel_id.as_str().map(ChannelId::new),
        device_id: own.and_then(device_id),
        rang_at: rang.or(answered).unwrap_or(at),
        answered_at: match event {
            LegEvent::Answered => Some(at),
            LegEvent::Ended => answered,
            LegEvent::Ringing | LegEvent::Missed | LegEvent::Rejected => None,
        },
        hang_up: object.handup_result.as_str().map(hang_up),
        offered_by: object.forwarded_by.get().and_then(|end| station(end, parties)),
        came_through: object.redirect_forwarded_by.get().and_then(|end| station(end, parties)),
        sent_at: told_at,
    };
    let what = match event {
        LegEvent::Ringing => What::Rang(leg),
        LegEvent::Answered => What::Answered(leg),
        LegEvent::Missed => What::Missed(leg),
        LegEvent::Rejected => What::Rejected(leg),
        LegEvent::Ended => What::Ended(leg),
    };
    Ok((at, what))
}

fn side_change(
    side: Side,
    event: SideEvent,
    object: &Object<'_>,
    parties: &Parties,
) -> Result<Option<What>, &'static str> {
    let own = match side {
        Side::Callee => end(&object.callee, "payload.object.callee")?,
        Side::Caller => end(&object.caller, "payload.object.caller")?,
    };
    let by = SideFact { side, party: party_or_nobody(own, parties), device_id: own.and_then(device_id) };
    Ok(Some(match event {
        SideEvent::Hold => What::Held(by),
        SideEvent::Unhold => What::Resumed(by),
        SideEvent::Mute => What::Muted(by),
        SideEvent::Unmute => What::Unmuted(by),
        SideEvent::MeetingInviting => What::MovedToMeeting(by),
        // Success and failure come by the same event, and the "failure reason" of a success is a
        // sentence as well: only the code tells.
        SideEvent::Parked => match object.park_code.as_str() {
            Some(code) => What::Parked { by, code: code.to_owned() },
            None => return Ok(None),
        },
    }))
}

fn transfer(event: TransferEvent, object: &Object<'_>, parties: &Parties) -> What {
    let recipient = object.recipient.get();
    let to = object
        .transfer_phone_number
        .as_str()
        .or_else(|| recipient?.phone_number.as_str().or(recipient?.extension_number.as_str()));
    let transfer = TransferFact {
        by: object.owner.get().map(|end| party(end, parties)).filter(|party| **party != Party::default()),
        to: to.map(str::to_owned),
        // Empty or absent is success, whatever the event's name says.
        failed: object.failure_reason.as_str().is_some(),
    };
    match event {
        TransferEvent::Blind => What::BlindTransferStarted(transfer),
        TransferEvent::WarmInitiated => {
            let consult = object.transfer_call_id.as_str().map(|id| CallId::new(without_part_suffix(id)));
            What::WarmTransferStarted { transfer, consult }
        }
        TransferEvent::WarmCompleted => What::WarmTransferCompleted(transfer),
        TransferEvent::WarmCancelled => What::WarmTransferCancelled(transfer),
        TransferEvent::ToVoicemail => What::SentToVoicemail(transfer),
        TransferEvent::RecipientUpdated => What::RecipientChanged(transfer),
        TransferEvent::Conference => What::ConferenceStarted(transfer),
    }
}

fn moment(moment: Moment, path: &'static str) -> Result<Option<Timestamp>, &'static str> {
    match moment {
        Moment::Is(instant) => Ok(Some(instant)),
        Moment::Absent => Ok(None),
        Moment::Mistyped => Err(path),
    }
}

fn end<'a, 'b>(part: &'b Part<End<'a>>, path: &'static str) -> Result<Option<&'b End<'a>>, &'static str> {
    match part {
        Part::Is(end) => Ok(Some(end)),
        Part::Absent => Ok(None),
        Part::Mistyped => Err(path),
    }
}

fn device_id(end: &End<'_>) -> Option<DeviceId> {
    end.device_id.as_str().map(DeviceId::new)
}

fn kind(end: &End<'_>) -> Option<StationKind> {
    end.extension_type.as_str().or(end.kind.as_str()).map(station_kind)
}

fn party(end: &End<'_>, parties: &Parties) -> Arc<Party> {
    let kind = kind(end);
    // `id` is a person's only beside the kind "user"; a queue's is not its extension's either.
    let id_of_person = end.id.as_str().filter(|_| kind == Some(StationKind::User));
    parties.party(&NamedParty {
        extension_id: end.extension_id.as_str(),
        extension_number: end.extension_number.as_str(),
        user_id: end.user_id.as_str().or(id_of_person),
        name: end.name.as_str(),
        number: end.phone_number.as_str().filter(|number| !is_withheld(number)),
        kind: kind.as_ref(),
    })
}

fn party_or_nobody(end: Option<&End<'_>>, parties: &Parties) -> Arc<Party> {
    end.map(|end| party(end, parties)).unwrap_or_default()
}

/// Marks the queues, menus and people of a fact as another account's, so that they are not taken for ours.
pub(super) fn move_to_account(fact: &mut Fact, account: &str) {
    if let What::Recorded(record) = &mut *fact.what {
        for talk in &mut record.talks {
            Arc::make_mut(&mut talk.party).account = Some(account.to_owned());
            if let Some(station) = &mut talk.offered_by {
                Arc::make_mut(station).account = Some(account.to_owned());
            }
        }
        for stay in &mut record.stays {
            stay.account = Some(account.to_owned());
        }
        return;
    }
    let (What::Rang(leg) | What::Answered(leg) | What::Rejected(leg) | What::Missed(leg) | What::Ended(leg)) =
        &mut *fact.what
    else {
        return;
    };
    if *leg.party != Party::default() {
        Arc::make_mut(&mut leg.party).account = Some(account.to_owned());
    }
    for station in [&mut leg.offered_by, &mut leg.came_through].into_iter().flatten() {
        Arc::make_mut(station).account = Some(account.to_owned());
    }
}

fn station(end: &End<'_>, parties: &Parties) -> Option<Arc<Station>> {
    let (kind, name, extension_number) = (kind(end), end.name.as_str(), end.extension_number.as_str());
    if kind.is_none() && name.is_none() && extension_number.is_none() {
        return None;
    }
    let kind = kind.unwrap_or_else(|| StationKind::Other("unknown".to_owned()));
    Some(parties.station(&NamedStation { kind: &kind, name, extension_number }))
}

/// `words` as one word in lower case: only letters and digits count, so that `callQueue`, `call_queue` and
/// `Call Queue` are the same.
pub(super) fn one_word(words: &str) -> Cow<'_, str> {
    if words.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) {
        return Cow::Borrowed(words);
    }
    let mut word = words.to_lowercase();
    word.retain(char::is_alphanumeric);
    Cow::Owned(word)
}

pub(super) fn station_kind(words: &str) -> StationKind {
    match &*one_word(words) {
        "user" => StationKind::User,
        "callqueue" => StationKind::CallQueue,
        "autoreceptionist" => StationKind::AutoReceptionist,
        "commonarea" | "commonareaphone" => StationKind::CommonArea,
        "sharedlinegroup" | "sharedlines" | "sharedline" => StationKind::SharedLineGroup,
        _ => StationKind::Other(words.to_owned()),
    }
}

fn hang_up(words: &str) -> HangUp {
    match &*one_word(words) {
        "callconnected" | "connected" => HangUp::Connected,
        "noanswer" | "ringtimeout" => HangUp::NoAnswer,
        "busy" => HangUp::Busy,
        "callcancel" | "callcanceled" | "callcancelled" | "cancel" | "canceled" | "cancelled" => {
            HangUp::CallerGaveUp
        }
        "rejected" => HangUp::Rejected,
        "answeredbyother" | "answeredbyothermember" | "answeredbyotherdevice" | "pickupbyother" => {
            HangUp::AnsweredElsewhere
        }
        "voicemail" => HangUp::Voicemail,
        _ => HangUp::Other(words.to_owned()),
    }
}

fn is_withheld(number: &str) -> bool {
    // Nearly every number is one, and no word for none has a digit.
    if number.bytes().any(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let word = one_word(number);
    matches!(
        &*word,
        "" | "anonymous" | "restricted" | "unknown" | "unavailable" | "private" | "withheld" | "blocked"
    )
}

#[cfg(test)]
mod tests;
