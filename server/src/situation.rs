//! The board together with everything else that decides what it shows.
//!
//! One code path for the present and the past: the keeper tells it what happens, and
//! [`crate::past`] tells it the same again out of the journal. What is told are events and [`Circumstances`];
//! nothing here asks what time it is, reads the disk or publishes.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use chrono_tz::Tz;
use domain::{
    agent::{
        doubted_before,
        presence::{PresenceFact, PresenceOrigin},
    },
    board::{Board, BoardSnapshot, Input, Midnights},
    directory::{Directory, DirectoryQueue},
    fact::{Fact, What},
    id::QueueId,
    service_level::PromiseBook,
    time::Timestamp,
    trust::{FeedLink, Freshness, Gap, Trust, hears_all_waits, hears_whole_calls, server_freshness},
};
use serde::{Deserialize, Serialize};

use crate::{
    clock,
    journal::{self, Journalled},
};

/// What a board goes by besides events, as far as it is another than before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Circumstances {
    /// Everything is told: what is not in here is not there.
    pub(crate) whole: bool,
    /// The installation's zone.
    pub(crate) home: Option<Tz>,
    /// Queues that are new or another than before.
    pub(crate) queues: Vec<DirectoryQueue>,
    /// Queues that are in the directory no more.
    pub(crate) gone: Vec<QueueId>,
    /// What the operator promises.
    pub(crate) promises: Option<PromiseBook>,
    /// Whether it may be believed; the times at which something was heard aside.
    pub(crate) trust: Option<Trust>,
    /// Why it is not known what people's clients say.
    pub(crate) presence: Option<PresenceTold>,
}

/// Whether it is known what people's clients say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PresenceTold {
    /// Why not.
    pub(crate) problem: Option<String>,
}

/// What the quality of every row depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Heard {
    is_live: bool,
    whole_calls: bool,
    all_waits: bool,
    gap: Option<Gap>,
}

/// Nothing is known of the feed yet.
const UNTOLD: Trust = Trust::of(FeedLink::Connecting, Timestamp::from_millis(0));

/// A board and what it goes by.
#[derive(Debug)]
pub(crate) struct Situation {
    pub(crate) board: Board,
    home: Tz,
    queues: BTreeMap<QueueId, DirectoryQueue>,
    /// Of these, those that are another than when that was last asked for, or gone since.
    unnoted: BTreeSet<QueueId>,
    trust: Trust,
    newest_fact_at: Option<Timestamp>,
    /// Whether it is known what people's clients say.
    pub(crate) presence: PresenceTold,
    /// As of the last edition.
    heard: Option<Heard>,
    /// For which minute and directory midnights were last worked out: no zone's lies within a minute.
    midnights_of: Option<i64>,
}

/// A [`Situation`] to be set up again.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SituationSnapshot {
    board: BoardSnapshot,
    home: Tz,
    queues: Vec<DirectoryQueue>,
    trust: Trust,
    newest_fact_at: Option<Timestamp>,
    presence: PresenceTold,
}

/// What holds at one instant, for one publication.
#[derive(Debug, Clone)]
pub(crate) struct Edition {
    /// Whether the board may be believed.
    pub(crate) trust: Trust,
    /// Every row may look otherwise than in the edition before.
    pub(crate) whole: bool,
}

impl Situation {
    /// A board of which nothing has been told yet besides what it knows itself.
    pub(crate) fn new(board: Board, home: Tz) -> Self {
        Self {
            board,
            home,
            queues: BTreeMap::new(),
            unnoted: BTreeSet::new(),
            trust: UNTOLD,
            newest_fact_at: None,
            presence: PresenceTold::default(),
            heard: None,
            midnights_of: None,
        }
    }

