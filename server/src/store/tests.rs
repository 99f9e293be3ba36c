use std::collections::{BTreeSet, HashSet};

use sqlx::{AssertSqlSafe, Connection, Executor, Row, SqliteConnection};
use tempfile::TempDir;

use super::*;
use crate::store::{event, gap, journey, reconciliation, record, report, visit, walk, writer};

mod calls;
mod history;
mod reports;

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

async fn open(folder: &Path) -> (Store, Writer) {
    Store::open(folder, Purpose::Work, NOW).await.expect("a fresh folder opens")
}

fn event(number: u64, received_at: Timestamp) -> EventRow {
    let mut key = [7; 16];
    key[8..].copy_from_slice(&number.to_be_bytes());
    EventRow {
        key,
        received_at,
        source: Source::Socket,
        name: "something.happened".into(),
        call_id: Some("71".into()),
        raw: format!(r#"{{"number":{number}}}"#).into(),
    }
}

fn batch(numbers: impl IntoIterator<Item = u64>) -> Batch {
    Batch { events: numbers.into_iter().map(|number| event(number, NOW)).collect(), ..Batch::default() }
}

#[tokio::test]
async fn a_database_outlives_its_server_and_keeps_its_identity() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("not/there/yet");
    let (store, mut writer) = open(&path).await;
    let installation = store.installation().clone();
    assert_eq!(installation.created_at, NOW);
    assert_eq!(writer.commit(batch(1..=2)).await.unwrap().first_event_id, 1);
    store.close().await;
    writer.close().await.unwrap();
    drop(store);

    let later = NOW + Duration::from_secs(60);
    let (store, mut writer) = Store::open(&path, Purpose::Work, later).await.unwrap();
    assert_eq!(*store.installation(), installation);
    assert_eq!(writer.commit(batch([3])).await.unwrap().first_event_id, 3);
    let places: Vec<_> = store.events_after(0, 10).await.unwrap().iter().map(|e| e.event_id).collect();
    assert_eq!(places, [1, 2, 3]);
}

#[tokio::test]
async fn one_server_per_folder() {
    let folder = TempDir::new().unwrap();
    let first = open(folder.path()).await;
    let error = Store::open(folder.path(), Purpose::Work, NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }), "{error}");
    assert!(error.to_string().contains("another callboard server"), "{error}");
    first.0.close().await;
    drop(first);
    open(folder.path()).await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_is_named_with_its_variable() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "no folder").unwrap();
    let error = Store::open(&file.join("data"), Purpose::Work, NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::CreateFolder { .. }), "{error}");
    assert!(error.to_string().contains("CALLBOARD_DATA_DIR"), "{error}");

    // A folder in the place of the lock file cannot be opened for writing by anyone.
    let blocked = folder.path().join("blocked");
    fs::create_dir_all(blocked.join("callboard.lock")).unwrap();
    let error = Store::open(&blocked, Purpose::Work, NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::WriteFolder { .. }), "{error}");
    assert!(error.to_string().contains("write permission"), "{error}");
}

#[tokio::test]
async fn a_damaged_file_is_not_opened() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("callboard.sqlite"), "this is not a database, but long enough").unwrap();
    let error = Store::open(folder.path(), Purpose::Work, NOW).await.unwrap_err();
    assert!(error.to_string().contains("restore a backup"), "{error}");
}

#[tokio::test]
async fn a_newer_schema_is_left_alone() {
    let folder = TempDir::new().unwrap();
    let (store, mut writer) = open(folder.path()).await;
    writer
        .connection()
        .execute(
            "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
             values (20991231235959, 'from the future', 1, x'00', 0)",
        )
        .await
        .unwrap();
    store.close().await;
    drop((store, writer));
    let error = Store::open(folder.path(), Purpose::Work, NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::NewerSchema { migration: 20991231235959, .. }), "{error}");
}

