use std::{collections::BTreeMap, sync::Arc};

use domain::{
    fact::{
        Fact, HangUp, LegFact, Party, Side, SideFact, Station, StationKind, TransferFact, What, What as Said,
    },
    id::{CallId, ChannelId, DeviceId, ExtensionId, UserId},
    time::Timestamp,
};
use serde_json::{Value, json};

use super::LIVE_EVENTS;
use crate::{
    clock,
    zoom::wire::{Parsed, Reader, Unreadable},
};

const ARRIVED: Timestamp = Timestamp::from_millis(1_790_000_060_000);
/// When the message was sent, later than the times in it.
const SENT_MS: i64 = 1_790_000_012_345;

fn at(text: &str) -> Timestamp {
    clock::parse_rfc3339(text).expect("a test instant")
}

fn message(event: &str, object: &Value) -> String {
    json!({ "event": event, "event_ts": SENT_MS, "payload": { "account_id": "acc", "object": object } })
        .to_string()
}

fn read(event: &str, object: &Value) -> Result<Parsed, Unreadable> {
    Reader::new(Some("acc")).read(&message(event, object), ARRIVED)
}

fn fact(event: &str, object: &Value) -> Fact {
    read(event, object).expect("readable").fact.expect("a fact")
}

/// A queue member's phone, as events describe it.
fn member() -> Value {
    json!({
        "user_id": "u-anna", "extension_id": "e-anna", "extension_number": 201, "extension_type": "user",
        "name": "Anna", "phone_number": "201", "device_id": "d-1", "device_type": "Phone(1.0)",
        "timezone": "Europe/Berlin", "connection_type": "voip",
    })
}

fn anna() -> Party {
    Party {
        account: None,
        kind: Some(StationKind::User),
        extension_id: Some(ExtensionId::from("e-anna")),
        extension_number: Some("201".to_owned()),
        user_id: Some(UserId::from("u-anna")),
        name: Some("Anna".to_owned()),
        number: Some("201".to_owned()),
    }
}

fn outsider(number: &str) -> Party {
    Party { number: Some(number.to_owned()), ..Party::default() }
}

fn callee_leg() -> LegFact {
    LegFact {
        side: Side::Callee,
        party: anna().into(),
        other: outsider("+4930555001").into(),
        channel_id: None,
        device_id: Some(DeviceId::from("d-1")),
        rang_at: at("2026-09-21T12:00:00Z"),
        answered_at: None,
        hang_up: None,
        offered_by: None,
        came_through: None,
        sent_at: Timestamp::from_millis(SENT_MS),
    }
}

fn told(call_id: &str, at_text: &str, what: What) -> Fact {
    Fact::new(CallId::from(call_id), at(at_text), what)
}

fn callee_object(times: Value) -> Value {
    let mut object = json!({
        "call_id": "7700000000000000001", "caller": { "phone_number": "+4930555001" }, "callee": member(),
        "ringing_start_time": "2026-09-21T12:00:00Z",
    });
    merge(&mut object, times);
    object
}

fn merge(object: &mut Value, more: Value) {
    let (Value::Object(object), Value::Object(more)) = (object, more) else { panic!("two objects") };
    object.extend(more);
}

#[test]
fn a_ring_through_receptionist_and_queue_names_all_stations() {
    let object = callee_object(json!({
        "channel_id": "c-9",
        "forwarded_by": { "name": "Sales", "extension_type": "call_queue", "extension_number": "805" },
        "redirect_forwarded_by": { "name": "Menu", "extension_type": "AutoReceptionist", "extension_number": 100 },
    }));
    let station = |kind, name: &str, number: &str| {
        Some(Arc::new(Station {
            kind,
            account: None,
            name: Some(name.to_owned()),
            extension_number: Some(number.to_owned()),
        }))
    };
    let leg = LegFact {
        channel_id: Some(ChannelId::from("c-9")),
        offered_by: station(StationKind::CallQueue, "Sales", "805"),
        came_through: station(StationKind::AutoReceptionist, "Menu", "100"),
        ..callee_leg()
    };
    assert_eq!(
        fact("phone.callee_ringing", &object),
        told("7700000000000000001", "2026-09-21T12:00:00Z", Said::Rang(leg))
    );
}

