//! The figures of reports: what each is called, how it is counted, and how it is written on pages and in files.
//!
//! One list for the table, its definitions and its exports, so that they cannot differ.

use std::time::Duration;

use domain::{
    quality::Quality,
    report::{Callers, Sums},
    time::clock_face,
};

use crate::numeral;

/// One figure of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metric {
    /// Visits that entered.
    Offered,
    /// Answered by a person.
    Answered,
    /// Of these, after the promised time.
    AnsweredLate,
    /// The caller left, short abandons left out.
    Abandoned,
    /// The caller left within the short time.
    ShortAbandoned,
    /// The share of callers who left.
    AbandonRate,
    /// Went on to another queue or place.
    Overflowed,
    /// Went to a mailbox.
    Voicemail,
    /// Sent elsewhere by a person or rule.
    TransferredOut,
    /// The share that was answered in time.
    ServiceLevel,
    /// The mean wait of the answered.
    SpeedOfAnswer,
    /// The mean wait of those who left.
    TimeToAbandon,
    /// The mean wait of everybody.
    AverageWait,
    /// The wait that half of all callers did not exceed.
    Median,
    /// That 80 of 100 did not exceed.
    Percentile80,
    /// That 90 of 100 did not exceed.
    Percentile90,
    /// That 95 of 100 did not exceed.
    Percentile95,
    /// The longest wait.
    LongestWait,
    /// How sure the outcomes are.
    Quality,
}

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    /// What it is.
    pub what: &'static str,
    /// How it is counted.
    pub formula: &'static str,
    /// What counts and what does not.
    pub counts: &'static str,
    /// To which time it is credited.
    pub credited: &'static str,
}

const AT_ENTRY: &str = "To the instant at which the caller entered the queue.";
const AT_OUTCOME: &str = "To the instant at which the outcome came about.";

/// Where all of them come from.
pub const SOURCE: &str = "Visits to queues as Zoom’s record tells of them; until the record of a call is read, as its \
                          events told. A visit is counted when it is over: who still waits is on the boards.";
/// How sure all of them are.
pub const QUALITY: &str = "Measured where the record tells of every outcome, live where events alone tell of some, \
                           inferred where an end was worked out of silence. A quarter of an hour that changed after \
                           it had been over for 15 minutes is marked as revised.";

impl Metric {
    /// All of them, in the order of their columns.
    pub const ALL: [Self; 19] = [
        Self::Offered,
        Self::Answered,
        Self::AnsweredLate,
        Self::Abandoned,
        Self::ShortAbandoned,
        Self::AbandonRate,
        Self::Overflowed,
        Self::Voicemail,
        Self::TransferredOut,
        Self::ServiceLevel,
        Self::SpeedOfAnswer,
        Self::TimeToAbandon,
        Self::AverageWait,
        Self::Median,
        Self::Percentile80,
        Self::Percentile90,
        Self::Percentile95,
        Self::LongestWait,
        Self::Quality,
    ];

