//! RTSP messages out of a stream of bytes.

use bytes::{Buf, Bytes, BytesMut};
use rtsp_types::{Message, ParseError};

/// The largest message that is passed on, head and body.
const MAX_MESSAGE: usize = 128 << 10;

/// Cuts a TCP stream into RTSP messages and interleaved frames.
#[derive(Debug, Default)]
pub(super) struct Framing {
    buffer: BytesMut,
}

/// A message or interleaved frame.
#[derive(Debug, PartialEq)]
pub(super) struct Framed {
    /// As it was written.
    pub(super) raw: Bytes,
    /// As it is understood.
    pub(super) message: Message<Vec<u8>>,
}

/// Why a stream cannot be cut any further.
#[derive(Copy, Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum FramingError {
    #[error("what came is not RTSP")]
    NotRtsp,
    #[error("a message is longer than {MAX_MESSAGE} bytes")]
    TooLong,
}

impl Framing {
    pub(super) fn push(&mut self, data: &[u8]) {
        self.buffer.extend_from_slice(data);
    }

    /// The next whole message.
    pub(super) fn next(&mut self) -> Result<Option<Framed>, FramingError> {
        match Message::parse(&self.buffer[..]) {
            Ok((message, length)) => {
                let raw = self.buffer.split_to(length).freeze();
                Ok(Some(Framed { raw, message }))
            }
            Err(ParseError::Incomplete(_)) if self.buffer.remaining() > MAX_MESSAGE => {
                Err(FramingError::TooLong)
            }
            Err(ParseError::Incomplete(_)) => Ok(None),
            Err(ParseError::Error) => Err(FramingError::NotRtsp),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OPTIONS: &[u8] = b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n";
    const ANSWER: &[u8] = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 3\r\n\r\nabc";
    const FRAME: &[u8] = b"$\x01\x00\x04\x80\x00\x00\x01";

    #[test]
    fn what_is_not_rtsp_is_refused() {
        let mut framing = Framing::default();
        framing.push(b"GET / HTTP/1.1\r\n\r\n");
        assert_eq!(framing.next(), Err(FramingError::NotRtsp));
    }

    #[test]
    fn a_message_that_claims_too_much_is_refused_when_the_limit_is_passed() {
        let mut framing = Framing::default();
        framing.push(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 1000000\r\n\r\n");
        assert_eq!(framing.next(), Ok(None));
        framing.push(&vec![0; MAX_MESSAGE]);
        assert_eq!(framing.next(), Err(FramingError::TooLong));
    }

    proptest! {
        #[test]
        fn messages_come_out_as_they_went_in_however_the_stream_is_cut(cut in 1usize..40) {
            let stream = [OPTIONS, FRAME, ANSWER, OPTIONS].concat();
            let mut framing = Framing::default();
            let mut out = Vec::new();
            for piece in stream.chunks(cut) {
                framing.push(piece);
                while let Some(Framed { raw, .. }) = framing.next().unwrap() {
                    out.push(raw);
                }
            }
            prop_assert_eq!(out, [OPTIONS, FRAME, ANSWER, OPTIONS]);
        }

        #[test]
        fn hostile_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut framing = Framing::default();
            framing.push(&bytes);
            while let Ok(Some(_)) = framing.next() {}
        }
    }
}