    /// Tells it of events, as of the time they arrived, which is no later than `now`: so a board comes to
    /// the same, whether it was told at once or out of the journal.
    pub(crate) fn hear(&mut self, now: Timestamp, events: &mut [Journalled]) {
        for together in events.chunk_by_mut(arrived_together) {
            let Some(last) = together.last() else { continue };
            let arrived_at = last.received_at;
            if together.iter().any(is_news) {
                self.newest_fact_at = Some(arrived_at);
            }
            for input in journal::inputs(together) {
                self.board.apply(arrived_at.min(now), input);
            }
        }
    }

    /// Tells it the rest.
    pub(crate) fn tell(&mut self, now: Timestamp, told: Circumstances) {
        let Circumstances { whole, home, queues, gone, promises, trust, presence } = told;
        if let Some(home) = home {
            self.home = home;
            self.midnights_of = None;
        }
        if let Some(promises) = promises {
            self.board.apply(now, Input::Promises(promises));
        }
        if whole || !queues.is_empty() || !gone.is_empty() {
            if whole {
                self.queues.clear();
            }
            self.queues.retain(|id, _| !gone.contains(id));
            self.queues.extend(queues.iter().map(|queue| (queue.id.clone(), queue.clone())));
            self.unnoted.extend(queues.iter().map(|queue| queue.id.clone()).chain(gone.iter().cloned()));
            self.board.apply(
                now,
                if whole {
                    Input::Directory(Directory { queues })
                } else {
                    Input::Queues { read: queues, gone }
                },
            );
            self.midnights_of = None;
        }
        if let Some(trust) = trust {
            self.trust(now, trust);
        }
        if let Some(presence) = presence {
            self.presence = presence;
        }
    }

    /// The directory was read.
    pub(crate) fn read(&mut self, now: Timestamp, directory: &Directory) {
        let is_news = |queue: &&DirectoryQueue| self.queues.get(&queue.id) != Some(*queue);
        let queues: Vec<DirectoryQueue> = directory.queues.iter().filter(is_news).cloned().collect();
        let ids: HashSet<&QueueId> = directory.queues.iter().map(|queue| &queue.id).collect();
        let gone = self.queues.keys().filter(|id| !ids.contains(id)).cloned().collect();
        self.tell(now, Circumstances { queues, gone, ..Circumstances::default() });
    }

    /// Whether it may be believed has changed. Calls that went on before a gap are in doubt once it is over.
    pub(crate) fn trust(&mut self, now: Timestamp, trust: Trust) {
        if let Some(until) = trust.deaf_until {
            self.board.apply(now, Input::Gap(Gap { from: until, to: Some(until) }));
        }
        self.trust = trust;
    }

    /// When the feed was last heard.
    pub(crate) fn heard_at(&mut self, heard_at: Option<Timestamp>, newest_fact_at: Option<Timestamp>) {
        self.trust.feed_heard_at = heard_at;
        self.newest_fact_at = newest_fact_at;
    }

    /// Lets midnights pass.
    pub(crate) fn let_time_pass(&mut self, now: Timestamp) {
        let minute = now.as_millis().div_euclid(60_000);
        if self.midnights_of.replace(minute) == Some(minute) {
            return;
        }
        let midnights = midnights(&self.board, self.home, now);
        self.board.apply(now, Input::Midnights(midnights));
    }

    /// What holds at `now`, for a publication.
    pub(crate) fn edition(&mut self, now: Timestamp) -> Edition {
        self.board.apply(now, Input::Doubt(doubted_before(now, &self.trust)));
        let mut trust = self.trust.clone();
        trust.newest_fact_at = trust.newest_fact_at.max(self.newest_fact_at);
        let day_start = self.board.day_start();
        trust.gap = trust.gap.filter(|gap| gap.reaches_beyond(day_start));
        let heard = Heard {
            is_live: server_freshness(now, &trust) == Freshness::Live,
            whole_calls: hears_whole_calls(now, &trust),
            all_waits: hears_all_waits(now, &trust),
            gap: trust.gap,
        };
        let whole = self.heard.replace(heard) != Some(heard);
        Edition { trust, whole }
    }

