//! The fields of the fixed header (RFC 3550, section 5.1), each a type of its own.

use std::fmt;

/// The synchronisation source: who sent a packet.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug, Default)]
pub struct Ssrc(pub u32);

impl fmt::Display for Ssrc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x}", self.0)
    }
}

/// The sequence number: one more for each packet, modulo 2^16.
///
/// It has no order of its own, because it wraps: ask for the [`distance`](Self::distance), or
/// unroll it with a [`SequenceUnroller`](super::SequenceUnroller).
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug, Default)]
pub struct Sequence(pub u16);

impl Sequence {
    /// The sequence number of the packet that follows.
    pub const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }

    /// The sequence number of the packet before.
    pub const fn previous(self) -> Self {
        Self(self.0.wrapping_sub(1))
    }

    /// How many packets this one comes after `other`; negative if it comes before.
    ///
    /// Of the two ways around the circle, the shorter; half a circle counts as before.
    pub const fn distance(self, other: Self) -> i16 {
        self.0.wrapping_sub(other.0) as i16
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The RTP timestamp: the sampling instant of the payload's first octet, in ticks of the media
/// clock from a random origin, modulo 2^32.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug, Default)]
pub struct RtpTimestamp(pub u32);

impl RtpTimestamp {
    /// The timestamp `ticks` later, or earlier if negative.
    pub const fn offset(self, ticks: i64) -> Self {
        Self(self.0.wrapping_add(ticks as u32))
    }

    /// How many ticks this one comes after `other`; negative if it comes before.
    ///
    /// Of the two ways around the circle, the shorter; half a circle counts as before.
    pub const fn distance(self, other: Self) -> i32 {
        self.0.wrapping_sub(other.0) as i32
    }
}

impl fmt::Display for RtpTimestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The payload type: how to read the payload, 0 to 127 (RFC 3551 for the static ones).
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug)]
pub struct PayloadType(u8);

impl PayloadType {
    /// PCMU, one channel, 8 kHz (RFC 3551, section 6).
    pub const PCMU: Self = Self(0);
    /// PCMA, one channel, 8 kHz (RFC 3551, section 6).
    pub const PCMA: Self = Self(8);
    /// L16, two channels, 44.1 kHz (RFC 3551, section 6).
    pub const L16_STEREO: Self = Self(10);
    /// L16, one channel, 44.1 kHz (RFC 3551, section 6).
    pub const L16_MONO: Self = Self(11);

    /// The payload type `number`, or `None` above 127.
    pub const fn new(number: u8) -> Option<Self> {
        if number < 128 { Some(Self(number)) } else { None }
    }

    /// The lower seven bits of `octet`: the payload type in the second octet of a packet.
    pub(super) const fn of_octet(octet: u8) -> Self {
        Self(octet & 0x7F)
    }

    /// The number on the wire.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl fmt::Display for PayloadType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_goes_the_shorter_way_round_the_circle() {
        assert_eq!(Sequence(2).distance(Sequence(65_534)), 4);
        assert_eq!(Sequence(65_534).distance(Sequence(2)), -4);
        assert_eq!(Sequence(32_767).distance(Sequence(0)), 32_767);
        assert_eq!(Sequence(32_768).distance(Sequence(0)), -32_768);
        assert_eq!(RtpTimestamp(5).distance(RtpTimestamp(u32::MAX)), 6);
        assert_eq!(RtpTimestamp(5).offset(-6), RtpTimestamp(u32::MAX));
    }

    #[test]
    fn payload_types_end_at_127() {
        assert_eq!(PayloadType::new(127).map(PayloadType::get), Some(127));
        assert_eq!(PayloadType::new(128), None);
    }
}
