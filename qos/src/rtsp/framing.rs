//! Messages out of a byte stream.

use bytes::{Buf, Bytes, BytesMut};
use rtsp_types::{Message, Request, Response, StatusCode};

use super::head::Head;

/// The longest line of a head, in bytes without its line end.
pub const MAX_LINE: usize = 8 * 1_024;

/// The longest head: start line, headers and the empty line after them, in bytes.
pub const MAX_HEAD: usize = 32 * 1_024;

/// The longest body, in bytes.
pub const MAX_BODY: usize = 64 * 1_024;

/// Bytes before the data of an interleaved frame: `$`, channel, length.
pub(super) const INTERLEAVED_HEADER: usize = 4;

/// What came out of the stream.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Incoming {
    /// A request, of whatever method.
    Request(Request<Vec<u8>>),
    /// A response, of whatever status.
    Response(Response<Vec<u8>>),
    /// An interleaved binary frame (RFC 2326, section 10.12).
    Interleaved {
        /// Which of the channels agreed on in SETUP.
        channel: u8,
        /// The RTP or RTCP packet.
        data: Bytes,
    },
}

/// Why the stream cannot be read on. Always fatal: where the next message begins is unknown.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FramingError {
    /// A line is longer than [`MAX_LINE`].
    #[error("a header line exceeds {MAX_LINE} bytes")]
    LineTooLong,
    /// A head is longer than [`MAX_HEAD`].
    #[error("a message head exceeds {MAX_HEAD} bytes")]
    HeadTooLong,
    /// A body longer than [`MAX_BODY`] is announced.
    #[error("a body of {announced} bytes exceeds {MAX_BODY}")]
    BodyTooLong {
        /// The value of `Content-Length`, at most the largest of its type.
        announced: u64,
    },
    /// `Content-Length` stands twice, or is not a number.
    #[error("Content-Length `{value}` is not one number")]
    ContentLength {
        /// Its value, cut to its first characters.
        value: String,
    },
    /// The version is neither 1.0 nor 2.0.
    #[error("unknown version in `{line}`")]
    Version {
        /// The start line, cut to its first characters.
        line: String,
    },
    /// It is no RTSP message.
    #[error("not an RTSP message: `{line}`")]
    Malformed {
        /// The offending line, cut to its first characters.
        line: String,
    },
}

impl FramingError {
    /// What a server answers before it closes the connection.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::BodyTooLong { .. } => StatusCode::RequestMessageBodyTooLarge,
            Self::Version { .. } => StatusCode::RTSPVersionNotSupported,
            Self::LineTooLong
            | Self::HeadTooLong
            | Self::ContentLength { .. }
            | Self::Malformed { .. } => StatusCode::BadRequest,
        }
    }
}

/// Cuts a byte stream into messages and interleaved frames, however it arrives.
///
/// [`push`](Self::push) what has arrived, then call [`next`](Self::next) until it gives `None`:
/// what stays behind is part of one message, and no more than [`MAX_HEAD`] and [`MAX_BODY`]
/// allow. An error is final: everything after it is ignored.
///
/// Lines may end in CR LF or LF alone, and empty lines before a message are passed over.
#[derive(Debug, Default)]
pub struct MessageBuffer {
    unread: BytesMut,
    progress: Progress,
    failed: Option<FramingError>,
}

/// How far the message at the front of the buffer is known, so that no byte is looked at twice
/// however slowly it trickles in.
#[derive(Debug)]
enum Progress {
    /// Looking for the empty line: up to `scanned` there is none, and the line that is being read
    /// begins at `line`.
    Head { scanned: usize, line: usize },
    /// Waiting for as many bytes of body as this head announces.
    Body(Head),
}

impl Default for Progress {
    fn default() -> Self {
        Self::Head { scanned: 0, line: 0 }
    }
}

impl MessageBuffer {
    /// An empty buffer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes of the stream.
    pub fn push(&mut self, data: &[u8]) {
        if self.failed.is_none() {
            self.unread.extend_from_slice(data);
        }
    }

    /// The next message, or `None` until more bytes come.
    ///
    /// # Errors
    ///
    /// [`FramingError`], from then on always the same.
    #[expect(clippy::should_implement_trait, reason = "it is an iterator only between pushes")]
    pub fn next(&mut self) -> Result<Option<Incoming>, FramingError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.read().inspect_err(|error| {
            self.failed = Some(error.clone());
            self.unread = BytesMut::new();
        })
    }

    /// Bytes that wait for the rest of their message.
    pub fn buffered(&self) -> usize {
        self.unread.len()
    }

    fn read(&mut self) -> Result<Option<Incoming>, FramingError> {
        if matches!(self.progress, Progress::Head { scanned: 0, .. }) {
            self.skip_empty_lines();
            if self.unread.first() == Some(&b'$') {
                return Ok(self.read_interleaved());
            }
        }
        if let Progress::Head { scanned, line } = self.progress {
            let Some(end) = self.find_end_of_head(scanned, line)? else {
                return Ok(None);
            };
            self.progress = Progress::Body(Head::read(&self.unread[..end])?);
            self.unread.advance(end);
        }
        self.read_message()
    }

    fn skip_empty_lines(&mut self) {
        let empty = self.unread.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        self.unread.advance(empty);
    }

    fn read_interleaved(&mut self) -> Option<Incoming> {
        let &[_, channel, high, low] = self.unread.first_chunk::<INTERLEAVED_HEADER>()?;
        let length = usize::from(u16::from_be_bytes([high, low]));
        let end = INTERLEAVED_HEADER + length;
        let data = Bytes::copy_from_slice(self.unread.get(INTERLEAVED_HEADER..end)?);
        self.unread.advance(end);
        Some(Incoming::Interleaved { channel, data })
    }

    /// Looks for the empty line that ends the head, and tells where the body begins.
    fn find_end_of_head(
        &mut self,
        mut scanned: usize,
        mut line: usize,
    ) -> Result<Option<usize>, FramingError> {
        while let Some(found) = self.unread[scanned..].iter().position(|byte| *byte == b'\n') {
            let end = scanned + found;
            let content = self.unread[line..end].strip_suffix(b"\r");
            let length = content.map_or(end - line, <[u8]>::len);
            if length > MAX_LINE {
                return Err(FramingError::LineTooLong);
            }
            (scanned, line) = (end + 1, end + 1);
            if line > MAX_HEAD {
                return Err(FramingError::HeadTooLong);
            }
            if length == 0 {
                return Ok(Some(line));
            }
        }
        scanned = self.unread.len();
        // One byte more may be the CR of the line end that is still to come.
        if scanned - line > MAX_LINE + 1 {
            return Err(FramingError::LineTooLong);
        }
        if scanned > MAX_HEAD {
            return Err(FramingError::HeadTooLong);
        }
        self.progress = Progress::Head { scanned, line };
        Ok(None)
    }

    fn read_message(&mut self) -> Result<Option<Incoming>, FramingError> {
        let Progress::Body(head) = &self.progress else {
            return Ok(None);
        };
        let Some(body) = self.unread.get(..head.body_length) else {
            return Ok(None);
        };
        let message = [head.text.as_bytes(), body].concat();
        let malformed = || FramingError::Malformed { line: head.start_line() };
        let incoming = match Message::parse(&message) {
            Ok((Message::Request(request), used)) if used == message.len() => {
                Incoming::Request(request)
            }
            Ok((Message::Response(response), used)) if used == message.len() => {
                Incoming::Response(response)
            }
            _ => return Err(malformed()),
        };
        self.unread.advance(head.body_length);
        self.progress = Progress::default();
        Ok(Some(incoming))
    }
}
