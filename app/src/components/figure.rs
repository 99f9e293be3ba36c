//! One large number about the whole board: label, number, and what it means now.

use domain::{
    quality::Quality,
    time::{Timestamp, clock_face},
    view::{Level, SMALL_SAMPLE, Totals},
};
use leptos::prelude::*;

use super::state_mark::{Mark, StateMark};
use crate::{
    agent_words,
    column::{Column, OR_MORE},
    live_board::{LiveBoard, LiveText, State, Sureness},
    numeral,
    zone::LocalZone,
};

/// What the number is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Callers waiting now.
    Waiting,
    /// The longest of their waits.
    Longest,
    /// Members free.
    Free,
    /// Callers connected now.
    Talking,
    /// The promise, today.
    ServiceLevel,
    /// Visits answered today.
    Answered,
    /// Visits lost today.
    Abandoned,
}

/// A figure as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FigureFace {
    /// The number.
    pub text: String,
    /// What stands small behind it.
    pub unit: String,
    /// What it means now.
    pub note: String,
    /// How alarming it is.
    pub level: Level,
    /// How sure it is.
    pub quality: Quality,
}

impl FigureFace {
    /// A count that alarms nobody.
    pub fn count(number: u32, note: String) -> Self {
        let text = numeral::short_count(number);
        Self { text, unit: String::new(), note, level: Level::Normal, quality: Quality::Live }
    }

    /// The same where nobody knows the number.
    pub fn unknown(self) -> Self {
        Self {
            text: numeral::UNKNOWN.to_owned(),
            note: "unknown now".to_owned(),
            quality: Quality::Unknown,
            ..self
        }
    }

    /// What style sheets need to know of it, as words.
    fn words(&self) -> String {
        match (self.quality, self.text.as_str()) {
            (Quality::Unknown, _) | (_, NOBODY) => "quiet",
            (Quality::Inferred, _) => "inferred",
            _ => "",
        }
        .to_owned()
    }

    /// About how wide it is in a bold and wide font, in tenths of its size: even steps from 14 to 46.
    ///
    /// The style sheet has a rule for each, so that a number that is too long for its cell is set
    /// smaller instead of being cut off.
    fn width(&self) -> usize {
        let width = |text: &str, digit: usize| -> usize {
            text.chars()
                .map(
                    |character| if ":,. /\u{2009}\u{a0}".contains(character) { digit * 4 / 7 } else { digit },
                )
                .sum()
        };
        let hundredths =
            width(&self.text, 68) + if self.unit.is_empty() { 0 } else { 18 + width(&self.unit, 24) };
        (hundredths.div_ceil(20) * 2).clamp(14, 46)
    }
}

/// What a figure is made from.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// All queues together.
    pub totals: &'a Totals,
    /// The instant to which waits have ticked.
    pub at: Timestamp,
    /// How alarming the waits are.
    pub wait_level: Level,
    /// Where the caller who has waited longest waits; `None` where there is but one queue.
    pub longest_in: Option<&'a str>,
    /// The zone of times in notes.
    pub zone: &'a LocalZone,
    /// How sure the rows below are, and with them the figures above.
    pub sure: Sureness,
}

/// Stands for the longest wait while nobody waits.
const NOBODY: &str = "none";

impl<'a> Sources<'a> {
    fn of(state: &'a State) -> Self {
        let alone = state.latest.queues.len() == 1;
        Self {
            totals: &state.totals,
            at: state.shown_at,
            wait_level: state.wait_level,
            longest_in: if alone { None } else { state.longest_in() },
            zone: &state.zone,
            sure: state.sure,
        }
    }
}

impl Subject {
    /// For a board of several queues.
    pub const BOARD: [Self; 5] =
        [Self::Waiting, Self::Longest, Self::Free, Self::ServiceLevel, Self::Abandoned];
    /// For one queue alone.
    pub const QUEUE: [Self; 6] =
        [Self::Waiting, Self::Longest, Self::Free, Self::Talking, Self::ServiceLevel, Self::Abandoned];
    /// For a desk.
    pub const DESK: [Self; 6] =
        [Self::Waiting, Self::Longest, Self::Free, Self::ServiceLevel, Self::Answered, Self::Abandoned];

