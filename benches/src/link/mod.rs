//! An emulated network: what `tc netem` does to packets, in virtual or in real time.
//!
//! A [`Link`] is one direction of a path, built from a [`LinkSpec`]. Each impairment is a small
//! [`Node`], and a link is a list of them in the order in which a packet meets them:
//!
//! ```text
//! loss -> duplicate -> delay (and what skips it) -> rate | delivery trace -> out
//! ```
//!
//! # The calling contract
//!
//! 1. [`Link::push`] gives the link a packet that is sent now.
//! 2. [`Link::pop`] is called until it returns `None`; each packet it gives arrives now.
//! 3. [`Link::next_deadline`] says when `pop` will next have one.
//!
//! `now` never goes backwards. A link reads no clock: it passes packets from node to node at the
//! instants at which they leave, however late it is asked, so that a driver with a coarse timer
//! delays what it delivers but not what is still on the way.
//!
//! # Randomness
//!
//! Every node draws from a stream of its own, derived from the seed and the node's place in the
//! list: taking one impairment away leaves what the others do as it was. What steps with time (the
//! time-stepped loss chain, the delivery trace) does so from [`MonoTime::ZERO`], whoever sends.

mod delay;
mod departures;
mod duplicate;
mod error;
mod generator;
mod loss;
mod named;
mod random;
mod rate;
mod reorder;
mod spec;
mod trace;
mod words;

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::fmt;
use std::ops::AddAssign;
use std::time::Duration;

use bytes::Bytes;
use cantus_qos::time::MonoTime;

pub use error::LinkError;
pub use named::STANDING_LINKS;
pub use spec::{Distribution, Jitter, LinkSpec, Loss, Reorder, Step, TraceSource};
pub use trace::{Carrier, DeliveryTrace};

use random::Role;

/// One packet on its way.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Packet {
    /// What it carries; the link does not look at it.
    pub data: Bytes,
    /// Its size on the link in bytes, IP header included.
    pub size: usize,
    /// When it entered the link.
    pub entered: MonoTime,
    /// The caller's own mark, for example whose packet it is. A duplicate has its original's.
    pub tag: u64,
}

/// One impairment.
///
/// All that a node does to a packet is decided when it is pushed; `pop` only hands it on in time.
pub trait Node: fmt::Debug + Send {
    /// Takes a packet that arrives now.
    ///
    /// # Errors
    ///
    /// The packet goes no further, for the reason given.
    fn push(&mut self, now: MonoTime, packet: Packet) -> Result<(), DropCause>;

    /// The next packet whose time to leave has come.
    fn pop(&mut self, now: MonoTime) -> Option<Packet>;

    /// When the next packet leaves.
    fn next_deadline(&self) -> Option<MonoTime>;

    /// What has happened so far.
    fn counts(&self) -> NodeCounts;
}

/// Why a packet went no further.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum DropCause {
    /// The loss model took it.
    Loss,
    /// The queue was full.
    Overflow,
}

/// A packet that will not arrive.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Dropped {
    /// The caller's mark on it.
    pub tag: u64,
    /// When it was dropped.
    pub at: MonoTime,
    /// Why.
    pub cause: DropCause,
}

/// Packets counted by what became of them, at one node or on a whole link.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct NodeCounts {
    /// Pushed.
    pub entered: u64,
    /// Handed on, duplicates included.
    pub left: u64,
    /// Taken by the loss model.
    pub lost: u64,
    /// Refused by a full queue.
    pub overflowed: u64,
    /// Copies made.
    pub duplicated: u64,
    /// Left after a packet that had entered later, or by skipping the delay of an earlier one.
    pub reordered: u64,
}

impl AddAssign for NodeCounts {
    fn add_assign(&mut self, other: Self) {
        self.entered += other.entered;
        self.left += other.left;
        self.lost += other.lost;
        self.overflowed += other.overflowed;
        self.duplicated += other.duplicated;
        self.reordered += other.reordered;
    }
}

/// How far along its delivery trace the way back is.
const TRACE_SHIFT: Duration = Duration::from_secs(60);
/// Dropped packets remembered for those who ask.
const DROPS_REMEMBERED: usize = 4096;

/// One direction of an emulated path. See the [module](self) for how to drive it.
#[derive(Debug)]
pub struct Link {
    nodes: Vec<Box<dyn Node>>,
    arrived: VecDeque<(MonoTime, Packet)>,
    dropped: VecDeque<Dropped>,
    entered: u64,
    left: u64,
}

impl Link {
    /// A link that does what `spec` says, with the luck that `seed` brings.
    ///
    /// # Errors
    ///
    /// A number out of its range, or a delivery trace that cannot be read.
    pub fn new(spec: &LinkSpec, seed: u64) -> Result<Self, LinkError> {
        let trace = spec.trace.as_ref().map(|source| source.load(seed)).transpose()?;
        Self::build(spec, seed, trace, Duration::ZERO)
    }

