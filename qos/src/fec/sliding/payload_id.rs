//! What tells a packet's place in the stream.

use std::fmt;

use bytes::Bytes;

use super::SlidingError;
use super::coefficients::Coefficients;
use crate::fec::recent::Wrapping;
use crate::fec::{adui, footer};

/// The number of a source packet: 32 bits, wrapping around.
///
/// RFC 8681 counts *symbols*, of which a long packet may have several. Symbols here are as long as
/// they need be, so that every packet has one.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug)]
pub struct EncodingSymbolId(pub u32);

impl EncodingSymbolId {
    /// Bytes on the wire.
    pub const LENGTH: usize = 4;

    /// The number `symbols` later.
    pub const fn plus(self, symbols: u32) -> Self {
        Self(self.0.wrapping_add(symbols))
    }

    /// The source packet with this number as its footer: the explicit source FEC payload ID (RFC
    /// 8681, section 4.1.3).
    ///
    /// ```text
    ///  0                   1                   2                   3
    ///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    /// +---------------------------------------------------------------+
    /// |                   encoding symbol ID (32)                     |
    /// +---------------------------------------------------------------+
    /// ```
    pub(super) fn append_to(self, packet: Bytes) -> Bytes {
        footer::append(packet, &self.0.to_be_bytes())
    }

    /// Takes the footer off a source packet.
    pub(super) fn split_from(mut packet: Bytes) -> Result<(Self, Bytes), SlidingError> {
        let Some((_, footer)) = packet.split_last_chunk() else {
            return Err(SlidingError::Short { length: packet.len(), least: Self::LENGTH });
        };
        let id = Self(u32::from_be_bytes(*footer));
        packet.truncate(packet.len() - Self::LENGTH);
        Ok((id, packet))
    }
}

impl Wrapping for EncodingSymbolId {
    fn since(self, earlier: Self) -> i32 {
        self.0.wrapping_sub(earlier.0) as i32
    }
}

impl fmt::Display for EncodingSymbolId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The repair FEC payload ID (RFC 8681, section 4.1.3), big-endian, in front of the symbol:
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-------------------------------+-------+-----------------------+
/// |       repair key (16)         |DT (4) |       NSS (12)        |
/// +-------------------------------+-------+-----------------------+
/// |                        FSS_ESI (32)                           |
/// +---------------------------------------------------------------+
/// ```
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug)]
pub struct RepairId {
    /// Where the coefficients come from.
    pub key: u16,
    /// The density threshold DT, 0 to 15: with 15 no coefficient is zero.
    pub density: u8,
    /// How many source packets are covered: NSS, 12 bits.
    pub count: u16,
    /// The first of them: FSS_ESI.
    pub first: EncodingSymbolId,
}

impl RepairId {
    /// Bytes on the wire.
    pub const LENGTH: usize = 8;

    /// The most source packets that 12 bits can name.
    pub const MOST: u16 = (1 << 12) - 1;

    /// The eight bytes; of `density` and `count` as many bits as there is room for.
    pub const fn to_bytes(self) -> [u8; Self::LENGTH] {
        let [k0, k1] = self.key.to_be_bytes();
        let [c0, c1] = ((self.density as u16) << 12 | self.count & Self::MOST).to_be_bytes();
        let [f0, f1, f2, f3] = self.first.0.to_be_bytes();
        [k0, k1, c0, c1, f0, f1, f2, f3]
    }

    /// From the eight bytes; any eight bytes are one.
    pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        let [k0, k1, c0, c1, f0, f1, f2, f3] = bytes;
        let covers = u16::from_be_bytes([c0, c1]);
        Self {
            key: u16::from_be_bytes([k0, k1]),
            density: (covers >> 12) as u8,
            count: covers & Self::MOST,
            first: EncodingSymbolId(u32::from_be_bytes([f0, f1, f2, f3])),
        }
    }

    /// What each of the source packets is multiplied with.
    pub(super) fn coefficients(self) -> impl Iterator<Item = u8> {
        Coefficients::new(self.key, self.density).take(self.count.into())
    }

    /// Takes the header off a repair packet, whose symbol is an ADUI.
    pub(super) fn split_from(packet: Bytes) -> Result<(Self, Bytes), SlidingError> {
        const LEAST: usize = RepairId::LENGTH + adui::PREFIX;
        match packet.first_chunk() {
            Some(header) if packet.len() >= LEAST => {
                Ok((Self::from_bytes(*header), packet.slice(Self::LENGTH..)))
            }
            _ => Err(SlidingError::Short { length: packet.len(), least: LEAST }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_repair_id_lies_on_the_wire_as_drawn() {
        let id = RepairId {
            key: 0x1234,
            density: 15,
            count: 0x0ab,
            first: EncodingSymbolId(0xdead_beef),
        };
        assert_eq!(id.to_bytes(), [0x12, 0x34, 0xf0, 0xab, 0xde, 0xad, 0xbe, 0xef]);
    }

    #[test]
    fn numbers_wrap() {
        let last = EncodingSymbolId(u32::MAX);
        assert_eq!(last.plus(2), EncodingSymbolId(1));
        assert_eq!(last.plus(2).since(last), 2);
        assert_eq!(last.since(last.plus(2)), -2);
    }

    #[test]
    fn a_repair_packet_has_room_for_an_empty_packet_at_least() {
        let least = Bytes::from_static(&[0; 11]);
        assert!(RepairId::split_from(least.clone()).is_ok());
        let short = RepairId::split_from(least.slice(1..));
        assert_eq!(short, Err(SlidingError::Short { length: 10, least: 11 }));
        let short = EncodingSymbolId::split_from(least.slice(8..));
        assert_eq!(short, Err(SlidingError::Short { length: 3, least: 4 }));
    }

    proptest! {
        #[test]
        fn repair_ids_survive_the_wire(bytes: [u8; 8]) {
            prop_assert_eq!(RepairId::from_bytes(bytes).to_bytes(), bytes);
        }
    }
}
