//! Everything that was written down of one call.

use domain::{
    history::{Difference, Told},
    id::{CallId, QueueId},
    outcome::OverflowReason,
    time::Timestamp,
};
use serde_json::json;

use super::{
    DEADLINE, ElementRow, RecordRow, SeekError, Store, StoreError,
    visit::{VISITS_OF_CALLS, VisitRow},
};

/// Steps that are read of one call. A caller who goes round between queues for an hour makes some hundred.
const MOST_STEPS: u32 = 1_000;
/// Events that are shown of one call.
const MOST_EVENTS: u32 = 200;

/// What was written down of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallFile {
    /// Its records, the first one first.
    pub records: Vec<RecordRow>,
    /// Their steps.
    pub elements: Vec<ElementRow>,
    /// Its visits to queues, in the order they began.
    pub visits: Vec<FiledVisit>,
}

/// A visit with both of its sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FiledVisit {
    /// The queue.
    pub queue_id: QueueId,
    /// The word that counts.
    pub counts: Told,
    /// What was said live.
    pub live: Option<Told>,
    /// What the record says.
    pub record: Option<Told>,
    /// Why it overflowed.
    pub overflow: Option<OverflowReason>,
    /// How the two differ.
    pub difference: Option<Difference>,
    /// The call's record was read.
    pub is_recorded: bool,
    /// Within how many seconds the queue promised an answer.
    pub threshold_seconds: u32,
}

/// An event of a call, as it came.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct CallEvent {
    /// When, in milliseconds since 1970 UTC.
    pub received_at: i64,
    /// Its name.
    pub name: String,
    /// Its own text.
    pub raw: String,
}

pub(super) const RECORDS: &str = "
    select record_id, call_id, generation, direction, result, started_at, answered_at, ended_at,
        caller_name, caller_number, read_at
    from call_record where call_id = ?1 order by coalesce(started_at, read_at), record_id limit ?2";

pub(super) const ELEMENTS: &str = "
    select element_id, record_id, call_id, told_call_id, generation, direction, event, result, result_reason,
        segment, node, started_at, answered_at, ended_at, wait_ms, talk_ms, hold_ms,
        caller_extension_number, caller_name, caller_number,
        callee_extension_id, callee_extension_number, callee_kind, callee_name, callee_number,
        operator_extension_number, operator_kind, operator_name, user_id, voicemail_id, recording_id, read_at
    from call_element where call_id = ?1
    order by segment, coalesce(started_at, read_at), node, element_id limit ?2";

/// Events are found by their time: an index by call would slow down the writing of every event.
pub(super) const EVENTS: &str = "
    select received_at, name, raw from event
    where received_at >= ?2 and received_at < ?3
        and (call_id = ?1 or substr(call_id, 1, length(?1) + 1) = ?1 || '_')
    order by received_at, event_id limit ?4";

impl Store {
    /// What was written down of a call; `None` when nothing was.
    pub async fn call_file(&self, call_id: &CallId) -> Result<Option<CallFile>, StoreError> {
        let records: Vec<RecordRow> = sqlx::query_as(RECORDS)
            .bind(call_id.as_str())
            .bind(MOST_STEPS)
            .fetch_all(&self.readers)
            .await
            .map_err(StoreError::read("the records of a call"))?;
        let elements: Vec<ElementRow> = sqlx::query_as(ELEMENTS)
            .bind(call_id.as_str())
            .bind(MOST_STEPS)
            .fetch_all(&self.readers)
            .await
            .map_err(StoreError::read("the steps of a call"))?;
        let visits: Vec<VisitRow> = sqlx::query_as(VISITS_OF_CALLS)
            .bind(json!([call_id.as_str()]).to_string())
            .fetch_all(&self.readers)
            .await
            .map_err(StoreError::read("the visits of a call"))?;
        let visits: Vec<FiledVisit> = visits.iter().filter_map(VisitRow::filed).collect();
        let is_known = !records.is_empty() || !elements.is_empty() || !visits.is_empty();
        Ok(is_known.then_some(CallFile { records, elements, visits }))
    }

    /// The events of a call that came in `[from, to)` and are not packed yet.
    pub async fn call_events(
        &self,
        call_id: &CallId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<CallEvent>, SeekError> {
        let (mut connection, _) = self.seek(DEADLINE).await?;
        let events = sqlx::query_as(EVENTS)
            .bind(call_id.as_str())
            .bind(from.as_millis())
            .bind(to.as_millis())
            .bind(MOST_EVENTS)
            .fetch_all(&mut *connection)
            .await?;
        Ok(events)
    }
}
