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

/// Cancels `stop` at Ctrl-C or at the signal a service manager sends.
pub async fn on_signal(stop: CancellationToken) {
    let terminated = async {
        #[cfg(unix)]
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(error) => {
                tracing::warn!(%error, "failed to listen for the termination signal");
                std::future::pending::<()>().await;
            }
        }
        #[cfg(not(unix))]
        std::future::pending::<()>().await;
    };
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
