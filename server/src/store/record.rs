//! Calls and their elements as Zoom wrote them down: writing them, and how far that is done.

use domain::time::Timestamp;
use serde::Serialize;
use sqlx::SqliteConnection;

use super::{Store, StoreError};

/// Records to write, and the place in the journal up to which they were taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordBatch {
    /// Whole calls.
    pub calls: Vec<RecordRow>,
    /// Steps and legs.
    pub elements: Vec<ElementRow>,
    /// Everything up to this event is in them or was written before.
    pub place: i64,
}

/// One row of `call_record`. Times in milliseconds since 1970 UTC.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct RecordRow {
    /// What names the record.
    pub record_id: String,
    /// The live call.
    pub call_id: String,
    /// Of the record: 1, 2 or 3.
    pub generation: u8,
    /// `inbound` or `outbound`.
    pub direction: Option<String>,
    /// Outcome of the whole call, in the words of the newest generation.
    pub result: Option<String>,
    /// First instant.
    pub started_at: Option<i64>,
    /// First answer.
    pub answered_at: Option<i64>,
    /// Last instant.
    pub ended_at: Option<i64>,
    /// Who called.
    pub caller_name: Option<String>,
    /// From which number.
    pub caller_number: Option<String>,
    /// When it was read.
    pub read_at: i64,
}

/// One row of `call_element`. Times in milliseconds since 1970 UTC.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct ElementRow {
    /// What names the element.
    pub element_id: String,
    /// The record it belongs to.
    pub record_id: String,
    /// The live call.
    pub call_id: String,
    /// The same as it was told.
    pub told_call_id: String,
    /// Of the record: 1, 2 or 3.
    pub generation: u8,
    /// `inbound` or `outbound`.
    pub direction: Option<String>,
    /// What the step was.
    pub event: Option<String>,
    /// How it ended.
    pub result: Option<String>,
    /// Why it was nobody's miss.
    pub result_reason: Option<String>,
    /// Counter of phases.
    pub segment: Option<i64>,
    /// Number within the phase.
    pub node: Option<i64>,
    /// First instant.
    pub started_at: Option<i64>,
    /// When it was answered.
    pub answered_at: Option<i64>,
    /// Last instant.
    pub ended_at: Option<i64>,
    /// Waiting, ringing included.
    pub wait_ms: Option<i64>,
    /// Talking, without hold.
    pub talk_ms: Option<i64>,
    /// On hold.
    pub hold_ms: Option<i64>,
    /// Calling side: its extension.
    pub caller_extension_number: Option<String>,
    /// Calling side: its name.
    pub caller_name: Option<String>,
    /// Calling side: its telephone number.
    pub caller_number: Option<String>,
    /// Called side: its extension's id.
    pub callee_extension_id: Option<String>,
    /// Called side: its extension.
    pub callee_extension_number: Option<String>,
    /// Called side: what it is.
    pub callee_kind: Option<String>,
    /// Called side: its name.
    pub callee_name: Option<String>,
    /// Called side: its telephone number.
    pub callee_number: Option<String>,
    /// Who caused the step: its extension.
    pub operator_extension_number: Option<String>,
    /// Who caused the step: what it is.
    pub operator_kind: Option<String>,
    /// Who caused the step: its name.
    pub operator_name: Option<String>,
    /// Whose part it is.
    pub user_id: Option<String>,
    /// The message that was left.
    pub voicemail_id: Option<String>,
    /// What was recorded.
    pub recording_id: Option<String>,
    /// When it was read.
    pub read_at: i64,
}

pub(super) const UPSERT_RECORDS: &str = "
    insert into call_record (
        record_id, call_id, generation, direction, result, started_at, answered_at, ended_at,
        caller_name, caller_number, read_at)
    select value ->> 'record_id', value ->> 'call_id', value ->> 'generation', value ->> 'direction',
        value ->> 'result', value ->> 'started_at', value ->> 'answered_at', value ->> 'ended_at',
        value ->> 'caller_name', value ->> 'caller_number', value ->> 'read_at'
    from json_each(?1) where true
    on conflict (record_id) do update set
        call_id = excluded.call_id, generation = excluded.generation, direction = excluded.direction,
        result = excluded.result, started_at = excluded.started_at, answered_at = excluded.answered_at,
        ended_at = excluded.ended_at, caller_name = excluded.caller_name,
        caller_number = excluded.caller_number, read_at = excluded.read_at
    where excluded.read_at >= call_record.read_at";

