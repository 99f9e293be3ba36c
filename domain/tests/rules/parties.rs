//! Who and which queue, and what of a queue's waiting can be seen: `pitfalls` C and D.

use std::time::Duration;

use domain::{
    board::{Board, CallPhase, Input},
    call::Direction,
    directory::{Directory, Member},
    fact::{Fact, HangUp, Party, Station, StationKind, StayEnd},
};

use crate::{
    board::{board, directory_queue, row, tell},
    story::{Phone, at, outside, phone, queue, stay},
    visits::{self, billing, support},
};

/// The phone of a queue itself: nobody's.
fn of_queue(call: &str, name: &str, number: &str, rang: i64) -> Phone {
    let party = Party {
        kind: Some(StationKind::CallQueue),
        extension_id: Some(format!("x-{number}").as_str().into()),
        extension_number: Some(number.to_owned()),
        name: Some(name.to_owned()),
        ..Party::default()
    };
    phone(call, name, rang).party(party).device(None)
}

fn menu(call: &str, rang: i64) -> Phone {
    let party = Party {
        kind: Some(StationKind::AutoReceptionist),
        extension_number: Some("700".to_owned()),
        name: Some("Main menu".to_owned()),
        ..Party::default()
    };
    phone(call, "menu", rang).party(party).device(None)
}

#[test]
fn c11_another_accounts_queue_that_is_called_itself_is_not_ours_though_it_has_a_number_of_ours() {
    let mut board = board();
    let party = Party {
        account: Some("sub".to_owned()),
        kind: Some(StationKind::CallQueue),
        extension_number: Some("801".to_owned()),
        name: Some("Billing".to_owned()),
        ..Party::default()
    };
    tell(&mut board, 1, &[phone("1", "Billing", 0).party(party).device(None).rang()]);
    assert_eq!(row(&board, "q-801", 1).figures.waiting, 0);
    assert_eq!(row(&board, "unresolved:sub/billing", 1).figures.waiting, 1);
}

#[test]
fn c2_a_queue_that_is_called_itself_is_a_visit_in_which_nobody_rings() {
    let mut board = board();
    let itself = of_queue("1", "Billing", "801", 0);
    tell(&mut board, 3, &[itself.rang()]);
    let figures = row(&board, "q-801", 3).figures;
    assert_eq!((figures.waiting, figures.ringing), (1, 0));
    // Then a member rings for it, and takes the call: one visit.
    let ada = phone("1", "Ada", 5).on(queue("Billing", "801"));
    tell(&mut board, 6, &[ada.rang()]);
    assert_eq!(row(&board, "q-801", 6).figures.ringing, 1);
    tell(&mut board, 9, &[ada.answered(8)]);
    let figures = row(&board, "q-801", 9).figures;
    assert_eq!((figures.offered_today, figures.talking, figures.waiting), (1, 1, 0));
    assert_eq!(row(&board, "q-801", 9).members_available, Some(1), "the queue itself is nobody");
}

#[test]
fn c4_an_outside_number_in_the_place_of_an_extension_is_the_caller() {
    let mut board = board();
    let caller = Party {
        kind: Some(StationKind::User),
        extension_number: Some("493055501".to_owned()),
        ..Party::default()
    };
    tell(&mut board, 1, &[phone("1", "Ada", 0).with(caller).on(queue("Billing", "801")).rang()]);
    let call = &board.live_calls()[0];
    assert_eq!((call.caller.as_deref(), call.direction), (Some("493055501"), Direction::Incoming));
}

#[test]
fn c5_the_menu_that_passed_a_call_on_is_not_its_caller() {
    let mut board = board();
    let menu = Party {
        kind: Some(StationKind::AutoReceptionist),
        number: Some("+4930999000".to_owned()),
        ..Party::default()
    };
    let first = phone("1", "Ada", 0).with(outside("+4930555001")).on(queue("Billing", "801"));
    let second = phone("1", "Bo", 0).with(menu.clone()).on(queue("Billing", "801"));
    tell(&mut board, 1, &[second.rang(), first.rang()]);
    assert_eq!(board.live_calls()[0].caller.as_deref(), Some("+4930555001"));
    tell(&mut board, 1, &[phone("2", "Bo", 0).with(menu).on(queue("Billing", "801")).rang()]);
    assert_eq!(board.live_calls()[1].caller, None, "nobody said who it is");
}

