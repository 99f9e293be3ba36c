//! Tells what happened to a call in a few words, for tests to turn into facts.

use domain::{
    fact::{
        Fact, HangUp, LegFact, Party, Record, RecordedStay, RecordedTalk, Side, SideFact, Station,
        StationKind, StayEnd, TransferFact, What,
    },
    id::CallId,
    time::Timestamp,
};

/// Noon of some day; stories count seconds from here.
pub(crate) const NOON: i64 = 1_790_000_000_000;

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(NOON + seconds * 1000)
}

/// A person of the account, known by name, user id and extension number.
pub(crate) fn person(name: &str) -> Party {
    Party {
        kind: Some(StationKind::User),
        user_id: Some(format!("user-{name}").as_str().into()),
        extension_number: Some(format!("1{:03}", name.bytes().map(u32::from).sum::<u32>() % 1000)),
        name: Some(name.to_owned()),
        ..Party::default()
    }
}

pub(crate) fn outside(number: &str) -> Party {
    Party { number: Some(number.to_owned()), ..Party::default() }
}

pub(crate) fn queue(name: &str, number: &str) -> Station {
    Station {
        kind: StationKind::CallQueue,
        account: None,
        name: Some(name.to_owned()),
        extension_number: Some(number.to_owned()),
    }
}

/// A phone ringing once: the beginning of most sentences of a story.
#[derive(Clone)]
pub(crate) struct Phone {
    call_id: CallId,
    leg: LegFact,
}

pub(crate) fn phone(call: &str, who: &str, rang: i64) -> Phone {
    Phone {
        call_id: call.into(),
        leg: LegFact {
            side: Side::Callee,
            party: person(who).into(),
            other: outside("+4930123456").into(),
            channel_id: None,
            device_id: Some(format!("{who}-app").as_str().into()),
            rang_at: at(rang),
            answered_at: None,
            hang_up: None,
            offered_by: None,
            came_through: None,
            sent_at: at(rang),
        },
    }
}

impl Phone {
    pub(crate) fn on(mut self, station: Station) -> Self {
        self.leg.offered_by = Some(station.into());
        self
    }

    pub(crate) fn device(mut self, device: Option<&str>) -> Self {
        self.leg.device_id = device.map(Into::into);
        self
    }

    pub(crate) fn channel(mut self, channel: Option<&str>) -> Self {
        self.leg.channel_id = channel.map(Into::into);
        self
    }

    pub(crate) fn party(mut self, party: Party) -> Self {
        self.leg.party = party.into();
        self
    }

    /// The party at the other end.
    pub(crate) fn with(mut self, other: Party) -> Self {
        self.leg.other = other.into();
        self
    }

    pub(crate) fn caller_side(mut self) -> Self {
        self.leg.side = Side::Caller;
        self
    }

    /// Distinguishes messages about phones that nothing else tells apart.
    pub(crate) fn sent(mut self, milliseconds: i64) -> Self {
        self.leg.sent_at = Timestamp::from_millis(NOON + milliseconds);
        self
    }

    fn fact(&self, seconds: i64, what: impl FnOnce(LegFact) -> What) -> Fact {
        Fact::new(self.call_id.clone(), at(seconds), what(self.leg.clone()))
    }

    pub(crate) fn rang(&self) -> Fact {
        Fact::new(self.call_id.clone(), self.leg.rang_at, What::Rang(self.leg.clone()))
    }

    pub(crate) fn answered(&self, seconds: i64) -> Fact {
        self.fact(seconds, |leg| What::Answered(LegFact { answered_at: Some(at(seconds)), ..leg }))
    }

    pub(crate) fn missed(&self, seconds: i64, why: HangUp) -> Fact {
        self.fact(seconds, |leg| What::Missed(LegFact { hang_up: Some(why), ..leg }))
    }

    pub(crate) fn rejected(&self, seconds: i64) -> Fact {
        self.fact(seconds, |leg| What::Rejected(LegFact { hang_up: Some(HangUp::Rejected), ..leg }))
    }

    /// The end of a phone that was never answered.
    pub(crate) fn stopped(&self, seconds: i64) -> Fact {
        self.fact(seconds, What::Ended)
    }

    /// The end of a conversation.
    pub(crate) fn ended(&self, answered: i64, seconds: i64) -> Fact {
        self.fact(seconds, |leg| What::Ended(LegFact { answered_at: Some(at(answered)), ..leg }))
    }

    /// What is written down of the conversation afterwards; the record names no device.
    pub(crate) fn recorded(&self, answered: i64, seconds: i64) -> Fact {
        let talk = RecordedTalk {
            side: self.leg.side,
            party: self.leg.party.clone(),
            offered_by: self.leg.offered_by.clone(),
            rang_at: self.leg.rang_at,
            answered_at: at(answered),
            ended_at: at(seconds),
        };
        Fact::new(
            self.call_id.clone(),
            at(seconds),
            What::Recorded(Record { talks: vec![talk], ..Record::default() }),
        )
    }

    fn side(&self) -> SideFact {
        SideFact { side: self.leg.side, party: self.leg.party.clone(), device_id: self.leg.device_id.clone() }
    }

    pub(crate) fn held(&self, seconds: i64) -> Fact {
        Fact::new(self.call_id.clone(), at(seconds), What::Held(self.side()))
    }

    pub(crate) fn resumed(&self, seconds: i64) -> Fact {
        Fact::new(self.call_id.clone(), at(seconds), What::Resumed(self.side()))
    }

    pub(crate) fn parked(&self, seconds: i64) -> Fact {
        let what = What::Parked { by: self.side(), code: "*801".to_owned() };
        Fact::new(self.call_id.clone(), at(seconds), what)
    }
}

/// Anything that happens to a call as a whole.
pub(crate) fn happened(call: &str, seconds: i64, what: What) -> Fact {
    Fact::new(call.into(), at(seconds), what)
}

pub(crate) fn blind_transfer(call: &str, seconds: i64) -> Fact {
    let what = What::BlindTransferStarted(TransferFact::default());
    Fact::new(call.into(), at(seconds), what)
}

pub(crate) fn voicemail(call: &str, seconds: i64) -> Fact {
    Fact::new(call.into(), at(seconds), What::VoicemailLeft)
}

/// What is written down of a stay in a queue.
pub(crate) fn stay(call: &str, queue: &Station, entered: i64, left: i64, end: StayEnd) -> Fact {
    let party = Party {
        kind: Some(StationKind::CallQueue),
        name: queue.name.clone(),
        extension_number: queue.extension_number.clone(),
        ..Party::default()
    };
    let (entered_at, left_at) = (at(entered), at(left));
    let stay = RecordedStay { queue: party, account: None, entered_at, left_at, end, overflow: None };
    let record = Record { stays: vec![stay], ..Record::default() };
    Fact::new(call.into(), at(left), What::Recorded(record))
}

/// The same as a reading of the record of that name.
pub(crate) fn read(mut fact: Fact, id: &str, seconds: i64) -> Fact {
    if let What::Recorded(record) = &mut *fact.what {
        record.id = Some(id.into());
        record.read_at = at(seconds);
    }
    fact
}
