//! Reading a day's stays as they were told live beside as they were written down.

use std::time::Duration;

use domain::{
    history::{Difference, Told},
    id::{CallId, QueueId},
    outcome::{Outcome, OverflowReason},
    reconciliation::Class,
    time::Timestamp,
};
use serde_json::json;

use super::{Store, StoreError};

/// The longest time by which the two sides of a stay may put its beginning apart.
const APART: Duration = Duration::from_secs(2 * 3600);

/// So many stays of one queue that count alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassCount {
    /// The queue.
    pub queue_id: QueueId,
    /// How they count.
    pub class: Class,
    /// How many.
    pub count: u32,
}

/// A stay by which the two sides of a day differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DifferingStay {
    /// The call.
    pub call_id: CallId,
    /// The queue.
    pub queue_id: QueueId,
    /// What was said live.
    pub live: Option<Told>,
    /// What the record says.
    pub record: Option<Told>,
    /// Why it overflowed, where the record tells.
    pub overflow: Option<OverflowReason>,
    /// When the record was read.
    pub read_at: Option<Timestamp>,
    /// How it counts in that day.
    pub class: Class,
}

/// Whether calls that were not written down yet are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unwritten {
    /// After the others.
    Listed,
    /// Only counted.
    LeftOut,
}

/// A day of some queues: queues in different zones have different ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayOf {
    /// When it begins.
    pub from: Timestamp,
    /// When the next one does.
    pub to: Timestamp,
    /// Whose day it is.
    pub queues: Queues,
}

/// Some queues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Queues {
    /// These.
    Only(Vec<QueueId>),
    /// All others, those that nobody knows any more as well.
    AllBut(Vec<QueueId>),
}

impl Queues {
    /// Lists for the statements: who is meant, where not all are, and who is not.
    fn lists(&self) -> (Option<String>, String) {
        let list = |ids: &[QueueId]| json!(ids.iter().map(QueueId::as_str).collect::<Vec<_>>()).to_string();
        match self {
            Self::Only(ids) => (Some(list(ids)), list(&[])),
            Self::AllBut(ids) => (None, list(ids)),
        }
    }
}

#[derive(sqlx::FromRow)]
struct ClassRow {
    queue_id: String,
    live_outcome: Option<String>,
    record_outcome: Option<String>,
    difference: Option<String>,
    is_recorded: bool,
    count: u32,
}

#[derive(sqlx::FromRow)]
struct StayRow {
    call_id: String,
    queue_id: String,
    live_entered_at: Option<i64>,
    live_left_at: Option<i64>,
    live_outcome: Option<String>,
    live_presumed: bool,
    record_entered_at: Option<i64>,
    record_left_at: Option<i64>,
    record_outcome: Option<String>,
    read_at: Option<i64>,
    difference: Option<String>,
    overflow_reason: Option<String>,
}

pub(super) const CLASSES: &str = "
    select queue_id,
        iif(live_entered_at >= ?1 and live_entered_at < ?2, live_outcome, null) as live_outcome,
        iif(record_entered_at >= ?1 and record_entered_at < ?2, record_outcome, null) as record_outcome,
        difference, read_at is not null as is_recorded, count(*) as count
    from queue_visit
    where entered_at >= ?3 and entered_at < ?4
        and (live_entered_at >= ?1 and live_entered_at < ?2
            or record_entered_at >= ?1 and record_entered_at < ?2)
        and (?5 is null or queue_id in (select value from json_each(?5)))
        and queue_id not in (select value from json_each(?6))
    group by 1, 2, 3, 4, 5";

/// Who is in this list makes a difference of counts. Calls that are not written down yet are in it only if
/// ?7 says so, and come last: there may be many of them.
pub(super) const DIFFERING: &str = "
    select call_id, queue_id, live_entered_at, live_left_at, live_outcome, live_presumed,
        record_entered_at, record_left_at, record_outcome, read_at, difference, overflow_reason
    from queue_visit
    where entered_at >= ?3 and entered_at < ?4
        and (live_entered_at >= ?1 and live_entered_at < ?2
            or record_entered_at >= ?1 and record_entered_at < ?2)
        and (?5 is null or queue_id = ?5)
        and (?8 is null or queue_id in (select value from json_each(?8)))
        and queue_id not in (select value from json_each(?9))
        and (?7 or read_at is not null)
        and (live_outcome is not record_outcome
            or (live_entered_at >= ?1 and live_entered_at < ?2)
                is not (record_entered_at >= ?1 and record_entered_at < ?2))
    order by read_at is null, difference is not 'not_in_record', entered_at limit ?6";

