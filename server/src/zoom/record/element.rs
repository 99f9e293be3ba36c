//! One reader for the three generations of Zoom's record: every name that a field ever had.
//!
//! v3 tells `call_elements`, v2 `call_logs` (in events) or `call_path` (over REST) with the same fields,
//! v1 `call_logs` with fields and words of its own. The methods speak the newest generation's language.

use std::{borrow::Cow, time::Duration};

use domain::{fact::StationKind, time::Timestamp};
use serde::Deserialize;

use crate::zoom::{
    translate::station_kind,
    wire::{Moment, Part, Text},
};

#[derive(Deserialize)]
pub(super) struct Event<'a> {
    #[serde(borrow)]
    pub(super) payload: Payload<'a>,
}

#[derive(Deserialize)]
pub(super) struct Payload<'a> {
    #[serde(borrow)]
    pub(super) object: Object<'a>,
}

/// A record: of a whole call, or of one person's part in it.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Object<'a> {
    #[serde(borrow)]
    pub(super) user_id: Text<'a>,
    #[serde(borrow)]
    pub(super) call_history_uuid: Text<'a>,
    /// The same in the older generations.
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow)]
    pub(super) call_id: Text<'a>,
    #[serde(borrow)]
    pub(super) direction: Text<'a>,
    #[serde(borrow)]
    pub(super) call_result: Text<'a>,
    #[serde(borrow)]
    pub(super) caller_name: Text<'a>,
    #[serde(borrow)]
    pub(super) caller_did_number: Text<'a>,
    #[serde(borrow)]
    pub(super) caller_ext_number: Text<'a>,
    pub(super) start_time: Moment,
    pub(super) answer_time: Moment,
    pub(super) end_time: Moment,
    #[serde(borrow)]
    call_elements: Option<Vec<Part<Element<'a>>>>,
    /// The second generation's list in the path of a call. For a time both lists come, with the same in
    /// them.
    #[serde(borrow)]
    call_path: Option<Vec<Part<Element<'a>>>>,
    /// The list in an event of the second and of the first generation.
    #[serde(borrow)]
    call_logs: Option<Vec<Part<Element<'a>>>>,
}

impl<'a> Object<'a> {
    /// The newest generation's list that has something in it.
    pub(super) fn elements(&self) -> &[Part<Element<'a>>] {
        let lists = [&self.call_elements, &self.call_path, &self.call_logs];
        lists.into_iter().flatten().find(|list| !list.is_empty()).map_or(&[], Vec::as_slice)
    }

    /// Any generation's list is there, if only an empty one.
    pub(super) fn has_list(&self) -> bool {
        [&self.call_elements, &self.call_path, &self.call_logs].into_iter().any(Option::is_some)
    }

    /// Which generation that list is of.
    pub(super) fn generation(&self) -> Generation {
        let is_v1 = |element: &Part<Element<'_>>| element.get().is_some_and(Element::is_of_v1);
        if self.call_elements.as_ref().is_some_and(|list| !list.is_empty()) {
            Generation::V3
        } else if self.elements().iter().any(is_v1) {
            Generation::V1
        } else {
            Generation::V2
        }
    }

    /// What names the record of a whole call.
    pub(super) fn record_id(&self) -> Option<&str> {
        self.call_history_uuid.as_str().or(self.id.as_str())
    }
}

/// A generation of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Generation {
    /// Call logs.
    V1 = 1,
    /// Call history.
    V2 = 2,
    /// Call elements.
    V3 = 3,
}

