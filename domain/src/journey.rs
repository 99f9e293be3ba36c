//! The journey of one call: one row per party, one block per step, on one axis of time.
//!
//! Made of what was written down of the call, whichever generation of the record told it: the same call gives
//! the same journey. A step that was told twice is there once; one without a time is in no row.

use std::time::Duration;

use crate::{fact::StationKind, time::Timestamp};

/// A step or leg of a call, as it was written down.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step {
    /// Whom it led to.
    pub to: Station,
    /// How it came about, where it was not the call itself.
    pub way: Option<Way>,
    /// It was answered, by this party.
    pub is_answered: bool,
    /// The caller was led to a mailbox.
    pub is_voicemail: bool,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it was answered.
    pub answered_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How long the caller waited in it, ringing included.
    pub wait: Option<Duration>,
    /// How long it was on hold. Nothing says when.
    pub hold: Duration,
}

/// Whom a step led to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Station {
    /// What it is.
    pub kind: Option<StationKind>,
    /// Its name.
    pub name: Option<String>,
    /// Its extension, or its telephone number.
    pub number: Option<String>,
}

/// How a call came to a party, other than by being called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A queue or person did not take it, and it went on by a rule.
    Overflow,
    /// It was sent on by a rule.
    Forward,
    /// Somebody passed it on.
    Transfer,
    /// Somebody parked it.
    Park,
    /// Somebody listened in.
    Monitoring,
}

/// A call in rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journey {
    /// When the first block begins.
    pub from: Timestamp,
    /// When the last one ends.
    pub to: Timestamp,
    /// In the order in which they came in.
    pub parties: Vec<PartyRow>,
}

/// Everything of one party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartyRow {
    /// Who.
    pub station: Station,
    /// In the order of time.
    pub blocks: Vec<Block>,
}

/// One thing that a party did, or that happened to the caller there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// What.
    pub kind: BlockKind,
    /// From.
    pub from: Timestamp,
    /// To.
    pub to: Timestamp,
    /// How the call got there.
    pub way: Option<Way>,
    /// Of it, on hold.
    pub hold: Duration,
}

/// What a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BlockKind {
    /// In a menu.
    Menu,
    /// In a queue.
    Waiting,
    /// A phone rings.
    Ringing,
    /// Connected, hold included.
    Talking,
    /// Parked.
    Parked,
    /// With a mailbox.
    Voicemail,
    /// Somebody listens in.
    Monitoring,
}

impl BlockKind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Menu,
        Self::Waiting,
        Self::Ringing,
        Self::Talking,
        Self::Parked,
        Self::Voicemail,
        Self::Monitoring,
    ];

    /// The word in the API and in style sheets.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Menu => "menu",
            Self::Waiting => "waiting",
            Self::Ringing => "ringing",
            Self::Talking => "talking",
            Self::Parked => "parked",
            Self::Voicemail => "voicemail",
            Self::Monitoring => "monitoring",
        }
    }
}

impl Way {
    /// The word in the API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Overflow => "overflow",
            Self::Forward => "forward",
            Self::Transfer => "transfer",
            Self::Park => "park",
            Self::Monitoring => "monitoring",
        }
    }
}

impl Journey {
    /// The rows of these steps; `None` where none of them has a time.
    pub fn of(steps: &[Step]) -> Option<Self> {
        let mut parties: Vec<PartyRow> = Vec::new();
        for step in steps {
            let blocks = step.blocks();
            if blocks.is_empty() {
                continue;
            }
            let place = parties.iter().position(|row| row.station.is_same(&step.to));
            let place = place.unwrap_or_else(|| {
                parties.push(PartyRow { station: step.to.clone(), blocks: Vec::new() });
                parties.len() - 1
            });
            let row = &mut parties[place];
            row.station.learn(&step.to);
            for block in blocks {
                if !row.blocks.iter().any(|known| known.is_same(&block)) {
                    row.blocks.push(block);
                }
            }
        }
        for row in &mut parties {
            row.blocks.sort_by_key(|block| (block.from, block.to, block.kind));
        }
        let begins = |row: &PartyRow| row.blocks.first().map(|block| block.from);
        let name = |row: &PartyRow| (row.station.number.clone(), row.station.name.clone());
        parties.sort_by(|a, b| begins(a).cmp(&begins(b)).then_with(|| name(a).cmp(&name(b))));
        let blocks = || parties.iter().flat_map(|row| &row.blocks);
        let from = blocks().map(|block| block.from).min()?;
        let to = blocks().map(|block| block.to).max()?;
        Some(Self { from, to, parties })
    }
}

impl Station {
    /// The same party: by its number, else by its name.
    fn is_same(&self, other: &Self) -> bool {
        match (&self.number, &other.number) {
            (Some(one), Some(another)) => one == another,
            _ => self.name.is_some() && self.name == other.name,
        }
    }

    /// What another step knows of it besides.
    fn learn(&mut self, other: &Self) {
        self.kind = self.kind.take().or_else(|| other.kind.clone());
        self.name = self.name.take().or_else(|| other.name.clone());
        self.number = self.number.take().or_else(|| other.number.clone());
    }
}

impl Block {
    /// The same, told again.
    fn is_same(&self, other: &Self) -> bool {
        (self.kind, self.from, self.to) == (other.kind, other.from, other.to)
    }
}