    /// What it is called.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Waiting => "Waiting now",
            Self::Longest => "Longest wait",
            Self::Free => "Available",
            Self::Talking => "Talking",
            Self::ServiceLevel => "Service level",
            Self::Answered => "Answered",
            Self::Abandoned => "Abandoned",
        }
    }

    /// The word in style sheets.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Longest => "longest",
            Self::Free => "free",
            Self::Talking => "talking",
            Self::ServiceLevel => "service-level",
            Self::Answered => "answered",
            Self::Abandoned => "abandoned",
        }
    }

    /// The column of the same numbers, queue by queue.
    const fn column(self) -> Column {
        match self {
            Self::Waiting => Column::Waiting,
            Self::Longest => Column::Longest,
            Self::Free => Column::Free,
            Self::Talking => Column::Talking,
            Self::ServiceLevel => Column::ServiceLevel,
            Self::Answered => Column::Answered,
            Self::Abandoned => Column::Abandoned,
        }
    }

    /// The figure now.
    pub fn face(self, sources: Sources<'_>) -> FigureFace {
        let Sources { totals, at, wait_level, longest_in, zone, sure } = sources;
        let figures = &totals.figures;
        let quality = sure.of_column(self.column());
        let plain = |text: String, note: String| FigureFace {
            text,
            unit: String::new(),
            note,
            level: Level::Normal,
            quality,
        };
        let unknown = |note: &str| FigureFace {
            quality: Quality::Unknown,
            ..plain(numeral::UNKNOWN.to_owned(), note.to_owned())
        };
        if self == Self::Free && totals.members == 0 && totals.members_incomplete {
            return unknown("members unknown");
        }
        if quality == Quality::Unknown {
            return unknown("unknown now");
        }
        match self {
            Self::Waiting => {
                let threshold = match totals.shared_threshold_seconds {
                    Some(seconds) => format!("{seconds}\u{a0}s"),
                    None => "target".to_owned(),
                };
                // The longest wait ticks here, ahead of what the server counted.
                let ticked = totals.shared_threshold_seconds.zip(figures.oldest_waiting_since);
                let ticked_beyond =
                    ticked.is_some_and(|(seconds, since)| at.since(since).as_secs() >= seconds.into());
                let beyond = totals.waiting_beyond_threshold.max(u32::from(ticked_beyond));
                let note = match (figures.waiting, beyond) {
                    (0, _) => "nobody seen".to_owned(),
                    (_, 0) => format!("none beyond {threshold}"),
                    (_, beyond) => format!("{} beyond {threshold}", numeral::count(beyond)),
                };
                // One caller beyond it makes the wait alarming, not the crowd.
                let is_crowd = beyond.saturating_mul(2) >= figures.waiting;
                FigureFace {
                    unit: if sure.or_more { OR_MORE } else { "" }.to_owned(),
                    level: if is_crowd { wait_level } else { wait_level.min(Level::Watch) },
                    ..plain(numeral::short_count(figures.waiting), note)
                }
            }
            Self::Longest => {
                let Some(since) = figures.oldest_waiting_since else {
                    return plain(NOBODY.to_owned(), "nobody seen waiting".to_owned());
                };
                // Where to go says more than since when, and a wall has room for one of them.
                let note = match longest_in {
                    Some(queue) => numeral::shortened(queue, 22),
                    None => format!("since {}", zone.clock(since)),
                };
                FigureFace { level: wait_level, ..plain(clock_face(at.since(since)), note) }
            }
            Self::Free => {
                let idle = totals.idle().map_or(numeral::UNKNOWN.to_owned(), numeral::short_count);
                let nobody = totals.members_available == 0 && figures.waiting > 0;
                let kept = agent_words::kept(&totals.members_busy, totals.members, totals.members_available);
                let note = match (kept.as_str(), totals.members_incomplete) {
                    ("", true) => "members partly unknown".to_owned(),
                    ("", false) => "members who can help".to_owned(),
                    _ => kept,
                };
                // A queue whose members are not known has some, too.
                let or_more = if totals.members_incomplete { OR_MORE } else { "" };
                FigureFace {
                    unit: format!("/\u{2009}{}{or_more}", numeral::short_count(totals.members)),
                    level: if nobody { Level::Watch } else { Level::Normal },
                    ..plain(idle, note)
                }
            }
            Self::Talking => plain(
                numeral::short_count(figures.talking),
                format!(
                    "{} ringing · {} on hold",
                    numeral::count(figures.ringing),
                    numeral::count(figures.on_hold)
                ),
            ),
            Self::ServiceLevel => {
                let (text, unit) = numeral::service_level(figures.service_level_today);
                let decided = figures.service_level_today.decided;
                let missed = decided >= SMALL_SAMPLE
                    && figures.service_level_today.permille() < totals.shared_target_permille;
                let note = match (decided, totals.shared_target_permille, totals.shared_threshold_seconds) {
                    (0, ..) => "none decided today".to_owned(),
                    (_, Some(target), Some(_)) => format!("today, target {}", numeral::target(target)),
                    (_, Some(target), None) => {
                        format!("today, target {}, times differ", numeral::target(target))
                    }
                    (_, None, _) => "today, targets differ".to_owned(),
                };
                FigureFace {
                    unit,
                    level: if missed { Level::Watch } else { Level::Normal },
                    ..plain(text, note)
                }
            }
            Self::Answered => plain(
                numeral::short_count(figures.answered_today),
                match numeral::share(figures.answered_today, figures.offered_today) {
                    Some(share) => format!("today, {share} of {}", numeral::count(figures.offered_today)),
                    None => "none offered today".to_owned(),
                },
            ),
            Self::Abandoned => {
                // As in its number, the short ones are left out of what it is a share of.
                let of = figures.offered_today.saturating_sub(figures.short_abandoned_today);
                plain(
                    numeral::short_count(figures.abandoned_today),
                    match numeral::share(figures.abandoned_today, of) {
                        Some(share) => format!("today, {share} of {}", numeral::count(of)),
                        None => "none offered today".to_owned(),
                    },
                )
            }
        }
    }
}

