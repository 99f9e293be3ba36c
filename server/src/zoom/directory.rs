//! Who is who: the queues and their members, read again and again.
//!
//! The list of queues is one or two requests and is published at once, so that a board has names;
//! members follow queue by queue. Opting in and out raises no event, so only reading again tells.
//! What was read is kept in the database, so that a start has names before Zoom answers.

mod cache;
pub(crate) mod phone_book;

use std::{sync::Arc, time::Duration};

use domain::{
    directory::{Directory, DirectoryQueue, Member},
    id::{ExtensionId, QueueId, UserId},
    service_level::ServiceLevelPolicy,
    time::Timestamp,
};
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use tokio::{
    select,
    sync::{Mutex, Notify, watch},
    time::{Instant, sleep, sleep_until},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) use self::cache::{Cache, Remembered};
use super::{
    auth::AuthError,
    patience::BackOff,
    rate_limit::Category,
    rest::{Page, Request, RestClient, RestError, Rows},
    setback::Setbacks,
};
use crate::{clock, config::FeedTimings};

/// Members come and go; nothing tells when.
const EVERY: Duration = Duration::from_secs(2 * 60);
/// Each queue is asked for by itself: so many of them make the time between two readings longer.
const EVERY_PER_QUEUE: Duration = Duration::from_secs(1);
/// A queue nobody knows is worth a reading, but not one per call.
const NUDGED_EVERY: Duration = Duration::from_secs(60);
/// Between two publications while members come in.
const PUBLISH_EVERY: Duration = Duration::from_secs(2);
/// What is listed.
const QUEUES: &str = "the call queues";
/// The same of one queue.
const MEMBERS: &str = "the members of a call queue";
/// Details that are asked for at once.
const AT_ONCE: usize = 4;

/// How reading the directory goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DirectoryStatus {
    /// When the queues were last read.
    pub read_at: Option<Timestamp>,
    /// Queues whose members could not be read.
    pub queues_without_members: usize,
    /// What could not be read the last time: the list, members or settings of single queues. What was known
    /// of them before stands; all of it is asked for again with the next reading.
    pub unread: usize,
    /// Why it is old or incomplete, one sentence with the next step.
    pub problem: Option<String>,
}

/// What the directory's task gives.
#[derive(Debug, Clone)]
pub struct DirectoryFeed {
    /// The directory as last read; empty before the first time.
    pub directory: watch::Receiver<Arc<Directory>>,
    /// How reading goes.
    pub status: watch::Receiver<DirectoryStatus>,
    /// Asks for another reading, when a call names a queue nobody knows.
    pub nudge: Arc<Notify>,
}

/// Where readings are kept.
pub(crate) type SharedCache = Arc<Mutex<Cache>>;

/// Starts the task that keeps the directory fresh, beginning with what is `known` and when that was read;
/// it ends only by `stop`.
pub(crate) fn spawn(
    rest: RestClient,
    (known, read_at): (Arc<Directory>, Option<Timestamp>),
    cache: SharedCache,
    tracker: &TaskTracker,
    stop: CancellationToken,
) -> DirectoryFeed {
    let (directory, directory_seen) = watch::channel(known);
    let (status, status_seen) = watch::channel(DirectoryStatus { read_at, ..DirectoryStatus::default() });
    let nudge = Arc::new(Notify::new());
    let task = Task { rest, cache, directory, status, nudge: Arc::clone(&nudge) };
    tracker.spawn(async move {
        select! {
            _ = stop.cancelled() => {}
            () = task.run() => {}
        }
    });
    DirectoryFeed { directory: directory_seen, status: status_seen, nudge }
}

struct Task {
    rest: RestClient,
    cache: SharedCache,
    directory: watch::Sender<Arc<Directory>>,
    status: watch::Sender<DirectoryStatus>,
    nudge: Arc<Notify>,
}

impl Task {
    async fn run(self) {
        let mut back_off = BackOff::new(&FeedTimings::default());
        loop {
            let began = Instant::now();
            match self.read_all().await {
                Ok(()) => {
                    back_off.reset();
                    let queues = u32::try_from(self.directory.borrow().queues.len()).unwrap_or(u32::MAX);
                    select! {
                        () = sleep(EVERY.max(EVERY_PER_QUEUE.saturating_mul(queues))) => {}
                        () = self.nudge.notified() => sleep_until(began + NUDGED_EVERY).await,
                    }
                }
                Err(error) => {
                    tracing::warn!(problem = %error, "the queues could not be read");
                    self.status.send_modify(|status| status.problem = Some(format!("Cannot {error}.")));
                    let pause = back_off.failed().max(error.asked_pause(clock::now()).unwrap_or_default());
                    // Wrong credentials and missing scopes are repaired by people, not by haste.
                    let pause = match error {
                        RestError::NoToken(AuthError::Refused { .. }) | RestError::Refused { .. } => {
                            pause.max(Duration::from_secs(30))
                        }
                        _ => pause,
                    };
                    sleep(pause).await;
                }
            }
        }
    }

