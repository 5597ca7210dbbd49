//! The UDP sockets of the relays.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

use rustix::net::sockopt;
use socket2::{Domain, Socket, Type};

/// What a socket is to hold of what has not been read yet: a tenth of a second at 50,000 packets
/// of 200 bytes per second, each of which takes 768 bytes of the kernel's.
pub(super) const RECEIVE_BUFFER: usize = 4 << 20;

/// A socket at `address` that does not block and has room for a burst.
pub(super) fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(address)?;
    socket.set_nonblocking(true)?;
    widen(&socket)?;
    Ok(socket)
}

/// A socket of its own for a client of `server`, which alone can send to it. Others at the same `port`
/// are those of the same client towards other servers.
pub(super) fn connect(server: SocketAddr, port: u16) -> io::Result<UdpSocket> {
    let here = match server {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, port).into(),
    };
    let socket = Socket::new(Domain::for_address(server), Type::DGRAM, None)?;
    // Who takes any port gets none that others share; it is to be shared only afterwards.
    socket.set_reuse_address(port != 0)?;
    socket.bind(&here.into())?;
    socket.set_reuse_address(true)?;
    socket.connect(&server.into())?;
    let socket = UdpSocket::from(socket);
    socket.set_nonblocking(true)?;
    widen(&socket)?;
    Ok(socket)
}

/// What the kernel gives each socket to receive in, in bytes.
pub(super) fn receive_buffer() -> io::Result<usize> {
    widen(&UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?)
}

/// Asks for a large receive buffer: beyond the limit of the system where that is permitted, else
/// up to it. What is given.
fn widen(socket: &UdpSocket) -> io::Result<usize> {
    sockopt::set_socket_recv_buffer_size_force(socket, RECEIVE_BUFFER)
        .or_else(|_| sockopt::set_socket_recv_buffer_size(socket, RECEIVE_BUFFER))?;
    // The kernel doubles what is asked for, to have room for its own bookkeeping (socket(7)).
    Ok(sockopt::socket_recv_buffer_size(socket)? / 2)
}

/// Whether a socket can go on after this error: an ICMP message told that an earlier packet
/// found nobody.
pub(super) fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

/// Datagrams that the kernel dropped because these sockets were full, where it tells.
pub(super) fn overruns<'a>(sockets: impl IntoIterator<Item = &'a UdpSocket>) -> u64 {
    let inodes: Vec<u64> = sockets.into_iter().filter_map(inode).collect();
    let tables = ["/proc/net/udp", "/proc/net/udp6"].map(fs::read_to_string);
    let drops = tables.iter().flatten().flat_map(|table| drops(table));
    drops.filter(|(inode, _)| inodes.contains(inode)).map(|(_, drops)| drops).sum()
}

/// By which the kernel's tables know the socket.
fn inode(socket: &UdpSocket) -> Option<u64> {
    let link = fs::read_link(format!("/proc/self/fd/{}", socket.as_raw_fd())).ok()?;
    link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

/// Inode and drops of each socket in a table such as `/proc/net/udp` (proc_net(5)).
fn drops(table: &str) -> impl Iterator<Item = (u64, u64)> {
    table.lines().skip(1).filter_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let inode = words.nth(9)?.parse().ok()?;
        Some((inode, words.next_back()?.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inodes_and_drops_are_read_from_the_table_of_the_kernel() {
        let table = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   \
                     uid  timeout inode ref pointer drops            \n  \
                     391: 0100007F:1F90 00000000:0000 07 00000000:00000000 00:00000000 00000000     \
                     0        0 24310 2 00000000e9bfbc6a 17        \nand what is none\n";
        assert_eq!(drops(table).collect::<Vec<_>>(), [(24310, 17)]);
    }

    #[test]
    fn what_a_full_socket_drops_is_told() {
        let [socket, sender] = [0, 0].map(|port| bind((Ipv4Addr::LOCALHOST, port).into()).unwrap());
        sockopt::set_socket_recv_buffer_size(&socket, 0).unwrap();
        let (sent, datagram) = (100, [0; 1000]);
        for _ in 0..sent {
            sender.send_to(&datagram, socket.local_addr().unwrap()).unwrap();
        }
        let mut received = 0;
        while socket.recv(&mut [0; 1000]).is_ok() {
            received += 1;
        }
        assert!(received < sent);
        assert_eq!(overruns([&sender, &socket]), sent - received);
    }
}
