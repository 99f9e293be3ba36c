//! What agents do, told as stories. Names begin with the row of the list of surprises, or the section
//! of the metrics, that they are about.

use std::time::Duration;

use domain::{
    agent::{
        AgentState, Standing, doubted_before,
        offer::OfferCounts,
        presence::{Presence, PresenceFact, PresenceOrigin},
        view::{AgentView, StateCounts},
    },
    board::{Board, Input, Midnights},
    directory::Directory,
    fact::{Fact, HangUp},
    quality::Quality,
    trust::{Gap, Trust},
};
use proptest::{prelude::*, sample::Index};

use crate::{
    board::{directory_queue, live_trust},
    story::{Phone, at, phone, queue},
};

fn board() -> Board {
    let mut board = Board::new();
    board.apply(at(0), Input::Directory(directory()));
    board
}

/// Billing leaves its members alone for 15 s after a call.
fn directory() -> Directory {
    let mut queues = vec![
        directory_queue("Billing", "801", &["Ada", "Bo", "Cem"]),
        directory_queue("Support", "802", &["Bo", "Cem", "Dee"]),
    ];
    queues[0].wrap_up = Some(Duration::from_secs(15));
    Directory { queues }
}

fn billing(call: &str, who: &str, rang: i64) -> Phone {
    phone(call, who, rang).on(queue("Billing", "801"))
}

fn support(call: &str, who: &str, rang: i64) -> Phone {
    phone(call, who, rang).on(queue("Support", "802"))
}

fn tell(board: &mut Board, now: i64, facts: &[Fact]) {
    board.apply(at(now), Input::Facts(facts.to_vec()));
}

fn said(who: &str, seconds: i64, presence: Presence) -> PresenceFact {
    PresenceFact {
        user_id: format!("user-{who}").as_str().into(),
        at: at(seconds),
        sent_at: at(seconds),
        presence,
        origin: PresenceOrigin::Told,
    }
}

fn read(who: &str, seconds: i64, presence: Presence) -> PresenceFact {
    PresenceFact { origin: PresenceOrigin::Read, ..said(who, seconds, presence) }
}

fn hear(board: &mut Board, now: i64, facts: &[PresenceFact]) {
    board.apply(at(now), Input::Presences(facts.to_vec()));
}

fn row(board: &Board, who: &str, now: i64) -> AgentView {
    board.agent_view(&format!("user-{who}").as_str().into(), at(now)).expect("an agent")
}

fn row_with(board: &mut Board, who: &str, now: i64, trust: &Trust) -> AgentView {
    board.apply(at(now), Input::Doubt(doubted_before(at(now), trust)));
    row(board, who, now)
}

/// Events may have been missed until then.
fn deaf_until(seconds: i64, now: i64) -> Trust {
    Trust { deaf_until: Some(at(seconds)), ..live_trust(at(now)) }
}

fn standing(board: &Board, who: &str, now: i64) -> Standing {
    row(board, who, now).standing
}

fn state(board: &Board, who: &str, now: i64) -> AgentState {
    standing(board, who, now).state
}

fn state_since(board: &Board, who: &str, now: i64) -> (AgentState, Option<i64>) {
    let Standing { state, since, .. } = standing(board, who, now);
    (state, since.map(|since| since.since(at(0)).as_secs() as i64))
}

fn free(board: &Board) -> u32 {
    board.totals(&board.queue_ids()).members_available
}

