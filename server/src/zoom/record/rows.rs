//! A record as rows of the database: calls and their elements, under one set of names.

use domain::{fact::StationKind, time::Timestamp};

use super::{
    Scope,
    element::{Element, Event, Object},
    scope,
};
use crate::{
    store::{ElementRow, RecordRow},
    zoom::{
        translate::without_part_suffix,
        wire::{Part, Text},
    },
};

/// What the message of this name, received at `read_at`, has for the tables of records: a row of the whole
/// call, where it is about that, and one of each element that has a name.
pub(crate) fn rows(name: &str, text: &str, read_at: Timestamp) -> (Option<RecordRow>, Vec<ElementRow>) {
    let Some(scope) = scope(name) else { return (None, Vec::new()) };
    let Ok(event) = serde_json::from_str::<Event<'_>>(text) else { return (None, Vec::new()) };
    let object = event.payload.object;
    let elements = object.elements().iter().filter_map(Part::get);
    let elements = elements.filter_map(|element| element_row(&object, scope, element, read_at)).collect();
    let call = (scope == Scope::Whole).then(|| record_row(&object, read_at)).flatten();
    (call, elements)
}

fn record_row(object: &Object<'_>, read_at: Timestamp) -> Option<RecordRow> {
    let elements = || object.elements().iter().filter_map(Part::get);
    let first = elements().next();
    let call_id =
        object.call_id.as_str().or_else(|| elements().find_map(|element| element.call_id.as_str()))?;
    let direction = text(&object.direction).or_else(|| first.and_then(|first| text(&first.direction)));
    let result = text(&object.call_result)
        .or_else(|| first.and_then(Element::result).map(std::borrow::Cow::into_owned));
    let started_at = object.start_time.get().or_else(|| elements().filter_map(Element::started_at).min());
    let answered_at = object.answer_time.get().or_else(|| elements().filter_map(Element::answered_at).min());
    let ended_at = object.end_time.get().or_else(|| elements().filter_map(Element::ended_at).max());
    let number = object.caller_did_number.as_str().or(object.caller_ext_number.as_str());
    let of_first = || first.and_then(|first| first.caller_number().or(first.caller_extension()));
    Some(RecordRow {
        record_id: object.record_id()?.to_owned(),
        call_id: without_part_suffix(call_id).to_owned(),
        generation: object.generation() as u8,
        direction,
        result,
        started_at: millis(started_at),
        answered_at: millis(answered_at),
        ended_at: millis(ended_at),
        caller_name: text(&object.caller_name).or_else(|| first.and_then(|first| text(&first.caller_name))),
        caller_number: number.or_else(of_first).map(str::to_owned),
        read_at: read_at.as_millis(),
    })
}

fn element_row(
    object: &Object<'_>,
    scope: Scope,
    element: &Element<'_>,
    read_at: Timestamp,
) -> Option<ElementRow> {
    let told_call_id = element.call_id.as_str()?;
    let own_record = element.record_id();
    let record_id = own_record.or_else(|| object.record_id().filter(|_| scope == Scope::Whole))?;
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let length = |length: Option<std::time::Duration>| {
        length.map(|length| i64::try_from(length.as_millis()).unwrap_or(i64::MAX))
    };
    Some(ElementRow {
        element_id: element.id()?.to_owned(),
        record_id: record_id.to_owned(),
        call_id: without_part_suffix(told_call_id).to_owned(),
        told_call_id: told_call_id.to_owned(),
        generation: object.generation() as u8,
        direction: text(&element.direction),
        event: owned(element.event()),
        result: element.result().map(std::borrow::Cow::into_owned),
        result_reason: text(&element.result_reason),
        segment: element.segment(),
        node: element.node(),
        started_at: millis(element.started_at()),
        answered_at: millis(element.answered_at()),
        ended_at: millis(element.ended_at()),
        wait_ms: length(element.wait()),
        talk_ms: length(element.talk()),
        hold_ms: length(element.hold()),
        caller_extension_number: owned(element.caller_extension()),
        caller_name: text(&element.caller_name),
        caller_number: owned(element.caller_number()),
        callee_extension_id: text(&element.callee_ext_id),
        callee_extension_number: owned(element.callee_extension()),
        callee_kind: element.callee_kind().map(word),
        callee_name: owned(element.callee_name()),
        callee_number: owned(element.callee_number()),
        operator_extension_number: owned(element.operator_extension()),
        operator_kind: element.operator_kind().map(word),
        operator_name: owned(element.operator_name()),
        user_id: text(&object.user_id).or_else(|| owned(element.owner_user())),
        voicemail_id: text(&element.voicemail_id),
        recording_id: text(&element.recording_id),
        read_at: read_at.as_millis(),
    })
}

fn millis(at: Option<Timestamp>) -> Option<i64> {
    at.map(Timestamp::as_millis)
}

fn text(text: &Text<'_>) -> Option<String> {
    text.as_str().map(str::to_owned)
}

