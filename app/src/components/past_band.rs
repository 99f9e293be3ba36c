//! Says of a page that it shows the past, and leads to other instants of it.
//!
//! Links and a form, so that it works without a program; with one, the slider goes where it is let go,
//! and what is done while the past runs starts from what is shown (`frontend/bootstrap.js`).

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
    /// Which minute of it.
    pub minutes: Minutes,
    /// The zone of all times.
    pub zone: LocalZone,
}

/// A minute of a day, which need not have 1,440.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Minutes {
    /// The one that is shown.
    pub shown: u32,
    /// The last there is.
    pub last: u32,
}

/// Nothing was published for so long before the instant: nothing is known of it.
pub const UNRECORDED: Duration = Duration::from_secs(10);

/// Steps in seconds, with what they are called.
const STEPS: [(i64, &str); 6] =
    [(-3_600, "−1 h"), (-600, "−10 min"), (-60, "−1 min"), (60, "+1 min"), (600, "+10 min"), (3_600, "+1 h")];

impl PastView {
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

    /// Where a page that runs and has no program goes next.
    pub fn next_address(&self) -> Option<String> {
        let seconds = u64::from(self.speed?) * u64::from(crate::document::PLAYED_SECONDS);
        Some(self.address(self.at + Duration::from_secs(seconds), self.speed))
    }

    fn moved(&self, seconds: i64) -> Timestamp {
        Timestamp::from_millis(self.at.as_millis() + seconds * 1000)
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
    let steps = STEPS
        .iter()
        .map(|&(seconds, label)| {
            let href = past.address(past.moved(seconds), past.speed);
            view! {
                <a href=href data-step=step(seconds)>
                    {label}
                </a>
            }
        })
        .collect_view();
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
    let now = {
        let pairs: Vec<_> = past.pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        address::with_query(&past.path, &pairs)
    };
    let hidden = past
        .pairs
        .iter()
        .map(|(key, value)| view! { <input r#type="hidden" name=key.clone() value=value.clone() /> })
        .collect_view();
    let (zone, as_of) = (&past.zone, past.as_of);
    let not_running = (past.at.since(as_of) >= UNRECORDED).then(|| {
        let last = format!("{} on {}", zone.clock(as_of), zone.date(as_of));
        view! { <p class="past-gap">"Nothing was recorded at that time: Callboard did not run, or could not write. This was published before, at " {last} "."</p> }
    });
    let when = format!("{}, {}", zone.date(past.at), zone.clock(past.at));
    view! {
        <section class="past" aria-label="The past" data-runs=runs.then_some("yes")>
            <p class="past-when">
                <strong>"The past"</strong>
                {runs.then_some(" runs, from ")}
                <time datetime=past.instant(past.at)>{when}</time>
                <span class="clock-zone">{zone.label.clone()}</span>
            </p>
            <nav class="past-steps" aria-label="Other instants">
                <span class="past-group">{steps}</span>
                <span class="past-group">{pause} {speeds}</span>
                <a class="past-now" href=now>
                    "Back to now"
                </a>
            </nav>
            <form class="past-slider" method="get" action=past.path.clone()>
                {hidden}
                <input r#type="date" name="at" aria-label="Day" value=past.day.clone() />
                <input
                    r#type="range"
                    name="minute"
                    aria-label="Minute of the day"
                    min="0"
                    max=past.minutes.last.to_string()
                    step="1"
                    value=past.minutes.shown.to_string()
                    data-scrub=""
                />
                <button r#type="submit">"Go"</button>
            </form>
            {not_running}
        </section>
    }
}
