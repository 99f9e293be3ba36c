//! The whole live state: every call until it is settled, every queue's figures, who is busy.
//!
//! One task owns a [`Board`] and applies inputs to it one by one; everybody else gets views. The
//! board keeps its sums up to date by taking out what a call contributed before and putting in
//! what it contributes now, so that applying one event costs the same however many calls are over.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::{
    agent::{
        part::{Part, part_of, parts},
        presence::PresenceFact,
    },
    call::{Call, CallState, Leg, soonest},
    directory::{Directory, DirectoryQueue},
    fact::{Fact, What},
    id::{CallId, IdMap, IdSet, QueueId, ZoneName},
    quality::Quality,
    queue::{QueueMention, Visit, VisitPhase, visits},
    service_level::PromiseBook,
    time::Timestamp,
    trust::{Freshness, Gap, Trust, hears_all_waits, hears_whole_calls, server_freshness},
    view::{BoardView, QueueQuality, QueueView, Share, Totals, surely_free},
};

mod agents;
mod book;
mod calls;
mod chronicle;
mod detail;
mod live;
mod people;
mod snapshot;
mod tally;

pub use detail::{LostVisit, QueueDetail};
pub use live::{CallPhase, Consultation, LiveCall};
pub use snapshot::BoardSnapshot;

use book::QueueBook;
use calls::{Calls, Place};
use chronicle::Chronicle;
use people::{Owners, People};
use tally::{Tally, Today};

/// A call that has been over for this long is settled: its visits stay counted, its facts are dropped.
///
/// News about it only counts as late, save that a record still goes into its history. Longer than any late
/// delivery seen.
pub const SETTLE_AFTER: Duration = Duration::from_secs(4 * 3600);
/// News may be dated later than our clock says by this much; beyond that it is not believed.
pub const CLOCK_SKEW: Duration = Duration::from_secs(10 * 60);
/// Facts of one call that are believed, records counted by what is in them. The longest calls have tens;
/// working one out takes the square.
pub const MOST_FACTS: usize = 2_000;
/// Today began at most this long before it began at home, in whatever zone.
pub const LONGEST_DAY: Duration = Duration::from_secs(26 * 3600);
/// How long the ids of settled calls are remembered.
const REMEMBER_SETTLED: Duration = Duration::from_secs(48 * 3600);

/// Everything that can change the board.
#[derive(Debug, Clone)]
pub enum Input {
    /// Things that happened to calls. Told together or one by one, in whatever order, they give the
    /// same board; together, each call is worked out but once.
    Facts(Vec<Fact>),
    /// What people's clients say of them, in any order.
    Presences(Vec<PresenceFact>),
    /// Events may have been missed.
    Gap(Gap),
    /// What was heard of people before this is doubted from now on, as [`crate::agent::doubted_before`] says.
    Doubt(Option<Timestamp>),
    /// What the operator promises was read.
    Promises(PromiseBook),
    /// The directory was read.
    Directory(Directory),
    /// Some queues of the directory were read again, or are gone; the others are as they were.
    Queues {
        /// As they are now, new ones among them.
        read: Vec<DirectoryQueue>,
        /// Those that are in the directory no more.
        gone: Vec<QueueId>,
    },
    /// When today began, for the installation's zone and for every zone of a queue.
    Midnights(Midnights),
    /// Time passed.
    Tick,
}

/// Local midnights.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Midnights {
    /// In the installation's own zone.
    pub home: Timestamp,
    /// In the zones of queues that name one.
    pub zones: BTreeMap<ZoneName, Timestamp>,
}

impl Midnights {
    /// When today began for a queue.
    pub fn of(&self, zone: Option<&ZoneName>) -> Timestamp {
        zone.and_then(|zone| self.zones.get(zone)).copied().unwrap_or(self.home)
    }

    /// When the longest of all these days began.
    pub fn earliest(&self) -> Timestamp {
        self.zones.values().copied().fold(self.home, Timestamp::min)
    }
}

