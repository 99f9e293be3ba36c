//! Laws that hold for any story, told in any order, any number of times.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    board::{Board, BoardSnapshot, Input, Midnights},
    call::Call,
    directory::Directory,
    fact::{Fact, HangUp, Party, Station, StayEnd, What},
    id::{CallId, QueueId},
    interval::Balance,
    outcome::Outcome,
    queue::{QueueMention, QueueRules, Visit, visits},
    trust::Gap,
    view::BoardView,
};
use proptest::{prelude::*, sample::Index};

use crate::{
    board::{directory_queue, live_trust},
    story::{Phone, at, blind_transfer, phone, queue, read, stay, voicemail},
};

/// How a phone's ring ends.
#[derive(Debug, Clone)]
enum Fate {
    RingsOn,
    RingsOut,
    CallerGivesUp,
    Declined,
    Answered { after: i64, holds: bool, talks: i64, ends: bool, recorded: bool },
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        1 => Just(Fate::RingsOn),
        4 => Just(Fate::RingsOut),
        2 => Just(Fate::CallerGivesUp),
        1 => Just(Fate::Declined),
        4 => (0..15_i64, any::<bool>(), 0..200_i64, any::<bool>(), any::<bool>()).prop_map(
            |(after, holds, talks, ends, recorded)| Fate::Answered { after, holds, talks, ends, recorded },
        ),
    ]
}

const PEOPLE: [&str; 5] = ["Ada", "Bo", "Cem", "Dee", "Eli"];

/// A round of rings: who, on which phone, on behalf of which queue or who calls, and how it ends.
fn ring() -> impl Strategy<Value = (usize, u8, u8, i64, Fate)> {
    (0..PEOPLE.len(), 0..4_u8, 0..8_u8, 0..60_i64, fate())
}

fn call(number: usize) -> impl Strategy<Value = Vec<Fact>> {
    let call_id = format!("70000000000000000{number:02}");
    let rings = prop::collection::vec(ring(), 1..8);
    // Some records have no name, some are read twice and say something else the second time, some are of the
    // whole call and know when it was over.
    let reading = prop::option::of((0..2_u8, 100..103_i64, prop::option::of(0..300_i64)));
    let stays = prop::collection::vec((any::<bool>(), -20..60_i64, 0..90_i64, 0..4_usize, reading), 0..4);
    (rings, 0..400_i64, any::<bool>(), any::<bool>(), stays).prop_map(
        move |(rings, start, transferred, mailbox, stays)| {
            let mut facts = Vec::new();
            for (is_billing, offset, length, end, reading) in stays {
                const ENDS: [StayEnd; 4] =
                    [StayEnd::Answered, StayEnd::Abandoned, StayEnd::Overflowed, StayEnd::Voicemail];
                let queue = if is_billing { queue("Billing", "801") } else { queue("Night desk", "805") };
                let entered = start + offset;
                let stay = stay(&call_id, &queue, entered, entered + length, ENDS[end]);
                facts.push(match reading {
                    Some((record, seconds, over)) => {
                        let mut read = read(stay, &format!("{call_id}-{record}"), seconds);
                        if let What::Recorded(record) = &mut *read.what {
                            record.ended_at = over.map(|over| at(start + over));
                        }
                        read
                    }
                    None => stay,
                });
            }
            for (index, (who, device, station, offset, fate)) in rings.into_iter().enumerate() {
                let phone = ringing_phone(&call_id, who, device, station, start + offset, index as i64);
                facts.extend(tell(&phone, start + offset, &fate));
            }
            if transferred {
                facts.push(blind_transfer(&call_id, start + 30));
            }
            if mailbox {
                facts.push(voicemail(&call_id, start + 90));
            }
            facts
        },
    )
}

