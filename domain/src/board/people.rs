//! The members of all queues and what each does, so that who is free is a sum kept up to date.
//!
//! Calls add their parts and take them out again, like they do with the sums of queues.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use super::calls::Place;
use crate::{
    agent::{
        AgentState, Evidence, Standing,
        offer::OfferCounts,
        part::{Doing, Part},
        presence::{PresenceFact, PresenceHistory},
        view::{AgentView, Membership},
    },
    call::Leg,
    directory::{Directory, DirectoryQueue},
    fact::Party,
    id::{ExtensionId, IdMap, IdSet, QueueId, UserId},
    time::Timestamp,
    view::Busy,
};

/// The members of all queues, each person once, and what is known of what they do.
#[derive(Debug, Default)]
pub(super) struct People {
    people: Vec<Person>,
    by_user: IdMap<UserId, usize>,
    by_extension: IdMap<ExtensionId, usize>,
    crews: Vec<Crew>,
    by_queue: IdMap<QueueId, usize>,
    /// What clients said of anybody, agent or not: who is one may be known later.
    presences: IdMap<UserId, PresenceHistory>,
    /// What is left of settled calls, of anybody.
    past: IdMap<Owner, Past>,
    /// See [`Evidence::standing`].
    doubted_before: Option<Timestamp>,
    /// What everybody does, each person once.
    sum: Sum,
    due: BTreeSet<(Timestamp, usize)>,
    /// Those who are marked as changed.
    changed: Vec<usize>,
    removed: BTreeSet<UserId>,
}

/// Whose phone a leg is, as it says itself.
pub(super) type Owner = (Option<UserId>, Option<ExtensionId>);

/// Who the parties of a call are. A message names most of them in words that are shared, so that their place in
/// memory tells them apart; valid until the directory is read.
#[derive(Debug, Default)]
pub(super) struct Owners(Vec<(Arc<Party>, Option<usize>)>);

impl Owners {
    /// Starts anew when most of those who are kept can be in none of so many legs any more.
    pub(super) fn stay_few(&mut self, legs: usize) {
        if self.0.len() > 2 * legs + 8 {
            self.0.clear();
        }
    }

    /// The owner of a phone, if they are a member of a queue.
    pub(super) fn of(&mut self, leg: &Leg, people: &People) -> Option<usize> {
        let known = self.0.iter().find(|(party, _)| Arc::ptr_eq(party, &leg.party));
        if let Some((_, owner)) = known {
            return *owner;
        }
        let owner = people.find(leg);
        self.0.push((Arc::clone(&leg.party), owner));
        owner
    }
}

/// What settled calls leave behind of one person.
#[derive(Debug, Default, Clone, Copy, Serialize, Deserialize)]
struct Past {
    last_end: Option<Timestamp>,
    last_talk_end: Option<Timestamp>,
    /// Since midnight.
    today: OfferCounts,
}

#[derive(Debug)]
struct Person {
    id: UserId,
    name: String,
    queues: Vec<QueueId>,
    /// Their place in each of those, in the same order.
    seats: Vec<Seat>,
    /// What they do in each call they are in now, in no order.
    doing: Vec<Doing>,
    /// When their phones stopped.
    ends: BTreeSet<(Timestamp, Place)>,
    /// When their conversations were over.
    talk_ends: BTreeSet<(Timestamp, Place)>,
    /// When their conversations for queues were over.
    queue_talks: BTreeSet<(Timestamp, QueueId, Place)>,
    today: OfferCounts,
    past: Past,
    state: AgentState,
    due_at: Option<Timestamp>,
    /// Since changes were last taken.
    is_changed: bool,
}

/// A person's place among the members of a queue.
#[derive(Debug, Clone, Copy)]
struct Seat {
    /// Which of [`People::crews`].
    crew: usize,
    takes_calls: bool,
}

/// The members of one queue.
#[derive(Debug, Default)]
struct Crew {
    members: Vec<usize>,
    sum: Sum,
    wrap_up: Duration,
}

/// What [`People`] go by besides the directory.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PeopleSnapshot {
    presences: Vec<(UserId, PresenceHistory)>,
    past: Vec<(Owner, Past)>,
}

/// How many people there are, and what they do.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Sum {
    /// All of them.
    pub(super) members: u32,
    /// Those who take calls and could take one now.
    pub(super) free: u32,
    /// What keeps others.
    pub(super) busy: Busy,
}

