//! The columns of a queue table: what each is called, how it reads, sorts and is defined.
//!
//! Wall and desk draw their cells from here, and so does the list of definitions, so that a number
//! and its explanation cannot drift apart; a test compares the numbers in the texts with those in use.

use std::cmp::Ordering;

use domain::{
    quality::Quality,
    time::{Timestamp, clock_face},
    view::{Level, QueueQuality, QueueView},
};

use crate::{numeral, sorting::lower_case};

/// A column of a queue table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// Name, extension number and what is odd about the queue.
    Queue,
    /// How much it needs a person.
    State,
    /// Callers in the queue and not answered.
    Waiting,
    /// The longest of their waits.
    Longest,
    /// Those for whom a phone rings.
    Ringing,
    /// Connected callers.
    Talking,
    /// Answered callers who are held or parked.
    OnHold,
    /// Members free, of all.
    Free,
    /// Visits today.
    Offered,
    /// Of these, answered.
    Answered,
    /// Of these, abandoned.
    Abandoned,
    /// Of these, abandoned at once.
    Short,
    /// Of these, neither answered nor hung up.
    Elsewhere,
    /// Share answered in time.
    ServiceLevel,
}

/// How much room a cell has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// Every digit.
    Desk,
    /// Five characters: great counts are rounded.
    Wall,
}

impl Room {
    fn count(self, number: u32) -> String {
        match self {
            Self::Desk => numeral::count(number),
            Self::Wall => numeral::short_count(number),
        }
    }
}

/// A number as a cell shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Face {
    /// The number.
    pub text: String,
    /// What stands small behind it.
    pub unit: String,
    /// How sure it is.
    pub quality: Quality,
    /// Nothing to see: a real zero, or nothing to divide.
    pub quiet: bool,
}

impl Column {
    /// Every column, in the order of the desk's table.
    pub const ALL: [Self; 14] = [
        Self::State,
        Self::Queue,
        Self::Waiting,
        Self::Longest,
        Self::Ringing,
        Self::Talking,
        Self::OnHold,
        Self::Free,
        Self::Offered,
        Self::Answered,
        Self::Abandoned,
        Self::Short,
        Self::Elsewhere,
        Self::ServiceLevel,
    ];

    /// The numbers of a wall's rows, the dispensable ones last.
    pub const WALL: [Self; 6] =
        [Self::Waiting, Self::Longest, Self::Free, Self::ServiceLevel, Self::Abandoned, Self::Offered];

    /// The numbers of a desk's rows.
    pub const DESK: [Self; 12] = [
        Self::Waiting,
        Self::Longest,
        Self::Ringing,
        Self::Talking,
        Self::OnHold,
        Self::Free,
        Self::Offered,
        Self::Answered,
        Self::Abandoned,
        Self::Short,
        Self::Elsewhere,
        Self::ServiceLevel,
    ];

