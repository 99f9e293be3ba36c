//! Which page of the rows is shown, and links to the others.

use leptos::prelude::*;

use crate::live_board::LiveBoard;

/// `1/3` and dots; hidden when everything fits.
#[component]
pub fn Pager(
    /// Whose pages.
    board: LiveBoard,
    /// The address of a page, without its number.
    address: String,
) -> impl IntoView {
    let (pages, of_dots) = (board.clone(), board.clone());
    let dot = move |number: usize| {
        let here = of_dots.text(move |state| if state.page == number { "true" } else { "false" }.to_owned());
        let label = format!("Page {}", number + 1);
        view! {
            <li>
                <a href=format!("{address}{}", number + 1) aria-label=label aria-current=here></a>
            </li>
        }
    };
    view! {
        <nav class="pager" aria-label="Pages of queues" hidden=board.condition(|state| state.pages() < 2)>
            <span class="pager-count">
                {board.text(|state| format!("{}/{}", state.page + 1, state.pages()))}
            </span>
            <ul>
                <For each=move || 0..pages.pages() key=|number| *number children=dot />
            </ul>
        </nav>
    }
}
