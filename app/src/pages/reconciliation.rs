//! The page that holds each day of each queue against Zoom's record: what was counted live, what
//! Zoom wrote down, and the calls that make the difference.
//!
//! Complete without a program: it holds no island, and loads itself again.

use domain::{
    history::{Difference, Told},
    outcome::Outcome,
    reconciliation::{Class, Counts, Reconciliation, Standing},
    time::{Timestamp, clock_face},
    trust::Trust,
};
use leptos::prelude::*;

use crate::{
    address,
    components::{
        folded::folded_list, meaning::Meaning, scroll_hint::ScrollHint, trust_band::StillTrustBand,
    },
    document::{Bar, Document, Liveness, Site},
    numeral,
    settings::Theme,
    zone::LocalZone,
};

/// What the server knows for the page.
#[derive(Debug, Clone)]
pub struct ReconciliationPage {
    /// What the server says of itself.
    pub site: Site,
    /// The server's clock.
    pub as_of: Timestamp,
    /// The zone of that.
    pub zone: LocalZone,
    /// May today's live side be believed? `None` while no board is there to ask.
    pub trust: Option<Trust>,
    /// All queues on all of the last days.
    pub total: Reconciliation,
    /// The last days, newest first.
    pub days: Vec<DaySum>,
    /// The day that is shown in full.
    pub day: DayInFull,
    /// Zoom's record was last walked through up to calls that ended then.
    pub read_until: Option<Timestamp>,
    /// What of it is being read right now, one sentence.
    pub reading: Option<String>,
}

/// All queues on one day.
#[derive(Debug, Clone)]
pub struct DaySum {
    /// The day in short: `Wed 25 Nov`.
    pub label: String,
    /// Where it is shown in full.
    pub href: String,
    /// It is the one that is shown.
    pub is_shown: bool,
    /// What it comes to.
    pub sum: Reconciliation,
}

/// One day in full.
#[derive(Debug, Clone)]
pub struct DayInFull {
    /// The day: `Wednesday 25 November 2026`.
    pub title: String,
    /// It is the day that is called today on boards: each queue's own, by its own zone.
    pub is_today: bool,
    /// The zone as it was on that day.
    pub zone: LocalZone,
    /// By queue, in the order of their names.
    pub queues: Vec<QueueDay>,
    /// Everything that Zoom wrote down of it was read.
    pub is_closed: bool,
    /// The calls that make a difference.
    pub calls: Vec<CallInQuestion>,
    /// More than are listed.
    pub has_more: bool,
    /// Only the calls of this queue are listed.
    pub only: Option<OnlyQueue>,
}

/// The queue to which the list of calls is narrowed.
#[derive(Debug, Clone)]
pub struct OnlyQueue {
    /// Its name.
    pub name: String,
    /// The day with the calls of all queues.
    pub all_href: String,
}

/// One queue on one day.
#[derive(Debug, Clone)]
pub struct QueueDay {
    /// Its name.
    pub name: String,
    /// Its own local day and zone, where that is not the installation's: `Tue 24 Nov, New York`.
    pub day: Option<String>,
    /// Where only its calls are listed.
    pub href: String,
    /// What it comes to.
    pub sum: Reconciliation,
}

/// A call that makes a difference.
#[derive(Debug, Clone)]
pub struct CallInQuestion {
    /// Zoom's id of it.
    pub call_id: String,
    /// The queue's name.
    pub queue: String,
    /// What was counted live.
    pub live: Option<Told>,
    /// What Zoom wrote down.
    pub record: Option<Told>,
    /// How it counts on that day.
    pub class: Class,
    /// It came while the feed was not provably alive.
    pub in_gap: bool,
}

/// The whole page.
pub fn reconciliation_page(page: ReconciliationPage) -> impl IntoView {
    let ReconciliationPage { site, as_of, zone, trust, total, days, day, read_until, reading } = page;
    let liveness = Liveness::Reloaded { as_of, zone: zone.clone() };
    let made_at = format!("as of {} ({})", zone.clock(as_of), zone.label);
    let band = trust.map(|trust| view! { <StillTrustBand as_of trust zone=zone.clone() /> });
    view! {
        <Document site=site.clone() title="Reconciliation".to_owned() body="desk".to_owned() theme=Theme::Auto liveness>
            <Bar site current="/reconciliation" />
            <main id="main">
                <div class="head">
                    <h1>"Reconciliation"</h1>
                    <p class="head-date">{made_at}</p>
                </div>
                {band}
                <Verdict total read_until reading zone />
                <Days days />
                <Queues title=day.title.clone() is_today=day.is_today home=day.zone.label.clone() queues=day.queues />
                <Calls calls=day.calls zone=day.zone is_closed=day.is_closed has_more=day.has_more only=day.only />
                <Meaning words=&WORDS />
            </main>
        </Document>
    }
}

