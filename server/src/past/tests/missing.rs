//! What becomes of a past of which a part is gone.

use super::*;
use crate::{
    journal::Shelf,
    past::{
        End,
        reel::{self, Reel},
    },
    store::vandal::Vandal,
};

/// Three segments of some hours each, and what was shown while they were written.
async fn packed(folder: &Path) -> Days {
    let mut days = Days::begin_with(folder, quiet()).await;
    days.noted_every = TimeDelta::minutes(15);
    days.go_on(TimeDelta::hours(26)).await;
    for _ in 0..3 {
        days.go_on(TimeDelta::hours(2)).await;
        days.archive(MONTH).await;
    }
    days
}

#[tokio::test]
async fn a_part_of_the_journal_that_is_gone_makes_no_quiet_board() {
    let folder = tempfile::tempdir().unwrap();
    let days = packed(folder.path()).await;
    let mut vandal = Vandal::at(folder.path()).await;
    let segments = vandal.segments().await;
    assert_eq!(segments.len(), 3, "{segments:?}");
    let lost = segments[1];
    vandal.lose_segment(lost.0).await;
    // Snapshots of that time and after it still lead past it; without them nothing does for a day.
    assert!(days.compare(timestamp(start()) + Duration::from_secs(8 * 3600)).await > 3);
    vandal.lose_snapshots().await;
    days.archive(MONTH).await;
    let (mut shown, mut torn, mut unrecorded) = (0, 0, 0);
    for (at, frame) in &days.shown {
        match days.board_of(*at).await {
            Ok(board) if board == *frame => shown += 1,
            Ok(board) => {
                // Of a time without notes the last one before is shown, and how old it is.
                let older = days.shown.iter().any(|(before, frame)| before < at && *frame == board);
                assert!(older || !String::from_utf8_lossy(&board).contains(&at.as_millis().to_string()));
                unrecorded += 1;
            }
            Err(PastError::Torn) => torn += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(shown > 0 && torn > 3 && unrecorded <= 1, "{shown} {torn} {unrecorded}");
}

#[tokio::test]
async fn a_segment_that_cannot_be_read_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let days = packed(folder.path()).await;
    let mut vandal = Vandal::at(folder.path()).await;
    let segments = vandal.segments().await;
    vandal.damage_segment(segments[0].0).await;
    vandal.lose_snapshots().await;
    days.archive(MONTH).await;
    let last = days.shown.last().unwrap();
    assert!(matches!(days.board_of(last.0).await, Err(PastError::NotKept | PastError::Torn)));
    let inside = timestamp(start()) + Duration::from_secs(3600);
    assert!(matches!(days.board_of(inside).await, Err(PastError::Torn)), "it is on record, but not readable");
}

#[tokio::test]
async fn a_segment_says_itself_what_came_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let days = Days::begin(folder.path()).await;
    let at = timestamp(start());
    let packed = days.pack((0, 0), vec![loose(1, at)], &[]).await;
    // A repetition was refused its place in between.
    days.pack(packed, vec![loose(3, at)], &[]).await;
    Vandal::at(folder.path()).await.lose_segment(1).await;
    let shelf = Shelf::new(&days.store);
    assert_eq!(shelf.events_after(1, 10).await.unwrap().torn_until, None);
    assert_eq!(shelf.events_after(0, 10).await.unwrap().torn_until, Some(2));
}

#[tokio::test]
async fn the_last_events_or_notes_of_all_may_be_gone() {
    let at = timestamp(start());
    let (event, note) = (|| vec![loose(1, at)], || vec![note_of(1, at, 1)]);
    // Of one kind none are left, and those of the other tell that there were some.
    let events_first = [(event(), Vec::new()), (Vec::new(), note())];
    let notes_first = [(Vec::new(), note()), (event(), Vec::new())];
    for segments in [events_first, notes_first] {
        let folder = tempfile::tempdir().unwrap();
        let days = Days::begin(folder.path()).await;
        let mut packed = (0, 0);
        let are_events_lost = segments[0].1.is_empty();
        for (events, notes) in segments {
            packed = days.pack(packed, events, &notes).await;
        }
        Vandal::at(folder.path()).await.lose_segment(1).await;
        let shelf = Shelf::new(&days.store);
        let events = shelf.events_after(0, 10).await.unwrap();
        let notes = shelf.notes_after(0, 10).await.unwrap();
        assert_eq!((events.until, notes.until), (1, 1));
        assert_eq!(
            (events.torn_until.is_some(), events.rows.len()),
            (are_events_lost, usize::from(!are_events_lost))
        );
        assert_eq!(
            (notes.torn_until.is_some(), notes.rows.len()),
            (!are_events_lost, usize::from(are_events_lost))
        );
        assert!(shelf.events_after(1, 10).await.unwrap().is_end());
        assert!(shelf.notes_after(1, 10).await.unwrap().is_end());
    }
}

