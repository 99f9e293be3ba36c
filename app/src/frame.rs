//! Reads what the server sends with the browser's own JSON parser.
//!
//! `serde_json` and the derived readers would be a third of the program that every screen downloads.
//! The server writes with the derived `Serialize` of the same types; a test reads back what it
//! writes, and a field that is added to a view does not compile here until it is read.

mod agents;

use domain::{
    id::QueueId,
    quality::Quality,
    service_level::{Definition, ServiceLevel, ServiceLevelPolicy, ServiceLevels},
    time::Timestamp,
    trust::{FeedLink, Gap, Outage, Trust},
    view::{BoardChange, BoardView, Busy, Figures, QueueQuality, QueueView, Totals},
};

pub use self::agents::{agents_change, agents_start, agents_view};
use crate::{
    live_board::{BoardStart, WallShape},
    row_order::Order,
    zone::LocalZone,
};

/// A parsed JSON value, whoever parsed it.
pub trait Json: Sized {
    /// The member of that name; where there is none, something that is neither number, text nor list.
    fn member(&self, name: &str) -> Self;
    /// The number, if it is one. Milliseconds since 1970 are exact.
    fn number(&self) -> Option<f64>;
    /// The text, if it is one.
    fn text(&self) -> Option<String>;
    /// True for `true`.
    fn truth(&self) -> bool;
    /// The elements, none if it is no list.
    fn elements(&self) -> Vec<Self>;
}

/// What the server says first on every stream: the build it is.
pub fn hello_build(json: &impl Json) -> Option<String> {
    json.member("build").text()
}

/// A whole board; `None` if it is none.
pub fn board_view(json: &impl Json) -> Option<BoardView> {
    Some(BoardView {
        revision: whole(json, "revision")?,
        as_of: instant(json, "as_of")?,
        trust: trust(&json.member("trust"))?,
        totals: totals(&json.member("totals"))?,
        queues: list(json, "queues", queue_view)?,
    })
}

/// What changed, which is written like a whole board; `None` if it is none.
pub fn board_change(json: &impl Json) -> Option<BoardChange> {
    let BoardView { revision, as_of, trust, totals, queues } = board_view(json)?;
    let removed = list(json, "removed", |id| id.text().map(QueueId::new))?;
    Some(BoardChange { revision, as_of, trust, totals, queues, removed })
}

/// What a page starts from.
pub fn board_start(json: &impl Json) -> Option<BoardStart> {
    let wall = json.member("wall");
    Some(BoardStart {
        title: text(json, "title")?,
        stream_url: text(json, "stream_url")?,
        at: text(json, "at")?,
        build_id: text(json, "build_id")?,
        view: board_view(&json.member("view"))?,
        zone: zone(&json.member("zone"))?,
        order: Order::from_word(&text(json, "order")?)?,
        find: text(json, "find")?,
        theme: text(json, "theme")?,
        wall: WallShape {
            per_page: count(&wall, "per_page")? as usize,
            turn_seconds: count(&wall, "turn_seconds")? as usize,
            page: count(&wall, "page")? as usize,
            page_address: text(&wall, "page_address")?,
            columns: count(&wall, "columns")? as usize,
            figures: count(&wall, "figures")? as usize,
            name_length: count(&wall, "name_length")? as usize,
            legible: text(&wall, "legible")?,
        },
    })
}

fn zone(json: &impl Json) -> Option<LocalZone> {
    let next: Vec<i64> = list(json, "next_offset", |part| part.number().map(|number| number as i64))?;
    Some(LocalZone {
        name: text(json, "name")?,
        label: text(json, "label")?,
        offset_seconds: json.member("offset_seconds").number()? as i32,
        next_offset: match next[..] {
            [from, offset] => Some((Timestamp::from_millis(from), i32::try_from(offset).ok()?)),
            _ => None,
        },
    })
}

