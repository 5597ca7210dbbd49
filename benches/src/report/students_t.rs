//! Student's t distribution: how far a mean of few runs may be from the truth.

/// The value that a t-distributed variable with `freedom` degrees of freedom stays below with
/// probability `p`, for `p` between 1/2 and 1.
///
/// By bisection of the distribution function, to 1e-9 of the value.
pub fn quantile(p: f64, freedom: u32) -> f64 {
    let p = p.clamp(0.5, 1.0 - 1e-15);
    let mut high = 1.0;
    while distribution(high, freedom) < p && high < 1e15 {
        high *= 2.0;
    }
    let mut low = 0.0;
    while high - low > 1e-9 * high {
        let middle = (low + high) / 2.0;
        if distribution(middle, freedom) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low + high) / 2.0
}

/// The probability that a t-distributed variable with `freedom` degrees of freedom is at most `t`.
pub fn distribution(t: f64, freedom: u32) -> f64 {
    let freedom = f64::from(freedom.max(1));
    let tail = 0.5 * incomplete_beta(freedom / 2.0, 0.5, freedom / (freedom + t * t));
    if t > 0.0 { 1.0 - tail } else { tail }
}

/// The probability that a t-distributed variable is farther from zero than `t`, either way.
pub fn both_tails(t: f64, freedom: u32) -> f64 {
    let freedom = f64::from(freedom.max(1));
    if t.is_infinite() {
        return 0.0;
    }
    incomplete_beta(freedom / 2.0, 0.5, freedom / (freedom + t * t))
}

/// The regularized incomplete beta function (Abramowitz and Stegun, 26.5.8: a continued fraction,
/// evaluated by Lentz's method).
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    // The fraction converges fast on this side only; the other is its mirror.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(b, a, 1.0 - x);
    }
    let front =
        (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp() / a;
    let tiny = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let (mut c, mut d) = (1.0, 1.0 / tiny(1.0 - (a + b) * x / (a + 1.0)));
    let mut fraction = d;
    for step in 1..500 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let before = fraction;
        for numerator in [even, odd] {
            d = 1.0 / tiny(1.0 + numerator * d);
            c = tiny(1.0 + numerator / c);
            fraction *= c * d;
        }
        if (fraction - before).abs() < 1e-15 * fraction.abs() {
            break;
        }
    }
    front * fraction
}

/// The logarithm of the gamma function for positive numbers, to 1e-13 (Lanczos' series, g = 7).
fn ln_gamma(x: f64) -> f64 {
    const SERIES: [f64; 8] = [
        676.5203681218851,
        -1259.1392167224028,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507343278686905,
        -0.13857109526572012,
        9.984_369_578_019_572e-6,
        1.5056327351493116e-7,
    ];
    if x < 0.5 {
        let reflected = (std::f64::consts::PI / (std::f64::consts::PI * x).sin()).ln();
        return reflected - ln_gamma(1.0 - x);
    }
    let x = x - 1.0;
    let mut sum = 0.999_999_999_999_809_9;
    for (index, term) in SERIES.iter().enumerate() {
        sum += term / (x + index as f64 + 1.0);
    }
    let t = x + 7.5;
    0.5 * std::f64::consts::TAU.ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_near(found: f64, exact: f64, within: f64) {
        assert!((found - exact).abs() <= within, "{found} is not {exact}");
    }

    #[test]
    fn quantiles_are_those_of_the_printed_tables() {
        // Abramowitz and Stegun, table 26.10.
        for (freedom, p, t) in [
            (1, 0.975, 12.706),
            (2, 0.975, 4.303),
            (4, 0.975, 2.776),
            (4, 0.995, 4.604),
            (9, 0.95, 1.833),
            (30, 0.975, 2.042),
            (120, 0.995, 2.617),
        ] {
            assert_near(quantile(p, freedom), t, 5e-4);
        }
    }

    #[test]
    fn with_one_degree_of_freedom_it_is_cauchys_distribution() {
        for t in [-3.0f64, -1.0, 0.0, 0.5, 7.0] {
            let exact = 0.5 + t.atan() / std::f64::consts::PI;
            assert_near(distribution(t, 1), exact, 1e-12);
        }
    }

    #[test]
    fn the_quantile_is_the_inverse_of_the_distribution() {
        for freedom in [1, 2, 4, 9, 50] {
            for p in [0.5, 0.6, 0.9, 0.975, 0.9999] {
                assert_near(distribution(quantile(p, freedom), freedom), p, 1e-9);
            }
        }
    }

    #[test]
    fn both_tails_are_twice_one() {
        assert_near(both_tails(2.776_445, 4), 0.05, 1e-6);
        assert_near(both_tails(-2.776_445, 4), 0.05, 1e-6);
        assert_eq!(both_tails(f64::INFINITY, 4), 0.0);
        assert_eq!(both_tails(0.0, 4), 1.0);
    }
}
