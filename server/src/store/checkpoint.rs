//! Folding the log into the file, beside the writer.
//!
//! A checkpoint takes tens of milliseconds, and whoever waits for a commit would wait for it, too. Done
//! every second by a connection of its own, there is little left when the writer's own turn comes, which
//! is what keeps the log from growing.

use std::time::Duration;

use sqlx::{Connection as _, SqliteConnection};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::telemetry;

/// How often.
const EVERY: Duration = Duration::from_secs(1);

pub(super) const CHECKPOINT: &str = "pragma wal_checkpoint(passive)";

/// A connection that does nothing else. The writer must be closed after it.
#[derive(Debug)]
pub struct Checkpointer {
    connection: SqliteConnection,
}

impl Checkpointer {
    pub(super) fn new(connection: SqliteConnection) -> Self {
        Self { connection }
    }

    /// Works until `stop`. A checkpoint that fails is the writer's business: it will meet the same disk.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut every = interval(EVERY);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(every.tick()).await.is_some() {
            if let Err(error) = sqlx::query(CHECKPOINT).execute(&mut self.connection).await {
                tracing::debug!(error = telemetry::chain(&error), "failed to fold the log");
            }
        }
        if let Err(error) = self.connection.close().await {
            tracing::debug!(error = telemetry::chain(&error), "failed to close the folder of the log");
        }
    }
}
