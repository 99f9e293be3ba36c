//! What is written down of calls: what was said live, what the record says, and how they differ.

use domain::{
    board::{Board, Input, Midnights},
    directory::Directory,
    fact::{Fact, HangUp, StayEnd, What},
    history::{CallHistory, Difference, Told, WrittenStay, pair},
    outcome::{Outcome, OverflowReason},
    reconciliation::{Class, Counts, Reconciliation},
    service_level::Promise,
};

use crate::{
    board::directory_queue,
    story::{at, phone, queue, read, stay, voicemail},
};

fn board() -> Board {
    let mut board = Board::new().with_history();
    let queues =
        vec![directory_queue("Billing", "801", &["Ada"]), directory_queue("Support", "802", &["Bo"])];
    board.apply(at(0), Input::Directory(Directory { queues }));
    board.apply(at(0), Input::Midnights(Midnights { home: at(-3600), ..Midnights::default() }));
    board
}

fn tell(board: &mut Board, now: i64, facts: &[Fact]) -> Vec<CallHistory> {
    board.apply(at(now), Input::Facts(facts.to_vec()));
    board.take_history(at(now), 100)
}

/// In words: the queue, what was said live, what the record says, how they differ.
fn words(history: &CallHistory) -> Vec<String> {
    let told = |told: Option<Told>| {
        told.map_or("-".to_owned(), |told| {
            let second = |at: domain::time::Timestamp| (at.as_millis() - crate::story::NOON) / 1000;
            format!("{} {}..{}", told.outcome.word(), second(told.entered_at), second(told.left_at))
        })
    };
    let stay = |stay: &WrittenStay| {
        let difference = stay.difference(!history.records.is_empty()).map_or("same", Difference::word);
        let record = stay.record.as_ref().map(|(_, told)| *told);
        format!("{} | {} | {} | {difference}", stay.queue_id, told(stay.live), told(record))
    };
    pair(history.live.as_deref().unwrap_or_default(), &history.records).iter().map(stay).collect()
}

#[test]
fn a_stay_is_told_when_it_is_over_and_again_when_the_record_comes() {
    let (mut board, billing) = (board(), queue("Billing", "801"));
    let ada = phone("1", "Ada", 5).on(billing.clone());
    assert_eq!(tell(&mut board, 6, &[ada.rang()]), [], "the caller waits");
    let news = tell(&mut board, 9, &[ada.answered(9)]);
    assert_eq!(words(&news[0]), ["q-801 | answered 5..9 | - | same"]);
    assert_eq!(tell(&mut board, 60, &[ada.ended(9, 60)]), [], "the wait was over before");
    let record = read(stay("1", &billing, 0, 9, StayEnd::Answered), "r-1", 70);
    let news = tell(&mut board, 70, std::slice::from_ref(&record));
    assert_eq!(words(&news[0]), ["q-801 | answered 5..9 | answered 0..9 | times"]);
    assert_eq!(tell(&mut board, 71, &[record]), [], "nothing new");
    let revised = read(stay("1", &billing, 0, 9, StayEnd::Overflowed), "r-1", 99);
    let news = tell(&mut board, 100, &[revised]);
    assert_eq!(words(&news[0]), ["q-801 | answered 5..9 | overflowed 0..9 | outcome"]);
}

#[test]
fn what_was_said_live_stays_beside_what_the_record_says() {
    let (billing, support) = (queue("Billing", "801"), queue("Support", "802"));
    let ada = phone("1", "Ada", 5).on(billing.clone());
    let facts = [
        ada.rang(),
        ada.missed(17, HangUp::NoAnswer),
        read(stay("1", &billing, 0, 20, StayEnd::Overflowed), "r-1", 500),
        read(stay("1", &support, 20, 44, StayEnd::Voicemail), "r-2", 500),
    ];
    let news = tell(&mut board(), 600, &facts);
    assert_eq!(
        words(&news[0]),
        ["q-801 | abandoned 5..17 | overflowed 0..20 | outcome", "q-802 | - | voicemail 20..44 | missed"]
    );
    // Somebody who calls Support is no proof of Billing.
    let only_support = [ada.rang(), ada.missed(17, HangUp::NoAnswer), facts[3].clone()];
    let news = tell(&mut board(), 600, &only_support);
    assert_eq!(
        words(&news[0]),
        ["q-801 | abandoned 5..17 | - | not_in_record", "q-802 | - | voicemail 20..44 | missed"]
    );
}

#[test]
fn events_that_come_after_the_record_still_tell_what_was_said_live() {
    let (mut board, billing) = (board(), queue("Billing", "801"));
    let ada = phone("1", "Ada", 5).on(billing.clone());
    let record = read(stay("1", &billing, 0, 9, StayEnd::Answered), "r-1", 70);
    let news = tell(&mut board, 70, &[record]);
    assert_eq!(words(&news[0]), ["q-801 | - | answered 0..9 | missed"]);
    let news = tell(&mut board, 71, &[ada.rang(), ada.answered(9), ada.ended(9, 60)]);
    assert_eq!(words(&news[0]), ["q-801 | answered 5..9 | answered 0..9 | times"]);
    assert_eq!(tell(&mut board, 72, &[ada.rang()]), [], "nothing new");
}