fn ringing_phone(call_id: &str, who: usize, device: u8, station: u8, rang: i64, nth: i64) -> Phone {
    let mut phone = phone(call_id, PEOPLE[who], rang).sent(rang * 1000 + nth);
    phone = match device {
        0 => phone.device(None),
        1 => phone.device(None).channel(Some(&format!("{}-{rang}", PEOPLE[who]))),
        2 => phone.device(Some("desk")),
        _ => phone,
    };
    match station {
        0 => phone.on(queue("Billing", "801")),
        1 => phone.on(queue("Support", "802")),
        2 => phone.on(queue("Night desk", "805")),
        3 => phone.on(queue("Late desk", "805")),
        // Some events tell the number alone.
        4 => phone.on(Station { name: None, ..queue("", "805") }),
        5 => phone.caller_side(),
        _ => phone,
    }
}

/// The same facts, some of them in other words.
fn in_any_words(facts: Vec<Fact>) -> impl Strategy<Value = Vec<Fact>> {
    // Most messages tell all there is.
    let words = prop_oneof![4 => Just(0), 1 => 1..5_u8];
    let words = prop::collection::vec(words, facts.len());
    words.prop_map(move |words| {
        facts.iter().cloned().zip(words).map(|(fact, words)| reworded(fact, words)).collect()
    })
}

/// The same fact in other words: a message names an extension by any of its identities.
fn reworded(mut fact: Fact, words: u8) -> Fact {
    if let What::Rang(leg)
    | What::Answered(leg)
    | What::Ended(leg)
    | What::Missed(leg)
    | What::Rejected(leg) = &mut *fact.what
    {
        let party = Arc::make_mut(&mut leg.party);
        match words {
            0 => {}
            1 => (party.extension_id, party.extension_number) = (None, None),
            2 => (party.user_id, party.extension_number) = (None, None),
            3 => (party.user_id, party.extension_id) = (None, None),
            _ => *party = Party::default(),
        }
    }
    fact
}

fn tell(phone: &Phone, rang: i64, fate: &Fate) -> Vec<Fact> {
    let mut facts = vec![phone.rang()];
    match fate {
        Fate::RingsOn => {}
        Fate::RingsOut => facts.push(phone.missed(rang + 12, HangUp::NoAnswer)),
        Fate::CallerGivesUp => facts.push(phone.missed(rang + 7, HangUp::CallerGaveUp)),
        Fate::Declined => facts.push(phone.rejected(rang + 3)),
        Fate::Answered { after, holds, talks, ends, recorded } => {
            let answered = rang + after;
            facts.push(phone.answered(answered));
            if *holds {
                facts.extend([phone.held(answered + talks / 3), phone.resumed(answered + talks / 2)]);
            }
            if *ends {
                facts.push(phone.ended(answered, answered + talks));
            }
            if *recorded {
                facts.push(phone.recorded(answered, answered + talks));
            }
        }
    }
    facts
}

fn stories() -> impl Strategy<Value = Vec<Fact>> {
    let facts = (call(1), call(2), call(3), call(4)).prop_map(|(a, b, c, d)| [a, b, c, d].concat());
    facts.prop_flat_map(in_any_words)
}

fn fresh() -> Board {
    let mut board = Board::new();
    let queues = vec![
        directory_queue("Billing", "801", &["Ada", "Bo", "Cem"]),
        directory_queue("Support", "802", &["Cem", "Dee"]),
    ];
    board.apply(at(0), Input::Directory(Directory { queues }));
    board
}

fn seen(board: &Board, now: i64) -> BoardView {
    board.view(&board.queue_ids(), 0, at(now), live_trust(at(now)))
}

