//! One queue in the desk's table.

use domain::trust::Freshness;
use leptos::prelude::*;

use super::{
    figure_cell::FigureCell,
    state_mark::{Mark, StateMark},
};
use crate::{
    address,
    column::{Column, Room},
    live_board::{LiveBoard, Row},
};

/// A row of the desk's table.
#[component]
pub fn DeskRow(
    /// The board it belongs to.
    board: LiveBoard,
    /// Its queue.
    row: Row,
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
    let extension = move || queue.with(|queue| queue.extension_number.clone().unwrap_or_default());
    let cells = Column::ALL
        .into_iter()
        .filter(|column| !matches!(column, Column::Queue | Column::State))
        .map(|column| view! { <FigureCell column queue at=board.shown_at room=Room::Desk /> })
        .collect_view();
    view! {
        <tr data-row=row.id.to_string() data-mark=move || mark.get().word()>
            <th scope="row">
                <a class="row-name" href=address::wall_of(&row.id)>
                    {name}
                </a>
                <span class="extension">{extension}</span>
                {row.id.is_unresolved().then(|| view! { <span class="row-remark">"not in the directory"</span> })}
            </th>
            <td class="row-state">
                <StateMark mark />
            </td>
            {cells}
        </tr>
    }
}
