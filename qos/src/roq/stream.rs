//! Packets on QUIC streams.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::{FlowId, MAX_PACKET, RoqError, read_varint, varint};

/// Writes the packets of one stream.
#[derive(Debug)]
pub struct StreamWriter {
    flow: FlowId,
    opened: bool,
}

impl StreamWriter {
    /// A stream of `flow`, nothing written yet.
    pub fn new(flow: FlowId) -> Self {
        Self { flow, opened: false }
    }

    /// What to write to the stream for this packet; the first time the flow identifier goes
    /// ahead.
    ///
    /// # Errors
    ///
    /// [`RoqError::PacketTooLong`] beyond [`MAX_PACKET`]; the stream goes on as if nothing had
    /// been asked.
    pub fn write(&mut self, packet: &[u8]) -> Result<Bytes, RoqError> {
        let length = packet.len() as u64;
        if packet.len() > MAX_PACKET {
            return Err(RoqError::PacketTooLong { length });
        }
        let mut out = BytesMut::with_capacity(2 * varint::MAX_BYTES + packet.len());
        if !self.opened {
            self.flow.write(&mut out);
            self.opened = true;
        }
        varint::put(&mut out, length);
        out.put_slice(packet);
        Ok(out.freeze())
    }
}

/// Reads the packets of one stream, however its bytes are cut up.
///
/// `push` what has arrived, then `pop` until it gives `None`: what stays behind is less than one
/// packet. An error is final: the stream has lost its framing, and everything after is ignored.
#[derive(Debug, Default)]
pub struct StreamReader {
    flow: Option<FlowId>,
    unread: BytesMut,
    failed: Option<RoqError>,
}

impl StreamReader {
    /// A stream of which nothing has been read.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes of the stream.
    pub fn push(&mut self, data: &[u8]) {
        if self.failed.is_some() {
            return;
        }
        self.unread.extend_from_slice(data);
        if self.flow.is_none()
            && let Some((id, length)) = read_varint(&self.unread)
        {
            self.unread.advance(length);
            self.flow = Some(FlowId(id));
        }
    }

    /// The flow of the stream; `None` until its first bytes are there.
    pub fn flow(&self) -> Option<FlowId> {
        self.flow
    }

    /// The next packet, or `None` until more bytes come.
    ///
    /// # Errors
    ///
    /// [`RoqError::PacketTooLong`] as soon as a length beyond [`MAX_PACKET`] is announced, before
    /// any of that packet is kept.
    pub fn pop(&mut self) -> Result<Option<Bytes>, RoqError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if self.flow.is_none() {
            return Ok(None);
        }
        let Some((length, header)) = read_varint(&self.unread) else {
            return Ok(None);
        };
        if length > MAX_PACKET as u64 {
            let error = RoqError::PacketTooLong { length };
            self.failed = Some(error);
            self.unread = BytesMut::new();
            return Err(error);
        }
        let length = length as usize;
        if self.unread.len() - header < length {
            return Ok(None);
        }
        self.unread.advance(header);
        Ok(Some(self.unread.split_to(length).freeze()))
    }

    /// Gives up the framing: the bytes that follow the flow identifier, as far as they were not
    /// popped. For streams that carry something else than packets, such as RTSP.
    pub fn into_unread(self) -> Bytes {
        self.unread.freeze()
    }
}
