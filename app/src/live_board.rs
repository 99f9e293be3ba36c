//! The state of a page that shows a board: filled once by the server, then by the stream.
//!
//! Used on both sides. On the server it holds still; in the browser `crate::browser` feeds it
//! frames and ticks. Signals change only where a value changed, so that only the text nodes that
//! show it are touched.

use std::collections::HashMap;

use domain::{
    id::QueueId,
    quality::Quality,
    time::Timestamp,
    trust::{Freshness, Trust},
    view::{BoardChange, BoardView, Level, QueueView, Totals},
};
use leptos::prelude::*;

use crate::{
    announcement::Announcements,
    column::Column,
    paging,
    row_order::{Order, RowOrder, Stillness},
    standing::Standing,
};

/// One queue's row: its values, and how alarming it is shown.
#[derive(Debug, Clone)]
pub struct Row {
    /// Which queue.
    pub id: QueueId,
    /// Its values.
    pub queue: ArcRwSignal<QueueView>,
    /// Its level, damped.
    pub level: ArcRwSignal<Level>,
}

/// Everything a page's components read. Cheap to copy.
#[derive(Debug, Clone, Copy)]
pub struct LiveBoard {
    /// The server's clock, once a second.
    pub now: RwSignal<Timestamp>,
    /// The instant to which waits have ticked; holds still when the board may not be believed.
    pub shown_at: RwSignal<Timestamp>,
    /// When the last frame came.
    pub server_heard_at: RwSignal<Timestamp>,
    /// What the server says about its sources.
    pub trust: RwSignal<Trust>,
    /// How far this screen may be believed.
    pub standing: RwSignal<Standing>,
    /// All queues together.
    pub totals: RwSignal<Totals>,
    /// How alarming the waits are, over all queues.
    pub wait_level: RwSignal<Level>,
    /// All rows in their order.
    pub rows: RwSignal<Vec<Row>>,
    /// The page shown, from 0.
    pub page: RwSignal<usize>,
    /// What is read aloud.
    pub announcement: RwSignal<String>,
    /// Since when the reader has stopped the board.
    pub paused_at: RwSignal<Option<Timestamp>>,
    /// A pointer or the keyboard is in the rows: they hold still.
    pub touched: RwSignal<bool>,
    book: StoredValue<Book>,
}

/// What is behind the signals.
#[derive(Debug)]
struct Book {
    view: BoardView,
    order: RowOrder,
    turning: Turning,
    turned_at: Timestamp,
    announcements: Announcements,
}

/// Whether and how pages turn by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turning {
    /// Rows per page.
    pub per_page: usize,
    /// Seconds per page, 0 to stay.
    pub seconds: u64,
}

impl Turning {
    /// Everything on one page.
    pub const NONE: Self = Self { per_page: usize::MAX, seconds: 0 };
}

impl LiveBoard {
    /// The board as the server made it.
    pub fn new(view: BoardView, order: Order, turning: Turning, page: usize) -> Self {
        let as_of = view.as_of;
        let trust = view.trust.clone();
        let board = Self {
            now: RwSignal::new(as_of),
            shown_at: RwSignal::new(as_of),
            server_heard_at: RwSignal::new(as_of),
            standing: RwSignal::new(Standing::of(as_of, as_of, &trust)),
            trust: RwSignal::new(trust),
            totals: RwSignal::new(view.totals),
            wait_level: RwSignal::new(Level::Normal),
            rows: RwSignal::new(Vec::new()),
            page: RwSignal::new(page.min(paging::pages(view.queues.len(), turning.per_page) - 1)),
            announcement: RwSignal::new(String::new()),
            paused_at: RwSignal::new(None),
            touched: RwSignal::new(false),
            book: StoredValue::new(Book {
                view,
                order: RowOrder::new(order),
                turning,
                turned_at: as_of,
                announcements: Announcements::default(),
            }),
        };
        board.shown_at.set(board.standing.get_untracked().as_of);
        board.show();
        board
    }

    /// A full view came.
    pub fn hear_view(&self, now: Timestamp, view: BoardView) {
        self.book.update_value(|book| book.view = view);
        self.heard(now);
    }

    /// A change came; it need not follow the frame before.
    pub fn hear_change(&self, now: Timestamp, change: BoardChange) {
        self.book.update_value(|book| merge(&mut book.view, change));
        self.heard(now);
    }

    fn heard(&self, now: Timestamp) {
        self.server_heard_at.set(now);
        self.book.with_value(|book| replace(self.trust, &book.view.trust));
        self.tick(now);
        self.show();
    }

    /// A second passed.
    pub fn tick(&self, now: Timestamp) {
        replace(self.now, &now);
        let before = self.standing.get_untracked().freshness;
        let standing =
            self.trust.with_untracked(|trust| Standing::of(now, self.server_heard_at.get_untracked(), trust));
        replace(self.standing, &standing);
        if standing.freshness != before {
            self.announce_freshness(standing.freshness, before);
        }
        if self.paused_at.get_untracked().is_none() {
            // A frozen wait keeps the value it had; it does not jump back.
            if standing.freshness == Freshness::Live || standing.as_of > self.shown_at.get_untracked() {
                replace(self.shown_at, &standing.as_of);
            }
            if standing.freshness == Freshness::Live {
                self.settle(now);
                self.turn(now);
            }
        }
        let said = self.book.try_update_value(|book| book.announcements.take(now)).flatten();
        if let Some(said) = said {
            self.announcement.set(said);
        }
    }

    /// Stops the values, or lets them go on with the newest.
    pub fn set_paused(&self, paused: bool) {
        let at = paused.then(|| self.now.get_untracked());
        if at.is_some() != self.paused_at.get_untracked().is_some() {
            self.paused_at.set(at);
            self.tick(self.now.get_untracked());
            self.show();
        }
    }

