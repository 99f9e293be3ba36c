//! Lists of which the first entries are seen at once and the others folded, without a program.

use leptos::prelude::*;

/// So many entries are seen at once.
pub const UNFOLDED: usize = 10;

/// Shows the first [`UNFOLDED`] of `entries`, and the others behind `and 32 more`.
pub fn folded_list<T, V: IntoView + 'static>(mut entries: Vec<T>, show: impl Fn(Vec<T>) -> V) -> AnyView {
    let further = entries.split_off(entries.len().min(UNFOLDED));
    let further = (!further.is_empty()).then(|| {
        let summary = format!("and {} more", further.len());
        view! {
            <details class="further">
                <summary>{summary}</summary>
                {show(further)}
            </details>
        }
    });
    view! {
        {show(entries)}
        {further}
    }
    .into_any()
}
