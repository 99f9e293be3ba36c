//! Is the board right? Simulated days of telephone traffic, told over a bad line, second by second
//! beside what really happened.
//!
//! The pretend account knows the truth; the board only gets the events that [`mod@line`] lets through.
//! A figure that differs is *within bound* when no more callers make the difference than there are
//! calls whose events were lost or are on their way, or whose state Zoom tells nobody, and when
//! the board did not claim to have measured it. Anything else is *wrong*.
//!
//! A reconciled run also gives the board what was written down of each call; each of its visits, and the
//! day's counts, then have to be what really happened, but for calls that are not written down yet. What
//! the pretend Zoom wrote is never looked at for that: its own journal of visits is.

pub mod line;
pub mod run;
pub mod score;
pub mod written;

pub use run::directory_of;
