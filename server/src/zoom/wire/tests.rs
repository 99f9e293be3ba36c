use std::time::Duration;

use domain::fact::{Party, What};
use serde_json::{Value, json};

use super::*;
use crate::clock;

const ARRIVED: Timestamp = Timestamp::from_millis(1_790_000_060_000);

fn event(object: Value) -> Value {
    json!({
        "event": "phone.callee_ringing", "event_ts": 1_790_000_012_345_i64,
        "payload": { "account_id": "acc", "object": object },
    })
}

fn ringing() -> Value {
    json!({
        "call_id": "7700000000000000001", "ringing_start_time": "2026-09-21T12:00:00Z",
        "caller": { "phone_number": "+4930555001" },
        "callee": { "extension_id": "e-anna", "device_id": "d-1", "phone_number": "201" },
    })
}

fn read(text: &str) -> Result<Parsed, Unreadable> {
    Reader::new(Some("acc")).read(text, ARRIVED)
}

fn parsed(value: &Value) -> Parsed {
    read(&value.to_string()).expect("readable")
}

fn key(value: &Value) -> EventKey {
    parsed(value).key
}

#[test]
fn a_frame_holds_an_event_in_three_forms() {
    let text = event(ringing()).to_string();
    let as_string = json!({ "module": "message", "content": text }).to_string();
    let as_object = format!(r#"{{"module":"Message","content":{text},"header":{{}}}}"#);
    for frame in [&as_string, &as_object, &text] {
        let mut buffer = EventBuffer::default();
        let Ok(Frame::Event(event)) = read_frame(frame, &mut buffer) else { panic!("an event in {frame}") };
        assert_eq!(event, text);
    }
}

#[test]
fn what_only_the_parser_cannot_read_is_read_all_the_same() {
    let whole = event(ringing());
    let text = whole.to_string();
    let with = |old: &str, new: &str| {
        assert!(text.contains(old), "{old} in {text}");
        text.replacen(old, new, 1)
    };
    let mut dated = whole.clone();
    dated["payload"]["object"]["date_time"] = json!(1_790_000_000);
    for (what, odd, same_as) in [
        ("half a character", with("\"+4930555001\"", r#""+4930555001","name":"Bo \ud83d""#), &whole),
        ("no number", with("\"+4930555001\"", r#""+4930555001","name":1e999"#), &whole),
        ("said twice", with("\"d-1\"", r#""d-0","device_id":"d-1""#), &whole),
        (
            "both spellings",
            with(
                "\"7700000000000000001\"",
                r#""7700000000000000001","date_time":1790000000,"date-time":1790000000"#,
            ),
            &dated,
        ),
    ] {
        let read = read(&odd).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(read.fact.is_some(), "{what}");
        assert_eq!(read.key, key(same_as), "{what}");
        let frame = json!({ "module": "message", "content": odd }).to_string();
        assert_eq!(
            read_frame(&frame, &mut EventBuffer::default()),
            Ok(Frame::Event(Cow::Owned(odd))),
            "{what}"
        );
    }
    let frame = r#"{"module":"message","content":"{\"event\":\"\ud83d\"}"}"#;
    assert_eq!(
        read_frame(frame, &mut EventBuffer::default()),
        Ok(Frame::Event(Cow::Borrowed("{\"event\":\"\u{fffd}\"}")))
    );
}

#[test]
fn control_frames_say_whether_they_are_good_news() {
    let control = |module: &str, success| Ok(Frame::Control { module: module.to_owned(), success });
    for (frame, expected) in [
        (
            r#"{"module":"build_connection","success":true,"content":"ok"}"#,
            control("build_connection", Some(true)),
        ),
        (
            r#"{"module":"build_connection","success":false,"content":"?"}"#,
            control("build_connection", Some(false)),
        ),
        (r#"{"module":"build_connection","success":"false"}"#, control("build_connection", Some(false))),
        (
            r#"{"module":"heartbeat","success":true,"content":"live","header":{}}"#,
            control("heartbeat", Some(true)),
        ),
        (r#"{"module":"weather","success":{"sunny":1}}"#, control("weather", None)),
        (r#"{"module":"message"}"#, Err(Unreadable::NoContent)),
        (r#"{"module":"message","content":[]}"#, Err(Unreadable::NoContent)),
        (r#"{"content":"{}"}"#, Err(Unreadable::NoEventName)),
        ("[]", Err(Unreadable::NotAnObject)),
    ] {
        assert_eq!(read_frame(frame, &mut EventBuffer::default()), expected, "{frame}");
    }
    assert!(matches!(read_frame("{", &mut EventBuffer::default()), Err(Unreadable::Json(_))));
    // Quotes double in a text: the frame may be longer than the longest event.
    let text = format!(r#"{{"event":"x","payload":{{"note":"{}"}}}}"#, r#"\""#.repeat(300_000));
    let frame = json!({ "module": "message", "content": text }).to_string();
    assert!(frame.len() > LONGEST_MESSAGE && text.len() < LONGEST_MESSAGE);
    assert_eq!(read_frame(&frame, &mut EventBuffer::default()), Ok(Frame::Event(text.into())));
}

#[test]
fn what_is_no_event_has_a_reason() {
    for (text, expected) in [
        ("[1,2]", Unreadable::NotAnObject),
        ("7", Unreadable::NotAnObject),
        ("{}", Unreadable::NoEventName),
        (r#"{"event":""}"#, Unreadable::NoEventName),
        (r#"{"event":{}}"#, Unreadable::NoEventName),
        (r#"{"event":"phone.callee_mute"}"#, Unreadable::NoCallId { event: "phone.callee_mute".into() }),
        (
            r#"{"event":"phone.callee_mute","payload":7}"#,
            Unreadable::Mistyped { event: "phone.callee_mute".into(), path: "payload" },
        ),
        (
            r#"{"event":"phone.callee_mute","payload":{"object":[]}}"#,
            Unreadable::Mistyped { event: "phone.callee_mute".into(), path: "payload.object" },
        ),
    ] {
        assert_eq!(read(text), Err(expected), "{text}");
    }
    let deep = format!(r#"{{"event":"x","payload":{}1{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    for text in ["", "nonsense", r#"{"event":"x""#, "{\"event\":\"x\u{0}\"}"] {
        assert!(matches!(read(text), Err(Unreadable::Json(_))), "{text}");
    }
    // Depth where nobody looks costs nothing.
    assert!(read(&deep).is_ok());
    assert_eq!(read(&"x".repeat(LONGEST_MESSAGE + 1)), Err(Unreadable::TooLong));
}

#[test]
fn events_of_no_interest_are_kept_without_a_fact() {
    let other =
        json!({ "event": "user.updated", "payload": { "object": { "call_id": 12, "caller": "odd" } } });
    let parsed = parsed(&other);
    assert_eq!((&*parsed.name, parsed.call_id.as_deref(), parsed.fact), ("user.updated", Some("12"), None));
    let bare = json!({ "event": "user.updated", "payload": "odd" });
    assert!(read(&bare.to_string()).is_ok());
}

#[test]
fn call_ids_and_times_come_in_several_types() {
    let with = |name: &str, value: Value| {
        let mut object = ringing();
        object[name] = value;
        parsed(&event(object)).fact.expect("a fact")
    };
    for id in [json!("7700000000000000001"), json!(7_700_000_000_000_000_001_u64)] {
        assert_eq!(with("call_id", id).call_id.as_str(), "7700000000000000001");
    }
    for time in [
        json!("2026-09-21T14:13:20Z"),
        json!("2026-09-21T16:13:20+02:00"),
        json!("2026-09-21T14:13:20"),
        json!(1_790_000_000_000_i64),
        json!(1_790_000_000),
        json!(1_790_000_000.0),
        json!("1790000000"),
    ] {
        let at = with("ringing_start_time", time.clone()).at;
        assert_eq!(at, Timestamp::from_millis(1_790_000_000_000), "{time}");
    }
    // The wrong unit or a broken clock is no time.
    for time in [json!(1_790_000_000_000_000_i64), json!(5), json!("1970-01-02T00:00:00Z"), json!("noon")] {
        let mut object = ringing();
        object["ringing_start_time"] = time.clone();
        let outcome = read(&event(object).to_string());
        assert!(matches!(outcome, Err(Unreadable::Mistyped { .. })), "{time}: {outcome:?}");
    }
}

#[test]
fn another_account_is_marked() {
    let mut object = ringing();
    object["forwarded_by"] = json!({ "extension_type": "callQueue", "extension_number": "801" });
    let text = event(object).to_string();
    let read = |account: Option<&str>| Reader::new(account).read(&text, ARRIVED).expect("readable");
    assert!(!read(Some("acc")).foreign && read(Some("acc")).fact.is_some());
    assert!(!read(None).foreign && read(None).fact.is_some());
    let foreign = read(Some("another"));
    assert!(foreign.foreign && foreign.fact.is_some() && foreign.fact != read(None).fact);
    assert_eq!(foreign.key, read(None).key);
    assert_eq!(Reader::new(Some("another")).fact(&text, ARRIVED), foreign.fact);

    let mut nameless = event(ringing());
    nameless["payload"]["account_id"] = json!(null);
    assert!(parsed(&nameless).fact.is_some(), "an event that names no account is ours");
}

#[test]
fn c11_everybody_and_everything_that_a_sub_account_names_is_marked_as_its_own() {
    let reader = Reader::new(Some("another"));
    let mut object = ringing();
    object["forwarded_by"] = json!({ "extension_type": "callQueue", "extension_number": "801" });
    let What::Rang(leg) = *reader.fact(&event(object).to_string(), ARRIVED).unwrap().what else { panic!() };
    assert_eq!(leg.party.account.as_deref(), Some("acc"));
    assert_eq!(leg.offered_by.unwrap().account.as_deref(), Some("acc"));
    // One that names nobody stays nobody.
    let mut nobody = ringing();
    nobody["callee"] = json!({});
    let What::Rang(leg) = *reader.fact(&event(nobody).to_string(), ARRIVED).unwrap().what else { panic!() };
    assert_eq!(*leg.party, Party::default());

    let element = json!({ "call_id": "7000000000000000041", "direction": "inbound", "callee_ext_number": "1007",
        "callee_ext_type": "user", "operator_ext_number": "801", "operator_ext_type": "call_queue",
        "result": "answered", "start_time": "2026-11-21T13:00:00Z", "answer_time": "2026-11-21T13:00:08Z",
        "end_time": "2026-11-21T13:02:00Z" });
    let queue = json!({ "call_id": "7000000000000000041", "callee_ext_number": "801",
        "callee_ext_type": "call_queue", "result": "answered", "start_time": "2026-11-21T13:00:00Z",
        "end_time": "2026-11-21T13:00:08Z" });
    let object = json!({ "call_history_uuid": "h-1", "call_elements": [queue, element] });
    let text = json!({ "event": "rest.call_history", "payload": { "account_id": "acc", "object": object } });
    let What::Recorded(record) = *reader.fact(&text.to_string(), ARRIVED).unwrap().what else { panic!() };
    assert_eq!(record.stays[0].account.as_deref(), Some("acc"));
    let talk = &record.talks[0];
    assert_eq!(talk.party.account.as_deref(), Some("acc"));
    assert_eq!(talk.offered_by.as_ref().unwrap().account.as_deref(), Some("acc"));
}

#[test]
fn b3_the_same_event_is_the_same_however_it_is_delivered() {
    let original = event(ringing());
    let mut later = original.clone();
    later["event_ts"] = json!(1_790_000_099_999_i64);
    later["request_id"] = json!("r-2");
    let mut as_number = original.clone();
    as_number["payload"]["object"]["call_id"] = json!(7_700_000_000_000_000_001_u64);
    let spaced = serde_json::to_string_pretty(&original).expect("JSON");
    for same in [later.to_string(), as_number.to_string(), spaced] {
        assert_eq!(read(&same).expect("readable").key, key(&original), "{same}");
    }
}

#[test]
fn whatever_tells_two_events_apart_is_in_the_key() {
    let original = key(&event(ringing()));
    for (path, value) in [
        ("/payload/object/call_id", json!("7700000000000000002")),
        ("/payload/object/ringing_start_time", json!("2026-09-21T12:00:01Z")),
        ("/payload/object/callee/device_id", json!("d-2")),
        ("/payload/object/callee/extension_id", json!("e-ben")),
        ("/event", json!("phone.callee_ended")),
    ] {
        let mut other = event(ringing());
        *other.pointer_mut(path).expect("a field") = value;
        assert_ne!(key(&other), original, "{path}");
    }
    let mut channel = ringing();
    channel["channel_id"] = json!("c-1");
    assert_ne!(key(&event(channel)), original);
}

#[test]
fn two_phones_that_nothing_tells_apart_differ_by_when_they_were_told() {
    let mut object = ringing();
    object["callee"]["device_id"] = json!(null);
    let first = event(object.clone());
    let mut second = first.clone();
    second["event_ts"] = json!(1_790_000_012_346_i64);
    assert_ne!(key(&first), key(&second));

    object["channel_id"] = json!("c-1");
    let first = event(object);
    let mut second = first.clone();
    second["event_ts"] = json!(1_790_000_012_346_i64);
    assert_eq!(key(&first), key(&second), "a channel is name enough");
}

#[test]
fn keys_of_other_events_come_from_what_they_say() {
    let one = r#"{"event":"user.updated","event_ts":1,"payload":{"b":[1,{"y":2,"x":"é"}],"a":1.0}}"#;
    let same = r#"{"payload":{"a":1.0,"b":[1,{"x":"\u00e9","y":2}]},"event_ts":2,"event":"user.updated"}"#;
    let other = r#"{"event":"user.updated","event_ts":1,"payload":{"b":[1,{"y":2,"x":"e"}],"a":1.0}}"#;
    let key = |text: &str| read(text).expect("readable").key;
    assert_eq!(key(one), key(same));
    assert_ne!(key(one), key(other));
    assert_ne!(key(one), key(&one.replace("user.updated", "user.created")));
}

#[test]
fn keys_rise_with_time() {
    let at = |seconds: u64| {
        let mut object = ringing();
        let time = Timestamp::from_millis(1_790_000_000_000) + Duration::from_secs(seconds);
        object["ringing_start_time"] = json!(clock::format_rfc3339(time));
        *key(&event(object)).as_bytes()
    };
    assert!(at(0) < at(1) && at(1) < at(300) && at(300) < at(70_000));
}

#[test]
fn a_voicemail_repeated_with_a_fresh_link_is_the_same() {
    let voicemail = |url: &str| {
        json!({
            "event": "phone.voicemail_received", "event_ts": 1_790_000_012_345_i64,
            "payload": { "object": { "id": "v-1", "call_id": "7", "download_url": url } },
        })
    };
    assert_eq!(key(&voicemail("https://a/1")), key(&voicemail("https://a/2")));
}

#[test]
fn only_a_url_validation_has_a_challenge() {
    let text = r#"{"event":"endpoint.url_validation","event_ts":1,"payload":{"plainToken":"abc"}}"#;
    assert_eq!(url_validation(text), Some("abc".to_owned()));
    assert_eq!(url_validation(&text.replace("endpoint.", "phone.")), None);
    assert_eq!(url_validation(r#"{"event":"endpoint.url_validation"}"#), None);
    assert_eq!(url_validation("url_validation"), None);
}

#[test]
fn a_usual_frame_is_read_as_any_other_with_the_same_content() {
    let mut buffer = EventBuffer::default();
    for content in [
        r#"{"event":"phone.callee_ringing"}"#.to_owned(),
        "{\"a\":\"quo\\\"te, back\\\\slash, sl/ash, t\\tab\",\n\t\"b\":\"ü\u{1f600}\"}".to_owned(),
        "{\"a\":\"\u{1}\u{7f}\\u0041\"}".to_owned(),
        String::new(),
    ] {
        let text = serde_json::to_string(&content).unwrap();
        let usual = format!(r#"{{"module":"message","content":{text}}}"#);
        let other = format!(r#"{{ "content": {text}, "module": "message" }}"#);
        for frame in [usual, other] {
            let Ok(Frame::Event(read)) = read_frame(&frame, &mut buffer) else {
                panic!("{frame} is an event")
            };
            assert_eq!(read, content);
        }
    }
    // Whatever has to be escaped, at the edges and between.
    for odd in ['"', '\\', '\n', '\t', '/', '!', '#', '[', ']', '\u{80}', '\u{a2}', '\u{1f600}'] {
        for (length, place) in (0..20).flat_map(|length| (0..=length).map(move |place| (length, place))) {
            let mut content = "!".repeat(length);
            content.insert(place, odd);
            let text = serde_json::to_string(&content).unwrap();
            let frame = format!(r#"{{"module":"message","content":{text}}}"#);
            assert_eq!(content_of_usual_frame(&frame, &mut buffer), Some(&*content));
        }
    }
    for frame in [
        r#"{"module":"message","content":"{\"a\":1}"#,
        r#"{"module":"message","content":"{\"a\":1}","more":1}"#,
        r#"{"module":"message","content":"{\"a\":1\"#,
    ] {
        assert_eq!(content_of_usual_frame(frame, &mut buffer), None, "{frame}");
    }
}
