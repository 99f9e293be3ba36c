//! The report of queues over any time: each queue, each interval, and the times before, every count with a way to
//! its calls.
//!
//! Complete without a program: it holds no island. Its address is all the state it has.

use domain::{
    outcome::OverflowReason,
    report::{Callers, Sums},
    service_level::Definition,
    time::clock_face,
};
use leptos::prelude::*;

use crate::{
    address,
    components::{
        chart::{Chart, ChartFigure},
        figures_table::{FiguresRow, FiguresTable, level_text},
        form_fields::{Choice, FormTime, checkboxes, select, time_field},
        scroll_hint::ScrollHint,
        times::{TimeLink, Times},
    },
    document::{Bar, Document, Liveness, PageLink, Site},
    metric::{self, Metric},
    numeral,
    settings::Theme,
};

/// What the server knows for the page. Times are text of the zone that is asked for.
#[derive(Debug, Clone)]
pub struct ReportsPage {
    /// What the server says of itself.
    pub site: Site,
    /// The zone of all times, by its full name.
    pub zone: String,
    /// The time, in words.
    pub time: String,
    /// What is to be known of that time: that it is not over, or that nobody was there to hear all of it.
    pub notes: Vec<String>,
    /// Which queues, in words.
    pub subject: String,
    /// The same question of other times.
    pub times: Vec<TimeLink>,
    /// The form.
    pub form: ReportForm,
    /// All of the queues together.
    pub total: FiguresRow,
    /// Each queue.
    pub queues: Vec<FiguresRow>,
    /// What an interval is called.
    pub interval: &'static str,
    /// Each interval.
    pub intervals: Vec<FiguresRow>,
    /// The intervals as charts.
    pub charts: Vec<Chart>,
    /// This time and times before it.
    pub compared: Vec<FiguresRow>,
    /// The same as files.
    pub files: Vec<PageLink>,
}

/// What the form holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportForm {
    /// Not before.
    pub from: FormTime,
    /// Before.
    pub to: FormTime,
    /// The zone that is asked for.
    pub zone: String,
    /// The installation's.
    pub home_zone: String,
    /// Queues.
    pub queues: Vec<Choice>,
    /// How many of them can be asked for at once.
    pub most_queues: usize,
    /// Intervals.
    pub interval: Vec<Choice>,
}

/// The rule by which visits are credited.
pub const RULE: &str = "Offered counts where callers entered; answered, abandoned, overflow, voicemail, transfers and \
                        waits where that came about; the service level where it was decided: answered, gone, or past \
                        the promised time, whichever was first. So the columns of one interval need not add up; over \
                        the whole they do, but for callers who waited across its ends.";

/// The whole page.
pub fn reports_page(page: ReportsPage) -> impl IntoView {
    let ReportsPage { site, zone, time, notes, subject, times, form, .. } = page.clone();
    let ReportsPage { total, queues, interval, intervals, charts, compared, files, .. } = page;
    let sheet = site.assets.analytics;
    let notes = notes.into_iter().map(|note| view! { <p class="report-note">{note}</p> });
    let notes = notes.collect_view();
    let is_empty = total.sums.is_empty();
    let body = if is_empty {
        view! { <Nothing zone=zone.clone() /> }.into_any()
    } else {
        let by_queue = match queues.len() {
            1 => "The queue".to_owned(),
            number => format!("By queue: {number} with visits"),
        };
        let sums = total.sums.clone();
        let calls = total.calls.clone();
        view! {
            <FiguresTable id="by-queue" title=by_queue first="Queue" rows=queues total=Some(total) />
            <Charts charts />
            <FiguresTable id="by-interval" title=format!("{subject}, by {interval}") first="Began" rows=intervals />
            <FiguresTable id="compared" title="Beside times before".to_owned() first="Time" rows=compared />
            <Closer sums calls />
        }
        .into_any()
    };
    view! {
        <Document
            site=site.clone()
            title="Report".to_owned()
            body="desk".to_owned()
            theme=Theme::Auto
            liveness=Liveness::Still
            sheet
        >
            <Bar site current="/reports" />
            <main id="main">
                <div class="head">
                    <h1>"Report of queues"</h1>
                    <p class="head-date">{format!("times of {zone}")}</p>
                </div>
                <Times times />
                <p class="report-subject"><strong>{subject.clone()}</strong> {format!(": {time}")}</p>
                {notes}
                <Form form />
                {body}
                <Foot files zone />
            </main>
        </Document>
    }
}

