//! How a path loses now: how much, and how much in a row.

/// The share of units lost and the length of their runs, with forgetting.
///
/// Repair is chosen by these two, so they must be steady while the path is: the long memory holds
/// half a minute of units of 20 ms. And they must follow when it changes: where the last seconds
/// show more losses than the long memory makes likely, only they count; where none has come for so
/// long that some were due, all of them are [forgotten](Self::forget).
#[derive(Copy, Clone, PartialEq, Debug)]
pub struct LossPattern {
    long: Memory,
    short: Memory,
    in_run: bool,
    /// Runs that were likely to begin since the last loss.
    overdue: f64,
    is_known: bool,
}

/// Weighted counts of what happened last.
#[derive(Copy, Clone, PartialEq, Debug)]
struct Memory {
    length: f64,
    units: f64,
    lost: f64,
    runs: f64,
}

impl Memory {
    const fn new(length: f64) -> Self {
        Self { length, units: 0.0, lost: 0.0, runs: 0.0 }
    }

    fn push(&mut self, lost: bool, begins: bool) {
        let kept = 1.0 - 1.0 / self.length;
        self.units = self.units * kept + 1.0;
        self.lost = self.lost * kept + f64::from(u8::from(lost));
        self.runs = self.runs * kept + f64::from(u8::from(begins));
    }
}

impl LossPattern {
    /// Units that the long memory holds.
    const LONG: f64 = 1_500.0;
    /// Units that the short memory holds.
    const SHORT: f64 = 150.0;
    /// Of fewer units, and fewer runs, nothing is told: who has seen no loss for a second may well
    /// see one in the next, and two that happen to meet are no bursts yet.
    const LEAST: (f64, f64) = (100.0, 5.0);
    /// So many runs of one are taken for seen from the start: a run must be seen twice, or be long,
    /// to make bursts likely.
    const LONELY: f64 = 2.0;
    /// By so many standard deviations, and so many units, must the losses of the last seconds exceed
    /// what the long memory makes likely.
    const SURPRISE: (f64, f64) = (2.5, 2.0);
    /// So many runs are due and none has come: the chance of that is one in 160,000. With nine, a path
    /// that was as before lost its repair once in an hour, and a unit by it. Of runs so rare that the
    /// long memory loses them sooner, no more are due than it still holds.
    const OVERDUE: f64 = 12.0;
    /// So many units without loss are assumed of a path that has become another one.
    const CERTAIN: f64 = 20.0;

    /// Nothing is known.
    pub const fn new() -> Self {
        Self {
            long: Memory::new(Self::LONG),
            short: Memory::new(Self::SHORT),
            in_run: false,
            overdue: 0.0,
            is_known: false,
        }
    }

    /// The path is another one: its losses of before say nothing. Until it has shown some, it is
    /// taken for one without, and few are enough to show it.
    pub const fn forget(&mut self) {
        self.long = Memory { units: Self::CERTAIN, ..Memory::new(Self::LONG) };
        self.short = Memory { units: Self::CERTAIN, ..Memory::new(Self::SHORT) };
        self.overdue = 0.0;
    }

    /// The next unit in order of sequence.
    pub fn push(&mut self, lost: bool) {
        let begins = lost && !self.in_run;
        self.in_run = lost;
        self.long.push(lost, begins);
        self.short.push(lost, begins);
        let (units, runs) = Self::LEAST;
        self.is_known |= self.long.units >= units || self.long.runs >= runs;
        if lost && self.is_surprising() {
            self.long = Memory { length: Self::LONG, ..self.short };
        }
        self.overdue = if lost { 0.0 } else { self.overdue + self.long.runs / self.long.units };
        if self.overdue > Self::OVERDUE {
            self.forget();
        }
    }

    fn is_surprising(&self) -> bool {
        let likely = self.long.lost / self.long.units * self.short.units;
        // Of a geometric run: the variance of its length beside its mean.
        let deviation = (likely * (2.0 * self.run() - 1.0)).sqrt();
        let (deviations, units) = Self::SURPRISE;
        self.short.lost > likely + deviations * deviation + units
    }

    /// The share of units lost, 0 to 1; `None` while too little is known.
    pub fn share(&self) -> Option<f64> {
        self.is_known.then(|| self.long.lost / self.long.units)
    }

    /// How many units are lost in a row, on average; 1 where none is.
    pub fn run(&self) -> f64 {
        (self.long.lost + Self::LONELY) / (self.long.runs + Self::LONELY)
    }
}

