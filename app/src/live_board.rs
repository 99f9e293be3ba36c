//! The state of a page that shows a board: filled once by the server, then by the stream.
//!
//! Used on both sides. On the server it holds still; in the browser `crate::browser` feeds it
//! frames and ticks. There is one plain [`State`] and a trigger per thing that changes on its own:
//! time, the order of rows, each row. What is shown are functions of the state, all of one type
//! ([`LiveText`]): a text node is touched only when its text differs, and the program that browsers
//! download stays small, which a signal per value would not.

use std::sync::{Arc, PoisonError, RwLock};

use domain::{
    id::QueueId,
    quality::Quality,
    time::Timestamp,
    trust::{FeedLink, Freshness},
    view::{BoardChange, BoardView, Level, QueueQuality, QueueView, Totals},
};
use leptos::{prelude::*, reactive::signal::ArcTrigger};
use serde::Serialize;

use crate::{
    announcement::Announcements,
    column::Column,
    components::state_mark::Mark,
    paging,
    row_order::{Order, RowOrder, Stillness},
    sorting::{lower_case, sorted_places},
    standing::Standing,
    zone::LocalZone,
};

/// A text that follows the board.
pub type LiveText = Box<dyn Fn() -> String + Send + Sync>;
/// A condition that follows the board.
pub type LiveCondition = Box<dyn Fn() -> bool + Send + Sync>;

/// The board of a page. Clones are the same board.
#[derive(Debug, Clone)]
pub struct LiveBoard(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: RwLock<State>,
    /// A second has passed or a frame has come.
    beat: ArcTrigger,
    /// Other rows are shown, or in another order.
    rows: ArcTrigger,
}

/// What a page's parts read.
#[derive(Debug)]
pub struct State {
    /// The server's clock.
    pub now: Timestamp,
    /// The instant to which waits have ticked; holds still when the board may not be believed.
    pub shown_at: Timestamp,
    /// When the last frame came.
    pub server_heard_at: Timestamp,
    /// How far this screen may be believed.
    pub standing: Standing,
    /// All queues together, as shown.
    pub totals: Totals,
    /// How alarming the waits are, over all queues.
    pub wait_level: Level,
    /// How sure the rows are, all together.
    pub sure: Sureness,
    /// What the server told last; not shown yet while the reader has stopped the board.
    pub latest: BoardView,
    /// The zone of all times.
    pub zone: LocalZone,
    /// The page shown, from 0.
    pub page: usize,
    /// What is read aloud.
    pub announcement: String,
    /// Since when the reader has stopped the board.
    pub paused_at: Option<Timestamp>,
    /// Only queues whose name or extension contains this, in lower case.
    pub find: String,
    rows: Vec<Arc<Row>>,
    order: RowOrder,
    turning: Turning,
    turned_at: Timestamp,
    announcements: Announcements,
}

/// How sure the numbers of several rows are together: a figure above the rows is as sure as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sureness {
    columns: QueueQuality,
    /// Somewhere more callers may wait than are seen. A queue of whose members nothing is known counts while it has
    /// a caller: a mark that is always there tells nothing.
    pub or_more: bool,
}

impl Sureness {
    /// Of these rows; what no row tells of is as sure as whether anything `is_heard`.
    pub fn of<'a>(queues: impl Iterator<Item = &'a QueueView> + Clone, is_heard: bool) -> Self {
        let worst = |of: fn(&QueueQuality) -> Quality, of_none: Quality| {
            let all = queues.clone().map(|queue| of(&queue.quality));
            // A row of which nothing is known says nothing about the others.
            let known = all.clone().filter(|quality| *quality != Quality::Unknown).max();
            known.or(all.max()).unwrap_or(of_none)
        };
        let of_calls = if is_heard { Quality::Live } else { Quality::Unknown };
        Self {
            columns: QueueQuality {
                waiting: worst(|quality| quality.waiting, of_calls),
                calls: worst(|quality| quality.calls, of_calls),
                members: worst(|quality| quality.members, of_calls),
                available: worst(|quality| quality.available, of_calls),
                today: worst(|quality| quality.today, Quality::Live),
            },
            or_more: queues.clone().any(|queue| {
                queue.may_hide_callers() && (queue.members.is_some() || queue.figures.waiting > 0)
            }),
        }
    }

    /// How sure the numbers of a column are together.
    pub const fn of_column(&self, column: Column) -> Quality {
        column.quality_in(&self.columns)
    }
}