#[test]
fn who_still_rang_when_the_record_came_is_told_live_as_soon_as_live_messages_come_to_an_end() {
    let billing = queue("Billing", "801");
    let record = read(stay("1", &billing, 0, 40, StayEnd::Abandoned), "r-1", 70);
    let facts = [phone("1", "Ada", 5).on(billing).rang(), record];
    let ended = ["q-801 | abandoned 5..125 | abandoned 0..40 | times"];
    let mut asked = board();
    let news = tell(&mut asked, 70, &facts);
    assert_eq!(words(&news[0]), ["q-801 | - | abandoned 0..40 | missed"], "the end of the ring was lost");
    asked.apply(at(300), Input::Tick);
    assert_eq!(words(&asked.take_history(at(300), 100)[0]), ended);
    assert_eq!(asked.take_history(at(301), 100), [], "nothing new");
    asked.apply(at(5 * 3600), Input::Tick);
    assert_eq!(asked.take_history(at(5 * 3600), 100), []);

    // All of it was written before a restart.
    let mut restarted = board();
    restarted.apply(at(70), Input::Facts(facts.to_vec()));
    restarted.forget_history();
    assert_eq!(restarted.take_history(at(71), 100), []);
    restarted.apply(at(300), Input::Tick);
    assert_eq!(words(&restarted.take_history(at(300), 100)[0]), ended);

    // Time passes at once, and the call is settled before anybody asks.
    let mut asleep = board();
    tell(&mut asleep, 70, &facts);
    asleep.apply(at(5 * 3600), Input::Tick);
    assert_eq!(asleep.size(), (0, 0), "settled");
    assert_eq!(words(&asleep.take_history(at(5 * 3600), 100)[0]), ended);
}

#[test]
fn a_stay_that_seemed_to_be_two_is_one_with_another_time() {
    let (mut board, billing) = (board(), queue("Billing", "801"));
    // Nobody told on whose behalf Bo's phone rang.
    let (ada, bo) = (phone("1", "Ada", 0).on(billing.clone()), phone("1", "Bo", 13));
    let again = phone("1", "Ada", 26).on(billing.clone());
    let rings = [ada.rang(), ada.missed(12, HangUp::NoAnswer), bo.rang(), bo.missed(25, HangUp::NoAnswer)];
    let rings = [&rings[..], &[again.rang(), again.answered(31), again.ended(31, 60)]].concat();
    let news = tell(&mut board, 70, &rings);
    assert_eq!(
        words(&news[0]),
        ["q-801 | overflowed 0..13 | - | same", "q-801 | answered 26..31 | - | same"]
    );
    let news = tell(&mut board, 80, &[read(stay("1", &billing, 0, 31, StayEnd::Answered), "r-1", 80)]);
    assert_eq!(words(&news[0]), ["q-801 | answered 0..31 | answered 0..31 | same"]);
}

#[test]
fn overflowed_by_the_record_leaves_what_live_messages_know_of_it() {
    let billing = queue("Billing", "801");
    let ada = phone("1", "Ada", 0).on(billing.clone());
    let record = read(stay("1", &billing, 0, 20, StayEnd::Overflowed), "r-1", 500);
    let facts = [ada.rang(), ada.missed(20, HangUp::NoAnswer), voicemail("1", 40), record];
    let news = tell(&mut board(), 600, &facts);
    assert_eq!(words(&news[0]), ["q-801 | voicemail 0..20 | voicemail 0..20 | same"]);
}

#[test]
fn the_record_of_a_settled_call_is_told_without_what_nobody_remembers() {
    let (mut board, billing) = (board(), queue("Billing", "801"));
    let ada = phone("1", "Ada", 0).on(billing.clone());
    tell(&mut board, 60, &[ada.rang(), ada.answered(9), ada.ended(9, 50)]);
    board.apply(at(5 * 3600), Input::Tick);
    assert_eq!(board.size(), (0, 0), "settled");
    let record = read(stay("1", &billing, 0, 9, StayEnd::Answered), "r-1", 5 * 3600);
    let news = tell(&mut board, 5 * 3600 + 1, &[record]);
    let [history] = &news[..] else { panic!("{news:?}") };
    assert_eq!((&history.live, history.records.len()), (&None, 1));
    assert_eq!(history.records[0].stays[0].queue_id.as_str(), "q-801");
    assert_eq!(board.anomalies().late, 0, "it counts, if not on the board");
}