#[tokio::test]
async fn events_that_lag_behind_their_notes_are_missed_at_every_note() {
    let folder = tempfile::tempdir().unwrap();
    let days = Days::begin(folder.path()).await;
    let at = |hours: u64| timestamp(start()) + Duration::from_secs(3_600 * hours);
    // An hour of notes with the events of days, and then the notes of those days.
    let events = vec![loose(1, at(0)), loose(2, at(39)), loose(3, at(79))];
    let packed = days.pack((0, 0), events, &[note_of(1, at(0), 1)]).await;
    let later = [note_of(2, at(40), 2), note_of(3, at(80), 3), note_of(4, at(120), 3)];
    days.pack(packed, Vec::new(), &later).await;
    Vandal::at(folder.path()).await.damage_segment(1).await;
    let is_torn = torn_at_notes(&days.store, 4).await;
    assert_eq!(is_torn, [true, true, false], "of notes that can be read; nothing came before the last");
}

#[tokio::test]
async fn an_event_that_the_board_had_and_the_journal_has_not_is_missed() {
    let folder = tempfile::tempdir().unwrap();
    let days = Days::begin(folder.path()).await;
    let at = timestamp(start());
    let packed = days.pack((0, 0), vec![loose(1, at)], &[note_of(1, at, 1)]).await;
    days.pack(packed, Vec::new(), &[note_of(2, at + Duration::from_secs(1), 2)]).await;
    assert_eq!(torn_at_notes(&days.store, 2).await, [false, true]);
}

/// Whether anything is missing at every note that can be read.
async fn torn_at_notes(store: &Store, last: i64) -> Vec<bool> {
    let mut reel = Reel::before(store, Shelf::new(store), Reader::default(), last).await.unwrap();
    let mut is_torn = Vec::new();
    while reel.note_id() < last {
        reel.step().await.unwrap();
        is_torn.push(reel.is_torn());
    }
    is_torn
}

#[tokio::test]
async fn a_note_that_cannot_be_read_makes_no_wrong_board() {
    let folder = tempfile::tempdir().unwrap();
    let mut days = Days::begin(folder.path()).await;
    days.go_on(TimeDelta::hours(1)).await;
    let trust = Some(Trust { demo: true, ..trust(timestamp(days.now)) });
    let told = Circumstances { trust, ..Circumstances::default() };
    let before = days.shown.last().unwrap().clone();
    days.note(timestamp(days.now + TimeDelta::minutes(1)), Some(told)).await;
    let after = timestamp(days.now + TimeDelta::minutes(2));
    days.note(after, None).await;
    assert!(days.board_of(after).await.is_ok());
    Vandal::at(folder.path()).await.reword_note(1, r#"{"trust":{"feed":"telepathy"}}"#).await;
    assert!(matches!(days.board_of(after).await, Err(PastError::Torn)));
    assert_eq!(days.board_of(before.0).await.unwrap(), before.1, "nothing was missing yet");

    // A board that runs there says why it goes no further.
    let players = players(patient(&days.store));
    let playing = players.play(timestamp(days.now), 60, &BoardKey::All).await.unwrap().unwrap();
    assert_eq!(playing.end.await, Ok(End::Torn));
}

#[tokio::test]
async fn the_way_past_a_missing_part_is_gone_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut days = Days::begin(folder.path()).await;
    days.go_on(TimeDelta::minutes(30)).await;
    days.note(timestamp(days.now + TimeDelta::minutes(1)), Some(Circumstances::default())).await;
    days.go_on(TimeDelta::hours(1)).await;
    let mut vandal = Vandal::at(folder.path()).await;
    vandal.reword_note(1, "nothing that could be read").await;
    let mut progress = Progress::default();
    days.archive_on(MONTH, &mut progress).await;
    let first = days.store.newest_snapshot(reel::VERSION).await.unwrap().unwrap();
    assert_eq!(first.note_id, 1, "what follows is torn");

    // A day later all is told again. Whoever went all the way again would miss these.
    vandal.lose_notes(days.revision.cast_signed()).await;
    days.now += TimeDelta::hours(30);
    days.note(timestamp(days.now), None).await;
    days.archive_on(MONTH, &mut progress).await;
    let newest = days.store.newest_snapshot(reel::VERSION).await.unwrap().unwrap();
    assert_eq!(newest.at, timestamp(days.now));
}
