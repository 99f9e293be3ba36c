//! One agent: what they do, for how long, for whom, and what came of today's calls.

use std::sync::Arc;

use leptos::prelude::*;

use crate::{
    agent_words,
    live_agents::{AgentRow, AgentRowState, LiveAgents},
    numeral,
};

/// The rows of the table's body, keyed by their people.
#[component]
pub fn AgentRows(
    /// Whose.
    agents: LiveAgents,
) -> impl IntoView {
    view! {
        <For
            each=move || agents.rows()
            key=|row| row.id.to_string()
            children=|row| view! { <AgentTableRow row /> }
        />
    }
}

/// One row.
#[component]
fn AgentTableRow(
    /// Its agent.
    row: Arc<AgentRow>,
) -> impl IntoView {
    let number = |read: fn(&AgentRowState) -> u32| {
        let face = row.text(move |row| if read(row) == 0 { "quiet" } else { "" }.to_owned());
        view! {
            <td data-face=face>
                <span class="number">{row.text(move |row| numeral::count(read(row)))}</span>
            </td>
        }
    };
    view! {
        <tr data-agent=row.id.to_string() data-state=row.text(|row| row.state.word().to_owned())>
            <td class="row-state" data-face=row.text(|row| agent_words::face(row.agent.standing.quality).to_owned())>
                <span class="agent-state">
                    <span class="agent-shape" aria-hidden="true"></span>
                    <span class="agent-word">{row.text(|row| agent_words::state_name(row.state).to_owned())}</span>
                </span>
            </td>
            <th scope="row">{row.text(|row| row.agent.name.clone())}</th>
            <td data-column="time">
                <span class="number">{row.text(|row| agent_words::time(&row.agent, row.at).0)}</span>
                <span class="unit">{row.text(|row| agent_words::time(&row.agent, row.at).1.to_owned())}</span>
            </td>
            <td data-column="remark">
                {row.text(|row| agent_words::remark(&row.agent, |_| Some(row.queue_name.clone())))}
            </td>
            <td data-column="queues">{row.text(|row| row.queue_names.clone())}</td>
            {number(|row| row.agent.today.offered)}
            {number(|row| row.agent.today.answered)}
            {number(|row| row.agent.today.missed)}
            {number(|row| row.agent.today.declined)}
        </tr>
    }
}
