//! What keeps a page alive in the browser: a tick every second, and the stream of frames.
//!
//! The stream is an `EventSource` that is thrown away and made anew by our own timer, with a random
//! part in every wait: the browser's own retry has neither a limit nor a spread, and does not notice
//! a connection on which nothing comes any more.

use std::{cell::RefCell, rc::Rc, time::Duration};

use domain::{time::Timestamp, trust::LATE_AFTER};
use js_sys::{Array, Reflect};
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use web_sys::{Element, Event, EventSource, HtmlInputElement, KeyboardEvent, MessageEvent};

use crate::{
    frame::{self, Json},
    live_agents::{AgentsStart, LiveAgents},
    live_board::{BoardStart, LiveBoard},
    row_order::Stillness,
    row_slide,
    server_clock::ServerClock,
};

/// The first wait before the stream is opened again, in milliseconds; each further one is twice as long.
const FIRST_WAIT: i64 = 1_000;
/// No wait is longer.
const LONGEST_WAIT: i64 = 15_000;
/// A page of an older build loads itself again within this time, not all screens at once.
const RELOAD_WITHIN: i64 = 10_000;

/// What a page follows the stream with.
#[derive(Clone)]
pub(crate) enum Followed {
    /// A board of queues.
    Queues(LiveBoard),
    /// The agents.
    Agents(LiveAgents),
}

impl Followed {
    /// Time, trust, pausing and finding.
    fn board(&self) -> &LiveBoard {
        match self {
            Self::Queues(board) => board,
            Self::Agents(agents) => &agents.board,
        }
    }

    fn tick(&self, now: Timestamp) {
        match self {
            Self::Queues(board) => row_slide::around(board, || board.tick(now, stillness())),
            Self::Agents(agents) => agents.tick(now, stillness()),
        }
    }

    fn toggle_pause(&self) {
        match self {
            Self::Queues(board) => board.toggle_pause(),
            Self::Agents(agents) => agents.toggle_pause(),
        }
    }

    fn find(&self, text: &str) {
        match self {
            Self::Queues(board) => board.find(text),
            Self::Agents(agents) => agents.find(text),
        }
    }
}

/// Follows the stream for as long as the page lives: an island is never taken off its page.
pub(crate) fn follow(board: Followed, stream_url: String, build_id: String) {
    let clock = ServerClock::new(local_millis(), board.board().read(|state| state.now));
    let follower = Rc::new(RefCell::new(Follower {
        board,
        stream_url,
        as_of: None,
        build_id,
        clock,
        stream: None,
        heard_at: local_millis(),
        failures: 0,
        open_at: Some(0),
        reload_at: None,
    }));
    tick(&follower);
    for name in ["visibilitychange", "keydown", "click", "input"] {
        let follower = Rc::clone(&follower);
        window_event_listener_untyped(name, move |event| react(&follower, &event));
    }
}

/// Takes what the reader does, whichever element it concerns: one listener for each kind of event
/// is smaller than one for each element.
fn react(follower: &Rc<RefCell<Follower>>, event: &Event) {
    let board = follower.borrow().board.clone();
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    match event.type_().as_str() {
        "visibilitychange" => beat(follower),
        "keydown" => {
            let event: &KeyboardEvent = event.unchecked_ref();
            let plain = !event.ctrl_key() && !event.meta_key() && !event.alt_key();
            let can_pause = document().query_selector("[data-pause]").is_ok_and(|found| found.is_some());
            if plain && can_pause && event.key() == "p" && !typing() {
                board.toggle_pause();
            }
        }
        "click" => {
            if target.is_some_and(|target| target.closest("[data-pause]").is_ok_and(|found| found.is_some()))
            {
                board.toggle_pause();
            }
        }
        _ => {
            if let Some(input) = target.and_then(|target| target.dyn_into::<HtmlInputElement>().ok())
                && input.name() == "find"
            {
                board.find(&input.value());
            }
        }
    }
}