    /// Its place on the page of definitions.
    pub const fn anchor(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Answered => "answered",
            Self::AnsweredLate => "answered-late",
            Self::Abandoned => "abandoned",
            Self::ShortAbandoned => "short-abandons",
            Self::AbandonRate => "abandon-rate",
            Self::Overflowed => "overflow",
            Self::Voicemail => "voicemail",
            Self::TransferredOut => "transferred-out",
            Self::ServiceLevel => "service-level",
            Self::SpeedOfAnswer => "speed-of-answer",
            Self::TimeToAbandon => "time-to-abandon",
            Self::AverageWait => "average-wait",
            Self::Median | Self::Percentile80 | Self::Percentile90 | Self::Percentile95 => "percentiles",
            Self::LongestWait => "longest-wait",
            Self::Quality => "quality",
        }
    }

    /// Over its column.
    pub const fn heading(self) -> &'static str {
        match self {
            Self::Offered => "Offered",
            Self::Answered => "Answered",
            Self::AnsweredLate => "late",
            Self::Abandoned => "Abandoned",
            Self::ShortAbandoned => "Short",
            Self::AbandonRate => "Abandon rate",
            Self::Overflowed => "Overflow",
            Self::Voicemail => "Voicemail",
            Self::TransferredOut => "Transferred",
            Self::ServiceLevel => "Service level",
            Self::SpeedOfAnswer => "Avg. answer",
            Self::TimeToAbandon => "Avg. abandon",
            Self::AverageWait => "Avg. wait",
            Self::Median => "p50",
            Self::Percentile80 => "p80",
            Self::Percentile90 => "p90",
            Self::Percentile95 => "p95",
            Self::LongestWait => "Longest",
            Self::Quality => "How sure",
        }
    }

    /// Its full name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AnsweredLate => "Answered late",
            Self::ShortAbandoned => "Short abandons",
            Self::TransferredOut => "Transferred out",
            Self::SpeedOfAnswer => "Average speed of answer",
            Self::TimeToAbandon => "Average time to abandon",
            Self::AverageWait => "Average wait of everybody",
            Self::Median | Self::Percentile80 | Self::Percentile90 | Self::Percentile95 => {
                "Percentiles of waits: p50, p80, p90, p95"
            }
            Self::LongestWait => "Longest wait",
            Self::Quality => "How sure the outcomes are",
            metric => metric.heading(),
        }
    }

    /// Its column in files.
    pub const fn column(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Answered => "answered",
            Self::AnsweredLate => "answered_late",
            Self::Abandoned => "abandoned",
            Self::ShortAbandoned => "short_abandoned",
            Self::AbandonRate => "abandon_rate_percent",
            Self::Overflowed => "overflowed",
            Self::Voicemail => "voicemail",
            Self::TransferredOut => "transferred_out",
            Self::ServiceLevel => "service_level_percent",
            Self::SpeedOfAnswer => "average_speed_of_answer_seconds",
            Self::TimeToAbandon => "average_time_to_abandon_seconds",
            Self::AverageWait => "average_wait_seconds",
            Self::Median => "p50_wait_seconds",
            Self::Percentile80 => "p80_wait_seconds",
            Self::Percentile90 => "p90_wait_seconds",
            Self::Percentile95 => "p95_wait_seconds",
            Self::LongestWait => "longest_wait_seconds",
            Self::Quality => "quality",
        }
    }

    /// What it is. `O` offered, `A` answered, `B` left, `F` sent on; `T` the promised time, `s` the short time.
    pub const fn definition(self) -> Definition {
        match self {
            Self::Offered => Definition {
                what: "Visits to the queue. A call that enters two queues is two visits.",
                formula: "O = visits that entered",
                counts: "Every visit that is over, however it ended. Who waits over the end of an interval is offered in the one in which they entered, and in no other.",
                credited: AT_ENTRY,
            },
            Self::Answered => Definition {
                what: "Visits that a person answered.",
                formula: "A = visits with the outcome “answered”",
                counts: "Answers by whomever: members, or somebody who picked the call up. A mailbox is not an answer; nor is an answer in another queue, to which the call went on.",
                credited: AT_OUTCOME,
            },
            Self::AnsweredLate => Definition {
                what: "Of the answered, those who waited longer than promised.",
                formula: "A with a wait > T",
                counts: "T is what the queue promised when the caller entered.",
                credited: AT_OUTCOME,
            },
            Self::Abandoned => Definition {
                what: "Callers who left before anybody answered.",
                formula: "B with a wait > s",
                counts: "Short abandons are left out; they have a column of their own.",
                credited: AT_OUTCOME,
            },
            Self::ShortAbandoned => Definition {
                what: "Callers who left within the queue’s short time, 5 seconds unless set otherwise.",
                formula: "B_s = B with a wait ≤ s",
                counts: "Wrong numbers and second thoughts. Many of them tell of a confusing greeting, or of a fault.",
                credited: AT_OUTCOME,
            },
            Self::AbandonRate => Definition {
                what: "The share of callers who left.",
                formula: "(B − B_s) / (A + B + F − B_s)",
                counts: "Short abandons are left out above and below.",
                credited: AT_OUTCOME,
            },
            Self::Overflowed => Definition {
                what: "Visits that the queue sent on to another queue or place.",
                formula: "visits with the outcome “overflow”",
                counts: "By reason, where the record leaves one answer only: the longest wait was reached, the queue was full, or no agent was there. An answer elsewhere is no answer of this queue.",
                credited: AT_OUTCOME,
            },
            Self::Voicemail => Definition {
                what: "Visits that ended in a mailbox.",
                formula: "visits with the outcome “voicemail”",
                counts: "With or without a message. Never an answer.",
                credited: AT_OUTCOME,
            },
            Self::TransferredOut => Definition {
                what: "Visits that a person or rule sent elsewhere before an answer.",
                formula: "visits with the outcome “transferred by a person”",
                counts: "Transfers after an answer are answered visits.",
                credited: AT_OUTCOME,
            },
            Self::ServiceLevel => Definition {
                what: "The share of visits that were answered within the promised time.",
                formula: "A with a wait ≤ T, of all that are decided, short abandons left out: A_T / (O − B_s), unless another definition was promised",
                counts: "Each visit by what its queue promised when the caller entered; of several queues it is the share of visits that met their own queue’s promise. Overflow and voicemail count as not answered. Rounded down; below 10 decided visits it is written as “4 of 5”. Every definition in use stands beside it in a report.",
                credited: "To the instant at which it was decided: answered, gone, or past the promised time, whichever was first.",
            },
            Self::SpeedOfAnswer => Definition {
                what: "How long those waited who were answered, on average (ASA).",
                formula: "sum of the waits of the answered / A",
                counts: "From entering the queue to the answer, ringing included; greetings and menus before the queue are not. Who gave up is not in it: see the average wait of everybody.",
                credited: AT_OUTCOME,
            },
            Self::TimeToAbandon => Definition {
                what: "How long those waited who left, on average.",
                formula: "sum of the waits of those who left / B",
                counts: "Short abandons included.",
                credited: AT_OUTCOME,
            },
            Self::AverageWait => Definition {
                what: "How long callers waited on average, whatever became of them.",
                formula: "sum of all waits / (A + B + F)",
                counts: "Every visit that is over.",
                credited: AT_OUTCOME,
            },
            Self::Median | Self::Percentile80 | Self::Percentile90 | Self::Percentile95 => Definition {
                what: "The wait that so many of a hundred callers did not exceed.",
                formula: "the wait in place ⌈p · n⌉ of all n waits, the shortest first",
                counts: "In the tables, everybody; in “Waits” also the answered alone. Worked out of histograms that are added up, never of averages: exact to 2 %, and told to the nearest second.",
                credited: AT_OUTCOME,
            },
            Self::LongestWait => Definition {
                what: "The longest wait.",
                formula: "the greatest of all waits",
                counts: "Every visit that is over.",
                credited: AT_OUTCOME,
            },
            Self::Quality => Definition {
                what: "Whether Zoom’s record tells of the outcomes.",
                formula: "outcomes that the record tells of, of all",
                counts: "Measured: all of them. Live: some are told by events alone, and may be corrected. Inferred: of some nobody told the end, and it was worked out of silence. The percentage is the measured part, rounded down.",
                credited: AT_OUTCOME,
            },
        }
    }

    /// What the list of calls has to be asked for, besides queues and time, to show just the calls that count.
    pub const fn calls(self) -> Option<&'static str> {
        match self {
            Self::Offered => Some("credit=entered"),
            Self::Answered => Some("credit=left&outcome=answered"),
            Self::AnsweredLate => Some("credit=left&outcome=answered&late=1"),
            Self::Abandoned => Some("credit=left&outcome=abandoned"),
            Self::ShortAbandoned => Some("credit=left&outcome=short_abandoned"),
            Self::Overflowed => Some("credit=left&outcome=overflowed"),
            Self::Voicemail => Some("credit=left&outcome=voicemail"),
            Self::TransferredOut => Some("credit=left&outcome=transferred_out"),
            // The one at the top.
            Self::LongestWait => Some("credit=left&sort=-wait"),
            _ => None,
        }
    }

    /// How many calls it counts.
    pub const fn count(self, sums: &Sums) -> Option<u32> {
        Some(match self {
            Self::Offered => sums.offered,
            Self::Answered => sums.answered,
            Self::AnsweredLate => sums.answered_late(),
            Self::Abandoned => sums.abandoned,
            Self::ShortAbandoned => sums.short_abandoned,
            Self::Overflowed => sums.overflowed,
            Self::Voicemail => sums.voicemail,
            Self::TransferredOut => sums.transferred_out,
            _ => return None,
        })
    }

    /// To the whole second, as pages and files tell it.
    fn wait(self, sums: &Sums) -> Option<Duration> {
        match self {
            Self::SpeedOfAnswer => sums.average_speed_of_answer(),
            Self::TimeToAbandon => sums.average_time_to_abandon(),
            Self::AverageWait => sums.average_wait(),
            Self::Median => percentile(sums, Callers::All, 50),
            Self::Percentile80 => percentile(sums, Callers::All, 80),
            Self::Percentile90 => percentile(sums, Callers::All, 90),
            Self::Percentile95 => percentile(sums, Callers::All, 95),
            Self::LongestWait => sums.longest_wait(),
            _ => None,
        }
    }

    /// As a page shows it.
    pub fn text(self, sums: &Sums) -> String {
        let or_nothing = |text: Option<String>| text.unwrap_or_else(|| numeral::NOTHING_TO_DIVIDE.to_owned());
        match self {
            Self::AbandonRate => {
                let (abandoned, whole) = sums.abandon_rate();
                or_nothing(numeral::share(abandoned, whole))
            }
            Self::ServiceLevel => {
                let (text, unit) = numeral::service_level(sums.promised);
                if unit.is_empty() { text } else { format!("{text}\u{a0}{unit}") }
            }
            Self::Quality => match sums.quality() {
                None => numeral::NOTHING_TO_DIVIDE.to_owned(),
                Some(Quality::Measured) => Quality::Measured.word().to_owned(),
                Some(quality) => {
                    let permille = u64::from(sums.measured) * 1000 / u64::from(sums.finished().max(1));
                    let permille = u16::try_from(permille).unwrap_or(1000);
                    format!("{}, {}\u{a0}%", quality.word(), numeral::whole_percent(permille))
                }
            },
            _ => match self.count(sums) {
                Some(count) => numeral::count(count),
                None => or_nothing(self.wait(sums).map(clock_face)),
            },
        }
    }

    /// As a file holds it: the digits of [`Metric::text`] without what is there for the eye, waits in the same whole
    /// seconds, which no program takes for a time of day, and nothing where there is nothing to divide.
    pub fn plain(self, sums: &Sums) -> String {
        match self {
            Self::AbandonRate => {
                let (abandoned, whole) = sums.abandon_rate();
                let share = numeral::share(abandoned, whole).unwrap_or_default();
                share.trim_end_matches(['\u{a0}', '%']).to_owned()
            }
            Self::ServiceLevel => sums.promised.permille().map(numeral::whole_percent).unwrap_or_default(),
            Self::Quality => sums.quality().map(|quality| quality.word().to_owned()).unwrap_or_default(),
            _ => match self.count(sums) {
                Some(count) => count.to_string(),
                None => self.wait(sums).map(|wait| wait.as_secs().to_string()).unwrap_or_default(),
            },
        }
    }
}

