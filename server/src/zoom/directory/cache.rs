//! What is known of the account, in the database: a start has names before Zoom answers, and without it.
//!
//! Each thing is one row with its own text, so that a change writes little.

use std::{collections::HashMap, sync::Arc, time::Duration};

use domain::{
    directory::{Directory, DirectoryQueue, Member},
    id::{ExtensionId, QueueId, UserId},
    phone_book::{Extension, ExtensionKind, PhoneBook, Site},
    service_level::ServiceLevelPolicy,
    time::Timestamp,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    clock,
    journal::Journal,
    store::{DirectoryEntry, Store},
    telemetry,
};

/// Rows that are written in one commit at most: events wait meanwhile.
const AT_ONCE: usize = 200;

const QUEUE: &str = "queue";
const SITE: &str = "site";
/// When the queues were last read.
const READING: &str = "reading";
/// A queue as it was before it was renamed.
const FORMER: &str = "former_queue";
/// How long calls may name a queue as it was called before.
const NAMED_SO: Duration = Duration::from_secs(24 * 3600);

const fn word(kind: ExtensionKind) -> &'static str {
    match kind {
        ExtensionKind::Person => "person",
        ExtensionKind::AutoReceptionist => "auto_receptionist",
        ExtensionKind::CommonArea => "common_area",
        ExtensionKind::SharedLineGroup => "shared_line_group",
    }
}

/// All kinds of extensions.
pub(super) const KINDS: [ExtensionKind; 4] = [
    ExtensionKind::Person,
    ExtensionKind::AutoReceptionist,
    ExtensionKind::CommonArea,
    ExtensionKind::SharedLineGroup,
];

/// The database's knowledge, and how to change it.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    /// Nothing is kept without.
    journal: Option<Journal>,
    /// The text of each thing, by kind and id.
    written: HashMap<(&'static str, String), String>,
}

/// What the database knew at the start.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    /// Queues and members.
    pub(crate) directory: Arc<Directory>,
    /// Queues that were renamed within the last day, as they were before: calls may still name them so.
    pub(crate) former: Directory,
    /// Extensions and sites.
    pub(crate) phone_book: Arc<PhoneBook>,
    /// When the queues were last read.
    pub(crate) read_at: Option<Timestamp>,
    /// Where the next readings are kept.
    pub(crate) cache: Cache,
}

#[derive(Serialize, Deserialize)]
struct QueueText {
    name: String,
    extension_id: Option<String>,
    extension_number: Option<String>,
    zone: Option<String>,
    wrap_up_s: Option<u64>,
    #[serde(default)]
    max_wait_s: Option<u64>,
    members: Option<Vec<MemberText>>,
}

#[derive(Serialize, Deserialize)]
struct FormerText {
    queue: QueueText,
    renamed_at: i64,
}

impl FormerText {
    fn is_recent(&self, now: Timestamp) -> bool {
        now.since(Timestamp::from_millis(self.renamed_at)) < NAMED_SO
    }
}

#[derive(Serialize, Deserialize)]
struct MemberText {
    id: String,
    extension_id: Option<String>,
    name: String,
    receives_calls: bool,
}

#[derive(Serialize, Deserialize)]
struct ExtensionText {
    name: String,
    extension_id: Option<String>,
    number: Option<String>,
    site_id: Option<String>,
}

impl Cache {
    /// Reads what the database knows. Rows that nobody understands any more are read from Zoom again.
    pub(crate) async fn load(store: &Store, journal: Journal) -> Remembered {
        let rows = store.directory().await.unwrap_or_else(|error| {
            tracing::warn!(
                error = telemetry::chain(&error),
                "failed to read the directory kept in the database"
            );
            Vec::new()
        });
        let mut written = HashMap::new();
        let (mut queues, mut former, mut sites) = (Vec::new(), Vec::new(), Vec::new());
        let (mut extensions, mut read_at) = (Vec::new(), None);
        for DirectoryEntry { kind, id, text } in rows {
            let known = [QUEUE, FORMER, SITE, READING]
                .into_iter()
                .chain(KINDS.map(word))
                .find(|known| *known == kind);
            let Some(known) = known else { continue };
            if known == QUEUE {
                queues.extend(read(&text).map(|queue: QueueText| queue.queue(&id)));
            } else if known == FORMER {
                let recent = read(&text).filter(|former: &FormerText| former.is_recent(clock::now()));
                former.extend(recent.map(|former| former.queue.queue(&id)));
            } else if known == SITE {
                sites.push(Site { id: id.clone(), name: text.clone() });
            } else if known == READING {
                read_at = clock::parse_rfc3339(&text);
            } else if let Some(kind) = KINDS.into_iter().find(|kind| word(*kind) == known) {
                extensions.extend(read(&text).map(|extension: ExtensionText| extension.extension(kind, &id)));
            }
            written.insert((known, id), text);
        }
        Remembered {
            directory: Arc::new(Directory { queues }),
            former: Directory { queues: former },
            phone_book: Arc::new(PhoneBook::new(extensions, sites)),
            read_at,
            cache: Self { journal: Some(journal), written },
        }
    }