#[test]
fn the_life_of_a_called_leg() {
    let check = |event: &str, times: Value, when: &str, what: What| {
        assert_eq!(fact(event, &callee_object(times)), told("7700000000000000001", when, what), "{event}");
    };
    let answered = "2026-09-21T12:00:07Z";
    let ended = "2026-09-21T12:03:00Z";
    check(
        "phone.callee_answered",
        json!({ "answer_start_time": answered }),
        answered,
        Said::Answered(LegFact { answered_at: Some(at(answered)), ..callee_leg() }),
    );
    check(
        "phone.callee_missed",
        json!({ "call_end_time": ended, "handup_result": "Answered by Other Member" }),
        ended,
        Said::Missed(LegFact { hang_up: Some(HangUp::AnsweredElsewhere), ..callee_leg() }),
    );
    check(
        "phone.callee_rejected",
        json!({ "call_end_time": ended, "handup_result": "Rejected" }),
        ended,
        Said::Rejected(LegFact { hang_up: Some(HangUp::Rejected), ..callee_leg() }),
    );
    check("phone.callee_ended", json!({ "call_end_time": ended }), ended, Said::Ended(callee_leg()));
    check(
        "phone.callee_ended",
        json!({ "call_end_time": ended, "answer_start_time": answered, "handup_result": "Call connected" }),
        ended,
        Said::Ended(LegFact {
            answered_at: Some(at(answered)),
            hang_up: Some(HangUp::Connected),
            ..callee_leg()
        }),
    );
}

#[test]
fn the_caller_is_the_own_side_of_caller_events() {
    let object = |times: Value| {
        let mut object = json!({
            "call_id": "72", "caller": member(), "callee": { "phone_number": "+4930555001" },
            "ringing_start_time": "2026-09-21T12:00:00Z",
        });
        merge(&mut object, times);
        object
    };
    let leg = LegFact { side: Side::Caller, ..callee_leg() };
    let connected = "2026-09-21T12:00:09Z";
    let ended = "2026-09-21T12:01:00Z";
    assert_eq!(
        fact("phone.caller_ringing", &object(json!({}))),
        told("72", "2026-09-21T12:00:00Z", Said::Rang(leg.clone()))
    );
    assert_eq!(
        fact("phone.caller_connected", &object(json!({ "connected_start_time": connected }))),
        told("72", connected, Said::Answered(LegFact { answered_at: Some(at(connected)), ..leg.clone() }))
    );
    assert_eq!(
        fact(
            "phone.caller_ended",
            &object(json!({ "call_end_time": ended, "handup_result": "Call Cancel" }))
        ),
        told("72", ended, Said::Ended(LegFact { hang_up: Some(HangUp::CallerGaveUp), ..leg }))
    );
}

#[test]
fn what_a_side_does_with_a_connected_call() {
    let when = "2026-09-21T12:05:00Z";
    for (name, side) in [("callee", Side::Callee), ("caller", Side::Caller)] {
        let mut object = json!({ "call_id": "73", "date_time": when, "park_code": "*81", "meeting_id": "8" });
        object[name] = member();
        let by = || SideFact { side, party: anna().into(), device_id: Some(DeviceId::from("d-1")) };
        for (verb, what) in [
            ("hold", Said::Held(by())),
            ("unhold", Said::Resumed(by())),
            ("mute", Said::Muted(by())),
            ("unmute", Said::Unmuted(by())),
            ("meeting_inviting", Said::MovedToMeeting(by())),
        ] {
            assert_eq!(
                fact(&format!("phone.{name}_{verb}"), &object),
                told("73", when, what),
                "{name} {verb}"
            );
        }
    }
}

#[test]
fn e4_only_a_code_makes_a_park() {
    let park = |code: Value, reason: &str| {
        let object = json!({
            "call_id": "74", "callee": member(), "caller": {}, "date_time": "2026-09-21T12:05:00Z",
            "park_code": code, "park_failure_reason": reason,
        });
        read("phone.callee_parked", &object).expect("readable").fact.map(|fact| *fact.what)
    };
    // Success carries a sentence as its "failure reason".
    assert!(matches!(park(json!("*81"), "Parked."), Some(Said::Parked { code, .. }) if code == "*81"));
    assert_eq!(park(json!(""), "No free slot."), None);
    assert_eq!(park(json!(null), "No free slot."), None);
}

