//! The web side: pages, live streams, JSON, webhooks. Holds no business state, only handles.

pub mod listener;
pub mod router;

pub(crate) mod assets;
pub(crate) mod rendered;

mod agents;
mod api;
mod calls;
mod encoding;
pub(crate) mod error;
pub(crate) mod feed;
mod guard;
mod health;
mod journey;
mod live;
mod pages;
mod past;
mod reconciliation;
mod reports;
mod span;
