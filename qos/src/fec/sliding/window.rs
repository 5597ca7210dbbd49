//! Which source packets a repair packet covers.

use std::time::Duration;

/// A window over the source packets, by how long ago they were sent.
///
/// What is older than can still be heard in time only stands in the way of what is younger. What
/// is newest has not had its chance to arrive: where losses come in bursts, it can be better to
/// say little about many packets when the burst is over than much at once.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug)]
pub struct EncodingWindow {
    /// The age of the oldest packet that is covered.
    pub oldest: Duration,
    /// The age of the newest packet that is covered.
    pub newest: Duration,
}

impl EncodingWindow {
    /// Everything sent within the last `oldest`.
    pub const fn last(oldest: Duration) -> Self {
        Self { oldest, newest: Duration::ZERO }
    }
}
