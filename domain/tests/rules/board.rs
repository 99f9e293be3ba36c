//! The whole board: sums, today, names, people, time.

use std::collections::BTreeMap;

use domain::{
    board::{Board, CallPhase, Input, MOST_FACTS, Midnights},
    directory::{Directory, DirectoryQueue, Member},
    fact::{Fact, HangUp, Station, StayEnd, What},
    id::{QueueId, ZoneName},
    quality::Quality,
    service_level::ServiceLevelPolicy,
    time::Timestamp,
    trust::{FeedLink, Gap, Trust},
    view::{Busy, QueueView},
};

use crate::story::{at, phone, queue, stay};

pub(crate) fn live_trust(now: Timestamp) -> Trust {
    Trust {
        feed: FeedLink::Live,
        feed_since: now,
        feed_heard_at: Some(now),
        feed_problem: None,
        journal_outage: None,
        newest_fact_at: Some(now),
        counting_since: None,
        gap: None,
        deaf_until: None,
        demo: false,
    }
}

pub(crate) fn directory_queue(name: &str, number: &str, members: &[&str]) -> DirectoryQueue {
    DirectoryQueue {
        id: QueueId::new(format!("q-{number}")),
        extension_id: Some(format!("x-{number}").as_str().into()),
        name: name.to_owned(),
        extension_number: Some(number.to_owned()),
        zone: None,
        members: Some(
            members
                .iter()
                .map(|name| Member {
                    id: format!("user-{name}").as_str().into(),
                    extension_id: None,
                    name: (*name).to_owned(),
                    receives_calls: true,
                })
                .collect(),
        ),
        policy: ServiceLevelPolicy::default(),
        wrap_up: None,
        max_wait: None,
    }
}

pub(crate) fn board() -> Board {
    let mut board = Board::new();
    let queues = vec![
        directory_queue("Billing", "801", &["Ada", "Bo"]),
        directory_queue("Support", "802", &["Bo", "Cem"]),
    ];
    board.apply(at(0), Input::Directory(Directory { queues }));
    board
}

pub(crate) fn tell(board: &mut Board, now: i64, facts: &[Fact]) {
    for fact in facts {
        board.apply(at(now), Input::Facts(vec![fact.clone()]));
    }
}

fn has_unresolved(board: &Board) -> bool {
    board.queue_ids().iter().any(QueueId::is_unresolved)
}

pub(crate) fn row(board: &Board, id: &str, now: i64) -> QueueView {
    board.queue_view(&id.into(), at(now), &live_trust(at(now))).expect("a queue the board knows")
}

#[test]
fn a_visit_moves_through_the_figures() {
    let mut board = board();
    let ada = phone("1", "Ada", 0).on(queue("Billing", "801"));
    tell(&mut board, 1, &[ada.rang()]);
    let figures = row(&board, "q-801", 1).figures;
    assert_eq!((figures.waiting, figures.ringing, figures.offered_today), (1, 1, 1));
    assert_eq!(figures.oldest_waiting_since, Some(at(0)));

    tell(&mut board, 9, &[ada.answered(8)]);
    let figures = row(&board, "q-801", 9).figures;
    assert_eq!((figures.waiting, figures.talking, figures.answered_today), (0, 1, 1));
    assert_eq!(figures.service_level_today.permille(), Some(1000));

    tell(&mut board, 61, &[ada.ended(8, 60)]);
    let figures = row(&board, "q-801", 61).figures;
    assert_eq!((figures.waiting, figures.talking, figures.offered_today), (0, 0, 1));
}

