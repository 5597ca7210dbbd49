//! The sender's wall clock as seen from here.

use std::collections::VecDeque;
use std::time::Duration;

use super::drift::{Drift, DriftMeter};
use crate::time::{MonoTime, NtpTime, TimeDelta};

/// How long one minimum is collected for, and how many are remembered: the filter forgets after
/// about a minute, so that it follows a path that changes, and still has seen many idle queues.
const BUCKET: Duration = Duration::from_secs(8);
const BUCKETS: usize = 8;

/// Maps the sender's wall clock to the local monotonic clock.
///
/// The smallest `arrival - sending` of the last minute is the path with empty queues; half the
/// smallest round trip is taken off it. On an asymmetric path that is wrong by up to half the
/// round trip, which no receiver can find out: [`uncertainty`](Self::uncertainty) says so
/// (RFC 5905 has the same limit).
///
/// Once the two clocks are known to part, the minima are carried on along the line of their
/// [drift](Drift): without it a sender that is 300 parts in a million slow would seem 19 ms early.
#[derive(Clone, Debug, Default)]
pub struct SenderClock {
    reference: Option<NtpTime>,
    buckets: VecDeque<Bucket>,
    round_trip: Option<Duration>,
    shared: bool,
    meter: DriftMeter,
    /// By how much the offset grows in a second of the sender's; zero until that is significant.
    slope: f64,
}

#[derive(Copy, Clone, Debug)]
struct Bucket {
    begins: MonoTime,
    /// When the packet with the smallest offset was sent, in nanoseconds since the reference.
    sent: i64,
    /// Its (arrival as nanoseconds) - (sending since the reference).
    offset: i64,
}

impl Bucket {
    /// What the offset has become for what is sent at `sent`, where it grows by `slope`.
    fn offset_at(&self, sent: i64, slope: f64) -> i64 {
        let grown = sent.saturating_sub(self.sent) as f64 * slope;
        self.offset.saturating_add(grown as i64)
    }
}

impl SenderClock {
    /// A map that knows nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The map where both ends are one machine: `ntp_at_zero` is what the wall clock showed when the
    /// monotonic clock was zero. It is exact, and nothing that arrives changes it.
    pub fn shared(ntp_at_zero: NtpTime) -> Self {
        let bucket = Bucket { begins: MonoTime::ZERO, sent: 0, offset: 0 };
        Self {
            reference: Some(ntp_at_zero),
            buckets: VecDeque::from([bucket]),
            shared: true,
            ..Self::default()
        }
    }

    /// A packet that left at `sent` by the sender's clock has arrived at `now`.
    pub fn on_arrival(&mut self, now: MonoTime, sent: NtpTime) {
        if self.shared {
            return;
        }
        let reference = *self.reference.get_or_insert(sent);
        let arrived = i64::try_from(now.as_nanos()).unwrap_or(i64::MAX);
        let sent = sent.since(reference).as_nanos();
        let offset = arrived.saturating_sub(sent);
        self.meter.observe(now, TimeDelta::from_nanos(offset));
        match self.buckets.back_mut() {
            Some(bucket) if now.since(bucket.begins) < BUCKET => {
                if offset < bucket.offset_at(sent, self.slope) {
                    (bucket.sent, bucket.offset) = (sent, offset);
                }
            }
            _ => {
                self.follow_drift();
                self.buckets.push_back(Bucket { begins: now, sent, offset });
                if self.buckets.len() > BUCKETS {
                    self.buckets.pop_front();
                }
            }
        }
    }

    /// Once the clocks are known to part they are taken to, at what was last measured.
    fn follow_drift(&mut self) {
        let drift = self.drift().unwrap_or(Drift::NONE);
        if self.slope != 0.0 || drift.exceeds(Drift::WORTH) {
            // Measured by our seconds, and used by the sender's.
            self.slope = drift.rate / (1.0 - drift.rate);
        }
    }

    /// How fast the sender's clock parts from ours: positive where it is slow. `None` until that
    /// can be told.
    pub fn drift(&self) -> Option<Drift> {
        if self.shared { Some(Drift::NONE) } else { self.meter.drift() }
    }

    /// What packets say of their sending is about to jump, though neither clock does: that is no drift.
    pub fn interrupt(&mut self) {
        self.meter.interrupt();
    }

    /// A request was answered after `round_trip`. The smallest one counts.
    pub fn on_round_trip(&mut self, round_trip: Duration) {
        self.round_trip = Some(self.round_trip.map_or(round_trip, |least| least.min(round_trip)));
    }