    /// Writes down the queues as they are known now.
    pub(super) async fn keep_directory(&mut self, directory: &Directory, read_at: Timestamp) {
        self.keep_former(directory, read_at).await;
        let queues = directory.queues.iter();
        let texts = queues.map(|queue| (queue.id.to_string(), text(&QueueText::of(queue)))).collect();
        self.keep(QUEUE, texts).await;
        let reading = HashMap::from([("queues".to_owned(), clock::format_rfc3339(read_at))]);
        self.keep(READING, reading).await;
    }

    /// Writes down how queues were called that are called otherwise now.
    async fn keep_former(&mut self, directory: &Directory, now: Timestamp) {
        let mut texts = HashMap::new();
        for queue in &directory.queues {
            let id = queue.id.to_string();
            let before = self.written.get(&(QUEUE, id.clone())).and_then(|text| read::<QueueText>(text));
            let renamed = before.filter(|before| {
                before.name != queue.name || before.extension_number != queue.extension_number
            });
            let known = self.written.get(&(FORMER, id.clone()));
            let recent =
                known.filter(|known| read(known).is_some_and(|former: FormerText| former.is_recent(now)));
            let former = match renamed {
                Some(queue) => Some(text(&FormerText { queue, renamed_at: now.as_millis() })),
                None => recent.cloned(),
            };
            texts.extend(former.map(|former| (id, former)));
        }
        self.keep(FORMER, texts).await;
    }

    /// Writes down the extensions of one kind as they are known now.
    pub(super) async fn keep_extensions(&mut self, kind: ExtensionKind, extensions: &[Extension]) {
        let of_kind = extensions.iter().filter(|extension| extension.kind == kind);
        let texts = of_kind
            .map(|extension| (extension.owner_id.clone(), text(&ExtensionText::of(extension))))
            .collect();
        self.keep(word(kind), texts).await;
    }

    /// Writes down the sites as they are known now.
    pub(super) async fn keep_sites(&mut self, sites: &[Site]) {
        self.keep(SITE, sites.iter().map(|site| (site.id.clone(), site.name.clone())).collect()).await;
    }

    /// Writes what differs from what was written before.
    async fn keep(&mut self, kind: &'static str, texts: HashMap<String, String>) {
        let Some(journal) = &self.journal else { return };
        let gone = self.written.keys().filter(|(known, id)| *known == kind && !texts.contains_key(id));
        let mut changes: Vec<(String, Option<String>)> = gone.map(|(_, id)| (id.clone(), None)).collect();
        for (id, text) in texts {
            if self.written.get(&(kind, id.clone())) != Some(&text) {
                changes.push((id, Some(text)));
            }
        }
        for some in changes.chunks(AT_ONCE) {
            if journal.remember(kind, some.to_vec()).await.is_err() || journal.flush().await.is_err() {
                return;
            }
        }
        for (id, text) in changes {
            match text {
                Some(text) => self.written.insert((kind, id), text),
                None => self.written.remove(&(kind, id)),
            };
        }
    }
}

fn read<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text).ok()
}

fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("texts and numbers can be written")
}

impl QueueText {
    fn of(queue: &DirectoryQueue) -> Self {
        let member = |member: &Member| MemberText {
            id: member.id.to_string(),
            extension_id: member.extension_id.as_ref().map(ToString::to_string),
            name: member.name.clone(),
            receives_calls: member.receives_calls,
        };
        Self {
            name: queue.name.clone(),
            extension_id: queue.extension_id.as_ref().map(ToString::to_string),
            extension_number: queue.extension_number.clone(),
            zone: queue.zone.as_ref().map(ToString::to_string),
            wrap_up_s: queue.wrap_up.map(|wrap_up| wrap_up.as_secs()),
            max_wait_s: queue.max_wait.map(|wait| wait.as_secs()),
            members: queue.members.as_ref().map(|members| members.iter().map(member).collect()),
        }
    }

    fn queue(self, id: &str) -> DirectoryQueue {
        let member = |member: MemberText| Member {
            id: UserId::new(member.id),
            extension_id: member.extension_id.map(ExtensionId::new),
            name: member.name,
            receives_calls: member.receives_calls,
        };
        DirectoryQueue {
            id: QueueId::new(id),
            extension_id: self.extension_id.map(ExtensionId::new),
            name: self.name,
            extension_number: self.extension_number,
            zone: self.zone.as_deref().and_then(clock::zone).map(|(_, name)| name),
            members: self.members.map(|members| members.into_iter().map(member).collect()),
            policy: ServiceLevelPolicy::default(),
            wrap_up: self.wrap_up_s.map(Duration::from_secs),
            max_wait: self.max_wait_s.map(Duration::from_secs),
        }
    }
}

