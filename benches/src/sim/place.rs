//! Where each of those who share a path lives.

use std::net::{IpAddr, Ipv4Addr};

use cantus_streamer::wire::{ConnectionId, Destination};

/// The first player's address (RFC 5737, TEST-NET-1); the next ones follow.
const FIRST: [u8; 4] = [192, 0, 2, 2];

/// One of those who share a path: by its number it is known to the streamer, and its packets are on
/// the links.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) struct Place(u8);

impl Place {
    /// The one with this number.
    pub(super) fn new(number: usize) -> Self {
        Self(u8::try_from(number).expect("a company is far smaller"))
    }

    /// What its control connection is called.
    pub(super) fn connection(self) -> ConnectionId {
        ConnectionId(u64::from(self.0) + 1)
    }

    /// Whose control connection that is.
    pub(super) fn of_connection(ConnectionId(id): ConnectionId) -> Option<Self> {
        Some(Self(u8::try_from(id.checked_sub(1)?).ok()?))
    }

    /// The address of its player.
    pub(super) fn address(self) -> IpAddr {
        let [a, b, c, d] = FIRST;
        IpAddr::V4(Ipv4Addr::new(a, b, c, d + self.0))
    }

    /// To whom the streamer sends.
    pub(super) fn of_destination(destination: &Destination) -> Option<Self> {
        match destination {
            Destination::Interleaved(connection, _)
            | Destination::Datagram(connection, _)
            | Destination::Stream(connection, _) => Self::of_connection(*connection),
            Destination::Udp(to) => match to.ip() {
                IpAddr::V4(ip) => Some(Self(ip.octets()[3].checked_sub(FIRST[3])?)),
                IpAddr::V6(_) => None,
            },
        }
    }

    /// How a packet from or to one of its ports is marked on the links.
    pub(super) fn route(self, port: u16) -> u32 {
        u32::from(self.0) << 16 | u32::from(port)
    }

    /// Whose packet that is.
    pub(super) fn of_route(route: u32) -> Self {
        Self((route >> 16) as u8)
    }

    /// A seed of its own; the first has the one that everything follows from.
    pub(super) fn seed(self, seed: u64) -> u64 {
        seed.wrapping_add(u64::from(self.0).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }
}
