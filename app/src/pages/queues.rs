//! The desk's page of all queues: every number, sortable, with its definition.

use domain::view::BoardView;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    address,
    column::Column,
    components::{
        definitions::Definitions,
        desk_row::DeskRow,
        empty_board::EmptyBoard,
        figure::{Figures, Subject},
        trust_band::TrustBand,
        trust_strip::TrustStrip,
        wall_clock::WallClock,
    },
    document::{Bar, Document, Liveness, Site},
    live_board::{LiveBoard, Row, Turning},
    row_order::Order,
    settings::DeskSettings,
    zone::LocalZone,
};

/// What the server knows about the page of all queues.
#[derive(Debug, Clone)]
pub struct QueuesPage {
    /// What the server says of itself.
    pub site: Site,
    /// The stream to follow, an address of this server.
    pub stream_url: String,
    /// The values now.
    pub view: BoardView,
    /// What the address asks for.
    pub settings: DeskSettings,
    /// The zone of the clock and of "today".
    pub zone: LocalZone,
}

/// The whole page.
pub fn queues_page(page: QueuesPage) -> impl IntoView {
    let QueuesPage { site, stream_url, view, settings, zone } = page;
    let theme = settings.theme;
    let liveness = Liveness::Live { as_of: view.as_of, zone: zone.clone() };
    let start = DeskStart { stream_url, build_id: site.build_id.clone(), view, settings, zone };
    view! {
        <Document site=site.clone() title="Queues".to_owned() body="desk".to_owned() theme liveness>
            <Bar site current="/queues" />
            <main id="main">
                <LiveQueues start />
                <Definitions />
            </main>
        </Document>
    }
}

/// What the island of the desk starts from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeskStart {
    stream_url: String,
    build_id: String,
    view: BoardView,
    settings: DeskSettings,
    zone: LocalZone,
}

/// The live part of the desk's page.
#[island]
pub fn LiveQueues(
    /// What it starts from.
    start: DeskStart,
) -> impl IntoView {
    let DeskStart { stream_url, build_id, view, settings, zone } = start;
    let board = LiveBoard::new(view, settings.order, Turning::NONE, 0);
    #[cfg(feature = "hydrate")]
    crate::browser::follow(board, stream_url, build_id);
    #[cfg(not(feature = "hydrate"))]
    let _ = (stream_url, build_id);
    view! { <QueuesDesk board settings zone /> }
}

/// Everything live on the desk's page.
#[component]
pub fn QueuesDesk(
    /// Its state.
    board: LiveBoard,
    /// What the address asks for.
    settings: DeskSettings,
    /// The zone of times.
    zone: LocalZone,
) -> impl IntoView {
    let find = RwSignal::new(settings.find.clone());
    let date = {
        let zone = zone.clone();
        move || zone.date(board.now.get())
    };
    let subjects = vec![
        Subject::Waiting,
        Subject::Longest,
        Subject::Free,
        Subject::ServiceLevel,
        Subject::Answered,
        Subject::Abandoned,
    ];
    view! {
        <div class="screen" data-freshness=move || board.standing.get().word()>
            <div class="head">
                <h1>"Queues"</h1>
                <p class="head-date">{date}</p>
                <WallClock board zone=zone.clone() />
                <TrustStrip board zone=zone.clone() />
            </div>
            <TrustBand board zone=zone.clone() />
            <PauseBand board zone=zone.clone() />
            <div class="values">
                <Figures board subjects label="All queues" zone />
                <Tools board settings=settings.clone() find />
                <QueueTable board settings find />
            </div>
            <p class="unseen" role="status" aria-live="polite">
                {move || board.announcement.get()}
            </p>
        </div>
    }
}

