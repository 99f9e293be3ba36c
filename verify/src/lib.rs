//! Is the board right? Simulated days of telephone traffic, told over a bad line, second by second
//! beside what really happened.
//!
//! The pretend account knows the truth; the board only gets the events that [`mod@line`] lets through.
//! A figure that differs is *within bound* when no more callers make the difference than there are
//! calls whose events were lost or are on their way, or whose state Zoom tells nobody, and when
//! the board did not claim to have measured it. Anything else is *wrong*.

pub mod line;
pub mod run;
pub mod score;
