//! Several who share one bottleneck.

use std::time::Duration;

use cantus_bench::plan::Company;
use cantus_bench::report::{Measured, Run};
use cantus_bench::sim::{Capture, Outcome, Scenario};
use cantus_player::wish::{Carrier, Latency};

use crate::stage::{CARRIERS, LONG, assert_completed, first, play, scenario};

/// The first `seconds` of a sound across `link`, and who else crosses it.
fn among(link: &str, carrier: Carrier, beside: &str, seconds: i64) -> (Outcome, Run) {
    let company: Company = beside.parse().expect("a company");
    let scenario = Scenario { company, ..scenario("synthetic", link, carrier) };
    measured(&first(seconds, scenario))
}

fn measured(scenario: &Scenario) -> (Outcome, Run) {
    let capture = Capture { fates: true, packets: true, sound: false };
    let scenario = Scenario { capture, ..scenario.clone() };
    let outcome = play(&LONG, &scenario);
    assert_completed(&outcome);
    let run = Measured::of(&outcome, &scenario).run;
    (outcome, run)
}

#[test]
fn a_thin_pipe_is_used_by_media_and_its_queue_stays_short() {
    let latency = Latency::Fixed(Duration::from_millis(120));
    let scenario = Scenario { latency, ..scenario("synthetic", "thin", Carrier::Udp) };
    let (_, run) = measured(&first(240, scenario));
    assert_eq!(run.residual, Some(0.0));
    assert!(run.queue_p95_ms.unwrap() < 60.0, "{:?}", run.queue_p95_ms);
    assert!(run.pipe_media.unwrap() >= 0.85, "{:?}", run.pipe_media);
}

#[test]
fn on_a_wide_path_nobody_notices_another_session() {
    for carrier in CARRIERS {
        for beside in ["udp from 3s", "quic from 3s"] {
            let (outcome, run) = among("delay 30ms rate 10mbit queue 50", carrier, beside, 20);
            assert_eq!(run.residual, Some(0.0));
            let other = outcome.companions[0].outcome.as_ref().expect("it is a session");
            assert_completed(other);
            assert_eq!(other.audio().map(|stream| stream.residual).last(), Some(Some(0.0)));
            assert_eq!(other.elapsed.as_secs(), outcome.elapsed.as_secs());
        }
    }
}

#[test]
fn tcp_takes_what_is_left_of_a_pipe() {
    for beside in ["reno", "cubic from 5s"] {
        let (outcome, run) = among("delay 30ms rate 1mbit queue 50", Carrier::Udp, beside, 40);
        assert!(run.pipe_others.unwrap() > 0.5, "{beside}: {:?}", run.pipe_others);
        assert!(outcome.companions[0].outcome.is_none());
    }
}

#[test]
fn the_same_company_gives_the_same_figures() {
    let play = || among("thin rate 300kbit", Carrier::Quic, "udp from 2s, cubic from 4s", 15).1;
    assert_eq!(play(), play());
}

#[test]
fn two_sessions_share_a_bottleneck_evenly_though_one_comes_later() {
    for (carrier, beside) in [
        (Carrier::Udp, "udp from 20s"),
        (Carrier::Quic, "quic from 20s"),
        (Carrier::Udp, "quic from 20s"),
    ] {
        let (_, run) = among("delay 30ms rate 300kbit queue 50", carrier, beside, 80);
        assert!(run.jain.unwrap() >= 0.95, "{carrier:?} and {beside}: {:?}", run.jain);
        assert!(run.fair_share.unwrap() >= 0.7, "{carrier:?} and {beside}: {:?}", run.fair_share);
        assert!(
            run.queue_p95_ms.unwrap() < 60.0,
            "{carrier:?} and {beside}: {:?}",
            run.queue_p95_ms
        );
    }
}

#[test]
fn media_keeps_its_share_beside_tcp_and_its_promise_is_renegotiated_where_the_queue_is_too_long() {
    for (link, is_deep) in [
        ("delay 30ms rate 300kbit queue 50", true),
        ("delay 30ms rate 1mbit queue 50", true),
        ("delay 30ms rate 1mbit queue 10", false),
    ] {
        for tcp in ["cubic from 10s", "reno from 10s"] {
            let (outcome, run) = among(link, Carrier::Udp, tcp, 70);
            assert!(run.pipe_others.unwrap() > 0.4, "{link}, {tcp}: {:?}", run.pipe_others);
            assert!(run.fair_share.unwrap() >= 0.6, "{link}, {tcp}: {:?}", run.fair_share);
            let renegotiated = !outcome.report.renegotiated.is_empty();
            assert_eq!(renegotiated, is_deep, "{link}, {tcp}: {:?}", outcome.report.renegotiated);
            assert!(run.residual.unwrap() < 0.15, "{link}, {tcp}: {:?}", run.residual);
        }
    }
}
