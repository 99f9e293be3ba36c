//! What one call means for each of the people in it.

use super::{
    AgentState,
    offer::{Offer, OfferCounts, offers},
};
use crate::{
    call::{CallState, LOST_RING_AFTER, Leg, LegState},
    fact::Side,
    id::QueueId,
    time::Timestamp,
};

/// One person's part in one call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Part {
    /// What they do in it now.
    pub(crate) doing: Option<Doing>,
    /// When the newest of their phones in it stopped.
    pub(crate) ended_at: Option<Timestamp>,
    /// When their newest conversation in it was over.
    pub(crate) talked_until: Option<Timestamp>,
    /// The end of their newest conversation for a queue.
    pub(crate) queue_talk: Option<(Timestamp, QueueId)>,
    /// How queues offered it to them.
    pub(crate) offers: Vec<Offer>,
}

impl Part {
    /// What came of the offers since `midnight`.
    pub(crate) fn offered_since(&self, midnight: Timestamp) -> OfferCounts {
        OfferCounts::of(self.offers.iter().filter(|offer| offer.at >= midnight))
    }
}

/// What somebody does in a call that is not over for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Doing {
    pub(crate) activity: Activity,
    pub(crate) since: Timestamp,
    /// The queue that offered the call.
    pub(crate) queue_id: Option<QueueId>,
    /// When the newest thing was heard of it.
    pub(crate) heard_at: Timestamp,
}

/// Kinds of doing; of several the greatest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Activity {
    Rings,
    Holds,
    Talks,
}

impl Doing {
    /// Of several calls the one that decides: who talks on one while another is held, talks.
    pub(crate) fn rank(&self) -> (Activity, Timestamp, Option<&QueueId>) {
        (self.activity, self.since, self.queue_id.as_ref())
    }

    pub(crate) fn state(&self) -> AgentState {
        match (self.activity, &self.queue_id) {
            (Activity::Rings, _) => AgentState::Ringing,
            (Activity::Holds, _) => AgentState::OnHold,
            (Activity::Talks, Some(_)) => AgentState::OnQueueCall,
            (Activity::Talks, None) => AgentState::OnOtherCall,
        }
    }

    fn of(leg: &Leg, queue_id: Option<&QueueId>) -> Option<Self> {
        let (state, since) = leg.state();
        let activity = match state {
            // Who dials is busy with it.
            LegState::Ringing if leg.side == Side::Caller => Activity::Talks,
            LegState::Ringing => Activity::Rings,
            LegState::Connected => Activity::Talks,
            LegState::Held => Activity::Holds,
            LegState::Ended => return None,
        };
        Some(Self { activity, since, queue_id: queue_id.cloned(), heard_at: since })
    }
}

/// A phone in a call, whose it is and which queue offered the call to it.
struct Owned<'a, K> {
    owner: K,
    leg: &'a Leg,
    queue_id: Option<QueueId>,
}

/// The parts of all people in a call, in their order. `who` names the owner of a phone, `queue_of` the
/// queue that offered it.
pub(crate) fn parts<K: Ord + Clone>(
    call: &CallState,
    mut who: impl FnMut(&Leg) -> Option<K>,
    mut queue_of: impl FnMut(&Leg) -> Option<QueueId>,
) -> Vec<(K, Part)> {
    let mut phones: Vec<Owned<'_, K>> = Vec::with_capacity(call.legs.len());
    for leg in call.legs.iter().filter(|leg| leg.is_a_phone()) {
        let Some(owner) = who(leg) else { continue };
        // Most phones of a call ring for one queue: spares finding it again for each.
        let known = phones.last().filter(|before| before.leg.queue == leg.queue);
        let queue_id = match known {
            Some(before) => before.queue_id.clone(),
            None => queue_of(leg),
        };
        phones.push(Owned { owner, leg, queue_id });
    }
    phones.sort_by(|a, b| a.owner.cmp(&b.owner));
    let mut parts = Vec::with_capacity(phones.len());
    let mut offered = Vec::with_capacity(phones.len());
    for theirs in phones.chunk_by(|a, b| a.owner == b.owner) {
        offered.clear();
        let for_queues = |phone: &&Owned<'_, K>| phone.queue_id.is_some() && phone.leg.side == Side::Callee;
        offered.extend(theirs.iter().filter(for_queues).map(|phone| phone.leg));
        parts.push((theirs[0].owner.clone(), part(theirs, offers(call, &offered))));
    }
    parts
}

/// Takes somebody's part off the front of parts in the order of people, if it is the next.
pub(crate) fn part_of<'a, K: PartialEq>(parts: &mut &'a [(K, Part)], who: &K) -> Option<&'a Part> {
    let (_, part) = parts.first().filter(|(owner, _)| owner == who)?;
    *parts = &parts[1..];
    Some(part)
}

fn part<K>(phones: &[Owned<'_, K>], offers: Vec<Offer>) -> Part {
    let doing = phones.iter().filter_map(|phone| Doing::of(phone.leg, phone.queue_id.as_ref()));
    let answered = phones.iter().filter(|phone| phone.leg.answered_at.is_some());
    let ended = answered.clone().filter_map(|phone| Some((phone.leg.ended_at?, phone.queue_id.as_ref())));
    let queue_talks = ended.clone().filter_map(|(ended_at, queue_id)| Some((ended_at, queue_id?)));
    Part {
        talked_until: ended.map(|(ended_at, _)| ended_at).max(),
        doing: doing.max_by(|a, b| a.rank().cmp(&b.rank())),
        ended_at: phones.iter().filter_map(|phone| told_end(phone.leg)).max(),
        queue_talk: queue_talks.max().map(|(ended_at, queue_id)| (ended_at, queue_id.clone())),
        offers,
    }
}

/// When a phone stopped. Of one that is only taken to have stopped nothing was heard since it rang.
fn told_end(leg: &Leg) -> Option<Timestamp> {
    let ended_at = leg.ended_at?;
    let was_lost =
        leg.answered_at.is_none() && leg.hang_up.is_none() && ended_at >= leg.rang_at + LOST_RING_AFTER;
    Some(if was_lost { leg.rang_at } else { ended_at })
}
