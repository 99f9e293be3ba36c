//! The desk's page of all queues: every number, sortable, with its definition.

use domain::view::BoardView;
use leptos::prelude::*;

use crate::{
    address,
    column::{Column, Room},
    components::{
        announcer::Announcer,
        definitions::Definitions,
        desk_head::DeskHead,
        empty_board::EmptyBoard,
        figure::{Figures, Subject},
        past_band::{PastBand, PastView},
        queue_row::{QueueRows, RowShape},
        scroll_hint::ScrollHint,
        sort_heading::SortHeading,
        trust_strip::TodayNote,
    },
    document::{Bar, Document, Liveness, Site, StartData},
    live_board::{BoardStart, LiveBoard, WallShape},
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
    /// The instant, when it is not now.
    pub past: Option<PastView>,
}

/// The whole page.
pub fn queues_page(page: QueuesPage) -> impl IntoView {
    let QueuesPage { site, stream_url, view, settings, zone, past } = page;
    let theme = settings.theme;
    let liveness = Liveness::of(&view, &zone, past.as_ref());
    let at = past.as_ref().map(|past| past.instant(past.at)).unwrap_or_default();
    let start = BoardStart {
        title: "Queues".to_owned(),
        stream_url,
        at: at.clone(),
        build_id: site.build_id.clone(),
        view,
        zone,
        order: settings.order,
        find: settings.find.clone(),
        theme: settings.theme_word().to_owned(),
        wall: WallShape::default(),
    };
    // The island finds it here on the server, and in the page's data in the browser.
    provide_context(start.clone());
    let is_past = past.is_some().then_some("yes");
    view! {
        <Document
            site=site.clone()
            title="Queues".to_owned()
            body="desk".to_owned()
            theme
            liveness
            skip=Some(("#rows", "Skip to the queues"))
        >
            <Bar site current="/queues" at=at.clone() />
            <main id="main" data-past=is_past>
                <StartData start />
                {past.map(|past| view! { <PastBand past /> })}
                <LiveQueues>
                    <Tools settings at />
                </LiveQueues>
                <Definitions />
            </main>
        </Document>
    }
}

/// Finding and sorting: links and a form, so that they work without the program.
///
/// Where the program runs, `crate::browser` hears what is typed and finds at once.
#[component]
pub fn Tools(
    /// What the address asks for.
    settings: DeskSettings,
    /// The instant of the past that links must ask for, empty on a board of now.
    at: String,
) -> impl IntoView {
    let sort = settings.sort_word();
    let theme = settings.theme_word();
    let by_trouble = settings.order == Order::Trouble;
    let all = address::with_query("/queues", &[("sort", &sort), ("theme", theme), ("at", &at)]);
    view! {
        <form class="tools" method="get" action="/queues" role="search">
            <input
                aria-label="Find a queue"
                name="find"
                r#type="search"
                autocomplete="off"
                placeholder="Find by name or extension"
                value=settings.find.clone()
            />
            {(!sort.is_empty()).then(|| view! { <input r#type="hidden" name="sort" value=sort /> })}
            {(!theme.is_empty()).then(|| view! { <input r#type="hidden" name="theme" value=theme /> })}
            {(!at.is_empty()).then(|| view! { <input r#type="hidden" name="at" value=at.clone() /> })}
            <button r#type="submit" class="find-button">
                "Find"
            </button>
            {(!settings.find.is_empty()).then(|| view! { <a class="sorting" href=all>"Show all queues"</a> })}
            <span class="tools-space"></span>
            {at.is_empty().then(|| view! { <a class="sorting" href="/queues?at=-10m">"Look back"</a> })}
            {if by_trouble {
                view! { <span class="sorting">"Sorted by trouble"</span> }.into_any()
            } else {
                let address = settings.sorted_address(Order::Trouble, &at);
                view! { <a class="sorting" href=address>"Sort by trouble"</a> }.into_any()
            }}
        </form>
    }
}

/// The live part of the desk's page.
#[island]
pub fn LiveQueues(
    /// Finding and sorting, which need no program.
    children: Children,
) -> impl IntoView {
    let start = BoardStart::of_this_page()?;
    Some(view! {
        <QueuesDesk board=start.board() order=start.order find=start.find theme=start.theme at=start.at rows_id="rows">
            {children()}
        </QueuesDesk>
    })
}

/// Everything live on the desk's page.
#[component]
pub fn QueuesDesk(
    /// Its state.
    board: LiveBoard,
    /// What decides the order of rows.
    order: Order,
    /// What the address looks for.
    find: String,
    /// The theme that links must ask for.
    theme: String,
    /// The instant of the past that links must ask for, empty on a board of now.
    #[prop(optional)]
    at: String,
    /// The `id` of the rows, for links within the page.
    #[prop(optional)]
    rows_id: Option<&'static str>,
    /// Finding and sorting, between the figures and the table.
    children: Children,
) -> impl IntoView {
    let headings = [Column::State, Column::Queue]
        .iter()
        .chain(&Column::DESK)
        .map(|column| {
            let sort = order.after_click(*column).word();
            let href = address::with_query(
                "/queues",
                &[("sort", &sort), ("find", &find), ("theme", &theme), ("at", &at)],
            );
            view! {
                <SortHeading key=column.key() label=column.heading() descending=order.by(*column) href=Some(href) />
            }
        })
        .collect_view();
    let shape = RowShape { columns: &Column::DESK, name_length: usize::MAX, room: Room::Desk };
    view! {
        <div class="screen" data-freshness=board.text(|state| state.standing.word().to_owned())>
            <DeskHead board=board.clone() title="Queues" />
            <div class="values">
                <Figures board=board.clone() subjects=&Subject::DESK label="All queues" />
                <TodayNote board=board.clone() in_full=true />
                {children()}
                <div hidden=board.condition(|state| !state.is_empty())>
                    <EmptyBoard />
                </div>
                <p class="empty" hidden=board.condition(|state| !state.finds_nothing())>
                    "No queue’s name or extension contains “"
                    <span>{board.text(|state| state.find.clone())}</span>
                    "”."
                </p>
                <ScrollHint on="anywhere" />
                <div
                    class="scroller"
                    role="region"
                    aria-label="Table of queues"
                    hidden=board.condition(|state| state.is_empty() || state.finds_nothing())
                >
                    <table class="desk-table">
                        <caption class="unseen">"Call queues now and today"</caption>
                        <thead>
                            <tr>{headings}</tr>
                        </thead>
                        <tbody id=rows_id>
                            <QueueRows board=board.clone() shape at />
                        </tbody>
                    </table>
                </div>
            </div>
            <Announcer board=board.clone() />
        </div>
    }
}
