//! Sums over queues and intervals, out of quarters of an hour.
//!
//! People ask for any time of any queues, so there is a deadline, on connections of their own. All that a report
//! tells is added up out of one statement, so that its parts cannot differ. No function of SQLite works on the waits
//! of many quarters at once, which could not be interrupted.

use std::time::Duration;

use domain::{calendar::Stretch, id::QueueId, report::Sums, service_level::ServiceLevel, time::Timestamp};
use futures_util::TryStreamExt as _;
use serde::Deserialize;
use serde_json::{Deserializer, json};
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

/// A queue over a stretch, where there is anything: one row, as each costs more to hand over than to add up. Its sums
/// as a list in JSON (see [`Row`]), and then the waits of each quarter as they are kept, one after the other: that is
/// put together step by step, and can be interrupted at each.
macro_rules! sums {
    () => {
        " select queue.value, stretch.place, (
            select json_array(sum(entered), sum(answered), sum(answered_in_time), sum(abandoned),
                sum(short_abandoned), sum(abandoned_in_time), sum(overflowed), sum(overflowed_maxwait),
                sum(overflowed_full), sum(overflowed_no_agent), sum(voicemail), sum(transferred_out),
                sum(decided), sum(decided_answered), sum(promised_met), sum(promised_decided),
                sum(answered_wait_ms), sum(abandoned_wait_ms), sum(wait_ms), max(longest_wait_ms),
                sum(measured), sum(presumed), max(revised_at)) || ifnull(group_concat(waits, ''), '')
            from queue_quarter as q where q.queue_id = queue.value
                and q.began_at >= stretch.began_at and q.began_at < stretch.ended_at)
        from queue cross join stretch
        where exists (select 1 from queue_quarter as q where q.queue_id = queue.value
            and q.began_at >= stretch.began_at and q.began_at < stretch.ended_at)"
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
pub(super) const SUMS: &str =
    concat!("with ", stretches!(), ", queue as (select value from json_each(?2))", sums!());

/// Each queue that there ever was over each stretch of `?1`. Queues are found one after the other.
pub(super) const SUMS_OF_ALL: &str = concat!(
    "with recursive ",
    stretches!(),
    ", queue (value) as (
        select min(queue_id) from queue_quarter
        union all
        select (select min(queue_id) from queue_quarter where queue_id > queue.value) from queue
        where queue.value is not null)",
    sums!()
);

/// In the order of `sums!`.
#[derive(Deserialize)]
struct Row(
    u32,
    u32,
    u32,
    u32,
    u32,
    u32,
    u32,
    u32,
    u32,
    u32,
    u32,
    u32,
    u32,
    u32,
    u32,
    u32,
    u64,
    u64,
    u64,
    u64,
    u32,
    u32,
    Option<i64>,
);

/// What a row tells. Without what cannot be read, a report would look like one of a quieter time.
fn sums(text: &str) -> Result<Sums, serde_json::Error> {
    let mut texts = Deserializer::from_str(text);
    let row = Row::deserialize(&mut texts)?;
    let mut sums = Sums {
        offered: row.0,
        answered: row.1,
        answered_in_time: row.2,
        abandoned: row.3,
        short_abandoned: row.4,
        abandoned_in_time: row.5,
        overflowed: row.6,
        overflowed_for: [row.7, row.8, row.9],
        voicemail: row.10,
        transferred_out: row.11,
        decided: row.12,
        decided_answered: row.13,
        promised: ServiceLevel { met: row.14, decided: row.15 },
        answered_wait: Duration::from_millis(row.16),
        abandoned_wait: Duration::from_millis(row.17),
        wait: Duration::from_millis(row.18),
        longest_wait: Duration::from_millis(row.19),
        measured: row.20,
        presumed: row.21,
        revised_at: row.22.map(Timestamp::from_millis),
        ..Sums::default()
    };
    for bands in texts.into_iter::<Vec<Band>>() {
        for (band, answered, unanswered) in bands? {
            sums.answered_waits.add_to_band(band, answered);
            sums.unanswered_waits.add_to_band(band, unanswered);
        }
    }
    Ok(sums)
}

impl ReportQuestion<'_> {
    /// The intervals and then the other times, as [`SUMS`] takes them.
    fn stretches(&self) -> String {
        let all = self.intervals.iter().chain(self.others);
        let pairs = all.map(|stretch| (stretch.from.as_millis(), stretch.to.as_millis()));
        json!(pairs.collect::<Vec<_>>()).to_string()
    }

    fn queues(&self) -> Option<String> {
        let ids: Vec<&str> = self.queues.iter().map(QueueId::as_str).collect();
        (!ids.is_empty()).then(|| json!(ids).to_string())
    }
}

impl ReportSums {
    /// Adds what a queue comes to over a stretch, by the place of that, to what it belongs to. Queues come one after
    /// the other.
    fn add(&mut self, queue_id: &str, place: usize, sums: &Sums) {
        if let Some(other) = place.checked_sub(self.intervals.len()) {
            self.others.get_mut(other).into_iter().for_each(|other| other.add(sums));
            return;
        }
        self.intervals[place].add(sums);
        match self.queues.last_mut().filter(|(last, _)| last.as_str() == queue_id) {
            Some((_, queue)) => queue.add(sums),
            None => self.queues.push((QueueId::new(queue_id), sums.clone())),
        }
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
            Some(queues) => sqlx::query_as(SUMS).bind(question.stretches()).bind(queues),
            None => sqlx::query_as(SUMS_OF_ALL).bind(question.stretches()),
        };
        let mut told = ReportSums {
            queues: Vec::new(),
            intervals: vec![Sums::default(); question.intervals.len()],
            others: vec![Sums::default(); question.others.len()],
        };
        let mut rows = query.fetch(&mut *connection);
        while let Some(row) = rows.try_next().await? {
            let (queue_id, place, text): (String, i64, String) = row;
            let sums = sums(&text).map_err(|error| sqlx::Error::Decode(error.into()))?;
            told.add(&queue_id, usize::try_from(place).unwrap_or(usize::MAX), &sums);
            if Instant::now() >= deadline {
                return Err(SeekError::TooLong);
            }
            // Many rows may be ready at once; boards go first.
            consume_budget().await;
        }
        drop(rows);
        told.queues.retain(|(_, sums)| !sums.is_empty());
        Ok(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_of_a_row_is_an_error_and_no_quieter_time() {
        let counts = format!("[{}null]", "1,".repeat(22));
        let read = |waits: &str| sums(&format!("{counts}{waits}")).map(|sums| sums.answered_waits.count());
        assert_eq!(read("[[3,2,0],[5,1,0]][[3,4,0]]").unwrap(), 7);
        assert_eq!(read("").unwrap(), 0);
        for torn in ["[[3,2,0]", "[[3,2]]", "[[3,2,0]]{}"] {
            assert!(read(torn).is_err(), "{torn}");
        }
        assert!(sums("[1,2]").is_err() && sums("").is_err());
    }
}