/// Reads a part of a figure, followed.
type Part = Box<dyn Fn(fn(FigureFace) -> String) -> LiveText>;

/// A figure that follows what it is worked out from.
pub struct LiveFigure {
    key: &'static str,
    label: &'static str,
    part: Part,
    width: LiveText,
}

impl LiveFigure {
    /// A figure of its own width. `part` reads one part of it, followed.
    pub fn new(key: &'static str, label: &'static str, part: Part) -> Self {
        Self { key, label, width: part(|face| face.width().to_string()), part }
    }
}

/// Figures about a board of queues.
#[component]
pub fn Figures(
    /// Where the numbers come from.
    board: LiveBoard,
    /// Which, from the most important on.
    subjects: &'static [Subject],
    /// Names the group.
    label: &'static str,
    /// Sets waiting and longest wait equally large, because they are equally wide.
    #[prop(optional)]
    paired: bool,
) -> impl IntoView {
    let figure = |subject: Subject| {
        let of_part = board.clone();
        let part: Part =
            Box::new(move |part| of_part.text(move |state| part(subject.face(Sources::of(state)))));
        let partner = match subject {
            Subject::Waiting if paired => Subject::Longest,
            Subject::Longest if paired => Subject::Waiting,
            alone => alone,
        };
        let width = board.text(move |state| {
            let width = |subject: Subject| subject.face(Sources::of(state)).width();
            width(subject).max(width(partner)).to_string()
        });
        LiveFigure { key: subject.key(), label: subject.label(), part, width }
    };
    view! { <FigureList label figures=subjects.iter().copied().map(figure).collect() /> }
}

