use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

use super::*;

const FLOW: FlowId = FlowId(5);

fn varint(value: u64) -> Vec<u8> {
    let mut out = BytesMut::new();
    write_varint(&mut out, value).unwrap();
    out.to_vec()
}

fn read(reader: &mut StreamReader) -> Vec<Bytes> {
    std::iter::from_fn(|| reader.pop().unwrap()).collect()
}

#[test]
fn the_examples_of_rfc_9000_are_read_and_written() {
    let examples: [(&[u8], u64); 4] = [
        (&[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c], 151_288_809_941_952_652),
        (&[0x9d, 0x7f, 0x3e, 0x7d], 494_878_333),
        (&[0x7b, 0xbd], 15_293),
        (&[0x25], 37),
    ];
    for (bytes, value) in examples {
        assert_eq!(read_varint(bytes), Some((value, bytes.len())));
        assert_eq!(varint(value), bytes);
    }
    assert_eq!(read_varint(&[0x40, 0x25]), Some((37, 2)), "longer than needed");
}

#[test]
fn numbers_end_below_2_to_the_62() {
    assert_eq!(varint(MAX_VARINT), [0xff; 8]);
    let mut out = BytesMut::new();
    let too_large = RoqError::NumberTooLarge { value: MAX_VARINT + 1 };
    assert_eq!(write_varint(&mut out, MAX_VARINT + 1), Err(too_large));
    assert!(out.is_empty());
    assert_eq!(FlowId::new(MAX_VARINT).map(FlowId::get), Some(MAX_VARINT));
    assert_eq!(FlowId::new(MAX_VARINT + 1), None);
}

#[test]
fn a_datagram_that_ends_inside_its_flow_is_refused() {
    assert_eq!(parse_datagram(Bytes::new()), Err(RoqError::NoFlow { bytes: 0 }));
    let cut = Bytes::from_static(&[0x40]);
    assert_eq!(parse_datagram(cut), Err(RoqError::NoFlow { bytes: 1 }));
    let empty = parse_datagram(Bytes::from_static(&[5]));
    assert_eq!(empty, Ok((FLOW, Bytes::new())), "an empty packet is for the flow to judge");
}

#[test]
fn a_stream_opens_with_its_flow_once() {
    let mut writer = StreamWriter::new(FLOW);
    assert_eq!(writer.write(b"ab").unwrap().as_ref(), [5, 2, b'a', b'b']);
    assert_eq!(writer.write(b"c").unwrap().as_ref(), [1, b'c']);
    assert_eq!(FLOW.stream_header().as_ref(), [5]);
}

#[test]
fn a_packet_of_65535_bytes_passes_and_one_more_is_refused() {
    let mut writer = StreamWriter::new(FLOW);
    let too_long = RoqError::PacketTooLong { length: MAX_PACKET as u64 + 1 };
    assert_eq!(writer.write(&[0; MAX_PACKET + 1]), Err(too_long));

    let mut reader = StreamReader::new();
    reader.push(&writer.write(&[7; MAX_PACKET]).unwrap());
    assert_eq!(read(&mut reader), [Bytes::from(vec![7; MAX_PACKET])]);

    reader.push(&varint(MAX_PACKET as u64 + 1));
    assert_eq!(reader.pop(), Err(too_long));
    reader.push(&[1, b'a']);
    assert_eq!(reader.pop(), Err(too_long), "an error is final");
    assert!(reader.into_unread().is_empty());
}

#[test]
fn a_control_stream_hands_over_what_follows_its_flow() {
    let mut reader = StreamReader::new();
    reader.push(&[]);
    assert_eq!(reader.flow(), None);
    reader.push(b"\0OPTIONS");
    assert_eq!(reader.flow(), Some(FlowId::CONTROL));
    assert_eq!(reader.into_unread().as_ref(), b"OPTIONS");
}

proptest! {
    #[test]
    fn numbers_survive_the_wire(value in 0..=MAX_VARINT, shift in 0u32..62) {
        let value = value >> shift;
        let bytes = varint(value);
        prop_assert_eq!(read_varint(&bytes), Some((value, bytes.len())));
        prop_assert_eq!(read_varint(&bytes[..bytes.len() - 1]), None);
    }

    #[test]
    fn datagrams_survive_the_wire(id in 0..=MAX_VARINT, packet: Vec<u8>) {
        let flow = FlowId(id);
        let datagram = datagram(flow, &packet);
        prop_assert_eq!(parse_datagram(datagram), Ok((flow, Bytes::from(packet))));
    }

    #[test]
    fn packets_survive_a_stream_cut_anywhere(
        id in 0..=MAX_VARINT,
        packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..8),
        chunk in 1usize..40,
    ) {
        let mut writer = StreamWriter::new(FlowId(id));
        let stream: Vec<u8> =
            packets.iter().flat_map(|packet| writer.write(packet).unwrap()).collect();
        let mut reader = StreamReader::new();
        let mut popped = Vec::new();
        for chunk in stream.chunks(chunk) {
            reader.push(chunk);
            popped.extend(read(&mut reader));
        }
        prop_assert_eq!(popped, packets);
        prop_assert!(reader.into_unread().is_empty());
    }

    #[test]
    fn no_bytes_panic_and_less_than_a_packet_stays_behind(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..2_000), 0..100),
    ) {
        let mut reader = StreamReader::new();
        for chunk in chunks {
            let _ = parse_datagram(Bytes::copy_from_slice(&chunk));
            reader.push(&chunk);
            while let Ok(Some(packet)) = reader.pop() {
                prop_assert!(packet.len() <= MAX_PACKET);
            }
        }
        prop_assert!(reader.into_unread().len() < MAX_PACKET + varint::MAX_BYTES);
    }
}
