//! Faults on demand: what the pretend Zoom does wrong, and how often. Seeded, so they repeat.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::dice::Dice;

/// What happens to events on their way, and how the socket behaves. Probabilities are 0–1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FaultPlan {
    /// Seed of the throws; setting a plan begins its sequence anew.
    pub seed: u64,
    /// Share of events that never arrive.
    pub drop: f64,
    /// Share of events that arrive twice.
    pub duplicate: f64,
    /// Share of events that are held back a little, so that later ones overtake them.
    pub reorder: f64,
    /// How long an overtaken event is held back at most, in real milliseconds.
    pub reorder_within_ms: u64,
    /// Share of events that come late.
    pub delay: f64,
    /// How late: least and most, in real milliseconds.
    pub delay_ms: (u64, u64),
    /// Connected, heartbeats answered, but no event is sent.
    pub silent: bool,
    /// Heartbeats are not answered.
    pub mute_heartbeats: bool,
    /// Nothing is sent or read any more, the socket stays open.
    pub half_open: bool,
    /// The last page of a REST listing names a further one, which is that page again.
    pub circular_pages: bool,
}

impl Default for FaultPlan {
    fn default() -> Self {
        Self {
            seed: 1,
            drop: 0.0,
            duplicate: 0.0,
            reorder: 0.0,
            reorder_within_ms: 200,
            delay: 0.0,
            delay_ms: (1000, 5000),
            silent: false,
            mute_heartbeats: false,
            half_open: false,
            circular_pages: false,
        }
    }
}

/// A refusal that will be given a number of times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) text: String,
}

/// Which 429 to answer with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitKind {
    /// The limit per second.
    PerSecond,
    /// The limit per day.
    Daily,
}

/// How a 429 says when to come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// Seconds for a limit per second, an ISO 8601 instant for one per day.
    #[default]
    Usual,
    /// A number of seconds.
    Seconds,
    /// A date as HTTP writes it.
    HttpDate,
    /// An instant as ISO 8601 writes it.
    Iso,
    /// Not at all, in no header.
    Absent,
    /// Words that mean nothing.
    Garbage,
}

/// The fate of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Deliver,
    Drop,
    Twice,
    Late(Duration),
}

/// The switchboard of faults of a running [`Sim`](crate::Sim).
#[derive(Debug)]
pub struct Faults {
    state: Mutex<State>,
    half_open: watch::Sender<bool>,
}

#[derive(Debug)]
struct State {
    plan: FaultPlan,
    dice: Dice,
    tokens: VecDeque<Refusal>,
    sockets: VecDeque<Refusal>,
    rest: VecDeque<Refusal>,
    limits: VecDeque<(LimitKind, RetryAfter)>,
    tokens_end_after: Option<usize>,
    outage_until: Option<Instant>,
}

impl Default for Faults {
    fn default() -> Self {
        let plan = FaultPlan::default();
        let dice = Dice::new(plan.seed, 31);
        let state = State {
            plan,
            dice,
            tokens: VecDeque::new(),
            sockets: VecDeque::new(),
            rest: VecDeque::new(),
            limits: VecDeque::new(),
            tokens_end_after: None,
            outage_until: None,
        };
        Self { state: Mutex::new(state), half_open: watch::Sender::new(false) }
    }
}

impl Faults {
    /// Replaces the plan.
    pub fn set(&self, plan: FaultPlan) {
        self.half_open.send_replace(plan.half_open);
        let mut state = self.lock();
        state.dice = Dice::new(plan.seed, 31);
        state.plan = plan;
    }

    /// The plan in force.
    pub fn plan(&self) -> FaultPlan {
        self.lock().plan.clone()
    }

    /// Everything works again, at once.
    pub fn clear(&self) {
        self.set(FaultPlan::default());
        let mut state = self.lock();
        state.tokens.clear();
        state.sockets.clear();
        state.rest.clear();
        state.limits.clear();
        state.tokens_end_after = None;
        state.outage_until = None;
    }

    /// Changes the plan in place, keeping the sequence of throws.
    pub fn change(&self, change: impl FnOnce(&mut FaultPlan)) {
        let mut state = self.lock();
        change(&mut state.plan);
        let half_open = state.plan.half_open;
        drop(state);
        self.half_open.send_replace(half_open);
    }

    /// Stops sending and reading on open sockets without closing them, or goes on again.
    pub fn half_open(&self, on: bool) {
        self.change(|plan| plan.half_open = on);
    }

    /// Leaves heartbeats unanswered.
    pub fn mute_heartbeats(&self, on: bool) {
        self.change(|plan| plan.mute_heartbeats = on);
    }

    /// The next `count` token requests are answered with this status.
    pub fn refuse_tokens(&self, count: usize, status: u16) {
        let refusal = Refusal { status, text: "refused by the simulator".to_owned() };
        self.lock().tokens.extend(std::iter::repeat_n(refusal, count));
    }

    /// The next `count` WebSocket connections are refused. With status 200 the upgrade succeeds and the
    /// refusal comes as a frame with this text, as Zoom does it; with another status there is no upgrade.
    pub fn refuse_sockets(&self, count: usize, status: u16, text: &str) {
        let refusal = Refusal { status, text: text.to_owned() };
        self.lock().sockets.extend(std::iter::repeat_n(refusal, count));
    }

