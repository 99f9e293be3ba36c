//! Voicemail and presence events, which are flat: no nested caller and callee.

use serde::Serialize;

/// `payload.object` of `phone.voicemail_received`.
#[derive(Debug, Serialize)]
pub(crate) struct VoicemailObject<'a> {
    pub(crate) id: &'a str,
    pub(crate) call_id: &'a str,
    pub(crate) call_history_id: &'a str,
    pub(crate) call_element_id: &'a str,
    pub(crate) callee_id: &'a str,
    pub(crate) callee_extension_type: &'static str,
    pub(crate) callee_name: &'a str,
    pub(crate) callee_number: String,
    pub(crate) callee_number_type: u8,
    pub(crate) caller_number: String,
    pub(crate) caller_number_type: u8,
    pub(crate) caller_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) caller_user_id: Option<&'a str>,
    pub(crate) date_time: String,
    pub(crate) duration: i64,
    pub(crate) download_url: String,
}

/// `payload.object` of `user.presence_status_updated`.
#[derive(Debug, Serialize)]
pub(crate) struct PresenceObject<'a> {
    pub(crate) id: &'a str,
    pub(crate) email: &'a str,
    pub(crate) date_time: String,
    pub(crate) presence_status: &'static str,
}
