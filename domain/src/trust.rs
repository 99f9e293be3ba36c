//! May this board be believed? From Zoom through server and journal to the screen, each link told apart.
//!
//! The browser and the server judge with the same functions.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{call::LOST_RING_AFTER, queue::LONGEST_BETWEEN_RINGS, time::Timestamp};

/// What the server says about its own sources, sent with every frame.
///
/// Written down in notes of the past: what is added here needs a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trust {
    /// The link from the server to Zoom.
    pub feed: FeedLink,
    /// Since when `feed` is what it is.
    pub feed_since: Timestamp,
    /// When the link was last proven alive by anything that came over it.
    pub feed_heard_at: Option<Timestamp>,
    /// Why the link is down, one sentence with the next step.
    pub feed_problem: Option<String>,
    /// What was heard cannot be written down, so that nothing new is shown.
    pub journal_outage: Option<Outage>,
    /// When the newest event arrived.
    pub newest_fact_at: Option<Timestamp>,
    /// Today's counts begin here when the server did not listen from midnight on.
    pub counting_since: Option<Timestamp>,
    /// The newest interval of today in which events may have been missed and were not read from the
    /// record since.
    pub gap: Option<Gap>,
    /// Until when calls may have begun of which nobody has heard: the end of the newest gap, whether what
    /// happened in it was read since or not. The record tells of calls that are over only.
    pub deaf_until: Option<Timestamp>,
    /// The data is made up.
    #[serde(default)]
    pub demo: bool,
}

impl Trust {
    /// A feed in that state since then, of which nothing more is known.
    pub const fn of(feed: FeedLink, feed_since: Timestamp) -> Self {
        Self {
            feed,
            feed_since,
            feed_heard_at: None,
            feed_problem: None,
            journal_outage: None,
            newest_fact_at: None,
            counting_since: None,
            gap: None,
            deaf_until: None,
            demo: false,
        }
    }
}

/// Something the server needs does not work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    /// Since when.
    pub since: Timestamp,
    /// Why, one sentence with the next step.
    pub problem: String,
}

/// An interval in which the feed was not provably alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Last proof of life before.
    pub from: Timestamp,
    /// First proof of life after; `None` while it lasts.
    pub to: Option<Timestamp>,
}

impl Gap {
    /// True when something after `instant` may be missing.
    pub fn reaches_beyond(&self, instant: Timestamp) -> bool {
        self.to.is_none_or(|to| to > instant)
    }
}

/// State of the link from the server to Zoom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeedLink {
    /// No WebSocket is configured; events come by webhook only, and silence proves nothing.
    WebhookOnly,
    /// Connecting for the first time.
    Connecting,
    /// Connected and heard of recently.
    Live,
    /// Lost or refused; reconnecting.
    Down,
    /// Closed again and again, as when another consumer keeps taking the subscription.
    Contested,
}

/// How fresh a screen is, worst link first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Freshness {
    /// All links are alive.
    Live,
    /// The screen has not heard from the server for [`LATE_AFTER`].
    Late,
    /// Values are old: show them greyed with their time.
    Stale,
    /// Values are too old to be trusted: hide them.
    Blind,
}

/// The link that makes a screen less than live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokenLink {
    /// This screen does not hear from the Callboard server.
    ScreenToServer,
    /// The server cannot write down what it hears.
    ServerToJournal,
    /// The server does not hear from Zoom.
    ServerToZoom,
}

/// Silence of the server after which a screen says "reconnecting".
pub const LATE_AFTER: Duration = Duration::from_secs(5);
/// Silence after which values are shown as old.
pub const STALE_AFTER: Duration = Duration::from_secs(20);
/// Silence after which values are hidden.
pub const BLIND_AFTER: Duration = Duration::from_secs(5 * 60);
/// Silence on the feed after which it is not provably alive: two heartbeats of 25 s went unanswered.
pub const FEED_CHECK_EVERY: Duration = Duration::from_secs(60);

/// A call that began while nobody listened is not known. After this long few such calls still go on.
pub const LONG_CALL: Duration = Duration::from_secs(3600);

/// Who entered a queue while nobody listened is not known before the next phone rings for them, or one that rang
/// all the while has stopped.
pub const UNHEARD_WAIT: Duration =
    Duration::from_secs(LOST_RING_AFTER.as_secs() + LONGEST_BETWEEN_RINGS.as_secs());

/// True when everybody who waits and for whom a phone rang is known: for [`UNHEARD_WAIT`] nothing was missed.
pub fn hears_all_waits(now: Timestamp, trust: &Trust) -> bool {
    !is_deaf(trust) && trust.deaf_until.is_none_or(|until| now >= until + UNHEARD_WAIT)
}

/// When [`hears_whole_calls`] becomes true by itself; `None` when it is true, and while events are being missed.
pub fn hears_whole_calls_from(now: Timestamp, trust: &Trust) -> Option<Timestamp> {
    let from = trust.deaf_until.map(|until| until + LONG_CALL);
    from.filter(|from| !is_deaf(trust) && *from > now)
}

