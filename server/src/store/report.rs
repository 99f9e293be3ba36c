//! Sums over queues and intervals, out of quarters of an hour.
//!
//! People ask for any time of any queues, so there is a deadline, on connections of their own. All that a report
//! tells is added up out of one statement, so that its parts cannot differ. Rows are read one by one: a function of
//! SQLite that works on the waits of many at once cannot be interrupted.

use std::time::Duration;

use domain::{calendar::Stretch, id::QueueId, report::Sums, service_level::ServiceLevel, time::Timestamp};
use futures_util::TryStreamExt as _;
use serde_json::json;
use sqlx::{Row as _, sqlite::SqliteRow};
use tokio::{task::coop::consume_budget, time::Instant};

use super::{SeekError, Store, visit::Band};

/// Which queues over which time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportQuestion<'a> {
    /// The queues; all where there are none.
    pub queues: &'a [QueueId],
    /// Each begins where the one before it ends.
    pub intervals: &'a [Stretch],
    /// Other times, each as a whole. They may overlap.
    pub others: &'a [Stretch],
}

/// What queues come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportSums {
    /// Each queue over all intervals together, where there is anything.
    pub queues: Vec<(QueueId, Sums)>,
    /// The queues together over each interval.
    pub intervals: Vec<Sums>,
    /// The queues together over each of the other times.
    pub others: Vec<Sums>,
}

impl ReportSums {
    /// All queues over all intervals.
    pub fn total(&self) -> Sums {
        let mut total = Sums::default();
        self.queues.iter().for_each(|(_, sums)| total.add(sums));
        total
    }
}

/// What is read of each row of `queue_quarter` that `q` stands for; see [`Quarter::read`].
macro_rules! columns {
    () => {
        " queue.value, stretch.place, q.began_at, q.waits, q.entered, q.answered, q.answered_in_time, q.abandoned,
        q.short_abandoned, q.abandoned_in_time, q.overflowed, q.overflowed_maxwait, q.overflowed_full,
        q.overflowed_no_agent, q.voicemail, q.transferred_out, q.decided, q.decided_answered, q.promised_met,
        q.promised_decided, q.answered_wait_ms, q.abandoned_wait_ms, q.wait_ms, q.longest_wait_ms, q.measured,
        q.presumed, q.revised_at "
    };
}

/// The stretches of `?1`.
macro_rules! stretches {
    () => {
        "stretch as materialized (
            select key as place, value ->> 0 as began_at, value ->> 1 as ended_at from json_each(?1))"
    };
}

/// The rows of each queue of `?2` in each stretch of `?1`.
pub(super) const QUARTERS: &str = concat!(
    "with ",
    stretches!(),
    " select ",
    columns!(),
    " from json_each(?2) as queue cross join stretch cross join queue_quarter as q
        on q.queue_id = queue.value and q.began_at >= stretch.began_at and q.began_at < stretch.ended_at"
);

/// The rows of each queue that there ever was in each stretch of `?1`. Queues are found one after the other.
pub(super) const QUARTERS_OF_ALL: &str = concat!(
    "with recursive ",
    stretches!(),
    ", queue (value) as (
        select min(queue_id) from queue_quarter
        union all
        select (select min(queue_id) from queue_quarter where queue_id > queue.value) from queue
        where queue.value is not null)
    select ",
    columns!(),
    " from queue cross join stretch cross join queue_quarter as q
        on q.queue_id = queue.value and q.began_at >= stretch.began_at and q.began_at < stretch.ended_at"
);

/// A row.
struct Quarter<'a> {
    queue_id: &'a str,
    /// The place of its stretch.
    place: i64,
    began_at: Timestamp,
    /// But for waits by band.
    sums: Sums,
    waits: Vec<Band>,
}

