//! `cargo xtask dist`: the one file that goes onto a server.

use crate::{bundle, process, stopwatch::Stopwatch, workspace};
use std::fs;

pub(crate) fn run() -> anyhow::Result<()> {
    let manifest = bundle::build(bundle::Arguments { release: true })?;
    manifest.print_sizes();
    manifest.check_budget()?;

    println!("==> Building the server for release; this takes some minutes");
    let clock = Stopwatch::start();
    process::run(process::cargo("build").args(["--release", "--package", "server", "--bin", "callboard"]))?;
    let binary = workspace::server_binary("release");
    let bytes = fs::metadata(&binary)?.len();
    println!("    Built in {clock}");
    println!("==> {} ({:.1} MB, browser side included)", binary.display(), bytes as f64 / 1e6);
    Ok(())
}
