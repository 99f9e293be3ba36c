//! The published view of the agents: encoded once, shared by all readers, like the boards of queues.
//!
//! Worked out only while somebody reads it; what changes meanwhile is kept by the board.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use domain::{
    agent::view::{AgentView, AgentsView, QueueName},
    board::Board,
    id::UserId,
    time::Timestamp,
    trust::Trust,
};
use serde::Serialize;
use tokio::sync::watch;

use super::{FRAMES_KEPT, Stream, frame};

/// All agents at one revision. Cheap to clone: everything large is shared.
#[derive(Debug)]
pub struct PublishedAgents {
    epoch: u64,
    /// Rises with every publication.
    pub revision: u64,
    /// The server's clock at publication.
    pub as_of: Timestamp,
    trust: Trust,
    presence_problem: Option<String>,
    /// The queues that have agents, by name.
    pub queues: Arc<Vec<QueueName>>,
    /// One row per person, by name.
    pub agents: Vec<Arc<AgentView>>,
    frames: VecDeque<(u64, Bytes)>,
    full: OnceLock<Bytes>,
}

#[derive(Serialize)]
struct FullFrame<'a> {
    revision: u64,
    as_of: Timestamp,
    trust: &'a Trust,
    presence_problem: Option<&'a str>,
    queues: &'a [QueueName],
    agents: Vec<&'a AgentView>,
}

#[derive(Serialize)]
struct ChangeFrame<'a> {
    revision: u64,
    as_of: Timestamp,
    trust: &'a Trust,
    presence_problem: Option<&'a str>,
    queues: &'a [QueueName],
    agents: Vec<&'a AgentView>,
    removed: Vec<&'a UserId>,
}

impl PublishedAgents {
    /// The agents as a value, for rendering a page.
    pub fn view(&self) -> AgentsView {
        AgentsView {
            revision: self.revision,
            as_of: self.as_of,
            trust: self.trust.clone(),
            presence_problem: self.presence_problem.clone(),
            queues: self.queues.to_vec(),
            agents: self.agents.iter().map(|agent| (**agent).clone()).collect(),
        }
    }
}

impl Stream for PublishedAgents {
    fn revision(&self) -> u64 {
        self.revision
    }

    fn full_frame(&self) -> Bytes {
        let encode = || {
            let body = FullFrame {
                revision: self.revision,
                as_of: self.as_of,
                trust: &self.trust,
                presence_problem: self.presence_problem.as_deref(),
                queues: &self.queues,
                agents: self.agents.iter().map(|agent| &**agent).collect(),
            };
            frame("view", self.epoch, self.revision, &body)
        };
        self.full.get_or_init(encode).clone()
    }

    fn frames(&self) -> &VecDeque<(u64, Bytes)> {
        &self.frames
    }
}

/// Publishes the agents. Owned by the keeper.
#[derive(Debug)]
pub(crate) struct AgentsPublisher {
    epoch: u64,
    revision: u64,
    rows: BTreeMap<UserId, Arc<AgentView>>,
    queues: Arc<Vec<QueueName>>,
    channel: watch::Sender<Arc<PublishedAgents>>,
}

impl AgentsPublisher {
    pub(crate) fn new(epoch: u64, now: Timestamp, trust: Trust) -> Self {
        let empty = PublishedAgents {
            epoch,
            revision: 0,
            as_of: now,
            trust,
            presence_problem: None,
            queues: Arc::default(),
            agents: Vec::new(),
            frames: VecDeque::new(),
            full: OnceLock::new(),
        };
        Self {
            epoch,
            revision: 0,
            rows: BTreeMap::new(),
            queues: Arc::default(),
            channel: watch::Sender::new(Arc::new(empty)),
        }
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Arc<PublishedAgents>> {
        self.channel.subscribe()
    }

    pub(crate) fn readers(&self) -> usize {
        self.channel.receiver_count()
    }

    /// Publishes what changed, or just the time and the trust when nothing did.
    pub(crate) fn publish(
        &mut self,
        board: &mut Board,
        now: Timestamp,
        trust: &Trust,
        presence_problem: Option<&str>,
    ) {
        let (changed, removed) = board.take_agent_changes();
        if !changed.is_empty() || !removed.is_empty() {
            let queues = board.staffed_queues();
            if *self.queues != queues {
                self.queues = Arc::new(queues);
            }
        }
        for id in &removed {
            self.rows.remove(id);
        }
        let mut fresh: Vec<Arc<AgentView>> = Vec::new();
        for id in changed {
            let Some(view) = board.agent_view(&id, now) else { continue };
            if self.rows.get(&id).is_some_and(|row| **row == view) {
                continue;
            }
            let row = Arc::new(view);
            self.rows.insert(id, Arc::clone(&row));
            fresh.push(row);
        }
        self.revision += 1;
        let body = ChangeFrame {
            revision: self.revision,
            as_of: now,
            trust,
            presence_problem,
            queues: &self.queues,
            agents: fresh.iter().map(|row| &**row).collect(),
            removed: removed.iter().collect(),
        };
        let mut frames = self.channel.borrow().frames.clone();
        frames.push_back((self.revision, frame("change", self.epoch, self.revision, &body)));
        while frames.len() > FRAMES_KEPT {
            frames.pop_front();
        }
        let mut agents: Vec<Arc<AgentView>> = self.rows.values().cloned().collect();
        agents.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.id.cmp(&b.id)));
        self.channel.send_replace(Arc::new(PublishedAgents {
            epoch: self.epoch,
            revision: self.revision,
            as_of: now,
            trust: trust.clone(),
            presence_problem: presence_problem.map(str::to_owned),
            queues: Arc::clone(&self.queues),
            agents,
            frames,
            full: OnceLock::new(),
        }));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::{
        agent::{
            AgentState, doubted_before,
            presence::{Presence, PresenceFact, PresenceOrigin},
            view::AgentsChange,
        },
        board::Input,
        directory::{Directory, DirectoryQueue, Member},
        service_level::ServiceLevelPolicy,
        trust::FeedLink,
    };

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn trust(deaf_until: Option<Timestamp>) -> Trust {
        Trust {
            feed: FeedLink::Live,
            feed_since: NOW,
            feed_heard_at: Some(NOW),
            feed_problem: None,
            newest_fact_at: None,
            counting_since: None,
            deaf_until,
            journal_outage: None,
            gap: None,
            demo: false,
        }
    }

