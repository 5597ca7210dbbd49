//! Both directions of an emulated network, and the log of what became of every packet.
//!
//! A [`Duplex`] still owns no socket and reads no clock: the relays and the tunnel drive it in real
//! time, the simulator in virtual time, and all of them keep the same [`PacketLog`].

mod log;

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use cantus_qos::time::MonoTime;

use crate::link::{Ecn, Link, LinkError, NodeCounts, Packet, PathSpec};

use log::Passed;
pub use log::{
    Direction, DirectionCounts, Fate, Kind, LogEntry, PacketCounts, PacketLog, RtpMark, SharedLog,
};

/// The size of the UDP header (RFC 768).
const UDP_HEADER: usize = 8;

/// Both directions of an emulated network. Follows the calling contract of [`Link`].
///
/// The media come from the server, so the way *there* of a [`PathSpec`] leads to the client: a
/// session through a relay meets the same luck as one in virtual time.
#[derive(Debug)]
pub struct Duplex {
    to_client: Link,
    to_server: Link,
    log: SharedLog,
}

/// A packet that enters.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Enter {
    /// Which way it goes.
    pub direction: Direction,
    /// Whose it is; comes out again with the packet.
    pub route: u32,
    /// What it carries.
    pub kind: Kind,
    /// What is passed on.
    pub data: Bytes,
    /// Bytes that travel with it: headers that are not in `data`.
    pub overhead: usize,
    /// Whether the link can mark it in place of losing it: only who sees IP headers knows.
    pub ecn: Ecn,
}

impl Enter {
    /// A UDP payload, from or to `peer`. Sockets do not say whether it could be marked.
    pub fn udp(direction: Direction, route: u32, kind: Kind, data: Bytes, peer: IpAddr) -> Self {
        let (overhead, ecn) = (udp_overhead(peer), Ecn::NotCapable);
        Self { direction, route, kind, data, overhead, ecn }
    }
}

/// A packet that has come through.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Forward {
    /// Which way it goes.
    pub direction: Direction,
    /// Whose it is.
    pub route: u32,
    /// What is passed on.
    pub data: Bytes,
    /// When the link let it go: before it was asked for, if that was late.
    pub due: MonoTime,
    /// Whether it has been marked, for who can pass that on in an IP header.
    pub ecn: Ecn,
}

impl Duplex {
    /// Both ways of `path`, with the luck of `seed`.
    ///
    /// # Errors
    ///
    /// As [`PathSpec::links`].
    pub fn new(path: impl Into<PathSpec>, seed: u64, log: SharedLog) -> Result<Self, LinkError> {
        Ok(Self::of(path.into().links(seed)?, log))
    }

    /// The way there, to the client, and the way back.
    pub fn of((to_client, to_server): (Link, Link), log: SharedLog) -> Self {
        Self { to_client, to_server, log }
    }

    /// A packet comes.
    pub fn push(&mut self, now: MonoTime, enter: Enter) {
        let Enter { direction, route, kind, data, overhead, ecn } = enter;
        let size = data.len() + overhead;
        let rtp = (!matches!(kind, Kind::Rtcp | Kind::Quic)).then(|| RtpMark::of(&data)).flatten();
        let number = self.log.on_entered(LogEntry {
            direction,
            route,
            kind,
            rtp,
            size,
            entered: now,
            due: None,
            left: None,
            queued: Duration::ZERO,
            copies: 0,
            fate: Fate::InFlight,
        });
        let tag = u64::from(route) << 32 | u64::from(number);
        self.link(direction)
            .push(now, Packet { data, size, entered: now, queued: Duration::ZERO, tag, ecn });
        self.log_drops(direction);
    }

    /// The next packet that has come through, in either direction.
    pub fn pop(&mut self, now: MonoTime) -> Option<Forward> {
        [Direction::ToClient, Direction::ToServer].into_iter().find_map(|direction| {
            let popped = self.link(direction).pop_timed(now);
            self.log_drops(direction);
            let (due, Packet { data, queued, tag, ecn, .. }) = popped?;
            self.log.on_left(now, Passed { due, queued }, direction, tag as u32);
            Some(Forward { direction, route: (tag >> 32) as u32, data, due, ecn })
        })
    }

    /// When [`Duplex::pop`] must be called again.
    pub fn next_deadline(&self) -> Option<MonoTime> {
        [self.to_server.next_deadline(), self.to_client.next_deadline()].into_iter().flatten().min()
    }

