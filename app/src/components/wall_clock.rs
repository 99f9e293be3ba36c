//! The time of day at the place of the board, with its zone.

use leptos::prelude::*;

use crate::live_board::LiveBoard;

/// A clock by the server's time.
#[component]
pub fn WallClock(
    /// Whose time.
    board: LiveBoard,
) -> impl IntoView {
    let label = board.read(|state| state.zone.label.clone());
    view! {
        <p class="clock">
            <time>{board.text(|state| state.zone.clock(state.now))}</time>
            <span class="clock-zone">{label}</span>
        </p>
    }
}
