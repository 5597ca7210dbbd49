//! The media of a client: which paths there are, and the courier that has them.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, UdpSocket};

use super::transport::Ports;
use super::ways::{MediaWays, Order, Path, Sides};
use crate::duplex::{Duplex, SharedLog};
use crate::relay::courier::Courier;
use crate::relay::socket;
use crate::relay::toll::SharedToll;
use crate::vigil::Clock;

/// Media paths of one client at once.
const MAX_PATHS: usize = 16;
/// How often a pair of neighbouring ports is tried for.
const PAIR_ATTEMPTS: usize = 64;

/// The media paths of one client. Each SETUP has one.
#[derive(Debug)]
pub(super) struct Media {
    sides: Sides,
    open: BTreeSet<u32>,
    next: u32,
    courier: Courier<Order>,
}

/// The relay's own ports on a new path.
#[derive(Copy, Clone, Debug)]
pub(super) struct Opened {
    pub(super) path: u32,
    pub(super) facing_client: Ports,
    pub(super) facing_server: Ports,
}

impl Media {
    /// No paths yet, but the link that they will share.
    pub(super) fn start(
        clock: Clock,
        sides: Sides,
        duplex: Duplex,
        log: SharedLog,
        toll: SharedToll,
    ) -> io::Result<Self> {
        let courier = Courier::start(clock, MediaWays::new(sides), duplex, log, toll)?;
        Ok(Self { sides, open: BTreeSet::new(), next: 0, courier })
    }

    /// Opens a path for a client that has its media at the ports `client`.
    pub(super) fn open(&mut self, client: Ports) -> io::Result<Opened> {
        if self.open.len() >= MAX_PATHS {
            return Err(io::Error::other(format!("{MAX_PATHS} media paths are open already")));
        }
        let facing_client = bind_pair(self.sides.facing_client)?;
        let facing_server = bind_pair(self.sides.facing_server)?;
        let path = self.next;
        self.next += 1;
        let opened = Opened {
            path,
            facing_client: ports(&facing_client)?,
            facing_server: ports(&facing_server)?,
        };
        let ways = Path { client, server: None, facing_client, facing_server };
        self.open.insert(path);
        self.courier.order(Order::Open(path, ways));
        Ok(opened)
    }

    /// The server has its media of this path at the ports `server`.
    pub(super) fn settle(&mut self, path: u32, server: Ports) {
        self.courier.order(Order::Settle(path, server));
    }

    pub(super) fn close(&mut self, path: u32) {
        self.open.remove(&path);
        self.courier.order(Order::Close(path));
    }

    pub(super) fn close_all(&mut self) {
        self.open.clear();
        self.courier.order(Order::CloseAll);
    }
}

fn ports(pair: &[UdpSocket; 2]) -> io::Result<Ports> {
    Ok((pair[0].local_addr()?.port(), pair[1].local_addr()?.port()))
}

/// Two sockets on neighbouring ports, the first even, as RTP and RTCP have them (RFC 3550,
/// section 11).
fn bind_pair(address: IpAddr) -> io::Result<[UdpSocket; 2]> {
    let mut refused = None;
    for _ in 0..PAIR_ATTEMPTS {
        let first = socket::bind((address, 0).into())?;
        let port = first.local_addr()?.port();
        match socket::bind((address, port ^ 1).into()) {
            Ok(second) if port % 2 == 0 => return Ok([first, second]),
            Ok(second) => return Ok([second, first]),
            Err(error) => refused = Some(error),
        }
    }
    Err(refused.unwrap_or_else(|| io::ErrorKind::AddrInUse.into()))
}
