//! The six bytes that tell a packet's place in its block.

use std::fmt;

use bytes::Bytes;

use super::BlockError;
use crate::fec::footer;
use crate::fec::recent::Wrapping;

/// The number of a source block: 24 bits, wrapping around.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug)]
pub struct BlockNumber(u32);

impl BlockNumber {
    const BITS: u32 = 24;

    /// The block `number`, or an error beyond 24 bits.
    pub fn new(number: u32) -> Result<Self, BlockError> {
        match number >> Self::BITS {
            0 => Ok(Self(number)),
            _ => Err(BlockError::BlockNumber { number }),
        }
    }

    /// The number as it is on the wire.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The block `blocks` later.
    pub const fn plus(self, blocks: u32) -> Self {
        Self(self.0.wrapping_add(blocks) & ((1 << Self::BITS) - 1))
    }
}

impl Wrapping for BlockNumber {
    fn since(self, earlier: Self) -> i32 {
        let unused = u32::BITS - Self::BITS;
        (self.0.wrapping_sub(earlier.0) << unused) as i32 >> unused
    }
}

impl fmt::Display for BlockNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The FEC payload ID of source and repair packets alike (RFC 6865, sections 5.1.2 and 5.1.3, with
/// m = 8), big-endian:
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-----------------------------------------------+---------------+
/// |          source block number (24)             |   symbol (8)  |
/// +-------------------------------+---------------+---------------+
/// |    source block length k (16) |
/// +-------------------------------+
/// ```
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug)]
pub struct PayloadId {
    /// The block that the packet belongs to.
    pub block: BlockNumber,
    /// The encoding symbol ID: below `k` a source packet, from `k` on a repair packet.
    pub symbol: u8,
    /// The source block length `k`.
    pub source_length: u16,
}

impl PayloadId {
    /// Bytes on the wire.
    pub const LENGTH: usize = 6;

    /// The six bytes.
    pub const fn to_bytes(self) -> [u8; Self::LENGTH] {
        let [_, high, middle, low] = self.block.0.to_be_bytes();
        let [long, short] = self.source_length.to_be_bytes();
        [high, middle, low, self.symbol, long, short]
    }

    /// From the six bytes; any six bytes are one.
    pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        let [high, middle, low, symbol, long, short] = bytes;
        Self {
            block: BlockNumber(u32::from_be_bytes([0, high, middle, low])),
            symbol,
            source_length: u16::from_be_bytes([long, short]),
        }
    }

    /// The source packet with this footer. Copies only if the packet is shared or has no room.
    pub(super) fn append_to(self, packet: Bytes) -> Bytes {
        footer::append(packet, &self.to_bytes())
    }

    /// Takes the footer off a source packet.
    pub(super) fn split_source(mut packet: Bytes) -> Result<(Self, Bytes), BlockError> {
        let Some((_, footer)) = packet.split_last_chunk() else {
            return Err(BlockError::Short { length: packet.len(), least: Self::LENGTH });
        };
        let id = Self::from_bytes(*footer);
        if !(1..=255).contains(&id.source_length) || u16::from(id.symbol) >= id.source_length {
            return Err(BlockError::PayloadId(id));
        }
        packet.truncate(packet.len() - Self::LENGTH);
        Ok((id, packet))
    }

    /// Takes the header off a repair packet, whose symbol has `least` bytes or more.
    pub(super) fn split_repair(packet: Bytes, least: usize) -> Result<(Self, Bytes), BlockError> {
        let least = Self::LENGTH + least;
        let header = match packet.first_chunk() {
            Some(header) if packet.len() >= least => *header,
            _ => {
                return Err(BlockError::Short { length: packet.len(), least });
            }
        };
        let id = Self::from_bytes(header);
        // 255 packets have the symbols 0 to 254.
        if id.source_length == 0 || u16::from(id.symbol) < id.source_length || id.symbol == 255 {
            return Err(BlockError::PayloadId(id));
        }
        Ok((id, packet.slice(Self::LENGTH..)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BytesMut;
    use proptest::prelude::*;

    fn number(number: u32) -> BlockNumber {
        BlockNumber::new(number).unwrap()
    }

    #[test]
    fn block_numbers_have_24_bits_and_wrap() {
        assert!(BlockNumber::new(0xff_ffff).is_ok());
        assert_eq!(
            BlockNumber::new(0x100_0000),
            Err(BlockError::BlockNumber { number: 0x100_0000 })
        );
        assert_eq!(number(0xff_ffff).plus(2), number(1));
        assert_eq!(number(1).since(number(0xff_ffff)), 2);
        assert_eq!(number(0xff_ffff).since(number(1)), -2);
    }

    #[test]
    fn the_footer_of_rocs_first_packet_reads_block_0x50c_symbol_0_of_18() {
        let id = PayloadId::from_bytes([0x00, 0x05, 0x0c, 0x00, 0x00, 0x12]);
        assert_eq!((id.block.get(), id.symbol, id.source_length), (0x50c, 0, 18));
    }

    #[test]
    fn a_footer_goes_into_a_packet_with_room_without_a_copy() {
        let mut buffer = BytesMut::with_capacity(100);
        buffer.extend_from_slice(&[0x80; 20]);
        let packet = buffer.freeze();
        let before = packet.as_ptr();
        let id = PayloadId { block: number(7), symbol: 1, source_length: 2 };
        let framed = id.append_to(packet);
        assert_eq!(framed.as_ptr(), before);
        assert_eq!(framed.len(), 26);
    }

    #[test]
    fn repair_symbols_end_at_254() {
        let packet = |symbol| {
            let id = PayloadId { block: number(7), symbol, source_length: 200 };
            Bytes::from([&id.to_bytes()[..], &[0]].concat())
        };
        assert!(PayloadId::split_repair(packet(199), 1).is_err());
        assert!(PayloadId::split_repair(packet(200), 1).is_ok());
        assert!(PayloadId::split_repair(packet(254), 1).is_ok());
        assert!(PayloadId::split_repair(packet(255), 1).is_err());
        assert!(PayloadId::split_repair(packet(254), 2).is_err());
    }

    proptest! {
        #[test]
        fn payload_ids_survive_the_wire(bytes: [u8; 6]) {
            prop_assert_eq!(PayloadId::from_bytes(bytes).to_bytes(), bytes);
        }

        #[test]
        fn distances_survive_the_wrap(
            start in 0u32..1 << 24,
            blocks in -(1i32 << 23)..1 << 23,
        ) {
            let start = number(start);
            prop_assert_eq!(start.plus(blocks as u32).since(start), blocks);
        }
    }
}