/// The intervals, drawn.
#[component]
fn Charts(
    /// In order.
    charts: Vec<Chart>,
) -> impl IntoView {
    if charts.is_empty() {
        return None;
    }
    let charts = charts.into_iter().map(|chart| view! { <ChartFigure chart twin="by-interval" /> });
    Some(view! {
        <section class="part" aria-labelledby="charts">
            <h2 id="charts">"Over time"</h2>
            {charts.collect_view()}
        </section>
    })
}

/// What can be asked for. Without a program it is sent as an address.
#[component]
fn Form(
    /// What it holds.
    form: ReportForm,
) -> impl IntoView {
    let ReportForm { from, to, zone, home_zone, queues, most_queues, interval } = form;
    let legend = if queues.len() > most_queues {
        format!("Queues, at most {most_queues}; none chosen are all")
    } else {
        "Queues; none chosen are all".to_owned()
    };
    let queues = (!queues.is_empty()).then(|| checkboxes("queue", legend, queues));
    view! {
        <details class="filter">
            <summary>"Time, queues and interval"</summary>
            <form action="/reports" method="get" role="search" aria-label="Choose a report">
                {time_field("from", "From", from)}
                {time_field("to", "To, not included", to)}
                <label>
                    <span>"Time zone"</span>
                    <input name="zone" value=zone placeholder=home_zone autocomplete="off" spellcheck="false" />
                </label>
                {select("interval", "Interval", interval)}
                {queues}
                <div class="filter-end">
                    <button type="submit">"Show"</button>
                    <a href="/reports">"Today, all queues"</a>
                </div>
            </form>
        </details>
    }
}

/// There is nothing to report.
#[component]
fn Nothing(
    /// Of the times.
    zone: String,
) -> impl IntoView {
    view! {
        <div class="empty">
            <p class="empty-title">"No visit to these queues came or ended in this time."</p>
            <p>
                {format!("Choose another time above, or other queues; times are of {zone}. A visit is counted when it is over: who waits right now is on the ")}
                <a href="/queues">"board"</a> "."
            </p>
        </div>
    }
}

