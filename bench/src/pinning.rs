//! Which core does what: the measured process on one, everything that generates load on another.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The two cores of a run; the same one twice on a machine with a single core.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cores {
    /// For the process that is measured.
    pub(crate) measured: usize,
    /// For the pretend Zoom, the clients and this process.
    pub(crate) load: usize,
}

impl Cores {
    /// The first two cores this process may use.
    pub(crate) fn choose() -> anyhow::Result<Self> {
        let allowed = sched_getaffinity(None)?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
        let measured = cores.next().unwrap_or(0);
        Ok(Self { measured, load: cores.next().unwrap_or(measured) })
    }

    /// True when load and measured process do not share a core.
    pub(crate) fn are_apart(self) -> bool {
        self.measured != self.load
    }

    /// Puts this thread, and all it starts from now on, on the core for load.
    pub(crate) fn take_load_core(self) -> anyhow::Result<()> {
        pin(self.load)
    }

    /// Starts something on the measured core: a child keeps the core its parent's thread was on.
    pub(crate) fn on_measured_core<T>(self, start: impl FnOnce() -> std::io::Result<T>) -> anyhow::Result<T> {
        pin(self.measured)?;
        let started = start();
        pin(self.load)?;
        Ok(started?)
    }
}

fn pin(core: usize) -> anyhow::Result<()> {
    let mut only = CpuSet::new();
    only.set(core);
    Ok(sched_setaffinity(None, &only)?)
}
