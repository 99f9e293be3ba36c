//! One call and its legs: `pitfalls` A and B, told as stories.

use domain::{
    call::{Call, Leg, LegState},
    fact::{Fact, HangUp, Party, What},
};

use crate::story::{at, blind_transfer, phone};

/// The legs of a story at an instant as `name state since`.
pub(crate) fn check(now: i64, story: &[Fact], expected: &[&str]) {
    let mut call = Call::default();
    for fact in story {
        call.learn(fact.clone());
    }
    let mut legs: Vec<String> = call.state(at(now)).legs.iter().map(|leg| told(leg)).collect();
    legs.sort();
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(legs, expected);

    // The order in which a story is told never matters.
    let mut backwards = Call::default();
    for fact in story.iter().rev() {
        backwards.learn(fact.clone());
    }
    assert_eq!(backwards.state(at(now)), call.state(at(now)));
}

fn told(leg: &Leg) -> String {
    let (state, since) = leg.state();
    let word = match state {
        LegState::Ringing => "ringing",
        LegState::Connected => "connected",
        LegState::Held => "held",
        LegState::Ended if leg.answered_at.is_some() => "finished",
        LegState::Ended => "stopped",
    };
    let name = leg.party.name.as_deref().unwrap_or("?");
    format!("{name} {word} {}", (since.as_millis() - at(0).as_millis()) / 1000)
}

#[test]
fn one_phone_rings_talks_and_ends() {
    let ada = phone("1", "Ada", 0);
    check(5, &[ada.rang()], &["Ada ringing 0"]);
    check(12, &[ada.rang(), ada.answered(9)], &["Ada connected 9"]);
    check(70, &[ada.rang(), ada.answered(9), ada.ended(9, 60)], &["Ada finished 60"]);
}

#[test]
fn an_answer_that_overtakes_its_ring_is_an_answer() {
    let ada = phone("1", "Ada", 0);
    check(12, &[ada.answered(9)], &["Ada connected 9"]);
    check(70, &[ada.ended(9, 60), ada.rang()], &["Ada finished 60"]);
}

#[test]
fn a1_two_phones_of_one_person_are_two_legs() {
    let app = phone("1", "Ada", 0).device(Some("a-app"));
    let desk = phone("1", "Ada", 0).device(Some("b-desk"));
    check(3, &[app.rang(), desk.rang()], &["Ada ringing 0", "Ada ringing 0"]);
    let story = [app.rang(), desk.rang(), desk.stopped(6), app.answered(6)];
    check(9, &story, &["Ada connected 6", "Ada stopped 6"]);
}

#[test]
fn a2_phones_that_nothing_tells_apart_are_counted() {
    let unnamed = phone("1", "Ada", 0).device(None);
    let (one, two) = (unnamed.clone().sent(0), unnamed.clone().sent(40));
    check(3, &[one.rang(), two.rang()], &["Ada ringing 0", "Ada ringing 0"]);
    check(5, &[one.rang(), two.rang(), one.stopped(4)], &["Ada stopped 4", "Ada ringing 0"]);
}

#[test]
fn a4_the_first_end_does_not_end_the_call() {
    let unnamed = phone("1", "Ada", 0).device(None);
    let (one, two) = (unnamed.clone().sent(0), unnamed.clone().sent(40));
    let mut story = vec![one.rang(), two.rang(), one.stopped(8), two.answered(9)];
    check(20, &story, &["Ada connected 9", "Ada stopped 8"]);
    story.push(two.ended(9, 60));
    check(70, &story, &["Ada finished 60", "Ada stopped 8"]);
}

#[test]
fn a5_losers_of_a_race_are_over_once_somebody_answers() {
    let (ada, bo) = (phone("1", "Ada", 0), phone("1", "Bo", 0));
    check(9, &[ada.rang(), bo.rang(), bo.answered(7)], &["Ada stopped 7", "Bo connected 7"]);
}

#[test]
fn a6_an_end_without_anybody_closes_the_one_open_leg() {
    let ada = phone("1", "Ada", 0);
    let nobody = phone("1", "Ada", 0).party(Party::default()).device(None);
    check(30, &[ada.rang(), ada.answered(5), nobody.ended(5, 25)], &["Ada finished 25"]);
}

#[test]
fn a6_an_end_without_anybody_and_without_an_answer_closes_a_ringing_leg() {
    let (ada, bo) = (phone("1", "Ada", 0), phone("1", "Bo", 3));
    let nobody = phone("1", "?", 3).party(Party::default()).device(None);
    check(10, &[ada.rang(), bo.rang(), nobody.stopped(9)], &["Ada ringing 0", "Bo stopped 9"]);
}

