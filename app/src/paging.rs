//! Pages of a wall: which rows are shown, and when to turn.

use domain::view::Level;

/// How many pages that many rows make; an empty board is one page.
pub fn pages(rows: usize, per_page: usize) -> usize {
    rows.div_ceil(per_page.max(1)).max(1)
}

/// The page after `page`, given the levels of all rows from top to bottom.
///
/// While queues on the first pages need action, only their pages are shown: a board that turns away
/// from trouble is worse than one that shows less.
pub fn next_page(page: usize, per_page: usize, levels: &[Level]) -> usize {
    let acting = levels.iter().take_while(|level| **level == Level::Act).count();
    let turning = if acting > 0 { pages(acting, per_page) } else { pages(levels.len(), per_page) };
    if page + 1 < turning { page + 1 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_turn_in_a_circle() {
        let calm = [Level::Normal; 16];
        assert_eq!(pages(16, 7), 3);
        assert_eq!((0..3).map(|page| next_page(page, 7, &calm)).collect::<Vec<_>>(), [1, 2, 0]);
        assert_eq!(next_page(0, 7, &[]), 0);
    }

    #[test]
    fn trouble_keeps_the_board_on_its_pages() {
        let mut levels = [Level::Normal; 16];
        levels[0] = Level::Act;
        assert_eq!((next_page(0, 7, &levels), next_page(2, 7, &levels)), (0, 0));
        levels[..9].fill(Level::Act);
        assert_eq!((next_page(0, 7, &levels), next_page(1, 7, &levels)), (1, 0));
    }

    #[test]
    fn watching_does_not_stop_the_turning() {
        assert_eq!(next_page(0, 2, &[Level::Watch, Level::Normal, Level::Normal]), 1);
    }
}
