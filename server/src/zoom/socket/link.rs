//! One connection: opening it, its heartbeat, its frames, and how it ended.

use std::time::Duration;

use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{
        Error, Message, Utf8Bytes,
        error::{CapacityError, ProtocolError, UrlError},
        http::header::RETRY_AFTER,
        protocol::WebSocketConfig,
    },
};
use url::Url;

use super::super::{
    auth::{AuthError, Token, innermost},
    patience::retry_after,
    wire::{self, Frame, LONGEST_MESSAGE},
};
use crate::{clock, config::FeedTimings};

/// Longer messages go to quarantine; only frames that are absurd end the connection, which loses events.
const LONGEST_FRAME: usize = 4 * LONGEST_MESSAGE;

const HEARTBEAT: &str = r#"{"module":"heartbeat"}"#;
/// A frame of 22 bytes only waits this long when the peer does not read any more.
const SEND_TIMEOUT: Duration = Duration::from_secs(5);

/// An accepted connection.
#[derive(Debug)]
pub(super) struct Link {
    stream: Box<WebSocketStream<MaybeTlsStream<TcpStream>>>,
    pub(super) token: Token,
    /// The frame that proved it alive, to be read like the others.
    pub(super) first: Option<Utf8Bytes>,
}

/// Why a connection could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum OpenError {
    #[error("{0}")]
    NoToken(AuthError),
    #[error("answered HTTP {status}")]
    Http { status: u16, retry_after: Option<Duration> },
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    #[error("did not answer in time")]
    TimedOut,
    #[error("refused the token or the subscription")]
    Refused,
    #[error("closed the connection at once")]
    Closed,
}

impl OpenError {
    /// One sentence with the next step.
    pub(super) fn advice(&self) -> String {
        let text = match self {
            Self::NoToken(error) => {
                return capitalised(&format!("cannot {error}."));
            }
            Self::Http { status: status @ 300..=399, .. } => {
                return format!(
                    "The WebSocket endpoint redirects (HTTP {status}), which is not followed; correct ZOOM_WS_URL."
                );
            }
            Self::Http { status: status @ (400..=428 | 430..=499), .. } => {
                return format!(
                    "Zoom refused the WebSocket (HTTP {status}); check ZOOM_WS_SUBSCRIPTION_ID and ZOOM_WS_URL."
                );
            }
            Self::Http { status, .. } => {
                return format!(
                    "Zoom's WebSocket endpoint is not available (HTTP {status}); trying again, see \
                     status.zoom.us if it lasts."
                );
            }
            Self::Unreachable(cause) => {
                return format!(
                    "Zoom's WebSocket endpoint cannot be reached ({cause}); check ZOOM_WS_URL and this \
                     machine's way to the internet."
                );
            }
            Self::TimedOut => {
                "Zoom's WebSocket endpoint did not answer in time; check this machine's way to the internet."
            }
            Self::Refused => {
                "Zoom refused the connection; check ZOOM_WS_SUBSCRIPTION_ID and that the subscription belongs \
                 to this app and the app is activated."
            }
            Self::Closed => "Zoom closed the connection at once; trying again.",
        };
        text.to_owned()
    }

