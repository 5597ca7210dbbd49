//! The *ADUI* (application data unit information) of RFC 6865, section 4.3: a packet as it is
//! coded, so that its length comes back with it.
//!
//! ```text
//! | flow identifier (1 byte) | length of the packet (2 bytes) | packet ... | zeros ... |
//! ```
//!
//! It is never laid out in memory to be encoded: its parts are added where they belong.

use bytes::Bytes;
use reed_solomon_erasure::galois_8::{mul, mul_slice_xor};

/// The flow identifier of the one flow that we protect (RFC 6865, section 4.3, "F[]").
const FLOW: u8 = 1;

/// Flow identifier and length.
pub(super) const PREFIX: usize = 3;

/// `sum += coefficient * ADUI(packet)`. The zeros that fill it up add nothing.
///
/// `sum` is at least as long as the packet and its prefix.
pub(super) fn add(coefficient: u8, packet: &[u8], sum: &mut [u8]) {
    let (prefix, body) = sum.split_at_mut(PREFIX);
    let [high, low] = (packet.len() as u16).to_be_bytes();
    for (sum, byte) in prefix.iter_mut().zip([FLOW, high, low]) {
        *sum ^= mul(coefficient, byte);
    }
    // The library's SIMD path takes the address of the first byte.
    if !packet.is_empty() {
        mul_slice_xor(coefficient, packet, &mut body[..packet.len()]);
    }
}

/// The packet in an ADUI; `None` where it cannot be one that [`add`] added, which means that it was
/// put together from packets of different origin.
pub(super) fn packet(symbol: &Bytes) -> Option<Bytes> {
    let (&[flow, high, low], body) = symbol.split_first_chunk()?;
    let length = usize::from(u16::from_be_bytes([high, low]));
    let zeros = body.get(length..)?;
    (flow == FLOW && zeros.iter().all(|&byte| byte == 0))
        .then(|| symbol.slice(PREFIX..PREFIX + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_adui_is_flow_length_packet_and_zeros() {
        let mut symbol = [0; 8];
        add(1, &[0xaa, 0xbb], &mut symbol);
        assert_eq!(symbol, [1, 0, 2, 0xaa, 0xbb, 0, 0, 0]);
        assert_eq!(packet(&Bytes::copy_from_slice(&symbol)).as_deref(), Some(&[0xaa, 0xbb][..]));
    }

    #[test]
    fn what_is_no_adui_is_no_packet() {
        for symbol in [&[1, 0][..], &[2, 0, 1, 9], &[1, 0, 2, 9], &[1, 0, 1, 9, 1]] {
            assert_eq!(packet(&Bytes::from_static(symbol)), None, "{symbol:?}");
        }
    }
}
