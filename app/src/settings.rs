//! What an address may ask of a page. Everything is settable there, so that a screen without a
//! keyboard can be set up once; a value that makes no sense is a sentence, not a guess.

use domain::id::QueueId;

use crate::{address, agent_order::AgentOrder, live_agents::AgentsStart, row_order::Order};

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// Light figures on a dark ground: walls.
    Dark,
    /// Dark figures on a light ground.
    Light,
    /// As the viewer's system prefers.
    Auto,
}

impl Theme {
    /// The word in addresses and in `data-theme`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
            Self::Auto => "auto",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        [Self::Dark, Self::Light, Self::Auto].into_iter().find(|theme| theme.word() == word)
    }
}

/// What a wall's address asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WallSettings {
    /// `theme=dark|light|auto`, dark unless told.
    pub theme: Theme,
    /// `order=trouble|pinned|name`, by trouble unless told.
    pub order: Order,
    /// `rows`: queues per page; 7 unless told or derived from `place`.
    pub rows: Option<u8>,
    /// `page`: show this page and do not turn.
    pub page: Option<u16>,
    /// `turn`: seconds per page; 12 unless told, 0 never turns.
    pub turn_seconds: u16,
    /// `diagonal` and `distance`: the screen and who reads it.
    pub place: Option<Place>,
}

/// A screen and the distance from which it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Diagonal of a 16:9 panel, in tenths of an inch.
    pub diagonal_tenths: u32,
    /// Distance of the farthest reader, in centimetres.
    pub distance_cm: u32,
}

/// Queues per page when nothing says otherwise.
pub const DEFAULT_ROWS: u8 = 7;
/// More than this is no wall any more.
pub const MOST_ROWS: u8 = 12;
const DEFAULT_TURN_SECONDS: u16 = 12;
/// A screen of which only the distance is told.
const DEFAULT_DIAGONAL_TENTHS: u32 = 550;
/// A reader of whom only the screen is told.
const DEFAULT_DISTANCE_CM: u32 = 500;

impl Default for WallSettings {
    fn default() -> Self {
        Self {
            theme: Theme::Dark,
            order: Order::Trouble,
            rows: None,
            page: None,
            turn_seconds: DEFAULT_TURN_SECONDS,
            place: None,
        }
    }
}

