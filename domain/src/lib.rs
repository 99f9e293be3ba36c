//! The rules of the board: facts go in, state and views come out.
//!
//! This crate performs no I/O, reads no clock, spawns nothing and does not fail: surprising input
//! becomes a value plus an anomaly that is counted. Zoom's names never get here; `server/src/zoom` translates
//! them into [`fact::Fact`]s.
//!
//! Suggested reading order: `time`, `id`, `fact`, `call`, `outcome`, `queue`, `service_level`,
//! `volume`, `interval`, `calendar`, `report`, `erlang`, `directory`, `phone_book`, `agent`, `history`, `journey`,
//! `reconciliation`, `board`, `quality`, `trust`, `view`.
#![forbid(unsafe_code)]

pub mod time;

pub mod id;

pub mod fact;

pub mod call;

pub mod outcome;

pub mod queue;

pub mod service_level;

pub mod volume;

pub mod interval;

pub mod calendar;

pub mod report;

pub mod erlang;

pub mod directory;

pub mod phone_book;

pub mod agent;

pub mod history;

pub mod journey;

pub mod reconciliation;

pub mod board;

pub mod quality;

pub mod trust;

pub mod view;
