//! RTSP 1.0 (RFC 2326): messages out of a byte stream, and the headers that carry our business.
//!
//! The messages themselves are those of the `rtsp-types` crate. This room adds what a connection
//! with strangers needs: framing with hard limits ([`MessageBuffer`]), and typed headers as real
//! clients write them ([`Transport`], [`NptRange`], [`RtpInfo`], [`SessionHeader`]). Unknown
//! methods are kept, so that a server can answer them with 501; so are unknown headers, unless
//! their name begins like that of a known one (`Accept-Language`): `rtsp-types` cannot tell these
//! apart, and we must not write both either.
//!
//! The same messages travel over TCP and on flow 0 of a QUIC connection
//! ([`FlowId::CONTROL`](crate::roq::FlowId::CONTROL)).

mod framing;
mod head;
mod login;
mod names;
mod range;
mod rtp_info;
mod session;
#[cfg(test)]
mod tests;
mod transport;

use std::sync::LazyLock;

use bytes::{BufMut, Bytes, BytesMut};
use rtsp_types::{HeaderName, Request, Response};

pub use framing::{FramingError, Incoming, MAX_BODY, MAX_HEAD, MAX_LINE, MessageBuffer};
pub use login::{Algorithm, Challenge, Credentials, DigestAnswer};
pub use range::{NptRange, NptStart};
pub use rtp_info::RtpInfo;
pub use session::SessionHeader;
pub use transport::{Profile, Transport, TransportHeader};

/// The feature tag that a client names in `Supported` to be offered repair, subtitles and header
/// extensions.
pub const FEATURE: &str = "cantus.media";

/// `Cantus-QoS`: in a SETUP request the wished [`QosSpec`](crate::spec::QosSpec), in the answer
/// the granted one.
pub static CANTUS_QOS: LazyLock<HeaderName> = LazyLock::new(|| our_header("Cantus-QoS"));

/// `Cantus-FEC`: the wished [`Protection`](crate::spec::Protection), in the answer the granted one.
pub static CANTUS_FEC: LazyLock<HeaderName> = LazyLock::new(|| our_header("Cantus-FEC"));

/// `Cantus-Clock`: in the answer to PLAY, the sender's wall clock at the start of the range, as the
/// 64 bits of an NTP timestamp in hexadecimal. The first sender report says the same, but may be
/// lost.
pub static CANTUS_CLOCK: LazyLock<HeaderName> = LazyLock::new(|| our_header("Cantus-Clock"));

fn our_header(name: &'static str) -> HeaderName {
    HeaderName::from_static_str(name).expect("the names of our headers are ASCII")
}

/// A header whose value is not what its definition asks for.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{header}: `{value}`: {reason}")]
pub struct HeaderError {
    /// The name of the header.
    pub header: &'static str,
    /// Its value, cut to its first characters.
    pub value: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl HeaderError {
    fn new(header: &'static str, value: &str, reason: &'static str) -> Self {
        Self { header, value: crate::quantity::excerpt(value), reason }
    }
}

/// The bytes of a request.
pub fn write_request<B: AsRef<[u8]>>(request: &Request<B>) -> Bytes {
    let mut out = Vec::new();
    request.write(&mut out).expect("a vector takes every byte");
    out.into()
}

/// The bytes of a response.
pub fn write_response<B: AsRef<[u8]>>(response: &Response<B>) -> Bytes {
    let mut out = Vec::new();
    response.write(&mut out).expect("a vector takes every byte");
    out.into()
}

/// The bytes of an interleaved frame (RFC 2326, section 10.12); `None` where `data` is longer
/// than the 65,535 bytes that its length field can tell.
pub fn write_interleaved(channel: u8, data: &[u8]) -> Option<Bytes> {
    let length = u16::try_from(data.len()).ok()?;
    let mut out = BytesMut::with_capacity(framing::INTERLEAVED_HEADER + data.len());
    out.put_u8(b'$');
    out.put_u8(channel);
    out.put_u16(length);
    out.put_slice(data);
    Some(out.freeze())
}
