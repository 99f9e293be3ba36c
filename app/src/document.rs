//! The document around every page: language, theme, assets, navigation, and what happens without JavaScript.

use domain::{time::Timestamp, view::BoardView};
use leptos::prelude::*;

use crate::{
    address,
    bootstrap::{AssetLinks, Bootstrap},
    components::past_band::PastView,
    live_board::BoardStart,
    settings::Theme,
    zone::LocalZone,
};

/// What every page needs to know of the server that made it.
#[derive(Debug, Clone)]
pub struct Site {
    /// The built files.
    pub assets: AssetLinks,
    /// Names this build; a screen reloads when the server tells another one.
    pub build_id: String,
    /// The data is made up.
    pub demo: bool,
    /// What of time the recording tells that is shown instead of an account: `of Saturday …`.
    pub recording: Option<String>,
    /// The pages that exist, in the order of the navigation. Must not name one that does not.
    pub links: Vec<PageLink>,
}

/// One entry of the navigation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageLink {
    /// What it is called.
    pub label: String,
    /// Where it leads, an address of this server.
    pub href: String,
}

impl PageLink {
    /// A link.
    pub fn new(label: impl Into<String>, href: impl Into<String>) -> Self {
        Self { label: label.into(), href: href.into() }
    }
}

/// Seconds after which a page without JavaScript loads itself again.
pub const REFRESH_SECONDS: u32 = 10;
/// Seconds after which a page that waits for something is loaded again.
pub const AWAITED_SECONDS: u32 = 5;
/// Seconds after which a page without JavaScript shows the next instant of a past that runs.
pub const PLAYED_SECONDS: u32 = 2;

/// Whether a page follows time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Liveness {
    /// It stays as it is.
    Still,
    /// It says that something is not ready yet and loads itself again until it is.
    Awaited,
    /// It holds no program and loads itself again, so that it does not stay at this instant.
    Reloaded {
        /// When its values were true.
        as_of: Timestamp,
        /// How to say that.
        zone: LocalZone,
    },
    /// It shows values of this instant and shall not stay there.
    Live {
        /// When its values were true.
        as_of: Timestamp,
        /// How to say that.
        zone: LocalZone,
    },
    /// It shows the past running: without a program it goes to this address, an instant later.
    Played {
        /// Where the next instant is.
        next: String,
    },
}

impl Liveness {
    /// Of a page with a board, at an instant of the past or now.
    pub fn of(view: &BoardView, zone: &LocalZone, past: Option<&PastView>) -> Self {
        match past {
            None => Self::Live { as_of: view.as_of, zone: zone.clone() },
            Some(past) => past.next_address().map_or(Self::Still, |next| Self::Played { next }),
        }
    }
}

/// A whole HTML document.
#[component]
pub fn Document(
    /// What the server says of itself.
    site: Site,
    /// The title of the window.
    title: String,
    /// Classes of the body: what kind of page it is.
    body: String,
    /// Light or dark.
    theme: Theme,
    /// Whether it follows time.
    liveness: Liveness,
    /// Where the first link leads that keyboards reach, and what it says; `None` where there is nothing to
    /// skip.
    #[prop(default = Some(("#main", "Skip to the content")))]
    skip: Option<(&'static str, &'static str)>,
    /// A style sheet of its own, besides the one of all pages.
    #[prop(optional)]
    sheet: Option<&'static str>,
    /// What stands in the body.
    children: Children,
) -> impl IntoView {
    let again = match &liveness {
        Liveness::Still => None,
        Liveness::Awaited => Some(AWAITED_SECONDS.to_string()),
        Liveness::Reloaded { .. } | Liveness::Live { .. } => Some(REFRESH_SECONDS.to_string()),
        Liveness::Played { next } => Some(format!("{PLAYED_SECONDS}; url={next}")),
    };
    let refresh = again.map(|again| {
        view! {
            <noscript>
                <meta http-equiv="refresh" content=again />
            </noscript>
        }
    });
    // The bootstrap script loads it again, when nobody is busy with it.
    let reload = match &liveness {
        Liveness::Reloaded { .. } => Some(REFRESH_SECONDS.to_string()),
        Liveness::Awaited => Some(AWAITED_SECONDS.to_string()),
        Liveness::Still | Liveness::Live { .. } | Liveness::Played { .. } => None,
    };
    let color_scheme = match theme {
        Theme::Dark => "dark",
        Theme::Light => "light",
        Theme::Auto => "light dark",
    };
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme.word() data-reload=reload>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content=color_scheme />
                <title>{format!("{title} · Callboard")}</title>
                <Bootstrap links=site.assets />
                {sheet.map(|sheet| view! { <link rel="stylesheet" href=sheet /> })}
                {refresh}
            </head>
            <body class=body>
                {skip
                    .map(|(href, label)| {
                        view! {
                            <a class="skip" href=href>
                                {label}
                            </a>
                        }
                    })}
                {children()} <StillNotice liveness />
            </body>
        </html>
    }
}

/// Says of a page that does not follow the stream when it was made and what happens next.
#[component]
fn StillNotice(
    /// Whether the page follows time.
    liveness: Liveness,
) -> impl IntoView {
    let Liveness::Live { as_of, zone } = liveness else { return None };
    let made = format!("This page was made at {} ({}).", zone.clock(as_of), zone.label);
    Some(view! {
        <noscript>
            <p class="still">
                {made.clone()} " Without JavaScript it loads itself again every "
                {REFRESH_SECONDS.to_string()} " seconds."
            </p>
        </noscript>
        // The bootstrap script marks the document when it could not start the islands.
        <p class="still not-started" role="status">
            {made} " Live updates did not start; it loads itself again in a moment."
        </p>
    })
}

/// Hands a board to the program of its page, as data that is no program.
#[component]
pub fn StartData(
    /// What the page starts from.
    start: BoardStart,
) -> impl IntoView {
    view! { <script type="application/json" id=BoardStart::ELEMENT inner_html=start.to_script()></script> }
}

/// The bar of a desk page: the product's name and the pages there are.
///
/// On a page of the past, boards stay there and pages that know now only say so.
#[component]
pub fn Bar(
    /// What the server says of itself.
    site: Site,
    /// The address of the page it stands on.
    current: &'static str,
    /// The instant of the past that links must ask for, empty on a page of now.
    #[prop(optional)]
    at: String,
) -> impl IntoView {
    let links = site
        .links
        .into_iter()
        .map(|PageLink { label, href }| {
            let here = (href == current).then_some("page");
            let (label, href) = match href.as_str() {
                _ if at.is_empty() => (label, href),
                "/queues" | "/wall" => (label, address::with_query(&href, &[("at", &at)])),
                "/agents" | "/feed" => (format!("{label} now"), href),
                _ => (label, href),
            };
            view! {
                <li>
                    <a href=href aria-current=here>
                        {label}
                    </a>
                </li>
            }
        })
        .collect_view();
    view! {
        <header class="bar">
            <a class="brand" href=address::with_query("/queues", &[("at", &at)])>
                <span class="brand-sign" aria-hidden="true"></span>
                "Callboard"
            </a>
            <nav aria-label="Pages">
                <ul>{links}</ul>
            </nav>
            {site.demo.then(|| view! { <DemoBadge /> })}
            {site.recording.map(|recording| view! { <p class="bar-recording"><span class="demo">"Recording"</span> " " {recording}</p> })}
        </header>
    }
}

/// Says that the data is made up.
#[component]
pub fn DemoBadge() -> impl IntoView {
    view! {
        <span class="demo" title="The data is made up">
            "DEMO"
        </span>
    }
}
