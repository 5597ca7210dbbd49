//! What a receiver reports on a stream (RFC 3550, section 6.4.1 and appendix A.3).

use super::InterarrivalJitter;
use crate::rtcp::{ReportBlock, SenderReport};
use crate::rtp::{RtpTimestamp, Sequence, SourceValidator, Ssrc, Verdict};
use crate::time::{ClockRate, MonoTime, NtpTime};

/// The reception of one stream, as report blocks carry it.
///
/// Counts are those of the RFC: packets as they arrive, duplicates and late ones included, before
/// any repair. What became of the data units is the business of the [`Ledger`](super::Ledger).
#[derive(Clone, Debug)]
pub struct Reception {
    ssrc: Ssrc,
    source: SourceValidator,
    jitter: InterarrivalJitter,
    expected_prior: u64,
    received_prior: u64,
    /// The middle bits of the last sender report, and when it arrived.
    sender_report: Option<(u32, MonoTime)>,
}

impl Reception {
    /// The reception of a source of which nothing is known: its first packets are on probation.
    pub const fn new(ssrc: Ssrc, rate: ClockRate) -> Self {
        Self::from_source(ssrc, rate, SourceValidator::new())
    }

    /// The reception of a source that was announced: its first packet counts.
    pub const fn announced(ssrc: Ssrc, rate: ClockRate) -> Self {
        Self::from_source(ssrc, rate, SourceValidator::announced())
    }

    const fn from_source(ssrc: Ssrc, rate: ClockRate, source: SourceValidator) -> Self {
        Self {
            ssrc,
            source,
            jitter: InterarrivalJitter::new(rate),
            expected_prior: 0,
            received_prior: 0,
            sender_report: None,
        }
    }

    /// A packet arrived. Jitter is taken against its timestamp.
    pub fn on_packet(
        &mut self,
        arrived: MonoTime,
        sequence: Sequence,
        timestamp: RtpTimestamp,
    ) -> Verdict {
        let verdict = self.count(sequence);
        if matches!(verdict, Verdict::Valid | Verdict::Restarted) {
            self.jitter.on_packet(arrived, timestamp);
        }
        verdict
    }

    /// A packet arrived that says when it was sent. Jitter is taken against that; see
    /// [`InterarrivalJitter::on_sent`].
    pub fn on_sent_packet(
        &mut self,
        arrived: MonoTime,
        sequence: Sequence,
        sent: NtpTime,
    ) -> Verdict {
        let verdict = self.count(sequence);
        if matches!(verdict, Verdict::Valid | Verdict::Restarted) {
            self.jitter.on_sent(arrived, sent);
        }
        verdict
    }

    fn count(&mut self, sequence: Sequence) -> Verdict {
        let verdict = self.source.on_packet(sequence);
        if verdict == Verdict::Restarted {
            (self.expected_prior, self.received_prior) = (0, 0);
            self.jitter.restart();
        }
        verdict
    }

    /// A sender report for this stream arrived; the next blocks refer to it.
    pub const fn on_sender_report(&mut self, now: MonoTime, report: &SenderReport) {
        self.sender_report = Some((report.ntp.middle(), now));
    }

    /// The block for a report that leaves at `now`. It ends an interval: the next block's
    /// fraction lost counts from here.
    pub fn report_block(&mut self, now: MonoTime) -> ReportBlock {
        let fraction_lost = self.end_interval();
        let lost = self.lost().clamp(-(1 << 23), (1 << 23) - 1);
        let (last_sr, delay_since_sr) = self
            .sender_report
            .map_or((0, 0), |(middle, arrived)| (middle, in_65536ths(now, arrived)));
        ReportBlock {
            ssrc: self.ssrc,
            fraction_lost,
            cumulative_lost: lost as i32,
            highest_sequence: self.source.extended_highest() as u32,
            jitter: self.jitter.as_ticks(),
            last_sr,
            delay_since_sr,
        }
    }

    /// Share of the packets lost since the last block, in 1/256 (appendix A.3).
    fn end_interval(&mut self) -> u8 {
        let expected = self.expected() - self.expected_prior;
        let received = self.received() - self.received_prior;
        (self.expected_prior, self.received_prior) = (self.expected(), self.received());
        match expected.checked_sub(received) {
            Some(lost) if lost > 0 => u8::try_from((lost << 8) / expected).unwrap_or(u8::MAX),
            _ => 0,
        }
    }

    /// Packets that the sender sent, as far as sequence numbers tell.
    pub fn expected(&self) -> u64 {
        self.source.expected()
    }

    /// Packets that arrived, duplicates included.
    pub fn received(&self) -> u64 {
        self.source.received()
    }

    /// Packets lost; negative if duplicates outnumber the losses.
    pub fn lost(&self) -> i64 {
        self.expected() as i64 - self.received() as i64
    }

    /// Whether anything has counted since the last block; a report has blocks only for those.
    pub fn heard_since_report(&self) -> bool {
        self.received() > self.received_prior
    }

    /// The jitter of the stream.
    pub const fn jitter(&self) -> &InterarrivalJitter {
        &self.jitter
    }
}