/// True when the calls that go on now were heard from their beginning: for [`LONG_CALL`] nothing was
/// missed. Webhooks alone prove nothing, and are believed.
pub fn hears_whole_calls(now: Timestamp, trust: &Trust) -> bool {
    !is_deaf(trust) && hears_whole_calls_from(now, trust).is_none()
}

/// True while events are being missed.
fn is_deaf(trust: &Trust) -> bool {
    trust.gap.is_some_and(|gap| gap.to.is_none())
}

/// Judges a screen: `now` and `server_heard_at` (the last frame) by one clock, `trust` as last told.
pub fn freshness(
    now: Timestamp,
    server_heard_at: Timestamp,
    trust: &Trust,
) -> (Freshness, Option<BrokenLink>) {
    let silence = now.since(server_heard_at);
    let screen = if silence >= BLIND_AFTER {
        Freshness::Blind
    } else if silence >= STALE_AFTER {
        Freshness::Stale
    } else if silence >= LATE_AFTER {
        Freshness::Late
    } else {
        Freshness::Live
    };
    let (feed, journal) = (feed_freshness(now, trust), journal_freshness(now, trust));
    match screen.max(feed).max(journal) {
        Freshness::Live => (Freshness::Live, None),
        worst if worst == screen => (worst, Some(BrokenLink::ScreenToServer)),
        worst if worst == journal => (worst, Some(BrokenLink::ServerToJournal)),
        worst => (worst, Some(BrokenLink::ServerToZoom)),
    }
}

/// Judges what the server knows, whichever screen shows it.
pub fn server_freshness(now: Timestamp, trust: &Trust) -> Freshness {
    feed_freshness(now, trust).max(journal_freshness(now, trust))
}

fn journal_freshness(now: Timestamp, trust: &Trust) -> Freshness {
    match &trust.journal_outage {
        None => Freshness::Live,
        Some(outage) if now.since(outage.since) >= BLIND_AFTER => Freshness::Blind,
        Some(_) => Freshness::Stale,
    }
}

/// Judges the link from the server to Zoom alone.
pub fn feed_freshness(now: Timestamp, trust: &Trust) -> Freshness {
    match trust.feed {
        FeedLink::WebhookOnly => Freshness::Live,
        FeedLink::Live => match trust.feed_heard_at {
            Some(heard_at) if now.since(heard_at) <= FEED_CHECK_EVERY => Freshness::Live,
            _ => Freshness::Stale,
        },
        FeedLink::Connecting | FeedLink::Down | FeedLink::Contested => {
            let last_good = trust.feed_heard_at.unwrap_or(trust.feed_since);
            if now.since(last_good) >= BLIND_AFTER && trust.feed_heard_at.is_some() {
                Freshness::Blind
            } else {
                Freshness::Stale
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_266_131_000);

    #[test]
    fn calls_are_heard_from_their_beginning_an_hour_after_the_last_miss() {
        let trust = |deaf_until, gap| Trust {
            feed_heard_at: Some(NOW),
            gap,
            deaf_until,
            ..Trust::of(FeedLink::Live, NOW)
        };
        let (recent, long_ago) = (NOW - Duration::from_secs(3_599), NOW - LONG_CALL);
        let gap = |to| Some(Gap { from: long_ago - LONG_CALL, to });
        assert!(hears_whole_calls(NOW, &trust(None, None)));
        assert!(hears_whole_calls(NOW, &trust(Some(long_ago), gap(Some(long_ago)))));
        assert!(!hears_whole_calls(NOW, &trust(Some(recent), None)), "repaired, and who still talks unknown");
        assert!(!hears_whole_calls(NOW, &trust(Some(recent), gap(Some(recent)))));
        assert!(!hears_whole_calls(NOW, &trust(None, gap(None))));
        let surer = |trust: Trust| hears_whole_calls_from(NOW, &trust);
        assert_eq!(surer(trust(Some(recent), None)), Some(NOW + Duration::from_secs(1)));
        assert_eq!(surer(trust(Some(long_ago), None)), None, "it is sure");
        assert_eq!(surer(trust(Some(recent), gap(None))), None, "nobody knows when");
    }

    #[test]
    fn what_cannot_be_written_down_makes_every_screen_stale_and_then_blind() {
        let mut trust = Trust { feed_heard_at: Some(NOW), ..Trust::of(FeedLink::Live, NOW) };
        assert_eq!(freshness(NOW, NOW, &trust), (Freshness::Live, None));
        trust.journal_outage = Some(Outage { since: NOW, problem: "The disk is full.".to_owned() });
        let broken = Some(BrokenLink::ServerToJournal);
        assert_eq!(freshness(NOW, NOW, &trust), (Freshness::Stale, broken));
        assert_eq!(server_freshness(NOW, &trust), Freshness::Stale);
        let later = NOW + BLIND_AFTER;
        trust.feed_heard_at = Some(later);
        assert_eq!(freshness(later, later, &trust), (Freshness::Blind, broken));
    }
}
