//! Finished calls: the history list with its filters, one call's path, one element.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::ApiError;
use super::listing::Listing;
use crate::directory::Directory;
use crate::history::{CallRecord, Element, PartyNote};
use crate::moment::{stamp, whole_seconds};
use crate::world::World;

/// Longest window of one query.
const WINDOW_DAYS: i64 = 31;
/// Oldest history that is shown.
const OLDEST_DAYS: u64 = 183;

pub(super) fn history(world: &World, listing: &Listing<'_>) -> Result<Value, ApiError> {
    let (from, to) = window(listing)?;
    let by_end = match listing.parameter("time_type").unwrap_or("start_time") {
        "start_time" => false,
        "end_time" => true,
        _ => return Err(ApiError::validation("The time_type must be start_time or end_time.")),
    };
    let directory = world.directory();
    let mut records: Vec<&CallRecord> = world
        .history()
        .visible_at(listing.as_of)
        .filter(|record| {
            let at = if by_end { record.end } else { record.start };
            from <= at && at <= to
        })
        .filter(|record| fits(record, listing, directory))
        .collect();
    records.sort_by_key(|record| {
        std::cmp::Reverse((if by_end { record.end } else { record.start }, &record.call_id))
    });
    let (rows, mut body) = listing.rows(records);
    let named = |key: &str| -> Vec<Value> {
        rows.iter()
            .map(|record| {
                let mut row = row(record, directory);
                row.insert(key.to_owned(), json!(record.uuid));
                Value::Object(row)
            })
            .collect()
    };
    body.insert("from".to_owned(), json!(from.format("%Y-%m-%d").to_string()));
    body.insert("to".to_owned(), json!(to.format("%Y-%m-%d").to_string()));
    body.insert("call_history".to_owned(), Value::Array(named("call_history_uuid")));
    // The legacy twin carries the same rows under another key name.
    body.insert("call_logs".to_owned(), Value::Array(named("id")));
    Ok(Value::Object(body))
}

fn fits(record: &CallRecord, listing: &Listing<'_>, directory: &Directory) -> bool {
    let one_of = |key: &str, value: &str| {
        let mut wanted = listing.values(key).peekable();
        wanted.peek().is_none() || wanted.any(|wanted| wanted == value)
    };
    let parties = [&record.caller, &record.callee];
    let keyword = |wanted: &str| {
        let holds = |text: Option<&String>| text.is_some_and(|text| text.contains(wanted));
        record.call_id == wanted
            || parties.iter().any(|party| {
                holds(party.name.as_ref())
                    || holds(party.number.as_ref())
                    || holds(party.extension_number.as_ref())
            })
    };
    one_of("directions", record.direction)
        && one_of("connect_types", record.connect_type)
        && one_of("call_results", record.result)
        && one_of("call_types", "general")
        && one_of("call_ids", &record.call_id)
        && one_of("site_ids", &directory.sites[record.site].id)
        && one_of("number_types", record.caller.number_type.unwrap_or_default())
        && one_of("extension_types", record.callee.extension_type.unwrap_or_default())
        // Nothing is recorded here, so an explicit wish for recorded calls finds none.
        && listing.parameter("recording_status") != Some("recorded")
        && (listing.parameter("with_voicemail") != Some("true")
            || record.elements.iter().any(|element| element.voicemail_id.is_some()))
        && listing.parameter("keyword").is_none_or(keyword)
}

/// The window asked for; without one, the last day.
fn window(listing: &Listing<'_>) -> Result<(DateTime<Utc>, DateTime<Utc>), ApiError> {
    let (from, to) = match (listing.parameter("from"), listing.parameter("to")) {
        (None, None) => (listing.as_of - TimeDelta::days(1), listing.as_of),
        (Some(from), Some(to)) => (instant(from, false)?, instant(to, true)?),
        _ => return Err(ApiError::validation("The from and to parameters must be given together.")),
    };
    if to < from || to - from > TimeDelta::days(WINDOW_DAYS) {
        return Err(ApiError::validation("The time range must not be longer than one month."));
    }
    if listing.as_of.checked_sub_days(Days::new(OLDEST_DAYS)).is_some_and(|oldest| from < oldest) {
        return Err(ApiError::validation("The from time must be within the last six months."));
    }
    Ok((from, to))
}

fn instant(text: &str, end_of_day: bool) -> Result<DateTime<Utc>, ApiError> {
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        let midnight = day.and_time(NaiveTime::MIN).and_utc();
        return Ok(if end_of_day {
            midnight + TimeDelta::days(1) - TimeDelta::milliseconds(1)
        } else {
            midnight
        });
    }
    let parsed = DateTime::parse_from_rfc3339(text).ok().filter(|_| text.ends_with('Z'));
    parsed
        .map(|at| at.with_timezone(&Utc))
        .ok_or_else(|| ApiError::validation("Times must look like yyyy-mm-dd or yyyy-MM-ddTHH:mm:ssZ."))
}

