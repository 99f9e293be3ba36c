//! The token endpoint and the life of tokens.

use std::time::Duration;

use zoom_sim::{Sim, SimConfig};

use crate::client::{Socket, ask_token, control, get_with, http, token};
use serde_json::json;

#[tokio::test]
async fn both_grants_give_a_token() {
    let sim = Sim::start(SimConfig::quiet()).await.unwrap();
    let known = sim.credentials().clone();
    let client = (&*known.client_id, &*known.client_secret);
    let account = [("grant_type", "account_credentials"), ("account_id", &*known.account_id)];
    for fields in [&account[..], &[("grant_type", "client_credentials")]] {
        let (status, body) = ask_token(&sim, client, fields).await;
        assert_eq!(status, 200);
        assert_eq!(body["token_type"], "bearer");
        assert_eq!(body["expires_in"], 3600);
        assert!(body["scope"].as_str().unwrap().contains("phone:read:list_call_queues:admin"));
        assert_eq!(format!("{}/v2", body["api_url"].as_str().unwrap()), sim.api_url());
    }
    // The parameters may be in the query as well.
    let url = format!("{}?grant_type=account_credentials&account_id={}", sim.oauth_url(), known.account_id);
    let response = http().post(url).basic_auth(client.0, Some(client.1)).send().await.unwrap();
    assert_eq!(response.status(), 200);
    sim.stop().await;
}

#[tokio::test]
async fn wrong_requests_are_refused_with_a_reason() {
    let sim = Sim::start(SimConfig::quiet()).await.unwrap();
    let known = sim.credentials().clone();
    let client = (&*known.client_id, &*known.client_secret);
    type Fields<'a> = &'a [(&'a str, &'a str)];
    let cases: [((&str, &str), Fields, &str); 6] = [
        ((client.0, "wrong"), &[("grant_type", "client_credentials")], "invalid_client"),
        (("wrong", client.1), &[("grant_type", "client_credentials")], "invalid_client"),
        (client, &[("grant_type", "password")], "unsupported_grant_type"),
        (client, &[], "invalid_request"),
        (client, &[("grant_type", "account_credentials")], "invalid_request"),
        (client, &[("grant_type", "account_credentials"), ("account_id", "other")], "invalid_request"),
    ];
    for (client, fields, error) in cases {
        let (status, body) = ask_token(&sim, client, fields).await;
        assert_eq!((status, body["error"].as_str().unwrap()), (400, error), "{fields:?}");
        assert!(body["reason"].is_string());
    }
    let response = http().post(sim.oauth_url()).form(&[("grant_type", "client_credentials")]).send().await;
    assert_eq!(response.unwrap().status(), 400);
    sim.stop().await;
}

#[tokio::test]
async fn tokens_live_side_by_side_and_expire() {
    let config = SimConfig {
        token_lifetime: Duration::from_secs(3600),
        token_time_scale: 3600.0,
        ..SimConfig::quiet()
    };
    let sim = Sim::start(config).await.unwrap();
    let (one, two) = (token(&sim).await, token(&sim).await);
    assert_ne!(one, two);
    for token in [&one, &two] {
        assert_eq!(get_with(&sim, token, "/phone/sites").await.0, 200);
    }
    // One real second later both are gone, for REST and for the socket.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while get_with(&sim, &one, "/phone/sites").await.0 != 401 {
        assert!(tokio::time::Instant::now() < deadline);
        tokio::task::yield_now().await;
    }
    let (_, first) = Socket::open(&sim, &sim.credentials().subscription_id, &one).await;
    assert_eq!(first["success"], false);
    sim.stop().await;
}

#[tokio::test]
async fn a_socket_is_closed_when_its_token_expires() {
    let config = SimConfig { token_time_scale: 3600.0, closes_at_expiry: Some(1008), ..SimConfig::quiet() };
    let sim = Sim::start(config).await.unwrap();
    let (mut socket, first) =
        Socket::open(&sim, &sim.credentials().subscription_id, &token(&sim).await).await;
    assert_eq!(first["success"], true);
    assert_eq!(socket.close_code().await, Some(1008));
    sim.stop().await;
}

#[tokio::test]
async fn refusals_can_be_ordered() {
    let sim = Sim::start(SimConfig::quiet()).await.unwrap();
    let known = sim.credentials().clone();
    let client = (&*known.client_id, &*known.client_secret);
    sim.faults().refuse_tokens(1, 401);
    control(&sim, "refuse", json!({ "what": "tokens", "count": 1, "status": 503 })).await;
    let statuses = [401, 503, 200];
    for expected in statuses {
        let (status, _) = ask_token(&sim, client, &[("grant_type", "client_credentials")]).await;
        assert_eq!(status, expected);
    }
    sim.stop().await;
}
