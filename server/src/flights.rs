//! Who asks for what is under way already waits for the one answer, instead of causing the same work again.

use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    sync::{Mutex, PoisonError},
};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared, WeakShared},
};

/// Work under way, which ends with the last who waits for it.
pub(crate) type Flight<Answer> = Shared<BoxFuture<'static, Answer>>;

/// Entries after which those that have ended are looked for.
const TIDIED_AT: usize = 64;

/// What is under way, by what was asked for and how urgent it is: the lesser, the more urgent.
pub(crate) struct Flights<Asked, Urgency, Answer: Clone> {
    under_way: Mutex<UnderWay<Asked, Urgency, Answer>>,
}

type UnderWay<Asked, Urgency, Answer> = HashMap<Asked, (Urgency, WeakShared<BoxFuture<'static, Answer>>)>;

impl<Asked: Eq + Hash, Urgency: Ord, Answer: Clone> Flights<Asked, Urgency, Answer> {
    /// Joins what is under way of that, or starts it. What is less urgent is not joined: it may wait behind
    /// others for long.
    pub(crate) fn join(
        &self,
        asked: Asked,
        urgency: Urgency,
        start: impl FnOnce() -> BoxFuture<'static, Answer>,
    ) -> Flight<Answer> {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let is_under_way = |flight: &Flight<Answer>| flight.peek().is_none();
        let joined = under_way
            .get(&asked)
            .filter(|(its_urgency, _)| *its_urgency <= urgency)
            .and_then(|(_, flight)| flight.upgrade())
            .filter(is_under_way);
        if let Some(flight) = joined {
            return flight;
        }
        if under_way.len() >= TIDIED_AT {
            under_way.retain(|_, (_, flight)| flight.upgrade().is_some_and(|flight| is_under_way(&flight)));
        }
        let flight = start().shared();
        if let Some(weak) = flight.downgrade() {
            under_way.insert(asked, (urgency, weak));
        }
        flight
    }
}

// Derived, these would ask the same of what is in them.
impl<Asked, Urgency, Answer: Clone> Default for Flights<Asked, Urgency, Answer> {
    fn default() -> Self {
        Self { under_way: Mutex::default() }
    }
}

impl<Asked, Urgency, Answer: Clone> fmt::Debug for Flights<Asked, Urgency, Answer> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Flights").finish_non_exhaustive()
    }
}
