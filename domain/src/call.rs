//! A call is a set of facts; its legs and its phase are derived from the whole set.
//!
//! Deriving instead of stepping is what makes the order, the repetition and the delay of messages
//! harmless: the same facts give the same state, whatever the way they came. Nothing here changes
//! anything outside the call, and nothing ever "resurrects": a later fact just makes another set.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use crate::{
    fact::{Fact, HangUp, LegFact, Party, Record, RecordedStay, Side, SideFact, Station, StationKind, What},
    id::{CallId, ChannelId, DeviceId},
    time::Timestamp,
};

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
    /// In their order, each once. A tree would take three times the memory for the few that most calls
    /// have.
    facts: Vec<Fact>,
}

/// What the facts of a call amount to at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallState {
    /// All legs ever, in the order they began to ring.
    pub legs: Vec<Leg>,
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

impl Call {
    /// Adds a fact; false when it was known.
    pub fn learn(&mut self, fact: Fact) -> bool {
        match self.facts.binary_search(&fact) {
            Ok(_) => false,
            Err(place) => {
                self.facts.insert(place, fact);
                true
            }
        }
    }

    /// A call of these facts, in whatever order.
    pub fn of(facts: impl IntoIterator<Item = Fact>) -> Self {
        let mut facts: Vec<Fact> = facts.into_iter().collect();
        facts.sort();
        facts.dedup();
        Self { facts }
    }

    /// What is known, in the order of facts.
    pub fn facts(&self) -> impl Iterator<Item = &Fact> {
        self.facts.iter()
    }

    /// How many facts are known.
    pub fn fact_count(&self) -> usize {
        self.facts.len()
    }

    /// Time of the newest fact.
    pub fn newest_fact_at(&self) -> Option<Timestamp> {
        self.facts.last().map(|fact| fact.at)
    }

