//! The full-width band that names the broken link, and the big words of a blind board.

use domain::trust::Freshness;
use leptos::prelude::*;

use super::state_mark::{Mark, StateMark};
use crate::{live_board::LiveBoard, zone::LocalZone};

/// Hidden while the board is live or merely late.
#[component]
pub fn TrustBand(
    /// Whose.
    board: LiveBoard,
    /// The zone of its times.
    zone: LocalZone,
) -> impl IntoView {
    let fresh = move || board.standing.get().freshness < Freshness::Stale;
    let headline = move || board.trust.with(|trust| board.standing.get().headline(trust));
    let explanation = Memo::new(move |_| {
        let now = board.now.get();
        board.trust.with(|trust| board.standing.get().explanation(now, trust, &zone))
    });
    view! {
        <div class="band" hidden=fresh>
            <StateMark mark=Signal::stored(Mark::Stale) />
            <p>
                <strong>{headline}</strong>
                " "
                <span class="band-text">{explanation}</span>
            </p>
        </div>
    }
}
