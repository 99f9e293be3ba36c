//! What a token may read.

use std::collections::BTreeSet;

/// The scopes the pretend app holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Scopes {
    /// Every scope the simulator knows of.
    #[default]
    All,
    /// These, granular or classic.
    Only(BTreeSet<String>),
}

/// The scopes of one operation: any one of them is enough.
pub(crate) type Needed = &'static [&'static str];

/// Granular scopes of every operation the simulator offers, as a token lists them.
const ALL: &str = "phone:read:call:admin phone:read:conference:admin phone:read:list_call_logs:admin \
    phone:read:call_log:admin phone:read:list_call_queues:admin phone:read:call_queue:admin \
    phone:read:list_call_queue_members:admin \
    phone:read:call_queue_call_handling_setting:admin phone:read:list_users:admin phone:read:user:admin \
    phone:read:list_auto_receptionists:admin phone:read:list_sites:admin user:read:list_users:admin \
    user:read:user:admin user:read:presence_status:admin";

impl Scopes {
    /// Holds just these.
    pub fn only<'a>(scopes: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Only(scopes.into_iter().map(str::to_owned).collect())
    }

    pub(crate) fn allow(&self, needed: Needed) -> bool {
        match self {
            Self::All => true,
            Self::Only(held) => needed.iter().any(|scope| held.contains(*scope)),
        }
    }

    /// Space-separated, as in a token answer.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::All => ALL.to_owned(),
            Self::Only(held) => held.iter().map(String::as_str).collect::<Vec<_>>().join(" "),
        }
    }
}
