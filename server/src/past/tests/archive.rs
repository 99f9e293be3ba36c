//! What is kept, and that it shows what was shown.

use super::*;
use crate::{
    journal::Shelf,
    past::reel::{self, Reel},
    store::{SegmentBody, SnapshotRow, vandal::Vandal},
    zoom::sample,
};

#[tokio::test]
async fn the_past_is_the_same_from_events_from_snapshots_and_from_segments() {
    let folder = tempfile::tempdir().unwrap();
    let mut days = Days::begin(folder.path()).await;
    let start = timestamp(days.now);
    let past = patient(&days.store);
    assert!(matches!(past.board(start, &BoardKey::All).await, Err(PastError::NotKept)));

    // Nothing but events and notes; six hours, so that calls are settled and a day begins.
    days.go_on(TimeDelta::hours(6)).await;
    assert!(days.compare(start).await >= 8);
    let calls = |frame: &Bytes| !String::from_utf8_lossy(frame).contains(r#""offered_today":0,"#);
    assert!(days.shown.iter().any(|(_, frame)| calls(frame)), "calls are told of");
    assert!(days.event_id > 500, "{} events", days.event_id);

    // With snapshots, and then with most of it in segments.
    days.archive(Duration::from_secs(86_400 * 30)).await;
    let size = days.store.archive_size().await.unwrap();
    assert!(size.snapshots >= 6, "{size:?}");
    assert_eq!((size.packed_events, size.since), (0, Some(start + NOTED_EVERY.to_std().unwrap())));
    assert!(days.compare(start).await >= 8);

    days.go_on(TimeDelta::hours(21)).await;
    days.archive(Duration::from_secs(86_400 * 30)).await;
    let size = days.store.archive_size().await.unwrap();
    assert!(size.packed_events > 100 && size.packed_events < days.event_id, "{size:?}");
    assert!(days.compare(start).await > 40);
    assert_eq!(days.store.last_event_id().await.unwrap(), days.event_id);

    // What is older than is kept is gone; the rest is as it was.
    let keep = Duration::from_secs(24 * 3600);
    days.archive(keep).await;
    let horizon = timestamp(days.now) - keep;
    assert!(days.compare(horizon).await > 35);
    assert!(days.store.archive_size().await.unwrap().snapshots < size.snapshots, "the oldest are gone");
}

#[tokio::test]
async fn a_damaged_snapshot_is_gone_without() {
    let folder = tempfile::tempdir().unwrap();
    let mut days = Days::begin(folder.path()).await;
    days.go_on(TimeDelta::hours(2)).await;
    days.archive(Duration::from_secs(86_400)).await;
    let mut snapshot = days.store.snapshot_before(i64::MAX, reel::VERSION).await.unwrap().unwrap();
    snapshot.body.truncate(snapshot.body.len() / 2);
    let order = ArchiveOrder::Snapshot(snapshot);
    assert!(days.journal.archive(order).await.unwrap());
    assert!(days.compare(timestamp(start())).await > 1);
}

/// What a segment of an office's events takes, with a dictionary of the hour before.
#[test]
fn an_event_takes_at_most_120_bytes() {
    let morning: DateTime<Utc> = "2026-11-18T08:00:00Z".parse().unwrap();
    let mut world = World::new(WorldConfig::office(morning).without_latency(), 7);
    let mut events = Vec::new();
    let mut now = morning;
    while events.len() < 6_000 {
        now += TimeDelta::minutes(3);
        for (event_id, event) in (events.len() as i64..).zip(world.step_until(now)) {
            let received_at = timestamp(event.at);
            events.push(LooseEvent { event_id, received_at, source: Source::Socket, raw: event.json });
        }
    }
    let dictionary = segment::train(&events[..2_000]).unwrap();
    let row = segment::pack(events[4_000..6_000].to_vec(), &[], (0, 0), (1, &dictionary)).unwrap();
    let (bytes, text) = (row.body.len() / 2_000, row.text_bytes / 2_000);
    assert!(bytes <= 120, "{bytes} bytes an event of {text}");
    let body = SegmentBody {
        last_event_id: 1,
        last_note_id: 0,
        after_event_id: Some(0),
        form: row.form,
        body: row.body,
        dictionary: Some(dictionary),
    };
    assert_eq!(segment::unpack(&body).unwrap().events.len(), 2_000);
}

#[tokio::test]
async fn a_record_that_was_packed_is_not_written_twice() {
    let folder = tempfile::tempdir().unwrap();
    let mut days = Days::begin_with(folder.path(), quiet()).await;
    days.go_on(TimeDelta::minutes(30)).await;
    let record = r#"{"event":"rest.presence_status","event_ts":1,"payload":{"account_id":"a"}}"#;
    let at = timestamp(days.now);
    let read = || Incoming::read(&Reader::default(), Source::Rest, at, record);
    days.journal.append(read()).await.unwrap();
    days.journal.flush().await.unwrap();
    let last = days.store.last_event_id().await.unwrap();
    days.event_id = last;
    days.noted_every = TimeDelta::minutes(10);
    days.go_on(TimeDelta::minutes(25 * 60 + 30)).await;
    days.archive(Duration::from_secs(86_400 * 30)).await;
    assert!(days.store.packed_until().await.unwrap().0 >= last);

    let last = days.store.last_event_id().await.unwrap();
    // As after a restart: the keys of the last hours are all that is kept in memory.
    days.journal.append(read()).await.unwrap();
    days.journal.flush().await.unwrap();
    assert_eq!(days.store.last_event_id().await.unwrap(), last);
}

#[tokio::test]
async fn the_segment_of_an_instant_is_found_by_its_notes() {
    let folder = tempfile::tempdir().unwrap();
    let days = Days::begin(folder.path()).await;
    let at = |minutes: u64| timestamp(start()) + Duration::from_secs(60 * minutes);
    // Notes of three hours, and events that came before all but the first of them.
    let mut packed = (0, 0);
    for (hour, first_event) in [(0_u64, None), (1, Some(20)), (2, Some(25))] {
        let notes = (0..4).map(|quarter| {
            let note_id = packed.1 + 1 + quarter as i64;
            note_of(note_id, at(60 * hour + 15 * quarter), 0)
        });
        let notes: Vec<StoredNote> = notes.collect();
        let event = first_event.map(|minutes| loose(packed.0 + 1, at(minutes)));
        packed = days.pack(packed, event.into_iter().collect(), &notes).await;
    }
    let shelf = Shelf::new(&days.store);
    for (asked, found) in [(0, 0), (35, 30), (59, 45), (100, 90), (179, 165)] {
        let note = shelf.note_at(at(asked)).await.unwrap().unwrap();
        assert_eq!(note.note.at, at(found), "of minute {asked}");
    }
}

#[tokio::test]
async fn a_segment_is_kept_while_events_of_it_follow_the_oldest_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let days = Days::begin(folder.path()).await;
    let at = |hours: u64| timestamp(start()) + Duration::from_secs(3_600 * hours);
    let packed = days.pack((0, 0), vec![loose(1, at(0))], &[note_of(1, at(0), 1)]).await;
    let packed = days.pack(packed, vec![loose(2, at(1)), loose(3, at(2))], &[note_of(2, at(1), 2)]).await;
    days.pack(packed, Vec::new(), &[note_of(3, at(2), 3)]).await;
    let snapshot = SnapshotRow { note_id: 2, at: at(1), event_id: 2, version: 1, body: Vec::new() };
    let forget = ArchiveOrder::Forget { horizon: at(9), keys_before: at(0), version: 1 };
    for order in [ArchiveOrder::Snapshot(snapshot), forget] {
        assert!(days.journal.archive(order).await.unwrap());
    }
    let left: Vec<i64> = Vandal::at(folder.path()).await.segments().await.iter().map(|row| row.0).collect();
    assert_eq!(left, [2, 3]);
}