impl WallSettings {
    /// Reads the pairs of a query string, or tells everything that is wrong with them.
    ///
    /// # Errors
    ///
    /// One sentence per pair that makes no sense.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, Vec<String>> {
        let mut settings = Self::default();
        let mut problems = Vec::new();
        let (mut diagonal, mut distance) = (None, None);
        for (key, value) in pairs {
            let value = value.trim();
            let problem = match key {
                "theme" => read(&mut settings.theme, Theme::from_word(value), "one of dark, light, auto"),
                "order" => {
                    let order = match value {
                        "trouble" => Some(Order::Trouble),
                        "pinned" => Some(Order::Pinned),
                        "name" => Some(Order::NAME),
                        _ => None,
                    };
                    read(&mut settings.order, order, "one of trouble, pinned, name")
                }
                "rows" => {
                    let rows = value.parse().ok().filter(|rows| (1..=MOST_ROWS).contains(rows));
                    read(&mut settings.rows, rows.map(Some), "a number of queues from 1 to 12")
                }
                "page" => {
                    let page = value.parse().ok().filter(|page| *page >= 1);
                    read(&mut settings.page, page.map(Some), "a page from 1 on")
                }
                "turn" => {
                    let seconds =
                        value.parse().ok().filter(|seconds| *seconds == 0 || (5..=3600).contains(seconds));
                    read(
                        &mut settings.turn_seconds,
                        seconds,
                        "seconds per page from 5 to 3600, or 0 to never turn",
                    )
                }
                "diagonal" => {
                    let tenths = thousandths(value)
                        .map(|number| number / 100)
                        .filter(|tenths| (100..=3000).contains(tenths));
                    read(&mut diagonal, tenths.map(Some), "the screen’s diagonal in inches, from 10 to 300")
                }
                "distance" => {
                    let cm =
                        thousandths(value).map(|number| number / 10).filter(|cm| (50..=5000).contains(cm));
                    read(
                        &mut distance,
                        cm.map(Some),
                        "the distance of the farthest reader in metres, from 0.5 to 50",
                    )
                }
                _ => Some(
                    "not a setting of a wall; there are theme, order, rows, page, turn, diagonal, distance"
                        .to_owned(),
                ),
            };
            problems.extend(problem.map(|problem| sentence(key, value, &problem)));
        }
        if diagonal.is_some() || distance.is_some() {
            settings.place = Some(Place {
                diagonal_tenths: diagonal.unwrap_or(DEFAULT_DIAGONAL_TENTHS),
                distance_cm: distance.unwrap_or(DEFAULT_DISTANCE_CM),
            });
        }
        if problems.is_empty() { Ok(settings) } else { Err(problems) }
    }

    /// The address of another page of the same wall, without its number. What is usual is not said.
    pub fn page_address(&self) -> String {
        let usual = Self::default();
        let said = |is_said: bool, value: String| if is_said { value } else { String::new() };
        let place = |value: fn(Place) -> String| self.place.map(value).unwrap_or_default();
        let pairs = [
            ("theme", said(self.theme != usual.theme, self.theme.word().to_owned())),
            (
                "order",
                match self.order {
                    Order::Trouble => String::new(),
                    Order::Pinned => "pinned".to_owned(),
                    Order::By { .. } => "name".to_owned(),
                },
            ),
            ("rows", self.rows.map(|rows| rows.to_string()).unwrap_or_default()),
            ("turn", said(self.turn_seconds != usual.turn_seconds, self.turn_seconds.to_string())),
            ("diagonal", place(|place| decimal(place.diagonal_tenths, 1))),
            ("distance", place(|place| decimal(place.distance_cm, 2))),
        ];
        let address = address::with_query("", &pairs.each_ref().map(|(key, value)| (*key, value.as_str())));
        format!("{}page=", if address.is_empty() { "?".to_owned() } else { address + "&" })
    }
}

/// What the address of the desk's queue table asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskSettings {
    /// `theme=dark|light|auto`, as the system prefers unless told.
    pub theme: Theme,
    /// `sort=<column>` or `sort=-<column>` for great values first; by trouble unless told.
    pub order: Order,
    /// `find`: show only queues whose name or extension contains this.
    pub find: String,
}

impl Default for DeskSettings {
    fn default() -> Self {
        Self { theme: Theme::Auto, order: Order::Trouble, find: String::new() }
    }
}

impl DeskSettings {
    /// Reads the pairs of a query string, or tells everything that is wrong with them.
    ///
    /// # Errors
    ///
    /// One sentence per pair that makes no sense.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, Vec<String>> {
        let mut settings = Self::default();
        let mut problems = Vec::new();
        for (key, value) in pairs {
            let value = value.trim();
            let problem = match key {
                "theme" => read(&mut settings.theme, Theme::from_word(value), "one of dark, light, auto"),
                "sort" => {
                    let order = Order::from_word(value).filter(|order| *order != Order::Pinned);
                    read(
                        &mut settings.order,
                        order,
                        "trouble or a column, with - before it for great values first",
                    )
                }
                "find" => {
                    let find = Some(value.to_owned()).filter(|find| find.chars().count() <= 100);
                    read(&mut settings.find, find, "at most 100 characters")
                }
                _ => Some("not a setting of this page; there are theme, sort, find".to_owned()),
            };
            problems.extend(problem.map(|problem| sentence(key, value, &problem)));
        }
        if problems.is_empty() { Ok(settings) } else { Err(problems) }
    }

    /// The same page in another order, at an instant of the past unless that is empty.
    pub fn sorted_address(&self, order: Order, at: &str) -> String {
        address::with_query(
            "/queues",
            &[("sort", &sort_word(order)), ("find", &self.find), ("theme", self.theme_word()), ("at", at)],
        )
    }

    /// The value of `sort`, empty when it is the usual one.
    pub fn sort_word(&self) -> String {
        sort_word(self.order)
    }

    /// The value of `theme`, empty when it is the usual one.
    pub fn theme_word(&self) -> &'static str {
        if self.theme == Theme::Auto { "" } else { self.theme.word() }
    }
}

