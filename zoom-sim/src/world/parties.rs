//! How seats, queues and outside numbers look in events and in history.

use super::call::{Call, Caller, Dialled};
use crate::directory::{Directory, Seat, SeatKind};
use crate::event::Party;
use crate::event::leg::{ForwardedBy, RedirectForwardedBy};
use crate::event::transfer::Owner;
use crate::history::PartyNote;

/// A seat with everything that any event may show of it.
pub(super) fn seat_party(directory: &Directory, seat: usize, device: usize) -> Party<'_> {
    let seat = &directory.seats[seat];
    let device = &seat.devices[device];
    Party {
        extension_id: Some(&seat.extension_id),
        extension_type: Some(live_type(seat)),
        extension_number: Some(seat.extension_number),
        phone_number: Some(reachable_at(seat)),
        name: Some(&seat.name),
        user_id: seat.is_person().then_some(&*seat.id),
        timezone: Some(directory.sites[seat.site].zone.name()),
        device_type: device.names_itself.then_some(&*device.kind),
        device_name: device.names_itself.then_some(&*device.name),
        device_id: device.names_itself.then_some(&*device.id),
        connection_type: Some("voip"),
    }
}

fn live_type(seat: &Seat) -> &'static str {
    if seat.is_person() { "user" } else { "commonAreaPhone" }
}

/// The number by which a seat is shown: the direct number, or the bare extension.
pub(super) fn reachable_at(seat: &Seat) -> String {
    seat.direct_number.clone().unwrap_or_else(|| seat.extension_number.to_string())
}

/// The calling side of a call.
pub(super) fn caller_party<'a>(directory: &'a Directory, call: &'a Call) -> Party<'a> {
    match &call.caller {
        Caller::Seat { seat, device } => seat_party(directory, *seat, *device),
        Caller::Outside { number, name, withheld, .. } => Party {
            phone_number: Some(withheld.map_or_else(|| number.clone(), str::to_owned)),
            name: if withheld.is_some() { None } else { name.as_deref() },
            connection_type: Some("pstn_off_net"),
            ..Party::default()
        },
    }
}

/// The receptionist in the place of the caller, as some missed events show it.
pub(super) fn receptionist_party(directory: &Directory, receptionist: usize) -> Party<'_> {
    let receptionist = &directory.receptionists[receptionist];
    Party {
        extension_type: Some("autoReceptionist"),
        extension_number: receptionist.number.trim_start_matches('+').parse().ok(),
        phone_number: Some(receptionist.number.clone()),
        connection_type: Some("pstn_off_net"),
        ..Party::default()
    }
}

/// What was dialled, for the calling side's events.
pub(super) fn dialled_party<'a>(directory: &'a Directory, call: &Call) -> Party<'a> {
    match &call.dialled {
        Dialled::Seat(seat) => {
            Party { device_id: None, device_name: None, device_type: None, ..seat_party(directory, *seat, 0) }
        }
        Dialled::Queue(queue) => {
            let queue = &directory.queues[*queue];
            Party {
                extension_id: Some(&queue.extension_id),
                extension_type: Some("callQueue"),
                extension_number: Some(queue.extension_number),
                phone_number: Some(queue.extension_number.to_string()),
                name: Some(&queue.name),
                connection_type: Some("voip"),
                ..Party::default()
            }
        }
        // Outside targets appear as type "user" with their digits as the extension number.
        Dialled::Outside { number } => Party {
            extension_type: Some("user"),
            extension_number: number.trim_start_matches('+').parse().ok(),
            phone_number: Some(number.clone()),
            connection_type: Some("pstn_off_net"),
            ..Party::default()
        },
    }
}

pub(super) fn forwarded_by(directory: &Directory, queue: usize) -> ForwardedBy<'_> {
    let queue = &directory.queues[queue];
    ForwardedBy {
        name: &queue.name,
        extension_type: "callQueue",
        extension_number: queue.extension_number.to_string(),
    }
}

pub(super) fn redirect_forwarded_by(directory: &Directory, receptionist: usize) -> RedirectForwardedBy<'_> {
    let receptionist = &directory.receptionists[receptionist];
    RedirectForwardedBy {
        name: &receptionist.name,
        extension_type: "autoReceptionist",
        extension_number: receptionist.extension_number.to_string(),
        phone_number: &receptionist.number,
    }
}

pub(super) fn owner(directory: &Directory, seat: usize) -> Owner<'_> {
    let seat = &directory.seats[seat];
    Owner { id: &seat.id, name: &seat.name, kind: live_type(seat), extension_number: seat.extension_number }
}

pub(super) fn seat_note(directory: &Directory, seat: usize) -> PartyNote {
    let site = &directory.sites[directory.seats[seat].site];
    let seat = &directory.seats[seat];
    let (kind, email) = match &seat.kind {
        SeatKind::Person { email, .. } => ("user", Some(email.clone())),
        SeatKind::CommonArea => ("common_area", None),
    };
    PartyNote {
        extension_id: Some(seat.extension_id.clone()),
        extension_type: Some(kind),
        extension_number: Some(seat.extension_number.to_string()),
        name: Some(seat.name.clone()),
        email,
        number: seat.direct_number.clone(),
        number_type: seat.direct_number.as_ref().map(|_| "zoom_pstn"),
        device: Some(seat.devices[0].kind.clone()),
        country: Some(site.country.0),
    }
}

pub(super) fn queue_note(directory: &Directory, queue: usize) -> PartyNote {
    let queue = &directory.queues[queue];
    PartyNote {
        extension_id: Some(queue.extension_id.clone()),
        extension_type: Some("call_queue"),
        extension_number: Some(queue.extension_number.to_string()),
        name: Some(queue.name.clone()),
        number: Some(queue.number.clone()),
        number_type: Some("zoom_pstn"),
        ..PartyNote::default()
    }
}

pub(super) fn receptionist_note(directory: &Directory, receptionist: usize) -> PartyNote {
    let receptionist = &directory.receptionists[receptionist];
    PartyNote {
        extension_id: Some(receptionist.extension_id.clone()),
        extension_type: Some("auto_receptionist"),
        extension_number: Some(receptionist.extension_number.to_string()),
        name: Some(receptionist.name.clone()),
        number: Some(receptionist.number.clone()),
        number_type: Some("zoom_pstn"),
        ..PartyNote::default()
    }
}

pub(super) fn caller_note(directory: &Directory, caller: &Caller) -> PartyNote {
    match caller {
        Caller::Seat { seat, .. } => seat_note(directory, *seat),
        Caller::Outside { withheld: Some(_), .. } => {
            PartyNote { number_type: Some("anonymous_number"), ..PartyNote::default() }
        }
        Caller::Outside { number, name, country, .. } => PartyNote {
            name: name.clone(),
            number: Some(number.clone()),
            number_type: Some("external_pstn"),
            country: Some(country),
            ..PartyNote::default()
        },
    }
}

pub(super) fn dialled_note(directory: &Directory, dialled: &Dialled) -> PartyNote {
    match dialled {
        Dialled::Queue(queue) => queue_note(directory, *queue),
        Dialled::Seat(seat) => seat_note(directory, *seat),
        Dialled::Outside { number } => PartyNote {
            number: Some(number.clone()),
            number_type: Some("external_pstn"),
            ..PartyNote::default()
        },
    }
}
