//! The board as it was: any instant that is kept, shown again as it was published then.
//!
//! A [`Reel`] tells a [`Situation`](crate::situation::Situation) out of the journal what the keeper told
//! its own; there is no second model. [`Past`] hands out boards of an instant, [`Players`] let
//! one run, `archive` keeps the journal small and the way to any instant short.

mod archive;
mod player;
mod reel;

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use domain::{board::QueueDetail, id::QueueId, time::Timestamp};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::{Instant, timeout},
};

use self::reel::Reel;
pub(crate) use self::{
    archive::Archive,
    player::{End, Players, Playing},
};
use crate::{
    clock,
    flights::Flights,
    journal::{Shelf, ShelfError},
    publish::{BoardKey, Published, Publisher},
    store::{Store, StoredNote},
    telemetry,
    zoom::wire::Reader,
};

/// Reels that stand ready where somebody stopped looking: the next instant is mostly near.
const READY: usize = 4;
/// Instants that are worked out at the same time.
const AT_ONCE: usize = 1;
/// Who waits longer for a turn is told to come again.
const PATIENCE: Duration = Duration::from_secs(30);
/// Who finds as many waiting is told so at once. From a snapshot to an instant takes up to a fifth of a second:
/// of more, the last would wait longer than that.
const MOST_WAITING: usize = 150;
/// One instant is worked out for so long; whoever asks for it again goes on from where that stopped.
const LONGEST_TURN: Duration = Duration::from_secs(15);

/// Notes that are looked through for the first board with a queue: ten minutes.
const EMPTY_NOTES: usize = 600;

/// Why a past board cannot be shown.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum PastError {
    /// Nothing was noted at that time or before.
    #[error("show the board of that time: nothing was kept of it")]
    NotKept,
    /// Something that led there is gone, or cannot be read.
    #[error("show the board of that time: a part of the record before it is missing")]
    Torn,
    /// Snapshots that lead there are being taken, or it takes longer than anybody waits.
    #[error("show the board of that time: it is being made ready; try again later")]
    NotReady,
    /// Too many look at the past.
    #[error("show the board of that time: others are looking back; try again in a moment")]
    Busy,
    /// The journal cannot be read.
    #[error("show the board of that time")]
    Journal(#[source] Arc<ShelfError>),
    /// A bug.
    #[error("show the board of that time: working it out failed, which is a bug")]
    Failed,
}

impl From<ShelfError> for PastError {
    fn from(error: ShelfError) -> Self {
        match error {
            ShelfError::Segment(error) => {
                tracing::warn!(error = telemetry::chain(&error), "a part of the journal cannot be read");
                Self::Torn
            }
            error => Self::Journal(Arc::new(error)),
        }
    }
}

/// What is looked for; nothing is more urgent than anything else.
type Looks<Asked, Found> = Flights<Asked, (), Result<Option<Found>, PastError>>;

/// Shows the board of any instant that is kept. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Past {
    store: Store,
    shelf: Shelf,
    reader: Reader,
    turns: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    longest_turn: Duration,
    patience: Duration,
    ready: Arc<Mutex<Vec<Reel>>>,
    /// What is being worked out, for all who ask for it meanwhile.
    looks: Arc<Looks<(Timestamp, Subject), Shown>>,
    first_looks: Arc<Looks<Timestamp, Timestamp>>,
    /// What is kept since when, and the first instant of it with a queue.
    first: Arc<Mutex<Option<(Timestamp, Timestamp)>>>,
    /// Where it ends, if not now: a recording.
    end: Option<Timestamp>,
    /// What this run of the server published is proved.
    run: Option<u64>,
    proofs: Arc<Mutex<Proofs>>,
}

/// What somebody looks at of an instant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Subject {
    /// A board.
    Board(BoardKey),
    /// All queues, and what stood behind the numbers of one of them.
    Queue(QueueId),
}

impl Subject {
    /// What there is to see; `None` for a queue nobody knew.
    fn of(&self, reel: &mut Reel) -> Option<Shown> {
        match self {
            Self::Board(key) => Some(Shown { board: reel.published(key)?, detail: None }),
            Self::Queue(id) => {
                Some(Shown { board: reel.published(&BoardKey::All)?, detail: Some(reel.detail(id)?) })
            }
        }
    }
}

