//! Says of a page that it shows the past, and leads to other instants of it.
//!
//! Links and a form, so that it works without a program; with one, the slider says where it stands and
//! goes there when it is let go or the keys rest, and what is done while the past runs starts from what is
//! shown (`frontend/bootstrap.js`).

use std::time::Duration;

use domain::time::Timestamp;
use leptos::prelude::*;

use crate::{address, zone::LocalZone};

/// An instant of the past, and how to get to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastView {
    /// The page's own path.
    pub path: String,
    /// What else its address says.
    pub pairs: Vec<(String, String)>,
    /// The instant that was asked for.
    pub at: Timestamp,
    /// When what is shown was published.
    pub as_of: Timestamp,
    /// How many times faster than life it runs; `None` while it stands still.
    pub speed: Option<u32>,
    /// How fast it may run.
    pub speeds: Vec<u32>,
    /// The local day: `2026-11-24`.
    pub day: String,
    /// When that day began.
    pub day_began: Timestamp,
    /// Which minute of it.
    pub minutes: Minutes,
    /// From the first instant there is to the last.
    pub span: Span,
    /// What of time the recording tells whose past this is: `of Saturday …`.
    pub recording: Option<String>,
    /// The zone of all times.
    pub zone: LocalZone,
}

/// A minute of a day, which need not have 1,440.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Minutes {
    /// The first there is.
    pub first: u32,
    /// The one that is shown.
    pub shown: u32,
    /// The last there is.
    pub last: u32,
}

/// The instants there are, in whole seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The first with a board.
    pub from: Timestamp,
    /// The last: now, as the server's clock had it, or the end of a recording.
    pub until: Timestamp,
    /// The local days of both.
    pub days: (String, String),
}

/// Nothing was published for so long before the instant: nothing is known of it.
pub const UNRECORDED: Duration = Duration::from_secs(10);

/// Steps in seconds, with what they are called.
const STEPS: [(i64, &str); 6] =
    [(-3_600, "−1 h"), (-600, "−10 min"), (-60, "−1 min"), (60, "+1 min"), (600, "+10 min"), (3_600, "+1 h")];

impl PastView {
    /// What clocks show: the instant itself while it stands still, though what is shown was published before,
    /// mostly within a second and always within ten: [`UNRECORDED`].
    pub fn clock(&self) -> Timestamp {
        let is_shown = self.speed.is_none() && self.at.since(self.as_of) < UNRECORDED;
        if is_shown { self.at } else { self.as_of }
    }

    /// The stream of a page that runs: of `board`. Empty while it stands still.
    pub fn stream_url(&self, board: &str) -> String {
        match self.speed {
            Some(speed) => {
                let pairs = [("at", self.instant(self.at)), ("speed", speed.to_string())];
                address::with_query(board, &pairs.each_ref().map(|(key, value)| (*key, value.as_str())))
            }
            None => String::new(),
        }
    }

    /// The instant as addresses have it.
    pub fn instant(&self, at: Timestamp) -> String {
        self.zone.machine_time(at)
    }

    /// The same page at another instant.
    fn address(&self, at: Timestamp, speed: Option<u32>) -> String {
        let speed = speed.map(|speed| speed.to_string()).unwrap_or_default();
        let instant = self.instant(at);
        let pairs = self.pairs.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let pairs: Vec<_> = pairs.chain([("at", instant.as_str()), ("speed", speed.as_str())]).collect();
        address::with_query(&self.path, &pairs)
    }

    /// Where it leads in the end: to the board as it is now, or to the last of a recording.
    fn end_address(&self) -> String {
        match self.recording {
            Some(_) => self.address(self.span.until, None),
            None => self.plain_address(),
        }
    }

    /// The page without an instant: the board as it is now, or a recording from its beginning.
    fn plain_address(&self) -> String {
        let pairs: Vec<_> = self.pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        address::with_query(&self.path, &pairs)
    }

    /// Where a page that runs and has no program goes next.
    pub fn next_address(&self) -> Option<String> {
        let speed = self.speed?;
        let next = self.moved(i64::from(speed) * i64::from(crate::document::PLAYED_SECONDS));
        Some(if next < self.span.until { self.address(next, self.speed) } else { self.end_address() })
    }

    fn moved(&self, seconds: i64) -> Timestamp {
        Timestamp::from_millis(self.at.as_millis() + seconds * 1000)
    }

    /// Where a step leads; `None` where there is nothing to see.
    fn step(&self, seconds: i64) -> Option<String> {
        let to = self.moved(seconds);
        if self.speed.is_some() {
            // Where it begins is not where it is by then: the program counts from what is shown.
            return Some(match to {
                to if to >= self.span.until => self.end_address(),
                to => self.address(to.max(self.span.from), self.speed),
            });
        }
        (self.span.from <= to && to <= self.span.until).then(|| self.address(to, None))
    }

    /// The zone's clock and date.
    fn words(&self, at: Timestamp) -> String {
        format!("{} on {}", self.zone.clock(at), self.zone.date(at))
    }
}

