//! Sums of reports equal the visits they are summed up from, whatever is asked, and old rows gain what they lack.

use std::sync::Arc;

use domain::{
    calendar::Stretch,
    fact::StayEnd,
    history::{CallHistory, LiveStay, RecordReading, RecordStay, Told},
    id::QueueId,
    outcome::{Outcome, OverflowReason},
    report::{ReportedVisit, Sums},
    service_level::{Definition, Promise, ServiceLevelPolicy},
};
use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};

use super::*;
use crate::store::{DEADLINE, HistoryBatch, ReportQuestion, ReportSums, SeekError};

/// 14:15 UTC, the beginning of a quarter.
const QUARTER: i64 = 1_790_000_100_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(QUARTER + seconds * 1000)
}

const fn stretch(from: Timestamp, to: Timestamp) -> Stretch {
    Stretch { from, to }
}

/// A visit of a queue, as it is written down and as reports shall count it.
fn visit() -> impl Strategy<Value = (QueueId, ReportedVisit)> {
    let outcome = prop::sample::select(Outcome::ALL[1..].to_vec());
    let reason = prop::option::of(prop::sample::select(OverflowReason::ALL.to_vec()));
    let definition = prop::sample::select(Definition::ALL.to_vec());
    let promise = (10..2_000_u32, 1..10_u32, definition);
    let times = (0..9_000_i64, prop_oneof![3 => 0..90_i64, 1 => 0..3_000_i64]);
    let queue = prop::sample::select(vec!["q-a", "q-b", "q-c"]);
    let visit = (queue, times, outcome, reason, promise, any::<bool>(), any::<bool>());
    visit.prop_map(|(queue, (entered, wait), outcome, reason, promise, is_measured, presumed)| {
        let (threshold_seconds, short_abandon_seconds, definition) = promise;
        let policy = ServiceLevelPolicy { threshold_seconds, short_abandon_seconds, target_permille: 800 };
        let outcome = match outcome {
            Outcome::Abandoned | Outcome::ShortAbandoned if wait <= short_abandon_seconds.into() => {
                Outcome::ShortAbandoned
            }
            Outcome::ShortAbandoned => Outcome::Abandoned,
            outcome => outcome,
        };
        let overflow = reason.filter(|_| is_measured && outcome == Outcome::Overflowed);
        let promise = Promise { policy, definition };
        let (entered_at, left_at) = (at(entered), at(entered + wait));
        let is_presumed = presumed && !is_measured;
        (
            queue.into(),
            ReportedVisit { entered_at, left_at, outcome, overflow, promise, is_measured, is_presumed },
        )
    })
}

fn history(number: usize, queue_id: &QueueId, visit: &ReportedVisit) -> CallHistory {
    let ReportedVisit { entered_at, left_at, outcome, overflow, promise, .. } = *visit;
    let told = Told { entered_at, left_at, outcome, presumed: visit.is_presumed };
    let end = match outcome {
        Outcome::Answered => StayEnd::Answered,
        Outcome::Abandoned | Outcome::ShortAbandoned | Outcome::Waiting => StayEnd::Abandoned,
        Outcome::Overflowed | Outcome::TransferredOut => StayEnd::Overflowed,
        Outcome::Voicemail => StayEnd::Voicemail,
    };
    let record = || RecordStay { queue_id: queue_id.clone(), promise, entered_at, left_at, end, overflow };
    let reading = || RecordReading {
        id: format!("r-{number}").as_str().into(),
        read_at: at(9_500),
        stays: vec![record()],
    };
    CallHistory {
        call_id: format!("71{number:05}").as_str().into(),
        live: Some(vec![LiveStay { queue_id: queue_id.clone(), promise, told }]),
        records: visit.is_measured.then(reading).into_iter().collect(),
    }
}

async fn write(writer: &mut Writer, calls: Vec<CallHistory>, told_at: Timestamp) {
    let history = vec![Arc::new(HistoryBatch { calls, place: None, told_at })];
    writer.commit(Batch { history, ..Batch::default() }).await.unwrap();
}

