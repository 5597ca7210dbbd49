//! The ports of one trial on loopback: the lanes of the link, and those that programs will take.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

use super::wiring::End;
use crate::duplex::Direction;

/// How often a row of free ports is looked for.
const ATTEMPTS: usize = 256;

/// Both ends of one lane.
#[derive(Debug)]
pub(super) struct Lane {
    /// What is sent here enters the link.
    pub(super) near: UdpSocket,
    /// What comes out of the link is sent from here, and answered to here.
    pub(super) far: UdpSocket,
    /// The port of the program at the far end.
    pub(super) target: SocketAddr,
    /// Who called at the near end, and waits for answers.
    pub(super) caller: Option<SocketAddr>,
    /// Who calls.
    pub(super) opens: End,
}

impl Lane {
    /// Which way a packet goes that enters at the near end. Frames are media: they go to the
    /// client, as everywhere in the bench.
    pub(super) fn direction(&self) -> Direction {
        match self.opens {
            End::Sender => Direction::ToClient,
            End::Receiver => Direction::ToServer,
        }
    }

    /// Sends what came through the link where it belongs; whether it could be sent.
    pub(super) fn forward(&self, direction: Direction, data: &[u8]) -> bool {
        let sent = match self.caller {
            _ if direction == self.direction() => self.far.send_to(data, self.target),
            Some(caller) => self.near.send_to(data, caller),
            None => return false,
        };
        sent.is_ok()
    }
}

/// Sockets on `count` ports of this machine in a row, the first of them even: RTP and RTCP want it
/// so (RFC 3550, section 11).
///
/// # Errors
///
/// If there is no such row to be had.
pub(super) fn bind_row(count: usize) -> io::Result<Vec<UdpSocket>> {
    let mut failure = io::Error::other("no free ports in a row");
    for _ in 0..ATTEMPTS {
        // Any free port leads to the neighbourhood that the system has room in.
        let hint = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let first = hint & !1;
        let row = (first..).take(count).map(|port| UdpSocket::bind((Ipv4Addr::LOCALHOST, port)));
        match row.collect::<io::Result<Vec<_>>>() {
            Ok(row) if row.len() == count => return Ok(row),
            Ok(_) => {}
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// The ports of sockets.
///
/// # Errors
///
/// If the system does not know them.
pub(super) fn ports(sockets: &[UdpSocket]) -> io::Result<Vec<u16>> {
    sockets.iter().map(|socket| Ok(socket.local_addr()?.port())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_in_a_row_begin_with_an_even_one_and_are_ours() {
        let row = bind_row(4).unwrap();
        let ports = ports(&row).unwrap();
        assert!(ports[0].is_multiple_of(2));
        assert!(ports.windows(2).all(|pair| pair[1] == pair[0] + 1));
        assert!(UdpSocket::bind((Ipv4Addr::LOCALHOST, ports[2])).is_err());
    }

    #[test]
    fn answers_go_back_to_whom_called() {
        let bind = || UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let (caller, program) = (bind(), bind());
        let target = program.local_addr().unwrap();
        let opens = End::Receiver;
        let mut lane = Lane { near: bind(), far: bind(), target, caller: None, opens };
        assert_eq!(lane.direction(), Direction::ToServer);
        assert!(!lane.forward(Direction::ToClient, b"answer to nobody"));
        lane.caller = caller.local_addr().ok();
        assert!(lane.forward(Direction::ToServer, b"call"));
        assert!(lane.forward(Direction::ToClient, b"answer"));
        let mut buffer = [0; 16];
        let length = program.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], b"call");
        let length = caller.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], b"answer");
    }
}