    /// The name of the queue whose caller has waited longest.
    pub fn longest_in(&self) -> Option<String> {
        self.book.with_value(|book| {
            let oldest = book.view.totals.figures.oldest_waiting_since?;
            let queue =
                book.view.queues.iter().find(|queue| queue.figures.oldest_waiting_since == Some(oldest));
            queue.map(|queue| queue.name.clone())
        })
    }

    /// True when some queue's number in this column is worked out rather than told.
    pub fn is_inferred(&self, column: Column) -> bool {
        self.rows.with(|rows| {
            rows.iter().any(|row| row.queue.with(|queue| column.quality(queue)) == Quality::Inferred)
        })
    }

    /// How many pages the rows make.
    pub fn pages(&self) -> usize {
        let per_page = self.book.with_value(|book| book.turning.per_page);
        self.rows.with(|rows| paging::pages(rows.len(), per_page))
    }

    /// The rows of the page that is shown.
    pub fn rows_of_page(&self) -> Vec<Row> {
        let per_page = self.book.with_value(|book| book.turning.per_page);
        let page = self.page.get().min(self.pages() - 1);
        self.rows
            .with(|rows| rows.iter().skip(page.saturating_mul(per_page)).take(per_page).cloned().collect())
    }

    /// Brings the signals up to the book.
    fn show(&self) {
        if self.paused_at.get_untracked().is_some() {
            return;
        }
        self.book.with_value(|book| {
            replace(self.totals, &book.view.totals);
            let known: HashMap<QueueId, Row> = self
                .rows
                .with_untracked(|rows| rows.iter().map(|row| (row.id.clone(), row.clone())).collect());
            for queue in &book.view.queues {
                if let Some(row) = known.get(&queue.id) {
                    row.queue.maybe_update(|shown| {
                        let changed = *shown != *queue;
                        if changed {
                            shown.clone_from(queue);
                        }
                        changed
                    });
                }
            }
        });
        self.settle(self.shown_at.get_untracked());
    }

    fn settle(&self, now: Timestamp) {
        let still = if self.touched.get_untracked() { Stillness::Still } else { Stillness::MayMove };
        self.book.update_value(|book| {
            for crossing in book.order.settle(&book.view.queues, now, still) {
                if let Some(queue) = book.view.queues.iter().find(|queue| queue.id == crossing.queue) {
                    book.announcements.note_level(&queue.name, crossing.to);
                }
            }
        });
        self.book.with_value(|book| {
            let wait_level =
                book.view.queues.iter().map(|queue| wait_level(queue, book.order.level(&queue.id))).max();
            replace(self.wait_level, &wait_level.unwrap_or_default());
            self.rows.maybe_update(|rows| {
                for row in rows.iter() {
                    let level = book.order.level(&row.id);
                    row.level.maybe_update(|shown| std::mem::replace(shown, level) != level);
                }
                if rows.iter().map(|row| &row.id).eq(book.order.ids()) {
                    return false;
                }
                let mut known: HashMap<QueueId, Row> =
                    rows.drain(..).map(|row| (row.id.clone(), row)).collect();
                rows.extend(book.order.ids().iter().filter_map(|id| {
                    known.remove(id).or_else(|| {
                        let queue = book.view.queues.iter().find(|queue| queue.id == *id)?;
                        Some(Row {
                            id: id.clone(),
                            queue: ArcRwSignal::new(queue.clone()),
                            level: ArcRwSignal::new(book.order.level(id)),
                        })
                    })
                }));
                true
            });
        });
    }

    fn turn(&self, now: Timestamp) {
        self.book.update_value(|book| {
            let Turning { per_page, seconds } = book.turning;
            if seconds == 0 || now.since(book.turned_at).as_secs() < seconds {
                return;
            }
            book.turned_at = now;
            let levels: Vec<Level> = book.order.ids().iter().map(|id| book.order.level(id)).collect();
            let next = paging::next_page(self.page.get_untracked(), per_page, &levels);
            replace(self.page, &next);
        });
    }

    fn announce_freshness(&self, freshness: Freshness, before: Freshness) {
        let headline = self.trust.with_untracked(|trust| self.standing.get_untracked().headline(trust));
        self.book.update_value(|book| match freshness {
            Freshness::Live if before >= Freshness::Stale => book.announcements.note("Live again."),
            Freshness::Stale if before < Freshness::Stale => {
                book.announcements.note(&format!("{headline}. Numbers are old."));
            }
            Freshness::Blind => book.announcements.note(&format!("{headline}. Numbers are hidden.")),
            _ => {}
        });
    }
}

/// Brings a view up to a change. Values are absolute, so a change that was missed does no harm.
pub fn merge(view: &mut BoardView, change: BoardChange) {
    view.revision = change.revision;
    view.as_of = change.as_of;
    view.trust = change.trust;
    view.totals = change.totals;
    view.queues.retain(|queue| !change.removed.contains(&queue.id));
    for queue in change.queues {
        match view.queues.iter_mut().find(|known| known.id == queue.id) {
            Some(known) => *known = queue,
            None => {
                let place = view.queues.partition_point(|known| known.name <= queue.name);
                view.queues.insert(place, queue);
            }
        }
    }
}

/// How alarming a queue's waits are: its level, unless that is about today's promise alone.
fn wait_level(queue: &QueueView, shown: Level) -> Level {
    if queue.figures.waiting == 0 {
        return Level::Normal;
    }
    match shown {
        Level::Watch if queue.members_available != Some(0) && queue.misses_target() => Level::Normal,
        level => level,
    }
}

fn replace<T: Clone + PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: &T) {
    signal.maybe_update(|shown| {
        let changed = shown != value;
        if changed {
            shown.clone_from(value);
        }
        changed
    });
}
