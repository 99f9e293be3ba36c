//! Reads who is behind each extension: every hour, and when an extension turns up that nobody knows.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use domain::{
    id::ExtensionId,
    phone_book::{Extension, ExtensionKind, PhoneBook, Site},
};
use serde::Deserialize;
use tokio::{
    select,
    sync::{Notify, watch},
    time::{Instant, sleep, sleep_until},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Digits, Lenient, SharedCache, cache::KINDS, readable};
use crate::zoom::{
    rate_limit::Category,
    rest::{Page, Request, RestClient, RestError, Rows},
};

/// People come and go; nothing tells when.
const EVERY: Duration = Duration::from_secs(3600);
/// What could not be read is tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(5 * 60);
/// An extension nobody knows is worth a reading, but not one per call.
const NUDGED_EVERY: Duration = Duration::from_secs(10 * 60);
/// What is listed besides extensions.
const SITES: &str = "the sites";
/// Unknown extensions that are remembered, so that none is looked for twice.
const MOST_MISSED: usize = 10_000;

/// The phone book as last read. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct PhoneBookHandle {
    book: watch::Receiver<Arc<PhoneBook>>,
    problem: watch::Receiver<Option<String>>,
    missed: Arc<Missed>,
}

#[derive(Debug, Default)]
struct Missed {
    extensions: Mutex<HashSet<ExtensionId>>,
    nudge: Notify,
}

impl PhoneBookHandle {
    /// A book that nobody will ever write in.
    pub(crate) fn empty() -> Self {
        // The last value stays readable without a sender.
        let (book, problem) = (watch::channel(Arc::default()).1, watch::channel(None).1);
        Self { book, problem, missed: Arc::default() }
    }

    /// The name behind an extension. One that is not in the book makes it be read again, once.
    pub(crate) fn name_of(&self, extension_id: Option<&ExtensionId>, number: Option<&str>) -> Option<String> {
        let found = self.book.borrow().find(extension_id, number).map(|found| found.name.clone());
        if found.is_none()
            && let Some(extension_id) = extension_id
        {
            let mut missed = self.missed.extensions.lock().unwrap_or_else(PoisonError::into_inner);
            if missed.len() < MOST_MISSED && missed.insert(extension_id.clone()) {
                self.missed.nudge.notify_one();
            }
        }
        found
    }

    /// The book as last read.
    pub(crate) fn read(&self) -> Arc<PhoneBook> {
        Arc::clone(&self.book.borrow())
    }

    /// Why it is old or incomplete, one sentence with the next step.
    pub(crate) fn problem(&self) -> Option<String> {
        self.problem.borrow().clone()
    }
}

/// Starts the task that keeps the book, which begins with what is `known`; it ends only by `stop`.
pub(crate) fn spawn(
    rest: RestClient,
    known: Arc<PhoneBook>,
    cache: SharedCache,
    tracker: &TaskTracker,
    stop: CancellationToken,
) -> PhoneBookHandle {
    let (book, book_seen) = watch::channel(known);
    let (problem, problem_seen) = watch::channel(None);
    let missed = Arc::new(Missed::default());
    let task = Task { rest, cache, book, problem, missed: Arc::clone(&missed) };
    tracker.spawn(async move {
        let _ = stop.run_until_cancelled(task.run()).await;
    });
    PhoneBookHandle { book: book_seen, problem: problem_seen, missed }
}

struct Task {
    rest: RestClient,
    cache: SharedCache,
    book: watch::Sender<Arc<PhoneBook>>,
    problem: watch::Sender<Option<String>>,
    missed: Arc<Missed>,
}

impl Task {
    async fn run(self) {
        loop {
            let began = Instant::now();
            let problem = self.read_all().await.map(|error| format!("Cannot {error}."));
            if let Some(problem) = &problem {
                tracing::warn!(problem, "not all extensions could be read");
            }
            let pause = if problem.is_some() { AGAIN_AFTER } else { EVERY };
            self.problem.send_replace(problem);
            select! {
                () = sleep(pause) => {}
                () = self.missed.nudge.notified() => sleep_until(began + NUDGED_EVERY).await,
            }
        }
    }

