//! Zoom's REST API: one careful way to read a JSON document, and the only one.
//!
//! Every request goes through the [`Budget`], which knows what may be asked when, and through the
//! breaker, which leaves an API in trouble alone; identical requests under way are one. A rejected token
//! is renewed once. A rate limit is obeyed. Everything else is told to the caller in words for an
//! operator; nothing is tried in a loop that a person has to repair.

mod breaker;
mod budget;
mod gate;
mod ledger;
mod limit;

use std::{borrow::Cow, collections::HashSet, sync::Arc, time::Duration};

use bytes::Bytes;
use domain::time::Timestamp;
use reqwest::{StatusCode, header::HeaderMap};
use serde::{Deserialize, de::DeserializeOwned};
use url::Url;

use self::{breaker::Breaker, budget::Held, gate::LONGEST_PAUSE, limit::Limit};
pub use self::{
    budget::{Budget, Priority},
    ledger::BudgetLine,
};
use super::{
    auth::{AuthError, Said, Token, Tokens, innermost},
    patience::LONGEST_ASKED,
    rate_limit::{Category, Lane, Plan, Share},
};
use crate::{clock, flights::Flights};

/// The longest answer that is read. A page of 100 queues is about 50 kB.
const LONGEST_ANSWER: usize = 16 << 20;
/// Rows of one list that are kept; no account has that many of anything.
const MOST_ROWS: usize = 100_000;
/// Pages of one list at most; the longest list in sight has 20.
const MOST_PAGES: usize = 500;
/// How often a list is begun anew because its page token had expired or led in a circle.
const MOST_RESTARTS: u32 = 2;
/// How often a request is repeated because of a rate limit.
const MOST_WAITS: u32 = 4;

/// Asks Zoom's REST API. Cheap to clone; all clones share one budget.
#[derive(Debug, Clone)]
pub struct RestClient {
    shared: Arc<Shared>,
    priority: Priority,
}

#[derive(Debug)]
struct Shared {
    http: reqwest::Client,
    url: Url,
    tokens: Tokens,
    budget: Arc<Budget>,
    breaker: Breaker,
    /// The requests under way, by their address.
    flights: Flights<String, Priority, Answer>,
}

/// What a request brings home.
type Answer = Result<Bytes, RestError>;

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
    #[error("read {what}: today's requests of this kind are used up; there are new ones at {}", clock::format_rfc3339(*.until))]
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
    /// The list was cut off, or its pages lead in a circle: what is missing in it may exist.
    #[error(
        "read all of {what}: the pages of Zoom's list lead in a circle or have no end; what was known before stands, tell Zoom's support if it lasts"
    )]
    Partial {
        /// What was to be read.
        what: &'static str,
    },
    /// The API failed again and again and is left alone for a while.
    #[error("read {what}: Zoom's API failed several times in a row and is asked again in {} s; see status.zoom.us if it lasts", .pause.as_secs() + 1)]
    Resting {
        /// What was to be read.
        what: &'static str,
        /// How long to wait.
        pause: Duration,
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
    /// True when Zoom itself says that there is no such thing. A page that a proxy puts in its place says nothing.
    pub(super) fn is_gone(&self) -> bool {
        matches!(self, Self::Unanswered { status: 404, code: Some(_), .. })
    }

    /// How long to leave Zoom alone, where that is known.
    pub fn asked_pause(&self, now: Timestamp) -> Option<Duration> {
        match self {
            Self::TooMany { pause, .. } | Self::Resting { pause, .. } => Some((*pause).min(LONGEST_ASKED)),
            Self::UsedUp { until, .. } => Some(until.since(now)),
            _ => None,
        }
    }

    /// True when the token lacks a scope, so that all requests of this kind fail alike. Zoom says so under
    /// several statuses.
    pub(super) fn lacks_scope(&self) -> bool {
        matches!(self, Self::Refused { code: Some(4700 | 4711), .. })
    }
}

/// A list as far as it could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Rows<T> {
    /// To its end: what is not in it does not exist.
    Whole(Vec<T>),
    /// Its pages led in a circle or had no end: what is not in it may exist.
    Partial(Vec<T>),
}

impl<T> Rows<T> {
    /// The rows there are, and whether they are all.
    pub(super) fn into_parts(self) -> (Vec<T>, bool) {
        match self {
            Self::Whole(rows) => (rows, true),
            Self::Partial(rows) => (rows, false),
        }
    }

