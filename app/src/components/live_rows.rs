//! Rows that come, go and change places.

use leptos::prelude::*;

/// One of them. What it is of does not show, so that all tables share one program to keep their rows.
pub struct LiveRow {
    key: String,
    draw: Box<dyn FnOnce() -> AnyView + Send>,
}

impl LiveRow {
    /// A row that is the same as long as `key` is.
    pub fn new<V: IntoView + 'static>(key: String, draw: impl FnOnce() -> V + Send + 'static) -> Self {
        Self { key, draw: Box::new(move || draw().into_view().into_any()) }
    }
}

/// Draws a row when it comes, and keeps it until it goes.
#[component]
pub fn LiveRows(
    /// The rows to show now, followed.
    rows: Box<dyn Fn() -> Vec<LiveRow> + Send + Sync>,
) -> impl IntoView {
    view! { <For each=rows key=|row| row.key.clone() children=|row: LiveRow| (row.draw)() /> }
}
