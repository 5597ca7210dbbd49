//! Duplication.

use cantus_qos::time::MonoTime;

use super::random::{Luck, Role, stream};
use super::{Chance, Crossing, Impairment, NodeCounts};

/// The impairment that lets some packets through twice. A copy takes the whole way on its own, but
/// has no copies.
#[derive(Debug)]
pub(super) struct Duplicate(Luck);

impl Duplicate {
    pub(super) fn new(chance: Chance, seed: u64) -> Self {
        Self(Luck::new(chance, stream(seed, Role::Duplicate)))
    }
}

impl Impairment for Duplicate {
    fn meet(&mut self, _now: MonoTime, crossing: &mut Crossing, _counts: &mut NodeCounts) {
        if !crossing.is_copy && self.0.strikes() {
            crossing.times += 1;
        }
    }
}