#[test]
fn who_entered_a_queue_while_nobody_listened_may_wait_unseen_for_some_minutes() {
    let board = board();
    let may_hide = |now: i64, trust: &Trust| {
        let row = board.queue_view(&"q-801".into(), at(now), trust).expect("a queue");
        assert_eq!((row.figures.waiting, row.idle()), (0, Some(2)), "somebody is free");
        row.may_hide_callers()
    };
    let after = |now: i64| Trust { deaf_until: Some(at(40)), ..live_trust(at(now)) };
    assert!(!may_hide(41, &live_trust(at(41))), "nothing was missed");
    assert!(may_hide(41, &after(41)) && may_hide(219, &after(219)), "a phone may have rung all the while");
    assert!(!may_hide(220, &after(220)), "it has stopped, and the next has rung");
    assert!(may_hide(30, &Trust { gap: Some(Gap { from: at(20), to: None }), ..live_trust(at(30)) }));
}

#[test]
fn a_member_on_a_call_is_free_for_neither_of_their_queues_and_counted_once_in_the_total() {
    let mut board = board();
    let ids = board.queue_ids();
    assert_eq!((board.totals(&ids).members, board.totals(&ids).members_available), (3, 3));
    let bo = phone("1", "Bo", 0).on(queue("Support", "802"));
    tell(&mut board, 5, &[bo.rang()]);
    assert_eq!(row(&board, "q-801", 5).members_available, Some(2), "a ringing phone is not a call yet");
    let ringing = Busy { ringing: 1, ..Busy::default() };
    for busy in [row(&board, "q-801", 5).members_busy, board.totals(&ids).members_busy] {
        assert_eq!((busy, busy.idle(2)), (ringing, 1), "but keeps from taking another call");
    }
    tell(&mut board, 6, &[bo.answered(5)]);
    assert_eq!(row(&board, "q-801", 6).members_available, Some(1));
    assert_eq!(row(&board, "q-802", 6).members_available, Some(1));
    let on_a_call = Busy { on_calls: 1, ..Busy::default() };
    assert_eq!(
        (row(&board, "q-801", 6).members_busy, row(&board, "q-802", 6).members_busy),
        (on_a_call, on_a_call)
    );
    for (totals, free) in [(board.totals(&ids), 2), (board.totals(&ids[..1]), 1)] {
        assert_eq!((totals.members_available, totals.members_busy), (free, on_a_call));
    }
    tell(&mut board, 30, &[bo.ended(5, 29)]);
    assert_eq!(board.totals(&ids).members_available, 3);
    assert_eq!(board.totals(&ids).members_busy, Busy::default());
}

#[test]
fn a_change_of_members_in_the_middle_of_a_call_keeps_who_is_busy() {
    let mut board = board();
    let bo = phone("1", "Bo", 0).on(queue("Support", "802"));
    tell(&mut board, 6, &[bo.rang(), bo.answered(5)]);
    let queues = vec![
        directory_queue("Billing", "801", &["Ada", "Bo", "Eli"]),
        directory_queue("Support", "802", &["Bo"]),
    ];
    board.apply(at(7), Input::Directory(Directory { queues }));
    assert_eq!(row(&board, "q-801", 7).members_available, Some(2));
    assert_eq!(row(&board, "q-802", 7).members_available, Some(0));
    assert_eq!(row(&board, "q-802", 7).figures.talking, 1);
    tell(&mut board, 30, &[bo.ended(5, 29)]);
    assert_eq!(row(&board, "q-802", 30).members_available, Some(1));
}

#[test]
fn an_outgoing_call_makes_a_member_busy() {
    let mut board = board();
    let ada = phone("9", "Ada", 0).caller_side();
    tell(&mut board, 5, &[ada.rang(), ada.answered(4)]);
    assert_eq!(row(&board, "q-801", 5).members_available, Some(1));
}

#[test]
fn figures_change_when_only_time_passes() {
    let mut board = board();
    let ada = phone("1", "Ada", 0).on(queue("Billing", "801"));
    tell(&mut board, 12, &[ada.rang(), ada.missed(12, HangUp::NoAnswer)]);
    assert_eq!(board.next_due(), Some(at(20)), "the service level threshold");
    board.take_changes();
    board.apply(at(20), Input::Tick);
    assert_eq!(row(&board, "q-801", 20).figures.service_level_today.decided, 1);
    assert!(board.take_changes().0.contains(&QueueId::from("q-801")));
    board.apply(at(42), Input::Tick);
    let figures = row(&board, "q-801", 42).figures;
    assert_eq!((figures.waiting, figures.abandoned_today), (0, 1));
}