impl Sum {
    /// Where people in that state count; nowhere if they take no calls now.
    fn place(&mut self, state: AgentState, takes_calls: bool) -> Option<&mut u32> {
        match state {
            _ if state.is_free() => takes_calls.then_some(&mut self.free),
            AgentState::WrapUp => Some(&mut self.busy.wrap_up),
            AgentState::Unknown => Some(&mut self.busy.unknown),
            _ if state.is_on_call() => Some(&mut self.busy.on_calls),
            _ => None,
        }
    }

    fn put(&mut self, state: AgentState, takes_calls: bool) {
        if let Some(count) = self.place(state, takes_calls) {
            *count += 1;
        }
        self.busy.ringing += u32::from(takes_calls && state == AgentState::Ringing);
    }

    fn take(&mut self, state: AgentState, takes_calls: bool) {
        if let Some(count) = self.place(state, takes_calls) {
            *count -= 1;
        }
        self.busy.ringing -= u32::from(takes_calls && state == AgentState::Ringing);
    }
}

impl People {
    pub(super) fn snapshot(&self) -> PeopleSnapshot {
        let mut presences: Vec<_> =
            self.presences.iter().map(|(id, history)| (id.clone(), history.clone())).collect();
        presences.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut past: Vec<_> = self.past.iter().map(|(owner, past)| (owner.clone(), *past)).collect();
        past.sort_by(|(one, _), (other, _)| one.cmp(other));
        PeopleSnapshot { presences, past }
    }

