//! What a screen shows of the agents. Times are instants, so that a screen can tick by itself; sums are
//! worked out from the rows on both sides.

use serde::{Deserialize, Serialize};

use super::{AgentState, Standing, offer::OfferCounts, presence::Presence};
use crate::{
    id::{QueueId, UserId},
    time::Timestamp,
    trust::Trust,
    view::surely_free,
};

/// All agents at one instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentsView {
    /// Rises with every published change, within one run of the server.
    pub revision: u64,
    /// The server's clock when this was made.
    pub as_of: Timestamp,
    /// May it be believed?
    pub trust: Trust,
    /// Why it is not known who is offline or does not want to be disturbed, one sentence with the next step.
    pub presence_problem: Option<String>,
    /// The queues that have agents, in the order of their names.
    pub queues: Vec<QueueName>,
    /// One row per person, in the order of their names.
    pub agents: Vec<AgentView>,
}

/// What changed since the revision before. Values are absolute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentsChange {
    /// The revision this change leads to.
    pub revision: u64,
    /// The server's clock when this was made.
    pub as_of: Timestamp,
    /// May it be believed?
    pub trust: Trust,
    /// Why presence is not known.
    pub presence_problem: Option<String>,
    /// The queues that have agents.
    pub queues: Vec<QueueName>,
    /// The rows that changed, whole.
    pub agents: Vec<AgentView>,
    /// People who are agents no more.
    pub removed: Vec<UserId>,
}

/// A queue and what it is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueName {
    /// Identity.
    pub id: QueueId,
    /// Name to show.
    pub name: String,
}

/// One agent now and today.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentView {
    /// Identity of the person, or of the shared phone.
    pub id: UserId,
    /// Name to show.
    pub name: String,
    /// What they do now.
    pub standing: Standing,
    /// What their client says, where that is known and believed.
    pub presence: Option<Presence>,
    /// The queues they are a member of, in the order of the queues' names.
    pub queues: Vec<Membership>,
    /// What came of the calls that queues offered them since local midnight.
    pub today: OfferCounts,
}

/// A person's place in a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The queue.
    pub id: QueueId,
    /// It rings them.
    pub takes_calls: bool,
}

impl AgentView {
    /// What they are for one queue: who takes calls of others only has opted out of this one.
    pub fn state_in(&self, queue_id: &QueueId) -> Option<AgentState> {
        let membership = self.queues.iter().find(|queue| queue.id == *queue_id)?;
        let state = self.standing.state;
        let is_out = state == AgentState::Available && !membership.takes_calls;
        Some(if is_out { AgentState::OptedOut } else { state })
    }
}

/// How many agents are in each state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StateCounts([u32; AgentState::ALL.len()]);

impl StateCounts {
    /// Counts each person once: of one queue, or of all together.
    pub fn of<'a>(agents: impl IntoIterator<Item = &'a AgentView>, queue_id: Option<&QueueId>) -> Self {
        let mut counts = Self::default();
        for agent in agents {
            let state = match queue_id {
                Some(queue_id) => agent.state_in(queue_id),
                None => Some(agent.standing.state),
            };
            if let Some(state) = state {
                counts.0[state as usize] += 1;
            }
        }
        counts
    }

    /// In one state.
    pub fn get(&self, state: AgentState) -> u32 {
        self.0[state as usize]
    }

    /// Those who could take a call that comes now; `None` where nobody knows, as on the boards of queues.
    pub fn free(&self) -> Option<u32> {
        surely_free(self.get(AgentState::Available), self.get(AgentState::Unknown))
    }

    /// In any state.
    pub fn total(&self) -> u32 {
        self.0.iter().sum()
    }

    /// On a call of any kind.
    pub fn on_calls(&self) -> u32 {
        AgentState::ALL.into_iter().filter(|state| state.is_on_call()).map(|state| self.get(state)).sum()
    }
}