/// One step of a call, as far as it is read.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Element<'a> {
    #[serde(borrow)]
    call_element_id: Text<'a>,
    /// The same in the older generations; in the first it also names the record.
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    call_history_uuid: Text<'a>,
    /// The same in the second generation.
    #[serde(borrow)]
    call_path_id: Text<'a>,
    #[serde(borrow)]
    pub(super) call_id: Text<'a>,
    #[serde(borrow)]
    pub(super) caller_ext_id: Text<'a>,
    #[serde(borrow)]
    caller_ext_number: Text<'a>,
    #[serde(borrow)]
    pub(super) caller_ext_type: Text<'a>,
    #[serde(borrow)]
    pub(super) caller_name: Text<'a>,
    #[serde(borrow)]
    caller_did_number: Text<'a>,
    #[serde(borrow)]
    pub(super) callee_ext_id: Text<'a>,
    #[serde(borrow)]
    callee_ext_number: Text<'a>,
    #[serde(borrow)]
    callee_ext_type: Text<'a>,
    #[serde(borrow)]
    callee_name: Text<'a>,
    #[serde(borrow)]
    callee_did_number: Text<'a>,
    #[serde(borrow)]
    operator_ext_number: Text<'a>,
    #[serde(borrow)]
    operator_ext_type: Text<'a>,
    #[serde(borrow)]
    operator_name: Text<'a>,
    start_time: Moment,
    answer_time: Moment,
    end_time: Moment,
    #[serde(borrow)]
    waiting_time: Text<'a>,
    /// The same in events. An alias would refuse an element that says both.
    #[serde(borrow)]
    wait_time: Text<'a>,
    #[serde(borrow)]
    talk_time: Text<'a>,
    #[serde(borrow)]
    hold_time: Text<'a>,
    #[serde(borrow)]
    duration: Text<'a>,
    #[serde(borrow)]
    segment: Text<'a>,
    #[serde(borrow)]
    node: Text<'a>,
    #[serde(borrow)]
    pub(super) direction: Text<'a>,
    /// What the step was.
    #[serde(borrow)]
    event: Text<'a>,
    #[serde(borrow)]
    result: Text<'a>,
    #[serde(borrow)]
    pub(super) result_reason: Text<'a>,
    #[serde(borrow)]
    pub(super) voicemail_id: Text<'a>,
    #[serde(borrow)]
    pub(super) recording_id: Text<'a>,
    // From here on only the first generation speaks.
    date_time: Moment,
    answer_start_time: Moment,
    call_end_time: Moment,
    #[serde(borrow)]
    caller_number: Text<'a>,
    #[serde(borrow)]
    caller_number_type: Text<'a>,
    #[serde(borrow)]
    callee_number: Text<'a>,
    #[serde(borrow)]
    callee_number_type: Text<'a>,
    #[serde(borrow)]
    path: Text<'a>,
    #[serde(borrow)]
    forwarded_by: Part<Passed<'a>>,
    #[serde(borrow)]
    owner: Part<Owner<'a>>,
}

/// Who passed a call on, in the first generation.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Passed<'a> {
    #[serde(borrow)]
    extension_number: Text<'a>,
    #[serde(borrow)]
    extension_type: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
}

/// Whose log it is, in the first generation.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Owner<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    extension_number: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
}

/// In the first generation, a number of this type is an extension of the account.
const INTERNAL: &str = "1";

impl<'a> Element<'a> {
    pub(super) fn is_of_v1(&self) -> bool {
        self.start_time.get().is_none() && self.event.as_str().is_none() && self.date_time.get().is_some()
    }

