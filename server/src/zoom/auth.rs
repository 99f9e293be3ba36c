//! Access tokens: asked for by one caller at a time, shared by all, renewed before they end.
//!
//! Wrong credentials are not tried again and again: after a refusal every caller gets the same
//! answer for half a minute. Secrets appear in no error, log line or `Debug` text.

use std::{
    fmt,
    io::{self, ErrorKind},
    sync::Arc,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::time::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::{sync::Mutex, time::Instant};
use url::Url;

use super::patience::{BackOff, LONGEST_ASKED, retry_after};
use crate::{
    clock,
    config::{AppCredentials, FeedTimings, Grant},
    telemetry,
};

/// A token's life when Zoom does not tell it.
const USUAL_LIFE: Duration = Duration::from_secs(3600);
/// The longest answer that is read.
const LONGEST_ANSWER: usize = 64 << 10;

/// Gives out tokens. Cheap to clone; all clones share one token.
#[derive(Debug, Clone)]
pub struct Tokens {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    http: reqwest::Client,
    url: Url,
    credentials: AppCredentials,
    timings: FeedTimings,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    token: Option<Token>,
    /// The last failure, given to everyone until then.
    failed: Option<(AuthError, Instant)>,
    back_off: BackOff,
}

/// A token and its end.
#[derive(Clone)]
pub struct Token {
    text: SecretString,
    /// When to have another one.
    pub renew_at: Instant,
    /// When Zoom stops accepting it.
    pub expires_at: Instant,
    /// The same by the wall clock, for people.
    pub expires_on: Timestamp,
}

impl Token {
    /// For a header or the socket's query, nothing else.
    pub(super) fn expose(&self) -> &str {
        self.text.expose_secret()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("expires_on", &self.expires_on).finish_non_exhaustive()
    }
}

/// Why there is no token. Each text ends with what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// Zoom does not accept the credentials.
    #[error("get a token: Zoom refused the credentials (HTTP {status}{}); check ZOOM_ACCOUNT_ID, ZOOM_CLIENT_ID and ZOOM_CLIENT_SECRET, and that the app is activated", .said.display())]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What Zoom said.
        said: Said,
    },
    /// Zoom's token endpoint is in trouble, or something else answers there.
    #[error("get a token: {url} answered HTTP {status}{}; trying again, see status.zoom.us if it lasts", .said.display())]
    Unavailable {
        /// Where it was asked for.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What it said.
        said: Said,
    },
    /// The answer holds no token.
    #[error("get a token: {url} answered without a token; check ZOOM_OAUTH_URL")]
    NoToken {
        /// Where it was asked for.
        url: String,
    },
    /// Nobody answered in time.
    #[error("get a token: {url} did not answer in time; check this machine's way to the internet")]
    TimedOut {
        /// Where it was asked for.
        url: String,
    },
    /// Nobody could be reached.
    #[error(
        "get a token: {url} cannot be reached ({cause}); check ZOOM_OAUTH_URL and this machine's way to the internet"
    )]
    Unreachable {
        /// Where it was asked for.
        url: String,
        /// What failed.
        cause: String,
    },
}

/// A short, harmless quotation of what a server said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said(String);

impl Said {
    pub(super) fn quote(text: &str) -> Self {
        const LONGEST: usize = 120;
        let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        Self(masked(&clean).chars().take(LONGEST).collect::<String>().trim().to_owned())
    }

    pub(super) fn display(&self) -> String {
        if self.0.is_empty() { String::new() } else { format!(", \"{}\"", self.0) }
    }
}

/// Without what may be a secret or a token, whatever its coding: an endpoint may echo what it was sent.
/// The words of people, and the parts of a scope's name, are shorter.
fn masked(text: &str) -> String {
    const LONGEST_WORD: usize = 24;
    let is_of_token = |c: char| c.is_ascii_alphanumeric() || "+/=_.-".contains(c);
    let mut masked = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let word_end = rest.find(|c| !is_of_token(c)).unwrap_or(rest.len());
        masked.push_str(if word_end > LONGEST_WORD { "***" } else { &rest[..word_end] });
        let next = rest[word_end..].find(is_of_token).map_or(rest.len(), |gap| word_end + gap);
        masked.push_str(&rest[word_end..next]);
        rest = &rest[next..];
    }
    masked
}

