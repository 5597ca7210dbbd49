use proptest::prelude::*;

use super::super::{BlockShape, Encoder};
use super::*;

/// What an encoder sends for packets of different content: source and repair.
fn sent(layout: Layout, shape: (u8, u8), first: u32, count: u8) -> (Vec<Bytes>, Vec<Bytes>) {
    let shape = BlockShape::new(shape.0, shape.1).unwrap();
    let mut encoder = Encoder::new(layout, shape, 1, first).unwrap();
    let source = (0..count).map(|index| encoder.push(packet(index))).collect();
    encoder.flush();
    (source, std::iter::from_fn(|| encoder.pop_repair()).collect())
}

fn packet(index: u8) -> Bytes {
    Bytes::from(vec![index.wrapping_mul(37); 20])
}

fn framed(packet: &[u8], block: u32, symbol: u8, source_length: u16) -> Bytes {
    let block = BlockNumber::new(block).unwrap();
    PayloadId { block, symbol, source_length }.append_to(Bytes::copy_from_slice(packet))
}

fn repair(symbol_bytes: &[u8], block: u32, symbol: u8, source_length: u16) -> Bytes {
    let block = BlockNumber::new(block).unwrap();
    let id = PayloadId { block, symbol, source_length };
    Bytes::from([&id.to_bytes()[..], symbol_bytes].concat())
}

fn is_send<T: Send>(_: &T) {}

#[test]
fn both_ends_may_live_on_any_thread() {
    is_send(&Decoder::new(Layout::Adu, 1));
    is_send(&Encoder::new(Layout::Adu, BlockShape::new(1, 1).unwrap(), 1, 0).unwrap());
}

#[test]
fn a_duplicate_is_passed_on_counted_and_counts_once_for_recovery() {
    let (source, repair) = sent(Layout::Adu, (3, 1), 0, 3);
    let mut decoder = Decoder::new(Layout::Adu, 4);
    for _ in 0..3 {
        assert_eq!(decoder.push_source(source[0].clone()).unwrap(), packet(0));
    }
    decoder.push_repair(repair[0].clone()).unwrap();
    assert_eq!(decoder.pop(), None);
    decoder.push_source(source[2].clone()).unwrap();
    assert_eq!(decoder.pop(), Some(packet(1)));
    assert_eq!((decoder.counts().duplicate, decoder.counts().recovered), (2, 1));
}

#[test]
fn one_that_arrives_after_its_recovery_is_not_popped_any_more() {
    let (source, repair) = sent(Layout::Adu, (3, 2), 0, 3);
    let mut decoder = Decoder::new(Layout::Adu, 4);
    decoder.push_source(source[0].clone()).unwrap();
    decoder.push_repair(repair[0].clone()).unwrap();
    decoder.push_repair(repair[1].clone()).unwrap();
    assert_eq!(decoder.push_source(source[1].clone()).unwrap(), packet(1));
    assert_eq!(decoder.pop(), Some(packet(2)));
    assert_eq!(decoder.pop(), None);
    assert_eq!(decoder.push_source(source[2].clone()).unwrap(), packet(2));
    assert_eq!(decoder.push_source(source[2].clone()).unwrap(), packet(2));
    let counts = decoder.counts();
    assert_eq!((counts.recovered, counts.belated, counts.duplicate), (2, 2, 1));
}

#[test]
fn repair_may_come_before_its_block() {
    let (source, repair) = sent(Layout::Adu, (3, 2), 0, 3);
    let mut decoder = Decoder::new(Layout::Adu, 4);
    decoder.push_repair(repair[1].clone()).unwrap();
    decoder.push_repair(repair[0].clone()).unwrap();
    assert_eq!(decoder.pop(), None);
    decoder.push_source(source[2].clone()).unwrap();
    assert_eq!([decoder.pop(), decoder.pop()], [Some(packet(0)), Some(packet(1))]);
}

#[test]
fn a_block_closed_early_is_recovered_by_the_length_that_its_repair_packets_tell() {
    for layout in [Layout::Adu, Layout::Rs8m] {
        let (source, repair) = sent(layout, (10, 5), 0, 4);
        assert_eq!(repair.len(), 2);
        let mut decoder = Decoder::new(layout, 4);
        decoder.push_source(source[1].clone()).unwrap();
        decoder.push_source(source[3].clone()).unwrap();
        repair.into_iter().for_each(|packet| decoder.push_repair(packet).unwrap());
        assert_eq!([decoder.pop(), decoder.pop()], [Some(packet(0)), Some(packet(2))]);
        assert_eq!(decoder.pop(), None);
    }
}

