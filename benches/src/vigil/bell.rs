//! How another thread ends a wait.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::event::{EventfdFlags, eventfd};
use rustix::io::Errno;

/// A bell that a [`Vigil`](super::Vigil) can watch. Clones ring the same bell.
#[derive(Clone, Debug)]
pub struct Bell(Arc<OwnedFd>);

impl Bell {
    /// A bell that is silent.
    ///
    /// # Errors
    ///
    /// If the system has no more file descriptors.
    pub fn new() -> io::Result<Self> {
        Ok(Self(Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?)))
    }

    /// Rings: the bell can be read until it is silenced. Never waits.
    pub fn ring(&self) {
        // It cannot fail but by being rung 2^64 - 2 times, and then it rings all the same.
        let _: Result<usize, Errno> = rustix::io::write(&*self.0, &1u64.to_ne_bytes());
    }

    /// Lets it be silent again; whether it had rung.
    pub fn silence(&self) -> bool {
        rustix::io::read(&*self.0, &mut [0u8; 8]).is_ok()
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
