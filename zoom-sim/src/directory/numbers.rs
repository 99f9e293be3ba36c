//! Telephone numbers from ranges that regulators keep free for fiction.

use crate::dice::Dice;

pub(crate) use super::names::caller_name;

const US_AREAS: [&str; 20] = [
    "303", "720", "212", "312", "415", "206", "602", "505", "801", "503", "617", "713", "404", "305", "702",
    "612", "314", "816", "919", "208",
];
const UK_PREFIXES: [&str; 8] =
    ["+44207946", "+44113496", "+44161496", "+44117496", "+44131496", "+44141496", "+44121496", "+44191498"];

/// A number somebody may call from, and its ISO country.
pub(crate) fn outside(dice: &mut Dice) -> (String, &'static str) {
    if dice.chance(0.5) {
        (format!("+1{}55501{:02}", dice.pick(&US_AREAS), dice.below(100)), "US")
    } else {
        (format!("{}0{:03}", dice.pick(&UK_PREFIXES), dice.below(1000)), "GB")
    }
}

/// The n-th number that the account itself owns in a country.
pub(super) fn own(country: &str, n: usize) -> String {
    if country == "GB" {
        format!("+441632960{:03}", n % 1000)
    } else {
        format!("+1{}55501{:02}", US_AREAS[(n / 100) % US_AREAS.len()], n % 100)
    }
}
