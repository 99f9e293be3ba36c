//! A pretend Zoom over real sockets, for tests and for the demo.
//!
//! Two layers: [`World`] is a pure, seeded simulation of an account's telephone traffic; the socket
//! server around it speaks Zoom's OAuth, event WebSocket, webhooks and REST on the loopback interface.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! let sim = zoom_sim::Sim::start(zoom_sim::SimConfig::quiet()).await?;
//! // … point a server at sim.oauth_url(), sim.api_url(), sim.ws_url() with sim.credentials() …
//! sim.send_event(serde_json::json!({ "event": "phone.callee_ringing" })).await;
//! sim.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! Nothing here uses Callboard's own types, so a misread format cannot pass its own tests.

#![forbid(unsafe_code)]

mod credentials;
mod directory;
mod event;
mod history;
mod sim;
mod truth;
mod world;
mod world_config;

mod blast;
mod control;
mod counters;
mod delivery;
mod fault;
mod oauth;
mod rate_limit;
mod rest;
mod scope;
mod socket;
mod subscription;
mod webhook;

mod clock;
mod dice;
mod moment;

pub use blast::{BlastPlan, BlastReport};
pub use counters::Totals;
pub use credentials::Credentials;
pub use delivery::Delivery;
pub use directory::{
    Device, Directory, DirectoryPlan, Hours, Member, Overflow, Queue, Receptionist, RingMode, Seat, SeatKind,
    Site,
};
pub use event::EmittedEvent;
pub use fault::{FaultPlan, Faults, Garbage, LimitKind, RetryAfter};
pub use history::{CallRecord, Element, History, PartyNote};
pub use rate_limit::RateLimits;
pub use scope::Scopes;
pub use sim::{Pace, Sim, SimConfig};
pub use truth::{AgentNote, Outcome, Phase, PhaseSpan, QueueCounts, QueueMoment, QueueVisit, Truth};
pub use webhook::{WebhookAttempt, WebhookTarget, hmac_hex, sign};
pub use world::World;
pub use world_config::{Demand, Habits, WorldConfig};
