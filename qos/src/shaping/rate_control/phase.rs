//! What a controller is doing.

use crate::time::MonoTime;

/// What the controller is doing.
#[derive(Copy, Clone, PartialEq, Debug)]
pub(super) enum Phase {
    /// The rate grows by factors, judged a round after `since`.
    Rising { since: MonoTime },
    /// Nothing is tried.
    Resting { since: MonoTime },
    /// A little more is tried than was possible: `from`.
    Trying { since: MonoTime, from: f64 },
    /// A queue was found.
    Draining(Drain),
}

/// A queue that is to go.
#[derive(Copy, Clone, PartialEq, Debug)]
pub(super) struct Drain {
    pub(super) since: MonoTime,
    /// How long it was at the longest, in seconds, and when.
    pub(super) longest: f64,
    pub(super) longest_at: MonoTime,
    /// The rate before it was found.
    pub(super) before: f64,
    /// The part of the rate that is used.
    pub(super) to: f64,
    /// Whether it is the long queue of a path far narrower than was thought at first: media yields
    /// too until it has gone, and nobody else is suspected.
    pub(super) is_long: bool,
}
