//! How large a wall's numbers are and how many fit: from the screen and the distance of its reader.
//!
//! All lengths are tenths of a percent of the screen's height, so that the arithmetic is whole and
//! the style sheet (`style/40_wall.css`) can say the same in `vh`. A wall never shrinks to fit: it
//! shows fewer rows per page, then fewer columns.

use crate::{
    column::Column,
    settings::{DEFAULT_ROWS, Place, WallSettings},
};

/// What fits on a wall.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WallLayout {
    /// Queues per page.
    pub rows: u8,
    /// Class that carries the sizes: `rows-7`, or `reach-70` when they come from a distance.
    pub size: String,
    /// How many figures about all queues stand side by side.
    pub figures: usize,
    /// How many of [`Column::WALL`] follow state and name.
    pub columns: usize,
    /// How many characters of a queue's name fit.
    pub name_length: usize,
    /// From how far the numbers can be read, when the screen's size is known.
    pub legible: Option<String>,
}

/// Height that the queue rows share when sizes do not come from a distance.
const ROWS_HEIGHT: u32 = 590;
/// The rows' figures fill this much of their pitch, in hundredths.
const ROW_FILL: u32 = 74;
/// Figures of a row never grow beyond this without a reason.
const LARGEST_USUAL_ROW: u32 = 80;
/// A name is set smaller than the figures of its row, in hundredths of them, because a line about its members
/// stands below; smaller still where the distance makes the figures large: names are text, and may be as small
/// as text.
const NAME: u32 = 74;
const NAME_FROM_AFAR: u32 = 67;
/// Width of a character in a bold font, in hundredths of its size.
const CHARACTER: u32 = 60;
/// Fewer queues than this do not make their rows larger: the board shall not jump.
const FEWEST_ROWS: u8 = 4;
/// Height of the trust strip.
const STRIP: u32 = 56;
/// Height of everything between and around, with the foot.
const GAPS: u32 = 116;
const USUAL_HERO: u32 = 145;
const USUAL_TEXT: u32 = 27;
const LARGEST_TEXT: u32 = 40;
/// Beyond this, three figures side by side are wider than the screen.
const LARGEST_REACH: u32 = 92;
/// A near reader gets the usual sizes, and more of them.
const SMALLEST_REACH: u32 = 40;

impl WallLayout {
    /// What fits for a board of that many queues.
    pub fn of(settings: &WallSettings, queues: usize) -> Self {
        match settings.place {
            Some(place) => Self::for_place(settings, place),
            None => Self::for_rows(settings, queues),
        }
    }

    fn for_rows(settings: &WallSettings, queues: usize) -> Self {
        let rows = settings.rows.unwrap_or(DEFAULT_ROWS);
        let shown = u8::try_from(queues).unwrap_or(u8::MAX).min(rows).max(FEWEST_ROWS.min(rows));
        let row = (ROWS_HEIGHT / u32::from(shown.max(1)) * ROW_FILL / 100).min(LARGEST_USUAL_ROW);
        let columns = columns(row);
        Self {
            rows,
            size: format!("rows-{shown}"),
            figures: 5,
            name_length: name_length(row, row * NAME / 100, USUAL_TEXT, columns),
            columns,
            legible: None,
        }
    }

    fn for_place(settings: &WallSettings, place: Place) -> Self {
        let reach = reach(place);
        let row = reach * 3 / 2;
        let hero = (reach * 3).max(USUAL_HERO);
        let text = reach.clamp(USUAL_TEXT, LARGEST_TEXT);
        // A name and the line below it.
        let pitch = row * 114 / 100;
        // Label, number, note, padding; see the figure's rules in the style sheet.
        let note = if reach > LARGEST_TEXT { 0 } else { text * 12 / 10 };
        let hero_row = text * 125 / 100 + hero * 104 / 100 + note + 32;
        let headings = text * 103 / 100 + 8;
        let rest = 1000 - STRIP - GAPS - hero_row - headings;
        let fitting =
            u8::try_from((rest / pitch).clamp(1, u32::from(crate::settings::MOST_ROWS))).unwrap_or(1);
        let columns = columns(row);
        let (legible, is_enough) = legible(place, row, hero);
        Self {
            rows: settings.rows.unwrap_or(fitting).min(fitting),
            size: format!("reach-{reach}{}", if is_enough { "" } else { " too-far" }),
            figures: match hero {
                0..=165 => 5,
                166..=215 => 4,
                _ => 3,
            },
            name_length: name_length(row, row * NAME_FROM_AFAR / 100, text, columns),
            columns,
            legible: Some(legible),
        }
    }
}

