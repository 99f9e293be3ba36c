//! Reading Zoom's messages tolerantly: any text in, an event with its fact or a reason out.
//!
//! One pass over the text fills `Object`, the union of what the live events carry; a field of an
//! unexpected type never fails the pass. What a field means is decided in `translate`.

mod field;
mod repair;

use std::{borrow::Cow, sync::Arc};

use domain::{agent::presence::PresenceFact, fact::Fact, time::Timestamp};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use self::field::Envelope;
pub(super) use self::field::{End, Moment, Object, Part, Text};
pub(crate) use super::voicemail::Memory;
use super::{
    key::{self, EventKey},
    parties::Parties,
    presence, record,
    translate::{self, LiveEvent},
    voicemail::RecentRings,
};

/// The longest message that is read.
pub const LONGEST_MESSAGE: usize = 1 << 20;
/// The longest event name and call id that are believed.
const LONGEST_NAME: usize = 200;

/// Reads events of one account.
#[derive(Debug, Clone, Default)]
pub struct Reader {
    account_id: Option<Arc<str>>,
    parties: Parties,
    rings: RecentRings,
}

/// A message that was understood as an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The event's name.
    pub name: Arc<str>,
    /// The call it names, as it was written.
    pub call_id: Option<Arc<str>>,
    /// What makes it the same event.
    pub key: EventKey,
    /// When Zoom sent it, where it says so.
    pub sent_at: Option<Timestamp>,
    /// What it says about a call; `None` for events that are only kept.
    pub fact: Option<Fact>,
    /// What it says about a person; never together with a fact about a call.
    pub presence: Option<PresenceFact>,
    /// It names an account other than the configured one. It came by our own subscription or with
    /// our own signature all the same: a master account's app is told of its sub-accounts, too.
    pub foreign: bool,
}

/// Why a message was not understood. The text goes into the quarantine, never into a log line: it
/// may quote the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Longer than [`LONGEST_MESSAGE`].
    #[error("longer than {LONGEST_MESSAGE} bytes")]
    TooLong,
    /// Bytes that are no text.
    #[error("not UTF-8")]
    NotText,
    /// Text that is no JSON, or JSON that nests too deep.
    #[error("not readable as JSON: {0}")]
    Json(String),
    /// JSON that is no object.
    #[error("not a JSON object")]
    NotAnObject,
    /// A WebSocket message without an event in it.
    #[error("a message without content")]
    NoContent,
    /// No event name.
    #[error("no event name")]
    NoEventName,
    /// A live event that does not say which call it is about.
    #[error("no call_id in {event}")]
    NoCallId {
        /// The event.
        event: Arc<str>,
    },
    /// A live event whose needed field has an unexpected type.
    #[error("unexpected type of {path} in {event}")]
    Mistyped {
        /// The event.
        event: Arc<str>,
        /// The field.
        path: &'static str,
    },
    /// A record that tells more than any call can have.
    #[error("more conversations and stays in queues in {event} than any call has")]
    Crowded {
        /// The event.
        event: Arc<str>,
    },
    /// An event from outside under a name by which our own readings are journalled.
    #[error("{event} is a name for what Callboard reads itself, and came from outside")]
    Ours {
        /// The event.
        event: Arc<str>,
    },
}

/// What came over the WebSocket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    /// An event, as its own text.
    Event(Cow<'a, str>),
    /// Something about the connection itself.
    Control {
        /// `build_connection`, `heartbeat` or a word nobody knows yet, in lower case.
        module: String,
        /// What the server says of it; `None` when it does not say.
        success: Option<bool>,
    },
}

/// Nearly every frame: an event as a text.
#[derive(Deserialize)]
struct MessageFrame<'a> {
    #[serde(borrow)]
    module: Cow<'a, str>,
    #[serde(borrow)]
    content: Cow<'a, str>,
}

#[derive(Deserialize)]
struct RawFrame<'a> {
    #[serde(borrow, default)]
    module: Text<'a>,
    #[serde(borrow, default)]
    success: Option<&'a RawValue>,
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    event: Option<&'a RawValue>,
}

/// Where the text of an event is put together; kept from frame to frame, so that none has to be made for each.
#[derive(Debug, Default)]
pub(super) struct EventBuffer(Vec<u8>);

