//! The same plan in real and in virtual time: do they lose as much?
//!
//! They may differ, for they do not meet the same luck. The chains of the standing links step per
//! packet, and in real time other packets cross the link than in virtual time: QUIC acknowledges
//! when the scheduler lets it, TCP carries the control instead of a pipe, and jitter of a
//! millisecond swaps what goes first. From the first packet that only one of the two meets, every
//! burst falls elsewhere. So the session in real time is held against many in virtual time, as one
//! more draw from the same urn.
//!
//! Losses come in bursts: one is no independent sample of another, and the binomial bound would be
//! far too narrow. The variance is therefore taken over whole sessions with other seeds, which have
//! all the bursts in them; of the square root of the share lost, whose variance hardly depends on
//! the share itself. The bound is the prediction interval of Student's t for one more session, at
//! 99 %: of a hundred runs that do agree, one is said not to.

use std::fmt;

/// Sessions in virtual time against which one in real time is held.
pub const SEEDS: u64 = 20;

/// The 99.5 % quantile of Student's t with [`SEEDS`] - 1 degrees of freedom.
const STUDENT: f64 = 2.861;

/// The share of units that a session in real time did not play, against [`SEEDS`] in virtual time.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Twin {
    /// In real time.
    pub real: f64,
    /// In virtual time, the mean.
    pub mean: f64,
    /// Between these one more session in virtual time would lie, at 99 %.
    pub bound: (f64, f64),
    /// As many units lost independently of each other would give this variance; `None` where
    /// nothing is lost.
    pub effective: Option<f64>,
}

impl Twin {
    /// Holds `real` against `simulated`, the shares of [`SEEDS`] sessions; of `units` units each.
    /// What is less than one unit is within the bound.
    pub fn new(real: f64, simulated: &[f64; SEEDS as usize], units: u64) -> Self {
        let count = SEEDS as f64;
        let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / count;
        let center = mean(&mut simulated.iter().map(|it| it.sqrt()));
        let squares = |about: f64, value: f64| (value - about) * (value - about);
        let spread = |squares: f64| squares * count / (count - 1.0);
        let variance = spread(mean(&mut simulated.iter().map(|it| squares(center, it.sqrt()))));
        let reach = STUDENT * (variance * (1.0 + 1.0 / count)).sqrt();
        let unit = 1.0 / units.max(1) as f64;
        let (low, high) = ((center - reach).max(0.0), center + reach);
        let share = mean(&mut simulated.iter().copied());
        let shares = spread(mean(&mut simulated.iter().map(|it| squares(share, *it))));
        Self {
            real,
            mean: share,
            bound: ((low * low - unit).max(0.0), (high * high + unit).min(1.0)),
            effective: (shares > 0.0).then(|| share * (1.0 - share) / shares),
        }
    }

    /// Whether the two agree.
    pub fn agrees(&self) -> bool {
        (self.bound.0..=self.bound.1).contains(&self.real)
    }
}

impl fmt::Display for Twin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { real, mean, bound: (low, high), effective } = self;
        let percent = |share: &f64| 100.0 * share;
        write!(
            f,
            "residual: {:.3} % in real time, {:.3} % in virtual time ({SEEDS} seeds); 99 % bound \
             {:.3} to {:.3} %",
            percent(real),
            percent(mean),
            percent(low),
            percent(high)
        )?;
        if let Some(effective) = effective {
            write!(f, ", as of {effective:.0} independent units")?;
        }
        f.write_str(if self.agrees() { ": they agree" } else { ": they do NOT agree" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// A session of 3,000 units in bursts of `burst`, each beginning with this probability.
    fn session(luck: &mut ChaCha8Rng, begins: f64, burst: u32) -> f64 {
        let mut left = 0;
        let mut lost = 0;
        for _ in 0..3_000 {
            if left == 0 && luck.random_bool(begins) {
                left = burst;
            }
            lost += u32::from(left > 0);
            left = left.saturating_sub(1);
        }
        f64::from(lost) / 3_000.0
    }

    fn twin(luck: &mut ChaCha8Rng, real: f64) -> Twin {
        let simulated = std::array::from_fn(|_| session(luck, 0.002, 6));
        Twin::new(real, &simulated, 3_000)
    }

    #[test]
    fn of_a_thousand_sessions_that_do_agree_about_ten_are_said_not_to() {
        let mut luck = ChaCha8Rng::seed_from_u64(1);
        let apart = (0..1_000).filter(|_| {
            let real = session(&mut luck, 0.002, 6);
            !twin(&mut luck, real).agrees()
        });
        let apart = apart.count();
        assert!((1..=30).contains(&apart), "{apart} of 1000");
    }

    #[test]
    fn bursts_count_as_one_loss_and_not_as_many() {
        let mut luck = ChaCha8Rng::seed_from_u64(2);
        let effective: f64 =
            (0..50).map(|_| twin(&mut luck, 0.0).effective.unwrap()).sum::<f64>() / 50.0;
        assert!((250.0..1_000.0).contains(&effective), "{effective} instead of 3000 / 6");
    }

    #[test]
    fn a_session_that_loses_four_times_as_much_does_not_agree() {
        let mut luck = ChaCha8Rng::seed_from_u64(3);
        let apart = (0..100).filter(|_| {
            let real = session(&mut luck, 0.008, 6);
            !twin(&mut luck, real).agrees()
        });
        assert!(apart.count() > 90);
    }

    #[test]
    fn where_nothing_is_ever_lost_one_unit_may_be() {
        let twin = |real| Twin::new(real, &[0.0; SEEDS as usize], 1_000);
        assert!(twin(0.0).agrees() && twin(0.001).agrees() && !twin(0.0021).agrees());
        assert_eq!(
            twin(0.01).to_string(),
            "residual: 1.000 % in real time, 0.000 % in virtual time (20 seeds); 99 % bound 0.000 \
             to 0.100 %: they do NOT agree"
        );
    }
}
