//! What several seeds say about a figure.

use serde::{Deserialize, Serialize};

use super::students_t;

/// The confidence of every interval in a report.
pub const CONFIDENCE: f64 = 0.95;

/// The mean of a figure over several seeds, and where the true mean lies with a confidence of
/// 95 %, by Student's t distribution.
///
/// The interval supposes that runs scatter normally. For shares near zero that is generous below
/// and a little short above: an interval of nothing around 0 says that not one unit was missing in
/// any run, not that none ever will be.
#[derive(Copy, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// The lower end of the interval; `null` of a single run.
    pub low: Option<f64>,
    /// Its upper end; `null` of a single run.
    pub high: Option<f64>,
    /// Runs in which the figure was known.
    pub runs: u64,
}

impl Estimate {
    /// From one value a run; `None` of nothing.
    pub fn of(values: &[f64]) -> Option<Self> {
        let mean = mean(values)?;
        let half = half_width(values, CONFIDENCE);
        Some(Self {
            mean: nine_digits(mean),
            low: half.map(|half| nine_digits(mean - half)),
            high: half.map(|half| nine_digits(mean + half)),
            runs: values.len() as u64,
        })
    }

    /// The same of a figure that is never below zero.
    #[must_use]
    pub fn at_least_zero(self) -> Self {
        Self { low: self.low.map(|low| low.max(0.0)), ..self }
    }

    /// How far the interval reaches above the mean.
    pub fn half_width(&self) -> Option<f64> {
        self.high.map(|high| high - self.mean)
    }
}

/// To nine significant digits: more would be noise, and what is written is read as the same.
pub fn nine_digits(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let digits = (8 - value.abs().log10().floor() as i32).min(300);
    let scale = 10f64.powi(digits.abs());
    if digits < 0 { (value / scale).round() * scale } else { (value * scale).round() / scale }
}

/// The mean; `None` of nothing.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The standard error of the mean; `None` of fewer than two.
pub fn standard_error(values: &[f64]) -> Option<f64> {
    let mean = mean(values)?;
    let count = values.len() as f64;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (values.len() > 1).then(|| (squares / (count - 1.0) / count).sqrt())
}

/// How far from the mean the true mean is at most, with this confidence; `None` of fewer than two.
pub fn half_width(values: &[f64], confidence: f64) -> Option<f64> {
    let error = standard_error(values)?;
    let freedom = u32::try_from(values.len() - 1).unwrap_or(u32::MAX);
    Some(error * students_t::quantile(0.5 + confidence / 2.0, freedom))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use rand_distr::StandardNormal;

    #[test]
    fn the_interval_of_five_runs_is_the_one_computed_by_hand() {
        // Mean 3, standard deviation sqrt(2.5), t(0.975, 4) = 2.776.
        let estimate = Estimate::of(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        assert_eq!((estimate.mean, estimate.runs), (3.0, 5));
        assert!((estimate.half_width().unwrap() - 1.9632).abs() < 1e-4, "{estimate:?}");
        assert!((estimate.low.unwrap() - 1.0368).abs() < 1e-4, "{estimate:?}");
    }

    #[test]
    fn nothing_has_no_mean_and_one_run_no_interval() {
        assert_eq!(Estimate::of(&[]), None);
        let one = Estimate::of(&[0.25]).unwrap();
        assert_eq!((one.mean, one.low, one.high, one.runs), (0.25, None, None, 1));
    }

    #[test]
    fn runs_that_agree_leave_no_doubt() {
        let estimate = Estimate::of(&[0.0; 5]).unwrap();
        assert_eq!((estimate.low, estimate.high), (Some(0.0), Some(0.0)));
    }

    #[test]
    fn nine_digits_survive_being_written_and_read() {
        for value in [0.1 + 0.2, 1.0 / 3.0, -2.0e-7 / 3.0, 123_456_789.123, 1e15 / 7.0, 0.0] {
            let short = nine_digits(value);
            assert!((short - value).abs() <= 1e-8 * value.abs(), "{value} is not {short}");
            let written = serde_json::to_string(&short).unwrap();
            assert_eq!(serde_json::from_str::<f64>(&written).unwrap(), short, "{written}");
        }
    }

    #[test]
    fn a_share_is_never_below_zero() {
        let estimate = Estimate::of(&[0.0, 0.0, 0.1]).unwrap();
        assert!(estimate.low.unwrap() < 0.0);
        assert_eq!(estimate.at_least_zero().low, Some(0.0));
        assert_eq!(estimate.at_least_zero().high, estimate.high);
    }

    #[test]
    fn ninety_five_of_a_hundred_intervals_hold_the_true_mean() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let trials = 4_000;
        let held = (0..trials)
            .filter(|_| {
                let runs: [f64; 5] = std::array::from_fn(|_| rng.sample(StandardNormal));
                let estimate = Estimate::of(&runs).unwrap();
                estimate.low.unwrap() <= 0.0 && 0.0 <= estimate.high.unwrap()
            })
            .count();
        // Four standard deviations of a binomial around 95 %.
        let share = held as f64 / f64::from(trials);
        assert!((share - 0.95).abs() < 0.0138, "{share}");
    }
}
