//! The callboard server as a library: [`run`] is the whole of it.
//!
//! The way of an event: `zoom` (feed) → `journal` → `keeper` → `publish` → `http` (pages, streams,
//! JSON). `store` holds every SQL statement; `lookout` says whether the board may be believed.
#![forbid(unsafe_code)]

pub mod config;

pub mod clock;

pub mod zoom;

pub mod journal;

pub mod store;

pub mod publish;

mod flights;

mod situation;

mod past;

pub mod keeper;

mod lookout;

pub mod http;

pub mod demo;

pub mod recording;

pub mod shutdown;

pub mod telemetry;

use std::{sync::Arc, time::Duration};

use domain::{
    board::{Board, Input, SETTLE_AFTER},
    time::Timestamp,
    trust::{FeedLink, Trust},
};
use tokio::{
    net::TcpListener,
    sync::{Notify, mpsc, watch},
    task::JoinHandle,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    config::Config,
    http::{
        feed::DemoControl,
        rendered::RenderedPages,
        router::{AppState, SiteFacts, router, stream_permits},
    },
    journal::{Incoming, Journal, JournalStopped, Journalled, Replay, ShelfError},
    keeper::{Keeper, NoteTaker, Scribe, Sources},
    lookout::Lookout,
    past::{Archive, Past, Players},
    situation::Situation,
    store::{Source, Store, StoreError, Writer},
    zoom::{
        auth::Tokens,
        backfill::{Backfill, PathReader},
        directory::{
            self, Cache, DirectoryFeed, DirectoryStatus, Remembered, SharedCache,
            phone_book::{self, PhoneBookHandle},
        },
        filing::Filing,
        presence::{PresenceReading, PresenceStatus},
        record_walk::RecordWalker,
        rest::{Budget, Priority, RestClient},
        setback::RecordStatus,
        silence::Silence,
        socket::{Feed, FeedStatus},
        webhook::Webhooks,
        wire::Reader,
    },
};

/// Commits whose events wait for the keeper. Full means that the rules are slower than the disk:
/// the journal then waits, and with it the socket.
const COMMITS_FOR_THE_KEEPER: usize = 16;

/// How often a server without a feed of its own writes down that it could have taken events.
const WEBHOOK_PULSE: Duration = Duration::from_secs(10);

/// How far back the live state is rebuilt: the longest day of any zone, and calls from before it.
const REBUILT: Duration = Duration::from_secs(25 * 3600 + SETTLE_AFTER.as_secs());

/// What kind of run this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Real data.
    Work,
    /// Made-up data; every page says so.
    Demo,
}

impl Purpose {
    /// The word in the database.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Work => "work",
            Self::Demo => "demo",
        }
    }
}

