//! The journey of one call: a row for each party on one axis of time, what was seen live beside what the
//! record says, and everything that was written down beneath.
//!
//! Complete without a program: it holds no island.

use domain::{history::Told, journey::BlockKind};
use leptos::prelude::*;

use super::reconciliation;
use crate::{
    components::scroll_hint::ScrollHint,
    document::{Bar, Document, Liveness, PageLink, Site},
    settings::Theme,
};

/// What the server knows for the page. Times are text of the zone that is named.
#[derive(Debug, Clone)]
pub struct CallPage {
    /// What the server says of itself.
    pub site: Site,
    /// The zone of all times, by its full name.
    pub zone: String,
    /// What is known of the whole call, with names.
    pub facts: Vec<(&'static str, String)>,
    /// What names it elsewhere.
    pub identifiers: Vec<(&'static str, String)>,
    /// Ways to call the other end.
    pub links: Vec<PageLink>,
    /// It is going on.
    pub live: Option<LiveNow>,
    /// The axis of time, where there is one.
    pub axis: Option<TimeAxis>,
    /// The parties.
    pub rows: Vec<JourneyRow>,
    /// The rows are of the record; else of what events told.
    pub is_recorded: bool,
    /// Visits to queues.
    pub visits: Vec<VisitSides>,
    /// The steps of the record as they were written down.
    pub steps: Vec<RawStep>,
    /// The events as they came.
    pub events: RawEvents,
}

/// A call that is going on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveNow {
    /// In a sentence.
    pub words: String,
    /// The queue it is with.
    pub queue: Option<PageLink>,
}

/// An axis of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeAxis {
    /// Its beginning, middle and end.
    pub ticks: [String; 3],
}

/// Everything of one party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JourneyRow {
    /// Its name and number.
    pub name: String,
    /// What it is.
    pub kind: &'static str,
    /// In the order of time.
    pub blocks: Vec<JourneyBlock>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JourneyBlock {
    /// Its word in style sheets.
    pub kind: &'static str,
    /// What a person reads.
    pub words: String,
    /// When it began.
    pub from: String,
    /// How long it was.
    pub length: String,
    /// Where it begins on the axis, of 1,000.
    pub x: u64,
    /// How much of the axis it takes, of 1,000.
    pub width: u64,
}

/// A visit with both of its sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitSides {
    /// The queue.
    pub queue: String,
    /// Its page.
    pub queue_href: String,
    /// How it ended.
    pub outcome: String,
    /// How long the caller waited.
    pub wait: String,
    /// What was seen live.
    pub live: Option<Told>,
    /// What the record says.
    pub record: Option<Told>,
    /// How the two differ, in a sentence.
    pub difference: &'static str,
}

/// A step as it was written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawStep {
    /// Names and values.
    pub fields: Vec<(String, String)>,
}

/// The events of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RawEvents {
    /// In the order in which they came.
    Found(Vec<RawEvent>),
    /// They are too old to be looked through one by one.
    Packed,
    /// Looking for them took too long.
    NotFoundInTime,
}

/// An event as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawEvent {
    /// When.
    pub time: String,
    /// Its name.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// The whole page.
pub fn call_page(page: CallPage) -> impl IntoView {
    let CallPage {
        site,
        zone,
        facts,
        identifiers,
        links,
        live,
        axis,
        rows,
        is_recorded,
        visits,
        steps,
        events,
    } = page;
    let sheet = site.assets.analytics;
    let facts = facts.into_iter().map(|(name, value)| view! { <div><dt>{name}</dt><dd>{value}</dd></div> });
    let links = links.into_iter().map(|PageLink { label, href }| {
        view! { <a class="button" href=href>{label}</a> }
    });
    let live = live.map(|LiveNow { words, queue }| {
        let queue = queue.map(|PageLink { label, href }| view! { " " <a href=href>{label}</a> });
        view! { <p class="doubt" role="status">{words} {queue}</p> }
    });
    view! {
        <Document
            site=site.clone()
            title="Call".to_owned()
            body="desk".to_owned()
            theme=Theme::Auto
            liveness=Liveness::Still
            sheet
        >
            <Bar site current="" />
            <main id="main">
                <div class="head">
                    <h1>"One call"</h1>
                    <p class="head-date">{format!("times of {zone}")}</p>
                    <p class="head-links"><a href="/calls">"All calls"</a></p>
                </div>
                {live}
                <dl class="call-facts">{facts.collect_view()}</dl>
                <div class="tools">{links.collect_view()}</div>
                <Timeline axis rows is_recorded />
                <Sides visits />
                <Identifiers identifiers />
                <Raw steps events />
            </main>
        </Document>
    }
}