fn some_visits() -> Vec<(QueueId, ReportedVisit)> {
    let mut runner = TestRunner::deterministic();
    prop::collection::vec(visit(), 400).new_tree(&mut runner).unwrap().current()
}

/// Written in parts, so that rows are summed up again and again.
async fn write_some(writer: &mut Writer) -> Vec<(QueueId, ReportedVisit)> {
    let visits = some_visits();
    for (part, visits) in visits.chunks(37).enumerate() {
        let calls =
            (0..).zip(visits).map(|(number, (queue, visit))| history(part * 100 + number, queue, visit));
        write(writer, calls.collect(), at(9_000)).await;
    }
    visits
}

fn counted(visits: &[(QueueId, ReportedVisit)], queues: &[&str], stretch: Stretch) -> Sums {
    let wanted = |queue: &QueueId| queues.is_empty() || queues.contains(&queue.as_str());
    Sums::over(visits.iter().filter(|(queue, _)| wanted(queue)).map(|(_, visit)| visit), stretch)
}

#[tokio::test]
async fn sums_equal_the_visits_one_by_one() {
    let folder = TempDir::new().unwrap();
    let (store, mut writer) = open(folder.path()).await;
    let visits = write_some(&mut writer).await;
    // Hours, all, nothing, and one within another.
    let others = [(0, 3_600), (3_600, 7_200), (0, 20_000 / 900 * 900), (-9_000, 0), (1_800, 2_700)];
    let others = others.map(|(from, to)| stretch(at(from), at(to)));
    let whole = stretch(at(900), at(15 * 900));
    let quarters: Vec<Stretch> =
        (1..15).map(|number| stretch(at(number * 900), at((number + 1) * 900))).collect();
    let uneven = [stretch(at(900), at(1_800)), stretch(at(1_800), at(9_000)), stretch(at(9_000), whole.to)];
    let unrevised = |sums: &Sums| Sums { revised_at: None, ..sums.clone() };
    for queues in [vec![], vec!["q-a"], vec!["q-c", "q-a"], vec!["nobody"]] {
        let ids: Vec<QueueId> = queues.iter().map(|id| QueueId::new(*id)).collect();
        for intervals in [&quarters[..], &uneven] {
            let question = ReportQuestion { queues: &ids, intervals, others: &others };
            let told = store.report(question, DEADLINE).await.unwrap();
            for (stretch, sums) in
                intervals.iter().chain(&others).zip(told.intervals.iter().chain(&told.others))
            {
                assert_eq!(unrevised(sums), counted(&visits, &queues, *stretch), "{queues:?} {stretch:?}");
            }
            assert_eq!((told.intervals.len(), told.others.len()), (intervals.len(), others.len()));
            for queue in ["q-a", "q-b", "q-c"] {
                let is_wanted = queues.is_empty() || queues.contains(&queue);
                let found = told.queues.iter().find(|(id, _)| id.as_str() == queue);
                let found = found.map(|(_, sums)| unrevised(sums));
                assert_eq!(found, is_wanted.then(|| counted(&visits, &[queue], whole)), "{queue}");
            }
            let mut together = Sums::default();
            told.intervals.iter().for_each(|sums| together.add(sums));
            assert_eq!(told.total(), together, "the total is its intervals");
        }
    }
    let question = ReportQuestion { queues: &[], intervals: &[], others: &others[3..4] };
    let nothing = ReportSums { others: vec![Sums::default()], ..ReportSums::default() };
    assert_eq!(store.report(question, DEADLINE).await.unwrap(), nothing);
    let late = visits
        .iter()
        .filter(|(_, visit)| visit.left_at.since(visit.entered_at) > visit.promise.policy.threshold());
    assert!(late.count() > 20, "nobody who waits beyond the promise proves nothing");
}