pub(super) fn path(world: &World, uuid: &str) -> Result<Value, ApiError> {
    let directory = world.directory();
    let record = world
        .history()
        .visible_at(world.now())
        .find(|record| record.uuid == uuid)
        .ok_or_else(|| ApiError::missing(404, "Call history does not exist."))?;
    let mut body = row(record, directory);
    body.insert("id".to_owned(), json!(record.uuid));
    body.insert("call_history_uuid".to_owned(), json!(record.uuid));
    let named = |key: &str| -> Vec<Value> {
        record
            .elements
            .iter()
            .map(|element| {
                let mut element_row = element_row(record, element, directory);
                element_row.insert(key.to_owned(), json!(element.id));
                Value::Object(element_row)
            })
            .collect()
    };
    body.insert("call_elements".to_owned(), Value::Array(named("call_element_id")));
    body.insert("call_path".to_owned(), Value::Array(named("id")));
    Ok(Value::Object(body))
}

pub(super) fn element(world: &World, id: &str) -> Result<Value, ApiError> {
    let directory = world.directory();
    for record in world.history().visible_at(world.now()).rev() {
        if let Some(element) = record.elements.iter().find(|element| element.id == id) {
            let mut body = element_row(record, element, directory);
            body.insert("call_element_id".to_owned(), json!(element.id));
            body.insert("call_history_uuid".to_owned(), json!(record.uuid));
            return Ok(Value::Object(body));
        }
    }
    Err(ApiError::missing(404, "Call element does not exist."))
}

fn row(record: &CallRecord, directory: &Directory) -> Map<String, Value> {
    let site = &directory.sites[record.site];
    let mut row = object(json!({
        "call_id": record.call_id,
        "direction": record.direction,
        "international": false,
        "start_time": stamp(record.start),
        "end_time": stamp(record.end),
        "duration": whole_seconds(record.start, record.end),
        "connect_type": record.connect_type,
        "call_type": "general",
        "call_result": record.result,
        "hide_caller_id": record.hide_caller_id,
        "end_to_end": false,
        "site_id": site.id,
        "site_name": site.name,
        "recording_status": "non_recorded",
    }));
    if let Some(answer) = record.answer {
        row.insert("answer_time".to_owned(), json!(stamp(answer)));
    }
    put_party(&mut row, "caller", &record.caller);
    put_party(&mut row, "callee", &record.callee);
    row
}

fn element_row(record: &CallRecord, element: &Element, directory: &Directory) -> Map<String, Value> {
    let site = &directory.sites[record.site];
    let mut row = object(json!({
        "call_id": record.call_id,
        "connect_type": record.connect_type,
        "call_type": "general",
        "direction": record.direction,
        "hide_caller_id": record.hide_caller_id,
        "end_to_end": false,
        "start_time": stamp(element.start),
        "end_time": stamp(element.end),
        "event": element.event,
        "result": element.result,
        "segment": element.segment,
        "node": element.node,
        "is_node": u8::from(element.node == 0),
        "hold_time": element.hold_seconds,
        "waiting_time": element.wait_seconds,
        "site_id": site.id,
        "site_name": site.name,
    }));
    if let Some(answer) = element.answer {
        row.insert("answer_time".to_owned(), json!(stamp(answer)));
    }
    if let Some(reason) = element.reason {
        row.insert("result_reason".to_owned(), json!(reason));
    }
    if let Some(id) = &element.voicemail_id {
        row.insert("voicemail_id".to_owned(), json!(id));
    }
    put_party(&mut row, "caller", &element.caller);
    put_party(&mut row, "callee", &element.callee);
    if let Some(operator) = &element.operator {
        for (key, value) in [
            ("operator_ext_id", operator.extension_id.as_deref()),
            ("operator_ext_number", operator.extension_number.as_deref()),
            ("operator_ext_type", operator.extension_type),
            ("operator_name", operator.name.as_deref()),
        ] {
            row.insert(key.to_owned(), json!(value.unwrap_or_default()));
        }
    }
    row
}

fn put_party(row: &mut Map<String, Value>, side: &str, party: &PartyNote) {
    let fields = [
        ("ext_id", party.extension_id.as_deref()),
        ("ext_type", party.extension_type),
        ("ext_number", party.extension_number.as_deref()),
        ("name", party.name.as_deref()),
        ("email", party.email.as_deref()),
        ("did_number", party.number.as_deref()),
        ("number_type", party.number_type),
        ("device_type", party.device.as_deref()),
        ("country_iso_code", party.country),
    ];
    for (field, value) in fields {
        if let Some(value) = value {
            row.insert(format!("{side}_{field}"), json!(value));
        }
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => unreachable!("only called with object literals"),
    }
}