/// Finding, sorting, pausing.
#[component]
fn Tools(
    /// What is paused.
    board: LiveBoard,
    /// What the address asks for.
    settings: DeskSettings,
    /// What is looked for.
    find: RwSignal<String>,
) -> impl IntoView {
    let by_trouble = settings.order == Order::Trouble;
    let sort = settings.sort_word();
    let theme = settings.theme_word();
    view! {
        <form class="tools" method="get" action="/queues" role="search">
            <input
                aria-label="Find a queue"
                name="find"
                r#type="search"
                autocomplete="off"
                placeholder="Name or extension"
                value=settings.find.clone()
                on:input=move |event| find.set(event_target_value(&event))
            />
            {(!sort.is_empty()).then(|| view! { <input r#type="hidden" name="sort" value=sort /> })}
            {(!theme.is_empty()).then(|| view! { <input r#type="hidden" name="theme" value=theme /> })}
            <button r#type="submit" class="find-button">"Find"</button>
            <span class="tools-space"></span>
            {if by_trouble {
                view! { <span class="sorting">"Sorted by trouble"</span> }.into_any()
            } else {
                view! { <a class="sorting" href=settings.sorted_address(Order::Trouble)>"Sort by trouble"</a> }.into_any()
            }}
            <button
                r#type="button"
                class="pause"
                aria-keyshortcuts="p"
                title="Stops the numbers where they are (key P)"
                aria-pressed=move || if board.paused_at.get().is_some() { "true" } else { "false" }
                on:click=move |_| board.set_paused(board.paused_at.get_untracked().is_none())
            >
                {move || if board.paused_at.get().is_some() { "Resume updates" } else { "Pause updates" }}
            </button>
        </form>
    }
}

/// Says that the reader has stopped the numbers.
#[component]
fn PauseBand(
    /// What is paused.
    board: LiveBoard,
    /// The zone of its times.
    zone: LocalZone,
) -> impl IntoView {
    let text = move || {
        board
            .paused_at
            .get()
            .map(|at| format!("Paused at {}. Press P or “Resume updates” to go on.", zone.clock(at)))
            .unwrap_or_default()
    };
    view! {
        <p class="pause-band" hidden=move || board.paused_at.get().is_none()>
            {text}
        </p>
    }
}

/// The table of queues.
#[component]
fn QueueTable(
    /// Its state.
    board: LiveBoard,
    /// What the address asks for.
    settings: DeskSettings,
    /// What is looked for.
    find: RwSignal<String>,
) -> impl IntoView {
    let headings = Column::ALL
        .into_iter()
        .map(|column| {
            let sorted = match settings.order {
                Order::By { column: current, descending } if current == column => {
                    Some(if descending { "descending" } else { "ascending" })
                }
                _ => None,
            };
            view! {
                <th scope="col" data-column=column.key() aria-sort=sorted>
                    <a href=settings.sorted_address(settings.order_after_click(column)) title=column.definition()>
                        {column.heading()}
                    </a>
                </th>
            }
        })
        .collect_view();
    let found = move || {
        let wanted = find.with(|find| find.trim().to_lowercase());
        board.rows.with(|rows| rows.iter().filter(|row| matches(row, &wanted)).cloned().collect::<Vec<_>>())
    };
    let none_found = move || !board.rows.with(Vec::is_empty) && found().is_empty();
    view! {
        <div hidden=move || board.rows.with(|rows| !rows.is_empty())>
            <EmptyBoard />
        </div>
        <p class="empty" hidden=move || !none_found()>
            "No queue’s name or extension contains “" {move || find.get()} "”. "
            <a href=address::with_query("/queues", &[("sort", &settings.sort_word()), ("theme", settings.theme_word())])>
                "Show all queues"
            </a>
        </p>
        <div
            class="scroller"
            role="region"
            aria-label="Table of queues"
            tabindex="0"
            hidden=move || board.rows.with(Vec::is_empty)
            on:pointerenter=move |_| board.touched.set(true)
            on:pointerleave=move |_| board.touched.set(false)
            on:focusin=move |_| board.touched.set(true)
            on:focusout=move |_| board.touched.set(false)
        >
            <table class="desk-table">
                <caption class="unseen">"Call queues now and today"</caption>
                <thead>
                    <tr>{headings}</tr>
                </thead>
                <tbody>
                    <For
                        each=found
                        key=|row| row.id.to_string()
                        children=move |row| view! { <DeskRow board row /> }
                    />
                </tbody>
            </table>
        </div>
    }
}

fn matches(row: &Row, wanted: &str) -> bool {
    wanted.is_empty()
        || row.queue.with(|queue| {
            queue.name.to_lowercase().contains(wanted)
                || queue.extension_number.as_deref().is_some_and(|extension| extension.contains(wanted))
        })
}