/// What all who look at the same see.
#[derive(Debug, Clone)]
struct Shown {
    board: Arc<Published>,
    detail: Option<QueueDetail>,
}

/// Instants of which the board was worked out again and compared with what had been published.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Proofs {
    /// How many.
    pub(crate) instants: u64,
    /// Of these, those at which something else had been published.
    pub(crate) differing: u64,
    /// Others whose board could not be worked out.
    pub(crate) unproved: u64,
}

/// Notes that are looked through for a digest: two minutes.
const PROVED_WITHIN: usize = 120;
/// A server that starts reads the events of this time; until it has run for as long, its board lacks what was
/// told once before them.
const SETTLED_AFTER: Duration = Duration::from_secs(29 * 3600);

impl Past {
    /// Of that database.
    pub(crate) fn new(store: &Store, reader: Reader) -> Self {
        Self {
            store: store.clone(),
            shelf: Shelf::new(store),
            reader,
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: Arc::new(Semaphore::new(MOST_WAITING)),
            longest_turn: LONGEST_TURN,
            patience: PATIENCE,
            ready: Arc::default(),
            looks: Arc::default(),
            first_looks: Arc::default(),
            first: Arc::default(),
            end: None,
            run: None,
            proofs: Arc::default(),
        }
    }

    /// The same up to an instant, after which there is nothing to see.
    pub(crate) fn up_to(self, end: Option<Timestamp>) -> Self {
        Self { end, ..self }
    }

    /// The same, proving what that run of the server publishes: another build may have shown it otherwise.
    pub(crate) fn of_run(self, epoch: u64) -> Self {
        Self { run: Some(epoch), ..self }
    }

    /// The last instant of a recording; `None` while time goes on.
    pub(crate) fn ends_at(&self) -> Option<Timestamp> {
        self.end
    }

