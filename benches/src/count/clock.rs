//! The system's own monotonic clock, which all processes of a machine share.

use std::time::Duration;

use cantus_qos::time::MonoTime;
use rustix::time::{ClockId, Timespec, clock_gettime};

use crate::vigil;

/// CLOCK_MONOTONIC, beside the clock that a vigil goes by.
#[derive(Copy, Clone, Debug)]
pub(super) struct Clock {
    vigil: vigil::Clock,
    /// The system's time at the vigil's zero.
    zero: MonoTime,
}

impl Clock {
    pub(super) fn start() -> Self {
        let vigil = vigil::Clock::start();
        let passed = vigil.now().since(MonoTime::ZERO);
        let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::Monotonic);
        let system = Duration::from_secs(tv_sec.unsigned_abs())
            + Duration::from_nanos(tv_nsec.unsigned_abs());
        Self { vigil, zero: MonoTime::ZERO + system.saturating_sub(passed) }
    }

    /// Now, on the system's clock.
    pub(super) fn now(self) -> MonoTime {
        self.zero + self.vigil.now().since(MonoTime::ZERO)
    }

    /// The clock to wait by.
    pub(super) fn vigil(self) -> vigil::Clock {
        self.vigil
    }
}