    /// Reads the list and publishes it, then the details and publishes them as they come. What cannot be
    /// read stays as it was, and is noted; an error means that nothing can be read now.
    async fn read_all(&self) -> Result<(), RestError> {
        let mut setbacks = Setbacks::default();
        let known = Arc::clone(&self.directory.borrow());
        let list = match self.rest.call_queues().await {
            Ok(rows) => {
                let (rows, is_whole) = rows.into_parts();
                if !is_whole {
                    setbacks.note(RestError::Partial { what: QUEUES })?;
                }
                Some(rows)
            }
            // Nobody is known whose members could be read.
            Err(error) if known.queues.is_empty() => return Err(error),
            Err(error) => {
                setbacks.note(error)?;
                None
            }
        };
        let read_at = list.as_ref().map_or(self.status.borrow().read_at, |_| Some(clock::now()));
        let has_list = list.is_some();
        let rows = list.into_iter().flatten();
        let mut directory = Directory { queues: rows.map(|row| row.queue(&known)).collect() };
        let missing: Vec<DirectoryQueue> = known
            .queues
            .iter()
            .filter(|known| directory.queues.iter().all(|queue| queue.id != known.id))
            .cloned()
            .collect();
        // Pages of a list can lack a row; a queue is gone when it cannot be read by itself either.
        directory.queues.extend(missing);
        self.publish(&directory);
        self.status.send_modify(|status| status.read_at = read_at);

        let ids: Vec<QueueId> = directory.queues.iter().map(|queue| queue.id.clone()).collect();
        let mut details = stream::iter(ids.into_iter().enumerate())
            .map(|(index, id)| async move { (index, self.rest.call_queue(&id).await) })
            .buffer_unordered(AT_ONCE);
        let mut published_at = Instant::now();
        let mut gone = Vec::new();
        let mut problem = None;
        while let Some((index, detail)) = details.next().await {
            let queue = &mut directory.queues[index];
            let failure = match detail {
                Ok(detail) => {
                    setbacks.read_one();
                    if let Some(zone) = detail.timezone.as_deref().and_then(clock::zone) {
                        queue.zone = Some(zone.1);
                    }
                    let some = (!detail.members.is_whole).then_some(RestError::Garbled { what: MEMBERS });
                    queue.members = detail.members.after(queue.members.take());
                    some.or(match detail.settings {
                        Ok(settings) => {
                            queue.wrap_up = settings.wrap_up.or(queue.wrap_up);
                            queue.max_wait = settings.max_wait.or(queue.max_wait);
                            None
                        }
                        // An app may lack the scope for them, and lives without.
                        Err(RestError::Refused { .. } | RestError::Unanswered { .. }) => None,
                        Err(error) => Some(error),
                    })
                }
                // Where nothing can be read, not even the list, nothing is known to be gone.
                Err(error) if error.is_gone() && has_list => {
                    gone.push(queue.id.clone());
                    None
                }
                // Members of the reading before are better than none.
                Err(error) => Some(error),
            };
            if let Some(Err(error)) = failure.map(|error| setbacks.note(error)) {
                problem = Some(format!("Cannot {error}."));
                break;
            }
            if published_at.elapsed() >= PUBLISH_EVERY {
                published_at = Instant::now();
                self.publish(&directory);
            }
        }
        directory.queues.retain(|queue| !gone.contains(&queue.id));
        self.publish(&directory);
        if let Some(read_at) = read_at {
            self.cache.lock().await.keep_directory(&directory, read_at).await;
        }
        let without_members = directory.queues.iter().filter(|queue| queue.members.is_none()).count();
        let (unread, problem) = (setbacks.count(), problem.or(setbacks.sentence()));
        self.status.send_replace(DirectoryStatus {
            read_at,
            queues_without_members: without_members,
            unread,
            problem,
        });
        Ok(())
    }

    /// Nobody is woken when nothing changed.
    fn publish(&self, directory: &Directory) {
        self.directory.send_if_modified(|published| {
            let changed = **published != *directory;
            if changed {
                *published = Arc::new(directory.clone());
            }
            changed
        });
    }
}

#[derive(Deserialize)]
struct QueuePage {
    /// Must be there: an answer without it is no list, not an empty one.
    call_queues: Vec<Lenient<QueueRow>>,
    #[serde(default)]
    next_page_token: Option<String>,
}

