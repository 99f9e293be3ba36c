//! What is read aloud to those who do not see the board: crossed thresholds, seldom enough to listen to.

use std::time::Duration;

use domain::{time::Timestamp, view::Level};

/// At most one announcement in this time.
const QUIET_FOR: Duration = Duration::from_secs(10);

/// Collects what happened until it may be said.
#[derive(Debug, Clone, Default)]
pub struct Announcements {
    pending: Vec<String>,
    said_at: Option<Timestamp>,
}

impl Announcements {
    /// A queue's level changed.
    pub fn note_level(&mut self, queue: &str, to: Level) {
        // Only the newest state of a queue is worth hearing.
        let start = format!("{queue}: ");
        self.pending.retain(|sentence| !sentence.starts_with(&start));
        let word = match to {
            Level::Normal => "back to normal",
            Level::Watch => "watch",
            Level::Act => "overdue, answer now",
        };
        self.pending.push(format!("{start}{word}."));
    }

    /// Something happened to the board as a whole.
    pub fn note(&mut self, sentence: String) {
        self.pending.push(sentence);
    }

    /// What to say now, if anything.
    pub fn take(&mut self, now: Timestamp) -> Option<String> {
        let rested = self.said_at.is_none_or(|said_at| now.since(said_at) >= QUIET_FOR);
        if self.pending.is_empty() || !rested {
            return None;
        }
        self.said_at = Some(now);
        Some(std::mem::take(&mut self.pending).join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crossings_are_gathered_and_only_the_newest_of_a_queue_is_said() {
        let mut announcements = Announcements::default();
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1000);
        announcements.note_level("Billing", Level::Act);
        assert_eq!(announcements.take(at(0)).as_deref(), Some("Billing: overdue, answer now."));
        announcements.note_level("Orders", Level::Watch);
        announcements.note_level("Billing", Level::Normal);
        announcements.note_level("Orders", Level::Act);
        assert_eq!(announcements.take(at(5)), None);
        assert_eq!(
            announcements.take(at(10)).as_deref(),
            Some("Billing: back to normal. Orders: overdue, answer now.")
        );
        assert_eq!(announcements.take(at(30)), None);
    }
}
