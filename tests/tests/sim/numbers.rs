//! Numbers that end and begin again, and sources that change their name.

use cantus_bench::duplex::{Direction, Kind};
use cantus_bench::sim::{Capture, Scenario, Verdict};
use cantus_player::wish::Carrier;
use cantus_qos::rtp::{RtpPacket, RtpTimestamp, Sequence, Ssrc};
use cantus_qos::spec::Protection;
use cantus_streamer::encoding::Codec;
use cantus_streamer::pipeline::StreamSeed;

use crate::stage::{
    CARRIERS, SAMPLES, assert_completed, assert_whole, play, play_with, scenario, sole, source,
};

/// Of no account: the source identifier stays random.
const SSRC: Ssrc = Ssrc(0);

/// The timestamp ends after a fifth of a second, the sequence after a second, the block number,
/// which is begun with the upper bits of a timestamp, after 37 blocks.
const NEAR_THE_END: StreamSeed = StreamSeed {
    ssrc: SSRC,
    sequence: Sequence(u16::MAX - 49),
    timestamp: RtpTimestamp(u32::MAX - 9_599),
};

/// Far from any end. As many digits, for the answer to PLAY tells them; and the same low bits, from
/// which the coefficients of repair are drawn: one set in 256 happens to be of no use.
const MIDDLE: StreamSeed = StreamSeed {
    ssrc: SSRC,
    sequence: Sequence(10_000),
    timestamp: RtpTimestamp(1 << 30 | NEAR_THE_END.timestamp.0 & 0x7fff),
};

#[test]
fn numbers_wrap_around_unnoticed() {
    for carrier in CARRIERS {
        for link in ["clean", "bursty", "heavy", "storm"] {
            let at = |beginning| {
                let beginning = Some(beginning);
                let scenario = Scenario { beginning, ..scenario("sync-test", link, carrier) };
                play(&SAMPLES, &scenario.with_seed(2))
            };
            let (wrapping, plain) = (at(NEAR_THE_END), at(MIDDLE));
            assert_completed(&wrapping);
            assert_eq!(wrapping.report, plain.report, "{link} {carrier:?}");
            assert_eq!(wrapping.cues, plain.cues, "{link} {carrier:?}");
        }
    }
}

#[test]
fn numbers_may_wrap_at_the_very_first_packet() {
    let beginning =
        StreamSeed { ssrc: SSRC, sequence: Sequence(u16::MAX), timestamp: RtpTimestamp(u32::MAX) };
    for carrier in CARRIERS {
        let beginning = Some(beginning);
        assert_whole(&play(
            &SAMPLES,
            &Scenario { beginning, ..scenario("duet", "clean", carrier) },
        ));
    }
}

/// From unit `from` on the source has another name and other numbers.
fn renamed(from: u64, packet: &bytes::Bytes, index: u64) -> Verdict {
    let id = cantus_qos::rtp::ExtensionId::new(1);
    let Ok(mut packet) = RtpPacket::parse(packet.clone(), id) else { return Verdict::Pass };
    if index < from {
        return Verdict::Pass;
    }
    packet.ssrc = Ssrc(packet.ssrc.0 ^ 0x5555_5555);
    packet.sequence = Sequence(packet.sequence.0.wrapping_add(31_000));
    packet.timestamp = RtpTimestamp(packet.timestamp.0.wrapping_add(77_777_777));
    Verdict::Replace(vec![packet.write(id)])
}

#[test]
fn a_source_that_changes_its_ssrc_is_followed_without_a_sample_out_of_place() {
    let scenario = Scenario {
        codec: Codec::L16,
        capture: Capture { sound: true, ..Capture::default() },
        retransmission: false,
        ..scenario("sync-test", "delay 30ms", Carrier::Udp)
    };
    let scenario = scenario.with_protection(Protection::Off);
    // In the silence between the clicks, so that what is concealed is silence too.
    let outcome =
        play_with(&SAMPLES, &scenario, |passing| match (passing.direction, passing.kind) {
            (Direction::ToClient, Kind::Media) => renamed(1_050, &passing.data, passing.index),
            _ => Verdict::Pass,
        });
    assert_completed(&outcome);
    let stream = sole(&outcome);
    assert_eq!(stream.expected, 2_000);
    assert_eq!(stream.lost_network, 1, "the first packet of a stranger is not believed");
    assert_eq!(stream.residual, Some(1.0 / 2_000.0));
    let heard = outcome.sound.expect("sound was kept").samples;
    let source = source("sync-test.wav").2;
    assert_eq!(heard.len(), source.len());
    let differs = |(heard, source): (&f32, &i16)| *heard != f32::from(*source) / 32_768.0;
    assert_eq!(heard.iter().zip(&source).position(differs), None);
}