    /// The word in addresses and style sheets.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::State => "state",
            Self::Waiting => "waiting",
            Self::Longest => "longest",
            Self::Ringing => "ringing",
            Self::Talking => "talking",
            Self::OnHold => "on_hold",
            Self::Free => "free",
            Self::Offered => "offered",
            Self::Answered => "answered",
            Self::Abandoned => "abandoned",
            Self::Short => "short",
            Self::Elsewhere => "elsewhere",
            Self::ServiceLevel => "service_level",
        }
    }

    /// The column with that key.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.key() == key)
    }

    /// The heading.
    pub const fn heading(self) -> &'static str {
        match self {
            Self::Queue => "Queue",
            Self::State => "State",
            Self::Waiting => "Waiting",
            Self::Longest => "Longest",
            Self::Ringing => "Ringing",
            Self::Talking => "Talking",
            Self::OnHold => "On hold",
            Self::Free => "Available",
            Self::Offered => "Offered",
            Self::Answered => "Answered",
            Self::Abandoned => "Abandoned",
            Self::Short => "Short abandons",
            Self::Elsewhere => "Flow-out",
            Self::ServiceLevel => "Service level",
        }
    }

    /// What it is, when it is counted, how sure it is.
    pub const fn definition(self) -> &'static str {
        match self {
            Self::Queue => {
                "The call queue and its extension number, as Zoom’s directory names it. \
                 “Not in the directory” means that calls mention the queue but the directory does not list it (yet); a replay of a file has none."
            }
            Self::State => {
                "About now. Watch: somebody waits longer than the queue’s threshold, or waits while nobody is available. \
                 Overdue: somebody has been waiting longer than that for 10 seconds more; answer now. \
                 Who is unconfirmed since a gap in the events may have left: they make it watch, not overdue. \
                 No agent: nobody is seen waiting, but nobody is available either, so callers may wait unseen. \
                 The number that is the reason is underlined. \
                 A queue leaves a state 15 seconds after its reason is gone."
            }
            Self::Waiting => {
                "Callers in the queue who are not answered yet, from the moment the first phone rings for them, also \
                 between two rings. Zoom does not report who waits: it is worked out from call events, so callers \
                 for whom no phone has rung yet, because nobody is available, cannot be seen. “2+” says that this may be so: \
                 nobody is known to be available, or events were missed in the last minutes."
            }
            Self::Longest => {
                "Time since the first of them entered the queue. Ticks by itself between updates."
            }
            Self::Ringing => "Waiting callers for whom at least one member’s phone rings now.",
            Self::Talking => "Callers of this queue who are connected to someone now and are not held.",
            Self::OnHold => "Callers of this queue who were answered and are held or parked now.",
            Self::Free => {
                "Members who take calls of this queue and could take one now, of all members in the directory: on no call, \
                 no phone of theirs ringing, not in wrap-up, and by their client neither offline nor not to be disturbed. \
                 A wall also says where the others are; away are those who have opted out, do not want to be \
                 disturbed, or are signed out. \
                 A member of two queues counts in each queue, and once in the total: the queues add up to more than \
                 the people there are."
            }
            Self::Offered => {
                "Visits that entered the queue since midnight. A call that enters two queues is two visits. \
                 Each visit is answered, abandoned, a short abandon, flow-out, or still waiting: these add up."
            }
            Self::Answered => {
                "Of these, answered by a person. Voicemail is not an answer. Counted at the answer."
            }
            Self::Abandoned => {
                "Of these, callers who hung up before an answer, short abandons left out. Counted when they leave. \
                 Its percentage leaves them out as well: abandoned, of offered without short abandons."
            }
            Self::Short => {
                "Callers who hung up within the queue’s short time (5 seconds unless set otherwise). \
                 They count neither as abandoned nor in the service level."
            }
            Self::Elsewhere => {
                "Visits that ended neither with an answer nor by hanging up: overflow to another queue or place, \
                 voicemail, or a transfer before an answer."
            }
            Self::ServiceLevel => {
                "Visits answered within the threshold, of all that are decided: answered, gone, or past the threshold. \
                 Short abandons are left out. ▼ marks a level below the queue’s target. \
                 With fewer than 10 decided visits it is shown as “4 of 5”."
            }
        }
    }

    /// How it is counted, as a formula. `O` offered, `A` answered, `B` left; `T` is the threshold, `s` the
    /// short time.
    pub const fn formula(self) -> &'static str {
        match self {
            Self::Queue => "",
            Self::State => "wait ≥ T, or wait and available = 0",
            Self::Waiting => "entered − answered − left",
            Self::Longest => "now − the earliest entry among the waiting",
            Self::Ringing => "waiting with at least one ringing phone",
            Self::Talking => "answered, connected and not held",
            Self::OnHold => "answered, held or parked",
            Self::Free => "members who take calls − those of them who ring, talk or wrap up",
            Self::Offered => "O = visits that entered since midnight",
            Self::Answered => "A, of O",
            Self::Abandoned => "B with a wait > s, of O",
            Self::Short => "B with a wait ≤ s, of O",
            Self::Elsewhere => "F = O − answered − abandoned − short abandons − waiting",
            Self::ServiceLevel => "by the promised definition, below",
        }
    }

    /// True when something small may stand behind the number.
    pub const fn has_unit(self) -> bool {
        matches!(self, Self::Waiting | Self::Free | Self::ServiceLevel)
    }

    /// How sure the number of one queue is.
    pub const fn quality(self, queue: &QueueView) -> Quality {
        self.quality_in(&queue.quality)
    }

    /// How sure its number is, by the qualities of a queue.
    pub const fn quality_in(self, quality: &QueueQuality) -> Quality {
        match self {
            Self::Queue | Self::State => Quality::Measured,
            Self::Waiting | Self::Longest => quality.waiting,
            Self::Ringing | Self::Talking | Self::OnHold => quality.calls,
            Self::Free => quality.available,
            Self::Offered
            | Self::Answered
            | Self::Abandoned
            | Self::Short
            | Self::Elsewhere
            | Self::ServiceLevel => quality.today,
        }
    }

    /// The number of one queue at `now`. Name and state are drawn by their own components.
    pub fn face(self, queue: &QueueView, now: Timestamp, room: Room) -> Face {
        let figures = &queue.figures;
        let quality = self.quality(queue);
        if quality == Quality::Unknown && self != Self::Free {
            return Face::unknown();
        }
        match self {
            Self::Queue => Face::plain(queue.name.clone(), quality),
            Self::State => Face::plain(level_word(queue.level(now)).to_owned(), quality),
            Self::Waiting => Face {
                unit: if queue.may_hide_callers() { OR_MORE } else { "" }.to_owned(),
                ..Face::count(figures.waiting, quality, room)
            },
            // Nobody waits: no time, which is not a time of nothing.
            Self::Longest => match figures.oldest_waiting_since {
                Some(since) => Face::plain(clock_face(now.since(since)), quality),
                None => {
                    let text = if room == Room::Desk { "none" } else { "" };
                    Face { quiet: true, ..Face::plain(text.to_owned(), quality) }
                }
            },
            Self::Ringing => Face::count(figures.ringing, quality, room),
            Self::Talking => Face::count(figures.talking, quality, room),
            Self::OnHold => Face::count(figures.on_hold, quality, room),
            Self::Free => free(queue, room),
            Self::Offered => Face::count(figures.offered_today, quality, room),
            Self::Answered => Face::count(figures.answered_today, quality, room),
            Self::Abandoned => Face::count(figures.abandoned_today, quality, room),
            Self::Short => Face::count(figures.short_abandoned_today, quality, room),
            Self::Elsewhere => Face::count(figures.went_elsewhere_today(), quality, room),
            Self::ServiceLevel => {
                let (text, unit) = numeral::service_level(figures.service_level_today);
                Face { quiet: text == numeral::NOTHING_TO_DIVIDE, text, unit, quality }
            }
        }
    }

    /// True when a number is too long for its column on a wall and must be set smaller.
    pub fn crowds(self, face: &Face) -> bool {
        let length = face.text.chars().count() + face.unit.chars().count().div_ceil(2);
        let room = match self {
            Self::Longest | Self::ServiceLevel => 5,
            Self::Free => 4,
            _ => 3,
        };
        length > room
    }

    /// What the number of a queue says about its state: `cause` when it is the reason why the queue needs
    /// a person now, `missed` when it is below what the queue promises, else nothing.
    pub fn verdict(self, queue: &QueueView, now: Timestamp) -> &'static str {
        let wait = queue.figures.oldest_waiting_since.map(|since| now.since(since));
        let is_cause = match self {
            Self::Waiting | Self::Longest => wait.is_some_and(|wait| wait >= queue.policy.threshold()),
            Self::Free => wait.is_some() && queue.members_available == Some(0),
            _ => false,
        };
        match self {
            _ if self.quality(queue) == Quality::Unknown => "",
            Self::ServiceLevel if queue.misses_target() => "missed",
            _ if is_cause => "cause",
            _ => "",
        }
    }

    /// Compares two queues by this column, small first. What cannot be known comes before everything.
    pub fn compare(self, a: &QueueView, b: &QueueView, now: Timestamp) -> Ordering {
        let by = |of: fn(&QueueView) -> u32| of(a).cmp(&of(b));
        match self {
            Self::Queue => lower_case(&a.name).cmp(&lower_case(&b.name)),
            Self::State => a.level(now).cmp(&b.level(now)),
            Self::Waiting => by(|queue| queue.figures.waiting),
            Self::Longest => {
                let wait =
                    |queue: &QueueView| queue.figures.oldest_waiting_since.map(|since| now.since(since));
                wait(a).cmp(&wait(b))
            }
            Self::Ringing => by(|queue| queue.figures.ringing),
            Self::Talking => by(|queue| queue.figures.talking),
            Self::OnHold => by(|queue| queue.figures.on_hold),
            Self::Free => a.idle().cmp(&b.idle()),
            Self::Offered => by(|queue| queue.figures.offered_today),
            Self::Answered => by(|queue| queue.figures.answered_today),
            Self::Abandoned => by(|queue| queue.figures.abandoned_today),
            Self::Short => by(|queue| queue.figures.short_abandoned_today),
            Self::Elsewhere => by(|queue| queue.figures.went_elsewhere_today()),
            Self::ServiceLevel => {
                let level = |queue: &QueueView| queue.figures.service_level_today.permille();
                level(a).cmp(&level(b))
            }
        }
    }
}