/// A person's part says who they are, the whole call does not: what was known stays where the later
/// reading is silent.
pub(super) const UPSERT_ELEMENTS: &str = "
    insert into call_element (
        element_id, record_id, call_id, told_call_id, generation, direction, event, result, result_reason,
        segment, node, started_at, answered_at, ended_at, wait_ms, talk_ms, hold_ms,
        caller_extension_number, caller_name, caller_number,
        callee_extension_id, callee_extension_number, callee_kind, callee_name, callee_number,
        operator_extension_number, operator_kind, operator_name,
        user_id, voicemail_id, recording_id, read_at)
    select value ->> 'element_id', value ->> 'record_id', value ->> 'call_id', value ->> 'told_call_id',
        value ->> 'generation', value ->> 'direction', value ->> 'event', value ->> 'result',
        value ->> 'result_reason', value ->> 'segment', value ->> 'node', value ->> 'started_at',
        value ->> 'answered_at', value ->> 'ended_at', value ->> 'wait_ms', value ->> 'talk_ms',
        value ->> 'hold_ms', value ->> 'caller_extension_number', value ->> 'caller_name',
        value ->> 'caller_number', value ->> 'callee_extension_id', value ->> 'callee_extension_number',
        value ->> 'callee_kind', value ->> 'callee_name', value ->> 'callee_number',
        value ->> 'operator_extension_number', value ->> 'operator_kind', value ->> 'operator_name',
        value ->> 'user_id', value ->> 'voicemail_id', value ->> 'recording_id', value ->> 'read_at'
    from json_each(?1) where true
    on conflict (element_id) do update set
        record_id = excluded.record_id, call_id = excluded.call_id, told_call_id = excluded.told_call_id,
        generation = excluded.generation,
        direction = coalesce(excluded.direction, direction), event = coalesce(excluded.event, event),
        result = coalesce(excluded.result, result),
        result_reason = coalesce(excluded.result_reason, result_reason),
        segment = coalesce(excluded.segment, segment), node = coalesce(excluded.node, node),
        started_at = coalesce(excluded.started_at, started_at),
        answered_at = coalesce(excluded.answered_at, answered_at),
        ended_at = coalesce(excluded.ended_at, ended_at), wait_ms = coalesce(excluded.wait_ms, wait_ms),
        talk_ms = coalesce(excluded.talk_ms, talk_ms), hold_ms = coalesce(excluded.hold_ms, hold_ms),
        caller_extension_number = coalesce(excluded.caller_extension_number, caller_extension_number),
        caller_name = coalesce(excluded.caller_name, caller_name),
        caller_number = coalesce(excluded.caller_number, caller_number),
        callee_extension_id = coalesce(excluded.callee_extension_id, callee_extension_id),
        callee_extension_number = coalesce(excluded.callee_extension_number, callee_extension_number),
        callee_kind = coalesce(excluded.callee_kind, callee_kind),
        callee_name = coalesce(excluded.callee_name, callee_name),
        callee_number = coalesce(excluded.callee_number, callee_number),
        operator_extension_number = coalesce(excluded.operator_extension_number, operator_extension_number),
        operator_kind = coalesce(excluded.operator_kind, operator_kind),
        operator_name = coalesce(excluded.operator_name, operator_name),
        user_id = coalesce(excluded.user_id, user_id),
        voicemail_id = coalesce(excluded.voicemail_id, voicemail_id),
        recording_id = coalesce(excluded.recording_id, recording_id), read_at = excluded.read_at
    where excluded.read_at >= call_element.read_at";

pub(super) const SET_RECORD_PLACE: &str = "
    insert into record_place (record_place_id, event_id) values (1, ?1)
    on conflict (record_place_id) do update set event_id = max(event_id, excluded.event_id)";

pub(super) const RECORD_PLACE: &str = "select event_id from record_place where record_place_id = 1";

/// Only the names are looked at of events that are no records.
pub(super) const RECORD_EVENTS: &str = "
    select event_id, received_at, name, raw from event
    where event_id > ?1 and event_id <= ?2 and name in (select value from json_each(?3))
    order by event_id limit ?4";

/// A record in the journal.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct RecordEvent {
    /// Its place.
    pub event_id: i64,
    received_at: i64,
    /// Its name.
    pub name: String,
    /// Its own text.
    pub raw: String,
}

impl RecordEvent {
    /// When it was read.
    pub fn read_at(&self) -> Timestamp {
        Timestamp::from_millis(self.received_at)
    }
}

impl Store {
    /// Up to which event records are written as rows, 0 when none are.
    pub async fn record_place(&self) -> Result<i64, StoreError> {
        let place: Option<i64> = sqlx::query_scalar(RECORD_PLACE)
            .fetch_optional(&self.readers)
            .await
            .map_err(StoreError::read("how far records are written"))?;
        Ok(place.unwrap_or(0))
    }

    /// At most `limit` events of these names in `(after, until]`, oldest first.
    pub async fn record_events(
        &self,
        after: i64,
        until: i64,
        names: &[&str],
        limit: u32,
    ) -> Result<Vec<RecordEvent>, StoreError> {
        sqlx::query_as(RECORD_EVENTS)
            .bind(after)
            .bind(until)
            .bind(serde_json::json!(names).to_string())
            .bind(limit)
            .fetch_all(&self.readers)
            .await
            .map_err(StoreError::read("the records in the journal"))
    }
}

/// Writes records within the transaction of `connection`.
pub(super) async fn write_records(
    connection: &mut SqliteConnection,
    batch: &RecordBatch,
) -> Result<(), sqlx::Error> {
    let json =
        |rows: Result<String, serde_json::Error>| rows.map_err(|error| sqlx::Error::Encode(error.into()));
    if !batch.calls.is_empty() {
        let calls = json(serde_json::to_string(&batch.calls))?;
        sqlx::query(UPSERT_RECORDS).bind(calls).execute(&mut *connection).await?;
    }
    if !batch.elements.is_empty() {
        let elements = json(serde_json::to_string(&batch.elements))?;
        sqlx::query(UPSERT_ELEMENTS).bind(elements).execute(&mut *connection).await?;
    }
    sqlx::query(SET_RECORD_PLACE).bind(batch.place).execute(connection).await?;
    Ok(())
}
