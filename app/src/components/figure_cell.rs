//! One number of one queue, in a table cell.

use std::sync::Arc;

use leptos::prelude::*;

use crate::{
    address,
    column::{Column, Face, Room},
    live_board::Row,
};

/// A cell with a queue's number and how sure it is.
#[component]
pub fn FigureCell(
    /// Which number.
    column: Column,
    /// Whose.
    row: Arc<Row>,
    /// How much room it has.
    room: Room,
    /// The instant of the past that links must ask for, empty on a board of now.
    at: String,
) -> impl IntoView {
    let part =
        |part: fn(Face) -> String| row.text(move |row| part(column.face(&row.queue, row.shown_at, room)));
    let words = row.text(move |row| {
        let words = column.face(&row.queue, row.shown_at, room).words(column);
        words + column.verdict(&row.queue, row.shown_at)
    });
    let unit = column.has_unit().then(|| view! { <span class="unit">{part(|face| face.unit)}</span> });
    let number = part(|face| face.text);
    let number = match room {
        Room::Wall => view! { <span class="number">{number}</span> }.into_any(),
        // A desk's reader may ask what stands behind it.
        Room::Desk => {
            let behind = address::with_query(&address::behind(&row.id), &[("at", &at)]);
            let href = format!("{behind}#{}", column.key());
            view! { <a class="number" href=href>{number}</a> }.into_any()
        }
    };
    view! {
        <td data-column=column.key() data-face=words>
            {number}
            {unit}
        </td>
    }
}