/// Figures side by side, as a list of terms and their values.
#[component]
pub fn FigureList(
    /// Names the group.
    label: &'static str,
    /// Which, from the most important on.
    figures: Vec<LiveFigure>,
) -> impl IntoView {
    let count = figures.len().to_string();
    let figures = figures.into_iter().map(|figure| view! { <Figure figure /> }).collect_view();
    view! {
        <dl class="figures" aria-label=label data-count=count>
            {figures}
        </dl>
    }
}

/// One figure.
#[component]
fn Figure(
    /// What it shows.
    figure: LiveFigure,
) -> impl IntoView {
    let LiveFigure { key, label, part, width } = figure;
    view! {
        <div
            class="figure"
            data-figure=key
            data-mark=part(|face| Mark::Level(face.level).key().to_owned())
            data-face=part(|face| face.words())
            data-width=width
        >
            <dt>{label}</dt>
            <dd class="figure-value">
                <span class="number">{part(|face| face.text)}</span>
                <span class="unit">{part(|face| face.unit)}</span>
            </dd>
            <dd class="figure-note">
                <StateMark word=part(|face| Mark::Level(face.level).word().to_owned()) />
                <span>{part(|face| face.note)}</span>
            </dd>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::{
        service_level::ServiceLevel,
        view::{Busy, Figures},
    };

    use super::*;
    use crate::pages::style::sample;

    const NOW: Timestamp = Timestamp::from_millis(1_795_266_131_000);

    fn face(subject: Subject, totals: &Totals) -> FigureFace {
        let zone = LocalZone::utc();
        subject.face(Sources {
            totals,
            at: NOW,
            wait_level: Level::Act,
            longest_in: Some("Billing"),
            zone: &zone,
            sure: Sureness::of([].into_iter(), true),
        })
    }

    fn totals() -> Totals {
        Totals {
            figures: Figures {
                waiting: 7,
                oldest_waiting_since: Some(NOW - Duration::from_secs(222)),
                offered_today: 318,
                abandoned_today: 12,
                service_level_today: ServiceLevel { met: 240, decided: 306 },
                ..Figures::default()
            },
            members: 23,
            members_available: 4,
            members_busy: Busy { on_calls: 15, wrap_up: 3, ..Busy::default() },
            members_incomplete: false,
            waiting_beyond_threshold: 2,
            shared_target_permille: Some(800),
            shared_threshold_seconds: Some(20),
            unlisted: 0,
        }
    }

    #[test]
    fn figures_say_what_they_mean() {
        let waiting = face(Subject::Waiting, &totals());
        assert_eq!((waiting.text.as_str(), waiting.note.as_str()), ("7", "2 beyond 20\u{a0}s"));
        let longest = face(Subject::Longest, &totals());
        assert_eq!((longest.text.as_str(), longest.note.as_str()), ("3:42", "Billing"));
        let free = face(Subject::Free, &totals());
        assert_eq!(
            (free.text.as_str(), free.note.as_str()),
            ("4", "15\u{a0}on calls ·\u{a0}3\u{a0}wrap\u{2011}up ·\u{a0}1\u{a0}away")
        );
        let ringing = Busy { ringing: 1, ..totals().members_busy };
        let free = face(Subject::Free, &Totals { members_busy: ringing, ..totals() });
        assert_eq!(free.text, "3", "whose phone rings cannot take another call");
        assert!(free.note.starts_with("1\u{a0}ringing ·\u{a0}15\u{a0}on calls"), "{}", free.note);
        let unknown = Busy { on_calls: 20, unknown: 3, ..Busy::default() };
        let free = face(Subject::Free, &Totals { members_busy: unknown, members_available: 0, ..totals() });
        assert_eq!(free.text, numeral::UNKNOWN, "all of whom nothing was heard may be free");
        let level = face(Subject::ServiceLevel, &totals());
        assert_eq!((level.text.as_str(), level.note.as_str()), ("78", "today, target 80\u{a0}%"));
        assert_eq!(level.level, Level::Watch);
        assert_eq!(face(Subject::Abandoned, &totals()).note, "today, 3.8\u{a0}% of 318");
        let with_short =
            Totals { figures: Figures { short_abandoned_today: 18, ..totals().figures }, ..totals() };
        assert_eq!(face(Subject::Abandoned, &with_short).note, "today, 4.0\u{a0}% of 300");
    }

    #[test]
    fn one_caller_beyond_the_threshold_does_not_alarm_about_nine() {
        let level = |waiting, waiting_beyond_threshold| {
            let figures = Figures { waiting, ..totals().figures };
            face(Subject::Waiting, &Totals { figures, waiting_beyond_threshold, ..totals() }).level
        };
        assert_eq!((level(9, 1), level(2, 1), level(9, 5)), (Level::Watch, Level::Act, Level::Act));
        assert_eq!(face(Subject::Longest, &totals()).level, Level::Act);
    }

    #[test]
    fn a_figure_is_as_sure_as_the_rows_below_it() {
        let zone = LocalZone::utc();
        let face = |quality, members: u32, free| {
            let mut queue = sample::queue("Billing", 801, &[], free, members, [9, 0, 9, 9]);
            queue.quality.waiting = quality;
            let queues = [queue.clone(), queue];
            let totals = Totals { members, ..Totals::default() };
            let sure = Sureness::of(queues.iter(), true);
            let sources = Sources {
                totals: &totals,
                at: NOW,
                wait_level: Level::Normal,
                longest_in: None,
                zone: &zone,
                sure,
            };
            [Subject::Waiting, Subject::Longest, Subject::Free].map(|subject| {
                let face = subject.face(sources);
                format!("{}{} {} {}", face.text, face.unit, face.note, face.words())
            })
        };
        let seen = face(Quality::Inferred, 3, 1);
        assert_eq!(seen[0], "0 nobody seen inferred");
        assert_eq!(seen[1], "none nobody seen waiting quiet");
        assert_eq!(
            face(Quality::Inferred, 3, 0)[0],
            "0+ nobody seen inferred",
            "nobody available: they cannot be seen"
        );
        assert_eq!(face(Quality::Unknown, 3, 1)[..2], ["— unknown now quiet", "— unknown now quiet"]);
    }

    #[test]
    fn wide_numbers_are_known_to_be_wide() {
        let width = |text: &str, unit: &str| {
            FigureFace {
                text: text.to_owned(),
                unit: unit.to_owned(),
                note: String::new(),
                level: Level::Normal,
                quality: Quality::Live,
            }
            .width()
        };
        assert_eq!((width("7", ""), width("3:42", ""), width("1:10:11", "")), (14, 26, 42));
        assert!(width("120", "/\u{2009}600") > width("120", ""));
        assert_eq!(width("123456789012", ""), 46);
    }

    #[test]
    fn nothing_known_nothing_to_divide_and_zero_are_three_things() {
        let empty = Totals { members_incomplete: true, ..Totals::default() };
        assert_eq!(face(Subject::Free, &empty).text, "—");
        assert_eq!(face(Subject::ServiceLevel, &empty).text, "n/a");
        assert_eq!(face(Subject::Waiting, &empty).text, "0");
        assert_eq!(face(Subject::Abandoned, &empty).note, "none offered today");
    }

    #[test]
    fn no_target_in_common_means_no_verdict() {
        let mixed = Totals { shared_target_permille: None, ..totals() };
        assert_eq!(face(Subject::ServiceLevel, &mixed).level, Level::Normal);
        assert_eq!(face(Subject::ServiceLevel, &mixed).note, "today, targets differ");
    }
}
