//! The UDP sockets of a client's media.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

use super::transport::Ports;
use crate::duplex::{Direction, Forward, SharedLog};
use crate::relay::{Owned, is_passing};

/// Media paths of one client at once.
const MAX_PATHS: usize = 16;
/// How often a pair of neighbouring ports is tried for.
const PAIR_ATTEMPTS: usize = 64;
/// The largest UDP payload.
const MAX_DATAGRAM: usize = 65_535;

/// A UDP payload that came to one of the sockets.
#[derive(Debug)]
pub(super) struct Arrived {
    pub(super) direction: Direction,
    pub(super) route: u32,
    pub(super) data: Bytes,
}

/// The addresses on both sides of the relay.
#[derive(Copy, Clone, Debug)]
pub(super) struct Sides {
    pub(super) client: IpAddr,
    pub(super) facing_client: IpAddr,
    pub(super) facing_server: IpAddr,
    pub(super) server: IpAddr,
}

/// The media paths of one client. Each SETUP has one, with two routes: 2n for RTP, 2n + 1 for
/// RTCP.
#[derive(Debug)]
pub(super) struct Media {
    sides: Sides,
    paths: BTreeMap<u32, Path>,
    next: u32,
    arrivals: mpsc::Sender<Arrived>,
    log: SharedLog,
}

#[derive(Debug)]
struct Path {
    client: Ports,
    server: Option<Ports>,
    facing_client: [Arc<UdpSocket>; 2],
    facing_server: [Arc<UdpSocket>; 2],
    _readers: Vec<Owned>,
}

/// The relay's own ports on a new path.
#[derive(Copy, Clone, Debug)]
pub(super) struct Opened {
    pub(super) path: u32,
    pub(super) facing_client: Ports,
    pub(super) facing_server: Ports,
}

impl Media {
    pub(super) fn new(sides: Sides, arrivals: mpsc::Sender<Arrived>, log: SharedLog) -> Self {
        Self { sides, paths: BTreeMap::new(), next: 0, arrivals, log }
    }

    /// Opens a path for a client that has its media at the ports `client`.
    pub(super) async fn open(&mut self, client: Ports) -> io::Result<Opened> {
        if self.paths.len() >= MAX_PATHS {
            return Err(io::Error::other(format!("{MAX_PATHS} media paths are open already")));
        }
        let facing_client = bind_pair(self.sides.facing_client).await?;
        let facing_server = bind_pair(self.sides.facing_server).await?;
        let path = self.next;
        self.next += 1;
        let mut readers = Vec::new();
        for half in 0..2 {
            let route = 2 * path + half as u32;
            for (sockets, direction, peer) in [
                (&facing_client, Direction::ToServer, self.sides.client),
                (&facing_server, Direction::ToClient, self.sides.server),
            ] {
                let reader = Reader { socket: sockets[half].clone(), direction, route, peer };
                let task = tokio::spawn(reader.run(self.arrivals.clone(), self.log.clone()));
                readers.push(Owned(task.abort_handle()));
            }
        }
        let opened = Opened {
            path,
            facing_client: ports(&facing_client)?,
            facing_server: ports(&facing_server)?,
        };
        let _readers = readers;
        self.paths
            .insert(path, Path { client, server: None, facing_client, facing_server, _readers });
        Ok(opened)
    }

    /// The server has its media of this path at the ports `server`.
    pub(super) fn settle(&mut self, path: u32, server: Ports) {
        if let Some(path) = self.paths.get_mut(&path) {
            path.server = Some(server);
        }
    }

    pub(super) fn close(&mut self, path: u32) {
        self.paths.remove(&path);
    }

    pub(super) fn close_all(&mut self) {
        self.paths.clear();
    }

    /// Sends what has come through the link.
    pub(super) async fn forward(&self, Forward { direction, route, data, .. }: Forward) {
        let sent = match self.way_out(direction, route) {
            Some((socket, to)) => socket.send_to(&data, to).await.is_ok(),
            None => false,
        };
        if !sent {
            self.log.on_unsent();
        }
    }

    fn way_out(&self, direction: Direction, route: u32) -> Option<(&UdpSocket, SocketAddr)> {
        let path = self.paths.get(&(route / 2))?;
        let half = (route % 2) as usize;
        let (sockets, address, (rtp, rtcp)) = match direction {
            Direction::ToServer => (&path.facing_server, self.sides.server, path.server?),
            Direction::ToClient => (&path.facing_client, self.sides.client, path.client),
        };
        Some((&*sockets[half], SocketAddr::new(address, [rtp, rtcp][half])))
    }
}

/// Reads what comes to one socket from its peer.
struct Reader {
    socket: Arc<UdpSocket>,
    direction: Direction,
    route: u32,
    peer: IpAddr,
}

impl Reader {
    async fn run(self, arrivals: mpsc::Sender<Arrived>, log: SharedLog) {
        let Self { socket, direction, route, peer } = self;
        let mut buffer = vec![0; MAX_DATAGRAM];
        loop {
            match socket.recv_from(&mut buffer).await {
                Ok((_, from)) if from.ip() != peer => log.on_refused(),
                Ok((length, _)) => {
                    let data = Bytes::copy_from_slice(&buffer[..length]);
                    if arrivals.send(Arrived { direction, route, data }).await.is_err() {
                        return;
                    }
                }
                Err(error) if is_passing(&error) => {}
                Err(error) => return tracing::warn!(%error, "a media socket failed"),
            }
        }
    }
}

fn ports(pair: &[Arc<UdpSocket>; 2]) -> io::Result<Ports> {
    Ok((pair[0].local_addr()?.port(), pair[1].local_addr()?.port()))
}

/// Two sockets on neighbouring ports, the first even, as RTP and RTCP have them (RFC 3550,
/// section 11).
async fn bind_pair(address: IpAddr) -> io::Result<[Arc<UdpSocket>; 2]> {
    let mut refused = None;
    for _ in 0..PAIR_ATTEMPTS {
        let first = UdpSocket::bind((address, 0)).await?;
        let port = first.local_addr()?.port();
        match UdpSocket::bind((address, port ^ 1)).await {
            Ok(second) if port % 2 == 0 => return Ok([first.into(), second.into()]),
            Ok(second) => return Ok([second.into(), first.into()]),
            Err(error) => refused = Some(error),
        }
    }
    Err(refused.unwrap_or_else(|| io::ErrorKind::AddrInUse.into()))
}
