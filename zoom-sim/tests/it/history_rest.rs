//! Finished calls over REST agree with the truth.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::Value;
use zoom_sim::{Outcome, Pace, Sim, SimConfig};

use crate::client::get;

/// A demo of which an hour has passed, standing still.
async fn an_hour() -> Sim {
    let config = SimConfig { pace: Pace::ByHand, warm_up: TimeDelta::hours(1), ..SimConfig::demo() };
    Sim::start(config).await.unwrap()
}

async fn all(sim: &Sim, filters: &str) -> Vec<Value> {
    let (mut rows, mut next) = (Vec::new(), String::new());
    loop {
        let path = format!("/phone/call_history?page_size=300{filters}&next_page_token={next}");
        let (status, _, page) = get(sim, &path).await;
        assert_eq!(status, 200, "{page}");
        assert_eq!(
            page["call_history"].as_array().unwrap().len(),
            page["call_logs"].as_array().unwrap().len()
        );
        rows.extend(page["call_history"].as_array().unwrap().iter().cloned());
        page["next_page_token"].as_str().unwrap().clone_into(&mut next);
        if next.is_empty() {
            return rows;
        }
    }
}

#[tokio::test]
async fn rows_agree_with_the_truth() {
    let sim = an_hour().await;
    let rows = all(&sim, "").await;
    assert!(rows.len() > 200, "{}", rows.len());
    let uuids: BTreeSet<_> = rows.iter().map(|row| row["call_history_uuid"].as_str().unwrap()).collect();
    assert_eq!(uuids.len(), rows.len());
    let truth = sim.truth();
    let mut abandoned = 0;
    for row in &rows {
        let visits = truth.visits_of_call(row["call_id"].as_str().unwrap());
        let Some(last) = visits.last() else { continue };
        if matches!(last.outcome, Some(Outcome::Abandoned | Outcome::ShortAbandoned)) {
            abandoned += 1;
            assert_eq!(row["call_result"], "abandoned");
        }
    }
    assert!(abandoned > 5);
    sim.stop().await;
}

#[tokio::test]
async fn filters_narrow_the_list() {
    let sim = an_hour().await;
    let rows = all(&sim, "").await;
    let count = |key: &str, value: &str| rows.iter().filter(|row| row[key] == value).count();
    assert_eq!(all(&sim, "&directions=outbound").await.len(), count("direction", "outbound"));
    assert_eq!(all(&sim, "&connect_types=internal").await.len(), count("connect_type", "internal"));
    let both = all(&sim, "&call_results=abandoned&call_results=voicemail").await.len();
    assert_eq!(both, count("call_result", "abandoned") + count("call_result", "voicemail"));
    let id = rows[3]["call_id"].as_str().unwrap();
    assert_eq!(all(&sim, &format!("&call_ids={id}")).await.len(), 1);
    assert_eq!(all(&sim, "&recording_status=recorded").await.len(), 0);
    let half = sim.now() - TimeDelta::minutes(30);
    let window =
        format!("&from={}&to={}", half.format("%Y-%m-%dT%H:%M:%SZ"), sim.now().format("%Y-%m-%dT%H:%M:%SZ"));
    let started = all(&sim, &window).await.len();
    let ended = all(&sim, &format!("{window}&time_type=end_time")).await.len();
    assert!(started < ended && ended < rows.len(), "{started} {ended} {}", rows.len());
    sim.stop().await;
}

#[tokio::test]
async fn a_path_tells_of_queue_and_members() {
    let sim = an_hour().await;
    let truth = sim.truth();
    let mut looked_at = 0;
    for row in all(&sim, "&call_results=answered&directions=inbound").await {
        let visits = truth.visits_of_call(row["call_id"].as_str().unwrap());
        let [visit] = visits[..] else { continue };
        let Some(agent) = visit.agent.as_ref().filter(|_| looked_at < 25) else { continue };
        looked_at += 1;
        let uuid = row["call_history_uuid"].as_str().unwrap();
        let (_, _, path) = get(&sim, &format!("/phone/call_history/{uuid}")).await;
        let elements = path["call_elements"].as_array().unwrap();
        assert_eq!(elements.len(), path["call_path"].as_array().unwrap().len());
        let queue = elements
            .iter()
            .find(|element| element["callee_ext_type"] == "call_queue")
            .expect("a queue element");
        let waited = visit.wait_seconds().unwrap();
        let told = queue["waiting_time"].as_i64().unwrap() as f64;
        assert!((waited - told).abs() <= 1.0, "{waited} {told}");
        let answered: Vec<_> = elements
            .iter()
            .filter(|element| element["event"] == "ring_to_member" && element["result"] == "answered")
            .collect();
        assert_eq!(answered.len(), 1);
        assert_eq!(answered[0]["callee_ext_id"], agent.extension_id);
        assert_eq!(answered[0]["operator_ext_type"], "call_queue");
        let id = answered[0]["call_element_id"].as_str().unwrap();
        assert_eq!(get(&sim, &format!("/phone/call_element/{id}")).await.2["call_element_id"], id);
    }
    assert!(looked_at >= 20);
    sim.stop().await;
}