/// What was surprising, counted and shown, never an error.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anomalies {
    /// News about a call that was settled or began too long ago.
    pub late: u64,
    /// News from the future: a clock somewhere is wrong by more than [`CLOCK_SKEW`].
    pub future: u64,
    /// When news last came from the future.
    pub future_at: Option<Timestamp>,
    /// How many in a row, up to the newest news: one alone is a slip, many are a wrong clock.
    pub future_in_a_row: u64,
    /// News that was known, though the journal had not seen that message before.
    pub repeated: u64,
    /// News about a call that had told more than any call does ([`MOST_FACTS`]).
    pub crowded: u64,
}

/// The live state.
#[derive(Debug, Default)]
pub struct Board {
    book: QueueBook,
    midnights: Midnights,
    calls: Calls,
    due: BTreeSet<(Timestamp, Place)>,
    settled: IdMap<CallId, Timestamp>,
    settled_visits: Vec<SettledVisit>,
    tallies: IdMap<QueueId, Tally>,
    people: People,
    /// When anything was last applied.
    now: Timestamp,
    /// The end of the newest time in which events may have been missed.
    deaf_until: Option<Timestamp>,
    changed: IdSet<QueueId>,
    removed: BTreeSet<QueueId>,
    anomalies: Anomalies,
    chronicle: Option<Chronicle>,
}

#[derive(Debug)]
struct TrackedCall {
    id: CallId,
    call: Call,
    state: CallState,
    /// Every name by which it means a queue.
    mentions: Vec<Arc<QueueMention>>,
    visits: Vec<Visit>,
    /// In the order of people.
    parts: Vec<(usize, Part)>,
    /// Who has its phones, as far as that was asked: most news name nobody new.
    owners: Owners,
    due_at: Option<Timestamp>,
    /// When the newest news of it arrived.
    heard_at: Timestamp,
}

/// A visit of a settled call, kept to be counted anew at midnight or when the queue is named anew.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct SettledVisit {
    queue_id: QueueId,
    mention: Arc<QueueMention>,
    /// Its mention is in the book: since home's midnight.
    is_named: bool,
    entered_at: Timestamp,
    counts: Today,
    /// What is told of it when the caller left.
    lost: Option<Box<LostVisit>>,
}

impl Board {
    /// An empty board.
    pub fn new() -> Self {
        Self::default()
    }

    /// Applies one input at `now`. Which queues changed is told by [`Board::take_changes`].
    pub fn apply(&mut self, now: Timestamp, input: Input) {
        self.now = now;
        // What was due before comes first, however seldom time is told.
        self.let_time_pass(now);
        match input {
            Input::Facts(facts) => {
                let mut told: Vec<Place> =
                    facts.into_iter().filter_map(|fact| self.learn(now, fact)).collect();
                told.sort_unstable();
                told.dedup();
                self.derive(now, &told);
            }
            Input::Presences(facts) => self.hear_presences(now, &facts),
            Input::Gap(gap) => self.miss(now, gap),
            Input::Doubt(before) => self.changed.extend(self.people.doubt(before, now)),
            Input::Promises(promises) => {
                self.book.promise(promises);
                self.derive_all(now);
            }
            Input::Directory(directory) => self.read_directory(now, directory),
            Input::Queues { read, gone } => self.read_queues(now, read, &gone),
            Input::Midnights(midnights) => self.set_midnights(now, midnights),
            Input::Tick => {}
        }
        self.let_time_pass(now);
    }

    /// Takes a fact in; its call when that has to be worked out anew.
    fn learn(&mut self, now: Timestamp, fact: Fact) -> Option<Place> {
        let known = self.calls.place(&fact.call_id);
        // What was written down of a call that nobody heard of may come hours later, and still counts.
        let believed_after = match &*fact.what {
            What::Recorded(_) => (self.midnights.home - LONGEST_DAY).min(now - SETTLE_AFTER),
            _ => now - SETTLE_AFTER,
        };
        if known.is_none() && (fact.at < believed_after || self.settled.contains_key(&fact.call_id)) {
            match &*fact.what {
                What::Recorded(record) if self.chronicle.is_some() => {
                    self.note_late_record(&fact.call_id, record);
                }
                _ => self.anomalies.late += 1,
            }
            return None;
        }
        if fact.latest_time() > now + CLOCK_SKEW {
            self.note_future(now);
            return None;
        }
        self.anomalies.future_in_a_row = 0;
        let place = known.unwrap_or_else(|| self.calls.insert(TrackedCall::new(fact.call_id.clone(), now)));
        let tracked = &mut self.calls[place];
        if tracked.call.fact_count() >= MOST_FACTS {
            self.anomalies.crowded += 1;
            return None;
        }
        // All facts of a call share its id.
        let fact = Fact { call_id: tracked.id.clone(), ..fact };
        if !tracked.call.learn(fact) {
            self.anomalies.repeated += 1;
            return None;
        }
        tracked.heard_at = tracked.heard_at.max(now);
        self.note_news(place);
        Some(place)
    }