impl ExtensionText {
    fn of(extension: &Extension) -> Self {
        Self {
            name: extension.name.clone(),
            extension_id: extension.extension_id.as_ref().map(ToString::to_string),
            number: extension.number.clone(),
            site_id: extension.site_id.clone(),
        }
    }

    fn extension(self, kind: ExtensionKind, owner_id: &str) -> Extension {
        Extension {
            kind,
            owner_id: owner_id.to_owned(),
            extension_id: self.extension_id.map(ExtensionId::new),
            number: self.number,
            name: self.name,
            site_id: self.site_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;
    use tokio::sync::mpsc;
    use tokio_util::{sync::CancellationToken, task::TaskTracker};

    use super::*;
    use crate::{Purpose, zoom::wire::Reader};

    fn queue(id: &str, name: &str, members: Option<Vec<Member>>) -> DirectoryQueue {
        DirectoryQueue {
            id: QueueId::from(id),
            extension_id: Some(ExtensionId::from("e1")),
            name: name.to_owned(),
            extension_number: Some("801".to_owned()),
            zone: clock::zone("Europe/Berlin").map(|(_, name)| name),
            members,
            policy: ServiceLevelPolicy::default(),
            wrap_up: Some(Duration::from_secs(30)),
            max_wait: Some(Duration::from_secs(600)),
        }
    }

    fn extension(kind: ExtensionKind, id: &str) -> Extension {
        let (name, site_id) = (format!("name of {id}"), Some("s1".to_owned()));
        Extension { kind, owner_id: id.to_owned(), extension_id: None, number: None, name, site_id }
    }

    /// Opens the database, lets something happen, and closes it.
    async fn open(folder: &TempDir, work: impl AsyncFnOnce(Remembered)) {
        let (store, writer) = Store::open(folder.path(), Purpose::Work, clock::now()).await.unwrap();
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let (facts, _seen) = mpsc::channel(1);
        let reader = Reader::new(None);
        let journal =
            Journal::start(writer, reader, facts, clock::now(), &tracker, stop.clone()).await.unwrap();
        work(Cache::load(&store, journal).await).await;
        store.close().await;
        stop.cancel();
        tracker.close();
        tracker.wait().await;
    }

    #[tokio::test]
    async fn what_was_read_is_there_at_the_next_start_also_under_its_former_name() {
        let folder = TempDir::new().unwrap();
        let anna = Member {
            id: UserId::from("u1"),
            extension_id: Some(ExtensionId::from("e9")),
            name: "Anna".to_owned(),
            receives_calls: false,
        };
        let sales = |name: &str| queue("q1", name, Some(vec![anna.clone()]));
        let (person, lobby) =
            (extension(ExtensionKind::Person, "u1"), extension(ExtensionKind::CommonArea, "c1"));
        let read_at = Timestamp::from_millis(clock::now().as_millis() / 1000 * 1000);
        open(&folder, async |mut known| {
            assert!(known.directory.queues.is_empty() && known.read_at.is_none());
            let both = Directory { queues: vec![sales("Sales"), queue("q2", "Gone", None)] };
            known.cache.keep_directory(&both, read_at).await;
            known.cache.keep_extensions(ExtensionKind::Person, &[person.clone(), lobby.clone()]).await;
            known.cache.keep_extensions(ExtensionKind::CommonArea, &[person.clone(), lobby.clone()]).await;
            known.cache.keep_sites(&[Site { id: "s1".to_owned(), name: "Berlin".to_owned() }]).await;
        })
        .await;
        open(&folder, async |mut known| {
            assert_eq!(known.directory.queues, [sales("Sales"), queue("q2", "Gone", None)]);
            assert_eq!(known.read_at, Some(read_at));
            assert!(known.former.queues.is_empty());
            assert_eq!(known.phone_book.find(None, None), None);
            assert_eq!(
                (known.phone_book.extensions().len(), known.phone_book.sites()[0].name.as_str()),
                (2, "Berlin")
            );
            let renamed = Directory { queues: vec![sales("Sales EMEA")] };
            known.cache.keep_directory(&renamed, read_at).await;
            known.cache.keep_directory(&renamed, read_at).await;
            known.cache.keep_extensions(ExtensionKind::CommonArea, &[]).await;
        })
        .await;
        open(&folder, async |mut known| {
            assert_eq!(known.directory.queues, [sales("Sales EMEA")]);
            assert_eq!(known.former.queues, [sales("Sales")]);
            assert_eq!(known.phone_book.extensions(), [person]);
            let later = read_at + 2 * NAMED_SO;
            known.cache.keep_directory(&Directory { queues: vec![sales("Sales EMEA")] }, later).await;
        })
        .await;
        open(&folder, async |known| assert!(known.former.queues.is_empty())).await;
    }
}
