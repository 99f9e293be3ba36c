//! The event WebSocket: keeps one connection, and says at any time how well that goes.
//!
//! Zoom replays nothing, so every interval without proof of life is written down as a gap. Before a
//! token ends the next connection is made; Zoom then closes the old one, which is read to its end.
//! Bad frames go into quarantine and never end a connection.

mod link;

use std::{future::Future, pin::Pin, time::Duration};

use domain::{
    time::Timestamp,
    trust::{FeedLink, Gap},
};
use tokio::{
    select,
    sync::watch,
    task::yield_now,
    time::{Instant, MissedTickBehavior, interval_at, sleep, sleep_until, timeout},
};
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use url::Url;

use self::link::{End, Heard, Link, OpenError};
use super::{
    auth::{Token, Tokens},
    patience::{BackOff, LONGEST_ASKED},
    wire::{self, Frame, Reader, Unreadable},
};
use crate::{
    clock,
    config::FeedTimings,
    journal::{Incoming, Journal, JournalStopped, Source},
};

/// Suspicion, by [`End::looks_replaced`], at which another consumer is a likely reason for the loss of
/// connections shortly after they were made. Four in a row: Zoom, too, closes one or two now and then.
const DUEL_AT: u32 = 8;
/// A planned change of connections may leave this much between the two without being a gap: the
/// subscription passes from one to the other when Zoom closes the first.
const HAND_OVER: Duration = Duration::from_secs(2);
/// How often the time of the last frame is published.
const PUBLISH_HEARD: Duration = Duration::from_secs(1);
/// How long a frame that has arrived may take to be seen.
const ARRIVED: Duration = Duration::from_millis(100);
/// Frames read before others get their turn: on one core the journal must not wait long to hand the database
/// its next rows, or nothing is left to read while the disk is waited for.
const FRAMES_AT_ONCE: usize = 64;

/// The feed's own health.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedStatus {
    /// State of the link.
    pub link: FeedLink,
    /// Since when `link` is what it is.
    pub since: Timestamp,
    /// When anything last came over it, to the second.
    pub heard_at: Option<Timestamp>,
    /// When the present connection was accepted.
    pub connected_since: Option<Timestamp>,
    /// Connections after the first.
    pub reconnects: u64,
    /// Why the link is not live, or will soon not be: one sentence with the next step.
    pub problem: Option<String>,
    /// When the token of the present connection ends.
    pub token_expires_on: Option<Timestamp>,
    /// The newest interval without proof of life, open or over.
    pub gap: Option<Gap>,
    /// Events that came over it, duplicates included.
    pub events: u64,
    /// Frames that could not be understood.
    pub unreadable_frames: u64,
}

impl FeedStatus {
    /// A feed that is not connected yet; with `WebhookOnly` it never will be.
    pub fn new(link: FeedLink, now: Timestamp) -> Self {
        Self {
            link,
            since: now,
            heard_at: None,
            connected_since: None,
            reconnects: 0,
            problem: None,
            token_expires_on: None,
            gap: None,
            events: 0,
            unreadable_frames: 0,
        }
    }

    fn turn(&mut self, link: FeedLink, problem: Option<String>) {
        if self.link != link {
            (self.link, self.since) = (link, clock::now());
        }
        self.problem = problem;
    }
}

/// What the feed's task needs.
#[derive(Debug)]
pub struct Feed {
    /// `ZOOM_WS_URL`.
    pub url: Url,
    /// `ZOOM_WS_SUBSCRIPTION_ID`.
    pub subscription_id: String,
    /// Gives out tokens.
    pub tokens: Tokens,
    /// Takes the events.
    pub journal: Journal,
    /// Reads the events.
    pub reader: Reader,
    /// The last proof of life of the run before: a gap reaches from there to the first of this run.
    pub last_pulse: Option<Timestamp>,
    /// Time-outs and back-off.
    pub timings: FeedTimings,
}

impl Feed {
    /// Starts the task; it ends only by `stop`.
    pub fn spawn(self, tracker: &TaskTracker, stop: CancellationToken) -> watch::Receiver<FeedStatus> {
        let (status, seen) = watch::channel(FeedStatus::new(FeedLink::Connecting, clock::now()));
        let task = Task {
            back_off: BackOff::new(&self.timings),
            proof: self.last_pulse,
            gap_is_open: false,
            suspicion: 0,
            refused: None,
            pulse_due: Instant::now(),
            counted: Counted::default(),
            buffer: wire::EventBuffer::default(),
            feed: self,
            status,
        };
        tracker.spawn(task.run(stop));
        seen
    }
}

