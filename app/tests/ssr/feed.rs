//! The page about the feed.

use std::time::Duration;

use app::pages::{
    feed::{
        CutControl, EventKind, FeedFacts, FeedPage, KnownGap, PastKept, PhonesKnown, RequestFacts,
        RequestKind, RequestTopic, RequestsLeft, feed_page,
    },
    style::sample::NOW,
};
use domain::trust::{FeedLink, Gap};

use crate::{assert_reads, render, site, zone};

fn facts() -> FeedFacts {
    let ago = |seconds| NOW - Duration::from_secs(seconds);
    FeedFacts {
        link: FeedLink::Live,
        since: ago(3_600),
        problem: None,
        heard_at: Some(ago(2)),
        newest_at: Some(ago(40)),
        lag: Some(Duration::from_millis(1_250)),
        reconnects: 1,
        token_expires_at: Some(NOW + Duration::from_secs(1_800)),
        journalled: 1_234_567,
        sent_again: 12,
        read_again: 34,
        quarantined: 0,
        lost: 0,
        late: 0,
        unmatched: 0,
        unlisted: 0,
        directory_read_at: Some(ago(70)),
        directory_problem: None,
        record_problem: None,
        reading: None,
        presence_problem: None,
        phones: PhonesKnown { people: 1_024, common_areas: 1, sites: 2, ..PhonesKnown::default() },
        requests: None,
        past: Some(PastKept {
            since: Some(ago(90_000)),
            days: 30,
            database_bytes: 12_345_678,
            packed_events: 1_000,
            packed_bytes: 98_765,
            proved: 24,
            differing: 0,
            unproved: 0,
        }),
        kinds: Vec::new(),
        gaps: Some(Vec::new()),
    }
}

fn feed(change: impl FnOnce(&mut FeedFacts)) -> String {
    let mut feed = facts();
    change(&mut feed);
    let page = FeedPage { site: site(), zone: zone(), as_of: NOW, feed, cut: None };
    render(move || feed_page(page))
}

#[test]
fn the_feed_is_told_in_a_supervisors_words() {
    let html = feed(|_| {});
    assert_reads(
        &html,
        &[
            "as of 14:02:11 (Berlin)",
            "Callboard hears Zoom, without a break since 13:02:11.",
            "Newest event 40 s ago",
            "Its delay 1.2 s",
            "Events saved 1,234,567",
            "Sign-in with Zoom valid until 14:32",
            "Of the events that arrived since this server started, none was lost, unreadable or too late",
            "Extensions known 1,025 1,024 people, 0 auto receptionists, 1 common area phone, 0 shared line groups, 2 sites.",
            "None. A gap is written down whenever the feed was not provably alive.",
            "No event has come yet.",
        ],
    );
    assert!(
        html.contains("<noscript><meta http-equiv=\"refresh\""),
        "without JavaScript it loads itself again"
    );
    assert!(html.contains("data-reload=\"10\""), "with JavaScript, too, when nobody is busy with it");
    assert!(!html.contains("data-mark=\"watch\""), "nothing is wrong");
    assert!(!html.contains("<form"), "only a demo can be cut");
}

#[test]
fn requests_to_zoom_are_counted_in_words() {
    let html = feed(|feed| {
        let kind = |topic, used, left, refused| RequestKind { topic, used, left, refused };
        feed.requests = Some(RequestFacts {
            share_percent: 50,
            kinds: vec![
                kind(RequestTopic::Details, 1_204, RequestsLeft::Unlimited, 0),
                kind(RequestTopic::History, 6_400, RequestsLeft::Some { left: 1_100, of: 7_500 }, 2),
                kind(RequestTopic::Reports, 0, RequestsLeft::Some { left: 0, of: 7_500 }, 0),
                kind(RequestTopic::People, 9, RequestsLeft::NoneUntil(NOW), 1),
            ],
        });
    });
    assert_reads(
        &html,
        &[
            "Callboard uses at most 50 % of it. The count begins anew at 01:00.",
            "A queue’s members, and records of single calls 1,204 no daily limit 0",
            "Lists of finished calls, every few minutes and after gaps 6,400 1,100 of 7,500 2",
            "Reports 0 none until 01:00 0",
            "Lists of people, and who is signed in 9 none until 14:02 1",
        ],
    );
    assert_eq!(html.matches("<tr data-mark=\"act\"").count(), 2, "none left");
    assert_eq!(html.matches("<tr data-mark=\"watch\"").count(), 1, "little left");
    assert!(!feed(|_| {}).contains("Requests to Zoom’s API"), "who cannot ask has nothing to tell");
}

#[test]
fn gaps_that_cannot_be_read_are_not_called_none() {
    let html = feed(|feed| feed.gaps = None);
    assert_reads(&html, &["Not known: the database cannot be read."]);
    assert!(!html.contains("None. A gap"));
}