#[test]
fn a8_a_phone_that_rings_again_is_a_new_leg() {
    let (first, second) = (phone("1", "Ada", 0), phone("1", "Ada", 12));
    let story = [first.rang(), first.missed(11, HangUp::NoAnswer), second.rang()];
    check(14, &story, &["Ada stopped 11", "Ada ringing 12"]);
}

#[test]
fn b2_a_ring_told_after_the_answer_leaves_no_ghost() {
    let (ada, bo) = (phone("1", "Ada", 0), phone("1", "Bo", 2));
    check(9, &[ada.answered(2), bo.rang()], &["Ada connected 2", "Bo stopped 2"]);
}

#[test]
fn a_leg_is_one_leg_when_some_messages_name_its_channel_and_some_its_device() {
    let by_device = phone("1", "Ada", 0);
    let by_channel = phone("1", "Ada", 0).device(None).channel(Some("ch-1"));
    let by_both = phone("1", "Ada", 0).channel(Some("ch-1"));
    check(9, &[by_device.rang(), by_channel.answered(4)], &["Ada connected 4"]);
    check(9, &[by_device.rang(), by_both.answered(4), by_channel.ended(4, 8)], &["Ada finished 8"]);
}

#[test]
fn messages_may_name_a_person_by_different_identities() {
    let by_user =
        phone("1", "Ada", 0).party(Party { user_id: Some("u".into()), ..Party::default() }).device(None);
    let by_both = phone("1", "Ada", 0)
        .party(Party {
            user_id: Some("u".into()),
            extension_id: Some("x".into()),
            name: Some("Ada".into()),
            ..Party::default()
        })
        .device(None);
    let by_extension =
        phone("1", "Ada", 0).party(Party { extension_id: Some("x".into()), ..Party::default() }).device(None);
    let story = [by_user.rang(), by_both.answered(4), by_extension.ended(4, 30)];
    check(40, &story, &["Ada finished 30"]);
}

#[test]
fn a_ring_whose_end_was_lost_stops_by_itself() {
    let ada = phone("1", "Ada", 0);
    check(119, &[ada.rang()], &["Ada ringing 0"]);
    check(120, &[ada.rang()], &["Ada stopped 120"]);
}

#[test]
fn a_talk_whose_end_was_lost_ends_by_itself_but_not_soon() {
    let ada = phone("1", "Ada", 0);
    check(3 * 3600, &[ada.rang(), ada.answered(9)], &["Ada connected 9"]);
    check(5 * 3600, &[ada.rang(), ada.answered(9)], &["Ada finished 14409"]);
}

#[test]
fn e7_both_sides_hold_independently_and_e10_an_end_ends_the_hold() {
    let ada = phone("1", "Ada", 0);
    let talk = [ada.rang(), ada.answered(9)];
    check(30, &[&talk[..], &[ada.held(20)]].concat(), &["Ada held 20"]);
    check(40, &[&talk[..], &[ada.held(20), ada.resumed(35)]].concat(), &["Ada connected 9"]);
    check(70, &[&talk[..], &[ada.held(20), ada.ended(9, 60)]].concat(), &["Ada finished 60"]);
}

#[test]
fn b9_a_hold_and_a_release_in_one_second_leave_the_leg_as_it_was() {
    let ada = phone("1", "Ada", 0);
    let talk = [ada.rang(), ada.answered(9)];
    check(30, &[&talk[..], &[ada.held(20), ada.resumed(20)]].concat(), &["Ada connected 9"]);
    let held = [ada.held(15), ada.resumed(20), ada.held(20)];
    check(30, &[&talk[..], &held].concat(), &["Ada held 15"]);
}

#[test]
fn the_leg_of_who_parks_is_over_and_the_call_waits_in_its_slot() {
    let ada = phone("1", "Ada", 0);
    let story = [ada.rang(), ada.answered(9), ada.parked(30)];
    check(40, &story, &["Ada finished 30"]);
    let mut call = Call::default();
    story.iter().for_each(|fact| assert!(call.learn(fact.clone())));
    assert_eq!(call.state(at(40)).parked_since, Some(at(30)));
    assert_eq!(call.state(at(3600)).parked_since, None, "nobody stays parked for ever");

    let bo = phone("1", "Bo", 50);
    call.learn(bo.rang());
    assert_eq!(call.state(at(55)).parked_since, None, "a phone rings again");
}

