//! What Zoom writes down of a call afterwards, as facts: conversations and stays in queues.
//!
//! The `…_call_element_completed` events tell of one person's part, seconds to minutes after it; the
//! whole path of a call is read over REST (`backfill`) and journalled as `DETAIL`. Both hold the same
//! elements under the same names; `element` reads these and the two generations before them. `rows`
//! gives the same as rows of the database.

mod element;
mod rows;
mod steps;

use std::{sync::Arc, time::Duration};

use domain::{
    board::CLOCK_SKEW,
    fact::{Fact, Party, Record, RecordedStay, RecordedTalk, Side, Station, StationKind, StayEnd, What},
    id::{CallId, ExtensionId, RecordId, UserId},
    outcome::OverflowReason,
    time::Timestamp,
};

use self::element::{Element, Event, Generation};
pub(crate) use self::{rows::rows, steps::step};
use super::{
    translate::{station_kind, without_part_suffix},
    wire::{Part, Text},
};

/// The name under which the path of a call, read over REST, is journalled.
pub(super) const DETAIL: &str = "rest.call_history";
/// The name under which a call log of the first generation, read over REST, is journalled.
pub(super) const LOG: &str = "rest.call_log";

/// Conversations and stays that one record may tell. A caller who goes round between two queues for an hour
/// makes about a hundred.
const MOST_TOLD: usize = 250;

/// Who is sent elsewhere within this time was not let wait.
const AT_ONCE: Duration = Duration::from_secs(2);

/// The names of all messages that are records.
pub(crate) const NAMES: [&str; 8] = [
    "phone.callee_call_element_completed",
    "phone.caller_call_element_completed",
    "phone.callee_call_history_completed",
    "phone.caller_call_history_completed",
    "phone.callee_call_log_completed",
    "phone.caller_call_log_completed",
    DETAIL,
    LOG,
];

/// Which part of a call a record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// One person's, on that side.
    Part(Side),
    /// All of it.
    Whole,
}

