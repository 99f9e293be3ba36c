//! A pretend Zoom over real sockets.
