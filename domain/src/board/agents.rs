//! What a board tells of agents.

use std::collections::BTreeSet;

use super::Board;
use crate::{
    agent::view::{AgentView, AgentsView, QueueName},
    id::{QueueId, UserId},
    time::Timestamp,
    trust::Trust,
};

impl Board {
    /// The row of one agent.
    pub fn agent_view(&self, id: &UserId, now: Timestamp) -> Option<AgentView> {
        let mut view = self.people.view(id, now)?;
        let name = |id: &QueueId| self.book.get(id).map(|queue| queue.name.clone());
        view.queues.sort_by_cached_key(|queue| (name(&queue.id), queue.id.clone()));
        Some(view)
    }

    /// All agents, in the order of their names.
    pub fn agents(&self, now: Timestamp) -> Vec<AgentView> {
        let mut agents: Vec<AgentView> =
            self.people.ids().filter_map(|id| self.agent_view(id, now)).collect();
        agents.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.id.cmp(&b.id)));
        agents
    }

    /// The queues whose members are known, in the order of their names.
    pub fn staffed_queues(&self) -> Vec<QueueName> {
        let ids = self.queue_ids();
        let queues = ids.iter().filter_map(|id| self.book.get(id)).filter(|queue| queue.members.is_some());
        queues.map(|queue| QueueName { id: queue.id.clone(), name: queue.name.clone() }).collect()
    }

    /// The agents that changed and those who are no agents any more, since the last call of this.
    pub fn take_agent_changes(&mut self) -> (BTreeSet<UserId>, BTreeSet<UserId>) {
        self.people.take_changes()
    }

    /// Everything about the agents.
    pub fn agents_view(
        &self,
        revision: u64,
        now: Timestamp,
        trust: Trust,
        presence_problem: Option<String>,
    ) -> AgentsView {
        AgentsView {
            revision,
            as_of: now,
            presence_problem,
            queues: self.staffed_queues(),
            agents: self.agents(now),
            trust,
        }
    }
}
