//! The members of all queues and how many calls each is on, so that who is free is a sum kept up
//! to date.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::{
    call::{CallState, Leg},
    directory::Directory,
    id::{ExtensionId, QueueId, UserId},
};

/// The members of all queues, each person once, and how many calls each is on.
#[derive(Debug, Default)]
pub(super) struct People {
    pub(super) people: Vec<Person>,
    pub(super) by_user: HashMap<UserId, usize>,
    pub(super) by_extension: HashMap<ExtensionId, usize>,
    pub(super) by_queue: HashMap<QueueId, Crew>,
    /// People who take calls of at least one queue and are on no call.
    pub(super) free: u32,
}

#[derive(Debug, Default)]
pub(super) struct Person {
    pub(super) calls: u32,
    pub(super) queues: Vec<QueueId>,
    pub(super) takes_calls_of: Vec<QueueId>,
}

/// The members of one queue.
#[derive(Debug, Default)]
pub(super) struct Crew {
    pub(super) members: Vec<usize>,
    pub(super) free: u32,
}

impl People {
    pub(super) fn read(directory: &Directory) -> Self {
        let mut people = Self::default();
        for queue in &directory.queues {
            let mut crew = Crew::default();
            let mut seen = HashSet::new();
            for member in queue.members.iter().flatten() {
                let index = people.admit(&member.id, member.extension_id.as_ref());
                if !seen.insert(index) {
                    continue;
                }
                crew.members.push(index);
                people.people[index].queues.push(queue.id.clone());
                if member.receives_calls {
                    crew.free += 1;
                    people.people[index].takes_calls_of.push(queue.id.clone());
                }
            }
            people.by_queue.insert(queue.id.clone(), crew);
        }
        people.free = people.people.iter().filter(|person| !person.takes_calls_of.is_empty()).count() as u32;
        people
    }

    pub(super) fn admit(&mut self, user_id: &UserId, extension_id: Option<&ExtensionId>) -> usize {
        let by_extension = extension_id.and_then(|id| self.by_extension.get(id));
        let known = self.by_user.get(user_id).or(by_extension).copied();
        let index = known.unwrap_or_else(|| {
            self.people.push(Person::default());
            self.people.len() - 1
        });
        self.by_user.insert(user_id.clone(), index);
        if let Some(extension_id) = extension_id {
            self.by_extension.insert(extension_id.clone(), index);
        }
        index
    }

    pub(super) fn find(&self, leg: &Leg) -> Option<usize> {
        let by_user = leg.party.user_id.as_ref().and_then(|id| self.by_user.get(id));
        by_user.or_else(|| leg.party.extension_id.as_ref().and_then(|id| self.by_extension.get(id))).copied()
    }

    /// The people on a call, each once.
    pub(super) fn on(&self, call: &CallState) -> Vec<usize> {
        let connected = call.legs.iter().filter(|leg| leg.is_connected());
        let mut people: Vec<usize> = connected.filter_map(|leg| self.find(leg)).collect();
        people.sort_unstable();
        people.dedup();
        people
    }

    /// One more call for somebody; the queues for which that makes a difference.
    pub(super) fn take_call(&mut self, index: usize) -> &[QueueId] {
        let person = &mut self.people[index];
        person.calls += 1;
        if person.calls > 1 {
            return &[];
        }
        for id in &person.takes_calls_of {
            if let Some(crew) = self.by_queue.get_mut(id) {
                crew.free -= 1;
            }
        }
        self.free -= u32::from(!person.takes_calls_of.is_empty());
        &person.takes_calls_of
    }

    /// One call less for somebody; the queues for which that makes a difference.
    pub(super) fn end_call(&mut self, index: usize) -> &[QueueId] {
        let person = &mut self.people[index];
        person.calls -= 1;
        if person.calls > 0 {
            return &[];
        }
        for id in &person.takes_calls_of {
            if let Some(crew) = self.by_queue.get_mut(id) {
                crew.free += 1;
            }
        }
        self.free += u32::from(!person.takes_calls_of.is_empty());
        &person.takes_calls_of
    }

    pub(super) fn all_free(&mut self) {
        for index in 0..self.people.len() {
            while self.people[index].calls > 0 {
                self.end_call(index);
            }
        }
    }

    /// Distinct members of some queues, and how many of them take calls and are free.
    pub(super) fn count(&self, ids: &[QueueId]) -> (u32, u32) {
        let wanted: HashSet<&QueueId> = ids.iter().collect();
        if self.by_queue.keys().all(|id| wanted.contains(id)) {
            return (self.people.len() as u32, self.free);
        }
        let members: BTreeSet<usize> = ids
            .iter()
            .filter_map(|id| self.by_queue.get(id))
            .flat_map(|crew| crew.members.iter().copied())
            .collect();
        let is_free = |index: &&usize| {
            let person = &self.people[**index];
            person.calls == 0 && person.takes_calls_of.iter().any(|id| wanted.contains(id))
        };
        (members.len() as u32, members.iter().filter(is_free).count() as u32)
    }
}
