//! Zoom's REST API.

use url::Url;

use super::auth::Tokens;

/// Asks Zoom's REST API. Cheap to clone.
#[derive(Debug, Clone)]
pub struct RestClient {
    http: reqwest::Client,
    url: Url,
    tokens: Tokens,
}

impl RestClient {
    /// A client of the API at `url`.
    pub fn new(http: reqwest::Client, url: Url, tokens: Tokens) -> Self {
        Self { http, url, tokens }
    }
}