    /// The first instant whose board has a queue: a server that starts has heard of none yet. Where it never
    /// did, the first there is; `None` while nothing is kept.
    pub(crate) async fn begins_at(&self) -> Result<Option<Timestamp>, PastError> {
        let Some(since) = self.store.shown_since().await.map_err(ShelfError::from)? else { return Ok(None) };
        let known = *self.first.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, first)) = known.filter(|(of, _)| *of == since) {
            return Ok(Some(first));
        }
        let past = self.clone();
        let look =
            self.first_looks.join(since, (), || Box::pin(async move { past.first_since(since).await }));
        look.await
    }

    /// The first instant whose board has a queue, of all that is kept since then.
    async fn first_since(&self, since: Timestamp) -> Result<Option<Timestamp>, PastError> {
        let mut reel = match self.reel(since).await {
            // Nobody would see why the way there is not known right now.
            Err(PastError::NotKept | PastError::NotReady | PastError::Busy) => return Ok(Some(since)),
            reel => reel?,
        };
        let found = self.in_turn(async move {
            for _ in 0..EMPTY_NOTES {
                let (at, note_id) = (reel.noted_at(), reel.note_id());
                if reel.published(&BoardKey::All).is_some_and(|board| !board.rows.is_empty()) {
                    return Ok(at);
                }
                reel.step().await?;
                if reel.note_id() == note_id {
                    // It may come with the next note.
                    return Ok(None);
                }
            }
            Ok(Some(since))
        });
        let found = found.await?;
        if let Some(first) = found {
            *self.first.lock().unwrap_or_else(PoisonError::into_inner) = Some((since, first));
        }
        Ok(found.or(Some(since)))
    }

    /// The board as it was published at an instant, or at most a second before while the server ran; `None`
    /// for a queue nobody knew then.
    pub(crate) async fn board(
        &self,
        at: Timestamp,
        key: &BoardKey,
    ) -> Result<Option<Arc<Published>>, PastError> {
        let shown = self.look(at, Subject::Board(key.clone())).await?;
        Ok(shown.map(|shown| shown.board))
    }

    /// All queues of an instant and what stood behind the numbers of one of them.
    pub(crate) async fn queue(
        &self,
        at: Timestamp,
        id: &QueueId,
    ) -> Result<Option<(Arc<Published>, QueueDetail)>, PastError> {
        let shown = self.look(at, Subject::Queue(id.clone())).await?;
        Ok(shown.and_then(|shown| Some((shown.board, shown.detail?))))
    }

    /// Shows something of an instant. Whoever asks for the same meanwhile shares the answer and takes no place
    /// in the line; whoever waits for something else of the instant finds it worked out.
    async fn look(&self, at: Timestamp, subject: Subject) -> Result<Option<Shown>, PastError> {
        let past = self.clone();
        let look = self.looks.join((at, subject.clone()), (), || {
            Box::pin(async move {
                let line = past.clone();
                line.in_line(async move {
                    let mut reel = past.wound(at, Some(past.longest_turn)).await?;
                    let shown = subject.of(&mut reel);
                    past.put_ready(reel);
                    Ok(shown)
                })
                .await
            })
        });
        look.await
    }

    /// A board that is to run from an instant: it begins with what was published then, byte for byte.
    async fn begin(&self, at: Timestamp) -> Result<(Reel, Publisher), PastError> {
        let past = self.clone();
        self.in_line(async move {
            let mut reel = past.wound(at, Some(past.longest_turn)).await?;
            let mut publisher = reel.publisher().ok_or(PastError::NotKept)?;
            reel.publish(&mut publisher);
            Ok((reel, publisher))
        })
        .await
    }

    /// Works out the board of the next instant whose digest was noted and compares them; false when there is
    /// nothing to compare. Nobody waits for it, so it takes the time it takes and nobody's turn.
    async fn prove(&self, from: Timestamp) -> Result<bool, PastError> {
        let Some(run) = self.run else { return Ok(false) };
        if from < Timestamp::from_millis(run.cast_signed()) + SETTLED_AFTER {
            return Ok(false);
        }
        let (past, runtime) = (self.clone(), Handle::current());
        let proof = async move {
            let mut reel = past.wound(from, None).await?;
            for _ in 0..PROVED_WITHIN {
                if !reel.is_whole() {
                    break;
                }
                if let Some((digest, at)) = reel.digest_of(run).zip(reel.noted_at()) {
                    let board = reel.published(&BoardKey::All);
                    return Ok(Some((at, board.is_some_and(|board| board.digest() == digest))));
                }
                if reel.next_note().await?.is_none() {
                    break;
                }
                reel.step().await?;
            }
            Ok(None)
        };
        let proof = in_background(move || runtime.block_on(proof)).await.unwrap_or(Err(PastError::Failed));
        let mut proofs = self.proofs.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, is_same) = match proof {
            Ok(Some(compared)) => compared,
            Ok(None) | Err(PastError::NotKept) => return Ok(false),
            Err(error @ (PastError::NotReady | PastError::Torn)) => {
                proofs.unproved += 1;
                let (from, error) = (clock::format_rfc3339(from), telemetry::chain(&error));
                tracing::warn!(
                    from,
                    error,
                    proofs.unproved,
                    "the past could not be compared with what was published"
                );
                return Ok(false);
            }
            Err(error) => return Err(error),
        };
        if !is_same {
            let at = clock::format_rfc3339(at);
            tracing::warn!(at, "the past does not show what was published then, which is a bug");
        }
        proofs.instants += 1;
        proofs.differing += u64::from(!is_same);
        Ok(true)
    }

    /// Since the start.
    pub(crate) fn proofs(&self) -> Proofs {
        *self.proofs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A reel that stands at an instant.
    async fn reel(&self, at: Timestamp) -> Result<Reel, PastError> {
        let past = self.clone();
        self.in_line(async move { past.wound(at, Some(past.longest_turn)).await }).await
    }

    /// Winds a reel to an instant; for so long, if somebody waits.
    async fn wound(&self, at: Timestamp, longest: Option<Duration>) -> Result<Reel, PastError> {
        let deadline = longest.map(|longest| Instant::now() + longest);
        let note = self.shelf.note_at(at).await?.ok_or(PastError::NotKept)?;
        let mut reel = match self.take_ready(&note, at) {
            Some(reel) => reel,
            None => {
                let (shelf, reader) = (self.shelf.clone(), self.reader.clone());
                Reel::before(&self.store, shelf, reader, note.note_id).await?
            }
        };
        if !reel.is_near(&note) {
            return Err(PastError::NotReady);
        }
        if !reel.wind_to(note.note_id, deadline).await? {
            self.put_ready(reel);
            return Err(PastError::NotReady);
        }
        self.go_on(&mut reel, at);
        match (reel.is_torn(), reel.is_whole()) {
            (true, _) => Err(PastError::Torn),
            (_, true) => Ok(reel),
            (_, false) => Err(PastError::NotKept),
        }
    }

    /// A recording has notes where something happened; a server that has none did not run.
    fn go_on(&self, reel: &mut Reel, at: Timestamp) {
        if self.end.is_some() {
            reel.let_time_pass(at);
        }
    }

    /// Work that somebody asked for now: there is an end to how many wait.
    async fn in_line<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, PastError>> + Send + 'static,
    ) -> Result<T, PastError> {
        let _place = self.waiting.try_acquire().map_err(|_| PastError::Busy)?;
        self.in_turn(work).await
    }

    /// Work for which somebody waits, when its turn has come.
    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, PastError>> + Send + 'static,
    ) -> Result<T, PastError> {
        Self::in_this_turn(self.turn().await?, work).await
    }

    /// Waits for a turn.
    async fn turn(&self) -> Result<OwnedSemaphorePermit, PastError> {
        let turn = timeout(self.patience, Arc::clone(&self.turns).acquire_owned()).await;
        turn.ok().and_then(Result::ok).ok_or(PastError::Busy)
    }

    /// Work that gives way to the threads that serve the live boards. It is to end by itself within
    /// [`LONGEST_TURN`] or so: others wait.
    async fn in_this_turn<T: Send + 'static>(
        turn: OwnedSemaphorePermit,
        work: impl Future<Output = Result<T, PastError>> + Send + 'static,
    ) -> Result<T, PastError> {
        let runtime = Handle::current();
        let work = move || {
            // Whoever asked may be gone before it is done.
            let _turn = turn;
            runtime.block_on(work)
        };
        on_a_thread_that_yields(AWAITED, work).await.unwrap_or(Err(PastError::Failed))
    }

    /// The nearest of the reels that stand before a note, if it is near.
    fn take_ready(&self, note: &StoredNote, at: Timestamp) -> Option<Reel> {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let nearest = (0..ready.len())
            .filter(|index| ready[*index].is_right_before(note, at))
            .min_by_key(|index| note.note_id - ready[*index].note_id())?;
        Some(ready.remove(nearest))
    }

    fn put_ready(&self, reel: Reel) {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if ready.len() >= READY {
            ready.remove(0);
        }
        ready.push(reel);
    }
}

/// How far work for which somebody waits gives way, and work for which nobody does: of 19.
const AWAITED: i32 = 5;
const UNAWAITED: i32 = 19;

/// Work that nobody waits for; `None` if it failed.
async fn in_background<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    on_a_thread_that_yields(UNAWAITED, work).await
}

/// Work on a thread of its own that gives way to others; `None` if it failed.
async fn on_a_thread_that_yields<T: Send + 'static>(
    niceness: i32,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (done, wait) = oneshot::channel();
    let work = move || {
        // Elsewhere that would slow down the whole process. In a test there is nobody to give way to, but a
        // machine on which others build.
        #[cfg(all(target_os = "linux", not(test)))]
        let _ = rustix::process::nice(niceness);
        #[cfg(not(all(target_os = "linux", not(test))))]
        let _ = niceness;
        let _ = done.send(work());
    };
    thread::Builder::new().name("past".to_owned()).spawn(work).ok()?;
    wait.await.ok()
}

#[cfg(test)]
mod tests;
