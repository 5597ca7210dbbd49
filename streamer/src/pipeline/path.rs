//! What the listener tells about the way to it.

use std::time::Duration;

use cantus_qos::fec;
use cantus_qos::rtcp::{LossRle, ReportBlock, RtcpPacket, XrBlock};
use cantus_qos::rtp::{Sequence, Ssrc};
use cantus_qos::stats::{LossPattern, RoundTrip};
use cantus_qos::time::{ClockRate, MediaTime, NtpTime};

/// The jitter of a path that stays as it is varies from report to report, but by less than this
/// factor, and hardly ever by more than half; where there is next to none, one is like the other.
const CALMER: u32 = 3;
const FALLING: f64 = 1.5;
const NOTABLE_JITTER: Duration = Duration::from_millis(2);

/// What is usual follows so many reports.
const USUAL: u32 = 8;

/// The path to a listener, as its reports on one stream show it.
///
/// Losses are remembered for half a minute, jitter for a fraction of a second. Where it has gone from
/// one report to the next the path is another one, and what it lost before says nothing of what it
/// loses now: repair that was fitted to these losses and that jitter would fit neither path, and on
/// a narrow one it would stand in the way of the media.
#[derive(Clone, Debug)]
pub struct PathWatch {
    ssrc: Ssrc,
    rate: ClockRate,
    round_trip: RoundTrip,
    jitter: Duration,
    /// What the jitter was of late.
    usual_jitter: Duration,
    losses: LossPattern,
    /// The last packet of those whose losses are forgotten, until later ones are told of.
    forgotten: Option<Sequence>,
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
            usual_jitter: Duration::ZERO,
            losses: LossPattern::new(),
            forgotten: None,
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
        let jitter = MediaTime::from_ticks(block.jitter.into(), self.rate).to_duration();
        let usual = self.usual_jitter;
        if usual > NOTABLE_JITTER && jitter * CALMER < usual {
            (self.jitter, self.usual_jitter) = (jitter, jitter);
            self.losses.forget();
            self.forgotten = Some(Sequence(block.highest_sequence as u16));
        } else {
            // Half-way down it is that of no path: the next report will tell.
            self.jitter = if jitter.mul_f64(FALLING) < usual { usual } else { jitter };
            self.usual_jitter = (usual * (USUAL - 1) + jitter) / USUAL;
        }
    }

    fn on_losses(&mut self, losses: &LossRle) {
        let mut sequence = losses.begin;
        for run in losses.runs() {
            for _ in 0..run.length {
                if self.forgotten.is_none_or(|last| sequence.distance(last) > 0) {
                    self.forgotten = None;
                    self.losses.push(!run.came);
                }
                sequence = sequence.next();
            }
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

    const SSRC: Ssrc = Ssrc(7);

    fn report(at: NtpTime, took: Duration, ssrc: Ssrc) -> RtcpPacket {
        report_of(at, took, ssrc, 480, 0)
    }

    fn report_of(
        at: NtpTime,
        took: Duration,
        ssrc: Ssrc,
        jitter: u32,
        highest_sequence: u32,
    ) -> RtcpPacket {
        let sent = at.offset(-cantus_qos::time::TimeDelta::from(took));
        let block = ReportBlock {
            ssrc,
            fraction_lost: 0,
            cumulative_lost: 0,
            highest_sequence,
            jitter,
            last_sr: sent.middle(),
            delay_since_sr: 0,
        };
        RtcpPacket::ReceiverReport(ReceiverReport { ssrc: Ssrc(1), blocks: vec![block] })
    }

    fn losses(packets: impl IntoIterator<Item = bool>) -> RtcpPacket {
        losses_from(0, packets)
    }

    fn losses_from(begin: u16, packets: impl IntoIterator<Item = bool>) -> RtcpPacket {
        let losses = LossRle::new(SSRC, Sequence(begin), packets);
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

    /// What is known of the losses after twenty reports, a second apart, on a path with a jitter of
    /// 10 ms that loses a packet of five, and three more with the jitter that is told in `after`, the
    /// losses going on for as long as `lossy` of them.
    fn loss_after(after: [u32; 3], lossy: u16) -> f64 {
        const EACH: u16 = 50;
        let mut watch = PathWatch::new(SSRC, ClockRate::OPUS);
        let reports = [480; 20].into_iter().chain(after);
        for (number, jitter) in (0u16..).zip(reports) {
            let at = NtpTime::from_unix(Duration::from_secs(1_000 + u64::from(number)));
            // Near the wrap of the numbers.
            let begin = 64_600u16.wrapping_add(number * EACH);
            let highest = u32::from(begin.wrapping_add(EACH - 1));
            let every = if number < 20 + lossy { 5 } else { EACH + 1 };
            watch.heard(at, &report_of(at, Duration::from_millis(80), SSRC, jitter, highest));
            watch.heard(at, &losses_from(begin, (1..=EACH).map(|n| !n.is_multiple_of(every))));
        }
        watch.path().unwrap().loss
    }

    #[test]
    fn where_the_jitter_has_gone_what_was_lost_before_is_forgotten() {
        // The losses that come with the first report of the new path are those of the old one.
        assert_eq!(loss_after([144, 12, 0], 1), 0.0);
        let back = loss_after([144, 12, 0], 3);
        assert!((0.1..0.2).contains(&back), "what is lost still is soon known again: {back}");
    }

    #[test]
    fn a_jitter_that_may_be_on_its_way_down_is_not_told_before_it_is_there() {
        let mut watch = PathWatch::new(SSRC, ClockRate::OPUS);
        let at = NtpTime::from_unix(Duration::from_secs(1_000));
        let mut told = |jitter| {
            watch.heard(at, &report_of(at, Duration::from_millis(80), SSRC, jitter, 0));
            watch.heard(at, &losses([true; 150]));
            watch.path().unwrap().jitter.as_millis()
        };
        (0..40).for_each(|_| assert_eq!(told(480), 10));
        assert_eq!([400, 240, 48, 480].map(&mut told), [8, 9, 1, 10]);
    }

    #[test]
    fn jitter_that_varies_forgets_no_losses() {
        for after in [[170, 300, 480], [480, 960, 480], [300, 200, 150]] {
            let loss = loss_after(after, 3);
            assert!((loss - 0.2).abs() < 0.02, "{after:?}: {loss}");
        }
    }

    #[test]
    fn reports_on_other_streams_tell_nothing() {
        let mut watch = PathWatch::new(SSRC, ClockRate::OPUS);
        let at = NtpTime::from_unix(Duration::from_secs(1_000));
        assert!(!watch.heard(at, &report(at, Duration::from_millis(80), Ssrc(8))));
    }
}
