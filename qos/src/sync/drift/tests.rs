use std::ops::Range;

use super::*;
use crate::playout::signals::Random;

/// A meter that has seen a packet every 20 ms for `seconds`, on a path whose clocks part by
/// `rate`.
fn metered(rate: f64, seconds: u64, mut waiting: impl FnMut(f64) -> f64) -> DriftMeter {
    let mut meter = DriftMeter::new();
    feed(&mut meter, rate, 0..seconds * 50, &mut waiting);
    meter
}

/// `waiting` is what keeps a packet, in seconds, given when it was sent.
fn feed(
    meter: &mut DriftMeter,
    rate: f64,
    packets: Range<u64>,
    waiting: &mut dyn FnMut(f64) -> f64,
) {
    for packet in packets {
        let at = packet as f64 * 0.02;
        let offset = TimeDelta::from_secs_f64(5.0 + rate * at + waiting(at));
        meter.observe(MonoTime::from_millis(packet * 20), offset);
    }
}

/// Jitter as netem draws it: normal, never below nothing.
fn normal(seed: u64, mean: f64, deviation: f64) -> impl FnMut(f64) -> f64 {
    let mut random = Random::new(seed);
    move |_| (mean + deviation * random.normal()).max(0.0)
}

#[test]
fn nothing_is_said_before_there_is_a_line() {
    assert_eq!(DriftMeter::new().drift(), None);
    assert_eq!(metered(0.0, 20, |_| 0.0).drift(), None);
    assert!(metered(0.0, 22, |_| 0.0).drift().is_some());
}

#[test]
fn without_jitter_the_drift_is_exact() {
    for ppm in [-300.0, -20.0, 0.0, 5.0, 1_000.0] {
        let drift = metered(ppm * 1e-6, 60, |_| 0.0).drift().unwrap();
        assert!((drift.rate * 1e6 - ppm).abs() < 0.01, "{ppm}: {drift:?}");
        assert_eq!(drift.exceeds(Drift::WORTH), ppm.abs() > 20.0, "{ppm}");
    }
}

#[test]
fn through_the_jitter_of_the_bench_300_ppm_are_found_within_a_minute_and_a_half() {
    for (seed, jitter) in (1..=20).flat_map(|seed| [(seed, 0.010), (seed, 0.015)]) {
        for ppm in [-300.0, 300.0] {
            let drift =
                metered(ppm * 1e-6, 90, normal(seed, 0.04, jitter)).drift().expect("a line");
            assert!(drift.exceeds(Drift::WORTH), "{ppm}, seed {seed}: {drift:?}");
            assert_eq!(drift.rate.signum(), ppm.signum());
        }
    }
}

#[test]
fn of_a_hundred_pairs_of_clocks_that_do_not_part_five_seem_to_in_five_minutes_at_most() {
    for jitter in [0.001, 0.005, 0.015, 0.030] {
        let mut wrong = 0;
        for seed in 0..100 {
            let mut waiting = normal(seed, 0.06, jitter);
            let mut meter = DriftMeter::new();
            for second in 0..300 {
                feed(&mut meter, 0.0, second * 50..(second + 1) * 50, &mut waiting);
                if meter.drift().is_some_and(|drift| drift.exceeds(Drift::WORTH)) {
                    wrong += 1;
                    break;
                }
            }
        }
        assert!(wrong <= 5, "jitter {jitter}: {wrong} of 100");
    }
}

#[test]
fn the_stated_error_is_the_error_within_a_factor() {
    for jitter in [0.005, 0.015, 0.030] {
        let errors: Vec<f64> = (0..60)
            .map(|seed| {
                let drift = metered(100e-6, 300, normal(seed, 0.06, jitter)).drift().unwrap();
                (drift.rate - 100e-6) / drift.error
            })
            .collect();
        let spread = (errors.iter().map(|it| it * it).sum::<f64>() / 60.0).sqrt();
        assert!((0.5..1.6).contains(&spread), "jitter {jitter}: {spread}");
    }
}

#[test]
fn a_queue_that_comes_and_goes_does_not_look_like_drift() {
    // Every half minute some other flow fills a queue of 200 ms for 12 s.
    let queue = |at: f64| if at % 30.0 > 18.0 { 0.2 } else { 0.0 };
    let mut jitter = normal(3, 0.01, 0.002);
    let meter = metered(0.0, 600, |at| queue(at) + jitter(at));
    let drift = meter.drift().unwrap();
    assert!(!drift.exceeds(Drift::WORTH), "{drift:?}");
    let mut jitter = normal(3, 0.01, 0.002);
    let drift = metered(250e-6, 600, |at| queue(at) + jitter(at)).drift().unwrap();
    assert!((drift.rate - 250e-6).abs() < 30e-6, "{drift:?}");
}

#[test]
fn a_path_that_becomes_longer_or_shorter_is_no_drift() {
    for change in [0.030, -0.030] {
        let mut jitter = normal(9, 0.05, 0.005);
        let mut meter = DriftMeter::new();
        let mut waiting = |at: f64| jitter(at) + if at > 120.0 { change } else { 0.0 };
        for second in 0..400 {
            feed(&mut meter, 0.0, second * 50..(second + 1) * 50, &mut waiting);
            let drift = meter.drift().unwrap_or(Drift::NONE);
            assert!(!drift.exceeds(40e-6), "{change}: {drift:?} after {second} s");
        }
        let drift = meter.drift().unwrap();
        assert!(drift.rate.abs() < 20e-6, "{change}: {drift:?}");
    }
}

#[test]
fn an_interruption_that_was_told_costs_nothing_and_repeated_means_nothing() {
    let mut meter = DriftMeter::new();
    for second in 0..200 {
        if second % 20 == 0 {
            (0..5).for_each(|_| meter.interrupt());
        }
        let mut jumps = |_| (second / 20) as f64;
        feed(&mut meter, 120e-6, second * 50..(second + 1) * 50, &mut jumps);
    }
    let drift = meter.drift().unwrap();
    assert!((drift.rate - 120e-6).abs() < 1e-6, "{drift:?}");
    assert_eq!(meter.stretch, 9);
}

#[test]
fn a_drift_that_changes_is_followed_within_its_memory() {
    let mut meter = DriftMeter::new();
    let mut jitter = normal(4, 0.05, 0.003);
    feed(&mut meter, 50e-6, 0..30_000, &mut jitter);
    // The offset goes on from where it was, more steeply.
    let mut steeper = |at: f64| jitter(at) - 50e-6 * (at - 600.0);
    feed(&mut meter, 100e-6, 30_000..60_000, &mut steeper);
    let drift = meter.drift().unwrap();
    assert!((drift.rate - 50e-6).abs() < 5e-6, "{drift:?}");
}

#[test]
fn the_drift_of_two_clocks_against_a_third_is_that_between_them() {
    let sink = Drift { rate: 120e-6, error: 3e-6 };
    let sender = Drift { rate: -80e-6, error: 4e-6 };
    let between = sink.above(sender);
    assert!((between.rate - 200e-6).abs() < 1e-12);
    assert!((between.error - 5e-6).abs() < 1e-12);
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut meter = metered(0.0, 3_600, |at| if at % 20.0 < 10.0 { 0.0 } else { 0.5 });
    assert!(meter.minima.len() <= BUCKETS);
    // A clock that jumps by days, and readings out of order, do no harm.
    meter.observe(MonoTime::from_nanos(u64::MAX), TimeDelta::from_nanos(i64::MIN));
    meter.observe(MonoTime::ZERO, TimeDelta::from_nanos(i64::MAX));
    assert!(meter.drift().is_none_or(|drift| drift.rate.is_finite()));
}