#[test]
fn metrics_4_the_states_of_a_queue_call_and_the_time_in_each() {
    let mut board = board();
    let ada = billing("1", "Ada", 10);
    assert_eq!(state_since(&board, "Ada", 9), (AgentState::Available, None), "nobody told since when");
    tell(&mut board, 11, &[ada.rang()]);
    assert_eq!(state_since(&board, "Ada", 11), (AgentState::Ringing, Some(10)));
    tell(&mut board, 14, &[ada.answered(14)]);
    assert_eq!(state_since(&board, "Ada", 15), (AgentState::OnQueueCall, Some(14)));
    assert_eq!(standing(&board, "Ada", 15).queue_id, Some("q-801".into()));
    assert_eq!(standing(&board, "Ada", 15).quality, Quality::Live);
    tell(&mut board, 30, &[ada.held(30)]);
    assert_eq!(state_since(&board, "Ada", 31), (AgentState::OnHold, Some(30)));
    tell(&mut board, 40, &[ada.resumed(40)]);
    assert_eq!(state_since(&board, "Ada", 41), (AgentState::OnQueueCall, Some(14)));
    tell(&mut board, 60, &[ada.ended(14, 60)]);
    let wrap_up = standing(&board, "Ada", 61);
    assert_eq!(
        (wrap_up.state, wrap_up.since, wrap_up.until),
        (AgentState::WrapUp, Some(at(60)), Some(at(75)))
    );
    assert_eq!((wrap_up.queue_id, wrap_up.quality), (Some("q-801".into()), Quality::Inferred));
    assert_eq!(state_since(&board, "Ada", 75), (AgentState::Available, Some(75)));
}

#[test]
fn metrics_4_who_may_take_the_next_call_is_free_in_each_queue_and_once_in_the_total() {
    let mut board = board();
    assert_eq!(free(&board), 4, "Bo and Cem are in two queues");
    let bo = billing("1", "Bo", 0);
    tell(&mut board, 2, &[bo.rang()]);
    assert_eq!(free(&board), 4, "a phone that only rings makes nobody busy");
    tell(&mut board, 3, &[bo.answered(3)]);
    assert_eq!(free(&board), 3);
    tell(&mut board, 20, &[bo.ended(3, 20)]);
    assert_eq!(free(&board), 3, "wrap-up");
    let busy = board.totals(&board.queue_ids()).members_busy;
    assert_eq!((busy.on_calls, busy.wrap_up, busy.away(4, 3)), (0, 1, 0));
    assert_eq!(board.next_due(), Some(at(35)));
    board.take_changes();
    board.apply(at(35), Input::Tick);
    assert_eq!(free(&board), 4);
    assert_eq!(board.take_changes().0.len(), 2, "both of Bo's queues changed");
    hear(&mut board, 40, &[said("Bo", 40, Presence::DoNotDisturb), said("Dee", 40, Presence::Offline)]);
    assert_eq!(free(&board), 2);
    assert_eq!(
        board.totals(&board.queue_ids()).members_busy.away(4, 2),
        2,
        "nothing keeps them but they are away"
    );

    let agents = board.agents(at(41));
    let all = StateCounts::of(&agents, None);
    assert_eq!((all.total(), all.get(AgentState::Available), all.get(AgentState::DoNotDisturb)), (4, 2, 1));
    let support = StateCounts::of(&agents, Some(&"q-802".into()));
    assert_eq!((support.total(), support.get(AgentState::Offline)), (3, 1));
}

#[test]
fn metrics_4_opted_out_of_one_queue_or_of_all() {
    let mut board = board();
    let mut directory = directory();
    directory.queues[0].members.as_mut().unwrap()[1].receives_calls = false;
    board.apply(at(1), Input::Directory(directory.clone()));
    let bo = row(&board, "Bo", 2);
    assert_eq!(bo.standing.state, AgentState::Available, "Support still rings Bo");
    assert_eq!(bo.state_in(&"q-801".into()), Some(AgentState::OptedOut));
    assert_eq!(bo.state_in(&"q-802".into()), Some(AgentState::Available));
    assert_eq!(bo.state_in(&"q-803".into()), None);
    directory.queues[1].members.as_mut().unwrap()[0].receives_calls = false;
    board.apply(at(3), Input::Directory(directory));
    assert_eq!(state(&board, "Bo", 4), AgentState::OptedOut);
    assert_eq!(free(&board), 3);
    tell(&mut board, 6, &[phone("1", "Bo", 5).answered(5)]);
    assert_eq!(state(&board, "Bo", 6), AgentState::OnOtherCall, "a direct call still reaches Bo");
}

