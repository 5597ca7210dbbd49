//! The UDP relay: many clients, a server or several, and an emulated link that they all share.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use bytes::Bytes;
use cantus_qos::time::MonoTime;

use super::courier::{Courier, Ways};
use super::toll::SharedToll;
use super::{Relay, RelayError, Work, socket};
use crate::duplex::{Direction, Duplex, Enter, Kind, SharedLog};
use crate::link::PathSpec;
use crate::vigil::{Clock, Vigil};

#[cfg(test)]
mod tests;

/// Clients at once.
const MAX_CLIENTS: usize = 256;
/// How long a client is remembered that neither sends nor is sent anything.
const IDLE: Duration = Duration::from_secs(60);
/// How often it is looked for such clients.
const SWEEP: Duration = Duration::from_secs(6);
/// Marks from here on are those of sockets that face a server: this and the route. Those before
/// are the doors.
const UPSTREAM: u64 = 1 << 32;

/// Where packets are listened for, and the server to which they go on.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Pair {
    /// Where clients reach the relay.
    pub listen: SocketAddr,
    /// Where the relay reaches the server.
    pub to: SocketAddr,
}

/// Starts a relay that listens on `listen` and passes on to `server`.
///
/// All clients share one link, as all hosts behind one network interface do. Each has a socket of
/// its own towards the server, so that the server can tell them apart.
///
/// Servers behind several doors see a client come from the same port, as behind a NAT that keeps to
/// RFC 4787 (section 4.1): what comes from several ports, Roc takes for several senders.
///
/// # Errors
///
/// [`RelayError::Listen`] if the address is not to be had, [`RelayError::Link`] for a link that
/// cannot be, [`RelayError::System`] if the system gives no thread.
pub fn start(
    listen: SocketAddr,
    server: SocketAddr,
    path: impl Into<PathSpec>,
    seed: u64,
) -> Result<Relay, RelayError> {
    start_all(&[Pair { listen, to: server }], path, seed)
}

/// As [`start`], for several pairs that share one link: RTP, RTCP and repair go to ports of their
/// own, and through one network.
///
/// # Errors
///
/// As [`start`].
pub fn start_all(
    pairs: &[Pair],
    path: impl Into<PathSpec>,
    seed: u64,
) -> Result<Relay, RelayError> {
    let log = SharedLog::default();
    let toll = SharedToll::default();
    let duplex = Duplex::new(path, seed, log.clone())?;
    let mut doors = Vec::new();
    let mut addresses = Vec::new();
    for &Pair { listen, to } in pairs {
        let failed = |source| RelayError::Listen { address: listen, source };
        let socket = socket::bind(listen).map_err(failed)?;
        addresses.push(socket.local_addr().map_err(failed)?);
        doors.push(Door { socket, server: to });
    }
    let clock = Clock::start();
    let courier = Courier::start(clock, Clients::of(doors), duplex, log.clone(), toll.clone())
        .map_err(RelayError::System)?;
    Relay::new(addresses, log, toll, clock, Work::Udp(courier))
}

/// A socket that faces clients, and the server behind it.
#[derive(Debug)]
struct Door {
    socket: UdpSocket,
    server: SocketAddr,
}

/// The clients that are known, by where they are and by number.
#[derive(Debug)]
struct Clients {
    doors: Vec<Door>,
    by_address: BTreeMap<(usize, SocketAddr), u32>,
    by_route: BTreeMap<u32, Client>,
    routes: u32,
    swept: MonoTime,
    overruns: u64,
}

#[derive(Debug)]
struct Client {
    door: usize,
    address: SocketAddr,
    upstream: UdpSocket,
    active: MonoTime,
}

impl Ways for Clients {
    type Order = Infallible;

    fn watch(&self, vigil: &Vigil) -> io::Result<()> {
        let mut doors = (0..).zip(&self.doors);
        doors.try_for_each(|(mark, door)| vigil.watch(&door.socket, mark))
    }

    fn obey(&mut self, _vigil: &Vigil, order: Infallible) {
        match order {}
    }

    fn socket(&self, mark: u64) -> Option<&UdpSocket> {
        match route_of(mark) {
            Some(route) => Some(&self.by_route.get(&route)?.upstream),
            None => Some(&self.doors.get(mark as usize)?.socket),
        }
    }

