//! What was promised, since when, and by which definition that is counted.

use std::time::Duration;

use domain::{
    board::{Board, Input},
    fact::HangUp,
    outcome::Outcome,
    service_level::{Definition, Promise, PromiseBook, PromiseEntry, ServiceLevelPolicy, ServiceLevels},
};

use crate::{
    board::{board, row, tell},
    story::{at, phone, queue},
};

fn policy(threshold_seconds: u32) -> ServiceLevelPolicy {
    ServiceLevelPolicy { threshold_seconds, ..ServiceLevelPolicy::default() }
}

fn entry(queue: Option<&str>, valid_from: Option<i64>, promise: Promise) -> PromiseEntry {
    PromiseEntry { queue: queue.map(str::to_owned), valid_from: valid_from.map(at), promise }
}

fn within(threshold_seconds: u32) -> Promise {
    Promise { policy: policy(threshold_seconds), ..Promise::default() }
}

fn promise(board: &mut Board, entries: Vec<PromiseEntry>) {
    board.apply(at(0), Input::Promises(PromiseBook { entries }));
}

/// A caller of Billing who is answered after so many seconds.
fn answered(board: &mut Board, call: &str, rang: i64, after: i64) {
    let ada = phone(call, "Ada", rang).on(queue("Billing", "801"));
    tell(
        board,
        rang + after + 60,
        &[ada.rang(), ada.answered(rang + after), ada.ended(rang + after, rang + after + 60)],
    );
}

#[test]
fn the_worked_example_by_every_definition_and_the_event_time_rule() {
    let mut levels = ServiceLevels::default();
    let mut add = |outcome, seconds: &[u64]| {
        for wait in seconds {
            levels.add(&ServiceLevels::of(&policy(20), outcome, Duration::from_secs(*wait)));
        }
    };
    add(Outcome::Answered, &[4, 8, 15, 19, 25, 40]);
    add(Outcome::Abandoned, &[12, 50]);
    add(Outcome::ShortAbandoned, &[3]);
    add(Outcome::Voicemail, &[60]);
    let by = |levels: &ServiceLevels, definition| {
        let level = levels.by(definition);
        (level.met, level.decided)
    };
    let finished = [(4, 6), (4, 10), (4, 8), (6, 10), (4, 9)];
    assert_eq!(Definition::ALL.map(|definition| by(&levels, definition)), finished);
    // Two more wait: one has passed the threshold, and is decided for all who count those who wait.
    let mut now = levels;
    for wait in [7, 33] {
        now.add(&ServiceLevels::of(&policy(20), Outcome::Waiting, Duration::from_secs(wait)));
    }
    let so_far = [(4, 6), (4, 11), (4, 9), (6, 11), (4, 10)];
    assert_eq!(Definition::ALL.map(|definition| by(&now, definition)), so_far);
}

#[test]
fn a_visit_is_judged_by_what_was_promised_when_it_entered() {
    let mut board = board();
    promise(&mut board, vec![entry(None, None, within(20)), entry(None, Some(100), within(60))]);
    answered(&mut board, "1", 0, 30);
    answered(&mut board, "2", 120, 30);
    let level = row(&board, "q-801", 300).figures.service_level_today;
    assert_eq!((level.met, level.decided), (1, 2), "the first was late by the promise of its time");
    assert_eq!(row(&board, "q-801", 300).policy.threshold_seconds, 60, "shown is what holds now");
}

#[test]
fn the_order_in_which_promises_and_calls_are_read_makes_no_difference() {
    let entries = || vec![entry(None, None, within(20)), entry(None, Some(100), within(60))];
    let (mut before, mut after) = (board(), board());
    promise(&mut before, entries());
    for board in [&mut before, &mut after] {
        answered(board, "1", 0, 30);
        answered(board, "2", 120, 30);
    }
    after.apply(at(300), Input::Promises(PromiseBook { entries: entries() }));
    before.apply(at(300), Input::Tick);
    assert_eq!(row(&before, "q-801", 300), row(&after, "q-801", 300));
}

#[test]
fn a_queue_has_its_own_promise_by_id_number_or_name_and_the_others_that_of_all() {
    for name in ["q-801", "801", " billing "] {
        let mut board = board();
        promise(&mut board, vec![entry(None, None, within(45)), entry(Some(name), None, within(90))]);
        let threshold = |id: &str| row(&board, id, 1).policy.threshold_seconds;
        assert_eq!((threshold("q-801"), threshold("q-802")), (90, 45), "{name}");
        tell(&mut board, 1, &[phone("1", "Ada", 0).on(queue("Pop-up", "899")).rang()]);
        assert_eq!(row(&board, "unresolved:pop-up", 1).policy.threshold_seconds, 45);
    }
}

#[test]
fn the_definition_decides_what_the_board_shows_and_the_others_stand_beside_it() {
    let mut board = board();
    let negative = Promise { definition: Definition::Negative, ..within(20) };
    promise(&mut board, vec![entry(Some("801"), None, negative)]);
    answered(&mut board, "1", 0, 8);
    let ada = phone("2", "Ada", 100).on(queue("Billing", "801"));
    tell(&mut board, 110, &[ada.rang(), ada.missed(103, HangUp::CallerGaveUp)]);
    let level = row(&board, "q-801", 110).figures.service_level_today;
    assert_eq!((level.met, level.decided), (1, 2), "who leaves at once counts against");
    let detail = board.queue_detail(&"q-801".into()).expect("a queue of the directory");
    assert_eq!(detail.promise.definition, Definition::Negative);
    let by =
        |definition| (detail.service_levels.by(definition).met, detail.service_levels.by(definition).decided);
    assert_eq!((by(Definition::ShortExcluded), by(Definition::Positive)), ((1, 1), (2, 2)));
}

#[test]
fn definitions_have_words_that_read_back() {
    for definition in Definition::ALL {
        assert_eq!(Definition::parse(definition.word()), Some(definition));
    }
    assert_eq!(Definition::parse("best"), None);
}