    /// The directory as last told.
    pub(crate) fn queues(&self) -> &BTreeMap<QueueId, DirectoryQueue> {
        &self.queues
    }

    /// The queues that were told anew or are gone since the last call of this.
    pub(crate) fn take_unnoted(&mut self) -> BTreeSet<QueueId> {
        std::mem::take(&mut self.unnoted)
    }

    /// Whether it may be believed, as last told.
    pub(crate) fn trusted(&self) -> &Trust {
        &self.trust
    }

    /// When the feed was last heard.
    pub(crate) fn feed_heard_at(&self) -> Option<Timestamp> {
        self.trust.feed_heard_at
    }

    /// When the newest event arrived.
    pub(crate) fn newest_fact_at(&self) -> Option<Timestamp> {
        self.newest_fact_at
    }

    /// The installation's zone.
    pub(crate) fn home(&self) -> Tz {
        self.home
    }

    /// To be set up again by [`Situation::restore`].
    pub(crate) fn snapshot(&self) -> SituationSnapshot {
        SituationSnapshot {
            board: self.board.snapshot(),
            home: self.home,
            queues: self.queues.values().cloned().collect(),
            trust: self.trust.clone(),
            newest_fact_at: self.newest_fact_at,
            presence: self.presence.clone(),
        }
    }

    pub(crate) fn restore(snapshot: SituationSnapshot) -> Self {
        let SituationSnapshot { board, home, queues, trust, newest_fact_at, presence } = snapshot;
        let queues = queues.into_iter().map(|queue| (queue.id.clone(), queue)).collect();
        let board = Board::restore(board);
        Self { queues, trust, newest_fact_at, presence, ..Self::new(board, home) }
    }
}

/// It was told by Zoom. What this server read, of the record or of people's presence, comes after a gap and at
/// any time: it is no sign that the feed is alive.
fn is_news(event: &Journalled) -> bool {
    let is_read = |fact: &Fact| matches!(&*fact.what, What::Recorded(record) if record.id.is_some());
    let is_told = |presence: &PresenceFact| presence.origin == PresenceOrigin::Told;
    event.fact.as_ref().is_some_and(|fact| !is_read(fact)) || event.presence.as_ref().is_some_and(is_told)
}

/// Events of one second are applied together, which spares working out a call for each of them.
fn arrived_together(a: &Journalled, b: &Journalled) -> bool {
    a.received_at.as_millis().div_euclid(1000) == b.received_at.as_millis().div_euclid(1000)
}

