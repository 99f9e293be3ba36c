//! What the words of a page mean, at its end.

use leptos::prelude::*;

/// A list of words, each with what it means.
#[component]
pub fn Meaning(
    /// In the order in which they are met.
    words: &'static [(&'static str, &'static str)],
) -> impl IntoView {
    let words = words.iter().map(|(word, meaning)| {
        view! {
            <dt>{*word}</dt>
            <dd>{*meaning}</dd>
        }
    });
    view! {
        <section class="part meaning" aria-labelledby="meaning">
            <h2 id="meaning">"What this page means"</h2>
            <dl>{words.collect_view()}</dl>
        </section>
    }
}
