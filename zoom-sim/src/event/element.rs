//! The post-call event that carries the finished elements of one user.

use serde::Serialize;

use crate::history::{CallRecord, Element};
use crate::moment::{stamp, whole_seconds};

/// `payload.object` of the two `…_call_element_completed` events.
#[derive(Debug, Serialize)]
pub(crate) struct ElementsObject<'a> {
    pub(crate) user_id: &'a str,
    pub(crate) call_elements: Vec<EventElement<'a>>,
}

/// One element as the event words it: `wait_time` and `talk_time`, no segment or node.
#[derive(Debug, Serialize)]
pub(crate) struct EventElement<'a> {
    call_element_id: &'a str,
    call_history_uuid: &'a str,
    call_id: &'a str,
    connect_type: &'static str,
    call_type: &'static str,
    direction: &'static str,
    hide_caller_id: bool,
    end_to_end: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller_ext_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller_email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller_did_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller_ext_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller_ext_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller_number_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller_country_iso_code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    callee_ext_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    callee_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    callee_email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    callee_did_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    callee_ext_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    callee_ext_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    callee_number_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    callee_device_type: Option<&'a str>,
    start_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer_time: Option<String>,
    end_time: String,
    event: &'static str,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    result_reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator_ext_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator_ext_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator_ext_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    voicemail_id: Option<&'a str>,
    talk_time: i64,
    hold_time: i64,
    wait_time: i64,
}

impl<'a> EventElement<'a> {
    pub(crate) fn new(record: &'a CallRecord, element: &'a Element) -> Self {
        let (caller, callee) = (&element.caller, &element.callee);
        let operator = element.operator.as_ref();
        Self {
            call_element_id: &element.id,
            call_history_uuid: &record.uuid,
            call_id: &record.call_id,
            connect_type: record.connect_type,
            call_type: "general",
            direction: record.direction,
            hide_caller_id: record.hide_caller_id,
            end_to_end: false,
            caller_ext_id: caller.extension_id.as_deref(),
            caller_name: caller.name.as_deref(),
            caller_email: caller.email.as_deref(),
            caller_did_number: caller.number.as_deref(),
            caller_ext_number: caller.extension_number.as_deref(),
            caller_ext_type: caller.extension_type,
            caller_number_type: caller.number_type,
            caller_country_iso_code: caller.country,
            callee_ext_id: callee.extension_id.as_deref(),
            callee_name: callee.name.as_deref(),
            callee_email: callee.email.as_deref(),
            callee_did_number: callee.number.as_deref(),
            callee_ext_number: callee.extension_number.as_deref(),
            callee_ext_type: callee.extension_type,
            callee_number_type: callee.number_type,
            callee_device_type: callee.device.as_deref(),
            start_time: stamp(element.start),
            answer_time: element.answer.map(stamp),
            end_time: stamp(element.end),
            event: element.event,
            result: element.result,
            result_reason: element.reason,
            operator_ext_id: operator.and_then(|party| party.extension_id.as_deref()),
            operator_ext_number: operator.and_then(|party| party.extension_number.as_deref()),
            operator_ext_type: operator.and_then(|party| party.extension_type),
            operator_name: operator.and_then(|party| party.name.as_deref()),
            voicemail_id: element.voicemail_id.as_deref(),
            talk_time: element
                .answer
                .map_or(0, |answer| whole_seconds(answer, element.end) - element.hold_seconds),
            hold_time: element.hold_seconds,
            wait_time: element.wait_seconds,
        }
    }
}