#[tokio::test]
async fn an_event_is_written_once_whatever_the_batch() {
    let folder = TempDir::new().unwrap();
    let (store, mut writer) = open(folder.path()).await;
    // All three sizes of statements: 2 × 256 + 5 × 16 + 3 × 1.
    let committed = writer.commit(batch(0..595)).await.unwrap();
    assert_eq!(committed, Committed { first_event_id: 1, refused: HashSet::new() });
    let committed = writer.commit(batch([594, 595, 0, 596])).await.unwrap();
    assert_eq!(committed, Committed { first_event_id: 596, refused: HashSet::from([596, 598]) });
    let written = store.events_after(594, 100).await.unwrap();
    let written: Vec<_> = written.iter().map(|event| (event.event_id, event.raw.as_str())).collect();
    assert_eq!(written, [(595, r#"{"number":594}"#), (597, r#"{"number":595}"#), (599, r#"{"number":596}"#)]);
    assert_eq!(writer.commit(batch([9_999])).await.unwrap().first_event_id, 600);
}

#[tokio::test]
async fn a_failed_batch_leaves_nothing_and_the_writer_goes_on() {
    let folder = TempDir::new().unwrap();
    let (store, mut writer) = open(folder.path()).await;
    writer.commit(batch([1])).await.unwrap();
    let forbid = "create trigger forbid before insert on event when new.event_id = 3
                  begin select raise(abort, 'no'); end";
    writer.connection().execute(forbid).await.unwrap();
    assert!(matches!(writer.commit(batch([2, 3])).await, Err(StoreError::Write { .. })));
    assert_eq!(writer.reopen().await.unwrap(), []);
    writer.connection().execute("drop trigger forbid").await.unwrap();
    assert_eq!(writer.commit(batch([4])).await.unwrap().first_event_id, 2);
    assert_eq!(store.last_event_id().await.unwrap(), 2);
}

#[tokio::test]
async fn reopening_finds_what_was_written_after_all() {
    let folder = TempDir::new().unwrap();
    let (_store, mut writer) = open(folder.path()).await;
    writer.commit(batch([1])).await.unwrap();
    // As if the commit had been reported as failed.
    let mut other =
        SqliteConnection::connect_with(&options(&folder.path().join("callboard.sqlite"))).await.unwrap();
    other
        .execute("insert into event values (2, zeroblob(16), 5, 'socket', 'phone.callee_ended', null, '{}')")
        .await
        .unwrap();
    let found = writer.reopen().await.unwrap();
    assert_eq!(found.iter().map(|event| event.event_id).collect::<Vec<_>>(), [2]);
    assert_eq!(writer.commit(batch([2])).await.unwrap().first_event_id, 3);
}

#[tokio::test]
async fn messages_of_every_way_can_be_written_read_or_not() {
    let folder = TempDir::new().unwrap();
    let (store, mut writer) = open(folder.path()).await;
    for (number, source) in [Source::Socket, Source::Webhook, Source::Rest].into_iter().enumerate() {
        let events = vec![EventRow { source, ..event(number as u64, NOW) }];
        let quarantined = vec![QuarantineRow {
            received_at: NOW,
            source,
            reason: "not UTF-8".to_owned(),
            byte_count: 1,
            raw: b"\xff".to_vec(),
        }];
        writer
            .commit(Batch { events, quarantined, ..Batch::default() })
            .await
            .unwrap_or_else(|error| panic!("{source:?}: {}", crate::telemetry::chain(&error)));
    }
    assert_eq!((store.last_event_id().await.unwrap(), store.quarantined().await.unwrap()), (3, 3));
}

#[tokio::test]
async fn the_quarantine_keeps_the_newest_ten_thousand() {
    let folder = TempDir::new().unwrap();
    let (store, mut writer) = open(folder.path()).await;
    let row = |reason: &str| QuarantineRow {
        received_at: NOW,
        source: Source::Webhook,
        reason: reason.to_owned(),
        byte_count: 3,
        raw: b"\xff{[".to_vec(),
    };
    let quarantined = (0..10_010).map(|number| row(&number.to_string())).collect();
    writer.commit(Batch { quarantined, ..Batch::default() }).await.unwrap();
    assert_eq!(store.quarantined().await.unwrap(), 10_000);
    let oldest: String = sqlx::query_scalar("select reason from quarantine order by quarantine_id limit 1")
        .fetch_one(writer.connection())
        .await
        .unwrap();
    assert_eq!(oldest, "10");
}

#[tokio::test]
async fn gaps_open_once_close_and_are_found_by_their_end() {
    let folder = TempDir::new().unwrap();
    let (store, mut writer) = open(folder.path()).await;
    let at = |seconds: u64| NOW + Duration::from_secs(seconds);
    let gaps = vec![
        GapOrder::Open { from: at(10), cause: "connection lost" },
        GapOrder::Open { from: at(11), cause: "connection silent" },
        GapOrder::Close { to: at(20) },
        GapOrder::Close { to: at(21) },
        GapOrder::Past { from: at(5), to: at(6), cause: "the disk refused events" },
        GapOrder::Open { from: at(30), cause: "no token" },
    ];
    writer.commit(Batch { gaps, pulse: Some(at(9)), ..Batch::default() }).await.unwrap();
    let gap = |from, to: Option<u64>, cause: &str| {
        (domain::trust::Gap { from: at(from), to: to.map(at) }, cause.to_owned())
    };
    let told = |gaps: Vec<StoredGap>| -> Vec<_> {
        gaps.into_iter().map(|StoredGap { gap, cause, .. }| (gap, cause)).collect()
    };
    let gaps = store.gaps_since(at(0)).await.unwrap();
    let repaired = gaps[1].gap_id;
    assert_eq!(
        told(gaps),
        [
            gap(5, Some(6), "the disk refused events"),
            gap(10, Some(20), "connection lost"),
            gap(30, None, "no token"),
        ]
    );
    assert_eq!(told(store.gaps_since(at(25)).await.unwrap()), [gap(30, None, "no token")]);
    for seconds in [40, 50] {
        let gaps = vec![GapOrder::Repaired { gap_id: repaired, at: at(seconds) }];
        writer.commit(Batch { gaps, ..Batch::default() }).await.unwrap();
    }
    let repaired_at: Vec<_> =
        store.gaps_since(at(0)).await.unwrap().into_iter().map(|gap| gap.repaired_at).collect();
    assert_eq!(repaired_at, [None, Some(at(40)), None], "the first repair stays on record");
    for seconds in [60, 70] {
        let gaps = vec![GapOrder::ReadAgain { gap_id: repaired, at: at(seconds) }];
        writer.commit(Batch { gaps, ..Batch::default() }).await.unwrap();
    }
    let read_again_at: Vec<_> =
        store.gaps_since(at(0)).await.unwrap().into_iter().map(|gap| gap.read_again_at).collect();
    assert_eq!(read_again_at, [None, Some(at(60)), None]);
    assert_eq!(store.last_pulse().await.unwrap(), Some(at(9)));
    writer.commit(Batch { pulse: Some(at(12)), ..Batch::default() }).await.unwrap();
    assert_eq!(store.last_pulse().await.unwrap(), Some(at(12)));
}

#[tokio::test]
async fn places_and_recent_keys_follow_the_time_of_arrival() {
    let folder = TempDir::new().unwrap();
    let (store, mut writer) = open(folder.path()).await;
    assert_eq!(store.place_before(NOW).await.unwrap(), 0);
    let events = (0..10).map(|number| event(number, NOW + Duration::from_secs(number))).collect();
    writer.commit(Batch { events, ..Batch::default() }).await.unwrap();
    assert_eq!(store.place_before(NOW).await.unwrap(), 0);
    assert_eq!(store.place_before(NOW + Duration::from_millis(3_500)).await.unwrap(), 4);
    assert_eq!(store.place_before(NOW + Duration::from_secs(60)).await.unwrap(), 10);
    let keys = writer.recent_keys(NOW + Duration::from_secs(5), 3).await.unwrap();
    let newest_first: Vec<_> = [9, 8, 7].into_iter().map(|number| event(number, NOW).key).collect();
    assert_eq!(keys, newest_first);
}

#[tokio::test]
async fn counts_of_requests_never_fall_and_are_forgotten_after_two_months() {
    let folder = TempDir::new().unwrap();
    let (store, mut writer) = open(folder.path()).await;
    let count = |day, used, used_up_until| RequestCount {
        day,
        product: "phone".to_owned(),
        category: "heavy".to_owned(),
        used,
        used_up_until,
    };
    for requests in [
        vec![count(100, 10, None), count(101, 30, Some(NOW))],
        vec![count(101, 20, None)],
        vec![count(163, 1, None)],
    ] {
        writer.commit(Batch { requests, ..Batch::default() }).await.unwrap();
    }
    assert_eq!(store.requests_since(0).await.unwrap(), [count(101, 30, Some(NOW)), count(163, 1, None)]);
    assert_eq!(store.requests_since(102).await.unwrap(), [count(163, 1, None)]);
}

#[tokio::test]
async fn what_is_known_of_the_account_is_replaced_thing_by_thing() {
    let folder = TempDir::new().unwrap();
    let (store, mut writer) = open(folder.path()).await;
    let change = |kind, texts: &[(&str, Option<&str>)]| DirectoryChange {
        kind,
        texts: texts.iter().map(|(id, text)| ((*id).to_owned(), text.map(str::to_owned))).collect(),
    };
    let directory = vec![
        change("queue", &[("q1", Some("Sales")), ("q2", Some("Support"))]),
        change("site", &[("q1", Some("Berlin"))]),
        change("queue", &[("q1", Some("Sales EMEA")), ("q2", None), ("q3", None)]),
    ];
    writer.commit(Batch { directory, ..Batch::default() }).await.unwrap();
    let known = store.directory().await.unwrap();
    let known: Vec<_> =
        known.iter().map(|entry| (entry.kind.as_str(), entry.id.as_str(), entry.text.as_str())).collect();
    assert_eq!(known, [("queue", "q1", "Sales EMEA"), ("site", "q1", "Berlin")]);
}

/// Everything the store ever says to SQLite, and whether it may read a whole table: the counts of
/// rows that are kept few may.
const STATEMENTS: [(&str, bool); 85] = [
    (event::PAGE, false),
    (event::FIRST_SINCE, false),
    (event::LAST, false),
    (event::COUNT_QUARANTINED, true),
    (gap::GAPS_SINCE, false),
    (gap::PULSE, false),
    (writer::INSERT_256, false),
    (writer::INSERT_64, false),
    (writer::INSERT_16, false),
    (writer::INSERT_4, false),
    (writer::INSERT_1, false),
    (writer::WRITTEN, false),
    (writer::INSERT_QUARANTINED, false),
    (writer::TRIM_QUARANTINE, false),
    (writer::OPEN_GAP, false),
    (writer::CLOSE_GAP, false),
    (writer::INSERT_GAP, false),
    (writer::REPAIR_GAP, false),
    (writer::READ_GAP_AGAIN, false),
    (writer::WRITE_PULSE, false),
    (visit::VISITS_OF_CALLS, false),
    (visit::DELETE_VISITS, false),
    (visit::INSERT_VISITS, false),
    (visit::INSERT_CORRECTIONS, false),
    (visit::WAITS_OF_QUARTERS, false),
    // What is read whole are the quarters that are asked for; see `reports`.
    (visit::SUM_QUARTERS, true),
    (visit::WAITS, false),
    (visit::FINISHED, false),
    (visit::SET_PLACE, false),
    (visit::PLACE, false),
    (record::UPSERT_RECORDS, false),
    (record::UPSERT_ELEMENTS, false),
    (record::SET_RECORD_PLACE, false),
    (record::RECORD_PLACE, false),
    (record::RECORD_EVENTS, false),
    (walk::WALK, false),
    (walk::BEGIN_WALK, false),
    (walk::REACH, false),
    (walk::READ_CALL, false),
    (walk::FORGET_CALLS, true),
    (walk::CALLS_READ, true),
    (walk::FIRST_STAY, false),
    (reconciliation::CLASSES, false),
    (reconciliation::DIFFERING, false),
    // What is read whole are the stretches and queues that are asked for.
    (report::SUMS, true),
    (report::SUMS_OF_ALL, true),
    (journey::RECORDS, false),
    (journey::ELEMENTS, false),
    (journey::EVENTS, false),
    (writer::RECENT_KEYS, false),
    (writer::INSTALL, false),
    (request::SINCE, false),
    (request::WRITE, false),
    (request::FORGET, false),
    // All of it is wanted.
    (directory::ALL, true),
    (directory::WRITE, false),
    (directory::FORGET, false),
    // Of one row.
    (event::PACKED_BEFORE, true),
    (note::INSERT_NOTE, false),
    (note::NOTE_AT, false),
    (note::NOTES_AFTER, false),
    // The first and the last of all.
    (note::FIRST_NOTE, true),
    (note::NEWEST_NOTE, true),
    (segment::LOOSE_EVENTS, false),
    // The last of all.
    (segment::PACKED_UNTIL, true),
    (segment::NEWEST_DICTIONARY, true),
    (segment::SEGMENT_WITH_EVENT_AFTER, false),
    (segment::SEGMENT_WITH_NOTE_AFTER, false),
    (segment::SEGMENT_WITH_NOTE_AT, false),
    (segment::INSERT_SEGMENT, false),
    (segment::INSERT_DICTIONARY, false),
    (segment::KEEP_KEYS, false),
    (segment::DROP_EVENTS, false),
    (segment::DROP_NOTES, false),
    (segment::INSERT_SNAPSHOT, false),
    (segment::SNAPSHOT_BEFORE, false),
    // Those of other versions are passed over, until they are forgotten.
    (segment::NEWEST_SNAPSHOT, true),
    // Some hundred snapshots and some thousand segments, once an hour.
    (segment::FORGET_SNAPSHOTS, true),
    (segment::FORGET_SEGMENTS, true),
    (segment::FORGET_KEYS, false),
    (segment::SIZE, true),
    (segment::SNAPSHOT_SIZE, true),
    (segment::SNAPSHOT_SINCE, false),
    (segment::DATABASE_SIZE, true),
    (segment::REFUSE_PACKED, false),
];

#[tokio::test]
async fn every_statement_fits_the_schema_and_reads_no_whole_table() {
    let folder = TempDir::new().unwrap();
    let (_store, mut writer) = open(folder.path()).await;
    let connection = writer.connection();
    for (statement, may_scan) in STATEMENTS {
        let plan = sqlx::query(AssertSqlSafe(format!("explain query plan {statement}")))
            .fetch_all(&mut *connection)
            .await
            .unwrap_or_else(|error| panic!("{statement}: {error}"));
        for step in plan {
            let step: String = step.get("detail");
            // A list of values in the statement itself is no table.
            let is_list = step.ends_with(" VALUES CLAUSE")
                || step.ends_with(" CONSTANT ROW")
                || step.contains(" VIRTUAL TABLE ");
            let scans = step.starts_with("SCAN ") && !is_list;
            let beginning: String = statement.chars().take(200).collect();
            assert!(may_scan || !scans, "{beginning}\nreads a whole table: {step}");
        }
    }
    // The one row of the installation is all there is to read.
    sqlx::query(writer::INSTALLATION).fetch_one(&mut *connection).await.unwrap();
    assert_eq!(sqlx::query(writer::TOUCH).execute(connection).await.unwrap().rows_affected(), 1);
}

/// A new file does not rebuild the crate by itself; this notices when the binary lags behind.
#[test]
fn all_migrations_are_embedded_and_named_by_the_rule() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    let mut files = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(stem) = name.strip_suffix(".sql") else { continue };
        let (stamp, words) = stem.split_once('_').unwrap_or_default();
        assert!(stamp.len() == 14 && stamp.bytes().all(|byte| byte.is_ascii_digit()), "stamp of {name}");
        assert!(words.contains('_'), "{name} needs a verb and a noun");
        files.insert(stamp.parse::<i64>().unwrap());
    }
    let embedded: BTreeSet<_> = MIGRATIONS.iter().map(|migration| migration.version).collect();
    assert_eq!(embedded, files, "touch server/src/store.rs and build again");
}

#[tokio::test]
async fn a_clock_that_was_set_back_hides_no_event() {
    let folder = TempDir::new().unwrap();
    let (store, mut writer) = open(folder.path()).await;
    let times = [0, 500, 100, 200];
    let events = (0..).zip(times).map(|(number, at)| event(number, NOW + Duration::from_secs(at))).collect();
    writer.commit(Batch { events, ..Batch::default() }).await.unwrap();
    assert_eq!(store.place_before(NOW + Duration::from_secs(50)).await.unwrap(), 1);
}

#[tokio::test]
async fn a_database_that_may_only_be_read_is_refused_with_the_next_step() {
    let folder = TempDir::new().unwrap();
    let (store, mut writer) = open(folder.path()).await;
    // What SQLite makes of a file it may not write, whoever runs this test.
    let reading = options(&folder.path().join("callboard.sqlite")).read_only(true);
    *writer.connection() = SqliteConnection::connect_with(&reading).await.unwrap();
    let refused = writer.prove_writable().await.unwrap_err();
    assert!(refused.to_string().contains("let this user write the file"), "{refused}");
    store.close().await;
}

#[tokio::test]
async fn a_file_that_is_no_database_is_told_from_a_folder_without_permission() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("callboard.sqlite"), "no database".repeat(1_000)).unwrap();
    let refused = Store::open(folder.path(), Purpose::Work, NOW).await.unwrap_err();
    assert!(refused.to_string().contains("restore a backup"), "{refused}");

    // Whoever runs the tests may write everywhere, but nobody in a folder that is not there.
    #[cfg(unix)]
    {
        let folder = TempDir::new().unwrap();
        std::os::unix::fs::symlink("not/there", folder.path().join("callboard.sqlite")).unwrap();
        let refused = Store::open(folder.path(), Purpose::Work, NOW).await.unwrap_err();
        assert!(refused.to_string().contains("let this user write the file"), "{refused}");
    }
}

