//! Corruption.

use bytes::{Bytes, BytesMut};
use cantus_qos::time::MonoTime;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::random::{Luck, Role, stream};
use super::{Chance, Crossing, Impairment, NodeCounts};

/// The impairment that flips one bit of what some packets carry, anywhere in it.
#[derive(Debug)]
pub(super) struct Corrupt {
    luck: Luck,
    places: ChaCha8Rng,
}

impl Corrupt {
    pub(super) fn new(chance: Chance, seed: u64) -> Self {
        let luck = Luck::new(chance, stream(seed, Role::Corrupt));
        Self { luck, places: stream(seed, Role::Bit) }
    }

    fn flip(&mut self, data: &mut Bytes) {
        let mut bytes = BytesMut::from(std::mem::take(data));
        let place = self.places.random_range(0..bytes.len());
        bytes[place] ^= 1 << self.places.random_range(0..8);
        *data = bytes.freeze();
    }
}

impl Impairment for Corrupt {
    fn meet(&mut self, _now: MonoTime, crossing: &mut Crossing, counts: &mut NodeCounts) {
        let data = &mut crossing.packet.data;
        if self.luck.strikes() && !data.is_empty() {
            counts.corrupted += 1;
            self.flip(data);
        }
    }
}
