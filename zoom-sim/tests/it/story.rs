//! The world tells one story per seed, and its truth adds up.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use serde_json::Value;
use zoom_sim::{Demand, Habits, Outcome, World, WorldConfig};

pub(crate) fn morning() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 18, 9, 0, 0).unwrap()
}

/// An office in which everything that can happen happens often.
pub(crate) fn eventful() -> WorldConfig {
    let habits = Habits {
        park: 0.1,
        blind_transfer: 0.12,
        warm_transfer: 0.15,
        to_voicemail: 0.05,
        conference: 0.08,
        meeting: 0.08,
        hold: 0.3,
        mute: 0.3,
        rejects: 0.1,
        transfer_fails: 0.2,
        internal_into_queue: 0.2,
        ..Habits::default()
    };
    WorldConfig {
        habits,
        demand: Demand::Steady,
        internal_calls_per_hour: 60.0,
        ..WorldConfig::demo(morning())
    }
}

#[test]
fn same_seed_same_story() {
    let tell = |seed| World::new(WorldConfig::demo(morning()), seed).step_for(TimeDelta::hours(1));
    let story = tell(7);
    assert!(story.len() > 1500, "{}", story.len());
    assert_eq!(story, tell(7));
    assert_ne!(story, tell(8));
}

#[test]
fn the_length_of_the_steps_does_not_change_the_story() {
    let mut one = World::new(eventful(), 11);
    let mut many = World::new(eventful(), 11);
    let whole = one.step_for(TimeDelta::minutes(30));
    let pieces: Vec<_> = (0..1800 * 4).flat_map(|_| many.step_for(TimeDelta::milliseconds(250))).collect();
    assert_eq!(whole, pieces);
}

#[test]
fn a_day_of_truth_balances() {
    let start = Utc.with_ymd_and_hms(2026, 11, 18, 0, 0, 0).unwrap();
    let mut world = World::new(WorldConfig { load: 0.5, ..WorldConfig::office(start) }, 5);
    world.skip_until(start + TimeDelta::hours(24));
    let truth = world.truth();
    let mut entered = 0;
    for queue in &world.directory().queues {
        for (from, to) in [(0, 24), (8, 9), (9, 17), (12, 13)] {
            let (from, to) = (start + TimeDelta::hours(from), start + TimeDelta::hours(to));
            let counts = truth.counts(&queue.id, from, to);
            assert!(counts.balances(), "{} {from} {to}: {counts:?}", queue.name);
            assert_eq!(counts.still_waiting, truth.queue_at(&queue.id, to).waiting);
            assert_eq!(counts.carried_in, truth.queue_at(&queue.id, from).waiting);
        }
        entered += truth.counts(&queue.id, start, world.now()).entered;
    }
    assert!(entered > 500, "{entered}");
    assert_eq!(truth.calls().0 - truth.calls().1, world.live_calls() as u64);
}

#[test]
fn the_eventful_truth_balances_as_well() {
    let mut world = World::new(eventful(), 6);
    world.skip_until(morning() + TimeDelta::hours(6));
    for queue in &world.directory().queues {
        let counts = world.truth().counts(&queue.id, morning(), world.now());
        assert!(counts.balances(), "{}: {counts:?}", queue.name);
        let moment = world.truth().queue_at(&queue.id, world.now());
        assert!(moment.visible_waiting <= moment.waiting && moment.ringing <= moment.visible_waiting);
    }
}

/// Once nobody calls any more everything comes to an end: no call, ring or busy seat is left over.
#[test]
fn everything_ends() {
    for seed in 0..4 {
        let config = WorldConfig { memory_hours: 2000, ..eventful() };
        let mut world = World::new(config, seed);
        world.skip_until(morning() + TimeDelta::hours(2));
        world.stop_arrivals();
        world.skip_until(morning() + TimeDelta::hours(8));
        assert_eq!(world.live_calls(), 0, "seed {seed}");
        for seat in 0..world.directory().seats.len() {
            assert!(!world.seat_is_on_call(seat), "seed {seed}, seat {seat}");
            assert!(!world.seat_is_ringing(seat), "seed {seed}, seat {seat}");
        }
        assert!(world.truth().visits().all(|visit| visit.ended.is_some() && visit.outcome.is_some()));
    }
}