#[test]
fn a_call_that_settles_before_anybody_asked_is_told_all_the_same() {
    let mut board = board();
    let ada = phone("1", "Ada", 0).on(queue("Billing", "801"));
    board.apply(at(60), Input::Facts(vec![ada.rang(), ada.answered(9), ada.ended(9, 50)]));
    board.apply(at(5 * 3600), Input::Tick);
    let news = board.take_history(at(5 * 3600), 100);
    assert_eq!(words(&news[0]), ["q-801 | answered 0..9 | - | same"]);
    assert_eq!(board.take_history(at(5 * 3600), 100), []);
}

#[test]
fn every_word_is_read_back() {
    for outcome in Outcome::ALL {
        assert_eq!(Outcome::parse(outcome.word()), Some(outcome));
    }
    for difference in [Difference::Missed, Difference::NotInRecord, Difference::Outcome, Difference::Times] {
        assert_eq!(Difference::parse(difference.word()), Some(difference));
    }
}

#[test]
fn a_queue_gave_up_because_of_its_longest_wait_when_that_was_over_and_not_before() {
    let reason = |max_wait: Option<u64>, wait: i64, end, told: Option<OverflowReason>| {
        let mut board = board();
        let mut billing = directory_queue("Billing", "801", &["Ada"]);
        billing.max_wait = max_wait.map(std::time::Duration::from_secs);
        board.apply(at(0), Input::Directory(Directory { queues: vec![billing] }));
        let mut fact = read(stay("1", &queue("Billing", "801"), 0, wait, end), "r-1", 99);
        let What::Recorded(record) = &mut *fact.what else { panic!("no record") };
        record.stays[0].overflow = told;
        tell(&mut board, 99, &[fact])[0].records[0].stays[0].overflow
    };
    use OverflowReason::{Full, MaxWait, NoAgent};
    let overflowed = |max_wait, wait, told| reason(max_wait, wait, StayEnd::Overflowed, told);
    assert_eq!(overflowed(Some(30), 29, None), Some(MaxWait), "by whole seconds of two clocks");
    assert_eq!(overflowed(Some(30), 12, Some(MaxWait)), None, "phones rang, and it gave up before its time");
    assert_eq!(overflowed(Some(30), 0, Some(Full)), Some(Full));
    assert_eq!(overflowed(None, 0, Some(NoAgent)), Some(NoAgent));
    assert_eq!(overflowed(None, 40, Some(MaxWait)), Some(MaxWait));
    assert_eq!(overflowed(None, 40, None), None);
    assert_eq!(reason(Some(30), 40, StayEnd::Abandoned, None), None, "the caller left");
    for known in OverflowReason::ALL {
        assert_eq!(OverflowReason::parse(known.word()), Some(known));
    }
}

#[test]
fn a_day_is_held_against_the_record_and_every_difference_is_accounted_for() {
    let told = |outcome, entered: i64| Told {
        entered_at: at(entered),
        left_at: at(entered + 9),
        outcome,
        presumed: false,
    };
    let stay = |live: Option<Told>, record: Option<Told>| WrittenStay {
        queue_id: "q-801".into(),
        promise: Promise::default(),
        live,
        record: record.map(|told| ("r-1".into(), told)),
        overflow: None,
    };
    let (answered, abandoned) =
        (|at| Some(told(Outcome::Answered, at)), |at| Some(told(Outcome::Abandoned, at)));
    let short = |at| Some(told(Outcome::ShortAbandoned, at));
    let day = |stays: &[(WrittenStay, bool)], is_closed| {
        let mut day = Reconciliation::default();
        for (stay, is_recorded) in stays {
            if let Some(class) = Class::of(stay, *is_recorded, at(0), at(1000)) {
                day.add(&class, 1, is_closed);
            }
        }
        day
    };
    let stays = [
        (stay(answered(10), answered(10)), true),
        (stay(answered(20), answered(14)), true),
        (stay(abandoned(30), answered(30)), true),
        (stay(None, abandoned(40)), true),
        (stay(abandoned(50), None), true),
        (stay(answered(60), None), false),
        (stay(short(70), short(70)), true),
        // Rang for the first time after midnight, came before it; and the other way round.
        (stay(answered(2), answered(-3)), true),
        (stay(answered(1002), answered(998)), true),
        (stay(answered(1500), None), false),
    ];
    let counts = |offered, answered, abandoned| Counts { offered, answered, abandoned, short_abandoned: 0 };
    // Whoever left within the short time is counted apart, as on boards.
    let with_short = |counts: Counts| Counts { offered: counts.offered + 1, short_abandoned: 1, ..counts };
    let open = Reconciliation {
        live: with_short(counts(6, 4, 2)),
        record: with_short(counts(5, 4, 1)),
        corrected: 4,
        awaited: counts(1, 1, 0),
        unexplained: 1,
        corrected_times: 1,
    };
    assert_eq!(day(&stays, false), open);
    assert_eq!(day(&stays, true), Reconciliation { awaited: Counts::default(), unexplained: 2, ..open });
}