#[test]
fn metrics_4_other_calls_are_told_apart_from_those_of_queues() {
    let mut board = board();
    let out = phone("1", "Ada", 0).caller_side();
    tell(&mut board, 1, &[out.rang()]);
    assert_eq!(state_since(&board, "Ada", 2), (AgentState::OnOtherCall, Some(0)), "who dials is busy");
    tell(&mut board, 9, &[out.answered(8)]);
    assert_eq!(state_since(&board, "Ada", 9), (AgentState::OnOtherCall, Some(8)));
    tell(&mut board, 20, &[out.ended(8, 20)]);
    assert_eq!(state_since(&board, "Ada", 20), (AgentState::Available, Some(20)), "no queue, no wrap-up");
}

#[test]
fn d5_presence_is_a_hint_that_phones_overrule() {
    let mut board = board();
    hear(&mut board, 1, &[said("Ada", 1, Presence::Away)]);
    assert_eq!(
        state_since(&board, "Ada", 2),
        (AgentState::Available, Some(1)),
        "queues ring whoever is away"
    );
    assert_eq!(row(&board, "Ada", 2).presence, Some(Presence::Away));
    hear(&mut board, 3, &[said("Ada", 3, Presence::Available)]);
    assert_eq!(state_since(&board, "Ada", 4), (AgentState::Available, Some(1)), "the same to a queue");
    hear(&mut board, 5, &[said("Ada", 5, Presence::DoNotDisturb)]);
    assert_eq!(state_since(&board, "Ada", 6), (AgentState::DoNotDisturb, Some(5)));
    let out = phone("1", "Ada", 7).caller_side();
    tell(&mut board, 9, &[out.answered(9)]);
    assert_eq!(state(&board, "Ada", 9), AgentState::OnOtherCall);
    tell(&mut board, 12, &[out.ended(9, 12)]);
    assert_eq!(state_since(&board, "Ada", 13), (AgentState::DoNotDisturb, Some(5)));
    hear(&mut board, 20, &[said("Ada", 20, Presence::Presenting)]);
    assert_eq!(state_since(&board, "Ada", 21), (AgentState::OnOtherCall, Some(20)));
    hear(&mut board, 30, &[said("Ada", 30, Presence::Offline)]);
    assert_eq!(state_since(&board, "Ada", 31), (AgentState::Offline, Some(30)));
}

#[test]
fn d5_a_call_that_only_presence_tells_of_is_inferred_and_ends_with_it() {
    let mut board = board();
    hear(&mut board, 10, &[said("Ada", 10, Presence::OnCall)]);
    let ada = standing(&board, "Ada", 11);
    assert_eq!(
        (ada.state, ada.since, ada.quality),
        (AgentState::OnOtherCall, Some(at(10)), Quality::Inferred)
    );
    hear(&mut board, 20, &[said("Ada", 20, Presence::Available)]);
    assert_eq!(state_since(&board, "Ada", 21), (AgentState::Available, Some(20)));
}

#[test]
fn d5_the_word_that_a_call_is_over_comes_after_its_end() {
    let mut board = board();
    let bo = support("1", "Bo", 0);
    tell(&mut board, 5, &[bo.rang(), bo.answered(5)]);
    hear(&mut board, 5, &[said("Bo", 5, Presence::OnCall)]);
    assert_eq!(standing(&board, "Bo", 6).queue_id, Some("q-802".into()));
    tell(&mut board, 50, &[bo.ended(5, 50)]);
    assert_eq!(state_since(&board, "Bo", 50), (AgentState::Available, Some(50)), "Support has no wrap-up");
    hear(&mut board, 51, &[said("Bo", 51, Presence::Available)]);
    assert_eq!(state(&board, "Bo", 52), AgentState::Available);
}

#[test]
fn d7_a_member_on_a_call_who_is_rung_is_on_the_call() {
    let mut board = board();
    let first = support("1", "Bo", 0);
    tell(&mut board, 9, &[first.answered(2), billing("2", "Bo", 8).rang()]);
    assert_eq!(state_since(&board, "Bo", 9), (AgentState::OnQueueCall, Some(2)));
    hear(&mut board, 10, &[said("Ada", 10, Presence::InMeeting)]);
    tell(&mut board, 11, &[billing("2", "Ada", 11).rang()]);
    assert_eq!(state(&board, "Ada", 12), AgentState::OnOtherCall);
}

