//! One file per page. The functions named `…_page` are what the server calls.

pub mod wall;

pub mod queues;

pub mod queue;

pub mod agents;

pub mod feed;

pub mod reconciliation;

pub mod calls;

pub mod call;

pub mod reports;

pub mod definitions;

pub mod problem;

pub mod style;
