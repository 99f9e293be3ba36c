//! What Callboard asks Zoom by itself, and how much of that is left for today.

use domain::time::Timestamp;
use leptos::prelude::*;

use crate::{components::scroll_hint::ScrollHint, numeral, zone::LocalZone};

/// The requests of today and what may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestFacts {
    /// The part of the account's quota that Callboard uses at most, in percent.
    pub share_percent: u8,
    /// By kind; kinds that were never used may be left out.
    pub kinds: Vec<RequestKind>,
}

/// The requests of one kind since the UTC day began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKind {
    /// What is asked.
    pub topic: RequestTopic,
    /// How many went out.
    pub used: u64,
    /// How many more may go out today.
    pub left: RequestsLeft,
    /// How many Zoom refused because of a limit.
    pub refused: u64,
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestTopic {
    /// Details of one thing of Zoom Phone.
    Details,
    /// Lists of Zoom Phone.
    Lists,
    /// Finished calls.
    History,
    /// Reports over much data of Zoom Phone.
    Reports,
    /// Details of one person.
    Person,
    /// Lists of people, and who is present.
    People,
    /// Whatever else weighs much.
    Other,
}

/// How many more requests may go out today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestsLeft {
    /// Zoom limits these by the second only.
    Unlimited,
    /// So many of so many.
    Some {
        /// Left today.
        left: u64,
        /// The share of a day.
        of: u64,
    },
    /// Zoom said that all apps of the account together have used them up until then.
    NoneUntil(Timestamp),
}

impl RequestTopic {
    const fn words(self) -> &'static str {
        match self {
            Self::Details => "A queue’s members, and records of single calls",
            Self::Lists => "Lists of queues and phones, for names",
            Self::History => "Lists of finished calls, every few minutes and after gaps",
            Self::Reports => "Reports",
            Self::Person => "Details of a person",
            Self::People => "Lists of people, and who is signed in",
            Self::Other => "Other requests",
        }
    }
}

/// Today's requests, by kind.
#[component]
pub(super) fn Requests(
    /// What is known.
    requests: RequestFacts,
    /// When the next day of the count begins.
    next_day: Timestamp,
    /// Of the times.
    zone: LocalZone,
) -> impl IntoView {
    let RequestFacts { share_percent, kinds } = requests;
    let rows = kinds.into_iter().map(|RequestKind { topic, used, left, refused }| {
        let (words, mark) = match left {
            RequestsLeft::Unlimited => ("no daily limit".to_owned(), "normal"),
            RequestsLeft::Some { left: 0, .. } => {
                (format!("none until {}", zone.hour_and_minute(next_day)), "act")
            }
            RequestsLeft::Some { left, of } => (
                format!("{} of {}", numeral::big_count(left), numeral::big_count(of)),
                if left * 5 < of { "watch" } else { "normal" },
            ),
            RequestsLeft::NoneUntil(at) => (format!("none until {}", zone.hour_and_minute(at)), "act"),
        };
        view! {
            <tr data-mark=mark>
                <th scope="row">{topic.words()}</th>
                <td>{numeral::big_count(used)}</td>
                <td>{words}</td>
                <td>{numeral::big_count(refused)}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let explanation = format!(
        "Zoom sends events by itself. Callboard requests the rest: names and members, who is signed in, and the \
         records that repair gaps and correct the last days. All apps of the account share Zoom’s limits: \
         Callboard uses at most {share_percent} % of it. The count \
         begins anew at {}.",
        zone.hour_and_minute(next_day)
    );
    view! {
        <section class="part" aria-labelledby="requests">
            <h2 id="requests">"Requests to Zoom’s API today"</h2>
            <p>{explanation}</p>
            <ScrollHint />
            <div class="scroller" tabindex="0" role="group" aria-labelledby="requests">
                <table class="desk-table record-table">
                    <thead>
                        <tr><th scope="col">"What"</th><th scope="col">"Sent"</th><th scope="col">"Left"</th>
                            <th scope="col">"Refused"</th></tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    }
}
