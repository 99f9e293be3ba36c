//! May this board be believed? Two links told apart, the newest event, and how far today is complete.

use leptos::prelude::*;

use crate::{
    live_board::{LiveBoard, State},
    standing::{self, LinkFace, Standing},
};

/// The list of what is known about the board's own state.
#[component]
pub fn TrustStrip(
    /// Whose.
    board: LiveBoard,
) -> impl IntoView {
    view! {
        <ul class="links" aria-label="May these numbers be believed?">
            <Link
                board=board.clone()
                name="Screen "
                face=|state| match state.paused_at {
                    Some(_) => LinkFace { state: "late", text: "paused".to_owned() },
                    None => state.standing.screen_face(state.now, state.server_heard_at, &state.zone),
                }
            />
            <Link
                board=board.clone()
                name="Zoom feed "
                face=|state| {
                    Standing::feed_face(state.now, state.server_heard_at, &state.latest.trust, &state.zone)
                }
            />
            <li class="link" data-state="note">
                {board.text(|state| standing::newest_event(state.now, &state.latest.trust, &state.zone))}
            </li>
        </ul>
    }
}

/// How far the numbers of today may be believed: what they leave out, and how many calls Zoom's record has
/// confirmed. Below the numbers on every board.
#[component]
pub fn TodayNote(
    /// Whose.
    board: LiveBoard,
    /// Says, too, why it is not sure who talks, for which a wall has no room.
    #[prop(optional)]
    in_full: bool,
) -> impl IntoView {
    let missing = |state: &State| standing::missing_today(&state.latest.trust, &state.zone);
    let checked = |state: &State| standing::counted_today(&state.totals);
    let doubt = |state: &State| standing::doubt(state.now, &state.latest.trust, &state.zone);
    let doubt = in_full.then(|| {
        view! { <span hidden=board.condition(move |state| doubt(state).is_none())>{board.text(move |state| doubt(state).unwrap_or_default())}</span> }
    });
    view! {
        <p class="today">
            <span class="link" data-state="gap" hidden=board.condition(move |state| missing(state).is_none())>
                "Today "
                {board.text(move |state| missing(state).unwrap_or_default())}
            </span>
            <span hidden=board.condition(move |state| checked(state).is_none())>
                {board.text(move |state| checked(state).unwrap_or_default())}
            </span>
            {doubt}
        </p>
    }
}

/// One link: name, shape, word.
#[component]
fn Link(
    /// Whose.
    board: LiveBoard,
    /// What it is called.
    name: &'static str,
    /// Its state now.
    face: fn(&State) -> LinkFace,
) -> impl IntoView {
    view! {
        <li class="link" data-state=board.text(move |state| face(state).state.to_owned())>
            <span class="dot" aria-hidden="true"></span>
            {name}
            <span>{board.text(move |state| face(state).text)}</span>
        </li>
    }
}
