//! Seeded stand-ins for delivery traces.
//!
//! Two drives through real networks were measured: the gaps between the milliseconds at which
//! something could leave, how many opportunities share such a millisecond, and how long good and
//! bad times last. Only these statistics are kept here, as a few quantiles and probabilities.
//!
//! A gap is drawn by its rank: u = Φ(z), where z is the sum of slowly varying Gaussian components
//! (first-order autoregressive, one step per gap) and a fresh one, of variance 1 in all. So the
//! gaps have exactly the measured distribution, outages included, and long ones keep company.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::random::{Role, stream};
use super::trace::{Carrier, DeliveryTrace};

/// The most opportunities that share a millisecond.
const MAX_BURST: usize = 22;

/// What was measured on a drive.
struct Statistics {
    /// How long it took, in milliseconds.
    length: u32,
    /// Quantiles of the gaps: rank, and milliseconds before rounding. The rank runs from 0 to 1.
    gaps: &'static [(f64, f64)],
    /// The slow components: share of the variance, and resemblance from gap to gap.
    slow: &'static [(f64, f64)],
    /// Probability of one more opportunity in the same millisecond.
    more: f64,
    /// How much that probability grows, as a power of e, in times that are good by one deviation.
    clumping: f64,
}

static UMTS: Statistics = Statistics {
    length: 931_000,
    gaps: &[
        (0.0, 0.5),
        (0.02, 5.5),
        (0.062, 8.5),
        (0.221, 9.5),
        (0.626, 10.5),
        (0.778, 11.5),
        (0.82, 14.5),
        (0.85, 19.5),
        (0.904, 20.5),
        (0.924, 21.5),
        (0.934, 28.5),
        (0.958, 30.5),
        (0.967, 38.0),
        (0.975, 40.5),
        (0.99, 52.0),
        (0.995, 70.0),
        (0.997, 100.0),
        (0.998, 150.0),
        (0.999, 442.0),
        (0.9996, 939.0),
        (0.9998, 1796.0),
        (0.9999, 2677.0),
        (1.0, 6000.0),
    ],
    slow: &[(0.15, 0.99), (0.15, 0.999)],
    more: 0.12,
    clumping: 0.3,
};

static LTE: Statistics = Statistics {
    length: 120_000,
    gaps: &[
        (0.0, 0.5),
        (0.39, 1.5),
        (0.62, 2.5),
        (0.75, 3.5),
        (0.82, 4.5),
        (0.87, 6.5),
        (0.89, 8.0),
        (0.945, 10.5),
        (0.968, 12.5),
        (0.98, 16.5),
        (0.99, 26.0),
        (0.995, 49.0),
        (0.997, 75.0),
        (0.998, 102.0),
        (0.999, 158.0),
        (0.9996, 316.0),
        (0.9998, 574.0),
        (0.9999, 880.0),
        (1.0, 1300.0),
    ],
    slow: &[(0.12, 0.97), (0.28, 0.9985)],
    more: 0.27,
    clumping: 0.7,
};

impl Carrier {
    /// The carrier called `umts` or `lte`.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Umts, Self::Lte].into_iter().find(|carrier| carrier.name() == name)
    }

    /// Its name in a link's words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Umts => "umts",
            Self::Lte => "lte",
        }
    }

    /// The file that holds the real trace, where there is one.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Umts => "TMobile-UMTS-driving.up",
            Self::Lte => "ATT-LTE-driving-2016.down",
        }
    }

    /// A trace with the statistics of the real one: mean rate, gaps, outages and their company.
    pub fn generate(self, seed: u64) -> DeliveryTrace {
        let statistics = match self {
            Self::Umts => &UMTS,
            Self::Lte => &LTE,
        };
        let millis = statistics.drive(stream(seed, Role::Trace));
        DeliveryTrace::from_millis(millis).expect("a drive of minutes has opportunities")
    }
}

impl Statistics {
    fn drive(&self, mut rng: ChaCha8Rng) -> Vec<u32> {
        let mut slow: Vec<f64> = self.slow.iter().map(|_| gaussian(&mut rng)).collect();
        let fresh_share = 1.0 - self.slow.iter().map(|(share, _)| share).sum::<f64>();
        let mut millis = Vec::new();
        let mut now = 0;
        loop {
            let mut badness = 0.0;
            for (value, &(share, resemblance)) in slow.iter_mut().zip(self.slow) {
                let innovation = (1.0 - resemblance * resemblance).sqrt();
                *value = resemblance * *value + innovation * gaussian(&mut rng);
                badness += share.sqrt() * *value;
            }
            let rank = normal_cdf(badness + fresh_share.sqrt() * gaussian(&mut rng));
            now += self.gap(rank);
            if now > self.length {
                return millis;
            }
            let more = (self.more * (-self.clumping * badness).exp()).min(0.9);
            let mut burst = 1;
            while burst < MAX_BURST && rng.random::<f64>() < more {
                burst += 1;
            }
            millis.extend(std::iter::repeat_n(now, burst));
        }
    }

    /// The gap of this rank, at least a millisecond; geometric between the quantiles.
    fn gap(&self, rank: f64) -> u32 {
        let upper = self.gaps.partition_point(|&(quantile, _)| quantile <= rank);
        let upper = upper.clamp(1, self.gaps.len() - 1);
        let ((from, shorter), (to, longer)) = (self.gaps[upper - 1], self.gaps[upper]);
        let part = ((rank - from) / (to - from)).clamp(0.0, 1.0);
        let millis: f64 = shorter * (longer / shorter).powf(part);
        (millis.round() as u32).max(1)
    }
}

fn gaussian(rng: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(rng)
}

/// The normal distribution function, to 8e-8 (Abramowitz and Stegun, 26.2.17).
fn normal_cdf(x: f64) -> f64 {
    const B: [f64; 5] = [0.319381530, -0.356563782, 1.781477937, -1.821255978, 1.330274429];
    let t = 1.0 / (1.0 + 0.2316419 * x.abs());
    let series = B.iter().rev().fold(0.0, |sum, b| (sum + b) * t);
    let density = (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let tail = density * series;
    if x > 0.0 { 1.0 - tail } else { tail }
}

#[cfg(test)]
mod tests;
