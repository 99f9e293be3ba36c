//! What a call did in a queue: one outcome, one wait, and what the caller does now.

use domain::{
    call::Call,
    fact::{Fact, HangUp, StayEnd},
    id::QueueId,
    outcome::Outcome,
    queue::{QueueMention, QueueRules, Visit, VisitPhase, visits},
};

use crate::story::{at, blind_transfer, phone, queue, read, stay, voicemail};

pub(crate) fn visits_of(now: i64, story: &[Fact]) -> Vec<Visit> {
    let mut call = Call::default();
    for fact in story {
        call.learn(fact.clone());
    }
    let mut find = |mention: &QueueMention| {
        let name = mention.name.clone().unwrap_or_default();
        (QueueId::new(name), QueueRules::default())
    };
    visits(&call.state(at(now)), at(now), &mut find).0
}

/// The visits of a story at an instant as `queue outcome wait phase`.
pub(crate) fn check(now: i64, story: &[Fact], expected: &[&str]) {
    let told: Vec<String> = visits_of(now, story)
        .iter()
        .map(|visit| {
            let wait = visit.left_at.unwrap_or(at(now)).since(visit.entered_at).as_secs();
            let presumed = match (visit.presumed, visit.measured) {
                (true, _) => "presumed ",
                (_, true) => "measured ",
                _ => "",
            };
            format!("{} {presumed}{:?} {wait} {:?}", visit.queue_id, visit.outcome, visit.phase)
        })
        .collect();
    assert_eq!(told, expected);
}

pub(crate) fn billing(who: &str, rang: i64) -> crate::story::Phone {
    phone("1", who, rang).on(queue("Billing", "801"))
}

pub(crate) fn support(who: &str, rang: i64) -> crate::story::Phone {
    phone("1", who, rang).on(queue("Support", "802"))
}

#[test]
fn a3_a_miss_of_one_member_is_not_a_lost_call() {
    let (ada, bo) = (billing("Ada", 0), billing("Bo", 0));
    check(9, &[ada.rang(), bo.rang(), ada.missed(8, HangUp::NoAnswer)], &["Billing Waiting 9 Ringing"]);
    check(
        30,
        &[ada.rang(), bo.rang(), ada.missed(8, HangUp::AnsweredElsewhere), bo.answered(8)],
        &["Billing Answered 8 Talking"],
    );
}

#[test]
fn d2_between_two_rings_the_caller_still_waits() {
    let (ada, bo) = (billing("Ada", 0), billing("Bo", 14));
    let story = [ada.rang(), ada.missed(12, HangUp::NoAnswer)];
    check(13, &story, &["Billing Waiting 13 BetweenRings"]);
    check(20, &[&story[..], &[bo.rang()]].concat(), &["Billing Waiting 20 Ringing"]);
}

#[test]
fn d3_silence_after_the_last_ring_is_presumed_abandonment_until_a_phone_rings_again() {
    let ada = billing("Ada", 0);
    let story = [ada.rang(), ada.missed(12, HangUp::NoAnswer)];
    check(41, &story, &["Billing Waiting 41 BetweenRings"]);
    check(42, &story, &["Billing presumed Abandoned 12 Over"]);
    let late = billing("Bo", 70);
    check(75, &[&story[..], &[late.rang()]].concat(), &["Billing Waiting 75 Ringing"]);
}

#[test]
fn a_caller_who_gives_up_while_phones_ring_is_abandoned_at_once() {
    let (ada, bo) = (billing("Ada", 0), billing("Bo", 0));
    let story =
        [ada.rang(), bo.rang(), ada.missed(9, HangUp::CallerGaveUp), bo.missed(9, HangUp::CallerGaveUp)];
    check(10, &story, &["Billing Abandoned 9 Over"]);
}

#[test]
fn leaving_within_the_short_time_is_counted_apart() {
    let ada = billing("Ada", 0);
    check(9, &[ada.rang(), ada.missed(3, HangUp::CallerGaveUp)], &["Billing ShortAbandoned 3 Over"]);
}

#[test]
fn d4_ringing_for_another_queue_is_overflow() {
    let (ada, bo) = (billing("Ada", 0), support("Bo", 31));
    let story = [ada.rang(), ada.missed(30, HangUp::NoAnswer), bo.rang()];
    check(35, &story, &["Billing Overflowed 31 Over", "Support Waiting 4 Ringing"]);
    check(
        60,
        &[&story[..], &[bo.answered(40)]].concat(),
        &["Billing Overflowed 31 Over", "Support Answered 9 Talking"],
    );
}

#[test]
fn ringing_a_person_outside_the_queue_is_overflow_too() {
    let (ada, cem) = (billing("Ada", 0), phone("1", "Cem", 31));
    let story = [ada.rang(), ada.missed(30, HangUp::NoAnswer), cem.rang(), cem.answered(35)];
    check(60, &story, &["Billing Overflowed 31 Over"]);
}

