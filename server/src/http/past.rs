//! What an address asks for of the past: `at`, `minute` and `speed`, on every page and interface that can
//! show it.
//!
//! `at` is an instant (RFC 3339), a local time in the installation's zone, a local day (with `minute` of
//! it), or so long ago (`-10m`). Pages answer all but the first with the address of the instant itself, so
//! that what people pass on stays what they saw.

use std::{borrow::Cow, time::Duration};

use app::{
    components::past_band::{Minutes, PastView, Span},
    document::PageLink,
    pages::problem::ProblemPage,
};
use axum::{
    extract::{Request, State},
    http::{HeaderValue, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use chrono::{NaiveDateTime, TimeZone as _};
use chrono_tz::Tz;
use domain::time::Timestamp;

use super::{
    error::ApiError,
    pages::{both_or_all_problems, local_zone, pairs},
    router::AppState,
};
use crate::{clock, past::PastError, recording::RecordedSpan, telemetry};

/// How much faster than life the past may run.
pub(super) const SPEEDS: [u32; 3] = [1, 10, 60];

const MINUTE: Duration = Duration::from_secs(60);

pub(super) const NOT_OF_THE_PAST: &str = "This cannot be shown of the past; leave out at.";

/// Nothing was published for so long before an instant: nothing is known of it.
pub(super) const UNRECORDED: Duration = app::components::past_band::UNRECORDED;

/// For what knows now only: an answer about now would be taken for one about then. A recording has nothing of
/// it, with an instant or without.
pub(super) async fn refuse_instants(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if state.past.ends_at().is_some() {
        return ApiError::NotRecorded.into_response();
    }
    if Asked::is_in(request.uri()) {
        return ApiError::BadQuestion { problem: NOT_OF_THE_PAST.to_owned() }.into_response();
    }
    next.run(request).await
}

/// An instant that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    /// The instant.
    pub(super) at: Timestamp,
    /// Seconds of it a second, while it runs.
    pub(super) speed: Option<u32>,
    /// It is written as the instant itself.
    is_plain: bool,
}

/// What an address says of an instant.
const OF_AN_INSTANT: [&str; 3] = ["at", "minute", "speed"];

/// What an address asks for besides the past: its other pairs.
pub(super) type Rest<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

impl Asked {
    /// Takes what is about the past out of the pairs of a query; `None` when that is nothing.
    pub(super) fn take(rest: &mut Rest<'_>, home: Tz, now: Timestamp) -> Result<Option<Self>, Vec<String>> {
        let take = |name: &str| {
            let place = rest.iter().position(|(key, _)| key == name)?;
            Some(rest.remove(place).1.trim().to_owned())
        };
        let [at, minute, speed] = OF_AN_INSTANT.map(take);
        let mut problems = Vec::new();
        let speed = speed.and_then(|text| {
            let speed = text.parse().ok().filter(|speed| (1..=60).contains(speed));
            if speed.is_none() {
                problems.push("speed is how many times faster the past runs, from 1 to 60.".to_owned());
            }
            speed
        });
        let Some(at) = at.filter(|at| !at.is_empty()) else {
            if speed.is_some() || minute.is_some() {
                problems.push("speed and minute need at, the instant to look at.".to_owned());
            }
            return if problems.is_empty() { Ok(None) } else { Err(problems) };
        };
        let minute = minute.map(|text| {
            text.parse().unwrap_or_else(|_| {
                problems.push("minute is one of the day that at names, counted from 0.".to_owned());
                0
            })
        });
        let read = read(&at, minute, home, now);
        match read {
            Some(instant) if instant > now => {
                problems.push(format!(
                    "at={at} lies in the future, after all that is on record; leave it out to see the board as it \
                     is."
                ));
            }
            None => problems.push(
                "at is an instant such as 2026-11-24T14:02:11Z, a local time such as 2026-11-24T14:02, a day such as \
                 2026-11-24 with a minute of it, or so long ago, such as -10m, -2h or -1d."
                    .to_owned(),
            ),
            Some(_) => {}
        }
        let is_plain = minute.is_none() && clock::parse_instant(&at).is_some();
        match read {
            Some(at) if problems.is_empty() => Ok(Some(Self { at, speed, is_plain })),
            _ => Err(problems),
        }
    }

    /// What a program asks for: nothing else may be asked with it. Of a recording, without anything, its end.
    pub(super) fn alone(uri: &Uri, state: &AppState) -> Result<Option<Self>, ApiError> {
        let asked = pairs(uri).and_then(|mut rest| {
            let asked = Self::take(&mut rest, state.home, latest(state));
            let is_of_now = matches!(asked, Ok(None));
            let alone = if is_of_now || rest.is_empty() {
                Ok(())
            } else {
                Err(vec!["Only at and speed can be asked for here.".to_owned()])
            };
            both_or_all_problems(asked, alone).map(|(asked, ())| asked)
        });
        let end = state.past.ends_at().map(|at| Self { at, speed: None, is_plain: true });
        asked
            .map(|asked| asked.or(end))
            .map_err(|problems| ApiError::BadQuestion { problem: problems.join(" ") })
    }

    /// True when an address asks for an instant.
    pub(super) fn is_in(uri: &Uri) -> bool {
        pairs(uri).is_ok_and(|pairs| pairs.iter().any(|(name, _)| name == "at"))
    }

    /// The address of the instant itself, where the page was asked for in other words; of the earliest with a
    /// board for one before it.
    pub(super) async fn plain_address(
        &self,
        state: &AppState,
        path: &str,
        rest: &Rest<'_>,
    ) -> Option<Response> {
        if self.is_plain {
            return None;
        }
        // Addresses have whole seconds.
        let at = whole_second(self.at);
        let at = first_second(state).await.map_or(at, |first| first.max(at));
        elsewhere(path, rest, at, self.speed)
    }

    /// What a page shows of it, as the board was at `as_of`.
    pub(super) async fn view(
        &self,
        state: &AppState,
        uri: &Uri,
        rest: &Rest<'_>,
        as_of: Timestamp,
    ) -> PastView {
        let date_of = |at| clock::date_of(state.home, at);
        let (date, now) = (date_of(self.at), latest(state));
        let first = first_second(state).await.unwrap_or(self.at).min(self.at);
        let (from, to) = clock::day_of(state.home, date);
        let minutes = |duration: Duration| u32::try_from(duration.as_secs() / 60).unwrap_or(0);
        PastView {
            path: uri.path().to_owned(),
            pairs: rest.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect(),
            at: self.at,
            as_of,
            speed: self.speed,
            speeds: SPEEDS.to_vec(),
            day: date.to_string(),
            day_began: from,
            minutes: Minutes {
                // Of the first day the one with the first board.
                first: minutes(first.since(from)),
                shown: minutes(self.at.since(from)),
                // Of today the one that is now.
                last: minutes(to.min(now + MINUTE).since(from)).saturating_sub(1),
            },
            span: Span {
                from: first,
                until: whole_second(now),
                days: (date_of(first).to_string(), date_of(now).to_string()),
            },
            recording: state.site.recording.as_deref().map(str::to_owned),
            zone: local_zone(state.home, self.at),
        }
    }
}

/// The last instant there is: now, or the end of a recording.
pub(super) fn latest(state: &AppState) -> Timestamp {
    state.past.ends_at().unwrap_or_else(clock::now)
}

/// Where a board of a recording leads that asks for no instant: the beginning, playing; the page or wall of a
/// single queue, of which the beginning may not know, the end. `None` where there is a board of now.
pub(super) async fn beginning(state: &AppState, path: &str, rest: &Rest<'_>) -> Option<Response> {
    let end = state.past.ends_at()?;
    match first_second(state).await {
        Some(first) if matches!(path, "/wall" | "/queues") => elsewhere(path, rest, first, Some(1)),
        _ => elsewhere(path, rest, end, None),
    }
}

/// What a file of events tells of: `of Saturday 29 February 2020, 10:00–11:00 (Berlin)`.
pub(super) fn recording_words(span: RecordedSpan, home: Tz) -> String {
    let RecordedSpan { from, to } = span;
    let zone = local_zone(home, from);
    let (first, last) = (zone.date(from), zone.date(to));
    let [begin, end] = [from, to].map(|at| zone.hour_and_minute(at));
    let until = if first == last { format!("–{end}") } else { format!(" to {last}, {end}") };
    format!("of {first}, {begin}{until} ({})", zone.label)
}

/// The address of an instant.
fn address_of<'a>(
    path: &str,
    rest: impl Iterator<Item = &'a (Cow<'a, str>, Cow<'a, str>)>,
    at: Timestamp,
    speed: Option<u32>,
) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(rest.filter(|(_, value)| !value.is_empty()));
    query.append_pair("at", &clock::format_rfc3339(at));
    if let Some(speed) = speed {
        query.append_pair("speed", &speed.to_string());
    }
    format!("{path}?{}", query.finish())
}

