//! A bottleneck of constant rate.

use std::time::Duration;

use cantus_qos::time::MonoTime;

use super::departures::Departures;
use super::{DropCause, Node, NodeCounts, Packet, Rate};

impl Rate {
    /// How long a packet of `size` bytes takes: `packet_time_ns` of `sch_netem.c`, rounded down to
    /// the nanosecond.
    ///
    /// A packet that all its overhead leaves nothing of takes no time; there the kernel takes it
    /// for one of 2^64 bytes.
    pub fn time_for(self, size: usize) -> Duration {
        let Self { bitrate, packet_overhead, cell_size, cell_overhead } = self;
        let mut bytes = (size as i128 + i128::from(packet_overhead)).max(0);
        if cell_size > 0 {
            let cells = (bytes as u128).div_ceil(u128::from(cell_size)) as i128;
            bytes = cells * (i128::from(cell_size) + i128::from(cell_overhead)).max(0);
        }
        let rate = i128::from(bitrate.as_bps() / 8).max(1);
        let nanos = bytes * 1_000_000_000 / rate;
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// The node that sends one packet after the other at a stated rate, where that has a queue of its
/// own. The queue holds `limit` packets, the one being sent included; what comes while it is full
/// is dropped.
#[derive(Debug)]
pub(super) struct Bottleneck {
    rate: Rate,
    limit: usize,
    idle_from: MonoTime,
    queue: Departures,
    overflowed: u64,
}

impl Bottleneck {
    pub(super) fn new(rate: Rate, limit: usize) -> Self {
        let queue = Departures::default();
        Self { rate, limit, idle_from: MonoTime::ZERO, queue, overflowed: 0 }
    }
}

impl Node for Bottleneck {
    fn push(&mut self, now: MonoTime, mut packet: Packet) -> Result<(), DropCause> {
        if self.queue.len() >= self.limit {
            self.overflowed += 1;
            return Err(DropCause::Overflow);
        }
        let begins = self.idle_from.max(now);
        packet.queued += begins.since(now);
        self.idle_from = begins + self.rate.time_for(packet.size);
        self.queue.push(self.idle_from, packet);
        Ok(())
    }

    fn pop(&mut self, now: MonoTime) -> Option<Packet> {
        self.queue.pop(now)
    }

    fn next_deadline(&self) -> Option<MonoTime> {
        self.queue.next()
    }

    fn counts(&self) -> NodeCounts {
        NodeCounts { overflowed: self.overflowed, ..self.queue.counts() }
    }
}