/// One queue's row.
#[derive(Debug)]
pub struct Row {
    /// Which queue.
    pub id: QueueId,
    shown: RwLock<RowState>,
    changed: ArcTrigger,
}

/// What a row shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowState {
    /// The queue's values.
    pub queue: QueueView,
    /// How alarming it looks.
    pub mark: Mark,
    /// The instant to which its wait has ticked, if somebody waits.
    pub shown_at: Timestamp,
}

/// What the island of a page starts from: the one form in which the server hands a board over.
///
/// It stands in the page as a script element that is data ([`Self::to_script`]); as the property of
/// an island every quotation mark would take six bytes. `crate::frame` reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BoardStart {
    /// The board's name, or the queue's.
    pub title: String,
    /// The stream to follow; empty for a board that stands still.
    pub stream_url: String,
    /// The instant of the past that links must ask for, empty on a board of now.
    pub at: String,
    /// The build that made the page.
    pub build_id: String,
    /// The values when it was made.
    pub view: BoardView,
    /// The zone of all times.
    pub zone: LocalZone,
    /// What decides the order of rows.
    pub order: Order,
    /// Only queues whose name or extension contains this.
    pub find: String,
    /// The theme that links must ask for, empty when it is the usual one.
    pub theme: String,
    /// What fits on a wall.
    pub wall: WallShape,
}

/// What fits on a wall, and which page of it is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct WallShape {
    /// Rows per page, 0 for all on one page.
    pub per_page: usize,
    /// Seconds per page, 0 to stay.
    pub turn_seconds: usize,
    /// The page to begin with, from 0.
    pub page: usize,
    /// The address of a page of this wall, without its number.
    pub page_address: String,
    /// How many of the wall's columns are shown.
    pub columns: usize,
    /// How many of the wall's figures are shown; 0 for the figures of one queue.
    pub figures: usize,
    /// How many characters of a name fit.
    pub name_length: usize,
    /// From how far the numbers can be read, empty when the screen is not known.
    pub legible: String,
}

impl BoardStart {
    /// The `id` of the script element.
    pub const ELEMENT: &'static str = "board-start";

    /// As JSON in which nothing ends a script element.
    pub fn to_script(&self) -> String {
        // Fails only for maps whose keys are no text.
        serde_json::to_string(self).unwrap_or_default().replace('<', "\\u003c")
    }

    /// What the page that is being made or shown starts from; `None` if it has no board.
    pub fn of_this_page() -> Option<Self> {
        #[cfg(feature = "hydrate")]
        return crate::browser::page_start();
        #[cfg(not(feature = "hydrate"))]
        use_context()
    }

