//! When the next report is due (RFC 3550, sections 6.2, 6.3 and appendix A.7).

use std::time::Duration;

use crate::quantity::Bitrate;
use crate::time::MonoTime;

/// The least mean interval between reports in RFC 3550. AVPF (RFC 4585) has none.
pub const DEFAULT_MINIMUM: Duration = Duration::from_secs(5);

/// Share of the RTCP bandwidth that is for senders, as long as they are fewer than this share of
/// the members.
const SENDER_SHARE: f64 = 0.25;
/// Reconsideration sends later than the mean; this takes it back: e - 3/2.
const COMPENSATION: f64 = std::f64::consts::E - 1.5;
/// No interval is longer, whatever the bandwidth.
const MAXIMUM: Duration = Duration::from_secs(24 * 60 * 60);

/// The reduced minimum of section 6.2: 360 divided by the session bandwidth in kbit/s, in seconds.
pub fn reduced_minimum(session: Bitrate) -> Duration {
    seconds(360_000.0 / session.as_bps() as f64)
}

/// Decides when this participant sends its next compound packet, so that all members together
/// keep within the RTCP bandwidth and do not speak in step.
#[derive(Clone, Debug)]
pub struct ReportTimer {
    bandwidth: Bitrate,
    minimum: Duration,
    senders: u32,
    sent: Option<MonoTime>,
}

impl ReportTimer {
    /// A timer for a session whose members share `bandwidth` for RTCP, with headers of UDP and
    /// IP (5 % of the session, or `b=RR` and `b=RS`), and report at a mean interval of at least
    /// `minimum` ([`DEFAULT_MINIMUM`], [`reduced_minimum`], or zero under AVPF).
    pub const fn new(bandwidth: Bitrate, minimum: Duration) -> Self {
        Self { bandwidth, minimum, senders: 1, sent: None }
    }

    /// Sets how many of the members send media; one unless told otherwise.
    pub const fn set_senders(&mut self, senders: u32) {
        self.senders = senders;
    }

    /// The instant of the next report, counted from `now`, which is the start of the session or
    /// the instant at which a report was sent.
    ///
    /// `members` counts all participants, this one included. `average_size` is the mean of
    /// compound packets sent and received, in bytes with headers of UDP and IP. `random` is drawn
    /// anew for each call, evenly from [0, 1). The first call halves the minimum (section 6.2).
    pub fn next(
        &mut self,
        now: MonoTime,
        members: u32,
        we_sent: bool,
        average_size: usize,
        random: f64,
    ) -> MonoTime {
        let first = self.sent.is_none();
        self.sent = Some(now);
        now + self.interval(first, members, we_sent, average_size, random)
    }

    /// Timer reconsideration (section 6.3.6): asked at the instant that [`next`](Self::next)
    /// gave, with the numbers as they are now. `None`: send. Otherwise the membership has grown,
    /// and the report waits until then.
    pub fn reconsider(
        &self,
        now: MonoTime,
        members: u32,
        we_sent: bool,
        average_size: usize,
        random: f64,
    ) -> Option<MonoTime> {
        let due = self.sent? + self.interval(false, members, we_sent, average_size, random);
        (due > now).then_some(due)
    }

    /// `rtcp_interval` of appendix A.7.
    fn interval(
        &self,
        first: bool,
        members: u32,
        we_sent: bool,
        average_size: usize,
        random: f64,
    ) -> Duration {
        let (members, senders) = (f64::from(members), f64::from(self.senders));
        let (share, speakers) = match we_sent {
            _ if senders > members * SENDER_SHARE => (1.0, members),
            true => (SENDER_SHARE, senders),
            false => (1.0 - SENDER_SHARE, members - senders),
        };
        let minimum = if first { self.minimum / 2 } else { self.minimum };
        let bytes_per_sec = self.bandwidth.as_bps() as f64 / 8.0 * share;
        let mean = (average_size as f64 * speakers / bytes_per_sec).max(minimum.as_secs_f64());
        seconds(mean * (random + 0.5) / COMPENSATION)
    }
}

