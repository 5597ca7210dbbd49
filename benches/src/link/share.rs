//! [`Share`] and [`Chance`].

use std::fmt;

/// A share of all packets, or a probability, in the steps of 2^-32 in which netem counts.
///
/// It is written in percent, with as few digits as tell it from its neighbours.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Ord, PartialOrd)]
pub struct Share(u32);

impl Share {
    /// None of it.
    pub const NONE: Self = Self(0);
    /// The whole.
    pub const WHOLE: Self = Self(u32::MAX);

    /// The share nearest to `fraction`; `None` where that is not from 0 to 1.
    pub fn of(fraction: f64) -> Option<Self> {
        let whole = f64::from(u32::MAX);
        let steps = (fraction * whole).round_ties_even();
        (0.0..=1.0).contains(&fraction).then_some(Self(steps as u32))
    }

    /// From 0 to 1.
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / f64::from(u32::MAX)
    }

    /// In steps: what a uniform 32-bit number is compared with.
    pub(super) const fn steps(self) -> u32 {
        self.0
    }

    /// What is left of the whole.
    #[must_use]
    pub const fn rest(self) -> Self {
        Self(u32::MAX - self.0)
    }

    /// Whether it is nothing.
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = self.as_f64() * 100.0;
        let digits = (0..=DIGITS).find(|&digits| {
            let read = format!("{percent:.digits$}").parse().map(|read: f64| read / 100.0);
            read.ok().and_then(Self::of) == Some(*self)
        });
        write!(f, "{percent:.*}%", digits.unwrap_or(DIGITS))
    }
}

/// Digits after the point that tell any two percentages in steps of 2^-32 apart.
const DIGITS: usize = 9;

/// Something that happens to a share of the packets, each time more or less like the last.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Chance {
    /// To how many it happens.
    pub share: Share,
    /// How much the luck of a packet resembles that of the one before: the numbers drawn have
    /// this autocorrelation from one to the next.
    pub correlation: Share,
}

impl From<Share> for Chance {
    /// To each packet on its own.
    fn from(share: Share) -> Self {
        Self { share, correlation: Share::NONE }
    }
}