    /// Brings the board to life: with the stream in a browser, standing still on the server.
    pub fn board(&self) -> LiveBoard {
        let WallShape { per_page, turn_seconds, page, .. } = self.wall;
        let per_page = if per_page == 0 { usize::MAX } else { per_page };
        let turning = Turning { per_page, seconds: turn_seconds as u64 };
        let board = LiveBoard::new(self.view.clone(), self.zone.clone(), self.order, turning);
        board.show_page(page);
        board.find(&self.find);
        // A board of the past that stands still has no stream, and time does not pass on it.
        #[cfg(feature = "hydrate")]
        if !self.stream_url.is_empty() {
            crate::browser::follow(
                crate::browser::Followed::Queues(board.clone()),
                self.stream_url.clone(),
                self.build_id.clone(),
            );
        }
        board
    }
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
    pub fn new(view: BoardView, zone: LocalZone, order: Order, turning: Turning) -> Self {
        let as_of = view.as_of;
        let standing = Standing::of(as_of, as_of, &view.trust);
        let state = State {
            now: as_of,
            shown_at: standing.as_of,
            server_heard_at: as_of,
            standing,
            totals: view.totals,
            wait_level: Level::Normal,
            sure: Sureness::of(view.queues.iter(), true),
            latest: view,
            zone,
            page: 0,
            announcement: String::new(),
            paused_at: None,
            find: String::new(),
            rows: Vec::new(),
            order: RowOrder::new(order),
            turning,
            turned_at: as_of,
            announcements: Announcements::default(),
        };
        let board = Self(Arc::new(Shared {
            state: RwLock::new(state),
            beat: ArcTrigger::new(),
            rows: ArcTrigger::new(),
        }));
        board.change(|state| state.settle(Stillness::MayMove));
        board
    }

    /// A full view came.
    pub fn hear_view(&self, now: Timestamp, view: BoardView, still: Stillness) {
        self.change(|state| {
            state.latest = view;
            state.server_heard_at = now;
            state.tick(now, still);
        });
    }

    /// A change came; it need not follow the frame before.
    pub fn hear_change(&self, now: Timestamp, change: BoardChange, still: Stillness) {
        self.change(|state| {
            merge(&mut state.latest, change);
            state.server_heard_at = now;
            state.tick(now, still);
        });
    }

    /// A second passed.
    pub fn tick(&self, now: Timestamp, still: Stillness) {
        self.change(|state| state.tick(now, still));
    }

    /// Stops the values, or lets them go on with the newest.
    pub fn toggle_pause(&self) {
        self.change(|state| {
            state.paused_at = if state.paused_at.is_some() { None } else { Some(state.now) };
            state.tick(state.now, Stillness::Still);
        });
    }

    /// Shows only queues whose name or extension contains this.
    pub fn find(&self, text: &str) {
        let text = lower_case(text.trim());
        self.change(|state| state.find = text);
        self.0.rows.notify();
    }

    /// Shows this page, or the last there is.
    pub fn show_page(&self, page: usize) {
        self.change(|state| state.page = page.min(state.pages() - 1));
    }

    /// Reads the state once, without following it.
    pub fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.0.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A text that follows the state.
    pub fn text(&self, read: impl Fn(&State) -> String + Send + Sync + 'static) -> LiveText {
        let board = self.clone();
        Box::new(move || board.follow(&read))
    }

    /// A condition that follows the state.
    pub fn condition(&self, read: impl Fn(&State) -> bool + Send + Sync + 'static) -> LiveCondition {
        let board = self.clone();
        Box::new(move || {
            board.0.beat.track();
            board.read(&read)
        })
    }

    /// The rows to show now, followed.
    pub fn rows(&self) -> Vec<Arc<Row>> {
        self.0.rows.track();
        self.read(|state| {
            let page = state.page.min(state.pages() - 1);
            let per_page = state.turning.per_page;
            let found = state.rows.iter().filter(|row| row.read(|shown| shown.is_found_by(&state.find)));
            found.skip(page.saturating_mul(per_page)).take(per_page).cloned().collect()
        })
    }

    /// How many pages the rows make, followed.
    pub fn pages(&self) -> usize {
        self.0.rows.track();
        self.read(State::pages)
    }

    /// Lets everything that follows the state look again, for what is read beside it.
    pub(crate) fn touch(&self) {
        self.0.beat.notify();
    }

