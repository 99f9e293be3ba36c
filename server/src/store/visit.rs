//! Writing what calls did in queues: stays, corrections, and the sums of a quarter of an hour.
//!
//! All of it within the transaction of the journal's batch, and absolute: telling the same history
//! again changes nothing.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use domain::{
    fact::StayEnd,
    history::{
        CallHistory, Difference, LiveStay, RecordReading, RecordStay, Told, WrittenStay, newest, pair,
    },
    id::{CallId, QueueId},
    interval::Quarter,
    outcome::{Outcome, OverflowReason},
    service_level::{Definition, Promise, ServiceLevelPolicy},
    time::Timestamp,
    volume::{Finished, Histogram, Wait},
};
use serde_json::{Value, json};
use sqlx::SqliteConnection;

use super::{Store, StoreError, journey::FiledVisit};

/// News of calls to write, and the place in the journal up to which they tell everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryBatch {
    /// The calls, each once.
    pub calls: Vec<CallHistory>,
    /// Everything up to this event is in them or was written before; `None` while there is more to come.
    pub place: Option<i64>,
    /// When they were told.
    pub told_at: Timestamp,
}

/// One row of `queue_visit`.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct VisitRow {
    call_id: String,
    ordinal: i64,
    queue_id: String,
    entered_at: i64,
    left_at: i64,
    outcome: String,
    live_entered_at: Option<i64>,
    live_left_at: Option<i64>,
    live_outcome: Option<String>,
    live_presumed: bool,
    record_id: Option<String>,
    record_entered_at: Option<i64>,
    record_left_at: Option<i64>,
    record_outcome: Option<String>,
    read_at: Option<i64>,
    difference: Option<String>,
    threshold_seconds: u32,
    short_abandon_seconds: u32,
    target_permille: u16,
    definition: Option<String>,
    overflow_reason: Option<String>,
}

pub(super) const VISITS_OF_CALLS: &str = "
    select v.call_id, ordinal, queue_id, entered_at, left_at, outcome,
        live_entered_at, live_left_at, live_outcome, live_presumed,
        record_id, record_entered_at, record_left_at, record_outcome, read_at, difference,
        threshold_seconds, short_abandon_seconds, target_permille, definition, overflow_reason
    from json_each(?1) as wanted cross join queue_visit as v on v.call_id = wanted.value
    order by v.call_id, ordinal";

pub(super) const DELETE_VISITS: &str =
    "delete from queue_visit where call_id in (select value from json_each(?1))";

pub(super) const INSERT_VISITS: &str = "
    insert into queue_visit (
        call_id, ordinal, queue_id, entered_at, left_at, outcome,
        live_entered_at, live_left_at, live_outcome, live_presumed,
        record_id, record_entered_at, record_left_at, record_outcome, read_at, difference,
        threshold_seconds, short_abandon_seconds, target_permille, definition, overflow_reason)
    select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
        value ->> 6, value ->> 7, value ->> 8, value ->> 9,
        value ->> 10, value ->> 11, value ->> 12, value ->> 13, value ->> 14, value ->> 15,
        value ->> 16, value ->> 17, value ->> 18, value ->> 19, value ->> 20
    from json_each(?1)";

pub(super) const INSERT_CORRECTIONS: &str = "
    insert into correction (
        call_id, queue_id, difference, live_entered_at, live_left_at, live_outcome,
        record_entered_at, record_left_at, record_outcome, read_at, noted_at)
    select value ->> 0, value ->> 2, value ->> 15, value ->> 6, value ->> 7, value ->> 8,
        value ->> 11, value ->> 12, value ->> 13, value ->> 14, ?2
    from json_each(?1) where value ->> 14 is not null and value ->> 15 is not null
    on conflict do nothing";

/// How long callers waited in each quarter of `?1`: its place in the list, whether they were answered, and
/// how long.
pub(super) const WAITS_OF_QUARTERS: &str = "
    select quarter.key as place, v.outcome = 'answered' as answered, v.left_at - v.entered_at as wait_ms
    from json_each(?1) as quarter cross join queue_visit as v
        on v.queue_id = quarter.value ->> 0
        and v.left_at >= quarter.value ->> 1 and v.left_at < (quarter.value ->> 1) + 900000";