#[tokio::test]
async fn a_demo_and_real_calls_never_share_a_database() {
    let folder = tempfile::tempdir().unwrap();
    let (store, writer) = Store::open(folder.path(), Purpose::Demo, NOW).await.unwrap();
    store.close().await;
    writer.close().await.unwrap();
    drop(store);
    let refused = Store::open(folder.path(), Purpose::Work, NOW).await.unwrap_err();
    assert!(refused.to_string().contains("a demo made it"), "{refused}");
    assert!(Store::open(folder.path(), Purpose::Demo, NOW).await.is_ok());
}

#[tokio::test]
async fn a_demo_begins_without_what_an_earlier_one_left() {
    let folder = tempfile::tempdir().unwrap();
    let (first, writer, replaced) = Store::open_demo(folder.path(), NOW).await.unwrap();
    assert!(!replaced);
    let earlier = first.installation().id.clone();
    drop((first, writer));
    // Whatever a clock says that may have been set back.
    let (second, writer, replaced) = Store::open_demo(folder.path(), NOW).await.unwrap();
    assert!(replaced && second.installation().id != earlier);
    drop((second, writer));

    let real = tempfile::tempdir().unwrap();
    drop(Store::open(real.path(), Purpose::Work, NOW).await.unwrap());
    let refused = Store::open_demo(real.path(), NOW).await.unwrap_err();
    assert!(refused.to_string().contains("it holds real calls"), "{refused}");
}

