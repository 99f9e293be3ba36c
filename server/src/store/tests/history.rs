//! Stays, corrections and quarters of an hour: absolute, so that nothing is ever counted twice.

use std::sync::Arc;

use domain::{
    fact::StayEnd,
    history::{CallHistory, LiveStay, RecordReading, RecordStay, Told},
    outcome::{Outcome, OverflowReason},
    service_level::{Definition, Promise, ServiceLevelPolicy},
};

use super::*;
use crate::store::{DayOf, HistoryBatch, Queues, Unwritten, WaitHistograms};

/// 14:15 UTC, the beginning of a quarter.
const QUARTER: i64 = 1_790_000_100_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(QUARTER + seconds * 1000)
}

fn live(entered: i64, left: i64, outcome: Outcome) -> LiveStay {
    let told = Told { entered_at: at(entered), left_at: at(left), outcome, presumed: false };
    LiveStay { queue_id: "q-801".into(), promise: Promise::default(), told }
}

fn record(id: &str, read: i64, stays: &[(i64, i64, StayEnd)]) -> RecordReading {
    let stay = |(entered, left, end): &(i64, i64, StayEnd)| RecordStay {
        queue_id: "q-801".into(),
        promise: Promise::default(),
        entered_at: at(*entered),
        left_at: at(*left),
        end: *end,
        overflow: None,
    };
    RecordReading { id: id.into(), read_at: at(read), stays: stays.iter().map(stay).collect() }
}

fn call(id: &str, live: Option<Vec<LiveStay>>, records: Vec<RecordReading>) -> CallHistory {
    CallHistory { call_id: id.into(), live, records }
}

async fn write(writer: &mut Writer, told: i64, calls: Vec<CallHistory>) {
    let history = vec![Arc::new(HistoryBatch { calls, place: None, told_at: at(told) })];
    writer.commit(Batch { history, ..Batch::default() }).await.unwrap();
}

async fn rows(writer: &mut Writer, statement: &'static str) -> Vec<String> {
    sqlx::query_scalar(statement).fetch_all(writer.connection()).await.unwrap()
}

fn everybody(from: i64, to: i64) -> DayOf {
    DayOf { from: at(from), to: at(to), queues: Queues::AllBut(vec![]) }
}

const VISITS: &str = "
    select call_id || ' ' || outcome || ' ' || ((entered_at - 1790000100000) / 1000) || '..'
        || ((left_at - 1790000100000) / 1000) || ' ' || ifnull(live_outcome, '-') || ' '
        || ifnull(record_outcome, '-') || ' ' || ifnull(difference, 'same')
    from queue_visit order by call_id, ordinal";

const CORRECTIONS: &str = "
    select call_id || ' ' || difference || ' ' || ifnull(live_outcome, '-') || ' '
        || ifnull(record_outcome, '-') || ' noted ' || ((noted_at - 1790000100000) / 1000)
    from correction order by correction_id";

const QUARTERS: &str = "
    select ((began_at - 1790000100000) / 1000) || ': ' || entered || ' entered ' || answered || '/' || answered_in_time
        || ' answered ' || abandoned || '+' || short_abandoned || ' lost ' || measured || ' measured '
        || (wait_ms / 1000) || ' s' || iif(revised_at is null, '', ' revised')
    from queue_quarter order by began_at";

#[tokio::test]
async fn a_stay_is_live_first_then_measured_and_the_correction_is_kept() {
    let folder = TempDir::new().unwrap();
    let (_store, mut writer) = open(folder.path()).await;
    let heard = || Some(vec![live(5, 65, Outcome::Abandoned)]);
    write(&mut writer, 70, vec![call("1", heard(), vec![])]).await;
    assert_eq!(rows(&mut writer, VISITS).await, ["1 abandoned 5..65 abandoned - same"]);
    assert_eq!(rows(&mut writer, CORRECTIONS).await, [""; 0]);
    let overflowed = || vec![record("r-1", 100, &[(0, 65, StayEnd::Overflowed)])];
    // Told again, by a server that had been killed: nothing is counted or noted twice.
    for told in [100, 101] {
        write(&mut writer, told, vec![call("1", heard(), overflowed())]).await;
        assert_eq!(rows(&mut writer, VISITS).await, ["1 overflowed 0..65 abandoned overflowed outcome"]);
        assert_eq!(rows(&mut writer, CORRECTIONS).await, ["1 outcome abandoned overflowed noted 100"]);
    }
    let revised = vec![record("r-1", 900, &[(0, 65, StayEnd::Voicemail)])];
    write(&mut writer, 900, vec![call("1", heard(), revised)]).await;
    assert_eq!(
        rows(&mut writer, CORRECTIONS).await,
        ["1 outcome abandoned overflowed noted 100", "1 outcome abandoned voicemail noted 900"]
    );
    // The older reading, told late, changes nothing.
    write(&mut writer, 901, vec![call("1", heard(), overflowed())]).await;
    assert_eq!(rows(&mut writer, VISITS).await, ["1 voicemail 0..65 abandoned voicemail outcome"]);
}

