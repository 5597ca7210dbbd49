//! The links between the ends, and the ordered pipe beside them.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use bytes::Bytes;
use cantus_qos::time::MonoTime;

use super::passage::{Passing, Verdict};
use crate::duplex::{Direction, Duplex, Enter, Forward, Kind};
use crate::link::NodeCounts;

/// Everything travels over IPv4.
pub(super) const IPV4: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// What a test does to packets.
pub(super) type Hook<'a> = dyn FnMut(&Passing) -> Verdict + 'a;

/// Both ways between streamer and player.
pub(super) struct Path<'a> {
    duplex: Duplex,
    hook: &'a mut Hook<'a>,
    passed: BTreeMap<(Direction, Kind), u64>,
}

impl<'a> Path<'a> {
    pub(super) fn new(duplex: Duplex, hook: &'a mut Hook<'a>) -> Self {
        Self { duplex, hook, passed: BTreeMap::new() }
    }

    /// A UDP packet leaves one end; `route` comes out with it at the other.
    pub(super) fn send(
        &mut self,
        now: MonoTime,
        direction: Direction,
        kind: Kind,
        route: u32,
        data: Bytes,
    ) {
        let passed = self.passed.entry((direction, kind)).or_default();
        let passing = Passing { now, direction, kind, index: *passed, data };
        *passed += 1;
        match (self.hook)(&passing) {
            Verdict::Pass => self.send_beside(now, direction, kind, route, passing.data),
            Verdict::Drop => {}
            Verdict::Replace(packets) => {
                for data in packets {
                    self.send_beside(now, direction, kind, route, data);
                }
            }
        }
    }

    /// The same of somebody who is beside the sessions: nobody lays hands on it.
    pub(super) fn send_beside(
        &mut self,
        now: MonoTime,
        direction: Direction,
        kind: Kind,
        route: u32,
        data: Bytes,
    ) {
        self.duplex.push(now, Enter::udp(direction, route, kind, data, IPV4));
    }

    /// The next packet that has reached the other end.
    pub(super) fn pop(&mut self, now: MonoTime) -> Option<Forward> {
        self.duplex.pop(now)
    }

    /// When something next comes out of a link.
    pub(super) fn next_deadline(&self) -> Option<MonoTime> {
        self.duplex.next_deadline()
    }

    /// What the links have done: the way to the player, and the way back.
    pub(super) fn counts(&self) -> (NodeCounts, NodeCounts) {
        self.duplex.counts()
    }
}

/// A reliable ordered way with a constant delay: what TCP is on a path where little is sent.
#[derive(Debug)]
pub(super) struct Pipe {
    delay: Duration,
    waiting: VecDeque<(MonoTime, Bytes)>,
}

impl Pipe {
    pub(super) fn new(delay: Duration) -> Self {
        Self { delay, waiting: VecDeque::new() }
    }

    pub(super) fn delay(&self) -> Duration {
        self.delay
    }

    pub(super) fn push(&mut self, now: MonoTime, data: Bytes) {
        self.waiting.push_back((now + self.delay, data));
    }

    pub(super) fn pop(&mut self, now: MonoTime) -> Option<Bytes> {
        self.next_deadline().filter(|at| *at <= now)?;
        self.waiting.pop_front().map(|(_, data)| data)
    }

    pub(super) fn next_deadline(&self) -> Option<MonoTime> {
        self.waiting.front().map(|(at, _)| *at)
    }
}
