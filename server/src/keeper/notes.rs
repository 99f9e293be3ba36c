//! Writes down once a second what the board goes by besides events, so that it can be shown again.
//!
//! Never waits. What cannot be written now is in the next note; after a note that may be lost,
//! everything is told anew.

use domain::{id::QueueId, service_level::PromiseBook, time::Timestamp, trust::Trust};
use tokio::sync::oneshot::{self, error::TryRecvError};

use crate::{
    clock,
    journal::Journal,
    situation::{PresenceTold, Situation, Told},
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
    /// Whether the last note is on disk, until that is known.
    awaited: Option<oneshot::Receiver<bool>>,
}

#[derive(Debug)]
struct Noted {
    trust: Trust,
    presence: PresenceTold,
}

impl NoteTaker {
    /// Of a board whose queues promise that.
    pub(crate) fn new(journal: Journal, epoch: u64, promises: PromiseBook) -> Self {
        Self { journal, epoch, promises, noted: None, told_on: None, awaited: None }
    }

    /// Notes what `situation` goes by at `now`, as published with `revision`, with events up to `event_id`.
    pub(super) fn note(&mut self, situation: &mut Situation, now: Timestamp, revision: u64, event_id: i64) {
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
            told: (told != Told::default()).then(|| serde_json::to_string(&told).unwrap_or_default()),
        };
        self.awaited = self.journal.try_write_note(note);
        // Without room for the note, what it tells is told by the next one.
        if self.awaited.is_some() {
            (self.noted, self.told_on) = (Some(noted), Some(today));
        }
    }

    /// What is another than noted, and what is noted when that is.
    fn news(&mut self, situation: &mut Situation) -> (Told, Noted) {
        let trust = Trust { feed_heard_at: None, ..situation.trusted().clone() };
        let presence = situation.presence.clone();
        let unnoted = situation.take_unnoted();
        let Some(noted) = self.noted.take() else {
            let told = Told {
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
        let told = Told {
            queues: read.iter().filter_map(|id| queues.get(id)).cloned().collect(),
            gone,
            trust: (noted.trust != trust).then(|| trust.clone()),
            presence: (noted.presence != presence).then(|| presence.clone()),
            ..Told::default()
        };
        (told, Noted { trust, presence })
    }
}