/// Takes a frame apart: an envelope around a text, an envelope around an object, or a bare event.
///
/// How long it may be is the connection's business: an event that is a text within a text is
/// longer there than by itself.
pub(super) fn read_frame<'a>(text: &'a str, buffer: &'a mut EventBuffer) -> Result<Frame<'a>, Unreadable> {
    if let Some(content) = content_of_usual_frame(text, buffer) {
        return Ok(Frame::Event(Cow::Borrowed(content)));
    }
    // One pass for a frame that is written otherwise; any other takes the long way.
    if text.starts_with('{')
        && let Ok(MessageFrame { module, content }) = serde_json::from_str(text)
        && module == "message"
    {
        return Ok(Frame::Event(content));
    }
    let frame: RawFrame<'_> = from_object(text)?;
    let module = match frame.module.as_str() {
        None if frame.event.is_some() => return Ok(Frame::Event(Cow::Borrowed(text))),
        None => return Err(Unreadable::NoEventName),
        Some(module) => module.to_ascii_lowercase(),
    };
    if module != "message" {
        let success = frame.success.and_then(|raw| match raw.get().trim_matches('"') {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        });
        return Ok(Frame::Control { module, success });
    }
    let content = frame.content.ok_or(Unreadable::NoContent)?.get();
    match content.as_bytes().first() {
        Some(b'"') => {
            let text = from_json(content);
            let repaired =
                || repair::repaired(content).and_then(|content| serde_json::from_str(&content).ok());
            text.or_else(|reason| repaired().ok_or(reason)).map(|text| Frame::Event(Cow::Owned(text)))
        }
        Some(b'{') => Ok(Frame::Event(Cow::Borrowed(content))),
        _ => Err(Unreadable::NoContent),
    }
}

/// The event in a frame as Zoom writes every one of them, in one pass that copies it once; `None` for any
/// other frame, and for rare escapes.
fn content_of_usual_frame<'a>(text: &str, EventBuffer(bytes): &'a mut EventBuffer) -> Option<&'a str> {
    let escaped = text.strip_prefix(r#"{"module":"message","content":""#)?.strip_suffix(r#""}"#)?.as_bytes();
    // What is taken is never shorter than what it becomes.
    bytes.resize(bytes.len().max(escaped.len()), 0);
    let (mut taken, mut length) = (0, 0);
    loop {
        // Between the quotes of an event there is too little to be worth a search, and too much for single bytes.
        if let Some(eight) = escaped[taken..].first_chunk::<8>() {
            bytes[length..length + 8].copy_from_slice(eight);
            let plain = plain_bytes(*eight);
            (taken, length) = (taken + plain, length + plain);
            if plain == 8 {
                continue;
            }
        }
        let (byte, spelled) = match &escaped[taken..] {
            [] => break,
            [b'\\', byte @ (b'"' | b'\\' | b'/'), ..] => (*byte, 2),
            [b'\\', b'n', ..] => (b'\n', 2),
            [b'\\', b'r', ..] => (b'\r', 2),
            [b'\\', b't', ..] => (b'\t', 2),
            [b'\\' | b'"', ..] => return None,
            [byte, ..] => (*byte, 1),
        };
        bytes[length] = byte;
        (taken, length) = (taken + spelled, length + 1);
    }
    str::from_utf8(&bytes[..length]).ok()
}

/// How many of eight bytes come before the first quote or backslash.
fn plain_bytes(eight: [u8; 8]) -> usize {
    const EACH: u64 = u64::from_ne_bytes([1; 8]);
    let word = u64::from_le_bytes(eight);
    // Marks the highest bit of each byte that equals `byte`, and maybe of some after the first one.
    let marks = |byte: u8| {
        let zero_where_equal = word ^ (EACH * u64::from(byte));
        zero_where_equal.wrapping_sub(EACH) & !zero_where_equal & (EACH << 7)
    };
    (marks(b'"') | marks(b'\\')).trailing_zeros() as usize / 8
}

/// The challenge of a webhook's URL validation, when `text` is one.
pub(super) fn url_validation(text: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Challenge<'a> {
        #[serde(borrow)]
        event: Cow<'a, str>,
        payload: Payload,
    }
    #[derive(Deserialize)]
    struct Payload {
        #[serde(rename = "plainToken")]
        plain_token: String,
    }
    // Spares every other body a second pass.
    if !text.contains("url_validation") {
        return None;
    }
    let challenge: Challenge<'_> = serde_json::from_str(text).ok()?;
    (challenge.event == "endpoint.url_validation").then_some(challenge.payload.plain_token)
}

impl Reader {
    /// A reader that marks events of accounts other than `account_id`.
    pub fn new(account_id: Option<&str>) -> Self {
        Self { account_id: account_id.map(Arc::from), ..Self::default() }
    }

    /// Reads an event's own text that arrived at `received_at`.
    pub fn read(&self, text: &str, received_at: Timestamp) -> Result<Parsed, Unreadable> {
        match self.read_as_it_is(text, received_at) {
            Err(Unreadable::Json(reason)) => match repair::repaired(text) {
                Some(text) => self.read_as_it_is(&text, received_at),
                None => Err(Unreadable::Json(reason)),
            },
            outcome => outcome,
        }
    }

