//! Whether pairs of runs differ by more than luck.

use crate::report::{half_width, mean, standard_error, students_t};

/// The probability of calling anything changed by luck alone is at most this.
pub const FALSE_ALARMS: f64 = 0.05;

/// The differences of pairs, new less old, tested against no difference.
#[derive(Clone, Debug, PartialEq)]
pub struct Paired {
    /// Their mean.
    pub mean: f64,
    /// How far the true mean is from it at most, with a confidence of 95 %.
    pub half_width: f64,
    /// The probability of a mean as far from zero by luck alone (two-sided t test).
    pub p: f64,
}

impl Paired {
    /// Of at least two differences; one alone cannot be told from luck.
    pub fn of(differences: &[f64]) -> Option<Self> {
        let (mean, error) = (mean(differences)?, standard_error(differences)?);
        let freedom = u32::try_from(differences.len() - 1).ok()?;
        let p = if mean == 0.0 { 1.0 } else { students_t::both_tails(mean / error, freedom) };
        Some(Self { mean, half_width: half_width(differences, 1.0 - FALSE_ALARMS)?, p })
    }
}

/// Which of these tests tell of a change, if all together may give a false alarm with a
/// probability of at most `alpha`, however they depend on each other (S. Holm, A simple
/// sequentially rejective multiple test procedure, 1979).
pub fn holm(p: &[f64], alpha: f64) -> Vec<bool> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut told = vec![false; p.len()];
    for (rank, &index) in order.iter().enumerate() {
        if p[index] > alpha / (p.len() - rank) as f64 {
            break;
        }
        told[index] = true;
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use rand_distr::StandardNormal;

    #[test]
    fn a_paired_test_is_the_one_computed_by_hand() {
        // Mean 3, standard error sqrt(0.5): t = 4.243 with 4 degrees of freedom.
        let test = Paired::of(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        assert_eq!(test.mean, 3.0);
        assert!((test.p - 0.013_236).abs() < 1e-4, "{test:?}");
        assert!((test.half_width - 1.9632).abs() < 1e-4, "{test:?}");
    }

    #[test]
    fn pairs_that_agree_are_no_change_and_a_constant_shift_is_a_sure_one() {
        assert_eq!(Paired::of(&[0.0; 5]).unwrap().p, 1.0);
        let shift = Paired::of(&[0.25; 5]).unwrap();
        assert_eq!((shift.mean, shift.half_width, shift.p), (0.25, 0.0, 0.0));
        assert_eq!(Paired::of(&[1.0]), None);
    }

    #[test]
    fn holm_tells_what_the_paper_tells() {
        // Compared with 0.05/4, 0.05/3, 0.05/2 in this order: the third is not told, nor is the
        // fourth, although it alone would be below 0.05.
        assert_eq!(holm(&[0.01, 0.04, 0.03, 0.005], 0.05), [true, false, false, true]);
        assert_eq!(holm(&[], 0.05), [false; 0]);
        assert_eq!(holm(&[0.05, 0.0], 0.05), [true, true]);
    }

    #[test]
    fn luck_alone_raises_an_alarm_in_at_most_one_comparison_of_twenty() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let comparisons = 1_000;
        let alarms = (0..comparisons)
            .filter(|_| {
                let p: Vec<f64> = (0..40)
                    .map(|_| {
                        let pairs: [f64; 5] = std::array::from_fn(|_| rng.sample(StandardNormal));
                        Paired::of(&pairs).unwrap().p
                    })
                    .collect();
                holm(&p, FALSE_ALARMS).contains(&true)
            })
            .count();
        // Four standard deviations above 5 %.
        assert!(alarms <= 78, "{alarms} of {comparisons}");
        assert!(alarms >= 20, "a test that never rejects tests nothing: {alarms}");
    }
}
