//! The names of queues: which queue a call means when it says "Billing" or "801".
//!
//! Knows the directory, the names queues used to have, and queues that only calls have named.
//! The answer depends on what calls say now, never on the order in which they said it: which
//! queues are unresolved follows from the whole set of mentions.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use serde::{Deserialize, Serialize};

use crate::{
    directory::{Directory, DirectoryQueue},
    id::{ExtensionId, IdMap, QueueId, ZoneName, fold_name},
    queue::{QueueMention, QueueRules},
    service_level::PromiseBook,
};

mod unresolved;

use unresolved::{Renaming, Unresolved};

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
    /// Those of the mentions that the directory does not know.
    unresolved: Unresolved,
    /// Those that may have become such, or such no more, since that was last settled.
    stale: BTreeSet<QueueMention>,
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
        self.queues.get(id).or_else(|| self.unresolved.get(id))
    }

    pub(super) fn queues(&self) -> impl Iterator<Item = &DirectoryQueue> {
        self.queues.values().chain(self.unresolved.queues())
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
        self.stale.extend(self.mentions.keys().chain(self.unresolved.all()).cloned());
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
                self.mark(mention);
            }
        }
    }

    /// One call less says this.
    pub(super) fn withdraw(&mut self, mention: &QueueMention) {
        let Some(count) = self.mentions.get_mut(mention) else { return };
        *count -= 1;
        if *count == 0 {
            self.mentions.remove(mention);
            self.mark(mention);
        }
    }

    fn mark(&mut self, mention: &QueueMention) {
        if self.known(mention).is_none() {
            self.stale.insert(mention.clone());
        }
    }

    /// Works out the unresolved queues, when what calls say has changed.
    pub(super) fn settle_names(&mut self) -> Renaming {
        if self.stale.is_empty() {
            return Renaming::default();
        }
        let stale = std::mem::take(&mut self.stale).into_iter();
        let stale = stale.map(|mention| {
            let is_unresolved = self.mentions.contains_key(&mention) && self.known(&mention).is_none();
            (mention, is_unresolved)
        });
        let stale = stale.collect();
        let renaming = self.unresolved.settle(&stale);
        self.admitted += renaming.admitted;
        renaming
    }

    /// The queue a call means.
    pub(super) fn meaning(&self, mention: &QueueMention) -> QueueId {
        // Whatever is in there, the directory does not know; and the look is the shorter one.
        let found = self.unresolved.meaning(mention).or_else(|| self.known(mention));
        // Nobody says that any more: it can only mean itself.
        found.cloned().unwrap_or_else(|| own_name(mention))
    }

    /// The same, and its rules.
    pub(super) fn find(&self, mention: &QueueMention) -> (QueueId, QueueRules) {
        let id = self.meaning(mention);
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