#[test]
fn who_parked_a_call_may_fetch_it_again() {
    let ada = phone("1", "Ada", 0);
    let again = phone("1", "Ada", 50);
    let story = [ada.rang(), ada.answered(9), ada.parked(30), again.rang(), again.answered(55)];
    check(60, &story, &["Ada finished 30", "Ada connected 55"]);
}

#[test]
fn a_caller_of_the_account_who_hangs_up_ends_the_call() {
    let caller = phone("1", "Cem", 0).caller_side();
    let ada = phone("1", "Ada", 0);
    let story = [caller.rang(), ada.rang(), caller.stopped(8)];
    check(9, &story, &["Cem stopped 8", "Ada stopped 8"]);
}

#[test]
fn a_caller_of_the_account_who_transferred_leaves_a_conversation_behind() {
    let caller = phone("1", "Cem", 0).caller_side();
    let ada = phone("1", "Ada", 0);
    let story = [
        caller.rang(),
        caller.answered(4),
        ada.rang(),
        ada.answered(4),
        blind_transfer("1", 20),
        caller.ended(4, 21),
    ];
    check(30, &story, &["Cem finished 21", "Ada connected 4"]);
}

#[test]
fn the_same_fact_twice_is_one_fact() {
    let ada = phone("1", "Ada", 0);
    let mut call = Call::default();
    assert!(call.learn(ada.rang()));
    assert!(!call.learn(ada.rang()));
}

#[test]
fn the_record_ends_a_conversation_whose_end_was_lost() {
    let ada = phone("1", "Ada", 0);
    let story = [ada.rang(), ada.answered(9), ada.recorded(10, 60)];
    check(70, &story, &["Ada finished 60"]);
    check(70, &[ada.rang(), ada.answered(9), ada.ended(9, 61), ada.recorded(9, 60)], &["Ada finished 60"]);
}

#[test]
fn the_record_answers_a_ring_whose_answer_was_lost() {
    let (ada, bo) = (phone("1", "Ada", 0), phone("1", "Bo", 0));
    let story = [ada.rang(), bo.rang(), bo.missed(9, HangUp::AnsweredElsewhere), ada.recorded(9, 60)];
    check(70, &story, &["Ada finished 60", "Bo stopped 9"]);
    // The same when a late "ended" had been taken for the end of the ring.
    check(70, &[ada.rang(), ada.stopped(9), ada.recorded(9, 60)], &["Ada finished 60"]);
}

#[test]
fn the_record_tells_of_a_conversation_that_nobody_mentioned() {
    let ada = phone("1", "Ada", 0);
    check(70, &[ada.recorded(9, 60)], &["Ada finished 60"]);
    let again = phone("1", "Ada", 100);
    let story = [ada.rang(), ada.answered(9), ada.ended(9, 60), again.recorded(109, 150)];
    check(160, &story, &["Ada finished 60", "Ada finished 150"]);
}

#[test]
fn the_record_of_the_whole_call_ends_what_seems_to_go_on() {
    let (dials, ada) = (phone("1", "Bo", 0).caller_side(), phone("1", "Ada", 0));
    let over = |seconds| {
        let mut record = ada.recorded(9, 60);
        if let What::Recorded(record) = &mut *record.what {
            record.ended_at = Some(at(seconds));
        }
        record
    };
    let story = [dials.rang(), ada.rang(), dials.answered(9), ada.answered(9)];
    let told = |record| [&story[..], &[record]].concat();
    check(70, &told(ada.recorded(9, 60)), &["Bo connected 9", "Ada finished 60"]);
    check(70, &told(over(62)), &["Bo finished 62", "Ada finished 60"]);
    // Passed on and written down in parts: what began since goes on, for both.
    let cem = phone("1", "Cem", 62);
    let passed_on = [told(over(62)), vec![cem.rang(), cem.answered(65)]].concat();
    check(70, &passed_on, &["Bo connected 9", "Ada finished 60", "Cem connected 65"]);
}

#[test]
fn the_record_of_one_person_leaves_the_others_alone() {
    let (ada, bo) = (phone("1", "Ada", 0), phone("1", "Bo", 70));
    let story = [
        ada.rang(),
        ada.answered(9),
        blind_transfer("1", 60),
        bo.rang(),
        bo.answered(75),
        ada.recorded(9, 60),
    ];
    check(90, &story, &["Ada finished 60", "Bo connected 75"]);
}
