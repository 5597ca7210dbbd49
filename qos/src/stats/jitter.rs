//! Interarrival jitter (RFC 3550, section 6.4.1 and appendix A.8).

use crate::rtp::RtpTimestamp;
use crate::time::{ClockRate, MonoTime, NtpTime, TimeDelta};

/// The mean deviation of the spacing of packets at the receiver from that at the sender,
/// smoothed with a gain of 1/16, by the integer algorithm of appendix A.8.
///
/// Where the streamer runs ahead of the media clock, the timestamp says nothing about when a
/// packet was sent: feed such a stream by [`on_sent`](Self::on_sent). One stream is fed one way,
/// never both.
#[derive(Clone, Debug)]
pub struct InterarrivalJitter {
    rate: ClockRate,
    /// Relative transit time of the packet before, in ticks modulo 2^32.
    transit: Option<u32>,
    /// The estimate in ticks, times 16.
    scaled: u64,
    /// The sum of that after each packet, and how many there were.
    sum: u128,
    packets: u64,
}

impl InterarrivalJitter {
    /// An estimate for a stream whose timestamps run at `rate`.
    pub const fn new(rate: ClockRate) -> Self {
        Self { rate, transit: None, scaled: 0, sum: 0, packets: 0 }
    }

    /// A packet arrived that was sent at the instant its timestamp stands for.
    pub fn on_packet(&mut self, arrived: MonoTime, timestamp: RtpTimestamp) {
        self.on_transit(self.ticks_of(arrived).wrapping_sub(timestamp.0));
    }

    /// A packet arrived that says when it was sent, by the sender's wall clock (as RFC 5450
    /// corrects the timestamp by the transmission offset).
    pub fn on_sent(&mut self, arrived: MonoTime, sent: NtpTime) {
        let sent = ((u128::from(sent.to_bits()) * u128::from(self.rate.hz())) >> 32) as u32;
        self.on_transit(self.ticks_of(arrived).wrapping_sub(sent));
    }

    /// The next packet does not continue the timeline of the one before (a restart, a seek): it
    /// is compared with none. The estimate stays.
    pub const fn restart(&mut self) {
        self.transit = None;
    }

    fn ticks_of(&self, at: MonoTime) -> u32 {
        (u128::from(at.as_nanos()) * u128::from(self.rate.hz()) / 1_000_000_000) as u32
    }

    fn on_transit(&mut self, transit: u32) {
        if let Some(before) = self.transit.replace(transit) {
            let deviation = u64::from((transit.wrapping_sub(before) as i32).unsigned_abs());
            self.scaled = self.scaled + deviation - ((self.scaled + 8) >> 4);
        }
        self.sum += u128::from(self.scaled);
        self.packets += 1;
    }

    /// The jitter in ticks of the media clock, as a report block carries it.
    pub fn as_ticks(&self) -> u32 {
        u32::try_from(self.scaled >> 4).unwrap_or(u32::MAX)
    }

    /// The jitter as a span of time.
    pub fn as_delta(&self) -> TimeDelta {
        self.span(u128::from(self.as_ticks()) * 1_000_000_000)
    }

    /// The mean of the estimate over all packets, the first included: the mean jitter that
    /// Wireshark shows for a stream.
    pub fn mean(&self) -> TimeDelta {
        let scaled = self.sum / u128::from(self.packets.max(1)) * 1_000_000_000;
        self.span(scaled >> 4)
    }