/// Why the server could not start, or ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The database cannot be used.
    #[error("use the database")]
    Store(#[from] StoreError),
    /// What was journalled cannot be read.
    #[error("read the journal")]
    Journal(#[from] ShelfError),
    /// No HTTP client could be made.
    #[error("prepare connections to Zoom")]
    HttpClient(#[from] reqwest::Error),
    /// A task that must not end has ended.
    #[error("keep running: the {0} ended by itself, which is a bug; restart the server")]
    TaskEnded(&'static str),
}

/// Serves until `stop`. The listener is bound already, so that a port in use is told before
/// anything is touched.
///
/// # Errors
///
/// When the database cannot be used, or a core task ended by itself.
pub async fn run(
    config: Config,
    purpose: Purpose,
    listener: TcpListener,
    stop: CancellationToken,
) -> Result<(), RunError> {
    let opened = Opened::open(&config, purpose).await?;
    opened.serve(config, purpose, listener, stop).await
}

/// A database that can be used: what may fail for reasons that people have to mend has succeeded.
#[derive(Debug)]
pub struct Opened {
    store: Store,
    writer: Writer,
    replaces_a_demo: bool,
}

impl Opened {
    /// Opens the database that `config` names.
    ///
    /// # Errors
    ///
    /// When it cannot be used.
    pub async fn open(config: &Config, purpose: Purpose) -> Result<Self, RunError> {
        let (store, writer, replaces_a_demo) = match purpose {
            Purpose::Demo => Store::open_demo(&config.data_dir, clock::now()).await?,
            Purpose::Work => {
                let (store, writer) = Store::open(&config.data_dir, purpose, clock::now()).await?;
                (store, writer, false)
            }
        };
        Ok(Self { store, writer, replaces_a_demo })
    }

    /// What an earlier demo had left in the folder was thrown away.
    pub fn replaces_a_demo(&self) -> bool {
        self.replaces_a_demo
    }

    /// Serves until `stop`.
    ///
    /// # Errors
    ///
    /// When the database can no longer be used, or a core task ended by itself.
    pub async fn serve(
        self,
        config: Config,
        purpose: Purpose,
        listener: TcpListener,
        stop: CancellationToken,
    ) -> Result<(), RunError> {
        let Self { store, writer, .. } = self;
        let now = clock::now();
        let reader = Reader::new(config.zoom.account_id.as_deref());
        let last_pulse = store.last_pulse().await?;

        let tracker = TaskTracker::new();
        let journal_tracker = TaskTracker::new();
        let journal_stop = CancellationToken::new();
        // What ends with the server's sources: feed, directory, streams, the keeper.
        let sources_stop = stop.child_token();
        let (facts, journalled) = mpsc::channel(COMMITS_FOR_THE_KEEPER);
        let journal =
            Journal::start(writer, reader.clone(), facts, now, &journal_tracker, journal_stop.clone())
                .await?;
        let ground = Ground {
            now,
            store: store.clone(),
            reader,
            last_pulse,
            journal,
            journalled,
            tracker: tracker.clone(),
            sources_stop: sources_stop.clone(),
        };
        let outcome = serve_on(ground, config, purpose, listener, stop).await;

        // However it ended, what was acknowledged is written.
        sources_stop.cancel();
        tracker.close();
        if tokio::time::timeout(shutdown::DRAIN, tracker.wait()).await.is_err() {
            tracing::warn!("some requests did not end in time and were cut off");
        }
        close(&journal_stop, &journal_tracker, &store).await;
        outcome
    }
}

/// What the rest stands on, once the database is open and the journal runs.
struct Ground {
    now: Timestamp,
    store: Store,
    reader: Reader,
    last_pulse: Option<Timestamp>,
    journal: Journal,
    journalled: mpsc::Receiver<Vec<Journalled>>,
    tracker: TaskTracker,
    sources_stop: CancellationToken,
}

/// Serves until `stop`, or until a task has ended that must not.
async fn serve_on(
    ground: Ground,
    config: Config,
    purpose: Purpose,
    listener: TcpListener,
    stop: CancellationToken,
) -> Result<(), RunError> {
    let Ground { now, store, reader, last_pulse, journal, journalled, tracker, sources_stop } = ground;
    let remembered = match &config.zoom.app {
        Some(_) => Cache::load(&store, journal.clone()).await,
        None => Remembered::default(),
    };
    let rebuilding = rebuild(&store, reader.clone(), &remembered, &config, now);
    let Some(rebuilt) = stop.run_until_cancelled(rebuilding).await else { return Ok(()) };
    let Rebuilt { situation, newest_event_id, written } = rebuilt?;
    let scribe = Scribe::new(journal.clone(), newest_event_id, written);
    let (plan, share) = (config.zoom.plan, config.zoom.api_share);
    let budget = Arc::new(Budget::resume(plan, share, &store, journal.clone()).await);
    let talk = Talk { store: &store, journal: &journal, reader: &reader, budget: &budget };
    let zoom = connect(&config, talk, remembered, last_pulse, &tracker, &sources_stop)?;
    let is_demo = purpose == Purpose::Demo;
    let lookout =
        Lookout::start(store.clone(), zoom.feed.clone(), journal.status(), config.time_zone, is_demo).await?;
    let trust = lookout.spawn(&tracker, sources_stop.clone()).await;
    let seen_trust = trust.clone();
    let filing = Filing { store: store.clone(), journal: journal.clone() };
    let filing = filing.spawn(&tracker, sources_stop.clone());
    let (past, keep) = (Past::new(&store, reader.clone()), config.keep);
    let epoch = now.as_millis().unsigned_abs();
    let past = past.up_to(config.recording.map(|span| span.ends_at())).of_run(epoch);
    let archive = Archive {
        store: store.clone(),
        journal: journal.clone(),
        reader: reader.clone(),
        past: past.clone(),
        keep,
    };
    let archiving = archive.spawn(&tracker, sources_stop.clone());
    let presence = match zoom.rest {
        Some(rest) => {
            let (status, seen) = watch::channel(PresenceStatus::default());
            let directory = zoom.directory.directory.clone();
            let (journal, reader, trust) = (journal.clone(), reader.clone(), trust.clone());
            let timings = config.zoom.timings;
            PresenceReading { rest, journal, reader, directory, trust, status, timings }
                .spawn(&tracker, sources_stop.clone());
            seen
        }
        None => no_presence(&tracker, &sources_stop),
    };
    let queues = zoom.directory.directory.clone();
    let sources = Sources {
        journalled,
        directory: zoom.directory.directory,
        trust,
        presence: presence.clone(),
        unresolved: zoom.directory.nudge,
    };
    // A demo's record begins when its earlier hours are on the board: the past shows no half of them.
    let (begins_after, seen_begins_after) = watch::channel(i64::MAX);
    let notes = NoteTaker::new(journal.clone(), epoch, config.promises.clone()).after(seen_begins_after);
    let (keeper, handle) = Keeper::new(epoch, situation, scribe, notes, sources);
    let keeping = tracker.spawn(keeper.keep(sources_stop.clone()));
    let watched = Watched {
        journal: journal.clone(),
        feed: zoom.feed.clone(),
        directory: zoom.directory.status.clone(),
        trust: seen_trust,
    };

    let telling = tell_before(&config.told_before, &reader, &journal);
    if let Some(Err(error)) = stop.run_until_cancelled(telling).await {
        tracing::warn!(error = telemetry::chain(&error), "what was told before could not be written");
    }
    // The journal waits for the keeper, and the walk goes on from what was written down before.
    let walking = match zoom.walker {
        Some(walker) => {
            let until = now - config.zoom.timings.record_delay;
            let beginning = begin_with(&walker, &config.written_before, until);
            stop.run_until_cancelled(beginning).await;
            Some(walker.spawn(&tracker, sources_stop.clone()))
        }
        None => None,
    };
    begins_after.send_replace(if is_demo { store.last_event_id().await? } else { 0 });
    let webhooks = Webhooks::new(&config.zoom.webhook, reader, journal.clone());
    let public_host = config.public_url.as_ref().and_then(|url| url.host_str().map(str::to_owned));
    let state = AppState {
        keeper: handle,
        journal: journal.clone(),
        store: store.clone(),
        feed: zoom.feed,
        budget: config.zoom.app.is_some().then_some(budget),
        queues,
        directory: zoom.directory.status,
        phone_book: zoom.phone_book,
        presence,
        record: zoom.record,
        webhooks,
        home: config.time_zone,
        demo: demo_control(&config, purpose)?,
        site: SiteFacts::new(is_demo, public_host.as_deref(), config.recording, config.time_zone),
        players: Players::new(past.clone(), tracker.clone(), sources_stop.clone()),
        past,
        keep,
        pages: RenderedPages::default(),
        agent_pages: RenderedPages::default(),
        streams: stream_permits(),
    };
    let serving = http::listener::serve(listener, router(state), &tracker, stop.clone());
    let ended = tokio::select! {
        () = serving => None,
        _ = keeping => Some(watched.ended().unwrap_or("live state")),
        () = ended(zoom.repairing) => Some("repair of gaps"),
        () = ended(walking) => Some("walk through the record"),
        () = ended(Some(filing)) => Some("filing of records"),
        () = ended(Some(archiving)) => Some("archive"),
    };
    ended.filter(|_| !stop.is_cancelled()).map_or(Ok(()), |task| Err(RunError::TaskEnded(task)))
}

/// Lets a walk through the record begin with what was written down before this server listened, if that is at hand.
async fn begin_with(walker: &RecordWalker, written_before: &[String], until: Timestamp) {
    if written_before.is_empty() {
        return;
    }
    if let Err(error) = walker.begin_with(written_before, until).await {
        tracing::warn!(
            error = telemetry::chain(&error),
            "what was written down before could not be journalled"
        );
    }
}

/// The keeper's sources. It ends when one of them does.
struct Watched {
    journal: Journal,
    feed: watch::Receiver<FeedStatus>,
    directory: watch::Receiver<DirectoryStatus>,
    trust: watch::Receiver<Trust>,
}

impl Watched {
    /// The first of them that has ended, in the order in which one takes the next with it.
    fn ended(&self) -> Option<&'static str> {
        let tasks = [
            ("journal", self.journal.has_ended()),
            ("feed", self.feed.has_changed().is_err()),
            ("directory", self.directory.has_changed().is_err()),
            ("lookout", self.trust.has_changed().is_err()),
        ];
        tasks.into_iter().find_map(|(task, has_ended)| has_ended.then_some(task))
    }
}

/// When a task has ended, in whatever way; never, where there is none.
async fn ended(task: Option<JoinHandle<()>>) {
    match task {
        // Whether it panicked stands in the log.
        Some(task) => drop(task.await),
        None => std::future::pending().await,
    }
}

/// Journals what a demo's Zoom had told before it began.
async fn tell_before(events: &[String], reader: &Reader, journal: &Journal) -> Result<(), JournalStopped> {
    let now = clock::now();
    for event in events {
        journal.submit(Incoming::read(reader, Source::Socket, now, event)).await?;
    }
    journal.flush().await
}

/// A demo's visitor may make the pretend Zoom misbehave.
fn demo_control(config: &Config, purpose: Purpose) -> Result<Option<DemoControl>, RunError> {
    Ok(match purpose {
        Purpose::Work => None,
        Purpose::Demo => Some(DemoControl::new(&config.zoom.api_url)?),
    })
}

/// The last things to end: what is queued is written, and the log folded into the file.
async fn close(journal_stop: &CancellationToken, journal_tracker: &TaskTracker, store: &Store) {
    // Whoever closes last folds the log, and only the writer may.
    store.close().await;
    journal_stop.cancel();
    journal_tracker.close();
    match tokio::time::timeout(shutdown::FLUSH, journal_tracker.wait()).await {
        Ok(()) => tracing::info!("stopped"),
        Err(_) => tracing::warn!(
            seconds = shutdown::FLUSH.as_secs(),
            "stopped before the disk had taken what was queued; its log is read at the next start"
        ),
    }
}

/// What comes from Zoom besides events.
struct Zoom {
    /// Repairs gaps, where there are credentials.
    repairing: Option<JoinHandle<()>>,
    /// Is to walk through the record of finished calls, where there are credentials.
    walker: Option<RecordWalker>,
    feed: watch::Receiver<FeedStatus>,
    directory: DirectoryFeed,
    phone_book: PhoneBookHandle,
    /// How reading the record goes.
    record: watch::Receiver<RecordStatus>,
    /// `None` without credentials.
    rest: Option<RestClient>,
}

/// What the parts that speak Zoom work with.
struct Talk<'a> {
    store: &'a Store,
    journal: &'a Journal,
    reader: &'a Reader,
    budget: &'a Arc<Budget>,
}

/// Starts the feed and the directory, as far as the configuration has what they need. The walk through the record
/// is left to be started.
fn connect(
    config: &Config,
    talk: Talk<'_>,
    remembered: Remembered,
    last_pulse: Option<Timestamp>,
    tracker: &TaskTracker,
    stop: &CancellationToken,
) -> Result<Zoom, RunError> {
    let Talk { store, journal, reader, budget } = talk;
    let (status, record) = watch::channel(RecordStatus::default());
    let Some(credentials) = &config.zoom.app else {
        let feed = webhooks_only(journal, last_pulse, tracker, stop);
        let phone_book = PhoneBookHandle::empty();
        let directory = no_directory(tracker, stop);
        return Ok(Zoom { repairing: None, walker: None, rest: None, feed, directory, phone_book, record });
    };
    let http = zoom::http_client()?;
    let timings = config.zoom.timings;
    let tokens = Tokens::new(http.clone(), config.zoom.oauth_url.clone(), credentials.clone(), timings);
    let rest = RestClient::with_budget(http, config.zoom.api_url.clone(), tokens.clone(), Arc::clone(budget));
    let paths =
        |priority| PathReader { rest: rest.at(priority), journal: journal.clone(), reader: reader.clone() };
    let gaps = Backfill {
        paths: paths(Priority::Repair),
        store: store.clone(),
        journal: journal.clone(),
        timings,
        status: status.clone(),
    };
    let repairing = gaps.spawn(tracker, stop.clone());
    let walker = RecordWalker {
        paths: paths(Priority::Periodic),
        store: store.clone(),
        journal: journal.clone(),
        home: config.time_zone,
        timings,
        status,
    };
    let Remembered { directory, phone_book, read_at, cache, .. } = remembered;
    let (rest, cache) = (rest.at(Priority::Periodic), SharedCache::new(cache.into()));
    let phone_book = phone_book::spawn(rest.clone(), phone_book, Arc::clone(&cache), tracker, stop.clone());
    let directory = directory::spawn(rest.clone(), (directory, read_at), cache, tracker, stop.clone());
    let feed = match &config.zoom.ws_subscription_id {
        None => webhooks_only(journal, last_pulse, tracker, stop),
        Some(subscription_id) => Feed {
            url: config.zoom.ws_url.clone(),
            subscription_id: subscription_id.clone(),
            tokens,
            journal: journal.clone(),
            reader: reader.clone(),
            last_pulse,
            timings,
        }
        .spawn(tracker, stop.clone()),
    };
    let feed = Silence { rest: rest.clone(), journal: journal.clone(), feed, since: clock::now(), timings }
        .spawn(tracker);
    let (repairing, walker, rest) = (Some(repairing), Some(walker), Some(rest));
    Ok(Zoom { repairing, walker, rest, feed, directory, phone_book, record })
}

/// Without a subscription events come by webhook only. Nothing tells whether Zoom still sends them; what
/// is known, and written down, is when this server could not have taken any.
fn webhooks_only(
    journal: &Journal,
    last_pulse: Option<Timestamp>,
    tracker: &TaskTracker,
    stop: &CancellationToken,
) -> watch::Receiver<FeedStatus> {
    let (status, seen) = watch::channel(FeedStatus::new(FeedLink::WebhookOnly, clock::now()));
    let (journal, stop) = (journal.clone(), stop.clone());
    let pulses = async move {
        if let Some(from) = last_pulse {
            journal.open_gap(from, "server not running").await?;
            journal.close_gap(clock::now()).await?;
        }
        let mut every = tokio::time::interval(WEBHOOK_PULSE);
        while stop.run_until_cancelled(every.tick()).await.is_some() {
            journal.pulse(clock::now()).await?;
        }
        journal.pulse(clock::now()).await
    };
    tracker.spawn(async move {
        if pulses.await.is_err() {
            tracing::debug!("the journal has ended before the pulses");
        }
        drop(status);
    });
    seen
}

/// Without credentials there is nobody to ask: queues stay known by what calls say of them.
fn no_directory(tracker: &TaskTracker, stop: &CancellationToken) -> DirectoryFeed {
    let (directory, directory_seen) = watch::channel(Arc::default());
    let problem =
        "Set ZOOM_ACCOUNT_ID, ZOOM_CLIENT_ID and ZOOM_CLIENT_SECRET to read the names and members of queues.";
    let (status, status_seen) =
        watch::channel(DirectoryStatus { problem: Some(problem.to_owned()), ..DirectoryStatus::default() });
    hold_until_stop((directory, status), tracker, stop);
    DirectoryFeed { directory: directory_seen, status: status_seen, nudge: Arc::new(Notify::new()) }
}

/// Without credentials nobody can be asked what people's clients say; events may still tell.
fn no_presence(tracker: &TaskTracker, stop: &CancellationToken) -> watch::Receiver<PresenceStatus> {
    let why = "Set ZOOM_ACCOUNT_ID, ZOOM_CLIENT_ID and ZOOM_CLIENT_SECRET to read it.";
    let (status, seen) = watch::channel(PresenceStatus::unreadable(why));
    hold_until_stop(status, tracker, stop);
    seen
}

/// Keeps a sender alive that has nothing more to say: its readers take its end for the end of the server.
fn hold_until_stop(held: impl Send + 'static, tracker: &TaskTracker, stop: &CancellationToken) {
    let stop = stop.clone();
    tracker.spawn(async move {
        stop.cancelled().await;
        drop(held);
    });
}

/// What was made from the journal.
struct Rebuilt {
    situation: Situation,
    newest_event_id: i64,
    /// History is written up to this event.
    written: i64,
}

/// A board made from the journal: everything of today in any zone, the calls that may still go on, and
/// whatever is not written down as history yet. Events are applied as of the time they arrived, so that
/// it stands where it would stand without the restart.
async fn rebuild(
    store: &Store,
    reader: Reader,
    known: &Remembered,
    config: &Config,
    now: Timestamp,
) -> Result<Rebuilt, ShelfError> {
    // Whether it may be believed is told to whoever keeps it.
    let mut situation = Situation::new(Board::new().with_history(), config.time_zone);
    situation.board.apply(now, Input::Promises(config.promises.clone()));
    // Zoom need not answer for calls to be counted under their queues' names.
    situation.read(now, &known.former);
    situation.read(now, &known.directory);
    situation.let_time_pass(now);
    let place = store.history_place().await?;
    let unwritten = place.map_or(now, |place| place.written_at - SETTLE_AFTER);
    let mut replay = Replay::start(store, reader, unwritten.min(now - REBUILT)).await?;
    let written = place.map_or(0, |place| place.event_id);
    let mut rebuilt = Rebuilt { situation, newest_event_id: written, written };
    let mut count = 0_usize;
    while let Some(mut page) = replay.next_page().await? {
        count += page.len();
        // What stands in the history already need not be told of.
        let told = page.partition_point(|event| event.event_id <= written);
        let (told, new) = page.split_at_mut(told);
        rebuilt.situation.hear(now, told);
        if !told.is_empty() {
            rebuilt.situation.board.forget_history();
        }
        rebuilt.situation.hear(now, new);
        let newest = page.last().map_or(written, |event| event.event_id);
        rebuilt.newest_event_id = rebuilt.newest_event_id.max(newest);
    }
    tracing::info!(events = count, "rebuilt the live state from the journal");
    Ok(rebuilt)
}
