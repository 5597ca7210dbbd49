//! Emulated links in real time, between real sockets.
//!
//! * [`udp`]: passes datagrams between many clients and one server or several. Good for QUIC, and
//!   for RTP that is pushed.
//! * [`rtsp`]: stands between an RTSP client and its server, and passes their media too.
//!
//! A relay works from the moment it is started until its handle, a [`Relay`], is stopped or
//! dropped. Its packets are carried by a thread that waits for nothing but them and their time
//! ([`vigil`](crate::vigil)). What that costs them is told at the end, beside what the same machine
//! cost a [`BareForwarder`] meanwhile: the [`RelayRecord`].

mod courier;
mod netem;
pub mod rtsp;
mod socket;
mod toll;
mod trial;
pub mod udp;

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::SocketAddr;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::duplex::{PacketCounts, PacketLog, SharedLog};
use crate::lateness::{BareForwarder, Lateness};
use crate::link::LinkError;
use crate::vigil::Clock;
use courier::Courier;
pub use netem::{NetemError, netem};
use toll::{SharedToll, Toll};
pub use trial::{Trial, TrialRecord, lateness};

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
    /// The system gives no thread, socket or file descriptor.
    #[error("the system has nothing left for a relay: {0}")]
    System(io::Error),
}

/// A running relay. Dropping it stops it as well.
#[derive(Debug)]
pub struct Relay {
    addresses: Vec<SocketAddr>,
    log: SharedLog,
    toll: SharedToll,
    receive_buffer: usize,
    bare: BareForwarder,
    clock: Clock,
    work: Work,
}

/// What does the work, and ends it when it is dropped.
#[derive(Debug)]
enum Work {
    Udp { _courier: Courier<Infallible> },
    Rtsp { stop: watch::Sender<()>, task: JoinHandle<()> },
}

/// What a relay has done.
#[derive(Clone, Debug)]
pub struct RelayRecord {
    /// What became of every packet.
    pub log: PacketLog,
    /// How late the relay sent what its link had let go.
    pub lateness: Lateness,
    /// How late a [`BareForwarder`] was meanwhile.
    pub bare: Lateness,
    /// Datagrams that the kernel dropped because a socket of the relay was full. No link lost
    /// them, and the log does not know them.
    pub overruns: u64,
    /// What the kernel gave a socket of the relay to receive in, in bytes.
    pub receive_buffer: usize,
}

impl Relay {
    fn new(
        addresses: Vec<SocketAddr>,
        log: SharedLog,
        toll: SharedToll,
        clock: Clock,
        work: Work,
    ) -> Result<Self, RelayError> {
        let receive_buffer = socket::receive_buffer().map_err(RelayError::System)?;
        let bare = BareForwarder::start().map_err(RelayError::System)?;
        Ok(Self { addresses, log, toll, receive_buffer, bare, clock, work })
    }

    /// The clock that its log goes by.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Where clients reach it; the first such address if there are several.
    pub fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// All addresses where clients reach it, in the order in which they were asked for.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What it has done so far.
    pub fn counts(&self) -> PacketCounts {
        self.log.counts()
    }

    /// The log so far.
    pub fn log(&self) -> PacketLog {
        self.log.snapshot()
    }

    /// Ends it, with all its connections, and hands out what it has done. What is still on the
    /// link stays `in flight`.
    pub async fn stop(self) -> RelayRecord {
        let bare = self.bare.stop();
        match self.work {
            Work::Udp { _courier: courier } => drop(courier),
            Work::Rtsp { stop, task } => {
                drop(stop);
                if let Err(error) = task.await {
                    tracing::warn!(%error, "a relay did not end well");
                }
            }
        }
        let Toll { lateness, overruns } = self.toll.snapshot();
        let (log, receive_buffer) = (self.log.snapshot(), self.receive_buffer);
        RelayRecord { log, lateness, bare, overruns, receive_buffer }
    }
}

impl fmt::Display for RelayRecord {
    /// How late the relay was, beside the bare forwarder, for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "relay late by    {}", self.lateness)?;
        write!(f, "bare forwarder   {}", self.bare)?;
        if self.overruns > 0 {
            write!(
                f,
                "\nrelay overrun    {} packets were dropped before it read them",
                self.overruns
            )?;
        }
        if self.receive_buffer < socket::RECEIVE_BUFFER {
            let (given, wanted) = (self.receive_buffer, socket::RECEIVE_BUFFER);
            write!(f, "\nreceive buffers  {given} bytes, not {wanted}: raise net.core.rmem_max")?;
        }
        Ok(())
    }
}

/// Ends when the relay is to stop.
async fn stopped(stop: &mut watch::Receiver<()>) {
    // Nothing is ever sent: the only news is that the handle is gone.
    while stop.changed().await.is_ok() {}
}
