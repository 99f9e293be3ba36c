//! What stands behind a queue's numbers, and what is in doubt after a gap.

use domain::{
    agent::presence::{Presence, PresenceFact, PresenceOrigin},
    board::{Board, Input},
    fact::{HangUp, StayEnd},
    outcome::Outcome,
    trust::Gap,
    view::Level,
};

use crate::{
    board::{board, row, tell},
    story::{at, phone, queue, stay},
};

fn gap(board: &mut Board, from: i64, to: i64) {
    board.apply(at(to), Input::Gap(Gap { from: at(from), to: Some(at(to)) }));
}

fn in_doubt(board: &Board, now: i64) -> (u32, Vec<String>) {
    let calls = board.live_calls().into_iter().filter(|call| call.unconfirmed);
    (row(board, "q-801", now).figures.unconfirmed, calls.map(|call| call.call_id.to_string()).collect())
}

#[test]
fn calls_that_were_open_at_a_gap_are_unconfirmed_until_news_of_them_come() {
    let mut board = board();
    let talks = phone("1", "Ada", 0).on(queue("Billing", "801"));
    let waits = phone("2", "Bo", 50).on(queue("Billing", "801"));
    let over = phone("3", "Bo", 0).on(queue("Billing", "801"));
    let story =
        [talks.rang(), talks.answered(8), over.rang(), over.answered(5), over.ended(5, 20), waits.rang()];
    tell(&mut board, 55, &story);
    assert_eq!(in_doubt(&board, 55), (0, vec![]));
    gap(&mut board, 60, 90);
    let figures = row(&board, "q-801", 90).figures;
    assert_eq!((figures.talking, figures.waiting), (1, 1), "still counted, nobody said otherwise");
    assert_eq!(in_doubt(&board, 90), (2, vec!["1".into(), "2".into()]));
    assert_eq!(board.totals(&board.queue_ids()).figures.unconfirmed, 2);
    // News of one of them.
    tell(&mut board, 95, &[talks.held(95)]);
    assert_eq!(in_doubt(&board, 95), (1, vec!["2".into()]));
    assert_eq!(row(&board, "q-801", 95).level(at(95)), Level::Watch, "the one who waits may have left");
    // What begins after the gap is in no doubt.
    tell(&mut board, 99, &[phone("4", "Ada", 98).on(queue("Billing", "801")).rang()]);
    assert_eq!(in_doubt(&board, 99).0, 1);
    let figures = row(&board, "q-801", 99).figures;
    assert_eq!((figures.oldest_waiting_since, figures.surely_waiting_since()), (Some(at(50)), Some(at(98))));
    assert_eq!(board.totals(&board.queue_ids()).figures.surely_waiting_since(), Some(at(98)));
    // The record of the other: it was over all the time.
    tell(&mut board, 200, &[stay("2", &queue("Billing", "801"), 50, 70, StayEnd::Abandoned)]);
    assert_eq!(in_doubt(&board, 200), (0, vec![]));
    assert_eq!(row(&board, "q-801", 200).figures.abandoned_today, 1);
}

#[test]
fn a_gap_that_is_told_again_or_late_puts_nothing_more_in_doubt() {
    let mut board = board();
    gap(&mut board, 10, 20);
    let ada = phone("1", "Ada", 30).on(queue("Billing", "801"));
    tell(&mut board, 40, &[ada.rang(), ada.answered(38)]);
    gap(&mut board, 10, 20);
    gap(&mut board, 5, 12);
    assert_eq!(in_doubt(&board, 41), (0, vec![]));
    // An open gap puts nothing in doubt yet: the whole board says that it is deaf.
    board.apply(at(50), Input::Gap(Gap { from: at(45), to: None }));
    assert_eq!(in_doubt(&board, 50), (0, vec![]));
}

#[test]
fn a_talk_among_ourselves_that_nobody_confirms_for_an_hour_ended_in_the_gap() {
    let mut board = board();
    let (dials, eve) = (phone("1", "Dee", 0).caller_side(), phone("1", "Eve", 0));
    let bo = phone("2", "Bo", 0).on(queue("Billing", "801"));
    let story = [dials.rang(), eve.rang(), dials.answered(9), eve.answered(9), bo.rang(), bo.answered(9)];
    tell(&mut board, 55, &story);
    gap(&mut board, 60, 90);
    let goes_on = |board: &mut Board, now: i64| {
        board.apply(at(now), Input::Tick);
        (in_doubt(board, now).1.len(), row(board, "q-801", now).figures.talking)
    };
    assert_eq!(goes_on(&mut board, 90 + 3_599), (2, 1));
    // Of a queue's call there would be a record, had it ended.
    assert_eq!(goes_on(&mut board, 90 + 3_600), (1, 1));
    // Another gap brings nobody back, and nothing that was never told counts as news.
    gap(&mut board, 7_000, 7_090);
    assert_eq!(in_doubt(&board, 7_090).1, ["2"]);
    assert_eq!(goes_on(&mut board, 14_000), (1, 1));
    // Who was talking all the same.
    tell(&mut board, 14_001, &[eve.held(14_000)]);
    assert_eq!(in_doubt(&board, 14_001).1, ["2"]);
    assert_eq!(board.live_calls().len(), 2);
}

