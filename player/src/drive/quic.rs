//! Everything in one QUIC connection: flow 0 for control, datagrams for media, streams for cues.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cantus_qos::delivery::Channel;
use cantus_qos::roq::{self, ALPN, FlowId, INITIAL_ROUND_TRIP, StreamReader};
use cantus_qos::rtcp;
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Connection, Endpoint, RecvStream, SendStream, TransportConfig, VarInt};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;
use tracing::debug;

use super::clock::Came;
use super::link::{Arrival, CHUNK, CONNECT, ConnectError, INBOX};
use crate::trust::{Fingerprint, Trust, Verifier};

/// Streams that a server may open: one a subtitle track, and room for more.
const SERVER_STREAMS: u32 = 4;

/// Datagrams that wait for us: half a second of the fastest stream.
const DATAGRAM_BUFFER: usize = 128 * 1024;

/// What waits for us on streams: answers and cues.
const STREAM_BUFFER: u32 = 128 * 1024;

/// A server that has been silent for this long is gone.
const IDLE: Duration = Duration::from_secs(15);

/// A QUIC connection.
#[derive(Debug)]
pub(super) struct QuicLink {
    pub(super) arrivals: Receiver<Arrival>,
    endpoint: Endpoint,
    connection: Connection,
    control: Sender<Bytes>,
    writer: JoinHandle<()>,
    verifier: Arc<Verifier>,
}

impl QuicLink {
    pub(super) async fn connect(
        server: &str,
        host: &str,
        addresses: &[SocketAddr],
        trust: Trust,
    ) -> Result<Self, ConnectError> {
        let verifier = Verifier::new(trust, server)?;
        let refused = |cause: String| ConnectError::Refused { server: server.to_owned(), cause };
        let config = client_config(&verifier).map_err(refused)?;
        let mut last = None;
        for address in addresses {
            let attempt = connect_to(*address, host, config.clone());
            match tokio::time::timeout(CONNECT, attempt).await {
                Ok(Ok((endpoint, connection))) => {
                    return Self::over(endpoint, connection, verifier).await.map_err(refused);
                }
                Ok(Err(cause)) => {
                    if let Some(refusal) = verifier.refusal() {
                        return Err(refusal.into());
                    }
                    last = Some(refused(cause));
                }
                Err(_) => {
                    let server = server.to_owned();
                    let timed_out =
                        ConnectError::TimedOut { server, protocol: "UDP", after: CONNECT };
                    last.get_or_insert(timed_out);
                }
            }
        }
        Err(last.unwrap_or_else(|| refused("it has no address".to_owned())))
    }

    async fn over(
        endpoint: Endpoint,
        connection: Connection,
        verifier: Arc<Verifier>,
    ) -> Result<Self, String> {
        let (mut send, receive) = connection.open_bi().await.map_err(|error| error.to_string())?;
        // Every stream begins with its flow identifier; this one is flow 0.
        send.write_all(&FlowId::CONTROL.stream_header())
            .await
            .map_err(|error| error.to_string())?;
        let (sender, arrivals) = channel(INBOX);
        let (control, written) = channel(64);
        tokio::spawn(read_control(receive, sender.clone()));
        tokio::spawn(read_datagrams(connection.clone(), sender.clone()));
        tokio::spawn(accept_streams(connection.clone(), sender));
        let writer = tokio::spawn(write_control(send, written));
        Ok(Self { arrivals, endpoint, connection, control, writer, verifier })
    }

    pub(super) fn pinned(&self) -> Option<Fingerprint> {
        self.verifier.pinned()
    }

    pub(super) fn control(&self, data: Bytes) {
        if self.control.try_send(data).is_err() {
            debug!("the server takes no requests");
        }
    }

    pub(super) fn transmit(&self, flow: FlowId, data: &[u8]) {
        if let Err(error) = self.connection.send_datagram(roq::datagram(flow, data)) {
            debug!(%error, "a report was not sent");
        }
    }

    pub(super) fn round_trip(&self) -> Option<Duration> {
        Some(self.connection.min_rtt())
    }

    /// The last request reaches the server before the connection closes.
    pub(super) async fn close(self, patience: Duration) {
        drop(self.control);
        // A writer that failed has nothing more to say, and one that the server lets wait is left.
        let _ = tokio::time::timeout(patience, self.writer).await;
        self.connection.close(VarInt::from_u32(0), b"goodbye");
        let _ = tokio::time::timeout(patience, self.endpoint.wait_idle()).await;
    }
}

