//! The latencies that are not a number: `auto` and `stored`.

use std::time::Duration;

use cantus_bench::sim::Scenario;
use cantus_player::wish::{Carrier, Latency};
use cantus_qos::spec::Protection;

use crate::stage::{CARRIERS, LONG, SAMPLES, assert_completed, assert_whole, play, scenario, sole};

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

#[test]
fn stored_media_begins_early_and_ends_deep() {
    for carrier in CARRIERS {
        let wish = at(Latency::Stored, scenario("narration", "delay 40ms", carrier));
        let outcome = play(&SAMPLES, &wish);
        assert_whole(&outcome);
        let report = &outcome.report;
        let start = report.first_sound_ms.unwrap();
        assert!(start <= 300.0 + 5.0 * 80.0, "{start} ms");
        assert!(report.buffer_ms.p50.unwrap() >= 9_000.0, "{:?}", report.buffer_ms);
    }
}

#[test]
fn running_ahead_pays_for_longer_blocks_and_smaller_residuals() {
    for link in ["bursty", "bursty-t", "heavy"] {
        let live = scenario(cantus_bench::sim::Media::SYNTHETIC, link, Carrier::Udp);
        let stored = at(Latency::Stored, live.clone());
        let fixed = at(Latency::Fixed(Duration::from_millis(200)), live);
        let (stored, fixed) = (play(&LONG, &stored), play(&LONG, &fixed));
        let residual = |outcome| sole(outcome).residual.unwrap();
        let share = |outcome| {
            let bytes = sole(outcome).bytes;
            bytes.repair as f64 / bytes.media as f64
        };
        let residuals = (residual(&stored), residual(&fixed));
        // What is left is of the first seconds, in which little is buffered yet.
        assert!(residuals.0 < residuals.1, "{link}: {residuals:?}");
        assert!(residuals.0 <= 0.001, "{link}: {residuals:?}");
        let shares = (share(&stored), share(&fixed));
        assert!(shares.0 <= 0.6 && shares.0 < shares.1, "{link}: {shares:?}");
    }
}

#[test]
fn without_fec_stored_media_waits_for_what_was_asked_for_again() {
    let bare = scenario("narration", "delay 40ms loss random 5%", Carrier::Udp);
    let wish = at(Latency::Stored, bare.with_protection(Protection::Off));
    let outcome = play(&SAMPLES, &wish);
    assert_completed(&outcome);
    let stream = sole(&outcome);
    assert!(stream.network_loss() > Some(0.03));
    assert_eq!(stream.residual, Some(0.0));
}
