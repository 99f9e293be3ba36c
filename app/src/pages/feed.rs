//! The page about the feed itself: may Callboard's own ears be believed, in a supervisor's words.
//!
//! Complete without a program: it holds no island, and loads itself again.

mod requests;

use std::time::Duration;

use domain::{
    time::Timestamp,
    trust::{FeedLink, Gap},
};
use leptos::prelude::*;

use self::requests::Requests;
pub use self::requests::{RequestFacts, RequestKind, RequestTopic, RequestsLeft};
use crate::{
    document::{Bar, Document, Liveness, Site},
    numeral,
    settings::Theme,
    zone::LocalZone,
};

/// What the server knows about the page of the feed.
#[derive(Debug, Clone)]
pub struct FeedPage {
    /// What the server says of itself.
    pub site: Site,
    /// The zone of every time on the page.
    pub zone: LocalZone,
    /// The server's clock.
    pub as_of: Timestamp,
    /// What it says of the feed.
    pub feed: FeedFacts,
    /// Where a demo's visitor may cut the feed, an address of this server.
    pub cut_url: Option<String>,
}

/// What is known about the feed at one instant. Counts are since the server started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedFacts {
    /// State of the link to Zoom, and since when.
    pub link: FeedLink,
    /// Since when it is what it is.
    pub since: Timestamp,
    /// What is wrong, one sentence with the next step.
    pub problem: Option<String>,
    /// When anything last came over it.
    pub heard_at: Option<Timestamp>,
    /// When the newest event arrived.
    pub newest_at: Option<Timestamp>,
    /// How long that event was on its way, by Zoom's clock and ours.
    pub lag: Option<Duration>,
    /// Connections made again.
    pub reconnects: u64,
    /// When the present token ends; it is renewed before.
    pub token_expires_at: Option<Timestamp>,
    /// New events on disk.
    pub journalled: u64,
    /// Events that had come before.
    pub duplicates: u64,
    /// Messages nobody could read.
    pub quarantined: u64,
    /// Messages that were not written.
    pub lost: u64,
    /// Events about calls that were over for hours.
    pub late: u64,
    /// Queues that calls have named and the directory does not know.
    pub unmatched: u64,
    /// When the directory was last read.
    pub directory_read_at: Option<Timestamp>,
    /// What is wrong with the directory, one sentence with the next step.
    pub directory_problem: Option<String>,
    /// Whose names are known.
    pub phones: PhonesKnown,
    /// What was asked of Zoom today; `None` where Callboard cannot ask.
    pub requests: Option<RequestFacts>,
    /// Events by kind.
    pub kinds: Vec<EventKind>,
    /// Intervals in which events may have been missed, newest first; `None` when the record of them cannot
    /// be read.
    pub gaps: Option<Vec<KnownGap>>,
}

/// Extensions besides queues whose names are known, so that legs without a name get one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PhonesKnown {
    /// People with a phone.
    pub people: u64,
    /// Menus that callers hear.
    pub auto_receptionists: u64,
    /// Phones that belong to a place.
    pub common_areas: u64,
    /// Lines that several people answer.
    pub shared_line_groups: u64,
    /// Offices.
    pub sites: u64,
    /// Why some are missing, one sentence with the next step.
    pub problem: Option<String>,
}

impl PhonesKnown {
    fn count(&self) -> u64 {
        self.people + self.auto_receptionists + self.common_areas + self.shared_line_groups
    }

    fn words(&self) -> String {
        let counted = |number: u64, one: &str, more: &str| {
            format!("{} {}", numeral::big_count(number), if number == 1 { one } else { more })
        };
        let kinds = [
            counted(self.people, "person", "people"),
            counted(self.auto_receptionists, "auto receptionist", "auto receptionists"),
            counted(self.common_areas, "common area phone", "common area phones"),
            counted(self.shared_line_groups, "shared line group", "shared line groups"),
            counted(self.sites, "site", "sites"),
        ];
        let kinds = format!("{}.", kinds.join(", "));
        self.problem.as_ref().map_or(kinds.clone(), |problem| format!("{kinds} {problem}"))
    }
}

