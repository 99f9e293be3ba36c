//! Gaps are repaired from Zoom's record: what was missed is counted after all, and once.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};
use zoom_sim::{Pace, Sim, SimConfig, WorldConfig};

use crate::support::{Rig, now};

/// An account whose clock began so long before ours and is moved by hand.
fn account(start: DateTime<Utc>) -> SimConfig {
    let traffic = WorldConfig { history_delay_seconds: 0..=0, ..WorldConfig::small(start) };
    SimConfig {
        traffic: Some(traffic),
        warm_up: TimeDelta::zero(),
        start: Some(start),
        pace: Pace::ByHand,
        ..SimConfig::small()
    }
}

/// Stays of today in each queue that the record has, and how many of them were answered.
fn recorded(sim: &Sim) -> BTreeMap<String, (u64, u64)> {
    recorded_until(sim, DateTime::<Utc>::MAX_UTC)
}

/// The same of calls that ended by then.
fn recorded_until(sim: &Sim, ended: DateTime<Utc>) -> BTreeMap<String, (u64, u64)> {
    sim.with_world(|world| {
        let mut counts = BTreeMap::new();
        for queue in &world.directory().queues {
            let number = queue.extension_number.to_string();
            let today = now().with_timezone(&queue.zone).date_naive();
            let records = world.history().visible_at(world.now()).filter(|record| record.end <= ended);
            let stays = records.flat_map(|record| &record.elements).filter(|element| {
                element.callee.extension_type == Some("call_queue")
                        && element.callee.extension_number.as_ref() == Some(&number)
                        // A closed queue hangs up on its callers; they were never in it.
                    && element.result != "hang_up"
                    && element.start.with_timezone(&queue.zone).date_naive() == today
            });
            let (mut offered, mut answered) = (0, 0);
            for stay in stays {
                offered += 1;
                answered += u64::from(stay.result == "answered");
            }
            counts.insert(queue.name.clone(), (offered, answered));
        }
        counts
    })
}

fn board(rows: &Value) -> BTreeMap<String, (u64, u64)> {
    let count = |row: &Value, name: &str| row[name].as_u64().unwrap_or(0);
    let rows = rows.as_array().into_iter().flatten();
    rows.map(|row| {
        let name = row["name"].as_str().unwrap_or_default().to_owned();
        (name, (count(row, "offered_today"), count(row, "answered_today")))
    })
    .collect()
}

#[tokio::test]
async fn calls_of_a_gap_are_counted_from_the_record() {
    let rig = Rig::start_installed(account(now() - TimeDelta::seconds(110)), |config| {
        config.zoom.timings.record_delay = Duration::from_millis(500);
        // The walk would read the same, and more often than the gap is repaired.
        config.zoom.timings.record_every = Duration::from_secs(30 * 86_400);
    })
    .await;
    rig.eventually("the members are read", |feed| feed["directory"]["read_at"].is_string(), "/api/v1/feed")
        .await;
    rig.sim.outage(Duration::from_secs(1));
    assert!(rig.sim.wait_disconnected(Duration::from_secs(10)).await);
    rig.sim.change_world(|world| {
        for queue in [0, 0, 0, 1, 1, 1] {
            world.call_queue(queue);
        }
    });
    rig.sim.play(TimeDelta::seconds(100)).await;
    let is_repaired = |feed: &Value| feed["gaps"][0]["repaired_at"].is_string();
    let feed = rig.eventually("the gap is repaired", is_repaired, "/api/v1/feed").await;
    assert_eq!(feed["facts"].as_u64(), feed["journalled"].as_u64(), "nothing but records came: {feed}");
    assert!(recorded(&rig.sim).values().any(|(offered, _)| *offered > 0), "some calls are over");
    rig.eventually("the board equals the record", |rows| board(rows) == recorded(&rig.sim), "/api/v1/queues")
        .await;
    let is_measured = |rows: &Value| {
        let rows = rows.as_array().into_iter().flatten();
        rows.filter(|row| row["offered_today"] != json!(0))
            .all(|row| row["quality"]["offered_today"] == "measured")
    };
    rig.eventually("what the record tells is measured", is_measured, "/api/v1/queues").await;
    // The same day, held against the record: what was missed is named, and nothing is left unexplained.
    let held = |day: &Value| {
        let queues = day["queues"].as_array().into_iter().flatten();
        let count = |queue: &Value, name: &str| queue["record"][name].as_u64().unwrap_or(0);
        queues.fold((0, 0), |(offered, answered), queue| {
            (offered + count(queue, "offered"), answered + count(queue, "answered"))
        })
    };
    let all = |sim: &Sim| recorded(sim).values().fold((0, 0), |(a, b), (c, d)| (a + c, b + d));
    let day = rig
        .eventually("the record is written down", |day| held(day) == all(&rig.sim), "/api/v1/reconciliation")
        .await;
    assert_eq!(day["unexplained"], json!(0), "{day}");
    let calls = day["calls"].as_array().unwrap();
    let missed = calls.iter().filter(|call| call["difference"] == "missed");
    assert_eq!(missed.count() as u64, all(&rig.sim).0, "{day}");
    let page = rig.get("/reconciliation").await.text().await.unwrap();
    assert!(page.contains("Unexplained differences: 0"), "{page}");
    assert!(page.contains("its events never came"), "{page}");
    let page = rig.get("/feed").await.text().await.unwrap();
    assert!(!page.contains("not yet"), "the page says when it was repaired");
    rig.stop().await;
}