#[tokio::test]
async fn each_side_leaves_the_other_as_it_was_written() {
    let folder = TempDir::new().unwrap();
    let (_store, mut writer) = open(folder.path()).await;
    write(&mut writer, 70, vec![call("1", Some(vec![live(5, 20, Outcome::Answered)]), vec![])]).await;
    // The board has forgotten the call; its record comes hours later.
    let late = call("1", None, vec![record("r-1", 20_000, &[(4, 20, StayEnd::Answered)])]);
    write(&mut writer, 20_000, vec![late]).await;
    assert_eq!(rows(&mut writer, VISITS).await, ["1 answered 4..20 answered answered same"]);
    let again = call("1", Some(vec![live(5, 20, Outcome::Answered)]), vec![]);
    write(&mut writer, 20_001, vec![again]).await;
    assert_eq!(rows(&mut writer, VISITS).await, ["1 answered 4..20 answered answered same"]);
    // A second record of the same call adds its stays.
    let second = call("1", None, vec![record("r-2", 20_002, &[(30, 50, StayEnd::Abandoned)])]);
    write(&mut writer, 20_002, vec![second]).await;
    assert_eq!(
        rows(&mut writer, VISITS).await,
        ["1 answered 4..20 answered answered same", "1 abandoned 30..50 - abandoned missed"]
    );
    // A call may be in one batch twice.
    let both = vec![
        call("2", Some(vec![live(60, 80, Outcome::Answered)]), vec![]),
        call("2", None, vec![record("r-3", 90, &[(60, 80, StayEnd::Answered)])]),
    ];
    write(&mut writer, 20_003, both).await;
    assert_eq!(rows(&mut writer, VISITS).await[2..], ["2 answered 60..80 answered answered same"]);
}

#[tokio::test]
async fn a_quarter_is_summed_up_and_marked_when_it_changes_after_it_was_closed() {
    let folder = TempDir::new().unwrap();
    let (_store, mut writer) = open(folder.path()).await;
    let first = vec![
        call("1", Some(vec![live(5, 20, Outcome::Answered)]), vec![]),
        call("2", Some(vec![live(10, 50, Outcome::Answered)]), vec![]),
        call("3", Some(vec![live(20, 23, Outcome::ShortAbandoned)]), vec![]),
        // Waits over the border.
        call("4", Some(vec![live(890, 930, Outcome::Abandoned)]), vec![]),
    ];
    write(&mut writer, 1000, first).await;
    let unrevised = [
        "0: 4 entered 2/1 answered 0+1 lost 0 measured 58 s",
        "900: 0 entered 0/0 answered 1+0 lost 0 measured 40 s",
    ];
    assert_eq!(rows(&mut writer, QUARTERS).await, unrevised);
    // Measured, with the same sums: no revision.
    let same = call("1", None, vec![record("r-1", 5000, &[(5, 20, StayEnd::Answered)])]);
    write(&mut writer, 5000, vec![same]).await;
    assert_eq!(
        rows(&mut writer, QUARTERS).await,
        ["0: 4 entered 2/1 answered 0+1 lost 1 measured 58 s", unrevised[1]]
    );
    // A call that nobody had heard of, hours later.
    let missed = call("9", None, vec![record("r-9", 5001, &[(100, 140, StayEnd::Abandoned)])]);
    write(&mut writer, 5001, vec![missed]).await;
    assert_eq!(
        rows(&mut writer, QUARTERS).await,
        ["0: 5 entered 2/1 answered 1+1 lost 2 measured 98 s revised", unrevised[1]]
    );
    // Its stay is withdrawn: the sums go back, the mark stays.
    let withdrawn = call("9", None, vec![record("r-9", 6000, &[(2000, 2040, StayEnd::Abandoned)])]);
    write(&mut writer, 6000, vec![withdrawn]).await;
    assert_eq!(
        rows(&mut writer, QUARTERS).await,
        [
            "0: 4 entered 2/1 answered 0+1 lost 1 measured 58 s revised",
            unrevised[1],
            "1800: 1 entered 0/0 answered 1+0 lost 1 measured 40 s revised"
        ]
    );
}