/// Leads to an instant.
fn elsewhere(path: &str, rest: &Rest<'_>, at: Timestamp, speed: Option<u32>) -> Option<Response> {
    let address = HeaderValue::try_from(address_of(path, rest.iter(), at, speed)).ok()?;
    Some((StatusCode::SEE_OTHER, [(header::LOCATION, address)]).into_response())
}

/// The first whole second with a board, or its very instant when that second is not over; `None` while there is
/// none.
async fn first_second(state: &AppState) -> Option<Timestamp> {
    let first = state.past.begins_at().await.unwrap_or_else(|error| {
        tracing::warn!(error = telemetry::chain(&error), "failed to look for the first board on record");
        None
    });
    let (first, second) = (first?, whole_second(first? + Duration::from_millis(999)));
    Some(if second <= latest(state) { second } else { first })
}

fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.as_millis().div_euclid(1000) * 1000)
}

fn read(at: &str, minute: Option<u64>, home: Tz, now: Timestamp) -> Option<Timestamp> {
    if let Some(minute) = minute {
        let date = clock::parse_day(at)?;
        let (from, to) = clock::day_of(home, date);
        // The last minute of a day that has fewer of them, or of today.
        let latest = Timestamp::from_millis(to.as_millis() - 1).min(now.max(from));
        return Some((from + Duration::from_secs(minute.min(10_000) * 60)).min(latest));
    }
    if let Some(instant) = clock::parse_instant(at) {
        return Some(instant);
    }
    if let Some(ago) = at.strip_prefix('-') {
        let unit = ago.chars().last()?;
        let number: u64 = ago.strip_suffix(unit)?.parse().ok().filter(|number| *number <= 100_000)?;
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return None,
        };
        return Some(now - Duration::from_secs(number * seconds));
    }
    // The day that stands before the time.
    clock::parse_day(at.split_once('T')?.0)?;
    let with_seconds = NaiveDateTime::parse_from_str(at, "%Y-%m-%dT%H:%M:%S");
    let local = with_seconds.or_else(|_| NaiveDateTime::parse_from_str(at, "%Y-%m-%dT%H:%M")).ok()?;
    // An hour that is there twice is meant the first time; one that is not, an hour later.
    let instant = home.from_local_datetime(&local).earliest().or_else(|| {
        home.from_local_datetime(&local.checked_add_signed(chrono::Duration::hours(1))?).earliest()
    })?;
    Some(Timestamp::from_millis(instant.timestamp_millis()))
}

