//! What a receiver decodes next: where its playback stands, as one tells a sender that runs ahead
//! of it (NADU, 3GPP TS 26.234, section 6.2.3.2: an APP packet of RFC 3550, section 6.7).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |V=2|P|subtype=0|  PT=APP=204   |             length            |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                  SSRC of packet sender                        |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                         name = "PSS0"                         |
//! +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
//! |                  SSRC of media source                         |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |         playout delay         |     next sequence number      |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |      reserved       |   NUN   |       free buffer space       |
//! +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
//! |                   further media sources                       |
//! ```
//!
//! The delay is in milliseconds, the space in blocks of 64 bytes. Which unit of the packet is next
//! (NUN) is not told: a packet is what is decoded.

use std::time::Duration;

use rtcp_types::{App, RtcpPacketParser as _};

use crate::rtp::{Sequence, Ssrc};

/// The name of the packet.
const NAME: &str = "PSS0";

/// Stands for a delay that is not known.
const UNKNOWN: u16 = 0xFFFF;

/// Bytes of one unit in which space is told.
const SPACE_UNIT: usize = 64;

/// Where playback of a stream stands.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct NextUnit {
    /// Who plays it.
    pub sender: Ssrc,
    /// Whose stream it is.
    pub media: Ssrc,
    /// The packet that is decoded next; it may not have come yet.
    pub sequence: Sequence,
    /// In how long it is played, to the millisecond; the longest that can be told is 65,534 ms.
    /// `None` where that is not known.
    pub delay: Option<Duration>,
    /// How many bytes there is room for, in full blocks of 64; the most that can be told is 4 MiB.
    pub space: usize,
}

impl NextUnit {
    /// Reads an APP packet; nothing of one with another name.
    pub(super) fn parse(packet: &[u8]) -> Vec<Self> {
        let Ok(app) = App::parse(packet) else { return Vec::new() };
        if app.name() != NAME.as_bytes() {
            return Vec::new();
        }
        let sender = Ssrc(app.ssrc());
        app.data().as_chunks::<12>().0.iter().map(|block| Self::read(sender, block)).collect()
    }

    fn read(sender: Ssrc, block: &[u8; 12]) -> Self {
        let &[a, b, c, d, delay_high, delay_low, high, low, _, _, space_high, space_low] = block;
        let delay = u16::from_be_bytes([delay_high, delay_low]);
        let space = u16::from_be_bytes([space_high, space_low]);
        Self {
            sender,
            media: Ssrc(u32::from_be_bytes([a, b, c, d])),
            sequence: Sequence(u16::from_be_bytes([high, low])),
            delay: (delay != UNKNOWN).then(|| Duration::from_millis(delay.into())),
            space: usize::from(space) * SPACE_UNIT,
        }
    }

    /// Appends the body of the packet.
    pub(super) fn write(&self, body: &mut Vec<u8>) {
        let most = u128::from(UNKNOWN - 1);
        let delay = self.delay.map_or(UNKNOWN, |delay| delay.as_millis().min(most) as u16);
        let space = u16::try_from(self.space / SPACE_UNIT).unwrap_or(u16::MAX);
        body.extend(self.sender.0.to_be_bytes());
        body.extend(NAME.as_bytes());
        body.extend(self.media.0.to_be_bytes());
        body.extend(delay.to_be_bytes());
        body.extend(self.sequence.0.to_be_bytes());
        body.extend([0, 0]);
        body.extend(space.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ReceiverReport, RtcpPacket, parse_compound, write_compound};
    use super::*;

    const NEXT: NextUnit = NextUnit {
        sender: Ssrc(1),
        media: Ssrc(2),
        sequence: Sequence(65_535),
        delay: Some(Duration::from_millis(258)),
        space: 3 * 64,
    };

    fn carried(next: NextUnit) -> Vec<RtcpPacket> {
        let report = ReceiverReport { ssrc: Ssrc(1), blocks: Vec::new() };
        let compound = [RtcpPacket::ReceiverReport(report), RtcpPacket::NextUnit(next)];
        parse_compound(&write_compound(&compound)).unwrap().split_off(1)
    }

    #[test]
    fn what_is_decoded_next_stands_where_the_standard_has_it() {
        let report = ReceiverReport { ssrc: Ssrc(1), blocks: Vec::new() };
        let compound = [RtcpPacket::ReceiverReport(report), RtcpPacket::NextUnit(NEXT)];
        let head = [0x80, 204, 0, 5, 0, 0, 0, 1, b'P', b'S', b'S', b'0'];
        let block = [0, 0, 0, 2, 1, 2, 0xFF, 0xFF, 0, 0, 0, 3];
        assert_eq!(write_compound(&compound)[8..], [head, block].concat());
    }

    #[test]
    fn what_is_written_is_read_as_far_as_it_can_be_told() {
        assert_eq!(carried(NEXT), [RtcpPacket::NextUnit(NEXT)]);
        let unknown = NextUnit { delay: None, ..NEXT };
        assert_eq!(carried(unknown), [RtcpPacket::NextUnit(unknown)]);
        let much = NextUnit { delay: Some(Duration::MAX), space: usize::MAX, ..NEXT };
        let told =
            NextUnit { delay: Some(Duration::from_millis(65_534)), space: 65_535 * 64, ..NEXT };
        assert_eq!(carried(much), [RtcpPacket::NextUnit(told)]);
    }

    #[test]
    fn several_streams_are_told_of_in_one_packet_and_other_applications_say_nothing() {
        let report = [0x80, 201, 0, 1, 0, 0, 0, 1];
        let head = [0x80, 204, 0, 8, 0, 0, 0, 1];
        let block = |media| [0, 0, 0, media, 1, 2, 0xFF, 0xFF, 0, 0, 0, 3];
        let packet = |name: &[u8]| [&report[..], &head, name, &block(2), &block(7)].concat();
        let other = NextUnit { media: Ssrc(7), ..NEXT };
        let read = parse_compound(&packet(b"PSS0")).unwrap().split_off(1);
        assert_eq!(read, [RtcpPacket::NextUnit(NEXT), RtcpPacket::NextUnit(other)]);
        let read = parse_compound(&packet(b"ELSE")).unwrap().split_off(1);
        assert_eq!(read, [RtcpPacket::Other { packet_type: 204 }]);
    }
}
