//! Fields that take what they get: the expected type, something that can be read as it, or
//! "mistyped". None of them ever fails the text they stand in.

use std::{borrow::Cow, fmt};

use domain::time::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

use crate::clock;

/// The outer object of an event.
#[derive(Debug, Deserialize)]
pub(crate) struct Envelope<'a> {
    #[serde(borrow, default)]
    pub(crate) event: Text<'a>,
    #[serde(default)]
    pub(crate) event_ts: Moment,
    #[serde(borrow, default)]
    pub(crate) payload: Part<Payload<'a>>,
}

impl<'a> Envelope<'a> {
    pub(crate) fn object(&self) -> Option<&Object<'a>> {
        self.payload.get()?.object.get()
    }
}

/// What an event is about.
#[derive(Debug, Deserialize)]
pub(crate) struct Payload<'a> {
    #[serde(borrow, default)]
    pub(crate) account_id: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) object: Part<Object<'a>>,
}

/// Everything the live events say, of which each says a part.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Object<'a> {
    #[serde(borrow)]
    pub(crate) call_id: Text<'a>,
    /// A voicemail's own id.
    #[serde(borrow)]
    pub(crate) id: Text<'a>,
    /// Not documented, but seen, and equal on all events of one leg.
    #[serde(borrow)]
    pub(crate) channel_id: Text<'a>,
    #[serde(borrow)]
    pub(crate) caller: Part<End<'a>>,
    #[serde(borrow)]
    pub(crate) callee: Part<End<'a>>,
    #[serde(borrow)]
    pub(crate) owner: Part<End<'a>>,
    #[serde(borrow)]
    pub(crate) recipient: Part<End<'a>>,
    #[serde(borrow)]
    pub(crate) forwarded_by: Part<End<'a>>,
    #[serde(borrow)]
    pub(crate) redirect_forwarded_by: Part<End<'a>>,
    pub(crate) ringing_start_time: Moment,
    pub(crate) answer_start_time: Moment,
    pub(crate) connected_start_time: Moment,
    pub(crate) call_end_time: Moment,
    #[serde(alias = "date-time")]
    pub(crate) date_time: Moment,
    #[serde(borrow)]
    pub(crate) handup_result: Text<'a>,
    #[serde(borrow)]
    pub(crate) park_code: Text<'a>,
    #[serde(borrow)]
    pub(crate) failure_reason: Text<'a>,
    #[serde(borrow)]
    pub(crate) transfer_phone_number: Text<'a>,
    #[serde(borrow)]
    pub(crate) transfer_call_id: Text<'a>,
}

/// A party of a call, or a stop on its way.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct End<'a> {
    #[serde(borrow)]
    pub(crate) id: Text<'a>,
    #[serde(borrow)]
    pub(crate) user_id: Text<'a>,
    #[serde(borrow)]
    pub(crate) extension_id: Text<'a>,
    #[serde(borrow)]
    pub(crate) extension_number: Text<'a>,
    #[serde(borrow)]
    pub(crate) extension_type: Text<'a>,
    /// The spelling of `extension_type` in `owner`.
    #[serde(borrow, rename = "type")]
    pub(crate) kind: Text<'a>,
    #[serde(borrow)]
    pub(crate) name: Text<'a>,
    #[serde(borrow)]
    pub(crate) phone_number: Text<'a>,
    #[serde(borrow)]
    pub(crate) device_id: Text<'a>,
}

/// A text, or a whole number read as one. Empty and null count as absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Text<'a> {
    #[default]
    Absent,
    Mistyped,
    Is(Cow<'a, str>),
}

/// The longest text of a field that is believed: no name, number or id is longer, and every text is
/// kept and shown many times over.
const LONGEST_TEXT: usize = 1_000;

fn unusable(text: &str) -> Option<Text<'static>> {
    match text.len() {
        0 => Some(Text::Absent),
        1..=LONGEST_TEXT => None,
        _ => Some(Text::Mistyped),
    }
}

/// `text` without white space around it. Nearly every text has none, which two looks tell.
fn trimmed(text: &str) -> &str {
    let is_plain = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
    let bytes = text.as_bytes();
    if is_plain(bytes.first()) && is_plain(bytes.last()) { text } else { text.trim() }
}

impl Text<'_> {
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::Is(text) => Some(text),
            Self::Absent | Self::Mistyped => None,
        }
    }
}

