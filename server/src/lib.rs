//! The callboard server as a library.

pub mod clock;
pub mod config;
pub mod journal;
pub mod store;
pub mod zoom;
