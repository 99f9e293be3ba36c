//! What a screen shows: absolute values, ready to be drawn, small on the wire.
//!
//! The same types are rendered on the server, sent in frames and kept in the browser. Times are
//! instants, never durations, so that a screen can tick by itself.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    id::QueueId,
    quality::Quality,
    service_level::{Definition, ServiceLevel, ServiceLevelPolicy, ServiceLevels},
    time::Timestamp,
    trust::Trust,
};

/// A whole board at one instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardView {
    /// Rises with every published change, within one run of the server.
    pub revision: u64,
    /// The server's clock when this was made.
    pub as_of: Timestamp,
    /// May it be believed?
    pub trust: Trust,
    /// All queues of this board together.
    pub totals: Totals,
    /// One row per queue, in the order of their names.
    pub queues: Vec<QueueView>,
}

/// What changed since the revision before. Values are absolute: a reader that skipped revisions
/// and gets the next full view has lost nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardChange {
    /// The revision this change leads to.
    pub revision: u64,
    /// The server's clock when this was made.
    pub as_of: Timestamp,
    /// May it be believed?
    pub trust: Trust,
    /// All queues of this board together.
    pub totals: Totals,
    /// The rows that changed, whole.
    pub queues: Vec<QueueView>,
    /// Queues that are gone.
    pub removed: Vec<QueueId>,
}

/// One queue now and today.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueView {
    /// Identity.
    pub id: QueueId,
    /// Name to show.
    pub name: String,
    /// Extension number, decimal text.
    pub extension_number: Option<String>,
    /// What is counted.
    pub figures: Figures,
    /// Members in the directory; `None` when the directory did not say.
    pub members: Option<u32>,
    /// Members who take calls of this queue and could take one now, those whose phone rings among them: see
    /// [`crate::agent::AgentState::is_free`]. `None` when members are not known.
    pub members_available: Option<u32>,
    /// Events were missed so lately that somebody may wait of whom nothing was heard.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub missed_lately: bool,
    /// What keeps the other members; nobody where members are not known.
    pub members_busy: Busy,
    /// What this queue promises.
    pub policy: ServiceLevelPolicy,
    /// By which definition its service level is counted. Not sent to screens, which show the number alone.
    #[serde(skip)]
    pub definition: Definition,
    /// The service level of today by every definition. Not sent to screens.
    #[serde(skip)]
    pub service_levels_today: ServiceLevels,
    /// Waiting callers beyond the threshold when this was made. Not sent to screens.
    #[serde(skip)]
    pub waiting_beyond_threshold: u32,
    /// How sure each number is.
    pub quality: QueueQuality,
}

/// The numbers of one queue, or of several together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Figures {
    /// Callers in the queue and not answered yet, whether or not a phone rings.
    pub waiting: u32,
    /// Earliest start among them.
    pub oldest_waiting_since: Option<Timestamp>,
    /// While some are unconfirmed: the earliest start among the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_waiting_since: Option<Timestamp>,
    /// Those of the waiting for whom at least one member's phone rings now.
    pub ringing: u32,
    /// Callers of this queue connected to someone and not held.
    pub talking: u32,
    /// Callers of this queue who were answered and are held or parked.
    pub on_hold: u32,
    /// Of the waiting, talking and held, those of whom nothing was heard since a gap.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unconfirmed: u32,
    /// Visits that entered since local midnight.
    pub offered_today: u32,
    /// Of these, held against Zoom's record: entered, left and how are by it. Waits of the others begin with
    /// the first ring, so that they are too short.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub measured_today: u32,
    /// Of the offered, answered.
    pub answered_today: u32,
    /// Of these, abandoned, the short ones left out.
    pub abandoned_today: u32,
    /// Of these, abandoned within the policy's short time.
    pub short_abandoned_today: u32,
    /// Of these, the service level.
    pub service_level_today: ServiceLevel,
}

impl Figures {
    /// Since when somebody waits of whom something was heard since the newest gap: who is only unconfirmed may
    /// have left long ago.
    pub fn surely_waiting_since(&self) -> Option<Timestamp> {
        if self.unconfirmed == 0 { self.oldest_waiting_since } else { self.heard_waiting_since }
    }

    /// Visits of today that ended neither by an answer nor by hanging up: voicemail, another queue,
    /// another place, a closed queue. It is what is left of the offered; a caller who has been waiting
    /// since before midnight makes it one too small.
    pub fn went_elsewhere_today(&self) -> u32 {
        let told = [self.answered_today, self.abandoned_today, self.short_abandoned_today, self.waiting];
        told.into_iter().fold(self.offered_today, u32::saturating_sub)
    }
}

