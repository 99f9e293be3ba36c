//! The heading of a column that rows can be sorted by.

use leptos::prelude::*;

/// A link that sorts; a plain word where there is nothing to sort by.
#[component]
pub fn SortHeading(
    /// The column's word in addresses and style sheets.
    key: &'static str,
    /// What it is called.
    label: &'static str,
    /// True when its great values come first, false when its small ones do, `None` when rows are in another
    /// order.
    descending: Option<bool>,
    /// Where a click leads.
    href: Option<String>,
) -> impl IntoView {
    let sorted = href.is_some().then_some(match descending {
        Some(true) => "descending",
        Some(false) => "ascending",
        None => "none",
    });
    view! {
        <th scope="col" data-column=key aria-sort=sorted>
            <a href=href>{label}</a>
        </th>
    }
}
