//! The rules of the board.
