//! The page that holds the board against Zoom's record.

use std::time::Duration;

use app::pages::{
    reconciliation::{
        CallInQuestion, DayInFull, DaySum, OnlyQueue, QueueDay, ReconciliationPage, reconciliation_page,
    },
    style::sample::{NOW, trust},
};
use domain::{
    history::{Difference, Told},
    outcome::Outcome,
    reconciliation::{Class, Counts, Reconciliation},
    trust::{FeedLink, Trust},
};

use crate::{assert_reads, render, site, text, zone};

/// A day of Billing and its calls in question.
fn reconciliation(sum: Reconciliation, calls: Vec<CallInQuestion>) -> String {
    let page = page(sum, calls);
    render(move || reconciliation_page(page))
}

fn page(sum: Reconciliation, calls: Vec<CallInQuestion>) -> ReconciliationPage {
    ReconciliationPage {
        site: site(),
        as_of: NOW,
        zone: zone(),
        trust: Some(trust()),
        total: sum,
        days: vec![DaySum {
            label: "Sat 21 Nov".to_owned(),
            href: "/reconciliation?day=2026-11-21".to_owned(),
            is_shown: true,
            sum,
        }],
        day: DayInFull {
            title: "Saturday 21 November 2026".to_owned(),
            is_today: true,
            zone: zone(),
            queues: vec![QueueDay {
                name: "Billing".to_owned(),
                day: Some("Fri 20 Nov, New York".to_owned()),
                href: "/reconciliation?queue=q".to_owned(),
                sum,
            }],
            is_closed: true,
            calls,
            has_more: false,
            only: Some(OnlyQueue { name: "Billing".to_owned(), all_href: "/reconciliation".to_owned() }),
        },
        read_until: Some(NOW),
        reading: Some("12 calls are left.".to_owned()),
    }
}

fn in_question(
    live: Option<Outcome>,
    record: Option<Outcome>,
    difference: Difference,
    in_gap: bool,
) -> CallInQuestion {
    let told = |outcome: Outcome| Told {
        entered_at: NOW - Duration::from_secs(60),
        left_at: NOW - Duration::from_secs(18),
        outcome,
        presumed: outcome == Outcome::Abandoned,
    };
    let (live_told, record_told) =
        (live.map(told), record.map(|outcome| Told { presumed: false, ..told(outcome) }));
    CallInQuestion {
        call_id: "7400000000000000007".to_owned(),
        queue: "Billing".to_owned(),
        live: live_told,
        record: record_told,
        class: Class { live, record, difference: Some(difference), is_recorded: true },
        in_gap,
    }
}

#[test]
fn a_day_is_held_against_the_record_in_a_supervisors_words() {
    let counts = |offered, answered, abandoned| Counts { offered, answered, abandoned, short_abandoned: 2 };
    let sum = Reconciliation {
        live: counts(40, 30, 6),
        record: counts(41, 31, 5),
        corrected: 2,
        corrected_times: 36,
        awaited: Counts::default(),
        unexplained: 0,
    };
    let calls = vec![
        in_question(None, Some(Outcome::Answered), Difference::Missed, true),
        in_question(Some(Outcome::Abandoned), Some(Outcome::Overflowed), Difference::Outcome, false),
    ];
    let html = reconciliation(sum, calls);
    assert_reads(
        &html,
        &[
            "Unexplained differences: 0 Every difference is explained: 2 calls were corrected.",
            "12 calls are left.",
            "Abandoned: live 6, Zoom 5 Short abandons: live 2, Zoom 2 Corrected: 2, times corrected: 36 40 41 30 31 6 5 2 2 2 36 0 0",
            "Saturday 21 November 2026, by queue",
            "midnight where it stands, as on boards: in Berlin, unless another place is written beside it.",
            "Billing Fri 20 Nov, New York",
            "14:01:11 Billing nothing answered after 0:42 Callboard could not hear Zoom at that time. 7400000000000000007",
            "abandoned after 0:42, presumably overflow after 0:42 No event said how it ended; the record does.",
            "Only calls of Billing.",
        ],
    );
    assert_eq!(html.matches("<leptos-island").count(), 0, "complete without a program");
}

