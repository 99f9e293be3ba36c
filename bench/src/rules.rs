//! Workload `domain`: the rules alone, without disk and sockets.
//!
//! The facts of a generated account are applied to a board, one by one at many live legs, and a whole day
//! of them as a replay does. The rival keeps the same facts by call and works nothing out: what any board
//! has to do at least.

use std::{collections::HashMap, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    board::{Board, Input},
    fact::Fact,
    id::CallId,
    time::Timestamp,
};
use server::zoom::wire::Reader;
use zoom_sim::{World, WorldConfig};

use crate::{
    clock,
    report::{Finding, Goal, Report},
    spread::Spread,
};

/// Legs that live while facts are applied one by one.
const LIVE_LEGS: usize = 10_000;
/// Facts that are applied one by one.
const APPLIED: usize = 20_000;
/// The account of that: queues, people, events a second. Little more legs than those live in it at any time,
/// so that later on there are more calls, and as many legs.
const BUSY: (usize, usize, f64) = (500, 30_000, 800.0);
/// The account of a replayed day, which makes about 100,000 calls.
const ORDINARY: (usize, usize, f64) = (100, 2_000, 15.0);
const DAY: TimeDelta = TimeDelta::hours(24);

/// Facts as they arrive.
struct Feed {
    world: World,
    reader: Reader,
    now: DateTime<Utc>,
}

impl Feed {
    fn new((queues, people, events_per_second): (usize, usize, f64), seed: u64) -> Self {
        let start = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let config = WorldConfig::bench(start, queues, people, events_per_second).without_latency();
        Self { world: World::new(config, seed), reader: Reader::default(), now: start }
    }

    fn board(&self) -> Board {
        let mut board = Board::new();
        board.apply(timestamp(self.now), Input::Directory(verify::directory_of(&self.world)));
        board
    }

    /// The facts of the next second.
    fn second(&mut self) -> (Timestamp, Vec<Fact>) {
        self.now += TimeDelta::seconds(1);
        let now = timestamp(self.now);
        let events = self.world.step_until(self.now);
        let facts = events.iter().filter_map(|event| self.reader.read(&event.json, now).ok()?.fact);
        (now, facts.collect())
    }
}

fn timestamp(at: DateTime<Utc>) -> Timestamp {
    Timestamp::from_millis(at.timestamp_millis())
}

/// Facts by call, and nothing else.
#[derive(Default)]
struct Kept(HashMap<CallId, Vec<Fact>>);

impl Kept {
    fn keep(&mut self, fact: Fact) {
        self.0.entry(fact.call_id.clone()).or_default().push(fact);
    }
}

pub(crate) fn run(report: &mut Report, quick: bool) {
    apply(report, quick);
    replay(report, quick);
}

/// A board with everything that was told to it.
struct Busy {
    feed: Feed,
    board: Board,
    times: Vec<Duration>,
}

impl Busy {
    /// As many legs live as the workload asks for.
    fn new() -> Self {
        let mut feed = Feed::new(BUSY, 7);
        let mut board = feed.board();
        while legs(&board) < LIVE_LEGS {
            let (now, facts) = feed.second();
            board.apply(now, Input::Facts(facts));
        }
        Self { feed, board, times: Vec::new() }
    }

    /// Lets so many seconds pass; the facts that they had.
    fn age(&mut self, seconds: usize) -> usize {
        let mut told = 0;
        for _ in 0..seconds {
            let (now, facts) = self.feed.second();
            told += facts.len();
            self.board.apply(now, Input::Facts(facts));
        }
        told
    }

    /// Applies the facts of the next second one by one, and hands each to `beside` as well.
    fn second(&mut self, mut beside: impl FnMut(Fact)) {
        let (now, facts) = self.feed.second();
        for fact in facts {
            let copy = fact.clone();
            let began = clock::now();
            self.board.apply(now, Input::Facts(vec![fact]));
            self.times.push(clock::now() - began);
            beside(copy);
        }
    }

    fn note(&self) -> String {
        format!("{} live legs, {} calls on the board", legs(&self.board), self.board.size().0)
    }
}

/// One board; then two in turn, second by second, so that whatever the machine does meanwhile is done to both.
fn apply(report: &mut Report, quick: bool) {
    eprintln!("domain: facts one by one at {LIVE_LEGS} live legs");
    let mut early = Busy::new();
    let note = early.note();
    let (mut kept, mut rivals) = (Kept::default(), Vec::new());
    while early.times.len() < APPLIED {
        early.second(|fact| {
            let began = clock::now();
            kept.keep(fact);
            rivals.push(clock::now() - began);
        });
    }
    report.add(
        Finding::new("apply one fact, median", "µs", medians(&early.times))
            .beside("keeping it by call", medians(&rivals))
            .goal(Goal::AtMost(5.0))
            .note(note),
    );
    early.times.clear();
    let mut late = Busy::new();
    // Calls of twenty minutes that end, or of as many as a short round has time for.
    let between = late.age(if quick { 60 } else { 1_200 });
    let (note_early, note_late) = (early.note(), late.note());
    while early.times.len().min(late.times.len()) < APPLIED {
        early.second(drop);
        late.second(drop);
    }
    report.add(
        Finding::new("apply one fact, more calls", "µs", medians(&late.times))
            .beside("fewer calls", medians(&early.times))
            .goal(Goal::RatioAtMost(1.3))
            .note(format!("{note_late} after {between} facts more; beside it {note_early}")),
    );
}

/// The median times of one fact in microseconds, in ten parts.
fn medians(times: &[Duration]) -> Spread {
    let parts = times.chunks(times.len().div_ceil(10));
    Spread::of(parts.map(|part| Spread::of(part.iter().map(|time| time.as_secs_f64() * 1e6)).median))
}

fn legs(board: &Board) -> usize {
    board.live_calls().iter().map(|call| call.legs.len()).sum()
}

fn replay(report: &mut Report, quick: bool) {
    let day = if quick { DAY / 8 } else { DAY };
    eprintln!("domain: replay of {} h", day.num_hours());
    let mut feed = Feed::new(ORDINARY, 11);
    let until = feed.now + day;
    let mut seconds = Vec::new();
    let mut board = feed.board();
    while feed.now < until {
        let (now, facts) = feed.second();
        if !facts.is_empty() {
            seconds.push((now, facts));
        }
    }
    let count: usize = seconds.iter().map(|(_, facts)| facts.len()).sum();
    let calls = {
        let ids = seconds.iter().flat_map(|(_, facts)| facts).map(|fact| &fact.call_id);
        ids.collect::<std::collections::HashSet<_>>().len()
    };
    let copy = seconds.clone();
    let began = clock::now();
    for (now, facts) in seconds {
        board.apply(now, Input::Facts(facts));
    }
    let ours = count as f64 / (clock::now() - began).as_secs_f64();
    let mut kept = Kept::default();
    let began = clock::now();
    for fact in copy.into_iter().flat_map(|(_, facts)| facts) {
        kept.keep(fact);
    }
    let rival = count as f64 / (clock::now() - began).as_secs_f64();
    report.add(
        Finding::new("replay of a day", "events/s", Spread::of([ours]))
            .beside("keeping it by call", Spread::of([rival]))
            .goal(Goal::AtLeast(100_000.0))
            .note(format!("{count} events of {calls} calls, applied second by second")),
    );
}
