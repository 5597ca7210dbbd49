//! How probable it is that chance alone goes so far: tails of distributions.

use std::f64::consts::PI;

/// Steps after which a series is taken to have converged: far more than any needs.
const STEPS: usize = 10_000;
/// What can be added without changing a sum of about 1.
const NEGLIGIBLE: f64 = 1e-16;

/// Probability that a standard normal number is further from 0 than `z`, on either side.
pub(super) fn normal(z: f64) -> f64 {
    chi_square(z * z, 1)
}

/// Probability that chi-square with `freedom` degrees of freedom exceeds `statistic`: the
/// regularised incomplete gamma function Q(freedom / 2, statistic / 2), by its series where that
/// converges fast and by its continued fraction elsewhere (Abramowitz and Stegun, 6.5.29, 6.5.31
/// and 26.4.19).
pub(super) fn chi_square(statistic: f64, freedom: usize) -> f64 {
    let (a, x) = (freedom as f64 / 2.0, statistic / 2.0);
    if freedom == 0 || x <= 0.0 {
        return 1.0;
    }
    let scale = (a * x.ln() - x - ln_gamma_of_half(freedom)).exp();
    if x < a + 1.0 { 1.0 - scale * series(a, x) } else { scale * fraction(a, x) }
}

/// Probability that two samples of one continuous distribution differ by more than `lambda` in
/// their empirical distribution functions, in units of sqrt(1/n + 1/m): Kolmogorov's distribution.
/// Where values tie, it errs on the side of agreement.
pub(super) fn kolmogorov(lambda: f64) -> f64 {
    // Below this, the alternating series converges slowly to what is 1 to ten digits.
    if lambda < 0.2 {
        return 1.0;
    }
    let term = |j: i32| {
        let sign = if j % 2 == 1 { 1.0 } else { -1.0 };
        sign * (-2.0 * (f64::from(j) * lambda).powi(2)).exp()
    };
    (2.0 * (1..100).map(term).sum::<f64>()).clamp(0.0, 1.0)
}

/// The statistic whose tail is `alpha`; `tail` must fall from 1 to 0.
pub(super) fn critical(alpha: f64, tail: impl Fn(f64) -> f64) -> f64 {
    let mut above = 1.0;
    while tail(above) > alpha && above < 1e9 {
        above *= 2.0;
    }
    let mut below = 0.0;
    for _ in 0..64 {
        let middle = (below + above) / 2.0;
        *(if tail(middle) > alpha { &mut below } else { &mut above }) = middle;
    }
    above
}

fn series(a: f64, x: f64) -> f64 {
    let (mut sum, mut term) = (1.0 / a, 1.0 / a);
    for n in 1..STEPS {
        term *= x / (a + n as f64);
        sum += term;
        if term < sum * NEGLIGIBLE {
            break;
        }
    }
    sum
}

/// By Lentz's method.
fn fraction(a: f64, x: f64) -> f64 {
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / f64::MIN_POSITIVE;
    let mut d = 1.0 / b;
    let mut product = d;
    for n in 1..STEPS {
        let n = n as f64;
        let numerator = -n * (n - a);
        b += 2.0;
        d = 1.0 / (numerator * d + b);
        c = b + numerator / c;
        let factor = c * d;
        product *= factor;
        if (factor - 1.0).abs() < NEGLIGIBLE * 10.0 {
            break;
        }
    }
    product
}

/// ln Γ(freedom / 2), by the recurrence from Γ(1) = 1 or Γ(1/2) = √π.
fn ln_gamma_of_half(freedom: usize) -> f64 {
    let start = if freedom.is_multiple_of(2) { 0.0 } else { PI.sqrt().ln() };
    let first = if freedom.is_multiple_of(2) { 2 } else { 1 };
    start + (first..freedom).step_by(2).map(|k| (k as f64 / 2.0).ln()).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(value: f64, expected: f64) {
        assert!((value - expected).abs() < 1e-4 * expected, "{value}, not {expected}");
    }

    #[test]
    fn tails_are_those_of_the_printed_tables() {
        close(normal(1.959_964), 0.05);
        close(normal(3.290_527), 0.001);
        close(normal(5.0), 5.733e-7);
        close(chi_square(3.841_459, 1), 0.05);
        close(chi_square(18.307_04, 10), 0.05);
        close(chi_square(59.703_06, 30), 0.001);
        close(chi_square(5.142_2, 12), 0.953_1);
        close(kolmogorov(1.358_1), 0.05);
        close(kolmogorov(1.949_475), 0.001);
    }

    #[test]
    fn what_is_no_surprise_has_the_tail_of_certainty() {
        assert_eq!(chi_square(0.0, 5), 1.0);
        assert_eq!(chi_square(3.0, 0), 1.0);
        assert_eq!(kolmogorov(0.0), 1.0);
    }

    #[test]
    fn the_critical_value_has_the_tail_that_was_asked_for() {
        for alpha in [0.5, 0.01, 1e-5] {
            close(normal(critical(alpha, normal)), alpha);
            close(chi_square(critical(alpha, |x| chi_square(x, 7)), 7), alpha);
        }
    }
}
