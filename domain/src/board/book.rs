//! The names of queues: which queue a call means when it says "Billing" or "801".
//!
//! Knows the directory, the names queues used to have, and queues that only calls have named.
//! The answer depends on what calls say now, never on the order in which they said it: which
//! queues are unresolved is worked out from the whole set of mentions.

use std::{borrow::Cow, collections::BTreeMap};

use serde::{Deserialize, Serialize};

use crate::{
    directory::{Directory, DirectoryQueue},
    id::{ExtensionId, IdMap, QueueId, ZoneName, fold_name},
    queue::{QueueMention, QueueRules},
    service_level::{PromiseBook, ServiceLevelPolicy},
};

#[derive(Debug, Default)]
pub(super) struct QueueBook {
    /// The directory, and the names by which calls may mean its queues.
    queues: BTreeMap<QueueId, DirectoryQueue>,
    by_number: IdMap<String, QueueId>,
    by_name: IdMap<String, QueueId>,
    by_extension: IdMap<ExtensionId, QueueId>,
    /// What the operator promises, and what that and their settings come to for the queues above.
    promises: PromiseBook,
    rules: IdMap<QueueId, QueueRules>,
    /// The zones of those that have their own.
    zones: IdMap<QueueId, ZoneName>,
    /// What holds for every other queue.
    other_rules: QueueRules,
    /// What calls say, and how many say it.
    mentions: BTreeMap<QueueMention, u32>,
    /// Those of the mentions that the directory does not know, and the queues they amount to.
    unresolved: BTreeMap<QueueMention, QueueId>,
    unresolved_queues: BTreeMap<QueueId, DirectoryQueue>,
    /// The set of unresolved mentions changed since they were worked out.
    is_stale: bool,
    admitted: u64,
}

/// What a [`QueueBook`] goes by besides what calls say.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct BookSnapshot {
    queues: BTreeMap<QueueId, DirectoryQueue>,
    by_number: BTreeMap<String, QueueId>,
    by_name: BTreeMap<String, QueueId>,
    by_extension: BTreeMap<ExtensionId, QueueId>,
    promises: PromiseBook,
}

impl BookSnapshot {
    pub(super) fn directory(&self) -> Directory {
        Directory { queues: self.queues.values().cloned().collect() }
    }
}

/// What another set of mentions changed.
#[derive(Debug, Default)]
pub(super) struct Renamed {
    /// A mention that others had made before means another queue now.
    pub(super) moved: bool,
    /// Queues that nobody mentions any more.
    pub(super) removed: Vec<QueueId>,
}

impl QueueBook {
    pub(super) fn snapshot(&self) -> BookSnapshot {
        fn sorted<K: Ord + Clone>(names: &IdMap<K, QueueId>) -> BTreeMap<K, QueueId> {
            names.iter().map(|(name, id)| (name.clone(), id.clone())).collect()
        }
        BookSnapshot {
            queues: self.queues.clone(),
            by_number: sorted(&self.by_number),
            by_name: sorted(&self.by_name),
            by_extension: sorted(&self.by_extension),
            promises: self.promises.clone(),
        }
    }

    /// A book that no call has mentioned anything of yet.
    pub(super) fn restore(snapshot: BookSnapshot) -> Self {
        let BookSnapshot { queues, by_number, by_name, by_extension, promises } = snapshot;
        let mut book = Self {
            queues,
            by_number: by_number.into_iter().collect(),
            by_name: by_name.into_iter().collect(),
            by_extension: by_extension.into_iter().collect(),
            promises,
            ..Self::default()
        };
        book.work_out_rules();
        book
    }

    /// Queues admitted so far that nobody knew.
    pub(super) fn admitted(&self) -> u64 {
        self.admitted
    }

    pub(super) fn get(&self, id: &QueueId) -> Option<&DirectoryQueue> {
        self.queues.get(id).or_else(|| self.unresolved_queues.get(id))
    }

    pub(super) fn queues(&self) -> impl Iterator<Item = &DirectoryQueue> {
        self.queues.values().chain(self.unresolved_queues.values())
    }

    /// The directory as last read.
    pub(super) fn directory(&self) -> Directory {
        Directory { queues: self.queues.values().cloned().collect() }
    }

    /// Takes over a queue of which nothing has changed but who takes its calls.
    pub(super) fn read_again(&mut self, queue: DirectoryQueue) {
        self.queues.insert(queue.id.clone(), queue);
    }

    pub(super) fn zone(&self, id: &QueueId) -> Option<&ZoneName> {
        self.zones.get(id)
    }