/// Whether live count and record agree, in one sentence.
#[component]
fn Verdict(
    /// Of all days.
    total: Reconciliation,
    /// How far the record was read.
    read_until: Option<Timestamp>,
    /// What is being read now.
    reading: Option<String>,
    /// Of the times.
    zone: LocalZone,
) -> impl IntoView {
    let calls = |count: u32, one: &str, many: &str| {
        if count == 1 { format!("1 call {one}") } else { format!("{} calls {many}", numeral::count(count)) }
    };
    let (state, sentence) = if total.unexplained > 0 {
        (
            "lost",
            format!(
                "{}: what was counted live differs from Zoom’s record, and nothing explains it.",
                calls(total.unexplained, "is unexplained", "are unexplained")
            ),
        )
    } else if total.record.offered == 0 && total.awaited.offered > 0 {
        ("late", "Zoom’s record of these days was not read yet.".to_owned())
    } else if total.corrected > 0 {
        (
            "live",
            format!("Every difference is explained: {} corrected.", calls(total.corrected, "was", "were")),
        )
    } else if total.record.offered > 0 {
        ("live", "Live count and record agree call by call.".to_owned())
    } else {
        ("quiet", "No call of the last seven days is written down yet.".to_owned())
    };
    let read =
        read_until.map_or("Zoom’s record is read every few minutes, and after every gap.".to_owned(), |until| {
            let at = format!("{}, {}", zone.date(until), zone.hour_and_minute(until));
            format!("Zoom’s record was read up to {at}. That is done every few minutes, and for every gap; at night once more for two days.")
        });
    let awaited = total.awaited.offered;
    let awaited = (awaited > 0).then(|| {
        format!(
            " Not read yet: {} Until then Zoom’s side lacks them.",
            calls(awaited, "of today or lately.", "of today or lately.")
        )
    });
    view! {
        <div class="verdict link" data-state=state role="status">
            <span class="dot" aria-hidden="true"></span>
            <div>
                <p>
                    <strong class="unexplained">{format!("Unexplained differences: {}", numeral::count(total.unexplained))}</strong>
                    " " {sentence}
                </p>
                <p class="verdict-problem">{read} {awaited}</p>
                {reading.map(|reading| view! { <p class="verdict-problem">{reading}</p> })}
            </div>
        </div>
    }
}

/// One number of a side.
type CountOf = fn(&Counts) -> u32;

/// The numbers in which two sides are compared, by what boards call them.
const SIDES: [(&str, CountOf); 4] = [
    ("Offered", |counts| counts.offered),
    ("Answered", |counts| counts.answered),
    ("Abandoned", |counts| counts.abandoned),
    ("Short abandons", |counts| counts.short_abandoned),
];

/// What Zoom's side says: what it lacks because it was not read yet is no difference.
fn zooms(record: u32, awaited: u32) -> String {
    match (record, awaited) {
        (0, 1..) => format!("{} to check", numeral::count(awaited)),
        (_, 1..) => format!("{} + {} to check", numeral::count(record), numeral::count(awaited)),
        _ => numeral::count(record),
    }
}

/// The cells after a name.
fn cells(sum: Reconciliation) -> impl IntoView {
    let Reconciliation { live, record, corrected, awaited, unexplained, corrected_times } = sum;
    let sides = SIDES.map(|(_, of)| {
        // While calls are to be checked, whatever Zoom's side says so far is no finding yet.
        let mark = if awaited.offered > 0 {
            Some("unread")
        } else {
            (of(&live) != of(&record)).then_some("differs")
        };
        let (live, record, awaited) = (of(&live), of(&record), of(&awaited));
        view! {
            <td class="pair">{numeral::count(live)}</td>
            <td class="pair" data-mark=mark>{zooms(record, awaited)}</td>
        }
    });
    let mark = if unexplained > 0 { "act" } else { "normal" };
    view! {
        {sides.collect_view()}
        <td class="pair">{numeral::count(corrected)}</td>
        <td class="pair">{numeral::count(corrected_times)}</td>
        <td>{numeral::count(awaited.offered)}</td>
        <td class="unexplained" data-mark=mark>{numeral::count(unexplained)}</td>
    }
}

/// The two sides in words, for screens with no room for their columns.
fn folded(sum: Reconciliation) -> impl IntoView {
    let Reconciliation { live, record, awaited, corrected, corrected_times, .. } = sum;
    let corrected = format!(
        "Corrected: {}, times corrected: {}",
        numeral::count(corrected),
        numeral::count(corrected_times)
    );
    let sides = SIDES.map(|(name, of)| {
        let zoom = zooms(of(&record), of(&awaited));
        view! { <li>{format!("{name}: live {}, Zoom {zoom}", numeral::count(of(&live)))}</li> }
    });
    view! {
        <details class="folded">
            <summary>"Live and Zoom"</summary>
            <ul>{sides.collect_view()} <li>{corrected}</li></ul>
        </details>
    }
}