fn word(kind: StationKind) -> String {
    match kind {
        StationKind::User => "user".to_owned(),
        StationKind::CallQueue => "call_queue".to_owned(),
        StationKind::AutoReceptionist => "auto_receptionist".to_owned(),
        StationKind::CommonArea => "common_area".to_owned(),
        StationKind::SharedLineGroup => "shared_line_group".to_owned(),
        StationKind::Other(word) => word,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);

    fn at(text: &str) -> Option<i64> {
        crate::clock::parse_rfc3339(text).map(Timestamp::as_millis)
    }

    fn told(name: &str, object: &Value) -> (Option<RecordRow>, Vec<ElementRow>) {
        rows(name, &json!({ "event": name, "payload": { "object": object } }).to_string(), NOW)
    }

    /// A queue's step with everything the newest generation says.
    fn step(id: &str) -> Value {
        json!({
            (id): "e-1", "call_id": "7000000000000000051_1", "direction": "inbound", "event": "incoming",
            "result": "answered", "segment": 2, "node": 0, "caller_did_number": "+4940556677",
            "callee_ext_id": "x-801", "callee_ext_number": "801", "callee_ext_type": "call_queue",
            "callee_name": "Billing", "start_time": "2026-11-21T13:00:00Z",
            "answer_time": "2026-11-21T13:00:20Z", "end_time": "2026-11-21T13:05:00Z",
            "waiting_time": 20, "hold_time": "30"
        })
    }

    #[test]
    fn g2_a_whole_call_is_one_row_with_its_elements_whatever_the_generation() {
        let head = |id: &str, list: &str, element: &str| {
            json!({ (id): "h-1", "call_id": "7000000000000000051", "direction": "inbound",
                "call_result": "answered", "caller_name": "Outside", "start_time": "2026-11-21T12:59:50Z",
                "end_time": "2026-11-21T13:05:00Z", (list): [step(element)] })
        };
        let (call, elements) =
            told("rest.call_history", &head("call_history_uuid", "call_elements", "call_element_id"));
        let call = call.unwrap();
        assert_eq!((call.record_id.as_str(), call.call_id.as_str()), ("h-1", "7000000000000000051"));
        assert_eq!(
            (call.started_at, call.answered_at),
            (at("2026-11-21T12:59:50Z"), at("2026-11-21T13:00:20Z"))
        );
        assert_eq!(
            (call.caller_name.as_deref(), call.caller_number.as_deref()),
            (Some("Outside"), Some("+4940556677"))
        );
        let [element] = &elements[..] else { panic!("{elements:?}") };
        assert_eq!((element.element_id.as_str(), element.record_id.as_str()), ("e-1", "h-1"));
        assert_eq!(
            (element.call_id.as_str(), element.told_call_id.as_str()),
            ("7000000000000000051", "7000000000000000051_1")
        );
        assert_eq!(
            (element.wait_ms, element.hold_ms, element.talk_ms),
            (Some(20_000), Some(30_000), Some(250_000))
        );
        assert_eq!((element.segment, element.node), (Some(2), Some(0)));
        let (second, its_elements) = told("rest.call_history", &head("id", "call_path", "id"));
        assert_eq!(second.unwrap(), RecordRow { generation: 2, ..call });
        assert_eq!(its_elements, [ElementRow { generation: 2, ..element.clone() }]);
    }

    #[test]
    fn g2_a_persons_part_names_its_record_in_every_generation() {
        for (name, list, element, record, generation) in [
            (
                "phone.callee_call_element_completed",
                "call_elements",
                "call_element_id",
                "call_history_uuid",
                3,
            ),
            ("phone.callee_call_history_completed", "call_logs", "id", "call_path_id", 2),
        ] {
            let mut step = step(element);
            step[record] = json!("h-9");
            let (call, elements) = told(name, &json!({ "user_id": "u-7", (list): [step] }));
            assert_eq!(call, None, "{name} is about a part");
            let [element] = &elements[..] else { panic!("{name}: {elements:?}") };
            assert_eq!((element.record_id.as_str(), element.generation), ("h-9", generation));
            assert_eq!(element.user_id.as_deref(), Some("u-7"));
        }
    }

    #[test]
    fn g4_a_log_of_the_first_generation_is_told_in_todays_words() {
        let log = json!({
            "id": "log-1", "call_id": "7000000000000000052", "direction": "inbound", "result": "Missed",
            "caller_number": "1009", "caller_number_type": 1, "callee_number": "+4930123", "callee_number_type": 2,
            "date_time": "2026-11-21T13:00:00Z", "duration": 12, "path": "extension"
        });
        let (call, elements) = told("phone.callee_call_log_completed", &json!({ "call_logs": [log] }));
        assert_eq!(call, None);
        let [element] = &elements[..] else { panic!("{elements:?}") };
        assert_eq!((element.record_id.as_str(), element.generation), ("log-1", 1));
        assert_eq!(
            (element.event.as_deref(), element.result.as_deref()),
            (Some("extension"), Some("no_answer"))
        );
        assert_eq!(element.ended_at, at("2026-11-21T13:00:12Z"));
        assert_eq!(
            (element.caller_extension_number.as_deref(), element.caller_number.as_deref()),
            (Some("1009"), None)
        );
        assert_eq!(
            (element.callee_extension_number.as_deref(), element.callee_number.as_deref()),
            (None, Some("+4930123"))
        );
    }

    #[test]
    fn what_cannot_be_read_or_named_is_no_row() {
        assert_eq!(rows("rest.call_history", "{}", NOW), (None, Vec::new()));
        assert_eq!(told("phone.callee_ended", &json!({ "call_elements": [step("id")] })), (None, Vec::new()));
        let nameless =
            json!({ "call_elements": [{ "call_id": "7" }, "no element", { "call_element_id": "e" }] });
        assert_eq!(told("rest.call_history", &nameless), (None, Vec::new()));
    }
}
