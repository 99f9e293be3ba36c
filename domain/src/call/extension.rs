//! One extension on one side of a call: from what was told of its phones to their legs.
//!
//! Most news of a call is about one extension, so the legs of each are worked out after something new was
//! told of it, and kept. They depend on nothing else; what one phone means for another is seen to where the
//! whole call is (see the parent module).

use std::{hash::BuildHasher as _, sync::Arc};

use super::{Leg, RACE, earliest};
use crate::{
    fact::{Fact, HangUp, LegFact, Party, Side, Station, What},
    id::{ChannelId, DeviceId},
    queue::{QueueMention, QueueWords},
    time::Timestamp,
};

/// Other words for an extension that are kept only to be found by their place in memory.
const FEW: usize = 4;

/// Everything told of one extension's phones on one side of a call.
#[derive(Debug, Clone)]
pub(super) struct Extension {
    pub(super) side: Side,
    /// Whose phones they are, in the words of the first message.
    party: Arc<Party>,
    /// And in those of others, as far as they say more.
    aliases: Vec<Arc<Party>>,
    /// Of all these words.
    marks: Marks,
    /// Facts about legs, in their order, each once.
    facts: Vec<Fact>,
    /// What they amount to by themselves; `None` after news, until it is asked for.
    legs: Option<Box<[Arc<Leg>]>>,
}

impl Extension {
    /// An extension of which nothing is known yet but whose it is.
    pub(super) fn of(side: Side, party: &Arc<Party>) -> Self {
        let marks = Marks::of(party);
        Self { side, party: Arc::clone(party), aliases: Vec::new(), marks, facts: Vec::new(), legs: None }
    }

    pub(super) fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// The legs, by the time they began to ring, then by device. `queues` are those that legs of this call
    /// have named.
    pub(super) fn legs(&mut self, queues: &mut Vec<Arc<QueueMention>>) -> &[Arc<Leg>] {
        if self.legs.is_none() {
            self.legs = Some(self.work_out(queues));
        }
        self.legs.as_deref().unwrap_or_default()
    }

    /// Words that are known to mean this extension.
    pub(super) fn is_called(&self, party: &Arc<Party>) -> bool {
        self.parties().any(|known| Arc::ptr_eq(known, party))
    }

    /// Words that share an identity with known ones. Messages name an extension by any subset of three
    /// identities. `marks` are theirs.
    pub(super) fn is_of(&self, party: &Party, marks: Marks) -> bool {
        self.marks.may_share(marks) && self.parties().any(|known| is_same_extension(known, party))
    }

    fn parties(&self) -> impl Iterator<Item = &Arc<Party>> {
        std::iter::once(&self.party).chain(&self.aliases)
    }

    /// Takes a fact in; its place among all of them, `None` when it was known.
    pub(super) fn learn(&mut self, fact: Fact, party: &Arc<Party>) -> Option<usize> {
        let Err(place) = self.facts.binary_search(&fact) else { return None };
        self.facts.insert(place, fact);
        if !self.is_called(party) && (self.aliases.len() < FEW || !self.has_all_identities_of(party)) {
            self.aliases.push(Arc::clone(party));
            self.marks.add(Marks::of(party));
        }
        self.legs = None;
        Some(place)
    }

    fn has_all_identities_of(&self, party: &Party) -> bool {
        let is_known = |identity| self.parties().any(|known| identities(known).contains(&Some(identity)));
        identities(party).into_iter().flatten().all(is_known)
    }

    /// What seemed another one turned out to be the same extension.
    pub(super) fn join(&mut self, other: Self) {
        self.aliases.push(other.party);
        self.aliases.extend(other.aliases);
        self.marks.add(other.marks);
        self.facts.extend(other.facts);
        self.facts.sort();
        self.legs = None;
    }

    fn work_out(&self, queues: &mut Vec<Arc<QueueMention>>) -> Box<[Arc<Leg>]> {
        let mut observations: Vec<Observation<'_>> = self.facts.iter().filter_map(Observation::of).collect();
        observations.sort_by_key(|observation| observation.leg.rang_at);
        let rings = observations.chunk_by(|a, b| a.leg.rang_at == b.leg.rang_at);
        let mut legs: Vec<Leg> = Vec::with_capacity(1);
        for same_ring in rings {
            add_legs_of_one_ring(same_ring, &mut legs);
        }
        for leg in &mut legs {
            leg.queue = QueueWords::of(leg.offered_by.as_deref(), &leg.party).map(|words| {
                let known = queues.iter().find(|known| words.mean(known));
                known.cloned().unwrap_or_else(|| {
                    let queue = Arc::new(words.into_mention());
                    queues.push(Arc::clone(&queue));
                    queue
                })
            });
        }
        legs.into_iter().map(Arc::new).collect()
    }
}

/// A leg fact with its place in the life of a leg.
#[derive(Debug, Clone, Copy)]
pub(super) struct Observation<'a> {
    pub(super) leg: &'a LegFact,
    pub(super) at: Timestamp,
    pub(super) moment: Moment,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Moment {
    Rang,
    Answered,
    Ended,
    Missed,
    Rejected,
}

impl<'a> Observation<'a> {
    pub(super) fn of(fact: &'a Fact) -> Option<Self> {
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
            queue: None,
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
    if Arc::ptr_eq(known, told) {
        return;
    }
    let tells_more = lacks(&known.kind, &told.kind)
        || lacks(&known.extension_id, &told.extension_id)
        || lacks(&known.extension_number, &told.extension_number)
        || lacks(&known.user_id, &told.user_id)
        || lacks(&known.name, &told.name)
        || lacks(&known.number, &told.number);
    if !tells_more {
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
fn add_legs_of_one_ring<'a>(observations: &[Observation<'a>], legs: &mut Vec<Leg>) {
    let mut drafts: Vec<Draft<'a>> = Vec::with_capacity(1);
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
    legs.extend(drafts.into_iter().map(Draft::finish));
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

pub(super) fn is_nobody(party: &Party) -> bool {
    identities(party).iter().all(Option::is_none)
}

/// One of 64 marks for each identity: who has none in common shares no identity. A call that rings many phones
/// would compare each with all others, whose words lie all over the memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marks(u64);

impl Marks {
    pub(super) fn of(party: &Party) -> Self {
        let mark = |identity| 1 << (foldhash::fast::FixedState::default().hash_one(identity) >> 58);
        Self(identities(party).into_iter().flatten().map(mark).fold(0, |marks: u64, mark: u64| marks | mark))
    }

    fn may_share(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// True when two observations of a party share an identity.
pub(crate) fn is_same_extension(a: &Party, b: &Party) -> bool {
    // Kinds of identity have their own places, but for the number alone, which takes a person's.
    identities(a).into_iter().zip(identities(b)).any(|(of_a, of_b)| of_a.is_some() && of_a == of_b)
}
