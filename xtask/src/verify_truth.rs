//! `cargo xtask verify-truth`: simulated days over a bad line, the board beside the truth.

use crate::process;
use clap::Args;

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Days to simulate.
    #[arg(long, default_value_t = 30)]
    days: u32,
    /// The same seed makes the same days and the same faults.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// More arguments for the program, such as `--perfect-line` or `--small`.
    #[arg(last = true)]
    more: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut verify = process::cargo("run");
    verify.args(["--release", "--quiet", "--package", "verify", "--"]);
    verify.arg("--days").arg(arguments.days.to_string()).arg("--seed").arg(arguments.seed.to_string());
    process::run(verify.args(&arguments.more))
}