impl Step {
    fn blocks(&self) -> Vec<Block> {
        let Some(from) = self.started_at.or(self.answered_at) else { return Vec::new() };
        // Clocks of two sources: nothing ends before it begins.
        let end = self.ended_at.unwrap_or(from).max(from);
        let answered_at = self.answered_at.filter(|_| self.is_answered);
        let answered_at = answered_at.map(|at| at.clamp(from, end));
        let block = |kind, from, to| Block { kind, from, to, way: self.way, hold: Duration::ZERO };
        match (&self.to.kind, self.way) {
            (_, Some(Way::Park)) => vec![block(BlockKind::Parked, from, end)],
            (_, Some(Way::Monitoring)) => vec![block(BlockKind::Monitoring, from, end)],
            (Some(StationKind::AutoReceptionist), _) => vec![block(BlockKind::Menu, from, end)],
            (Some(StationKind::CallQueue), _) => {
                let waited = self.wait.map(|wait| (from + wait).min(end));
                // Who was answered waited until then, whatever the queue's own step lasts.
                let until = answered_at.or(waited).unwrap_or(end);
                let mut blocks = vec![block(BlockKind::Waiting, from, until)];
                if self.is_voicemail {
                    blocks.push(block(BlockKind::Voicemail, until, end));
                }
                blocks
            }
            _ => {
                let until = answered_at.unwrap_or(end);
                let mut blocks = Vec::new();
                if self.is_voicemail {
                    // Where the mailbox took it is known only where it was written down.
                    let until = self.answered_at.map_or(from, |at| at.clamp(from, end));
                    if until > from {
                        blocks.push(block(BlockKind::Ringing, from, until));
                    }
                    blocks.push(block(BlockKind::Voicemail, until, end));
                    return blocks;
                }
                if until > from || answered_at.is_none() {
                    blocks.push(block(BlockKind::Ringing, from, until));
                }
                if let Some(answered_at) = answered_at {
                    blocks.push(Block { hold: self.hold, ..block(BlockKind::Talking, answered_at, end) });
                }
                blocks
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_795_000_000_000 + seconds * 1000)
    }

    fn step(kind: StationKind, number: &str, times: (i64, Option<i64>, i64)) -> Step {
        let (started, answered, ended) = times;
        Step {
            to: Station { kind: Some(kind), name: None, number: Some(number.to_owned()) },
            is_answered: answered.is_some(),
            started_at: Some(at(started)),
            answered_at: answered.map(at),
            ended_at: Some(at(ended)),
            ..Step::default()
        }
    }

    /// Rows as people tell them: `801 waiting 5..20`.
    fn told(steps: &[Step]) -> Vec<String> {
        let seconds = |at: Timestamp| (at.as_millis() - 1_795_000_000_000) / 1000;
        let journey = Journey::of(steps);
        let rows = journey.iter().flat_map(|journey| &journey.parties).map(|row| {
            let blocks = row.blocks.iter().map(|block| {
                format!(" {} {}..{}", block.kind.word(), seconds(block.from), seconds(block.to))
            });
            format!("{}{}", row.station.number.as_deref().unwrap_or("-"), blocks.collect::<String>())
        });
        rows.collect()
    }

    #[test]
    fn a_call_through_menu_and_queue_has_a_row_for_everybody() {
        use StationKind::{AutoReceptionist, CallQueue, User};
        let steps = [
            step(User, "1009", (25, Some(30), 90)),
            step(User, "1008", (5, None, 20)),
            step(CallQueue, "801", (5, Some(30), 90)),
            step(AutoReceptionist, "800", (0, Some(0), 5)),
            step(User, "1009", (5, None, 20)),
        ];
        let rows = [
            "800 menu 0..5",
            "1008 ringing 5..20",
            "1009 ringing 5..20 ringing 25..30 talking 30..90",
            "801 waiting 5..30",
        ];
        assert_eq!(told(&steps), rows);
        // Whatever the order, and however often they are told.
        let mut again: Vec<Step> = steps.iter().rev().chain(&steps).cloned().collect();
        again.rotate_left(3);
        assert_eq!(told(&again), rows);
    }

    #[test]
    fn every_kind_of_step_has_its_block() {
        use StationKind::{CallQueue, User};
        let person = |change: fn(&mut Step)| {
            let mut step = step(User, "1", (0, None, 20));
            change(&mut step);
            told(&[step])
        };
        assert_eq!(person(|step| step.way = Some(Way::Park)), ["1 parked 0..20"]);
        assert_eq!(person(|step| step.way = Some(Way::Monitoring)), ["1 monitoring 0..20"]);
        assert_eq!(person(|step| step.is_voicemail = true), ["1 voicemail 0..20"]);
        assert_eq!(person(|step| step.started_at = None), [""; 0]);
        // Nothing ends before it begins.
        assert_eq!(person(|step| step.ended_at = Some(at(-9))), ["1 ringing 0..0"]);
        let mut mailbox = step(User, "1", (0, Some(8), 20));
        mailbox.is_voicemail = true;
        assert_eq!(told(&[mailbox]), ["1 ringing 0..8 voicemail 8..20"]);
        let mut queue = step(CallQueue, "8", (0, None, 20));
        queue.wait = Some(Duration::from_secs(12));
        assert_eq!(told(&[queue]), ["8 waiting 0..12"]);
    }

    #[test]
    fn who_is_known_by_name_in_one_step_and_by_number_in_another_is_learnt() {
        let mut named = step(StationKind::User, "1", (0, None, 5));
        named.to.name = Some("Ada".to_owned());
        let mut nameless = step(StationKind::User, "1", (9, None, 12));
        nameless.to.kind = None;
        let journey = Journey::of(&[nameless, named]).unwrap();
        assert_eq!(journey.parties.len(), 1);
        assert_eq!(journey.parties[0].station.name.as_deref(), Some("Ada"));
        assert_eq!((journey.from, journey.to), (at(0), at(12)));
    }
}
