//! How the server ends: who is told in which order, and what makes it end by itself.
//!
//! Order: stop accepting → tell streams and sources to end → wait for them → let the journal write
//! what is queued → close the store.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// How long requests and tasks may take to end before they are left behind.
pub(crate) const DRAIN: Duration = Duration::from_secs(4);

/// How long the journal may take to write what is queued. Service managers kill after 10 s and more.
pub(crate) const FLUSH: Duration = Duration::from_secs(5);

/// Cancels `stop` at Ctrl-C or at the signal a service manager or a closed terminal sends.
pub async fn on_signal(stop: CancellationToken) {
    #[cfg(unix)]
    survive_file_limit();
    #[cfg(unix)]
    let terminated = async {
        use tokio::signal::unix::SignalKind;
        tokio::select! {
            () = received(SignalKind::terminate()) => {}
            // Whoever starts the server with `nohup` wants it to stay.
            () = received(SignalKind::hangup()), if !hangup_is_ignored() => {}
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        () = terminated => {}
        result = tokio::signal::ctrl_c() => {
            if let Err(error) = result {
                tracing::warn!(%error, "failed to listen for ctrl-c");
                std::future::pending::<()>().await;
            }
        }
    }
    stop.cancel();
}

/// Waits for a signal; for ever when it cannot be listened for.
#[cfg(unix)]
async fn received(kind: tokio::signal::unix::SignalKind) {
    match tokio::signal::unix::signal(kind) {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(error) => {
            tracing::warn!(%error, ?kind, "failed to listen for a signal");
            std::future::pending::<()>().await;
        }
    }
}

/// A file that may not grow any more ends the process, unless somebody listens for the signal: then writing
/// fails, which is dealt with like a full disk.
#[cfg(unix)]
fn survive_file_limit() {
    /// `SIGXFSZ`, the same on all systems this runs on.
    const FILE_TOO_LARGE: i32 = 25;
    if let Err(error) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::from_raw(FILE_TOO_LARGE))
    {
        tracing::warn!(%error, "failed to listen for the signal that a file may not grow");
    }
}

/// True when this process was started with hang-ups ignored, or does not know: only Linux tells.
#[cfg(unix)]
fn hangup_is_ignored() -> bool {
    std::fs::read_to_string("/proc/self/status").map_or(true, |status| ignores_hangup(&status))
}

/// `status` is what the system says of a process; the lowest bit stands for the first signal, hang-up.
#[cfg(unix)]
fn ignores_hangup(status: &str) -> bool {
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn an_ignored_hangup_is_recognised() {
        assert!(ignores_hangup("Name:\tcallboard\nSigIgn:\t0000000000001001\nSigCgt:\t0\n"));
        assert!(!ignores_hangup("SigBlk:\t0000000000000001\nSigIgn:\t0000000000001000\n"));
        assert!(!ignores_hangup(""));
    }
}
