//! What Zoom writes down of a call afterwards, as facts: conversations and stays in queues.
//!
//! The `…_call_element_completed` events tell of one person's part, seconds to minutes after it; the
//! whole path of a call is read over REST (`backfill`) and journalled as [`DETAIL`]. Both hold the same
//! elements under the same names; the second generation of both puts them into a list of another name.
//! What else they say is kept in the journal and read by nobody yet.

use std::{sync::Arc, time::Duration};

use domain::{
    fact::{Fact, Party, Record, RecordedStay, RecordedTalk, Side, Station, StationKind, StayEnd, What},
    id::{CallId, ExtensionId, RecordId, UserId},
    time::Timestamp,
};
use serde::Deserialize;

use super::{
    translate::{station_kind, without_part_suffix},
    wire::{Moment, Part, Text},
};

/// The name under which the path of a call, read over REST, is journalled.
pub(super) const DETAIL: &str = "rest.call_history";

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    payload: Payload<'a>,
}

#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow)]
    object: Object<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Object<'a> {
    #[serde(borrow)]
    user_id: Text<'a>,
    #[serde(borrow)]
    call_history_uuid: Text<'a>,
    /// The same in the second generation.
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    call_elements: Option<Vec<Part<Element<'a>>>>,
    /// The second generation's list in the path of a call. For a time both lists come, with the same in
    /// them.
    #[serde(borrow)]
    call_path: Option<Vec<Part<Element<'a>>>>,
    /// The second generation's list in an event.
    #[serde(borrow)]
    call_logs: Option<Vec<Part<Element<'a>>>>,
}

impl<'a> Object<'a> {
    /// The newest generation's list that has something in it.
    fn elements(&self) -> &[Part<Element<'a>>] {
        let lists = [&self.call_elements, &self.call_path, &self.call_logs];
        lists.into_iter().flatten().find(|list| !list.is_empty()).map_or(&[], Vec::as_slice)
    }
}

/// Which part of a call a record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// One person's, on that side.
    Part(Side),
    /// All of it.
    Whole,
}

/// One step of a call, as far as it is read.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Element<'a> {
    #[serde(borrow)]
    call_id: Text<'a>,
    #[serde(borrow)]
    caller_ext_id: Text<'a>,
    #[serde(borrow)]
    caller_ext_number: Text<'a>,
    #[serde(borrow)]
    caller_ext_type: Text<'a>,
    #[serde(borrow)]
    caller_name: Text<'a>,
    #[serde(borrow)]
    callee_ext_id: Text<'a>,
    #[serde(borrow)]
    callee_ext_number: Text<'a>,
    #[serde(borrow)]
    callee_ext_type: Text<'a>,
    #[serde(borrow)]
    callee_name: Text<'a>,
    #[serde(borrow)]
    operator_ext_number: Text<'a>,
    #[serde(borrow)]
    operator_ext_type: Text<'a>,
    #[serde(borrow)]
    operator_name: Text<'a>,
    start_time: Moment,
    answer_time: Moment,
    end_time: Moment,
    #[serde(borrow)]
    waiting_time: Text<'a>,
    /// The same in events. An alias would refuse an element that says both.
    #[serde(borrow)]
    wait_time: Text<'a>,
    #[serde(borrow)]
    direction: Text<'a>,
    /// What the step was.
    #[serde(borrow)]
    event: Text<'a>,
    #[serde(borrow)]
    result: Text<'a>,
    #[serde(borrow)]
    result_reason: Text<'a>,
}

impl Element<'_> {
    fn wait(&self) -> Option<Duration> {
        // More than a day is no wait, and would date what follows beyond all belief.
        let seconds = |text: &Text<'_>| text.as_str()?.parse().ok().filter(|seconds| *seconds <= 86_400);
        seconds(&self.waiting_time).or_else(|| seconds(&self.wait_time)).map(Duration::from_secs)
    }
}