struct Task {
    feed: Feed,
    status: watch::Sender<FeedStatus>,
    back_off: BackOff,
    /// The last frame that is safely in the journal's hands.
    proof: Option<Timestamp>,
    gap_is_open: bool,
    /// Grows with every connection in a row that was taken away shortly after it was made.
    suspicion: u32,
    /// The token that Zoom refused last.
    refused: Option<Token>,
    pulse_due: Instant,
    counted: Counted,
    buffer: wire::EventBuffer,
}

/// Counted here, published now and then.
#[derive(Debug, Default)]
struct Counted {
    events: u64,
    unreadable_frames: u64,
    published_at: Option<Instant>,
}

type Opening = Pin<Box<dyn Future<Output = Result<Link, OpenError>> + Send>>;

/// What happens while a connection stands.
enum Input {
    Beat,
    Settled,
    Renew,
    Opened(Result<Link, OpenError>),
    Silent,
    LingeredEnough,
    Room,
    Frame(Result<Heard, End>),
    OldFrame(Result<Heard, End>),
}

/// The connections of one stretch without a loss.
struct Links {
    /// `None` while the successor is being opened and this one has ended.
    current: Option<Link>,
    opened_at: Instant,
    heard_at: Instant,
    settled: bool,
    /// The one before, read on until it ends.
    old: Option<(Link, Instant)>,
    opening: Option<Opening>,
    renew_at: Instant,
    /// How the present one ended while its successor was being opened.
    ended: Option<(End, Instant)>,
    /// A message that waits for room in the journal; nothing is read meanwhile.
    waiting: Option<Incoming>,
}

impl Task {
    async fn run(mut self, stop: CancellationToken) {
        select! { biased;
            _ = stop.cancelled() => {}
            _ = self.feed_for_ever() => tracing::debug!("the feed ends because the journal has ended"),
        }
        if let Some(heard_at) = self.proof
            && !self.gap_is_open
        {
            // When the journal is gone, the pulse before this one counts.
            let _ = self.feed.journal.pulse(heard_at).await;
        }
    }

    async fn feed_for_ever(&mut self) -> Result<(), JournalStopped> {
        self.open_gap("server not running").await?;
        loop {
            let pause = match self.opening(false).await {
                Ok(link) => {
                    let end = self.read_on(link).await?;
                    self.lost(&end).await?
                }
                Err(error) => self.not_opened(&error).await?,
            };
            sleep(pause).await;
        }
    }

    /// A connection attempt that owns all it needs. One that replaces a standing connection only
    /// makes sense with a token that lasts longer.
    fn opening(&mut self, replaces: bool) -> Opening {
        let Feed { url, subscription_id, tokens, timings, .. } = &self.feed;
        let (url, subscription_id, tokens, timings) =
            (url.clone(), subscription_id.clone(), tokens.clone(), *timings);
        let refused = self.refused.take();
        Box::pin(async move {
            let token = match refused {
                Some(refused) => tokens.another(&refused).await,
                None if replaces => tokens.fresh().await,
                None => tokens.token().await,
            };
            let token = token.map_err(OpenError::NoToken)?;
            link::open(url, &subscription_id, token, &timings).await
        })
    }

    /// Notes a failed attempt and says how long to wait.
    async fn not_opened(&mut self, error: &OpenError) -> Result<Duration, JournalStopped> {
        let cause = match error {
            OpenError::NoToken(_) => "no token",
            OpenError::Refused => "connection refused",
            _ => "endpoint not reachable",
        };
        self.open_gap(cause).await?;
        let advice = error.advice();
        tracing::warn!(problem = advice, "the event WebSocket is not connected");
        self.status.send_modify(|status| {
            let link = match status.link {
                FeedLink::Contested => FeedLink::Contested,
                _ => FeedLink::Down,
            };
            status.turn(link, Some(advice));
        });
        self.pause_after(error).await
    }

    async fn pause_after(&mut self, error: &OpenError) -> Result<Duration, JournalStopped> {
        let pause = self.back_off.failed().max(error.asked_pause().unwrap_or_default().min(LONGEST_ASKED));
        if matches!(error, OpenError::NoToken(_)) {
            // The token's own back-off decides; before it, the answer would be the same.
            let until = self.feed.tokens.next_attempt().await;
            return Ok(pause.max(until.saturating_duration_since(Instant::now())));
        }
        if matches!(error, OpenError::Refused | OpenError::Http { status: 401, .. }) {
            self.refused = self.feed.tokens.token().await.ok();
        }
        Ok(pause)
    }