    fn note_future(&mut self, now: Timestamp) {
        self.anomalies.future += 1;
        self.anomalies.future_in_a_row += 1;
        self.anomalies.future_at = Some(now);
    }

    /// Works some calls out anew, and all of them when they told that a name means another queue.
    fn derive(&mut self, now: Timestamp, places: &[Place]) {
        for &place in places {
            self.observe(now, place);
        }
        if self.settle_names() {
            self.derive_all(now);
            return;
        }
        for &place in places {
            self.count(now, place);
        }
    }

    /// Derives the state of a call, and with it the names it says.
    fn observe(&mut self, now: Timestamp, place: Place) {
        let tracked = &mut self.calls[place];
        tracked.state = tracked.call.state(now);
        let mentions = QueueMention::all(&tracked.state);
        if mentions == tracked.mentions {
            return;
        }
        for mention in &mentions {
            self.book.mention(mention);
        }
        for mention in std::mem::replace(&mut tracked.mentions, mentions) {
            self.book.withdraw(&mention);
        }
    }

    /// Lets names mean what calls say now; true when that moves what other calls have said.
    fn settle_names(&mut self) -> bool {
        let renaming = self.book.settle_names();
        for id in &renaming.removed {
            self.tallies.remove(id);
        }
        self.removed.extend(renaming.removed);
        renaming.moved
    }

    /// Moves what an observed call contributes.
    fn count(&mut self, now: Timestamp, place: Place) {
        let mut calls = std::mem::take(&mut self.calls);
        self.count_anew(now, place, &mut calls[place]);
        self.calls = calls;
    }

    fn count_anew(&mut self, now: Timestamp, place: Place, tracked: &mut TrackedCall) {
        let book = &self.book;
        let (mut visits, visits_change_at) = visits(&tracked.state, now, &mut |mention| book.find(mention));
        if self.is_unconfirmed(tracked) {
            visits.iter_mut().for_each(|visit| visit.unconfirmed = true);
        }
        if visits != tracked.visits {
            self.take_out(&tracked.visits);
            self.put_in(&visits);
            let is_gone = |before: &&Visit| visits.iter().all(|visit| visit.queue_id != before.queue_id);
            let touched = visits.iter().chain(tracked.visits.iter().filter(is_gone));
            self.changed.extend(touched.map(|visit| visit.queue_id.clone()));
            self.note_history(&tracked.id, &tracked.visits, &visits);
            tracked.visits = visits;
        }
        let parts = self.parts(&tracked.state, &mut tracked.owners);
        self.change_parts(now, place, &tracked.parts, &parts);
        tracked.parts = parts;

        let mut due_at = tracked.state.next_change_at;
        if let Some(at) = visits_change_at {
            soonest(&mut due_at, at);
        }
        // Never due at once: whatever a rule says, time has to pass before it is asked again.
        let later = now + Duration::from_millis(1);
        let due_at = match due_at {
            Some(at) => at.max(later),
            // Over: nothing changes any more but that it is settled, which ends it.
            None if tracked.is_over() => tracked.settles_at(now),
            None => tracked.settles_at(now).max(later),
        };
        if tracked.due_at != Some(due_at) {
            if let Some(before) = tracked.due_at.replace(due_at) {
                self.due.remove(&(before, place));
            }
            self.due.insert((due_at, place));
        }
    }

