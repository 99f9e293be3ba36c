//! Workload `live`: one busy account, many viewers of all its queues.
//!
//! The server runs on one core; the pretend Zoom and the viewers share the other. A marker's latency
//! runs from the instant it was to be sent to the instant at which a viewer has read the frame that
//! shows it, for every marker and every viewer. Each round of the server is followed by a round of
//! the rival, a bare loop over `write()` that sends the very frames of that round, at the same times, to
//! as many viewers.
//!
//! At the end once more while the server repairs a gap from Zoom's record, one call after the other. Like the
//! walks through the record it reads at the rate of its share of Zoom's limit; a round counts only if it read some calls in
//! every second of it.

use std::{collections::HashMap, time::Duration};

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use crate::{
    account::{Account, Marker},
    callboard::{Callboard, Places},
    clock,
    pinning::Cores,
    recording::Recording,
    report::{Finding, Goal, Report},
    rival::Rival,
    spread::{Latencies, Spread},
    usage::{Memory, Opening, Window},
    viewers::{Delivery, Frame, Viewers},
};

const QUEUES: usize = 500;
const PEOPLE: usize = 10_000;
const EVENTS_PER_SECOND: f64 = 250.0;
/// Of the queues, those in which only our markers ring.
const PROBES: usize = 8;

/// Markers follow each other at this distance, and a bit more by turns: no interval of the server or
/// of the pretend Zoom is in step with it.
const MARKER_EVERY: Duration = Duration::from_micros(46_700);
/// What is sent at the end of a window may arrive this much later.
const STRAGGLERS: Duration = Duration::from_secs(2);
/// A server without viewers shows a marker within this.
const SHOWN_WITHIN: Duration = Duration::from_millis(500);
/// How long the feed is cut for the gap, and how long until that is read about: the record is awaited for 90 s.
const CUT_FOR: Duration = Duration::from_secs(2);
const REPAIR_BEGINS_WITHIN: Duration = Duration::from_secs(180);
/// In each stretch of a window of this length calls have to be read.
const STRETCH: Duration = Duration::from_secs(1);
/// Between the order and the first frame.
const RIVAL_STARTS_AFTER: Duration = Duration::from_millis(300);

/// A workload's size in time.
#[derive(Debug, Clone, Copy)]
struct Effort {
    pairs: usize,
    warm_up: Duration,
    /// With viewers, and as long without any right before.
    window: Duration,
    /// Whether to wait until the members of all queues are read.
    settles: bool,
}

/// What one round of the server gave.
struct Round {
    /// Right before, without viewers, with the same events.
    idle: Window,
    window: Window,
    latencies: Latencies,
    deliveries: usize,
    revisions: usize,
    frame_bytes: f64,
    events: u64,
    /// Calls that the server read over REST, stretch by stretch.
    calls_read: Vec<u64>,
    markers: usize,
    /// Right before the viewers came, and when all had their first view.
    memory: [Memory; 2],
    recording: Recording,
}

/// What one round of the rival gave.
struct RivalRound {
    window: Window,
    latencies: Latencies,
    deliveries: usize,
    memory_per_viewer: f64,
}