#[tokio::test]
async fn rows_of_before_gain_what_they_lack_by_the_migration() {
    const ROWS: &str = "select json_array(queue_id, began_at, entered, answered, abandoned_in_time,
        overflowed_maxwait, overflowed_full, overflowed_no_agent, abandoned_wait_ms, presumed, decided,
        decided_answered, promised_met, promised_decided, waits) from queue_quarter order by queue_id, began_at";
    const FORGET: &str = "delete from queue_quarter
        where entered + answered + abandoned + short_abandoned + overflowed + voicemail + transferred_out = 0;
        update queue_quarter set abandoned_in_time = 0, overflowed_maxwait = 0, overflowed_full = 0,
            overflowed_no_agent = 0, abandoned_wait_ms = 0, presumed = 0, decided = 0, decided_answered = 0,
            promised_met = 0, promised_decided = 0, waits = null";
    let folder = TempDir::new().unwrap();
    let (_store, mut writer) = open(folder.path()).await;
    write_some(&mut writer).await;
    // One that waits for days: the histogram's last band, and a quarter of its own for its promise.
    let days = ReportedVisit { entered_at: at(100_000), left_at: at(400_000), ..some_visits()[0].1 };
    write(&mut writer, vec![history(99_999, &"q-a".into(), &days)], at(500_000)).await;
    let rows = async |writer: &mut Writer| -> Vec<String> {
        sqlx::query_scalar(ROWS).fetch_all(writer.connection()).await.unwrap()
    };
    let written = rows(&mut writer).await;
    writer.connection().execute(FORGET).await.unwrap();
    assert_ne!(rows(&mut writer).await, written);
    let migration = include_str!("../../../../migrations/20261128200000_add_report_sums.sql");
    let (_, filling) = migration.split_once("-- Rows of before").unwrap();
    writer.connection().execute(AssertSqlSafe(format!("-- {filling}"))).await.unwrap();
    let filled = rows(&mut writer).await;
    for (filled, written) in filled.iter().zip(&written) {
        assert_eq!(filled, written);
    }
    assert_eq!(filled.len(), written.len());
}

#[tokio::test]
async fn a_report_that_takes_too_long_is_given_up() {
    let folder = TempDir::new().unwrap();
    let (store, mut writer) = open(folder.path()).await;
    write_some(&mut writer).await;
    let others = vec![stretch(at(0), at(9_000)); 500];
    let question = ReportQuestion { queues: &[], intervals: &[], others: &others };
    let refused = store.report(question, Duration::ZERO).await.unwrap_err();
    assert!(matches!(refused, SeekError::TooLong), "{refused:?}");
    assert_eq!(store.report(question, Duration::from_secs(60)).await.unwrap().others.len(), 500);
}

#[tokio::test]
async fn who_waits_for_others_is_told_so_and_has_all_of_the_time_then() {
    let folder = TempDir::new().unwrap();
    let (store, mut writer) = open(folder.path()).await;
    write_some(&mut writer).await;
    let question = ReportQuestion { queues: &[], intervals: &[stretch(at(0), at(9_000))], others: &[] };
    let mut taken = Vec::new();
    for _ in 0..SEEKERS {
        taken.push(store.seekers.acquire().await.unwrap());
    }
    // Nobody gives one back, so that the clock goes on at once.
    tokio::time::pause();
    let refused = store.report(question, DEADLINE).await.unwrap_err();
    assert!(matches!(refused, SeekError::Busy), "{refused:?}");
    // It waits for longer than there is for the question itself.
    let within = DEADLINE / 2;
    let intervals = [stretch(at(0), at(9_000))];
    let waiting = store.report(ReportQuestion { queues: &[], intervals: &intervals, others: &[] }, within);
    let giving_back = async {
        tokio::time::advance(within + Duration::from_millis(1)).await;
        tokio::time::resume();
        taken.clear();
    };
    let (answered, ()) = tokio::join!(waiting, giving_back);
    assert!(!answered.unwrap().queues.is_empty());
}

