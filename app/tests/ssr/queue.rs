//! What stands behind the numbers of one queue.

use std::time::Duration;

use app::pages::{
    queue::{QueuePage, queue_page},
    style::sample,
};
use domain::{
    board::{CallPhase, LiveCall, LostVisit, QueueDetail},
    call::{Direction, Leg},
    fact::{Party, Side},
    outcome::{Outcome, OverflowReason},
    service_level::{Promise, ServiceLevels},
    trust::{FeedLink, Gap, Trust},
    volume::{Finished, Wait, WaitTable},
};

use crate::{assert_reads, queues::desk, render, site, text, zone};

fn live_call(phase: CallPhase, waited: u64, unconfirmed: bool) -> LiveCall {
    LiveCall {
        call_id: "7000000000000000001".into(),
        queue_id: None,
        phase,
        since: sample::NOW - Duration::from_secs(waited),
        direction: Direction::Incoming,
        caller: Some("+49 30 <b>123".to_owned()),
        consults_for: None,
        conference_since: None,
        moved_to_meeting_at: None,
        unconfirmed,
        legs: Vec::new(),
    }
}

fn billing(trust: Trust) -> QueuePage {
    let view = sample::view(sample::busy(), sample::trust());
    let queue = view.queues.iter().find(|queue| queue.name == "Billing").unwrap().clone();
    let mut levels = ServiceLevels::default();
    let add = |levels: &mut ServiceLevels, outcome, seconds| {
        levels.add(&ServiceLevels::of(&queue.policy, outcome, Duration::from_secs(seconds)));
    };
    add(&mut levels, Outcome::Answered, 8);
    add(&mut levels, Outcome::ShortAbandoned, 3);
    let lost = LostVisit {
        call_id: "7000000000000000002".into(),
        caller: None,
        entered_at: sample::NOW - Duration::from_secs(600),
        left_at: sample::NOW - Duration::from_secs(555),
        short: false,
        presumed: true,
        measured: false,
    };
    let detail = QueueDetail {
        promise: Promise::default(),
        service_levels: levels,
        outcomes: vec![(Outcome::Answered, 1), (Outcome::ShortAbandoned, 1)],
        calls: vec![live_call(CallPhase::Ringing, 42, false), live_call(CallPhase::Talking, 90, true)],
        lost: vec![lost],
    };
    let visit = |outcome, seconds, overflow| Finished {
        wait: Wait { outcome, length: Duration::from_secs(seconds) },
        overflow,
    };
    let waits = WaitTable::of(&[
        visit(Outcome::Answered, 4, None),
        visit(Outcome::Answered, 40, None),
        visit(Outcome::ShortAbandoned, 3, None),
        visit(Outcome::Overflowed, 300, Some(OverflowReason::MaxWait)),
        visit(Outcome::Overflowed, 5, None),
    ]);
    QueuePage {
        site: site(),
        zone: zone(),
        as_of: sample::NOW,
        trust,
        queue,
        detail,
        waits: Some(waits),
        past: None,
    }
}

#[test]
fn what_was_last_known_is_no_statement_about_now() {
    let heard_at = sample::NOW - Duration::from_secs(68);
    let gap = Some(Gap { from: heard_at, to: None });
    let (feed, feed_since, feed_heard_at) = (FeedLink::Down, heard_at, Some(heard_at));
    let page = billing(Trust { feed, feed_since, feed_heard_at, gap, ..sample::trust() });
    let html = render(move || queue_page(page));
    assert!(!text(&html).contains("0:42") && !text(&html).contains("1:30"), "no wait ticks on");
    assert_reads(
        &html,
        &[
            "14:01:29 unknown, last known at 14:01:03 a phone rings",
            "Callboard has lost the Zoom feed Who waits now is unknown; today’s numbers count calls up to 14:01:03.",
            "What is wrong",
            "Waiting now: unknown, last known at 14:01:03",
            "a phone rings nothing heard of it since: it may be over",
            "Talking now: unknown, last known at 14:01:03",
            "On hold or parked now: unknown, last known at 14:01:03 Nobody then.",
        ],
    );
}