#[test]
fn e1_a_consultation_while_the_caller_is_held_is_a_call() {
    let mut board = board();
    let caller = billing("1", "Ada", 0);
    let consult = phone("2", "Ada", 30).caller_side();
    tell(&mut board, 35, &[caller.answered(2), caller.held(28), consult.rang(), consult.answered(33)]);
    assert_eq!(state_since(&board, "Ada", 36), (AgentState::OnOtherCall, Some(33)));
    tell(&mut board, 41, &[consult.ended(33, 40)]);
    assert_eq!(state_since(&board, "Ada", 41), (AgentState::OnHold, Some(28)));
}

#[test]
fn a3_a5_simultaneous_ringing_that_somebody_else_answers_is_no_miss() {
    let mut board = board();
    let [ada, bo, cem] = ["Ada", "Bo", "Cem"].map(|who| billing("1", who, 0));
    let race = [
        ada.rang(),
        bo.rang(),
        cem.rang(),
        bo.answered(4),
        ada.missed(5, HangUp::AnsweredElsewhere),
        // Some are told that they did not answer, though they had no chance to.
        cem.missed(5, HangUp::NoAnswer),
    ];
    tell(&mut board, 6, &race);
    let today = |who: &str| row(&board, who, 6).today;
    assert_eq!(today("Ada"), OfferCounts { offered: 1, ..OfferCounts::default() });
    assert_eq!(today("Cem"), OfferCounts { offered: 1, ..OfferCounts::default() });
    assert_eq!(today("Bo"), OfferCounts { offered: 1, answered: 1, ..OfferCounts::default() });
}

#[test]
fn a3_ringing_out_is_a_miss_before_somebody_else_is_rung() {
    let mut board = board();
    let (ada, bo) = (billing("1", "Ada", 0), billing("1", "Bo", 15));
    tell(&mut board, 30, &[ada.rang(), ada.missed(15, HangUp::NoAnswer), bo.rang(), bo.answered(16)]);
    assert_eq!(row(&board, "Ada", 30).today, OfferCounts { offered: 1, missed: 1, ..OfferCounts::default() });
    assert_eq!(state_since(&board, "Ada", 30), (AgentState::Available, Some(15)));
    let left = billing("2", "Ada", 40);
    tell(&mut board, 50, &[left.rang(), left.missed(45, HangUp::CallerGaveUp)]);
    let declined = billing("3", "Ada", 50);
    tell(&mut board, 53, &[declined.rang(), declined.rejected(52)]);
    let expected = OfferCounts { offered: 3, missed: 1, declined: 1, ..OfferCounts::default() };
    assert_eq!(row(&board, "Ada", 54).today, expected, "a caller who leaves is no miss");
}

#[test]
fn a1_two_phones_of_one_person_are_one_offer() {
    let mut board = board();
    let app = billing("1", "Ada", 0);
    let desk = billing("1", "Ada", 2).device(Some("desk"));
    let facts =
        [app.rang(), desk.rang(), app.missed(12, HangUp::NoAnswer), desk.missed(12, HangUp::NoAnswer)];
    tell(&mut board, 13, &facts);
    assert_eq!(row(&board, "Ada", 13).today, OfferCounts { offered: 1, missed: 1, ..OfferCounts::default() });
    let again = billing("1", "Ada", 14);
    tell(&mut board, 20, &[again.rang(), again.missed(20, HangUp::NoAnswer)]);
    assert_eq!(row(&board, "Ada", 20).today.missed, 2, "rung once more after a pause");
}

#[test]
fn a6_a_ring_whose_end_was_lost_is_nobodys_miss() {
    let mut board = board();
    tell(&mut board, 1, &[billing("1", "Ada", 0).rang()]);
    assert_eq!(state(&board, "Ada", 119), AgentState::Ringing);
    board.apply(at(121), Input::Tick);
    assert_eq!(state(&board, "Ada", 121), AgentState::Available);
    assert_eq!(row(&board, "Ada", 121).today, OfferCounts { offered: 1, ..OfferCounts::default() });
}

