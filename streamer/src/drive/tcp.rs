//! RTSP over TCP.

use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::Receiver;
use tracing::debug;

use super::control::{ConnectionIds, Outbound, Outlet, Write};
use super::{Inbox, Message, StartError};
use crate::wire::{Carrier, ConnectionId};

/// Connections at once; more are not accepted until some end.
const CONNECTIONS: usize = 2_048;

pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|reason| StartError::Listen {
        address,
        protocol: "RTSP",
        reason,
    })
}

pub(crate) async fn serve(listener: TcpListener, inbox: Inbox, ids: ConnectionIds) {
    let room = std::sync::Arc::new(tokio::sync::Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = room.clone().acquire_owned().await else { return };
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, most likely: the next connection that ends frees one.
                debug!(%error, "a connection was not accepted");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                continue;
            }
        };
        let inbox = inbox.clone();
        let connection = ids.next();
        tokio::spawn(async move {
            converse(stream, peer, connection, &inbox).await;
            inbox.deliver(Message::Disconnected { connection }).await;
            drop(place);
        });
    }
}

async fn converse(stream: TcpStream, peer: SocketAddr, connection: ConnectionId, inbox: &Inbox) {
    // Answers are small and awaited.
    let _ = stream.set_nodelay(true);
    let (read, write) = stream.into_split();
    let (outlet, Outbound { written, cut }) = Outlet::tcp();
    let carrier = Carrier::Tcp(peer.ip().to_canonical());
    if !inbox.deliver(Message::Connected { connection, carrier, outlet }).await {
        return;
    }
    tokio::select! {
        () = read_all(read, connection, inbox) => {}
        () = write_all(write, written) => {}
        () = cut.notified() => {}
    }
}

async fn read_all(mut read: OwnedReadHalf, connection: ConnectionId, inbox: &Inbox) {
    let mut buffer = BytesMut::with_capacity(4_096);
    loop {
        buffer.reserve(4_096);
        match read.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                let data: Bytes = buffer.split().freeze();
                if !inbox.deliver(Message::Control { connection, data }).await {
                    return;
                }
            }
        }
    }
}

async fn write_all(mut write: OwnedWriteHalf, mut written: Receiver<Write>) {
    while let Some(Write::Data(data)) = written.recv().await {
        if write.write_all(&data).await.is_err() {
            return;
        }
    }
    let _ = write.shutdown().await;
}
