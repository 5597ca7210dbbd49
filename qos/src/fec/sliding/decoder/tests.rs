use proptest::prelude::*;

use super::*;

fn framed(packet: &[u8], id: u32) -> Bytes {
    EncodingSymbolId(id).append_to(Bytes::copy_from_slice(packet))
}

fn repair(symbol: &[u8], key: u16, count: u16, first: u32) -> Bytes {
    let id = RepairId { key, density: 15, count, first: EncodingSymbolId(first) };
    Bytes::from([&id.to_bytes()[..], symbol].concat())
}

fn is_send<T: Send>(_: &T) {}

#[test]
fn it_may_live_on_any_thread() {
    is_send(&Decoder::new());
}

#[test]
fn a_duplicate_is_passed_on_and_counted() {
    let mut decoder = Decoder::new();
    for _ in 0..3 {
        assert_eq!(decoder.push_source(framed(b"packet", 7)).unwrap(), &b"packet"[..]);
    }
    assert_eq!((decoder.counts().source, decoder.counts().duplicate), (3, 2));
}

#[test]
fn where_nothing_is_missing_repair_is_not_looked_at() {
    let mut decoder = Decoder::new();
    decoder.push_source(framed(b"packet", 7)).unwrap();
    decoder.push_source(framed(b"packet", 8)).unwrap();
    // It contradicts them: nobody notices.
    decoder.push_repair(repair(&[0; 3], 1, 2, 7)).unwrap();
    assert_eq!(decoder.system.len(), 0);
    assert_eq!(decoder.counts().rejected, 0);
}

#[test]
fn repair_over_nothing_or_over_more_than_is_remembered_is_refused() {
    let mut decoder = Decoder::new();
    let most = Decoder::MEMORY;
    for count in [0, 513, 4_095] {
        let refused = decoder.push_repair(repair(&[0; 3], 1, count, 0));
        assert_eq!(refused, Err(SlidingError::Window { count, most }));
    }
    assert_eq!(decoder.push_repair(repair(&[0; 3], 1, 512, 0)), Ok(()));
    let long = vec![0; 1_501];
    let refused = decoder.push_repair(repair(&long, 1, 1, 511));
    assert_eq!(refused, Err(SlidingError::Long { length: 1_501, most: 1_500 }));
    assert_eq!(decoder.counts().rejected, 4);
}

#[test]
fn repair_shorter_than_what_it_covers_is_refused() {
    let mut decoder = Decoder::new();
    decoder.push_source(framed(&[0x80; 20], 1)).unwrap();
    let id = EncodingSymbolId(1);
    let refused = decoder.push_repair(repair(&[0; 22], 1, 2, 0));
    assert_eq!(refused, Err(SlidingError::SymbolLength { id, known: 23, found: 22 }));
    assert_eq!(decoder.push_repair(repair(&[0; 23], 1, 2, 0)), Ok(()));
}

#[test]
fn a_packet_longer_than_the_repair_over_it_undoes_that_repair() {
    let mut decoder = Decoder::new();
    decoder.push_repair(repair(&[0; 23], 1, 2, 0)).unwrap();
    assert_eq!(decoder.system.len(), 1);
    decoder.push_source(framed(&[0x80; 21], 1)).unwrap();
    assert_eq!(decoder.system.len(), 0);
    assert_eq!(decoder.pop(), None);
}

#[test]
fn what_is_put_together_from_two_senders_gives_nothing() {
    let mut decoder = Decoder::new();
    decoder.push_source(framed(b"packet", 0)).unwrap();
    decoder.push_repair(repair(&[0x5a; 23], 3, 2, 0)).unwrap();
    assert_eq!(decoder.pop(), None);
    assert_eq!(decoder.counts().corrupt, 1);
}

#[test]
fn what_is_older_than_the_memory_passes_and_is_not_repaired() {
    let mut decoder = Decoder::new();
    decoder.push_source(framed(b"packet", 600)).unwrap();
    assert_eq!(decoder.push_source(framed(b"packet", 88)).unwrap(), &b"packet"[..]);
    decoder.push_repair(repair(&[0; 23], 3, 3, 88)).unwrap();
    assert_eq!((decoder.counts().late, decoder.system.len()), (2, 0));
    decoder.push_repair(repair(&[0; 23], 3, 3, 89)).unwrap();
    assert_eq!((decoder.counts().late, decoder.system.len()), (2, 1));
    // The equation begins with what is forgotten now.
    decoder.push_source(framed(b"packet", 601)).unwrap();
    assert_eq!(decoder.system.len(), 0);
}

