//! The two links between the ends, and the ordered pipe beside them.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use cantus_qos::time::MonoTime;

use super::passage::{Kind, Passing, Verdict};
use crate::link::{Link, NodeCounts, Packet};
use crate::relay::Direction;

/// IPv4 and UDP.
const IP_UDP_HEADERS: usize = 28;

/// What a test does to packets.
pub(super) type Hook<'a> = dyn FnMut(&Passing) -> Verdict + 'a;

/// A packet that has come through.
#[derive(Clone, Debug)]
pub(super) struct Arrived {
    pub(super) direction: Direction,
    /// The sender's mark.
    pub(super) tag: u64,
    pub(super) data: Bytes,
}

/// Both ways between streamer and player.
pub(super) struct Path<'a> {
    there: Link,
    back: Link,
    hook: &'a mut Hook<'a>,
    passed: BTreeMap<(Direction, Kind), u64>,
}

impl<'a> Path<'a> {
    pub(super) fn new((there, back): (Link, Link), hook: &'a mut Hook<'a>) -> Self {
        Self { there, back, hook, passed: BTreeMap::new() }
    }

    fn link(&mut self, direction: Direction) -> &mut Link {
        match direction {
            Direction::ToClient => &mut self.there,
            Direction::ToServer => &mut self.back,
        }
    }

    /// A UDP packet leaves one end.
    pub(super) fn send(
        &mut self,
        now: MonoTime,
        direction: Direction,
        kind: Kind,
        tag: u64,
        data: Bytes,
    ) {
        let passed = self.passed.entry((direction, kind)).or_default();
        let passing = Passing { now, direction, kind, index: *passed, data };
        *passed += 1;
        match (self.hook)(&passing) {
            Verdict::Pass => self.push(now, direction, tag, passing.data),
            Verdict::Drop => {}
            Verdict::Replace(packets) => {
                packets.into_iter().for_each(|data| self.push(now, direction, tag, data));
            }
        }
    }

    fn push(&mut self, now: MonoTime, direction: Direction, tag: u64, data: Bytes) {
        let size = data.len() + IP_UDP_HEADERS;
        self.link(direction).push(now, Packet { data, size, entered: now, tag });
    }

    /// The next packet that has reached the other end.
    pub(super) fn pop(&mut self, now: MonoTime) -> Option<Arrived> {
        [Direction::ToClient, Direction::ToServer].into_iter().find_map(|direction| {
            let packet = self.link(direction).pop(now)?;
            Some(Arrived { direction, tag: packet.tag, data: packet.data })
        })
    }

    /// When something next comes out of a link.
    pub(super) fn next_deadline(&self) -> Option<MonoTime> {
        self.there.next_deadline().into_iter().chain(self.back.next_deadline()).min()
    }

    /// What the links have done: the way to the player, and the way back.
    pub(super) fn counts(&self) -> (NodeCounts, NodeCounts) {
        (self.there.counts(), self.back.counts())
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