/// A percentile to the nearest second, never more than the longest wait as it is told. It is the middle of a band:
/// cut off, whole seconds would read as the one before.
pub fn percentile(sums: &Sums, callers: Callers, percent: u8) -> Option<Duration> {
    let nearest = (sums.percentile(callers, percent)? + Duration::from_millis(500)).as_secs();
    Some(Duration::from_secs(nearest.min(sums.longest_wait.as_secs())))
}

#[cfg(test)]
mod tests {
    use domain::service_level::ServiceLevel;

    use super::*;

    #[test]
    fn a_file_has_the_digits_of_the_page() {
        let mut sums = Sums {
            offered: 12_480,
            answered: 9_000,
            answered_in_time: 7_000,
            abandoned: 480,
            short_abandoned: 20,
            answered_wait: Duration::from_secs(9_000 * 61),
            wait: Duration::from_secs(700_000),
            longest_wait: Duration::from_secs(3_731),
            promised: ServiceLevel { met: 7_000, decided: 9_480 },
            measured: 9_000,
            ..Sums::default()
        };
        sums.answered_waits.add(Duration::from_secs(3_731));
        let told = |metric: Metric| (metric.text(&sums), metric.plain(&sums));
        for (metric, text, plain) in [
            (Metric::Offered, "12,480", "12480"),
            (Metric::AnsweredLate, "2,000", "2000"),
            (Metric::AbandonRate, "5.1\u{a0}%", "5.1"),
            (Metric::ServiceLevel, "73\u{a0}%", "73"),
            (Metric::SpeedOfAnswer, "1:01", "61"),
            (Metric::LongestWait, "1:02:11", "3731"),
            (Metric::Quality, "live, 94\u{a0}%", "live"),
        ] {
            assert_eq!(told(metric), (text.to_owned(), plain.to_owned()));
        }
        for metric in Metric::ALL.into_iter().filter(|metric| *metric != Metric::Quality) {
            let (text, plain) = told(metric);
            let text = match plain.parse().map(Duration::from_secs) {
                Ok(wait) if text.contains(':') => text.replace(&clock_face(wait), &plain),
                _ => text.replace([',', '\u{a0}', '%'], ""),
            };
            assert_eq!(text, plain, "{metric:?}");
        }
    }

