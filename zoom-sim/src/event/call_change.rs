//! Hold, mute, park and meeting events of a connected call.

use serde::Serialize;

use super::{Party, Shown};

/// What changed, and on which side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    CalleeHold,
    CalleeUnhold,
    CalleeMute,
    CalleeUnmute,
    CalleeParked,
    CalleeMeetingInviting,
    CallerHold,
    CallerUnhold,
    CallerMute,
    CallerUnmute,
    CallerMeetingInviting,
}

impl Change {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CalleeHold => "phone.callee_hold",
            Self::CalleeUnhold => "phone.callee_unhold",
            Self::CalleeMute => "phone.callee_mute",
            Self::CalleeUnmute => "phone.callee_unmute",
            Self::CalleeParked => "phone.callee_parked",
            Self::CalleeMeetingInviting => "phone.callee_meeting_inviting",
            Self::CallerHold => "phone.caller_hold",
            Self::CallerUnhold => "phone.caller_unhold",
            Self::CallerMute => "phone.caller_mute",
            Self::CallerUnmute => "phone.caller_unmute",
            Self::CallerMeetingInviting => "phone.caller_meeting_inviting",
        }
    }

    fn is_callers(self) -> bool {
        matches!(
            self,
            Self::CallerHold
                | Self::CallerUnhold
                | Self::CallerMute
                | Self::CallerUnmute
                | Self::CallerMeetingInviting
        )
    }

    pub(crate) fn callee_shown(self) -> Shown {
        Self::shown(!self.is_callers())
    }

    pub(crate) fn caller_shown(self) -> Shown {
        Self::shown(self.is_callers())
    }

    fn shown(own: bool) -> Shown {
        Shown { name: false, user: true, device_id: own, device_name: false, device_type: false }
    }
}

/// `payload.object` of these events.
#[derive(Debug, Serialize)]
pub(crate) struct ChangeObject<'a> {
    pub(crate) call_id: &'a str,
    pub(crate) caller: Party<'a>,
    pub(crate) callee: Party<'a>,
    pub(crate) date_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) park_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) park_failure_reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) meeting_id: Option<String>,
}
