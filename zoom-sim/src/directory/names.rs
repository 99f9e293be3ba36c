//! Names for people who do not exist, from many languages.

use crate::dice::Dice;

/// The people of the demo office, in order of their extension numbers.
pub(super) const DEMO: [(&str, &str); 24] = [
    ("Amara", "Okafor"),
    ("Jonas", "Lindqvist"),
    ("Priya", "Raghavan"),
    ("Mateus", "Carvalho"),
    ("Siobhan", "Gallagher"),
    ("Kenji", "Morita"),
    ("Leila", "Haddad"),
    ("Tomasz", "Wrona"),
    ("Grace", "Mbeki"),
    ("Diego", "Fuentes"),
    ("Hannah", "Weiss"),
    ("Farid", "Karimi"),
    ("Mei-Ling", "Zhao"),
    ("Oluwaseun", "Adeyemi"),
    ("Ingrid", "Solheim"),
    ("Rafael", "Domínguez"),
    ("Noor", "Siddiqui"),
    ("Callum", "Fraser"),
    ("Yuliya", "Kravets"),
    ("Thabo", "Nkosi"),
    ("Chloé", "Marchand"),
    ("Arjun", "Patil"),
    ("Elif", "Yıldız"),
    ("Marcus", "Whitfield"),
];

const FIRST: [&str; 40] = [
    "Aisha", "Björn", "Camila", "Dmitri", "Esther", "Felipe", "Gita", "Hamza", "Imani", "Jiro", "Katya",
    "Lars", "Mariam", "Nadia", "Omar", "Paulo", "Qiana", "Rosa", "Sanjay", "Tui", "Uma", "Viktor", "Wanjiru",
    "Xavier", "Yara", "Zoltan", "Agnes", "Bilal", "Ciara", "Devon", "Emeka", "Freya", "Goran", "Hye-jin",
    "Ivan", "Joanna", "Kofi", "Lucia", "Milos", "Noa",
];

const LAST: [&str; 40] = [
    "Abbott",
    "Bakker",
    "Castillo",
    "Dlamini",
    "Eriksen",
    "Ferrari",
    "Ghosh",
    "Horvat",
    "Ibrahim",
    "Jansen",
    "Kowalski",
    "Lopes",
    "Mensah",
    "Novak",
    "O'Brien",
    "Park",
    "Quist",
    "Rossi",
    "Schneider",
    "Tanaka",
    "Ueda",
    "Vargas",
    "Wójcik",
    "Xu",
    "Yamada",
    "Zidane",
    "Acheampong",
    "Bergström",
    "Chaudhry",
    "Dubois",
    "Estrada",
    "Fofana",
    "Grüber",
    "Hussain",
    "Iyer",
    "Jokinen",
    "Katz",
    "Leblanc",
    "Moreau",
    "Ndiaye",
];

/// Somebody; names repeat from 1,600 people on, which happens in large firms as well.
pub(super) fn somebody(dice: &mut Dice) -> (&'static str, &'static str) {
    (FIRST[dice.below(FIRST.len())], LAST[dice.below(LAST.len())])
}

/// What an outside caller's line may show as a name.
pub(crate) fn caller_name(dice: &mut Dice) -> Option<String> {
    match dice.below(10) {
        0..6 => None,
        6 => Some("WIRELESS CALLER".to_owned()),
        7 => Some(format!("{} LTD", LAST[dice.below(LAST.len())].to_uppercase())),
        _ => {
            let (first, last) = somebody(dice);
            Some(format!("{first} {last}"))
        }
    }
}
