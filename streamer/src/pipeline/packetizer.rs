//! Units become RTP packets.

use bytes::Bytes;
use cantus_qos::payload::MediaUnit;
use cantus_qos::rtp::{
    AbsSendTime, ExtensionId, PayloadType, RtpPacket, RtpTimestamp, Sequence, Ssrc,
};
use cantus_qos::time::{ClockRate, MediaTime, NtpTime};
use rand::Rng;

/// Numbers and stamps the units of one stream (RFC 3550, section 5.1).
#[derive(Clone, Debug)]
pub struct Packetizer {
    payload_type: PayloadType,
    ssrc: Ssrc,
    rate: ClockRate,
    /// The timestamp of media time zero.
    base: RtpTimestamp,
    next: Sequence,
    marker: bool,
    send_time_id: Option<ExtensionId>,
    packets: u32,
    octets: u32,
}

/// The random beginnings that RFC 3550 asks for.
#[derive(Copy, Clone, Debug)]
pub struct StreamSeed {
    /// Source identifier.
    pub ssrc: Ssrc,
    /// First sequence number.
    pub sequence: Sequence,
    /// Timestamp of media time zero.
    pub timestamp: RtpTimestamp,
}

impl StreamSeed {
    /// Another each time.
    pub fn random(random: &mut impl Rng) -> Self {
        Self {
            ssrc: Ssrc(random.next_u32()),
            sequence: Sequence(random.next_u32() as u16),
            timestamp: RtpTimestamp(random.next_u32()),
        }
    }
}

impl Packetizer {
    /// A stream that begins as `seed` says. With `send_time_id` packets say when they left.
    pub fn new(
        payload_type: PayloadType,
        rate: ClockRate,
        seed: StreamSeed,
        send_time_id: Option<ExtensionId>,
    ) -> Self {
        Self {
            payload_type,
            ssrc: seed.ssrc,
            rate,
            base: seed.timestamp,
            next: seed.sequence,
            marker: true,
            send_time_id,
            packets: 0,
            octets: 0,
        }
    }

    /// The packet that carries `unit`, leaving at `sent` by our wall clock; `None` is its nominal
    /// instant, which the listener knows: to say so again would cost eight bytes a packet.
    pub fn packetize(&mut self, unit: MediaUnit, sent: Option<NtpTime>) -> Bytes {
        let packet = RtpPacket {
            payload_type: self.payload_type,
            marker: std::mem::take(&mut self.marker),
            sequence: self.next,
            timestamp: self.timestamp(unit.media_time),
            ssrc: self.ssrc,
            send_time: sent.filter(|_| self.send_time_id.is_some()).map(AbsSendTime::from_ntp),
            payload: unit.data,
        };
        self.next = Sequence(self.next.0.wrapping_add(1));
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(packet.payload.len() as u32);
        packet.write(self.send_time_id)
    }

    /// The next packet begins a talkspurt (RFC 3551, section 4.1).
    pub fn mark_next(&mut self) {
        self.marker = true;
    }

    /// The rate of the timestamps.
    pub fn rate(&self) -> ClockRate {
        self.rate
    }

    /// The source identifier of the stream.
    pub fn ssrc(&self) -> Ssrc {
        self.ssrc
    }

    /// The sequence number that the next packet gets.
    pub fn next_sequence(&self) -> Sequence {
        self.next
    }

    /// The timestamp of `media_time`.
    pub fn timestamp(&self, media_time: MediaTime) -> RtpTimestamp {
        RtpTimestamp(self.base.0.wrapping_add(media_time.ticks(self.rate) as u32))
    }

    /// Packets and payload octets sent so far, as sender reports count them.
    pub fn sent(&self) -> (u32, u32) {
        (self.packets, self.octets)
    }
}
