//! Users, queues, receptionists, sites and presence as REST shows them.

use serde_json::{Value, json};

use super::ApiError;
use crate::directory::{Directory, Queue, RingMode, Seat, SeatKind};
use crate::world::World;

pub(super) fn users(world: &World, status: &str) -> Vec<Value> {
    if status != "active" {
        return Vec::new();
    }
    let directory = world.directory();
    people(directory)
        .filter_map(|seat| match &seat.kind {
            SeatKind::CommonArea => None,
            SeatKind::Person { first_name, last_name, email, department, .. } => Some(json!({
                "id": seat.id,
                "first_name": first_name,
                "last_name": last_name,
                "display_name": seat.name,
                "email": email,
                "type": 2,
                "status": "active",
                "dept": department,
                "timezone": directory.sites[seat.site].zone.name(),
                "verified": 1,
                "user_created_at": "2024-02-05T09:00:00Z",
            })),
        })
        .collect()
}

fn people(directory: &Directory) -> impl Iterator<Item = &Seat> {
    directory.seats.iter().filter(|seat| seat.is_person())
}

/// A person by user id or mail address, with the index of the seat.
fn person<'a>(world: &'a World, id: &str) -> Option<(usize, &'a Seat)> {
    let matches = |seat: &Seat| match &seat.kind {
        SeatKind::Person { email, .. } => seat.id == id || email == id,
        SeatKind::CommonArea => false,
    };
    world.directory().seats.iter().enumerate().find(|(_, seat)| matches(seat))
}

pub(super) fn presence(world: &World, id: &str) -> Result<Value, ApiError> {
    let (seat, _) =
        person(world, id).ok_or_else(|| ApiError::missing(1001, format!("User does not exist: {id}.")))?;
    Ok(json!({ "status": world.presence_read(seat) }))
}

pub(super) fn phone_users(world: &World, site: Option<&str>, keyword: Option<&str>) -> Vec<Value> {
    let directory = world.directory();
    people(directory)
        .filter(|seat| site.is_none_or(|site| directory.sites[seat.site].id == site))
        .filter(|seat| {
            keyword.is_none_or(|keyword| seat.name.to_lowercase().contains(&keyword.to_lowercase()))
        })
        .map(|seat| phone_user_row(directory, seat))
        .collect()
}

pub(super) fn phone_user(world: &World, id: &str) -> Result<Value, ApiError> {
    let (_, seat) =
        person(world, id).ok_or_else(|| ApiError::missing(404, format!("User does not exist: {id}.")))?;
    Ok(phone_user_row(world.directory(), seat))
}

fn phone_user_row(directory: &Directory, seat: &Seat) -> Value {
    let site = &directory.sites[seat.site];
    let (email, department, phone_user_id) = match &seat.kind {
        SeatKind::Person { email, department, phone_user_id, .. } => (email, department, phone_user_id),
        SeatKind::CommonArea => unreachable!("only people are phone users"),
    };
    let numbers: Vec<Value> = seat
        .direct_number
        .iter()
        .map(|number| json!({ "id": format!("n{}", &seat.id[1..]), "number": number }))
        .collect();
    json!({
        "id": seat.id,
        "phone_user_id": phone_user_id,
        "extension_id": seat.extension_id,
        "extension_number": seat.extension_number,
        "name": seat.name,
        "email": email,
        "department": department,
        "site": { "id": site.id, "name": site.name },
        "status": "activate",
        "activation_status": "activated",
        "calling_plans": [{ "name": "Metered plan", "type": 100 }],
        "phone_numbers": numbers,
    })
}

pub(super) fn queues(world: &World, site: Option<&str>) -> Vec<Value> {
    let directory = world.directory();
    directory
        .queues
        .iter()
        .filter(|queue| site.is_none_or(|site| directory.sites[queue.site].id == site))
        .map(|queue| queue_row(directory, queue))
        .collect()
}

fn queue_row(directory: &Directory, queue: &Queue) -> Value {
    let site = &directory.sites[queue.site];
    json!({
        "id": queue.id,
        "extension_id": queue.extension_id,
        "extension_number": queue.extension_number,
        "name": queue.name,
        "phone_numbers": [{ "id": queue.number_id, "number": queue.number, "source": "internal" }],
        "site": { "id": site.id, "name": site.name },
        "status": "active",
    })
}

fn found(world: &World, id: &str) -> Result<usize, ApiError> {
    let position = world.directory().queues.iter().position(|queue| queue.id == id);
    position.ok_or_else(|| ApiError::missing(13000, "Call queue does not exist."))
}

