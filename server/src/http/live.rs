//! Live streams: one server-sent event stream per page, fed by the published view.
//!
//! First `hello` with the build of this server, then the full `view`, then `change`s, at least one
//! a second. The bytes are shared by all readers; a slow reader skips revisions and nobody waits
//! for it. Whatever a browser sends as `Last-Event-ID` is ignored: the full view repairs anything.

use std::{convert::Infallible, sync::Arc};

use axum::{
    body::Body,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderValue, Uri, header},
    response::Response,
};
use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt as _};
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::{error::ApiError, past::Asked, router::AppState};
use crate::publish::{self, BoardKey};

/// Streams served at the same time, all boards together. A stream costs about 20 kB.
pub(super) const MOST_STREAMS: usize = 12_000;

const NO_BOARD: ApiError = ApiError::NotFound { what: "board of that name" };

/// `GET /live/{board}?at&speed`: `all`, or the id of a queue; of an instant of the past it runs from there.
pub(super) async fn stream_board(
    State(state): State<AppState>,
    board: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, ApiError> {
    // An address that is no UTF-8 names nothing.
    let Ok(Path(board)) = board else { return Err(NO_BOARD) };
    let key = match board.as_str() {
        "all" => BoardKey::All,
        id => BoardKey::Queue(id.into()),
    };
    let permit = state.streams.clone().try_acquire_owned().map_err(|_| ApiError::TooManyStreams)?;
    match Asked::alone(&uri, &state)? {
        None => {
            let board = state.keeper.subscribe(key).await?.ok_or(NO_BOARD)?;
            Ok(respond(&state, changes(board), permit))
        }
        Some(asked) => {
            let speed = asked.speed.unwrap_or(1);
            let board = state.players.play(&state.past, asked.at, speed, &key).await?.ok_or(NO_BOARD)?;
            // When it has caught up with now. A recording stays at its end.
            let (keeper, is_recording) = (state.keeper.clone(), state.past.ends_at().is_some());
            let live = stream::once(async move {
                if is_recording {
                    std::future::pending::<()>().await;
                }
                keeper.subscribe(key).await.ok().flatten()
            });
            let live = live.filter_map(|board| async { board }).flat_map(changes);
            Ok(respond(&state, changes(board).chain(live), permit))
        }
    }
}

/// `GET /live/agents`
pub(super) async fn stream_agents(State(state): State<AppState>, uri: Uri) -> Result<Response, ApiError> {
    Asked::refuse(&uri)?;
    let permit = state.streams.clone().try_acquire_owned().map_err(|_| ApiError::TooManyStreams)?;
    let agents = state.keeper.subscribe_agents().await?;
    Ok(respond(&state, changes(agents), permit))
}

fn respond(
    state: &AppState,
    frames: impl Stream<Item = Bytes> + Send + 'static,
    permit: OwnedSemaphorePermit,
) -> Response {
    let hello = Bytes::from(format!(
        "retry: 3000\nevent: hello\ndata: {{\"build\":\"{}\"}}\n\n",
        state.site.build_id
    ));
    let frames = stream::once(async move { hello }).chain(frames).map(move |frame| {
        // Held as long as the stream.
        let _ = &permit;
        Ok::<_, Infallible>(frame)
    });
    let mut response = Response::new(Body::from_stream(frames));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Tells nginx and its like not to hold frames back.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

struct Reader<T> {
    published: watch::Receiver<Arc<T>>,
    revision: Option<u64>,
}

/// First everything, then what changes, until nobody publishes any more.
fn changes<T: publish::Stream + Send + Sync + 'static>(
    published: watch::Receiver<Arc<T>>,
) -> impl Stream<Item = Bytes> {
    let reader = Reader { published, revision: None };
    stream::unfold(reader, |mut reader| async move {
        let bytes = reader.next().await?;
        Some((bytes, reader))
    })
}

impl<T: publish::Stream> Reader<T> {
    /// What this reader has not got yet; `None` when the keeper, who publishes, has stopped.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            let newest = self.published.borrow_and_update().clone();
            let news = newest.news_after(self.revision.replace(newest.revision()));
            if news.is_some() {
                return news;
            }
            drop(newest);
            self.published.changed().await.ok()?;
        }
    }
}
