//! A day of the pretend account as reports sum it up: what they say is what really happened.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, TimeDelta, TimeZone as _, Utc};
use domain::{
    board::{Board, Input, Midnights},
    calendar::Stretch,
    id::QueueId,
    report::Sums,
    time::Timestamp,
};
use server::{
    Purpose,
    store::{Batch, DEADLINE, HistoryBatch, ReportQuestion, Store},
    zoom::{record::path_event, wire::Reader},
};
use verify::run::directory_of;
use zoom_sim::{Outcome, World, WorldConfig};

fn timestamp(at: DateTime<Utc>) -> Timestamp {
    Timestamp::from_millis(at.timestamp_millis())
}

/// An office after one of its days, and everything that Zoom wrote down of it.
fn office(start: DateTime<Utc>) -> (World, Vec<String>) {
    let mut config = WorldConfig::office(start).without_latency();
    config.memory_hours = 40;
    let mut world = World::new(config, 7);
    let _ = world.step_until(start + TimeDelta::hours(30));
    let records = world.history().visible_at(world.now()).map(|record| record.uuid.clone());
    let records: Vec<String> = records.collect();
    let paths = records.iter().map(|uuid| world.call_path(uuid).expect("it was listed").to_string());
    let paths = paths.collect();
    (world, paths)
}

/// What is compared. The record has whole seconds, so that who left or was answered after just so many seconds may
/// be on either side of a promise; and it does not tell who was sent to a mailbox and left no message from who was
/// sent elsewhere, nor one who was sent there from one to whom a closed queue or a person offered it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    /// But for those who were sent on.
    offered: u32,
    answered: u32,
    lost: u32,
}

/// How a queue really was over a stretch: counts, answers in time, and who was sent on.
fn truth(world: &World, queue: &str, from: DateTime<Utc>, to: DateTime<Utc>) -> (Counts, u32, u32) {
    let (mut counts, mut in_time, mut sent_on) = (Counts::default(), 0, 0);
    let within = |at: DateTime<Utc>| at >= from && at < to;
    for visit in world.truth().visits_of(queue) {
        let (Some(left), Some(outcome)) = (visit.left, visit.outcome) else { continue };
        let ended = u32::from(within(left));
        match outcome {
            Outcome::Answered => {
                counts.answered += ended;
                in_time += ended * u32::from((left - visit.entered).num_seconds() <= 20);
            }
            Outcome::Abandoned | Outcome::ShortAbandoned => counts.lost += ended,
            Outcome::OverflowMaxWait | Outcome::OverflowFull | Outcome::Voicemail => {
                sent_on += ended;
                continue;
            }
            Outcome::Closed => continue,
        }
        counts.offered += u32::from(within(visit.entered));
    }
    (counts, in_time, sent_on)
}

fn told(sums: &Sums) -> Counts {
    Counts {
        offered: sums.offered.saturating_sub(sums.overflowed + sums.voicemail),
        answered: sums.answered,
        lost: sums.abandoned + sums.short_abandoned,
    }
}

#[tokio::test]
async fn a_report_of_a_day_says_what_really_happened() {
    let start = Utc.with_ymd_and_hms(2026, 11, 18, 0, 0, 0).single().expect("a day of the calendar");
    let (world, paths) = office(start);
    let now = timestamp(world.now());
    let mut board = Board::new().with_history();
    board.apply(timestamp(start), Input::Directory(directory_of(&world)));
    board.apply(now, Input::Midnights(Midnights { home: timestamp(start), zones: BTreeMap::new() }));
    let reader = Reader::new(None);
    for path in &paths {
        let parsed = reader.read(&path_event(path), now).expect("a path is readable");
        board.apply(now, Input::Facts(parsed.fact.into_iter().collect()));
    }
    let calls = board.take_history(now, usize::MAX);
    let folder = tempfile::tempdir().expect("a folder");
    let (store, mut writer) = Store::open(folder.path(), Purpose::Work, now).await.expect("a store");
    let history = vec![Arc::new(HistoryBatch { calls, place: None, told_at: now })];
    writer.commit(Batch { history, ..Batch::default() }).await.expect("history is written");

    let hour = |number: i64| start + TimeDelta::hours(number);
    let mut times: Vec<_> = (0..24).map(|number| (hour(number), hour(number + 1))).collect();
    times.push((start, hour(24)));
    let stretches: Vec<Stretch> =
        times.iter().map(|(from, to)| Stretch { from: timestamp(*from), to: timestamp(*to) }).collect();
    let (mut all, mut all_sent_on) = (Counts::default(), 0);
    for queue in &world.directory().queues {
        let queues = [QueueId::new(queue.id.as_str())];
        let question =
            ReportQuestion { queues: &queues, intervals: &stretches[..24], others: &stretches[24..] };
        let report = store.report(question, DEADLINE).await.expect("in time");
        let sums: Vec<Sums> = report.intervals.into_iter().chain(report.others).collect();
        for ((from, to), sums) in times.iter().zip(&sums) {
            let (really, in_time, sent_on) = truth(&world, &queue.id, *from, *to);
            // Who enters in one hour may be sent on in the next.
            let is_day = *to - *from > TimeDelta::hours(1);
            let offered = if is_day { told(sums).offered } else { really.offered };
            assert_eq!(Counts { offered, ..told(sums) }, really, "{} from {from} to {to}", queue.name);
            assert!(sums.overflowed + sums.voicemail >= sent_on, "{} from {from}: {sent_on}", queue.name);
            let off = sums.answered_in_time.abs_diff(in_time);
            assert!(off <= 1 + really.answered / 20, "{} from {from}: {in_time} and {off}", queue.name);
        }
        let day = sums.last().expect("the whole day");
        let told = told(day);
        all.offered += told.offered;
        all.answered += told.answered;
        all.lost += told.lost;
        all_sent_on += day.overflowed;
        // The day's sums are the hours' together.
        let mut hours = Sums::default();
        sums[..24].iter().for_each(|sums| hours.add(sums));
        assert_eq!(&hours, day, "{}", queue.name);
        let waits = world.truth().visits_of(&queue.id).filter_map(|visit| {
            let is_answered = visit.outcome == Some(Outcome::Answered);
            visit.left.filter(|left| is_answered && *left < hour(24))?;
            visit.wait_seconds()
        });
        let waits: Vec<f64> = waits.collect();
        if let Some(mean) = day.average_speed_of_answer() {
            let really = waits.iter().sum::<f64>() / waits.len() as f64;
            // Records are written in whole seconds.
            assert!((mean.as_secs_f64() - really).abs() <= 1.0, "{mean:?} for {really}");
        }
    }
    assert!(all.answered > 500 && all.lost > 50 && all_sent_on > 0, "a quiet day proves nothing: {all:?}");
}