#[test]
fn c9_an_unknown_queue_is_shown_and_marked_and_later_resolved() {
    let mut board = board();
    let ada = phone("1", "Ada", 0).on(queue("Night desk", "805"));
    tell(&mut board, 1, &[ada.rang()]);
    assert_eq!(board.unresolved_so_far(), 1);
    let unresolved = row(&board, "unresolved:night desk", 1);
    assert_eq!((unresolved.name.as_str(), unresolved.figures.waiting), ("Night desk", 1));
    assert_eq!(unresolved.members, None);
    assert_eq!(unresolved.quality.members, Quality::Unknown);

    board.take_changes();
    let queues = vec![directory_queue("Night desk", "805", &["Ada"])];
    board.apply(at(2), Input::Directory(Directory { queues }));
    assert_eq!(row(&board, "q-805", 2).figures.waiting, 1);
    assert!(!has_unresolved(&board));
    let (changed, removed) = board.take_changes();
    assert!(changed.contains(&QueueId::from("q-805")));
    assert!(removed.contains(&QueueId::from("unresolved:night desk")));
}

#[test]
fn c1_a_queue_is_found_by_number_before_name_and_by_name_without_regard_to_case() {
    let mut board = board();
    tell(&mut board, 1, &[phone("1", "Ada", 0).on(queue("Renamed", "801")).rang()]);
    let mut nameless = queue("BILLING ", "801");
    nameless.extension_number = None;
    tell(&mut board, 1, &[phone("2", "Bo", 0).on(nameless).rang()]);
    assert_eq!(row(&board, "q-801", 1).figures.waiting, 2);
}

#[test]
fn c8_a_queue_renamed_in_the_middle_of_a_call_stays_the_same_queue() {
    let mut board = board();
    let ada = phone("1", "Ada", 0).on(queue("Billing", "801"));
    tell(&mut board, 1, &[ada.rang()]);
    let mut renamed = directory_queue("Invoices", "811", &["Ada"]);
    renamed.id = "q-801".into();
    board.apply(at(2), Input::Directory(Directory { queues: vec![renamed] }));
    tell(&mut board, 9, &[ada.answered(8)]);
    let view = row(&board, "q-801", 9);
    assert_eq!((view.name.as_str(), view.figures.talking, view.figures.offered_today), ("Invoices", 1, 1));
}

#[test]
fn an_unresolved_queue_is_the_same_however_calls_name_it() {
    let mut number_only = queue("Night desk", "805");
    number_only.name = None;
    let first = phone("1", "Ada", 0).on(number_only).rang();
    let both = phone("2", "Bo", 0).on(queue("Night desk", "805")).rang();
    let mut one = Board::new();
    tell(&mut one, 1, &[first.clone(), both.clone()]);
    let mut other = Board::new();
    tell(&mut other, 1, &[both, first]);
    assert_eq!(one.queue_ids(), other.queue_ids());
    assert_eq!(row(&one, "unresolved:night desk", 1).figures.waiting, 2);
}

#[test]
fn two_unresolved_queues_told_with_one_number_stay_two_whoever_is_told_last() {
    let facts = [
        phone("1", "Ada", 0).on(queue("Night desk", "805")).rang(),
        phone("2", "Bo", 0).on(queue("Day desk", "805")).rang(),
        phone("3", "Cem", 0).on(queue("Night desk", "805")).rang(),
    ];
    let mut board = Board::new();
    tell(&mut board, 1, &facts);
    board.apply(at(2), Input::Directory(Directory::default()));
    assert_eq!(row(&board, "unresolved:night desk", 2).figures.waiting, 2);
    assert_eq!(row(&board, "unresolved:day desk", 2).figures.waiting, 1);
}

