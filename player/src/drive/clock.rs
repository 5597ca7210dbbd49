//! What time it is.

use std::time::{Duration, Instant, SystemTime};

use cantus_qos::time::{MonoTime, NtpTime};
use tokio::time::Instant as TimerInstant;

/// The one clock.
#[derive(Copy, Clone, Debug)]
pub(super) struct Clock {
    zero: Instant,
    /// What the wall clock showed when it began.
    pub(super) ntp_at_zero: NtpTime,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "this loop owns the clock")]
    pub(super) fn start() -> Self {
        let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { zero: Instant::now(), ntp_at_zero: NtpTime::from_unix(unix) }
    }

    #[expect(clippy::disallowed_methods, reason = "this loop owns the clock")]
    pub(super) fn now(&self) -> MonoTime {
        MonoTime::ZERO + Instant::now().duration_since(self.zero)
    }

    pub(super) fn at(&self, came: Came) -> MonoTime {
        MonoTime::ZERO + came.0.saturating_duration_since(self.zero)
    }

    pub(super) fn timer(&self, at: MonoTime) -> TimerInstant {
        TimerInstant::from_std(self.zero + at.since(MonoTime::ZERO))
    }

    /// Something that differs from player to player: its identifiers need not be secret.
    pub(super) fn seed(&self) -> u64 {
        self.ntp_at_zero.to_bits() ^ (u64::from(std::process::id()) << 40)
    }
}

/// When something has come.
#[derive(Copy, Clone, Debug)]
pub(super) struct Came(Instant);

impl Came {
    /// What seems to have been held for longer than this was not: the wall clock was set meanwhile.
    #[cfg(target_os = "linux")]
    const LONGEST: Duration = Duration::from_secs(1);

    #[expect(clippy::disallowed_methods, reason = "this stands beside the clock")]
    pub(super) fn now() -> Self {
        Self(Instant::now())
    }

    /// When the system's wall clock showed so much since 1970.
    #[cfg(target_os = "linux")]
    #[expect(clippy::disallowed_methods, reason = "this stands beside the clock")]
    pub(super) fn at_wall(unix: Duration) -> Self {
        let Self(now) = Self::now();
        let held = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH + unix);
        let held = held.ok().filter(|held| *held <= Self::LONGEST);
        Self(now.checked_sub(held.unwrap_or_default()).unwrap_or(now))
    }
}
