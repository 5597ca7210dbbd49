//! Seeded randomness: one stream for each impairment of each direction.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Chance, Share};

/// Who draws. The number is the stream, so it stays what it is when impairments come or go.
#[derive(Copy, Clone, Debug)]
pub(super) enum Role {
    /// The steps of the loss chain: apart from the losses, so that the chain is a matter of time
    /// alone where it steps with time.
    LossChain = 0,
    /// Whether a packet is lost in the state that the chain is in.
    Loss = 1,
    /// Which packets are doubled.
    Duplicate = 2,
    /// How long each packet is delayed.
    Delay = 3,
    /// Which packets skip the delay.
    Reorder = 4,
    /// The generated delivery trace.
    Trace = 5,
    /// The seed of the way back.
    Return = 6,
    /// Which packets are corrupted.
    Corrupt = 7,
    /// Which of their bits is flipped.
    Bit = 8,
    /// How long until the next slot.
    Slot = 9,
}

/// The stream of `role` under `seed`.
pub(super) fn stream(seed: u64, role: Role) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(role as u64);
    rng
}

/// The seed of the way back of a path.
pub(super) fn seed_of_return(seed: u64) -> u64 {
    stream(seed, Role::Return).next_u64()
}

/// A uniform number of 32 bits: the upper half of what the stream gives at a time.
pub(super) fn uniform(rng: &mut ChaCha8Rng) -> u32 {
    (rng.next_u64() >> 32) as u32
}

/// Uniform numbers of which each resembles the one before: `get_crandom` of `sch_netem.c`.
///
/// With correlation ρ a number is (1 - ρ) times a fresh one and ρ times the one before, a
/// first-order autoregression: the autocorrelation over k numbers is ρ^k. The numbers are uniform
/// no longer, but crowd around the middle, with (1 - ρ) / (1 + ρ) of the variance.
#[derive(Clone, Debug)]
pub(super) struct Correlated {
    rng: ChaCha8Rng,
    correlation: Share,
    last: u32,
}

impl Correlated {
    pub(super) fn new(mut rng: ChaCha8Rng, correlation: Share) -> Self {
        let last = uniform(&mut rng);
        Self { rng, correlation, last }
    }

    pub(super) fn next(&mut self) -> u32 {
        let fresh = uniform(&mut self.rng);
        if self.correlation.is_none() {
            return fresh;
        }
        let kept = u64::from(self.correlation.steps()) + 1;
        let sum = u64::from(fresh) * ((1 << 32) - kept) + u64::from(self.last) * kept;
        self.last = (sum >> 32) as u32;
        self.last
    }
}

/// Happens to some packets and not to others.
#[derive(Clone, Debug)]
pub(super) struct Luck {
    share: Share,
    draws: Correlated,
}

impl Luck {
    pub(super) fn new(chance: Chance, rng: ChaCha8Rng) -> Self {
        Self { share: chance.share, draws: Correlated::new(rng, chance.correlation) }
    }

    /// True with the stated share where the numbers are independent. As in netem, with
    /// correlation the numbers crowd around the middle and small shares become smaller still.
    pub(super) fn strikes(&mut self) -> bool {
        !self.share.is_none() && self.draws.next() <= self.share.steps()
    }
}

#[cfg(test)]
mod tests;
