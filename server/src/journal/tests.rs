use domain::{id::CallId, trust::Gap};
use tempfile::TempDir;

use super::*;
use crate::{
    clock,
    store::{Store, StoredGap, vandal::Vandal},
    zoom::{sample, wire::LONGEST_MESSAGE},
};

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

struct Fixture {
    store: Store,
    journal: Journal,
    facts: mpsc::Receiver<Vec<Journalled>>,
    tracker: TaskTracker,
    stop: CancellationToken,
    folder: TempDir,
}

async fn start(folder: TempDir) -> Fixture {
    let (store, writer) = Store::open(folder.path(), crate::Purpose::Work, NOW).await.unwrap();
    let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
    let (send, facts) = mpsc::channel(1_000);
    let reader = Reader::new(Some("acc"));
    let journal = Journal::start(writer, reader, send, NOW, &tracker, stop.clone()).await.unwrap();
    Fixture { store, journal, facts, tracker, stop, folder }
}

async fn fresh() -> Fixture {
    start(TempDir::new().unwrap()).await
}

impl Fixture {
    /// Stops the journal; the folder can be opened again.
    async fn stop(self) -> TempDir {
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
        self.store.close().await;
        self.folder
    }

    /// A second connection that gets in the journal's way.
    async fn vandal(&self) -> Vandal {
        Vandal::at(self.folder.path()).await
    }
}

fn text(number: u64) -> String {
    sample::ringing(number, NOW)
}

fn from(source: Source, number: u64) -> Incoming {
    Incoming::read(&Reader::new(Some("acc")), source, NOW, &text(number))
}

fn calls(events: &[Journalled]) -> Vec<(i64, Option<CallId>)> {
    events.iter().map(|event| (event.event_id, event.fact.clone().map(|fact| fact.call_id))).collect()
}

fn call(event_id: i64, number: u64) -> (i64, Option<CallId>) {
    (event_id, Some(CallId::new(number.to_string())))
}

#[tokio::test]
async fn an_event_counts_once_by_whichever_way_it_comes() {
    let mut fixture = fresh().await;
    let journal = fixture.journal.clone();
    assert_eq!(journal.append(from(Source::Webhook, 1)).await, Ok(Receipt::Journalled));
    assert_eq!(journal.append(from(Source::Webhook, 1)).await, Ok(Receipt::Duplicate));
    journal.submit(from(Source::Socket, 1)).await.unwrap();
    journal.submit(from(Source::Socket, 2)).await.unwrap();
    journal.flush().await.unwrap();
    assert_eq!(calls(&fixture.facts.recv().await.unwrap()), [call(1, 1)]);
    assert_eq!(calls(&fixture.facts.recv().await.unwrap()), [call(2, 2)]);
    let stats = journal.stats();
    assert_eq!((stats.journalled, stats.facts, stats.duplicates), (2, 2, 2));
    assert_eq!((stats.newest_at, stats.queued), (Some(NOW), 0));
    assert_eq!(journal.append(from(Source::Rest, 1)).await, Ok(Receipt::Duplicate));
    let stats = journal.stats();
    assert_eq!((stats.duplicates, stats.read_again), (3, 1), "what was read again was not sent again");
    assert_eq!(fixture.store.last_event_id().await.unwrap(), 2);
}

#[tokio::test]
async fn where_events_crowd_those_that_come_in_a_moment_share_a_commit() {
    let mut fixture = fresh().await;
    let journal = fixture.journal.clone();
    let submit = |number| {
        let incoming = from(Source::Socket, number);
        journal.try_slot(incoming.byte_count()).unwrap().submit(incoming);
    };
    tokio::time::pause();
    for crowd in [500, 499] {
        let (before, first) = (journal.stats().commits, crowd * 1_000);
        (first..first + crowd).for_each(submit);
        tokio::time::sleep(Duration::from_millis(5)).await;
        submit(first + crowd);
        journal.flush().await.unwrap();
        let mut told = 0;
        while told <= crowd {
            told += fixture.facts.recv().await.unwrap().len() as u64;
        }
        let commits = journal.stats().commits - before;
        assert_eq!(commits == 1, crowd == 500, "{commits} commits for {crowd} events and one more");
    }
}

#[tokio::test]
async fn duplicates_within_one_commit_share_its_fate() {
    let fixture = fresh().await;
    let journal = &fixture.journal;
    let (first, second, third) = tokio::join!(
        journal.append(from(Source::Webhook, 1)),
        journal.append(from(Source::Webhook, 1)),
        journal.append(from(Source::Webhook, 2)),
    );
    assert_eq!(
        (first, second, third),
        (Ok(Receipt::Journalled), Ok(Receipt::Duplicate), Ok(Receipt::Journalled))
    );
    let stats = journal.stats();
    assert_eq!((stats.journalled, stats.duplicates), (2, 1));
}