/// The two rows of headings over [`cells`].
#[component]
fn Headings(
    /// Over the names.
    first: &'static str,
) -> impl IntoView {
    let names = SIDES.map(|(name, _)| view! { <th scope="colgroup" colspan="2">{name}</th> });
    let sides = SIDES.map(|_| {
        view! {
            <th scope="col">"Live"</th>
            <th scope="col">"Zoom"</th>
        }
    });
    view! {
        <thead>
            <tr>
                <th scope="col" rowspan="2">{first}</th>
                {names.collect_view()}
                <th scope="col" rowspan="2" class="pair">"Corrected"</th>
                <th scope="col" rowspan="2" class="pair">"Times corrected"</th>
                <th scope="col" rowspan="2">"Not read yet"</th>
                <th scope="col" rowspan="2">"Unexplained"</th>
            </tr>
            <tr class="pair">{sides.collect_view()}</tr>
        </thead>
    }
}

/// The last days.
#[component]
fn Days(
    /// Newest first.
    days: Vec<DaySum>,
) -> impl IntoView {
    let rows = days.into_iter().map(|day| {
        let here = day.is_shown.then_some("true");
        view! {
            <tr data-mark="normal">
                <th scope="row"><a href=day.href aria-current=here>{day.label}</a> {folded(day.sum)}</th>
                {cells(day.sum)}
            </tr>
        }
    });
    view! {
        <section class="part" aria-labelledby="days">
            <h2 id="days">"By day, all queues"</h2>
            <ScrollHint on="desk" />
            <div class="scroller" tabindex="0" role="group" aria-labelledby="days">
                <table class="desk-table reconciliation-table">
                    <Headings first="Day" />
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </div>
        </section>
    }
}

/// One day by queue.
#[component]
fn Queues(
    /// The day.
    title: String,
    /// It is today.
    is_today: bool,
    /// The zone of queues that name none.
    home: String,
    /// In the order of their names.
    queues: Vec<QueueDay>,
) -> impl IntoView {
    let rows = queues.into_iter().map(|queue| {
        view! {
            <tr data-mark="normal">
                <th scope="row">
                    <a href=queue.href>{queue.name}</a>
                    {queue.day.map(|day| view! { " " <span class="row-remark">{day}</span> })}
                    {folded(queue.sum)}
                </th>
                {cells(queue.sum)}
            </tr>
        }
    });
    let rows = rows.collect_view();
    let as_boards = if is_today { ", as on boards" } else { "" };
    view! {
        <section class="part" aria-labelledby="queues">
            <h2 id="queues">{format!("{title}, by queue")}</h2>
            <p>{format!("Each queue’s day is its own, from midnight to midnight where it stands{as_boards}: in {home}, unless another place is written beside it.")}</p>
            {if rows.is_empty() {
                view! { <p class="none">"No call entered a queue on this day."</p> }.into_any()
            } else {
                view! {
                    <ScrollHint on="desk" />
                    <div class="scroller" tabindex="0" role="group" aria-labelledby="queues">
                        <table class="desk-table reconciliation-table">
                            <Headings first="Queue" />
                            <tbody>{rows}</tbody>
                        </table>
                    </div>
                }.into_any()
            }}
        </section>
    }
}

