//! A call is a set of facts; its legs and its phase are derived from the whole set.
//!
//! Deriving instead of stepping is what makes the order, the repetition and the delay of messages
//! harmless: the same facts give the same state, whatever the way they came. Nothing here changes
//! anything outside the call, and nothing ever "resurrects": a later fact just makes another set.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use crate::{
    fact::{Fact, HangUp, Party, Record, RecordedStay, Side, SideFact, Station, StationKind, What},
    id::{CallId, DeviceId},
    queue::QueueMention,
    time::Timestamp,
    trust::LONG_CALL,
};

mod extension;

pub(crate) use extension::is_same_extension;
use extension::{Extension, Marks, Moment, Observation, is_nobody};

/// A ringing leg without any further news is taken to have stopped after this long: the message
/// about its end was lost.
pub const LOST_RING_AFTER: Duration = Duration::from_secs(120);
/// A connected leg on a call without any news for this long is taken to have ended.
pub const LOST_CALL_AFTER: Duration = Duration::from_secs(4 * 3600);
/// A parked call without any news for this long is taken to have ended: the longest parking time
/// an account can set, and a minute.
pub const LOST_PARK_AFTER: Duration = Duration::from_secs(11 * 60);
/// Clocks have whole seconds, and the phones that lose a race stop a moment after the winner
/// answers: an unanswered end this close to the answer belongs to a loser.
const RACE: Duration = Duration::from_secs(2);

/// Everything known about one call.
#[derive(Debug, Clone, Default)]
pub struct Call {
    /// What was told of the phones of each extension, in the order of what was first told.
    extensions: Vec<Extension>,
    /// What was told of phones of nobody knows whom; like all facts here in their order, each once. A
    /// tree would take three times the memory for the few that most calls have.
    nobodies: Vec<Fact>,
    /// What was told of the call as a whole.
    others: Vec<Fact>,
    /// Every queue that legs name or have named.
    queues: Vec<Arc<QueueMention>>,
    newest_fact_at: Option<Timestamp>,
    /// The end of the first gap after which nothing was told of it.
    doubted_since: Option<Timestamp>,
}

/// What the facts of a call amount to at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallState {
    /// All legs ever, in the order they began to ring. Shared with what their phones amount to: most news
    /// leave most legs as they were.
    pub legs: Vec<Arc<Leg>>,
    /// Waits in a parking slot now, and since when.
    pub parked_since: Option<Timestamp>,
    /// When the caller reached a mailbox or was sent to one, if that happened.
    pub voicemail_at: Option<Timestamp>,
    /// When a caller who belongs to the account hung up.
    pub caller_left_at: Option<Timestamp>,
    /// Somebody transferred the call, or began to and did not take that back; first at this time.
    pub transferred_at: Option<Timestamp>,
    /// Calls in which somebody asks another person about this one before passing it on.
    pub consultations: BTreeSet<CallId>,
    /// When it became a conference.
    pub conference_since: Option<Timestamp>,
    /// When somebody invited the others to go on in a meeting; the phone legs end soon after.
    pub moved_to_meeting_at: Option<Timestamp>,
    /// Stays in queues as they were written down afterwards, in order, each once.
    pub recorded_stays: BTreeSet<RecordedStay>,
    /// The next instant at which this state changes without any news.
    pub next_change_at: Option<Timestamp>,
}

/// Which ends of a call belong to the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Only called ones.
    Incoming,
    /// Only the calling one.
    Outgoing,
    /// Both.
    Internal,
}

impl Direction {
    /// The word used in the API and on pages.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Incoming => "incoming",
            Self::Outgoing => "outgoing",
            Self::Internal => "internal",
        }
    }
}

/// One phone or client of one extension, ringing once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leg {
    /// The side it is on.
    pub side: Side,
    /// Whose phone it is, with everything the facts told about them.
    pub party: Arc<Party>,
    /// The party at the other end.
    pub other: Arc<Party>,
    /// The device, where told.
    pub device_id: Option<DeviceId>,
    /// What offered the call to this phone.
    pub offered_by: Option<Arc<Station>>,
    /// The queue on whose behalf it rang, if any, as it was named. Shared by the legs of a call.
    pub queue: Option<Arc<QueueMention>>,
    /// When it began to ring.
    pub rang_at: Timestamp,
    /// When it was picked up.
    pub answered_at: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// Why it was over, where told.
    pub hang_up: Option<HangUp>,
    /// On hold now, from this side.
    pub held_since: Option<Timestamp>,
}

