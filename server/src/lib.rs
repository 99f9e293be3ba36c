//! The callboard server as a library.