/// An instant: RFC 3339, or seconds or milliseconds since 1970 as a number or its digits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Moment {
    #[default]
    Absent,
    Mistyped,
    Is(Timestamp),
}

impl Moment {
    pub(crate) fn get(self) -> Option<Timestamp> {
        match self {
            Self::Is(instant) => Some(instant),
            Self::Absent | Self::Mistyped => None,
        }
    }

    fn from_number(number: i64) -> Self {
        // Seconds would reach this in the year 5138, milliseconds passed it in 1973.
        const FIRST_MILLIS: i64 = 100_000_000_000;
        // 2000-01-01 and 2100-01-01: anything else is a wrong unit or garbage.
        const SANE: std::ops::Range<i64> = 946_684_800_000..4_102_444_800_000;
        let millis = if number < FIRST_MILLIS { number.saturating_mul(1000) } else { number };
        if SANE.contains(&millis) { Self::Is(Timestamp::from_millis(millis)) } else { Self::Mistyped }
    }

    fn from_text(text: &str) -> Self {
        let text = text.trim();
        if text.is_empty() {
            return Self::Absent;
        }
        if let Ok(number) = text.parse() {
            return Self::from_number(number);
        }
        clock::parse_rfc3339(text).map_or(Self::Mistyped, |instant| Self::from_number(instant.as_millis()))
    }
}

/// An object with fields of its own; in a box, since most parts of most events are absent, and what is read is
/// handed on several times before it is whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Part<T> {
    #[default]
    Absent,
    Mistyped,
    Is(Box<T>),
}

impl<T> Part<T> {
    pub(crate) fn get(&self) -> Option<&T> {
        match self {
            Self::Is(part) => Some(part),
            Self::Absent | Self::Mistyped => None,
        }
    }
}

/// Reads to the end of a list or object that nobody expected here.
fn skip_seq<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<(), A::Error> {
    while seq.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

fn skip_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<(), A::Error> {
    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                let text = trimmed(text);
                Ok(unusable(text).unwrap_or(Text::Is(Cow::Borrowed(text))))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                let text = trimmed(text);
                Ok(unusable(text).unwrap_or_else(|| Text::Is(Cow::Owned(text.to_owned()))))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
                Ok(Text::Is(Cow::Owned(number.to_string())))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
                Ok(Text::Is(Cow::Owned(number.to_string())))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
                // A float holds whole numbers exactly up to here; beyond, digits are lost.
                const EXACT: f64 = 9_007_199_254_740_992.0;
                let whole = number.fract() == 0.0 && number.abs() < EXACT;
                Ok(if whole { Text::Is(Cow::Owned(format!("{number:.0}"))) } else { Text::Mistyped })
            }

            fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Text::Mistyped)
            }

            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(Text::Absent)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                skip_seq(seq).map(|()| Text::Mistyped)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                skip_map(map).map(|()| Text::Mistyped)
            }
        }

        deserializer.deserialize_any(TextVisitor)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MomentVisitor;

        impl<'de> Visitor<'de> for MomentVisitor {
            type Value = Moment;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Moment::from_text(text))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
                Ok(Moment::from_number(number))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
                Ok(i64::try_from(number).map_or(Moment::Mistyped, Moment::from_number))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
                // Python's clocks tell seconds with a fraction. The cast saturates.
                let seconds_only = number.abs() < 100_000_000_000.0;
                let millis = if seconds_only { number * 1000.0 } else { number };
                Ok(Moment::from_number(millis.round() as i64))
            }

            fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Moment::Mistyped)
            }

            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(Moment::Absent)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                skip_seq(seq).map(|()| Moment::Mistyped)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                skip_map(map).map(|()| Moment::Mistyped)
            }
        }

        deserializer.deserialize_any(MomentVisitor)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Part<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PartVisitor<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for PartVisitor<T> {
            type Value = Part<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                Box::deserialize(MapAccessDeserializer::new(map)).map(Part::Is)
            }

            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(Part::Absent)
            }

            fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Part::Mistyped)
            }

            fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
                Ok(Part::Mistyped)
            }

            fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
                Ok(Part::Mistyped)
            }

            fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Part::Mistyped)
            }

            fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> {
                Ok(Part::Mistyped)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                skip_seq(seq).map(|()| Part::Mistyped)
            }
        }

        deserializer.deserialize_any(PartVisitor(std::marker::PhantomData))
    }
}
