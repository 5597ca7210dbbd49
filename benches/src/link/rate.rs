//! A bottleneck of constant rate.

use cantus_qos::quantity::Bitrate;
use cantus_qos::time::MonoTime;

use super::departures::Departures;
use super::{DropCause, Node, NodeCounts, Packet};

/// The node that sends one packet after the other at a stated rate. Its queue holds `limit`
/// packets, the one being sent included; what comes while it is full is dropped.
#[derive(Debug)]
pub(super) struct Rate {
    rate: Bitrate,
    limit: usize,
    idle_from: MonoTime,
    queue: Departures,
    overflowed: u64,
}

impl Rate {
    pub(super) fn new(rate: Bitrate, limit: usize) -> Self {
        let queue = Departures::default();
        Self { rate, limit, idle_from: MonoTime::ZERO, queue, overflowed: 0 }
    }
}

impl Node for Rate {
    fn push(&mut self, now: MonoTime, packet: Packet) -> Result<(), DropCause> {
        if self.queue.len() >= self.limit {
            self.overflowed += 1;
            return Err(DropCause::Overflow);
        }
        self.idle_from = self.idle_from.max(now) + self.rate.time_for(packet.size);
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
        let queue = self.queue.counts();
        let entered = queue.entered + self.overflowed;
        NodeCounts { entered, overflowed: self.overflowed, ..queue }
    }
}
