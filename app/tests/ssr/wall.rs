//! The wall: all queues, one queue, every freshness.

use app::{
    pages::{
        style::sample,
        wall::{WallPage, WallSubject, wall_page},
    },
    settings::WallSettings,
};
use domain::view::BoardView;

use crate::{assert_reads, render, row, site, zone};

pub(crate) fn wall(view: BoardView, subject: WallSubject, query: &[(&str, &str)]) -> String {
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
            "Available 5 / 25+ normal 12 on calls · 3 wrap-up · 5 away",
            "Service level 79 % watch today, target 80 %",
            "Abandoned 12 normal today, 3.8 % of 319",
        ],
    );
    assert_eq!(
        row(&html, "queue-801"),
        "overdue Billing 3 on calls · 1 wrap-up · 2 away 4 + 3:42 0 / 6 64 % 7 96"
    );
    assert_eq!(row(&html, "queue-806"), "normal Spare parts 1 on a call 0 1 / 2 n/a 0 0");
    assert_eq!(row(&html, "unresolved:869"), "normal Extension 869 not in the directory 0 + — 4 of 4 0 4");
    assert_eq!(
        row(&html, "queue-805"),
        "no agent Night desk 1 on a call 0 + 0 / 1 81 % 0 12",
        "who waits there cannot be seen"
    );
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
            "The other queues: All numbers",
        ],
    );
    assert!(!html.contains("<table"));
    assert!(!html.contains("of each queue"), "it has one");
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
            "queue visits of today checked against Zoom’s record",
            "Callboard has lost the Zoom feed Who waits now is unknown; today’s numbers count calls up to 14:02:00.",
            "Waiting now — normal unknown now",
            "Available — normal unknown now",
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
    assert_eq!(row(&html, "queue-88123"), "normal Überlauf D…d Schweiz — — — / 12 —");
    assert!(
        html.contains("Überlauf Deutschland Süd, Österreich und Schweiz"),
        "the whole name is in the title"
    );
}