#[test]
fn e3_a_transfer_failed_when_it_gives_a_reason() {
    let when = "2026-09-21T12:06:00Z";
    let object = |reason: Value| {
        json!({
            "call_id": "75", "date_time": when, "transfer_phone_number": "+4930555002",
            "transfer_call_id": "76", "failure_reason": reason,
            "owner": { "id": "u-anna", "name": "Anna", "type": "user", "extension_number": 201 },
        })
    };
    let transfer = |failed| TransferFact {
        by: Some(Arc::new(Party {
            kind: Some(StationKind::User),
            extension_number: Some("201".to_owned()),
            user_id: Some(UserId::from("u-anna")),
            name: Some("Anna".to_owned()),
            ..Party::default()
        })),
        to: Some("+4930555002".to_owned()),
        failed,
    };
    for (reason, failed) in [(json!(""), false), (json!(null), false), (json!("busy"), true)] {
        let object = object(reason);
        for (event, what) in [
            ("blind_transfer_initiated", Said::BlindTransferStarted(transfer(failed))),
            (
                "warm_transfer_initiated",
                Said::WarmTransferStarted { transfer: transfer(failed), consult: Some(CallId::from("76")) },
            ),
            ("warm_transfer_completed", Said::WarmTransferCompleted(transfer(failed))),
            ("warm_transfer_cancelled", Said::WarmTransferCancelled(transfer(failed))),
            ("transfer_call_to_voicemail_initiated", Said::SentToVoicemail(transfer(failed))),
            ("conference_started", Said::ConferenceStarted(transfer(failed))),
        ] {
            assert_eq!(fact(&format!("phone.{event}"), &object), told("75", when, what), "{event}");
        }
    }
    let object = json!({
        "call_id": "75", "date_time": when,
        "recipient": { "extension_number": 305, "name": "Ben" },
        "owner": { "id": "q-1", "type": "callQueue" },
    });
    let by = Some(Party { kind: Some(StationKind::CallQueue), ..Party::default() });
    let changed = TransferFact { by: by.map(Arc::new), to: Some("305".to_owned()), failed: false };
    assert_eq!(
        fact("phone.transfer_recipient_updated", &object),
        told("75", when, Said::RecipientChanged(changed)),
        "a queue's id is nobody's user id"
    );
}

#[test]
fn emergencies_and_voicemails() {
    let object = json!({
        "call_id": "77", "caller": { "id": "u-anna", "display_name": "Anna" }, "callee": {},
        "ringing_start_time": "2026-09-21T12:07:00Z", "location": {}, "router": "ZOOM", "deliver_to": "PSAP",
    });
    let expected = told("77", "2026-09-21T12:07:00Z", Said::EmergencyDialled);
    assert_eq!(fact("phone.emergency_alert", &object), expected);

    let mut object = json!({ "id": "v-1", "date_time": "2026-09-21T12:08:00Z", "call_id": "78" });
    let expected = told("78", "2026-09-21T12:08:00Z", Said::VoicemailLeft);
    assert_eq!(fact("phone.voicemail_received", &object), expected);
    object["call_id"] = json!(null);
    let parsed = read("phone.voicemail_received", &object).expect("a voicemail need not name its call");
    assert_eq!((parsed.call_id, parsed.fact), (None, None));
}

#[test]
fn times_that_are_missing_fall_back() {
    let object = json!({ "call_id": "79", "callee": {}, "caller": {} });
    let Fact { at: when, what, .. } = fact("phone.callee_ringing", &object);
    let Said::Rang(leg) = *what else { panic!("a ring") };
    let sent = Timestamp::from_millis(SENT_MS);
    assert_eq!((when, leg.rang_at, leg.sent_at), (sent, sent, sent));

    let text = json!({ "event": "phone.callee_hold", "payload": { "object": object } }).to_string();
    let parsed = Reader::default().read(&text, ARRIVED).expect("readable without any time");
    assert_eq!(parsed.fact.map(|fact| fact.at), Some(ARRIVED));

    // Without a ring time, the answer is the earliest that is known of the leg.
    let object = json!({
        "call_id": "79", "callee": {}, "caller": {}, "answer_start_time": "2026-09-21T12:00:07Z",
        "call_end_time": "2026-09-21T12:01:00Z",
    });
    let Said::Ended(leg) = *fact("phone.callee_ended", &object).what else { panic!("an end") };
    assert_eq!(leg.rang_at, at("2026-09-21T12:00:07Z"));
}

#[test]
fn a6_an_end_may_come_without_a_callee() {
    let object = json!({ "call_id": "80", "caller": {}, "call_end_time": "2026-09-21T12:01:00Z" });
    let Said::Ended(leg) = *fact("phone.callee_ended", &object).what else { panic!("an end") };
    assert_eq!((leg.party, leg.device_id), (Arc::default(), None));
}

