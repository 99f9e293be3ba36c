//! The state of the page that shows the agents: like a board of queues, with people for rows.
//!
//! Time, trust, pausing and finding are those of a [`LiveBoard`] without queues; here is only what
//! agents add.

use std::sync::{Arc, PoisonError, RwLock};

use domain::{
    agent::{
        AgentState,
        view::{AgentView, AgentsChange, AgentsView, StateCounts},
    },
    id::{QueueId, UserId},
    quality::Quality,
    time::Timestamp,
    trust::hears_whole_calls,
    view::{BoardView, Totals},
};
use leptos::{prelude::*, reactive::signal::ArcTrigger};
use serde::Serialize;

use crate::{
    agent_order::{AgentOrder, state_for},
    live_board::{LiveBoard, LiveCondition, LiveText, Turning},
    row_order::{Order, Stillness},
    sorting::{lower_case, sorted},
    zone::LocalZone,
};

/// Rows change places at most this often.
const MOVE_EVERY_SECONDS: u64 = 10;

/// The agents of a page. Clones are the same.
#[derive(Debug, Clone)]
pub struct LiveAgents {
    /// Time, trust, pausing and finding.
    pub board: LiveBoard,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: RwLock<State>,
    rows: ArcTrigger,
}

#[derive(Debug)]
struct State {
    /// What the server told last; not shown yet while the reader has stopped the page.
    latest: AgentsView,
    /// What is shown.
    shown: AgentsView,
    order: AgentOrder,
    /// Only the members of this queue, as they are for it.
    queue_id: Option<QueueId>,
    rows: Vec<Arc<AgentRow>>,
    /// When rows last changed places; `None` when they may at once.
    moved_at: Option<Timestamp>,
}

/// One agent's row.
#[derive(Debug)]
pub struct AgentRow {
    /// Who.
    pub id: UserId,
    shown: RwLock<AgentRowState>,
    changed: ArcTrigger,
}

/// What a row shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentRowState {
    /// The agent.
    pub agent: AgentView,
    /// What they are, for the queue that is looked at or for all.
    pub state: AgentState,
    /// What their queue of the moment is called.
    pub queue_name: String,
    /// The queues they are a member of, by name.
    pub queue_names: String,
    /// The instant to which their time has ticked.
    pub at: Timestamp,
}

/// What the island of the page starts from; see [`crate::live_board::BoardStart`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgentsStart {
    /// The stream to follow.
    pub stream_url: String,
    /// The build that made the page.
    pub build_id: String,
    /// The values when it was made.
    pub view: AgentsView,
    /// The zone of all times.
    pub zone: LocalZone,
    /// What decides the order of rows.
    pub order: AgentOrder,
    /// Only agents whose name contains this.
    pub find: String,
    /// Only members of this queue.
    pub queue_id: Option<QueueId>,
    /// The theme that links must ask for, empty when it is the usual one.
    pub theme: String,
}

impl AgentsStart {
    /// The `id` of the script element.
    pub const ELEMENT: &'static str = "agents-start";

    /// As JSON in which nothing ends a script element.
    pub fn to_script(&self) -> String {
        // Fails only for maps whose keys are no text.
        serde_json::to_string(self).unwrap_or_default().replace('<', "\\u003c")
    }

    /// What the page that is being made or shown starts from; `None` if it has no agents.
    pub fn of_this_page() -> Option<Self> {
        #[cfg(feature = "hydrate")]
        return crate::browser::agents_start();
        #[cfg(not(feature = "hydrate"))]
        use_context()
    }

    /// Brings the agents to life: with the stream in a browser, standing still on the server.
    pub fn agents(&self) -> LiveAgents {
        let agents = LiveAgents::new(self.view.clone(), self.zone.clone(), self.order, self.queue_id.clone());
        agents.find(&self.find);
        #[cfg(feature = "hydrate")]
        crate::browser::follow(
            crate::browser::Followed::Agents(agents.clone()),
            self.stream_url.clone(),
            self.build_id.clone(),
        );
        agents
    }
}

/// What the board of queues would be told at the same time: when, and whether to believe it.
fn clockwork(view: &AgentsView) -> BoardView {
    BoardView {
        revision: view.revision,
        as_of: view.as_of,
        trust: view.trust.clone(),
        totals: Totals::default(),
        queues: Vec::new(),
    }
}

/// How sure a sum over agents is: as the numbers of queues, in which the same people are counted.
pub fn sureness(view: &AgentsView) -> Quality {
    if hears_whole_calls(view.as_of, &view.trust) { Quality::Live } else { Quality::Inferred }
}

impl LiveAgents {
    /// The agents as the server told of them.
    pub fn new(view: AgentsView, zone: LocalZone, order: AgentOrder, queue_id: Option<QueueId>) -> Self {
        let board = LiveBoard::new(clockwork(&view), zone, Order::NAME, Turning::NONE);
        let rows = Vec::new();
        let state = State { shown: view.clone(), latest: view, order, queue_id, rows, moved_at: None };
        let shared = Arc::new(Shared { state: RwLock::new(state), rows: ArcTrigger::new() });
        let agents = Self { board, shared };
        agents.show(Stillness::MayMove);
        agents
    }

