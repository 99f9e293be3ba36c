//! Transfers, hold, parking, conferences, meetings and mailboxes: `pitfalls` E and F.

use domain::{
    board::{Board, CallPhase, Consultation},
    fact::{Fact, HangUp, Record, RecordedTalk, Side, SideFact, TransferFact, What},
};

use crate::{
    board::{board, row, tell},
    calls,
    story::{Phone, at, blind_transfer, happened, person, phone, queue, voicemail},
    visits::{self, billing},
};

fn failed() -> TransferFact {
    TransferFact { failed: true, ..TransferFact::default() }
}

fn consults(call: &str, seconds: i64, consultation: &str) -> Fact {
    let what =
        What::WarmTransferStarted { transfer: TransferFact::default(), consult: Some(consultation.into()) };
    happened(call, seconds, what)
}

/// Ada talks with a caller of Billing, holds, and calls Cem about it by a second call.
fn consulting(board: &mut Board) -> (Phone, Phone, Phone) {
    let ada = phone("1", "Ada", 0).on(queue("Billing", "801"));
    let (dials, cem) = (phone("2", "Ada", 30).caller_side(), phone("2", "Cem", 31));
    tell(board, 31, &[ada.rang(), ada.answered(8), ada.held(30), dials.rang(), cem.rang()]);
    (ada, dials, cem)
}

fn consultation_of(board: &Board, call: &str) -> Option<Consultation> {
    board
        .live_calls()
        .into_iter()
        .find(|live| live.call_id.as_str() == call)
        .and_then(|live| live.consults_for)
}

#[test]
fn e1_a_second_call_of_whoever_holds_one_asks_about_the_first() {
    let mut board = board();
    let (ada, dials, cem) = consulting(&mut board);
    let about_the_first = Some(Consultation { call_id: "1".into(), inferred: true });
    assert_eq!(consultation_of(&board, "2"), about_the_first);
    assert_eq!(consultation_of(&board, "1"), None);
    assert_eq!(row(&board, "q-801", 31).figures.on_hold, 1);
    // Taken back: two ordinary calls, of which one is over.
    let back =
        [dials.answered(35), cem.answered(35), cem.ended(35, 50), dials.ended(35, 50), ada.resumed(51)];
    tell(&mut board, 51, &back);
    let figures = row(&board, "q-801", 51).figures;
    assert_eq!((figures.talking, figures.on_hold, board.live_calls().len()), (1, 0, 1));
}

#[test]
fn e2_an_announced_consultation_is_linked_and_goes_on_with_whoever_was_asked() {
    let mut board = board();
    let (ada, dials, cem) = consulting(&mut board);
    tell(&mut board, 32, &[consults("1", 30, "2"), dials.answered(35), cem.answered(35)]);
    let announced = Some(Consultation { call_id: "1".into(), inferred: false });
    assert_eq!(consultation_of(&board, "2"), announced);
    let passed_on = [
        happened("1", 50, What::WarmTransferCompleted(TransferFact::default())),
        happened("2", 50, What::RecipientChanged(TransferFact::default())),
        ada.ended(8, 50),
        dials.ended(35, 50),
    ];
    tell(&mut board, 51, &passed_on);
    let calls = board.live_calls();
    assert_eq!((calls.len(), calls[0].call_id.as_str(), calls[0].phase), (1, "2", CallPhase::Talking));
    assert_eq!(calls[0].legs[0].party.name.as_deref(), Some("Cem"));
    assert_eq!(row(&board, "q-801", 51).members_available, Some(2), "Ada is free again");
    assert_eq!(row(&board, "q-802", 51).members_available, Some(1), "Cem is not");
}

