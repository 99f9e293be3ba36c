//! The wall: a supervisor's display, readable across a room.

use domain::view::BoardView;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    column::Column,
    components::{
        empty_board::EmptyBoard,
        figure::{Figures, Subject},
        pager::Pager,
        trust_band::TrustBand,
        trust_strip::TrustStrip,
        wall_clock::WallClock,
        wall_row::WallRow,
    },
    document::{DemoBadge, Document, Liveness, Site},
    live_board::{LiveBoard, Turning},
    row_order::Order,
    settings::WallSettings,
    wall_layout::WallLayout,
    zone::LocalZone,
};

/// What a wall is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum WallSubject {
    /// All queues of the view.
    AllQueues,
    /// The only queue of the view, in big figures.
    OneQueue,
}

/// What the server knows about a wall.
#[derive(Debug, Clone)]
pub struct WallPage {
    /// What the server says of itself.
    pub site: Site,
    /// The board's name, or the queue's.
    pub title: String,
    /// The stream to follow, an address of this server.
    pub stream_url: String,
    /// The values now. For one queue: only its row, and totals over it alone.
    pub view: BoardView,
    /// What it is about.
    pub subject: WallSubject,
    /// What the address asks for.
    pub settings: WallSettings,
    /// The zone of the clock and of "today".
    pub zone: LocalZone,
}

/// The whole page.
pub fn wall_page(page: WallPage) -> impl IntoView {
    let WallPage { site, title, stream_url, view, subject, settings, zone } = page;
    let layout = WallLayout::of(&settings, view.queues.len());
    let body = format!("wall {}", layout.size);
    let liveness = Liveness::Live { as_of: view.as_of, zone: zone.clone() };
    let start = WallStart {
        title: title.clone(),
        stream_url,
        build_id: site.build_id.clone(),
        view,
        subject,
        order: settings.order,
        layout,
        page: settings.page.map_or(0, |page| usize::from(page) - 1),
        turn_seconds: if settings.page.is_some() { 0 } else { u64::from(settings.turn_seconds) },
        zone,
    };
    view! {
        <Document site title body theme=settings.theme liveness>
            <main id="main">
                <LiveWall start />
            </main>
        </Document>
    }
}

/// What the island of a wall starts from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WallStart {
    title: String,
    stream_url: String,
    build_id: String,
    view: BoardView,
    subject: WallSubject,
    order: Order,
    layout: WallLayout,
    page: usize,
    turn_seconds: u64,
    zone: LocalZone,
}

/// The live part of a wall: all of it.
#[island]
pub fn LiveWall(
    /// What it starts from.
    start: WallStart,
) -> impl IntoView {
    let WallStart { title, stream_url, build_id, view, subject, order, layout, page, turn_seconds, zone } =
        start;
    let turning = Turning { per_page: usize::from(layout.rows), seconds: turn_seconds };
    let board = LiveBoard::new(view, order, turning, page);
    #[cfg(feature = "hydrate")]
    crate::browser::follow(board, stream_url, build_id);
    #[cfg(not(feature = "hydrate"))]
    let _ = (stream_url, build_id);
    view! { <WallScreen board title subject layout zone /> }
}

/// Everything on a wall's screen.
#[component]
pub fn WallScreen(
    /// Its state.
    board: LiveBoard,
    /// The board's name, or the queue's.
    title: String,
    /// What it is about.
    subject: WallSubject,
    /// What fits.
    layout: WallLayout,
    /// The zone of the clock.
    zone: LocalZone,
) -> impl IntoView {
    let legible = layout.legible.clone().map(|legible| view! { <p class="legible">{legible}</p> });
    let inferred = {
        let columns = layout.columns.clone();
        move || subject == WallSubject::AllQueues && columns.iter().any(|column| board.is_inferred(*column))
    };
    let content = match subject {
        WallSubject::AllQueues => view! { <AllQueues board layout zone=zone.clone() /> }.into_any(),
        WallSubject::OneQueue => {
            let subjects = vec![
                Subject::Waiting,
                Subject::Longest,
                Subject::Free,
                Subject::Talking,
                Subject::ServiceLevel,
                Subject::Abandoned,
            ];
            view! { <Figures board subjects label="This queue" zone=zone.clone() /> }.into_any()
        }
    };
    let kind = match subject {
        WallSubject::AllQueues => "all",
        WallSubject::OneQueue => "one",
    };
    view! {
        <div class="screen" data-freshness=move || board.standing.get().word() data-subject=kind>
            <header class="strip">
                <h1>{title}</h1>
                <TrustStrip board zone=zone.clone() />
                <p class="strip-demo" hidden=move || board.trust.with(|trust| !trust.demo)>
                    <DemoBadge />
                </p>
                <WallClock board zone=zone.clone() />
            </header>
            <TrustBand board zone />
            <div class="values">{content}</div>
            <div class="foot">
                <p hidden=move || !inferred()>
                    <span class="inferred">"Dotted"</span>
                    ": inferred from call events"
                </p>
                {legible}
            </div>
            <p class="unseen" role="status" aria-live="polite">
                {move || board.announcement.get()}
            </p>
        </div>
    }
}

/// The large figures over the rows.
#[component]
fn AllQueues(
    /// Its state.
    board: LiveBoard,
    /// What fits.
    layout: WallLayout,
    /// The zone of times in notes.
    zone: LocalZone,
) -> impl IntoView {
    let mut subjects =
        vec![Subject::Waiting, Subject::Longest, Subject::Free, Subject::ServiceLevel, Subject::Abandoned];
    subjects.truncate(usize::from(layout.figures));
    let WallLayout { columns, name_length, .. } = layout;
    let headings = columns
        .iter()
        .map(|column: &Column| {
            let column = *column;
            let quality = move || board.is_inferred(column).then_some("inferred");
            view! {
                <th scope="col" data-column=column.key()>
                    <span data-quality=quality>{column.heading()}</span>
                </th>
            }
        })
        .collect_view();
    view! {
        <Figures board subjects label="All queues now" zone />
        <section class="rows" aria-label="Queues">
            <div hidden=move || board.rows.with(|rows| !rows.is_empty())>
                <EmptyBoard />
            </div>
            <Pager board />
            <table class="wall-table" hidden=move || board.rows.with(Vec::is_empty)>
                <thead>
                    <tr>
                        <th scope="col">
                            <span class="unseen">"State"</span>
                        </th>
                        <th scope="col">"Queue"</th>
                        {headings}
                    </tr>
                </thead>
                <tbody>
                    <For
                        each=move || board.rows_of_page()
                        key=|row| row.id.to_string()
                        children=move |row| {
                            view! { <WallRow board row columns=columns.clone() name_length /> }
                        }
                    />
                </tbody>
            </table>
        </section>
    }
}