/// The stream's end in the browser.
struct Follower {
    board: Followed,
    stream_url: String,
    /// What was shown last was published then.
    as_of: Option<Timestamp>,
    build_id: String,
    clock: ServerClock,
    stream: Option<Stream>,
    /// When the last frame came, by this machine's clock.
    heard_at: i64,
    /// Streams that ended since the last frame.
    failures: i32,
    /// When to open the stream, while there is none.
    open_at: Option<i64>,
    /// When to load the page of the new build.
    reload_at: Option<i64>,
}

/// An open stream and the closures it calls.
struct Stream {
    source: EventSource,
    _on_frame: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(Event)>,
}

/// Beats now, and then on every full second of the server's clock, so that clocks do not skip one.
fn tick(follower: &Rc<RefCell<Follower>>) {
    beat(follower);
    let into_second = follower.borrow().now().as_millis().rem_euclid(1000);
    let rest = Duration::from_millis(u64::try_from(1_005 - into_second).unwrap_or(1_000));
    let weak = Rc::downgrade(follower);
    // Only a page that is going away cannot set a timer.
    let _ = set_timeout(
        move || {
            if let Some(follower) = weak.upgrade() {
                tick(&follower);
            }
        },
        rest,
    );
}

fn beat(follower: &Rc<RefCell<Follower>>) {
    let (board, now) = {
        let mut this = follower.borrow_mut();
        this.keep_stream(follower);
        (this.board.clone(), this.now())
    };
    board.tick(now);
}

/// Rows hold still under a pointer, and while the keyboard is among them.
fn stillness() -> Stillness {
    match document().query_selector("tbody:hover, tbody:focus-within") {
        Ok(Some(_)) => Stillness::Still,
        _ => Stillness::MayMove,
    }
}

impl Follower {
    fn now(&self) -> Timestamp {
        self.clock.now(local_millis())
    }

    fn close(&mut self) {
        if let Some(stream) = self.stream.take() {
            stream.source.close();
        }
    }

    /// Opens, closes or gives up the stream, whichever it is time for.
    fn keep_stream(&mut self, shared: &Rc<RefCell<Self>>) {
        let local = local_millis();
        if document().hidden() {
            // A tab that nobody sees costs the server nothing, and opens at once when it is seen.
            self.close();
            self.open_at = Some(0);
            self.failures = 0;
            return;
        }
        if self.reload_at.is_some_and(|at| local >= at) && self.stream.is_some() && !typing() {
            self.reload_at = None;
            // If the page cannot be loaded again, it goes on as it is.
            let _ = location().reload();
            return;
        }
        let silence = local - self.heard_at;
        if self.stream.is_some() && silence >= i64::try_from(LATE_AFTER.as_millis()).unwrap_or(5_000) {
            self.give_up();
        }
        if self.stream.is_none() && self.open_at.is_none_or(|at| local >= at) {
            self.open(shared);
        }
    }

    fn give_up(&mut self) {
        self.close();
        let longest = (FIRST_WAIT << self.failures.min(10)).min(LONGEST_WAIT);
        self.failures += 1;
        self.open_at = Some(local_millis() + longest / 2 + random_below(longest / 2));
    }

    /// There is nothing more to come.
    fn stop(&mut self) {
        self.close();
        self.open_at = Some(i64::MAX);
    }

    fn open(&mut self, shared: &Rc<RefCell<Self>>) {
        let Ok(source) = EventSource::new(&self.stream_address()) else {
            self.give_up();
            return;
        };
        // A new stream gets as long as a silent one to say something.
        self.heard_at = local_millis();
        self.open_at = None;
        let on_frame = {
            let shared = Rc::downgrade(shared);
            Closure::new(move |event: MessageEvent| {
                if let Some(shared) = shared.upgrade() {
                    hear(&shared, &event);
                }
            })
        };
        let on_error = {
            let shared = Rc::downgrade(shared);
            Closure::new(move |_: Event| {
                if let Some(shared) = shared.upgrade() {
                    shared.borrow_mut().give_up();
                }
            })
        };
        for name in ["hello", "view", "change", "end"] {
            // Fails only for an object that is no event target.
            let _ = source.add_event_listener_with_callback(name, on_frame.as_ref().unchecked_ref());
        }
        source.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        self.stream = Some(Stream { source, _on_frame: on_frame, _on_error: on_error });
    }
}

