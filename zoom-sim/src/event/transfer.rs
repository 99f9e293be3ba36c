//! Transfer and conference events: they name the person who acts, not the two sides.

use serde::Serialize;

/// The person who transfers or adds a party.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Owner<'a> {
    pub(crate) id: &'a str,
    pub(crate) name: &'a str,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) extension_number: i64,
}

/// The new far side of a transfer.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Recipient<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) extension_number: Option<i64>,
    pub(crate) phone_number: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<&'a str>,
    pub(crate) connection_type: &'static str,
}

/// `payload.object` of these events; an empty failure reason means success.
#[derive(Debug, Serialize)]
pub(crate) struct TransferObject<'a> {
    pub(crate) call_id: &'a str,
    pub(crate) failure_reason: &'static str,
    pub(crate) owner: Owner<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) transfer_phone_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) transfer_call_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) recipient: Option<Recipient<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) conference_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) enable_multiple_party_conference: Option<bool>,
    pub(crate) date_time: String,
}
