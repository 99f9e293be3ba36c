//! Which row stands where, and how alarmed it looks: both damped, so that readers find their queue.
//!
//! A queue may become alarming at once (the domain already delays *act*), calms down only
//! [`LEAVE_AFTER`] its reason is gone, and rows change places at most every [`MOVE_EVERY`].

use std::{cmp::Ordering, time::Duration};

use domain::{
    id::QueueId,
    time::Timestamp,
    view::{Level, QueueView, by_trouble},
};
use serde::Serialize;

use crate::{column::Column, sorting::sorted};

/// What decides the order of rows. On the wire it is the word that addresses use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub enum Order {
    /// Who needs a person comes first.
    Trouble,
    /// As the board lists them; rows never move.
    Pinned,
    /// By a column.
    By {
        /// The column.
        column: Column,
        /// Great values first.
        descending: bool,
    },
}

impl Order {
    /// By name.
    pub const NAME: Self = Self::By { column: Column::Queue, descending: false };

    /// `trouble`, `pinned`, a column's key, or that with `-` before it.
    pub fn from_word(word: &str) -> Option<Self> {
        match (word, word.strip_prefix('-')) {
            ("trouble", _) => Some(Self::Trouble),
            ("pinned", _) => Some(Self::Pinned),
            (_, Some(key)) => Column::from_key(key).map(|column| Self::By { column, descending: true }),
            (key, None) => Column::from_key(key).map(|column| Self::By { column, descending: false }),
        }
    }

    /// The word of [`Self::from_word`].
    pub fn word(self) -> String {
        match self {
            Self::Trouble => "trouble".to_owned(),
            Self::Pinned => "pinned".to_owned(),
            Self::By { column, descending: true } => format!("-{}", column.key()),
            Self::By { column, descending: false } => column.key().to_owned(),
        }
    }
}

impl Order {
    /// Whether great values of this column come first; `None` when rows are in another order.
    pub fn by(self, column: Column) -> Option<bool> {
        match self {
            Self::By { column: current, descending } if current == column => Some(descending),
            _ => None,
        }
    }

    /// What a click on a column's heading asks for: great numbers first, and the other way round
    /// when it is sorted by that column already.
    pub fn after_click(self, column: Column) -> Self {
        let descending = self.by(column).map_or(column != Column::Queue, |descending| !descending);
        Self::By { column, descending }
    }
}

impl From<Order> for String {
    fn from(order: Order) -> Self {
        order.word()
    }
}

/// How long a row keeps its level after the reason for it is gone.
pub const LEAVE_AFTER: Duration = Duration::from_secs(15);
/// Rows change places at most this often.
pub const MOVE_EVERY: Duration = Duration::from_secs(10);

/// The damped order and levels of one board's rows.
#[derive(Debug, Clone)]
pub struct RowOrder {
    order: Order,
    ids: Vec<QueueId>,
    moved_at: Option<Timestamp>,
    /// By queue, in the order of their ids: found by halving, which is smaller to download than a map.
    levels: Vec<(QueueId, HeldLevel)>,
}

#[derive(Debug, Clone, Copy)]
struct HeldLevel {
    shown: Level,
    /// Since when the queue deserves less than is shown.
    calmer_since: Option<Timestamp>,
}

impl RowOrder {
    /// Nothing is in order yet.
    pub fn new(order: Order) -> Self {
        Self { order, ids: Vec::new(), moved_at: None, levels: Vec::new() }
    }

    /// The rows from top to bottom.
    pub fn ids(&self) -> &[QueueId] {
        &self.ids
    }

    /// The level to show for a queue.
    pub fn level(&self, queue: &QueueId) -> Level {
        self.held(queue).map(|held| held.shown).unwrap_or_default()
    }

    /// Judges all rows at `now`, puts them in order when it is time, and tells whose level changed
    /// to what.
    pub fn settle(&mut self, queues: &[QueueView], now: Timestamp, still: Stillness) -> Vec<(String, Level)> {
        let crossings = self.judge(queues, now);
        // Exactly the queues of this board have been judged.
        let mut ids = std::mem::take(&mut self.ids);
        ids.retain(|id| self.held(id).is_some());
        self.ids = ids;
        let added = self.ids.len() < queues.len();

        let rested = self.moved_at.is_none_or(|moved_at| now.since(moved_at) >= MOVE_EVERY);
        if added || (rested && still == Stillness::MayMove) {
            let ids = self.sorted(queues, now);
            if ids != self.ids {
                self.ids = ids;
                self.moved_at = Some(now);
            }
        }
        crossings
    }