#[test]
fn metrics_7_offers_of_today_stay_counted_after_their_call_is_settled_and_end_at_midnight() {
    let mut board = board();
    let ada = billing("1", "Ada", 0);
    tell(&mut board, 16, &[ada.rang(), ada.missed(15, HangUp::NoAnswer)]);
    let later = 5 * 3600;
    board.apply(at(later), Input::Tick);
    assert_eq!(board.size(), (0, 0));
    assert_eq!(row(&board, "Ada", later).today.missed, 1);
    board.apply(at(later), Input::Directory(Directory { queues: directory().queues[..1].to_vec() }));
    assert_eq!(row(&board, "Ada", later).today.missed, 1, "another reading of the directory");
    assert_eq!(state_since(&board, "Ada", later), (AgentState::Available, Some(15)));
    let bo = billing("2", "Bo", later - 10);
    tell(&mut board, later, &[bo.rang(), bo.answered(later - 2)]);
    let midnight = Midnights { home: at(later - 5), ..Midnights::default() };
    board.apply(at(later), Input::Midnights(midnight));
    assert_eq!(row(&board, "Ada", later).today, OfferCounts::default());
    assert_eq!(row(&board, "Bo", later).today, OfferCounts::default(), "offered yesterday");
    assert_eq!(state(&board, "Bo", later), AgentState::OnQueueCall);
}

#[test]
fn b4_after_a_gap_agents_are_unknown_until_presence_is_read_or_an_event_tells() {
    let mut board = board();
    hear(&mut board, 1, &[said("Ada", 1, Presence::Available), said("Cem", 1, Presence::DoNotDisturb)]);
    let bo = billing("1", "Bo", 0);
    tell(&mut board, 5, &[bo.rang(), bo.answered(5)]);
    let while_open = Trust { gap: Some(Gap { from: at(10), to: None }), ..live_trust(at(20)) };
    for who in ["Ada", "Bo", "Cem", "Dee"] {
        assert_eq!(row_with(&mut board, who, 20, &while_open).standing.state, AgentState::Unknown);
    }
    let later = |board: &mut Board, who: &str, now| row_with(board, who, now, &deaf_until(40, now));
    let unknown = later(&mut board, "Bo", 41).standing;
    assert_eq!((unknown.state, unknown.quality), (AgentState::Unknown, Quality::Unknown));
    assert_eq!(later(&mut board, "Cem", 41).presence, None);

    hear(&mut board, 42, &[read("Ada", 42, Presence::Available), read("Bo", 42, Presence::OnCall)]);
    assert_eq!(later(&mut board, "Ada", 43).standing.state, AgentState::Available);
    let bo_again = later(&mut board, "Bo", 43).standing;
    assert_eq!((bo_again.state, bo_again.since), (AgentState::OnQueueCall, Some(at(5))));
    assert_eq!(bo_again.quality, Quality::Inferred, "on a call, most likely the same");
    tell(&mut board, 45, &[support("2", "Dee", 44).rang()]);
    assert_eq!(later(&mut board, "Dee", 45).standing.state, AgentState::Ringing);
    assert_eq!(later(&mut board, "Cem", 45).standing.state, AgentState::Unknown, "nothing was heard of Cem");
    let long_after = later(&mut board, "Cem", 40 + 3600);
    assert_eq!(long_after.standing.state, AgentState::DoNotDisturb, "few calls last that long");
}

