//! Whether two samples can come from one source.

use super::tail;

/// Packets that make one block: far more than any burst, so that blocks hardly know of each other.
pub(super) const BLOCK: usize = 200;
/// The least number of packets of which shares can be compared.
pub const LEAST_PACKETS: usize = 10 * BLOCK;
/// What a cell of a chi-square test must have in expectation.
const LEAST_EXPECTED: f64 = 5.0;

/// A test of two samples, done; what remains is to judge it.
#[derive(Copy, Clone, Debug, PartialEq)]
pub enum Trial {
    /// A test of two numbers that are nearly normal: Welch's of two shares, each the mean over
    /// blocks of 200 packets, so that bursts do not pass for evidence; and those of two quantiles
    /// or two correlations.
    Difference {
        /// One number less the other.
        difference: f64,
        /// The standard error of that.
        error: f64,
        /// What the two may differ by without chance having a part in it.
        allowance: f64,
    },
    /// The chi-square test of homogeneity, of how often each length occurs; rare lengths together.
    Lengths {
        /// The statistic.
        statistic: f64,
        /// Its degrees of freedom.
        freedom: usize,
    },
    /// The test of Kolmogorov and Smirnov, of two distributions.
    Distribution {
        /// The greatest distance of the two distribution functions.
        distance: f64,
        /// The unit that it is judged in: sqrt(1/n + 1/m).
        unit: f64,
    },
}

impl Trial {
    /// Of two shares, of what happened to packet after packet. `second` may be several runs.
    pub fn shares(first: &[bool], second: &[Vec<bool>]) -> Self {
        let one = Blocks::of(&[first]);
        let other = Blocks::of(&second.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let variance = one.variance() + other.variance();
        let difference = one.mean() - other.mean();
        Self::Difference { difference, error: variance.sqrt(), allowance: 0.0 }
    }

    /// Of the quantile `q` of two samples, by the spread of the order statistics around it.
    pub fn quantiles(first: &[f64], second: &[f64], q: f64, allowance: f64) -> Self {
        let (one, one_error) = quantile(first, q);
        let (other, other_error) = quantile(second, q);
        Self::Difference { difference: one - other, error: one_error.hypot(other_error), allowance }
    }

    /// Of how much each value of a sample resembles the one before.
    pub fn correlations(first: &[f64], second: &[f64]) -> Self {
        let difference = correlation(first) - correlation(second);
        let error = (1.0 / first.len() as f64 + 1.0 / second.len() as f64).sqrt();
        Self::Difference { difference, error, allowance: 0.0 }
    }

    /// Of a number and what several runs gave in its place.
    pub fn among(number: f64, runs: &[f64]) -> Self {
        let n = runs.len() as f64;
        let mean = runs.iter().sum::<f64>() / n;
        let squares = runs.iter().map(|run| (run - mean).powi(2)).sum::<f64>();
        let error = (squares / (n - 1.0) * (1.0 + 1.0 / n)).sqrt();
        Self::Difference { difference: number - mean, error, allowance: 0.0 }
    }

    /// Of two sets of lengths.
    pub fn lengths(first: &[usize], second: &[usize]) -> Self {
        let mut cells = tally(first, second);
        // From the long end: a long run is rare.
        let (n, m) = (first.len() as f64, second.len() as f64);
        let expected = |[one, other]: [f64; 2]| (one + other) * n.min(m) / (n + m);
        let mut merged: Vec<[f64; 2]> = Vec::new();
        let mut pending = [0.0; 2];
        while let Some([one, other]) = cells.pop() {
            pending = [pending[0] + one, pending[1] + other];
            if expected(pending) >= LEAST_EXPECTED {
                merged.push(std::mem::take(&mut pending));
            }
        }
        match merged.last_mut() {
            Some(last) => *last = [last[0] + pending[0], last[1] + pending[1]],
            None => merged.push(pending),
        }
        let statistic = merged.iter().map(|&[one, other]| {
            let total = one + other;
            let (a, b) = (total * n / (n + m), total * m / (n + m));
            if total > 0.0 { (one - a).powi(2) / a + (other - b).powi(2) / b } else { 0.0 }
        });
        let statistic = if n > 0.0 && m > 0.0 { statistic.sum() } else { 0.0 };
        Self::Lengths { statistic, freedom: merged.len() - 1 }
    }

    /// Of two samples of anything that has an order.
    pub fn distributions<T: PartialOrd + Copy>(first: &[T], second: &[T]) -> Self {
        let sorted = |sample: &[T]| {
            let mut sample = sample.to_vec();
            sample.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
            sample
        };
        let (first, second) = (sorted(first), sorted(second));
        let (n, m) = (first.len() as f64, second.len() as f64);
        let (mut i, mut j, mut distance) = (0, 0, 0.0f64);
        while let (Some(&one), Some(&other)) = (first.get(i), second.get(j)) {
            let at = if one < other { one } else { other };
            i += first[i..].iter().take_while(|&&it| it <= at).count();
            j += second[j..].iter().take_while(|&&it| it <= at).count();
            distance = distance.max((i as f64 / n - j as f64 / m).abs());
        }
        Self::Distribution { distance, unit: (1.0 / n + 1.0 / m).sqrt() }
    }

    /// How probable it is that chance alone sets two samples of one source so far apart.
    pub fn probability(&self) -> f64 {
        match *self {
            Self::Difference { difference, error, allowance } => {
                let beyond = difference.abs() - allowance;
                if beyond <= 0.0 { 1.0 } else { tail::normal(beyond / error.max(1e-12)) }
            }
            Self::Lengths { statistic, freedom } => tail::chi_square(statistic, freedom),
            Self::Distribution { distance, unit } => tail::kolmogorov(distance / unit),
        }
    }

    /// How far chance may set the two apart: beyond it, it does so with probability `alpha` only.
    /// In the units of the difference, the statistic or the distance.
    pub fn bound(&self, alpha: f64) -> f64 {
        match *self {
            Self::Difference { error, allowance, .. } => {
                allowance + error * tail::critical(alpha, tail::normal)
            }
            Self::Lengths { freedom: 0, .. } => 0.0,
            Self::Lengths { freedom, .. } => {
                tail::critical(alpha, |x| tail::chi_square(x, freedom))
            }
            Self::Distribution { unit, .. } => unit * tail::critical(alpha, tail::kolmogorov),
        }
    }
}

/// Shares of something in blocks of packets.
struct Blocks {
    shares: Vec<f64>,
    packets: f64,
}

impl Blocks {
    fn of(runs: &[&[bool]]) -> Self {
        let share = |block: &[bool]| {
            block.iter().filter(|&&happened| happened).count() as f64 / block.len() as f64
        };
        let shares: Vec<_> =
            runs.iter().flat_map(|run| run.chunks_exact(BLOCK)).map(share).collect();
        Self { packets: (shares.len() * BLOCK) as f64, shares }
    }

