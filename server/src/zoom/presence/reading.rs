//! Reads the presence of every agent when nothing is known of it: at the start, after a gap, and when
//! somebody becomes a member of a queue. Events tell the rest.
//!
//! There is no way to ask for many at once. Who cannot be read is noted, told, and asked for again a few
//! times; the others are read all the same. What was read is journalled; who has no presence, such as a
//! phone that belongs to a place, is not asked again. Where nobody has one, that is told: a plan or an app
//! that lacks it looks like that.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
    time::Duration,
};

use domain::{
    directory::Directory,
    id::UserId,
    time::Timestamp,
    trust::{FeedLink, Trust},
};
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use tokio::{sync::watch, time::sleep};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::READING;
use crate::{
    clock,
    config::FeedTimings,
    journal::{Incoming, Journal, Source},
    zoom::{
        patience::BackOff,
        rate_limit::Category,
        rest::{Request, RestClient, RestError},
        setback::{Setbacks, pause_after},
        wire::Reader,
    },
};

/// People that are asked for at once.
const AT_ONCE: usize = 4;
/// A missing scope is given by people.
const REFUSED_PAUSE: Duration = Duration::from_secs(60);

/// How reading presence goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PresenceStatus {
    /// People whose presence could not be read.
    pub unread: usize,
    /// Why presence is not known, one sentence with the next step.
    pub problem: Option<String>,
}

impl PresenceStatus {
    /// Presence cannot be asked for, and this is why.
    pub(crate) fn unreadable(why: &str) -> Self {
        let known =
            "Who is offline or does not want to be disturbed is known from events alone, if Zoom sends them";
        Self { unread: 0, problem: Some(format!("{known}. {why}")) }
    }

    /// Zoom says of all of these that they have none.
    fn of_nobody(asked: usize) -> Self {
        let told = match asked {
            1 => "The one member of the queues has no presence".to_owned(),
            all => format!("None of the {all} members of the queues has a presence"),
        };
        let why = format!(
            "{told}, says Zoom (HTTP 404). Phones of a place have none; if these are people, check that \
             the account has Zoom chat and that the Zoom app has the scope user:read:presence_status:admin, then \
             activate the app again."
        );
        Self { unread: asked, ..Self::unreadable(&why) }
    }

    fn after(setbacks: &Setbacks) -> Self {
        let problem = setbacks.sentence().map(|why| match setbacks.count() {
            1 => format!("The presence of 1 person could not be read. {why}"),
            people => format!("The presence of {people} people could not be read. {why}"),
        });
        Self { unread: setbacks.count(), problem }
    }
}

/// Reads presence for as long as the server runs.
#[derive(Debug)]
pub(crate) struct PresenceReading {
    pub(crate) rest: RestClient,
    pub(crate) journal: Journal,
    pub(crate) reader: Reader,
    pub(crate) directory: watch::Receiver<Arc<Directory>>,
    pub(crate) trust: watch::Receiver<Trust>,
    pub(crate) status: watch::Sender<PresenceStatus>,
    pub(crate) timings: FeedTimings,
}

/// Whose presence is to be read.
#[derive(Debug, Default)]
struct Agenda {
    /// Everybody who was ever on it.
    known: HashSet<UserId>,
    /// Who has none, and is not asked for again before the next gap, unless nobody has one.
    without_presence: BTreeSet<UserId>,
    /// Somebody has one, since the newest gap.
    anybody_has_one: bool,
    due: BTreeSet<UserId>,
    /// Who could not be read; how often it was tried, and when last.
    left: BTreeSet<UserId>,
    passes: u32,
    last: Timestamp,
    /// The end of the gap after which everybody was put on it.
    read_after: Option<Timestamp>,
}

impl Agenda {
    /// Puts on it whoever nothing is known of.
    fn note(&mut self, directory: &Directory, trust: &Trust) {
        let members = directory.queues.iter().flat_map(|queue| queue.members.iter().flatten());
        let members: BTreeSet<&UserId> = members.map(|member| &member.id).collect();
        if trust.deaf_until > self.read_after {
            self.read_after = trust.deaf_until;
            // Scopes and plans change, too.
            self.anybody_has_one = false;
            self.without_presence.clear();
            self.due.extend(members.iter().copied().cloned());
            self.left.clear();
        }
        for id in members {
            if self.known.insert(id.clone()) {
                self.due.insert(id.clone());
            }
        }
        if !self.is_open() {
            self.passes = 0;
        }
    }