#[test]
fn a_block_that_arrived_whole_or_was_recovered_holds_nothing() {
    let (source, repair) = sent(Layout::Adu, (3, 1), 0, 3);
    let mut decoder = Decoder::new(Layout::Adu, 4);
    source.iter().for_each(|packet| drop(decoder.push_source(packet.clone()).unwrap()));
    decoder.push_repair(repair[0].clone()).unwrap();
    assert_eq!(decoder.blocks.values().map(Block::held).sum::<usize>(), 0);
    assert_eq!(decoder.pop(), None);
}

#[test]
fn source_packets_of_forgotten_blocks_pass_and_their_repair_is_ignored() {
    let (source, repair) = sent(Layout::Adu, (1, 1), 0, 5);
    let mut decoder = Decoder::new(Layout::Adu, 4);
    decoder.push_source(source[4].clone()).unwrap();
    decoder.push_repair(repair[0].clone()).unwrap();
    assert_eq!(decoder.pop(), None);
    assert_eq!(decoder.push_source(source[0].clone()).unwrap(), packet(0));
    assert_eq!(decoder.counts().late, 2);
    decoder.push_repair(repair[1].clone()).unwrap();
    assert_eq!(decoder.pop(), Some(packet(1)));
}

#[test]
fn a_jump_of_the_block_number_is_followed_from_its_second_packet_on() {
    let (before, before_repair) = sent(Layout::Adu, (3, 2), 7, 3);
    let (after, after_repair) = sent(Layout::Adu, (3, 2), 1 << 23, 3);
    let mut decoder = Decoder::new(Layout::Adu, 4);
    decoder.push_source(before[0].clone()).unwrap();
    assert_eq!(decoder.push_source(after[0].clone()).unwrap(), packet(0));
    decoder.push_source(after[1].clone()).unwrap();
    assert_eq!(decoder.counts().restarts, 1);
    after_repair.iter().for_each(|packet| decoder.push_repair(packet.clone()).unwrap());
    assert_eq!([decoder.pop(), decoder.pop()], [Some(packet(0)), Some(packet(2))]);
    // What was before is forgotten.
    before_repair.iter().for_each(|packet| decoder.push_repair(packet.clone()).unwrap());
    assert_eq!(decoder.pop(), None);
}

#[test]
fn blocks_are_recovered_across_the_wrap_of_their_number() {
    let (source, repair) = sent(Layout::Adu, (2, 1), (1 << 24) - 2, 8);
    let mut decoder = Decoder::new(Layout::Adu, 2);
    for block in 0..4 {
        decoder.push_source(source[2 * block].clone()).unwrap();
        decoder.push_repair(repair[block].clone()).unwrap();
        assert_eq!(decoder.pop(), Some(packet(2 * block as u8 + 1)));
    }
    assert_eq!(decoder.counts().restarts, 0);
}

#[test]
fn what_has_no_payload_id_is_refused() {
    let mut decoder = Decoder::new(Layout::Adu, 4);
    let short = |length, least| BlockError::Short { length, least };
    assert_eq!(decoder.push_source(Bytes::new()), Err(short(0, 6)));
    assert_eq!(decoder.push_source(Bytes::from_static(&[0; 5])), Err(short(5, 6)));
    assert_eq!(decoder.push_repair(Bytes::from_static(&[0; 8])), Err(short(8, 9)));
    for (symbol, source_length) in [(0, 0), (3, 3), (0, 256), (200, 65_535)] {
        assert!(matches!(
            decoder.push_source(framed(b"packet", 0, symbol, source_length)),
            Err(BlockError::PayloadId(_))
        ));
    }
    for (symbol, source_length) in [(0, 0), (2, 3), (255, 3), (255, 300)] {
        assert!(matches!(
            decoder.push_repair(repair(b"symbol", 0, symbol, source_length)),
            Err(BlockError::PayloadId(_))
        ));
    }
    assert_eq!(decoder.counts().rejected, 11);
    assert!(decoder.blocks.is_empty());
}

#[test]
fn repair_that_contradicts_its_block_is_refused() {
    let block = BlockNumber::new(0).unwrap();
    let length = |known, announced| Err(BlockError::SourceLength { block, known, announced });
    let symbol = |known, found| Err(BlockError::SymbolLength { block, known, found });
    let mut decoder = Decoder::new(Layout::Adu, 4);
    decoder.push_source(framed(&[0x80; 20], 0, 4, 10)).unwrap();
    assert_eq!(decoder.push_repair(repair(&[0; 23], 0, 11, 11)), length(10, 11));
    assert_eq!(decoder.push_repair(repair(&[0; 23], 0, 10, 4)), length(5, 4));
    assert_eq!(decoder.push_repair(repair(&[0; 22], 0, 10, 10)), symbol(23, 22));
    assert_eq!(decoder.push_repair(repair(&[0; 23], 0, 10, 10)), Ok(()));
    assert_eq!(decoder.push_repair(repair(&[0; 23], 0, 11, 9)), length(10, 9));
    assert_eq!(decoder.push_repair(repair(&[0; 24], 0, 11, 10)), symbol(23, 24));
    assert_eq!(decoder.counts().rejected, 5);
}

