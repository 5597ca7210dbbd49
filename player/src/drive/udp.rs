//! Control over TCP, media over UDP.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use cantus_qos::delivery::{Channel, DeliveryClass};
use cantus_qos::roq::FlowId;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::{JoinHandle, JoinSet};
use tracing::debug;

use super::link::{Arrival, CHUNK, CONNECT, ConnectError, INBOX};
use super::packets::{RECEIVE_BUFFER, read_packets};

/// Tries to find two neighbouring ports, the even one for RTP (RFC 3550, section 11).
const TRIES: usize = 64;

/// A TCP connection and its UDP ports.
#[derive(Debug)]
pub(super) struct UdpLink {
    pub(super) arrivals: Receiver<Arrival>,
    sender: Sender<Arrival>,
    local: IpAddr,
    server: IpAddr,
    control: Sender<Bytes>,
    writer: JoinHandle<()>,
    /// They end with the link.
    readers: JoinSet<()>,
    flows: BTreeMap<FlowId, Ports>,
}

#[derive(Debug)]
struct Ports {
    rtp: Arc<tokio::net::UdpSocket>,
    rtcp: Arc<tokio::net::UdpSocket>,
    server: Option<(u16, u16)>,
}

impl UdpLink {
    pub(super) async fn connect(
        server: &str,
        addresses: &[SocketAddr],
    ) -> Result<Self, ConnectError> {
        let mut last = None;
        for address in addresses {
            match tokio::time::timeout(CONNECT, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Self::over(stream, server),
                Ok(Err(cause)) => {
                    let (server, cause) = (server.to_owned(), cause.to_string());
                    last = Some(ConnectError::Refused { server, cause });
                }
                Err(_) => {
                    let server = server.to_owned();
                    let timed_out =
                        ConnectError::TimedOut { server, protocol: "TCP", after: CONNECT };
                    last.get_or_insert(timed_out);
                }
            }
        }
        Err(last.unwrap_or_else(|| {
            let cause = "it has no address".to_owned();
            ConnectError::Refused { server: server.to_owned(), cause }
        }))
    }

    fn over(stream: TcpStream, server: &str) -> Result<Self, ConnectError> {
        let refused = |cause: io::Error| {
            let (server, cause) = (server.to_owned(), cause.to_string());
            ConnectError::Refused { server, cause }
        };
        // Requests are small and awaited.
        let _ = stream.set_nodelay(true);
        let local = stream.local_addr().map_err(refused)?.ip();
        let peer = stream.peer_addr().map_err(refused)?.ip();
        let (read, write) = stream.into_split();
        let (sender, arrivals) = channel(INBOX);
        let (control, written) = channel(64);
        let mut readers = JoinSet::new();
        readers.spawn(read_control(read, sender.clone()));
        let writer = tokio::spawn(write_control(write, written));
        let flows = BTreeMap::new();
        Ok(Self { arrivals, sender, local, server: peer, control, writer, readers, flows })
    }

    pub(super) fn control(&self, data: Bytes) {
        if self.control.try_send(data).is_err() {
            debug!("the server takes no requests");
        }
    }

    pub(super) fn bind(&mut self, flow: FlowId) -> io::Result<(u16, u16)> {
        let (rtp, rtcp) = pair(self.local)?;
        let ports = (rtp.local_addr()?.port(), rtcp.local_addr()?.port());
        let rtp = self.receive(flow, Channel::Rtp, rtp)?;
        let rtcp = self.receive(flow, Channel::Rtcp, rtcp)?;
        self.flows.insert(flow, Ports { rtp, rtcp, server: None });
        Ok(ports)
    }

    fn receive(
        &mut self,
        flow: FlowId,
        channel: Channel,
        socket: UdpSocket,
    ) -> io::Result<Arc<tokio::net::UdpSocket>> {
        socket.set_nonblocking(true)?;
        let socket = Arc::new(tokio::net::UdpSocket::from_std(socket)?);
        let arrivals = self.sender.clone();
        // Only the server is listened to.
        let server = self.server;
        let sort = move |_: &[u8], from: SocketAddr| (from.ip() == server).then_some(channel);
        self.readers.spawn(read_packets(socket.clone(), flow, arrivals, sort));
        Ok(socket)
    }

    pub(super) fn peer(&mut self, flow: FlowId, ports: (u16, u16)) {
        if let Some(flow) = self.flows.get_mut(&flow) {
            flow.server = Some(ports);
        }
    }

    pub(super) fn transmit(
        &self,
        flow: FlowId,
        channel: Channel,
        class: DeliveryClass,
        data: &[u8],
    ) {
        let Some(ports) = self.flows.get(&flow) else { return };
        let Some(server) = ports.server else { return };
        let (socket, port) = match channel {
            Channel::Rtp => (&ports.rtp, server.0),
            Channel::Rtcp => (&ports.rtcp, server.1),
        };
        mark(socket, class);
        if let Err(error) = socket.try_send_to(data, SocketAddr::new(self.server, port)) {
            debug!(%error, "a report was not sent");
        }
    }

    /// The last request is out before the connection closes.
    pub(super) async fn close(self, patience: Duration) {
        drop(self.control);
        // A writer that failed has nothing more to say, and one that the server lets wait is left.
        let _ = tokio::time::timeout(patience, self.writer).await;
    }
}

/// Not every system takes marks, and not every network heeds them.
pub(super) fn mark(socket: &tokio::net::UdpSocket, class: DeliveryClass) {
    let mark = u32::from(class.dscp()) << 2;
    let is_ipv4 = socket.local_addr().is_ok_and(|address| address.is_ipv4());
    let socket = socket2::SockRef::from(socket);
    let _ = if is_ipv4 { socket.set_tos_v4(mark) } else { socket.set_tclass_v6(mark) };
}

fn pair(address: IpAddr) -> io::Result<(UdpSocket, UdpSocket)> {
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..TRIES {
        let rtp = UdpSocket::bind((address, 0))?;
        let port = rtp.local_addr()?.port();
        if port % 2 == 1 || port == u16::MAX {
            continue;
        }
        match UdpSocket::bind((address, port + 1)) {
            Ok(rtcp) => {
                // A smaller buffer than wished for is no reason not to play.
                let _ = socket2::SockRef::from(&rtp).set_recv_buffer_size(RECEIVE_BUFFER);
                return Ok((rtp, rtcp));
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn read_control(mut read: OwnedReadHalf, arrivals: Sender<Arrival>) {
    let mut buffer = BytesMut::with_capacity(CHUNK);
    loop {
        buffer.reserve(CHUNK);
        match read.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(_) => {
                if arrivals.send(Arrival::Control(buffer.split().freeze())).await.is_err() {
                    return;
                }
            }
        }
    }
    // The loop may have ended already; then nobody needs to know.
    let _ = arrivals.send(Arrival::Closed).await;
}

async fn write_control(mut write: OwnedWriteHalf, mut written: Receiver<Bytes>) {
    while let Some(data) = written.recv().await {
        if write.write_all(&data).await.is_err() {
            return;
        }
    }
    let _ = write.shutdown().await;
}