    /// Whatever went on before a gap may have ended in it: it is in doubt until news of it come again. What may
    /// have no record is taken to have ended in it when none came for [`crate::trust::LONG_CALL`].
    fn miss(&mut self, now: Timestamp, gap: Gap) {
        let Some(until) = gap.to.filter(|until| self.deaf_until < Some(*until)) else { return };
        self.deaf_until = Some(until);
        let goes_on = |place: &Place| {
            let tracked = &self.calls[*place];
            self.is_unconfirmed(tracked) && !tracked.is_over()
        };
        let in_doubt: Vec<Place> = self.calls.places().filter(goes_on).collect();
        for &place in &in_doubt {
            self.calls[place].call.doubt(until);
        }
        self.derive(now, &in_doubt);
    }

    /// Nothing was heard of it since the end of the newest gap.
    fn is_unconfirmed(&self, tracked: &TrackedCall) -> bool {
        self.deaf_until.is_some_and(|until| tracked.heard_at < until)
    }

    fn put_in(&mut self, visits: &[Visit]) {
        for visit in visits {
            let midnight = self.midnights.of(self.book.zone(&visit.queue_id));
            self.tallies.entry(visit.queue_id.clone()).or_default().put_in(visit, midnight);
        }
    }

    /// Takes out what [`Board::put_in`] put in.
    fn take_out(&mut self, visits: &[Visit]) {
        for visit in visits {
            let midnight = self.midnights.of(self.book.zone(&visit.queue_id));
            if let Some(tally) = self.tallies.get_mut(&visit.queue_id) {
                tally.take_out(visit, midnight);
            }
        }
    }

    /// What a call means for each agent in it.
    fn parts(&self, call: &CallState, owners: &mut Owners) -> Vec<(usize, Part)> {
        owners.stay_few(call.legs.len());
        parts(call, |leg| owners.of(leg, &self.people), |leg| self.offering_queue(leg))
    }

    /// The queue that offered a call to a phone.
    fn offering_queue(&self, leg: &Leg) -> Option<QueueId> {
        leg.queue.as_ref().map(|mention| self.book.meaning(mention))
    }

    fn change_parts(&mut self, now: Timestamp, place: Place, old: &[(usize, Part)], new: &[(usize, Part)]) {
        let (mut old, mut new) = (old, new);
        // Both are in the order of people.
        while let Some(index) = old.first().into_iter().chain(new.first()).map(|(index, _)| *index).min() {
            let parts = (part_of(&mut old, &index), part_of(&mut new, &index));
            let queues = self.people.change_part(index, place, parts, self.midnights.home, now);
            self.changed.extend(queues.iter().cloned());
        }
    }

    fn hear_presences(&mut self, now: Timestamp, facts: &[PresenceFact]) {
        for fact in facts {
            if fact.at > now + CLOCK_SKEW {
                self.note_future(now);
                continue;
            }
            self.anomalies.future_in_a_row = 0;
            self.changed.extend(self.people.hear_presence(fact, now).iter().cloned());
        }
    }

    /// Works out anew every call whose time has come, and settles those that are long over.
    fn let_time_pass(&mut self, now: Timestamp) {
        while let Some(due_at) = self.due.first().map(|(at, _)| *at).filter(|at| *at <= now) {
            let together = self.due.iter().take_while(|(at, _)| *at == due_at);
            let mut places: Vec<Place> = together.map(|(_, place)| *place).collect();
            // Places say nothing of order, and what is settled is kept in the order in which it was.
            places.sort_by(|a, b| self.calls[*a].id.cmp(&self.calls[*b].id));
            for place in places {
                // Working out one may have put off others.
                if self.due.remove(&(due_at, place)) {
                    self.fall_due(now, place);
                }
            }
        }
        while let Some(queues) = self.people.let_time_pass(now) {
            self.changed.extend(queues.iter().cloned());
        }
    }

    fn fall_due(&mut self, now: Timestamp, place: Place) {
        let tracked = &mut self.calls[place];
        tracked.due_at = None;
        if tracked.is_over() && tracked.settles_at(now) <= now {
            self.settle(now, place);
        } else {
            self.derive(now, &[place]);
        }
    }