/// The rows, and the same as a table.
#[component]
fn Timeline(
    /// Where there is one.
    axis: Option<TimeAxis>,
    /// The parties.
    rows: Vec<JourneyRow>,
    /// They are of the record.
    is_recorded: bool,
) -> impl IntoView {
    let source = if is_recorded {
        "By Zoom’s record. On hold is part of talking: the record says for how long, not when."
    } else {
        "By events alone: Zoom’s record of this call was not read yet, and only it knows every step."
    };
    let Some(TimeAxis { ticks }) = axis else {
        return view! {
            <section class="part" aria-labelledby="journey">
                <h2 id="journey">"Its journey"</h2>
                <p class="none">"Nothing with a time is written down of it yet."</p>
            </section>
        }
        .into_any();
    };
    let present =
        |kind: &BlockKind| rows.iter().flat_map(|row| &row.blocks).any(|block| block.kind == kind.word());
    let legend = BlockKind::ALL.into_iter().filter(present).map(|kind| {
        view! { <li data-block=kind.word()>{kind.word()}</li> }
    });
    let legend = legend.collect_view();
    let twin =
        rows.iter().flat_map(|row| row.blocks.iter().map(move |block| (row.name.clone(), block.clone())));
    let twin = twin.map(|(name, block)| {
        view! {
            <tr data-mark="normal">
                <th scope="row">{name}</th>
                <td class="words">{block.words}</td>
                <td class="words">{block.from}</td>
                <td>{block.length}</td>
            </tr>
        }
    });
    let twin = twin.collect_view();
    let lines = rows.into_iter().map(|JourneyRow { name, kind, blocks }| {
        let told: Vec<String> = blocks.iter().map(|block| format!("{}, {}", block.words, block.length)).collect();
        let told = format!("{name}: {}", told.join("; "));
        let blocks = blocks.into_iter().map(|block| {
            view! {
                <rect data-block=block.kind x=block.x.to_string() y="0" width=block.width.to_string() height="20">
                    <title>{format!("{}, {} from {}", block.words, block.length, block.from)}</title>
                </rect>
            }
        });
        view! {
            <li>
                <p class="party">{name} " " <span class="row-remark">{kind}</span></p>
                <svg viewBox="0 0 1000 20" preserveAspectRatio="none" role="img" aria-label=told>
                    {blocks.collect_view()}
                </svg>
            </li>
        }
    });
    let ticks = ticks.map(|tick| view! { <span>{tick}</span> });
    view! {
        <section class="part" aria-labelledby="journey">
            <h2 id="journey">"Its journey"</h2>
            <p>{source}</p>
            <ul class="block-legend">{legend}</ul>
            <div class="journey">
                <ol>{lines.collect_view()}</ol>
                <p class="ticks" aria-hidden="true">{ticks.collect_view()}</p>
            </div>
            <details>
                <summary>"The same as a table"</summary>
                <ScrollHint />
                <div class="scroller" tabindex="0" role="group" aria-labelledby="journey">
                    <table class="desk-table record-table calls-table">
                        <thead>
                            <tr>
                                <th scope="col">"Who"</th>
                                <th scope="col" class="words">"What"</th>
                                <th scope="col" class="words">"From"</th>
                                <th scope="col">"Lasted"</th>
                            </tr>
                        </thead>
                        <tbody>{twin}</tbody>
                    </table>
                </div>
            </details>
        </section>
    }
    .into_any()
}

