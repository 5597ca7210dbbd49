//! The RTSP relay: stands between RTSP clients and their server, and passes their media through
//! emulated links.
//!
//! RTSP messages pass one by one over TCP, each way delayed by the base delay of its link and never
//! lost. In SETUP (RFC 2326, section 12.39) the relay puts ports of its own in the place of the
//! client's `client_port`, and in the answer ports of its own in the place of `server_port`:
//!
//! ```text
//! client  <- RTP, RTCP ->  [facing client]  link  [facing server]  <- RTP, RTCP ->  server
//! ```
//!
//! All media of one client share one link, as they share one way through a real network: RTP and
//! RTCP, and repair with what it repairs, meet the same queue and the same bursts. Each client has
//! a link of its own, the nth with the seed `seed + n`, counted from 0.

mod connection;
mod framing;
mod media;
mod setup;
mod transport;
mod ways;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::toll::SharedToll;
use super::{Relay, RelayError, Work, stopped};
use crate::duplex::{Duplex, SharedLog};
use crate::link::PathSpec;
use crate::vigil::Clock;
use connection::Connection;

/// Clients at once.
const MAX_CLIENTS: usize = 64;

/// Starts a relay that listens on `listen` and passes on to the RTSP server at `server`. It must be
/// started within a tokio runtime, which carries the messages; the media have threads of their own.
///
/// # Errors
///
/// [`RelayError::Listen`] if the address is not to be had, [`RelayError::Link`] for a link that
/// cannot be, [`RelayError::System`] if the system gives no thread.
pub async fn start(
    listen: SocketAddr,
    server: SocketAddr,
    path: impl Into<PathSpec>,
    seed: u64,
) -> Result<Relay, RelayError> {
    let (log, toll) = (SharedLog::default(), SharedToll::default());
    let path = path.into();
    // Built once for nothing, so that a bad link is an error of the start.
    path.links(seed)?;
    let failed = |source| RelayError::Listen { address: listen, source };
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let (stop, stopping) = watch::channel(());
    let clock = Clock::start();
    let relay = RtspRelay {
        clock,
        server,
        path,
        seed,
        log: log.clone(),
        toll: toll.clone(),
        clients: JoinSet::new(),
    };
    let task = tokio::spawn(relay.run(listener, stopping));
    Relay::new(vec![address], log, toll, clock, Work::Rtsp { stop, task })
}

struct RtspRelay {
    clock: Clock,
    server: SocketAddr,
    path: PathSpec,
    seed: u64,
    log: SharedLog,
    toll: SharedToll,
    clients: JoinSet<()>,
}

impl RtspRelay {
    async fn run(mut self, listener: TcpListener, mut stop: watch::Receiver<()>) {
        loop {
            tokio::select! {
                () = stopped(&mut stop) => return self.clients.shutdown().await,
                Some(_) = self.clients.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((client, from)) => self.on_client(client, from),
                    Err(error) => tracing::warn!(%error, "a client could not be accepted"),
                },
            }
        }
    }

    fn on_client(&mut self, client: TcpStream, from: SocketAddr) {
        if self.clients.len() >= MAX_CLIENTS {
            tracing::warn!(%from, "{MAX_CLIENTS} clients are here already");
            return self.log.on_refused();
        }
        let seed = self.seed;
        self.seed = self.seed.wrapping_add(1);
        let (clock, server, delays) = (self.clock, self.server, self.path.delays());
        let duplex = match self.path.links(seed) {
            Ok(links) => Duplex::of(links, self.log.clone()),
            Err(error) => return tracing::warn!(%error, "there is no link for this client"),
        };
        let (log, toll) = (self.log.clone(), self.toll.clone());
        self.clients.spawn(async move {
            let outcome = match TcpStream::connect(server).await {
                Ok(server) => Connection::new(clock, client, server, delays, duplex, log, toll),
                Err(error) => Err(error),
            };
            let outcome = match outcome {
                Ok(connection) => connection.run().await,
                Err(error) => Err(error),
            };
            if let Err(error) = outcome {
                tracing::warn!(%from, %error, "a relayed RTSP connection broke");
            }
        });
    }
}
