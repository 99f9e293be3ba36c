//! REST: structure, paging, limits, scopes and errors.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use zoom_sim::{LimitKind, RateLimits, Scopes, Sim, SimConfig};

use crate::client::{control, get, get_with, http, token};

async fn demo() -> Sim {
    Sim::start(SimConfig { warm_up: chrono::TimeDelta::zero(), ..SimConfig::demo() }).await.unwrap()
}

#[tokio::test]
async fn the_account_is_described() {
    let sim = demo().await;
    let directory = sim.directory();
    let (status, _, list) = get(&sim, "/phone/call_queues?page_size=100").await;
    assert_eq!(status, 200);
    let queues = list["call_queues"].as_array().unwrap();
    assert_eq!(queues.len(), directory.queues.len());
    for row in queues {
        assert!(row["extension_number"].is_i64());
        assert_ne!(row["id"], row["extension_id"]);
        assert!(row.get("members").is_none(), "the list has no members");
        let (_, _, queue) = get(&sim, &format!("/phone/call_queues/{}", row["id"].as_str().unwrap())).await;
        assert!(queue["timezone"].is_string());
        let users = queue["members"]["users"].as_array().unwrap();
        assert!(users.iter().all(|user| user["receive_call"].is_boolean()));
        let areas = queue["members"]["common_areas"].as_array().unwrap();
        let (_, _, members) =
            get(&sim, &format!("/phone/call_queues/{}/members", row["id"].as_str().unwrap())).await;
        assert_eq!(members["call_queue_members"].as_array().unwrap().len(), users.len() + areas.len());
    }
    let areas = queues.iter().filter(|row| row["name"] == "Night desk").count();
    assert_eq!(areas, 1);
    let (_, _, users) = get(&sim, "/phone/users?page_size=100").await;
    assert_eq!(users["total_records"], 24);
    let id = users["users"][0]["id"].as_str().unwrap();
    assert_eq!(get(&sim, &format!("/phone/users/{id}")).await.2["id"], id);
    let presence = get(&sim, &format!("/users/{id}/presence_status")).await.2;
    assert!(
        ["Available", "On_A_Call", "Away", "Do_Not_Disturb"].contains(&presence["status"].as_str().unwrap())
    );
    assert_eq!(get(&sim, "/users?page_size=300").await.2["users"].as_array().unwrap().len(), 24);
    assert_eq!(get(&sim, "/users?status=pending").await.2["total_records"], 0);
    assert_eq!(get(&sim, "/phone/auto_receptionists").await.2["total_records"], 2);
    assert_eq!(get(&sim, "/phone/sites").await.2["sites"].as_array().unwrap().len(), 2);
    sim.stop().await;
}

#[tokio::test]
async fn an_opt_out_shows_in_the_queue() {
    let sim = demo().await;
    sim.change_world(|world| world.set_receives_calls(0, 1, false));
    let id = sim.directory().queues[0].id.clone();
    let (_, _, queue) = get(&sim, &format!("/phone/call_queues/{id}")).await;
    assert_eq!(queue["members"]["users"][1]["receive_call"], false);
    sim.stop().await;
}

#[tokio::test]
async fn pages_join_without_gaps_and_tokens_expire() {
    let config = SimConfig { page_token_lifetime: Duration::from_millis(1500), ..SimConfig::demo() };
    let sim = Sim::start(SimConfig { warm_up: chrono::TimeDelta::zero(), ..config }).await.unwrap();
    let mut seen = BTreeSet::new();
    let mut next = String::new();
    loop {
        let path = format!("/phone/users?page_size=5&next_page_token={next}");
        let (status, _, page) = get(&sim, &path).await;
        assert_eq!(status, 200, "{page}");
        for user in page["users"].as_array().unwrap() {
            assert!(seen.insert(user["id"].as_str().unwrap().to_owned()), "no row twice");
        }
        let token = page["next_page_token"].as_str().unwrap();
        if token.is_empty() {
            break;
        }
        // Another filter with the same token is an error.
        let other = get(&sim, &format!("/phone/users?page_size=5&keyword=x&next_page_token={token}")).await;
        assert_eq!((other.0, other.2["code"].as_i64()), (400, Some(300)));
        next = token.to_owned();
    }
    assert_eq!(seen.len(), 24);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    loop {
        let (status, _, body) = get(&sim, &format!("/phone/users?page_size=5&next_page_token={next}")).await;
        if (status, body["code"].as_i64()) == (400, Some(300)) {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline);
    }
    assert_eq!(get(&sim, "/phone/users?page_size=101").await.0, 400);
    sim.stop().await;
}

#[tokio::test]
async fn errors_have_code_and_message() {
    let sim = demo().await;
    let cases = [
        ("/phone/call_queues/none", 404, 13000),
        ("/phone/users/none", 404, 404),
        ("/users/none/presence_status", 404, 1001),
        ("/phone/call_history/none", 404, 404),
        ("/phone/call_element/none", 404, 404),
        ("/phone/call_history?from=2026-11-20", 400, 300),
        ("/phone/call_history?from=2026-09-01&to=2026-11-20", 400, 300),
        ("/phone/call_history?from=yesterday&to=today", 400, 300),
        ("/phone/nothing", 404, 404),
    ];
    for (path, status, code) in cases {
        let answer = get(&sim, path).await;
        assert_eq!((answer.0, answer.2["code"].as_i64()), (status, Some(code)), "{path}: {}", answer.2);
        assert!(answer.2["message"].is_string());
    }
    let (status, _, body) = get_with(&sim, "nonsense", "/phone/sites").await;
    assert_eq!((status, body["code"].as_i64()), (401, Some(124)));
    let plain = http().get(format!("{}/phone/sites", sim.api_url())).send().await.unwrap();
    assert_eq!(plain.status(), 401);
    sim.faults().fail_rest(1, 502);
    let (status, _, body) = get(&sim, "/phone/sites").await;
    assert_eq!((status, body.is_null()), (502, true), "an HTML page");
    sim.stop().await;
}

