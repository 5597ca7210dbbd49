//! The latency that follows the network: `auto`.

use cantus_bench::sim::Scenario;
use cantus_player::wish::{Carrier, Latency};

use crate::stage::{CARRIERS, SAMPLES, assert_completed, play, scenario, sole};

fn at(latency: Latency, scenario: Scenario) -> Scenario {
    Scenario { latency, ..scenario }
}

#[test]
fn auto_waits_no_longer_than_a_clean_link_asks_for() {
    for carrier in CARRIERS {
        let outcome = play(&SAMPLES, &at(Latency::Auto, scenario("narration", "clean", carrier)));
        assert_completed(&outcome);
        let stream = sole(&outcome);
        assert_eq!(stream.residual, Some(0.0));
        assert!(stream.delay_ms.p50.unwrap() <= 60.0, "{:?}", stream.delay_ms);
    }
}

#[test]
fn auto_finds_room_for_the_jitter_that_there_is() {
    for link in ["wifi", "bursty"] {
        let wish = at(Latency::Auto, scenario("narration", link, Carrier::Udp));
        let adapted = play(&SAMPLES, &wish);
        assert_completed(&adapted);
        let stream = sole(&adapted);
        assert!(stream.late * 50 <= stream.expected, "{} late", stream.late);
        assert!(stream.delay_ms.p50.unwrap() <= 250.0, "{:?}", stream.delay_ms);
    }
}