    /// Everybody was asked for, and Zoom says of all of them that they have none.
    fn is_of_nobody(&self) -> bool {
        !self.anybody_has_one && self.left.is_empty() && !self.without_presence.is_empty()
    }

    /// Somebody is to be asked for again: who could not be read, or everybody where nobody has one, because that
    /// may be mended.
    fn is_open(&self) -> bool {
        !self.left.is_empty() || self.is_of_nobody()
    }

    /// How long after the last try whoever is left is tried again; `None` when nobody is, or not any more.
    fn next_try(&self, timings: &FeedTimings) -> Option<Duration> {
        pause_after(self.passes, timings).filter(|_| self.is_open())
    }

    /// Puts on it whoever was left, when it is time.
    fn take_up(&mut self, now: Timestamp, timings: &FeedTimings) {
        if self.next_try(timings).is_some_and(|pause| now.since(self.last) >= pause) {
            self.ask_again();
        }
    }

    fn ask_again(&mut self) {
        if self.is_of_nobody() {
            self.due.append(&mut self.without_presence);
        }
        self.due.append(&mut self.left);
    }
}

impl PresenceReading {
    /// Starts the task; it ends only by `stop`.
    pub(crate) fn spawn(self, tracker: &TaskTracker, stop: CancellationToken) {
        tracker.spawn(async move {
            // Whatever is interrupted is read anew after the next start.
            let _ = stop.run_until_cancelled(self.run()).await;
        });
    }

    async fn run(mut self) {
        let mut back_off = BackOff::new(&self.timings);
        let mut agenda = Agenda::default();
        loop {
            {
                let directory = self.directory.borrow_and_update().clone();
                agenda.note(&directory, &self.trust.borrow_and_update());
            }
            agenda.take_up(clock::now(), &self.timings);
            let listens = matches!(self.trust.borrow().feed, FeedLink::Live | FeedLink::WebhookOnly);
            // What is read while nobody listens is doubted as soon as it is known.
            if agenda.due.is_empty() || !listens {
                let again = agenda.next_try(&self.timings).filter(|_| listens);
                tokio::select! {
                    changed = self.directory.changed() => if changed.is_err() { return },
                    changed = self.trust.changed() => if changed.is_err() { return },
                    () = sleep(again.unwrap_or_default()), if again.is_some() => {}
                }
                continue;
            }
            match self.read(&mut agenda).await {
                Ok(status) => {
                    back_off.reset();
                    self.status.send_if_modified(|told| {
                        let changed = *told != status;
                        *told = status;
                        changed
                    });
                }
                Err(error) => self.wait_after(&error, &mut back_off).await,
            }
        }
    }

    /// Asks for everybody who is due, and journals the answers. Nobody is due after that; who could not be
    /// read is left for another time. An error means that nobody can be read now.
    async fn read(&self, agenda: &mut Agenda) -> Result<PresenceStatus, RestError> {
        let mut setbacks = Setbacks::default();
        // One first: without the scope, a hundred requests would fail alike.
        let first: Vec<UserId> = agenda.due.iter().take(1).cloned().collect();
        let rest: Vec<UserId> = agenda.due.iter().skip(1).cloned().collect();
        let ask = |id: UserId| async move {
            let asked_at = clock::now();
            let answer = self.rest.presence_of(&id).await;
            (id, asked_at, answer)
        };
        let answers =
            stream::iter(first).then(ask).chain(stream::iter(rest).map(ask).buffer_unordered(AT_ONCE));
        let mut answers = std::pin::pin!(answers);
        while let Some((id, asked_at, answer)) = answers.next().await {
            match answer {
                Ok(status) => {
                    setbacks.read_one();
                    agenda.anybody_has_one = true;
                    let text = text(id.as_str(), &status, asked_at);
                    let incoming = Incoming::read(&self.reader, Source::Rest, clock::now(), &text);
                    // Refused by the disk. The journal says so itself.
                    if self.journal.append(incoming).await.is_err() {
                        agenda.left.insert(id.clone());
                    }
                }
                // Nobody of that name: a phone of a place, or somebody who is gone.
                Err(RestError::Unanswered { .. }) => {
                    agenda.without_presence.insert(id.clone());
                }
                Err(error) => {
                    setbacks.note(error)?;
                    agenda.left.insert(id.clone());
                }
            }
            agenda.due.remove(&id);
        }
        agenda.passes += 1;
        agenda.last = clock::now();
        if agenda.is_of_nobody() {
            return Ok(PresenceStatus::of_nobody(agenda.without_presence.len()));
        }
        Ok(PresenceStatus::after(&setbacks))
    }

