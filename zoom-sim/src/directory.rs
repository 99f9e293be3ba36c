//! The structure of the pretend account: sites, people, phones, queues, receptionists.
//!
//! A directory is plain data. It never changes after it was built, except for the members' opt-in
//! switches, which the world keeps.

use chrono::{DateTime, Datelike, Timelike, Utc, Weekday};
use chrono_tz::Tz;

mod build;
mod names;
pub(crate) mod numbers;

pub use build::DirectoryPlan;

/// Everything that has an extension, and where it stands.
#[derive(Debug, Clone)]
pub struct Directory {
    /// The offices.
    pub sites: Vec<Site>,
    /// People and common area phones, everything a call can ring.
    pub seats: Vec<Seat>,
    /// The call queues.
    pub queues: Vec<Queue>,
    /// The auto receptionists in front of some queues.
    pub receptionists: Vec<Receptionist>,
}

/// An office.
#[derive(Debug, Clone)]
pub struct Site {
    /// Zoom's id.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Time zone of the office.
    pub zone: Tz,
    /// ISO country code and English name.
    pub country: (&'static str, &'static str),
}

/// What kind of thing a seat is.
#[derive(Debug, Clone)]
pub enum SeatKind {
    /// A user of the account.
    Person {
        /// Given name.
        first_name: String,
        /// Family name.
        last_name: String,
        /// Mail address.
        email: String,
        /// Department text.
        department: String,
        /// Zoom Phone's own id of the user, different from the user id.
        phone_user_id: String,
    },
    /// A telephone that belongs to a place.
    CommonArea,
}

/// A person or a common area phone: something that rings and answers.
#[derive(Debug, Clone)]
pub struct Seat {
    /// Person or common area.
    pub kind: SeatKind,
    /// User id, or id of the common area.
    pub id: String,
    /// Id of the extension; another id than `id` for people.
    pub extension_id: String,
    /// The short number.
    pub extension_number: i64,
    /// Display name.
    pub name: String,
    /// Direct number in E.164, if there is one.
    pub direct_number: Option<String>,
    /// Index into [`Directory::sites`].
    pub site: usize,
    /// What rings; never empty.
    pub devices: Vec<Device>,
    /// Whether this seat's client is new enough to announce warm transfers.
    pub announces_warm_transfers: bool,
}

impl Seat {
    /// Whether this is a user of the account.
    pub fn is_person(&self) -> bool {
        matches!(self.kind, SeatKind::Person { .. })
    }
}

/// One client or desk phone.
#[derive(Debug, Clone)]
pub struct Device {
    /// Installation id.
    pub id: String,
    /// Name shown to the owner.
    pub name: String,
    /// Free text of kind and version.
    pub kind: String,
    /// Whether events of this device carry its id; desk phones and some clients leave it out.
    pub names_itself: bool,
}

/// How a queue offers a call to its members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RingMode {
    /// All free members at once.
    Simultaneous,
    /// One at a time, always from the top of the list.
    Sequential,
    /// One at a time, going on after the last one rung.
    Rotating,
    /// One at a time, whoever has been free longest.
    LongestIdle,
}

/// What happens to a caller who waited too long or found the queue full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overflow {
    /// On to another queue: index into [`Directory::queues`].
    Queue(usize),
    /// Leave a message.
    Voicemail,
    /// The call is ended.
    Disconnect,
}

/// When a queue takes calls, in its own zone.
#[derive(Debug, Clone, Copy)]
pub enum Hours {
    /// Day and night.
    Always,
    /// Monday to Friday between two minutes of the day.
    Weekdays {
        /// First open minute of the day.
        from_minute: u32,
        /// First closed minute of the day.
        to_minute: u32,
    },
}

impl Hours {
    /// Whether calls are taken at this instant.
    pub fn open_at(self, zone: Tz, at: DateTime<Utc>) -> bool {
        match self {
            Self::Always => true,
            Self::Weekdays { from_minute, to_minute } => {
                let local = at.with_timezone(&zone);
                let minute = local.hour() * 60 + local.minute();
                !matches!(local.weekday(), Weekday::Sat | Weekday::Sun)
                    && (from_minute..to_minute).contains(&minute)
            }
        }
    }
}

/// A member's place in a queue.
#[derive(Debug, Clone)]
pub struct Member {
    /// Index into [`Directory::seats`].
    pub seat: usize,
    /// Whether the member manages the queue.
    pub manager: bool,
    /// The opt-in switch at the start.
    pub receive_call: bool,
}

/// A call queue.
#[derive(Debug, Clone)]
pub struct Queue {
    /// Zoom's id of the queue; another id than `extension_id`.
    pub id: String,
    /// Id of the extension.
    pub extension_id: String,
    /// The short number.
    pub extension_number: i64,
    /// Display name.
    pub name: String,
    /// Outside number in E.164.
    pub number: String,
    /// Id of that number.
    pub number_id: String,
    /// Index into [`Directory::sites`].
    pub site: usize,
    /// Zone of the queue's hours and days.
    pub zone: Tz,
    /// Who is rung, and in which order.
    pub ring_mode: RingMode,
    /// How long one offer rings, in seconds.
    pub ring_seconds: f64,
    /// Greeting before the first offer, in seconds.
    pub greeting_seconds: f64,
    /// Longest wait before overflow, in seconds from entry.
    pub max_wait_seconds: f64,
    /// Most callers in line; one more overflows at once.
    pub max_waiting: usize,
    /// Pause for a member after a call of this queue, in seconds.
    pub wrap_up_seconds: f64,
    /// Whether members on a call are rung as well.
    pub rings_busy_members: bool,
    /// When calls are taken.
    pub hours: Hours,
    /// What happens after the longest wait.
    pub overflow: Overflow,
    /// Who is rung.
    pub members: Vec<Member>,
    /// Mean calls per hour at demand 1.
    pub calls_per_hour: f64,
    /// Mean patience of callers in seconds.
    pub patience_seconds: f64,
    /// Mean talk time in seconds.
    pub talk_seconds: f64,
}

/// An auto receptionist.
#[derive(Debug, Clone)]
pub struct Receptionist {
    /// Zoom's id.
    pub id: String,
    /// Id of the extension.
    pub extension_id: String,
    /// The short number.
    pub extension_number: i64,
    /// Display name.
    pub name: String,
    /// Outside number in E.164.
    pub number: String,
    /// Id of that number.
    pub number_id: String,
    /// Index into [`Directory::sites`].
    pub site: usize,
}

impl Directory {
    /// The queue with this id (the queue's own id, not the extension's).
    pub fn queue(&self, id: &str) -> Option<&Queue> {
        self.queues.iter().find(|queue| queue.id == id)
    }

    /// The queue with this name.
    pub fn queue_named(&self, name: &str) -> Option<&Queue> {
        self.queues.iter().find(|queue| queue.name == name)
    }

    /// The queues in which a seat is a member, as indices.
    pub(crate) fn queues_by_seat(&self) -> Vec<Vec<usize>> {
        let mut of = vec![Vec::new(); self.seats.len()];
        for (index, queue) in self.queues.iter().enumerate() {
            for member in &queue.members {
                of[member.seat].push(index);
            }
        }
        of
    }
}