#[test]
fn c3_words_are_folded_and_unknown_ones_kept() {
    let hang_up = |words: &str| {
        let object = callee_object(json!({ "handup_result": words }));
        match *fact("phone.callee_missed", &object).what {
            Said::Missed(leg) => leg.hang_up,
            other => panic!("a miss, not {other:?}"),
        }
    };
    for (words, expected) in [
        ("No Answer", HangUp::NoAnswer),
        ("Ring Timeout", HangUp::NoAnswer),
        ("no_answer", HangUp::NoAnswer),
        ("Busy", HangUp::Busy),
        ("Call Cancel", HangUp::CallerGaveUp),
        ("Call Canceled", HangUp::CallerGaveUp),
        ("Call Cancelled", HangUp::CallerGaveUp),
        ("Answered by Other Device", HangUp::AnsweredElsewhere),
        ("Voicemail", HangUp::Voicemail),
        ("CALL-CONNECTED", HangUp::Connected),
        ("Gone Fishing", HangUp::Other("Gone Fishing".to_owned())),
    ] {
        assert_eq!(hang_up(words), Some(expected), "{words}");
    }
    assert_eq!(hang_up(""), None);

    let kind = |word: &str| {
        let object = callee_object(json!({ "forwarded_by": { "extension_type": word } }));
        match *fact("phone.callee_ringing", &object).what {
            Said::Rang(leg) => leg.offered_by.map(|station| station.kind.clone()),
            other => panic!("a ring, not {other:?}"),
        }
    };
    for (word, expected) in [
        ("callQueue", StationKind::CallQueue),
        ("callqueue", StationKind::CallQueue),
        ("Call-Queue", StationKind::CallQueue),
        ("auto_receptionist", StationKind::AutoReceptionist),
        ("commonAreaPhone", StationKind::CommonArea),
        ("sharedLines", StationKind::SharedLineGroup),
        ("zoomRoom", StationKind::Other("zoomRoom".to_owned())),
    ] {
        assert_eq!(kind(word), Some(expected), "{word}");
    }
}

#[test]
fn c10_a_withheld_number_is_no_number() {
    for number in ["anonymous", "Anonymous", "", "Restricted", "unknown"] {
        let object = callee_object(json!({ "caller": { "phone_number": number } }));
        let Said::Rang(leg) = *fact("phone.callee_ringing", &object).what else { panic!("a ring") };
        assert_eq!(leg.other.number, None, "{number:?}");
    }
}

#[test]
fn e6_parts_of_a_transferred_call_are_one_call() {
    for (id, expected) in [("81_1", "81"), ("81_12", "81"), ("81_", "81_"), ("a_1", "a_1"), ("81", "81")] {
        let object = json!({ "call_id": id, "date_time": "2026-09-21T12:05:00Z" });
        let parsed = read("phone.conference_started", &object).expect("readable");
        assert_eq!(parsed.call_id.as_deref(), Some(id), "as it was written");
        assert_eq!(parsed.fact.map(|fact| fact.call_id), Some(CallId::from(expected)));
    }
}

#[test]
fn b8_what_happened_is_dated_by_its_own_times_and_not_by_its_sending() {
    // Sent 12 s later, as messages are; the times in it disagree by eight hours with that of another.
    let object = callee_object(json!({ "answer_start_time": "2026-09-21T12:00:07Z" }));
    let text = |sent: i64| {
        json!({ "event": "phone.callee_answered", "event_ts": sent, "payload": { "object": object } })
            .to_string()
    };
    for sent in [SENT_MS, SENT_MS + 12_000, SENT_MS - 8 * 3_600_000] {
        let fact = Reader::default().fact(&text(sent), ARRIVED).expect("a fact");
        let Said::Answered(leg) = *fact.what else { panic!("an answer") };
        assert_eq!((fact.at, leg.rang_at), (at("2026-09-21T12:00:07Z"), at("2026-09-21T12:00:00Z")));
    }
}

#[test]
fn c1_a_queue_is_named_without_an_id_and_its_caller_is_not_its_member() {
    let by =
        json!({ "name": "Sales", "extension_type": "callQueue", "extension_number": "805", "id": "q-1" });
    let object = callee_object(json!({ "forwarded_by": by }));
    let Said::Rang(leg) = *fact("phone.callee_ringing", &object).what else { panic!("a ring") };
    assert_eq!(*leg.party, anna());
    let queue = leg.offered_by.expect("a queue");
    assert_eq!((queue.name.as_deref(), queue.extension_number.as_deref()), (Some("Sales"), Some("805")));
}

