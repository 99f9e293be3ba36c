//! Workload `ingest`: how many events a second become durable.
//!
//! The pretend Zoom sends different events as fast as its one WebSocket takes them, a tenth of them
//! repetitions. Time runs from the first frame to the commit of the last event. The rival inserts the very
//! rows that the server wrote into an empty database of the same shape, a tenth of them repetitions as well, and
//! does nothing else. Both are counted by what became durable.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, ensure};
use zoom_sim::{BlastPlan, BlastReport};

use crate::{
    account::Account,
    callboard::{Callboard, Places},
    clock,
    insert_rows::{BATCH, Inserted},
    pinning::Cores,
    report::{Finding, Goal, Report},
    rival,
    spread::Spread,
    usage::{Opening, Window},
};

/// Share of repetitions.
const DUPLICATES: f64 = 0.1;
/// Sent before anything is measured.
const WARM_UP: u64 = 5_000;
/// How often the server is asked what it has journalled at the end of a round. Asking costs it something as
/// well, so that it is left alone while events are sent.
const LOOK_EVERY: Duration = Duration::from_millis(25);
/// How often it is looked after until then.
const LOOK_SELDOM: Duration = Duration::from_secs(1);
/// A server that journals nothing for this long has lost events.
const STUCK_AFTER: Duration = Duration::from_secs(5);

struct Round {
    sent: BlastReport,
    window: Window,
    /// From the first frame to the last commit.
    took: Duration,
    duplicates: u64,
    is_complete: bool,
    /// With as many repetitions as were sent.
    rows: Inserted,
    /// Without any.
    distinct_rows: Inserted,
}

pub(crate) fn run(report: &mut Report, places: &Places, cores: Cores, quick: bool) -> anyhow::Result<()> {
    let (pairs, frames) = if quick { (1, 60_000) } else { (3, 200_000) };
    eprintln!("ingest: {frames} frames a round, {:.0} % repetitions", DUPLICATES * 100.0);
    let mut rounds = Vec::new();
    for pair in 1..=pairs {
        let round = measure(places, cores, frames, pair)?;
        eprintln!(
            "ingest: round {pair}: {:.0} events/s durable ({:.0} % of the core, {:.1} µs an event), raw inserts {:.0} \
             rows/s, {:.0} % of the machine busy with others",
            per_second(round.sent.distinct, round.took),
            round.window.cpu.as_secs_f64() / round.window.length.as_secs_f64() * 100.0,
            round.window.cpu.as_secs_f64() * 1e6 / round.sent.distinct as f64,
            round.rows.per_second(),
            round.window.foreign * 100.0,
        );
        rounds.push(round);
    }
    tell(report, &rounds);
    Ok(())
}

fn measure(places: &Places, cores: Cores, frames: u64, pair: u64) -> anyhow::Result<Round> {
    let account = Account::quiet()?;
    let mut server = Callboard::start(places, cores, &account.sim)?;
    let plan = BlastPlan { events: WARM_UP, per_second: None, duplicates: DUPLICATES, seed: 1_000 + pair };
    let warm_up = account.handle().block_on(account.sim.blast(plan.clone()));
    let first = await_journalled(&mut server, warm_up.distinct)?;
    std::thread::sleep(Duration::from_millis(500));

    let before = server.feed()?;
    let opening = Opening::of(server.pid())?;
    let began = clock::now();
    let sim = std::sync::Arc::clone(&account.sim);
    let plan = BlastPlan { events: frames, seed: pair, ..plan };
    let sending = {
        let handle = account.handle().clone();
        std::thread::spawn(move || handle.block_on(sim.blast(plan)))
    };
    // Until the sender is through, no number of events is known to wait for.
    let mut journalled = first;
    let mut last_news = clock::now();
    let mut looked_at = clock::now();
    while !sending.is_finished() {
        std::thread::sleep(LOOK_EVERY);
        if clock::now() - looked_at < LOOK_SELDOM {
            continue;
        }
        looked_at = clock::now();
        let now = server.feed()?.journalled;
        if now > journalled {
            (journalled, last_news) = (now, looked_at);
        }
        ensure!(clock::now() - last_news < STUCK_AFTER * 4, "the server journals nothing any more");
    }
    let sent = sending.join().map_err(|_| anyhow::anyhow!("the sender broke"))?;
    journalled = await_journalled(&mut server, before.journalled + sent.distinct)?;
    let took = clock::now() - began;
    let window = opening.close()?;

    // Whatever is still on its way would make too many of them.
    std::thread::sleep(Duration::from_millis(500));
    let after = server.feed()?;
    let expected = before.journalled + sent.distinct;
    let is_complete = journalled == expected && after.journalled == expected && after.lost == 0;
    if !is_complete {
        eprintln!(
            "ingest: {} different events were sent; the server journalled {} and lost {}, with {} reconnects",
            sent.distinct,
            after.journalled - before.journalled,
            after.lost - before.lost,
            after.reconnects - before.reconnects,
        );
    }
    let duplicates = after.duplicates - before.duplicates;
    let data = server.stop()?;
    let database = Callboard::database(data.path());
    let rows = insert_raw(&database, first, repetitions(&sent), cores)?;
    let distinct_rows = insert_raw(&database, first, 0.0, cores)?;
    Ok(Round { sent, window, took, duplicates, is_complete, rows, distinct_rows })
}