/// The path of a call, read over REST as this JSON object, as the event that is journalled.
pub fn path_event(path: &str) -> String {
    format!(r#"{{"event":"{DETAIL}","payload":{{"object":{path}}}}}"#)
}

/// True when a record has the shape that is read here, whether it tells of anything or not.
pub(super) fn is_understood(text: &str) -> bool {
    let event: Result<Event<'_>, _> = serde_json::from_str(text);
    event.is_ok_and(|event| {
        let object = event.payload.object;
        let has_list =
            [&object.call_elements, &object.call_path, &object.call_logs].into_iter().any(Option::is_some);
        has_list && object.elements().iter().all(|element| element.get().is_some())
    })
}

/// What the message of this name is a record of; `None` for any other message.
pub(super) fn scope(name: &str) -> Option<Scope> {
    match name {
        "phone.callee_call_element_completed" | "phone.callee_call_history_completed" => {
            Some(Scope::Part(Side::Callee))
        }
        "phone.caller_call_element_completed" | "phone.caller_call_history_completed" => {
            Some(Scope::Part(Side::Caller))
        }
        DETAIL => Some(Scope::Whole),
        _ => None,
    }
}

/// What a record that was received at `read_at` tells; `None` when it tells of nothing that is known
/// here, or cannot be read.
///
/// A record is about one call. Should it ever name two, the first counts.
pub(super) fn fact(scope: Scope, text: &str, read_at: Timestamp) -> Option<Fact> {
    let event: Event<'_> = serde_json::from_str(text).ok()?;
    let object = event.payload.object;
    let elements = object.elements();
    let mut call: Option<&str> = None;
    let id = match scope {
        Scope::Whole => object.call_history_uuid.as_str().or(object.id.as_str()).map(RecordId::new),
        // Several people have a part in one record.
        Scope::Part(_) => None,
    };
    let mut record = Record { id, read_at, ..Record::default() };
    for element in elements.iter().filter_map(Part::get) {
        let Some(call_id) = element.call_id.as_str().map(without_part_suffix) else { continue };
        if *call.get_or_insert(call_id) != call_id {
            continue;
        }
        let side = match scope {
            Scope::Part(side) => side,
            // Whose conversation it was: the called person's, or the caller's when the other end is outside.
            Scope::Whole
                if element.direction.as_str() == Some("outbound")
                    && element.callee_ext_id.as_str().is_none() =>
            {
                Side::Caller
            }
            Scope::Whole => Side::Callee,
        };
        record.talks.extend(talk(side, &object.user_id, element));
        // A person's part names queues only when the caller belongs to the account; counting those and
        // not the others would make their callers look more numerous.
        if scope == Scope::Whole {
            record.stays.extend(stay(element, elements));
        }
    }
    let ends =
        record.talks.iter().map(|talk| talk.ended_at).chain(record.stays.iter().map(|stay| stay.left_at));
    let at = ends.max()?;
    Some(Fact::new(CallId::new(call?), at, What::Recorded(record)))
}

/// An element of a queue itself: how long a caller waited there, and how that ended. `all` are the
/// elements of its call.
fn stay(element: &Element<'_>, all: &[Part<Element<'_>>]) -> Option<RecordedStay> {
    let kind = element.callee_ext_type.as_str().map(station_kind)?;
    let entered_at = element.start_time.get()?;
    let end = match element.result.as_str()? {
        "answered" | "connected" | "accepted" => StayEnd::Answered,
        "abandoned" => StayEnd::Abandoned,
        // Also said of callers who only heard that the queue is closed: those were never in it.
        "hang_up" | "canceled" | "call_cancel" if rang_somebody(element, all) => StayEnd::Abandoned,
        "overflowed" | "overflow" | "no_answer" | "busy" => StayEnd::Overflowed,
        "voicemail" => StayEnd::Voicemail,
        _ => return None,
    };
    let by_wait = || element.wait().map(|wait| entered_at + wait);
    let left_at: Timestamp = match end {
        // The end of an answered element may be the end of the conversation.
        StayEnd::Answered => element.answer_time.get().or_else(by_wait).or(element.end_time.get())?,
        _ => element.end_time.get().or_else(by_wait)?,
    };
    (kind == StationKind::CallQueue).then(|| RecordedStay {
        queue: Party {
            kind: Some(kind),
            extension_id: element.callee_ext_id.as_str().map(ExtensionId::new),
            extension_number: element.callee_ext_number.as_str().map(str::to_owned),
            name: element.callee_name.as_str().map(str::to_owned),
            ..Party::default()
        },
        account: None,
        entered_at,
        left_at: left_at.max(entered_at),
        end,
    })
}