/// The events of one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventKind {
    /// Zoom's own name for it, so that it can be found in the subscription.
    pub name: String,
    /// How many.
    pub count: u64,
    /// When the last one arrived.
    pub last_at: Timestamp,
}

/// An interval in which events may have been missed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownGap {
    /// From when to when.
    pub gap: Gap,
    /// Why.
    pub cause: String,
    /// When the records of its calls had been read.
    pub repaired_at: Option<Timestamp>,
}

/// The whole page.
pub fn feed_page(page: FeedPage) -> impl IntoView {
    let FeedPage { site, zone, as_of, feed, cut_url } = page;
    let liveness = Liveness::Reloaded { as_of, zone: zone.clone() };
    let made_at = format!("{} ({})", zone.clock(as_of), zone.label);
    let (kinds, gaps) = (feed.kinds.clone(), feed.gaps.clone());
    let (of_gaps, of_kinds, of_requests) = (zone.clone(), zone.clone(), zone.clone());
    let requests = feed.requests.clone();
    let next_day = next_utc_day(as_of);
    view! {
        <Document site=site.clone() title="Feed".to_owned() body="desk".to_owned() theme=Theme::Auto liveness>
            <Bar site current="/feed" />
            <main id="main">
                <div class="head">
                    <h1>"Feed"</h1>
                    <p class="head-date">{format!("as of {made_at}")}</p>
                </div>
                <Verdict feed=feed.clone() zone=zone.clone() />
                <Facts feed as_of zone />
                {cut_url.map(|url| view! { <Cut url /> })}
                <Gaps gaps as_of zone=of_gaps />
                {requests.map(|requests| view! { <Requests requests next_day zone=of_requests /> })}
                <Kinds kinds as_of zone=of_kinds />
            </main>
        </Document>
    }
}

/// Whether the feed may be believed, in one sentence, and what to do when not.
#[component]
fn Verdict(
    /// What is known.
    feed: FeedFacts,
    /// Of the times.
    zone: LocalZone,
) -> impl IntoView {
    let since = zone.clock(feed.since);
    let (state, sentence) = match feed.link {
        FeedLink::Live => ("live", format!("Callboard hears Zoom, without a break since {since}.")),
        FeedLink::WebhookOnly => (
            "quiet",
            "Events come by webhook only. Silence then proves nothing: nobody can tell a quiet hour from a lost subscription."
                .to_owned(),
        ),
        FeedLink::Connecting => ("late", "Callboard is connecting to Zoom for the first time.".to_owned()),
        FeedLink::Down => (
            "lost",
            format!("Callboard has not heard Zoom since {}. Events of this time are missed.", feed.heard_at.map_or(since, |at| zone.clock(at))),
        ),
        FeedLink::Contested => (
            "lost",
            "Zoom keeps closing the connection. Another program may be taking the event subscription, which only one may use: if there is one, stop it or make it a subscription of its own."
                .to_owned(),
        ),
    };
    let problems = feed.problem.into_iter().chain(feed.directory_problem);
    view! {
        <div class="verdict link" data-state=state role="status">
            <span class="dot" aria-hidden="true"></span>
            <div>
                <p>{sentence}</p>
                {problems.map(|problem| view! { <p class="verdict-problem">{problem}</p> }).collect_view()}
            </div>
        </div>
    }
}

/// A number about the feed.
struct Fact {
    name: &'static str,
    value: String,
    meaning: String,
    is_trouble: bool,
}