impl Default for LossPattern {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// A Gilbert chain that loses `share` in runs of `run` on average.
    fn chain(random: &mut ChaCha8Rng, share: f64, run: f64, units: usize) -> Vec<bool> {
        let (leaves, enters) = (1.0 / run, share / (1.0 - share) / run);
        let mut lost = false;
        let step = |_| {
            lost = random.random_bool(if lost { 1.0 - leaves } else { enters });
            lost
        };
        (0..units).map(step).collect()
    }

    #[test]
    fn a_steady_path_is_told_as_it_is() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for (share, run) in [(0.01, 1.0), (0.04, 4.0), (0.13, 5.0), (0.2, 1.25)] {
            let mut told = Vec::new();
            let mut pattern = LossPattern::new();
            for (at, lost) in chain(&mut random, share, run, 30_000).into_iter().enumerate() {
                pattern.push(lost);
                if at % 1_000 == 999 {
                    told.push((pattern.share().unwrap(), pattern.run()));
                }
            }
            let mean = told.iter().map(|(share, _)| share).sum::<f64>() / told.len() as f64;
            assert!((mean / share - 1.0).abs() < 0.25, "{share}: {mean}");
            let run_mean = told.iter().map(|(_, run)| run).sum::<f64>() / told.len() as f64;
            assert!((run_mean / run - 1.0).abs() < 0.25, "{run}: {run_mean}");
        }
    }

    #[test]
    fn a_path_that_turns_bad_is_mostly_known_for_it_within_five_seconds() {
        let turned = |seed: &u64| {
            let mut random = ChaCha8Rng::seed_from_u64(*seed);
            let mut pattern = LossPattern::new();
            let before = chain(&mut random, 0.01, 1.0, 5_000);
            let after = chain(&mut random, 0.13, 5.0, 250);
            before.into_iter().chain(after).for_each(|lost| pattern.push(lost));
            pattern.share().is_some_and(|share| share > 0.05)
        };
        let known = (0..40).filter(turned).count();
        assert!(known >= 30, "{known} of 40");
    }

    #[test]
    fn losses_that_do_not_come_any_more_are_forgotten_once_some_were_long_due() {
        let quiet_after = |share, run, seed| {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let mut pattern = LossPattern::new();
            chain(&mut random, share, run, 5_000).into_iter().for_each(|lost| pattern.push(lost));
            pattern.push(true);
            (1..).find(|_| {
                pattern.push(false);
                pattern.share() == Some(0.0)
            })
        };
        for seed in 1..=20 {
            // A run is due with every 100th, every 33rd and every 5th unit.
            let units = [(0.04, 4.0), (0.13, 5.0), (0.2, 1.25)]
                .map(|(share, run)| quiet_after(share, run, seed).unwrap());
            assert!(units[0] > 600 && units[1] > 200 && units[2] > 40, "{units:?}");
            assert!(units[0] < 6_000 && units[1] < 800 && units[2] < 107, "{units:?}");
        }
    }

    #[test]
    fn what_was_forgotten_is_learned_again_within_a_second_of_losses() {
        let mut pattern = LossPattern::new();
        (0..2_000).for_each(|unit| pattern.push(unit % 5 == 4));
        pattern.forget();
        assert_eq!((pattern.share(), pattern.run()), (Some(0.0), 1.0));
        (0..50).for_each(|unit| pattern.push(unit % 5 == 4));
        assert!(pattern.share().unwrap() > 0.13, "{pattern:?}");
    }

    #[test]
    fn nothing_is_told_before_some_losses_or_two_seconds_without() {
        let mut clean = LossPattern::new();
        (0..100).for_each(|_| clean.push(false));
        assert_eq!(clean.share(), None);
        (0..10).for_each(|_| clean.push(false));
        assert_eq!((clean.share(), clean.run()), (Some(0.0), 1.0));
        let mut heavy = LossPattern::new();
        (0..30).for_each(|unit| heavy.push(unit % 5 == 4));
        let share = heavy.share().unwrap();
        assert!((share - 0.2).abs() < 0.02, "{share}");
    }

    #[test]
    fn two_losses_that_happen_to_meet_are_no_bursts() {
        let mut pattern = LossPattern::new();
        (0..300).for_each(|unit| pattern.push(matches!(unit, 60 | 150 | 151 | 230 | 290)));
        assert!(pattern.run() < 1.3, "{}", pattern.run());
    }
}
