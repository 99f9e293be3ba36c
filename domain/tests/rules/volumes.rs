//! The worked example of ten visits, by every definition, and percentiles.

use std::time::Duration;

use domain::{
    outcome::Outcome,
    service_level::{Definition, ServiceLevelPolicy},
    volume::{Histogram, Volume, Wait, Waits},
};
use proptest::prelude::*;

const fn wait(outcome: Outcome, seconds: u64) -> Wait {
    Wait { outcome, length: Duration::from_secs(seconds) }
}

/// Six answered, three abandoned, one in the mailbox; T = 20 s, s = 5 s.
const FINISHED: [Wait; 10] = [
    wait(Outcome::Answered, 4),
    wait(Outcome::Answered, 8),
    wait(Outcome::Answered, 15),
    wait(Outcome::Answered, 19),
    wait(Outcome::Answered, 25),
    wait(Outcome::Answered, 40),
    wait(Outcome::ShortAbandoned, 3),
    wait(Outcome::Abandoned, 12),
    wait(Outcome::Abandoned, 50),
    wait(Outcome::Voicemail, 60),
];
const WAITING: [Wait; 2] = [wait(Outcome::Waiting, 7), wait(Outcome::Waiting, 33)];

fn example() -> Volume {
    Volume::of(FINISHED.into_iter().chain(WAITING), &ServiceLevelPolicy::default())
}

#[test]
fn the_worked_example_by_every_definition() {
    let volume = example();
    let level = |definition| {
        let level = volume.service_level(definition);
        (level.met, level.decided)
    };
    assert_eq!(level(Definition::AnsweredOnly), (4, 6));
    assert_eq!(level(Definition::Negative), (4, 10));
    assert_eq!(level(Definition::Ignored), (4, 8));
    assert_eq!(level(Definition::Positive), (6, 10));
    assert_eq!(level(Definition::ShortExcluded), (4, 9));
    let now = volume.service_level_now();
    assert_eq!((now.met, now.decided), (4, 10));
    assert_eq!(volume.service_level(Definition::ShortExcluded).permille(), Some(444));
}

#[test]
fn the_worked_example_in_counts() {
    let volume = example();
    assert_eq!((volume.finished(), volume.answered, volume.answered_in_time), (10, 6, 4));
    assert_eq!((volume.abandoned, volume.short_abandoned, volume.abandoned_in_time), (3, 1, 2));
    assert_eq!((volume.flowed_out, volume.waiting, volume.waiting_in_time), (1, 2, 1));
    assert_eq!(volume.abandon_rate(), (3, 10));
    assert_eq!(volume.abandon_rate_without_short(), (2, 9));
}

#[test]
fn the_worked_example_in_waits() {
    let answered = Waits::of(FINISHED, |outcome| outcome == Outcome::Answered);
    assert_eq!(answered.mean(), Some(Duration::from_millis(18_500)), "average speed of answer");
    assert_eq!(answered.percentile(90), Some(Duration::from_secs(40)));
    assert_eq!(answered.percentile(50), Some(Duration::from_secs(15)));
    let left = Waits::of(FINISHED, |outcome| matches!(outcome, Outcome::Abandoned | Outcome::ShortAbandoned));
    assert_eq!(left.mean(), Some(Duration::from_secs(65) / 3), "average time to abandon");
    let everybody = Waits::of(FINISHED.into_iter().chain(WAITING), |_| true);
    assert_eq!((everybody.count(), everybody.mean()), (10, Some(Duration::from_millis(23_600))));
    let waiting = WAITING.map(|wait| wait.length).into_iter().max();
    assert_eq!(waiting, Some(Duration::from_secs(33)), "longest wait now");
}

#[test]
fn bands_of_waits_are_kept_in_databases_and_stay_what_they_are() {
    let waits = [50, 1_000, 10_000, 20_000, 60_000, 600_000, 86_400_000].map(Duration::from_millis);
    let mut whole = Histogram::default();
    waits.iter().for_each(|wait| whole.add(*wait));
    let bands: Vec<_> = whole.bands().collect();
    assert_eq!(bands, [0, 59, 118, 136, 164, 222, 349].map(|band| (band, 1)));
    let mut kept = Histogram::default();
    bands.iter().for_each(|(band, count)| kept.add_to_band(*band, *count));
    assert_eq!(kept, whole);
    kept.add_to_band(usize::MAX, 1);
    assert_eq!((kept.count(), kept.percentile(100)), (8, whole.percentile(100)));
}

#[test]
fn nothing_divided_by_nothing_is_nothing() {
    let volume = Volume::default();
    for definition in Definition::ALL {
        assert_eq!(volume.service_level(definition).permille(), None);
    }
    let none = Waits::default();
    assert_eq!((none.mean(), none.longest(), none.percentile(50)), (None, None, None));
    assert_eq!(Histogram::default().percentile(50), None);
}

fn waits() -> impl Strategy<Value = Vec<Wait>> {
    let outcome = prop_oneof![
        4 => Just(Outcome::Answered),
        2 => Just(Outcome::Abandoned),
        1 => Just(Outcome::Voicemail),
        1 => Just(Outcome::Overflowed),
        1 => Just(Outcome::TransferredOut),
        1 => Just(Outcome::Waiting),
    ];
    // From the finest band to several hours, as often short as long.
    let length = (5.0_f64..16.0).prop_map(|power| Duration::from_millis(power.exp() as u64));
    prop::collection::vec((outcome, length).prop_map(|(outcome, length)| Wait { outcome, length }), 0..200)
}

proptest! {
    /// Sums of parts are the sum of the whole, and no share exceeds its whole.
    #[test]
    fn volumes_add_up(mut waits in waits(), at in any::<prop::sample::Index>()) {
        let policy = ServiceLevelPolicy::default();
        let whole = Volume::of(waits.iter().copied(), &policy);
        let rest = waits.split_off(if waits.is_empty() { 0 } else { at.index(waits.len()) });
        prop_assert_eq!(Volume::of(waits, &policy).plus(Volume::of(rest, &policy)), whole);
        for definition in Definition::ALL {
            let level = whole.service_level(definition);
            prop_assert!(level.met <= level.decided);
        }
        let now = whole.service_level_now();
        prop_assert!(now.met <= now.decided);
    }

    /// Percentiles of merged histograms are within 2 % of the exact ones of all waits together.
    #[test]
    fn merged_histograms_are_close_to_the_truth(a in waits(), b in waits(), percent in 1..=100_u8) {
        let mut merged = Histogram::default();
        for part in [&a, &b] {
            let mut histogram = Histogram::default();
            for wait in part.iter().filter(|wait| wait.outcome != Outcome::Waiting) {
                histogram.add(wait.length);
            }
            merged.merge(&histogram);
        }
        let exact = Waits::of(a.into_iter().chain(b), |_| true);
        prop_assert_eq!(merged.count(), exact.count() as u64);
        match (merged.percentile(percent), exact.percentile(percent)) {
            (Some(near), Some(exact)) => {
                let off = near.abs_diff(exact).as_secs_f64() / exact.as_secs_f64();
                prop_assert!(off <= 0.0201, "{near:?} for {exact:?}");
            }
            (near, exact) => prop_assert_eq!(near, exact),
        }
    }
}
