//! `cargo xtask test`: every check there is, in the order in which they are most likely to complain.

use crate::{
    apt, browser, bundle, environment, process, stopwatch::Stopwatch, wasm_toolchain::WasmToolchain,
    workspace,
};
use anyhow::bail;
use clap::Args;
use std::time::Duration;

#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Arguments {
    /// Run the remaining checks after one has failed.
    #[arg(long)]
    keep_going: bool,
}

struct Step {
    name: &'static str,
    check: fn() -> anyhow::Result<()>,
}

const STEPS: [Step; 9] = [
    Step { name: "formatting", check: formatting },
    Step { name: "lints of the server side", check: server_lints },
    Step { name: "tests", check: tests },
    Step { name: "documentation and its examples", check: documentation },
    Step { name: "toolchain for the browser side", check: wasm_toolchain },
    Step { name: "lints of the browser side", check: browser_lints },
    Step { name: "release bundle within its budget", check: release_bundle },
    Step { name: "tools of the browser tests", check: browser_tools },
    Step { name: "browser tests", check: browser_tests },
];

/// How one step went.
struct Outcome {
    name: &'static str,
    took: Duration,
    failure: Option<anyhow::Error>,
}

pub(crate) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let clock = Stopwatch::start();
    let mut outcomes = Vec::new();
    for (number, step) in (1..).zip(&STEPS) {
        println!("\n==> [{number}/{}] {}", STEPS.len(), step.name);
        let step_clock = Stopwatch::start();
        let failure = (step.check)().err();
        if let Some(error) = &failure {
            println!("    FAILED: {error:#}");
        }
        let failed = failure.is_some();
        outcomes.push(Outcome { name: step.name, took: step_clock.elapsed(), failure });
        if failed && !arguments.keep_going {
            break;
        }
    }

    println!("\n==> All checks, {clock}");
    for outcome in &outcomes {
        let word = if outcome.failure.is_some() { "FAILED" } else { "ok" };
        println!("    {word:<6} {:>6.1} s  {}", outcome.took.as_secs_f64(), outcome.name);
    }
    for step in STEPS.iter().skip(outcomes.len()) {
        println!("    not run           {}", step.name);
    }
    let failures: Vec<&str> =
        outcomes.iter().filter(|outcome| outcome.failure.is_some()).map(|outcome| outcome.name).collect();
    if !failures.is_empty() {
        bail!("failed: {}", failures.join(", "));
    }
    Ok(())
}

fn formatting() -> anyhow::Result<()> {
    process::run(process::cargo("fmt").args(["--all", "--check"]))
}

fn server_lints() -> anyhow::Result<()> {
    process::run(process::cargo("clippy").args(["--all-targets", "--", "-D", "warnings"]))
}

fn tests() -> anyhow::Result<()> {
    let mut tests = if environment::program("cargo-nextest").is_some() {
        let mut nextest = process::cargo("nextest");
        nextest.args(["run", "--no-fail-fast"]);
        nextest
    } else {
        let mut test = process::cargo("test");
        test.args(["--lib", "--bins", "--tests", "--no-fail-fast"]);
        test
    };
    process::run(&mut tests)
}

fn documentation() -> anyhow::Result<()> {
    process::run(
        process::cargo("doc")
            .args(["--no-deps", "--document-private-items", "--quiet"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )?;
    // nextest cannot run the examples in documentation.
    process::run(process::cargo("test").args(["--doc", "--quiet"]))
}

fn wasm_toolchain() -> anyhow::Result<()> {
    let toolchain = WasmToolchain::find_or_install()?;
    if toolchain.clippy().is_none() && toolchain.is_debian() && apt::usable() {
        apt::install(&["rust-web-clippy"])?;
    }
    println!("    {}", toolchain.description());
    Ok(())
}

fn browser_lints() -> anyhow::Result<()> {
    let toolchain = WasmToolchain::find_or_install()?;
    match toolchain.clippy() {
        Some(mut clippy) => process::run(clippy.args(["--package", "frontend", "--", "-D", "warnings"])),
        None => {
            println!("    This toolchain has no clippy: checking the same code for this machine instead");
            let target = workspace::target().join("wasm");
            process::run(
                process::cargo("clippy")
                    .args(["--package", "frontend", "--target-dir"])
                    .arg(target)
                    .args(["--", "-D", "warnings"]),
            )
        }
    }
}

fn release_bundle() -> anyhow::Result<()> {
    let manifest = bundle::build(bundle::Arguments { release: true })?;
    manifest.print_sizes();
    manifest.check_budget()
}

fn browser_tools() -> anyhow::Result<()> {
    let chromium = browser::for_tests()?;
    println!("    {}", chromium.display());
    if environment::program("npm").is_none() {
        if !apt::usable() {
            bail!("the browser tests need Node.js 20 or newer with npm; install it and run this again");
        }
        apt::install(&["nodejs", "npm"])?;
    }
    let mut install = std::process::Command::new("npm");
    install
        .args(["ci", "--no-audit", "--no-fund", "--loglevel", "error"])
        .current_dir(workspace::root().join("end2end"));
    process::run(&mut install)
}

fn browser_tests() -> anyhow::Result<()> {
    // The binary that the demo starts, not the tests' own, which is built with paused time and the like.
    process::run(process::cargo("build").args(["--bin", "callboard"]))?;
    let mut run = std::process::Command::new("npx");
    run.args(["--no-install", "playwright", "test"])
        .current_dir(workspace::root().join("end2end"))
        .env("CHROMIUM", browser::for_tests()?)
        .env("CALLBOARD_BINARY", workspace::server_binary("debug"));
    process::run(&mut run)
}
