//! Delay, its distributions, and the order of packets.

use super::*;

/// Holds the share of delays up to each of these quantiles to its rank. A table has 4096 steps, so
/// the rank of a value is known to one of them.
#[track_caller]
fn assert_quantiles(words: &str, expected: &[(f64, f64)]) {
    let delays = delays(&send(&mut link(words), 200_000, TICK, 200));
    let count = delays.len() as f64;
    for &(rank, millis) in expected {
        let below = delays.iter().filter(|&&delay| delay <= millis).count() as f64 / count;
        let bound = SIGMAS * (rank * (1.0 - rank) / count).sqrt() + 1.0 / 4096.0;
        assert!((below - rank).abs() <= bound, "{words}: {below} below {millis}, not {rank}");
    }
}

/// Quantiles of the standard normal distribution.
const NORMAL: [(f64, f64); 7] = [
    (0.001, -3.0902),
    (0.05, -1.6449),
    (0.25, -0.6745),
    (0.5, 0.0),
    (0.841345, 1.0),
    (0.95, 1.6449),
    (0.99, 2.3263),
];

/// As netem scales it: see [`Distribution::Pareto`].
fn pareto(rank: f64) -> f64 {
    ((1.0 - rank).powf(-1.0 / 3.0) - 1.5) * 4.0 / 3.0
}

#[test]
fn normal_jitter_has_the_quantiles_of_the_normal_distribution() {
    let expected = NORMAL.map(|(rank, deviations)| (rank, 100.0 + 15.0 * deviations));
    assert_quantiles("delay 100ms 15ms distribution normal", &expected);
}

#[test]
fn uniform_jitter_has_its_quantiles_and_stays_within_its_bounds() {
    let expected = [0.1, 0.25, 0.5, 0.9].map(|rank| (rank, 90.0 + 20.0 * rank));
    assert_quantiles("delay 100ms 10ms", &expected);
    let delays = delays(&send(&mut link("delay 100ms 10ms"), 100_000, TICK, 200));
    assert!(delays.iter().all(|delay| (90.0..110.0).contains(delay)));
}

#[test]
fn pareto_jitter_has_the_quantiles_of_shape_three_and_ends_at_four_deviations() {
    let expected = [0.05, 0.25, 0.5, 0.9, 0.98].map(|rank| (rank, 80.0 + 40.0 * pareto(rank)));
    let words = "delay 80ms 40ms distribution pareto";
    assert_quantiles(words, &expected);
    let delays = delays(&send(&mut link(words), 100_000, TICK, 200));
    let ends = (80.0 - 40.0 * 2.0 / 3.0 - 0.01)..=(80.0 + 4.0 * 40.0);
    assert!(delays.iter().all(|delay| ends.contains(delay)));
}

#[test]
fn paretonormal_jitter_is_a_quarter_normal_and_three_quarters_pareto_of_the_same_rank() {
    let mixed = |(rank, normal): (f64, f64)| {
        (rank, 100.0 + 20.0 * (0.25 * normal + 0.75 * pareto(rank).min(4.0)))
    };
    assert_quantiles("delay 100ms 20ms distribution paretonormal", &NORMAL.map(mixed));
}

#[test]
fn a_table_file_has_the_quantiles_it_lists() {
    let path = std::env::temp_dir().join(format!("cantus-{}.dist", std::process::id()));
    std::fs::write(&path, "# early, on time, or very late\n-8192 0\n0 16384\n").unwrap();
    let words = format!("delay 100ms 10ms distribution {}", path.display());
    let delays = delays(&send(&mut link(&words), 100_000, TICK, 200));
    std::fs::remove_file(&path).unwrap();
    for (millis, share) in [(90.0, 0.25), (100.0, 0.5), (120.0, 0.25)] {
        let hits = delays.iter().filter(|&&delay| delay == millis).count();
        assert_share(hits, delays.len(), share);
    }
}