#[tokio::test]
async fn missing_scopes_are_named() {
    let scopes = Scopes::only(["phone:read:list_call_queues:admin", "user:read:admin"]);
    let sim = Sim::start(SimConfig { scopes, ..SimConfig::quiet() }).await.unwrap();
    assert_eq!(get(&sim, "/phone/call_queues").await.0, 200);
    assert_eq!(get(&sim, "/users").await.0, 200);
    let (status, _, body) = get(&sim, "/phone/call_history").await;
    assert_eq!((status, body["code"].as_i64()), (400, Some(4711)));
    assert!(body["message"].as_str().unwrap().contains("phone:read:list_call_logs:admin"));
    sim.stop().await;
}

#[tokio::test]
async fn the_controls_tell_status_and_truth() {
    let sim = Sim::start(SimConfig { pace: zoom_sim::Pace::ByHand, ..SimConfig::quiet() }).await.unwrap();
    let (status, _) = control(&sim, "call", json!({ "queue": "Help", "count": 3 })).await;
    assert_eq!(status, 204);
    assert_eq!(control(&sim, "call", json!({ "queue": "Nowhere" })).await.0, 404);
    sim.play(chrono::TimeDelta::minutes(30)).await;
    let ask = async |path: &str| -> serde_json::Value {
        http().get(format!("{}/sim/{path}", sim.base_url())).send().await.unwrap().json().await.unwrap()
    };
    let truth = ask("truth?visits=5").await;
    let help = truth["queues"].as_array().unwrap().iter().find(|queue| queue["name"] == "Help").unwrap();
    assert_eq!(help["visits"].as_array().unwrap().len(), 3);
    let status = ask("status").await;
    assert!(status["totals"]["events"].as_u64().unwrap() > 0);
    assert_eq!(status["connected"], 0);
    sim.stop().await;
}

#[tokio::test]
async fn both_kinds_of_429() {
    let limits =
        RateLimits { light_per_second: 1, medium_per_second: 100, heavy_per_second: 100, heavy_per_day: 2 };
    let sim = Sim::start(SimConfig { rate_limits: Some(limits), ..SimConfig::quiet() }).await.unwrap();
    let token = token(&sim).await;
    let (status, headers, _) = get_with(&sim, &token, "/phone/sites").await;
    assert_eq!((status, headers["x-ratelimit-category"].to_str().unwrap()), (200, "Medium"));
    assert_eq!(headers["x-ratelimit-remaining"], "99");

    let mut limited = None;
    for _ in 0..20 {
        let answer = get_with(&sim, &token, "/phone/users/none").await;
        if answer.0 == 429 {
            limited = Some(answer);
            break;
        }
    }
    let (_, headers, body) = limited.expect("20 requests took less than 20 seconds");
    assert_eq!(headers["x-ratelimit-type"], "QPS");
    assert_eq!(headers["retry-after"], "1");
    assert!(body["message"].as_str().unwrap().contains("per-second"));

    for _ in 0..2 {
        assert_eq!(get_with(&sim, &token, "/phone/call_history").await.0, 200);
    }
    let (status, headers, body) = get_with(&sim, &token, "/phone/call_history").await;
    assert_eq!(status, 429);
    assert_eq!(headers["x-ratelimit-type"], "Daily-limit");
    assert!(headers["retry-after"].to_str().unwrap().ends_with("T00:00:00Z"));
    assert!(body["message"].as_str().unwrap().contains("daily"));
    sim.stop().await;

    let sim = Sim::start(SimConfig::quiet()).await.unwrap();
    sim.faults().limit_rest(1, LimitKind::Daily);
    control(&sim, "refuse", json!({ "what": "limit", "count": 1, "kind": "per_second" })).await;
    assert_eq!(get(&sim, "/phone/sites").await.1["x-ratelimit-type"], "Daily-limit");
    assert_eq!(get(&sim, "/phone/sites").await.1["x-ratelimit-type"], "QPS");
    assert_eq!(get(&sim, "/phone/sites").await.0, 200);
    sim.stop().await;
}

#[tokio::test]
async fn the_call_handling_of_a_queue_tells_its_wrap_up() {
    let sim = demo().await;
    for queue in sim.directory().queues.clone() {
        let path = format!("/phone/call_queues/{}/call_handling/settings?hour_type=business_hours", queue.id);
        let (status, _, body) = get(&sim, &path).await;
        assert_eq!(status, 200);
        let distribution = &body["call_distribution_setting"];
        assert_eq!(distribution["wrap_up_time"], queue.wrap_up_seconds as i64);
        assert_eq!(distribution["max_wait_time"], queue.max_wait_seconds as i64);
    }
    assert_eq!(get(&sim, "/phone/call_queues/none/call_handling/settings").await.0, 404);
    sim.stop().await;
}
