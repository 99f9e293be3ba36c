//! What a call did in queues, to be written down: as live messages told it, and as the record does.
//!
//! Both are kept side by side, so that a board can be held against Zoom's record afterwards, call by
//! call. The record has the last word; what only live messages tell counts until it speaks.

use crate::{
    fact::StayEnd,
    id::{CallId, QueueId, RecordId},
    outcome::{Outcome, OverflowReason},
    queue::{APART, Visit},
    service_level::Promise,
    time::Timestamp,
};

/// A stay in a queue that is over, in somebody's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// When the caller entered; live messages only know when the first phone rang.
    pub entered_at: Timestamp,
    /// When the outcome came about.
    pub left_at: Timestamp,
    /// The outcome, never [`Outcome::Waiting`].
    pub outcome: Outcome,
    /// It is concluded from silence, not from a message.
    pub presumed: bool,
}

/// A stay as live messages tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveStay {
    /// The queue.
    pub queue_id: QueueId,
    /// What it promised.
    pub promise: Promise,
    /// The rest.
    pub told: Told,
}

/// A stay as a record has it, its queue found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordStay {
    /// The queue.
    pub queue_id: QueueId,
    /// What it promised.
    pub promise: Promise,
    /// When the caller entered.
    pub entered_at: Timestamp,
    /// When the wait was over.
    pub left_at: Timestamp,
    /// How it was over.
    pub end: StayEnd,
    /// Why it overflowed, if it did and that is known.
    pub overflow: Option<OverflowReason>,
}

/// One reading of what was written down of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordReading {
    /// Which record.
    pub id: RecordId,
    /// When it was read.
    pub read_at: Timestamp,
    /// The stays in it.
    pub stays: Vec<RecordStay>,
}

/// News of one call for those who write it down. Absolute: it replaces what was written before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallHistory {
    /// The call.
    pub call_id: CallId,
    /// Its finished stays by live messages; `None` when the board does not know (any more) what these
    /// said, so that what was written before stands.
    pub live: Option<Vec<LiveStay>>,
    /// The newest reading of each record of it.
    pub records: Vec<RecordReading>,
}

/// A stay to be written: by live messages, by the record, or by both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenStay {
    /// The queue.
    pub queue_id: QueueId,
    /// What it promised.
    pub promise: Promise,
    /// What live messages said.
    pub live: Option<Told>,
    /// What the record says, and which.
    pub record: Option<(RecordId, Told)>,
    /// Why it overflowed, by the record: only where that is what counts.
    pub overflow: Option<OverflowReason>,
}

/// How what was shown live and the record differ about one stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Difference {
    /// Only the record knows of it.
    Missed,
    /// The call was written down without it.
    NotInRecord,
    /// It ended otherwise.
    Outcome,
    /// It began or ended at another time.
    Times,
}

impl Difference {
    /// The word in the database and the API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Missed => "missed",
            Self::NotInRecord => "not_in_record",
            Self::Outcome => "outcome",
            Self::Times => "times",
        }
    }

    /// Reads [`Difference::word`].
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Missed, Self::NotInRecord, Self::Outcome, Self::Times]
            .into_iter()
            .find(|known| known.word() == word)
    }
}

impl Told {
    /// A visit that is over, or answered.
    pub fn of_visit(visit: &Visit) -> Option<Self> {
        let left_at = visit.left_at.filter(|_| visit.outcome != Outcome::Waiting)?;
        Some(Self {
            entered_at: visit.entered_at,
            left_at: left_at.max(visit.entered_at),
            outcome: visit.outcome,
            presumed: visit.presumed,
        })
    }

    fn of_stay(stay: &RecordStay, live: Option<Outcome>) -> Self {
        let left_at = stay.left_at.max(stay.entered_at);
        let outcome = Outcome::of_record(stay.end, left_at.since(stay.entered_at), live, stay.promise.policy);
        Self { entered_at: stay.entered_at, left_at, outcome, presumed: false }
    }

    /// The two may be about one stay: they overlap, as far as clocks and roundings let them.
    fn meets(&self, stay: &RecordStay) -> bool {
        self.entered_at <= stay.left_at + APART && self.left_at + APART >= stay.entered_at
    }

