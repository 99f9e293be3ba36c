//! The server from outside: one test binary.

mod ingest;
mod live_stream;
mod restart;
mod simulation;
mod support;
mod tidy;
