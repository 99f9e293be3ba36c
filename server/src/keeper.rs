//! The one task that owns the live state.
//!
//! It is fed with journalled facts only, so that the board can always be made anew from the
//! journal. Select over the sources, apply synchronously, publish: no `.await` inside the rules,
//! no rules inside the `select!`.

mod notes;
mod scribe;

use std::{sync::Arc, time::Duration};

use domain::{
    board::{Anomalies, LiveCall, QueueDetail},
    directory::Directory,
    id::QueueId,
    trust::Trust,
};
use tokio::{
    sync::{Notify, mpsc, oneshot, watch},
    time::{Instant, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;

pub(crate) use self::{notes::NoteTaker, scribe::Scribe};
use crate::{
    clock,
    journal::Journalled,
    publish::{AgentsPublisher, BoardKey, Published, PublishedAgents, Publisher},
    situation::{PresenceTold, Situation},
    zoom::presence::PresenceStatus,
};

/// Orders waiting for the keeper: one per request being answered, which the server bounds anyway.
const ORDERS: usize = 1024;

/// A board is published at least this often, changed or not: the pulse by which screens know that
/// the server is alive. Without readers it is published no more often, except for who asks.
const PULSE: Duration = Duration::from_secs(1);

/// The shortest time between two publications, however few readers there are.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(5);
/// The longest, however many: a wall that is a quarter of a second late still looks live.
const LONGEST_INTERVAL: Duration = Duration::from_millis(250);
/// What one delivery to one reader costs on a slow core.
const DELIVERY: Duration = Duration::from_micros(20);
/// Deliveries may take one part in this many of a core.
const DELIVERY_SHARE: u32 = 3;

/// How long history waits for the names of queues after a start.
const DIRECTORY_AWAITED: Duration = Duration::from_secs(60);
/// A wrong clock makes every event tell of it; the log is told this often.
const TELL_AGAIN: Duration = Duration::from_secs(60);

/// How the rest of the server talks to the keeper.
#[derive(Debug, Clone)]
pub struct KeeperHandle {
    orders: mpsc::Sender<Order>,
}

/// The keeper has stopped; the process is going down.
#[derive(Debug, thiserror::Error)]
#[error("the live state is not kept any more: the server is stopping")]
pub struct KeeperGone;

/// A board to follow; `None` for a queue nobody knows.
type Subscription = Option<watch::Receiver<Arc<Published>>>;

/// Who wants to follow the agents, and where they will.
type AgentAsker =
    (oneshot::Sender<watch::Receiver<Arc<PublishedAgents>>>, watch::Receiver<Arc<PublishedAgents>>);

/// Who wants to follow which board.
type Asker = (BoardKey, oneshot::Sender<Subscription>);

#[derive(Debug)]
enum Order {
    Subscribe(Asker),
    Agents(oneshot::Sender<watch::Receiver<Arc<PublishedAgents>>>),
    LiveCalls(oneshot::Sender<Vec<LiveCall>>),
    Detail(QueueId, oneshot::Sender<Option<QueueDetail>>),
    Anomalies(oneshot::Sender<Anomalies>),
}

impl KeeperHandle {
    /// A board as it is now, with everything that was journalled before; `None` for a queue nobody
    /// knows.
    pub async fn board(&self, key: BoardKey) -> Result<Option<Arc<Published>>, KeeperGone> {
        let board = self.subscribe(key).await?;
        Ok(board.map(|board| board.borrow().clone()))
    }

    /// A board to follow from now on; `None` for a queue nobody knows.
    pub async fn subscribe(&self, key: BoardKey) -> Result<Subscription, KeeperGone> {
        self.ask(|answer| Order::Subscribe((key, answer))).await
    }

    /// The agents as they are now, with everything that was journalled before.
    pub async fn agents(&self) -> Result<Arc<PublishedAgents>, KeeperGone> {
        let agents = self.subscribe_agents().await?;
        Ok(agents.borrow().clone())
    }

    /// The agents to follow from now on.
    pub async fn subscribe_agents(&self) -> Result<watch::Receiver<Arc<PublishedAgents>>, KeeperGone> {
        self.ask(Order::Agents).await
    }

    /// Calls that are not over, oldest first.
    pub async fn live_calls(&self) -> Result<Vec<LiveCall>, KeeperGone> {
        self.ask(Order::LiveCalls).await
    }

    /// What stands behind the numbers of a queue; `None` for a queue nobody knows.
    pub async fn queue_detail(&self, id: QueueId) -> Result<Option<QueueDetail>, KeeperGone> {
        self.ask(|answer| Order::Detail(id, answer)).await
    }

    /// What was surprising since the start.
    pub async fn anomalies(&self) -> Result<Anomalies, KeeperGone> {
        self.ask(Order::Anomalies).await
    }

    async fn ask<T>(&self, order: impl FnOnce(oneshot::Sender<T>) -> Order) -> Result<T, KeeperGone> {
        let (answer, answered) = oneshot::channel();
        self.orders.send(order(answer)).await.map_err(|_| KeeperGone)?;
        answered.await.map_err(|_| KeeperGone)
    }
}

/// Where the keeper's inputs come from.
#[derive(Debug)]
pub(crate) struct Sources {
    /// New events, one `Vec` per commit of the journal.
    pub(crate) journalled: mpsc::Receiver<Vec<Journalled>>,
    /// The directory as last read.
    pub(crate) directory: watch::Receiver<Arc<Directory>>,
    /// What is known about the feed.
    pub(crate) trust: watch::Receiver<Trust>,
    /// Whether it can be known what people's clients say.
    pub(crate) presence: watch::Receiver<PresenceStatus>,
    /// Woken when a call names a queue that the directory does not know.
    pub(crate) unresolved: Arc<Notify>,
}

/// Owner of the board.
#[derive(Debug)]
pub(crate) struct Keeper {
    situation: Situation,
    publisher: Publisher,
    scribe: Scribe,
    notes: NoteTaker,
    agents: AgentsPublisher,
    sources: Sources,
    orders: mpsc::Receiver<Order>,
    unresolved_before: u64,
    /// It was told that some have no row.
    unlisted_told: bool,
    /// As last told, and when that was.
    future_before: u64,
    future_told_at: Option<Instant>,
    /// Who waits for the next publication.
    askers: Vec<Asker>,
    agent_askers: Vec<AgentAsker>,
    /// Something may have changed since the last publication, which was then.
    is_dirty: bool,
    published_at: Instant,
    began_at: Instant,
}

impl Keeper {
    /// A keeper of the board, and the handle to it. `epoch` names this run of the server.
    pub(crate) fn new(
        epoch: u64,
        situation: Situation,
        scribe: Scribe,
        notes: NoteTaker,
        sources: Sources,
    ) -> (Self, KeeperHandle) {
        let trust = sources.trust.borrow().clone();
        let agents = AgentsPublisher::new(epoch, clock::now(), trust.clone());
        let publisher = Publisher::new(epoch, clock::now(), trust);
        let (orders, received) = mpsc::channel(ORDERS);
        let keeper = Self {
            situation,
            publisher,
            scribe,
            notes,
            agents,
            sources,
            orders: received,
            unresolved_before: 0,
            unlisted_told: false,
            future_before: 0,
            future_told_at: None,
            askers: Vec::new(),
            agent_askers: Vec::new(),
            is_dirty: true,
            published_at: Instant::now(),
            began_at: Instant::now(),
        };
        (keeper, KeeperHandle { orders })
    }

    /// Keeps the board until `stop`, or until a source that never ends has ended.
    pub(crate) async fn keep(mut self, stop: CancellationToken) {
        let mut pulse = tokio::time::interval(PULSE);
        pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.let_time_pass();
        self.trust();
        loop {
            let is_awaited = self.readers() > 0 || !self.askers.is_empty() || !self.agent_askers.is_empty();
            let publish_at = is_awaited.then(|| self.publish_at());
            // Fair on purpose: neither a backlog of events nor a crowd of askers may starve the other.
            tokio::select! {
                () = stop.cancelled() => break,
                _ = pulse.tick() => {
                    self.let_time_pass();
                    self.publish();
                    self.take_note();
                    self.write_history();
                }
                events = self.sources.journalled.recv() => {
                    let Some(events) = events else { break };
                    self.apply(events);
                }
                Some(order) = self.orders.recv() => self.obey(order),
                changed = self.sources.directory.changed() => {
                    if changed.is_err() { break }
                    let directory = Arc::clone(&self.sources.directory.borrow_and_update());
                    self.situation.read(clock::now(), &directory);
                    self.let_time_pass();
                }
                changed = self.sources.trust.changed() => {
                    if changed.is_err() { break }
                    self.trust();
                }
                () = sleep_until(publish_at), if self.is_dirty => {}
            }
            if publish_at.is_some_and(|at| Instant::now() >= at) {
                self.publish_if_dirty();
            }
        }
    }

    fn apply(&mut self, mut events: Vec<Journalled>) {
        if let Some(newest) = events.last() {
            self.scribe.heard(newest.event_id);
        }
        self.situation.hear(clock::now(), &mut events);
        self.is_dirty = true;
        let future = self.situation.board.anomalies().future;
        let is_due = self.future_told_at.is_none_or(|at| at.elapsed() >= TELL_AGAIN);
        if future > self.future_before && is_due {
            (self.future_before, self.future_told_at) = (future, Some(Instant::now()));
            tracing::warn!(future, "events are dated later than this machine's clock; check the clock");
        }
        let unresolved = self.situation.board.unresolved_so_far();
        if unresolved > std::mem::replace(&mut self.unresolved_before, unresolved) {
            self.sources.unresolved.notify_one();
        }
    }

    /// Queues are written under the names that the directory gives them, so it is awaited for a while.
    fn write_history(&mut self) {
        let knows_queues = !self.sources.directory.borrow().queues.is_empty();
        if knows_queues || self.began_at.elapsed() >= DIRECTORY_AWAITED {
            self.scribe.write(&mut self.situation.board, clock::now());
        }
    }

    fn trust(&mut self) {
        let trust = self.sources.trust.borrow_and_update().clone();
        self.situation.trust(clock::now(), trust);
        self.is_dirty = true;
    }

    fn let_time_pass(&mut self) {
        self.situation.let_time_pass(clock::now());
        self.is_dirty = true;
    }

    /// Of what was published last.
    fn take_note(&mut self) {
        // A demo tells its earlier hours before its directory is read. Nobody is to look back at queues without
        // names.
        if self.situation.trusted().demo && self.situation.queues().is_empty() {
            return;
        }
        let (revision, as_of) = self.publisher.newest();
        let event_id = self.scribe.newest_event_id();
        self.notes.note(&mut self.situation, as_of, (revision, event_id), || self.publisher.newest_digest());
    }

    fn obey(&mut self, order: Order) {
        // An asker that is gone has lost interest: nothing to do about a failed answer.
        match order {
            // What is published for one is delivered to all, so a crowd of askers must not set the pace.
            Order::Subscribe(asker) => {
                self.askers.push(asker);
                if !self.is_dirty {
                    self.answer_askers();
                } else if Instant::now() >= self.publish_at() {
                    self.publish();
                }
            }
            Order::Agents(answer) => {
                self.agent_askers.push((answer, self.agents.subscribe()));
                // Nobody may have read them so far, so that they are older than the boards.
                self.is_dirty = true;
                if Instant::now() >= self.publish_at() {
                    self.publish();
                }
            }
            Order::LiveCalls(answer) => {
                let _ = answer.send(self.situation.board.live_calls());
            }
            Order::Detail(id, answer) => {
                let _ = answer.send(self.situation.board.queue_detail(&id));
            }
            Order::Anomalies(answer) => {
                let _ = answer.send(self.situation.board.anomalies());
            }
        }
    }

    /// When there may be another publication.
    fn publish_at(&self) -> Instant {
        self.published_at + interval(self.readers())
    }

    /// Who follows a board or the agents.
    fn readers(&self) -> usize {
        self.publisher.readers() + self.agents.readers()
    }

    fn answer_askers(&mut self) {
        for (key, answer) in std::mem::take(&mut self.askers) {
            let _ = answer.send(self.publisher.subscribe(&self.situation.board, &key));
        }
        for (answer, agents) in std::mem::take(&mut self.agent_askers) {
            let _ = answer.send(agents);
        }
    }

    fn publish_if_dirty(&mut self) {
        if self.is_dirty {
            self.publish();
        }
    }

    fn publish(&mut self) {
        let now = clock::now();
        let edition = self.situation.edition(now);
        self.publisher.publish(&mut self.situation.board, now, &edition.trust, edition.whole);
        let unlisted = self.publisher.unlisted();
        if unlisted > 0 && !std::mem::replace(&mut self.unlisted_told, true) {
            tracing::warn!(
                unlisted,
                "calls name more queues that are not in the directory than a board has rows for; the others are counted"
            );
        }
        let problem = self.sources.presence.borrow().problem.clone();
        self.situation.presence = PresenceTold { problem };
        if self.agents.readers() > 0 {
            let Situation { board, presence, .. } = &mut self.situation;
            self.agents.publish(board, now, &edition.trust, presence.problem.as_deref());
        }
        (self.is_dirty, self.published_at) = (false, Instant::now());
        self.answer_askers();
    }
}

/// The shortest time between two publications that keeps deliveries within their share of a core.
fn interval(readers: usize) -> Duration {
    let readers = u32::try_from(readers).unwrap_or(u32::MAX);
    (DELIVERY * DELIVERY_SHARE).saturating_mul(readers).clamp(SHORTEST_INTERVAL, LONGEST_INTERVAL)
}

/// Never, when there is no instant.
async fn sleep_until(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use domain::{board::Board, service_level::PromiseBook, trust::FeedLink};
    use tokio_util::task::TaskTracker;

    use super::*;
    use crate::{Purpose, journal::Journal, store::Store, zoom::wire::Reader};

    #[test]
    fn the_more_readers_the_longer_between_two_publications() {
        assert_eq!(interval(0), SHORTEST_INTERVAL);
        assert_eq!(interval(1), SHORTEST_INTERVAL);
        assert_eq!(interval(100), Duration::from_millis(6));
        assert_eq!(interval(2_000), Duration::from_millis(120));
        assert_eq!(interval(1_000_000), LONGEST_INTERVAL);
    }

    async fn keeper(folder: &Path) -> Keeper {
        let now = clock::now();
        let (_store, writer) = Store::open(folder, Purpose::Work, now).await.unwrap();
        let (facts, journalled) = mpsc::channel(1);
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let journal = Journal::start(writer, Reader::default(), facts, now, &tracker, stop).await.unwrap();
        let trust = Trust::of(FeedLink::Live, clock::now());
        let sources = Sources {
            journalled,
            directory: watch::channel(Arc::default()).1,
            trust: watch::channel(trust).1,
            presence: watch::channel(PresenceStatus::default()).1,
            unresolved: Arc::default(),
        };
        let situation = Situation::new(Board::new(), chrono_tz::UTC);
        let notes = NoteTaker::new(journal.clone(), 7, PromiseBook::default());
        Keeper::new(7, situation, Scribe::new(journal, 0, 0), notes, sources).0
    }

    #[tokio::test]
    async fn who_asks_waits_for_the_next_publication_instead_of_making_one() {
        let folder = tempfile::tempdir().unwrap();
        let mut keeper = keeper(folder.path()).await;
        tokio::time::pause();
        keeper.publish();
        let ask = |keeper: &mut Keeper| {
            let (answer, answered) = oneshot::channel();
            keeper.obey(Order::Subscribe((BoardKey::All, answer)));
            answered
        };
        let revision = |mut answered: oneshot::Receiver<Subscription>| {
            answered.try_recv().ok().flatten().map(|board| board.borrow().revision)
        };
        assert_eq!(revision(ask(&mut keeper)), Some(1), "nothing changed: at once");
        keeper.let_time_pass();
        let mut first = ask(&mut keeper);
        assert!(first.try_recv().is_err(), "it was published just now");
        tokio::time::advance(SHORTEST_INTERVAL).await;
        assert_eq!(revision(ask(&mut keeper)), Some(2));
        assert_eq!(revision(first), Some(2), "both with the same publication");
    }
}