fn client_config(verifier: &Arc<Verifier>) -> Result<ClientConfig, String> {
    let tls = verifier.client_config(&[ALPN]).map_err(|error| error.to_string())?;
    let crypto = QuicClientConfig::try_from(tls).map_err(|error| error.to_string())?;
    let mut config = ClientConfig::new(Arc::new(crypto));
    config.transport_config(Arc::new(transport_config()));
    Ok(config)
}

/// How a player's connection behaves.
pub(super) fn transport_config() -> TransportConfig {
    let mut transport = TransportConfig::default();
    let idle = quinn::IdleTimeout::try_from(IDLE).expect("a quarter of a minute is a time-out");
    transport
        .initial_rtt(INITIAL_ROUND_TRIP)
        .max_idle_timeout(Some(idle))
        .keep_alive_interval(Some(IDLE / 4))
        .max_concurrent_bidi_streams(VarInt::from_u32(0))
        .max_concurrent_uni_streams(VarInt::from_u32(SERVER_STREAMS))
        .datagram_receive_buffer_size(Some(DATAGRAM_BUFFER))
        .stream_receive_window(VarInt::from_u32(STREAM_BUFFER))
        .receive_window(VarInt::from_u32(STREAM_BUFFER));
    transport
}

async fn connect_to(
    address: SocketAddr,
    host: &str,
    config: ClientConfig,
) -> Result<(Endpoint, Connection), String> {
    let local = match address {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let endpoint = Endpoint::client(local).map_err(|error| error.to_string())?;
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let connecting =
        endpoint.connect_with(config, address, name).map_err(|error| error.to_string())?;
    let connection = connecting.await.map_err(|error| error.to_string())?;
    Ok((endpoint, connection))
}

async fn write_control(mut send: SendStream, mut written: Receiver<Bytes>) {
    while let Some(data) = written.recv().await {
        if send.write_all(&data).await.is_err() {
            return;
        }
    }
    // What was written last is to be acknowledged before the connection closes.
    if send.finish().is_ok() {
        let _ = send.stopped().await;
    }
}

async fn read_control(mut receive: RecvStream, arrivals: Sender<Arrival>) {
    while let Ok(Some(chunk)) = receive.read_chunk(CHUNK, true).await {
        if arrivals.send(Arrival::Control(chunk.bytes)).await.is_err() {
            return;
        }
    }
    // The loop may have ended already; then nobody needs to know.
    let _ = arrivals.send(Arrival::Closed).await;
}

async fn read_datagrams(connection: Connection, arrivals: Sender<Arrival>) {
    while let Ok(datagram) = connection.read_datagram().await {
        let Ok((flow, data)) = roq::parse_datagram(datagram) else { continue };
        // RTP and RTCP share a flow (RFC 5761).
        let channel = if rtcp::is_rtcp(&data) { Channel::Rtcp } else { Channel::Rtp };
        // Of its own: a slice would keep all that the system gave us in one piece, 64 kB of it.
        let data = Bytes::copy_from_slice(&data);
        if arrivals.send(Arrival::Packet { flow, channel, data, came: Came::now() }).await.is_err()
        {
            return;
        }
    }
}

async fn accept_streams(connection: Connection, arrivals: Sender<Arrival>) {
    while let Ok(stream) = connection.accept_uni().await {
        tokio::spawn(read_stream(stream, arrivals.clone()));
    }
}

async fn read_stream(mut stream: RecvStream, arrivals: Sender<Arrival>) {
    let mut reader = StreamReader::new();
    while let Ok(Some(chunk)) = stream.read_chunk(CHUNK, true).await {
        reader.push(&chunk.bytes);
        loop {
            match (reader.pop(), reader.flow()) {
                (Ok(Some(data)), Some(flow)) => {
                    let (channel, came) = (Channel::Rtp, Came::now());
                    let packet = Arrival::Packet { flow, channel, data, came };
                    if arrivals.send(packet).await.is_err() {
                        return;
                    }
                }
                (Ok(_), _) => break,
                (Err(error), _) => {
                    debug!(%error, "a stream is not RTP over QUIC");
                    return;
                }
            }
        }
    }
}
