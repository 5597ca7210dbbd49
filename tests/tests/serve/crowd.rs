//! More connections than there are places for.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::streamer::{Dialogue, Listener, datagram, soon, start_with, status};

/// Connections that have been accepted, each before the next, and say nothing whole any more: a
/// request that is answered, and a line of another.
async fn idle(address: SocketAddr, count: usize) -> Vec<TcpStream> {
    let mut connections = Vec::new();
    for _ in 0..count {
        let mut connection = soon(TcpStream::connect(address)).await.unwrap();
        let requests = b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\nOPTIONS * RTSP/1.0\r\n";
        soon(connection.write_all(requests)).await.unwrap();
        assert_eq!(soon(connection.read(&mut [0])).await.unwrap(), 1);
        connections.push(connection);
    }
    connections
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_lock_nobody_out_and_who_listens_goes_on_listening() {
    let (streamer, _) = start_with(16).await;
    let address = streamer.rtsp.unwrap();
    let mut listener = Listener::set_up(address).await;
    assert_eq!(status(&listener.ask("PLAY").await), 200);
    let mut idle = idle(address, 100).await;
    let mut newcomer = Dialogue::tcp(address).await;
    assert_eq!(status(&newcomer.ask("DESCRIBE", "/duet", &[]).await), 200);
    soon(idle[0].read_to_end(&mut Vec::new())).await.expect("it has made room");
    datagram(&listener.rtp).await;
    assert_eq!(status(&listener.ask("GET_PARAMETER").await), 200, "on the same connection");
    drop(idle);
    assert_eq!(status(&listener.ask("PAUSE").await), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_never_read_make_room_too() {
    let (streamer, _) = start_with(4).await;
    let address = streamer.rtsp.unwrap();
    let mut deaf = Vec::new();
    for _ in 0..12 {
        let mut connection = soon(TcpStream::connect(address)).await.unwrap();
        let requests = "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n".repeat(100);
        soon(connection.write_all(requests.as_bytes())).await.unwrap();
        // It is there before the next comes; what it reads is far from all.
        assert_eq!(soon(connection.read(&mut [0])).await.unwrap(), 1);
        deaf.push(connection);
    }
    let mut newcomer = Dialogue::tcp(address).await;
    assert_eq!(status(&newcomer.ask("OPTIONS", "/", &[]).await), 200);
}
