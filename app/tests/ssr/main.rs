//! What a person reads on the pages as the server makes them: one module per page.
#![cfg(feature = "ssr")]

mod wall;

mod queues;

mod queue;

mod agents;

mod feed;

mod reconciliation;

mod calls;

mod reports;

mod documents;

mod past;

use app::{
    bootstrap::AssetLinks,
    document::{PageLink, Site},
    zone::LocalZone,
};
use leptos::prelude::*;

fn site() -> Site {
    Site {
        assets: AssetLinks {
            css: "/assets/callboard.css",
            js: Some("/assets/app.js"),
            wasm: Some("/assets/app.wasm"),
            bootstrap: Some("/assets/bootstrap.js"),
            favicon: "/assets/favicon.svg",
            analytics: "/assets/analytics.css",
        },
        build_id: "build-1".to_owned(),
        demo: true,
        recording: None,
        links: vec![
            PageLink::new("Queues", "/queues"),
            PageLink::new("Agents", "/agents"),
            PageLink::new("Wall", "/wall"),
        ],
    }
}

fn zone() -> LocalZone {
    LocalZone {
        name: "Europe/Berlin".to_owned(),
        label: "Berlin".to_owned(),
        offset_seconds: 3600,
        next_offset: None,
    }
}

fn render<V: IntoView + 'static>(page: impl FnOnce() -> V) -> String {
    Owner::new_root(Some(std::sync::Arc::new(hydration_context::SsrSharedContext::new_islands())))
        .with(|| page().into_view().to_html())
}

/// The text as a reader gets it: without tags, attributes and comments, with single spaces.
fn text(html: &str) -> String {
    let body = html.split_once("<body").map_or(html, |(_, body)| body);
    let mut text = String::new();
    let mut rest = body;
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        // Adjacent cells and list entries are words of their own; comments are nothing.
        if !after.starts_with('!') {
            text.push(' ');
        }
        rest = after.split_once('>').map_or("", |(_, rest)| rest);
    }
    text.push_str(rest);
    let text = text
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
        .replace(['\u{a0}', '\u{2009}'], " ")
        .replace('\u{2011}', "-");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The row that shows that queue, as text.
fn row(html: &str, queue: &str) -> String {
    let (_, row) = html.split_once(&format!("<tr data-row=\"{queue}\"")).unwrap();
    let (_, row) = row.split_once('>').unwrap();
    text(row.split_once("</tr>").unwrap().0)
}

#[track_caller]
fn assert_reads(html: &str, expected: &[&str]) {
    let text = text(html);
    for expected in expected {
        assert!(text.contains(expected), "“{expected}” is missing in:\n{text}");
    }
}
