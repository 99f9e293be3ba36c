//! What stands behind the numbers of one queue: each with its definition, its formula and how sure it
//! is, and the calls it counts.
//!
//! Complete without a program: it holds no island, and loads itself again.

mod waits;

use std::time::Duration;

use domain::{
    board::{CallPhase, LiveCall, LostVisit, QueueDetail},
    call::{Leg, LegState},
    id::{CallId, QueueId},
    service_level::{Definition, Promise, ServiceLevels},
    time::{Timestamp, clock_face},
    trust::{Freshness, Trust},
    view::{Figures, QueueView},
    volume::WaitTable,
};
use leptos::prelude::*;

use self::waits::TodaysWaits;
use crate::{
    address,
    column::{Column, OR_MORE, Room},
    components::{
        folded::folded_list,
        past_band::{PastBand, PastView},
        scroll_hint::ScrollHint,
        trust_band::StillTrustBand,
    },
    document::{Bar, Document, Liveness, Site},
    numeral,
    settings::Theme,
    standing::{self, Standing},
    zone::LocalZone,
};

/// What the server knows about the page of one queue.
#[derive(Debug, Clone)]
pub struct QueuePage {
    /// What the server says of itself.
    pub site: Site,
    /// Of every time on the page.
    pub zone: LocalZone,
    /// When its values were true.
    pub as_of: Timestamp,
    /// May it be believed?
    pub trust: Trust,
    /// The queue's row.
    pub queue: QueueView,
    /// What stands behind it.
    pub detail: QueueDetail,
    /// How long today's callers waited; `None` where that is not known: of the past.
    pub waits: Option<WaitTable>,
    /// The instant, when it is not now.
    pub past: Option<PastView>,
}

/// More rows than this are nobody's to read.
const MOST_ROWS: usize = 200;