#[tokio::test]
async fn the_place_of_history_is_written_with_it_and_never_goes_back() {
    let folder = TempDir::new().unwrap();
    let (store, mut writer) = open(folder.path()).await;
    assert_eq!(store.history_place().await.unwrap(), None);
    let mut place = async |place, told| {
        let history = vec![Arc::new(HistoryBatch { calls: vec![], place, told_at: at(told) })];
        writer.commit(Batch { history, ..Batch::default() }).await.unwrap();
        store.history_place().await.unwrap().map(|place| (place.event_id, place.written_at))
    };
    assert_eq!(place(Some(7), 1).await, Some((7, at(1))));
    assert_eq!(place(None, 2).await, Some((7, at(1))));
    assert_eq!(place(Some(6), 3).await, Some((7, at(1))));
    assert_eq!(place(Some(7), 4).await, Some((7, at(4))));
}

#[tokio::test]
async fn a_stay_keeps_what_was_promised_and_how_that_is_counted() {
    let folder = TempDir::new().unwrap();
    let (_store, mut writer) = open(folder.path()).await;
    let policy = ServiceLevelPolicy { threshold_seconds: 30, ..ServiceLevelPolicy::default() };
    let promise = Promise { policy, definition: Definition::Negative };
    let stay = LiveStay { promise, ..live(5, 20, Outcome::Answered) };
    write(&mut writer, 70, vec![call("1", Some(vec![stay]), vec![])]).await;
    const PROMISES: &str = "select threshold_seconds || ' s ' || ifnull(definition, '-') from queue_visit";
    assert_eq!(rows(&mut writer, PROMISES).await, ["30 s negative"]);
    // News of the other side leave it as it was written.
    let late = call("1", None, vec![]);
    write(&mut writer, 90, vec![late]).await;
    assert_eq!(rows(&mut writer, PROMISES).await, ["30 s negative"]);
    // A row of before definitions were written down is read, and written anew with the default.
    rows(&mut writer, "update queue_visit set definition = null").await;
    let missed = call("1", None, vec![record("r-2", 99, &[(30, 50, StayEnd::Abandoned)])]);
    write(&mut writer, 99, vec![missed]).await;
    assert_eq!(rows(&mut writer, PROMISES).await, ["30 s short_excluded", "20 s short_excluded"]);
}

#[tokio::test]
async fn waits_of_quarters_and_queues_can_be_added_up_and_follow_every_revision() {
    let folder = TempDir::new().unwrap();
    let (store, mut writer) = open(folder.path()).await;
    let answered = |entered, wait| live(entered, entered + wait, Outcome::Answered);
    let calls = [answered(0, 10), answered(1, 10), answered(900, 40), live(902, 932, Outcome::Abandoned)];
    let calls =
        (0..).zip(calls).map(|(id, stay)| call(&format!("c-{id}"), Some(vec![stay]), vec![])).collect();
    write(&mut writer, 950, calls).await;
    let waits = async |from, to| store.wait_histograms(&"q-801".into(), at(from), at(to)).await.unwrap();
    let near = |wait: Option<Duration>, seconds: f64| {
        wait.is_some_and(|wait| (wait.as_secs_f64() / seconds - 1.0).abs() <= 0.02)
    };
    let first = waits(0, 900).await;
    assert_eq!((first.answered.count(), first.unanswered.count()), (2, 0));
    let both = waits(0, 1800).await;
    assert_eq!((both.answered.count(), both.unanswered.count()), (3, 1));
    assert!(
        near(both.answered.percentile(50), 10.0) && near(both.answered.percentile(100), 40.0),
        "{both:?}"
    );
    assert!(near(both.unanswered.percentile(50), 30.0), "{both:?}");
    assert_eq!(waits(1800, 9000).await, WaitHistograms::default());
    let finished = store.finished_visits(&"q-801".into(), at(0), at(902)).await.unwrap();
    let lengths: Vec<u64> = finished.iter().map(|visit| visit.wait.length.as_secs()).collect();
    assert_eq!(lengths, [10, 10, 40], "those that entered in that time");

    // The record knows that one of them waited longer. Its sums are revised, and so are its waits.
    let longer = call("c-0", None, vec![record("r-1", 5000, &[(-10, 10, StayEnd::Answered)])]);
    write(&mut writer, 5000, vec![longer]).await;
    let revised = waits(0, 900).await;
    assert!(near(revised.answered.percentile(100), 20.0), "{revised:?}");

    // A row of before waits were summed up has none, and gains them without counting as revised.
    rows(&mut writer, "update queue_quarter set waits = null, revised_at = null").await;
    assert_eq!(waits(0, 1800).await, WaitHistograms::default());
    let same = call("c-1", None, vec![record("r-2", 6000, &[(1, 11, StayEnd::Answered)])]);
    write(&mut writer, 6000, vec![same]).await;
    assert_eq!(waits(0, 900).await.answered.count(), 2);
    let revised = rows(&mut writer, "select ifnull(revised_at, 'never') from queue_quarter").await;
    assert_eq!(revised, ["never"; 3]);
}