#[test]
fn b4_after_a_gap_agents_are_as_sure_as_the_queues_they_are_members_of() {
    let mut board = board();
    let qualities = |board: &mut Board, now: i64| {
        let of = |board: &mut Board, who| row_with(board, who, now, &deaf_until(40, now)).standing.quality;
        let agents = ["Ada", "Bo", "Cem", "Dee"].map(|who| of(board, who));
        let queue = board.queue_view(&"q-801".into(), at(now), &deaf_until(40, now)).expect("a queue");
        (agents, queue.quality.available)
    };
    qualities(&mut board, 41);
    hear(&mut board, 42, &[said("Ada", 42, Presence::Available), said("Cem", 42, Presence::Offline)]);
    tell(&mut board, 45, &[billing("1", "Bo", 43).answered(45), support("2", "Dee", 44).rang()]);
    let (inferred, live) = (Quality::Inferred, Quality::Live);
    assert_eq!(
        qualities(&mut board, 46),
        ([inferred, live, inferred, inferred], inferred),
        "who is heard to talk talks; the others may, by a call that nobody heard begin"
    );
    hear(&mut board, 3640, &[said("Dee", 3640, Presence::Available)]);
    assert_eq!(qualities(&mut board, 3640), ([live; 4], live));
}

#[test]
fn b4_who_is_unknown_after_a_gap_is_free_on_no_board() {
    let mut board = board();
    let queue = |board: &Board, now: i64| {
        let view = board.queue_view(&"q-801".into(), at(now), &deaf_until(40, now)).expect("a queue");
        (view.members_available, view.members_busy.unknown, view.quality.available)
    };
    assert_eq!(state(&board, "Ada", 2), AgentState::Available, "nobody doubts that, presence or not");
    assert_eq!(board.totals(&board.queue_ids()).members_available, 4);
    let ada = row_with(&mut board, "Ada", 41, &deaf_until(40, 41));
    assert_eq!(ada.standing.state, AgentState::Unknown);
    assert_eq!(queue(&board, 41), (Some(0), 3, Quality::Unknown), "a dash, not nobody");
    assert_eq!(free(&board), 0);
    let busy = board.totals(&board.queue_ids()).members_busy;
    assert_eq!((busy.unknown, busy.away(4, 0)), (4, 0), "nor is anybody away");
    assert!(!board.take_changes().0.is_empty(), "so the rows are shown anew");

    hear(&mut board, 42, &[read("Ada", 42, Presence::Available)]);
    assert_eq!(queue(&board, 42), (Some(1), 2, Quality::Inferred), "one is known");
    board.apply(at(43), Input::Directory(directory()));
    assert_eq!(queue(&board, 43), (Some(1), 2, Quality::Inferred), "another reading of the directory");
    row_with(&mut board, "Ada", 40 + 3600, &deaf_until(40, 40 + 3600));
    assert_eq!((free(&board), board.totals(&board.queue_ids()).members_busy.unknown), (4, 0));
}

#[test]
fn b4_a_call_that_ended_in_a_gap_keeps_nobody_busy_when_presence_denies_it() {
    let mut board = board();
    tell(&mut board, 5, &[billing("1", "Bo", 0).answered(5)]);
    hear(&mut board, 50, &[read("Bo", 50, Presence::Available)]);
    let bo = row_with(&mut board, "Bo", 51, &deaf_until(40, 51)).standing;
    assert_eq!((bo.state, bo.since), (AgentState::Available, None));

    let (ada, ada_again) = (billing("2", "Ada", 0), billing("3", "Ada", 26));
    tell(&mut board, 10, &[ada.answered(5), ada.ended(5, 10)]);
    tell(&mut board, 28, &[ada_again.answered(28)]);
    hear(&mut board, 50, &[read("Ada", 50, Presence::Available)]);
    let ada = row_with(&mut board, "Ada", 51, &deaf_until(40, 51)).standing;
    assert_eq!((ada.state, ada.since), (AgentState::Available, None), "not since the call before that");
}

#[test]
fn d5_a_reading_has_no_word_for_being_signed_out() {
    let mut board = board();
    hear(&mut board, 1, &[said("Ada", 1, Presence::Offline)]);
    hear(&mut board, 9, &[read("Ada", 9, Presence::Away), read("Bo", 9, Presence::Away)]);
    assert_eq!(state_since(&board, "Ada", 10), (AgentState::Offline, Some(1)), "nothing took it back");
    let bo = standing(&board, "Bo", 10);
    assert_eq!((bo.state, bo.quality), (AgentState::Available, Quality::Inferred));
    hear(&mut board, 20, &[read("Ada", 20, Presence::Available)]);
    assert_eq!(state(&board, "Ada", 21), AgentState::Available);
}

