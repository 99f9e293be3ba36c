//! May this board be believed? Two links told apart, the newest event, and what today leaves out.

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
    /// Leaves out what today leaves out: it stands elsewhere.
    #[prop(optional)]
    brief: bool,
) -> impl IntoView {
    let missing = (!brief).then(|| view! { <li><MissingToday board=board.clone() /></li> });
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
            {missing}
        </ul>
    }
}

/// What today's counts leave out; nothing while they are whole.
#[component]
pub fn MissingToday(
    /// Whose.
    board: LiveBoard,
) -> impl IntoView {
    let missing = |state: &State| standing::missing_today(&state.latest.trust, &state.zone);
    view! {
        <p class="link" data-state="gap" hidden=board.condition(move |state| missing(state).is_none())>
            "Today "
            <span>{board.text(move |state| missing(state).unwrap_or_default())}</span>
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
