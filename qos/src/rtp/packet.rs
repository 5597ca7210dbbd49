//! One RTP packet with what its fields mean.

use bytes::Bytes;
use thiserror::Error;

use super::extension::{self, ONE_BYTE_FORM};
use super::{AbsSendTime, ExtensionId, PayloadType, RtpTimestamp, Sequence, Ssrc};

/// Why bytes are not an RTP packet (RFC 3550, appendix A.1).
#[derive(Copy, Clone, Eq, PartialEq, Debug, Error)]
pub enum RtpError {
    /// The version is not 2.
    #[error("RTP version {version} instead of 2")]
    Version {
        /// The version in the packet, 0 to 3.
        version: u8,
    },
    /// The packet ends before its header, or the padding it claims, does.
    #[error("RTP packet of {actual} bytes, but its header and padding take {expected}")]
    Truncated {
        /// Bytes that the packet would need at least.
        expected: usize,
        /// Bytes that there are.
        actual: usize,
    },
    /// The padding bit is set, but the count of padding bytes is zero.
    #[error("RTP packet with padding of length zero")]
    Padding,
}

impl From<rtp_types::RtpParseError> for RtpError {
    fn from(error: rtp_types::RtpParseError) -> Self {
        use rtp_types::RtpParseError as E;
        match error {
            E::UnsupportedVersion(version) => Self::Version { version },
            E::Truncated { expected, actual } => Self::Truncated { expected, actual },
            E::PaddingInvalid(_) => Self::Padding,
        }
    }
}

/// An RTP packet: a data unit on its way.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct RtpPacket {
    /// How to read the payload.
    pub payload_type: PayloadType,
    /// The marker bit; for audio, the first packet after silence (RFC 3551, section 4.1).
    pub marker: bool,
    /// The place in the stream.
    pub sequence: Sequence,
    /// The sampling instant of the payload.
    pub timestamp: RtpTimestamp,
    /// Who sent the packet.
    pub ssrc: Ssrc,
    /// When the packet was sent, where it says so.
    pub send_time: Option<AbsSendTime>,
    /// The data unit, without padding.
    pub payload: Bytes,
}

impl RtpPacket {
    /// Bytes of the fixed header.
    pub const HEADER_LEN: usize = 12;

    /// Bytes that the extension with the sending time adds to the header.
    pub const SEND_TIME_LEN: usize = 8;

    /// Reads a packet; the payload shares `data`'s memory.
    ///
    /// `send_time_id` is the identifier that `a=extmap` gave to the sending time, if any.
    /// Contributing sources and other header extensions are skipped, padding is removed.
    ///
    /// # Errors
    ///
    /// Where the header checks of RFC 3550, appendix A.1, fail. A header extension that cannot be
    /// read is not an error: the packet then has no sending time.
    pub fn parse(data: Bytes, send_time_id: Option<ExtensionId>) -> Result<Self, RtpError> {
        let packet = rtp_types::RtpPacket::parse(&data)?;
        let start = packet.payload_offset();
        let payload = data.slice(start..start + packet.payload_len());
        let send_time = send_time_id.and_then(|id| {
            let (profile, elements) = packet.extension()?;
            let value = extension::element(profile, elements, id)?;
            value.try_into().ok().map(AbsSendTime::from_wire)
        });
        Ok(Self {
            payload_type: PayloadType::of_octet(packet.payload_type()),
            marker: packet.marker_bit(),
            sequence: Sequence(packet.sequence_number()),
            timestamp: RtpTimestamp(packet.timestamp()),
            ssrc: Ssrc(packet.ssrc()),
            send_time,
            payload,
        })
    }