    /// Reads every list and publishes it. What cannot be read stays as it was; the first failure is told.
    async fn read_all(&self) -> Option<RestError> {
        let mut failure = None;
        for kind in KINDS {
            match self.rest.extensions(kind).await {
                Ok(rows) => {
                    let (mut read, is_whole) = rows.into_parts();
                    if !is_whole {
                        // Nobody is forgotten because a list was cut off.
                        let known = self.book.borrow().clone();
                        let others = known.extensions().iter().filter(|known| {
                            known.kind == kind && read.iter().all(|read| read.owner_id != known.owner_id)
                        });
                        let others: Vec<Extension> = others.cloned().collect();
                        read.extend(others);
                        failure.get_or_insert(RestError::Partial { what: what(kind).0 });
                    }
                    self.cache.lock().await.keep_extensions(kind, &read).await;
                    let known = Arc::clone(&self.book.borrow());
                    let others = known.extensions().iter().filter(|extension| extension.kind != kind);
                    let all = others.cloned().chain(read).collect();
                    self.publish(PhoneBook::new(all, known.sites().to_vec()));
                }
                Err(error) => {
                    failure.get_or_insert(error);
                }
            }
        }
        match self.rest.sites().await.and_then(|rows| rows.whole(SITES)) {
            Ok(sites) => {
                self.cache.lock().await.keep_sites(&sites).await;
                let known = Arc::clone(&self.book.borrow());
                self.publish(PhoneBook::new(known.extensions().to_vec(), sites));
            }
            // An account without more than one site may have no such list.
            Err(RestError::Unanswered { .. }) => {}
            Err(error) => {
                failure.get_or_insert(error);
            }
        }
        failure
    }

    fn publish(&self, book: PhoneBook) {
        self.book.send_replace(Arc::new(book));
    }
}

/// A page of any of the lists: they differ in the name of their rows.
#[derive(Deserialize)]
struct RowPage {
    #[serde(
        alias = "users",
        alias = "auto_receptionists",
        alias = "common_areas",
        alias = "shared_line_groups",
        alias = "sites"
    )]
    rows: Vec<Lenient<Row>>,
    #[serde(default)]
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    extension_id: Option<String>,
    #[serde(default)]
    extension_number: Digits,
    #[serde(default)]
    site: Option<SiteRef>,
}

#[derive(Deserialize)]
struct SiteRef {
    #[serde(default)]
    id: Option<String>,
}

impl Page for RowPage {
    type Row = Row;

    fn into_parts(self) -> (Vec<Row>, Option<String>) {
        (readable(self.rows), self.next_page_token)
    }

    fn id(row: &Row) -> &str {
        &row.id
    }
}

impl Row {
    fn extension(self, kind: ExtensionKind) -> Extension {
        let number = self.extension_number.into_text();
        let given = self.name.or(self.display_name).filter(|name| !name.trim().is_empty());
        Extension {
            kind,
            name: given.or_else(|| number.clone()).unwrap_or_else(|| self.id.clone()),
            owner_id: self.id,
            extension_id: self.extension_id.filter(|id| !id.is_empty()).map(ExtensionId::new),
            number,
            site_id: self.site.and_then(|site| site.id),
        }
    }
}

impl RestClient {
    /// All extensions of one kind.
    async fn extensions(&self, kind: ExtensionKind) -> Result<Rows<Extension>, RestError> {
        let (what, list) = what(kind);
        let path = ["phone", list];
        let rows = self
            .list::<RowPage>(Request { what, path: &path, category: Category::Medium }, Some(100))
            .await?;
        Ok(rows.map(|row| row.extension(kind)))
    }

    async fn sites(&self) -> Result<Rows<Site>, RestError> {
        let path = ["phone", "sites"];
        let request = Request { what: SITES, path: &path, category: Category::Medium };
        let rows = self.list::<RowPage>(request, Some(100)).await?;
        Ok(rows.map(|row| Site { name: row.name.unwrap_or_else(|| row.id.clone()), id: row.id }))
    }
}

/// Extensions of one kind: for people, and in the API.
const fn what(kind: ExtensionKind) -> (&'static str, &'static str) {
    match kind {
        ExtensionKind::Person => ("the people with a phone", "users"),
        ExtensionKind::AutoReceptionist => ("the auto receptionists", "auto_receptionists"),
        ExtensionKind::CommonArea => ("the common area phones", "common_areas"),
        ExtensionKind::SharedLineGroup => ("the shared line groups", "shared_line_groups"),
    }
}
