//! Automation of the workspace, run as `cargo xtask <command>`.
//!
//! Everything a newcomer or the build machine does beyond plain `cargo` lives here, as Rust.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "xtask talks to the person who runs it")]

mod apt;
mod bench;
mod browser;
mod bundle;
mod demo;
mod dist;
mod environment;
mod process;
mod stopwatch;
mod stylesheet;
mod test;
mod verify_truth;
mod wasm_toolchain;
mod workspace;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Builds, shows, tests and packs Callboard")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Build everything, start Callboard with pretend calls and open it in the browser.
    Demo(demo::Arguments),
    /// Install what the checks need and run all of them.
    Test(test::Arguments),
    /// Measure the release build beside the machine's own limits.
    Bench(bench::Arguments),
    /// Compare the board with what really happened over simulated days with loss and outages.
    VerifyTruth(verify_truth::Arguments),
    /// Build only the browser side into target/site, where the server picks it up.
    Bundle(bundle::Arguments),
    /// Build the release binary with the browser side inside.
    Dist,
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Test(arguments) => test::run(arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::VerifyTruth(arguments) => verify_truth::run(&arguments),
        Command::Bundle(arguments) => bundle::run(arguments),
        Command::Dist => dist::run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Not returned from main: a backtrace of xtask would bury the one line that helps.
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}
