//! `cargo xtask verify-truth`: runs simulated days over a bad line and prints how right the board was.

use anyhow::bail;
use clap::Parser;
use verify::{
    line::Faults,
    run::{Account, Plan, run},
};

#[derive(Debug, Parser)]
#[command(about = "Compares the board with what really happened, second by second, over simulated days")]
struct Arguments {
    /// Days to simulate.
    #[arg(long, default_value_t = 30)]
    days: u32,
    /// The same seed makes the same days and the same faults.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Without loss, repetition, delay and outages.
    #[arg(long)]
    perfect_line: bool,
    /// Only the days as they are live: without reconciling every call with Zoom's record in a second run.
    #[arg(long)]
    live_only: bool,
    /// Two queues and five people instead of an office.
    #[arg(long)]
    small: bool,
}

#[expect(clippy::print_stdout, reason = "the report is what the program is for")]
fn main() -> anyhow::Result<()> {
    let Arguments { days, seed, perfect_line, live_only, small } = Arguments::parse();
    let faults = if perfect_line { Faults::NONE } else { Faults::BAD };
    let account = if small { Account::Small } else { Account::Office };
    let live = Plan { account, days, seed, faults, reconciled: false };
    println!("as it is live, second by second:");
    check(live)?;
    if !live_only {
        println!("\nreconciled with the record, call by call:");
        check(Plan { reconciled: true, ..live })?;
    }
    let short = Plan { days: days.min(2), ..live };
    let (again, first) = (run(short), run(short));
    if again != first {
        bail!("the same seed made another board the second time");
    }
    println!("\nthe same seed twice: the same boards");
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the report is what the program is for")]
fn check(plan: Plan) -> anyhow::Result<()> {
    let report = run(plan);
    println!("{report}");
    match (report.wrong(), report.unexplained().unwrap_or(0)) {
        (0, 0) => Ok(()),
        (0, unexplained) => bail!("{unexplained} differences from the record are unexplained"),
        (wrong, _) => bail!("{wrong} figures were wrong"),
    }
}