/// State of a leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LegState {
    /// A phone rings (caller's side: hears ringing).
    Ringing,
    /// In conversation.
    Connected,
    /// Connected, and held from this side.
    Held,
    /// Over.
    Ended,
}

impl Leg {
    /// What the leg does now, and since when.
    pub fn state(&self) -> (LegState, Timestamp) {
        match (self.ended_at, self.held_since, self.answered_at) {
            (Some(ended_at), _, _) => (LegState::Ended, ended_at),
            (None, Some(held_since), _) => (LegState::Held, held_since),
            (None, None, Some(answered_at)) => (LegState::Connected, answered_at),
            (None, None, None) => (LegState::Ringing, self.rang_at),
        }
    }

    /// Ringing now.
    pub fn is_ringing(&self) -> bool {
        self.ended_at.is_none() && self.answered_at.is_none()
    }

    /// In conversation now, held or not.
    pub fn is_connected(&self) -> bool {
        self.ended_at.is_none() && self.answered_at.is_some()
    }

    /// A menu: nobody's phone, and nobody answers there.
    pub fn is_a_menu(&self) -> bool {
        self.party.kind == Some(StationKind::AutoReceptionist) && self.party.user_id.is_none()
    }

    /// Somebody's phone: not a menu or a queue as such.
    pub fn is_a_phone(&self) -> bool {
        !matches!(self.party.kind, Some(StationKind::AutoReceptionist | StationKind::CallQueue))
            || self.device_id.is_some()
            || self.party.user_id.is_some()
    }
}

impl CallState {
    /// Between whom the call is.
    pub fn direction(&self) -> Direction {
        let has = |side| self.legs.iter().any(|leg| leg.side == side);
        match (has(Side::Caller), has(Side::Callee)) {
            (true, true) => Direction::Internal,
            (true, false) => Direction::Outgoing,
            (false, _) => Direction::Incoming,
        }
    }

    /// A consultation is between people of the account, and when it became part of another call nothing is ever
    /// written down under its own name.
    fn may_have_no_record(&self) -> bool {
        self.direction() == Direction::Internal && self.legs.iter().all(|leg| leg.queue.is_none())
    }
}

impl Call {
    /// Adds a fact; false when it was known.
    pub fn learn(&mut self, fact: Fact) -> bool {
        let at = fact.at;
        let is_new = match fact.what.leg() {
            None => insert(&mut self.others, fact),
            Some(leg) if is_nobody(&leg.party) => insert(&mut self.nobodies, fact),
            Some(leg) => {
                let (side, party) = (leg.side, Arc::clone(&leg.party));
                let place = self.join_extensions_of(side, &party).unwrap_or_else(|| {
                    self.extensions.push(Extension::of(side, &party));
                    self.extensions.len() - 1
                });
                let learned = self.extensions[place].learn(fact, &party);
                // Otherwise what was first told of it is what it was.
                if learned == Some(0) {
                    self.put_in_order(place);
                }
                learned.is_some()
            }
        };
        if is_new {
            self.newest_fact_at = self.newest_fact_at.max(Some(at));
            self.doubted_since = None;
        }
        is_new
    }

    /// Whatever was told of it may have been missed up to `since`.
    pub fn doubt(&mut self, since: Timestamp) {
        self.doubted_since.get_or_insert(since);
    }

    /// See [`Call::doubt`]; `None` once something was told since.
    pub fn doubted_since(&self) -> Option<Timestamp> {
        self.doubted_since
    }

    /// A call of these facts, in whatever order.
    pub fn of(facts: impl IntoIterator<Item = Fact>) -> Self {
        let mut call = Self::default();
        for fact in facts {
            call.learn(fact);
        }
        call
    }

    /// The extension that is called so. Words may link what seemed to be several: they are one from then on.
    fn join_extensions_of(&mut self, side: Side, party: &Arc<Party>) -> Option<usize> {
        // Messages repeat each other's words, and what shares them in memory is not compared.
        let known =
            self.extensions.iter().position(|extension| extension.side == side && extension.is_called(party));
        if known.is_some() {
            return known;
        }
        let marks = Marks::of(party);
        let is_same = |extension: &Extension| extension.side == side && extension.is_of(party, marks);
        // They stand in the order of what was first told of them: what joins the first leaves that as it is.
        let home = self.extensions.iter().position(is_same)?;
        while let Some(other) = self.extensions[home + 1..].iter().position(is_same) {
            let other = self.extensions.remove(home + 1 + other);
            self.extensions[home].join(other);
        }
        Some(home)
    }

