//! The list of calls and the journey of one.

use app::{
    document::PageLink,
    pages::{
        call::{
            CallPage, JourneyBlock, JourneyRow, LiveNow, RawEvent, RawEvents, RawStep, TimeAxis, VisitSides,
            call_page,
        },
        calls::{ActiveFilter, CallRow, CallsForm, CallsPage, ListCount, SortLink, calls_page},
    },
};

use crate::{assert_reads, render, site};

fn list() -> CallsPage {
    CallsPage {
        site: site(),
        zone: "Europe/Berlin".to_owned(),
        is_about_visits: true,
        count: ListCount::Exactly(1),
        filters: vec![ActiveFilter {
            label: "queue <b>Billing</b>".to_owned(),
            without: "/calls".to_owned(),
        }],
        times: Vec::new(),
        form: CallsForm::default(),
        time_heading: "Entered",
        by_time: SortLink { href: "/calls?sort=time".to_owned(), descending: Some(true) },
        by_wait: SortLink { href: "/calls?sort=-wait".to_owned(), descending: None },
        rows: vec![CallRow {
            href: "/calls/71".to_owned(),
            time: "Sat 21 Nov 2026, 14:02:11".to_owned(),
            queue: "Billing".to_owned(),
            caller: "<script>alert(1)</script>".to_owned(),
            outcome: Some("answered".to_owned()),
            is_late: true,
            wait: Some("0:42".to_owned()),
            sure: "measured",
            ..CallRow::default()
        }],
        first: None,
        next: Some("/calls?cursor=x".to_owned()),
    }
}

#[test]
fn a_list_says_how_many_rows_there_are_and_leads_on() {
    let html = render(|| calls_page(list()));
    assert_reads(
        &html,
        &["1 visit ", "Sat 21 Nov 2026, 14:02:11", "later than promised", "0:42", "Next page"],
    );
    assert!(html.contains("href=\"/calls/71\"") && html.contains("/assets/analytics.css"));
    assert!(!html.contains("<script>alert") && !html.contains("<b>Billing"), "names are text");
    for (count, is_about_visits, expected) in [
        (ListCount::Exactly(17), true, "17 visits "),
        (ListCount::Exactly(1), false, "1 call "),
        (ListCount::MoreThan(100_000), false, "More than 100,000 calls"),
        (ListCount::Uncounted, true, "Too many visits to be counted within a second"),
    ] {
        let page = CallsPage { count, is_about_visits, ..list() };
        assert_reads(&render(|| calls_page(page)), &[expected]);
    }
}

#[test]
fn an_empty_list_says_why_and_what_to_do() {
    let empty = || CallsPage { rows: Vec::new(), count: ListCount::Exactly(0), next: None, ..list() };
    assert_reads(&render(|| calls_page(empty())), &["No visits", "No visit to a queue is like that."]);
    let calls = CallsPage { is_about_visits: false, ..empty() };
    assert_reads(&render(|| calls_page(calls)), &["No calls", "No call is like that."]);
    let none = CallsPage { is_about_visits: false, filters: Vec::new(), ..empty() };
    assert_reads(&render(|| calls_page(none)), &["No call is written down yet."]);
    let ended = CallsPage { first: Some("/calls".to_owned()), ..empty() };
    assert_reads(&render(|| calls_page(ended)), &["The list ends here."]);
}

#[test]
fn a_journey_is_drawn_and_told_in_words() {
    let page = CallPage {
        site: site(),
        zone: "Europe/Berlin".to_owned(),
        facts: vec![("Caller", "<i>Eve</i>".to_owned())],
        identifiers: vec![("Call", "7000000000000000051".to_owned())],
        links: vec![PageLink::new("Call +4930 by phone", "tel:+4930")],
        live: Some(LiveNow {
            words: "This call is going on: talking.".to_owned(),
            queue: Some(PageLink::new("The queue Billing", "/queues/q")),
        }),
        axis: Some(TimeAxis { ticks: ["14:00:00", "14:01:00", "14:02:00"].map(str::to_owned) }),
        rows: vec![JourneyRow {
            name: "Billing (801)".to_owned(),
            kind: "queue",
            blocks: vec![JourneyBlock {
                kind: "waiting",
                words: "waiting in the queue".to_owned(),
                from: "Sat 21 Nov 2026, 14:00:00".to_owned(),
                length: "0:20".to_owned(),
                x: 0,
                width: 166,
            }],
        }],
        is_recorded: true,
        visits: vec![VisitSides {
            queue: "Billing".to_owned(),
            queue_href: "/queues/q".to_owned(),
            outcome: "answered".to_owned(),
            wait: "0:20".to_owned(),
            live: None,
            record: None,
            difference: "Not seen live: no phone rang for it, or its events never came.",
        }],
        steps: vec![RawStep { fields: vec![("result".to_owned(), "answered".to_owned())] }],
        events: RawEvents::Found(vec![RawEvent {
            time: "Sat 21 Nov 2026, 14:00:01".to_owned(),
            name: "an event".to_owned(),
            text: "{\"x\":\"</pre><script>\"}".to_owned(),
        }]),
    };
    let html = render(|| call_page(page));
    assert_reads(
        &html,
        &[
            "This call is going on: talking.",
            "The queue Billing",
            "Billing (801)",
            "waiting in the queue",
            "Not seen live",
            "The record’s steps: 1",
            "Events as they came: 1",
            "7000000000000000051",
        ],
    );
    assert!(html.contains("aria-label=\"Billing (801): waiting in the queue, 0:20\""), "{html}");
    assert!(html.contains("href=\"tel:+4930\"") && html.contains("width=\"166\""), "{html}");
    assert!(!html.contains("<i>Eve") && !html.contains("</pre><script>"), "what others write is text");
}
