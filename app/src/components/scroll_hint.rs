//! Tells a reader that a table goes on where the screen ends.

use leptos::prelude::*;

/// Right above a table that does not fit on every screen.
#[component]
pub fn ScrollHint(
    /// Where it does not fit, by the word in style sheets: on a `phone`, on a `desk` and not on a phone, where
    /// columns are folded, or `anywhere`.
    #[prop(default = "phone")]
    on: &'static str,
) -> impl IntoView {
    view! {
        <p class="scroll-hint" data-for=on aria-hidden="true">
            "More columns to the right"
        </p>
    }
}