    fn mean(&self) -> f64 {
        self.shares.iter().sum::<f64>() / self.shares.len() as f64
    }

    /// The variance of the mean: that among the blocks, or that of independent packets where it is
    /// greater.
    fn variance(&self) -> f64 {
        let (n, mean) = (self.shares.len() as f64, self.mean());
        let squares = self.shares.iter().map(|share| (share - mean).powi(2)).sum::<f64>();
        (squares / (n - 1.0) / n).max(mean * (1.0 - mean) / self.packets)
    }
}

/// The quantile `q` and its standard error; both 0 of nothing.
pub(super) fn quantile(sample: &[f64], q: f64) -> (f64, f64) {
    let mut sorted = sample.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let at = |rank: f64| {
        let index = (rank.max(0.0) as usize).min(sorted.len().saturating_sub(1));
        sorted.get(index).copied().unwrap_or_default()
    };
    let spread = (n * q * (1.0 - q)).sqrt();
    (at(n * q), (at(n * q + spread) - at(n * q - spread)) / 2.0)
}

/// The correlation of each value with the one before; 0 where nothing varies.
pub(super) fn correlation(sample: &[f64]) -> f64 {
    let mean = sample.iter().sum::<f64>() / sample.len().max(1) as f64;
    let variance: f64 = sample.iter().map(|value| (value - mean).powi(2)).sum();
    let products = sample.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean));
    if variance > 0.0 { products.sum::<f64>() / variance } else { 0.0 }
}

