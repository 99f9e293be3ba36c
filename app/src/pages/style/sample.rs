//! Boards made by hand, one for each thing a board can look like.

use std::time::Duration;

use domain::{
    agent::{
        AgentState, Standing,
        offer::OfferCounts,
        presence::Presence,
        view::{AgentView, AgentsView, Membership, QueueName},
    },
    id::QueueId,
    quality::Quality,
    service_level::{Definition, ServiceLevel, ServiceLevelPolicy, ServiceLevels},
    time::Timestamp,
    trust::{FeedLink, Freshness, Gap, Trust, feed_freshness},
    view::{BoardView, Busy, Figures, QueueQuality, QueueView, Totals},
};

/// Saturday 21 November 2026, 14:02:11 in Berlin.
pub const NOW: Timestamp = Timestamp::from_millis(1_795_266_131_000);

/// A feed that is well.
pub fn trust() -> Trust {
    Trust {
        feed: FeedLink::Live,
        feed_since: NOW - Duration::from_secs(9 * 3600),
        feed_heard_at: Some(NOW - Duration::from_secs(2)),
        feed_problem: None,
        journal_outage: None,
        newest_fact_at: Some(NOW - Duration::from_secs(1)),
        counting_since: None,
        gap: None,
        deaf_until: None,
        demo: true,
    }
}

/// A feed that was lost eleven seconds ago, with a hole in the morning.
pub fn broken_trust() -> Trust {
    Trust {
        feed: FeedLink::Down,
        feed_since: NOW - Duration::from_secs(9),
        feed_heard_at: Some(NOW - Duration::from_secs(11)),
        feed_problem: Some(
            "Zoom refuses the client secret: check ZOOM_CLIENT_SECRET on the server and start it again."
                .to_owned(),
        ),
        journal_outage: None,
        newest_fact_at: Some(NOW - Duration::from_secs(14)),
        counting_since: Some(NOW - Duration::from_secs(5 * 3600)),
        gap: Some(Gap { from: NOW - Duration::from_secs(1260), to: Some(NOW - Duration::from_secs(600)) }),
        deaf_until: Some(NOW - Duration::from_secs(600)),
        demo: false,
    }
}

/// A queue with the numbers that matter; everything else follows from them.
pub fn queue(
    name: &str,
    extension: u32,
    waits: &[u64],
    free: u32,
    members: u32,
    today: [u32; 4],
) -> QueueView {
    let [offered, abandoned, met, decided] = today;
    let waiting = u32::try_from(waits.len()).unwrap_or(u32::MAX);
    QueueView {
        id: QueueId::new(format!("queue-{extension}")),
        name: name.to_owned(),
        extension_number: Some(extension.to_string()),
        figures: Figures {
            waiting,
            oldest_waiting_since: waits.iter().max().map(|seconds| NOW - Duration::from_secs(*seconds)),
            heard_waiting_since: None,
            ringing: waiting.min(free),
            talking: (members - free).min(offered),
            on_hold: u32::from(offered > 100),
            unconfirmed: 0,
            offered_today: offered,
            measured_today: offered - offered / 20,
            answered_today: offered.saturating_sub(abandoned + abandoned / 3 + waiting + offered / 40),
            abandoned_today: abandoned,
            short_abandoned_today: abandoned / 3,
            service_level_today: ServiceLevel { met, decided },
        },
        members: Some(members),
        members_available: Some(free),
        missed_lately: false,
        members_busy: Busy {
            on_calls: (members - free).div_ceil(2),
            wrap_up: (members - free) / 4,
            ringing: 0,
            unknown: 0,
        },
        policy: ServiceLevelPolicy::default(),
        definition: Definition::default(),
        waiting_beyond_threshold: 0,
        service_levels_today: ServiceLevels::default(),
        quality: QueueQuality {
            waiting: Quality::Inferred,
            calls: Quality::Live,
            members: Quality::Measured,
            available: Quality::Inferred,
            today: Quality::Live,
        },
    }
}

/// A view of these queues, added up. As the server does, it knows nothing of calls while Zoom is not heard.
pub fn view(mut queues: Vec<QueueView>, trust: Trust) -> BoardView {
    if feed_freshness(NOW, &trust) != Freshness::Live {
        for queue in &mut queues {
            let quality = &mut queue.quality;
            [quality.waiting, quality.calls, quality.available] = [Quality::Unknown; 3];
        }
    }
    let mut totals =
        Totals { shared_target_permille: Some(800), shared_threshold_seconds: Some(20), ..Totals::default() };
    for queue in &queues {
        let (sum, add) = (&mut totals.figures, &queue.figures);
        sum.waiting += add.waiting;
        sum.oldest_waiting_since = match (sum.oldest_waiting_since, add.oldest_waiting_since) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        sum.ringing += add.ringing;
        sum.talking += add.talking;
        sum.on_hold += add.on_hold;
        sum.offered_today += add.offered_today;
        sum.answered_today += add.answered_today;
        sum.abandoned_today += add.abandoned_today;
        sum.short_abandoned_today += add.short_abandoned_today;
        sum.service_level_today = sum.service_level_today.plus(add.service_level_today);
        totals.members += queue.members.unwrap_or(0);
        totals.members_available += queue.members_available.unwrap_or(0);
        totals.members_busy.on_calls += queue.members_busy.on_calls;
        totals.members_busy.wrap_up += queue.members_busy.wrap_up;
        totals.members_incomplete |= queue.members.is_none();
        totals.waiting_beyond_threshold += u32::from(
            add.oldest_waiting_since.is_some_and(|since| NOW.since(since) >= queue.policy.threshold()),
        );
    }
    BoardView { revision: 1, as_of: NOW, trust, totals, queues }
}

