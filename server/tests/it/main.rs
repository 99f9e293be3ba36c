//! The server from outside: one test binary.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]
#![expect(clippy::disallowed_methods, reason = "tasks of a test end with its runtime")]

mod agents;
mod backfill;
mod calls;
mod demo;
mod directory;
mod failing_disk;
mod ingest;
#[cfg(target_os = "linux")]
mod limits;
mod live_stream;
#[cfg(target_os = "linux")]
mod log;
mod past;
mod reconciliation;
mod refusing_disk;
mod replay;
mod reports;
mod requests;
mod restart;
mod support;
mod tidy;
