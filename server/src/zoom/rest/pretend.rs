//! For tests: an API that answers what its routes say, and clients of it and of the pretend Zoom.

use std::sync::Arc;

use axum::{Json, Router, routing::get};
use secrecy::SecretString;
use serde_json::json;
use tokio::net::TcpListener;
use url::Url;
use zoom_sim::Sim;

use super::{Budget, RestClient};
use crate::{
    config::{AppCredentials, FeedTimings, Grant},
    zoom::{auth::Tokens, http_client},
};

/// A client of an API with these routes below `/v2`, which also gives out tokens.
pub(crate) async fn client_of(api: Router, timings: FeedTimings) -> RestClient {
    let token = async || Json(json!({ "access_token": "token", "expires_in": 3600 }));
    let router = Router::new().route("/token", get(token).post(token)).nest("/v2", api);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    #[expect(clippy::disallowed_methods, reason = "a test's server ends with the test")]
    tokio::spawn(async move { axum::serve(listener, router).await });
    let url = |path: &str| Url::parse(&format!("{base}{path}")).unwrap();
    let credentials = AppCredentials {
        grant: Grant::ClientCredentials,
        account_id: None,
        client_id: "cli".to_owned(),
        client_secret: SecretString::from("canary-secret"),
    };
    let http = http_client().unwrap();
    let tokens = Tokens::new(http.clone(), url("/token"), credentials, timings);
    RestClient::new(http, url("/v2"), tokens)
}

/// A client of the pretend Zoom within that budget.
pub(crate) fn client_of_sim(sim: &Sim, budget: Budget) -> RestClient {
    let known = sim.credentials();
    let credentials = AppCredentials {
        grant: Grant::AccountCredentials,
        account_id: Some(known.account_id.clone()),
        client_id: known.client_id.clone(),
        client_secret: known.client_secret.clone().into(),
    };
    let (http, url) = (http_client().unwrap(), |text: String| Url::parse(&text).unwrap());
    let tokens = Tokens::new(http.clone(), url(sim.oauth_url()), credentials, FeedTimings::default());
    RestClient::with_budget(http, url(sim.api_url()), tokens, Arc::new(budget))
}