#[tokio::test]
async fn who_rang_right_before_a_snapshot_is_known_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let days = Days::begin(folder.path()).await;
    let at = |minutes: u64| timestamp(start()) + Duration::from_secs(60 * minutes);
    // Hours of events lie before it in another segment.
    let packed = days.pack((0, 0), vec![loose(1, at(0))], &[]).await;
    let ring = LooseEvent { raw: sample::ringing(73, at(70)), ..loose(2, at(70)) };
    days.pack(packed, vec![ring], &[note_of(1, at(71), 2)]).await;
    let reel = async || {
        let (store, shelf) = (&days.store, Shelf::new(&days.store));
        Reel::before(store, shelf, Reader::default(), 1).await.unwrap()
    };
    let mut before = reel().await;
    before.step().await.unwrap();
    let snapshot = ArchiveOrder::Snapshot(before.snapshot().unwrap());
    assert!(days.journal.archive(snapshot).await.unwrap());
    // It takes no event to know it: where hundreds come a second that would be hundreds of thousands.
    let mut vandal = Vandal::at(folder.path()).await;
    for (segment_id, ..) in vandal.segments().await {
        vandal.lose_segment(segment_id).await;
    }
    let after = reel().await;
    assert_eq!(after.note_id(), 1, "from the snapshot");
    let message = sample::message_left(at(70) + Duration::from_secs(30));
    let left = after.reader.fact(&message, at(71)).unwrap();
    assert_eq!(left.call_id.as_str(), "73");
}

