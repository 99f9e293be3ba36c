//! What a person reads on the pages as the server makes them.
#![cfg(feature = "ssr")]

use std::time::Duration;

use app::{
    bootstrap::AssetLinks,
    document::{PageLink, Site},
    pages::{
        agents::{AgentsPage, agents_page},
        feed::{
            CutControl, EventKind, FeedFacts, FeedPage, KnownGap, PhonesKnown, RequestFacts, RequestKind,
            RequestTopic, RequestsLeft, feed_page,
        },
        problem::{ProblemPage, problem_page},
        queue::{QueuePage, queue_page},
        queues::{QueuesPage, queues_page},
        reconciliation::{
            CallInQuestion, DayInFull, DaySum, OnlyQueue, QueueDay, ReconciliationPage, reconciliation_page,
        },
        style::{sample, style_page},
        wall::{WallPage, WallSubject, wall_page},
    },
    settings::{AgentsSettings, DeskSettings, WallSettings},
    zone::LocalZone,
};
use domain::{
    agent::view::AgentsView,
    board::{CallPhase, Direction, LiveCall, LostVisit, QueueDetail},
    history::{Difference, Told},
    outcome::Outcome,
    reconciliation::{Class, Counts, Reconciliation},
    service_level::{Promise, ServiceLevels},
    time::Timestamp,
    trust::{FeedLink, Gap},
    view::BoardView,
};
use leptos::prelude::*;

fn site() -> Site {
    Site {
        assets: AssetLinks {
            css: "/assets/callboard.css",
            js: Some("/assets/app.js"),
            wasm: Some("/assets/app.wasm"),
            bootstrap: Some("/assets/bootstrap.js"),
            favicon: "/assets/favicon.svg",
        },
        build_id: "build-1".to_owned(),
        demo: true,
        links: vec![PageLink::new("Queues", "/queues"), PageLink::new("Wall", "/wall")],
    }
}

fn zone() -> LocalZone {
    LocalZone {
        name: "Europe/Berlin".to_owned(),
        label: "Berlin".to_owned(),
        offset_seconds: 3600,
        next_offset: None,
    }
}

fn render<V: IntoView + 'static>(page: impl FnOnce() -> V) -> String {
    Owner::new_root(Some(std::sync::Arc::new(hydration_context::SsrSharedContext::new_islands())))
        .with(|| page().into_view().to_html())
}

fn wall(view: BoardView, subject: WallSubject, query: &[(&str, &str)]) -> String {
    let settings = WallSettings::parse(query.iter().copied()).unwrap();
    render(move || {
        wall_page(WallPage {
            site: site(),
            title: "Support floor".to_owned(),
            stream_url: "/live/all".to_owned(),
            view,
            subject,
            settings,
            zone: zone(),
            past: None,
        })
    })
}

fn desk(view: BoardView, query: &[(&str, &str)]) -> String {
    let settings = DeskSettings::parse(query.iter().copied()).unwrap();
    render(move || {
        queues_page(QueuesPage {
            site: site(),
            stream_url: "/live/all".to_owned(),
            view,
            settings,
            zone: zone(),
            past: None,
        })
    })
}

fn agents(view: AgentsView, query: &[(&str, &str)]) -> String {
    let settings = AgentsSettings::parse(query.iter().copied()).unwrap();
    render(move || {
        agents_page(AgentsPage {
            site: site(),
            stream_url: "/live/agents".to_owned(),
            view,
            settings,
            zone: zone(),
        })
    })
}

/// The row of an agent, as text.
fn agent_row(html: &str, id: &str) -> String {
    let (_, row) = html.split_once(&format!("<tr data-agent=\"{id}\"")).unwrap();
    let (_, row) = row.split_once('>').unwrap();
    text(row.split_once("</tr>").unwrap().0)
}

