//! Side-by-side measurements, run by `cargo xtask bench`.
//!
//! Every claim is a ratio to the machine's own limit, measured in the same run: each workload starts
//! the release server and its rival in turns, as children on a core of their own, and loads them from
//! another. Nothing leaves the loopback interface. A missed goal is printed, never an error.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it talks to the person who runs it")]

mod live;

mod ingest;

mod page;

mod rules;

mod past;

mod account;
mod callboard;
mod rival;
mod viewers;

mod hand_written_page;
mod insert_rows;
mod recording;
mod write_loop;

mod clock;
mod event_stream;
mod machine;
mod pinning;
mod report;
mod requests;
mod spread;
mod usage;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::{callboard::Places, hand_written_page::Way, machine::Machine, pinning::Cores, report::Report};

#[derive(Debug, Parser)]
#[command(args_conflicts_with_subcommands = true)]
#[command(about = "Measures Callboard beside the machine's own limits")]
struct Arguments {
    /// What to measure.
    #[arg(value_enum, default_value_t = Workload::All)]
    workload: Workload,
    /// One short round of each instead of three long ones.
    #[arg(long)]
    quick: bool,
    /// The server's release binary.
    #[arg(long, default_value = "target/release/callboard")]
    server: PathBuf,
    /// A folder for databases, on a real disk.
    #[arg(long, default_value = "target/bench")]
    scratch: PathBuf,
    #[command(subcommand)]
    rival: Option<RivalCommand>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Workload {
    /// Events to thousands of live streams.
    Live,
    /// Events into the journal.
    Ingest,
    /// Pages, and what a first visit downloads.
    Page,
    /// The rules alone.
    Domain,
    /// The board of any instant, and what a packed event takes.
    Past,
    /// All of them.
    All,
}

/// What this program does as a child of itself.
#[derive(Debug, Subcommand)]
#[command(hide = true)]
enum RivalCommand {
    /// Sends recorded frames to whoever connects.
    #[command(hide = true)]
    WriteLoop { frames: PathBuf },
    /// Inserts a journal's rows once more.
    #[command(hide = true)]
    InsertRows { database: PathBuf, skipped: u64, repetitions: f64 },
    /// Answers a recorded page.
    #[command(hide = true)]
    HandWrittenPage {
        page: PathBuf,
        #[arg(value_enum)]
        way: Way,
    },
}

/// The server's own: what is measured of the rules in this process is measured with it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    match arguments.rival {
        Some(RivalCommand::WriteLoop { frames }) => write_loop::run(&frames),
        Some(RivalCommand::InsertRows { database, skipped, repetitions }) => {
            insert_rows::run(&database, skipped, repetitions)
        }
        Some(RivalCommand::HandWrittenPage { page, way }) => hand_written_page::run(&page, way),
        None => measure(&arguments),
    }
}

fn measure(arguments: &Arguments) -> anyhow::Result<()> {
    let cores = Cores::choose()?;
    cores.take_load_core()?;
    let places = Places { server: arguments.server.clone(), scratch: arguments.scratch.clone() };
    std::fs::create_dir_all(&places.scratch)?;
    let mut report = Report::new(Machine::look(), arguments.quick);
    if cores.are_apart() {
        eprintln!("the measured process on core {}, all load on core {}", cores.measured, cores.load);
    } else {
        eprintln!("only one core: the load takes time from what is measured");
    }
    let wants = |workload| arguments.workload == workload || arguments.workload == Workload::All;
    if wants(Workload::Live) {
        live::run(&mut report, &places, cores, arguments.quick)?;
    }
    if wants(Workload::Ingest) {
        ingest::run(&mut report, &places, cores, arguments.quick)?;
    }
    if wants(Workload::Page) {
        page::run(&mut report, &places, cores, arguments.quick)?;
    }
    if wants(Workload::Domain) {
        rules::run(&mut report, arguments.quick);
    }
    if wants(Workload::Past) {
        past::run(&mut report, &places, cores, arguments.quick)?;
    }
    report.print();
    Ok(())
}
