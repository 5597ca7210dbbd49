//! Sessions in virtual time: probe and player agree on them, and a lie is caught.

use cantus_player::wish::Carrier;
use cantus_qos::stats::report::{QosReport, StreamKind};
use cantus_qos::time::MediaTime;
use cantus_streamer::encoding::Codec;

use super::SAMPLES;
use crate::probe::{Accuracy, NEEDED, Probe, compare, probe_outcome};
use crate::sim::{Outcome, Scenario, run};

fn scenario(name: &str, link: &str, carrier: Carrier) -> Scenario {
    Scenario { capture: NEEDED, ..Scenario::new(link.parse().unwrap(), name, carrier) }
}

fn probed(scenario: &Scenario) -> (Outcome, Probe) {
    let outcome = run(&SAMPLES, scenario).expect("the scenario can be played");
    assert!(outcome.is_completed(), "{:?}", outcome.ending);
    let probe = probe_outcome(&outcome, &SAMPLES, scenario).expect("it can be probed");
    (outcome, probe)
}

/// The first half minute, of which a test can afford several.
fn half_a_minute(name: &str, link: &str, carrier: Carrier) -> Scenario {
    let length = Some(MediaTime::from_millis(30_000));
    Scenario { length, ..scenario(name, link, carrier) }
}

#[test]
fn probe_and_player_agree_on_what_was_lost_late_and_shown() {
    for (name, codec, link, carrier, seeds) in [
        ("narration", Codec::Opus, "clean", Carrier::Udp, 1..=1),
        ("narration", Codec::Opus, "bursty", Carrier::Udp, 1..=3),
        ("narration", Codec::Opus, "bursty", Carrier::Quic, 1..=2),
        ("narration", Codec::L16, "bad", Carrier::Udp, 1..=3),
        ("sync-test", Codec::L16, "bad", Carrier::Quic, 1..=2),
        ("duet", Codec::L16, "bad", Carrier::Udp, 1..=1),
    ] {
        for seed in seeds {
            let scenario = Scenario { codec, ..half_a_minute(name, link, carrier) }.with_seed(seed);
            let (outcome, probe) = probed(&scenario);
            let apart = compare(&probe, &outcome.report, Accuracy::VIRTUAL);
            assert_eq!(apart, [], "{name} over {link}, {carrier:?}, seed {seed}");
            let seen = probe.tracks.iter().all(|track| track.delay_ms.p50.is_some());
            assert_eq!(seen, carrier == Carrier::Udp, "what QUIC carries cannot be seen");
        }
    }
}

#[test]
fn a_lie_in_the_report_is_caught_whatever_it_is_about() {
    let scenario = half_a_minute("narration", "bursty", Carrier::Udp);
    let (outcome, probe) = probed(&scenario);
    let honest = outcome.report;
    assert_eq!(compare(&probe, &honest, Accuracy::VIRTUAL), []);
    let caught = |lie: fn(&mut QosReport), figure: &str| {
        let mut report = honest.clone();
        lie(&mut report);
        let apart = compare(&probe, &report, Accuracy::VIRTUAL);
        let figures: Vec<_> = apart.iter().map(|it| it.figure).collect();
        assert_eq!(figures, [figure]);
        apart[0].to_string()
    };
    let told = caught(|it| it.streams[0].residual = Some(0.5), "units not heard in time");
    assert!(told.starts_with("audio: units not heard in time: the player reports 7"), "{told}");
    caught(|it| it.streams[0].delay_ms.p50 = Some(190.0), "delay p50, ms");
    caught(|it| it.streams[0].delay_ms.max = None, "delay max, ms");
    caught(|it| it.streams[0].expected -= 2, "units expected");
    caught(|it| it.sync.subtitle_skew_ms.max = Some(30.0), "skew max, ms");
    caught(|it| it.sync.subtitle_skew_ms.count -= 1, "cues shown");
    caught(|it| it.streams[0].kind = StreamKind::Discrete, "audio tracks");
}
