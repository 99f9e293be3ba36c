//! The limit of the machine beside rendered pages: axum handlers that answer one recorded page.
//!
//! The one that writes does what a page written by hand must do for each request: encode the view as
//! JSON, escape every text, and put the tags between them. It knows no components, no signals and
//! no context.

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, ensure};
use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, HeaderValue, header},
    routing::get,
};
use clap::ValueEnum;
use domain::view::BoardView;

/// How the page is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Way {
    /// Made from its values for every request.
    Written,
    /// Kept as bytes.
    Ready,
}

/// A part of the page.
#[derive(Debug)]
enum Piece {
    /// Tags, as they are.
    Tags(String),
    /// A text, to be escaped.
    Text(String),
    /// The view as data of a script, to be encoded.
    View(Box<BoardView>),
}

/// Answers until standard input ends.
#[expect(clippy::print_stdout, reason = "the parent process reads the address")]
pub(crate) fn run(file: &Path, way: Way) -> anyhow::Result<()> {
    let page = std::fs::read_to_string(file).context("the recorded page cannot be read")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let router = match way {
            Way::Ready => {
                let page = Bytes::from(page);
                Router::new().route("/queues", get(async move || (headers(), page.clone())))
            }
            Way::Written => {
                let pieces = Arc::new(take_apart(&page)?);
                let written = write(&pieces);
                ensure!(written == page, "the page does not come out as it went in");
                Router::new().route("/queues", get(async move || (headers(), write(&pieces))))
            }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("http://{}/", listener.local_addr()?);
        std::thread::spawn(|| {
            // Orders never come; the end of them is the end of the parent.
            let _ = std::io::stdin().lines().last();
            std::process::exit(0);
        });
        Ok(axum::serve(listener, router).await?)
    })
}

/// As many headers as the server sends.
fn headers() -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(10);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    let policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; \
                  connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'";
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert("permissions-policy", HeaderValue::from_static("camera=(), microphone=()"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers
}

fn take_apart(page: &str) -> anyhow::Result<Vec<Piece>> {
    const VIEW: &str = "\"view\":";
    let script = page.find("id=\"board-start\">").context("the page hands over no board")?;
    let begin = script + page[script..].find(VIEW).context("the page holds no view")? + VIEW.len();
    let mut values = serde_json::Deserializer::from_str(&page[begin..]).into_iter::<BoardView>();
    let view = values.next().context("the page holds no view")??;
    let end = begin + values.byte_offset();
    let mut pieces = Vec::new();
    texts_and_tags(&page[..begin], &mut pieces);
    pieces.push(Piece::View(Box::new(view)));
    texts_and_tags(&page[end..], &mut pieces);
    Ok(pieces)
}

fn texts_and_tags(mut html: &str, pieces: &mut Vec<Piece>) {
    // The first part may begin inside of a tag.
    while !html.is_empty() {
        let tag_end = html.find('>').map_or(html.len(), |end| end + 1);
        let (tags, rest) = html.split_at(tag_end);
        pieces.push(Piece::Tags(tags.to_owned()));
        let text_end = rest.find('<').unwrap_or(rest.len());
        let (text, rest) = rest.split_at(text_end);
        if !text.is_empty() {
            pieces.push(Piece::Text(unescape(text)));
        }
        html = rest;
    }
}

fn write(pieces: &[Piece]) -> String {
    let mut page = String::with_capacity(128 * 1024);
    for piece in pieces {
        match piece {
            Piece::Tags(tags) => page.push_str(tags),
            Piece::Text(text) => escape_into(text, &mut page),
            Piece::View(view) => {
                let json = serde_json::to_string(view).expect("a view is plain data and always encodes");
                page.push_str(&json.replace('<', "\\u003c"));
            }
        }
    }
    page
}

fn escape_into(text: &str, page: &mut String) {
    let mut rest = text;
    while let Some(place) = rest.find(['&', '<', '>']) {
        page.push_str(&rest[..place]);
        page.push_str(match rest.as_bytes()[place] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            _ => "&gt;",
        });
        rest = &rest[place + 1..];
    }
    page.push_str(rest);
}

fn unescape(text: &str) -> String {
    text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone() {
        for text in ["a & b < c > d \"e\"", "&amp;quot;", "plain", ""] {
            let mut page = String::new();
            escape_into(text, &mut page);
            assert_eq!(unescape(&page), text);
        }
    }
}