    fn settle(&mut self, now: Timestamp, place: Place) {
        let tracked = self.calls.remove(place);
        let left = parts(&tracked.state, people::owner, |leg| self.offering_queue(leg));
        self.change_parts(now, place, &tracked.parts, &[]);
        self.people.settle(left, self.midnights.home, now);
        self.note_settled(&tracked, now);
        let caller = tracked.caller();
        for visit in tracked.visits {
            let is_named = visit.entered_at >= self.midnights.home;
            if is_named {
                self.book.mention(&visit.mention);
            }
            self.settled_visits.push(SettledVisit {
                lost: LostVisit::of(&tracked.id, &visit, caller.as_deref()).map(Box::new),
                counts: Today::of(&visit),
                queue_id: visit.queue_id,
                mention: visit.mention,
                is_named,
                entered_at: visit.entered_at,
            });
        }
        for mention in &tracked.mentions {
            self.book.withdraw(mention);
        }
        self.settled.insert(tracked.id, now);
        if self.settle_names() {
            self.derive_all(now);
        }
    }

    fn read_directory(&mut self, now: Timestamp, directory: Directory) {
        let before: Vec<QueueId> = self.book.queues().map(|queue| queue.id.clone()).collect();
        self.people.read(&directory, now);
        if self.book.read(directory) {
            self.derive_all(now);
        } else {
            // Who is a member changes all day long; what a name means does not.
            let mut calls = std::mem::take(&mut self.calls);
            for (place, tracked) in calls.iter_mut() {
                tracked.owners = Owners::default();
                tracked.parts = self.parts(&tracked.state, &mut tracked.owners);
                self.change_parts(now, place, &[], &tracked.parts);
            }
            self.calls = calls;
        }
        for id in before {
            if self.book.get(&id).is_none() {
                self.removed.insert(id);
            }
        }
        self.changed.extend(self.book.queues().map(|queue| queue.id.clone()));
    }

    /// Who takes calls changes all day long: that is looked at alone, whatever else there is.
    fn read_queues(&mut self, now: Timestamp, read: Vec<DirectoryQueue>, gone: &[QueueId]) {
        let is_same_crew =
            |queue: &DirectoryQueue| self.book.get(&queue.id).is_some_and(|known| known.is_same_crew(queue));
        if gone.is_empty() && read.iter().all(is_same_crew) {
            for queue in read {
                self.changed.extend(self.people.open(&queue, now));
                self.book.read_again(queue);
            }
            return;
        }
        let mut queues = self.book.directory().queues;
        queues.retain(|queue| !gone.contains(&queue.id) && !read.iter().any(|new| new.id == queue.id));
        queues.extend(read);
        self.read_directory(now, Directory { queues });
    }

    /// Starts the sums anew. Rare: the directory or the names of queues changed.
    fn derive_all(&mut self, now: Timestamp) {
        let places: Vec<Place> = self.calls.places().collect();
        for &place in &places {
            self.observe(now, place);
        }
        // Whatever that moves is counted below.
        self.settle_names();
        for tally in self.tallies.values_mut() {
            *tally = Tally::default();
        }
        for visit in &mut self.settled_visits {
            visit.queue_id = self.book.meaning(&visit.mention);
            if visit.entered_at >= self.midnights.of(self.book.zone(&visit.queue_id)) {
                self.tallies.entry(visit.queue_id.clone()).or_default().today.add(&visit.counts);
            }
        }
        self.people.leave_all(now);
        self.due.clear();
        for (_, tracked) in self.calls.iter_mut() {
            tracked.visits.clear();
            tracked.parts.clear();
            tracked.owners = Owners::default();
            tracked.due_at = None;
        }
        for place in places {
            self.count(now, place);
        }
        self.changed.extend(self.tallies.keys().cloned());
    }

