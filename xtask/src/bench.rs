//! `cargo xtask bench`: the release server beside the machine's own limits, in one run.

use crate::{bundle, process, stopwatch::Stopwatch, workspace};
use clap::Args;
use std::process::Command;

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// `live`, `ingest`, `page`, `domain`, `past` or `all`.
    #[arg(default_value = "all", value_parser = ["live", "ingest", "page", "domain", "past", "all"])]
    workload: String,
    /// One short round of each: a minute or so, and less to be relied on.
    #[arg(long)]
    quick: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    // Sizes and pages are only true with the browser side that is shipped.
    bundle::build(bundle::Arguments { release: true })?;

    println!("==> Building the server and the benchmarks for release; the first time takes some minutes");
    let clock = Stopwatch::start();
    let packages = ["--package", "server", "--package", "bench", "--bin", "callboard", "--bin", "bench"];
    process::run(process::cargo("build").arg("--release").args(packages))?;
    println!("    Built in {clock}");

    println!("==> Measuring; leave the machine alone until it is done");
    let server = workspace::server_binary("release");
    let program = server.with_file_name(format!("bench{}", std::env::consts::EXE_SUFFIX));
    let mut bench = Command::new(program);
    bench.arg(&arguments.workload).arg("--server").arg(&server);
    bench.arg("--scratch").arg(workspace::target().join("bench"));
    if arguments.quick {
        bench.arg("--quick");
    }
    process::run(bench.current_dir(workspace::root()))
}
