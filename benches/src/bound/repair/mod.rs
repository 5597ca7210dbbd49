//! What an ideal sender would have left unrepaired.
//!
//! # The ideal sender and its receiver
//!
//! * Frames leave at their instants, as the media do. Between them leave repair symbols, evenly
//!   spaced, each of the size of a frame: a sliding-window code over a field so large that
//!   symbols are independent unless counting forbids it. A symbol covers the
//!   frames of a window that slides along with it.
//! * The receiver knows when each frame is due. One that is overdue by [`OVERDUE`] and cannot be
//!   computed is asked for while an answer can still make it, and again when the answer is overdue
//!   as much. A request names all that is missing at that moment; requests and answers cross the
//!   link as everything else does, and cost their bytes.
//! * A frame is repaired when it is there, or can be computed, within the latency.
//!
//! The ideal lies in what nobody has: a code without blocks and without rounding, the choice
//! of the window, of the way to ask and of how to part the bytes between code and answers, made
//! with hindsight, no headers on symbols, and clocks that agree.

mod budget;
mod decoder;
mod ideal;
mod outage;
mod replay;

use std::time::Duration;

use crate::link::{LinkError, LinkSpec};

use budget::Budget;
pub use replay::{ReplayBound, repair_on};

/// By how much a frame, or an answer, is overdue when it is asked for.
pub const OVERDUE: Duration = Duration::from_millis(30);

/// What is streamed.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Frames {
    /// From one frame to the next.
    pub every: Duration,
    /// Bytes of a frame on the wire, all headers included.
    pub size: usize,
    /// How long it lasts.
    pub length: Duration,
}

/// What an ideal sender leaves, and what it spends.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct RepairBound {
    /// Frames sent.
    pub frames: u64,
    /// Frames neither there nor to be computed in time.
    pub missing: u64,
    /// The share of these.
    pub residual: f64,
    /// All that was spent, to the bytes of the frames: the sum of the next three.
    pub overhead: f64,
    /// Repair symbols.
    pub code: f64,
    /// Frames sent again.
    pub answers: f64,
    /// Requests for them.
    pub requests: f64,
    /// The share of frames that no sender could have brought, whatever it spends: the link lost
    /// everything for as long as they were of use. `None` where losses are a matter of packets,
    /// so that who sends more has shorter bursts.
    pub outage: Option<f64>,
}

impl Frames {
    /// Opus at 96 kbit/s in frames of 20 ms, with the headers of RTP, UDP and IPv4.
    pub const fn opus(length: Duration) -> Self {
        Self { every: Duration::from_millis(20), size: 280, length }
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        u64::try_from(self.length.as_nanos() / self.every.as_nanos().max(1)).unwrap_or(u64::MAX)
    }
}

/// The least that an ideal sender leaves on `link` with the luck of `seed`, if it spends at most
/// `overhead` of the bytes of the frames, and a frame counts if it is there `latency` after its
/// sending.
///
/// # Errors
///
/// As [`Link::pair`](crate::link::Link::pair).
pub fn repair(
    link: &LinkSpec,
    seed: u64,
    frames: Frames,
    overhead: f64,
    latency: Duration,
) -> Result<RepairBound, LinkError> {
    let bound = Budget { link, seed, frames, overhead: overhead.max(0.0), latency }.least()?;
    Ok(RepairBound { outage: outage::share(link, seed, frames, latency)?, ..bound })
}

#[cfg(test)]
mod tests;
