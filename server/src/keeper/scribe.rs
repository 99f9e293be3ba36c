//! Hands what the board tells of finished stays to the journal's writer, one batch at a time.
//!
//! Never waits: the writer waits for the keeper at times, so the keeper must not wait for the writer.
//! What could not be written is handed over again, and writing it twice changes nothing.

use std::sync::Arc;

use domain::{board::Board, time::Timestamp};
use tokio::sync::oneshot::{self, error::TryRecvError};

use crate::{journal::Journal, store::HistoryBatch};

/// Calls in one batch. Some milliseconds of the writer's time, so that no event waits for longer.
const BATCH: usize = 500;

/// Hands over what there is to write of calls.
#[derive(Debug)]
pub(crate) struct Scribe {
    journal: Journal,
    /// The newest event that the board has.
    newest_event_id: i64,
    /// The place that is written.
    written: i64,
    batch: Option<(Arc<HistoryBatch>, Option<oneshot::Receiver<bool>>)>,
}

impl Scribe {
    /// A scribe of a board that has everything up to `newest_event_id`, of which everything up to
    /// `written` stands in the database.
    pub(crate) fn new(journal: Journal, newest_event_id: i64, written: i64) -> Self {
        Self { journal, newest_event_id, written, batch: None }
    }

    /// The board has events up to this one.
    pub(super) fn heard(&mut self, event_id: i64) {
        self.newest_event_id = self.newest_event_id.max(event_id);
    }

    /// The newest event that the board has.
    pub(super) fn newest_event_id(&self) -> i64 {
        self.newest_event_id
    }

    /// Hands over what is new, once the last batch is written.
    pub(super) fn write(&mut self, board: &mut Board, now: Timestamp) {
        if let Some((batch, answer)) = self.batch.take() {
            match answer.map(|mut answer| (answer.try_recv(), answer)) {
                Some((Ok(true), _)) => self.written = batch.place.unwrap_or(self.written),
                Some((Err(TryRecvError::Empty), answer)) => {
                    self.batch = Some((batch, Some(answer)));
                    return;
                }
                Some((Ok(false) | Err(TryRecvError::Closed), _)) | None => {
                    self.hand_over(batch);
                    return;
                }
            }
        }
        let calls = board.take_history(now, BATCH);
        let place = (calls.len() < BATCH).then_some(self.newest_event_id);
        if !calls.is_empty() || place.is_some_and(|place| place > self.written) {
            self.hand_over(Arc::new(HistoryBatch { calls, place, told_at: now }));
        }
    }

    fn hand_over(&mut self, batch: Arc<HistoryBatch>) {
        let answer = self.journal.try_write_history(Arc::clone(&batch));
        self.batch = Some((batch, answer));
    }
}
