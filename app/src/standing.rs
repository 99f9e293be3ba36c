//! How far a screen may be believed now, in words: which link broke, since when, what to do.

use domain::{
    time::Timestamp,
    trust::{
        BrokenLink, FeedLink, Freshness, LONG_CALL, Trust, feed_freshness, freshness, hears_whole_calls_from,
    },
    view::{Figures, Totals},
};

use crate::{numeral, zone::LocalZone};

/// A screen's judgement of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// How fresh its values are.
    pub freshness: Freshness,
    /// Which link is at fault.
    pub broken: Option<BrokenLink>,
    /// The instant up to which its values are known; waits tick no further.
    pub as_of: Timestamp,
}

/// One of the two links, as the trust strip shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkFace {
    /// `live`, `quiet`, `late` or `lost`: decides colour and shape.
    pub state: &'static str,
    /// What is shown.
    pub text: String,
}

impl Standing {
    /// Judges by one clock; `server_heard_at` is the last frame.
    pub fn of(now: Timestamp, server_heard_at: Timestamp, trust: &Trust) -> Self {
        let (freshness, broken) = freshness(now, server_heard_at, trust);
        let as_of = match (freshness, broken) {
            (Freshness::Live, _) | (_, None) => now,
            (_, Some(BrokenLink::ScreenToServer)) => server_heard_at,
            (_, Some(BrokenLink::ServerToJournal)) => {
                trust.journal_outage.as_ref().map_or(now, |outage| outage.since.min(now))
            }
            (_, Some(BrokenLink::ServerToZoom)) => trust.feed_heard_at.unwrap_or(trust.feed_since).min(now),
        };
        Self { freshness, broken, as_of }
    }

    /// The word for style sheets and tests.
    pub const fn word(&self) -> &'static str {
        match self.freshness {
            Freshness::Live => "live",
            Freshness::Late => "late",
            Freshness::Stale => "stale",
            Freshness::Blind => "blind",
        }
    }

    /// What happened, in one line. Empty while there is nothing to say.
    pub fn headline(&self, trust: &Trust) -> &'static str {
        if self.freshness < Freshness::Stale {
            return "";
        }
        match (self.broken, trust.feed) {
            (Some(BrokenLink::ScreenToServer), _) | (None, _) => "This screen has lost the Callboard server",
            (Some(BrokenLink::ServerToJournal), _) => "Callboard cannot write its database",
            (_, FeedLink::Connecting) => "Connecting to Zoom",
            (_, FeedLink::Down) if trust.feed_heard_at.is_none() => "Callboard is not connected to Zoom yet",
            (_, FeedLink::Contested) => "Another program may be taking the Zoom feed",
            (_, FeedLink::Live) => "The Zoom feed is silent",
            (_, FeedLink::Down | FeedLink::WebhookOnly) => "Callboard has lost the Zoom feed",
        }
    }

    /// Up to when the values are known, and what happens next.
    pub fn explanation(&self, now: Timestamp, trust: &Trust, zone: &LocalZone) -> String {
        if self.freshness < Freshness::Stale {
            return String::new();
        }
        let when = zone.clock(self.as_of);
        let known = match (self.freshness, self.broken, trust.feed_heard_at) {
            (_, Some(BrokenLink::ServerToZoom), None) => "No event has arrived yet.".to_owned(),
            (Freshness::Stale, Some(BrokenLink::ServerToZoom), _) => {
                format!("Who waits now is unknown; today’s numbers count calls up to {when}.")
            }
            (Freshness::Blind, ..) => {
                format!(
                    "Last known at {when}, {}. Numbers are hidden until they are true again.",
                    numeral::age(now.since(self.as_of))
                )
            }
            _ => format!("Numbers as of {when}."),
        };
        // What is wrong with the feed, in an operator's words, stands on its page, not on a room's wall.
        let next = match (self.broken, &trust.journal_outage) {
            (Some(BrokenLink::ServerToJournal), Some(outage)) => outage.problem.as_str(),
            (Some(BrokenLink::ServerToZoom | BrokenLink::ServerToJournal), _) => {
                "Callboard keeps trying and counts again by itself."
            }
            _ => "It keeps trying and recovers by itself. If it does not, check this screen’s network.",
        };
        format!("{known} {next}")
    }

    /// True when the page of the feed says more.
    pub fn is_about_feed(&self) -> bool {
        self.freshness >= Freshness::Stale && self.broken == Some(BrokenLink::ServerToZoom)
    }

    /// The link from this screen to the server.
    pub fn screen_face(&self, now: Timestamp, server_heard_at: Timestamp, zone: &LocalZone) -> LinkFace {
        let silence = now.since(server_heard_at);
        let (state, text) = if silence >= domain::trust::STALE_AFTER {
            ("lost", format!("lost since {}", zone.clock(server_heard_at)))
        } else if silence >= domain::trust::LATE_AFTER {
            ("late", "reconnecting".to_owned())
        } else {
            ("live", "live".to_owned())
        };
        LinkFace { state, text }
    }

    /// The link from the server to Zoom. A screen that has lost the server cannot know.
    pub fn feed_face(
        now: Timestamp,
        server_heard_at: Timestamp,
        trust: &Trust,
        zone: &LocalZone,
    ) -> LinkFace {
        // One instant for everything that is said of a broken feed: the last proof of life.
        let since = || zone.clock(trust.feed_heard_at.unwrap_or(trust.feed_since));
        if now.since(server_heard_at) >= domain::trust::LATE_AFTER {
            return LinkFace { state: "quiet", text: "unknown".to_owned() };
        }
        let (state, text) = match trust.feed {
            FeedLink::Live if feed_freshness(now, trust) == Freshness::Live => ("live", "live".to_owned()),
            FeedLink::Live => match trust.feed_heard_at {
                Some(heard_at) => ("lost", format!("silent since {}", zone.clock(heard_at))),
                None => ("lost", "silent".to_owned()),
            },
            // Silence proves nothing here, so it is neither live nor lost.
            FeedLink::WebhookOnly => ("quiet", "webhook only".to_owned()),
            FeedLink::Connecting => ("late", "connecting".to_owned()),
            FeedLink::Down if trust.feed_heard_at.is_none() => ("lost", "not connected yet".to_owned()),
            FeedLink::Down => ("lost", format!("lost since {}", since())),
            FeedLink::Contested => ("lost", "closed again and again".to_owned()),
        };
        LinkFace { state, text }
    }
}

