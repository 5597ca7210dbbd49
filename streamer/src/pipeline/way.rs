//! What is known of the way to a listener, by what it reports.

use std::time::Duration;

use cantus_qos::fec::Path;
use cantus_qos::rtcp::{ReportBlock, RtcpPacket, XrBlock};
use cantus_qos::rtp::Ssrc;
use cantus_qos::stats::{LossPattern, RoundTrip};
use cantus_qos::time::{ClockRate, NtpTime};

/// The way of one stream.
#[derive(Clone, Debug, Default)]
pub(super) struct Way {
    round_trip: RoundTrip,
    losses: LossPattern,
    jitter: Duration,
}

impl Way {
    /// The listener said this about the stream of `ssrc`, whose timestamps count at `rate`; it came
    /// when our wall clock showed `at`. Gives the round trip that it tells, if it tells one.
    pub(super) fn heard(
        &mut self,
        at: NtpTime,
        packet: &RtcpPacket,
        ssrc: Ssrc,
        rate: ClockRate,
    ) -> Option<Duration> {
        match packet {
            RtcpPacket::ReceiverReport(report) => {
                let block = report.blocks.iter().find(|block| block.ssrc == ssrc)?;
                self.on_block(at, block, rate)
            }
            RtcpPacket::ExtendedReport(report) => {
                let losses = report.blocks.iter().filter_map(|block| match block {
                    XrBlock::LossRle(losses) if losses.ssrc == ssrc => Some(losses),
                    _ => None,
                });
                for run in losses.flat_map(|losses| losses.runs()) {
                    (0..run.length).for_each(|_| self.losses.push(!run.came));
                }
                None
            }
            _ => None,
        }
    }

    fn on_block(&mut self, at: NtpTime, block: &ReportBlock, rate: ClockRate) -> Option<Duration> {
        self.jitter = Duration::from_secs_f64(f64::from(block.jitter) / f64::from(rate.hz()));
        let round_trip = block.round_trip(at)?;
        self.round_trip.observe(round_trip);
        Some(round_trip)
    }

    /// The way as far as it matters for repair; `None` before the listener has told enough.
    pub(super) fn path(&self) -> Option<Path> {
        let round_trip = self.round_trip.smoothed()?;
        Some(Path {
            one_way: round_trip / 2,
            jitter: self.jitter,
            round_trip,
            loss: self.losses.share()?,
            run: self.losses.run(),
        })
    }
}