/// True when a member's phone rang on behalf of the queue that `element` is about.
fn rang_somebody(element: &Element<'_>, all: &[Part<Element<'_>>]) -> bool {
    let queue = element.callee_ext_number.as_str();
    let is_ring = |other: &&Element<'_>| {
        other.event.as_str() == Some("ring_to_member") && other.operator_ext_number.as_str() == queue
    };
    queue.is_some() && all.iter().filter_map(Part::get).any(|other| is_ring(&other))
}

/// An element that was answered by the person it is about.
fn talk(side: Side, user_id: &Text<'_>, element: &Element<'_>) -> Option<RecordedTalk> {
    let (answered_at, ended_at) = (element.answer_time.get()?, element.end_time.get()?);
    let was_taken = matches!(element.result.as_str(), Some("answered" | "connected" | "accepted"));
    let by_other = element.result_reason.as_str().is_some();
    // A supervisor who listens in, or breaks in, handles no call.
    let is_watched = matches!(
        element.event.as_str(),
        Some("monitor" | "listen" | "whisper" | "barge" | "conference_barge" | "takeover")
    );
    if is_watched || !was_taken || by_other || ended_at < answered_at {
        return None;
    }
    let (id, number, kind, name) = match side {
        Side::Callee => (
            &element.callee_ext_id,
            &element.callee_ext_number,
            &element.callee_ext_type,
            &element.callee_name,
        ),
        Side::Caller => (
            &element.caller_ext_id,
            &element.caller_ext_number,
            &element.caller_ext_type,
            &element.caller_name,
        ),
    };
    let kind = kind.as_str().map(station_kind);
    // A queue or a menu that "answered" is no person's conversation.
    if matches!(kind, Some(StationKind::CallQueue | StationKind::AutoReceptionist)) {
        return None;
    }
    let party = Arc::new(Party {
        extension_id: id.as_str().map(ExtensionId::new),
        extension_number: number.as_str().map(str::to_owned),
        user_id: user_id.as_str().map(UserId::new),
        name: name.as_str().map(str::to_owned),
        number: None,
        kind,
    });
    let operator = element.operator_ext_type.as_str().map(station_kind);
    let offered_by = operator.filter(|kind| *kind == StationKind::CallQueue).map(|kind| {
        Arc::new(Station {
            kind,
            account: None,
            name: element.operator_name.as_str().map(str::to_owned),
            extension_number: element.operator_ext_number.as_str().map(str::to_owned),
        })
    });
    let rang_at = element.start_time.get().unwrap_or(answered_at).min(answered_at);
    Some(RecordedTalk { side, party, offered_by, rang_at, answered_at, ended_at })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);

    fn element(change: impl FnOnce(&mut Value)) -> String {
        let mut element = json!({
            "call_element_id": "e-1", "call_history_uuid": "h-1", "call_id": "7000000000000000041_1",
            "direction": "inbound", "caller_did_number": "+4930123456",
            "callee_ext_id": "x-7", "callee_ext_number": 1007, "callee_ext_type": "user", "callee_name": "Ada",
            "operator_ext_number": "801", "operator_ext_type": "call_queue", "operator_name": "Billing",
            "event": "ring_to_member", "result": "answered",
            "start_time": "2026-11-21T13:00:00Z", "answer_time": "2026-11-21T13:00:08Z",
            "end_time": "2026-11-21T13:02:00Z", "talk_time": 112, "wait_time": 8
        });
        change(&mut element);
        let menu = json!({ "call_id": "7000000000000000041", "callee_ext_type": "auto_receptionist",
            "result": "answered", "answer_time": "2026-11-21T12:59:50Z", "end_time": "2026-11-21T13:00:00Z" });
        let object = json!({ "user_id": "u-7", "call_elements": [menu, "no element", element] });
        json!({ "event": "phone.callee_call_element_completed", "payload": { "object": object } }).to_string()
    }

    fn at(text: &str) -> Timestamp {
        crate::clock::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn an_answered_element_is_a_conversation_of_its_call() {
        let fact = fact(Scope::Part(Side::Callee), &element(|_| {}), NOW).unwrap();
        assert_eq!((fact.call_id.as_str(), fact.at), ("7000000000000000041", at("2026-11-21T13:02:00Z")));
        let What::Recorded(record) = &*fact.what else { panic!("{fact:?}") };
        let [talk] = &record.talks[..] else { panic!("{record:?}") };
        assert_eq!(
            (talk.rang_at, talk.answered_at),
            (at("2026-11-21T13:00:00Z"), at("2026-11-21T13:00:08Z"))
        );
        assert_eq!(talk.party.user_id.as_ref().map(UserId::as_str), Some("u-7"));
        assert_eq!(talk.party.extension_number.as_deref(), Some("1007"));
        assert_eq!(talk.offered_by.as_ref().and_then(|queue| queue.name.as_deref()), Some("Billing"));
    }

    #[test]
    fn e9_a_supervisor_who_listens_in_handles_no_call() {
        for event in ["monitor", "listen", "whisper", "barge", "conference_barge", "takeover"] {
            let text = element(|element| element["event"] = json!(event));
            assert_eq!(fact(Scope::Part(Side::Callee), &text, NOW), None, "{event}");
        }
    }

    #[test]
    fn a5_what_somebody_else_took_and_what_nobody_took_is_no_conversation() {
        let told = |change: &dyn Fn(&mut Value)| fact(Scope::Part(Side::Callee), &element(change), NOW);
        assert_eq!(told(&|element| element["result_reason"] = json!("answered_by_other")), None);
        assert_eq!(told(&|element| element["result"] = json!("no_answer")), None);
        assert_eq!(told(&|element| element["answer_time"] = json!("")), None);
        assert_eq!(told(&|element| element["end_time"] = json!("2026-11-21T12:00:00Z")), None);
        assert_eq!(told(&|element| element["call_id"] = json!({})), None);
        assert_eq!(fact(Scope::Part(Side::Callee), "{}", NOW), None);
        assert_eq!(
            fact(Scope::Part(Side::Callee), r#"{"payload":{"object":{"call_elements":7}}}"#, NOW),
            None
        );
    }

    #[test]
    fn a_queue_element_is_a_stay_that_ends_with_the_answer() {
        let queue = |change: &dyn Fn(&mut Value)| {
            let mut element = json!({
                "call_id": "7000000000000000042", "direction": "inbound", "callee_ext_id": "x-801",
                "callee_ext_number": "801", "callee_ext_type": "call_queue", "callee_name": "Billing",
                "event": "incoming", "result": "answered", "start_time": "2026-11-21T13:00:00Z",
                "answer_time": "2026-11-21T13:00:20Z", "end_time": "2026-11-21T13:05:00Z", "waiting_time": 20
            });
            change(&mut element);
            let ring = json!({ "call_id": "7000000000000000042", "event": "ring_to_member", "result": "no_answer",
                "operator_ext_number": if element["rang"] == true { "801" } else { "802" } });
            let object = json!({ "call_history_uuid": "h-2", "call_elements": [element, ring] });
            let text = json!({ "event": DETAIL, "payload": { "object": object } }).to_string();
            let fact = fact(Scope::Whole, &text, NOW)?;
            let What::Recorded(record) = *fact.what else { panic!("no record") };
            record.stays.into_iter().next()
        };
        let answered = queue(&|_| {}).unwrap();
        assert_eq!((answered.end, answered.left_at), (StayEnd::Answered, at("2026-11-21T13:00:20Z")));
        assert_eq!(answered.queue.extension_id.as_ref().map(ExtensionId::as_str), Some("x-801"));
        let without_answer = queue(&|element| element["answer_time"] = Value::Null).unwrap();
        assert_eq!(without_answer.left_at, at("2026-11-21T13:00:20Z"), "the waiting time tells as well");
        let left = queue(&|element| element["result"] = json!("abandoned")).unwrap();
        assert_eq!((left.end, left.left_at), (StayEnd::Abandoned, at("2026-11-21T13:05:00Z")));
        assert_eq!(
            queue(&|element| element["result"] = json!("monitored")),
            None,
            "nothing that is known here"
        );
        assert_eq!(queue(&|element| element["start_time"] = json!("soon")), None);
    }

    #[test]
    fn only_records_are_records() {
        assert_eq!(scope("phone.callee_call_element_completed"), Some(Scope::Part(Side::Callee)));
        assert_eq!(scope("phone.caller_call_element_completed"), Some(Scope::Part(Side::Caller)));
        assert_eq!(scope("phone.callee_call_history_completed"), Some(Scope::Part(Side::Callee)));
        assert_eq!(scope("phone.caller_call_history_completed"), Some(Scope::Part(Side::Caller)));
        assert_eq!(scope(DETAIL), Some(Scope::Whole));
        assert_eq!(scope("phone.callee_ended"), None);
    }

    /// The path of a call through a queue, under these names.
    fn path(id: &str, lists: &[&str], change: impl Fn(&mut Value)) -> String {
        let mut queue = json!({
            "call_id": "7000000000000000043", "direction": "inbound", "event": "incoming",
            "callee_ext_id": "x-801", "callee_ext_number": "801", "callee_ext_type": "call_queue",
            "callee_name": "Billing", "result": "answered",
            "start_time": "2026-11-21T13:00:00Z", "end_time": "2026-11-21T13:05:00Z", "waiting_time": 20
        });
        change(&mut queue);
        let mut object = json!({ (id): "h-3" });
        for list in lists {
            object[list] = json!([queue]);
        }
        json!({ "event": DETAIL, "payload": { "object": object } }).to_string()
    }

    fn record(text: &str) -> Record {
        let fact = fact(Scope::Whole, text, NOW).unwrap_or_else(|| panic!("no record in {text}"));
        let What::Recorded(record) = *fact.what else { panic!("no record in {text}") };
        record
    }

    #[test]
    fn g3_both_generations_of_a_path_are_the_same_record() {
        let newest = record(&path("call_history_uuid", &["call_elements"], |_| {}));
        assert_eq!((newest.id.as_ref().map(RecordId::as_str), newest.read_at), (Some("h-3"), NOW));
        assert_eq!(newest.stays.len(), 1);
        assert_eq!(record(&path("id", &["call_path"], |_| {})), newest);
        assert_eq!(record(&path("id", &["call_elements", "call_path"], |_| {})), newest, "once, not twice");
        let empty =
            path("id", &["call_path"], |_| {}).replace(r#""call_path""#, r#""call_elements":[],"call_path""#);
        assert_eq!(record(&empty), newest, "an empty list is no reason to miss the other");
    }

    #[test]
    fn g3_an_event_of_the_second_generation_tells_the_same() {
        let newest = fact(Scope::Part(Side::Callee), &element(|_| {}), NOW);
        let second = element(|_| {}).replace("call_elements", "call_logs");
        assert!(newest.is_some());
        assert_eq!(fact(Scope::Part(Side::Callee), &second, NOW), newest);
    }

    #[test]
    fn g4_a_wait_is_read_in_every_spelling_and_costs_no_row_in_any() {
        let left_at =
            |change: &dyn Fn(&mut Value)| record(&path("id", &["call_path"], change)).stays[0].left_at;
        let (after_the_wait, at_the_end) = (at("2026-11-21T13:00:20Z"), at("2026-11-21T13:05:00Z"));
        let rename = |queue: &mut Value| queue["wait_time"] = queue["waiting_time"].take();
        assert_eq!(left_at(&|_| {}), after_the_wait);
        assert_eq!(left_at(&rename), after_the_wait);
        assert_eq!(left_at(&|queue| queue["wait_time"] = json!(99)), after_the_wait, "both at once");
        assert_eq!(left_at(&|queue| queue["waiting_time"] = json!("20")), after_the_wait);
        assert_eq!(left_at(&|queue| queue["waiting_time"] = json!(20.0)), after_the_wait);
        for nonsense in [json!("soon"), json!(-1), json!({}), json!([20]), json!(true), json!(u64::MAX)] {
            assert_eq!(left_at(&|queue| queue["waiting_time"] = nonsense.clone()), at_the_end, "{nonsense}");
        }
    }
}
