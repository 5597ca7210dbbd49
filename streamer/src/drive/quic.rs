//! QUIC connections: flow 0 for control, datagrams and unidirectional streams for reports.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cantus_qos::roq::{self, ErrorCode, FlowId, StreamReader};
use cantus_qos::rtcp;
use quinn::{Endpoint, EndpointConfig, Incoming, RecvStream, SendStream, VarInt};
use socket2::{Domain, Socket, Type};
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::debug;

use super::control::{ConnectionIds, Outbound, Outlet, Parting, Write};
use super::{FAREWELL, Inbox, Message, StartError};
use crate::quic::{GrantedRate, Identity, server_config};
use crate::server::MAX_CONNECTIONS;
use crate::wire::{Carrier, ConnectionId, Source};

/// Connections at once, those that are no control connections yet and those that end included; more
/// are refused.
const CONNECTIONS: usize = 2 * MAX_CONNECTIONS;

/// Who connects is to open flow 0 in this time.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn listen(address: SocketAddr, identity: &Identity) -> Result<Endpoint, StartError> {
    let config = server_config(identity, GrantedRate::default())?;
    let refused = |reason| StartError::Listen { address, protocol: "QUIC", reason };
    let socket = bind(address).map_err(refused)?;
    let runtime = Arc::new(quinn::TokioRuntime);
    Endpoint::new(EndpointConfig::default(), Some(config), socket, runtime).map_err(refused)
}

/// `[::]` stands for all addresses: those of IPv4 too, and alone where there is no IPv6.
fn bind(address: SocketAddr) -> std::io::Result<UdpSocket> {
    let everywhere = address.ip() == Ipv6Addr::UNSPECIFIED;
    let bound = Socket::new(Domain::for_address(address), Type::DGRAM, None).and_then(|socket| {
        if everywhere {
            socket.set_only_v6(false)?;
        }
        socket.bind(&address.into())?;
        Ok(socket.into())
    });
    match bound {
        Err(error) if everywhere && error.kind() != ErrorKind::AddrInUse => {
            UdpSocket::bind((Ipv4Addr::UNSPECIFIED, address.port()))
        }
        bound => bound,
    }
}

pub(crate) async fn serve(
    endpoint: Endpoint,
    identity: Arc<Identity>,
    inbox: Inbox,
    ids: ConnectionIds,
) {
    while let Some(incoming) = endpoint.accept().await {
        if endpoint.open_connections() >= CONNECTIONS {
            incoming.refuse();
            continue;
        }
        // Each connection has its own window, and so its own configuration.
        let rate = GrantedRate::default();
        let Ok(config) = server_config(&identity, rate.clone()) else { return };
        let (inbox, connection) = (inbox.clone(), ids.next());
        tokio::spawn(async move {
            if let Err(error) = converse(incoming, Arc::new(config), rate, connection, &inbox).await
            {
                debug!(%error, "a QUIC connection ended");
            }
            inbox.deliver(Message::Disconnected { connection }).await;
        });
    }
}

async fn converse(
    incoming: Incoming,
    config: Arc<quinn::ServerConfig>,
    rate: GrantedRate,
    connection: ConnectionId,
    inbox: &Inbox,
) -> Result<(), quinn::ConnectionError> {
    let quic = incoming.accept_with(config)?.await?;
    let Ok(Some((send, receive))) = timeout(PATIENCE, control_stream(&quic)).await else {
        quic.close(code(ErrorCode::StreamCreation), b"the first stream must be flow 0");
        return Ok(());
    };
    let (outlet, Outbound { written, parting }) = Outlet::quic(quic.clone(), rate);
    let carrier = Carrier::Quic;
    if !inbox.deliver(Message::Connected { connection, carrier, outlet }).await {
        return Ok(());
    }
    let mut writing = pin!(write_all(send, written));
    tokio::select! {
        () = read_all(receive, connection, inbox) => {}
        () = &mut writing => {}
        parting = parting => if !matches!(parting, Ok(Parting::Rude)) {
            // Who does not take its farewell in time goes without.
            let _ = timeout(FAREWELL, writing).await;
        },
        error = read_datagrams(&quic, connection, inbox) => return Err(error),
        error = accept_reports(&quic, connection, inbox) => return Err(error),
        another = quic.accept_bi() => {
            another?;
            quic.close(code(ErrorCode::StreamCreation), b"packets come on unidirectional streams");
            return Ok(());
        }
    }
    quic.close(code(ErrorCode::NoError), b"goodbye");
    Ok(())
}

/// The first stream, if it is flow 0, and says so.
async fn control_stream(quic: &quinn::Connection) -> Option<(SendStream, RecvStream)> {
    let (send, mut receive) = quic.accept_bi().await.ok()?;
    let mut flow = [0xff];
    receive.read_exact(&mut flow).await.ok()?;
    (flow == [0]).then_some((send, receive))
}

fn code(error: ErrorCode) -> VarInt {
    VarInt::from_u32(error as u32)
}

async fn read_all(mut receive: RecvStream, connection: ConnectionId, inbox: &Inbox) {
    while let Ok(Some(chunk)) = receive.read_chunk(4_096, true).await {
        let data = chunk.bytes;
        if !inbox.deliver(Message::Control { connection, data }).await {
            return;
        }
    }
}

async fn write_all(mut send: SendStream, mut written: Receiver<Write>) {
    while let Some(Write::Data(data)) = written.recv().await {
        if send.write_all(&data).await.is_err() {
            return;
        }
    }
    // What was written last is to arrive before the connection closes.
    let _ = send.finish();
    let _ = send.stopped().await;
}

async fn read_datagrams(
    quic: &quinn::Connection,
    connection: ConnectionId,
    inbox: &Inbox,
) -> quinn::ConnectionError {
    loop {
        let datagram = match quic.read_datagram().await {
            Ok(datagram) => datagram,
            Err(error) => return error,
        };
        if let Ok((flow, data)) = roq::parse_datagram(datagram) {
            offer_report(connection, flow, data, inbox);
        }
    }
}

/// Whoever would rather have its reports arrive for sure sends them on streams.
async fn accept_reports(
    quic: &quinn::Connection,
    connection: ConnectionId,
    inbox: &Inbox,
) -> quinn::ConnectionError {
    let mut streams = JoinSet::new();
    loop {
        match quic.accept_uni().await {
            Ok(stream) => streams.spawn(read_reports(stream, connection, inbox.clone())),
            Err(error) => return error,
        };
        while streams.try_join_next().is_some() {}
    }
}

async fn read_reports(mut receive: RecvStream, connection: ConnectionId, inbox: Inbox) {
    let mut reader = StreamReader::new();
    while let Ok(Some(chunk)) = receive.read_chunk(4_096, true).await {
        reader.push(&chunk.bytes);
        loop {
            match reader.pop() {
                Ok(Some(data)) => {
                    let flow = reader.flow().unwrap_or(FlowId::CONTROL);
                    offer_report(connection, flow, data, &inbox);
                }
                Ok(None) => break,
                Err(error) => {
                    debug!(%error, "a stream with reports ended");
                    let _ = receive.stop(code(ErrorCode::Packet));
                    return;
                }
            }
        }
    }
}

fn offer_report(connection: ConnectionId, flow: FlowId, data: Bytes, inbox: &Inbox) {
    if flow != FlowId::CONTROL && rtcp::is_rtcp(&data) {
        inbox.offer(Message::Feedback { source: Source::Quic(connection, flow), data });
    }
}