/// The whole page.
pub fn queue_page(page: QueuePage) -> impl IntoView {
    let QueuePage { site, zone, as_of, trust, queue, detail, waits, past } = page;
    let QueueDetail { promise, service_levels, outcomes, calls, lost } = detail;
    let liveness = match past {
        None => Liveness::Reloaded { as_of, zone: zone.clone() },
        Some(_) => Liveness::Still,
    };
    let at = past.as_ref().map(|past| past.instant(past.at)).unwrap_or_default();
    let made_at = format!("as of {} ({})", zone.clock(as_of), zone.label);
    let gap = trust.gap.map(|gap| {
        let until = gap.to.map_or("now".to_owned(), |to| zone.clock(to));
        format!(
            "Today incomplete: events may have been missed from {} to {until}, and Zoom’s record of that time is not \
             read yet. Calls that went on then are marked until something is heard of them again.",
            zone.clock(gap.from)
        )
    });
    let standing = Standing::of(as_of, as_of, &trust);
    // What was last known of calls is no statement about now.
    let heard_until = (standing.freshness >= Freshness::Stale).then(|| zone.clock(standing.as_of));
    let mut calls = calls;
    if heard_until.is_some() {
        calls.iter_mut().for_each(|call| call.unconfirmed = true);
    }
    let doubt = standing::doubt(as_of, &trust, &zone);
    let notes = gap.into_iter().chain(doubt);
    let notes = notes.map(|note| view! { <p class="doubt" role="status">{note}</p> }).collect_view();
    let of_phase = |wanted: &[CallPhase]| -> Vec<LiveCall> {
        calls.iter().filter(|call| wanted.contains(&call.phase)).cloned().collect()
    };
    let waiting = of_phase(&[CallPhase::Waiting, CallPhase::Ringing]);
    let may_hide = queue.may_hide_callers();
    let talking = of_phase(&[CallPhase::Talking]);
    let held = of_phase(&[CallPhase::OnHold, CallPhase::Parked]);
    let outcomes = outcomes
        .into_iter()
        .map(|(outcome, count)| {
            view! {
                <tr data-mark="normal">
                    <th scope="row">{outcome.words()}</th>
                    <td>{numeral::count(count)}</td>
                </tr>
            }
        })
        .collect_view();
    let title = queue.name.clone();
    let extension = queue.extension_number.clone().map(|number| format!("extension {number}, "));
    let wall = address::with_query(&address::wall_of(&queue.id), &[("at", &at)]);
    let queues = address::with_query("/queues", &[("at", &at)]);
    let look_back = address::with_query(&address::behind(&queue.id), &[("at", "-10m")]);
    let is_now = past.is_none();
    let is_past = past.is_some().then_some("yes");
    let calls_of_it = address::with_query("/calls", &[("queue", queue.id.as_str())]);
    let report_of_it = address::with_query("/reports", &[("queue", queue.id.as_str())]);
    view! {
        <Document site=site.clone() title=title.clone() body="desk".to_owned() theme=Theme::Auto liveness>
            <Bar site current="" at />
            <main id="main" data-past=is_past>
                {past.map(|past| view! { <PastBand past /> })}
                <div class="head">
                    <h1>{title}</h1>
                    <p class="head-date">{extension} {made_at}</p>
                    <p class="head-links">
                        <a href=queues>"All queues"</a>
                        <a href=wall>"Its wall"</a>
                        <a href=calls_of_it hidden=is_past.is_some()>"Its calls"</a>
                        <a href=report_of_it hidden=is_past.is_some()>"Its report"</a>
                        <a class="look-back" href=look_back hidden=is_past.is_some()>"Look back"</a>
                    </p>
                </div>
                <StillTrustBand as_of trust zone=zone.clone() />
                {notes}
                <Checked id=queue.id.clone() figures=queue.figures is_now=is_past.is_none() />
                <Calls
                    anchor="waiting-calls"
                    title="Waiting now"
                    or_more=may_hide
                    none=if may_hide {
                        "Nobody seen. More may wait: events of them may have been missed, or no phone rings for them."
                    } else {
                        "Nobody whom a phone has rung for. Callers for whom no phone has rung yet cannot be seen."
                    }
                    calls=waiting
                    heard_until=heard_until.clone()
                    is_now
                    as_of
                    zone=zone.clone()
                />
                <Calls
                    anchor="talking-calls"
                    title="Talking now"
                    none="Nobody. A caller appears here when a member answers."
                    calls=talking
                    heard_until=heard_until.clone()
                    is_now
                    as_of
                    zone=zone.clone()
                />
                <Calls
                    anchor="on_hold-calls"
                    title="On hold or parked now"
                    none="Nobody."
                    calls=held
                    heard_until=heard_until.clone()
                    is_now
                    as_of
                    zone=zone.clone()
                />
                <Numbers queue as_of />
                <Lost lost is_now zone />
                <Promised promise levels=service_levels />
                {waits.map(|waits| view! { <TodaysWaits waits /> })}
                <section class="part" aria-labelledby="outcomes">
                    <h2 id="outcomes">"Visits of today by outcome"</h2>
                    <p>"Each visit has exactly one. Together they are the offered."</p>
                    <div class="scroller" tabindex="0" role="group" aria-labelledby="outcomes">
                        <table class="desk-table record-table short-table">
                            <thead>
                                <tr>
                                    <th scope="col">"Outcome"</th>
                                    <th scope="col">"Visits"</th>
                                </tr>
                            </thead>
                            <tbody>{outcomes}</tbody>
                        </table>
                    </div>
                </section>
            </main>
        </Document>
    }
}

/// How far the numbers of today are held against Zoom's record, and why that moves them.
#[component]
fn Checked(
    /// The queue's.
    id: QueueId,
    /// Its numbers.
    figures: Figures,
    /// What the record changed can be looked at.
    is_now: bool,
) -> impl IntoView {
    let checked = standing::checked_today(&figures)?;
    let left = figures.offered_today.saturating_sub(figures.measured_today);
    let meaning = if left == 0 {
        "No number of today rests on events alone.".to_owned()
    } else {
        format!(
            "The other {} go on, or their record is not read yet, which takes some minutes after a call: their waits \
             count from the first ring only, and who left before a phone rang is not among them. Offered and abandoned \
             may still rise, and the service level may fall.",
            numeral::count(left)
        )
    };
    let href = format!("{}#calls", address::with_query("/reconciliation", &[("queue", id.as_str())]));
    let changed = is_now.then(|| view! { <a href=href>"What the record changed"</a> });
    Some(view! {
        <p class="today">
            <span>
                <strong>{format!("{checked}.")}</strong>
                " "
                {meaning}
                " "
                {changed}
            </span>
        </p>
    })
}

