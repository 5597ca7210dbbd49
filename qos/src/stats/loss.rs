//! How many units in a row were lost.

use std::collections::BTreeMap;

/// The lengths of the runs of losses in a stream, told unit by unit in order of sequence.
///
/// Losses on real paths come in bursts, and a block code or a concealment is made for a length of
/// burst, not for a mean.
#[derive(Clone, Eq, PartialEq, Debug, Default)]
pub struct LossRuns {
    ended: BTreeMap<u32, u64>,
    /// Length of the run that goes on.
    current: u64,
}

impl LossRuns {
    /// Runs longer than this are counted as this long, so that no sender can make the count grow
    /// without bound.
    pub const LONGEST: u32 = 10_000;

    /// A stream of no units.
    pub const fn new() -> Self {
        Self { ended: BTreeMap::new(), current: 0 }
    }

    /// The next unit.
    pub fn push(&mut self, lost: bool) {
        if lost {
            self.push_lost(1);
        } else {
            self.end_run();
        }
    }

    /// The next `units` units, all lost.
    pub const fn push_lost(&mut self, units: u64) {
        self.current = self.current.saturating_add(units);
    }

    fn end_run(&mut self) {
        if self.current > 0 {
            *self.ended.entry(self.length()).or_default() += 1;
            self.current = 0;
        }
    }

    fn length(&self) -> u32 {
        u32::try_from(self.current).unwrap_or(u32::MAX).min(Self::LONGEST)
    }

    /// Run length -> how many runs; a run that goes on is counted with the length it has.
    pub fn counts(&self) -> BTreeMap<u32, u64> {
        let mut ended = self.clone();
        ended.end_run();
        ended.ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(units: &str) -> LossRuns {
        let mut runs = LossRuns::new();
        units.chars().for_each(|unit| runs.push(unit == 'x'));
        runs
    }

    #[test]
    fn runs_are_counted_by_length_the_last_one_too() {
        assert_eq!(runs(".x..xx.x").counts(), BTreeMap::from([(1, 2), (2, 1)]));
        assert_eq!(runs("....").counts(), BTreeMap::new());
    }

    #[test]
    fn a_run_goes_on_after_it_was_asked_for() {
        let mut runs = runs(".x");
        assert_eq!(runs.counts(), BTreeMap::from([(1, 1)]));
        runs.push(true);
        assert_eq!(runs.counts(), BTreeMap::from([(2, 1)]));
    }

    #[test]
    fn runs_beyond_the_longest_count_as_the_longest() {
        let mut runs = LossRuns::new();
        runs.push_lost(u64::from(LossRuns::LONGEST));
        runs.push(false);
        runs.push_lost(u64::MAX);
        runs.push_lost(u64::MAX);
        assert_eq!(runs.counts(), BTreeMap::from([(LossRuns::LONGEST, 2)]));
    }
}