/// A busy afternoon: one queue in trouble, one close to it, one not in the directory.
pub fn busy() -> Vec<QueueView> {
    let mut unresolved = queue("Extension 869", 869, &[], 0, 0, [4, 0, 4, 4]);
    unresolved.id = QueueId::from("unresolved:869");
    unresolved.members = None;
    unresolved.members_available = None;
    unresolved.quality.members = Quality::Unknown;
    unresolved.quality.available = Quality::Unknown;
    vec![
        queue("Billing", 801, &[222, 61, 17, 4], 0, 6, [96, 7, 57, 88]),
        unresolved,
        queue("Night desk", 805, &[], 0, 1, [12, 0, 9, 11]),
        queue("Orders", 803, &[12], 1, 4, [58, 1, 52, 57]),
        queue("Returns", 804, &[], 2, 3, [31, 0, 30, 31]),
        queue("Spare parts", 806, &[], 1, 2, [0, 0, 0, 0]),
        queue("Technical support", 802, &[23, 8], 1, 9, [121, 4, 95, 120]),
    ]
}

/// Nothing to do, for comparison.
pub fn calm() -> Vec<QueueView> {
    vec![
        queue("Billing", 801, &[], 4, 6, [96, 2, 88, 96]),
        queue("Orders", 803, &[4], 3, 4, [58, 1, 52, 57]),
        queue("Returns", 804, &[], 2, 3, [31, 0, 30, 31]),
        queue("Technical support", 802, &[8], 5, 9, [121, 4, 110, 120]),
    ]
}

/// Long names, great numbers, waits of more than an hour.
pub fn extreme() -> Vec<QueueView> {
    let mut unknown =
        queue("Überlauf Deutschland Süd, Österreich und Schweiz", 88_123, &[], 0, 12, [0, 0, 0, 0]);
    unknown.quality = QueueQuality {
        waiting: Quality::Unknown,
        calls: Quality::Unknown,
        members: Quality::Measured,
        available: Quality::Unknown,
        today: Quality::Unknown,
    };
    let waits: Vec<u64> = (1..=128).map(|caller| caller * 29).chain([4_211]).collect();
    vec![
        queue(
            "Customer service for existing business customers",
            88_001,
            &waits,
            0,
            248,
            [12_480, 1_318, 6_100, 11_900],
        ),
        queue("WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW", 88_002, &[9], 120, 340, [104_233, 88, 99_000, 104_000]),
        unknown,
    ]
}

/// More queues than a page holds.
pub fn many() -> Vec<QueueView> {
    let mut queues = busy();
    for number in 0..14 {
        queues.push(queue(
            &format!("Branch office {}", number + 1),
            900 + number,
            &[],
            1 + number % 3,
            4,
            [20 + number, 0, 18, 20],
        ));
    }
    queues
}

/// Agents in every state.
pub fn agents() -> AgentsView {
    let queues = ["Billing", "Technical support"].map(|name| QueueName {
        id: QueueId::new(format!("q-{}", name.to_lowercase().replace(' ', "-"))),
        name: name.to_owned(),
    });
    let agent = |(number, (name, state, seconds)): (usize, (&str, AgentState, Option<u64>))| {
        let is_with_queue = matches!(
            state,
            AgentState::Ringing | AgentState::OnQueueCall | AgentState::OnHold | AgentState::WrapUp
        );
        let quality = match state {
            AgentState::Unknown => Quality::Unknown,
            AgentState::WrapUp | AgentState::OnOtherCall => Quality::Inferred,
            _ => Quality::Live,
        };
        let number = number as u32;
        AgentView {
            id: name.to_lowercase().replace(' ', "-").as_str().into(),
            name: name.to_owned(),
            standing: Standing {
                state,
                since: seconds.map(|seconds| NOW - Duration::from_secs(seconds)),
                until: (state == AgentState::WrapUp).then(|| NOW + Duration::from_secs(8)),
                queue_id: is_with_queue.then(|| queues[0].id.clone()),
                quality,
            },
            presence: match (state, number) {
                (AgentState::Available, 1) => Some(Presence::Away),
                (AgentState::OnOtherCall, _) => Some(Presence::InMeeting),
                (AgentState::Available, _) => Some(Presence::Available),
                _ => None,
            },
            queues: queues
                .iter()
                .skip((number % 2) as usize)
                .map(|queue| Membership { id: queue.id.clone(), takes_calls: state != AgentState::OptedOut })
                .collect(),
            today: OfferCounts {
                offered: 20 + number,
                answered: 15,
                missed: number % 4,
                declined: number % 2,
            },
        }
    };
    let people = [
        ("Ada Okafor", AgentState::Available, Some(130)),
        ("Bruno Weiss", AgentState::Available, Some(41)),
        ("Chen Li", AgentState::OnQueueCall, Some(362)),
        ("Dilek Aydın", AgentState::OnQueueCall, Some(753)),
        ("Emil Kraus", AgentState::Ringing, Some(9)),
        ("Fay Moreau", AgentState::OnHold, Some(75)),
        ("Gus Lindqvist", AgentState::WrapUp, Some(7)),
        ("Hana Sato", AgentState::DoNotDisturb, Some(1_860)),
        ("Ivo Marin", AgentState::OnOtherCall, Some(198)),
        ("Jun Park", AgentState::OptedOut, None),
        ("Kim Bauer", AgentState::Offline, Some(11_520)),
        ("Lea Novak", AgentState::Unknown, Some(50)),
    ];
    AgentsView {
        revision: 12,
        as_of: NOW,
        trust: trust(),
        presence_problem: None,
        agents: people.into_iter().enumerate().map(agent).collect(),
        queues: queues.to_vec(),
    }
}