#[test]
fn source_that_contradicts_its_block_is_passed_on_but_not_used() {
    let mut decoder = Decoder::new(Layout::Adu, 4);
    decoder.push_repair(repair(&[0; 23], 0, 4, 4)).unwrap();
    // Beyond k, shorter k, too long for the symbol; then another k than the block has announced.
    for (length, symbol, k) in [(20, 4, 10), (20, 0, 3), (21, 0, 10)] {
        let packet = vec![0x80; length];
        assert_eq!(decoder.push_source(framed(&packet, 0, symbol, k)).unwrap(), packet);
    }
    assert_eq!(decoder.counts().rejected, 3);
    decoder.push_source(framed(&[0x80; 20], 0, 0, 10)).unwrap();
    assert_eq!(decoder.counts().rejected, 3);
    decoder.push_source(framed(&[0x80; 20], 0, 1, 11)).unwrap();
    assert_eq!(decoder.counts().rejected, 4);
}

#[test]
fn a_block_mixed_from_two_senders_gives_nothing() {
    let (source, _) = sent(Layout::Adu, (3, 1), 0, 3);
    let mut decoder = Decoder::new(Layout::Adu, 4);
    decoder.push_source(source[0].clone()).unwrap();
    decoder.push_source(source[1].clone()).unwrap();
    decoder.push_repair(repair(&[0x5a; 23], 0, 3, 3)).unwrap();
    assert_eq!(decoder.pop(), None);
    assert_eq!(decoder.counts().corrupt_blocks, 1);
}

#[test]
fn huge_packets_push_the_oldest_blocks_out() {
    let mut decoder = Decoder::new(Layout::Adu, 256);
    let huge = vec![0x80; 65_000];
    for index in 0..2_000u32 {
        let (block, symbol) = (index / 100, (index % 100) as u8);
        decoder.push_source(framed(&huge, block, symbol, 255)).unwrap();
        let held: usize = decoder.blocks.values().map(Block::held).sum();
        assert!(held <= Decoder::MAX_HELD, "{held}");
    }
    assert!(decoder.counts().evicted_blocks >= 18);
}

/// What comes from the network: our packets with payload IDs near enough to each other to meet.
fn hostile() -> impl Strategy<Value = (bool, Bytes)> {
    let number = prop_oneof![0u32..4, 0xff_fffcu32..0x100_0000, 0u32..1 << 24];
    let symbol = prop_oneof![0u8..6, any::<u8>()];
    let source_length = prop_oneof![0u16..6, Just(255u16), any::<u16>()];
    let body = prop_oneof![Just(vec![1, 0, 2, 7, 7]), prop::collection::vec(any::<u8>(), 0..12)];
    let near = (any::<bool>(), body, number, symbol, source_length).prop_map(
        |(is_repair, body, block, symbol, source_length)| match is_repair {
            true => (true, repair(&body, block, symbol, source_length)),
            false => (false, framed(&body, block, symbol, source_length)),
        },
    );
    let noise = (any::<bool>(), prop::collection::vec(any::<u8>(), 0..40))
        .prop_map(|(is_repair, bytes)| (is_repair, Bytes::from(bytes)));
    prop_oneof![9 => near, 1 => noise]
}

proptest! {
    #[test]
    fn nothing_from_the_network_makes_it_panic_or_grow(
        layout in prop::sample::select(vec![Layout::Adu, Layout::Rs8m]),
        memory in 0usize..6,
        packets in prop::collection::vec(hostile(), 0..300),
    ) {
        let mut decoder = Decoder::new(layout, memory);
        let mut popped = 0;
        for (is_repair, packet) in packets {
            if is_repair {
                let _ = decoder.push_repair(packet);
            } else if let Ok(passed) = decoder.push_source(packet.clone()) {
                prop_assert_eq!(&passed[..], &packet[..packet.len() - PayloadId::LENGTH]);
            }
            popped += std::iter::from_fn(|| decoder.pop()).count() as u64;
            prop_assert!(decoder.blocks.len() <= memory.max(1));
        }
        prop_assert_eq!(popped, decoder.counts().recovered);
    }
}
