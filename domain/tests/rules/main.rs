//! The rules of the board, told as stories and as laws.

mod agents;
mod board;
mod calls;
mod doubt;
mod history;
mod laws;
mod order;
mod parties;
mod promises;
mod staffing;
mod story;
mod transfers;
mod visits;
mod volumes;
