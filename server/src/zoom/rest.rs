//! Zoom's REST API: one careful way to read a JSON document.
//!
//! A rejected token is renewed once. A rate limit is obeyed. Everything else is told to the caller
//! in words for an operator; nothing is tried in a loop that a person has to repair.

use std::{borrow::Cow, collections::HashSet, sync::Arc, time::Duration};

use domain::time::Timestamp;
use reqwest::{StatusCode, header::RETRY_AFTER};
use serde::{Deserialize, de::DeserializeOwned};
use url::Url;

use super::{
    auth::{AuthError, Said, Token, Tokens, innermost},
    patience::{LONGEST_ASKED, retry_after},
    rate_limit::{Category, Plan, RateLimits},
};
use crate::clock;

/// The longest answer that is read. A page of 100 queues is about 50 kB.
const LONGEST_ANSWER: usize = 16 << 20;
/// Rows of one list that are kept; no account has that many of anything.
const MOST_ROWS: usize = 100_000;
/// Pages of one list at most; the longest list in sight has 20.
const MOST_PAGES: usize = 500;
/// How often a request is repeated because of a rate limit.
const MOST_WAITS: u32 = 4;
/// The longest pause that a request waits for by itself.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Asks Zoom's REST API. Cheap to clone.
#[derive(Debug, Clone)]
pub struct RestClient {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    http: reqwest::Client,
    url: Url,
    tokens: Tokens,
    limits: RateLimits,
}

/// Why the API did not answer as hoped. Each text ends with what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RestError {
    /// There is no token to ask with.
    #[error(transparent)]
    NoToken(#[from] AuthError),
    /// The app may not do this.
    #[error("read {what}: Zoom refused it (HTTP {status}{}{}); check the scopes of the Zoom app and that Zoom Phone is enabled, then activate the app again", quote_code(.code), .said.display())]
    Refused {
        /// What was to be read.
        what: &'static str,
        /// The HTTP status.
        status: u16,
        /// Zoom's own number.
        code: Option<i64>,
        /// What it said.
        said: Said,
    },
    /// The thing does not exist (any more), or the request was not understood.
    #[error("read {what}: HTTP {status}{}{}", quote_code(.code), .said.display())]
    Unanswered {
        /// What was to be read.
        what: &'static str,
        /// The HTTP status.
        status: u16,
        /// Zoom's own number.
        code: Option<i64>,
        /// What it said.
        said: Said,
    },
    /// Zoom is in trouble, or something else answers there.
    #[error("read {what}: HTTP {status}; trying again, see status.zoom.us if it lasts")]
    Unavailable {
        /// What was to be read.
        what: &'static str,
        /// The HTTP status.
        status: u16,
    },
    /// Too many requests, by all apps of the account together.
    #[error("read {what}: too many requests; trying again later")]
    TooMany {
        /// What was to be read.
        what: &'static str,
        /// How long to wait.
        pause: Duration,
    },
    /// The day's requests of this kind are used up.
    #[error("read {what}: the account's requests of this kind are used up until {}", clock::format_rfc3339(*.until))]
    UsedUp {
        /// What was to be read.
        what: &'static str,
        /// When there are new ones.
        until: Timestamp,
    },
    /// The answer is not what the API promises.
    #[error("read {what}: the answer is not what Zoom's API promises; check ZOOM_API_URL")]
    Garbled {
        /// What was to be read.
        what: &'static str,
    },
    /// Nobody answered.
    #[error(
        "read {what}: the API cannot be reached ({cause}); check ZOOM_API_URL and this machine's way to the internet"
    )]
    Unreachable {
        /// What was to be read.
        what: &'static str,
        /// What failed.
        cause: String,
    },
}

impl RestError {
    /// How long to leave Zoom alone, where that is known.
    pub fn asked_pause(&self, now: Timestamp) -> Option<Duration> {
        match self {
            Self::TooMany { pause, .. } => Some((*pause).min(LONGEST_ASKED)),
            Self::UsedUp { until, .. } => Some(until.since(now)),
            _ => None,
        }
    }
}

fn quote_code(code: &Option<i64>) -> Cow<'static, str> {
    code.map_or(Cow::Borrowed(""), |code| Cow::Owned(format!(", code {code}")))
}

/// What to read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request<'a> {
    /// For people.
    pub(super) what: &'static str,
    /// The path below the API's address, as segments.
    pub(super) path: &'a [&'a str],
    pub(super) category: Category,
}

/// A page of a list.
pub(super) trait Page: DeserializeOwned {
    type Row;

    /// Takes the page apart: its rows and the token of the next page.
    fn into_parts(self) -> (Vec<Self::Row>, Option<String>);

    /// What makes a row the same row when pages overlap.
    fn id(row: &Self::Row) -> &str;
}

#[derive(Deserialize, Default)]
struct Refusal {
    #[serde(default)]
    code: serde_json::Value,
    #[serde(default)]
    message: serde_json::Value,
}

impl RestClient {
    /// A client of the API at `url`, at half the rate of the smaller plan.
    pub fn new(http: reqwest::Client, url: Url, tokens: Tokens) -> Self {
        let limits = RateLimits::half_of(Plan::default());
        Self { shared: Arc::new(Shared { http, url, tokens, limits }) }
    }

