//! The page that holds the board against Zoom's record.

use std::time::Duration;

use app::pages::{
    reconciliation::{
        CallInQuestion, DayInFull, DaySum, OnlyQueue, QueueDay, ReconciliationPage, reconciliation_page,
    },
    style::sample::NOW,
};
use domain::{
    history::{Difference, Told},
    outcome::Outcome,
    reconciliation::{Class, Counts, Reconciliation},
};

use crate::{assert_reads, render, site, zone};

/// A day of Billing and its calls in question.
fn reconciliation(sum: Reconciliation, calls: Vec<CallInQuestion>) -> String {
    let page = ReconciliationPage {
        site: site(),
        as_of: NOW,
        zone: zone(),
        days: vec![DaySum {
            label: "Sat 21 Nov".to_owned(),
            href: "/reconciliation?day=2026-11-21".to_owned(),
            is_shown: true,
            sum,
        }],
        day: DayInFull {
            title: "Saturday 21 November 2026".to_owned(),
            zone: zone(),
            queues: vec![QueueDay {
                name: "Billing".to_owned(),
                href: "/reconciliation?queue=q".to_owned(),
                sum,
            }],
            is_closed: true,
            calls,
            has_more: false,
            only: Some(OnlyQueue { name: "Billing".to_owned(), all_href: "/reconciliation".to_owned() }),
        },
        read_until: Some(NOW),
    };
    render(move || reconciliation_page(page))
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
    let counts = |offered, answered, abandoned| Counts { offered, answered, abandoned };
    let sum = Reconciliation {
        live: counts(40, 30, 8),
        record: counts(41, 31, 7),
        corrected: 2,
        corrected_times: 36,
        awaited: 0,
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
            "Sat 21 Nov 40 41 30 31 8 7 2 36 0 0",
            "Saturday 21 November 2026, by queue",
            "Billing 40 41 30 31 8 7 2 36 0 0",
            "14:01:11 Billing nothing answered after 0:42 Callboard could not hear Zoom at that time. 7400000000000000007",
            "left after 0:42, presumably overflowed after 0:42 No event said how it ended; the record does.",
            "Only calls of Billing.",
        ],
    );
    assert_eq!(html.matches("<leptos-island").count(), 0, "complete without a program");
}

#[test]
fn what_nothing_explains_is_said_first() {
    let sum = Reconciliation {
        live: Counts { offered: 1, answered: 0, abandoned: 1 },
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
            "Unexplained differences: 1 1 call is unexplained: the board counted differently",
            "nothing Zoom wrote the call down without this stay.",
        ],
    );
    assert!(html.contains(r#"data-state="lost""#));
}
