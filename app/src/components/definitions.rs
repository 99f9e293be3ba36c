//! How every number is counted and how sure it is, one short definition per column.

use leptos::prelude::*;

use crate::column::{CANNOT_BE_KNOWN, Column, INFERRED};

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
                    {INFERRED}
                </li>
                <li>
                    <span class="number">"—"</span>
                    {CANNOT_BE_KNOWN}
                </li>
                <li>
                    <span class="number">"n/a"</span>
                    "Nothing to divide yet"
                </li>
                <li>
                    <span class="number">"0"</span>
                    "A real zero"
                </li>
            </ul>
            <details>
                <summary>"How these numbers are counted"</summary>
                <dl>{definitions}</dl>
            </details>
        </section>
    }
}
