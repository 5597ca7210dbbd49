//! Virtual time for those who want a [`std::time::Instant`].

use std::time::{Duration, Instant, SystemTime};

use cantus_qos::time::MonoTime;
use quinn_proto::TimeSource;

/// Virtual instants as `Instant`s: an arbitrary base, read once, plus virtual time. Only spans
/// between them mean anything, and those are the same in every run.
#[derive(Copy, Clone, Debug)]
pub(super) struct Clock {
    base: Instant,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "an `Instant` can be had in no other way")]
    pub(super) fn new() -> Self {
        Self { base: Instant::now() }
    }

    pub(super) fn instant(self, at: MonoTime) -> Instant {
        self.base + at.since(MonoTime::ZERO)
    }

    pub(super) fn virtual_time(self, at: Instant) -> MonoTime {
        MonoTime::ZERO + at.saturating_duration_since(self.base)
    }
}

/// The wall clock of address validation tokens: it stands still.
#[derive(Debug)]
pub(super) struct FixedDate;

impl TimeSource for FixedDate {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
    }
}
