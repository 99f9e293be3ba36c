//! Identities as types, so that a queue's id is never taken for its extension's.
//!
//! All are opaque text, cheap to clone. Zoom's call ids are decimal text of 19 digits, beyond what
//! a float can hold: they are never numbers here.

use std::{
    cmp::Ordering,
    collections::{HashMap, HashSet},
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Things by their ids.
pub(crate) type IdMap<K, V> = HashMap<K, V, foldhash::fast::RandomState>;
/// Ids.
pub(crate) type IdSet<K> = HashSet<K, foldhash::fast::RandomState>;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Eq)]
        pub struct $name(Arc<str>);

        // Most ids that are compared are copies of one another: their text need not be read.
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
            }
        }

        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.0.hash(state);
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                if Arc::ptr_eq(&self.0, &other.0) { Ordering::Equal } else { self.0.cmp(&other.0) }
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl $name {
            /// Wraps the text as it came.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The text as it came.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(Self::new)
            }
        }
    };
}

text_id! {
    /// One call, shared by all its legs.
    CallId
}
text_id! {
    /// A call queue. A queue that is known only by what a call says of it has an id that starts
    /// with `unresolved:` until the directory names it.
    QueueId
}
text_id! {
    /// An extension of any kind: a user's, a queue's, an auto receptionist's. Not the id of the
    /// user or queue itself.
    ExtensionId
}
text_id! {
    /// A person of the account.
    UserId
}
text_id! {
    /// What was written down of one call: the same however often it is read.
    RecordId
}
text_id! {
    /// One installation of a client, or one desk phone.
    DeviceId
}
text_id! {
    /// One leg, where the source names it.
    ChannelId
}
text_id! {
    /// An IANA time zone, such as `Europe/Berlin`. Checked where it enters.
    ZoneName
}

impl QueueId {
    /// True for a queue that only calls have named so far; see [`QueueId`].
    pub fn is_unresolved(&self) -> bool {
        self.0.starts_with("unresolved:")
    }
}

/// Names of queues are compared without regard to case and space.
pub(crate) fn fold_name(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}
