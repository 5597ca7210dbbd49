//! What stands behind a source packet (RFC 6363, section 5.3: the explicit source FEC payload ID).

use bytes::{Bytes, BytesMut};

/// The source packet with this footer. Copies only if the packet is shared or has no room.
pub(super) fn append(packet: Bytes, footer: &[u8]) -> Bytes {
    let mut framed = packet.try_into_mut().unwrap_or_else(|shared| {
        let mut copy = BytesMut::with_capacity(shared.len() + footer.len());
        copy.extend_from_slice(&shared);
        copy
    });
    framed.extend_from_slice(footer);
    framed.freeze()
}
