use std::{collections::HashSet, fs};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt as _;
use zoom_sim::{World, WorldConfig};

use super::*;
use crate::{journal::Shelf, past::Past, publish::BoardKey, zoom::sample};

#[test]
fn who_waits_for_a_long_file_is_told_how_far_it_is() {
    let began = Instant::now();
    let mut progress = Progress::new(began);
    assert_eq!(progress.words(began, 1, None), None);
    let later = began + TELLS_EVERY;
    assert_eq!(progress.words(later, 7, None).unwrap(), "Reading: 7 lines so far.");
    assert_eq!(progress.words(later, 8, None), None, "once in a while");
    let words = progress.words(later + TELLS_EVERY, 3, Some(9));
    assert_eq!(words.unwrap(), "Putting events in their place: 3 of 9 lines.");
}

#[cfg(unix)]
#[tokio::test]
async fn waiting_for_a_pipe_can_be_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert!(Lines::open_apart(&pipe, folder.path()).now_or_never().is_none(), "nobody writes");
}

#[tokio::test]
async fn a_file_of_events_is_shown_like_any_past() {
    let morning: DateTime<Utc> = "2020-02-29T09:00:00Z".parse().unwrap();
    let mut world = World::new(WorldConfig::small(morning).without_latency(), 7);
    let events = world.step_until(morning + TimeDelta::hours(1));
    let mut lines: Vec<String> = events.iter().map(|event| event.json.clone()).collect();
    // Some in the wrong place, one twice told, and what is no event.
    lines[100..300].reverse();
    lines.push(lines[0].clone());
    lines.extend(["no event".to_owned(), String::new()]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.jsonl");
    fs::write(&file, lines.join("\r\n")).unwrap();

    let (recording, config) = Recording::read(&file).await.unwrap();
    // Two phones of one person may ring with the same words.
    let key = |text: &str| *Reader::default().read(text, clock::now()).unwrap().key.as_bytes();
    let distinct: HashSet<[u8; 16]> = events.iter().map(|event| key(&event.json)).collect();
    assert_eq!((recording.events, recording.unreadable), (distinct.len() as u64, 1));
    assert!((50..=200).contains(&recording.out_of_order), "{}", recording.out_of_order);
    assert_eq!(config.recording, Some(recording.span));
    let (store, _writer) = Store::open(&config.data_dir, Purpose::Work, clock::now()).await.unwrap();
    let past = Past::new(&store, Reader::default()).up_to(Some(recording.span.ends_at()));
    let shown = |at| past.board(at, &BoardKey::All);
    let end = shown(recording.span.ends_at()).await.unwrap().unwrap();
    let offered: u32 = end.rows.iter().map(|row| row.view.figures.offered_today).sum();
    let told = world.truth().visits().filter(|visit| visit.first_ring.is_some()).count();
    assert_eq!(offered as usize, told, "every caller for whom a phone rang");
    let middle = recording.span.from + Duration::from_secs(1_800);
    let middle = shown(middle).await.unwrap().unwrap();
    assert_eq!(middle.as_of, recording.span.from + Duration::from_secs(1_800), "of any instant");
    let so_far: u32 = middle.rows.iter().map(|row| row.view.figures.offered_today).sum();
    let half = morning
        + TimeDelta::milliseconds(recording.span.from.as_millis() - morning.timestamp_millis())
        + TimeDelta::minutes(30);
    let rung = |visit: &&zoom_sim::QueueVisit| visit.first_ring.is_some_and(|at| at <= half);
    let told = world.truth().visits().filter(rung).count();
    assert!(
        so_far.abs_diff(u32::try_from(told).unwrap()) <= 1,
        "{so_far} of {told} so far, each at its time"
    );
}

#[tokio::test]
async fn a_quiet_file_takes_few_notes_and_shows_any_instant() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.jsonl");
    let time = |time: &str| clock::parse_rfc3339(&format!("2020-02-29T{time}Z")).unwrap();
    let rings = (1..).zip(["10:00:00", "14:00:00", "19:30:00"]);
    let lines: Vec<String> = rings.map(|(call, at)| sample::ringing(call, time(at))).collect();
    fs::write(&file, lines.join("\n")).unwrap();

    let (recording, config) = Recording::read(&file).await.unwrap();
    let (store, _writer) = Store::open(&config.data_dir, Purpose::Work, clock::now()).await.unwrap();
    let notes = Shelf::new(&store).notes_after(0, 10_000).await.unwrap().rows.len();
    assert!((2 * 15..=2 * 22).contains(&notes), "{notes} notes: fewer and fewer, the longer it is quiet");
    let past = Past::new(&store, Reader::default()).up_to(Some(recording.span.ends_at()));
    let waiting = async |at: &str| {
        let at = time(at);
        let board = past.board(at, &BoardKey::All).await.unwrap().unwrap();
        assert_eq!(board.as_of, at);
        (board.totals.figures.waiting, board.totals.figures.offered_today)
    };
    // Later instants first: a board that went on is not taken for an earlier one.
    assert_eq!(waiting("14:05:00").await, (0, 2));
    assert_eq!(waiting("14:00:07").await, (1, 2));
    assert_eq!(waiting("14:01:59").await, (1, 2), "it rings");
    assert_eq!(waiting("14:02:35").await, (0, 2), "to the second");
    assert_eq!(waiting("19:29:59").await, (0, 2), "hours later");
    assert_eq!(waiting("14:17:00").await, (0, 2), "between notes that are far apart");
}

