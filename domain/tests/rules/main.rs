//! The rules of the board, told as stories and as laws.

mod agents;
mod board;
mod calendar;
mod calls;
mod doubt;
mod history;
mod laws;
mod order;
mod parties;
mod promises;
mod reports;
mod staffing;
mod story;
mod transfers;
mod visits;
mod volumes;
