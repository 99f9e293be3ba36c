//! The pretend Zoom account of a run, and the probes: queues in which nothing happens but our markers.
//!
//! A marker is a call that begins to ring in a probe queue. Nobody else calls there, so the queue's
//! `offered_today` counts markers, and the revision in which it first reaches `n` is the one that
//! shows marker `n`.

use std::{sync::Arc, thread, thread::JoinHandle, time::Duration};

use anyhow::{Context as _, ensure};
use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Handle, Runtime};
use zoom_sim::{Delivery, DirectoryPlan, Overflow, Seat, Sim, SimConfig, World};

use crate::clock;

/// A marker's call ends when so many more have begun, so that they do not pile up.
const MARKERS_OPEN: usize = 40;
/// Call ids of markers lie far from those of the world.
const FIRST_MARKER: u64 = 9_000_000_000_000_000_000;

/// A pretend Zoom on a thread of its own.
#[derive(Debug)]
pub(crate) struct Account {
    runtime: Runtime,
    pub(crate) sim: Arc<Sim>,
    probes: Vec<Probe>,
    markers: u64,
}

/// A queue without traffic.
#[derive(Debug, Clone)]
struct Probe {
    id: String,
    name: String,
    extension_number: i64,
    member: Seat,
}

/// A call that was made to be seen.
#[derive(Debug, Clone)]
pub(crate) struct Marker {
    /// Id of the queue.
    pub(crate) queue: String,
    /// When it should have been sent.
    pub(crate) at: Duration,
}

impl Account {
    /// An account of this size with this traffic, in which nobody calls `probe_count` of the queues.
    pub(crate) fn busy(
        queues: usize,
        people: usize,
        events_per_second: f64,
        probe_count: usize,
    ) -> anyhow::Result<Self> {
        let mut config = SimConfig::bench(queues, people, events_per_second);
        let mut probes = Vec::new();
        if let Some(traffic) = &mut config.traffic {
            let mut directory = World::new(traffic.clone(), config.seed).directory().clone();
            let count = directory.queues.len();
            for index in (0..probe_count).map(|number| number * count / probe_count) {
                let queue = &mut directory.queues[index];
                queue.calls_per_hour = 0.0;
                let member = directory.seats[queue.members[0].seat].clone();
                let (id, name) = (queue.id.clone(), queue.name.clone());
                probes.push(Probe { id, name, extension_number: queue.extension_number, member });
                for queue in &mut directory.queues {
                    if matches!(queue.overflow, Overflow::Queue(target) if target == index) {
                        queue.overflow = Overflow::Voicemail;
                    }
                }
            }
            traffic.directory = DirectoryPlan::Given(Box::new(directory));
        }
        Self::start(config, probes)
    }

    /// The demo's account in which nothing happens by itself.
    pub(crate) fn quiet() -> anyhow::Result<Self> {
        Self::start(SimConfig { directory: DirectoryPlan::Demo, ..SimConfig::quiet() }, Vec::new())
    }

    fn start(config: SimConfig, probes: Vec<Probe>) -> anyhow::Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let sim = Arc::new(runtime.block_on(Sim::start(config)).context("the pretend Zoom did not start")?);
        Ok(Self { runtime, sim, probes, markers: 0 })
    }

    pub(crate) fn handle(&self) -> &Handle {
        self.runtime.handle()
    }

    /// Sends a marker at each of `times`, on a thread of its own; nothing delays the next one.
    pub(crate) fn send_markers(&mut self, times: Vec<Duration>) -> JoinHandle<anyhow::Result<Vec<Marker>>> {
        let first = self.markers;
        self.markers += times.len() as u64;
        let (sim, handle, probes) = (Arc::clone(&self.sim), self.handle().clone(), self.probes.clone());
        let account_id = self.sim.credentials().account_id.clone();
        thread::spawn(move || {
            let mut sent: Vec<Marker> = Vec::with_capacity(times.len());
            let mut open = Vec::new();
            for (number, at) in (first..).zip(times) {
                let probe = &probes[usize::try_from(number)? % probes.len()];
                let call_id = (FIRST_MARKER + number).to_string();
                clock::sleep_until(at);
                let began = clock::wall();
                let event = probe.event(&account_id, "phone.callee_ringing", &call_id, began, None);
                let delivery = handle.block_on(sim.send_event(event));
                ensure!(matches!(delivery, Delivery::Sent(1)), "a marker was not sent: {delivery:?}");
                sent.push(Marker { queue: probe.id.clone(), at });
                open.push((probe, call_id, began));
                if open.len() > MARKERS_OPEN {
                    let (probe, call_id, began) = open.remove(0);
                    let ended = Some(clock::wall());
                    let event = probe.event(&account_id, "phone.callee_missed", &call_id, began, ended);
                    handle.block_on(sim.send_event(event));
                }
            }
            Ok(sent)
        })
    }
}

impl Probe {
    fn event(
        &self,
        account_id: &str,
        name: &str,
        call_id: &str,
        began: Duration,
        ended: Option<Duration>,
    ) -> Value {
        let mut object = json!({
            "call_id": call_id,
            "caller": { "phone_number": "+15550100000", "connection_type": "pstn_off_net" },
            "callee": {
                "extension_id": self.member.extension_id,
                "extension_type": "user",
                "extension_number": self.member.extension_number,
                "phone_number": self.member.extension_number.to_string(),
                "user_id": self.member.id,
                "device_id": self.member.devices[0].id,
                "connection_type": "voip",
            },
            "forwarded_by": {
                "name": self.name,
                "extension_type": "callQueue",
                "extension_number": self.extension_number.to_string(),
            },
            "ringing_start_time": stamp(began),
        });
        if let Some(ended) = ended {
            object["call_end_time"] = stamp(ended).into();
            object["handup_result"] = "Call Cancel".into();
        }
        let sent = u64::try_from(ended.unwrap_or(began).as_millis()).unwrap_or(u64::MAX);
        json!({ "event": name, "payload": { "account_id": account_id, "object": object }, "event_ts": sent })
    }
}

/// Whole seconds in UTC, as Zoom cuts them.
fn stamp(at: Duration) -> String {
    let seconds = i64::try_from(at.as_secs()).unwrap_or(i64::MAX);
    let instant = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    instant.to_rfc3339_opts(SecondsFormat::Secs, true)
}
