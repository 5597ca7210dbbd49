//! Ports and groups to which media comes unasked.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use cantus_qos::delivery::{Channel, DeliveryClass};
use cantus_qos::roq::FlowId;
use cantus_qos::rtcp;
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};
use tokio::net::UdpSocket;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::task::JoinSet;
use tracing::debug;

use super::link::{Arrival, ConnectError, INBOX};
use super::packets::{RECEIVE_BUFFER, read_packets};
use super::udp::mark;
use crate::feed::Place;

/// Where groups are joined, and reported to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Interface {
    /// The interface of this name, and its number.
    Named {
        /// The name.
        name: String,
        /// The number.
        index: u32,
    },
    /// The interface that has this address.
    Address(Ipv4Addr),
}

/// The sockets of a feed.
#[derive(Debug)]
pub(super) struct FeedLink {
    pub(super) arrivals: Receiver<Arrival>,
    flows: BTreeMap<FlowId, Reports>,
    /// They end with the link.
    _readers: JoinSet<()>,
}

/// Where reports go.
#[derive(Debug)]
struct Reports {
    socket: Arc<UdpSocket>,
    /// To the whole group (RFC 3550, section 6); or to where those of the sender come from, once
    /// they do.
    to: Arc<Mutex<Option<SocketAddr>>>,
}

impl FeedLink {
    /// Opens what `flows` come to; groups are joined on `interface`, or where the system thinks best.
    pub(super) fn open(
        flows: &[(FlowId, Place)],
        interface: Option<&Interface>,
    ) -> Result<Self, ConnectError> {
        let (sender, arrivals) = channel(INBOX);
        let mut readers = JoinSet::new();
        let mut reports = BTreeMap::new();
        for (flow, place) in flows {
            let open = |at: SocketAddr| {
                let opened = receive_at(at, interface);
                opened.map(Arc::new).map_err(|cause| ConnectError::Feed { at, cause })
            };
            let destination = match place {
                Place::Media(destination) => destination,
                Place::Repair(at) => {
                    let repair = open(*at)?;
                    // Repair packets have no header, and some look like reports.
                    let sort = |_: &[u8], _| Some(Channel::Rtp);
                    readers.spawn(read_packets(repair, *flow, sender.clone(), sort));
                    continue;
                }
            };
            let group = destination.rtcp.ip().is_multicast().then_some(destination.rtcp);
            let to = Arc::new(Mutex::new(group));
            let rtp = open(destination.rtp)?;
            let mut read = |socket: &Arc<UdpSocket>, usual| {
                let sort = sort(usual, to.clone());
                readers.spawn(read_packets(socket.clone(), *flow, sender.clone(), sort));
            };
            read(&rtp, Channel::Rtp);
            let socket = match destination.is_shared() {
                true => rtp,
                false => {
                    let rtcp = open(destination.rtcp)?;
                    read(&rtcp, Channel::Rtcp);
                    rtcp
                }
            };
            reports.insert(*flow, Reports { socket, to });
        }
        Ok(Self { arrivals, flows: reports, _readers: readers })
    }

    /// Sends a report, where it is known to whom.
    pub(super) fn transmit(&self, flow: FlowId, class: DeliveryClass, data: &[u8]) {
        let Some(Reports { socket, to }) = self.flows.get(&flow) else { return };
        let Some(to) = *to.lock().unwrap_or_else(PoisonError::into_inner) else { return };
        mark(socket, class);
        if let Err(error) = socket.try_send_to(data, to) {
            debug!(%error, "a report was not sent");
        }
    }
}

fn receive_at(at: SocketAddr, interface: Option<&Interface>) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(at), Type::DGRAM, Some(Protocol::UDP))?;
    if at.ip().is_multicast() {
        // Others on this machine may listen to the same group.
        socket.set_reuse_address(true)?;
    }
    // Bound to the group, and not to every address, it hears nothing else.
    socket.bind(&at.into())?;
    match at.ip() {
        IpAddr::V4(group) if group.is_multicast() => {
            let joined = match interface {
                Some(Interface::Named { index, .. }) => InterfaceIndexOrAddress::Index(*index),
                Some(Interface::Address(address)) => InterfaceIndexOrAddress::Address(*address),
                None => InterfaceIndexOrAddress::Address(Ipv4Addr::UNSPECIFIED),
            };
            socket.join_multicast_v4_n(&group, &joined)?;
            match interface {
                Some(Interface::Named { name, .. }) => keep_to(&socket, name),
                Some(Interface::Address(address)) => socket.set_multicast_if_v4(address)?,
                None => {}
            }
        }
        IpAddr::V6(group) if group.is_multicast() => {
            let index = match interface {
                Some(Interface::Named { index, .. }) => *index,
                Some(Interface::Address(_)) | None => 0,
            };
            socket.join_multicast_v6(&group, index)?;
            socket.set_multicast_if_v6(index)?;
        }
        _ => {}
    }
    // A smaller buffer than wished for is no reason not to play.
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket.into())
}

/// What leaves `socket` leaves by the device of this name. Linux before 5.7 lets only root say so: then
/// reports go where the system routes them, and the group is heard all the same.
fn keep_to(socket: &Socket, name: &str) {
    #[cfg(target_os = "linux")]
    if let Err(error) = socket.bind_device(Some(name.as_bytes())) {
        debug!(%error, name, "reports are not kept to the interface");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (socket, name);
}

/// Whoever sends is heard: its packets are told from others by their source (RFC 3550, section 8).
/// RTCP may share the port of RTP, told or untold (RFC 5761, section 4), and tells where reports go
/// `to`.
fn sort(
    usual: Channel,
    to: Arc<Mutex<Option<SocketAddr>>>,
) -> impl Fn(&[u8], SocketAddr) -> Option<Channel> {
    move |data, from| {
        let channel = if rtcp::is_rtcp(data) { Channel::Rtcp } else { usual };
        if channel == Channel::Rtcp {
            let mut to = to.lock().unwrap_or_else(PoisonError::into_inner);
            if to.is_none_or(|to| !to.ip().is_multicast()) {
                *to = Some(from);
            }
        }
        Some(channel)
    }
}
