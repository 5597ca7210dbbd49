//! The one clock of what the bench does in real time.

use std::time::{Duration, Instant};

use cantus_qos::time::MonoTime;
use rustix::io::Errno;
use rustix::thread::clock_nanosleep_absolute;
use rustix::time::{ClockId, Timespec, clock_gettime};

/// The monotonic clock, counted from the instant at which it was started.
#[derive(Copy, Clone, Debug)]
pub struct Clock {
    /// CLOCK_MONOTONIC at zero: alarms are set to absolute times of the system.
    origin: Timespec,
    zero: Instant,
}

impl Clock {
    /// A clock whose zero is now.
    #[expect(clippy::disallowed_methods, reason = "what happens in real time owns the clock")]
    pub fn start() -> Self {
        Self { origin: clock_gettime(ClockId::Monotonic), zero: Instant::now() }
    }

    /// Now.
    pub fn now(self) -> MonoTime {
        self.mono(clock_gettime(ClockId::Monotonic))
    }

    /// Sleeps until `at`, for what has nothing to wait for but the time.
    pub fn sleep_until(self, at: MonoTime) {
        let time = self.timespec(at);
        while clock_nanosleep_absolute(ClockId::Monotonic, &time) == Err(Errno::INTR) {}
    }

    /// The same instant for a runtime that tells time in its own way.
    pub fn instant(self, at: MonoTime) -> Option<Instant> {
        self.zero.checked_add(at.since(MonoTime::ZERO))
    }

    /// The same instant on the clock of the system.
    pub(super) fn timespec(self, at: MonoTime) -> Timespec {
        let span = Timespec::try_from(at.since(MonoTime::ZERO));
        let absolute = span.ok().and_then(|span| self.origin.checked_add(span));
        absolute.unwrap_or(Timespec { tv_sec: i64::MAX, tv_nsec: 0 })
    }

    pub(super) fn mono(self, time: Timespec) -> MonoTime {
        let span = time.checked_sub(self.origin).map(Duration::try_from);
        MonoTime::ZERO + span.and_then(Result::ok).unwrap_or_default()
    }
}
