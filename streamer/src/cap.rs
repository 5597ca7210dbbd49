//! The cap on what the server sends as a whole.

use std::num::NonZeroU32;
use std::time::Duration;

use cantus_qos::quantity::Bitrate;
use cantus_qos::time::MonoTime;
use governor::clock::{Clock, FakeRelativeClock};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

type Limiter = RateLimiter<NotKeyed, InMemoryState, FakeRelativeClock, NoOpMiddleware<Nanos>>;

/// A fixed cap (governor's GCRA), fed with our time instead of a clock of its own.
///
/// Admission keeps the promises below the cap already; the cap holds when sessions in stored mode
/// run ahead together, and delays them. What leaves although the cap is reached is owed, and paid
/// before anything else may run ahead.
pub(crate) struct RateCap {
    limiter: Option<Limiter>,
    burst: NonZeroU32,
    clock: FakeRelativeClock,
    shown: MonoTime,
    /// Bytes that have left and were not yet allowed for.
    owed: u32,
    free_at: MonoTime,
}

impl std::fmt::Debug for RateCap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RateCap")
            .field("owed", &self.owed)
            .field("free_at", &self.free_at)
            .finish_non_exhaustive()
    }
}

impl RateCap {
    /// A cap at `rate`; `None` is no cap.
    pub(crate) fn new(rate: Option<Bitrate>) -> Self {
        let clock = FakeRelativeClock::default();
        let burst = rate.map_or(NonZeroU32::MIN, burst);
        let limiter = rate.map(|rate| {
            let per_second = u32::try_from(rate.as_bps() / 8).unwrap_or(u32::MAX);
            let per_second = NonZeroU32::new(per_second).unwrap_or(NonZeroU32::MIN);
            let quota = Quota::per_second(per_second).allow_burst(burst);
            Limiter::direct_with_clock(quota, clock.clone())
        });
        Self { limiter, burst, clock, shown: MonoTime::ZERO, owed: 0, free_at: MonoTime::ZERO }
    }

    /// Until when nothing may run ahead, if that is after `now`.
    pub(crate) fn blocked_until(&mut self, now: MonoTime) -> Option<MonoTime> {
        self.settle(now);
        (self.owed > 0).then_some(self.free_at)
    }

    /// `bytes` leave at `now`.
    pub(crate) fn spend(&mut self, now: MonoTime, bytes: usize) {
        if self.limiter.is_some() {
            self.owed = self.owed.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
            self.settle(now);
        }
    }

    /// Pays what is owed as far as the cap allows.
    fn settle(&mut self, now: MonoTime) {
        let Some(limiter) = self.limiter.as_ref().filter(|_| now >= self.free_at) else { return };
        self.clock.advance(now.since(self.shown));
        self.shown = self.shown.max(now);
        while let Some(part) = NonZeroU32::new(self.owed.min(self.burst.get())) {
            if let Ok(Err(not_until)) = limiter.check_n(part) {
                self.free_at = now + not_until.wait_time_from(self.clock.now());
                return;
            }
            self.owed -= part.get();
        }
    }
}

/// What may leave at once: a quarter of a second, and never less than a large packet.
fn burst(rate: Bitrate) -> NonZeroU32 {
    let bytes = rate.bytes_in(Duration::from_millis(250)).clamp(2_048, u64::from(u32::MAX));
    NonZeroU32::new(bytes as u32).unwrap_or(NonZeroU32::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that pass in ten seconds where 1,000-byte packets are always at hand.
    fn passes(rate: Option<Bitrate>) -> u64 {
        let mut cap = RateCap::new(rate);
        let mut sent = 0;
        for millis in 0..10_000 {
            let now = MonoTime::from_millis(millis);
            if cap.blocked_until(now).is_none() {
                cap.spend(now, 1_000);
                sent += 1_000;
            }
        }
        sent
    }

    #[test]
    fn the_server_sends_what_the_cap_allows_and_no_more() {
        let sent = passes(Some(Bitrate::from_kbps(800)));
        assert!((950_000..=1_060_000).contains(&sent), "{sent} bytes of 1,000,000 and a burst");
    }

    #[test]
    fn what_leaves_in_spite_of_the_cap_is_paid_for_later() {
        let mut cap = RateCap::new(Some(Bitrate::from_kbps(80)));
        let start = MonoTime::from_millis(1);
        // A burst of 2,500 bytes is allowed; 10,000 more take one second.
        cap.spend(start, 12_500);
        let blocked = std::iter::successors(cap.blocked_until(start), |at| cap.blocked_until(*at));
        assert_eq!(blocked.last().unwrap(), MonoTime::from_millis(1_001));
    }

    #[test]
    fn without_a_cap_nothing_is_held() {
        assert_eq!(passes(None), 10_000_000);
    }
}
