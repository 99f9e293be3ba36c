//! Leaves an API alone that fails again and again: it has trouble enough.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Failures in a row after which nothing is asked for a while.
const FAILURES: u32 = 5;
/// The first while; doubles with each request that fails after it.
const FIRST_REST: Duration = Duration::from_secs(15);
/// The longest.
const LONGEST_REST: Duration = Duration::from_secs(5 * 60);

#[derive(Debug, Default)]
pub(super) struct Breaker {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    resting_until: Option<Instant>,
}

impl Breaker {
    /// How long nothing is asked, if so.
    pub(super) fn resting(&self) -> Result<(), Duration> {
        let rest = self.lock().resting_until.map(|until| until - Instant::now());
        rest.filter(|rest| !rest.is_zero()).map_or(Ok(()), Err)
    }

    /// Whether a request may go out; an error tells how long not. After a rest one request tries
    /// whether the API is back, and the others go on resting until it has its answer.
    pub(super) fn admit(&self) -> Result<(), Duration> {
        let mut state = self.lock();
        let now = Instant::now();
        let Some(until) = state.resting_until else { return Ok(()) };
        if until > now {
            return Err(until - now);
        }
        state.resting_until = Some(now + rest_after(state.failures));
        Ok(())
    }

    /// The API answered, if only that it does not want to.
    pub(super) fn answered(&self) {
        *self.lock() = State::default();
    }

    /// The API did not answer, or with an error of its own.
    pub(super) fn failed(&self) {
        let mut state = self.lock();
        state.failures += 1;
        if state.failures >= FAILURES {
            state.resting_until = Some(Instant::now() + rest_after(state.failures));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn rest_after(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(FAILURES).min(10);
    (FIRST_REST * 2_u32.pow(doublings)).min(LONGEST_REST)
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn after_five_failures_only_one_request_at_a_time_tries() {
        let breaker = Breaker::default();
        for _ in 0..FAILURES {
            assert_eq!(breaker.admit(), Ok(()));
            breaker.failed();
        }
        for rest in [15, 30, 60, 120, 240, 300, 300] {
            let rest = Duration::from_secs(rest);
            assert_eq!(breaker.admit(), Err(rest));
            advance(rest).await;
            assert_eq!(breaker.admit(), Ok(()), "one tries");
            assert!(breaker.admit().is_err(), "and no other");
            breaker.failed();
        }
        advance(LONGEST_REST).await;
        assert_eq!(breaker.admit(), Ok(()));
        breaker.answered();
        assert_eq!((breaker.admit(), breaker.admit()), (Ok(()), Ok(())));
    }

    #[tokio::test(start_paused = true)]
    async fn failures_between_answers_are_no_reason() {
        let breaker = Breaker::default();
        for _ in 0..20 {
            breaker.failed();
            assert_eq!(breaker.admit(), Ok(()));
            breaker.answered();
        }
    }
}
