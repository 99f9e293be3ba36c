//! Sums over queues and stretches of time, out of quarters of an hour.
//!
//! People ask for any time of any queues, so there is a deadline, on connections of their own. Every stretch is
//! one look at the rows of its quarters, and what comes back is a row for each queue or stretch.

use std::time::Duration;

use domain::{calendar::Stretch, id::QueueId, report::Sums, service_level::ServiceLevel, time::Timestamp};
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use super::{
    SeekError, Store,
    visit::{Band, WaitHistograms},
};

/// Which queues; of all where there are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportQuestion<'a> {
    /// The queues.
    pub queues: &'a [QueueId],
    /// The stretches, from quarter to quarter. They may overlap.
    pub stretches: &'a [Stretch],
}

/// What a queue comes to over one of the stretches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSums {
    /// The queue.
    pub queue_id: QueueId,
    /// The place of the stretch among those asked for.
    pub stretch: usize,
    /// The sums.
    pub sums: Sums,
}

/// The sums of the rows of `queue_quarter` that `q` stands for, as a list in JSON; see [`Row`].
macro_rules! sums {
    () => {
        "json_array(
            count(*), sum(entered), sum(answered), sum(answered_in_time), sum(abandoned), sum(short_abandoned),
            sum(abandoned_in_time), sum(overflowed), sum(overflowed_maxwait), sum(overflowed_full),
            sum(overflowed_no_agent), sum(voicemail), sum(transferred_out), sum(decided), sum(decided_answered),
            sum(promised_met), sum(promised_decided), sum(answered_wait_ms), sum(abandoned_wait_ms),
            sum(wait_ms), max(longest_wait_ms), sum(measured), sum(presumed), max(revised_at),
            json('[' || ifnull(group_concat(waits), '') || ']'))"
    };
}

/// The stretches of `?1`.
macro_rules! stretches {
    () => {
        "stretch as materialized (
            select key as place, value ->> 0 as began_at, value ->> 1 as ended_at from json_each(?1))"
    };
}

/// Each queue of `?2` over each stretch of `?1`.
pub(super) const BY_QUEUE: &str = concat!(
    "with ",
    stretches!(),
    " select queue.value, stretch.place, (select ",
    sums!(),
    " from queue_quarter as q where q.queue_id = queue.value
        and q.began_at >= stretch.began_at and q.began_at < stretch.ended_at)
    from json_each(?2) as queue cross join stretch"
);

/// Each queue that there ever was over each stretch of `?1`. Queues are found one after the other.
pub(super) const BY_ANY_QUEUE: &str = concat!(
    "with recursive ",
    stretches!(),
    ", queue (value) as (
        select min(queue_id) from queue_quarter
        union all
        select (select min(queue_id) from queue_quarter where queue_id > queue.value) from queue
        where queue.value is not null)
    select queue.value, stretch.place, (select ",
    sums!(),
    " from queue_quarter as q where q.queue_id = queue.value
        and q.began_at >= stretch.began_at and q.began_at < stretch.ended_at)
    from queue cross join stretch where queue.value is not null"
);

/// The queues of `?2` together over each stretch of `?1`.
pub(super) const BY_STRETCH: &str = concat!(
    "with ",
    stretches!(),
    " select stretch.place, (select ",
    sums!(),
    " from json_each(?2) as queue cross join queue_quarter as q on q.queue_id = queue.value
        and q.began_at >= stretch.began_at and q.began_at < stretch.ended_at)
    from stretch"
);

/// All queues together over each stretch of `?1`.
pub(super) const BY_STRETCH_OF_ALL: &str = concat!(
    "with ",
    stretches!(),
    " select stretch.place, (select ",
    sums!(),
    " from queue_quarter as q where q.began_at >= stretch.began_at and q.began_at < stretch.ended_at)
    from stretch"
);

/// In the order of `sums!`; all but the first are null where there is no row.
#[derive(Deserialize)]
struct Row(
    u32,
    Option<u32>,
    Option<u32>,
    Option<u32>,
    Option<u32>,
    Option<u32>,
    Option<u32>,
    Option<u32>,
    Option<u32>,
    Option<u32>,
    Option<u32>,
    Option<u32>,
    Option<u32>,
    Option<u32>,
    Option<u32>,
    Option<u32>,
    Option<u32>,
    Option<u64>,
    Option<u64>,
    Option<u64>,
    Option<u64>,
    Option<u32>,
    Option<u32>,
    Option<i64>,
    Vec<Vec<Band>>,
);