#[tokio::test]
async fn a_recording_of_little_in_a_long_time_takes_few_snapshots() {
    let folder = tempfile::tempdir().unwrap();
    let mut days = Days::begin_with(folder.path(), quiet()).await;
    days.noted_every = TimeDelta::minutes(20);
    days.go_on(TimeDelta::hours(20)).await;
    days.ends_at = Some(timestamp(days.now));
    days.archive(MONTH).await;
    assert_eq!(days.store.archive_size().await.unwrap().snapshots, 1);
    assert!(days.compare(timestamp(start())).await > 3, "of any instant");
    days.ends_at = None;
    days.archive(MONTH).await;
    assert!(days.store.archive_size().await.unwrap().snapshots >= 15, "a server's, by the hour");
}

#[tokio::test]
async fn a_snapshot_of_another_version_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let mut days = Days::begin(folder.path()).await;
    days.go_on(TimeDelta::hours(3)).await;
    days.archive(MONTH).await;
    let place = days.store.newest_snapshot(reel::VERSION).await.unwrap().unwrap();
    Vandal::at(folder.path()).await.age_snapshots().await;
    assert_eq!(days.store.newest_snapshot(reel::VERSION).await.unwrap(), None);
    assert!(days.compare(timestamp(start())).await > 1, "without them");
    days.archive(MONTH).await;
    assert_eq!(days.store.newest_snapshot(reel::VERSION).await.unwrap(), Some(place));
    assert!(days.compare(timestamp(start())).await > 1);
}

#[tokio::test]
async fn what_is_shown_is_compared_with_what_was_published() {
    let folder = tempfile::tempdir().unwrap();
    let mut days = Days::begin(folder.path()).await;
    days.go_on(TimeDelta::hours(2)).await;
    assert_eq!(days.archive(MONTH).await, Proofs { instants: 1, ..Proofs::default() });
    Vandal::at(folder.path()).await.change_digests().await;
    assert_eq!(days.archive(MONTH).await, Proofs { instants: 1, differing: 1, unproved: 0 });
    // Another build may have had other rules.
    days.run += 1;
    assert_eq!(days.archive(MONTH).await, Proofs::default());
    // Whoever has just started may not know what was told once, long ago.
    let now = timestamp(days.now);
    days.run = now.as_millis().unsigned_abs();
    days.publisher = Publisher::after(days.run, days.revision, now, trust(now));
    days.go_on(TimeDelta::hours(1)).await;
    assert_eq!(days.archive(MONTH).await, Proofs::default());
}

#[tokio::test]
async fn a_clock_that_was_set_back_shows_the_later_of_two_boards() {
    let folder = tempfile::tempdir().unwrap();
    let mut days = Days::begin(folder.path()).await;
    days.go_on(TimeDelta::minutes(3)).await;
    let at = |minutes| timestamp(start() + TimeDelta::minutes(minutes));
    for minutes in [60, 75, 50, 65] {
        days.note(at(minutes), None).await;
    }
    let revisions = [(55, 4), (62, 2), (64, 2), (70, 5), (75, 3), (90, 3)];
    for archived in [false, true] {
        if archived {
            days.now = start() + TimeDelta::hours(30);
            days.archive(MONTH).await;
            assert_eq!(days.store.packed_until().await.unwrap().1, 5);
        }
        for (minutes, revision) in revisions {
            let past = patient(&days.store);
            let board = past.board(at(minutes), &BoardKey::All).await.unwrap().unwrap();
            assert_eq!(board.revision, revision, "minute {minutes}, archived: {archived}");
        }
    }
}