    #[test]
    fn percentiles_of_whole_seconds_are_told_as_these_seconds() {
        for seconds in 1..25 {
            let mut sums = Sums { longest_wait: Duration::from_secs(60), ..Sums::default() };
            sums.answered_waits.add(Duration::from_secs(seconds));
            let clock = clock_face(Duration::from_secs(seconds));
            assert_eq!(
                (Metric::Median.text(&sums), Metric::Median.plain(&sums)),
                (clock, seconds.to_string())
            );
        }
        let mut sums = Sums { answered: 1, longest_wait: Duration::from_millis(10_900), ..Sums::default() };
        sums.answered_waits.add(sums.longest_wait);
        assert_eq!(Metric::Percentile95.text(&sums), Metric::LongestWait.text(&sums), "never more");
    }

    #[test]
    fn of_nothing_there_is_nothing() {
        let none = Sums::default();
        for metric in Metric::ALL {
            match metric.count(&none) {
                Some(_) => {
                    assert_eq!((metric.text(&none).as_str(), metric.plain(&none).as_str()), ("0", "0"))
                }
                None => assert_eq!((metric.text(&none).as_str(), metric.plain(&none).as_str()), ("n/a", "")),
            }
        }
    }

    #[test]
    fn few_decided_visits_are_shown_as_they_are() {
        let sums = Sums { promised: ServiceLevel { met: 4, decided: 5 }, ..Sums::default() };
        assert_eq!(Metric::ServiceLevel.text(&sums), "4\u{a0}of\u{a0}5");
        assert_eq!(Metric::ServiceLevel.plain(&sums), "80");
    }
}