/// Nearly always: not worth its place in every frame.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields so")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// All queues of a board together; people and callers counted once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Totals {
    /// Sums, and the earliest of the earliest.
    pub figures: Figures,
    /// Distinct members of these queues.
    pub members: u32,
    /// Of these, available.
    pub members_available: u32,
    /// What keeps the others.
    pub members_busy: Busy,
    /// True when at least one queue's members are not known.
    pub members_incomplete: bool,
    /// Waiting callers beyond their queue's threshold when this was made.
    pub waiting_beyond_threshold: u32,
    /// The target that all these queues share, in thousandths; `None` when they differ.
    pub shared_target_permille: Option<u16>,
    /// The threshold that all these queues share; `None` when they differ.
    pub shared_threshold_seconds: Option<u32>,
    /// Queues that are not in the directory and have no row, being too many; they are counted here all the same.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unlisted: u32,
}

/// What a queue adds to [`Totals`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share {
    pub(crate) figures: Figures,
    pub(crate) waiting_beyond_threshold: u32,
    pub(crate) policy: ServiceLevelPolicy,
    pub(crate) members_known: bool,
}

impl From<&QueueView> for Share {
    fn from(queue: &QueueView) -> Self {
        Self {
            figures: queue.figures,
            waiting_beyond_threshold: queue.waiting_beyond_threshold,
            policy: queue.policy,
            members_known: queue.members.is_some(),
        }
    }
}

impl Totals {
    /// Their members who could take a call that comes now; `None` where nobody knows.
    pub fn idle(&self) -> Option<u32> {
        surely_free(self.members_busy.idle(self.members_available), self.members_busy.unknown)
    }

    /// Of these queues, and how many of them have known members; people, who may be members of several, are not in it.
    pub(crate) fn of(shares: impl Iterator<Item = Share>) -> (Self, usize) {
        let mut totals = Self::default();
        let mut staffed = 0;
        let (mut threshold, mut target) = (Shared::Nobodys, Shared::Nobodys);
        for Share { figures, waiting_beyond_threshold, policy, members_known } in shares {
            totals.figures = totals.figures.plus(figures);
            totals.waiting_beyond_threshold += waiting_beyond_threshold;
            totals.members_incomplete |= !members_known;
            staffed += usize::from(members_known);
            threshold = threshold.with(policy.threshold_seconds);
            target = target.with(policy.target_permille);
        }
        totals.shared_threshold_seconds = threshold.value();
        totals.shared_target_permille = target.value();
        (totals, staffed)
    }
}

/// What several have in common.
#[derive(Debug, Clone, Copy)]
enum Shared<T> {
    Nobodys,
    Everybodys(T),
    Mixed,
}

impl<T: PartialEq> Shared<T> {
    fn with(self, value: T) -> Self {
        match self {
            Self::Nobodys => Self::Everybodys(value),
            Self::Everybodys(known) if known == value => Self::Everybodys(value),
            _ => Self::Mixed,
        }
    }

    fn value(self) -> Option<T> {
        match self {
            Self::Everybodys(value) => Some(value),
            Self::Nobodys | Self::Mixed => None,
        }
    }
}

/// What keeps members from being counted as available. Who is neither available nor counted here takes no
/// calls now: has opted out, does not want to be disturbed, or is signed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Busy {
    /// On a call of any kind, held or not.
    pub on_calls: u32,
    /// Left alone by their queue for a while after its call.
    pub wrap_up: u32,
    /// A phone of theirs rings and they are on no call. They are counted as available, too: they could take
    /// the call that rings, but no other.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub ringing: u32,
    /// It is not known what they do: nothing was heard of them since events may have been missed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unknown: u32,
}

impl Busy {
    /// Of so many who are available, those who could take a call that comes now: no phone of theirs rings.
    pub fn idle(&self, available: u32) -> u32 {
        available.saturating_sub(self.ringing)
    }

    /// Of so many members, those who neither are available nor are kept by anything.
    pub fn away(&self, members: u32, available: u32) -> u32 {
        [available, self.on_calls, self.wrap_up, self.unknown].into_iter().fold(members, u32::saturating_sub)
    }
}

