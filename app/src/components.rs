//! The parts pages are made of, one per file. `/style` shows each in all its states.

pub mod state_mark;

pub mod figure;

pub mod number_cell;

pub mod figure_cell;

pub mod live_rows;

pub mod queue_row;

pub mod agent_row;

pub mod folded;

pub mod scroll_hint;

pub mod form_fields;

pub mod times;

pub mod meaning;

pub mod figures_table;

pub mod chart;

pub mod trust_strip;

pub mod trust_band;

pub mod wall_clock;

pub mod desk_head;

pub mod sort_heading;

pub mod announcer;

pub mod pager;

pub mod past_band;

pub mod definitions;

pub mod empty_board;
