//! Writes down once a second what the board goes by besides events, so that it can be shown again.
//!
//! Never waits. What cannot be written now is in the next note; after a note that may be lost,
//! everything is told anew.

use domain::{id::QueueId, service_level::PromiseBook, time::Timestamp, trust::Trust};
use tokio::sync::{
    oneshot::{self, error::TryRecvError},
    watch,
};

use crate::{
    clock,
    journal::Journal,
    situation::{Circumstances, PresenceTold, Situation},
    store::NoteRow,
};

/// Takes notes of one run of the server.
#[derive(Debug)]
pub(crate) struct NoteTaker {
    journal: Journal,
    epoch: u64,
    promises: PromiseBook,
    /// As the notes so far tell it; `None` when they may not.
    noted: Option<Noted>,
    /// The day on which everything was told last: what is older may be forgotten.
    told_on: Option<i64>,
    /// The minute of the newest digest.
    digested: Option<i64>,
    /// Whether the last note is on disk, until that is known.
    awaited: Option<oneshot::Receiver<bool>>,
    /// The record begins when the board has events up to this one.
    begins_after: watch::Receiver<i64>,
}

#[derive(Debug)]
struct Noted {
    trust: Trust,
    presence: PresenceTold,
}

impl NoteTaker {
    /// Of a board whose queues promise that.
    pub(crate) fn new(journal: Journal, epoch: u64, promises: PromiseBook) -> Self {
        let begins_after = watch::channel(0).1;
        Self {
            journal,
            epoch,
            promises,
            noted: None,
            told_on: None,
            digested: None,
            awaited: None,
            begins_after,
        }
    }

    /// The same, beginning when the board has events up to one of which it is told later.
    pub(crate) fn after(self, begins_after: watch::Receiver<i64>) -> Self {
        Self { begins_after, ..self }
    }

    /// Notes what `situation` goes by at `now`, as published with a revision, with events up to one of them. Once
    /// a minute with the digest of that.
    pub(super) fn note(
        &mut self,
        situation: &mut Situation,
        now: Timestamp,
        (revision, event_id): (u64, i64),
        digest: impl FnOnce() -> i64,
    ) {
        if event_id < *self.begins_after.borrow() {
            return;
        }
        match self.awaited.as_mut().map(oneshot::Receiver::try_recv) {
            Some(Err(TryRecvError::Empty)) => return,
            Some(Ok(false) | Err(TryRecvError::Closed)) => self.noted = None,
            Some(Ok(true)) | None => {}
        }
        let today = clock::utc_day(now);
        if self.told_on != Some(today) {
            self.noted = None;
        }
        let (told, noted) = self.news(situation);
        let note = NoteRow {
            at: now,
            epoch: self.epoch,
            revision,
            event_id,
            heard_at: situation.feed_heard_at(),
            newest_fact_at: situation.newest_fact_at(),
            // Plain data always encodes.
            told: (told != Circumstances::default())
                .then(|| serde_json::to_string(&told).unwrap_or_default()),
            digest: (self.digested != Some(minute(now))).then(digest),
        };
        self.awaited = self.journal.try_write_note(note);
        // Without room for the note, what it tells is told by the next one.
        if self.awaited.is_some() {
            (self.noted, self.told_on) = (Some(noted), Some(today));
            self.digested = Some(minute(now));
        }
    }

    /// What is another than noted, and what is noted when that is.
    fn news(&mut self, situation: &mut Situation) -> (Circumstances, Noted) {
        let trust = Trust { feed_heard_at: None, ..situation.trusted().clone() };
        let presence = situation.presence.clone();
        let unnoted = situation.take_unnoted();
        let Some(noted) = self.noted.take() else {
            let told = Circumstances {
                whole: true,
                home: Some(situation.home()),
                queues: situation.queues().values().cloned().collect(),
                gone: Vec::new(),
                promises: Some(self.promises.clone()),
                trust: Some(trust.clone()),
                presence: Some(presence.clone()),
            };
            return (told, Noted { trust, presence });
        };
        let queues = situation.queues();
        let (read, gone): (Vec<QueueId>, Vec<QueueId>) =
            unnoted.into_iter().partition(|id| queues.contains_key(id));
        let told = Circumstances {
            queues: read.iter().filter_map(|id| queues.get(id)).cloned().collect(),
            gone,
            trust: (noted.trust != trust).then(|| trust.clone()),
            presence: (noted.presence != presence).then(|| presence.clone()),
            ..Circumstances::default()
        };
        (told, Noted { trust, presence })
    }
}