/// A row that does not spoil its page when it is not what was promised.
#[derive(Deserialize)]
#[serde(untagged)]
enum Lenient<T> {
    Is(T),
    Other(serde::de::IgnoredAny),
}

impl<T> Default for Lenient<T> {
    fn default() -> Self {
        Self::Other(serde::de::IgnoredAny)
    }
}

impl<T> Lenient<T> {
    fn ok(self) -> Option<T> {
        match self {
            Self::Is(value) => Some(value),
            Self::Other(_) => None,
        }
    }
}

impl Lenient<u32> {
    fn seconds(self) -> Option<Duration> {
        self.ok().map(|seconds| Duration::from_secs(seconds.into()))
    }
}

fn readable<T>(rows: Vec<Lenient<T>>) -> Vec<T> {
    rows.into_iter().filter_map(Lenient::ok).collect()
}

#[derive(Deserialize)]
struct QueueRow {
    id: String,
    #[serde(default)]
    name: Lenient<String>,
    #[serde(default)]
    extension_id: Lenient<String>,
    #[serde(default)]
    extension_number: Lenient<Digits>,
}

/// A number, or the same as text.
#[derive(Deserialize, Default)]
#[serde(untagged)]
enum Digits {
    Number(i64),
    Text(String),
    #[default]
    Absent,
}

impl Digits {
    fn into_text(self) -> Option<String> {
        match self {
            Self::Number(number) => Some(number.to_string()),
            Self::Text(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Self::Absent => None,
        }
    }
}

impl Page for QueuePage {
    type Row = QueueRow;

    fn into_parts(self) -> (Vec<QueueRow>, Option<String>) {
        (readable(self.call_queues), self.next_page_token)
    }

    fn id(row: &QueueRow) -> &str {
        &row.id
    }
}

impl QueueRow {
    /// The queue with what is already known of its members, so that they do not flicker.
    fn queue(self, known: &Directory) -> DirectoryQueue {
        let extension_number = self.extension_number.ok().and_then(Digits::into_text);
        let name = self.name.ok().filter(|name| !name.trim().is_empty());
        let before = known.queues.iter().find(|queue| queue.id.as_str() == self.id);
        DirectoryQueue {
            name: name.or_else(|| extension_number.clone()).unwrap_or_else(|| self.id.clone()),
            id: QueueId::new(self.id),
            extension_id: self.extension_id.ok().map(ExtensionId::new),
            extension_number,
            zone: before.and_then(|before| before.zone.clone()),
            members: before.and_then(|before| before.members.clone()),
            policy: ServiceLevelPolicy::default(),
            wrap_up: before.and_then(|before| before.wrap_up),
            max_wait: before.and_then(|before| before.max_wait),
        }
    }
}

/// What only the detail of a queue tells.
struct QueueDetail {
    timezone: Option<String>,
    members: Members,
    settings: Result<QueueSettings, RestError>,
}

/// The members of a queue, as far as they can be read.
struct Members {
    read: Vec<Member>,
    /// These are all of them. Who has no id is somebody, too.
    is_whole: bool,
}

impl From<Vec<Lenient<MemberRow>>> for Members {
    fn from(rows: Vec<Lenient<MemberRow>>) -> Self {
        let count = rows.len();
        let read: Vec<Member> = readable(rows).into_iter().map(MemberRow::member).collect();
        let is_whole = read.len() == count;
        Self { read, is_whole }
    }
}

impl Members {
    /// The members, when these were `known` before: who is not among them now may be one that cannot be read.
    /// Of how many there are nothing is known where some never could be.
    fn after(self, known: Option<Vec<Member>>) -> Option<Vec<Member>> {
        let Self { mut read, is_whole } = self;
        if is_whole {
            return Some(read);
        }
        let known = known?;
        let rest = known.into_iter().filter(|known| read.iter().all(|member| member.id != known.id));
        read.append(&mut rest.collect());
        Some(read)
    }
}

/// How a queue treats its callers and members in business hours.
#[derive(Debug, Default, PartialEq, Eq)]
struct QueueSettings {
    /// How long it leaves a member alone after a call.
    wrap_up: Option<Duration>,
    /// After this long it sends a caller elsewhere.
    max_wait: Option<Duration>,
}

#[derive(Deserialize)]
struct HandlingAnswer {
    #[serde(default)]
    call_distribution_setting: Option<Distribution>,
}

#[derive(Deserialize)]
struct Distribution {
    /// Seconds.
    #[serde(default)]
    wrap_up_time: Lenient<u32>,
    /// Seconds.
    #[serde(default)]
    max_wait_time: Lenient<u32>,
}

#[derive(Deserialize)]
struct DetailAnswer {
    #[serde(default)]
    timezone: Option<String>,
    #[serde(default)]
    members: Option<DetailMembers>,
}

#[derive(Deserialize)]
struct DetailMembers {
    #[serde(default)]
    users: Option<Vec<Lenient<MemberRow>>>,
    #[serde(default)]
    common_areas: Option<Vec<Lenient<MemberRow>>>,
}

impl DetailMembers {
    /// Everybody; `None` when nothing is said of anybody, which does not mean that there is nobody.
    fn rows(self) -> Option<Vec<Lenient<MemberRow>>> {
        let is_told = self.users.is_some() || self.common_areas.is_some();
        is_told.then(|| [self.users, self.common_areas].into_iter().flatten().flatten().collect())
    }
}

#[derive(Deserialize)]
struct MemberRow {
    id: String,
    #[serde(default)]
    name: Lenient<String>,
    #[serde(default)]
    extension_id: Lenient<String>,
    /// Common areas have none: they cannot opt out.
    #[serde(default)]
    receive_call: Lenient<bool>,
}

impl MemberRow {
    fn member(self) -> Member {
        Member {
            name: self.name.ok().unwrap_or_default(),
            id: UserId::new(self.id),
            extension_id: self.extension_id.ok().map(ExtensionId::new),
            receives_calls: self.receive_call.ok().unwrap_or(true),
        }
    }
}

#[derive(Deserialize)]
struct MemberPage {
    call_queue_members: Vec<Lenient<MemberRow>>,
    #[serde(default)]
    next_page_token: Option<String>,
}

impl Page for MemberPage {
    type Row = Lenient<MemberRow>;

