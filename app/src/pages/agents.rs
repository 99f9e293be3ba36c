//! The desk's page of all agents: who can help, who is busy with what, and for how long.

use domain::{
    agent::{
        AgentState,
        view::{AgentsView, QueueName, StateCounts},
    },
    id::QueueId,
};
use leptos::prelude::*;

use crate::{
    agent_order::{AgentKey, AgentOrder},
    agent_words,
    components::{
        agent_row::AgentRows, trust_band::TrustBand, trust_strip::TrustStrip, wall_clock::WallClock,
    },
    document::{Bar, Document, Liveness, Site},
    live_agents::{AgentsStart, LiveAgents},
    numeral,
    settings::AgentsSettings,
    zone::LocalZone,
};

/// What the server knows about the page of all agents.
#[derive(Debug, Clone)]
pub struct AgentsPage {
    /// What the server says of itself.
    pub site: Site,
    /// The stream to follow, an address of this server.
    pub stream_url: String,
    /// The values now.
    pub view: AgentsView,
    /// What the address asks for.
    pub settings: AgentsSettings,
    /// The zone of the clock and of "today".
    pub zone: LocalZone,
}

/// The whole page.
pub fn agents_page(page: AgentsPage) -> impl IntoView {
    let AgentsPage { site, stream_url, view, settings, zone } = page;
    let theme = settings.theme;
    let liveness = Liveness::Live { as_of: view.as_of, zone: zone.clone() };
    let start = AgentsStart {
        stream_url,
        build_id: site.build_id.clone(),
        view,
        zone,
        order: settings.order,
        find: settings.find.clone(),
        queue_id: settings.queue_id.clone(),
        theme: settings.theme_word().to_owned(),
    };
    // The island finds it here on the server, and in the page's data in the browser.
    provide_context(start.clone());
    view! {
        <Document site=site.clone() title="Agents".to_owned() body="desk".to_owned() theme liveness>
            <Bar site current="/agents" />
            <main id="main">
                <Tools settings />
                <script type="application/json" id=AgentsStart::ELEMENT inner_html=start.to_script()></script>
                <LiveAgentsTable />
                <AgentDefinitions />
            </main>
        </Document>
    }
}

