//! Every component in all its states, in both themes: what people and tests look at.

pub mod sample;

use std::time::Duration;

use domain::{
    agent::view::AgentsView,
    trust::Trust,
    view::{BoardView, Level, QueueView},
};
use leptos::prelude::*;

use self::sample::NOW;
use super::{
    agents::{AgentsDesk, Tools as AgentsTools},
    queues::{QueuesDesk, Tools},
    wall::{WallScreen, WallSubject},
};
use crate::{
    components::{
        definitions::Definitions,
        empty_board::EmptyBoard,
        state_mark::{Mark, StateMark},
    },
    document::{Bar, Document, Liveness, Site},
    live_agents::LiveAgents,
    live_board::{LiveBoard, Turning, WallShape},
    row_order::{Order, Stillness},
    settings::{AgentsSettings, DeskSettings, Place, Theme, WallSettings},
    wall_layout::WallLayout,
    zone::LocalZone,
};

/// Tokens that are colours, in the order of the style sheet.
const TOKENS: [&str; 16] = [
    "ground",
    "surface",
    "raised",
    "line",
    "edge",
    "text",
    "muted",
    "accent",
    "watch",
    "watch-ground",
    "watch-text",
    "act",
    "act-ground",
    "act-text",
    "stale",
    "stale-ground",
];

const THEMES: [Theme; 2] = [Theme::Dark, Theme::Light];

/// The whole page. Its boards hold still: every state can be looked at.
pub fn style_page(site: Site) -> impl IntoView {
    let subject = WallSubject::AllQueues;
    let (busy, trust) = (sample::busy, sample::trust);
    let walls = [
        ("Wall: live", wall(view(busy(), trust()), 0, subject, None)),
        ("Wall: calm", wall(view(sample::calm(), trust()), 0, subject, None)),
        ("Wall: late, 7 seconds without the server", wall(view(busy(), trust()), 7, subject, None)),
        ("Wall: stale, the server is lost", wall(view(busy(), trust()), 31, subject, None)),
        (
            "Wall: stale, the Zoom feed is lost, with a gap",
            wall(view(busy(), sample::broken_trust()), 0, subject, None),
        ),
        ("Wall: blind", wall(view(busy(), trust()), 400, subject, None)),
        ("Wall: no queues", wall(view(Vec::new(), trust()), 0, subject, None)),
        ("Wall: one queue", wall(view(busy().drain(..1).collect(), trust()), 0, WallSubject::OneQueue, None)),
        (
            "Wall: long names, great numbers, unknown",
            wall(view(sample::extreme(), trust()), 0, subject, None),
        ),
        ("Wall: pages", wall(view(sample::many(), trust()), 0, subject, None)),
        (
            "Wall: 55 inches from 5 metres",
            wall(view(busy(), trust()), 0, subject, Some(Place { diagonal_tenths: 550, distance_cm: 500 })),
        ),
    ];
    let desks = [
        ("Desk: live", desk(view(busy(), trust()), 0)),
        ("Desk: stale, the Zoom feed is lost, with a gap", desk(view(busy(), sample::broken_trust()), 0)),
        ("Desk: blind", desk(view(busy(), trust()), 400)),
        ("Desk: no queues", desk(view(Vec::new(), trust()), 0)),
        ("Desk: long names, great numbers, unknown", desk(view(sample::extreme(), trust()), 0)),
    ];
    let no_scope = "Who is offline is not known: check the scopes of the Zoom app, then activate it again.";
    let agents = [
        ("Agents: every state", agents(sample::agents(), 0)),
        (
            "Agents: presence cannot be read, the Zoom feed is lost",
            agents(
                AgentsView {
                    presence_problem: Some(no_scope.to_owned()),
                    trust: sample::broken_trust(),
                    ..sample::agents()
                },
                0,
            ),
        ),
        ("Agents: nobody", agents(AgentsView { agents: Vec::new(), ..sample::agents() }, 0)),
    ];
    let agents = agents.into_iter().map(|(title, sample)| view! { <Samples title sample /> }).collect_view();
    let walls = walls.into_iter().map(|(title, sample)| view! { <Samples title sample /> }).collect_view();
    let desks = desks.into_iter().map(|(title, sample)| view! { <Samples title sample /> }).collect_view();
    view! {
        <Document
            site=site.clone()
            title="Components".to_owned()
            body="style-page".to_owned()
            theme=Theme::Auto
            liveness=Liveness::Still
        >
            <Bar site current="/style" />
            <main id="main">
                <h1>"Components"</h1>
                <p class="lead">
                    "Every part of the product in all its states, in both themes, with made-up data that holds still."
                </p>
                <Samples title="Colours" sample=Box::new(|| swatches().into_any()) />
                <Samples title="State marks" sample=Box::new(|| marks().into_any()) />
                <Samples title="Nothing to show yet" sample=Box::new(|| view! { <div class="plain"><EmptyBoard /></div> }.into_any()) />
                {walls}
                {desks}
                {agents}
                <Definitions />
            </main>
        </Document>
    }
}

