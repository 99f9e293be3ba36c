//! What could not be read in a pass over many things: it is noted, and the rest of the pass goes on.

use std::time::Duration;

use domain::time::Timestamp;

use super::rest::RestError;
use crate::config::FeedTimings;

/// Refusals in a row after which the app, and not the things, is taken to be what is refused.
const REFUSALS: u32 = 3;
/// How often things that could not be read are asked for again.
pub(super) const MOST_PASSES: u32 = 7;
/// By how much the pause between two such passes grows.
const GROWTH: u32 = 4;

/// The failures of one pass.
#[derive(Debug, Default)]
pub(super) struct Setbacks {
    first: Option<RestError>,
    count: usize,
    refused_in_a_row: u32,
}

impl Setbacks {
    /// One thing was read.
    pub(super) fn read_one(&mut self) {
        self.refused_in_a_row = 0;
    }

    /// One thing could not be read. An error means that nothing else can be read now either, so that the
    /// pass ends.
    pub(super) fn note(&mut self, error: RestError) -> Result<(), RestError> {
        match &error {
            RestError::NoToken(_)
            | RestError::TooMany { .. }
            | RestError::UsedUp { .. }
            | RestError::Resting { .. } => return Err(error),
            RestError::Refused { .. } => {
                self.refused_in_a_row += 1;
                if error.lacks_scope() || self.refused_in_a_row >= REFUSALS {
                    return Err(error);
                }
            }
            RestError::Unanswered { .. }
            | RestError::Unavailable { .. }
            | RestError::Unreachable { .. }
            | RestError::Garbled { .. }
            | RestError::Partial { .. } => self.refused_in_a_row = 0,
        }
        self.count += 1;
        self.first.get_or_insert(error);
        Ok(())
    }

    /// Things that could not be read.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// What the first of them said since this was last asked for, as a sentence.
    pub(super) fn take_sentence(&mut self) -> Option<String> {
        let sentence = self.sentence();
        self.first = None;
        sentence
    }

    /// What the first of them said, as a sentence.
    pub(super) fn sentence(&self) -> Option<String> {
        self.first.as_ref().map(|error| format!("Cannot {error}."))
    }
}

/// How long after so many passes, one at least, what is left is asked for again; `None` after the last.
pub(super) fn pause_after(passes: u32, timings: &FeedTimings) -> Option<Duration> {
    let pause = timings.back_off_first * GROWTH.saturating_pow(passes.saturating_sub(1));
    (passes < MOST_PASSES).then(|| pause.min(timings.second_look))
}

/// True when what is left after so many passes, the last of which was then, may be asked for again.
pub(super) fn is_due_again(passes: u32, last: Timestamp, now: Timestamp, timings: &FeedTimings) -> bool {
    passes == 0 || pause_after(passes, timings).is_some_and(|pause| now.since(last) >= pause)
}

/// How reading Zoom's record goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RecordStatus {
    /// Reading what happened in gaps.
    pub(crate) repair: Shortfall,
    /// Reading what ended, every few minutes and every night.
    pub(crate) walk: Shortfall,
    /// Calls of gaps that are being read right now.
    pub(crate) repairing: usize,
    /// Calls that the walk through the record is reading right now.
    pub(crate) walking: usize,
}

/// What could not be read of the record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Shortfall {
    /// Calls, and lists of calls.
    pub(crate) unread: usize,
    /// Why, one sentence with the next step.
    pub(crate) problem: Option<String>,
}

impl RecordStatus {
    /// Things that could not be read.
    pub(crate) fn unread(&self) -> usize {
        self.repair.unread + self.walk.unread
    }

