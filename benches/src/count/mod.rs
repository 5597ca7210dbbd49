//! Numbered packets: what a network does, seen by nobody but a sender and a receiver.
//!
//! [`send`] sends UDP packets at a steady rate, each with its number and the instant it was sent;
//! [`receive`] notes what arrives and when. Both write CSV, and both tell time by CLOCK_MONOTONIC
//! of the system, so that on one machine the difference is the delay. What the files say of the
//! network between them is told by [`Observation`].
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |      'C'      |      'N'      |      'T'      |      '1'      |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                            number                             |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |             nanoseconds of CLOCK_MONOTONIC when               |
//! |                         it was sent                           |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                     zeros, up to the size ...                 |
//! ```

mod clock;
mod drive;
mod observation;
mod packet;

pub use drive::{CountError, receive, send};
pub use observation::{Arrival, Observation, ObservationError, runs};
pub use packet::HEADER;
pub(crate) use packet::Numbered;
