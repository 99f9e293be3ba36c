//! One agent: what they do, for how long, for whom, and what came of today's calls.

use std::sync::Arc;

use domain::agent::offer::OfferCounts;
use leptos::prelude::*;

use super::number_cell::NumberCell;
use crate::{agent_order::AgentKey, agent_words, live_agents::AgentRow, numeral};

/// One of the counts of today.
type Count = fn(&OfferCounts) -> u32;

/// The row of one agent.
#[component]
pub fn AgentTableRow(
    /// Its agent.
    row: Arc<AgentRow>,
) -> impl IntoView {
    let numbers: [(AgentKey, Count); 4] = [
        (AgentKey::Offered, |today| today.offered),
        (AgentKey::Answered, |today| today.answered),
        (AgentKey::Missed, |today| today.missed),
        (AgentKey::Declined, |today| today.declined),
    ];
    let numbers = numbers
        .into_iter()
        .map(|(key, read)| {
            let face = row.text(move |row| if read(&row.agent.today) == 0 { "quiet" } else { "" }.to_owned());
            let number = row.text(move |row| numeral::count(read(&row.agent.today)));
            view! { <NumberCell key=key.word() face number /> }
        })
        .collect_view();
    let time = row.text(|row| agent_words::time(&row.agent, row.at).0);
    let left = row.text(|row| agent_words::time(&row.agent, row.at).1.to_owned());
    view! {
        <tr data-agent=row.id.to_string() data-state=row.text(|row| row.state.word().to_owned())>
            <td class="row-state" data-face=row.text(|row| agent_words::face(row.agent.standing.quality).to_owned())>
                <span class="agent-state">
                    <span class="agent-shape" aria-hidden="true"></span>
                    <span class="agent-word">{row.text(|row| agent_words::state_name(row.state).to_owned())}</span>
                </span>
            </td>
            <th scope="row">{row.text(|row| row.agent.name.clone())}</th>
            <NumberCell key="time" face=Box::new(String::new) number=time unit=Some(left) />
            <td data-column="remark">
                {row.text(|row| agent_words::remark(&row.agent, |_| Some(row.queue_name.clone())))}
            </td>
            <td data-column="queues">{row.text(|row| row.queue_names.clone())}</td>
            {numbers}
        </tr>
    }
}
