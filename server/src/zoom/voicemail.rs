//! Which call a message belongs to, when its event does not say.
//!
//! A voicemail's event need not name its call. Then the step of the record that it names tells, where that
//! is known; else who called whom, and when: what rang within two minutes of the message. Both are
//! remembered of the events that were read before, for a while. Reading the journal again from the same place
//! finds the same; from another place it does with the [`Memory`] of whoever stood there.

use std::{
    collections::VecDeque,
    hash::BuildHasher as _,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use domain::{
    fact::{Fact, LegFact, Party, Side, Station, StationKind, What},
    id::{CallId, UserId},
    time::Timestamp,
};
use hashbrown::{DefaultHashBuilder, HashMap};
use serde::{Deserialize, Serialize};

use super::{
    translate::station_kind,
    wire::{Moment, Part, Text},
};

/// By so much the phones of a call stop before, or after, a message is left.
const APART: Duration = Duration::from_secs(2 * 60);
/// No message is longer.
const LONGEST_MESSAGE: Duration = Duration::from_secs(10 * 60);
/// Rings and steps that are remembered: of an hour in an office, of some minutes where hundreds of events come
/// a second.
const MOST: usize = 16_384;

/// Remembers what rang lately. Cheap to clone; clones share what they know.
#[derive(Debug, Clone, Default)]
pub(super) struct RecentRings {
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    /// In the order in which they were told.
    rings: VecDeque<Ring>,
    steps: VecDeque<Step>,
    marking: DefaultHashBuilder,
}

#[derive(Debug)]
struct Ring {
    /// Of the caller's names: thousands of rings are looked through for a message, and their parties lie
    /// all over the memory.
    marks: [u64; 3],
    call_id: CallId,
    at: Timestamp,
    heard_at: Timestamp,
    caller: Arc<Party>,
    callee: Arc<Party>,
    offered_by: Option<Arc<Station>>,
}

/// A step of the record by which a message was left, and its call.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Step {
    id: String,
    call_id: CallId,
    heard_at: Timestamp,
}

/// What is remembered of some time. Most rings share their parties with others.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Memory {
    parties: Vec<Arc<Party>>,
    stations: Vec<Arc<Station>>,
    rings: Vec<KeptRing>,
    steps: Vec<Step>,
}

/// A [`Ring`] by the places of its parties in the memory.
#[derive(Debug, Serialize, Deserialize)]
struct KeptRing {
    call_id: CallId,
    at: Timestamp,
    heard_at: Timestamp,
    caller: usize,
    callee: usize,
    offered_by: Option<usize>,
}

/// Things that are kept once however many share them.
struct Once<T> {
    kept: Vec<Arc<T>>,
    places: HashMap<*const T, usize>,
}

impl<T> Once<T> {
    fn place(&mut self, shared: &Arc<T>) -> usize {
        *self.places.entry(Arc::as_ptr(shared)).or_insert_with(|| {
            self.kept.push(Arc::clone(shared));
            self.kept.len() - 1
        })
    }
}

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self { kept: Vec::new(), places: HashMap::new() }
    }
}

impl Memory {
    /// The rings, each with its parties; one that names a party nobody kept is no ring.
    fn rings(&self, known: &Known) -> impl Iterator<Item = Ring> {
        self.rings.iter().filter_map(|kept| {
            let caller = self.parties.get(kept.caller)?;
            let offered_by = match kept.offered_by {
                Some(place) => Some(Arc::clone(self.stations.get(place)?)),
                None => None,
            };
            Some(Ring {
                marks: known.marks(caller_names(caller)),
                call_id: kept.call_id.clone(),
                at: kept.at,
                heard_at: kept.heard_at,
                caller: Arc::clone(caller),
                callee: Arc::clone(self.parties.get(kept.callee)?),
                offered_by,
            })
        })
    }
}

