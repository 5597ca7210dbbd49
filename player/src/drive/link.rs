//! The way to a server, whatever carries it.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use cantus_qos::delivery::{Channel, DeliveryClass};
use cantus_qos::roq::FlowId;

use super::clock::Came;
use super::feed::FeedLink;
use super::quic::QuicLink;
use super::udp::UdpLink;
use crate::trust::{Fingerprint, Trust, TrustError};
use crate::url::{Scheme, StreamUrl};

/// How long a connection may take.
pub(super) const CONNECT: Duration = Duration::from_secs(5);

/// What has arrived and waits for the loop. When it is full the network waits: there is more room
/// in the system's buffers, or in those of QUIC.
pub(super) const INBOX: usize = 128;

/// What is read of a reliable stream at once.
pub(super) const CHUNK: usize = 2_048;

/// Why a server could not be reached. Each is one line for the user.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The name has no address.
    #[error("no server at {server}: {cause}")]
    Address {
        /// Host and port.
        server: String,
        /// What the system says.
        cause: io::Error,
    },
    /// Nobody listens there, or the way is blocked.
    #[error("cannot connect to {server}: {cause}")]
    Refused {
        /// Host and port.
        server: String,
        /// What the system says.
        cause: String,
    },
    /// No answer.
    #[error("no answer from {server} for {} s: is this the right port, and {} not blocked?", after.as_secs(), protocol)]
    TimedOut {
        /// Host and port.
        server: String,
        /// UDP for QUIC, TCP for RTSP.
        protocol: &'static str,
        /// How long was waited.
        after: Duration,
    },
    /// The server is not the one that it should be.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// What a feed comes to cannot be opened.
    #[error("cannot receive at {at}: {cause}{}", if at.ip().is_multicast() { " (--interface tells where to join the group)" } else { "" })]
    Feed {
        /// The address.
        at: SocketAddr,
        /// What the system says.
        cause: io::Error,
    },
    /// No ports for media.
    #[error("cannot open UDP ports for media: {0}")]
    Ports(io::Error),
}

/// What comes over the link.
#[derive(Debug)]
pub(super) enum Arrival {
    Control(Bytes),
    Packet { flow: FlowId, channel: Channel, data: Bytes, came: Came },
    Closed,
}

/// A connected link.
#[derive(Debug)]
pub(super) enum Link {
    Quic(QuicLink),
    Udp(UdpLink),
    Feed(FeedLink),
}

impl Link {
    pub(super) async fn connect(url: &StreamUrl, trust: Trust) -> Result<Self, ConnectError> {
        let server = url.authority();
        let addresses = resolve(url).await?;
        match url.scheme() {
            Scheme::Quic => {
                QuicLink::connect(&server, url.host(), &addresses, trust).await.map(Self::Quic)
            }
            Scheme::Rtsp => UdpLink::connect(&server, &addresses).await.map(Self::Udp),
        }
    }

    /// The certificate that was pinned because the server was new.
    pub(super) fn pinned(&self) -> Option<Fingerprint> {
        match self {
            Self::Quic(link) => link.pinned(),
            Self::Udp(_) | Self::Feed(_) => None,
        }
    }

    pub(super) fn control(&mut self, data: Bytes) {
        match self {
            Self::Quic(link) => link.control(data),
            Self::Udp(link) => link.control(data),
            Self::Feed(_) => {}
        }
    }

    /// Opens a pair of ports. On QUIC nothing needs to be opened, and for a feed it is.
    pub(super) fn bind(&mut self, flow: FlowId) -> Result<(u16, u16), ConnectError> {
        match self {
            Self::Quic(_) | Self::Feed(_) => Ok((0, 0)),
            Self::Udp(link) => link.bind(flow).map_err(ConnectError::Ports),
        }
    }

    pub(super) fn peer(&mut self, flow: FlowId, ports: (u16, u16)) {
        if let Self::Udp(link) = self {
            link.peer(flow, ports);
        }
    }

    pub(super) fn transmit(
        &mut self,
        flow: FlowId,
        channel: Channel,
        class: DeliveryClass,
        data: &[u8],
    ) {
        match self {
            Self::Quic(link) => link.transmit(flow, data),
            Self::Udp(link) => link.transmit(flow, channel, class, data),
            Self::Feed(link) => link.transmit(flow, class, data),
        }
    }

    /// What comes next; may be dropped and called again without losing anything.
    pub(super) async fn arrival(&mut self) -> Arrival {
        let next = match self {
            Self::Quic(link) => link.arrivals.recv().await,
            Self::Udp(link) => link.arrivals.recv().await,
            Self::Feed(link) => link.arrivals.recv().await,
        };
        match next {
            Some(arrival) => arrival,
            // Told once already; nothing else will ever come.
            None => std::future::pending().await,
        }
    }

    /// What has come already.
    pub(super) fn arrived(&mut self) -> Option<Arrival> {
        match self {
            Self::Quic(link) => link.arrivals.try_recv().ok(),
            Self::Udp(link) => link.arrivals.try_recv().ok(),
            Self::Feed(link) => link.arrivals.try_recv().ok(),
        }
    }

    /// The smallest round trip that the transport has measured.
    pub(super) fn round_trip(&self) -> Option<Duration> {
        match self {
            Self::Quic(link) => link.round_trip(),
            Self::Udp(_) | Self::Feed(_) => None,
        }
    }

    /// Says goodbye; for each step of it the server gets at most `patience`.
    pub(super) async fn close(self, patience: Duration) {
        match self {
            Self::Quic(link) => link.close(patience).await,
            Self::Udp(link) => link.close(patience).await,
            Self::Feed(_) => {}
        }
    }
}

async fn resolve(url: &StreamUrl) -> Result<Vec<SocketAddr>, ConnectError> {
    let server = url.authority();
    let host = url.host().trim_start_matches('[').trim_end_matches(']').to_owned();
    let addresses = tokio::net::lookup_host((host, url.port())).await;
    let addresses: Vec<_> = addresses
        .map_err(|cause| ConnectError::Address { server: server.clone(), cause })?
        .collect();
    if addresses.is_empty() {
        let cause = io::Error::from(io::ErrorKind::NotFound);
        return Err(ConnectError::Address { server, cause });
    }
    Ok(addresses)
}
