//! How much repair, and of which units, fits what the path loses.
//!
//! # What was measured
//!
//! On emulated links with independent and with bursty losses, at promises from 150 to 250 ms, over
//! five seeds of ten minutes each:
//!
//! * Where a round trip fits into the promise, asking costs a tenth of what a code costs for the
//!   same residual: the code only covers what asking leaves.
//! * Against losses that come one by one, symbols should cover everything that can still be in
//!   time: the more units share a symbol, the less does it matter which of them is lost.
//! * Against losses in bursts as long as the promise, that is the worst one can do. A burst of five
//!   takes five symbols to make good, and they come too late for the first. There a symbol should
//!   cover *one* unit, sent as long ago as it can be and still be in time: that is outside the
//!   burst, and one symbol makes it good.
//! * Where units are heard so soon that only the newest can be repaired, a symbol is a copy of it.
//!   Against losses one by one that halves them; each copy saves the same.
//!
//! So [`Fit::for_path`] first estimates what asking leaves, then spends a code on that: a dense one
//! up to the share at which a block of that window fails hardly ever (binomial), or a distant one, or
//! copies, in proportion to what is left, for each of their symbols saves the same.

use std::time::Duration;

/// What a path does to packets, as far as it matters for repair.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Path {
    /// From sender to receiver, at the median.
    pub one_way: Duration,
    /// The standard deviation of that.
    pub jitter: Duration,
    /// There and back.
    pub round_trip: Duration,
    /// The share of units that are lost, or come too late, 0 to 1.
    pub loss: f64,
    /// How many units are lost in a row, on average; 1 or more.
    pub run: f64,
}

/// Repair symbols: how many, and what they cover.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Fit {
    /// Symbols to a unit.
    pub share: f64,
    /// How long ago the oldest unit was sent that a symbol covers.
    pub oldest: Duration,
    /// How long ago the newest was.
    pub newest: Duration,
}

/// A dense code does no more than this, and less where less is lost: beyond it, the next symbol
/// hardly helps.
const MOST_DENSE: f64 = 0.71;
const LEAST_OF_MOST: f64 = 0.55;
const MORE_FOR_LOSS: f64 = 0.8;

/// The same for symbols that cover one unit. Each helps as much as the one before it, so this is
/// what a listener may be expected to pay: with headers, nearly as much again as the media.
const MOST_DISTANT: f64 = 0.88;

/// What a dense code aims at: the share of units that stays missing. Far less than anybody hears,
/// for the estimate leaves out that symbols, too, come late where the jitter has a long tail: with
/// five times as much, one unit in 300,000 stayed missing on a path that loses 2 % and upsets the
/// order of a quarter.
const AIM: f64 = 0.000_000_02;

/// From this share of losses on, after asking, distant symbols are worth all that they may cost.
const MUCH: f64 = 0.052;

/// No window is longer: decoding it takes work, and where there is so much time, asking does all.
const LONGEST: Duration = Duration::from_secs(1);

/// Distant symbols are no fewer than this where asking leaves anything to speak of.
const LEAST_DISTANT: f64 = 0.28;
const LITTLE: f64 = 0.001;

/// A symbol leaves so much of a unit after the newest one, on average, as there must be time for at
/// least: earlier ones are of use then.
const SOON: f64 = 0.5;

/// So few symbols are none.
const HARDLY_ANY: f64 = 0.01;

/// Shares of a dense code that are tried.
const STEPS: u32 = 34;

/// Losses in a row, beyond what independent losses show, from which on they are called bursts.
const BURSTS: f64 = 1.5;

impl Fit {
    /// The most symbols to a unit that any path gets.
    pub const MOST: f64 = MOST_DISTANT;

    /// Nothing.
    pub const NONE: Self = Self { share: 0.0, oldest: Duration::ZERO, newest: Duration::ZERO };