fn trust(json: &impl Json) -> Option<Trust> {
    let (gap, outage) = (json.member("gap"), json.member("journal_outage"));
    Some(Trust {
        feed: match text(json, "feed")?.as_str() {
            "webhook_only" => FeedLink::WebhookOnly,
            "connecting" => FeedLink::Connecting,
            "live" => FeedLink::Live,
            "down" => FeedLink::Down,
            "contested" => FeedLink::Contested,
            _ => return None,
        },
        feed_since: instant(json, "feed_since")?,
        feed_heard_at: instant(json, "feed_heard_at"),
        feed_problem: text(json, "feed_problem"),
        journal_outage: instant(&outage, "since")
            .zip(text(&outage, "problem"))
            .map(|(since, problem)| Outage { since, problem }),
        newest_fact_at: instant(json, "newest_fact_at"),
        counting_since: instant(json, "counting_since"),
        gap: instant(&gap, "from").map(|from| Gap { from, to: instant(&gap, "to") }),
        deaf_until: instant(json, "deaf_until"),
        demo: json.member("demo").truth(),
    })
}

fn totals(json: &impl Json) -> Option<Totals> {
    Some(Totals {
        figures: figures(&json.member("figures"))?,
        members: count(json, "members")?,
        members_available: count(json, "members_available")?,
        members_busy: busy(json)?,
        members_incomplete: json.member("members_incomplete").truth(),
        waiting_beyond_threshold: count(json, "waiting_beyond_threshold")?,
        shared_target_permille: permille(json, "shared_target_permille"),
        shared_threshold_seconds: count(json, "shared_threshold_seconds"),
        unlisted: count(json, "unlisted").unwrap_or(0),
    })
}

fn queue_view(json: &impl Json) -> Option<QueueView> {
    let (policy, sure) = (json.member("policy"), json.member("quality"));
    Some(QueueView {
        id: QueueId::new(text(json, "id")?),
        name: text(json, "name")?,
        extension_number: text(json, "extension_number"),
        figures: figures(&json.member("figures"))?,
        members: count(json, "members"),
        members_available: count(json, "members_available"),
        missed_lately: json.member("missed_lately").truth(),
        members_busy: busy(json)?,
        policy: ServiceLevelPolicy {
            threshold_seconds: count(&policy, "threshold_seconds")?,
            short_abandon_seconds: count(&policy, "short_abandon_seconds")?,
            target_permille: permille(&policy, "target_permille")?,
        },
        definition: Definition::default(),
        waiting_beyond_threshold: 0,
        service_levels_today: ServiceLevels::default(),
        quality: QueueQuality {
            waiting: quality(&sure, "waiting")?,
            calls: quality(&sure, "calls")?,
            members: quality(&sure, "members")?,
            available: quality(&sure, "available")?,
            today: quality(&sure, "today")?,
        },
    })
}

fn figures(json: &impl Json) -> Option<Figures> {
    let level = json.member("service_level_today");
    Some(Figures {
        waiting: count(json, "waiting")?,
        oldest_waiting_since: instant(json, "oldest_waiting_since"),
        heard_waiting_since: instant(json, "heard_waiting_since"),
        ringing: count(json, "ringing")?,
        talking: count(json, "talking")?,
        on_hold: count(json, "on_hold")?,
        unconfirmed: count(json, "unconfirmed").unwrap_or(0),
        offered_today: count(json, "offered_today")?,
        measured_today: count(json, "measured_today").unwrap_or(0),
        answered_today: count(json, "answered_today")?,
        abandoned_today: count(json, "abandoned_today")?,
        short_abandoned_today: count(json, "short_abandoned_today")?,
        service_level_today: ServiceLevel { met: count(&level, "met")?, decided: count(&level, "decided")? },
    })
}

fn busy(json: &impl Json) -> Option<Busy> {
    let busy = json.member("members_busy");
    Some(Busy {
        on_calls: count(&busy, "on_calls")?,
        wrap_up: count(&busy, "wrap_up")?,
        ringing: count(&busy, "ringing").unwrap_or(0),
        unknown: count(&busy, "unknown").unwrap_or(0),
    })
}

fn quality(json: &impl Json, name: &str) -> Option<Quality> {
    let word = text(json, name)?;
    let all = [Quality::Measured, Quality::Live, Quality::Inferred, Quality::Unknown];
    all.into_iter().find(|quality| quality.word() == word)
}

fn text(json: &impl Json, name: &str) -> Option<String> {
    json.member(name).text()
}

fn instant(json: &impl Json, name: &str) -> Option<Timestamp> {
    json.member(name).number().map(|millis| Timestamp::from_millis(millis as i64))
}