/// The path of a call, read over REST as this JSON object, as the event that is journalled.
pub fn path_event(path: &str) -> String {
    format!(r#"{{"event":"{DETAIL}","payload":{{"object":{path}}}}}"#)
}

/// True when a record has the shape that is read here, whether it tells of anything or not.
pub(super) fn is_understood(text: &str) -> bool {
    let event: Result<Event<'_>, _> = serde_json::from_str(text);
    event.is_ok_and(|event| {
        let object = event.payload.object;
        object.has_list() && object.elements().iter().all(|element| element.get().is_some())
    })
}

/// What the message of this name is a record of; `None` for any other message.
pub(super) fn scope(name: &str) -> Option<Scope> {
    match name {
        "phone.callee_call_element_completed"
        | "phone.callee_call_history_completed"
        | "phone.callee_call_log_completed" => Some(Scope::Part(Side::Callee)),
        "phone.caller_call_element_completed"
        | "phone.caller_call_history_completed"
        | "phone.caller_call_log_completed" => Some(Scope::Part(Side::Caller)),
        DETAIL | LOG => Some(Scope::Whole),
        _ => None,
    }
}

/// A record that tells more than [`MOST_TOLD`] things. Part of it would look like all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Crowded;

/// What a record that was received at `read_at` tells; `None` when it tells of nothing that is known
/// here, or cannot be read.
///
/// A record is about one call. Should it ever name two, the first counts.
pub(super) fn fact(scope: Scope, text: &str, read_at: Timestamp) -> Result<Option<Fact>, Crowded> {
    let Ok(event) = serde_json::from_str::<Event<'_>>(text) else { return Ok(None) };
    let object = event.payload.object;
    let elements = object.elements();
    let mut call: Option<&str> = None;
    let id = match scope {
        Scope::Whole => object.record_id().map(RecordId::new),
        // Several people have a part in one record.
        Scope::Part(_) => None,
    };
    let mut record = Record { id, read_at, ..Record::default() };
    let mut of_queues = Vec::new();
    for element in elements.iter().filter_map(Part::get) {
        let Some(call_id) = element.call_id.as_str().map(without_part_suffix) else { continue };
        if *call.get_or_insert(call_id) != call_id {
            continue;
        }
        let side = match scope {
            Scope::Part(side) => side,
            // Whose conversation it was: the called person's, or the caller's when the other end is outside.
            Scope::Whole
                if element.direction.as_str() == Some("outbound")
                    && element.callee_ext_id.as_str().is_none() =>
            {
                Side::Caller
            }
            Scope::Whole => Side::Callee,
        };
        record.talks.extend(talk(side, &object.user_id, element));
        // A person's part names queues only when the caller belongs to the account; counting those and
        // not the others would make their callers look more numerous.
        if scope == Scope::Whole {
            of_queues.extend(stay(element, elements).map(|stay| (stay, element)));
        }
        if record.weight() + of_queues.len() > MOST_TOLD {
            return Err(Crowded);
        }
    }
    record.stays = visits(of_queues, elements);
    // A log of the first generation is one extension's, though it stands by itself.
    if scope == Scope::Whole && object.generation() != Generation::V1 {
        // Only what is over is written down: an end after that is another clock's, or nonsense.
        let is_believed = |at: &Timestamp| *at <= read_at + CLOCK_SKEW;
        record.ended_at = object.end_time.get().filter(is_believed).map(|at| at.min(read_at));
    }
    let ends =
        record.talks.iter().map(|talk| talk.ended_at).chain(record.stays.iter().map(|stay| stay.left_at));
    let Some((at, call)) = ends.max().zip(call) else { return Ok(None) };
    Ok(Some(Fact::new(CallId::new(call), at, What::Recorded(record))))
}

/// An element of a queue itself: how long a caller waited there, and how that ended. `all` are the
/// elements of its call.
fn stay(element: &Element<'_>, all: &[Part<Element<'_>>]) -> Option<RecordedStay> {
    let kind = element.callee_kind()?;
    let entered_at = element.started_at()?;
    let end = match &*element.result()? {
        "answered" | "connected" | "accepted" => StayEnd::Answered,
        "abandoned" => StayEnd::Abandoned,
        // Also said of callers who only heard that the queue is closed: those were never in it.
        "hang_up" | "canceled" | "call_cancel" if rang_somebody(element, all) => StayEnd::Abandoned,
        "overflowed" | "overflow" | "no_answer" | "busy" => StayEnd::Overflowed,
        "voicemail" => StayEnd::Voicemail,
        _ => return None,
    };
    let by_wait = || element.wait().map(|wait| entered_at + wait);
    let left_at: Timestamp = match end {
        // The end of an answered element may be the end of the conversation.
        StayEnd::Answered => element.answered_at().or_else(by_wait).or(element.ended_at())?,
        _ => element.ended_at().or_else(by_wait)?,
    };
    let left_at = left_at.max(entered_at);
    let is_overflow = end == StayEnd::Overflowed;
    let overflow = is_overflow.then(|| overflow(element, all, left_at.since(entered_at))).flatten();
    (kind == StationKind::CallQueue).then(|| RecordedStay {
        queue: Party {
            kind: Some(kind),
            extension_id: element.callee_ext_id.as_str().map(ExtensionId::new),
            extension_number: element.callee_extension().map(str::to_owned),
            name: element.callee_name().map(str::to_owned),
            ..Party::default()
        },
        account: None,
        entered_at,
        left_at,
        end,
        overflow,
    })
}

/// The visits among the elements of queues.
///
/// A queue's mailbox has an element of its own, which is no visit. After a wait in vain it says how that
/// ended; after an answer somebody sent the caller there; and whoever was led there past the queue, which
/// may have been closed, was never in it. Logs of the first generation tell neither whose phones rang nor
/// what led to a mailbox: each counts as a visit there, save at once after a wait in vain.
fn visits(mut of_queues: Vec<(RecordedStay, &Element<'_>)>, all: &[Part<Element<'_>>]) -> Vec<RecordedStay> {
    of_queues.sort_by_key(|(stay, _)| (stay.entered_at, stay.end == StayEnd::Voicemail));
    let mut visits: Vec<RecordedStay> = Vec::with_capacity(of_queues.len());
    for (stay, element) in of_queues {
        let ends_in_it = |before: &&mut RecordedStay| {
            stay.end == StayEnd::Voicemail
                && before.end == StayEnd::Overflowed
                && before.queue == stay.queue
                && stay.entered_at.since(before.left_at) <= AT_ONCE
        };
        if let Some(before) = visits.last_mut().filter(ends_in_it) {
            (before.end, before.overflow) = (StayEnd::Voicemail, None);
            continue;
        }
        let mut before = visits.iter().filter(|before| before.queue == stay.queue).peekable();
        // Phones that rang in an earlier visit did not ring in this one.
        let since = before.peek().map(|_| stay.entered_at);
        let is_led_there =
            element.event() == Some("forward") || before.any(|before| before.end == StayEnd::Answered);
        let is_mailbox = stay.end == StayEnd::Voicemail && !has_waited(element, since, all);
        if !(is_led_there && is_mailbox) {
            visits.push(stay);
        }
    }
    visits
}