/// Numbers about the feed, each with what it means.
#[component]
fn Facts(
    /// What is known.
    feed: FeedFacts,
    /// When.
    as_of: Timestamp,
    /// Of the times.
    zone: LocalZone,
) -> impl IntoView {
    let ago = |at: Option<Timestamp>| at.map_or("never".to_owned(), |at| numeral::age(as_of.since(at)));
    let fact = |name, value: String, meaning: &str| Fact {
        name,
        value,
        meaning: meaning.to_owned(),
        is_trouble: false,
    };
    let counted = |name, number: u64, meaning: &str| Fact {
        is_trouble: number > 0,
        ..fact(name, numeral::big_count(number), meaning)
    };
    let facts = [
        fact(
            "Last sign of life",
            ago(feed.heard_at),
            "Zoom answers a heartbeat every 25 s, also when nobody calls.",
        ),
        fact("Newest event", ago(feed.newest_at), "At night this may be hours ago and nothing is wrong."),
        fact(
            "Lag",
            feed.lag.map_or(numeral::UNKNOWN.to_owned(), seconds),
            "How long the newest event was on its way, by Zoom's clock and this server's.",
        ),
        fact(
            "Events kept",
            numeral::big_count(feed.journalled),
            "Written to the journal since this server started.",
        ),
        fact("Came twice", numeral::big_count(feed.duplicates), "Recognised and counted once; harmless."),
        fact(
            "Connections made again",
            numeral::big_count(feed.reconnects),
            "Zoom ends each after an hour at most; Callboard changes over before.",
        ),
        counted("Not readable", feed.quarantined, "Kept aside with the reason; the numbers may lack them."),
        counted("Not written", feed.lost, "The disk failed them; they are a gap below."),
        counted("Too late to count", feed.late, "They tell of calls that were over for hours."),
        counted(
            "Queues nobody knows",
            feed.unmatched,
            "Named by calls, not in Zoom's list of queues; their rows say “not in the directory”.",
        ),
        fact(
            "Access to Zoom",
            feed.token_expires_at
                .map_or(numeral::UNKNOWN.to_owned(), |at| format!("until {}", zone.hour_and_minute(at))),
            "The present token; renewed by itself before it ends.",
        ),
        fact(
            "Queues and members read",
            ago(feed.directory_read_at),
            "Opting in and out raises no event; only reading again tells.",
        ),
        Fact {
            is_trouble: feed.phones.problem.is_some(),
            ..fact("Extensions known", numeral::big_count(feed.phones.count()), &feed.phones.words())
        },
    ];
    let rows = facts.into_iter().map(|fact| {
        view! {
            <div class="fact" data-mark=if fact.is_trouble { "watch" } else { "normal" }>
                <dt>{fact.name}</dt>
                <dd>
                    <span class="number">{fact.value}</span>
                    <p>{fact.meaning}</p>
                </dd>
            </div>
        }
    });
    view! { <dl class="facts">{rows.collect_view()}</dl> }
}

/// Lets a demo's visitor see what a broken feed looks like.
#[component]
fn Cut(
    /// Where that is done.
    url: String,
) -> impl IntoView {
    view! {
        <form class="cut" method="post" action=url>
            <button type="submit">"Cut the feed for 90 s"</button>
            <p>"This is a demo: see how every board says so within two seconds, and how it comes back."</p>
        </form>
    }
}

