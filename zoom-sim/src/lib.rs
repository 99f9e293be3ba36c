//! A pretend Zoom over real sockets, for tests and for the demo.
//!
//! Two layers: [`World`] is a pure, seeded simulation of an account's telephone traffic; the socket
//! server around it speaks Zoom's OAuth, event WebSocket, webhooks and REST on the loopback interface.
//! Nothing here uses Callboard's own types, so a misread format cannot pass its own tests.

#![forbid(unsafe_code)]

mod dice;
mod directory;
mod event;
mod history;
mod moment;
mod truth;
mod world;
mod world_config;

pub use directory::{
    Device, Directory, DirectoryPlan, Hours, Member, Overflow, Queue, Receptionist, RingMode, Seat, SeatKind,
    Site,
};
pub use event::EmittedEvent;
pub use history::{CallRecord, Element, History, PartyNote};
pub use truth::{AgentNote, Outcome, Phase, PhaseSpan, QueueCounts, QueueMoment, QueueVisit, Truth};
pub use world::World;
pub use world_config::{Demand, Habits, WorldConfig};
