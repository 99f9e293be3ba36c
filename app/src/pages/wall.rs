//! The wall: a supervisor's display, readable across a room.

use domain::{trust::hears_whole_calls_from, view::BoardView};
use leptos::prelude::*;

use crate::{
    address,
    column::{Column, Room},
    components::{
        announcer::Announcer,
        empty_board::EmptyBoard,
        figure::{Figures, Subject},
        pager::Pager,
        past_band::{PastBand, PastView},
        queue_row::{QueueRows, RowShape},
        trust_band::TrustBand,
        trust_strip::{TodayNote, TrustStrip},
        wall_clock::WallClock,
    },
    document::{DemoBadge, Document, Liveness, Site, StartData},
    live_board::{BoardStart, LiveBoard, State, WallShape},
    settings::WallSettings,
    wall_layout::WallLayout,
    zone::LocalZone,
};

/// What a wall is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// The instant, when it is not now.
    pub past: Option<PastView>,
}

/// The whole page.
pub fn wall_page(page: WallPage) -> impl IntoView {
    let WallPage { site, title, stream_url, view, subject, settings, zone, past } = page;
    let layout = WallLayout::of(&settings, view.queues.len());
    let body = format!("wall {}", layout.size);
    let liveness = Liveness::of(&view, &zone, past.as_ref());
    let mut wall = WallShape::new(&layout, subject, &settings);
    let at = past.as_ref().map(|past| past.instant(past.at)).unwrap_or_default();
    if past.is_some() {
        let rest = wall.page_address.trim_start_matches('?').to_owned();
        wall.page_address = format!("{}&{rest}", address::with_query("", &[("at", &at)]));
    }
    let start = BoardStart {
        title: title.clone(),
        stream_url,
        at,
        build_id: site.build_id.clone(),
        view,
        zone,
        order: settings.order,
        find: String::new(),
        theme: String::new(),
        wall,
    };
    // The island finds it here on the server, and in the page's data in the browser.
    provide_context(start.clone());
    let is_past = past.is_some().then_some("yes");
    view! {
        <Document site title body theme=settings.theme liveness skip=None>
            <main id="main" data-past=is_past>
                <StartData start />
                {past.map(|past| view! { <PastBand past /> })}
                <LiveWall />
            </main>
        </Document>
    }
}

impl WallShape {
    /// What fits of a wall, as its address asks for.
    pub fn new(layout: &WallLayout, subject: WallSubject, settings: &WallSettings) -> Self {
        Self {
            per_page: usize::from(layout.rows),
            turn_seconds: if settings.page.is_some() { 0 } else { usize::from(settings.turn_seconds) },
            page: settings.page.map_or(0, |page| usize::from(page) - 1),
            page_address: settings.page_address(),
            columns: layout.columns,
            figures: match subject {
                WallSubject::AllQueues => layout.figures,
                WallSubject::OneQueue => 0,
            },
            name_length: layout.name_length,
            legible: layout.legible.clone().unwrap_or_default(),
        }
    }
}

/// The live part of a wall: all of it.
#[island]
pub fn LiveWall() -> impl IntoView {
    let start = BoardStart::of_this_page()?;
    Some(view! { <WallScreen board=start.board() title=start.title wall=start.wall at=start.at /> })
}

/// Everything on a wall's screen.
#[component]
pub fn WallScreen(
    /// Its state.
    board: LiveBoard,
    /// The board's name, or the queue's.
    title: String,
    /// What fits.
    wall: WallShape,
    /// The instant of the past that links must ask for, empty on a board of now.
    #[prop(optional)]
    at: String,
) -> impl IntoView {
    let WallShape { columns, figures, name_length, legible, page_address, .. } = wall;
    let alone = figures == 0;
    let subjects =
        if alone { &Subject::QUEUE[..] } else { &Subject::BOARD[..figures.min(Subject::BOARD.len())] };
    let columns = &Column::WALL[..if alone { Column::WALL.len() } else { columns.min(Column::WALL.len()) }];
    let is_past = !at.is_empty();
    let queues = address::with_query("/queues", &[("at", &at)]);
    let rows =
        (!alone).then(|| view! { <WallTable board=board.clone() columns name_length page_address at /> });
    view! {
        <div
            class="screen"
            data-freshness=board.text(|state| state.standing.word().to_owned())
            data-subject=if alone { "one" } else { "all" }
        >
            <header class="strip">
                <h1>{title}</h1>
                <TrustStrip board=board.clone() />
                <p class="strip-demo" hidden=board.condition(|state| !state.latest.trust.demo)>
                    <DemoBadge />
                </p>
                <WallClock board=board.clone() />
            </header>
            <TrustBand board=board.clone() />
            <div class="values">
                <Figures board=board.clone() subjects label="Now and today" paired=alone /> {rows}
            </div>
            <div class="foot">
                <TodayNote board=board.clone() />
                <p hidden=board.condition(move |state| !state.is_inferred(columns))>
                    <span class="inferred">"Dotted"</span>
                    ": worked out from calls"
                    {board.text(surer)}
                </p>
                <p hidden=board.condition(|state| !state.sure.or_more)>
                    "+: more may wait unseen"
                </p>
                <p class="legible" hidden=legible.is_empty()>
                    {legible.clone()}
                </p>
                <nav class="foot-pages" aria-label="Pages">
                    <span class="upright">
                        {if alone { "The other queues: " } else { "Service level and more of each queue: " }}
                    </span>
                    <a href=queues>"All numbers"</a>
                    <a href="/feed" hidden=is_past>
                        "Feed"
                    </a>
                    <a class="look-back" href="?at=-10m" hidden=is_past>
                        "Look back"
                    </a>
                </nav>
            </div>
            <Announcer board=board.clone() />
        </div>
    }
}

/// Until when it is less sure than usual who talks and who is available.
fn surer(state: &State) -> String {
    let from = hears_whole_calls_from(state.now, &state.latest.trust);
    from.map_or_else(String::new, |from| format!(", surer from {}", state.zone.hour_and_minute(from)))
}

/// The rows of all queues, a page of them.
#[component]
fn WallTable(
    /// Its state.
    board: LiveBoard,
    /// The numbers of a row.
    columns: &'static [Column],
    /// How many characters of the name fit.
    name_length: usize,
    /// The address of a page, without its number.
    page_address: String,
    /// The instant of the past that links must ask for.
    at: String,
) -> impl IntoView {
    let headings = columns
        .iter()
        .map(|column| {
            let face = board
                .text(move |state| if state.is_inferred(&[*column]) { "inferred" } else { "" }.to_owned());
            view! {
                <th scope="col" data-column=column.key() data-face=face>
                    <span>{column.heading()}</span>
                </th>
            }
        })
        .collect_view();
    let shape = RowShape { columns, name_length, room: Room::Wall };
    view! {
        <section class="rows" aria-label="Queues">
            <div hidden=board.condition(|state| !state.is_empty())>
                <EmptyBoard />
            </div>
            <Pager board=board.clone() address=page_address />
            <table class="wall-table" hidden=board.condition(|state| state.is_empty())>
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
                    <QueueRows board=board.clone() shape at />
                </tbody>
            </table>
        </section>
    }
}
