//! Debian's packages, for machines where nothing else can provide a tool.

use crate::{environment, process};
use anyhow::{Context as _, bail};
use std::process::Command;

/// Whether packages can be installed here without asking anybody.
pub(crate) fn usable() -> bool {
    environment::program("apt-get").is_some() && (is_root() || can_sudo())
}

/// The version apt would install; refreshes the package lists once when it knows none.
pub(crate) fn candidate(package: &str) -> Option<String> {
    known_candidate(package).or_else(|| {
        println!("    apt knows no `{package}` yet: refreshing its lists");
        process::run(as_root("apt-get").args(["update", "-qq"])).ok()?;
        known_candidate(package)
    })
}

/// Installs `packages` in one call, and never removes another one to do so.
pub(crate) fn install(packages: &[&str]) -> anyhow::Result<()> {
    for package in packages {
        if candidate(package).is_none() {
            bail!("apt has no package `{package}`");
        }
    }
    // The lock's time-out matters on fresh machines, which update themselves just when we come.
    process::run(
        as_root("apt-get")
            .args(["install", "--yes", "-qq", "--no-install-recommends", "--no-remove"])
            .args(["-o", "DPkg::Lock::Timeout=120"])
            .args(packages),
    )
    .with_context(|| format!("failed to install {}", packages.join(", ")))
}

fn known_candidate(package: &str) -> Option<String> {
    let policy = process::answer(Command::new("apt-cache").args(["policy", package]).env("LC_ALL", "C"))?;
    let line = policy.lines().find_map(|line| line.trim().strip_prefix("Candidate: "))?;
    (line != "(none)").then(|| line.to_owned())
}

fn as_root(program: &str) -> Command {
    let mut command = if is_root() {
        Command::new("env")
    } else {
        let mut command = Command::new("sudo");
        command.args(["-n", "env"]);
        command
    };
    command.args(["DEBIAN_FRONTEND=noninteractive", program]);
    command
}

fn is_root() -> bool {
    process::answer(Command::new("id").arg("-u")).as_deref() == Some("0")
}

fn can_sudo() -> bool {
    process::answer(Command::new("sudo").args(["-n", "true"])).is_some()
}