#[derive(Deserialize)]
struct Answer {
    access_token: Option<String>,
    #[serde(default, deserialize_with = "lenient_seconds")]
    expires_in: Option<u64>,
}

#[derive(Deserialize, Default)]
struct Refusal {
    reason: Option<String>,
    error: Option<String>,
    message: Option<String>,
}

fn lenient_seconds<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(value.as_u64().or_else(|| value.as_str()?.trim().parse().ok()))
}

impl Tokens {
    /// Asks `url` with `credentials`; nothing is sent yet.
    pub fn new(http: reqwest::Client, url: Url, credentials: AppCredentials, timings: FeedTimings) -> Self {
        let state = State { token: None, failed: None, back_off: BackOff::new(&timings) };
        Self { shared: Arc::new(Shared { http, url, credentials, timings, state: Mutex::new(state) }) }
    }

    /// A token that Zoom accepts now, the next one when it is time for that and one is to be had.
    pub async fn token(&self) -> Result<Token, AuthError> {
        self.get(Need::Usable).await
    }

    /// A token that need not be renewed yet.
    pub async fn fresh(&self) -> Result<Token, AuthError> {
        self.get(Need::Fresh).await
    }

    /// A token other than `refused`, which Zoom did not accept.
    pub async fn another(&self, refused: &Token) -> Result<Token, AuthError> {
        self.get(Need::OtherThan(refused)).await
    }

    /// When a caller that got an error may ask again with a chance of another answer.
    pub async fn next_attempt(&self) -> Instant {
        let state = self.shared.state.lock().await;
        state.failed.as_ref().map_or_else(Instant::now, |(_, until)| *until)
    }

    async fn get(&self, need: Need<'_>) -> Result<Token, AuthError> {
        let Shared { timings, .. } = &*self.shared;
        // Held while asking, so that there is never more than one request on its way.
        let mut state = self.shared.state.lock().await;
        let now = Instant::now();
        let usable = state.token.clone().filter(|token| match need {
            Need::Usable => token.expires_at > now,
            Need::Fresh => token.renew_at > now,
            Need::OtherThan(refused) => token.expires_at > now && token.expose() != refused.expose(),
        });
        if let Some(token) = usable.as_ref().filter(|token| token.renew_at > now) {
            return Ok(token.clone());
        }
        if let Some((error, until)) = &state.failed
            && *until > now
        {
            return usable.ok_or_else(|| error.clone());
        }
        match self.ask().await {
            Ok(token) => {
                state.failed = None;
                state.back_off.reset();
                state.token = Some(token.clone());
                Ok(token)
            }
            Err(failure) => {
                let pause = match failure.error {
                    AuthError::Refused { .. } => timings.refused_pause,
                    _ => {
                        let asked = failure.retry_after.unwrap_or_default().min(LONGEST_ASKED);
                        state.back_off.failed().max(asked)
                    }
                };
                state.failed = Some((failure.error.clone(), Instant::now() + pause));
                usable.ok_or(failure.error)
            }
        }
    }

    async fn ask(&self) -> Result<Token, Failure> {
        let Shared { http, url, credentials, timings, .. } = &*self.shared;
        let asked_at = Instant::now();
        let mut form = vec![("grant_type", credentials.grant.word())];
        if let (Grant::AccountCredentials, Some(account_id)) = (credentials.grant, &credentials.account_id) {
            form.push(("account_id", account_id));
        }
        let pair = format!("{}:{}", credentials.client_id, credentials.client_secret.expose_secret());
        let request = http
            .post(url.clone())
            .timeout(timings.token)
            .header(reqwest::header::AUTHORIZATION, basic(&pair))
            .form(&form);
        let response = request.send().await.map_err(|error| self.no_answer(&error))?;
        let status = response.status();
        let retry_after = response
            .headers()
            .get(reqwest::header::RETRY_AFTER)
            .and_then(|value| retry_after(value.to_str().ok()?, clock::now()));
        let body = read_bounded(response).await.map_err(|error| self.no_answer(&error))?;
        if status.is_success() {
            return self
                .read(&body, asked_at)
                .ok_or_else(|| Failure::from(AuthError::NoToken { url: self.place() }));
        }
        let said = self.said(&body);
        let error = match status.as_u16() {
            status @ 400..=403 => AuthError::Refused { status, said },
            status => AuthError::Unavailable { url: self.place(), status, said },
        };
        Err(Failure { error, retry_after })
    }

