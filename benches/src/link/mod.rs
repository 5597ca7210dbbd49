//! An emulated network: what tc-netem(8) does to packets, in virtual or in real time.
//!
//! A [`Link`] is one direction of a path, built from a [`LinkSpec`]: the words of a `tc` line, the
//! name of a standing link, or both. A [`PathSpec`] has both directions. Each impairment is a small part of its own, and a link is a
//! list of them in the order in which a packet meets them:
//!
//! ```text
//! decided at once, by an Impairment             held for a while, by a Node
//! duplicate -> loss (ecn) -> corrupt    ->      replay -> netem's queue    -> rate | trace -> out
//!                     \                                    limit
//!                      a copy takes the                    reorder, gap
//!                      whole way again                     delay, jitter, rate
//!                                                          slot
//! ```
//!
//! The order, and who draws a random number when, are those of `netem_enqueue` and
//! `netem_dequeue` in the kernel's `net/sched/sch_netem.c` (Linux 6.6 and later, which know
//! `seed`); the grammar is that of `tc/q_netem.c` in iproute2. Words that netem lacks stand last in the table, and a link without
//! them does what netem would.
//!
//! # The words
//!
//! | words | what they do | from |
//! |---|---|---|
//! | `limit N` | no more than N packets are on the link, those being delayed included (1000) | tail of `netem_enqueue` |
//! | `delay TIME [JITTER [CORRELATION]]` | delays each packet; `latency` is the same word. The correlation hardly shows in the delays, in the kernel neither: what is drawn is correlated, and its remainder decides | `tabledist` |
//! | `distribution NAME` | shape of the jitter: `uniform` (if not said), `normal`, `pareto`, `paretonormal`; a table installed with `tc`, such as `experimental`; or the path of one | `tabledist`, `netem/*.c` of iproute2 |
//! | `loss [random] P [CORRELATION]` | loses this share of the packets; `drop` is the same word | `loss_event`, `get_crandom` |
//! | `loss state P13 [P31 [P32 [P23 [P14]]]]` | losses of a four-state chain, see [`Loss::State`] | `loss_4state`; Salsano, Ludovici, Ordine 2009 |
//! | `loss gemodel P [R [1-H [1-K]]]` | losses of a two-state chain, see [`Loss::GilbertElliott`] | `loss_gilb_ell`; Gilbert 1960, Elliott 1963 |
//! | `ecn` | what the loss model takes is marked where it can be | RFC 3168, section 5 |
//! | `duplicate P [CORRELATION]` | lets packets through twice; the copy goes first, may be lost, and has no copy | head of `netem_enqueue` |
//! | `corrupt P [CORRELATION]` | flips one bit of what a packet carries | `netem_enqueue` |
//! | `reorder P [CORRELATION]` | packets skip the delay, and so overtake others | `netem_enqueue` |
//! | `gap N` | only every Nth packet can | `netem_enqueue` |
//! | `rate RATE [OVERHEAD [CELL [OVERHEAD]]]` | a packet takes its time, with bytes that travel with each packet and with each cell, and none overtakes | `packet_time_ns` |
//! | `slot MIN [MAX]` | packets are delivered together, a pause of MIN to MAX after the slot before | `get_slot_next` |
//! | `slot distribution NAME DELAY JITTER` | the same, with a pause drawn as a delay is | `get_slot_next` |
//! | `packets N`, `bytes N` | after a `slot`: what one holds | `netem_dequeue` |
//! | `seed N` | what the luck follows from, whatever seed the link is built with | `netem_change` |
//! | `keep-order` | no packet leaves the delay before one that came earlier | ours |
//! | `step TIME` | the chain of `gemodel` steps every TIME, not per packet | ours |
//! | `trace umts\|lte\|FILE` | a bottleneck that follows a delivery trace, see [`DeliveryTrace::parse`] | ours; the format is that of mahimahi |
//! | `queue N` | makes `rate` a bottleneck behind the delay, with a queue of its own for N packets; before `trace` there is one anyway, of `limit` packets | ours |
//! | `replay FILE` | each packet is delayed or lost as the next line of the file says, see [`Replay::parse`] | ours |
//!
//! Words stand in any order and may be cut short as in `tc`; of a line that begins with `tc`,
//! `sudo` or `qdisc`, what is before `netem` is left out.
//!
//! Units are those of tc(8), in any case. Percentages carry their sign or not. Times are in `s`,
//! `ms`, `us`, `ns`; a bare one is in microseconds, as tc(8) says, but after `slot` in nanoseconds,
//! as `tc` takes it (and the newest takes all bare ones so: write the unit). Rates are in bits per second, `kbit` to `tbit`, `kibit` to `tibit`; **`bps`,
//! `kbps` and so on are bytes per second**. Numbers of packets and bytes may be said as `2k`,
//! which is 2048.
//!
//! What differs from the kernel, and why:
//!
//! * Each impairment draws from a random stream of its own, not all from one, see below.
//! * `size` has no Ethernet header: `rate R 14` counts as netem does on an Ethernet device.
//! * `limit 0` is refused; netem would drop everything.
//! * Two halves are a whole: where 32-bit sums overflow in `loss_4state`, here they do not.
//!
//! # The calling contract
//!
//! 1. [`Link::push`] gives the link a packet that is sent now.
//! 2. [`Link::pop`] is called until it returns `None`; each packet it gives arrives now.
//! 3. [`Link::next_deadline`] says when `pop` will next have one, or has to be called in any case.
//!
//! `now` never goes backwards. A link reads no clock: it passes packets from node to node at the
//! instants at which they leave, however late it is asked, so that a driver with a coarse timer
//! delays what it delivers but not what is still on the way.
//!
//! # Randomness
//!
//! Every impairment draws from a stream of its own, derived from the seed and its place in the
//! list: taking one away leaves what the others do as it was. What steps with time (the
//! time-stepped loss chain, the delivery trace) does so from [`MonoTime::ZERO`], whoever sends.

