//! What Roc Toolkit's sender put on the wire (`qos/tests/vectors/README.md`), with losses.

use std::collections::BTreeMap;

use cantus_qos::fec::block::PayloadId;
use cantus_qos::payload::{AudioFormat, l16};
use cantus_qos::rtp::Ssrc;

use super::pushed::goodbye;
use super::*;
use crate::feed::{Feed, FeedUrl, RocPorts, roc};

const CAPTURE: &str = include_str!("../../../../qos/tests/vectors/roc-rs8m-sine.jsonl");

const REPAIR: u64 = 2;

/// Source packets of a block.
const SOURCE: usize = 18;

/// A packet as captured: when it came, to which port, and what it is.
struct Captured {
    at: MonoTime,
    port: String,
    data: Bytes,
}

impl Captured {
    /// Where it stands among the packets of its block; `None` for reports.
    fn place(&self) -> Option<PayloadId> {
        let bytes = match self.port.as_str() {
            "source" => self.data.last_chunk(),
            "repair" => self.data.first_chunk(),
            _ => None,
        };
        bytes.map(|bytes| PayloadId::from_bytes(*bytes))
    }

    fn payload(&self) -> Bytes {
        self.data.slice(12..self.data.len() - PayloadId::LENGTH)
    }
}

fn captured() -> Vec<Captured> {
    let lines = CAPTURE.lines().map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let hex = line["hex"].as_str().unwrap();
        let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        let at = ms(10) + Duration::from_micros(line["t_us"].as_u64().unwrap());
        let port = line["flow"].as_str().unwrap().to_owned();
        Captured { at, port, data: (0..hex.len()).step_by(2).map(byte).collect() }
    });
    lines.collect()
}

/// The samples that Roc sent.
fn tone() -> Vec<i16> {
    let stereo = AudioFormat::new(44_100, 2).unwrap();
    let captured = captured();
    let source = captured.iter().filter(|packet| packet.port == "source");
    source.flat_map(|packet| l16::decode(&packet.payload(), stereo).unwrap()).collect()
}

/// A player that heard the capture to its end, without those packets of each whole block that are
/// `lost`: its source packets have the numbers below 18.
fn heard(lost: impl Fn(usize) -> bool) -> House {
    let url: FeedUrl = "rtp+rs8m://127.0.0.1:10001".parse().unwrap();
    let address = |port| ([127, 0, 0, 1], port).into();
    let ports = RocPorts { repair: address(10_002), control: Some(address(10_003)) };
    let wish = Wish { latency: Latency::Fixed(roc::LATENCY), ..wish() };
    let feed = Feed::of_roc(&url, ports, &wish).unwrap();
    let mut house = House::new(wish.clone(), StandIn::new(1));
    house.player = Player::receiving(wish, feed.playing);
    house.player.start(MonoTime::ZERO, MonoTime::ZERO);

    let captured = captured();
    let mut packets: BTreeMap<u32, usize> = BTreeMap::new();
    for place in captured.iter().filter_map(Captured::place) {
        *packets.entry(place.block.get()).or_default() += 1;
    }
    let is_lost = |place: PayloadId| packets[&place.block.get()] == 28 && lost(place.symbol.into());
    for packet in captured.iter().filter(|packet| !packet.place().is_some_and(is_lost)) {
        let (flow, channel) = match packet.port.as_str() {
            "source" => (AUDIO, Channel::Rtp),
            "repair" => (REPAIR, Channel::Rtp),
            _ => (AUDIO, Channel::Rtcp),
        };
        house.arrive(packet.at, flow, channel, packet.data.clone());
    }
    let ssrc = captured[0].data[8..].first_chunk().map(|bytes| Ssrc(u32::from_be_bytes(*bytes)));
    house.arrive(ms(900), AUDIO, Channel::Rtcp, goodbye(ssrc.unwrap()));
    house.run(ms(60_000));
    assert!(matches!(house.ending, Some(Ending::Completed)), "{:?}", house.ending);
    house
}

#[test]
fn what_roc_sends_is_heard_to_the_sample_a_fifth_of_a_second_behind() {
    let house = heard(|_| false);
    house.assert_heard(&tone());
    // Roc cuts packets of 221 frames from blocks of 10 ms, so that some leave earlier than others.
    let first = house.first().0;
    assert!(ms(205) < first && first <= ms(210), "{first:?}");
    let audio = house.audio();
    assert_eq!((audio.expected, audio.received, audio.concealed_ms), (165, 165, Some(0.0)));
}

#[test]
fn eight_of_eighteen_lost_in_each_block_are_all_heard_to_the_sample() {
    let patterns: [fn(usize) -> bool; 4] = [
        |n| (1..9).contains(&n),
        |n| (5..13).contains(&n),
        |n| (10..18).contains(&n),
        |n| n % 2 == 1 && n < 16,
    ];
    for (pattern, lost) in patterns.into_iter().enumerate() {
        assert_eq!((0..SOURCE).filter(|n| lost(*n)).count(), 8);
        let house = heard(lost);
        house.assert_heard(&tone());
        let audio = house.audio();
        assert_eq!((audio.expected, audio.lost_network), (165, 72), "pattern {pattern}");
        assert_eq!((audio.recovered_fec, audio.residual), (72, Some(0.0)), "pattern {pattern}");
    }
}

#[test]
fn repair_packets_may_be_among_those_that_are_lost() {
    heard(|n| (14..24).contains(&n)).assert_heard(&tone());
}

#[test]
fn where_the_first_packets_are_lost_it_begins_with_the_first_that_came() {
    let house = heard(|n| n < 8);
    let frames = 8 * 221 * 2;
    house.assert_heard(&tone()[frames..]);
}
