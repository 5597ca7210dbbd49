//! Reordering.

use cantus_qos::time::MonoTime;

use super::delay::Delay;
use super::departures::Departures;
use super::random::{Correlated, Role, stream};
use super::{DropCause, Node, NodeCounts, Packet, Reorder};

/// The node that lets some packets skip the delay, which is how netem reorders: they overtake
/// those that are being delayed.
///
/// Of every `gap` packets the last is a candidate, and a candidate skips the delay with
/// probability `share`.
#[derive(Debug)]
pub(super) struct Overtaking {
    share: f64,
    gap: u32,
    since: u32,
    draws: Correlated,
    delayed: Delay,
    skipping: Departures,
    reordered: u64,
}

impl Overtaking {
    pub(super) fn new(spec: &Reorder, delayed: Delay, seed: u64) -> Self {
        Self {
            share: spec.share,
            gap: spec.gap,
            since: 0,
            draws: Correlated::new(stream(seed, Role::Reorder), spec.correlation),
            delayed,
            skipping: Departures::default(),
            reordered: 0,
        }
    }
}

impl Node for Overtaking {
    fn push(&mut self, now: MonoTime, packet: Packet) -> Result<(), DropCause> {
        if self.since + 1 < self.gap || !self.draws.chance(self.share) {
            self.since = self.since.saturating_add(1);
            return self.delayed.push(now, packet);
        }
        self.since = 0;
        self.reordered += u64::from(self.delayed.len() > 0);
        self.skipping.push(now, packet);
        Ok(())
    }

    fn pop(&mut self, now: MonoTime) -> Option<Packet> {
        self.skipping.pop(now).or_else(|| self.delayed.pop(now))
    }

    fn next_deadline(&self) -> Option<MonoTime> {
        [self.skipping.next(), self.delayed.next_deadline()].into_iter().flatten().min()
    }

    fn counts(&self) -> NodeCounts {
        let mut counts = self.delayed.counts();
        counts += self.skipping.counts();
        counts.reordered += self.reordered;
        counts
    }
}
