//! How urgently a data unit wants to be delivered, and on which half of an RTP session it travels.

/// The delivery class of a packet, and with it its mark on the wire (RFC 2474, RFC 4594).
///
/// *Isochronous* streams have a bounded maximum and minimum delay, *synchronous* ones a bounded
/// maximum, *asynchronous* ones no deadline at all. Repair is isochronous too, but gives way to
/// what it repairs.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug)]
pub enum DeliveryClass {
    /// Audio: late is lost.
    Isochronous,
    /// Repair symbols and retransmissions of isochronous units.
    Repair,
    /// Subtitles and control: late is bad, lost is worse.
    Synchronous,
    /// Files and catalogues: whenever it suits.
    Asynchronous,
}

impl DeliveryClass {
    /// The differentiated services code point, six bits (RFC 4594, section 2.3).
    pub const fn dscp(self) -> u8 {
        match self {
            Self::Isochronous => 46, // EF
            Self::Repair => 34,      // AF41
            Self::Synchronous => 26, // AF31
            Self::Asynchronous => 0, // default forwarding
        }
    }
}

/// The two protocols of an RTP session: on UDP a port each, on QUIC one flow (RFC 5761).
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug)]
pub enum Channel {
    /// Data units and repair.
    Rtp,
    /// Reports and feedback.
    Rtcp,
}
