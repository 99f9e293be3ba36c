//! The head of a desk's board: title, time, whether to believe it, and the button that stops it.

use leptos::prelude::*;

use super::{trust_band::TrustBand, trust_strip::TrustStrip, wall_clock::WallClock};
use crate::live_board::LiveBoard;

/// Title, time and trust; below them what is broken, and that the reader has stopped the board.
#[component]
pub fn DeskHead(
    /// Whose.
    board: LiveBoard,
    /// What the page is called.
    title: &'static str,
) -> impl IntoView {
    let paused = |words: [&'static str; 2]| {
        board.text(move |state| words[usize::from(state.paused_at.is_some())].to_owned())
    };
    let paused_text = board.text(|state| match state.paused_at {
        Some(at) => format!("Paused at {}. Press P or “Resume updates” to go on.", state.zone.clock(at)),
        None => String::new(),
    });
    view! {
        <div class="head">
            <h1>{title}</h1>
            <p class="head-date">{board.text(|state| state.zone.date(state.now))}</p>
            <WallClock board=board.clone() />
            <TrustStrip board=board.clone() />
            <button
                r#type="button"
                class="pause"
                data-pause=""
                aria-keyshortcuts="p"
                aria-pressed=paused(["false", "true"])
            >
                {paused(["Pause updates (P)", "Resume updates (P)"])}
            </button>
        </div>
        <TrustBand board=board.clone() />
        <p class="pause-band" hidden=board.condition(|state| state.paused_at.is_none())>
            {paused_text}
        </p>
    }
}