    /// A full view came: the page is as old as its way here was long, or as an interruption, and its order too.
    pub fn hear_view(&self, now: Timestamp, view: AgentsView, still: Stillness) {
        let clockwork = clockwork(&view);
        self.change(|state| (state.latest, state.moved_at) = (view, None));
        self.board.hear_view(now, clockwork, still);
        self.show(still);
    }

    /// A change came; it need not follow the frame before.
    pub fn hear_change(&self, now: Timestamp, change: AgentsChange, still: Stillness) {
        self.change(|state| merge(&mut state.latest, change));
        let clockwork = self.read(|state| clockwork(&state.latest));
        self.board.hear_view(now, clockwork, still);
        self.show(still);
    }

    /// A second passed.
    pub fn tick(&self, now: Timestamp, still: Stillness) {
        self.board.tick(now, still);
        self.show(still);
    }

    /// Stops the values, or lets them go on with the newest.
    pub fn toggle_pause(&self) {
        self.board.toggle_pause();
        self.show(Stillness::MayMove);
    }

    /// Shows only agents whose name contains this.
    pub fn find(&self, text: &str) {
        self.board.find(text);
        self.shared.rows.notify();
    }

    /// The rows to show now, followed.
    pub fn rows(&self) -> Vec<Arc<AgentRow>> {
        self.shared.rows.track();
        let wanted = self.board.read(|state| state.find.clone());
        let is_found = |row: &&Arc<AgentRow>| row.read(|row| row.is_found_by(&wanted));
        self.read(|state| state.rows.iter().filter(is_found).cloned().collect())
    }

    /// A text that follows the agents: of what is shown, and the instant to which it has ticked.
    pub fn text(&self, read: impl Fn(&AgentsView) -> String + Send + Sync + 'static) -> LiveText {
        let shared = Arc::clone(&self.shared);
        self.board.text(move |_| read(&shared.state.read().unwrap_or_else(PoisonError::into_inner).shown))
    }

    /// A condition that follows the agents.
    pub fn condition(&self, read: impl Fn(&AgentsView) -> bool + Send + Sync + 'static) -> LiveCondition {
        let shared = Arc::clone(&self.shared);
        self.board
            .condition(move |_| read(&shared.state.read().unwrap_or_else(PoisonError::into_inner).shown))
    }

    /// True while no row is shown because none is looked for, or none is there.
    pub fn is_empty(&self) -> LiveCondition {
        let agents = self.clone();
        self.board.condition(move |board| {
            agents.read(|state| !state.rows.iter().any(|row| row.read(|row| row.is_found_by(&board.find))))
        })
    }

    /// A sum over the agents that are looked at, and how sure it is.
    pub fn sum(&self, read: impl Fn(&StateCounts, Quality) -> String + Send + Sync + 'static) -> LiveText {
        let queue_id = self.read(|state| state.queue_id.clone());
        self.text(move |view| read(&StateCounts::of(&view.agents, queue_id.as_ref()), sureness(view)))
    }

    fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.shared.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.shared.state.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// Brings the rows up to what was told, unless the reader has stopped them.
    fn show(&self, still: Stillness) {
        let (is_paused, at) = self.board.read(|state| (state.paused_at.is_some(), state.shown_at));
        if is_paused {
            return;
        }
        let mut moved = false;
        self.change(|state| {
            if state.shown != state.latest {
                state.shown = state.latest.clone();
            }
            moved = state.settle(at, still);
        });
        if moved {
            self.shared.rows.notify();
        }
        // What is shown may be newer than when the board told its readers.
        self.board.touch();
    }
}

impl State {
    /// Brings the rows up to what is shown; true when there are others, or in another order.
    fn settle(&mut self, at: Timestamp, still: Stillness) -> bool {
        let view = &self.shown;
        let is_member = |agent: &&AgentView| {
            self.queue_id.as_ref().is_none_or(|id| agent.queues.iter().any(|queue| queue.id == *id))
        };
        let mut agents: Vec<&AgentView> = view.agents.iter().filter(is_member).collect();
        let is_as_before = agents.len() == self.rows.len();
        let is_rested =
            self.moved_at.is_none_or(|moved_at| at.since(moved_at).as_secs() >= MOVE_EVERY_SECONDS);
        if is_as_before && (still == Stillness::Still || !is_rested) {
            // The order of before; who is new or gone makes another.
            let place = |agent: &AgentView| self.rows.iter().position(|row| row.id == agent.id);
            let placed: Vec<(usize, &AgentView)> =
                agents.into_iter().map(|agent| (place(agent).unwrap_or(usize::MAX), agent)).collect();
            agents = sorted(placed, |a, b| a.0.cmp(&b.0)).into_iter().map(|(_, agent)| agent).collect();
        } else {
            agents = sorted(agents, |a, b| self.order.compare(a, b, self.queue_id.as_ref(), at));
        }
        let name_of = |id: &QueueId| {
            view.queues.iter().find(|queue| queue.id == *id).map_or("", |queue| queue.name.as_str())
        };
        let rows: Vec<Arc<AgentRow>> = agents
            .into_iter()
            .map(|agent| {
                let names: Vec<&str> = agent.queues.iter().map(|queue| name_of(&queue.id)).collect();
                let state = AgentRowState {
                    state: state_for(agent, self.queue_id.as_ref()),
                    queue_name: agent.standing.queue_id.as_ref().map_or("", name_of).to_owned(),
                    queue_names: names.join(", "),
                    agent: agent.clone(),
                    at,
                };
                match self.rows.iter().find(|row| row.id == agent.id) {
                    Some(row) => {
                        row.show(state);
                        Arc::clone(row)
                    }
                    None => Arc::new(AgentRow {
                        id: agent.id.clone(),
                        shown: RwLock::new(state),
                        changed: ArcTrigger::new(),
                    }),
                }
            })
            .collect();
        let moved = !rows.iter().map(|row| &row.id).eq(self.rows.iter().map(|row| &row.id));
        if moved {
            self.moved_at = Some(at);
        }
        self.rows = rows;
        moved
    }
}

