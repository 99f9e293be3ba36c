//! Who is who: queues and their members, as last read.
//!
//! A value, replaced as a whole. Resolving a name to a queue happens in `board`, which also
//! remembers the names a queue used to have.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    id::{ExtensionId, QueueId, UserId, ZoneName},
    service_level::ServiceLevelPolicy,
};

/// All queues known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    /// In any order, ids distinct.
    pub queues: Vec<DirectoryQueue>,
}

/// One queue as the directory knows it. Written down in notes of the past: what is added here needs a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryQueue {
    /// Identity of the queue.
    pub id: QueueId,
    /// Identity of its extension.
    pub extension_id: Option<ExtensionId>,
    /// Name to show.
    pub name: String,
    /// Extension number, decimal text.
    pub extension_number: Option<String>,
    /// Zone whose midnight begins this queue's day; `None` = the installation's zone.
    pub zone: Option<ZoneName>,
    /// `None` when the members could not be read.
    pub members: Option<Vec<Member>>,
    /// What it promises.
    #[serde(default)]
    pub policy: ServiceLevelPolicy,
    /// How long it leaves a member alone after a call; `None` when that is not known.
    pub wrap_up: Option<Duration>,
    /// After this long it sends a caller elsewhere; `None` when its settings were not read.
    pub max_wait: Option<Duration>,
}

/// A person or a shared phone that a queue rings. Written down like its queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The person, or the common area's id.
    pub id: UserId,
    /// Identity of the extension.
    pub extension_id: Option<ExtensionId>,
    /// Name to show.
    pub name: String,
    /// Opted in: this queue rings them.
    pub receives_calls: bool,
}

impl DirectoryQueue {
    /// True when `other` is the same queue with the same members in the same order, of whom others may take
    /// its calls: what changes all day long.
    pub fn is_same_crew(&self, other: &Self) -> bool {
        let Self { id, extension_id, name, extension_number, zone, members, policy, wrap_up, max_wait } =
            self;
        let same_members = match (members, &other.members) {
            (Some(ours), Some(theirs)) => {
                ours.len() == theirs.len()
                    && ours.iter().zip(theirs).all(|(ours, theirs)| ours.is_same(theirs))
            }
            (ours, theirs) => ours.is_none() && theirs.is_none(),
        };
        same_members
            && *id == other.id
            && *extension_id == other.extension_id
            && *name == other.name
            && *extension_number == other.extension_number
            && *zone == other.zone
            && *policy == other.policy
            && *wrap_up == other.wrap_up
            && *max_wait == other.max_wait
    }
}

impl Member {
    /// True but for whether the queue rings them.
    fn is_same(&self, other: &Self) -> bool {
        let Self { id, extension_id, name, receives_calls: _ } = self;
        *id == other.id && *extension_id == other.extension_id && *name == other.name
    }
}