/// Legs open and close in events exactly once, and the winner's leg is answered before it ends.
#[test]
fn every_ring_is_closed_by_exactly_one_event() {
    let mut world = World::new(WorldConfig { habits: eventful().habits, ..eventful() }.without_latency(), 9);
    let mut events = world.step_for(TimeDelta::hours(2));
    world.stop_arrivals();
    events.extend(world.step_for(TimeDelta::hours(6)));
    let mut open: BTreeMap<String, i32> = BTreeMap::new();
    let mut closed_without_ring = 0;
    for event in &events {
        let body: Value = serde_json::from_str(&event.json).unwrap();
        let object = &body["payload"]["object"];
        let leg = format!(
            "{} {} {} {}",
            object["call_id"],
            object["callee"]["extension_id"],
            object["callee"]["device_id"],
            object["ringing_start_time"]
        );
        match event.name {
            "phone.callee_ringing" => *open.entry(leg).or_default() += 1,
            "phone.callee_missed" if object["handup_result"] == "Busy" => closed_without_ring += 1,
            "phone.callee_missed" | "phone.callee_rejected" | "phone.callee_ended" => {
                *open.entry(leg).or_default() -= 1;
            }
            _ => {}
        }
    }
    let unbalanced: Vec<_> = open.iter().filter(|(_, count)| **count != 0).collect();
    assert!(unbalanced.is_empty(), "{unbalanced:?}");
    assert!(closed_without_ring > 0);
}

#[test]
fn callers_nobody_rings_for_leave_no_trace() {
    let mut config = WorldConfig::demo(morning());
    config.load = 1.6;
    let mut world = World::new(config, 2);
    let events = world.step_for(TimeDelta::hours(3));
    let told: BTreeSet<String> = events
        .iter()
        .filter(|event| event.name.starts_with("phone.call") && !event.name.contains("element"))
        .map(|event| {
            let body: Value = serde_json::from_str(&event.json).unwrap();
            body["payload"]["object"]["call_id"].as_str().unwrap().to_owned()
        })
        .collect();
    let silent: Vec<_> = world
        .truth()
        .visits()
        .filter(|visit| visit.outcome == Some(Outcome::Abandoned) && visit.first_ring.is_none())
        .filter(|visit| world.truth().visits_of_call(&visit.call_id).len() == 1)
        .filter(|visit| !told.contains(&visit.call_id))
        .collect();
    assert!(silent.len() > 20, "{}", silent.len());
}

/// Nobody gets through outside opening hours, and nobody is turned away within them.
#[test]
fn closed_queues_take_no_calls() {
    let start = Utc.with_ymd_and_hms(2026, 11, 18, 0, 0, 0).unwrap();
    let mut world = World::new(WorldConfig::office(start), 5);
    world.skip_until(start + TimeDelta::hours(24));
    let mut closed = 0;
    for queue in world.directory().queues.clone() {
        for visit in world.truth().visits_of(&queue.id) {
            let open = queue.hours.open_at(queue.zone, visit.entered);
            assert_eq!(visit.outcome == Some(Outcome::Closed), !open, "{visit:?}");
            closed += usize::from(!open);
        }
    }
    assert!(closed > 20, "{closed}");
}

/// Whoever opens the wall sees callers waiting, whatever the seed.
#[test]
fn the_demo_begins_with_callers_waiting() {
    for seed in 1..6 {
        let world = World::warmed_up(WorldConfig::demo(morning()), seed, TimeDelta::minutes(30));
        let moments =
            world.directory().queues.iter().map(|queue| world.truth().queue_at(&queue.id, world.now()));
        let (mut waiting, mut talking) = (0, 0);
        for moment in moments {
            waiting += moment.waiting;
            talking += moment.talking + moment.on_hold;
        }
        assert!(waiting >= 2 && talking >= 5, "seed {seed}: {waiting} waiting, {talking} talking");
    }
}

