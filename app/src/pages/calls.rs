//! The list of finished calls, or of their visits to queues, by whatever is asked: filters, rows, paging.
//!
//! Complete without a program: it holds no island. Its address is all the state it has.

use leptos::prelude::*;

use crate::{
    components::{
        form_fields::{Choice, FormTime, checkboxes, select, time_field},
        meaning::Meaning,
        scroll_hint::ScrollHint,
        sort_heading::SortHeading,
        times::{TimeLink, Times},
    },
    document::{Bar, Document, Liveness, Site},
    numeral,
    settings::Theme,
};

/// What the server knows for the page. Times are text of the zone that is asked for.
#[derive(Debug, Clone)]
pub struct CallsPage {
    /// What the server says of itself.
    pub site: Site,
    /// The zone of all times, by its full name.
    pub zone: String,
    /// A row is a visit to a queue; else a call.
    pub is_about_visits: bool,
    /// Rows of the whole list.
    pub count: ListCount,
    /// What is asked for, one by one.
    pub filters: Vec<ActiveFilter>,
    /// The same question of other times.
    pub times: Vec<TimeLink>,
    /// The form.
    pub form: CallsForm,
    /// What the time of a row is: `Entered`, `Left` or `Began`.
    pub time_heading: &'static str,
    /// Sorts by that.
    pub by_time: SortLink,
    /// Sorts by waits.
    pub by_wait: SortLink,
    /// The rows.
    pub rows: Vec<CallRow>,
    /// The top of the list, where this is not it.
    pub first: Option<String>,
    /// Where the list goes on.
    pub next: Option<String>,
}

/// How many rows a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListCount {
    /// Just so many.
    Exactly(u32),
    /// More than are counted.
    MoreThan(u32),
    /// Counting took too long.
    Uncounted,
}

/// One thing that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveFilter {
    /// In words.
    pub label: String,
    /// The list without it.
    pub without: String,
}

/// Where a heading leads, and how the list is sorted by its column now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortLink {
    /// Where a click leads.
    pub href: String,
    /// Great values first, small ones first, or not by this.
    pub descending: Option<bool>,
}

/// What the form holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallsForm {
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
    /// Outcomes of visits.
    pub outcomes: Vec<Choice>,
    /// Which instant of a visit counts.
    pub credit: Vec<Choice>,
    /// Answered in time or late.
    pub late: Vec<Choice>,
    /// Directions.
    pub direction: Vec<Choice>,
    /// Seconds of wait at least.
    pub wait_min: String,
    /// Seconds of wait less than.
    pub wait_max: String,
    /// Digits of the caller's number.
    pub number: String,
    /// Results of whole calls.
    pub result: Vec<Choice>,
    /// The order, where it is not the usual one.
    pub sort: Option<&'static str>,
}

/// A visit, or a call with its first visit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallRow {
    /// The call's journey.
    pub href: String,
    /// When.
    pub time: String,
    /// The same for machines.
    pub instant: String,
    /// The queue, or what stands for it.
    pub queue: String,
    /// Further visits of the call, in words.
    pub further: Option<String>,
    /// Who called.
    pub caller: String,
    /// From which number, where there is a name, too.
    pub number: Option<String>,
    /// How the visit ended.
    pub outcome: Option<String>,
    /// It is a loss: the caller was not reached.
    pub is_lost: bool,
    /// How long the caller waited.
    pub wait: Option<String>,
    /// Answered later than promised.
    pub is_late: bool,
    /// Where the call came from and how it ended as a whole.
    pub call: String,
    /// How long the call lasted.
    pub length: Option<String>,
    /// How sure that is.
    pub sure: &'static str,
}

