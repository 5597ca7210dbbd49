//! The token bucket, in integers.

use crate::quantity::Bitrate;
use crate::time::MonoTime;

/// A bit at one bit per second lasts one second: a billion of these.
const NANOBITS_PER_BYTE: i128 = 8 * 1_000_000_000;

/// Why a bucket was refused.
#[derive(Copy, Clone, Eq, PartialEq, Debug, thiserror::Error)]
pub enum ShapingError {
    /// A bucket must hold a whole packet, or that packet could never leave.
    #[error("a burst of {burst} bytes: needs at least {least}, one full packet")]
    Burst {
        /// Bytes asked for.
        burst: usize,
        /// Bytes needed.
        least: usize,
    },
}

/// Lets `rate` through, and bursts of at most `burst` bytes after a rest.
///
/// The level is counted in billionths of a bit, of which `rate` bits per second bring a whole
/// number in a nanosecond. Nothing is ever rounded, so the long-run rate is exact, however often
/// the bucket is asked. A bucket starts full.
#[derive(Clone, Debug)]
pub struct TokenBucket {
    rate: Bitrate,
    capacity: i128,
    /// Below zero after a packet longer than the bucket.
    level: i128,
    updated: MonoTime,
}

impl TokenBucket {
    /// The smallest burst: an Ethernet MTU.
    pub const LEAST_BURST: usize = 1_500;

    /// The instant that never comes: when a bucket with a rate of zero is ready.
    pub const NEVER: MonoTime = MonoTime::from_nanos(u64::MAX);

    /// A full bucket of `burst` bytes, at least [`Self::LEAST_BURST`], filled at `rate`.
    pub fn new(rate: Bitrate, burst: usize) -> Result<Self, ShapingError> {
        if burst < Self::LEAST_BURST {
            return Err(ShapingError::Burst { burst, least: Self::LEAST_BURST });
        }
        let capacity = nanobits(burst);
        Ok(Self { rate, capacity, level: capacity, updated: MonoTime::ZERO })
    }

    /// The rate at which it fills.
    pub const fn rate(&self) -> Bitrate {
        self.rate
    }

    /// Takes `bytes` out if they are there.
    ///
    /// A packet longer than the bucket may leave when the bucket is full, and what it takes beyond
    /// that must be earned before the next: the rate holds, and nothing waits for ever.
    pub fn take(&mut self, now: MonoTime, bytes: usize) -> bool {
        self.fill(now);
        let ready = self.level >= self.demanded(bytes);
        if ready {
            self.level -= nanobits(bytes);
        }
        ready
    }

    /// Puts `bytes` back that were taken and not used.
    pub fn give_back(&mut self, bytes: usize) {
        self.level = (self.level + nanobits(bytes)).min(self.capacity);
    }

    /// The earliest instant, not before `now`, at which [`take`](Self::take) would succeed;
    /// [`Self::NEVER`] at a rate of zero.
    pub fn ready_at(&self, now: MonoTime, bytes: usize) -> MonoTime {
        let now = now.max(self.updated);
        let lacking = self.demanded(bytes) - self.level_at(now);
        if lacking <= 0 {
            return now;
        }
        if self.rate.as_bps() == 0 {
            return Self::NEVER;
        }
        let wait = lacking.unsigned_abs().div_ceil(u128::from(self.rate.as_bps()));
        let instant = u128::from(now.as_nanos()).saturating_add(wait);
        MonoTime::from_nanos(u64::try_from(instant).unwrap_or(u64::MAX))
    }

    /// Fills at `rate` from now on; what is in the bucket stays.
    pub fn set_rate(&mut self, now: MonoTime, rate: Bitrate) {
        self.fill(now);
        self.rate = rate;
    }

    fn demanded(&self, bytes: usize) -> i128 {
        nanobits(bytes).min(self.capacity)
    }

    fn fill(&mut self, now: MonoTime) {
        self.level = self.level_at(now);
        self.updated = self.updated.max(now);
    }

    fn level_at(&self, now: MonoTime) -> i128 {
        let nanos = now.as_nanos().saturating_sub(self.updated.as_nanos());
        let earned = u128::from(self.rate.as_bps()) * u128::from(nanos);
        let room = self.capacity - self.level;
        self.level + i128::try_from(earned).map_or(room, |earned| earned.min(room))
    }
}

fn nanobits(bytes: usize) -> i128 {
    bytes as i128 * NANOBITS_PER_BYTE
}

#[cfg(test)]
mod tests;
