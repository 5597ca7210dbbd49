//! The packets inside a node, in the order in which they will leave.

use std::collections::BTreeMap;

use cantus_qos::time::MonoTime;

use super::{NodeCounts, Packet};

/// Packets by the instant at which they leave; those of one instant in the order they came.
#[derive(Debug, Default)]
pub(super) struct Departures {
    waiting: BTreeMap<(MonoTime, u64), Packet>,
    latest: Option<u64>,
    counts: NodeCounts,
}

impl Departures {
    /// Adds a packet that leaves at `at`.
    pub(super) fn push(&mut self, at: MonoTime, packet: Packet) {
        self.waiting.insert((at, self.counts.entered), packet);
        self.counts.entered += 1;
    }

    /// The next packet, if it leaves at `now` or earlier.
    pub(super) fn pop(&mut self, now: MonoTime) -> Option<Packet> {
        let entry = self.waiting.first_entry().filter(|entry| entry.key().0 <= now)?;
        let ((_, serial), packet) = entry.remove_entry();
        self.counts.left += 1;
        if self.latest.is_some_and(|latest| serial < latest) {
            self.counts.reordered += 1;
        }
        self.latest = self.latest.max(Some(serial));
        Some(packet)
    }

    /// When the next packet leaves.
    pub(super) fn next(&self) -> Option<MonoTime> {
        self.waiting.first_key_value().map(|(&(at, _), _)| at)
    }

    /// How many have not left.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Entered, left and reordered so far.
    pub(super) fn counts(&self) -> NodeCounts {
        self.counts
    }
}
