//! The priority of a thread that paces.

use tracing::{debug, info};

/// SCHED_FIFO (sched(7)) where the system permits it: the pacer sleeps nearly always, and must not
/// wait for others when it wakes. In the middle of what there is: before what is ordinary, behind
/// what the kernel needs.
pub(super) fn raise_priority() {
    use thread_priority::{
        RealtimeThreadSchedulePolicy, ThreadPriority, ThreadPriorityValue, ThreadSchedulePolicy,
        set_thread_priority_and_policy, thread_native_id,
    };
    let middle = ThreadPriorityValue::try_from(50u8).map(ThreadPriority::Crossplatform);
    let fifo = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    match middle.map(|it| set_thread_priority_and_policy(thread_native_id(), it, fifo)) {
        Ok(Ok(())) => info!("pacing with real-time priority"),
        refused => debug!(?refused, "pacing without real-time priority"),
    }
}
