//! What is read aloud to those who do not see the board.

use leptos::prelude::*;

use crate::live_board::LiveBoard;

/// Crossed thresholds and broken links, politely.
#[component]
pub fn Announcer(
    /// Whose.
    board: LiveBoard,
) -> impl IntoView {
    view! {
        <p class="unseen" role="status" aria-live="polite">
            {board.text(|state| state.announcement.clone())}
        </p>
    }
}
