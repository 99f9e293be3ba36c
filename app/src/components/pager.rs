//! Which page of the rows is shown, and links to the others.

use leptos::prelude::*;

use crate::live_board::LiveBoard;

/// Dots and `1/3`; hidden when everything fits.
#[component]
pub fn Pager(
    /// Whose pages.
    board: LiveBoard,
) -> impl IntoView {
    let dots = move || {
        let page = board.page.get();
        (0..board.pages())
            .map(|number| {
                let here = (number == page).then_some("page");
                let label = format!("Page {}", number + 1);
                view! {
                    <li>
                        <a href=format!("?page={}", number + 1) aria-label=label aria-current=here></a>
                    </li>
                }
            })
            .collect_view()
    };
    view! {
        <nav class="pager" aria-label="Pages of queues" hidden=move || board.pages() < 2>
            <span class="pager-count">{move || format!("{}/{}", board.page.get() + 1, board.pages())}</span>
            <ul>{dots}</ul>
        </nav>
    }
}