    /// Lets the extensions stand in the order of what was first told of them, after that changed for one.
    fn put_in_order(&mut self, place: usize) {
        let extension = self.extensions.remove(place);
        let place = self.extensions.partition_point(|other| other.facts() < extension.facts());
        self.extensions.insert(place, extension);
    }

    /// What is known: of extensions, each in its order, then of the whole.
    pub fn facts(&self) -> impl Iterator<Item = &Fact> {
        self.extensions.iter().flat_map(Extension::facts).chain(&self.nobodies).chain(&self.others)
    }

    /// How many facts are known, of a record whatever is in it.
    pub fn fact_count(&self) -> usize {
        let of_extensions: usize = self.extensions.iter().map(|extension| extension.facts().len()).sum();
        of_extensions + self.nobodies.len() + self.others.iter().map(Fact::weight).sum::<usize>()
    }

    /// Time of the newest fact.
    pub fn newest_fact_at(&self) -> Option<Timestamp> {
        self.newest_fact_at
    }

    /// What the facts amount to at `now`.
    ///
    /// Mutable only because what each extension amounts to is kept.
    pub fn state(&mut self, now: Timestamp) -> CallState {
        let legs = self.legs();
        let records = self.records();
        let mut state = CallState {
            legs,
            parked_since: None,
            voicemail_at: None,
            caller_left_at: None,
            transferred_at: None,
            consultations: BTreeSet::new(),
            conference_since: None,
            moved_to_meeting_at: None,
            recorded_stays: records.iter().flat_map(|record| &record.stays).cloned().collect(),
            next_change_at: None,
        };
        note_records(&mut state.legs, &records);
        self.note_call_wide_facts(&mut state);
        close_rings_that_must_be_over(&mut state.legs);
        self.note_parking(&mut state, now);
        close_what_the_record_knows_to_be_over(&mut state, &records);
        close_legs_of_a_caller_who_left(&mut state);
        self.close_lost_legs(&mut state, now);
        self.note_holds(&mut state);
        // Those of one instant stay in the order of their extensions, which is that of their facts.
        state.legs.sort_by_key(|leg| (leg.rang_at, leg.side));
        state
    }

    /// Legs as each extension by itself tells of them.
    fn legs(&mut self) -> Vec<Arc<Leg>> {
        let mut legs = Vec::with_capacity(self.extensions.len());
        for extension in &mut self.extensions {
            legs.extend_from_slice(extension.legs(&mut self.queues));
        }
        close_for_nobody(&mut legs, &self.nobodies);
        legs
    }

    /// True when the whole of it was written down.
    pub(crate) fn is_written_down(&self) -> bool {
        self.others.iter().any(is_whole)
    }

    /// The same call without what was written down of the whole of it; `None` when nothing was.
    pub(crate) fn before_the_record(&self) -> Option<Self> {
        if !self.is_written_down() {
            return None;
        }
        let mut call = self.clone();
        call.others.retain(|fact| !is_whole(fact));
        call.newest_fact_at = call.facts().map(|fact| fact.at).max();
        Some(call)
    }

    /// What was written down of the call, in the latest reading of each record. Which reading is the
    /// latest is said in it, so that readings may come in any order.
    pub(crate) fn records(&self) -> Vec<&Record> {
        let readings = self.others.iter().filter_map(|fact| match &*fact.what {
            What::Recorded(record) => Some(record),
            _ => None,
        });
        let readings: Vec<&Record> = readings.collect();
        let is_latest = |record: &&Record| {
            let was_read_later = |other: &&Record| {
                other.id == record.id && (other.read_at, *other) > (record.read_at, *record)
            };
            record.id.is_none() || !readings.iter().any(was_read_later)
        };
        readings.iter().copied().filter(is_latest).collect()
    }