/// The band above a page of the past.
#[component]
pub fn PastBand(
    /// The instant.
    past: PastView,
) -> impl IntoView {
    let runs = past.speed.is_some();
    let step = |seconds: i64| runs.then(|| seconds.to_string());
    let is_recording = past.recording.is_some();
    let what = if is_recording { "recording" } else { "record" };
    let begins = format!("The {what} begins at {}.", past.words(past.span.from));
    let ends = if is_recording {
        format!("The recording ends at {}.", past.words(past.span.until))
    } else {
        format!("There is no later board than that of now: {}.", past.zone.clock(past.span.until))
    };
    let steps = STEPS
        .iter()
        .map(|&(seconds, label)| match past.step(seconds) {
            Some(href) => view! { <a href=href data-step=step(seconds)>{label}</a> }.into_any(),
            // A link that leads nowhere keeps its place, so that the others keep theirs.
            None => {
                let why = if seconds < 0 { begins.clone() } else { ends.clone() };
                view! { <a role="link" aria-disabled="true" title=why>{label}</a> }.into_any()
            }
        })
        .collect_view();
    let is_missing = |ahead: bool| {
        STEPS.iter().any(|&(seconds, _)| (seconds > 0) == ahead && past.step(seconds).is_none())
    };
    let there = |at: Timestamp| view! { <a href=past.address(at, None)>"Go there"</a> };
    let beginning = is_missing(false).then(|| {
        let first = (past.at > past.span.from).then(|| there(past.span.from));
        view! { <span>{begins.clone()} " " {first}</span> }
    });
    let is_over = is_recording && past.at >= past.span.until;
    let end = is_missing(true).then(|| {
        let words = if is_over { "This is the end of the recording.".to_owned() } else { ends.clone() };
        let last = (is_recording && !is_over).then(|| there(past.span.until));
        view! { <span>{words} " " {last}</span> }
    });
    let note = (beginning.is_some() || end.is_some())
        .then(|| view! { <p class="past-note" data-over=is_over.then_some("yes")>{beginning} " " {end}</p> });
    let pause = runs.then(|| {
        view! {
            <a class="past-pause" href=past.address(past.at, None) data-step=step(0)>
                "Pause"
            </a>
        }
    });
    let speeds = past
        .speeds
        .iter()
        .map(|&speed| {
            let here = (past.speed == Some(speed)).then_some("true");
            let label = format!("Play at {speed} times the speed");
            view! {
                <a href=past.address(past.at, Some(speed)) data-step=step(0) aria-current=here aria-label=label>
                    {format!("▶ {speed}×")}
                </a>
            }
        })
        .collect_view();
    let hidden = past
        .pairs
        .iter()
        .map(|(key, value)| view! { <input r#type="hidden" name=key.clone() value=value.clone() /> })
        .collect_view();
    let (zone, as_of) = (&past.zone, past.as_of);
    let not_running = (past.at.since(as_of) >= UNRECORDED).then(|| {
        let last = past.words(as_of);
        let why = if is_recording {
            "The recording has nothing of that time"
        } else {
            "Nothing was recorded at that time: Callboard did not run, or could not write"
        };
        view! { <p class="past-gap">{why} ". This was published before, at " {last} "."</p> }
    });
    let when = format!("{}, {}", zone.date(past.at), zone.clock(past.at));
    let minute =
        zone.hour_and_minute(past.day_began + Duration::from_secs(60 * u64::from(past.minutes.shown)));
    let millis = |at: Timestamp| at.as_millis().to_string();
    view! {
        <section
            class="past"
            aria-label="The past"
            data-runs=runs.then_some("yes")
            data-from=millis(past.span.from)
            data-until=millis(past.span.until)
            data-ends=is_recording.then_some("yes")
            data-end=past.end_address()
        >
            <p class="past-when">
                <strong>{if is_recording { "Recording" } else { "The past" }}</strong>
                {past.recording.clone().map(|recording| view! { <span class="past-of">{recording}": "</span> })}
                {runs.then_some(if is_recording { "plays from " } else { " runs, from " })}
                <time datetime=past.instant(past.at)>{when}</time>
                <span class="clock-zone">{zone.label.clone()}</span>
            </p>
            <nav class="past-steps" aria-label="Other instants">
                <span class="past-group">{steps}</span>
                <span class="past-group">{pause} {speeds}</span>
                <a class="past-now" href=past.plain_address()>
                    {if is_recording { "Play from the beginning" } else { "Back to now" }}
                </a>
            </nav>
            <form class="past-slider" method="get" action=past.path.clone()>
                {hidden}
                <input
                    r#type="date"
                    name="at"
                    aria-label="Day"
                    min=past.span.days.0.clone()
                    max=past.span.days.1.clone()
                    value=past.day.clone()
                />
                <input
                    r#type="range"
                    id="minute"
                    name="minute"
                    aria-label="Minute of the day"
                    aria-valuetext=minute.clone()
                    min=past.minutes.first.to_string()
                    max=past.minutes.last.to_string()
                    step="1"
                    value=past.minutes.shown.to_string()
                    data-scrub=millis(past.day_began)
                    data-zone=zone.name.clone()
                />
                <output class="past-minute" r#for="minute">{minute.clone()}</output>
                <button r#type="submit">"Go"</button>
            </form>
            {note}
            {not_running}
        </section>
    }
}