impl Store {
    /// The stays that began on that day, by either side.
    pub async fn stay_classes(&self, day: &DayOf) -> Result<Vec<ClassCount>, StoreError> {
        let DayOf { from, to, queues } = day;
        let (only, all_but) = queues.lists();
        let rows: Vec<ClassRow> = sqlx::query_as(CLASSES)
            .bind(from.as_millis())
            .bind(to.as_millis())
            .bind((*from - APART).as_millis())
            .bind((*to + APART).as_millis())
            .bind(only)
            .bind(all_but)
            .fetch_all(&self.readers)
            .await
            .map_err(StoreError::read("the stays of a day"))?;
        Ok(rows.into_iter().map(ClassRow::counted).collect())
    }

    /// At most `limit` stays that began on that day and that the two sides do not count alike, of one
    /// queue or of all; those that were not written down last, if at all.
    pub async fn differing_stays(
        &self,
        day: &DayOf,
        queue: Option<&QueueId>,
        limit: u32,
        unwritten: Unwritten,
    ) -> Result<Vec<DifferingStay>, StoreError> {
        let DayOf { from, to, ref queues } = *day;
        let (only, all_but) = queues.lists();
        let rows: Vec<StayRow> = sqlx::query_as(DIFFERING)
            .bind(from.as_millis())
            .bind(to.as_millis())
            .bind((from - APART).as_millis())
            .bind((to + APART).as_millis())
            .bind(queue.map(|id| id.as_str().to_owned()))
            .bind(limit)
            .bind(unwritten == Unwritten::Listed)
            .bind(only)
            .bind(all_but)
            .fetch_all(&self.readers)
            .await
            .map_err(StoreError::read("the stays in question"))?;
        Ok(rows.into_iter().map(|row| row.stay(from, to)).collect())
    }
}

fn outcome(word: Option<&str>) -> Option<Outcome> {
    word.and_then(Outcome::parse)
}

impl ClassRow {
    fn counted(self) -> ClassCount {
        let class = Class {
            live: outcome(self.live_outcome.as_deref()),
            record: outcome(self.record_outcome.as_deref()),
            difference: self.difference.as_deref().and_then(Difference::parse),
            is_recorded: self.is_recorded,
        };
        ClassCount { queue_id: QueueId::new(self.queue_id), class, count: self.count }
    }
}

impl StayRow {
    fn stay(self, from: Timestamp, to: Timestamp) -> DifferingStay {
        let told = |entered: Option<i64>, left: Option<i64>, word: Option<&str>, presumed| {
            Some(Told {
                entered_at: Timestamp::from_millis(entered?),
                left_at: Timestamp::from_millis(left?),
                outcome: outcome(word)?,
                presumed,
            })
        };
        let live =
            told(self.live_entered_at, self.live_left_at, self.live_outcome.as_deref(), self.live_presumed);
        let record = told(self.record_entered_at, self.record_left_at, self.record_outcome.as_deref(), false);
        let today = |told: Option<Told>| {
            told.filter(|told| told.entered_at >= from && told.entered_at < to).map(|told| told.outcome)
        };
        DifferingStay {
            call_id: CallId::new(self.call_id),
            queue_id: QueueId::new(self.queue_id),
            class: Class {
                live: today(live),
                record: today(record),
                difference: self.difference.as_deref().and_then(Difference::parse),
                is_recorded: self.read_at.is_some(),
            },
            live,
            record,
            overflow: self.overflow_reason.as_deref().and_then(OverflowReason::parse),
            read_at: self.read_at.map(Timestamp::from_millis),
        }
    }
}
