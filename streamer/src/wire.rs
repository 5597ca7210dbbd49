//! What crosses the border between the pure server and the loop that drives it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use cantus_qos::delivery::{Channel, DeliveryClass};
use cantus_qos::quantity::Bitrate;
use cantus_qos::roq::FlowId;
use cantus_qos::shaping::PathRate;
use cantus_qos::time::MonoTime;

use crate::catalogue::Listing;
use crate::encoding::EncodingJob;
use crate::programme::{Programme, ProgrammeError, ProgrammeKey};

/// A control connection: one TCP connection, or one QUIC connection with its flow 0.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug)]
pub struct ConnectionId(pub u64);

/// What a control connection can carry beside control.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum Carrier {
    /// RTSP over TCP: media goes over UDP, to this address and no other, or between the messages.
    Tcp(IpAddr),
    /// RTSP on flow 0 of a QUIC connection: media goes over the same connection.
    Quic,
}

/// Where a packet goes.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum Destination {
    /// To a UDP address, from our port of the packet's channel.
    Udp(SocketAddr),
    /// Between the messages of a TCP connection, on this channel (RFC 2326, section 10.12).
    Interleaved(ConnectionId, u8),
    /// In a DATAGRAM frame of the connection.
    Datagram(ConnectionId, FlowId),
    /// On the one unidirectional stream that the flow has.
    Stream(ConnectionId, FlowId),
}

/// Where a report came from.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Debug)]
pub enum Source {
    /// From a UDP address.
    Udp(SocketAddr),
    /// From a channel of a TCP connection.
    Interleaved(ConnectionId, u8),
    /// From a flow of a connection.
    Quic(ConnectionId, FlowId),
}

/// A packet on its way out.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Transmit {
    /// Where it goes.
    pub destination: Destination,
    /// Which of our two ports it leaves from.
    pub channel: Channel,
    /// How it is marked.
    pub class: DeliveryClass,
    /// RTP, RTCP or a repair packet.
    pub data: Bytes,
}

impl Transmit {
    /// Headers of IPv4 and UDP.
    const HEADERS: usize = 28;

    /// What it takes on the wire, in bytes.
    pub fn wire_size(&self) -> usize {
        self.data.len() + Self::HEADERS
    }
}

/// What a request needs from the disk before it can be answered. The server opens no file: the
/// driver does, off the pacing thread.
#[derive(Clone, Eq, PartialEq, Debug)]
pub enum Fetch {
    /// The list of presentations.
    Listing,
    /// One presentation in one encoding.
    Programme(ProgrammeKey),
}

/// What was fetched.
#[derive(Debug)]
pub enum Fetched {
    /// The list of presentations.
    Listing(Listing),
    /// A presentation, ready to be sent.
    Programme(Arc<Programme>),
    /// It could not be had.
    Failed(ProgrammeError),
}

/// What the driver tells the server.
#[derive(Debug)]
pub enum Input<'a> {
    /// A control connection was opened.
    Connected {
        /// Its name from now on.
        connection: ConnectionId,
        /// What it can carry.
        carrier: Carrier,
    },
    /// Somebody wants to connect, and the system has no place for that.
    Crowded,
    /// Bytes of control, as they came.
    Control {
        /// The connection they came on.
        connection: ConnectionId,
        /// Any part of any number of messages.
        data: &'a [u8],
    },
    /// A fetch is done.
    Fetched {
        /// The connection whose request asked for it.
        connection: ConnectionId,
        /// The answer.
        fetched: Fetched,
    },
    /// An RTCP packet.
    Feedback {
        /// Where it came from.
        source: Source,
        /// The compound packet.
        data: &'a [u8],
    },
    /// The congestion controller of a QUIC connection has come to this.
    Path {
        /// The connection.
        connection: ConnectionId,
        /// What its path bears.
        path: PathRate,
    },
    /// A control connection is gone.
    Disconnected {
        /// Its name.
        connection: ConnectionId,
    },
}

/// What the server tells the driver.
#[derive(Debug)]
pub enum Output {
    /// Write these bytes to the control connection.
    Control {
        /// The connection.
        connection: ConnectionId,
        /// Whole messages.
        data: Bytes,
    },
    /// Send this packet now.
    Transmit(Transmit),
    /// Fetch this, then say [`Input::Fetched`].
    Fetch {
        /// The connection whose request waits for it.
        connection: ConnectionId,
        /// What it needs.
        fetch: Fetch,
    },
    /// Run this, where it holds up nothing else; no answer is waited for.
    Encode(EncodingJob),
    /// The sessions of this connection were granted so much together.
    Granted {
        /// The connection.
        connection: ConnectionId,
        /// What its congestion window must have room for.
        rate: Bitrate,
    },
    /// Close the control connection once everything written is sent.
    Close {
        /// The connection.
        connection: ConnectionId,
    },
    /// Close the control connection at once: there is nothing to be said on it.
    Cut {
        /// The connection.
        connection: ConnectionId,
    },
    /// Nothing more until this instant, or until there is input.
    Wait(Option<MonoTime>),
}
