//! Units that were not heard at all, and the runs they came in.

use super::{Hearing, Unit};

/// Units in whose place sound was made up: they never came, or were not there when their turn
/// came. What was heard late was heard.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Default)]
pub struct Unheard {
    /// How many.
    pub units: u64,
    /// How many runs they came in.
    pub runs: u64,
    within: bool,
}

impl Unheard {
    /// The next unit.
    pub(super) fn push(&mut self, unit: &Unit) {
        let heard = matches!(unit.hearing, Hearing::InTime(_) | Hearing::TooLate(_));
        if heard {
            self.within = false;
        } else {
            self.push_gap(1);
        }
    }

    /// The next `units` units, of which no trace was seen.
    pub(super) fn push_gap(&mut self, units: u64) {
        self.units += units;
        self.runs += u64::from(units > 0 && !self.within);
        self.within |= units > 0;
    }
}