pub(super) fn queue(world: &World, id: &str) -> Result<Value, ApiError> {
    let index = found(world, id)?;
    let directory = world.directory();
    let queue = &directory.queues[index];
    let (mut users, mut common_areas) = (Vec::new(), Vec::new());
    for (position, member) in queue.members.iter().enumerate() {
        let seat = &directory.seats[member.seat];
        if seat.is_person() {
            users.push(json!({
                "id": seat.id,
                "level": if member.manager { "manager" } else { "user" },
                "name": seat.name,
                "receive_call": world.receives_calls(index, position),
                "extension_id": seat.extension_id,
            }));
        } else {
            common_areas.push(json!({
                "id": seat.id,
                "name": seat.name,
                "extension_id": seat.extension_id,
            }));
        }
    }
    let mut body = queue_row(directory, queue);
    body["members"] = json!({ "users": users, "common_areas": common_areas });
    body["timezone"] = json!(queue.zone.name());
    body["audio_prompt_language"] = json!("en-US");
    body["department"] = json!("");
    body["cost_center"] = json!("");
    body["policy"] = json!({});
    Ok(body)
}

/// How a queue handles calls while it is open, as far as the pretend one does.
pub(super) fn queue_handling(world: &World, id: &str) -> Result<Value, ApiError> {
    let queue = &world.directory().queues[found(world, id)?];
    let ring_mode = match queue.ring_mode {
        RingMode::Simultaneous => "simultaneous",
        RingMode::Sequential => "sequential",
        RingMode::Rotating => "rotating",
        RingMode::LongestIdle => "longest_idle",
    };
    Ok(json!({
        "call_distribution_setting": {
            "max_wait_time": queue.max_wait_seconds as i64,
            "wrap_up_time": queue.wrap_up_seconds as i64,
            "max_call_in_queue": queue.max_waiting,
            "receive_calls_while_on_a_call": queue.rings_busy_members,
            "ring_mode": ring_mode,
        },
    }))
}

pub(super) fn members(world: &World, id: &str) -> Result<Vec<Value>, ApiError> {
    let index = found(world, id)?;
    let directory = world.directory();
    let row = |(position, member): (usize, &crate::directory::Member)| {
        let seat = &directory.seats[member.seat];
        json!({
            "id": seat.id,
            "level": if seat.is_person() { "user" } else { "commonArea" },
            "name": seat.name,
            "receive_call": world.receives_calls(index, position),
            "extension_id": seat.extension_id,
        })
    };
    Ok(directory.queues[index].members.iter().enumerate().map(row).collect())
}

pub(super) fn receptionists(world: &World) -> Vec<Value> {
    let directory = world.directory();
    let row = |receptionist: &crate::directory::Receptionist| {
        let site = &directory.sites[receptionist.site];
        json!({
            "id": receptionist.id,
            "extension_id": receptionist.extension_id,
            "extension_number": receptionist.extension_number,
            "name": receptionist.name,
            "timezone": site.zone.name(),
            "audio_prompt_language": "en-US",
            "department": "",
            "cost_center": "",
            "phone_numbers": [{ "id": receptionist.number_id, "number": receptionist.number }],
            "site": { "id": site.id, "name": site.name },
        })
    };
    directory.receptionists.iter().map(row).collect()
}

pub(super) fn common_areas(world: &World, site: Option<&str>) -> Vec<Value> {
    let directory = world.directory();
    directory
        .seats
        .iter()
        .filter(|seat| !seat.is_person())
        .filter(|seat| site.is_none_or(|site| directory.sites[seat.site].id == site))
        .map(|seat| {
            let site = &directory.sites[seat.site];
            // The published fields hold no extension_id.
            json!({
                "id": seat.id,
                "extension_number": seat.extension_number,
                "display_name": seat.name,
                "site": { "id": site.id, "name": site.name },
                "status": "online",
                "calling_plans": [],
                "phone_numbers": [],
            })
        })
        .collect()
}

/// One for each office, which nobody ever calls.
pub(super) fn shared_line_groups(world: &World) -> Vec<Value> {
    let directory = world.directory();
    let row = |(index, site): (usize, &crate::directory::Site)| {
        json!({
            "id": format!("slg-{}", site.id),
            "extension_id": format!("slge-{}", site.id),
            "extension_number": 7900 + index,
            "display_name": format!("{} front desk", site.name),
            "site": { "id": site.id, "name": site.name },
            "status": "active",
            "phone_numbers": [],
        })
    };
    directory.sites.iter().enumerate().map(row).collect()
}

pub(super) fn sites(world: &World) -> Vec<Value> {
    let directory = world.directory();
    directory
        .sites
        .iter()
        .enumerate()
        .map(|(index, site)| {
            json!({
                "id": site.id,
                "name": site.name,
                "site_code": index + 1,
                "country": { "code": site.country.0, "name": site.country.1 },
            })
        })
        .collect()
}
