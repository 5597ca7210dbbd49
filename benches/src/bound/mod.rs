//! What could have been had: bounds that a session is held against.
//!
//! A residual of one percent is good on one network and poor on another. The bounds say what the
//! very network of a run would have allowed:
//!
//! * [`playout`]: the least delay at which no more units would have been late, with one playout
//!   delay for all and with the best one for each second, both chosen with hindsight. [`Playback`]
//!   is what was done, from the fates that a run keeps.
//! * [`repair`]: what an ideal sender with as many bytes to spend leaves unrepaired on the same
//!   link with the same luck; [`repair_on`]: the same on the packets of a run, slot by slot.

mod playback;
mod playout;
mod repair;

pub use playback::Playback;
pub use playout::{PlayoutBound, Unit, WINDOW, playout, playout_within};
pub use repair::{Frames, OVERDUE, RepairBound, ReplayBound, repair, repair_on};
