//! The frames that every peer is asked to carry: 240 bytes every 20 ms in RTP, which is Opus at a
//! constant 96 kbit/s, each with its number and the instant at which it was sent.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                    RTP header (RFC 3550, 5.1)                 |
//! |                                                               |
//! |                                                               |
//! +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
//! |                            number                             |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |             sending instant, in nanoseconds of our clock      |
//! |                                                               |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |        228 bytes that follow from the number                  |
//! ```
//!
//! What a peer recovers must be what was sent, to the last byte: a frame that is not is no frame.

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use cantus_qos::rtp::{PayloadType, RtpPacket, RtpTimestamp, Sequence, Ssrc};
use cantus_qos::time::MonoTime;

/// From one frame to the next.
pub const PERIOD: Duration = Duration::from_millis(20);
/// What a frame holds.
const PAYLOAD: usize = 240;
/// What a frame takes on a link without any protection: IP, UDP and RTP headers, and its payload.
pub const BARE: usize = 20 + 8 + RtpPacket::HEADER_LEN + PAYLOAD;
/// The payload type of the frames, of those that are free to be given (RFC 3551, section 6).
pub const PAYLOAD_TYPE: u8 = 96;
/// Samples of a frame at the 48 kHz of Opus (RFC 7587, section 4.1).
const TICKS: u32 = 960;

/// One frame.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Frame {
    /// Its place among all that are sent.
    pub number: u32,
    /// When it was sent.
    pub sent: MonoTime,
}

impl Frame {
    /// The frame as an RTP packet of the source `ssrc`.
    pub fn write(self, ssrc: Ssrc) -> Bytes {
        let mut payload = BytesMut::with_capacity(PAYLOAD);
        payload.put_u32(self.number);
        payload.put_u64(self.sent.as_nanos());
        let filling = PAYLOAD - payload.len();
        payload.extend(filler(self.number).take(filling));
        let packet = RtpPacket {
            payload_type: PayloadType::new(PAYLOAD_TYPE).expect("96 is a payload type"),
            marker: false,
            sequence: Sequence(self.number as u16),
            timestamp: RtpTimestamp(self.number.wrapping_mul(TICKS)),
            ssrc,
            send_time: None,
            payload: payload.freeze(),
        };
        packet.write(None)
    }

    /// The frame in an RTP packet; `None` for anything that is not one, whole and unharmed.
    pub fn read(data: Bytes) -> Option<Self> {
        let payload = RtpPacket::parse(data, None).ok()?.payload;
        let (number, rest) = payload.split_first_chunk::<4>()?;
        let (sent, filling) = rest.split_first_chunk::<8>()?;
        let number = u32::from_be_bytes(*number);
        let whole = payload.len() == PAYLOAD && filler(number).zip(filling).all(|(a, b)| a == *b);
        whole.then_some(Self { number, sent: MonoTime::from_nanos(u64::from_be_bytes(*sent)) })
    }
}

/// Bytes that differ from frame to frame: an exclusive or over the wrong ones shows.
fn filler(number: u32) -> impl Iterator<Item = u8> {
    (0u32..).map(move |place| {
        let mixed = number.wrapping_add(place.wrapping_mul(0x9E37_79B9)).wrapping_mul(0x85EB_CA6B);
        (mixed >> 24) as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Frame = Frame { number: 70_000, sent: MonoTime::from_nanos(1_234_567_890_123) };

    #[test]
    fn a_frame_is_read_as_it_was_written_and_has_the_size_of_opus_at_96_kbit() {
        let data = FRAME.write(Ssrc(7));
        assert_eq!(data.len() + 28, BARE);
        assert_eq!(BARE, 280);
        let packet = RtpPacket::parse(data.clone(), None).unwrap();
        assert_eq!(packet.sequence, Sequence((70_000 - 65_536) as u16));
        assert_eq!((packet.ssrc, packet.payload.len()), (Ssrc(7), 240));
        assert_eq!(Frame::read(data), Some(FRAME));
    }

    #[test]
    fn a_frame_with_one_wrong_bit_is_none() {
        let data = FRAME.write(Ssrc(7));
        // The number and the filling; the instant has nothing to be checked against.
        for place in (12..16).chain(24..data.len()) {
            let mut harmed = data.to_vec();
            harmed[place] ^= 1;
            assert_eq!(Frame::read(harmed.into()), None, "byte {place}");
        }
        for length in 0..data.len() {
            assert_eq!(Frame::read(data.slice(..length)), None);
        }
    }
}