fn minute(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(60_000)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::{board::Board, trust::FeedLink};
    use tokio::sync::mpsc;
    use tokio_util::{sync::CancellationToken, task::TaskTracker};

    use super::*;
    use crate::{
        Purpose,
        store::{Store, vandal::Vandal},
        zoom::wire::Reader,
    };

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    #[tokio::test]
    async fn the_record_begins_when_the_board_has_what_is_told_at_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let (store, writer) = Store::open(folder.path(), Purpose::Demo, NOW).await.unwrap();
        let (facts, _journalled) = mpsc::channel(10);
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let journal = Journal::start(writer, Reader::default(), facts, NOW, &tracker, stop).await.unwrap();
        let (begins_after, seen) = watch::channel(i64::MAX);
        let mut notes = NoteTaker::new(journal.clone(), 7, PromiseBook::default()).after(seen);
        let mut situation = Situation::new(Board::new(), chrono_tz::UTC);
        let mut note = |revision, event_id| {
            let at = NOW + Duration::from_secs(revision);
            notes.note(&mut situation, at, (revision, event_id), || 1);
        };
        note(1, 400);
        begins_after.send_replace(900);
        note(2, 899);
        note(3, 900);
        journal.flush().await.unwrap();
        let stored = store.loose_notes_after(0, 10).await.unwrap();
        assert_eq!(stored.iter().map(|note| note.note.revision).collect::<Vec<_>>(), [3]);
    }

    #[tokio::test]
    async fn after_a_note_that_was_lost_everything_is_told_anew() {
        let folder = tempfile::tempdir().unwrap();
        let (store, writer) = Store::open(folder.path(), Purpose::Work, NOW).await.unwrap();
        let (facts, _journalled) = mpsc::channel(10);
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let journal = Journal::start(writer, Reader::default(), facts, NOW, &tracker, stop).await.unwrap();
        let mut notes = NoteTaker::new(journal.clone(), 7, PromiseBook::default());
        let mut situation = Situation::new(Board::new(), chrono_tz::UTC);
        let at = |seconds| NOW + Duration::from_secs(seconds);
        situation.trust(NOW, Trust::of(FeedLink::Live, NOW));
        notes.note(&mut situation, at(0), (1, 0), || 1);
        journal.flush().await.unwrap();
        notes.note(&mut situation, at(1), (2, 0), || 2);
        journal.flush().await.unwrap();

        let mut vandal = Vandal::at(folder.path()).await;
        vandal.forbid_notes().await;
        situation.trust(NOW, Trust::of(FeedLink::Down, at(2)));
        notes.note(&mut situation, at(2), (3, 0), || 3);
        journal.flush().await.unwrap();
        vandal.allow_notes().await;
        notes.note(&mut situation, at(3), (4, 0), || 4);
        journal.flush().await.unwrap();
        let stored = store.loose_notes_after(0, 10).await.unwrap();
        let told = |told: &Option<String>| {
            told.as_ref().map(|told| serde_json::from_str::<Circumstances>(told).unwrap().whole)
        };
        let all: Vec<_> = stored.iter().map(|note| (note.note.revision, told(&note.note.told))).collect();
        assert_eq!(all.first(), Some(&(1, Some(true))));
        assert_eq!(all.get(1), Some(&(2, None)), "nothing but time has passed");
        assert_eq!(all.last(), Some(&(4, Some(true))), "{all:?}");
        let digests: Vec<_> = stored.iter().filter_map(|note| note.note.digest).collect();
        assert_eq!(digests, [1], "one a minute");
    }
}
