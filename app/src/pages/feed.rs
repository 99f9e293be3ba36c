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
    components::scroll_hint::ScrollHint,
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
    /// How a demo's visitor may cut the feed.
    pub cut: Option<CutControl>,
}

/// How a demo's visitor cuts the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutControl {
    /// Where that is asked for, an address of this server.
    pub url: String,
    /// Until when it is cut, when somebody did.
    pub until: Option<Timestamp>,
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
    /// Events that came and had come before.
    pub sent_again: u64,
    /// Records that Callboard read and had read before.
    pub read_again: u64,
    /// Messages nobody could read.
    pub quarantined: u64,
    /// Messages that were not written.
    pub lost: u64,
    /// Events about calls that were over for hours.
    pub late: u64,
    /// Queues that calls have named and the directory does not know.
    pub unmatched: u64,
    /// Of these, queues without a row, being too many.
    pub unlisted: u64,
    /// When the directory was last read.
    pub directory_read_at: Option<Timestamp>,
    /// What is wrong with the directory, one sentence with the next step.
    pub directory_problem: Option<String>,
    /// What could not be read of Zoom's record, one sentence with the next step.
    pub record_problem: Option<String>,
    /// What of it is being read right now, one sentence.
    pub reading: Option<String>,
    /// Whose presence could not be read, one sentence with the next step.
    pub presence_problem: Option<String>,
    /// Whose names are known.
    pub phones: PhonesKnown,
    /// What was asked of Zoom today; `None` where Callboard cannot ask.
    pub requests: Option<RequestFacts>,
    /// What can be shown of the past; `None` when that cannot be read.
    pub past: Option<PastKept>,
    /// Events by kind.
    pub kinds: Vec<EventKind>,
    /// Intervals in which events may have been missed, newest first; `None` when the record of them cannot
    /// be read.
    pub gaps: Option<Vec<KnownGap>>,
}

/// How far back any instant can be shown, and what that takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PastKept {
    /// The earliest instant; `None` while there is none.
    pub since: Option<Timestamp>,
    /// For how many days instants are kept.
    pub days: u64,
    /// Bytes of the whole database.
    pub database_bytes: u64,
    /// Events that are older than a day and packed.
    pub packed_events: u64,
    /// Bytes they take.
    pub packed_bytes: u64,
    /// Instants of which the board was worked out again and compared with what was published then.
    pub proved: u64,
    /// Of these, those at which something else was published.
    pub differing: u64,
    /// Others whose board could not be worked out.
    pub unproved: u64,
}

impl PastKept {
    fn words(&self) -> String {
        let packed = match self.packed_events {
            0 => String::new(),
            events => format!(
                " Older than a day are {} events, at {} bytes each.",
                numeral::big_count(events),
                self.packed_bytes / events
            ),
        };
        let proved = match (self.proved, self.differing) {
            (0, _) => String::new(),
            (proved, 0) => format!(
                " Worked out again and compared since the start: {} instants, all as they were published.",
                numeral::big_count(proved)
            ),
            (proved, differing) => format!(
                " Worked out again and compared since the start: {} instants, of which {} were published otherwise, \
                 which is a bug; the server’s log names them.",
                numeral::big_count(proved),
                numeral::big_count(differing)
            ),
        };
        let unproved = match self.unproved {
            0 => String::new(),
            unproved => format!(
                " Instants that could not be worked out and compared: {}. A part of the record before them is missing, \
                 or was not ready yet; the server’s log says which.",
                numeral::big_count(unproved)
            ),
        };
        format!(
            "Kept for {} days, with everything that is needed to show it again.{packed}{proved}{unproved}",
            self.days
        )
    }
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
    /// When they are read; `None` while the gap lasts, and where Callboard cannot ask for them.
    pub repair_due_at: Option<Timestamp>,
}

