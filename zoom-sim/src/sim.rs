//! The running pretend Zoom: one loopback listener for OAuth, REST, the event socket and the controls.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, ensure};
use axum::Router;
use axum::extract::ws::Message;
use axum::routing::{get, post};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::warn;

use crate::blast::{BlastPlan, BlastReport, Blaster};
use crate::clock::{self, SimClock};
use crate::counters::{Counters, Totals};
use crate::credentials::Credentials;
use crate::delivery::{self, Delivery, PARCELS_WAITING, Parcel};
use crate::directory::{Directory, DirectoryPlan};
use crate::event::EmittedEvent;
use crate::fault::{Faults, Garbage};
use crate::oauth::TokenDesk;
use crate::rate_limit::{RateGate, RateLimits};
use crate::rest::Pages;
use crate::scope::Scopes;
use crate::subscription::{Order, Subscriptions};
use crate::truth::Truth;
use crate::webhook::{WebhookAttempt, WebhookTarget, Webhooks};
use crate::world::World;
use crate::world_config::{Demand, WorldConfig};
use crate::{control, oauth, rest, socket};

/// How often the world is stepped in real time.
const TICK: Duration = Duration::from_millis(20);
/// How long `stop` waits for tasks.
const STOP_WITHIN: Duration = Duration::from_secs(5);

/// Who moves the clock of the world.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// The real clock, so many times as fast; 1 is real time.
    Scaled(f64),
    /// Nobody but [`Sim::play`].
    ByHand,
}

/// How a [`Sim`] is set up.
#[derive(Debug, Clone)]
pub struct SimConfig {
    /// Where to listen; loopback only, port 0 picks a free one.
    pub listen: SocketAddr,
    /// What clients must know.
    pub credentials: Credentials,
    /// The calls that happen; none for tests that inject everything. `start` and `account_id` in it are
    /// replaced.
    pub traffic: Option<WorldConfig>,
    /// The account's structure when there is no traffic.
    pub directory: DirectoryPlan,
    /// How long the world has played before anybody can connect.
    pub warm_up: TimeDelta,
    /// The first client to connect is told at once what happened during the warm-up. Zoom never does
    /// that; it spares a demo from beginning with an empty day.
    pub tells_the_past: bool,
    /// The simulated instant at the beginning; none for the wall clock's.
    pub start: Option<DateTime<Utc>>,
    /// Who moves the clock.
    pub pace: Pace,
    /// Decides everything that chance decides.
    pub seed: u64,
    /// Life of a token as told to clients.
    pub token_lifetime: Duration,
    /// Tokens really live `token_lifetime` divided by this.
    pub token_time_scale: f64,
    /// The close code when a socket's token expires; none leaves the socket open.
    pub closes_at_expiry: Option<u16>,
    /// The close code for a socket replaced by a newer one.
    pub replaced_close_code: u16,
    /// The text with which a socket is refused.
    pub refusal_text: String,
    /// More subscriptions beside the one in the credentials; each gets every event.
    pub more_subscriptions: Vec<String>,
    /// REST rate limits; none for no limit.
    pub rate_limits: Option<RateLimits>,
    /// What tokens may read.
    pub scopes: Scopes,
    /// Life of a page token.
    pub page_token_lifetime: Duration,
    /// Where webhooks go, if anywhere.
    pub webhook: Option<WebhookTarget>,
}

impl SimConfig {
    /// No traffic at all; the small account's structure.
    pub fn quiet() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            credentials: Credentials::default(),
            traffic: None,
            directory: DirectoryPlan::Small,
            warm_up: TimeDelta::zero(),
            tells_the_past: false,
            start: None,
            pace: Pace::Scaled(1.0),
            seed: 7,
            token_lifetime: Duration::from_secs(3600),
            token_time_scale: 1.0,
            closes_at_expiry: Some(1008),
            replaced_close_code: 1000,
            refusal_text: "Token is invalid".to_owned(),
            more_subscriptions: Vec::new(),
            rate_limits: None,
            scopes: Scopes::All,
            page_token_lifetime: Duration::from_secs(15 * 60),
            webhook: None,
        }
    }

    /// The lively demo office, three hours into its day.
    pub fn demo() -> Self {
        Self {
            traffic: Some(WorldConfig::demo(DateTime::UNIX_EPOCH)),
            warm_up: TimeDelta::hours(3),
            ..Self::quiet()
        }
    }

    /// The demo's people on an ordinary business day: quiet nights and weekends.
    pub fn office() -> Self {
        Self {
            traffic: Some(WorldConfig::office(DateTime::UNIX_EPOCH)),
            warm_up: TimeDelta::hours(12),
            ..Self::quiet()
        }
    }

    /// Two queues, five people, calm.
    pub fn small() -> Self {
        Self {
            traffic: Some(WorldConfig::small(DateTime::UNIX_EPOCH)),
            warm_up: TimeDelta::minutes(30),
            ..Self::quiet()
        }
    }

    /// Generated to size, with about this many events per simulated second.
    pub fn bench(queues: usize, people: usize, events_per_second: f64) -> Self {
        Self {
            traffic: Some(WorldConfig::bench(DateTime::UNIX_EPOCH, queues, people, events_per_second)),
            warm_up: TimeDelta::minutes(15),
            ..Self::quiet()
        }
    }
}