impl Face {
    fn plain(text: String, quality: Quality) -> Self {
        Self { text, unit: String::new(), quality, quiet: false }
    }

    fn count(number: u32, quality: Quality, room: Room) -> Self {
        Self { quiet: number == 0, ..Self::plain(room.count(number), quality) }
    }

    fn unknown() -> Self {
        Self { quiet: true, ..Self::plain(numeral::UNKNOWN.to_owned(), Quality::Unknown) }
    }

    /// What style sheets need to know, as words: `quiet`, `long`, and the quality where it says something.
    pub fn words(&self, column: Column) -> String {
        let mut words = String::new();
        for (word, applies) in [
            ("quiet ", self.quiet),
            ("long ", column.crowds(self)),
            ("inferred ", self.quality == Quality::Inferred),
        ] {
            if applies {
                words.push_str(word);
            }
        }
        words
    }
}

/// Stands small behind a number that may be greater: callers for whom no phone rings cannot be seen.
pub const OR_MORE: &str = "+";

/// The word of a level, as shown beside its shape.
pub const fn level_word(level: Level) -> &'static str {
    match level {
        Level::Normal => "normal",
        Level::Watch => "watch",
        Level::Act => "overdue",
    }
}

fn free(queue: &QueueView, room: Room) -> Face {
    let members = match (queue.members, queue.quality.members) {
        (Some(members), quality) if quality != Quality::Unknown => {
            format!("/\u{2009}{}", room.count(members))
        }
        _ => String::new(),
    };
    match queue.idle() {
        // Nobody free is never a quiet zero.
        Some(idle) => {
            Face { text: room.count(idle), unit: members, quality: queue.quality.available, quiet: false }
        }
        None => Face { unit: members, ..Face::unknown() },
    }
}