/// Sums up every quarter of `?1` anew: queue, beginning and waits. `?2` is now: a quarter that had been closed
/// for a while is marked when that changes it. Entries count where they entered, the service level of who waited
/// longer than promised where the promised time passed, all else where the outcome came about.
pub(super) const SUM_QUARTERS: &str = "
    with quarter as materialized (
        select key as place, value ->> 0 as queue_id, value ->> 1 as began_at, value ->> 2 as waits
        from json_each(?1)
    ), late as materialized (
        select quarter.place, count(*) as decided,
            count(*) filter (where v.outcome = 'answered') as answered,
            count(*) filter (where v.outcome = 'answered'
                or ifnull(v.definition, 'short_excluded') <> 'answered_only') as promised
        from quarter cross join queue_visit as v indexed by queue_visit_by_late_mark
            on v.queue_id = quarter.queue_id
            and v.entered_at + v.threshold_seconds * 1000 >= quarter.began_at
            and v.entered_at + v.threshold_seconds * 1000 < quarter.began_at + 900000
        where v.left_at - v.entered_at > v.threshold_seconds * 1000
        group by quarter.place
    ), visit as (
        select quarter.place, v.*, v.left_at - v.entered_at as wait_ms,
            v.left_at - v.entered_at <= v.threshold_seconds * 1000 as in_time,
            v.outcome in ('abandoned', 'short_abandoned') as is_abandoned,
            ifnull(v.definition, 'short_excluded') as rule
        from quarter left join queue_visit as v
            on v.queue_id = quarter.queue_id
            and v.left_at >= quarter.began_at and v.left_at < quarter.began_at + 900000
    ), summed as (
        select place,
            count(*) filter (where outcome = 'answered') as answered,
            count(*) filter (where outcome = 'answered' and in_time) as answered_in_time,
            count(*) filter (where outcome = 'abandoned') as abandoned,
            count(*) filter (where outcome = 'short_abandoned') as short_abandoned,
            count(*) filter (where is_abandoned and in_time) as abandoned_in_time,
            count(*) filter (where outcome = 'overflowed') as overflowed,
            count(*) filter (where outcome = 'overflowed' and overflow_reason = 'overflow_maxwait') as maxwait,
            count(*) filter (where outcome = 'overflowed' and overflow_reason = 'overflow_full') as queue_full,
            count(*) filter (where outcome = 'overflowed' and overflow_reason = 'overflow_no_agent') as no_agent,
            count(*) filter (where outcome = 'voicemail') as voicemail,
            count(*) filter (where outcome = 'transferred_out') as transferred_out,
            coalesce(sum(wait_ms) filter (where outcome = 'answered'), 0) as answered_wait_ms,
            coalesce(sum(wait_ms) filter (where is_abandoned), 0) as abandoned_wait_ms,
            coalesce(sum(wait_ms), 0) as wait_ms,
            coalesce(max(wait_ms), 0) as longest_wait_ms,
            count(record_outcome) as measured,
            count(*) filter (where live_presumed = 1 and record_outcome is null) as presumed,
            count(*) filter (where in_time) as decided,
            count(*) filter (where in_time and (outcome = 'answered' or is_abandoned and rule = 'positive'))
                as promised_met,
            count(*) filter (where in_time and (outcome = 'answered'
                or is_abandoned and (rule in ('negative', 'positive')
                    or rule = 'short_excluded' and wait_ms > short_abandon_seconds * 1000)
                or not is_abandoned and rule <> 'answered_only')) as promised_decided
        from visit group by place
    )
    insert into queue_quarter (
        queue_id, began_at, entered, answered, answered_in_time, abandoned, short_abandoned, abandoned_in_time,
        overflowed, overflowed_maxwait, overflowed_full, overflowed_no_agent, voicemail, transferred_out,
        answered_wait_ms, abandoned_wait_ms, wait_ms, longest_wait_ms, measured, presumed,
        decided, decided_answered, promised_met, promised_decided, waits, revised_at)
    select q.queue_id, q.began_at,
        (select count(*) from queue_visit as e where e.queue_id = q.queue_id
            and e.entered_at >= q.began_at and e.entered_at < q.began_at + 900000),
        s.answered, s.answered_in_time, s.abandoned, s.short_abandoned, s.abandoned_in_time,
        s.overflowed, s.maxwait, s.queue_full, s.no_agent, s.voicemail, s.transferred_out,
        s.answered_wait_ms, s.abandoned_wait_ms, s.wait_ms, s.longest_wait_ms, s.measured, s.presumed,
        s.decided + ifnull(late.decided, 0), s.answered_in_time + ifnull(late.answered, 0),
        s.promised_met, s.promised_decided + ifnull(late.promised, 0), q.waits,
        iif(?2 >= q.began_at + 1800000, ?2, null)
    from quarter as q join summed as s on s.place = q.place left join late on late.place = q.place
    where true
    on conflict (queue_id, began_at) do update set
        entered = excluded.entered, answered = excluded.answered,
        answered_in_time = excluded.answered_in_time, abandoned = excluded.abandoned,
        short_abandoned = excluded.short_abandoned, abandoned_in_time = excluded.abandoned_in_time,
        overflowed = excluded.overflowed, overflowed_maxwait = excluded.overflowed_maxwait,
        overflowed_full = excluded.overflowed_full, overflowed_no_agent = excluded.overflowed_no_agent,
        voicemail = excluded.voicemail, transferred_out = excluded.transferred_out,
        answered_wait_ms = excluded.answered_wait_ms, abandoned_wait_ms = excluded.abandoned_wait_ms,
        wait_ms = excluded.wait_ms, longest_wait_ms = excluded.longest_wait_ms,
        measured = excluded.measured, presumed = excluded.presumed,
        decided = excluded.decided, decided_answered = excluded.decided_answered,
        promised_met = excluded.promised_met, promised_decided = excluded.promised_decided,
        waits = excluded.waits,
        revised_at = iif(
            (entered, answered, answered_in_time, abandoned, short_abandoned, abandoned_in_time, overflowed,
                overflowed_maxwait, overflowed_full, overflowed_no_agent, voicemail, transferred_out,
                answered_wait_ms, abandoned_wait_ms, wait_ms, longest_wait_ms,
                decided, decided_answered, promised_met, promised_decided, ifnull(waits, excluded.waits))
            is (excluded.entered, excluded.answered, excluded.answered_in_time, excluded.abandoned,
                excluded.short_abandoned, excluded.abandoned_in_time, excluded.overflowed,
                excluded.overflowed_maxwait, excluded.overflowed_full, excluded.overflowed_no_agent,
                excluded.voicemail, excluded.transferred_out, excluded.answered_wait_ms,
                excluded.abandoned_wait_ms, excluded.wait_ms, excluded.longest_wait_ms, excluded.decided,
                excluded.decided_answered, excluded.promised_met, excluded.promised_decided, excluded.waits),
            revised_at, coalesce(excluded.revised_at, revised_at))";

