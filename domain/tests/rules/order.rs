//! Messages that come late, twice, in any order or never: `pitfalls` B and the time-outs.

use domain::{
    board::Input,
    call::{LOST_CALL_AFTER, LOST_PARK_AFTER, LOST_RING_AFTER},
    fact::HangUp,
    outcome::Outcome,
};

use crate::{
    board::{board, row, tell},
    calls,
    story::{at, phone, queue},
    visits::{self, billing},
};

#[test]
fn b1_no_order_of_messages_takes_a_leg_back() {
    let ada = phone("1", "Ada", 0);
    let story = [ada.rang(), ada.answered(9), ada.held(20), ada.ended(9, 60)];
    // `check` tells the story backwards, too.
    for turn in 0..story.len() {
        let mut turned = story.clone();
        turned.rotate_left(turn);
        calls::check(70, &turned, &["Ada finished 60"]);
    }
    // The answer alone, without its ring, and the end alone, without either, say enough.
    calls::check(12, &[ada.answered(9)], &["Ada connected 9"]);
    calls::check(70, &[ada.ended(9, 60)], &["Ada finished 60"]);
}

#[test]
fn b3_a_message_that_comes_ten_times_counts_once() {
    let mut board = board();
    let ada = phone("1", "Ada", 0).on(queue("Billing", "801"));
    for _ in 0..10 {
        tell(&mut board, 9, &[ada.rang(), ada.answered(8)]);
    }
    let figures = row(&board, "q-801", 9).figures;
    assert_eq!((figures.offered_today, figures.answered_today, figures.talking), (1, 1, 1));
    assert_eq!(board.anomalies().repeated, 18);
}

#[test]
fn b4_every_state_whose_end_was_lost_ends_by_itself() {
    let mut board = board();
    let ringing = phone("1", "Ada", 0).on(queue("Billing", "801"));
    let talking = phone("2", "Bo", 0).on(queue("Billing", "801"));
    let parked = phone("3", "Cem", 0).on(queue("Support", "802"));
    let story = [
        ringing.rang(),
        talking.rang(),
        talking.answered(9),
        parked.rang(),
        parked.answered(9),
        parked.parked(20),
    ];
    tell(&mut board, 20, &story);
    let live_after = |board: &mut domain::board::Board, silence: std::time::Duration| {
        board.apply(at(20) + silence, Input::Tick);
        board.live_calls().iter().map(|call| call.call_id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(live_after(&mut board, LOST_RING_AFTER), ["1", "2", "3"], "it may have been between rings");
    assert_eq!(live_after(&mut board, LOST_RING_AFTER * 2), ["2", "3"]);
    assert_eq!(live_after(&mut board, LOST_PARK_AFTER), ["2"]);
    assert!(live_after(&mut board, LOST_CALL_AFTER).is_empty());
}

#[test]
fn b5_news_of_an_unknown_call_that_is_hours_old_is_not_live() {
    let mut board = board();
    let ada = phone("1", "Ada", 0).on(queue("Billing", "801"));
    tell(&mut board, 5 * 3600, &[ada.rang()]);
    assert_eq!(row(&board, "q-801", 5 * 3600).figures.offered_today, 0);
    assert_eq!(board.anomalies().late, 1);
    // A ring that is told an hour and a half late is over when it is told.
    let bo = phone("2", "Bo", 0).on(queue("Billing", "801"));
    let mut board = crate::board::board();
    tell(&mut board, 5_400, &[bo.rang()]);
    assert_eq!(row(&board, "q-801", 5_400).figures.waiting, 0);
    assert!(board.live_calls().is_empty());
}

#[test]
fn b6_the_end_of_a_call_nobody_heard_of_leaves_nothing_for_its_ring_to_revive() {
    let mut board = board();
    let ada = phone("1", "Ada", 0);
    tell(&mut board, 20, &[ada.ended(5, 20)]);
    assert!(board.live_calls().is_empty());
    tell(&mut board, 21, &[ada.rang(), ada.answered(5)]);
    assert!(board.live_calls().is_empty(), "it is known to be over");
    assert_eq!(row(&board, "q-801", 21).members_available, Some(2));
}

#[test]
fn b8_waits_come_from_the_times_in_messages_and_are_never_negative() {
    // Told twelve seconds after it happened; whoever counted by arrival would see a longer wait.
    let ada = billing("Ada", 0).sent(12_000);
    let visit = &visits::visits_of(40, &[ada.rang(), ada.answered(8)])[0];
    assert_eq!(visit.left_at, Some(at(8)));
    // A clock that ran backwards between ring and answer.
    let early = billing("Ada", 10);
    let visit = &visits::visits_of(40, &[early.rang(), early.answered(7)])[0];
    assert_eq!((visit.outcome, visit.left_at), (Outcome::Answered, Some(at(10))));
    assert_eq!(visit.service_level().met, 1);
}

#[test]
fn b9_a_ring_of_no_length_is_an_answer_or_an_end_never_both() {
    let ada = phone("1", "Ada", 0);
    calls::check(5, &[ada.rang(), ada.answered(0)], &["Ada connected 0"]);
    calls::check(5, &[ada.rang(), ada.missed(0, HangUp::Busy)], &["Ada stopped 0"]);
    calls::check(5, &[ada.rang(), ada.answered(0), ada.ended(0, 0)], &["Ada finished 0"]);
}