/// What every request and task needs.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) base_url: String,
    pub(crate) credentials: Credentials,
    pub(crate) tokens: TokenDesk,
    pub(crate) expires_in_seconds: u64,
    pub(crate) closes_at_expiry: Option<u16>,
    pub(crate) replaced_close_code: u16,
    pub(crate) refusal_text: String,
    pub(crate) scopes: Scopes,
    pub(crate) gate: RateGate,
    pub(crate) pages: Pages,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) faults: Faults,
    pub(crate) webhooks: Option<Webhooks>,
    pub(crate) counters: Counters,
    pub(crate) tracker: TaskTracker,
    pub(crate) stop: CancellationToken,
    parcels: mpsc::Sender<Parcel>,
    world: Mutex<World>,
    /// What happened during the warm-up and the first client is to be told.
    untold: Mutex<Vec<EmittedEvent>>,
    clock: Option<SimClock>,
    plan: DirectoryPlan,
    blaster: tokio::sync::Mutex<Option<Blaster>>,
}

impl Shared {
    /// The simulated instant: the clock's, or the world's when it is moved by hand.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.map_or_else(|| self.with_world(|world| world.now()), |clock| clock.now())
    }

    pub(crate) fn with_world<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&self.world.lock().expect("the world does not panic"))
    }

    pub(crate) fn change_world<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.world.lock().expect("the world does not panic"))
    }

    fn take_untold(&self) -> Vec<EmittedEvent> {
        std::mem::take(&mut self.untold.lock().expect("taking does not panic"))
    }

    /// Steps the world and sends what it tells; returns how many events that were.
    async fn play_until(&self, instant: DateTime<Utc>) -> usize {
        let events = self.change_world(|world| world.step_until(instant));
        let count = events.len();
        for event in events {
            if self.parcels.send(Parcel { json: event.json, tell: None }).await.is_err() {
                return 0;
            }
        }
        count
    }

    pub(crate) async fn send_event(&self, event: &Value) -> Delivery {
        let (tell, told) = oneshot::channel();
        let parcel = Parcel { json: event.to_string(), tell: Some(tell) };
        if self.parcels.send(parcel).await.is_err() {
            return Delivery::NobodyConnected;
        }
        told.await.unwrap_or(Delivery::NobodyConnected)
    }

    pub(crate) async fn send_garbage(&self, garbage: Garbage) -> bool {
        let event = r#"{"event":"phone.callee_mute","event_ts":0,"payload":{"account_id":"","object":{}}}"#;
        let frame = match garbage.frame(event) {
            Ok(text) => Message::text(text),
            Err(bytes) => Message::binary(bytes),
        };
        self.subscriptions.send(frame).await.0 > 0
    }

    pub(crate) fn begin_outage(&self, length: Duration) {
        self.faults.begin_outage(length);
        self.subscriptions.order(&Order::Cut);
    }

    pub(crate) async fn blast(&self, plan: &BlastPlan) -> BlastReport {
        let mut blaster = self.blaster.lock().await;
        let blaster = blaster.get_or_insert_with(|| {
            Blaster::new(&self.credentials.account_id, self.plan.clone(), clock::wall_now())
        });
        blaster.blast(plan, &self.subscriptions.writers()).await
    }
}

/// A running pretend Zoom. Dropping it stops it; [`Sim::stop`] also waits.
#[derive(Debug)]
pub struct Sim {
    shared: Arc<Shared>,
    address: SocketAddr,
}

