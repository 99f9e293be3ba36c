//! One large number about the whole board: label, number, and what it means now.

use domain::{
    time::{Timestamp, clock_face},
    trust::FeedLink,
    view::{Level, SMALL_SAMPLE, Totals},
};
use leptos::prelude::*;

use super::state_mark::{Mark, StateMark};
use crate::{
    live_board::{LiveBoard, State},
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
}

impl FigureFace {
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
    /// False as long as no event can have arrived: then nothing about calls is known.
    pub heard: bool,
}

impl<'a> Sources<'a> {
    fn of(state: &'a State) -> Self {
        let alone = state.latest.queues.len() == 1;
        Self {
            totals: &state.totals,
            at: state.shown_at,
            wait_level: state.wait_level,
            longest_in: if alone { None } else { state.longest_in() },
            zone: &state.zone,
            heard: state.latest.trust.feed_heard_at.is_some()
                || state.latest.trust.feed == FeedLink::WebhookOnly,
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
            Self::Free => "Agents free",
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

    /// The figure now.
    pub fn face(self, sources: Sources<'_>) -> FigureFace {
        let Sources { totals, at, wait_level, longest_in, zone, heard } = sources;
        let figures = &totals.figures;
        let plain =
            |text: String, note: String| FigureFace { text, unit: String::new(), note, level: Level::Normal };
        let is_of_today = matches!(self, Self::ServiceLevel | Self::Answered | Self::Abandoned);
        if !heard && !is_of_today {
            return plain(numeral::UNKNOWN.to_owned(), "no event has arrived".to_owned());
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
                    (0, _) => "nobody seen waiting".to_owned(),
                    (_, 0) => format!("none beyond {threshold}"),
                    (_, beyond) => format!("{} beyond {threshold}", numeral::count(beyond)),
                };
                FigureFace { level: wait_level, ..plain(numeral::short_count(figures.waiting), note) }
            }
            Self::Longest => {
                let Some(since) = figures.oldest_waiting_since else {
                    return plain(clock_face(std::time::Duration::ZERO), "nobody seen waiting".to_owned());
                };
                // Where to go says more than since when, and a wall has room for one of them.
                let note = match longest_in {
                    Some(queue) => numeral::shortened(queue, 22),
                    None => format!("since {}", zone.clock(since)),
                };
                FigureFace { level: wait_level, ..plain(clock_face(at.since(since)), note) }
            }
            Self::Free if totals.members == 0 && totals.members_incomplete => {
                plain(numeral::UNKNOWN.to_owned(), "members are not known".to_owned())
            }
            Self::Free => {
                let nobody = totals.members_available == 0 && figures.waiting > 0;
                let note = match (totals.members_incomplete, nobody) {
                    (true, _) => "members partly unknown",
                    (false, true) => "nobody to answer",
                    (false, false) => "members who can help",
                };
                FigureFace {
                    text: numeral::short_count(totals.members_available),
                    unit: format!("/\u{2009}{}", numeral::short_count(totals.members)),
                    note: note.to_owned(),
                    level: if nobody { Level::Watch } else { Level::Normal },
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
                FigureFace { text, unit, note, level: if missed { Level::Watch } else { Level::Normal } }
            }
            Self::Answered => plain(
                numeral::short_count(figures.answered_today),
                match numeral::share(figures.answered_today, figures.offered_today) {
                    Some(share) => format!("today, {share} of {}", numeral::count(figures.offered_today)),
                    None => "none offered today".to_owned(),
                },
            ),
            Self::Abandoned => plain(
                numeral::short_count(figures.abandoned_today),
                match numeral::share(figures.abandoned_today, figures.offered_today) {
                    Some(share) => format!("today, {share} of {}", numeral::count(figures.offered_today)),
                    None => "none offered today".to_owned(),
                },
            ),
        }
    }
}

/// Figures side by side, as a list of terms and their values.
#[component]
pub fn Figures(
    /// Where the numbers come from.
    board: LiveBoard,
    /// Which, from the most important on.
    subjects: &'static [Subject],
    /// Names the group.
    label: &'static str,
) -> impl IntoView {
    let figures = subjects
        .iter()
        .map(|subject| view! { <Figure board=board.clone() subject=*subject /> })
        .collect_view();
    view! {
        <dl class="figures" aria-label=label data-count=subjects.len().to_string()>
            {figures}
        </dl>
    }
}

/// One figure.
#[component]
fn Figure(
    /// Where the number comes from.
    board: LiveBoard,
    /// What it is about.
    subject: Subject,
) -> impl IntoView {
    let part =
        |part: fn(FigureFace) -> String| board.text(move |state| part(subject.face(Sources::of(state))));
    let mark = |face: FigureFace| Mark::Level(face.level).word().to_owned();
    view! {
        <div
            class="figure"
            data-figure=subject.key()
            data-mark=part(mark)
            data-width=part(|face| face.width().to_string())
        >
            <dt>{subject.label()}</dt>
            <dd class="figure-value">
                <span class="number">{part(|face| face.text)}</span>
                <span class="unit">{part(|face| face.unit)}</span>
            </dd>
            <dd class="figure-note">
                <StateMark word=part(mark) />
                <span>{part(|face| face.note)}</span>
            </dd>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::{service_level::ServiceLevel, view::Figures};

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_266_131_000);

    fn face(subject: Subject, totals: &Totals) -> FigureFace {
        let zone = LocalZone::utc();
        subject.face(Sources {
            totals,
            at: NOW,
            wait_level: Level::Act,
            longest_in: Some("Billing"),
            zone: &zone,
            heard: true,
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
            members_incomplete: false,
            waiting_beyond_threshold: 2,
            shared_target_permille: Some(800),
            shared_threshold_seconds: Some(20),
        }
    }

    #[test]
    fn figures_say_what_they_mean() {
        let waiting = face(Subject::Waiting, &totals());
        assert_eq!((waiting.text.as_str(), waiting.note.as_str()), ("7", "2 beyond 20\u{a0}s"));
        let longest = face(Subject::Longest, &totals());
        assert_eq!((longest.text.as_str(), longest.note.as_str()), ("3:42", "Billing"));
        let level = face(Subject::ServiceLevel, &totals());
        assert_eq!((level.text.as_str(), level.note.as_str()), ("78", "today, target 80\u{a0}%"));
        assert_eq!(level.level, Level::Watch);
        assert_eq!(face(Subject::Abandoned, &totals()).note, "today, 3.8\u{a0}% of 318");
    }

    #[test]
    fn wide_numbers_are_known_to_be_wide() {
        let width = |text: &str, unit: &str| {
            FigureFace {
                text: text.to_owned(),
                unit: unit.to_owned(),
                note: String::new(),
                level: Level::Normal,
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