/// How many are free, where so many are known to be; `None` where nobody knows: none is known to be, and those
/// of whom nothing was heard may be.
pub(crate) fn surely_free(free: u32, unknown: u32) -> Option<u32> {
    (free > 0 || unknown == 0).then_some(free)
}

/// How sure each number of a queue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueQuality {
    /// Of `waiting` and `oldest_waiting_since`.
    pub waiting: Quality,
    /// Of `ringing`, `talking` and `on_hold`.
    pub calls: Quality,
    /// Of `members`.
    pub members: Quality,
    /// Of `members_available`.
    pub available: Quality,
    /// Of everything that counts since midnight.
    pub today: Quality,
}

/// How much a queue needs a person now. Unknown never looks like normal: see [`crate::trust`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing to do.
    #[default]
    Normal,
    /// Keep an eye on it: somebody waits beyond the threshold or with nobody free. About now alone: a
    /// promise that was broken this morning is no reason to look at a queue all day.
    Watch,
    /// Act: somebody has been waiting beyond the threshold for [`ACT_AFTER`], and that is no mere memory from
    /// before a gap.
    Act,
}

/// How long a caller must have waited beyond the threshold before a row turns to [`Level::Act`].
pub const ACT_AFTER: Duration = Duration::from_secs(10);
/// Fewer decided visits than this say nothing about a service level.
pub const SMALL_SAMPLE: u32 = 10;

impl QueueView {
    /// How much this queue needs a person at `now`.
    pub fn level(&self, now: Timestamp) -> Level {
        let wait = |since: Option<Timestamp>| since.map(|since| now.since(since));
        let threshold = self.policy.threshold();
        let is_overdue = |wait: Duration| wait >= threshold + ACT_AFTER;
        match wait(self.figures.oldest_waiting_since) {
            _ if wait(self.figures.surely_waiting_since()).is_some_and(is_overdue) => Level::Act,
            Some(wait) if wait >= threshold || self.members_available == Some(0) => Level::Watch,
            _ => Level::Normal,
        }
    }

    /// True when it has members and none of them is free: further callers may wait for whom no phone
    /// rings, and nobody can see them.
    pub fn nobody_free(&self) -> bool {
        self.members.is_some_and(|members| members > 0)
            && self.members_available == Some(0)
            && self.quality.available != Quality::Unknown
    }

    /// True where more callers may wait than are seen: events were missed a moment ago, or nobody is known to be
    /// free, so that for some no phone may ring. It makes no difference whether all are busy, nothing was heard of
    /// them, or nobody knows who they are.
    pub fn may_hide_callers(&self) -> bool {
        self.missed_lately
            || self.members != Some(0) && self.members_available.is_none_or(|available| available == 0)
    }

    /// Its members who could take a call that comes now; `None` where nobody knows.
    pub fn idle(&self) -> Option<u32> {
        let available = self.members_available.filter(|_| self.quality.available != Quality::Unknown)?;
        surely_free(self.members_busy.idle(available), self.members_busy.unknown)
    }

    /// True when enough visits are decided today and too few of them were answered in time.
    pub fn misses_target(&self) -> bool {
        let today = self.figures.service_level_today;
        today.decided >= SMALL_SAMPLE
            && today.permille().is_some_and(|permille| permille < self.policy.target_permille)
    }
}

