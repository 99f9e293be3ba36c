//! How numbers become text: grouped, in per cent, as an age. Integers only, equal on both sides.
//!
//! `0` is a real zero, [`UNKNOWN`] cannot be known, [`NOTHING_TO_DIVIDE`] has no denominator.

use std::time::Duration;

use domain::{service_level::ServiceLevel, view::SMALL_SAMPLE};

/// Stands for a number that cannot be known now.
pub const UNKNOWN: &str = "—";
/// Stands for a share of nothing.
pub const NOTHING_TO_DIVIDE: &str = "n/a";

/// A count with its thousands apart: `12,480`.
pub fn count(number: u32) -> String {
    big_count(u64::from(number))
}

/// A count beyond four thousand millions with its thousands apart.
pub fn big_count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A size as people say it: `512 B`, `12.4 kB`, `3.1 GB`. Rounded down.
pub fn bytes(number: u64) -> String {
    let (mut unit, mut tenths) = ("B", number.saturating_mul(10));
    for larger in ["kB", "MB", "GB", "TB"] {
        if tenths < 10_000 {
            break;
        }
        (unit, tenths) = (larger, tenths / 1000);
    }
    if unit == "B" || tenths >= 1_000 {
        format!("{} {unit}", tenths / 10)
    } else {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    }
}

/// A count where room is short: `1,318`, `12.4k`, `104k`. Rounded down.
pub fn short_count(number: u32) -> String {
    match number {
        0..10_000 => count(number),
        10_000..100_000 => format!("{}.{}k", number / 1000, number % 1000 / 100),
        _ => format!("{}k", count(number / 1000)),
    }
}

/// Thousandths as whole per cent, rounded down: a promise that is missed by a hair is not shown as kept.
pub fn whole_percent(permille: u16) -> String {
    (permille / 10).to_string()
}

/// A target as it was set: `80 %`, `92.5 %`.
pub fn target(permille: u16) -> String {
    match permille % 10 {
        0 => format!("{}\u{a0}%", permille / 10),
        tenth => format!("{}.{tenth}\u{a0}%", permille / 10),
    }
}

/// `part` of `whole` with one decimal: `3.8 %`; `None` when there is nothing to divide.
pub fn share(part: u32, whole: u32) -> Option<String> {
    (whole > 0).then(|| {
        let permille = (u64::from(part) * 1000 + u64::from(whole) / 2) / u64::from(whole);
        format!("{}.{}\u{a0}%", permille / 10, permille % 10)
    })
}

/// A service level as a number and what stands small behind it: `78` `%`, `4` `of 5`, `n/a`.
///
/// Few decided visits make a percentage jump; they are shown as they are.
pub fn service_level(level: ServiceLevel) -> (String, String) {
    match level.permille() {
        None => (NOTHING_TO_DIVIDE.to_owned(), String::new()),
        Some(_) if level.decided < SMALL_SAMPLE => (count(level.met), format!("of\u{a0}{}", level.decided)),
        Some(permille) => (whole_percent(permille), "%".to_owned()),
    }
}

/// How long ago something was, coarse enough not to flicker: `just now`, `20 s ago`, `3 min ago`.
pub fn age(age: Duration) -> String {
    match age.as_secs() {
        0..10 => "just now".to_owned(),
        seconds @ 10..60 => format!("{}\u{a0}s ago", seconds / 10 * 10),
        seconds @ 60..3600 => format!("{}\u{a0}min ago", seconds / 60),
        seconds @ 3600..172_800 => format!("{}\u{a0}h ago", seconds / 3600),
        seconds => format!("{} days ago", seconds / 86_400),
    }
}

/// At most `longest` characters, with the middle left out: the ends tell `Support Berlin` from
/// `Support Bern`.
pub fn shortened(name: &str, longest: usize) -> String {
    let length = name.chars().count();
    if length <= longest {
        return name.to_owned();
    }
    let kept = longest.saturating_sub(1);
    let (head, tail) = (kept - kept / 2, kept / 2);
    let start: String = name.chars().take(head).collect();
    let end: String = name.chars().skip(length - tail).collect();
    format!("{}…{}", start.trim_end(), end.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        for (number, text) in
            [(0, "0"), (999, "999"), (1_000, "1,000"), (12_480, "12,480"), (1_234_567, "1,234,567")]
        {
            assert_eq!(count(number), text);
        }
    }

    #[test]
    fn sizes_have_the_unit_people_say() {
        for (number, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (12_480, "12.4 kB"),
            (123_999, "123 kB"),
            (3_199_999_999, "3.1 GB"),
        ] {
            assert_eq!(bytes(number), text);
        }
    }

    #[test]
    fn great_counts_fit_on_a_wall() {
        for (number, text) in [(9_999, "9,999"), (12_480, "12.4k"), (104_233, "104k"), (1_999_999, "1,999k")]
        {
            assert_eq!(short_count(number), text);
        }
    }

    #[test]
    fn a_promise_missed_by_a_hair_is_not_shown_as_kept() {
        let level = |met, decided| service_level(ServiceLevel { met, decided });
        assert_eq!(level(799, 1000), ("79".to_owned(), "%".to_owned()));
        assert_eq!(level(1000, 1000), ("100".to_owned(), "%".to_owned()));
        assert_eq!(level(999, 1000).0, "99");
    }

    #[test]
    fn few_visits_are_shown_as_they_are() {
        let level = |met, decided| service_level(ServiceLevel { met, decided });
        assert_eq!(level(4, 5), ("4".to_owned(), "of\u{a0}5".to_owned()));
        assert_eq!(level(8, 10), ("80".to_owned(), "%".to_owned()));
        assert_eq!(level(0, 0), ("n/a".to_owned(), String::new()));
    }

    #[test]
    fn shares_and_targets_keep_a_decimal_where_it_says_something() {
        assert_eq!(share(12, 318).as_deref(), Some("3.8\u{a0}%"));
        assert_eq!(share(0, 3).as_deref(), Some("0.0\u{a0}%"));
        assert_eq!(share(0, 0), None);
        assert_eq!(target(800), "80\u{a0}%");
        assert_eq!(target(925), "92.5\u{a0}%");
    }

    #[test]
    fn an_age_does_not_flicker() {
        let age = |seconds| age(Duration::from_secs(seconds));
        assert_eq!(age(3), "just now");
        assert_eq!(age(29), "20\u{a0}s ago");
        assert_eq!(age(190), "3\u{a0}min ago");
        assert_eq!(age(7_300), "2\u{a0}h ago");
        assert_eq!(age(200_000), "2 days ago");
    }

    #[test]
    fn long_names_lose_their_middle() {
        assert_eq!(shortened("Billing", 10), "Billing");
        assert_eq!(shortened("Technical support Switzerland", 15), "Technic…zerland");
        assert_eq!(shortened("Überlange Warteschlange", 9), "Über…ange");
    }
}