    /// The way there, on which the media go, and the way back of one path.
    ///
    /// The way back suffers from the same model with a seed of its own. On a link driven by a
    /// delivery trace both ways follow the same trace, the way back 60 s further on.
    ///
    /// # Errors
    ///
    /// As [`Link::new`].
    pub fn pair(spec: &LinkSpec, seed: u64) -> Result<(Self, Self), LinkError> {
        let trace = spec.trace.as_ref().map(|source| source.load(seed)).transpose()?;
        let there = Self::build(spec, seed, trace.clone(), Duration::ZERO)?;
        let back = Self::build(spec, random::seed_of_return(seed), trace, TRACE_SHIFT)?;
        Ok((there, back))
    }

    fn build(
        spec: &LinkSpec,
        seed: u64,
        trace: Option<DeliveryTrace>,
        shift: Duration,
    ) -> Result<Self, LinkError> {
        spec.check()?;
        let mut nodes: Vec<Box<dyn Node>> = Vec::new();
        if let Some(loss) = loss::LossNode::of(&spec.loss, seed) {
            nodes.push(Box::new(loss));
        }
        if spec.duplicate > 0.0 {
            nodes.push(Box::new(duplicate::Duplicate::new(spec.duplicate, seed)));
        }
        let delay = delay::Delay::new(spec, random::stream(seed, Role::Delay));
        match &spec.reorder {
            Some(reorder) => nodes.push(Box::new(reorder::Overtaking::new(reorder, delay, seed))),
            None => nodes.push(Box::new(delay)),
        }
        if let Some(rate) = spec.rate {
            nodes.push(Box::new(rate::Rate::new(rate, spec.limit)));
        }
        if let Some(trace) = trace {
            nodes.push(Box::new(trace::Opportunities::new(trace, shift, spec.limit)));
        }
        Ok(Self { nodes, arrived: VecDeque::new(), dropped: VecDeque::new(), entered: 0, left: 0 })
    }

    /// Sends a packet into the link now. Its `entered` is set to `now`.
    pub fn push(&mut self, now: MonoTime, mut packet: Packet) {
        self.advance(now);
        packet.entered = now;
        self.entered += 1;
        self.enter(0, now, packet);
        self.advance(now);
    }

    /// The next packet that has arrived at the other end.
    pub fn pop(&mut self, now: MonoTime) -> Option<Packet> {
        self.pop_timed(now).map(|(_, packet)| packet)
    }

    /// As [`Link::pop`], with the instant at which the packet arrived: before `now` if the link is
    /// asked late.
    pub fn pop_timed(&mut self, now: MonoTime) -> Option<(MonoTime, Packet)> {
        self.advance(now);
        let arrived = self.arrived.pop_front()?;
        self.left += 1;
        Some(arrived)
    }

    /// When something next happens inside the link: at the latest then, call [`Link::pop`].
    pub fn next_deadline(&self) -> Option<MonoTime> {
        let waiting = self.arrived.front().map(|&(at, _)| at);
        waiting.or_else(|| self.nodes.iter().filter_map(|node| node.next_deadline()).min())
    }

    /// The next packet known to be lost; only the latest few thousand are remembered.
    pub fn pop_dropped(&mut self) -> Option<Dropped> {
        self.dropped.pop_front()
    }

    /// What has happened on the link so far.
    pub fn counts(&self) -> NodeCounts {
        let mut counts = NodeCounts::default();
        for node in &self.nodes {
            counts += node.counts();
        }
        NodeCounts { entered: self.entered, left: self.left, ..counts }
    }

    /// Lets every packet move on that leaves its node up to `now`, in the order of these instants.
    fn advance(&mut self, now: MonoTime) {
        while let Some((at, index)) = self.earliest().filter(|&(at, _)| at <= now) {
            let Some(packet) = self.nodes[index].pop(at) else {
                break;
            };
            self.enter(index + 1, at, packet);
        }
    }

    /// The node that acts next. At the same instant those further on act first, so that a queue
    /// has its place free before the next packet asks for it.
    fn earliest(&self) -> Option<(MonoTime, usize)> {
        let deadlines = self.nodes.iter().enumerate();
        deadlines
            .filter_map(|(index, node)| Some((node.next_deadline()?, index)))
            .min_by_key(|&(at, index)| (at, Reverse(index)))
    }

    fn enter(&mut self, index: usize, at: MonoTime, packet: Packet) {
        let Some(node) = self.nodes.get_mut(index) else {
            return self.arrived.push_back((at, packet));
        };
        let tag = packet.tag;
        if let Err(cause) = node.push(at, packet) {
            if self.dropped.len() == DROPS_REMEMBERED {
                self.dropped.pop_front();
            }
            self.dropped.push_back(Dropped { tag, at, cause });
        }
    }
}
