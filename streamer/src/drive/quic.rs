//! QUIC connections: flow 0 for control, datagrams for reports.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cantus_qos::roq::{self, FlowId};
use cantus_qos::rtcp;
use quinn::{Endpoint, Incoming, RecvStream, SendStream};
use tokio::sync::mpsc::Receiver;
use tracing::debug;

use super::control::{Outlet, Write};
use super::{Inbox, Message, StartError};
use crate::quic::{GrantedRate, Identity, server_config};
use crate::wire::{Carrier, ConnectionId, Source};

/// Connections at once; more are refused.
const CONNECTIONS: usize = 2_048;

/// Names control connections, whatever carries them.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConnectionIds(Arc<AtomicU64>);

impl ConnectionIds {
    pub(crate) fn next(&self) -> ConnectionId {
        ConnectionId(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

pub(crate) fn listen(address: SocketAddr, identity: &Identity) -> Result<Endpoint, StartError> {
    let config = server_config(identity, GrantedRate::default())?;
    Endpoint::server(config, address).map_err(|reason| StartError::Listen {
        address,
        protocol: "QUIC",
        reason,
    })
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
    let (send, mut receive) = quic.accept_bi().await?;
    // The first stream is flow 0, and says so.
    let mut flow = [0xff];
    if receive.read_exact(&mut flow).await.is_err() || flow != [0] {
        quic.close(quinn::VarInt::from_u32(1), b"the first stream must be flow 0");
        return Ok(());
    }
    let (outlet, written) = Outlet::quic(quic.clone(), rate);
    let carrier = Carrier::Quic;
    if !inbox.deliver(Message::Connected { connection, carrier, outlet }).await {
        return Ok(());
    }
    tokio::select! {
        () = read_all(receive, connection, inbox) => {}
        () = write_all(send, written) => {}
        error = read_reports(&quic, connection, inbox) => return Err(error),
    }
    quic.close(quinn::VarInt::from_u32(0), b"goodbye");
    Ok(())
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

async fn read_reports(
    quic: &quinn::Connection,
    connection: ConnectionId,
    inbox: &Inbox,
) -> quinn::ConnectionError {
    loop {
        let datagram = match quic.read_datagram().await {
            Ok(datagram) => datagram,
            Err(error) => return error,
        };
        let Ok((flow, data)) = roq::parse_datagram(datagram) else { continue };
        if flow != FlowId::CONTROL && rtcp::is_rtcp(&data) {
            inbox.offer(Message::Feedback { source: Source::Quic(connection, flow), data });
        }
    }
}
