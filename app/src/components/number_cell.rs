//! A number in a table's cell.

use leptos::prelude::*;

use crate::live_board::LiveText;

/// A number, what stands small behind it, and how they look.
#[component]
pub fn NumberCell(
    /// The column's word in style sheets.
    key: &'static str,
    /// What style sheets need to know of it, as words.
    face: LiveText,
    /// The number.
    number: LiveText,
    /// What stands small behind it, in columns that have such a thing.
    #[prop(default = None)]
    unit: Option<LiveText>,
    /// What a click on the number opens. No stop for the keyboard: the row's name leads to the same page.
    #[prop(default = None)]
    href: Option<String>,
) -> impl IntoView {
    let unit = unit.map(|unit| view! { <span class="unit">{unit}</span> });
    let tabindex = href.is_some().then_some("-1");
    view! {
        <td data-column=key data-face=face>
            <a class="number" href=href tabindex=tabindex>
                {number}
            </a>
            {unit}
        </td>
    }
}