    /// What is being read, and what that does to the numbers.
    pub(crate) fn reading(&self) -> Option<String> {
        let calls = |count: usize| {
            if count == 1 { "1 call is left".to_owned() } else { format!("{count} calls are left") }
        };
        let repairing = (self.repairing > 0).then(|| {
            format!("Today is incomplete until Zoom’s record of a gap is read: {}.", calls(self.repairing))
        });
        let walking = (self.walking > 0).then(|| {
            format!(
                "Numbers are being corrected from Zoom’s record of finished calls: {} of the quarter of an hour that \
                 is read now.",
                calls(self.walking)
            )
        });
        let sentences: Vec<String> = [repairing, walking].into_iter().flatten().collect();
        (!sentences.is_empty()).then(|| sentences.join(" "))
    }

    /// What is wrong, and what it means.
    pub(crate) fn problem(&self) -> Option<String> {
        let gap = self.repair.sentence("of a gap, which stays open");
        let walk = self.walk.sentence("of the last days, so their figures may still change");
        let sentences: Vec<String> = [gap, walk].into_iter().flatten().collect();
        (!sentences.is_empty()).then(|| sentences.join(" "))
    }
}

impl Shortfall {
    fn sentence(&self, of: &str) -> Option<String> {
        let problem = self.problem.as_ref()?;
        Some(match self.unread {
            // Nothing at all can be read.
            0 => problem.clone(),
            1 => format!("1 record could not be read {of}. {problem}"),
            unread => format!("{unread} records could not be read {of}. {problem}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zoom::auth::Said;

    fn unavailable() -> RestError {
        RestError::Unavailable { what: "the path of a call", status: 503 }
    }

    fn refused(code: i64) -> RestError {
        RestError::Refused { what: "a call queue", status: 403, code: Some(code), said: Said::quote("no") }
    }

    #[test]
    fn a_failure_of_one_thing_is_noted_and_one_of_all_ends_the_pass() {
        let mut setbacks = Setbacks::default();
        for _ in 0..9 {
            setbacks.note(unavailable()).unwrap();
        }
        let resting = RestError::Resting { what: "a call queue", pause: Duration::from_secs(15) };
        assert_eq!(setbacks.note(resting.clone()), Err(resting));
        assert_eq!(setbacks.count(), 9);
        assert!(setbacks.sentence().unwrap().starts_with("Cannot read the path of a call: HTTP 503"));
    }

    #[test]
    fn h2_what_one_of_many_refuses_is_its_own_and_what_all_refuse_is_a_scope() {
        let mut setbacks = Setbacks::default();
        setbacks.note(refused(2031)).unwrap();
        setbacks.note(refused(2031)).unwrap();
        setbacks.read_one();
        setbacks.note(refused(2031)).unwrap();
        setbacks.note(refused(2031)).unwrap();
        assert!(setbacks.note(refused(2031)).is_err(), "three in a row");
        assert!(Setbacks::default().note(refused(4711)).is_err(), "the token lacks a scope");
    }

    #[test]
    fn what_is_left_is_asked_for_again_with_growing_pauses_and_not_for_ever() {
        let timings = FeedTimings::default();
        let pauses: Vec<Option<u64>> =
            (1..=7).map(|passes| pause_after(passes, &timings).map(|pause| pause.as_secs())).collect();
        assert_eq!(pauses, [Some(1), Some(4), Some(16), Some(64), Some(256), Some(600), None]);
    }

    #[test]
    fn what_is_missing_of_the_record_is_said_in_words() {
        let mut status = RecordStatus::default();
        assert_eq!(status.problem(), None);
        status.walk = Shortfall { unread: 2, problem: Some("Cannot read it.".to_owned()) };
        let said = "2 records could not be read of the last days, so their figures may still change. \
                    Cannot read it.";
        assert_eq!(status.problem().as_deref(), Some(said));
        status.walk.unread = 0;
        assert_eq!(status.problem().as_deref(), Some("Cannot read it."), "nothing at all can be read");
        assert_eq!(status.reading(), None);
        status.repairing = 3;
        let said = "Today is incomplete until Zoom’s record of a gap is read: 3 calls are left.";
        assert_eq!(status.reading().as_deref(), Some(said));
    }
}
