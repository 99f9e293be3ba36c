//! Every event the world tells must have the fields, and the types, that Zoom's schema declares.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use serde_json::Value;
use zoom_sim::World;

use crate::story;

/// Fields that real captures carry although the schema does not list them.
const SEEN_BUT_UNDOCUMENTED: [&str; 3] = ["channel_id", "device_type", "handup_result"];

type Matrix = BTreeMap<String, BTreeMap<String, String>>;

fn matrix() -> Matrix {
    serde_json::from_str(include_str!("../fixtures/field_matrix.json")).unwrap()
}

fn check(matrix: &Matrix, name: &str, body: &Value) {
    let fields = matrix.get(name).unwrap_or_else(|| panic!("{name} is no known event"));
    let mut seen = BTreeSet::new();
    collect("", body, &mut |path, value| {
        seen.insert(path.to_owned());
        let Some(declared) = fields.get(path) else {
            let last = path.rsplit('.').next().unwrap();
            let captured = SEEN_BUT_UNDOCUMENTED.contains(&last)
                || (name == "phone.callee_missed" && path.contains("redirect_forwarded_by."));
            assert!(captured, "{name} has {path}, which is not in the schema");
            return;
        };
        let declared = declared.trim_start_matches('!');
        let fits = match declared {
            "string" => value.is_string(),
            "integer" => value.is_i64(),
            "boolean" => value.is_boolean(),
            "object" => value.is_object(),
            _ => value.is_array(),
        };
        assert!(fits, "{name}: {path} should be {declared}, is {value}");
    });
    for (path, declared) in fields {
        // A field is only required inside a parent that is there.
        let parent_there = path
            .rsplit_once('.')
            .is_none_or(|(parent, _)| seen.contains(parent.trim_end_matches("[]")) || parent.is_empty());
        if declared.starts_with('!') && parent_there {
            assert!(seen.contains(path), "{name} lacks {path}: {body}");
        }
    }
}

fn collect(path: &str, value: &Value, tell: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                tell(&path, value);
                collect(&path, value, tell);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(&format!("{path}[]"), item, tell)),
        _ => {}
    }
}

#[test]
fn every_event_fits_the_schema() {
    let matrix = matrix();
    let mut kinds = BTreeSet::new();
    for config in [story::eventful(), zoom_sim::WorldConfig::demo(story::morning())] {
        let mut world = World::new(config, 3);
        for event in world.step_for(TimeDelta::minutes(50)) {
            let body: Value = serde_json::from_str(&event.json).unwrap();
            assert_eq!(body["event"], event.name);
            check(&matrix, event.name, &body);
            kinds.insert(event.name);
        }
    }
    // Emergency calls do not happen here.
    let missing: Vec<_> =
        matrix.keys().filter(|name| !kinds.contains(name.as_str()) && !name.contains("emergency")).collect();
    assert!(missing.is_empty(), "never told: {missing:?}");
}

#[test]
fn object_times_are_whole_seconds_in_utc_and_ids_are_text() {
    let mut world = World::new(story::eventful(), 4);
    for event in world.step_for(TimeDelta::hours(1)) {
        let body: Value = serde_json::from_str(&event.json).unwrap();
        assert_eq!(body["event_ts"], event.at.timestamp_millis());
        collect("", &body, &mut |path, value| {
            if path.ends_with("_time") && path.contains("object.") && value.is_string() {
                let text = value.as_str().unwrap();
                assert!(text.len() == 20 && text.ends_with('Z'), "{path} is {text}");
            }
            if path.ends_with("call_id") {
                assert_eq!(value.as_str().unwrap().len(), 19, "{path}");
            }
        });
    }
}
