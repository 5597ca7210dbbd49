//! Retransmission packets (RFC 4588, section 4).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! | RTP header: SSRC, sequence numbers and payload type of its own |
//! |             everything else, extensions too, as it was         |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |            OSN                |                               |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+                               |
//! |                  original payload                             |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```
//!
//! What is sent again is the packet as it was on the wire, with the footer of its repair scheme if
//! it has one, for that stands where the payload ends. [`restore`] gives the very same bytes back,
//! so that a code that has come to know the packet by them can still use it.

use bytes::{BufMut, Bytes, BytesMut};

use crate::rtp::{PayloadType, RtpPacket, Sequence, Ssrc};

/// Octets of the original sequence number (OSN).
const OSN_LEN: usize = 2;

/// Makes the retransmission packets of one stream.
#[derive(Clone, Debug)]
pub struct RtxStream {
    payload_type: PayloadType,
    ssrc: Ssrc,
    next: Sequence,
}

impl RtxStream {
    /// Bytes that a retransmission packet has more than the original.
    pub const OVERHEAD: usize = OSN_LEN;

    /// A stream of retransmissions, with a source and numbers of its own (section 5.3).
    pub const fn new(payload_type: PayloadType, ssrc: Ssrc, first: Sequence) -> Self {
        Self { payload_type, ssrc, next: first }
    }

    /// The packet that sends `original` once more; `None` where that is no RTP packet.
    pub fn wrap(&mut self, original: &[u8]) -> Option<Bytes> {
        let header = header_length(original)?;
        let mut packet = BytesMut::with_capacity(original.len() + OSN_LEN);
        packet.put_u8(original[0]);
        packet.put_u8(original[1] & 0x80 | self.payload_type.get());
        packet.put_u16(self.next.0);
        packet.put_slice(&original[4..8]);
        packet.put_u32(self.ssrc.0);
        packet.put_slice(&original[RtpPacket::HEADER_LEN..header]);
        packet.put_slice(&original[2..4]);
        packet.put_slice(&original[header..]);
        self.next = self.next.next();
        Some(packet.freeze())
    }
}

/// The payload type of an RTP packet; `None` where it is too short to have one.
pub fn payload_type(packet: &[u8]) -> Option<PayloadType> {
    PayloadType::new(packet.get(1)? & 0x7F)
}

/// The original of a retransmission packet, as `media` had sent it; `None` where there is none.
pub fn restore(packet: &[u8], media: (PayloadType, Ssrc)) -> Option<Bytes> {
    let header = header_length(packet)?;
    let (osn, payload) = packet[header..].split_first_chunk::<OSN_LEN>()?;
    let (payload_type, ssrc) = media;
    let mut original = BytesMut::with_capacity(packet.len() - OSN_LEN);
    original.put_u8(packet[0]);
    original.put_u8(packet[1] & 0x80 | payload_type.get());
    original.put_slice(osn);
    original.put_slice(&packet[4..8]);
    original.put_u32(ssrc.0);
    original.put_slice(&packet[RtpPacket::HEADER_LEN..header]);
    original.put_slice(payload);
    Some(original.freeze())
}

/// Bytes of the whole header: contributing sources and extension included.
fn header_length(packet: &[u8]) -> Option<usize> {
    let first = *packet.first().filter(|first| *first >> 6 == 2)?;
    let fixed = RtpPacket::HEADER_LEN + 4 * usize::from(first & 0x0F);
    let has_extension = first & 0x10 != 0;
    let length = match packet.get(fixed..fixed + 4) {
        Some(&[_, _, high, low]) if has_extension => {
            fixed + 4 + 4 * usize::from(u16::from_be_bytes([high, low]))
        }
        None if has_extension => return None,
        _ => fixed,
    };
    (packet.len() >= length).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::{AbsSendTime, ExtensionId, RtpTimestamp};
    use crate::time::NtpTime;
    use proptest::prelude::*;

    const MEDIA: (u8, Ssrc) = (96, Ssrc(0x0708_090A));

    fn media() -> (PayloadType, Ssrc) {
        (PayloadType::new(MEDIA.0).unwrap(), MEDIA.1)
    }

    fn stream() -> RtxStream {
        RtxStream::new(PayloadType::new(97).unwrap(), Ssrc(0xAAAA_BBBB), Sequence(65_535))
    }

    fn packet(sequence: u16, send_time: bool, payload: &[u8]) -> Bytes {
        let packet = RtpPacket {
            payload_type: media().0,
            marker: sequence.is_multiple_of(2),
            sequence: Sequence(sequence),
            timestamp: RtpTimestamp(0x0304_0506),
            ssrc: MEDIA.1,
            send_time: send_time.then(|| AbsSendTime::from_ntp(NtpTime::from_bits(1 << 40))),
            payload: Bytes::copy_from_slice(payload),
        };
        packet.write(ExtensionId::new(1))
    }

    #[test]
    fn the_bytes_are_those_of_rfc_4588() {
        let mut stream = stream();
        let again = stream.wrap(&packet(0x0102, false, &[0xEE, 0xFF])).unwrap();
        let expected =
            [0x80, 0x80 | 97, 0xFF, 0xFF, 3, 4, 5, 6, 0xAA, 0xAA, 0xBB, 0xBB, 1, 2, 0xEE, 0xFF];
        assert_eq!(again[..], expected);
        let next = stream.wrap(&packet(0x0103, false, &[])).unwrap();
        assert_eq!(next[2..4], [0, 0], "numbers of its own go on, across the wrap");
    }

    #[test]
    fn the_extension_stays_where_it_was() {
        let original = packet(5, true, &[1, 2, 3]);
        let again = stream().wrap(&original).unwrap();
        assert_eq!(again[12..20], original[12..20]);
        let read = RtpPacket::parse(again, ExtensionId::new(1)).unwrap();
        assert!(read.send_time.is_some());
        assert_eq!(read.payload[..], [0, 5, 1, 2, 3]);
    }

    proptest! {
        #[test]
        fn what_is_sent_again_is_restored_to_the_last_byte(
            sequence: u16, send_time: bool, payload: Vec<u8>,
        ) {
            let original = packet(sequence, send_time, &payload);
            let again = stream().wrap(&original).unwrap();
            prop_assert_eq!(again.len(), original.len() + RtxStream::OVERHEAD);
            prop_assert_eq!(restore(&again, media()), Some(original));
        }

        #[test]
        fn no_bytes_make_it_panic(mut data: Vec<u8>, version_2: bool) {
            if let (Some(first), true) = (data.first_mut(), version_2) {
                *first = *first & 0x3F | 0x80;
            }
            if let Some(original) = restore(&data, media()) {
                prop_assert_eq!(original.len() + OSN_LEN, data.len());
            }
            if let Some(again) = stream().wrap(&data) {
                prop_assert_eq!(again.len(), data.len() + OSN_LEN);
            }
        }
    }
}