    fn note_call_wide_facts(&self, state: &mut CallState) {
        // When consulting began, and when it was given up: a transfer that was taken back is none.
        let (mut consulted_at, mut given_up_at) = (None, None);
        let of_callers = self.extensions.iter().filter(|extension| extension.side == Side::Caller);
        let of_callers = of_callers.flat_map(Extension::facts);
        for fact in of_callers.chain(&self.nobodies).chain(&self.others) {
            match &*fact.what {
                What::VoicemailLeft => earliest(&mut state.voicemail_at, fact.at),
                What::SentToVoicemail(transfer) if !transfer.failed => {
                    earliest(&mut state.voicemail_at, fact.at);
                }
                // The far side of a call changes when somebody passes on the one they had asked about.
                What::BlindTransferStarted(transfer)
                | What::WarmTransferCompleted(transfer)
                | What::RecipientChanged(transfer)
                    if !transfer.failed =>
                {
                    earliest(&mut state.transferred_at, fact.at);
                }
                What::WarmTransferStarted { transfer, consult } if !transfer.failed => {
                    earliest(&mut consulted_at, fact.at);
                    state.consultations.extend(consult.clone());
                }
                What::WarmTransferCancelled(transfer) if !transfer.failed => {
                    given_up_at = given_up_at.max(Some(fact.at));
                }
                What::ConferenceStarted(transfer) if !transfer.failed => {
                    earliest(&mut state.conference_since, fact.at);
                }
                What::MovedToMeeting(_) => earliest(&mut state.moved_to_meeting_at, fact.at),
                What::Ended(leg) if leg.side == Side::Caller => {
                    earliest(&mut state.caller_left_at, fact.at);
                    if leg.hang_up == Some(HangUp::Voicemail) {
                        earliest(&mut state.voicemail_at, fact.at);
                    }
                }
                _ => {}
            }
        }
        if let Some(consulted_at) =
            consulted_at.filter(|at| given_up_at.is_none_or(|given_up| given_up < *at))
        {
            earliest(&mut state.transferred_at, consulted_at);
        }
    }

    /// A parked call waits in its slot until a phone rings or answers again. The leg of whoever
    /// parked it is over, even when the message about its end was lost.
    fn note_parking(&self, state: &mut CallState, now: Timestamp) {
        for fact in &self.others {
            let What::Parked { by, .. } = &*fact.what else { continue };
            for leg in &mut state.legs {
                let was_connected = leg.answered_at.is_some_and(|answered_at| answered_at <= fact.at);
                if leg.side == by.side
                    && leg.ended_at.is_none()
                    && was_connected
                    && is_same_extension(&leg.party, &by.party)
                {
                    Arc::make_mut(leg).ended_at = Some(fact.at);
                }
            }
            let picked_up = state.legs.iter().any(|leg| {
                leg.rang_at > fact.at || leg.answered_at.is_some_and(|answered_at| answered_at > fact.at)
            });
            let gave_up = state.caller_left_at.is_some_and(|left_at| left_at >= fact.at);
            // No message tells of fetching a call: an end long after the parker's own is that of whoever did.
            let is_over = state.legs.iter().any(|leg| {
                leg.answered_at.is_some()
                    && leg.ended_at.is_some_and(|at| at > fact.at + RACE)
                    && !is_same_extension(&leg.party, &by.party)
            });
            let lost_at = fact.at + LOST_PARK_AFTER;
            if picked_up || gave_up || is_over {
                state.parked_since = None;
            } else if now < lost_at {
                state.parked_since = Some(fact.at);
                soonest(&mut state.next_change_at, lost_at);
            }
        }
    }

    fn close_lost_legs(&self, state: &mut CallState, now: Timestamp) {
        let newest = self.newest_fact_at.unwrap_or(now);
        // Whatever else ended in a gap has a record, and goes on while none is read. That all of that time was read
        // and it is not there is no end of it: a talk that goes on is not there either.
        let doubted_since = self.doubted_since.filter(|_| state.may_have_no_record());
        for leg in &mut state.legs {
            if leg.ended_at.is_some() {
                continue;
            }
            let (lost_at, ended_at) = if let Some(answered_at) = leg.answered_at {
                let lost_at = newest + LOST_CALL_AFTER;
                match doubted_since.filter(|since| *since + LONG_CALL < lost_at) {
                    Some(since) => (since + LONG_CALL, since.max(answered_at)),
                    None => (lost_at, lost_at),
                }
            } else if leg.side == Side::Callee {
                let lost_at = leg.rang_at + LOST_RING_AFTER;
                (lost_at, lost_at)
            } else {
                // The caller's side rings as long as any called phone may.
                let lost_at = newest.max(leg.rang_at) + LOST_RING_AFTER;
                (lost_at, lost_at)
            };
            if now >= lost_at {
                Arc::make_mut(leg).ended_at = Some(ended_at);
            } else {
                soonest(&mut state.next_change_at, lost_at);
            }
        }
    }