impl From<PastError> for ApiError {
    fn from(error: PastError) -> Self {
        match error {
            PastError::NotKept => Self::NotFound { what: "record of that time" },
            PastError::Torn => Self::NotFound { what: "complete record of that time" },
            PastError::Busy => Self::TooManyLookBack,
            PastError::NotReady => Self::PastNotReady,
            PastError::Journal(_) | PastError::Failed => {
                tracing::warn!(error = telemetry::chain(&error), "failed to show the past");
                Self::StoreUnreadable
            }
        }
    }
}

/// Where to go from an instant that cannot be shown: a recording has no board of now, and its pages lead to its
/// beginning.
pub(super) fn way_on(is_recording: bool, path: &str) -> PageLink {
    PageLink::new(if is_recording { "Play from the beginning" } else { "The board as it is now" }, path)
}

/// The page that says why an instant cannot be shown.
pub(super) async fn problem(state: &AppState, uri: &Uri, error: &PastError) -> ProblemPage {
    let site = state.site.site();
    let next = way_on(state.past.ends_at().is_some(), uri.path());
    match error {
        PastError::NotKept => {
            let since = first_second(state).await;
            let zone = local_zone(state.home, clock::now());
            let days = state.keep.as_secs() / 86_400;
            let kept = match since {
                Some(since) => format!(
                    "The earliest instant on record is {} on {}. What is older than {days} days is not kept.",
                    zone.clock(since),
                    zone.date(since)
                ),
                None => "Nothing is on record yet.".to_owned(),
            };
            let earliest = since.map(|since| {
                let asked = pairs(uri).unwrap_or_default();
                let settings = asked.iter().filter(|(name, _)| !OF_AN_INSTANT.contains(&&**name));
                let address = address_of(uri.path(), settings, since, None);
                PageLink::new("The earliest instant on record", address)
            });
            ProblemPage::past(site, 404, "Nothing was kept of that time", kept, next).leading(earliest)
        }
        PastError::Torn => {
            let torn = "A part of what Callboard wrote down before that time is gone from the database, or cannot \
                be read. What was shown then cannot be worked out; of other times it can.";
            ProblemPage::past(site, 404, "The record of that time is incomplete", torn.to_owned(), next)
        }
        PastError::NotReady => {
            let unready = "Callboard is still working through what it wrote down around that time, as after an \
                update or a backlog. This page loads itself again until it is ready.";
            ProblemPage::past(site, 503, "That time is being made ready", unready.to_owned(), next).awaited()
        }
        PastError::Busy => {
            let busy = "Several people are looking back right now. This page loads itself again until it is your turn.";
            ProblemPage::past(site, 503, "Too many are looking back", busy.to_owned(), next).awaited()
        }
        PastError::Journal(_) | PastError::Failed => {
            tracing::warn!(error = telemetry::chain(error), "failed to show the past");
            let broken = "The record of that time could not be read. The server’s log says why.";
            ProblemPage::past(site, 503, "The record cannot be read", broken.to_owned(), next)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: Tz = chrono_tz::Europe::Berlin;

    fn at(text: &str) -> Timestamp {
        clock::parse_rfc3339(text).unwrap()
    }

    fn take(query: &str) -> Result<Option<Asked>, Vec<String>> {
        let mut rest: Rest<'_> = url::form_urlencoded::parse(query.as_bytes()).collect();
        Asked::take(&mut rest, HOME, at("2026-11-25T12:00:00Z"))
    }

    #[test]
    fn an_instant_may_be_said_in_many_ways() {
        let instant = |query: &str| take(query).unwrap().unwrap().at;
        assert_eq!(instant("at=2026-11-24T14:02:11Z"), at("2026-11-24T14:02:11Z"));
        assert_eq!(instant("at=2026-11-24T14:02:11%2B01:00"), at("2026-11-24T13:02:11Z"));
        assert_eq!(instant("at=2026-11-24T14:02"), at("2026-11-24T13:02:00Z"), "where the board hangs");
        assert_eq!(instant("at=-90m"), at("2026-11-25T10:30:00Z"));
        assert_eq!(instant("at=2026-11-24&minute=61"), at("2026-11-24T00:01:00Z"));
        assert_eq!(instant("at=2026-11-25&minute=1439"), at("2026-11-25T12:00:00Z"), "no later than now");
        // 25 October 2026 has 25 hours in Berlin, 29 March 23.
        assert_eq!(instant("at=2026-10-25&minute=1499"), at("2026-10-25T22:59:00Z"));
        assert_eq!(instant("at=2026-03-29&minute=1439"), at("2026-03-29T21:59:59.999Z"));
        assert_eq!(instant("at=2026-10-25T02:30"), at("2026-10-25T00:30:00Z"), "the first of two");
        assert_eq!(take("theme=light"), Ok(None));
        assert_eq!(take("at=-1m&speed=60").unwrap().unwrap().speed, Some(60));
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        for query in [
            "at=yesterday",
            "at=-10y",
            "at=-999999999d",
            "at=2026-11-26T00:00:00Z",
            "at=2026-13-40&minute=1",
            "at=-1m&speed=0",
            "at=-1m&speed=61",
            "speed=10",
            "minute=10",
            "at=2026-11-24&minute=x",
            "at=%2B262142-12-31&minute=1",
            "at=%2B262142-12-31T23:59",
            "at=-0001-12-31T23:59",
        ] {
            assert_eq!(take(query).unwrap_err().len(), 1, "{query}");
        }
        assert_eq!(take("at=yesterday&minute=x&speed=0").unwrap_err().len(), 3, "all at once");
    }
}
