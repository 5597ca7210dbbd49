//! Pipes so narrow that headers take more than sound: frames travel together.

use std::collections::BTreeMap;
use std::time::Duration;

use cantus_bench::duplex::{Direction, Kind};
use cantus_bench::sim::{Capture, Outcome, Scenario, Verdict};
use cantus_player::wish::{Carrier, Latency};
use cantus_qos::payload::opus;
use cantus_qos::quantity::Bitrate;
use cantus_qos::rtp::RtpPacket;
use cantus_qos::spec::QosSpec;
use cantus_qos::stats::Fate;
use cantus_qos::time::MonoTime;

use crate::stage::{LONG, assert_completed, assert_whole, first, play, play_with, scenario, sole};

const FAR: Latency = Latency::Fixed(Duration::from_millis(400));

/// Half a minute across `link`, by a listener who says how much its path bears; and how many packets
/// of each length were sent, in milliseconds, where they can be read.
fn cross(
    link: &str,
    kbps: u64,
    (latency, carrier): (Latency, Carrier),
    seed: u64,
) -> (Outcome, BTreeMap<u128, u64>) {
    let scenario = first(30, scenario("synthetic", link, carrier)).with_seed(seed);
    let promise = QosSpec { rate: Some(Bitrate::from_kbps(kbps)), ..QosSpec::default() };
    let capture = Capture { sound: true, ..Capture::default() };
    let mut lengths = BTreeMap::new();
    let scenario = Scenario { latency, promise, capture, ..scenario };
    let outcome = play_with(&LONG, &scenario, |passing| {
        let is_media = passing.direction == Direction::ToClient && passing.kind == Kind::Media;
        if let Some(packet) = RtpPacket::parse(passing.data.clone(), None).ok().filter(|_| is_media)
        {
            let lasts = opus::duration(&packet.payload).expect("an Opus packet");
            *lengths.entry(lasts.to_duration().as_millis()).or_default() += 1;
        }
        Verdict::Pass
    });
    (outcome, lengths)
}

/// The part of a pipe of `kbps` that sound takes.
fn share(outcome: &Outcome, kbps: u64) -> f64 {
    sole(outcome).bytes.media as f64 * 8.0 / 30.0 / (kbps as f64 * 1e3)
}

#[test]
fn where_nothing_is_lost_longer_packets_bring_every_sample_once() {
    let at = Latency::Fixed(Duration::from_millis(200));
    let (outcome, lengths) = cross("delay 30ms", 48, (at, Carrier::Udp), 1);
    assert_whole(&outcome);
    assert_eq!(sole(&outcome).expected, 1_500, "units of 20 ms, however they travel");
    assert!(lengths[&60] > 450, "{lengths:?}");
    let sound = outcome.sound.expect("it was kept");
    let channels = usize::from(sound.format.channels);
    assert_eq!(sound.samples.len() / channels, 30 * 48_000);
}

#[test]
fn a_short_latency_gets_packets_of_one_frame() {
    let at = Latency::Fixed(Duration::from_millis(120));
    let (outcome, lengths) = cross("delay 30ms", 48, (at, Carrier::Udp), 1);
    assert_completed(&outcome);
    assert_eq!(lengths.into_keys().collect::<Vec<_>>(), [20]);
}

#[test]
fn a_pipe_of_32_kbit_bears_sound_that_packets_of_20_ms_could_not_bring() {
    // The lowest rung in packets of 20 ms takes 37.6 kbit/s.
    let link = "delay 30ms rate 32kbit queue 50";
    for seed in 1..=3 {
        let (outcome, _) = cross(link, 32, (Latency::Auto, Carrier::Udp), seed);
        assert_completed(&outcome);
        assert_eq!(sole(&outcome).residual, Some(0.0), "seed {seed}");
        assert!(share(&outcome, 32) > 0.47, "seed {seed}: {}", share(&outcome, 32));
    }
}

#[test]
fn on_a_pipe_of_48_kbit_sound_gets_three_fifths_where_packets_of_20_ms_could_give_it_half() {
    let link = "delay 30ms rate 48kbit queue 50";
    // Over QUIC at 400 ms the rate control of the connection lets a queue stand: not yet.
    let ways =
        [(Latency::Stored, Carrier::Udp), (Latency::Stored, Carrier::Quic), (FAR, Carrier::Udp)];
    for (way, seed) in ways.into_iter().flat_map(|way| [(way, 1), (way, 2)]) {
        let (outcome, _) = cross(link, 48, way, seed);
        assert_completed(&outcome);
        assert_eq!(sole(&outcome).residual, Some(0.0), "{way:?} seed {seed}");
        let share = share(&outcome, 48);
        assert!(share > 0.59, "{way:?} seed {seed}: {share}");
    }
}

#[test]
fn who_begins_with_twice_what_a_pipe_bears_is_whole_within_ten_seconds() {
    let ways = [(FAR, Carrier::Udp), (Latency::Auto, Carrier::Udp), (FAR, Carrier::Quic)];
    for (kbps, (latency, carrier)) in
        [48, 64].into_iter().flat_map(|kbps| ways.map(|it| (kbps, it)))
    {
        let link = format!("delay 30ms rate {kbps}kbit queue 50");
        let scenario = first(30, scenario("synthetic", &link, carrier));
        let capture = Capture { fates: true, ..Capture::default() };
        let outcome = play(&LONG, &Scenario { latency, capture, ..scenario });
        assert_completed(&outcome);
        let heard = outcome.fates.iter().filter(|fate| fate.record.fate == Fate::Played);
        let since = MonoTime::from_millis(11_000);
        let later = heard.filter(|fate| fate.record.sent.is_some_and(|sent| sent >= since));
        // The last frame leaves 30 s after the first, and that within the first second.
        let count = later.count();
        assert!(count >= 945, "{kbps} kbit/s, {latency:?}, {carrier:?}: {count}");
    }
}
