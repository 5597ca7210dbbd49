//! Waiting in real time: until one of many sockets or devices can be read, or until an instant,
//! whichever comes first, and to tens of microseconds where a runtime's timer has milliseconds.
//!
//! ```text
//! clock:  where zero is, and what time it is
//! Vigil:  epoll over everything that is watched, and one timer of the kernel among it
//! Bell:   how another thread ends the waiting
//! thread: a thread that is woken at once
//! ```
//!
//! The instant is kept by a timerfd and not by the timeout of the wait: a timer has an absolute
//! time, and neither the thread's timer slack nor the 0.1 % that `poll` adds to it (timerfd_create(2),
//! prctl(2) at `PR_SET_TIMERSLACK`).

mod bell;
mod clock;

#[cfg(test)]
mod tests;

use std::io;
use std::mem::MaybeUninit;
use std::num::NonZeroU64;
use std::os::fd::{AsFd, OwnedFd};
use std::thread::{Builder, JoinHandle};

use cantus_qos::time::MonoTime;
use rustix::event::epoll;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use thread_priority::{
    RealtimeThreadSchedulePolicy, ThreadPriority, ThreadPriorityValue, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};

pub use bell::Bell;
pub use clock::Clock;

/// What is told of at once; the rest is told of by the next wait.
const EVENTS: usize = 64;
/// The mark of the timer. Nobody else has it.
const TIMER: u64 = u64::MAX;
const NEVER: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

/// Waits until something that it watches can be read, or until an instant.
#[derive(Debug)]
pub struct Vigil {
    clock: Clock,
    epoll: OwnedFd,
    timer: OwnedFd,
    set_to: Option<MonoTime>,
}

impl Vigil {
    /// A vigil that watches nothing yet and goes by `clock`.
    ///
    /// # Errors
    ///
    /// If the system has no more file descriptors.
    pub fn new(clock: Clock) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        epoll::add(&epoll, &timer, epoll::EventData::new_u64(TIMER), epoll::EventFlags::IN)?;
        Ok(Self { clock, epoll, timer, set_to: None })
    }

    /// Watches `source` from now on, and tells of it by `mark` as long as it can be read. It must
    /// not block when it is read: what can be read may be gone by then.
    ///
    /// # Errors
    ///
    /// If it cannot be watched, as a file cannot, or is watched already.
    pub fn watch(&self, source: impl AsFd, mark: u64) -> io::Result<()> {
        debug_assert_ne!(mark, TIMER, "this mark is the timer's");
        let data = epoll::EventData::new_u64(mark);
        Ok(epoll::add(&self.epoll, source, data, epoll::EventFlags::IN)?)
    }

    /// Watches `source` no longer. To close it does the same, unless a duplicate of it is open.
    ///
    /// # Errors
    ///
    /// If it was not watched.
    pub fn forget(&self, source: impl AsFd) -> io::Result<()> {
        Ok(epoll::delete(&self.epoll, source)?)
    }

    /// Waits until something can be read, or until `until`; without it, for as long as it takes.
    /// When `until` is past, looks once and does not wait.
    ///
    /// `ready` is filled anew with the marks of what can be read. It is empty when the instant
    /// has come, and may be so without cause, after a signal.
    ///
    /// # Errors
    ///
    /// What the system says; nothing that comes with time or with what is watched.
    pub fn wait(&mut self, until: Option<MonoTime>, ready: &mut Vec<u64>) -> io::Result<()> {
        ready.clear();
        let past = until.is_some_and(|until| until <= self.clock.now());
        if !past {
            self.set(until)?;
        }
        let timeout = past.then_some(&AT_ONCE);
        let mut events = [const { MaybeUninit::uninit() }; EVENTS];
        match epoll::wait(&self.epoll, &mut events, timeout) {
            Ok((events, _)) => {
                let marks = events.iter().map(|event| event.data.u64());
                ready.extend(marks.filter(|&mark| mark != TIMER));
                Ok(())
            }
            Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Sets the timer anew if it is not set to `until` already: each setting is a system call.
    fn set(&mut self, until: Option<MonoTime>) -> io::Result<()> {
        if self.set_to != until {
            let it_value = until.map_or(NEVER, |until| self.clock.timespec(until));
            let time = Itimerspec { it_interval: NEVER, it_value };
            timerfd_settime(&self.timer, TimerfdTimerFlags::ABSTIME, &time)?;
            self.set_to = until;
        }
        Ok(())
    }
}

/// Starts a thread that does `work` and is woken at once when it waits: with real-time priority
/// (SCHED_FIFO, see sched(7)) where the system permits it, and with the least timer slack.
///
/// Such a thread goes before all ordinary ones. It must wait nearly always.
///
/// # Errors
///
/// If the system gives no thread.
pub fn thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    Builder::new().name(name.to_owned()).spawn(move || {
        hasten();
        work()
    })
}

fn hasten() {
    // In the middle of what there is: before what is ordinary, behind what the kernel needs.
    let middle = ThreadPriorityValue::try_from(50u8).map(ThreadPriority::Crossplatform);
    let fifo = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    let raised = middle.map(|it| set_thread_priority_and_policy(thread_native_id(), it, fifo));
    match raised {
        Ok(Ok(())) => tracing::debug!("a thread has real-time priority"),
        refused => tracing::debug!(?refused, "a thread goes without real-time priority"),
    }
    if let Err(error) = rustix::thread::set_current_timer_slack(NonZeroU64::new(1)) {
        tracing::debug!(%error, "a thread keeps its timer slack");
    }
}
