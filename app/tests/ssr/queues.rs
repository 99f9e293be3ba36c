//! The desk's page of all queues.

use app::{
    pages::{
        queues::{QueuesPage, queues_page},
        style::sample,
    },
    settings::DeskSettings,
};
use domain::view::BoardView;

use crate::{assert_reads, render, row, site, zone};

pub(crate) fn desk(view: BoardView, query: &[(&str, &str)]) -> String {
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
    assert_eq!(
        html.matches("href=\"/queues/queue-802\"").count(),
        1,
        "the row's name opens what is behind it"
    );
    let numbers = html.matches("href=\"/queues/queue-802#").count();
    assert_eq!(numbers, 12, "and so does each number");
    assert_eq!(
        html.matches("tabindex=\"-1\"").count(),
        numbers * html.matches("<tr data-row").count(),
        "but the keyboard stops once in a row"
    );
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