pub(crate) fn run(report: &mut Report, places: &Places, cores: Cores, quick: bool) -> anyhow::Result<()> {
    let effort = if quick {
        Effort { pairs: 1, warm_up: Duration::from_secs(2), window: Duration::from_secs(6), settles: false }
    } else {
        Effort { pairs: 3, warm_up: Duration::from_secs(4), window: Duration::from_secs(10), settles: true }
    };
    eprintln!("live: {QUEUES} queues, {PEOPLE} people, about {EVENTS_PER_SECOND} events a second");
    let mut account = Account::busy(QUEUES, PEOPLE, EVENTS_PER_SECOND, PROBES)?;
    let mut server = Callboard::start(places, cores, &account.sim)?;
    settle(&mut server, effort)?;

    let resident = Memory::of(server.pid())?.resident;
    let mut idle_shares = Vec::new();
    for viewers in [2_000, 100] {
        let mut ours = Vec::new();
        let mut rivals = Vec::new();
        for pair in 1..=effort.pairs {
            let round = match measure(&mut account, &mut server, viewers, effort) {
                Ok(round) => round,
                Err(error) => {
                    eprintln!("live: {viewers} viewers, round {pair} does not count: {error:#}");
                    continue;
                }
            };
            eprintln!(
                "live: {viewers} viewers, round {pair}: p50 {:.1} ms, p99 {:.1} ms, {:.0} % of a core, {:.1} µs a \
                 delivery, {:.0} % of the machine busy with others",
                round.latencies.quantile(0.5),
                round.latencies.quantile(0.99),
                share(round.window) * 100.0,
                micros_each(round.window, round.deliveries),
                round.window.foreign * 100.0,
            );
            let rival = measure_rival(&round, places, cores, viewers, effort)?;
            eprintln!(
                "live: {viewers} viewers, write loop {pair}: p99 {:.1} ms, {:.1} µs a delivery",
                rival.latencies.quantile(0.99),
                micros_each(rival.window, rival.deliveries),
            );
            ours.push(round);
            rivals.push(rival);
        }
        ensure!(!ours.is_empty(), "no round with {viewers} viewers could be measured");
        tell(report, viewers, &ours, &rivals);
        idle_shares.extend(ours.iter().map(|round| share(round.idle) * 100.0));
    }
    report.add(Finding::new("live: server without viewers", "% of a core", Spread::of(idle_shares)).note(
        format!(
            "takes, stores and applies the same events; resident {:.1} MB at the start",
            resident as f64 / 1e6
        ),
    ));
    begin_repair(&account)?;
    let mut rounds = Vec::new();
    for number in 1..=effort.pairs {
        match measure(&mut account, &mut server, 100, effort).and_then(with_repair) {
            Ok(round) => {
                eprintln!(
                    "live: 100 viewers during a repair, round {number}: p50 {:.1} ms, p99 {:.1} ms, {:.0} % of a core, {} \
                     calls read",
                    round.latencies.quantile(0.5),
                    round.latencies.quantile(0.99),
                    share(round.window) * 100.0,
                    round.calls_read.iter().sum::<u64>(),
                );
                rounds.push(round);
            }
            Err(error) => {
                eprintln!("live: 100 viewers during a repair, round {number} does not count: {error:#}");
            }
        }
    }
    ensure!(!rounds.is_empty(), "no round during a repair could be measured");
    tell_repair(report, 100, &rounds);
    let feed = server.feed()?;
    ensure!(feed.lost == 0 && feed.quarantined == 0, "the server lost events: {feed:?}");
    server.stop()?;
    Ok(())
}

/// Waits until the names of the queues are read, and their members if there is time for it.
fn settle(server: &mut Callboard, effort: Effort) -> anyhow::Result<()> {
    if effort.settles {
        eprintln!("live: waiting until the members of all queues are read, about two minutes");
    }
    // The list and then each queue; the server asks at half the rate that Zoom allows.
    let give_up = clock::now() + Duration::from_secs(300);
    let mut known = (0, 0);
    while known.0 < QUEUES || (effort.settles && known.0 > known.1) {
        ensure!(
            clock::now() < give_up,
            "of {} queues the server has read the members of {}",
            known.0,
            known.1
        );
        std::thread::sleep(Duration::from_millis(500));
        known = server.staffed_queues()?;
    }
    std::thread::sleep(effort.warm_up);
    Ok(())
}