#[tokio::test]
async fn why_a_caller_was_sent_elsewhere_is_kept_and_old_rows_know_no_reason() {
    const REASONS: &str = "select outcome || ' ' || ifnull(overflow_reason, '-') from queue_visit";
    let folder = TempDir::new().unwrap();
    let (store, mut writer) = open(folder.path()).await;
    let mut full = record("r-1", 100, &[(0, 1, StayEnd::Overflowed)]);
    full.stays[0].overflow = Some(OverflowReason::Full);
    let heard = || Some(vec![live(0, 1, Outcome::Overflowed)]);
    write(&mut writer, 100, vec![call("1", heard(), vec![full.clone()])]).await;
    assert_eq!(rows(&mut writer, REASONS).await, ["overflowed overflow_full"]);
    assert_eq!(rows(&mut writer, CORRECTIONS).await, [""; 0], "the same outcome as was shown live");
    // News of what live messages said leave it as it was.
    write(&mut writer, 101, vec![call("1", Some(vec![live(1, 1, Outcome::Overflowed)]), vec![])]).await;
    assert_eq!(rows(&mut writer, REASONS).await, ["overflowed overflow_full"]);
    let known = store.differing_stays(&everybody(-99, 99), None, 9, Unwritten::Listed).await.unwrap();
    assert_eq!(known.len(), 0);
    // Live messages may know better where the call went on to.
    write(&mut writer, 102, vec![call("1", Some(vec![live(1, 1, Outcome::Voicemail)]), vec![full])]).await;
    assert_eq!(rows(&mut writer, REASONS).await, ["voicemail -"]);
    // A row of before reasons were written down.
    rows(&mut writer, "update queue_visit set outcome = 'overflowed', record_outcome = 'overflowed'").await;
    let unread = store.differing_stays(&everybody(-99, 99), None, 9, Unwritten::Listed).await.unwrap();
    assert_eq!((unread.len(), unread[0].overflow), (1, None));
}

#[tokio::test]
async fn a_day_is_cut_for_the_queues_whose_day_it_is() {
    let folder = TempDir::new().unwrap();
    let (store, mut writer) = open(folder.path()).await;
    let of = |queue: &str, entered| LiveStay {
        queue_id: queue.into(),
        ..live(entered, entered + 9, Outcome::Answered)
    };
    let told = [("1", of("q-801", 10)), ("2", of("q-802", 10)), ("3", of("q-802", 500))];
    let calls = told.map(|(id, stay)| call(id, Some(vec![stay]), vec![])).into_iter().collect();
    write(&mut writer, 600, calls).await;
    let west = || vec!["q-802".into()];
    let day = |to, queues| DayOf { from: at(0), to: at(to), queues };
    let counted = async |day: DayOf| -> Vec<String> {
        let counts = store.stay_classes(&day).await.unwrap();
        let listed = store.differing_stays(&day, None, 9, Unwritten::Listed).await.unwrap();
        assert_eq!(listed.len() as u32, counts.iter().map(|count| count.count).sum::<u32>());
        counts.iter().map(|count| format!("{} {}", count.queue_id, count.count)).collect()
    };
    assert_eq!(counted(day(100, Queues::AllBut(vec![]))).await, ["q-801 1", "q-802 1"]);
    assert_eq!(counted(day(100, Queues::AllBut(west()))).await, ["q-801 1"]);
    assert_eq!(counted(day(600, Queues::Only(west()))).await, ["q-802 2"]);
}