impl<'a> Quarter<'a> {
    /// In the order of `columns!`.
    fn read(row: &'a SqliteRow) -> Result<Self, sqlx::Error> {
        let count = |index: usize| row.try_get::<u32, _>(index);
        let millis = |index: usize| row.try_get::<u64, _>(index).map(Duration::from_millis);
        let sums = Sums {
            offered: count(4)?,
            answered: count(5)?,
            answered_in_time: count(6)?,
            abandoned: count(7)?,
            short_abandoned: count(8)?,
            abandoned_in_time: count(9)?,
            overflowed: count(10)?,
            overflowed_for: [count(11)?, count(12)?, count(13)?],
            voicemail: count(14)?,
            transferred_out: count(15)?,
            decided: count(16)?,
            decided_answered: count(17)?,
            promised: ServiceLevel { met: count(18)?, decided: count(19)? },
            answered_wait: millis(20)?,
            abandoned_wait: millis(21)?,
            wait: millis(22)?,
            longest_wait: millis(23)?,
            measured: count(24)?,
            presumed: count(25)?,
            revised_at: row.try_get::<Option<i64>, _>(26)?.map(Timestamp::from_millis),
            ..Sums::default()
        };
        let waits: Option<&str> = row.try_get(3)?;
        let waits = waits.map_or(Ok(Vec::new()), serde_json::from_str);
        Ok(Self {
            queue_id: row.try_get(0)?,
            place: row.try_get(1)?,
            began_at: Timestamp::from_millis(row.try_get(2)?),
            sums,
            // A report without them would look like one of shorter waits.
            waits: waits.map_err(|error| sqlx::Error::Decode(error.into()))?,
        })
    }

    fn add_to(&self, sums: &mut Sums) {
        sums.add(&self.sums);
        for (band, answered, unanswered) in &self.waits {
            sums.answered_waits.add_to_band(*band, *answered);
            sums.unanswered_waits.add_to_band(*band, *unanswered);
        }
    }
}

impl ReportQuestion<'_> {
    /// All intervals as one, and the other times, as [`QUARTERS`] takes them.
    fn stretches(&self) -> String {
        let whole = self.intervals.first().zip(self.intervals.last());
        // Of no interval, no time.
        let whole = whole.map_or((0, 0), |(first, last)| (first.from.as_millis(), last.to.as_millis()));
        let others = self.others.iter().map(|other| (other.from.as_millis(), other.to.as_millis()));
        json!([whole].into_iter().chain(others).collect::<Vec<_>>()).to_string()
    }

    fn queues(&self) -> Option<String> {
        let ids: Vec<&str> = self.queues.iter().map(QueueId::as_str).collect();
        (!ids.is_empty()).then(|| json!(ids).to_string())
    }

    /// Adds a row to what it belongs to.
    fn add(&self, sums: &mut ReportSums, quarter: &Quarter<'_>) {
        let Ok(place) = usize::try_from(quarter.place) else { return };
        if let Some(other) = place.checked_sub(1) {
            sums.others.get_mut(other).into_iter().for_each(|sums| quarter.add_to(sums));
            return;
        }
        let begun = self.intervals.partition_point(|interval| interval.from <= quarter.began_at);
        let interval = begun.checked_sub(1).and_then(|index| sums.intervals.get_mut(index));
        interval.into_iter().for_each(|sums| quarter.add_to(sums));
        // Rows come queue by queue.
        if sums.queues.last().is_none_or(|(last, _)| last.as_str() != quarter.queue_id) {
            sums.queues.push((QueueId::new(quarter.queue_id), Sums::default()));
        }
        sums.queues.last_mut().into_iter().for_each(|(_, sums)| quarter.add_to(sums));
    }
}

impl Store {
    /// What queues come to by queue and by interval, as of one instant. Whatever is not summed up within `within`
    /// is not.
    pub async fn report(
        &self,
        question: ReportQuestion<'_>,
        within: Duration,
    ) -> Result<ReportSums, SeekError> {
        let (mut connection, deadline) = self.seek(within).await?;
        let queues = question.queues();
        let query = match &queues {
            Some(queues) => sqlx::query(QUARTERS).bind(question.stretches()).bind(queues),
            None => sqlx::query(QUARTERS_OF_ALL).bind(question.stretches()),
        };
        let mut sums = ReportSums {
            queues: Vec::new(),
            intervals: vec![Sums::default(); question.intervals.len()],
            others: vec![Sums::default(); question.others.len()],
        };
        let mut rows = query.fetch(&mut *connection);
        while let Some(row) = rows.try_next().await? {
            question.add(&mut sums, &Quarter::read(&row)?);
            if Instant::now() >= deadline {
                return Err(SeekError::TooLong);
            }
            // Many rows may be ready at once; boards go first.
            consume_budget().await;
        }
        drop(rows);
        sums.queues.retain(|(_, sums)| !sums.is_empty());
        Ok(sums)
    }
}