impl Sim {
    /// Binds the listener and starts everything.
    pub async fn start(config: SimConfig) -> anyhow::Result<Self> {
        ensure!(config.listen.ip().is_loopback(), "the simulator listens on the loopback interface only");
        if let Pace::Scaled(scale) = config.pace {
            ensure!((0.01..=10_000.0).contains(&scale), "the time scale must be from 0.01 to 10000");
        }
        let listener = TcpListener::bind(config.listen).await.context("could not listen")?;
        let address = listener.local_addr().context("could not learn the own address")?;

        let start = config.start.unwrap_or_else(clock::wall_now);
        let plan = config.traffic.as_ref().map_or(&config.directory, |traffic| &traffic.directory).clone();
        let world_config = WorldConfig {
            start,
            account_id: config.credentials.account_id.clone(),
            ..config.traffic.unwrap_or_else(|| silence(config.directory))
        };
        let (world, past) = if config.tells_the_past {
            World::with_a_past(world_config, config.seed, config.warm_up)
        } else {
            (World::warmed_up(world_config, config.seed, config.warm_up), Vec::new())
        };
        let clock = match config.pace {
            Pace::Scaled(scale) => Some(SimClock::starting(start, scale)),
            Pace::ByHand => None,
        };
        let subscriptions =
            [config.credentials.subscription_id.clone()].into_iter().chain(config.more_subscriptions);
        let token_life = config.token_lifetime.div_f64(config.token_time_scale.max(1e-9));
        let (parcels, parcels_inbox) = mpsc::channel(PARCELS_WAITING);
        let shared = Arc::new(Shared {
            base_url: format!("http://{address}"),
            tokens: TokenDesk::new(config.seed, token_life),
            expires_in_seconds: config.token_lifetime.as_secs(),
            closes_at_expiry: config.closes_at_expiry,
            replaced_close_code: config.replaced_close_code,
            refusal_text: config.refusal_text,
            scopes: config.scopes,
            gate: RateGate::new(config.rate_limits),
            pages: Pages::new(config.seed, config.page_token_lifetime),
            subscriptions: Subscriptions::new(subscriptions),
            faults: Faults::default(),
            webhooks: config.webhook.map(|target| Webhooks::new(target, config.seed)).transpose()?,
            counters: Counters::default(),
            tracker: TaskTracker::new(),
            stop: CancellationToken::new(),
            parcels,
            world: Mutex::new(world),
            untold: Mutex::new(past),
            clock,
            plan,
            blaster: tokio::sync::Mutex::new(None),
            credentials: config.credentials,
        });
        shared.tracker.spawn(delivery::run(shared.clone(), parcels_inbox));
        if config.tells_the_past {
            shared.tracker.spawn(tell_the_past(shared.clone()));
        }
        if let Some(clock) = clock {
            shared.tracker.spawn(drive(shared.clone(), clock));
        }
        let door = Door { listener, shared: shared.clone() };
        let serving = axum::serve(door, router(shared.clone()));
        let stopped = shared.stop.clone().cancelled_owned();
        shared.tracker.spawn(async move {
            if let Err(error) = serving.with_graceful_shutdown(stopped).await {
                warn!(%error, "the simulator's listener ended");
            }
        });
        Ok(Self { shared, address })
    }

    /// `http://127.0.0.1:port`.
    pub fn base_url(&self) -> &str {
        &self.shared.base_url
    }

    /// The token endpoint.
    pub fn oauth_url(&self) -> String {
        format!("{}/oauth/token", self.shared.base_url)
    }

    /// The base of the REST API.
    pub fn api_url(&self) -> String {
        format!("{}/v2", self.shared.base_url)
    }

    /// The event WebSocket without its query.
    pub fn ws_url(&self) -> String {
        format!("ws://{}/ws", self.address)
    }

    /// What a client must know.
    pub fn credentials(&self) -> &Credentials {
        &self.shared.credentials
    }

    /// The switchboard of faults.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// The simulated instant.
    pub fn now(&self) -> DateTime<Utc> {
        self.shared.now()
    }

