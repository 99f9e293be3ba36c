//! The time of day at the place of the board, with its zone.

use leptos::prelude::*;

use crate::{live_board::LiveBoard, zone::LocalZone};

/// A clock by the server's time.
#[component]
pub fn WallClock(
    /// Whose time.
    board: LiveBoard,
    /// Where.
    zone: LocalZone,
) -> impl IntoView {
    let label = zone.label.clone();
    let name = zone.name.clone();
    view! {
        <p class="clock">
            <time>{move || zone.clock(board.now.get())}</time>
            <span class="clock-zone" title=name>
                {label}
            </span>
        </p>
    }
}
