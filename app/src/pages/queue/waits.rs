//! How long the callers of a queue waited today, and why some were sent on.

use std::time::Duration;

use domain::{
    outcome::OverflowReason,
    time::clock_face,
    volume::{WaitBand, WaitTable, Waits},
};
use leptos::prelude::*;

use crate::{components::scroll_hint::ScrollHint, numeral};

/// The percentiles that are shown.
const PERCENTS: [u8; 3] = [50, 80, 95];

/// Waits by percentile and by band, and overflow by reason.
#[component]
pub(super) fn TodaysWaits(
    /// Of visits that entered today and are over.
    waits: WaitTable,
) -> impl IntoView {
    let WaitTable { bands, answered, all, overflow } = waits;
    let is_empty = all.count() == 0;
    let tables = move || {
        view! {
            <div class="waits">
                <Percentiles answered all />
                <Bands bands />
            </div>
        }
    };
    view! {
        <section class="part" aria-labelledby="waits">
            <h2 id="waits">"Waits of today"</h2>
            <p>"Of visits that entered since midnight and are over, ring time included. A percentile is the wait that so many of a hundred callers did not exceed; abandoned here includes short abandons."</p>
            {if is_empty {
                view! { <p class="none">"No visit of today is over yet."</p> }.into_any()
            } else {
                tables().into_any()
            }}
        </section>
        <Overflow overflow />
    }
}

/// Time to answer, and the wait of everybody.
#[component]
fn Percentiles(
    /// Those who were answered.
    answered: Waits,
    /// Everybody.
    all: Waits,
) -> impl IntoView {
    let row = |name: &'static str, waits: &Waits| {
        let cells = PERCENTS.map(|percent| {
            let wait = waits.percentile(percent).map_or(numeral::NOTHING_TO_DIVIDE.to_owned(), clock_face);
            view! { <td>{wait}</td> }
        });
        view! {
            <tr data-mark="normal">
                <th scope="row">{name}</th>
                {cells.collect_view()}
                <td>{numeral::big_count(waits.count() as u64)}</td>
            </tr>
        }
    };
    let headings = PERCENTS.map(|percent| view! { <th scope="col">{format!("p{percent}")}</th> });
    view! {
        <ScrollHint />
        <div class="scroller" tabindex="0" role="group" aria-labelledby="waits">
            <table class="desk-table record-table short-table">
                <thead>
                    <tr><th scope="col">"Wait"</th>{headings.collect_view()}<th scope="col">"Visits"</th></tr>
                </thead>
                <tbody>
                    {row("Time to answer", &answered)}
                    {row("All visits", &all)}
                </tbody>
            </table>
        </div>
    }
}

/// Visits by how long their callers waited, with a bar for each band.
#[component]
fn Bands(
    /// In the order of the waits.
    bands: [WaitBand; WaitTable::BANDS.len() + 1],
) -> impl IntoView {
    let most = bands.iter().map(WaitBand::total).max().unwrap_or(0).max(1);
    let rows = bands.into_iter().enumerate().map(|(index, band)| {
        let end = |index: usize| WaitTable::BANDS.get(index).copied().map(Duration::from_secs).map(clock_face);
        let name = match (index.checked_sub(1).and_then(end), end(index)) {
            (None, Some(to)) => format!("under {to}"),
            (Some(from), Some(to)) => format!("{from} to {to}"),
            (from, None) => format!("{} and more", from.unwrap_or_default()),
        };
        let width = |count: u32| f64::from(count * 1000 / most) / 10.0;
        let parts = [("answered", band.answered), ("abandoned", band.abandoned), ("flow-out", band.flowed_out)];
        let mut before = 0;
        let bars = parts.map(|(part, count)| {
            let x = width(before);
            before += count;
            view! { <rect data-part=part x=x.to_string() width=width(count).to_string() height="10"></rect> }
        });
        view! {
            <tr data-mark="normal">
                <th scope="row">{name}</th>
                <td>{numeral::count(band.answered)}</td>
                <td>{numeral::count(band.abandoned)}</td>
                <td>{numeral::count(band.flowed_out)}</td>
                <td class="wait-bar">
                    <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">{bars.collect_view()}</svg>
                </td>
            </tr>
        }
    });
    view! {
        <ScrollHint />
        <div class="scroller" tabindex="0" role="group" aria-labelledby="waits">
            <table class="desk-table record-table short-table bands-table">
                <thead>
                    <tr>
                        <th scope="col">"Waited"</th>
                        <th scope="col" data-part="answered">"Answered"</th>
                        <th scope="col" data-part="abandoned">"Abandoned"</th>
                        <th scope="col" data-part="flow-out">"Flow-out"</th>
                        <th scope="col" class="wait-bar"><span class="unseen">"Bar"</span></th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
}

/// Why callers were sent on.
#[component]
fn Overflow(
    /// By reason.
    overflow: Vec<(Option<OverflowReason>, u32)>,
) -> impl IntoView {
    let count: u32 = overflow.iter().map(|(_, count)| count).sum();
    let rows = overflow.into_iter().map(|(reason, count)| {
        view! {
            <tr data-mark="normal">
                <th scope="row">{reason.map_or("unknown", OverflowReason::words)}</th>
                <td>{numeral::count(count)}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let table = move || {
        view! {
            <div class="scroller" tabindex="0" role="group" aria-labelledby="overflow">
                <table class="desk-table record-table short-table">
                    <thead><tr><th scope="col">"Reason"</th><th scope="col">"Visits"</th></tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        }
    };
    view! {
        <section class="part" aria-labelledby="overflow">
            <h2 id="overflow">{format!("Overflow of today by reason: {}", numeral::count(count))}</h2>
            <p>"Events do not tell the reason; Zoom’s record does, where what it says and how long the queue lets callers wait leave one answer only."</p>
            {if count == 0 {
                view! { <p class="none">"No caller was sent on to another queue or place."</p> }.into_any()
            } else {
                table().into_any()
            }}
        </section>
    }
}
