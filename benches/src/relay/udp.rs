//! The UDP relay: many clients, one server, and an emulated link that they all share.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cantus_qos::time::MonoTime;
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};

use super::clock::Clock;
use super::{Owned, Relay, RelayError, is_passing, stopped};
use crate::duplex::{Direction, Duplex, Enter, Forward, Kind, SharedLog, udp_overhead};
use crate::link::{Ecn, LinkSpec};

#[cfg(test)]
mod tests;

/// Clients at once.
const MAX_CLIENTS: usize = 256;
/// How long a client is remembered that neither sends nor is sent anything.
const IDLE: Duration = Duration::from_secs(60);
/// The largest UDP payload.
const MAX_DATAGRAM: usize = 65_535;
/// Packets from the server that wait for the relay's task.
const BACKLOG: usize = 1024;

/// Starts a relay that listens on `listen` and passes on to `server`.
///
/// All clients share one link, as all hosts behind one network interface do. Each has a socket of
/// its own towards the server, so that the server can tell them apart.
///
/// # Errors
///
/// [`RelayError::Listen`] if the address is not to be had, [`RelayError::Link`] for a link that
/// cannot be.
pub async fn start(
    listen: SocketAddr,
    server: SocketAddr,
    spec: &LinkSpec,
    seed: u64,
) -> Result<Relay, RelayError> {
    let log = SharedLog::default();
    let duplex = Duplex::new(spec, seed, log.clone())?;
    let failed = |source| RelayError::Listen { address: listen, source };
    let socket = UdpSocket::bind(listen).await.map_err(failed)?;
    let address = socket.local_addr().map_err(failed)?;
    let (stop, stopping) = watch::channel(());
    let (to_relay, from_server) = mpsc::channel(BACKLOG);
    let clock = Clock::start();
    let clients = Clients {
        server,
        to_relay,
        by_address: BTreeMap::new(),
        by_route: BTreeMap::new(),
        routes: 0,
    };
    let udp = UdpRelay { clock, socket, clients, duplex, log: log.clone() };
    let task = tokio::spawn(udp.run(from_server, stopping));
    Ok(Relay { address, log, stop, task })
}

/// A packet from the server, and whose it is.
type FromServer = (u32, Bytes);

struct UdpRelay {
    clock: Clock,
    socket: UdpSocket,
    clients: Clients,
    duplex: Duplex,
    log: SharedLog,
}

impl UdpRelay {
    async fn run(
        mut self,
        mut from_server: mpsc::Receiver<FromServer>,
        mut stop: watch::Receiver<()>,
    ) {
        let mut buffer = vec![0; MAX_DATAGRAM];
        let mut sweep = MonoTime::ZERO + IDLE;
        loop {
            let now = self.clock.now();
            self.forward(now).await;
            if now >= sweep {
                self.clients.forget_idle(now);
                sweep = now + IDLE / 10;
            }
            let deadline = self.duplex.next_deadline().map_or(sweep, |next| next.min(sweep));
            tokio::select! {
                () = stopped(&mut stop) => return,
                received = self.socket.recv_from(&mut buffer) => match received {
                    Ok((length, from)) => self.on_client(from, &buffer[..length]).await,
                    Err(error) if is_passing(&error) => {}
                    Err(error) => return tracing::error!(%error, "the relay's socket failed"),
                },
                Some((route, data)) = from_server.recv() => self.on_server(route, data),
                () = self.clock.wait_until(Some(deadline)) => {}
            }
        }
    }

    async fn on_client(&mut self, from: SocketAddr, payload: &[u8]) {
        let now = self.clock.now();
        match self.clients.route(now, from).await {
            Ok(route) => {
                let data = Bytes::copy_from_slice(payload);
                self.duplex.push(now, enter(Direction::ToServer, route, data, from));
            }
            Err(error) => {
                tracing::debug!(%from, %error, "a client was turned away");
                self.log.on_refused();
            }
        }
    }

    fn on_server(&mut self, route: u32, data: Bytes) {
        let now = self.clock.now();
        if let Some(client) = self.clients.by_route.get_mut(&route) {
            client.active = now;
            self.duplex.push(now, enter(Direction::ToClient, route, data, client.address));
        }
    }

    /// Sends what has come through the link.
    async fn forward(&mut self, now: MonoTime) {
        while let Some(Forward { direction, route, data, .. }) = self.duplex.pop(now) {
            let Some(client) = self.clients.by_route.get(&route) else {
                self.log.on_unsent();
                continue;
            };
            let sent = match direction {
                Direction::ToServer => client.upstream.send(&data).await,
                Direction::ToClient => self.socket.send_to(&data, client.address).await,
            };
            if sent.is_err() {
                self.log.on_unsent();
            }
        }
    }
}

/// What a UDP payload is on the link, from or to a client.
fn enter(direction: Direction, route: u32, data: Bytes, client: SocketAddr) -> Enter {
    let kind = Kind::of_datagram(&data);
    let (overhead, ecn) = (udp_overhead(client.ip()), Ecn::NotCapable);
    Enter { direction, route, kind, data, overhead, ecn }
}

/// The clients that are known, by where they are and by number.
struct Clients {
    server: SocketAddr,
    to_relay: mpsc::Sender<FromServer>,
    by_address: BTreeMap<SocketAddr, u32>,
    by_route: BTreeMap<u32, Client>,
    routes: u32,
}

struct Client {
    address: SocketAddr,
    upstream: Arc<UdpSocket>,
    active: MonoTime,
    _reader: Owned,
}

impl Clients {
    /// The number of the client at `address`, who gets one if there is room.
    async fn route(&mut self, now: MonoTime, address: SocketAddr) -> io::Result<u32> {
        if let Some(&route) = self.by_address.get(&address) {
            if let Some(client) = self.by_route.get_mut(&route) {
                client.active = now;
            }
            return Ok(route);
        }
        self.forget_idle(now);
        if self.by_route.len() >= MAX_CLIENTS {
            return Err(io::Error::other(format!("{MAX_CLIENTS} clients are here already")));
        }
        let upstream = Arc::new(connect(self.server).await?);
        let route = self.routes;
        self.routes = self.routes.wrapping_add(1);
        let reader = tokio::spawn(read(upstream.clone(), route, self.to_relay.clone()));
        let _reader = Owned(reader.abort_handle());
        self.by_route.insert(route, Client { address, upstream, active: now, _reader });
        self.by_address.insert(address, route);
        Ok(route)
    }

    fn forget_idle(&mut self, now: MonoTime) {
        self.by_route.retain(|_, client| now.since(client.active) < IDLE);
        let known = &self.by_route;
        self.by_address.retain(|_, route| known.contains_key(route));
    }
}

async fn connect(server: SocketAddr) -> io::Result<UdpSocket> {
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(server).await?;
    Ok(socket)
}

/// Reads what the server sends to one client.
async fn read(upstream: Arc<UdpSocket>, route: u32, to_relay: mpsc::Sender<FromServer>) {
    let mut buffer = vec![0; MAX_DATAGRAM];
    loop {
        match upstream.recv(&mut buffer).await {
            Ok(length) => {
                let data = Bytes::copy_from_slice(&buffer[..length]);
                if to_relay.send((route, data)).await.is_err() {
                    return;
                }
            }
            Err(error) if is_passing(&error) => {}
            Err(error) => return tracing::warn!(%error, "a client's socket failed"),
        }
    }
}