#[tokio::test]
async fn a_database_of_another_program_is_left_as_it_is() {
    for (journal, tables) in [
        ("delete", "create table recipe (name text)"),
        ("wal", "create table recipe (name text)"),
        // Another program that keeps its schema as this one does.
        ("delete", "create table _sqlx_migrations (version bigint); create table recipe (name text)"),
        ("delete", "create view seven as select 7"),
        // One that has a table of the same name besides.
        (
            "delete",
            "create table _sqlx_migrations (version bigint, checksum blob); create table installation (name text);
             insert into _sqlx_migrations values (20261121210000, x'00')",
        ),
        (
            "delete",
            "create table _sqlx_migrations (version bigint, checksum blob); create table installation (name text)",
        ),
    ] {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("callboard.sqlite");
        let theirs = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
        let mut theirs =
            SqliteConnection::connect_with(&theirs.pragma("journal_mode", journal)).await.unwrap();
        theirs.execute(AssertSqlSafe(tables)).await.unwrap();
        theirs.close().await.unwrap();
        let before = fs::read(&file).unwrap();
        let served = Store::open(folder.path(), Purpose::Work, NOW).await.unwrap_err();
        let shown = Store::open_demo(folder.path(), NOW).await.unwrap_err();
        for refused in [served, shown] {
            assert!(matches!(refused, StoreError::Foreign { .. }), "{refused}");
            assert!(refused.to_string().contains("another program made it"), "{refused}");
            assert!(refused.to_string().contains("move it away or set CALLBOARD_DATA_DIR"), "{refused}");
        }
        assert!(fs::read(&file).unwrap() == before, "{tables}");
    }
}