    /// What fits `path`, for units `unit` apart that are to be heard `latency` after their sending.
    pub fn for_path(path: &Path, latency: Duration, unit: Duration) -> Self {
        let promise = Promise { path, latency, unit };
        if path.loss <= 0.0 {
            return Self::NONE;
        }
        let left = promise.left_by_asking();
        if promise.comes_in_bursts() {
            let window = promise.window(2.0).min(LONGEST);
            if window < unit {
                return Self::NONE;
            }
            let least = if left > LITTLE { LEAST_DISTANT } else { 0.0 };
            let share = (MOST_DISTANT * (left / MUCH).min(1.0)).max(least);
            let share = if share < HARDLY_ANY { 0.0 } else { share };
            // A little less than a unit: no two are that close.
            let newest = window - unit + Duration::from_micros(1);
            return Self { share, oldest: window, newest };
        }
        let window = promise.window(0.5).min(LONGEST);
        if window < unit.mul_f64(SOON) {
            return Self::NONE;
        }
        let most = (LEAST_OF_MOST + MORE_FOR_LOSS * path.loss).min(MOST_DENSE);
        if window < 2 * unit {
            // Symbols that cover one unit again: none is older that is of use.
            let share = most * (left / MUCH).min(1.0);
            return Self { share, oldest: window.min(unit), newest: Duration::ZERO };
        }
        let units = window.as_secs_f64() / unit.as_secs_f64();
        // Of what the code leaves, asking brings back as much as of all that is lost.
        let fails = |share| dense_fails(path.loss, units, share) * left / path.loss;
        let shares = (0..STEPS).map(|step| most * f64::from(step) / f64::from(STEPS));
        let share = shares.into_iter().find(|&share| fails(share) <= AIM).unwrap_or(most);
        Self { share, oldest: window, newest: Duration::ZERO }
    }
}

/// What was promised, on what path.
#[derive(Debug)]
struct Promise<'a> {
    path: &'a Path,
    latency: Duration,
    unit: Duration,
}

impl Promise<'_> {
    /// How long after a unit a symbol may leave that is to be of use to it: two deviations of the
    /// jitter before the last moment.
    fn window(&self, deviations: f64) -> Duration {
        self.latency.saturating_sub(self.path.one_way + self.path.jitter.mul_f64(deviations))
    }

    /// What is left of the promise when the first answer has come: the loss shows when the next
    /// packet comes. `None` where there is no time for one.
    fn answer_slack(&self) -> Option<Duration> {
        let shows = if self.comes_in_bursts() { 2 * self.path.jitter } else { self.unit };
        self.latency.checked_sub(self.path.one_way + shows + self.path.round_trip)
    }

    fn comes_in_bursts(&self) -> bool {
        self.path.run * (1.0 - self.path.loss) > BURSTS
    }

    /// The share of units that is missing still when all answers that could be in time have come.
    fn left_by_asking(&self) -> f64 {
        let Some(slack) = self.answer_slack() else { return self.path.loss };
        let Path { loss, jitter, round_trip, run, .. } = *self.path;
        let again = (round_trip / 2).max(self.unit);
        let tries = 1.0 + slack.as_secs_f64() / again.as_secs_f64();
        let by_luck = (1.0 - (1.0 - loss).powi(2)).powf(tries);
        if !self.comes_in_bursts() {
            return loss * by_luck;
        }
        // The last answer leaves as late as it can; what counts is whether the burst is over then.
        let last = self.latency.saturating_sub(self.path.one_way + jitter);
        let units = last.as_secs_f64() / self.unit.as_secs_f64();
        let leaves = 1.0 / run;
        let enters = leaves * loss / (1.0 - loss);
        let still = loss + (1.0 - loss) * (1.0 - leaves - enters).max(0.0).powf(units);
        // An answer takes three ways, each with its jitter.
        let spread = 3_f64.sqrt() * jitter.as_secs_f64();
        let in_time = normal(slack.as_secs_f64() / spread.max(f64::MIN_POSITIVE));
        loss * (1.0 - in_time * (1.0 - still))
    }
}

/// The share of units that a dense code does not bring back: those lost in a window of `units`
/// units and their symbols that has more losses than symbols that came.
fn dense_fails(loss: f64, units: f64, share: f64) -> f64 {
    let symbols = units * share;
    let all = (units + symbols).round() as u32;
    let fails = |losses: &u32| f64::from(*losses) > symbols;
    let share_of_window = |losses: u32| f64::from(losses) / f64::from(all.max(1));
    (1..=all)
        .filter(fails)
        .map(|losses| binomial(all, losses, loss) * share_of_window(losses))
        .sum()
}

/// The chance of exactly `k` among `n`, each with the chance `p`.
fn binomial(n: u32, k: u32, p: f64) -> f64 {
    let ways = (0..k).map(|i| f64::from(n - i) / f64::from(k - i)).product::<f64>();
    ways * p.powi(k as i32) * (1.0 - p).powi((n - k) as i32)
}

/// The normal distribution function, by the logistic approximation (Bowling et al. 2009), which is
/// within 0.01.
fn normal(deviations: f64) -> f64 {
    1.0 / (1.0 + (-1.702 * deviations).exp())
}

#[cfg(test)]
mod tests;
