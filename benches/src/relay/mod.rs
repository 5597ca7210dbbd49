//! Emulated links in real time, between real sockets.
//!
//! * [`udp`]: passes datagrams between many clients and one server. Good for QUIC.
//! * [`rtsp`]: stands between an RTSP client and its server, and passes their media too.
//!
//! A relay works on its own tasks from the moment it is started until its handle, a [`Relay`], is
//! stopped or dropped. It must be started within a tokio runtime. Timers of tokio come about a
//! millisecond late; the emulated links keep their own time, so that the lateness does not add up.

mod clock;
pub mod rtsp;
pub mod udp;

use std::io;
use std::net::SocketAddr;

use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinHandle};

use crate::duplex::{PacketCounts, PacketLog, SharedLog};
use crate::link::LinkError;

/// Why a relay could not start.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The address to listen on is not to be had.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// There is no such link.
    #[error(transparent)]
    Link(#[from] LinkError),
}

/// A running relay. Dropping it stops it as well.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    log: SharedLog,
    stop: watch::Sender<()>,
    task: JoinHandle<()>,
}

impl Relay {
    /// Where clients reach it.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it has done so far.
    pub fn counts(&self) -> PacketCounts {
        self.log.counts()
    }

    /// The log so far.
    pub fn log(&self) -> PacketLog {
        self.log.snapshot()
    }

    /// Ends it, with all its connections, and hands out the whole log. What is still on the link
    /// stays `in flight`.
    pub async fn stop(self) -> PacketLog {
        drop(self.stop);
        if let Err(error) = self.task.await {
            tracing::warn!(%error, "a relay did not end well");
        }
        self.log.snapshot()
    }
}

/// Ends when the relay is to stop.
async fn stopped(stop: &mut watch::Receiver<()>) {
    // Nothing is ever sent: the only news is that the handle is gone.
    while stop.changed().await.is_ok() {}
}

/// A task that ends with its owner.
#[derive(Debug)]
struct Owned(AbortHandle);

impl Drop for Owned {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Whether a UDP socket can go on after this error: an ICMP message told that an earlier packet
/// found nobody.
fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset)
}
