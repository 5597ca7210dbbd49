//! The sender's wall clock as seen from here.

use std::collections::VecDeque;
use std::time::Duration;

use crate::time::{MonoTime, NtpTime, TimeDelta};

/// How long one minimum is collected for, and how many are remembered: the filter forgets after
/// about a minute, so that it follows a clock that drifts, and still has seen many idle queues.
const BUCKET: Duration = Duration::from_secs(8);
const BUCKETS: usize = 8;

/// Maps the sender's wall clock to the local monotonic clock.
///
/// The smallest `arrival - sending` of the last minute is the path with empty queues; half the
/// smallest round trip is taken off it. On an asymmetric path that is wrong by up to half the
/// round trip, which no receiver can find out: [`uncertainty`](Self::uncertainty) says so
/// (RFC 5905 has the same limit).
#[derive(Clone, Debug, Default)]
pub struct SenderClock {
    reference: Option<NtpTime>,
    buckets: VecDeque<Bucket>,
    round_trip: Option<Duration>,
    shared: bool,
}

#[derive(Copy, Clone, Debug)]
struct Bucket {
    begins: MonoTime,
    /// Smallest (arrival as nanoseconds) - (sending since the reference).
    offset: i64,
}

impl SenderClock {
    /// A map that knows nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The map where both ends are one machine: `ntp_at_zero` is what the wall clock showed when the
    /// monotonic clock was zero. It is exact, and nothing that arrives changes it.
    pub fn shared(ntp_at_zero: NtpTime) -> Self {
        let bucket = Bucket { begins: MonoTime::ZERO, offset: 0 };
        Self {
            reference: Some(ntp_at_zero),
            buckets: VecDeque::from([bucket]),
            round_trip: None,
            shared: true,
        }
    }

    /// A packet that left at `sent` by the sender's clock has arrived at `now`.
    pub fn on_arrival(&mut self, now: MonoTime, sent: NtpTime) {
        if self.shared {
            return;
        }
        let reference = *self.reference.get_or_insert(sent);
        let arrived = i64::try_from(now.as_nanos()).unwrap_or(i64::MAX);
        let offset = arrived.saturating_sub(sent.since(reference).as_nanos());
        match self.buckets.back_mut() {
            Some(bucket) if now.since(bucket.begins) < BUCKET => {
                bucket.offset = bucket.offset.min(offset);
            }
            _ => {
                self.buckets.push_back(Bucket { begins: now, offset });
                if self.buckets.len() > BUCKETS {
                    self.buckets.pop_front();
                }
            }
        }
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
        let offset = self.buckets.iter().map(|bucket| bucket.offset).min()?;
        let round_trip = self.round_trip.filter(|_| !self.shared);
        let half = round_trip.map_or(0, |span| (span.as_nanos() / 2) as i64);
        let local = ntp.since(reference).as_nanos().saturating_add(offset).saturating_sub(half);
        Some(MonoTime::ZERO + TimeDelta::from_nanos(local.max(0)))
    }

    /// What the sender's clock shows at the local instant `at`; `None` before any arrival.
    pub fn to_sender(&self, at: MonoTime) -> Option<NtpTime> {
        let reference = self.reference?;
        let zero = self.to_local(reference)?;
        Some(reference.offset(at - zero))
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

    #[test]
    fn a_slow_drift_is_followed_and_old_minima_are_forgotten() {
        let mut clock = SenderClock::new();
        // The sender's clock is slow: each second of ours it shows 100 us less.
        for second in 0..600u64 {
            let arrived = MonoTime::from_millis(40 + second * 1_000);
            clock.on_arrival(
                arrived,
                ntp(second as i64 * 1_000).offset(TimeDelta::from_micros(-100 * second as i64)),
            );
        }
        let shown = ntp(599_000).offset(TimeDelta::from_micros(-59_900));
        let error = clock.to_local(shown).unwrap() - MonoTime::from_millis(599_040);
        assert!(error.abs() < Duration::from_millis(7), "{error:?}");
    }
}