#[tokio::test]
async fn duplicates_are_known_after_a_restart() {
    let fixture = fresh().await;
    fixture.journal.append(from(Source::Webhook, 1)).await.unwrap();
    let fixture = start(fixture.stop().await).await;
    assert_eq!(fixture.journal.append(from(Source::Webhook, 1)).await, Ok(Receipt::Duplicate));
    assert_eq!(fixture.journal.stats().commits, 0, "known without asking the database");
    assert_eq!(fixture.journal.append(from(Source::Webhook, 2)).await, Ok(Receipt::Journalled));
}

#[tokio::test]
async fn the_database_refuses_duplicates_that_memory_forgot() {
    let fixture = fresh().await;
    fixture.journal.append(from(Source::Webhook, 1)).await.unwrap();
    let folder = fixture.stop().await;
    // Started long after: the keys of today's event are not loaded.
    let (store, writer) = Store::open(folder.path(), crate::Purpose::Work, NOW).await.unwrap();
    let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
    let (send, mut facts) = mpsc::channel(10);
    let much_later = NOW + Duration::from_secs(86_400);
    let journal =
        Journal::start(writer, Reader::default(), send, much_later, &tracker, stop.clone()).await.unwrap();
    let (again, new) =
        tokio::join!(journal.append(from(Source::Webhook, 1)), journal.append(from(Source::Webhook, 3)));
    assert_eq!((again, new), (Ok(Receipt::Duplicate), Ok(Receipt::Journalled)));
    let events = facts.recv().await.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].fact.as_ref().unwrap().call_id.as_str(), "3");
    assert_eq!(store.last_event_id().await.unwrap(), events[0].event_id);
    assert_eq!(journal.stats().duplicates, 1);
}

#[tokio::test]
async fn what_cannot_be_read_goes_into_quarantine_with_its_beginning() {
    let fixture = fresh().await;
    let long = "x".repeat(100_000);
    let incoming = Incoming::read(&Reader::default(), Source::Webhook, NOW, &long);
    assert!(incoming.is_unreadable());
    assert_eq!(fixture.journal.append(incoming).await, Ok(Receipt::Quarantined));
    let (kept, whole, reason) = fixture.vandal().await.quarantined().await;
    assert_eq!((kept, whole), (64 << 10, 100_000));
    assert!(reason.starts_with("not readable as JSON"), "{reason}");
    assert_eq!(fixture.journal.stats().quarantined, 1);
}

#[tokio::test]
async fn a_record_that_cannot_be_read_costs_its_neighbours_nothing() {
    let fixture = fresh().await;
    let record = Incoming::read(&Reader::default(), Source::Rest, NOW, &"x".repeat(LONGEST_MESSAGE + 1));
    let (event, record) =
        tokio::join!(fixture.journal.append(from(Source::Webhook, 1)), fixture.journal.append(record));
    assert_eq!((event, record), (Ok(Receipt::Journalled), Ok(Receipt::Quarantined)));
}

