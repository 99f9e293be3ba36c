//! The queues that only calls name: the directory does not know them.
//!
//! A queue is named by its name. Who tells only its number, or only its extension, means the named queue of that
//! number or extension; of several, the one with the smallest name. So what a mention means depends on the others,
//! and never on their order; whoever comes or goes moves only those it has something in common with, however many
//! there are.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use super::{number_of, own_name};
use crate::{
    directory::DirectoryQueue,
    id::{ExtensionId, QueueId},
    queue::QueueMention,
    service_level::ServiceLevelPolicy,
};

/// The mentions that the directory does not know, and the queues they amount to.
#[derive(Debug, Default)]
pub(super) struct Unresolved {
    meanings: BTreeMap<QueueMention, QueueId>,
    queues: BTreeMap<QueueId, DirectoryQueue>,
    /// Those that mean a queue.
    mentions: Groups<QueueId, QueueMention>,
    /// The names that are told with a number.
    named: Groups<String, (QueueId, QueueMention)>,
    /// Those that tell a number and no name.
    numbered: Groups<String, QueueMention>,
    /// What they mean who tell a name or a number with an extension.
    told_with: Groups<ExtensionId, (QueueId, QueueMention)>,
    /// Those that tell an extension and nothing else.
    bare: Groups<ExtensionId, QueueMention>,
}

/// What another set of mentions changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::board) struct Renaming {
    /// A mention that was made before means another queue now.
    pub(in crate::board) moved: bool,
    /// Queues that nobody mentions any more.
    pub(in crate::board) removed: Vec<QueueId>,
    /// How many there are that nobody mentioned before.
    pub(in crate::board) admitted: u64,
}

/// What is under way while mentions come and go.
#[derive(Debug, Default)]
struct Turn {
    moved: bool,
    /// Queues of which something else is said now.
    touched: BTreeSet<QueueId>,
    /// Those whose meaning hangs on others that have changed.
    bare: BTreeSet<QueueMention>,
}

impl Unresolved {
    /// What is meant, when the directory does not know it.
    pub(super) fn meaning(&self, mention: &QueueMention) -> Option<&QueueId> {
        self.meanings.get(mention)
    }

    pub(super) fn get(&self, id: &QueueId) -> Option<&DirectoryQueue> {
        self.queues.get(id)
    }