#[test]
fn c11_a_queue_of_another_account_is_never_taken_for_one_of_ours() {
    let mut board = board();
    let mut foreign = queue("Billing", "801");
    foreign.account = Some("sub".to_owned());
    tell(&mut board, 1, &[phone("1", "Ada", 0).on(foreign).rang()]);
    assert_eq!(row(&board, "q-801", 1).figures.waiting, 0);
    assert_eq!(row(&board, "unresolved:sub/billing", 1).figures.waiting, 1);
}

#[test]
fn an_unresolved_queue_is_forgotten_when_its_day_is_over() {
    let mut board = board();
    let ada = phone("1", "Ada", 0).on(queue("Pop-up", "899"));
    tell(&mut board, 60, &[ada.rang(), ada.answered(8), ada.ended(8, 60)]);
    board.apply(at(5 * 3600), Input::Tick);
    assert!(has_unresolved(&board), "its visits of today are counted");
    board.apply(at(20 * 3600), Input::Midnights(Midnights { home: at(10 * 3600), zones: BTreeMap::new() }));
    assert!(!has_unresolved(&board));
}

#[test]
fn the_board_of_an_unresolved_queue_shows_nobody_elses_members() {
    let mut board = Board::new();
    let queues = vec![directory_queue("Billing", "801", &["Ada", "Bo"])];
    board.apply(at(0), Input::Directory(Directory { queues }));
    tell(&mut board, 1, &[phone("1", "Ada", 0).on(queue("Pop-up", "899")).rang()]);
    assert_eq!(board.totals(&["unresolved:pop-up".into()]).members, 0);
}

#[test]
fn today_begins_at_local_midnight() {
    let mut board = board();
    let ada = phone("1", "Ada", 0).on(queue("Billing", "801"));
    tell(&mut board, 60, &[ada.rang(), ada.answered(8)]);
    assert_eq!(row(&board, "q-801", 60).figures.offered_today, 1);
    board.apply(at(90), Input::Midnights(Midnights { home: at(80), zones: BTreeMap::new() }));
    let figures = row(&board, "q-801", 90).figures;
    assert_eq!(
        (figures.offered_today, figures.talking),
        (0, 1),
        "the talk goes on, yesterday's count is over"
    );
    tell(&mut board, 100, &[ada.ended(8, 95)]);
    assert_eq!(row(&board, "q-801", 100).figures.offered_today, 0);
}

#[test]
fn a_gap_makes_the_day_incomplete_of_every_queue_whose_day_it_reaches() {
    let west: ZoneName = "America/Denver".into();
    let mut board = Board::new();
    let billing = directory_queue("Billing", "801", &[]);
    let support = DirectoryQueue { zone: Some(west.clone()), ..directory_queue("Support", "802", &[]) };
    board.apply(at(0), Input::Directory(Directory { queues: vec![billing, support] }));
    let zones = BTreeMap::from([(west, at(-8 * 3600))]);
    board.apply(at(0), Input::Midnights(Midnights { home: at(0), zones }));
    let answered = |call, queue: &Station| stay(call, queue, 60, 70, StayEnd::Answered);
    tell(&mut board, 90, &[answered("1", &queue("Billing", "801")), answered("2", &queue("Support", "802"))]);
    let quality_of_today = |id: &str, gap: Option<(i64, i64)>| {
        let gap = gap.map(|(from, to)| Gap { from: at(from), to: Some(at(to)) });
        let trust = Trust { gap, ..live_trust(at(90)) };
        board.queue_view(&id.into(), at(90), &trust).unwrap().quality.today
    };
    let last_night = Some((-3600, -1800));
    assert_eq!(quality_of_today("q-801", None), Quality::Measured);
    assert_eq!(quality_of_today("q-801", last_night), Quality::Measured, "it was yesterday here");
    assert_eq!(quality_of_today("q-802", None), Quality::Measured);
    assert_eq!(quality_of_today("q-802", last_night), Quality::Inferred, "and today there");
    let quality_since = |id: &str, since: i64| {
        let trust = Trust { counting_since: Some(at(since)), ..live_trust(at(90)) };
        board.queue_view(&id.into(), at(90), &trust).unwrap().quality.today
    };
    assert_eq!(quality_since("q-801", 30), Quality::Inferred, "callers of before were never heard of");
    assert_eq!(quality_since("q-801", -1800), Quality::Measured, "that was yesterday here");
    assert_eq!(quality_since("q-802", -1800), Quality::Inferred, "and today there");
    assert_eq!(board.day_start(), at(-8 * 3600));
}

