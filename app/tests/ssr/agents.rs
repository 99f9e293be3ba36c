//! The page of agents.

use std::time::Duration;

use app::{
    pages::{
        agents::{AgentsPage, agents_page},
        style::sample,
    },
    settings::AgentsSettings,
};
use domain::agent::{AgentState, view::AgentsView};

use crate::{assert_reads, render, site, text, zone};

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

#[test]
fn the_page_of_agents_says_who_can_help_and_what_everybody_does() {
    let html = agents(sample::agents(), &[]);
    assert_reads(
        &html,
        &[
            "Screen live",
            "14:02:11 Berlin",
            "Available 2 normal of 12",
            "Ringing 1",
            "On calls 4 normal 2 for queues · 1 on hold",
            "Wrap-up 1",
            "Away 3 normal 1 opted out · 1 offline",
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
        "Available Bruno Weiss 0:41 status “away” Technical support 21 15 1 1"
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
fn nobody_is_counted_as_none_while_everybody_is_unknown() {
    let mut view = sample::agents();
    for agent in &mut view.agents {
        agent.standing.state = AgentState::Unknown;
    }
    let html = agents(view, &[]);
    assert_reads(
        &html,
        &[
            "Available — normal unknown now",
            "Ringing —",
            "On calls —",
            "Wrap-up —",
            "Away —",
            "Unknown 12",
            "All queues —/12",
        ],
    );
    // Where somebody is known to be on a call and somebody is unknown, only who is free is a question.
    let mut view = sample::agents();
    view.agents.retain(|agent| agent.standing.state != AgentState::Available);
    assert_reads(&agents(view, &[]), &["Available — normal unknown now", "Ringing 1", "On calls 4"]);
}

#[test]
fn in_the_hour_after_a_gap_sums_are_as_sure_as_the_rows_below_them() {
    let sums = |deaf_for: u64| {
        let mut view = sample::agents();
        view.trust.deaf_until = Some(view.as_of - Duration::from_secs(deaf_for));
        let html = agents(view, &[]);
        let face = |key: &str| {
            let (_, figure) = html.split_once(&format!("data-figure=\"{key}\"")).unwrap();
            let (_, face) = figure.split_once("data-face=\"").unwrap();
            face.split_once('"').unwrap().0.to_owned()
        };
        let (_, chips) = html.split_once("class=\"queue-choice\"").unwrap();
        let chips = chips.split_once("</nav>").unwrap().0.matches("inferred").count();
        (["available", "ringing", "on-calls", "wrap-up", "away", "unknown"].map(face), chips)
    };
    let (faces, chips) = sums(3_599);
    assert_eq!(faces, ["inferred", "inferred", "inferred", "inferred", "inferred", ""]);
    assert_eq!(chips, 3, "all queues, and each");
    assert_eq!(sums(3_600), ([""; 6].map(str::to_owned), 0));
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
    assert_reads(&billing, &["Available 1 normal of 6"]);
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
