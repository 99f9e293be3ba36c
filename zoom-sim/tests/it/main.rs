//! Tests of the pretend Zoom, from outside.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and the helpers here are test code too")]

mod client;

mod event_socket;
mod faults;
mod field_matrix;
mod history_rest;
mod rest_api;
mod story;
mod throughput;
mod tokens;
mod webhooks;
