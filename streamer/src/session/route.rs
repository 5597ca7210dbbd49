//! How a flow reaches its listener.

use std::net::SocketAddr;

use cantus_qos::delivery::{Channel, DeliveryClass};
use cantus_qos::roq::FlowId;

use crate::wire::{ConnectionId, Destination, Source};

/// How a flow reaches its listener.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum Route {
    /// A pair of UDP ports.
    Udp {
        /// Where RTP goes.
        rtp: SocketAddr,
        /// Where RTCP goes, and comes from.
        rtcp: SocketAddr,
    },
    /// Between the messages of an RTSP connection over TCP (RFC 2326, section 10.12).
    Interleaved {
        /// The connection.
        connection: ConnectionId,
        /// The channel of RTP.
        rtp: u8,
        /// The channel of RTCP, in both directions.
        rtcp: u8,
    },
    /// A flow of a QUIC connection.
    Quic(ConnectionId),
}

impl Route {
    /// The connection that the packets travel on, and with which they end.
    pub fn connection(self) -> Option<ConnectionId> {
        match self {
            Self::Udp { .. } => None,
            Self::Interleaved { connection, .. } | Self::Quic(connection) => Some(connection),
        }
    }

    /// Whether what is sent arrives, or nothing does any more.
    pub fn is_reliable(self, class: DeliveryClass) -> bool {
        match self {
            Self::Udp { .. } => false,
            Self::Interleaved { .. } => true,
            Self::Quic(_) => class == DeliveryClass::Synchronous,
        }
    }

    /// Where reports on `flow` come from.
    pub fn source(self, flow: FlowId) -> Source {
        match self {
            Self::Udp { rtcp, .. } => Source::Udp(rtcp),
            Self::Interleaved { connection, rtcp, .. } => Source::Interleaved(connection, rtcp),
            Self::Quic(connection) => Source::Quic(connection, flow),
        }
    }

    /// Where packets of `flow` go.
    pub fn destination(self, flow: FlowId, channel: Channel, class: DeliveryClass) -> Destination {
        match (self, channel) {
            (Self::Udp { rtp, .. }, Channel::Rtp) => Destination::Udp(rtp),
            (Self::Udp { rtcp, .. }, Channel::Rtcp) => Destination::Udp(rtcp),
            (Self::Interleaved { connection, rtp, .. }, Channel::Rtp) => {
                Destination::Interleaved(connection, rtp)
            }
            (Self::Interleaved { connection, rtcp, .. }, Channel::Rtcp) => {
                Destination::Interleaved(connection, rtcp)
            }
            (Self::Quic(connection), Channel::Rtp) if self.is_reliable(class) => {
                Destination::Stream(connection, flow)
            }
            (Self::Quic(connection), _) => Destination::Datagram(connection, flow),
        }
    }
}