#[test]
fn e3_a_transfer_that_failed_or_was_taken_back_changes_nothing() {
    let caller = phone("1", "Cem", 0).caller_side();
    let ada = phone("1", "Ada", 0);
    let talk = [caller.rang(), caller.answered(4), ada.rang(), ada.answered(4)];
    // The caller hangs up: nobody is left, unless the call was passed on.
    let left = ["Cem finished 40", "Ada finished 40"];
    let told = |what: Vec<Fact>| [&talk[..], &what[..], &[caller.ended(4, 40)]].concat();
    let started = |transfer| What::WarmTransferStarted { transfer, consult: None };
    for what in [
        What::BlindTransferStarted(failed()),
        started(failed()),
        What::WarmTransferCompleted(failed()),
        What::RecipientChanged(failed()),
    ] {
        calls::check(50, &told(vec![happened("1", 20, what)]), &left);
    }
    let taken_back = vec![
        happened("1", 20, started(TransferFact::default())),
        happened("1", 30, What::WarmTransferCancelled(TransferFact::default())),
    ];
    calls::check(50, &told(taken_back), &left);
    let not_taken_back = vec![
        happened("1", 20, started(TransferFact::default())),
        happened("1", 30, What::WarmTransferCancelled(failed())),
    ];
    calls::check(50, &told(not_taken_back), &["Cem finished 40", "Ada connected 4"]);
}

#[test]
fn e5_a_parked_call_is_fetched_by_anybody_or_ends_with_an_end() {
    let ada = billing("Ada", 0);
    let parked = [ada.rang(), ada.answered(8), ada.parked(30), ada.ended(8, 30)];
    visits::check(40, &parked, &["Billing Answered 8 OnHold"]);
    let bo = phone("1", "Bo", 50);
    let fetched = [&parked[..], &[bo.rang(), bo.answered(50)]].concat();
    visits::check(60, &fetched, &["Billing Answered 8 Talking"]);
    visits::check(95, &[&fetched[..], &[bo.ended(50, 90)]].concat(), &["Billing Answered 8 Over"]);
    // Only the end of who fetched it was told.
    visits::check(95, &[&parked[..], &[bo.ended(50, 90)]].concat(), &["Billing Answered 8 Over"]);
    // It rings again where it was parked, and is taken.
    let again = phone("1", "Ada", 90);
    let back = [&parked[..], &[again.rang(), again.answered(95)]].concat();
    visits::check(99, &back, &["Billing Answered 8 Talking"]);
}

#[test]
fn e6_a_blind_transfer_rings_elsewhere_on_the_same_call() {
    let ada = billing("Ada", 0);
    let (cem, dee) = (phone("1", "Cem", 41), phone("1", "Dee", 70));
    let story = [
        ada.rang(),
        ada.answered(8),
        blind_transfer("1", 40),
        ada.ended(8, 40),
        cem.rang(),
        cem.answered(45),
        blind_transfer("1", 69),
        cem.ended(45, 69),
        dee.rang(),
        dee.answered(75),
    ];
    visits::check(80, &story, &["Billing Answered 8 Talking"]);
    // Before an answer it is a way out of the queue that a person chose.
    let (rung, cem) = (billing("Ada", 0), phone("1", "Cem", 12));
    let sent_on = [rung.rang(), blind_transfer("1", 11), rung.stopped(11), cem.rang()];
    visits::check(14, &sent_on, &["Billing TransferredOut 12 Over"]);
}

#[test]
fn e7_a_call_is_held_while_either_side_holds() {
    let cem = phone("1", "Cem", 0).caller_side();
    let ada = billing("Ada", 0);
    let talk = [cem.rang(), cem.answered(8), ada.rang(), ada.answered(8)];
    let both = [&talk[..], &[ada.held(20), cem.held(25)]].concat();
    calls::check(30, &both, &["Cem held 25", "Ada held 20"]);
    visits::check(30, &both, &["Billing Answered 8 OnHold"]);
    let one = [&both[..], &[ada.resumed(30)]].concat();
    calls::check(35, &one, &["Cem held 25", "Ada connected 8"]);
    visits::check(35, &one, &["Billing Answered 8 OnHold"]);
    visits::check(45, &[&one[..], &[cem.resumed(40)]].concat(), &["Billing Answered 8 Talking"]);
}