proptest! {
    // Four calls each: well over 10,000 call stories per run.
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    /// Invariant 2: the same facts give the same board, in any order, one by one or by the handful, told
    /// any number of times.
    #[test]
    fn any_order_and_any_repetition_give_the_same_board(
        facts in stories(),
        picks in prop::collection::vec(any::<Index>(), 0..200),
        handful in 1..20_usize,
        now in 0..700_i64,
    ) {
        let mut told = fresh();
        for fact in &facts {
            told.apply(at(now), Input::Facts(vec![fact.clone()]));
        }
        // Any multiset of the facts that has each at least once, in any order.
        let mut shuffled = facts.clone();
        for (nth, pick) in picks.iter().enumerate() {
            if nth % 3 == 0 {
                shuffled.push(facts[pick.index(facts.len())].clone());
            } else {
                let other = nth % shuffled.len();
                let index = pick.index(shuffled.len());
                shuffled.swap(index, other);
            }
        }
        shuffled.reverse();
        let mut retold = fresh();
        for handful in shuffled.chunks(handful) {
            retold.apply(at(now), Input::Facts(handful.to_vec()));
        }
        prop_assert_eq!(seen(&told, now), seen(&retold, now));
        prop_assert_eq!(told.live_calls(), retold.live_calls());
    }

    /// Sums kept up to date event by event equal sums made from nothing, whenever time passed in between.
    #[test]
    fn the_way_there_leaves_no_trace(facts in stories(), now in 400..900_i64) {
        let mut in_time = fresh();
        let mut facts_by_time = facts.clone();
        facts_by_time.sort_by_key(|fact| fact.at);
        for fact in &facts_by_time {
            in_time.apply(fact.at.max(at(0)), Input::Facts(vec![fact.clone()]));
        }
        in_time.apply(at(now + 600), Input::Tick);
        let mut at_once = fresh();
        at_once.apply(at(now + 600), Input::Facts(facts));
        at_once.apply(at(now + 600), Input::Tick);
        prop_assert_eq!(seen(&in_time, now + 600), seen(&at_once, now + 600));
    }

    /// What a call comes to does not depend on how its facts were told, however little each says of whose
    /// phone it is about.
    #[test]
    fn facts_told_one_by_one_and_at_once_make_the_same_call(
        facts in call(1).prop_flat_map(in_any_words),
        order in prop::collection::vec(any::<Index>(), 0..60),
        now in 0..900_i64,
    ) {
        let mut one_by_one = Call::default();
        for fact in order.iter().map(|index| index.get(&facts)).chain(facts.iter().rev()) {
            one_by_one.learn(fact.clone());
            // What was worked out before is no part of it.
            one_by_one.state(at(now));
        }
        let mut at_once = Call::of(facts);
        prop_assert_eq!(one_by_one.fact_count(), at_once.fact_count());
        prop_assert_eq!(one_by_one.state(at(now)), at_once.state(at(now)));
        prop_assert_eq!(one_by_one.newest_fact_at(), at_once.newest_fact_at());
    }

    /// Figures that are parts of others never exceed them, and every visit has one outcome.
    #[test]
    fn parts_never_exceed_the_whole(facts in stories(), now in 0..900_i64) {
        let mut board = fresh();
        for fact in &facts {
            board.apply(at(now), Input::Facts(vec![fact.clone()]));
        }
        for queue in seen(&board, now).queues {
            let figures = queue.figures;
            prop_assert!(figures.ringing <= figures.waiting);
            prop_assert_eq!(figures.oldest_waiting_since.is_some(), figures.waiting > 0);
            let ended = figures.answered_today + figures.abandoned_today + figures.short_abandoned_today;
            prop_assert!(ended + figures.waiting <= figures.offered_today);
            prop_assert!(figures.service_level_today.met <= figures.service_level_today.decided);
            prop_assert!(figures.service_level_today.decided + figures.short_abandoned_today <= figures.offered_today);
            let (members, busy) = (queue.members.unwrap_or(0), queue.members_busy);
            prop_assert!(queue.members_available.unwrap_or(0) + busy.on_calls + busy.wrap_up <= members);
            prop_assert!(busy.ringing <= queue.members_available.unwrap_or(0));
        }
    }

    /// The balance law: on any window, carried in + entered = outcomes + still waiting.
    #[test]
    fn every_window_balances(facts in stories(), now in 0..2_000_i64, from in 0..900_i64, length in 0..900_i64) {
        let mut calls: BTreeMap<CallId, Call> = BTreeMap::new();
        for fact in facts {
            calls.entry(fact.call_id.clone()).or_default().learn(fact);
        }
        let mut find = |mention: &QueueMention| {
            let id = mention.extension_number.clone().unwrap_or_default();
            (QueueId::new(id), QueueRules::default())
        };
        let visits: Vec<Visit> =
            calls.values_mut().flat_map(|call| visits(&call.state(at(now)), at(now), &mut find).0).collect();
        for visit in &visits {
            prop_assert_eq!(visit.left_at.is_none(), visit.outcome == Outcome::Waiting);
            prop_assert!(visit.left_at.is_none_or(|left_at| left_at >= visit.entered_at));
        }
        let balance = Balance::over(&visits, at(from), at(from + length));
        prop_assert!(balance.holds(), "{balance:?} of {visits:?}");
        let (before, after) = (Balance::over(&visits, at(0), at(from)), Balance::over(&visits, at(from), at(3_000)));
        prop_assert_eq!(before.waiting, after.carried_in, "who waits at an end is carried into the next window");
    }

    /// In the end everything is over: nobody waits, talks or is busy for ever.
    #[test]
    fn nothing_lasts_for_ever(facts in stories()) {
        let mut board = fresh();
        for fact in &facts {
            board.apply(at(700), Input::Facts(vec![fact.clone()]));
        }
        board.apply(at(700 + 24 * 3600), Input::Tick);
        board.apply(at(700 + 30 * 3600), Input::Tick);
        let now = 700 + 30 * 3600;
        prop_assert!(board.live_calls().is_empty());
        prop_assert_eq!(board.size(), (0, 0));
        for queue in seen(&board, now).queues {
            prop_assert_eq!((queue.figures.waiting, queue.figures.talking, queue.figures.on_hold), (0, 0, 0));
            prop_assert_eq!(queue.members_available, queue.members);
        }
    }
}