#[test]
fn a7_members_of_two_queues_rung_in_one_second_make_one_visit_each() {
    let (ada, bo) = (billing("Ada", 0), billing("Bo", 0));
    let (cem, dee) = (support("Cem", 20), support("Dee", 20));
    let story = [ada.rang(), bo.rang(), cem.rang(), dee.rang()];
    check(25, &story, &["Billing Overflowed 20 Over", "Support Waiting 5 Ringing"]);
}

#[test]
fn a_message_left_makes_it_voicemail_even_when_told_late() {
    let ada = billing("Ada", 0);
    let story = [ada.rang(), ada.missed(30, HangUp::NoAnswer)];
    check(90, &story, &["Billing presumed Abandoned 30 Over"]);
    check(90, &[&story[..], &[voicemail("1", 75)]].concat(), &["Billing Voicemail 30 Over"]);
}

#[test]
fn an_answer_whose_message_is_missing_is_still_an_answer() {
    let (ada, bo) = (billing("Ada", 0), billing("Bo", 0));
    let story = [ada.rang(), bo.rang(), ada.missed(8, HangUp::AnsweredElsewhere)];
    check(9, &story, &["Billing presumed Answered 8 Over"]);
}

#[test]
fn a_blind_transfer_keeps_the_caller_with_the_queue_that_answered() {
    let (ada, cem) = (billing("Ada", 0), phone("1", "Cem", 40));
    let story = [ada.rang(), ada.answered(8), blind_transfer("1", 40), ada.ended(8, 40), cem.rang()];
    check(42, &story, &["Billing Answered 8 Over"]);
    check(60, &[&story[..], &[cem.answered(45)]].concat(), &["Billing Answered 8 Talking"]);
}

#[test]
fn a_transfer_into_a_queue_is_a_new_visit() {
    let (ada, bo) = (billing("Ada", 0), support("Bo", 41));
    let story = [ada.rang(), ada.answered(8), blind_transfer("1", 40), ada.ended(8, 40), bo.rang()];
    check(50, &story, &["Billing Answered 8 Over", "Support Waiting 9 Ringing"]);
}

#[test]
fn who_was_transferred_into_a_queue_by_a_caller_of_the_account_waits_on() {
    let cem = phone("1", "Cem", 0).caller_side();
    let ada = billing("Ada", 20);
    let story = [cem.rang(), cem.answered(4), blind_transfer("1", 19), cem.ended(4, 20), ada.rang()];
    check(30, &story, &["Billing Waiting 10 Ringing"]);
}

#[test]
fn an_answered_caller_on_hold_is_not_talking() {
    let ada = billing("Ada", 0);
    let story = [ada.rang(), ada.answered(8), ada.held(20)];
    check(30, &story, &["Billing Answered 8 OnHold"]);
    let parked = [ada.rang(), ada.answered(8), ada.parked(20)];
    check(30, &parked, &["Billing Answered 8 OnHold"]);
}

#[test]
fn a_rejected_ring_leaves_the_caller_waiting() {
    let ada = billing("Ada", 0);
    check(6, &[ada.rang(), ada.rejected(4)], &["Billing Waiting 6 BetweenRings"]);
}

#[test]
fn the_service_level_is_decided_the_moment_the_threshold_passes() {
    let ada = billing("Ada", 0);
    let decided = |now: i64, story: &[Fact]| visits_of(now, story)[0].service_level();
    assert_eq!((decided(19, &[ada.rang()]).met, decided(19, &[ada.rang()]).decided), (0, 0));
    assert_eq!((decided(20, &[ada.rang()]).met, decided(20, &[ada.rang()]).decided), (0, 1));
    let in_time = [ada.rang(), ada.answered(20)];
    assert_eq!((decided(21, &in_time).met, decided(21, &in_time).decided), (1, 1));
    let short = [ada.rang(), ada.missed(5, HangUp::CallerGaveUp)];
    assert_eq!((decided(9, &short).met, decided(9, &short).decided), (0, 0));
}

#[test]
fn a_visit_knows_when_it_next_changes_by_itself() {
    let ada = billing("Ada", 0);
    let mut call = Call::default();
    call.learn(ada.rang());
    let mut find = |_: &QueueMention| (QueueId::from("q"), QueueRules::default());
    let (visits, next) = visits(&call.state(at(3)), at(3), &mut find);
    assert_eq!((visits[0].outcome, visits[0].phase), (Outcome::Waiting, VisitPhase::Ringing));
    assert_eq!(next, Some(at(20)), "the service level threshold");
}

#[test]
fn a_visit_that_only_the_record_knows_is_counted_as_answered() {
    let ada = billing("Ada", 0);
    check(300, &[ada.recorded(9, 60)], &["Billing Answered 9 Over"]);
    // And a visit that silence had given up is put right.
    let story = [ada.rang(), ada.missed(12, HangUp::NoAnswer)];
    check(90, &story, &["Billing presumed Abandoned 12 Over"]);
    let bo = billing("Bo", 14);
    check(90, &[&story[..], &[bo.recorded(20, 80)]].concat(), &["Billing Answered 20 Over"]);
}