    /// Notes the end of a connection and says how long to wait.
    async fn lost(&mut self, end: &(End, Duration)) -> Result<Duration, JournalStopped> {
        let (end, lived) = end;
        let timings = self.feed.timings;
        if *lived >= timings.settled_after {
            self.back_off.reset();
        }
        self.suspicion = match end.looks_replaced() {
            0 => 0,
            _ if *lived >= timings.settled_after => 0,
            more => self.suspicion.saturating_add(more),
        };
        let contested = self.suspicion >= DUEL_AT;
        if end.blames_token() {
            self.refused = self.feed.tokens.token().await.ok();
        }
        self.open_gap(if contested { "connection closed again and again" } else { end.cause() }).await?;
        let advice = if contested {
            "Zoom keeps closing the connection shortly after it is made. Another program may be taking the event \
             subscription, which only one may use: if there is one, stop it, or set ZOOM_WS_SUBSCRIPTION_ID to a \
             subscription of this server's own."
                .to_owned()
        } else {
            end.advice()
        };
        tracing::warn!(problem = advice, lived_s = lived.as_secs(), "the event WebSocket was lost");
        let was_contested = self.status.borrow().link == FeedLink::Contested;
        let link = if contested || was_contested { FeedLink::Contested } else { FeedLink::Down };
        self.status.send_modify(|status| {
            status.turn(link, Some(advice));
            status.connected_since = None;
            status.token_expires_on = None;
        });
        let pause = self.back_off.failed();
        Ok(if contested { pause.max(timings.contested_pause) } else { pause })
    }

