//! The order in which requests of one kind go out: never more than so many in any window of time, the
//! most urgent first.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    select,
    sync::Notify,
    time::{Instant, sleep_until},
};

use super::budget::Priority;

/// The longest pause that a request waits for by itself; its caller knows better what to do in a longer
/// one.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Gate {
    most: usize,
    within: Duration,
    state: Mutex<State>,
    /// Somebody went through or gave up.
    moved: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// When the last requests went out, at most `most` of them.
    sent: VecDeque<Instant>,
    paused_until: Option<Instant>,
    /// By priority.
    waiting: [usize; Priority::COUNT],
}

/// Somebody who waits; counted until it goes through or gives up.
struct Place<'a> {
    gate: &'a Gate,
    priority: Priority,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.gate.lock().waiting[self.priority as usize] -= 1;
        self.gate.moved.notify_waiters();
    }
}

impl Gate {
    /// Lets `most` requests through in any `within`. An average with a burst would let through nearly
    /// twice as many in the first window.
    pub(super) fn new((most, within): (u32, Duration)) -> Self {
        Self { most: most as usize, within, state: Mutex::default(), moved: Notify::new() }
    }

    /// Waits for a turn; an error tells how long the gate stays closed, when that is too long to wait.
    pub(super) async fn pass(&self, priority: Priority) -> Result<(), Duration> {
        self.lock().waiting[priority as usize] += 1;
        let _place = Place { gate: self, priority };
        loop {
            let moved = self.moved.notified();
            let mut moved = std::pin::pin!(moved);
            // What happens from here on wakes us.
            moved.as_mut().enable();
            let now = Instant::now();
            let ready_at = {
                let mut state = self.lock();
                let more_urgent = &state.waiting[..priority as usize];
                let is_next = more_urgent.iter().all(|waiting| *waiting == 0);
                let ready_at = state.ready_at(self.most, self.within);
                match ready_at.filter(|ready_at| *ready_at > now) {
                    None if is_next => {
                        state.sent.push_back(now);
                        if state.sent.len() > self.most {
                            state.sent.pop_front();
                        }
                        return Ok(());
                    }
                    Some(ready_at) if ready_at > now + LONGEST_PAUSE.max(self.within) => {
                        return Err(ready_at - now);
                    }
                    ready_at => ready_at.filter(|_| is_next),
                }
            };
            match ready_at {
                Some(ready_at) => select! {
                    () = sleep_until(ready_at) => {}
                    () = moved => {}
                },
                None => moved.await,
            }
        }
    }

    /// Nothing goes through until then, or until what was said before.
    pub(super) fn pause(&self, until: Instant) {
        let mut state = self.lock();
        state.paused_until = state.paused_until.max(Some(until));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// When the next request may go out.
    fn ready_at(&self, most: usize, within: Duration) -> Option<Instant> {
        let is_full = self.sent.len() >= most;
        let free_at = self.sent.front().filter(|_| is_full).map(|oldest| *oldest + within);
        free_at.max(self.paused_until)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::future::join_all;
    use tokio::{sync::mpsc, task::yield_now};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn no_window_of_time_holds_more_than_the_limit() {
        let gate = Gate::new((3, SECOND));
        let went = join_all((0..10).map(|_| async {
            gate.pass(Priority::LookUp).await.expect("no pause");
            Instant::now()
        }));
        let mut went = went.await;
        went.sort();
        for (earlier, later) in went.iter().zip(&went[3..]) {
            assert!(*later - *earlier >= SECOND, "four within {:?}", *later - *earlier);
        }
        assert!(went[9] - went[0] < 4 * SECOND, "and none waits longer than it must");
    }

    #[tokio::test(start_paused = true)]
    async fn the_most_urgent_goes_first_whoever_came_first() {
        let gate = Arc::new(Gate::new((1, SECOND)));
        gate.pass(Priority::Repair).await.expect("no pause");
        let (told, mut order) = mpsc::channel(9);
        let priorities = [Priority::Periodic, Priority::LookUp, Priority::Repair];
        let waiting = priorities.into_iter().cycle().take(9).map(|priority| {
            let (gate, told) = (Arc::clone(&gate), told.clone());
            async move {
                gate.pass(priority).await.expect("no pause");
                told.send(priority).await.expect("the test listens");
            }
        });
        join_all(waiting).await;
        drop(told);
        let mut went = Vec::new();
        while let Some(priority) = order.recv().await {
            went.push(priority as usize);
        }
        assert_eq!(went, [0, 0, 0, 1, 1, 1, 2, 2, 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_holds_up_nobody() {
        let gate = Gate::new((1, SECOND));
        gate.pass(Priority::Repair).await.expect("no pause");
        let (mut urgent, mut patient) =
            (Box::pin(gate.pass(Priority::Repair)), Box::pin(gate.pass(Priority::Periodic)));
        select! { biased;
            _ = &mut urgent => panic!("there is no turn yet"),
            _ = &mut patient => panic!("there is no turn yet"),
            () = yield_now() => {}
        }
        drop(urgent);
        assert_eq!(patient.await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_is_for_all_and_a_long_one_is_told() {
        let gate = Gate::new((5, SECOND));
        let began = Instant::now();
        gate.pause(began + 7 * SECOND);
        gate.pause(began + 2 * SECOND);
        gate.pass(Priority::Repair).await.expect("a short pause");
        assert_eq!(began.elapsed().as_secs(), 7);
        gate.pause(Instant::now() + 200 * SECOND);
        assert_eq!(gate.pass(Priority::Repair).await, Err(200 * SECOND));
    }
}
