//! A rival of the server: this same program, started as a child with a hidden subcommand.

use std::{
    ffi::OsStr,
    io::{BufRead as _, BufReader, Write as _},
    net::SocketAddr,
    process::{Child, ChildStdin, Command, Stdio},
};

use anyhow::Context as _;

use crate::pinning::Cores;

/// A rival that listens for connections.
#[derive(Debug)]
pub(crate) struct Rival {
    child: Child,
    orders: Option<ChildStdin>,
    pub(crate) address: SocketAddr,
}

impl Rival {
    /// Starts the rival on the core of the measured process.
    pub(crate) fn start<A: AsRef<OsStr>>(
        cores: Cores,
        arguments: impl IntoIterator<Item = A>,
    ) -> anyhow::Result<Self> {
        let mut command = own_program()?;
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = cores.on_measured_core(|| command.spawn())?;
        let orders = child.stdin.take();
        let output = child.stdout.take().context("the rival has no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let address =
            line.split("http://").nth(1).and_then(|rest| rest.trim_end().trim_end_matches('/').parse().ok());
        // Held from here on, so that it is ended whatever happens.
        let mut rival = Self { child, orders, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        rival.address = address.with_context(|| format!("the rival did not start: {line}"))?;
        Ok(rival)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn order(&mut self, order: &str) -> anyhow::Result<()> {
        let orders = self.orders.as_mut().context("the rival takes no orders")?;
        writeln!(orders, "{order}")?;
        Ok(orders.flush()?)
    }
}

impl Drop for Rival {
    fn drop(&mut self) {
        // Both can only fail when it is gone already, which is what we want.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// This program, to be started again.
pub(crate) fn own_program() -> anyhow::Result<Command> {
    Ok(Command::new(std::env::current_exe().context("the own program is not known")?))
}