    fn set_midnights(&mut self, now: Timestamp, midnights: Midnights) {
        if midnights == self.midnights {
            return;
        }
        let before = std::mem::replace(&mut self.midnights, midnights);
        let mut recounted = IdMap::default();
        for id in self.tallies.keys() {
            let zone = self.book.zone(id);
            if before.of(zone) != self.midnights.of(zone) {
                recounted.insert(id.clone(), self.midnights.of(zone));
            }
        }
        for id in recounted.keys() {
            if let Some(tally) = self.tallies.get_mut(id) {
                tally.today = Today::default();
            }
        }
        // A queue that only yesterday's calls have named has no row today.
        for visit in &mut self.settled_visits {
            if visit.is_named && visit.entered_at < self.midnights.home {
                visit.is_named = false;
                self.book.withdraw(&visit.mention);
            }
        }
        // No zone's day is longer ago; zones that are not known yet have theirs, too.
        let earliest = self.midnights.home - LONGEST_DAY;
        self.settled_visits.retain(|visit| visit.entered_at >= earliest);
        for visit in &self.settled_visits {
            if let Some(midnight) = recounted.get(&visit.queue_id)
                && visit.entered_at >= *midnight
                && let Some(tally) = self.tallies.get_mut(&visit.queue_id)
            {
                tally.today.add(&visit.counts);
            }
        }
        for visit in self.calls.iter().flat_map(|tracked| &tracked.visits) {
            if let Some(midnight) = recounted.get(&visit.queue_id)
                && visit.entered_at >= *midnight
                && let Some(tally) = self.tallies.get_mut(&visit.queue_id)
            {
                tally.today.add(&Today::of(visit));
            }
        }
        if before.home != self.midnights.home {
            self.people.begin_day(earliest);
            for (index, part) in self.calls.iter().flat_map(|tracked| &tracked.parts) {
                self.people.recount(*index, part, self.midnights.home);
            }
        }
        let forget_before = self.midnights.home - REMEMBER_SETTLED;
        self.settled.retain(|_, settled_at| *settled_at >= forget_before);
        self.changed.extend(recounted.into_keys());
        if self.settle_names() {
            self.derive_all(now);
        }
    }

    /// The queues that changed and those that are gone since the last call of this.
    pub fn take_changes(&mut self) -> (BTreeSet<QueueId>, BTreeSet<QueueId>) {
        let mut removed = std::mem::take(&mut self.removed);
        let mut changed = std::mem::take(&mut self.changed);
        removed.retain(|id| self.book.get(id).is_none());
        changed.retain(|id| self.book.get(id).is_some());
        (changed.into_iter().collect(), removed)
    }

    /// When the board next changes by itself.
    pub fn next_due(&self) -> Option<Timestamp> {
        let calls = self.due.first().map(|(at, _)| *at);
        calls.into_iter().chain(self.people.next_due()).min()
    }

    /// What was surprising so far.
    pub fn anomalies(&self) -> Anomalies {
        self.anomalies
    }

    /// How many queues calls have named so far that the directory does not know.
    pub fn unresolved_so_far(&self) -> u64 {
        self.book.admitted()
    }

    /// Zones that queues name, for [`Input::Midnights`].
    pub fn zones(&self) -> BTreeSet<ZoneName> {
        self.book.queues().filter_map(|queue| queue.zone.clone()).collect()
    }

    /// When the longest day of today began, in any zone of a queue.
    pub fn day_start(&self) -> Timestamp {
        self.midnights.earliest()
    }

    /// Calls kept in memory: live ones and those not settled yet.
    pub fn call_count(&self) -> usize {
        self.calls.len()
    }

    /// The same, and their legs.
    pub fn size(&self) -> (usize, usize) {
        (self.call_count(), self.calls.iter().map(|tracked| tracked.state.legs.len()).sum())
    }

    /// The row of one queue.
    pub fn queue_view(&self, id: &QueueId, now: Timestamp, trust: &Trust) -> Option<QueueView> {
        let queue = self.book.get(id)?;
        let tally = self.tallies.get(id);
        let figures = tally.map(Tally::figures).unwrap_or_default();
        // A gap that is not repaired may hide visits of which nothing tells.
        let midnight = self.midnights.of(queue.zone.as_ref());
        let is_measured = !trust.gap.is_some_and(|gap| gap.reaches_beyond(midnight))
            // Nor does anything tell of what was before this server listened.
            && trust.counting_since.is_none_or(|since| since <= midnight)
            && tally
                .is_some_and(|tally| tally.today.offered > 0 && tally.today.measured == tally.today.offered);
        let today = if is_measured { Quality::Measured } else { Quality::Inferred };
        let crew = queue.members.as_ref().and_then(|_| self.people.crew(id));
        let members = crew.map(|crew| crew.members);
        let is_heard = server_freshness(now, trust) == Freshness::Live;
        let of_calls = |quality| if is_heard { quality } else { Quality::Unknown };
        // Who talks since before anybody listened is not counted.
        let calls = if hears_whole_calls(now, trust) { Quality::Live } else { Quality::Inferred };
        let nobody_known = crew.is_some_and(|crew| surely_free(crew.free, crew.busy.unknown).is_none());
        let available = if nobody_known { Quality::Unknown } else { of_calls(calls) };
        let promise = self.book.rules(id).promises.at(now);
        Some(QueueView {
            id: id.clone(),
            name: queue.name.clone(),
            extension_number: queue.extension_number.clone(),
            figures,
            members,
            members_available: crew.map(|crew| crew.free),
            missed_lately: !hears_all_waits(now, trust),
            members_busy: crew.map(|crew| crew.busy).unwrap_or_default(),
            policy: promise.policy,
            definition: promise.definition,
            waiting_beyond_threshold: tally.map_or(0, |tally| tally.beyond_threshold),
            service_levels_today: tally.map(|tally| tally.today.service_levels).unwrap_or_default(),
            quality: QueueQuality {
                waiting: of_calls(Quality::Inferred),
                calls: of_calls(calls),
                members: members.map_or(Quality::Unknown, |_| Quality::Measured),
                available: members.map_or(Quality::Unknown, |_| available),
                today,
            },
        })
    }

