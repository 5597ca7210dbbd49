//! Seeded randomness: one stream for each node of each direction.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Who draws. The number is the stream, so it stays what it is when nodes come or go.
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

/// Uniform numbers of which each resembles the one before, as `netem`'s correlation makes them:
/// with correlation 0 they are independent, with 1 always the same.
#[derive(Clone, Debug)]
pub(super) struct Correlated {
    rng: ChaCha8Rng,
    correlation: f64,
    last: f64,
}

impl Correlated {
    pub(super) fn new(mut rng: ChaCha8Rng, correlation: f64) -> Self {
        let last = rng.random();
        Self { rng, correlation, last }
    }

    /// True with probability `share` where the numbers are independent. As in `netem`, with
    /// correlation the numbers crowd around the middle and small shares become smaller still.
    pub(super) fn chance(&mut self, share: f64) -> bool {
        let fresh: f64 = self.rng.random();
        self.last = fresh * (1.0 - self.correlation) + self.last * self.correlation;
        self.last < share
    }
}