/// Waits until so many events are journalled; gives the number that are when nothing more comes.
fn await_journalled(server: &mut Callboard, wanted: u64) -> anyhow::Result<u64> {
    let mut journalled = 0;
    let mut last_news = clock::now();
    loop {
        let now = server.feed()?.journalled;
        if now > journalled {
            (journalled, last_news) = (now, clock::now());
        }
        if journalled >= wanted || clock::now() - last_news > STUCK_AFTER {
            return Ok(journalled);
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Their share of what was sent.
fn repetitions(sent: &BlastReport) -> f64 {
    (sent.frames - sent.distinct) as f64 / sent.frames as f64
}

fn insert_raw(database: &Path, first: u64, repetitions: f64, cores: Cores) -> anyhow::Result<Inserted> {
    let mut command = rival::own_program()?;
    command.arg("insert-rows").arg(database).args([first.to_string(), repetitions.to_string()]);
    let output = cores.on_measured_core(|| command.output())?;
    ensure!(
        output.status.success(),
        "the raw inserts failed: {}",
        String::from_utf8_lossy(&output.stderr).trim_end()
    );
    serde_json::from_slice(&output.stdout).context("the raw inserts told nothing")
}

fn tell(report: &mut Report, rounds: &[Round]) {
    let of = |value: &dyn Fn(&Round) -> f64| Spread::of(rounds.iter().map(value));
    let cpu_share = of(&|round| round.window.cpu.as_secs_f64() / round.window.length.as_secs_f64() * 100.0);
    let foreign = of(&|round| round.window.foreign * 100.0);
    let distinct = |round: &Round| per_second(round.sent.distinct, round.took);
    let durable = Finding::new("ingest: events durable", "/s", of(&distinct));
    let conditions = format!(
        "synchronous FULL, one WebSocket, server on one core and {:.0} % of it used, others used {:.0} % of the \
         machine; {:.0} frames/s with the repetitions, {:.2} kB a frame",
        cpu_share.median,
        foreign.median,
        of(&|round| per_second(round.sent.frames, round.took)).median,
        of(&|round| round.sent.bytes as f64 / round.sent.frames as f64 / 1000.0).median,
    );
    report.add(durable.clone().goal(Goal::AtLeast(20_000.0)).note(conditions));
    let raw = format!("raw SQLite inserts, batches of {BATCH}");
    let again = rounds.iter().map(|round| round.rows.repeated).sum::<u64>();
    report.add(
        Finding { metric: "ingest: events durable beside raw inserts".to_owned(), ..durable.clone() }
            .beside("raw SQLite, batches of 2,000", of(&|round| round.rows.per_second()))
            .goal(Goal::RatioAtLeast(0.5))
            .note(format!("{raw}: the same rows, {again} of them repetitions, schema, unique key and FULL, on the same core")),
    );
    report.add(
        Finding { metric: "ingest: the same beside rows of which none comes again".to_owned(), ..durable }
            .beside("raw SQLite, batches of 2,000", of(&|round| round.distinct_rows.per_second())),
    );
    report.add(
        Finding::new(
            "ingest: CPU per event",
            "µs",
            of(&|round| round.window.cpu.as_secs_f64() * 1e6 / round.sent.distinct as f64),
        )
        .beside("raw SQLite", of(&|round| round.rows.cpu_seconds * 1e6 / round.rows.rows as f64)),
    );
    let complete = rounds.iter().filter(|round| round.is_complete).count();
    let repeated: u64 = rounds.iter().map(|round| round.sent.frames - round.sent.distinct).sum();
    let refused: u64 = rounds.iter().map(|round| round.duplicates).sum();
    report.add(
        Finding::new("ingest: rounds with parity", "", Spread::of([complete as f64]))
            .beside("rounds", Spread::of([rounds.len() as f64]))
            .goal(Goal::RatioAtLeast(1.0))
            .note(format!(
                "journalled equals different events sent; {repeated} repetitions sent, {refused} refused"
            )),
    );
}

fn per_second(count: u64, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}
