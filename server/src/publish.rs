//! The published view: the newest state of every board, encoded once, shared by all readers.
//!
//! Owned by the keeper, which alone publishes. Readers hold a `watch` receiver: they get the latest
//! and are never waited for. A reader that was slow gets the frames it missed while they are still
//! kept, else the full view; as all values are absolute, it has then lost nothing.

mod agents;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use domain::{
    board::Board,
    id::QueueId,
    time::Timestamp,
    trust::Trust,
    view::{BoardView, Figures, QueueView, Totals},
};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

pub(crate) use self::agents::AgentsPublisher;
pub use self::agents::PublishedAgents;

/// Change frames kept for readers that fell behind: a third of a second at the shortest interval, a
/// quarter of a minute at the longest.
const FRAMES_KEPT: usize = 64;

/// Queues that have a row though the directory does not list them: more than any account in sight has, so that
/// one whose directory cannot be read shows all of them. Calls can name any number.
const MOST_UNRESOLVED: usize = 1_000;

/// Which board a reader looks at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum BoardKey {
    /// All queues.
    All,
    /// One queue.
    Queue(QueueId),
}

/// One board at one revision. Cheap to clone: everything large is shared.
#[derive(Debug)]
pub struct Published {
    /// Names this run of the server; revisions of two runs do not compare.
    pub epoch: u64,
    /// Rises with every publication.
    pub revision: u64,
    /// The server's clock at publication.
    pub as_of: Timestamp,
    /// May it be believed?
    pub trust: Trust,
    /// All queues of this board together.
    pub totals: Totals,
    /// One row per queue, by name, as far as queues that the directory does not list are not too many.
    pub rows: Vec<Arc<Row>>,
    frames: VecDeque<(u64, Bytes)>,
    full: OnceLock<Bytes>,
}

/// A queue's row with its JSON text.
#[derive(Debug)]
pub struct Row {
    /// The row.
    pub view: QueueView,
    json: Box<serde_json::value::RawValue>,
}

impl Row {
    fn new(view: QueueView) -> Self {
        let json = serde_json::value::to_raw_value(&view).expect("a row is plain data and always encodes");
        Self { view, json }
    }
}

/// A full view on the wire; the same fields as [`BoardView`].
#[derive(Serialize)]
struct FullFrame<'a> {
    revision: u64,
    as_of: Timestamp,
    trust: &'a Trust,
    totals: &'a Totals,
    queues: Vec<&'a serde_json::value::RawValue>,
}

/// A change on the wire; the same fields as [`domain::view::BoardChange`].
#[derive(Serialize)]
struct ChangeFrame<'a> {
    revision: u64,
    as_of: Timestamp,
    trust: &'a Trust,
    totals: &'a Totals,
    queues: Vec<&'a serde_json::value::RawValue>,
    removed: Vec<&'a QueueId>,
}

impl Published {
    fn empty(epoch: u64, as_of: Timestamp, trust: Trust) -> Self {
        Self {
            epoch,
            revision: 0,
            as_of,
            trust,
            totals: Totals::default(),
            rows: Vec::new(),
            frames: VecDeque::new(),
            full: OnceLock::new(),
        }
    }

    /// The board as a value, for rendering a page.
    pub fn view(&self) -> BoardView {
        BoardView {
            revision: self.revision,
            as_of: self.as_of,
            trust: self.trust.clone(),
            totals: self.totals,
            queues: self.rows.iter().map(|row| row.view.clone()).collect(),
        }
    }

    /// Of everything it shows: another board has another.
    pub(crate) fn digest(&self) -> i64 {
        let digest = Sha256::digest(self.full_frame());
        digest.iter().take(8).fold(0, |number, byte| number << 8 | i64::from(*byte))
    }

    /// The row of one queue.
    pub fn row(&self, id: &QueueId) -> Option<&QueueView> {
        self.rows.iter().map(|row| &row.view).find(|view| view.id == *id)
    }
}

/// What a live stream is fed with: one thing at one revision.
pub trait Stream {
    /// Rises with every publication.
    fn revision(&self) -> u64;

    /// The full view as a server-sent event; encoded by the first reader that asks.
    fn full_frame(&self) -> Bytes;

    /// The newest changes with the revisions they lead to, one for each publication.
    fn frames(&self) -> &VecDeque<(u64, Bytes)>;

    /// What a reader who has seen `revision`, or nothing yet, needs to be up to date; `None` when it is.
    fn news_after(&self, revision: Option<u64>) -> Option<Bytes> {
        let Some(missed) = revision.and_then(|revision| self.revision().checked_sub(revision)) else {
            return Some(self.full_frame());
        };
        let missed = usize::try_from(missed).unwrap_or(usize::MAX);
        // Every publication kept its frame, so the newest ones are the missed ones.
        match (missed, self.frames().len().checked_sub(missed)) {
            (0, _) => None,
            (1, Some(_)) => self.frames().back().map(|(_, frame)| frame.clone()),
            (_, Some(seen)) => {
                let frames: Vec<&[u8]> = self.frames().range(seen..).map(|(_, frame)| &frame[..]).collect();
                Some(Bytes::from(frames.concat()))
            }
            (_, None) => Some(self.full_frame()),
        }
    }
}

