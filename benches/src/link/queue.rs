//! netem's own queue: delay, what skips it, rate, slots and the limit.

use cantus_qos::time::MonoTime;

use super::departures::Departures;
use super::distribution::{Spread, Table};
use super::random::{Correlated, Luck, Role, stream};
use super::slot::Slots;
use super::{DropCause, LinkSpec, MOST_HELD, Node, NodeCounts, Packet, Rate, Reorder};

/// The node that delays packets: from the limit on, `netem_enqueue` and `netem_dequeue` of
/// `sch_netem.c`.
///
/// All packets that are in it count towards `limit`. With a rate, a packet leaves at the later of
/// arrival + delay and the departure of the last one in the queue, plus the time it takes.
#[derive(Debug)]
pub(super) struct Queue {
    limit: usize,
    overtaking: Option<Overtaking>,
    delay: Spread,
    draws: Correlated,
    rate: Option<Rate>,
    keep_order: bool,
    slots: Option<Slots>,
    waiting: Departures,
    /// The departure of the packet that came last.
    latest: MonoTime,
    /// Those that skip the delay leave at once, the last first.
    skipping: Vec<Packet>,
    skipped: NodeCounts,
    overflowed: u64,
    now: MonoTime,
}

impl Queue {
    /// The queue of `spec`; `jitter` and `slot` are the tables of its two distributions.
    pub(super) fn new(
        spec: &LinkSpec,
        jitter: Option<Table>,
        slot: Option<Table>,
        seed: u64,
    ) -> Self {
        let varied = spec.jitter.as_ref();
        let deviation = varied.map(|jitter| jitter.deviation).unwrap_or_default();
        let correlation = varied.map(|jitter| jitter.correlation).unwrap_or_default();
        Self {
            limit: spec.limit.min(MOST_HELD),
            overtaking: spec.reorder.map(|reorder| Overtaking::new(reorder, seed)),
            delay: Spread::new(spec.delay, deviation, jitter),
            draws: Correlated::new(stream(seed, Role::Delay), correlation),
            rate: spec.rate.filter(|_| spec.queue.is_none()),
            keep_order: spec.keep_order,
            slots: spec.slot.as_ref().map(|spec| Slots::new(spec, slot, seed)),
            waiting: Departures::default(),
            latest: MonoTime::ZERO,
            skipping: Vec::new(),
            skipped: NodeCounts::default(),
            overflowed: 0,
            now: MonoTime::ZERO,
        }
    }

    /// When a packet leaves that comes now and does not skip the delay; it is told how long it
    /// stands in line.
    fn departure(&mut self, now: MonoTime, packet: &mut Packet) -> MonoTime {
        // Without a jitter nothing is drawn.
        let number = if self.delay.varies() { self.draws.next() } else { 0 };
        let mut departure = now + self.delay.at(number);
        if let Some(rate) = self.rate {
            if self.waiting.len() > 0 {
                packet.queued += self.latest.since(departure);
                departure = departure.max(self.latest);
            }
            departure += rate.time_for(packet.size);
        }
        if self.keep_order { departure.max(self.latest) } else { departure }
    }

    /// Has the slots look at the packet that is next in line.
    fn look(&mut self, now: MonoTime) {
        if let (Some(slots), Some(due)) = (&mut self.slots, self.waiting.next()) {
            slots.look(now, due);
        }
    }

    fn slot_begins(&self) -> MonoTime {
        self.slots.as_ref().map_or(MonoTime::ZERO, Slots::begins)
    }
}

impl Node for Queue {
    fn push(&mut self, now: MonoTime, mut packet: Packet) -> Result<(), DropCause> {
        self.now = now;
        if self.waiting.len() + self.skipping.len() >= self.limit {
            self.overflowed += 1;
            return Err(DropCause::Overflow);
        }
        if self.overtaking.as_mut().is_some_and(Overtaking::next_skips) {
            self.skipped.entered += 1;
            self.skipped.reordered += u64::from(self.waiting.len() > 0);
            self.skipping.push(packet);
            return Ok(());
        }
        self.latest = self.departure(now, &mut packet);
        self.waiting.push(self.latest, packet);
        self.look(now);
        Ok(())
    }

    fn pop(&mut self, now: MonoTime) -> Option<Packet> {
        self.now = now;
        if let Some(packet) = self.skipping.pop() {
            self.skipped.left += 1;
            return Some(packet);
        }
        self.look(now);
        if self.slot_begins() > now {
            return None;
        }
        let packet = self.waiting.pop(now)?;
        if let Some(slots) = &mut self.slots {
            slots.spend(now, packet.size);
        }
        self.look(now);
        Some(packet)
    }

    fn next_deadline(&self) -> Option<MonoTime> {
        if !self.skipping.is_empty() {
            return Some(self.now);
        }
        // A negative delay leads to a departure that is past already.
        self.waiting.next().map(|due| due.max(self.slot_begins()).max(self.now))
    }

    fn counts(&self) -> NodeCounts {
        let mut counts = self.waiting.counts();
        counts += self.skipped;
        NodeCounts {
            entered: counts.entered + self.overflowed,
            overflowed: self.overflowed,
            ..counts
        }
    }
}

/// Lets some packets skip the delay, which is how netem reorders: they overtake those that are
/// being delayed.
///
/// Of every `gap` packets the last is a candidate, and so is each one after it until one has
/// skipped the delay.
#[derive(Debug)]
struct Overtaking {
    luck: Luck,
    gap: u32,
    since: u32,
}

impl Overtaking {
    fn new(Reorder { chance, gap }: Reorder, seed: u64) -> Self {
        Self { luck: Luck::new(chance, stream(seed, Role::Reorder)), gap, since: 0 }
    }

    fn next_skips(&mut self) -> bool {
        let skips = self.since.saturating_add(1) >= self.gap && self.luck.strikes();
        self.since = if skips { 0 } else { self.since.saturating_add(1) };
        skips
    }
}
