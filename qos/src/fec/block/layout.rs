//! From packets to symbols and back.

use bytes::Bytes;
use reed_solomon_erasure::galois_8::mul_slice_xor;

use crate::fec::adui;

/// What a symbol is made of, and which Reed-Solomon code protects it.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug)]
pub enum Layout {
    /// RFC 6865, for packets of different lengths. The symbol is the *ADUI* of its section 4.3:
    /// flow identifier (1 byte, always 1), length of the packet (2 bytes), the packet, zeros up to
    /// the length of the longest in the block. The code is that of RFC 5510, section 8.2.1.
    Adu,
    /// As Roc Toolkit has it, for packets of equal length: the symbol is the whole RTP packet.
    Rs8m,
}

impl Layout {
    const fn prefix_length(self) -> usize {
        match self {
            Self::Adu => adui::PREFIX,
            Self::Rs8m => 0,
        }
    }

    /// The shortest symbol there can be.
    pub(super) fn least_symbol(self) -> usize {
        self.prefix_length().max(1)
    }

    /// The length of the symbol that holds a packet of `packet_length` bytes.
    pub(super) const fn symbol_length(self, packet_length: usize) -> usize {
        self.prefix_length() + packet_length
    }

    /// Whether a packet of `packet_length` bytes can be in a block with symbols of
    /// `symbol_length`.
    pub(super) const fn fits(self, packet_length: usize, symbol_length: usize) -> bool {
        match self {
            Self::Adu => self.symbol_length(packet_length) <= symbol_length,
            Self::Rs8m => packet_length == symbol_length,
        }
    }

    /// `sum += coefficient * symbol(packet)`.
    pub(super) fn add(self, coefficient: u8, packet: &[u8], sum: &mut [u8]) {
        match self {
            Self::Adu => adui::add(coefficient, packet, sum),
            // The library's SIMD path takes the address of the first byte.
            Self::Rs8m if packet.is_empty() => {}
            Self::Rs8m => mul_slice_xor(coefficient, packet, &mut sum[..packet.len()]),
        }
    }

    /// The packet in a symbol; `None` where the symbol cannot be one that [`Self::add`] added,
    /// which means that the block was put together from packets of different origin.
    pub(super) fn packet(self, symbol: Bytes) -> Option<Bytes> {
        match self {
            Self::Adu => adui::packet(&symbol),
            Self::Rs8m => Some(symbol),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_rs8m_symbol_is_the_packet() {
        assert!(Layout::Rs8m.fits(10, 10) && !Layout::Rs8m.fits(9, 10));
        assert!(Layout::Adu.fits(7, 10) && !Layout::Adu.fits(8, 10));
    }
}