#[test]
fn of_long_lists_the_first_ten_are_seen_and_the_others_folded() {
    let mut page = billing(sample::trust());
    let leg = |number: u32| Leg {
        side: Side::Callee,
        party: Party { name: Some(format!("Member {number}")), ..Party::default() }.into(),
        other: Party::default().into(),
        device_id: None,
        offered_by: None,
        queue: None,
        rang_at: sample::NOW,
        answered_at: None,
        ended_at: None,
        hang_up: None,
        held_since: None,
    };
    let call = LiveCall { legs: (0..15).map(leg).collect(), ..live_call(CallPhase::Ringing, 42, false) };
    page.detail.calls = vec![call.clone(); 42];
    page.detail.lost = vec![page.detail.lost[0].clone(); 12];
    let html = render(move || queue_page(page));
    let (calls, lost) = html.split_once("id=\"lost\"").unwrap();
    let rows = |html: &str, mark: &str| {
        let (seen, folded) = html.split_once("</table>").unwrap();
        (seen.matches(mark).count(), folded.matches(mark).count())
    };
    assert_eq!((rows(calls, "data-call=\"\""), rows(lost, "data-lost=\"\"")), ((10, 32), (10, 2)));
    assert_reads(
        &html,
        &[
            "Waiting now: 42",
            "and 32 more",
            "and 2 more",
            "Member 9 rings and 5 more Member 10 rings, Member 11 rings",
        ],
    );
    let mut page = billing(sample::trust());
    page.detail.calls = vec![call; 230];
    page.queue.members_available = Some(0);
    let html = render(move || queue_page(page));
    assert_reads(&html, &["Waiting now: 230+", "and 190 more", "30 more are not listed."]);
}

#[test]
fn every_number_of_a_queue_opens_what_stands_behind_it() {
    let gap = Some(Gap { from: sample::NOW - Duration::from_secs(60), to: Some(sample::NOW) });
    let page = billing(Trust { gap, deaf_until: Some(sample::NOW), ..sample::trust() });
    let html = render(move || queue_page(page));
    assert_reads(
        &html,
        &[
            "Billing",
            "as of 14:02:11 (Berlin)",
            "Today incomplete: events may have been missed from 14:01:11 to 14:02:11, and Zoom’s record of that time is not",
            "Until 15:02 who talks and who is available is inferred: a call that began before 14:02 may not be known.",
            "queue visits of today checked against Zoom’s record.",
            "What the record changed",
            "Waiting now: 1",
            "14:01:29 0:42 a phone rings",
            "Talking now: 1",
            "nothing heard of it since: it may be over",
            "On hold or parked now: 0 Nobody.",
            "Waiting 4 + inferred entered − answered − left Callers in the queue who are not answered yet",
            "Withheld 13:52:11 13:52:56 0:45 abandoned inferred",
            "Promised: 80 % of callers answered within T = 20 s.",
            "Short abandons excluded promised 100 % 1 of 1",
            "Negative 50 % 1 of 2",
            "short abandon 1",
            "Time to answer 0:04 0:40 0:40 2 All visits 0:05 0:40 5:00 5",
            "under 0:05 1 1 0",
            "0:05 to 0:10 0 0 1",
            "2:00 and more 0 0 1",
            "Overflow of today by reason: 2",
            "longest wait reached 1 unknown 1",
        ],
    );
    assert!(
        html.contains("data-face=\"inferred\"><span class=\"number\">1:30<"),
        "nothing was heard of it since"
    );
    assert!(!html.contains("<b>"), "what a caller is called is text");
    // Each number of the desk's table leads here.
    let desk = desk(sample::view(sample::busy(), sample::trust()), &[]);
    assert!(desk.contains("href=\"/queues/queue-801#waiting\""));
    for anchor in ["id=\"waiting\"", "id=\"service_level\"", "id=\"lost\"", "id=\"service-levels\""] {
        assert!(html.contains(anchor), "{anchor}");
    }
}