#[tokio::test]
async fn a_file_that_is_packed_is_unpacked_or_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events");
    let event = br#"{"event":"user.updated","event_ts":1582970400000}"#;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&[&event[..], b"\n"].concat()).unwrap();
    let packed = packed.finish().unwrap();
    fs::write(&file, &packed).unwrap();
    assert_eq!(Recording::read(&file).await.unwrap().0.events, 1);
    let both = [&packed[..], &packed, &[0; 20_000]].concat();
    fs::write(&file, both).unwrap();
    let (recording, _) = Recording::read(&file).await.unwrap();
    assert_eq!((recording.events, recording.unreadable), (1, 0), "one event twice, and padding");
    let said = async |bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        Recording::read(&file).await.unwrap_err().to_string()
    };
    assert!(said(&packed[..20]).await.contains("gzip, and damaged"));
    for follows in [&b"no"[..], b"\0\0no", &packed[..5]] {
        assert!(said(&[&packed, follows].concat()).await.contains("gzip, and damaged"), "{follows:?}");
    }
    let padded_within = [&packed[..], &[0; 512], &packed].concat();
    assert!(said(&padded_within).await.ends_with("gzip, and damaged: something follows its end"));
    assert!(said(b"\xff\xfe{\0").await.ends_with("it is text in UTF-16; save it as UTF-8 first"));
    assert!(said(b"PK\x03\x04 events").await.ends_with("a ZIP archive; unpack it first"));
}

/// Nothing can be written to `/dev/full`.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_not_taken_for_a_damaged_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.gz");
    let mut packed = flate2::write::GzEncoder::new(File::create(&file).unwrap(), flate2::Compression::fast());
    packed.write_all(b"an event").unwrap();
    packed.finish().unwrap();
    std::os::unix::fs::symlink("/dev/full", folder.path().join("unpacked")).unwrap();
    let error = Lines::open(&file, folder.path()).err().unwrap();
    assert!(matches!(error, RecordingError::Folder(_)), "{error:?}");
    let said = telemetry::chain(&error);
    assert!(said.contains("TMPDIR") && said.ends_with("No space left on device"), "{said}");
}

#[tokio::test]
async fn a_file_without_an_event_says_what_one_looks_like() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.jsonl");
    assert!(matches!(Recording::read(&file).await, Err(RecordingError::File { .. })));
    fs::write(&file, "{}\n\u{0}\n").unwrap();
    let error = Recording::read(&file).await.unwrap_err();
    assert!(error.to_string().contains("each line is to be one event"), "{error}");
}