impl AgentRow {
    /// Reads what the row shows, without following it.
    pub fn read<T>(&self, read: impl FnOnce(&AgentRowState) -> T) -> T {
        read(&self.shown.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A text that follows the row.
    pub fn text(
        self: &Arc<Self>,
        read: impl Fn(&AgentRowState) -> String + Send + Sync + 'static,
    ) -> LiveText {
        let row = Arc::clone(self);
        Box::new(move || {
            row.changed.track();
            row.read(&read)
        })
    }

    fn show(&self, state: AgentRowState) {
        let mut shown = self.shown.write().unwrap_or_else(PoisonError::into_inner);
        if *shown != state {
            *shown = state;
            drop(shown);
            self.changed.notify();
        }
    }
}

impl AgentRowState {
    fn is_found_by(&self, wanted: &str) -> bool {
        wanted.is_empty() || lower_case(&self.agent.name).contains(wanted)
    }
}

/// Brings a view up to a change. Values are absolute, so a change that was missed does no harm.
pub fn merge(view: &mut AgentsView, change: AgentsChange) {
    view.revision = change.revision;
    view.as_of = change.as_of;
    view.trust = change.trust;
    view.presence_problem = change.presence_problem;
    view.queues = change.queues;
    view.agents.retain(|agent| !change.removed.contains(&agent.id));
    for agent in change.agents {
        match view.agents.iter_mut().find(|known| known.id == agent.id) {
            Some(known) => *known = agent,
            None => {
                let place = view.agents.partition_point(|known| known.name <= agent.name);
                view.agents.insert(place, agent);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::trust::Trust;

    use super::*;
    use crate::pages::style::sample;

    fn is_in_order(agents: &LiveAgents) -> bool {
        agents.rows().iter().map(|row| row.read(|row| row.state)).is_sorted()
    }

    fn turn_around(view: &mut AgentsView) {
        for agent in &mut view.agents {
            agent.standing.state = match agent.standing.state {
                AgentState::Available => AgentState::OnQueueCall,
                AgentState::OnQueueCall => AgentState::Available,
                other => other,
            };
            for queue in &mut agent.queues {
                queue.takes_calls = true;
            }
        }
    }

    #[test]
    fn a_page_that_was_long_on_its_way_is_put_in_order_by_the_first_view_and_then_rests() {
        let mut view = sample::agents();
        let began = view.as_of;
        let at = |seconds| began + Duration::from_secs(seconds);
        let agents = LiveAgents::new(view.clone(), LocalZone::utc(), AgentOrder::USUAL, None);
        assert!(is_in_order(&agents), "as the server writes it");
        turn_around(&mut view);
        view.as_of = at(2);
        agents.hear_view(at(2), view.clone(), Stillness::MayMove);
        assert!(is_in_order(&agents), "the stream begins");
        let told = |view: &AgentsView, seconds| AgentsChange {
            revision: view.revision + 1,
            as_of: at(seconds),
            trust: Trust { feed_heard_at: Some(at(seconds)), ..view.trust.clone() },
            presence_problem: None,
            agents: view.agents.clone(),
            removed: Vec::new(),
            queues: view.queues.clone(),
        };
        turn_around(&mut view);
        agents.hear_change(at(5), told(&view, 5), Stillness::MayMove);
        assert!(!is_in_order(&agents), "rows rest, so that they can be read");
        agents.hear_change(at(12), told(&view, 12), Stillness::MayMove);
        assert!(is_in_order(&agents));
        // Whatever was looked at in between moved nothing.
        agents.hear_change(at(22), told(&view, 22), Stillness::MayMove);
        turn_around(&mut view);
        agents.hear_change(at(23), told(&view, 23), Stillness::MayMove);
        assert!(is_in_order(&agents), "rested for longer than they must");
    }
}