    /// How long Zoom asked to wait.
    pub(super) fn asked_pause(&self) -> Option<Duration> {
        match self {
            Self::Http { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// The server said goodbye, with a code where it gave one.
    Closed(Option<u16>),
    /// The server hung up without a word.
    HungUp,
    /// Something on the way broke.
    Broken(String),
    /// Nothing came for too long.
    Silent,
    /// A frame was longer than is accepted.
    TooLong,
    /// A text that is none.
    NotText,
    /// The server said that the connection is not accepted.
    Refused,
}

impl End {
    /// How much it looks as if another consumer took the subscription. Which code Zoom uses for that
    /// is not known; those that mean something else are left out. A server that just hangs up may
    /// as well have crashed.
    pub(super) fn looks_replaced(&self) -> u32 {
        match self {
            Self::Closed(Some(1001..=1003 | 1007..=1015)) => 0,
            Self::Closed(_) => 2,
            Self::HungUp => 1,
            _ => 0,
        }
    }

    /// True when the next attempt needs another token.
    pub(super) fn blames_token(&self) -> bool {
        matches!(self, Self::Refused | Self::Closed(Some(1008)))
    }

    pub(super) fn cause(&self) -> &'static str {
        match self {
            Self::Silent => "connection silent",
            Self::Refused => "connection refused",
            _ => "connection lost",
        }
    }

    pub(super) fn advice(&self) -> String {
        match self {
            Self::Closed(Some(code)) => format!("Zoom closed the connection (code {code}); reconnecting."),
            Self::Closed(None) | Self::HungUp => "Zoom closed the connection; reconnecting.".to_owned(),
            Self::Broken(cause) => format!("The connection to Zoom broke ({cause}); reconnecting."),
            Self::Silent => "Nothing came over the connection to Zoom for too long; reconnecting.".to_owned(),
            Self::TooLong => {
                format!("Zoom sent a message of more than {LONGEST_FRAME} bytes; reconnecting.")
            }
            Self::NotText => "Zoom sent a message that is no text; reconnecting.".to_owned(),
            Self::Refused => OpenError::Refused.advice(),
        }
    }
}

/// What came over a connection.
#[derive(Debug)]
pub(super) enum Heard {
    Text(Utf8Bytes),
    Binary(usize),
    /// A ping or pong; the library answers them.
    Life,
}

/// Opens a connection and waits until it is proven alive and accepted.
///
/// No error mentions the URL: the token is in it.
pub(super) async fn open(
    url: Url,
    subscription_id: &str,
    token: Token,
    timings: &FeedTimings,
) -> Result<Link, OpenError> {
    let mut address = url;
    address
        .query_pairs_mut()
        .append_pair("subscriptionId", subscription_id)
        .append_pair("access_token", token.expose());
    let config =
        WebSocketConfig::default().max_message_size(Some(LONGEST_FRAME)).max_frame_size(Some(LONGEST_FRAME));
    let connecting = connect_async_with_config(address.as_str(), Some(config), true);
    let (stream, _) = timeout(timings.connect, connecting)
        .await
        .map_err(|_| OpenError::TimedOut)?
        .map_err(|error| open_error(&error))?;
    let mut link = Link { stream: Box::new(stream), token, first: None };
    link.beat().await.map_err(|_| OpenError::Closed)?;
    let first = timeout(timings.silence, link.first_text()).await.map_err(|_| OpenError::TimedOut)??;
    link.first = Some(first);
    Ok(link)
}

fn open_error(error: &Error) -> OpenError {
    match error {
        Error::Http(response) => OpenError::Http {
            status: response.status().as_u16(),
            retry_after: response
                .headers()
                .get(RETRY_AFTER)
                .and_then(|value| retry_after(value.to_str().ok()?, clock::now())),
        },
        Error::Io(error) => OpenError::Unreachable(innermost(error)),
        Error::Tls(error) => OpenError::Unreachable(innermost(error)),
        Error::Protocol(error) => OpenError::Unreachable(match error {
            ProtocolError::HandshakeIncomplete => {
                "the connection was cut during the WebSocket handshake".to_owned()
            }
            ProtocolError::HttparseError(_)
            | ProtocolError::WrongHttpVersion
            | ProtocolError::MissingConnectionUpgradeHeader
            | ProtocolError::MissingUpgradeWebSocketHeader => "what answers there is no WebSocket".to_owned(),
            // As when a proxy on the way answers for the endpoint.
            error => format!("the WebSocket handshake failed: {error}"),
        }),
        // Its text would quote the address.
        Error::Url(UrlError::UnableToConnect(_)) => {
            OpenError::Unreachable("connection refused: nothing listens at that address".to_owned())
        }
        Error::Url(_) | Error::HttpFormat(_) => OpenError::Unreachable("not a usable address".to_owned()),
        _ => OpenError::Unreachable("the WebSocket handshake failed".to_owned()),
    }
}

impl Link {
    /// Sends a heartbeat.
    pub(super) async fn beat(&mut self) -> Result<(), End> {
        match timeout(SEND_TIMEOUT, self.stream.send(Message::text(HEARTBEAT))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(end_of(&error)),
            Err(_) => Err(End::Silent),
        }
    }

    /// The next frame. Cancel-safe.
    pub(super) async fn next(&mut self) -> Result<Heard, End> {
        match self.stream.next().await {
            Some(Ok(Message::Text(text))) => Ok(Heard::Text(text)),
            Some(Ok(Message::Binary(bytes))) => Ok(Heard::Binary(bytes.len())),
            Some(Ok(Message::Close(frame))) => Err(End::Closed(frame.map(|frame| frame.code.into()))),
            Some(Ok(_)) => Ok(Heard::Life),
            Some(Err(error)) => Err(end_of(&error)),
            None => Err(End::HungUp),
        }
    }

    /// The next frame if it has arrived already.
    pub(super) fn next_if_there(&mut self) -> Option<Result<Heard, End>> {
        self.next().now_or_never()
    }

    /// Waits for the first text; a refusal is an error.
    async fn first_text(&mut self) -> Result<Utf8Bytes, OpenError> {
        loop {
            match self.next().await {
                Ok(Heard::Text(text)) if is_refusal(&text) => return Err(OpenError::Refused),
                Ok(Heard::Text(text)) => return Ok(text),
                Ok(Heard::Binary(_) | Heard::Life) => {}
                // Policy: the token or the subscription.
                Err(End::Closed(Some(1008))) => return Err(OpenError::Refused),
                Err(End::Closed(_) | End::HungUp) => return Err(OpenError::Closed),
                Err(end) => return Err(OpenError::Unreachable(end.advice())),
            }
        }
    }

    /// Says goodbye without waiting for an answer.
    pub(super) async fn close(mut self) {
        // The connection is given up whether or not this arrives.
        let _ = timeout(SEND_TIMEOUT, self.stream.send(Message::Close(None))).await;
    }
}

/// Never by the wording, which Zoom has changed before.
fn is_refusal(text: &str) -> bool {
    matches!(
        wire::read_frame(text, &mut wire::EventBuffer::default()),
        Ok(Frame::Control { module, success: Some(false) }) if module == "build_connection"
    )
}

fn end_of(error: &Error) -> End {
    match error {
        Error::ConnectionClosed | Error::AlreadyClosed => End::HungUp,
        Error::Capacity(CapacityError::MessageTooLong { .. }) => End::TooLong,
        Error::Utf8(_) => End::NotText,
        Error::Io(error) => End::Broken(innermost(error)),
        Error::Tls(error) => End::Broken(innermost(error)),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => End::HungUp,
        Error::Protocol(error) => End::Broken(error.to_string()),
        _ => End::Broken("protocol error".to_owned()),
    }
}