/// The whole page.
pub fn calls_page(page: CallsPage) -> impl IntoView {
    let CallsPage { site, zone, is_about_visits, count, filters, times, form, .. } = page.clone();
    let sheet = site.assets.analytics;
    let title = if is_about_visits { "Visits to queues" } else { "Calls" };
    let counted = counted(count, is_about_visits);
    view! {
        <Document
            site=site.clone()
            title="Calls".to_owned()
            body="desk".to_owned()
            theme=Theme::Auto
            liveness=Liveness::Still
            sheet
        >
            <Bar site current="/calls" />
            <main id="main">
                <div class="head">
                    <h1>{title}</h1>
                    <p class="head-date">{format!("times of {zone}")}</p>
                </div>
                <Times times />
                <Filters filters />
                <Form form />
                <section aria-labelledby="count">
                    <h2 id="count" class="count">{counted}</h2>
                    <Rows page />
                </section>
                <Meaning words=&WORDS />
            </main>
        </Document>
    }
}

/// How many rows there are, in words.
fn counted(count: ListCount, is_about_visits: bool) -> String {
    let what = |one: bool| match (is_about_visits, one) {
        (true, true) => "visit",
        (true, false) => "visits",
        (false, true) => "call",
        (false, false) => "calls",
    };
    match count {
        ListCount::Exactly(0) => format!("No {}", what(false)),
        ListCount::Exactly(number) => format!("{} {}", numeral::count(number), what(number == 1)),
        ListCount::MoreThan(most) => {
            format!("More than {} {}; they are not counted further", numeral::count(most), what(false))
        }
        ListCount::Uncounted => {
            format!("Too many {} to be counted within a second; a shorter time is counted", what(false))
        }
    }
}

/// What is asked for, each with a way to go on without it.
#[component]
fn Filters(
    /// In the order of the form.
    filters: Vec<ActiveFilter>,
) -> impl IntoView {
    if filters.is_empty() {
        return None;
    }
    let several = filters.len() > 1;
    let links = filters.into_iter().map(|ActiveFilter { label, without }| {
        let explained = format!("Leave out: {label}");
        view! {
            <li>
                <a href=without aria-label=explained title="Leave this out">
                    {label}
                    <span aria-hidden="true">" ×"</span>
                </a>
            </li>
        }
    });
    let all = several.then(|| view! { <li><a class="all" href="/calls">"All calls"</a></li> });
    Some(view! { <ul class="filters" aria-label="Asked for">{links.collect_view()} {all}</ul> })
}

/// Everything that can be asked for. Without a program it is sent as an address.
#[component]
fn Form(
    /// What it holds.
    form: CallsForm,
) -> impl IntoView {
    let CallsForm {
        from,
        to,
        zone,
        home_zone,
        queues,
        outcomes,
        credit,
        late,
        direction,
        wait_min,
        wait_max,
        number,
        result,
        sort,
    } = form;
    view! {
        <details class="filter">
            <summary>"Filter"</summary>
            <form action="/calls" method="get" role="search" aria-label="Filter calls">
                {time_field("from", "From", from)}
                {time_field("to", "To, not included", to)}
                <label>
                    <span>"Time zone"</span>
                    <input name="zone" value=zone placeholder=home_zone autocomplete="off" spellcheck="false" />
                </label>
                {select("credit", "That time is when the caller", credit)}
                {checkboxes("queue", "Queues", queues)}
                {checkboxes("outcome", "Outcomes of visits", outcomes)}
                {select("late", "Answered", late)}
                <label>
                    <span>"Waited at least, seconds"</span>
                    <input name="wait_min" type="number" min="0" max="604800" value=wait_min />
                </label>
                <label>
                    <span>"Waited less than, seconds"</span>
                    <input name="wait_max" type="number" min="1" max="604800" value=wait_max />
                </label>
                {select("direction", "Direction", direction)}
                <label>
                    <span>"Digits of the caller’s number"</span>
                    <input name="number" inputmode="tel" value=number autocomplete="off" />
                </label>
                {select("result", "The call ended as", result)}
                {sort.map(|sort| view! { <input type="hidden" name="sort" value=sort /> })}
                <div class="filter-end">
                    <button type="submit">"Show"</button>
                    <a href="/calls">"Leave all out"</a>
                </div>
            </form>
        </details>
    }
}