impl RecentRings {
    /// What was heard since an instant.
    pub(super) fn memory(&self, since: Timestamp) -> Memory {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut parties, mut stations) = (Once::default(), Once::default());
        let rings = known.rings.iter().filter(|ring| ring.heard_at >= since).map(|ring| KeptRing {
            call_id: ring.call_id.clone(),
            at: ring.at,
            heard_at: ring.heard_at,
            caller: parties.place(&ring.caller),
            callee: parties.place(&ring.callee),
            offered_by: ring.offered_by.as_ref().map(|station| stations.place(station)),
        });
        let rings = rings.collect();
        let steps = known.steps.iter().filter(|step| step.heard_at >= since).cloned().collect();
        Memory { parties: parties.kept, stations: stations.kept, rings, steps }
    }

    /// Whoever remembers that, and nothing else.
    pub(super) fn remembering(memory: Memory) -> Self {
        let mut known = Known::default();
        known.rings = memory.rings(&known).collect();
        known.steps = memory.steps.into();
        Self { known: Arc::new(Mutex::new(known)) }
    }

    /// Remembers what a fact that was heard then tells of who rang whom.
    pub(super) fn note(&self, fact: &Fact, heard_at: Timestamp) {
        let (What::Rang(leg) | What::Missed(leg) | What::Rejected(leg) | What::Ended(leg)) = &*fact.what
        else {
            return;
        };
        let LegFact { side: Side::Callee, answered_at: None, .. } = leg else { return };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let ring = Ring {
            marks: known.marks(caller_names(&leg.other)),
            call_id: fact.call_id.clone(),
            at: fact.at,
            heard_at,
            caller: Arc::clone(&leg.other),
            callee: Arc::clone(&leg.party),
            offered_by: leg.offered_by.clone(),
        };
        push(&mut known.rings, ring);
    }

    /// Remembers the steps of a record by which a message was left.
    pub(super) fn note_record(&self, text: &str, call_id: &CallId, heard_at: Timestamp) {
        // Spares nearly every record a second pass.
        if !text.contains("voicemail") {
            return;
        }
        let Ok(event) = serde_json::from_str::<Event<Record<'_>>>(text) else { return };
        let record = event.payload.object;
        let lists = [record.call_elements, record.call_path, record.call_logs];
        let ids = lists.iter().flatten().flatten().filter_map(Part::get);
        let ids = ids.filter_map(|step| step.call_element_id.as_str().or(step.id.as_str()));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for id in ids {
            push(&mut known.steps, Step { id: id.to_owned(), call_id: call_id.clone(), heard_at });
        }
    }

    /// The call after which the message of this event was left.
    pub(super) fn call_of(&self, text: &str) -> Option<CallId> {
        let message = serde_json::from_str::<Event<Message<'_>>>(text).ok()?.payload.object;
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let step = message.call_element_id.as_str();
        let by_step = step.and_then(|id| known.steps.iter().rev().find(|step| step.id == id));
        if let Some(step) = by_step {
            return Some(step.call_id.clone());
        }
        let left_at = message.date_time.get()?;
        let length = message.duration.as_str().and_then(|seconds| seconds.parse().ok());
        let length = length.map_or(Duration::ZERO, Duration::from_secs).min(LONGEST_MESSAGE);
        // The time is of its end or of its beginning.
        let (first, last) = (left_at - length - APART, left_at + APART);
        let marks = known.marks([
            message.caller_user_id.as_str(),
            message.caller_number.as_str(),
            message.caller_did_number.as_str(),
        ]);
        let may_be = |ring: &Ring| marks.iter().any(|mark| *mark != NOBODY && ring.marks.contains(mark));
        let fits =
            |ring: &&Ring| ring.at >= first && ring.at <= last && may_be(ring) && message.is_after(ring);
        let apart = |ring: &Ring| ring.at.since(left_at).max(left_at.since(ring.at));
        known.rings.iter().filter(fits).min_by_key(|ring| apart(ring)).map(|ring| ring.call_id.clone())
    }
}

impl Known {
    fn marks(&self, names: [Option<&str>; 3]) -> [u64; 3] {
        names.map(|name| name.map_or(NOBODY, |name| self.marking.hash_one(name).max(NOBODY + 1)))
    }
}

/// The mark of a name that is not told.
const NOBODY: u64 = 0;

/// Everything a message may call a caller.
fn caller_names(caller: &Party) -> [Option<&str>; 3] {
    let user_id = caller.user_id.as_ref().map(UserId::as_str);
    [user_id, caller.number.as_deref(), caller.extension_number.as_deref()]
}

/// The oldest make room.
fn push<T>(queue: &mut VecDeque<T>, item: T) {
    if queue.len() >= MOST {
        queue.pop_front();
    }
    queue.push_back(item);
}

#[derive(Deserialize)]
struct Event<T> {
    payload: Payload<T>,
}

#[derive(Deserialize)]
struct Payload<T> {
    object: T,
}

/// The lists of a record, in every generation.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Record<'a> {
    #[serde(borrow)]
    call_elements: Option<Vec<Part<RecordStep<'a>>>>,
    #[serde(borrow)]
    call_path: Option<Vec<Part<RecordStep<'a>>>>,
    #[serde(borrow)]
    call_logs: Option<Vec<Part<RecordStep<'a>>>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RecordStep<'a> {
    #[serde(borrow)]
    call_element_id: Text<'a>,
    #[serde(borrow)]
    id: Text<'a>,
}