#[cfg(test)]
mod tests {
    use domain::{
        service_level::ServiceLevelPolicy,
        view::{ACT_AFTER, Busy, SMALL_SAMPLE},
    };

    use super::*;
    use crate::{
        pages::style::sample::{self, NOW},
        row_order::LEAVE_AFTER,
    };

    #[test]
    fn definitions_say_the_numbers_in_use() {
        let short = ServiceLevelPolicy::default().short_abandon_seconds;
        for (column, said) in [
            (Column::State, format!("for {} seconds more", ACT_AFTER.as_secs())),
            (Column::State, format!("a state {} seconds after", LEAVE_AFTER.as_secs())),
            (Column::Short, format!("({short} seconds unless set otherwise)")),
            (Column::ServiceLevel, format!("fewer than {SMALL_SAMPLE} decided visits")),
        ] {
            assert!(column.definition().contains(&said), "{said}");
        }
    }

    fn verdicts(queue: &QueueView) -> Vec<(&'static str, &'static str)> {
        let all = Column::ALL.into_iter().map(|column| (column.key(), column.verdict(queue, NOW)));
        all.filter(|(_, verdict)| !verdict.is_empty()).collect()
    }

    #[test]
    fn the_number_that_is_the_reason_is_marked() {
        let queue =
            |waits: &[u64], free, met| sample::queue("Billing", 801, waits, free, 4, [90, 0, met, 80]);
        assert_eq!(verdicts(&queue(&[12], 1, 80)), []);
        assert_eq!(verdicts(&queue(&[20], 1, 80)), [("waiting", "cause"), ("longest", "cause")]);
        assert_eq!(verdicts(&queue(&[3], 0, 80)), [("free", "cause")]);
        assert_eq!(verdicts(&queue(&[], 0, 80)), [], "nobody waits");
        assert_eq!(verdicts(&queue(&[], 1, 50)), [("service_level", "missed")]);
    }

    #[test]
    fn a_queue_of_which_nobody_knows_who_is_free_comes_before_one_without_anybody() {
        let busy = sample::queue("Billing", 801, &[], 0, 4, [0; 4]);
        let unknown = Busy { unknown: 4, ..Busy::default() };
        let unheard = QueueView { members_busy: unknown, ..busy.clone() };
        assert_eq!(Column::Free.compare(&unheard, &busy, NOW), Ordering::Less);
    }

    #[test]
    fn how_many_wait_is_at_least_that_many_where_nobody_knows_who_is_free() {
        let waiting = |queue: &QueueView| {
            let face = Column::Waiting.face(queue, NOW, Room::Desk);
            format!("{}{}", face.text, face.unit)
        };
        let mut queue = sample::queue("Billing", 801, &[], 1, 4, [90, 0, 80, 80]);
        assert_eq!(waiting(&queue), "0");
        // The first minutes after a gap: nothing was heard of anybody.
        queue.members_available = Some(0);
        queue.members_busy.unknown = 4;
        queue.quality.available = Quality::Unknown;
        assert_eq!(waiting(&queue), "0+");
        // A queue that the directory does not list.
        (queue.members, queue.members_available) = (None, None);
        assert_eq!(waiting(&queue), "0+");
    }

    #[test]
    fn the_columns_of_a_day_add_up_to_the_offered() {
        let queue = sample::queue("Billing", 801, &[12, 40], 1, 4, [90, 6, 70, 80]);
        let number = |column: Column| column.face(&queue, NOW, Room::Desk).text.parse::<u32>().unwrap();
        let parts = [Column::Answered, Column::Abandoned, Column::Short, Column::Elsewhere, Column::Waiting];
        assert_eq!(parts.map(number).iter().sum::<u32>(), number(Column::Offered));
    }
}