    fn into_parts(self) -> (Vec<Lenient<MemberRow>>, Option<String>) {
        (self.call_queue_members, self.next_page_token)
    }

    /// All that cannot be read count as one.
    fn id(row: &Lenient<MemberRow>) -> &str {
        match row {
            Lenient::Is(row) => &row.id,
            Lenient::Other(_) => "",
        }
    }
}

impl RestClient {
    async fn call_queues(&self) -> Result<Rows<QueueRow>, RestError> {
        let path = ["phone", "call_queues"];
        let request = Request { what: QUEUES, path: &path, category: Category::Medium };
        self.list::<QueuePage>(request, Some(100)).await
    }

    /// The detail names the members; where it does not, their own list may.
    async fn call_queue(&self, id: &QueueId) -> Result<QueueDetail, RestError> {
        let path = ["phone", "call_queues", id.as_str()];
        let request = Request { what: "a call queue", path: &path, category: Category::Light };
        let detail: Result<DetailAnswer, _> = self.read(request, &[]).await;
        let (timezone, members, error) = match detail {
            Ok(DetailAnswer { timezone, members }) => (timezone, members, None),
            Err(
                error @ (RestError::NoToken(_)
                | RestError::UsedUp { .. }
                | RestError::Unanswered { status: 404, .. }),
            ) => return Err(error),
            Err(error) => (None, None, Some(error)),
        };
        if let Some(rows) = members.and_then(DetailMembers::rows) {
            return Ok(QueueDetail {
                timezone,
                members: rows.into(),
                settings: self.queue_settings(id).await,
            });
        }
        let path = ["phone", "call_queues", id.as_str(), "members"];
        let request = Request { what: MEMBERS, path: &path, category: Category::Medium };
        // Half of them would make the others look as if they had left.
        let rows = self.list::<MemberPage>(request, None).await.and_then(|rows| rows.whole(MEMBERS));
        // The first failure says more: the second way is only a fallback.
        let rows = rows.map_err(|second| error.unwrap_or(second))?;
        Ok(QueueDetail { timezone, members: rows.into(), settings: self.queue_settings(id).await })
    }

    async fn queue_settings(&self, id: &QueueId) -> Result<QueueSettings, RestError> {
        let path = ["phone", "call_queues", id.as_str(), "call_handling", "settings"];
        let request =
            Request { what: "the settings of a call queue", path: &path, category: Category::Light };
        let hours = [("hour_type", "business_hours".to_owned())];
        let answer: HandlingAnswer = self.read(request, &hours).await?;
        let Some(distribution) = answer.call_distribution_setting else {
            return Ok(QueueSettings::default());
        };
        Ok(QueueSettings {
            wrap_up: distribution.wrap_up_time.seconds(),
            // Nobody is let wait for no time at all.
            max_wait: distribution.max_wait_time.seconds().filter(|wait| !wait.is_zero()),
        })
    }
}

#[cfg(test)]
mod tests;