    /// Not generic, so that every text shares it.
    fn follow(&self, read: &dyn Fn(&State) -> String) -> String {
        self.0.beat.track();
        self.read(read)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.0.state.write().unwrap_or_else(PoisonError::into_inner);
        let page = state.page;
        change(&mut state);
        let moved = state.show_rows() || state.page != page;
        drop(state);
        // Readers lock the state themselves, so it is free when they are told.
        self.0.beat.notify();
        if moved {
            self.0.rows.notify();
        }
    }
}

impl State {
    /// How many pages the rows make.
    pub fn pages(&self) -> usize {
        paging::pages(self.rows.len(), self.turning.per_page)
    }

    /// The queues from top to bottom.
    pub fn row_ids(&self) -> Vec<QueueId> {
        self.rows.iter().map(|row| row.id.clone()).collect()
    }

    /// True when there is no queue at all.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// True when no queue's name or extension contains what is looked for.
    pub fn finds_nothing(&self) -> bool {
        !self.is_empty() && !self.rows.iter().any(|row| row.read(|shown| shown.is_found_by(&self.find)))
    }

    /// True when some queue's number in one of these columns is worked out rather than told.
    pub fn is_inferred(&self, columns: &[Column]) -> bool {
        columns.iter().any(|column| self.sure.of_column(*column) == Quality::Inferred)
    }

    /// The name of the queue whose caller has waited longest.
    pub fn longest_in(&self) -> Option<&str> {
        let oldest = self.totals.figures.oldest_waiting_since?;
        let queue =
            self.latest.queues.iter().find(|queue| queue.figures.oldest_waiting_since == Some(oldest))?;
        Some(&queue.name)
    }

    fn tick(&mut self, now: Timestamp, still: Stillness) {
        self.now = now;
        let before = self.standing.freshness;
        self.standing = Standing::of(now, self.server_heard_at, &self.latest.trust);
        if self.standing.freshness != before {
            self.announce_freshness(before);
        }
        if self.paused_at.is_none() {
            // A frozen wait keeps the value it had; it does not jump back.
            if self.standing.freshness == Freshness::Live || self.standing.as_of > self.shown_at {
                self.shown_at = self.standing.as_of;
            }
            self.totals = self.latest.totals;
            if self.standing.freshness == Freshness::Live && before >= Freshness::Stale {
                // An alarm of before the silence is not held on to: nobody knows how long it lasted.
                self.order.forget_levels();
            }
            self.settle(still);
            if self.standing.freshness == Freshness::Live {
                self.turn();
            }
        }
        if let Some(said) = self.announcements.take(now) {
            self.announcement = said;
        }
    }

    fn settle(&mut self, still: Stillness) {
        // Alarms are not raised, and rows not moved, by numbers that may not be believed.
        if self.standing.freshness <= Freshness::Live || self.rows.len() != self.latest.queues.len() {
            for (name, level) in self.order.settle(&self.latest.queues, self.shown_at, still) {
                self.announcements.note_level(&name, level);
            }
        }
        let levels = self.latest.queues.iter().map(|queue| wait_level(queue, self.order.level(&queue.id)));
        self.wait_level = levels.max().unwrap_or_default();
    }

    /// Brings the rows up to the state; true when there are others, or in another order.
    fn show_rows(&mut self) -> bool {
        if self.paused_at.is_some() {
            return false;
        }
        let stale = self.standing.freshness >= Freshness::Stale;
        let mut rows = Vec::with_capacity(self.order.ids().len());
        let queues = Places::of(&self.latest.queues, |queue| &queue.id);
        let known = Places::of(&self.rows, |row| &row.id);
        for id in self.order.ids() {
            let Some(queue) = queues.find(id) else { continue };
            let mark = match self.order.level(id) {
                _ if stale => Mark::Stale,
                Level::Normal if queue.nobody_free() => Mark::NobodyFree,
                level => Mark::Level(level),
            };
            match known.find(id) {
                Some(row) => {
                    row.show(queue, mark, self.shown_at);
                    rows.push(Arc::clone(row));
                }
                None => rows.push(Arc::new(Row {
                    id: id.clone(),
                    shown: RwLock::new(RowState { queue: queue.clone(), mark, shown_at: self.shown_at }),
                    changed: ArcTrigger::new(),
                })),
            }
        }
        let moved = !rows.iter().map(|row| &row.id).eq(self.rows.iter().map(|row| &row.id));
        self.rows = rows;
        let trust = &self.latest.trust;
        let is_heard = trust.feed_heard_at.is_some() || trust.feed == FeedLink::WebhookOnly;
        self.sure = Sureness::of(self.latest.queues.iter(), is_heard);
        moved
    }