/// True when the caller of a queue's element waited in it, or may have: a phone rang `since` then on behalf of
/// the queue, or a wait is told.
fn has_waited(element: &Element<'_>, since: Option<Timestamp>, all: &[Part<Element<'_>>]) -> bool {
    element.is_of_v1()
        || element.wait().is_some_and(|wait| wait > AT_ONCE)
        || rings(element, all).any(|ring| ring.started_at() >= since)
}

/// Why a queue sent a caller elsewhere, as far as its record tells: Zoom has no word for it.
fn overflow(element: &Element<'_>, all: &[Part<Element<'_>>], wait: Duration) -> Option<OverflowReason> {
    // Logs of the first generation do not list whose phones rang.
    if element.is_of_v1() {
        return None;
    }
    match &*element.result()? {
        // They rang in vain.
        _ if rang_somebody(element, all) => Some(OverflowReason::MaxWait),
        "busy" => Some(OverflowReason::Full),
        "no_answer" if wait <= AT_ONCE => Some(OverflowReason::NoAgent),
        _ => None,
    }
}

/// True when a member's phone rang on behalf of the queue that `element` is about.
fn rang_somebody(element: &Element<'_>, all: &[Part<Element<'_>>]) -> bool {
    rings(element, all).next().is_some()
}

/// The members' phones that rang on behalf of the queue that `element` is about.
fn rings<'a>(
    element: &'a Element<'_>,
    all: &'a [Part<Element<'_>>],
) -> impl Iterator<Item = &'a Element<'a>> {
    let queue = element.callee_extension();
    let is_ring = move |other: &&Element<'_>| {
        queue.is_some() && other.event() == Some("ring_to_member") && other.operator_extension() == queue
    };
    all.iter().filter_map(Part::get).filter(is_ring)
}