/// The demo must be alive: about one event a second, people waiting, some for long, some giving up.
#[test]
fn the_demo_is_lively() {
    let lead = TimeDelta::hours(1);
    let mut world = World::warmed_up(WorldConfig::demo(morning()), 7, lead);
    let from = world.now();
    let first = world.step_for(TimeDelta::seconds(20));
    assert!(first.len() > 5, "only {} events in the first 20 s", first.len());
    let hours = 4;
    let events = first.len() + world.step_for(TimeDelta::hours(hours) - TimeDelta::seconds(20)).len();
    let per_second = events as f64 / (hours * 3600) as f64;
    let (mut waits, mut answered, mut abandoned, mut entered) = (0, 0, 0, 0);
    for queue in &world.directory().queues {
        let counts = world.truth().counts(&queue.id, from, world.now());
        let late = world
            .truth()
            .visits_of(&queue.id)
            .filter(|visit| visit.answered.is_some() && visit.wait_seconds() > Some(20.0))
            .count();
        println!("{:18} {counts:?} late {late}", queue.name);
        entered += counts.entered;
        answered += counts.answered;
        abandoned += counts.abandoned;
        waits += late;
    }
    let waiting: Vec<usize> = (0..hours * 60)
        .map(|minute| {
            let at = from + TimeDelta::minutes(minute);
            world.directory().queues.iter().map(|queue| world.truth().queue_at(&queue.id, at).waiting).sum()
        })
        .collect();
    let busy_minutes = waiting.iter().filter(|waiting| **waiting >= 3).count() as f64 / waiting.len() as f64;
    let mean = waiting.iter().sum::<usize>() as f64 / waiting.len() as f64;
    println!("{per_second:.2} events/s, mean waiting {mean:.1}, three or more {busy_minutes:.2}");
    println!("entered {entered} answered {answered} abandoned {abandoned} late {waits}");
    assert!((0.9..2.2).contains(&per_second), "{per_second}");
    assert!(busy_minutes > 0.15, "{busy_minutes}");
    assert!(waits * 10 > answered && waits * 3 < answered * 2, "{waits} of {answered} waited over 20 s");
    assert!(abandoned * 50 > entered && abandoned * 5 < entered, "{abandoned} of {entered}");
}

#[test]
fn bench_makes_about_the_events_it_promises() {
    let mut world =
        World::warmed_up(WorldConfig::bench(morning(), 100, 2000, 50.0), 7, TimeDelta::minutes(15));
    let events = world.step_for(TimeDelta::minutes(5)).len() as f64 / 300.0;
    println!("{events} events/s");
    assert!((38.0..62.0).contains(&events), "{events}");
}

#[test]
fn who_is_signed_out_or_not_to_be_disturbed_is_not_rung_by_queues() {
    let config = WorldConfig {
        absences_per_hour: 240.0,
        internal_calls_per_hour: 0.0,
        outgoing_calls_per_hour: 0.0,
        direct_calls_per_hour: 0.0,
        ..WorldConfig::demo(morning()).without_latency()
    };
    let mut unreachable: BTreeSet<String> = BTreeSet::new();
    let mut told = BTreeMap::new();
    for event in World::new(config, 3).step_for(TimeDelta::hours(2)) {
        let body: Value = serde_json::from_str(&event.json).unwrap();
        let object = &body["payload"]["object"];
        match event.name {
            "user.presence_status_updated" => {
                let (id, status) =
                    (object["id"].as_str().unwrap(), object["presence_status"].as_str().unwrap());
                *told.entry(status.to_owned()).or_insert(0) += 1;
                if matches!(status, "Offline" | "Do_Not_Disturb") {
                    unreachable.insert(id.to_owned());
                } else {
                    unreachable.remove(id);
                }
            }
            "phone.callee_ringing" if object["forwarded_by"]["extension_type"] == "callQueue" => {
                let user = object["callee"]["user_id"].as_str().unwrap_or_default();
                assert!(!unreachable.contains(user), "{user} is rung");
            }
            _ => {}
        }
    }
    for word in ["Available", "Away", "Do_Not_Disturb", "Offline", "On_Phone_Call"] {
        assert!(told.get(word).is_some_and(|count| *count > 3), "{word}: {told:?}");
    }
}
