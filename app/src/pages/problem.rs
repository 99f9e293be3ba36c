//! The page for what went wrong: what happened, and what to do next.

use leptos::prelude::*;

use crate::{
    document::{Bar, Document, Liveness, PageLink, Site},
    settings::Theme,
};

/// What the server knows about a problem.
#[derive(Debug, Clone)]
pub struct ProblemPage {
    /// What the server says of itself.
    pub site: Site,
    /// The status of the answer: 400, 404, 503, …
    pub status: u16,
    /// What happened, in a few words.
    pub title: String,
    /// What happened and what to do, one paragraph each.
    pub explanation: Vec<String>,
    /// Every single problem, where there are several.
    pub problems: Vec<String>,
    /// Where to go on, the likeliest first.
    pub next: Vec<PageLink>,
    /// It will pass: the page is loaded again until it has.
    pub is_awaited: bool,
}

impl ProblemPage {
    /// An address that asks for something that makes no sense; `problems` come from the settings.
    pub fn bad_address(site: Site, problems: Vec<String>, next: PageLink) -> Self {
        Self {
            site,
            status: 400,
            title: "This address asks for something that does not exist".to_owned(),
            explanation: vec!["Correct these in the address, or go on without them.".to_owned()],
            problems,
            next: vec![next],
            is_awaited: false,
        }
    }

    /// Nothing stands at this address.
    pub fn not_found(site: Site) -> Self {
        Self {
            site,
            status: 404,
            title: "There is nothing at this address".to_owned(),
            explanation: vec![
                "The page or queue may have been renamed or removed. Queues are listed with their addresses on the page of all queues."
                    .to_owned(),
            ],
            problems: Vec::new(),
            next: vec![PageLink::new("All queues", "/queues")],
            is_awaited: false,
        }
    }

    /// The address names a host that this server does not answer to.
    pub fn foreign_host(site: Site) -> Self {
        Self {
            site,
            status: 421,
            title: "Callboard does not answer under this name".to_owned(),
            explanation: vec![
                "It has no sign-in yet, so it answers on its own machine only: there, open it as localhost with the same port."
                    .to_owned(),
                "Behind a proxy, set CALLBOARD_PUBLIC_URL on the server to the address that people type."
                    .to_owned(),
            ],
            problems: Vec::new(),
            next: Vec::new(),
            is_awaited: false,
        }
    }

    /// An instant of the past cannot be shown.
    pub fn past(site: Site, status: u16, title: &str, explanation: String, next: PageLink) -> Self {
        Self {
            site,
            status,
            title: title.to_owned(),
            explanation: vec![explanation],
            problems: Vec::new(),
            next: vec![next],
            is_awaited: false,
        }
    }

    /// The same, which leads to something likelier first.
    pub fn leading(mut self, first: Option<PageLink>) -> Self {
        self.next.splice(0..0, first);
        self
    }

    /// The same, of what will pass.
    pub fn awaited(self) -> Self {
        Self { is_awaited: true, ..self }
    }

    /// Others ask for lists and reports.
    pub fn busy(site: Site) -> Self {
        Self {
            site,
            status: 503,
            title: "Too many lists and reports are asked for".to_owned(),
            explanation: vec![
                "Few of them are made at once, so that boards never wait for them. This page loads itself again until it is your turn."
                    .to_owned(),
            ],
            problems: Vec::new(),
            next: Vec::new(),
            is_awaited: true,
        }
    }

    /// The server cannot answer yet.
    pub fn not_ready(site: Site) -> Self {
        Self {
            site,
            status: 503,
            title: "Callboard is not ready yet".to_owned(),
            explanation: vec![
                "The server is reading its records. This takes a few seconds; this page loads itself again."
                    .to_owned(),
                "If it stays like this, /readyz on this server and its log say what is missing.".to_owned(),
            ],
            problems: Vec::new(),
            next: Vec::new(),
            is_awaited: true,
        }
    }
}

/// The whole page.
pub fn problem_page(page: ProblemPage) -> impl IntoView {
    let ProblemPage { site, status, title, explanation, problems, next, is_awaited } = page;
    let liveness = if is_awaited { Liveness::Awaited } else { Liveness::Still };
    let explanation = explanation.into_iter().map(|text| view! { <p>{text}</p> }).collect_view();
    let problems = (!problems.is_empty()).then(|| {
        let items = problems.into_iter().map(|text| view! { <li>{text}</li> }).collect_view();
        view! { <ul class="problems">{items}</ul> }
    });
    let next = next.into_iter().map(|PageLink { label, href }| {
        view! {
            <p>
                <a class="button" href=href>
                    {label}
                </a>
            </p>
        }
    });
    let next = next.collect_view();
    view! {
        <Document
            site=site.clone()
            title=title.clone()
            body="desk".to_owned()
            theme=Theme::Auto
            liveness
        >
            <Bar site current="" />
            <main id="main" class="problem">
                <p class="problem-status">{status.to_string()}</p>
                <h1>{title}</h1>
                {explanation}
                {problems}
                {next}
            </main>
        </Document>
    }
}
