//! Pages, islands and components: what the server renders and the browser brings to life.
//!
//! The server calls the functions of [`pages`] with plain data. Every page is complete as HTML; where
//! a browser can run the islands, they follow the live stream. Nothing here performs I/O on the
//! server, and an island holds nothing that the server cannot make again.
#![recursion_limit = "256"]

pub mod pages;

pub mod document;

pub mod bootstrap;

pub mod settings;

pub mod wall_layout;

pub mod zone;

pub mod live_board;

pub mod live_agents;

pub mod agent_order;

pub mod agent_words;

pub mod frame;

pub mod row_order;

pub mod paging;

pub mod sorting;

pub mod column;

pub mod standing;

pub mod numeral;

pub mod metric;

pub mod components;

pub mod address;
mod announcement;
#[cfg(feature = "hydrate")]
mod browser;
#[cfg(feature = "hydrate")]
mod row_slide;
pub mod server_clock;