#[test]
fn a_delay_is_never_negative() {
    let words = "delay 10ms 30ms distribution normal";
    let delays = delays(&send(&mut link(words), 10_000, TICK, 200));
    assert!(delays.iter().all(|&delay| delay >= 0.0));
    let at_once = delays.iter().filter(|&&delay| delay == 0.0).count();
    assert_share(at_once, 10_000, 0.36944);
}

/// The autocorrelation of the delays from one packet to the next.
fn autocorrelation(delays: &[f64]) -> f64 {
    let mean = delays.iter().sum::<f64>() / delays.len() as f64;
    let product = |a: f64, b: f64| (a - mean) * (b - mean);
    let squares: f64 = delays.iter().map(|&delay| product(delay, delay)).sum();
    delays.windows(2).map(|pair| product(pair[0], pair[1])).sum::<f64>() / squares
}

/// Bartlett 1946: the estimate of an autoregression's ρ scatters by √((1 - ρ²) / n).
fn assert_autocorrelation(words: &str, expected: f64) {
    let count = 100_000;
    let mut arrivals = send(&mut link(words), count, TICK, 200);
    arrivals.sort_by_key(|arrival| arrival.tag);
    let measured = autocorrelation(&delays(&arrivals));
    let error = ((1.0 - expected * expected) / count as f64).sqrt();
    assert!((measured - expected).abs() <= SIGMAS * error, "{words}: {measured}");
}

#[test]
fn the_correlation_of_delays_is_lost_in_the_remainder_as_it_is_in_the_kernel() {
    assert_autocorrelation("delay 3s 10ms 50% limit 10000", 0.0);
    assert_autocorrelation("delay 3s 10ms 50% distribution normal limit 10000", 0.0);
}

#[test]
fn the_correlation_of_delays_shows_where_the_jitter_is_as_wide_as_the_numbers_drawn() {
    // 2^31 ns either way are all of 32 bits.
    assert_autocorrelation("delay 3s 2147483648ns 25% limit 10000", 0.25);
    assert_autocorrelation("delay 3s 2147483648ns 75% limit 10000", 0.75);
}

#[test]
fn jitter_reorders_unless_order_is_kept() {
    let words = "delay 60ms 30ms distribution normal";
    let mut free = link(words);
    send(&mut free, 10_000, TICK, 200);
    assert!(free.counts().reordered > 1_000);

    let mut kept = link(&format!("{words} keep-order"));
    let arrivals = send(&mut kept, 10_000, TICK, 200);
    assert_eq!(kept.counts().reordered, 0);
    assert!(arrivals.iter().map(|arrival| arrival.tag).eq(0..10_000));
}

#[test]
fn a_kept_order_departs_at_the_later_of_its_own_time_and_the_one_before() {
    let words = "delay 60ms 30ms distribution normal";
    let mut free = send(&mut link(words), 2_000, TICK, 200);
    let kept = send(&mut link(&format!("{words} keep-order")), 2_000, TICK, 200);
    free.sort_by_key(|arrival| arrival.tag);
    let mut previous = MonoTime::ZERO;
    for (free, kept) in free.iter().zip(&kept) {
        previous = previous.max(free.at);
        assert_eq!(kept.at, previous);
    }
}

#[test]
fn the_limit_counts_packets_that_are_being_delayed() {
    for (sent, delivered) in [(5, 5), (6, 5), (80, 5)] {
        let mut link = link("delay 30ms limit 5");
        assert_eq!(send(&mut link, sent, Duration::ZERO, 200).len(), delivered);
        assert_eq!(link.counts().overflowed, sent - delivered as u64);
    }
    // After 30 ms they are gone, and there is room.
    assert_eq!(send(&mut link("delay 30ms limit 2"), 100, TICK, 200).len(), 100);
    assert_eq!(send(&mut link("delay 30ms limit 1"), 100, TICK, 200).len(), 50);
}