    /// Both sides hold independently. Messages of one second have no order: a hold and a release
    /// in the same second leave the leg as it was.
    fn note_holds(&self, state: &mut CallState) {
        let switches: Vec<(Timestamp, &SideFact, bool)> = self
            .others
            .iter()
            .filter_map(|fact| match &*fact.what {
                What::Held(side) => Some((fact.at, side, true)),
                What::Resumed(side) => Some((fact.at, side, false)),
                _ => None,
            })
            .collect();
        for leg in state.legs.iter_mut().filter(|leg| leg.is_connected()) {
            let mut held_since = None;
            let of_this_leg = switches.iter().filter(|(at, switch, _)| {
                switch.side == leg.side
                    && leg.answered_at.is_some_and(|answered_at| *at >= answered_at)
                    && (is_nobody(&switch.party) || is_same_extension(&switch.party, &leg.party))
            });
            let of_this_leg: Vec<_> = of_this_leg.collect();
            for same_second in of_this_leg.chunk_by(|a, b| a.0 == b.0) {
                let holds = same_second.iter().any(|switch| switch.2);
                let releases = same_second.iter().any(|switch| !switch.2);
                match (holds, releases) {
                    (true, false) => held_since = held_since.or(Some(same_second[0].0)),
                    (false, true) => held_since = None,
                    _ => {}
                }
            }
            if leg.held_since != held_since {
                Arc::make_mut(leg).held_since = held_since;
            }
        }
    }
}

/// Told by the record of a whole call.
fn is_whole(fact: &Fact) -> bool {
    matches!(&*fact.what, What::Recorded(record) if record.is_whole())
}

/// Adds a fact to others in their order; false when it was there.
fn insert(facts: &mut Vec<Fact>, fact: Fact) -> bool {
    let Err(place) = facts.binary_search(&fact) else { return false };
    facts.insert(place, fact);
    true
}

fn earliest(slot: &mut Option<Timestamp>, at: Timestamp) {
    *slot = Some(slot.map_or(at, |known| known.min(at)));
}

/// Keeps the earlier of two deadlines.
pub(crate) fn soonest(slot: &mut Option<Timestamp>, at: Timestamp) {
    earliest(slot, at);
}

/// The record knows conversations better than live messages, some of which are lost: it ends a leg
/// that seems to go on, answers one that seems to ring, and tells of one that nobody mentioned.
fn note_records(legs: &mut Vec<Arc<Leg>>, records: &[&Record]) {
    for talk in records.iter().flat_map(|record| &record.talks) {
        let is_theirs = |leg: &Leg| leg.side == talk.side && is_same_extension(&leg.party, &talk.party);
        let was_answered_then = |leg: &Leg| {
            leg.answered_at
                .is_some_and(|at| at.since(talk.answered_at).max(talk.answered_at.since(at)) <= RACE)
        };
        let rang_then = |leg: &Leg| {
            leg.answered_at.is_none()
                && leg.rang_at <= talk.answered_at
                && leg.ended_at.is_none_or(|ended_at| ended_at + RACE >= talk.answered_at)
        };
        let home = legs
            .iter()
            .position(|leg| is_theirs(leg) && was_answered_then(leg))
            .or_else(|| legs.iter().position(|leg| is_theirs(leg) && rang_then(leg)));
        match home {
            Some(home) => {
                let leg = Arc::make_mut(&mut legs[home]);
                let answered_at = *leg.answered_at.get_or_insert(talk.answered_at);
                leg.ended_at = Some(talk.ended_at.max(answered_at));
                leg.hang_up = Some(HangUp::Connected);
            }
            None => legs.push(Arc::new(Leg {
                queue: QueueMention::of(talk.offered_by.as_deref(), &talk.party).map(Arc::new),
                side: talk.side,
                party: Arc::clone(&talk.party),
                other: Arc::default(),
                device_id: None,
                offered_by: talk.offered_by.clone(),
                rang_at: talk.rang_at,
                answered_at: Some(talk.answered_at),
                ended_at: Some(talk.ended_at),
                hang_up: Some(HangUp::Connected),
                held_since: None,
            })),
        }
    }
}

