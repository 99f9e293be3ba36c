//! What the head of a page needs so that its islands come to life.
//!
//! Leptos' own component for this reads file names at run time; ours are constants of the server.

use leptos::prelude::*;

/// The addresses of the built files, as the server embeds them.
#[derive(Clone, Copy, Debug)]
pub struct AssetLinks {
    /// The style sheet; always there.
    pub css: &'static str,
    /// The JavaScript through which page and wasm call each other.
    pub js: Option<&'static str>,
    /// The compiled islands.
    pub wasm: Option<&'static str>,
    /// The module that loads the other two and starts the islands on the page.
    pub bootstrap: Option<&'static str>,
    /// The icon; always there.
    pub favicon: &'static str,
    /// What only pages about finished calls need besides `css`; always there.
    pub analytics: &'static str,
}

/// The tags for the head of a page, in the order in which the browser should think of them.
///
/// Renders no script when the server was built without the browser side: the page is complete without.
#[component]
pub fn Bootstrap(links: AssetLinks) -> impl IntoView {
    view! {
        <link rel="icon" type="image/svg+xml" href=links.favicon />
        <link rel="stylesheet" href=links.css />
        {links.js.map(|js| view! { <link rel="modulepreload" href=js /> })}
        {links
            .wasm
            .map(|wasm| {
                // Only with these attributes does the program's own `fetch` find what was loaded early.
                view! {
                    <link
                        rel="preload"
                        r#as="fetch"
                        r#type="application/wasm"
                        crossorigin="anonymous"
                        href=wasm
                    />
                }
            })}
        {links
            .bootstrap
            .map(|bootstrap| {
                view! { <script type="module" src=bootstrap></script> }
            })}
    }
}