/// As many rows as offices with many queues have, each of 40 quarters a day with the waits of a busy one.
async fn write_busy_days(writer: &mut Writer, queues: u32, days: u32) {
    const ROWS: &str = "
        with recursive number (n) as (select 0 union all select n + 1 from number where n < 99),
        waits (of_number, bands) as materialized (
            select n, (select json_group_array(json_array(n + b.n * 4, 1 + b.n % 3, b.n % 2))
                from number as b where b.n < 30)
            from number where n < 40)
        insert into queue_quarter (queue_id, began_at, entered, answered, answered_in_time, abandoned,
            short_abandoned, overflowed, voicemail, transferred_out, answered_wait_ms, wait_ms, longest_wait_ms,
            measured, waits)
        select 'q-' || queue.n, ?1 + day.n * 86400000 + of_number * 900000, 90, 60, 50, 30,
            0, 0, 0, 0, 700000, 900000, 60000, 90, bands
        from number as queue, number as day, waits where queue.n < ?2 and day.n < ?3";
    let written = sqlx::query(ROWS).bind(QUARTER).bind(queues).bind(days).execute(writer.connection());
    assert_eq!(written.await.unwrap().rows_affected(), u64::from(queues * days * 40));
}

#[tokio::test]
async fn a_report_of_many_queues_is_summed_up_or_given_up_at_any_row() {
    let folder = TempDir::new().unwrap();
    let (store, mut writer) = open(folder.path()).await;
    write_busy_days(&mut writer, 60, 4).await;
    let day = |number: i64| stretch(at(number * 86_400), at((number + 1) * 86_400));
    let (days, before) = ([day(2), day(3)], [stretch(at(0), at(2 * 86_400))]);
    let question = ReportQuestion { queues: &[], intervals: &days, others: &before };
    let asked_at = tokio::time::Instant::now();
    let told = store.report(question, Duration::from_secs(60)).await.unwrap();
    println!("9,600 quarters: {:?}", asked_at.elapsed());
    assert_eq!((told.queues.len(), told.intervals.len()), (60, 2));
    assert_eq!(told.total().offered, 60 * 2 * 40 * 90);
    assert_eq!(told.total().answered_waits.count(), 60 * 2 * 40 * 60, "30 bands of 1, 2 and 3");
    assert_eq!(told.others[0].offered, told.total().offered);
    // Who gives up leaves a connection that answers the next one.
    for within in [0, 1, 5, 10] {
        let given_up = store.report(question, Duration::from_millis(within)).await;
        assert!(matches!(given_up, Ok(_) | Err(SeekError::TooLong)), "{given_up:?}");
    }
    assert_eq!(store.report(question, Duration::from_secs(60)).await.unwrap(), told);
}

#[tokio::test]
async fn sums_are_made_and_read_of_the_rows_of_their_time_alone() {
    let folder = TempDir::new().unwrap();
    let (_store, mut writer) = open(folder.path()).await;
    for statement in [report::SUMS, report::SUMS_OF_ALL, visit::SUM_QUARTERS] {
        let plan = sqlx::query(AssertSqlSafe(format!("explain query plan {statement}")));
        for step in plan.fetch_all(writer.connection()).await.unwrap() {
            let step: String = step.get("detail");
            let of_rows = ["q", "v", "e", "queue_quarter", "queue_visit"];
            let is_whole = of_rows
                .iter()
                .any(|table| step.starts_with(&format!("SCAN {table} ")) || step == format!("SCAN {table}"));
            // In the statement that sums up, `q` are the quarters that are asked for.
            assert!(!is_whole || statement == visit::SUM_QUARTERS && step == "SCAN q", "{step}");
            let is_of_time = [
                "began_at>? AND began_at<?",
                "left_at>? AND left_at<?",
                "entered_at>? AND entered_at<?",
                "<expr>>? AND <expr><?",
                "queue_id>?",
            ];
            let is_search = step.starts_with("SEARCH q ")
                || step.starts_with("SEARCH v ")
                || step.starts_with("SEARCH e ");
            assert!(!is_search || is_of_time.iter().any(|time| step.contains(time)), "{step}");
        }
    }
}
