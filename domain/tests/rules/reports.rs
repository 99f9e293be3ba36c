//! Figures of reports: the worked example, sums that add up, and where a visit counts.

use std::time::Duration;

use domain::{
    calendar::Stretch,
    outcome::{Outcome, OverflowReason},
    quality::Quality,
    report::{Callers, ReportedVisit, Sums},
    service_level::{Definition, Promise, ServiceLevelPolicy},
    time::Timestamp,
    volume::{Histogram, Wait, Waits},
};
use proptest::prelude::*;

const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

fn visit(entered: i64, wait: i64, outcome: Outcome) -> ReportedVisit {
    ReportedVisit {
        entered_at: at(entered),
        left_at: at(entered + wait),
        outcome,
        overflow: None,
        promise: Promise::default(),
        is_measured: true,
        is_presumed: false,
    }
}

fn over(visits: &[ReportedVisit], from: i64, to: i64) -> Sums {
    Sums::over(visits, Stretch { from: at(from), to: at(to) })
}

/// Six answered, three abandoned, one in the mailbox; T = 20 s, s = 5 s.
fn example() -> Vec<ReportedVisit> {
    use Outcome::{Abandoned, Answered, ShortAbandoned, Voicemail};
    [
        (4, Answered),
        (8, Answered),
        (15, Answered),
        (19, Answered),
        (25, Answered),
        (40, Answered),
        (3, ShortAbandoned),
        (12, Abandoned),
        (50, Abandoned),
        (60, Voicemail),
    ]
    .map(|(wait, outcome)| visit(0, wait, outcome))
    .to_vec()
}

#[test]
fn the_worked_example() {
    let sums = over(&example(), 0, 900);
    assert_eq!((sums.offered, sums.finished(), sums.answered, sums.answered_in_time), (10, 10, 6, 4));
    assert_eq!((sums.abandoned, sums.short_abandoned, sums.abandoned_in_time), (2, 1, 2));
    assert_eq!((sums.voicemail, sums.answered_late(), sums.abandon_rate()), (1, 2, (2, 9)));
    let level = |definition| {
        let level = sums.service_level(definition);
        (level.met, level.decided)
    };
    assert_eq!(level(Definition::AnsweredOnly), (4, 6));
    assert_eq!(level(Definition::Negative), (4, 10));
    assert_eq!(level(Definition::Ignored), (4, 8));
    assert_eq!(level(Definition::Positive), (6, 10));
    assert_eq!(level(Definition::ShortExcluded), (4, 9));
    assert_eq!(sums.promised, sums.service_level(Definition::ShortExcluded));
    assert_eq!(sums.promised.permille(), Some(444));
    let millis = |wait: Option<Duration>| wait.unwrap().as_millis();
    assert_eq!(millis(sums.average_speed_of_answer()), 18_500);
    assert_eq!(millis(sums.average_time_to_abandon()), 21_666);
    assert_eq!(millis(sums.average_wait()), 23_600);
    assert_eq!(sums.longest_wait(), Some(Duration::from_secs(60)));
    for (callers, percent, seconds) in [
        (Callers::Answered, 90, 40.0),
        (Callers::Answered, 50, 15.0),
        (Callers::All, 50, 15.0),
        (Callers::All, 95, 60.0),
    ] {
        let near = sums.percentile(callers, percent).unwrap().as_secs_f64() / seconds;
        assert!((near - 1.0).abs() <= 0.02, "p{percent} of {callers:?}: {near}");
    }
}

#[test]
fn of_nothing_there_is_no_share_and_no_mean() {
    let sums = Sums::default();
    assert!(sums.is_empty());
    assert_eq!((sums.promised.permille(), sums.quality(), sums.longest_wait()), (None, None, None));
    assert_eq!((sums.average_speed_of_answer(), sums.percentile(Callers::All, 95)), (None, None));
}

#[test]
fn a_visit_counts_where_it_entered_where_it_ended_and_where_it_was_decided() {
    // Enters in the first quarter, passes its 20 s in the second, is answered in the third.
    let late = [visit(890, 1_000, Outcome::Answered)];
    let counted = |from, to| {
        let sums = over(&late, from, to);
        (sums.offered, sums.answered, sums.answered_late(), sums.promised.met, sums.promised.decided)
    };
    assert_eq!(counted(0, 900), (1, 0, 0, 0, 0));
    assert_eq!(counted(900, 1800), (0, 0, 0, 0, 1));
    assert_eq!(counted(1800, 2700), (0, 1, 1, 0, 0));
    assert_eq!(counted(0, 2700), (1, 1, 1, 0, 1));
}

