//! Files the records in the journal as rows: calls and their elements.
//!
//! Follows the journal at its own pace, beside the way of live events. The rows and the place up to which
//! the journal was read are written together, so that a kill neither loses a record nor files one twice.

use std::{sync::Arc, time::Duration};

use tokio::{task::JoinHandle, time::sleep};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::record::{NAMES, rows};
use crate::{
    journal::{Journal, JournalStopped},
    store::{RecordBatch, Store, StoreError},
    telemetry,
};

/// How often the journal is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// Events looked at in one go; only records among them are read.
const STRETCH: i64 = 20_000;
/// Records filed in one go. Some milliseconds of the writer's time.
const BATCH: u32 = 200;

/// Files records for as long as the server runs.
#[derive(Debug)]
pub(crate) struct Filing {
    pub(crate) store: Store,
    pub(crate) journal: Journal,
}

#[derive(Debug, thiserror::Error)]
enum FilingError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Journal(#[from] JournalStopped),
}

impl Filing {
    /// Starts the task; it ends only by `stop`.
    pub(crate) fn spawn(self, tracker: &TaskTracker, stop: CancellationToken) -> JoinHandle<()> {
        tracker.spawn(async move {
            // What is not filed yet is filed by the next start.
            let _ = stop.run_until_cancelled(self.run()).await;
        })
    }

    async fn run(self) {
        loop {
            match self.file_some().await {
                Ok(true) => {}
                Ok(false) => sleep(LOOK).await,
                Err(error) => {
                    tracing::warn!(error = telemetry::chain(&error), "failed to file records; trying again");
                    sleep(10 * LOOK).await;
                }
            }
        }
    }

    /// True when there is more to do.
    async fn file_some(&self) -> Result<bool, FilingError> {
        let place = self.store.record_place().await?;
        let last = self.store.last_event_id().await?;
        if place >= last {
            return Ok(false);
        }
        let end = last.min(place + STRETCH);
        let events = self.store.record_events(place, end, &NAMES, BATCH).await?;
        let is_full = events.len() == BATCH as usize;
        let place = events.last().filter(|_| is_full).map_or(end, |event| event.event_id);
        let mut batch = RecordBatch { place, ..RecordBatch::default() };
        for event in events {
            let (call, elements) = rows(&event.name, &event.raw, event.read_at());
            batch.calls.extend(call);
            batch.elements.extend(elements);
        }
        let is_written = self.journal.write_records(Arc::new(batch)).await?;
        // A disk that refuses is left alone for a while.
        Ok(is_written && place < last)
    }
}
