//! After the talk: voicemail, the record of the call, and the events that announce it.

use chrono::{DateTime, Utc};

use super::call::{CallKey, Caller, Dialled, Stage};
use super::parties::{caller_note, dialled_note, queue_note, receptionist_note, seat_note};
use super::{Step, World};
use crate::event::element::{ElementsObject, EventElement};
use crate::event::voicemail::VoicemailObject;
use crate::history::{CallRecord, Element};
use crate::moment::{seconds, stamp, whole_seconds};

/// A message that was left.
#[derive(Debug, Clone)]
pub(super) struct Message {
    id: String,
    call_id: String,
    uuid: String,
    element_id: String,
    owner: Dialled,
    caller: Caller,
    left_at: DateTime<Utc>,
    duration: i64,
}

impl World {
    /// The caller hears a voicemail greeting, and with some likelihood leaves a message.
    /// The mailbox is the queue's, or that of the person dialled.
    pub(super) fn offer_voicemail(&mut self, key: CallKey, queue: Option<usize>, likes_messages: f64) {
        let now = self.now;
        let duration = self.dice.between(6.0, 50.0);
        let leaves_one = self.dice.chance(likes_messages);
        let (id, element_id) = (self.dice.uuid().replace('-', ""), self.element_id());
        let Some(call) = self.calls.get_mut(&key) else { return };
        call.stage = Stage::Leaving;
        let owner = queue.map_or_else(|| call.dialled.clone(), Dialled::Queue);
        if leaves_one {
            call.result = if call.first_answer.is_some() { "answered" } else { "voicemail" };
            let message = Message {
                id: id.clone(),
                call_id: call.id.clone(),
                uuid: call.uuid.clone(),
                element_id: element_id.clone(),
                owner: owner.clone(),
                caller: call.caller.clone(),
                left_at: now,
                duration: duration as i64,
            };
            call.segment += 1;
            let element = Element {
                id: element_id,
                event: "forward",
                result: "voicemail",
                reason: None,
                caller: caller_note(&self.directory, &call.caller),
                callee: dialled_note(&self.directory, &owner),
                operator: None,
                start: now,
                answer: None,
                end: now + seconds(duration),
                wait_seconds: 0,
                hold_seconds: 0,
                segment: call.segment,
                node: 0,
                voicemail_id: Some(id),
                user_id: None,
            };
            call.elements.push(element);
            self.later(duration, Step::MessageLeft { call: key });
            let delay = self.dice.between(4.0, 15.0);
            self.later(duration + delay, Step::TellVoicemail(Box::new(message)));
        } else {
            let patience = self.dice.between(1.0, 8.0);
            self.later(patience, Step::MessageLeft { call: key });
        }
    }

    pub(super) fn message_left(&mut self, key: CallKey) {
        self.end_dial(key, "Voicemail");
        self.finish(key);
    }

    pub(super) fn tell_voicemail(&mut self, message: &Message) {
        let (callee_id, kind, name, number): (&str, _, &str, i64) = match &message.owner {
            Dialled::Queue(queue) => {
                let queue = &self.directory.queues[*queue];
                (&queue.extension_id, "callQueue", &queue.name, queue.extension_number)
            }
            Dialled::Seat(seat) => {
                let seat = &self.directory.seats[*seat];
                (&seat.id, "user", &seat.name, seat.extension_number)
            }
            Dialled::Outside { .. } => return,
        };
        let (caller_number, caller_number_type, caller_name, caller_user_id) = match &message.caller {
            Caller::Outside { withheld: Some(shown), .. } => ((*shown).to_owned(), 2, "Anonymous", None),
            Caller::Outside { number, name, .. } => {
                // The name is required here; for a nameless line it repeats the number.
                (number.clone(), 2, name.as_deref().unwrap_or(number), None)
            }
            Caller::Seat { seat, .. } => {
                let seat = &self.directory.seats[*seat];
                (seat.extension_number.to_string(), 1, &*seat.name, Some(&*seat.id))
            }
        };
        let object = VoicemailObject {
            id: &message.id,
            call_id: &message.call_id,
            call_history_id: &message.uuid,
            call_element_id: &message.element_id,
            callee_id,
            callee_extension_type: kind,
            callee_name: name,
            callee_number: number.to_string(),
            callee_number_type: 1,
            caller_number,
            caller_number_type,
            caller_name,
            caller_user_id,
            date_time: stamp(message.left_at),
            duration: message.duration,
            download_url: format!("https://zoom.invalid/v2/phone/voice_mails/download/{}", message.id),
        };
        self.outbox.send(self.now, "phone.voicemail_received", &object);
    }

    /// The call is over for everybody.
    pub(super) fn finish(&mut self, key: CallKey) {
        self.end_dial(key, "Call connected");
        let Some(mut call) = self.calls.remove(&key) else { return };
        self.truth.call_ended();
        if let Some(visit) = call.visit {
            self.truth.end(visit, self.now);
        }
        if let Some(main) = call.merged_into
            && let Some(main_call) = self.calls.get_mut(&main)
        {
            // Since 2026 the record of a warm transfer is one record with all its elements.
            for (node, mut element) in call.elements.drain(..).enumerate() {
                (element.event, element.segment, element.node) =
                    ("warm_transfer_incoming", main_call.segment, node as u32);
                main_call.elements.push(element);
            }
            return self.finish(main);
        }
        if call.elements.is_empty() || matches!(call.dialled, Dialled::Outside { .. }) {
            let element = self.plain_element(&call);
            call.elements.push(element);
        }
        self.keep_record(call);
    }

