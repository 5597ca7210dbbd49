//! The one place of the bench's relays that reads a clock.

use cantus_qos::time::MonoTime;
use tokio::time::Instant;

/// The monotonic clock of a relay: its origin is the instant at which the relay started.
#[derive(Copy, Clone, Debug)]
pub(super) struct Clock {
    origin: Instant,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "a relay works in real time")]
    pub(super) fn start() -> Self {
        Self { origin: Instant::now() }
    }

    #[expect(clippy::disallowed_methods, reason = "a relay works in real time")]
    pub(super) fn now(self) -> MonoTime {
        MonoTime::ZERO + Instant::now().duration_since(self.origin)
    }

    /// Waits until `deadline`, for ever if there is none.
    pub(super) async fn wait_until(self, deadline: Option<MonoTime>) {
        let span = deadline.map(|deadline| deadline.since(MonoTime::ZERO));
        match span.and_then(|span| self.origin.checked_add(span)) {
            Some(instant) => tokio::time::sleep_until(instant).await,
            None => std::future::pending().await,
        }
    }
}