    /// Reads a connection and its planned successors until nothing is left.
    async fn read_on(&mut self, mut link: Link) -> Result<(End, Duration), JournalStopped> {
        let timings = self.feed.timings;
        let journal = self.feed.journal.clone();
        let first = link.first.take();
        let mut links = Links::new(link);
        let token_expires_on = links.current.as_ref().map(|link| link.token.expires_on);
        self.accepted(token_expires_on).await?;
        self.read_first(&mut links, first);
        let mut beat = interval_at(Instant::now() + timings.heartbeat, timings.heartbeat);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let reading = links.waiting.is_none();
            let needed = links.waiting.as_ref().map_or(0, Incoming::byte_count);
            let old_until = links.old.as_ref().map_or_else(Instant::now, |(_, until)| *until);
            let (settles_at, renew_at) = (links.opened_at + timings.settled_after, links.renew_at);
            let silent_at = links.heard_at + timings.silence;
            // Frames come last: a flood of them must not hold up the timers.
            let input = select! { biased;
                _ = beat.tick() => Input::Beat,
                _ = sleep_until(settles_at), if !links.settled => Input::Settled,
                _ = sleep_until(renew_at), if links.opening.is_none() => Input::Renew,
                opened = opened(&mut links.opening), if links.opening.is_some() => Input::Opened(opened),
                _ = sleep_until(silent_at), if reading && links.current.is_some() => Input::Silent,
                _ = sleep_until(old_until), if links.old.is_some() => Input::LingeredEnough,
                slot = journal.slot(needed), if !reading => {
                    let slot = slot?;
                    if let Some(incoming) = links.waiting.take() {
                        slot.submit(incoming);
                    }
                    Input::Room
                }
                frame = next(links.current.as_mut()), if reading && links.current.is_some() => {
                    Input::Frame(frame)
                }
                frame = next(links.old.as_mut().map(|(old, _)| old)), if reading && links.old.is_some() => {
                    Input::OldFrame(frame)
                }
            };
            let ended = match input {
                Input::Beat => match links.beat().await {
                    Ok(()) => None,
                    Err(end) => Some(self.read_rest(&mut links, end).await),
                },
                Input::Settled => {
                    links.settled = true;
                    self.settled();
                    None
                }
                Input::Renew => {
                    tracing::debug!("making the next connection before the token ends");
                    links.opening = Some(self.opening(true));
                    None
                }
                Input::Opened(Ok(link)) => {
                    self.replace(&mut links, link).await?;
                    None
                }
                Input::Opened(Err(error)) => self.not_renewed(&mut links, &error).await?,
                Input::Silent => Some(self.read_rest(&mut links, End::Silent).await),
                Input::LingeredEnough => {
                    if let Some((old, _)) = links.old.take() {
                        old.close().await;
                    }
                    None
                }
                Input::Room => {
                    // What was not read meanwhile is not the server's silence.
                    links.heard_at = Instant::now();
                    self.alive(Instant::now());
                    None
                }
                Input::Frame(frame) => {
                    let end = self.read_current(&mut links, frame);
                    // The next frame may be there already, and its reading would be one long turn.
                    yield_now().await;
                    end
                }
                Input::OldFrame(frame) => {
                    if self.read(&mut links.waiting, frame).is_err() {
                        links.old = None;
                    }
                    None
                }
            };
            let Some(end) = ended else { continue };
            links.current = None;
            self.note_lost_frame(&mut links.waiting, &end);
            if links.opening.is_some() {
                tracing::debug!(?end, "the old connection ended while the next is being made");
                links.ended = Some((end, Instant::now()));
                continue;
            }
            if let Some(incoming) = links.waiting.take() {
                journal.submit(incoming).await?;
            }
            return Ok((end, links.opened_at.elapsed()));
        }
    }

    /// Puts a new connection in the place of the present one.
    async fn replace(&mut self, links: &mut Links, mut link: Link) -> Result<(), JournalStopped> {
        let first = link.first.take();
        let before = std::mem::replace(links, Links::new(link));
        if let Some(waiting) = before.waiting {
            self.feed.journal.submit(waiting).await?;
        }
        if let Some(old) = before.current {
            links.old = Some((old, Instant::now() + self.feed.timings.linger));
        }
        if let Some((end, ended_at)) = before.ended
            && ended_at.elapsed() > HAND_OVER
        {
            self.open_gap(end.cause()).await?;
        }
        let token_expires_on = links.current.as_ref().map(|link| link.token.expires_on);
        self.accepted(token_expires_on).await?;
        self.read_first(links, first);
        Ok(())
    }

    /// The successor could not be made: keep the present connection as long as it lasts.
    async fn not_renewed(
        &mut self,
        links: &mut Links,
        error: &OpenError,
    ) -> Result<Option<End>, JournalStopped> {
        links.opening = None;
        let pause = self.pause_after(error).await?;
        links.renew_at = Instant::now() + pause;
        let advice = error.advice();
        tracing::warn!(problem = advice, "the next connection could not be made");
        self.status.send_modify(|status| status.problem = Some(advice));
        Ok(links.ended.take().map(|(end, _)| end))
    }

    /// A connection was accepted: the gap, if any, is over.
    async fn accepted(&mut self, token_expires_on: Option<Timestamp>) -> Result<(), JournalStopped> {
        let now = clock::now();
        if std::mem::take(&mut self.gap_is_open) {
            self.feed.journal.close_gap(now).await?;
        }
        self.proof = Some(now);
        self.status.send_modify(|status| {
            if let Some(gap) = status.gap.as_mut().filter(|gap| gap.to.is_none()) {
                gap.to = Some(now);
            }
            if status.link != FeedLink::Contested {
                status.turn(FeedLink::Live, None);
            }
            status.reconnects += u64::from(status.heard_at.is_some());
            status.heard_at = Some(now);
            status.connected_since = Some(now);
            status.token_expires_on = token_expires_on;
        });
        tracing::info!("the event WebSocket is connected");
        Ok(())
    }

    /// The connection held: whatever was wrong is over.
    fn settled(&mut self) {
        self.back_off.reset();
        self.suspicion = 0;
        self.status.send_modify(|status| {
            if status.link == FeedLink::Contested {
                status.turn(FeedLink::Live, None);
            }
        });
    }

    fn read_first(&mut self, links: &mut Links, first: Option<Utf8Bytes>) {
        if let Some(first) = first {
            // Its being a refusal was ruled out when it came.
            let _ = self.read(&mut links.waiting, Ok(Heard::Text(first)));
        }
    }

    /// Reads a frame of the present connection, and those that have arrived behind it.
    fn read_current(&mut self, links: &mut Links, frame: Result<Heard, End>) -> Option<End> {
        let mut next = Some(frame);
        let mut left = FRAMES_AT_ONCE;
        while let Some(frame) = next.take() {
            if let Err(end) = self.read(&mut links.waiting, frame) {
                return Some(end);
            }
            left -= 1;
            // A frame must not be taken from the connection unless it will be read here.
            if left > 0 && links.waiting.is_none() {
                next = links.current.as_mut().and_then(Link::next_if_there);
            }
        }
        links.heard_at = Instant::now();
        if links.waiting.is_none() {
            self.alive(links.heard_at);
        }
        None
    }

    /// Reads what has arrived over a connection that is given up, and tells how it ended.
    ///
    /// After this machine has slept, events wait behind timers that have all run out. They are not lost, but
    /// they prove nothing of the time since, so that the gap begins where it would begin without them.
    async fn read_rest(&mut self, links: &mut Links, end: End) -> End {
        // What waits in the system's hands takes a turn of the runtime to be seen.
        let mut next = timeout(ARRIVED, next(links.current.as_mut())).await.ok();
        while let Some(frame) = next.take() {
            if let Err(end) = self.read(&mut links.waiting, frame) {
                return end;
            }
            if links.waiting.is_none() {
                next = links.current.as_mut().and_then(Link::next_if_there);
            }
        }
        end
    }

    /// Reads a frame. When the journal has no room for it, it is left in `waiting`.
    fn read(&mut self, waiting: &mut Option<Incoming>, frame: Result<Heard, End>) -> Result<(), End> {
        let text = match frame? {
            Heard::Text(text) => text,
            Heard::Binary(byte_count) => {
                tracing::debug!(byte_count, "ignored a binary frame");
                self.counted.unreadable_frames += 1;
                return Ok(());
            }
            Heard::Life => return Ok(()),
        };
        let now = clock::now();
        let incoming = match wire::read_frame(&text, &mut self.buffer) {
            Ok(Frame::Event(event)) => {
                self.counted.events += 1;
                Incoming::read(&self.feed.reader, Source::Socket, now, &event)
            }
            Ok(Frame::Control { module, success: Some(false) }) if module == "build_connection" => {
                return Err(End::Refused);
            }
            Ok(Frame::Control { module, .. }) => {
                if !matches!(module.as_str(), "build_connection" | "heartbeat") {
                    tracing::debug!("ignored a control frame of an unknown kind");
                }
                return Ok(());
            }
            Err(reason) => Incoming::unreadable(Source::Socket, now, reason, text.as_bytes()),
        };
        if incoming.is_unreadable() {
            self.counted.unreadable_frames += 1;
        }
        match self.feed.journal.try_slot(incoming.byte_count()) {
            Some(slot) => slot.submit(incoming),
            None => *waiting = Some(incoming),
        }
        Ok(())
    }

    /// A frame that ended its connection leaves a trace in the quarantine, though not its bytes.
    fn note_lost_frame(&mut self, waiting: &mut Option<Incoming>, end: &End) {
        let reason = match end {
            End::TooLong => Unreadable::TooLong,
            End::NotText => Unreadable::NotText,
            _ => return,
        };
        self.counted.unreadable_frames += 1;
        let incoming = Incoming::unreadable(Source::Socket, clock::now(), reason, &[]);
        waiting.get_or_insert(incoming);
    }

    /// Publishes and writes down that the feed is alive, now and then. Everything that was read is
    /// in the journal's hands.
    fn alive(&mut self, now: Instant) {
        let heard_at = clock::now();
        self.proof = Some(heard_at);
        if self.counted.published_at.is_none_or(|at| now.duration_since(at) >= PUBLISH_HEARD) {
            self.counted.published_at = Some(now);
            let Counted { events, unreadable_frames, .. } = self.counted;
            self.status.send_modify(|status| {
                status.heard_at = Some(heard_at);
                (status.events, status.unreadable_frames) = (events, unreadable_frames);
            });
        }
        if now >= self.pulse_due && self.feed.journal.try_pulse(heard_at) {
            self.pulse_due = now + self.feed.timings.pulse;
        }
    }

    async fn open_gap(&mut self, cause: &'static str) -> Result<(), JournalStopped> {
        // A server that never heard anything has missed nothing it could know of.
        let Some(from) = self.proof.filter(|_| !self.gap_is_open) else { return Ok(()) };
        self.gap_is_open = true;
        self.status.send_modify(|status| status.gap = Some(Gap { from, to: None }));
        self.feed.journal.open_gap(from, cause).await
    }
}

impl Links {
    fn new(link: Link) -> Self {
        let now = Instant::now();
        Self {
            renew_at: link.token.renew_at,
            current: Some(link),
            opened_at: now,
            heard_at: now,
            settled: false,
            old: None,
            opening: None,
            ended: None,
            waiting: None,
        }
    }

    async fn beat(&mut self) -> Result<(), End> {
        match &mut self.current {
            Some(link) => link.beat().await,
            None => Ok(()),
        }
    }
}

/// The next frame of a connection that is there; never one of a connection that is not.
async fn next(link: Option<&mut Link>) -> Result<Heard, End> {
    match link {
        Some(link) => link.next().await,
        None => std::future::pending().await,
    }
}

async fn opened(opening: &mut Option<Opening>) -> Result<Link, OpenError> {
    match opening {
        Some(opening) => opening.await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