#[test]
fn a_settled_call_stays_counted_and_its_late_news_is_counted_as_late() {
    let mut board = board();
    let ada = phone("1", "Ada", 0).on(queue("Billing", "801"));
    tell(&mut board, 60, &[ada.rang(), ada.answered(8), ada.ended(8, 60)]);
    board.apply(at(5 * 3600), Input::Tick);
    assert_eq!(board.size().0, 0, "its facts are dropped");
    assert_eq!(row(&board, "q-801", 5 * 3600).figures.answered_today, 1);
    tell(&mut board, 5 * 3600, &[ada.missed(7, HangUp::NoAnswer)]);
    assert_eq!(board.anomalies().late, 1);
    board.apply(at(6 * 3600), Input::Midnights(Midnights { home: at(3600), zones: BTreeMap::new() }));
    assert_eq!(row(&board, "q-801", 6 * 3600).figures.answered_today, 0);
}

#[test]
fn a_settled_call_of_an_unresolved_queue_moves_to_the_queue_once_it_is_known() {
    let mut board = Board::new();
    let ada = phone("1", "Ada", 0).on(queue("Billing", "801"));
    tell(&mut board, 60, &[ada.rang(), ada.answered(8), ada.ended(8, 60)]);
    board.apply(at(5 * 3600), Input::Tick);
    assert_eq!(board.size().0, 0);
    let queues = vec![directory_queue("Billing", "801", &["Ada"])];
    board.apply(at(5 * 3600), Input::Directory(Directory { queues }));
    assert_eq!(row(&board, "q-801", 5 * 3600).figures.answered_today, 1);
    assert!(!has_unresolved(&board));
}

#[test]
fn news_from_the_future_is_not_believed() {
    let mut board = board();
    let ada = phone("1", "Ada", 8 * 3600).on(queue("Billing", "801"));
    tell(&mut board, 0, &[ada.rang()]);
    assert_eq!(row(&board, "q-801", 0).figures.waiting, 0);
    assert_eq!((board.anomalies().future, board.anomalies().future_in_a_row), (1, 1));
    tell(&mut board, 0, &[phone("2", "Ada", 8 * 3600).rang(), phone("3", "Ada", 0).rang()]);
    assert_eq!((board.anomalies().future, board.anomalies().future_in_a_row), (2, 0));
}

#[test]
fn what_cannot_be_heard_is_unknown() {
    let board = board();
    let mut deaf = live_trust(at(0));
    deaf.feed = FeedLink::Down;
    let view = board.queue_view(&"q-801".into(), at(1), &deaf).expect("a queue the board knows");
    assert_eq!(view.quality.waiting, Quality::Unknown);
    assert_eq!(view.quality.members, Quality::Measured);
}

