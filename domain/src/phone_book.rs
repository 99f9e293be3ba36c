//! Who is behind an extension: people, shared phones, menus and lines of the account, as last read.
//!
//! Events often leave out names. Queues are not in here; they are in the directory.

use std::collections::HashMap;

use crate::id::ExtensionId;

/// Everything that has an extension, but queues.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PhoneBook {
    extensions: Vec<Extension>,
    sites: Vec<Site>,
    by_id: HashMap<ExtensionId, usize>,
    by_number: HashMap<String, usize>,
}

/// What has an extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// What it is.
    pub kind: ExtensionKind,
    /// Zoom's id of what has the extension: a person's user id, for example.
    pub owner_id: String,
    /// Identity of the extension.
    pub extension_id: Option<ExtensionId>,
    /// Extension number, decimal text.
    pub number: Option<String>,
    /// Name to show.
    pub name: String,
    /// The office it belongs to.
    pub site_id: Option<String>,
}

/// What can have an extension, besides a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExtensionKind {
    /// A person.
    Person,
    /// A menu that callers hear.
    AutoReceptionist,
    /// A telephone that belongs to a place.
    CommonArea,
    /// A line that several people answer.
    SharedLineGroup,
}

/// An office.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Zoom's id.
    pub id: String,
    /// Name to show.
    pub name: String,
}

impl PhoneBook {
    /// A book of these. Of two extensions with one number the last counts.
    pub fn new(extensions: Vec<Extension>, sites: Vec<Site>) -> Self {
        let mut book = Self { extensions, sites, ..Self::default() };
        for (index, extension) in book.extensions.iter().enumerate() {
            if let Some(id) = &extension.extension_id {
                book.by_id.insert(id.clone(), index);
            }
            if let Some(number) = &extension.number {
                book.by_number.insert(number.clone(), index);
            }
        }
        book
    }

    /// Who is behind an extension, by its identity or else its number. Numbers change hands.
    pub fn find(&self, extension_id: Option<&ExtensionId>, number: Option<&str>) -> Option<&Extension> {
        let index = match extension_id.and_then(|id| self.by_id.get(id)) {
            Some(index) => Some(index),
            None => number.and_then(|number| self.by_number.get(number)),
        };
        self.extensions.get(*index?)
    }

    /// All extensions.
    pub fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    /// All offices.
    pub fn sites(&self) -> &[Site] {
        &self.sites
    }

    /// How many extensions there are of one kind.
    pub fn count(&self, kind: ExtensionKind) -> usize {
        self.extensions.iter().filter(|extension| extension.kind == kind).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extension(id: Option<&str>, number: &str, name: &str) -> Extension {
        Extension {
            kind: ExtensionKind::Person,
            owner_id: name.to_owned(),
            extension_id: id.map(ExtensionId::from),
            number: Some(number.to_owned()),
            name: name.to_owned(),
            site_id: None,
        }
    }

    #[test]
    fn an_extension_is_found_by_its_identity_and_else_by_its_number() {
        let book = PhoneBook::new(
            vec![extension(Some("e1"), "801", "Anna"), extension(None, "802", "Lobby")],
            Vec::new(),
        );
        let name = |id: Option<&str>, number| {
            book.find(id.map(ExtensionId::from).as_ref(), number).map(|found| found.name.as_str())
        };
        assert_eq!(name(Some("e1"), Some("802")), Some("Anna"));
        assert_eq!(name(Some("e9"), Some("802")), Some("Lobby"));
        assert_eq!(name(None, Some("801")), Some("Anna"));
        assert_eq!((name(Some("e9"), None), name(None, Some("9"))), (None, None));
        assert_eq!((book.count(ExtensionKind::Person), book.count(ExtensionKind::CommonArea)), (2, 0));
    }
}
