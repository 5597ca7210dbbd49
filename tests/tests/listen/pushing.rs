//! RTP as others push it, from the test itself.

use std::time::Duration;

use bytes::Bytes;
use cantus_qos::payload::{AudioFormat, l16};
use cantus_qos::rtcp::{self, RtcpPacket, SenderReport};
use cantus_qos::rtp::{PayloadType, RtpPacket, RtpTimestamp, Sequence, Ssrc};
use cantus_qos::time::NtpTime;
use tokio::net::UdpSocket;

const SSRC: Ssrc = Ssrc(0x5eed);

/// What is pushed: octets cut into packets, so many samples each.
pub(crate) struct Push {
    pub(crate) payload_type: u8,
    pub(crate) format: AudioFormat,
    /// Payload and frames of each packet.
    pub(crate) packets: Vec<(Bytes, usize)>,
    /// By how much later than it should each packet is sent.
    pub(crate) late: fn(usize) -> Duration,
}

impl Push {
    /// Linear samples in packets of so many frames, again and again.
    pub(crate) fn l16(
        payload_type: u8,
        format: AudioFormat,
        samples: &[i16],
        lengths: &[usize],
    ) -> Self {
        let channels = usize::from(format.channels);
        let mut rest = samples;
        let packets = lengths.iter().cycle().map_while(|frames| {
            let (packet, left) = rest.split_at((frames * channels).min(rest.len()));
            rest = left;
            (!packet.is_empty()).then(|| (l16::encode(packet), packet.len() / channels))
        });
        let packets = packets.collect();
        Self { payload_type, format, packets, late: |_| Duration::ZERO }
    }

    /// Sends it to `port`, packet by packet in time, reports to the port after it, and says goodbye
    /// at the end. Gives the reports that came back.
    pub(crate) async fn to(self, port: u16) -> Vec<RtcpPacket> {
        let rtp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let rtcp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let start = tokio::time::interval(Duration::from_millis(1)).tick().await;
        let (mut frames, mut octets) = (0, 0);
        for (index, (payload, length)) in self.packets.iter().enumerate() {
            let at = self.format.duration(frames).to_duration();
            tokio::time::sleep_until(start + at + (self.late)(index)).await;
            let packet = RtpPacket {
                payload_type: PayloadType::new(self.payload_type).unwrap(),
                marker: index == 0,
                sequence: Sequence(65_500_u16.wrapping_add(index as u16)),
                timestamp: RtpTimestamp(u32::MAX - 9_999).plus(frames),
                ssrc: SSRC,
                send_time: None,
                payload: payload.clone(),
            };
            if index % 50 == 0 {
                let report = self.report(packet.timestamp, (index, octets), false);
                rtcp.send_to(&report, ("127.0.0.1", port + 1)).await.unwrap();
            }
            rtp.send_to(&packet.write(None), ("127.0.0.1", port)).await.unwrap();
            frames += length;
            octets += payload.len();
        }
        let timestamp = RtpTimestamp(u32::MAX - 9_999).plus(frames);
        let goodbye = self.report(timestamp, (self.packets.len(), octets), true);
        rtcp.send_to(&goodbye, ("127.0.0.1", port + 1)).await.unwrap();
        let mut came = Vec::new();
        let mut buffer = vec![0; 2_048];
        while let Ok(length) = rtcp.try_recv(&mut buffer) {
            came.extend(rtcp::parse_compound(&buffer[..length]).unwrap());
        }
        came
    }

    fn report(&self, rtp: RtpTimestamp, (packets, octets): (usize, usize), bye: bool) -> Bytes {
        let report = SenderReport {
            ssrc: SSRC,
            ntp: NtpTime::from_unix(Duration::from_secs(1_800_000_000)),
            rtp,
            packets: packets as u32,
            octets: octets as u32,
            blocks: vec![],
        };
        let mut compound = vec![
            RtcpPacket::SenderReport(report),
            RtcpPacket::SourceDescription { ssrc: SSRC, cname: "push@test".to_owned() },
        ];
        if bye {
            compound.push(RtcpPacket::Bye { ssrcs: vec![SSRC], reason: None });
        }
        rtcp::write_compound(&compound)
    }
}

trait Plus {
    fn plus(self, ticks: usize) -> Self;
}

impl Plus for RtpTimestamp {
    fn plus(self, ticks: usize) -> Self {
        Self(self.0.wrapping_add(ticks as u32))
    }
}