/// When events may have been missed.
#[component]
fn Gaps(
    /// Newest first; `None` when they cannot be read.
    gaps: Option<Vec<KnownGap>>,
    /// Now.
    as_of: Timestamp,
    /// Of the times.
    zone: LocalZone,
) -> impl IntoView {
    let is_known = gaps.is_some();
    let rows = gaps.into_iter().flatten().map(|KnownGap { gap, cause, repaired_at }| {
        let length = gap.to.unwrap_or(as_of).since(gap.from);
        view! {
            <tr data-mark=if gap.to.is_none() { "act" } else { "normal" }>
                <th scope="row">{format!("{}, {}", zone.date(gap.from), zone.clock(gap.from))}</th>
                <td>{gap.to.map_or("still open".to_owned(), |to| zone.clock(to))}</td>
                <td>{seconds(length)}</td>
                <td>{repaired_at.map_or("not yet".to_owned(), |at| zone.clock(at))}</td>
                <td class="words">{cause}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! {
        <section class="part" aria-labelledby="gaps">
            <h2 id="gaps">"Gaps"</h2>
            <p>"Times in which events may have been missed, of the last seven days. A gap is repaired by reading what Zoom wrote down of its calls."</p>
            {if !is_known {
                view! { <p class="none">"Not known: the database cannot be read. Check the disk of the data folder."</p> }.into_any()
            } else if rows.is_empty() {
                view! { <p class="none">"None. A gap is written down whenever the feed was not provably alive."</p> }.into_any()
            } else {
                view! {
                    <div class="scroller" tabindex="0" role="group" aria-labelledby="gaps">
                        <table class="desk-table record-table">
                            <thead>
                                <tr><th scope="col">"From"</th><th scope="col">"To"</th><th scope="col">"Length"</th>
                                    <th scope="col">"Repaired"</th><th scope="col" class="words">"Cause"</th></tr>
                            </thead>
                            <tbody>{rows}</tbody>
                        </table>
                    </div>
                }.into_any()
            }}
        </section>
    }
}

/// What was last heard of each kind.
#[component]
fn Kinds(
    /// Newest first.
    kinds: Vec<EventKind>,
    /// Now.
    as_of: Timestamp,
    /// Of the times.
    zone: LocalZone,
) -> impl IntoView {
    let rows = kinds.into_iter().map(|kind| {
        view! {
            <tr data-mark="normal">
                <th scope="row">{kind.name}</th>
                <td>{numeral::big_count(kind.count)}</td>
                <td>{zone.clock(kind.last_at)}</td>
                <td>{numeral::age(as_of.since(kind.last_at))}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! {
        <section class="part" aria-labelledby="kinds">
            <h2 id="kinds">"Events by kind"</h2>
            <p>"Since this server started. A kind that never comes may be missing in the event subscription."</p>
            {if rows.is_empty() {
                view! { <p class="none">"No event has come yet. Make a test call to a queue to see the first."</p> }.into_any()
            } else {
                view! {
                    <div class="scroller" tabindex="0" role="group" aria-labelledby="kinds">
                        <table class="desk-table record-table">
                            <thead>
                                <tr><th scope="col">"Event"</th><th scope="col">"Count"</th><th scope="col">"Last at"</th><th scope="col">"Age"</th></tr>
                            </thead>
                            <tbody>{rows}</tbody>
                        </table>
                    </div>
                }.into_any()
            }}
        </section>
    }
}

/// When the UTC day after this instant begins: limits are counted by UTC days.
fn next_utc_day(now: Timestamp) -> Timestamp {
    const DAY: Duration = Duration::from_secs(86_400);
    let into_day = now.as_millis().rem_euclid(86_400_000);
    Timestamp::from_millis(now.as_millis() - into_day) + DAY
}

/// A length of time as people say it: `0.4 s`, `12 s`, `1 min 30 s`, `2 h 05 min`.
fn seconds(length: Duration) -> String {
    match length.as_secs() {
        0..10 => format!("{}.{}\u{a0}s", length.as_secs(), length.subsec_millis() / 100),
        seconds @ 10..60 => format!("{seconds}\u{a0}s"),
        seconds @ 60..3600 => format!("{}\u{a0}min {}\u{a0}s", seconds / 60, seconds % 60),
        seconds => format!("{}\u{a0}h {:02}\u{a0}min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_read_like_speech() {
        let told = |millis| seconds(Duration::from_millis(millis)).replace('\u{a0}', " ");
        assert_eq!(told(450), "0.4 s");
        assert_eq!(told(59_999), "59 s");
        assert_eq!(told(90_000), "1 min 30 s");
        assert_eq!(told(7_500_000), "2 h 05 min");
    }
}
