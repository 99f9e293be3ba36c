//! Events in Zoom's words, for tests of what knows no such words.

use domain::time::Timestamp;
use serde_json::json;

use crate::clock;

/// Anna's phone begins to ring for a caller of the queue "Sales".
pub(crate) fn ringing(call: u64, at: Timestamp) -> String {
    json!({
        "event": "phone.callee_ringing", "event_ts": at.as_millis(),
        "payload": { "account_id": "acc", "object": {
            "call_id": call.to_string(), "ringing_start_time": clock::format_rfc3339(at),
            "caller": { "phone_number": "+4930555001" },
            "callee": {
                "user_id": "u-anna", "extension_number": 201, "extension_type": "user", "device_id": "d-1",
            },
            "forwarded_by": {
                "name": "Sales", "extension_number": "801", "extension_type": "callQueue",
            },
        } },
    })
    .to_string()
}

/// The same caller leaves a message for the queue; after which call is not said.
pub(crate) fn message_left(at: Timestamp) -> String {
    json!({
        "event": "phone.voicemail_received", "event_ts": at.as_millis(),
        "payload": { "account_id": "acc", "object": {
            "id": "v-1", "date_time": clock::format_rfc3339(at), "duration": 20,
            "caller_number": "+4930555001",
            "callee_number": "801", "callee_extension_type": "callQueue",
        } },
    })
    .to_string()
}
