//! How often which delay occurred of late.

use crate::time::TimeDelta;
use std::collections::VecDeque;
use std::time::Duration;

/// Weights of delays, in bins of equal width above a base that follows the fastest packet. What
/// was recorded is forgotten exponentially.
#[derive(Clone, Debug)]
pub(super) struct Histogram {
    width: i64,
    /// The bin of transit times in which `weights` begins; `None` before the first record.
    base: Option<i64>,
    weights: VecDeque<f64>,
    total: f64,
    /// The weight of what was to come and has not.
    absent: f64,
    /// The weight of the next record. Instead of all others shrinking, it grows.
    unit: f64,
}

impl Histogram {
    /// The width of a bin: finer than anything that listeners or time scaling can tell apart.
    const NARROWEST: i64 = 1_000_000;
    /// The most bins; beyond, they are wider.
    const MOST_BINS: i64 = 2_000;
    /// A packet that came this long ago counts about a third of one that comes now. The decay is
    /// a product and not `exp`, so that it is the same to the bit on every machine.
    const MEMORY: Duration = Duration::from_secs(20);
    /// Weights are brought back to the scale of 1 before they lose precision.
    const LARGEST_UNIT: f64 = 1e9;

    /// Nothing yet, of delays up to `maximum` above the fastest.
    pub(super) fn new(maximum: Duration) -> Self {
        let maximum = TimeDelta::from(maximum).as_nanos();
        let width = (maximum / Self::MOST_BINS).max(Self::NARROWEST);
        let bins = maximum / width + 2;
        Self {
            width,
            base: None,
            weights: std::iter::repeat_n(0.0, bins as usize).collect(),
            total: 0.0,
            absent: 0.0,
            unit: 1.0,
        }
    }

    /// How wide a bin is.
    pub(super) fn width(&self) -> TimeDelta {
        TimeDelta::from_nanos(self.width)
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.weights.iter_mut().for_each(|weight| *weight = 0.0);
        (self.total, self.absent, self.unit) = (0.0, 0.0, 1.0);
    }

    /// So much time has passed.
    pub(super) fn age(&mut self, elapsed: Duration) {
        self.unit *= 1.0 + elapsed.as_secs_f64() / Self::MEMORY.as_secs_f64();
        if self.unit > Self::LARGEST_UNIT {
            for weight in &mut self.weights {
                *weight /= self.unit;
            }
            self.total = self.weights.iter().sum();
            self.absent /= self.unit;
            self.unit = 1.0;
        }
    }

    /// Takes in a transit time. What lies beyond the last bin counts there.
    pub(super) fn record(&mut self, transit: TimeDelta, fastest: TimeDelta) {
        let base = self.rebase(fastest);
        let above = self.bin(transit).saturating_sub(base).max(0) as usize;
        let bin = above.min(self.weights.len() - 1);
        self.weights[bin] += self.unit;
        self.total += self.unit;
    }

    /// So many are to come.
    pub(super) fn expect(&mut self, count: u64) {
        self.absent += self.unit * count as f64;
    }

    /// One of those came.
    pub(super) fn fulfil(&mut self, transit: TimeDelta, fastest: TimeDelta) {
        self.absent = (self.absent - self.unit).max(0.0);
        self.record(transit, fastest);
    }

    /// The transit time that no more than `share` of the weight exceeds.
    pub(super) fn quantile(&self, share: f64) -> TimeDelta {
        self.exceeded_by(self.total * share)
    }

    /// The transit time within which all came that was to come, but for `share` of it. Where more is
    /// absent than that: beyond which no more than `rest` of it came.
    pub(super) fn complete_but(&self, share: f64, rest: f64) -> TimeDelta {
        let all = self.total + self.absent;
        self.exceeded_by((all * share - self.absent).max(all * rest))
    }

    /// The transit time that no more than the weight `allowed` exceeds.
    fn exceeded_by(&self, allowed: f64) -> TimeDelta {
        let mut beyond = 0.0;
        let mut bin = self.weights.len();
        while bin > 1 && beyond + self.weights[bin - 1] <= allowed {
            bin -= 1;
            beyond += self.weights[bin];
        }
        self.lower_edge(bin)
    }

    /// The transit time at which waiting costs least: a wait costs its length, and what it leaves
    /// late beyond the `free` share costs `worth` for the whole.
    pub(super) fn cheapest(&self, free: f64, worth: Duration) -> TimeDelta {
        // Both in bins.
        let worth = worth.as_nanos() as f64 / self.width as f64;
        let mut beyond = 0.0;
        let mut best = (f64::INFINITY, self.weights.len());
        for bin in (1..=self.weights.len()).rev() {
            let late = (beyond / self.total - free).max(0.0);
            let cost = bin as f64 + worth * late;
            if cost <= best.0 {
                best = (cost, bin);
            }
            beyond += self.weights[bin - 1];
        }
        self.lower_edge(best.1)
    }

    /// Where this bin begins, counted from the base.
    fn lower_edge(&self, bin: usize) -> TimeDelta {
        let bin = self.base.unwrap_or(0).saturating_add(bin as i64);
        TimeDelta::from_nanos(bin.saturating_mul(self.width))
    }

    /// Moves the bins so that the first is that of the fastest packet.
    fn rebase(&mut self, fastest: TimeDelta) -> i64 {
        let base = self.bin(fastest);
        let shift = base.saturating_sub(self.base.unwrap_or(base));
        let last = self.weights.len() - 1;
        for _ in 0..shift.unsigned_abs().min(self.weights.len() as u64) {
            if shift > 0 {
                let slower = self.weights.pop_front().unwrap_or(0.0);
                self.weights[0] += slower;
                self.weights.push_back(0.0);
            } else {
                let faster = self.weights.pop_back().unwrap_or(0.0);
                self.weights[last - 1] += faster;
                self.weights.push_front(0.0);
            }
        }
        self.base = Some(base);
        base
    }

    fn bin(&self, transit: TimeDelta) -> i64 {
        transit.as_nanos().div_euclid(self.width)
    }
}
