//! How often a figure was right.

use std::fmt;

/// One figure over a whole run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Score {
    /// What was compared.
    pub metric: &'static str,
    /// Looks at which it was exactly right.
    pub exact: u64,
    /// Looks at which it differed by no more than could be known.
    pub within: u64,
    /// Looks at which it was wrong.
    pub wrong: u64,
    /// The greatest difference.
    pub worst: u64,
    /// The first wrong look, in words.
    pub first_wrong: Option<String>,
}

impl Score {
    /// All looks.
    pub const fn looks(&self) -> u64 {
        self.exact + self.within + self.wrong
    }

    /// A score of `metric` without a look.
    pub fn new(metric: &'static str) -> Self {
        Self { metric, ..Self::default() }
    }

    /// One look: what was shown, what was true, and how many callers could make a difference of that size.
    pub fn note(
        &mut self,
        shown: u64,
        truth: u64,
        bound: impl FnOnce(u64) -> u64,
        what: impl FnOnce() -> String,
    ) {
        let off = shown.abs_diff(truth);
        self.worst = self.worst.max(off);
        if off == 0 {
            self.exact += 1;
            return;
        }
        let bound = bound(off);
        if off <= bound {
            self.within += 1;
        } else {
            self.wrong += 1;
            self.first_wrong
                .get_or_insert_with(|| format!("{}: shown {shown}, true {truth}, bound {bound}", what()));
        }
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let looks = self.looks();
        let share = self.exact as f64 * 100.0 / looks.max(1) as f64;
        let Self { metric, exact, within, wrong, worst, .. } = self;
        write!(f, "{metric:<22} {looks:>12} {exact:>12} {share:>8.3} {within:>12} {wrong:>8} {worst:>6}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_within_bound_or_wrong() {
        let mut score = Score::new("waiting");
        score.note(2, 2, |_| panic!("nothing to explain"), String::new);
        score.note(3, 2, |off| off, String::new);
        score.note(2, 5, |_| 2, || "Sales at noon".to_owned());
        assert_eq!((score.exact, score.within, score.wrong, score.worst), (1, 1, 1, 3));
        assert_eq!(score.first_wrong.as_deref(), Some("Sales at noon: shown 2, true 5, bound 2"));
    }
}