#[test]
fn a_jump_is_followed_from_its_second_packet_on() {
    let mut decoder = Decoder::new();
    decoder.push_source(framed(b"before", 7)).unwrap();
    assert_eq!(decoder.push_source(framed(b"after", 1 << 31)).unwrap(), &b"after"[..]);
    decoder.push_source(framed(b"after", 1 << 31 | 1)).unwrap();
    assert_eq!((decoder.counts().astray, decoder.counts().restarts), (1, 1));
    assert_eq!(decoder.known.len(), 1, "what was before is forgotten");
}

#[test]
fn long_packets_push_the_oldest_out() {
    let mut decoder = Decoder::new();
    for number in 0..600 {
        decoder.push_source(framed(&[0x80; 1_497], number)).unwrap();
        assert!(decoder.held <= Decoder::MAX_HELD, "{}", decoder.held);
    }
    assert!(decoder.counts().evicted > 300);
    assert_eq!(decoder.push_source(framed(&[0x80; 1_498], 600)).unwrap().len(), 1_498);
    assert_eq!(decoder.counts().rejected, 1);
}

#[test]
fn an_enemy_cannot_make_it_hold_more_than_a_megabyte() {
    let mut decoder = Decoder::new();
    let mut largest = 0;
    // Equations over everything that never meet, so that all are kept.
    for round in 0..700u32 {
        decoder.push_source(framed(&[1; 1_497], 2 * round)).unwrap();
        let count = 512.min(round as u16 + 1);
        let first = 2 * round + 1 - u32::from(count);
        let _ = decoder.push_repair(repair(&[3; 1_500], round as u16, count, first));
        while decoder.pop().is_some() {}
        largest = largest.max(decoder.held());
        assert!(decoder.system.len() <= System::MOST);
    }
    assert!((500_000..1_000_000).contains(&largest), "{largest}");
}

/// What comes from the network: packets with numbers near enough to each other to meet.
fn hostile() -> impl Strategy<Value = (bool, Bytes)> {
    let number = prop_oneof![4 => 0u32..12, 1 => u32::MAX - 4..=u32::MAX, 1 => 0u32..2_000, 1 => any::<u32>()];
    let count = prop_oneof![6 => 0u16..8, 1 => 500u16..520, 1 => any::<u16>()];
    let body = prop_oneof![Just(vec![1, 0, 2, 7, 7]), prop::collection::vec(any::<u8>(), 0..12)];
    let near = (any::<bool>(), body, number, count, 0u16..4).prop_map(
        |(is_repair, body, number, count, key)| match is_repair {
            true => (true, repair(&body, key, count, number)),
            false => (false, framed(&body, number)),
        },
    );
    let noise = (any::<bool>(), prop::collection::vec(any::<u8>(), 0..40))
        .prop_map(|(is_repair, bytes)| (is_repair, Bytes::from(bytes)));
    prop_oneof![9 => near, 1 => noise]
}

proptest! {
    #[test]
    fn nothing_from_the_network_makes_it_panic_or_grow(
        packets in prop::collection::vec(hostile(), 0..300),
    ) {
        let mut decoder = Decoder::new();
        let mut popped = 0;
        for (is_repair, packet) in packets {
            if is_repair {
                let _ = decoder.push_repair(packet);
            } else if let Ok(passed) = decoder.push_source(packet.clone()) {
                let length = packet.len() - EncodingSymbolId::LENGTH;
                prop_assert_eq!(&passed[..], &packet[..length]);
            }
            popped += std::iter::from_fn(|| decoder.pop()).count() as u64;
            prop_assert!(decoder.known.len() <= Decoder::MEMORY.into());
            prop_assert!(decoder.system.len() <= System::MOST);
        }
        prop_assert_eq!(popped, decoder.counts().recovered);
    }
}
