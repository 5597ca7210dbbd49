//! RTP over QUIC: how RTP and RTCP packets lie in datagrams and streams
//! (draft-ietf-avtcore-rtp-over-quic-10).
//!
//! Every datagram and every stream starts with a *flow identifier*, a QUIC variable-length
//! integer (RFC 9000, section 16). In a datagram one packet follows; in a stream any number of
//! packets, each after its length:
//!
//! ```text
//! datagram: flow identifier (i), packet (..)
//! stream:   flow identifier (i), { length (i), packet (..) } ...
//! ```
//!
//! Flow 0 is ours for RTSP ([`FlowId::CONTROL`]): after the flow identifier its stream carries
//! RTSP messages as a TCP connection would.

mod stream;
#[cfg(test)]
mod tests;
mod varint;

use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};

pub use stream::{StreamReader, StreamWriter};
pub use varint::{MAX_VARINT, read_varint, write_varint};

/// The protocol that both ends must name in the TLS handshake.
pub const ALPN: &[u8] = b"roq-10";

/// The drafts that frame packets in the same way; accepted, never offered first.
pub const NEIGHBOUR_ALPNS: [&[u8]; 5] = [b"roq-09", b"roq-11", b"roq-12", b"roq-13", b"roq-14"];

/// Why a stream or connection ends (section "Error Handling"; the code points did not change since
/// draft 10).
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum ErrorCode {
    /// It is over.
    NoError = 0x00,
    /// What came is no packet, or on a flow that carries none.
    Packet = 0x03,
    /// A stream that nobody may open: packets come on unidirectional ones, and only flow 0 has one of
    /// both directions.
    StreamCreation = 0x04,
}

/// What the round trip is taken for before it was measured. A third of a second, as RFC 9002
/// (section 6.2.2) has it, lets a handshake of which a packet is lost stand still for a second, and
/// for two and four where that happens again: too long for who waits to hear something. Across the
/// few paths that take longer than three of these the first flight is sent twice.
pub const INITIAL_ROUND_TRIP: Duration = Duration::from_millis(100);

/// The longest packet a stream may announce: the longest that UDP could have carried.
pub const MAX_PACKET: usize = 65_535;

/// Names a flow within a connection: one RTP session with its RTCP, one repair stream, or the
/// control.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub struct FlowId(u64);

impl FlowId {
    /// Flow 0: RTSP.
    pub const CONTROL: Self = Self(0);

    /// The flow of this number, or `None` from 2^62 on, which a variable-length integer cannot
    /// hold.
    pub const fn new(id: u64) -> Option<Self> {
        if id <= MAX_VARINT { Some(Self(id)) } else { None }
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The bytes that open a stream of this flow.
    pub fn stream_header(self) -> Bytes {
        let mut header = BytesMut::with_capacity(varint::MAX_BYTES);
        self.write(&mut header);
        header.freeze()
    }

    fn write(self, out: &mut impl BufMut) {
        varint::put(out, self.0);
    }
}

impl std::fmt::Display for FlowId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Why bytes from a QUIC connection are not RTP over QUIC.
#[derive(Copy, Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RoqError {
    /// A datagram ends before its flow identifier does.
    #[error("a datagram of {bytes} bytes ends inside its flow identifier")]
    NoFlow {
        /// Bytes in the datagram.
        bytes: usize,
    },
    /// A packet longer than [`MAX_PACKET`] is announced, or was to be written.
    #[error("a packet of {length} bytes exceeds {MAX_PACKET}")]
    PacketTooLong {
        /// Its length in bytes.
        length: u64,
    },
    /// A number from 2^62 on cannot be written as a variable-length integer.
    #[error("{value} does not fit into a variable-length integer")]
    NumberTooLarge {
        /// The number.
        value: u64,
    },
}

/// Puts a packet into a datagram of its flow.
pub fn datagram(flow: FlowId, packet: &[u8]) -> Bytes {
    let mut datagram = BytesMut::with_capacity(varint::MAX_BYTES + packet.len());
    flow.write(&mut datagram);
    datagram.put_slice(packet);
    datagram.freeze()
}

/// Takes the packet out of a datagram, without copying.
///
/// # Errors
///
/// [`RoqError::NoFlow`] where the datagram ends inside its flow identifier. What the packet is,
/// even whether it is empty, is for the flow to judge.
pub fn parse_datagram(mut datagram: Bytes) -> Result<(FlowId, Bytes), RoqError> {
    let (id, length) = read_varint(&datagram).ok_or(RoqError::NoFlow { bytes: datagram.len() })?;
    datagram.advance(length);
    Ok((FlowId(id), datagram))
}