/// A call is written down when it is over for everybody, the caller of the account among them, of whom no
/// conversation tells. A call that is passed on may be written down in parts: what began since goes on.
fn close_what_the_record_knows_to_be_over(state: &mut CallState, records: &[&Record]) {
    let Some(over_at) = records.iter().filter_map(|record| record.ended_at).max() else { return };
    let goes_on = |leg: &Arc<Leg>| leg.rang_at.max(leg.answered_at.unwrap_or(leg.rang_at)) + RACE >= over_at;
    if state.legs.iter().any(goes_on) {
        return;
    }
    for leg in state.legs.iter_mut().filter(|leg| leg.ended_at.is_none()) {
        Arc::make_mut(leg).ended_at = Some(over_at);
    }
    state.parked_since = state.parked_since.filter(|since| *since >= over_at);
}

/// Ends that name nobody close the one open leg; among several, a ringing one when the end tells
/// of no answer, else a connected one. With no open leg they stay without effect until more is known.
fn close_for_nobody(legs: &mut [Arc<Leg>], nobodies: &[Fact]) {
    for observation in nobodies.iter().filter_map(Observation::of) {
        if matches!(observation.moment, Moment::Rang | Moment::Answered) {
            continue;
        }
        let is_open = |leg: &Leg| {
            leg.side == observation.leg.side && leg.ended_at.is_none() && leg.rang_at <= observation.at
        };
        let open = legs.iter().filter(|leg| is_open(leg)).count();
        let is_candidate = |leg: &Leg| {
            is_open(leg) && (open == 1 || leg.answered_at.is_some() == observation.leg.answered_at.is_some())
        };
        let chosen = legs
            .iter()
            .position(|leg| is_candidate(leg) && leg.rang_at == observation.leg.rang_at)
            .or_else(|| legs.iter().position(|leg| is_candidate(leg)));
        if let Some(chosen) = chosen {
            let leg = Arc::make_mut(&mut legs[chosen]);
            leg.ended_at = Some(observation.at);
            leg.hang_up.clone_from(&observation.leg.hang_up);
        }
    }
}

/// A phone whose end nobody told cannot still ring once another phone took the call, nor once the
/// same extension rings anew.
fn close_rings_that_must_be_over(legs: &mut [Arc<Leg>]) {
    // A menu that answers stops no phone: the call goes on from there.
    let answering = legs.iter().filter(|leg| leg.side == Side::Callee && !leg.is_a_menu());
    let mut answers: Vec<Timestamp> = answering.filter_map(|leg| leg.answered_at).collect();
    answers.sort_unstable();
    let must_end: Vec<(usize, Timestamp)> = legs
        .iter()
        .enumerate()
        .filter(|(_, leg)| leg.side == Side::Callee && leg.is_ringing())
        .filter_map(|(index, leg)| {
            let answered_elsewhere = answers.iter().copied().find(|at| *at >= leg.rang_at);
            let rang_anew = legs
                .iter()
                .filter(|later| {
                    later.side == leg.side
                        && later.rang_at > leg.rang_at
                        && later.device_id == leg.device_id
                        && is_same_extension(&later.party, &leg.party)
                })
                .map(|later| later.rang_at)
                .min();
            let at = [answered_elsewhere, rang_anew].into_iter().flatten().min()?;
            Some((index, at))
        })
        .collect();
    for (index, at) in must_end {
        Arc::make_mut(&mut legs[index]).ended_at = Some(at);
    }
}

/// When a caller of the account hangs up, every phone and every conversation stops, unless the call
/// had been transferred and goes on between others.
fn close_legs_of_a_caller_who_left(state: &mut CallState) {
    let Some(left_at) = state.caller_left_at else { return };
    if state.transferred_at.is_some() {
        return;
    }
    for leg in state.legs.iter_mut().filter(|leg| leg.ended_at.is_none()) {
        if leg.is_connected() || leg.rang_at <= left_at {
            let ended_at = left_at.max(leg.answered_at.unwrap_or(leg.rang_at));
            Arc::make_mut(leg).ended_at = Some(ended_at);
        }
    }
}