    /// So many ticks, times a thousand million.
    fn span(&self, ticks: u128) -> TimeDelta {
        TimeDelta::from_nanos((ticks / u128::from(self.rate.hz())).try_into().unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    /// The code of RFC 3550, appendix A.8, line by line, in C's integers.
    #[derive(Default)]
    struct Reference {
        transit: i32,
        jitter: u32,
    }

    impl Reference {
        fn on_packet(&mut self, arrival: u32, ts: u32) {
            let transit = arrival.wrapping_sub(ts) as i32;
            let mut d = transit.wrapping_sub(self.transit);
            self.transit = transit;
            if d < 0 {
                d = d.wrapping_neg();
            }
            self.jitter = self
                .jitter
                .wrapping_add((d as u32).wrapping_sub((self.jitter.wrapping_add(8)) >> 4));
        }
    }

    fn arrival(rate: ClockRate, ticks: u64) -> MonoTime {
        let nanos = u128::from(ticks) * 1_000_000_000;
        MonoTime::from_nanos(nanos.div_ceil(rate.hz().into()) as u64)
    }

    #[test]
    fn steady_arrivals_have_no_jitter_even_across_the_wrap() {
        let mut jitter = InterarrivalJitter::new(ClockRate::OPUS);
        for packet in 0..100u32 {
            let timestamp = RtpTimestamp((u32::MAX - 9_600).wrapping_add(packet * 960));
            jitter.on_packet(MonoTime::from_millis(20 * u64::from(packet)), timestamp);
        }
        assert_eq!(jitter.as_ticks(), 0);
    }

    #[test]
    fn a_sender_that_runs_ahead_is_measured_by_its_sending_times() {
        let mut jitter = InterarrivalJitter::new(ClockRate::OPUS);
        let start = NtpTime::from_unix(Duration::from_secs(1_700_000_000));
        for packet in 0..1_000 {
            // Bursts of four packets, each five milliseconds on the way.
            let sent = 80 * (packet / 4);
            let ntp = start.offset(TimeDelta::from_millis(sent));
            jitter.on_sent(MonoTime::from_millis(5 + sent as u64), ntp);
        }
        assert!(jitter.as_ticks() <= 1, "{jitter:?}");
    }

    #[test]
    fn alternating_delays_settle_at_their_difference() {
        let mut jitter = InterarrivalJitter::new(ClockRate::OPUS);
        for packet in 0..400u64 {
            let late = 10 * (packet % 2);
            let timestamp = RtpTimestamp(960 * packet as u32);
            jitter.on_packet(MonoTime::from_millis(20 * packet + late), timestamp);
        }
        let settled = jitter.as_delta().as_millis_f64();
        assert!((9.9..=10.0).contains(&settled), "{settled} ms");
    }

    #[test]
    fn the_mean_is_that_of_the_estimates_after_each_packet() {
        let mut jitter = InterarrivalJitter::new(ClockRate::OPUS);
        assert_eq!(jitter.mean(), TimeDelta::ZERO);
        let mut sum = 0;
        for packet in 0..400u64 {
            let late = 10 * (packet % 2);
            let timestamp = RtpTimestamp(960 * packet as u32);
            jitter.on_packet(MonoTime::from_millis(20 * packet + late), timestamp);
            sum += jitter.as_delta().as_nanos();
        }
        let apart = jitter.mean() - TimeDelta::from_nanos(sum / 400);
        assert!(apart.abs() < Duration::from_micros(21), "less than a tick: {apart:?}");
        assert!(jitter.mean() < jitter.as_delta());
    }

    #[test]
    fn a_restart_is_no_jitter() {
        let mut jitter = InterarrivalJitter::new(ClockRate::OPUS);
        jitter.on_packet(MonoTime::from_millis(0), RtpTimestamp(0));
        jitter.restart();
        jitter.on_packet(MonoTime::from_millis(20), RtpTimestamp(1_000_000));
        assert_eq!(jitter.as_ticks(), 0);
    }

    #[test]
    fn the_wildest_timestamps_do_not_overflow() {
        let mut jitter = InterarrivalJitter::new(ClockRate::MILLISECONDS);
        for packet in 0..1_000u32 {
            jitter.on_packet(MonoTime::ZERO, RtpTimestamp(packet % 2 * (1 << 31)));
        }
        assert!(jitter.as_ticks() > 1 << 30);
    }

    proptest! {
        #[test]
        fn the_estimate_is_that_of_the_rfc(
            first: u32,
            hz in prop::sample::select(vec![8_000u32, 44_100, 48_000, 90_000]),
            packets in prop::collection::vec((0u64..5_000, -2_000i32..20_000), 0..300),
        ) {
            let rate = ClockRate::new(hz).unwrap();
            let mut jitter = InterarrivalJitter::new(rate);
            // The arrival clock begins just below its own wrap.
            let (mut ticks, mut ts) = ((1 << 32) - 10_000, first);
            let transit = (ticks as u32).wrapping_sub(first) as i32;
            let mut reference = Reference { transit, jitter: 0 };
            jitter.on_packet(arrival(rate, ticks), RtpTimestamp(first));
            for (gap, step) in packets {
                ticks += gap;
                ts = ts.wrapping_add(step as u32);
                jitter.on_packet(arrival(rate, ticks), RtpTimestamp(ts));
                reference.on_packet(ticks as u32, ts);
                prop_assert_eq!(jitter.as_ticks(), reference.jitter >> 4);
            }
        }
    }
}