/// What was seen live beside what the record says.
#[component]
fn Sides(
    /// Visits, in the order they began.
    visits: Vec<VisitSides>,
) -> impl IntoView {
    let rows = visits.into_iter().map(|visit| {
        view! {
            <tr data-mark="normal">
                <th scope="row"><a href=visit.queue_href>{visit.queue}</a></th>
                <td class="words">{visit.outcome}</td>
                <td>{visit.wait}</td>
                <td class="words">{visit.live.map_or("nothing".to_owned(), reconciliation::words)}</td>
                <td class="words">{visit.record.map_or("nothing".to_owned(), reconciliation::words)}</td>
                <td class="words">{visit.difference}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! {
        <section class="part" aria-labelledby="visits">
            <h2 id="visits">"Its visits to queues: seen live, and by the record"</h2>
            {if rows.is_empty() {
                view! { <p class="none">"None that is over: the call was with no queue, or still is with one."</p> }.into_any()
            } else {
                view! {
                    <ScrollHint />
                    <div class="scroller" tabindex="0" role="group" aria-labelledby="visits">
                        <table class="desk-table record-table calls-table">
                            <thead>
                                <tr>
                                    <th scope="col">"Queue"</th>
                                    <th scope="col" class="words">"Outcome"</th>
                                    <th scope="col">"Waited"</th>
                                    <th scope="col" class="words">"Seen live"</th>
                                    <th scope="col" class="words">"Zoom’s record says"</th>
                                    <th scope="col" class="words">"Difference"</th>
                                </tr>
                            </thead>
                            <tbody>{rows}</tbody>
                        </table>
                    </div>
                }.into_any()
            }}
        </section>
    }
}

/// What names the call elsewhere.
#[component]
fn Identifiers(
    /// With what they name.
    identifiers: Vec<(&'static str, String)>,
) -> impl IntoView {
    let rows = identifiers.into_iter().map(|(name, id)| {
        view! { <div><dt>{name}</dt><dd><code>{id}</code></dd></div> }
    });
    view! {
        <section class="part" aria-labelledby="identifiers">
            <h2 id="identifiers">"Identifiers"</h2>
            <dl class="call-facts identifiers">{rows.collect_view()}</dl>
        </section>
    }
}

/// Everything beneath, folded.
#[component]
fn Raw(
    /// Of the record.
    steps: Vec<RawStep>,
    /// As they came.
    events: RawEvents,
) -> impl IntoView {
    let steps = steps.into_iter().map(|RawStep { fields }| {
        let fields = fields.into_iter().map(|(name, value)| {
            view! { <div><dt>{name}</dt><dd>{value}</dd></div> }
        });
        view! { <li><dl class="call-facts">{fields.collect_view()}</dl></li> }
    });
    let steps: Vec<_> = steps.collect();
    let summary = format!("The record’s steps: {}", steps.len());
    let steps = if steps.is_empty() {
        view! { <p class="none">"None was read yet."</p> }.into_any()
    } else {
        view! { <ol class="raw">{steps.into_iter().collect_view()}</ol> }.into_any()
    };
    let (heading, events) = match events {
        RawEvents::Found(events) => {
            let heading = format!("Events as they came: {}", events.len());
            let items = events.into_iter().map(|RawEvent { time, name, text }| {
                view! { <li><p>{time} " " <strong>{name}</strong></p> <pre>{text}</pre></li> }
            });
            (heading, view! { <ol class="raw">{items.collect_view()}</ol> }.into_any())
        }
        RawEvents::Packed => (
            "Events as they came: packed".to_owned(),
            view! { <p>"Events older than a day are packed, thousands together; boards of that time can be shown from them, single events cannot."</p> }
                .into_any(),
        ),
        RawEvents::NotFoundInTime => (
            "Events as they came: not found in time".to_owned(),
            view! { <p>"Too many events came at that time to be looked through within a second."</p> }.into_any(),
        ),
    };
    view! {
        <section class="part" aria-labelledby="raw">
            <h2 id="raw">"What it was made from"</h2>
            <details><summary>{summary}</summary> {steps}</details>
            <details><summary>{heading}</summary> {events}</details>
        </section>
    }
}
