//! RTSP over TCP.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;
use tracing::debug;

use super::control::{ConnectionIds, Outbound, Outlet, Parting, Write};
use super::{FAREWELL, Inbox, Message, StartError};
use crate::session::TIMEOUT;
use crate::wire::{Carrier, ConnectionId};

/// A client whose machine does not answer for so long is gone: as long as sessions last.
const UNHEARD: Duration = TIMEOUT;

/// How often it is asked then, before it is given up.
const PROBE: Duration = Duration::from_secs(10);

/// Media between the answers waits with us rather than in the system, which cannot leave it out:
/// beyond what is on its way, the system holds so many bytes.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 16 * 1_024;

/// What a client is read out of courtesy after the end, in bytes.
const LAST_WORDS: usize = 1 << 20;

pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|reason| StartError::Listen {
        address,
        protocol: "RTSP",
        reason,
    })
}

pub(crate) async fn serve(listener: TcpListener, inbox: Inbox, ids: ConnectionIds) {
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, most likely: the next connection that ends frees one.
                debug!(%error, "a connection was not accepted");
                let crowded = error.kind() != ErrorKind::ConnectionAborted;
                if crowded && !inbox.deliver(Message::Crowded).await {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let inbox = inbox.clone();
        let connection = ids.next();
        tokio::spawn(async move { converse(stream, peer, connection, &inbox).await });
    }
}

/// How a connection has come to its end.
enum End {
    /// The client says nothing more.
    Client,
    /// All that was to be said to it is said.
    Said,
    /// It is to end, and perhaps not all is said.
    Server(Parting),
}

async fn converse(stream: TcpStream, peer: SocketAddr, connection: ConnectionId, inbox: &Inbox) {
    tune(&stream);
    let (mut read, write) = stream.into_split();
    let (outlet, Outbound { written, parting }) = Outlet::tcp();
    let carrier = Carrier::Tcp(peer.ip().to_canonical());
    if !inbox.deliver(Message::Connected { connection, carrier, outlet }).await {
        return;
    }
    let mut writing = pin!(write_all(write, written));
    let end = tokio::select! {
        () = read_all(&mut read, connection, inbox) => End::Client,
        () = &mut writing => End::Said,
        parting = parting => End::Server(parting.unwrap_or(Parting::Polite)),
    };
    inbox.deliver(Message::Disconnected { connection }).await;
    // Who does not take its farewell in time goes without.
    let _ = timeout(FAREWELL, async {
        match end {
            // It may listen still.
            End::Client => writing.await,
            // With something unread the connection would be reset, and the last answer lost on the
            // way (RFC 2525, section 2.17).
            End::Said => discard(read).await,
            End::Server(Parting::Polite) => {
                writing.await;
                discard(read).await;
            }
            End::Server(Parting::Rude) => {}
        }
    })
    .await;
}

/// What the system is to know of a connection. One that knows less is good enough too.
fn tune(stream: &TcpStream) {
    // Answers are small and awaited.
    let _ = stream.set_nodelay(true);
    let socket = socket2::SockRef::from(stream);
    let keepalive = socket2::TcpKeepalive::new().with_time(UNHEARD).with_interval(PROBE);
    let _ = socket.set_tcp_keepalive(&keepalive.with_retries(3));
    #[cfg(target_os = "linux")]
    {
        let _ = socket.set_tcp_user_timeout(Some(UNHEARD));
        let _ = socket.set_tcp_notsent_lowat(UNSENT);
    }
}

async fn read_all(read: &mut OwnedReadHalf, connection: ConnectionId, inbox: &Inbox) {
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

/// Reads what a client still sends, and heeds it no more.
async fn discard(mut read: OwnedReadHalf) {
    let mut buffer = [0; 4_096];
    let mut left = LAST_WORDS;
    while let Ok(length @ 1..) = read.read(&mut buffer).await {
        left = left.saturating_sub(length);
        if left == 0 {
            return;
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