    fn read(&self, body: &[u8], asked_at: Instant) -> Option<Token> {
        let answer: Answer = serde_json::from_slice(body).ok()?;
        let text = answer.access_token.filter(|text| !text.trim().is_empty())?;
        // A life of nothing would mean to ask without end.
        let life = answer.expires_in.map_or(USUAL_LIFE, Duration::from_secs);
        let life = life.clamp(Duration::from_secs(2), Duration::from_secs(24 * 3600));
        let early = self.shared.timings.renew_early.min(life / 5);
        Some(Token {
            text: SecretString::from(text),
            renew_at: asked_at + life - early,
            expires_at: asked_at + life,
            expires_on: clock::now() + life,
        })
    }

    /// What a refusal says, without our own secret should it be echoed.
    fn said(&self, body: &[u8]) -> Said {
        let Refusal { reason, error, message } = serde_json::from_slice(body).unwrap_or_default();
        let words: Vec<_> = [error, reason, message].into_iter().flatten().collect();
        let text = words.join(": ");
        Said::quote(&text.replace(self.shared.credentials.client_secret.expose_secret(), "***"))
    }

    fn no_answer(&self, error: &reqwest::Error) -> Failure {
        let url = self.place();
        Failure::from(if error.is_timeout() {
            AuthError::TimedOut { url }
        } else {
            AuthError::Unreachable { url, cause: innermost(error) }
        })
    }

    /// The endpoint without a query that an operator may have put there.
    fn place(&self) -> String {
        let mut url = self.shared.url.clone();
        url.set_query(None);
        url.to_string()
    }
}

/// Which token a caller can use.
#[derive(Clone, Copy)]
enum Need<'a> {
    Usable,
    Fresh,
    OtherThan(&'a Token),
}

struct Failure {
    error: AuthError,
    retry_after: Option<Duration>,
}

impl From<AuthError> for Failure {
    fn from(error: AuthError) -> Self {
        Self { error, retry_after: None }
    }
}

fn basic(pair: &str) -> reqwest::header::HeaderValue {
    let text = format!("Basic {}", STANDARD.encode(pair));
    let mut value =
        reqwest::header::HeaderValue::from_str(&text).expect("base64 holds nothing that a header may not");
    value.set_sensitive(true);
    value
}

async fn read_bounded(mut response: reqwest::Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = LONGEST_ANSWER - body.len();
        body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
        if body.len() == LONGEST_ANSWER {
            break;
        }
    }
    Ok(body)
}

/// The last cause of an error in words, with the one an operator would search for, such as "connection refused:
/// nothing listens at that address": the causes above repeat the URL.
pub(super) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let (mut cause, mut kind) = (error, None);
    loop {
        let system = cause.downcast_ref::<io::Error>();
        kind = system.map(io::Error::kind).or(kind);
        // The source of such an error is not what it wraps, but the source of that.
        let wrapped = system.and_then(io::Error::get_ref).map(|wrapped| wrapped as &dyn std::error::Error);
        let Some(next) = wrapped.or_else(|| cause.source()) else { break };
        cause = next;
    }
    let said = telemetry::in_words(cause);
    // The library gives it no kind of its own.
    if let Some(why) = said.strip_prefix("failed to lookup address information: ") {
        return format!("DNS gave no address for that name: {why}");
    }
    let words = match kind {
        // The handshake was answered in another language.
        _ if matches!(cause.downcast_ref(), Some(rustls::Error::InvalidMessage(_))) => {
            "what answers there does not speak TLS"
        }
        Some(ErrorKind::ConnectionRefused) => "connection refused: nothing listens at that address",
        Some(ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable) => {
            "unreachable: no way leads to that address"
        }
        Some(ErrorKind::TimedOut) => "no answer in time",
        Some(ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe) => {
            "the connection was cut"
        }
        _ => return said,
    };
    words.to_owned()
}

#[cfg(test)]
mod tests;