    /// Nobody yet, until the directory is read.
    pub(super) fn restore(snapshot: PeopleSnapshot) -> Self {
        let PeopleSnapshot { presences, past } = snapshot;
        Self {
            presences: presences.into_iter().collect(),
            past: past.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Takes over what is known of anybody from the directory's reading before.
    pub(super) fn read(&mut self, directory: &Directory, now: Timestamp) {
        let before = std::mem::take(self);
        let ids_before: BTreeSet<UserId> = before.people.into_iter().map(|person| person.id).collect();
        (self.presences, self.past, self.removed) = (before.presences, before.past, before.removed);
        self.doubted_before = before.doubted_before;
        for queue in &directory.queues {
            let Some(members) = &queue.members else { continue };
            let mut crew = Crew { wrap_up: queue.wrap_up.unwrap_or_default(), ..Crew::default() };
            let mut seen = IdSet::default();
            for member in members {
                let index = self.admit(&member.id, &member.name, member.extension_id.as_ref());
                if !seen.insert(index) {
                    continue;
                }
                crew.members.push(index);
                crew.sum.members += 1;
                let seat = Seat { crew: self.crews.len(), takes_calls: member.receives_calls };
                self.people[index].queues.push(queue.id.clone());
                self.people[index].seats.push(seat);
            }
            self.by_queue.insert(queue.id.clone(), self.crews.len());
            self.crews.push(crew);
        }
        let past: Vec<(Owner, Past)> = self.past.iter().map(|(owner, past)| (owner.clone(), *past)).collect();
        for (owner, past) in past {
            if let Some(index) = self.find_owner(&owner) {
                self.people[index].past.add(past);
            }
        }
        for index in 0..self.people.len() {
            self.refresh(index, now);
        }
        self.removed.extend(ids_before);
        let is_here = |id: &UserId| self.by_user.get(id).is_some_and(|&index| self.people[index].id == *id);
        self.removed.retain(|id| !is_here(id));
    }

    /// Takes over who of a queue's members takes its calls; they are the same members. The queues for which
    /// that makes a difference.
    pub(super) fn open(&mut self, queue: &DirectoryQueue, now: Timestamp) -> BTreeSet<QueueId> {
        let mut queues = BTreeSet::new();
        let mut seen = IdSet::default();
        for member in queue.members.iter().flatten() {
            let Some(&index) = self.by_user.get(&member.id) else { continue };
            let Some(&crew) = self.by_queue.get(&queue.id) else { continue };
            let person = &mut self.people[index];
            let takes_calls = member.receives_calls;
            let took_calls = person.takes_calls();
            // Of a member who is listed twice the first place counts.
            if !seen.insert(index) {
                continue;
            }
            let seat = person.seats.iter_mut().find(|seat| seat.crew == crew);
            let Some(seat) = seat.filter(|seat| seat.takes_calls != takes_calls) else { continue };
            seat.takes_calls = takes_calls;
            let crew = &mut self.crews[crew];
            crew.sum.take(person.state, !takes_calls);
            crew.sum.put(person.state, takes_calls);
            self.sum.take(person.state, took_calls);
            self.sum.put(person.state, person.takes_calls());
            queues.insert(queue.id.clone());
            queues.extend(self.refresh(index, now).iter().cloned());
        }
        queues
    }

    fn admit(&mut self, user_id: &UserId, name: &str, extension_id: Option<&ExtensionId>) -> usize {
        let by_extension = extension_id.and_then(|id| self.by_extension.get(id));
        let known = self.by_user.get(user_id).or(by_extension).copied();
        let index = known.unwrap_or_else(|| {
            self.people.push(Person::new(user_id.clone()));
            self.people.len() - 1
        });
        let person = &mut self.people[index];
        if person.name.is_empty() {
            name.trim().clone_into(&mut person.name);
        }
        self.by_user.insert(user_id.clone(), index);
        if let Some(extension_id) = extension_id {
            self.by_extension.insert(extension_id.clone(), index);
        }
        index
    }

    /// See [`Owners::of`].
    fn find(&self, leg: &Leg) -> Option<usize> {
        let by_user = leg.party.user_id.as_ref().and_then(|id| self.by_user.get(id));
        by_user.or_else(|| leg.party.extension_id.as_ref().and_then(|id| self.by_extension.get(id))).copied()
    }

    /// What the owner of a phone does, if they are a member of a queue.
    pub(super) fn state(&self, leg: &Leg) -> Option<AgentState> {
        self.find(leg).map(|index| self.people[index].state)
    }

    fn find_owner(&self, (user_id, extension_id): &Owner) -> Option<usize> {
        let by_user = user_id.as_ref().and_then(|id| self.by_user.get(id));
        by_user.or_else(|| extension_id.as_ref().and_then(|id| self.by_extension.get(id))).copied()
    }

    /// Somebody's part in a call is another now. The queues for which that makes a difference.
    pub(super) fn change_part(
        &mut self,
        index: usize,
        place: Place,
        (old, new): (Option<&Part>, Option<&Part>),
        midnight: Timestamp,
        now: Timestamp,
    ) -> &[QueueId] {
        if old == new {
            return &[];
        }
        let person = &mut self.people[index];
        if let Some(old) = old {
            person.leave(place, old, midnight);
        }
        if let Some(new) = new {
            person.take(place, new, midnight);
        }
        self.refresh(index, now)
    }

    fn mark(&mut self, index: usize) {
        if !std::mem::replace(&mut self.people[index].is_changed, true) {
            self.changed.push(index);
        }
    }

    /// Works out anew what somebody does; the queues for which that makes a difference.
    fn refresh(&mut self, index: usize, now: Timestamp) -> &[QueueId] {
        self.mark(index);
        let evidence = self.evidence(index);
        let state = evidence.standing(now, self.doubted_before).state;
        let due_at = evidence.wraps_up_until(now);
        let person = &mut self.people[index];
        if person.due_at != due_at {
            if let Some(due_at) = person.due_at {
                self.due.remove(&(due_at, index));
            }
            self.due.extend(due_at.map(|due_at| (due_at, index)));
            person.due_at = due_at;
        }
        let before = std::mem::replace(&mut person.state, state);
        if before == state {
            return &[];
        }
        for seat in &person.seats {
            let sum = &mut self.crews[seat.crew].sum;
            sum.take(before, seat.takes_calls);
            sum.put(state, seat.takes_calls);
        }
        let takes_calls = person.takes_calls();
        self.sum.take(before, takes_calls);
        self.sum.put(state, takes_calls);
        &person.queues
    }

    /// Doubts what was heard before an instant: in sums as in rows, so that nobody is free in the one and
    /// unknown in the other. The queues for which that makes a difference.
    pub(super) fn doubt(&mut self, before: Option<Timestamp>, now: Timestamp) -> BTreeSet<QueueId> {
        let mut queues = BTreeSet::new();
        if std::mem::replace(&mut self.doubted_before, before) != before {
            for index in 0..self.people.len() {
                queues.extend(self.refresh(index, now).iter().cloned());
            }
        }
        queues
    }

    /// When somebody's state next changes by itself.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Somebody whose time has come; the queues for which that makes a difference.
    pub(super) fn let_time_pass(&mut self, now: Timestamp) -> Option<&[QueueId]> {
        let (due_at, index) = self.due.first().copied()?;
        if due_at > now {
            return None;
        }
        self.due.pop_first();
        self.people[index].due_at = None;
        Some(self.refresh(index, now))
    }

    /// Somebody's client said something; the queues for which that makes a difference.
    pub(super) fn hear_presence(&mut self, fact: &PresenceFact, now: Timestamp) -> &[QueueId] {
        let is_new = self.presences.entry(fact.user_id.clone()).or_default().learn(fact);
        match self.by_user.get(&fact.user_id) {
            Some(&index) if is_new => self.refresh(index, now),
            _ => &[],
        }
    }

    /// Keeps what a settled call leaves behind.
    pub(super) fn settle(&mut self, parts: Vec<(Owner, Part)>, midnight: Timestamp, now: Timestamp) {
        for (owner, part) in parts {
            let left = Past {
                last_end: part.ended_at,
                last_talk_end: part.talked_until,
                today: part.offered_since(midnight),
            };
            if let Some(index) = self.find_owner(&owner) {
                self.people[index].past.add(left);
                self.refresh(index, now);
            }
            self.past.entry(owner).or_default().add(left);
        }
    }

    /// A day has begun: what is settled was yesterday. What calls offered is to be counted anew.
    pub(super) fn begin_day(&mut self, horizon: Timestamp) {
        for past in self.past.values_mut() {
            past.today = OfferCounts::default();
        }
        self.past.retain(|_, past| past.last_end.is_some_and(|at| at >= horizon));
        for person in &mut self.people {
            person.past.today = OfferCounts::default();
            person.today = OfferCounts::default();
        }
        for presence in self.presences.values_mut() {
            presence.forget_before(horizon);
        }
        (0..self.people.len()).for_each(|index| self.mark(index));
    }

    /// Counts the offers in somebody's part in a call anew.
    pub(super) fn recount(&mut self, index: usize, part: &Part, midnight: Timestamp) {
        self.people[index].today.add(part.offered_since(midnight));
    }

    /// Nobody is in any call, until calls say so again.
    pub(super) fn leave_all(&mut self, now: Timestamp) {
        for index in 0..self.people.len() {
            let person = &mut self.people[index];
            person.doing.clear();
            person.ends.clear();
            person.talk_ends.clear();
            person.queue_talks.clear();
            person.today = OfferCounts::default();
            self.refresh(index, now);
        }
    }

    fn evidence(&self, index: usize) -> Evidence<'_> {
        let person = &self.people[index];
        let last_end = person.ends.last().map(|(at, _)| *at);
        let last_talk_end = person.talk_ends.last().map(|(at, _)| *at);
        let last_queue_talk = person.queue_talks.last().map(|(ended_at, queue_id, _)| {
            let crew = self.by_queue.get(queue_id);
            let wrap_up = crew.map(|&crew| self.crews[crew].wrap_up).unwrap_or_default();
            (*ended_at, queue_id, wrap_up)
        });
        Evidence {
            doing: &person.doing,
            last_end: last_end.max(person.past.last_end),
            last_talk_end: last_talk_end.max(person.past.last_talk_end),
            last_queue_talk,
            presence: self.presences.get(&person.id),
            takes_calls: person.takes_calls(),
        }
    }

    /// The row of one agent.
    pub(super) fn view(&self, id: &UserId, now: Timestamp) -> Option<AgentView> {
        let index = *self.by_user.get(id)?;
        let person = &self.people[index];
        let evidence = self.evidence(index);
        let standing: Standing = evidence.standing(now, self.doubted_before);
        let mut today = person.today;
        today.add(person.past.today);
        let membership =
            |(id, seat): (&QueueId, &Seat)| Membership { id: id.clone(), takes_calls: seat.takes_calls };
        Some(AgentView {
            id: person.id.clone(),
            name: if person.name.is_empty() { person.id.to_string() } else { person.name.clone() },
            presence: evidence.believed_presence(self.doubted_before),
            standing,
            queues: person.queues.iter().zip(&person.seats).map(membership).collect(),
            today,
        })
    }

    /// Everybody who is a member of a queue.
    pub(super) fn ids(&self) -> impl Iterator<Item = &UserId> {
        self.people.iter().map(|person| &person.id)
    }

    /// Who changed and who is gone since the last call of this.
    pub(super) fn take_changes(&mut self) -> (BTreeSet<UserId>, BTreeSet<UserId>) {
        let changed = std::mem::take(&mut self.changed);
        let changed = changed.into_iter().map(|index| {
            let person = &mut self.people[index];
            person.is_changed = false;
            person.id.clone()
        });
        let changed = changed.collect();
        (changed, std::mem::take(&mut self.removed))
    }

    /// The members of a queue, and what they do.
    pub(super) fn crew(&self, id: &QueueId) -> Option<Sum> {
        self.by_queue.get(id).map(|&crew| self.crews[crew].sum)
    }

    /// The members of some queues, each person once, and what they do. The queues: those with known members,
    /// each once; so many.
    pub(super) fn count<'a>(&self, ids: impl Iterator<Item = &'a QueueId>, count: usize) -> Sum {
        // All of them, mostly: many times a second on the board of all queues.
        if count >= self.by_queue.len() {
            return Sum { members: self.people.len() as u32, ..self.sum };
        }
        let wanted: BTreeSet<usize> = ids.filter_map(|id| self.by_queue.get(id)).copied().collect();
        let members: BTreeSet<usize> =
            wanted.iter().flat_map(|&crew| self.crews[crew].members.iter().copied()).collect();
        let mut sum = Sum { members: members.len() as u32, ..Sum::default() };
        for index in members {
            let person = &self.people[index];
            let takes_calls = |seat: &Seat| seat.takes_calls && wanted.contains(&seat.crew);
            sum.put(person.state, person.seats.iter().any(takes_calls));
        }
        sum
    }
}

