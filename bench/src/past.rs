//! Workload `past`: how long the board of any instant takes, and how many bytes a packed event.
//!
//! A generated day is written into a file and replayed by the real server, which takes snapshots and packs
//! the day as it does with a day of its own. Then the boards of instants all over it are asked for, far
//! apart, so that none is near the one before. The rival reads the same rows out of the same database and
//! does nothing with them.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use zoom_sim::{World, WorldConfig};

use crate::{
    callboard::{Callboard, Places},
    clock,
    pinning::Cores,
    report::{Finding, Goal, Report},
    spread::{Latencies, Spread},
};

/// Instants that are asked for.
const INSTANTS: i32 = 60;
/// The archive is through when nothing about it changes for so long.
const SETTLED: Duration = Duration::from_secs(25);
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What the server says of the past; the part that measurements need.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct PastKept {
    packed_events: i64,
    text_bytes: i64,
    packed_bytes: i64,
    snapshots: i64,
    snapshot_bytes: i64,
}

#[derive(Debug, Deserialize)]
struct Feed {
    past: PastKept,
}

pub(crate) fn run(report: &mut Report, places: &Places, cores: Cores, quick: bool) -> anyhow::Result<()> {
    let hours = if quick { 4 } else { 24 };
    let folder = tempfile::tempdir_in(&places.scratch)?;
    let file = folder.path().join("events.jsonl");
    // An office in the morning; a day of it goes into the night.
    let start: DateTime<Utc> = DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::hours(7);
    let end = start + TimeDelta::hours(hours);
    eprintln!("past: an office's {hours} h");
    let mut world = World::new(WorldConfig::office(start).without_latency(), 7);
    let mut lines = BufWriter::new(File::create(&file)?);
    let (mut now, mut count) = (start, 0_u64);
    while now < end {
        now += TimeDelta::minutes(10);
        for event in world.step_until(now) {
            count += 1;
            writeln!(lines, "{}", event.json)?;
        }
    }
    lines.into_inner().context("the file of events cannot be written")?.sync_all()?;

    let mut server = Callboard::replay(places, cores, &file)?;
    let kept = settled(&mut server)?;
    ensure!(kept.packed_events > 0, "the server packed nothing: {kept:?}");
    let took = |at: DateTime<Utc>, server: &mut Callboard| -> anyhow::Result<Duration> {
        let path = format!("/api/v1/queues?at={}", at.format("%Y-%m-%dT%H:%M:%SZ"));
        let began = clock::now();
        let (status, _) = server.get(&path)?;
        let took = clock::now() - began;
        ensure!(status == 200, "{path} was answered {status}");
        Ok(took)
    };
    let span = end - start;
    let mut times = Vec::new();
    for nth in 1..INSTANTS {
        // Steps of more than a third of the day, and never the same instant twice.
        let place = (nth * 23) % INSTANTS;
        times.push(took(start + span / INSTANTS * place, &mut server)?);
    }
    let latencies = Latencies::of(times.iter().copied());
    let slowest = latencies.quantile(1.0);
    report.add(
        Finding::new("board of any instant, slowest", "ms", Spread::of([slowest]))
            .goal(Goal::AtMost(1_000.0))
            .note(format!(
                "median {:.0} ms; {} instants of {hours} h with {count} events, {} snapshots of {:.0} kB",
                latencies.quantile(0.5),
                latencies.count(),
                kept.snapshots,
                kept.snapshot_bytes as f64 / kept.snapshots.max(1) as f64 / 1000.0,
            )),
    );
    let per_event = |bytes: i64| bytes as f64 / kept.packed_events as f64;
    report.add(
        Finding::new("an event older than a day", "bytes", Spread::of([per_event(kept.packed_bytes)]))
            .beside("its text", Spread::of([per_event(kept.text_bytes)]))
            .goal(Goal::AtMost(120.0))
            .note(format!("{} events in segments, notes included", kept.packed_events)),
    );
    Ok(())
}

/// Waits until snapshots are taken and everything old is packed.
fn settled(server: &mut Callboard) -> anyhow::Result<PastKept> {
    let (mut kept, mut since) = (None, clock::now());
    loop {
        let (status, body) = server.get("/api/v1/feed")?;
        ensure!(status == 200, "the server answered {status} when asked for its feed");
        let feed: Feed = serde_json::from_slice(&body)?;
        if kept.as_ref() != Some(&feed.past) {
            (kept, since) = (Some(feed.past), clock::now());
        } else if clock::now() - since > SETTLED {
            return kept.context("the server told nothing of the past");
        }
        std::thread::sleep(LOOK_EVERY);
    }
}