/// An element that was answered by the person it is about.
fn talk(side: Side, user_id: &Text<'_>, element: &Element<'_>) -> Option<RecordedTalk> {
    let (answered_at, ended_at) = (element.answered_at()?, element.ended_at()?);
    let was_taken = matches!(element.result().as_deref(), Some("answered" | "connected" | "accepted"));
    // A supervisor who listens in, or breaks in, handles no call.
    let is_watched = matches!(
        element.event(),
        Some("monitor" | "listen" | "whisper" | "barge" | "conference_barge" | "takeover")
    );
    if is_watched || !was_taken || element.was_taken_by_other() || ended_at < answered_at {
        return None;
    }
    let (id, number, kind, name) = match side {
        Side::Callee => (
            element.callee_ext_id.as_str(),
            element.callee_extension(),
            element.callee_kind(),
            element.callee_name(),
        ),
        Side::Caller => (
            element.caller_ext_id.as_str(),
            element.caller_extension(),
            element.caller_ext_type.as_str().map(station_kind),
            element.caller_name.as_str(),
        ),
    };
    // A queue or a menu that "answered" is no person's conversation.
    if matches!(kind, Some(StationKind::CallQueue | StationKind::AutoReceptionist)) {
        return None;
    }
    let party = Arc::new(Party {
        account: None,
        extension_id: id.map(ExtensionId::new),
        extension_number: number.map(str::to_owned),
        user_id: user_id.as_str().or(element.owner_user()).map(UserId::new),
        name: name.map(str::to_owned),
        number: None,
        kind,
    });
    let operator = element.operator_kind();
    let offered_by = operator.filter(|kind| *kind == StationKind::CallQueue).map(|kind| {
        Arc::new(Station {
            kind,
            account: None,
            name: element.operator_name().map(str::to_owned),
            extension_number: element.operator_extension().map(str::to_owned),
        })
    });
    let rang_at = element.started_at().unwrap_or(answered_at).min(answered_at);
    Some(RecordedTalk { side, party, offered_by, rang_at, answered_at, ended_at })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_300_000_000);

    fn fact(scope: Scope, text: &str, read_at: Timestamp) -> Option<Fact> {
        super::fact(scope, text, read_at).unwrap()
    }

    fn element(change: impl FnOnce(&mut Value)) -> String {
        let mut element = json!({
            "call_element_id": "e-1", "call_history_uuid": "h-1", "call_id": "7000000000000000041_1",
            "direction": "inbound", "caller_did_number": "+4930123456",
            "callee_ext_id": "x-7", "callee_ext_number": 1007, "callee_ext_type": "user", "callee_name": "Ada",
            "operator_ext_number": "801", "operator_ext_type": "call_queue", "operator_name": "Billing",
            "event": "ring_to_member", "result": "answered",
            "start_time": "2026-11-21T13:00:00Z", "answer_time": "2026-11-21T13:00:08Z",
            "end_time": "2026-11-21T13:02:00Z", "talk_time": 112, "wait_time": 8
        });
        change(&mut element);
        let menu = json!({ "call_id": "7000000000000000041", "callee_ext_type": "auto_receptionist",
            "result": "answered", "answer_time": "2026-11-21T12:59:50Z", "end_time": "2026-11-21T13:00:00Z" });
        let object = json!({ "user_id": "u-7", "call_elements": [menu, "no element", element] });
        json!({ "event": "phone.callee_call_element_completed", "payload": { "object": object } }).to_string()
    }

    fn at(text: &str) -> Timestamp {
        crate::clock::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn an_answered_element_is_a_conversation_of_its_call() {
        let fact = fact(Scope::Part(Side::Callee), &element(|_| {}), NOW).unwrap();
        assert_eq!((fact.call_id.as_str(), fact.at), ("7000000000000000041", at("2026-11-21T13:02:00Z")));
        let What::Recorded(record) = &*fact.what else { panic!("{fact:?}") };
        let [talk] = &record.talks[..] else { panic!("{record:?}") };
        assert_eq!(
            (talk.rang_at, talk.answered_at),
            (at("2026-11-21T13:00:00Z"), at("2026-11-21T13:00:08Z"))
        );
        assert_eq!(talk.party.user_id.as_ref().map(UserId::as_str), Some("u-7"));
        assert_eq!(talk.party.extension_number.as_deref(), Some("1007"));
        assert_eq!(talk.offered_by.as_ref().and_then(|queue| queue.name.as_deref()), Some("Billing"));
    }

    /// The stays in a call's path of these elements, under this name.
    fn stays_of(list: &str, elements: &Value) -> Vec<(Timestamp, Timestamp, StayEnd)> {
        let text = path_event(&json!({ "id": "r-1", (list): elements }).to_string());
        let Some(fact) = fact(Scope::Whole, &text, NOW) else { return Vec::new() };
        let What::Recorded(record) = &*fact.what else { panic!("{fact:?}") };
        record.stays.iter().map(|stay| (stay.entered_at, stay.left_at, stay.end)).collect()
    }

    /// An element of a queue.
    fn of_queue(event: &str, result: &str, from: &str, to: &str) -> Value {
        json!({ "call_id": "7000000000000000041", "callee_ext_number": "804", "callee_ext_type": "call_queue",
            "callee_name": "Returns", "event": event, "result": result, "start_time": from, "end_time": to })
    }

    /// A member's phone that rang for it in vain.
    fn ring(from: &str) -> Value {
        json!({ "call_id": "7000000000000000041", "event": "ring_to_member", "result": "no_answer",
            "operator_ext_number": "804", "operator_ext_type": "call_queue", "start_time": from, "end_time": OVER })
    }

    const BEGAN: &str = "2026-11-21T13:00:00Z";
    const SENT: &str = "2026-11-21T13:01:20Z";
    const OVER: &str = "2026-11-21T13:02:07Z";

    #[test]
    fn a_queues_own_mailbox_is_no_second_visit() {
        let mailbox = of_queue("forward", "voicemail", SENT, OVER);
        let visit = (at(BEGAN), at(SENT), StayEnd::Voicemail);
        let waited = of_queue("overflow", "overflowed", BEGAN, SENT);
        for list in ["call_path", "call_elements"] {
            assert_eq!(stays_of(list, &json!([waited, mailbox])), [visit]);
            assert_eq!(stays_of(list, &json!([mailbox, waited])), [visit], "in any order");
        }
    }

    #[test]
    fn who_is_sent_to_a_mailbox_after_an_answer_visited_the_queue_once() {
        let mut answered = of_queue("incoming", "answered", BEGAN, "2026-11-21T13:00:20Z");
        answered["answer_time"] = json!("2026-11-21T13:00:20Z");
        let visit = (at(BEGAN), at("2026-11-21T13:00:20Z"), StayEnd::Answered);
        for list in ["call_path", "call_elements"] {
            for event in ["forward", "direct_transfer"] {
                let mut mailbox = of_queue(event, "voicemail", SENT, OVER);
                let told = [ring(BEGAN), answered.clone(), mailbox.clone()];
                assert_eq!(stays_of(list, &json!(told)), [visit], "{list}, {event}");
                mailbox["waiting_time"] = json!(0);
                assert_eq!(stays_of(list, &json!([mailbox, answered])), [visit], "{list}, {event}");
            }
            // Sent into the queue once more, in which nobody was free.
            let again = of_queue("direct_transfer", "voicemail", SENT, OVER);
            let twice = [visit, (at(SENT), at(OVER), StayEnd::Voicemail)];
            assert_eq!(stays_of(list, &json!([answered, again, ring(SENT)])), twice, "phones rang");
            let mut waited = again.clone();
            waited["waiting_time"] = json!(40);
            assert_eq!(stays_of(list, &json!([answered, waited])), twice, "it is told to have waited");
            let mut other = again;
            other["callee_ext_number"] = json!("805");
            assert_eq!(stays_of(list, &json!([answered, other])), twice, "another queue");
        }
    }

    #[test]
    fn who_is_led_to_a_mailbox_past_the_queue_was_not_in_it() {
        let mailbox = of_queue("forward", "voicemail", SENT, OVER);
        assert_eq!(stays_of("call_elements", &json!([mailbox])), []);
        assert_eq!(stays_of("call_path", &json!([mailbox])), []);
        let visit = (at(SENT), at(OVER), StayEnd::Voicemail);
        let waited = of_queue("incoming", "voicemail", SENT, OVER);
        assert_eq!(stays_of("call_elements", &json!([waited])), [visit], "it may have waited");
        let told = json!([ring(BEGAN), mailbox]);
        assert_eq!(stays_of("call_elements", &told), [visit], "its members' phones rang");
    }

    #[test]
    fn a_record_that_tells_more_than_any_call_has_is_refused() {
        let told = |count: usize| {
            let element: Value = serde_json::from_str(&element(|_| {})).unwrap();
            let element = &element["payload"]["object"]["call_elements"][2];
            let object = json!({ "call_elements": vec![element; count] });
            let text = json!({ "payload": { "object": object } }).to_string();
            super::fact(Scope::Part(Side::Callee), &text, NOW)
        };
        assert!(told(MOST_TOLD).unwrap().is_some());
        assert_eq!(told(MOST_TOLD + 1), Err(Crowded));
    }

    #[test]
    fn e9_a_supervisor_who_listens_in_handles_no_call() {
        for event in ["monitor", "listen", "whisper", "barge", "conference_barge", "takeover"] {
            let text = element(|element| element["event"] = json!(event));
            assert_eq!(fact(Scope::Part(Side::Callee), &text, NOW), None, "{event}");
        }
    }

    #[test]
    fn a5_what_somebody_else_took_and_what_nobody_took_is_no_conversation() {
        let told = |change: &dyn Fn(&mut Value)| fact(Scope::Part(Side::Callee), &element(change), NOW);
        assert_eq!(told(&|element| element["result_reason"] = json!("answered_by_other")), None);
        assert_eq!(told(&|element| element["result"] = json!("no_answer")), None);
        assert_eq!(told(&|element| element["answer_time"] = json!("")), None);
        assert_eq!(told(&|element| element["end_time"] = json!("2026-11-21T12:00:00Z")), None);
        assert_eq!(told(&|element| element["call_id"] = json!({})), None);
        assert_eq!(fact(Scope::Part(Side::Callee), "{}", NOW), None);
        assert_eq!(
            fact(Scope::Part(Side::Callee), r#"{"payload":{"object":{"call_elements":7}}}"#, NOW),
            None
        );
    }

    #[test]
    fn the_record_of_a_whole_call_tells_when_it_was_over_for_everybody() {
        let told = |name: &str, list: &str, id: &str| {
            let element: Value = serde_json::from_str(&element(|_| {})).unwrap();
            let object = json!({ (id): "h-1", "end_time": "2026-11-21T13:02:05Z",
                (list): [element["payload"]["object"]["call_elements"][2]] });
            record(&json!({ "event": name, "payload": { "object": object } }).to_string()).ended_at
        };
        let end = at("2026-11-21T13:02:05Z");
        let over_at = Some(end);
        assert_eq!(told(DETAIL, "call_elements", "call_history_uuid"), over_at);
        assert_eq!(told(DETAIL, "call_path", "id"), over_at);
        let read_at = |seconds: i64| Timestamp::from_millis(end.as_millis() + seconds * 1000);
        let object = json!({ "call_history_uuid": "h-1", "end_time": "2026-11-21T13:02:05Z",
            "call_elements": [serde_json::from_str::<Value>(&element(|_| {})).unwrap()["payload"]["object"]["call_elements"][2]] });
        let text = json!({ "event": DETAIL, "payload": { "object": object } }).to_string();
        let ended_at = |read_at| match fact(Scope::Whole, &text, read_at).map(|fact| *fact.what) {
            Some(What::Recorded(record)) => record.ended_at,
            _ => panic!("no record"),
        };
        assert_eq!(ended_at(read_at(0)), over_at);
        assert_eq!(ended_at(read_at(-100)), Some(read_at(-100)), "over when it was read, by our clock");
        assert_eq!(ended_at(read_at(-3_600)), None, "nobody can know that");
        let part = fact(Scope::Part(Side::Callee), &element(|_| {}), NOW).unwrap();
        let What::Recorded(part) = *part.what else { panic!("no record") };
        assert_eq!(part.ended_at, None, "others may go on");
        let object = json!({ "id": "log-1", "end_time": "2026-11-21T13:02:05Z", "call_logs": [log(|_| {})] });
        let log = json!({ "event": LOG, "payload": { "object": object } }).to_string();
        assert_eq!(
            fact(Scope::Whole, &log, NOW).map(|fact| match *fact.what {
                What::Recorded(record) => record.ended_at,
                _ => panic!("no record"),
            }),
            Some(None),
            "one extension's log"
        );
    }

    #[test]
    fn a_queue_element_is_a_stay_that_ends_with_the_answer() {
        let queue = |change: &dyn Fn(&mut Value)| {
            let mut element = json!({
                "call_id": "7000000000000000042", "direction": "inbound", "callee_ext_id": "x-801",
                "callee_ext_number": "801", "callee_ext_type": "call_queue", "callee_name": "Billing",
                "event": "incoming", "result": "answered", "start_time": "2026-11-21T13:00:00Z",
                "answer_time": "2026-11-21T13:00:20Z", "end_time": "2026-11-21T13:05:00Z", "waiting_time": 20
            });
            change(&mut element);
            let ring = json!({ "call_id": "7000000000000000042", "event": "ring_to_member", "result": "no_answer",
                "operator_ext_number": if element["rang"] == true { "801" } else { "802" } });
            let object = json!({ "call_history_uuid": "h-2", "call_elements": [element, ring] });
            let text = json!({ "event": DETAIL, "payload": { "object": object } }).to_string();
            let fact = fact(Scope::Whole, &text, NOW)?;
            let What::Recorded(record) = *fact.what else { panic!("no record") };
            record.stays.into_iter().next()
        };
        let answered = queue(&|_| {}).unwrap();
        assert_eq!((answered.end, answered.left_at), (StayEnd::Answered, at("2026-11-21T13:00:20Z")));
        assert_eq!(answered.queue.extension_id.as_ref().map(ExtensionId::as_str), Some("x-801"));
        let without_answer = queue(&|element| element["answer_time"] = Value::Null).unwrap();
        assert_eq!(without_answer.left_at, at("2026-11-21T13:00:20Z"), "the waiting time tells as well");
        let left = queue(&|element| element["result"] = json!("abandoned")).unwrap();
        assert_eq!((left.end, left.left_at), (StayEnd::Abandoned, at("2026-11-21T13:05:00Z")));
        assert_eq!(
            queue(&|element| element["result"] = json!("monitored")),
            None,
            "nothing that is known here"
        );
        assert_eq!(queue(&|element| element["start_time"] = json!("soon")), None);
    }

    #[test]
    fn the_record_tells_why_a_queue_sent_a_caller_elsewhere_where_it_can() {
        let reason = |result: &str, seconds: u32, rang: bool| {
            let queue = json!({
                "call_id": "7000000000000000042", "callee_ext_number": "801", "callee_ext_type": "call_queue",
                "result": result, "start_time": "2026-11-21T13:00:00Z",
                "end_time": format!("2026-11-21T13:00:{seconds:02}Z"),
            });
            let ring = json!({ "call_id": "7000000000000000042", "event": "ring_to_member",
                "result": "no_answer", "operator_ext_number": if rang { "801" } else { "802" } });
            let object = json!({ "call_history_uuid": "h-2", "call_elements": [queue, ring] });
            record(&json!({ "event": DETAIL, "payload": { "object": object } }).to_string()).stays[0].overflow
        };
        assert_eq!(reason("overflowed", 40, true), Some(OverflowReason::MaxWait));
        assert_eq!(reason("no_answer", 40, true), Some(OverflowReason::MaxWait));
        assert_eq!(reason("busy", 0, false), Some(OverflowReason::Full));
        assert_eq!(reason("no_answer", 1, false), Some(OverflowReason::NoAgent));
        assert_eq!(reason("overflowed", 0, false), None, "full, or nobody there: it does not say");
        assert_eq!(reason("abandoned", 40, true), None);
    }

    #[test]
    fn only_records_are_records() {
        assert_eq!(scope("phone.callee_call_element_completed"), Some(Scope::Part(Side::Callee)));
        assert_eq!(scope("phone.caller_call_element_completed"), Some(Scope::Part(Side::Caller)));
        assert_eq!(scope("phone.callee_call_history_completed"), Some(Scope::Part(Side::Callee)));
        assert_eq!(scope("phone.caller_call_history_completed"), Some(Scope::Part(Side::Caller)));
        assert_eq!(scope("phone.callee_call_log_completed"), Some(Scope::Part(Side::Callee)));
        assert_eq!(scope("phone.caller_call_log_completed"), Some(Scope::Part(Side::Caller)));
        assert_eq!((scope(DETAIL), scope(LOG)), (Some(Scope::Whole), Some(Scope::Whole)));
        assert!(NAMES.iter().all(|name| scope(name).is_some()));
        assert_eq!(scope("phone.callee_ended"), None);
    }

    /// The path of a call through a queue, under these names.
    fn path(id: &str, lists: &[&str], change: impl Fn(&mut Value)) -> String {
        let mut queue = json!({
            "call_id": "7000000000000000043", "direction": "inbound", "event": "incoming",
            "callee_ext_id": "x-801", "callee_ext_number": "801", "callee_ext_type": "call_queue",
            "callee_name": "Billing", "result": "answered",
            "start_time": "2026-11-21T13:00:00Z", "end_time": "2026-11-21T13:05:00Z", "waiting_time": 20
        });
        change(&mut queue);
        let mut object = json!({ (id): "h-3" });
        for list in lists {
            object[list] = json!([queue]);
        }
        json!({ "event": DETAIL, "payload": { "object": object } }).to_string()
    }

    fn record(text: &str) -> Record {
        let fact = fact(Scope::Whole, text, NOW).unwrap_or_else(|| panic!("no record in {text}"));
        let What::Recorded(record) = *fact.what else { panic!("no record in {text}") };
        record
    }

    #[test]
    fn g3_both_generations_of_a_path_are_the_same_record() {
        let newest = record(&path("call_history_uuid", &["call_elements"], |_| {}));
        assert_eq!((newest.id.as_ref().map(RecordId::as_str), newest.read_at), (Some("h-3"), NOW));
        assert_eq!(newest.stays.len(), 1);
        assert_eq!(record(&path("id", &["call_path"], |_| {})), newest);
        assert_eq!(record(&path("id", &["call_elements", "call_path"], |_| {})), newest, "once, not twice");
        let empty =
            path("id", &["call_path"], |_| {}).replace(r#""call_path""#, r#""call_elements":[],"call_path""#);
        assert_eq!(record(&empty), newest, "an empty list is no reason to miss the other");
    }

    #[test]
    fn g3_an_event_of_the_second_generation_tells_the_same() {
        let newest = fact(Scope::Part(Side::Callee), &element(|_| {}), NOW);
        let second = element(|_| {}).replace("call_elements", "call_logs");
        assert!(newest.is_some());
        assert_eq!(fact(Scope::Part(Side::Callee), &second, NOW), newest);
    }

    #[test]
    fn g4_a_wait_is_read_in_every_spelling_and_costs_no_row_in_any() {
        let left_at =
            |change: &dyn Fn(&mut Value)| record(&path("id", &["call_path"], change)).stays[0].left_at;
        let (after_the_wait, at_the_end) = (at("2026-11-21T13:00:20Z"), at("2026-11-21T13:05:00Z"));
        let rename = |queue: &mut Value| queue["wait_time"] = queue["waiting_time"].take();
        assert_eq!(left_at(&|_| {}), after_the_wait);
        assert_eq!(left_at(&rename), after_the_wait);
        assert_eq!(left_at(&|queue| queue["wait_time"] = json!(99)), after_the_wait, "both at once");
        assert_eq!(left_at(&|queue| queue["waiting_time"] = json!("20")), after_the_wait);
        assert_eq!(left_at(&|queue| queue["waiting_time"] = json!(20.0)), after_the_wait);
        for nonsense in [json!("soon"), json!(-1), json!({}), json!([20]), json!(true), json!(u64::MAX)] {
            assert_eq!(left_at(&|queue| queue["waiting_time"] = nonsense.clone()), at_the_end, "{nonsense}");
        }
    }

    /// A log of the first generation, of an invented account.
    fn log(change: impl FnOnce(&mut Value)) -> Value {
        let mut log = json!({
            "id": "log-1", "call_id": "7000000000000000044_2", "direction": "inbound",
            "caller_number": "+4940556677", "caller_number_type": 2, "caller_name": "Outside",
            "callee_number": "1007", "callee_number_type": 1, "callee_name": "Ada",
            "date_time": "2026-11-21T13:00:00Z", "answer_start_time": "2026-11-21T13:00:08Z",
            "call_end_time": "2026-11-21T13:02:00Z", "duration": 112, "waiting_time": 8, "hold_time": 10,
            "result": "Call connected", "path": "callQueue",
            "forwarded_by": { "extension_number": 801, "extension_type": "callQueue", "name": "Billing" }
        });
        change(&mut log);
        log
    }

    #[test]
    fn g3_a_log_of_the_first_generation_is_the_same_conversation() {
        let told = |change: &dyn Fn(&mut Value)| {
            let object = json!({ "user_id": "u-7", "call_logs": [log(change)] });
            let text = json!({ "event": "phone.callee_call_log_completed", "payload": { "object": object } });
            let fact = fact(Scope::Part(Side::Callee), &text.to_string(), NOW)?;
            let What::Recorded(record) = *fact.what else { panic!("no record") };
            assert_eq!(fact.call_id.as_str(), "7000000000000000044");
            record.talks.into_iter().next()
        };
        let talk = told(&|_| {}).unwrap();
        assert_eq!(talk.answered_at, at("2026-11-21T13:00:08Z"));
        assert_eq!((talk.rang_at, talk.ended_at), (at("2026-11-21T13:00:00Z"), at("2026-11-21T13:02:00Z")));
        assert_eq!(talk.party.extension_number.as_deref(), Some("1007"));
        assert_eq!(talk.party.user_id.as_ref().map(UserId::as_str), Some("u-7"));
        let queue = talk.offered_by.clone().unwrap();
        assert_eq!(
            (queue.name.as_deref(), queue.extension_number.as_deref()),
            (Some("Billing"), Some("801"))
        );
        let without_end = told(&|log| log["call_end_time"] = Value::Null).unwrap();
        assert_eq!(without_end.ended_at, at("2026-11-21T13:02:00Z"), "the duration tells as well");
        for result in ["Missed", "Rejected", "Answered by Other Member", "Voicemail", "Call Cancel"] {
            assert_eq!(told(&|log| log["result"] = json!(result)), None, "{result}");
        }
        assert_eq!(told(&|log| log["answer_start_time"] = Value::Null), None);
    }

    #[test]
    fn g3_a_queues_own_log_of_the_first_generation_is_a_stay() {
        let stay = |change: &dyn Fn(&mut Value)| {
            let log = log(|log| {
                log["owner"] =
                    json!({ "type": "callQueue", "extension_number": 801, "name": "Billing", "id": "q-1" });
                change(log);
            });
            let object = json!({ "id": "log-1", "call_logs": [log] });
            let text = json!({ "event": LOG, "payload": { "object": object } }).to_string();
            let fact = fact(Scope::Whole, &text, NOW)?;
            let What::Recorded(record) = *fact.what else { panic!("no record") };
            assert_eq!(record.id.as_ref().map(RecordId::as_str), Some("log-1"));
            record.stays.into_iter().next()
        };
        let answered = stay(&|_| {}).unwrap();
        assert_eq!((answered.end, answered.left_at), (StayEnd::Answered, at("2026-11-21T13:00:08Z")));
        assert_eq!(answered.queue.extension_number.as_deref(), Some("801"));
        let unanswered = |log: &mut Value, result: &str| {
            log["result"] = json!(result);
            log["answer_start_time"] = Value::Null;
        };
        let missed = stay(&|log| unanswered(log, "Missed")).unwrap();
        assert_eq!((missed.end, missed.left_at), (StayEnd::Overflowed, at("2026-11-21T13:02:00Z")));
        assert_eq!(stay(&|log| unanswered(log, "Voicemail")).map(|stay| stay.end), Some(StayEnd::Voicemail));
        assert_eq!(stay(&|log| unanswered(log, "Abandoned")).map(|stay| stay.end), Some(StayEnd::Abandoned));
        // It does not say whether anybody waited, so that a mailbox alone counts as a visit.
        let forwarded = |log: &mut Value| {
            unanswered(log, "Voicemail");
            log["path"] = json!("forward");
        };
        assert_eq!(stay(&forwarded).map(|stay| stay.end), Some(StayEnd::Voicemail));
        assert_eq!(stay(&|log| log["owner"]["type"] = json!("user")), None, "a person's own log");
    }
}
