//! Which page of the rows is shown, and links to the others.

use leptos::prelude::*;

use super::live_rows::{LiveRow, LiveRows};
use crate::live_board::LiveBoard;

/// `1/3` and dots; hidden when everything fits.
#[component]
pub fn Pager(
    /// Whose pages.
    board: LiveBoard,
    /// The address of a page, without its number.
    address: String,
) -> impl IntoView {
    let pages = board.clone();
    let dot = move |number: usize| {
        let (board, address) = (pages.clone(), address.clone());
        LiveRow::new(number.to_string(), move || {
            let here = board.text(move |state| (state.page == number).to_string());
            view! {
                <li>
                    <a
                        href=format!("{address}{}", number + 1)
                        aria-label=format!("Page {}", number + 1)
                        aria-current=here
                    ></a>
                </li>
            }
        })
    };
    let of_dots = board.clone();
    let dots = Box::new(move || (0..of_dots.pages()).map(&dot).collect());
    view! {
        <nav class="pager" aria-label="Pages of queues" hidden=board.condition(|state| state.pages() < 2)>
            <span class="pager-count">
                {board.text(|state| format!("{}/{}", state.page + 1, state.pages()))}
            </span>
            <ul>
                <LiveRows rows=dots />
            </ul>
        </nav>
    }
}