/// A message that was left, as far as it tells after which call.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Message<'a> {
    #[serde(borrow)]
    call_element_id: Text<'a>,
    date_time: Moment,
    /// Seconds.
    #[serde(borrow)]
    duration: Text<'a>,
    #[serde(borrow)]
    caller_user_id: Text<'a>,
    #[serde(borrow)]
    caller_number: Text<'a>,
    #[serde(borrow)]
    caller_did_number: Text<'a>,
    #[serde(borrow)]
    callee_user_id: Text<'a>,
    #[serde(borrow)]
    callee_number: Text<'a>,
    #[serde(borrow)]
    callee_did_number: Text<'a>,
    #[serde(borrow)]
    callee_name: Text<'a>,
    #[serde(borrow)]
    callee_extension_type: Text<'a>,
}

impl Message<'_> {
    fn is_after(&self, ring: &Ring) -> bool {
        self.is_by(&ring.caller) && self.is_for(ring)
    }

    /// A caller without a number is nobody in particular.
    fn is_by(&self, caller: &Party) -> bool {
        let user =
            caller.user_id.as_ref().is_some_and(|id| self.caller_user_id.as_str() == Some(id.as_str()));
        let numbers = [caller.number.as_deref(), caller.extension_number.as_deref()];
        let told = [self.caller_number.as_str(), self.caller_did_number.as_str()];
        user || numbers.into_iter().flatten().any(|number| told.contains(&Some(number)))
    }

    fn is_for(&self, ring: &Ring) -> bool {
        let kind = self.callee_extension_type.as_str().map(station_kind);
        let told = [self.callee_number.as_str(), self.callee_did_number.as_str()];
        let has = |number: Option<&str>| number.is_some() && told.contains(&number);
        let is_named = |name: Option<&str>| {
            let told = self.callee_name.as_str().map(str::to_lowercase);
            told.is_some() && told == name.map(str::to_lowercase)
        };
        let callee = &ring.callee;
        let by_station = ring.offered_by.as_ref().filter(|station| kind.as_ref() == Some(&station.kind));
        if by_station.is_some_and(|station| {
            has(station.extension_number.as_deref()) || is_named(station.name.as_deref())
        }) {
            return true;
        }
        let is_user = kind.is_none_or(|kind| kind == StationKind::User);
        let user =
            callee.user_id.as_ref().is_some_and(|id| self.callee_user_id.as_str() == Some(id.as_str()));
        // What a queue's member's phone rang for is the queue's.
        let own =
            ring.offered_by.as_ref().is_none_or(|station| station.kind == StationKind::AutoReceptionist);
        let numbers = has(callee.number.as_deref()) || has(callee.extension_number.as_deref());
        own && ((is_user && user) || numbers)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::zoom::wire::Reader;

    const CALLER: &str = "+4930555001";

    fn event(name: &str, object: Value) -> String {
        json!({ "event": name, "event_ts": 1_795_266_000_000_i64, "payload": { "object": object } })
            .to_string()
    }

    /// A phone rang at `second` of noon, for a queue if there is one.
    fn ring(call: &str, caller: &str, second: u32, queue: Option<&str>) -> String {
        let mut object = json!({
            "call_id": call, "ringing_start_time": format!("2026-11-21T12:00:{second:02}Z"),
            "caller": { "phone_number": caller },
            "callee": { "user_id": "u-anna", "extension_number": 201, "extension_type": "user" },
        });
        if let Some(number) = queue {
            object["forwarded_by"] =
                json!({ "extension_type": "callQueue", "extension_number": number, "name": "Sales" });
        }
        event("phone.callee_ringing", object)
    }

    fn message(change: impl FnOnce(&mut Value)) -> String {
        let mut object = json!({
            "id": "v-1", "date_time": "2026-11-21T12:01:30Z", "duration": 20,
            "caller_number": CALLER, "caller_number_type": 2, "caller_name": "",
            "callee_number": "805", "callee_number_type": 1, "callee_name": "Sales",
            "callee_extension_type": "callQueue", "callee_id": "q-1",
        });
        change(&mut object);
        event("phone.voicemail_received", object)
    }

    /// The record of a call that ended in a message.
    fn record() -> String {
        let element = json!({
            "call_element_id": "e-7", "call_id": "7000000000000000077_1", "direction": "inbound",
            "callee_ext_number": "805", "callee_ext_type": "call_queue", "result": "voicemail",
            "start_time": "2026-11-21T12:00:00Z", "end_time": "2026-11-21T12:00:40Z", "voicemail_id": "v-1",
        });
        event("rest.call_history", json!({ "call_history_uuid": "h", "call_elements": [element] }))
    }

    /// The call that the last of the events is of.
    fn call_of(events: &[String]) -> Option<String> {
        let reader = Reader::new(None);
        let read = |text: &String| reader.fact(text, Timestamp::from_millis(1_795_266_100_000));
        // All are read: what comes before the last is remembered.
        let facts: Vec<Option<Fact>> = events.iter().map(read).collect();
        let fact = facts.into_iter().next_back().flatten()?;
        assert_eq!(*fact.what, What::VoicemailLeft);
        Some(fact.call_id.to_string())
    }

    #[test]
    fn f1_a_message_that_names_no_call_is_of_the_call_that_rang_there_shortly_before() {
        let rings = [
            ring("71", "+4930555009", 10, Some("805")),
            ring("72", CALLER, 12, Some("801")),
            ring("73", CALLER, 14, Some("805")),
            ring("74", CALLER, 16, None),
        ];
        let after = |message: String| call_of(&[rings.as_slice(), &[message]].concat());
        assert_eq!(after(message(|_| {})).as_deref(), Some("73"), "the same caller and queue");
        let by_name = message(|object| object["callee_number"] = json!("+4930555100"));
        let named = rings.clone().map(|ring| ring.replace("\"extension_number\":\"801\",", ""));
        assert!(call_of(&[named.as_slice(), &[by_name]].concat()).is_some(), "by the name of the queue");
        let for_anna = message(|object| {
            object["callee_extension_type"] = json!("user");
            object["callee_user_id"] = json!("u-anna");
            object["callee_number"] = json!("201");
        });
        assert_eq!(
            after(for_anna).as_deref(),
            Some("74"),
            "a member's phone rang for the queue, not for her"
        );
        for (field, value) in [
            ("caller_number", "+4930555002"),
            ("caller_number", ""),
            ("date_time", "2026-11-21T12:02:35Z"),
            ("date_time", "2026-11-21T11:58:00Z"),
            ("date_time", "soon"),
        ] {
            assert_eq!(after(message(|object| object[field] = json!(value))), None, "{field} {value}");
        }
        let own = message(|object| object["call_id"] = json!("99"));
        assert_eq!(after(own).as_deref(), Some("99"), "its own word comes first");
    }

    #[test]
    fn f1_of_two_calls_of_one_caller_the_nearer_one_is_meant() {
        let rings = [ring("71", CALLER, 5, Some("805")), ring("72", CALLER, 50, Some("805"))];
        assert_eq!(call_of(&[rings.as_slice(), &[message(|_| {})]].concat()).as_deref(), Some("72"));
    }

    #[test]
    fn f1_the_step_of_the_record_says_more_than_who_called_whom() {
        let named = message(|object| object["call_element_id"] = json!("e-7"));
        let events = [ring("71", CALLER, 5, Some("805")), record(), named];
        assert_eq!(call_of(&events).as_deref(), Some("7000000000000000077"));
    }

    #[test]
    fn whoever_reads_on_from_a_place_remembers_what_was_heard_shortly_before_it() {
        let at = |seconds: u64| Timestamp::from_millis(1_795_266_000_000) + Duration::from_secs(seconds);
        let first = Reader::new(None);
        for (text, second) in [(ring("71", CALLER, 40, Some("805")), 40), (record(), 50)] {
            first.read(&text, at(second)).unwrap();
        }
        first.read(&ring("72", CALLER, 55, Some("805")), at(55)).unwrap();
        let call_of = |since: u64, message: &str| {
            let bytes = postcard::to_allocvec(&first.memory(at(since))).unwrap();
            let reader = Reader::new(None).remembering(postcard::from_bytes(&bytes).unwrap());
            reader.fact(message, at(100)).map(|fact| fact.call_id.to_string())
        };
        let at_the_first_ring = message(|object| object["date_time"] = json!("2026-11-21T12:00:41Z"));
        let named = message(|object| {
            object["call_element_id"] = json!("e-7");
            object["caller_number"] = json!("");
        });
        assert_eq!(call_of(40, &at_the_first_ring).as_deref(), Some("71"));
        assert_eq!(call_of(41, &at_the_first_ring).as_deref(), Some("72"), "the first is forgotten");
        assert_eq!(call_of(56, &at_the_first_ring), None);
        assert_eq!(
            (call_of(50, &named).as_deref(), call_of(51, &named)),
            (Some("7000000000000000077"), None)
        );
    }
}