    pub(super) fn queues(&self) -> impl Iterator<Item = &DirectoryQueue> {
        self.queues.values()
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &QueueMention> {
        self.meanings.keys()
    }

    /// Takes over which of some mentions are made now and not known to the directory.
    pub(super) fn settle(&mut self, mentions: &BTreeMap<QueueMention, bool>) -> Renaming {
        let mut turn = Turn::default();
        // Names hang on nothing, numbers on names, and extensions on both.
        let mut numbered = BTreeSet::new();
        for (mention, &is_made) in mentions {
            match (&mention.name, number_of(mention), &mention.extension_id) {
                (Some(_), number, _) => {
                    let name = own_name(mention);
                    if let Some(number) = number.map(Cow::into_owned) {
                        self.named.set(&number, (name.clone(), mention.clone()), is_made);
                        numbered.extend(self.numbered.of(&number).cloned());
                    }
                    self.mean(mention, is_made.then_some(name), &mut turn);
                }
                (None, Some(number), _) => {
                    self.numbered.set(&number.into_owned(), mention.clone(), is_made);
                    numbered.insert(mention.clone());
                }
                (None, None, Some(extension_id)) => {
                    self.bare.set(extension_id, mention.clone(), is_made);
                    turn.bare.insert(mention.clone());
                }
                (None, None, None) => self.mean(mention, is_made.then(|| own_name(mention)), &mut turn),
            }
        }
        for mention in numbered {
            let Some(number) = number_of(&mention).map(Cow::into_owned) else { continue };
            let named = self.named.of(&number).next().map(|(id, _)| id.clone());
            let is_made = self.numbered.has(&number, &mention);
            let meaning = is_made.then(|| named.unwrap_or_else(|| own_name(&mention)));
            self.mean(&mention, meaning, &mut turn);
        }
        for mention in std::mem::take(&mut turn.bare) {
            let Some(extension_id) = &mention.extension_id else { continue };
            let told = self.told_with.of(extension_id).next().map(|(id, _)| id.clone());
            let is_made = self.bare.has(extension_id, &mention);
            let meaning = is_made.then(|| told.unwrap_or_else(|| own_name(&mention)));
            self.mean(&mention, meaning, &mut turn);
        }
        self.describe(turn)
    }

    /// A mention means that; nothing, when nobody makes it.
    fn mean(&mut self, mention: &QueueMention, meaning: Option<QueueId>, turn: &mut Turn) {
        let before = match &meaning {
            Some(id) => self.meanings.insert(mention.clone(), id.clone()),
            None => self.meanings.remove(mention),
        };
        if before == meaning {
            return;
        }
        turn.moved |= before.is_some() && meaning.is_some();
        let tells_more = mention.name.is_some() || mention.extension_number.is_some();
        let extension_id = mention.extension_id.as_ref().filter(|_| tells_more);
        for (id, is_meant) in before.into_iter().map(|id| (id, false)).chain(meaning.map(|id| (id, true))) {
            self.mentions.set(&id, mention.clone(), is_meant);
            if let Some(extension_id) = extension_id {
                self.told_with.set(extension_id, (id.clone(), mention.clone()), is_meant);
            }
            turn.touched.insert(id);
        }
        if let Some(extension_id) = extension_id {
            turn.bare.extend(self.bare.of(extension_id).cloned());
        }
    }

    /// Describes the queues of which something else is said now, each by the smallest of what is said of it.
    fn describe(&mut self, turn: Turn) -> Renaming {
        let mut renaming = Renaming { moved: turn.moved, ..Renaming::default() };
        for id in turn.touched {
            match described(&id, self.mentions.of(&id)) {
                Some(queue) => renaming.admitted += u64::from(self.queues.insert(id, queue).is_none()),
                None if self.queues.remove(&id).is_some() => renaming.removed.push(id),
                None => {}
            }
        }
        renaming
    }
}

/// A queue as it is mentioned; `None` when it is not.
fn described<'a>(id: &QueueId, mentions: impl Iterator<Item = &'a QueueMention>) -> Option<DirectoryQueue> {
    let mut mentions = mentions.peekable();
    mentions.peek()?;
    let (mut extension_id, mut extension_number, mut name) = (None, None, None);
    for mention in mentions {
        keep_smallest(&mut extension_id, mention.extension_id.as_ref());
        keep_smallest(&mut extension_number, mention.extension_number.as_ref());
        keep_smallest(&mut name, mention.name.as_ref());
    }
    let by_number = || extension_number.map(|number| format!("Queue {number}"));
    let name = name.cloned().or_else(by_number).unwrap_or_else(|| "Unknown queue".to_owned());
    Some(DirectoryQueue {
        id: id.clone(),
        extension_id: extension_id.cloned(),
        name,
        extension_number: extension_number.cloned(),
        zone: None,
        members: None,
        policy: ServiceLevelPolicy::default(),
        wrap_up: None,
        max_wait: None,
    })
}

/// Of whatever is told at all.
fn keep_smallest<T: Ord>(smallest: &mut Option<T>, told: Option<T>) {
    if let Some(told) = told
        && smallest.as_ref().is_none_or(|known| told < *known)
    {
        *smallest = Some(told);
    }
}

/// Values by what they have in common, in order.
#[derive(Debug)]
struct Groups<K, V>(BTreeMap<K, BTreeSet<V>>);

impl<K, V> Default for Groups<K, V> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord + Clone, V: Ord> Groups<K, V> {
    fn set(&mut self, key: &K, value: V, is_there: bool) {
        if is_there {
            self.0.entry(key.clone()).or_default().insert(value);
        } else if let Some(group) = self.0.get_mut(key) {
            group.remove(&value);
            if group.is_empty() {
                self.0.remove(key);
            }
        }
    }

