//! Datagrams on their way from a socket to the loop.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use cantus_qos::delivery::Channel;
use cantus_qos::roq::FlowId;
use tokio::net::UdpSocket;
use tokio::sync::mpsc::Sender;

use super::link::Arrival;
use super::stamps::Stamped;

/// What the system may queue for us: a burst of the fastest stream.
pub(super) const RECEIVE_BUFFER: usize = 1 << 20;

/// What is longer than this is not media, and cut off here: the player drops it.
const MAX_DATAGRAM: usize = 2_049;

/// Brings what comes to `socket` for `flow` to the loop, until that has ended. `sort` tells what a
/// datagram is by its bytes and by where it comes from; `None` if it is nothing for us.
pub(super) async fn read_packets(
    socket: Arc<UdpSocket>,
    flow: FlowId,
    arrivals: Sender<Arrival>,
    sort: impl Fn(&[u8], SocketAddr) -> Option<Channel>,
) {
    let mut buffer = vec![0; MAX_DATAGRAM];
    let mut stamped = Stamped::new(&socket);
    loop {
        let Ok((length, from, came)) = stamped.receive(&mut buffer).await else {
            // Errors are those of earlier sends (ICMP); the next packet comes all the same.
            tokio::task::yield_now().await;
            continue;
        };
        let Some(channel) = sort(&buffer[..length], from) else { continue };
        let data = Bytes::copy_from_slice(&buffer[..length]);
        if arrivals.send(Arrival::Packet { flow, channel, data, came }).await.is_err() {
            return;
        }
    }
}