/// `value` in seconds, within zero and [`MAXIMUM`]; a share of no bandwidth is an eternity.
fn seconds(value: f64) -> Duration {
    Duration::try_from_secs_f64(value).map_or(MAXIMUM, |interval| interval.min(MAXIMUM))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `rtcp_interval` of RFC 3550, appendix A.7, line by line; sizes in bytes, `rtcp_bw` in
    /// bytes a second, `drand48` as an argument and the minimum as the profile has it.
    #[expect(clippy::too_many_arguments, reason = "the RFC's own argument list")]
    fn rtcp_interval(
        members: f64,
        senders: f64,
        mut rtcp_bw: f64,
        we_sent: bool,
        avg_rtcp_size: f64,
        initial: bool,
        mut rtcp_min_time: f64,
        drand48: f64,
    ) -> f64 {
        const RTCP_SENDER_BW_FRACTION: f64 = 0.25;
        const RTCP_RCVR_BW_FRACTION: f64 = 1.0 - RTCP_SENDER_BW_FRACTION;
        #[expect(clippy::approx_constant, reason = "the RFC's own digits")]
        const COMPENSATION: f64 = 2.71828 - 1.5;
        if initial {
            rtcp_min_time /= 2.0;
        }
        let mut n = members;
        if senders <= members * RTCP_SENDER_BW_FRACTION {
            if we_sent {
                rtcp_bw *= RTCP_SENDER_BW_FRACTION;
                n = senders;
            } else {
                rtcp_bw *= RTCP_RCVR_BW_FRACTION;
                n -= senders;
            }
        }
        let mut t = avg_rtcp_size * n / rtcp_bw;
        if t < rtcp_min_time {
            t = rtcp_min_time;
        }
        t *= drand48 + 0.5;
        t / COMPENSATION
    }

    fn timer(bps: u64) -> ReportTimer {
        ReportTimer::new(Bitrate::from_bps(bps), DEFAULT_MINIMUM)
    }

    #[test]
    fn the_first_report_waits_half_as_long() {
        let mut timer = timer(1_000_000);
        let start = MonoTime::from_millis(1_000);
        let first = timer.next(start, 2, false, 100, 0.5);
        let second = timer.next(first, 2, false, 100, 0.5);
        assert!(((second - first).as_secs_f64() - 5.0 / COMPENSATION).abs() < 1e-6);
        assert!(((first - start).as_secs_f64() - 2.5 / COMPENSATION).abs() < 1e-6);
    }

    #[test]
    fn reconsideration_waits_only_when_the_session_has_grown() {
        let mut timer = timer(8_000);
        let due = timer.next(MonoTime::ZERO, 2, false, 100, 0.5);
        let due = timer.next(due, 2, false, 100, 0.5);
        assert_eq!(timer.reconsider(due, 2, false, 100, 0.5), None);
        let later = timer.reconsider(due, 200, false, 100, 0.5);
        assert!(later.is_some_and(|later| later > due), "{later:?}");
    }

    #[test]
    fn without_bandwidth_a_report_is_a_day_away() {
        let due = timer(0).next(MonoTime::ZERO, 2, false, 100, 0.5);
        assert_eq!(due, MonoTime::ZERO + MAXIMUM);
        assert_eq!(reduced_minimum(Bitrate::from_bps(0)), MAXIMUM);
    }

    #[test]
    fn the_reduced_minimum_of_a_session_of_72_kbit_is_5_seconds() {
        assert_eq!(reduced_minimum(Bitrate::from_bps(72_000)), DEFAULT_MINIMUM);
    }

    proptest! {
        #[test]
        fn intervals_are_those_of_the_rfc(
            bps in 1_000u64..10_000_000,
            (members, senders) in (1u32..1_000).prop_flat_map(|all| (Just(all), 0..=all)),
            we_sent: bool,
            size in 20usize..1_400,
            random in 0.0..1.0f64,
        ) {
            let mut timer = timer(bps);
            timer.set_senders(senders);
            let mut now = MonoTime::ZERO;
            for initial in [true, false, false] {
                let due = timer.next(now, members, we_sent, size, random);
                let expected = rtcp_interval(
                    members.into(),
                    senders.into(),
                    bps as f64 / 8.0,
                    we_sent,
                    size as f64,
                    initial,
                    5.0,
                    random,
                );
                let actual = (due - now).as_secs_f64();
                // The RFC's e has five places.
                prop_assert!((actual - expected).abs() < 1e-5 * expected + 1e-6, "{actual} {expected}");
                now = due;
            }
        }
    }
}