impl Row {
    fn sums(self) -> Sums {
        let millis = |wait: Option<u64>| Duration::from_millis(wait.unwrap_or(0));
        let count = Option::unwrap_or_default;
        let mut waits = WaitHistograms::default();
        self.24.iter().for_each(|bands| waits.add_bands(bands));
        Sums {
            offered: count(self.1),
            answered: count(self.2),
            answered_in_time: count(self.3),
            abandoned: count(self.4),
            short_abandoned: count(self.5),
            abandoned_in_time: count(self.6),
            overflowed: count(self.7),
            overflowed_for: [count(self.8), count(self.9), count(self.10)],
            voicemail: count(self.11),
            transferred_out: count(self.12),
            decided: count(self.13),
            decided_answered: count(self.14),
            promised: ServiceLevel { met: count(self.15), decided: count(self.16) },
            answered_wait: millis(self.17),
            abandoned_wait: millis(self.18),
            wait: millis(self.19),
            longest_wait: millis(self.20),
            measured: count(self.21),
            presumed: count(self.22),
            revised_at: self.23.map(Timestamp::from_millis),
            answered_waits: waits.answered,
            unanswered_waits: waits.unanswered,
        }
    }
}

/// What cannot be read amounts to nothing: the statement writes it, nobody else.
fn sums(text: &str) -> Option<Sums> {
    let row: Row = serde_json::from_str(text).ok()?;
    (row.0 > 0).then(|| row.sums())
}

impl ReportQuestion<'_> {
    fn stretches(&self) -> String {
        let millis = |at: Timestamp| at.as_millis();
        let pairs = self.stretches.iter().map(|stretch| (millis(stretch.from), millis(stretch.to)));
        json!(pairs.collect::<Vec<_>>()).to_string()
    }

    fn queues(&self) -> Option<String> {
        let ids: Vec<&str> = self.queues.iter().map(QueueId::as_str).collect();
        (!ids.is_empty()).then(|| json!(ids).to_string())
    }
}

impl Store {
    /// Each queue by itself over each stretch, where there is anything. Whatever is not summed up within `within`
    /// is not.
    pub async fn sums_by_queue(
        &self,
        question: ReportQuestion<'_>,
        within: Duration,
    ) -> Result<Vec<QueueSums>, SeekError> {
        let mut connection = self.seek(Instant::now() + within).await?;
        let queues = question.queues();
        let query = match &queues {
            Some(queues) => sqlx::query_as(BY_QUEUE).bind(question.stretches()).bind(queues),
            None => sqlx::query_as(BY_ANY_QUEUE).bind(question.stretches()),
        };
        let rows: Vec<(String, i64, String)> = query.fetch_all(&mut *connection).await?;
        let row = |(queue, stretch, text): (String, i64, String)| {
            let stretch = usize::try_from(stretch).ok()?;
            Some(QueueSums { queue_id: QueueId::new(queue), stretch, sums: sums(&text)? })
        };
        Ok(rows.into_iter().filter_map(row).collect())
    }

    /// The queues together over each stretch, in the order of the stretches.
    pub async fn sums_by_stretch(
        &self,
        question: ReportQuestion<'_>,
        within: Duration,
    ) -> Result<Vec<Sums>, SeekError> {
        let mut connection = self.seek(Instant::now() + within).await?;
        let queues = question.queues();
        let query = match &queues {
            Some(queues) => sqlx::query_as(BY_STRETCH).bind(question.stretches()).bind(queues),
            None => sqlx::query_as(BY_STRETCH_OF_ALL).bind(question.stretches()),
        };
        let rows: Vec<(i64, String)> = query.fetch_all(&mut *connection).await?;
        let mut all = vec![Sums::default(); question.stretches.len()];
        for (place, text) in rows {
            let place = usize::try_from(place).ok().and_then(|place| all.get_mut(place));
            if let (Some(place), Some(sums)) = (place, sums(&text)) {
                *place = sums;
            }
        }
        Ok(all)
    }
}