impl Stream for Published {
    fn revision(&self) -> u64 {
        self.revision
    }

    fn full_frame(&self) -> Bytes {
        let encode = || {
            let body = FullFrame {
                revision: self.revision,
                as_of: self.as_of,
                trust: &self.trust,
                totals: &self.totals,
                queues: self.rows.iter().map(|row| &*row.json).collect(),
            };
            frame("view", self.epoch, self.revision, &body)
        };
        self.full.get_or_init(encode).clone()
    }

    fn frames(&self) -> &VecDeque<(u64, Bytes)> {
        &self.frames
    }
}

/// One event of the stream. JSON text has no raw line break, so one `data:` line always suffices,
/// and nothing in a name can begin another event.
fn frame(event: &str, epoch: u64, revision: u64, body: &impl Serialize) -> Bytes {
    let mut out = format!("id: {epoch}-{revision}\nevent: {event}\ndata: ").into_bytes();
    serde_json::to_writer(&mut out, body).expect("a frame is plain data and always encodes");
    out.extend_from_slice(b"\n\n");
    Bytes::from(out)
}

/// Publishes boards. Owned by the keeper.
#[derive(Debug)]
pub(crate) struct Publisher {
    epoch: u64,
    revision: u64,
    /// Of every queue, in the order of their names.
    rows: Vec<Arc<Row>>,
    /// Where each queue stands among them.
    places: HashMap<QueueId, usize>,
    /// How many of them the directory does not list.
    unresolved: usize,
    /// Those that the board of all queues has no row for.
    unlisted: BTreeSet<QueueId>,
    all: watch::Sender<Arc<Published>>,
    of_queues: HashMap<QueueId, watch::Sender<Arc<Published>>>,
}

impl Publisher {
    pub(crate) fn new(epoch: u64, now: Timestamp, trust: Trust) -> Self {
        Self::after(epoch, 0, now, trust)
    }

    /// One whose first publication is the one after `revision`.
    pub(crate) fn after(epoch: u64, revision: u64, now: Timestamp, trust: Trust) -> Self {
        let empty = Arc::new(Published::empty(epoch, now, trust));
        Self {
            epoch,
            revision,
            rows: Vec::new(),
            places: HashMap::new(),
            unresolved: 0,
            unlisted: BTreeSet::new(),
            all: watch::Sender::new(empty),
            of_queues: HashMap::new(),
        }
    }

    /// A board; `None` for a queue nobody knows. A queue's own board is made for its first reader.
    pub(crate) fn subscribe(
        &mut self,
        board: &Board,
        key: &BoardKey,
    ) -> Option<watch::Receiver<Arc<Published>>> {
        let id = match key {
            BoardKey::All => return Some(self.all.subscribe()),
            BoardKey::Queue(id) => id,
        };
        let row = self.row(id)?.clone();
        let now = self.all.borrow().clone();
        let channel = self.of_queues.entry(id.clone()).or_insert_with(|| {
            watch::Sender::new(Arc::new(Published {
                epoch: self.epoch,
                revision: self.revision,
                as_of: now.as_of,
                trust: now.trust.clone(),
                totals: board.totals_of([&row.view].into_iter()),
                rows: vec![row],
                frames: VecDeque::new(),
                full: OnceLock::new(),
            }))
        });
        Some(channel.subscribe())
    }

    fn row(&self, id: &QueueId) -> Option<&Arc<Row>> {
        self.places.get(id).map(|&place| &self.rows[place])
    }

    /// Takes new rows over, and puts all in order anew where names or queues are others than before.
    fn put_in_place(&mut self, board: &Board, fresh: &BTreeMap<QueueId, Arc<Row>>, reordered: bool) {
        if !reordered {
            for (id, row) in fresh {
                self.rows[self.places[id]] = row.clone();
            }
            return;
        }
        let row = |id: &QueueId| fresh.get(id).or_else(|| self.row(id)).cloned();
        let rows: Vec<Arc<Row>> = board.queue_ids().iter().filter_map(row).collect();
        self.places = rows.iter().enumerate().map(|(place, row)| (row.view.id.clone(), place)).collect();
        self.unresolved = rows.iter().filter(|row| row.view.id.is_unresolved()).count();
        self.rows = rows;
    }

    /// Queues that the board of all queues has no row for.
    pub(crate) fn unlisted(&self) -> usize {
        self.unlisted.len()
    }

    /// Readers of all boards together.
    pub(crate) fn readers(&self) -> usize {
        let of_queues: usize = self.of_queues.values().map(watch::Sender::receiver_count).sum();
        self.all.receiver_count() + of_queues
    }

    /// Revision and time of the newest publication.
    pub(crate) fn newest(&self) -> (u64, Timestamp) {
        let newest = self.all.borrow();
        (newest.revision, newest.as_of)
    }

    /// Of the newest publication.
    pub(crate) fn newest_digest(&self) -> i64 {
        let newest = self.all.borrow().clone();
        newest.digest()
    }

