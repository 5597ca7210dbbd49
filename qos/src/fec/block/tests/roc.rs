//! Against what Roc Toolkit's sender put on the wire (`tests/vectors/README.md`).

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;

use crate::fec::block::{BlockNumber, BlockShape, Decoder, Encoder, Layout, PayloadId};

const CAPTURE: &str = include_str!("../../../../tests/vectors/roc-rs8m-sine.jsonl");

/// A block as captured: source and repair packets in the order of their symbols.
#[derive(Default)]
struct Captured {
    source: Vec<Bytes>,
    repair: Vec<Bytes>,
}

impl Captured {
    /// The RTP packets without their footers.
    fn packets(&self) -> Vec<Bytes> {
        self.source.iter().map(|packet| packet.slice(..packet.len() - PayloadId::LENGTH)).collect()
    }
}

fn unhex(hex: &str) -> Bytes {
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

/// The nine whole blocks of the capture, by their numbers.
fn capture() -> BTreeMap<u32, Captured> {
    let mut blocks: BTreeMap<u32, Captured> = BTreeMap::new();
    for line in CAPTURE.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let packet = unhex(line["hex"].as_str().unwrap());
        let id = |bytes: Option<&[u8; 6]>| PayloadId::from_bytes(*bytes.unwrap());
        match line["flow"].as_str().unwrap() {
            "source" => {
                let id = id(packet.last_chunk());
                blocks.entry(id.block.get()).or_default().source.push(packet);
            }
            "repair" => {
                let id = id(packet.first_chunk());
                blocks.entry(id.block.get()).or_default().repair.push(packet);
            }
            _ => {}
        }
    }
    blocks.retain(|_, block| block.repair.len() == 10);
    assert_eq!(blocks.len(), 9);
    blocks
}

#[test]
fn our_encoder_makes_rocs_packets_byte_for_byte() {
    let blocks = capture();
    let (&first, _) = blocks.first_key_value().unwrap();
    let shape = BlockShape::new(18, 10).unwrap();
    let mut encoder = Encoder::new(Layout::Rs8m, shape, 1, first).unwrap();
    for block in blocks.values() {
        let source: Vec<Bytes> =
            block.packets().into_iter().map(|packet| encoder.push(packet)).collect();
        assert_eq!(source, block.source);
        let repair: Vec<Bytes> = std::iter::from_fn(|| encoder.pop_repair()).collect();
        assert_eq!(repair, block.repair);
    }
}

/// Plays the blocks through a decoder without the packets of the 28 that are set in each `lost`
/// mask, and returns the source packets that came out, block by block in the order of symbols.
fn decode(blocks: &BTreeMap<u32, Captured>, lost: &[u32]) -> Vec<Vec<Option<Bytes>>> {
    let mut decoder = Decoder::new(Layout::Rs8m, 8);
    let mut out = Vec::new();
    for (block, lost) in blocks.values().zip(lost) {
        let arrives = |index: &usize| lost >> index & 1 == 0;
        let mut heard = vec![None; 18];
        for index in (0..18).filter(arrives) {
            heard[index] = Some(decoder.push_source(block.source[index].clone()).unwrap());
            assert_eq!(decoder.pop(), None);
        }
        for index in (0..10).filter(|index| arrives(&(18 + index))) {
            decoder.push_repair(block.repair[index].clone()).unwrap();
        }
        for slot in heard.iter_mut().filter(|slot| slot.is_none()) {
            *slot = decoder.pop();
        }
        assert_eq!(decoder.pop(), None);
        out.push(heard);
    }
    out
}

fn whole(blocks: &BTreeMap<u32, Captured>) -> Vec<Vec<Option<Bytes>>> {
    blocks.values().map(|block| block.packets().into_iter().map(Some).collect()).collect()
}

#[test]
fn bursts_of_ten_anywhere_in_rocs_blocks_are_recovered() {
    let blocks = capture();
    for start in 0..=18 {
        assert_eq!(decode(&blocks, &[0x3ff << start; 9]), whole(&blocks), "from {start}");
    }
}

#[test]
fn eleven_lost_of_28_are_too_many_and_nothing_wrong_comes_out() {
    let blocks = capture();
    for block in decode(&blocks, &[0x7ff; 9]) {
        assert_eq!(block.iter().flatten().count(), 7);
    }
}

#[test]
fn rocs_block_numbers_follow_each_other() {
    let numbers: Vec<u32> = capture().into_keys().collect();
    assert!(numbers.is_sorted_by(|one, next| {
        let block = |number| BlockNumber::new(number).unwrap();
        block(*one).plus(1) == block(*next)
    }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn up_to_ten_lost_of_each_28_are_recovered_byte_for_byte(
        lost in prop::collection::vec(prop::sample::subsequence((0..28).collect::<Vec<u32>>(), 0..=10), 9),
    ) {
        let blocks = capture();
        let masks: Vec<u32> =
            lost.iter().map(|lost| lost.iter().fold(0, |mask, index| mask | 1 << index)).collect();
        prop_assert_eq!(decode(&blocks, &masks), whole(&blocks));
    }
}
