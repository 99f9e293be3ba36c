//! A table of figures: a row for each queue or each stretch of time, every count with a way to its calls.

use domain::{report::Sums, service_level::ServiceLevel};
use leptos::prelude::*;

use crate::{address, components::scroll_hint::ScrollHint, metric::Metric};

/// One row of figures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FiguresRow {
    /// The queue or the time.
    pub name: String,
    /// Where it is shown by itself.
    pub href: Option<String>,
    /// Something small beneath the name.
    pub remark: Option<String>,
    /// The list of its calls, without what tells the counts apart; ends in a query.
    pub calls: String,
    /// What it comes to.
    pub sums: Sums,
    /// When it last changed after it had been closed, in words.
    pub revised: Option<String>,
}

/// The table, under a heading of its own.
#[component]
pub fn FiguresTable(
    /// The word by which the page knows it.
    id: &'static str,
    /// Over it.
    title: String,
    /// Over the names.
    first: &'static str,
    /// In order.
    rows: Vec<FiguresRow>,
    /// All of them together, where that is a row of its own.
    #[prop(default = None)]
    total: Option<FiguresRow>,
) -> impl IntoView {
    let headings = Metric::ALL.map(|metric| {
        let href = format!("/definitions#{}", metric.anchor());
        let class = (metric == Metric::Quality).then_some("words");
        view! {
            <th scope="col" class=class>
                <a href=href title=format!("{}: how it is counted", metric.name())>{metric.heading()}</a>
            </th>
        }
    });
    let rows = rows.into_iter().map(|row| {
        let mark = if row.sums.is_empty() { "nothing" } else { "normal" };
        figures_row(row, mark)
    });
    let rows = rows.collect_view();
    let total = total.map(|row| view! { <tfoot>{figures_row(row, "total")}</tfoot> });
    view! {
        <section class="part" aria-labelledby=id>
            <h2 id=id>{title}</h2>
            <ScrollHint on="anywhere" />
            <div class="scroller" tabindex="0" role="group" aria-labelledby=id>
                <table class="desk-table record-table figures-table">
                    <thead>
                        <tr>
                            <th scope="col">{first}</th>
                            {headings.collect_view()}
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                    {total}
                </table>
            </div>
        </section>
    }
}

fn figures_row(row: FiguresRow, mark: &'static str) -> impl IntoView {
    let FiguresRow { name, href, remark, calls, sums, revised } = row;
    let cells = Metric::ALL.map(|metric| cell(metric, &sums, &calls));
    let name = match href {
        Some(href) => view! { <a href=href>{name}</a> }.into_any(),
        None => name.into_any(),
    };
    let remark = remark.map(|remark| view! { <span class="row-remark">{remark}</span> });
    let revised = revised.map(|revised| {
        view! { <span class="row-remark revised" title=revised>"revised"</span> }
    });
    view! {
        <tr data-mark=mark>
            <th scope="row">{name} {remark} {revised}</th>
            {cells.collect_view()}
        </tr>
    }
}

fn cell(metric: Metric, sums: &Sums, calls: &str) -> impl IntoView + use<> {
    let text = metric.text(sums);
    let is_nothing = match metric.count(sums) {
        Some(count) => count == 0,
        None => metric.calls().is_none() || sums.finished() == 0,
    };
    let class = (metric == Metric::Quality).then_some("words");
    let content = match metric.calls().filter(|_| !is_nothing) {
        Some(query) => {
            let href = address::joined(calls, query);
            view! { <a href=href>{text}</a> }.into_any()
        }
        None => text.into_any(),
    };
    view! { <td class=class data-column=metric.column()>{content}</td> }
}

/// A service level as the text of a cell, with its two counts.
pub fn level_text(level: ServiceLevel) -> String {
    let sums = Sums { promised: level, ..Sums::default() };
    Metric::ServiceLevel.text(&sums)
}
