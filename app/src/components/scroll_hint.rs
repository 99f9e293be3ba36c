//! Tells a phone's reader that a table goes on where the screen ends.

use leptos::prelude::*;

/// Above a table that fits on every screen but a phone's.
#[component]
pub fn ScrollHint() -> impl IntoView {
    view! {
        <p class="scroll-hint" data-for="phone" aria-hidden="true">
            "More columns to the right"
        </p>
    }
}