/// Cuts the feed for a moment and waits until the server reads the record of that time: of the four minutes
/// around the cut, which are thousands of calls.
fn begin_repair(account: &Account) -> anyhow::Result<()> {
    eprintln!("live: cutting the feed and waiting until the server reads about that, about two minutes");
    let read_before = account.sim.totals().call_paths;
    account.sim.outage(CUT_FOR);
    let give_up = clock::now() + REPAIR_BEGINS_WITHIN;
    while account.sim.totals().call_paths == read_before || account.sim.connected() == 0 {
        ensure!(clock::now() < give_up, "the server did not begin to repair the gap");
        std::thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}

/// The round, if calls were read all the time.
fn with_repair(round: Round) -> anyhow::Result<Round> {
    ensure!(
        round.calls_read.iter().all(|calls| *calls > 0),
        "the server did not read calls all the time, but {:?} a second",
        round.calls_read
    );
    Ok(round)
}

fn measure(
    account: &mut Account,
    server: &mut Callboard,
    viewers: usize,
    effort: Effort,
) -> anyhow::Result<Round> {
    let begin = clock::now() + Duration::from_millis(20);
    let times = marker_times(begin).take_while(|at| *at < begin + effort.window).collect();
    let sending = account.send_markers(times);
    let opening = Opening::of(server.pid())?;
    clock::sleep_until(begin + effort.window);
    let idle = opening.close()?;
    sending.join().map_err(|_| anyhow::anyhow!("the marker thread broke"))??;
    // The first view must show all of these, or later ones would be taken for others.
    std::thread::sleep(SHOWN_WITHIN);

    let empty = Memory::of(server.pid())?;
    let mut viewers = Viewers::connect(server.address, "/live/all", viewers)?;
    let full = Memory::of(server.pid())?;
    viewers.follow_for(effort.warm_up)?;

    let begin = clock::now() + Duration::from_millis(20);
    let end = begin + effort.window;
    let times: Vec<Duration> = marker_times(begin).take_while(|at| *at < end).collect();
    let sending = account.send_markers(times);
    viewers.follow_until(begin)?;
    let opening = Opening::of(server.pid())?;
    let events = account.sim.totals().frames;
    let mut calls_read = Vec::new();
    let mut until = begin;
    while until < end {
        let read_before = account.sim.totals().call_paths;
        until = (until + STRETCH).min(end);
        viewers.follow_until(until)?;
        calls_read.push(account.sim.totals().call_paths - read_before);
    }
    let window = opening.close()?;
    let events = account.sim.totals().frames - events;
    viewers.follow_for(STRAGGLERS)?;
    let markers = sending.join().map_err(|_| anyhow::anyhow!("the marker thread broke"))??;

    let in_window: Vec<&Delivery> =
        viewers.deliveries.iter().filter(|delivery| (begin..end).contains(&delivery.at)).collect();
    let shown = revisions_of(&viewers.frames, &markers)?;
    let latencies = latencies(&viewers, &markers, &shown)?;
    let mut first_at: HashMap<u64, Duration> = HashMap::new();
    for delivery in &in_window {
        first_at.entry(delivery.revision).or_insert(delivery.at);
    }
    let mut recording = Recording::default();
    recording.greeting.clone_from(&viewers.frames.first().context("no frame came")?.text);
    for frame in &viewers.frames {
        if let Some(at) = first_at.get(&frame.revision) {
            recording.frames.push((*at - begin, frame.text.clone()));
        }
    }
    let revisions = recording.frames.len();
    let bytes: usize = recording.frames.iter().map(|(_, text)| text.len()).sum();
    Ok(Round {
        idle,
        window,
        latencies,
        deliveries: in_window.len(),
        revisions,
        frame_bytes: bytes as f64 / revisions.max(1) as f64,
        events,
        calls_read,
        markers: markers.len(),
        memory: [empty, full],
        recording,
    })
}

/// Instants at uneven distances.
fn marker_times(begin: Duration) -> impl Iterator<Item = Duration> {
    (0_u32..)
        .map(move |number| begin + MARKER_EVERY * number + Duration::from_millis((number * 7 % 23).into()))
}

#[derive(Deserialize)]
struct FrameJson {
    queues: Vec<QueueJson>,
}

#[derive(Deserialize)]
struct QueueJson {
    id: String,
    figures: FiguresJson,
}

#[derive(Deserialize)]
struct FiguresJson {
    offered_today: u64,
}

/// The revision that first shows each marker.
fn revisions_of(frames: &[Frame], markers: &[Marker]) -> anyhow::Result<Vec<u64>> {
    // Per probe: the numbers of its markers, in order.
    let mut of_queue: HashMap<&str, Vec<usize>> = HashMap::new();
    for (number, marker) in markers.iter().enumerate() {
        of_queue.entry(&marker.queue).or_default().push(number);
    }
    let mut before: HashMap<String, u64> = HashMap::new();
    let mut shown: Vec<Option<u64>> = vec![None; markers.len()];
    for frame in frames {
        let text = std::str::from_utf8(&frame.text)?;
        let data =
            text.lines().find_map(|line| line.strip_prefix("data: ")).context("a frame without data")?;
        let json: FrameJson = serde_json::from_str(data)?;
        for queue in json.queues {
            let Some(numbers) = of_queue.get(queue.id.as_str()) else { continue };
            let offered = queue.figures.offered_today;
            // The first view tells what earlier rounds left.
            let before = *before.entry(queue.id).or_insert(offered);
            let count = usize::try_from(offered.saturating_sub(before))?;
            ensure!(
                count <= numbers.len(),
                "{count} calls in a probe that got {} markers: one of an earlier round came late",
                numbers.len()
            );
            for number in &numbers[..count] {
                shown[*number].get_or_insert(frame.revision);
            }
        }
    }
    shown.into_iter().map(|revision| revision.context("a marker was never shown")).collect()
}

/// Of every marker at every viewer.
fn latencies(viewers: &Viewers, markers: &[Marker], shown: &[u64]) -> anyhow::Result<Latencies> {
    let mut of_viewer: Vec<Vec<&Delivery>> = vec![Vec::new(); viewers.count()];
    for delivery in &viewers.deliveries {
        of_viewer[usize::try_from(delivery.viewer)?].push(delivery);
    }
    let mut all = Vec::with_capacity(markers.len() * viewers.count());
    for deliveries in of_viewer {
        for (marker, revision) in markers.iter().zip(shown) {
            let place = deliveries.partition_point(|delivery| delivery.revision < *revision);
            let seen = deliveries.get(place).context("a viewer never got a marker")?;
            all.push(seen.at.saturating_sub(marker.at));
        }
    }
    Ok(Latencies::of(all))
}

fn measure_rival(
    round: &Round,
    places: &Places,
    cores: Cores,
    viewers: usize,
    effort: Effort,
) -> anyhow::Result<RivalRound> {
    let folder = tempfile::tempdir_in(&places.scratch)?;
    let file = folder.path().join("frames");
    round.recording.write(&file)?;
    let mut rival = Rival::start(cores, ["write-loop".as_ref(), file.as_os_str()])?;
    let empty = Memory::of(rival.pid())?;
    let mut viewers = Viewers::connect(rival.address, "/live/all", viewers)?;
    viewers.follow_for(Duration::from_secs(1))?;

    let begin = clock::now() + RIVAL_STARTS_AFTER;
    rival.order(&format!("start {}", begin.as_nanos()))?;
    viewers.follow_until(begin)?;
    let opening = Opening::of(rival.pid())?;
    let greeted = viewers.deliveries.len();
    viewers.follow_until(begin + effort.window)?;
    let window = opening.close()?;
    let deliveries = viewers.deliveries.len() - greeted;
    let full = Memory::of(rival.pid())?;
    viewers.follow_for(STRAGGLERS)?;

    let due: HashMap<u64, Duration> = viewers
        .frames
        .iter()
        .skip(1)
        .zip(&round.recording.frames)
        .map(|(frame, (after, _))| (frame.revision, begin + *after))
        .collect();
    let late = viewers.deliveries[greeted..]
        .iter()
        .filter_map(|delivery| Some(delivery.at.saturating_sub(*due.get(&delivery.revision)?)));
    Ok(RivalRound {
        window,
        latencies: Latencies::of(late),
        deliveries,
        memory_per_viewer: per_viewer(empty.resident, full.resident, viewers.count()),
    })
}

fn tell(report: &mut Report, viewers: usize, ours: &[Round], rivals: &[RivalRound]) {
    const LOOP: &str = "epoll + write() loop";
    let name = |metric: &str| format!("live, {viewers} viewers: {metric}");
    let of_ours = |value: &dyn Fn(&Round) -> f64| Spread::of(ours.iter().map(value));
    let of_rivals = |value: &dyn Fn(&RivalRound) -> f64| Spread::of(rivals.iter().map(value));
    let foreign = of_ours(&|round| round.window.foreign * 100.0);
    let crowd = viewers >= 1_000;

    for (word, quantile) in [("p50", 0.5), ("p99", 0.99), ("slowest", 1.0)] {
        let ours_ms = of_ours(&|round| round.latencies.quantile(quantile));
        let finding = Finding::new(name(&format!("event to client, {word}")), "ms", ours_ms)
            .beside("write loop, from its schedule", of_rivals(&|rival| rival.latencies.quantile(quantile)));
        report.add(if word == "p99" {
            let markers: usize = ours.iter().map(|round| round.markers).sum();
            let samples: usize = ours.iter().map(|round| round.latencies.count()).sum();
            finding.goal(Goal::AtMost(if crowd { 250.0 } else { 30.0 })).note(format!(
                "{markers} markers, {samples} samples, open loop; server on one core, viewers and pretend Zoom on \
                 another; others used {:.0} % of the machine [{:.0}–{:.0}]",
                foreign.median, foreign.least, foreign.most
            ))
        } else {
            finding
        });
    }
    let core = of_ours(&|round| share(round.window) * 100.0);
    let core = Finding::new(name("server"), "% of a core", core)
        .beside(LOOP, of_rivals(&|rival| share(rival.window) * 100.0))
        .note("the server also takes, stores and applies the events");
    report.add(if crowd { core.goal(Goal::AtMost(100.0)) } else { core });

    let rival_cpu = of_rivals(&|rival| micros_each(rival.window, rival.deliveries));
    report.add(
        Finding::new(
            name("CPU per delivery"),
            "µs",
            of_ours(&|round| micros_each(round.window, round.deliveries)),
        )
        .beside(LOOP, rival_cpu)
        .note(
            "everything the server does, taking, storing and applying events included, divided by deliveries; the \
             loop sends the same frames at the same times and does nothing else, so the goal is on the next line",
        ),
    );
    let without_idle = |round: &Round| {
        let idle = round.idle.serving.as_secs_f64() / round.idle.length.as_secs_f64();
        let serving = round.window.serving.as_secs_f64() - idle * round.window.length.as_secs_f64();
        serving * 1e6 / round.deliveries.max(1) as f64
    };
    report.add(
        Finding::new(
            name("CPU per delivery, without what it does for no viewer"),
            "µs",
            of_ours(&without_idle),
        )
        .beside(LOOP, rival_cpu)
        .goal(Goal::RatioAtMost(2.0))
        .note("from as long a time without viewers right before; snapshots of the past are taken in either by chance, so their threads are left out of both"),
    );
    if crowd {
        // Later rounds find memory that earlier viewers left behind.
        let [empty, full] = ours[0].memory;
        let resident = per_viewer(empty.resident, full.resident, viewers);
        let proportional = per_viewer(empty.proportional, full.proportional, viewers);
        report.add(
            Finding::new(name("memory per stream"), "KB", Spread::of([resident / 1000.0]))
                .beside(LOOP, of_rivals(&|rival| rival.memory_per_viewer / 1000.0))
                .goal(Goal::AtMost(24.0))
                .note(format!(
                    "resident with {viewers} minus resident with none, first round; proportional {:.1} KB; kernel \
                     buffers not included",
                    proportional / 1000.0
                )),
        );
    }
    report.add(Finding::new(name("bytes per update"), "B", of_ours(&|round| round.frame_bytes)).note(
        format!(
            "{:.0} revisions a second; the first view has {:.0} kB",
            of_ours(&|round| round.revisions as f64 / round.window.length.as_secs_f64()).median,
            of_ours(&|round| round.recording.greeting.len() as f64 / 1000.0).median,
        ),
    ));
    let without = |round: &Round| round.events as f64 * viewers as f64;
    report.add(
        Finding::new(
            name("deliveries"),
            "/s",
            of_ours(&|round| round.deliveries as f64 / round.window.length.as_secs_f64()),
        )
        .beside(
            "one per event and viewer",
            of_ours(&|round| without(round) / round.window.length.as_secs_f64()),
        )
        .note(format!(
            "coalescing saved {:.0} % at {:.0} events a second",
            of_ours(&|round| (1.0 - round.deliveries as f64 / without(round).max(1.0)) * 100.0).median,
            of_ours(&|round| round.events as f64 / round.window.length.as_secs_f64()).median,
        )),
    );
}

fn tell_repair(report: &mut Report, viewers: usize, rounds: &[Round]) {
    let name = |metric: &str| format!("live, {viewers} viewers during a repair: {metric}");
    let of = |value: &dyn Fn(&Round) -> f64| Spread::of(rounds.iter().map(value));
    for (word, quantile) in [("p50", 0.5), ("p99", 0.99), ("slowest", 1.0)] {
        let milliseconds = of(&|round| round.latencies.quantile(quantile));
        let finding = Finding::new(name(&format!("event to client, {word}")), "ms", milliseconds);
        report.add(if word == "p99" {
            let markers: usize = rounds.iter().map(|round| round.markers).sum();
            let foreign = of(&|round| round.window.foreign * 100.0);
            finding.goal(Goal::AtMost(30.0)).note(format!(
                "{markers} markers, while the server read calls of a gap over REST all the time; others used {:.0} % of \
                 the machine [{:.0}–{:.0}]",
                foreign.median, foreign.least, foreign.most
            ))
        } else {
            finding
        });
    }
    let a_second =
        |round: &Round| round.calls_read.iter().sum::<u64>() as f64 / round.window.length.as_secs_f64();
    let all: u64 = rounds.iter().flat_map(|round| &round.calls_read).sum();
    let least = rounds.iter().flat_map(|round| &round.calls_read).min().copied().unwrap_or_default();
    report.add(
        Finding::new(name("calls read over REST"), "/s", of(&a_second))
            .note(format!("{all} within the windows, {least} in the second with the fewest")),
    );
    report.add(Finding::new(name("server"), "% of a core", of(&|round| share(round.window) * 100.0)));
}

/// Of one core.
fn share(window: Window) -> f64 {
    window.cpu.as_secs_f64() / window.length.as_secs_f64()
}

fn micros_each(window: Window, deliveries: usize) -> f64 {
    window.cpu.as_secs_f64() * 1e6 / deliveries.max(1) as f64
}

fn per_viewer(empty: u64, full: u64, viewers: usize) -> f64 {
    full.saturating_sub(empty) as f64 / viewers as f64
}
