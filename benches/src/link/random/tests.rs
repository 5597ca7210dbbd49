use super::*;

const COUNT: usize = 200_000;
const SIGMAS: f64 = 4.0;

fn numbers(correlation: f64) -> Vec<f64> {
    let correlation = Share::of(correlation).unwrap();
    let mut draws = Correlated::new(stream(7, Role::Loss), correlation);
    (0..COUNT).map(|_| f64::from(draws.next()) / 2f64.powi(32)).collect()
}

/// Means of products of deviations from 1/2, the mean, `lag` numbers apart.
fn autocovariance(numbers: &[f64], lag: usize) -> f64 {
    let pairs = numbers.iter().zip(&numbers[lag..]);
    pairs.map(|(a, b)| (a - 0.5) * (b - 0.5)).sum::<f64>() / (numbers.len() - lag) as f64
}

#[test]
fn the_autocorrelation_over_k_numbers_is_the_correlation_to_the_k() {
    for correlation in [0.0, 0.25, 0.5, 0.9] {
        let numbers = numbers(correlation);
        let variance = autocovariance(&numbers, 0);
        for lag in 1..=4 {
            let expected = f64::powi(correlation, lag as i32);
            let measured = autocovariance(&numbers, lag) / variance;
            // Bartlett 1946, for a first-order autoregression.
            let (squared, decayed) = (correlation * correlation, expected * expected);
            let spread =
                (1.0 - decayed) * (1.0 + squared) / (1.0 - squared) - 2.0 * lag as f64 * decayed;
            let error = (spread / COUNT as f64).sqrt();
            let off = (measured - expected).abs();
            assert!(off <= SIGMAS * error, "{correlation} at {lag}: {measured}, not {expected}");
        }
    }
}

#[test]
fn correlated_numbers_crowd_around_the_middle() {
    for correlation in [0.0, 0.25, 0.5, 0.9] {
        let numbers = numbers(correlation);
        let expected = (1.0 - correlation) / (1.0 + correlation) / 12.0;
        let measured = autocovariance(&numbers, 0);
        // Of so many numbers, as many are worth independent ones as the memory of the squares
        // allows; each scatters at most as those of a normal distribution do, by √2.
        let memory = (1.0 + correlation * correlation) / (1.0 - correlation * correlation);
        let error = expected * (2.0 * memory / COUNT as f64).sqrt();
        assert!((measured - expected).abs() <= SIGMAS * error, "{correlation}: {measured}");
    }
}

#[test]
fn a_correlation_of_one_repeats_the_first_number() {
    let mut draws = Correlated::new(stream(7, Role::Loss), Share::WHOLE);
    let first = draws.next();
    assert!((0..1_000).all(|_| draws.next() == first));
}

#[test]
fn each_role_has_a_stream_of_its_own() {
    let first = |role| stream(7, role).next_u64();
    assert_ne!(first(Role::Loss), first(Role::Delay));
    assert_eq!(first(Role::Slot), first(Role::Slot));
}