/// How often each length occurs in either sample, by length.
fn tally(first: &[usize], second: &[usize]) -> Vec<[f64; 2]> {
    let longest = first.iter().chain(second).max().copied().unwrap_or(0);
    let mut cells = vec![[0.0; 2]; longest + 1];
    for (index, sample) in [first, second].into_iter().enumerate() {
        for &length in sample {
            cells[length][index] += 1.0;
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn coins(seed: u64, share: f64, count: usize) -> Vec<bool> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        (0..count).map(|_| rng.random_bool(share)).collect()
    }

    /// Bursts that end with probability 1/4 and begin so that `share` is lost.
    fn bursts(seed: u64, share: f64, count: usize) -> Vec<bool> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let p = share * 0.25 / (1.0 - share);
        let mut bad = false;
        let mut step = |_| {
            bad ^= rng.random_bool(if bad { 0.25 } else { p });
            bad
        };
        (0..count).map(&mut step).collect()
    }

    fn lengths(happened: &[bool]) -> Vec<usize> {
        crate::count::runs(happened, true)
    }

    /// How many of 400 trials have a probability below 5 %.
    fn rejected(trial: impl Fn(u64) -> Trial) -> usize {
        (0..400).filter(|&seed| trial(2 * seed).probability() < 0.05).count()
    }

    #[test]
    fn samples_of_one_source_are_told_apart_as_seldom_as_promised() {
        let shares = rejected(|seed| {
            Trial::shares(&bursts(seed, 0.04, 20_000), &[bursts(seed + 1, 0.04, 20_000)])
        });
        assert!((8..=34).contains(&shares), "{shares} of 400 shares of bursts, not about 20");
        let runs = rejected(|seed| {
            let [one, other] = [seed, seed + 1].map(|seed| lengths(&bursts(seed, 0.04, 20_000)));
            Trial::lengths(&one, &other)
        });
        assert!((8..=34).contains(&runs), "{runs} of 400 sets of lengths, not about 20");
        let values = rejected(|seed| {
            let [one, other] = [seed, seed + 1].map(|seed| {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                (0..1000).map(|_| rng.random::<f64>()).collect::<Vec<_>>()
            });
            Trial::distributions(&one, &other)
        });
        assert!((8..=34).contains(&values), "{values} of 400 distributions, not about 20");
    }

    #[test]
    fn a_share_that_is_off_by_more_than_its_bound_is_found() {
        let (one, other) = (coins(1, 0.05, 20_000), vec![coins(2, 0.06, 200_000)]);
        let trial = Trial::shares(&one, &other);
        assert!(trial.probability() < 1e-5, "{trial:?}");
        let Trial::Difference { difference, .. } = trial else { panic!("a share") };
        assert!(difference.abs() > trial.bound(1e-5));
    }

    #[test]
    fn single_losses_are_told_from_bursts_of_the_same_share() {
        let (one, other) = (bursts(1, 0.05, 20_000), coins(2, 0.05, 20_000));
        let trial = Trial::lengths(&lengths(&one), &lengths(&other));
        assert!(trial.probability() < 1e-9, "{trial:?}");
    }

    #[test]
    fn bursts_are_no_evidence_that_single_losses_would_be() {
        let (one, other) = (bursts(1, 0.04, 20_000), vec![bursts(2, 0.04, 20_000)]);
        let Trial::Difference { error, .. } = Trial::shares(&one, &other) else {
            panic!("a share")
        };
        let independent = (2.0 * 0.04 * 0.96 / 20_000f64).sqrt();
        assert!(error > 2.0 * independent, "{error} is not much more than {independent}");
    }

    #[test]
    fn a_shift_of_a_distribution_is_found_and_ties_are_none() {
        let one: Vec<_> = (0..1000).collect();
        let other: Vec<_> = (200..1200).collect();
        let Trial::Distribution { distance, .. } = Trial::distributions(&one, &other) else {
            panic!("a distribution")
        };
        assert!((distance - 0.2).abs() < 1e-9);
        assert_eq!(Trial::distributions(&[3; 50], &[3; 70]).probability(), 1.0);
    }

    #[test]
    fn quantiles_and_correlations_are_told_apart_beyond_what_is_allowed() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut noise = |count| (0..count).map(|_| rng.random::<f64>()).collect::<Vec<_>>();
        let (one, other) = (noise(20_000), noise(20_000));
        let shifted: Vec<_> = one.iter().map(|value| value + 0.2).collect();
        assert!(Trial::quantiles(&one, &other, 0.95, 0.0).probability() > 1e-3);
        assert!(Trial::quantiles(&one, &shifted, 0.95, 0.0).probability() < 1e-9);
        assert_eq!(Trial::quantiles(&one, &shifted, 0.95, 0.21).probability(), 1.0);
        let smooth: Vec<_> = one.windows(2).map(|pair| pair[0] + 0.1 * pair[1]).collect();
        assert!(Trial::correlations(&one, &other).probability() > 1e-3);
        assert!(Trial::correlations(&one, &smooth).probability() < 1e-9);
    }

    #[test]
    fn a_number_like_none_of_many_runs_is_found() {
        let runs: Vec<_> = (0..40).map(|run| f64::from(run % 5)).collect();
        assert!(Trial::among(4.0, &runs).probability() > 0.1);
        assert!(Trial::among(12.0, &runs).probability() < 1e-6);
    }

    #[test]
    fn nothing_agrees_with_nothing() {
        let none = vec![false; 20_000];
        assert_eq!(Trial::shares(&none, std::slice::from_ref(&none)).probability(), 1.0);
        assert_eq!(Trial::lengths(&[], &[]).probability(), 1.0);
        assert_eq!(Trial::distributions::<u8>(&[], &[]).probability(), 1.0);
    }
}
