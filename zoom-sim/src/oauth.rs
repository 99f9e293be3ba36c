//! The token endpoint, and the tokens it has given out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use crate::dice::Dice;
use crate::sim::Shared;

/// Tokens that live.
#[derive(Debug)]
pub(crate) struct TokenDesk {
    tokens: Mutex<HashMap<String, Instant>>,
    dice: Mutex<Dice>,
    lifetime: Duration,
}

/// What is wrong with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenFault {
    Unknown,
    Expired,
}

impl TokenDesk {
    pub(crate) fn new(seed: u64, lifetime: Duration) -> Self {
        Self { tokens: Mutex::default(), dice: Mutex::new(Dice::new(seed, 41)), lifetime }
    }

    fn issue(&self) -> String {
        let mut dice = self.dice.lock().expect("throwing dice cannot panic");
        let token = format!("sim.{}.{}{}", dice.id(), dice.id(), dice.id());
        let mut tokens = self.tokens.lock().expect("map operations cannot panic");
        let now = Instant::now();
        // Expired ones are kept for a while, to tell "expired" from "unknown".
        tokens.retain(|_, until| now < *until + Duration::from_secs(3600));
        tokens.insert(token.clone(), now + self.lifetime);
        token
    }

    /// Until when the token is good.
    pub(crate) fn check(&self, token: &str) -> Result<Instant, TokenFault> {
        let tokens = self.tokens.lock().expect("map operations cannot panic");
        let until = *tokens.get(token).ok_or(TokenFault::Unknown)?;
        if Instant::now() < until { Ok(until) } else { Err(TokenFault::Expired) }
    }

    /// Makes every token expire now.
    pub(crate) fn expire_all(&self) {
        let now = Instant::now();
        self.tokens.lock().expect("map operations cannot panic").values_mut().for_each(|until| *until = now);
    }
}

#[derive(Debug, Default, Deserialize)]
struct Grant {
    grant_type: Option<String>,
    account_id: Option<String>,
}

/// `POST /oauth/token`.
pub(crate) async fn token(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: String,
) -> Response {
    if let Some(refusal) = shared.faults.next_token_refusal() {
        let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::UNAUTHORIZED);
        return fault(status, "invalid_client", &refusal.text);
    }
    let Some((id, secret)) = basic(&headers) else {
        return fault(StatusCode::BAD_REQUEST, "invalid_request", "Missing client credentials");
    };
    let credentials = &shared.credentials;
    if id != credentials.client_id || secret != credentials.client_secret {
        return fault(StatusCode::BAD_REQUEST, "invalid_client", "Invalid client_id or client_secret");
    }
    // The parameters come as a form or in the query, or some here and some there.
    let form = parse(&body);
    let query = parse(query.as_deref().unwrap_or_default());
    let grant_type = form.grant_type.or(query.grant_type);
    let account_id = form.account_id.or(query.account_id);
    match grant_type.as_deref() {
        Some("account_credentials") if account_id.as_deref() == Some(&credentials.account_id) => {}
        Some("account_credentials") if account_id.is_none() => {
            return fault(StatusCode::BAD_REQUEST, "invalid_request", "Missing account_id");
        }
        Some("account_credentials") => {
            return fault(StatusCode::BAD_REQUEST, "invalid_request", "Bad account_id");
        }
        Some("client_credentials") => {}
        Some(_) => {
            return fault(StatusCode::BAD_REQUEST, "unsupported_grant_type", "Unsupported grant type");
        }
        None => return fault(StatusCode::BAD_REQUEST, "invalid_request", "Missing grant_type"),
    }
    shared.counters.add(|counters| &counters.tokens);
    Json(json!({
        "access_token": shared.tokens.issue(),
        "token_type": "bearer",
        "expires_in": shared.expires_in_seconds,
        "scope": shared.scopes.text(),
        "api_url": shared.base_url,
    }))
    .into_response()
}

fn parse(text: &str) -> Grant {
    let uri = format!("/?{text}").parse().unwrap_or_default();
    axum::extract::Query::<Grant>::try_from_uri(&uri).map(|query| query.0).unwrap_or_default()
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(text.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

fn fault(status: StatusCode, error: &str, reason: &str) -> Response {
    (status, Json(json!({ "reason": reason, "error": error }))).into_response()
}
