//! What the listener tells about the way to it.

use std::time::Duration;

use cantus_qos::fec;
use cantus_qos::rtcp::{LossRle, ReportBlock, RtcpPacket, XrBlock};
use cantus_qos::rtp::Ssrc;
use cantus_qos::stats::{LossPattern, RoundTrip};
use cantus_qos::time::{ClockRate, MediaTime, NtpTime};

/// The path to a listener, as its reports on one stream show it.
#[derive(Clone, Debug)]
pub struct PathWatch {
    ssrc: Ssrc,
    rate: ClockRate,
    round_trip: RoundTrip,
    jitter: Duration,
    losses: LossPattern,
    /// How long the listener buffers what takes as long as usual, where it tells.
    buffered: Option<Duration>,
}

impl PathWatch {
    /// Nothing is known yet of the way that the stream `ssrc`, with timestamps at `rate`, takes.
    pub fn new(ssrc: Ssrc, rate: ClockRate) -> Self {
        Self {
            ssrc,
            rate,
            round_trip: RoundTrip::new(),
            jitter: Duration::ZERO,
            losses: LossPattern::new(),
            buffered: None,
        }
    }

    /// A packet of the listener came, when our wall clock showed `at`. Whether it tells something
    /// new.
    pub fn heard(&mut self, at: NtpTime, packet: &RtcpPacket) -> bool {
        let mut told = false;
        match packet {
            RtcpPacket::ReceiverReport(report) => {
                let ssrc = self.ssrc;
                for block in report.blocks.iter().filter(|block| block.ssrc == ssrc) {
                    self.on_block(at, block);
                    told = true;
                }
            }
            RtcpPacket::ExtendedReport(report) => {
                for block in &report.blocks {
                    match block {
                        XrBlock::LossRle(losses) if losses.ssrc == self.ssrc => {
                            self.on_losses(losses);
                            told = true;
                        }
                        XrBlock::JitterBuffer(buffer) if buffer.ssrc == self.ssrc => {
                            self.buffered = buffer.nominal;
                            told = true;
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        told
    }

    fn on_block(&mut self, at: NtpTime, block: &ReportBlock) {
        if let Some(round_trip) = block.round_trip(at) {
            self.round_trip.observe(round_trip);
        }
        self.jitter = MediaTime::from_ticks(block.jitter.into(), self.rate).to_duration();
    }

    fn on_losses(&mut self, losses: &LossRle) {
        for run in losses.runs() {
            (0..run.length).for_each(|_| self.losses.push(!run.came));
        }
    }

    /// One way across the path when it is idle: a queue of ours is no reason to send more packets.
    pub fn least_way(&self) -> Option<Duration> {
        self.round_trip.least().map(|least| least / 2)
    }

    /// How long after its sending a unit is heard, where the listener tells how long it buffers: it
    /// chooses that itself, and no delay was promised.
    pub fn heard_after(&self) -> Option<Duration> {
        Some(self.round_trip.smoothed()? / 2 + self.buffered?)
    }

    /// The path, once enough is known of it. Half a round trip is taken for one way.
    pub fn path(&self) -> Option<fec::Path> {
        let round_trip = self.round_trip.smoothed()?;
        let loss = self.losses.share()?;
        let one_way = round_trip / 2;
        Some(fec::Path { one_way, jitter: self.jitter, round_trip, loss, run: self.losses.run() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cantus_qos::rtcp::{ExtendedReport, JitterBuffer, ReceiverReport};
    use cantus_qos::rtp::Sequence;

    const SSRC: Ssrc = Ssrc(7);

    fn report(at: NtpTime, took: Duration, ssrc: Ssrc) -> RtcpPacket {
        let sent = at.offset(-cantus_qos::time::TimeDelta::from(took));
        let block = ReportBlock {
            ssrc,
            fraction_lost: 0,
            cumulative_lost: 0,
            highest_sequence: 0,
            jitter: 480,
            last_sr: sent.middle(),
            delay_since_sr: 0,
        };
        RtcpPacket::ReceiverReport(ReceiverReport { ssrc: Ssrc(1), blocks: vec![block] })
    }

    fn losses(packets: impl IntoIterator<Item = bool>) -> RtcpPacket {
        let losses = LossRle::new(SSRC, Sequence(0), packets);
        let blocks = vec![XrBlock::LossRle(losses)];
        RtcpPacket::ExtendedReport(ExtendedReport { ssrc: Ssrc(1), blocks })
    }

    #[test]
    fn a_path_is_known_when_its_round_trip_and_its_losses_are() {
        let mut watch = PathWatch::new(SSRC, ClockRate::OPUS);
        let at = NtpTime::from_unix(Duration::from_secs(1_000));
        assert!(watch.heard(at, &report(at, Duration::from_millis(80), SSRC)));
        assert_eq!(watch.path(), None);
        assert!(watch.heard(at, &losses((0..100).map(|n| n % 10 > 1))));
        let path = watch.path().unwrap();
        assert_eq!((path.one_way.as_millis(), path.round_trip.as_millis()), (40, 80));
        assert_eq!(path.jitter, Duration::from_millis(10));
        assert!((path.loss - 0.2).abs() < 0.02 && (path.run - 2.0).abs() < 0.2, "{path:?}");
    }

    #[test]
    fn a_unit_is_heard_after_half_a_round_trip_and_as_long_as_the_listener_says_it_buffers() {
        let mut watch = PathWatch::new(SSRC, ClockRate::OPUS);
        let at = NtpTime::from_unix(Duration::from_secs(1_000));
        watch.heard(at, &report(at, Duration::from_millis(80), SSRC));
        assert_eq!(watch.heard_after(), None);
        let buffers = |ssrc| {
            let nominal = Some(Duration::from_millis(35));
            let buffer = JitterBuffer { ssrc, adaptive: true, nominal, maximum: None };
            let blocks = vec![XrBlock::JitterBuffer(buffer)];
            RtcpPacket::ExtendedReport(ExtendedReport { ssrc: Ssrc(1), blocks })
        };
        assert!(!watch.heard(at, &buffers(Ssrc(8))) && watch.heard(at, &buffers(SSRC)));
        assert_eq!(watch.heard_after().unwrap().as_millis(), 75);
    }

    #[test]
    fn reports_on_other_streams_tell_nothing() {
        let mut watch = PathWatch::new(SSRC, ClockRate::OPUS);
        let at = NtpTime::from_unix(Duration::from_secs(1_000));
        assert!(!watch.heard(at, &report(at, Duration::from_millis(80), Ssrc(8))));
    }
}
