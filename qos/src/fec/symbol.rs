//! From packets to symbols and back. Symbols are never laid out in memory to be encoded: their
//! parts are added where they belong.

use bytes::Bytes;
use reed_solomon_erasure::galois_8::{mul, mul_slice_xor};

use super::Layout;

/// The flow identifier of the one flow that we protect (RFC 6865, section 4.3, "F[]").
const FLOW: u8 = 1;

/// Flow identifier and length, which an ADUI has before its ADU.
const ADUI_PREFIX: usize = 3;

impl Layout {
    const fn prefix_length(self) -> usize {
        match self {
            Self::Adu => ADUI_PREFIX,
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

    /// `sum += coefficient * symbol(packet)`. The zeros that fill the symbol up add nothing.
    pub(super) fn add(self, coefficient: u8, packet: &[u8], sum: &mut [u8]) {
        let (prefix, body) = sum.split_at_mut(self.prefix_length());
        if self == Self::Adu {
            let [high, low] = (packet.len() as u16).to_be_bytes();
            for (sum, byte) in prefix.iter_mut().zip([FLOW, high, low]) {
                *sum ^= mul(coefficient, byte);
            }
        }
        // The library's SIMD path takes the address of the first byte.
        if !packet.is_empty() {
            mul_slice_xor(coefficient, packet, &mut body[..packet.len()]);
        }
    }

    /// The packet in a symbol; `None` where the symbol cannot be one that [`Self::add`] added,
    /// which means that the block was put together from packets of different origin.
    pub(super) fn packet(self, symbol: Bytes) -> Option<Bytes> {
        if self == Self::Rs8m {
            return Some(symbol);
        }
        let (&[flow, high, low], body) = symbol.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes([high, low]));
        let zeros = body.get(length..)?;
        (flow == FLOW && zeros.iter().all(|&byte| byte == 0))
            .then(|| symbol.slice(ADUI_PREFIX..ADUI_PREFIX + length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_adui_is_flow_length_packet_and_zeros() {
        let mut symbol = [0; 8];
        Layout::Adu.add(1, &[0xaa, 0xbb], &mut symbol);
        assert_eq!(symbol, [1, 0, 2, 0xaa, 0xbb, 0, 0, 0]);
        let packet = Layout::Adu.packet(Bytes::copy_from_slice(&symbol));
        assert_eq!(packet.as_deref(), Some(&[0xaa, 0xbb][..]));
    }

    #[test]
    fn what_is_no_adui_is_no_packet() {
        for symbol in [&[1, 0][..], &[2, 0, 1, 9], &[1, 0, 2, 9], &[1, 0, 1, 9, 1]] {
            assert_eq!(Layout::Adu.packet(Bytes::from_static(symbol)), None, "{symbol:?}");
        }
    }

    #[test]
    fn an_rs8m_symbol_is_the_packet() {
        assert!(Layout::Rs8m.fits(10, 10) && !Layout::Rs8m.fits(9, 10));
        assert!(Layout::Adu.fits(7, 10) && !Layout::Adu.fits(8, 10));
    }
}