#[tokio::test]
async fn what_stands_in_the_place_of_the_database_is_named() {
    let refusal = async |prepare: &dyn Fn(&Path)| {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("callboard.sqlite");
        prepare(&file);
        let before = fs::metadata(&file).unwrap().modified().unwrap();
        let refused = Store::open(folder.path(), Purpose::Work, NOW).await.unwrap_err().to_string();
        assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), before, "{refused}");
        refused
    };
    let said = refusal(&|file| fs::create_dir(file).unwrap()).await;
    assert!(said.contains("a folder stands in its place; move it away"), "{said}");
    #[cfg(unix)]
    {
        let said = refusal(&|file| {
            let made = std::process::Command::new("mkfifo").arg(file).status().unwrap();
            assert!(made.success());
        })
        .await;
        assert!(said.contains("a named pipe, a socket or a device stands in its place"), "{said}");
    }
    let said = refusal(&|file| fs::write(file, "Dear diary, ".repeat(500)).unwrap()).await;
    assert!(said.contains("it is no SQLite database") && said.contains("move the file away"), "{said}");
    let said = refusal(&|file| {
        fs::write(file, "").unwrap();
        fs::write(file.with_extension("sqlite-journal"), [0xd9, 0xd5, 0x05, 0xf9]).unwrap();
    })
    .await;
    assert!(said.contains("was interrupted") && said.contains("move both files away"), "{said}");
}