/// Finding: a form, so that it works without the program.
#[component]
fn Tools(
    /// What the address asks for.
    settings: AgentsSettings,
) -> impl IntoView {
    let hidden = settings
        .pairs()
        .into_iter()
        .filter(|(key, value)| *key != "find" && !value.is_empty())
        .map(|(key, value)| view! { <input r#type="hidden" name=key value=value /> })
        .collect_view();
    let all = AgentsSettings { find: String::new(), ..settings.clone() }.address();
    view! {
        <form class="tools" method="get" action="/agents" role="search">
            <input
                aria-label="Find an agent"
                name="find"
                r#type="search"
                autocomplete="off"
                placeholder="Find by name"
                value=settings.find.clone()
            />
            {hidden}
            <button r#type="submit" class="find-button">
                "Find"
            </button>
            {(!settings.find.is_empty()).then(|| view! { <a class="sorting" href=all>"Show all agents"</a> })}
        </form>
    }
}

/// The live part of the page.
#[island]
pub fn LiveAgentsTable() -> impl IntoView {
    let start = AgentsStart::of_this_page()?;
    let agents = start.agents();
    let settings = AgentsSettings::of(&start);
    Some(view! { <AgentsDesk agents settings queues=start.view.queues /> })
}

/// Everything live on the page.
#[component]
pub fn AgentsDesk(
    /// Its state.
    agents: LiveAgents,
    /// What the address asks for.
    settings: AgentsSettings,
    /// The queues that can be looked at one by one.
    queues: Vec<QueueName>,
) -> impl IntoView {
    let board = agents.board.clone();
    let paused = |words: [&'static str; 2]| {
        board.text(move |state| words[usize::from(state.paused_at.is_some())].to_owned())
    };
    let paused_text = board.text(|state| match state.paused_at {
        Some(at) => format!("Paused at {}. Press P or “Resume updates” to go on.", state.zone.clock(at)),
        None => String::new(),
    });
    let is_empty = agents.is_empty();
    let is_filled = {
        let is_empty = agents.is_empty();
        move || !is_empty()
    };
    view! {
        <div class="screen" data-freshness=board.text(|state| state.standing.word().to_owned())>
            <div class="head">
                <h1>"Agents"</h1>
                <p class="head-date">{board.text(|state| state.zone.date(state.now))}</p>
                <WallClock board=board.clone() />
                <TrustStrip board=board.clone() />
                <button
                    r#type="button"
                    class="pause"
                    data-pause=""
                    aria-keyshortcuts="p"
                    aria-pressed=paused(["false", "true"])
                >
                    {paused(["Pause updates", "Resume updates"])}
                </button>
            </div>
            <TrustBand board=board.clone() />
            <p class="pause-band" hidden=board.condition(|state| state.paused_at.is_none())>
                {paused_text}
            </p>
            <p class="presence-problem" role="note" hidden=agents.condition(|view| view.presence_problem.is_none())>
                {agents.text(|view| view.presence_problem.clone().unwrap_or_default())}
            </p>
            <div class="values">
                <AgentFigures agents=agents.clone() />
                <QueueChoice agents=agents.clone() settings=settings.clone() queues />
                <p class="empty" hidden=is_filled>
                    "No agent to show. Agents are the members of call queues: they appear when the directory was read, and when a name contains what is looked for."
                </p>
                <div class="scroller" role="region" aria-label="Table of agents" tabindex="0" hidden=is_empty>
                    <table class="desk-table agents-table">
                        <caption class="unseen">"Agents now, and their calls today"</caption>
                        <thead>
                            <tr>
                                <Heading key=AgentKey::State label="State" settings=settings.clone() />
                                <Heading key=AgentKey::Name label="Agent" settings=settings.clone() />
                                <Heading key=AgentKey::Time label="Time" settings=settings.clone() />
                                <th scope="col" data-column="remark">
                                    <span class="plain-heading">"With"</span>
                                </th>
                                <th scope="col" data-column="queues">
                                    <span class="plain-heading">"Member of"</span>
                                </th>
                                <Heading key=AgentKey::Offered label="Offered" settings=settings.clone() />
                                <Heading key=AgentKey::Answered label="Answered" settings=settings.clone() />
                                <Heading key=AgentKey::Missed label="Missed" settings=settings.clone() />
                                <Heading key=AgentKey::Declined label="Declined" settings=settings.clone() />
                            </tr>
                        </thead>
                        <tbody>
                            <AgentRows agents=agents.clone() />
                        </tbody>
                    </table>
                </div>
            </div>
            <p class="unseen" role="status" aria-live="polite">
                {board.text(|state| state.announcement.clone())}
            </p>
        </div>
    }
}

/// The sums, from who can help to who cannot.
#[component]
fn AgentFigures(
    /// Of whom.
    agents: LiveAgents,
) -> impl IntoView {
    fn count(counts: &StateCounts, states: &[AgentState]) -> u32 {
        states.iter().map(|state| counts.get(*state)).sum()
    }
    let figure = |key: &'static str,
                  label: &'static str,
                  number: fn(&StateCounts) -> u32,
                  note: fn(&StateCounts) -> String| {
        view! {
            <div class="figure" data-figure=key data-mark="normal">
                <dt>{label}</dt>
                <dd class="figure-value">
                    <span class="number">{agents.sum(move |counts| numeral::count(number(counts)))}</span>
                </dd>
                <dd class="figure-note">{agents.sum(note)}</dd>
            </div>
        }
    };
    view! {
        <dl class="figures" aria-label="Agents by state" data-count="6">
            {figure(
                "available",
                "Available",
                |counts| counts.get(AgentState::Available),
                |counts| format!("of {}", numeral::count(counts.total())),
            )}
            {figure("ringing", "Ringing", |counts| counts.get(AgentState::Ringing), |_| "not picked up yet".to_owned())}
            {figure(
                "on-calls",
                "On calls",
                StateCounts::on_calls,
                |counts| {
                    format!(
                        "{} for queues · {} on hold",
                        numeral::count(counts.get(AgentState::OnQueueCall)),
                        numeral::count(counts.get(AgentState::OnHold)),
                    )
                },
            )}
            {figure("wrap-up", "Wrap-up", |counts| counts.get(AgentState::WrapUp), |_| "after a queue’s call".to_owned())}
            {figure(
                "away",
                "Not taking calls",
                |counts| count(counts, &[AgentState::OptedOut, AgentState::DoNotDisturb, AgentState::Offline]),
                |counts| {
                    format!(
                        "{} opted out · {} offline",
                        numeral::count(counts.get(AgentState::OptedOut)),
                        numeral::count(counts.get(AgentState::Offline)),
                    )
                },
            )}
            {figure("unknown", "Unknown", |counts| counts.get(AgentState::Unknown), |_| "not heard of since a gap".to_owned())}
        </dl>
    }
}

/// The queues, each a link to its members alone, with how many of them are free.
#[component]
fn QueueChoice(
    /// Whose counts.
    agents: LiveAgents,
    /// What the address asks for.
    settings: AgentsSettings,
    /// Which queues.
    queues: Vec<QueueName>,
) -> impl IntoView {
    let choice = |queue_id: Option<QueueId>, name: String| {
        let here = (settings.queue_id == queue_id).then_some("true");
        let href = AgentsSettings { queue_id: queue_id.clone(), ..settings.clone() }.address();
        let free = agents.text(move |view| {
            let counts = StateCounts::of(&view.agents, queue_id.as_ref());
            format!("{}/{}", counts.get(AgentState::Available), counts.total())
        });
        view! {
            <li>
                <a href=href aria-current=here>
                    <span>{name}</span>
                    " "
                    <span class="number">{free}</span>
                    <span class="unseen">" available"</span>
                </a>
            </li>
        }
    };
    let of_queues = queues.into_iter().map(|queue| choice(Some(queue.id), queue.name)).collect_view();
    view! {
        <nav class="queue-choice" aria-label="Agents of one queue">
            <ul>{choice(None, "All queues".to_owned())} {of_queues}</ul>
        </nav>
    }
}

/// The heading of a column, a link that sorts by it.
#[component]
fn Heading(
    /// Which column.
    key: AgentKey,
    /// What it is called.
    label: &'static str,
    /// What the address asks for.
    settings: AgentsSettings,
) -> impl IntoView {
    let order = settings.order;
    let sorted = match order {
        AgentOrder { key: current, descending } if current == key => {
            if descending {
                "descending"
            } else {
                "ascending"
            }
        }
        _ => "none",
    };
    let href = AgentsSettings { order: order.after_click(key), ..settings }.address();
    view! {
        <th scope="col" data-column=key.word() aria-sort=sorted>
            <a href=href>{label}</a>
        </th>
    }
}

/// What the states and the counts mean.
#[component]
fn AgentDefinitions() -> impl IntoView {
    let states = AgentState::ALL
        .into_iter()
        .map(|state| {
            view! {
                <div>
                    <dt>{agent_words::state_name(state)}</dt>
                    <dd>{agent_words::definition(state)}</dd>
                </div>
            }
        })
        .collect_view();
    view! {
        <section class="definitions" aria-labelledby="legend">
            <h2 id="legend" class="unseen">
                "Legend"
            </h2>
            <ul class="legend">
                <li>
                    <span class="number" data-face="inferred">
                        "Wrap-up"
                    </span>
                    "Inferred: nothing tells of it directly"
                </li>
                <li>
                    <span class="number">"—"</span>
                    "Nothing told since when"
                </li>
            </ul>
            <details>
                <summary>"What these words mean"</summary>
                <dl>
                    {states} <div>
                        <dt>"Offered, answered, declined"</dt>
                        <dd>
                            "Times a queue rang them today, and what they did. Two phones of one person that ring together are one offer."
                        </dd>
                    </div> <div>
                        <dt>"Missed"</dt>
                        <dd>
                            "It rang until it stopped, and nobody else took the call meanwhile. When a queue rings everybody at once, the call that a colleague takes is no miss; a caller who hangs up is none either."
                        </dd>
                    </div>
                </dl>
            </details>
        </section>
    }
}
