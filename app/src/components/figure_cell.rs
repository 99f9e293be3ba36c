//! One number of one queue, in a table cell.

use domain::{time::Timestamp, view::QueueView};
use leptos::prelude::*;

use crate::column::{Column, Room};

/// A cell with a queue's number and how sure it is.
#[component]
pub fn FigureCell(
    /// Which number.
    column: Column,
    /// Whose.
    queue: RwSignal<QueueView>,
    /// The instant to which waits have ticked.
    at: RwSignal<Timestamp>,
    /// How much room it has.
    room: Room,
) -> impl IntoView {
    let face = move || {
        // Only the longest wait moves with the clock.
        let at = if column == Column::Longest { at.get() } else { at.get_untracked() };
        queue.with(|queue| column.face(queue, at, room))
    };
    view! {
        <td
            data-column=column.key()
            data-quality=move || face().quality.word()
            class:quiet=move || face().quiet
            class:long=move || column.crowds(&face())
            title=move || Some(face().explanation()).filter(|text| !text.is_empty())
        >
            <span class="number">{move || face().text}</span>
            {column.has_unit().then(|| view! { <span class="unit">{move || face().unit}</span> })}
        </td>
    }
}