/// What the address of the page of agents asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentsSettings {
    /// `theme=dark|light|auto`, as the system prefers unless told.
    pub theme: Theme,
    /// `sort=<column>` or `sort=-<column>` for great values first; by state unless told.
    pub order: AgentOrder,
    /// `find`: show only agents whose name contains this.
    pub find: String,
    /// `queue`: show only members of the queue of this id.
    pub queue_id: Option<QueueId>,
}

impl Default for AgentsSettings {
    fn default() -> Self {
        Self { theme: Theme::Auto, order: AgentOrder::USUAL, find: String::new(), queue_id: None }
    }
}

impl AgentsSettings {
    /// Reads the pairs of a query string, or tells everything that is wrong with them.
    ///
    /// # Errors
    ///
    /// One sentence per pair that makes no sense.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, Vec<String>> {
        let mut settings = Self::default();
        let mut problems = Vec::new();
        for (key, value) in pairs {
            let value = value.trim();
            let short = |longest: usize| Some(value).filter(|value| value.chars().count() <= longest);
            let problem = match key {
                "theme" => read(&mut settings.theme, Theme::from_word(value), "one of dark, light, auto"),
                "sort" => read(
                    &mut settings.order,
                    AgentOrder::from_word(value),
                    "a column, with - before it for great values first",
                ),
                "find" => read(&mut settings.find, short(100).map(str::to_owned), "at most 100 characters"),
                "queue" => {
                    let queue_id = short(200).map(|id| (!id.is_empty()).then(|| QueueId::new(id)));
                    read(&mut settings.queue_id, queue_id, "the id of a queue")
                }
                _ => Some("not a setting of this page; there are theme, sort, find, queue".to_owned()),
            };
            problems.extend(problem.map(|problem| sentence(key, value, &problem)));
        }
        if problems.is_empty() { Ok(settings) } else { Err(problems) }
    }

    /// What a page that was made so asked for.
    pub fn of(start: &AgentsStart) -> Self {
        Self {
            theme: Theme::from_word(&start.theme).unwrap_or(Theme::Auto),
            order: start.order,
            find: start.find.clone(),
            queue_id: start.queue_id.clone(),
        }
    }

    /// The pairs of the query, empty where nothing unusual is asked for.
    pub fn pairs(&self) -> [(&'static str, String); 4] {
        let sort = if self.order == AgentOrder::USUAL { String::new() } else { self.order.word() };
        let queue = self.queue_id.as_ref().map(ToString::to_string).unwrap_or_default();
        [
            ("queue", queue),
            ("sort", sort),
            ("find", self.find.clone()),
            ("theme", self.theme_word().to_owned()),
        ]
    }

    /// The address of this page.
    pub fn address(&self) -> String {
        let pairs = self.pairs();
        address::with_query("/agents", &pairs.each_ref().map(|(key, value)| (*key, value.as_str())))
    }

    /// The value of `theme`, empty when it is the usual one.
    pub fn theme_word(&self) -> &'static str {
        if self.theme == Theme::Auto { "" } else { self.theme.word() }
    }
}

fn sort_word(order: Order) -> String {
    if order == Order::Trouble { String::new() } else { order.word() }
}

/// Puts a value in its place, or tells what was expected.
fn read<T>(place: &mut T, value: Option<T>, expected: &str) -> Option<String> {
    match value {
        Some(value) => {
            *place = value;
            None
        }
        None => Some(format!("must be {expected}")),
    }
}

fn sentence(key: &str, value: &str, problem: &str) -> String {
    let shown = crate::numeral::shortened(value, 40);
    if problem.starts_with("not") {
        format!("“{}” is {problem}.", crate::numeral::shortened(key, 40))
    } else {
        format!("{key} {problem}; “{shown}” is not.")
    }
}

