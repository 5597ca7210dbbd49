//! [`Bitrate`].

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};
use std::str::FromStr;
use std::time::Duration;

use super::decimal::Decimal;
use super::{Quantity, QuantityError};

const BITRATE: Quantity = Quantity { name: "bit rate", example: "160k" };
const BITS_PER_BYTE: u128 = 8;
const NANOS_PER_SEC: u128 = 1_000_000_000;

/// A rate of data, in bits per second.
///
/// The units are those of the SI: `1k` is 1,000 bit/s.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug, Default)]
pub struct Bitrate(u64);

impl Bitrate {
    /// Nothing at all.
    pub const ZERO: Self = Self(0);

    /// A rate of `bps` bits per second.
    pub const fn from_bps(bps: u64) -> Self {
        Self(bps)
    }

    /// A rate of `kbps` thousand bits per second.
    pub const fn from_kbps(kbps: u64) -> Self {
        Self(kbps.saturating_mul(1_000))
    }

    /// The rate at which `bytes` bytes pass in `span`, rounded down; the highest rate there is
    /// for an empty span.
    pub fn over(bytes: u64, span: Duration) -> Self {
        let bits = u128::from(bytes) * BITS_PER_BYTE * NANOS_PER_SEC;
        let rate = bits.checked_div(span.as_nanos()).unwrap_or(u128::MAX);
        Self(u64::try_from(rate).unwrap_or(u64::MAX))
    }

    /// Bits per second.
    pub const fn as_bps(self) -> u64 {
        self.0
    }

    /// Whole bytes that pass at this rate in `span`.
    pub fn bytes_in(self, span: Duration) -> u64 {
        let per_byte = BITS_PER_BYTE * NANOS_PER_SEC;
        let bytes = u128::from(self.0).saturating_mul(span.as_nanos()) / per_byte;
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    /// How long `bytes` bytes take at this rate, rounded up to the nanosecond;
    /// [`Duration::MAX`] at rate zero.
    pub fn time_for(self, bytes: usize) -> Duration {
        if self.0 == 0 {
            return Duration::MAX;
        }
        let nanos = (bytes as u128 * BITS_PER_BYTE * NANOS_PER_SEC).div_ceil(u128::from(self.0));
        let seconds = u64::try_from(nanos / NANOS_PER_SEC).unwrap_or(u64::MAX);
        Duration::new(seconds, (nanos % NANOS_PER_SEC) as u32)
    }

    /// So many times this rate, a fraction of a bit left out; no factor makes it less than zero.
    #[must_use]
    pub fn mul_f64(self, factor: f64) -> Self {
        Self((self.0 as f64 * factor) as u64)
    }

    /// What is left of this rate beside `other`; zero where nothing is.
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Add for Bitrate {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Bitrate {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Bitrate {
    fn sum<I: Iterator<Item = Self>>(rates: I) -> Self {
        rates.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Bitrate {
    /// Exact, so that it can be read back: `96 kbit/s`, `1.5 Mbit/s`, `12.345 kbit/s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, name) = match self.0 {
            0..1_000 => return write!(f, "{} bit/s", self.0),
            bps if bps >= 1_000_000 && bps % 10_000 == 0 => (1_000_000, "Mbit/s"),
            _ => (1_000, "kbit/s"),
        };
        let (whole, rest) = (self.0 / unit, self.0 % unit);
        if rest == 0 {
            return write!(f, "{whole} {name}");
        }
        let places = unit.ilog10() as usize;
        let fraction = format!("{rest:0places$}");
        write!(f, "{whole}.{} {name}", fraction.trim_end_matches('0'))
    }
}

impl FromStr for Bitrate {
    type Err = QuantityError;

    /// Reads `160k`, `160kbit/s`, `1.5 Mbit`, `2M` or plain bits per second, `96000`.
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let trimmed = text.trim();
        let (number, unit) = Decimal::split(trimmed).ok_or_else(|| BITRATE.malformed(text))?;
        let factor = factor(unit.trim_start()).ok_or_else(|| BITRATE.malformed(text))?;
        number.times(factor).map(Self).ok_or_else(|| BITRATE.too_large(text))
    }
}

/// Bits per second in one `unit`, such as `k`, `kbit`, `kbit/s` or `kbps`.
fn factor(unit: &str) -> Option<u64> {
    let (prefix, word) = match unit.as_bytes().first() {
        Some(b'k' | b'K') => (1_000, &unit[1..]),
        Some(b'M') => (1_000_000, &unit[1..]),
        Some(b'G') => (1_000_000_000, &unit[1..]),
        _ => (1, unit),
    };
    matches!(word, "" | "bit" | "bit/s" | "bps").then_some(prefix)
}
