//! The staffing formulas against known values; those of Erlang A come from a solver of 4,000 states.

use std::time::Duration;

use domain::erlang::{Impatient, Load, Patient, blocking};
use proptest::prelude::*;

const HALF_AN_HOUR: Duration = Duration::from_secs(1_800);

fn load(calls: u32, handling: u64) -> Load {
    Load::of(calls, HALF_AN_HOUR, Duration::from_secs(handling))
}

#[track_caller]
fn close(found: f64, expected: f64) {
    // As many digits as the values are known with.
    assert!(
        (found - expected).abs() < 6e-4_f64.min(expected.abs() * 1e-5 + 1e-6),
        "{found} is not {expected}"
    );
}

#[test]
fn erlang_b_and_c() {
    struct Case {
        calls: u32,
        handling: u64,
        people: u32,
        blocking: f64,
        waits: f64,
        service_level: f64,
        speed: f64,
    }
    let cases = [
        Case {
            calls: 100,
            handling: 180,
            people: 12,
            blocking: 0.119739,
            waits: 0.449388,
            service_level: 0.640158,
            speed: 40.445,
        },
        Case {
            calls: 100,
            handling: 180,
            people: 11,
            blocking: 0.163232,
            waits: 0.682118,
            service_level: 0.389614,
            speed: 122.781,
        },
        Case {
            calls: 30,
            handling: 240,
            people: 6,
            blocking: 0.117162,
            waits: 0.284761,
            service_level: 0.758955,
            speed: 34.171,
        },
        Case {
            calls: 10,
            handling: 240,
            people: 2,
            blocking: 0.275862,
            waits: 0.533333,
            service_level: 0.495488,
            speed: 192.0,
        },
    ];
    for case in cases {
        let load = load(case.calls, case.handling);
        close(blocking(load, case.people).unwrap(), case.blocking);
        let queue = Patient::of(load, case.people).unwrap();
        close(queue.waits, case.waits);
        close(queue.service_level(Duration::from_secs(20)), case.service_level);
        close(queue.speed_of_answer(), case.speed);
    }
    let queue = Patient::of(load(60, 300), 12).unwrap();
    close(queue.service_level(Duration::from_secs(30)), 0.632072);
    close(queue.speed_of_answer(), 67.408);
    close(load(100, 180).erlangs(), 10.0);
    close(load(100, 180).occupancy(12), 0.833333);
}

#[test]
fn people_who_cannot_keep_up_have_no_waiting_time() {
    assert_eq!(Patient::of(load(100, 180), 10), None);
    assert_eq!(Patient::of(load(100, 180), 0), None);
}

#[test]
fn erlang_a_also_in_overload() {
    let cases = [
        (100, 180, 120, 10, 0.496853, 0.137464, 16.495659),
        (100, 180, 120, 8, 0.722626, 0.257982, 30.957886),
        (30, 240, 90, 4, 0.470678, 0.238568, 21.471091),
        (60, 300, 180, 9, 0.599456, 0.195457, 35.182269),
    ];
    for (calls, handling, patience, people, waits, abandons, mean_wait) in cases {
        let queue = Impatient::of(load(calls, handling), people, Duration::from_secs(patience)).unwrap();
        close(queue.waits, waits);
        close(queue.abandons, abandons);
        close(queue.mean_wait, mean_wait);
    }
    assert_eq!(Impatient::of(load(0, 180), 8, Duration::from_secs(120)), None);
}

/// The series behind these is larger than any number, or has none.
#[test]
fn erlang_a_ends_however_large_the_overload() {
    let minute = Duration::from_secs(60);
    for (calls, handling, people, patience) in
        [(1_000, 300, 10, 60 * minute), (600, 300, 10, 60 * minute), (12_000, 180, 10, 2 * minute)]
    {
        let load = load(calls, handling);
        let queue = Impatient::of(load, people, patience).unwrap();
        // Everybody waits, and whoever is too many gives up.
        close(queue.waits, 1.0);
        close(queue.abandons, 1.0 - f64::from(people) / load.erlangs());
    }
    let endless = Load::of(1, Duration::ZERO, minute);
    assert_eq!(Impatient::of(endless, 10, minute), None);
    assert_eq!((blocking(endless, 10), Patient::of(endless, 10)), (None, None));
    assert_eq!(Patient::of(load(10, 0), 10), None);
}

proptest! {
    #[test]
    fn staffing_gives_shares_for_any_load(
        calls: u32, interval: u32, handling: u32, people: u32, patience: u32, threshold: u32
    ) {
        let seconds = |count: u32| Duration::from_secs(count.into());
        let is_share = |number: f64| (0.0..=1.0 + 1e-9).contains(&number);
        let load = Load::of(calls, seconds(interval), seconds(handling));
        prop_assert!(blocking(load, people).is_none_or(is_share));
        if let Some(queue) = Patient::of(load, people) {
            prop_assert!(is_share(queue.waits) && is_share(queue.service_level(seconds(threshold))), "{queue:?}");
            prop_assert!(queue.speed_of_answer() >= 0.0, "{queue:?}");
        }
        if let Some(queue) = Impatient::of(load, people, seconds(patience)) {
            prop_assert!(is_share(queue.waits) && is_share(queue.abandons), "{queue:?}");
            prop_assert!((0.0..=f64::from(patience)).contains(&queue.mean_wait), "{queue:?}");
        }
    }
}
