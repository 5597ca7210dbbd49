//! When the system took a datagram, rather than when somebody came to read it: on a busy machine that
//! is a millisecond or more later, and would be reported as the network's jitter.

use std::io;
use std::net::SocketAddr;

use tokio::net::UdpSocket;

use super::clock::Came;

/// Reads datagrams with the instants at which they came.
#[derive(Debug)]
pub(super) struct Stamped<'a> {
    socket: &'a UdpSocket,
    #[cfg(target_os = "linux")]
    control: Vec<u8>,
}

#[cfg(target_os = "linux")]
impl<'a> Stamped<'a> {
    /// A system that does not note when datagrams come is good enough too.
    pub(super) fn new(socket: &'a UdpSocket) -> Self {
        use nix::sys::socket::{setsockopt, sockopt};

        let _ = setsockopt(socket, sockopt::ReceiveTimestampns, &true);
        Self { socket, control: nix::cmsg_space!(nix::sys::time::TimeSpec) }
    }

    /// The next datagram: its length, where it comes from, and when it came.
    ///
    /// # Errors
    ///
    /// What the system says; mostly of what was sent before (ICMP).
    pub(super) async fn receive(
        &mut self,
        buffer: &mut [u8],
    ) -> io::Result<(usize, SocketAddr, Came)> {
        let Self { socket, control } = self;
        let read = || receive(socket, buffer, control);
        socket.async_io(tokio::io::Interest::READABLE, read).await
    }
}

#[cfg(target_os = "linux")]
fn receive(
    socket: &UdpSocket,
    buffer: &mut [u8],
    control: &mut [u8],
) -> io::Result<(usize, SocketAddr, Came)> {
    use std::os::fd::AsRawFd;

    use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg};

    let mut slices = [io::IoSliceMut::new(buffer)];
    let flags = MsgFlags::MSG_DONTWAIT;
    let message =
        recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut slices, Some(control), flags)?;
    let came = message.cmsgs()?.find_map(|control| match control {
        ControlMessageOwned::ScmTimestampns(at) => Some(Came::at_wall(at.into())),
        _ => None,
    });
    let from = message.address.as_ref().and_then(socket_address);
    let from = from.ok_or_else(|| io::Error::other("a datagram from no address"))?;
    Ok((message.bytes, from, came.unwrap_or_else(Came::now)))
}

#[cfg(target_os = "linux")]
fn socket_address(address: &nix::sys::socket::SockaddrStorage) -> Option<SocketAddr> {
    let v4 = || address.as_sockaddr_in().map(|it| SocketAddr::V4((*it).into()));
    let v6 = || address.as_sockaddr_in6().map(|it| SocketAddr::V6((*it).into()));
    v4().or_else(v6)
}

#[cfg(not(target_os = "linux"))]
impl<'a> Stamped<'a> {
    pub(super) fn new(socket: &'a UdpSocket) -> Self {
        Self { socket }
    }

    pub(super) async fn receive(
        &mut self,
        buffer: &mut [u8],
    ) -> io::Result<(usize, SocketAddr, Came)> {
        let (length, from) = self.socket.recv_from(buffer).await?;
        Ok((length, from, Came::now()))
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::drive::clock::Clock;

    #[tokio::test]
    async fn a_datagram_came_when_the_system_took_it_and_not_when_it_is_read() {
        let clock = Clock::start();
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(socket) = UdpSocket::bind(address).await else { continue };
            let mut stamped = Stamped::new(&socket);
            let at = socket.local_addr().unwrap();
            let sender = UdpSocket::bind((at.ip(), 0)).await.unwrap();
            let mut buffer = [0; 16];
            let mut is_early = false;
            // The system begins to note it a little after it was asked to.
            for _ in 0..10_000 {
                sender.send_to(b"sound", at).await.unwrap();
                // On loopback it is there when it is sent.
                let sent = Came::now();
                let (length, from, came) = stamped.receive(&mut buffer).await.unwrap();
                assert_eq!(&buffer[..length], b"sound");
                assert_eq!(from, sender.local_addr().unwrap());
                is_early = clock.at(came) <= clock.at(sent);
                if is_early {
                    break;
                }
            }
            assert!(is_early);
        }
    }
}