    fn turn(&mut self) {
        let Turning { per_page, seconds } = self.turning;
        if seconds > 0 && self.now.since(self.turned_at).as_secs() >= seconds {
            self.turned_at = self.now;
            let levels: Vec<Level> = self.order.ids().iter().map(|id| self.order.level(id)).collect();
            self.page = paging::next_page(self.page, per_page, &levels);
        }
    }

    fn announce_freshness(&mut self, before: Freshness) {
        let headline = self.standing.headline(&self.latest.trust);
        match self.standing.freshness {
            Freshness::Live if before >= Freshness::Stale => {
                self.announcements.note("Live again.".to_owned())
            }
            Freshness::Stale if before < Freshness::Stale => {
                self.announcements.note(format!("{headline}. Numbers are old."));
            }
            Freshness::Blind => self.announcements.note(format!("{headline}. Numbers are hidden.")),
            _ => {}
        }
    }
}

/// Things of queues, found by halving: a board may have thousands.
struct Places<'a, T> {
    things: &'a [T],
    id: fn(&T) -> &QueueId,
    sorted: Vec<usize>,
}

impl<'a, T> Places<'a, T> {
    fn of(things: &'a [T], id: fn(&T) -> &QueueId) -> Self {
        let sorted = sorted_places(things.len(), &|a, b| id(&things[a]).cmp(id(&things[b])));
        Self { things, id, sorted }
    }

    fn find(&self, id: &QueueId) -> Option<&'a T> {
        let place = self.sorted.binary_search_by(|place| (self.id)(&self.things[*place]).cmp(id)).ok()?;
        Some(&self.things[self.sorted[place]])
    }
}

impl Row {
    /// Reads what the row shows, without following it.
    pub fn read<T>(&self, read: impl FnOnce(&RowState) -> T) -> T {
        read(&self.shown.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A text that follows the row.
    pub fn text(self: &Arc<Self>, read: impl Fn(&RowState) -> String + Send + Sync + 'static) -> LiveText {
        let row = Arc::clone(self);
        Box::new(move || row.follow(&read))
    }

    fn follow(&self, read: &dyn Fn(&RowState) -> String) -> String {
        self.changed.track();
        self.read(read)
    }

    fn show(&self, queue: &QueueView, mark: Mark, shown_at: Timestamp) {
        let mut shown = self.shown.write().unwrap_or_else(PoisonError::into_inner);
        // The clock is of no interest to a row in which nobody waits.
        let ticks = queue.figures.oldest_waiting_since.is_some() && shown.shown_at != shown_at;
        if ticks || shown.mark != mark || shown.queue != *queue {
            shown.queue.clone_from(queue);
            shown.mark = mark;
            shown.shown_at = shown_at;
            drop(shown);
            self.changed.notify();
        }
    }
}

impl RowState {
    fn is_found_by(&self, wanted: &str) -> bool {
        wanted.is_empty()
            || lower_case(&self.queue.name).contains(wanted)
            || self.queue.extension_number.as_deref().is_some_and(|extension| extension.contains(wanted))
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

/// How alarming a queue's waits are: a row that calms down with nobody waiting is not about waits.
fn wait_level(queue: &QueueView, shown: Level) -> Level {
    if queue.figures.waiting == 0 { Level::Normal } else { shown }
}