    /// All queues, in the order of their names.
    pub fn queue_ids(&self) -> Vec<QueueId> {
        let mut queues: Vec<_> = self.book.queues().collect();
        queues.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.id.cmp(&b.id)));
        queues.into_iter().map(|queue| queue.id.clone()).collect()
    }

    /// The queues together; people and callers counted once.
    pub fn totals(&self, ids: &[QueueId]) -> Totals {
        let share = |id: &QueueId| {
            let queue = self.book.get(id)?;
            let tally = self.tallies.get(id);
            Some(Share {
                figures: tally.map(Tally::figures).unwrap_or_default(),
                waiting_beyond_threshold: tally.map_or(0, |tally| tally.beyond_threshold),
                policy: self.book.rules(id).promises.at(self.now).policy,
                members_known: queue.members.is_some(),
            })
        };
        let has_members = |id: &&QueueId| self.book.get(id).is_some_and(|queue| queue.members.is_some());
        let (totals, staffed) = Totals::of(ids.iter().filter_map(share));
        self.staffed(totals, staffed, ids.iter().filter(has_members))
    }

    /// The same of rows that were made of this board.
    pub fn totals_of<'a>(&self, rows: impl Iterator<Item = &'a QueueView> + Clone) -> Totals {
        let (totals, staffed) = Totals::of(rows.clone().map(Share::from));
        let ids = rows.filter(|row| row.members.is_some()).map(|row| &row.id);
        self.staffed(totals, staffed, ids)
    }

    /// The same with the people of those that have known members, of which there are so many.
    fn staffed<'a>(&self, totals: Totals, count: usize, ids: impl Iterator<Item = &'a QueueId>) -> Totals {
        let crew = self.people.count(ids, count);
        let (members, members_available, members_busy) = (crew.members, crew.free, crew.busy);
        Totals { members, members_available, members_busy, ..totals }
    }

    /// The whole board of `ids`.
    pub fn view(&self, ids: &[QueueId], revision: u64, now: Timestamp, trust: Trust) -> BoardView {
        BoardView {
            revision,
            as_of: now,
            totals: self.totals(ids),
            queues: ids.iter().filter_map(|id| self.queue_view(id, now, &trust)).collect(),
            trust,
        }
    }
}

impl TrackedCall {
    /// Nothing is known of it but that something will be told.
    fn new(id: CallId, heard_at: Timestamp) -> Self {
        let mut call = Call::default();
        let state = call.state(heard_at);
        let (mentions, visits, parts, owners) = (Vec::new(), Vec::new(), Vec::new(), Owners::default());
        Self { id, call, state, mentions, visits, parts, owners, due_at: None, heard_at }
    }

    /// Nothing about it changes any more without news.
    fn is_over(&self) -> bool {
        self.state.next_change_at.is_none() && self.visits.iter().all(|visit| visit.phase == VisitPhase::Over)
    }

    /// When it may be settled, should it be over by then.
    fn settles_at(&self, now: Timestamp) -> Timestamp {
        self.call.newest_fact_at().unwrap_or(now) + SETTLE_AFTER
    }
}
