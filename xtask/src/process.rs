//! Child processes: said before they run, judged after.

use crate::stopwatch::Stopwatch;
use anyhow::{Context as _, bail};
use std::{
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::Duration,
};

/// How often a child that may run too long is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Runs `command` with its output going straight to the terminal; anything but success is an error.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    println!("    $ {}", words(command));
    let status = command.status().with_context(|| format!("failed to start `{}`", words(command)))?;
    judge(command, status)
}

/// Like [`run`], but gives up and ends the child after `limit`.
pub(crate) fn run_within(command: &mut Command, limit: Duration) -> anyhow::Result<()> {
    println!("    $ {}", words(command));
    let clock = Stopwatch::start();
    let mut child = command.spawn().with_context(|| format!("failed to start `{}`", words(command)))?;
    loop {
        if let Some(status) = child.try_wait()? {
            return judge(command, status);
        }
        if clock.elapsed() > limit {
            end(&mut child);
            bail!("`{}` was not done after {} s", words(command), limit.as_secs());
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// What `command` prints, without the line end; `None` when it cannot start or fails.
pub(crate) fn answer(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = output.status.success().then(|| String::from_utf8(output.stdout).ok()).flatten()?;
    Some(text.trim_end().to_owned())
}

/// A command for cargo, as it was called to start xtask: the same toolchain and the same target folder.
pub(crate) fn cargo(subcommand: &str) -> Command {
    let cargo = crate::environment::variable("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.arg(subcommand).current_dir(crate::workspace::root());
    command
}

/// The command line as a person would type it; a full path is shortened to its last part.
fn words(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let mut words = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for argument in command.get_args() {
        words.push(' ');
        words.push_str(&argument.to_string_lossy());
    }
    words
}

fn judge(command: &Command, status: ExitStatus) -> anyhow::Result<()> {
    if !status.success() {
        bail!("`{}` ended with {status}", words(command));
    }
    Ok(())
}

fn end(child: &mut Child) {
    // Both can only fail when the child is gone already, which is what we want.
    child.kill().ok();
    child.wait().ok();
}