/// The span since `earlier` in units of 1/65536 s, as `DLSR` has it.
fn in_65536ths(now: MonoTime, earlier: MonoTime) -> u32 {
    u32::try_from((now.since(earlier).as_nanos() << 16) / 1_000_000_000).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The source of RFC 3550, appendices A.1 and A.3, line by line, in C's integers. Here every
    /// packet lies within the limits of A.1; what lies beyond is tested with the validator.
    #[derive(Default)]
    struct Reference {
        max_seq: u16,
        cycles: u32,
        base_seq: u32,
        received: u32,
        expected_prior: u32,
        received_prior: u32,
    }

    impl Reference {
        fn init_seq(&mut self, seq: u16) {
            *self = Self { base_seq: seq.into(), max_seq: seq, ..Self::default() };
        }

        fn update_seq(&mut self, seq: u16) {
            let udelta = seq.wrapping_sub(self.max_seq);
            if udelta < 3000 {
                if seq < self.max_seq {
                    self.cycles += 1 << 16;
                }
                self.max_seq = seq;
            }
            self.received += 1;
        }

        /// Fraction lost, cumulative lost, extended highest sequence number.
        fn report(&mut self) -> (u8, i32, u32) {
            let extended_max = self.cycles + u32::from(self.max_seq);
            let expected = extended_max.wrapping_sub(self.base_seq).wrapping_add(1);
            let lost = expected.wrapping_sub(self.received) as i32;
            let expected_interval = expected.wrapping_sub(self.expected_prior);
            self.expected_prior = expected;
            let received_interval = self.received.wrapping_sub(self.received_prior);
            self.received_prior = self.received;
            let lost_interval = expected_interval.wrapping_sub(received_interval) as i32;
            let fraction = if expected_interval == 0 || lost_interval <= 0 {
                0
            } else {
                (lost_interval << 8) / expected_interval as i32
            };
            (fraction as u8, lost.clamp(-0x0080_0000, 0x007F_FFFF), extended_max)
        }
    }

    fn reception() -> Reception {
        Reception::announced(Ssrc(7), ClockRate::OPUS)
    }

    fn feed(reception: &mut Reception, sequences: impl IntoIterator<Item = u16>) {
        for sequence in sequences {
            let timestamp = RtpTimestamp(960 * u32::from(sequence));
            let arrived = MonoTime::from_millis(20 * u64::from(sequence));
            reception.on_packet(arrived, Sequence(sequence), timestamp);
        }
    }

    #[test]
    fn the_fraction_counts_from_the_block_before_and_the_total_from_the_beginning() {
        let mut reception = reception();
        feed(&mut reception, (0..100).filter(|sequence| sequence % 4 != 1));
        let first = reception.report_block(MonoTime::ZERO);
        assert_eq!((first.fraction_lost, first.cumulative_lost), (64, 25));
        feed(&mut reception, 100..200);
        let second = reception.report_block(MonoTime::ZERO);
        assert_eq!((second.fraction_lost, second.cumulative_lost), (0, 25));
        assert_eq!(second.highest_sequence, 199);
    }

    #[test]
    fn duplicates_make_the_loss_negative_and_the_fraction_zero() {
        let mut reception = reception();
        feed(&mut reception, [0, 0, 1, 1, 2]);
        let block = reception.report_block(MonoTime::ZERO);
        assert_eq!((block.fraction_lost, block.cumulative_lost, reception.lost()), (0, -2, -2));
    }

    #[test]
    fn a_restart_begins_the_count_anew() {
        let mut reception = reception();
        feed(&mut reception, [0, 1, 5]);
        reception.report_block(MonoTime::ZERO);
        feed(&mut reception, [40_000, 40_001, 40_002]);
        assert_eq!((reception.expected(), reception.received()), (2, 2));
        let block = reception.report_block(MonoTime::ZERO);
        assert_eq!((block.fraction_lost, block.highest_sequence), (0, 40_002));
        assert_eq!(block.jitter, 0);
    }

    #[test]
    fn before_the_first_packet_a_block_says_nothing() {
        let mut reception = Reception::new(Ssrc(7), ClockRate::OPUS);
        let block = reception.report_block(MonoTime::from_millis(9));
        assert_eq!((block.fraction_lost, block.cumulative_lost, block.last_sr), (0, 0, 0));
        assert!(!reception.heard_since_report());
        feed(&mut reception, [0]);
        assert!(!reception.heard_since_report(), "one packet is on probation");
        feed(&mut reception, [1]);
        assert!(reception.heard_since_report());
    }

    #[test]
    fn the_round_trip_closes_over_sender_report_and_block() {
        let mut reception = reception();
        let sent = NtpTime::from_bits(0x1234_5678_0000_0000);
        let report = SenderReport {
            ssrc: Ssrc(7),
            ntp: sent,
            rtp: RtpTimestamp(0),
            packets: 0,
            octets: 0,
            blocks: vec![],
        };
        reception.on_sender_report(MonoTime::from_millis(1_000), &report);
        let block = reception.report_block(MonoTime::from_millis(3_500));
        assert_eq!(block.delay_since_sr, 5 << 15, "2.5 s");
        let back = sent.offset(crate::time::TimeDelta::from_millis(2_750));
        assert_eq!(block.round_trip(back), Some(std::time::Duration::from_millis(250)));
    }

    proptest! {
        #[test]
        fn blocks_are_those_of_the_rfc_over_loss_reordering_duplicates_and_wraps(
            first: u16,
            intervals in prop::collection::vec(
                prop::collection::vec(prop_oneof![20 => Just(1i32), 3 => 2..2_999i32, 2 => -99..=0i32], 0..80),
                1..12,
            ),
        ) {
            let (mut reception, mut reference) = (reception(), Reference::default());
            reference.init_seq(first);
            reference.received = 1;
            reception.on_packet(MonoTime::ZERO, Sequence(first), RtpTimestamp(0));
            for steps in intervals {
                for step in steps {
                    // From the highest, so that no step leaves the limits of A.1.
                    let sequence = reference.max_seq.wrapping_add(step as u16);
                    reception.on_packet(MonoTime::ZERO, Sequence(sequence), RtpTimestamp(0));
                    reference.update_seq(sequence);
                }
                let block = reception.report_block(MonoTime::ZERO);
                let ours = (block.fraction_lost, block.cumulative_lost, block.highest_sequence);
                prop_assert_eq!(ours, reference.report());
            }
        }
    }
}
