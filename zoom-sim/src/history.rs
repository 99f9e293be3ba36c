//! What is left of finished calls: rows and elements, visible some time after the end.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};

/// The finished calls of the account, oldest end first.
#[derive(Debug, Clone, Default)]
pub struct History {
    records: VecDeque<CallRecord>,
    /// Number of the front record, so that record numbers stay valid while old ones go.
    first: u64,
}

/// One finished call.
#[derive(Debug, Clone)]
pub struct CallRecord {
    /// `call_history_uuid`.
    pub uuid: String,
    /// The live call's id.
    pub call_id: String,
    /// `inbound` or `outbound`.
    pub direction: &'static str,
    /// `internal` or `external`.
    pub connect_type: &'static str,
    /// First instant of the call.
    pub start: DateTime<Utc>,
    /// First answer by a person.
    pub answer: Option<DateTime<Utc>>,
    /// Last instant.
    pub end: DateTime<Utc>,
    /// Outcome word of the whole call.
    pub result: &'static str,
    /// Whether the number is withheld.
    pub hide_caller_id: bool,
    /// Calling side.
    pub caller: PartyNote,
    /// Called side: what was dialled, or who answered in the end.
    pub callee: PartyNote,
    /// Index of the site.
    pub site: usize,
    /// Steps and legs.
    pub elements: Vec<Element>,
    /// When REST and events show it.
    pub visible_at: DateTime<Utc>,
}

/// One step or leg of a finished call.
#[derive(Debug, Clone)]
pub struct Element {
    /// `call_element_id`.
    pub id: String,
    /// What happened in this step.
    pub event: &'static str,
    /// How it ended.
    pub result: &'static str,
    /// Why it was no miss of this member.
    pub reason: Option<&'static str>,
    /// Calling side.
    pub caller: PartyNote,
    /// Called side of this step.
    pub callee: PartyNote,
    /// Who or what caused the step.
    pub operator: Option<PartyNote>,
    /// First instant of the step.
    pub start: DateTime<Utc>,
    /// When this side answered.
    pub answer: Option<DateTime<Utc>>,
    /// Last instant of the step.
    pub end: DateTime<Utc>,
    /// Seconds of waiting, ringing included.
    pub wait_seconds: i64,
    /// Seconds on hold.
    pub hold_seconds: i64,
    /// Counter of phases of the call, from 0.
    pub segment: u32,
    /// Running number inside the segment, from 0.
    pub node: u32,
    /// The message that was left.
    pub voicemail_id: Option<String>,
    /// The user whose element this is, if it is a user's.
    pub user_id: Option<String>,
}

/// A side of a finished call as history words it (snake_case types, numbers as text).
#[derive(Debug, Clone, Default)]
pub struct PartyNote {
    /// Extension id.
    pub extension_id: Option<String>,
    /// `user`, `call_queue`, `auto_receptionist`, `common_area`.
    pub extension_type: Option<&'static str>,
    /// Extension number as text.
    pub extension_number: Option<String>,
    /// Display name.
    pub name: Option<String>,
    /// Mail address.
    pub email: Option<String>,
    /// Number in E.164.
    pub number: Option<String>,
    /// Kind of number.
    pub number_type: Option<&'static str>,
    /// Device text.
    pub device: Option<String>,
    /// ISO country code.
    pub country: Option<&'static str>,
}

impl History {
    /// Adds a finished call and tells its number.
    pub(crate) fn add(&mut self, record: CallRecord) -> u64 {
        self.records.push_back(record);
        self.first + self.records.len() as u64 - 1
    }

    pub(crate) fn get(&self, number: u64) -> Option<&CallRecord> {
        self.records.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    /// The calls that REST shows at this instant, oldest end first.
    pub fn visible_at(&self, at: DateTime<Utc>) -> impl DoubleEndedIterator<Item = &CallRecord> {
        self.records.iter().filter(move |record| record.visible_at <= at)
    }

    /// Drops calls that ended longer ago than `age`.
    pub(crate) fn forget(&mut self, now: DateTime<Utc>, age: TimeDelta) {
        while self.records.front().is_some_and(|record| record.end + age < now) {
            self.records.pop_front();
            self.first += 1;
        }
    }
}