    /// Reads all pages of a list, each row once. `page_size` where the API documents one.
    pub(super) async fn list<P: Page>(
        &self,
        request: Request<'_>,
        page_size: Option<u16>,
    ) -> Result<Vec<P::Row>, RestError> {
        self.list_where::<P>(request, page_size, &[]).await
    }

    /// Like [`RestClient::list`], of the rows that fit `filters`.
    pub(super) async fn list_where<P: Page>(
        &self,
        request: Request<'_>,
        page_size: Option<u16>,
        filters: &[(&'static str, String)],
    ) -> Result<Vec<P::Row>, RestError> {
        let mut rows = Vec::new();
        let mut ids = HashSet::new();
        let mut tokens_seen = HashSet::new();
        let mut query: Vec<_> = page_size.map(|size| ("page_size", size.to_string())).into_iter().collect();
        query.extend_from_slice(filters);
        let fixed = query.len();
        for _ in 0..MOST_PAGES {
            let page: P = self.read(request, &query).await?;
            let (page_rows, next) = page.into_parts();
            rows.extend(page_rows.into_iter().filter(|row| ids.insert(P::id(row).to_owned())));
            let Some(next) = next.filter(|next| !next.is_empty()) else { return Ok(rows) };
            if rows.len() > MOST_ROWS {
                break;
            }
            if !tokens_seen.insert(next.clone()) {
                tracing::warn!(what = request.what, "the API gave the same page token twice");
                return Ok(rows);
            }
            query.truncate(fixed);
            query.push(("next_page_token", next));
        }
        tracing::warn!(what = request.what, rows = rows.len(), "the list has no end");
        Ok(rows)
    }

    /// Reads one document.
    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        request: Request<'_>,
        query: &[(&str, String)],
    ) -> Result<T, RestError> {
        let Request { what, category, .. } = request;
        let Shared { tokens, limits, .. } = &*self.shared;
        let mut token = tokens.token().await?;
        let mut renewed = false;
        let mut waits = 0;
        loop {
            let used_up = |until| RestError::UsedUp { what, until };
            limits.turn(category, clock::now()).await.map_err(used_up)?;
            let (status, retry_after, daily, body) = self.ask(request, query, &token).await?;
            if status.is_success() {
                return serde_json::from_slice(&body).map_err(|_| RestError::Garbled { what });
            }
            if status == StatusCode::UNAUTHORIZED && !renewed {
                renewed = true;
                token = tokens.another(&token).await?;
                continue;
            }
            if status != StatusCode::TOO_MANY_REQUESTS {
                return Err(failure(what, status, &body));
            }
            let now = clock::now();
            if daily || says_daily(&body) {
                let until = retry_after.map_or_else(|| clock::next_utc_day(now), |pause| now + pause);
                limits.use_up(category, until);
                return Err(used_up(until));
            }
            // Without a word from Zoom: the limit is per second.
            let jitter = Duration::from_millis(rand::random_range(0..500));
            let pause = retry_after.unwrap_or(Duration::from_secs(1)) + jitter;
            waits += 1;
            if waits > MOST_WAITS || pause > LONGEST_PAUSE {
                return Err(RestError::TooMany { what, pause });
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Sends the request once.
    async fn ask(
        &self,
        request: Request<'_>,
        query: &[(&str, String)],
        token: &Token,
    ) -> Result<(StatusCode, Option<Duration>, bool, Vec<u8>), RestError> {
        let Shared { http, url, .. } = &*self.shared;
        let what = request.what;
        let unreachable = |error: reqwest::Error| RestError::Unreachable {
            what,
            cause: if error.is_timeout() { "no answer in time".to_owned() } else { innermost(&error) },
        };
        let mut address = url.clone();
        if let Ok(mut path) = address.path_segments_mut() {
            path.pop_if_empty().extend(request.path);
        }
        let mut response =
            http.get(address).query(query).bearer_auth(token.expose()).send().await.map_err(unreachable)?;
        let status = response.status();
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let retry_after = header(RETRY_AFTER.as_str()).and_then(|value| retry_after(value, clock::now()));
        let daily = header("x-ratelimit-type").is_some_and(is_daily);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > LONGEST_ANSWER {
                return Err(RestError::Garbled { what });
            }
            body.extend_from_slice(&chunk);
        }
        Ok((status, retry_after, daily, body))
    }
}

fn is_daily(text: &str) -> bool {
    text.to_ascii_lowercase().contains("daily")
}

fn refusal(body: &[u8]) -> (Option<i64>, Said) {
    let Refusal { code, message } = serde_json::from_slice(body).unwrap_or_default();
    (code.as_i64(), Said::quote(message.as_str().unwrap_or_default()))
}

fn says_daily(body: &[u8]) -> bool {
    is_daily(&refusal(body).1.display())
}

/// What an error status means. The body may be JSON, HTML or nothing.
fn failure(what: &'static str, status: StatusCode, body: &[u8]) -> RestError {
    let (code, said) = refusal(body);
    // 4700 and 4711: the token lacks a scope, under several statuses.
    let lacks_scope = matches!(code, Some(4700 | 4711));
    match status.as_u16() {
        status @ (401 | 403) => RestError::Refused { what, status, code, said },
        status if lacks_scope => RestError::Refused { what, status, code, said },
        status @ 400..=499 => RestError::Unanswered { what, status, code, said },
        status => RestError::Unavailable { what, status },
    }
}

#[cfg(test)]
mod tests;
