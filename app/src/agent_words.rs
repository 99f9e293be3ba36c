//! What agents do, in words: the same on every page.

use std::time::Duration;

use domain::{
    agent::{AgentState, presence::Presence, view::AgentView},
    id::QueueId,
    quality::Quality,
    time::{Timestamp, clock_face},
    view::Busy,
};

use crate::numeral;

/// What a state is called.
pub const fn state_name(state: AgentState) -> &'static str {
    match state {
        AgentState::Available => "Available",
        AgentState::Ringing => "Ringing",
        AgentState::OnQueueCall => "On a queue call",
        AgentState::OnOtherCall => "On another call",
        AgentState::OnHold => "On hold",
        AgentState::WrapUp => "Wrap-up",
        AgentState::OptedOut => "Opted out",
        AgentState::DoNotDisturb => "Do not disturb",
        AgentState::Offline => "Offline",
        AgentState::Unknown => "Unknown",
    }
}

/// How a state is told, in one sentence.
pub const fn definition(state: AgentState) -> &'static str {
    match state {
        AgentState::Available => {
            "At least one queue rings them, and nothing keeps them from the next call. Who is only away or busy by their client is rung all the same."
        }
        AgentState::Ringing => {
            "A phone of theirs rings and they are on no call. They could take that call and no other, so they are not counted as available."
        }
        AgentState::OnQueueCall => "They talk to a caller whom a queue offered.",
        AgentState::OnOtherCall => {
            "They talk to anybody else, dial, or are in a meeting. Inferred when only their client says so."
        }
        AgentState::OnHold => "Every call of theirs is on hold, by them.",
        AgentState::WrapUp => {
            "Their queue leaves them alone for the time it is set to after a call. Zoom does not tell of it: worked out from the end of the call."
        }
        AgentState::OptedOut => {
            "No queue rings them; of one queue: that one does not. Zoom does not tell when that changes, so it is read every few minutes."
        }
        AgentState::DoNotDisturb => "Their client says so; no phone of theirs rings.",
        AgentState::Offline => "Their client says that they are signed out everywhere.",
        AgentState::Unknown => "Events may have been missed, and nothing was heard of them since.",
    }
}

/// What keeps so many members of a queue from helping, where somebody is kept: `5 on calls · 1 wrap-up`.
pub fn kept(busy: &Busy, members: u32, available: u32) -> String {
    let away = busy.away(members, available);
    let mut words = String::new();
    let on_calls = if busy.on_calls == 1 { "on a call" } else { "on calls" };
    // What is in doubt first: where there is little room, the last ones are left out.
    let kept = [
        (busy.unknown, "unknown"),
        (busy.ringing, "ringing"),
        (busy.on_calls, on_calls),
        (busy.wrap_up, "wrap\u{2011}up"),
        (away, "away"),
    ];
    for (number, kept) in kept {
        if number > 0 {
            if !words.is_empty() {
                // A line never ends in a dot.
                words.push_str(" ·\u{a0}");
            }
            words.push_str(&numeral::count(number));
            words.push('\u{a0}');
            words.push_str(kept);
        }
    }
    words
}

/// Time in state, or what is left of wrap-up; a dash where it is not known since when.
pub fn time(agent: &AgentView, at: Timestamp) -> (String, &'static str) {
    let standing = &agent.standing;
    match (standing.until, standing.since) {
        (Some(until), _) => {
            (clock_face(Duration::from_secs(until.since(at).as_millis().div_ceil(1000) as u64)), "left")
        }
        (None, Some(since)) => (clock_face(at.since(since)), ""),
        (None, None) => (numeral::UNKNOWN.to_owned(), ""),
    }
}

/// What stands beside a state: the queue of the call, or what the client says of somebody who is free.
pub fn remark(agent: &AgentView, name_of: impl Fn(&QueueId) -> Option<String>) -> String {
    if let Some(queue_id) = &agent.standing.queue_id {
        return name_of(queue_id).unwrap_or_default();
    }
    if agent.standing.state != AgentState::Available && agent.standing.state != AgentState::OnOtherCall {
        return String::new();
    }
    match agent.presence {
        // Not what a wall calls away: their phones ring.
        Some(Presence::Away) => "status “away”",
        Some(Presence::Mobile) => "on a mobile phone",
        Some(Presence::InMeeting) => "in a meeting",
        Some(Presence::Presenting) => "presenting",
        Some(Presence::InCalendarEvent) => "in a calendar event",
        Some(Presence::Busy) => "busy",
        Some(Presence::OutOfOffice) => "out of office",
        _ => "",
    }
    .to_owned()
}

/// The value of `data-face` of what somebody does.
pub const fn face(quality: Quality) -> &'static str {
    match quality {
        Quality::Inferred => "inferred",
        Quality::Unknown => "unknown",
        Quality::Measured | Quality::Live => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_unknown_is_not_away() {
        let busy = Busy { on_calls: 1, unknown: 3, ..Busy::default() };
        assert_eq!(kept(&busy, 7, 2), "3\u{a0}unknown ·\u{a0}1\u{a0}on a call ·\u{a0}1\u{a0}away");
        assert_eq!(kept(&Busy::default(), 4, 3), "1\u{a0}away");
    }
}