    /// The next judgement holds on to nothing.
    pub fn forget_levels(&mut self) {
        self.levels.clear();
    }

    fn held(&self, queue: &QueueId) -> Option<&HeldLevel> {
        let place = self.levels.binary_search_by(|(id, _)| id.cmp(queue)).ok()?;
        Some(&self.levels[place].1)
    }

    fn judge(&mut self, queues: &[QueueView], now: Timestamp) -> Vec<(String, Level)> {
        let mut crossings = Vec::new();
        let mut levels = Vec::with_capacity(queues.len());
        for queue in queues {
            let deserved = queue.level(now);
            let before = self.held(&queue.id);
            let held = match before {
                Some(held) if deserved < held.shown => {
                    let since = held.calmer_since.unwrap_or(now);
                    if now.since(since) >= LEAVE_AFTER {
                        HeldLevel { shown: deserved, calmer_since: None }
                    } else {
                        HeldLevel { shown: held.shown, calmer_since: Some(since) }
                    }
                }
                _ => HeldLevel { shown: deserved, calmer_since: None },
            };
            if before.is_some_and(|before| before.shown != held.shown) {
                crossings.push((queue.name.clone(), held.shown));
            }
            levels.push((queue.id.clone(), held));
        }
        self.levels = sorted(levels, |(a, _), (b, _)| a.cmp(b));
        crossings
    }

    /// Equal rows keep their places.
    fn sorted(&self, queues: &[QueueView], now: Timestamp) -> Vec<QueueId> {
        let judged: Vec<(Level, &QueueView)> =
            queues.iter().map(|queue| (self.level(&queue.id), queue)).collect();
        sorted(judged, |a, b| self.compare(*a, *b, now))
            .into_iter()
            .map(|(_, queue)| queue.id.clone())
            .collect()
    }

    fn compare(
        &self,
        (level_a, a): (Level, &QueueView),
        (level_b, b): (Level, &QueueView),
        now: Timestamp,
    ) -> Ordering {
        match self.order {
            Order::Pinned => Ordering::Equal,
            Order::Trouble => level_b.cmp(&level_a).then_with(|| by_trouble(a, b, now)),
            Order::By { column, descending } => {
                let rising = match column {
                    Column::State => level_a.cmp(&level_b),
                    column => column.compare(a, b, now),
                };
                let ordering = if descending { rising.reverse() } else { rising };
                ordering.then_with(|| Column::Queue.compare(a, b, now)).then_with(|| a.id.cmp(&b.id))
            }
        }
    }
}

/// May rows change places?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stillness {
    /// Yes, when they have rested.
    MayMove,
    /// No: somebody is about to click or reads with a pointer.
    Still,
}

#[cfg(test)]
mod tests {
    use domain::{
        quality::Quality,
        service_level::{Definition, ServiceLevelPolicy, ServiceLevels},
        view::{Busy, Figures, QueueQuality},
    };

    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(1_795_266_000_000);

    fn queue(name: &str, waits_since: Option<u64>, now: Timestamp) -> QueueView {
        QueueView {
            id: QueueId::from(name),
            name: name.to_owned(),
            extension_number: None,
            figures: Figures {
                waiting: u32::from(waits_since.is_some()),
                oldest_waiting_since: waits_since.map(|seconds| now - Duration::from_secs(seconds)),
                ..Figures::default()
            },
            members: Some(3),
            members_available: Some(1),
            missed_lately: false,
            members_busy: Busy::default(),
            policy: ServiceLevelPolicy::default(),
            definition: Definition::default(),
            service_levels_today: ServiceLevels::default(),
            waiting_beyond_threshold: 0,
            quality: QueueQuality {
                waiting: Quality::Live,
                calls: Quality::Live,
                members: Quality::Live,
                available: Quality::Live,
                today: Quality::Live,
            },
        }
    }

    fn names(order: &RowOrder) -> String {
        order.ids().iter().map(QueueId::as_str).collect()
    }

    fn after(seconds: u64) -> Timestamp {
        NOON + Duration::from_secs(seconds)
    }

