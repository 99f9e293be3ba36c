//! How alarming something is: colour, shape and word together.

use domain::view::Level;
use leptos::prelude::*;

use crate::{column::level_word, live_board::LiveText};

/// What a mark says. Unknown never looks like normal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// As sure as the board is.
    Level(Level),
    /// Nobody is seen waiting, and nobody is free: whoever waits cannot be seen.
    NobodyFree,
    /// The board is too old to say.
    Stale,
}

impl Mark {
    /// The word shown.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Level(level) => level_word(level),
            Self::NobodyFree => "no agent",
            Self::Stale => "stale",
        }
    }

    /// The value of `data-mark` in style sheets.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Level(Level::Normal) => "normal",
            Self::Level(Level::Watch) => "watch",
            Self::Level(Level::Act) => "act",
            Self::NobodyFree => "nobody",
            Self::Stale => "stale",
        }
    }
}

/// Shape and word of a mark. The style sheet draws the shape that `data-mark` of an element around it asks for.
#[component]
pub fn StateMark(
    /// The word.
    word: LiveText,
) -> impl IntoView {
    view! {
        <span class="mark">
            <span class="shape" aria-hidden="true"></span>
            <span class="mark-word">{word}</span>
        </span>
    }
}