impl Person {
    fn new(id: UserId) -> Self {
        Self {
            id,
            name: String::new(),
            queues: Vec::new(),
            seats: Vec::new(),
            doing: Vec::new(),
            ends: BTreeSet::new(),
            talk_ends: BTreeSet::new(),
            queue_talks: BTreeSet::new(),
            today: OfferCounts::default(),
            past: Past::default(),
            // Counts nowhere.
            state: AgentState::OptedOut,
            due_at: None,
            is_changed: false,
        }
    }

    /// Of any queue.
    fn takes_calls(&self) -> bool {
        self.seats.iter().any(|seat| seat.takes_calls)
    }

    fn take(&mut self, place: Place, part: &Part, midnight: Timestamp) {
        self.doing.extend(part.doing.clone());
        self.ends.extend(part.ended_at.map(|at| (at, place)));
        self.talk_ends.extend(part.talked_until.map(|at| (at, place)));
        if let Some((ended_at, queue_id)) = &part.queue_talk {
            self.queue_talks.insert((*ended_at, queue_id.clone(), place));
        }
        self.today.add(part.offered_since(midnight));
    }

    /// Takes out what [`Person::take`] put in.
    fn leave(&mut self, place: Place, part: &Part, midnight: Timestamp) {
        if let Some(doing) = &part.doing
            && let Some(known) = self.doing.iter().position(|known| known == doing)
        {
            self.doing.swap_remove(known);
        }
        if let Some(at) = part.ended_at {
            self.ends.remove(&(at, place));
        }
        if let Some(at) = part.talked_until {
            self.talk_ends.remove(&(at, place));
        }
        if let Some((ended_at, queue_id)) = &part.queue_talk {
            self.queue_talks.remove(&(*ended_at, queue_id.clone(), place));
        }
        self.today.take_out(part.offered_since(midnight));
    }
}

impl Past {
    fn add(&mut self, other: Self) {
        self.last_end = self.last_end.max(other.last_end);
        self.last_talk_end = self.last_talk_end.max(other.last_talk_end);
        self.today.add(other.today);
    }
}

/// Whose phone a leg says it is; `None` when it says nothing of that.
pub(super) fn owner(leg: &Leg) -> Option<Owner> {
    let owner = (leg.party.user_id.clone(), leg.party.extension_id.clone());
    (owner != (None, None)).then_some(owner)
}
