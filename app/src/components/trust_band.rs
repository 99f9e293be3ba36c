//! The full-width band that names the broken link, and the big words of a blind board.

use domain::trust::Freshness;
use leptos::prelude::*;

use super::state_mark::StateMark;
use crate::live_board::LiveBoard;

/// Hidden while the board is live or merely late.
#[component]
pub fn TrustBand(
    /// Whose.
    board: LiveBoard,
) -> impl IntoView {
    let explanation =
        board.text(|state| state.standing.explanation(state.now, &state.latest.trust, &state.zone));
    view! {
        <div
            class="band"
            data-mark="stale"
            hidden=board.condition(|state| state.standing.freshness < Freshness::Stale)
        >
            <StateMark word=Box::new(|| "stale".to_owned()) />
            <p>
                <strong>{board.text(|state| state.standing.headline(&state.latest.trust).to_owned())}</strong>
                " "
                <span>{explanation}</span>
                " "
                <a href="/feed" hidden=board.condition(|state| !state.standing.is_about_feed())>
                    "What is wrong"
                </a>
            </p>
        </div>
    }
}