#[test]
fn what_ended_in_a_gap_ended_then_however_late_it_is() {
    let mut board = board();
    let (dials, ada) = (phone("1", "Dee", 0).caller_side(), phone("1", "Ada", 0));
    tell(&mut board, 10, &[dials.rang(), ada.rang(), dials.answered(9), ada.answered(9)]);
    gap(&mut board, 60, 90);
    let free_since = |board: &mut Board, now: i64| {
        board.apply(at(now), Input::Tick);
        board.agent_view(&"user-Ada".into(), at(now)).unwrap().standing.since
    };
    let early = free_since(&mut board, 90 + 3_600);
    assert_eq!(free_since(&mut board, 4 * 3_600 + 60), early);
    assert_eq!(free_since(&mut board, 9 * 3_600), early);
}

#[test]
fn what_people_are_known_to_have_left_is_listed_no_more() {
    let mut board = board();
    let consults = |call: &str, who: &str, whom: &str| {
        let (dials, asked) = (phone(call, who, 0).caller_side(), phone(call, whom, 0));
        [dials.rang(), asked.rang(), dials.answered(9), asked.answered(9)]
    };
    // Dee and Eve are members of nothing, so nobody reads their presence.
    tell(&mut board, 10, &[consults("1", "Ada", "Dee"), consults("2", "Eve", "Cem")].concat());
    tell(&mut board, 10, &consults("3", "Bo", "Gus"));
    gap(&mut board, 60, 90);
    board.apply(at(91), Input::Doubt(Some(at(90))));
    assert_eq!(in_doubt(&board, 91).1, ["1", "2", "3"]);
    // Ada's client says that she is on no call, and Eve takes another one.
    let (user_id, presence) = ("user-Ada".into(), Presence::Available);
    let origin = PresenceOrigin::Read;
    let read = PresenceFact { user_id, at: at(95), sent_at: at(95), presence, origin };
    board.apply(at(95), Input::Presences(vec![read]));
    assert_eq!(in_doubt(&board, 95).1, ["2", "3"]);
    let eve = phone("4", "Eve", 96);
    tell(&mut board, 99, &[eve.rang(), eve.answered(99)]);
    assert_eq!(in_doubt(&board, 99).1, ["3"]);
    assert_eq!(board.live_calls().len(), 2);
}

#[test]
fn who_left_today_is_listed_with_how_that_is_known() {
    let mut board = board();
    let gave_up = phone("1", "Ada", 0).on(queue("Billing", "801"));
    let silent = phone("2", "Ada", 100).on(queue("Billing", "801"));
    let at_once = phone("3", "Ada", 200).on(queue("Billing", "801"));
    let elsewhere = phone("4", "Cem", 200).on(queue("Support", "802"));
    let story = [
        gave_up.rang(),
        gave_up.missed(30, HangUp::CallerGaveUp),
        silent.rang(),
        silent.missed(112, HangUp::NoAnswer),
        at_once.rang(),
        at_once.missed(203, HangUp::CallerGaveUp),
        elsewhere.rang(),
        elsewhere.missed(240, HangUp::CallerGaveUp),
    ];
    tell(&mut board, 300, &story);
    board.apply(at(400), Input::Tick);
    let told = |board: &Board| -> Vec<(String, bool, bool, bool)> {
        let detail = board.queue_detail(&"q-801".into()).expect("a queue of the directory");
        let lost = detail.lost.iter();
        lost.map(|lost| (lost.call_id.to_string(), lost.short, lost.presumed, lost.measured)).collect()
    };
    let expected = [
        ("3".to_owned(), true, false, false),
        ("2".to_owned(), false, true, false),
        ("1".to_owned(), false, false, false),
    ];
    assert_eq!(told(&board), expected);
    tell(&mut board, 500, &[stay("2", &queue("Billing", "801"), 100, 130, StayEnd::Abandoned)]);
    assert_eq!(told(&board)[1], ("2".to_owned(), false, false, true));
    // Their numbers are the same, also when the calls are settled and their facts dropped.
    board.apply(at(6 * 3600), Input::Tick);
    assert_eq!((board.size(), told(&board).len()), ((0, 0), 3));
    let figures = row(&board, "q-801", 6 * 3600).figures;
    assert_eq!((figures.abandoned_today, figures.short_abandoned_today), (2, 1));
    let detail = board.queue_detail(&"q-801".into()).expect("a queue of the directory");
    let caller = detail.lost[0].caller.as_deref();
    assert_eq!(caller, Some("+4930123456"));
    assert!(detail.outcomes.contains(&(Outcome::Abandoned, 2)));
    assert_eq!(detail.outcomes.iter().map(|(_, count)| count).sum::<u32>(), figures.offered_today);
    assert!(board.queue_detail(&"nobody".into()).is_none());
}
