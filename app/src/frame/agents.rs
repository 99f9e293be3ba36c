//! The agents, as the server sends them.

use domain::{
    agent::{
        AgentState, Standing,
        offer::OfferCounts,
        presence::Presence,
        view::{AgentView, AgentsChange, AgentsView, Membership, QueueName},
    },
    id::{QueueId, UserId},
};

use super::{Json, count, instant, list, quality, text, trust, whole, zone};
use crate::{agent_order::AgentOrder, live_agents::AgentsStart};

/// All agents; `None` if it is no such thing.
pub fn agents_view(json: &impl Json) -> Option<AgentsView> {
    Some(AgentsView {
        revision: whole(json, "revision")?,
        as_of: instant(json, "as_of")?,
        trust: trust(&json.member("trust"))?,
        presence_problem: text(json, "presence_problem"),
        queues: list(json, "queues", queue_name)?,
        agents: list(json, "agents", agent_view)?,
    })
}

/// What changed, which is written like all of it; `None` if it is no such thing.
pub fn agents_change(json: &impl Json) -> Option<AgentsChange> {
    let AgentsView { revision, as_of, trust, presence_problem, queues, agents } = agents_view(json)?;
    let removed = list(json, "removed", |id| id.text().map(UserId::new))?;
    Some(AgentsChange { revision, as_of, trust, presence_problem, queues, agents, removed })
}

/// What the page of agents starts from.
pub fn agents_start(json: &impl Json) -> Option<AgentsStart> {
    Some(AgentsStart {
        stream_url: text(json, "stream_url")?,
        build_id: text(json, "build_id")?,
        view: agents_view(&json.member("view"))?,
        zone: zone(&json.member("zone"))?,
        order: AgentOrder::from_word(&text(json, "order")?)?,
        find: text(json, "find")?,
        queue_id: text(json, "queue_id").map(QueueId::new),
        theme: text(json, "theme")?,
    })
}

fn queue_name(json: &impl Json) -> Option<QueueName> {
    Some(QueueName { id: QueueId::new(text(json, "id")?), name: text(json, "name")? })
}

fn agent_view(json: &impl Json) -> Option<AgentView> {
    let (standing, today) = (json.member("standing"), json.member("today"));
    Some(AgentView {
        id: UserId::new(text(json, "id")?),
        name: text(json, "name")?,
        standing: Standing {
            state: AgentState::from_word(&text(&standing, "state")?)?,
            since: instant(&standing, "since"),
            until: instant(&standing, "until"),
            queue_id: text(&standing, "queue_id").map(QueueId::new),
            quality: quality(&standing, "quality")?,
        },
        presence: text(json, "presence").and_then(|word| Presence::from_word(&word)),
        queues: list(json, "queues", |queue| {
            let takes_calls = queue.member("takes_calls").truth();
            Some(Membership { id: QueueId::new(text(queue, "id")?), takes_calls })
        })?,
        today: OfferCounts {
            offered: count(&today, "offered")?,
            answered: count(&today, "answered")?,
            missed: count(&today, "missed")?,
            declined: count(&today, "declined")?,
        },
    })
}

#[cfg(test)]
mod tests {
    use domain::{quality::Quality, time::Timestamp};
    use serde_json::Value;

    use super::*;
    use crate::{pages::style::sample, zone::LocalZone};

    #[test]
    fn what_the_server_writes_of_agents_is_read_back() {
        let view = sample::agents();
        let json = serde_json::to_value(&view).unwrap();
        assert_eq!(agents_view(&json).as_ref(), Some(&view));
        let change = AgentsChange {
            revision: 1 << 40,
            as_of: view.as_of,
            trust: view.trust.clone(),
            presence_problem: Some("No scope.".to_owned()),
            queues: view.queues.clone(),
            agents: view.agents.clone(),
            removed: vec!["gone".into()],
        };
        let json = serde_json::to_value(&change).unwrap();
        assert_eq!(agents_change(&json), Some(change));
        for queue_id in [None, Some(QueueId::from("q-billing"))] {
            let start = AgentsStart {
                stream_url: "/live/agents".to_owned(),
                build_id: "b".to_owned(),
                view: view.clone(),
                zone: LocalZone { next_offset: Some((Timestamp::from_millis(7), -60)), ..LocalZone::utc() },
                order: AgentOrder::from_word("-missed").unwrap(),
                find: "</script>".to_owned(),
                queue_id,
                theme: String::new(),
            };
            let script = start.to_script();
            assert!(!script.contains('<'));
            assert_eq!(agents_start(&serde_json::from_str::<Value>(&script).unwrap()), Some(start));
        }
        assert_eq!(agents_view(&Value::Null), None);
        assert!(view.agents.iter().any(|agent| agent.standing.quality == Quality::Unknown));
    }

    #[test]
    fn every_word_is_read_back() {
        for state in AgentState::ALL {
            assert_eq!(AgentState::from_word(state.word()), Some(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.word());
        }
        for word in ["available", "away", "mobile", "on_call", "out_of_office", "do_not_disturb", "other"] {
            let presence = Presence::from_word(word).unwrap();
            assert_eq!(serde_json::to_value(presence).unwrap(), word);
        }
    }
}
