//! Tests of the pretend Zoom, from outside.

mod field_matrix;
mod story;