    /// Looks at the world.
    pub fn with_world<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        self.shared.with_world(look)
    }

    /// Changes the world, for instance a member's opt-in switch.
    pub fn change_world<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        self.shared.change_world(change)
    }

    /// A copy of the ground truth.
    pub fn truth(&self) -> Truth {
        self.with_world(|world| world.truth().clone())
    }

    /// A copy of the account's structure.
    pub fn directory(&self) -> Directory {
        self.with_world(|world| world.directory().clone())
    }

    /// Totals of what was done so far.
    pub fn totals(&self) -> Totals {
        self.shared.counters.totals()
    }

    /// Plays the world this much further and sends its events, for [`Pace::ByHand`]; returns how many
    /// events there were. They are on their way when this returns, not necessarily sent.
    pub async fn play(&self, length: TimeDelta) -> usize {
        let until = self.with_world(|world| world.now()) + length;
        self.shared.play_until(until).await
    }

    /// The paths of all calls that are written down, as REST tells them, oldest end first.
    pub fn written(&self) -> Vec<Value> {
        self.with_world(|world| {
            let calls = world.history().visible_at(world.now());
            calls.filter_map(|call| world.call_path(&call.uuid)).collect()
        })
    }

    /// The bodies of the events of the warm-up that nobody was told yet. Who takes them has them: no client is
    /// told any more.
    pub fn take_untold(&self) -> Vec<String> {
        self.shared.take_untold().into_iter().map(|event| event.json).collect()
    }

    /// Sends an event of the caller's making; faults apply to it as to any other.
    pub async fn send_event(&self, event: Value) -> Delivery {
        self.shared.send_event(&event).await
    }

    /// Sends a text frame as it is, past all faults; false if nobody is connected.
    pub async fn send_frame(&self, text: impl Into<String>) -> bool {
        self.shared.subscriptions.send(Message::text(text.into())).await.0 > 0
    }

    /// Sends a frame that no well-behaved server would send; false if nobody is connected.
    pub async fn send_garbage(&self, garbage: Garbage) -> bool {
        self.shared.send_garbage(garbage).await
    }

    /// Sends many distinct events as fast as the sockets take them, past all faults.
    pub async fn blast(&self, plan: BlastPlan) -> BlastReport {
        self.shared.blast(&plan).await
    }

    /// Closes all sockets with a close frame.
    pub fn close_sockets(&self, code: u16, reason: &str) {
        self.shared.subscriptions.order(&Order::Close(code, reason.to_owned()));
    }

    /// Ends all sockets without a close frame.
    pub fn cut_sockets(&self) {
        self.shared.subscriptions.order(&Order::Cut);
    }

    /// Cuts all sockets and accepts no connection for this real time.
    pub fn outage(&self, length: Duration) {
        self.shared.begin_outage(length);
    }

    /// Makes all tokens expire now; sockets that are open stay open.
    pub fn expire_tokens(&self) {
        self.shared.tokens.expire_all();
    }

    /// Sockets connected now.
    pub fn connected(&self) -> usize {
        *self.shared.subscriptions.watch_connected().borrow()
    }

    /// Waits until at least one socket is connected; false when it took longer.
    pub async fn wait_connected(&self, within: Duration) -> bool {
        let connected = self.shared.subscriptions.watch_connected();
        timeout(within, socket::wait_connected(connected, |count| count > 0)).await.is_ok()
    }

    /// Waits until no socket is connected; false when it took longer.
    pub async fn wait_disconnected(&self, within: Duration) -> bool {
        let connected = self.shared.subscriptions.watch_connected();
        timeout(within, socket::wait_connected(connected, |count| count == 0)).await.is_ok()
    }

    /// Sends the URL validation challenge to the webhook target and checks the answer.
    pub async fn validate_webhook(&self) -> anyhow::Result<()> {
        let webhooks = self.shared.webhooks.as_ref().context("no webhook target is configured")?;
        webhooks.validate(&self.shared.credentials.webhook_secret).await
    }

    /// The webhook requests made so far.
    pub fn webhook_log(&self) -> Vec<WebhookAttempt> {
        self.shared.webhooks.as_ref().map(Webhooks::log).unwrap_or_default()
    }

    /// Stops everything and waits for it, at most five seconds.
    pub async fn stop(self) {
        self.shared.stop.cancel();
        self.shared.tracker.close();
        if timeout(STOP_WITHIN, self.shared.tracker.wait()).await.is_err() {
            warn!("some of the simulator's tasks did not end in time");
        }
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.shared.stop.cancel();
    }
}

/// A world in which nothing happens.
fn silence(directory: DirectoryPlan) -> WorldConfig {
    WorldConfig {
        directory,
        demand: Demand::Silence,
        breaks_per_hour: 0.0,
        ..WorldConfig::small(DateTime::UNIX_EPOCH)
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/oauth/token", post(oauth::token))
        .route("/ws", get(socket::upgrade))
        .nest("/v2", rest::router())
        .nest("/sim", control::router())
        .with_state(shared)
}

/// Waits for the first client and tells it everything that happened before.
async fn tell_the_past(shared: Arc<Shared>) {
    let connected = shared.subscriptions.watch_connected();
    tokio::select! {
        () = shared.stop.cancelled() => return,
        () = socket::wait_connected(connected, |count| count > 0) => {}
    }
    for event in shared.take_untold() {
        if shared.parcels.send(Parcel { json: event.json, tell: None }).await.is_err() {
            return;
        }
    }
}

/// Steps the world along with the clock.
async fn drive(shared: Arc<Shared>, clock: SimClock) {
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shared.stop.cancelled() => return,
            _ = tick.tick() => { shared.play_until(clock.now()).await; }
        }
    }
}

/// A listener that turns clients away during an outage.
#[derive(Debug)]
struct Door {
    listener: TcpListener,
    shared: Arc<Shared>,
}

impl axum::serve::Listener for Door {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            let (stream, address) = axum::serve::Listener::accept(&mut self.listener).await;
            if self.shared.faults.outage() {
                // A reset instead of an orderly end, as from a port where nobody listens.
                let _ = stream.set_zero_linger();
                continue;
            }
            let _ = stream.set_nodelay(true);
            return (stream, address);
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}
