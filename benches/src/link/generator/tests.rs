use super::*;

use std::time::Duration;

/// The share of time spent in gaps of at least `millis`.
fn share_in_gaps(trace: &DeliveryTrace, millis: u32) -> f64 {
    let gaps = trace.millis().windows(2).map(|pair| pair[1] - pair[0]);
    let long: u32 = gaps.filter(|&gap| gap >= millis).sum();
    f64::from(long) / trace.period().as_millis() as f64
}

/// Means over ten seeds of the rate in Mbit/s and the shares of time in gaps of 20 ms, 100 ms
/// and 500 ms.
fn means(carrier: Carrier) -> [f64; 4] {
    let mut sums = [0.0; 4];
    for trace in (0..10).map(|seed| carrier.generate(seed)) {
        let bits = trace.millis().len() as f64 * 12_000.0;
        sums[0] += bits / trace.period().as_secs_f64() / 1e6;
        sums[1] += share_in_gaps(&trace, 20);
        sums[2] += share_in_gaps(&trace, 100);
        sums[3] += share_in_gaps(&trace, 500);
    }
    sums.map(|sum| sum / 10.0)
}

#[track_caller]
fn assert_close(measured: [f64; 4], real: [f64; 4]) {
    for (measured, real) in measured.iter().zip(real) {
        assert!((measured / real - 1.0).abs() < 0.35, "{measured} where the drive had {real}");
    }
}

#[test]
fn a_umts_drive_has_the_rate_and_the_outages_of_the_real_one() {
    assert_close(means(Carrier::Umts), [0.943, 0.404, 0.110, 0.079]);
}

#[test]
fn an_lte_drive_has_the_rate_and_the_outages_of_the_real_one() {
    assert_close(means(Carrier::Lte), [4.56, 0.249, 0.126, 0.044]);
}

#[test]
fn a_drive_follows_from_its_seed() {
    assert_eq!(Carrier::Lte.generate(1), Carrier::Lte.generate(1));
    assert_ne!(Carrier::Lte.generate(1), Carrier::Lte.generate(2));
    assert!(Carrier::Umts.generate(1).period() > Duration::from_secs(900));
}

#[test]
fn the_normal_distribution_function_has_its_known_values() {
    for (x, expected) in [(0.0, 0.5), (1.0, 0.841_344_7), (-1.96, 0.024_997_9), (5.0, 0.999_999_7)]
    {
        assert!((normal_cdf(x) - expected).abs() < 1e-6, "{x}: {}", normal_cdf(x));
    }
}
