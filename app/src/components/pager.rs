//! Which page of the rows is shown, and links to the others.

use leptos::prelude::*;

use crate::live_board::LiveBoard;

/// Links for pages that may still come while the board is shown.
const SPARE: usize = 3;

/// `1/3` and dots; hidden when everything fits.
#[component]
pub fn Pager(
    /// Whose pages.
    board: LiveBoard,
) -> impl IntoView {
    let most = board.read(|state| state.pages()) + SPARE;
    let dots = (0..most)
        .map(|number| {
            let here =
                board.text(move |state| if state.page == number { "true" } else { "false" }.to_owned());
            let label = format!("Page {}", number + 1);
            view! {
                <li hidden=board.condition(move |state| number >= state.pages())>
                    <a href=format!("?page={}", number + 1) aria-label=label aria-current=here></a>
                </li>
            }
        })
        .collect_view();
    view! {
        <nav class="pager" aria-label="Pages of queues" hidden=board.condition(|state| state.pages() < 2)>
            <span class="pager-count">
                {board.text(|state| format!("{}/{}", state.page + 1, state.pages()))}
            </span>
            <ul>{dots}</ul>
        </nav>
    }
}