mod corrupt;
mod departures;
mod distribution;
mod duplicate;
mod error;
mod generator;
mod loss;
mod named;
mod near;
mod packet;
mod path;
mod queue;
mod random;
mod rate;
mod replay;
mod share;
mod slot;
mod sources;
mod spec;
mod stored;
mod trace;
mod words;

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use cantus_qos::time::MonoTime;

pub use distribution::Distribution;
pub use error::LinkError;
pub use named::STANDING_LINKS;
pub use packet::{DropCause, Dropped, Ecn, NodeCounts, Packet};
pub use path::{Change, PathSpec};
pub use replay::Replay;
pub use share::{Chance, Share};
pub use spec::{Jitter, LinkSpec, Loss, Pause, Rate, Reorder, Slot, Step, TraceSource};
pub use trace::{Carrier, DeliveryTrace};

use sources::Sources;

/// What decides at once what happens to a packet.
trait Impairment: fmt::Debug + Send {
    /// A packet enters now.
    fn meet(&mut self, now: MonoTime, crossing: &mut Crossing, counts: &mut NodeCounts);
}

/// A packet that enters.
#[derive(Debug)]
struct Crossing {
    packet: Packet,
    /// How often it goes on.
    times: u8,
    /// It was made by duplication.
    is_copy: bool,
}

/// What holds packets for a while.
///
/// All that a node does to a packet is decided when it is pushed; `pop` only hands it on in time.
trait Node: fmt::Debug + Send {
    /// Takes a packet that arrives now.
    ///
    /// # Errors
    ///
    /// The packet goes no further, for the reason given.
    fn push(&mut self, now: MonoTime, packet: Packet) -> Result<(), DropCause>;

    /// The next packet whose time to leave has come. If that is none though the deadline has come,
    /// there is a later one.
    fn pop(&mut self, now: MonoTime) -> Option<Packet>;

    /// When the next packet leaves, as far as is known.
    fn next_deadline(&self) -> Option<MonoTime>;

    /// What has happened so far.
    fn counts(&self) -> NodeCounts;
}

/// Packets that a node holds at most, whatever its limit: far more than any sane path, but not
/// without end.
const MOST_HELD: usize = 1 << 20;
/// Dropped packets remembered for those who ask.
const DROPS_REMEMBERED: usize = 4096;

/// One direction of an emulated path. See the [module](self) for how to drive it.
#[derive(Debug)]
pub struct Link {
    /// Decide how often a packet goes on.
    fates: Vec<Box<dyn Impairment>>,
    /// Decide what each copy of it looks like then.
    changes: Vec<Box<dyn Impairment>>,
    nodes: Vec<Box<dyn Node>>,
    arrived: VecDeque<(MonoTime, Packet)>,
    dropped: VecDeque<Dropped>,
    counts: NodeCounts,
    /// What takes its place, and when. What is on its way still arrives.
    then: Option<(MonoTime, Box<Link>)>,
}

impl Link {
    /// A link that does what `spec` says, with the luck that `seed` brings, unless the spec has a
    /// seed of its own.
    ///
    /// # Errors
    ///
    /// A number out of its range, or a file that cannot be read.
    pub fn new(spec: &LinkSpec, seed: u64) -> Result<Self, LinkError> {
        spec.check()?;
        let seed = spec.seed.unwrap_or(seed);
        Ok(Self::build(spec, seed, Sources::load(spec, seed)?))
    }

    /// The way there, on which the media go, and the way back of one path.
    ///
    /// The way back suffers from the same model with a seed of its own. On a link driven by a
    /// delivery trace both ways follow the same trace, the way back 60 s further on; a replay is
    /// the same for both too, and the way back begins in its middle.
    ///
    /// # Errors
    ///
    /// As [`Link::new`].
    pub fn pair(spec: &LinkSpec, seed: u64) -> Result<(Self, Self), LinkError> {
        spec.check()?;
        let seed = spec.seed.unwrap_or(seed);
        let sources = Sources::load(spec, seed)?;
        let there = Self::build(spec, seed, sources.clone());
        Ok((there, Self::build(spec, random::seed_of_return(seed), sources.of_return())))
    }