#[test]
fn b1_of_two_words_in_one_second_the_one_sent_later_holds() {
    let (first, second) = (said("Ada", 5, Presence::Offline), said("Ada", 5, Presence::Available));
    let second = PresenceFact { sent_at: second.sent_at + Duration::from_millis(300), ..second };
    for order in [[&first, &second], [&second, &first]] {
        let mut board = board();
        hear(&mut board, 6, &order.map(Clone::clone));
        assert_eq!(state(&board, "Ada", 6), AgentState::Available);
    }
}

#[test]
fn b3_what_is_known_changes_nobody() {
    let mut board = board();
    hear(&mut board, 5, &[said("Ada", 5, Presence::Offline)]);
    board.take_agent_changes();
    hear(&mut board, 6, &[said("Ada", 5, Presence::Offline), said("a stranger", 5, Presence::Offline)]);
    assert!(board.take_agent_changes().0.is_empty());
    hear(&mut board, 7, &[said("Ada", 1_000, Presence::Available)]);
    assert_eq!(board.anomalies().future, 1, "a clock is wrong");
    assert_eq!(state(&board, "Ada", 8), AgentState::Offline);
}

#[test]
fn c8_presence_and_calls_told_before_the_directory_is_read_count_after_it() {
    let mut board = Board::new();
    hear(&mut board, 1, &[said("Ada", 1, Presence::Offline)]);
    let bo = billing("1", "Bo", 2);
    tell(&mut board, 4, &[bo.rang(), bo.answered(4)]);
    assert!(board.agents(at(5)).is_empty());
    board.apply(at(5), Input::Directory(directory()));
    assert_eq!(state_since(&board, "Ada", 6), (AgentState::Offline, Some(1)));
    assert_eq!(standing(&board, "Bo", 6).queue_id, Some("q-801".into()), "by its name in the directory");
    assert_eq!(row(&board, "Bo", 6).today.answered, 1);
}

#[test]
fn who_leaves_all_queues_is_no_agent_any_more() {
    let mut board = board();
    board.take_agent_changes();
    board.apply(at(1), Input::Directory(Directory { queues: directory().queues[..1].to_vec() }));
    let (changed, removed) = board.take_agent_changes();
    assert_eq!(removed.into_iter().collect::<Vec<_>>(), ["user-Dee".into()]);
    assert_eq!(changed.len(), 3);
    assert_eq!(board.staffed_queues().len(), 1);
}

/// Something that is said of an agent: by a phone or by their client.
#[derive(Debug, Clone)]
enum News {
    Call(Fact),
    Presence(PresenceFact),
}

fn news() -> impl Strategy<Value = Vec<News>> {
    const PEOPLE: [&str; 4] = ["Ada", "Bo", "Cem", "Dee"];
    let ring = (0..4_usize, 0..4_u8, 0..6_u8, 0..300_i64, 0..5_u8, 1..60_i64, 1..90_i64);
    let word = (0..4_usize, 0..400_i64, 0..6_usize, any::<bool>());
    (prop::collection::vec(ring, 1..14), prop::collection::vec(word, 0..14)).prop_map(|(rings, words)| {
        let mut news = Vec::new();
        for (who, call, station, rang, fate, after, talks) in rings {
            let phone = phone(&call.to_string(), PEOPLE[who], rang);
            let phone = match station {
                0 | 1 => phone.on(queue("Billing", "801")),
                2 | 3 => phone.on(queue("Support", "802")),
                4 => phone.caller_side(),
                _ => phone,
            };
            let ends = rang + after + talks;
            let facts = match fate {
                0 => vec![phone.rang()],
                1 => vec![phone.rang(), phone.missed(rang + after, HangUp::NoAnswer)],
                2 => vec![phone.rang(), phone.missed(rang + after, HangUp::AnsweredElsewhere)],
                3 => vec![phone.rang(), phone.answered(rang + after), phone.held(rang + after + 1)],
                _ => vec![phone.rang(), phone.answered(rang + after), phone.ended(rang + after, ends)],
            };
            news.extend(facts.into_iter().map(News::Call));
        }
        for (who, seconds, presence, was_read) in words {
            const WORDS: [Presence; 6] = [
                Presence::Available,
                Presence::Away,
                Presence::OnCall,
                Presence::InMeeting,
                Presence::DoNotDisturb,
                Presence::Offline,
            ];
            let fact = said(PEOPLE[who], seconds, WORDS[presence]);
            let origin = if was_read { PresenceOrigin::Read } else { PresenceOrigin::Told };
            news.push(News::Presence(PresenceFact { origin, ..fact }));
        }
        news
    })
}

