//! RTP: the packets that carry data units (RFC 3550, section 5).
//!
//! An [`RtpPacket`] names its sender ([`Ssrc`]), its place in the stream ([`Sequence`]), the
//! sampling instant of its payload ([`RtpTimestamp`]) and how to read the payload
//! ([`PayloadType`]). Cantus packets also say when they were sent ([`AbsSendTime`], in a header
//! extension), because a streamer that runs ahead of the media clock does not send at the instant
//! that the timestamp stands for.
//!
//! Sequence numbers and timestamps wrap around. [`SequenceUnroller`] and [`TimestampUnroller`]
//! turn them into numbers that do not, and everything behind the depacketizer works with those.
//! [`SourceValidator`] decides whether a packet belongs to a running stream at all.
//!
//! `rtp-types` reads and writes the bytes; what they mean is here.

mod extension;
mod header;
mod packet;
mod send_time;
mod unroll;
mod validator;

pub use extension::ExtensionId;
pub use header::{PayloadType, RtpTimestamp, Sequence, Ssrc};
pub use packet::{RtpError, RtpPacket};
pub use send_time::AbsSendTime;
pub use unroll::{SequenceUnroller, TimestampUnroller};
pub use validator::{SourceValidator, Verdict};
