//! Times to choose from: the same question of other times.

use leptos::prelude::*;

/// The same question of another time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeLink {
    /// `Today`.
    pub label: &'static str,
    /// Where it is.
    pub href: String,
    /// It is what is shown.
    pub is_shown: bool,
}

/// The same question of other times.
#[component]
pub fn Times(
    /// The longest last.
    times: Vec<TimeLink>,
) -> impl IntoView {
    let links = times.into_iter().map(|TimeLink { label, href, is_shown }| {
        let here = is_shown.then_some("true");
        view! { <li><a href=href aria-current=here>{label}</a></li> }
    });
    view! {
        <nav class="times" aria-label="Time">
            <ul>{links.collect_view()}</ul>
        </nav>
    }
}