    /// What the facts amount to at `now`.
    pub fn state(&self, now: Timestamp) -> CallState {
        let records = self.records();
        let mut state = CallState {
            legs: self.legs(),
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
        close_legs_of_a_caller_who_left(&mut state);
        self.close_lost_legs(&mut state, now);
        self.note_holds(&mut state);
        state.legs.sort_by(|a, b| {
            (a.rang_at, a.side, &a.party, &a.device_id).cmp(&(b.rang_at, b.side, &b.party, &b.device_id))
        });
        state
    }

    /// Legs from leg facts: by side and extension, then by the time they began to ring, then by device.
    fn legs(&self) -> Vec<Leg> {
        let mut extensions = Extensions::default();
        let mut nobodies = Vec::new();
        for fact in &self.facts {
            let Some(observation) = Observation::of(fact) else { continue };
            if !extensions.place(observation) {
                nobodies.push(observation);
            }
        }
        let mut legs = Vec::new();
        for mut observations in extensions.groups {
            observations.sort_by_key(|observation| observation.leg.rang_at);
            for same_ring in observations.chunk_by(|a, b| a.leg.rang_at == b.leg.rang_at) {
                legs.extend(legs_of_one_ring(same_ring));
            }
        }
        close_for_nobody(&mut legs, &nobodies);
        legs
    }

    /// The same call without what was written down of the whole of it; `None` when nothing was.
    pub(crate) fn before_the_record(&self) -> Option<Self> {
        let is_whole = |fact: &&Fact| matches!(&*fact.what, What::Recorded(record) if record.id.is_some());
        let facts = self.facts.iter().filter(|fact| !is_whole(fact)).cloned().collect();
        self.facts.iter().any(|fact| is_whole(&fact)).then_some(Self { facts })
    }

    /// What was written down of the call, in the latest reading of each record. Which reading is the
    /// latest is said in it, so that readings may come in any order.
    pub(crate) fn records(&self) -> Vec<&Record> {
        let readings = self.facts.iter().filter_map(|fact| match &*fact.what {
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
        for fact in &self.facts {
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
        for fact in &self.facts {
            let What::Parked { by, .. } = &*fact.what else { continue };
            for leg in &mut state.legs {
                let was_connected = leg.answered_at.is_some_and(|answered_at| answered_at <= fact.at);
                if leg.side == by.side
                    && leg.ended_at.is_none()
                    && was_connected
                    && is_same_extension(&leg.party, &by.party)
                {
                    leg.ended_at = Some(fact.at);
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
        let newest = self.newest_fact_at().unwrap_or(now);
        for leg in &mut state.legs {
            if leg.ended_at.is_some() {
                continue;
            }
            let lost_at = if leg.answered_at.is_some() {
                newest + LOST_CALL_AFTER
            } else if leg.side == Side::Callee {
                leg.rang_at + LOST_RING_AFTER
            } else {
                // The caller's side rings as long as any called phone may.
                newest.max(leg.rang_at) + LOST_RING_AFTER
            };
            if now >= lost_at {
                leg.ended_at = Some(lost_at);
            } else {
                soonest(&mut state.next_change_at, lost_at);
            }
        }
    }

    /// Both sides hold independently. Messages of one second have no order: a hold and a release
    /// in the same second leave the leg as it was.
    fn note_holds(&self, state: &mut CallState) {
        let switches: Vec<(Timestamp, &SideFact, bool)> = self
            .facts
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
            leg.held_since = held_since;
        }
    }
}

fn earliest(slot: &mut Option<Timestamp>, at: Timestamp) {
    *slot = Some(slot.map_or(at, |known| known.min(at)));
}

/// Keeps the earlier of two deadlines.
pub(crate) fn soonest(slot: &mut Option<Timestamp>, at: Timestamp) {
    earliest(slot, at);
}

/// A leg fact with its place in the life of a leg.
#[derive(Debug, Clone, Copy)]
struct Observation<'a> {
    leg: &'a LegFact,
    at: Timestamp,
    moment: Moment,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    Rang,
    Answered,
    Ended,
    Missed,
    Rejected,
}

impl<'a> Observation<'a> {
    fn of(fact: &'a Fact) -> Option<Self> {
        let (leg, moment) = match &*fact.what {
            What::Rang(leg) => (leg, Moment::Rang),
            What::Answered(leg) => (leg, Moment::Answered),
            What::Ended(leg) => (leg, Moment::Ended),
            What::Missed(leg) => (leg, Moment::Missed),
            What::Rejected(leg) => (leg, Moment::Rejected),
            _ => return None,
        };
        Some(Self { leg, at: fact.at, moment })
    }

    fn answered_at(&self) -> Option<Timestamp> {
        match self.moment {
            Moment::Answered => Some(self.leg.answered_at.unwrap_or(self.at)),
            Moment::Ended => self.leg.answered_at,
            Moment::Rang | Moment::Missed | Moment::Rejected => None,
        }
    }
}

/// Observations grouped by the extension they are about. Messages name an extension by any subset
/// of three identities, so two groups become one when a message links them.
#[derive(Debug, Default)]
struct Extensions<'a> {
    groups: Vec<Vec<Observation<'a>>>,
    /// A tree, not a hash: a call has a handful of extensions, and hashing their names costs more.
    by_identity: BTreeMap<(Side, u8, &'a str), usize>,
}

impl<'a> Extensions<'a> {
    /// False when the observation names nobody.
    fn place(&mut self, observation: Observation<'a>) -> bool {
        let side = observation.leg.side;
        let identities = identities(&observation.leg.party);
        let mut home: Option<usize> = None;
        for (kind, text) in identities.into_iter().flatten() {
            let Some(&found) = self.by_identity.get(&(side, kind, text)) else { continue };
            match home {
                None => home = Some(found),
                Some(home) if home != found => {
                    let moved = std::mem::take(&mut self.groups[found]);
                    self.groups[home].extend(moved);
                    for group in self.by_identity.values_mut().filter(|group| **group == found) {
                        *group = home;
                    }
                }
                Some(_) => {}
            }
        }
        let mut named = identities.into_iter().flatten().peekable();
        if named.peek().is_none() {
            return false;
        }
        let home = home.unwrap_or_else(|| {
            self.groups.push(Vec::new());
            self.groups.len() - 1
        });
        for (kind, text) in named {
            self.by_identity.insert((side, kind, text), home);
        }
        self.groups[home].push(observation);
        true
    }
}

/// The identities a party is known by. Its telephone number counts only when there is nothing
/// else: on queue calls it may be the number that was dialled, the same for every member.
fn identities(party: &Party) -> [Option<(u8, &str)>; 3] {
    let user = party.user_id.as_ref().map(|id| (0, id.as_str()));
    let extension = party.extension_id.as_ref().map(|id| (1, id.as_str()));
    let number = party.extension_number.as_deref().map(|number| (2, number));
    if user.is_none() && extension.is_none() && number.is_none() {
        [party.number.as_deref().map(|number| (3, number)), None, None]
    } else {
        [user, extension, number]
    }
}

fn is_nobody(party: &Party) -> bool {
    identities(party).iter().all(Option::is_none)
}

/// True when two observations of a party share an identity.
pub(crate) fn is_same_extension(a: &Party, b: &Party) -> bool {
    let of_a = identities(a);
    identities(b).iter().flatten().any(|identity| of_a.contains(&Some(*identity)))
}

/// A leg in the making.
#[derive(Debug, Default)]
struct Draft<'a> {
    device: Option<&'a DeviceId>,
    channel: Option<&'a ChannelId>,
    rang: bool,
    answered_at: Option<Timestamp>,
    seen: Vec<Observation<'a>>,
}

impl<'a> Draft<'a> {
    fn take(&mut self, observation: Observation<'a>) {
        self.device = self.device.or(observation.leg.device_id.as_ref());
        self.channel = self.channel.or(observation.leg.channel_id.as_ref());
        self.rang |= observation.moment == Moment::Rang;
        if let Some(answered_at) = observation.answered_at() {
            earliest(&mut self.answered_at, answered_at);
        }
        self.seen.push(observation);
    }

    fn is_anonymous(&self) -> bool {
        self.device.is_none() && self.channel.is_none()
    }

    /// An end that can be this leg's: unanswered ends count for unanswered legs, and for answered
    /// ones only when they come too late to belong to a phone that lost the race.
    fn end(&self) -> Option<(Timestamp, Option<&'a HangUp>)> {
        let closers = self.seen.iter().filter(|observation| match (observation.moment, self.answered_at) {
            (Moment::Rang | Moment::Answered, _) => false,
            (_, None) => true,
            (Moment::Ended, Some(_)) if observation.leg.answered_at.is_some() => true,
            (Moment::Ended, Some(answered_at)) => observation.at > answered_at + RACE,
            (Moment::Missed | Moment::Rejected, Some(_)) => false,
        });
        closers
            .map(|observation| (observation.at, observation.leg.hang_up.as_ref()))
            .min_by(|a, b| a.0.cmp(&b.0).then_with(|| b.1.cmp(&a.1)))
    }

    fn finish(self) -> Leg {
        let end = self.end();
        let first = self.seen[0].leg;
        let mut leg = Leg {
            side: first.side,
            party: Arc::clone(&first.party),
            other: Arc::clone(&first.other),
            device_id: self.device.cloned(),
            offered_by: first.offered_by.clone(),
            rang_at: first.rang_at,
            answered_at: self.answered_at,
            ended_at: end.map(|(at, _)| at),
            hang_up: end.and_then(|(_, hang_up)| hang_up.cloned()),
            held_since: None,
        };
        for observation in &self.seen[1..] {
            complete(&mut leg.party, &observation.leg.party);
            complete(&mut leg.other, &observation.leg.other);
            complete_station(&mut leg.offered_by, observation.leg.offered_by.as_ref());
        }
        leg
    }
}

/// Names and ids come on some messages only: remembers each from the first that has it.
fn complete(known: &mut Arc<Party>, told: &Arc<Party>) {
    fn lacks<T>(known: &Option<T>, told: &Option<T>) -> bool {
        known.is_none() && told.is_some()
    }
    fn fill<T: Clone>(known: &mut Option<T>, told: &Option<T>) {
        if known.is_none() {
            known.clone_from(told);
        }
    }
    let tells_more = lacks(&known.kind, &told.kind)
        || lacks(&known.extension_id, &told.extension_id)
        || lacks(&known.extension_number, &told.extension_number)
        || lacks(&known.user_id, &told.user_id)
        || lacks(&known.name, &told.name)
        || lacks(&known.number, &told.number);
    if Arc::ptr_eq(known, told) || !tells_more {
        return;
    }
    let known = Arc::make_mut(known);
    fill(&mut known.kind, &told.kind);
    fill(&mut known.extension_id, &told.extension_id);
    fill(&mut known.extension_number, &told.extension_number);
    fill(&mut known.user_id, &told.user_id);
    fill(&mut known.name, &told.name);
    fill(&mut known.number, &told.number);
}

fn complete_station(known: &mut Option<Arc<Station>>, told: Option<&Arc<Station>>) {
    let (Some(station), Some(told)) = (&mut *known, told) else {
        if known.is_none() {
            *known = told.cloned();
        }
        return;
    };
    let lacks_name = station.name.is_none() && told.name.is_some();
    let lacks_number = station.extension_number.is_none() && told.extension_number.is_some();
    if station.kind != told.kind || !(lacks_name || lacks_number) {
        return;
    }
    let station = Arc::make_mut(station);
    station.name = station.name.take().or_else(|| told.name.clone());
    station.extension_number = station.extension_number.take().or_else(|| told.extension_number.clone());
}

/// The legs behind all observations of one extension with one ring time: one per device, and as
/// many unnamed ones as there were unnamed rings that no named device accounts for.
fn legs_of_one_ring<'a>(observations: &[Observation<'a>]) -> Vec<Leg> {
    let mut drafts: Vec<Draft<'a>> = Vec::new();
    let mut unnamed: Vec<Observation<'a>> = Vec::new();
    let has_both = |o: &&Observation<'a>| o.leg.device_id.is_some() && o.leg.channel_id.is_some();
    let in_order = observations.iter().filter(has_both).chain(observations.iter().filter(|o| !has_both(o)));
    for observation in in_order {
        let (device, channel) = (observation.leg.device_id.as_ref(), observation.leg.channel_id.as_ref());
        if device.is_none() && channel.is_none() {
            unnamed.push(*observation);
            continue;
        }
        let known = drafts.iter_mut().find(|draft| {
            (channel.is_some() && draft.channel == channel) || (device.is_some() && draft.device == device)
        });
        match known {
            Some(draft) => draft.take(*observation),
            None => {
                let mut draft = Draft::default();
                draft.take(*observation);
                drafts.push(draft);
            }
        }
    }
    join_channels_to_devices(&mut drafts);

    unnamed
        .sort_by_key(|observation| (observation.moment, observation.answered_at().is_none(), observation.at));
    for observation in unnamed {
        let home = match (observation.moment, observation.answered_at()) {
            (Moment::Rang, _) => drafts.iter().position(|draft| !draft.rang),
            (_, Some(answered_at)) => position(&drafts, |draft| draft.answered_at == Some(answered_at))
                .or_else(|| position(&drafts, |draft| draft.answered_at.is_none())),
            (_, None) => position(&drafts, |draft| draft.answered_at.is_none() && draft.end().is_none())
                .or_else(|| {
                    let is_after = |answered_at| observation.at > answered_at + RACE;
                    position(&drafts, |draft| {
                        draft.end().is_none() && draft.answered_at.is_some_and(is_after)
                    })
                }),
        };
        match home {
            Some(home) => drafts[home].take(observation),
            // The end of a phone that nobody told us rang, while another one of the same person
            // is in the call: it lost the race.
            None if !drafts.is_empty()
                && observation.moment != Moment::Rang
                && observation.answered_at().is_none() => {}
            None => {
                let mut draft = Draft::default();
                draft.take(observation);
                drafts.push(draft);
            }
        }
    }
    drafts.into_iter().map(Draft::finish).collect()
}

/// First the unnamed drafts, then any: an unnamed message most likely is about an unnamed phone.
fn position(drafts: &[Draft<'_>], wanted: impl Fn(&Draft<'_>) -> bool) -> Option<usize> {
    drafts
        .iter()
        .position(|draft| draft.is_anonymous() && wanted(draft))
        .or_else(|| drafts.iter().position(wanted))
}

/// Some messages name the channel of a leg, others its device. A channel whose ring nobody told is
/// the oldest ringing device without a channel.
fn join_channels_to_devices(drafts: &mut Vec<Draft<'_>>) {
    let mut index = 0;
    while index < drafts.len() {
        let is_channel_only = drafts[index].device.is_none() && !drafts[index].rang;
        let host = drafts.iter().position(|draft| {
            draft.device.is_some() && draft.channel.is_none() && draft.rang && draft.answered_at.is_none()
        });
        match host {
            Some(host) if is_channel_only && host != index => {
                let orphan = drafts.remove(index);
                let host = if host > index { host - 1 } else { host };
                for observation in orphan.seen {
                    drafts[host].take(observation);
                }
            }
            _ => index += 1,
        }
    }
}

/// The record knows conversations better than live messages, some of which are lost: it ends a leg
/// that seems to go on, answers one that seems to ring, and tells of one that nobody mentioned.
fn note_records(legs: &mut Vec<Leg>, records: &[&Record]) {
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
                let leg = &mut legs[home];
                let answered_at = *leg.answered_at.get_or_insert(talk.answered_at);
                leg.ended_at = Some(talk.ended_at.max(answered_at));
                leg.hang_up = Some(HangUp::Connected);
            }
            None => legs.push(Leg {
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
            }),
        }
    }
}

/// Ends that name nobody close the one open leg; among several, a ringing one when the end tells
/// of no answer, else a connected one. With no open leg they stay without effect until more is known.
fn close_for_nobody(legs: &mut [Leg], nobodies: &[Observation<'_>]) {
    for observation in nobodies {
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
            .or_else(|| legs.iter().position(is_candidate));
        if let Some(chosen) = chosen {
            legs[chosen].ended_at = Some(observation.at);
            legs[chosen].hang_up.clone_from(&observation.leg.hang_up);
        }
    }
}

/// A phone whose end nobody told cannot still ring once another phone took the call, nor once the
/// same extension rings anew.
fn close_rings_that_must_be_over(legs: &mut [Leg]) {
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
        legs[index].ended_at = Some(at);
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
            leg.ended_at = Some(left_at.max(leg.answered_at.unwrap_or(leg.rang_at)));
        }
    }
}
