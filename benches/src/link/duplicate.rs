//! Duplication.

use cantus_qos::time::MonoTime;

use super::departures::Departures;
use super::random::{Correlated, Role, stream};
use super::{DropCause, Node, NodeCounts, Packet};

/// The node that lets some packets through twice. The copy follows its original at once, and is
/// delayed on its own.
#[derive(Debug)]
pub(super) struct Duplicate {
    share: f64,
    draws: Correlated,
    passed: Departures,
    duplicated: u64,
}

impl Duplicate {
    pub(super) fn new(share: f64, seed: u64) -> Self {
        let draws = Correlated::new(stream(seed, Role::Duplicate), 0.0);
        Self { share, draws, passed: Departures::default(), duplicated: 0 }
    }
}

impl Node for Duplicate {
    fn push(&mut self, now: MonoTime, packet: Packet) -> Result<(), DropCause> {
        if self.draws.chance(self.share) {
            self.duplicated += 1;
            self.passed.push(now, packet.clone());
        }
        self.passed.push(now, packet);
        Ok(())
    }

    fn pop(&mut self, now: MonoTime) -> Option<Packet> {
        self.passed.pop(now)
    }

    fn next_deadline(&self) -> Option<MonoTime> {
        self.passed.next()
    }

    fn counts(&self) -> NodeCounts {
        let passed = self.passed.counts();
        let entered = passed.entered - self.duplicated;
        NodeCounts { entered, duplicated: self.duplicated, ..passed }
    }
}
