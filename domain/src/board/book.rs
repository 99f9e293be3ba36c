//! The names of queues: which queue a call means when it says "Billing" or "801".
//!
//! Knows the directory, the names queues used to have, and queues that only calls have named.
//! The answer depends on what is known, never on the order in which it was learned.

use std::collections::{BTreeMap, HashMap};

use crate::{
    directory::{Directory, DirectoryQueue},
    id::{ExtensionId, QueueId, ZoneName},
    queue::QueueMention,
    service_level::ServiceLevelPolicy,
};

#[derive(Debug, Default)]
pub(super) struct QueueBook {
    queues: BTreeMap<QueueId, DirectoryQueue>,
    by_number: HashMap<String, QueueId>,
    by_name: HashMap<String, QueueId>,
    by_extension: HashMap<ExtensionId, QueueId>,
    generation: u64,
    admitted: u64,
}

impl QueueBook {
    /// Rises when a name came to mean another queue than before.
    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// Queues admitted so far that nobody knew.
    pub(super) fn admitted(&self) -> u64 {
        self.admitted
    }

    pub(super) fn get(&self, id: &QueueId) -> Option<&DirectoryQueue> {
        self.queues.get(id)
    }

    pub(super) fn queues(&self) -> impl Iterator<Item = &DirectoryQueue> {
        self.queues.values()
    }

    pub(super) fn zone(&self, id: &QueueId) -> Option<&ZoneName> {
        self.queues.get(id).and_then(|queue| queue.zone.as_ref())
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
            self.by_name.insert(folded(&queue.name), queue.id.clone());
        }
        true
    }

    /// The queue a call means, admitted as unresolved when nobody knows it.
    pub(super) fn find_or_admit(&mut self, mention: &QueueMention) -> (QueueId, ServiceLevelPolicy) {
        let by_extension = mention.extension_id.as_ref().and_then(|id| self.by_extension.get(id));
        let by_number = number_of(mention).and_then(|number| self.by_number.get(&number));
        let by_name = name_of(mention).and_then(|name| self.by_name.get(&name));
        let resolved = |id: Option<&QueueId>| id.filter(|id| !id.is_unresolved()).cloned();
        // Numbers are unique in an account, names need not be.
        let found = resolved(by_extension).or_else(|| resolved(by_number)).or_else(|| by_name.cloned());
        match found {
            Some(id) => {
                self.link(mention, &id);
                let policy = self.queues.get(&id).map(|queue| queue.policy).unwrap_or_default();
                (id, policy)
            }
            None => (self.admit(mention), ServiceLevelPolicy::default()),
        }
    }

    /// A queue nobody knows is named by its name, or by its number until a call tells both.
    fn admit(&mut self, mention: &QueueMention) -> QueueId {
        let known = match (name_of(mention), number_of(mention), &mention.extension_id) {
            (Some(name), _, _) => Err(name),
            (None, Some(number), _) => self.by_number.get(&number).cloned().ok_or(number),
            (None, None, Some(extension_id)) => {
                self.by_extension.get(extension_id).cloned().ok_or_else(|| extension_id.to_string())
            }
            (None, None, None) => Err(String::new()),
        };
        let id = match known {
            Ok(id) => return id,
            Err(key) => unresolved(&key),
        };
        let name = mention
            .name
            .clone()
            .or_else(|| mention.extension_number.as_ref().map(|number| format!("Queue {number}")))
            .unwrap_or_else(|| "Unknown queue".to_owned());
        self.admitted += 1;
        self.queues.entry(id.clone()).or_insert_with(|| DirectoryQueue {
            id: id.clone(),
            extension_id: mention.extension_id.clone(),
            name,
            extension_number: mention.extension_number.clone(),
            zone: None,
            members: None,
            policy: ServiceLevelPolicy::default(),
        });
        if let Some(name) = name_of(mention) {
            self.by_name.insert(name, id.clone());
        }
        self.link(mention, &id);
        id
    }

    /// Lets the number and the extension of a mention lead to the unresolved queue it names.
    ///
    /// When two unresolved queues are told with one number, the smaller id has it: whoever was
    /// told last must make no difference.
    fn link(&mut self, mention: &QueueMention, id: &QueueId) {
        if !id.is_unresolved() {
            return;
        }
        if let Some(number) = number_of(mention) {
            let number_only = unresolved(&number);
            match self.by_number.get(&number) {
                Some(before) if before == id => {}
                Some(before) if *before == number_only => {
                    // Calls that only told the number belong to this queue too.
                    self.generation += 1;
                    self.by_number.insert(number, id.clone());
                }
                Some(before) if before < id => {}
                _ => {
                    self.by_number.insert(number, id.clone());
                }
            }
            if let Some(queue) = self.queues.get_mut(id) {
                let told = mention.extension_number.clone();
                queue.extension_number = match queue.extension_number.take() {
                    Some(known) => Some(told.map_or(known.clone(), |told| told.min(known))),
                    None => told,
                };
            }
        }
        if let Some(extension_id) = &mention.extension_id {
            self.by_extension.entry(extension_id.clone()).or_insert_with(|| id.clone());
        }
    }

    /// Forgets unresolved queues that no call is counted for, and tells which.
    pub(super) fn drop_unused(&mut self, is_used: impl Fn(&QueueId) -> bool) -> Vec<QueueId> {
        let unused: Vec<QueueId> =
            self.queues.keys().filter(|id| id.is_unresolved() && !is_used(id)).cloned().collect();
        for id in &unused {
            self.queues.remove(id);
        }
        self.by_name.retain(|_, id| !unused.contains(id));
        self.by_number.retain(|_, id| !unused.contains(id));
        self.by_extension.retain(|_, id| !unused.contains(id));
        unused
    }
}

fn unresolved(key: &str) -> QueueId {
    QueueId::new(format!("unresolved:{key}"))
}

fn number_of(mention: &QueueMention) -> Option<String> {
    mention.extension_number.as_ref().map(|number| within(mention, number.clone()))
}

fn name_of(mention: &QueueMention) -> Option<String> {
    mention.name.as_ref().map(|name| within(mention, folded(name)))
}

/// Numbers and names repeat between accounts: those of another account never meet our own.
fn within(mention: &QueueMention, text: String) -> String {
    match &mention.account {
        Some(account) => format!("{account}/{text}"),
        None => text,
    }
}

/// Names are compared without regard to case and space.
fn folded(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}