    /// The next `count` REST requests fail with this status and an HTML body.
    pub fn fail_rest(&self, count: usize, status: u16) {
        let refusal = Refusal { status, text: String::new() };
        self.lock().rest.extend(std::iter::repeat_n(refusal, count));
    }

    /// The next `count` REST requests are answered with a 429 of this kind.
    pub fn limit_rest(&self, count: usize, kind: LimitKind) {
        self.limit_rest_saying(count, kind, RetryAfter::Usual);
    }

    /// The same, with that way to say when to come back.
    pub fn limit_rest_saying(&self, count: usize, kind: LimitKind, retry_after: RetryAfter) {
        self.lock().limits.extend(std::iter::repeat_n((kind, retry_after), count));
    }

    /// After so many further REST requests all tokens end, in the midst of whatever is read.
    pub fn end_tokens_after(&self, count: usize) {
        self.lock().tokens_end_after = Some(count);
    }

    /// No new connection is accepted for this real time. Cutting the open ones is the caller's part.
    pub(crate) fn begin_outage(&self, length: Duration) {
        self.lock().outage_until = Some(Instant::now() + length);
    }

    pub(crate) fn outage(&self) -> bool {
        self.lock().outage_until.is_some_and(|until| Instant::now() < until)
    }

    pub(crate) fn fate(&self) -> Fate {
        let mut state = self.lock();
        let State { plan, dice, .. } = &mut *state;
        if plan.silent || (plan.drop > 0.0 && dice.chance(plan.drop)) {
            Fate::Drop
        } else if plan.duplicate > 0.0 && dice.chance(plan.duplicate) {
            Fate::Twice
        } else if plan.delay > 0.0 && dice.chance(plan.delay) {
            Fate::Late(millis(dice.between(plan.delay_ms.0 as f64, plan.delay_ms.1 as f64)))
        } else if plan.reorder > 0.0 && dice.chance(plan.reorder) {
            Fate::Late(millis(dice.between(1.0, plan.reorder_within_ms as f64)))
        } else {
            Fate::Deliver
        }
    }

    pub(crate) fn next_token_refusal(&self) -> Option<Refusal> {
        self.lock().tokens.pop_front()
    }

    pub(crate) fn next_socket_refusal(&self) -> Option<Refusal> {
        self.lock().sockets.pop_front()
    }

    pub(crate) fn next_rest_failure(&self) -> Option<Refusal> {
        self.lock().rest.pop_front()
    }

    pub(crate) fn next_limit(&self) -> Option<(LimitKind, RetryAfter)> {
        self.lock().limits.pop_front()
    }

    /// One more REST request has come; true when it meets the end of all tokens.
    pub(crate) fn tokens_end_now(&self) -> bool {
        let mut state = self.lock();
        let left = state.tokens_end_after.take();
        state.tokens_end_after = left.filter(|left| *left > 0).map(|left| left - 1);
        left == Some(0)
    }

    pub(crate) fn pages_lead_in_a_circle(&self) -> bool {
        self.lock().plan.circular_pages
    }

    pub(crate) fn heartbeats_muted(&self) -> bool {
        self.lock().plan.mute_heartbeats
    }

    pub(crate) fn watch_half_open(&self) -> watch::Receiver<bool> {
        self.half_open.subscribe()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while holding the faults")
    }
}

fn millis(value: f64) -> Duration {
    Duration::from_secs_f64(value / 1000.0)
}

/// A frame that no well-behaved server would send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Garbage {
    /// Text that is no JSON.
    BrokenJson,
    /// An envelope whose inner text is no JSON.
    BrokenInnerJson,
    /// An envelope with an object instead of text as content; the event inside is sound.
    ObjectContent,
    /// A sound event without any envelope.
    BareEvent,
    /// An envelope of an unknown module.
    UnknownModule,
    /// An envelope whose text content is 1 MiB long.
    Huge,
    /// A binary frame.
    Binary,
    /// Arrays inside arrays, 100,000 deep.
    DeeplyNested,
    /// An empty text frame.
    Empty,
}

impl Garbage {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::BrokenJson,
        Self::BrokenInnerJson,
        Self::ObjectContent,
        Self::BareEvent,
        Self::UnknownModule,
        Self::Huge,
        Self::Binary,
        Self::DeeplyNested,
        Self::Empty,
    ];

    /// The bytes of the frame; `event` is used where a sound event is part of it.
    pub(crate) fn frame(self, event: &str) -> Result<String, Vec<u8>> {
        Ok(match self {
            Self::BrokenJson => r#"{"module":"message","content":"#.to_owned(),
            Self::BrokenInnerJson => {
                r#"{"module":"message","content":"{\"event\":\"phone.callee_ri"}"#.to_owned()
            }
            Self::ObjectContent => format!(r#"{{"module":"message","content":{event}}}"#),
            Self::BareEvent => event.to_owned(),
            Self::UnknownModule => r#"{"module":"weather","content":"sunny","success":true}"#.to_owned(),
            Self::Huge => format!(r#"{{"module":"message","content":"{}"}}"#, "x".repeat(1 << 20)),
            Self::Binary => return Err(vec![0, 159, 146, 150]),
            Self::DeeplyNested => format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)),
            Self::Empty => String::new(),
        })
    }
}
