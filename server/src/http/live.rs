//! Live streams: one server-sent event stream per page, fed by the published view.
//!
//! First `hello` with the build of this server, then the full `view`, then `change`s, at least one
//! a second. The bytes are shared by all readers; a slow reader skips revisions and nobody waits
//! for it. What a browser sends as `Last-Event-ID` is ignored: the full view
//! repairs anything. Of a stream of the past it says from when on that is to run. One that cannot go on, now
//! or later, says so by an `end`.

use std::{convert::Infallible, sync::Arc};

use axum::{
    body::Body,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use domain::time::Timestamp;
use futures_util::stream::{self, Stream, StreamExt as _};
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::{
    error::ApiError,
    past::{Asked, latest},
    router::AppState,
};
use crate::{
    clock,
    past::{End, Playing},
    publish::{self, BoardKey, Published},
};

/// Streams served at the same time, all boards together. A stream costs about 20 kB.
pub(super) const MOST_STREAMS: usize = 12_000;

const NO_BOARD: ApiError = ApiError::NotFound { what: "board of that name" };

/// `GET /live/{board}?at&speed`: `all`, or the id of a queue; of an instant of the past it runs from there.
pub(super) async fn stream_board(
    State(state): State<AppState>,
    board: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, ApiError> {
    // An address that is no UTF-8 names nothing.
    let Ok(Path(board)) = board else { return Err(NO_BOARD) };
    let key = match board.as_str() {
        "all" => BoardKey::All,
        id => BoardKey::Queue(id.into()),
    };
    let permit = state.streams.clone().try_acquire_owned().map_err(|_| ApiError::TooManyStreams)?;
    let asked = Asked::alone(&uri, &state)?;
    let place = Place::before(&headers, &state);
    if asked.is_some() && place == Place::End {
        // By this a browser knows that it is not to come again.
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let running = asked.and_then(|asked| Some((place.going_on(asked.at)?, asked.speed)));
    let Some((at, speed)) = running else {
        let board = state.keeper.subscribe(key).await?.ok_or(NO_BOARD)?;
        return Ok(respond(&state, changes(board), permit));
    };
    let playing = state.players.play(at, speed.unwrap_or(1), &key).await?.ok_or(NO_BOARD)?;
    let Playing { board, end } = playing;
    let (keeper, stopped) = (state.keeper.clone(), state.players.stopped());
    let after = stream::once(async move {
        let last = match end.await {
            Ok(End::CaughtUp) => match keeper.subscribe(key).await {
                Ok(Some(board)) => return with_places(board, |_| Place::Now).left_stream(),
                Ok(None) => last_frame("gone"),
                Err(_) => None,
            },
            Ok(End::Torn) => last_frame("torn"),
            // It stays at its end.
            Ok(End::Over) => {
                stopped.await;
                None
            }
            Err(_) => None,
        };
        stream::iter(last).right_stream()
    });
    let after = after.flatten();
    let past = with_places(board, |board| Place::At(board.as_of));
    Ok(respond(&state, past.chain(after), permit))
}

/// How far somebody has followed a stream of the past. Every frame is followed by it as an id of its own: the
/// frame's id is the one it had when it was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Beginning,
    At(Timestamp),
    /// It had caught up.
    Now,
    /// It could go no further, and will not.
    End,
}

/// Before the instant in an id.
const AT: &str = "at-";
const NOW: &str = "now";
const END: &str = "end";

impl Place {
    /// Where whoever comes again was.
    fn before(headers: &HeaderMap, state: &AppState) -> Self {
        let (latest, is_recording) = (latest(state), state.past.ends_at().is_some());
        let id = headers.get("last-event-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
        match id.strip_prefix(AT).and_then(clock::parse_instant) {
            Some(at) => Self::At(at.min(latest)),
            // A recording has no now.
            None if id == NOW && !is_recording => Self::Now,
            None if id == END => Self::End,
            None => Self::Beginning,
        }
    }

    /// From when on it is to run; `None` for the live board.
    fn going_on(self, from: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Beginning | Self::End => Some(from),
            Self::At(at) => Some(at),
            Self::Now => None,
        }
    }

    fn event(self) -> String {
        match self {
            Self::At(at) => format!("id: {AT}{}\n\n", clock::format_rfc3339(at)),
            Self::Now => format!("id: {NOW}\n\n"),
            Self::End => format!("id: {END}\n\n"),
            Self::Beginning => String::new(),
        }
    }
}

/// Says why a stream ends for good: the queue is `gone`, or the record is `torn`.
fn last_frame(why: &str) -> Option<Bytes> {
    let frame = format!("event: end\ndata: {{\"why\":\"{why}\"}}\n{}", Place::End.event());
    Some(Bytes::from(frame))
}

/// What changes, each followed by its place.
fn with_places(
    board: watch::Receiver<Arc<Published>>,
    place: impl Fn(&Published) -> Place,
) -> impl Stream<Item = Bytes> {
    news(board).flat_map(move |(board, frame)| stream::iter([frame, place(&board).event().into()]))
}

/// `GET /live/agents`
pub(super) async fn stream_agents(State(state): State<AppState>) -> Result<Response, ApiError> {
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
    news(published).map(|(_, frame)| frame)
}

/// The same, each with the publication it leads to.
fn news<T: publish::Stream + Send + Sync + 'static>(
    published: watch::Receiver<Arc<T>>,
) -> impl Stream<Item = (Arc<T>, Bytes)> {
    let reader = Reader { published, revision: None };
    stream::unfold(reader, |mut reader| async move {
        let news = reader.next().await?;
        Some((news, reader))
    })
}

impl<T: publish::Stream> Reader<T> {
    /// What this reader has not got yet; `None` when the keeper, who publishes, has stopped.
    async fn next(&mut self) -> Option<(Arc<T>, Bytes)> {
        loop {
            let newest = self.published.borrow_and_update().clone();
            let news = newest.news_after(self.revision.replace(newest.revision()));
            if let Some(news) = news {
                return Some((newest, news));
            }
            drop(newest);
            self.published.changed().await.ok()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use domain::{
        board::Board,
        trust::{FeedLink, Trust},
    };

    use super::*;
    use crate::publish::{Publisher, Stream as _};

    #[tokio::test]
    async fn who_follows_the_past_is_one_reader_of_frames_that_are_shared() {
        let at = clock::now();
        let mut publisher = Publisher::new(7, at, Trust::of(FeedLink::Live, at));
        let board = publisher.subscribe(&Board::new(), &BoardKey::All).unwrap();
        let whole = board.borrow().full_frame();
        let mut frames = pin!(with_places(board, |board| Place::At(board.as_of)));
        assert_eq!(publisher.readers(), 1);
        assert_eq!(frames.next().await.unwrap().as_ptr(), whole.as_ptr());
        let place = format!("id: at-{}\n\n", clock::format_rfc3339(at));
        assert_eq!(frames.next().await.unwrap(), place);
    }
}
