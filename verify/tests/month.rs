//! A month of a small account over a bad line: nothing that is shown is wrong.
//!
//! In three parts, so that two cores share them. Longer runs: `cargo xtask verify-truth`.

use verify::{
    line::Faults,
    run::{Account, Plan, run},
};

fn check(seed: u64) {
    let plan = Plan { account: Account::Small, days: 10, seed, faults: Faults::BAD, reconciled: false };
    let report = run(plan);
    assert_eq!(report.wrong(), 0, "seed {seed}\n{report}");
    let [waiting, ringing, ..] = &report.scores[..] else { panic!("no scores") };
    // A bound that is never exact would prove nothing.
    for score in [waiting, ringing] {
        let looks = score.exact + score.within;
        assert!(score.exact * 100 > looks * 95, "seed {seed}: {score}");
    }
    assert!(report.line.lost > 0 && report.line.repeated > 0 && report.line.outages > 0, "{report}");
}

#[test]
fn the_first_ten_days() {
    check(21);
}

#[test]
fn the_second_ten_days() {
    check(22);
}

#[test]
fn the_third_ten_days() {
    check(23);
}

#[test]
fn on_a_perfect_line_ringing_is_exact_and_every_visit_is_counted() {
    let report =
        run(Plan { account: Account::Office, days: 1, seed: 5, faults: Faults::NONE, reconciled: false });
    assert_eq!(report.wrong(), 0, "{report}");
    for metric in ["ringing", "offered of a day", "answered of a day"] {
        let score = report.scores.iter().find(|score| score.metric == metric).expect("a metric");
        assert_eq!(score.within, 0, "{report}");
    }
    // A pause between two rings longer than the grace, or a hang-up in it, is told by nobody; who was
    // transferred with consultation talks under the consultation's own id.
    for (metric, exact_permille) in [("waiting", 998), ("with an agent", 970)] {
        let score = report.scores.iter().find(|score| score.metric == metric).expect("a metric");
        assert!(score.exact * 1000 >= (score.exact + score.within) * exact_permille, "{report}");
    }
}

#[test]
fn the_same_seed_twice_gives_the_same_boards_and_another_seed_gives_others() {
    let day =
        |seed| run(Plan { account: Account::Small, days: 1, seed, faults: Faults::BAD, reconciled: false });
    assert_eq!(day(9), day(9));
    assert_ne!(day(9).fingerprint, day(10).fingerprint);
}

#[test]
fn a_reconciled_day_of_an_office_equals_the_record_to_the_call() {
    let plan = Plan { account: Account::Office, days: 1, seed: 1, faults: Faults::BAD, reconciled: true };
    let report = run(plan);
    assert_eq!((report.wrong(), report.unexplained()), (0, Some(0)), "{report}");
    // Some of its callers reach a mailbox after an answer, or because their queue is closed.
    assert!(report.visits_compared > 1_000 && report.differences.is_empty(), "{report}");
}

#[test]
fn reconciled_days_equal_the_record_to_the_call() {
    let plan = Plan { account: Account::Small, days: 3, seed: 31, faults: Faults::BAD, reconciled: true };
    let report = run(plan);
    assert_eq!(report.wrong(), 0, "{report}");
    for metric in ["offered, record", "answered, record", "lost, record"] {
        let score = report.scores.iter().find(|score| score.metric == metric).expect("a metric");
        assert!(score.exact > 0, "{report}");
    }
    let sum = report.reconciliation.expect("records were read");
    assert_eq!(report.unexplained(), Some(0), "{report}");
    assert!(sum.record.offered > 0 && sum.corrected > 0, "nothing to explain proves nothing\n{report}");
    assert!(report.to_string().contains("unexplained differences: 0"), "{report}");
}