/// Every definition of the service level, waits by percentile, and overflow by reason.
#[component]
fn Closer(
    /// Of all queues together.
    sums: Sums,
    /// The list of their calls.
    calls: String,
) -> impl IntoView {
    let levels = Definition::ALL.map(|definition| {
        let level = sums.service_level(definition);
        let (name, formula) = level_words(definition);
        view! {
            <tr data-mark="normal">
                <th scope="row">{name}</th>
                <td class="words">{formula}</td>
                <td>{numeral::count(level.met)}</td>
                <td>{numeral::count(level.decided)}</td>
                <td>{level_text(level)}</td>
            </tr>
        }
    });
    let waits = [(Callers::Answered, "Answered"), (Callers::All, "Everybody")].map(|(callers, name)| {
        let cells = [50, 80, 90, 95].map(|percent| {
            let wait = metric::percentile(&sums, callers, percent);
            view! { <td>{wait.map_or(numeral::NOTHING_TO_DIVIDE.to_owned(), clock_face)}</td> }
        });
        let count = match callers {
            Callers::Answered => sums.answered,
            Callers::All => sums.finished(),
        };
        view! {
            <tr data-mark="normal">
                <th scope="row">{name}</th>
                {cells.collect_view()}
                <td>{numeral::count(count)}</td>
            </tr>
        }
    });
    let reasons = OverflowReason::ALL.into_iter().zip(sums.overflowed_for);
    let reasons = reasons.map(|(reason, count)| (reason.words(), count));
    let reasons = reasons.chain([("not told by anything", sums.overflowed_for_unknown())]);
    let reasons = reasons.filter(|(_, count)| *count > 0).map(|(words, count)| {
        view! {
            <tr data-mark="normal">
                <th scope="row">{words}</th>
                <td>{numeral::count(count)}</td>
            </tr>
        }
    });
    let reasons = (sums.overflowed > 0).then(|| {
        let href = Metric::Overflowed.calls().map(|query| address::joined(&calls, query));
        view! {
            <section class="part" aria-labelledby="overflow">
                <h2 id="overflow"><a href=href>{format!("Overflow by reason: {}", numeral::count(sums.overflowed))}</a></h2>
                <div class="scroller" tabindex="0" role="group" aria-labelledby="overflow">
                    <table class="desk-table record-table short-table">
                        <thead><tr><th scope="col">"Reason"</th><th scope="col">"Visits"</th></tr></thead>
                        <tbody>{reasons.collect_view()}</tbody>
                    </table>
                </div>
            </section>
        }
    });
    view! {
        <section class="part" aria-labelledby="levels">
            <h2 id="levels">"Service level by every definition"</h2>
            <p>"The same visits, each by the times that its queue promised. What the tables above show is the definition that was promised."</p>
            <ScrollHint />
            <div class="scroller" tabindex="0" role="group" aria-labelledby="levels">
                <table class="desk-table record-table short-table">
                    <thead>
                        <tr>
                            <th scope="col">"Definition"</th>
                            <th scope="col" class="words">"Formula"</th>
                            <th scope="col">"Met"</th>
                            <th scope="col">"Of"</th>
                            <th scope="col">"Level"</th>
                        </tr>
                    </thead>
                    <tbody>{levels.collect_view()}</tbody>
                </table>
            </div>
        </section>
        <section class="part" aria-labelledby="waits">
            <h2 id="waits"><a href="/definitions#percentiles">"Waits"</a></h2>
            <div class="scroller" tabindex="0" role="group" aria-labelledby="waits">
                <table class="desk-table record-table short-table">
                    <thead>
                        <tr>
                            <th scope="col">"Callers"</th>
                            <th scope="col">"p50"</th>
                            <th scope="col">"p80"</th>
                            <th scope="col">"p90"</th>
                            <th scope="col">"p95"</th>
                            <th scope="col">"Visits"</th>
                        </tr>
                    </thead>
                    <tbody>{waits.collect_view()}</tbody>
                </table>
            </div>
        </section>
        {reasons}
    }
}

/// What a definition of the service level is called, and its formula.
pub(crate) const fn level_words(definition: Definition) -> (&'static str, &'static str) {
    match definition {
        Definition::AnsweredOnly => ("Answered only", "A_T / A: who leaves does not count"),
        Definition::Negative => ("Negative", "A_T / O: who leaves counts against"),
        Definition::Ignored => ("Ignored", "A_T / (O − B_T): who leaves in time does not count"),
        Definition::Positive => ("Positive", "(A_T + B_T) / O: who leaves in time counts as served"),
        Definition::ShortExcluded => ("Short excluded", "A_T / (O − B_s): only short abandons do not count"),
    }
}

/// By which rule, in which zone, and the same as files.
#[component]
fn Foot(
    /// The files.
    files: Vec<PageLink>,
    /// Of all times.
    zone: String,
) -> impl IntoView {
    let files = files.into_iter().map(|PageLink { label, href }| view! { <li><a href=href>{label}</a></li> });
    view! {
        <section class="part meaning" aria-labelledby="rule">
            <h2 id="rule">"How this report counts"</h2>
            <p>{RULE}</p>
            <p>{format!("Days and hours are of {zone}; a day has 23 or 25 hours where clocks change, and an hour that is there twice is told apart by its offset. “revised”: figures changed after their time had been over for 15 minutes, by Zoom’s record or by a caller who left later.")}</p>
            <p><a href="/definitions">"What each figure is, and how it is counted"</a></p>
            <ul class="files" aria-label="The same as files">{files.collect_view()}</ul>
        </section>
    }
}
