//! Lists of calls: every row once, counted as they are listed, by plans that read no whole table.

use std::{collections::BTreeSet, sync::Arc};

use domain::{
    fact::StayEnd,
    history::{CallHistory, LiveStay, RecordReading, RecordStay, Told},
    outcome::Outcome,
    service_level::Promise,
};
use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};

use super::*;
use crate::store::{
    CallQuestion, Credit, DEADLINE, Direction, ElementRow, FoundCall, HistoryBatch, RecordBatch, RecordRow,
    RowCount, SeekError, Sort,
};

fn at(seconds: i64) -> Timestamp {
    NOW + Duration::from_secs(seconds.unsigned_abs())
}

/// A stay that was heard: its queue, when it began, how long it was and how it ended.
type Stay = (&'static str, i64, i64, Outcome);

fn heard(call_id: &str, stays: &[Stay]) -> CallHistory {
    let stay = |(queue, entered, wait, outcome): &Stay| LiveStay {
        queue_id: (*queue).into(),
        promise: Promise::default(),
        told: Told {
            entered_at: at(*entered),
            left_at: at(entered + wait),
            outcome: *outcome,
            presumed: false,
        },
    };
    CallHistory { call_id: call_id.into(), live: Some(stays.iter().map(stay).collect()), records: Vec::new() }
}

fn record(call_id: &str, started: i64, number: &str, result: &str) -> RecordRow {
    RecordRow {
        record_id: format!("r-{call_id}-{started}"),
        call_id: call_id.to_owned(),
        generation: 3,
        direction: Some("inbound".to_owned()),
        result: Some(result.to_owned()),
        started_at: Some(at(started).as_millis()),
        ended_at: Some(at(started + 300).as_millis()),
        caller_number: Some(number.to_owned()),
        ..RecordRow::default()
    }
}

fn element(call_id: &str, id: &str, started: i64) -> ElementRow {
    ElementRow {
        element_id: id.to_owned(),
        record_id: format!("p-{call_id}"),
        call_id: call_id.to_owned(),
        told_call_id: call_id.to_owned(),
        generation: 3,
        direction: Some("outbound".to_owned()),
        started_at: Some(at(started).as_millis()),
        caller_extension_number: Some("1009".to_owned()),
        ..ElementRow::default()
    }
}

async fn write(writer: &mut Writer, calls: Vec<CallHistory>, records: RecordBatch) {
    let history = vec![Arc::new(HistoryBatch { calls, place: None, told_at: at(90_000) })];
    writer.commit(Batch { history, records: vec![Arc::new(records)], ..Batch::default() }).await.unwrap();
}

/// Calls of every kind: with a record, with two, with stays only, with one person's part only.
async fn some_calls(writer: &mut Writer) {
    use Outcome::{Abandoned, Answered, Overflowed, ShortAbandoned, Voicemail};
    let histories = vec![
        heard("71", &[("a", 10, 20, Answered)]),
        heard("72", &[("a", 20, 21, Answered), ("b", 60, 5, Abandoned)]),
        heard("73", &[("b", 20, 50, Overflowed), ("a", 70, 40, Voicemail)]),
        heard("74", &[("a", 40, 3, ShortAbandoned)]),
        heard("75", &[("c", 890, 30, Abandoned)]),
    ];
    let calls = vec![
        record("71", 5, "+4930123456", "answered"),
        record("72", 15, "+4930 999-777", "abandoned"),
        record("76", 100, "+4940111222", "no_answer"),
        record("76", 200, "+4940333444", "answered"),
    ];
    let elements = vec![
        element("71", "e-1", 5),
        element("77", "e-2", 300),
        element("77", "e-3", 300),
        element("77", "e-4", 310),
    ];
    write(writer, histories, RecordBatch { calls, elements, place: 9 }).await;
}

/// All pages of a list, as `call/ordinal's queue`.
async fn all(store: &Store, question: &CallQuestion) -> Vec<String> {
    let mut told = Vec::new();
    let mut after = None;
    loop {
        let found = store.find_calls(question, after.as_ref(), 2, DEADLINE).await.unwrap();
        let name = |row: &FoundCall| {
            let queue = row.visit.as_ref().map_or("-", |visit| visit.queue_id.as_str());
            format!("{}/{queue}", row.call_id)
        };
        told.extend(found.rows.iter().map(name));
        assert!(told.len() < 100, "{told:?}");
        after = found.next;
        if after.is_none() {
            assert_eq!(found.count, RowCount::Exactly(u32::try_from(told.len()).unwrap()), "{question:?}");
            return told;
        }
    }
}

#[tokio::test]
async fn a_list_has_each_call_once_and_a_filter_by_visits_each_visit() {
    let folder = TempDir::new().unwrap();
    let (store, mut writer) = open(folder.path()).await;
    some_calls(&mut writer).await;
    let any = CallQuestion::default;
    let queue = |id: &str| CallQuestion { queues: vec![id.into()], ..any() };
    let ended = |outcomes: &[Outcome]| CallQuestion { outcomes: outcomes.to_vec(), ..any() };
    for (question, expected) in [
        (any(), vec!["75/c", "77/-", "76/-", "74/a", "73/b", "72/a", "71/a"]),
        (
            CallQuestion { sort: Sort::Oldest, ..any() },
            vec!["71/a", "72/a", "73/b", "74/a", "76/-", "77/-", "75/c"],
        ),
        (queue("a"), vec!["73/a", "74/a", "72/a", "71/a"]),
        (queue("nobody"), vec![]),
        (
            CallQuestion { queues: vec!["a".into(), "b".into()], ..any() },
            vec!["73/a", "72/b", "74/a", "73/b", "72/a", "71/a"],
        ),
        (ended(&[Outcome::Abandoned]), vec!["75/c", "72/b"]),
        (ended(&[Outcome::Abandoned, Outcome::ShortAbandoned]), vec!["75/c", "72/b", "74/a"]),
        // Promised are 20 s.
        (CallQuestion { late: Some(false), ..any() }, vec!["71/a"]),
        (CallQuestion { late: Some(true), ..any() }, vec!["72/a"]),
        // From the first number on, without the second.
        (CallQuestion { wait_min: Some(5), wait_max: Some(21), ..any() }, vec!["72/b", "71/a"]),
        (
            CallQuestion { sort: Sort::LongestWait, ..any() },
            vec!["73/b", "73/a", "75/c", "72/a", "71/a", "72/b", "74/a"],
        ),
        (CallQuestion { sort: Sort::ShortestWait, ..queue("a") }, vec!["74/a", "71/a", "72/a", "73/a"]),
        // The end is not included, and which instant counts is said.
        (
            CallQuestion { from: Some(at(20)), to: Some(at(60)), ..ended(&Outcome::ALL) },
            vec!["74/a", "73/b", "72/a"],
        ),
        (
            CallQuestion { credit: Some(Credit::Left), from: Some(at(30)), to: Some(at(70)), ..any() },
            vec!["72/b", "74/a", "72/a", "71/a"],
        ),
        (CallQuestion { from: Some(at(100)), to: Some(at(300)), ..any() }, vec!["76/-"]),
        (CallQuestion { direction: Some(Direction::Outbound), ..any() }, vec!["77/-"]),
        (CallQuestion { direction: Some(Direction::Inbound), ..queue("b") }, vec!["72/b"]),
        (CallQuestion { number: Some("999777".to_owned()), ..any() }, vec!["72/a"]),
        (CallQuestion { number: Some("1009".to_owned()), ..any() }, vec!["77/-"]),
        // As it is shown: of the first record.
        (CallQuestion { number: Some("4940333".to_owned()), ..any() }, vec![]),
        (CallQuestion { result: Some("answered".to_owned()), ..any() }, vec!["71/a"]),
        (CallQuestion { result: Some("no_answer".to_owned()), ..any() }, vec!["76/-"]),
    ] {
        assert_eq!(all(&store, &question).await, expected, "{question:?}");
    }
}

#[tokio::test]
async fn a_row_says_what_is_known_of_its_call() {
    let folder = TempDir::new().unwrap();
    let (store, mut writer) = open(folder.path()).await;
    some_calls(&mut writer).await;
    let question = CallQuestion { queues: vec!["b".into()], ..CallQuestion::default() };
    let found = store.find_calls(&question, None, 10, DEADLINE).await.unwrap();
    let row = &found.rows[0];
    let visit = row.visit.as_ref().unwrap();
    assert_eq!((row.call_id.as_str(), row.visits, visit.outcome), ("72", 2, Outcome::Abandoned));
    assert_eq!((row.at, row.started_at, row.ended_at), (at(60), Some(at(15)), Some(at(315))));
    assert_eq!((visit.wait(), visit.is_late()), (Duration::from_secs(5), None));
    assert_eq!(row.caller_number.as_deref(), Some("+4930 999-777"));
    assert_eq!((row.result.as_deref(), row.direction.as_deref()), (Some("abandoned"), Some("inbound")));
    let unwritten = &found.rows[1];
    assert_eq!((unwritten.call_id.as_str(), &unwritten.direction), ("73", &None));
}

#[tokio::test]
async fn a_row_that_comes_or_goes_between_two_pages_moves_no_other() {
    let folder = TempDir::new().unwrap();
    let (store, mut writer) = open(folder.path()).await;
    some_calls(&mut writer).await;
    let question = CallQuestion { queues: vec!["a".into()], ..CallQuestion::default() };
    let first = store.find_calls(&question, None, 2, DEADLINE).await.unwrap();
    let newer = heard("79", &[("a", 1_000, 9, Outcome::Answered)]);
    let gone = heard("74", &[]);
    write(&mut writer, vec![newer, gone], RecordBatch::default()).await;
    let second = store.find_calls(&question, first.next.as_ref(), 2, DEADLINE).await.unwrap();
    let ids: Vec<_> = second.rows.iter().map(|row| row.call_id.as_str()).collect();
    assert_eq!((ids, second.next), (vec!["72", "71"], None));
}

#[tokio::test]
async fn what_takes_too_long_is_given_up_and_leaves_nothing_behind() {
    let folder = TempDir::new().unwrap();
    let (store, mut writer) = open(folder.path()).await;
    let histories = (0..3_000).map(|number| {
        let waits = [("a", number, number % 50, Outcome::Answered)];
        heard(&format!("{number:05}"), &waits)
    });
    write(&mut writer, histories.collect(), RecordBatch::default()).await;
    let question = CallQuestion { sort: Sort::LongestWait, ..CallQuestion::default() };
    for _ in 0..4 {
        let refused = store.find_calls(&question, None, 50, Duration::ZERO).await.unwrap_err();
        assert!(matches!(refused, SeekError::TooLong), "{refused:?}");
    }
    let found = store.find_calls(&question, None, 50, Duration::from_secs(60)).await.unwrap();
    assert_eq!((found.rows.len(), found.count), (50, RowCount::Exactly(3_000)));
}

/// Questions of every shape.
fn question() -> impl Strategy<Value = CallQuestion> {
    let instant = || prop::option::of((0..1_000_i64).prop_map(at));
    let queues = prop::collection::vec(prop::sample::select(vec!["a", "b", "'; drop table"]), 0..3);
    let outcomes = prop::collection::vec(prop::sample::select(Outcome::ALL.to_vec()), 0..3);
    let sorts = vec![Sort::Newest, Sort::Oldest, Sort::LongestWait, Sort::ShortestWait];
    let credit = prop::sample::select(vec![None, Some(Credit::Entered), Some(Credit::Left)]);
    let direction = prop::sample::select(vec![None, Some(Direction::Inbound)]);
    let wait = || prop::option::of(0..60_u32);
    let visits = (queues, outcomes, credit, prop::option::of(any::<bool>()), wait(), wait());
    let calls = (instant(), instant(), direction, prop::option::of("[0-9]{3}"), prop::option::of("[a-z]{3}"));
    (visits, calls, prop::sample::select(sorts)).prop_map(
        |(
            (queues, outcomes, credit, late, wait_min, wait_max),
            (from, to, direction, number, result),
            sort,
        )| {
            CallQuestion {
                queues: queues.into_iter().map(Into::into).collect(),
                outcomes,
                credit,
                late,
                wait_min,
                wait_max,
                from,
                to,
                direction,
                number,
                result,
                sort,
            }
        },
    )
}

#[tokio::test]
async fn every_question_lists_as_many_rows_as_it_counts_by_an_index() {
    let folder = TempDir::new().unwrap();
    let (store, mut writer) = open(folder.path()).await;
    some_calls(&mut writer).await;
    let mut runner = TestRunner::deterministic();
    let mut shapes = BTreeSet::new();
    for _ in 0..300 {
        let question = question().new_tree(&mut runner).unwrap().current();
        let rows = all(&store, &question).await;
        let distinct: BTreeSet<_> = rows.iter().collect();
        assert_eq!(distinct.len(), rows.len(), "{question:?}");
        let (page, count) = (question.page(None, 50), question.count(10));
        // Whoever counts all there is, or sorts it by waits, reads it all: as far as the deadline lets them.
        let is_bounded = question.from.is_some() || question.to.is_some();
        let is_in_order = matches!(question.sort, Sort::Newest | Sort::Oldest);
        for (statement, may_scan) in [(page.text(), !is_bounded && !is_in_order), (count.text(), !is_bounded)]
        {
            if !shapes.insert(statement.to_owned()) {
                continue;
            }
            let plan = sqlx::query(AssertSqlSafe(format!("explain query plan {statement}")));
            for step in plan.fetch_all(writer.connection()).await.unwrap() {
                let step: String = step.get("detail");
                let is_table = ["SCAN v", "SCAN c", "SCAN o", "SCAN r", "SCAN e", "SCAN f"]
                    .iter()
                    .any(|scan| step == *scan || step.starts_with(&format!("{scan} ")));
                assert!(
                    may_scan || !is_table || step.contains("USING"),
                    "{statement}\nreads a whole table: {step}"
                );
            }
        }
    }
    assert!(shapes.len() > 100);
}

#[tokio::test]
async fn a_visit_of_the_record_alone_is_listed() {
    let folder = TempDir::new().unwrap();
    let (store, mut writer) = open(folder.path()).await;
    let stay = RecordStay {
        queue_id: "a".into(),
        promise: Promise::default(),
        entered_at: at(5),
        left_at: at(9),
        end: StayEnd::Abandoned,
        overflow: None,
    };
    let reading = RecordReading { id: "r-1".into(), read_at: at(100), stays: vec![stay] };
    let call = CallHistory { call_id: "81".into(), live: None, records: vec![reading] };
    write(&mut writer, vec![call], RecordBatch::default()).await;
    let question = CallQuestion { outcomes: vec![Outcome::ShortAbandoned], ..CallQuestion::default() };
    let found = store.find_calls(&question, None, 10, DEADLINE).await.unwrap();
    let visit = found.rows[0].visit.as_ref().unwrap();
    assert!(visit.is_recorded && visit.difference.is_some(), "{visit:?}");
}
