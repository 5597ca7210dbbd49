//! What repair is worth.

use cantus_bench::sim::Scenario;
use cantus_player::wish::{Carrier, Latency};
use cantus_qos::spec::Protection;
use std::time::Duration;

use crate::stage::{LONG, SAMPLES, assert_completed, play, scenario, sole};

/// Repair bytes to media bytes, at most.
const BUDGET: f64 = 0.85;

fn ten_minutes(link: &str, seed: u64) -> Scenario {
    let latency = Latency::Fixed(Duration::from_millis(200));
    let retransmission = false;
    Scenario { latency, retransmission, ..scenario("synthetic", link, Carrier::Udp) }
        .with_seed(seed)
}

fn residual(scenario: &Scenario) -> f64 {
    let outcome = play(&LONG, scenario);
    assert_completed(&outcome);
    let stream = sole(&outcome);
    assert_eq!(stream.expected, 30_000);
    let share = stream.bytes.repair as f64 / stream.bytes.media as f64;
    assert!(share <= BUDGET, "{share:.3} of the media is repair");
    assert_eq!(share == 0.0, scenario.protection == Protection::Off);
    stream.residual.expect("units were expected")
}

/// With repair, on each of five seeds, no more than `most` of the residual without.
fn assert_repaired(link: &str, most: f64) {
    for seed in 1..=5 {
        let scenario = ten_minutes(link, seed);
        let bare = residual(&scenario.clone().with_protection(Protection::Off));
        let repaired = residual(&scenario.with_protection(Protection::Auto));
        assert!(
            repaired <= most * bare,
            "{link}, seed {seed}: {repaired:.5} of {bare:.5} is more than {most}",
        );
    }
}

#[test]
fn a_sliding_window_repairs_over_udp_and_over_quic() {
    for carrier in [Carrier::Udp, Carrier::Quic] {
        let wish = "sliding:75%/140ms".parse().expect("a wish for repair");
        let scenario = scenario("narration", "heavy", carrier).with_protection(wish);
        let outcome = play(&SAMPLES, &scenario);
        assert_completed(&outcome);
        let stream = sole(&outcome);
        assert!(stream.recovered_fec * 10 > stream.lost_network * 9, "{carrier:?}: {stream:?}");
    }
}

#[test]
fn repair_alone_halves_the_residual_of_bursts() {
    assert_repaired("bursty", 0.5);
}

#[test]
fn repair_alone_leaves_a_tenth_of_heavy_loss() {
    assert_repaired("heavy", 0.1);
}