    /// Replaces the directory. Names that queues had before keep leading to them, unless another
    /// queue has taken them: a call in progress goes on under the name it began with.
    ///
    /// True when a name may now mean another queue, or a visit count otherwise than before.
    pub(super) fn read(&mut self, directory: Directory) -> bool {
        let fresh: BTreeMap<QueueId, DirectoryQueue> =
            directory.queues.into_iter().map(|queue| (queue.id.clone(), queue)).collect();
        let is_same = |(old, new): (&DirectoryQueue, &DirectoryQueue)| {
            let but_members = DirectoryQueue { members: new.members.clone(), ..old.clone() };
            but_members == *new
        };
        if fresh.len() == self.queues.len() && self.queues.values().zip(fresh.values()).all(is_same) {
            self.queues = fresh;
            return false;
        }
        self.by_number.retain(|_, id| fresh.contains_key(id));
        self.by_name.retain(|_, id| fresh.contains_key(id));
        self.by_extension.retain(|_, id| fresh.contains_key(id));
        self.queues = fresh;
        for queue in self.queues.values() {
            if let Some(number) = &queue.extension_number {
                self.by_number.insert(number.clone(), queue.id.clone());
            }
            if let Some(extension_id) = &queue.extension_id {
                self.by_extension.insert(extension_id.clone(), queue.id.clone());
            }
            self.by_name.insert(fold_name(&queue.name), queue.id.clone());
        }
        self.work_out_rules();
        self.is_stale = true;
        true
    }

    /// Takes in what the operator promises.
    pub(super) fn promise(&mut self, promises: PromiseBook) {
        self.promises = promises;
        self.work_out_rules();
    }

    fn work_out_rules(&mut self) {
        let rules = |queue: &DirectoryQueue| QueueRules {
            promises: self
                .promises
                .of(&queue.id, queue.extension_number.as_deref(), &queue.name)
                .unwrap_or_else(|| queue.policy.into()),
            max_wait: queue.max_wait,
        };
        self.rules = self.queues.values().map(|queue| (queue.id.clone(), rules(queue))).collect();
        let zones = self.queues.values().filter_map(|queue| Some((queue.id.clone(), queue.zone.clone()?)));
        self.zones = zones.collect();
        // Nobody is called that: what is said of all queues.
        let of_all = self.promises.of(&QueueId::new(""), None, "");
        self.other_rules = QueueRules { promises: of_all.unwrap_or_default(), max_wait: None };
    }

    /// The rules of a queue.
    pub(super) fn rules(&self, id: &QueueId) -> &QueueRules {
        self.rules.get(id).unwrap_or(&self.other_rules)
    }

    /// One call more says this.
    pub(super) fn mention(&mut self, mention: &QueueMention) {
        match self.mentions.get_mut(mention) {
            Some(count) => *count += 1,
            None => {
                self.mentions.insert(mention.clone(), 1);
                self.is_stale |= self.known(mention).is_none();
            }
        }
    }

    /// One call less says this.
    pub(super) fn withdraw(&mut self, mention: &QueueMention) {
        let Some(count) = self.mentions.get_mut(mention) else { return };
        *count -= 1;
        if *count == 0 {
            self.mentions.remove(mention);
            self.is_stale |= self.known(mention).is_none();
        }
    }

    /// Works out the unresolved queues, when what calls say has changed.
    pub(super) fn settle_names(&mut self) -> Renamed {
        if !std::mem::take(&mut self.is_stale) {
            return Renamed::default();
        }
        let unknown: Vec<QueueMention> =
            self.mentions.keys().filter(|mention| self.known(mention).is_none()).cloned().collect();
        let unresolved = name(&unknown);
        let moved = self
            .unresolved
            .iter()
            .any(|(mention, before)| unresolved.get(mention).is_some_and(|now| now != before));
        let queues = describe(&unresolved);
        let removed: Vec<QueueId> =
            self.unresolved_queues.keys().filter(|id| !queues.contains_key(id)).cloned().collect();
        let admitted = queues.keys().filter(|id| !self.unresolved_queues.contains_key(id)).count();
        self.admitted += admitted as u64;
        self.unresolved = unresolved;
        self.unresolved_queues = queues;
        Renamed { moved, removed }
    }

    /// The queue a call means and its rules.
    pub(super) fn find(&self, mention: &QueueMention) -> (QueueId, QueueRules) {
        // Whatever is in there, the directory does not know; and the look is the shorter one.
        let found = self.unresolved.get(mention).or_else(|| self.known(mention));
        // Nobody says that any more: it can only mean itself.
        let id = found.cloned().unwrap_or_else(|| own_name(mention));
        let rules = self.rules(&id).clone();
        (id, rules)
    }

