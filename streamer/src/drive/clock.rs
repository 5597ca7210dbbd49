//! The clock of the loops.

use std::time::{Instant, SystemTime};

use cantus_qos::time::{MonoTime, NtpTime};

/// The one clock.
#[derive(Copy, Clone, Debug)]
pub(super) struct Clock {
    zero: Instant,
    /// What the wall clock showed when it was zero.
    pub(super) ntp_at_zero: NtpTime,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the loops own the clock")]
    pub(super) fn start() -> Self {
        let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { zero: Instant::now(), ntp_at_zero: NtpTime::from_unix(unix) }
    }

    #[expect(clippy::disallowed_methods, reason = "the loops own the clock")]
    pub(super) fn now(&self) -> MonoTime {
        MonoTime::ZERO + Instant::now().duration_since(self.zero)
    }
}