    fn board() -> Board {
        let member = |name: &str| Member {
            id: name.into(),
            extension_id: None,
            name: name.to_uppercase(),
            receives_calls: true,
        };
        let queue = DirectoryQueue {
            id: "q".into(),
            extension_id: None,
            name: "Billing".to_owned(),
            extension_number: None,
            zone: None,
            members: Some(vec![member("bo"), member("ada")]),
            policy: ServiceLevelPolicy::default(),
            wrap_up: None,
            max_wait: None,
        };
        let mut board = Board::new();
        board.apply(NOW, Input::Directory(Directory { queues: vec![queue] }));
        board
    }

    fn say(board: &mut Board, who: &str, presence: Presence) {
        let fact = PresenceFact {
            user_id: who.into(),
            at: NOW,
            sent_at: NOW,
            presence,
            origin: PresenceOrigin::Told,
        };
        board.apply(NOW, Input::Presences(vec![fact]));
    }

    fn data(frame: &Bytes) -> &str {
        let text = std::str::from_utf8(frame).unwrap();
        text.lines().find_map(|line| line.strip_prefix("data: ")).unwrap()
    }

    #[test]
    fn frames_carry_who_changed_and_read_back_as_they_were_made() {
        let mut board = board();
        let mut publisher = AgentsPublisher::new(7, NOW, trust(None));
        publisher.publish(&mut board, NOW, &trust(None), Some("No scope."));
        let published = publisher.channel.borrow().clone();
        let view: AgentsView = serde_json::from_str(data(&published.full_frame())).unwrap();
        assert_eq!(view, published.view());
        assert_eq!(view.agents.iter().map(|agent| agent.name.as_str()).collect::<Vec<_>>(), ["ADA", "BO"]);
        assert_eq!(view.presence_problem.as_deref(), Some("No scope."));

        say(&mut board, "bo", Presence::Offline);
        publisher.publish(&mut board, NOW, &trust(None), None);
        publisher.publish(&mut board, NOW, &trust(None), None);
        let published = publisher.channel.borrow().clone();
        let missed = published.news_after(Some(1)).unwrap();
        let missed: Vec<AgentsChange> = std::str::from_utf8(&missed)
            .unwrap()
            .split_inclusive("\n\n")
            .map(|frame| serde_json::from_str(data(&Bytes::copy_from_slice(frame.as_bytes()))).unwrap())
            .collect();
        assert_eq!(missed.len(), 2);
        assert_eq!(missed[0].agents.len(), 1);
        assert_eq!(missed[0].agents[0].standing.state, AgentState::Offline);
        assert!(missed[1].agents.is_empty(), "a pulse carries no rows");
    }

    #[test]
    fn a_gap_changes_everybody_and_so_does_the_end_of_doubt() {
        let mut board = board();
        let mut publisher = AgentsPublisher::new(7, NOW, trust(None));
        publisher.publish(&mut board, NOW, &trust(None), None);
        let states = |publisher: &AgentsPublisher| -> Vec<AgentState> {
            publisher.channel.borrow().agents.iter().map(|agent| agent.standing.state).collect()
        };
        let trust = trust(Some(NOW + Duration::from_secs(5)));
        let later = NOW + Duration::from_secs(9);
        board.apply(later, Input::Doubt(doubted_before(later, &trust)));
        publisher.publish(&mut board, later, &trust, None);
        assert_eq!(states(&publisher), [AgentState::Unknown; 2]);
        let later = later + Duration::from_secs(3600);
        board.apply(later, Input::Doubt(doubted_before(later, &trust)));
        publisher.publish(&mut board, later, &trust, None);
        assert_eq!(states(&publisher), [AgentState::Available; 2]);
    }
}