    /// The smallest round trip so far.
    pub fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// By how much the map may be wrong in either direction; `None` before any round trip.
    pub fn uncertainty(&self) -> Option<Duration> {
        match self.shared {
            true => Some(Duration::ZERO),
            false => self.round_trip.map(|round_trip| round_trip / 2),
        }
    }

    /// The local instant at which the sender's clock showed `ntp`; `None` before any arrival.
    pub fn to_local(&self, ntp: NtpTime) -> Option<MonoTime> {
        let reference = self.reference?;
        let sent = ntp.since(reference).as_nanos();
        let offsets = self.buckets.iter().map(|bucket| bucket.offset_at(sent, self.slope));
        let offset = offsets.min()?;
        let round_trip = self.round_trip.filter(|_| !self.shared);
        let half = round_trip.map_or(0, |span| (span.as_nanos() / 2) as i64);
        let local = sent.saturating_add(offset).saturating_sub(half);
        Some(MonoTime::ZERO + TimeDelta::from_nanos(local.max(0)))
    }

    /// What the sender's clock shows at the local instant `at`; `None` before any arrival.
    pub fn to_sender(&self, at: MonoTime) -> Option<NtpTime> {
        let reference = self.reference?;
        // Each step leaves what the clocks part in what the one before was off by.
        (0..3).try_fold(reference, |near, _| Some(near.offset(at - self.to_local(near)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ntp(millis: i64) -> NtpTime {
        NtpTime::from_unix(Duration::from_secs(1_700_000_000))
            .offset(TimeDelta::from_millis(millis))
    }

    #[test]
    fn the_fastest_packet_less_half_a_round_trip_is_the_offset() {
        let mut clock = SenderClock::new();
        clock.on_arrival(MonoTime::from_millis(1_060), ntp(0));
        clock.on_arrival(MonoTime::from_millis(1_070), ntp(20));
        clock.on_arrival(MonoTime::from_millis(1_095), ntp(40));
        clock.on_round_trip(Duration::from_millis(90));
        clock.on_round_trip(Duration::from_millis(80));
        assert_eq!(clock.to_local(ntp(100)), Some(MonoTime::from_millis(1_110)));
        assert_eq!(clock.to_sender(MonoTime::from_millis(1_110)), Some(ntp(100)));
        assert_eq!(clock.uncertainty(), Some(Duration::from_millis(40)));
    }

    #[test]
    fn a_shared_clock_is_exact_whatever_arrives() {
        let mut clock = SenderClock::shared(ntp(0));
        clock.on_arrival(MonoTime::from_millis(70), ntp(20));
        clock.on_round_trip(Duration::from_millis(90));
        assert_eq!(clock.to_local(ntp(20)), Some(MonoTime::from_millis(20)));
        assert_eq!(clock.uncertainty(), Some(Duration::ZERO));
    }

    #[test]
    fn it_knows_nothing_before_the_first_arrival() {
        assert_eq!(SenderClock::new().to_local(ntp(0)), None);
    }

    /// A sender whose clock shows `ppm` parts in a million less each second, 40 ms away, after ten
    /// minutes; and by how much its clock is then mapped wrongly, in the middle of the last second.
    fn drifting(ppm: i64) -> (SenderClock, Duration) {
        let mut clock = SenderClock::new();
        let shown =
            |millis: u64| ntp(millis as i64).offset(TimeDelta::from_nanos(-ppm * millis as i64));
        for packet in 0..30_000u64 {
            clock.on_arrival(MonoTime::from_millis(40 + packet * 20), shown(packet * 20));
        }
        let error = clock.to_local(shown(599_500)).unwrap() - MonoTime::from_millis(599_540);
        (clock, error.abs())
    }

    #[test]
    fn clocks_that_part_are_mapped_to_the_microsecond_in_both_directions() {
        for ppm in [-300, -21, 21, 300] {
            let (clock, error) = drifting(ppm);
            assert!(error < Duration::from_micros(1), "{ppm}: {error:?}");
            let at = MonoTime::from_millis(599_540);
            let back = clock.to_local(clock.to_sender(at).unwrap()).unwrap() - at;
            assert!(back.abs() < Duration::from_micros(1), "{ppm}: {back:?}");
        }
    }

    #[test]
    fn a_drift_that_is_not_worth_it_is_followed_by_forgetting() {
        for ppm in [-19, 19] {
            let (clock, error) = drifting(ppm);
            assert_eq!(clock.slope, 0.0);
            assert!(error < Duration::from_micros(1_300), "{ppm}: {error:?}");
        }
    }
}