/// When the newest event arrived: `newest event 20 s ago`, and by the clock when Zoom is not heard.
pub fn newest_event(now: Timestamp, trust: &Trust, zone: &LocalZone) -> String {
    match trust.newest_fact_at {
        Some(at) if feed_freshness(now, trust) > Freshness::Live => {
            format!("newest event {}", zone.clock(at))
        }
        Some(at) => format!("newest event {}", numeral::age(now.since(at))),
        None => "no event yet".to_owned(),
    }
}

/// What today's counts leave out, if anything.
pub fn missing_today(trust: &Trust, zone: &LocalZone) -> Option<String> {
    let clock = |at| zone.hour_and_minute(at);
    let gap = trust.gap.map(|gap| match gap.to {
        Some(to) => format!("incomplete {}–{}", clock(gap.from), clock(to)),
        None => format!("incomplete since {}", zone.clock(gap.from)),
    });
    let counting = trust.counting_since.map(|since| format!("counting since {}", clock(since)));
    match (counting, gap) {
        (Some(counting), Some(gap)) => Some(format!("{counting}, {gap}")),
        (counting, gap) => counting.or(gap),
    }
}

/// How much of today is held against Zoom's record; nothing while nobody called. A call that goes on to another
/// queue is a visit of each.
pub fn checked_today(figures: &Figures) -> Option<String> {
    let Figures { offered_today: offered, measured_today: checked, .. } = *figures;
    (offered > 0).then(|| {
        let visits = if offered == 1 { "queue visit" } else { "queue visits" };
        format!(
            "{} of {} {visits} of today checked against Zoom’s record",
            numeral::count(checked),
            numeral::count(offered)
        )
    })
}

/// The same of all queues of a board, and how many of them have no row.
pub fn counted_today(totals: &Totals) -> Option<String> {
    let checked = checked_today(&totals.figures)?;
    Some(match totals.unlisted {
        0 => checked,
        unlisted => format!(
            "{checked}; {} more queues, not in the directory, are counted and have no row",
            numeral::count(unlisted)
        ),
    })
}

