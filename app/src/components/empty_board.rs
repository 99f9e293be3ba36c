//! What stands where queues would stand.

use leptos::prelude::*;

/// Says what would appear and how to get it there.
#[component]
pub fn EmptyBoard() -> impl IntoView {
    view! {
        <div class="empty">
            <p class="empty-title">"No queues yet"</p>
            <p>
                "Every call queue of the Zoom Phone account appears here as soon as its directory has been read, "
                "or as soon as a call enters the queue."
            </p>
            <p>"If nothing appears, check the Zoom app’s credentials and scopes: " <a href="/feed">"the state of the feed"</a> " says what is missing."</p>
        </div>
    }
}
