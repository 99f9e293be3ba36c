//! The server from outside: one test binary.

mod simulation;
mod tidy;