    fn entrance(
        &mut self,
        now: MonoTime,
        vigil: &Vigil,
        mark: u64,
        from: SocketAddr,
        data: &[u8],
    ) -> Option<Enter> {
        let (direction, route, client) = match route_of(mark) {
            Some(route) => {
                let client = self.by_route.get_mut(&route)?;
                client.active = now;
                (Direction::ToClient, route, client.address)
            }
            None => {
                let route = self.route(now, vigil, mark as usize, from);
                let turned_away = |error: &io::Error| {
                    tracing::debug!(%from, %error, "a client was turned away");
                };
                (Direction::ToServer, route.inspect_err(turned_away).ok()?, from)
            }
        };
        let data = Bytes::copy_from_slice(data);
        let kind = Kind::of_datagram(&data);
        Some(Enter::udp(direction, route, kind, data, client.ip()))
    }

    fn exit(&self, direction: Direction, route: u32) -> Option<(&UdpSocket, Option<SocketAddr>)> {
        let client = self.by_route.get(&route)?;
        match direction {
            Direction::ToServer => Some((&client.upstream, None)),
            Direction::ToClient => Some((&self.doors[client.door].socket, Some(client.address))),
        }
    }

    fn tend(&mut self, now: MonoTime) -> Option<MonoTime> {
        if now >= self.swept + SWEEP {
            self.forget_idle(now);
            self.swept = now;
        }
        Some(self.swept + SWEEP)
    }

    fn overruns(&self) -> u64 {
        let doors = self.doors.iter().map(|door| &door.socket);
        let upstreams = self.by_route.values().map(|client| &client.upstream);
        self.overruns + socket::overruns(doors.chain(upstreams))
    }
}

/// Whose socket towards the server is watched by this mark; `None` for a door.
fn route_of(mark: u64) -> Option<u32> {
    mark.checked_sub(UPSTREAM).map(|route| route as u32)
}

impl Clients {
    fn of(doors: Vec<Door>) -> Self {
        Self {
            doors,
            by_address: BTreeMap::new(),
            by_route: BTreeMap::new(),
            routes: 0,
            swept: MonoTime::ZERO,
            overruns: 0,
        }
    }

    /// The number of the client at `address` who came to the door `door`, and gets one if there
    /// is room.
    fn route(
        &mut self,
        now: MonoTime,
        vigil: &Vigil,
        door: usize,
        address: SocketAddr,
    ) -> io::Result<u32> {
        if let Some(&route) = self.by_address.get(&(door, address)) {
            if let Some(client) = self.by_route.get_mut(&route) {
                client.active = now;
            }
            return Ok(route);
        }
        self.forget_idle(now);
        if self.by_route.len() >= MAX_CLIENTS {
            return Err(io::Error::other(format!("{MAX_CLIENTS} clients are here already")));
        }
        let upstream = socket::connect(self.doors[door].server, self.port_of(address)?)?;
        let route = self.routes;
        vigil.watch(&upstream, UPSTREAM + u64::from(route))?;
        self.routes = self.routes.wrapping_add(1);
        self.by_route.insert(route, Client { door, address, upstream, active: now });
        self.by_address.insert((door, address), route);
        Ok(route)
    }

    /// The port that stands for the client towards servers behind other doors; 0 for any, if it has
    /// come to none yet.
    fn port_of(&self, address: SocketAddr) -> io::Result<u16> {
        let known = self.by_route.values().find(|client| client.address == address);
        known.map_or(Ok(0), |client| Ok(client.upstream.local_addr()?.port()))
    }

    fn forget_idle(&mut self, now: MonoTime) {
        let idle = |client: &Client| now.since(client.active) >= IDLE;
        let leaving = self.by_route.values().filter(|client| idle(client));
        let sockets: Vec<_> = leaving.map(|client| &client.upstream).collect();
        if sockets.is_empty() {
            return;
        }
        self.overruns += socket::overruns(sockets);
        self.by_route.retain(|_, client| !idle(client));
        let known = &self.by_route;
        self.by_address.retain(|_, route| known.contains_key(route));
    }
}
