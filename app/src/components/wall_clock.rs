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
            // What is done while the past runs starts from here.
            <time data-now=board.text(|state| state.now.as_millis().to_string())>
                {board.text(|state| state.zone.clock(state.now))}
            </time>
            <span class="clock-zone">{label}</span>
        </p>
    }
}
