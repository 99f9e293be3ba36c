//! Pages as bytes: written once for each address and revision of the board, then shared.
//!
//! When a server comes back, all its screens load their page within seconds; each page is then written
//! and compressed a few times, not once for each screen. Knows nothing of what is on a page.

use std::{
    collections::HashMap,
    io::Write as _,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use flate2::write::GzEncoder;
use hydration_context::SsrSharedContext;
use leptos::prelude::*;

use super::encoding::Encoding;

/// Addresses kept of one revision. Whoever invents more of them has to wait for each to be written.
const MOST_ADDRESSES: usize = 64;
/// Of 11: the page is a tenth of its size already, and takes a millisecond.
const BROTLI_QUALITY: u32 = 4;
/// Of 24, in bits: pages are smaller than a window of 256 KiB.
const BROTLI_WINDOW: u32 = 18;

/// The pages of the newest revision that was asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct RenderedPages(Arc<Mutex<Shelf>>);

#[derive(Debug, Default)]
struct Shelf {
    revision: u64,
    pages: HashMap<String, Arc<RenderedPage>>,
}

impl RenderedPages {
    /// The page at `address`, if it was written for that revision.
    pub(super) fn get(&self, revision: u64, address: &str) -> Option<Arc<RenderedPage>> {
        let shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (shelf.revision == revision).then(|| shelf.pages.get(address).cloned()).flatten()
    }

    /// Keeps a page for others who ask; forgets the pages of older revisions.
    pub(super) fn keep(&self, revision: u64, address: &str, page: &Arc<RenderedPage>) {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if shelf.revision < revision {
            shelf.revision = revision;
            shelf.pages.clear();
        }
        if shelf.revision == revision && shelf.pages.len() < MOST_ADDRESSES {
            shelf.pages.insert(address.to_owned(), Arc::clone(page));
        }
    }
}

/// One page, with its compressed forms as soon as somebody asks for them.
#[derive(Debug)]
pub(super) struct RenderedPage {
    html: Bytes,
    brotli: OnceLock<Bytes>,
    gzip: OnceLock<Bytes>,
}

impl RenderedPage {
    /// Writes a page in one go: nothing on our pages waits for anything.
    pub(super) fn of(page: impl FnOnce() -> AnyView) -> Self {
        // A root for each page, gone when it is written: nothing of one reaches another.
        let owner = Owner::new_root(Some(Arc::new(SsrSharedContext::new_islands())));
        let html = owner.with(|| page().to_html());
        owner.unset_with_forced_cleanup();
        Self { html: html.into(), brotli: OnceLock::new(), gzip: OnceLock::new() }
    }

    /// The answer to a request that accepts what `request` says.
    pub(super) fn respond(&self, status: StatusCode, request: &HeaderMap) -> Response {
        let encoding = Encoding::best_for(request);
        let body = match encoding {
            Encoding::Brotli => self.brotli.get_or_init(|| brotli(&self.html)),
            Encoding::Gzip => self.gzip.get_or_init(|| gzip(&self.html)),
            Encoding::Identity => &self.html,
        };
        let mut response = Response::new(Body::from(body.clone()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        encoding.declare(headers);
        response
    }
}

fn brotli(html: &[u8]) -> Bytes {
    let mut writer = brotli::CompressorWriter::new(Vec::new(), 4096, BROTLI_QUALITY, BROTLI_WINDOW);
    writer.write_all(html).expect("memory takes everything");
    writer.into_inner().into()
}

fn gzip(html: &[u8]) -> Bytes {
    let mut writer = GzEncoder::new(Vec::new(), flate2::Compression::default());
    writer.write_all(html).expect("memory takes everything");
    writer.finish().expect("memory takes everything").into()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn page(text: &'static str) -> Arc<RenderedPage> {
        Arc::new(RenderedPage::of(move || view! { <p>{text}</p> }.into_any()))
    }

    #[test]
    fn a_page_is_kept_for_its_revision_and_its_address() {
        let pages = RenderedPages::default();
        assert!(pages.get(7, "/wall").is_none());
        pages.keep(7, "/wall", &page("seven"));
        assert!(pages.get(7, "/wall").is_some_and(|page| page.html.starts_with(b"<p>seven")));
        assert!(pages.get(7, "/wall?rows=3").is_none());
        assert!(pages.get(8, "/wall").is_none());
        pages.keep(8, "/wall", &page("eight"));
        assert!(pages.get(7, "/wall").is_none());
        pages.keep(7, "/wall", &page("late"));
        assert!(pages.get(7, "/wall").is_none(), "a slow writer does not bring the past back");
    }

    #[test]
    fn invented_addresses_fill_no_memory() {
        let pages = RenderedPages::default();
        for number in 0..10 * MOST_ADDRESSES {
            pages.keep(1, &format!("/queues?find={number}"), &page("x"));
        }
        assert_eq!(pages.0.lock().unwrap().pages.len(), MOST_ADDRESSES);
    }

    #[test]
    fn compressed_pages_are_the_same_pages() {
        let page = page("many words and many more words");
        let mut plain = Vec::new();
        brotli::Decompressor::new(&*brotli(&page.html), 4096).read_to_end(&mut plain).unwrap();
        assert_eq!(plain, page.html);
        plain.clear();
        flate2::read::GzDecoder::new(&*gzip(&page.html)).read_to_end(&mut plain).unwrap();
        assert_eq!(plain, page.html);
    }
}