#[tokio::test]
async fn a_journal_that_is_done_with_is_no_obstacle() {
    let folder = TempDir::new().unwrap();
    drop(open(folder.path()).await);
    fs::write(folder.path().join("callboard.sqlite-journal"), [0; 28]).unwrap();
    drop(open(folder.path()).await);
}

#[tokio::test]
async fn an_empty_database_is_taken() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("callboard.sqlite");
    fs::write(&file, "").unwrap();
    drop(open(folder.path()).await);
    // As after a crash before the first migration.
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("callboard.sqlite");
    let ours = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let mut ours = SqliteConnection::connect_with(&ours).await.unwrap();
    sqlx::migrate::Migrate::ensure_migrations_table(&mut ours, "_sqlx_migrations").await.unwrap();
    ours.close().await.unwrap();
    drop(open(folder.path()).await);
}

#[tokio::test]
async fn a_folder_stays_locked_while_what_an_earlier_demo_left_is_thrown_away() {
    let folder = TempDir::new().unwrap();
    drop(Store::open_demo(folder.path(), NOW).await.unwrap());
    let lock = Arc::new(lock_folder(folder.path()).unwrap());
    let watched = Arc::downgrade(&lock);
    let opened = Store::open_demo_with(lock, folder.path(), NOW).await.unwrap();
    assert!(opened.2, "it was thrown away");
    // What was let go once does not come back: one lock was held all the time.
    assert!(watched.upgrade().is_some(), "nobody could have got in");
    assert!(matches!(lock_folder(folder.path()), Err(StoreError::Locked { .. })));
}
