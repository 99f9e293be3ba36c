//! Accepting connections: with a limit, a time for the head of a request, and an end for peers
//! that neither read nor leave.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Connections served at the same time. Each costs about 10 kB and a file descriptor.
const MOST_CONNECTIONS: usize = 16_000;
/// File descriptors that viewers leave to the database, the feed and the log.
const KEPT_DESCRIPTORS: usize = 64;
/// The head of a request has to arrive within this time; so has the next one on a kept connection.
const HEAD: Duration = Duration::from_secs(15);
/// A peer that acknowledges nothing we sent for this long is gone.
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);
/// Pause when the system has no more file descriptors.
const EXHAUSTED: Duration = Duration::from_millis(100);
/// How often the log tells that there are none.
const TELL_AGAIN: Duration = Duration::from_secs(60);
/// The largest head of a request. Streams keep this buffer, so it is small.
const HEAD_BYTES: usize = 16 * 1024;

/// Serves `router` on `listener` until `stop`; open connections finish their request and end.
pub async fn serve(listener: TcpListener, router: Router, tracker: &TaskTracker, stop: CancellationToken) {
    let permits = Arc::new(Semaphore::new(most_connections()));
    let mut told_at: Option<Instant> = None;
    loop {
        let permit = tokio::select! {
            () = stop.cancelled() => break,
            permit = Arc::clone(&permits).acquire_owned() => permit.expect("the semaphore is never closed"),
        };
        let (stream, peer) = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    if told_at.is_none_or(|at| at.elapsed() >= TELL_AGAIN) {
                        told_at = Some(Instant::now());
                        tracing::warn!(%error, "failed to accept a connection; told once a minute");
                    }
                    tokio::time::sleep(EXHAUSTED).await;
                    continue;
                }
            },
        };
        let connection = serve_connection(stream, peer, router.clone(), HEAD, stop.clone());
        tracker.spawn(async move {
            connection.await;
            drop(permit);
        });
    }
}

/// As many as leave the rest of the server enough file descriptors.
fn most_connections() -> usize {
    #[cfg(unix)]
    let limit = rlimit::Resource::NOFILE
        .get_soft()
        .map_or(usize::MAX, |soft| usize::try_from(soft).unwrap_or(usize::MAX));
    #[cfg(not(unix))]
    let limit = usize::MAX;
    let most = limit.saturating_sub(KEPT_DESCRIPTORS).clamp(1, MOST_CONNECTIONS);
    if most < MOST_CONNECTIONS {
        tracing::info!(most, "fewer connections are served than otherwise, because few files may be open");
    }
    most
}

/// Serves one connection whose requests each send their head within `head`.
async fn serve_connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    head: Duration,
    stop: CancellationToken,
) {
    let socket = socket2::SockRef::from(&stream);
    // Frames are small and late ones are worthless; a peer that is gone must not be kept for ever.
    let _ = socket.set_tcp_nodelay(true);
    #[cfg(target_os = "linux")]
    let _ = socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED));
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    tokio::pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%peer, %error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn a_request_that_never_ends_its_head_is_cut_off() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut slow = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, peer) = listener.accept().await.unwrap();
        let router = Router::new().route("/", get(|| async { "here" }));
        let (head, stop) = (Duration::from_millis(200), CancellationToken::new());
        let serving = serve_connection(stream, peer, router, head, stop);
        let talking = async {
            // A whole request is answered, the next one never ends.
            slow.write_all(b"GET / HTTP/1.1\r\nhost: here\r\n\r\nGET / HTTP/1.1\r\nhost: h").await.unwrap();
            let mut answer = String::new();
            slow.read_to_string(&mut answer).await.unwrap();
            answer
        };
        let ((), answer) = tokio::join!(serving, talking);
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("here"), "{answer}");
    }
}
