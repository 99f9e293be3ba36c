//! One queue of the board: state, name, numbers.

use std::sync::Arc;

use domain::quality::Quality;
use leptos::prelude::*;

use super::{
    figure_cell::FigureCell,
    live_rows::{LiveRow, LiveRows},
    state_mark::StateMark,
};
use crate::{
    address, agent_words,
    column::{Column, Room},
    live_board::{LiveBoard, Row},
    numeral,
};

/// What the rows of a table have in common.
#[derive(Debug, Clone, Copy)]
pub struct RowShape {
    /// The numbers after the name.
    pub columns: &'static [Column],
    /// How many characters of the name fit.
    pub name_length: usize,
    /// How much room the numbers have.
    pub room: Room,
}

/// The rows of a table's body, keyed by their queues.
#[component]
pub fn QueueRows(
    /// Whose.
    board: LiveBoard,
    /// What they look like.
    shape: RowShape,
    /// The instant of the past that links must ask for, empty on a board of now.
    #[prop(optional)]
    at: String,
) -> impl IntoView {
    let drawn = move |row: Arc<Row>| {
        let at = at.clone();
        LiveRow::new(row.id.to_string(), move || view! { <QueueRow row shape at /> })
    };
    view! { <LiveRows rows=Box::new(move || board.rows().into_iter().map(&drawn).collect()) /> }
}

/// One row.
#[component]
fn QueueRow(
    /// Its queue.
    row: Arc<Row>,
    /// What it looks like.
    shape: RowShape,
    /// The instant of the past that links must ask for.
    at: String,
) -> impl IntoView {
    let RowShape { columns, name_length, room } = shape;
    let cells = columns
        .iter()
        .map(|column| view! { <FigureCell column=*column row=row.clone() room at=at.clone() /> })
        .collect_view();
    let extension = row.text(move |row| match &row.queue.extension_number {
        Some(extension) if room == Room::Desk => extension.clone(),
        _ => String::new(),
    });
    // On the wall to the queue's own wall, at a desk to what stands behind its numbers.
    let href = match room {
        Room::Wall => address::wall_of(&row.id),
        Room::Desk => address::behind(&row.id),
    };
    let href = address::with_query(&href, &[("at", &at)]);
    let is_unresolved = row.id.is_unresolved();
    let remark = row.text(move |row| match row.queue.figures.unconfirmed {
        0 if is_unresolved => "not in the directory".to_owned(),
        // Where the other members are, for a room that asks who can help; a desk has the page of agents.
        0 if room == Room::Wall && row.queue.quality.available != Quality::Unknown => agent_words::kept(
            &row.queue.members_busy,
            row.queue.members.unwrap_or(0),
            row.queue.members_available.unwrap_or(0),
        ),
        0 => String::new(),
        1 => "1 call unconfirmed since a gap".to_owned(),
        doubtful => format!("{doubtful} calls unconfirmed since a gap"),
    });
    view! {
        <tr data-row=row.id.to_string() data-mark=row.text(|row| row.mark.key().to_owned())>
            <td class="row-state">
                <StateMark word=row.text(|row| row.mark.word().to_owned()) />
            </td>
            <th scope="row">
                <a class="row-name" href=href title=row.text(|row| row.queue.name.clone())>
                    {row.text(move |row| numeral::shortened(&row.queue.name, name_length))}
                </a>
                <span class="extension">
                    {extension}
                </span>
                <span class="row-remark">{remark}</span>
            </th>
            {cells}
        </tr>
    }
}