#[test]
fn c6_a_menu_neither_rings_nor_answers_for_anybody() {
    let mut board = board();
    let menu = menu("1", 0);
    tell(&mut board, 1, &[menu.rang(), menu.answered(0)]);
    let call = &board.live_calls()[0];
    assert_eq!((call.phase, call.queue_id.as_ref()), (CallPhase::Menu, None));
    assert!(board.queue_ids().iter().all(|id| row(&board, id.as_str(), 1).figures.offered_today == 0));
    // It passes the call on within the second, and its own end is lost.
    let ada = phone("1", "Ada", 0).on(queue("Billing", "801"));
    tell(&mut board, 2, &[ada.rang()]);
    let figures = row(&board, "q-801", 2).figures;
    assert_eq!((figures.waiting, figures.ringing), (1, 1));
    assert_eq!(board.live_calls()[0].phase, CallPhase::Ringing);
    tell(&mut board, 9, &[ada.answered(8)]);
    assert_eq!(board.live_calls()[0].phase, CallPhase::Talking);
    assert_eq!(row(&board, "q-801", 9).figures.answered_today, 1);
}

#[test]
fn c6_a_queue_that_sends_a_caller_to_a_menu_has_not_answered() {
    let (ada, menu) = (billing("Ada", 0), menu("1", 31));
    let story = [ada.rang(), ada.missed(30, HangUp::NoAnswer), menu.rang(), menu.answered(31)];
    visits::check(40, &story, &["Billing Overflowed 31 Over"]);
}

#[test]
fn c7_a_name_that_one_message_had_is_remembered_and_others_come_from_the_directory() {
    let mut board = Board::new();
    let mut billing = directory_queue("Billing", "801", &[]);
    let bo = Member {
        id: "user-Bo".into(),
        extension_id: Some("x-bo".into()),
        name: "Bo Berg".to_owned(),
        receives_calls: true,
    };
    billing.members = Some(vec![bo]);
    board.apply(at(0), Input::Directory(Directory { queues: vec![billing] }));
    let nameless = |id: &str| Party { extension_id: Some(id.into()), ..Party::default() };
    let named = Party { name: Some("Ada".to_owned()), ..nameless("x-ada") };
    tell(&mut board, 0, &[phone("1", "Ada", 0).party(named).rang()]);
    tell(&mut board, 9, &[phone("1", "Ada", 0).party(nameless("x-ada")).answered(8)]);
    tell(&mut board, 9, &[phone("2", "Bo", 9).party(nameless("x-bo")).rang()]);
    let calls = board.live_calls();
    let name = |index: usize| calls[index].legs[0].party.name.as_deref();
    assert_eq!((name(0), name(1)), (Some("Ada"), Some("Bo Berg")));
}

#[test]
fn c10_callers_who_withhold_their_number_are_not_one_caller() {
    let mut board = board();
    for call in ["1", "2"] {
        tell(
            &mut board,
            1,
            &[phone(call, "Ada", 0).with(Party::default()).on(queue("Billing", "801")).rang()],
        );
    }
    assert_eq!(row(&board, "q-801", 1).figures.waiting, 2);
    assert!(board.live_calls().iter().all(|call| call.caller.is_none()));
}

#[test]
fn d1_who_waits_without_any_ring_is_not_seen_until_the_record_tells() {
    let mut board = board();
    assert_eq!(row(&board, "q-801", 0).figures.waiting, 0);
    let record = stay("1", &queue("Billing", "801"), 0, 50, StayEnd::Abandoned);
    tell(&mut board, 120, &[record]);
    let figures = row(&board, "q-801", 120).figures;
    assert_eq!((figures.offered_today, figures.abandoned_today, figures.waiting), (1, 1, 0));
}

