//! Against what Roc Toolkit's sender put on the wire (`qos/tests/vectors/README.md`).

use std::collections::BTreeMap;

use cantus_qos::fec::block::{Decoder, Layout, PayloadId};
use cantus_qos::payload::l16;

use super::*;
use crate::push::roc::{ENCODING, RocWay};

const CAPTURE: &str = include_str!("../../../../qos/tests/vectors/roc-rs8m-sine.jsonl");

const MEDIA: &str = "192.0.2.9:10001";
const REPAIR: &str = "192.0.2.9:10002";
const CONTROL: &str = "192.0.2.9:10003";

/// The packets that Roc sent to one of its ports.
fn captured(port: &str) -> Vec<Bytes> {
    let lines =
        CAPTURE.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let there = lines.filter(|line| line["flow"] == *port);
    there.map(|line| unhex(line["hex"].as_str().unwrap())).collect()
}

fn unhex(hex: &str) -> Bytes {
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

/// The bytes that `media`, a source packet, has beside header and footer.
fn payload(media: &Bytes) -> Bytes {
    media.slice(12..media.len() - PayloadId::LENGTH)
}

fn footer(media: &Bytes) -> PayloadId {
    PayloadId::from_bytes(*media.last_chunk().unwrap())
}

fn header(repair: &Bytes) -> PayloadId {
    PayloadId::from_bytes(*repair.first_chunk().unwrap())
}

/// What is pushed to Roc of a sound.
struct Pushed {
    media: Vec<(MonoTime, Bytes)>,
    repair: Vec<(MonoTime, Bytes)>,
    control: Vec<(MonoTime, Bytes)>,
}

fn pushed(test: &str, hz: u32, channels: u16, samples: &[i16]) -> Pushed {
    let dir = MediaDir::new(test);
    dir.wav("talk.wav", hz, channels, samples);
    let catalogue = Catalogue::open(dir.path()).unwrap();
    let key = ProgrammeKey { name: "talk".to_owned(), encoding: ENCODING, joined: 1 };
    let programme = Programme::load(&catalogue, &key).unwrap();
    let roc = RocWay { repair: address(REPAIR), control: Some(address(CONTROL)) };
    let way = Way { roc: Some(roc), ..way(MEDIA) };
    let mut push = Push::new(&programme, way, sender()).unwrap();
    push.begin(START);
    let left = run(&mut push, START, START + Duration::from_secs(60));
    assert_eq!(push.ending(), Some(Ending::Finished));
    let [media, repair, control] = [MEDIA, REPAIR, CONTROL].map(|port| to(&left, address(port)));
    assert_eq!(media.len() + repair.len() + control.len(), left.len());
    Pushed { media, repair, control }
}

/// The same tone that Roc sent.
fn tone(test: &str) -> Pushed {
    let stereo = AudioFormat::new(44_100, 2).unwrap();
    let payloads = captured("source").into_iter().map(|packet| payload(&packet));
    let samples: Vec<i16> =
        payloads.flat_map(|payload| l16::decode(&payload, stereo).unwrap()).collect();
    pushed(test, 44_100, 2, &samples)
}

#[test]
fn source_packets_are_those_of_roc_but_for_where_the_numbers_begin() {
    let (theirs, ours) = (captured("source"), tone("roc-source").media);
    assert_eq!(theirs.len(), 165);
    let their_first = rtp(&theirs[0]);
    let our_first = rtp(&ours[0].1);
    for (index, (theirs_, (_, ours_))) in theirs.iter().zip(&ours).enumerate() {
        assert_eq!((ours_.len(), ours_[0]), (theirs_.len(), theirs_[0]), "{index}");
        assert_eq!(ours_[1] & 0x7f, theirs_[1], "payload type 10; {index}");
        assert_eq!(payload(ours_), payload(theirs_), "{index}");
        let since = |first: &RtpPacket, packet: &Bytes| {
            let packet = rtp(packet);
            let sequence = packet.sequence.0.wrapping_sub(first.sequence.0);
            (sequence, packet.timestamp.distance(first.timestamp), packet.ssrc == first.ssrc)
        };
        assert_eq!(since(&our_first, ours_), since(&their_first, theirs_), "{index}");
        let place = |first: &Bytes, packet: &Bytes| {
            let (first, id) = (footer(first), footer(packet));
            (id.block.get() - first.block.get(), id.symbol, id.source_length)
        };
        assert_eq!(place(&ours[0].1, ours_), place(&theirs[0], theirs_), "{index}");
    }
    let marked = |packet: &(MonoTime, Bytes)| packet.1[1] & 0x80 != 0;
    assert!(marked(&ours[0]) && !ours[1..].iter().any(marked), "Roc marks none");
}

#[test]
fn repair_packets_are_those_of_roc_bit_for_bit_where_what_they_repair_is() {
    let (theirs, ours) = (captured("repair"), tone("roc-repair").repair);
    assert_eq!((theirs.len(), ours.len()), (90, 100), "nine blocks, and one filled up");
    let place = |first: &Bytes, packet: &Bytes| {
        let (first, id) = (header(first), header(packet));
        (id.block.get() - first.block.get(), id.symbol, id.source_length)
    };
    for (index, (theirs_, (_, ours_))) in theirs.iter().zip(&ours).enumerate() {
        assert_eq!(place(&ours[0].1, ours_), place(&theirs[0], theirs_), "{index}");
        assert_eq!(ours_.len(), theirs_.len());
        // A code works column by column: those of sequence, time and source begin elsewhere, and
        // the first packet of all is marked.
        let symbol = PayloadId::LENGTH;
        assert_eq!(ours_[symbol], theirs_[symbol], "{index}");
        assert!(index < 10 || ours_[symbol + 1] == theirs_[symbol + 1], "{index}");
        assert_eq!(ours_[symbol + 12..], theirs_[symbol + 12..], "{index}");
    }
}

#[test]
fn repair_leaves_between_the_source_packets_of_the_next_block() {
    let Pushed { media, repair, .. } = tone("roc-spread");
    for block in 0..9 {
        let next = media[18 * (block + 1)].0;
        let times: Vec<_> = repair[10 * block..10 * (block + 1)].iter().map(|it| it.0).collect();
        assert!(times.is_sorted_by(|one, other| one < other), "no clump: {times:?}");
        assert!(times[0] > media[18 * block + 17].0, "{times:?}");
        assert!(times[9] < next + Duration::from_millis(45), "{times:?}");
    }
}

#[test]
fn reports_tell_the_clock_five_times_a_second() {
    let (theirs, ours) = (captured("control"), tone("roc-control").control);
    let read = |packet: &Bytes| {
        let said = parse_compound(packet).unwrap();
        let [RtcpPacket::SenderReport(report), RtcpPacket::SourceDescription { ssrc, .. }, ..] =
            &said[..]
        else {
            panic!("{said:?}")
        };
        assert_eq!(report.ssrc, *ssrc);
        report.clone()
    };
    let (their_first, our_first) = (read(&theirs[0]), read(&ours[0].1));
    assert_eq!((our_first.packets, our_first.octets), (their_first.packets, their_first.octets));
    for (index, (at, packet)) in (0u32..5).zip(&ours) {
        assert_eq!(*at, START + Duration::from_millis(200) * index);
        let elapsed = read(packet).rtp.distance(our_first.rtp);
        assert_eq!(elapsed, 8_820 * index as i32, "a fifth of 44.1 kHz");
    }
}

#[test]
fn eight_of_eighteen_lost_are_all_recovered_bit_for_bit() {
    let Pushed { media, repair, .. } = tone("roc-losses");
    let mut blocks: BTreeMap<u32, (Vec<Bytes>, Vec<Bytes>)> = BTreeMap::new();
    for (_, packet) in media {
        blocks.entry(footer(&packet).block.get()).or_default().0.push(packet);
    }
    for (_, packet) in repair {
        blocks.entry(header(&packet).block.get()).or_default().1.push(packet);
    }
    assert_eq!(blocks.len(), 10);
    let patterns: [fn(usize) -> bool; 4] =
        [|n| n < 8, |n| n >= 10, |n| n % 2 == 0 && n < 16, |n| (5..13).contains(&n)];
    for (pattern, is_lost) in patterns.into_iter().enumerate() {
        let mut decoder = Decoder::new(Layout::Rs8m, 4);
        for (source, repair) in blocks.values() {
            assert_eq!((source.len(), repair.len()), (18, 10));
            let lost = (0..18).filter(|n| is_lost(*n));
            let lost: Vec<_> =
                lost.map(|n| source[n].slice(..source[n].len() - PayloadId::LENGTH)).collect();
            assert_eq!(lost.len(), 8);
            for n in (0..18).filter(|n| !is_lost(*n)) {
                decoder.push_source(source[n].clone()).unwrap();
            }
            repair.iter().for_each(|packet| decoder.push_repair(packet.clone()).unwrap());
            let recovered: Vec<_> = std::iter::from_fn(|| decoder.pop()).collect();
            assert_eq!(recovered, lost, "pattern {pattern}");
        }
    }
}

#[test]
fn mono_has_payload_type_11_and_what_is_of_48_khz_is_brought_to_44_1() {
    for (test, hz) in [("roc-mono", 44_100), ("roc-48", 48_000)] {
        let second: Vec<i16> = (0..hz).map(|n| (n % 100) as i16).collect();
        let Pushed { media, repair, .. } = pushed(test, hz, 1, &second);
        assert_eq!((media.len(), repair.len()), (216, 120), "a second, filled up to 12 blocks");
        for (_, packet) in &media {
            assert_eq!((packet[1] & 0x7f, packet.len()), (11, 12 + 2 * 221 + PayloadId::LENGTH));
        }
        assert_eq!(rtp(&media[1].1).timestamp.distance(rtp(&media[0].1).timestamp), 221);
    }
}

#[test]
fn roc_takes_one_track() {
    let dir = MediaDir::new("roc-duet");
    for name in ["duet/1.wav", "duet/2.wav"] {
        dir.wav(name, 44_100, 1, &[0; 441]);
    }
    let catalogue = Catalogue::open(dir.path()).unwrap();
    let key = ProgrammeKey { name: "duet".to_owned(), encoding: ENCODING, joined: 1 };
    let programme = Programme::load(&catalogue, &key).unwrap();
    let roc = RocWay { repair: address(REPAIR), control: None };
    let way = Way { roc: Some(roc), ..way(MEDIA) };
    let refused = Push::new(&programme, way, sender()).unwrap_err();
    assert_eq!(refused, PushError::Tracks { tracks: 2 });
}

#[test]
fn what_goes_to_roc_has_no_description() {
    let dir = MediaDir::new("roc-sdp");
    dir.wav("talk.wav", 44_100, 1, &[0; 441]);
    let catalogue = Catalogue::open(dir.path()).unwrap();
    let key = ProgrammeKey { name: "talk".to_owned(), encoding: ENCODING, joined: 1 };
    let programme = Programme::load(&catalogue, &key).unwrap();
    let roc = RocWay { repair: address("239.1.2.3:10002"), control: None };
    let way = Way { roc: Some(roc), ..way("239.1.2.3:10001") };
    let push = Push::new(&programme, way, sender()).unwrap();
    assert_eq!(push.sdp(), None);
    assert_eq!(push.announced().unwrap_err(), PushError::Undescribed);
}
