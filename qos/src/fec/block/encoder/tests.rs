use super::*;

fn shape(source: u8, repair: u8) -> BlockShape {
    BlockShape::new(source, repair).unwrap()
}

fn encoder(layout: Layout, shape: BlockShape, depth: u8) -> Encoder {
    Encoder::new(layout, shape, depth, 0xff_ffff).unwrap()
}

/// Block number, symbol and `k` of what was sent.
type Place = (u32, u8, u16);

fn place(bytes: Option<&[u8; 6]>) -> Place {
    let id = PayloadId::from_bytes(*bytes.unwrap());
    (id.block.get(), id.symbol, id.source_length)
}

fn push(encoder: &mut Encoder, count: usize) -> Vec<Place> {
    let packet = Bytes::from_static(&[0x80; 20]);
    (0..count).map(|_| place(encoder.push(packet.clone()).last_chunk())).collect()
}

fn repair(encoder: &mut Encoder) -> Vec<Place> {
    std::iter::from_fn(|| encoder.pop_repair()).map(|packet| place(packet.first_chunk())).collect()
}

#[test]
fn a_depth_of_zero_and_a_block_number_of_25_bits_are_refused() {
    let new = |depth, first| Encoder::new(Layout::Adu, shape(2, 1), depth, first);
    assert_eq!(new(0, 0).unwrap_err(), BlockError::Depth);
    assert_eq!(new(1, 1 << 24).unwrap_err(), BlockError::BlockNumber { number: 1 << 24 });
    assert!(new(1, (1 << 24) - 1).is_ok());
    assert_eq!(new(1, 0).unwrap().set_shape(shape(2, 1), 0), Err(BlockError::Depth));
}

#[test]
fn packets_fill_a_block_and_its_repair_follows_across_the_wrap() {
    let mut encoder = encoder(Layout::Adu, shape(2, 1), 1);
    assert_eq!(push(&mut encoder, 1), [(0xff_ffff, 0, 2)]);
    assert_eq!(repair(&mut encoder), []);
    assert_eq!(push(&mut encoder, 2), [(0xff_ffff, 1, 2), (0, 0, 2)]);
    assert_eq!(repair(&mut encoder), [(0xff_ffff, 2, 2)]);
}

#[test]
fn with_depth_three_neighbours_go_to_three_blocks() {
    let mut encoder = encoder(Layout::Adu, shape(2, 1), 3);
    let source = push(&mut encoder, 7);
    assert_eq!(source[..3], [(0xff_ffff, 0, 2), (0, 0, 2), (1, 0, 2)]);
    assert_eq!(source[3..6], [(0xff_ffff, 1, 2), (0, 1, 2), (1, 1, 2)]);
    assert_eq!(source[6], (2, 0, 2));
    assert_eq!(repair(&mut encoder), [(0xff_ffff, 2, 2), (0, 2, 2), (1, 2, 2)]);
}

#[test]
fn a_flushed_block_tells_its_true_length_and_gets_its_share_of_repair() {
    let mut encoder = encoder(Layout::Adu, shape(10, 5), 1);
    push(&mut encoder, 3);
    encoder.flush();
    assert_eq!(repair(&mut encoder), [(0xff_ffff, 3, 3), (0xff_ffff, 4, 3)]);
    assert_eq!(push(&mut encoder, 1), [(0, 0, 10)]);
}

#[test]
fn a_flush_uses_no_number_of_a_block_without_packets() {
    let mut encoder = encoder(Layout::Adu, shape(10, 5), 4);
    encoder.flush();
    push(&mut encoder, 2);
    encoder.flush();
    encoder.flush();
    assert_eq!(repair(&mut encoder), [(0xff_ffff, 1, 1), (0, 1, 1)]);
    assert_eq!(push(&mut encoder, 1), [(1, 0, 10)]);
}

#[test]
fn a_new_shape_waits_for_the_next_group_of_blocks() {
    let mut encoder = encoder(Layout::Adu, shape(2, 1), 2);
    push(&mut encoder, 1);
    encoder.set_shape(shape(3, 2), 1).unwrap();
    assert_eq!((encoder.shape(), encoder.depth()), (shape(2, 1), 2));
    assert_eq!(push(&mut encoder, 4).last(), Some(&(1, 0, 3)));
    assert_eq!((encoder.shape(), encoder.depth()), (shape(3, 2), 1));
    assert_eq!(repair(&mut encoder), [(0xff_ffff, 2, 2), (0, 2, 2)]);
}

#[test]
fn a_new_shape_holds_at_once_where_no_block_is_open() {
    let mut encoder = encoder(Layout::Adu, shape(2, 1), 2);
    encoder.set_shape(shape(1, 1), 1).unwrap();
    assert_eq!(push(&mut encoder, 2), [(0xff_ffff, 0, 1), (0, 0, 1)]);
}

#[test]
fn rs8m_begins_a_new_block_where_the_length_changes() {
    let mut encoder = encoder(Layout::Rs8m, shape(4, 2), 1);
    push(&mut encoder, 3);
    let longer = encoder.push(Bytes::from_static(&[0x80; 30]));
    assert_eq!(place(longer.last_chunk()), (0, 0, 4));
    assert_eq!(repair(&mut encoder), [(0xff_ffff, 3, 3), (0xff_ffff, 4, 3)]);
    assert_eq!(encoder.counts().length_changes, 1);
}

#[test]
fn a_shape_without_repair_frames_and_holds_nothing() {
    let mut encoder = encoder(Layout::Adu, shape(2, 0), 1);
    assert_eq!(push(&mut encoder, 3), [(0xff_ffff, 0, 2), (0xff_ffff, 1, 2), (0, 0, 2)]);
    encoder.flush();
    assert_eq!(repair(&mut encoder), []);
    assert!(encoder.open.iter().all(Vec::is_empty));
}

#[test]
fn a_shared_packet_is_copied_once_and_an_unshared_one_with_room_never() {
    let mut encoder = encoder(Layout::Adu, shape(2, 1), 1);
    let mut buffer = BytesMut::with_capacity(26);
    buffer.extend_from_slice(&[0x80; 20]);
    let address = buffer.as_ptr();
    let framed = encoder.push(buffer.freeze());
    assert_eq!(framed.as_ptr(), address);
    assert_eq!(encoder.open[0][0].as_ptr(), address);
}

#[test]
fn what_was_made_is_counted() {
    let mut encoder = encoder(Layout::Adu, shape(2, 1), 1);
    push(&mut encoder, 4);
    let counts = EncoderCounts {
        source: 4,
        repair: 2,
        repair_bytes: 2 * (6 + 3 + 20),
        ..Default::default()
    };
    assert_eq!(encoder.counts(), counts);
}
