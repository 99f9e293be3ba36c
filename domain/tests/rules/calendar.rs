//! Stretches of local time: both changes of clocks, zones of odd quarters, changes by half an hour, the south.

use domain::{
    calendar::{Interval, Offsets, Stretch},
    time::Timestamp,
};
use proptest::prelude::*;

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

/// 2026-10-25T01:00:00Z, when Berlin goes back from +02:00.
const BERLIN_AUTUMN: i64 = 1_792_890_000;
/// 2026-03-29T01:00:00Z, when it goes forward to it.
const BERLIN_SPRING: i64 = 1_774_746_000;
/// 2026-04-04T15:00:00Z, when Lord Howe goes back from +11:00 to +10:30.
const HOWE_AUTUMN: i64 = 1_775_314_800;
/// 2026-10-03T15:30:00Z, when it goes forward to it.
const HOWE_SPRING: i64 = 1_791_041_400;
/// 2026-04-04T16:00:00Z, when Sydney goes back from +11:00 to +10:00: its autumn is in April.
const SYDNEY_AUTUMN: i64 = 1_775_318_400;

fn berlin() -> Offsets {
    Offsets::new(3_600, vec![(at(BERLIN_SPRING), 7_200), (at(BERLIN_AUTUMN), 3_600)])
}

fn howe() -> Offsets {
    Offsets::new(39_600, vec![(at(HOWE_AUTUMN), 37_800), (at(HOWE_SPRING), 39_600)])
}

/// How long each part is, in minutes.
fn minutes(offsets: &Offsets, interval: Interval, from: i64, to: i64) -> Vec<i64> {
    let parts = Stretch { from: at(from), to: at(to) }.cut(offsets, interval, 10_000).expect("not so many");
    assert_eq!((parts[0].from, parts[parts.len() - 1].to), (at(from), at(to)));
    assert!(parts.is_sorted_by(|a, b| a.to == b.from));
    parts.iter().map(|part| (part.to.as_millis() - part.from.as_millis()) / 60_000).collect()
}

#[test]
fn a_day_has_the_hours_that_its_clocks_give_it() {
    let autumn = BERLIN_AUTUMN - 3 * HOUR;
    assert_eq!(minutes(&berlin(), Interval::Day, autumn, autumn + 49 * HOUR), [25 * 60, 24 * 60]);
    assert_eq!(minutes(&berlin(), Interval::Hour, autumn, autumn + 25 * HOUR), [60; 25]);
    let spring = BERLIN_SPRING - 2 * HOUR;
    assert_eq!(minutes(&berlin(), Interval::Day, spring, spring + 23 * HOUR), [23 * 60]);
    assert_eq!(minutes(&berlin(), Interval::HalfHour, spring, spring + 23 * HOUR), [30; 46]);
    // In the south it is April that has the longer day.
    let sydney = Offsets::new(39_600, vec![(at(SYDNEY_AUTUMN), 36_000)]);
    let day = SYDNEY_AUTUMN - 3 * HOUR;
    assert_eq!(minutes(&sydney, Interval::Day, day, day + 25 * HOUR), [25 * 60]);
}

#[test]
fn clocks_that_jump_by_half_an_hour_end_an_hour_where_they_do() {
    // 01:00, 01:30 once more, 02:00.
    let autumn = HOWE_AUTUMN - HOUR;
    assert_eq!(minutes(&howe(), Interval::Hour, autumn, autumn + 5 * HOUR / 2), [60, 30, 60]);
    // 01:00, 02:30, 03:00.
    let spring = HOWE_SPRING - HOUR;
    assert_eq!(minutes(&howe(), Interval::Hour, spring, spring + 5 * HOUR / 2), [60, 30, 60]);
    let midnight = HOWE_AUTUMN - 2 * HOUR;
    assert_eq!(minutes(&howe(), Interval::Day, midnight, midnight + 2 * DAY + HOUR / 2), [1470, 1440]);
    assert_eq!(minutes(&howe(), Interval::Quarter, midnight, midnight + 2 * HOUR), [15; 8]);
}