/// A place never goes back.
pub(super) const SET_PLACE: &str = "
    insert into history_place (history_place_id, event_id, written_at) values (1, ?1, ?2)
    on conflict (history_place_id) do update set event_id = excluded.event_id, written_at = excluded.written_at
    where excluded.event_id >= event_id";

pub(super) const PLACE: &str = "select event_id, written_at from history_place where history_place_id = 1";

/// The waits of a queue in all quarters that began in a time.
pub(super) const WAITS: &str = "
    select waits from queue_quarter
    where queue_id = ?1 and began_at >= ?2 and began_at < ?3 and waits is not null";

/// The finished visits of a queue that entered in a time.
pub(super) const FINISHED: &str = "
    select outcome, left_at - entered_at, overflow_reason from queue_visit
    where queue_id = ?1 and entered_at >= ?2 and entered_at < ?3";

/// A band as it is kept: which, and how many answered and others are in it.
pub(super) type Band = (usize, u32, u32);

/// How long callers waited.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WaitHistograms {
    /// Those who were answered.
    pub answered: Histogram,
    /// All others.
    pub unanswered: Histogram,
}

impl WaitHistograms {
    fn of_outcome(&mut self, is_answered: bool) -> &mut Histogram {
        if is_answered { &mut self.answered } else { &mut self.unanswered }
    }

    /// As it is kept.
    fn text(&self) -> String {
        let mut bands: BTreeMap<usize, (u32, u32)> = BTreeMap::new();
        for (band, count) in self.answered.bands() {
            bands.entry(band).or_default().0 = count;
        }
        for (band, count) in self.unanswered.bands() {
            bands.entry(band).or_default().1 = count;
        }
        let bands = bands.into_iter().map(|(band, (answered, unanswered))| (band, answered, unanswered));
        json!(bands.collect::<Vec<_>>()).to_string()
    }