    fn read_as_it_is(&self, text: &str, received_at: Timestamp) -> Result<Parsed, Unreadable> {
        let envelope = read_envelope(text)?;
        let name = event_name(&envelope)?;
        let live = LiveEvent::named(&name);
        let foreign = self.foreign_account(&envelope);
        let call_id = call_id(&envelope, &name, live)?;
        let sent_at = envelope.event_ts.get();
        let found = match (live, &call_id) {
            (Some(LiveEvent::Voicemail), None) => self.rings.call_of(text).map(|id| Arc::from(id.as_str())),
            _ => None,
        };
        let mut fact = match (live, &envelope.object()) {
            (Some(live), Some(object)) => {
                let call_id = call_id.as_ref().or(found.as_ref());
                translate::fact(live, object, call_id, sent_at, received_at, &self.parties)
                    .map_err(|path| Unreadable::Mistyped { event: Arc::clone(&name), path })?
            }
            (None, _) => match record::scope(&name).map(|scope| record::fact(scope, text, received_at)) {
                Some(told) => told.map_err(|_| Unreadable::Crowded { event: Arc::clone(&name) })?,
                None => None,
            },
            _ => None,
        };
        if let (Some(fact), Some(account)) = (&mut fact, foreign) {
            translate::move_to_account(fact, account);
        }
        match &fact {
            Some(fact) if live.is_some() => self.rings.note(fact, received_at),
            Some(fact) => self.rings.note_record(text, &fact.call_id, received_at),
            None => {}
        }
        let presence =
            presence::origin(&name).and_then(|origin| presence::fact(origin, text, sent_at, received_at));
        let key = match (live, envelope.object()) {
            (Some(live), Some(object)) => key::of_live_event(live, &name, object, sent_at),
            (_, object) => key::of_other_event(&name, object, text),
        };
        Ok(Parsed { name, call_id, key, sent_at, fact, presence, foreign: foreign.is_some() })
    }

    /// What it remembers of events since an instant: whoever reads the journal on from here has to know it.
    pub(crate) fn memory(&self, since: Timestamp) -> Memory {
        self.rings.memory(since)
    }

    /// A reader that remembers that and nothing else: for whoever reads the journal from another place.
    pub(crate) fn remembering(&self, memory: Memory) -> Self {
        Self { rings: RecentRings::remembering(memory), ..self.clone() }
    }

    /// Only the fact of an event that was read before.
    pub fn fact(&self, text: &str, received_at: Timestamp) -> Option<Fact> {
        self.read(text, received_at).ok()?.fact
    }

    /// The account an event names when it is not ours.
    fn foreign_account<'a>(&self, envelope: &'a Envelope<'_>) -> Option<&'a str> {
        let named = envelope.payload.get()?.account_id.as_str()?;
        self.account_id.as_deref().filter(|ours| *ours != named).map(|_| named)
    }
}

fn read_envelope(text: &str) -> Result<Envelope<'_>, Unreadable> {
    if text.len() > LONGEST_MESSAGE {
        return Err(Unreadable::TooLong);
    }
    from_object(text)
}

fn from_json<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Unreadable> {
    serde_json::from_str(text).map_err(|error| Unreadable::Json(error.to_string()))
}

/// An object's text as what it should be. A list is refused: serde would take it for the fields in
/// their order.
fn from_object<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Unreadable> {
    if text.trim_start().starts_with('{') {
        return from_json(text);
    }
    from_json::<IgnoredAny>(text).and(Err(Unreadable::NotAnObject))
}

fn event_name(envelope: &Envelope<'_>) -> Result<Arc<str>, Unreadable> {
    match envelope.event.as_str() {
        Some(name) if name.len() <= LONGEST_NAME => Ok(Arc::from(name)),
        _ => Err(Unreadable::NoEventName),
    }
}

/// The call an event is about. A live event must say.
fn call_id(
    envelope: &Envelope<'_>,
    name: &Arc<str>,
    live: Option<LiveEvent>,
) -> Result<Option<Arc<str>>, Unreadable> {
    let must = live.is_some_and(LiveEvent::must_name_its_call);
    let mistyped = |path| Err(Unreadable::Mistyped { event: Arc::clone(name), path });
    match &envelope.payload {
        Part::Mistyped if must => return mistyped("payload"),
        Part::Is(payload) if must && matches!(payload.object, Part::Mistyped) => {
            return mistyped("payload.object");
        }
        _ => {}
    }
    match envelope.object().map(|object| &object.call_id) {
        Some(Text::Is(call_id)) if call_id.len() <= LONGEST_NAME => Ok(Some(Arc::from(call_id.as_ref()))),
        Some(Text::Mistyped | Text::Is(_)) if must => mistyped("payload.object.call_id"),
        _ if must => Err(Unreadable::NoCallId { event: Arc::clone(name) }),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests;
