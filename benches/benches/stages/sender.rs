//! What is done before a packet leaves, and undone when it comes: RTP, repair, its spread.

use std::collections::VecDeque;
use std::iter;
use std::time::Duration;

use bytes::Bytes;
use cantus_qos::fec::block::{BlockShape, Decoder, Encoder, Layout, RepairSpread};
use cantus_qos::rtp::{PayloadType, RtpPacket, RtpTimestamp, Sequence, Ssrc};
use cantus_qos::time::MonoTime;
use divan::black_box;

use crate::stage::{Stage, Step};

/// Opus: 20 ms a packet.
const OPUS: f64 = 50.0;
/// Roc's L16: 5 ms a packet.
const ROC: f64 = 200.0;
/// Blocks that a decoder remembers.
const MEMORY: usize = 32;

/// What is chosen for 200 ms of latency, what for stored media, and what Roc Toolkit does.
const LIVE: (Layout, u8, u8, u8, usize) = (Layout::Adu, 7, 5, 1, 252);
const STORED: (Layout, u8, u8, u8, usize) = (Layout::Adu, 60, 30, 4, 252);
const RS8M: (Layout, u8, u8, u8, usize) = (Layout::Rs8m, 18, 10, 1, 892);

pub(crate) fn stages() -> Vec<Stage> {
    vec![
        Stage::new("rtp build", OPUS, |_| rtp_build()),
        Stage::new("rtp parse", OPUS, |_| rtp_parse()),
        Stage::new("fec encode, adu 7+5", OPUS, |_| encode(LIVE)),
        Stage::new("fec encode, adu 60+30, interleaved by 4", OPUS, |_| encode(STORED)),
        Stage::new("fec encode, rs8m 18+10", ROC, |_| encode(RS8M)),
        Stage::new("fec spread, a repair packet in and out", OPUS * 5.0 / 7.0, |_| spread()),
        Stage::new("fec decode, adu 7+5, none lost", OPUS, |_| decode(LIVE, 0)),
        Stage::new("fec decode, adu 7+5, 1 in 5 lost", OPUS, |_| decode(LIVE, 5)),
        Stage::new("fec decode, adu 60+30, 1 in 5 lost", OPUS, |_| decode(STORED, 5)),
        Stage::new("fec decode, rs8m 18+10, 1 in 5 lost", ROC, |_| decode(RS8M, 5)),
    ]
}

fn unit(number: u64, size: usize) -> RtpPacket {
    let payload: Vec<u8> = (0..size as u64).map(|at| (at * 31 + number * 7) as u8).collect();
    RtpPacket {
        payload_type: PayloadType::new(96).expect("seven bits"),
        marker: false,
        sequence: Sequence(number as u16),
        timestamp: RtpTimestamp(number as u32 * 960),
        ssrc: Ssrc(1),
        send_time: None,
        payload: payload.into(),
    }
}

fn rtp_build() -> Step {
    let packet = unit(1, 240);
    Box::new(move || {
        black_box(black_box(&packet).write(None));
    })
}

fn rtp_parse() -> Step {
    let data = unit(1, 240).write(None);
    Box::new(move || {
        black_box(RtpPacket::parse(black_box(&data).clone(), None).expect("a packet"));
    })
}

fn encoder((layout, source, repair, depth, _): (Layout, u8, u8, u8, usize)) -> Encoder {
    let shape = BlockShape::new(source, repair).expect("a shape");
    Encoder::new(layout, shape, depth, 0).expect("an encoder")
}

fn encode(shape: (Layout, u8, u8, u8, usize)) -> Step {
    let mut encoder = encoder(shape);
    let packets: Vec<Bytes> =
        (0..64).map(|number| unit(number, shape.4 - 12).write(None)).collect();
    let mut packets = packets.into_iter().cycle();
    Box::new(move || {
        black_box(encoder.push(packets.next().expect("an endless stream")));
        while let Some(repair) = encoder.pop_repair() {
            black_box(repair);
        }
    })
}

/// A packet on its way.
#[derive(Clone)]
enum Sent {
    Source(Bytes),
    Repair(Bytes),
}

/// A source packet, and the repair packets that come with it.
fn decode(shape: (Layout, u8, u8, u8, usize), one_lost_in: u64) -> Step {
    let mut encoder = encoder(shape);
    let blocks = 240 / u64::from(shape.1) * u64::from(shape.1);
    // One entry for each source packet: what comes in its time.
    let sent: Vec<Vec<Sent>> = (0..blocks)
        .map(|number| {
            let source = Sent::Source(encoder.push(unit(number, shape.4 - 12).write(None)));
            let repair = iter::from_fn(|| encoder.pop_repair()).map(Sent::Repair);
            let lost = one_lost_in > 0 && number % one_lost_in == 0;
            (!lost).then_some(source).into_iter().chain(repair).collect()
        })
        .collect();
    let mut decoder = Decoder::new(shape.0, MEMORY);
    let mut at = 0;
    Box::new(move || {
        if at == sent.len() {
            (at, decoder) = (0, Decoder::new(shape.0, MEMORY));
        }
        for packet in sent[at].clone() {
            match packet {
                Sent::Source(packet) => {
                    black_box(decoder.push_source(packet).expect("a source packet"));
                }
                Sent::Repair(packet) => decoder.push_repair(packet).expect("a repair packet"),
            }
        }
        while let Some(recovered) = decoder.pop() {
            black_box(recovered);
        }
        at += 1;
    })
}

/// A block's five repair packets go in together and come out one by one.
fn spread() -> Step {
    let mut spread = RepairSpread::new();
    let repair = vec![Bytes::from_static(&[0; 260]); 5];
    let mut now = MonoTime::ZERO;
    let mut out: VecDeque<Bytes> = VecDeque::new();
    Box::new(move || {
        if spread.is_empty() {
            spread.push(now, repair.clone(), Duration::from_millis(140));
        }
        now = spread.next_deadline().expect("repair is waiting");
        out.extend(spread.pop(now));
        black_box(out.pop_front());
    })
}