#[test]
fn live_calls_say_where_a_call_is() {
    let mut board = board();
    let ada = phone("1", "Ada", 0).on(queue("Billing", "801"));
    tell(&mut board, 2, &[ada.rang()]);
    let calls = board.live_calls();
    assert_eq!(calls.len(), 1);
    assert_eq!((calls[0].phase, calls[0].since), (CallPhase::Ringing, at(0)));
    assert_eq!(calls[0].queue_id, Some("q-801".into()));
    assert_eq!(calls[0].caller.as_deref(), Some("+4930123456"));
    tell(&mut board, 30, &[ada.answered(8), ada.held(20)]);
    assert_eq!(board.live_calls()[0].phase, CallPhase::OnHold);
    tell(&mut board, 40, &[ada.ended(8, 40)]);
    assert!(board.live_calls().is_empty());
}

#[test]
fn totals_share_a_target_only_when_all_queues_do() {
    let board = board();
    let ids = board.queue_ids();
    assert_eq!(board.totals(&ids).shared_target_permille, Some(800));
    let mut other = directory_queue("Slow", "803", &[]);
    other.policy.threshold_seconds = 60;
    let mut mixed = Board::new();
    let queues = vec![directory_queue("Billing", "801", &[]), other];
    mixed.apply(at(0), Input::Directory(Directory { queues }));
    assert_eq!(mixed.totals(&mixed.queue_ids()).shared_threshold_seconds, None);
}

#[test]
fn a_queue_that_a_call_only_seemed_to_enter_leaves_no_row() {
    let mut board = board();
    let first = phone("77", "Cem", 6).sent(6_000).on(queue("Night desk", "805"));
    tell(&mut board, 6, &[first.rang()]);
    assert!(board.queue_ids().iter().any(|id| id.as_str() == "unresolved:night desk"));
    let second = phone("77", "Cem", 6).sent(6_001).on(queue("Late desk", "805"));
    tell(&mut board, 6, &[second.rang()]);
    let left: Vec<String> = board.queue_ids().iter().map(ToString::to_string).collect();
    assert_eq!(left.iter().filter(|id| id.starts_with("unresolved:")).count(), 1, "{left:?}");
}

#[test]
fn a_number_alone_means_the_same_queue_whoever_told_it_first() {
    let number_only = || Station { name: None, ..queue("", "905") };
    let offered = |stations: [Station; 3]| {
        let mut board = board();
        for (number, station) in stations.into_iter().enumerate() {
            let ring = phone(&format!("{number}"), "Ada", 0).on(station).rang();
            tell(&mut board, 1, &[ring]);
        }
        let count = |id: &QueueId| row(&board, id.as_str(), 1).figures.offered_today;
        board.queue_ids().iter().map(|id| (id.to_string(), count(id))).collect::<Vec<_>>()
    };
    let support_first = offered([queue("Night", "905"), number_only(), queue("Late", "905")]);
    let sales_first = offered([queue("Late", "905"), number_only(), queue("Night", "905")]);
    assert_eq!(support_first, sales_first);
}

#[test]
fn a_call_that_tells_too_much_is_believed_up_to_a_number_of_facts() {
    let mut board = board();
    let told = MOST_FACTS as i64 + 10;
    let facts: Vec<Fact> = (0..told)
        .map(|number| {
            phone("1", "Ada", 0)
                .sent(number)
                .device(Some(&format!("d{number}")))
                .on(queue("Billing", "801"))
                .rang()
        })
        .collect();
    tell(&mut board, 1, &facts[..10]);
    board.apply(at(1), Input::Facts(facts));
    assert_eq!(board.anomalies().crowded, 10);
    assert_eq!(row(&board, "q-801", 1).figures.offered_today, 1);
}

#[test]
fn what_records_hold_counts_like_facts() {
    let mut board = board();
    let of_many_stays = |second: i64| {
        let mut fact = stay("1", &queue("Billing", "801"), second, second, StayEnd::Overflowed);
        let What::Recorded(record) = &mut *fact.what else { panic!("a record") };
        record.stays = vec![record.stays[0].clone(); 100];
        fact
    };
    let records: Vec<Fact> = (0..30).map(of_many_stays).collect();
    board.apply(at(40), Input::Facts(records));
    assert_eq!(board.anomalies().crowded, 10);
}