proptest! {
    // Works every call out three times.
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Reading some queues again comes to the same as reading the whole directory, whoever takes calls then.
    #[test]
    fn reading_some_queues_again_is_reading_them_all(
        facts in stories(),
        readings in prop::collection::vec(prop::collection::vec(any::<bool>(), 5), 1..5),
        leaves in any::<bool>(),
        now in 0..700_i64,
    ) {
        let directory = |open: &[bool]| {
            let mut queues = vec![
                directory_queue("Billing", "801", &["Ada", "Bo", "Cem"]),
                directory_queue("Support", "802", &["Cem", "Dee"]),
            ];
            let members = queues.iter_mut().flat_map(|queue| queue.members.iter_mut().flatten());
            for (member, open) in members.zip(open) {
                member.receives_calls = *open;
            }
            queues
        };
        let (mut some, mut all) = (fresh(), fresh());
        let half = facts.len() / 2;
        for board in [&mut some, &mut all] {
            board.apply(at(now), Input::Facts(facts[..half].to_vec()));
        }
        for open in &readings {
            let queues = directory(open);
            all.apply(at(now), Input::Directory(Directory { queues: queues.clone() }));
            for queue in queues {
                some.apply(at(now), Input::Queues { read: vec![queue], gone: Vec::new() });
            }
        }
        if leaves {
            let gone = vec![directory(&[])[0].id.clone()];
            all.apply(at(now), Input::Directory(Directory { queues: directory(&readings[0])[1..].to_vec() }));
            some.apply(at(now), Input::Queues { read: directory(&readings[0])[1..].to_vec(), gone });
        }
        for board in [&mut some, &mut all] {
            board.apply(at(now), Input::Facts(facts[half..].to_vec()));
            board.apply(at(now + 100), Input::Tick);
        }
        let agents = |board: &Board| board.agents_view(0, at(now + 100), live_trust(at(now + 100)), None);
        prop_assert_eq!(seen(&some, now + 100), seen(&all, now + 100));
        prop_assert_eq!(agents(&some), agents(&all));
    }

    /// A board that is set up again shows what the one it was taken from shows, and goes on like that.
    #[test]
    fn a_snapshot_goes_on_as_its_board(
        facts in stories(),
        taken_after in any::<Index>(),
        taken_at in prop_oneof![0..800_i64, 0..15_000_i64, 0..60_000_i64],
        deaf in any::<bool>(),
    ) {
        let mut board = fresh();
        let taken_after = taken_after.index(facts.len());
        // A second later, so that time never goes back.
        let (told_at, taken_at) = (taken_at.min(700), taken_at + 1);
        for fact in &facts[..taken_after] {
            board.apply(at(told_at), Input::Facts(vec![fact.clone()]));
        }
        if deaf {
            let until = at(told_at + 1);
            board.apply(until, Input::Gap(Gap { from: at(0), to: Some(until) }));
        }
        board.apply(at(taken_at), Input::Tick);
        let bytes = postcard::to_allocvec(&board.snapshot()).unwrap();
        let mut other = Board::restore(postcard::from_bytes::<BoardSnapshot>(&bytes).unwrap());
        let agents = |board: &Board, now| board.agents_view(0, at(now), live_trust(at(now)), None);
        prop_assert_eq!(seen(&board, taken_at), seen(&other, taken_at));
        prop_assert_eq!(board.live_calls(), other.live_calls());
        prop_assert_eq!(agents(&board, taken_at), agents(&other, taken_at));

        let day = taken_at + 61_000;
        let midnights = Midnights { home: at(day), zones: BTreeMap::new() };
        let gap = |until| Input::Gap(Gap { from: at(until - 5), to: Some(at(until)) });
        let steps = [
            (taken_at, Input::Facts(facts[taken_after..].to_vec())),
            (taken_at + 300, Input::Tick),
            // What nobody confirms after a gap has ended an hour after that, and four hours after its news.
            (taken_at + 310, gap(taken_at + 310)),
            (taken_at + 2_000, gap(taken_at + 2_000)),
            (taken_at + 3_700, Input::Tick),
            (taken_at + 3_910, Input::Tick),
            (taken_at + 5_600, Input::Tick),
            (taken_at + 14_000, Input::Tick),
            (taken_at + 15_300, Input::Tick),
            (day, Input::Midnights(midnights)),
            (day + 39_000, Input::Tick),
            (day + 39_001, Input::Facts(facts.clone())),
        ];
        for (now, input) in steps {
            board.apply(at(now), input.clone());
            other.apply(at(now), input);
            prop_assert_eq!(seen(&board, now), seen(&other, now));
            prop_assert_eq!(board.anomalies(), other.anomalies());
            prop_assert_eq!(agents(&board, now), agents(&other, now));
            prop_assert_eq!(board.live_calls(), other.live_calls());
        }
        prop_assert_eq!(
            postcard::to_allocvec(&board.snapshot()).unwrap(),
            postcard::to_allocvec(&other.snapshot()).unwrap()
        );
    }

    /// What is written down of calls in the end does not depend on the order in which they were told.
    #[test]
    fn any_order_gives_the_same_history(facts in stories(), picks in prop::collection::vec(any::<Index>(), 1..50)) {
        let histories = |facts: &[Fact]| {
            let mut board = fresh().with_history();
            for fact in facts {
                board.apply(at(700), Input::Facts(vec![fact.clone()]));
                board.take_history(at(700), 1);
            }
            board.forget_history();
            board.apply(at(900), Input::Directory(Directory::default()));
            let mut told = board.take_history(at(900), usize::MAX);
            told.sort_by(|a, b| a.call_id.cmp(&b.call_id));
            told
        };
        let mut shuffled = facts.clone();
        for (nth, pick) in picks.iter().enumerate() {
            let (a, b) = (pick.index(facts.len()), nth % facts.len());
            shuffled.swap(a, b);
        }
        prop_assert_eq!(histories(&facts), histories(&shuffled));
    }
}
