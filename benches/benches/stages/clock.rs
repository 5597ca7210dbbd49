//! The clock that work is measured by.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The time that this thread has had on a core: what else runs on the machine does not count,
/// though it still disturbs caches.
fn on_core() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// How long a core works at this.
pub(crate) fn measure(work: impl FnOnce()) -> Duration {
    let begin = on_core();
    work();
    on_core() - begin
}
