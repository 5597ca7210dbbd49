//! Every loss that the code can bear is made good, whatever the order of arrival.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;

use crate::fec::block::{BlockShape, Decoder, Encoder, Layout, PayloadId};

#[derive(Clone, Debug)]
enum Step {
    /// Packets, by their lengths.
    Push(Vec<usize>),
    Flush,
    Shape(u8, u8, u8),
}

/// A packet on the wire.
#[derive(Clone, Debug)]
enum Sent {
    Source(Bytes),
    Repair(Bytes),
}

impl Sent {
    fn block(&self) -> u32 {
        let id = match self {
            Self::Source(packet) => packet.last_chunk(),
            Self::Repair(packet) => packet.first_chunk(),
        };
        PayloadId::from_bytes(*id.unwrap()).block.get()
    }
}

/// Content that tells the packets apart: number, then noise.
fn packet(number: u32, length: usize) -> Bytes {
    let noise = (0..length as u32).map(|at| (number * 31 + at * at * 7 + 5) as u8);
    number.to_be_bytes().into_iter().chain(noise).collect()
}

/// What a sender does, and the packets it was given.
fn send(layout: Layout, first: u32, steps: &[Step]) -> (Vec<Bytes>, Vec<Sent>) {
    let shape = BlockShape::new(4, 2).unwrap();
    let mut encoder = Encoder::new(layout, shape, 1, first).unwrap();
    let (mut given, mut sent) = (Vec::new(), Vec::new());
    for step in steps {
        match step {
            Step::Flush => encoder.flush(),
            Step::Shape(source, repair, depth) => {
                encoder.set_shape(BlockShape::new(*source, *repair).unwrap(), *depth).unwrap();
            }
            Step::Push(lengths) => {
                for &length in lengths {
                    // Rs8m takes packets of any length, too, but makes short blocks of them.
                    let length = if layout == Layout::Rs8m { length / 20 } else { length };
                    given.push(packet(given.len() as u32, length));
                    sent.push(Sent::Source(encoder.push(given[given.len() - 1].clone())));
                    sent.extend(std::iter::from_fn(|| encoder.pop_repair()).map(Sent::Repair));
                }
            }
        }
        sent.extend(std::iter::from_fn(|| encoder.pop_repair()).map(Sent::Repair));
    }
    encoder.flush();
    sent.extend(std::iter::from_fn(|| encoder.pop_repair()).map(Sent::Repair));
    (given, sent)
}

/// Loses as many packets of each block as it has repair packets, or fewer, as `dice` has it.
fn lose(sent: Vec<Sent>, dice: &[u8]) -> Vec<Sent> {
    let mut spare: BTreeMap<u32, usize> = BTreeMap::new();
    for packet in &sent {
        *spare.entry(packet.block()).or_default() += usize::from(matches!(packet, Sent::Repair(_)));
    }
    let mut dice = dice.iter().cycle();
    let mut arrived = sent;
    arrived.retain(|packet| {
        let spare = spare.get_mut(&packet.block()).unwrap();
        let lost = *spare > 0 && dice.next().unwrap().is_multiple_of(2);
        *spare -= usize::from(lost);
        !lost
    });
    arrived
}

/// Swaps neighbours and repeats some, as `dice` has it.
fn disturb(mut packets: Vec<Sent>, dice: &[u8]) -> Vec<Sent> {
    for (index, &die) in (0..packets.len()).zip(dice.iter().cycle()) {
        let other = (index + usize::from(die % 8)).min(packets.len() - 1);
        packets.swap(index, other);
        if die % 16 == 9 {
            packets.push(packets[index].clone());
        }
    }
    packets
}

fn receive(layout: Layout, packets: Vec<Sent>) -> (Vec<Bytes>, Decoder) {
    let mut decoder = Decoder::new(layout, 256);
    let mut heard = Vec::new();
    for packet in packets {
        match packet {
            Sent::Source(packet) => heard.push(decoder.push_source(packet).unwrap()),
            Sent::Repair(packet) => decoder.push_repair(packet).unwrap(),
        }
        heard.extend(std::iter::from_fn(|| decoder.pop()));
    }
    (heard, decoder)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::collection::vec(0usize..60, 1..30).prop_map(Step::Push),
        1 => Just(Step::Flush),
        2 => (1u8..12, 0u8..8, 1u8..5).prop_map(|(k, r, depth)| Step::Shape(k, r, depth)),
    ]
}

proptest! {
    #[test]
    fn what_the_code_can_bear_is_recovered_in_any_order(
        layout in prop::sample::select(vec![Layout::Adu, Layout::Rs8m]),
        first in prop_oneof![Just((1u32 << 24) - 2), 0u32..1 << 24],
        steps in prop::collection::vec(step(), 1..10),
        loss in prop::collection::vec(any::<u8>(), 1..100),
        order in prop::collection::vec(any::<u8>(), 1..100),
    ) {
        let (mut given, sent) = send(layout, first, &steps);
        let arrived = disturb(lose(sent, &loss), &order);
        let (mut heard, decoder) = receive(layout, arrived);
        let counts = decoder.counts();
        prop_assert_eq!((counts.rejected, counts.corrupt_blocks, counts.late), (0, 0, 0));
        prop_assert_eq!(heard.len() as u64, given.len() as u64 + counts.duplicate + counts.belated);
        heard.sort();
        heard.dedup();
        given.sort();
        prop_assert_eq!(heard, given);
    }

    #[test]
    fn the_longest_blocks_bear_as_much_as_they_have_repair(
        layout in prop::sample::select(vec![Layout::Adu, Layout::Rs8m]),
        source in 1u8..=254,
        lost in prop::collection::vec(any::<u8>(), 1..50),
    ) {
        let steps = [Step::Shape(source, 255 - source, 1), Step::Push(vec![13; source.into()])];
        let (given, sent) = send(layout, 0, &steps);
        prop_assert_eq!(sent.len(), 255);
        let (mut heard, _) = receive(layout, lose(sent, &lost));
        heard.sort();
        prop_assert_eq!(heard, given);
    }
}

#[test]
fn one_loss_more_than_repair_packets_recovers_nothing() {
    for layout in [Layout::Adu, Layout::Rs8m] {
        let steps = [Step::Shape(8, 3, 1), Step::Push(vec![40; 8])];
        let (given, sent) = send(layout, 0, &steps);
        let (heard, _) = receive(layout, sent[3..].to_vec());
        assert_eq!(heard[..5], given[3..]);
        assert_eq!(heard[5..], given[..3]);
        let (heard, decoder) = receive(layout, sent[4..].to_vec());
        assert_eq!(heard, given[4..]);
        assert_eq!(decoder.counts().recovered, 0);
    }
}

#[test]
fn a_burst_as_long_as_depth_times_repair_is_borne_anywhere() {
    let steps = [Step::Shape(6, 2, 4), Step::Push((0..96).map(|index| index % 40).collect())];
    let (mut given, sent) = send(Layout::Adu, 0, &steps);
    given.sort();
    let sources = || sent.iter().enumerate().filter(|(_, it)| matches!(it, Sent::Source(_)));
    let positions: Vec<usize> = sources().map(|(position, _)| position).collect();
    for burst in positions.windows(8) {
        let arrived = (0..sent.len()).filter(|position| !burst.contains(position));
        let (mut heard, _) = receive(Layout::Adu, arrived.map(|at| sent[at].clone()).collect());
        heard.sort();
        assert_eq!(heard, given);
    }
}
