//! What Zoom writes down of a call afterwards: the conversations in the two `…_call_element_completed`
//! events, as facts.
//!
//! They come seconds to minutes after a person's part in a call and tell what live events may have
//! failed to: who talked, from when to when. Everything else they say is kept in the journal and read
//! by nobody yet.

use domain::{
    fact::{Fact, Party, RecordedTalk, Side, Station, StationKind, What},
    id::{CallId, ExtensionId, UserId},
};
use serde::Deserialize;

use super::{
    translate::{station_kind, without_part_suffix},
    wire::{Moment, Part, Text},
};

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    payload: Payload<'a>,
}

#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow)]
    object: Elements<'a>,
}

#[derive(Deserialize)]
struct Elements<'a> {
    #[serde(borrow, default)]
    user_id: Text<'a>,
    #[serde(borrow)]
    call_elements: Vec<Part<Element<'a>>>,
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
    result: Text<'a>,
    #[serde(borrow)]
    result_reason: Text<'a>,
}

/// The side that the event of this name is about; `None` for any other event.
pub(super) fn side_of(name: &str) -> Option<Side> {
    match name {
        "phone.callee_call_element_completed" => Some(Side::Callee),
        "phone.caller_call_element_completed" => Some(Side::Caller),
        _ => None,
    }
}

/// The conversations that an event tells of; `None` when it tells of none, or cannot be read.
///
/// An event is about one person's part in one call. Should it ever name two calls, the first counts.
pub(super) fn fact(side: Side, text: &str) -> Option<Fact> {
    let event: Event<'_> = serde_json::from_str(text).ok()?;
    let Elements { user_id, call_elements } = event.payload.object;
    let mut fact_of: Option<(CallId, Vec<RecordedTalk>)> = None;
    for element in call_elements.iter().filter_map(Part::get) {
        let Some(call_id) = element.call_id.as_str().map(without_part_suffix) else { continue };
        let Some(talk) = talk(side, &user_id, element) else { continue };
        let (known, talks) = fact_of.get_or_insert_with(|| (CallId::new(call_id), Vec::new()));
        if known.as_str() == call_id {
            talks.push(talk);
        }
    }
    let (call_id, talks) = fact_of?;
    let at = talks.iter().map(|talk| talk.ended_at).max()?;
    Some(Fact::new(call_id, at, What::Recorded(talks)))
}

/// An element that was answered by the person it is about.
fn talk(side: Side, user_id: &Text<'_>, element: &Element<'_>) -> Option<RecordedTalk> {
    let (answered_at, ended_at) = (element.answer_time.get()?, element.end_time.get()?);
    let was_taken = matches!(element.result.as_str(), Some("answered" | "connected" | "accepted"));
    let by_other = element.result_reason.as_str().is_some();
    if !was_taken || by_other || ended_at < answered_at {
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
    let party = Party {
        extension_id: id.as_str().map(ExtensionId::new),
        extension_number: number.as_str().map(str::to_owned),
        user_id: user_id.as_str().map(UserId::new),
        name: name.as_str().map(str::to_owned),
        number: None,
        kind,
    };
    let operator = element.operator_ext_type.as_str().map(station_kind);
    let offered_by = operator.filter(|kind| *kind == StationKind::CallQueue).map(|kind| Station {
        kind,
        account: None,
        name: element.operator_name.as_str().map(str::to_owned),
        extension_number: element.operator_ext_number.as_str().map(str::to_owned),
    });
    let rang_at = element.start_time.get().unwrap_or(answered_at).min(answered_at);
    Some(RecordedTalk { side, party, offered_by, rang_at, answered_at, ended_at })
}

#[cfg(test)]
mod tests {
    use domain::time::Timestamp;
    use serde_json::{Value, json};

    use super::*;

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
        let fact = fact(Side::Callee, &element(|_| {})).unwrap();
        assert_eq!((fact.call_id.as_str(), fact.at), ("7000000000000000041", at("2026-11-21T13:02:00Z")));
        let What::Recorded(talks) = &*fact.what else { panic!("{fact:?}") };
        let [talk] = &talks[..] else { panic!("{talks:?}") };
        assert_eq!(
            (talk.rang_at, talk.answered_at),
            (at("2026-11-21T13:00:00Z"), at("2026-11-21T13:00:08Z"))
        );
        assert_eq!(talk.party.user_id.as_ref().map(UserId::as_str), Some("u-7"));
        assert_eq!(talk.party.extension_number.as_deref(), Some("1007"));
        assert_eq!(talk.offered_by.as_ref().and_then(|queue| queue.name.as_deref()), Some("Billing"));
    }

    #[test]
    fn a5_what_somebody_else_took_and_what_nobody_took_is_no_conversation() {
        let told = |change: &dyn Fn(&mut Value)| fact(Side::Callee, &element(change));
        assert_eq!(told(&|element| element["result_reason"] = json!("answered_by_other")), None);
        assert_eq!(told(&|element| element["result"] = json!("no_answer")), None);
        assert_eq!(told(&|element| element["answer_time"] = json!("")), None);
        assert_eq!(told(&|element| element["end_time"] = json!("2026-11-21T12:00:00Z")), None);
        assert_eq!(told(&|element| element["call_id"] = json!({})), None);
        assert_eq!(fact(Side::Callee, "{}"), None);
        assert_eq!(fact(Side::Callee, r#"{"payload":{"object":{"call_elements":7}}}"#), None);
    }

    #[test]
    fn only_the_element_events_are_records() {
        assert_eq!(side_of("phone.callee_call_element_completed"), Some(Side::Callee));
        assert_eq!(side_of("phone.caller_call_element_completed"), Some(Side::Caller));
        assert_eq!(side_of("phone.callee_ended"), None);
    }
}
