//! The UDP sockets of a client's media, as its courier has them.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use bytes::Bytes;
use cantus_qos::time::MonoTime;

use super::transport::Ports;
use crate::duplex::{Direction, Enter, Kind};
use crate::relay::courier::Ways;
use crate::relay::socket;
use crate::vigil::Vigil;

/// The addresses on both sides of the relay.
#[derive(Copy, Clone, Debug)]
pub(super) struct Sides {
    pub(super) client: IpAddr,
    pub(super) facing_client: IpAddr,
    pub(super) facing_server: IpAddr,
    pub(super) server: IpAddr,
}

/// The way of the media of one SETUP. It has two routes: 2n for RTP, 2n + 1 for RTCP.
#[derive(Debug)]
pub(super) struct Path {
    pub(super) client: Ports,
    pub(super) server: Option<Ports>,
    pub(super) facing_client: [UdpSocket; 2],
    pub(super) facing_server: [UdpSocket; 2],
}

/// What is to change.
#[derive(Debug)]
pub(super) enum Order {
    /// A path of this number is there.
    Open(u32, Path),
    /// The server has its media of this path at these ports.
    Settle(u32, Ports),
    /// The path is not needed any more.
    Close(u32),
    /// No path is needed any more.
    CloseAll,
}

/// The media paths of one client, by number.
#[derive(Debug)]
pub(super) struct MediaWays {
    sides: Sides,
    paths: BTreeMap<u32, Path>,
    overruns: u64,
}

impl MediaWays {
    pub(super) fn new(sides: Sides) -> Self {
        Self { sides, paths: BTreeMap::new(), overruns: 0 }
    }

    fn open(&mut self, vigil: &Vigil, number: u32, path: Path) {
        for half in 0..2 {
            let route = 2 * number + half as u32;
            let sockets = [
                (&path.facing_client[half], Direction::ToServer),
                (&path.facing_server[half], Direction::ToClient),
            ];
            for (socket, direction) in sockets {
                if let Err(error) = vigil.watch(socket, mark(direction, route)) {
                    tracing::warn!(%error, "a media socket cannot be watched");
                }
            }
        }
        self.paths.insert(number, path);
    }

    fn close(&mut self, path: Option<Path>) {
        self.overruns += path.iter().map(Path::overruns).sum::<u64>();
    }
}

impl Path {
    fn overruns(&self) -> u64 {
        socket::overruns(self.facing_client.iter().chain(&self.facing_server))
    }
}

impl Ways for MediaWays {
    type Order = Order;

    fn obey(&mut self, vigil: &Vigil, order: Order) {
        match order {
            Order::Open(number, path) => self.open(vigil, number, path),
            Order::Settle(number, server) => {
                if let Some(path) = self.paths.get_mut(&number) {
                    path.server = Some(server);
                }
            }
            Order::Close(number) => {
                let path = self.paths.remove(&number);
                self.close(path);
            }
            Order::CloseAll => {
                while let Some((_, path)) = self.paths.pop_first() {
                    self.close(Some(path));
                }
            }
        }
    }

    fn socket(&self, mark: u64) -> Option<&UdpSocket> {
        let (direction, route) = marked(mark);
        let path = self.paths.get(&(route / 2))?;
        let sockets = match direction {
            Direction::ToServer => &path.facing_client,
            Direction::ToClient => &path.facing_server,
        };
        Some(&sockets[(route % 2) as usize])
    }

    fn entrance(
        &mut self,
        _now: MonoTime,
        _vigil: &Vigil,
        mark: u64,
        from: SocketAddr,
        data: &[u8],
    ) -> Option<Enter> {
        let (direction, route) = marked(mark);
        let peer = match direction {
            Direction::ToServer => self.sides.client,
            Direction::ToClient => self.sides.server,
        };
        (from.ip() == peer).then(|| {
            let data = Bytes::copy_from_slice(data);
            let kind = Kind::of_rtp_session(&data);
            Enter::udp(direction, route, kind, data, peer)
        })
    }

    fn exit(&self, direction: Direction, route: u32) -> Option<(&UdpSocket, Option<SocketAddr>)> {
        let path = self.paths.get(&(route / 2))?;
        let half = (route % 2) as usize;
        let (sockets, address, (rtp, rtcp)) = match direction {
            Direction::ToServer => (&path.facing_server, self.sides.server, path.server?),
            Direction::ToClient => (&path.facing_client, self.sides.client, path.client),
        };
        Some((&sockets[half], Some(SocketAddr::new(address, [rtp, rtcp][half]))))
    }

    fn overruns(&self) -> u64 {
        self.overruns + self.paths.values().map(Path::overruns).sum::<u64>()
    }
}

/// The mark of the socket to which come the packets of `route` that go in `direction`.
fn mark(direction: Direction, route: u32) -> u64 {
    u64::from(route) << 1 | u64::from(direction == Direction::ToClient)
}

/// What a mark stands for.
fn marked(mark: u64) -> (Direction, u32) {
    let direction = if mark & 1 == 1 { Direction::ToClient } else { Direction::ToServer };
    (direction, (mark >> 1) as u32)
}
