//! What the operator promises: a TOML file of `[[service_level]]` entries.
//!
//! ```toml
//! [[service_level]]               # every queue that has no entry of its own
//! threshold_seconds = 20
//!
//! [[service_level]]
//! queue = "801"                   # id, extension number or name
//! valid_from = "2027-01-01T00:00:00+01:00"
//! threshold_seconds = 30
//! short_abandon_seconds = 5
//! target_percent = 90
//! definition = "negative"         # answered_only, negative, ignored, positive, short_excluded
//! ```

use domain::service_level::{Definition, Promise, PromiseBook, PromiseEntry, ServiceLevelPolicy};
use serde::Deserialize;

use crate::clock;

/// Nobody waits for longer than a day.
const LONGEST_SECONDS: u32 = 86_400;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    service_level: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    queue: Option<String>,
    valid_from: Option<String>,
    threshold_seconds: Option<u32>,
    short_abandon_seconds: Option<u32>,
    target_percent: Option<f64>,
    definition: Option<String>,
}

/// Reads the file's text; everything that is wrong with it, each told with the place of its entry.
pub(super) fn parse(text: &str) -> Result<PromiseBook, Vec<String>> {
    let file: File = toml::from_str(text).map_err(|error| vec![error.message().to_owned()])?;
    let mut problems = Vec::new();
    let mut entries: Vec<PromiseEntry> = Vec::new();
    for (index, entry) in file.service_level.into_iter().enumerate() {
        let place = index + 1;
        match entry.read() {
            Err(wrong) => problems.extend(wrong.into_iter().map(|wrong| format!("entry {place}: {wrong}"))),
            Ok(entry) => {
                let is_same =
                    |other: &PromiseEntry| other.queue == entry.queue && other.valid_from == entry.valid_from;
                if entries.iter().any(is_same) {
                    problems.push(format!("entry {place}: says again what holds for its queue from then on"));
                }
                entries.push(entry);
            }
        }
    }
    if problems.is_empty() { Ok(PromiseBook { entries }) } else { Err(problems) }
}

impl Entry {
    fn read(self) -> Result<PromiseEntry, Vec<String>> {
        let mut wrong = Vec::new();
        let default = ServiceLevelPolicy::default();
        let mut seconds = |name: &str, given: Option<u32>, default: u32| match given {
            Some(seconds) if seconds > LONGEST_SECONDS => {
                wrong.push(format!("{name} must be at most {LONGEST_SECONDS}"));
                default
            }
            given => given.unwrap_or(default),
        };
        let policy = ServiceLevelPolicy {
            threshold_seconds: seconds(
                "threshold_seconds",
                self.threshold_seconds,
                default.threshold_seconds,
            ),
            short_abandon_seconds: seconds(
                "short_abandon_seconds",
                self.short_abandon_seconds,
                default.short_abandon_seconds,
            ),
            target_permille: match self.target_percent {
                None => default.target_permille,
                Some(percent) if (0.0..=100.0).contains(&percent) => (percent * 10.0).round() as u16,
                Some(_) => {
                    wrong.push("target_percent must be between 0 and 100".to_owned());
                    default.target_permille
                }
            },
        };
        if policy.short_abandon_seconds > policy.threshold_seconds {
            wrong.push("short_abandon_seconds must not be longer than threshold_seconds".to_owned());
        }
        let definition = match self.definition.as_deref() {
            None => Definition::default(),
            Some(word) => Definition::parse(word).unwrap_or_else(|| {
                let words = Definition::ALL.map(Definition::word).join(", ");
                wrong.push(format!("definition must be one of {words}"));
                Definition::default()
            }),
        };
        let valid_from = self.valid_from.as_deref().and_then(|text| {
            let instant = clock::parse_rfc3339(text);
            if instant.is_none() {
                wrong.push("valid_from must read like \"2027-01-01T00:00:00+01:00\"".to_owned());
            }
            instant
        });
        if wrong.is_empty() {
            Ok(PromiseEntry { queue: self.queue, valid_from, promise: Promise { policy, definition } })
        } else {
            Err(wrong)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_say_what_they_need_to_and_the_rest_is_usual() {
        let text = r#"
            [[service_level]]
            threshold_seconds = 30

            [[service_level]]
            queue = "801"
            valid_from = "2027-01-01T00:00:00+01:00"
            target_percent = 92.5
            definition = "negative"
        "#;
        let book = parse(text).unwrap();
        let [all, billing] = &book.entries[..] else { panic!("{book:?}") };
        assert_eq!((all.queue.as_deref(), all.valid_from), (None, None));
        assert_eq!(all.promise.policy, ServiceLevelPolicy { threshold_seconds: 30, ..Default::default() });
        assert_eq!(billing.promise.policy.target_permille, 925);
        assert_eq!(billing.promise.definition, Definition::Negative);
        assert_eq!(billing.valid_from, clock::parse_rfc3339("2026-12-31T23:00:00Z"));
        assert_eq!(parse("").unwrap(), PromiseBook::default());
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let text = r#"
            [[service_level]]
            threshold_seconds = 100000
            target_percent = 120
            definition = "best"

            [[service_level]]
            valid_from = "tomorrow"

            [[service_level]]
            queue = "801"
            threshold_seconds = 3

            [[service_level]]
            queue = "802"

            [[service_level]]
            queue = "802"
        "#;
        let problems = parse(text).unwrap_err();
        assert_eq!(problems.len(), 6, "{problems:#?}");
        assert!(parse("[[service_level]]\ntreshold_seconds = 3").is_err(), "a name nobody knows");
        assert!(parse("[[service_level").is_err());
    }
}