/// The whole page.
pub fn feed_page(page: FeedPage) -> impl IntoView {
    let FeedPage { site, zone, as_of, feed, cut } = page;
    let liveness = Liveness::Reloaded { as_of, zone: zone.clone() };
    let made_at = format!("{} ({})", zone.clock(as_of), zone.label);
    let (kinds, gaps) = (feed.kinds.clone(), feed.gaps.clone());
    let (of_gaps, of_kinds, of_requests, of_cut) = (zone.clone(), zone.clone(), zone.clone(), zone.clone());
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
                {cut.map(|control| view! { <Cut control as_of zone=of_cut /> })}
                <Troubles feed=feed.clone() />
                <Gaps gaps as_of zone=of_gaps />
                <Facts feed as_of zone />
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
            format!("Callboard has not heard Zoom since {}. What happened since then is missing until Zoom’s record of it is read.", feed.heard_at.map_or(since, |at| zone.clock(at))),
        ),
        FeedLink::Contested => (
            "lost",
            "Zoom keeps closing the connection. Another program may be taking the event subscription, which only one may use: if there is one, stop it or make it a subscription of its own."
                .to_owned(),
        ),
    };
    let FeedFacts { problem, directory_problem, record_problem, reading, presence_problem, phones, .. } =
        feed;
    let problems = [problem, record_problem, directory_problem, presence_problem, phones.problem];
    let problems = problems.into_iter().flatten();
    view! {
        <div class="verdict link" data-state=state role="status">
            <span class="dot" aria-hidden="true"></span>
            <div>
                <p>{sentence}</p>
                {problems.map(|problem| view! { <p class="verdict-problem">{problem}</p> }).collect_view()}
                {reading.map(|reading| view! { <p>{reading}</p> })}
            </div>
        </div>
    }
}

/// What was lost or could not be used, gravest first; one quiet line when nothing was.
#[component]
fn Troubles(
    /// What is known.
    feed: FeedFacts,
) -> impl IntoView {
    let troubles = [
        (
            feed.lost,
            "Events that could not be saved",
            "The disk refused them: make room or mend it. They are a gap below.",
        ),
        (
            feed.quarantined,
            "Messages that could not be read",
            "Kept aside with the reason; the numbers may lack them.",
        ),
        (
            feed.unmatched,
            "Queues that Zoom’s directory does not list",
            "Calls mention them. Their rows say “not in the directory” and have no members.",
        ),
        (
            feed.unlisted,
            "Of these, queues without a row",
            "They are too many for a board. It has a row for those with callers now and the most callers today; \
             the others are counted in the sums of all queues.",
        ),
        (feed.late, "Events that came too late to count", "They tell of calls that were over for hours."),
    ];
    let found = troubles.into_iter().filter(|(number, ..)| *number > 0).map(|(number, name, meaning)| {
        view! {
            <div class="trouble" data-mark="watch">
                <dt>{name}</dt>
                <dd>
                    <span class="number">{numeral::big_count(number)}</span>
                    <p>{meaning}</p>
                </dd>
            </div>
        }
    });
    let found = found.collect_view();
    if found.is_empty() {
        view! { <p class="none">"Of the events that arrived since this server started, none was lost, unreadable or too late."</p> }
            .into_any()
    } else {
        view! { <dl class="troubles">{found}</dl> }.into_any()
    }
}

/// Harmless numbers about the feed, each with what it means.
#[component]
fn Facts(
    /// What is known.
    feed: FeedFacts,
    /// When.
    as_of: Timestamp,
    /// Of the times.
    zone: LocalZone,
) -> impl IntoView {
    // An age of something that is over would look like news.
    let is_lost = matches!(feed.link, FeedLink::Down | FeedLink::Contested);
    let ago = |at: Option<Timestamp>| at.map_or("never".to_owned(), |at| numeral::age(as_of.since(at)));
    let heard = |at: Option<Timestamp>| match at {
        Some(at) if is_lost => format!("at {}", zone.clock(at)),
        at => ago(at),
    };
    let extensions = feed.phones.words();
    let past = feed.past.unwrap_or_default();
    let shown_since = past.since.map_or("nothing yet".to_owned(), |since| {
        format!("since {}, {}", zone.date(since), zone.hour_and_minute(since))
    });
    let kept = past.words();
    let facts = [
        (
            "Last sign of life",
            heard(feed.heard_at),
            "Zoom answers a heartbeat every 25 s, also when nobody calls.",
        ),
        ("Newest event", heard(feed.newest_at), "At night this may be hours ago and nothing is wrong."),
        (
            "Its delay",
            feed.lag.map_or(numeral::UNKNOWN.to_owned(), seconds),
            "How long the newest event was on its way, by Zoom’s clock and this server’s.",
        ),
        ("Events saved", numeral::big_count(feed.journalled), "Since this server started."),
        (
            "Events that came again",
            numeral::big_count(feed.sent_again),
            "Zoom sent them twice, or by WebSocket and by webhook; each is counted once.",
        ),
        (
            "Records read again",
            numeral::big_count(feed.read_again),
            "Callboard itself asked for them a second time, by day, after gaps and at night, and they had not changed.",
        ),
        (
            "Reconnections",
            numeral::big_count(feed.reconnects),
            "Zoom ends each connection after an hour at most; Callboard changes over before.",
        ),
        (
            "Sign-in with Zoom",
            feed.token_expires_at.map_or(numeral::UNKNOWN.to_owned(), |at| {
                format!("valid until {}", zone.hour_and_minute(at))
            }),
            "Renewed by itself before it ends.",
        ),
        (
            "Queues and members read",
            ago(feed.directory_read_at),
            "Who takes calls is asked for again and again: Zoom does not tell when it changes.",
        ),
        ("Extensions known", numeral::big_count(feed.phones.count()), &extensions),
        (
            "The past",
            shown_since,
            "The numbers of any instant since then can be looked at again, as they were published: “Look back” on the boards.",
        ),
        ("The database", numeral::bytes(past.database_bytes), &kept),
    ];
    let rows = facts.into_iter().map(|(name, value, meaning)| {
        view! {
            <div class="fact">
                <dt>{name}</dt>
                <dd class="number">{value}</dd>
                <dd class="fact-meaning">{meaning.to_owned()}</dd>
            </div>
        }
    });
    view! { <dl class="facts">{rows.collect_view()}</dl> }
}

