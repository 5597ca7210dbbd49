use super::ideal::{Policy, stream};
use super::*;

use proptest::prelude::*;

const TEN_MINUTES: Frames = Frames::opus(Duration::from_secs(600));
const TWO_MINUTES: Frames = Frames::opus(Duration::from_secs(120));

fn link(words: &str) -> LinkSpec {
    words.parse().expect("the words of a link")
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn mean(seeds: u64, of: impl Fn(u64) -> f64) -> f64 {
    (1..=seeds).map(of).sum::<f64>() / seeds as f64
}

/// What was measured for a code without blocks and without requests when the links were chosen.
#[test]
fn code_alone_leaves_what_a_reference_sender_left() {
    for (name, latency, code, reference) in [
        ("bursty", 200, 0.42, 0.027),
        ("bursty", 200, 0.84, 0.012),
        ("bad", 200, 0.74, 0.086),
        ("bad", 200, 0.95, 0.064),
    ] {
        let link = link(name);
        let latency = millis(latency);
        let window = (latency - link.delay, Duration::ZERO);
        let policy = Policy { code, window, asking: None };
        let run = |seed| stream(&link, seed, TEN_MINUTES, latency, policy).expect("a link");
        let left = mean(3, |seed| run(seed).residual);
        assert!((left / reference - 1.0).abs() < 0.2, "{name} {code}: {left:.4} of {reference}");
    }
}

/// The same for code and requests together: that sender parted its bytes as it saw fit, the ideal
/// one as is best.
#[test]
fn the_ideal_leaves_no_more_than_a_reference_sender_and_no_less_than_outages() {
    for (name, latency, overhead, reference) in
        [("bursty", 200, 0.36, 0.0040), ("bad", 250, 0.86, 0.049), ("bursty-t", 200, 0.53, 0.0100)]
    {
        let (link, latency) = (link(name), millis(latency));
        let run = |seed| repair(&link, seed, TWO_MINUTES, overhead, latency).expect("a link");
        let bounds = [run(1), run(2)];
        let left = mean(2, |seed| bounds[seed as usize - 1].residual);
        let outages = mean(2, |seed| bounds[seed as usize - 1].outage.unwrap_or(0.0));
        assert!(left <= reference, "{name}: {left:.4} of {reference}");
        assert!(left >= 0.8 * outages, "{name}: {left:.4}, but outages of {outages:.4}");
    }
}

/// The closed form: the chain is bad, and stays so for as many steps as fit into the time.
#[test]
fn outages_are_as_frequent_as_the_chain_has_them() {
    for (name, latency, expected) in [
        ("bursty-t", 150, 0.0385 * 0.75f64.powi(5)),
        ("bursty-t", 200, 0.0385 * 0.75f64.powi(8)),
        ("bursty-t", 250, 0.0385 * 0.75f64.powi(10)),
        ("bad-t", 200, 0.1304 * 0.8f64.powi(7)),
        ("bad-t", 250, 0.1304 * 0.8f64.powi(9)),
    ] {
        let (link, latency) = (link(name), millis(latency));
        let share = |seed| outage::share(&link, seed, TEN_MINUTES, latency).expect("a link");
        let found = mean(20, |seed| share(seed).expect("losses are a matter of time"));
        assert!((found / expected - 1.0).abs() < 0.15, "{name}: {found:.5} of {expected:.5}");
    }
    let by_packet = outage::share(&link("bursty"), 1, TWO_MINUTES, millis(200));
    assert_eq!(by_packet, Ok(None));
}

#[test]
fn where_nothing_is_lost_nothing_is_missing_and_nothing_need_be_spent() {
    let bound = repair(&link("delay 40ms"), 1, TWO_MINUTES, 0.0, millis(100)).expect("a link");
    assert_eq!((bound.frames, bound.missing, bound.overhead), (6_000, 0, 0.0));
}

#[test]
fn what_cannot_come_in_time_is_missing() {
    for latency in [0, 39] {
        let bound = repair(&link("delay 40ms"), 1, TWO_MINUTES, 1.0, millis(latency));
        assert_eq!(bound.expect("a link").residual, 1.0);
    }
    let bound = repair(&link("delay 40ms"), 1, TWO_MINUTES, 1.0, millis(40)).expect("a link");
    assert_eq!(bound.missing, 0);
}

#[test]
fn a_link_that_cannot_be_is_refused() {
    let link = LinkSpec { limit: 0, ..LinkSpec::default() };
    assert!(repair(&link, 1, TWO_MINUTES, 0.5, millis(100)).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn the_budget_is_kept_to_a_packet_on_any_link(
        name in prop::sample::select(vec!["bursty", "bad-t", "heavy", "storm", "thin", "umts"]),
        seed: u64,
        overhead in 0.0f64..1.5,
        latency in 50u64..400,
    ) {
        let frames = Frames::opus(Duration::from_secs(10));
        let bound = repair(&link(name), seed, frames, overhead, millis(latency)).expect("a link");
        prop_assert!(bound.overhead <= overhead + 1.0 / bound.frames as f64);
        let parts = bound.code + bound.answers + bound.requests;
        prop_assert!((bound.overhead - parts).abs() < 1e-9);
        prop_assert_eq!(bound.residual, bound.missing as f64 / bound.frames as f64);
        let again = repair(&link(name), seed, frames, overhead, millis(latency));
        prop_assert_eq!(again, Ok(bound), "the same luck gives the same bound");
    }
}
