//! Sender and receiver reports (RFC 3550, section 6.4).

use std::time::Duration;

use rtcp_types::{RtcpPacketParser as _, RtcpParseError};

use crate::rtp::{RtpTimestamp, Ssrc};
use crate::time::NtpTime;

/// What a sender says about the stream that it sends.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct SenderReport {
    /// Who reports.
    pub ssrc: Ssrc,
    /// An instant of the sender's wall clock...
    pub ntp: NtpTime,
    /// ...and the RTP timestamp of the same instant. In Cantus both lie on the nominal timeline
    /// of the presentation, not at the sending instant, which runs ahead in stored mode.
    pub rtp: RtpTimestamp,
    /// Packets sent so far, modulo 2^32.
    pub packets: u32,
    /// Bytes of payload sent so far, without headers and padding, modulo 2^32.
    pub octets: u32,
    /// What the sender received from others.
    pub blocks: Vec<ReportBlock>,
}

/// What a receiver says about the streams that reach it.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct ReceiverReport {
    /// Who reports.
    pub ssrc: Ssrc,
    /// One for each stream.
    pub blocks: Vec<ReportBlock>,
}

/// How well one stream arrived.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub struct ReportBlock {
    /// The stream that is reported on.
    pub ssrc: Ssrc,
    /// Share of the packets lost since the last report, in 1/256.
    pub fraction_lost: u8,
    /// Packets lost since the beginning, 24 bits on the wire; negative if duplicates outnumber
    /// the losses.
    pub cumulative_lost: i32,
    /// The highest sequence number received, with the count of wraps above its sixteen bits.
    pub highest_sequence: u32,
    /// Interarrival jitter, in ticks of the media clock.
    pub jitter: u32,
    /// The middle 32 bits of the NTP time in the last sender report; 0 if there was none.
    pub last_sr: u32,
    /// Time from that report's arrival to this block's departure, in 1/65536 s.
    pub delay_since_sr: u32,
}

impl ReportBlock {
    /// The round trip as the sender of the sender report sees it, when this block reaches it at
    /// `now`: A - LSR - DLSR (section 6.4.1).
    ///
    /// `None` if the receiver had no sender report yet, and if the result would be negative or
    /// beyond nine hours, which only a stepped clock or a broken peer can bring about.
    pub fn round_trip(&self, now: NtpTime) -> Option<Duration> {
        round_trip(now, self.last_sr, self.delay_since_sr)
    }

    fn from_wire(block: &rtcp_types::ReportBlock<'_>) -> Self {
        Self {
            ssrc: Ssrc(block.ssrc()),
            fraction_lost: block.fraction_lost(),
            // 24 bits with a sign: moved to the top, so that shifting back extends it.
            cumulative_lost: ((block.cumulative_lost() << 8) as i32) >> 8,
            highest_sequence: block.extended_sequence_number(),
            jitter: block.interarrival_jitter(),
            last_sr: block.last_sender_report_timestamp(),
            delay_since_sr: block.delay_since_last_sender_report_timestamp(),
        }
    }

    fn to_wire(self) -> rtcp_types::ReportBlockBuilder {
        let lost = self.cumulative_lost.clamp(-(1 << 23), (1 << 23) - 1);
        rtcp_types::ReportBlock::builder(self.ssrc.0)
            .fraction_lost(self.fraction_lost)
            .cumulative_lost(lost as u32 & 0x00FF_FFFF)
            .extended_sequence_number(self.highest_sequence)
            .interarrival_jitter(self.jitter)
            .last_sender_report_timestamp(self.last_sr)
            .delay_since_last_sender_report_timestamp(self.delay_since_sr)
    }
}

/// The round trip of a time stamp that was `sent`, `held` at the other end and is back at `now`, in
/// units of 1/65536 s; `None` if none was sent, or the result cannot be.
pub(super) fn round_trip(now: NtpTime, sent: u32, held: u32) -> Option<Duration> {
    if sent == 0 {
        return None;
    }
    let units = now.middle().wrapping_sub(sent).wrapping_sub(held);
    let units = u64::from(u32::try_from(units as i32).ok()?);
    Some(Duration::from_nanos((units * 1_000_000_000) >> 16))
}

impl SenderReport {
    /// Reads a whole SR packet, its header included.
    pub(super) fn parse(data: &[u8]) -> Result<Self, RtcpParseError> {
        let report = rtcp_types::SenderReport::parse(data)?;
        let blocks = report.report_blocks().map(|block| ReportBlock::from_wire(&block)).collect();
        Ok(Self {
            ssrc: Ssrc(report.ssrc()),
            ntp: NtpTime::from_bits(report.ntp_timestamp()),
            rtp: RtpTimestamp(report.rtp_timestamp()),
            packets: report.packet_count(),
            octets: report.octet_count(),
            blocks,
        })
    }

    /// The packet with `blocks` in place of its own, at most 31.
    pub(super) fn to_wire(&self, blocks: &[ReportBlock]) -> rtcp_types::SenderReportBuilder {
        let report = rtcp_types::SenderReport::builder(self.ssrc.0)
            .ntp_timestamp(self.ntp.to_bits())
            .rtp_timestamp(self.rtp.0)
            .packet_count(self.packets)
            .octet_count(self.octets);
        blocks.iter().fold(report, |report, block| report.add_report_block(block.to_wire()))
    }
}

impl ReceiverReport {
    /// Reads a whole RR packet, its header included.
    pub(super) fn parse(data: &[u8]) -> Result<Self, RtcpParseError> {
        let report = rtcp_types::ReceiverReport::parse(data)?;
        let blocks = report.report_blocks().map(|block| ReportBlock::from_wire(&block)).collect();
        Ok(Self { ssrc: Ssrc(report.ssrc()), blocks })
    }

    /// The packet from `ssrc` with these blocks, at most 31.
    pub(super) fn to_wire(ssrc: Ssrc, blocks: &[ReportBlock]) -> rtcp_types::ReceiverReportBuilder {
        let report = rtcp_types::ReceiverReport::builder(ssrc.0);
        blocks.iter().fold(report, |report, block| report.add_report_block(block.to_wire()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(last_sr: u32, delay_since_sr: u32) -> ReportBlock {
        ReportBlock {
            ssrc: Ssrc(1),
            fraction_lost: 0,
            cumulative_lost: 0,
            highest_sequence: 0,
            jitter: 0,
            last_sr,
            delay_since_sr,
        }
    }

    #[test]
    fn the_round_trip_of_the_rfcs_example_is_6_125_seconds() {
        // RFC 3550, figure 2.
        let now = NtpTime::from_bits(0xB710_8000 << 16);
        let trip = block(0xB705_2000, 0x0005_4000).round_trip(now);
        assert_eq!(trip, Some(Duration::from_millis(6_125)));
    }

    #[test]
    fn the_round_trip_is_right_across_the_wrap_of_the_middle_bits() {
        let now = NtpTime::from_bits(0x0000_4000 << 16);
        let trip = block(0xFFFF_C000, 0x0000_4000).round_trip(now);
        assert_eq!(trip, Some(Duration::from_millis(250)));
    }

    #[test]
    fn without_a_sender_report_or_with_an_impossible_delay_there_is_no_round_trip() {
        let now = NtpTime::from_bits(0xB710_8000 << 16);
        assert_eq!(block(0, 0).round_trip(now), None);
        assert_eq!(block(0xB710_8000, 0).round_trip(now), Some(Duration::ZERO));
        assert_eq!(block(0xB710_8000, 1).round_trip(now), None);
    }
}