    fn of(&self, key: &K) -> impl Iterator<Item = &V> {
        self.0.get(key).into_iter().flatten()
    }

    fn has(&self, key: &K, value: &V) -> bool {
        self.0.get(key).is_some_and(|group| group.contains(value))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mentions() -> impl Strategy<Value = QueueMention> {
        fn some_of(words: &'static [&'static str]) -> impl Strategy<Value = Option<String>> {
            prop::option::of(prop::sample::select(words).prop_map(str::to_owned))
        }
        (some_of(&["acc"]), some_of(&["x", "y"]), some_of(&["1", "2", "c"]), some_of(&["a", "A", "b", "c"]))
            .prop_map(|(account, extension, extension_number, name)| QueueMention {
                account,
                extension_id: extension.map(|id| id.as_str().into()),
                extension_number,
                name,
            })
    }

    /// What each mention of a set means, as the head of this file says it.
    fn by_definition(mentions: &BTreeSet<QueueMention>) -> BTreeMap<QueueMention, QueueId> {
        let named = |mention: &QueueMention| {
            let number = number_of(mention)?;
            let others = mentions.iter().filter(|other| other.name.is_some());
            others.filter(|other| number_of(other).as_ref() == Some(&number)).map(own_name).min()
        };
        let by_name_or_number = |mention: &QueueMention| match &mention.name {
            Some(_) => own_name(mention),
            None => named(mention).unwrap_or_else(|| own_name(mention)),
        };
        let tells_more =
            |mention: &&QueueMention| mention.name.is_some() || mention.extension_number.is_some();
        let told_with = |extension_id: &ExtensionId| {
            let others = mentions.iter().filter(tells_more);
            let others = others.filter(|other| other.extension_id.as_ref() == Some(extension_id));
            others.map(by_name_or_number).min()
        };
        let meaning = |mention: &QueueMention| match &mention.extension_id {
            Some(extension_id) if !tells_more(&mention) => {
                told_with(extension_id).unwrap_or_else(|| own_name(mention))
            }
            _ => by_name_or_number(mention),
        };
        mentions.iter().map(|mention| (mention.clone(), meaning(mention))).collect()
    }

    proptest! {
        /// Mention by mention it comes to what the whole set means, and what changed is told.
        #[test]
        fn who_comes_and_goes_leaves_what_the_others_mean_together(
            turns in prop::collection::vec(prop::collection::btree_map(mentions(), any::<bool>(), 1..4), 1..20),
        ) {
            let mut unresolved = Unresolved::default();
            let mut made = BTreeSet::new();
            for turn in turns {
                let (before, queues_before) = (unresolved.meanings.clone(), unresolved.queues.clone());
                let renaming = unresolved.settle(&turn);
                for (mention, is_made) in turn {
                    if is_made { made.insert(mention); } else { made.remove(&mention); }
                }
                prop_assert_eq!(&unresolved.meanings, &by_definition(&made));

                let mut said: BTreeMap<&QueueId, Vec<&QueueMention>> = BTreeMap::new();
                for (mention, id) in &unresolved.meanings {
                    said.entry(id).or_default().push(mention);
                }
                let queues: Vec<_> =
                    said.into_iter().filter_map(|(id, mentions)| described(id, mentions.into_iter())).collect();
                prop_assert_eq!(unresolved.queues().cloned().collect::<Vec<_>>(), queues);

                let is_moved = |(mention, id): (&QueueMention, &QueueId)| {
                    unresolved.meaning(mention).is_some_and(|now| now != id)
                };
                let is_gone = |id: &&QueueId| unresolved.get(id).is_none();
                let is_new = |queue: &&DirectoryQueue| !queues_before.contains_key(&queue.id);
                let told = Renaming {
                    moved: before.iter().any(is_moved),
                    removed: queues_before.keys().filter(is_gone).cloned().collect(),
                    admitted: unresolved.queues().filter(is_new).count() as u64,
                };
                prop_assert_eq!(renaming, told);
            }
        }
    }
}
