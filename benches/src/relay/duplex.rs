//! An emulated path with its two directions and its log, still without sockets.

use std::net::IpAddr;

use bytes::Bytes;
use cantus_qos::time::MonoTime;

use super::log::{Direction, Fate, LogEntry, SharedLog};
use crate::link::{Link, LinkError, LinkSpec, Packet};

/// The size of the UDP header (RFC 768).
const UDP_HEADER: usize = 8;

/// Both directions of a path. Follows the calling contract of [`Link`].
///
/// The media come from the server, so the way *there* of [`Link::pair`] leads to the client: a
/// session through a relay meets the same luck as one in virtual time.
#[derive(Debug)]
pub(super) struct Duplex {
    to_client: Link,
    to_server: Link,
    log: SharedLog,
}

/// A packet that has come through.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Forward {
    pub(super) direction: Direction,
    pub(super) route: u32,
    pub(super) data: Bytes,
}

impl Duplex {
    pub(super) fn new(spec: &LinkSpec, seed: u64, log: SharedLog) -> Result<Self, LinkError> {
        let (to_client, to_server) = Link::pair(spec, seed)?;
        Ok(Self { to_client, to_server, log })
    }

    /// A UDP payload comes, that travels in a packet of the family of `address`.
    pub(super) fn push(
        &mut self,
        now: MonoTime,
        direction: Direction,
        route: u32,
        data: Bytes,
        address: IpAddr,
    ) {
        let size = data.len() + UDP_HEADER + ip_header(address);
        let number = self.log.on_entered(LogEntry {
            direction,
            route,
            size,
            entered: now,
            left: None,
            copies: 0,
            fate: Fate::InFlight,
        });
        let tag = u64::from(route) << 32 | u64::from(number);
        self.link(direction).push(now, Packet { data, size, entered: now, tag });
        self.log_drops(direction);
    }

    /// The next packet that has come through, in either direction.
    pub(super) fn pop(&mut self, now: MonoTime) -> Option<Forward> {
        [Direction::ToServer, Direction::ToClient].into_iter().find_map(|direction| {
            let popped = self.link(direction).pop(now);
            self.log_drops(direction);
            let Packet { data, tag, .. } = popped?;
            self.log.on_left(now, direction, tag as u32);
            Some(Forward { direction, route: (tag >> 32) as u32, data })
        })
    }

    /// When [`Duplex::pop`] must be called again.
    pub(super) fn next_deadline(&self) -> Option<MonoTime> {
        [self.to_server.next_deadline(), self.to_client.next_deadline()].into_iter().flatten().min()
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

/// The size of the IP header without options (RFC 791, RFC 8200).
fn ip_header(address: IpAddr) -> usize {
    match address.to_canonical() {
        IpAddr::V4(_) => 20,
        IpAddr::V6(_) => 40,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

    fn duplex(words: &str) -> (Duplex, SharedLog) {
        let log = SharedLog::default();
        (Duplex::new(&words.parse().unwrap(), 7, log.clone()).unwrap(), log)
    }

    #[test]
    fn a_packet_comes_through_with_its_route_after_the_delay() {
        let (mut duplex, log) = duplex("delay 30ms");
        let data = Bytes::from_static(b"hello");
        duplex.push(MonoTime::ZERO, Direction::ToClient, 9, data.clone(), V4);
        let at = MonoTime::from_millis(30);
        assert_eq!(duplex.next_deadline(), Some(at));
        assert_eq!(duplex.pop(at - std::time::Duration::from_nanos(1)), None);
        assert_eq!(
            duplex.pop(at),
            Some(Forward { direction: Direction::ToClient, route: 9, data })
        );
        let entry = log.snapshot().entries()[0];
        assert_eq!((entry.left, entry.fate, entry.size), (Some(at), Fate::Delivered, 33));
    }

    #[test]
    fn the_log_tells_what_was_lost_what_overflowed_and_what_came_twice() {
        let (mut duplex, log) = duplex("loss 100%");
        duplex.push(MonoTime::ZERO, Direction::ToServer, 0, Bytes::new(), V4);
        assert_eq!(log.snapshot().entries()[0].fate, Fate::Lost);
        assert_eq!(log.counts().to_server.lost, 1);

        let (mut duplex, log) = self::duplex("rate 8kbit limit 1");
        duplex.push(MonoTime::ZERO, Direction::ToServer, 0, Bytes::new(), V6);
        duplex.push(MonoTime::ZERO, Direction::ToServer, 0, Bytes::new(), V6);
        let fates: Vec<_> = log.snapshot().entries().iter().map(|entry| entry.fate).collect();
        assert_eq!(fates, [Fate::InFlight, Fate::Overflowed]);
        assert_eq!(duplex.next_deadline(), Some(MonoTime::from_millis(48)));

        let (mut duplex, log) = self::duplex("duplicate 100%");
        duplex.push(MonoTime::ZERO, Direction::ToServer, 0, Bytes::new(), V4);
        while duplex.pop(MonoTime::ZERO).is_some() {}
        assert_eq!(log.snapshot().entries()[0].copies, 1);
        assert_eq!(log.counts().to_server.delivered, 2);
    }

    #[test]
    fn the_csv_has_a_line_for_each_packet() {
        let (mut duplex, log) = duplex("delay 2ms");
        duplex.push(MonoTime::from_millis(1), Direction::ToServer, 4, Bytes::new(), V4);
        duplex.pop(MonoTime::from_millis(3));
        duplex.push(MonoTime::from_millis(5), Direction::ToClient, 5, Bytes::new(), V4);
        let csv = log.snapshot().to_csv();
        let lines: Vec<_> = csv.lines().skip(1).collect();
        assert_eq!(
            lines,
            ["to server,4,28,1000,3000,0,delivered", "to client,5,28,5000,,0,in flight"]
        );
    }
}
