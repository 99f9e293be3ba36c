//! Identical requests that are under way at the same time are one request.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;
use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared, WeakShared},
};

use super::{RestError, budget::Priority};

/// What a request brings home.
pub(super) type Answer = Result<Bytes, RestError>;
type Flight = Shared<BoxFuture<'static, Answer>>;
/// It ends with the last who waits for it.
type Departed = WeakShared<BoxFuture<'static, Answer>>;

/// Entries after which those that have ended are looked for.
const TIDIED_AT: usize = 64;

/// The requests under way, by their address.
#[derive(Debug, Default)]
pub(super) struct Flights {
    under_way: Mutex<HashMap<String, (Priority, Departed)>>,
}

impl Flights {
    /// Joins the request of that address, or starts one. One that is less urgent is not joined: it may
    /// wait behind others for long.
    pub(super) fn join(
        &self,
        address: &str,
        priority: Priority,
        start: impl FnOnce() -> BoxFuture<'static, Answer>,
    ) -> Flight {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let is_under_way = |flight: &Flight| flight.peek().is_none();
        let joined = under_way
            .get(address)
            .filter(|(its_priority, _)| *its_priority <= priority)
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
            under_way.insert(address.to_owned(), (priority, weak));
        }
        flight
    }
}