#[tokio::test]
async fn a_repair_that_is_refused_is_tried_again_and_counts_once() {
    let rig = Rig::start_with(account(now() - TimeDelta::seconds(110)), |config| {
        config.zoom.timings.record_delay = Duration::from_millis(500);
        config.zoom.timings.back_off_first = Duration::from_millis(50);
    })
    .await;
    rig.eventually("the members are read", |feed| feed["directory"]["read_at"].is_string(), "/api/v1/feed")
        .await;
    rig.sim.outage(Duration::from_secs(1));
    assert!(rig.sim.wait_disconnected(Duration::from_secs(10)).await);
    rig.sim.change_world(|world| (0..4).for_each(|_| world.call_queue(0)));
    rig.sim.play(TimeDelta::seconds(100)).await;
    // The list is read, then a path fails: what was journalled before must not count twice.
    rig.sim.faults().fail_rest(3, 503);
    rig.eventually("the gap is repaired", |feed| feed["gaps"][0]["repaired_at"].is_string(), "/api/v1/feed")
        .await;
    rig.eventually("the board equals the record", |rows| board(rows) == recorded(&rig.sim), "/api/v1/queues")
        .await;
    rig.stop().await;
}

#[tokio::test]
async fn records_that_come_late_are_read_by_the_second_look_even_after_a_restart() {
    let start = now() - TimeDelta::seconds(110);
    let mut late = account(start);
    if let Some(traffic) = &mut late.traffic {
        traffic.history_delay_seconds = 400..=400;
    }
    let rig = Rig::start_with(late, |config| {
        config.zoom.timings.record_delay = Duration::from_millis(500);
        config.zoom.timings.second_look = Duration::from_secs(3600);
    })
    .await;
    rig.eventually("the members are read", |feed| feed["directory"]["read_at"].is_string(), "/api/v1/feed")
        .await;
    rig.sim.outage(Duration::from_secs(1));
    assert!(rig.sim.wait_disconnected(Duration::from_secs(10)).await);
    rig.sim.change_world(|world| {
        for queue in [0, 0, 0, 1, 1, 1] {
            world.call_queue(queue);
        }
    });
    rig.sim.play(TimeDelta::seconds(100)).await;
    let is_repaired = |feed: &Value| feed["gaps"][0]["repaired_at"].is_string();
    let feed = rig.eventually("the gap is repaired", is_repaired, "/api/v1/feed").await;
    assert_eq!(feed["journalled"], json!(0), "Zoom has written nothing down yet: {feed}");

    let to = DateTime::parse_from_rfc3339(feed["gaps"][0]["to"].as_str().unwrap()).unwrap();
    let rig = rig
        .restart(
            // Everybody hangs up, and everything is written down.
            async |sim| {
                sim.change_world(|world| world.stop_arrivals());
                sim.play(TimeDelta::seconds(1500)).await;
            },
            |config| {
                // The gap between the two runs is left alone.
                config.zoom.timings.record_delay = Duration::from_secs(3600);
                config.zoom.timings.second_look = Duration::from_millis(500);
            },
        )
        .await;
    let ended = (to.to_utc() + TimeDelta::minutes(2)).trunc_subsecs(0);
    let told = recorded_until(&rig.sim, ended);
    assert!(told.values().any(|(offered, _)| *offered > 0), "some calls are over: {told:?}");
    rig.eventually("the board equals the record", |rows| board(rows) == told, "/api/v1/queues").await;
    rig.stop().await;
}