/// The height of text whose capitals are one 150th of the distance, in even steps.
///
/// The rule of thumb of the audio-visual trade for the smallest text; the figures of a row get one
/// 100th and the large figures one 50th, which is 3/2 and 3 times this.
fn reach(place: Place) -> u32 {
    let distance = u64::from(place.distance_cm) * 10_000;
    let needed = (distance * 1000).div_ceil(150 * CAPITALS_PERCENT * panel_height(place) / 100);
    let step = u32::try_from(needed.div_ceil(2) * 2).unwrap_or(u32::MAX);
    step.clamp(SMALLEST_REACH, LARGEST_REACH)
}

/// Height of capitals and digits, of the font's size.
const CAPITALS_PERCENT: u64 = 70;

/// Height of a 16:9 panel in micrometres: 0.4903 of its diagonal.
fn panel_height(place: Place) -> u64 {
    u64::from(place.diagonal_tenths) * 124_526 / 100
}

/// From how far the numbers can be read, in words, and whether that is as far as was asked.
fn legible(place: Place, row: u32, hero: u32) -> (String, bool) {
    let capitals = |size: u32| u64::from(size) * panel_height(place) / 1000 * CAPITALS_PERCENT / 100;
    let metres_tenths = (capitals(row) * 100).min(capitals(hero) * 50) / 100_000;
    let inches = place.diagonal_tenths / 10;
    let to = format!("numbers legible to {}.{}\u{a0}m", metres_tenths / 10, metres_tenths % 10);
    let asked_tenths = u64::from(place.distance_cm) / 10;
    if metres_tenths >= asked_tenths {
        return (format!("{to} on {inches}\u{a0}inches"), true);
    }
    let asked = match asked_tenths % 10 {
        0 => (asked_tenths / 10).to_string(),
        tenth => format!("{}.{tenth}", asked_tenths / 10),
    };
    (format!("{inches}\u{a0}inches are too small for {asked}\u{a0}m: {to}"), false)
}

fn columns(row: u32) -> usize {
    match row {
        0..=62 => Column::WALL.len(),
        63..=84 => 4,
        _ => 3,
    }
}

/// Room for a name on a 16:9 screen, in characters of average width.
fn name_length(row: u32, name: u32, text: u32, columns: usize) -> usize {
    let tenths_of_row: u32 = Column::WALL
        .iter()
        .take(columns)
        .map(|column| match column {
            Column::Longest | Column::ServiceLevel => 30,
            Column::Free | Column::Abandoned => 26,
            _ => 23,
        })
        .sum();
    let state = 15 + text * 430 / 100;
    let room = 1730_u32.saturating_sub(state + 13 + tenths_of_row * row / 10);
    let character = name * CHARACTER / 100;
    usize::try_from(room / character.max(1)).unwrap_or(0).clamp(8, 40)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(diagonal_tenths: u32, distance_cm: u32) -> WallLayout {
        let place = Some(Place { diagonal_tenths, distance_cm });
        WallLayout::of(&WallSettings { place, ..WallSettings::default() }, 20)
    }

    #[test]
    fn a_distance_decides_size_rows_and_columns() {
        let living_room = layout(550, 500);
        assert_eq!(living_room.size, "reach-70");
        assert_eq!(living_room.legible.as_deref(), Some("numbers legible to 5.0\u{a0}m on 55\u{a0}inches"));
        assert_eq!((living_room.rows, living_room.figures), (4, 4));
        let near = layout(750, 300);
        assert!(near.rows > living_room.rows && near.columns == 6 && near.figures == 5, "{near:?}");
    }

    #[test]
    fn a_board_does_not_promise_what_the_screen_cannot_do() {
        let far = layout(430, 1_500);
        assert_eq!(far.size, "reach-92 too-far");
        assert_eq!(
            far.legible.as_deref(),
            Some("43\u{a0}inches are too small for 15\u{a0}m: numbers legible to 5.1\u{a0}m")
        );
        assert!(far.rows >= 1);
    }

    #[test]
    fn asked_rows_are_given_as_long_as_they_fit() {
        let place = Some(Place { diagonal_tenths: 550, distance_cm: 500 });
        let rows = |rows| {
            WallLayout::of(&WallSettings { place, rows: Some(rows), ..WallSettings::default() }, 20).rows
        };
        assert_eq!((rows(2), rows(12)), (2, 4));
    }

    #[test]
    fn few_queues_get_larger_rows_within_reason() {
        let size = |queues| WallLayout::of(&WallSettings::default(), queues).size;
        assert_eq!((size(0).as_str(), size(5).as_str(), size(30).as_str()), ("rows-4", "rows-5", "rows-7"));
    }
}
