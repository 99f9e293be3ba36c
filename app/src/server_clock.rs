//! The server's clock as a browser sees it: waits and freshness are judged by one clock only.

use domain::time::Timestamp;

/// The difference between the server's clock and this machine's, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerClock {
    offset: i64,
}

/// A step larger than this is a clock that was set, not a frame that was slow.
const SET_CLOCK: i64 = 2_000;

impl ServerClock {
    /// As far as the page that just came can tell.
    pub const fn new(local_millis: i64, as_of: Timestamp) -> Self {
        Self { offset: as_of.as_millis() - local_millis }
    }

    /// What the server's clock shows when this machine's shows `local_millis`.
    pub const fn now(&self, local_millis: i64) -> Timestamp {
        Timestamp::from_millis(local_millis + self.offset)
    }

    /// Learns from a frame that was made at `as_of` by the server's clock.
    ///
    /// Frames are late by their way and never early, so the greatest offset is the best; it gives
    /// way slowly, because clocks drift apart.
    pub const fn hear(&mut self, local_millis: i64, as_of: Timestamp) {
        let offset = as_of.as_millis() - local_millis;
        let step = offset - self.offset;
        if step >= 0 || step < -SET_CLOCK {
            self.offset = offset;
        } else {
            self.offset += step / 32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_frame_hardly_turns_the_clock_back() {
        let mut clock = ServerClock::new(0, Timestamp::from_millis(50_000));
        clock.hear(1_000, Timestamp::from_millis(50_360));
        assert_eq!(clock.now(1_000).as_millis(), 50_980);
        clock.hear(2_000, Timestamp::from_millis(52_010));
        assert_eq!(clock.now(2_000).as_millis(), 52_010);
    }

    #[test]
    fn a_clock_that_was_set_is_followed_at_once() {
        let mut clock = ServerClock::new(0, Timestamp::from_millis(50_000));
        clock.hear(3_600_000, Timestamp::from_millis(60_000));
        assert_eq!(clock.now(3_600_000).as_millis(), 60_000);
    }
}