/// The calls that make the differences.
#[component]
fn Calls(
    /// Those whose record is known first.
    calls: Vec<CallInQuestion>,
    /// Of the times.
    zone: LocalZone,
    /// Nothing more of the day is to be read.
    is_closed: bool,
    /// More than are listed.
    has_more: bool,
    /// Narrowed to one queue.
    only: Option<OnlyQueue>,
) -> impl IntoView {
    let began = format!("Began ({})", zone.label);
    let rows = calls.into_iter().map(|call| {
        let standing = call.class.standing(is_closed);
        let entered = [call.live, call.record].into_iter().flatten().map(|told| told.entered_at).min();
        let mark = if standing == Standing::Unexplained { "act" } else { "normal" };
        let href = address::journey_of(&call.call_id.as_str().into());
        view! {
            <tr data-mark=mark>
                <th scope="row">{entered.map(|at| zone.clock(at))}</th>
                <td class="words">{call.queue.clone()}</td>
                <td class="words">{call.live.map_or("nothing".to_owned(), words)}</td>
                <td class="words">{call.record.map_or(silence(standing).to_owned(), words)}</td>
                <td class="words">{why(&call, standing)}</td>
                <td class="call-id"><a href=href>{call.call_id}</a></td>
            </tr>
        }
    });
    let rows: Vec<_> = rows.collect();
    let table = move |rows: Vec<_>| {
        view! {
            <ScrollHint />
            <div class="scroller" tabindex="0" role="group" aria-labelledby="calls">
                <table class="desk-table reconciliation-table calls">
                    <thead>
                        <tr>
                            <th scope="col">{began.clone()}</th>
                            <th scope="col" class="words">"Queue"</th>
                            <th scope="col" class="words">"Counted live"</th>
                            <th scope="col" class="words">"Zoom’s record says"</th>
                            <th scope="col" class="words">"Why"</th>
                            <th scope="col">"Call"</th>
                        </tr>
                    </thead>
                    <tbody>{rows.into_iter().collect_view()}</tbody>
                </table>
            </div>
        }
    };
    let narrowed = only.map(|OnlyQueue { name, all_href }| {
        view! { <p>{format!("Only calls of {name}. ")} <a href=all_href>"Show those of all queues"</a></p> }
    });
    view! {
        <section class="part" aria-labelledby="calls">
            <h2 id="calls">"The calls that make the difference"</h2>
            {narrowed}
            {if rows.is_empty() {
                let none = if is_closed {
                    "None: live count and record have every call of this day alike."
                } else {
                    "None so far: Zoom’s record of this day is not read to its end yet."
                };
                view! { <p class="none">{none}</p> }.into_any()
            } else {
                folded_list(rows, table)
            }}
            {has_more.then(|| view! { <p>"There are more. Choose a queue above to see its calls, or read /api/v1/reconciliation."</p> })}
        </section>
    }
}

/// What the words of the page mean.
const WORDS: [(&str, &str); 7] = [
    (
        "Live",
        "Visits to queues that began on this day as live events told them: what boards showed before the record was known.",
    ),
    (
        "Zoom",
        "The same visits as Zoom wrote them down after the calls. The record has the last word: boards and reports are corrected by it.",
    ),
    (
        "Corrected",
        "Calls that the two count differently and of which the record says how it really was. Each is listed with what was said and why.",
    ),
    (
        "Times corrected",
        "Counted alike, but the caller came or left at another time: live events only know when the first phone rang.",
    ),
    (
        "To check, not read yet",
        "Zoom’s record of the call is still to be read: some minutes after the call ended. Zoom’s side lacks these calls until then; that is no difference.",
    ),
    (
        "Abandoned, short abandons",
        "As on boards: callers who left unanswered, and apart from them those who left within the queue’s short time (5 s unless promised otherwise). Both sides by the same rule, Zoom’s by the wait it wrote down.",
    ),
    ("Unexplained", "Zoom’s record does not know of the visit at all. Should be 0."),
];

/// A stay in words: how it ended, and after how long.
pub(crate) fn words(told: Told) -> String {
    let wait = clock_face(told.left_at.since(told.entered_at));
    let end = match told.outcome {
        Outcome::Answered => format!("answered after {wait}"),
        Outcome::Abandoned => format!("abandoned after {wait}"),
        Outcome::ShortAbandoned => format!("short abandon after {wait}"),
        Outcome::Overflowed => format!("overflow after {wait}"),
        Outcome::Voicemail => format!("voicemail after {wait}"),
        Outcome::TransferredOut => format!("transferred after {wait}"),
        Outcome::Waiting => format!("waiting for {wait}"),
    };
    if told.presumed { format!("{end}, presumably") } else { end }
}

/// What stands where the record says nothing.
fn silence(standing: Standing) -> &'static str {
    match standing {
        Standing::Awaited => "not read yet",
        _ => "nothing",
    }
}

/// Why the two sides differ, as far as that is known.
fn why(call: &CallInQuestion, standing: Standing) -> &'static str {
    match standing {
        Standing::Awaited => "The record is read some minutes after the call.",
        Standing::Unexplained if call.class.is_recorded => "Zoom wrote the call down without this visit.",
        Standing::Unexplained => "Zoom never wrote this call down.",
        _ if call.class.live.is_some() != call.class.record.is_some()
            && call.live.is_some()
            && call.record.is_some() =>
        {
            "It began before midnight; its first phone rang after."
        }
        _ if call.in_gap => "Callboard could not hear Zoom at that time.",
        _ => match call.class.difference {
            Some(Difference::Missed) => "No phone rang for it, or its events never came.",
            _ if call.live.is_some_and(|told| told.presumed) => {
                "No event said how it ended; the record does."
            }
            _ => "An event of the call never came, or live events cannot tell.",
        },
    }
}