/// A number of so many decimals, without the zeros at its end.
fn decimal(number: u32, decimals: u32) -> String {
    let one = 10_u32.pow(decimals);
    let width = decimals as usize;
    let text = format!("{}.{:0width$}", number / one, number % one);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A decimal number of at most three decimals, in thousandths.
fn thousandths(text: &str) -> Option<u32> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 6 || decimals.len() > 3 || !digits(whole) || !digits(decimals) {
        return None;
    }
    let whole: u32 = whole.parse().ok()?;
    let decimals: u32 = format!("{decimals:0<3}").parse().ok()?;
    whole.checked_mul(1000)?.checked_add(decimals)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column::Column;

    #[test]
    fn an_address_sets_everything() {
        let settings = WallSettings::parse([
            ("theme", "light"),
            ("order", "name"),
            ("rows", "5"),
            ("page", "2"),
            ("turn", "30"),
            ("diagonal", "54.6"),
            ("distance", "6.25"),
        ])
        .unwrap();
        assert_eq!(
            settings,
            WallSettings {
                theme: Theme::Light,
                order: Order::NAME,
                rows: Some(5),
                page: Some(2),
                turn_seconds: 30,
                place: Some(Place { diagonal_tenths: 546, distance_cm: 625 }),
            }
        );
        assert_eq!(WallSettings::parse([]).unwrap(), WallSettings::default());
    }

    #[test]
    fn the_address_of_another_page_keeps_everything_else() {
        assert_eq!(WallSettings::default().page_address(), "?page=");
        let all = [
            ("theme", "light"),
            ("order", "name"),
            ("rows", "5"),
            ("turn", "0"),
            ("diagonal", "54.6"),
            ("distance", "6.25"),
        ];
        let address = WallSettings::parse(all).unwrap().page_address();
        assert_eq!(address, "?theme=light&order=name&rows=5&turn=0&diagonal=54.6&distance=6.25&page=");
        let whole = WallSettings::parse([("diagonal", "55"), ("distance", "10")]).unwrap();
        assert_eq!(whole.page_address(), "?diagonal=55&distance=10&page=");
    }

    #[test]
    fn one_of_two_measures_is_enough() {
        let place = |pair| WallSettings::parse([pair]).unwrap().place;
        assert_eq!(place(("diagonal", "75")), Some(Place { diagonal_tenths: 750, distance_cm: 500 }));
        assert_eq!(place(("distance", "8")), Some(Place { diagonal_tenths: 550, distance_cm: 800 }));
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let problems = WallSettings::parse([
            ("theme", "pink"),
            ("rows", "0"),
            ("turn", "2"),
            ("diagonal", "-5"),
            ("distance", "5,5"),
            ("colour", "red"),
        ])
        .unwrap_err();
        assert_eq!(problems.len(), 6);
        assert_eq!(problems[0], "theme must be one of dark, light, auto; “pink” is not.");
        assert!(problems[5].starts_with("“colour” is not a setting of a wall"));
    }

    #[test]
    fn agents_settings_survive_their_own_address() {
        let pairs = [("sort", "-missed"), ("queue", "q/1"), ("find", "a b"), ("theme", "dark")];
        let settings = AgentsSettings::parse(pairs).unwrap();
        assert_eq!(settings.address(), "/agents?queue=q%2F1&sort=-missed&find=a%20b&theme=dark");
        assert_eq!(AgentsSettings::default().address(), "/agents");
        let long = "x".repeat(300);
        let problems =
            AgentsSettings::parse([("sort", "beauty"), ("queue", &long), ("page", "2")]).unwrap_err();
        assert_eq!(problems.len(), 3, "{problems:?}");
    }

    #[test]
    fn desk_headings_are_addresses() {
        let settings = DeskSettings::parse([("sort", "-waiting"), ("find", "bill & co")]).unwrap();
        assert_eq!(settings.order, Order::By { column: Column::Waiting, descending: true });
        let turned = settings.order.after_click(Column::Waiting);
        assert_eq!(settings.sorted_address(turned, ""), "/queues?sort=waiting&find=bill%20%26%20co");
        let other = settings.order.after_click(Column::Offered);
        assert_eq!(settings.sorted_address(other, ""), "/queues?sort=-offered&find=bill%20%26%20co");
        assert!(DeskSettings::parse([("sort", "beauty")]).is_err());
    }
}