    /// Publishes what changed, or just the time and the trust when nothing did.
    pub(crate) fn publish(&mut self, board: &mut Board, now: Timestamp, trust: &Trust, whole: bool) {
        let (mut changed, removed) = board.take_changes();
        if whole {
            changed.extend(board.queue_ids());
        }
        let mut reordered = !removed.is_empty();
        let mut fresh: BTreeMap<QueueId, Arc<Row>> = BTreeMap::new();
        let mut new = BTreeSet::new();
        for id in changed {
            let Some(view) = board.queue_view(&id, now, trust) else { continue };
            let before = self.row(&id);
            if before.is_some_and(|row| row.view == view) {
                continue;
            }
            reordered |= before.is_none_or(|row| row.view.name != view.name);
            if before.is_none() {
                new.insert(id.clone());
            }
            fresh.insert(id, Arc::new(Row::new(view)));
        }
        self.put_in_place(board, &fresh, reordered);
        self.revision += 1;
        let edition = Edition { epoch: self.epoch, revision: self.revision, now, trust };

        let unlisted_before = if fresh.is_empty() && !reordered {
            self.unlisted.clone()
        } else {
            let unlisted =
                if self.unresolved > MOST_UNRESOLVED { unlisted(&self.rows) } else { BTreeSet::new() };
            std::mem::replace(&mut self.unlisted, unlisted)
        };
        let is_listed = |id: &QueueId| !self.unlisted.contains(id);
        let back = unlisted_before.iter().filter(|id| is_listed(id) && !fresh.contains_key(*id));
        let back = back.filter_map(|id| self.row(id));
        let changed_rows: Vec<&Row> =
            fresh.values().filter(|row| is_listed(&row.view.id)).chain(back).map(|row| &**row).collect();
        let hidden = self.unlisted.iter().filter(|id| !unlisted_before.contains(*id) && !new.contains(*id));
        let removed: Vec<&QueueId> = removed.iter().chain(hidden).collect();
        // Who is in a queue without a row is counted all the same.
        let totals = Totals {
            unlisted: u32::try_from(self.unlisted.len()).unwrap_or(u32::MAX),
            ..board.totals_of(self.rows.iter().map(|row| &row.view))
        };
        let rows = match self.unlisted.len() {
            0 => self.rows.clone(),
            _ => self.rows.iter().filter(|row| is_listed(&row.view.id)).cloned().collect(),
        };
        edition.publish(&self.all, totals, rows, &changed_rows, &removed);

        self.of_queues.retain(|_, board| board.receiver_count() > 0);
        for (id, channel) in &self.of_queues {
            let row = self.places.get(id).map(|&place| &self.rows[place]);
            let changed_row: Vec<&Row> = fresh.get(id).map(|row| &**row).into_iter().collect();
            let removed = if row.is_none() { vec![id] } else { Vec::new() };
            let totals = board.totals_of(row.into_iter().map(|row| &row.view));
            edition.publish(channel, totals, row.cloned().into_iter().collect(), &changed_row, &removed);
        }
    }
}

/// Of the queues that the directory does not list, being too many, those beyond [`MOST_UNRESOLVED`]. Who has callers
/// now comes first, then who had the most today: that depends on what happened alone, and not on the order in which
/// it was told.
fn unlisted(rows: &[Arc<Row>]) -> BTreeSet<QueueId> {
    let views = rows.iter().map(|row| &row.view);
    let mut unresolved: Vec<&QueueView> = views.filter(|view| view.id.is_unresolved()).collect();
    let rank = |view: &QueueView| {
        let Figures { waiting, talking, on_hold, offered_today, .. } = view.figures;
        (waiting + talking + on_hold == 0, Reverse(offered_today))
    };
    unresolved
        .select_nth_unstable_by(MOST_UNRESOLVED, |a, b| rank(a).cmp(&rank(b)).then_with(|| a.id.cmp(&b.id)));
    unresolved[MOST_UNRESOLVED..].iter().map(|view| view.id.clone()).collect()
}

/// One publication, of whichever boards.
struct Edition<'a> {
    epoch: u64,
    revision: u64,
    now: Timestamp,
    trust: &'a Trust,
}

impl Edition<'_> {
    fn publish(
        &self,
        channel: &watch::Sender<Arc<Published>>,
        totals: Totals,
        rows: Vec<Arc<Row>>,
        changed: &[&Row],
        removed: &[&QueueId],
    ) {
        let body = ChangeFrame {
            revision: self.revision,
            as_of: self.now,
            trust: self.trust,
            totals: &totals,
            queues: changed.iter().map(|row| &*row.json).collect(),
            removed: removed.to_vec(),
        };
        let change = frame("change", self.epoch, self.revision, &body);
        let mut frames = channel.borrow().frames.clone();
        frames.push_back((self.revision, change));
        while frames.len() > FRAMES_KEPT {
            frames.pop_front();
        }
        channel.send_replace(Arc::new(Published {
            epoch: self.epoch,
            revision: self.revision,
            as_of: self.now,
            trust: self.trust.clone(),
            totals,
            rows,
            frames,
            full: OnceLock::new(),
        }));
    }
}

#[cfg(test)]
mod tests;
