//! What holds of every page, and the pages that say what went wrong.

use app::{
    document::PageLink,
    pages::{
        problem::{ProblemPage, problem_page},
        style::{sample, style_page},
        wall::WallSubject,
    },
    settings::WallSettings,
};

use crate::{assert_reads, queues::desk, render, site, wall::wall};

#[test]
fn an_empty_board_says_what_would_appear() {
    for html in [
        wall(sample::view(Vec::new(), sample::trust()), WallSubject::AllQueues, &[]),
        desk(sample::view(Vec::new(), sample::trust()), &[]),
    ] {
        assert_reads(
            &html,
            &[
                "No queues yet",
                "appears here as soon as its directory has been read",
                "the state of the feed",
            ],
        );
        assert_reads(&html, &["Service level n/a", "none decided today"]);
    }
}

#[test]
fn a_page_without_a_program_says_when_it_was_made() {
    let html = wall(sample::view(sample::calm(), sample::trust()), WallSubject::AllQueues, &[]);
    assert!(html.contains("<noscript><meta http-equiv=\"refresh\" content=\"10\"></noscript>"));
    assert_reads(
        &html,
        &[
            "This page was made at 14:02:11 (Berlin). Without JavaScript it loads itself again every 10 seconds.",
        ],
    );
}

#[test]
fn a_strict_content_policy_has_nothing_to_refuse() {
    let pages = [
        wall(sample::view(sample::busy(), sample::trust()), WallSubject::AllQueues, &[]),
        desk(sample::view(sample::busy(), sample::trust()), &[]),
        render(|| style_page(site())),
    ];
    for html in pages {
        assert!(!html.contains(" style="), "style attributes are refused");
        assert!(!html.contains("<style"), "inline style sheets are refused");
        assert!(!html.contains("onclick="), "inline handlers are refused");
    }
}

#[test]
fn the_page_tells_its_program_where_to_listen() {
    let html = wall(sample::view(sample::calm(), sample::trust()), WallSubject::AllQueues, &[]);
    assert!(html.contains("\"stream_url\":\"/live/all\""));
    assert!(html.contains("\"build_id\":\"build-1\""));
    assert_eq!(html.matches("<leptos-island").count(), 1, "one island per page");
}

#[test]
fn problems_say_what_to_do_next() {
    let problems = WallSettings::parse([("theme", "pink"), ("rows", "99")]).unwrap_err();
    let next = PageLink::new("The wall as it is", "/wall");
    let html = render(|| problem_page(ProblemPage::bad_address(site(), problems, next)));
    assert_reads(
        &html,
        &[
            "400",
            "theme must be one of dark, light, auto; “pink” is not.",
            "rows must be a number of queues from 1 to 12; “99” is not.",
            "The wall as it is",
        ],
    );
    assert!(!html.contains("http-equiv=\"refresh\""));
    assert_reads(&render(|| problem_page(ProblemPage::not_found(site()))), &["404", "All queues"]);
    let awaited = render(|| problem_page(ProblemPage::not_ready(site())));
    assert_reads(&awaited, &["503", "this page loads itself again"]);
    assert!(
        awaited.contains("data-reload=\"5\"") && awaited.contains("http-equiv=\"refresh\" content=\"5\"")
    );
    let final_word = render(|| problem_page(ProblemPage::not_found(site())));
    assert!(!final_word.contains("data-reload") && !final_word.contains("http-equiv=\"refresh\""));
}

#[test]
fn the_style_page_shows_every_freshness() {
    let html = render(|| style_page(site()));
    for freshness in ["live", "late", "stale", "blind"] {
        assert!(html.contains(&format!("data-freshness=\"{freshness}\"")), "{freshness}");
    }
    assert_reads(
        &html,
        &[
            "Screen reconnecting",
            "Screen lost since 14:02:11 Zoom feed unknown",
            "This screen has lost the Callboard server Numbers as of 14:02:11.",
            "Last known at 14:02:11, 6 min ago. Numbers are hidden until they are true again.",
            "No queues yet",
            "104,233",
        ],
    );
}
