//! RTCP: what sender and receiver tell each other about a stream (RFC 3550, section 6).
//!
//! The sender's reports pair its wall clock with the RTP timestamp ([`SenderReport`]); the
//! receiver's say what arrived and how steadily ([`ReportBlock`]). A source description ties the
//! streams of a presentation together by one CNAME, and BYE ends a stream.
//!
//! A [`Nack`] asks for packets again; an [`ExtendedReport`] tells which were lost, and lets a
//! receiver measure the round trip. A [`NextUnit`] tells a sender that runs ahead where playback is.
//!
//! Reports travel in compound packets: [`parse_compound`], [`write_compound`]; feedback that cannot
//! wait for one travels alone (RFC 5506). When the next report is due is the business of
//! [`ReportTimer`]. `rtcp-types` reads and writes the bytes of reports and BYE; what they mean is
//! here.

mod compound;
mod congestion;
mod description;
mod nack;
mod next_unit;
mod report;
mod timer;
mod xr;

pub use compound::{RtcpError, is_rtcp, parse_compound, write_compound};
pub use congestion::{
    Arrived, CongestionFeedback, CongestionFeedbackError, ReportTime, StreamFeedback,
};
pub use nack::Nack;
pub use next_unit::NextUnit;
pub use report::{ReceiverReport, ReportBlock, SenderReport};
pub use timer::{DEFAULT_MINIMUM, ReportTimer, reduced_minimum};
pub use xr::{
    ExtendedReport, JitterBuffer, JitterSummary, LossRle, ReferenceEcho, Run, StatisticsSummary,
    XrBlock,
};

use crate::rtp::Ssrc;

/// One packet out of a compound packet.
#[derive(Clone, Eq, PartialEq, Debug)]
pub enum RtcpPacket {
    /// SR: from one who sends media.
    SenderReport(SenderReport),
    /// RR: from one who only receives.
    ReceiverReport(ReceiverReport),
    /// SDES: the canonical name of a source, the same for all streams of a presentation.
    SourceDescription {
        /// The source that is described.
        ssrc: Ssrc,
        /// Its CNAME, at most 255 bytes on the wire.
        cname: String,
    },
    /// BYE: these sources have ended.
    Bye {
        /// Who leaves.
        ssrcs: Vec<Ssrc>,
        /// Why, in words; at most 255 bytes on the wire.
        reason: Option<String>,
    },
    /// RTPFB with FMT 1: packets are asked for again.
    Nack(Nack),
    /// XR: more about how a stream arrives.
    ExtendedReport(ExtendedReport),
    /// APP of 3GPP: where playback of a stream stands.
    NextUnit(NextUnit),
    /// A packet that is well framed but of no interest here: other feedback, other APP.
    Other {
        /// The packet type on the wire.
        packet_type: u8,
    },
}