    async fn wait_after(&self, error: &RestError, back_off: &mut BackOff) {
        tracing::warn!(problem = %error, "the presence of people could not be read");
        self.status.send_replace(PresenceStatus::unreadable(&format!("Cannot {error}.")));
        let mut pause = back_off.failed().max(error.asked_pause(clock::now()).unwrap_or_default());
        if matches!(error, RestError::Refused { .. } | RestError::NoToken(_)) {
            pause = pause.max(REFUSED_PAUSE);
        }
        sleep(pause).await;
    }
}

/// A reading as the journal keeps it.
pub(super) fn text(user_id: &str, status: &str, asked_at: Timestamp) -> String {
    let date_time = clock::format_rfc3339(asked_at);
    let object = serde_json::json!({ "id": user_id, "presence_status": status, "date_time": date_time });
    serde_json::json!({ "event": READING, "payload": { "object": object } }).to_string()
}

#[derive(Deserialize)]
struct PresenceAnswer {
    status: String,
}

impl RestClient {
    async fn presence_of(&self, id: &UserId) -> Result<String, RestError> {
        let path = ["users", id.as_str(), "presence_status"];
        let request = Request { what: "the presence of a person", path: &path, category: Category::Medium };
        let answer: PresenceAnswer = self.read(request, &[]).await?;
        Ok(answer.status)
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashMap, sync::Mutex};

    use axum::{
        Json, Router,
        extract::{Path, State},
        http::StatusCode,
        routing::get,
    };
    use domain::{
        directory::{DirectoryQueue, Member},
        service_level::ServiceLevelPolicy,
    };
    use serde_json::{Value, json};

    use super::*;
    use crate::{Purpose, store::Store, zoom::rest::pretend::client_of};

    fn directory(members: &[&str]) -> Directory {
        let member = |id: &&str| Member {
            id: UserId::from(*id),
            extension_id: None,
            name: (*id).to_owned(),
            receives_calls: true,
        };
        let queue = |id: &str| DirectoryQueue {
            id: id.into(),
            extension_id: None,
            name: id.to_owned(),
            extension_number: None,
            zone: None,
            members: Some(members.iter().map(member).collect()),
            policy: ServiceLevelPolicy::default(),
            wrap_up: None,
            max_wait: None,
        };
        Directory { queues: vec![queue("billing"), queue("support")] }
    }

    fn trust(deaf_until: Option<i64>) -> Trust {
        let at = Timestamp::from_millis;
        Trust {
            feed: FeedLink::Live,
            feed_since: at(0),
            feed_heard_at: Some(at(0)),
            feed_problem: None,
            newest_fact_at: None,
            counting_since: None,
            deaf_until: deaf_until.map(at),
            journal_outage: None,
            gap: None,
            demo: false,
        }
    }

    #[test]
    fn everybody_is_read_once_and_again_after_each_gap() {
        let mut agenda = Agenda::default();
        agenda.note(&directory(&["ada", "bo"]), &trust(None));
        assert_eq!(agenda.due.len(), 2, "each person once, in however many queues");
        agenda.due.clear();
        agenda.note(&directory(&["ada", "bo", "cem"]), &trust(None));
        assert_eq!(agenda.due, BTreeSet::from(["cem".into()]), "a new member");
        agenda.note(&directory(&["ada", "bo", "cem"]), &trust(Some(7)));
        assert_eq!(agenda.due.len(), 3);
        agenda.due.clear();
        agenda.note(&directory(&["ada", "bo", "cem"]), &trust(Some(7)));
        assert!(agenda.due.is_empty(), "the same gap");
        agenda.note(&directory(&["ada", "bo", "cem"]), &trust(Some(9)));
        assert_eq!(agenda.due.len(), 3, "another gap");
    }

