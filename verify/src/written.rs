//! What is written down of a call beside what really happened: visit by visit.
//!
//! The truth is the pretend Zoom's own journal of visits. Steps of the record are not looked at here: a
//! mistake in their reading, made on both sides, would hide itself.

use domain::{
    history::{Told, WrittenStay},
    outcome::Outcome,
    time::Timestamp,
};
use zoom_sim::{Outcome as Ending, QueueVisit};

/// The visits that Zoom's record has to tell of. Who calls outside opening hours was in no queue: such
/// callers are no offered calls (`closed`).
pub fn told(visit: &QueueVisit) -> bool {
    visit.outcome != Some(Ending::Closed)
}

/// How what the board made of a call's record differs from what the call really did, in words.
pub fn differences(written: &[WrittenStay], visits: &[&QueueVisit]) -> Vec<String> {
    let mut written: Vec<(&WrittenStay, Told)> =
        written.iter().filter_map(|stay| Some((stay, stay.record.as_ref()?.1))).collect();
    let mut differences = Vec::new();
    for visit in visits.iter().filter(|visit| told(visit)) {
        let is_it = |(stay, told): &(&WrittenStay, Told)| {
            stay.queue_id.as_str() == visit.queue_id && second(told.entered_at) == visit.entered.timestamp()
        };
        let Some(place) = written.iter().position(is_it) else {
            differences.push(format!("not told of: {}", of_truth(visit)));
            continue;
        };
        let (stay, told) = written.remove(place);
        let is_at_its_time = visit.left.is_some_and(|left| second(told.left_at) == left.timestamp());
        if !is_at_its_time || !agree(visit, told.outcome) {
            differences.push(format!("otherwise told: {}, as {}", of_truth(visit), of_record(stay, &told)));
        }
    }
    let others = written.iter().map(|(stay, told)| format!("never happened: {}", of_record(stay, told)));
    differences.extend(others);
    differences
}

/// Whether a record can have meant that, as far as it tells.
fn agree(visit: &QueueVisit, told: Outcome) -> bool {
    match visit.outcome {
        Some(Ending::Answered) => told == Outcome::Answered,
        // Times come in whole seconds, so that which side of the limit a wait fell on may be lost.
        Some(Ending::Abandoned | Ending::ShortAbandoned) => {
            matches!(told, Outcome::Abandoned | Outcome::ShortAbandoned)
        }
        Some(Ending::OverflowMaxWait) => told == Outcome::Overflowed,
        // Only a message that was left shows that the other place was a mailbox.
        Some(Ending::OverflowFull | Ending::Voicemail) => {
            matches!(told, Outcome::Overflowed | Outcome::Voicemail)
        }
        Some(Ending::Closed) | None => false,
    }
}

/// Zoom cuts times to whole seconds.
fn second(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(1000)
}

fn of_truth(visit: &QueueVisit) -> String {
    let QueueVisit { call_id, queue_id, entered, left, outcome, .. } = visit;
    let ending = outcome.map_or_else(|| "waiting".to_owned(), |outcome| format!("{outcome:?}"));
    let left = left.map_or_else(|| "?".to_owned(), |left| left.format("%H:%M:%S").to_string());
    format!("call {call_id} in {queue_id} from {} to {left}: {ending}", entered.format("%F %H:%M:%S"))
}

fn of_record(stay: &WrittenStay, told: &Told) -> String {
    let (from, to) = (second(told.entered_at), second(told.left_at));
    format!("a stay in {} from {from} for {} s: {}", stay.queue_id.as_str(), to - from, told.outcome.word())
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeZone as _, Utc};
    use domain::{id::RecordId, service_level::Promise};

    use super::*;

    fn at(seconds: i64, milliseconds: u32) -> DateTime<Utc> {
        Utc.timestamp_opt(1_795_000_000 + seconds, milliseconds * 1_000_000).single().unwrap()
    }

    fn visit(queue: &str, from: i64, to: i64, outcome: Ending) -> QueueVisit {
        QueueVisit {
            number: 0,
            call_id: "7".to_owned(),
            queue_id: queue.to_owned(),
            queue_name: queue.to_owned(),
            entered: at(from, 900),
            first_ring: None,
            ringing: Vec::new(),
            left: Some(at(to, 100)),
            answered: None,
            agent: None,
            outcome: Some(outcome),
            phases: Vec::new(),
            ended: None,
            previous: None,
        }
    }

    fn stay(queue: &str, from: i64, to: i64, outcome: Outcome) -> WrittenStay {
        let millis = |seconds| Timestamp::from_millis(at(seconds, 0).timestamp_millis());
        let told = Told { entered_at: millis(from), left_at: millis(to), outcome, presumed: false };
        WrittenStay {
            queue_id: queue.into(),
            promise: Promise::default(),
            live: None,
            record: Some((RecordId::new("h-1"), told)),
            overflow: None,
        }
    }

    #[test]
    fn a_record_tells_of_every_visit_once_and_of_no_other() {
        let (first, second) =
            (visit("billing", 0, 40, Ending::OverflowMaxWait), visit("sales", 40, 60, Ending::Answered));
        let (billing, sales) =
            (stay("billing", 0, 40, Outcome::Overflowed), stay("sales", 40, 60, Outcome::Answered));
        let kinds = |written: &[WrittenStay], visits: &[&QueueVisit]| -> Vec<String> {
            let kind = |told: String| told.split(':').next().unwrap_or_default().to_owned();
            differences(written, visits).into_iter().map(kind).collect()
        };
        let both = [billing.clone(), sales.clone()];
        assert_eq!(kinds(&both, &[&first, &second]), Vec::<String>::new());
        assert_eq!(kinds(&both, &[&second]), ["never happened"]);
        assert_eq!(kinds(std::slice::from_ref(&sales), &[&first, &second]), ["not told of"]);
        assert_eq!(kinds(&[billing.clone(), sales], &[&first]), ["never happened"]);
        // In another queue, at another time, with another end.
        let off = |stay: WrittenStay| kinds(&[stay], &[&first]);
        assert_eq!(off(stay("sales", 0, 40, Outcome::Overflowed)), ["not told of", "never happened"]);
        assert_eq!(off(stay("billing", 1, 40, Outcome::Overflowed)), ["not told of", "never happened"]);
        assert_eq!(off(stay("billing", 0, 41, Outcome::Overflowed)), ["otherwise told"]);
        assert_eq!(off(stay("billing", 0, 40, Outcome::TransferredOut)), ["otherwise told"]);
        // What live messages alone told is not the record's.
        let live = WrittenStay { record: None, ..billing };
        assert_eq!(kinds(&[live], &[]), Vec::<String>::new());
    }

    #[test]
    fn who_calls_a_closed_queue_was_not_in_it() {
        let closed = visit("billing", 0, 0, Ending::Closed);
        assert_eq!(differences(&[], &[&closed]), Vec::<String>::new());
        assert_eq!(differences(&[stay("billing", 0, 0, Outcome::Voicemail)], &[&closed]).len(), 1);
    }
}