#[test]
fn c2_the_queue_itself_may_be_called() {
    let queue = json!({ "extension_type": "callqueue", "extension_id": "e-q", "extension_number": 805,
        "name": "Sales", "phone_number": "805" });
    let mut object = callee_object(json!({}));
    object["callee"] = queue;
    let Said::Rang(leg) = *fact("phone.callee_ringing", &object).what else { panic!("a ring") };
    assert_eq!(leg.party.kind, Some(StationKind::CallQueue));
    assert_eq!(leg.party.user_id, None);
    assert_eq!(leg.party.extension_id, Some(ExtensionId::from("e-q")));
}

#[test]
fn c4_extension_numbers_come_as_numbers_and_as_text_and_outside_numbers_among_them() {
    let caller = |value: Value| {
        let object =
            callee_object(json!({ "caller": { "extension_type": "user", "extension_number": value } }));
        let Said::Rang(leg) = *fact("phone.callee_ringing", &object).what else { panic!("a ring") };
        leg.other.extension_number.clone()
    };
    assert_eq!(caller(json!(201)), caller(json!("201")));
    assert_eq!(caller(json!(493_055_500_111_i64)).as_deref(), Some("493055500111"));
    // A bare extension where a telephone number stands.
    let object = callee_object(json!({ "caller": { "phone_number": "1045" } }));
    let Said::Rang(leg) = *fact("phone.callee_ringing", &object).what else { panic!("a ring") };
    assert_eq!(leg.other.number.as_deref(), Some("1045"));
}

#[test]
fn c6_a_menu_that_rings_is_told_as_a_menu() {
    let mut object = callee_object(json!({}));
    object["callee"] =
        json!({ "extension_type": "auto_receptionist", "extension_number": 700, "name": "Menu" });
    let Said::Rang(leg) = *fact("phone.callee_ringing", &object).what else { panic!("a ring") };
    assert_eq!(leg.party.kind, Some(StationKind::AutoReceptionist));
    assert_eq!(leg.party.user_id, None);
}

#[test]
fn c12_fields_of_real_messages_that_no_schema_has_are_read_or_passed_over() {
    let object = json!({ "call_id": "90", "callee": member(), "date-time": "2026-09-21T12:05:00Z" });
    assert_eq!(fact("phone.callee_hold", &object).at, at("2026-09-21T12:05:00Z"));
    let missed = callee_object(json!({
        "call_end_time": "2026-09-21T12:00:20Z", "handup_result": "No Answer", "channel_id": "c-1",
        "sip_id": "s-1@host", "redirect_forwarded_by": { "name": "Menu", "extension_type": "autoReceptionist" },
    }));
    let Said::Missed(leg) = *fact("phone.callee_missed", &missed).what else { panic!("a miss") };
    assert_eq!(leg.channel_id, Some(ChannelId::from("c-1")));
    assert_eq!(leg.came_through.map(|station| station.kind.clone()), Some(StationKind::AutoReceptionist));
}

/// What belongs to a call and is not the call: kept as it came, and nothing on the board moves.
#[test]
fn f2_f3_f4_f5_f6_f7_f8_what_is_left_of_calls_is_kept_and_tells_no_fact() {
    let recording = json!({ "id": "r-1", "call_id": "91", "download_url": "https://zoom.invalid/r/1" });
    for (event, object) in [
        (
            "phone.voicemail_received_for_access_member",
            json!({ "id": "v-1", "call_id": "91", "access_member_id": "m" }),
        ),
        ("phone.recording_completed", json!({ "recordings": [recording.clone(), recording] })),
        ("phone.recording_completed_for_access_member", json!({ "recordings": [] })),
        ("phone.voicemail_transcript_completed", json!({ "id": "v-1", "transcription": { "status": 2 } })),
        ("phone.ai_call_summary_changed", json!({ "call_log_ids": ["l-1", "l-2"] })),
        ("phone.voicemail_deleted", json!({ "id": "v-1" })),
        ("phone.recording_permanently_deleted", json!({ "recordings": [] })),
        ("phone.call_element_deleted", json!({ "call_elements": ["e-1"] })),
        ("contact_center.recording_completed", json!({ "recording_id": "r-9" })),
    ] {
        assert_eq!(read(event, &object).expect(event).fact, None, "{event}");
    }
}

/// Path, type and whether it is required, of every field below `payload.object`.
type Fields = Vec<(String, String, bool)>;