#[test]
fn each_visit_is_judged_by_its_own_promise() {
    let policy = ServiceLevelPolicy { threshold_seconds: 60, ..ServiceLevelPolicy::default() };
    let slow = Promise { policy, definition: Definition::AnsweredOnly };
    let mut visits = vec![visit(0, 50, Outcome::Answered), visit(0, 50, Outcome::Abandoned)];
    assert_eq!(over(&visits, 0, 900).promised.permille(), Some(0));
    visits.iter_mut().for_each(|visit| visit.promise = slow);
    let sums = over(&visits, 0, 900);
    assert_eq!((sums.promised.met, sums.promised.decided), (1, 1), "who leaves does not count at all");
    assert_eq!(sums.service_level(Definition::ShortExcluded).permille(), Some(500));
}

#[test]
fn overflow_is_told_by_its_reason_and_outcomes_by_how_sure_they_are() {
    let mut visits = vec![visit(0, 9, Outcome::Overflowed); 4];
    visits[0].overflow = Some(OverflowReason::MaxWait);
    visits[1].overflow = Some(OverflowReason::NoAgent);
    let sums = over(&visits, 0, 900);
    assert_eq!((sums.overflowed, sums.overflowed_for, sums.overflowed_for_unknown()), (4, [1, 0, 1], 2));
    assert_eq!(sums.quality(), Some(Quality::Measured));
    visits[2].is_measured = false;
    assert_eq!(over(&visits, 0, 900).quality(), Some(Quality::Live));
    visits[2].is_presumed = true;
    assert_eq!(over(&visits, 0, 900).quality(), Some(Quality::Inferred));
}

fn visits() -> impl Strategy<Value = Vec<ReportedVisit>> {
    let outcome = prop::sample::select(Outcome::ALL[1..].to_vec());
    let visit =
        (0..3_600_i64, 0..400_i64, outcome, 10..90_u32).prop_map(|(entered, wait, outcome, threshold)| {
            let policy = ServiceLevelPolicy { threshold_seconds: threshold, ..ServiceLevelPolicy::default() };
            let promise = Promise { policy, ..Promise::default() };
            // By the rule of outcomes: short is who leaves within the short time.
            let outcome = match outcome {
                Outcome::Abandoned if wait <= 5 => Outcome::ShortAbandoned,
                Outcome::ShortAbandoned if wait > 5 => Outcome::Abandoned,
                outcome => outcome,
            };
            ReportedVisit { promise, ..visit(entered, wait, outcome) }
        });
    prop::collection::vec(visit, 0..60)
}

proptest! {
    /// Sums of parts are the sum of the whole, however time is cut; and definitions agree with each visit judged
    /// by itself.
    #[test]
    fn sums_add_up(visits in visits(), border in 0..4_000_i64) {
        let whole = over(&visits, 0, 5_000);
        let mut both = over(&visits, 0, border);
        both.add(&over(&visits, border, 5_000));
        prop_assert_eq!(&both, &whole);
        for definition in Definition::ALL {
            let judged = visits.iter().map(|visit| {
                definition.judge(&visit.promise.policy, visit.outcome, visit.left_at.since(visit.entered_at))
            });
            let (met, decided) =
                judged.fold((0, 0), |(met, decided), level| (met + level.met, decided + level.decided));
            let level = whole.service_level(definition);
            prop_assert_eq!((level.met, level.decided), (met, decided), "{:?}", definition);
        }
        let waits = visits.iter().map(|visit| Wait {
            outcome: visit.outcome,
            length: visit.left_at.since(visit.entered_at),
        });
        let exact = Waits::of(waits, |_| true);
        prop_assert_eq!(whole.longest_wait(), exact.longest());
        for percent in [50, 80, 90, 95] {
            match (whole.percentile(Callers::All, percent), exact.percentile(percent)) {
                (Some(near), Some(exact)) => {
                    let finest = Histogram::FINEST.as_secs_f64();
                    prop_assert!(
                        (near.as_secs_f64() - exact.as_secs_f64()).abs() <= exact.as_secs_f64() * 0.0201 + finest
                    );
                }
                (near, exact) => prop_assert_eq!(near, exact),
            }
        }
    }
}
