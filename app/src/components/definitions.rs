//! How every number is counted and how sure it is, one short definition per column.

use leptos::prelude::*;

use crate::column::Column;

/// The legend of marks, and the definitions behind a fold.
#[component]
pub fn Definitions() -> impl IntoView {
    let definitions = Column::ALL
        .into_iter()
        .filter(|column| *column != Column::Queue)
        .map(|column| {
            view! {
                <div>
                    <dt>{column.heading()}</dt>
                    <dd>{column.definition()}</dd>
                </div>
            }
        })
        .collect_view();
    view! {
        <section class="definitions" aria-labelledby="legend">
            <h2 id="legend" class="unseen">
                "Legend"
            </h2>
            <ul class="legend">
                <li>
                    <span class="number" data-face="inferred">
                        "4"
                    </span>
                    "Worked out from calls; Zoom does not report it"
                </li>
                <li>
                    <span class="number">"2+"</span>
                    "Maybe more: events were missed a moment ago, or nobody is known to be available, and a caller for whom no phone rings cannot be seen"
                </li>
                <li>
                    <span class="number">"—"</span>
                    "Unknown right now"
                </li>
                <li>
                    <span class="number">"n/a"</span>
                    "No calls yet to work it out from"
                </li>
                <li data-face="missed">
                    <span class="number">"64"</span>
                    "Below the target"
                </li>
            </ul>
            <details>
                <summary>"How these numbers are counted"</summary>
                <dl>{definitions}</dl>
            </details>
        </section>
    }
}