#[test]
fn d2_the_pause_between_rings_may_last_as_long_as_the_queue_lets_callers_wait_up_to_a_minute() {
    let with = |max_wait: Option<u64>| {
        let mut board = Board::new();
        let mut billing = directory_queue("Billing", "801", &["Ada"]);
        billing.max_wait = max_wait.map(Duration::from_secs);
        board.apply(at(0), Input::Directory(Directory { queues: vec![billing] }));
        let ada = phone("1", "Ada", 0).on(queue("Billing", "801"));
        tell(&mut board, 12, &[ada.rang(), ada.missed(12, HangUp::NoAnswer)]);
        let waits_at = |board: &mut Board, now: i64| {
            board.apply(at(now), Input::Tick);
            row(board, "q-801", now).figures.waiting == 1
        };
        (12..200).find(|now| !waits_at(&mut board, *now)).expect("an end") - 12
    };
    assert_eq!(with(None), 30);
    assert_eq!(with(Some(20)), 20);
    assert_eq!(with(Some(600)), 60);
}

#[test]
fn d4_a_chain_of_queues_is_one_visit_each() {
    let (ada, cem, bo) = (billing("Ada", 0), support("Cem", 31), billing("Bo", 62));
    let story: Vec<Fact> = vec![
        ada.rang(),
        ada.missed(30, HangUp::NoAnswer),
        cem.rang(),
        cem.missed(61, HangUp::NoAnswer),
        bo.rang(),
        bo.answered(70),
    ];
    let told = ["Billing Overflowed 31 Over", "Support Overflowed 31 Over", "Billing Answered 8 Talking"];
    visits::check(80, &story, &told);
}

#[test]
fn d5_who_has_opted_out_is_a_member_and_not_available() {
    let mut board = Board::new();
    let mut billing = directory_queue("Billing", "801", &["Ada", "Bo"]);
    if let Some(members) = &mut billing.members {
        members[1].receives_calls = false;
    }
    board.apply(at(0), Input::Directory(Directory { queues: vec![billing] }));
    let view = row(&board, "q-801", 0);
    assert_eq!((view.members, view.members_available), (Some(2), Some(1)));
}

#[test]
fn d7_a_member_on_another_call_may_be_rung() {
    let mut board = board();
    let busy = phone("1", "Ada", 0).on(queue("Billing", "801"));
    let rung = phone("2", "Ada", 20).on(queue("Billing", "801"));
    tell(&mut board, 21, &[busy.rang(), busy.answered(5), rung.rang()]);
    let view = row(&board, "q-801", 21);
    assert_eq!((view.figures.talking, view.figures.ringing, view.members_available), (1, 1, Some(1)));
}

#[test]
fn a_caller_of_the_account_in_a_queue_is_one_visit_and_leaves_when_their_own_side_ends() {
    let cem = phone("1", "Cem", 0).caller_side().with(outside("801"));
    let ada = billing("Ada", 2);
    visits::check(5, &[cem.rang(), ada.rang()], &["Billing Waiting 3 Ringing"]);
    visits::check(30, &[cem.rang(), ada.rang(), cem.stopped(14)], &["Billing Abandoned 12 Over"]);
    let mut board = board();
    tell(&mut board, 5, &[cem.rang(), ada.rang()]);
    let call = &board.live_calls()[0];
    assert_eq!((call.direction, call.caller.as_deref()), (Direction::Internal, Some("Cem")));
}

#[test]
fn an_outgoing_call_is_in_no_queue() {
    let mut board = board();
    let ada = phone("1", "Ada", 0).caller_side();
    tell(&mut board, 5, &[ada.rang(), ada.answered(4)]);
    let call = &board.live_calls()[0];
    assert_eq!(
        (call.direction, call.phase, call.queue_id.as_ref()),
        (Direction::Outgoing, CallPhase::Talking, None)
    );
}

#[test]
fn a_shared_line_is_no_queue() {
    let line = Station { kind: StationKind::SharedLineGroup, ..queue("Front desk", "810") };
    let ada = phone("1", "Ada", 0).on(line);
    visits::check(5, &[ada.rang(), ada.answered(3)], &[]);
}