/// The text as a reader gets it: without tags, attributes and comments, with single spaces.
fn text(html: &str) -> String {
    let body = html.split_once("<body").map_or(html, |(_, body)| body);
    let mut text = String::new();
    let mut rest = body;
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        // Adjacent cells and list entries are words of their own; comments are nothing.
        if !after.starts_with('!') {
            text.push(' ');
        }
        rest = after.split_once('>').map_or("", |(_, rest)| rest);
    }
    text.push_str(rest);
    let text = text.replace("&quot;", "\"").replace("&amp;", "&").replace(['\u{a0}', '\u{2009}'], " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The row that shows that queue, as text.
fn row(html: &str, queue: &str) -> String {
    let (_, row) = html.split_once(&format!("<tr data-row=\"{queue}\"")).unwrap();
    let (_, row) = row.split_once('>').unwrap();
    text(row.split_once("</tr>").unwrap().0)
}

#[track_caller]
fn assert_reads(html: &str, expected: &[&str]) {
    let text = text(html);
    for expected in expected {
        assert!(text.contains(expected), "“{expected}” is missing in:\n{text}");
    }
}

#[test]
fn the_wall_answers_who_waits_and_whether_to_believe_it() {
    let html = wall(sample::view(sample::busy(), sample::trust()), WallSubject::AllQueues, &[]);
    assert_reads(
        &html,
        &[
            "Support floor",
            "Screen live",
            "Zoom feed live",
            "newest event just now",
            "DEMO",
            "14:02:11 Berlin",
            "Waiting now 7 + watch 2 beyond 20 s",
            "Longest wait 3:42 overdue Billing",
            "Agents free 5 / 25",
            "Service level 79 % watch today, target 80 %",
            "Abandoned 12 normal today, 3.8 % of 319",
        ],
    );
    assert_eq!(row(&html, "queue-801"), "overdue Billing 4 + 3:42 0 / 6 64 % 7 96");
    assert_eq!(row(&html, "queue-806"), "normal Spare parts 0 1 / 2 n/a 0 0");
    assert_eq!(row(&html, "unresolved:869"), "normal Extension 869 not in the directory 0 — 4 of 4 0 4");
    assert_eq!(
        row(&html, "queue-805"),
        "0 free Night desk 0 + 0 / 1 81 % 0 12",
        "who waits there cannot be seen"
    );
}

fn live_call(phase: CallPhase, waited: u64, unconfirmed: bool) -> LiveCall {
    LiveCall {
        call_id: "7000000000000000001".into(),
        queue_id: None,
        phase,
        since: sample::NOW - Duration::from_secs(waited),
        direction: Direction::Incoming,
        caller: Some("+49 30 <b>123".to_owned()),
        consults_for: None,
        conference_since: None,
        moved_to_meeting_at: None,
        unconfirmed,
        legs: Vec::new(),
    }
}

#[test]
fn every_number_of_a_queue_opens_what_stands_behind_it() {
    let view = sample::view(sample::busy(), sample::trust());
    let queue = view.queues.iter().find(|queue| queue.name == "Billing").unwrap().clone();
    let mut levels = ServiceLevels::default();
    let add = |levels: &mut ServiceLevels, outcome, seconds| {
        levels.add(&ServiceLevels::of(&queue.policy, outcome, Duration::from_secs(seconds)));
    };
    add(&mut levels, Outcome::Answered, 8);
    add(&mut levels, Outcome::ShortAbandoned, 3);
    let lost = LostVisit {
        call_id: "7000000000000000002".into(),
        caller: None,
        entered_at: sample::NOW - Duration::from_secs(600),
        left_at: sample::NOW - Duration::from_secs(555),
        short: false,
        presumed: true,
        measured: false,
    };
    let detail = QueueDetail {
        promise: Promise::default(),
        service_levels: levels,
        outcomes: vec![(Outcome::Answered, 1), (Outcome::ShortAbandoned, 1)],
        calls: vec![live_call(CallPhase::Ringing, 42, false), live_call(CallPhase::Talking, 90, true)],
        lost: vec![lost],
    };
    let gap = Some(Gap { from: sample::NOW - Duration::from_secs(60), to: Some(sample::NOW) });
    let page = QueuePage { site: site(), zone: zone(), as_of: sample::NOW, gap, queue, detail, past: None };
    let html = render(move || queue_page(page));
    assert_reads(
        &html,
        &[
            "Billing",
            "as of 14:02:11 (Berlin)",
            "Events may have been missed from 14:01:11 to 14:02:11.",
            "Waiting 4 + inferred Callers in the queue who are not answered yet",
            "Promised: 80 % of callers answered within T = 20 s.",
            "Short ones excluded promised 100 % 1 of 1",
            "Negative 50 % 1 of 2",
            "Waiting now: 1",
            "14:01:29 0:42 a phone rings",
            "Talking now: 1",
            "nothing heard of it since the gap: it may be over",
            "On hold or parked now: 0 Nobody.",
            "Withheld 13:52:11 13:52:56 0:45 abandoned inferred",
            "abandoned, short 1",
        ],
    );
    assert!(!html.contains("<b>"), "what a caller is called is text");
    // Each number of the desk's table leads here.
    let desk = desk(sample::view(sample::busy(), sample::trust()), &[]);
    assert!(desk.contains("href=\"/queues/queue-801#waiting\""));
    for anchor in ["id=\"waiting\"", "id=\"service_level\"", "id=\"lost\"", "id=\"service-levels\""] {
        assert!(html.contains(anchor), "{anchor}");
    }
}

#[test]
fn trouble_comes_first_and_the_order_can_be_pinned() {
    let place = |html: &str, queue: &str| html.find(&format!("data-row=\"{queue}\"")).unwrap();
    let view = || sample::view(sample::busy(), sample::trust());
    let by_trouble = wall(view(), WallSubject::AllQueues, &[]);
    assert!(place(&by_trouble, "queue-801") < place(&by_trouble, "queue-802"));
    assert!(place(&by_trouble, "queue-802") < place(&by_trouble, "queue-805"));
    let pinned = wall(view(), WallSubject::AllQueues, &[("order", "pinned")]);
    assert!(place(&pinned, "queue-805") < place(&pinned, "queue-802"));
}

#[test]
fn a_wall_pages_instead_of_shrinking() {
    let view = || sample::view(sample::many(), sample::trust());
    let rows = |html: &str| html.matches("<tr data-row").count();
    let first = wall(view(), WallSubject::AllQueues, &[]);
    assert_eq!(rows(&first), 7);
    assert_reads(&first, &["1/3"]);
    let last = wall(view(), WallSubject::AllQueues, &[("page", "3"), ("rows", "10")]);
    assert_eq!(rows(&last), 1);
    assert_reads(&last, &["3/3"]);
    let beyond = wall(view(), WallSubject::AllQueues, &[("page", "99")]);
    assert_reads(&beyond, &["3/3"]);
}

#[test]
fn a_screen_and_a_distance_decide_the_scale() {
    let view = sample::view(sample::many(), sample::trust());
    let html = wall(view, WallSubject::AllQueues, &[("diagonal", "55"), ("distance", "5")]);
    assert!(html.contains("<body class=\"wall reach-70\""));
    assert_reads(&html, &["numbers legible to 5.0 m on 55 inches"]);
}

#[test]
fn one_queue_fills_its_own_wall() {
    let view = sample::view(sample::busy().drain(..1).collect(), sample::trust());
    let html = wall(view, WallSubject::OneQueue, &[]);
    assert_reads(
        &html,
        &[
            "Waiting now 4 + watch 1 beyond 20 s",
            "Longest wait 3:42 overdue since 13:58:29",
            "Talking 6 normal 0 ringing · 0 on hold",
        ],
    );
    assert!(!html.contains("<table"));
}

#[test]
fn a_broken_feed_is_named_and_nothing_looks_normal() {
    let html = wall(sample::view(sample::busy(), sample::broken_trust()), WallSubject::AllQueues, &[]);
    assert!(html.contains("data-freshness=\"stale\""));
    assert_reads(
        &html,
        &[
            "Screen live",
            "Zoom feed lost since 14:02:00",
            "newest event 14:01:57",
            "Today counting since 09:02, incomplete 13:41–13:52",
            "Callboard has lost the Zoom feed Who waits now is not known; today’s numbers are as of 14:02:00.",
            "Waiting now — normal not known now",
            "Agents free — normal not known now",
        ],
    );
    assert_eq!(row(&html, "queue-806"), "stale Spare parts — — — / 2 n/a 0 0");
    assert_eq!(row(&html, "queue-801"), "stale Billing — — — / 6 64 % 7 96", "rows and figures agree");
    let (_, shown) = html.split_once("</script>").and_then(|(_, rest)| rest.split_once("</script>")).unwrap();
    assert!(!shown.contains("ZOOM_"), "the room is not told how to mend it");
}

#[test]
fn numbers_that_cannot_be_known_are_dashes() {
    let html =
        wall(sample::view(sample::extreme(), sample::trust()), WallSubject::AllQueues, &[("rows", "7")]);
    assert_eq!(row(&html, "queue-88123"), "normal Überlauf…Schweiz — — — / 12 —");
    assert!(
        html.contains("Überlauf Deutschland Süd, Österreich und Schweiz"),
        "the whole name is in the title"
    );
}

#[test]
fn the_desk_shows_every_number_and_how_sure_it_is() {
    let html = desk(sample::view(sample::busy(), sample::trust()), &[]);
    assert_reads(
        &html,
        &[
            "Saturday 21 November 2026",
            "14:02:11 Berlin",
            "Worked out from calls; Zoom does not report it",
            "How these numbers are counted",
        ],
    );
    assert_eq!(row(&html, "queue-802"), "watch Technical support 802 2 0:23 1 8 1 1 / 9 121 111 4 1 3 79 %");
    assert!(html.contains("href=\"/wall/queue-802\""));
    assert!(html.contains("data-face=\"inferred \""), "and a dotted line says what is inferred");
    assert!(
        html.contains("<th scope=\"row\">") && html.contains("<th scope=\"col\" data-column=\"waiting\"")
    );
}

#[test]
fn the_desk_sorts_and_finds_without_a_program() {
    let view = || sample::view(sample::busy(), sample::trust());
    let html = desk(view(), &[("sort", "-offered"), ("find", "80")]);
    let rows = html.matches("<tr data-row").count();
    assert_eq!(rows, 6, "only extensions with 80");
    assert!(html.find("data-row=\"queue-802\"").unwrap() < html.find("data-row=\"queue-801\"").unwrap());
    assert!(html.contains("data-column=\"offered\" aria-sort=\"descending\""));
    assert!(
        html.contains("href=\"/queues?sort=offered&amp;find=80\""),
        "a second click turns the order round"
    );
    let none = desk(view(), &[("find", "zzz")]);
    assert_reads(&none, &["contains “ zzz ”."]);
}

#[test]
fn an_empty_board_says_what_would_appear() {
    for html in [
        wall(sample::view(Vec::new(), sample::trust()), WallSubject::AllQueues, &[]),
        desk(sample::view(Vec::new(), sample::trust()), &[]),
    ] {
        assert_reads(
            &html,
            &[
                "No queues yet",
                "appears here as soon as its directory has been read",
                "the state of the feed",
            ],
        );
        assert_reads(&html, &["Service level n/a", "none decided today"]);
    }
}

#[test]
fn a_page_without_a_program_says_when_it_was_made() {
    let html = wall(sample::view(sample::calm(), sample::trust()), WallSubject::AllQueues, &[]);
    assert!(html.contains("<noscript><meta http-equiv=\"refresh\" content=\"10\"></noscript>"));
    assert_reads(
        &html,
        &[
            "This page was made at 14:02:11 (Berlin). Without JavaScript it loads itself again every 10 seconds.",
        ],
    );
}

#[test]
fn a_strict_content_policy_has_nothing_to_refuse() {
    let pages = [
        wall(sample::view(sample::busy(), sample::trust()), WallSubject::AllQueues, &[]),
        desk(sample::view(sample::busy(), sample::trust()), &[]),
        render(|| style_page(site())),
    ];
    for html in pages {
        assert!(!html.contains(" style="), "style attributes are refused");
        assert!(!html.contains("<style"), "inline style sheets are refused");
        assert!(!html.contains("onclick="), "inline handlers are refused");
    }
}

#[test]
fn problems_say_what_to_do_next() {
    let problems = WallSettings::parse([("theme", "pink"), ("rows", "99")]).unwrap_err();
    let next = PageLink::new("The wall as it is", "/wall");
    let html = render(|| problem_page(ProblemPage::bad_address(site(), problems, next)));
    assert_reads(
        &html,
        &[
            "400",
            "theme must be one of dark, light, auto; “pink” is not.",
            "rows must be a number of queues from 1 to 12; “99” is not.",
            "The wall as it is",
        ],
    );
    assert!(!html.contains("http-equiv=\"refresh\""));
    assert_reads(&render(|| problem_page(ProblemPage::not_found(site()))), &["404", "All queues"]);
    assert_reads(&render(|| problem_page(ProblemPage::not_ready(site()))), &["503", "load the page again"]);
}

#[test]
fn the_style_page_shows_every_freshness() {
    let html = render(|| style_page(site()));
    for freshness in ["live", "late", "stale", "blind"] {
        assert!(html.contains(&format!("data-freshness=\"{freshness}\"")), "{freshness}");
    }
    assert_reads(
        &html,
        &[
            "Screen reconnecting",
            "Screen lost since 14:02:11 Zoom feed not known",
            "This screen has lost the Callboard server Numbers as of 14:02:11.",
            "Last known at 14:02:11, 6 min ago. Numbers are hidden until they are true again.",
            "No queues yet",
            "104,233",
        ],
    );
}

#[test]
fn the_page_tells_its_program_where_to_listen() {
    let html = wall(sample::view(sample::calm(), sample::trust()), WallSubject::AllQueues, &[]);
    assert!(html.contains("\"stream_url\":\"/live/all\""));
    assert!(html.contains("\"build_id\":\"build-1\""));
    assert_eq!(html.matches("<leptos-island").count(), 1, "one island per page");
}

/// 14:02:11 in Berlin.
const NOW: Timestamp = Timestamp::from_millis(1_795_266_131_000);

fn facts() -> FeedFacts {
    let ago = |seconds| NOW - std::time::Duration::from_secs(seconds);
    FeedFacts {
        link: FeedLink::Live,
        since: ago(3_600),
        problem: None,
        heard_at: Some(ago(2)),
        newest_at: Some(ago(40)),
        lag: Some(std::time::Duration::from_millis(1_250)),
        reconnects: 1,
        token_expires_at: Some(NOW + std::time::Duration::from_secs(1_800)),
        journalled: 1_234_567,
        duplicates: 12,
        quarantined: 0,
        lost: 0,
        late: 0,
        unmatched: 0,
        directory_read_at: Some(ago(70)),
        directory_problem: None,
        record_problem: None,
        presence_problem: None,
        phones: PhonesKnown { people: 1_024, common_areas: 1, sites: 2, ..PhonesKnown::default() },
        requests: None,
        kinds: Vec::new(),
        gaps: Some(Vec::new()),
    }
}

fn feed(change: impl FnOnce(&mut FeedFacts)) -> String {
    let mut feed = facts();
    change(&mut feed);
    let page = FeedPage { site: site(), zone: zone(), as_of: NOW, feed, cut: None };
    render(move || feed_page(page))
}

#[test]
fn the_feed_is_told_in_a_supervisors_words() {
    let html = feed(|_| {});
    assert_reads(
        &html,
        &[
            "as of 14:02:11 (Berlin)",
            "Callboard hears Zoom, without a break since 13:02:11.",
            "Newest event 40 s ago",
            "Its delay 1.2 s",
            "Events saved 1,234,567",
            "Sign-in with Zoom valid until 14:32",
            "No event was lost, unreadable or too late",
            "Extensions known 1,025 1,024 people, 0 auto receptionists, 1 common area phone, 0 shared line groups, 2 sites.",
            "None. A gap is written down whenever the feed was not provably alive.",
            "No event has come yet.",
        ],
    );
    assert!(
        html.contains("<noscript><meta http-equiv=\"refresh\""),
        "without JavaScript it loads itself again"
    );
    assert!(html.contains("data-reload=\"10\""), "with JavaScript, too, when nobody is busy with it");
    assert!(!html.contains("data-mark=\"watch\""), "nothing is wrong");
    assert!(!html.contains("<form"), "only a demo can be cut");
}

#[test]
fn questions_to_zoom_are_counted_in_words() {
    let html = feed(|feed| {
        let kind = |topic, used, left, refused| RequestKind { topic, used, left, refused };
        feed.requests = Some(RequestFacts {
            share_percent: 50,
            kinds: vec![
                kind(RequestTopic::Details, 1_204, RequestsLeft::Unlimited, 0),
                kind(RequestTopic::History, 6_400, RequestsLeft::Some { left: 1_100, of: 7_500 }, 2),
                kind(RequestTopic::Reports, 0, RequestsLeft::Some { left: 0, of: 7_500 }, 0),
                kind(RequestTopic::People, 9, RequestsLeft::NoneUntil(NOW), 1),
            ],
        });
    });
    assert_reads(
        &html,
        &[
            "Callboard uses at most 50 % of it. The count begins anew at 01:00.",
            "Details of a queue or a call 1,204 no daily limit 0",
            "Records of finished calls 6,400 1,100 of 7,500 2",
            "Reports 0 none until 01:00 0",
            "People and their presence 9 none until 14:02 1",
        ],
    );
    assert_eq!(html.matches("<tr data-mark=\"act\"").count(), 2, "none left");
    assert_eq!(html.matches("<tr data-mark=\"watch\"").count(), 1, "little left");
    assert!(!feed(|_| {}).contains("Questions to Zoom"), "who cannot ask has nothing to tell");
}

#[test]
fn the_dots_of_a_wall_lead_to_every_page_with_its_settings() {
    let queues = || {
        (0..23)
            .map(|number| sample::queue(&format!("Queue {number}"), 800 + number, &[], 1, 2, [4, 4, 0, 0]))
            .collect()
    };
    let html = wall(
        sample::view(queues(), sample::trust()),
        WallSubject::AllQueues,
        &[("theme", "light"), ("rows", "5")],
    );
    for page in 1..=5 {
        let address = format!("href=\"?theme=light&amp;rows=5&amp;page={page}\"");
        assert_eq!(html.matches(&address).count(), 1, "{address} in {html}");
    }
    assert!(!html.contains("page=6"));
}

#[test]
fn gaps_that_cannot_be_read_are_not_called_none() {
    let html = feed(|feed| feed.gaps = None);
    assert_reads(&html, &["Not known: the database cannot be read."]);
    assert!(!html.contains("None. A gap"));
}

#[test]
fn a_demo_that_was_cut_says_until_when() {
    let page = |until| {
        let feed = FeedFacts { link: FeedLink::Down, ..facts() };
        let cut = Some(CutControl { url: "/demo/cut".to_owned(), until });
        let page = FeedPage { site: site(), zone: zone(), as_of: NOW, feed, cut };
        render(move || feed_page(page))
    };
    let cut = page(Some(NOW + std::time::Duration::from_secs(72)));
    assert_reads(&cut, &["The feed is cut Cut until 14:03:23, 1 min 12 s to go."]);
    let over = page(Some(NOW));
    assert_reads(&over, &["Cut the feed for 90 s"]);
}

#[test]
fn what_could_not_be_read_is_said_beside_the_verdict() {
    let html = feed(|feed| {
        feed.record_problem = Some("1 record could not be read of a gap.".to_owned());
        feed.presence_problem = Some("The presence of 2 people could not be read.".to_owned());
    });
    let said = "1 record could not be read of a gap. The presence of 2 people could not be read.";
    assert_reads(&html, &[said]);
}

#[test]
fn a_repair_says_when_it_begins() {
    let html = feed(|feed| {
        let gap = Gap { from: NOW - std::time::Duration::from_secs(60), to: Some(NOW) };
        let due = Some(NOW + std::time::Duration::from_secs(90));
        let gap = |repair_due_at| KnownGap { gap, cause: String::new(), repaired_at: None, repair_due_at };
        feed.gaps = Some(vec![gap(due), gap(Some(NOW)), gap(None)]);
    });
    assert_reads(
        &html,
        &["begins at 14:03:41", "now, until Zoom answers", "never: needs the app’s credentials"],
    );
}

#[test]
fn a_broken_feed_says_since_when_why_and_what_to_do() {
    let ago = |seconds| NOW - std::time::Duration::from_secs(seconds);
    let html = feed(|feed| {
        feed.link = FeedLink::Down;
        feed.heard_at = Some(ago(95));
        feed.problem = Some("Check the client secret.".to_owned());
        feed.quarantined = 3;
        let cause = "the connection was closed".to_owned();
        feed.gaps = Some(vec![
            KnownGap {
                gap: Gap { from: ago(95), to: None },
                cause: cause.clone(),
                repaired_at: None,
                repair_due_at: None,
            },
            KnownGap {
                gap: Gap { from: ago(7_300), to: Some(ago(7_210)) },
                cause,
                repaired_at: Some(ago(7_100)),
                repair_due_at: Some(ago(7_120)),
            },
        ]);
        feed.kinds =
            vec![EventKind { name: "phone.callee_ringing".to_owned(), count: 4_711, last_at: ago(96) }];
    });
    assert_reads(
        &html,
        &[
            "Callboard has not heard Zoom since 14:00:36.",
            "Last sign of life at 14:00:36",
            "Check the client secret.",
            "Saturday 21 November 2026, 14:00:36 still open 1 min 35 s when it is over the connection was closed",
            "Saturday 21 November 2026, 12:00:31 12:02:01 1 min 30 s at 12:03:51",
            "Callee ringing phone.callee_ringing 4,711 14:00:35 1 min ago",
        ],
    );
    assert_eq!(html.matches("data-mark=\"watch\"").count(), 1, "the quarantine is worth a look");
}

/// A day of Billing and its calls in question.
fn reconciliation(sum: Reconciliation, calls: Vec<CallInQuestion>) -> String {
    let page = ReconciliationPage {
        site: site(),
        as_of: NOW,
        zone: zone(),
        days: vec![DaySum {
            label: "Sat 21 Nov".to_owned(),
            href: "/reconciliation?day=2026-11-21".to_owned(),
            is_shown: true,
            sum,
        }],
        day: DayInFull {
            title: "Saturday 21 November 2026".to_owned(),
            zone: zone(),
            queues: vec![QueueDay {
                name: "Billing".to_owned(),
                href: "/reconciliation?queue=q".to_owned(),
                sum,
            }],
            is_closed: true,
            calls,
            has_more: false,
            only: Some(OnlyQueue { name: "Billing".to_owned(), all_href: "/reconciliation".to_owned() }),
        },
        read_until: Some(NOW),
    };
    render(move || reconciliation_page(page))
}

fn in_question(
    live: Option<Outcome>,
    record: Option<Outcome>,
    difference: Difference,
    in_gap: bool,
) -> CallInQuestion {
    let told = |outcome: Outcome| Told {
        entered_at: NOW - std::time::Duration::from_secs(60),
        left_at: NOW - std::time::Duration::from_secs(18),
        outcome,
        presumed: outcome == Outcome::Abandoned,
    };
    let (live_told, record_told) =
        (live.map(told), record.map(|outcome| Told { presumed: false, ..told(outcome) }));
    CallInQuestion {
        call_id: "7400000000000000007".to_owned(),
        queue: "Billing".to_owned(),
        live: live_told,
        record: record_told,
        class: Class { live, record, difference: Some(difference), is_recorded: true },
        in_gap,
    }
}

#[test]
fn a_day_is_held_against_the_record_in_a_supervisors_words() {
    let counts = |offered, answered, abandoned| Counts { offered, answered, abandoned };
    let sum = Reconciliation {
        live: counts(40, 30, 8),
        record: counts(41, 31, 7),
        corrected: 2,
        corrected_times: 36,
        awaited: 0,
        unexplained: 0,
    };
    let calls = vec![
        in_question(None, Some(Outcome::Answered), Difference::Missed, true),
        in_question(Some(Outcome::Abandoned), Some(Outcome::Overflowed), Difference::Outcome, false),
    ];
    let html = reconciliation(sum, calls);
    assert_reads(
        &html,
        &[
            "Unexplained differences: 0 Every difference is explained: 2 calls were corrected.",
            "Sat 21 Nov 40 41 30 31 8 7 2 36 0 0",
            "Saturday 21 November 2026, by queue",
            "Billing 40 41 30 31 8 7 2 36 0 0",
            "14:01:11 Billing nothing answered after 0:42 Callboard could not hear Zoom at that time. 7400000000000000007",
            "left after 0:42, presumably overflowed after 0:42 No event said how it ended; the record does.",
            "Only calls of Billing.",
        ],
    );
    assert_eq!(html.matches("<leptos-island").count(), 0, "complete without a program");
}

#[test]
fn what_nothing_explains_is_said_first() {
    let sum = Reconciliation {
        live: Counts { offered: 1, answered: 0, abandoned: 1 },
        unexplained: 1,
        ..Reconciliation::default()
    };
    let html = reconciliation(
        sum,
        vec![in_question(Some(Outcome::Abandoned), None, Difference::NotInRecord, false)],
    );
    assert_reads(
        &html,
        &[
            "Unexplained differences: 1 1 call is unexplained: the board counted differently",
            "nothing Zoom wrote the call down without this stay.",
        ],
    );
    assert!(html.contains(r#"data-state="lost""#));
}

#[test]
fn the_page_of_agents_says_who_can_help_and_what_everybody_does() {
    let html = agents(sample::agents(), &[]);
    assert_reads(
        &html,
        &[
            "Screen live",
            "14:02:11 Berlin",
            "Available 2 of 12",
            "Ringing 1",
            "On calls 4 2 for queues · 1 on hold",
            "Wrap-up 1",
            "Not taking calls 3 1 opted out · 1 offline",
            "Unknown 1",
            "All queues 2/12",
            "Billing 1/6",
            "a caller who hangs up is none either",
        ],
    );
    assert_eq!(
        agent_row(&html, "ada-okafor"),
        "Available Ada Okafor 2:10 Billing, Technical support 20 15 0 0"
    );
    assert_eq!(
        agent_row(&html, "bruno-weiss"),
        "Available Bruno Weiss 0:41 away Technical support 21 15 1 1"
    );
    assert_eq!(
        agent_row(&html, "chen-li"),
        "On a queue call Chen Li 6:02 Billing Billing, Technical support 22 15 2 0"
    );
    assert_eq!(
        agent_row(&html, "gus-lindqvist"),
        "Wrap-up Gus Lindqvist 0:08 left Billing Billing, Technical support 26 15 2 0"
    );
    assert!(agent_row(&html, "ivo-marin").starts_with("On another call Ivo Marin 3:18 in a meeting"));
    assert!(agent_row(&html, "jun-park").starts_with("Opted out Jun Park —"), "nobody told since when");
    assert!(agent_row(&html, "lea-novak").starts_with("Unknown Lea Novak 0:50"));
}

#[test]
fn agents_are_chosen_sorted_and_found_by_the_address() {
    let place = |html: &str, id: &str| html.find(&format!("data-agent=\"{id}\""));
    let usual = agents(sample::agents(), &[]);
    assert!(place(&usual, "ada-okafor") < place(&usual, "bruno-weiss"), "free for longer");
    assert!(place(&usual, "bruno-weiss") < place(&usual, "emil-kraus"));
    let by_name = agents(sample::agents(), &[("sort", "-name")]);
    assert!(place(&by_name, "lea-novak") < place(&by_name, "ada-okafor"));
    let billing = agents(sample::agents(), &[("queue", "q-billing")]);
    assert_reads(&billing, &["Available 1 of 6"]);
    assert_eq!(place(&billing, "bruno-weiss"), None);
    assert!(billing.contains("/agents?queue=q-billing&amp;sort=-missed"), "a heading keeps the queue");
    let found = agents(sample::agents(), &[("find", "okaf")]);
    assert!(place(&found, "ada-okafor").is_some() && place(&found, "chen-li").is_none());
    assert_reads(&agents(sample::agents(), &[("find", "nobody")]), &["No agent to show."]);
}

#[test]
fn the_page_of_agents_says_when_presence_is_not_known() {
    let problem = "Cannot read the presence of a person: check the scopes of the Zoom app.";
    let view = AgentsView { presence_problem: Some(problem.to_owned()), ..sample::agents() };
    assert_reads(&agents(view, &[]), &[problem]);
}
