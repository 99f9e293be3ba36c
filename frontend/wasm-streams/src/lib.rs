//! Stands in for the crate of this name, which Leptos' server functions stream with; Callboard has none.
//!
//! The real one exports classes to JavaScript. Exports are kept by every linker, so each browser would download
//! 6 kB that nobody calls. Whoever writes a server function removes this crate and the `[patch]` that names it.

use futures_util::{Stream, stream};
use wasm_bindgen::JsValue;

/// A stream that JavaScript reads.
#[derive(Debug)]
pub struct ReadableStream(web_sys::ReadableStream);

impl ReadableStream {
    /// A stream of JavaScript's own.
    pub fn from_raw(raw: web_sys::ReadableStream) -> Self {
        Self(raw)
    }

    /// A stream of ours.
    ///
    /// # Panics
    ///
    /// Always: it is the part that is left out.
    pub fn from_stream(_stream: impl Stream<Item = Result<JsValue, JsValue>> + 'static) -> Self {
        unimplemented!("server functions need the real `wasm-streams`")
    }

    /// What JavaScript reads.
    pub fn into_raw(self) -> web_sys::ReadableStream {
        self.0
    }

    /// Reads what JavaScript writes.
    ///
    /// # Panics
    ///
    /// Always: it is the part that is left out.
    pub fn into_stream(self) -> stream::Pending<Result<JsValue, JsValue>> {
        unimplemented!("server functions need the real `wasm-streams`")
    }
}