/// Order by trouble: worst level first, then the longest wait, then the most waiting, then by name. Where
/// nothing is to be done, by name alone: a caller who is answered in time moves no row.
pub fn by_trouble(a: &QueueView, b: &QueueView, now: Timestamp) -> std::cmp::Ordering {
    let is_calm = a.level(now) == Level::Normal && b.level(now) == Level::Normal;
    let figures = |queue: &QueueView| if is_calm { Figures::default() } else { queue.figures };
    let wait = |queue: &QueueView| figures(queue).oldest_waiting_since.map(|since| now.since(since));
    b.level(now)
        .cmp(&a.level(now))
        .then_with(|| wait(b).cmp(&wait(a)))
        .then_with(|| figures(b).waiting.cmp(&figures(a).waiting))
        .then_with(|| a.name.cmp(&b.name))
        .then_with(|| a.id.cmp(&b.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_266_131_000);

    fn queue(waits: Option<u64>, free: u32, met: u32) -> QueueView {
        QueueView {
            id: QueueId::from("q"),
            name: String::new(),
            extension_number: None,
            figures: Figures {
                waiting: u32::from(waits.is_some()),
                oldest_waiting_since: waits.map(|seconds| NOW - Duration::from_secs(seconds)),
                service_level_today: ServiceLevel { met, decided: 100 },
                ..Figures::default()
            },
            members: Some(3),
            members_available: Some(free),
            missed_lately: false,
            members_busy: Busy::default(),
            policy: ServiceLevelPolicy::default(),
            definition: Definition::default(),
            service_levels_today: ServiceLevels::default(),
            waiting_beyond_threshold: 0,
            quality: QueueQuality {
                waiting: Quality::Inferred,
                calls: Quality::Live,
                members: Quality::Measured,
                available: Quality::Live,
                today: Quality::Live,
            },
        }
    }

    #[test]
    fn a_queue_is_watched_for_what_is_now() {
        let level = |waits, free, met| queue(waits, free, met).level(NOW);
        assert_eq!(level(None, 1, 10), Level::Normal, "a bad morning is no reason");
        assert_eq!(level(Some(19), 1, 10), Level::Normal);
        assert_eq!(level(Some(3), 0, 100), Level::Watch);
        assert_eq!((level(Some(20), 1, 100), level(Some(30), 1, 100)), (Level::Watch, Level::Act));
        assert!(queue(None, 1, 10).misses_target());
    }

    #[test]
    fn a_caller_who_is_answered_in_time_moves_no_row() {
        let named = |name: &str, waits| QueueView { name: name.to_owned(), ..queue(waits, 1, 100) };
        let order = |a: &QueueView, b: &QueueView| by_trouble(a, b, NOW);
        assert!(order(&named("a", None), &named("b", Some(12))).is_lt());
        assert!(order(&named("a", None), &named("b", Some(20))).is_gt());
        assert!(order(&named("a", Some(21)), &named("b", Some(25))).is_gt());
    }

    #[test]
    fn nobody_is_overdue_who_is_only_unconfirmed() {
        let mut doubtful = queue(Some(90), 1, 100);
        doubtful.figures.unconfirmed = 1;
        assert_eq!(doubtful.level(NOW), Level::Watch);
        doubtful.figures.heard_waiting_since = Some(NOW - Duration::from_secs(12));
        assert_eq!(doubtful.level(NOW), Level::Watch);
        doubtful.figures.heard_waiting_since = Some(NOW - Duration::from_secs(40));
        assert_eq!(doubtful.level(NOW), Level::Act, "another one is");
    }

    #[test]
    fn nobody_is_free_only_where_there_are_members() {
        assert!(queue(None, 0, 0).nobody_free() && !queue(None, 1, 0).nobody_free());
        assert!(!QueueView { members: Some(0), ..queue(None, 0, 0) }.nobody_free());
        let unheard = QueueQuality { available: Quality::Unknown, ..queue(None, 0, 0).quality };
        assert!(!QueueView { quality: unheard, ..queue(None, 0, 0) }.nobody_free());
        assert!(!QueueView { members: None, members_available: None, ..queue(None, 0, 0) }.nobody_free());
    }

    #[test]
    fn nobody_vouches_for_how_many_wait_where_nobody_is_known_to_be_free() {
        assert!(queue(None, 0, 0).may_hide_callers() && !queue(None, 1, 0).may_hide_callers());
        let unheard = QueueQuality { available: Quality::Unknown, ..queue(None, 0, 0).quality };
        assert!(QueueView { quality: unheard, ..queue(None, 0, 0) }.may_hide_callers(), "after a gap");
        assert!(QueueView { members: None, members_available: None, ..queue(None, 0, 0) }.may_hide_callers());
        assert!(
            !QueueView { members: Some(0), ..queue(None, 0, 0) }.may_hide_callers(),
            "no phone ever rings"
        );
        assert!(
            QueueView { missed_lately: true, ..queue(None, 1, 0) }.may_hide_callers(),
            "who came in the gap"
        );
    }

    #[test]
    fn nobody_is_surely_busy_of_whom_nothing_was_heard() {
        let idle = |free, ringing, unknown| {
            let members_busy = Busy { ringing, unknown, ..Busy::default() };
            let totals = Totals { members_busy, members_available: free, ..Totals::default() };
            let idle = QueueView { members_busy, ..queue(None, free, 0) }.idle();
            assert_eq!(totals.idle(), idle, "together as each by itself");
            idle
        };
        assert_eq!((idle(2, 1, 0), idle(2, 1, 1), idle(2, 2, 0)), (Some(1), Some(1), Some(0)));
        assert_eq!((idle(2, 2, 1), idle(0, 0, 1)), (None, None), "the unknown one may be free");
    }
}