    /// The same of something else.
    pub(super) fn map<U>(self, change: impl FnMut(T) -> U) -> Rows<U> {
        match self {
            Self::Whole(rows) => Rows::Whole(rows.into_iter().map(change).collect()),
            Self::Partial(rows) => Rows::Partial(rows.into_iter().map(change).collect()),
        }
    }

    /// The rows, for those who have no use for some of them.
    pub(super) fn whole(self, what: &'static str) -> Result<Vec<T>, RestError> {
        match self {
            Self::Whole(rows) => Ok(rows),
            Self::Partial(_) => Err(RestError::Partial { what }),
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
    /// A client of the API at `url`, at half the rate of the smaller plan, that forgets its counts.
    pub fn new(http: reqwest::Client, url: Url, tokens: Tokens) -> Self {
        Self::with_budget(http, url, tokens, Arc::new(Budget::new(Plan::default(), Share::default())))
    }

    /// A client of the API at `url` within that budget.
    pub fn with_budget(http: reqwest::Client, url: Url, tokens: Tokens, budget: Arc<Budget>) -> Self {
        let (breaker, flights) = (Breaker::default(), Flights::default());
        let shared = Arc::new(Shared { http, url, tokens, budget, breaker, flights });
        Self { shared, priority: Priority::default() }
    }

    /// The same client for requests of that urgency.
    #[must_use]
    pub fn at(&self, priority: Priority) -> Self {
        Self { shared: Arc::clone(&self.shared), priority }
    }

    /// Reads all pages of a list, each row once. `page_size` where the API documents one.
    pub(super) async fn list<P: Page>(
        &self,
        request: Request<'_>,
        page_size: Option<u16>,
    ) -> Result<Rows<P::Row>, RestError> {
        self.list_where::<P>(request, page_size, &[], MOST_PAGES).await
    }

    /// Like [`RestClient::list`], of the rows that fit `filters`, in so many requests at most.
    pub(super) async fn list_where<P: Page>(
        &self,
        request: Request<'_>,
        page_size: Option<u16>,
        filters: &[(&'static str, String)],
        most_pages: usize,
    ) -> Result<Rows<P::Row>, RestError> {
        let what = request.what;
        let mut rows = Vec::new();
        let mut ids = HashSet::new();
        let mut walk = Walk::default();
        let mut restarts = 0;
        let mut query: Vec<_> = page_size.map(|size| ("page_size", size.to_string())).into_iter().collect();
        query.extend_from_slice(filters);
        let fixed = query.len();
        for _ in 0..most_pages.min(MOST_PAGES) {
            let page = self.read::<P>(request, &query).await;
            let is_first = query.len() == fixed;
            query.truncate(fixed);
            let (page_rows, next) = match page {
                Ok(page) => page.into_parts(),
                // Zoom's page tokens end after 15 minutes, and nothing but this tells.
                Err(RestError::Unanswered { status: 400, code: Some(300 | 400), .. })
                    if !is_first && restarts < MOST_RESTARTS =>
                {
                    restarts += 1;
                    tracing::info!(what, "a page token was not accepted any more; reading the list anew");
                    walk = Walk::default();
                    continue;
                }
                Err(error) => return Err(error),
            };
            let next = next.filter(|next| !next.is_empty());
            let repeats = walk.repeats(page_rows.iter().map(P::id), next.as_deref());
            rows.extend(page_rows.into_iter().filter(|row| ids.insert(P::id(row).to_owned())));
            let Some(next) = next else { return Ok(Rows::Whole(rows)) };
            if rows.len() > MOST_ROWS {
                break;
            }
            if !repeats {
                query.push(("next_page_token", next));
            } else if restarts == 0 {
                // Pages that lead in a circle may have left some out: once more, and both together.
                restarts = MOST_RESTARTS;
                walk = Walk::default();
            } else {
                tracing::warn!(what, rows = rows.len(), "the pages of a list lead in a circle");
                return Ok(Rows::Partial(rows));
            }
        }
        tracing::warn!(what, rows = rows.len(), "the list has no end");
        Ok(Rows::Partial(rows))
    }

    /// Reads one document.
    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        request: Request<'_>,
        query: &[(&str, String)],
    ) -> Result<T, RestError> {
        let Request { what, path, category } = request;
        let mut address = self.shared.url.clone();
        if let Ok(mut segments) = address.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            address.query_pairs_mut().extend_pairs(query);
        }
        let errand = Errand { what, address, lane: Lane::of(path, category), priority: self.priority };
        let key = errand.address.to_string();
        let flight = self.shared.flights.join(key, self.priority, || {
            let shared = Arc::clone(&self.shared);
            Box::pin(async move { shared.run(errand).await })
        });
        let body = flight.await?;
        serde_json::from_slice(&body).map_err(|_| RestError::Garbled { what })
    }
}

/// One way through the pages of a list.
#[derive(Debug, Default)]
struct Walk {
    ids: HashSet<String>,
    tokens: HashSet<String>,
}

impl Walk {
    /// Whether a page has nothing but rows that were there before, or the next one was there before.
    fn repeats<'a>(&mut self, ids: impl Iterator<Item = &'a str>, next: Option<&str>) -> bool {
        let (mut rows, mut new_rows) = (0, 0);
        for id in ids {
            rows += 1;
            new_rows += usize::from(self.ids.insert(id.to_owned()));
        }
        let is_old_token = next.is_some_and(|next| !self.tokens.insert(next.to_owned()));
        is_old_token || (rows > 0 && new_rows == 0)
    }
}

/// A document to fetch.
#[derive(Debug)]
struct Errand {
    what: &'static str,
    address: Url,
    lane: Lane,
    priority: Priority,
}

/// What came back.
struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Shared {
    /// Fetches a document: waits for its turn, renews a rejected token once, obeys limits.
    async fn run(&self, errand: Errand) -> Answer {
        let Errand { what, lane, priority, .. } = errand;
        let mut token = self.tokens.token().await?;
        let mut renewed = false;
        let mut waits = 0;
        let resting = |pause| RestError::Resting { what, pause };
        loop {
            // What is not going to be asked need not be counted.
            self.breaker.resting().map_err(resting)?;
            self.budget.turn(lane, priority).await.map_err(|held| match held {
                Held::UsedUp(until) => RestError::UsedUp { what, until },
                Held::Paused(pause) => RestError::TooMany { what, pause },
            })?;
            self.breaker.admit().map_err(resting)?;
            let reply = self.ask(&errand, &token).await;
            match &reply {
                Ok(reply) if !reply.status.is_server_error() => self.breaker.answered(),
                _ => self.breaker.failed(),
            }
            let Reply { status, headers, body } = reply?;
            if status.is_success() {
                return Ok(body);
            }
            if status == StatusCode::UNAUTHORIZED && !renewed {
                renewed = true;
                token = self.tokens.another(&token).await?;
                continue;
            }
            if status != StatusCode::TOO_MANY_REQUESTS {
                return Err(failure(what, status, &body));
            }
            match Limit::read(&headers, &refusal(&body).1.display(), clock::now()) {
                Limit::Daily { until } => {
                    self.budget.use_up(lane, until).await;
                    return Err(RestError::UsedUp { what, until });
                }
                Limit::Momentary { pause } => {
                    let jitter = Duration::from_millis(rand::random_range(0..500));
                    let pause = pause + jitter;
                    self.budget.pause(lane, pause.min(LONGEST_ASKED)).await;
                    waits += 1;
                    if waits > MOST_WAITS || pause > LONGEST_PAUSE {
                        return Err(RestError::TooMany { what, pause });
                    }
                }
            }
        }
    }

    /// Sends the request once.
    async fn ask(&self, errand: &Errand, token: &Token) -> Result<Reply, RestError> {
        let what = errand.what;
        let unreachable = |error: reqwest::Error| RestError::Unreachable {
            what,
            cause: if error.is_timeout() { "no answer in time".to_owned() } else { innermost(&error) },
        };
        let request = self.http.get(errand.address.clone()).bearer_auth(token.expose());
        let mut response = request.send().await.map_err(unreachable)?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > LONGEST_ANSWER {
                return Err(RestError::Garbled { what });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply { status, headers, body: body.into() })
    }
}

fn refusal(body: &[u8]) -> (Option<i64>, Said) {
    let Refusal { code, message } = serde_json::from_slice(body).unwrap_or_default();
    (code.as_i64(), Said::quote(message.as_str().unwrap_or_default()))
}

/// What an error status means. The body may be JSON, HTML or nothing.
fn failure(what: &'static str, status: StatusCode, body: &[u8]) -> RestError {
    let (code, said) = refusal(body);
    match status.as_u16() {
        status @ (401 | 403) => RestError::Refused { what, status, code, said },
        // The token lacks a scope.
        status if matches!(code, Some(4700 | 4711)) => RestError::Refused { what, status, code, said },
        status @ 400..=499 => RestError::Unanswered { what, status, code, said },
        status => RestError::Unavailable { what, status },
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod sim_tests;

#[cfg(test)]
pub(crate) mod pretend;
