//! Many who look back at the same time, and boards that run.

use futures_util::future::join_all;

use super::*;
use crate::{
    past::{End, MOST_WAITING, Playing, reel},
    store::vandal::Vandal,
};

#[tokio::test]
async fn nobody_waits_for_a_board_that_is_far_from_all_snapshots() {
    let folder = tempfile::tempdir().unwrap();
    let mut days = Days::begin(folder.path()).await;
    days.go_on(TimeDelta::minutes(30)).await;
    // The last events are as many as there may be from the first on, and one more.
    let before = days.event_id - 2;
    days.event_id = reel::MOST_EVENTS;
    Vandal::at(folder.path()).await.move_events(before, days.event_id - before - 1).await;
    let (near, far) =
        (timestamp(days.now + TimeDelta::minutes(1)), timestamp(days.now + TimeDelta::minutes(2)));
    days.note(near, None).await;
    days.event_id += 1;
    days.note(far, None).await;
    assert!(days.board_of(near).await.is_ok());
    assert!(matches!(days.board_of(far).await, Err(PastError::NotReady)));
    let unproved = patient(&days.store).of_run(1);
    assert!(matches!(unproved.prove(far).await, Ok(false)));
    assert_eq!(unproved.proofs(), Proofs { unproved: 1, ..Proofs::default() });
    days.archive(MONTH).await;
    assert!(days.board_of(far).await.is_ok(), "from a snapshot");

    // Few notes lie in between, but more events than from a snapshot.
    let past = patient(&days.store);
    let note = async |at| past.shelf.note_at(at).await.unwrap().unwrap();
    past.board(timestamp(start() + TimeDelta::minutes(9)), &BoardKey::All).await.unwrap();
    assert!(past.take_ready(&note(near).await, near).is_none());
    let nearer = timestamp(start() + TimeDelta::minutes(12));
    assert!(past.take_ready(&note(nearer).await, nearer).is_some());
}

/// Two hours of a small account.
async fn two_hours(folder: &Path) -> Days {
    let mut days = Days::begin(folder).await;
    days.go_on(TimeDelta::hours(2)).await;
    days
}

#[tokio::test]
async fn who_looks_at_the_same_shares_one_answer_and_one_place() {
    const CROWD: usize = MOST_WAITING + 10;
    let folder = tempfile::tempdir().unwrap();
    let days = two_hours(folder.path()).await;
    let past = patient(&days.store);
    let (at, queue) = (timestamp(days.now), directory(&days.world).queues[0].id.clone());
    let turn = past.turns.acquire().await.unwrap();
    let boards = join_all((0..CROWD).map(|_| past.board(at, &BoardKey::All)));
    let details = join_all((0..CROWD).map(|_| past.queue(at, &queue)));
    let begins = join_all((0..CROWD).map(|_| past.begins_at()));
    let watching = async {
        // The database answers in turn: who asked before has been told what is kept since when.
        past.store.shown_since().await.unwrap();
        let places = past.waiting.available_permits();
        drop(turn);
        MOST_WAITING - places
    };
    let (boards, details, begins, places) = tokio::join!(boards, details, begins, watching);
    assert_eq!(places, 3, "one for a board, one for a queue, one for the beginning");
    let first = boards[0].as_ref().unwrap().as_ref().unwrap();
    assert!(boards.iter().all(|board| Arc::ptr_eq(first, board.as_ref().unwrap().as_ref().unwrap())));
    assert!(details.iter().all(|detail| detail.as_ref().is_ok_and(Option::is_some)));
    assert!(begins.iter().all(|begin| begin.as_ref().is_ok_and(Option::is_some)));
    assert_eq!(past.ready.lock().unwrap().len(), 1, "one was wound for all");

    let again = past.board(at, &BoardKey::All).await.unwrap().unwrap();
    assert!(!Arc::ptr_eq(first, &again), "nothing is kept");
    let instants = (0..CROWD as u64).map(|millis| at + Duration::from_millis(millis));
    let crowd = join_all(instants.map(|at| past.board(at, &BoardKey::All))).await;
    let refused = crowd.iter().filter(|look| matches!(look, Err(PastError::Busy))).count();
    assert_eq!(refused, 10, "there is an end to how many wait");
}

#[tokio::test]
async fn all_who_play_the_same_follow_one_board() {
    let folder = tempfile::tempdir().unwrap();
    let days = two_hours(folder.path()).await;
    let players = players(patient(&days.store));
    let at = timestamp(days.now);
    let playing = join_all((0..18).map(|_| players.play(at, 1, &BoardKey::All)));
    for playing in playing.await {
        let Playing { mut board, end } = playing.unwrap().unwrap();
        assert_eq!(end.await, Ok(End::CaughtUp));
        assert_eq!(board.borrow_and_update().as_of, at);
    }
    let unheard_of = BoardKey::Queue("nowhere".into());
    assert!(players.play(at, 1, &unheard_of).await.unwrap().is_none());
    let too_early = players.play(timestamp(start()), 1, &BoardKey::All).await;
    assert!(matches!(too_early, Err(PastError::NotKept)));
}

#[tokio::test]
async fn a_board_that_runs_stands_still_while_others_look_back() {
    let folder = tempfile::tempdir().unwrap();
    let days = two_hours(folder.path()).await;
    let past = Past { patience: Duration::ZERO, ..patient(&days.store) };
    let players = players(past.clone());
    let at = timestamp(days.now - TimeDelta::hours(1));
    let mut playing = players.play(at, 60, &BoardKey::All).await.unwrap().unwrap();
    let shown = playing.board.borrow_and_update().as_of;
    let turn = past.turns.acquire().await.unwrap();
    let steps = Duration::from_millis(2_500);
    assert!(tokio::time::timeout(steps, playing.board.changed()).await.is_err(), "it has not ended");
    drop(turn);
    while playing.board.borrow_and_update().as_of == shown {
        playing.board.changed().await.unwrap();
    }
    let step = playing.board.borrow().as_of.since(shown);
    assert!(step <= NOTED_EVERY.to_std().unwrap(), "it goes on where it stood: {step:?}");
}

#[tokio::test]
async fn a_long_way_back_is_gone_in_several_turns() {
    let folder = tempfile::tempdir().unwrap();
    let days = two_hours(folder.path()).await;
    let past = Past { longest_turn: Duration::ZERO, ..patient(&days.store) };
    let (at, frame) = days.shown.last().unwrap();
    let mut turns = 1;
    let board = loop {
        match past.board(*at, &BoardKey::All).await {
            Err(PastError::NotReady) => turns += 1,
            board => break board.unwrap().unwrap(),
        }
        assert!(turns < 100, "each goes on where the one before stopped");
    };
    assert_eq!(&board.full_frame(), frame);
    assert!(turns > 20, "a note a turn: {turns}");
}