/// When today began in every zone the board needs.
pub(crate) fn midnights(board: &Board, home: Tz, now: Timestamp) -> Midnights {
    let zones: BTreeMap<_, _> = board
        .zones()
        .into_iter()
        .filter_map(|name| {
            let (zone, _) = clock::zone(name.as_str())?;
            Some((name, clock::day_start(zone, now)))
        })
        .collect();
    Midnights { home: clock::day_start(home, now), zones }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::{agent::presence::Presence, fact::Record, id::RecordId, trust::UNHEARD_WAIT};

    use super::*;

    #[test]
    fn rows_are_published_anew_when_nobody_can_wait_unheard_any_more() {
        let mut situation = Situation::new(Board::new(), chrono_tz::UTC);
        let began = Timestamp::from_millis(1_790_000_000_000);
        let trust = Trust { deaf_until: Some(began), ..Trust::of(FeedLink::WebhookOnly, began) };
        situation.trust(began, trust);
        let mut is_whole = |after: Duration| situation.edition(began + after).whole;
        assert!(is_whole(Duration::ZERO));
        assert!(!is_whole(UNHEARD_WAIT - Duration::from_millis(1)));
        assert!(is_whole(UNHEARD_WAIT) && !is_whole(UNHEARD_WAIT));
    }

    /// Read over REST, the record of a call that ended an hour ago is no news of the feed.
    #[test]
    fn what_was_read_of_the_record_is_not_the_newest_event() {
        let at = Timestamp::from_millis(1_790_000_000_000);
        let event = |seconds: u64, fact| Journalled {
            event_id: 1,
            received_at: at + Duration::from_secs(seconds),
            fact,
            presence: None,
        };
        let record = |id: Option<&str>| {
            let id = id.map(RecordId::new);
            let what = What::Recorded(Record { id, read_at: at, ..Record::default() });
            Some(Fact::new("7000000000000000001".into(), at, what))
        };
        let mut situation = Situation::new(Board::new(), Tz::UTC);
        situation.hear(at + Duration::from_secs(9), &mut [event(2, record(None))]);
        assert_eq!(situation.newest_fact_at(), Some(at + Duration::from_secs(2)), "told to a person");
        situation.hear(at + Duration::from_secs(9), &mut [event(5, record(Some("h-1"))), event(7, None)]);
        assert_eq!(situation.newest_fact_at(), Some(at + Duration::from_secs(2)));
    }

    /// People's presence is read whenever the server starts, whether the feed is alive or not.
    #[test]
    fn a_presence_that_was_read_is_not_the_newest_event_and_one_that_was_told_is() {
        let at = Timestamp::from_millis(1_790_000_000_000);
        let event = |seconds: u64, origin| {
            let at = at + Duration::from_secs(seconds);
            let user_id = "ada".into();
            let presence = PresenceFact { user_id, at, sent_at: at, presence: Presence::Away, origin };
            Journalled { event_id: 1, received_at: at, fact: None, presence: Some(presence) }
        };
        let mut situation = Situation::new(Board::new(), Tz::UTC);
        situation.hear(at + Duration::from_secs(9), &mut [event(2, PresenceOrigin::Read)]);
        assert_eq!(situation.newest_fact_at(), None);
        situation.hear(at + Duration::from_secs(9), &mut [event(5, PresenceOrigin::Told)]);
        assert_eq!(situation.newest_fact_at(), Some(at + Duration::from_secs(5)));
    }

    /// As the first version wrote it, without what was optional then. Notes are kept for as long as the
    /// operator says, so later versions have to read it: what they add needs a default.
    #[test]
    fn a_note_of_the_first_version_is_read() {
        let text = r#"{
            "whole": true,
            "home": "Europe/Berlin",
            "queues": [{
                "id": "q", "name": "Billing",
                "members": [{"id": "ada", "name": "Ada", "receives_calls": true}],
                "policy": {"threshold_seconds": 20, "short_abandon_seconds": 5, "target_permille": 800}
            }],
            "gone": ["r"],
            "promises": {"entries": [{
                "queue": null, "valid_from": null,
                "promise": {
                    "policy": {"threshold_seconds": 20, "short_abandon_seconds": 5, "target_permille": 800},
                    "definition": "ShortExcluded"
                }
            }]},
            "trust": {"feed": "live", "feed_since": 1790000000000, "gap": {"from": 1790000000000}},
            "presence": {"problem": null}
        }"#;
        let told: Circumstances = serde_json::from_str(text).unwrap();
        let trust = told.trust.clone().unwrap();
        assert_eq!((trust.feed, trust.demo, trust.deaf_until), (FeedLink::Live, false, None));
        assert_eq!(told.queues[0].members.as_ref().unwrap()[0].name, "Ada");
        assert_eq!(told.promises.as_ref().unwrap().entries.len(), 1);
        let less: Circumstances =
            serde_json::from_str(r#"{"queues": [{"id": "q", "name": "Billing"}]}"#).unwrap();
        assert_eq!(less.queues[0].policy, Default::default());
        let written = serde_json::to_string(&told).unwrap();
        assert_eq!(serde_json::from_str::<Circumstances>(&written).unwrap(), told);
    }
}