/// Why it is not sure after a gap who is on calls, and until when.
pub fn doubt(now: Timestamp, trust: &Trust, zone: &LocalZone) -> Option<String> {
    let surer_from = hears_whole_calls_from(now, trust)?;
    Some(format!(
        "Until {} who talks and who is available is inferred: a call that began before {} may not be known.",
        zone.hour_and_minute(surer_from),
        zone.hour_and_minute(surer_from - LONG_CALL)
    ))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::trust::Outage;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_266_131_000);

    fn trust(feed: FeedLink) -> Trust {
        Trust {
            feed,
            feed_since: NOW - Duration::from_secs(3_600),
            feed_heard_at: Some(NOW - Duration::from_secs(2)),
            feed_problem: None,
            journal_outage: None,
            newest_fact_at: Some(NOW - Duration::from_secs(4)),
            counting_since: None,
            gap: None,
            deaf_until: None,
            demo: false,
        }
    }

    #[test]
    fn waits_freeze_where_the_broken_link_left_them() {
        let heard = NOW - Duration::from_secs(7);
        let late = Standing::of(NOW, heard, &trust(FeedLink::Live));
        assert_eq!((late.word(), late.as_of), ("late", heard));
        let live = Standing::of(NOW, NOW, &trust(FeedLink::Live));
        assert_eq!((live.word(), live.as_of), ("live", NOW));
        let down = Standing::of(NOW, NOW, &trust(FeedLink::Down));
        assert_eq!((down.word(), down.as_of), ("stale", NOW - Duration::from_secs(2)));
    }

    #[test]
    fn the_broken_link_is_named_with_its_time_and_the_next_step() {
        let zone = LocalZone::utc();
        let feed =
            Trust { feed_problem: Some("Check the client secret.".to_owned()), ..trust(FeedLink::Down) };
        let standing = Standing::of(NOW, NOW, &feed);
        assert_eq!(standing.headline(&feed), "Callboard has lost the Zoom feed");
        assert_eq!(
            standing.explanation(NOW, &feed, &zone),
            "Who waits now is unknown; today’s numbers count calls up to 13:02:09. Callboard keeps trying and counts \
             again by itself."
        );

        let problem = "The disk is full: free space on it.".to_owned();
        let outage = Some(Outage { since: NOW - Duration::from_secs(9), problem });
        let full = Trust { journal_outage: outage, ..trust(FeedLink::Live) };
        let standing = Standing::of(NOW, NOW, &full);
        assert_eq!(
            (standing.word(), standing.headline(&full)),
            ("stale", "Callboard cannot write its database")
        );
        assert_eq!(
            standing.explanation(NOW, &full, &zone),
            "Numbers as of 13:02:02. The disk is full: free space on it."
        );

        let feed = trust(FeedLink::Live);
        let standing = Standing::of(NOW, NOW - Duration::from_secs(400), &feed);
        assert_eq!(standing.headline(&feed), "This screen has lost the Callboard server");
        assert!(standing.explanation(NOW, &feed, &zone).contains("Last known at 12:55:31, 6\u{a0}min ago"));
    }

    #[test]
    fn the_newest_event_of_a_lost_feed_is_no_age() {
        let zone = LocalZone::utc();
        assert_eq!(newest_event(NOW, &trust(FeedLink::Live), &zone), "newest event just now");
        assert_eq!(newest_event(NOW, &trust(FeedLink::Down), &zone), "newest event 13:02:07");
    }

    #[test]
    fn two_links_are_told_apart() {
        let zone = LocalZone::utc();
        let feed = trust(FeedLink::Down);
        let standing = Standing::of(NOW, NOW, &feed);
        assert_eq!(standing.screen_face(NOW, NOW, &zone).text, "live");
        assert_eq!(Standing::feed_face(NOW, NOW, &feed, &zone).text, "lost since 13:02:09");
        assert_eq!(Standing::feed_face(NOW, NOW, &trust(FeedLink::WebhookOnly), &zone).state, "quiet");
    }

    #[test]
    fn how_much_of_today_is_checked_is_said() {
        let of = |checked, offered| {
            checked_today(&Figures { offered_today: offered, measured_today: checked, ..Figures::default() })
        };
        assert_eq!(
            of(61, 1_073).as_deref(),
            Some("61 of 1,073 queue visits of today checked against Zoom’s record")
        );
        assert_eq!(of(0, 1).as_deref(), Some("0 of 1 queue visit of today checked against Zoom’s record"));
        assert_eq!(of(0, 0), None);
        let figures = Figures { offered_today: 2, ..Figures::default() };
        let totals = Totals { figures, unlisted: 19_000, ..Totals::default() };
        assert_eq!(
            counted_today(&totals).as_deref(),
            Some(
                "0 of 2 queue visits of today checked against Zoom’s record; 19,000 more queues, not in the directory, \
                 are counted and have no row"
            )
        );
    }

    #[test]
    fn why_it_is_not_sure_who_talks_is_said_with_its_end() {
        let zone = LocalZone::utc();
        let after = |minutes: u64| {
            let deaf_until = Some(NOW - Duration::from_secs(minutes * 60));
            doubt(NOW, &Trust { deaf_until, ..trust(FeedLink::Live) }, &zone)
        };
        assert_eq!(
            after(20).as_deref(),
            Some(
                "Until 13:42 who talks and who is available is inferred: a call that began before 12:42 may not be known."
            )
        );
        assert_eq!(after(60), None);
    }

    #[test]
    fn what_today_leaves_out_is_said() {
        let zone = LocalZone::utc();
        let since = NOW - Duration::from_secs(1_200);
        let gap = domain::trust::Gap { from: since, to: Some(NOW) };
        let partial = Trust { counting_since: Some(since), gap: Some(gap), ..trust(FeedLink::Live) };
        assert_eq!(missing_today(&trust(FeedLink::Live), &zone), None);
        assert_eq!(
            missing_today(&partial, &zone).as_deref(),
            Some("counting since 12:42, incomplete 12:42–13:02")
        );
        let open = Trust { gap: Some(domain::trust::Gap { from: since, to: None }), ..trust(FeedLink::Down) };
        assert_eq!(missing_today(&open, &zone).as_deref(), Some("incomplete since 12:42:11"));
    }
}
