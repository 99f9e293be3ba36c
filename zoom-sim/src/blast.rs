//! Bursts for ingest measurements: realistic, distinct events as fast as the socket takes them.

use std::collections::HashSet;
use std::time::Duration;

use axum::extract::ws::{Message, Utf8Bytes};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::delivery::envelope;
use crate::dice::Dice;
use crate::world::World;
use crate::world_config::WorldConfig;

/// How many different events are rendered before they are varied by their call id.
const TEMPLATES: usize = 4000;
/// Call ids of one round lie this far from those of the next.
const ROUND: u64 = 100_000_000_000_000;
/// The first round lies far from the call ids of a world that runs beside.
const FIRST_ROUND: u64 = 10_000;
/// Events between two looks at the clock when a rate is set.
const SLICE: Duration = Duration::from_millis(5);

/// What to send.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BlastPlan {
    /// How many frames, duplicates included.
    pub events: u64,
    /// Frames per second; none means as fast as the socket takes them.
    pub per_second: Option<f64>,
    /// Share of frames that are exact repetitions of an earlier one, 0–1.
    pub duplicates: f64,
    /// Seed of the throws.
    pub seed: u64,
}

impl Default for BlastPlan {
    fn default() -> Self {
        Self { events: 10_000, per_second: None, duplicates: 0.0, seed: 1 }
    }
}

/// What was sent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BlastReport {
    /// Frames handed to the socket.
    pub frames: u64,
    /// Different events among them.
    pub distinct: u64,
    /// Bytes of the frames.
    pub bytes: u64,
    /// Seconds until the socket's writer had taken the last one.
    pub seconds: f64,
}

/// An event frame whose call id can be exchanged.
#[derive(Debug)]
struct Template {
    frame: String,
    call_id: u64,
    /// Where the 19 digits of the call id stand.
    places: Vec<usize>,
}

/// Makes frames that differ in their call ids.
#[derive(Debug)]
pub(crate) struct Blaster {
    templates: Vec<Template>,
    next: usize,
    round: u64,
}

impl Blaster {
    /// Renders the templates from a busy pretend account whose clock ends at `now`.
    pub(crate) fn new(account_id: &str, directory: crate::DirectoryPlan, now: DateTime<Utc>) -> Self {
        let config = WorldConfig {
            account_id: account_id.to_owned(),
            directory,
            load: 3.0,
            presence_events: false,
            ..WorldConfig::demo(now - TimeDelta::hours(4))
        };
        let mut world = World::new(config, 17);
        let mut templates = Vec::with_capacity(TEMPLATES);
        let mut known = HashSet::with_capacity(TEMPLATES);
        while templates.len() < TEMPLATES && world.now() < now {
            for event in world.step_for(TimeDelta::minutes(1)) {
                // Elements carry ids of their own, which would repeat.
                let live = event.name.starts_with("phone.") && !event.name.contains("element");
                // Two nameless handsets of one person ring alike; here every event must differ in more than
                // the time of its departure.
                let text = event.json.rsplit_once(",\"event_ts\"").map_or("", |(text, _)| text);
                if live && event.name != "phone.voicemail_received" && known.insert(text.to_owned()) {
                    templates.push(Template::new(&event.json));
                }
            }
        }
        Self { templates, next: 0, round: 0 }
    }

    fn frame(&mut self) -> Utf8Bytes {
        if self.next == self.templates.len() {
            self.next = 0;
            self.round += 1;
        }
        let template = &self.templates[self.next];
        self.next += 1;
        let digits = (template.call_id + (FIRST_ROUND + self.round % 15_000) * ROUND).to_string();
        let mut frame = template.frame.clone();
        for &place in &template.places {
            frame.replace_range(place..place + digits.len(), &digits);
        }
        frame.into()
    }

    /// Sends to the writers of all connected sockets.
    pub(crate) async fn blast(&mut self, plan: &BlastPlan, writers: &[mpsc::Sender<Message>]) -> BlastReport {
        let began = Instant::now();
        let mut dice = Dice::new(plan.seed, 53);
        let mut report = BlastReport { frames: 0, distinct: 0, bytes: 0, seconds: 0.0 };
        let mut recent: Vec<Utf8Bytes> = Vec::with_capacity(64);
        'sending: while report.frames < plan.events {
            let due = match plan.per_second {
                None => plan.events,
                Some(rate) => {
                    sleep_until(Instant::now() + SLICE).await;
                    ((began.elapsed().as_secs_f64() * rate) as u64).min(plan.events)
                }
            };
            while report.frames < due {
                let repeat = plan.duplicates > 0.0 && !recent.is_empty() && dice.chance(plan.duplicates);
                let frame = if repeat {
                    recent[dice.below(recent.len())].clone()
                } else {
                    let frame = self.frame();
                    report.distinct += 1;
                    if plan.duplicates > 0.0 {
                        if recent.len() == 64 {
                            recent.swap_remove(dice.below(64));
                        }
                        recent.push(frame.clone());
                    }
                    frame
                };
                report.frames += 1;
                report.bytes += frame.len() as u64;
                for writer in writers {
                    if writer.send(Message::Text(frame.clone())).await.is_err() {
                        break 'sending;
                    }
                }
            }
        }
        for writer in writers {
            // All places free again: the writer has taken everything.
            let _ = writer.reserve_many(writer.max_capacity()).await;
        }
        report.seconds = began.elapsed().as_secs_f64();
        report
    }
}

impl Template {
    fn new(json: &str) -> Self {
        let frame = envelope(json).to_string();
        let body: Value = serde_json::from_str(json).expect("the world tells JSON");
        let id = body["payload"]["object"]["call_id"].as_str().unwrap_or_default().to_owned();
        let places = frame.match_indices(&id).map(|(place, _)| place).collect();
        Self { call_id: id.parse().expect("call ids are digits"), frame, places }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::wall_now;

    #[test]
    fn frames_are_distinct_and_sound() {
        let mut blaster = Blaster::new("account", crate::DirectoryPlan::Demo, wall_now());
        let count = blaster.templates.len() * 2 + 10;
        let frames: HashSet<String> = (0..count).map(|_| blaster.frame().to_string()).collect();
        assert_eq!(frames.len(), count);
        for frame in frames.iter().take(500) {
            let outer: Value = serde_json::from_str(frame).unwrap();
            let inner: Value = serde_json::from_str(outer["content"].as_str().unwrap()).unwrap();
            assert_eq!(inner["payload"]["object"]["call_id"].as_str().unwrap().len(), 19);
        }
    }
}
