//! Paging: page sizes, page tokens that expire, and filters that must stay the same.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::{ApiError, Parameters};
use crate::dice::Dice;

/// The page tokens given out.
#[derive(Debug)]
pub(crate) struct Pages {
    tokens: Mutex<HashMap<String, Page>>,
    dice: Mutex<Dice>,
    lifetime: Duration,
    /// The last page of a listing names itself as the next one.
    circular: AtomicBool,
}

/// Where a listing goes on.
#[derive(Debug, Clone)]
struct Page {
    /// Path and filters of the listing.
    listing: String,
    offset: usize,
    /// The listing shows what was there when its first page was read.
    as_of: DateTime<Utc>,
    expires: Instant,
}

impl Pages {
    pub(crate) fn new(seed: u64, lifetime: Duration) -> Self {
        let dice = Mutex::new(Dice::new(seed, 47));
        Self { tokens: Mutex::default(), dice, lifetime, circular: AtomicBool::new(false) }
    }

    /// Whether listings never come to an end.
    pub(crate) fn lead_in_a_circle(&self, circular: bool) {
        self.circular.store(circular, Relaxed);
    }
}

/// One page of one listing.
pub(super) struct Listing<'a> {
    pages: &'a Pages,
    name: String,
    parameters: &'a Parameters,
    size: usize,
    offset: usize,
    pub(super) as_of: DateTime<Utc>,
}

impl<'a> Listing<'a> {
    pub(super) fn new(
        pages: &'a Pages,
        path: &str,
        parameters: &'a Parameters,
        most: usize,
        now: DateTime<Utc>,
    ) -> Result<Self, ApiError> {
        let find =
            |key: &str| parameters.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
        let size = match find("page_size") {
            None => 30,
            Some(text) => text.parse().ok().filter(|size| (1..=most).contains(size)).ok_or_else(|| {
                ApiError::validation(format!("The page_size must be a number from 1 to {most}."))
            })?,
        };
        let filters: Vec<String> = parameters
            .iter()
            .filter(|(name, _)| name != "next_page_token" && name != "page_size")
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let name = format!("{path}?{}", filters.join("&"));
        let mut listing = Self { pages, name, parameters, size, offset: 0, as_of: now };
        if let Some(token) = find("next_page_token").filter(|token| !token.is_empty()) {
            let tokens = pages.tokens.lock().expect("map operations cannot panic");
            let page = tokens.get(token).filter(|page| page.expires > Instant::now());
            let page = page.filter(|page| page.listing == listing.name);
            let page =
                page.ok_or_else(|| ApiError::validation("The next page token is invalid or expired."))?;
            (listing.offset, listing.as_of) = (page.offset, page.as_of);
        }
        Ok(listing)
    }

    /// The first value of a parameter.
    pub(super) fn parameter(&self, key: &str) -> Option<&str> {
        self.values(key).next()
    }

    /// All values of a repeated parameter.
    pub(super) fn values(&self, key: &str) -> impl Iterator<Item = &str> {
        self.parameters.iter().filter(move |(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// The rows of this page and the token of the next one.
    pub(super) fn rows<T>(&self, all: Vec<T>) -> (Vec<T>, Map<String, Value>) {
        let total = all.len();
        let rows: Vec<T> = all.into_iter().skip(self.offset).take(self.size).collect();
        let end = self.offset + rows.len();
        let token = if rows.is_empty() {
            String::new()
        } else if end < total {
            self.next(end)
        } else if self.pages.circular.load(Relaxed) {
            self.next(self.offset)
        } else {
            String::new()
        };
        let mut body = Map::new();
        body.insert("next_page_token".to_owned(), json!(token));
        body.insert("page_size".to_owned(), json!(self.size));
        body.insert("total_records".to_owned(), json!(total));
        (rows, body)
    }

    /// A whole answer with the rows under one key.
    pub(super) fn page(&self, key: &str, all: Vec<Value>) -> Result<Value, ApiError> {
        let (rows, mut body) = self.rows(all);
        body.insert(key.to_owned(), Value::Array(rows));
        Ok(Value::Object(body))
    }

    fn next(&self, offset: usize) -> String {
        let token = self.pages.dice.lock().expect("throwing dice cannot panic").id();
        let mut tokens = self.pages.tokens.lock().expect("map operations cannot panic");
        let now = Instant::now();
        tokens.retain(|_, page| page.expires > now);
        let page = Page {
            listing: self.name.clone(),
            offset,
            as_of: self.as_of,
            expires: now + self.pages.lifetime,
        };
        tokens.insert(token.clone(), page);
        token
    }
}
