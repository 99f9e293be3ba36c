//! The web side: pages, live streams, JSON, webhooks. Holds no business state, only handles.

pub mod router;

mod pages;

mod live;

mod api;

mod health;

mod error;

mod guard;

pub(crate) mod assets;

pub mod listener;
