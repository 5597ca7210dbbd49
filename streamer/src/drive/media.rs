//! The UDP ports that media leaves from and reports come to: one pair for all sessions.

use std::cell::Cell;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use cantus_qos::delivery::{Channel, DeliveryClass};
use tracing::debug;

use super::StartError;

/// Tries to find two neighbouring ports, the even one for RTP (RFC 3550, section 11).
const TRIES: usize = 64;

/// What the system may queue for us: a burst of a few hundred sessions.
const SEND_BUFFER: usize = 1 << 20;

/// The pair of ports, or none where there is no RTSP.
#[derive(Debug)]
pub struct MediaSockets(Option<Pair>);

#[derive(Debug)]
struct Pair {
    rtp: Marked,
    /// The same as that of RTP where there is none.
    rtcp: Option<Marked>,
}

/// A socket and the mark that its packets carry at present.
#[derive(Debug)]
struct Marked {
    socket: UdpSocket,
    /// Whether addresses of IPv4 must be written as those of IPv6.
    ipv6: bool,
    marked: Cell<Option<DeliveryClass>>,
}

impl MediaSockets {
    /// No ports.
    pub fn none() -> Self {
        Self(None)
    }

    /// A pair of neighbouring ports on `address`.
    ///
    /// # Errors
    ///
    /// If the system has none.
    pub fn bind(address: IpAddr) -> Result<Self, StartError> {
        let listen = |reason| {
            let address = SocketAddr::new(address, 0);
            StartError::Listen { address, protocol: "RTP", reason }
        };
        let mut last = std::io::Error::from(std::io::ErrorKind::AddrInUse);
        for _ in 0..TRIES {
            let rtp = UdpSocket::bind((address, 0)).map_err(listen)?;
            let port = rtp.local_addr().map_err(listen)?.port();
            if port % 2 == 1 || port == u16::MAX {
                continue;
            }
            match UdpSocket::bind((address, port + 1)) {
                Ok(rtcp) => {
                    return Ok(Self(Some(Pair {
                        rtp: Marked::new(rtp).map_err(listen)?,
                        rtcp: Some(Marked::new(rtcp).map_err(listen)?),
                    })));
                }
                Err(error) => last = error,
            }
        }
        Err(listen(last))
    }

    /// One port on `address`, for everything.
    ///
    /// # Errors
    ///
    /// If the system has none.
    pub(crate) fn single(address: IpAddr) -> Result<Self, StartError> {
        let address = SocketAddr::new(address, 0);
        let socket = UdpSocket::bind(address).and_then(Marked::new);
        let refuse = |reason| StartError::Listen { address, protocol: "RTP", reason };
        Ok(Self(Some(Pair { rtp: socket.map_err(refuse)?, rtcp: None })))
    }

    /// The ports of RTP and RTCP; zero where there are none.
    pub fn ports(&self) -> (u16, u16) {
        self.0.as_ref().map_or((0, 0), |pair| (pair.rtp.port(), pair.rtcp().port()))
    }

    fn sockets(&self) -> impl Iterator<Item = &Marked> {
        self.0.iter().flat_map(|pair| [Some(&pair.rtp), pair.rtcp.as_ref()]).flatten()
    }

    /// The same sockets once more, for who listens on them.
    ///
    /// # Errors
    ///
    /// If the system has no more file descriptors.
    pub(crate) fn incoming(&self) -> std::io::Result<Vec<UdpSocket>> {
        self.sockets().map(|marked| marked.socket.try_clone()).collect()
    }

    /// Packets to groups leave by the interface that has the address `local`, and cross at most
    /// `ttl` networks.
    ///
    /// # Errors
    ///
    /// If no interface has that address.
    pub(crate) fn reach_groups(&self, local: IpAddr, ttl: u8) -> std::io::Result<()> {
        for marked in self.sockets() {
            leave_by(&marked.socket, local)?;
            let socket = socket2::SockRef::from(&marked.socket);
            match local {
                IpAddr::V4(_) => socket.set_multicast_ttl_v4(ttl.into())?,
                IpAddr::V6(_) => socket.set_multicast_hops_v6(ttl.into())?,
            }
        }
        Ok(())
    }

    /// Sends a packet, marked as its class wants it. UDP promises nothing: what the system does
    /// not take is lost, as on the way.
    pub fn send(&self, to: SocketAddr, channel: Channel, class: DeliveryClass, data: &[u8]) {
        let Some(pair) = &self.0 else { return };
        let marked = match channel {
            Channel::Rtp => &pair.rtp,
            Channel::Rtcp => pair.rtcp(),
        };
        marked.send(to, class, data);
    }
}

impl Pair {
    fn rtcp(&self) -> &Marked {
        self.rtcp.as_ref().unwrap_or(&self.rtp)
    }
}

/// What goes to groups leaves by the interface that has the address `local`. With IPv6 the zone of
/// the group tells the interface.
pub(super) fn leave_by(socket: &UdpSocket, local: IpAddr) -> std::io::Result<()> {
    match local {
        IpAddr::V4(address) => socket2::SockRef::from(socket).set_multicast_if_v4(&address),
        IpAddr::V6(_) => Ok(()),
    }
}

/// A socket that hears what is sent to `group`, beside others on this machine.
pub(super) fn join(group: SocketAddr, local: IpAddr) -> std::io::Result<UdpSocket> {
    use socket2::{Domain, Protocol, Socket, Type};
    let socket = Socket::new(Domain::for_address(group), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&group.into())?;
    match (group, local) {
        (SocketAddr::V4(group), IpAddr::V4(local)) => {
            socket.join_multicast_v4(group.ip(), &local)?;
        }
        (SocketAddr::V6(group), _) => socket.join_multicast_v6(group.ip(), group.scope_id())?,
        (SocketAddr::V4(_), IpAddr::V6(_)) => {
            return Err(std::io::ErrorKind::AddrNotAvailable.into());
        }
    }
    Ok(socket.into())
}

impl Marked {
    fn new(socket: UdpSocket) -> std::io::Result<Self> {
        socket.set_nonblocking(true)?;
        // A smaller buffer than wished for is no reason not to serve.
        let _ = socket2::SockRef::from(&socket).set_send_buffer_size(SEND_BUFFER);
        let ipv6 = socket.local_addr()?.is_ipv6();
        Ok(Self { socket, ipv6, marked: Cell::new(None) })
    }

    fn port(&self) -> u16 {
        self.socket.local_addr().map_or(0, |address| address.port())
    }

    fn send(&self, to: SocketAddr, class: DeliveryClass, data: &[u8]) {
        if self.marked.replace(Some(class)) != Some(class) {
            let mark = u32::from(class.dscp()) << 2;
            let socket = socket2::SockRef::from(&self.socket);
            // Unmarked is still sent; not every network takes marks, nor every system. A socket of
            // both families has a mark for each.
            let _ = socket.set_tos_v4(mark);
            if self.ipv6 {
                let _ = socket.set_tclass_v6(mark);
            }
        }
        let to = match to.ip() {
            IpAddr::V4(ip) if self.ipv6 => SocketAddr::new(ip.to_ipv6_mapped().into(), to.port()),
            _ => to,
        };
        if let Err(error) = self.socket.send_to(data, to) {
            debug!(%to, %error, "a packet was not sent");
        }
    }
}
