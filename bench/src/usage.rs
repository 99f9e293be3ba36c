//! What a process has used, as the kernel counts it in `/proc`.

use std::{collections::HashMap, fs, time::Duration};

use anyhow::Context as _;

/// Processor time of a process, all its threads together, those that ended included.
///
/// The kernel scales it to the scheduler's exact sum, so it is off by one tick (10 ms) at most.
pub(crate) fn cpu_of(pid: u32) -> anyhow::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("the measured process is gone")?;
    // The name in parentheses may hold blanks; the numbers follow it.
    let numbers = stat.rsplit_once(')').map_or("", |(_, numbers)| numbers);
    let ticks: u64 =
        numbers.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap_or(0)).sum();
    Ok(ticks_to_time(ticks))
}

/// Threads of the server on which nobody waits: they tell the past again for the next snapshot, some of them every
/// minute, for half a second each.
const UPKEEP: &str = "past";

/// Processor time of each thread of a process that serves somebody.
fn cpu_of_threads(pid: u32) -> anyhow::Result<HashMap<String, Duration>> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).context("the measured process is gone")?;
    let mut times = HashMap::new();
    for thread in threads.flatten() {
        // A thread may end meanwhile.
        let name = fs::read_to_string(thread.path().join("comm")).unwrap_or_default();
        let stat = fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
        let nanoseconds = stat.split_whitespace().next().and_then(|number| number.parse().ok());
        if let Some(nanoseconds) = nanoseconds.filter(|_| name.trim_end() != UPKEEP) {
            times
                .insert(thread.file_name().to_string_lossy().into_owned(), Duration::from_nanos(nanoseconds));
        }
    }
    Ok(times)
}

/// Memory of a process in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Memory {
    /// Resident pages.
    pub(crate) resident: u64,
    /// Resident pages, those shared with others counted by share.
    pub(crate) proportional: u64,
}

impl Memory {
    pub(crate) fn of(pid: u32) -> anyhow::Result<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))
            .context("the memory of the measured process cannot be read")?;
        let bytes = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("");
            line.split_whitespace().next().and_then(|number| number.parse::<u64>().ok()).unwrap_or(0) * 1024
        };
        Ok(Self { resident: bytes("Rss:"), proportional: bytes("Pss:") })
    }
}

/// Processor time of the whole machine spent on anything but idling.
pub(crate) fn cpu_of_machine() -> Duration {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let all = stat.lines().next().unwrap_or("");
    let ticks = all
        .split_whitespace()
        .skip(1)
        .take(8)
        .enumerate()
        // The fourth and fifth are idling and waiting for a disk.
        .filter(|(column, _)| !matches!(column, 3 | 4))
        .map(|(_, ticks)| ticks.parse::<u64>().unwrap_or(0))
        .sum();
    ticks_to_time(ticks)
}

fn ticks_to_time(ticks: u64) -> Duration {
    Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// What happened on the machine during a measurement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    /// Its length.
    pub(crate) length: Duration,
    /// Processor time of the measured process.
    pub(crate) cpu: Duration,
    /// The same without threads on which nobody waits.
    pub(crate) serving: Duration,
    /// Share of the machine that neither the measured process nor this one used, 0–1.
    pub(crate) foreign: f64,
}

/// Begins a [`Window`].
#[derive(Debug)]
pub(crate) struct Opening {
    pid: u32,
    at: Duration,
    measured: Duration,
    threads: HashMap<String, Duration>,
    own: Duration,
    machine: Duration,
}

impl Opening {
    pub(crate) fn of(pid: u32) -> anyhow::Result<Self> {
        let own = cpu_of(std::process::id())?;
        let at = crate::clock::now();
        let threads = cpu_of_threads(pid)?;
        Ok(Self { pid, at, measured: cpu_of(pid)?, threads, own, machine: cpu_of_machine() })
    }

    pub(crate) fn close(&self) -> anyhow::Result<Window> {
        let now = Self::of(self.pid)?;
        let length = now.at - self.at;
        let cpu = now.measured.saturating_sub(self.measured);
        let used = |(thread, now): (&String, &Duration)| {
            now.saturating_sub(self.threads.get(thread).copied().unwrap_or_default())
        };
        let serving = now.threads.iter().map(used).sum();
        let known = cpu + now.own.saturating_sub(self.own);
        let foreign = now.machine.saturating_sub(self.machine).saturating_sub(known).as_secs_f64();
        let cores = crate::machine::cores();
        Ok(Window { length, cpu, serving, foreign: foreign / length.as_secs_f64() / cores as f64 })
    }
}
