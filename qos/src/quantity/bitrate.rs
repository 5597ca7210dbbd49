//! Bit rates.

use std::time::Duration;

const NANOS_PER_SEC: u128 = 1_000_000_000;

/// A rate in bits per second.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug, Default)]
pub struct Bitrate(u64);

impl Bitrate {
    /// A rate of `bits` per second.
    pub const fn from_bps(bits: u64) -> Self {
        Self(bits)
    }

    /// Bits per second.
    pub const fn as_bps(self) -> u64 {
        self.0
    }

    /// Whole bytes that pass in `span`, rounded down.
    pub fn bytes_in(self, span: Duration) -> u64 {
        let bytes = u128::from(self.0).saturating_mul(span.as_nanos()) / (8 * NANOS_PER_SEC);
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    /// How long `bytes` take to pass, rounded up to the nanosecond; [`Duration::MAX`] at rate 0.
    pub fn time_for(self, bytes: usize) -> Duration {
        if self.0 == 0 {
            return if bytes == 0 {
                Duration::ZERO
            } else {
                Duration::MAX
            };
        }
        let nanos = (bytes as u128 * 8 * NANOS_PER_SEC).div_ceil(u128::from(self.0));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}
