//! The rules of the board, told as stories and as laws.

mod agents;
mod board;
mod calls;
mod history;
mod laws;
mod staffing;
mod story;
mod visits;
mod volumes;