#[tokio::test]
async fn a_reading_of_ours_is_taken_from_nobody_else() {
    let fixture = fresh().await;
    let append = async |source, name: &str| {
        let text = format!(r#"{{"event":"{name}","payload":{{"object":{{"id":"{source:?}"}}}}}}"#);
        fixture.journal.append(Incoming::read(&Reader::default(), source, NOW, &text)).await.unwrap()
    };
    for name in ["rest.call_history", "rest.call_log", "rest.presence_status"] {
        assert_eq!(append(Source::Webhook, name).await, Receipt::Quarantined);
        assert_eq!(append(Source::Socket, name).await, Receipt::Quarantined);
        assert_eq!(append(Source::Rest, name).await, Receipt::Journalled);
    }
    let (_, _, reason) = fixture.vandal().await.quarantined().await;
    assert!(reason.ends_with("and came from outside"), "{reason}");
}

#[tokio::test]
async fn other_events_are_kept_without_a_fact_and_other_accounts_are_counted() {
    let mut fixture = fresh().await;
    let reader = Reader::new(Some("acc"));
    let texts = [text(1).replace("\"acc\"", "\"foreign\""), r#"{"event":"user.updated"}"#.to_owned()];
    for (text, has_fact) in texts.iter().zip([true, false]) {
        let incoming = Incoming::read(&reader, Source::Webhook, NOW, text);
        assert_eq!(fixture.journal.append(incoming).await, Ok(Receipt::Journalled));
        assert_eq!(fixture.facts.recv().await.unwrap()[0].fact.is_some(), has_fact);
    }
    let stats = fixture.journal.stats();
    assert_eq!((stats.journalled, stats.facts, stats.foreign_account), (2, 1, 1));
}

#[tokio::test]
async fn a_refusing_disk_acknowledges_nothing_and_its_loss_becomes_a_gap() {
    let mut fixture = fresh().await;
    let journal = fixture.journal.clone();
    let mut status = journal.status();
    let mut vandal = fixture.vandal().await;
    vandal.forbid_events().await;

    assert_eq!(journal.append(from(Source::Webhook, 1)).await, Err(AppendError::Refused));
    journal.submit(from(Source::Socket, 2)).await.unwrap();
    journal.open_gap(NOW, "connection lost").await.unwrap();
    journal.submit(from(Source::Socket, 3)).await.unwrap();
    journal.flush().await.unwrap();
    let failing = status.wait_for(|status| *status != JournalStatus::Working).await.unwrap().clone();
    let JournalStatus::Failing { problem, .. } = failing else { panic!("failing") };
    assert!(problem.contains("check the disk"), "{problem}");
    assert_eq!((journal.stats().lost, journal.stats().journalled), (2, 0));
    assert!(fixture.facts.try_recv().is_err(), "nothing is shown that is not on disk");

    vandal.allow_events().await;
    assert_eq!(journal.append(from(Source::Webhook, 1)).await, Ok(Receipt::Journalled));
    assert_eq!(calls(&fixture.facts.recv().await.unwrap()), [call(1, 1)]);
    assert_eq!(*status.borrow_and_update(), JournalStatus::Working);
    let gap = |to, cause: &str| (Gap { from: NOW, to }, cause.to_owned());
    let told = |StoredGap { gap, cause, .. }| (gap, cause);
    let mut gaps: Vec<_> = fixture.store.gaps_since(NOW).await.unwrap().into_iter().map(told).collect();
    gaps.sort_by_key(|(gap, _)| gap.to);
    assert_eq!(gaps, [gap(None, "connection lost"), gap(Some(NOW), "the disk refused events")]);
}

#[tokio::test]
async fn what_a_locked_database_did_not_take_is_written_when_it_is_free_again() {
    let mut fixture = fresh().await;
    let journal = fixture.journal.clone();
    let mut vandal = fixture.vandal().await;
    vandal.lock().await;
    journal.submit(from(Source::Socket, 1)).await.unwrap();
    let mut status = journal.status();
    let failing = status.wait_for(|status| *status != JournalStatus::Working).await.unwrap().clone();
    let JournalStatus::Failing { problem, .. } = failing else { panic!("failing") };
    assert!(problem.contains("end that program"), "{problem}");
    journal.submit(from(Source::Socket, 2)).await.unwrap();
    let held = journal.bytes.available_permits();
    assert!(held < QUEUE_BYTES, "what waits takes its room");

    vandal.unlock().await;
    let mut written = Vec::new();
    while written.len() < 2 {
        written.extend(fixture.facts.recv().await.unwrap());
    }
    assert_eq!(calls(&written), [call(1, 1), call(2, 2)]);
    assert_eq!(journal.append(from(Source::Webhook, 1)).await, Ok(Receipt::Duplicate));
    assert_eq!((journal.stats().lost, journal.stats().journalled), (0, 2));
    assert_eq!(fixture.store.gaps_since(NOW).await.unwrap(), []);
    assert_eq!(*status.borrow_and_update(), JournalStatus::Working);
    assert!(journal.slot(QUEUE_BYTES).await.is_ok(), "all room is free again");
}

#[cfg(unix)]
#[tokio::test]
async fn a_database_that_was_taken_away_acknowledges_nothing() {
    let fixture = fresh().await;
    let journal = &fixture.journal;
    let (file, aside) = (fixture.folder.path().join("callboard.sqlite"), fixture.folder.path().join("aside"));
    assert_eq!(journal.append(from(Source::Webhook, 1)).await, Ok(Receipt::Journalled));
    std::fs::rename(&file, &aside).unwrap();
    assert_eq!(journal.append(from(Source::Webhook, 2)).await, Err(AppendError::Refused));
    let JournalStatus::Failing { problem, .. } = journal.status().borrow().clone() else { panic!("failing") };
    assert!(problem.contains("put the file back"), "{problem}");

    std::fs::copy(&aside, &file).unwrap();
    assert_eq!(journal.append(from(Source::Webhook, 3)).await, Err(AppendError::Refused), "another file");
    std::fs::rename(&aside, &file).unwrap();
    journal.append(from(Source::Webhook, 3)).await.unwrap();
    assert_eq!(*journal.status().borrow(), JournalStatus::Working);
    assert_eq!(fixture.store.last_event_id().await.unwrap(), 3, "what was refused is written, too");
}

#[tokio::test]
async fn refused_and_unheard_webhooks_leave_a_gap() {
    let fixture = fresh().await;
    let journal = &fixture.journal;
    let mut vandal = fixture.vandal().await;
    vandal.forbid_events().await;
    assert_eq!(journal.append(from(Source::Webhook, 1)).await, Err(AppendError::Refused));
    assert_eq!(journal.append(from(Source::Rest, 2)).await, Err(AppendError::Refused));
    vandal.allow_events().await;

    let room = journal.slot(QUEUE_BYTES).await.unwrap();
    let later = NOW + Duration::from_secs(9);
    let unheard = Incoming::read(&Reader::default(), Source::Webhook, later, &text(3));
    tokio::time::pause();
    assert_eq!(journal.append(unheard).await, Err(AppendError::TimedOut));
    tokio::time::resume();
    drop(room);
    journal.append(from(Source::Webhook, 4)).await.unwrap();
    let gaps = fixture.store.gaps_since(NOW).await.unwrap();
    let told: Vec<_> = gaps.into_iter().map(|stored| (stored.gap, stored.cause)).collect();
    let cause = "the disk refused events".to_owned();
    assert_eq!(told, [(Gap { from: NOW, to: Some(later) }, cause)]);
}

#[tokio::test]
async fn a_slow_disk_is_not_waited_for_beyond_zooms_patience() {
    let fixture = fresh().await;
    let mut vandal = fixture.vandal().await;
    vandal.lock().await;
    let outcome = fixture.journal.append(from(Source::Webhook, 1)).await;
    assert_eq!(outcome, Err(AppendError::TimedOut));
    vandal.unlock().await;
    // The first attempt was written after all, or this one is: in any case once.
    fixture.journal.append(from(Source::Webhook, 1)).await.unwrap();
    assert_eq!(fixture.store.last_event_id().await.unwrap(), 1);
}

#[tokio::test]
async fn stopping_writes_what_is_queued() {
    let fixture = fresh().await;
    for number in 0..3_000 {
        fixture.journal.submit(from(Source::Socket, number)).await.unwrap();
    }
    fixture.journal.pulse(NOW + Duration::from_secs(7)).await.unwrap();
    let journal = fixture.journal.clone();
    let fixture = start(fixture.stop().await).await;
    assert_eq!(fixture.store.last_event_id().await.unwrap(), 3_000);
    assert_eq!(fixture.store.last_pulse().await.unwrap(), Some(NOW + Duration::from_secs(7)));
    assert_eq!(journal.submit(from(Source::Socket, 1)).await, Err(JournalStopped));
    assert_eq!(journal.append(from(Source::Webhook, 1)).await, Err(AppendError::Stopped));
}

#[tokio::test]
async fn the_journal_can_be_read_back_from_any_instant() {
    let mut fixture = fresh().await;
    let reader = Reader::new(Some("acc"));
    let at = |number: u64| NOW + Duration::from_secs(number);
    for number in 0..4_500 {
        let incoming = Incoming::read(&reader, Source::Socket, at(number), &text(number));
        fixture.journal.submit(incoming).await.unwrap();
    }
    fixture.journal.flush().await.unwrap();
    let mut live = Vec::new();
    while live.len() < 4_500 {
        live.extend(fixture.facts.recv().await.unwrap());
    }
    for (from, first) in [(NOW, 0), (at(2_000), 2_000), (at(4_499), 4_499), (at(9_000), 4_500)] {
        let mut replay = Replay::start(&fixture.store, reader.clone(), from).await.unwrap();
        let mut replayed = Vec::new();
        while let Some(page) = replay.next_page().await.unwrap() {
            assert!(!page.is_empty());
            replayed.extend(page);
        }
        assert_eq!(replayed, live[first..], "from {}", clock::format_rfc3339(from));
    }
}

#[tokio::test]
async fn long_messages_wait_for_room() {
    let fixture = fresh().await;
    let mut slots = Vec::new();
    while let Some(slot) = fixture.journal.try_slot(1 << 20) {
        slots.push(slot);
    }
    assert_eq!(slots.len(), QUEUE_BYTES >> 20);
    assert!(fixture.journal.try_slot(1).is_none());
    slots.pop();
    assert!(fixture.journal.try_slot(1).is_some());
    assert!(fixture.journal.try_slot(2 << 20).is_none());
}