    /// What the links have done: the way to the client, and the way back.
    pub fn counts(&self) -> (NodeCounts, NodeCounts) {
        (self.to_client.counts(), self.to_server.counts())
    }

    fn link(&mut self, direction: Direction) -> &mut Link {
        match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        }
    }

    fn log_drops(&mut self, direction: Direction) {
        while let Some(dropped) = self.link(direction).pop_dropped() {
            self.log.on_dropped(direction, dropped.tag as u32, dropped.cause);
        }
    }
}

/// The sizes of the UDP header and of the IP header without options (RFC 768, 791, 8200) in front
/// of what goes to or comes from `address`.
pub fn udp_overhead(address: IpAddr) -> usize {
    let ip = match address.to_canonical() {
        IpAddr::V4(_) => 20,
        IpAddr::V6(_) => 40,
    };
    ip + UDP_HEADER
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::LinkSpec;
    use std::net::{Ipv4Addr, Ipv6Addr};
    use std::time::Duration;

    const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

    fn enter(direction: Direction, route: u32, data: Bytes, address: IpAddr) -> Enter {
        Enter::udp(direction, route, Kind::Other, data, address)
    }

    fn duplex(words: &str) -> (Duplex, SharedLog) {
        let log = SharedLog::default();
        (Duplex::new(words.parse::<LinkSpec>().unwrap(), 7, log.clone()).unwrap(), log)
    }

    #[test]
    fn a_packet_comes_through_with_its_route_after_the_delay() {
        let (mut duplex, log) = duplex("delay 30ms");
        let data = Bytes::from_static(b"hello");
        duplex.push(MonoTime::ZERO, enter(Direction::ToClient, 9, data.clone(), V4));
        let at = MonoTime::from_millis(30);
        assert_eq!(duplex.next_deadline(), Some(at));
        assert_eq!(duplex.pop(at - Duration::from_nanos(1)), None);
        let late = at + Duration::from_millis(2);
        let (direction, ecn) = (Direction::ToClient, Ecn::NotCapable);
        assert_eq!(duplex.pop(late), Some(Forward { direction, route: 9, data, due: at, ecn }));
        let entry = log.snapshot().entries()[0];
        assert_eq!((entry.due, entry.left), (Some(at), Some(late)));
        assert_eq!((entry.fate, entry.size), (Fate::Delivered, 33));
    }

    #[test]
    fn the_log_tells_what_was_lost_what_overflowed_and_what_came_twice() {
        let (mut duplex, log) = duplex("loss 100%");
        duplex.push(MonoTime::ZERO, enter(Direction::ToServer, 0, Bytes::new(), V4));
        assert_eq!(log.snapshot().entries()[0].fate, Fate::Lost);
        assert_eq!(log.counts().to_server.lost, 1);

        let (mut duplex, log) = self::duplex("rate 8kbit limit 1");
        duplex.push(MonoTime::ZERO, enter(Direction::ToServer, 0, Bytes::new(), V6));
        duplex.push(MonoTime::ZERO, enter(Direction::ToServer, 0, Bytes::new(), V6));
        let fates: Vec<_> = log.snapshot().entries().iter().map(|entry| entry.fate).collect();
        assert_eq!(fates, [Fate::InFlight, Fate::Overflowed]);
        assert_eq!(duplex.next_deadline(), Some(MonoTime::from_millis(48)));

        let (mut duplex, log) = self::duplex("duplicate 100%");
        duplex.push(MonoTime::ZERO, enter(Direction::ToServer, 0, Bytes::new(), V4));
        while duplex.pop(MonoTime::ZERO).is_some() {}
        assert_eq!(log.snapshot().entries()[0].copies, 1);
        assert_eq!(log.counts().to_server.delivered, 2);
    }

    #[test]
    fn the_csv_has_a_line_for_each_packet() {
        let (mut duplex, log) = duplex("delay 2ms");
        duplex.push(MonoTime::from_millis(1), enter(Direction::ToServer, 4, Bytes::new(), V4));
        duplex.pop(MonoTime::from_millis(4));
        duplex.push(MonoTime::from_millis(5), enter(Direction::ToClient, 5, Bytes::new(), V4));
        let csv = log.snapshot().to_csv();
        let lines: Vec<_> = csv.lines().skip(1).collect();
        assert_eq!(
            lines,
            [
                "to server,4,other,28,1000,4000,0,delivered,3000,0",
                "to client,5,other,28,5000,,0,in flight,,0"
            ]
        );
    }
}