#[test]
fn a_zone_of_an_odd_quarter_begins_its_hours_at_it() {
    // 2026-11-25T18:15:00Z is midnight in Kathmandu.
    let (kathmandu, midnight) = (Offsets::new(20_700, vec![]), 1_795_630_500);
    assert_eq!(minutes(&kathmandu, Interval::Day, midnight, midnight + 2 * DAY), [1440; 2]);
    assert_eq!(minutes(&kathmandu, Interval::Hour, midnight, midnight + 3 * HOUR), [60; 3]);
    // A stretch may begin and end within an hour.
    assert_eq!(minutes(&kathmandu, Interval::Hour, midnight - 900, midnight + 4_500), [15, 60, 15]);
}

#[test]
fn weeks_begin_on_monday_and_months_on_the_first() {
    let utc = Offsets::new(0, vec![]);
    // 2024-02-01, a Thursday of a leap year.
    let february = 1_706_745_600;
    let days = |interval, from, to| -> Vec<i64> {
        minutes(&utc, interval, from, to).into_iter().map(|minutes| minutes / 1440).collect()
    };
    assert_eq!(days(Interval::Month, february, february + 60 * DAY), [29, 31]);
    assert_eq!(days(Interval::Week, february, february + 29 * DAY), [4, 7, 7, 7, 4]);
    let year = days(Interval::Month, february - 31 * DAY, february + 335 * DAY);
    assert_eq!(year, [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]);
    // From 1896-03-01: 1900 is no leap year, 2000 is.
    let century: Vec<i64> = days(Interval::Month, -2_330_035_200, -2_330_035_200 + 38_715 * DAY);
    assert_eq!((century.len(), century[47], century[1247]), (1272, 28, 29));
}

#[test]
fn a_midnight_that_clocks_skip_is_where_they_go_on() {
    // Santiago goes from 24:00 to 01:00 on 2026-09-06, at 04:00Z.
    let (change, santiago) = (1_788_667_200, Offsets::new(-14_400, vec![(at(1_788_667_200), -10_800)]));
    assert_eq!(minutes(&santiago, Interval::Day, change - DAY, change + 23 * HOUR), [24 * 60, 23 * 60]);
    // And from 24:00 back to 23:00 on 2026-04-04: that Saturday has 25 hours.
    let change = 1_775_358_000;
    let santiago = Offsets::new(-10_800, vec![(at(change), -14_400)]);
    let saturday = change - 24 * HOUR;
    assert_eq!(minutes(&santiago, Interval::Day, saturday, saturday + 49 * HOUR), [25 * 60, 24 * 60]);
}

#[test]
fn more_parts_than_wanted_are_none() {
    let day = Stretch { from: at(0), to: at(DAY) };
    let utc = Offsets::new(0, vec![]);
    assert_eq!(day.cut(&utc, Interval::Quarter, 95), None);
    assert_eq!(day.cut(&utc, Interval::Quarter, 96).map(|parts| parts.len()), Some(96));
    assert_eq!(Stretch { from: at(9), to: at(9) }.cut(&utc, Interval::Day, 0), Some(vec![]));
}

proptest! {
    /// Parts lie end to end, begin at local beginnings, and none is longer than its clocks allow.
    #[test]
    fn parts_tile_any_stretch(
        from in 1_770_000_000_i64..1_795_000_000,
        length in 1_i64..200 * DAY,
        interval in prop::sample::select(Interval::ALL.to_vec()),
        is_howe in any::<bool>(),
    ) {
        let offsets = if is_howe { howe() } else { berlin() };
        let longest = match interval {
            Interval::Quarter => 15,
            Interval::HalfHour => 30,
            Interval::Hour => 60,
            Interval::Day => 25 * 60,
            Interval::Week => (7 * 24 + 1) * 60,
            Interval::Month => (31 * 24 + 1) * 60,
        };
        let length = length.min(longest * 60 * 200);
        for minutes in minutes(&offsets, interval, from, from + length) {
            prop_assert!(minutes <= longest, "{minutes} of {interval:?}");
        }
    }
}
