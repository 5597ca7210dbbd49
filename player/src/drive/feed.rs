//! Ports and groups to which media comes unasked.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use cantus_qos::delivery::{Channel, DeliveryClass};
use cantus_qos::roq::FlowId;
use cantus_qos::rtcp;
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};
use tokio::net::UdpSocket;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;
use tracing::debug;

use super::link::{Arrival, ConnectError, INBOX};
use super::udp::{MAX_DATAGRAM, RECEIVE_BUFFER, mark};
use crate::feed::Place;

/// Where groups are joined.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Interface {
    /// The interface with this number.
    Index(u32),
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
        interface: Option<Interface>,
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
                    readers.spawn(read_packets(
                        repair,
                        (*flow, Channel::Rtp),
                        None,
                        sender.clone(),
                    ));
                    continue;
                }
            };
            let group = destination.rtcp.ip().is_multicast().then_some(destination.rtcp);
            let to = Arc::new(Mutex::new(group));
            let rtp = open(destination.rtp)?;
            let mut read = |socket: &Arc<UdpSocket>, usual| {
                let (socket, to) = (socket.clone(), Some(to.clone()));
                readers.spawn(read_packets(socket, (*flow, usual), to, sender.clone()));
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

fn receive_at(at: SocketAddr, interface: Option<Interface>) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(at), Type::DGRAM, Some(Protocol::UDP))?;
    if at.ip().is_multicast() {
        // Others on this machine may listen to the same group.
        socket.set_reuse_address(true)?;
    }
    // Bound to the group, and not to every address, it hears nothing else.
    socket.bind(&at.into())?;
    match at.ip() {
        IpAddr::V4(group) if group.is_multicast() => {
            let interface = match interface {
                Some(Interface::Index(index)) => InterfaceIndexOrAddress::Index(index),
                Some(Interface::Address(address)) => InterfaceIndexOrAddress::Address(address),
                None => InterfaceIndexOrAddress::Address(Ipv4Addr::UNSPECIFIED),
            };
            socket.join_multicast_v4_n(&group, &interface)?;
        }
        IpAddr::V6(group) if group.is_multicast() => {
            let index = match interface {
                Some(Interface::Index(index)) => index,
                Some(Interface::Address(_)) | None => 0,
            };
            socket.join_multicast_v6(&group, index)?;
        }
        _ => {}
    }
    // A smaller buffer than wished for is no reason not to play.
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket.into())
}

/// Whoever sends is heard: its packets are told from others by their source (RFC 3550, section 8).
/// Where no reports go `to`, none come: repair packets have no header, and some look like reports.
async fn read_packets(
    socket: Arc<UdpSocket>,
    (flow, usual): (FlowId, Channel),
    to: Option<Arc<Mutex<Option<SocketAddr>>>>,
    arrivals: Sender<Arrival>,
) {
    let mut buffer = vec![0; MAX_DATAGRAM];
    loop {
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else {
            // Errors are those of earlier sends (ICMP); the next packet comes all the same.
            tokio::task::yield_now().await;
            continue;
        };
        let data = Bytes::copy_from_slice(&buffer[..length]);
        // RTCP may share the port of RTP, told or untold (RFC 5761, section 4).
        let channel = if to.is_some() && rtcp::is_rtcp(&data) { Channel::Rtcp } else { usual };
        if let Some(to) = to.as_ref().filter(|_| channel == Channel::Rtcp) {
            let mut to = to.lock().unwrap_or_else(PoisonError::into_inner);
            if to.is_none_or(|to| !to.ip().is_multicast()) {
                *to = Some(from);
            }
        }
        if arrivals.send(Arrival::Packet { flow, channel, data }).await.is_err() {
            return;
        }
    }
}