    /// The queue of the directory that is meant. Numbers are unique in an account, names need not be.
    fn known(&self, mention: &QueueMention) -> Option<&QueueId> {
        let by_extension = || mention.extension_id.as_ref().and_then(|id| self.by_extension.get(id));
        let by_number = || number_of(mention).and_then(|number| self.by_number.get(&*number));
        let by_name = || name_of(mention).and_then(|name| self.by_name.get(&*name));
        by_extension().or_else(by_number).or_else(by_name)
    }
}

/// What each mention of a set means. A queue nobody knows is named by its name. Who tells only its
/// number, or only its extension, means the named queue of that number or extension; of several, the
/// one with the smallest name.
fn name(mentions: &[QueueMention]) -> BTreeMap<QueueMention, QueueId> {
    let mut named_by_number: BTreeMap<String, QueueId> = BTreeMap::new();
    for mention in mentions.iter().filter(|mention| mention.name.is_some()) {
        if let Some(number) = number_of(mention) {
            keep_smallest(&mut named_by_number, number.into_owned(), own_name(mention));
        }
    }
    let by_number = |mention: &QueueMention| {
        let named = number_of(mention).filter(|_| mention.name.is_none());
        named.and_then(|number| named_by_number.get(&*number)).cloned()
    };
    let mut ids = BTreeMap::new();
    let mut named_by_extension: BTreeMap<ExtensionId, QueueId> = BTreeMap::new();
    let (tell_more, tell_extension): (Vec<_>, Vec<_>) =
        mentions.iter().partition(|mention| mention.name.is_some() || mention.extension_number.is_some());
    for mention in tell_more {
        let id = by_number(mention).unwrap_or_else(|| own_name(mention));
        if let Some(extension_id) = &mention.extension_id {
            keep_smallest(&mut named_by_extension, extension_id.clone(), id.clone());
        }
        ids.insert(mention.clone(), id);
    }
    for mention in tell_extension {
        let named = mention.extension_id.as_ref().and_then(|id| named_by_extension.get(id)).cloned();
        ids.insert(mention.clone(), named.unwrap_or_else(|| own_name(mention)));
    }
    ids
}

fn keep_smallest<K: Ord>(smallest: &mut BTreeMap<K, QueueId>, key: K, id: QueueId) {
    smallest.entry(key).and_modify(|known| *known = id.clone().min(known.clone())).or_insert(id);
}

/// The queues that mentions amount to, each with the smallest of what is said of it.
fn describe(unresolved: &BTreeMap<QueueMention, QueueId>) -> BTreeMap<QueueId, DirectoryQueue> {
    let mut together: BTreeMap<&QueueId, Vec<&QueueMention>> = BTreeMap::new();
    for (mention, id) in unresolved {
        together.entry(id).or_default().push(mention);
    }
    let queue = |(id, mentions): (&QueueId, Vec<&QueueMention>)| {
        let extension_number = mentions.iter().filter_map(|mention| mention.extension_number.clone()).min();
        let name = mentions.iter().filter_map(|mention| mention.name.clone()).min();
        let name = name
            .or_else(|| extension_number.as_ref().map(|number| format!("Queue {number}")))
            .unwrap_or_else(|| "Unknown queue".to_owned());
        let queue = DirectoryQueue {
            id: id.clone(),
            extension_id: mentions.iter().filter_map(|mention| mention.extension_id.clone()).min(),
            name,
            extension_number,
            zone: None,
            members: None,
            policy: ServiceLevelPolicy::default(),
            wrap_up: None,
            max_wait: None,
        };
        (id.clone(), queue)
    };
    together.into_iter().map(queue).collect()
}

/// What a mention means when nothing else is known.
fn own_name(mention: &QueueMention) -> QueueId {
    let key = name_of(mention)
        .or_else(|| number_of(mention))
        .or_else(|| mention.extension_id.as_ref().map(|id| Cow::Borrowed(id.as_str())))
        .unwrap_or_default();
    QueueId::new(format!("unresolved:{key}"))
}

fn number_of(mention: &QueueMention) -> Option<Cow<'_, str>> {
    let number = mention.extension_number.as_deref()?;
    Some(within(mention, Cow::Borrowed(number)))
}

fn name_of(mention: &QueueMention) -> Option<Cow<'_, str>> {
    let name = mention.name.as_deref()?;
    Some(within(mention, Cow::Owned(fold_name(name))))
}

/// Numbers and names repeat between accounts: those of another account never meet our own.
fn within<'a>(mention: &QueueMention, text: Cow<'a, str>) -> Cow<'a, str> {
    match &mention.account {
        Some(account) => Cow::Owned(format!("{account}/{text}")),
        None => text,
    }
}
