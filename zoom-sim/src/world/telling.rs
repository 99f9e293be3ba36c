//! Turns facts into events: each function tells one fact, as one event.

use super::World;
use super::call::CallKey;
use super::parties::{
    caller_party, dialled_party, forwarded_by, owner, receptionist_party, redirect_forwarded_by, seat_party,
};
use crate::directory::SeatKind;
use crate::event::call_change::{Change, ChangeObject};
use crate::event::leg::{LegEvent, LegObject};
use crate::event::transfer::{Recipient, TransferObject};
use crate::event::voicemail::PresenceObject;
use crate::moment::stamp;

/// What a transfer event says beside who acts on which call.
#[derive(Debug, Default)]
pub(super) struct TransferFacts<'a> {
    pub(super) failure: &'static str,
    pub(super) number: Option<String>,
    pub(super) other_call: Option<&'a str>,
    pub(super) recipient: Option<Recipient<'a>>,
    pub(super) conference: Option<String>,
}

impl World {
    /// A life-cycle event of a called leg.
    pub(super) fn tell_leg(
        &mut self,
        key: CallKey,
        leg: usize,
        event: LegEvent,
        result: Option<&'static str>,
    ) {
        let Some(call) = self.calls.get(&key) else { return };
        let leg = &call.legs[leg];
        let over = matches!(event, LegEvent::CalleeMissed | LegEvent::CalleeRejected | LegEvent::CalleeEnded);
        let shows_receptionist = call.receptionist_as_caller && event == LegEvent::CalleeMissed;
        let caller = match call.receptionist {
            Some(receptionist) if shows_receptionist => receptionist_party(&self.directory, receptionist),
            _ => caller_party(&self.directory, call),
        };
        let queue = leg.queue.filter(|_| event.has_forwarder());
        let object = LegObject {
            call_id: &call.id,
            channel_id: (self.config.channel_ids && event.has_channel()).then_some(&*leg.channel),
            caller: caller.showing(event.caller_shown()),
            callee: seat_party(&self.directory, leg.seat, leg.device).showing(event.callee_shown()),
            forwarded_by: queue.map(|queue| forwarded_by(&self.directory, queue)),
            redirect_forwarded_by: queue
                .and(call.receptionist)
                .map(|receptionist| redirect_forwarded_by(&self.directory, receptionist)),
            ringing_start_time: stamp(leg.ringing_start),
            answer_start_time: leg.answered.map(stamp),
            connected_start_time: None,
            call_end_time: over.then(|| stamp(self.now)),
            handup_result: result,
        };
        self.outbox.send(self.now, event.name(), &object);
    }

    /// A life-cycle event of the calling side, if that side belongs to the account.
    pub(super) fn tell_dial(&mut self, key: CallKey, event: LegEvent, result: Option<&'static str>) {
        let Some(call) = self.calls.get(&key) else { return };
        let Some(dial) = &call.dial else { return };
        let connected = dial.connected.map(stamp);
        let object = LegObject {
            call_id: &call.id,
            channel_id: (self.config.channel_ids && event.has_channel()).then_some(&*dial.channel),
            caller: seat_party(&self.directory, dial.seat, dial.device).showing(event.caller_shown()),
            callee: dialled_party(&self.directory, call).showing(event.callee_shown()),
            forwarded_by: None,
            redirect_forwarded_by: None,
            ringing_start_time: stamp(dial.ringing_start),
            answer_start_time: connected.clone().filter(|_| event == LegEvent::CallerEnded),
            connected_start_time: connected.filter(|_| event == LegEvent::CallerConnected),
            call_end_time: (event == LegEvent::CallerEnded).then(|| stamp(self.now)),
            handup_result: result,
        };
        self.outbox.send(self.now, event.name(), &object);
    }

    /// A change during the talk on a leg.
    pub(super) fn tell_change(&mut self, key: CallKey, leg: usize, change: Change) {
        self.tell_change_with(key, leg, change, None, None);
    }

    pub(super) fn tell_change_with(
        &mut self,
        key: CallKey,
        leg: usize,
        change: Change,
        park: Option<(Option<String>, &'static str)>,
        meeting_id: Option<String>,
    ) {
        let Some(call) = self.calls.get(&key) else { return };
        let leg = &call.legs[leg];
        let (park_code, park_failure_reason) = match park {
            Some((code, reason)) => (code, Some(reason)),
            None => (None, None),
        };
        let object = ChangeObject {
            call_id: &call.id,
            caller: caller_party(&self.directory, call).showing(change.caller_shown()),
            callee: seat_party(&self.directory, leg.seat, leg.device).showing(change.callee_shown()),
            date_time: stamp(self.now),
            park_code,
            park_failure_reason,
            meeting_id,
        };
        self.outbox.send(self.now, change.name(), &object);
    }

    /// A transfer or conference event by a seat.
    pub(super) fn tell_transfer(
        &mut self,
        name: &'static str,
        call_id: &str,
        by_seat: usize,
        facts: TransferFacts<'_>,
    ) {
        let object = TransferObject {
            call_id,
            failure_reason: facts.failure,
            owner: owner(&self.directory, by_seat),
            transfer_phone_number: facts.number,
            transfer_call_id: facts.other_call,
            recipient: facts.recipient,
            enable_multiple_party_conference: facts.conference.as_ref().map(|_| true),
            conference_id: facts.conference,
            date_time: stamp(self.now),
        };
        self.outbox.send(self.now, name, &object);
    }

    /// A person's presence after a call began or the last one ended.
    pub(super) fn tell_presence(&mut self, seat: usize, status: &'static str) {
        let seat = &self.directory.seats[seat];
        if !self.config.presence_events {
            return;
        }
        if let SeatKind::Person { email, .. } = &seat.kind {
            let object =
                PresenceObject { id: &seat.id, email, date_time: stamp(self.now), presence_status: status };
            self.outbox.send(self.now, "user.presence_status_updated", &object);
        }
    }
}