#[test]
fn what_nothing_explains_is_said_first() {
    let sum = Reconciliation {
        live: Counts { offered: 1, abandoned: 1, ..Counts::default() },
        unexplained: 1,
        ..Reconciliation::default()
    };
    let html = reconciliation(
        sum,
        vec![in_question(Some(Outcome::Abandoned), None, Difference::NotInRecord, false)],
    );
    assert_reads(
        &html,
        &[
            "Unexplained differences: 1 1 call is unexplained: what was counted live differs",
            "nothing Zoom wrote the call down without this visit.",
        ],
    );
    assert!(html.contains(r#"data-state="lost""#));
}

#[test]
fn what_was_not_read_yet_is_no_difference() {
    let live = Counts { offered: 40, answered: 30, abandoned: 5, short_abandoned: 3 };
    let record = Counts { offered: 4, answered: 3, abandoned: 0, short_abandoned: 0 };
    let awaited = Counts { offered: 36, answered: 27, abandoned: 5, short_abandoned: 3 };
    let html = reconciliation(Reconciliation { live, record, awaited, ..Reconciliation::default() }, vec![]);
    assert_reads(&html, &["40 4 + 36 to check 30 3 + 27 to check 5 5 to check 3 3 to check 0 0 36 0"]);
    assert!(!html.contains("differs"), "nothing differs");
    let record = Counts { offered: 5, ..record };
    let html = reconciliation(Reconciliation { live, record, awaited, ..Reconciliation::default() }, vec![]);
    assert!(!html.contains("differs"), "provisional, whatever it comes to so far");
    let one = Counts { offered: 1, answered: 1, ..Counts::default() };
    let record = Counts { offered: 39, answered: 29, abandoned: 6, ..live };
    let sum = Reconciliation { live, record, awaited: one, ..Reconciliation::default() };
    let html = reconciliation(sum, vec![]);
    assert!(!html.contains("differs"), "the one to check may be another of these");
    assert_eq!(html.matches(r#"data-mark="unread""#).count(), 8, "four numbers, of the day and of the queue");
    let record = Counts { offered: 41, ..live };
    let html = reconciliation(Reconciliation { live, record, ..Reconciliation::default() }, vec![]);
    assert_eq!(
        html.matches(r#"data-mark="differs""#).count(),
        2,
        "one call too many, of the day and of the queue"
    );
}

#[test]
fn a_feed_that_is_down_is_said_as_on_other_pages() {
    let html = |down_for: u64| {
        let heard_at = NOW - Duration::from_secs(down_for);
        let trust = Trust { feed_heard_at: Some(heard_at), ..Trust::of(FeedLink::Down, heard_at) };
        let page = ReconciliationPage { trust: Some(trust), ..page(Reconciliation::default(), vec![]) };
        render(move || reconciliation_page(page))
    };
    let said = "Callboard has lost the Zoom feed Who waits now is unknown; today’s numbers count calls up to";
    assert_reads(&html(68), &[&format!("{said} 14:01:03."), "What is wrong"]);
    assert_reads(&html(3_600), &[&format!("{said} 13:02:11.")]);
    let live = reconciliation(Reconciliation::default(), vec![]);
    assert!(!live.contains("class=\"band\""), "nothing is wrong");
}

#[test]
fn what_was_counted_live_is_called_one_thing() {
    let text = text(&reconciliation(Reconciliation::default(), vec![]));
    assert!(text.contains("Live Zoom Live Zoom"), "{text}");
    assert!(!text.contains("Board") && !text.contains(" board "), "boards show what the record says: {text}");
}

#[test]
fn more_calls_than_a_screen_takes_are_folded() {
    let calls = (0..30).map(|_| in_question(None, Some(Outcome::Answered), Difference::Missed, true));
    let html = reconciliation(Reconciliation { corrected: 30, ..Reconciliation::default() }, calls.collect());
    let (unfolded, folded) = html.split_once(r#"<details class="further">"#).unwrap();
    assert_eq!(
        unfolded.matches(r#"class="call-id""#).count() + folded.matches(r#"class="call-id""#).count(),
        30
    );
    assert!(unfolded.matches(r#"class="call-id""#).count() <= 10);
    assert_reads(&html, &["and 20 more"]);
}