fn whole(json: &impl Json, name: &str) -> Option<u64> {
    json.member(name).number().map(|number| number as u64)
}

fn count(json: &impl Json, name: &str) -> Option<u32> {
    json.member(name).number().map(|number| number as u32)
}

fn permille(json: &impl Json, name: &str) -> Option<u16> {
    count(json, name).and_then(|permille| u16::try_from(permille).ok())
}

fn list<J: Json, T>(json: &J, name: &str, read: fn(&J) -> Option<T>) -> Option<Vec<T>> {
    json.member(name).elements().iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::Value;

    use super::*;
    use crate::pages::style::sample::{self, NOW};

    impl Json for Value {
        fn member(&self, name: &str) -> Self {
            self.get(name).cloned().unwrap_or(Self::Null)
        }

        fn number(&self) -> Option<f64> {
            self.as_f64()
        }

        fn text(&self) -> Option<String> {
            self.as_str().map(str::to_owned)
        }

        fn truth(&self) -> bool {
            *self == Self::Bool(true)
        }

        fn elements(&self) -> Vec<Self> {
            self.as_array().cloned().unwrap_or_default()
        }
    }

    fn views() -> Vec<BoardView> {
        let mut open_gap = sample::broken_trust();
        open_gap.gap = Some(Gap { from: NOW - Duration::from_secs(7), to: None });
        let mut differing = sample::view(sample::busy(), open_gap);
        differing.totals.shared_target_permille = None;
        differing.totals.shared_threshold_seconds = None;
        differing.totals.unlisted = 9;
        differing.totals.members_busy = Busy { on_calls: 1, wrap_up: 2, ringing: 3, unknown: 4 };
        differing.queues[0].members_busy = Busy { on_calls: 5, wrap_up: 6, ringing: 7, unknown: 8 };
        let mut views = vec![
            differing,
            sample::view(sample::busy(), sample::trust()),
            sample::view(sample::extreme(), sample::broken_trust()),
            sample::view(Vec::new(), sample::trust()),
        ];
        for feed in
            [FeedLink::WebhookOnly, FeedLink::Connecting, FeedLink::Live, FeedLink::Down, FeedLink::Contested]
        {
            views.push(sample::view(Vec::new(), Trust { feed, ..sample::trust() }));
        }
        views
    }

    #[test]
    fn what_the_server_writes_is_read_back() {
        for view in views() {
            let json = serde_json::to_value(&view).unwrap();
            assert_eq!(board_view(&json).as_ref(), Some(&view));

            let change = BoardChange {
                revision: 1 << 40,
                as_of: NOW,
                trust: view.trust,
                totals: view.totals,
                queues: view.queues,
                removed: vec![QueueId::from("gone"), QueueId::from("unresolved:7")],
            };
            let json = serde_json::to_value(&change).unwrap();
            assert_eq!(board_change(&json), Some(change));
        }
    }

    #[test]
    fn what_a_page_starts_from_is_read_back() {
        for (view, next_offset) in views().into_iter().zip([None, Some((NOW, -12_600))].into_iter().cycle()) {
            let zone = LocalZone { next_offset, ..LocalZone::utc() };
            let start = BoardStart {
                title: "Support </script> floor".to_owned(),
                stream_url: "/live/all".to_owned(),
                at: "2026-11-24T14:02:11+01:00".to_owned(),
                build_id: "b".to_owned(),
                view,
                zone,
                order: Order::from_word("-waiting").unwrap(),
                find: "ü\"".to_owned(),
                theme: "dark".to_owned(),
                wall: WallShape {
                    per_page: 7,
                    page: 2,
                    page_address: "?rows=7&page=".to_owned(),
                    legible: "far".to_owned(),
                    ..WallShape::default()
                },
            };
            let text = start.to_script();
            assert!(!text.contains('<'), "nothing in it ends the script element");
            assert_eq!(board_start(&serde_json::from_str::<Value>(&text).unwrap()), Some(start));
        }
    }

    #[test]
    fn what_is_no_board_is_refused() {
        for text in ["null", "{}", "[]", "{\"revision\":1,\"as_of\":1}", "\"view\""] {
            let json: Value = serde_json::from_str(text).unwrap();
            assert_eq!(board_view(&json), None, "{text}");
            assert_eq!(board_change(&json), None, "{text}");
        }
    }
}
