//! The full-width band that names the broken link, and the big words of a blind board.

use domain::{
    time::Timestamp,
    trust::{Freshness, Trust},
};
use leptos::prelude::*;

use super::state_mark::StateMark;
use crate::{live_board::LiveBoard, standing::Standing, zone::LocalZone};

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

/// The same on a page that stands still. Its numbers stay, however old, and it says of when they are.
#[component]
pub fn StillTrustBand(
    /// When the page was made.
    as_of: Timestamp,
    /// What the server says about its sources.
    trust: Trust,
    /// Of the times.
    zone: LocalZone,
) -> impl IntoView {
    let standing = Standing::of(as_of, as_of, &trust);
    let standing = Standing { freshness: standing.freshness.min(Freshness::Stale), ..standing };
    (standing.freshness == Freshness::Stale).then(|| {
        view! {
            <div class="band" data-mark="stale" role="status">
                <StateMark word=Box::new(|| "stale".to_owned()) />
                <p>
                    <strong>{standing.headline(&trust)}</strong>
                    " "
                    <span>{standing.explanation(as_of, &trust, &zone)}</span>
                    " "
                    <a href="/feed" hidden=!standing.is_about_feed()>
                        "What is wrong"
                    </a>
                </p>
            </div>
        }
    })
}
