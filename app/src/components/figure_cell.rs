//! One number of one queue, in a table cell.

use std::sync::Arc;

use leptos::prelude::*;

use super::number_cell::NumberCell;
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
    let unit = column.has_unit().then(|| part(|face| face.unit));
    // A desk's reader may ask what stands behind it.
    let href = (room == Room::Desk).then(|| {
        let behind = address::with_query(&address::behind(&row.id), &[("at", &at)]);
        format!("{behind}#{}", column.key())
    });
    view! { <NumberCell key=column.key() face=words number=part(|face| face.text) unit href /> }
}