/// The rows, and the way on.
#[component]
fn Rows(
    /// The page.
    page: CallsPage,
) -> impl IntoView {
    let CallsPage { is_about_visits, filters, time_heading, by_time, by_wait, rows, first, next, .. } = page;
    if rows.is_empty() {
        let (what, next_step) = match (is_about_visits, filters.is_empty(), first.is_some()) {
            (_, _, true) => ("The list ends here.", "Calls may have been revised since the page before."),
            (true, ..) => (
                "No visit to a queue is like that.",
                "Leave one of the things above out, or choose a longer time. A visit is listed when it is over.",
            ),
            (false, false, _) => (
                "No call is like that.",
                "Leave one of the things above out, or choose a longer time. What the record says of a call is known some minutes after its end.",
            ),
            (false, true, _) => (
                "No call is written down yet.",
                "Calls appear here when they are over. Those that go on are on the pages of their queues.",
            ),
        };
        let top = first.map(|first| view! { <p><a href=first>"To the top of the list"</a></p> });
        return view! {
            <div class="empty">
                <p class="empty-title">{what}</p>
                <p>{next_step}</p>
                {top}
            </div>
        }
        .into_any();
    }
    let rows = rows.into_iter().map(row);
    let pages = (first.is_some() || next.is_some()).then(|| {
        let first = first.map(|first| view! { <a class="button" href=first>"To the top"</a> });
        let next = next.map(|next| view! { <a class="button" rel="next" href=next>"Next page"</a> });
        view! { <nav class="pages" aria-label="Pages of the list">{first} {next}</nav> }
    });
    view! {
        <ScrollHint on="anywhere" />
        <div class="scroller" tabindex="0" role="group" aria-labelledby="count">
            <table class="desk-table record-table calls-table">
                <thead>
                    <tr>
                        <SortHeading key="time" label=time_heading descending=by_time.descending href=Some(by_time.href) />
                        <th scope="col" class="words">"Queue"</th>
                        <th scope="col" class="words">"Caller"</th>
                        <th scope="col" class="words">"Outcome"</th>
                        <SortHeading key="wait" label="Waited" descending=by_wait.descending href=Some(by_wait.href) />
                        <th scope="col" class="words">"The call"</th>
                        <th scope="col">"Lasted"</th>
                        <th scope="col" class="words">"How sure"</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
        {pages}
    }
    .into_any()
}

fn row(row: CallRow) -> impl IntoView {
    let CallRow { href, time, instant, queue, further, caller, number, .. } = row;
    let time = view! { <time datetime=instant>{time}</time> };
    let late = row.is_late.then(|| view! { <span class="row-remark">"later than promised"</span> });
    let face = row.is_lost.then_some("lost");
    view! {
        <tr data-mark="normal">
            <th scope="row"><a href=href>{time}</a></th>
            <td class="words">{queue} {further.map(|further| view! { <span class="row-remark">{further}</span> })}</td>
            <td class="words">{caller} {number.map(|number| view! { <span class="row-remark">{number}</span> })}</td>
            <td class="words" data-face=face>{row.outcome} {late}</td>
            <td>{row.wait}</td>
            <td class="words">{row.call}</td>
            <td>{row.length}</td>
            <td class="words">{row.sure}</td>
        </tr>
    }
}

/// What the words of the page mean.
const WORDS: [(&str, &str); 4] = [
    (
        "Visit",
        "One stay of a caller in one queue. A call that goes on to a second queue makes two. Whoever filters by queue, outcome or wait sees visits; else every call is there once.",
    ),
    (
        "Waited",
        "From entering the queue to the outcome, ringing included. Bands go from the first number up to, and without, the second.",
    ),
    ("Answered late", "After more seconds than the queue promised when the caller entered."),
    (
        "How sure",
        "Measured: by Zoom’s record of the call. Live: by events, until the record is read. Corrected: the record says otherwise than what was shown live.",
    ),
];