/// Takes a frame. The board is told after the borrow has ended: its effects may call back.
fn hear(follower: &Rc<RefCell<Follower>>, event: &MessageEvent) {
    let Some(data) = event.data().as_string() else { return };
    let board = follower.borrow().board.clone();
    let Some(json) = parsed(&data) else { return };
    match event.type_().as_str() {
        "hello" => {
            if let Some(build) = frame::hello_build(&json) {
                follower.borrow_mut().greet(&build);
            }
        }
        "end" => follower.borrow_mut().stop(),
        kind => hear_values(follower, &board, kind == "view", &json),
    }
}

/// A frame with values: all of them, or what changed.
fn hear_values(follower: &Rc<RefCell<Follower>>, board: &Followed, is_whole: bool, json: &JsValue) {
    let heard = |as_of| follower.borrow_mut().heard(as_of);
    match board {
        Followed::Queues(board) if is_whole => {
            if let Some(view) = frame::board_view(json) {
                let now = heard(view.as_of);
                row_slide::around(board, || board.hear_view(now, view, stillness()));
            }
        }
        Followed::Queues(board) => {
            if let Some(change) = frame::board_change(json) {
                let now = heard(change.as_of);
                row_slide::around(board, || board.hear_change(now, change, stillness()));
            }
        }
        Followed::Agents(agents) if is_whole => {
            if let Some(view) = frame::agents_view(json) {
                agents.hear_view(heard(view.as_of), view, stillness());
            }
        }
        Followed::Agents(agents) => {
            if let Some(change) = frame::agents_change(json) {
                agents.hear_change(heard(change.as_of), change, stillness());
            }
        }
    }
}

/// What the server left in the page for its program.
pub(crate) fn page_start() -> Option<BoardStart> {
    frame::board_start(&left_in_page(BoardStart::ELEMENT)?)
}

/// What the server left in the page of agents.
pub(crate) fn agents_start() -> Option<AgentsStart> {
    frame::agents_start(&left_in_page(AgentsStart::ELEMENT)?)
}

fn left_in_page(element: &str) -> Option<JsValue> {
    parsed(&document().get_element_by_id(element)?.text_content()?)
}

fn parsed(data: &str) -> Option<JsValue> {
    js_sys::JSON::parse(data).ok()
}

impl Json for JsValue {
    fn member(&self, name: &str) -> Self {
        Reflect::get(self, &name.into()).unwrap_or(Self::UNDEFINED)
    }

    fn number(&self) -> Option<f64> {
        self.as_f64()
    }

    fn text(&self) -> Option<String> {
        self.as_string()
    }

    fn truth(&self) -> bool {
        self.is_truthy()
    }

    fn elements(&self) -> Vec<Self> {
        if Array::is_array(self) { Array::from(self).to_vec() } else { Vec::new() }
    }
}

impl Follower {
    fn greet(&mut self, build: &str) {
        if build != self.build_id && self.reload_at.is_none() {
            self.reload_at = Some(local_millis() + 1_000 + random_below(RELOAD_WITHIN));
        }
    }

    /// A past that runs goes on where it was.
    fn stream_address(&self) -> String {
        match (self.as_of, self.stream_url.split_once("at="), self.stream_url.split_once('&')) {
            (Some(as_of), Some((board, _)), Some((_, speed))) => {
                let at = js_sys::Date::new(&(as_of.as_millis() as f64).into()).to_iso_string();
                format!("{board}at={}&{speed}", String::from(at))
            }
            _ => self.stream_url.clone(),
        }
    }

    fn heard(&mut self, as_of: Timestamp) -> Timestamp {
        let local = local_millis();
        self.as_of = Some(as_of);
        self.heard_at = local;
        self.failures = 0;
        self.clock.hear(local, as_of);
        self.clock.now(local)
    }
}

/// True while somebody writes: neither keys nor a new page may get in the way.
fn typing() -> bool {
    document()
        .active_element()
        .is_some_and(|element| matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT"))
}

fn local_millis() -> i64 {
    // Milliseconds since 1970 are whole and far below 2^53.
    js_sys::Date::now() as i64
}

fn random_below(limit: i64) -> i64 {
    (js_sys::Math::random() * limit as f64) as i64
}
