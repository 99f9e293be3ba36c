//! The wasm entry point: everything the browser runs lives in `app`.

// Naming the crate keeps the linker from dropping its islands.
extern crate app;

/// Called once by the bootstrap script before any island is started.
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
}
