//! The eight life-cycle events of a leg: ringing, answered or connected, missed, rejected, ended.

use serde::Serialize;

use super::{Party, Shown};

/// Which life-cycle event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LegEvent {
    CalleeRinging,
    CalleeAnswered,
    CalleeMissed,
    CalleeRejected,
    CalleeEnded,
    CallerRinging,
    CallerConnected,
    CallerEnded,
}

impl LegEvent {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CalleeRinging => "phone.callee_ringing",
            Self::CalleeAnswered => "phone.callee_answered",
            Self::CalleeMissed => "phone.callee_missed",
            Self::CalleeRejected => "phone.callee_rejected",
            Self::CalleeEnded => "phone.callee_ended",
            Self::CallerRinging => "phone.caller_ringing",
            Self::CallerConnected => "phone.caller_connected",
            Self::CallerEnded => "phone.caller_ended",
        }
    }

    fn is_callers(self) -> bool {
        matches!(self, Self::CallerRinging | Self::CallerConnected | Self::CallerEnded)
    }

    /// What this event shows of the called side.
    pub(crate) fn callee_shown(self) -> Shown {
        let own = !self.is_callers();
        Shown {
            name: !matches!(self, Self::CalleeMissed | Self::CalleeRejected | Self::CallerEnded),
            user: own || self == Self::CallerEnded,
            device_id: own,
            device_name: matches!(self, Self::CalleeRinging | Self::CalleeAnswered | Self::CalleeEnded),
            // Documented for ringing and answered only, captured on the others as well.
            device_type: own,
        }
    }

    /// What this event shows of the calling side.
    pub(crate) fn caller_shown(self) -> Shown {
        let own = self.is_callers();
        Shown {
            name: matches!(
                self,
                Self::CalleeRinging | Self::CalleeAnswered | Self::CallerRinging | Self::CallerConnected
            ),
            user: own || matches!(self, Self::CalleeMissed | Self::CalleeRejected | Self::CalleeEnded),
            device_id: own,
            device_name: self == Self::CallerRinging,
            device_type: matches!(self, Self::CallerRinging | Self::CallerConnected),
        }
    }

    /// Whether captures of this event carry the undocumented `channel_id`.
    pub(crate) fn has_channel(self) -> bool {
        !matches!(self, Self::CalleeRinging | Self::CallerEnded)
    }

    /// Whether this event names the queue that offered the leg. A rejection does not.
    pub(crate) fn has_forwarder(self) -> bool {
        !self.is_callers() && self != Self::CalleeRejected
    }
}

/// The queue or receptionist that offered a leg. There is no id in it, and the number is text here.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ForwardedBy<'a> {
    pub(crate) name: &'a str,
    pub(crate) extension_type: &'static str,
    pub(crate) extension_number: String,
}

/// The receptionist passed before the queue.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RedirectForwardedBy<'a> {
    pub(crate) name: &'a str,
    pub(crate) extension_type: &'static str,
    pub(crate) extension_number: String,
    pub(crate) phone_number: &'a str,
}

/// `payload.object` of the life-cycle events.
#[derive(Debug, Serialize)]
pub(crate) struct LegObject<'a> {
    pub(crate) call_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) channel_id: Option<&'a str>,
    pub(crate) caller: Party<'a>,
    pub(crate) callee: Party<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) forwarded_by: Option<ForwardedBy<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) redirect_forwarded_by: Option<RedirectForwardedBy<'a>>,
    pub(crate) ringing_start_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) answer_start_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) connected_start_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) call_end_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) handup_result: Option<&'static str>,
}