#[test]
fn a_demo_that_was_cut_says_until_when() {
    let page = |until| {
        let feed = FeedFacts { link: FeedLink::Down, ..facts() };
        let cut = Some(CutControl { url: "/demo/cut".to_owned(), until });
        let page = FeedPage { site: site(), zone: zone(), as_of: NOW, feed, cut };
        render(move || feed_page(page))
    };
    let cut = page(Some(NOW + Duration::from_secs(72)));
    assert_reads(&cut, &["The feed is cut Cut until 14:03:23, 1 min 12 s to go."]);
    let over = page(Some(NOW));
    assert_reads(&over, &["Cut the feed for 90 s"]);
}

#[test]
fn queues_without_a_row_are_told_among_those_that_the_directory_does_not_list() {
    let html = feed(|feed| (feed.unmatched, feed.unlisted) = (20_000, 19_000));
    assert_reads(
        &html,
        &["does not list 20,000 Calls", "Of these, queues without a row 19,000 They are too many"],
    );
}

#[test]
fn how_far_back_one_can_look_and_what_that_takes_is_said() {
    let html = feed(|_| {});
    assert_reads(&html, &["The past since", "The database 12.3 MB", "1,000 events, at 98 bytes each"]);
    assert_reads(&html, &["24 instants, all as they were published"]);
    let html = feed(|feed| {
        feed.past = Some(PastKept { days: 30, proved: 24, differing: 2, ..PastKept::default() });
    });
    assert_reads(&html, &["24 instants, of which 2 were published otherwise"]);
    let html = feed(|feed| {
        feed.past = Some(PastKept { days: 30, proved: 24, unproved: 3, ..PastKept::default() });
    });
    let said = "24 instants, all as they were published. Instants that could not be worked out and compared: 3. A part";
    assert_reads(&html, &[said]);
    let html = feed(|feed| {
        feed.past = Some(PastKept { days: 30, unproved: 3, ..PastKept::default() });
    });
    assert_reads(&html, &["show it again. Instants that could not be worked out and compared: 3."]);
    let html = feed(|feed| feed.past = Some(PastKept { days: 30, ..PastKept::default() }));
    assert_reads(&html, &["The past nothing yet", "Kept for 30 days"]);
}

#[test]
fn what_could_not_be_read_is_said_beside_the_verdict() {
    let html = feed(|feed| {
        feed.record_problem = Some("1 record could not be read of a gap.".to_owned());
        feed.presence_problem = Some("The presence of 2 people could not be read.".to_owned());
        feed.reading = Some("Numbers are being corrected.".to_owned());
    });
    let said = "1 record could not be read of a gap. The presence of 2 people could not be read.";
    assert_reads(&html, &[&format!("{said} Numbers are being corrected.")]);
    // What Callboard itself asked for a second time is not Zoom's doing.
    assert_reads(
        &html,
        &["Events that came again 12 Zoom sent them twice", "Records read again 34 Callboard itself"],
    );
}

#[test]
fn a_repair_says_when_it_begins() {
    let html = feed(|feed| {
        let gap = Gap { from: NOW - Duration::from_secs(60), to: Some(NOW) };
        let due = Some(NOW + Duration::from_secs(90));
        let gap = |repair_due_at| KnownGap { gap, cause: String::new(), repaired_at: None, repair_due_at };
        feed.gaps = Some(vec![gap(due), gap(Some(NOW)), gap(None)]);
    });
    assert_reads(
        &html,
        &["begins at 14:03:41", "now, until Zoom answers", "never: needs the app’s credentials"],
    );
}

#[test]
fn a_broken_feed_says_since_when_why_and_what_to_do() {
    let ago = |seconds| NOW - Duration::from_secs(seconds);
    let html = feed(|feed| {
        feed.link = FeedLink::Down;
        feed.heard_at = Some(ago(95));
        feed.problem = Some("Check the client secret.".to_owned());
        feed.quarantined = 3;
        let cause = "the connection was closed".to_owned();
        feed.gaps = Some(vec![
            KnownGap {
                gap: Gap { from: ago(95), to: None },
                cause: cause.clone(),
                repaired_at: None,
                repair_due_at: None,
            },
            KnownGap {
                gap: Gap { from: ago(7_300), to: Some(ago(7_210)) },
                cause,
                repaired_at: Some(ago(7_100)),
                repair_due_at: Some(ago(7_120)),
            },
        ]);
        feed.kinds =
            vec![EventKind { name: "phone.callee_ringing".to_owned(), count: 4_711, last_at: ago(96) }];
    });
    assert_reads(
        &html,
        &[
            "Callboard has not heard Zoom since 14:00:36.",
            "Last sign of life at 14:00:36",
            "Check the client secret.",
            "Saturday 21 November 2026, 14:00:36 still open 1 min 35 s when it is over the connection was closed",
            "Saturday 21 November 2026, 12:00:31 12:02:01 1 min 30 s at 12:03:51",
            "Callee ringing phone.callee_ringing 4,711 14:00:35 1 min ago",
        ],
    );
    assert_eq!(html.matches("data-mark=\"watch\"").count(), 1, "the quarantine is worth a look");
}