    #[test]
    fn what_was_forgotten_is_not_held_on_to() {
        let mut order = RowOrder::new(Order::Trouble);
        order.settle(&[queue("a", Some(60), NOON)], NOON, Stillness::MayMove);
        let calm = [queue("a", None, NOON)];
        order.settle(&calm, after(1), Stillness::MayMove);
        assert_eq!(order.level(&QueueId::from("a")), Level::Act, "held for a while");
        order.forget_levels();
        assert!(order.settle(&calm, after(2), Stillness::MayMove).is_empty());
        assert_eq!(order.level(&QueueId::from("a")), Level::Normal);
    }

    #[test]
    fn trouble_rises_at_once_but_rows_rest_between_moves() {
        let mut order = RowOrder::new(Order::Trouble);
        let calm = [queue("a", None, NOON), queue("b", None, NOON), queue("c", None, NOON)];
        assert!(order.settle(&calm, NOON, Stillness::MayMove).is_empty());
        assert_eq!(names(&order), "abc");

        let trouble = [queue("a", None, NOON), queue("b", None, NOON), queue("c", Some(60), after(3))];
        let crossings = order.settle(&trouble, after(3), Stillness::MayMove);
        assert_eq!(crossings, [("c".to_owned(), Level::Act)]);
        assert_eq!(names(&order), "abc", "the rows were put in order three seconds ago");
        order.settle(&trouble, after(10), Stillness::MayMove);
        assert_eq!(names(&order), "cab");
    }

    #[test]
    fn calm_comes_fifteen_seconds_after_its_reason() {
        let mut order = RowOrder::new(Order::Trouble);
        let id = QueueId::from("a");
        order.settle(&[queue("a", Some(60), NOON)], NOON, Stillness::MayMove);
        assert_eq!(order.level(&id), Level::Act);
        let answered = [queue("a", None, NOON)];
        assert!(order.settle(&answered, after(1), Stillness::MayMove).is_empty());
        assert!(order.settle(&answered, after(15), Stillness::MayMove).is_empty());
        assert_eq!(order.settle(&answered, after(16), Stillness::MayMove).len(), 1);
        assert_eq!(order.level(&id), Level::Normal);
    }

    #[test]
    fn a_relapse_starts_the_calming_anew() {
        let mut order = RowOrder::new(Order::Trouble);
        let (calm, act) = ([queue("a", None, NOON)], [queue("a", Some(60), NOON)]);
        order.settle(&act, NOON, Stillness::MayMove);
        order.settle(&calm, after(1), Stillness::MayMove);
        order.settle(&act, after(10), Stillness::MayMove);
        order.settle(&calm, after(12), Stillness::MayMove);
        assert!(order.settle(&calm, after(20), Stillness::MayMove).is_empty());
    }

    #[test]
    fn rows_hold_still_under_a_pointer_but_new_ones_come_and_old_ones_go() {
        let mut order = RowOrder::new(Order::Trouble);
        order.settle(&[queue("a", None, NOON), queue("b", None, NOON)], NOON, Stillness::MayMove);
        let trouble = [queue("a", None, NOON), queue("b", Some(60), after(30))];
        order.settle(&trouble, after(30), Stillness::Still);
        assert_eq!(names(&order), "ab");
        order.settle(&[queue("b", Some(60), after(30)), queue("c", None, NOON)], after(31), Stillness::Still);
        assert_eq!(names(&order), "bc");
    }

    #[test]
    fn a_pinned_order_never_moves() {
        let mut order = RowOrder::new(Order::Pinned);
        let trouble = [queue("b", None, NOON), queue("a", Some(60), NOON)];
        order.settle(&trouble, NOON, Stillness::MayMove);
        order.settle(&trouble, after(60), Stillness::MayMove);
        assert_eq!(names(&order), "ba");
    }

    #[test]
    fn columns_sort_both_ways() {
        let queues = [queue("a", Some(5), NOON), queue("b", None, NOON), queue("c", Some(9), NOON)];
        let sorted = |descending| {
            let mut order = RowOrder::new(Order::By { column: Column::Longest, descending });
            order.settle(&queues, NOON, Stillness::MayMove);
            names(&order)
        };
        assert_eq!(sorted(true), "cab");
        assert_eq!(sorted(false), "bac");
    }
}