#[test]
fn e8_a_conversation_that_moves_to_a_meeting_is_marked_until_its_phones_stop() {
    let mut board = board();
    let ada = phone("1", "Ada", 0).on(queue("Billing", "801"));
    let side = SideFact { side: Side::Callee, party: person("Ada").into(), device_id: None };
    tell(&mut board, 30, &[ada.rang(), ada.answered(8), happened("1", 30, What::MovedToMeeting(side))]);
    assert_eq!(board.live_calls()[0].moved_to_meeting_at, Some(at(30)));
    tell(&mut board, 35, &[ada.ended(8, 34)]);
    assert!(board.live_calls().is_empty());
}

#[test]
fn e9_a_conference_is_marked_and_still_one_visit() {
    let mut board = board();
    let ada = phone("1", "Ada", 0).on(queue("Billing", "801"));
    let cem = phone("1", "Cem", 40);
    let conference = happened("1", 45, What::ConferenceStarted(TransferFact::default()));
    tell(&mut board, 50, &[ada.rang(), ada.answered(8), cem.rang(), cem.answered(44), conference]);
    assert_eq!(board.live_calls()[0].conference_since, Some(at(45)));
    let figures = row(&board, "q-801", 50).figures;
    assert_eq!((figures.talking, figures.answered_today), (1, 1));
    // It goes on when the first who answered leaves.
    tell(&mut board, 60, &[ada.ended(8, 60)]);
    assert_eq!(row(&board, "q-801", 60).figures.talking, 1);
    let mut board = crate::board::board();
    let refused = happened("1", 45, What::ConferenceStarted(failed()));
    tell(&mut board, 50, &[ada.rang(), ada.answered(8), refused]);
    assert_eq!(board.live_calls()[0].conference_since, None);
}

#[test]
fn e10_a_hold_ends_with_the_conversation() {
    let mut board = board();
    let ada = phone("1", "Ada", 0).on(queue("Billing", "801"));
    tell(&mut board, 61, &[ada.rang(), ada.answered(8), ada.held(20), ada.ended(8, 60)]);
    assert_eq!(row(&board, "q-801", 61).figures.on_hold, 0);
    // Somebody else who takes the call over does not inherit it.
    let cem = phone("1", "Cem", 61);
    tell(&mut board, 65, &[cem.rang(), cem.answered(64)]);
    let figures = row(&board, "q-801", 65).figures;
    assert_eq!((figures.on_hold, figures.talking), (0, 1));
}

#[test]
fn f1_a_message_that_was_left_is_the_outcome_of_the_last_queue_only() {
    let (ada, cem) = (billing("Ada", 0), visits::support("Cem", 31));
    let story = [
        ada.rang(),
        ada.missed(30, HangUp::NoAnswer),
        cem.rang(),
        cem.missed(60, HangUp::NoAnswer),
        voicemail("1", 95),
    ];
    visits::check(99, &story, &["Billing Overflowed 31 Over", "Support Voicemail 29 Over"]);
    // Whoever was answered and then sent to a mailbox was answered.
    let sent = happened("1", 30, What::SentToVoicemail(TransferFact::default()));
    let answered = [ada.rang(), ada.answered(8), sent, ada.ended(8, 30), voicemail("1", 60)];
    visits::check(70, &answered, &["Billing Answered 8 Over"]);
}

#[test]
fn a_conversation_of_the_record_needs_no_ring() {
    // What is not shown live at all, such as a call taken over by a supervisor, is told by the record.
    let talk = RecordedTalk {
        side: Side::Callee,
        party: person("Dee").into(),
        offered_by: None,
        rang_at: at(40),
        answered_at: at(40),
        ended_at: at(70),
    };
    let record = Record { talks: vec![talk], ..Record::default() };
    calls::check(80, &[happened("1", 70, What::Recorded(record))], &["Dee finished 70"]);
}