    /// It is a part of that stay: messages that were lost make one stay look like several.
    fn is_part_of(&self, stay: &RecordStay) -> bool {
        self.entered_at < stay.left_at && self.left_at > stay.entered_at
    }

    /// This and what came later of the same stay.
    fn and_then(self, later: Self) -> Self {
        Self { entered_at: self.entered_at, ..later }
    }
}

impl WrittenStay {
    /// The word that counts.
    pub fn counts(&self) -> Option<Told> {
        self.record.as_ref().map(|(_, told)| *told).or(self.live)
    }

    /// How the two sides differ; `is_recorded` when the call was written down at all.
    pub fn difference(&self, is_recorded: bool) -> Option<Difference> {
        let apart = |a: Timestamp, b: Timestamp| a.since(b).max(b.since(a)) > APART;
        match (&self.live, &self.record) {
            (None, _) => Some(Difference::Missed),
            (Some(_), None) => is_recorded.then_some(Difference::NotInRecord),
            (Some(live), Some((_, record))) if live.outcome != record.outcome => Some(Difference::Outcome),
            (Some(live), Some((_, record))) => {
                let differs =
                    apart(live.entered_at, record.entered_at) || apart(live.left_at, record.left_at);
                differs.then_some(Difference::Times)
            }
        }
    }
}

/// The stays of a call, each told once, in the order they began.
pub fn pair(live: &[LiveStay], records: &[RecordReading]) -> Vec<WrittenStay> {
    let mut unpaired: Vec<Option<&LiveStay>> = live.iter().map(Some).collect();
    let mut recorded: Vec<(&RecordId, &RecordStay)> = Vec::new();
    for reading in records {
        for stay in &reading.stays {
            // Two records of one call may tell of the same stay.
            if !recorded.iter().any(|(_, known)| *known == stay) {
                recorded.push((&reading.id, stay));
            }
        }
    }
    recorded
        .sort_by(|a, b| a.1.entered_at.cmp(&b.1.entered_at).then_with(|| a.1.queue_id.cmp(&b.1.queue_id)));
    let mut stays: Vec<WrittenStay> = recorded
        .into_iter()
        .map(|(id, stay)| {
            let partner = unpaired.iter_mut().find(|candidate| {
                candidate.is_some_and(|live| live.queue_id == stay.queue_id && live.told.meets(stay))
            });
            let mut live = partner.and_then(Option::take).map(|live| live.told);
            for part in &mut unpaired {
                let is_part = |part: &&LiveStay| part.queue_id == stay.queue_id && part.told.is_part_of(stay);
                if let (Some(told), Some(part)) = (&mut live, part.take_if(|part| is_part(&*part))) {
                    *told = told.and_then(part.told);
                }
            }
            let told = Told::of_stay(stay, live.map(|live| live.outcome));
            WrittenStay {
                queue_id: stay.queue_id.clone(),
                promise: stay.promise,
                live,
                overflow: stay.overflow.filter(|_| told.outcome == Outcome::Overflowed),
                record: Some((id.clone(), told)),
            }
        })
        .collect();
    stays.extend(unpaired.into_iter().flatten().map(|live| WrittenStay {
        queue_id: live.queue_id.clone(),
        promise: live.promise,
        live: Some(live.told),
        record: None,
        overflow: None,
    }));
    let began = |stay: &WrittenStay| stay.counts().map(|told| told.entered_at);
    stays.sort_by(|a, b| began(a).cmp(&began(b)).then_with(|| a.queue_id.cmp(&b.queue_id)));
    stays
}

/// The newest reading of each record out of two sets; `known` stands where `news` does not speak.
pub fn newest(known: Vec<RecordReading>, news: &[RecordReading]) -> Vec<RecordReading> {
    let mut readings = known;
    for reading in news {
        match readings.iter_mut().find(|known| known.id == reading.id) {
            Some(known) if known.read_at > reading.read_at => {}
            Some(known) => *known = reading.clone(),
            None => readings.push(reading.clone()),
        }
    }
    readings.sort_by(|a, b| a.id.cmp(&b.id));
    readings
}
