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

/// While a queue drains, this part of the rate is used.
pub(super) const DRAINING: f64 = 0.8;
const AFTER_TRIAL: f64 = 0.95;
const DRAINING_LONG: f64 = 0.5;

/// How a queue came to be.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Cause {
    /// It was met.
    Met,
    /// A trial may have filled it.
    Trial,
    /// The path is far narrower than was thought at first: it is long, media yields too until it has
    /// gone, and nobody else is suspected.
    TooMuch,
}

impl Cause {
    /// What part of the rate is used until it has gone.
    pub(super) const fn part(self) -> f64 {
        match self {
            Self::Met => DRAINING,
            Self::Trial => AFTER_TRIAL,
            Self::TooMuch => DRAINING_LONG,
        }
    }
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
    /// How it came to be.
    pub(super) cause: Cause,
}
