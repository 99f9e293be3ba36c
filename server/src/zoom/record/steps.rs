//! Rows of a record as steps of a journey: whichever generation told them, in the words of the rules.

use std::time::Duration;

use domain::{
    journey::{Station, Step, Way},
    time::Timestamp,
};

use crate::{store::ElementRow, zoom::translate::station_kind};

/// The step that a row tells of.
pub(crate) fn step(row: &ElementRow) -> Step {
    let at = |millis: Option<i64>| millis.map(Timestamp::from_millis);
    let length = |millis: i64| Duration::from_millis(millis.unsigned_abs());
    let result = row.result.as_deref().unwrap_or_default();
    let kind = row.callee_kind.as_deref().map(station_kind);
    Step {
        to: Station {
            kind,
            name: row.callee_name.clone(),
            number: row.callee_extension_number.clone().or_else(|| row.callee_number.clone()),
        },
        way: row.event.as_deref().and_then(way),
        // Who is said to have answered although somebody else took the call did not.
        is_answered: row.result_reason.is_none()
            && matches!(result, "answered" | "connected" | "accepted" | "picked_up" | "succeeded"),
        is_voicemail: result == "voicemail",
        started_at: at(row.started_at),
        answered_at: at(row.answered_at),
        ended_at: at(row.ended_at),
        wait: row.wait_ms.map(length),
        hold: row.hold_ms.map(length).unwrap_or_default(),
    }
}

fn way(event: &str) -> Option<Way> {
    match event {
        "overflow" => Some(Way::Overflow),
        "forward" | "timeout" => Some(Way::Forward),
        "direct_transfer" | "warm_transfer" | "warm_transfer_outgoing" | "warm_transfer_incoming" => {
            Some(Way::Transfer)
        }
        "park" => Some(Way::Park),
        "monitor" | "listen" | "whisper" | "barge" | "conference_barge" | "takeover" => Some(Way::Monitoring),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use domain::journey::Journey;
    use serde_json::{Value, json};

    use super::*;
    use crate::zoom::record::rows;

    /// The same call in the words of a generation: the queue, who rang and did not answer, who answered.
    fn journey(name: &str, object: &Value) -> Journey {
        let text = json!({ "event": name, "payload": { "object": object } }).to_string();
        let (_, elements) = rows(name, &text, Timestamp::from_millis(1_795_000_000_000));
        let steps: Vec<Step> = elements.iter().map(step).collect();
        Journey::of(&steps).unwrap_or_else(|| panic!("{name}: {elements:?}"))
    }

    #[test]
    fn the_same_call_in_each_generation_gives_the_same_journey() {
        let steps = |id: &str| {
            let step = |number: u32,
                        kind: &str,
                        extension: &str,
                        name: &str,
                        times: [&str; 3],
                        result: &str| {
                json!({ (id): format!("e-{number}"), "call_id": "7000000000000000051", "direction": "inbound",
                    "callee_ext_type": kind, "callee_ext_number": extension, "callee_name": name,
                    "event": if kind == "user" { "ring_to_member" } else { "incoming" }, "result": result,
                    "start_time": times[0], "answer_time": times[1], "end_time": times[2] })
            };
            json!([
                step(
                    1,
                    "call_queue",
                    "801",
                    "Billing",
                    ["2026-11-21T13:00:00Z", "2026-11-21T13:00:20Z", "2026-11-21T13:05:00Z"],
                    "answered"
                ),
                step(
                    2,
                    "user",
                    "1007",
                    "Ada",
                    ["2026-11-21T13:00:00Z", "", "2026-11-21T13:00:15Z"],
                    "no_answer"
                ),
                step(
                    3,
                    "user",
                    "1008",
                    "Ben",
                    ["2026-11-21T13:00:15Z", "2026-11-21T13:00:20Z", "2026-11-21T13:05:00Z"],
                    "answered"
                ),
            ])
        };
        let head = |id: &str, list: &str, element: &str| json!({ (id): "h-1", "call_id": "7000000000000000051", (list): steps(element) });
        let third =
            journey("rest.call_history", &head("call_history_uuid", "call_elements", "call_element_id"));
        let second = journey("rest.call_history", &head("id", "call_path", "id"));
        // Logs of the first generation, each of one owner.
        let log = |number: u32,
                   extension: &str,
                   name: &str,
                   times: [&str; 2],
                   duration: u32,
                   result: &str| {
            let mut log = json!({ "id": format!("log-{number}"), "call_id": "7000000000000000051",
                "direction": "inbound", "result": result, "date_time": times[0], "answer_start_time": times[1],
                "callee_number": extension, "callee_number_type": 1, "callee_name": name, "duration": duration,
                "caller_number": "+4930123", "caller_number_type": 2, "path": "extension" });
            if extension == "801" {
                log["owner"] = json!({ "type": "callQueue", "name": name, "extension_number": extension });
                log["path"] = json!("callQueue");
            } else {
                log["callee_ext_type"] = json!("user");
            }
            log
        };
        let logs = json!({ "call_logs": [
            log(1, "801", "Billing", ["2026-11-21T13:00:00Z", "2026-11-21T13:00:20Z"], 280, "Call connected"),
            log(2, "1007", "Ada", ["2026-11-21T13:00:00Z", ""], 15, "Missed"),
            log(3, "1008", "Ben", ["2026-11-21T13:00:15Z", "2026-11-21T13:00:20Z"], 280, "Call connected"),
        ] });
        let first = journey("phone.callee_call_log_completed", &logs);
        assert_eq!(second, third);
        assert_eq!(first, third);
        let rows: Vec<_> =
            third.parties.iter().map(|row| row.station.name.as_deref().unwrap_or("-")).collect();
        assert_eq!(rows, ["Ada", "Billing", "Ben"]);
    }
}