fn schema() -> BTreeMap<String, Fields> {
    serde_json::from_str(include_str!("../live_events.json")).expect("the fixture is valid")
}

fn value_of(path: &str, kind: &str) -> Value {
    match kind {
        "object" => json!({}),
        "array" => json!(["1.2,3.4"]),
        "boolean" => json!(true),
        "integer" => json!(201),
        _ if path.ends_with("_time") => json!("2026-09-21T12:00:00Z"),
        _ if path == "call_id" => json!("7700000000000000002"),
        _ => json!(format!("text of {path}")),
    }
}

fn set(object: &mut Value, path: &str, value: Value) {
    let mut place = object;
    for step in path.split('.') {
        place = &mut place[step];
    }
    *place = value;
}

fn built(fields: &Fields, without: Option<&str>) -> Value {
    let mut object = json!({});
    let is_kept = |path: &str| {
        without.is_none_or(|without| path != without && !path.starts_with(&format!("{without}.")))
    };
    for (path, kind, _) in fields.iter().filter(|(path, ..)| is_kept(path)) {
        set(&mut object, path, value_of(path, kind));
    }
    object
}

/// Reading must end in a fact or a reason for any shape of an event; a park or voicemail may end in
/// neither.
fn check_outcome(event: &str, object: &Value, variation: &str) {
    match read(event, object) {
        Ok(parsed) => {
            let may_be_silent = matches!(event, "phone.callee_parked" | "phone.voicemail_received");
            assert!(parsed.fact.is_some() || may_be_silent, "{event} {variation}: no fact");
            let again = Reader::default().fact(&message(event, object), ARRIVED);
            assert_eq!(again, parsed.fact, "{event} {variation}: replayed differently");
        }
        Err(reason) => assert!(!reason.to_string().is_empty()),
    }
}

#[test]
fn every_live_event_is_known_and_told_from_all_or_only_the_required_fields() {
    let schema = schema();
    let known: Vec<&str> = LIVE_EVENTS.iter().map(|(name, _)| *name).collect();
    assert_eq!(schema.len(), known.len());
    for (event, fields) in &schema {
        assert!(known.contains(&event.as_str()), "{event} is not translated");
        assert!(read(event, &built(fields, None)).expect(event).fact.is_some(), "{event} with all fields");
        let required: Fields = fields.iter().filter(|(.., required)| *required).cloned().collect();
        check_outcome(event, &built(&required, None), "with the required fields");
    }
}

#[test]
fn every_live_event_survives_any_field_missing_extra_or_mistyped() {
    let wrong = [
        json!(null),
        json!(""),
        json!("text"),
        json!(0),
        json!(-1),
        json!(18_446_744_073_709_551_615_u64),
        json!(1.5),
        json!(1e300),
        json!(true),
        json!([]),
        json!([{ "a": [1] }]),
        json!({}),
        json!({ "a": { "b": 1 } }),
    ];
    for (event, fields) in &schema() {
        for (path, ..) in fields {
            check_outcome(event, &built(fields, Some(path)), &format!("without {path}"));
            for value in &wrong {
                // What stood below a replaced object is gone with it.
                let mut object = built(fields, Some(path));
                set(&mut object, path, value.clone());
                check_outcome(event, &object, &format!("with {path} = {value}"));
            }
        }
        let mut object = built(fields, None);
        merge(&mut object, json!({ "new_field": [{ "deep": { "er": 1 } }], "sip_id": 7 }));
        assert!(read(event, &object).expect(event).fact.is_some(), "{event} with unknown fields");
    }
}

#[test]
fn what_must_be_readable_names_its_path() {
    let reason = |event: &str, path: &str, value: Value| {
        let mut object = callee_object(json!({ "call_end_time": "2026-09-21T12:01:00Z" }));
        set(&mut object, path, value);
        read(event, &object).expect_err("unreadable")
    };
    let event: Arc<str> = "phone.callee_ended".into();
    for (path, named) in [
        ("call_id", "payload.object.call_id"),
        ("callee", "payload.object.callee"),
        ("ringing_start_time", "payload.object.ringing_start_time"),
        ("call_end_time", "payload.object.call_end_time"),
    ] {
        assert_eq!(
            reason(&event, path, json!([1])),
            Unreadable::Mistyped { event: Arc::clone(&event), path: named }
        );
    }
    assert_eq!(reason(&event, "call_id", json!("")), Unreadable::NoCallId { event });
}
