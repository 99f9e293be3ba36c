//! People step away from their client for a while: away, not to be disturbed, or signed out.
//!
//! Queues ring whoever is only away. Zoom tells of it by presence alone.

use super::{Step, World};

/// Of all people, at most one in this many is absent at a time.
const ABSENT_AT_MOST: usize = 5;

/// Why somebody's client does not say "available" between calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Absence {
    Away,
    DoNotDisturb,
    Offline,
}

impl Absence {
    /// The word of the event.
    pub(super) const fn told(self) -> &'static str {
        match self {
            Self::Away => "Away",
            Self::DoNotDisturb => "Do_Not_Disturb",
            Self::Offline => "Offline",
        }
    }

    /// The word of a reading, which has none for being signed out.
    pub(super) const fn read(self) -> &'static str {
        match self {
            Self::Away | Self::Offline => "Away",
            Self::DoNotDisturb => "Do_Not_Disturb",
        }
    }

    const fn can_be_rung(self) -> bool {
        matches!(self, Self::Away)
    }
}

impl World {
    /// Independent absences: exponential gaps, thrown by dice of their own so that calls take no notice.
    pub(super) fn next_absence(&mut self) {
        let rate = self.config.absences_per_hour;
        if rate > 0.0 {
            let gap = self.absence_dice.exponential(3600.0 / rate);
            self.later(gap, Step::Absence);
        }
    }

    /// Somebody who is on no call steps away for some minutes.
    pub(super) fn step_away(&mut self) {
        self.next_absence();
        let seat = self.absence_dice.below(self.seats.len());
        let kind = match self.absence_dice.unit() {
            ..0.45 => Absence::Away,
            0.45..0.75 => Absence::DoNotDisturb,
            _ => Absence::Offline,
        };
        let minutes = self.absence_dice.between(3.0, 20.0);
        let absent = self.seats.iter().filter(|seat| seat.absence.is_some()).count();
        let has_room = absent < self.seats.len() / ABSENT_AT_MOST;
        let state = &mut self.seats[seat];
        let is_idle = state.absence.is_none() && state.on_call == 0 && state.ringing == 0;
        if is_idle && has_room && self.directory.seats[seat].is_person() {
            state.absence = Some(kind);
            self.tell_presence(seat, kind.told());
            self.later(minutes * 60.0, Step::ComeBack(seat));
        }
    }

    /// Back at the client; phones ring again.
    pub(super) fn come_back(&mut self, seat: usize) {
        self.seats[seat].absence = None;
        if self.seats[seat].on_call == 0 {
            self.tell_presence(seat, "Available");
        }
        self.offer_to(seat);
    }

    /// No phone of theirs rings.
    pub(super) fn is_unreachable(&self, seat: usize) -> bool {
        self.seats[seat].absence.is_some_and(|absence| !absence.can_be_rung())
    }

    /// What an event says of somebody on no call.
    pub(super) fn resting_presence(&self, seat: usize) -> &'static str {
        self.seats[seat].absence.map_or("Available", Absence::told)
    }

    /// What a reading of somebody's presence says.
    pub(crate) fn presence_read(&self, seat: usize) -> &'static str {
        if self.seat_is_on_call(seat) {
            return "On_A_Call";
        }
        self.seats[seat].absence.map_or("Available", Absence::read)
    }
}
