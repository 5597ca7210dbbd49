//! The packets inside a node, in the order in which they will leave.

use std::collections::{BTreeMap, VecDeque};

use cantus_qos::time::MonoTime;

use super::{NodeCounts, Packet};

/// Packets by the instant at which they leave; those of one instant in the order they came.
///
/// As in netem's own queue, most stand in line, and only those that leave before the last in line
/// are sorted in.
#[derive(Debug, Default)]
pub(super) struct Departures {
    line: VecDeque<(MonoTime, u64, Packet)>,
    early: BTreeMap<(MonoTime, u64), Packet>,
    /// The serial number of the latest packet that left.
    latest: Option<u64>,
    counts: NodeCounts,
}

impl Departures {
    /// Adds a packet that leaves at `at`.
    pub(super) fn push(&mut self, at: MonoTime, packet: Packet) {
        let serial = self.counts.entered;
        self.counts.entered += 1;
        if self.line.back().is_none_or(|&(last, ..)| last <= at) {
            self.line.push_back((at, serial, packet));
        } else {
            self.early.insert((at, serial), packet);
        }
    }

    /// The next packet, if it leaves at `now` or earlier.
    pub(super) fn pop(&mut self, now: MonoTime) -> Option<Packet> {
        self.next().filter(|&at| at <= now)?;
        let (serial, packet) = if self.early_is_next() {
            let ((_, serial), packet) = self.early.pop_first()?;
            (serial, packet)
        } else {
            let (_, serial, packet) = self.line.pop_front()?;
            (serial, packet)
        };
        self.counts.left += 1;
        if self.latest.is_some_and(|latest| serial < latest) {
            self.counts.reordered += 1;
        }
        self.latest = self.latest.max(Some(serial));
        Some(packet)
    }

    /// When the next packet leaves.
    pub(super) fn next(&self) -> Option<MonoTime> {
        let (early, line) = (self.first_early(), self.first_in_line());
        early.into_iter().chain(line).min().map(|(at, _)| at)
    }

    /// How many have not left.
    pub(super) fn len(&self) -> usize {
        self.line.len() + self.early.len()
    }

    /// Entered, left and reordered so far.
    pub(super) fn counts(&self) -> NodeCounts {
        self.counts
    }

    fn early_is_next(&self) -> bool {
        self.first_early()
            .is_some_and(|early| self.first_in_line().is_none_or(|in_line| early < in_line))
    }

    fn first_early(&self) -> Option<(MonoTime, u64)> {
        self.early.first_key_value().map(|(&key, _)| key)
    }

    fn first_in_line(&self) -> Option<(MonoTime, u64)> {
        self.line.front().map(|&(at, serial, _)| (at, serial))
    }
}
