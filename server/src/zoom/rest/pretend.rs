//! For tests: an API that answers what its routes say, and a client of it.

use axum::{Json, Router, routing::get};
use secrecy::SecretString;
use serde_json::json;
use tokio::net::TcpListener;
use url::Url;

use super::RestClient;
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