    /// The queue whose own log it is, in the first generation.
    fn owner_queue(&self) -> Option<&Owner<'a>> {
        let owner = self.owner.get()?;
        (owner.kind.as_str().map(station_kind) == Some(StationKind::CallQueue)).then_some(owner)
    }

    /// What names it.
    pub(super) fn id(&self) -> Option<&str> {
        self.call_element_id.as_str().or(self.id.as_str())
    }

    /// What names the record it belongs to.
    pub(super) fn record_id(&self) -> Option<&str> {
        self.call_history_uuid.as_str().or(self.call_path_id.as_str()).or_else(|| {
            // A log of the first generation is a record of its own.
            self.is_of_v1().then(|| self.id.as_str()).flatten()
        })
    }

    pub(super) fn started_at(&self) -> Option<Timestamp> {
        self.start_time.get().or(self.date_time.get())
    }

    pub(super) fn answered_at(&self) -> Option<Timestamp> {
        self.answer_time.get().or(self.answer_start_time.get())
    }

    pub(super) fn ended_at(&self) -> Option<Timestamp> {
        let by_duration = || Some(self.answered_at().or(self.started_at())? + seconds(&self.duration)?);
        let told = self.end_time.get().or(self.call_end_time.get());
        told.or_else(|| self.is_of_v1().then(by_duration).flatten())
    }

    pub(super) fn wait(&self) -> Option<Duration> {
        seconds(&self.waiting_time).or_else(|| seconds(&self.wait_time))
    }

    /// Talking, without hold: as told, or what is left between answer and end.
    pub(super) fn talk(&self) -> Option<Duration> {
        let between = || {
            let whole = self.ended_at()?.since(self.answered_at()?);
            Some(whole.saturating_sub(self.hold().unwrap_or_default()))
        };
        seconds(&self.talk_time).or_else(between)
    }

    pub(super) fn hold(&self) -> Option<Duration> {
        seconds(&self.hold_time)
    }

    pub(super) fn segment(&self) -> Option<i64> {
        self.segment.as_str()?.parse().ok()
    }

    pub(super) fn node(&self) -> Option<i64> {
        self.node.as_str()?.parse().ok()
    }

    /// What the step was.
    pub(super) fn event(&self) -> Option<&str> {
        self.event.as_str().or(self.path.as_str())
    }

    /// How it ended: the first generation's English is folded into the newest one's words.
    pub(super) fn result(&self) -> Option<Cow<'_, str>> {
        let told = self.result.as_str()?;
        if !self.is_of_v1() {
            return Some(Cow::Borrowed(told));
        }
        let folded = told.trim().to_lowercase().replace([' ', '-'], "_");
        Some(Cow::Owned(match folded.as_str() {
            "call_connected" => "connected".to_owned(),
            "missed" => "no_answer".to_owned(),
            "answered_by_other_member" | "answered_by_other_device" => "answered_by_other".to_owned(),
            _ => folded,
        }))
    }

    /// Somebody else took the call.
    pub(super) fn was_taken_by_other(&self) -> bool {
        self.result_reason.as_str().is_some()
    }

    pub(super) fn caller_extension(&self) -> Option<&str> {
        let internal = self.caller_number_type.as_str() == Some(INTERNAL);
        self.caller_ext_number.as_str().or_else(|| self.caller_number.as_str().filter(|_| internal))
    }

    pub(super) fn caller_number(&self) -> Option<&str> {
        let internal = self.caller_number_type.as_str() == Some(INTERNAL);
        self.caller_number.as_str().filter(|_| !internal).or(self.caller_did_number.as_str())
    }

    pub(super) fn callee_kind(&self) -> Option<StationKind> {
        let owner = self.owner_queue().and_then(|owner| owner.kind.as_str());
        owner.or(self.callee_ext_type.as_str()).map(station_kind)
    }

    pub(super) fn callee_extension(&self) -> Option<&str> {
        let internal = self.callee_number_type.as_str() == Some(INTERNAL);
        let own = self.callee_ext_number.as_str();
        let owner = self.owner_queue().and_then(|owner| owner.extension_number.as_str());
        owner.or(own).or_else(|| self.callee_number.as_str().filter(|_| internal))
    }

    pub(super) fn callee_name(&self) -> Option<&str> {
        self.owner_queue().and_then(|owner| owner.name.as_str()).or(self.callee_name.as_str())
    }

    pub(super) fn callee_number(&self) -> Option<&str> {
        let internal = self.callee_number_type.as_str() == Some(INTERNAL);
        self.callee_number.as_str().filter(|_| !internal).or(self.callee_did_number.as_str())
    }

    /// The person whose log it is, in the first generation.
    pub(super) fn owner_user(&self) -> Option<&str> {
        let owner = self.owner.get()?;
        owner.id.as_str().filter(|_| owner.kind.as_str().map(station_kind) == Some(StationKind::User))
    }

    pub(super) fn operator_kind(&self) -> Option<StationKind> {
        let passed = self.forwarded_by.get().and_then(|passed| passed.extension_type.as_str());
        self.operator_ext_type.as_str().or(passed).map(station_kind)
    }

    pub(super) fn operator_extension(&self) -> Option<&str> {
        let passed = self.forwarded_by.get().and_then(|passed| passed.extension_number.as_str());
        self.operator_ext_number.as_str().or(passed)
    }

    pub(super) fn operator_name(&self) -> Option<&str> {
        let passed = self.forwarded_by.get().and_then(|passed| passed.name.as_str());
        self.operator_name.as_str().or(passed)
    }
}

/// A number of seconds. More than a day is no wait, and would date what follows beyond all belief.
fn seconds(text: &Text<'_>) -> Option<Duration> {
    let seconds = text.as_str()?.parse().ok().filter(|seconds| *seconds <= 86_400);
    seconds.map(Duration::from_secs)
}
