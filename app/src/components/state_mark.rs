//! How alarming something is: colour, shape and word together.

use domain::view::Level;
use leptos::prelude::*;

use crate::column::level_word;

/// What a mark says. Unknown never looks like normal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// As sure as the board is.
    Level(Level),
    /// The board is too old to say.
    Stale,
}

impl Mark {
    /// The word shown, and the value of `data-mark` in style sheets.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Level(level) => level_word(level),
            Self::Stale => "stale",
        }
    }
}

/// Shape and word of a mark. Style sheets draw the shape, and hide the mark where normal needs no word.
#[component]
pub fn StateMark(
    /// What it says.
    #[prop(into)]
    mark: Signal<Mark>,
) -> impl IntoView {
    view! {
        <span class="mark" data-mark=move || mark.get().word()>
            <span class="shape" aria-hidden="true"></span>
            <span class="mark-word">{move || mark.get().word()}</span>
        </span>
    }
}
