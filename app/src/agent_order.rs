//! What decides the order of agents, as an address says it.

use std::cmp::{Ordering, Reverse};

use domain::{
    agent::{AgentState, view::AgentView},
    id::QueueId,
    time::Timestamp,
};
use serde::{Serialize, Serializer};

/// A column by which agents can be sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgentKey {
    /// Who can help first; of those alike, who has been so for longest.
    State,
    /// By name.
    Name,
    /// By time in state.
    Time,
    /// By calls offered today.
    Offered,
    /// By calls answered today.
    Answered,
    /// By calls missed today.
    Missed,
    /// By calls declined today.
    Declined,
}

impl AgentKey {
    /// All of them, in the order of the table's columns.
    pub const ALL: [Self; 7] =
        [Self::State, Self::Name, Self::Time, Self::Offered, Self::Answered, Self::Missed, Self::Declined];

    /// The word in addresses.
    pub const fn word(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Name => "name",
            Self::Time => "time",
            Self::Offered => "offered",
            Self::Answered => "answered",
            Self::Missed => "missed",
            Self::Declined => "declined",
        }
    }

    /// Great numbers are what one looks for; names and states begin at the top.
    const fn is_number(self) -> bool {
        !matches!(self, Self::State | Self::Name)
    }
}

/// The order of agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgentOrder {
    /// By what.
    pub key: AgentKey,
    /// Great values first.
    pub descending: bool,
}

impl AgentOrder {
    /// By state, unless told.
    pub const USUAL: Self = Self { key: AgentKey::State, descending: false };

    /// `missed`, or `-missed` for great values first.
    pub fn from_word(word: &str) -> Option<Self> {
        let (name, descending) = match word.strip_prefix('-') {
            Some(name) => (name, true),
            None => (word, false),
        };
        let key = AgentKey::ALL.into_iter().find(|key| key.word() == name)?;
        Some(Self { key, descending })
    }

    /// The word of it.
    pub fn word(self) -> String {
        format!("{}{}", if self.descending { "-" } else { "" }, self.key.word())
    }

    /// Whether great values of this column come first; `None` when agents are in another order.
    pub fn by(self, key: AgentKey) -> Option<bool> {
        (self.key == key).then_some(self.descending)
    }

    /// What a click on a heading leads to.
    pub fn after_click(self, key: AgentKey) -> Self {
        let descending = self.by(key).map_or(key.is_number(), |descending| !descending);
        Self { key, descending }
    }

    /// Which of two agents as they stand at `at` comes first, for one queue or for all.
    pub fn compare(
        self,
        a: &AgentView,
        b: &AgentView,
        queue_id: Option<&QueueId>,
        at: Timestamp,
    ) -> Ordering {
        let decided = self.compare_by_key(a, b, queue_id, at);
        let decided = if self.descending { decided.reverse() } else { decided };
        decided.then_with(|| a.name.cmp(&b.name)).then_with(|| a.id.cmp(&b.id))
    }

    fn compare_by_key(
        self,
        a: &AgentView,
        b: &AgentView,
        queue_id: Option<&QueueId>,
        at: Timestamp,
    ) -> Ordering {
        // Who is not known to be so since when stands behind those who are.
        let time = |agent: &AgentView| agent.standing.since.map(|since| at.since(since));
        match self.key {
            AgentKey::State => {
                let state = |agent: &AgentView| state_for(agent, queue_id);
                state(a).cmp(&state(b)).then_with(|| Reverse(time(a)).cmp(&Reverse(time(b))))
            }
            AgentKey::Name => a.name.cmp(&b.name),
            AgentKey::Time => time(a).cmp(&time(b)),
            AgentKey::Offered => a.today.offered.cmp(&b.today.offered),
            AgentKey::Answered => a.today.answered.cmp(&b.today.answered),
            AgentKey::Missed => a.today.missed.cmp(&b.today.missed),
            AgentKey::Declined => a.today.declined.cmp(&b.today.declined),
        }
    }
}

/// What somebody is for one queue, or for all.
pub fn state_for(agent: &AgentView, queue_id: Option<&QueueId>) -> AgentState {
    queue_id.and_then(|id| agent.state_in(id)).unwrap_or(agent.standing.state)
}

impl Serialize for AgentOrder {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{pages::style::sample, sorting::sorted};

    #[test]
    fn who_can_help_stands_first_and_of_them_who_is_free_longest() {
        let view = sample::agents();
        let agents = sorted(view.agents, |a, b| AgentOrder::USUAL.compare(a, b, None, view.as_of));
        let states: Vec<AgentState> = agents.iter().map(|agent| agent.standing.state).collect();
        assert!(states.is_sorted(), "{states:?}");
        assert_eq!(states[0], AgentState::Available);
        let since: Vec<_> = agents.iter().take(2).map(|agent| agent.standing.since).collect();
        assert!(since.is_sorted(), "{since:?}");
    }

    #[test]
    fn a_second_click_turns_the_order_around() {
        let missed = AgentOrder::USUAL.after_click(AgentKey::Missed);
        assert_eq!(missed.word(), "-missed");
        assert_eq!(missed.after_click(AgentKey::Missed).word(), "missed");
        assert_eq!(AgentOrder::from_word(&missed.word()), Some(missed));
        assert_eq!(AgentOrder::from_word("beauty"), None);
        let view = sample::agents();
        let agents = sorted(view.agents, |a, b| missed.compare(a, b, None, view.as_of));
        assert!(agents.windows(2).all(|pair| pair[0].today.missed >= pair[1].today.missed));
    }
}