    /// Adds what was kept. What cannot be read adds nothing.
    fn add(&mut self, text: &str) {
        for (band, answered, unanswered) in serde_json::from_str::<Vec<Band>>(text).unwrap_or_default() {
            self.answered.add_to_band(band, answered);
            self.unanswered.add_to_band(band, unanswered);
        }
    }
}

/// How far history is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryPlace {
    /// Everything up to this event is written.
    pub event_id: i64,
    /// When that was so.
    pub written_at: Timestamp,
}

impl Store {
    /// How long callers of a queue waited whose outcome came about in the quarters that began in `[from, to)`.
    pub async fn wait_histograms(
        &self,
        queue_id: &QueueId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<WaitHistograms, StoreError> {
        let texts: Vec<String> = sqlx::query_scalar(WAITS)
            .bind(queue_id.as_str())
            .bind(from.as_millis())
            .bind(to.as_millis())
            .fetch_all(&self.readers)
            .await
            .map_err(StoreError::read("the waits of a queue"))?;
        let mut histograms = WaitHistograms::default();
        texts.iter().for_each(|text| histograms.add(text));
        Ok(histograms)
    }

    /// The finished visits of a queue that entered in `[from, to)`.
    pub async fn finished_visits(
        &self,
        queue_id: &QueueId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Finished>, StoreError> {
        let rows: Vec<(String, i64, Option<String>)> = sqlx::query_as(FINISHED)
            .bind(queue_id.as_str())
            .bind(from.as_millis())
            .bind(to.as_millis())
            .fetch_all(&self.readers)
            .await
            .map_err(StoreError::read("the visits of a queue"))?;
        let finished = |(outcome, wait_ms, reason): (String, i64, Option<String>)| {
            let outcome = Outcome::parse(&outcome)?;
            let length = Duration::from_millis(wait_ms.unsigned_abs());
            let overflow = reason.as_deref().and_then(OverflowReason::parse);
            Some(Finished { wait: Wait { outcome, length }, overflow })
        };
        Ok(rows.into_iter().filter_map(finished).collect())
    }

    /// How far history is written; `None` when it never was.
    pub async fn history_place(&self) -> Result<Option<HistoryPlace>, StoreError> {
        let place: Option<(i64, i64)> = sqlx::query_as(PLACE)
            .fetch_optional(&self.readers)
            .await
            .map_err(StoreError::read("how far history is written"))?;
        Ok(place.map(|(event_id, at)| HistoryPlace { event_id, written_at: Timestamp::from_millis(at) }))
    }
}

/// Writes a batch of history within the transaction of `connection`.
pub(super) async fn write_history(
    connection: &mut SqliteConnection,
    batch: &HistoryBatch,
) -> Result<(), sqlx::Error> {
    let call_ids: BTreeSet<&str> = batch.calls.iter().map(|call| call.call_id.as_str()).collect();
    if !call_ids.is_empty() {
        let before: Vec<VisitRow> = sqlx::query_as(VISITS_OF_CALLS)
            .bind(json!(call_ids).to_string())
            .fetch_all(&mut *connection)
            .await?;
        let mut known: HashMap<&str, Vec<&VisitRow>> = HashMap::new();
        for row in &before {
            known.entry(&row.call_id).or_default().push(row);
        }
        let changed = changed(&known, &batch.calls);
        write_changed(connection, &known, &changed, batch.told_at).await?;
    }
    if let Some(place) = batch.place {
        sqlx::query(SET_PLACE).bind(place).bind(batch.told_at.as_millis()).execute(connection).await?;
    }
    Ok(())
}

/// The rows of every call that is otherwise than it was written.
fn changed(known: &HashMap<&str, Vec<&VisitRow>>, calls: &[CallHistory]) -> BTreeMap<String, Vec<VisitRow>> {
    let mut after: BTreeMap<String, Vec<VisitRow>> = BTreeMap::new();
    for call in calls {
        let written = known.get(call.call_id.as_str()).map_or(&[][..], Vec::as_slice);
        // A call may be told of twice: by the board and by a record that came too late for it.
        let rows = match after.get(call.call_id.as_str()) {
            Some(rows) => merged(&rows.iter().collect::<Vec<_>>(), call),
            None => merged(written, call),
        };
        after.insert(call.call_id.to_string(), rows);
    }
    after.retain(|call_id, rows| {
        let written = known.get(call_id.as_str()).map_or(&[][..], Vec::as_slice);
        !written.iter().copied().eq(rows.iter())
    });
    after
}

async fn write_changed(
    connection: &mut SqliteConnection,
    known: &HashMap<&str, Vec<&VisitRow>>,
    changed: &BTreeMap<String, Vec<VisitRow>>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    if changed.is_empty() {
        return Ok(());
    }
    let mut quarters: BTreeSet<(&str, i64)> = BTreeSet::new();
    let mut rewritten: Vec<&str> = Vec::new();
    for (call_id, rows) in changed {
        let written = known.get(call_id.as_str());
        rewritten.extend(written.map(|_| call_id.as_str()));
        for row in written.into_iter().flatten().copied().chain(rows) {
            for at in [row.entered_at, row.left_at, row.decided_at()] {
                let quarter = Quarter::of(Timestamp::from_millis(at));
                quarters.insert((&row.queue_id, quarter.start().as_millis()));
            }
        }
    }
    if !rewritten.is_empty() {
        sqlx::query(DELETE_VISITS).bind(json!(rewritten).to_string()).execute(&mut *connection).await?;
    }
    let rows: Vec<Value> = changed.values().flatten().map(VisitRow::values).collect();
    let rows = Value::Array(rows).to_string();
    sqlx::query(INSERT_VISITS).bind(&rows).execute(&mut *connection).await?;
    sqlx::query(INSERT_CORRECTIONS).bind(&rows).bind(now.as_millis()).execute(&mut *connection).await?;
    let quarters: Vec<(&str, i64)> = quarters.into_iter().collect();
    let waits: Vec<(i64, bool, i64)> = sqlx::query_as(WAITS_OF_QUARTERS)
        .bind(json!(quarters).to_string())
        .fetch_all(&mut *connection)
        .await?;
    let mut histograms = vec![WaitHistograms::default(); quarters.len()];
    for (place, is_answered, wait) in waits {
        let place = usize::try_from(place).ok().and_then(|place| histograms.get_mut(place));
        let wait = Duration::from_millis(wait.unsigned_abs());
        place.into_iter().for_each(|histograms| histograms.of_outcome(is_answered).add(wait));
    }
    let quarters: Vec<_> =
        quarters.iter().zip(&histograms).map(|((queue, at), w)| (queue, at, w.text())).collect();
    sqlx::query(SUM_QUARTERS)
        .bind(json!(quarters).to_string())
        .bind(now.as_millis())
        .execute(&mut *connection)
        .await?;
    Ok(())
}

/// What stands of a call after the news: news of one side leave the other as it was written.
fn merged(written: &[&VisitRow], news: &CallHistory) -> Vec<VisitRow> {
    let live = match &news.live {
        Some(live) => live.clone(),
        None => written.iter().filter_map(|row| row.live_stay()).collect(),
    };
    let records = newest(readings(written), &news.records);
    let read_at = records.iter().map(|reading| reading.read_at).max();
    let read_at = read_at.or(written.iter().filter_map(|row| row.read_at.map(Timestamp::from_millis)).max());
    (0..)
        .zip(pair(&live, &records))
        .filter_map(|(ordinal, stay)| VisitRow::of(&news.call_id, ordinal, stay, read_at))
        .collect()
}

/// The records that rows were written from.
fn readings(written: &[&VisitRow]) -> Vec<RecordReading> {
    let mut readings: Vec<RecordReading> = Vec::new();
    for row in written {
        let (Some(id), Some(stay)) = (&row.record_id, row.record_stay()) else { continue };
        let read_at = Timestamp::from_millis(row.read_at.unwrap_or(0));
        match readings.iter_mut().find(|reading| reading.id.as_str() == id) {
            Some(reading) => reading.stays.push(stay),
            None => readings.push(RecordReading { id: id.as_str().into(), read_at, stays: vec![stay] }),
        }
    }
    readings
}

impl VisitRow {
    fn of(call_id: &CallId, ordinal: i64, stay: WrittenStay, read_at: Option<Timestamp>) -> Option<Self> {
        let told = stay.counts()?;
        let difference = stay.difference(read_at.is_some());
        let (record_id, record) = stay.record.unzip();
        let millis = |told: Option<Told>, of: fn(&Told) -> Timestamp| told.map(|told| of(&told).as_millis());
        let word = |told: Option<Told>| told.map(|told| told.outcome.word().to_owned());
        Some(Self {
            call_id: call_id.to_string(),
            ordinal,
            queue_id: stay.queue_id.to_string(),
            entered_at: told.entered_at.as_millis(),
            left_at: told.left_at.as_millis(),
            outcome: told.outcome.word().to_owned(),
            live_entered_at: millis(stay.live, |told| told.entered_at),
            live_left_at: millis(stay.live, |told| told.left_at),
            live_outcome: word(stay.live),
            live_presumed: stay.live.is_some_and(|told| told.presumed),
            record_id: record_id.map(|id| id.to_string()),
            record_entered_at: millis(record, |told| told.entered_at),
            record_left_at: millis(record, |told| told.left_at),
            record_outcome: word(record),
            read_at: read_at.map(Timestamp::as_millis),
            difference: difference.map(|difference| difference.word().to_owned()),
            threshold_seconds: stay.promise.policy.threshold_seconds,
            short_abandon_seconds: stay.promise.policy.short_abandon_seconds,
            target_permille: stay.promise.policy.target_permille,
            definition: Some(stay.promise.definition.word().to_owned()),
            overflow_reason: stay.overflow.map(|reason| reason.word().to_owned()),
        })
    }

    /// When it was known whether the promise was kept: at the outcome, or when the promised time passed.
    fn decided_at(&self) -> i64 {
        self.left_at.min(self.entered_at + i64::from(self.threshold_seconds) * 1000)
    }

    /// In the order of [`INSERT_VISITS`].
    fn values(&self) -> Value {
        json!([
            self.call_id,
            self.ordinal,
            self.queue_id,
            self.entered_at,
            self.left_at,
            self.outcome,
            self.live_entered_at,
            self.live_left_at,
            self.live_outcome,
            u8::from(self.live_presumed),
            self.record_id,
            self.record_entered_at,
            self.record_left_at,
            self.record_outcome,
            self.read_at,
            self.difference,
            self.threshold_seconds,
            self.short_abandon_seconds,
            self.target_permille,
            self.definition,
            self.overflow_reason,
        ])
    }

    fn promise(&self) -> Promise {
        let policy = ServiceLevelPolicy {
            threshold_seconds: self.threshold_seconds,
            short_abandon_seconds: self.short_abandon_seconds,
            target_permille: self.target_permille,
        };
        let definition = self.definition.as_deref().and_then(Definition::parse).unwrap_or_default();
        Promise { policy, definition }
    }

    /// For who looks at the call.
    pub(super) fn filed(&self) -> Option<FiledVisit> {
        let record = || {
            Some(Told {
                entered_at: Timestamp::from_millis(self.record_entered_at?),
                left_at: Timestamp::from_millis(self.record_left_at?),
                outcome: Outcome::parse(self.record_outcome.as_deref()?)?,
                presumed: false,
            })
        };
        let record = record();
        let live = self.live_stay().map(|stay| stay.told);
        Some(FiledVisit {
            queue_id: QueueId::new(self.queue_id.as_str()),
            counts: record.or(live)?,
            live,
            record,
            overflow: self.overflow_reason.as_deref().and_then(OverflowReason::parse),
            difference: self.difference.as_deref().and_then(Difference::parse),
            is_recorded: self.read_at.is_some(),
            threshold_seconds: self.threshold_seconds,
        })
    }

    fn live_stay(&self) -> Option<LiveStay> {
        let told = Told {
            entered_at: Timestamp::from_millis(self.live_entered_at?),
            left_at: Timestamp::from_millis(self.live_left_at?),
            outcome: Outcome::parse(self.live_outcome.as_deref()?)?,
            presumed: self.live_presumed,
        };
        Some(LiveStay { queue_id: QueueId::new(self.queue_id.as_str()), promise: self.promise(), told })
    }

    fn record_stay(&self) -> Option<RecordStay> {
        let end = match Outcome::parse(self.record_outcome.as_deref()?)? {
            Outcome::Waiting => return None,
            Outcome::Answered => StayEnd::Answered,
            Outcome::Abandoned | Outcome::ShortAbandoned => StayEnd::Abandoned,
            Outcome::Overflowed | Outcome::TransferredOut => StayEnd::Overflowed,
            Outcome::Voicemail => StayEnd::Voicemail,
        };
        Some(RecordStay {
            queue_id: QueueId::new(self.queue_id.as_str()),
            promise: self.promise(),
            entered_at: Timestamp::from_millis(self.record_entered_at?),
            left_at: Timestamp::from_millis(self.record_left_at?),
            end,
            overflow: self.overflow_reason.as_deref().and_then(OverflowReason::parse),
        })
    }
}