/// Every number of the queue's row, with what it is, how it is counted and how sure it is.
#[component]
fn Numbers(
    /// Whose.
    queue: QueueView,
    /// When.
    as_of: Timestamp,
) -> impl IntoView {
    let rows = Column::DESK
        .into_iter()
        .map(|column| {
            let face = column.face(&queue, as_of, Room::Desk);
            let behind = match column {
                Column::Waiting | Column::Longest | Column::Ringing => Some("#waiting-calls"),
                Column::Talking => Some("#talking-calls"),
                Column::OnHold => Some("#on_hold-calls"),
                Column::Abandoned | Column::Short => Some("#lost"),
                Column::ServiceLevel => Some("#service-levels"),
                Column::Offered | Column::Answered | Column::Elsewhere => Some("#outcomes"),
                Column::Queue | Column::State | Column::Free => None,
            };
            let number = format!("{} {}", face.text, face.unit).trim_end().to_owned();
            let number = match behind {
                Some(behind) => view! { <a class="number" href=behind>{number}</a> }.into_any(),
                None => view! { <span class="number">{number}</span> }.into_any(),
            };
            view! {
                <tr id=column.key() data-mark="normal" data-column=column.key()>
                    <th scope="row">{column.heading()}</th>
                    <td data-face=face.words(column)>{number}</td>
                    <td class="words">{face.quality.word()}</td>
                    <td class="words">
                        <details>
                            <summary>{column.formula()}</summary>
                            <p>{column.definition()}</p>
                        </details>
                    </td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section class="part" aria-labelledby="numbers">
            <h2 id="numbers">"Its numbers"</h2>
            <p>"Measured: from Zoom’s record. Live: from events. Inferred: worked out from events that do not say it."</p>
            <div class="scroller" tabindex="0" role="group" aria-labelledby="numbers">
                <table class="desk-table record-table numbers-table">
                    <thead>
                        <tr>
                            <th scope="col">"Number"</th>
                            <th scope="col">"Value"</th>
                            <th scope="col" class="words">"How sure"</th>
                            <th scope="col" class="words">"What it is"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    }
}

/// The service level of today by every definition, the promised one first.
#[component]
fn Promised(
    /// What is promised now.
    promise: Promise,
    /// By every definition.
    levels: ServiceLevels,
) -> impl IntoView {
    let Promise { policy, definition: promised } = promise;
    let sentence = format!(
        "Promised: {} of callers answered within T = {} s. Who leaves within s = {} s is a short abandon. A visit is judged \
         by what was promised when it entered, and is decided when it is answered, when the caller leaves or \
         when T passes, whichever is first.",
        numeral::target(policy.target_permille),
        policy.threshold_seconds,
        policy.short_abandon_seconds
    );
    let mut definitions = Definition::ALL;
    definitions.sort_by_key(|definition| *definition != promised);
    let rows = definitions
        .into_iter()
        .map(|definition| {
            let level = levels.by(definition);
            let share = level.permille().map_or(numeral::NOTHING_TO_DIVIDE.to_owned(), numeral::target);
            let (name, formula, meaning) = words_of(definition);
            let mark = (definition == promised).then_some("promised");
            view! {
                <tr data-mark="normal" data-definition=definition.word()>
                    <th scope="row">{name} {mark.map(|mark| view! { <span class="row-remark">{mark}</span> })}</th>
                    <td>{share}</td>
                    <td>{format!("{} of {}", numeral::count(level.met), numeral::count(level.decided))}</td>
                    <td class="words">
                        <p>{meaning}</p>
                        <p class="formula">{formula}</p>
                    </td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section class="part" aria-labelledby="service-levels">
            <h2 id="service-levels">"Service level of today, by every definition in use"</h2>
            <p>{sentence}</p>
            <div class="scroller" tabindex="0" role="group" aria-labelledby="service-levels">
                <table class="desk-table record-table numbers-table">
                    <thead>
                        <tr>
                            <th scope="col">"Definition"</th>
                            <th scope="col">"Share"</th>
                            <th scope="col">"Counts"</th>
                            <th scope="col" class="words">"What it is"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    }
}

/// Name, formula and meaning of a definition.
const fn words_of(definition: Definition) -> (&'static str, &'static str, &'static str) {
    match definition {
        Definition::AnsweredOnly => {
            ("Answered only", "A_T ÷ A", "Callers who leave do not count at all; it flatters an empty room.")
        }
        Definition::Negative => ("Negative", "A_T ÷ O", "Callers who leave count against, however soon."),
        Definition::Ignored => ("Ignored", "A_T ÷ (O − B_T)", "Callers who leave within T do not count."),
        Definition::Positive => {
            ("Positive", "(A_T + B_T) ÷ O", "Callers who leave within T count as if they had been served.")
        }
        Definition::ShortExcluded => {
            ("Short abandons excluded", "A_T ÷ (O − B_s)", "Only callers who leave within s do not count.")
        }
    }
}

/// Calls that are with the queue now.
#[component]
fn Calls(
    /// Where links lead.
    anchor: &'static str,
    /// Which calls.
    title: &'static str,
    /// True where there may be more of them.
    #[prop(optional)]
    or_more: bool,
    /// What an empty list says.
    none: &'static str,
    /// The calls, oldest first.
    calls: Vec<LiveCall>,
    /// Until when anything was heard, when that is not now: these are the calls of then.
    heard_until: Option<String>,
    /// Their journeys can be looked at.
    is_now: bool,
    /// Now.
    as_of: Timestamp,
    /// Of the times.
    zone: LocalZone,
) -> impl IntoView {
    let count = calls.len();
    let rows: Vec<_> = calls
        .into_iter()
        .take(MOST_ROWS)
        .map(|call| {
            let remarks = remarks(&call, &zone);
            let lasting = lasting(&call, heard_until.as_deref(), as_of);
            view! {
                <tr data-mark=if call.unconfirmed { "watch" } else { "normal" } data-call="">
                    <th scope="row">{caller(call.caller, &call.call_id, is_now)}</th>
                    <td>{zone.clock(call.since)}</td>
                    {lasting}
                    <td class="words">{call.phase.words()}</td>
                    <td class="words">{folded_list(people(&call.legs), |people| people.join(", "))}</td>
                    <td class="words">{remarks}</td>
                </tr>
            }
        })
        .collect();
    let table = move |rows: Vec<_>| {
        view! {
            <ScrollHint />
            <div class="scroller" tabindex="0" role="group" aria-labelledby=anchor>
                <table class="desk-table record-table">
                    <thead>
                        <tr>
                            <th scope="col">"Caller"</th>
                            <th scope="col">"Since"</th>
                            <th scope="col">"For"</th>
                            <th scope="col" class="words">"State"</th>
                            <th scope="col" class="words">"Phones"</th>
                            <th scope="col" class="words">"Remarks"</th>
                        </tr>
                    </thead>
                    <tbody>{rows.into_iter().collect_view()}</tbody>
                </table>
            </div>
        }
    };
    let (heading, none) = match heard_until {
        None => {
            let or_more = if or_more { OR_MORE } else { "" };
            (format!("{title}: {}{or_more}", numeral::big_count(count as u64)), none)
        }
        Some(at) => (format!("{title}: unknown, last known at {at}"), "Nobody then."),
    };
    view! {
        <section class="part" aria-labelledby=anchor>
            <h2 id=anchor>{heading}</h2>
            {if count == 0 { view! { <p class="none">{none}</p> }.into_any() } else { folded_list(rows, table) }}
            {not_listed(count)}
        </section>
    }
}

/// What is said of those beyond the longest list.
fn not_listed(count: usize) -> Option<impl IntoView + use<>> {
    let left_out = count.saturating_sub(MOST_ROWS);
    (left_out > 0).then(|| view! { <p>{format!("{left_out} more are not listed.")}</p> })
}

/// Who called, with the way to the call's journey.
fn caller(caller: Option<String>, call_id: &CallId, is_now: bool) -> AnyView {
    let caller = caller.unwrap_or_else(|| "Withheld".to_owned());
    if is_now {
        view! { <a href=address::journey_of(call_id)>{caller}</a> }.into_any()
    } else {
        view! { <span>{caller}</span> }.into_any()
    }
}

/// The cell that says for how long a call has gone on. Of what is not heard any more nobody knows; of what was not
/// heard of since a gap it is an inference that it goes on.
fn lasting(call: &LiveCall, heard_until: Option<&str>, as_of: Timestamp) -> AnyView {
    let lasting = clock_face(as_of.since(call.since));
    match heard_until {
        Some(at) => {
            let known = format!("last known at {at}");
            view! { <td>"unknown, " <span class="row-remark">{known}</span></td> }.into_any()
        }
        None => {
            let face = call.unconfirmed.then_some("inferred");
            view! { <td data-face=face><span class="number">{lasting}</span></td> }.into_any()
        }
    }
}

/// Whose phones are in the call, and what they do.
fn people(legs: &[Leg]) -> Vec<String> {
    let mut told: Vec<String> = legs
        .iter()
        .filter(|leg| leg.is_a_phone())
        .map(|leg| {
            let who = [&leg.party.name, &leg.party.extension_number, &leg.party.number];
            let who = who.into_iter().flatten().next().map_or("somebody", String::as_str);
            let does = match leg.state().0 {
                LegState::Ringing => "rings",
                LegState::Connected => "talks",
                LegState::Held => "holds",
                LegState::Ended => "is gone",
            };
            format!("{who} {does}")
        })
        .collect();
    told.dedup();
    told
}

/// What is odd about a call.
fn remarks(call: &LiveCall, zone: &LocalZone) -> String {
    let mut remarks = Vec::new();
    if call.unconfirmed {
        remarks.push("nothing heard of it since: it may be over".to_owned());
    }
    if let Some(consultation) = &call.consults_for {
        let how = if consultation.inferred { "seems to ask" } else { "asks" };
        remarks.push(format!("{how} about another call"));
    }
    if let Some(at) = call.conference_since {
        remarks.push(format!("a conference since {}", zone.clock(at)));
    }
    if let Some(at) = call.moved_to_meeting_at {
        remarks.push(format!("moved to a meeting at {}", zone.clock(at)));
    }
    remarks.join("; ")
}

/// Callers who left today.
#[component]
fn Lost(
    /// The last first.
    lost: Vec<LostVisit>,
    /// Their journeys can be looked at.
    is_now: bool,
    /// Of the times.
    zone: LocalZone,
) -> impl IntoView {
    let count = lost.len();
    let rows: Vec<_> = lost
        .into_iter()
        .take(MOST_ROWS)
        .map(|visit| {
            let waited: Duration = visit.left_at.since(visit.entered_at);
            let sure = match (visit.measured, visit.presumed) {
                (true, _) => "measured: by Zoom’s record",
                (false, true) => "inferred: no phone rang again, and nothing said why",
                (false, false) => "live: by the phones that rang",
            };
            view! {
                <tr data-mark="normal" data-lost="">
                    <th scope="row">{caller(visit.caller, &visit.call_id, is_now)}</th>
                    <td>{zone.clock(visit.entered_at)}</td>
                    <td>{zone.clock(visit.left_at)}</td>
                    <td>{clock_face(waited)}</td>
                    <td class="words">{if visit.short { "short abandon" } else { "abandoned" }}</td>
                    <td class="words">{sure}</td>
                </tr>
            }
        })
        .collect();
    let left_out = not_listed(count);
    let table = move |rows: Vec<_>| {
        view! {
            <ScrollHint />
            <div class="scroller" tabindex="0" role="group" aria-labelledby="lost">
                <table class="desk-table record-table">
                    <thead>
                        <tr>
                            <th scope="col">"Caller"</th>
                            <th scope="col">"Entered"</th>
                            <th scope="col">"Left"</th>
                            <th scope="col">"Waited"</th>
                            <th scope="col" class="words">"Counted as"</th>
                            <th scope="col" class="words">"How that is known"</th>
                        </tr>
                    </thead>
                    <tbody>{rows.into_iter().collect_view()}</tbody>
                </table>
            </div>
        }
    };
    view! {
        <section class="part" aria-labelledby="lost">
            <h2 id="lost">{format!("Abandoned today, short abandons included: {}", numeral::big_count(count as u64))}</h2>
            {if count == 0 {
                view! { <p class="none">"Nobody has left this queue unanswered since midnight."</p> }.into_any()
            } else {
                view! { {folded_list(rows, table)} {left_out} }.into_any()
            }}
        </section>
    }
}