/// Draws a sample; called once for each theme.
type Sample = Box<dyn Fn() -> AnyView + Send>;

/// A sample in both themes, with its title.
#[component]
fn Samples(
    /// What it shows.
    title: &'static str,
    /// How to draw it.
    sample: Sample,
) -> impl IntoView {
    let samples = THEMES
        .into_iter()
        .map(|theme| {
            view! {
                <div class="samples-theme" data-theme=theme.word()>
                    {sample()}
                </div>
            }
        })
        .collect_view();
    view! {
        <section aria-label=title>
            <h2>{title}</h2>
            <div class="samples">{samples}</div>
        </section>
    }
}

fn view(queues: Vec<QueueView>, trust: Trust) -> BoardView {
    sample::view(queues, trust)
}

fn zone() -> LocalZone {
    LocalZone {
        name: "Europe/Berlin".to_owned(),
        label: "Berlin".to_owned(),
        offset_seconds: 3600,
        next_offset: None,
    }
}

/// A board that last heard of the server so many seconds ago.
fn board(view: BoardView, order: Order, turning: Turning, silence: u64) -> LiveBoard {
    let board = LiveBoard::new(view, zone(), order, turning);
    board.tick(NOW + Duration::from_secs(silence), Stillness::MayMove);
    board
}

fn wall(view: BoardView, silence: u64, subject: WallSubject, place: Option<Place>) -> Sample {
    Box::new(move || {
        let settings = WallSettings { place, ..WallSettings::default() };
        let layout = WallLayout::of(&settings, view.queues.len());
        let wall = WallShape::new(&layout, subject, &settings);
        let turning = Turning { per_page: usize::from(layout.rows), seconds: 0 };
        let board = board(view.clone(), Order::Trouble, turning, silence);
        let title = match subject {
            WallSubject::AllQueues => "Support floor".to_owned(),
            WallSubject::OneQueue => "Billing".to_owned(),
        };
        let class = format!("sample wall {}", layout.size);
        view! {
            <div class=class>
                <WallScreen board title wall />
            </div>
        }
        .into_any()
    })
}

fn desk(view: BoardView, silence: u64) -> Sample {
    Box::new(move || {
        let board = board(view.clone(), Order::Trouble, Turning::NONE, silence);
        view! {
            <div class="sample desk">
                <QueuesDesk board order=Order::Trouble find=String::new() theme=String::new()>
                    <Tools settings=DeskSettings::default() at=String::new() />
                </QueuesDesk>
            </div>
        }
        .into_any()
    })
}

fn agents(view: AgentsView, silence: u64) -> Sample {
    Box::new(move || {
        let settings = AgentsSettings::default();
        let agents = LiveAgents::new(view.clone(), zone(), settings.order, None);
        agents.tick(NOW + Duration::from_secs(silence), Stillness::MayMove);
        view! {
            <div class="sample desk">
                <AgentsDesk agents settings=settings.clone() queues=view.queues.clone()>
                    <AgentsTools settings />
                </AgentsDesk>
            </div>
        }
        .into_any()
    })
}

fn marks() -> impl IntoView {
    let marks = [
        Mark::Level(Level::Normal),
        Mark::NobodyFree,
        Mark::Level(Level::Watch),
        Mark::Level(Level::Act),
        Mark::Stale,
    ];
    marks
        .into_iter()
        .map(|mark| {
            view! {
                <p class="plain" data-mark=mark.key()>
                    <StateMark word=Box::new(move || mark.word().to_owned()) />
                </p>
            }
        })
        .collect_view()
}

fn swatches() -> impl IntoView {
    let swatches = TOKENS
        .into_iter()
        .map(|token| {
            view! {
                <li class="swatch" data-token=token>
                    {token}
                </li>
            }
        })
        .collect_view();
    view! { <ul class="swatches">{swatches}</ul> }
}
