//! Reports that come in over UDP.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::thread::JoinHandle;

use bytes::Bytes;
use cantus_qos::rtcp;
use mio::{Events, Interest, Poll, Token, Waker};
use tracing::debug;

use super::{Inbox, Message};
use crate::wire::Source;

const STOP: Token = Token(usize::MAX);

/// Listens on the media ports, on a thread of its own.
///
/// The pacing thread sends from the same sockets. Here only what comes in is watched for: a socket
/// of the runtime would also be woken by each packet that has left.
#[derive(Debug)]
pub(crate) struct FeedbackListener {
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

impl FeedbackListener {
    /// Listens on `sockets`, which must not block.
    pub(crate) fn start(sockets: Vec<UdpSocket>, inbox: Inbox) -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), STOP)?;
        let mut sockets: Vec<_> = sockets.into_iter().map(mio::net::UdpSocket::from_std).collect();
        for (index, socket) in sockets.iter_mut().enumerate() {
            poll.registry().register(socket, Token(index), Interest::READABLE)?;
        }
        let thread = std::thread::Builder::new()
            .name("cantus-feedback".to_owned())
            .spawn(move || listen(poll, &sockets, &inbox))?;
        Ok(Self { waker, thread: Some(thread) })
    }
}

impl Drop for FeedbackListener {
    fn drop(&mut self) {
        // A thread that cannot be woken cannot be waited for.
        if let (Ok(()), Some(thread)) = (self.waker.wake(), self.thread.take())
            && thread.join().is_err()
        {
            tracing::warn!("the feedback thread has panicked: this is a bug of ours");
        }
    }
}

fn listen(mut poll: Poll, sockets: &[mio::net::UdpSocket], inbox: &Inbox) {
    let mut events = Events::with_capacity(16);
    loop {
        match poll.poll(&mut events, None) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                debug!(%error, "reports are not heard any more");
                return;
            }
        }
        for event in &events {
            match sockets.get(event.token().0) {
                Some(socket) => drain(socket, inbox),
                None => return,
            }
        }
    }
}

/// Reads until there is nothing more: only then will the system tell of what comes next.
fn drain(socket: &mio::net::UdpSocket, inbox: &Inbox) {
    let mut buffer = [0; 2_048];
    loop {
        match socket.recv_from(&mut buffer) {
            Ok((length, from)) => offer(&buffer[..length], from, inbox),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            // Errors are those of earlier sends (ICMP), each told once.
            Err(_) => {}
        }
    }
}

/// What comes to the RTP port (openings for a firewall) is dropped, as is all that is no report.
fn offer(packet: &[u8], from: SocketAddr, inbox: &Inbox) {
    if rtcp::is_rtcp(packet) {
        let from = SocketAddr::new(from.ip().to_canonical(), from.port());
        let data = Bytes::copy_from_slice(packet);
        inbox.offer(Message::Feedback { source: Source::Udp(from), data });
    }
}