    fn keep_record(&mut self, call: super::call::Call) {
        let range = self.config.history_delay_seconds.clone();
        let delay = self.dice.between(*range.start() as f64, *range.end() as f64);
        let visible_at = self.soon(delay);
        let outgoing = matches!(call.dialled, Dialled::Outside { .. });
        let internal = !call.is_from_outside() && !outgoing;
        let callee = match call.answered_by {
            Some(seat) => seat_note(&self.directory, seat),
            None => dialled_note(&self.directory, &call.dialled),
        };
        let site = match call.dialled {
            Dialled::Queue(queue) => self.directory.queues[queue].site,
            Dialled::Seat(seat) => self.directory.seats[seat].site,
            Dialled::Outside { .. } => 0,
        };
        let number = self.history.add(CallRecord {
            uuid: call.uuid,
            call_id: call.id,
            direction: if outgoing { "outbound" } else { "inbound" },
            connect_type: if internal { "internal" } else { "external" },
            start: call.started,
            answer: call.first_answer,
            end: self.now,
            result: call.result,
            hide_caller_id: matches!(call.caller, Caller::Outside { withheld: Some(_), .. }),
            caller: caller_note(&self.directory, &call.caller),
            callee,
            site,
            elements: call.elements,
            visible_at,
        });
        self.agenda.add(visible_at, Step::Publish(number));
    }

    /// Tells each user who had a part in a finished call about their elements.
    pub(super) fn publish(&mut self, number: u64) {
        let Some(record) = self.history.get(number) else { return };
        let mut users: Vec<&str> = Vec::new();
        for user in record.elements.iter().filter_map(|element| element.user_id.as_deref()) {
            if !users.contains(&user) {
                users.push(user);
            }
        }
        let name = if record.direction == "outbound" {
            "phone.caller_call_element_completed"
        } else {
            "phone.callee_call_element_completed"
        };
        for user in users {
            let own = |element: &&Element| element.user_id.as_deref().is_none_or(|owner| owner == user);
            let call_elements = record
                .elements
                .iter()
                .filter(own)
                .map(|element| EventElement::new(record, element))
                .collect();
            self.outbox.send(self.now, name, &ElementsObject { user_id: user, call_elements });
        }
    }

    fn element_id(&mut self) -> String {
        format!("{}-{}", self.now.format("%Y%m%d"), self.dice.uuid())
    }

    /// The only element of a call that never rang anybody, or went outside.
    fn plain_element(&mut self, call: &super::call::Call) -> Element {
        let user = match &call.caller {
            Caller::Seat { seat, .. } if self.directory.seats[*seat].is_person() => {
                Some(self.directory.seats[*seat].id.clone())
            }
            _ => None,
        };
        let outgoing = matches!(call.dialled, Dialled::Outside { .. });
        Element {
            id: self.element_id(),
            event: if outgoing { "outgoing" } else { "incoming" },
            result: call.result,
            reason: None,
            caller: caller_note(&self.directory, &call.caller),
            callee: dialled_note(&self.directory, &call.dialled),
            operator: None,
            start: call.started,
            answer: call.first_answer,
            end: self.now,
            wait_seconds: whole_seconds(call.started, call.first_answer.unwrap_or(self.now)),
            hold_seconds: 0,
            segment: 0,
            node: 0,
            voicemail_id: None,
            user_id: user,
        }
    }

    /// History of a seat that was rung, or that talked.
    pub(super) fn note_ring(
        &mut self,
        key: CallKey,
        leg: usize,
        result: &'static str,
        reason: Option<&'static str>,
    ) {
        let id = self.element_id();
        let Some(call) = self.calls.get_mut(&key) else { return };
        let leg = &call.legs[leg];
        let seat = &self.directory.seats[leg.seat];
        let node = call.elements.iter().filter(|element| element.segment == leg.segment).count() as u32;
        let element = Element {
            id,
            event: if leg.queue.is_some() { "ring_to_member" } else { call.arrived_by },
            result,
            reason,
            caller: caller_note(&self.directory, &call.caller),
            callee: seat_note(&self.directory, leg.seat),
            operator: leg.queue.map(|queue| queue_note(&self.directory, queue)),
            start: leg.ringing_start,
            answer: leg.answered,
            end: self.now,
            wait_seconds: whole_seconds(leg.ringing_start, leg.answered.unwrap_or(self.now)),
            hold_seconds: leg.hold_seconds,
            segment: leg.segment,
            node,
            voicemail_id: None,
            user_id: seat.is_person().then(|| seat.id.clone()),
        };
        call.elements.push(element);
    }

    /// History of a stay in a queue, and of the receptionist before the first one.
    pub(super) fn note_queue_step(&mut self, key: CallKey, queue: usize, result: &'static str) {
        let (id, menu_id) = (self.element_id(), self.element_id());
        let Some(call) = self.calls.get_mut(&key) else { return };
        let caller = caller_note(&self.directory, &call.caller);
        let step = |id, event, callee, start, end, segment| Element {
            id,
            event,
            result,
            reason: None,
            caller: caller.clone(),
            callee,
            operator: None,
            start,
            answer: (result == "answered").then_some(self.now),
            end,
            wait_seconds: whole_seconds(start, end),
            hold_seconds: 0,
            segment,
            node: 0,
            voicemail_id: None,
            user_id: None,
        };
        if let (Some(receptionist), true) = (call.receptionist, call.segment == 0) {
            let note = receptionist_note(&self.directory, receptionist);
            let menu = Element {
                wait_seconds: 0,
                ..step(menu_id, "incoming", note, call.started, call.stay_since, 0)
            };
            call.elements.insert(0, Element { result: "succeeded", answer: None, ..menu });
        }
        let note = queue_note(&self.directory, queue);
        call.elements.push(step(id, call.arrived_by, note, call.stay_since, self.now, call.segment));
        call.segment += 1;
    }
}
