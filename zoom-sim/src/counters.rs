//! What the pretend Zoom has done so far, in numbers.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        /// Running totals.
        #[derive(Debug, Default)]
        pub(crate) struct Counters { $(pub(crate) $name: AtomicU64),+ }

        /// The totals at one instant.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
        pub struct Totals { $($(#[$doc])* pub $name: u64),+ }

        impl Counters {
            pub(crate) fn totals(&self) -> Totals {
                Totals { $($name: self.$name.load(Ordering::Relaxed)),+ }
            }
        }
    };
}

counters! {
    /// Events that left the world, or were injected.
    events,
    /// Event frames handed to a connected socket, duplicates included.
    frames,
    /// Events for which no socket was connected, once per subscription.
    lost,
    /// Events that a fault took away.
    dropped,
    /// Events sent twice by a fault.
    duplicated,
    /// Events sent late by a fault.
    delayed,
    /// Heartbeats received.
    heartbeats,
    /// WebSocket connections accepted.
    connections,
    /// WebSocket connections refused.
    refused,
    /// Tokens given out.
    tokens,
    /// REST requests answered, errors included.
    rest,
    /// Paths of finished calls that were read over REST.
    call_paths,
    /// Webhook requests made, retries included.
    webhooks,
    /// Webhook events given up.
    webhooks_lost,
}

impl Counters {
    pub(crate) fn add(&self, which: impl FnOnce(&Self) -> &AtomicU64) {
        which(self).fetch_add(1, Ordering::Relaxed);
    }
}