/// Lets a demo's visitor see what a broken feed looks like.
#[component]
fn Cut(
    /// Where that is done, and until when it is.
    control: CutControl,
    /// Now.
    as_of: Timestamp,
    /// Of the times.
    zone: LocalZone,
) -> impl IntoView {
    let CutControl { url, until } = control;
    let until = until.filter(|until| *until > as_of);
    let words = match until {
        Some(until) => format!(
            "Cut until {}, {} to go. Callboard reconnects within half a minute of that, and reads from Zoom’s \
             record what it missed.",
            zone.clock(until),
            seconds(until.since(as_of))
        ),
        None => "This is a demo: see how every board says so within two seconds, and how it comes back."
            .to_owned(),
    };
    view! {
        <form class="cut" method="post" action=url>
            <button type="submit" disabled=until.is_some()>
                {if until.is_some() { "The feed is cut" } else { "Cut the feed for 90 s" }}
            </button>
            <p>{words}</p>
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
    let rows = gaps.into_iter().flatten().map(|KnownGap { gap, cause, repaired_at, repair_due_at }| {
        let length = gap.to.unwrap_or(as_of).since(gap.from);
        let repair = match (repaired_at, gap.to, repair_due_at) {
            (Some(at), ..) => format!("at {}", zone.clock(at)),
            (None, None, _) => "when it is over".to_owned(),
            (None, Some(_), None) => "never: needs the app’s credentials".to_owned(),
            (None, Some(_), Some(due)) if due > as_of => format!("begins at {}", zone.clock(due)),
            (None, Some(_), Some(_)) => "now, until Zoom answers".to_owned(),
        };
        view! {
            <tr data-mark=if gap.to.is_none() { "act" } else { "normal" }>
                <th scope="row">{format!("{}, {}", zone.date(gap.from), zone.clock(gap.from))}</th>
                <td>{gap.to.map_or("still open".to_owned(), |to| zone.clock(to))}</td>
                <td>{seconds(length)}</td>
                <td>{repair}</td>
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
                    <ScrollHint />
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
    let number = kinds.len();
    let rows = kinds.into_iter().map(|kind| {
        view! {
            <tr data-mark="normal">
                <th scope="row">
                    {plain_name(&kind.name)} " "
                    <code>{kind.name}</code>
                </th>
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
                    <details>
                        <summary>{format!("Show all {number}")}</summary>
                        <ScrollHint />
                        <div class="scroller" tabindex="0" role="group" aria-labelledby="kinds">
                            <table class="desk-table record-table">
                                <thead>
                                    <tr><th scope="col">"Event"</th><th scope="col">"Count"</th><th scope="col">"Last at"</th><th scope="col">"Age"</th></tr>
                                </thead>
                                <tbody>{rows}</tbody>
                            </table>
                        </div>
                    </details>
                }.into_any()
            }}
        </section>
    }
}

/// Zoom's name of an event in plain words: `phone.callee_ringing` is `Callee ringing`.
fn plain_name(name: &str) -> String {
    let words = name.rsplit('.').next().unwrap_or(name).replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
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
    fn events_have_plain_names() {
        assert_eq!(plain_name("a_family.callee_ringing"), "Callee ringing");
        assert_eq!(plain_name(""), "");
    }

    #[test]
    fn lengths_read_like_speech() {
        let told = |millis| seconds(Duration::from_millis(millis)).replace('\u{a0}', " ");
        assert_eq!(told(450), "0.4 s");
        assert_eq!(told(59_999), "59 s");
        assert_eq!(told(90_000), "1 min 30 s");
        assert_eq!(told(7_500_000), "2 h 05 min");
    }
}
