//! The desk's page of all agents: who can help, who is busy with what, and for how long.

use std::sync::Arc;

use domain::{
    agent::{
        AgentState,
        view::{AgentsView, QueueName, StateCounts},
    },
    id::QueueId,
    quality::Quality,
};
use leptos::prelude::*;

use crate::{
    agent_order::AgentKey,
    agent_words,
    components::{
        agent_row::AgentTableRow,
        announcer::Announcer,
        desk_head::DeskHead,
        figure::{FigureFace, FigureList, LiveFigure},
        live_rows::{LiveRow, LiveRows},
        scroll_hint::ScrollHint,
        sort_heading::SortHeading,
        trust_strip::TodayNote,
    },
    document::{Bar, Document, Liveness, Site},
    live_agents::{AgentRow, AgentsStart, LiveAgents, sureness},
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
                <script type="application/json" id=AgentsStart::ELEMENT inner_html=start.to_script()></script>
                <LiveAgentsTable>
                    <Tools settings />
                </LiveAgentsTable>
                <AgentDefinitions />
            </main>
        </Document>
    }
}

/// Finding: a form, so that it works without the program.
#[component]
pub fn Tools(
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
pub fn LiveAgentsTable(
    /// Finding, which needs no program.
    children: Children,
) -> impl IntoView {
    let start = AgentsStart::of_this_page()?;
    let agents = start.agents();
    let settings = AgentsSettings::of(&start);
    Some(view! {
        <AgentsDesk agents settings queues=start.view.queues>
            {children()}
        </AgentsDesk>
    })
}

/// The table's columns: by what they sort, their word in style sheets, and what they are called.
const COLUMNS: [(Option<AgentKey>, &str, &str); 9] = [
    (Some(AgentKey::State), AgentKey::State.word(), "State"),
    (Some(AgentKey::Name), AgentKey::Name.word(), "Agent"),
    (Some(AgentKey::Time), AgentKey::Time.word(), "Time"),
    (None, "remark", "With"),
    (None, "queues", "Member of"),
    (Some(AgentKey::Offered), AgentKey::Offered.word(), "Rung"),
    (Some(AgentKey::Answered), AgentKey::Answered.word(), "Answered"),
    (Some(AgentKey::Missed), AgentKey::Missed.word(), "Missed"),
    (Some(AgentKey::Declined), AgentKey::Declined.word(), "Declined"),
];

/// Everything live on the page.
#[component]
pub fn AgentsDesk(
    /// Its state.
    agents: LiveAgents,
    /// What the address asks for.
    settings: AgentsSettings,
    /// The queues that can be looked at one by one.
    queues: Vec<QueueName>,
    /// Finding, between the figures and the table.
    children: Children,
) -> impl IntoView {
    let board = agents.board.clone();
    let headings = COLUMNS
        .into_iter()
        .map(|(key, word, label)| {
            let order = settings.order;
            let href =
                key.map(|key| AgentsSettings { order: order.after_click(key), ..settings.clone() }.address());
            let descending = key.and_then(|key| order.by(key));
            view! { <SortHeading key=word label descending href /> }
        })
        .collect_view();
    let drawn =
        |row: Arc<AgentRow>| LiveRow::new(row.id.to_string(), move || view! { <AgentTableRow row /> });
    let is_empty = agents.is_empty();
    let is_filled = {
        let is_empty = agents.is_empty();
        move || !is_empty()
    };
    view! {
        <div class="screen" data-freshness=board.text(|state| state.standing.word().to_owned())>
            <DeskHead board=board.clone() title="Agents" />
            <p class="presence-problem" role="note" hidden=agents.condition(|view| view.presence_problem.is_none())>
                {agents.text(|view| view.presence_problem.clone().unwrap_or_default())}
            </p>
            <div class="values">
                <AgentFigures agents=agents.clone() />
                <TodayNote board=board.clone() in_full=true />
                {children()}
                <QueueChoice agents=agents.clone() settings=settings.clone() queues />
                <p class="empty" hidden=is_filled>
                    "No agent to show. Agents are the members of call queues: they appear when the directory was read, and when a name contains what is looked for."
                </p>
                <ScrollHint />
                <div class="scroller" role="region" aria-label="Table of agents" tabindex="0" hidden=is_empty>
                    <table class="desk-table agents-table">
                        <caption class="unseen">"Agents now, and their calls today"</caption>
                        <thead>
                            <tr>{headings}</tr>
                        </thead>
                        <tbody>
                            <LiveRows rows=Box::new(move || agents.rows().into_iter().map(drawn).collect()) />
                        </tbody>
                    </table>
                </div>
            </div>
            <Announcer board=board.clone() />
        </div>
    }
}

/// The sums, from who can help to who cannot.
#[component]
fn AgentFigures(
    /// Of whom.
    agents: LiveAgents,
) -> impl IntoView {
    use AgentState::{
        Available, DoNotDisturb, Offline, OnHold, OnQueueCall, OptedOut, Ringing, Unknown, WrapUp,
    };
    let figure = |key: &'static str, label: &'static str, face: fn(&StateCounts) -> FigureFace| {
        let agents = agents.clone();
        LiveFigure::new(
            key,
            label,
            Box::new(move |part| {
                agents.sum(move |counts, quality| {
                    let face = face(counts);
                    part(match key {
                        // Of whom nothing is known, that is known for sure.
                        "unknown" => face,
                        _ if face.quality == Quality::Unknown || is_unknown(counts) => face.unknown(),
                        _ => FigureFace { quality, ..face },
                    })
                })
            }),
        )
    };
    let figures = vec![
        figure("available", "Available", |counts| {
            let face =
                FigureFace::count(counts.get(Available), format!("of {}", numeral::count(counts.total())));
            if counts.free().is_none() { face.unknown() } else { face }
        }),
        figure("ringing", "Ringing", |counts| {
            FigureFace::count(counts.get(Ringing), "not picked up yet".to_owned())
        }),
        figure("on-calls", "On calls", |counts| {
            let (queue_calls, on_hold) = (counts.get(OnQueueCall), counts.get(OnHold));
            FigureFace::count(counts.on_calls(), format!("{queue_calls} for queues · {on_hold} on hold"))
        }),
        figure("wrap-up", "Wrap-up", |counts| {
            FigureFace::count(counts.get(WrapUp), "after a queue’s call".to_owned())
        }),
        figure("away", "Away", |counts| {
            let (opted_out, offline) = (counts.get(OptedOut), counts.get(Offline));
            FigureFace::count(
                opted_out + offline + counts.get(DoNotDisturb),
                format!("{opted_out} opted out · {offline} offline"),
            )
        }),
        figure("unknown", "Unknown", |counts| {
            FigureFace::count(counts.get(Unknown), "since missed events".to_owned())
        }),
    ];
    view! { <FigureList label="Agents by state" figures /> }
}

/// Nothing is known of anybody: no number is a zero.
fn is_unknown(counts: &StateCounts) -> bool {
    counts.total() > 0 && counts.get(AgentState::Unknown) == counts.total()
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
        let of_queue = queue_id.clone();
        let free = agents.text(move |view| {
            let counts = StateCounts::of(&view.agents, queue_id.as_ref());
            let free = counts.free().map_or(numeral::UNKNOWN.to_owned(), |free| free.to_string());
            format!("{free}/{}", counts.total())
        });
        let face = agents.text(move |view| {
            let is_known = StateCounts::of(&view.agents, of_queue.as_ref()).free().is_some();
            agent_words::face(if is_known { sureness(view) } else { Quality::Unknown }).to_owned()
        });
        view! {
            <li>
                <a href=href aria-current=here>
                    <span>{name}</span>
                    " "
                    <span class="number" data-face=face>
                        {free}
                    </span>
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
                    "Unknown, or unknown since when"
                </li>
            </ul>
            <details>
                <summary>"What these words mean"</summary>
                <dl>
                    {states} <div>
                        <dt>"Order"</dt>
                        <dd>
                            "Rows change places every ten seconds at most, so that they can be read; what stands in them is always the newest."
                        </dd>
                    </div> <div>
                        <dt>"Rung, answered, declined"</dt>
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
