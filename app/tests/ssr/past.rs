//! Boards of the past: the band above them, where its steps lead, and links that stay there.

use std::time::Duration;

use app::{
    components::past_band::{Minutes, PastView, Span},
    pages::{
        queues::{QueuesPage, queues_page},
        style::sample,
        wall::{WallPage, WallSubject, wall_page},
    },
    settings::{DeskSettings, WallSettings},
};
use domain::time::Timestamp;

use crate::{assert_reads, render, site, zone};

/// Five minutes after the beginning of the record, and half an hour ago.
pub(crate) fn past(speed: Option<u32>) -> PastView {
    let at = sample::NOW;
    let day_began = Timestamp::from_millis(at.as_millis() - 50_531_000);
    PastView {
        path: "/wall".to_owned(),
        pairs: vec![("rows".to_owned(), "7".to_owned())],
        at,
        as_of: at,
        speed,
        speeds: vec![1, 10],
        day: "2026-11-21".to_owned(),
        day_began,
        minutes: Minutes { first: 837, shown: 842, last: 872 },
        span: Span {
            from: at - Duration::from_secs(300),
            until: at + Duration::from_secs(1_800),
            days: ("2026-11-21".to_owned(), "2026-11-21".to_owned()),
        },
        recording: None,
        zone: zone(),
    }
}

fn wall(past: PastView) -> String {
    render(move || {
        wall_page(WallPage {
            site: site(),
            title: "All queues".to_owned(),
            stream_url: past.stream_url("/live/all"),
            view: sample::view(sample::busy(), sample::trust()),
            subject: WallSubject::AllQueues,
            settings: WallSettings::parse([("rows", "7")]).unwrap(),
            zone: zone(),
            past: Some(past),
        })
    })
}

/// The start tag of the link with that text.
fn link<'a>(html: &'a str, label: &str) -> &'a str {
    let (before, _) = html.split_once(&format!(">{label}<")).unwrap_or_else(|| panic!("no {label}"));
    &before[before.rfind("<a").unwrap()..]
}

#[test]
fn steps_stay_within_the_record_and_say_why() {
    let html = wall(past(None));
    assert!(
        link(&html, "−1 min").contains("at=2026-11-21T14%3A01%3A11%2B01%3A00"),
        "{}",
        link(&html, "−1 min")
    );
    assert!(link(&html, "+10 min").contains("at=2026-11-21T14%3A12%3A11"));
    for beyond in ["−10 min", "−1 h", "+1 h"] {
        let link = link(&html, beyond);
        assert!(link.contains("aria-disabled") && !link.contains("href"), "{link}");
    }
    assert_reads(
        &html,
        &[
            "The record begins at 13:57:11 on Saturday 21 November 2026. Go there",
            "There is no later board than that of now: 14:32:11.",
        ],
    );
    assert!(link(&html, "Go there").contains("at=2026-11-21T13%3A57%3A11"));
}

#[test]
fn steps_of_a_past_that_runs_end_at_the_beginning_and_at_now() {
    let html = wall(past(Some(10)));
    assert!(
        link(&html, "−1 h").contains("at=2026-11-21T13%3A57%3A11%2B01%3A00&amp;speed=10"),
        "{}",
        link(&html, "−1 h")
    );
    assert!(link(&html, "+1 h").contains(r#"href="/wall?rows=7""#), "{}", link(&html, "+1 h"));
    // Without a program it comes to now, too.
    let near = PastView {
        span: Span { until: sample::NOW + Duration::from_secs(9), ..past(None).span },
        ..past(Some(10))
    };
    assert_eq!(near.next_address().as_deref(), Some("/wall?rows=7"));
}

#[test]
fn the_slider_says_where_it_stands() {
    let html = wall(past(None));
    for part in [r#"aria-valuetext="14:02""#, r#"min="837""#, r#"max="872""#, r#"data-zone="Europe/Berlin""#]
    {
        assert!(html.contains(part), "{part}");
    }
    assert_reads(&html, &["14:02 Go"]);
}

#[test]
fn links_of_a_board_of_the_past_stay_there() {
    let html = wall(past(None));
    assert!(
        link(&html, "All numbers").contains("/queues?at=2026-11-21T14"),
        "{}",
        link(&html, "All numbers")
    );
    let html = render(|| {
        queues_page(QueuesPage {
            site: site(),
            stream_url: String::new(),
            view: sample::view(sample::busy(), sample::trust()),
            settings: DeskSettings::parse([]).unwrap(),
            zone: zone(),
            past: Some(past(None)),
        })
    });
    assert!(link(&html, "Wall").contains("/wall?at=2026-11-21T14"), "{}", link(&html, "Wall"));
    assert!(link(&html, "Agents now").contains(r#"href="/agents""#), "who leaves is told");
}

#[test]
fn a_recording_says_so_and_stays_at_its_end() {
    let recording = Some("of Saturday 21 November 2026, 13:57–14:32 (Berlin)".to_owned());
    let running = PastView { recording: recording.clone(), ..past(Some(60)) };
    let end = "/wall?rows=7&at=2026-11-21T14%3A32%3A11%2B01%3A00";
    let near = PastView { at: running.span.until - Duration::from_secs(9), ..running.clone() };
    assert_eq!(near.next_address().as_deref(), Some(end), "without a program, too");
    let html = wall(running);
    assert_reads(&html, &["Recording of Saturday 21 November 2026, 13:57–14:32 (Berlin): plays from"]);
    assert!(html.contains(&format!(r#"data-end="{}""#, end.replace('&', "&amp;"))));
    assert!(!html.contains("Back to now"), "there is none");
    assert!(link(&html, "Play from the beginning").contains(r#"href="/wall?rows=7""#));

    let over = past(None);
    let html = wall(PastView { at: over.span.until, as_of: over.span.until, recording, ..over });
    assert_reads(&html, &["This is the end of the recording."]);
    let site = app::document::Site { recording: Some("of a day".to_owned()), ..site() };
    let page = app::pages::problem::ProblemPage::not_found(site);
    assert_reads(&render(|| app::pages::problem::problem_page(page)), &["Recording of a day"]);
}