#[test]
fn d6_the_record_knows_when_a_caller_really_entered() {
    let ada = billing("Ada", 0);
    let billing_queue = queue("Billing", "801");
    let story = [ada.rang(), ada.answered(8), ada.ended(8, 60)];
    check(90, &story, &["Billing Answered 8 Over"]);
    let record = stay("1", &billing_queue, -12, 8, StayEnd::Answered);
    check(90, &[&story[..], &[record]].concat(), &["Billing measured Answered 20 Over"]);
}

#[test]
fn the_record_decides_what_silence_had_presumed() {
    let ada = billing("Ada", 0);
    let billing_queue = queue("Billing", "801");
    let story = [ada.rang(), ada.missed(12, HangUp::NoAnswer)];
    check(60, &story, &["Billing presumed Abandoned 12 Over"]);
    let with = |record: Fact| [&story[..], &[record]].concat();
    let left = |end| stay("1", &billing_queue, 0, 25, end);
    check(60, &with(left(StayEnd::Abandoned)), &["Billing measured Abandoned 25 Over"]);
    check(60, &with(left(StayEnd::Voicemail)), &["Billing measured Voicemail 25 Over"]);
    check(60, &with(left(StayEnd::Overflowed)), &["Billing measured Overflowed 25 Over"]);
    check(
        60,
        &with(stay("1", &billing_queue, 0, 4, StayEnd::Abandoned)),
        &["Billing measured ShortAbandoned 4 Over"],
    );
}

#[test]
fn a_stay_that_lost_messages_had_split_is_one_when_it_is_written_down() {
    // Nobody told on whose behalf Bo's phone rang, so the call seemed to be elsewhere.
    let (ada, bo, cem) = (billing("Ada", 0), phone("1", "Bo", 13), billing("Cem", 26));
    let rings = [ada.rang(), ada.missed(12, HangUp::NoAnswer), bo.rang(), bo.missed(25, HangUp::NoAnswer)];
    let given_up = [&rings[..], &[cem.rang(), cem.missed(38, HangUp::NoAnswer)]].concat();
    check(90, &given_up, &["Billing Overflowed 13 Over", "Billing presumed Abandoned 12 Over"]);
    let record = |left, end| stay("1", &queue("Billing", "801"), 0, left, end);
    let written = [&given_up[..], &[record(38, StayEnd::Voicemail)]].concat();
    check(90, &written, &["Billing measured Voicemail 38 Over"]);
    let answered = [&rings[..], &[cem.rang(), cem.answered(30), record(30, StayEnd::Answered)]].concat();
    check(40, &answered, &["Billing measured Answered 30 Talking"]);
    let twice =
        [record(13, StayEnd::Overflowed), stay("1", &queue("Billing", "801"), 26, 38, StayEnd::Abandoned)];
    let twice = [&given_up[..], &twice].concat();
    check(90, &twice, &["Billing measured Overflowed 13 Over", "Billing measured Abandoned 12 Over"]);
}

#[test]
fn g9_a_queue_that_rang_five_members_is_one_visit_and_one_that_nobody_heard_of_is_added() {
    let billing_queue = queue("Billing", "801");
    let rung = ["Ada", "Bo", "Cem", "Dee", "Eli"].map(|who| billing(who, 2).rang());
    let story = [&rung[..], &[stay("1", &billing_queue, 0, 30, StayEnd::Abandoned)]].concat();
    check(60, &story, &["Billing measured Abandoned 30 Over"]);
    let support_queue = queue("Support", "802");
    let unheard = [
        stay("1", &billing_queue, 0, 30, StayEnd::Overflowed),
        stay("1", &support_queue, 30, 41, StayEnd::Answered),
    ];
    check(60, &unheard, &["Billing measured Overflowed 30 Over", "Support measured Answered 11 Over"]);
}

#[test]
fn g1_a_record_that_is_read_again_replaces_what_it_said_before() {
    let billing_queue = queue("Billing", "801");
    let first = read(stay("1", &billing_queue, 0, 25, StayEnd::Overflowed), "r-1", 100);
    let revised = read(stay("1", &billing_queue, 0, 31, StayEnd::Voicemail), "r-1", 700);
    let told = &["Billing measured Voicemail 31 Over"];
    check(800, &[first.clone(), revised.clone()], told);
    check(800, &[revised, first.clone()], told);
    // The queue was renamed in between; it is one visit still.
    let renamed = read(stay("1", &queue("Accounts", "801"), 0, 25, StayEnd::Overflowed), "r-1", 700);
    check(800, &[renamed, first.clone()], &["Accounts measured Overflowed 25 Over"]);
    // A call can have two records, when it was transferred.
    let second = read(stay("1", &queue("Support", "802"), 40, 52, StayEnd::Answered), "r-2", 50);
    let both = &["Billing measured Overflowed 25 Over", "Support measured Answered 12 Over"];
    check(800, &[first, second], both);
}

#[test]
fn g1_a_conversation_that_is_revised_is_one_conversation() {
    let ada = billing("Ada", 0);
    let first = read(ada.recorded(9, 60), "r-1", 100);
    let revised = read(ada.recorded(14, 60), "r-1", 700);
    check(800, &[first, revised], &["Billing Answered 14 Over"]);
}
