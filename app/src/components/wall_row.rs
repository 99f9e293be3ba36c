//! One queue on the wall.

use domain::trust::Freshness;
use leptos::prelude::*;

use super::{
    figure_cell::FigureCell,
    state_mark::{Mark, StateMark},
};
use crate::{
    column::{Column, Room},
    live_board::{LiveBoard, Row},
    numeral,
};

/// A row of the wall's table.
#[component]
pub fn WallRow(
    /// The board it belongs to.
    board: LiveBoard,
    /// Its queue.
    row: Row,
    /// The numbers it shows.
    columns: Vec<Column>,
    /// How many characters of the name fit.
    name_length: usize,
) -> impl IntoView {
    let queue = RwSignal::from(row.queue);
    let level = RwSignal::from(row.level);
    let mark = Signal::derive(move || {
        if board.standing.get().freshness >= Freshness::Stale {
            Mark::Stale
        } else {
            Mark::Level(level.get())
        }
    });
    let name = move || queue.with(|queue| queue.name.clone());
    let shown = move || queue.with(|queue| numeral::shortened(&queue.name, name_length));
    let cells = columns
        .into_iter()
        .map(|column| view! { <FigureCell column queue at=board.shown_at room=Room::Wall /> })
        .collect_view();
    view! {
        <tr data-row=row.id.to_string() data-mark=move || mark.get().word()>
            <td class="row-state">
                <StateMark mark />
            </td>
            <th scope="row" title=name>
                <span class="row-name">{shown}</span>
                {row.id.is_unresolved().then(|| view! { <span class="row-remark">"not in the directory"</span> })}
            </th>
            {cells}
        </tr>
    }
}
