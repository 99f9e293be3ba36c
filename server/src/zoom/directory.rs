//! Who is who.

use std::sync::Arc;

use domain::{directory::Directory, time::Timestamp};
use tokio::sync::{Notify, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::rest::RestClient;

/// How reading the directory goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DirectoryStatus {
    /// When the queues were last read.
    pub read_at: Option<Timestamp>,
    /// Queues whose members could not be read.
    pub queues_without_members: usize,
    /// Why it is old or incomplete, one sentence with the next step.
    pub problem: Option<String>,
}

/// What the directory's task gives.
#[derive(Debug, Clone)]
pub struct DirectoryFeed {
    /// The directory as last read; empty before the first time.
    pub directory: watch::Receiver<Arc<Directory>>,
    /// How reading goes.
    pub status: watch::Receiver<DirectoryStatus>,
    /// Asks for another reading, when a call names a queue nobody knows.
    pub nudge: Arc<Notify>,
}

/// Starts the task that keeps the directory fresh; it ends only by `stop`.
pub fn spawn(rest: RestClient, tracker: &TaskTracker, stop: CancellationToken) -> DirectoryFeed {
    let (directory, directory_seen) = watch::channel(Arc::default());
    let (status, status_seen) = watch::channel(DirectoryStatus::default());
    tracker.spawn(async move {
        stop.cancelled().await;
        drop((rest, directory, status));
    });
    DirectoryFeed { directory: directory_seen, status: status_seen, nudge: Arc::default() }
}