    fn build(spec: &LinkSpec, seed: u64, sources: Sources) -> Self {
        let mut fates: Vec<Box<dyn Impairment>> = Vec::new();
        if let Some(chance) = spec.duplicate {
            fates.push(Box::new(duplicate::Duplicate::new(chance, seed)));
        }
        if let Some(losses) = loss::Losses::of(spec, seed) {
            fates.push(Box::new(losses));
        }
        let mut changes: Vec<Box<dyn Impairment>> = Vec::new();
        if let Some(chance) = spec.corrupt {
            changes.push(Box::new(corrupt::Corrupt::new(chance, seed)));
        }
        let mut nodes: Vec<Box<dyn Node>> = Vec::new();
        let Sources { jitter, slot, trace, replay } = sources;
        if let Some((replay, first)) = replay {
            nodes.push(Box::new(replay::Replaying::new(replay, first, spec.keep_order)));
        }
        nodes.push(Box::new(queue::Queue::new(spec, jitter, slot, seed)));
        if let (Some(rate), Some(limit)) = (spec.rate, spec.queue) {
            nodes.push(Box::new(rate::Bottleneck::new(rate, limit.min(MOST_HELD))));
        }
        if let Some((trace, shift)) = trace {
            let limit = spec.queue.unwrap_or(spec.limit).min(MOST_HELD);
            nodes.push(Box::new(trace::Opportunities::new(trace, shift, limit)));
        }
        let (arrived, dropped) = (VecDeque::new(), VecDeque::new());
        Self { fates, changes, nodes, arrived, dropped, counts: NodeCounts::default(), then: None }
    }

    /// The same up to `at`, and from then on `next`, whose clock runs from the beginning too. What
    /// was sent before is still on its way, and may be overtaken.
    #[must_use]
    pub fn followed_by(mut self, at: MonoTime, next: Self) -> Self {
        self.then = match self.then {
            Some((earlier, then)) => Some((earlier, Box::new(then.followed_by(at, next)))),
            None => Some((at, Box::new(next))),
        };
        self
    }

    /// Sends a packet into the link now. Its `entered` is set to `now`.
    pub fn push(&mut self, now: MonoTime, mut packet: Packet) {
        if let Some((_, then)) = self.then.as_mut().filter(|(at, _)| *at <= now) {
            return then.push(now, packet);
        }
        self.advance(now);
        packet.entered = now;
        packet.queued = Duration::ZERO;
        self.counts.entered += 1;
        self.cross(now, Crossing { packet, times: 1, is_copy: false });
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
        let Some(arrived) = self.arrived.pop_front() else {
            return self.then.as_mut().and_then(|(_, then)| then.pop_timed(now));
        };
        self.counts.left += 1;
        Some(arrived)
    }

    /// When something next happens inside the link: at the latest then, call [`Link::pop`].
    pub fn next_deadline(&self) -> Option<MonoTime> {
        let waiting = self.arrived.front().map(|&(at, _)| at);
        let own = waiting.or_else(|| self.nodes.iter().filter_map(|it| it.next_deadline()).min());
        let then = self.then.as_ref().and_then(|(_, then)| then.next_deadline());
        own.into_iter().chain(then).min()
    }

    /// The next packet known to be lost; only the latest few thousand are remembered.
    pub fn pop_dropped(&mut self) -> Option<Dropped> {
        let then = &mut self.then;
        self.dropped.pop_front().or_else(|| then.as_mut().and_then(|(_, then)| then.pop_dropped()))
    }

    /// What has happened on the link so far.
    pub fn counts(&self) -> NodeCounts {
        let mut counts = self.counts;
        for node in &self.nodes {
            counts += node.counts();
        }
        counts = NodeCounts { entered: self.counts.entered, left: self.counts.left, ..counts };
        if let Some((_, then)) = &self.then {
            counts += then.counts();
        }
        counts
    }

    /// Decides what happens to a packet that enters, and lets it go on as often as that is.
    fn cross(&mut self, now: MonoTime, mut crossing: Crossing) {
        for impairment in &mut self.fates {
            impairment.meet(now, &mut crossing, &mut self.counts);
        }
        if crossing.times == 0 {
            self.counts.lost += 1;
            return self.drop(now, crossing.packet.tag, DropCause::Loss);
        }
        if crossing.times > 1 {
            self.counts.duplicated += 1;
            let packet = crossing.packet.clone();
            self.cross(now, Crossing { packet, times: 1, is_copy: true });
        }
        for impairment in &mut self.changes {
            impairment.meet(now, &mut crossing, &mut self.counts);
        }
        self.enter(0, now, crossing.packet);
    }

    /// Lets every packet move on that leaves its node up to `now`, in the order of these instants.
    fn advance(&mut self, now: MonoTime) {
        while let Some((at, index)) = self.earliest().filter(|&(at, _)| at <= now) {
            if let Some(packet) = self.nodes[index].pop(at) {
                self.enter(index + 1, at, packet);
            }
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
            self.drop(at, tag, cause);
        }
    }

    fn drop(&mut self, at: MonoTime, tag: u64, cause: DropCause) {
        if self.dropped.len() == DROPS_REMEMBERED {
            self.dropped.pop_front();
        }
        self.dropped.push_back(Dropped { tag, at, cause });
    }
}
