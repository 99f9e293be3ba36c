//! May this board be believed? Two links told apart, the newest event, and what today leaves out.

use leptos::prelude::*;

use crate::{
    live_board::LiveBoard,
    standing::{self, LinkFace, Standing},
    zone::LocalZone,
};

/// The list of what is known about the board's own state.
#[component]
pub fn TrustStrip(
    /// Whose.
    board: LiveBoard,
    /// The zone of its times.
    zone: LocalZone,
) -> impl IntoView {
    let zone = StoredValue::new(zone);
    let screen = Memo::new(move |_| {
        let standing = board.standing.get();
        zone.with_value(|zone| standing.screen_face(board.now.get(), board.server_heard_at.get(), zone))
    });
    let feed = Memo::new(move |_| {
        let now = board.now.get();
        board.trust.with(|trust| {
            zone.with_value(|zone| Standing::feed_face(now, board.server_heard_at.get(), trust, zone))
        })
    });
    let newest = Memo::new(move |_| {
        let now = board.now.get();
        board.trust.with(|trust| standing::newest_event(now, trust))
    });
    let missing = Memo::new(move |_| {
        board.trust.with(|trust| zone.with_value(|zone| standing::missing_today(trust, zone)))
    });
    view! {
        <ul class="links" aria-label="May these numbers be believed?">
            <Link name="Screen" face=screen />
            <Link name="Zoom feed" face=feed />
            <li class="link" data-state="note">
                <span class="link-text">{newest}</span>
            </li>
            <li class="link" data-state="gap" hidden=move || missing.with(Option::is_none)>
                <span class="link-name">"Today "</span>
                <span class="link-text">{move || missing.get().unwrap_or_default()}</span>
            </li>
        </ul>
    }
}

/// One link: name, shape, word.
#[component]
fn Link(
    /// What it is called.
    name: &'static str,
    /// Its state now.
    #[prop(into)]
    face: Signal<LinkFace>,
) -> impl IntoView {
    view! {
        <li class="link" data-state=move || face.with(|face| face.state)>
            <span class="dot" aria-hidden="true"></span>
            <span class="link-name">{name} " "</span>
            <span class="link-text">{move || face.with(|face| face.text.clone())}</span>
        </li>
    }
}
