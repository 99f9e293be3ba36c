//! The one clock of all measurements: the kernel's monotonic one, which every process of the run shares.

use std::{thread, time::Duration};

use rustix::time::{ClockId, Timespec, clock_gettime};

/// The time since the machine started.
pub(crate) fn now() -> Duration {
    duration(clock_gettime(ClockId::Monotonic))
}

/// The wall clock, as the time since 1970; only for what is told to people and put into events.
pub(crate) fn wall() -> Duration {
    duration(clock_gettime(ClockId::Realtime))
}

/// Sleeps until `at`; returns at once when that has passed.
pub(crate) fn sleep_until(at: Duration) {
    thread::sleep(at.saturating_sub(now()));
}

fn duration(time: Timespec) -> Duration {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}