    /// The packet in bytes, with the sending time under `send_time_id` if both are there.
    pub fn write(&self, send_time_id: Option<ExtensionId>) -> Bytes {
        let element = self.send_time.zip(send_time_id).map(|(time, id)| {
            let [high, middle, low] = time.to_wire();
            [id.get() << 4 | 2, high, middle, low]
        });
        let mut builder = rtp_types::RtpPacketBuilder::<&[u8], &[u8]>::new()
            .payload_type(self.payload_type.get())
            .marker_bit(self.marker)
            .sequence_number(self.sequence.0)
            .timestamp(self.timestamp.0)
            .ssrc(self.ssrc.0)
            .payload(&self.payload);
        if let Some(element) = &element {
            builder = builder.extension(ONE_BYTE_FORM, element);
        }
        let extension_len = if element.is_some() { Self::SEND_TIME_LEN } else { 0 };
        let mut data = Vec::with_capacity(Self::HEADER_LEN + extension_len + self.payload.len());
        // What the builder would check is certain by type: 7 bits of payload type, no
        // contributing sources, no padding, an extension of one whole word.
        builder.write_into_vec_unchecked(&mut data);
        data.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::NtpTime;
    use proptest::prelude::*;

    fn id(number: u8) -> Option<ExtensionId> {
        ExtensionId::new(number)
    }

    fn plain() -> RtpPacket {
        RtpPacket {
            payload_type: PayloadType::new(96).unwrap(),
            marker: true,
            sequence: Sequence(0x0102),
            timestamp: RtpTimestamp(0x0304_0506),
            ssrc: Ssrc(0x0708_090A),
            send_time: None,
            payload: Bytes::from_static(&[0xEE, 0xFF]),
        }
    }

    #[test]
    fn the_bytes_are_those_of_rfc_3550() {
        let data = plain().write(None);
        assert_eq!(data[..], [0x80, 0xE0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0xEE, 0xFF]);
    }

    #[test]
    fn the_sending_time_is_one_element_of_the_one_byte_form() {
        let sent = NtpTime::from_bits(0x0000_0000_8000_0000);
        let packet = RtpPacket { send_time: Some(AbsSendTime::from_ntp(sent)), ..plain() };
        let data = packet.write(id(5));
        assert_eq!(data[0], 0x90);
        assert_eq!(data[12..20], [0xBE, 0xDE, 0, 1, 0x52, 0x02, 0, 0]);
        assert_eq!(data.len(), RtpPacket::HEADER_LEN + RtpPacket::SEND_TIME_LEN + 2);
    }

    #[test]
    fn a_sending_time_under_another_identifier_is_not_read() {
        let packet = RtpPacket { send_time: Some(AbsSendTime::from_wire([1, 2, 3])), ..plain() };
        let data = packet.write(id(5));
        assert_eq!(RtpPacket::parse(data.clone(), id(6)).unwrap().send_time, None);
        assert_eq!(RtpPacket::parse(data, None).unwrap().send_time, None);
    }

    #[test]
    fn padding_and_contributing_sources_do_not_reach_the_payload() {
        let data =
            [&[0xA2, 0x60, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10][..], &[0; 8], &[0xEE, 0xFF], &[0, 0, 3]];
        let packet = RtpPacket::parse(data.concat().into(), None).unwrap();
        assert_eq!(packet.payload[..], [0xEE, 0xFF]);
    }

    #[test]
    fn the_payload_shares_the_memory_of_the_packet() {
        let data = plain().write(None);
        let packet = RtpPacket::parse(data.clone(), None).unwrap();
        assert_eq!(packet.payload.as_ptr(), data[12..].as_ptr());
    }

    #[test]
    fn errors_carry_what_was_wrong() {
        let parse = |data: &[u8]| RtpPacket::parse(Bytes::copy_from_slice(data), None);
        assert_eq!(parse(&[0x80; 11]), Err(RtpError::Truncated { expected: 12, actual: 11 }));
        assert_eq!(parse(&[0x40; 12]), Err(RtpError::Version { version: 1 }));
        let mut padded = [0; 13];
        padded[0] = 0xA0;
        assert_eq!(parse(&padded), Err(RtpError::Padding));
        padded[12] = 2;
        assert_eq!(parse(&padded), Err(RtpError::Truncated { expected: 14, actual: 13 }));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            (payload_type, marker, sequence, timestamp, ssrc) in
                (0u8..128, any::<bool>(), any::<u16>(), any::<u32>(), any::<u32>()),
            time in proptest::option::of(any::<[u8; 3]>()),
            extension in 1u8..15,
            payload: Vec<u8>,
        ) {
            let packet = RtpPacket {
                payload_type: PayloadType::new(payload_type).unwrap(),
                marker,
                sequence: Sequence(sequence),
                timestamp: RtpTimestamp(timestamp),
                ssrc: Ssrc(ssrc),
                send_time: time.map(AbsSendTime::from_wire),
                payload: payload.into(),
            };
            let again = RtpPacket::parse(packet.write(id(extension)), id(extension));
            prop_assert_eq!(again, Ok(packet));
        }

        #[test]
        fn no_bytes_make_the_parser_panic(mut data: Vec<u8>, version_2: bool, extension in 1u8..15) {
            if let (Some(first), true) = (data.first_mut(), version_2) {
                *first = *first & 0x3F | 0x80;
            }
            let length = data.len();
            if let Ok(packet) = RtpPacket::parse(data.into(), id(extension)) {
                prop_assert!(packet.payload.len() + RtpPacket::HEADER_LEN <= length);
            }
        }
    }
}
