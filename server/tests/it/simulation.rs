//! The board against the truth: a simulated day of telephone traffic, told by events alone, is
//! compared with what really happened.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, TimeZone as _, Utc};
use domain::{
    board::{Board, Input, Midnights},
    directory::{Directory, DirectoryQueue, Member},
    id::QueueId,
    service_level::ServiceLevelPolicy,
    time::Timestamp,
    trust::{FeedLink, Trust},
    view::Figures,
};
use server::zoom::wire::Reader;
use zoom_sim::{World, WorldConfig};

fn timestamp(at: DateTime<Utc>) -> Timestamp {
    Timestamp::from_millis(at.timestamp_millis())
}

fn directory_of(world: &World) -> Directory {
    let told = world.directory();
    let queues = told.queues.iter().map(|queue| DirectoryQueue {
        id: QueueId::new(queue.id.as_str()),
        extension_id: Some(queue.extension_id.as_str().into()),
        name: queue.name.clone(),
        extension_number: Some(queue.extension_number.to_string()),
        zone: None,
        members: Some(
            queue
                .members
                .iter()
                .map(|member| {
                    let seat = &told.seats[member.seat];
                    Member {
                        id: seat.id.as_str().into(),
                        extension_id: Some(seat.extension_id.as_str().into()),
                        name: seat.name.clone(),
                        receives_calls: member.receive_call,
                    }
                })
                .collect(),
        ),
        policy: ServiceLevelPolicy::default(),
        wrap_up: None,
    });
    Directory { queues: queues.collect() }
}

/// How often a figure was right, and how far off it was at most.
#[derive(Debug, Default)]
struct Score {
    looks: u64,
    off: u64,
    worst: usize,
}

impl Score {
    fn note(&mut self, shown: u32, really: usize) {
        let error = (shown as usize).abs_diff(really);
        self.looks += 1;
        self.off += u64::from(error > 0);
        self.worst = self.worst.max(error);
    }

    fn share_off(&self) -> f64 {
        self.off as f64 / self.looks as f64
    }
}

struct Day {
    world: World,
    board: Board,
    reader: Reader,
}

impl Day {
    fn new(seed: u64) -> Self {
        let start = Utc.with_ymd_and_hms(2026, 11, 18, 0, 0, 0).unwrap();
        let world = World::new(WorldConfig::office(start).without_latency(), seed);
        let mut board = Board::new();
        let now = timestamp(start);
        board.apply(now, Input::Midnights(Midnights { home: now, zones: BTreeMap::new() }));
        board.apply(now, Input::Directory(directory_of(&world)));
        Self { world, board, reader: Reader::new(None) }
    }

    fn step(&mut self, length: TimeDelta) {
        for event in self.world.step_for(length) {
            let at = timestamp(event.at);
            let parsed = self.reader.read(&event.json, at).expect("the simulator emits readable events");
            if let Some(fact) = parsed.fact {
                self.board.apply(at, Input::Facts(vec![fact]));
            }
        }
        self.board.apply(timestamp(self.world.now()), Input::Tick);
    }

    fn figures(&self, queue: &str) -> Figures {
        let now = timestamp(self.world.now());
        let trust = Trust {
            feed: FeedLink::Live,
            feed_since: now,
            feed_heard_at: Some(now),
            feed_problem: None,
            newest_fact_at: None,
            counting_since: None,
            gap: None,
            deaf_until: None,
            demo: false,
        };
        self.board.queue_view(&queue.into(), now, &trust).expect("a queue of the directory").figures
    }
}

#[test]
fn a_simulated_day_told_by_events_alone_is_close_to_the_truth() {
    let mut day = Day::new(11);
    let ids: Vec<String> = day.world.directory().queues.iter().map(|queue| queue.id.clone()).collect();
    let start = day.world.now();
    let (mut waiting, mut ringing, mut answered_callers) =
        (Score::default(), Score::default(), Score::default());
    for _ in 0..(24 * 3600 / 20) {
        day.step(TimeDelta::seconds(20));
        let now = day.world.now();
        for id in &ids {
            let shown = day.figures(id);
            let truth = day.world.truth().queue_at(id, now);
            waiting.note(shown.waiting, truth.visible_waiting);
            ringing.note(shown.ringing, truth.ringing);
            let with_the_queue = truth.talking + truth.on_hold + truth.parked + truth.elsewhere;
            answered_callers.note(shown.talking + shown.on_hold, with_the_queue);
        }
    }
    assert_eq!(ringing.off, 0, "ringing phones are told, so they are exact: {ringing:?}");
    // A pause between two rings longer than the grace, or a hang-up in it, is told by nobody.
    assert!(waiting.share_off() < 0.002 && waiting.worst <= 2, "{waiting:?}");
    // Who was transferred with consultation talks under the consultation's own id.
    assert!(answered_callers.share_off() < 0.03 && answered_callers.worst <= 3, "{answered_callers:?}");

    for id in &ids {
        let shown = day.figures(id);
        let truth = day.world.truth().cohort(id, start, day.world.now());
        let told = format!("{id}: shown {shown:?}, truth {truth:?}");
        // Nobody's phone rings for those who call outside hours or leave before the first ring.
        let seen = truth.entered - truth.invisible - truth.closed;
        assert_eq!(shown.offered_today as usize, seen, "{told}");
        assert_eq!(shown.answered_today as usize, truth.answered, "{told}");
        let left = truth.abandoned + truth.short_abandoned - truth.invisible;
        let abandoned = (shown.abandoned_today + shown.short_abandoned_today) as usize;
        // Who reaches the mailbox and leaves no message is told by nobody either.
        assert!((left..=left + truth.voicemail).contains(&abandoned), "{told}");
    }
}

#[test]
fn the_same_seed_twice_makes_the_same_day() {
    let board_after_an_hour = || {
        let mut day = Day::new(3);
        day.step(TimeDelta::hours(10));
        let ids: Vec<String> = day.world.directory().queues.iter().map(|queue| queue.id.clone()).collect();
        ids.iter().map(|id| day.figures(id)).collect::<Vec<_>>()
    };
    assert_eq!(board_after_an_hour(), board_after_an_hour());
}