    #[test]
    fn who_could_not_be_read_is_asked_for_again_a_few_times_and_holds_up_nobody() {
        let timings = FeedTimings::default();
        let mut agenda = Agenda::default();
        agenda.left.insert("ada".into());
        let (mut now, mut tries) = (Timestamp::from_millis(0), 0);
        agenda.passes = 1;
        while let Some(pause) = agenda.next_try(&timings) {
            agenda.take_up(now + pause / 2, &timings);
            assert!(agenda.due.is_empty(), "not so soon");
            now = now + pause;
            agenda.take_up(now, &timings);
            assert_eq!((agenda.due.len(), agenda.left.len()), (1, 0));
            (agenda.left, agenda.due) = (std::mem::take(&mut agenda.due), BTreeSet::new());
            (agenda.passes, agenda.last) = (agenda.passes + 1, now);
            tries += 1;
        }
        assert_eq!(tries, 6);
        agenda.note(&directory(&["ada"]), &trust(Some(7)));
        assert_eq!((agenda.due.len(), agenda.left.len()), (1, 0), "after a gap everybody is asked for anew");
    }

    /// What an API answers of people, by their ids; of anybody else, that there is none.
    type Told = Arc<Mutex<HashMap<&'static str, (StatusCode, Value)>>>;

    async fn presence(State(told): State<Told>, Path(id): Path<String>) -> (StatusCode, Json<Value>) {
        let nobody = (StatusCode::NOT_FOUND, json!({ "code": 1001, "message": "User does not exist." }));
        let (status, answer) = told.lock().unwrap().get(&*id).cloned().unwrap_or(nobody);
        (status, Json(answer))
    }

    #[tokio::test]
    async fn that_nobody_has_a_presence_is_told_and_asked_for_again() {
        let told = Told::default();
        let router =
            Router::new().route("/users/{id}/presence_status", get(presence)).with_state(Arc::clone(&told));
        let timings = FeedTimings::default();
        let folder = tempfile::tempdir().unwrap();
        let (_store, writer) = Store::open(folder.path(), Purpose::Work, clock::now()).await.unwrap();
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let (facts, _seen) = tokio::sync::mpsc::channel(100);
        let reader = Reader::default();
        let journal =
            Journal::start(writer, reader.clone(), facts, clock::now(), &tracker, stop).await.unwrap();
        let reading = PresenceReading {
            rest: client_of(router, timings).await,
            journal,
            reader,
            directory: watch::channel(Arc::default()).1,
            trust: watch::channel(trust(None)).1,
            status: watch::channel(PresenceStatus::default()).0,
            timings,
        };
        let mut agenda = Agenda::default();
        agenda.note(&directory(&["ada", "bo"]), &trust(None));
        let status = reading.read(&mut agenda).await.unwrap();
        let problem = status.problem.unwrap();
        assert!(problem.contains("None of the 2 members"), "{problem}");
        assert!(problem.contains("the scope user:read:presence_status:admin"), "{problem}");
        assert!(agenda.next_try(&timings).is_some(), "asked for again");
        agenda.note(&directory(&["ada", "bo", "cy"]), &trust(None));
        assert_eq!(agenda.due.len(), 1);
        let status = reading.read(&mut agenda).await.unwrap();
        assert!(status.problem.is_some_and(|problem| problem.contains("None of the 3 members")), "one more");

        // Where one answer could not be read, nobody knows yet.
        told.lock().unwrap().insert("bo", (StatusCode::SERVICE_UNAVAILABLE, json!({})));
        agenda.ask_again();
        assert_eq!(agenda.due.len(), 3);
        let status = reading.read(&mut agenda).await.unwrap();
        assert_eq!(status.unread, 1);
        assert!(status.problem.is_some_and(|problem| problem.contains("could not be read")));

        // One who has it shows that others have none.
        told.lock().unwrap().insert("bo", (StatusCode::OK, json!({ "status": "Available" })));
        agenda.ask_again();
        assert_eq!(reading.read(&mut agenda).await.unwrap(), PresenceStatus::default());
        assert_eq!(agenda.without_presence, BTreeSet::from(["ada".into(), "cy".into()]));

        // Until a gap, after which that is not known any more.
        told.lock().unwrap().clear();
        agenda.note(&directory(&["ada", "bo", "cy"]), &trust(Some(7)));
        let status = reading.read(&mut agenda).await.unwrap();
        assert!(status.problem.is_some_and(|problem| problem.contains("None of the 3 members")));
    }
}