fn apply(board: &mut Board, now: i64, news: &News) {
    match news {
        News::Call(fact) => tell(board, now, std::slice::from_ref(fact)),
        News::Presence(fact) => hear(board, now, std::slice::from_ref(fact)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    /// Invariant 2 for agents: the same facts give the same states, in any order, told any number of
    /// times, whenever the directory was read and whatever passed in between.
    #[test]
    fn any_order_of_facts_gives_the_same_agents(
        news in news(),
        picks in prop::collection::vec(any::<Index>(), 0..120),
        deaf_until in prop::option::of(0..500_i64),
        directory_after in any::<Index>(),
        now in 400..900_i64,
    ) {
        let mut told = board();
        for each in &news {
            apply(&mut told, now, each);
        }
        told.apply(at(now), Input::Tick);
        let mut shuffled = news.clone();
        for (nth, pick) in picks.iter().enumerate() {
            if nth % 3 == 0 {
                shuffled.push(news[pick.index(news.len())].clone());
            } else {
                let other = nth % shuffled.len();
                let index = pick.index(shuffled.len());
                shuffled.swap(index, other);
            }
        }
        shuffled.reverse();
        let mut retold = Board::new();
        let directory_after = directory_after.index(shuffled.len());
        for (nth, each) in shuffled.iter().enumerate() {
            if nth == directory_after {
                retold.apply(at(now), Input::Directory(directory()));
            }
            apply(&mut retold, now, each);
        }
        for board in [&mut told, &mut retold] {
            board.apply(at(now), Input::Doubt(deaf_until.map(at)));
        }
        prop_assert_eq!(told.agents(at(now)), retold.agents(at(now)));
        let ids = told.queue_ids();
        prop_assert_eq!(told.totals(&ids), retold.totals(&ids));
    }

    /// The sums of who is free equal the states they are sums of; parts never exceed the whole.
    #[test]
    fn the_free_of_every_queue_are_its_agents_who_are_free(
        news in news(),
        deaf_until in prop::option::of(0..900_i64),
        doubted_after in any::<Index>(),
        now in 0..900_i64,
    ) {
        let mut board = board();
        let doubted_after = doubted_after.index(news.len() + 1);
        for (nth, each) in news.iter().enumerate() {
            if nth == doubted_after {
                board.apply(at(now), Input::Doubt(deaf_until.map(at)));
            }
            apply(&mut board, now, each);
        }
        board.apply(at(now), Input::Tick);
        let trust = live_trust(at(now));
        let agents = board.agents(at(now));
        for id in board.queue_ids() {
            let free = agents.iter().filter(|agent| agent.state_in(&id).is_some_and(AgentState::is_free));
            let view = board.queue_view(&id, at(now), &trust).expect("a queue of the board");
            prop_assert_eq!(view.members_available, Some(free.count() as u32));
            let counts = StateCounts::of(&agents, Some(&id));
            prop_assert_eq!(view.members, Some(counts.total()));
            let busy = (view.members_busy.on_calls, view.members_busy.wrap_up, view.members_busy.unknown);
            let of_agents =
                (counts.on_calls(), counts.get(AgentState::WrapUp), counts.get(AgentState::Unknown));
            prop_assert_eq!(busy, of_agents);
        }
        for agent in agents {
            let OfferCounts { offered, answered, missed, declined } = agent.today;
            prop_assert!(answered + missed + declined <= offered);
        }
    }
}
