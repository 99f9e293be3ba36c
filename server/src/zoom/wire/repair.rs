//! Texts that are JSON to everybody but the parser: a name that was cut in the middle of an emoji, a number
//! beyond all numbers, a field said twice. Only looked at when reading has failed.

use serde_json::Value;

/// The same text as it can be read: half characters become U+FFFD, absurd numbers `null`, and of a field
/// that is said twice the last counts. `None` when nothing of that helps.
pub(super) fn repaired(text: &str) -> Option<String> {
    let mut value: Value = serde_json::from_str(&without_halves(text)).ok()?;
    say_times_once(&mut value);
    Some(value.to_string())
}

/// `date_time` has an older spelling; with both, there would be two of them.
fn say_times_once(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if fields.contains_key("date_time") {
                fields.remove("date-time");
            }
            fields.values_mut().for_each(say_times_once);
        }
        Value::Array(values) => values.iter_mut().for_each(say_times_once),
        _ => {}
    }
}

fn without_halves(text: &str) -> String {
    let mut repaired = String::with_capacity(text.len());
    let mut rest = text;
    let mut in_text = false;
    while let Some(next) =
        rest.find(|next| in_text && next == '\\' || next == '"' || !in_text && is_digit(next))
    {
        let (before, from) = rest.split_at(next);
        repaired.push_str(before);
        let taken = match from.as_bytes() {
            [b'"', ..] => {
                in_text = !in_text;
                repaired.push('"');
                1
            }
            [b'\\', ..] => copy_escape(from, &mut repaired),
            _ => copy_number(from, &mut repaired),
        };
        rest = from.get(taken..).unwrap_or_default();
    }
    repaired.push_str(rest);
    repaired
}

const fn is_digit(next: char) -> bool {
    next.is_ascii_digit()
}

/// Copies the escape at the beginning of `from`; tells its length.
fn copy_escape(from: &str, to: &mut String) -> usize {
    let unit_at = |start: usize| {
        let digits = from.get(start..start + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let length = match (unit_at(0), unit_at(6)) {
        (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
        (Some(0xd800..=0xdfff), _) => {
            to.push('\u{fffd}');
            return 6;
        }
        (Some(_), _) => 6,
        // The escaped character may be longer than a byte, in a text that is no JSON anyway.
        (None, _) => 1 + from.chars().nth(1).map_or(0, char::len_utf8),
    };
    to.push_str(from.get(..length).unwrap_or_default());
    length
}

/// Copies the number whose digits begin `from`, if there is such a number; tells its length.
fn copy_number(from: &str, to: &mut String) -> usize {
    let is_part = |next: char| is_digit(next) || matches!(next, '.' | 'e' | 'E' | '+' | '-');
    let number = from.split(|next| !is_part(next)).next().unwrap_or_default();
    if number.parse::<f64>().is_ok_and(f64::is_infinite) {
        // Its sign has been copied.
        if to.ends_with('-') {
            to.pop();
        }
        to.push_str("null");
    } else {
        to.push_str(number);
    }
    number.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_replaced_and_pairs_stay() {
        for (text, expected) in [
            (r#"{"a":"x\ud83dy"}"#, "{\"a\":\"x\u{fffd}y\"}"),
            (r#"{"a":"\ude00"}"#, "{\"a\":\"\u{fffd}\"}"),
            (r#"{"a":"\ud83d\u0041"}"#, "{\"a\":\"\u{fffd}A\"}"),
            (r#"{"a":"\ud83d\ud83d\ude00"}"#, "{\"a\":\"\u{fffd}😀\"}"),
            (r#"{"a":"\\ud83d \" \ud83d"}"#, "{\"a\":\"\\\\ud83d \\\" \u{fffd}\"}"),
            (r#"{"a":"ü\ud83d"}"#, "{\"a\":\"ü\u{fffd}\"}"),
            (r#"{"a":-1e999,"b":[1e999,1.5,-2],"c":"1e999"}"#, r#"{"a":null,"b":[null,1.5,-2],"c":"1e999"}"#),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
            (r#"{"date-time":1,"date_time":2}"#, r#"{"date_time":2}"#),
        ] {
            assert_eq!(repaired(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_json_stays_none() {
        for text in
            ["", "{", r#"{"a":"\ud83d}"#, r#"{"a":"\u12"}"#, r#"{"a":\ü}"#, r#"{"a":"\ü"}"#, "\"\\", "01"]
        {
            assert_eq!(repaired(text), None, "{text}");
        }
    }
}
