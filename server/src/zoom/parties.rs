//! Who and what events have named before, so that each is kept once.
//!
//! The same people, queues and menus are named by event after event, and the facts of a call are kept
//! for hours. Sharing is an economy only: what is forgotten here is just made again.

use std::{
    hash::{BuildHasher, Hash},
    sync::{Arc, Mutex, PoisonError},
};

use domain::{
    fact::{Party, Station, StationKind},
    id::{ExtensionId, UserId},
};
use hashbrown::{DefaultHashBuilder, HashTable};

/// Parties, and stations, that are remembered; an account of some thousand people and the callers
/// of an hour. Then it starts anew.
const MOST: usize = 16_384;

/// Remembers parties and stations. Cheap to clone; clones share what they know.
#[derive(Debug, Clone, Default)]
pub(super) struct Parties {
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    parties: Shared<Party>,
    stations: Shared<Station>,
}

impl Parties {
    pub(super) fn party(&self, named: &NamedParty<'_>) -> Arc<Party> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).parties.get(named)
    }

    pub(super) fn station(&self, named: &NamedStation<'_>) -> Arc<Station> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).stations.get(named)
    }
}

/// Words that name a `Whole` completely.
trait Names: Hash {
    type Whole;

    fn is(&self, whole: &Self::Whole) -> bool;
    fn hash_of(whole: &Self::Whole, hasher: &DefaultHashBuilder) -> u64;
    fn to_whole(&self) -> Self::Whole;
}

/// A [`Party`] in the words of an event.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct NamedParty<'a> {
    pub(super) kind: Option<&'a StationKind>,
    pub(super) extension_id: Option<&'a str>,
    pub(super) extension_number: Option<&'a str>,
    pub(super) user_id: Option<&'a str>,
    pub(super) name: Option<&'a str>,
    pub(super) number: Option<&'a str>,
}

impl<'a> NamedParty<'a> {
    fn of(party: &'a Party) -> Self {
        Self {
            kind: party.kind.as_ref(),
            extension_id: party.extension_id.as_ref().map(ExtensionId::as_str),
            extension_number: party.extension_number.as_deref(),
            user_id: party.user_id.as_ref().map(UserId::as_str),
            name: party.name.as_deref(),
            number: party.number.as_deref(),
        }
    }
}

impl Names for NamedParty<'_> {
    type Whole = Party;

    fn is(&self, whole: &Party) -> bool {
        // Another account's person may have the number of one of ours.
        whole.account.is_none() && *self == NamedParty::of(whole)
    }

    fn hash_of(whole: &Party, hasher: &DefaultHashBuilder) -> u64 {
        hasher.hash_one(NamedParty::of(whole))
    }

    fn to_whole(&self) -> Party {
        Party {
            account: None,
            kind: self.kind.cloned(),
            extension_id: self.extension_id.map(ExtensionId::new),
            extension_number: self.extension_number.map(str::to_owned),
            user_id: self.user_id.map(UserId::new),
            name: self.name.map(str::to_owned),
            number: self.number.map(str::to_owned),
        }
    }
}

/// A [`Station`] of the own account in the words of an event.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct NamedStation<'a> {
    pub(super) kind: &'a StationKind,
    pub(super) name: Option<&'a str>,
    pub(super) extension_number: Option<&'a str>,
}

impl<'a> NamedStation<'a> {
    fn of(station: &'a Station) -> Self {
        Self {
            kind: &station.kind,
            name: station.name.as_deref(),
            extension_number: station.extension_number.as_deref(),
        }
    }
}

impl Names for NamedStation<'_> {
    type Whole = Station;

    fn is(&self, whole: &Station) -> bool {
        // Another account's queue may have the name of one of ours.
        whole.account.is_none() && *self == NamedStation::of(whole)
    }

    fn hash_of(whole: &Station, hasher: &DefaultHashBuilder) -> u64 {
        hasher.hash_one(NamedStation::of(whole))
    }

    fn to_whole(&self) -> Station {
        Station {
            kind: self.kind.clone(),
            account: None,
            name: self.name.map(str::to_owned),
            extension_number: self.extension_number.map(str::to_owned),
        }
    }
}

/// A set whose members are found by the words of an event, without making one first.
#[derive(Debug)]
struct Shared<T> {
    all: HashTable<Arc<T>>,
    hasher: DefaultHashBuilder,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self { all: HashTable::new(), hasher: DefaultHashBuilder::default() }
    }
}

impl<T> Shared<T> {
    fn get<N: Names<Whole = T>>(&mut self, named: &N) -> Arc<T> {
        let hash = self.hasher.hash_one(named);
        if let Some(known) = self.all.find(hash, |known| named.is(known)) {
            return Arc::clone(known);
        }
        if self.all.len() >= MOST {
            self.all.clear();
        }
        let new = Arc::new(named.to_whole());
        self.all.insert_unique(hash, Arc::clone(&new), |known| N::hash_of(known, &self.hasher));
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_words_give_the_same_party_and_any_other_word_another() {
        let parties = Parties::default();
        let user = StationKind::User;
        let ada =
            NamedParty { kind: Some(&user), user_id: Some("u-1"), name: Some("Ada"), ..Default::default() };
        let first = parties.party(&ada);
        assert_eq!(*first, ada.to_whole());
        assert!(Arc::ptr_eq(&first, &parties.party(&ada)));
        for other in [
            NamedParty { kind: None, ..ada.clone() },
            NamedParty { extension_id: Some("u-1"), ..ada.clone() },
            NamedParty { extension_number: Some("u-1"), ..ada.clone() },
            NamedParty { user_id: None, ..ada.clone() },
            NamedParty { name: Some("Bo"), ..ada.clone() },
            NamedParty { number: Some("Ada"), ..ada.clone() },
        ] {
            assert_eq!(*parties.party(&other), other.to_whole());
            assert!(!Arc::ptr_eq(&first, &parties.party(&other)));
        }
    }

    #[test]
    fn memory_is_bounded() {
        let parties = Parties::default();
        for number in 0..=MOST {
            let number = number.to_string();
            let named = NamedParty { number: Some(&number), ..Default::default() };
            assert_eq!(parties.party(&named).number.as_ref(), Some(&number));
        }
        assert_eq!(parties.known.lock().unwrap().parties.all.len(), 1);
    }
}
