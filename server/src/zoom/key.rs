//! Is this the same event again? Zoom gives events no id, so one is made from what they say.
//!
//! The same event comes again by retries, over a second subscription, or by WebSocket and webhook
//! at once; the delivery around it differs then, what it says does not.

use std::{
    fmt,
    hash::{Hash, Hasher},
};

use domain::time::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::{
    translate::LiveEvent,
    wire::{Moment, Object, Text},
};

/// What makes an event the same event: the second it happened in and 12 bytes of a SHA-256.
///
/// The time comes first so that new keys are neighbours in the database's index; a wholly random
/// key would touch another page of it for every event.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct EventKey([u8; 16]);

impl EventKey {
    /// From the database.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// For the database.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    fn new(at: Option<Timestamp>, parts: &Parts) -> Self {
        let mut bytes = [0; 16];
        // Saturates in 2106; the order of keys is only an optimisation.
        let second = at.map_or(0, |at| u32::try_from(at.as_millis() / 1000).unwrap_or(u32::MAX));
        bytes[..4].copy_from_slice(&second.to_be_bytes());
        bytes[4..].copy_from_slice(&Sha256::digest(&parts.told)[..12]);
        Self(bytes)
    }
}

impl fmt::Debug for EventKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl Hash for EventKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // The tail is a cryptographic hash already.
        let [.., a, b, c, d, e, f, g, h] = self.0;
        state.write_u64(u64::from_ne_bytes([a, b, c, d, e, f, g, h]));
    }
}

/// The key of an event about a call's leg, side or transfer: its name, the call, whose phone, and
/// the times in it, but not when it was sent.
pub(super) fn of_live_event(
    event: LiveEvent,
    name: &str,
    object: &Object<'_>,
    sent_at: Option<Timestamp>,
) -> EventKey {
    let mut parts = Parts::new(name);
    parts.text(&object.call_id);
    // Retries of a voicemail carry fresh tokens in their URLs, but the same id.
    parts.text(&object.id);
    parts.text(&object.channel_id);
    let own = event.own_end(object);
    for end in [own, object.owner.get(), object.recipient.get(), object.forwarded_by.get()] {
        parts.present(end.is_some());
        let Some(end) = end else { continue };
        for text in [&end.device_id, &end.extension_id, &end.extension_number, &end.user_id, &end.id] {
            parts.text(text);
        }
        parts.text(&end.phone_number);
    }
    let times = [
        object.date_time,
        object.call_end_time,
        object.answer_start_time,
        object.connected_start_time,
        object.ringing_start_time,
    ];
    for time in times {
        parts.moment(time);
    }
    for text in
        [&object.transfer_phone_number, &object.transfer_call_id, &object.failure_reason, &object.park_code]
    {
        parts.text(text);
    }
    // Two phones of one extension that nothing else tells apart may ring in the same second: only
    // then the time of sending makes the difference.
    let nameless =
        object.channel_id.as_str().is_none() && own.is_none_or(|own| own.device_id.as_str().is_none());
    if event.is_of_a_leg() && nameless {
        parts.moment(sent_at.map_or(Moment::Absent, Moment::Is));
    }
    EventKey::new(times.into_iter().find_map(Moment::get), &parts)
}

/// The key of any other event: its name and its whole payload, however that is written.
pub(super) fn of_other_event(name: &str, object: Option<&Object<'_>>, text: &str) -> EventKey {
    #[derive(Deserialize)]
    struct Outer<'a> {
        #[serde(borrow, default)]
        payload: Option<&'a RawValue>,
    }
    let mut parts = Parts::new(name);
    let outer: Option<Outer<'_>> = serde_json::from_str(text).ok();
    let payload = outer.and_then(|outer| outer.payload).map_or("", RawValue::get);
    match serde_json::from_str(payload) {
        Ok(value) => parts.value(&value),
        // Nested beyond reason, or absent: the bytes as they are.
        Err(_) => parts.bytes(payload.as_bytes()),
    }
    EventKey::new(object.and_then(|object| object.date_time.get()), &parts)
}

/// What an event says, written down so that no two lists of parts look alike.
struct Parts {
    /// Hashed in one go: a hash that is fed in bits spends most of its time on their edges.
    told: Vec<u8>,
}

impl Parts {
    fn new(name: &str) -> Self {
        let mut parts = Self { told: Vec::with_capacity(1024) };
        parts.bytes(name.as_bytes());
        parts
    }

    fn present(&mut self, present: bool) {
        self.told.push(u8::from(present));
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.told.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        self.told.extend_from_slice(bytes);
    }

    fn text(&mut self, text: &Text<'_>) {
        self.bytes(text.as_str().unwrap_or_default().as_bytes());
    }

    fn moment(&mut self, moment: Moment) {
        self.present(moment.get().is_some());
        self.told.extend_from_slice(&moment.get().unwrap_or_default().as_millis().to_le_bytes());
    }

    /// JSON without regard to white space and the order of an object's fields.
    fn value(&mut self, value: &serde_json::Value) {
        use serde_json::Value;
        match value {
            Value::Null => self.told.push(b'n'),
            Value::Bool(truth) => self.told.push(if *truth { b't' } else { b'f' }),
            Value::Number(number) => {
                self.told.push(b'd');
                self.bytes(number.to_string().as_bytes());
            }
            Value::String(text) => {
                self.told.push(b's');
                self.bytes(text.as_bytes());
            }
            Value::Array(values) => {
                self.told.push(b'[');
                values.iter().for_each(|value| self.value(value));
                self.told.push(b']');
            }
            Value::Object(fields) => {
                self.told.push(b'{');
                // Whether the map keeps its fields sorted depends on a feature of the crate.
                let mut sorted: Vec<_> = fields.iter().collect();
                sorted.sort_unstable_by_key(|(name, _)| *name);
                for (name, value) in sorted {
                    self.bytes(name.as_bytes());
                    self.value(value);
                }
                self.told.push(b'}');
            }
        }
    }
}
