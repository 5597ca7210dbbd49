//! The account in numbers.

use super::{Hearing, Unit};
use crate::stats::{Fate, Recovery};

/// How many units of a stream had which fate; see [`Ledger`](super::Ledger) for what the words
/// mean and which sums hold.
#[derive(Copy, Clone, PartialEq, Debug, Default)]
pub struct Totals {
    /// Units that should have been heard by now.
    pub expected: u64,
    /// Of these, units that came by themselves.
    pub received: u64,
    /// Of these, units that did not.
    pub lost_network: u64,
    /// Lost units that FEC brought back.
    pub recovered_fec: u64,
    /// Lost units that a retransmission brought back.
    pub recovered_retransmission: u64,
    /// Further copies of units; they are not units.
    pub duplicate: u64,
    /// Units that came after one with a higher sequence number.
    pub reordered: u64,
    /// Units that came, but were not heard in time.
    pub late: u64,
    /// Units heard in time.
    pub played: u64,
    /// Units that never came.
    pub never_arrived: u64,
    /// (late + never arrived) / expected, 0 to 1; 0 where nothing is expected.
    pub residual: f64,
}

impl Totals {
    /// The parts with one more expected unit.
    pub(super) fn with(mut self, unit: &Unit) -> Self {
        match (unit.received, unit.came.map(|came| came.recovery)) {
            (true, _) => self.received += 1,
            (false, Some(Recovery::Fec)) => self.recovered_fec += 1,
            (false, Some(Recovery::Retransmission)) => self.recovered_retransmission += 1,
            (false, Some(Recovery::None) | None) => {}
        }
        match unit.fate() {
            Fate::Played => self.played += 1,
            Fate::Late => self.late += 1,
            Fate::Lost | Fate::Duplicate => self.never_arrived += 1,
        }
        self
    }

    /// The parts with `units` more expected units of which no trace was seen.
    pub(super) fn with_gap(mut self, units: u64) -> Self {
        self.never_arrived += units;
        self
    }

    /// The account with its sums; until then only the parts are up to date.
    pub(super) fn summed(mut self) -> Self {
        self.expected = self.played + self.late + self.never_arrived;
        self.lost_network = self.expected - self.received;
        self.residual = match self.expected {
            0 => 0.0,
            expected => (self.late + self.never_arrived) as f64 / expected as f64,
        };
        self
    }
}

impl Unit {
    /// The fate of the unit if nothing more happens to it.
    pub(super) fn fate(&self) -> Fate {
        match (self.came, self.hearing) {
            (None, _) => Fate::Lost,
            (Some(_), Hearing::InTime(_)) => Fate::Played,
            (Some(_), _) => Fate::Late,
        }
    }
}
